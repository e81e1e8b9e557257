//! Reads the file, and finds every fault at once.

use std::collections::HashMap;

use divisi_core::Criterion;

use super::super::markdown::{self, Block, Entry, NONE};
use super::{
    COMMANDS, CRITERIA_BYTES_MAX, CriteriaFile, DELIVERABLES, Deliverable, ENTRIES_MAX, HEADING,
    Line, PERHAPS_EMPTY, Program, Read, SCOPE, SECTIONS,
};
use crate::faults::{Faults, shown};
use crate::plan_file::CHECK_TIMEOUT_MS;
use crate::render::{is_unprintable, printable};
use crate::words::{Compiled, Context, Why, argv, code_span, compile, is_path, units};
use crate::{codes, json, paths, text};

/// Reads the file. `source_name` stands in the diagnostics' places.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let (file, diagnostics) =
        text::read(source_name, bytes, json::TEXT_BYTES_MAX, |text, faults| {
            if text.len() > CRITERIA_BYTES_MAX {
                faults.error(codes::TOO_LARGE, 0, || {
                    format!("the file has more than {CRITERIA_BYTES_MAX} bytes")
                });
                return None;
            }
            let mut reader = Reader::default();
            for block in markdown::blocks(text) {
                reader.block(block, faults);
            }
            reader.finish(faults)
        });
    Read { file, diagnostics }
}

/// Reads blocks into the file, section by section.
#[derive(Default)]
struct Reader {
    file: CriteriaFile,
    /// The section in which the next entry stands, if it is one of the four.
    section: Option<&'static str>,
    /// Whether any section was begun, known or not.
    is_begun: bool,
    /// The sections that were seen.
    seen: Vec<&'static str>,
    /// Where each deliverable was promised.
    promised: HashMap<String, usize>,
    entries: usize,
}

impl Reader {
    fn block(&mut self, block: Block, faults: &mut Faults<'_>) {
        match block {
            Block::Heading {
                level: 1,
                text,
                code,
                ..
            } if self.section.is_none() && self.file.title.is_empty() => {
                let title = code.unwrap_or_else(|| title(&text));
                self.file.title = printable(title.trim());
            }
            Block::Heading {
                level, text, at, ..
            } if level <= 2 => {
                self.heading(&text, at, faults);
            }
            // Deeper headings only group entries.
            Block::Heading { .. } => {}
            Block::Entry(entry) => self.entry(&entry, faults),
            Block::Code { line, at } if self.section == Some(COMMANDS) => {
                if !line.starts_with('#') {
                    self.command_line(&line, at, faults);
                }
            }
            Block::Code { at, .. } => uncounted(at, faults),
            Block::Prose { text, at } if self.section.is_some() && text != NONE => {
                uncounted(at, faults);
            }
            Block::Prose { .. } => {}
        }
    }

    fn heading(&mut self, text: &str, at: usize, faults: &mut Faults<'_>) {
        let known = SECTIONS
            .into_iter()
            .find(|section| section.eq_ignore_ascii_case(text));
        self.section = known;
        self.is_begun = true;
        let Some(section) = known else {
            let meant = faults.nearest(text, SECTIONS);
            faults
                .error(codes::SECTION, at, || {
                    let sections = SECTIONS.join(", ");
                    format!("the section {} is none of {sections}", shown(text))
                })
                .meant(meant)
                .hint("put notes before the first section");
            return;
        };
        if self.seen.contains(&section) {
            faults.error(codes::SECTION, at, || {
                format!("the section {} stands twice", shown(section))
            });
        }
        self.seen.push(section);
    }

