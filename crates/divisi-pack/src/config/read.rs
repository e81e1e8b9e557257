//! Reads files of configuration, and variables of the environment.

use std::borrow::Cow;

use divisi_core::diagnostic::Place;
use divisi_core::ledger::{Bound, Measure, QuietHours};
use divisi_core::run::{
    AGENT_AUTO, AGENT_MODEL, AGENT_PERSON, AGENTS, AGENTS_INSTALLABLE, Defined, is_definable,
};
use jsonc_parser::ast::{Object, StringLit, Value as Node};
use jsonc_parser::common::Range;

use super::defined;
use super::table::SECTIONS;
use super::{ENTRIES_MAX, Kind, LIST_MAX, Read, SETTINGS, Section, Setting, Value, Values, rules};
use crate::budget;
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};
use crate::plan_file::{criteria, values, workspace};
use crate::{text, yaml};

/// Reads a file of configuration. `source_name` stands in the places, as it is shown to people. A
/// file of comments says nothing, and that is no fault.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    with_text(source_name, bytes, |text, faults| {
        let mut values = Values::default();
        if says_nothing(text) {
            return values;
        }
        if let Some(value) = yaml::parse(text, faults) {
            file(&value, &mut values, faults);
        }
        values
    })
}

/// Reads the value of a setting's variable: as a file would have it, in one line. Names and words
/// need no quotes.
#[must_use]
pub fn read_variable(setting: &'static Setting, text: &str) -> Read {
    let read = with_text(&setting.variable(), text.as_bytes(), |text, faults| {
        let mut values = Values::default();
        let raw = matches!(
            setting.kind,
            Kind::Word(_) | Kind::Agent | Kind::Text | Kind::Hours
        );
        let value = match raw {
            true => Some(Node::StringLit(StringLit {
                range: Range {
                    start: 0,
                    end: text.len(),
                },
                value: Cow::Borrowed(text),
            })),
            false => yaml::parse(text, faults),
        };
        if let Some(value) = value {
            one(setting, &value, 0, &mut values, faults);
        }
        values
    });
    // A variable has no lines.
    let whole = |values: Values| {
        let mut out = Values::default();
        for (key, given) in values.iter() {
            let source = setting.variable();
            let place = Place {
                source,
                line: 0,
                column: 0,
            };
            out.put(key, given.value.clone(), place);
        }
        out
    };
    Read {
        values: read.values.map(whole),
        ..read
    }
}

