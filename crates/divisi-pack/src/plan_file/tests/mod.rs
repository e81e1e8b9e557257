//! Plan files as data: a text goes in, a plan or rendered diagnostics come out.

mod candidates;
mod faults;
mod meaning;
mod records;
mod round_trip;
mod scale;
mod schema;

use super::{Read, read};
use crate::render;
use divisi_core::Plan;

/// The plan of a text that has no fault and no warning.
fn plan(text: &str) -> Plan {
    let Read { plan, diagnostics } = read("plan.json", text.as_bytes());
    assert_eq!(diagnostics, [], "{text}");
    plan.unwrap()
}

/// The plan of a text that may have warnings.
fn plan_with_warnings(text: &str) -> Plan {
    let Read { plan, diagnostics } = read("plan.json", text.as_bytes());
    plan.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

/// All diagnostics of a text, as a terminal without color shows them.
fn rendered(text: &str) -> String {
    let Read { plan, diagnostics } = read("plan.json", text.as_bytes());
    let refuses =
        |d: &divisi_core::Diagnostic| d.severity == divisi_core::diagnostic::Severity::Error;
    assert_eq!(plan.is_none(), diagnostics.iter().any(refuses));
    let all = diagnostics.iter().map(|d| render(d, Some(text), false));
    all.collect()
}

/// A plan file with one subtask, of which the given fields are added to its id.
fn one(fields: &str) -> String {
    format!(r#"{{"task_title": "t", "subtasks": [{{"subtask_id": "a", {fields}}}]}}"#)
}
