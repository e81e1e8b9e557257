//! How much awaits a person: counted anew from the run as the journal tells it, and held against what
//! its owner set when something is begun.

use divisi_core::criterion::Criterion;
use divisi_core::run::{Event, Phase, Run, Subject, Task, TaskState, TaskStatus};
use divisi_core::{AttemptId, TaskKind};

use crate::breaks::Oracle;
use crate::sim::{Violation, violated};

/// The limit that an owner wanted who was not heard, in the variant that is broken so.
pub(crate) const UNHEARD_MAX: u32 = 1;

/// Whether agents judge what work of this kind makes.
fn has_reviewers(run: &Run, task: &Task) -> bool {
    !run.settings.reviewers.is_empty() && task.spec.kind != TaskKind::Plan
}

/// Whether a person must judge what a task makes.
fn is_for_person(run: &Run, task: &Task) -> bool {
    let is_plain = |criterion: &Criterion| matches!(criterion, Criterion::Plain { .. });
    task.spec.criteria.iter().any(is_plain) && !has_reviewers(run, task)
}

/// Whether a review of what a task made is open.
fn is_reviewed(run: &Run, task: &Task) -> bool {
    run.tasks().iter().any(|review| match &review.reviews {
        Some(Subject::Attempt(of)) if !review.status().is_terminal() => run
            .task(of.task)
            .is_some_and(|it| it.spec.id == task.spec.id),
        _ => false,
    })
}

/// Whether a person must judge what a task made, or soon has made.
fn awaits(run: &Run, task: &Task) -> bool {
    let is_held = |task: &Task| {
        task.live()
            .is_some_and(|live| matches!(live.phase, Phase::Held { .. }))
    };
    match task.status() {
        TaskStatus::Running | TaskStatus::Verifying => is_for_person(run, task),
        TaskStatus::Blocked if is_held(task) => !is_reviewed(run, task),
        // It came to nothing: a person judges what it was about.
        TaskStatus::Blocked => {
            let stands = matches!(task.state, TaskState::Escalated(_) | TaskState::Question(_));
            task.reviews.is_some() && stands
        }
        _ => false,
    }
}

/// No more of what a person must judge is begun than may await that.
///
/// # Errors
/// There is as much already.
pub(crate) fn judge_lease(run: &Run, max: u32, attempt: AttemptId) -> Result<(), Violation> {
    let task = run.task(attempt.task).filter(|_| max > 0);
    if !task.is_some_and(|task| is_for_person(run, task)) {
        return Ok(());
    }
    let many = { run.tasks().iter() }
        .filter(|task| awaits(run, task))
        .count();
    match many < max as usize {
        true => Ok(()),
        false => violated(
            Oracle::Awaiting,
            format!("{attempt} is begun though {many} results of {max} await a person"),
        ),
    }
}

/// Whether an event ends what held a task of this run back.
pub(crate) fn frees(before: &Run, event: &Event, after: &Run) -> bool {
    let is_held_back = |run: &Run| run.tasks().iter().any(|task| run.is_held_back(task));
    !matches!(event, Event::RunEnded { .. }) && is_held_back(before) && !is_held_back(after)
}
