//! The one definition of every setting.

use std::collections::BTreeMap;

use divisi_core::Criterion;
use divisi_core::ledger::Measure;
use divisi_core::permission::{DEADLINE_MS, Rule};
use divisi_core::preparation::Setup;
use divisi_core::run::{
    AGENT_AUTO, AGENTS_PREFERRED, Budget, Defined, DefinedModel, Price, Sizes, Telling,
};

use super::value::Field;
use super::{Consent, Kind, Section, Setting};
use crate::bundle::{MS_PER_POINT, TOKENS_PER_POINT, TOKENS_PER_POINT_MAX};
use crate::plan_file::TIMEOUT_MINUTES_MAX;
use crate::role::TARGETS_MAX;

/// The most attempts side by side.
const WORKERS_MAX: u64 = divisi_core::assign::WORKERS_MAX as u64;

/// The most of what is counted before a person is asked.
const COUNT_MAX: u64 = 1_000;

/// What is usual for an attempt.
const ATTEMPT: Budget = Budget {
    attempts: None,
    time_ms: None,
    tokens: Some(500_000),
    usd_micros: Some(2_000_000),
};

/// So many results of one run await a person's judgment: no more than the tasks that a request becomes.
const AWAITING_MAX: u32 = 10;

/// More files than anybody judges in one piece.
const FILES_MAX: u64 = 1_000;

/// More lines than any change has that somebody judges.
const LINES_MAX: u64 = 1_000_000;

/// More minutes than any work takes that is done in one piece: a week's.
const WORK_MINUTES_MAX: u64 = 7 * 24 * 60;

/// Deeper splits than these make more than a thousand pieces of one task.
const SPLIT_DEPTH_MAX: u64 = 10;

/// More than any handoff has.
const HANDOFF_TOKENS_MAX: u64 = 10_000_000;

/// The least time that is given in minutes: a thousandth.
const LEAST_MS: u64 = 60;

const fn integer(least: u64, most: u64) -> Kind {
    Kind::Integer { least, most }
}

const fn minutes(least_ms: u64, most: u64) -> Kind {
    Kind::Minutes { least_ms, most }
}

/// The parts of a file, in the order in which they are shown.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        key: "run",
        what: "`run`",
        says: "How a run proceeds.",
    },
    Section {
        key: "assessment",
        what: "`assessment`",
        says: "From when on a request is more than one task.",
    },
    Section {
        key: "planning",
        what: "`planning`",
        says: "How large tasks and plans may be.",
    },
    Section {
        key: "agents",
        what: "`agents`",
        says: "Which coding agents do the work.",
    },
    Section {
        key: "review",
        what: "`review`",
        says: "Who judges what no rule can.",
    },
    Section {
        key: "limits",
        what: "`limits`",
        says: "What is done when a model's server refuses a credential for now, and when nothing is \
               started.",
    },
    Section {
        key: "monitoring",
        what: "`monitoring`",
        says: "When an agent's silence is suspicious.",
    },
    Section {
        key: "budget",
        what: "`budget`",
        says: "What all runs of a day may use up, and what one attempt is expected to. What one run \
               may is said with `run.budget`.",
    },
    Section {
        key: "prices",
        what: "`prices`",
        says: "What a million tokens cost, in US dollars.",
    },
    Section {
        key: "handoff",
        what: "`handoff`",
        says: "How much agents are told at once.",
    },
    Section {
        key: "grants",
        what: "`grants`",
        says: "What agents' processes may do beyond the usual, and how they are bounded.",
    },
    Section {
        key: "permissions",
        what: "`permissions`",
        says: "What agents that ask may do without a person's answer.",
    },
    Section {
        key: "workspace",
        what: "`workspace`",
        says: "What workspaces need beside the files of the tree. Counts for plans that say nothing \
               of it themselves.",
    },
    Section {
        key: "checks",
        what: "`checks`",
        says: "Beside the plan's own criteria.",
    },
    Section {
        key: "allocation",
        what: "`allocation`",
        says: "The figures of workflows.",
    },
    Section {
        key: "journal",
        what: "`journal`",
        says: "How facts are kept.",
    },
    Section {
        key: "orchestrator",
        what: "`orchestrator`",
        says: "Who leads, in words: told where a workflow says nothing of it, never executed.",
    },
];

