//! Workflow files as data: a text goes in, a workflow or rendered diagnostics come out.

mod faults;
mod meaning;
mod schema;

use super::{Read, Workflow, read};
use crate::render;

/// The form as its description gives it, word for word.
pub(super) const SOURCE: &str = include_str!("../../../tests/data/user-story-refinement.yaml");

/// The block that a workflow file may hold beside it, word for word.
pub(super) const LEAD: &str = include_str!("../../../tests/data/orchestrator.yaml");

/// The workflow of a text that has no fault and no warning.
fn workflow(text: &str) -> Workflow {
    let Read {
        workflow,
        diagnostics,
        ..
    } = read("w.yaml", text.as_bytes());
    assert_eq!(diagnostics, [], "{text}");
    workflow.unwrap()
}

/// All diagnostics of a text, as a terminal without color shows them.
fn rendered(text: &str) -> String {
    let Read {
        workflow,
        diagnostics,
        ..
    } = read("w.yaml", text.as_bytes());
    assert!(workflow.is_none(), "{text}");
    let all = diagnostics.iter().map(|d| render(d, Some(text), false));
    all.collect()
}

/// All diagnostics of a text, in one line each.
fn lines(text: &str) -> Vec<String> {
    let Read {
        workflow,
        diagnostics,
        ..
    } = read("w.yaml", text.as_bytes());
    assert!(workflow.is_none(), "{text}");
    diagnostics.iter().map(ToString::to_string).collect()
}

/// A workflow of one iteration with one entry, of which the fields are given in braces.
fn one(entry: &str) -> String {
    format!("workflow: {{name: w, iterations: [{{name: i, agents: [{{{entry}}}]}}]}}")
}
