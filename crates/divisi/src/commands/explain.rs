//! `divisi explain`: why a run or a task is not further, and which command changes it.

use divisi_core::run::Run;
use divisi_core::run::explain::{Explanation, explain, explain_run};
use divisi_core::{Criterion, TaskNo, WorkspaceKind};

use crate::cli::{Global, OptionalRunTask};
use crate::commands::status;
use crate::exit::Exit;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::unfinished::{Attended, LEFT};
use crate::words;

/// Explains a run or a task.
pub(crate) fn run(args: &OptionalRunTask, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, args.run)?;
    let now = words::now();
    let mut told = match &args.task {
        None => {
            let shared = loaded::shared(&project.view()?, run.id)?;
            let mut told = explain_run(&run, now, &shared);
            told.causes.extend(planned(&run));
            told
        }
        Some(id) => {
            let no = loaded::task(&run, id)?;
            let shared = loaded::shared(&project.view()?, run.id)?;
            let mut told = explain(&run, no, now, &shared).expect("the task was found in this run");
            told.causes.extend(wanted(&project, &run, no));
            told
        }
    };
    if status::attended(&project, &run) == Attended::No && waits_for_engine(&told) {
        let whose = if args.task.is_some() { "its run" } else { "it" };
        told.causes.insert(0, format!("no engine works on {whose}"));
        if is_worked_on(&told) {
            LEFT.clone_into(&mut told.status);
        }
        told.commands.insert(0, format!("divisi resume {}", run.id));
    }
    print(&told, printer)?;
    Ok(Exit::Success)
}

/// Whether what is explained would go on by itself if an engine ran. What is over, or waits for a
/// person, would not.
fn waits_for_engine(told: &Explanation) -> bool {
    let words = ["waiting", "ready", "running", "verifying", "integrating"];
    words.contains(&told.status.as_str())
}

/// Whether its status says that somebody is at it.
fn is_worked_on(told: &Explanation) -> bool {
    ["running", "verifying", "integrating"].contains(&told.status.as_str())
}

/// How its plan came of what was asked, and what was taken for granted.
fn planned(run: &Run) -> Vec<String> {
    let advised = run.advice().iter().map(|it| format!("advised: {it}"));
    let Some(intent) = &run.intent else {
        return advised.collect();
    };
    let assessed = &intent.assessment;
    let mut told = vec![format!(
        "it was assessed as {} and planned {}",
        assessed.approach, intent.planner
    )];
    told.extend(assessed.reasons.iter().cloned());
    told.extend(intent.assumptions().map(|it| format!("assumed: {it}")));
    told.extend(intent.left_out.iter().map(|it| format!("left out: {it}")));
    told.extend(advised);
    told
}

/// What a person, or something outside, is to bring: what is to be done, what is promised, what must hold, where the
/// work is done, and why the last try was refused.
fn wanted(project: &Project, run: &Run, no: TaskNo) -> Vec<String> {
    let task = &run.tasks()[no.index()];
    let Some(live) = task.live().filter(|live| live.awaits_submission()) else {
        return Vec::new();
    };
    let mut told = vec![format!("it is to be done: {}", task.spec.title)];
    if !task.spec.description.is_empty() {
        told.push(format!("in full: {}", task.spec.description));
    }
    let paths: Vec<&str> = task
        .spec
        .deliverables
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    if !paths.is_empty() {
        told.push(format!("it is to deliver {}", paths.join(", ")));
    }
    let criteria = task.spec.criteria.iter();
    let of_files = criteria.filter(|it| **it != Criterion::ExitStatus);
    told.extend(of_files.map(|criterion| format!("it must hold: {criterion}")));
    if task.spec.workspace != WorkspaceKind::Shared {
        let at = project.workspace(run.id, no, live.workspace);
        told.push(format!("its workspace is {}", at.display()));
    }
    if let Some(ending) = task.endings.last() {
        told.push(format!("the last time {}", ending.words()));
    }
    let last = task.answers.last();
    told.extend(last.map(|answer| format!("you said: {}", answer.text)));
    told
}

fn print(told: &Explanation, printer: &Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.document(told);
    }
    printer.lines(&lines(told))
}

/// The explanation as lines.
pub(crate) fn lines(told: &Explanation) -> Vec<Line> {
    let head = Line::styled(Style::Bold, &told.subject)
        .then(format!(" is {}", words::run_status(&told.status)));
    let causes = told
        .causes
        .iter()
        .map(|cause| Line::of(format!("  {cause}")));
    let commands = told
        .commands
        .iter()
        .map(|command| Line::styled(Style::Dim, "  → ").with(Style::Note, command));
    std::iter::once(head)
        .chain(causes)
        .chain(commands)
        .collect()
}

#[cfg(test)]
mod tests;
