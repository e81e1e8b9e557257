//! Text from files, made harmless for a document and for a shell.

use divisi_pack::printable;

/// A text without anything that steers a terminal, of at most so many characters.
pub(crate) fn bounded(text: &str, chars_max: usize) -> String {
    let text = printable(text.trim());
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(chars_max).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Code within a line of Markdown, as it is: one backtick more than stand in a row in it begins and
/// ends the span, so nothing in it does (CommonMark, *Code spans*).
pub(crate) fn code(text: &str, chars_max: usize) -> String {
    let text = bounded(text, chars_max);
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    match text.trim() {
        "" => String::new(),
        text if fence.len() == 1 => format!("`{text}`"),
        text => format!("{fence} {text} {fence}"),
    }
}

/// Prose within a line of Markdown: nothing in it is markup.
pub(crate) fn prose(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for c in bounded(text, chars_max).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '&' | '~' | '$'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_is_left() {
        assert_eq!(bounded("a\x1b[2Jb\u{202e}", 9), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(bounded("abcd", 3), "abc…");
        assert_eq!(code("a `b` ``` c\n# d", 99), "```` a `b` ``` c # d ````");
        assert_eq!(code("`", 9), "`` ` ``");
        assert_eq!(code(" \t", 9), "");
        assert_eq!(prose("[a](b) <c>", 99), r"\[a\](b) \<c\>");
    }
}
