//! `COMPLETION_CRITERIA.md`: what must hold before a stage is complete.
//!
//! Four sections of list entries. Each entry counts as it stands when the file is read: a size that
//! a person changes changes the verdict, an entry in plain words that a person adds is compiled or
//! unverified, a deleted one is gone. An entry that begins like one of the section's own and cannot
//! be read is a fault with its place: it is never passed over.
//!
//! | section | entries |
//! |---|---|
//! | Required deliverables | `` `path`, at least 1 KB: what it is `` |
//! | Quality standards | plain words |
//! | Scope compliance | `` `pattern` `` of what may be changed |
//! | Validation commands | `` `command`, within 5 minutes ``, or a fenced block of command lines |
//!
//! Plain words may stand in every section. [`write()`] gives one form, and reading it gives the
//! same value.

mod read;
#[cfg(test)]
mod tests;
mod write;

use divisi_core::{Criterion, Diagnostic};

pub use read::read;
pub(crate) use write::program_line;
pub use write::{NAME, write};

use super::markdown::span;
use crate::words::{Compiled, Context, Understood, compile};

/// The largest file read, in bytes: twenty thousand entries of four hundred.
pub const CRITERIA_BYTES_MAX: usize = 8 << 20;

/// The most entries read. A verdict names its criterion by a 16-bit number.
pub const ENTRIES_MAX: usize = 20_000;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriteriaFile {
    /// The stage's name.
    pub title: String,
    /// What must be there, with exact paths.
    pub deliverables: Vec<Line<Deliverable>>,
    /// What good looks like, in plain words.
    pub standards: Vec<String>,
    /// Patterns of what may be changed; nothing is checked if there is none.
    pub scope: Vec<Line<String>>,
    /// Programs that must succeed.
    pub commands: Vec<Line<Program>>,
}

/// An entry of a section: in the section's form, or in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<T> {
    /// In the section's form.
    Form(T),
    /// In plain words, in one line.
    Words(String),
}

/// A file that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliverable {
    /// Its path.
    pub path: String,
    /// Its smallest size in bytes.
    pub min_bytes: u64,
    /// What it is, in one line; may be empty.
    pub about: String,
}

/// A program that must end with 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u64,
}

/// A statement of the file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// As a person reads it.
    pub text: String,
    /// Its checks, or why there are none.
    pub compiled: Compiled,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The file; `None` exactly if an error is among the diagnostics.
    pub file: Option<CriteriaFile>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// With what the title begins.
const HEADING: &str = "Completion criteria";

const DELIVERABLES: &str = "Required deliverables";
const STANDARDS: &str = "Quality standards";
const SCOPE: &str = "Scope compliance";
const COMMANDS: &str = "Validation commands";
const SECTIONS: [&str; 4] = [DELIVERABLES, STANDARDS, SCOPE, COMMANDS];

impl CriteriaFile {
    /// All statements of the file in its order, as the context makes them.
    #[must_use]
    pub fn statements(&self, context: &Context) -> Vec<Statement> {
        let known = |rule: &'static str, text: String, criteria: Vec<Criterion>| Statement {
            text,
            compiled: Compiled::Checks(Understood { rule, criteria }),
        };
        let words = |text: &String| Statement {
            text: text.clone(),
            compiled: compile(text, context),
        };
        let mut all = Vec::new();
        all.extend(self.deliverables.iter().map(|line| match line {
            Line::Form(deliverable) => known(
                "a required deliverable",
                write::deliverable_line(deliverable),
                required(deliverable, context),
            ),
            Line::Words(text) => words(text),
        }));
        all.extend(self.standards.iter().map(words));
        let patterns = self.scope.iter().filter_map(|line| match line {
            Line::Form(pattern) => Some(pattern.clone()),
            Line::Words(_) => None,
        });
        let patterns: Vec<String> = patterns.collect();
        if !patterns.is_empty() {
            let spans: Vec<String> = patterns.iter().map(|pattern| span(pattern)).collect();
            let text = format!("changes only {}", spans.join(", "));
            let scope = Criterion::Scope { patterns };
            all.push(known("the scope", text, vec![scope]));
        }
        all.extend(self.scope.iter().filter_map(|line| match line {
            Line::Form(_) => None,
            Line::Words(text) => Some(words(text)),
        }));
        all.extend(self.commands.iter().map(|line| match line {
            Line::Form(program) => known(
                "a validation command",
                write::program_line(program),
                vec![Criterion::Command {
                    argv: program.argv.clone(),
                    timeout_ms: program.timeout_ms,
                }],
            ),
            Line::Words(text) => words(text),
        }));
        all
    }
}

/// What is written of a deliverable that may have no byte.
const PERHAPS_EMPTY: &str = "perhaps empty";

/// The checks of a deliverable. One whose path has a variable is required for each target.
fn required(deliverable: &Deliverable, context: &Context) -> Vec<Criterion> {
    let mut paths = context.of_template(&deliverable.path);
    if paths.is_empty() {
        paths.push(deliverable.path.clone());
    }
    let file = |path| Criterion::File {
        path,
        min_bytes: deliverable.min_bytes,
    };
    paths.into_iter().map(file).collect()
}
