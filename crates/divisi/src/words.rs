//! How facts are worded for people: times, sizes, statuses, agents. The same everywhere.

use std::time::{SystemTime, UNIX_EPOCH};

use divisi_core::ledger::LimitThen;
use divisi_core::run::{
    AttemptEnd, Counts, Ending, Failure, Run, RunStatus, StopReason, Task, TaskStatus, end_words,
    is_scripted,
};
use divisi_core::{AttemptId, TaskKind, Time};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::printer::{Line, Style};

/// What the clock says, as the journal writes it.
pub(crate) fn now() -> Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A span of time in at most two units: `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub(crate) fn span(ms: u64) -> String {
    let s = ms / 1_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", s, ms % 1_000 / 100),
        10_000..60_000 => format!("{s} s"),
        60_000..3_600_000 => two(s / 60, "min", s % 60, "s"),
        3_600_000..86_400_000 => two(s / 3_600, "h", s % 3_600 / 60, "min"),
        _ => two(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

fn two(many: u64, unit: &str, few: u64, less: &str) -> String {
    match few {
        0 => format!("{many} {unit}"),
        _ => format!("{many} {unit} {few} {less}"),
    }
}

/// A size in bytes: `17 bytes`, `3.4 KiB`, `12 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return plural(bytes, "byte");
    }
    let mut tenths = bytes.saturating_mul(10) / 1_024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1_024;
        unit += 1;
    }
    match tenths {
        0..100 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", tenths / 10, UNITS[unit]),
    }
}

/// `1 task`, `2 tasks`.
pub(crate) fn plural(many: u64, what: &str) -> String {
    match many {
        1 => format!("1 {what}"),
        _ => format!("{many} {what}s"),
    }
}

/// A text cut to so many characters; the end says how many were cut.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => {
            let more = text[at..].chars().count() as u64;
            format!("{} … {}", &text[..at], plural(more, "more character"))
        }
    }
}

/// A moment in the local time zone.
pub(crate) fn moment(at: Time) -> String {
    moment_in(at, TimeZone::system())
}

fn moment_in(at: Time, zone: TimeZone) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(ms) {
        Ok(timestamp) => timestamp
            .to_zoned(zone)
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => format!("{ms} ms after 1970"),
    }
}

/// A day, counted from the Unix epoch in UTC.
pub(crate) fn date(day: u64) -> String {
    let at = Time(day.saturating_mul(24 * 60 * 60 * 1_000));
    let moment = moment_in(at, TimeZone::UTC);
    moment.split(' ').next().unwrap_or_default().to_owned()
}

/// The time of day in the local time zone.
pub(crate) fn time_of_day(at: Time) -> String {
    moment(at)
        .split(' ')
        .next_back()
        .unwrap_or_default()
        .to_owned()
}

/// Who does a task, did it last, or would do it.
pub(crate) fn who<'r>(run: &'r Run, task: &'r Task) -> &'r str {
    match (task.live(), task.endings.last()) {
        (Some(live), _) => &live.agent,
        (None, Some(ending)) => &ending.agent,
        (None, None) => task.agent(&run.settings),
    }
}

/// An agent by name; one that only plays a script is labelled so.
pub(crate) fn agent(name: &str) -> String {
    match is_scripted(name) {
        true => format!("{name} (no real agent)"),
        false => name.to_owned(),
    }
}

/// How a task's status looks.
pub(crate) fn task_style(status: TaskStatus) -> Style {
    match status {
        TaskStatus::Done => Style::Good,
        TaskStatus::Failed => Style::Bad,
        TaskStatus::Blocked => Style::Warn,
        TaskStatus::Running | TaskStatus::Verifying | TaskStatus::Integrating => Style::Note,
        TaskStatus::Ready => Style::Plain,
        TaskStatus::Waiting | TaskStatus::Canceled | TaskStatus::Skipped | TaskStatus::Split => {
            Style::Dim
        }
    }
}

/// How a run's status looks.
pub(crate) fn run_style(status: RunStatus) -> Style {
    match status {
        RunStatus::Succeeded => Style::Good,
        RunStatus::Failed => Style::Bad,
        RunStatus::Blocked | RunStatus::AwaitingApproval => Style::Warn,
        RunStatus::Running => Style::Note,
        RunStatus::Canceled => Style::Dim,
    }
}

/// A run's status in words: `awaiting approval`.
pub(crate) fn run_status(status: &str) -> String {
    status.replace('_', " ")
}

/// How a run stands, in a word or two. One that is paused does not run.
pub(crate) fn standing(run: &Run) -> String {
    match &run.paused {
        Some(_) if run.ended.is_none() => "paused".to_owned(),
        _ => run_status(run.status().word()),
    }
}

/// How an attempt ended: with what its receipts tell, where the run is not older than its end.
pub(crate) fn ended(run: &Run, attempt: AttemptId, end: &AttemptEnd) -> String {
    let task = run.task(attempt.task);
    let ending = task.and_then(|task| task.ending(attempt.number));
    ending.map_or_else(|| end_words(end), Ending::words)
}

