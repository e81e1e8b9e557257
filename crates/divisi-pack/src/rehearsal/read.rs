//! Reads files of rules.

use divisi_core::receipt::Usage;
use divisi_core::script::{Question, STEPS_MAX, Step};
use jsonc_parser::ast::Value;

use super::{ATTEMPTS_MAX, Glob, Move, Named, RULES_MAX, Read, Rehearsal, Rule};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};
use crate::{paths, text, yaml};

/// The key of a file.
pub(super) const FILE_KEYS: &[&str] = &["rules"];

/// The keys of a rule.
pub(super) const KEYS: &[&str] = &["task", "role", "deliverable", "attempts"];

/// The keys of each move's object.
pub(super) const MAKE_KEYS: &[&str] = &["path", "text"];
pub(super) const FILE_MOVE_KEYS: &[&str] = &["path", "text"];
pub(super) const PATH_KEYS: &[&str] = &["path"];
pub(super) const USAGE_KEYS: &[&str] = &["tokens"];
pub(super) const ASK_KEYS: &[&str] = &["text", "default"];
pub(super) const LIMIT_KEYS: &[&str] = &["wait_ms"];

/// The most that an attempt is taken to last, and the longest wait: a year, in milliseconds.
const MS_MAX: u64 = 31_536_000_000;

/// The most tokens that an attempt reports.
const TOKENS_MAX: u64 = 1_000_000_000_000;

/// The names of moves.
#[derive(Clone, Copy)]
pub(super) enum Verb {
    Make,
    Write,
    Append,
    Delete,
    Print,
    TakeMs,
    Usage,
    Ask,
    Exit,
    Signal,
    Limit,
    TooLarge,
    Fail,
}

pub(super) const VERBS: &[(&str, Verb)] = &[
    ("make", Verb::Make),
    ("write", Verb::Write),
    ("append", Verb::Append),
    ("delete", Verb::Delete),
    ("print", Verb::Print),
    ("take_ms", Verb::TakeMs),
    ("usage", Verb::Usage),
    ("ask", Verb::Ask),
    ("exit", Verb::Exit),
    ("signal", Verb::Signal),
    ("limit", Verb::Limit),
    ("too_large", Verb::TooLarge),
    ("fail", Verb::Fail),
];

/// Reads a file of rules. `source_name` stands in the diagnostics' places, as the user gave it.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let (rehearsal, diagnostics) =
        text::read(source_name, bytes, yaml::TEXT_BYTES_MAX, |text, faults| {
            yaml::parse(text, faults).and_then(|value| file(&value, faults))
        });
    Read {
        rehearsal,
        diagnostics,
    }
}

