//! What follows from tasks and their states, kept beside them so that a step costs what it changes:
//! counts by status, ready tasks by class, delayed and live ones, slots.
//!
//! [`Run::derive`] computes all of it from nothing; [`Run::change`] keeps it, task by task. That both
//! give the same is an invariant.

use std::collections::BTreeSet;

use super::agents::holds_slot;
use super::attempt::{Attempt, Phase};
use super::reviews::Subject;
use super::state::{Counts, Run};
use super::task::{Task, TaskState};
use crate::ids::{TaskNo, Time};
use crate::ledger::Wanted;
use crate::permission::Permission;
use crate::plan::{TaskKind, TaskSpec};

/// What the tasks of a class share: agent and role, whether a person judges what they make, and who
/// alone may take their agent's place.
pub(crate) type ClassKey = (String, Option<String>, bool, Option<Vec<String>>);

/// Tasks that share their limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) agent: String,
    pub(crate) role: Option<String>,
    /// Whether a person must judge what they make.
    pub(crate) for_person: bool,
    /// Who alone may do them during their agent's usage limits, if that is not as the run is set.
    pub(crate) instead: Option<Vec<String>>,
    /// Live attempts that hold a slot.
    pub(crate) live: u32,
    /// Ready tasks, best first.
    pub(crate) ready: BTreeSet<ReadyKey>,
}

impl Class {
    /// Who is to do its tasks.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            agent: &self.agent,
            instead: self.instead.as_deref(),
        }
    }
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

impl Run {
    /// Computes everything that follows from tasks and links: after creation, a revision, loading.
    pub(super) fn derive(&mut self) {
        self.count_unmet();
        self.rank();
        self.counts = Counts::default();
        self.classes.clear();
        self.class_index.clear();
        self.delayed.clear();
        self.owed.clear();
        self.slots = 0;
        self.live.clear();
        self.asking.clear();
        self.open_reviews.clear();
        self.awaiting.clear();
        self.to_choose.clear();
        for no in self.numbers() {
            self.counts.add(self.tasks[no.index()].status());
            self.classify(no);
            self.enlist(no);
            self.owe_task(no);
            self.owe_offers(no);
        }
        self.owe_run();
    }

    /// Computes what follows from tasks and joins that were added from these numbers on, in the
    /// place of a task that was expanded. [`Run::derive`] gives the same and looks at all that is
    /// there. But all before that place is done: a task is done once more only after all were. Nor
    /// does anything change for what comes after it.
    pub(super) fn derive_parts(&mut self, split: TaskNo, first_task: usize, first_join: usize) {
        self.count_unmet_from(first_task, first_join);
        self.rank_parts(split, first_task, first_join);
        for no in (first_task..self.tasks.len()).map(|no| TaskNo(no as u32)) {
            self.counts.add(self.tasks[no.index()].status());
            self.classify(no);
        }
    }

    /// The same of one task that waits for nothing, and that nothing waits for.
    pub(super) fn derive_alone(&mut self, no: TaskNo) {
        self.tasks[no.index()].rank_ms = self.estimate_ms(no);
        self.counts.add(self.tasks[no.index()].status());
        self.classify(no);
        self.enlist(no);
    }

    /// Puts a task into the class of those that share its limits.
    fn classify(&mut self, no: TaskNo) {
        let task = &self.tasks[no.index()];
        let agent = match task.live() {
            Some(live) => live.agent.clone(),
            None => task.agent(&self.settings).to_owned(),
        };
        let instead = task.wanted(&self.settings).instead.map(<[String]>::to_vec);
        let for_person = self.is_for_person(&task.spec);
        let key = (agent, task.spec.role(), for_person, instead);
        let class = match self.class_index.get(&key) {
            Some(&class) => class,
            None => {
                let class = self.classes.len() as u32;
                let (agent, role, for_person, instead) = key.clone();
                self.classes.push(Class {
                    agent,
                    role,
                    for_person,
                    instead,
                    live: 0,
                    ready: BTreeSet::new(),
                });
                self.class_index.insert(key, class);
                class
            }
        };
        self.tasks[no.index()].class = class;
    }

    fn ready_key(&self, no: TaskNo) -> ReadyKey {
        let task = &self.tasks[no.index()];
        ready_key(task.spec.priority, task.rank_ms, no)
    }

