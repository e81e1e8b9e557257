//! What a sane run is, executable. A defect found is an invariant added.

use super::agents::holds_slot;
use super::attempt::{AttemptEnd, Phase};
use super::candidates::TAKEN;
use super::parts::PLAN_NESTING_MAX;
use super::state::{Final, Run, RunStatus};
use super::task::{TaskState, TaskStatus};
use crate::ids::{AttemptId, TaskNo};
use crate::plan::{TASKS_MAX, TaskKind};

/// Checks everything that must hold of a run between two decisions. Linear in tasks and edges.
///
/// # Errors
/// The first violation, in words.
pub fn check(run: &Run) -> Result<(), String> {
    tasks(run)?;
    parts(run)?;
    reviews(run)?;
    candidates(run)?;
    integration(run)?;
    indexes(run)?;
    permissions(run)?;
    ending(run)
}

fn tasks(run: &Run) -> Result<(), String> {
    // A done task is redone only when everything was done: then its dependents have started.
    let redone = run.tasks().iter().any(|task| {
        let integrated = |ending: &super::Ending| ending.end == super::AttemptEnd::Integrated;
        task.status() != TaskStatus::Done && task.endings.iter().any(integrated)
    });
    let joins = run.open_joins();
    for task in run.tasks() {
        let name = &task.spec.id;
        let unmet = run.is_open(&task.links.waits, &joins);
        let started = !matches!(
            task.state,
            TaskState::Waiting | TaskState::Skipped(_) | TaskState::Canceled | TaskState::Split(_)
        );
        if unmet && started && !redone && task.status() != TaskStatus::Failed {
            return Err(format!(
                "task {name} is {} though a dependency is not done",
                task.status()
            ));
        }
        if !unmet && matches!(task.state, TaskState::Waiting) {
            return Err(format!("task {name} waits for nothing"));
        }
        let integrated = task
            .endings
            .iter()
            .filter(|ending| ending.end == super::AttemptEnd::Integrated)
            .count();
        let otherwise = task.spec.kind == crate::plan::TaskKind::Approval || !task.is_planned();
        if task.status() == TaskStatus::Done && integrated == 0 && !otherwise {
            return Err(format!(
                "task {name} is done though no attempt was integrated"
            ));
        }
        let numbers: Vec<u32> = task.endings.iter().map(|ending| ending.number).collect();
        if numbers
            .iter()
            .enumerate()
            .any(|(at, number)| *number != at as u32 + 1)
        {
            return Err(format!("task {name} has attempts {numbers:?}"));
        }
        if let Some(live) = task.live()
            && live.number as usize != task.endings.len() + 1
        {
            return Err(format!(
                "task {name} has live attempt {} after {numbers:?}",
                live.number
            ));
        }
        let failures = task
            .endings
            .iter()
            .filter(|ending| ending.end.is_own_failure())
            .count();
        if task.failures as usize > failures {
            return Err(format!(
                "task {name} counts {} failures of {failures}",
                task.failures
            ));
        }
    }
    Ok(())
}

/// Tasks that took others' places: each place is taken once, by what its last attempt planned or by
/// what a person said, and never too deep.
fn parts(run: &Run) -> Result<(), String> {
    if run.tasks().len() > TASKS_MAX {
        return Err(format!("the run has {} tasks", run.tasks().len()));
    }
    let mut taken = vec![false; run.tasks().len()];
    for (no, task) in run.tasks().iter().enumerate() {
        let name = &task.spec.id;
        let plans = task.spec.kind == TaskKind::Plan;
        let depth_max = run.settings.sizes.split_depth_max;
        if task.depth > depth_max || task.nesting + u32::from(plans) > PLAN_NESTING_MAX {
            return Err(format!(
                "task {name} stands {} splits and {} plans deep",
                task.depth, task.nesting
            ));
        }
        let expanded = |ending: &&super::Ending| ending.end == AttemptEnd::Expanded;
        let many = task.endings.iter().filter(expanded).count();
        let last = task.endings.last().is_some_and(|last| expanded(&last));
        let TaskState::Split(parts) = &task.state else {
            if many > 0 {
                return Err(format!(
                    "task {name} is {} though it planned",
                    task.status()
                ));
            }
            continue;
        };
        if many > 1 || (many == 1) != last || (last && !plans) {
            return Err(format!("task {name} was expanded {many} times"));
        }
        for part in parts {
            let nesting = task.nesting + u32::from(last);
            let stands_for = |part: &super::Task| part.replaces.map(TaskNo::index) == Some(no);
            let fits = run.task(*part);
            let fits = fits.is_some_and(|it| it.nesting == nesting && stands_for(it));
            let own = part.index() > no && fits;
            if !own || std::mem::replace(&mut taken[part.index()], true) {
                return Err(format!("task {name} has a part that is not its own"));
            }
        }
    }
    Ok(())
}