    fn entry(&mut self, entry: &Entry, faults: &mut Faults<'_>) {
        let Some(section) = self.section else {
            // Beneath an unknown heading, that heading is the fault.
            if !self.is_begun {
                faults
                    .error(codes::ENTRY, entry.at, || {
                        "the entry stands before the first section".to_owned()
                    })
                    .hint("write notes before the sections without a list");
            }
            return;
        };
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            if self.entries == ENTRIES_MAX + 1 {
                faults.error(codes::TOO_LARGE, entry.at, || {
                    format!("there are more than {ENTRIES_MAX} entries")
                });
            }
            return;
        }
        if entry.is_nested {
            faults
                .error(codes::ENTRY, entry.at, || {
                    "there is a list or another block within an entry".to_owned()
                })
                .hint("write each statement as an entry of its own");
            return;
        }
        if let Some(c) = entry.text.chars().find(|&c| is_unprintable(c)) {
            faults.error(codes::ENTRY, entry.at, || {
                format!("the entry holds the hidden character {c:?}")
            });
            return;
        }
        let says = |c: char| c.is_alphanumeric() || c == '`';
        if !entry.text.contains(says) {
            faults.error(codes::ENTRY, entry.at, || "the entry is empty".to_owned());
            return;
        }
        match section {
            DELIVERABLES => self.deliverable(entry, faults),
            SCOPE => self.pattern(entry, faults),
            COMMANDS => self.command(entry, faults),
            _ => {
                if is_sound(entry, faults) {
                    self.file.standards.push(plain(&entry.text));
                }
            }
        }
    }

    fn deliverable(&mut self, entry: &Entry, faults: &mut Faults<'_>) {
        let Some((path, rest)) = leading(&entry.text) else {
            return words(entry, &mut self.file.deliverables, faults);
        };
        let Some((min_bytes, about)) = size_and_about(rest) else {
            if is_understood(&entry.text) {
                return words(entry, &mut self.file.deliverables, faults);
            }
            return unreadable_size(entry, rest, faults);
        };
        if let Some(fault) = paths::fault(path) {
            faults.error(codes::PATH, entry.at, || {
                format!("the path {} {fault}", shown(path))
            });
            return;
        }
        if let Some(first) = self.promised.insert(path.to_owned(), entry.at) {
            let first = faults.line(first);
            faults.error(codes::ENTRY, entry.at, || {
                format!("{} is required twice, first in line {first}", shown(path))
            });
            return;
        }
        self.file.deliverables.push(Line::Form(Deliverable {
            path: path.to_owned(),
            min_bytes,
            about,
        }));
    }

    fn pattern(&mut self, entry: &Entry, faults: &mut Faults<'_>) {
        let Some((pattern, rest)) = leading(&entry.text) else {
            return words(entry, &mut self.file.scope, faults);
        };
        if !rest.is_empty() {
            if is_understood(&entry.text) {
                return words(entry, &mut self.file.scope, faults);
            }
            faults
                .error(codes::ENTRY, entry.at, || {
                    format!("after the pattern stands {}", shown(rest))
                })
                .hint("write each pattern as an entry of its own");
            return;
        }
        let (code, fault) = match (paths::fault(pattern), paths::pattern_fault(pattern)) {
            (Some(fault), _) => (codes::PATH, fault),
            (None, Some(fault)) => (codes::PATTERN, fault),
            (None, None) => {
                self.file.scope.push(Line::Form(pattern.to_owned()));
                return;
            }
        };
        let folder = pattern
            .strip_suffix('/')
            .map(|folder| format!("{folder}/**"));
        let recorded = faults.error(code, entry.at, || {
            format!("the pattern {} {fault}", shown(pattern))
        });
        if let Some(folder) = folder {
            recorded.hint(format!("write {} for all files in it", shown(&folder)));
        }
    }

    fn command(&mut self, entry: &Entry, faults: &mut Faults<'_>) {
        let spanned = entry.text.starts_with('`').then(|| code_span(&entry.text));
        let Some((line, rest)) = spanned.flatten().filter(|(line, _)| !is_json(line)) else {
            return words(entry, &mut self.file.commands, faults);
        };
        let rest = rest.trim().trim_start_matches(',').trim();
        let timeout_ms = match rest {
            "" => Some(CHECK_TIMEOUT_MS),
            within => timeout(within),
        };
        match (argv::split(line), timeout_ms) {
            (Ok(argv), Some(timeout_ms)) => {
                let program = Program { argv, timeout_ms };
                self.file.commands.push(Line::Form(program));
            }
            (Ok(_), None) if is_understood(&entry.text) => {
                words(entry, &mut self.file.commands, faults);
            }
            (Ok(_), None) => {
                faults
                    .error(codes::ENTRY, entry.at, || {
                        format!("after the command stands {}", shown(rest))
                    })
                    .hint("write nothing, or `, within 5 minutes`");
            }
            (Err(fault), _) => unusable(line, &fault, entry.at, faults),
        }
    }

    fn command_line(&mut self, line: &str, at: usize, faults: &mut Faults<'_>) {
        let line = line.strip_prefix("$ ").unwrap_or(line);
        match argv::split(line) {
            Ok(argv) => self.file.commands.push(Line::Form(Program {
                argv,
                timeout_ms: CHECK_TIMEOUT_MS,
            })),
            Err(fault) => unusable(line, &fault, at, faults),
        }
    }

    fn finish(self, faults: &mut Faults<'_>) -> Option<CriteriaFile> {
        if self.seen.is_empty() && faults.errors() == 0 {
            faults.error(codes::SECTION, 0, || {
                format!("none of the sections {} is there", SECTIONS.join(", "))
            });
        }
        Some(self.file)
    }
}

/// Words without the backslash that keeps them from opening a block.
fn plain(text: &str) -> String {
    let bare = text.strip_prefix('\\').map(str::trim_start);
    bare.unwrap_or(text).to_owned()
}

/// An entry in plain words.
fn words<T>(entry: &Entry, lines: &mut Vec<Line<T>>, faults: &mut Faults<'_>) {
    if is_sound(entry, faults) {
        lines.push(Line::Words(plain(&entry.text)));
    }
}

