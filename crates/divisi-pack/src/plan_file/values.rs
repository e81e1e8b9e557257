//! Reads those fields of a subtask that need nothing but themselves.

use std::collections::BTreeMap;

use divisi_core::TaskKind;
use divisi_core::plan::{Deliverable, Estimate, Template, Work};
use divisi_core::run::{AGENT_AUTO, AGENTS, is_definable};
use jsonc_parser::ast::Value;

use super::compile::is_program;
use super::task::{DELIVERABLE_KEYS, KINDS, TEMPLATE_KEYS};
use super::{ESTIMATE_MINUTES_MAX, TOKENS_MAX, criteria};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};

/// The supervisor's own variables, which mark its descendants.
const ENV_RESERVED: &str = "DIVISI_";

/// What is executed, and the file that a template's output promises.
pub(crate) fn work(
    fields: &Fields<'_, '_>,
    kind: TaskKind,
    faults: &mut Faults<'_>,
) -> (Work, Option<String>) {
    let executed = ["command", "script", "template"];
    let given: Vec<&str> = executed
        .into_iter()
        .filter(|key| fields.get(key).is_some())
        .collect();
    if let [first, second, ..] = given[..] {
        let cause = format!("both `{first}` and `{second}` are given");
        conflict(fields.at, &cause, faults);
    }
    let nothing = matches!(kind, TaskKind::Approval | TaskKind::External);
    if let Some(first) = given.first()
        && (nothing || (*first == "template" && kind != TaskKind::Compose))
    {
        let word = word_of(KINDS, kind);
        conflict(
            fields.at,
            &format!("a task of kind `{word}` takes no `{first}`"),
            faults,
        );
    }
    // Each is read even where another was read already, for the faults in it.
    let template = fields
        .get("template")
        .and_then(|value| template(value, faults));
    let script = fields
        .get("script")
        .and_then(|value| script(value, "script", faults));
    let command = fields
        .get("command")
        .and_then(|value| criteria::argv(value, "command", faults));
    match (command, script, template) {
        (Some(argv), _, _) => (Work::Command(argv), None),
        (None, Some(script), _) => (Work::Script(script), None),
        (None, None, Some(template)) => {
            let output = template.output.clone();
            (Work::Template(template), Some(output))
        }
        (None, None, None) if nothing => (Work::Nothing, None),
        // What stands in the tree is put together already, unless somebody is to do it.
        (None, None, None) if kind == TaskKind::Compose && !names_somebody(fields) => {
            (Work::Nothing, None)
        }
        (None, None, None) => (Work::Handoff, None),
    }
}

/// Whether an agent or a role is said to do it, in a plan or in a workflow.
fn names_somebody(fields: &Fields<'_, '_>) -> bool {
    let keys = ["agent", "assigned_to", "worker_type", "role"];
    keys.into_iter().any(|key| fields.get(key).is_some())
}

/// A script for a shell.
pub(crate) fn script(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = fields::string(value, key, faults)?;
    let fault = if text.trim().is_empty() {
        "is empty"
    } else if text.contains('\0') {
        "holds a NUL character"
    } else {
        return Some(text.to_owned());
    };
    faults.error(codes::COMMAND, start(value), || format!("`{key}` {fault}"));
    None
}