fn file(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Rehearsal> {
    let object = fields::object(value, "the rehearsal", faults)?;
    let fields = Fields::open(object, "the rehearsal", FILE_KEYS, faults);
    fields.required("rules", faults)?;
    let rules = fields.list("rules", faults)?;
    if rules.is_empty() || rules.len() > RULES_MAX {
        let at = fields.get("rules").map_or(fields.at, start);
        faults.error(codes::TOO_LARGE, at, || {
            let many = rules.len();
            format!("there are {many} rules, not 1 to {RULES_MAX}")
        });
        return None;
    }
    let rules = rules.iter().filter_map(|value| rule(value, faults));
    Some(Rehearsal::of(rules.collect()))
}

fn rule(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Rule> {
    let object = fields::object(value, "the rule", faults)?;
    let fields = Fields::open(object, "the rule", KEYS, faults);
    let role = fields.line("role", faults);
    Some(Rule {
        task: glob(&fields, "task", faults),
        role: role.map(|name| Named { name, pair: None }),
        deliverable: glob(&fields, "deliverable", faults),
        attempts: attempts(&fields, faults)?,
        place: faults.place(fields.at),
    })
}

fn glob(fields: &Fields<'_, '_>, key: &'static str, faults: &mut Faults<'_>) -> Option<Glob> {
    let text = fields.line(key, faults)?;
    match Glob::new(&text) {
        Ok(glob) => Some(glob),
        Err(fault) => {
            let at = fields.get(key).map_or(fields.at, start);
            faults.error(codes::PATTERN, at, || {
                format!("the pattern {} {fault}", shown(&text))
            });
            None
        }
    }
}

fn attempts(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<Vec<Vec<Move>>> {
    let Some(value) = fields.get("attempts") else {
        return Some(vec![vec![Move::Make {
            path: None,
            text: None,
        }]]);
    };
    let attempts = fields.list("attempts", faults)?;
    if attempts.is_empty() || attempts.len() > ATTEMPTS_MAX {
        faults.error(codes::TOO_LARGE, start(value), || {
            let many = attempts.len();
            format!("there are {many} attempts, not 1 to {ATTEMPTS_MAX}")
        });
        return None;
    }
    let mut all = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let Value::Array(moves) = attempt else {
            fields::mistyped("an attempt", "a list of moves", attempt, faults);
            continue;
        };
        let moves = &moves.elements;
        if moves.len() > STEPS_MAX {
            faults.error(codes::TOO_LARGE, start(attempt), || {
                let many = moves.len();
                format!("the attempt has {many} moves, more than {STEPS_MAX}")
            });
            continue;
        }
        let moves = moves.iter().filter_map(|value| one(value, faults));
        all.push(moves.collect());
    }
    Some(all)
}

/// One move: an object of one key.
fn one(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Move> {
    let object = fields::object(value, "a move", faults)?;
    let pairs = fields::pairs(object, faults);
    let [(name, at, value)] = pairs[..] else {
        faults
            .error(codes::CONFLICT, object.range.start, || {
                format!("a move has {} keys, not one", pairs.len())
            })
            .hint("write each move as an element of its own");
        return None;
    };
    let Some((_, verb)) = VERBS.iter().find(|(known, _)| *known == name) else {
        let meant = faults.nearest(name, VERBS.iter().map(|(known, _)| *known));
        faults
            .error(codes::UNKNOWN_KEY, at, || {
                format!("there is no move {}", shown(name))
            })
            .meant(meant);
        return None;
    };
    step(*verb, value, faults)
}

fn step(verb: Verb, value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Move> {
    let number = |key, bounds, faults: &mut Faults<'_>| fields::integer(value, key, bounds, faults);
    let step = match verb {
        Verb::Make => return make(value, faults),
        Verb::Write => {
            let (path, text) = file_and_text(value, faults)?;
            Step::Write { path, text }
        }
        Verb::Append => {
            let (path, text) = file_and_text(value, faults)?;
            Step::Append { path, text }
        }
        Verb::Delete => {
            let fields = open(value, PATH_KEYS, faults)?;
            let path = path(&fields, faults)?;
            Step::Delete { path }
        }
        Verb::Print => Step::Print(fields::string(value, "print", faults)?.to_owned()),
        Verb::TakeMs => Step::TakeMs(number("take_ms", (0, MS_MAX), faults)?),
        Verb::Usage => {
            let fields = open(value, USAGE_KEYS, faults)?;
            fields.required("tokens", faults)?;
            let tokens = fields.integer("tokens", (0, TOKENS_MAX), faults)?;
            Step::Usage(Usage {
                tokens,
                ..Usage::default()
            })
        }
        Verb::Ask => {
            let fields = open(value, ASK_KEYS, faults)?;
            fields.required("text", faults)?;
            Step::Ask(Question {
                text: fields.line("text", faults)?,
                default: fields.line("default", faults),
            })
        }
        Verb::Exit => Step::Exit(number("exit", (0, 255), faults)? as i32),
        Verb::Signal => Step::Signal(number("signal", (1, 64), faults)? as i32),
        Verb::Limit => {
            let fields = open(value, LIMIT_KEYS, faults)?;
            let wait_ms = fields.integer("wait_ms", (0, MS_MAX), faults);
            Step::Limit { wait_ms }
        }
        Verb::TooLarge => Step::TooLarge(fields::line(value, "too_large", faults)?),
        Verb::Fail => Step::Fail(fields::line(value, "fail", faults)?),
    };
    Some(Move::Step(step))
}

fn open<'v, 't>(
    value: &'v Value<'t>,
    keys: &'static [&'static str],
    faults: &mut Faults<'_>,
) -> Option<Fields<'v, 't>> {
    let object = fields::object(value, "the move", faults)?;
    Some(Fields::open(object, "the move", keys, faults))
}

fn make(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Move> {
    let fields = open(value, MAKE_KEYS, faults)?;
    let text = fields.string("text", faults).map(str::to_owned);
    let path = glob(&fields, "path", faults);
    Some(Move::Make { path, text })
}

fn file_and_text(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<(String, String)> {
    let fields = open(value, FILE_MOVE_KEYS, faults)?;
    fields.required("text", faults);
    let text = fields.string("text", faults).map(str::to_owned);
    Some((path(&fields, faults)?, text?))
}

fn path(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let value = fields.required("path", faults)?;
    let path = fields.line("path", faults)?;
    if let Some(fault) = paths::fault(&path) {
        faults.error(codes::PATH, start(value), || {
            format!("the path {} {fault}", shown(&path))
        });
        return None;
    }
    Some(path)
}
