//! What a plan is expected to take: totals, a range of time, who is needed, and what holds it up.
//!
//! Both ends of the range come from the tasks' own ranges. With unlimited slots it is the longest
//! way through the plan; with stages, the sum of each stage's longest task. With limited slots the
//! lower end is what no order of the tasks can beat, and the upper end what no order exceeds that
//! leaves no slot idle while a task is ready.

use std::collections::BTreeSet;

use divisi_core::plan::Graph;
use divisi_core::{Plan, TaskKind, TaskSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most bottlenecks that are named.
const BOTTLENECKS_MAX: usize = 10;

/// What a plan is expected to take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// How many tasks it has.
    pub tasks: usize,
    /// The lower end of its duration, in milliseconds.
    pub low_ms: u64,
    /// The upper end.
    pub high_ms: u64,
    /// How many tasks have no estimate of their duration; they count as nothing.
    pub unestimated: usize,
    /// Tokens of all tasks.
    pub tokens: u64,
    /// Whether any task has an estimate of its tokens.
    pub has_tokens: bool,
    /// Domains of the roles in the order of the tasks (`masters`).
    pub domains: Vec<String>,
    /// Roles as `domain/function`, in the order of the tasks.
    pub roles: Vec<String>,
    /// How many workers are started: one for each task that somebody or something carries out.
    pub workers: usize,
    /// How many tasks can run at once, at most.
    pub parallel_max: usize,
    /// Where one task holds up all that come after it.
    pub bottlenecks: Vec<String>,
}

impl Estimate {
    /// The estimate of a plan. A plan that has no sound structure gets totals and no duration.
    #[must_use]
    pub fn of(plan: &Plan, slots: Option<u32>) -> Estimate {
        let mut estimate = totals(&plan.tasks);
        let Ok(graph) = plan.graph() else {
            return estimate;
        };
        let stages = by_stage(&graph);
        let (low, high) = match plan.stages.is_empty() {
            true => range(&plan.tasks, &graph, slots),
            false => staged(&plan.tasks, &stages, slots),
        };
        (estimate.low_ms, estimate.high_ms) = (low, high);
        let at_once = |stage: &Vec<usize>| stage.iter().map(|&at| times(&plan.tasks[at])).sum();
        estimate.parallel_max = stages.iter().map(at_once).max().unwrap_or_default();
        estimate.bottlenecks = bottlenecks(plan, &graph, &stages);
        estimate
    }

    /// The form in which a request is estimated before there is a plan.
    #[must_use]
    pub fn to_request_form(&self) -> Value {
        json!({
            "total_subtasks": self.tasks,
            "total_estimated_duration": self.duration(),
            "total_estimated_tokens": self.tokens,
            "masters_involved": self.domains,
            "workers_to_spawn": self.workers,
            "parallelization_possible": self.parallel_max > 1,
            "bottlenecks": self.bottlenecks,
        })
    }

    /// The form that stands in a plan as `resource_estimate`.
    #[must_use]
    pub fn to_plan_form(&self) -> Value {
        json!({
            "total_subtasks": self.tasks,
            "duration_estimate": self.duration(),
            "token_estimate": self.tokens,
            "masters": self.domains,
            "workers": self.workers,
        })
    }

    /// The range of time in words: `65-90 minutes`.
    #[must_use]
    pub fn duration(&self) -> String {
        // A range is not narrowed by rounding.
        let low = self.low_ms / 60_000;
        let high = self.high_ms.div_ceil(60_000);
        match (low, high) {
            _ if self.tasks > 0 && self.unestimated == self.tasks => "unknown".to_owned(),
            (low, high) if self.low_ms == self.high_ms && low == high => minutes(low),
            (_, high) if self.low_ms == self.high_ms => minutes(high),
            (low, high) => format!("{low}-{}", minutes(high)),
        }
    }

    /// The tokens in words: `32000 tokens`.
    #[must_use]
    pub fn tokens_said(&self) -> String {
        match self.has_tokens {
            true => format!("{} tokens", self.tokens),
            false => "unknown tokens".to_owned(),
        }
    }
}

fn minutes(count: u64) -> String {
    match count {
        1 => "1 minute".to_owned(),
        count => format!("{count} minutes"),
    }
}