fn template(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Template> {
    let object = fields::object(value, "`template`", faults)?;
    let fields = Fields::open(object, "the template", TEMPLATE_KEYS, faults);
    if fields.get("text").is_some() && fields.get("path").is_some() {
        conflict(fields.at, "a template has both `text` and `path`", faults);
    }
    let text = fields.string("text", faults).map(str::to_owned);
    let path = match fields.get("path") {
        Some(_) => criteria::path(&fields, "path", faults),
        None => None,
    };
    let output = criteria::path(&fields, "output", faults)?;
    Some(Template { text, path, output })
}

/// The files that are promised.
pub(crate) fn deliverables(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Vec<Deliverable> {
    let list = fields.list("deliverables", faults).unwrap_or_default();
    let path = |value: &Value<'_>| match value {
        Value::StringLit(_) => criteria::path_of(value, "deliverables", faults),
        Value::Object(object) => {
            let fields = Fields::open(object, "the deliverable", DELIVERABLE_KEYS, faults);
            criteria::path(&fields, "path", faults)
        }
        _ => {
            mistyped("a deliverable", "a string or an object", value, faults);
            None
        }
    };
    let paths = list.iter().filter_map(path);
    paths.map(|path| Deliverable { path }).collect()
}

/// The exit statuses that count as success, if they are given.
pub(crate) fn ok_exit(
    fields: &Fields<'_, '_>,
    work: &Work,
    faults: &mut Faults<'_>,
) -> Option<Vec<i32>> {
    let value = fields.get("ok_exit")?;
    if !is_program(work) && *work != Work::Handoff {
        conflict(
            start(value),
            "`ok_exit` is given, but nothing is executed",
            faults,
        );
    }
    let list = fields.list("ok_exit", faults)?;
    if list.is_empty() {
        faults.error(codes::NUMBER, start(value), || {
            "`ok_exit` is empty, so no exit status would do".to_owned()
        });
        return None;
    }
    let statuses = list.iter().filter_map(|value| {
        let status = fields::integer(value, "ok_exit", (0, 255), faults)?;
        Some(status as i32)
    });
    Some(statuses.collect())
}

/// The agent that does a task.
pub(crate) fn agent(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let key = "agent";
    agent_of(fields.get(key)?, key, faults)
}

/// Who takes over after failures, in order.
pub(crate) fn agents_else(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Vec<String> {
    let key = "agents_else";
    let list = fields.list(key, faults).unwrap_or_default();
    let read = list
        .iter()
        .filter_map(|value| one_of(&AGENTS, value, key, faults));
    read.collect()
}

/// The name of an agent, or the word for whichever is there; collects that it is none.
pub(crate) fn agent_of(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let all: Vec<&str> = AGENTS.into_iter().chain([AGENT_AUTO]).collect();
    one_of(&all, value, key, faults)
}

/// One of these names of agents, or of one that configuration may define; collects that there is
/// none of it.
pub(crate) fn one_of(
    all: &[&'static str],
    value: &Value<'_>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let name = fields::line(value, key, faults)?;
    if !all.contains(&name.as_str()) && !is_definable(&name) {
        let meant = faults.nearest(&name, all.iter().copied());
        let is_known = name == AGENT_AUTO || AGENTS.contains(&name.as_str());
        faults
            .error(codes::AGENT, start(value), || {
                let name = shown(&name);
                match is_known {
                    true => format!("the agent {name} cannot stand in `{key}`"),
                    false => format!("there is no agent {name}"),
                }
            })
            .meant(meant)
            .hint(format!("there are {}", all.join(", ")));
    }
    Some(name)
}

/// A list of patterns of paths.
pub(crate) fn patterns(
    fields: &Fields<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Vec<String> {
    let list = fields.list(key, faults).unwrap_or_default();
    let read = list
        .iter()
        .filter_map(|value| criteria::pattern_of(value, key, faults));
    read.collect()
}

/// The variables that are added to the environment.
pub(crate) fn env(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let Some(value) = fields.get("env") else {
        return env;
    };
    let Some(object) = fields::object(value, "`env`", faults) else {
        return env;
    };
    for (name, at, value) in fields::pairs(object, faults) {
        let Some(text) = fields::string(value, "env", faults) else {
            continue;
        };
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let fits =
            name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit());
        let fault = if !fits {
            "is no name for a variable"
        } else if name.starts_with(ENV_RESERVED) {
            "is reserved; names starting with `DIVISI_` are set by Divisi"
        } else if text.contains('\0') {
            "has a value with a NUL character"
        } else {
            env.insert(name.to_owned(), text.to_owned());
            continue;
        };
        faults.error(codes::ENV, at, || format!("{} {fault}", shown(name)));
    }
    env
}

/// What the task is expected to take.
pub(crate) fn estimate(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Estimate {
    let (minutes_key, seconds_key) = ("estimated_duration_minutes", "estimated_seconds");
    if let (Some(_), Some(value)) = (fields.get(minutes_key), fields.get(seconds_key)) {
        let cause = format!("both `{minutes_key}` and `{seconds_key}` are given");
        conflict(start(value), &cause, faults);
    }
    let range = minutes(fields, minutes_key, faults);
    let seconds = fields.number(
        seconds_key,
        (0.0, (ESTIMATE_MINUTES_MAX * 60) as f64),
        faults,
    );
    let ms = |of: f64, each: f64| (of * each).round() as u64;
    let low = range.map(|(low, _)| ms(low, 60_000.0));
    let high = range.and_then(|(_, high)| Some(ms(high?, 60_000.0)));
    Estimate {
        duration_ms: low.or(seconds.map(|seconds| ms(seconds, 1_000.0))),
        duration_max_ms: high.filter(|&high| Some(high) > low),
        tokens: fields.integer("estimated_tokens", (0, TOKENS_MAX), faults),
    }
}

/// A number of minutes, or a range of them such as `10-15`.
fn minutes(
    fields: &Fields<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<(f64, Option<f64>)> {
    let value = fields.get(key)?;
    let Value::StringLit(literal) = value else {
        let number = fields.number(key, (0.0, ESTIMATE_MINUTES_MAX as f64), faults)?;
        return Some((number, None));
    };
    let text = literal.value.trim();
    let text = text.strip_suffix("utes").unwrap_or(text);
    let text = text.strip_suffix("min").unwrap_or(text).trim_end();
    let number = |text: &str| {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number: f64 = text.parse().ok().filter(|_| plain)?;
        (number <= ESTIMATE_MINUTES_MAX as f64).then_some(number)
    };
    let range = match text.split_once(['-', '–']) {
        Some((low, high)) => number(low.trim()).zip(number(high.trim())),
        None => number(text).map(|number| (number, number)),
    };
    let range = range.filter(|(low, high)| low <= high);
    if range.is_none() {
        faults.error(codes::NUMBER, start(value), || {
            let given = shown(&literal.value);
            format!("`{key}` is {given}, not minutes such as `15` or `10-15`, up to {ESTIMATE_MINUTES_MAX}")
        });
    }
    range.map(|(low, high)| (low, Some(high)))
}

/// Collects that two things exclude each other.
pub(crate) fn conflict(at: usize, cause: &str, faults: &mut Faults<'_>) {
    faults.error(codes::CONFLICT, at, || cause.to_owned());
}

/// The word for a value.
pub(crate) fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, known)| *known == value);
    found.expect("a table of words has one for each value").0
}
