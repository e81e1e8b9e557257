//! Bundles as data: a workflow, inputs and paths go in, tasks or diagnostics come out.

mod assembling;
mod catalog;
mod expanding;
mod generating;
mod prompting;
mod sharing;

use std::collections::BTreeMap;

use divisi_core::diagnostic::Severity;
use divisi_core::{Diagnostic, TaskSpec};

use super::{Assembled, Bundle, Expansion, Given, assemble, expand};
use crate::role::Library;
use crate::workflow::{self, Workflow};

/// The form as its description gives it, word for word.
const SOURCE: &str = include_str!("../../../tests/data/user-story-refinement.yaml");

const STORIES: &[&str] = &[
    "README.md",
    "stories/S1.md",
    "stories/S2.md",
    "stories/S3.md",
];

fn workflow(text: &str) -> Workflow {
    let read = workflow::read("w.yaml", text.as_bytes());
    read.workflow
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics))
}

fn given(inputs: &[(&str, &str)]) -> Given {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Given {
        inputs: inputs.iter().map(owned).collect(),
        ..Given::default()
    }
}

fn templates(templates: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    templates.iter().map(owned).collect()
}

fn assembled(text: &str, given: &Given) -> Assembled {
    assemble(&workflow(text), &Library::built_in(), &[], given)
}

fn bundle_with(text: &str, given: &Given) -> Bundle {
    let Assembled {
        bundle,
        diagnostics,
    } = assembled(text, given);
    bundle.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn bundle(text: &str) -> Bundle {
    bundle_with(text, &Given::default())
}

/// A workflow of one iteration `i`, of which the entries are given.
fn one(entries: &str) -> String {
    format!("workflow: {{name: w, iterations: [{{name: i, goal: G, agents: [{entries}]}}]}}")
}

/// The expansion of an iteration without errors.
fn expansion(bundle: &Bundle, iteration: &str, paths: &[&str]) -> Expansion {
    let expanded = expand(bundle, iteration, paths);
    let diagnostics = expanded.diagnostics;
    let expansion = expanded
        .expansion
        .unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    assert_eq!(errors.count(), 0);
    expansion
}

/// The diagnostics of an iteration, in one line each.
fn told(bundle: &Bundle, iteration: &str, paths: &[&str]) -> Vec<String> {
    let expanded = expand(bundle, iteration, paths);
    let refused = expanded
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    assert_eq!(expanded.expansion.is_none(), refused);
    lines(&expanded.diagnostics)
}

fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

fn ids(tasks: &[TaskSpec]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

fn promised(tasks: &[TaskSpec]) -> Vec<&str> {
    let made = tasks.iter().flat_map(|task| &task.deliverables);
    made.map(|made| &*made.path).collect()
}
