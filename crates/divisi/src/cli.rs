//! The command line as people type it: every command and flag with its help text.
//!
//! Nothing is decided here. Values are parsed into types, so that a bad one is refused with its
//! place before anything starts; what they mean stands with each command.

mod agents;
mod assess;
mod folder;
mod lessons;
mod library;
mod people;
mod permissions;
pub(crate) mod plan;
mod review;
mod settings;
mod workflow;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use divisi_core::RunId;
use divisi_core::assign::WORKERS_MAX;
use divisi_core::ledger::Bound;
use divisi_core::run::Budget;

pub(crate) use agents::{Adapter, Agents, AgentsCommand};
pub(crate) use assess::Assess;
pub(crate) use folder::{Generate, Validate};
pub(crate) use lessons::{Lessons, LessonsCommand};
pub(crate) use library::{Roles, RolesCommand, Save, Workflow, WorkflowCommand};
pub(crate) use people::{Adopt, Answer, Approve, Cancel, Discard, Reject, Retry, Split, Submit};
pub(crate) use permissions::{Answered, Permissions, PermissionsCommand};
pub(crate) use plan::{Plan, PlanCommand};
pub(crate) use review::{Perspective, Review, Weight};
pub(crate) use settings::{Config, ConfigCommand};
pub(crate) use workflow::{DryRun, OfWorkflow};

/// Splits a goal into tasks, has agents do them side by side, verifies, integrates, reports.
#[derive(Debug, Parser)]
#[command(
    name = "divisi",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_long_help = crate::exit::help())]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
    /// The project's folder; otherwise the nearest one upwards with `.divisi`, `divisi.yaml` or `.git`
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// Print one JSON document (or one object a line) instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Whether to color: on a terminal, always, or never; `NO_COLOR` is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Say nothing but data and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// When to color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the files that a project's own configuration begins with; what is there is kept
    Init,
    /// Say how a request would be handled, by which rules, and why; nothing is started
    Assess(Assess),
    /// Run a plan or a workflow: its tasks side by side, verified, integrated
    Run(RunArgs),
    /// List runs, or say what runs, what waits and why in one of them
    Status(OptionalRun),
    /// Show everything about a run or a task: attempts, receipts, verdicts with evidence
    Show(RunTask),
    /// Print what an attempt printed
    Logs(Logs),
    /// Say what accounts permit, and what is used or reserved: today's, and a run's
    Budget(BudgetOf),
    /// Follow a run's events as they become durable, or what the agent of one task says and does; ends
    /// with the exit code of the run, or of the task
    Watch(Watch),
    /// Say why a run or a task is not further, and which command changes it
    Explain(OptionalRunTask),
    /// Print the report of a run: what was asked, done, verified, and what was not
    Report(Report),
    /// Say what a run shows to those who plan the next one, and propose lessons
    Feedback(OptionalRun),
    /// List lessons, show one, or decide on one
    Lessons(Lessons),
    /// Start nothing new in a run; what runs goes on
    Pause(OptionalRun),
    /// Go on with a run that is paused, interrupted or lost its engine
    Resume(Resume),
    /// Cancel a run, or one task of it
    Cancel(Cancel),
    /// Try a task again; its counts begin anew
    Retry(Retry),
    /// Take work that came late, of an attempt that was given up, as a new attempt's
    Adopt(Adopt),
    /// Give up what an attempt left that was given up, so that `gc` may remove it
    Discard(Discard),
    /// Say that a person's work on a task is done
    Submit(Submit),
    /// Consent: to a plan, an approval task, or what no rule can judge
    Approve(Approve),
    /// Refuse a plan that an agent made, an approval or a result, or give a task up
    Reject(Reject),
    /// Answer an agent's question
    Answer(Answer),
    /// List what agents ask leave for, and answer them
    Permissions(Permissions),
    /// Replace a task by smaller ones: those of a file, or its halves
    Split(Split),
    /// Show what a run, or one task of it, changed
    Diff(Diff),
    /// Show what bringing a run's result into your branch would do, and with consent do it
    Merge(Merge),
    /// Make a plan for a request by rule; also: lint, compare and edit plans
    Plan(Plan),
    /// Play a plan under a virtual clock, with its estimates
    Simulate(Simulate),
    /// Review the working tree, or what a branch changed, without a model
    Review(Review),
    /// Write the iterations of a workflow as folders that you may edit before running them
    Generate(Generate),
    /// Judge the files as they stand by the criteria of a folder or of a run
    Validate(Validate),
    /// List workflows, show one, or check one
    Workflow(Workflow),
    /// List the roles, or show one
    Roles(Roles),
    /// Show the settings in force, and where each comes from
    Config(Config),
    /// Print a JSON Schema of what Divisi reads or prints
    Schema(Schema),
    /// List the coding agents on this machine, or test one
    Agents(Agents),
    /// Look at what Divisi needs from this machine and this folder
    Doctor,
    /// List what can be cleaned up; with `--yes`, do it
    Gc(Gc),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Own agents' processes; started by Divisi itself
    #[command(hide = true)]
    Supervisor(Supervisor),
    /// Put artifacts together; started by Divisi itself
    #[command(hide = true)]
    Compose,
    /// Hold a conversation with a coding agent; started by Divisi itself
    #[command(hide = true)]
    Adapter(Adapter),
}

