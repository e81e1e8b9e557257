//! What a run is at one moment. Only [`super::apply`] changes it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::links::{Join, Links};
use super::owed::Effect;
use super::settings::Settings;
use super::transition::StateName;
use crate::criterion::Verdict;
use crate::ids::{AttemptId, Commit, Epoch, RunId, TaskId, TaskNo, Time, Tree};
use crate::ledger::Amount;
use crate::plan::{Plan, TaskKind, TaskSpec, Work};
use crate::receipt::{Receipt, Snapshot};
use crate::run::event::PauseReason;

/// What a run stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The commit in the private repository; `None` where no task needs files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// For people: the branch and revision, or the folder.
    pub described: String,
    /// Uncommitted paths of the user's checkout, at most a hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncommitted: Vec<String>,
    /// Whether those were included.
    #[serde(default)]
    pub included: bool,
}

/// Where a live attempt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A worker has the right to it.
    Leased,
    /// Its agent is known to have begun, with facts worth recording.
    Working,
    /// Its agent ended and claims to be done.
    Submitted,
    /// What it made is durable; checks are owed.
    Collected,
    /// Checks passed, but plain words are left that a person must judge.
    Held {
        /// All verdicts so far.
        verdicts: Vec<Verdict>,
    },
    /// The checks passed; it waits to be integrated.
    Verified,
    /// Its commit on the run's branch is made; the branch is to be moved.
    Prepared {
        /// That commit.
        commit: Commit,
        /// Its tree, as far as it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<Tree>,
    },
}

/// Why an attempt's processes are ended before they end by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It made no progress.
    Stalled(String),
    /// It is past its time box.
    Overdue,
    /// It is past the milliseconds that its budget left for it; it costs the task nothing.
    OverBudget(u64),
    /// Its owner canceled the task or the run.
    Canceled,
    /// The run was interrupted; it costs the task nothing.
    Interrupted,
}

/// A live attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Who does it.
    pub agent: String,
    /// The engine's life in which the lease was made or adopted.
    pub epoch: Epoch,
    /// When it was leased.
    pub leased_at: Time,
    /// Which of the task's workspaces it works in, from 1.
    pub workspace: u32,
    /// Its time box in milliseconds, where its budget left less than the task's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Where it stands.
    pub phase: Phase,
    /// The commit its workspace was made from, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Commit>,
    /// Criteria that already passed before the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_before: Vec<u16>,
    /// Whether its process's writes are confined; `None` until known, or without a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<bool>,
    /// What was to be copied into its workspace and was not, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Why it is being ended, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping: Option<StopReason>,
    /// Evidence that something is wrong with it, if it is suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected: Option<String>,
    /// Evidence of the steps it has completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

impl Attempt {
    /// The snapshot it was collected as.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        snapshot_of(&self.receipts)
    }

    /// Whether it is for a person, or something outside, to say that its work is there.
    #[must_use]
    pub fn awaits_submission(&self) -> bool {
        matches!(self.agent.as_str(), AGENT_PERSON | AGENT_EXTERNAL)
            && matches!(self.phase, Phase::Leased | Phase::Working)
    }
}

pub(super) fn snapshot_of(receipts: &[Receipt]) -> Option<&Snapshot> {
    receipts.iter().find_map(|receipt| match receipt {
        Receipt::Collected { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    })
}

/// What went wrong with an attempt, as the policy and the next handoff need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Checks refused what it made.
    Checks(Vec<Verdict>),
    /// What it made could not be collected: a promised file is a link, too large, outside.
    Collection(String),
    /// It contradicts work that was integrated meanwhile, in these paths.
    Conflict(Vec<String>),
    /// It passed alone, but not together with what was integrated.
    Integration(Vec<Verdict>),
    /// It could not be started.
    Start {
        /// Why.
        cause: String,
        /// Trying again exactly so will fail again.
        permanent: bool,
    },
    /// A person refused it.
    Person(String),
    /// What it planned cannot be run: every fault with its place.
    Plan(Vec<String>),
    /// Nothing was composed: an input or the template is not what it must be.
    Composition(String),
    /// Its workspace could not be prepared.
    Preparation(String),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// Its work is part of the run's result.
    Integrated,
    /// What it planned is part of the run's plan.
    Expanded,
    /// Its work was refused.
    Refused(Failure),
    /// It could not be done at all.
    Errored(Failure),
    /// Nobody holds it any more.
    Lost(String),
    /// It was ended.
    Stopped(StopReason),
    /// It asked its owner something and ended.
    Asked(String),
    /// It met a usage limit.
    Limited {
        /// Which.
        cause: String,
        /// How long it said to wait.
        wait_ms: Option<u64>,
    },
}

