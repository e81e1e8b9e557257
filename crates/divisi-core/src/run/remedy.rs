//! What policy does after a failure (T7): retry, reassign, split, escalate, each with a bound of its
//! own.
//!
//! Only the agent's own failures count towards escalation. Losses, conflicts, interruptions and
//! cancellations are not its fault and have bounds of their own.

use super::attempt::{Attempt, AttemptEnd, Ending, Failure, StopReason};
use super::division::{self, Failed, Undivided};
use super::event::Then;
use super::outgrown;
use super::spending;
use super::state::Run;
use super::task::Task;
use crate::criterion::{Outcome, Verdict, truncate};
use crate::ids::{TaskNo, Time};
use crate::ledger::{Amount, Bound, LimitThen};
use crate::permission::Permission;
use crate::plan::{Parts, Work};
use crate::receipt::{Exit, Receipt};

/// What becomes of a task whose attempt ended so.
#[must_use]
pub(super) struct Remedy {
    pub(super) then: Then,
    /// What takes its place, if it is split.
    pub(super) parts: Option<Parts>,
}

impl From<Then> for Remedy {
    fn from(then: Then) -> Remedy {
        Remedy { then, parts: None }
    }
}

/// Chooses it.
pub(super) fn choose(
    run: &Run,
    no: TaskNo,
    end: &AttemptEnd,
    receipts: &[Receipt],
    now: Time,
) -> Remedy {
    let task = &run.tasks()[no.index()];
    // However it ends, even lost: its owner does not want it any more.
    let canceled = |live: &Attempt| live.stopping == Some(StopReason::Canceled);
    if run.canceling || task.live().is_some_and(canceled) {
        return Then::Cancel.into();
    }
    let then = match end {
        AttemptEnd::Stopped(StopReason::Canceled) => Then::Cancel,
        AttemptEnd::Asked(question) => Then::Ask(question.clone()),
        AttemptEnd::Integrated
        | AttemptEnd::Expanded
        | AttemptEnd::Reviewed
        | AttemptEnd::Measured
        | AttemptEnd::Errored(Failure::Preparation(_))
        // Another one follows when the ledger has something to reserve for it, and not before.
        | AttemptEnd::Stopped(StopReason::OverBudget(_) | StopReason::Interrupted) => Then::Retry {
            not_before: Time(0),
        },
        AttemptEnd::Lost(_) => after_loss(run, task, now),
        AttemptEnd::Limited { ends_at, .. } => after_limit(run, task, *ends_at, now),
        AttemptEnd::UsedUp(bound) => return after_used_up(run, no, *bound, (end, receipts)),
        AttemptEnd::Refused(Failure::Conflict(paths)) => after_conflict(run, task, paths),
        AttemptEnd::Errored(Failure::Start {
            cause,
            permanent: true,
        }) => match next_agent(run, task) {
            // Another one does not fail exactly so.
            Some(agent) => Then::Reassign { agent },
            None => Then::Escalate(format!("it cannot be started: {cause}")),
        },
        // Whoever was to do it says that they cannot, and would say so again.
        AttemptEnd::Refused(Failure::Person(reason))
            if task.live().is_some_and(Attempt::awaits_submission) =>
        {
            match next_agent(run, task) {
                Some(agent) => Then::Reassign { agent },
                None => Then::Escalate(could_not(reason)),
            }
        }
        // The same rules on the same files give the same again.
        AttemptEnd::Refused(failure @ Failure::Plan(_))
            if matches!(task.spec.work, Work::Expand(_)) =>
        {
            Then::Escalate(failure_words(failure))
        }
        AttemptEnd::Refused(failure @ Failure::Composition(_)) => {
            Then::Escalate(failure_words(failure))
        }
        AttemptEnd::Refused(_) | AttemptEnd::Errored(_) | AttemptEnd::Stopped(_) => {
            return after_failure(run, no, end, receipts);
        }
    };
    then.into()
}

