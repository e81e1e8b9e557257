//! `divisi plan lint`: what is wrong with a plan before anything is spent on it.
//!
//! The plan of a run is held against what that run is for. While a run's task has still to plan it,
//! there is none: the task is no plan of what was asked for.

use std::path::Path;

use divisi_core::diagnostic::Severity;
use divisi_core::intent::Planner;
use divisi_core::run::explain::explain;
use divisi_core::run::{AttemptEnd, Failure as Failed, Run};
use divisi_core::{Diagnostic, Intent, TaskNo};
use divisi_pack::lint::{self, Given};
use divisi_pack::planner;
use divisi_pack::request::{self, Request};
use serde_json::json;

use super::given::Gathered;
use super::kept::{Named, then};
use crate::cli::Global;
use crate::cli::plan::Lint;
use crate::exit::Exit;
use crate::library::has_error;
use crate::loaded;
use crate::plan;
use crate::plan_record;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::{self, heading, plural};

/// Lints it.
pub(super) fn run(args: &Lint, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let gathered = Gathered::look(&project, printer)?;
    let said = args.request.as_deref();
    let found = match Named::of(&args.plan) {
        Named::File(path) => {
            let request = said.map(request::read);
            Found::of(&path, &gathered.given(request.as_ref()), printer)?
        }
        Named::Run(run) => {
            let (_, run) = loaded::open(global, Some(run))?;
            if run.plans_whole(TaskNo(0)) {
                return Err(unmade(&run, &project, printer)?);
            }
            Found::of_run(&run, said, &gathered)
        }
        Named::Revision(run, number) => {
            let run = then(run, number, global)?;
            Found::of_run(&run, said, &gathered)
        }
    };
    found.told(printer)
}

/// Tells what was found in the last plan that was made for a run, which is there no more, and says
/// why the run has none.
fn unmade(run: &Run, project: &Project, printer: &Printer) -> Result<Failure, Failure> {
    let task = &run.tasks()[0];
    let refused = task.endings.last().map(|ending| {
        let faults = match &ending.end {
            AttemptEnd::Refused(Failed::Plan(faults)) => faults.clone(),
            _ => vec![ending.words()],
        };
        (ending, faults)
    });
    if printer.is_json() {
        let refused = refused.as_ref().map(|(ending, faults)| {
            json!({ "attempt": ending.number, "faults": faults, "advice": ending.advice })
        });
        printer.document(&json!({ "planned": false, "refused": refused }))?;
    } else if let Some((ending, faults)) = &refused {
        let id = &task.spec.id;
        let head = format!(
            "what attempt {} of {id} planned was not taken",
            ending.number
        );
        printer.line(&heading(head))?;
        let said = |style, what: &str, of: &[String]| -> Vec<Line> {
            let said = of.iter();
            said.map(|it| Line::styled(style, format!("  {what:<8}")).then(it))
                .collect()
        };
        printer.lines(&said(Style::Bad, "fault", faults))?;
        printer.lines(&said(Style::Warn, "advice", &ending.advice))?;
    }
    let shared = loaded::shared(&project.view()?, run.id)?;
    let told = explain(run, TaskNo(0), words::now(), &shared);
    let told = told.expect("a plan has a task");
    let why = told.causes.first().map_or("", String::as_str);
    let id = &task.spec.id;
    let cause = format!("{} has no plan yet, {id} is to make it: {why}", run.id);
    let mut diagnostic = Diagnostic::error("planning-unmade", cause);
    for command in &told.commands {
        diagnostic = diagnostic.hint(format!("`{command}`"));
    }
    Ok(Failure::told(diagnostic, Exit::Refused))
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
            sizes: self.sizes(),
        }
    }
}

/// What was found, beside the text that it points at.
pub(super) struct Found {
    pub(super) diagnostics: Vec<Diagnostic>,
    text: String,
}

impl Found {
    fn of(path: &Path, given: &Given<'_>, printer: &Printer) -> Result<Found, Failure> {
        if path.is_dir() {
            let plan = crate::folder::plan(path, printer)?;
            return Ok(Found::of_plan(&path.to_string_lossy(), &plan, given));
        }
        let bytes = plan::bytes(path)?;
        Ok(Found::of_file(&path.to_string_lossy(), &bytes, given))
    }

    /// What is found in a file.
    pub(super) fn of_file(name: &str, bytes: &[u8], given: &Given<'_>) -> Found {
        Found {
            diagnostics: lint::read(name, bytes, given).diagnostics,
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// What is found in the plan of a run, beside its intent unless another request is named.
    fn of_run(run: &Run, request: Option<&str>, gathered: &Gathered) -> Found {
        let said = request.or(run.intent.as_deref().map(Intent::request));
        let request = said.map(request::read);
        let given = gathered.given(request.as_ref());
        let author = match run.planner() {
            Some(_) => lint::Author::Agent,
            None => given.author,
        };
        let given = Given { author, ..given };
        let plan = plan_record::in_force(run);
        Found::of_plan(&run.id.to_string(), &plan, &given).for_run(run)
    }

    fn of_plan(name: &str, plan: &divisi_core::Plan, given: &Given<'_>) -> Found {
        let linted = lint::plan(name, plan, given);
        Found {
            diagnostics: linted.diagnostics,
            text: linted.text,
        }
    }

    /// Of the plan of this run, which may be a workflow's.
    pub(super) fn for_run(mut self, run: &Run) -> Found {
        let planner = run.intent.as_deref().map(|it| &it.planner);
        if let Some(Planner::Workflow(_)) = planner {
            planner::take_as_workflow(&mut self.diagnostics);
        }
        self
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
