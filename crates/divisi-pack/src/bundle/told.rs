//! What is wrong with an expansion. Nobody reads a thousand of them, so they are counted from a
//! number on: a pattern may match as many files as there are.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::{Place, Severity};

use crate::faults::{DIAGNOSTICS_MAX, more};

/// Errors and warnings, so far.
#[derive(Default)]
pub(super) struct Told {
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Told {
    /// Takes an error with hints.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        hints: &[&str],
        cause: impl FnOnce() -> String,
    ) {
        self.errors += 1;
        if self.errors <= DIAGNOSTICS_MAX {
            let diagnostic = Diagnostic::error(code, cause());
            self.push(diagnostic, place, hints);
        }
    }

    /// Takes a warning with hints.
    pub(super) fn warning(
        &mut self,
        code: &'static str,
        place: &Place,
        hints: &[&str],
        cause: impl FnOnce() -> String,
    ) {
        self.warnings += 1;
        if self.warnings <= DIAGNOSTICS_MAX {
            let diagnostic = Diagnostic::warning(code, cause());
            self.push(diagnostic, place, hints);
        }
    }

    fn push(&mut self, diagnostic: Diagnostic, place: &Place, hints: &[&str]) {
        let mut diagnostic = diagnostic.at(place.clone());
        diagnostic
            .hints
            .extend(hints.iter().map(|&hint| hint.to_owned()));
        self.found.push(diagnostic);
    }

    /// Whether an error is among them.
    pub(super) fn refuses(&self) -> bool {
        self.errors > 0
    }

    /// All that are shown; last ones count the others.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.extend(more(self.errors, Severity::Error));
        found.extend(more(self.warnings, Severity::Warning));
        found
    }
}
