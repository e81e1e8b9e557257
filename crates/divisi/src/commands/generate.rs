//! `divisi generate`: the iterations of a workflow as folders that people may edit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use divisi_core::Diagnostic;
use divisi_engine::files::Files as _;
use divisi_engine::repo::WorkingTree;
use divisi_pack::bundle::{self, Bundle, Given, Prediction, Written};
use divisi_pack::config::Values;
use serde_json::{Value, json};

use crate::authored::Authored;
use crate::cli::{self, Global};
use crate::config::Configuration;
use crate::exit::Exit;
use crate::folder::{self, Standing};
use crate::library::{Found, Library};
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::plural;

/// `divisi generate`.
pub(crate) fn run(args: &cli::Generate, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let library = Library::of(&project);
    let found = find(args, &library)?;
    let configuration = Configuration::load(&project, Values::default(), printer)?;
    let authored = Authored::read(found, &library, printer)?;
    let mut tree = WorkingTree::open(project.folder())
        .map_err(|fault| Failure::told(fault.diagnostic(), Exit::Environment))?;
    let of_workflow = &args.of_workflow;
    let (inputs, faults) = authored.inputs(of_workflow.set.clone(), |rev| tree.fork(rev));
    let given = Given {
        inputs,
        targets: of_workflow.targets.clone(),
        agents: of_workflow.agent.clone(),
        ..configuration.given()
    };
    let bundle = authored.bundle(&given, faults, printer)?;
    let paths = paths(&mut tree, &args.output)?;
    let standing = standing(args)?;
    let plan = Chosen::of(args, &bundle, &paths, printer)?;
    let mut made = Vec::new();
    for id in &plan.stages {
        let (path, within) = plan.place(id, &args.output);
        let generated = bundle::generate(&bundle, id, &paths, &path);
        for diagnostic in &generated.diagnostics {
            authored.tell(diagnostic, printer);
        }
        let written = generated.folder.ok_or(Failure::Reported(Exit::Usage))?;
        made.push(Made {
            path,
            within,
            written,
        });
    }
    let mut files = BTreeMap::new();
    for one in &made {
        for (file, text) in &one.written.files {
            files.insert(format!("{}{file}", one.within), text.clone());
        }
    }
    let kept = folder::write(&args.output, &files, &standing)
        .map_err(|error| cannot("writing", &args.output, &error))?;
    if let Some(kept) = kept {
        let line = Line::of("what was edited by hand is kept in ");
        printer.note(&line.with(Style::Bold, kept.to_string_lossy()));
    }
    told(&bundle, &made, &plan, printer)
}

/// A folder that was made.
struct Made {
    /// As commands take it.
    path: String,
    /// Where it stands in the output; empty where it is the output.
    within: String,
    written: Written,
}

/// The workflow: the one place where a name or a file becomes one.
fn find(args: &cli::Generate, library: &Library) -> Result<Found, Failure> {
    let Some(config) = &args.config else {
        return library.find_workflow(&args.workflow);
    };
    // A name alone would be looked up.
    let mut found = library.find_workflow(&Path::new(".").join(config).to_string_lossy())?;
    found.origin.path = config.to_string_lossy().into_owned();
    found.name = args.workflow.clone();
    Ok(found)
}

/// The files of the working tree; what was generated into the output is no target.
fn paths(tree: &mut WorkingTree, output: &Path) -> Result<Vec<String>, Failure> {
    let list = tree.leave_out(output).and_then(|()| tree.list());
    list.map_err(|error| cannot("listing", tree.root(), &error))
}

/// What stands in the output's place, if it may be replaced.
fn standing(args: &cli::Generate) -> Result<Standing, Failure> {
    let output = &args.output;
    let refused = |cause: String| Diagnostic::error("generate-exists", cause);
    let told = |diagnostic: Diagnostic| Err(Failure::told(diagnostic, Exit::Refused));
    if !output
        .components()
        .any(|part| matches!(part, Component::Normal(_)))
    {
        let cause = format!("{} is no name of a folder", output.display());
        return told(refused(cause).hint("name a folder of its own"));
    }
    let standing =
        folder::standing(output).map_err(|error| cannot("looking at", output, &error))?;
    let output = output.display();
    match &standing {
        Standing::Nothing => {}
        Standing::Generated { .. } if args.force => {}
        Standing::Generated { edited } => {
            let edited = match &edited[..] {
                [] => "nobody edited it".to_owned(),
                [one] => format!("{one} was edited by hand"),
                [one, more @ ..] => format!("{one} and {} more were edited by hand", more.len()),
            };
            let cause = format!("{output} is there already; {edited}");
            let hint = "`--force` replaces it; what was edited is kept beside it";
            return told(refused(cause).hint(hint).hint("or name another folder"));
        }
        Standing::Other => {
            let cause = format!("{output} is there, and was not generated");
            return told(refused(cause).hint("name another folder"));
        }
    }
    Ok(standing)
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    let cause = format!("{doing} {}: {error}", path.display());
    Failure::told(Diagnostic::error("generate-io", cause), Exit::Environment)
}

/// An iteration that cannot be generated yet.
struct Waiting {
    id: String,
    /// Iterations whose deliverables are not all there.
    on: Vec<String>,
    /// Those that are not.
    missing: Vec<String>,
}

