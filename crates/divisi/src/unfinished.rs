//! Runs that have not ended and that nobody works on: each is offered in one line.

use std::cell::Cell;

use divisi_core::RunId;
use divisi_core::journal::{Fault, RunRow};
use divisi_core::run::stored::{self, Summary};
use divisi_core::run::{PauseReason, RunStatus};
use divisi_store::{PAGE_ROWS_MAX, View};

use crate::hold;
use crate::printer::{Line, Style};
use crate::project::Project;
use crate::words;

/// So many runs are offered; `divisi status` lists all.
const OFFERED_MAX: usize = 3;

/// So much of why a run is paused stands in its line.
const REASON_CHARS_MAX: usize = 60;

/// About so many runs the engine is asked.
const ASKED_MAX: u32 = 5;

/// The rows of all runs, oldest first, with what they tell.
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn summaries(view: &View) -> Result<Vec<(RunRow, Summary)>, Fault> {
    let read = |row: RunRow| {
        let summary =
            stored::summary(&row).map_err(|fault| Fault::Unreadable(fault.to_string()))?;
        Ok((row, summary))
    };
    view.consistently(rows)?.into_iter().map(read).collect()
}

fn rows(view: &View) -> Result<Vec<RunRow>, Fault> {
    let mut rows: Vec<RunRow> = Vec::new();
    loop {
        let page = view.runs(rows.last().map(|row| row.run), PAGE_ROWS_MAX)?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// How a run stands that could go on, and no engine works on it.
pub(crate) const LEFT: &str = "left by its engine";

/// Whether somebody works on a run that could go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attended {
    /// An engine does, or there is nothing to go on with.
    Yes,
    /// It could go on, and no engine works on it.
    No,
}

impl Attended {
    /// Judges a run by how it stands; whether an engine works on it is asked only where it matters.
    pub(crate) fn of(
        status: RunStatus,
        paused: Option<&PauseReason>,
        is_attended: impl FnOnce() -> bool,
    ) -> Attended {
        let could_go_on = status == RunStatus::Running && paused.is_none();
        match could_go_on && !is_attended() {
            true => Attended::No,
            false => Attended::Yes,
        }
    }
}

/// Tells whether an engine works on a run. Beyond the first few, an engine that is held is taken to:
/// one that is busy takes its time for each answer.
pub(crate) fn attendance(project: &Project) -> impl Fn(RunId) -> bool {
    let is_held = project.is_held();
    let asked = Cell::new(0);
    move |run| {
        is_held && (asked.replace(asked.get() + 1) >= ASKED_MAX || hold::is_attended(project, run))
    }
}

/// The command that goes on with a run; `None` if it has ended, or an engine works on it, which is
/// asked only where it matters.
pub(crate) fn command(
    run: RunId,
    summary: &Summary,
    is_attended: impl FnOnce(RunId) -> bool,
) -> Option<String> {
    let attended = Attended::of(summary.status, summary.paused.as_ref(), || is_attended(run));
    let verb = match (summary.status, &summary.paused) {
        _ if summary.ended.is_some() => return None,
        (RunStatus::AwaitingApproval, _) => "approve",
        (_, Some(reason)) => return reason.commands(run).into_iter().next(),
        _ if attended == Attended::No => "resume",
        (RunStatus::Running, None) => return None,
        // Only a person can go on; which command does stands in the explanation.
        _ => "explain",
    };
    Some(format!("divisi {verb} {run}"))
}

/// How a run stands, in a few words: the whole reason of a pause is `divisi status RUN`'s to tell.
pub(crate) fn state_words(
    run: RunId,
    summary: &Summary,
    is_attended: impl FnOnce(RunId) -> bool,
) -> String {
    let (status, paused) = (summary.status, summary.paused.as_ref());
    match (paused, summary.ended) {
        (Some(reason), None) => {
            format!("paused: {}", words::cut(&reason.words(), REASON_CHARS_MAX))
        }
        _ if Attended::of(status, paused, || is_attended(run)) == Attended::No => LEFT.to_owned(),
        _ => words::run_status(status.word()),
    }
}

/// What is typed to go on, at the end of a line.
pub(crate) fn arrow(command: String) -> Line {
    Line::styled(Style::Dim, "  → ").with(Style::Note, command)
}

/// A line for each unfinished run of the project, the latest first. Empty where nothing was ever
/// run; what cannot be read is told by whatever needs it.
pub(crate) fn offers(project: &Project) -> Vec<Line> {
    let Ok(view) = project.view() else {
        return Vec::new();
    };
    lines(&summaries(&view).unwrap_or_default(), &attendance(project))
}

fn lines(runs: &[(RunRow, Summary)], is_attended: &dyn Fn(RunId) -> bool) -> Vec<Line> {
    let unfinished = runs.iter().rev().filter_map(|(row, summary)| {
        let command = command(row.run, summary, is_attended)?;
        let state = state_words(row.run, summary, is_attended);
        Some(line(row, summary, state, command))
    });
    let mut lines: Vec<Line> = unfinished.collect();
    if let Some(more) = lines
        .len()
        .checked_sub(OFFERED_MAX)
        .filter(|more| *more > 0)
    {
        lines.truncate(OFFERED_MAX);
        let more = words::plural(more as u64, "more unfinished run");
        lines.push(Line::of(more).join(arrow("divisi status".to_owned())));
    }
    lines
}

fn line(row: &RunRow, summary: &Summary, state: String, command: String) -> Line {
    Line::of("unfinished: ")
        .with(Style::Bold, row.run.to_string())
        .then(format!(" {}, ", row.title))
        .with(words::run_style(summary.status), state)
        .join(arrow(command))
}

#[cfg(test)]
mod tests {
    use divisi_core::run::Command;

    use super::*;
    use crate::given::{Given, approval, plan, task};
    use crate::scenes::{self, HOSTILE};

    /// The row of a given run under another number, as other runs of a project have.
    fn row(given: &Given, no: u32) -> (RunRow, Summary) {
        let mut row = stored::run_row(&given.run(), 1);
        row.run = RunId(no);
        let summary = stored::summary(&row).unwrap();
        (row, summary)
    }

    fn shown(runs: &[(RunRow, Summary)], is_attended: bool) -> Vec<String> {
        let lines = lines(runs, &|_| is_attended);
        lines.iter().map(|line| line.render(false)).collect()
    }

    #[test]
    fn each_unfinished_run_is_offered_with_the_command_that_goes_on() {
        let left = Given::run_of(plan("Left alone", vec![task("a", &[])]));
        let mut paused = Given::run_of(plan(HOSTILE, vec![task("a", &[])]));
        paused.ask(Command::Pause {
            reason: PauseReason::Interrupted,
            stop: true,
        });
        let asks = Given::run_of(plan("It asks", vec![approval("go", &[])]));
        let runs = [
            row(&scenes::succeeded(), 1),
            row(&left, 2),
            row(&paused, 3),
            row(&asks, 4),
        ];
        let expected = [
            "unfinished: run-4 It asks, blocked  → divisi explain run-4",
            "unfinished: run-3 �[31mred���2J, paused: interrupted  → divisi resume run-3",
            "unfinished: run-2 Left alone, left by its engine  → divisi resume run-2",
        ];
        assert_eq!(shown(&runs, false), expected);
        // An engine works on what runs.
        assert_eq!(shown(&runs, true), expected[..2]);
    }

    #[test]
    fn a_long_reason_of_a_pause_is_cut() {
        let mut paused = Given::run_of(plan("Set up", vec![task("a", &[])]));
        paused.ask(Command::Pause {
            reason: PauseReason::Fault("x".repeat(500)),
            stop: false,
        });
        let expected = format!(
            "unfinished: run-1 Set up, paused: {} … 440 more characters  → divisi resume run-1",
            "x".repeat(60)
        );
        assert_eq!(shown(&[row(&paused, 1)], true), [expected]);
    }

    #[test]
    fn many_are_counted() {
        let left = Given::run_of(plan("Left alone", vec![task("a", &[])]));
        let runs: Vec<(RunRow, Summary)> = (1..=5).map(|no| row(&left, no)).collect();
        let lines = shown(&runs, false);
        assert_eq!(lines.len(), OFFERED_MAX + 1);
        assert_eq!(lines[3], "2 more unfinished runs  → divisi status");
    }
}