fn totals(tasks: &[TaskSpec]) -> Estimate {
    let mut estimate = Estimate {
        tasks: tasks.len(),
        ..Estimate::default()
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for task in tasks {
        estimate.unestimated += usize::from(task.estimate.duration_ms.is_none());
        let tokens = task.estimate.tokens.unwrap_or_default();
        let tokens = tokens.saturating_mul(times(task) as u64);
        estimate.tokens = estimate.tokens.saturating_add(tokens);
        estimate.has_tokens |= task.estimate.tokens.is_some();
        estimate.workers += usize::from(works(task)) * times(task);
        if let Some(domain) = &task.domain
            && !estimate.domains.contains(domain)
        {
            estimate.domains.push(domain.clone());
        }
        if let Some(role) = task.role()
            && seen.insert(role.clone())
        {
            estimate.roles.push(role);
        }
    }
    estimate
}

/// How often a task is done: once, or once for each of its candidates.
pub(crate) fn times(task: &TaskSpec) -> usize {
    task.candidates.as_ref().map_or(1, |it| it.of.len())
}

/// Whether a worker is started for a task.
fn works(task: &TaskSpec) -> bool {
    let is_waited_for = matches!(task.kind, TaskKind::Approval | TaskKind::External);
    !is_waited_for && task.work != divisi_core::plan::Work::Nothing
}

fn low(task: &TaskSpec) -> u64 {
    task.estimate.duration_ms.unwrap_or_default()
}

fn high(task: &TaskSpec) -> u64 {
    task.estimate
        .duration_max_ms
        .unwrap_or_default()
        .max(low(task))
}

fn by_stage(graph: &Graph) -> Vec<Vec<usize>> {
    let count = graph
        .stage
        .iter()
        .max()
        .map_or(0, |&last| last as usize + 1);
    let mut stages = vec![Vec::new(); count];
    for (task, &stage) in graph.stage.iter().enumerate() {
        stages[stage as usize].push(task);
    }
    stages
}

/// The range of tasks that wait for nothing but their dependencies.
fn range(tasks: &[TaskSpec], graph: &Graph, slots: Option<u32>) -> (u64, u64) {
    let path = |of: fn(&TaskSpec) -> u64| {
        let mut ends = vec![0u64; tasks.len()];
        for &task in &graph.order {
            let task = task as usize;
            let before = graph.dependencies[task].iter();
            let starts = before
                .map(|&on| ends[on as usize])
                .max()
                .unwrap_or_default();
            ends[task] = starts.saturating_add(of(&tasks[task]));
        }
        ends.into_iter().max().unwrap_or_default()
    };
    // Of each chain the widest task may be the one that runs.
    let widest = tasks.iter().map(times).max().unwrap_or(1);
    let at_once = at_once_max(graph).saturating_mul(widest);
    bounds(tasks.iter(), path(low), path(high), (slots, at_once))
}

/// No more tasks than this can run at once: so many chains of tasks, each waiting for the one before,
/// hold them all, and of a chain one runs at a time. It may be more than there ever are.
fn at_once_max(graph: &Graph) -> usize {
    let mut is_extended = vec![false; graph.order.len()];
    let mut chains = 0;
    for &task in &graph.order {
        let mut before = graph.dependencies[task as usize].iter();
        match before.find(|&&on| !is_extended[on as usize]) {
            Some(&on) => is_extended[on as usize] = true,
            None => chains += 1,
        }
    }
    chains
}

/// The range of stages that run one after the other.
fn staged(tasks: &[TaskSpec], stages: &[Vec<usize>], slots: Option<u32>) -> (u64, u64) {
    let mut whole = (0u64, 0u64);
    for stage in stages {
        let of = || stage.iter().map(|&at| &tasks[at]);
        let at_once = of().map(times).sum();
        let longest = |of_task: fn(&TaskSpec) -> u64| of().map(of_task).max().unwrap_or_default();
        let limits = (slots, at_once);
        let (low, high) = bounds(of(), longest(low), longest(high), limits);
        whole = (whole.0.saturating_add(low), whole.1.saturating_add(high));
    }
    whole
}

/// With so many slots, of which there may be enough for all that run at once: nothing is faster than the longest path or all work shared evenly, and
/// nothing that leaves no slot idle is slower than Graham's bound.
fn bounds<'t>(
    tasks: impl Iterator<Item = &'t TaskSpec>,
    path_low: u64,
    path_high: u64,
    (slots, at_once): (Option<u32>, usize),
) -> (u64, u64) {
    let slots = slots.map(|slots| u64::from(slots.max(1)));
    let Some(slots) = slots.filter(|slots| *slots < at_once as u64) else {
        return (path_low, path_high);
    };
    let (work_low, work_high) = tasks.fold((0u64, 0u64), |(sum_low, sum_high), task| {
        (
            sum_low.saturating_add(low(task).saturating_mul(times(task) as u64)),
            sum_high.saturating_add(high(task).saturating_mul(times(task) as u64)),
        )
    });
    let shared = work_high.saturating_sub(path_high) / slots;
    (
        path_low.max(work_low / slots),
        path_high.saturating_add(shared),
    )
}

/// Stages of one task between others: all that comes after waits for it.
fn bottlenecks(plan: &Plan, graph: &Graph, stages: &[Vec<usize>]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        let [task] = stage[..] else { continue };
        let is_between = number > 0 && number + 1 < stages.len();
        let hinders = stages.iter().any(|stage| stage.len() > 1) || plan.tasks.len() > 2;
        if !is_between || !hinders {
            continue;
        }
        let before: Vec<&str> = match graph.dependencies[task].is_empty() {
            true => stages[number - 1]
                .iter()
                .map(|&at| &*plan.tasks[at].title)
                .collect(),
            false => graph.dependencies[task]
                .iter()
                .map(|&at| &*plan.tasks[at as usize].title)
                .collect(),
        };
        let title = &plan.tasks[task].title;
        let shown = before
            .iter()
            .take(3)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match before.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        found.push(format!(
            "stage_{}: {title} must wait for {shown}{more}",
            number + 1
        ));
        if found.len() == BOTTLENECKS_MAX {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
