//! `divisi workflow save`: a run that succeeded becomes a workflow.
//!
//! Nothing is written before what would be written was read back, put together with the roles and
//! templates that there are, and compared with what the run had.

use std::path::{Path, PathBuf};

use divisi_core::journal::Artifacts as _;
use divisi_core::run::{Run, RunStatus};
use divisi_core::secret::looks_secret;
use divisi_core::{Diagnostic, Plan};
use divisi_engine::failpoint;
use divisi_engine::files::Files as _;
use divisi_engine::repo::Repo;
use divisi_pack::bundle::{self, Bundle};
use divisi_pack::config::Values;
use divisi_pack::role::Role;
use divisi_pack::saved::{self, Known, Saved, Standing};
use divisi_pack::workflow;
use divisi_store::View;
use serde_json::json;

use super::example;
use crate::changed::told;
use crate::cli::Save;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::library::files::put;
use crate::library::{Library, LoadedRoles, LoadedTemplates, has_error};
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;

/// A longer name is none for a file that people look for.
const NAME_BYTES_MAX: usize = 80;

/// `divisi workflow save`.
pub(super) fn run(args: &Save, project: &Project, printer: &Printer) -> Outcome {
    let view = project.view()?;
    let id = project.row(&view, Some(args.run))?.run;
    let run = loaded::load(&view, id)?;
    if run.status() != RunStatus::Succeeded {
        let cause = format!(
            "{id} is {}; only a run that succeeded is saved",
            run.status().word()
        );
        let told = Diagnostic::error("save-unsuccessful", cause)
            .hint(format!("`divisi explain {id}` says what it waits for"))
            .hint(format!(
                "`divisi report {id} --plan` prints its plan as it is"
            ));
        return Err(Failure::told(told, Exit::Refused));
    }
    let name = name(args, &run, &Library::of(project))?;
    let place = Place::of(args, project, &name)?;
    let mut standing = saved::standing(&run);
    leave_secrets_out(&mut standing);
    let saving = Saving::open(project, &run, printer)?;
    let made = match &standing.bundle {
        Some(digest) => {
            let of = saving.bundle(&view, digest)?;
            saving.of_workflow(&name, &of, &standing)?
        }
        None => saving.of_plan(&name, &standing)?,
    };
    let text = saved::text(&made, &id.to_string());
    saving.check(&text)?;
    put(&place.root, &place.file, text.as_bytes()).map_err(|error| {
        let told = Diagnostic::error("save-io", format!("writing {}: {error}", place.shown))
            .hint("let it be a regular file in a folder that you may write to");
        Failure::told(told, Exit::Environment)
    })?;
    say(&made, &name, &place, id, printer)
}

/// The name that was given, or one made of the run's title.
fn name(args: &Save, run: &Run, library: &Library) -> Result<String, Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => {
            let name = saved::name(&run.title, "saved");
            // What is found under a name goes on being found under it.
            match library.find_workflow(&name).is_ok() {
                true => format!("{name}-{}", run.id),
                false => name,
            }
        }
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_file = [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| name.ends_with(end));
    if begins && name.chars().all(is_plain) && !is_file && name.len() <= NAME_BYTES_MAX {
        return Ok(name);
    }
    let cause = format!("{name:?} is no name for a workflow");
    let told = Diagnostic::error("save-name", cause).hint(
        "use letters, digits, `-`, `_` and `.`, without an ending; `--output FILE` says where it goes",
    );
    Err(Failure::told(told, Exit::Usage))
}

/// Where the workflow is written.
struct Place {
    root: PathBuf,
    /// Beneath the root.
    file: String,
    shown: String,
}

impl Place {
    /// The place, unless something is there that may not be written over.
    fn of(args: &Save, project: &Project, name: &str) -> Result<Place, Failure> {
        let place = match &args.output {
            None => Place {
                root: project.folder().to_owned(),
                file: format!("workflows/{name}.yaml"),
                shown: format!("workflows/{name}.yaml"),
            },
            Some(path) => Place::at(path)?,
        };
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let path = place.root.join(&place.file);
        let twin = path.with_extension("yml");
        let taken = match () {
            () if is_there(&path) && !args.force => {
                Some((&place.shown, "`--force` writes over it"))
            }
            () if args.output.is_none() && is_there(&twin) => Some((
                &place.shown,
                "move the file of this name that ends in `.yml` away",
            )),
            () => None,
        };
        let Some((shown, hint)) = taken else {
            return Ok(place);
        };
        let told = Diagnostic::error("save-exists", format!("{shown} is there already"))
            .hint("choose another name with `--name`")
            .hint(hint);
        Err(Failure::told(told, Exit::Refused))
    }