fn with_text(
    source_name: &str,
    bytes: &[u8],
    make: impl FnOnce(&str, &mut Faults<'_>) -> Values,
) -> Read {
    let (values, diagnostics) =
        text::read(source_name, bytes, yaml::TEXT_BYTES_MAX, |text, faults| {
            Some(make(text, faults))
        });
    Read {
        values,
        diagnostics,
    }
}

fn says_nothing(text: &str) -> bool {
    let is_nothing = |line: &str| line.is_empty() || line.starts_with('#');
    text.lines().all(|line| is_nothing(line.trim()))
}

fn settings_of(section: &Section) -> impl Iterator<Item = &'static Setting> + use<'_> {
    SETTINGS.iter().filter(|it| it.split().0 == section.key)
}

fn file(value: &Node<'_>, values: &mut Values, faults: &mut Faults<'_>) {
    let Some(object) = fields::object(value, "the configuration", faults) else {
        return;
    };
    let keys: Vec<&'static str> = SECTIONS.iter().map(|section| section.key).collect();
    let top = Fields::open(object, "the configuration", &keys, faults);
    for section in SECTIONS {
        let Some(value) = top.get(section.key) else {
            continue;
        };
        let alone = SETTINGS.iter().find(|it| it.key == section.key);
        if let Some(setting) = alone {
            one(setting, value, key_at(object, section.key), values, faults);
            continue;
        }
        let Some(object) = fields::object(value, section.what, faults) else {
            continue;
        };
        let leaves: Vec<&'static str> =
            settings_of(section).filter_map(|it| it.split().1).collect();
        let fields = Fields::open(object, section.what, &leaves, faults);
        for setting in settings_of(section) {
            let leaf = setting.split().1.unwrap_or_default();
            if let Some(value) = fields.get(leaf) {
                one(setting, value, key_at(object, leaf), values, faults);
            }
        }
    }
}

/// Where a key stands: of a list, people look for its key and not for its first element.
fn key_at(object: &Object<'_>, key: &str) -> usize {
    let found = object.properties.iter().find(|it| it.name.as_str() == key);
    found.map_or(object.range.start, |property| property.range.start)
}

fn one(
    setting: &'static Setting,
    value: &Node<'_>,
    at: usize,
    values: &mut Values,
    faults: &mut Faults<'_>,
) {
    let (section, leaf) = setting.split();
    let key = leaf.unwrap_or(section);
    if setting.kind.is_map() {
        entries(setting, key, value, values, faults);
        return;
    }
    if let Some(value) =
        scalar(setting.kind, key, value, faults).or_else(|| list(setting.kind, key, value, faults))
    {
        let place = faults.place(at);
        values.put(setting.key, value, place);
    }
}

fn entries(
    setting: &Setting,
    key: &str,
    value: &Node<'_>,
    values: &mut Values,
    faults: &mut Faults<'_>,
) {
    let Node::Object(object) = value else {
        mistyped(&format!("`{key}`"), "an object", value, faults);
        return;
    };
    for (at_most, (name, at, value)) in fields::pairs(object, faults).into_iter().enumerate() {
        if at_most >= ENTRIES_MAX {
            too_many(key, ENTRIES_MAX, at, faults);
            return;
        }
        if name.trim().is_empty() || name.contains(char::is_control) {
            faults.error(codes::TEXT, at, || {
                format!("a name in `{key}` is empty or not one line of text")
            });
            continue;
        }
        let read = match setting.kind {
            Kind::Budget(measures) => {
                bound(measures, key, (name, at), value, faults).map(Value::Bound)
            }
            Kind::Prices => budget::price_of(value, faults).map(Value::Price),
            Kind::Counts { most } => {
                fields::integer(value, name, (1, most), faults).map(Value::Integer)
            }
            Kind::Defined => defined::entry(name, at, value, faults).map(Value::Defined),
            Kind::PreferredByRole => list(Kind::Preferred, name, value, faults),
            Kind::MinutesByAgent { least_ms, most } => {
                known(&AGENTS, name, key, at, faults);
                milliseconds(value, name, 60_000, (least_ms, most), faults)
            }
            Kind::Substitutes => {
                known(&AGENTS_INSTALLABLE, name, key, at, faults);
                values::one_of(&AGENTS_INSTALLABLE, value, name, faults).map(Value::Text)
            }
            _ => values::agent_of(value, name, faults).map(Value::Text),
        };
        if let Some(read) = read {
            let place = faults.place(at);
            values.put(format!("{}.{name}", setting.key), read, place);
        }
    }
}

/// A bound by its name, which is one of those that the setting has.
fn bound(
    measures: &'static [Measure],
    key: &str,
    (name, at): (&str, usize),
    value: &Node<'_>,
    faults: &mut Faults<'_>,
) -> Option<Bound> {
    let found = measures.iter().find(|it| budget::key(**it) == name);
    let Some(measure) = found else {
        let names = measures.iter().map(|it| budget::key(*it));
        let meant = faults.nearest(name, names);
        faults
            .error(codes::UNKNOWN_KEY, at, || {
                format!("`{key}` has no key {}", shown(name))
            })
            .meant(meant);
        return None;
    };
    budget::bound_of(*measure, value, faults)
}

/// Collects that a name in a map is none of these agents'.
fn known(all: &[&'static str], name: &str, key: &str, at: usize, faults: &mut Faults<'_>) {
    if all.contains(&name) || is_definable(name) {
        return;
    }
    let meant = faults.nearest(name, all.iter().copied());
    faults
        .error(codes::AGENT, at, || {
            format!("{} in `{key}` is no such agent", shown(name))
        })
        .meant(meant)
        .hint(format!("there are {}", all.join(", ")));
}

fn too_many(key: &str, most: usize, at: usize, faults: &mut Faults<'_>) {
    faults.error(codes::TOO_LARGE, at, || {
        format!("`{key}` has more than {most} elements")
    });
}

/// A single value; `None` if it does not fit, which is collected, or if the kind is one of lists.
fn scalar(kind: Kind, key: &str, value: &Node<'_>, faults: &mut Faults<'_>) -> Option<Value> {
    match kind {
        Kind::Integer { least, most } => {
            fields::integer(value, key, (least, most), faults).map(Value::Integer)
        }
        Kind::Minutes { least_ms, most } => {
            milliseconds(value, key, 60_000, (least_ms, most), faults)
        }
        Kind::Seconds { most } => milliseconds(value, key, 1_000, (0, most), faults),
        Kind::Flag => match value {
            Node::BooleanLit(literal) => Some(Value::Flag(literal.value)),
            _ => {
                mistyped(&format!("`{key}`"), "true or false", value, faults);
                None
            }
        },
        Kind::Word(words) => word(words, key, value, faults).map(Value::Text),
        Kind::Agent => values::agent_of(value, key, faults).map(Value::Text),
        Kind::Text => fields::loose_text(value, key, faults).map(Value::Text),
        Kind::Hours => hours(value, key, faults).map(Value::Text),
        Kind::Model => defined::model(value, key, faults)
            .map(Defined::Model)
            .map(Value::Defined),
        _ => None,
    }
}

fn word(
    words: &'static [&'static str],
    key: &str,
    value: &Node<'_>,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let given = fields::string(value, key, faults)?;
    if words.contains(&given) {
        return Some(given.to_owned());
    }
    let meant = faults.nearest(given, words.iter().copied());
    faults
        .error(codes::UNKNOWN_WORD, start(value), || {
            format!(
                "`{key}` is {}, not one of {}",
                shown(given),
                words.join(", ")
            )
        })
        .meant(meant);
    None
}

fn hours(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let given = fields::string(value, key, faults)?;
    let read = QuietHours::parse(given);
    if read.is_none() {
        faults.error(codes::NUMBER, start(value), || {
            format!(
                "`{key}` is {}, not hours such as `22:00-07:00`",
                shown(given)
            )
        });
    }
    read.map(|hours| hours.to_string())
}

/// So many milliseconds in minutes or seconds, in few digits.
pub(super) fn decimal(ms: u64, each: u64) -> String {
    let text = format!("{:.3}", ms as f64 / each as f64);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number of minutes or seconds, as milliseconds.
fn milliseconds(
    value: &Node<'_>,
    key: &str,
    each: u64,
    (least_ms, most): (u64, u64),
    faults: &mut Faults<'_>,
) -> Option<Value> {
    let Node::NumberLit(literal) = value else {
        mistyped(&format!("`{key}`"), "a number", value, faults);
        return None;
    };
    let least = least_ms as f64 / each as f64;
    let number: Option<f64> = literal.value.parse().ok();
    // What is no number is in no range.
    let number = number.filter(|number| (least..=most as f64).contains(number));
    if number.is_none() {
        faults.error(codes::NUMBER, start(value), || {
            let given = shown(literal.value);
            let least = decimal(least_ms, each);
            format!("`{key}` is {given}, not a number from {least} to {most}")
        });
    }
    number.map(|number| Value::Integer((number * each as f64).round() as u64))
}

/// Several values, or a single one in their place; `None` if the kind is one of single values.
fn list(kind: Kind, key: &str, value: &Node<'_>, faults: &mut Faults<'_>) -> Option<Value> {
    let single = std::slice::from_ref(value);
    let elements = match (value, kind) {
        (Node::Array(array), _) => array.elements.as_slice(),
        (_, Kind::Setups | Kind::Checks | Kind::Rules) => {
            mistyped(&format!("`{key}`"), "a list", value, faults);
            return None;
        }
        (
            _,
            Kind::Texts
            | Kind::Variables
            | Kind::Paths
            | Kind::Patterns
            | Kind::Preferred
            | Kind::Judges,
        ) => single,
        _ => return None,
    };
    if elements.len() > LIST_MAX {
        too_many(key, LIST_MAX, start(value), faults);
        return None;
    }
    let mut read = |one: fn(&Node<'_>, &str, &mut Faults<'_>) -> Option<String>| {
        let texts = elements.iter().filter_map(|value| one(value, key, faults));
        Some(Value::Texts(texts.collect()))
    };
    match kind {
        Kind::Texts => read(fields::loose_text),
        Kind::Variables => read(variable),
        Kind::Paths => read(path),
        Kind::Preferred => read(preferred),
        Kind::Judges => read(judge),
        Kind::Patterns => read(criteria::pattern_of),
        Kind::Setups => {
            let steps = elements.iter();
            let steps = steps.filter_map(|value| workspace::one_setup(value, faults));
            Some(Value::Setups(steps.collect()))
        }
        Kind::Rules => {
            let rules = elements.iter();
            let rules = rules.filter_map(|value| rules::one(value, faults));
            Some(Value::Rules(rules.collect()))
        }
        Kind::Checks => {
            let mut reader = criteria::Reader::new();
            let checks = elements.iter();
            let checks = checks.filter_map(|value| reader.one(value, faults));
            Some(Value::Checks(checks.collect()))
        }
        _ => None,
    }
}

pub(super) fn variable(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let name = fields::line(value, key, faults)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
        faults.error(codes::ENV, start(value), || {
            format!("{} in `{key}` is no name of a variable", shown(&name))
        });
        return None;
    }
    Some(name)
}

/// An agent that can be found, or the person who is there in any case.
fn preferred(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    found(&[AGENT_MODEL, AGENT_PERSON], value, key, faults)
}

/// One that is preferred, or whoever is.
fn judge(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    found(&[AGENT_MODEL, AGENT_PERSON, AGENT_AUTO], value, key, faults)
}

fn found(
    others: &[&'static str],
    value: &Node<'_>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let all = AGENTS_INSTALLABLE.into_iter().chain(others.iter().copied());
    values::one_of(&all.collect::<Vec<_>>(), value, key, faults)
}

/// A path that may be anywhere. No shell reads it, so a `~` would be a folder of that name.
fn path(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let path = fields::line(value, key, faults)?;
    if path == "~" || path.starts_with("~/") {
        faults
            .error(codes::PATH, start(value), || {
                format!(
                    "{} in `{key}` begins with `~`, which nobody expands",
                    shown(&path)
                )
            })
            .hint("write the whole path");
        return None;
    }
    Some(path)
}
