//! Reads what workspaces need besides the tree: what is copied into them, what is run in them.

use divisi_core::preparation::{Preparation, Setup};
use divisi_core::{TaskId, TaskSpec};
use globset::{GlobBuilder, GlobMatcher};
use jsonc_parser::ast::Value;

use super::values::{conflict, patterns, script};
use super::{COPIED_MAX, SETUP_MAX, criteria};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};

/// All keys of `workspace`.
pub(crate) const KEYS: &[&str] = &["copy", "setup", "inputs", "timeout_minutes"];

/// How workspaces are prepared; empty if the plan does not say.
pub(crate) fn preparation(
    fields: &Fields<'_, '_>,
    tasks: &[TaskSpec],
    faults: &mut Faults<'_>,
) -> Preparation {
    let none = Preparation::default();
    let Some(value) = fields.get("workspace") else {
        return none;
    };
    let Some(object) = fields::object(value, "`workspace`", faults) else {
        return none;
    };
    let fields = Fields::open(object, "the workspace", KEYS, faults);
    for (key, most) in [
        ("copy", COPIED_MAX),
        ("inputs", COPIED_MAX),
        ("setup", SETUP_MAX),
    ] {
        check_count(&fields, key, most, faults);
    }
    let copy = copied(&fields, tasks, faults);
    let steps = fields.list("setup", faults).unwrap_or_default();
    let setup = steps.iter().filter_map(|value| one_setup(value, faults));
    let setup: Vec<Setup> = setup.collect();
    let inputs = fields
        .get("inputs")
        .map(|_| patterns(&fields, "inputs", faults));
    if steps.is_empty() {
        for key in ["inputs", "timeout_minutes"] {
            if let Some(value) = fields.get(key) {
                let cause = format!("`{key}` is given, but nothing is in `setup`");
                conflict(start(value), &cause, faults);
            }
        }
    }
    Preparation {
        copy,
        setup,
        inputs,
        timeout_ms: criteria::timeout_ms(&fields, faults),
    }
}

fn check_count(fields: &Fields<'_, '_>, key: &'static str, most: usize, faults: &mut Faults<'_>) {
    if let Some(Value::Array(array)) = fields.get(key)
        && array.elements.len() > most
    {
        let many = array.elements.len();
        faults.error(codes::TOO_LARGE, array.range.start, || {
            format!("`{key}` has {many} elements, at most {most} are taken")
        });
    }
}

pub(crate) fn one_setup(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Setup> {
    match value {
        Value::StringLit(_) => script(value, "setup", faults).map(Setup::Script),
        Value::Array(_) => criteria::argv(value, "setup", faults).map(Setup::Command),
        _ => {
            let expected = "a script or a list of program and arguments";
            mistyped("a step of `setup`", expected, value, faults);
            None
        }
    }
}

/// Patterns of what is copied. What a task promises must be its own work: a file that was copied
/// there would be taken for it.
fn copied(fields: &Fields<'_, '_>, tasks: &[TaskSpec], faults: &mut Faults<'_>) -> Vec<String> {
    let list = fields.list("copy", faults).unwrap_or_default();
    let mut patterns = Vec::new();
    for value in list.iter().take(COPIED_MAX) {
        let Some(pattern) = criteria::pattern_of(value, "copy", faults) else {
            continue;
        };
        let promise = copied_promise(std::slice::from_ref(&pattern), tasks);
        if let Some((_, id, path)) = promise {
            let (pattern, path, id) = (shown(&pattern), shown(path), shown(id.as_str()));
            let cause = format!("{pattern} would copy {path}, which the task {id} promises");
            conflict(start(value), &cause, faults);
        }
        patterns.push(pattern);
    }
    patterns
}

/// The first pattern that copies what a task promises, with the task and its path.
pub(crate) fn copied_promise<'p>(
    patterns: &'p [String],
    tasks: &'p [TaskSpec],
) -> Option<(&'p str, &'p TaskId, &'p str)> {
    patterns.iter().find_map(|pattern| {
        let built = GlobBuilder::new(pattern).literal_separator(true).build();
        let matcher = built.expect("it was found to parse").compile_matcher();
        tasks.iter().find_map(|task| {
            let promised = task.deliverables.iter().find(|d| covers(&matcher, &d.path));
            promised.map(|deliverable| (pattern.as_str(), &task.id, deliverable.path.as_str()))
        })
    })
}

/// Whether a pattern matches a path or a folder above it.
fn covers(matcher: &GlobMatcher, path: &str) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.chain([path]).any(|path| matcher.is_match(path))
}
