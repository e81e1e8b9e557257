//! Writes the file.

use divisi_core::Criterion;
use minijinja::context;

use super::super::fill;
use super::super::markdown::{one_line, opens_block, span};
use super::{CriteriaFile, Deliverable, Line, PERHAPS_EMPTY, Program};
use crate::plan_file::CHECK_TIMEOUT_MS;
use crate::template::{Fault, Templates};
use crate::words::{argv, say, say_duration};

/// The file's name.
pub const NAME: &str = "COMPLETION_CRITERIA.md";

/// The file's text. From the built-in template, reading it gives the same value, for every value
/// that was read, and for every other whose paths and patterns are printable and whose words are
/// one line that has a letter and does not begin in the section's form.
///
/// # Errors
/// Its template cannot be filled.
pub fn write(file: &CriteriaFile, templates: &Templates<'_>) -> Result<String, Fault> {
    let title = match file.title.trim() {
        "" => String::new(),
        title => span(title),
    };
    let deliverables = file.deliverables.iter().map(|l| line(l, deliverable_line));
    let standards = file.standards.iter().map(|text| words_line(text));
    let scope = file.scope.iter().map(|l| line(l, |pattern| span(pattern)));
    let commands = file.commands.iter().map(|l| line(l, program_line));
    let values = context! {
        title,
        deliverables => deliverables.collect::<Vec<String>>(),
        standards => standards.collect::<Vec<String>>(),
        scope => scope.collect::<Vec<String>>(),
        commands => commands.collect::<Vec<String>>(),
    };
    fill(templates, NAME, values)
}

fn line<T>(line: &Line<T>, form: impl Fn(&T) -> String) -> String {
    match line {
        Line::Form(value) => form(value),
        Line::Words(text) => words_line(text),
    }
}

/// Plain words as an entry. A backslash keeps what begins like a block from being one.
fn words_line(text: &str) -> String {
    let text = one_line(text);
    // Brackets may be a box to tick, which reading takes off.
    let opens = opens_block(&text) || text.starts_with(['[', '\\']);
    if opens { format!("\\{text}") } else { text }
}

pub(super) fn deliverable_line(deliverable: &Deliverable) -> String {
    let size = match deliverable.min_bytes {
        0 => PERHAPS_EMPTY.to_owned(),
        1 => "not empty".to_owned(),
        bytes => format!("at least {bytes} bytes"),
    };
    let about = match one_line(&deliverable.about) {
        about if about.is_empty() => about,
        about => format!(": {about}"),
    };
    format!("{}, {size}{about}", span(&deliverable.path))
}

/// A command line; as a criterion in JSON where a command line cannot say it.
pub(crate) fn program_line(program: &Program) -> String {
    let Some(line) = argv::join(&program.argv) else {
        let criterion = Criterion::Command {
            argv: program.argv.clone(),
            timeout_ms: program.timeout_ms,
        };
        return say(&criterion).unwrap_or_default();
    };
    match program.timeout_ms {
        CHECK_TIMEOUT_MS => span(&line),
        ms => format!("{}, within {}", span(&line), say_duration(ms)),
    }
}
