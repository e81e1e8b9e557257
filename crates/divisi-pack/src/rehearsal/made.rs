//! The moves of a rule as the steps of one task's script.

use std::collections::BTreeMap;

use divisi_core::criterion::of_scope;
use divisi_core::plan::Work;
use divisi_core::script::Step;
use divisi_core::{Criterion, Format, TaskKind, TaskSpec};

use super::{Glob, Move};
use crate::placeholder;

/// A file is filled up to the size that criteria ask for, up to this; a larger one is left short.
const FILLED_BYTES_MAX: u64 = 1 << 20;

/// What a file is filled up with.
const FILLER: &str = "This line fills the file up to the size that is asked for.\n";

pub(super) fn steps(moves: &[Move], task: &TaskSpec) -> Vec<Step> {
    let mut steps = Vec::with_capacity(moves.len());
    for one in moves {
        match one {
            Move::Step(step) => steps.push(step.clone()),
            Move::Make { path, text } => {
                steps.extend(made(path.as_ref(), text.as_deref(), task));
                if path.is_none() {
                    let changes = changes(task);
                    match changes.is_empty() {
                        true => steps.extend(stand_in(task)),
                        false => steps.extend(changes),
                    }
                }
            }
        }
    }
    steps
}

fn made(path: Option<&Glob>, text: Option<&str>, task: &TaskSpec) -> Vec<Step> {
    let mut steps = Vec::new();
    for promised in &task.deliverables {
        let bound = match path {
            None => BTreeMap::new(),
            Some(glob) => match glob.pattern.bind(&promised.path) {
                Some(bound) => bound.named,
                None => continue,
            },
        };
        let text = match text {
            Some(text) => filled(text, &promised.path, &bound, task),
            None => usual(&promised.path, task),
        };
        let path = promised.path.clone();
        steps.push(Step::Write { path, text });
    }
    steps
}

/// The changes that criteria ask for, of files that are not promised.
fn changes(task: &TaskSpec) -> Vec<Step> {
    let is_made = |path: &str| task.deliverables.iter().any(|it| it.path == path);
    let patterns = task.criteria.iter().filter_map(|it| match it {
        Criterion::Changed { pattern } if !is_made(pattern) => Some(pattern.as_str()),
        _ => None,
    });
    patterns.map(|pattern| line_in(pattern, task)).collect()
}

/// An empty line, which is a change in every language and harmless in most, in a file of a pattern.
fn line_in(pattern: &str, task: &TaskSpec) -> Step {
    let id = task.id.as_str();
    Step::Append {
        path: pattern.replace("**", id).replace('*', id),
        text: "\n".to_owned(),
    }
}

/// A change where one is asked for and no file is promised: a file that nobody else has, within what
/// may change.
fn stand_in(task: &TaskSpec) -> Option<Step> {
    let is_change = task.kind == TaskKind::Work && task.work == Work::Handoff;
    let names_files = task.criteria.iter().any(Criterion::is_of_files);
    if !is_change || names_files || !task.deliverables.is_empty() {
        return None;
    }
    let scopes = task
        .criteria
        .iter()
        .filter_map(|criterion| match criterion {
            Criterion::Scope { patterns } => of_scope(patterns).0.first().copied(),
            _ => None,
        });
    let id = task.id.as_str();
    Some(match scopes.into_iter().next() {
        None => {
            let path = format!("scripted/{id}.md");
            let text = usual(&path, task);
            Step::Write { path, text }
        }
        Some(pattern) => line_in(pattern, task),
    })
}

/// The rule's text with its variables. What a path bound is never looked at again.
fn filled(text: &str, path: &str, bound: &BTreeMap<String, String>, task: &TaskSpec) -> String {
    placeholder::fill(text, |name| match bound.get(name) {
        Some(value) => Some(value.clone()),
        None => match name {
            "path" => Some(path.to_owned()),
            "task" => Some(task.id.to_string()),
            "title" => Some(task.title.clone()),
            "sections" => Some(sections(path, task)),
            _ => None,
        },
    })
}

/// The sections that the task's criteria ask of a file, each with a line beneath it.
fn sections(path: &str, task: &TaskSpec) -> String {
    let mut text = String::new();
    for criterion in &task.criteria {
        if let Criterion::Section { heading, path: of } = criterion
            && of == path
        {
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}## {heading}\n\n{heading} of {path}.\n"));
        }
    }
    text
}

/// A text that says what it is, and has what the task's criteria ask of it.
fn usual(path: &str, task: &TaskSpec) -> String {
    let of_file = || {
        task.criteria
            .iter()
            .filter(|criterion| criterion.file() == Some(path))
    };
    let format = of_file().find_map(|criterion| match criterion {
        Criterion::Format { format, .. } => Some(*format),
        _ => None,
    });
    match format {
        Some(Format::Json) => return format!("{{\"scripted\": \"{}\"}}\n", task.id),
        Some(Format::Yaml) => return format!("scripted: \"{}\"\n", task.id),
        Some(Format::Toml) => return format!("scripted = \"{}\"\n", task.id),
        Some(Format::Markdown) | None => {}
    }
    let mut text = format!(
        "# {path}\n\nPlayed from a script for {}: no agent made this.\n",
        task.id
    );
    let sections = sections(path, task);
    if !sections.is_empty() {
        text.push('\n');
        text.push_str(&sections);
    }
    let mut bytes_min = 0;
    for criterion in of_file() {
        match criterion {
            Criterion::Contains { text: asked, .. } if !text.contains(asked.as_str()) => {
                text.push_str(&format!("\n{asked}\n"));
            }
            Criterion::File { min_bytes, .. } => bytes_min = bytes_min.max(*min_bytes),
            _ => {}
        }
    }
    if bytes_min > text.len() as u64 {
        text.push('\n');
    }
    while (text.len() as u64) < bytes_min.min(FILLED_BYTES_MAX) {
        text.push_str(FILLER);
    }
    text
}
