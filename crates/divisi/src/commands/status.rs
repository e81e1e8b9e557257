//! `divisi status`: the runs of a project, or what runs, what waits and why in one of them.
//!
//! The list of runs is read from their rows alone, so it costs the same however many tasks they
//! have. The view of one run is bounded: of each group the first tasks are shown, the rest is
//! counted.

use divisi_core::journal::RunRow;
use divisi_core::run::explain::{Explanation, Shared, explain};
use divisi_core::run::stored::Summary;
use divisi_core::run::{
    Attempt, PauseReason, Run, RunStatus, Task, TaskStatus, holds_slot, is_scripted,
};
use divisi_core::{RunId, TaskNo, Time};
use divisi_store::View;
use serde::Serialize;

use crate::cli::{Global, OptionalRun};
use crate::exit::Exit;
use crate::hold;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::so_far;
use crate::unfinished::{self, Attended};
use crate::words;

/// So many tasks of a group are shown.
const SHOWN_MAX: usize = 12;

/// So many of the latest runs are listed.
const RUNS_MAX: usize = 30;

/// Groups of tasks in the order in which they are shown, what needs somebody first.
const GROUPS: [TaskStatus; 6] = [
    TaskStatus::Blocked,
    TaskStatus::Running,
    TaskStatus::Verifying,
    TaskStatus::Integrating,
    TaskStatus::Ready,
    TaskStatus::Waiting,
];

/// Prints the status of all runs or of one.
pub(crate) fn run(args: &OptionalRun, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let view = project.view()?;
    match args.run {
        None => all(&view, &unfinished::attendance(&project), printer)?,
        Some(id) => {
            project.row(&view, Some(id))?;
            let run = loaded::load(&view, id)?;
            let shared = loaded::shared(&view, id)?;
            let attended = attended(&project, &run);
            one(&project, &run, attended, &shared, words::now(), printer)?;
        }
    }
    Ok(Exit::Success)
}

/// Tells whether an engine works on a run.
type IsAttended<'a> = &'a dyn Fn(RunId) -> bool;

/// A run in a list.
#[derive(Serialize)]
struct ListedRun {
    run: String,
    title: String,
    status: RunStatus,
    paused: Option<PauseReason>,
    created_at: Time,
    last_at: Time,
    tasks: std::collections::BTreeMap<&'static str, u32>,
    /// What goes on with it.
    command: Option<String>,
}

fn all(view: &View, is_attended: IsAttended<'_>, printer: &Printer) -> Result<(), Failure> {
    let read = unfinished::summaries(view)?;
    if printer.is_json() {
        let listed: Vec<ListedRun> = read
            .iter()
            .map(|(row, s)| listed(row, s, is_attended))
            .collect();
        return printer.document(&serde_json::json!({ "runs": listed }));
    }
    if read.is_empty() {
        printer.note(&Line::of("no run yet; `divisi run PLAN` starts one"));
        return Ok(());
    }
    if read.len() > RUNS_MAX {
        let more = read.len() - RUNS_MAX;
        printer.note(&Line::of(format!(
            "{more} older runs are not shown; `--json` lists all"
        )));
    }
    let shown = &read[read.len().saturating_sub(RUNS_MAX)..];
    printer.lines(&table(shown, is_attended))
}

fn listed(row: &RunRow, summary: &Summary, is_attended: IsAttended<'_>) -> ListedRun {
    ListedRun {
        run: row.run.to_string(),
        title: row.title.clone(),
        status: summary.status,
        paused: summary.paused.clone(),
        created_at: summary.created_at,
        last_at: summary.last_at,
        tasks: words::occurring(&summary.counts)
            .map(|(s, many)| (s.word(), many))
            .collect(),
        command: unfinished::command(row.run, summary, is_attended),
    }
}

