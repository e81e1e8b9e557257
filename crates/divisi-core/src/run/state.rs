//! What a run is at one moment. Only [`super::apply`] changes it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Phase};
use super::indexes::{Class, ClassKey};
use super::links::Join;
use super::owed::Effect;
use super::settings::Settings;
use super::task::{Task, TaskStatus};
use crate::criterion::Verdict;
use crate::ids::{AttemptId, Commit, RunId, TaskId, TaskNo, Time};
use crate::intent::Intent;
use crate::permission::Rule;
use crate::plan::{Plan, TaskKind};
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
    /// What it is for, if a request became its plan.
    pub intent: Option<Arc<Intent>>,
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
    /// How long it rested until then, in milliseconds: see [`Run::rests`].
    pub waited_ms: u64,
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
    /// How many requests for leave its agents made.
    pub permissions_asked: u32,
    /// Rules that people added to those of the settings, the newest first.
    pub rules: Vec<Rule>,
    /// The criteria that its plan had as it was accepted: those that were planned came later.
    pub(super) criteria_accepted: Vec<crate::criterion::Criterion>,
    pub(super) tasks: Vec<Task>,
    pub(super) index: HashMap<TaskId, TaskNo>,
    pub(super) joins: Vec<Join>,
    pub(super) counts: Counts,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_index: BTreeMap<ClassKey, u32>,
    pub(crate) delayed: BTreeSet<(Time, TaskNo)>,
    pub(super) owed: BTreeSet<Effect>,
    pub(super) slots: u32,
    /// Tasks with a live attempt.
    pub(super) live: BTreeSet<TaskNo>,
    /// Requests that wait for a person, by their deadlines.
    pub(super) asking: BTreeSet<(Time, u32, TaskNo)>,
    /// Reviews that were opened and are not done.
    pub(super) open_reviews: BTreeSet<TaskNo>,
    /// Tasks that count as results that await a person's judgment.
    pub(super) awaiting: BTreeSet<TaskNo>,
    /// Tasks whose candidates have all ended, of which nothing was chosen yet.
    pub(super) to_choose: BTreeSet<TaskNo>,
    /// All candidates.
    pub(super) candidates: Vec<TaskNo>,
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

    /// Whether nothing goes on without a person: its plan is not approved yet, it is paused and
    /// nothing is left under way, or all that is open waits for people. A full disk and files from
    /// outside are no people: who waits for them goes on by itself.
    #[must_use]
    pub fn rests(&self) -> bool {
        let under_way = [
            TaskStatus::Running,
            TaskStatus::Verifying,
            TaskStatus::Integrating,
        ];
        let is_still = under_way.iter().all(|status| self.counts.of(*status) == 0);
        let paused = self.paused.as_ref();
        let awaits_owner = paused.is_some_and(|it| *it != PauseReason::DiskFull);
        match self.status() {
            RunStatus::AwaitingApproval => true,
            RunStatus::Blocked => !self.waits_only_for_outside(),
            RunStatus::Running => awaits_owner && is_still,
            _ => false,
        }
    }

    /// Whether all that it waits for are inputs from outside; nobody is asked for anything.
    fn waits_only_for_outside(&self) -> bool {
        let is_asked =
            self.counts.of(TaskStatus::Blocked) > 0 || matches!(self.finally, Final::Held { .. });
        let is_outside = |task: &Task| task.spec.kind == TaskKind::External;
        !is_asked && !self.live.is_empty() && self.live().all(|(_, task)| is_outside(task))
    }

    /// Whether all that is live is in people's hands, and nothing else can go on: what is ready waits
    /// until somebody judged what there is.
    #[must_use]
    pub fn waits_for_people(&self) -> bool {
        let idle = [TaskStatus::Verifying, TaskStatus::Integrating]
            .iter()
            .all(|status| self.counts.of(*status) == 0);
        if !idle || self.slots > 0 || self.ended.is_some() || !self.approved {
            return false;
        }
        let is_delayed = |(_, no): &(Time, TaskNo)| !self.is_held_back(&self.tasks[no.index()]);
        if self.delayed.iter().any(is_delayed) {
            return false;
        }
        let is_ready = |class: &Class| !class.ready.is_empty() && !self.holds_back(class);
        if self.classes.iter().any(is_ready) {
            return false;
        }
        // What is left running holds no slot: people, and inputs from outside. While a workspace
        // is being prepared for them, it is not yet their turn.
        let prepared = |live: &Attempt| live.phase != Phase::Leased;
        let holds_back = self.counts.of(TaskStatus::Ready) > 0;
        (self.counts.of(TaskStatus::Running) > 0 || holds_back)
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
            tasks: { self.tasks.iter() }
                .filter(|task| task.is_planned())
                .map(|task| (*task.spec).clone())
                .collect(),
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
