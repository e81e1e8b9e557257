//! Reads when an iteration is complete: words, checks, or both by what they speak of.

use divisi_core::Criterion;
use jsonc_parser::ast::Value;

use super::Statement;
use crate::faults::Faults;
use crate::fields::{self, Fields, mistyped};
use crate::plan_file::CHECK_TIMEOUT_MS;
use crate::plan_file::criteria as plan_criteria;
use crate::{paths, placeholder};

/// The keys of `completion_criteria` where it is an object.
pub(crate) const KEYS: &[&str] = &["files", "content", "commands"];

/// `completion_criteria`: a list of statements, or an object with lists of them.
pub(crate) fn completion(
    value: &Value<'_>,
    reader: &mut plan_criteria::Reader,
    faults: &mut Faults<'_>,
) -> Vec<Statement> {
    let Value::Object(object) = value else {
        return list(value, "completion_criteria", reader, faults);
    };
    let fields = Fields::open(object, "`completion_criteria`", KEYS, faults);
    let mut statements = Vec::new();
    for &key in KEYS {
        if let Some(value) = fields.get(key) {
            statements.extend(list(value, key, reader, faults));
        }
    }
    statements
}

/// A list of statements, or a single one. `key` says how a text is meant.
pub(crate) fn list(
    value: &Value<'_>,
    key: &'static str,
    reader: &mut plan_criteria::Reader,
    faults: &mut Faults<'_>,
) -> Vec<Statement> {
    let one = [value];
    let values: Vec<&Value<'_>> = match value {
        Value::Array(array) => array.elements.iter().collect(),
        _ => one.to_vec(),
    };
    let mut statements = Vec::with_capacity(values.len());
    for value in values {
        statements.extend(statement(value, key, reader, faults));
    }
    statements
}

fn statement(
    value: &Value<'_>,
    key: &'static str,
    reader: &mut plan_criteria::Reader,
    faults: &mut Faults<'_>,
) -> Option<Statement> {
    match value {
        Value::Object(object) => {
            // `- Coverage: at least 80 %` is a pair to YAML and words to its author.
            let forms = || plan_criteria::FORMS.iter().map(|(form, _)| *form);
            let name = |at: usize| object.properties.get(at).map(|pair| pair.name.as_str());
            let is_pair = object.properties.len() == 1
                && name(0).is_some_and(|name| {
                    !forms().any(|form| form == name)
                        && (name.contains(' ') || name.starts_with(char::is_uppercase))
                });
            if is_pair {
                return fields::loose_text(value, key, faults).map(Statement::Words);
            }
            reader.one(value, faults).map(Statement::Check)
        }
        Value::Array(_) if key == "commands" => {
            let argv = plan_criteria::argv(value, key, faults)?;
            Some(Statement::Check(command(argv)))
        }
        Value::Array(_) => {
            mistyped("a criterion", "words or an object", value, faults);
            None
        }
        _ => {
            let text = fields::loose_text(value, key, faults)?;
            Some(match key {
                "files" => file(text),
                "commands" => Statement::Check(command(
                    ["/bin/sh", "-euc", &text].map(str::to_owned).to_vec(),
                )),
                _ => Statement::Words(text),
            })
        }
    }
}

fn command(argv: Vec<String>) -> Criterion {
    Criterion::Command {
        argv,
        timeout_ms: CHECK_TIMEOUT_MS,
    }
}

/// A path or pattern says that there is such a file; anything else is words.
fn file(text: String) -> Statement {
    let is_path = !text.contains(char::is_whitespace) && text.contains(['/', '.', '*']);
    let plain = placeholder::fill(&text, |_| Some("x".to_owned()));
    if !is_path || paths::fault(&plain).is_some() {
        return Statement::Words(text);
    }
    if !plain.contains(['*', '?', '[', '{']) {
        return Statement::Check(Criterion::File {
            path: text,
            min_bytes: 1,
        });
    }
    match paths::pattern_fault(&plain) {
        Some(_) => Statement::Words(text),
        None => Statement::Check(Criterion::Count {
            pattern: text,
            min: 1,
            max: None,
        }),
    }
}

/// The paths of a criterion in which variables have values.
pub(crate) fn path_mut(criterion: &mut Criterion) -> Vec<&mut String> {
    match criterion {
        Criterion::File { path, .. }
        | Criterion::Contains { path, .. }
        | Criterion::Lacks { path, .. }
        | Criterion::Matches { path, .. }
        | Criterion::Section { path, .. }
        | Criterion::Format { path, .. }
        | Criterion::Schema { path, .. }
        | Criterion::Cites { path } => vec![path],
        Criterion::Changed { pattern }
        | Criterion::Count { pattern, .. }
        | Criterion::Each { pattern, .. } => vec![pattern],
        Criterion::Scope { patterns } => patterns.iter_mut().collect(),
        Criterion::ExitStatus | Criterion::Command { .. } | Criterion::Plain { .. } => Vec::new(),
    }
}

/// The names of a criterion's variables.
pub(crate) fn names(criterion: &Criterion) -> Vec<String> {
    let mut criterion = criterion.clone();
    let paths = path_mut(&mut criterion);
    let names = paths.iter().flat_map(|path| placeholder::names(path));
    names.map(str::to_owned).collect()
}