/// A run as people name it: `run-3`, or `3`.
fn run_id(text: &str) -> Result<RunId, String> {
    RunId::parse(text).ok_or_else(|| "a run is named `run-3`, or `3`".to_owned())
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// A run, or a task of it.
    Run(RunId),
    /// A task of whichever run has it.
    Task(String),
}

/// A run as people name it; what is none is a task.
fn watched(text: &str) -> Result<Watched, String> {
    Ok(run_id(text).map_or_else(|_| Watched::Task(text.to_owned()), Watched::Run))
}

/// A limit `role=4` or `agent=2`.
fn limit(text: &str) -> Result<(String, u32), String> {
    let form = || "a limit is written `NAME=N`, for example `command=4`".to_owned();
    let (name, many) = text.split_once('=').ok_or_else(form)?;
    let many: u32 = many.parse().map_err(|_| form())?;
    match (name.is_empty(), many) {
        (true, _) => Err(form()),
        (_, 0) => Err("a limit is at least 1".to_owned()),
        _ => Ok((name.to_owned(), many)),
    }
}

/// A time box in minutes, as milliseconds: at most a year.
fn timeout_ms(text: &str) -> Result<u64, String> {
    const MINUTES_MAX: f64 = 525_600.0;
    let minutes: f64 = text
        .parse()
        .map_err(|_| "it is a number of minutes, for example `30` or `0.5`".to_owned())?;
    // What is no number is in no range.
    if !(0.001..=MINUTES_MAX).contains(&minutes) {
        return Err(format!("it is from 0.001 to {MINUTES_MAX} minutes"));
    }
    Ok((minutes * 60_000.0) as u64)
}

/// A run, or the latest.
#[derive(Clone, Debug, Args)]
pub(crate) struct OptionalRun {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
}

/// `divisi budget`.
#[derive(Clone, Debug, Args)]
pub(crate) struct BudgetOf {
    /// The run, for example `run-3` or `3`; all that go on if left out, and the latest if none does
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
}

/// `divisi report`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Report {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// Print the plan as it is in force, with its progress, in the form of a plan file
    #[arg(long)]
    pub(crate) plan: bool,
    /// Put a run of one task and a split one side by side: two runs of one request on one commit
    #[arg(long, num_args = 2, value_names = ["RUN", "RUN"], value_parser = run_id,
        conflicts_with_all = ["run", "plan"])]
    pub(crate) compare: Vec<RunId>,
}

/// A run and perhaps a task of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunTask {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// A task of it, by its id in the plan
    pub(crate) task: Option<String>,
}

/// A run, or the latest, and perhaps a task of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct OptionalRunTask {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// A task of it, by its id in the plan
    pub(crate) task: Option<String>,
}

/// A task of a run.
#[derive(Clone, Debug, Args)]
pub(crate) struct OneTask {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// The task, by its id in the plan
    pub(crate) task: String,
}

/// What a commit of the journal survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// A loss of power: every step waits for the disk.
    Full,
    /// A crash of any process; a loss of power may take the last steps.
    Normal,
}

