//! `divisi plan lint`: what is wrong with a plan before anything is spent on it.

use std::path::Path;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Severity;
use divisi_pack::lint::{self, Given};
use divisi_pack::request::{self, Request};
use serde_json::json;

use super::given::Gathered;
use super::kept::{Named, of_run};
use crate::cli::Global;
use crate::cli::plan::Lint;
use crate::exit::Exit;
use crate::library::has_error;
use crate::plan;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::plural;

/// Lints it.
pub(super) fn run(args: &Lint, global: &Global, printer: &Printer) -> Outcome {
    let gathered = Gathered::look(&Project::find(global)?, printer)?;
    let request = args.request.as_deref().map(request::read);
    let found = Found::of(
        &args.plan,
        &gathered.given(request.as_ref()),
        global,
        printer,
    )?;
    found.told(printer)
}

impl Gathered {
    /// What a person's plan is held against.
    pub(super) fn given<'g>(&'g self, request: Option<&'g Request>) -> Given<'g> {
        Given {
            request,
            roles: Some(self.roles()),
            files: Some(self.files()),
            budget: self.budget(),
            author: lint::Author::Person,
        }
    }
}

/// What was found, beside the text that it points at.
pub(super) struct Found {
    pub(super) diagnostics: Vec<Diagnostic>,
    text: String,
}

impl Found {
    fn of(
        plan: &Path,
        given: &Given<'_>,
        global: &Global,
        printer: &Printer,
    ) -> Result<Found, Failure> {
        match Named::of(plan) {
            Named::File(path) if path.is_dir() => {
                let plan = crate::folder::plan(&path, printer)?;
                Ok(Found::of_plan(&path.to_string_lossy(), &plan, given))
            }
            Named::File(path) => {
                let bytes = plan::bytes(&path)?;
                Ok(Found::of_file(&path.to_string_lossy(), &bytes, given))
            }
            Named::Run(run) => {
                let plan = of_run(run, global)?;
                Ok(Found::of_plan(&run.to_string(), &plan, given))
            }
        }
    }

    /// What is found in a file.
    pub(super) fn of_file(name: &str, bytes: &[u8], given: &Given<'_>) -> Found {
        Found {
            diagnostics: lint::read(name, bytes, given).diagnostics,
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    fn of_plan(name: &str, plan: &divisi_core::Plan, given: &Given<'_>) -> Found {
        let linted = lint::plan(name, plan, given);
        Found {
            diagnostics: linted.diagnostics,
            text: linted.text,
        }
    }

    /// Whether a fault is among them.
    pub(super) fn is_faulty(&self) -> bool {
        has_error(&self.diagnostics)
    }

    /// Tells all of them.
    pub(super) fn tell(&self, printer: &Printer) {
        for diagnostic in &self.diagnostics {
            printer.finding(diagnostic, Some(&self.text));
        }
    }

    fn told(&self, printer: &Printer) -> Outcome {
        let count = |severity: Severity| {
            let of = self.diagnostics.iter().filter(|it| it.severity == severity);
            of.count() as u64
        };
        let (faults, advice) = (count(Severity::Error), count(Severity::Warning));
        if printer.is_json() {
            printer.document(&json!({
                "faults": faults,
                "warnings": advice,
                "findings": self.diagnostics,
            }))?;
        } else {
            self.tell(printer);
            let line = match (faults, advice) {
                (0, 0) => Line::styled(Style::Good, "nothing is wrong with it"),
                (0, advice) => {
                    Line::styled(Style::Good, "no fault, ").then(plural(advice, "warning"))
                }
                (faults, advice) => Line::styled(Style::Bad, plural(faults, "fault"))
                    .then(format!(", {}", plural(advice, "warning"))),
            };
            printer.line(&line)?;
        }
        match self.is_faulty() {
            true => Ok(Exit::Failed),
            false => Ok(Exit::Success),
        }
    }
}