impl AttemptEnd {
    /// Whether it counts as a failure of the agent's own (T7).
    #[must_use]
    pub fn is_own_failure(&self) -> bool {
        match self {
            AttemptEnd::Refused(Failure::Conflict(_))
            | AttemptEnd::Errored(Failure::Preparation(_)) => false,
            AttemptEnd::Refused(_) | AttemptEnd::Errored(_) => true,
            AttemptEnd::Stopped(StopReason::Stalled(_) | StopReason::Overdue) => true,
            AttemptEnd::Integrated
            | AttemptEnd::Expanded
            | AttemptEnd::Lost(_)
            | AttemptEnd::Stopped(
                StopReason::OverBudget(_) | StopReason::Canceled | StopReason::Interrupted,
            )
            | AttemptEnd::Asked(_)
            | AttemptEnd::Limited { .. } => false,
        }
    }
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Its number.
    pub number: u32,
    /// Who did it.
    pub agent: String,
    /// When it was leased.
    pub leased_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// The workspace it had.
    pub workspace: u32,
    /// Whether a next attempt may go on in it: no writer is left, and its base still serves.
    pub workspace_kept: bool,
    /// How it ended.
    pub end: AttemptEnd,
    /// The commit its workspace was made from, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Commit>,
    /// Whether its process's writes were confined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<bool>,
    /// What was to be copied into its workspace and was not, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Evidence of the steps it completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    /// It came back after it was given up, and its work is to be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    /// Work that it finished after it was given up: kept, and offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Snapshot>,
}

/// What a task's owner told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question that it answers; `None` for what was told unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What was said.
    pub text: String,
}

impl Answer {
    pub(super) fn unasked(text: &str) -> Answer {
        Answer {
            question: None,
            text: text.to_owned(),
        }
    }
}

/// A task's state; data lives in the variant that needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Something it depends on is not done.
    Waiting,
    /// It may be leased, not before this time.
    Ready {
        /// Zero unless a remedy asked for a delay.
        not_before: Time,
    },
    /// An attempt is live.
    Active(Box<Attempt>),
    /// A person's consent is awaited; only of approvals.
    Approval,
    /// Its agent asked something.
    Question(String),
    /// Policy has no remedy left; a person decides.
    Escalated(String),
    /// Integrated.
    Done,
    /// Given up.
    Failed(String),
    /// Canceled by its owner.
    Canceled,
    /// It can never start, because of the named task.
    Skipped(TaskNo),
    /// Replaced by other tasks; its dependents wait for the join over them.
    Split(Vec<TaskNo>),
}

/// A task's status as everyone sees it: the words of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Something it depends on is not done.
    Waiting,
    /// It may be leased.
    Ready,
    /// Its agent works.
    Running,
    /// What was made is collected and checked.
    Verifying,
    /// It is on its way into the run's result.
    Integrating,
    /// A person is needed.
    Blocked,
    /// Integrated.
    Done,
    /// Given up.
    Failed,
    /// Canceled.
    Canceled,
    /// It can never start.
    Skipped,
    /// Replaced by other tasks.
    Split,
}

