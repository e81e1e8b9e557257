//! `divisi logs`: what an attempt printed, as far as the log's cap kept it.
//!
//! The log belongs to an agent, so whatever stands in it is made printable, on a terminal or not.
//! The raw file's path is told by `divisi show`.

use std::thread;

use divisi_core::journal::TaskRow;
use divisi_core::run::{Run, TaskStatus};
use divisi_core::{Diagnostic, RunId, TaskId, TaskNo};
use divisi_store::View;
use serde::Serialize;

use crate::cli::{Global, Logs};
use crate::commands::watch;
use crate::exit::Exit;
use crate::follow::{LOOK, Vigil};
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::tail::Tail;

/// Prints the log.
pub(crate) fn run(args: &Logs, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, Some(args.of.run))?;
    let no = loaded::task(&run, &args.of.task)?;
    let number = number(&run, no, args.attempt)?;
    let path = project.log(run.id, &run.tasks()[no.index()].spec.id, number);
    let of = Of {
        run: run.id.to_string(),
        task: run.tasks()[no.index()].spec.id.clone(),
        attempt: number,
    };
    let mut tail = Tail::of(path);
    let mut say = |text: &str| match printer.is_json() {
        false => printer.text(text),
        true => text
            .lines()
            .try_for_each(|line| printer.object(&Printed { of: &of, line })),
    };
    let (view, mut vigil) = (project.view()?, Vigil::default());
    loop {
        // Whether it is over is asked first: what was printed before that is then read.
        let goes_on = args.follow && is_live(&view, run.id, no, number)?;
        if tail.take(&mut say)? {
            vigil.on_news();
        } else if goes_on && vigil.is_in_vain(&project, run.id) {
            printer.note(&watch::unattended(run.id));
            break;
        }
        if !goes_on {
            break;
        }
        thread::sleep(LOOK);
    }
    tail.finish(&mut say)?;
    if tail.is_absent() {
        printer.note(&Line::of(format!(
            "attempt {number} printed nothing that is kept"
        )));
    }
    Ok(Exit::Success)
}

/// The attempt that is meant.
fn number(run: &Run, no: TaskNo, asked: Option<u32>) -> Result<u32, Failure> {
    let task = &run.tasks()[no.index()];
    let last = task.attempts();
    let id = &task.spec.id;
    let cause = match asked {
        _ if last == 0 => format!("{id} has had no attempt yet"),
        Some(number) if number > last => format!("{id} has had {last} attempts, not {number}"),
        Some(number) => return Ok(number),
        None => return Ok(last),
    };
    let told = Diagnostic::error("attempt-unknown", cause).hint(format!(
        "`divisi explain {} {id}` says where it stands",
        run.id
    ));
    Err(Failure::told(told, Exit::NotFound))
}

/// Whether the attempt may still print, by the one row that tells.
fn is_live(view: &View, run: RunId, no: TaskNo, number: u32) -> Result<bool, Failure> {
    let row = view.task(run, no.0)?;
    let runs = |row: TaskRow| row.attempts == number && row.status == TaskStatus::Running.word();
    Ok(row.is_some_and(runs))
}

/// Whose log it is.
#[derive(Serialize)]
struct Of {
    run: String,
    task: TaskId,
    attempt: u32,
}

/// A line of a log, as `--json` prints it.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    of: &'a Of,
    line: &'a str,
}
