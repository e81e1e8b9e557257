//! Tasks that policy splits after they failed: what takes their place is all of them, and no more.

use std::collections::BTreeSet;

use divisi_core::criterion::Criterion;
use divisi_core::ids::{AttemptId, TaskNo};
use divisi_core::journal::Batch;
use divisi_core::plan::{TaskKind, TaskSpec, Work};
use divisi_core::run::{AttemptEnd, Event, Failure, Run, Then, holds_slot};

use crate::breaks::Oracle;
use crate::sim::{Violation, violated};

/// The task that an event says is split, if it does: its parts come next.
pub(crate) fn divides(event: &Event) -> Option<TaskNo> {
    match event {
        Event::AttemptEnded {
            attempt,
            then: Then::Split(_),
            ..
        } => Some(attempt.task),
        _ => None,
    }
}

/// What was said to come next came.
///
/// # Errors
/// Something else did.
pub(crate) fn judge_next(owed: TaskNo, event: &Event) -> Result<(), Violation> {
    match event {
        Event::TaskSplit {
            task,
            planned: None,
            ..
        } if *task == owed => Ok(()),
        other => violated(
            Oracle::Division,
            format!("task {} is to be split, and then: {other:?}", owed.0),
        ),
    }
}

/// The parts of a task, as it was before, are together what it was: every criterion and file, each of
/// them falsifiable, and no more than was left of its budget.
///
/// # Errors
/// They are not.
pub(crate) fn judge_division(
    before: &Run,
    task: TaskNo,
    parts: &[TaskSpec],
) -> Result<(), Violation> {
    let task = &before.tasks()[task.index()];
    let wrong = |what: String| violated(Oracle::Division, format!("{}: {what}", task.spec.id));
    if let [plan] = parts {
        let is_plan = plan.kind == TaskKind::Plan && plan.work == Work::Handoff;
        let is_due =
            task.depth < before.settings.sizes.split_depth_max && task.spec.work == Work::Handoff;
        return match is_plan && is_due && plan.agent == task.spec.agent {
            true => judge_shares(&task.spec, parts),
            false => wrong(format!("{} plans in its place", plan.id)),
        };
    }
    if task.depth >= before.settings.sizes.split_depth_max {
        return wrong(format!("it is split {} deep", task.depth));
    }
    for criterion in &task.spec.criteria {
        if !parts.iter().any(|part| part.criteria.contains(criterion)) {
            return wrong(format!("no part has to meet {criterion}"));
        }
    }
    for file in &task.spec.deliverables {
        let promise = |part: &&TaskSpec| part.deliverables.contains(file);
        if parts.iter().filter(promise).count() != 1 {
            return wrong(format!("{} is not promised once", file.path));
        }
    }
    for part in parts {
        if !part.criteria.iter().any(Criterion::is_falsifiable) {
            return wrong(format!("nothing can refuse {}", part.id));
        }
        if part.work != task.spec.work || part.workspace != task.spec.workspace {
            return wrong(format!("{} is other work", part.id));
        }
    }
    judge_shares(&task.spec, parts)
}

/// Parts have together no more than was left of a task's budget.
fn judge_shares(spec: &TaskSpec, parts: &[TaskSpec]) -> Result<(), Violation> {
    for bound in spec.budget.bounds() {
        let measure = bound.measure();
        let shares = parts.iter().map(|part| part.budget.of(measure));
        let sum = shares.sum::<Option<u64>>();
        // Each attempt before it took at least itself.
        let most = match measure {
            divisi_core::ledger::Measure::Attempts => bound.much().saturating_sub(1),
            _ => bound.much(),
        };
        if sum.is_none_or(|sum| sum > most) {
            let what = format!("{}: its parts have {sum:?} of {bound}", spec.id);
            return violated(Oracle::Division, what);
        }
    }
    Ok(())
}

/// What was planned in the place of a task that outgrew itself has to meet all that this one had to,
/// is done in words by its agent, and has no more than was left for it.
///
/// # Errors
/// It does not.
pub(crate) fn judge_held(
    before: &Run,
    (outgrown, plan): (TaskNo, TaskNo),
    parts: &[TaskSpec],
) -> Result<(), Violation> {
    let of = |no: TaskNo| &before.tasks()[no.index()].spec;
    let spec = of(outgrown);
    let wrong = |what: String| violated(Oracle::Division, format!("{}: {what}", spec.id));
    for criterion in &spec.criteria {
        if !parts.iter().any(|part| part.criteria.contains(criterion)) {
            return wrong(format!("nothing planned has to meet {criterion}"));
        }
    }
    for part in parts {
        if part.work != Work::Handoff || part.agent != spec.agent || part.env != spec.env {
            return wrong(format!("{} is other work than it was", part.id));
        }
    }
    judge_shares(of(plan), parts)
}

/// Nobody is asked about work that could have been split.
///
/// # Errors
/// Somebody is.
pub(crate) fn judge_escalation(
    before: &Run,
    attempt: AttemptId,
    end: &AttemptEnd,
    then: &Then,
) -> Result<(), Violation> {
    let task = &before.tasks()[attempt.task.index()];
    let refused = matches!(end, AttemptEnd::Refused(Failure::Checks(_)));
    if !refused || !matches!(then, Then::Escalate(_)) || before.settings.split_after == 0 {
        return Ok(());
    }
    let in_words = task.spec.work == Work::Handoff && task.spec.kind == TaskKind::Work;
    let by_agent = holds_slot(task.agent(&before.settings));
    let files: BTreeSet<&str> = task
        .spec
        .criteria
        .iter()
        .filter_map(Criterion::file)
        .collect();
    let bounded = task.spec.budget.is_bounded();
    // A piece of one of several solutions could not be compared with the others.
    let alone = task.candidate_of.is_none();
    // What is expected to be short, and was, is done whole.
    let expected = &task.spec.estimate;
    let expected = expected.duration_max_ms.or(expected.duration_ms);
    let took = { task.endings.iter() }.map(|it| it.ended_at.ms_since(it.leased_at));
    let takes = task.live().map(|it| before.last_at.ms_since(it.leased_at));
    let is_long = took
        .chain(takes)
        .any(|ms| ms >= before.settings.sizes.split_ms_min);
    let short = expected.is_some_and(|ms| ms < before.settings.sizes.split_ms_min) && !is_long;
    let fits = in_words && by_agent && alone && files.len() > 1 && !bounded && !short;
    match fits && task.depth < before.settings.sizes.split_depth_max {
        false => Ok(()),
        true => violated(
            Oracle::Division,
            format!("{attempt} could have been split: {then:?}"),
        ),
    }
}

/// What a core would write that forgets a criterion.
pub(crate) fn forget_criteria(batch: &mut Batch) {
    let mut divides = false;
    for entry in &mut batch.entries {
        let Ok(mut event) = serde_json::from_str::<Event>(&entry.body) else {
            continue;
        };
        if let (true, Event::TaskSplit { parts, .. }) = (divides, &mut event) {
            parts[0].criteria.remove(0);
            entry.body = serde_json::to_string(&event).expect("events are plain data");
        }
        divides = self::divides(&event).is_some();
    }
}
