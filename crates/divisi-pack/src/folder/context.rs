//! `CONTEXT.md`: what all handoffs of a stage share.
//!
//! It is written from the workflow and read back as plain text: whatever a person made of it is
//! what the agents are told.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Place;

use minijinja::context;

use super::fill;
use super::markdown::{one_line, paragraph, span};
use crate::codes;
use crate::template::{Fault, Templates};
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

/// The file's name.
pub const NAME: &str = "CONTEXT.md";

/// The file's text.
///
/// # Errors
/// Its template cannot be filled.
pub fn write(file: &ContextFile, templates: &Templates<'_>) -> Result<String, Fault> {
    let entries = |all: &[String]| {
        let all = all.iter().map(|text| one_line(text));
        all.collect::<Vec<String>>()
    };
    let not = |goal: String| format!("Not a goal: {goal}");
    let values = context! {
        title => span(&file.title),
        goal => paragraph(&file.goal),
        scope => entries(&file.scope),
        references => entries(&file.references),
        standards => entries(&file.standards),
        knowledge => entries(&file.knowledge),
        constraints => entries(&file.constraints),
        non_goals => entries(&file.non_goals).into_iter().map(not).collect::<Vec<String>>(),
    };
    fill(templates, NAME, values)
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
    use super::super::built_in;
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
        let text = write(&file, &built_in()).unwrap();
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
