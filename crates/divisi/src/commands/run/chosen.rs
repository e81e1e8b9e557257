//! What `divisi run` is asked to run: an intent, a plan file, or a workflow that is turned into a plan.
//!
//! A workflow is put together with its roles, templates and inputs once, before the run is created:
//! whatever is edited later changes the next run. Nothing of it is executed here.

use std::path::{Path, PathBuf};

use divisi_core::{Diagnostic, Intent, Plan};
use divisi_pack::config;
use divisi_pack::workflow::{InputKind, Workflow};

use crate::authored::Authored;
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::library::{Library, is_path, is_yaml};
use crate::printer::{Failure, Line, Printer};
use crate::project::Project;

/// Names of workflows, and of files, have at most so many words.
const NAME_WORDS_MAX: usize = 4;

/// The input of a workflow that `--base` is.
const BASE: &str = "base";

/// What is to be run.
pub(super) enum Chosen {
    /// What somebody wants, in their words; there is no plan of it yet.
    Intent(String),
    /// A plan that was made of an intent.
    Planned(Box<Plan>, Box<Intent>),
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
        let intent = intent_of(&args.plan);
        let flags = [
            ("--one", args.planning.one),
            ("--planner", args.planning.planner.is_some()),
        ];
        if let Some((flag, _)) = flags
            .iter()
            .find(|(_, is_said)| *is_said && intent.is_none())
        {
            let cause = format!(
                "{} is no intent, so `{flag}` says nothing",
                args.plan.display()
            );
            let told = Diagnostic::error("run-intent", cause)
                .hint("say in several words what is wanted, as one argument");
            return Err(Failure::told(told, Exit::Usage));
        }
        if let Some(intent) = intent {
            no_inputs(args, "an intent")?;
            is_no_workflow(intent, library)?;
            return Ok(Chosen::Intent(intent.to_owned()));
        }
        let Some(name) = workflow_name(&args.plan, library, printer) else {
            no_inputs(args, &args.plan.display().to_string())?;
            let plan = crate::plan::read(&args.plan, printer);
            let plan = plan.map_err(|failure| match failure {
                Failure::Told(told, exit) if !args.plan.exists() => {
                    let remedy = "what is wanted is said in several words, as one argument: \
                                  `divisi run \"Fix the parser\"`";
                    Failure::told(told.hint(remedy), exit)
                }
                other => other,
            })?;
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
            Chosen::Intent(_) | Chosen::Planned(..) | Chosen::Plan(_) => &args.of_workflow.agent,
            Chosen::Workflow(_) => &[],
        }
    }

    /// The file, or the folder, that it was read from; a built-in workflow's is none of the project.
    pub(super) fn file(&self, args: &RunArgs, project: &Project) -> PathBuf {
        match self {
            // It was typed, not read.
            Chosen::Intent(_) | Chosen::Planned(..) => PathBuf::new(),
            Chosen::Plan(_) => args.plan.clone(),
            Chosen::Workflow(authored) => project.folder().join(&authored.found.origin.path),
        }
    }

    /// The revision that work starts from; HEAD if none is named.
    pub(super) fn start<'a>(&self, args: &'a RunArgs) -> Option<&'a str> {
        let is_input = match self {
            Chosen::Intent(_) | Chosen::Planned(..) | Chosen::Plan(_) => false,
            Chosen::Workflow(authored) => takes_base(&authored.workflow),
        };
        args.base.as_deref().filter(|_| !is_input)
    }
}

/// What only workflows take is refused.
fn no_inputs(args: &RunArgs, what: &str) -> Result<(), Failure> {
    let flags = [
        ("--set", args.of_workflow.set.is_empty()),
        ("--targets", args.of_workflow.targets.is_empty()),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, is_left_out)| !is_left_out) {
        let cause = format!("{what} is no workflow, which alone takes `{flag}`");
        let told = Diagnostic::error("run-plan-file", cause)
            .hint("write it into the plan, or run a workflow: `divisi workflow list`");
        return Err(Failure::told(told, Exit::Usage));
    }
    let mut agents = args.of_workflow.agent.iter();
    match agents.find_map(|(_, agent)| config::unknown_agent(agent)) {
        Some(told) => Err(Failure::told(told, Exit::Usage)),
        None => Ok(()),
    }
}

/// The intent that the command line says: several words, unless a file or a folder of exactly that
/// name is there. A few that ask for nothing and look like a path are the name of a file, mistyped:
/// it is not taken for work to be done.
fn intent_of(argument: &Path) -> Option<&str> {
    let text = argument.to_str()?.trim();
    let words = text.split_whitespace().count();
    let begins = ["/", "./", "../", "~"];
    let ends = [".json", ".yaml", ".yml", "/"];
    let is_pathlike = begins.iter().any(|begin| text.starts_with(begin))
        || ends.iter().any(|end| text.ends_with(end));
    let asks = || {
        let request = divisi_pack::request::read(text);
        request.parts.iter().any(|part| part.verb.is_some())
    };
    let is_name = words < 2 || is_pathlike && words <= NAME_WORDS_MAX && !asks();
    (!is_name && !argument.exists()).then_some(text)
}

/// A few words that are nearly the name of a workflow are meant for it: whoever wants the work all the
/// same says more.
fn is_no_workflow(intent: &str, library: &Library) -> Result<(), Failure> {
    let words: Vec<String> = intent.split_whitespace().map(str::to_lowercase).collect();
    let like = match words.len() <= NAME_WORDS_MAX {
        true => library.workflow_like(&words.join("-")),
        false => None,
    };
    match like {
        None => Ok(()),
        Some(name) => {
            let cause = format!("`{intent}` is nearly the name of the workflow `{name}`");
            let told = Diagnostic::error("run-intent", cause)
                .hint(format!("run the workflow: `divisi run {name}`"))
                .hint("or say in more words what is wanted");
            Err(Failure::told(told, Exit::Usage))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_are_an_intent_unless_a_file_has_that_name() {
        for text in [
            "Fix the parser",
            "  Add search, with tests ",
            "Fix src/api/mod.rs, then document it",
            "Fix the parser of plan.json.",
            "Fix the parser in src/parse.rs",
            "Sort the keys of config.yaml",
            "Bump the version in package.json",
            "Delete web/",
            "./gradlew fails on Windows: mend it",
        ] {
            assert_eq!(intent_of(Path::new(text)), Some(text.trim()), "{text}");
        }
        for text in [
            "",
            "-",
            "reviw",
            "pln.json",
            "plans/",
            "my plan.json",
            "my flow.yaml",
            "./my plan",
            "/tmp/my plan",
            "../my plan",
            "~/my plan",
            "my plans/",
        ] {
            assert_eq!(intent_of(Path::new(text)), None, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("my plan.json");
        std::fs::write(&there, "{}").unwrap();
        assert_eq!(intent_of(&there), None);
    }
}