/// How agents are run. It is said once, and holds for the run whoever goes on with it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Running {
    /// How many attempts run side by side
    #[arg(short, long = "jobs", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(WORKERS_MAX)))]
    pub(crate) jobs: Option<u32>,
    /// A path outside the workspaces that agents may write to; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_write: Vec<PathBuf>,
    /// An environment variable that agents get beside the usual ones; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) pass_env: Vec<String>,
    /// Do not confine what agents write; the report says so
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) unconfined: Option<bool>,
    /// At most so much memory for each process of an agent, in MiB of address space
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(crate) memory: Option<u64>,
    /// At most so many seconds of CPU for each process of an agent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cpu_seconds: Option<u64>,
}

/// `divisi run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// What is wanted, in several words; or the plan file, a folder that `divisi generate` wrote, or a
    /// workflow: its name, or the path of its YAML file
    #[arg(value_name = "INTENT|PLAN|DIR|WORKFLOW")]
    pub(crate) plan: PathBuf,
    /// How an intent is planned.
    #[command(flatten)]
    pub(crate) planning: plan::Planning,
    /// What a workflow is given.
    #[command(flatten)]
    pub(crate) of_workflow: OfWorkflow,
    /// Whether anything is started.
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    /// How agents are run.
    #[command(flatten)]
    pub(crate) running: Running,
    /// The rules by which scripted agents do what they are handed
    #[arg(long, value_name = "FILE")]
    pub(crate) rehearsal: Option<String>,
    /// What a step of the journal survives, if this process is the one that keeps it
    #[arg(long, value_name = "HOW")]
    pub(crate) durability: Option<Durability>,
    /// Start without asking for approval of the plan
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Start a stage only when the one before is complete
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) barriers: Option<bool>,
    /// The revision that the work starts from, HEAD unless told; of a workflow with an input `base`,
    /// that input
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// Start from the working tree as it is, uncommitted changes included
    #[arg(long)]
    pub(crate) include_dirty: bool,
    /// The time box of an attempt whose task has none, in minutes; fractions are allowed
    #[arg(long = "timeout", value_name = "MIN", value_parser = timeout_ms)]
    pub(crate) timeout_ms: Option<u64>,
    /// What the run may use.
    #[command(flatten)]
    pub(crate) permitted: Permitted,
    /// At most so many attempts at once by a role or an agent; may be repeated
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    pub(crate) limits: Vec<(String, u32)>,
}

/// What a run may use; of `run`, and of `resume` to permit more.
#[derive(Clone, Debug, Args)]
pub(crate) struct Permitted {
    /// At most so much in all: `2M-tokens`, `$20`, `90min` of agents' time, `40-attempts`; may be
    /// repeated
    #[arg(long = "budget", value_name = "BOUND", value_parser = divisi_pack::budget::parse)]
    pub(crate) bounds: Vec<Bound>,
}

impl Permitted {
    /// The same as a budget.
    pub(crate) fn budget(&self) -> Budget {
        of_bounds(&self.bounds)
    }
}

/// Bounds as a budget; of several of one kind the last counts.
pub(crate) fn of_bounds(bounds: &[Bound]) -> Budget {
    bounds.iter().copied().fold(Budget::default(), Budget::with)
}

/// `divisi resume`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Resume {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// What the run may use from now on, all that it used included.
    #[command(flatten)]
    pub(crate) permitted: Permitted,
    /// The task of the run whose budget it is, by its id in the plan
    #[arg(long, value_name = "TASK", requires = "bounds")]
    pub(crate) task: Option<String>,
    /// What all runs of the project may use today (UTC), all that they used included; may be repeated
    #[arg(long = "day-budget", value_name = "BOUND", value_parser = divisi_pack::budget::parse)]
    pub(crate) day: Vec<Bound>,
    /// What a step of the journal survives, if this process is the one that keeps it
    #[arg(long, value_name = "HOW")]
    pub(crate) durability: Option<Durability>,
}

/// `divisi logs`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Logs {
    /// The task.
    #[command(flatten)]
    pub(crate) of: OneTask,
    /// Which attempt; the latest if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempt: Option<u32>,
    /// Go on as more is printed, until the attempt ends
    #[arg(short, long)]
    pub(crate) follow: bool,
}

/// `divisi watch`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Watch {
    /// The run, for example `run-3` or `3`; the latest if left out. Or a task, by its id, where only
    /// one run that has not ended has it
    #[arg(value_name = "RUN|TASK", value_parser = watched)]
    pub(crate) watched: Option<Watched>,
    /// A task of the run, by its id in the plan
    pub(crate) task: Option<String>,
    /// Begin with the run's first event, or the task's first attempt, not with the next event or the
    /// latest attempt; with `--json`, a run that has ended, or waits for people, always does
    #[arg(long)]
    pub(crate) from_start: bool,
}

