//! `divisi watch`: a run's events as they become durable.
//!
//! It ends when the run has ended or rests in people's hands, with the run's exit code. Of a task,
//! what its agent says and does is followed instead.

mod spoken;
mod task;

use std::thread;

use divisi_core::RunId;
use divisi_core::journal::{Entry, Stream};
use divisi_core::run::Event;
use serde::Serialize;

use crate::cli::{Global, Watch, Watched};
use crate::commands::status;
use crate::exit::Exit;
use crate::follow::{Follower, LOOK, News, Vigil};
use crate::happened;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words;

/// Follows a run.
pub(crate) fn run(args: &Watch, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let run = match (&args.watched, &args.task) {
        (None, _) => None,
        (Some(Watched::Run(run)), None) => Some(*run),
        (Some(watched), other) => {
            let (run, no) = task::find(&project, watched, other.as_deref())?;
            return task::watch(&project, run, no, args.from_start, printer);
        }
    };
    let row = project.row(&project.view()?, run)?;
    let mut follower = Follower::of(&project, row.run, args.from_start.then_some(0))?;
    if !args.from_start && printer.is_json() && follower.rests() {
        // Nothing happens to it until somebody acts: what is asked for is what happened.
        follower = Follower::of(&project, row.run, Some(0))?;
    }
    if !args.from_start && !printer.is_json() {
        let run = follower.run();
        let attended = status::attended(&project, run);
        let shared = loaded::shared(follower.view(), run.id)?;
        printer.lines(&status::lines(
            &project,
            run,
            attended,
            &shared,
            words::now(),
        ))?;
    }
    let mut vigil = Vigil::default();
    loop {
        if follower.look(&mut |news| tell(&news, printer))? {
            vigil.on_news();
            continue;
        }
        let run = follower.run();
        if follower.rests() {
            return Ok(Exit::of_run(run));
        }
        if vigil.is_in_vain(&project, run.id) {
            printer.note(&unattended(run.id));
            return Ok(Exit::of_run(run));
        }
        thread::sleep(LOOK);
    }
}

/// Said when it is in vain to wait for more of a run.
pub(super) fn unattended(run: RunId) -> Line {
    let words = format!("no engine works on it any more; `divisi resume {run}` goes on");
    Line::styled(Style::Warn, words)
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

fn tell(news: &News<'_>, printer: &Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.object(&object(news.entry, news.event));
    }
    let time = format!("{}  ", words::time_of_day(news.at));
    let line = happened::line(news.run, news.at, news.event);
    printer.line(&Line::styled(Style::Dim, time).join(line))
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