impl TaskStatus {
    /// All of them, in the order of a task's life.
    pub const ALL: [TaskStatus; 11] = [
        TaskStatus::Waiting,
        TaskStatus::Ready,
        TaskStatus::Running,
        TaskStatus::Verifying,
        TaskStatus::Integrating,
        TaskStatus::Blocked,
        TaskStatus::Done,
        TaskStatus::Failed,
        TaskStatus::Canceled,
        TaskStatus::Skipped,
        TaskStatus::Split,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TaskStatus::Waiting => "waiting",
            TaskStatus::Ready => "ready",
            TaskStatus::Running => "running",
            TaskStatus::Verifying => "verifying",
            TaskStatus::Integrating => "integrating",
            TaskStatus::Blocked => "blocked",
            TaskStatus::Done => "done",
            TaskStatus::Failed => "failed",
            TaskStatus::Canceled => "canceled",
            TaskStatus::Skipped => "skipped",
            TaskStatus::Split => "split",
        }
    }

    /// Whether nothing more happens to it by itself or by an agent.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            TaskStatus::Done
                | TaskStatus::Failed
                | TaskStatus::Canceled
                | TaskStatus::Skipped
                | TaskStatus::Split
        )
    }
}

impl TaskStatus {
    /// Whether what waits for it can never start, unless a person has it tried again.
    pub(super) fn is_hopeless(self) -> bool {
        matches!(
            self,
            TaskStatus::Failed | TaskStatus::Canceled | TaskStatus::Skipped
        )
    }
}

impl std::fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// As the plan has it.
    pub spec: Arc<TaskSpec>,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts that are over, oldest first.
    pub endings: Vec<Ending>,
    /// Failures of the agents' own since a person last intervened.
    pub failures: u32,
    /// Losses since a person last intervened.
    pub losses: u32,
    /// Usage limits met since a person last intervened.
    pub limits: u32,
    /// Conflicts since a person last intervened.
    pub conflicts: u32,
    /// The agent it was reassigned to.
    pub reassigned: Option<String>,
    /// What its owner answered or told it, oldest first.
    pub answers: Vec<Answer>,
    /// How deep in splits it stands: 0 in the plan as it was accepted.
    pub depth: u32,
    /// How many plan tasks stand above it, each planned by the one before.
    pub nesting: u32,
    /// What its handoff shares with those of the tasks that were planned with it.
    pub stage_context: Option<Arc<str>>,
    /// Milliseconds of the longest path from its start to the run's end. Derived.
    pub rank_ms: u64,
    pub(super) links: Links,
    pub(super) unmet: u32,
    pub(crate) class: u32,
}

