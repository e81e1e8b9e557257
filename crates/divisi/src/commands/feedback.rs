//! `divisi feedback`: what a run shows to those who plan the next one, and the lessons in it.

use super::lessons::heading;
use crate::cli::{Global, OptionalRun};
use crate::exit::Exit;
use crate::feedback::{self, Feedback, Figures, Pattern};
use crate::lessons::Kept;
use crate::loaded;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::words::{plural, span};

/// So many refusing criteria of a stage are shown.
const REFUSALS_SHOWN_MAX: usize = 10;

/// So many lines of what was written are shown of each piece; `--json` has more.
const LINES_SHOWN_MAX: usize = 6;

/// `divisi feedback`.
pub(crate) fn run(args: &OptionalRun, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, args.run)?;
    let (feedback, lessons) = feedback::up_to_date(&project, &run, printer)?;
    match printer.is_json() {
        true => printer.document(&feedback)?,
        false => printer.lines(&lines(&feedback, &lessons))?,
    }
    Ok(Exit::Success)
}

fn lines(feedback: &Feedback, lessons: &[Kept]) -> Vec<Line> {
    let title = format!(": {}", feedback.title);
    let mut lines = vec![Line::styled(Style::Bold, feedback.run.as_str()).then(title)];
    for figures in &feedback.stages {
        lines.push(Line::default());
        lines.extend(stage(figures));
    }
    lines.push(Line::default());
    if feedback.patterns.is_empty() {
        lines.push(Line::of("nothing repeats that a rule knows"));
    }
    for found in &feedback.patterns {
        lines.extend(pattern(found, lessons));
    }
    lines
}

fn stage(figures: &Figures) -> Vec<Line> {
    let goes_on = match figures.ended_at {
        Some(_) => "",
        None => ", which goes on",
    };
    let mut lines = vec![Line::styled(Style::Bold, figures.stage.as_str()).then(goes_on)];
    let mut say = |text: String| lines.push(Line::of(format!("  {text}")));
    say(format!(
        "{}, {}, of which {} beyond the first of a task",
        plural(figures.tasks.into(), "task"),
        plural(figures.attempts.into(), "attempt"),
        figures.retries,
    ));
    say(format!(
        "{} failed ({} overdue), {} lost, {} in conflict, {} at a usage limit",
        figures.failed, figures.overdue, figures.lost, figures.conflicts, figures.usage_limits,
    ));
    let of_estimate = match figures.estimate_ms {
        Some(ms) => format!(
            "; {} where {} were estimated",
            span(figures.estimated_agent_ms),
            span(ms)
        ),
        None => "; nothing was estimated".to_owned(),
    };
    say(format!(
        "agents' time: {}{of_estimate}",
        span(figures.agent_ms)
    ));
    let tokens = figures
        .tokens
        .map_or("unknown".to_owned(), |tokens| tokens.to_string());
    let of_estimate = match figures.estimate_tokens {
        Some(tokens) => format!("; {tokens} were estimated"),
        None => String::new(),
    };
    say(format!("tokens: {tokens}{of_estimate}"));
    say(format!(
        "people: {}, {} in their hands",
        plural(figures.questions.into(), "question"),
        span(figures.people_ms),
    ));
    if !figures.left_to_people.is_empty() {
        say(format!(
            "left to a person: {}",
            figures.left_to_people.join(", ")
        ));
    }
    for refusal in figures.refusals.iter().take(REFUSALS_SHOWN_MAX) {
        let tasks: Vec<&str> = refusal.tasks.iter().take(5).map(String::as_str).collect();
        let more = match refusal.tasks.len() - tasks.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (times, tasks) = (refusal.times, tasks.join(", "));
        say(format!(
            "refused {times} times ({tasks}{more}): {}",
            refusal.criterion
        ));
    }
    for said in &figures.said {
        say(format!("{}, {}:", said.task, said.place));
        let texts: Vec<&str> = said.text.lines().collect();
        for text in texts.iter().take(LINES_SHOWN_MAX) {
            say(format!("  > {text}"));
        }
        if texts.len() > LINES_SHOWN_MAX {
            say(format!(
                "  > and {} more",
                plural((texts.len() - LINES_SHOWN_MAX) as u64, "line")
            ));
        }
    }
    lines
}

fn pattern(found: &Pattern, lessons: &[Kept]) -> Vec<Line> {
    let rule = Line::styled(Style::Warn, found.rule).then(format!(": {}", found.seen));
    let lesson = lessons
        .iter()
        .find(|it| Some(&it.lesson.id) == found.lesson.as_ref());
    let next = match lesson {
        Some(kept) => Line::of("  ").join(heading(kept)).with(
            Style::Dim,
            format!(
                "  {}; divisi lessons show {}",
                kept.lesson.target, kept.lesson.id
            ),
        ),
        None => Line::of(format!("  {}", found.advice)),
    };
    vec![rule, next]
}