/// Whether an entry in plain words can be kept as such: one in JSON must be a criterion.
fn is_sound(entry: &Entry, faults: &mut Faults<'_>) -> bool {
    if !entry.text.contains('{') {
        return true;
    }
    match compile(&entry.text, &Context::default()) {
        Compiled::Unverified(why @ Why::Json(_)) => {
            faults.error(codes::ENTRY, entry.at, || why.to_string());
            false
        }
        _ => true,
    }
}

/// The stage's name in a title without a code span.
fn title(text: &str) -> String {
    let rest = match text.get(..HEADING.len()) {
        Some(start) if start.eq_ignore_ascii_case(HEADING) => &text[HEADING.len()..],
        _ => text,
    };
    let rest = rest.trim_start_matches([':', ' ']);
    rest.strip_prefix("of ").unwrap_or(rest).to_owned()
}

fn is_understood(text: &str) -> bool {
    matches!(compile(text, &Context::default()), Compiled::Checks(_))
}

fn uncounted(at: usize, faults: &mut Faults<'_>) {
    faults
        .warning(codes::PROSE, at, || {
            "this text does not count: it is no entry of a section".to_owned()
        })
        .hint("begin the line with `- ` beneath one of the sections");
}

fn unusable(line: &str, fault: &str, at: usize, faults: &mut Faults<'_>) {
    faults
        .error(codes::COMMAND, at, || {
            format!("the command {} {fault}", shown(line))
        })
        .hint("put a shell's syntax into a script of the project and run that");
}

/// The path or pattern with which an entry begins, and what follows it.
fn leading(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('`') {
        let (path, rest) = code_span(text)?;
        return (!is_json(path)).then(|| (path, rest.trim()));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let run = text[..end].trim_end_matches([',', ':']);
    is_path(run).then(|| (run, text[run.len()..].trim()))
}

/// Whether a code span is meant as a criterion in JSON.
fn is_json(span: &str) -> bool {
    let inside = span.strip_prefix('{').map(str::trim_start);
    inside.is_some_and(|inside| inside.is_empty() || inside.starts_with(['"', '}']))
}

/// The smallest size and the description that follow a path: `, at least 1 KB: what it is`. `None`
/// where it is not clear which is which: a size is never lost in a description.
fn size_and_about(rest: &str) -> Option<(u64, String)> {
    let marks = [' ', ',', '(', ')', '-', '–', '—'];
    let (size, about) = match rest.split_once(':') {
        Some((size, about)) => (size.trim_matches(marks), about.trim()),
        None => (rest.trim_matches(marks), ""),
    };
    let dashed = rest.starts_with(['-', '–', '—']);
    let about = match (size, size_of(size)) {
        (_, Some(bytes)) => return Some((bytes, about.to_owned())),
        ("", None) => about,
        (_, None) if dashed => rest.trim_start_matches(marks),
        (_, None) => return None,
    };
    match size_of(about.trim_matches(marks)) {
        Some(bytes) => Some((bytes, String::new())),
        None => (!mentions_size(about)).then(|| (1, about.to_owned())),
    }
}

/// A size in the words that sentences have for it.
fn size_of(text: &str) -> Option<u64> {
    if text == PERHAPS_EMPTY {
        return Some(0);
    }
    let sentence = format!("the file `x` is {text}");
    match compile(&sentence, &Context::default()) {
        Compiled::Checks(understood) => match understood.criteria[..] {
            [Criterion::File { min_bytes, .. }] => Some(min_bytes),
            _ => None,
        },
        Compiled::Unverified(_) => None,
    }
}

/// Whether a text has a number followed by a unit of size.
fn mentions_size(text: &str) -> bool {
    let is_number = |word: &str| {
        let digits = word.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_unit = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
        units().any(|unit| unit.eq_ignore_ascii_case(word))
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let fused = |word: &&str| {
        let unit = word.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        is_number(word) && is_unit(unit)
    };
    words.iter().any(fused)
        || words
            .windows(2)
            .any(|pair| is_number(pair[0]) && is_unit(pair[1]))
}

fn unreadable_size(entry: &Entry, rest: &str, faults: &mut Faults<'_>) {
    let last = rest.split(':').next().unwrap_or_default();
    let last = last.trim_end_matches([' ', ')', '.']);
    let last = last.rsplit(char::is_whitespace).next().unwrap_or_default();
    let known = units().any(|unit| unit == last);
    let meant = match known {
        true => None,
        false => faults.nearest(last, units()),
    };
    faults
        .error(codes::ENTRY, entry.at, || {
            format!("after the path stands {}, which is no size", shown(rest))
        })
        .meant(meant)
        .hint("write `` `path`, at least 1 KB: what it is ``");
}

/// The time box in "within 5 minutes".
fn timeout(within: &str) -> Option<u64> {
    let sentence = format!("the command `x` succeeds {within}");
    match compile(&sentence, &Context::default()) {
        Compiled::Checks(understood) => match understood.criteria[..] {
            [Criterion::Command { timeout_ms, .. }] => Some(timeout_ms),
            _ => None,
        },
        Compiled::Unverified(_) => None,
    }
}
