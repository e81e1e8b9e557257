//! `CONTEXT.md`: what all handoffs of a stage share.
//!
//! It is written from the workflow and read back as plain text: whatever a person made of it is
//! what the agents are told.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Place;

use super::markdown::{self, NONE, one_line, paragraph, span};
use crate::codes;
use crate::text::text;

/// The largest context read, in bytes. Every agent of the stage pays for each of them.
pub const CONTEXT_BYTES_MAX: usize = 256 << 10;

/// What the file is written from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextFile {
    /// The stage's name.
    pub title: String,
    /// What the stage is for.
    pub goal: String,
    /// What it works on.
    pub scope: Vec<String>,
    /// Documents and examples to look at.
    pub references: Vec<String>,
    /// Standards and conventions to follow.
    pub standards: Vec<String>,
    /// What must be known about the domain.
    pub knowledge: Vec<String>,
    /// What must not be done or changed.
    pub constraints: Vec<String>,
    /// What is not a goal.
    pub non_goals: Vec<String>,
}

/// The file's text.
#[must_use]
pub fn write(file: &ContextFile) -> String {
    let entries = |all: &[String]| {
        all.iter()
            .map(|text| one_line(text))
            .collect::<Vec<String>>()
    };
    let mut out = format!(
        "# Context of {}\n\n## Goal and scope\n\n",
        span(&file.title)
    );
    let goal = paragraph(&file.goal);
    out.push_str(if goal.is_empty() { NONE } else { &goal });
    out.push('\n');
    if !file.scope.is_empty() {
        out.push_str("\nIt works on:\n\n");
        for entry in entries(&file.scope) {
            out.push_str(&format!("- {entry}\n"));
        }
    }
    let references = entries(&file.references);
    markdown::section(&mut out, "Reference documents and examples", &references);
    let standards = entries(&file.standards);
    markdown::section(&mut out, "Standards and conventions", &standards);
    markdown::section(&mut out, "Domain knowledge", &entries(&file.knowledge));
    let not = |goal: String| format!("Not a goal: {goal}");
    let mut constraints = entries(&file.constraints);
    constraints.extend(entries(&file.non_goals).into_iter().map(not));
    markdown::section(&mut out, "Constraints and non-goals", &constraints);
    out
}

/// Reads the file as the text that all handoffs of the stage share.
///
/// # Errors
/// It is too large, or no text in UTF-8.
pub fn read(source_name: &str, bytes: &[u8]) -> Result<String, Box<Diagnostic>> {
    if bytes.len() > CONTEXT_BYTES_MAX {
        let cause = format!(
            "the context has {} bytes, more than {CONTEXT_BYTES_MAX}",
            bytes.len()
        );
        let place = Place {
            source: source_name.to_owned(),
            line: 0,
            column: 0,
        };
        let diagnostic = Diagnostic::error(codes::TOO_LARGE, cause).at(place);
        return Err(Box::new(
            diagnostic.hint("name documents in it instead of repeating them"),
        ));
    }
    text(source_name, bytes, CONTEXT_BYTES_MAX).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_has_the_five_contents() {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        let file = ContextFile {
            title: "requirements-analysis".into(),
            goal: "Extract requirements.\n# Not a heading".into(),
            scope: texts(&["`stories/S1.md`", "`stories/S2.md`"]),
            references: texts(&["docs/glossary.md"]),
            standards: texts(&["SMART\ncriteria"]),
            knowledge: Vec::new(),
            constraints: texts(&["Change no story."]),
            non_goals: texts(&["Design."]),
        };
        let text = write(&file);
        assert_eq!(
            text,
            "\
# Context of `requirements-analysis`

## Goal and scope

Extract requirements.
\\# Not a heading

It works on:

- `stories/S1.md`
- `stories/S2.md`

## Reference documents and examples

- docs/glossary.md

## Standards and conventions

- SMART criteria

## Domain knowledge

None.

## Constraints and non-goals

- Change no story.
- Not a goal: Design.
"
        );
        let edited = text.replace("None.", "A story is at most a week of work.");
        assert_eq!(read("CONTEXT.md", edited.as_bytes()), Ok(edited));
    }

    #[test]
    fn giants_and_other_encodings_are_refused() {
        let code = |bytes: &[u8]| read("CONTEXT.md", bytes).unwrap_err().code;
        assert_eq!(code(&vec![b'a'; CONTEXT_BYTES_MAX + 1]), "text-too-large");
        assert_eq!(code(b"\xff"), "text-encoding");
        assert_eq!(read("CONTEXT.md", b"\xef\xbb\xbfa"), Ok("a".into()));
    }
}