/// Field, key, type, default, kind, flag, consent and words of each setting: a macro, since a
/// struct's fields and a table cannot be made from one list otherwise.
macro_rules! settings {
    ($($field:ident $key:literal: $type:ty = $default:expr, $kind:expr, $flag:expr, $consent:ident,
       $says:literal;)*) => {
        /// All settings, typed.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Config {
            $(#[doc = $says] pub $field: $type,)*
        }

        impl Default for Config {
            fn default() -> Config {
                Config { $($field: $default,)* }
            }
        }

        /// All settings, section by section.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            kind: $kind,
            flag: $flag,
            consent: Consent::$consent,
            says: $says,
            put: |config, name, value| config.$field.put(name, value),
            get: |config| config.$field.held(),
        },)*];
    };
}

settings! {
    workers "run.workers": u32 = 4, integer(1, WORKERS_MAX), Some("--jobs"), Unneeded,
        "How many attempts run side by side.";
    timeout_ms "run.timeout_minutes": u64 = 30 * 60_000, minutes(LEAST_MS, TIMEOUT_MINUTES_MAX),
        Some("--timeout"), Unneeded,
        "The time box of an attempt whose task has none, in minutes.";
    barriers "run.barriers": bool = false, Kind::Flag, Some("--barriers"), Unneeded,
        "Whether a stage starts only when the one before is complete.";
    agent "run.agent": String = "person".to_owned(), Kind::Agent, Some("--agent"), Needed,
        "The agent of tasks that name none and have nothing to execute.";
    agents "run.agents": BTreeMap<String, String> = BTreeMap::new(), Kind::Agents,
        Some("--agent"), Needed,
        "The same by role, by id or alias.";
    rehearsal "run.rehearsal": Option<String> = None, Kind::Text, Some("--rehearsal"), Needed,
        "The file of rules by which `scripted` agents do what they are handed; whatever is promised \
         is made unless told. Beneath the project's folder.";
    limits "run.limits": BTreeMap<String, u32> = BTreeMap::new(),
        Kind::Counts { most: WORKERS_MAX }, Some("--limit"), Unneeded,
        "At most so many attempts at once by a role or an agent.";
    failures_max "run.failures_max": u32 = 3, integer(1, COUNT_MAX), None, Unneeded,
        "After so many failures of a task's agents a person is asked, unless the task has `retries` \
         of its own.";
    reassign_after "run.reassign_after": u32 = 2, integer(1, COUNT_MAX), None, Unneeded,
        "After so many failures another agent takes over, if the task names one.";
    split_after "run.split_after": u32 = 3, integer(0, COUNT_MAX), None, Unneeded,
        "After so many failures a task that an agent does becomes smaller ones, where its criteria \
         can be divided; at the latest where a person would be asked. 0 for never; work that outgrows \
         its task is not planned anew then either.";
    split_depth_max "run.split_depth_max": u32 = Sizes::USUAL.split_depth_max,
        integer(1, SPLIT_DEPTH_MAX), None, Unneeded,
        "Smaller tasks in the place of one, and others in theirs, nest at most so deep.";
    split_ms_min "run.split_minutes_min": u64 = Sizes::USUAL.split_ms_min,
        minutes(LEAST_MS, WORK_MINUTES_MAX), None, Unneeded,
        "What takes less than this is done whole, in minutes: a request that says so is one task, and \
         a task that fails is not split.";
    losses_max "run.losses_max": u32 = 5, integer(1, COUNT_MAX), None, Unneeded,
        "After so many lost attempts at a task a person is asked.";
    conflicts_max "run.conflicts_max": u32 = 5, integer(1, COUNT_MAX), None, Unneeded,
        "After so many conflicts with what others made a person is asked.";
    loss_delay_ms "run.loss_delay_seconds": u64 = 1_000, Kind::Seconds { most: 86_400 }, None,
        Unneeded,
        "How long a lost task waits for its next attempt, in seconds; doubled each time.";
    used_up_max "run.used_up_max": u32 = 3, integer(1, COUNT_MAX), None, Unneeded,
        "After so many attempts at a task that used up what was reserved for them a person is \
         asked.";
    budget "run.budget": Budget = Budget::default(), Kind::Budget(&Measure::ALL),
        Some("--budget"), Needed,
        "What a run may use up in all.";
    batch_max "run.batch_max": u32 = 8, integer(1, COUNT_MAX), None, Unneeded,
        "How many verified attempts are integrated at once at the most.";
    files_max "assessment.files_max": u64 = Sizes::USUAL.files_max, integer(1, FILES_MAX), None,
        Unneeded,
        "A request that means more files than this is planned.";
    simple_ms_max "assessment.minutes_max": u64 = Sizes::USUAL.ms_max,
        minutes(LEAST_MS, WORK_MINUTES_MAX), None, Unneeded,
        "One that states more work than this is planned, in minutes.";
    simple_tokens_max "assessment.tokens_max": u64 = Sizes::USUAL.tokens_max,
        integer(1, TOKENS_PER_POINT_MAX), None, Unneeded,
        "One that states more tokens than this is planned.";
    lines_advised "assessment.lines_advised": u64 = Sizes::USUAL.lines_advised,
        integer(1, LINES_MAX), None, Unneeded,
        "One that states so many lines of change or more is planned, unless something firmer says \
         that it is one task.";
    split_lines_min "assessment.split_lines_min": u64 = Sizes::USUAL.split_lines_min,
        integer(1, LINES_MAX), None, Unneeded,
        "One that states fewer lines of change than this is one task.";
    task_advised_ms "planning.task_minutes_advised": u64 = Sizes::USUAL.task_advised_ms,
        minutes(LEAST_MS, WORK_MINUTES_MAX), None, Unneeded,
        "A task that is expected to take longer is warned of, in minutes.";
    task_ms_max "planning.task_minutes_max": u64 = Sizes::USUAL.task_ms_max,
        minutes(LEAST_MS, WORK_MINUTES_MAX), None, Unneeded,
        "A task that is expected to take longer is a fault of its plan, in minutes.";
    task_tokens_max "planning.task_tokens_max": u64 = Sizes::USUAL.task_tokens_max,
        integer(1, TOKENS_PER_POINT_MAX), None, Unneeded,
        "A task that is expected to take more tokens is a fault of its plan.";
    task_files_max "planning.task_files_max": u64 = Sizes::USUAL.task_files_max,
        integer(1, FILES_MAX), None, Unneeded,
        "A task that changes more files is a fault of its plan.";
    tasks_min "planning.tasks_min": u64 = Sizes::USUAL.tasks_min, integer(1, COUNT_MAX), None,
        Unneeded,
        "A plan of fewer tasks, but more than one, is warned of.";
    tasks_max "planning.tasks_max": u64 = Sizes::USUAL.tasks_max, integer(1, COUNT_MAX), None,
        Unneeded,
        "A plan of more tasks for agents is warned of.";
    stages_max "planning.stages_max": u64 = Sizes::USUAL.stages_max, integer(1, COUNT_MAX), None,
        Unneeded,
        "A plan of more stages, one after the other, is warned of where a person wrote it, and a fault \
         of one that rules or an agent made.";
    prefer "agents.prefer": Vec<String> = AGENTS_PREFERRED.map(str::to_owned).to_vec(), Kind::Preferred,
        None, Needed,
        "Which agent `auto` stands for: the first of these that is installed when a run is created, \
         or defined here. A person is always there.";
    prefer_by_role "agents.prefer_by_role": BTreeMap<String, Vec<String>> = BTreeMap::new(),
        Kind::PreferredByRole, None, Needed,
        "The same by role, by id or alias, for tasks of that role.";
    model "agents.model": Option<DefinedModel> = None, Kind::Model, None, Needed,
        "The agent `model`: a model that Divisi itself asks over its API. `key` is the name of the \
         variable that holds the key, unless it is the provider's usual one.";
    custom "agents.custom": BTreeMap<String, Defined> = BTreeMap::new(), Kind::Defined, None, Needed,
        "More agents, which tasks name as `custom.NAME`: a `model` as above, or a `command` that \
         `speaks` ACP or plain text.";
    reviewers "review.agents": Vec<String> = vec![AGENT_AUTO.to_owned()], Kind::Judges, None, Needed,
        "Agents that judge criteria in words that no rule understands, those of the whole included: \
         the first of these that is there and did not do the work, else one that did. `auto` is \
         those of `agents.prefer`, where agents do work of the run. With none, a person does.";
    awaiting_max "review.awaiting_max": u32 = AWAITING_MAX, integer(0, COUNT_MAX), None, Unneeded,
        "How many results of a run there may be at once that a person must judge, those under way \
         included: while there are so many, no more such work is begun. 0 for any number.";
    limit_wait_max_ms "limits.wait_max_minutes": u64 = 24 * 60 * 60_000, minutes(0, 31 * 24 * 60), None,
        Unneeded,
        "How long the end of a usage limit is waited for at the most, in minutes.";
    limit_then "limits.then": String = "pause".to_owned(),
        Kind::Word(&["pause", "escalate", "other_credential", "other_agent"]), None, Needed,
        "What is done where it lasts longer: `pause` the run, `escalate` (a person decides about the \
         task that met it, and the run does what else there is), use the agent's \
         `other_credential`, or have `other_agent` do the work, whom `agents` names. Where none of \
         these may be used either, the run is paused.";
    limit_agents "limits.agents": BTreeMap<String, String> = BTreeMap::new(), Kind::Substitutes, None,
        Needed,
        "Which agent does the work of one that is limited, with `then: other_agent`.";
    limit_delay_ms "limits.delay_seconds": u64 = 60_000, Kind::Seconds { most: 86_400 }, None,
        Unneeded,
        "How long a credential that met a usage limit is not used where nobody says, in seconds; \
         doubled each time in a row.";
    limits_max "limits.times_max": u32 = 20, integer(1, COUNT_MAX), None, Unneeded,
        "After so many usage limits met by a task's agents a person is asked.";
    quiet_hours "limits.quiet_hours": Option<String> = None, Kind::Hours, None, Unneeded,
        "Hours of the day in which nothing is started, such as `22:00-07:00`, in the local time of \
         the machine that works. What works goes on.";
    progress_ms "monitoring.progress_minutes": BTreeMap<String, u64> = BTreeMap::new(),
        Kind::MinutesByAgent { least_ms: LEAST_MS, most: TIMEOUT_MINUTES_MAX }, None, Unneeded,
        "How long an attempt may go without progress before it is suspected, by agent, in minutes. \
         Of a coding agent, only what its model says or does is progress, and its tools' work.";
    day "budget.day": Budget = Budget::default(), Kind::Budget(&Measure::ALL), None, Needed,
        "What all runs of the project together may use up in a day (UTC). Counted from the first \
         attempt of a day on which it is set.";
    attempt "budget.attempt": Budget = ATTEMPT,
        Kind::Budget(&[Measure::Tokens, Measure::UsdMicros]), None, Unneeded,
        "What is reserved for an attempt whose task has neither a budget nor a larger estimate of \
         its own, where tokens or money are bounded; twice as much after each attempt that it was \
         too little for.";
    prices "prices": BTreeMap<String, Price> = BTreeMap::new(), Kind::Prices, None, Needed,
        "Of a model, or of all that an agent asks, where its tool names no price itself. Without \
         `cached`, what is read from a cache costs as much as any other input.";
    handoff_tokens "handoff.tokens": u64 = Telling::TOKENS_MAX,
        integer(1, HANDOFF_TOKENS_MAX), None, Unneeded,
        "At most so many tokens, as Divisi estimates them, in what an agent is told that asks a \
         model.";
    handoff_agents "handoff.agents": BTreeMap<String, u64> = BTreeMap::new(),
        Kind::Counts { most: HANDOFF_TOKENS_MAX }, None, Unneeded,
        "The same by agent; also for those that ask no model.";
    allow_write "grants.allow_write": Vec<String> = Vec::new(), Kind::Paths,
        Some("--allow-write"), Needed,
        "Paths outside the workspaces that agents may write to. Relative ones are beneath the \
         project's folder.";
    pass_env "grants.pass_env": Vec<String> = Vec::new(), Kind::Variables, Some("--pass-env"),
        Needed,
        "Variables of the environment that agents get beside the usual ones.";
    unconfined "grants.unconfined": bool = false, Kind::Flag, Some("--unconfined"), Needed,
        "Whether agents may write anywhere; the report says so.";
    memory_mib "grants.memory_mib": Option<u64> = None, integer(1, 1 << 30), Some("--memory"),
        Needed,
        "At most so much memory for each process of an agent, in MiB of address space.";
    cpu_seconds "grants.cpu_seconds": Option<u64> = None, integer(1, u64::MAX >> 1),
        Some("--cpu-seconds"), Needed,
        "At most so many seconds of CPU for each process of an agent.";
    permission_rules "permissions.rules": Vec<Rule> = Vec::new(), Kind::Rules, None, Needed,
        "By `role`, `deed` (`read`, `edit`, `delete`, `execute`, `fetch`, `other`), `path` and \
         `command`: `then` is `allow`, `ask` or `deny`.";
    permission_deadline_ms "permissions.deadline_seconds": u64 = DEADLINE_MS,
        Kind::Seconds { most: 86_400 }, None, Unneeded,
        "How long a person is waited for, in seconds; then it is denied.";
    copy "workspace.copy": Vec<String> = Vec::new(), Kind::Patterns, None, Needed,
        "Patterns of files and folders that git does not track, copied from your own folder.";
    setup "workspace.setup": Vec<Setup> = Vec::new(), Kind::Setups, None, Needed,
        "Programs that are run after that: a script for `/bin/sh -eu`, or a list of program and \
         arguments.";
    setup_inputs "workspace.inputs": Option<Vec<String>> = None, Kind::Patterns, None, Unneeded,
        "Patterns of the tracked files that `setup` reads; any file of the tree unless told.";
    setup_timeout_ms "workspace.timeout_minutes": Option<u64> = None,
        minutes(LEAST_MS, TIMEOUT_MINUTES_MAX), None, Unneeded,
        "How long each program of `setup` may take, in minutes.";
    checks "checks": Vec<Criterion> = Vec::new(), Kind::Checks, None, Needed,
        "Criteria of every run, checked on the integrated whole after those of its plan.";
    tokens_per_point "allocation.tokens_per_point": u64 = TOKENS_PER_POINT,
        integer(1, TOKENS_PER_POINT_MAX), None, Unneeded,
        "How many tokens a point takes, until this project's history says.";
    ms_per_point "allocation.minutes_per_point": u64 = MS_PER_POINT,
        minutes(LEAST_MS, TIMEOUT_MINUTES_MAX), None, Unneeded,
        "How long a point takes, in minutes.";
    complexity_threshold "allocation.complexity_threshold": Option<u32> = None,
        integer(1, TARGETS_MAX), None, Unneeded,
        "How many targets one agent is given at most, where its role does not say.";
    durability "journal.durability": String = "full".to_owned(),
        Kind::Word(&["full", "normal"]), Some("--durability"), Unneeded,
        "What a step of the journal survives: `full` a loss of power, `normal` a crash of any \
         process.";
    lead_role "orchestrator.role": Option<String> = None, Kind::Text, None, Unneeded,
        "Its name.";
    lead_perspective "orchestrator.perspective": Option<String> = None, Kind::Text, None, Unneeded,
        "Its point of view.";
    lead_capabilities "orchestrator.capabilities": Vec<String> = Vec::new(), Kind::Texts, None,
        Unneeded,
        "What it is good at.";
    lead_decisions "orchestrator.decision_framework": Vec<String> = Vec::new(), Kind::Texts, None,
        Unneeded,
        "How it decides.";
}

impl Config {
    /// What counts as large, and what as small.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        Sizes {
            files_max: self.files_max,
            ms_max: self.simple_ms_max,
            tokens_max: self.simple_tokens_max,
            lines_advised: self.lines_advised,
            split_lines_min: self.split_lines_min,
            split_ms_min: self.split_ms_min,
            split_depth_max: self.split_depth_max,
            task_advised_ms: self.task_advised_ms,
            task_ms_max: self.task_ms_max,
            task_tokens_max: self.task_tokens_max,
            task_files_max: self.task_files_max,
            tasks_min: self.tasks_min,
            tasks_max: self.tasks_max,
            stages_max: self.stages_max,
        }
    }
}