fn after_failure(run: &Run, no: TaskNo, end: &AttemptEnd, receipts: &[Receipt]) -> Remedy {
    let task = &run.tasks()[no.index()];
    if is_about_work(task, end)
        && let Some(why) = outgrown::shows(run, no, end, receipts)
        && let Some(planned) = planned(run, no, (end, receipts), why)
    {
        return planned;
    }
    let failures = task.failures + 1;
    let bound = match task.spec.retries {
        Some(retries) => retries.saturating_add(1),
        None => run.settings.failures_max.max(1),
    };
    // One that may fail less often than that still has a last try for another agent.
    let threshold = run.settings.reassign_after.min(bound - 1);
    // The same agent would ask the same again, and as a whole it would fail so: another one may not,
    // nor may each of its parts.
    let unanswered = unanswered_again(task);
    if failures < bound
        && (failures >= threshold || unanswered.is_some())
        && let Some(agent) = next_agent(run, task)
    {
        return Then::Reassign { agent }.into();
    }
    let why = || {
        let times = match failures {
            1 => "once".to_owned(),
            many => format!("{many} times"),
        };
        let (before, asked) = task.live().map_or((&[][..], &[][..]), |live| {
            (&live.receipts[..], &live.permissions[..])
        });
        let last = words_with(end, before.iter().chain(receipts), asked);
        format!("it failed {times}; the last time {last}")
    };
    let after = run.settings.split_after;
    let is_due = failures >= after.min(bound) || unanswered.is_some();
    let divided = match after > 0 && is_due && is_about_work(task, end) {
        true => divide(run, no, end, receipts, &why()),
        false => Err(Undivided::NoWork),
    };
    match divided {
        Ok(parts) => Remedy {
            then: Then::Split(why()),
            parts: Some(parts),
        },
        Err(_) if unanswered.is_some() => Then::Escalate(format!(
            "it was denied the same as the attempt before, since nobody answered in time: {}",
            unanswered.unwrap_or_default()
        ))
        .into(),
        Err(_) if failures < bound => retry().into(),
        Err(Undivided::NoWork) => Then::Escalate(why()).into(),
        Err(Undivided::Because(cause)) => {
            Then::Escalate(format!("{}; it was not split: {cause}", why())).into()
        }
    }
}

/// What the attempt that ends now was denied as the one before was, since nobody answered either: the
/// next one by the same agent would ask it, too.
fn unanswered_again(task: &Task) -> Option<String> {
    let live = task.live()?;
    let is_same = |before: &&Ending| task.failures > 0 && before.agent == live.agent;
    let before = task.endings.last().filter(is_same)?;
    let was_asked = |now: &&Permission| {
        let mut earlier = before.permissions.iter().filter(|it| it.is_unanswered());
        earlier.any(|it| it.request.is_like(&now.request))
    };
    let mut now = { &live.permissions }.iter().filter(|it| it.is_unanswered());
    now.find(was_asked).map(|it| it.request.words())
}

fn retry() -> Then {
    Then::Retry {
        not_before: Time(0),
    }
}

/// Whether it may be that there was too much to do. What could not even be started is no smaller in
/// halves, and whose agent found nothing to do was not too much.
fn is_about_work(task: &Task, end: &AttemptEnd) -> bool {
    !end.is_for_no_change(&task.spec.criteria)
        && matches!(
            end,
            AttemptEnd::Refused(_)
                | AttemptEnd::Stopped(StopReason::Stalled(_) | StopReason::Overdue)
        )
}

/// What plans in the place of a task that outgrew itself.
fn planned(
    run: &Run,
    no: TaskNo,
    (end, receipts): (&AttemptEnd, &[Receipt]),
    why: String,
) -> Option<Remedy> {
    let used = used_with(run, no, end, receipts);
    let parts = outgrown::planned(run, no, used, &why)?;
    Some(Remedy {
        then: Then::Split(why),
        parts: Some(parts),
    })
}

/// What all attempts at a task used together, with the one that ends now.
pub(super) fn used_with(run: &Run, no: TaskNo, end: &AttemptEnd, receipts: &[Receipt]) -> Amount {
    let (task, settings) = (&run.tasks()[no.index()], &run.settings);
    let used = spending::used(settings, task);
    match task.live().filter(|live| live.adopts.is_none()) {
        None => used,
        Some(live) => {
            let all: Vec<Receipt> = live.receipts.iter().chain(receipts).cloned().collect();
            used.plus(spending::cost(settings, task, &live.agent, end, &all))
        }
    }
}

/// The parts of a task, with what is left of its budget after the attempt that ends now.
fn divide(
    run: &Run,
    no: TaskNo,
    end: &AttemptEnd,
    receipts: &[Receipt],
    why: &str,
) -> Result<Parts, Undivided> {
    let used = used_with(run, no, end, receipts);
    let verdicts = match end {
        AttemptEnd::Refused(Failure::Checks(verdicts)) => &verdicts[..],
        _ => &[],
    };
    division::divide_large(run, no, used, &Failed { why, verdicts })
}

