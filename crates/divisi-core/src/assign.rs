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
use crate::ledger::{Choice, Credential, Means, Wanted};
use crate::plan::Priority;
use crate::run::{Class, Run};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The run.
    pub run: RunId,
    /// The task.
    pub task: TaskNo,
    /// Who does it, with which credential.
    pub with: Means,
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

/// Proposes leases for ready tasks until slots, limits or tasks run out. `may` says whether an agent
/// may begin something for a run, and with which credential.
///
/// Tasks that are passed over wait for something that is no slot, for instance their budgets.
///
/// Costs what is proposed or passed over times the number of classes (mostly pairs of agent and role),
/// never the number of tasks that stay ready.
#[must_use]
pub fn assign(
    runs: &[&Run],
    capacity: Capacity,
    now: Time,
    passed_over: &BTreeSet<(RunId, TaskNo)>,
    may: &dyn Fn(&Run, Wanted<'_>) -> Choice,
) -> Vec<Proposal> {
    let choices: Vec<Vec<Choice>> = runs
        .iter()
        .map(|run| match run.takes_leases() {
            true => { run.classes.iter() }
                .map(|class| may(run, class.wanted()))
                .collect(),
            false => Vec::new(),
        })
        .collect();
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
        // A class whose agent may not begin, or that is at its limit, offers nothing more; its next
        // task would fare no better.
        let Choice::Begin { with } = &choices[at][class_of] else {
            continue;
        };
        let is_passed_over = passed_over.contains(&(run.id, task));
        if !is_passed_over {
            let of = &run.classes[class_of];
            if !usage.take(run, at, &with.agent, of, capacity) {
                continue;
            }
            proposals.push(Proposal {
                run: run.id,
                task,
                with: with.clone(),
            });
        }
        if let Some(class) = class {
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

/// Live attempts of one agent in one role.
#[derive(Clone, Copy)]
struct Live<'a> {
    agent: &'a str,
    role: Option<&'a str>,
    many: u32,
}

/// Slots in use, live attempts and this round's proposals together.
struct Usage<'a> {
    total: u32,
    /// Per run.
    live: Vec<Vec<Live<'a>>>,
    /// Per run, what a person must judge.
    awaiting: Vec<usize>,
}

impl<'a> Usage<'a> {
    fn of(runs: &[&'a Run]) -> Usage<'a> {
        Usage {
            total: runs.iter().map(|run| run.slots()).sum(),
            live: runs.iter().map(|run| run.live_by_class()).collect(),
            awaiting: runs.iter().map(|run| run.awaiting_count()).collect(),
        }
    }

    /// Takes a slot for an attempt by this agent at a task of this class if every limit allows it.
    fn take(
        &mut self,
        run: &Run,
        at: usize,
        agent: &'a str,
        class: &'a Class,
        capacity: Capacity,
    ) -> bool {
        let is_full = |max| self.awaiting[at] >= max;
        if class.for_person && run.awaiting_max().is_some_and(is_full) {
            return false;
        }
        let takes_slot = crate::run::holds_slot(agent);
        let role = class.role.as_deref();
        let live = &mut self.live[at];
        if takes_slot && (self.total >= capacity.workers || run.limit(agent, role, live).is_some())
        {
            return false;
        }
        self.awaiting[at] += usize::from(class.for_person);
        if !takes_slot {
            return true;
        }
        self.total += 1;
        match live
            .iter_mut()
            .find(|live| (live.agent, live.role) == (agent, role))
        {
            Some(live) => live.many += 1,
            // Who does what another agent cannot do now.
            None => live.push(Live {
                agent,
                role,
                many: 1,
            }),
        }
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

    /// When the first of the agents may begin that ready tasks wait for, beyond `now`.
    #[must_use]
    pub fn held_until(&self, now: Time, may: &dyn Fn(&Run, Wanted<'_>) -> Choice) -> Option<Time> {
        let waiting = self.classes_with_due(now);
        let until = waiting.filter_map(|class| match may(self, class.wanted()) {
            Choice::Wait { until, .. } | Choice::Beyond { until, .. } => Some(until),
            Choice::Begin { .. } => None,
        });
        until.filter(|until| *until > now).min()
    }

    /// A usage limit that tasks wait for and that lasts longer than the run waits, with its end.
    #[must_use]
    pub fn held_beyond(
        &self,
        now: Time,
        may: &dyn Fn(&Run, Wanted<'_>) -> Choice,
    ) -> Option<(Credential, Time)> {
        let mut waiting = self.classes_with_due(now);
        waiting.find_map(|class| match may(self, class.wanted()) {
            Choice::Beyond { credential, until } => Some((credential, until)),
            Choice::Begin { .. } | Choice::Wait { .. } => None,
        })
    }

    /// The classes of tasks that could be leased now.
    fn classes_with_due(&self, now: Time) -> impl Iterator<Item = &Class> {
        let delayed = self.delayed.range(..=(now, TaskNo(u32::MAX)));
        let delayed = delayed.map(|(_, task)| self.tasks()[task.index()].class as usize);
        let delayed: BTreeSet<usize> = delayed.collect();
        let classes = self.classes.iter().enumerate();
        classes
            .filter(move |(at, class)| !class.ready.is_empty() || delayed.contains(at))
            .filter(|(_, class)| !self.holds_back(class))
            .map(|(_, class)| class)
    }

    fn live_by_class(&self) -> Vec<Live<'_>> {
        let classes = self.classes.iter();
        classes
            .map(|class| Live {
                agent: &class.agent,
                role: class.role.as_deref(),
                many: class.live,
            })
            .collect()
    }

    /// The limit of this run that a further attempt by this agent in this role would break, if any.
    fn limit(&self, agent: &str, role: Option<&str>, live: &[Live<'_>]) -> Option<String> {
        let counted = |matches: &dyn Fn(&Live<'_>) -> bool| -> u32 {
            live.iter()
                .filter(|live| matches(live))
                .map(|live| live.many)
                .sum()
        };
        let settings = &self.settings;
        let slots = counted(&|live| crate::run::holds_slot(live.agent));
        if slots >= settings.workers_max {
            return Some(format!("{} workers", settings.workers_max));
        }
        if let Some(max) = settings.agent_limits.get(agent)
            && counted(&|live| live.agent == agent) >= *max
        {
            return Some(format!("{max} attempts by agent {agent}"));
        }
        let role = role?;
        let reached = |(name, max): (&String, &u32)| {
            let names = |role: &str| role == name || role.split('/').any(|part| part == name);
            let used = counted(&|live| live.role.is_some_and(names));
            (names(role) && used >= *max).then(|| format!("{max} attempts by role {name}"))
        };
        settings.role_limits.iter().find_map(reached)
    }

    /// The same as things stand.
    pub(crate) fn limit_reached(&self, agent: &str, role: Option<&str>) -> Option<String> {
        self.limit(agent, role, &self.live_by_class())
    }
}
