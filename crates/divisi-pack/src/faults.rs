//! Collects everything that is wrong with one text, and turns offsets into lines and columns.
//!
//! No fault ends the reading: whoever wrote the text learns all of them at once. What is shown is
//! capped, errors and warnings each for themselves, so that warnings never crowd out errors.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::{Place, Severity};

use crate::codes;
use crate::nearest::Nearest;
use crate::render::printable;

/// How many errors, and how many warnings, of one text are shown. Nobody reads more before
/// mending the first ones.
pub(crate) const DIAGNOSTICS_MAX: usize = 100;

/// Characters are counted from marks so many bytes apart: a hostile text is one long line, and a
/// place is asked for at each of its values.
const MARK_BYTES: usize = 1 << 10;

/// Names quoted from a hostile text are cut to so many characters.
const SHOWN_CHARS_MAX: usize = 60;

/// A name out of the text, in backquotes, cut and without control characters.
pub(crate) fn shown(name: &str) -> String {
    let mut cut: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    if cut.len() < name.len() {
        cut.push('…');
    }
    format!("`{}`", printable(&cut))
}

/// What is wrong with one text, so far.
pub(crate) struct Faults<'t> {
    source_name: &'t str,
    text: &'t str,
    found: Vec<(usize, Diagnostic)>,
    errors: usize,
    warnings: usize,
    lines: Option<Vec<usize>>,
    /// Characters before every [`MARK_BYTES`]th byte.
    marks: Option<Vec<usize>>,
    nearest: Nearest,
}

/// A fault just collected, to which hints can be added; nothing if the cap was reached.
pub(crate) struct Recorded<'f>(Option<&'f mut Diagnostic>);

impl Recorded<'_> {
    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(diagnostic) = &mut self.0 {
            diagnostic.hints.push(hint.into());
        }
        self
    }

    /// Adds the name that was probably meant, if there is one.
    pub(crate) fn meant(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.hint(format!("did you mean {}?", shown(name))),
            None => self,
        }
    }
}

impl<'t> Faults<'t> {
    pub(crate) fn new(source_name: &'t str, text: &'t str) -> Faults<'t> {
        Faults {
            source_name,
            text,
            found: Vec::new(),
            errors: 0,
            warnings: 0,
            lines: None,
            marks: None,
            nearest: Nearest::new(),
        }
    }

    /// Collects an error at a byte offset of the text. The cause is only written if it is shown.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        at: usize,
        cause: impl FnOnce() -> String,
    ) -> Recorded<'_> {
        self.errors += 1;
        if self.errors > DIAGNOSTICS_MAX {
            return Recorded(None);
        }
        self.record(at, Diagnostic::error(code, cause()))
    }

    /// Collects a warning at a byte offset of the text.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        at: usize,
        cause: impl FnOnce() -> String,
    ) -> Recorded<'_> {
        self.warnings += 1;
        if self.warnings > DIAGNOSTICS_MAX {
            return Recorded(None);
        }
        self.record(at, Diagnostic::warning(code, cause()))
    }

    fn record(&mut self, at: usize, diagnostic: Diagnostic) -> Recorded<'_> {
        self.found.push((at, diagnostic));
        Recorded(self.found.last_mut().map(|(_, diagnostic)| diagnostic))
    }

    /// Whether further errors are only counted, so that their details need not be worked out.
    pub(crate) fn is_full(&self) -> bool {
        self.errors >= DIAGNOSTICS_MAX
    }

    /// Counts an error whose details are not worked out; only after [`Faults::is_full`].
    pub(crate) fn count_error(&mut self) {
        debug_assert!(self.is_full(), "an uncounted error would not be shown");
        self.errors += 1;
    }

    /// How many errors were found, shown or not.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The known name nearest to `name`; `None` without looking once the cap is reached.
    pub(crate) fn nearest<'c>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        if self.is_full() {
            return None;
        }
        self.nearest.find(name, candidates)
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&mut self, at: usize) -> usize {
        let text = self.text;
        let starts = self.lines.get_or_insert_with(|| line_starts(text));
        starts.partition_point(|&start| start <= at)
    }

    /// The place of a byte offset.
    pub(crate) fn place(&mut self, at: usize) -> Place {
        let at = floor_char(self.text, at);
        let line = self.line(at);
        let start = self.lines.as_ref().map_or(0, |starts| starts[line - 1]);
        let column = self.chars_before(at) - self.chars_before(start) + 1;
        Place {
            source: self.source_name.to_owned(),
            line: line as u32,
            column: column as u32,
        }
    }

    fn chars_before(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let chars = |bytes: &[u8]| bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count();
        let marks = self.marks.get_or_insert_with(|| {
            let counts = bytes.chunks(MARK_BYTES).map(chars);
            let sums = counts.scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            });
            std::iter::once(0).chain(sums).collect()
        });
        let mark = at / MARK_BYTES;
        marks[mark] + chars(&bytes[mark * MARK_BYTES..at])
    }

    /// All diagnostics in the order of the text; a last one counts those that are not shown.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|(at, _)| *at);
        let mut diagnostics = Vec::with_capacity(found.len() + 1);
        for (at, diagnostic) in found {
            let place = self.place(at);
            diagnostics.push(diagnostic.at(place));
        }
        diagnostics.extend(more(self.errors, Severity::Error));
        diagnostics.extend(more(self.warnings, Severity::Warning));
        diagnostics
    }
}

/// How many are not shown, if any are not.
pub(crate) fn more(count: usize, severity: Severity) -> Option<Diagnostic> {
    let hidden = count
        .checked_sub(DIAGNOSTICS_MAX)
        .filter(|&hidden| hidden > 0)?;
    let diagnostic = match severity {
        Severity::Error => Diagnostic::error(codes::MORE, format!("{hidden} more errors")),
        Severity::Warning => Diagnostic::warning(codes::MORE, format!("{hidden} more warnings")),
    };
    Some(diagnostic.hint("mend those shown first"))
}

fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}
