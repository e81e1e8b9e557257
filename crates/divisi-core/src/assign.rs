//! Shares the workers' slots among the ready tasks of all runs.
//!
//! One pure function proposes; each run's `decide` may refuse. Slots are not a journalled fact
//! but a fold over the live attempts of all runs, so they can neither leak nor be counted twice.
//!
//! The order is: priority, then the longest remaining path, then the older run, then the plan's
//! order. Longest remaining path first is the classic list-scheduling rule of critical-path
//! scheduling (R. L. Graham, *Bounds on multiprocessing timing anomalies*, 1969, bounds any list
//! schedule by (2 − 1/k) of the best; the longest-path order is within a few percent in practice).

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Bound;

use crate::ids::{RunId, TaskNo, Time};
use crate::plan::Priority;
use crate::run::Run;

/// The most slots there are: of one run, and of all runs of a project together. More agents than
/// that side by side are a mistake, or want another machine.
pub const WORKERS_MAX: u32 = 256;

/// What all runs together may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Slots of this machine.
    pub workers: u32,
}

/// A task that should be leased now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The run.
    pub run: RunId,
    /// The task.
    pub task: TaskNo,
}

/// A candidate, best last in a max-heap.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: Priority,
    rank_ms: u64,
    run: Reverse<RunId>,
    task: Reverse<TaskNo>,
    /// Index of the run, and of the class within it; `None` for a delayed task.
    source: (usize, Option<usize>),
}

/// Proposes leases for ready tasks until slots, limits or tasks run out.
///
/// Tasks that are passed over wait for something that is no slot, for instance their budgets.
///
/// Costs what is proposed or passed over times the number of classes (pairs of agent and role),
/// never the number of tasks that stay ready.
#[must_use]
pub fn assign(
    runs: &[&Run],
    capacity: Capacity,
    now: Time,
    passed_over: &BTreeSet<(RunId, TaskNo)>,
) -> Vec<Proposal> {
    let mut usage = Usage::of(runs);
    let mut heap = BinaryHeap::new();
    for (at, run) in runs.iter().enumerate() {
        if !run.takes_leases() {
            continue;
        }
        for class in 0..run.classes.len() {
            heap.extend(candidate(run, at, class, None));
        }
        for (_, task) in run.delayed.range(..=(now, TaskNo(u32::MAX))) {
            heap.push(delayed_candidate(run, at, *task));
        }
    }
    let mut proposals = Vec::new();
    while let Some(best) = heap.pop() {
        let (at, class) = best.source;
        let run = runs[at];
        let task = best.task.0;
        let class_of = run.tasks()[task.index()].class as usize;
        let is_passed_over = passed_over.contains(&(run.id, task));
        let fits = !is_passed_over && usage.take(run, at, class_of, capacity);
        if fits {
            proposals.push(Proposal { run: run.id, task });
        }
        // A class at its limit offers nothing more; its next task would fare no better.
        if let Some(class) = class
            && (fits || is_passed_over)
        {
            heap.extend(candidate(run, at, class, Some(task)));
        }
    }
    proposals
}

fn candidate(run: &Run, at: usize, class: usize, after: Option<TaskNo>) -> Option<Candidate> {
    let ready = &run.classes[class].ready;
    let key = match after {
        None => ready.iter().next(),
        Some(task) => {
            let spec = &run.tasks()[task.index()];
            let key = crate::run::ready_key(spec.spec.priority, spec.rank_ms, task);
            ready.range((Bound::Excluded(key), Bound::Unbounded)).next()
        }
    }?;
    Some(Candidate {
        priority: key.priority.0,
        rank_ms: key.rank_ms.0,
        run: Reverse(run.id),
        task: Reverse(key.task),
        source: (at, Some(class)),
    })
}

fn delayed_candidate(run: &Run, at: usize, task: TaskNo) -> Candidate {
    let known = &run.tasks()[task.index()];
    Candidate {
        priority: known.spec.priority,
        rank_ms: known.rank_ms,
        run: Reverse(run.id),
        task: Reverse(task),
        source: (at, None),
    }
}

/// Slots in use, live attempts and this round's proposals together.
struct Usage {
    total: u32,
    /// Per run, per class.
    classes: Vec<Vec<u32>>,
}

impl Usage {
    fn of(runs: &[&Run]) -> Usage {
        Usage {
            total: runs.iter().map(|run| run.slots()).sum(),
            classes: runs
                .iter()
                .map(|run| run.classes.iter().map(|class| class.live).collect())
                .collect(),
        }
    }

    /// Takes a slot for a task of this class if every limit allows it.
    fn take(&mut self, run: &Run, at: usize, class: usize, capacity: Capacity) -> bool {
        if !crate::run::holds_slot(&run.classes[class].agent) {
            return true;
        }
        if self.total >= capacity.workers || run.limit(class, &self.classes[at]).is_some() {
            return false;
        }
        self.total += 1;
        self.classes[at][class] += 1;
        true
    }
}

impl Run {
    /// Whether anything new may be started.
    #[must_use]
    pub fn takes_leases(&self) -> bool {
        self.approved && self.paused.is_none() && !self.canceling && self.ended.is_none()
    }

    /// When the first of the tasks that are delayed beyond `now` may be leased.
    #[must_use]
    pub fn delayed_until(&self, now: Time) -> Option<Time> {
        let later = (Bound::Excluded((now, TaskNo(u32::MAX))), Bound::Unbounded);
        self.delayed.range(later).next().map(|(time, _)| *time)
    }

    /// The limit of this run that a further task of this class would break, if any.
    fn limit(&self, class: usize, live: &[u32]) -> Option<String> {
        let counted = |matches: &dyn Fn(&crate::run::Class) -> bool| -> u32 {
            let of =
                |(class, live): (&crate::run::Class, &u32)| if matches(class) { *live } else { 0 };
            self.classes.iter().zip(live).map(of).sum()
        };
        let settings = &self.settings;
        let slots = counted(&|class| crate::run::holds_slot(&class.agent));
        if slots >= settings.workers_max {
            return Some(format!("{} workers", settings.workers_max));
        }
        let this = &self.classes[class];
        if let Some(max) = settings.agent_limits.get(&this.agent)
            && counted(&|class| class.agent == this.agent) >= *max
        {
            return Some(format!("{max} attempts by agent {}", this.agent));
        }
        let role = this.role.as_deref()?;
        let reached = |(name, max): (&String, &u32)| {
            let names = |role: &str| role == name || role.split('/').any(|part| part == name);
            let used = counted(&|class| class.role.as_deref().is_some_and(names));
            (names(role) && used >= *max).then(|| format!("{max} attempts by role {name}"))
        };
        settings.role_limits.iter().find_map(reached)
    }

    /// The limit that a further attempt by this agent in this role would break, if any.
    pub(crate) fn limit_reached(&self, agent: &str, role: Option<&str>) -> Option<String> {
        let key = (agent.to_owned(), role.map(str::to_owned));
        let class = *self.class_index.get(&key)? as usize;
        let live: Vec<u32> = self.classes.iter().map(|class| class.live).collect();
        self.limit(class, &live)
    }
}
