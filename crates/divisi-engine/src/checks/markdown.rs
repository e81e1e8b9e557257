//! Markdown: sections and form. Headings come from a real parser, so that what stands in a code
//! fence is code.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::evaluate::{Checked, fails, utf8};
use super::evidence::{names, short};
use crate::files::Files;

/// A document that people are meant to read is smaller than this.
pub const MARKDOWN_BYTES_MAX: u64 = 2 << 20;

/// A heading and what was seen beneath it.
struct Heading {
    level: u8,
    text: String,
    filled: bool,
}

pub(super) fn section(files: &dyn Files, path: &str, heading: &str) -> Checked {
    let text = utf8(files, path, MARKDOWN_BYTES_MAX)?;
    let wanted = one_spaced(heading);
    let found = headings(&text);
    let mut named = found.iter().filter(|h| h.text == wanted).peekable();
    let (path, heading) = (short(path, 200), short(heading, 200));
    if named.peek().is_some() {
        if named.any(|h| h.filled) {
            return Ok(());
        }
        return fails(format!(
            "the section \"{heading}\" of {path} is empty; something beneath its heading is \
             expected"
        ));
    }
    let has = match found.is_empty() {
        true => "it has no heading".to_owned(),
        false => format!("it has: {}", names(found.iter().map(|h| h.text.as_str()))),
    };
    fails(format!("no heading \"{heading}\" in {path}; {has}"))
}

pub(super) fn format(files: &dyn Files, path: &str) -> Checked {
    let text = utf8(files, path, MARKDOWN_BYTES_MAX)?;
    let path = short(path, 200);
    if let Some(line) = unclosed_fence(&text) {
        return fails(format!(
            "the code fence in line {line} of {path} is not closed"
        ));
    }
    if headings(&text).is_empty() {
        return fails(format!(
            "{path} has no heading; Markdown with at least one is expected"
        ));
    }
    Ok(())
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// All headings in order. One is filled if text, code or an image stands beneath it before the
/// next heading of its level or a higher one; sub-headings alone and comments do not fill it.
fn headings(text: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    // Indexes of the headings whose sections are open and still empty, outermost first.
    let mut empty: Vec<usize> = Vec::new();
    let mut inside: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let level = level as u8;
                empty.retain(|&at| found[at].level < level);
                empty.push(found.len());
                found.push(Heading {
                    level,
                    text: String::new(),
                    filled: false,
                });
                inside = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                if let (Some(text), Some(last)) = (inside.take(), found.last_mut()) {
                    last.text = one_spaced(&text);
                }
            }
            Event::Text(part) | Event::Code(part) => match &mut inside {
                Some(text) => text.push_str(&part),
                None if part.trim().is_empty() => {}
                None => fill(&mut found, &mut empty),
            },
            Event::SoftBreak | Event::HardBreak => {
                if let Some(text) = &mut inside {
                    text.push(' ');
                }
            }
            Event::Start(Tag::Image { .. }) if inside.is_none() => fill(&mut found, &mut empty),
            Event::InlineHtml(html) | Event::Html(html)
                if inside.is_none()
                    && !html.trim().is_empty()
                    && !html.trim_start().starts_with("<!--") =>
            {
                fill(&mut found, &mut empty);
            }
            _ => {}
        }
    }
    found
}

fn fill(found: &mut [Heading], empty: &mut Vec<usize>) {
    for at in empty.drain(..) {
        found[at].filled = true;
    }
}

/// The line of a code fence that the end of the document, or of the quotation or list around it,
/// closed instead of a fence.
fn unclosed_fence(text: &str) -> Option<usize> {
    let around = [' ', '\t', '>'];
    for (event, range) in Parser::new(text).into_offset_iter() {
        let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) = event else {
            continue;
        };
        let mut lines = text[range.clone()].trim_end().lines();
        let opening = lines.next().unwrap_or_default();
        let opening = opening.trim_start_matches(around);
        let mark = opening.chars().next().unwrap_or('`');
        let width = opening.chars().take_while(|&c| c == mark).count();
        let closed = lines.next_back().is_some_and(|last| {
            let last = last.trim_start_matches(around).trim_end();
            last.len() >= width && last.chars().all(|c| c == mark)
        });
        if !closed {
            return Some(1 + text[..range.start].matches('\n').count());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Vec<(String, bool)> {
        headings(text)
            .into_iter()
            .map(|h| (h.text, h.filled))
            .collect()
    }

    #[test]
    fn a_section_is_filled_by_what_a_reader_sees() {
        let text =
            "# A\n\n## B *b* `c`\n\n### C\ntext\n## D\n<!-- later -->\n## E\n\n```\n# no\n```\n";
        let expected = [
            ("A", true),
            ("B b c", true),
            ("C", true),
            ("D", false),
            ("E", true),
        ];
        let expected: Vec<(String, bool)> = expected
            .iter()
            .map(|(t, f)| ((*t).to_owned(), *f))
            .collect();
        assert_eq!(filled(text), expected);
        assert_eq!(
            filled("# A\n# B\n"),
            [("A".into(), false), ("B".into(), false)]
        );
        assert_eq!(
            filled("Title\n=====\n\n![x](y)\n"),
            [("Title".into(), true)]
        );
    }

    #[test]
    fn unclosed_fences_are_found_where_they_open() {
        assert_eq!(unclosed_fence("# A\n\n```rust\nfn x() {}\n```\n"), None);
        assert_eq!(unclosed_fence("# A\n\n```rust\nfn x() {}\n"), Some(3));
        assert_eq!(unclosed_fence("~~~~\n~~~\n"), Some(1));
        assert_eq!(unclosed_fence("````\n```\n````\n"), None);
        assert_eq!(unclosed_fence("> ```\n> a\n> ```\n"), None);
        assert_eq!(unclosed_fence("- ```\n  a\n  ```\n"), None);
        assert_eq!(unclosed_fence("> ```\n> a\n\nafter\n"), Some(1));
        assert_eq!(unclosed_fence("```"), Some(1));
    }
}
