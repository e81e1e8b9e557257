//! Evidence: what was seen, made safe to print and small enough to hand on.
//!
//! File names, file content and program output are written by agents. Before they become part of
//! a verdict, everything in them that a terminal would act upon is escaped.

use std::fmt;

use divisi_core::criterion::EVIDENCE_BYTES_MAX;

/// At most so many names are listed in one piece of evidence; the rest is counted.
const NAMES_MAX: usize = 8;

/// The text with every character escaped that a terminal or an editor would act upon: controls
/// other than newline and tab, and those that reorder or hide text.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn acts(c: char) -> bool {
    let controls = c.is_control() && !matches!(c, '\n' | '\t');
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hides = matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
    );
    controls || reorders || hides
}

/// The last part of a program's output that fits into evidence beside a sentence of ours.
pub(super) fn tail(text: &str) -> String {
    const BYTES_MAX: usize = EVIDENCE_BYTES_MAX - 500;
    let text = printable(text.trim_end());
    if text.len() <= BYTES_MAX {
        return text;
    }
    let mut start = text.len() - BYTES_MAX;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    format!("(cut) … {}", &text[start..])
}

/// A list of names for a sentence: the first few, then how many more.
pub(super) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let mut shown: Vec<String> = names.take(NAMES_MAX).map(|name| short(name, 120)).collect();
    if count > NAMES_MAX {
        shown.push(format!("and {} more", count - NAMES_MAX));
    }
    shown.join(", ")
}

/// A text on one line, with at most about `chars_max` characters.
pub(crate) fn short(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == chars_max {
            out.push('…');
            break;
        }
        if acts(c) || matches!(c, '\n' | '\t') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Formats a value of any size into at most about `chars_max` characters: the value's own
/// formatting is stopped when enough was written, so a message that quotes a whole document
/// costs nothing.
pub(crate) fn shown(value: &dyn fmt::Display, chars_max: usize) -> String {
    struct Bounded {
        text: String,
        bytes_max: usize,
    }
    impl fmt::Write for Bounded {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            let room = self.bytes_max.saturating_sub(self.text.len());
            if part.len() <= room {
                self.text.push_str(part);
                return Ok(());
            }
            let mut end = room;
            while !part.is_char_boundary(end) {
                end -= 1;
            }
            self.text.push_str(&part[..end]);
            Err(fmt::Error)
        }
    }
    let mut bounded = Bounded {
        text: String::new(),
        bytes_max: chars_max * 4,
    };
    let whole = fmt::write(&mut bounded, format_args!("{value}")).is_ok();
    let mut text = short(&bounded.text, chars_max);
    if !whole && !text.ends_with('…') {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_upon_is_left() {
        assert_eq!(printable("a\x1b[2Jb\r\n\tc"), "a\\u{1b}[2Jb\\u{d}\n\tc");
        assert_eq!(printable("user\u{202e}txt"), "user\\u{202e}txt");
        assert_eq!(short("a\nb\u{9b}c", 10), "a\\nb\\u{9b}c");
    }

    #[test]
    fn evidence_is_cut_where_it_is_long() {
        let text = tail(&format!("{}the end", "ü".repeat(5_000)));
        assert!(text.len() <= EVIDENCE_BYTES_MAX && text.ends_with("the end"));
        assert_eq!(short(&"x".repeat(50), 5), "xxxxx…");
        assert_eq!(shown(&"x".repeat(5_000_000), 5), "xxxxx…");
        let many: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let listed = names(many.iter().map(String::as_str));
        assert_eq!(listed, "0, 1, 2, 3, 4, 5, 6, 7, and 2 more");
    }
}