/// The runs as a table, the latest last.
fn table(runs: &[(RunRow, Summary)], is_attended: IsAttended<'_>) -> Vec<Line> {
    let cells: Vec<[Line; 4]> = runs
        .iter()
        .map(|(row, summary)| {
            let status = Line::styled(
                words::run_style(summary.status),
                unfinished::state_words(row.run, summary, is_attended),
            );
            [
                Line::styled(Style::Bold, row.run.to_string()),
                status,
                Line::of(words::progress(&summary.counts)),
                Line::of(span_of(summary)),
            ]
        })
        .collect();
    let width = |column: usize| {
        cells
            .iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let rows = cells.into_iter().zip(runs);
    rows.map(|(cells, (row, summary))| {
        let mut line = Line::default();
        for (cell, width) in cells.into_iter().zip(&widths) {
            line = line.join(cell.padded(*width)).then("  ");
        }
        line = line.then(&row.title);
        match unfinished::command(row.run, summary, is_attended) {
            Some(command) => line.join(unfinished::arrow(command)),
            None => line,
        }
    })
    .collect()
}

/// From a run's creation to its end, or to its last event.
fn span_of(summary: &Summary) -> String {
    let end = summary.ended.map_or(summary.last_at, |(_, at)| at);
    words::span(end.ms_since(summary.created_at))
}

/// A task in a list.
#[derive(Serialize)]
struct ListedTask<'a> {
    no: u32,
    id: &'a str,
    title: &'a str,
    status: TaskStatus,
    attempts: u32,
    agent: &'a str,
    scripted: bool,
    started_at: Option<Time>,
    suspected: Option<&'a str>,
    /// Requests for leave that wait for an answer.
    asks: Vec<u32>,
    /// Promised files that are there already, while its agent works.
    made: Option<usize>,
    promised: usize,
}

fn listed_task<'a>(project: &Project, run: &'a Run, no: usize, task: &'a Task) -> ListedTask<'a> {
    let agent = words::who(run, task);
    ListedTask {
        no: no as u32,
        id: task.spec.id.as_str(),
        title: &task.spec.title,
        status: task.status(),
        attempts: task.attempts(),
        agent,
        scripted: is_scripted(agent),
        started_at: task.live().map(|live| live.leased_at),
        suspected: task.live().and_then(|live| live.suspected.as_deref()),
        asks: (task.live().into_iter())
            .flat_map(Attempt::asks)
            .map(|asked| asked.no)
            .collect(),
        made: so_far::promised(project, run, TaskNo(no as u32), task).map(|(made, _)| made),
        promised: task.spec.deliverables.len(),
    }
}

fn one(
    project: &Project,
    run: &Run,
    attended: Attended,
    shared: &Shared,
    now: Time,
    printer: &Printer,
) -> Result<(), Failure> {
    if !printer.is_json() {
        return printer.lines(&lines(project, run, attended, shared, now));
    }
    let numbered = run.tasks().iter().enumerate();
    let tasks: Vec<ListedTask<'_>> = numbered
        .map(|(no, task)| listed_task(project, run, no, task))
        .collect();
    let counts: std::collections::BTreeMap<&str, u32> = words::occurring(run.counts())
        .map(|(status, many)| (status.word(), many))
        .collect();
    printer.document(&serde_json::json!({
        "run": run.id.to_string(),
        "title": run.title,
        "status": run.status(),
        "paused": run.paused,
        "engine": run.ended.is_none() && hold::is_attended(project, run.id),
        "revision": run.revision,
        "created_at": run.created_at,
        "last_at": run.last_at,
        "ended_at": run.ended.map(|(_, at)| at),
        "counts": counts,
        "explanation": divisi_core::run::explain::explain_run(run, now, shared),
        "tasks": tasks,
    }))
}

/// Whether somebody works on a run; whoever holds the project's engine is asked.
pub(crate) fn attended(project: &Project, run: &Run) -> Attended {
    Attended::of(run.status(), run.paused.as_ref(), || {
        hold::is_attended(project, run.id)
    })
}