impl Task {
    /// The live attempt, if one is.
    #[must_use]
    pub fn live(&self) -> Option<&Attempt> {
        match &self.state {
            TaskState::Active(attempt) => Some(attempt),
            _ => None,
        }
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Attempt> {
        match &mut self.state {
            TaskState::Active(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// The ending of an attempt, by its number.
    #[must_use]
    pub fn ending(&self, number: u32) -> Option<&Ending> {
        self.endings.iter().find(|ending| ending.number == number)
    }

    /// Receipts of all attempts, oldest first.
    pub fn receipts(&self) -> impl DoubleEndedIterator<Item = &Receipt> {
        let ended = self.endings.iter().flat_map(|ending| &ending.receipts);
        ended.chain(self.live().into_iter().flat_map(|live| &live.receipts))
    }

    /// Milliseconds that agents worked on it, over all attempts. The time that something waited for
    /// a person is nobody's work.
    #[must_use]
    pub fn agent_ms(&self) -> u64 {
        let ended = self.endings.iter();
        let ended = ended.map(|ending| (&ending.agent, &ending.receipts));
        let live = self.live().map(|live| (&live.agent, &live.receipts));
        let all = ended.chain(live).filter(|(agent, _)| holds_slot(agent));
        let worked = all.flat_map(|(_, receipts)| receipts).map(Receipt::wall_ms);
        worked.fold(0, u64::saturating_add)
    }

    /// Attempts so far, the live one included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let ended = self.endings.last().map_or(0, |ending| ending.number);
        self.live().map_or(ended, |live| live.number)
    }

    /// Its state's name in the transition table.
    #[must_use]
    pub fn state_name(&self) -> StateName {
        match &self.state {
            TaskState::Waiting => StateName::Waiting,
            TaskState::Ready { .. } => StateName::Ready,
            TaskState::Active(attempt) => match attempt.phase {
                Phase::Leased => StateName::Leased,
                Phase::Working => StateName::Working,
                Phase::Submitted => StateName::Submitted,
                Phase::Collected => StateName::Collected,
                Phase::Held { .. } => StateName::Held,
                Phase::Verified => StateName::Verified,
                Phase::Prepared { .. } => StateName::Prepared,
            },
            TaskState::Approval => StateName::Approval,
            TaskState::Question(_) => StateName::Question,
            TaskState::Escalated(_) => StateName::Escalated,
            TaskState::Done => StateName::Done,
            TaskState::Failed(_) => StateName::Failed,
            TaskState::Canceled => StateName::Canceled,
            TaskState::Skipped(_) => StateName::Skipped,
            TaskState::Split(_) => StateName::Split,
        }
    }

    /// Its status in the words everyone sees.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        self.state_name().status()
    }

    /// How long an attempt may take, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self, settings: &Settings) -> u64 {
        self.spec.timeout_ms.unwrap_or(settings.timeout_ms)
    }

    /// What its next attempt takes of a budget: its time box, if an agent works on it. People, and
    /// inputs from outside, take no agents' time.
    #[must_use]
    pub fn amount(&self, settings: &Settings) -> Amount {
        let time_ms = match holds_slot(self.agent(settings)) {
            true => self.timeout_ms(settings),
            false => 0,
        };
        Amount {
            attempts: 1,
            time_ms,
        }
    }

    /// How long the live attempt may take, in milliseconds: less where its budget left less.
    #[must_use]
    pub fn live_timeout_ms(&self, settings: &Settings) -> u64 {
        let shortened = self.live().and_then(|live| live.timeout_ms);
        shortened.unwrap_or_else(|| self.timeout_ms(settings))
    }

    /// Who does it next.
    #[must_use]
    pub fn agent<'a>(&'a self, settings: &'a Settings) -> &'a str {
        match &self.reassigned {
            Some(agent) => agent,
            None => agent_of(&self.spec, settings),
        }
    }
}

/// Who does a task first: the agent that the plan names, or the one that its work calls for.
#[must_use]
pub fn agent_of<'a>(spec: &'a TaskSpec, settings: &'a Settings) -> &'a str {
    match (&spec.agent, &spec.work, spec.kind) {
        (Some(agent), _, _) => agent,
        (None, _, TaskKind::External) => AGENT_EXTERNAL,
        (None, Work::Command(_) | Work::Script(_), _) => AGENT_COMMAND,
        (None, Work::Template(_) | Work::Nothing, _) => AGENT_COMPOSE,
        (None, Work::Expand(_), _) => AGENT_EXPAND,
        (None, Work::Handoff, _) => {
            let of_role = spec.role().and_then(|role| settings.agents.get(&role));
            of_role.unwrap_or(&settings.agent_default)
        }
    }
}

/// Runs a command or a script.
pub const AGENT_COMMAND: &str = "command";
/// A person, who answers with `submit`.
pub const AGENT_PERSON: &str = "person";
/// Nobody: a script of results is played, for trials and tests.
pub const AGENT_SCRIPTED: &str = "scripted";
/// The agents that a plan can name.
pub const AGENTS: [&str; 3] = [AGENT_COMMAND, AGENT_PERSON, AGENT_SCRIPTED];
/// Divisi itself, filling a template or integrating inputs.
pub const AGENT_COMPOSE: &str = "compose";
/// Divisi itself, making tasks by rule.
pub const AGENT_EXPAND: &str = "expand";
/// Something outside brings files that are already made.
pub const AGENT_EXTERNAL: &str = "external";

/// Whether an attempt by this agent takes up a worker's slot. People and external inputs do not.
#[must_use]
pub fn holds_slot(agent: &str) -> bool {
    !matches!(agent, AGENT_PERSON | AGENT_EXTERNAL)
}

/// How the verified attempts become one result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// The run's branch; `None` where no task has files.
    pub head: Option<Commit>,
    /// Verified attempts, in the order in which they will be integrated.
    pub queue: VecDeque<AttemptId>,
    /// Prepared attempts whose commits the branch is about to take, in order.
    pub prepared: Vec<AttemptId>,
    /// How many are tried together next. Halved when a batch fails, restored when one holds.
    pub batch: u32,
}

