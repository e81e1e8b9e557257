//! `divisi schema`: the JSON Schemas of what Divisi reads and prints.

use serde_json::Value;

use crate::cli::{Schema, SchemaOf};
use crate::exit::Exit;
use crate::printer::{Outcome, Printer};

/// The schema of events as `divisi watch --json` prints them, one object a line.
const EVENTS: &str = include_str!("events.schema.json");

/// Prints a schema.
pub(crate) fn run(args: &Schema, printer: &Printer) -> Outcome {
    match args.of {
        SchemaOf::Plan => printer.document(&divisi_pack::plan_file::schema())?,
        SchemaOf::Workflow => printer.document(&divisi_pack::workflow::schema())?,
        SchemaOf::Role => printer.document(&divisi_pack::role::schema())?,
        SchemaOf::Config => printer.document(&divisi_pack::config::schema())?,
        SchemaOf::Rehearsal => printer.document(&divisi_pack::rehearsal::schema())?,
        SchemaOf::Events => printer.document(&events())?,
        SchemaOf::Review => printer.document(&super::review::schema())?,
        SchemaOf::Validation => printer.document(&super::validate::schema())?,
    }
    Ok(Exit::Success)
}

fn events() -> Value {
    serde_json::from_str(EVENTS).expect("the schema of events is JSON")
}

#[cfg(test)]
mod tests;
