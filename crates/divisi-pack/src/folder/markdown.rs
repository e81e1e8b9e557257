//! Markdown as these files use it: sections of list entries, with their places; and the few forms
//! that are written.
//!
//! An entry's text is taken as it stands in the file, not as Markdown would show it: `src/**` is a
//! pattern, not the beginning of bold text. What is a list, a fence or a comment is the parser's
//! word.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::render::printable;
use crate::words::code;

/// A piece of a document at its outermost level.
#[derive(Debug)]
pub(super) enum Block {
    /// A heading.
    Heading {
        level: u8,
        /// Its text without marks, white space made one space.
        text: String,
        /// The text of the first code span in it.
        code: Option<String>,
        at: usize,
    },
    /// An entry of a list.
    Entry(Entry),
    /// A line of a fenced code block.
    Code { line: String, at: usize },
    /// Text that is none of these.
    Prose { text: String, at: usize },
}

/// An entry of a list.
#[derive(Debug)]
pub(super) struct Entry {
    /// As written, its lines joined by spaces.
    pub(super) text: String,
    /// The byte offset of its text.
    pub(super) at: usize,
    /// Whether there is a list, a fence or another block within it.
    pub(super) is_nested: bool,
}

/// The outermost blocks of a document. Comments and rules say nothing.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut events = Parser::new(text).into_offset_iter();
    while let Some((event, range)) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                blocks.push(heading(level, range.start, &mut events));
            }
            Event::Start(Tag::List(_)) => list(text, &mut events, &mut blocks),
            Event::Start(Tag::CodeBlock(_)) => {
                fence(text, range, &mut blocks);
                skip(&mut events);
            }
            Event::Start(Tag::HtmlBlock) => {
                let content = text[range.clone()].trim();
                if !(content.starts_with("<!--") && content.ends_with("-->")) {
                    blocks.push(prose(text, range));
                }
                skip(&mut events);
            }
            Event::Start(_) => {
                blocks.push(prose(text, range));
                skip(&mut events);
            }
            _ => {}
        }
    }
    blocks
}

type Events<'e, 't> = &'e mut pulldown_cmark::OffsetIter<'t>;

