//! `divisi report`: the report of a run, at any time.

use crate::cli::{self, Global};
use crate::exit::Exit;
use crate::loaded;
use crate::plan_record;
use crate::printer::{Outcome, Printer};
use crate::report::{gather, markdown};
use crate::words;

/// Prints the report, as Markdown or JSON; or the plan with its progress, which is JSON always.
pub(crate) fn run(args: &cli::Report, global: &Global, printer: &Printer) -> Outcome {
    let (_, run) = loaded::open(global, args.run)?;
    if args.plan {
        let text = plan_record::text(&run, words::now());
        let plan: serde_json::Value = serde_json::from_str(&text).expect("a plan file is JSON");
        printer.document(&plan)?;
        return Ok(Exit::Success);
    }
    let report = gather(&run, words::now());
    match printer.is_json() {
        true => printer.document(&report)?,
        false => printer.text(&markdown(&report))?,
    }
    Ok(Exit::Success)
}
