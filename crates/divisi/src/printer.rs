//! The one printer: data to stdout, everything else to stderr.
//!
//! What is printed is made of [`Line`]s: pieces of text, each with a style. A piece is made
//! printable when it is printed, so no escape code of a plan, an agent or a file ever reaches a
//! terminal, whoever forgot to think of it. Styles become color only where color is wanted; what
//! is said never depends on it.
//!
//! When nobody reads stdout any more, printing returns [`Failure::Closed`] and the command ends
//! quietly.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Severity;
use divisi_core::journal::Fault;
use divisi_pack::{printable, render};
use serde::Serialize;

use crate::cli::{Color, Global};
use crate::exit::Exit;

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This is to be told, and the process ends with this code.
    Told(Box<Diagnostic>, Exit),
    /// Everything was told already; the process ends with this code.
    Reported(Exit),
    /// Nobody reads the output any more.
    Closed,
}

impl Failure {
    /// A failure with its diagnostic.
    pub(crate) fn told(diagnostic: Diagnostic, exit: Exit) -> Failure {
        Failure::Told(Box::new(diagnostic), exit)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::told(divisi_store::diagnostic(&fault), Exit::Environment)
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

/// How a piece of text looks where color is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// A heading, a name that is looked for.
    Bold,
    /// Less important.
    Dim,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Somebody should look.
    Warn,
    /// It is under way, or something to type.
    Note,
}

impl Style {
    fn codes(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "\x1b[1m",
            Style::Dim => "\x1b[2m",
            Style::Good => "\x1b[32m",
            Style::Bad => "\x1b[31m",
            Style::Warn => "\x1b[33m",
            Style::Note => "\x1b[36m",
        }
    }
}

/// A line of output: pieces of text with styles. Line breaks within become spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pieces: Vec<(Style, String)>,
}

impl Line {
    /// A line of plain text.
    pub(crate) fn of(text: impl Into<String>) -> Line {
        Line::default().then(text)
    }

    /// A line that begins with a styled piece.
    pub(crate) fn styled(style: Style, text: impl Into<String>) -> Line {
        Line::default().with(style, text)
    }

    /// The line with more plain text at its end.
    pub(crate) fn then(self, text: impl Into<String>) -> Line {
        self.with(Style::Plain, text)
    }

    /// The line with a styled piece at its end.
    pub(crate) fn with(mut self, style: Style, text: impl Into<String>) -> Line {
        self.pieces.push((style, text.into()));
        self
    }

    /// How many characters it shows.
    pub(crate) fn width(&self) -> usize {
        self.pieces
            .iter()
            .map(|(_, text)| text.chars().count())
            .sum()
    }

    /// The line filled with spaces to a width.
    pub(crate) fn padded(self, width: usize) -> Line {
        let missing = width.saturating_sub(self.width());
        self.then(" ".repeat(missing))
    }

    /// The line with another's pieces at its end.
    pub(crate) fn join(mut self, other: Line) -> Line {
        self.pieces.extend(other.pieces);
        self
    }

    /// The line as it is printed: nothing hostile in it, without trailing spaces.
    pub(crate) fn render(&self, color: bool) -> String {
        let mut out = String::new();
        for (style, text) in &self.pieces {
            let text = printable(text);
            let codes = if color { style.codes() } else { "" };
            if codes.is_empty() || text.is_empty() {
                out.push_str(&text);
            } else {
                out.push_str(codes);
                out.push_str(&text);
                out.push_str("\x1b[0m");
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out
    }
}

/// Prints for one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    silent: bool,
    color_out: bool,
    color_err: bool,
}

impl Printer {
    /// A printer for work beside a command: it says nothing, faults included.
    pub(crate) fn silent() -> Printer {
        Printer {
            json: false,
            quiet: true,
            silent: true,
            color_out: false,
            color_err: false,
        }
    }

    /// A printer as the flags and the environment ask for it.
    pub(crate) fn new(global: &Global) -> Printer {
        let wanted = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => auto_color(|name| env::var_os(name).is_some_and(|v| !v.is_empty()))
                .unwrap_or(is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb")),
        };
        Printer {
            json: global.json,
            quiet: global.quiet,
            silent: false,
            color_out: wanted(io::stdout().is_terminal()),
            color_err: wanted(io::stderr().is_terminal()),
        }
    }

    /// Whether only data and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether standard error is colored.
    pub(crate) fn color_err(&self) -> bool {
        self.color_err
    }

    /// Whether JSON is asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of data.
    pub(crate) fn line(&self, line: &Line) -> Result<(), Failure> {
        self.lines(std::slice::from_ref(line))
    }