    /// Enters a task into the indexes its state belongs to.
    fn enlist(&mut self, no: TaskNo) {
        let key = self.ready_key(no);
        let task = &self.tasks[no.index()];
        if task.reviews.is_some() && !task.status().is_terminal() {
            self.open_reviews.insert(no);
        }
        let reviewed = match &task.reviews {
            Some(Subject::Attempt(of)) => Some(of.task),
            _ => None,
        };
        // What is reviewed awaits a person exactly where no review of it is open.
        for no in reviewed.into_iter().chain([no]) {
            match self.counts_as_awaiting(no) {
                true => self.awaiting.insert(no),
                false => self.awaiting.remove(&no),
            };
        }
        let task = &self.tasks[no.index()];
        match &task.state {
            TaskState::Ready { .. } if task.is_to_choose() => {
                self.to_choose.insert(no);
            }
            TaskState::Ready { not_before } if not_before.0 > 0 => {
                self.delayed.insert((*not_before, no));
            }
            TaskState::Ready { .. } => {
                self.classes[task.class as usize].ready.insert(key);
            }
            TaskState::Active(live) => {
                self.live.insert(no);
                self.asking.extend(asking_of(live, no));
                if takes_slot(live) {
                    self.slots += 1;
                    self.classes[task.class as usize].live += 1;
                }
            }
            _ => {}
        }
    }

    /// Takes a task out of the indexes its state belongs to.
    fn delist(&mut self, no: TaskNo) {
        let key = self.ready_key(no);
        let task = &self.tasks[no.index()];
        self.open_reviews.remove(&no);
        self.awaiting.remove(&no);
        self.to_choose.remove(&no);
        match &task.state {
            TaskState::Ready { not_before } if not_before.0 > 0 => {
                self.delayed.remove(&(*not_before, no));
            }
            TaskState::Ready { .. } => {
                self.classes[task.class as usize].ready.remove(&key);
            }
            TaskState::Active(live) => {
                self.live.remove(&no);
                for asking in asking_of(live, no) {
                    self.asking.remove(&asking);
                }
                if takes_slot(live) {
                    self.slots -= 1;
                    self.classes[task.class as usize].live -= 1;
                }
            }
            _ => {}
        }
    }

    /// Changes a task and keeps every index that depends on its state.
    pub(super) fn change(&mut self, no: TaskNo, change: impl FnOnce(&mut Task)) {
        self.delist(no);
        self.counts.remove(self.tasks[no.index()].status());
        change(&mut self.tasks[no.index()]);
        self.counts.add(self.tasks[no.index()].status());
        self.classify(no);
        self.enlist(no);
        self.owe_task(no);
        self.changed.insert(no);
    }

    /// Nothing holds a task back any more.
    pub(super) fn release(&mut self, no: TaskNo) {
        if !matches!(self.tasks[no.index()].state, TaskState::Waiting) {
            return;
        }
        let state = released(&self.tasks[no.index()].spec);
        // No row is due: readiness follows from the rows of what it waited for.
        let had_row = self.changed.contains(&no);
        self.change(no, |task| task.state = state);
        if !had_row {
            self.changed.remove(&no);
        }
    }

    pub(super) fn done(&mut self, no: TaskNo) {
        self.meet(no, &mut |run, released| run.release(released));
    }

    /// Derives everything after loading. A task without a row is as the plan made it, but what it
    /// waits for may be done: readiness follows from the others.
    pub(super) fn settle_released(&mut self) {
        for task in &mut self.tasks {
            if matches!(
                task.state,
                TaskState::Ready {
                    not_before: Time(0)
                }
            ) && task.endings.is_empty()
            {
                task.state = TaskState::Waiting;
            }
        }
        self.derive();
        let free: Vec<TaskNo> = self
            .numbers()
            .filter(|no| self.tasks[no.index()].unmet == 0)
            .collect();
        for no in free {
            self.release(no);
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = TaskNo> + use<> {
        (0..self.tasks.len() as u32).map(TaskNo)
    }
}

/// The state of a task that nothing holds back: an approval is a person's from then on.
pub(super) fn released(spec: &TaskSpec) -> TaskState {
    match spec.kind {
        TaskKind::Approval => TaskState::Approval,
        _ => TaskState::Ready {
            not_before: Time(0),
        },
    }
}

/// What an attempt waits for a person to answer.
fn asking_of(live: &Attempt, no: TaskNo) -> impl Iterator<Item = (Time, u32, TaskNo)> + '_ {
    let deadline = move |it: &Permission| Some((it.deadline_at()?, it.no, no));
    live.permissions.iter().filter_map(deadline)
}

pub(super) fn takes_slot(live: &Attempt) -> bool {
    holds_slot(&live.agent) && matches!(live.phase, Phase::Leased | Phase::Working)
}