/// `divisi diff`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Diff {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// Only what this task changed
    pub(crate) task: Option<String>,
    /// Only which files, and how much
    #[arg(long)]
    pub(crate) stat: bool,
}

/// `divisi merge`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Merge {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// Do it without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// As one commit
    #[arg(long)]
    pub(crate) squash: bool,
    /// Into this branch, made if it is not there, instead of the checked-out one
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Only what this task made
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<String>,
}

/// `divisi simulate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Simulate {
    /// The plan file
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// How many workers there are
    #[arg(short, long = "jobs", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) jobs: Option<u32>,
    /// Play it with barriers between stages
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) barriers: Option<bool>,
}

/// `divisi schema`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Schema {
    /// Of what
    pub(crate) of: SchemaOf,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Plan files.
    Plan,
    /// Plans that an agent is asked for, as it is told.
    Planned,
    /// Workflow files.
    Workflow,
    /// Role files.
    Role,
    /// Files of configuration.
    Config,
    /// Rules by which scripted agents do what they are handed.
    Rehearsal,
    /// The file in which an agent that reviews writes its verdicts.
    Verdict,
    /// Assessments, as `divisi assess --json` prints them.
    Assessment,
    /// Events, as `divisi watch --json` prints them.
    Events,
    /// Reviews, as `divisi review --json` prints them.
    Review,
    /// Validations, as `divisi validate --json` prints them.
    Validation,
    /// Feedback, as `divisi feedback --json` prints it.
    Feedback,
    /// Lessons, as `divisi lessons --json` prints them, all or one.
    Lessons,
    /// Reports, as `divisi report --json` prints them.
    Report,
    /// Two runs side by side, as `divisi report --compare RUN RUN --json` prints them.
    Comparison,
    /// Agents, as `divisi agents --json` prints them, and how a test of one went.
    Agents,
    /// Budgets, as `divisi budget --json` prints them.
    Budget,
    /// Requests of agents, as `divisi permissions --json` prints them.
    Permissions,
}

/// `divisi gc`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Gc {
    /// Do it
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `divisi completions`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    pub(crate) shell: clap_complete::Shell,
}

/// `divisi supervisor`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Supervisor {
    /// The `.divisi` folder
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// The socket to serve
    #[arg(long)]
    pub(crate) socket: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use divisi_core::ledger::{Account, Exhausted, Measure};
    use divisi_core::{TaskId, TaskNo};

    #[test]
    fn what_is_told_to_raise_a_budget_is_a_command_line() {
        let (run, task) = (RunId(1), TaskId::new("api").expect("it is an id"));
        let accounts = [
            (Account::Run(run), None),
            (Account::Task(run, TaskNo(2)), Some(task)),
            (Account::Day(1), None),
        ];
        for (account, task) in accounts {
            for measure in Measure::ALL {
                let exhausted = Exhausted {
                    account,
                    bound: Some(Bound::of(measure, 1)),
                    task: task.clone(),
                };
                let line = exhausted.commands(run).swap_remove(0).replace('N', "7");
                let cli = Cli::try_parse_from(line.split(' ')).expect("it is a command line");
                let Command::Resume(resume) = cli.command else {
                    panic!("{line} does not resume");
                };
                let of_day = of_bounds(&resume.day);
                let permitted = [resume.permitted.budget(), of_day];
                let raised = permitted.map(|budget| budget.of(measure).is_some());
                let is_days = matches!(account, Account::Day(_));
                assert_eq!(raised, [!is_days, is_days], "{line}");
                assert_eq!(resume.task.is_some(), task.is_some(), "{line}");
            }
        }
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn runs_and_limits_are_read_or_refused_with_their_form() {
        assert_eq!(run_id("run-3"), Ok(RunId(3)));
        assert_eq!(run_id("3"), Ok(RunId(3)));
        assert!(run_id("latest").is_err());
        assert_eq!(limit("command=4"), Ok(("command".to_owned(), 4)));
        for bad in ["command", "=4", "command=", "command=-1", "command=0"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_command_says_what_it_does() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