/// Takes events up to the end of the block that was just opened.
fn skip(events: Events<'_, '_>) {
    let mut depth = 1;
    for (event, _) in events {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn heading(level: HeadingLevel, at: usize, events: Events<'_, '_>) -> Block {
    let (mut text, mut code) = (String::new(), None);
    for (event, _) in events {
        match event {
            Event::Text(part) => text.push_str(&part),
            Event::Code(part) => {
                text.push_str(&part);
                code.get_or_insert_with(|| part.to_string());
            }
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Heading(_)) => break,
            _ => {}
        }
    }
    Block::Heading {
        level: level as u8,
        text: text.split_whitespace().collect::<Vec<&str>>().join(" "),
        code,
        at,
    }
}

fn list(text: &str, events: Events<'_, '_>, blocks: &mut Vec<Block>) {
    let mut depth = 1;
    let mut open: Option<Entry> = None;
    for (event, range) in events {
        match event {
            Event::Start(Tag::Item) if depth == 1 => {
                depth += 1;
                open = Some(entry(text, range));
            }
            Event::Start(tag) => {
                depth += 1;
                // Loose lists hold their text in paragraphs; a second one is another block.
                let is_first = |entry: &Entry| range.start <= entry.at;
                if let Some(entry) = &mut open
                    && is_block(&tag)
                    && !(tag == Tag::Paragraph && is_first(entry))
                {
                    entry.is_nested = true;
                }
            }
            Event::End(_) => {
                depth -= 1;
                if depth == 1 {
                    blocks.extend(open.take().map(Block::Entry));
                }
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::HtmlBlock
            | Tag::List(_)
    )
}

/// An entry's text: what follows its mark and a box to tick.
fn entry(text: &str, range: Range<usize>) -> Entry {
    let raw = &text[range.clone()];
    let mut rest = raw.trim_start();
    rest = match rest.strip_prefix(['-', '*', '+']) {
        Some(rest) => rest,
        None => {
            let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            digits.strip_prefix(['.', ')']).unwrap_or(digits)
        }
    };
    rest = rest.trim_start();
    for tick in ["[ ] ", "[x] ", "[X] "] {
        rest = rest.strip_prefix(tick).map_or(rest, str::trim_start);
    }
    Entry {
        text: joined(rest),
        at: range.start + (raw.len() - rest.len()),
        is_nested: false,
    }
}

fn joined(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<&str>>().join(" ")
}

fn prose(text: &str, range: Range<usize>) -> Block {
    Block::Prose {
        text: joined(&text[range.clone()]),
        at: range.start,
    }
}

/// The lines of a code block without its fences.
fn fence(text: &str, range: Range<usize>, blocks: &mut Vec<Block>) {
    let mut at = range.start;
    for line in text[range].split_inclusive('\n') {
        let content = line.trim();
        let is_mark = content.starts_with("```") || content.starts_with("~~~");
        if !is_mark && !content.is_empty() {
            blocks.push(Block::Code {
                line: content.to_owned(),
                at: at + (line.len() - line.trim_start().len()),
            });
        }
        at += line.len();
    }
}

/// A text as one line: white space made one space, hidden characters replaced.
pub(crate) fn one_line(text: &str) -> String {
    printable(&joined(text))
}

/// A text in a code span, hidden characters replaced.
pub(super) fn span(text: &str) -> String {
    code(&printable(text)).unwrap_or_else(|| "` `".to_owned())
}

/// Lines of text in which no line opens a heading, a fence, a list or a comment of its own.
pub(super) fn paragraph(text: &str) -> String {
    let escaped = |line: &str| {
        let line = printable(line.trim());
        match opens_block(&line) {
            true => format!("\\{line}"),
            false => line,
        }
    };
    let lines: Vec<String> = text.trim().lines().map(escaped).collect();
    lines.join("\n")
}

/// Whether a line that begins so opens a block, or makes a heading of the line before.
pub(super) fn opens_block(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = digits.len() < line.len() && digits.starts_with(['.', ')']);
    let rest = line.trim_start_matches(['-', '*', '+', '_']);
    let is_mark = rest.len() < line.len() && (rest.is_empty() || rest.starts_with([' ', '\t']));
    let is_fence = line.starts_with("```") || line.starts_with("~~~");
    is_number || is_mark || is_fence || line.starts_with(['#', '>', '<', '='])
}

/// What stands in a section without entries.
pub(super) const NONE: &str = "None.";

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |block| match block {
            Block::Heading { level, text, .. } => format!("h{level} {text}"),
            Block::Entry(Entry {
                text, is_nested, ..
            }) => {
                format!("{} {text}", if is_nested { "nested" } else { "entry" })
            }
            Block::Code { line, .. } => format!("code {line}"),
            Block::Prose { text, .. } => format!("prose {text}"),
        };
        blocks(text).into_iter().map(shown).collect()
    }

    #[test]
    fn entries_are_taken_as_they_stand() {
        assert_eq!(
            shown("# A `b`\n\n- src/** and *x*\n- [x] `a`\n  more\n1. one\n\ntext\n* y\n"),
            [
                "h1 A b",
                "entry src/** and *x*",
                "entry `a` more",
                "entry one",
                "prose text",
                "entry y",
            ]
        );
        assert_eq!(
            shown("- a\n\n- b\n\n  second\n- c\n  - d\n<!-- - e -->\n- f\n"),
            ["entry a", "nested b second", "nested c - d", "entry f"]
        );
        assert_eq!(
            shown("```sh\na b\n\n# c\n```\n\n> - d\n"),
            ["code a b", "code # c", "prose > - d"]
        );
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "# A\n\n- [ ] über `x`\n";
        let at = |block: &Block| match block {
            Block::Entry(entry) => Some(entry.at),
            _ => None,
        };
        let found = blocks(text).iter().find_map(at).unwrap();
        assert!(text[found..].starts_with("über"));
    }

    #[test]
    fn what_is_written_opens_nothing() {
        let hostile = "# a\n```\n- b\n<!--\nplain\n===\n**bold**\n`x` y\u{202e}";
        let written = paragraph(hostile);
        let prose: Vec<String> = shown(&written);
        assert_eq!(prose.len(), 1, "{prose:?}");
        assert!(prose[0].starts_with("prose "), "{prose:?}");
        assert_eq!(one_line(" a\n  b\u{200b} "), "a b\u{fffd}");
        assert_eq!(span("a`b"), "``a`b``");
    }
}
