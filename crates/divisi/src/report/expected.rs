//! What a run's tasks were expected to take together, for a comparison with what they took.

use std::collections::BTreeMap;

use divisi_core::run::{Run, TaskState};
use divisi_core::{Plan, TaskNo, TaskSpec};
use divisi_pack::estimate::Estimate;
use serde::Serialize;
use serde_json::Value;

/// The whole of a larger run is not estimated again: every task is held against all that it waits
/// for, and a barrier makes that many.
const TASKS_MAX: usize = 1_000;

/// An estimate of a whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Expected {
    /// From start to end, in words.
    pub(crate) duration: String,
    /// Tokens of all tasks.
    pub(crate) tokens: u64,
    /// Workers that it was estimated for.
    pub(crate) workers: u32,
    /// In the form of a request's estimate.
    pub(crate) estimate: Value,
    /// In the form of a plan's.
    pub(crate) resource_estimate: Value,
}

impl Expected {
    /// Estimates the tasks that a run has now, those that others were split into in their place.
    /// `None` if no task has an estimate, or there are too many.
    pub(crate) fn of(run: &Run) -> Option<Expected> {
        let tasks = run.tasks();
        let has_estimate = tasks
            .iter()
            .any(|it| it.spec.estimate.duration_ms.is_some());
        if !has_estimate || tasks.len() > TASKS_MAX {
            return None;
        }
        let workers = run.settings.workers_max;
        let estimate = Estimate::of(&leaves(run), Some(workers));
        Some(Expected {
            duration: estimate.duration(),
            tokens: estimate.tokens,
            workers,
            estimate: estimate.to_request_form(),
            resource_estimate: estimate.to_plan_form(),
        })
    }
}

/// The tasks that are not split, each after those that it waited for.
fn leaves(run: &Run) -> Plan {
    let mut parent: BTreeMap<TaskNo, TaskNo> = BTreeMap::new();
    for (no, task) in (0..).map(TaskNo).zip(run.tasks()) {
        if let TaskState::Split(parts) = &task.state {
            parent.extend(parts.iter().map(|part| (*part, no)));
        }
    }
    let is_leaf = |no: &TaskNo| {
        // Candidates count with their task.
        let task = &run.tasks()[no.index()];
        !matches!(task.state, TaskState::Split(_)) && task.candidate_of.is_none()
    };
    let numbers = (0..).map(TaskNo).take(run.tasks().len());
    let leaf = |no: TaskNo| {
        let mut waits = Vec::new();
        let mut of = Some(no);
        // What begins in the place of a split task waited for what that one waited for.
        while let Some(at) = of.filter(|_| waits.is_empty()) {
            waits = run.dependencies(at).into_iter().filter(is_leaf).collect();
            of = parent.get(&at).copied();
        }
        let id = |no: &TaskNo| run.tasks()[no.index()].spec.id.clone();
        TaskSpec {
            dependencies: waits.iter().map(id).collect(),
            inputs: Vec::new(),
            ..(*run.tasks()[no.index()].spec).clone()
        }
    };
    Plan {
        title: run.title.clone(),
        tasks: numbers.filter(is_leaf).map(leaf).collect(),
        ..Plan::default()
    }
}
