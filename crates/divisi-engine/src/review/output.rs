//! What programs print, read as places: lines of a form, or JSON walked by names.

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::rule::Severity;

/// More places of one program are only counted.
pub(crate) const PLACES_MAX: usize = 5_000;

/// How a program's output is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Output {
    /// Line by line, or as one text, by a pattern.
    Lines(Lines),
    /// One JSON document.
    Json(Items),
    /// A JSON document a line.
    JsonLines(Items),
}

/// Output of a form. Groups: `file`, `line`, `message`, and perhaps `level` and `rule`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    #[serde(default)]
    from: Stream,
    pattern: String,
}

/// Which output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// Items of a JSON document. Names are paths with `/`; a name that an item does not have is looked
/// for in what holds the item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Items {
    /// Where the items are: paths one below the other, `*` for each.
    each: Vec<String>,
    /// Values that an item must have.
    #[serde(default)]
    only: std::collections::BTreeMap<String, Value>,
    file: Option<String>,
    line: Option<String>,
    /// The file that all items are about.
    r#in: Option<String>,
    /// What stands in the line of that file, with names in braces.
    search: Option<String>,
    message: String,
    rule: Option<String>,
    level: Option<String>,
    /// Which rules count.
    rules: Option<String>,
}

/// Something that a program said about a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as the program names it.
    pub(crate) file: String,
    /// The line, from 1; 0 where the file is meant.
    pub(crate) line: u32,
    /// What stands in the line, where the program does not know its number.
    pub(crate) search: Option<String>,
    /// What it said.
    pub(crate) message: String,
    /// The name of its rule.
    pub(crate) rule: String,
    /// How much it weighs, if it said so.
    pub(crate) severity: Option<Severity>,
}

impl Output {
    /// The places in what a program printed.
    ///
    /// # Errors
    /// The output has not the form that is expected; why is in words.
    pub(crate) fn read(&self, stdout: &[u8], stderr: &[u8]) -> Result<Vec<Place>, String> {
        match self {
            Output::Lines(lines) => {
                let bytes = match lines.from {
                    Stream::Stdout => stdout,
                    Stream::Stderr => stderr,
                };
                lines.read(&String::from_utf8_lossy(bytes))
            }
            Output::Json(items) => {
                let mut places = Vec::new();
                items.read(&document(stdout)?, &mut places)?;
                Ok(places)
            }
            Output::JsonLines(items) => {
                let mut places = Vec::new();
                for line in stdout.split(|&byte| byte == b'\n') {
                    if line.first() == Some(&b'{') {
                        items.read(&document(line)?, &mut places)?;
                    }
                }
                Ok(places)
            }
        }
    }
}

fn document(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("its output is no JSON: {error}"))
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

impl Lines {
    fn read(&self, text: &str) -> Result<Vec<Place>, String> {
        let pattern = compiled(&self.pattern)?;
        // A form that spans lines is one of the whole output.
        let texts: Vec<&str> = match self.pattern.starts_with("(?s)") {
            true => vec![text],
            false => text.lines().take(PLACES_MAX).collect(),
        };
        let places = texts.into_iter().filter_map(|text| {
            let found = pattern.captures(text)?;
            let group = |name: &str| found.name(name).map_or("", |group| group.as_str());
            Some(Place {
                file: group("file").to_owned(),
                line: group("line").parse().unwrap_or(0),
                search: None,
                message: group("message").trim().to_owned(),
                rule: group("rule").to_owned(),
                severity: severity(group("level")),
            })
        });
        Ok(places.collect())
    }
}

impl Items {
    fn read(&self, document: &Value, places: &mut Vec<Place>) -> Result<(), String> {
        let rules = self.rules.as_deref().map(compiled).transpose()?;
        let steps: Vec<&str> = self.each.iter().flat_map(|path| path.split('/')).collect();
        // An item with all that holds it, from the outside inwards.
        let mut found: Vec<Vec<&Value>> = vec![vec![document]];
        for step in steps {
            let mut deeper = Vec::new();
            for held in &found {
                let Some(last) = held.last() else { continue };
                let inner: Vec<&Value> = match (step, last) {
                    ("*", Value::Array(values)) => values.iter().collect(),
                    ("*", Value::Object(values)) => values.values().collect(),
                    (name, value) => value.get(name).into_iter().collect(),
                };
                for value in inner {
                    if deeper.len() < PLACES_MAX {
                        deeper.push([held.as_slice(), &[value]].concat());
                    }
                }
            }
            found = deeper;
        }
        for item in found {
            let meets = |(name, value): (&String, &Value)| get(&item, name) == Some(value);
            if !self.only.iter().all(meets) || places.len() >= PLACES_MAX {
                continue;
            }
            let text = |name: &Option<String>| {
                let value = name.as_deref().and_then(|name| get(&item, name));
                value.map_or_else(String::new, plain)
            };
            let place = Place {
                file: self.r#in.clone().unwrap_or_else(|| text(&self.file)),
                line: text(&self.line).parse().unwrap_or(0),
                search: self.search.as_deref().map(|search| filled(search, &item)),
                message: get(&item, &self.message).map_or_else(String::new, plain),
                rule: text(&self.rule),
                severity: severity(&text(&self.level)),
            };
            let counts = rules
                .as_ref()
                .is_none_or(|rules| rules.is_match(&place.rule));
            if counts && !place.message.is_empty() {
                places.push(place);
            }
        }
        Ok(())
    }
}

/// A plain value by its path, from the item or the nearest thing that holds it.
fn get<'a>(item: &[&'a Value], path: &str) -> Option<&'a Value> {
    let below = |value: &&'a Value| {
        let found = path
            .split('/')
            .try_fold(*value, |value, name| value.get(name))?;
        (!found.is_object() && !found.is_array() && !found.is_null()).then_some(found)
    };
    item.iter().rev().find_map(below)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text with each name in braces replaced by its value.
fn filled(text: &str, item: &[&Value]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&get(item, name).map_or_else(String::new, plain));
        rest = after;
    }
    out + rest
}

/// What the words of programs weigh.
fn severity(word: &str) -> Option<Severity> {
    match word {
        "error" | "2" | "critical" | "high" | "error: internal compiler error" => {
            Some(Severity::Error)
        }
        "warning" | "1" | "moderate" => Some(Severity::Warning),
        "note" | "help" | "info" | "style" | "low" => Some(Severity::Note),
        _ => None,
    }
}
