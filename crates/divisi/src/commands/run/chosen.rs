//! What `divisi run` is asked to run: a plan file, or a workflow that is turned into a plan.
//!
//! A workflow is put together with its roles, templates and inputs once, before the run is created:
//! whatever is edited later changes the next run. Nothing of it is executed here.

use std::path::{Path, PathBuf};

use divisi_core::{Diagnostic, Plan};
use divisi_pack::config;
use divisi_pack::workflow::{InputKind, Workflow};

use crate::authored::Authored;
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::library::{Library, is_path, is_yaml};
use crate::printer::{Failure, Line, Printer};
use crate::project::Project;

/// The input of a workflow that `--base` is.
const BASE: &str = "base";

/// What is to be run.
pub(super) enum Chosen {
    /// A plan, read from its file.
    Plan(Box<Plan>),
    /// A workflow with what it is put together with.
    Workflow(Box<Authored>),
}

impl Chosen {
    /// Reads what the command line names.
    ///
    /// # Errors
    /// It is not there, or has faults; all of them were told.
    pub(super) fn find(
        args: &RunArgs,
        library: &Library,
        printer: &Printer,
    ) -> Result<Chosen, Failure> {
        let Some(name) = workflow_name(&args.plan, library, printer) else {
            let flags = [
                ("--set", args.of_workflow.set.is_empty()),
                ("--targets", args.of_workflow.targets.is_empty()),
            ];
            if let Some((flag, _)) = flags.iter().find(|(_, is_left_out)| !is_left_out) {
                let plan = args.plan.display();
                let cause = format!("{plan} is a plan, which takes no `{flag}`");
                let told = Diagnostic::error("run-plan-file", cause)
                    .hint("write it into the plan, or run a workflow: `divisi workflow list`");
                return Err(Failure::told(told, Exit::Usage));
            }
            let mut agents = args.of_workflow.agent.iter();
            if let Some(told) = agents.find_map(|(_, agent)| config::unknown_agent(agent)) {
                return Err(Failure::told(told, Exit::Usage));
            }
            let plan = crate::plan::read(&args.plan, printer)?;
            return Ok(Chosen::Plan(Box::new(plan)));
        };
        let found = library.find_workflow(name)?;
        let authored = Authored::read(found, library, printer)?;
        Ok(Chosen::Workflow(Box::new(authored)))
    }

    /// Agents by role that are settings of the run: a plan's are, a workflow's are put together with
    /// its roles.
    pub(super) fn agents<'a>(&self, args: &'a RunArgs) -> &'a [(String, String)] {
        match self {
            Chosen::Plan(_) => &args.of_workflow.agent,
            Chosen::Workflow(_) => &[],
        }
    }

    /// The file, or the folder, that it was read from; a built-in workflow's is none of the project.
    pub(super) fn file(&self, args: &RunArgs, project: &Project) -> PathBuf {
        match self {
            Chosen::Plan(_) => args.plan.clone(),
            Chosen::Workflow(authored) => project.folder().join(&authored.found.origin.path),
        }
    }

    /// The revision that work starts from; HEAD if none is named.
    pub(super) fn start<'a>(&self, args: &'a RunArgs) -> Option<&'a str> {
        let is_input = match self {
            Chosen::Plan(_) => false,
            Chosen::Workflow(authored) => takes_base(&authored.workflow),
        };
        args.base.as_deref().filter(|_| !is_input)
    }
}

/// The name under which a workflow is looked up; `None` if a plan file is meant, or a folder. A bare
/// word that names a workflow is the workflow, whatever lies in the working folder.
fn workflow_name<'a>(argument: &'a Path, library: &Library, printer: &Printer) -> Option<&'a str> {
    let name = argument.to_str()?;
    if is_path(name) {
        return (is_yaml(argument) && !name.ends_with('/')).then_some(name);
    }
    if name == "-" || name.ends_with(".json") {
        return None;
    }
    if !argument.exists() {
        return Some(name);
    }
    if !library.has_workflow(name) {
        return None;
    }
    let what = if argument.is_dir() { "folder" } else { "file" };
    let words = format!("{name} is the workflow; the {what} of that name is ./{name}");
    printer.note(&Line::of(words));
    Some(name)
}

/// Whether `--base` is the workflow's input, and not where work starts.
fn takes_base(workflow: &Workflow) -> bool {
    let mut inputs = workflow.inputs.iter();
    inputs.any(|input| input.name == BASE && input.kind == InputKind::Fork)
}

/// What the workflow is given, as the command line says it.
pub(super) fn said(workflow: &Workflow, args: &RunArgs) -> Vec<(String, String)> {
    let mut said = args.of_workflow.set.clone();
    if let Some(rev) = args.base.as_ref().filter(|_| takes_base(workflow)) {
        said.push((BASE.to_owned(), rev.clone()));
    }
    said
}
