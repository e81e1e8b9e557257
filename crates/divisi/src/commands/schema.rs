//! `divisi schema`: the JSON Schemas of what Divisi reads and prints.

use divisi_pack::planner::asked::{self, Asked};
use serde_json::Value;

use crate::cli::{Schema, SchemaOf};
use crate::exit::Exit;
use crate::printer::{Outcome, Printer};

/// The schema of what `divisi assess --json` prints.
pub(crate) const ASSESSMENT: &str = include_str!("assessment.schema.json");

/// The schema of events as `divisi watch --json` prints them, one object a line.
const EVENTS: &str = include_str!("events.schema.json");

/// The schema of what `divisi feedback --json` prints.
const FEEDBACK: &str = include_str!("feedback.schema.json");

/// The schema of what `divisi budget --json` prints.
const BUDGET: &str = include_str!("budget.schema.json");

/// The schema of what `divisi permissions --json` prints.
const PERMISSIONS: &str = include_str!("permissions.schema.json");

/// The schema of what `divisi agents --json` prints.
const AGENTS: &str = include_str!("agents.schema.json");

/// The schema of what `divisi lessons --json` prints.
const LESSONS: &str = include_str!("lessons.schema.json");

/// The schema of what `divisi report --compare RUN RUN --json` prints.
const COMPARISON: &str = include_str!("comparison.schema.json");

/// The schema of what `divisi report --json` prints.
const REPORT: &str = include_str!("report.schema.json");

/// Prints a schema.
pub(crate) fn run(args: &Schema, printer: &Printer) -> Outcome {
    match args.of {
        SchemaOf::Plan => printer.document(&divisi_pack::plan_file::schema())?,
        SchemaOf::Planned => printer.document(&asked::schema(Asked::Whole))?,
        SchemaOf::Workflow => printer.document(&divisi_pack::workflow::schema())?,
        SchemaOf::Role => printer.document(&divisi_pack::role::schema())?,
        SchemaOf::Config => printer.document(&divisi_pack::config::schema())?,
        SchemaOf::Rehearsal => printer.document(&divisi_pack::rehearsal::schema())?,
        SchemaOf::Verdict => printer.document(&divisi_pack::verdict_file::schema())?,
        SchemaOf::Assessment => printer.document(&written(ASSESSMENT))?,
        SchemaOf::Events => printer.document(&written(EVENTS))?,
        SchemaOf::Review => printer.document(&super::review::schema())?,
        SchemaOf::Validation => printer.document(&super::validate::schema())?,
        SchemaOf::Feedback => printer.document(&written(FEEDBACK))?,
        SchemaOf::Lessons => printer.document(&written(LESSONS))?,
        SchemaOf::Budget => printer.document(&written(BUDGET))?,
        SchemaOf::Permissions => printer.document(&written(PERMISSIONS))?,
        SchemaOf::Agents => printer.document(&written(AGENTS))?,
        SchemaOf::Comparison => printer.document(&written(COMPARISON))?,
        SchemaOf::Report => printer.document(&written(REPORT))?,
    }
    Ok(Exit::Success)
}

/// A schema that is written by hand, and held to what is printed by tests.
fn written(schema: &str) -> Value {
    serde_json::from_str(schema).expect("a schema is JSON")
}

#[cfg(test)]
mod tests;
