//! Templates: a text with places to be filled, and the limits within which that happens.
//!
//! A template sees the values it is given and nothing else. It may include or extend templates of
//! the same set, by their names beneath its root; it opens no file and calls nothing. Values are
//! data: whatever stands in them is never rendered. A name that is not there is an error.
//!
//! Steps, nesting and output are bounded here. What a template holds in between is not: a dozen
//! assignments can double a text beyond any memory. Where a template may come from someone who is
//! not trusted, it is rendered in a process whose memory is limited.

mod built_in;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

pub use built_in::{AS_IS, BUILT_IN, GENERIC};

use crate::render::printable;

/// Instructions of one template: hundreds of inputs with thousands of lines, and under a second.
pub const FUEL: u64 = 5_000_000;

/// Nesting of expressions and blocks.
pub const RECURSION_MAX: usize = 50;

/// A template is written by hand.
pub const TEMPLATE_BYTES_MAX: usize = 256 << 10;

/// A template's message is cut to so many characters.
const CAUSE_CHARS_MAX: usize = 500;

/// Why a template was not filled. Will repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no template of this name.
    Missing {
        /// The name.
        name: String,
    },
    /// The template cannot be parsed or filled.
    Template {
        /// Its name: another one's where that was included.
        name: String,
        /// The line, from 1, if known.
        line: Option<usize>,
        /// Why, as a lower-case fragment.
        cause: String,
    },
    /// Something is larger than its limit.
    TooBig {
        /// The template or the output.
        what: &'static str,
        /// The limit in bytes.
        bytes_max: usize,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Missing { name } => write!(f, "there is no template {name}"),
            Fault::Template {
                name,
                line: Some(line),
                cause,
            } => write!(f, "{name}, line {line}: {cause}"),
            Fault::Template {
                name,
                line: None,
                cause,
            } => write!(f, "{name}: {cause}"),
            Fault::TooBig { what, bytes_max } => {
                write!(f, "{what} has more than {bytes_max} bytes")
            }
        }
    }
}

/// A set of templates that may include each other, ready to be filled.
pub struct Templates<'t> {
    environment: Environment<'t>,
    /// Those that cannot be used; it matters only if one of them is asked for.
    faulty: BTreeMap<&'t str, Fault>,
}

impl<'t> Templates<'t> {
    /// Takes templates as `(name, text)`; names are paths beneath the templates' root.
    pub fn new(templates: impl IntoIterator<Item = (&'t str, &'t str)>) -> Templates<'t> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true);
        environment.set_syntax(syntax.build().expect("the usual delimiters differ"));
        environment.set_recursion_limit(RECURSION_MAX);
        environment.set_fuel(Some(FUEL));
        // They show nothing that a document needs, and hold everything that a template was given.
        environment.remove_global("debug");
        environment.remove_filter("pprint");
        let mut faulty = BTreeMap::new();
        for (name, text) in templates {
            if text.len() > TEMPLATE_BYTES_MAX {
                let fault = Fault::TooBig {
                    what: "the template",
                    bytes_max: TEMPLATE_BYTES_MAX,
                };
                faulty.insert(name, fault);
            } else if let Err(error) = environment.add_template(name, text) {
                faulty.insert(name, fault(name, &error));
            }
        }
        Templates {
            environment,
            faulty,
        }
    }

    /// Whether there is a template of this name, sound or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.faulty.contains_key(name) || self.environment.get_template(name).is_ok()
    }

    /// Why a template cannot be filled, whatever with, if that is so.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&Fault> {
        self.faulty.get(name)
    }

    /// Fills a template. Pure: the same values give the same bytes.
    ///
    /// # Errors
    /// It is not there, cannot be parsed or filled, or gives more than `bytes_max`.
    pub fn fill(&self, name: &str, values: Value, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        if let Some(fault) = self.faulty.get(name) {
            return Err(fault.clone());
        }
        let Ok(template) = self.environment.get_template(name) else {
            return Err(Fault::Missing {
                name: name.to_owned(),
            });
        };
        let mut output = Bounded {
            bytes: Vec::new(),
            bytes_max,
            is_full: false,
        };
        match template.render_captured_to(values, &mut output) {
            Ok(_) => Ok(output.bytes),
            Err(_) if output.is_full => Err(Fault::TooBig {
                what: "the output",
                bytes_max,
            }),
            Err(error) => Err(self.fault_of(name, innermost(&error))),
        }
    }

    /// The fault of a template; of one that it includes and that is not sound, that one's.
    fn fault_of(&self, name: &str, error: &Error) -> Fault {
        let detail = match error.kind() {
            ErrorKind::TemplateNotFound => error.detail().unwrap_or_default(),
            _ => "",
        };
        let named = |name: &str| detail.contains(&format!("'{name}'"));
        let found = self.faulty.iter().find(|(name, _)| named(name));
        found.map_or_else(|| fault(name, error), |(_, fault)| fault.clone())
    }
}

/// The error in an included template rather than the one that it was included.
fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while let Some(inner) = error.source().and_then(|source| source.downcast_ref()) {
        error = inner;
    }
    error
}

fn fault(name: &str, error: &Error) -> Fault {
    let cause = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("it takes more than {FUEL} steps"),
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {}", cut(detail)),
    };
    Fault::Template {
        name: error.name().unwrap_or(name).to_owned(),
        line: error.line(),
        cause,
    }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(CAUSE_CHARS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    printable(&cut)
}

/// Takes what is rendered until it is too much.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.bytes_max {
            self.is_full = true;
            return Err(io::Error::other("the output is full"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
