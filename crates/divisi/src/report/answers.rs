//! The five questions that a finished run must answer with yes, each with what shows it.

use divisi_core::run::{AttemptEnd, Final, Run, RunStatus, Task, TaskState, TaskStatus};
use divisi_core::{Criterion, Outcome, TaskId, TaskNo, Time};

use super::{Answered, Judged, shown};
use crate::words;

/// The answers, in the order in which they are asked.
pub(super) fn answers(run: &Run, whole: &[Judged]) -> Vec<Answered> {
    vec![
        completed(run),
        in_order(run),
        none_left(run),
        satisfied(run, whole),
        aggregated(run),
    ]
}

fn is_over(run: &Run) -> bool {
    run.ended.is_some()
}

fn completed(run: &Run) -> Answered {
    let all = run.is_fulfilled();
    let mut evidence = words::progress_of(run);
    let (failed, canceled) = run.spent_candidates();
    if failed + canceled > 0 {
        let spent = words::plural(u64::from(failed + canceled), "candidate");
        evidence.push_str(&format!("; {spent} given up"));
    }
    let closed = words::closed_reviews(run);
    if closed > 0 {
        let closed = words::plural(u64::from(closed), "review");
        evidence.push_str(&format!("; {closed} closed without a verdict"));
    }
    Answered {
        statement: "all tasks completed",
        holds: (all || is_over(run)).then_some(all),
        evidence,
    }
}

/// Whether the order was kept is seen from when attempts were leased and integrated, not from
/// what the scheduler intends.
fn in_order(run: &Run) -> Answered {
    let stages = &run.stages;
    let broken = if stages.is_empty() {
        dependency_broken(run)
    } else {
        stage_broken(run)
    };
    let kind = match stages.len() {
        0 => "no task started before what it depends on was done".to_owned(),
        many => format!(
            "{}, none started before the one before was done",
            words::plural(many as u64, "stage")
        ),
    };
    Answered {
        statement: "all stages executed in order",
        holds: match &broken {
            Some(_) => Some(false),
            None => is_over(run).then_some(true),
        },
        evidence: broken.unwrap_or(kind),
    }
}

/// When a task was first leased.
fn began(task: &Task) -> Option<Time> {
    let first = task.endings.first().map(|ending| ending.leased_at);
    first.or_else(|| task.live().map(|live| live.leased_at))
}

/// When a task was first done; where others took its place, when the last of them was.
fn finished(run: &Run, task: &Task) -> Option<Time> {
    if let TaskState::Split(parts) = &task.state {
        let of = |no: &TaskNo| finished(run, run.task(*no)?);
        let ends: Option<Vec<Time>> = parts.iter().map(of).collect();
        return ends?.into_iter().max();
    }
    let done = task
        .endings
        .iter()
        .find(|ending| ending.end == AttemptEnd::Integrated);
    done.map(|ending| ending.ended_at)
}

fn dependency_broken(run: &Run) -> Option<String> {
    run.tasks().iter().find_map(|task| {
        let start = began(task)?;
        task.spec.needs().find_map(|id| {
            let on = run.task(run.find(id)?)?;
            let late = finished(run, on).is_some_and(|end| end > start);
            late.then(|| format!("{} started before {id} was done", task.spec.id))
        })
    })
}

fn stage_broken(run: &Run) -> Option<String> {
    let mut end = Time(0);
    for (name, tasks) in &run.stages {
        let tasks = || tasks.iter().filter_map(|no| run.task(*no));
        if tasks().filter_map(began).any(|start| start < end) {
            return Some(format!(
                "{name} started before the stage before it was done"
            ));
        }
        let ends = tasks().filter_map(|task| finished(run, task));
        end = ends.fold(end, Time::max);
    }
    None
}

fn none_left(run: &Run) -> Answered {
    // What a candidate came to is its task's to tell.
    let (spent, _) = run.spent_candidates();
    let failed = run.counts().of(TaskStatus::Failed) - spent;
    let skipped = run.counts().of(TaskStatus::Skipped);
    // Somebody ended them who saw them fail, or nobody did.
    let had_failed = |task: &&Task| {
        let last = task.endings.last();
        let is_canceled = task.status() == TaskStatus::Canceled && task.candidate_of.is_none();
        is_canceled && last.is_some_and(|it| it.end.is_own_failure())
    };
    let had_failed = run.tasks().iter().filter(had_failed).count();
    let suspected = run
        .tasks()
        .iter()
        .filter(|task| task.live().is_some_and(|live| live.suspected.is_some()))
        .count();
    let lost = run
        .tasks()
        .iter()
        .flat_map(|task| task.endings.iter())
        .filter(|ending| matches!(ending.end, AttemptEnd::Lost(_)))
        .count();
    let mut evidence = format!("{failed} failed, {skipped} skipped, {suspected} suspected");
    if had_failed > 0 {
        evidence.push_str(&format!("; {had_failed} canceled after they failed"));
    }
    if lost > 0 {
        let lost = words::plural(lost as u64, "attempt");
        evidence.push_str(&format!("; {lost} lost on the way and done anew"));
    }
    let sound = failed == 0 && skipped == 0 && suspected == 0 && had_failed == 0;
    Answered {
        statement: "no task failed or was left without anyone working on it",
        holds: (is_over(run) || !sound).then_some(sound),
        evidence,
    }
}