/// Reviews judge what is held; nothing waits for them.
fn reviews(run: &Run) -> Result<(), String> {
    for (no, task) in run.tasks().iter().enumerate() {
        let Some(subject) = &task.reviews else {
            continue;
        };
        let name = &task.spec.id;
        if !task.links.waits.is_empty() || !task.links.feeds.is_empty() {
            return Err(format!("review {name} is part of the plan"));
        }
        if task
            .endings
            .iter()
            .any(|it| it.end == AttemptEnd::Integrated)
        {
            return Err(format!("review {name} was integrated"));
        }
        let waits = matches!(
            task.state,
            TaskState::Ready { .. } | TaskState::Escalated(_)
        );
        if run.ended.is_none() && waits && run.under_review(subject).is_none() {
            return Err(format!(
                "review {name} is {}, and nobody needs it",
                task.status()
            ));
        }
        let is_open = run.open_reviews.contains(&TaskNo(no as u32));
        if is_open == task.status().is_terminal() {
            return Err(format!(
                "review {name} is {} and open: {is_open}",
                task.status()
            ));
        }
    }
    Ok(())
}

/// Of several solutions at most one is taken, by the task that they are for, once all have ended.
fn candidates(run: &Run) -> Result<(), String> {
    if let Some(no) = run.to_choose.first() {
        let name = &run.tasks()[no.index()].spec.id;
        return Err(format!("nothing was chosen for {name}"));
    }
    for task in run.tasks() {
        let name = &task.spec.id;
        let integrated = |it: &super::Ending| it.end == AttemptEnd::Integrated;
        if let Some(from) = task.taken() {
            let live = task.live().filter(|live| live.number == TAKEN);
            let own = live.map(|live| &live.agent);
            let own = own.or(task.ending(TAKEN).map(|ending| &ending.agent));
            let made = run.task(from.task).and_then(|it| it.ending(from.number));
            let passed = made.filter(|made| made.end == AttemptEnd::Measured);
            if passed.is_none() || own != passed.map(|made| &made.agent) {
                return Err(format!("{name} did not take the work of {from} first"));
            }
        }
        let Some(of) = task.candidate_of else {
            continue;
        };
        let of = &run.tasks()[of.index()];
        if task.endings.iter().any(integrated) {
            return Err(format!("candidate {name} was integrated"));
        }
        if matches!(task.state, TaskState::Escalated(_)) {
            return Err(format!("candidate {name} awaits a person in vain"));
        }
        let measured = |it: &super::Ending| it.end == AttemptEnd::Measured;
        if (task.status() == TaskStatus::Done) != task.endings.last().is_some_and(measured) {
            return Err(format!("candidate {name} is {} otherwise", task.status()));
        }
        if of.chosen.is_some() && !task.status().is_terminal() {
            return Err(format!("candidate {name} came after what was chosen"));
        }
        if of.awaits_candidates() && of.attempts() > 0 {
            return Err(format!("{} did not wait for its candidates", of.spec.id));
        }
    }
    Ok(())
}

fn integration(run: &Run) -> Result<(), String> {
    let queued: Vec<&AttemptId> = run.integration.queue.iter().collect();
    for attempt in &queued {
        let phase = run
            .task(attempt.task)
            .and_then(|task| task.live())
            .map(|live| &live.phase);
        if phase != Some(&Phase::Verified) {
            return Err(format!(
                "attempt {attempt} is queued for integration in phase {phase:?}"
            ));
        }
    }
    for attempt in &run.integration.prepared {
        let phase = run
            .task(attempt.task)
            .and_then(|task| task.live())
            .map(|live| &live.phase);
        if !matches!(phase, Some(Phase::Prepared { .. })) {
            return Err(format!("attempt {attempt} is prepared in phase {phase:?}"));
        }
    }
    let verified = |phase: &Phase| matches!(phase, Phase::Verified | Phase::Prepared { .. });
    let live = run
        .tasks()
        .iter()
        .filter(|task| task.is_merged())
        .filter_map(|task| task.live())
        .filter(|live| verified(&live.phase))
        .count();
    let known = queued.len() + run.integration.prepared.len();
    if live != known {
        return Err(format!(
            "{live} attempts are verified, {known} are on their way to the branch"
        ));
    }
    Ok(())
}