    /// Prints lines of data.
    pub(crate) fn lines(&self, lines: &[Line]) -> Result<(), Failure> {
        let mut text = String::new();
        for line in lines {
            text.push_str(&line.render(self.color_out));
            text.push('\n');
        }
        self.write(text.as_bytes())
    }

    /// Prints a text of several lines; each is made printable.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let lines: Vec<Line> = text.lines().map(Line::of).collect();
        self.lines(&lines)
    }

    /// Prints a script that was made from our own words only.
    pub(crate) fn script(&self, text: &str) -> Result<(), Failure> {
        self.write(text.as_bytes())
    }

    /// Prints a JSON document over several lines.
    pub(crate) fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).expect("documents are plain data");
        self.write((json_printable(&text) + "\n").as_bytes())
    }

    /// Prints a JSON object as one line.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).expect("documents are plain data");
        self.write((json_printable(&text) + "\n").as_bytes())
    }

    /// Says something beside the data, unless asked to be quiet or for JSON.
    pub(crate) fn note(&self, line: &Line) {
        if !self.quiet && !self.json {
            // Where stderr is gone, nobody can be told so.
            let _ = writeln!(io::stderr().lock(), "{}", line.render(self.color_err));
        }
    }

    /// Says what a person needs to know to answer a question, also where notes are unwanted.
    pub(crate) fn question(&self, lines: &[Line]) {
        for line in lines {
            // Where stderr is gone, nobody will answer.
            let _ = writeln!(io::stderr().lock(), "{}", line.render(self.color_err));
        }
    }

    /// Tells an error, or, unless asked to be quiet, a warning; with the text of its source, the
    /// line is shown. With `--json`, as one JSON object a line.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic, source: Option<&str>) {
        if !self.silent && (!self.quiet || diagnostic.severity == Severity::Error) {
            self.finding(diagnostic, source);
        }
    }

    /// Tells a diagnostic that was asked for: also a warning is what the command is to find.
    pub(crate) fn finding(&self, diagnostic: &Diagnostic, source: Option<&str>) {
        let text = if self.json {
            let text = serde_json::to_string(diagnostic).expect("diagnostics are plain data");
            json_printable(&text) + "\n"
        } else {
            render(diagnostic, source, self.color_err)
        };
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)
            .and_then(|()| out.flush())
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => Failure::Closed,
                _ => Failure::told(
                    Diagnostic::error("output-failed", format!("printing to stdout: {error}"))
                        .hint("free some space, or print somewhere else"),
                    Exit::Environment,
                ),
            })
    }
}

/// The JSON text with everything escaped that would steer a terminal or reorder what it shows.
/// JSON itself escapes only the first 32 characters; others can stand in strings alone.
fn json_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        if (' '..'\u{7f}').contains(&c) || c == '\n' {
            out.push(c);
            continue;
        }
        let one = c.encode_utf8(&mut buffer);
        if printable(one) == *one {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// What the environment says about color; `None` if nothing.
fn auto_color(is_set: impl Fn(&str) -> bool) -> Option<bool> {
    if is_set("NO_COLOR") {
        return Some(false);
    }
    is_set("CLICOLOR_FORCE").then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_is_rendered_and_color_only_adds() {
        let line = Line::styled(Style::Bad, "a\x1b[2J")
            .then("\u{202e}b\nc")
            .with(Style::Dim, "");
        assert_eq!(line.render(false), "a\u{fffd}[2J\u{fffd}b c");
        assert_eq!(line.render(true), "\x1b[31ma\u{fffd}[2J\x1b[0m\u{fffd}b c");
    }

    #[test]
    fn json_stays_the_same_value_and_becomes_harmless() {
        let hostile = "\u{9b}31m \u{202e} \u{7f} \u{e0041} grün \x1b[2J";
        let text = json_printable(&serde_json::to_string(hostile).unwrap());
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
        assert_eq!(printable(&text), text);
        assert!(text.contains("grün"), "{text}");
    }

    #[test]
    fn a_line_is_padded_by_what_it_shows() {
        let line = Line::styled(Style::Good, "grün").padded(6).then("|");
        assert_eq!(line.render(false), "grün  |");
        assert_eq!(Line::of("a").padded(9).render(false), "a");
    }

    #[test]
    fn the_environment_can_refuse_and_force_color() {
        let of = |names: &'static [&'static str]| auto_color(move |name| names.contains(&name));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["NO_COLOR"]), Some(false));
        assert_eq!(of(&["CLICOLOR_FORCE"]), Some(true));
        assert_eq!(of(&["NO_COLOR", "CLICOLOR_FORCE"]), Some(false));
    }
}
