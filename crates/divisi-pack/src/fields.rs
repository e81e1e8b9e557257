//! Reads the fields of JSON objects into typed values, and collects what does not fit.
//!
//! A field that does not fit is collected and read as not given: reading goes on, so that all
//! faults are found at once. `null` means not given, as many programs write it.

use std::collections::HashSet;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use crate::codes;
use crate::faults::{Faults, shown};

/// The byte offset at which a value starts.
pub(crate) fn start(value: &Value<'_>) -> usize {
    value.range().start
}

/// A value's type in words.
pub(crate) fn type_name(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a string",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    }
}

/// Collects that `what` is of another type than expected.
pub(crate) fn mistyped(what: &str, expected: &str, value: &Value<'_>, faults: &mut Faults<'_>) {
    faults.error(codes::TYPE, start(value), || {
        format!("{what} is {}, not {expected}", type_name(value))
    });
}

/// An object whose keys were checked against those that are known.
pub(crate) struct Fields<'v, 't> {
    /// The byte offset at which the object starts.
    pub(crate) at: usize,
    what: &'static str,
    found: Vec<(&'static str, &'v Value<'t>)>,
}

/// The object in `value`; `None` after collecting that it is none.
pub(crate) fn object<'v, 't>(
    value: &'v Value<'t>,
    what: &str,
    faults: &mut Faults<'_>,
) -> Option<&'v Object<'t>> {
    if let Value::Object(object) = value {
        return Some(object);
    }
    mistyped(what, "an object", value, faults);
    None
}

/// The pairs of an object whose keys are free, each key once.
pub(crate) fn pairs<'v, 't>(
    object: &'v Object<'t>,
    faults: &mut Faults<'_>,
) -> Vec<(&'v str, usize, &'v Value<'t>)> {
    let mut seen = HashSet::with_capacity(object.properties.len());
    let mut pairs = Vec::with_capacity(object.properties.len());
    for property in &object.properties {
        let (key, at) = (property.name.as_str(), property.range.start);
        if seen.insert(key) {
            pairs.push((key, at, &property.value));
        } else {
            duplicate_key(key, at, faults);
        }
    }
    pairs
}

fn duplicate_key(key: &str, at: usize, faults: &mut Faults<'_>) {
    faults
        .error(codes::DUPLICATE_KEY, at, || {
            format!("the key {} stands twice in one object", shown(key))
        })
        .hint("keep one of the two; parsers disagree which one counts");
}

impl<'v, 't> Fields<'v, 't> {
    /// Takes an object apart. `what` names it in messages, with its article.
    pub(crate) fn open(
        object: &'v Object<'t>,
        what: &'static str,
        known: &[&'static str],
        faults: &mut Faults<'_>,
    ) -> Fields<'v, 't> {
        let mut found: Vec<(&'static str, &'v Value<'t>)> =
            Vec::with_capacity(object.properties.len().min(known.len()));
        for property in &object.properties {
            let (name, at) = (property.name.as_str(), property.range.start);
            let Some(&key) = known.iter().find(|&&key| key == name) else {
                let meant = faults.nearest(name, known.iter().copied());
                faults
                    .error(codes::UNKNOWN_KEY, at, || {
                        format!("{what} has no key {}", shown(name))
                    })
                    .meant(meant);
                continue;
            };
            if found.iter().any(|(before, _)| *before == key) {
                duplicate_key(name, at, faults);
            } else {
                found.push((key, &property.value));
            }
        }
        Fields {
            at: object.range.start,
            what,
            found,
        }
    }

    /// The field's value if it is given and not null.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'v Value<'t>> {
        let (_, value) = self.found.iter().find(|(found, _)| *found == key)?;
        (!matches!(value, Value::NullKeyword(_))).then_some(*value)
    }

    /// The field's value; collects that it is missing.
    pub(crate) fn required(
        &self,
        key: &'static str,
        faults: &mut Faults<'_>,
    ) -> Option<&'v Value<'t>> {
        let value = self.get(key);
        if value.is_none() {
            faults.error(codes::MISSING, self.at, || {
                format!("{} lacks the key `{key}`", self.what)
            });
        }
        value
    }

    /// A string, which may be empty.
    pub(crate) fn string(&self, key: &'static str, faults: &mut Faults<'_>) -> Option<&'v str> {
        string(self.get(key)?, key, faults)
    }

    /// A string of one line that is not empty.
    pub(crate) fn line(&self, key: &'static str, faults: &mut Faults<'_>) -> Option<String> {
        let value = self.get(key)?;
        line(value, key, faults)
    }

    /// A list; `None` after collecting that it is none.
    pub(crate) fn list(
        &self,
        key: &'static str,
        faults: &mut Faults<'_>,
    ) -> Option<&'v [Value<'t>]> {
        let value = self.get(key)?;
        if let Value::Array(array) = value {
            return Some(&array.elements);
        }
        mistyped(&format!("`{key}`"), "a list", value, faults);
        None
    }