/// What `apply` keeps incrementally equals what a fresh derivation gives.
fn indexes(run: &Run) -> Result<(), String> {
    let mut fresh = run.clone();
    fresh.derive();
    if fresh.counts != run.counts {
        return Err(format!(
            "counts are {:?}, derived {:?}",
            run.counts, fresh.counts
        ));
    }
    if fresh.owed != run.owed {
        return Err(format!("owed is {:?}, derived {:?}", run.owed, fresh.owed));
    }
    if fresh.delayed != run.delayed || fresh.slots != run.slots || fresh.live != run.live {
        return Err("delayed tasks, live tasks or slots differ from their derivation".to_owned());
    }
    if fresh.awaiting != run.awaiting {
        return Err("what awaits a person differs from its derivation".to_owned());
    }
    if fresh.to_choose != run.to_choose {
        return Err("what is to be chosen differs from its derivation".to_owned());
    }
    if fresh.asking != run.asking {
        return Err("requests that wait differ from their derivation".to_owned());
    }
    for (task, other) in run.tasks.iter().zip(&fresh.tasks) {
        if task.unmet != other.unmet {
            return Err(format!(
                "task {} counts {} unmet, derived {}",
                task.spec.id, task.unmet, other.unmet
            ));
        }
    }
    let ready = |run: &Run| {
        let mut all: Vec<_> = run
            .classes
            .iter()
            .filter(|class| class.live > 0 || !class.ready.is_empty())
            .map(|class| {
                (
                    class.agent.clone(),
                    class.role.clone(),
                    class.for_person,
                    class.instead.clone(),
                    class.live,
                    class.ready.clone(),
                )
            })
            .collect();
        all.sort_by(|a, b| (&a.0, &a.1, a.2, &a.3).cmp(&(&b.0, &b.1, b.2, &b.3)));
        all
    };
    if ready(&fresh) != ready(run) {
        return Err("ready tasks differ from their derivation".to_owned());
    }
    let live = run.tasks().iter().filter_map(|task| task.live());
    let slots = live
        .filter(|live| {
            holds_slot(&live.agent) && matches!(live.phase, Phase::Leased | Phase::Working)
        })
        .count();
    if slots as u32 > run.settings.workers_max.max(1) {
        return Err(format!(
            "{slots} slots are taken of {}",
            run.settings.workers_max
        ));
    }
    Ok(())
}

/// Requests have numbers of their own, are kept to a bound, and wait only while somebody works.
fn permissions(run: &Run) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for task in run.tasks() {
        let name = &task.spec.id;
        let live = task.live().map(|live| &live.permissions);
        let ended = task.endings.iter().map(|ending| &ending.permissions);
        for kept in ended.chain(live) {
            if kept.len() > super::permissions::KEPT_MAX {
                return Err(format!("task {name} keeps {} requests", kept.len()));
            }
            for one in kept {
                if !seen.insert(one.no) || one.no == 0 || one.no > run.permissions_asked {
                    return Err(format!("request {} of {name} has another's number", one.no));
                }
            }
        }
        let waits = |one: &crate::permission::Permission| one.deadline_at().is_some();
        let over = task.endings.iter().flat_map(|ending| &ending.permissions);
        let works = |live: &&super::Attempt| matches!(live.phase, Phase::Leased | Phase::Working);
        let idle = task.live().filter(|live| !works(live));
        if over
            .chain(idle.into_iter().flat_map(|live| &live.permissions))
            .any(waits)
        {
            return Err(format!("task {name} waits for an answer that nobody takes"));
        }
    }
    Ok(())
}

fn ending(run: &Run) -> Result<(), String> {
    let Some((status, _)) = run.ended else {
        return Ok(());
    };
    if let Some(task) = run.tasks().iter().find(|task| !task.status().is_terminal()) {
        return Err(format!(
            "the run has {status} though task {} is {}",
            task.spec.id,
            task.status()
        ));
    }
    if status == RunStatus::Succeeded {
        if !run.is_fulfilled() {
            return Err("the run succeeded though not all of its tasks are done".to_owned());
        }
        if run.needs_final_check() && !matches!(run.finally, Final::Passed(_)) {
            return Err("the run succeeded though the whole was not checked".to_owned());
        }
    }
    Ok(())
}
