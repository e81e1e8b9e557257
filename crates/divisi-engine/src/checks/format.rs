//! Formats that must parse: JSON, YAML, TOML.
//!
//! JSON and YAML are checked without building the value, so that a file of millions of numbers
//! costs time and no memory. Keys that stand twice are refused in all three: readers disagree on
//! which one counts, so no check could tell what the file says.

use std::collections::HashSet;
use std::fmt;

use divisi_core::criterion::Format;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::evaluate::{Checked, Stop, fails, utf8};
use super::evidence::{short, shown};
use crate::files::Files;

/// JSON is read as a stream of tokens.
pub const JSON_BYTES_MAX: u64 = 16 << 20;

/// YAML, TOML, and what a schema is applied to, become values in memory.
pub const PARSED_BYTES_MAX: u64 = 4 << 20;

/// Deeper nesting of YAML is refused, as the JSON parser does of itself at the same depth and the
/// TOML parser a little earlier: readers of such files stop there or crash.
pub const DEPTH_MAX: usize = 128;

pub(super) fn check(files: &dyn Files, path: &str, format: Format) -> Checked {
    match format {
        Format::Json => {
            let text = utf8(files, path, JSON_BYTES_MAX)?;
            parsed(path, "JSON", serde_json::from_str::<Tokens>(&text)).map(drop)
        }
        Format::Yaml => {
            let text = utf8(files, path, PARSED_BYTES_MAX)?;
            let read = serde_saphyr::from_str_with_options::<IgnoredAny>(&text, yaml_options());
            parsed(path, "YAML", read).map(drop)
        }
        Format::Toml => {
            let text = utf8(files, path, PARSED_BYTES_MAX)?;
            parsed(path, "TOML", toml::from_str::<IgnoredAny>(&text)).map(drop)
        }
        // Markdown has rules of its own, in the module of that name.
        Format::Markdown => Ok(()),
    }
}

/// The value of a JSON file, or of a YAML file by its name's ending.
pub(super) fn value(
    files: &dyn Files,
    path: &str,
    bytes_max: u64,
) -> Result<serde_json::Value, Stop> {
    let text = utf8(files, path, bytes_max)?;
    if path.ends_with(".yaml") || path.ends_with(".yml") {
        let read = serde_saphyr::from_str_with_options(&text, yaml_options());
        return parsed(path, "YAML", read);
    }
    parsed(path, "JSON", serde_json::from_str::<Tokens>(&text))?;
    parsed(path, "JSON", serde_json::from_str(&text))
}

fn parsed<T>(path: &str, format: &str, read: Result<T, impl fmt::Display>) -> Result<T, Stop> {
    read.or_else(|fault| {
        let path = short(path, 200);
        fails(format!("{path} is not {format}: {}", shown(&fault, 600)))
    })
}

/// YAML expands anchors, so that a hundred bytes can mean gigabytes; budgets end that early.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_aliases: 1_000,
            max_nodes: 250_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
        },
        with_snippet: false,
    }
}

/// Any JSON value whose objects have no key twice; nothing of it is kept.
struct Tokens;

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Tokens, D::Error> {
        from.deserialize_any(Tokens)
    }
}

impl<'de> Visitor<'de> for Tokens {
    type Value = Tokens;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_str<E>(self, _: &str) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_unit<E>(self) -> Result<Tokens, E> {
        Ok(Tokens)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tokens, A::Error> {
        while items.next_element::<Tokens>()?.is_some() {}
        Ok(Tokens)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tokens, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("key {key:?} stands twice")));
            }
            keys.insert(key);
            entries.next_value::<Tokens>()?;
        }
        Ok(Tokens)
    }
}
