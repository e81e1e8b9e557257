//! Which tasks of a plan make one iteration.
//!
//! Usually all of them do. An iteration further on is for tasks that work after a barrier: those of a
//! later stage, those that change a file which a task before them promised, too, and those that wait
//! for a review that ends an iteration.

use std::collections::{BTreeMap, HashMap};

use divisi_core::plan::Work;
use divisi_core::{Plan, TaskKind, TaskSpec};

/// A task that only holds criteria: the review that ends an iteration.
pub(super) fn is_ending(task: &TaskSpec) -> bool {
    task.kind == TaskKind::Review && task.work == Work::Nothing
}

/// The iteration of each task, from 0.
pub(super) fn of(plan: &Plan) -> Vec<usize> {
    let at: HashMap<&str, usize> = { plan.tasks.iter().enumerate() }
        .map(|(at, task)| (task.id.as_str(), at))
        .collect();
    let mut stage: Vec<usize> = vec![0; plan.tasks.len()];
    for (number, its) in plan.stages.iter().enumerate() {
        for id in &its.tasks {
            stage[at[id.as_str()]] = number;
        }
    }
    let mut layers: Vec<usize> = vec![0; plan.tasks.len()];
    let mut makers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut barrier = (0, 0);
    for next in order(plan, &at, &stage) {
        let task = &plan.tasks[next];
        if barrier.0 != stage[next] {
            let before = layers.iter().zip(&stage);
            let before = before.filter(|(_, its)| **its < stage[next]);
            barrier = (
                stage[next],
                before.map(|(layer, _)| layer + 1).max().unwrap_or(0),
            );
        }
        let waits = task.needs().map(|id| {
            let on = at[id.as_str()];
            layers[on] + usize::from(is_ending(&plan.tasks[on]))
        });
        let made = task.deliverables.iter();
        let again = made.filter_map(|made| Some(makers.get(&*made.path)? + 1));
        layers[next] = waits.chain(again).chain([barrier.1]).max().unwrap_or(0);
        for made in &task.deliverables {
            makers.insert(&made.path, layers[next]);
        }
    }
    layers
}

/// The tasks, each after those that it waits for, stage by stage.
fn order(plan: &Plan, at: &HashMap<&str, usize>, stage: &[usize]) -> Vec<usize> {
    let mut order = Vec::with_capacity(plan.tasks.len());
    let mut seen = vec![false; plan.tasks.len()];
    let mut first: Vec<usize> = (0..plan.tasks.len()).collect();
    first.sort_by_key(|&task| stage[task]);
    for task in first {
        // Each is looked at twice: to put what it waits for before it, then itself.
        let mut open = vec![(task, false)];
        while let Some((task, is_next)) = open.pop() {
            if is_next {
                order.push(task);
            } else if !std::mem::replace(&mut seen[task], true) {
                open.push((task, true));
                let waits = plan.tasks[task].needs().map(|id| (at[id.as_str()], false));
                open.extend(waits);
            }
        }
    }
    order
}
