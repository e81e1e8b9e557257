//! YAML as the same located values that JSON becomes, so that there is one way to read fields.
//!
//! Only what JSON can say is taken: mappings with keys of text, lists, texts, numbers, `true`,
//! `false`, `null`, by YAML 1.2's core schema. So `no` is a text. Anchors, aliases, tags,
//! directives and further documents are refused: a workflow needs none of them, readers disagree
//! about them, and they are how a hundred bytes come to mean gigabytes. Nothing here recurses.

pub(crate) mod write;

use std::borrow::Cow;
use std::ops::Range;

use jsonc_parser::ast::{
    Array, BooleanLit, NullKeyword, NumberLit, Object, ObjectProp, ObjectPropName, StringLit, Value,
};
use jsonc_parser::common::{Range as Place, Ranged as _};
use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Tag};

use crate::codes;
use crate::faults::{Faults, shown};

/// The largest text read, in bytes. These texts are written by hand.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// The deepest nesting read; a workflow needs ten levels.
pub(crate) const DEPTH_MAX: usize = 64;

/// The most values read. Each costs about a hundred bytes until what it says was read.
pub(crate) const VALUES_MAX: usize = 250_000;

/// The text's one value; `None` after collecting why it is none.
pub(crate) fn parse<'t>(text: &'t str, faults: &mut Faults<'_>) -> Option<Value<'t>> {
    let errors_before = faults.errors();
    let mut builder = Builder::new(text);
    for next in Parser::new_from_str_with_options(text, options()) {
        let read = match next {
            Ok((event, span)) => {
                let at = span.byte_range().unwrap_or(builder.end..builder.end);
                builder.take(event, at, faults)
            }
            Err(fault) => {
                not_yaml(&fault, builder.end, faults);
                return None;
            }
        };
        read?;
    }
    if builder.root.is_none() {
        faults.error(codes::SYNTAX, 0, || "the text is empty".to_owned());
    }
    builder.root.filter(|_| faults.errors() == errors_before)
}

fn options() -> Options {
    serde_saphyr::granit_parser::options! {
        disallow_directives: true,
        // So that each is refused by its name and place.
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    }
}

fn not_yaml(fault: &ScanError, end: usize, faults: &mut Faults<'_>) {
    let at = fault.marker().byte_offset().unwrap_or(end);
    match fault.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(at, faults),
        kind => {
            faults.error(codes::SYNTAX, at, || kind.to_string());
        }
    }
}

fn too_deep(at: usize, faults: &mut Faults<'_>) {
    faults.error(codes::TOO_DEEP, at, || {
        format!("nested deeper than {DEPTH_MAX} levels")
    });
}

/// A collection that is not closed yet.
enum Open<'t> {
    List {
        at: usize,
        elements: Vec<Value<'t>>,
    },
    Map {
        at: usize,
        properties: Vec<ObjectProp<'t>>,
        key: Option<StringLit<'t>>,
    },
}

