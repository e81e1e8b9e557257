//! What `divisi run` is asked to run: a plan file, or a workflow that is turned into a plan.
//!
//! A workflow is put together with its roles, templates and inputs once, before the run is created:
//! whatever is edited later changes the next run. Nothing of it is executed here.

use std::path::Path;

use divisi_core::diagnostic::Severity;
use divisi_core::{Commit, Diagnostic, Plan};
use divisi_engine::repo::Repo;
use divisi_pack::bundle::{self, Bundle, Calibration, Given};
use divisi_pack::workflow::{InputKind, Workflow};

use crate::cli::RunArgs;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::library::{Found, Library, LoadedRoles, LoadedTemplates, is_path};
use crate::printer::{Failure, Printer};

/// The input of a workflow that `--base` is.
const BASE: &str = "base";

/// What is to be run.
pub(super) enum Chosen {
    /// A plan, read from its file.
    Plan(Box<Plan>),
    /// A workflow with what it is put together with.
    Workflow(Box<Authored>),
}

/// A workflow as it was found, with the roles and templates that it may use.
pub(super) struct Authored {
    /// Where it stands.
    pub(super) found: Found,
    workflow: Workflow,
    roles: LoadedRoles,
    templates: LoadedTemplates,
}

impl Chosen {
    /// Reads what the command line names. What is no file and looks like none is a workflow.
    ///
    /// # Errors
    /// It is not there, or has faults; all of them were told.
    pub(super) fn find(
        args: &RunArgs,
        library: &Library,
        printer: &Printer,
    ) -> Result<Chosen, Failure> {
        let Some(name) = workflow_name(&args.plan) else {
            let flags = [
                ("--set", args.of_workflow.set.is_empty()),
                ("--targets", args.of_workflow.targets.is_empty()),
                ("--agent", args.of_workflow.agent.is_empty()),
            ];
            if let Some((flag, _)) = flags.iter().find(|(_, is_left_out)| !is_left_out) {
                let plan = args.plan.display();
                let cause = format!("{plan} is a plan, which takes no `{flag}`");
                let told = Diagnostic::error("run-plan-file", cause)
                    .hint("write it into the plan, or run a workflow: `divisi workflow list`");
                return Err(Failure::told(told, Exit::Usage));
            }
            let plan = crate::plan::read(&args.plan, printer)?;
            return Ok(Chosen::Plan(Box::new(plan)));
        };
        let found = library.find_workflow(name)?;
        let read = found.workflow();
        for diagnostic in &read.diagnostics {
            printer.diagnostic(diagnostic, found.text());
        }
        let workflow = read.workflow.ok_or(Failure::Reported(Exit::Usage))?;
        let (roles, templates) = (library.roles(), library.templates());
        roles.told(printer)?;
        for diagnostic in &templates.diagnostics {
            printer.diagnostic(diagnostic, None);
        }
        Ok(Chosen::Workflow(Box::new(Authored {
            found,
            workflow,
            roles,
            templates,
        })))
    }

    /// The revision that work starts from; HEAD if none is named.
    pub(super) fn start<'a>(&self, args: &'a RunArgs) -> Option<&'a str> {
        let is_input = match self {
            Chosen::Plan(_) => false,
            Chosen::Workflow(authored) => authored.takes_base(),
        };
        args.base.as_deref().filter(|_| !is_input)
    }
}

/// The name under which a workflow is looked up; `None` if a plan file is meant.
fn workflow_name(argument: &Path) -> Option<&str> {
    let name = argument.to_str()?;
    let is_yaml = is_path(name) && !name.ends_with('/') && (is_path_of_yaml(argument));
    let is_file = argument.exists() || is_path(name) || name == "-" || name.ends_with(".json");
    (is_yaml || !is_file).then_some(name)
}

fn is_path_of_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

impl Authored {
    /// Whether `--base` is its input, and not where work starts.
    fn takes_base(&self) -> bool {
        let mut inputs = self.workflow.inputs.iter();
        inputs.any(|input| input.name == BASE && input.kind == InputKind::Fork)
    }

    /// Puts it together for a run that stands on a commit. All faults are told at once.
    ///
    /// # Errors
    /// An input is missing or wrong, a role or a template is not there; it was told.
    pub(super) fn bundle(
        &self,
        args: &RunArgs,
        configuration: &Configuration,
        calibration: Calibration,
        (repo, base): (&Repo, &Commit),
        printer: &Printer,
    ) -> Result<Bundle, Failure> {
        let refused = || Failure::Reported(Exit::Usage);
        let roles = self.roles.roles.as_ref().ok_or_else(refused)?;
        let (inputs, mut diagnostics) = self.inputs(args, repo, base);
        let given = Given {
            inputs,
            targets: args.of_workflow.targets.clone(),
            agents: args.of_workflow.agent.clone(),
            calibration,
            ..configuration.given()
        };
        let assembled = bundle::assemble(&self.workflow, roles, &self.templates.layers(), &given);
        diagnostics.extend(assembled.diagnostics);
        for diagnostic in &diagnostics {
            self.tell(diagnostic, printer);
        }
        let is_refused = diagnostics.iter().any(|it| it.severity == Severity::Error);
        assembled.bundle.filter(|_| !is_refused).ok_or_else(refused)
    }

    /// Tells what is wrong, with the line that it points into.
    pub(super) fn tell(&self, diagnostic: &Diagnostic, printer: &Printer) {
        let place = diagnostic.place.as_ref();
        let is_own = place.is_some_and(|place| place.source == self.found.origin.path);
        let text = match is_own {
            true => self.found.text(),
            false => self.roles.text_of(diagnostic),
        };
        printer.diagnostic(diagnostic, text);
    }

    /// What it is given: revisions become commits, since a task's workspace knows no branches.
    fn inputs(
        &self,
        args: &RunArgs,
        repo: &Repo,
        base: &Commit,
    ) -> (Vec<(String, String)>, Vec<Diagnostic>) {
        let mut inputs = args.of_workflow.set.clone();
        if let Some(rev) = args.base.as_ref().filter(|_| self.takes_base()) {
            inputs.push((BASE.to_owned(), rev.clone()));
        }
        let (mut commits, mut diagnostics) = (Vec::new(), Vec::new());
        let forks = self.workflow.inputs.iter();
        for declared in forks.filter(|declared| declared.kind == InputKind::Fork) {
            let given = inputs.iter().rev().find(|(name, _)| *name == declared.name);
            let rev = given.map(|(_, rev)| rev.as_str());
            let rev = rev.or(declared.default.as_deref());
            let Some(rev) = rev.filter(|rev| !rev.is_empty()) else {
                continue;
            };
            match repo.fork(rev, base) {
                Ok(commit) => commits.push((declared.name.clone(), commit.to_string())),
                Err(fault) => diagnostics.push(fault.diagnostic()),
            }
        }
        inputs.extend(commits);
        (inputs, diagnostics)
    }
}