/// The checks on the integrated whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Final {
    /// Not reached, or under way.
    #[default]
    Open,
    /// A person must decide: something failed, or only a person can judge it. The verdicts name
    /// the plan's criteria.
    Held {
        /// Verdicts on the intent's criteria.
        verdicts: Vec<Verdict>,
        /// Tasks whose own checks fail on the whole, with their verdicts.
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    },
    /// All passed.
    Passed(Vec<Verdict>),
}

/// A run's status as everyone sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its owner has not approved the plan.
    AwaitingApproval,
    /// Something runs, or can.
    Running,
    /// Nothing can go on without a person.
    Blocked,
    /// Every task is done and the whole holds.
    Succeeded,
    /// A task was given up.
    Failed,
    /// Its owner canceled it.
    Canceled,
}

impl RunStatus {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::AwaitingApproval => "awaiting_approval",
            RunStatus::Running => "running",
            RunStatus::Blocked => "blocked",
            RunStatus::Succeeded => "succeeded",
            RunStatus::Failed => "failed",
            RunStatus::Canceled => "canceled",
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Canceled
        )
    }
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// How many tasks stand in each status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts([u32; 11]);

impl Counts {
    /// How many tasks have this status.
    #[must_use]
    pub fn of(&self, status: TaskStatus) -> u32 {
        self.0[status as usize]
    }

    pub(super) fn add(&mut self, status: TaskStatus) {
        self.0[status as usize] += 1;
    }

    pub(super) fn remove(&mut self, status: TaskStatus) {
        self.0[status as usize] -= 1;
    }
}

/// Tasks that share an agent and a role, and thus their limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) agent: String,
    pub(crate) role: Option<String>,
    /// Live attempts that hold a slot.
    pub(crate) live: u32,
    /// Ready tasks, best first.
    pub(crate) ready: BTreeSet<ReadyKey>,
}

/// Orders ready tasks: priority, then longest remaining path, then the plan's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadyKey {
    pub(crate) priority: std::cmp::Reverse<crate::plan::Priority>,
    pub(crate) rank_ms: std::cmp::Reverse<u64>,
    pub(crate) task: TaskNo,
}

pub(crate) fn ready_key(priority: crate::plan::Priority, rank_ms: u64, task: TaskNo) -> ReadyKey {
    ReadyKey {
        priority: std::cmp::Reverse(priority),
        rank_ms: std::cmp::Reverse(rank_ms),
        task,
    }
}

/// A run. Its fields are read freely and changed only by [`Run::apply`].
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// The plan's title.
    pub title: String,
    /// Its numbers.
    pub settings: Settings,
    /// What it stands on.
    pub base: Base,
    /// The intent's criteria.
    pub criteria: Vec<crate::criterion::Criterion>,
    /// What checkouts of its tree need besides its files.
    pub preparation: Arc<crate::preparation::Preparation>,
    /// What roles tell those who work in them.
    pub roles: Arc<BTreeMap<String, String>>,
    /// Names of authored stages, and each task's; empty if the plan has none.
    pub stages: Vec<(String, Vec<TaskNo>)>,
    /// 1 for the plan as it was accepted, one more for every revision.
    pub revision: u32,
    /// When it was created.
    pub created_at: Time,
    /// The time of the last event.
    pub last_at: Time,
    /// Whether its owner approved the plan.
    pub approved: bool,
    /// Why nothing new is started, if so.
    pub paused: Option<PauseReason>,
    /// Its owner canceled it; it ends when nothing is live.
    pub canceling: bool,
    /// How it ended and when.
    pub ended: Option<(RunStatus, Time)>,
    /// The way from verified attempts to one result.
    pub integration: Integration,
    /// The checks on the whole.
    pub finally: Final,
    pub(super) tasks: Vec<Task>,
    pub(super) index: HashMap<TaskId, TaskNo>,
    pub(super) joins: Vec<Join>,
    pub(super) counts: Counts,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_index: BTreeMap<(String, Option<String>), u32>,
    pub(crate) delayed: BTreeSet<(Time, TaskNo)>,
    pub(super) owed: BTreeSet<Effect>,
    pub(super) slots: u32,
    /// Tasks with a live attempt.
    pub(super) live: BTreeSet<TaskNo>,
    pub(super) has_files: bool,
    /// What a task without an estimate counts with: the mean of those that the accepted plan has.
    pub(super) estimate_ms_mean: u64,
    pub(super) changed: BTreeSet<TaskNo>,
}