    fn at(path: &Path) -> Result<Place, Failure> {
        let shown = path.display().to_string();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let found = folder.canonicalize().ok();
        let file = path.file_name().and_then(|name| name.to_str());
        match (found, file) {
            (Some(root), Some(file)) => Ok(Place {
                root,
                file: file.to_owned(),
                shown,
            }),
            _ => {
                let told = Diagnostic::error("save-io", format!("there is no folder for {shown}"))
                    .hint("name a file in a folder that is there");
                Err(Failure::told(told, Exit::Usage))
            }
        }
    }
}

/// What a run is saved with: the roles, templates and files that there are.
struct Saving<'s> {
    run: &'s Run,
    configuration: Configuration,
    roles: LoadedRoles,
    templates: LoadedTemplates,
    /// What the configuration gives all workspaces.
    usual: Plan,
    /// The files of the tree that the run began with.
    files: Vec<String>,
}

impl<'s> Saving<'s> {
    fn open(project: &Project, run: &'s Run, printer: &Printer) -> Result<Saving<'s>, Failure> {
        let library = Library::of(project);
        let mut configuration = Configuration::load(project, Values::default(), printer)?;
        let known = configuration.roles(&library, printer)?;
        let mut usual = Plan::default();
        configuration.apply(&known, &mut usual, printer)?;
        let roles = library.roles();
        roles.told(printer)?;
        Ok(Saving {
            run,
            configuration,
            templates: library.templates(),
            roles,
            usual,
            files: files(project, run)?,
        })
    }

    fn bundle(&self, view: &View, digest: &divisi_core::Digest) -> Result<Bundle, Failure> {
        let bytes = view
            .artifacts()
            .get(digest)
            .map_err(|fault| Failure::told(divisi_store::diagnostic(&fault), Exit::Environment))?;
        let lost = |code: &'static str, cause: String| {
            let hint = "run the workflow again; what a run was made of is kept with it";
            Failure::told(Diagnostic::error(code, cause).hint(hint), Exit::Environment)
        };
        let bytes = bytes.ok_or_else(|| {
            lost(
                "bundle-missing",
                format!("what {} was made of is gone", self.run.id),
            )
        })?;
        Bundle::from_json(&bytes).map_err(|fault| lost("bundle-unreadable", fault))
    }

    fn of_workflow(
        &self,
        name: &str,
        before: &Bundle,
        standing: &Standing,
    ) -> Result<Saved, Failure> {
        let (without, secrets) = without_secrets(before);
        let mut made = saved::of_bundle(name, &without);
        made.left_out.extend(secrets);
        made.left_out.extend(standing.left_out.iter().cloned());
        made.left_out.extend(
            standing
                .split
                .iter()
                .map(|id| format!("how {id} was split; the rules make it whole")),
        );
        let now = self.check(&saved::text(&made, ""))?;
        made.left_out.extend(changed(before, &now));
        Ok(made)
    }

    fn of_plan(&self, name: &str, standing: &Standing) -> Result<Saved, Failure> {
        let known = Known {
            roles: self
                .roles
                .roles
                .as_ref()
                .ok_or(Failure::Reported(Exit::Usage))?,
            files: &self.files,
            preparation: &self.usual.preparation,
        };
        let made = saved::of_plan(name, &standing.plan, &known);
        let mut made = made.map_err(|cause| {
            let cause = format!("{} cannot be a workflow: {cause}", self.run.id);
            let hint = format!("`divisi report {} --plan` prints its plan", self.run.id);
            Failure::told(
                Diagnostic::error("save-unsound", cause).hint(hint),
                Exit::Refused,
            )
        })?;
        made.left_out.extend(standing.left_out.iter().cloned());
        let bundle = self.check(&saved::text(&made, ""))?;
        let differences = saved::differences(&standing.plan, &bundle, &self.files);
        made.left_out.extend(differences);
        Ok(made)
    }

    /// Reads back what would be written, and puts it together.
    fn check(&self, text: &str) -> Result<Bundle, Failure> {
        let read = workflow::read("saved.yaml", text.as_bytes());
        let mut diagnostics = read.diagnostics;
        let roles = self.roles.roles.as_ref();
        if let (Some(workflow), Some(roles)) = (&read.workflow, roles) {
            let mut given = self.configuration.given();
            given.inputs = workflow.inputs.iter().filter_map(example).collect();
            let layers = self.templates.layers();
            let assembled = bundle::assemble(workflow, roles, &layers, &given);
            diagnostics.extend(assembled.diagnostics);
            if let Some(bundle) = assembled.bundle.filter(|_| !has_error(&diagnostics)) {
                return Ok(bundle);
            }
        }
        let causes = diagnostics
            .iter()
            .filter(|it| has_error(std::slice::from_ref(*it)));
        let causes: Vec<&str> = causes.map(|it| it.cause.as_str()).collect();
        let cause = format!(
            "{} cannot be a workflow: {}",
            self.run.id,
            causes.join("; ")
        );
        let hint = format!("`divisi report {} --plan` prints its plan", self.run.id);
        let told = Diagnostic::error("save-unsound", cause).hint(hint);
        Err(Failure::told(told, Exit::Refused))
    }
}

