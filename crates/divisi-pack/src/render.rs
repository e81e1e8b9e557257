//! Shows a diagnostic to a person: what, where with the source line and a caret, and what to do.
//!
//! Sources are hostile: escape codes, control characters and characters that reorder text are
//! replaced before anything reaches a terminal, and long lines are shown as a window around the
//! place. Color only ever adds to what the words say.

use std::fmt::Write as _;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::{Place, Severity};

/// How many characters of a long source line are shown.
const WINDOW: usize = 100;
/// How many of them stand before the place, at most.
const WINDOW_BEFORE: usize = 60;

/// The text with everything replaced that would steer a terminal or reorder what it shows:
/// tabs and line breaks by a space, other control and format characters by `�`.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if is_unprintable(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Whether a character shows nothing of itself but changes how others show.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

struct Paint {
    heading: &'static str,
    frame: &'static str,
    hint: &'static str,
    end: &'static str,
}

impl Paint {
    fn new(severity: Severity, color: bool) -> Paint {
        if !color {
            return Paint {
                heading: "",
                frame: "",
                hint: "",
                end: "",
            };
        }
        Paint {
            heading: match severity {
                Severity::Error => "\x1b[1;31m",
                Severity::Warning => "\x1b[1;33m",
            },
            frame: "\x1b[34m",
            hint: "\x1b[36m",
            end: "\x1b[0m",
        }
    }
}

/// The diagnostic as lines of text, each with a line break at its end.
///
/// With the text of its source, the line is shown with a caret beneath the place. `color` adds
/// escape codes of its own; none of the source's ever come through.
#[must_use]
pub fn render(diagnostic: &Diagnostic, source_text: Option<&str>, color: bool) -> String {
    let paint = Paint::new(diagnostic.severity, color);
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        out.write_fmt(text)
            .and_then(|()| out.write_char('\n'))
            .expect("writing to a string cannot fail");
    };
    line(format_args!(
        "{}{word}[{}]{}: {}",
        paint.heading,
        printable(&diagnostic.code),
        paint.end,
        printable(&diagnostic.cause)
    ));
    if let Some(place) = &diagnostic.place {
        let excerpt = source_text.and_then(|text| excerpt(place, text));
        let width = place.line.to_string().len();
        let indent = if excerpt.is_some() { width } else { 1 };
        let Paint { frame, end, .. } = paint;
        line(format_args!(
            "{:indent$}{frame}-->{end} {}",
            "",
            printable(&place.to_string())
        ));
        if let Some((shown, caret)) = excerpt {
            line(format_args!("{:width$} {frame}|{end}", ""));
            line(format_args!("{frame}{} |{end} {shown}", place.line));
            line(format_args!("{:width$} {frame}|{end} {:caret$}^", "", ""));
        }
    }
    for hint in &diagnostic.hints {
        let Paint { hint: on, end, .. } = paint;
        line(format_args!("{on}hint:{end} {}", printable(hint)));
    }
    out
}

/// The part of the source line around the place, and how many characters stand before the caret.
fn excerpt(place: &Place, text: &str) -> Option<(String, usize)> {
    if place.line == 0 || place.column == 0 {
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.split('\n').nth(place.line as usize - 1)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let before = place.column as usize - 1;
    let skipped = match line.chars().nth(WINDOW) {
        Some(_) => before.saturating_sub(WINDOW_BEFORE),
        None => 0,
    };
    let mut rest = line.chars().skip(skipped);
    let window: String = rest.by_ref().take(WINDOW).collect();
    let mut shown = String::new();
    let mut caret = before - skipped;
    if skipped > 0 {
        shown.push('…');
        caret += 1;
    }
    shown.push_str(&printable(&window));
    if rest.next().is_some() {
        shown.push('…');
    }
    Some((shown.trim_end().to_owned(), caret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32) -> Diagnostic {
        Diagnostic::error("plan-cycle", "tasks wait for each other: a → b → a")
            .at(Place {
                source: "plan.json".into(),
                line,
                column,
            })
            .hint("take one of the dependencies out")
    }

    #[test]
    fn a_diagnostic_shows_the_line_and_a_caret() {
        let source = "{\n\t\"dependencies\": [\"b\"]\n}";
        assert_eq!(
            render(&at(2, 19), Some(source), false),
            "\
error[plan-cycle]: tasks wait for each other: a → b → a
 --> plan.json:2:19
  |
2 |  \"dependencies\": [\"b\"]
  |                   ^
hint: take one of the dependencies out
"
        );
        assert_eq!(
            render(&at(2, 19), None, false),
            "\
error[plan-cycle]: tasks wait for each other: a → b → a
 --> plan.json:2:19
hint: take one of the dependencies out
"
        );
    }

    #[test]
    fn a_long_line_is_shown_as_a_window() {
        let source = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let rendered = render(&at(1, 5_001), Some(&source), false);
        let expected = format!(
            "1 | …{}X{}…\n  | {:61}^\n",
            "a".repeat(60),
            "b".repeat(39),
            ""
        );
        assert!(rendered.contains(&expected), "{rendered}");
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let hostile = "\x1b[2J\x07\u{202e}\u{9b}31m\r\x08\u{200b}";
        let diagnostic = Diagnostic::error(hostile, hostile)
            .at(Place {
                source: hostile.into(),
                line: 1,
                column: 3,
            })
            .hint(hostile);
        let rendered = render(&diagnostic, Some(hostile), false);
        let steering = |c: char| c != '\n' && is_unprintable(c);
        assert_eq!(rendered.chars().find(|&c| steering(c)), None);
        assert_eq!(rendered.lines().count(), 6, "{rendered}");
    }

    #[test]
    fn color_only_adds() {
        let source = "abc";
        let plain = render(&at(1, 2), Some(source), false);
        let mut colored = render(&at(1, 2), Some(source), true);
        assert!(colored.starts_with("\x1b[1;31merror[plan-cycle]\x1b[0m: "));
        for code in ["\x1b[1;31m", "\x1b[34m", "\x1b[36m", "\x1b[0m"] {
            colored = colored.replace(code, "");
        }
        assert_eq!(colored, plain);
    }

    #[test]
    fn a_place_that_is_not_in_the_source_is_named_without_a_line() {
        let rendered = render(&at(9, 9), Some("short"), false);
        assert!(rendered.contains("--> plan.json:9:9\nhint"), "{rendered}");
    }
}