/// The first of the task's other agents that has not yet tried.
fn next_agent(run: &Run, task: &Task) -> Option<String> {
    let now = task.agent(&run.settings);
    let tried = |agent: &&String| {
        agent.as_str() != now && !task.endings.iter().any(|ending| ending.agent == **agent)
    };
    task.spec.agents_else.iter().find(tried).cloned()
}

fn after_loss(run: &Run, task: &Task, now: Time) -> Then {
    let losses = task.losses + 1;
    if losses >= run.settings.losses_max {
        return Then::Escalate(format!(
            "it was lost {losses} times, through no fault of its own"
        ));
    }
    // Doubling stops where one more would pass any time box.
    let doubled = task.losses.min(10);
    Then::Retry {
        not_before: now.plus_ms(run.settings.loss_delay_ms.saturating_mul(1 << doubled)),
    }
}

/// Waiting costs nothing but time, so the bound is high; but a limit that never lifts, or an agent
/// that always speaks of one, must end somewhere.
fn after_limit(run: &Run, task: &Task, ends_at: Option<Time>, now: Time) -> Then {
    let limits = task.limits + 1;
    if limits >= run.settings.limits_max {
        return Then::Escalate(format!("it met a usage limit {limits} times"));
    }
    let beyond = |ends_at: &Time| ends_at.ms_since(now) > run.settings.limit_wait_max_ms;
    match ends_at.filter(beyond) {
        Some(until) if run.settings.limit_then == LimitThen::Escalate => {
            Then::Escalate(format!("it met a usage limit that ends at {}", until.utc()))
        }
        // Until when its agent is not used, the ledger knows.
        _ => Then::Retry {
            not_before: Time(0),
        },
    }
}

/// The next attempt goes on where this one was ended, with more; but work that takes far more than
/// anybody thought is planned anew, or is for a person to look at.
fn after_used_up(run: &Run, no: TaskNo, bound: Bound, ended: (&AttemptEnd, &[Receipt])) -> Remedy {
    let task = &run.tasks()[no.index()];
    let times = task.used_up + 1;
    if !times.is_multiple_of(run.settings.used_up_max.max(1)) {
        return retry().into();
    }
    let often = match times {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    };
    let why = format!("what was reserved for it was used up {often}, the last time {bound}");
    let planned = match division::has_parts(&task.spec) {
        true => planned(run, no, ended, why.clone()),
        false => None,
    };
    planned.unwrap_or_else(|| {
        let hint =
            "a `budget` of the task, or `budget.attempt` in the configuration, reserves more";
        Then::Escalate(format!("{why}; {hint}")).into()
    })
}

fn after_conflict(run: &Run, task: &Task, paths: &[String]) -> Then {
    let conflicts = task.conflicts + 1;
    if conflicts >= run.settings.conflicts_max {
        let paths = paths.join(", ");
        return Then::Escalate(format!(
            "it conflicted {conflicts} times with integrated work in {paths}"
        ));
    }
    Then::Retry {
        not_before: Time(0),
    }
}

/// Whether an attempt that ended so leaves its workspace to the next one. After a conflict the
/// next one starts from the new head; after anything else it goes on with what is there.
pub(super) fn reuses_workspace(end: &AttemptEnd) -> bool {
    !matches!(
        end,
        AttemptEnd::Refused(Failure::Conflict(_) | Failure::Integration(_))
    )
}

/// How an attempt ended, in words that follow "the last time".
#[must_use]
pub fn words(end: &AttemptEnd) -> String {
    match end {
        AttemptEnd::Integrated => "it was integrated".to_owned(),
        AttemptEnd::Expanded => "its tasks took its place".to_owned(),
        AttemptEnd::Reviewed => "its verdict was taken".to_owned(),
        AttemptEnd::Measured => "it passed its checks as one of several candidates".to_owned(),
        AttemptEnd::Refused(failure) | AttemptEnd::Errored(failure) => failure_words(failure),
        AttemptEnd::Lost(cause) => format!("it was lost: {cause}"),
        AttemptEnd::Stopped(StopReason::Stalled(evidence)) => {
            format!("it made no progress: {evidence}")
        }
        AttemptEnd::Stopped(StopReason::Overdue) => "it was past its time box".to_owned(),
        AttemptEnd::Stopped(StopReason::OverBudget(ms)) => {
            format!(
                "it was past what its budget left for it: {}",
                Bound::TimeMs(*ms)
            )
        }
        AttemptEnd::Stopped(StopReason::Canceled) => "it was canceled".to_owned(),
        AttemptEnd::Stopped(StopReason::Interrupted) => "it was interrupted".to_owned(),
        AttemptEnd::Asked(question) => format!("it asked: {question}"),
        AttemptEnd::UsedUp(bound) => format!("its reservation of {bound} was used up"),
        AttemptEnd::Limited { cause, ends_at, .. } => match ends_at {
            Some(until) => format!("it met a usage limit: {cause} (until {})", until.utc()),
            None => format!("it met a usage limit: {cause}"),
        },
    }
}

