//! The tasks of a run that stand: what took the place of others is in, what it replaced is out.

use std::collections::BTreeSet;

use divisi_core::plan::{Input, Stage, Work};
use divisi_core::run::{Run, TaskState};
use divisi_core::{Digest, Plan, TaskId, TaskKind, TaskNo, TaskSpec};

/// What a run came to, as something that can be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The plan of its tasks, each with all tasks that it waited for.
    pub plan: Plan,
    /// Tasks that are left out, in words.
    pub left_out: Vec<String>,
    /// Tasks that were split, other than by the rules of a bundle.
    pub split: Vec<String>,
    /// The bundle by whose rules its tasks were made, if all were.
    pub bundle: Option<Digest>,
}

/// What of a run stands.
#[must_use]
pub fn standing(run: &Run) -> Standing {
    let mut left_out = Vec::new();
    let mut tasks = Vec::new();
    for (at, task) in run.tasks().iter().enumerate() {
        let id = &task.spec.id;
        match (&task.state, task.spec.kind) {
            (TaskState::Split(_), _) => {}
            (TaskState::Done, TaskKind::External) => left_out.push(format!(
                "{id}, which brought in a file from outside; workflows take what is in the tree"
            )),
            (TaskState::Done, _) => tasks.push(spec(run, TaskNo(at as u32))),
            _ => left_out.push(format!("{id}, which is {}", task.status().word())),
        }
    }
    let kept: BTreeSet<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
    for task in &mut tasks {
        task.dependencies.retain(|id| kept.contains(id));
        task.inputs.retain(|input| match input {
            Input::Task(id) => kept.contains(id),
            Input::Path(_) => true,
        });
    }
    let stages = run.stages.iter().map(|(name, tasks)| Stage {
        name: name.clone(),
        tasks: { tasks.iter() }
            .flat_map(|&no| leaves(run, no))
            .map(|no| run.tasks()[no.index()].spec.id.clone())
            .filter(|id| kept.contains(id))
            .collect(),
    });
    let is_split = |task: &&divisi_core::run::Task| {
        matches!(task.state, TaskState::Split(_)) && !matches!(task.spec.work, Work::Expand(_))
    };
    let split = run.tasks().iter().filter(is_split);
    Standing {
        split: split.map(|task| task.spec.id.to_string()).collect(),
        plan: Plan {
            title: run.title.clone(),
            tasks,
            stages: stages.collect(),
            criteria: run.criteria.clone(),
            preparation: (*run.preparation).clone(),
            roles: (*run.roles).clone(),
        },
        left_out,
        bundle: bundle(run),
    }
}

/// The tasks that stand in the place of one.
fn leaves(run: &Run, no: TaskNo) -> Vec<TaskNo> {
    let (mut found, mut open) = (Vec::new(), vec![no]);
    while let Some(no) = open.pop() {
        match &run.tasks()[no.index()].state {
            TaskState::Split(parts) => open.extend(parts.iter().rev()),
            _ => found.push(no),
        }
    }
    found
}

fn spec(run: &Run, no: TaskNo) -> TaskSpec {
    let mut spec = (*run.tasks()[no.index()].spec).clone();
    let id = |no: TaskNo| run.tasks()[no.index()].spec.id.clone();
    let inputs = spec.inputs.iter().flat_map(|input| match input {
        Input::Path(path) => vec![Input::Path(path.clone())],
        Input::Task(of) => { run.find(of).into_iter() }
            .flat_map(|no| leaves(run, no))
            .map(|no| Input::Task(id(no)))
            .collect(),
    });
    spec.inputs = inputs.collect();
    let waits = run.dependencies(no);
    let waits = waits.into_iter().flat_map(|no| leaves(run, no)).map(id);
    let is_taken = |of: &TaskId| spec.inputs.contains(&Input::Task(of.clone()));
    let waits: Vec<TaskId> = waits.filter(|of| !is_taken(of)).collect();
    spec.dependencies = waits;
    spec
}

/// The bundle of a run of a workflow: every task of its first plan expands by the same rules.
fn bundle(run: &Run) -> Option<Digest> {
    let parts: BTreeSet<TaskNo> = { run.tasks().iter() }
        .filter_map(|task| match &task.state {
            TaskState::Split(parts) => Some(parts),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    let first = (0..run.tasks().len()).filter(|&at| !parts.contains(&TaskNo(at as u32)));
    let mut digests = first.map(|at| match &run.tasks()[at].spec.work {
        Work::Expand(expansion) => Some(expansion.bundle.clone()),
        _ => None,
    });
    let one = digests.next()??;
    digests
        .all(|other| other.as_ref() == Some(&one))
        .then_some(one)
}
