//! What a run would do: every iteration against what is there and what is promised.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::{Plan, TaskId};

use super::{Bundle, Expanded, expand};
use crate::estimate::Estimate;

/// All iterations as they would expand if every agent made exactly what it promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// Each iteration by its id, in an order in which they may run. One that cannot be expanded
    /// does not hinder those that do not wait for it.
    pub iterations: Vec<(String, Expanded)>,
    /// All tasks as one plan; `None` if an iteration cannot be expanded.
    pub plan: Option<Plan>,
}

impl Prediction {
    /// What all tasks together are expected to take with so many slots.
    #[must_use]
    pub fn estimate(&self, slots: Option<u32>) -> Option<Estimate> {
        let plan = self.plan.as_ref()?;
        Some(Estimate::of(plan, slots))
    }
}

/// Expands all iterations against the paths that are there and those that are promised by the
/// iterations they wait for.
#[must_use]
pub fn predict<S: AsRef<str>>(bundle: &Bundle, base_paths: &[S]) -> Prediction {
    let base: BTreeSet<&str> = base_paths.iter().map(AsRef::as_ref).collect();
    let mut iterations: Vec<(String, Expanded)> = Vec::new();
    let mut before: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for at in order(bundle) {
        let iteration = &bundle.workflow.iterations[at];
        // What stands when it starts beside the base: what those before it, and before them, made.
        let mut promised: BTreeSet<String> = BTreeSet::new();
        for on in &iteration.dependencies {
            promised.extend(before.get(&**on).into_iter().flatten().cloned());
        }
        let mut paths = base.clone();
        paths.extend(promised.iter().map(String::as_str));
        let paths: Vec<&str> = paths.into_iter().collect();
        let expanded = expand(bundle, &iteration.id, &paths);
        let tasks = expanded
            .expansion
            .iter()
            .flat_map(|expansion| &expansion.tasks);
        let made = tasks.flat_map(|task| &task.deliverables);
        promised.extend(made.map(|made| made.path.clone()));
        before.insert(&iteration.id, promised);
        iterations.push((iteration.id.clone(), expanded));
    }
    let plan = whole(bundle, &iterations);
    Prediction { iterations, plan }
}

/// Positions of iterations, each after those that it waits for.
fn order(bundle: &Bundle) -> Vec<usize> {
    let iterations = &bundle.workflow.iterations;
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::with_capacity(iterations.len());
    while order.len() < iterations.len() {
        let next = (0..iterations.len()).find(|&at| {
            let iteration = &iterations[at];
            !done.contains(&*iteration.id)
                && iteration.dependencies.iter().all(|on| done.contains(&**on))
        });
        let Some(at) = next else { break };
        done.insert(&iterations[at].id);
        order.push(at);
    }
    order
}

/// One plan of all tasks: those of an iteration wait for the last ones of those before it.
fn whole(bundle: &Bundle, iterations: &[(String, Expanded)]) -> Option<Plan> {
    let mut plan = Plan {
        title: bundle.workflow.name.clone(),
        ..Plan::default()
    };
    let mut last: BTreeMap<&str, Vec<TaskId>> = BTreeMap::new();
    for (id, expanded) in iterations {
        let tasks = &expanded.expansion.as_ref()?.tasks;
        let iteration = bundle.workflow.iteration(id)?;
        let waits: Vec<TaskId> = iteration
            .dependencies
            .iter()
            .flat_map(|on| last.get(&**on).cloned().unwrap_or_default())
            .collect();
        let review = tasks
            .last()
            .filter(|task| task.dependencies.len() + 1 == tasks.len());
        let ends = match review {
            Some(review) => vec![review.id.clone()],
            None => tasks.iter().map(|task| task.id.clone()).collect(),
        };
        last.insert(id, ends);
        for task in tasks {
            let mut task = task.clone();
            if task.dependencies.is_empty() {
                task.dependencies.extend(waits.iter().cloned());
            }
            plan.tasks.push(task);
        }
    }
    Some(plan)
}
