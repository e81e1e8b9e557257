//! `divisi lessons`: what was learned from runs, and whether it is taken over.

use divisi_pack::lesson::Status;
use serde_json::json;

use crate::cli::{self, Global, LessonsCommand};
use crate::exit::Exit;
use crate::lessons::{self, Kept, Lessons};
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;

/// `divisi lessons`.
pub(crate) fn run(args: &cli::Lessons, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    match &args.command {
        None | Some(LessonsCommand::List) => list(&lessons::list(&project)?, printer),
        Some(LessonsCommand::Show(lesson)) => show(&lessons::get(&project, &lesson.id)?, printer),
        Some(LessonsCommand::Approve(lesson)) => {
            lessons::get(&project, &lesson.id)?;
            let open = Lessons::open(&project)?;
            let kept = open.approve(lessons::get(&project, &lesson.id)?)?;
            let then = "the next run is given it; commit the file to share it";
            decided(
                &kept,
                &format!(": {} has it now", kept.lesson.target),
                then,
                printer,
            )
        }
        Some(LessonsCommand::Reject(lesson)) => {
            lessons::get(&project, &lesson.id)?;
            let open = Lessons::open(&project)?;
            let kept = open.reject(lessons::get(&project, &lesson.id)?)?;
            decided(&kept, "", "it is not proposed again", printer)
        }
    }
}

/// A lesson's name and its status.
pub(crate) fn heading(kept: &Kept) -> Line {
    let status = kept.lesson.status;
    let style = match status {
        Status::Proposed => Style::Note,
        Status::Approved => Style::Good,
        Status::Rejected => Style::Dim,
    };
    let name = Line::styled(Style::Bold, kept.lesson.id.as_str());
    name.then("  ").with(style, status.word())
}

fn list(all: &[Kept], printer: &Printer) -> Outcome {
    if printer.is_json() {
        printer.document(&json!({ "lessons": all }))?;
        return Ok(Exit::Success);
    }
    for kept in all {
        let lesson = &kept.lesson;
        let line = heading(kept).padded(27).then(lesson.target.as_str());
        printer.line(&line.then(format!("  {}: {}", lesson.run, lesson.seen)))?;
    }
    if all.is_empty() {
        printer.note(&Line::of(
            "no lesson yet; `divisi feedback RUN` proposes them",
        ));
    }
    Ok(Exit::Success)
}

fn show(kept: &Kept, printer: &Printer) -> Outcome {
    if printer.is_json() {
        printer.document(kept)?;
        return Ok(Exit::Success);
    }
    printer.lines(&lines(kept))?;
    if kept.lesson.status == Status::Proposed {
        let id = &kept.lesson.id;
        let hint = format!(
            "`divisi lessons approve {id}` applies it, `divisi lessons reject {id}` does not"
        );
        printer.note(&Line::styled(Style::Dim, hint));
    }
    Ok(Exit::Success)
}

/// A lesson with its diff.
fn lines(kept: &Kept) -> Vec<Line> {
    let lesson = &kept.lesson;
    let mut lines = vec![
        heading(kept),
        Line::of(format!(
            "  {}, by the rule {}: {}",
            lesson.run, lesson.rule, lesson.seen
        )),
    ];
    if kept.copy.is_some() {
        let (target, made_of) = (&lesson.target, &lesson.made_of);
        lines.push(Line::of(format!(
            "  {target} becomes a copy of {made_of}, with this change:"
        )));
    }
    let styled = |line: &str| {
        let style = match line.as_bytes().first() {
            Some(b'+') => Style::Good,
            Some(b'-') => Style::Bad,
            _ => Style::Plain,
        };
        Line::styled(style, line)
    };
    lines.extend(lesson.diff.lines().map(styled));
    lines
}

fn decided(kept: &Kept, what: &str, then: &str, printer: &Printer) -> Outcome {
    if printer.is_json() {
        printer.document(kept)?;
        return Ok(Exit::Success);
    }
    printer.line(&heading(kept).then(what))?;
    printer.note(&Line::styled(Style::Dim, then));
    Ok(Exit::Success)
}
