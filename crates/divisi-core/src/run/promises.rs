//! What a task promised, its parts promise together (T7).
//!
//! What whoever planned or wrote them did not name stands with the part that comes last and waits for
//! the others: what is to hold of the whole can be judged only when all of it is there.

use std::collections::BTreeSet;

use super::division;
use super::parts::stage_of;
use crate::criterion::{Cost, Criterion};
use crate::ids::TaskId;
use crate::plan::{Deliverable, Parts, Stage, TaskKind, TaskSpec, Work, WorkspaceKind};

/// Gives parts that a person wrote what the task promises and none of them takes over.
///
/// # Errors
/// That, where what comes last makes nothing and so can promise nothing.
pub(super) fn keep(spec: &TaskSpec, parts: &mut Parts, has_base: bool) -> Result<(), Vec<String>> {
    let files: Vec<&Deliverable> = { spec.deliverables.iter() }
        .filter(|file| {
            !parts
                .tasks
                .iter()
                .any(|part| part.deliverables.contains(file))
        })
        .collect();
    let criteria: Vec<Criterion> = { spec.criteria.iter() }
        .filter(|it| **it != Criterion::ExitStatus && !is_taken_over(it, &parts.tasks))
        .cloned()
        .collect();
    let of_one = |it: &&Criterion| !division::bounds_all(it);
    if files.is_empty() && !criteria.iter().any(|it| of_one(&it)) {
        hold(&criteria, parts);
        return Ok(());
    }
    let last = last(parts);
    if !can_promise(&parts.tasks[last]) {
        let files = files.iter().map(|it| format!("it makes {}", it.path));
        let criteria = criteria.iter().filter(of_one).map(ToString::to_string);
        return Err(files.chain(criteria).collect());
    }
    if !files.is_empty() {
        let files = files.into_iter().cloned();
        parts.tasks[last].deliverables.extend(files);
        wait_for_all(last, parts);
    }
    hold(&criteria, parts);
    for part in &mut parts.tasks {
        let has_files = part.criteria.iter().any(|it| it.cost() == Cost::Cheap);
        if has_base && has_files && part.workspace == WorkspaceKind::Shared {
            part.workspace = WorkspaceKind::Worktree;
        }
    }
    Ok(())
}

/// Whether a part says it, too: of a file's size, that it is no less.
fn is_taken_over(criterion: &Criterion, parts: &[TaskSpec]) -> bool {
    let says = |other: &Criterion| match (criterion, other) {
        (
            Criterion::File { path, min_bytes },
            Criterion::File {
                path: its,
                min_bytes: has,
            },
        ) => path == its && has >= min_bytes,
        _ => criterion == other,
    };
    let says = |part: &TaskSpec| part.criteria.iter().any(says);
    match division::bounds_all(criterion) {
        true => parts.iter().all(says),
        false => parts.iter().any(says),
    }
}

/// Whether something is made that can be checked: no consent is, and a plan is checked as one.
fn can_promise(part: &TaskSpec) -> bool {
    !matches!(part.kind, TaskKind::Approval | TaskKind::Plan)
}

/// Gives each of a task's criteria to the last part that makes its file, and what speaks of no single
/// file to the last part of all, which then waits for the others. A later stage is later.
pub(super) fn hold(criteria: &[Criterion], parts: &mut Parts) {
    let last = last(parts);
    let stage_of = stage_of(&parts.tasks, &parts.stages);
    let later = |at: &usize| (stage_of[*at], *at);
    let tasks = &mut parts.tasks[..];
    let mut needs_all = false;
    for criterion in criteria {
        if let Criterion::Changed { pattern } = criterion {
            let at = changing(pattern, tasks);
            let part = at.map(|at| &mut tasks[at].criteria);
            if let Some(its) = part.filter(|its| !its.contains(criterion)) {
                its.push(criterion.clone());
            }
            continue;
        }
        let makes = |at: &usize| {
            let file = criterion.file();
            let mut made = tasks[*at].deliverables.iter();
            made.any(|it| Some(it.path.as_str()) == file)
        };
        let at: Vec<usize> = match division::bounds_all(criterion) {
            true => (0..tasks.len()).collect(),
            false => match { 0..tasks.len() }.filter(makes).max_by_key(later) {
                Some(at) if !matches!(criterion, Criterion::Schema { .. }) => vec![at],
                _ => {
                    needs_all = true;
                    vec![last]
                }
            },
        };
        for at in at {
            if !tasks[at].criteria.contains(criterion) {
                tasks[at].criteria.push(criterion.clone());
            }
        }
    }
    if needs_all {
        wait_for_all(last, parts);
    }
}

/// The part that is to make a change: the first that names these files or, as every other could be
/// refused for what is none of its work, that names none. What they change together is told of the
/// whole alone.
fn changing(pattern: &str, parts: &[TaskSpec]) -> Option<usize> {
    let names = |part: &TaskSpec| {
        let promised = part.deliverables.iter().map(|it| &it.path);
        part.scope.iter().chain(promised).any(|it| it == pattern)
    };
    let is_open = |part: &TaskSpec| {
        let works = part.kind == TaskKind::Work && part.work == Work::Handoff;
        works && part.scope.is_empty() && part.deliverables.is_empty()
    };
    parts
        .iter()
        .position(names)
        .or_else(|| parts.iter().position(is_open))
}

/// The parts that none of the others waits for, the last one last.
fn ends(parts: &Parts) -> Vec<usize> {
    let stage_of = stage_of(&parts.tasks, &parts.stages);
    let waited: BTreeSet<&TaskId> = parts.tasks.iter().flat_map(TaskSpec::needs).collect();
    let mut ends: Vec<usize> = { 0..parts.tasks.len() }
        .filter(|at| !waited.contains(&parts.tasks[*at].id))
        .collect();
    ends.sort_by_key(|at| (stage_of[*at], *at));
    ends
}

fn last(parts: &Parts) -> usize {
    ends(parts).pop().unwrap_or(parts.tasks.len() - 1)
}

/// Has the last part wait for all others.
fn wait_for_all(last: usize, parts: &mut Parts) {
    if !parts.stages.is_empty() {
        stand_last(&parts.tasks[last].id, &mut parts.stages);
        return;
    }
    let others: Vec<TaskId> = { ends(parts).into_iter() }
        .filter(|at| *at != last)
        .map(|at| parts.tasks[at].id.clone())
        .collect();
    parts.tasks[last].dependencies.extend(others);
}

/// Gives a part of the last stage one of its own after it: tasks of one stage cannot wait for each
/// other.
fn stand_last(id: &TaskId, stages: &mut Vec<Stage>) {
    let beside = |stage: &&mut Stage| stage.tasks.len() > 1 && stage.tasks.contains(id);
    let Some(stage) = stages.iter_mut().find(beside) else {
        return;
    };
    stage.tasks.retain(|it| it != id);
    stages.push(Stage {
        name: id.to_string(),
        tasks: vec![id.clone()],
    });
}
