//! `divisi watch`: a run's events as they become durable.
//!
//! It reads the journal, not the engine, so it shows exactly what is durable, and works beside any
//! engine or none. It ends when the run has ended or rests in people's hands, with the run's exit
//! code.

use std::thread;
use std::time::Duration;

use divisi_core::journal::{Entry, Fault, Stream};
use divisi_core::run::{Event, Run, RunStatus, TaskStatus, stored};
use divisi_store::View;
use serde::Serialize;

use crate::cli::{Global, Watch};
use crate::commands::status::{self, Attended};
use crate::exit::Exit;
use crate::happened;
use crate::hold;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words;

/// How often the journal is looked at while nothing happens. One query by key each time.
const LOOK: Duration = Duration::from_millis(100);

/// So many looks without anything new, then it is asked whether anybody works on it.
const ASK_EVERY: u32 = 10;

/// A run that nobody works on is asked about so often: an engine may be about to take over.
const UNATTENDED_MAX: u32 = 2;

/// Events read at once.
const PAGE: u32 = 1_000;

/// Follows a run.
pub(crate) fn run(args: &Watch, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let view = project.view()?;
    let row = project.row(&view, args.run)?;
    let mut run = loaded::load(&view, row.run)?;
    let mut seq = if args.from_start { 0 } else { row.seq };
    if !args.from_start && !printer.is_json() {
        let attended = Attended::of(&project, &run);
        let balance = loaded::balance(&view, run.id)?;
        printer.lines(&status::lines(
            &project,
            &run,
            attended,
            balance.as_ref(),
            words::now(),
        ))?;
    }
    let (mut quiet, mut unattended) = (0, 0);
    loop {
        let entries = view.events(Stream::Run(run.id), seq, PAGE)?;
        for entry in &entries {
            tell(&mut run, entry, &view, printer)?;
            seq = entry.seq;
        }
        if !entries.is_empty() {
            (quiet, unattended) = (0, 0);
            continue;
        }
        if let Some(exit) = rests(&view, &run)? {
            return Ok(exit);
        }
        quiet += 1;
        if quiet % ASK_EVERY == 0 {
            let is_attended = hold::is_attended(&project, run.id);
            unattended = if is_attended { 0 } else { unattended + 1 };
        }
        if unattended > UNATTENDED_MAX {
            let words = "no engine works on it any more; `divisi resume` goes on";
            printer.note(&Line::styled(Style::Warn, words));
            return Ok(Exit::Interrupted);
        }
        thread::sleep(LOOK);
    }
}

/// An event as `--json` prints it; `divisi schema events` describes it.
#[derive(Serialize)]
struct Object<'a> {
    stream: String,
    seq: u64,
    at: u64,
    kind: &'a str,
    version: u32,
    body: serde_json::Value,
}

fn tell(run: &mut Run, entry: &Entry, view: &View, printer: &Printer) -> Result<(), Failure> {
    let (at, event) = loaded::event(entry)?;
    if matches!(event, Event::TaskSplit { .. }) {
        *run = loaded::load(view, run.id)?;
    }
    if printer.is_json() {
        return printer.object(&object(entry, &event));
    }
    let time = format!("{}  ", words::time_of_day(at));
    printer.line(&Line::styled(Style::Dim, time).join(happened::line(run, &event)))
}

fn object<'a>(entry: &'a Entry, event: &Event) -> Object<'a> {
    Object {
        stream: match entry.stream {
            Stream::Run(run) => run.to_string(),
            Stream::Ledger => "ledger".to_owned(),
        },
        seq: entry.seq,
        at: entry.at.0,
        kind: &entry.kind,
        version: entry.version,
        body: serde_json::to_value(event).expect("events are plain data"),
    }
}

/// The run's exit code, if nothing about it goes on by itself. Its row tells whether loading it
/// whole is worth while.
fn rests(view: &View, run: &Run) -> Result<Option<Exit>, Failure> {
    let Some(row) = view.run(run.id)? else {
        return Ok(None);
    };
    let unreadable = |fault: stored::Unreadable| Fault::Unreadable(fault.to_string());
    let summary = stored::summary(&row).map_err(unreadable)?;
    if summary.status == RunStatus::Running && summary.paused.is_none() {
        return Ok(None);
    }
    if summary.status == RunStatus::Running {
        // It is paused; what was running may still be on its way.
        let under_way = [TaskStatus::Verifying, TaskStatus::Integrating];
        let many: u32 = under_way
            .iter()
            .map(|status| summary.counts.of(*status))
            .sum();
        if many > 0 || loaded::load(view, run.id)?.slots() > 0 {
            return Ok(None);
        }
    }
    Ok(Some(Exit::of_run(&loaded::load(view, run.id)?)))
}