/// Puts a tree together from events.
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open<'t>>,
    root: Option<Value<'t>>,
    documents: usize,
    values: usize,
    /// Where the last event ended, for what has no place of its own.
    end: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Builder<'t> {
        Builder {
            text,
            open: Vec::new(),
            root: None,
            documents: 0,
            values: 0,
            end: 0,
        }
    }

    /// Takes the next event; `None` if nothing after it can be read.
    fn take(&mut self, event: Event<'t>, at: Range<usize>, faults: &mut Faults<'_>) -> Option<()> {
        self.end = at.end;
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    faults
                        .error(codes::YAML_DOCUMENTS, at.start, || {
                            "a second document begins".to_owned()
                        })
                        .hint("write one document; each further one belongs in a file of its own");
                    return None;
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                faults
                    .error(codes::YAML_ANCHOR, at.start, || {
                        format!("{} refers to an anchor", shown(self.slice(&at)))
                    })
                    .hint("write the value where it is meant");
                self.place(
                    Value::NullKeyword(NullKeyword { range: range(&at) }),
                    faults,
                )?;
            }
            Event::Scalar(value, style, anchor, tag) => {
                properties(anchor, tag.as_deref(), at.start, faults);
                let value = self.scalar(value, style, &at);
                self.place(value, faults)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                properties(anchor, tag.as_deref(), at.start, faults);
                self.begin(
                    Open::List {
                        at: at.start,
                        elements: Vec::new(),
                    },
                    at.start,
                    faults,
                )?;
            }
            Event::MappingStart(_, anchor, tag) => {
                properties(anchor, tag.as_deref(), at.start, faults);
                self.begin(
                    Open::Map {
                        at: at.start,
                        properties: Vec::new(),
                        key: None,
                    },
                    at.start,
                    faults,
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at.end, faults)?,
            _ => {}
        }
        Some(())
    }

    fn begin(&mut self, open: Open<'t>, at: usize, faults: &mut Faults<'_>) -> Option<()> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            faults.error(codes::TYPE, at, || {
                "a key is a list or an object, not a text".to_owned()
            });
            return None;
        }
        if self.open.len() >= DEPTH_MAX {
            too_deep(at, faults);
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn close(&mut self, end: usize, faults: &mut Faults<'_>) -> Option<()> {
        let value = match self.open.pop()? {
            Open::List { at, elements } => Value::Array(Array {
                range: Place { start: at, end },
                elements,
            }),
            Open::Map { at, properties, .. } => Value::Object(Object {
                range: Place { start: at, end },
                properties,
            }),
        };
        self.place(value, faults)
    }

    /// Puts a value where it belongs: a key, a key's value, an element, or the whole.
    fn place(&mut self, value: Value<'t>, faults: &mut Faults<'_>) -> Option<()> {
        self.values += 1;
        if self.values > VALUES_MAX {
            faults.error(codes::TOO_LARGE, self.end, || {
                format!("more than {VALUES_MAX} values")
            });
            return None;
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List { elements, .. }) => elements.push(value),
            Some(Open::Map {
                properties, key, ..
            }) => match key.take() {
                None => *key = Some(as_key(value, self.text)),
                Some(name) => properties.push(ObjectProp {
                    range: Place {
                        start: name.range.start,
                        end: self.end,
                    },
                    name: ObjectPropName::String(name),
                    value,
                }),
            },
        }
        Some(())
    }

    fn scalar(&self, value: Cow<'t, str>, style: ScalarStyle, at: &Range<usize>) -> Value<'t> {
        let range = range(at);
        if style == ScalarStyle::Plain {
            match &*value {
                "" | "~" | "null" | "Null" | "NULL" => {
                    return Value::NullKeyword(NullKeyword { range });
                }
                "true" | "True" | "TRUE" => {
                    return Value::BooleanLit(BooleanLit { range, value: true });
                }
                "false" | "False" | "FALSE" => {
                    return Value::BooleanLit(BooleanLit {
                        range,
                        value: false,
                    });
                }
                text if is_number(text) => {
                    let value = self.slice(at);
                    return Value::NumberLit(NumberLit { range, value });
                }
                _ => {}
            }
        }
        Value::StringLit(StringLit { range, value })
    }

    fn slice(&self, at: &Range<usize>) -> &'t str {
        self.text.get(at.clone()).unwrap_or_default()
    }
}

/// A scalar as a key: whatever it looks like, a key is a text.
fn as_key<'t>(value: Value<'t>, text: &'t str) -> StringLit<'t> {
    match value {
        Value::StringLit(key) => key,
        other => {
            let range = other.range();
            let value = text.get(range.start..range.end).unwrap_or_default();
            StringLit {
                range,
                value: Cow::Borrowed(value),
            }
        }
    }
}

fn range(at: &Range<usize>) -> Place {
    Place {
        start: at.start,
        end: at.end,
    }
}

/// Refuses what a node carries besides its value.
fn properties(anchor: usize, tag: Option<&Tag>, at: usize, faults: &mut Faults<'_>) {
    if anchor != 0 {
        faults
            .error(codes::YAML_ANCHOR, at, || {
                "the value has an anchor".to_owned()
            })
            .hint("delete the anchor; aliases are not taken either");
    }
    if let Some(tag) = tag {
        faults
            .error(codes::YAML_TAG, at, || {
                let tag = format!("{}{}", tag.handle(), tag.suffix());
                format!("the value has the tag {}", shown(&tag))
            })
            .hint("delete the tag; a number or word that is meant as text goes in quotes");
    }
}

/// Whether a plain text is an integer or a float of the core schema.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let all = |text: &str, digit: fn(u8) -> bool| !text.is_empty() && text.bytes().all(digit);
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |b| matches!(b, b'0'..=b'7'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |b| b.is_ascii_hexdigit());
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let mantissa_fits = match mantissa.split_once('.') {
        None => !mantissa.is_empty() && digits(mantissa),
        Some((whole, part)) => {
            digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty())
        }
    };
    exponent_fits && mantissa_fits
}

#[cfg(test)]
mod tests;