    /// Texts for people: a list of them, or a single one. What YAML takes for a number or, for the
    /// colon in it, for a pair, is the text that was written.
    pub(crate) fn texts(&self, key: &'static str, faults: &mut Faults<'_>) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let Value::Array(array) = value else {
            return loose_text(value, key, faults).map(|text| vec![text]);
        };
        let texts = array.elements.iter();
        Some(
            texts
                .filter_map(|value| loose_text(value, key, faults))
                .collect(),
        )
    }

    /// A single text for people, which may look like a number.
    pub(crate) fn text(&self, key: &'static str, faults: &mut Faults<'_>) -> Option<String> {
        loose_text(self.get(key)?, key, faults)
    }

    /// A number between two bounds.
    pub(crate) fn number(
        &self,
        key: &'static str,
        (least, most): (f64, f64),
        faults: &mut Faults<'_>,
    ) -> Option<f64> {
        let value = self.get(key)?;
        let Value::NumberLit(literal) = value else {
            mistyped(&format!("`{key}`"), "a number", value, faults);
            return None;
        };
        let number: Option<f64> = literal.value.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            faults.error(codes::NUMBER, literal.range.start, || {
                let given = shown(literal.value);
                format!("`{key}` is {given}, not a number from {least} to {most}")
            });
        }
        number
    }

    /// A whole number between two bounds.
    pub(crate) fn integer(
        &self,
        key: &'static str,
        bounds: (u64, u64),
        faults: &mut Faults<'_>,
    ) -> Option<u64> {
        integer(self.get(key)?, key, bounds, faults)
    }

    /// One of several words.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &'static [(&'static str, T)],
        faults: &mut Faults<'_>,
    ) -> Option<T> {
        word_of(self.get(key)?, key, words, faults)
    }
}

/// One of several words; `None` after collecting that it is none of them.
pub(crate) fn word_of<T: Copy>(
    value: &Value<'_>,
    key: &str,
    words: &'static [(&'static str, T)],
    faults: &mut Faults<'_>,
) -> Option<T> {
    let given = string(value, key, faults)?;
    let found = words.iter().find(|(word, _)| *word == given);
    if found.is_none() {
        let meant = faults.nearest(given, words.iter().map(|(word, _)| *word));
        faults
            .error(codes::UNKNOWN_WORD, start(value), || {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let given = shown(given);
                format!("`{key}` is {given}, not one of {}", words.join(", "))
            })
            .meant(meant);
    }
    found.map(|(_, value)| *value)
}

/// A string; `None` after collecting that it is none.
pub(crate) fn string<'v>(
    value: &'v Value<'_>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<&'v str> {
    if let Value::StringLit(literal) = value {
        return Some(&literal.value);
    }
    mistyped(&format!("`{key}`"), "a string", value, faults);
    None
}

/// A scalar as the text that was written; `None` if it is none.
pub(crate) fn written<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::StringLit(literal) => Some(&literal.value),
        Value::NumberLit(literal) => Some(literal.value),
        Value::BooleanLit(literal) => Some(if literal.value { "true" } else { "false" }),
        Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => None,
    }
}

/// A text that is not empty, without white space at its ends. YAML reads `- Budget: 300` as a pair;
/// it becomes the text again that it looks like.
pub(crate) fn loose_text(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = match (written(value), value) {
        (Some(text), _) => text.trim().to_owned(),
        (None, Value::Object(object)) if object.properties.len() == 1 => {
            let pair = &object.properties[0];
            format!(
                "{}: {}",
                pair.name.as_str(),
                joined(&pair.value, key, faults)?
            )
        }
        _ => {
            mistyped(&format!("`{key}`"), "a text", value, faults);
            return None;
        }
    };
    if text.is_empty() || text.contains('\0') {
        faults.error(codes::TEXT, start(value), || {
            format!("a text of `{key}` is empty or holds a NUL character")
        });
        return None;
    }
    Some(text)
}

/// A scalar, or a list of scalars with commas between them.
pub(crate) fn joined(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let texts: Option<Vec<&str>> = match value {
        Value::Array(array) => array.elements.iter().map(written).collect(),
        other => written(other).map(|text| vec![text]),
    };
    if texts.is_none() {
        mistyped(&format!("a value of `{key}`"), "a text", value, faults);
    }
    texts.map(|texts| texts.join(", "))
}

/// A string of one line that is not empty and holds no control characters.
pub(crate) fn line(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = string(value, key, faults)?;
    if text.trim().is_empty() {
        faults.error(codes::TEXT, start(value), || format!("`{key}` is empty"));
        return None;
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        faults.error(codes::TEXT, start(value), || {
            format!("`{key}` holds {c:?}; it must be one line of text")
        });
        return None;
    }
    Some(text.to_owned())
}

/// A whole number between two bounds; `5000.0` and `5e3` are whole, too.
pub(crate) fn integer(
    value: &Value<'_>,
    key: &str,
    (least, most): (u64, u64),
    faults: &mut Faults<'_>,
) -> Option<u64> {
    let Value::NumberLit(literal) = value else {
        mistyped(&format!("`{key}`"), "a whole number", value, faults);
        return None;
    };
    let whole = |number: f64| number.fract() == 0.0 && (0.0..=most as f64).contains(&number);
    let number: Option<u64> = literal.value.parse().ok().or_else(|| {
        let number: f64 = literal.value.parse().ok()?;
        whole(number).then_some(number as u64)
    });
    let number = number.filter(|number| (least..=most).contains(number));
    if number.is_none() {
        faults.error(codes::NUMBER, literal.range.start, || {
            let given = shown(literal.value);
            format!("`{key}` is {given}, not a whole number from {least} to {most}")
        });
    }
    number
}
