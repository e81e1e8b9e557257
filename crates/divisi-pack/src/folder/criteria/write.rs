//! Writes the file.

use divisi_core::Criterion;

use super::super::markdown::{self, one_line, opens_block, span};
use super::{
    COMMANDS, CriteriaFile, DELIVERABLES, Deliverable, HEADING, Line, PERHAPS_EMPTY, Program,
    SCOPE, STANDARDS,
};
use crate::plan_file::CHECK_TIMEOUT_MS;
use crate::words::{argv, say, say_duration};

const INTRODUCTION: &str = "\
What must hold before this stage is complete. Edit it by hand: each entry counts as it stands, in \
its form or in plain words; text outside of lists does not count.";

/// The file's text. Reading it gives the same value, for every value that was read, and for every
/// other whose paths and patterns are printable and whose words are one line that has a letter and
/// does not begin in the section's form.
#[must_use]
pub fn write(file: &CriteriaFile) -> String {
    let of = match file.title.trim() {
        "" => String::new(),
        title => format!(" of {}", span(title)),
    };
    let mut out = format!("# {HEADING}{of}\n\n{INTRODUCTION}\n");
    let lines = file.deliverables.iter().map(|l| line(l, deliverable_line));
    markdown::section(&mut out, DELIVERABLES, &lines.collect::<Vec<String>>());
    let lines = file.standards.iter().map(|text| words_line(text));
    markdown::section(&mut out, STANDARDS, &lines.collect::<Vec<String>>());
    let lines = file.scope.iter().map(|l| line(l, |pattern| span(pattern)));
    markdown::section(&mut out, SCOPE, &lines.collect::<Vec<String>>());
    let lines = file.commands.iter().map(|l| line(l, program_line));
    markdown::section(&mut out, COMMANDS, &lines.collect::<Vec<String>>());
    out
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
pub(super) fn program_line(program: &Program) -> String {
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
