//! What is told to a person when something is refused or fails: code, place, cause, hints.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The thing is accepted; the reader should know.
    Warning,
    /// The thing is refused.
    Error,
}

/// A place in a text: lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What was read: a file's path as the user gave it, or a name such as `command line`.
    pub source: String,
    /// Line, from 1; 0 where the whole source is meant.
    pub line: u32,
    /// Column in characters, from 1; 0 where the whole line is meant.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.source),
            (line, 0) => write!(f, "{}:{line}", self.source),
            (line, column) => write!(f, "{}:{line}:{column}", self.source),
        }
    }
}

/// One fault or warning, for a person. Every code has a page in `docs/errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable and printed in brackets, for example `plan-cycle`.
    pub code: String,
    /// Whether it refuses.
    pub severity: Severity,
    /// Where, if it is somewhere.
    pub place: Option<Place>,
    /// A lower-case fragment without a full stop: what is wrong, with the object's name.
    pub cause: String,
    /// What to do, each a sentence fragment, preferably with a command that can be run.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without place or hints.
    pub fn error(code: &str, cause: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: code.to_owned(),
            severity: Severity::Error,
            place: None,
            cause: cause.into(),
            hints: Vec::new(),
        }
    }

    /// A warning without place or hints.
    pub fn warning(code: &str, cause: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, cause)
        }
    }

    /// The same with a place.
    #[must_use]
    pub fn at(self, place: Place) -> Diagnostic {
        Diagnostic {
            place: Some(place),
            ..self
        }
    }

    /// The same with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] ", self.code)?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.cause)
    }
}

/// An error with its causes, on one line: for what is journalled or shown as one text.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