/// One run: what runs, what waits and why.
pub(crate) fn lines(
    project: &Project,
    run: &Run,
    attended: Attended,
    shared: &Shared,
    now: Time,
) -> Vec<Line> {
    let mut lines = vec![head(run, now)];
    if attended == Attended::No {
        lines.push(
            Line::styled(Style::Warn, "no engine works on it")
                .with(Style::Dim, "  → ")
                .with(Style::Note, format!("divisi resume {}", run.id)),
        );
    }
    if let Some(reason) = run.paused.as_ref().filter(|_| run.ended.is_none()) {
        let line = Line::styled(Style::Warn, format!("paused: {}", reason.words()));
        let with = |line: Line, command| line.with(Style::Dim, "  → ").with(Style::Note, command);
        lines.push(reason.commands(run.id).into_iter().fold(line, with));
    }
    if run.status() == RunStatus::AwaitingApproval {
        lines.push(
            Line::styled(Style::Warn, "its plan is not approved")
                .with(Style::Dim, "  → ")
                .with(Style::Note, format!("divisi approve {}", run.id)),
        );
    }
    let mut groups: Vec<Vec<TaskNo>> = vec![Vec::new(); GROUPS.len()];
    for (no, task) in run.tasks().iter().enumerate() {
        let status = task.status();
        if let Some(at) = GROUPS.iter().position(|group| *group == status)
            && groups[at].len() < SHOWN_MAX
        {
            groups[at].push(TaskNo(no as u32));
        }
    }
    for (status, shown) in GROUPS.into_iter().zip(&groups) {
        let tasks: Vec<Shown<'_>> = shown
            .iter()
            .filter_map(|no| {
                let (task, told) = (run.task(*no)?, explain(run, *no, now, shared)?);
                let for_owner = waits_for_its_owner(run, task, shared);
                Some(Shown {
                    task,
                    told,
                    for_owner,
                    promised: so_far::promised(project, run, *no, task),
                })
            })
            .collect();
        group(run, status, &tasks, &mut lines);
    }
    let over: Vec<String> = words::occurring(run.counts())
        .filter(|(status, _)| status.is_terminal())
        .map(|(status, many)| format!("{many} {status}"))
        .collect();
    if !over.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled(Style::Dim, over.join(" · ")));
    }
    lines
}

fn head(run: &Run, now: Time) -> Line {
    let status = run.status();
    let end = run.ended.map_or(now, |(_, at)| at);
    Line::styled(Style::Bold, run.id.to_string())
        .then(format!("  {}  ", run.title))
        .with(words::run_style(status), words::standing(run))
        .then(format!(
            " · {} · {}",
            words::progress_of(run),
            words::span(end.ms_since(run.created_at))
        ))
}

/// A task of a group, and why it is where it is.
struct Shown<'a> {
    task: &'a Task,
    told: Explanation,
    /// Whether its owner's command is what moves it.
    for_owner: bool,
    /// How many promised files are there already, and of how many, while its agent works.
    promised: Option<(usize, usize)>,
}

fn group(run: &Run, status: TaskStatus, shown: &[Shown<'_>], lines: &mut Vec<Line>) {
    let many = run.counts().of(status) as usize;
    if many == 0 {
        return;
    }
    lines.push(Line::default());
    lines.push(Line::styled(words::task_style(status), status.word()).then(format!(" ({many})")));
    let width = shown.iter().map(|shown| shown.task.spec.id.as_str().len());
    let width = width.max().unwrap_or(0);
    for Shown {
        task,
        told,
        for_owner,
        promised,
    } in shown
    {
        let cause = told.causes.join("; ");
        let made = promised.map_or_else(String::new, |(made, of)| {
            format!("; {made} of {} made", words::plural(of as u64, "file"))
        });
        let by = match task.live() {
            Some(live) if is_scripted(&live.agent) => " (scripted)",
            _ => "",
        };
        lines.push(
            Line::of(format!("  {:<width$}  ", task.spec.id.as_str()))
                .then(cause)
                .then(made)
                .with(Style::Dim, by),
        );
        if *for_owner {
            for command in &told.commands {
                lines.push(
                    Line::styled(Style::Dim, format!("  {:<width$}  → ", ""))
                        .with(Style::Note, command),
                );
            }
        }
    }
    if many > shown.len() {
        lines.push(Line::styled(
            Style::Dim,
            format!("  … and {} more", many - shown.len()),
        ));
    }
}

/// Whether a command is what moves a task: a person or something outside is waited for, or its
/// budget. What is said of the whole run is not said again of each of its tasks.
fn waits_for_its_owner(run: &Run, task: &Task, shared: &Shared) -> bool {
    match (task.status(), task.live()) {
        // An agent is to judge it first.
        (TaskStatus::Blocked, Some(_)) => run.reviewer(run.find(&task.spec.id)).is_none(),
        (TaskStatus::Blocked, None) => true,
        (TaskStatus::Ready, _) if run.takes_leases() => shared.exhausted(run, task).is_some(),
        (_, Some(live)) => !holds_slot(&live.agent) || live.asks().next().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