fn satisfied(run: &Run, whole: &[Judged]) -> Answered {
    let of = |outcome| {
        whole
            .iter()
            .filter(|judged| judged.outcome == Some(outcome))
            .count()
    };
    let (holds, evidence) = match (&run.finally, whole.len()) {
        (Final::Open, _) if run.status() != RunStatus::Succeeded => {
            (None, "the whole was not judged yet".to_owned())
        }
        (_, 0) => (
            None,
            "the plan states no criteria for the whole; each task's own criteria passed".to_owned(),
        ),
        (_, many) => {
            let (pass, waived) = (of(Outcome::Pass), of(Outcome::Waived));
            let mut evidence =
                format!("{pass} of {many} criteria of the whole pass, {waived} waived");
            let as_they_are = as_they_are(run);
            if let Some(first) = as_they_are.first() {
                let more = match as_they_are.len() {
                    1 => String::new(),
                    many => format!(" and {} more", many - 1),
                };
                evidence.push_str(&format!(
                    "; that {first}{more} had nothing to change is its owner's word"
                ));
            }
            // What need not be changed, by its owner's word, is not lacking.
            let unneeded = unneeded(run);
            let all = pass + unneeded == many;
            match doubt(run).filter(|_| all) {
                Some(doubt) => (None, format!("{evidence}; but {doubt}")),
                // What nobody judged yet may still hold.
                None if !all && of(Outcome::Fail) == 0 && waived == unneeded => (None, evidence),
                None => (Some(all), evidence),
            }
        }
    };
    let holds = match run.status() {
        RunStatus::Failed | RunStatus::Canceled => Some(false),
        _ => holds,
    };
    Answered {
        statement: "the original request is satisfied",
        holds,
        evidence,
    }
}

/// How many changes that the whole wants were let pass since an owner found that a task need not make
/// them.
fn unneeded(run: &Run) -> usize {
    let (Final::Passed(verdicts) | Final::Held { verdicts, .. }) = &run.finally else {
        return 0;
    };
    let is_change = |of: u16| {
        let criterion = run.criteria.get(usize::from(of));
        criterion.is_some_and(|it| matches!(it, Criterion::Changed { .. }))
    };
    let waived = verdicts.iter().filter(|it| it.outcome == Outcome::Waived);
    waived
        .filter(|it| is_change(it.criterion) && run.found_unneeded(it.criterion))
        .count()
}

/// The tasks whose work changed nothing and stands as it is, by their owners' word.
fn as_they_are(run: &Run) -> Vec<&TaskId> {
    let is_taken = |task: &&Task| {
        let last = task.endings.last().map(|last| last.number);
        let is_done = task.status() == TaskStatus::Done;
        is_done && last.is_some_and(|last| task.takes_unchanged(last))
    };
    let taken = run.tasks().iter().filter(is_taken);
    taken.map(|task| &task.spec.id).collect()
}

/// Why the criteria of the whole, which hold, do not show that what was asked for was done. Where a
/// person or an agent judged any of it, there is their word.
fn doubt(run: &Run) -> Option<String> {
    let left_out = run.intent.iter().any(|intent| !intent.left_out.is_empty());
    if left_out {
        return Some("not all of it was done or looked at".to_owned());
    }
    if shown::is_judged(run) {
        return None;
    }
    let head = run.integration.head.as_ref();
    if head.is_some() && head == run.base.commit.as_ref() {
        return Some("no file was changed, so they held before, too".to_owned());
    }
    let unshown = shown::unshown(run);
    let first = unshown.first()?;
    let more = match unshown.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    Some(format!(
        "nothing tells whether {}{more} did what was asked for",
        first.task.spec.id
    ))
}

fn aggregated(run: &Run) -> Answered {
    let evidence = match &run.integration.head {
        Some(head) if run.base.commit.as_ref() != Some(head) => {
            format!("this report; the result is commit {}", head.short())
        }
        _ => "this report; no files were to be integrated".to_owned(),
    };
    Answered {
        statement: "the results are put together and reported",
        holds: is_over(run).then_some(true),
        evidence,
    }
}
