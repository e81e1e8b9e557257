//! The command line of planning: a plan for a request, and what is done with plans before they run.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `divisi plan`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Plan {
    /// What is asked for, in your words; `-` reads it from standard input
    #[arg(value_name = "REQUEST", num_args = 1..)]
    pub(crate) request: Vec<String>,
    /// How the plan is made and kept.
    #[command(flatten)]
    pub(crate) making: Making,
    /// What else is done with a plan.
    #[command(subcommand)]
    pub(crate) command: Option<PlanCommand>,
}

/// How a plan is made and kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct Making {
    /// Write the plan file here; nothing that is there is written over
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Do not split: the whole request is one task
    #[arg(long)]
    pub(crate) one: bool,
}

/// How the intent of a run is planned.
#[derive(Clone, Debug, Args)]
pub(crate) struct Planning {
    /// Do not split an intent: all of it is one task
    #[arg(long, conflicts_with = "planner")]
    pub(crate) one: bool,
    /// Who plans an intent; unless told, rules do where they can, and otherwise an agent that is there
    #[arg(long, value_name = "WHO")]
    pub(crate) planner: Option<Planner>,
}

/// Who plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Planner {
    /// Rules, even where a plan may not pay.
    Rule,
    /// An agent, as the run's first task.
    Agent,
}

/// What is done with plans.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Say what is wrong with a plan before anything is spent on it
    Lint(Lint),
    /// Say what differs between two plans, task by task and field by field
    Diff(Diff),
    /// Open a plan in your editor, and take it only if it has no fault
    Edit(Edit),
}

/// `divisi plan lint`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lint {
    /// A plan file, a folder that `divisi generate` wrote, or a run such as `run-3`
    #[arg(value_name = "FILE|RUN")]
    pub(crate) plan: PathBuf,
    /// The request that the plan is to answer: whether it does all of it, and nothing it excludes
    #[arg(long, value_name = "TEXT")]
    pub(crate) request: Option<String>,
}

/// `divisi plan diff`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Diff {
    /// A plan file, a run such as `run-3`, or one of its revisions such as `run-3@2`; a run alone is
    /// compared with its plan before the last revision, a revision alone with the plan in force
    #[arg(value_name = "FILE|RUN")]
    pub(crate) before: PathBuf,
    /// The one that it is compared with
    #[arg(value_name = "FILE|RUN")]
    pub(crate) after: Option<PathBuf>,
}

/// `divisi plan edit`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Edit {
    /// A plan file, or a run such as `run-3`, whose plan is replaced as long as nobody approved it
    #[arg(value_name = "FILE|RUN")]
    pub(crate) plan: PathBuf,
    /// Write the edited plan here instead; nothing that is there is written over
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Take the edited plan from this file, without an editor: such as one that was kept since it had
    /// a fault
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The request that the plan is to answer
    #[arg(long, value_name = "TEXT")]
    pub(crate) request: Option<String>,
}
