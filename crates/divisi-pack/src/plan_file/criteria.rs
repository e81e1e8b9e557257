//! Reads criteria: one key says which check it is, and which other keys belong to it.

use std::collections::HashSet;

use divisi_core::{Criterion, Format, Holds};
use jsonc_parser::ast::{Object, Value};
use regex::RegexBuilder;

use super::{CHECK_TIMEOUT_MS, EXPRESSION_BYTES_MAX, EXPRESSIONS_MAX, FILE_BYTES_MAX};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};
use crate::paths;

/// The forms of a criterion: the key that tells it, and all its keys.
pub(crate) const FORMS: &[(&str, &[&str])] = &[
    ("file", &["file", "min_bytes"]),
    ("contains", &["contains", "in"]),
    ("matches", &["matches", "in"]),
    ("lacks", &["lacks", "in"]),
    ("section", &["section", "in"]),
    ("format", &["format", "in"]),
    ("schema", &["schema", "in"]),
    ("command", &["command", "timeout_minutes"]),
    ("scope", &["scope"]),
    ("changed", &["changed"]),
    ("count", &["count", "min", "max"]),
    ("cites", &["cites"]),
    (
        "each",
        &[
            "each",
            "min_bytes",
            "contains",
            "lacks",
            "section",
            "format",
        ],
    ),
];

/// What may be said of each file; one of them.
const EACH_KEYS: &[&str] = &["min_bytes", "contains", "lacks", "section", "format"];

pub(crate) const FORMATS: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("toml", Format::Toml),
    ("markdown", Format::Markdown),
];

/// The most files a `count` criterion may ask for.
pub(crate) const COUNT_MAX: u64 = 1_000_000_000;

/// Reads criteria, and remembers which expressions were compiled already.
pub(crate) struct Reader {
    compiled: HashSet<String>,
}

impl Reader {
    pub(crate) fn new() -> Reader {
        Reader {
            compiled: HashSet::new(),
        }
    }

    /// A list of criteria; those that do not fit are collected and left out.
    pub(crate) fn list(
        &mut self,
        fields: &Fields<'_, '_>,
        key: &'static str,
        faults: &mut Faults<'_>,
    ) -> Vec<Criterion> {
        let list = fields.list(key, faults).unwrap_or_default();
        let read = list.iter().filter_map(|value| self.one(value, faults));
        read.collect()
    }