/// Which iterations are generated, and which wait.
struct Chosen {
    /// By their ids.
    stages: Vec<String>,
    waiting: Vec<Waiting>,
}

impl Chosen {
    fn of(
        args: &cli::Generate,
        bundle: &Bundle,
        paths: &[String],
        printer: &Printer,
    ) -> Result<Chosen, Failure> {
        let prediction = bundle::predict(bundle, paths);
        let mut chosen = Chosen {
            stages: Vec::new(),
            waiting: Vec::new(),
        };
        let there: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        for iteration in &bundle.workflow.iterations {
            match waiting(&prediction, iteration, &there) {
                None => chosen.stages.push(iteration.id.clone()),
                Some(waiting) => chosen.waiting.push(waiting),
            }
        }
        let Some(name) = &args.stage else {
            return Ok(chosen);
        };
        // One that is not there is told of when it is generated.
        let id = bundle
            .workflow
            .iteration(name)
            .map_or(name, |iteration| &iteration.id);
        chosen.waiting.retain(|waiting| waiting.id == *id);
        if let Some(waiting) = chosen.waiting.pop() {
            let cause = format!("{id} is generated for what is there: {}", lacking(&waiting));
            printer.diagnostic(&Diagnostic::warning("generate-early", cause), None);
        }
        chosen.stages = vec![id.clone()];
        Ok(chosen)
    }

    /// The path of an iteration's folder, and where it stands in the output.
    fn place(&self, id: &str, output: &Path) -> (String, String) {
        let text = |path: &Path| path.to_string_lossy().trim_end_matches('/').to_owned();
        match self.stages.len() {
            1 => (text(output), String::new()),
            _ => (text(&output.join(id)), format!("{id}/")),
        }
    }
}

/// What an iteration waits for: deliverables of those before it that are not there.
fn waiting(
    prediction: &Prediction,
    iteration: &divisi_pack::workflow::Iteration,
    there: &BTreeSet<&str>,
) -> Option<Waiting> {
    let mut waiting = Waiting {
        id: iteration.id.clone(),
        on: Vec::new(),
        missing: Vec::new(),
    };
    for on in &iteration.dependencies {
        let before = prediction.iterations.iter().find(|(id, _)| id == on);
        let Some(expansion) = before.and_then(|(_, expanded)| expanded.expansion.as_ref()) else {
            // What it would make is not known; it is told of where that one is generated.
            waiting.on.push(on.clone());
            continue;
        };
        let made = expansion.tasks.iter().flat_map(|task| &task.deliverables);
        let mut missing = { made }
            .filter(|made| !there.contains(&*made.path))
            .peekable();
        if missing.peek().is_some() {
            waiting.on.push(on.clone());
            waiting
                .missing
                .extend(missing.map(|made| made.path.clone()));
        }
    }
    (!waiting.on.is_empty()).then_some(waiting)
}

/// What is missing, in words.
fn lacking(waiting: &Waiting) -> String {
    let on = waiting.on.join(" and ");
    match &waiting.missing[..] {
        [] => format!("{on} cannot be expanded"),
        [one] => format!("{one} of {on} is not there yet"),
        [one, more @ ..] => format!("{one} and {} more of {on} are not there yet", more.len()),
    }
}

fn told(bundle: &Bundle, made: &[Made], chosen: &Chosen, printer: &Printer) -> Outcome {
    if printer.is_json() {
        let folders: Vec<Value> = made
            .iter()
            .map(|one| {
                let manifest = &one.written.manifest;
                json!({
                    "folder": one.path,
                    "iteration": manifest.iteration,
                    "files": one.written.files.keys().collect::<Vec<&String>>(),
                    "agents": manifest.agents,
                    "resource_estimate": manifest.resource_estimate,
                })
            })
            .collect();
        let waiting: Vec<Value> = chosen
            .waiting
            .iter()
            .map(|it| json!({"iteration": it.id, "on": it.on, "missing": it.missing}))
            .collect();
        let workflow = &bundle.workflow.name;
        printer.document(&json!({"workflow": workflow, "folders": folders, "waiting": waiting}))?;
        return Ok(Exit::Success);
    }
    for one in made {
        let manifest = &one.written.manifest;
        let agents = &manifest.agents;
        let files: usize = agents.iter().map(|agent| agent.deliverables.len()).sum();
        let tokens = agents.iter().map(|agent| agent.estimated_tokens);
        let tokens = tokens.fold(0, u64::saturating_add);
        let risk = agents.iter().filter_map(|agent| agent.risk_level).max();
        let risk = risk.map_or_else(String::new, |risk| format!(", risk {}", risk.word()));
        let duration = &manifest.resource_estimate["duration_estimate"];
        printer.line(&Line::styled(Style::Bold, one.path.as_str()).then(format!(
            ": {}, {}, {}, {tokens} tokens, {}{risk}",
            manifest.name,
            plural(agents.len() as u64, "agent"),
            plural(files as u64, "deliverable"),
            duration.as_str().unwrap_or("unknown"),
        )))?;
    }
    for waiting in &chosen.waiting {
        printer.note(&Line::of(format!(
            "{} waits: {}",
            waiting.id,
            lacking(waiting)
        )));
    }
    Ok(Exit::Success)
}