/// What is said of an attempt that was given up before anything was submitted. No result was refused.
pub(super) fn could_not(reason: &str) -> String {
    match reason {
        "" => "whoever was to do it could not".to_owned(),
        reason => format!("whoever was to do it could not: {reason}"),
    }
}

/// The same, after what led to it: why its agent failed, or how its process ended, and what it was
/// denied. A file that was never made is missing because its maker broke off.
pub(super) fn words_with<'r>(
    end: &AttemptEnd,
    receipts: impl Iterator<Item = &'r Receipt>,
    permissions: &[Permission],
) -> String {
    let words = words(end);
    let judged = matches!(
        end,
        AttemptEnd::Refused(
            Failure::Checks(_) | Failure::Collection(_) | Failure::Plan(_) | Failure::Review(_)
        )
    );
    if !judged {
        return words;
    }
    let submitted = receipts.filter_map(|receipt| match receipt {
        Receipt::Submitted {
            exit,
            claimed_failure,
            ..
        } => Some((exit, claimed_failure.as_deref())),
        _ => None,
    });
    let cause = match submitted.last() {
        Some((_, Some(claimed))) => Some(format!("it failed: {}", cut_line(claimed))),
        None | Some((Exit::Status(0) | Exit::NoProcess, None)) => None,
        Some((exit, None)) => Some(format!("its process ended with {exit}"))
            .filter(|_| !words.contains(&exit.to_string())),
    };
    let parts = cause.into_iter().chain(denied_words(permissions));
    parts.chain([words]).collect::<Vec<_>>().join("; ")
}

/// A cause of more bytes is cut; its attempt's receipt has all of it.
const CAUSE_BYTES_MAX: usize = 300;

fn cut_line(cause: &str) -> String {
    let mut line = evidence_line(cause);
    truncate(&mut line, CAUSE_BYTES_MAX);
    line
}

/// What an attempt was denied: the last of it, which is the nearest to its end.
fn denied_words(permissions: &[Permission]) -> Option<String> {
    let denied: Vec<String> = permissions.iter().filter_map(Permission::denial).collect();
    let (last, others) = denied.split_last()?;
    let more = match others.len() {
        0 => String::new(),
        many => format!(" (and {many} more)"),
    };
    Some(format!("it was denied {}{more}", cut_line(last)))
}

fn failure_words(failure: &Failure) -> String {
    match failure {
        Failure::Checks(verdicts) => verdict_words("checks refused it", verdicts),
        Failure::Collection(cause) => format!("what it made could not be taken: {cause}"),
        Failure::Conflict(paths) => {
            format!("it conflicted with integrated work in {}", paths.join(", "))
        }
        Failure::Integration(verdicts) => {
            verdict_words("together with integrated work, checks refused it", verdicts)
        }
        Failure::Start { cause, .. } => format!("it could not be started: {cause}"),
        Failure::Person(reason) if reason.is_empty() => "a person refused it".to_owned(),
        Failure::Person(reason) => format!("a person refused it: {reason}"),
        Failure::Plan(faults) => first_of("what it planned cannot be run", faults),
        Failure::Review(faults) => first_of("its verdict is none", faults),
        Failure::Composition(cause) => format!("nothing was composed: {cause}"),
        Failure::Preparation(cause) => format!("its workspace could not be prepared: {cause}"),
    }
}

fn first_of(what: &str, faults: &[String]) -> String {
    let first = faults.first().map_or("", String::as_str);
    let more = match faults.len() {
        0 | 1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    format!("{what}: {first}{more}")
}

fn verdict_words(what: &str, verdicts: &[Verdict]) -> String {
    let failed = verdicts
        .iter()
        .find(|verdict| verdict.outcome == Outcome::Fail);
    match failed.map(|verdict| evidence_line(&verdict.evidence)) {
        Some(evidence) if !evidence.is_empty() => format!("{what}: {evidence}"),
        _ => what.to_owned(),
    }
}

/// Evidence on one line: its first, with the last of what that one announces.
pub(super) fn evidence_line(evidence: &str) -> String {
    let mut lines = evidence.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next_back() {
        Some(last) if first.ends_with(':') => format!("{first} {last}"),
        _ => first.to_owned(),
    }
}