    /// One criterion; `None` after collecting what does not fit.
    pub(crate) fn one(&mut self, value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Criterion> {
        let object = match value {
            Value::StringLit(_) => return plain(value, "criteria", faults),
            Value::Object(object) => object,
            _ => {
                mistyped("a criterion", "an object or a string", value, faults);
                return None;
            }
        };
        let (key, keys) = form(object, faults)?;
        let fields = Fields::open(object, "the criterion", keys, faults);
        match key {
            "file" => Some(Criterion::File {
                path: path(&fields, "file", faults)?,
                min_bytes: match fields.get("min_bytes") {
                    Some(_) => fields.integer("min_bytes", (0, FILE_BYTES_MAX), faults)?,
                    None => 1,
                },
            }),
            "contains" => text_in(&fields, "contains", faults)
                .map(|(text, path)| Criterion::Contains { text, path }),
            "lacks" => text_in(&fields, "lacks", faults)
                .map(|(text, path)| Criterion::Lacks { text, path }),
            "section" => text_in(&fields, "section", faults)
                .map(|(heading, path)| Criterion::Section { heading, path }),
            "matches" => {
                self.check_expression(&fields, faults);
                text_in(&fields, "matches", faults)
                    .map(|(pattern, path)| Criterion::Matches { pattern, path })
            }
            "format" => {
                let format = fields.word("format", FORMATS, faults);
                let path = path(&fields, "in", faults)?;
                Some(Criterion::Format {
                    format: format?,
                    path,
                })
            }
            "schema" => {
                let schema = path(&fields, "schema", faults);
                let path = path(&fields, "in", faults)?;
                Some(Criterion::Schema {
                    schema: schema?,
                    path,
                })
            }
            "command" => {
                let argv = argv(fields.required("command", faults)?, "command", faults);
                let timeout_ms = timeout_ms(&fields, faults).unwrap_or(CHECK_TIMEOUT_MS);
                argv.map(|argv| Criterion::Command { argv, timeout_ms })
            }
            "scope" => Some(Criterion::Scope {
                patterns: scope(&fields, faults)?,
            }),
            "changed" => Some(Criterion::Changed {
                pattern: pattern_of(fields.required("changed", faults)?, "changed", faults)?,
            }),
            "count" => count(&fields, faults),
            "each" => each(&fields, faults),
            "cites" => Some(Criterion::Cites {
                path: path(&fields, "cites", faults)?,
            }),
            _ => unreachable!("the forms of a criterion are all read"),
        }
    }

    /// Compiles an expression as the check will, each only once.
    fn check_expression(&mut self, fields: &Fields<'_, '_>, faults: &mut Faults<'_>) {
        let Some(value @ Value::StringLit(literal)) = fields.get("matches") else {
            return;
        };
        let (pattern, at) = (&*literal.value, start(value));
        if !self.compiled.insert(pattern.to_owned()) {
            return;
        }
        if self.compiled.len() > EXPRESSIONS_MAX {
            faults.error(codes::TOO_LARGE, at, || {
                format!("more than {EXPRESSIONS_MAX} different expressions")
            });
            return;
        }
        if let Some(fault) = expression_fault(pattern) {
            // So that the same bad expression is named at each of its places.
            self.compiled.remove(pattern);
            faults
                .error(codes::PATTERN, at, || {
                    format!("the expression {} {fault}", shown(pattern))
                })
                .hint("the syntax is that of Rust's `regex`: no look-around, no backreferences");
        }
    }
}

/// Why a regular expression is not taken, as a fragment after it; `None` if it is. It is compiled
/// as the check will do it.
pub(crate) fn expression_fault(pattern: &str) -> Option<String> {
    if pattern.len() > paths::PATTERN_BYTES_MAX {
        return Some(format!("is longer than {} bytes", paths::PATTERN_BYTES_MAX));
    }
    let built = RegexBuilder::new(pattern)
        .multi_line(true)
        .size_limit(EXPRESSION_BYTES_MAX)
        .build();
    built.err().map(|fault| reason(&fault))
}

fn reason(fault: &regex::Error) -> String {
    match fault {
        regex::Error::CompiledTooBig(most) => {
            format!("takes more than {most} bytes when compiled")
        }
        // The crate's message is a drawing over several lines, the last of which says why.
        other => {
            let message = other.to_string();
            let last = message.lines().next_back().unwrap_or_default();
            let last = last.strip_prefix("error: ").unwrap_or(last);
            format!("does not parse: {last}")
        }
    }
}

/// A criterion in plain words.
pub(crate) fn plain(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<Criterion> {
    let text = text(value, key, faults)?;
    Some(Criterion::Plain { text })
}

/// A text that is not empty and holds no NUL; it may have several lines.
pub(crate) fn text(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = fields::string(value, key, faults)?;
    let fault = if text.is_empty() {
        "is empty"
    } else if text.contains('\0') {
        "holds a NUL character"
    } else {
        return Some(text.to_owned());
    };
    faults.error(codes::TEXT, start(value), || format!("`{key}` {fault}"));
    None
}

/// The key that tells the form, and all its keys.
type Form = (&'static str, &'static [&'static str]);

fn form(object: &Object<'_>, faults: &mut Faults<'_>) -> Option<Form> {
    let mut told: Option<Form> = None;
    // With `each`, the key of another form says what holds of each file.
    let is_each = |form: &&Form| form.0 == "each";
    if let Some(each) = FORMS.iter().find(is_each)
        && object.properties.iter().any(|p| p.name.as_str() == each.0)
    {
        return Some(*each);
    }
    for property in &object.properties {
        let name = property.name.as_str();
        let Some((key, keys)) = FORMS.iter().find(|(key, _)| *key == name) else {
            continue;
        };
        match told {
            Some((first, _)) if first != *key => {
                faults
                    .error(codes::CONFLICT, property.range.start, || {
                        format!("one criterion has both `{first}` and `{key}`")
                    })
                    .hint("write two criteria");
                return None;
            }
            _ => told = Some((key, keys)),
        }
    }
    if told.is_none() {
        let known = || FORMS.iter().map(|(key, _)| *key);
        let first = object
            .properties
            .first()
            .map(|property| property.name.as_str());
        let meant = first.and_then(|name| faults.nearest(name, known()));
        faults
            .error(codes::CRITERION, object.range.start, || {
                let known: Vec<&str> = known().collect();
                format!("the criterion has none of the keys {}", known.join(", "))
            })
            .meant(meant);
    }
    told
}

/// A path of the tree in a field that must be given.
pub(crate) fn path(
    fields: &Fields<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    path_of(fields.required(key, faults)?, key, faults)
}

/// A path of the tree; `None` after collecting why it is none.
pub(crate) fn path_of(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let path = fields::string(value, key, faults)?;
    let Some(fault) = paths::fault(path) else {
        return Some(path.to_owned());
    };
    faults.error(codes::PATH, start(value), || {
        format!("the path {} {fault}", shown(path))
    });
    None
}

/// A pattern of a scope: one after `!` names what must stay.
fn pattern_in_scope(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let pattern = fields::string(value, "scope", faults)?;
    let bare = pattern.strip_prefix('!').unwrap_or(pattern);
    checked_pattern(bare, start(value), faults).then(|| pattern.to_owned())
}

/// A pattern of paths of the tree; `None` after collecting why it is none.
pub(crate) fn pattern_of(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let pattern = fields::string(value, key, faults)?;
    checked_pattern(pattern, start(value), faults).then(|| pattern.to_owned())
}

/// Whether it is a pattern of paths of the tree; why not is collected.
fn checked_pattern(pattern: &str, at: usize, faults: &mut Faults<'_>) -> bool {
    if pattern.len() > 1 && pattern.ends_with('/') {
        faults
            .error(codes::PATH, at, || {
                format!("the pattern {} names a folder", shown(pattern))
            })
            .hint(format!(
                "write {} for all files in it",
                shown(&format!("{pattern}**"))
            ));
        return false;
    }
    let (code, fault) = match (paths::fault(pattern), paths::pattern_fault(pattern)) {
        (Some(fault), _) => (codes::PATH, fault),
        (None, Some(fault)) => (codes::PATTERN, fault),
        (None, None) => return true,
    };
    faults.error(code, at, || {
        format!("the pattern {} {fault}", shown(pattern))
    });
    false
}

fn text_in(
    fields: &Fields<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<(String, String)> {
    let text = fields
        .required(key, faults)
        .and_then(|value| text(value, key, faults));
    let path = path(fields, "in", faults)?;
    Some((text?, path))
}

fn scope(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let value = fields.required("scope", faults)?;
    let list = fields.list("scope", faults)?;
    if list.is_empty() {
        faults.error(codes::TEXT, start(value), || "`scope` is empty".to_owned());
        return None;
    }
    let patterns: Vec<String> = list
        .iter()
        .filter_map(|value| pattern_in_scope(value, faults))
        .collect();
    Some(patterns)
}

fn count(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<Criterion> {
    let value = fields.required("count", faults)?;
    let pattern = pattern_of(value, "count", faults);
    let min = fields.integer("min", (0, COUNT_MAX), faults);
    let max = fields.integer("max", (0, COUNT_MAX), faults);
    if fields.get("min").is_none() && fields.get("max").is_none() {
        fields.required("min", faults);
        return None;
    }
    let min = min.unwrap_or(0);
    if let Some(most) = max
        && most < min
    {
        faults.error(codes::NUMBER, fields.at, || {
            format!("`max` is {most}, less than `min`, which is {min}")
        });
        return None;
    }
    pattern.map(|pattern| Criterion::Count { pattern, min, max })
}

fn each(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<Criterion> {
    let value = fields.required("each", faults)?;
    let pattern = pattern_of(value, "each", faults);
    let given = EACH_KEYS.iter().filter(|key| fields.get(key).is_some());
    let given: Vec<&'static str> = given.copied().collect();
    let [key] = given[..] else {
        let (code, what) = match given[..] {
            [] => (codes::MISSING, "says nothing of each file".to_owned()),
            [first, second, ..] => (
                codes::CONFLICT,
                format!("has both `{first}` and `{second}`"),
            ),
            [_] => unreachable!("one key is what is expected"),
        };
        faults
            .error(code, fields.at, || format!("one criterion {what}"))
            .hint(format!("give one of {}", EACH_KEYS.join(", ")));
        return None;
    };
    let said = |faults: &mut Faults<'_>| text(fields.get(key)?, key, faults);
    let holds = match key {
        "min_bytes" => Holds::Size {
            min_bytes: fields.integer(key, (0, FILE_BYTES_MAX), faults)?,
        },
        "contains" => Holds::Contains {
            text: said(faults)?,
        },
        "lacks" => Holds::Lacks {
            text: said(faults)?,
        },
        "section" => Holds::Section {
            heading: said(faults)?,
        },
        _ => Holds::Format {
            format: fields.word(key, FORMATS, faults)?,
        },
    };
    Some(Criterion::Each {
        pattern: pattern?,
        holds,
    })
}

/// A program and its arguments.
pub(crate) fn argv(value: &Value<'_>, key: &str, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let Value::Array(array) = value else {
        faults
            .error(codes::TYPE, start(value), || {
                let given = fields::type_name(value);
                format!("`{key}` is {given}, not a list of program and arguments")
            })
            .hint("write `[\"cargo\", \"test\"]`, or use `script` for a shell's syntax");
        return None;
    };
    let mut argv = Vec::with_capacity(array.elements.len());
    for argument in &array.elements {
        let text = fields::string(argument, key, faults)?;
        if text.contains('\0') {
            faults.error(codes::COMMAND, start(argument), || {
                format!("an argument of `{key}` holds a NUL character")
            });
            return None;
        }
        argv.push(text.to_owned());
    }
    if argv.first().is_none_or(String::is_empty) {
        faults.error(codes::COMMAND, start(value), || {
            format!("`{key}` names no program")
        });
        return None;
    }
    Some(argv)
}

/// A time box in milliseconds.
pub(crate) fn timeout_ms(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<u64> {
    let value = fields.get("timeout_minutes")?;
    let minutes = fields.number(
        "timeout_minutes",
        (0.0, super::TIMEOUT_MINUTES_MAX as f64),
        faults,
    )?;
    let ms = (minutes * 60_000.0).round() as u64;
    if ms == 0 {
        faults.error(codes::NUMBER, start(value), || {
            "`timeout_minutes` is less than a millisecond".to_owned()
        });
        return None;
    }
    Some(ms)
}
