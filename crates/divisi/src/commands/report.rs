//! `divisi report`: the report of a run, at any time.

use crate::cli::{Global, OptionalRun};
use crate::exit::Exit;
use crate::loaded;
use crate::printer::{Outcome, Printer};
use crate::report::{gather, markdown};
use crate::words;

/// Prints the report, as Markdown or JSON.
pub(crate) fn run(args: &OptionalRun, global: &Global, printer: &Printer) -> Outcome {
    let (_, run) = loaded::open(global, args.run)?;
    let report = gather(&run, words::now());
    match printer.is_json() {
        true => printer.document(&report)?,
        false => printer.text(&markdown(&report))?,
    }
    Ok(Exit::Success)
}