impl Run {
    /// All tasks by number.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// A task by its number.
    #[must_use]
    pub fn task(&self, no: TaskNo) -> Option<&Task> {
        self.tasks.get(no.index())
    }

    /// A task's number by its name.
    #[must_use]
    pub fn find(&self, id: &TaskId) -> Option<TaskNo> {
        self.index.get(id).copied()
    }

    /// How many tasks stand in each status.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Its status in the words everyone sees. Blocked means that nothing can go on by itself.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        if let Some((status, _)) = self.ended {
            return status;
        }
        if !self.approved {
            return RunStatus::AwaitingApproval;
        }
        let moving = [
            TaskStatus::Ready,
            TaskStatus::Running,
            TaskStatus::Verifying,
            TaskStatus::Integrating,
        ];
        if moving.iter().any(|status| self.counts.of(*status) > 0) && !self.waits_for_people() {
            return RunStatus::Running;
        }
        let held = matches!(self.finally, Final::Held { .. });
        if self.counts.of(TaskStatus::Blocked) > 0 || held || self.waits_for_people() {
            return RunStatus::Blocked;
        }
        RunStatus::Running
    }

    /// Whether all that is live is in people's hands, and nothing else can go on.
    #[must_use]
    pub fn waits_for_people(&self) -> bool {
        let idle = [TaskStatus::Verifying, TaskStatus::Integrating]
            .iter()
            .all(|status| self.counts.of(*status) == 0);
        if !idle || self.slots > 0 || self.ended.is_some() || !self.approved {
            return false;
        }
        if self.delayed.iter().next().is_some() {
            return false;
        }
        if self.classes.iter().any(|class| !class.ready.is_empty()) {
            return false;
        }
        // What is left running holds no slot: people, and inputs from outside. While a workspace
        // is being prepared for them, it is not yet their turn.
        let prepared = |live: &Attempt| live.phase != Phase::Leased;
        self.counts.of(TaskStatus::Running) > 0
            && self
                .live()
                .filter_map(|(_, task)| task.live())
                .all(prepared)
    }

    /// The tasks with a live attempt, by number.
    pub fn live(&self) -> impl Iterator<Item = (TaskNo, &Task)> {
        self.live.iter().map(|no| (*no, &self.tasks[no.index()]))
    }

    /// Live attempts that hold a slot.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// An attempt's full name.
    #[must_use]
    pub fn attempt_id(&self, task: TaskNo, number: u32) -> AttemptId {
        AttemptId {
            run: self.id,
            task,
            number,
        }
    }

    /// The tasks this one waits for directly, joins resolved to the tasks behind them.
    #[must_use]
    pub fn dependencies(&self, no: TaskNo) -> Vec<TaskNo> {
        self.resolve(&self.tasks[no.index()].links.waits)
    }

    /// The tasks that wait for this one directly, joins resolved to the tasks behind them.
    #[must_use]
    pub fn dependents(&self, no: TaskNo) -> Vec<TaskNo> {
        self.resolve_feeds(&self.tasks[no.index()].links.feeds)
    }

    /// The plan as it is now, with its revisions.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let stage = |(name, tasks): &(String, Vec<TaskNo>)| crate::plan::Stage {
            name: name.clone(),
            tasks: tasks
                .iter()
                .map(|no| self.tasks[no.index()].spec.id.clone())
                .collect(),
        };
        Plan {
            title: self.title.clone(),
            tasks: self.tasks.iter().map(|task| (*task.spec).clone()).collect(),
            stages: self.stages.iter().map(stage).collect(),
            criteria: self.criteria.clone(),
            preparation: (*self.preparation).clone(),
            roles: (*self.roles).clone(),
        }
    }

    /// Takes the tasks whose rows changed since this was last called.
    pub fn take_changed(&mut self) -> Vec<TaskNo> {
        std::mem::take(&mut self.changed).into_iter().collect()
    }
}