/// Leaves out the values of variables that may be secrets: the file is made to be committed.
fn leave_secrets_out(standing: &mut Standing) {
    for task in &mut standing.plan.tasks {
        let id = &task.id;
        let left_out = &mut standing.left_out;
        task.env.retain(|name, _| {
            let is_secret = looks_secret(name);
            if is_secret {
                left_out.push(format!(
                    "the variable {name} of {id}, which may be a secret"
                ));
            }
            !is_secret
        });
    }
}

/// What a run was made of, without the values of inputs that may be secrets, and what to say of them.
fn without_secrets(bundle: &Bundle) -> (Bundle, Vec<String>) {
    let mut without = bundle.clone();
    without.inputs.retain(|name, _| !looks_secret(name));
    let names = bundle.inputs.keys().filter(|name| looks_secret(name));
    let said = names
        .map(|name| format!("the value of {name}, which may be a secret: give it with `--set`"));
    (without, said.collect())
}

/// The files of the tree that a run began with.
fn files(project: &Project, run: &Run) -> Result<Vec<String>, Failure> {
    let Some(commit) = &run.base.commit else {
        return Ok(Vec::new());
    };
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let tree = repo.tree_of(commit).map_err(|fault| told(&fault))?;
    let files = repo.files(&tree, None).map_err(|fault| told(&fault))?;
    files.list().map_err(|error| {
        let cause = format!("listing the files of {}: {error}", run.base.described);
        Failure::told(Diagnostic::error("repo-io", cause), Exit::Environment)
    })
}

/// Roles and templates that are not what the run was given.
fn changed(before: &Bundle, now: &Bundle) -> Vec<String> {
    let same = |one: &Role, other: &Role| {
        let place = other.place.clone();
        Role {
            place,
            ..one.clone()
        } == *other
    };
    let roles = before
        .roles
        .iter()
        .filter(|(name, role)| now.roles.get(*name).is_some_and(|other| !same(role, other)));
    let roles = roles.map(|(name, _)| format!("what the role {name} was then; it was edited"));
    let text = |bundle: &Bundle, name: &String| bundle.templates.get(name).cloned();
    let templates = before.prompts.iter().filter(|(role, name)| {
        let other = now.prompts.get(*role);
        other.and_then(|other| text(now, other)) != text(before, name)
    });
    let templates =
        templates.map(|(_, name)| format!("what the template {name} was then; it was edited"));
    roles.chain(templates).collect()
}

fn say(
    made: &Saved,
    name: &str,
    place: &Place,
    run: divisi_core::RunId,
    printer: &Printer,
) -> Outcome {
    let next = format!("divisi run {name}");
    if printer.is_json() {
        printer.document(&json!({
            "run": run.to_string(),
            "workflow": name,
            "path": place.shown,
            "parameters": made.parameters,
            "kept_literal": made.literal,
            "left_out": made.left_out,
            "next": next,
        }))?;
        return Ok(Exit::Success);
    }
    let mut lines =
        vec![Line::styled(Style::Bold, name).then(format!(" saved from {run}: {}", place.shown))];
    for parameter in &made.parameters {
        let (name, value) = (&parameter.name, &parameter.value);
        let of = parameter.of.word();
        lines.push(
            Line::styled(Style::Good, "  parameter ").then(format!("{name} ({of}): {value}")),
        );
    }
    if made.parameters.is_empty() {
        lines.push(Line::of("  no parameter was recognized"));
    }
    let literal = made.literal.iter();
    lines.extend(literal.map(|it| Line::of(format!("  kept as it stands: {it}"))));
    let left_out = made.left_out.iter();
    lines.extend(
        left_out.map(|it| Line::styled(Style::Warn, "  not carried over: ").then(it.as_str())),
    );
    printer.lines(&lines)?;
    let targets = made.parameters.iter();
    let mut targets = targets.filter(|it| it.of == saved::Origin::Target);
    let next = match targets.next() {
        Some(target) => format!("{next} --set {}=…", target.name),
        None => next,
    };
    printer.note(&Line::of("  → ").with(Style::Note, next));
    Ok(Exit::Success)
}