/// When another attempt follows one that ended so, and by whom, as far as the run tells. The run is
/// not older than that end.
pub(crate) fn again(
    run: &Run,
    attempt: AttemptId,
    end: &AttemptEnd,
    not_before: Time,
    now: Time,
) -> String {
    let then = "it is tried again";
    let limited_until = match end {
        // These pause the run.
        AttemptEnd::Stopped(StopReason::Interrupted)
        | AttemptEnd::Errored(Failure::Preparation(_)) => {
            return format!("{then} once {} goes on", run.id);
        }
        AttemptEnd::Stopped(StopReason::OverBudget(_)) => {
            return format!("{then} once its budget leaves something for it");
        }
        AttemptEnd::UsedUp(_) => {
            return format!("{then} with more, as far as its budget leaves it");
        }
        AttemptEnd::Limited {
            ends_at: Some(until),
            ..
        } if until.ms_since(now) > run.settings.limit_wait_max_ms => {
            return beyond(run, attempt, *until);
        }
        AttemptEnd::Limited { ends_at, .. } => ends_at.unwrap_or_default(),
        _ => Time(0),
    };
    let until = limited_until.max(not_before);
    match until > now {
        true => format!("{then} in {}", span(until.ms_since(now))),
        false => then.to_owned(),
    }
}

/// The same of one whose usage limit lasts longer than its run waits.
fn beyond(run: &Run, attempt: AttemptId, until: Time) -> String {
    let task = run.task(attempt.task);
    let ending = task.and_then(|task| task.ending(attempt.number));
    let agent = ending.map_or("its agent", |ending| &ending.agent);
    let other = match task.and_then(|task| task.wanted(&run.settings).instead) {
        Some(instead) => instead.iter().find(|other| *other != agent),
        None => run.settings.limit_agents.get(agent),
    };
    match (run.settings.limit_then, other) {
        (LimitThen::OtherAgent, Some(other)) => format!("{other} takes over until {}", until.utc()),
        (LimitThen::OtherCredential, _) => {
            format!("{agent} goes on with its next credential, if it has one")
        }
        // A person decides about a task that escalates; here others of its agent's are left.
        (LimitThen::Pause | LimitThen::Escalate | LimitThen::OtherAgent, _) => {
            format!(
                "{} pauses before the next: it waits no longer than {}",
                run.id,
                span(run.settings.limit_wait_max_ms)
            )
        }
    }
}

/// How far a run is: `12 of 30 done`, without tasks that others replaced.
pub(crate) fn progress(counts: &Counts) -> String {
    let all: u32 = TaskStatus::ALL
        .iter()
        .map(|status| counts.of(*status))
        .sum();
    let whole = all - counts.of(TaskStatus::Split);
    far(counts.of(TaskStatus::Done), whole)
}

fn far(done: u32, whole: u32) -> String {
    format!("{done} of {whole} done")
}

/// The same of a run whose tasks are at hand: those that are yet to be planned are not counted, nor is
/// a review that nobody did.
pub(crate) fn progress_of(run: &Run) -> String {
    let closed = closed_reviews(run);
    let (mut done, mut whole) = (0, 0);
    for (status, many) in occurring(run.counts()) {
        match status {
            TaskStatus::Split => {}
            TaskStatus::Done => (done, whole) = (many, whole + many),
            _ => whole += many,
        }
    }
    let known = far(done - closed, whole - closed);
    match yet_to_plan(run) {
        0 => known,
        many => format!("{known}, and what {} will plan", plural(many, "task")),
    }
}

/// How many reviews of a run were closed without a verdict.
pub(crate) fn closed_reviews(run: &Run) -> u32 {
    let closed = run.tasks().iter().filter(|it| it.gave_no_verdict());
    closed.count() as u32
}

/// How many tasks of a run will plan others, if all goes well.
pub(crate) fn yet_to_plan(run: &Run) -> u64 {
    let plans = |task: &&Task| task.spec.kind == TaskKind::Plan && !task.status().is_terminal();
    run.tasks().iter().filter(plans).count() as u64
}

/// The statuses that occur, with how many tasks have each.
pub(crate) fn occurring(counts: &Counts) -> impl Iterator<Item = (TaskStatus, u32)> + '_ {
    TaskStatus::ALL
        .iter()
        .map(|status| (*status, counts.of(*status)))
        .filter(|(_, many)| *many > 0)
}

/// A heading over what follows.
pub(crate) fn heading(text: impl Into<String>) -> Line {
    Line::styled(Style::Bold, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (4_250, "4.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (185_000, "3 min 5 s"),
            (7_800_000, "2 h 10 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(ms), expected);
        }
    }

    #[test]
    fn sizes_have_a_fitting_unit() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1_023, "1023 bytes"),
            (3_482, "3.4 KiB"),
            (12 << 20, "12 MiB"),
            (1 << 40, "1.0 TiB"),
            (u64::MAX, "1677721 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn long_texts_tell_what_is_missing() {
        assert_eq!(cut("grün", 4), "grün");
        assert_eq!(cut("grüner", 4), "grün … 2 more characters");
        assert_eq!(cut("grüne", 4), "grün … 1 more character");
    }

    #[test]
    fn a_moment_is_written_in_its_zone_and_never_fails() {
        let at = Time(1_700_000_000_123);
        assert_eq!(moment_in(at, TimeZone::UTC), "2023-11-14 22:13:20");
        assert!(moment_in(Time(u64::MAX), TimeZone::UTC).contains("1970"));
    }
}
