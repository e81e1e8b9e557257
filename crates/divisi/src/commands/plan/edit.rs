//! `divisi plan edit`: a plan in an editor, taken only if it has no fault.
//!
//! What is edited is a copy. It takes the plan's place once it parses and lints without a fault;
//! otherwise it is kept, so that nothing that somebody wrote is lost, and `--from` takes it up again.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use divisi_core::diagnostic::Severity;
use divisi_core::plan::Work;
use divisi_core::run::{Run, RunStatus, Task};
use divisi_core::{Diagnostic, Intent, Plan, RunId, shell};
use divisi_engine::control::Action;
use divisi_pack::plan_file::{compare, read, write};
use divisi_pack::request;

use super::diff;
use super::given::Gathered;
use super::kept::{Named, cannot, of_revision, replace, save_text};
use super::lint::Found;
use crate::cli::Global;
use crate::cli::plan::Edit;
use crate::commands::act::act;
use crate::exit::Exit;
use crate::library::Library;
use crate::loaded;
use crate::plan;
use crate::plan_record;
use crate::present::{Present, Settling};
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;

/// Edits it.
pub(super) fn run(args: &Edit, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let edited = Edited::begin(args, global, printer)?;
    let gathered = Gathered::look(&project, printer)?;
    let request = args.request.as_deref().or(edited.request());
    let request = request.map(request::read);
    let copy = match &args.from {
        Some(file) => Changed::Given(file.clone()),
        None => Changed::Made(edited.copy()?),
    };
    let text = copy.text()?;
    if text == edited.text && !edited.is_new {
        copy.forget();
        printer.note(&Line::of("nothing was changed"));
        return Ok(Exit::Success);
    }
    let name = edited.to.name();
    let found = Found::of_file(&name, text.as_bytes(), &gathered.given(request.as_ref()));
    let found = match &edited.to {
        To::File(_) => found,
        To::Run(run) => found.for_run(run),
    };
    found.tell(printer);
    let after = read(&name, text.as_bytes()).plan;
    let taken = match after.filter(|_| !found.is_faulty()) {
        Some(after) => {
            let taken = edited.take(&after, &text, &project, printer);
            taken.map(|()| after)
        }
        None => {
            let told = Diagnostic::error("planning-faulty", format!("{name} stays as it was"));
            Err(Failure::told(told, Exit::Usage))
        }
    };
    let after = taken.map_err(|failure| kept(failure, args, copy.path()))?;
    copy.forget();
    edited.told(&after, printer)
}

/// What somebody wrote is not lost, whatever the failure is.
fn kept(failure: Failure, args: &Edit, copy: &Path) -> Failure {
    let word = |path: &Path| shell::word(&path.to_string_lossy());
    let mut again = format!(
        "divisi plan edit {} --from {}",
        word(&args.plan),
        word(copy)
    );
    if let Some(path) = &args.save {
        again.push_str(&format!(" --save {}", word(path)));
    }
    match failure {
        Failure::Told(told, exit) => Failure::told(
            told.hint(format!("what you wrote is kept in {}", copy.display()))
                .hint(format!("mend it there, and take it: `{again}`")),
            exit,
        ),
        other => other,
    }
}

/// The plan with its changes.
enum Changed {
    /// In a folder of its own, for the editor.
    Made(PathBuf),
    /// In a file that somebody names.
    Given(PathBuf),
}

impl Changed {
    fn path(&self) -> &Path {
        match self {
            Changed::Made(path) | Changed::Given(path) => path,
        }
    }

    /// What it holds, once it was edited.
    fn text(&self) -> Result<String, Failure> {
        match self {
            Changed::Made(path) => {
                open(path)?;
                fs::read_to_string(path).map_err(|error| cannot("reading", path, &error))
            }
            Changed::Given(path) => in_utf8(path),
        }
    }

    /// Removes the copy with its folder; what somebody named stays.
    fn forget(&self) {
        if let Changed::Made(path) = self
            && let Some(folder) = path.parent()
        {
            // What is left in a temporary folder harms nobody.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The text of a plan file.
fn in_utf8(path: &Path) -> Result<String, Failure> {
    String::from_utf8(plan::bytes(path)?).map_err(|_| {
        let cause = format!("{} is not in UTF-8", path.display());
        Failure::told(Diagnostic::error("file-unreadable", cause), Exit::Usage)
    })
}

/// Where a plan goes that was edited.
enum To {
    File(PathBuf),
    /// Into this run, whose plan awaits approval.
    Run(Box<Run>),
}

impl To {
    fn name(&self) -> String {
        match self {
            To::File(path) => path.to_string_lossy().into_owned(),
            To::Run(run) => run.id.to_string(),
        }
    }
}

/// Refuses to edit what the engine would not replace, before somebody has edited for an hour.
fn may_replace(run: &Run) -> Result<(), Failure> {
    let id = run.id;
    let expands = |task: &Task| matches!(task.spec.work, Work::Expand(_));
    let cause = if run.status() != RunStatus::AwaitingApproval {
        format!("the plan of {id} is in force: it is replaced only until it is approved")
    } else if run.tasks().iter().any(expands) {
        format!("the plan of {id} is made of a workflow while it runs")
    } else {
        return Ok(());
    };
    let told = Diagnostic::error("planning-in-force", cause)
        .hint(format!(
            "edit a copy: `divisi plan edit {id} --save plan.json`"
        ))
        .hint(format!(
            "then `divisi cancel {id}` and `divisi run plan.json`"
        ));
    Err(Failure::told(told, Exit::Refused))
}

/// A plan that is edited.
struct Edited {
    text: String,
    /// The plan as it was, if it was one.
    before: Option<Plan>,
    /// Where it goes.
    to: To,
    /// Nothing stands there yet.
    is_new: bool,
}

impl Edited {
    /// The request that a run's plan is to answer, if there was one.
    fn request(&self) -> Option<&str> {
        match &self.to {
            To::File(_) => None,
            To::Run(run) => run.intent.as_deref().map(Intent::request),
        }
    }

    /// Puts the plan where it goes.
    fn take(
        &self,
        after: &Plan,
        text: &str,
        project: &Project,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let run = match &self.to {
            To::File(path) if self.is_new => return save_text(path, text),
            To::File(path) => return replace(path, text),
            To::Run(run) => run,
        };
        let mut plan = after.clone();
        Library::of(project).tell(&mut plan, printer)?;
        // What roles of its first plan tell was fixed when the run was created.
        plan.roles.extend((*run.roles).clone());
        // What `auto` stands for, too.
        let present = Present::look(&run.settings.defined);
        let mut settling = Settling::go_on(&present, run.settings.clone());
        plan.tasks.iter().for_each(|task| settling.see(task));
        settling.end(Severity::Error, printer)?;
        let action = Action::Replace {
            plan: Arc::new(plan),
        };
        act(project, run.id, action, &Printer::silent()).map(drop)
    }

    fn begin(args: &Edit, global: &Global, printer: &Printer) -> Result<Edited, Failure> {
        match Named::of(&args.plan) {
            Named::File(path) => {
                let text = in_utf8(&path)?;
                Ok(Edited {
                    before: read("plan", text.as_bytes()).plan,
                    is_new: args.save.is_some(),
                    to: To::File(args.save.clone().unwrap_or(path)),
                    text,
                })
            }
            Named::Run(run) => Edited::of_run(run, args, global, printer),
            Named::Revision(run, number) => {
                let Some(path) = &args.save else {
                    let cause = format!("revision {number} of {run} is not the plan in force");
                    let told = Diagnostic::error("planning-in-force", cause);
                    let hint = "edit a copy of it: `divisi plan edit RUN@NUMBER --save FILE`";
                    return Err(Failure::told(told.hint(hint), Exit::Refused));
                };
                let plan = of_revision(run, number, global)?;
                Ok(Edited {
                    text: write(&plan),
                    before: Some(plan),
                    to: To::File(path.clone()),
                    is_new: true,
                })
            }
        }
    }

    fn of_run(
        run: RunId,
        args: &Edit,
        global: &Global,
        printer: &Printer,
    ) -> Result<Edited, Failure> {
        let (_, state) = loaded::open(global, Some(run))?;
        let plan = plan_record::in_force(&state);
        let (to, text) = match &args.save {
            Some(path) => {
                printer.note(&Line::of(format!("{run} keeps its plan; this is a copy")));
                (To::File(path.clone()), write(&plan))
            }
            None => {
                may_replace(&state)?;
                (To::Run(Box::new(state)), write(&plan))
            }
        };
        Ok(Edited {
            text,
            before: Some(plan),
            is_new: matches!(to, To::File(_)),
            to,
        })
    }

    /// A copy to edit, in a folder of its own.
    fn copy(&self) -> Result<PathBuf, Failure> {
        if let To::File(path) = &self.to
            && self.is_new
            && path.exists()
        {
            // Better told before than after somebody has edited for an hour.
            save_text(path, "")?;
        }
        let made = || -> std::io::Result<PathBuf> {
            let folder = tempfile::Builder::new()
                .prefix("divisi-plan-")
                .tempdir()?
                .keep();
            let path = folder.join("plan.json");
            fs::write(&path, &self.text)?;
            Ok(path)
        };
        made().map_err(|error| cannot("copying", Path::new(&self.to.name()), &error))
    }

    fn told(&self, after: &Plan, printer: &Printer) -> Outcome {
        let differences = self.before.as_ref().map(|before| compare(before, after));
        if let Some(differences) = &differences {
            match printer.is_json() {
                true => printer.document(differences)?,
                false => printer.lines(&diff::lines(differences))?,
            }
        }
        let next = match &self.to {
            To::File(_) => format!("divisi run {}", shell::word(&self.to.name())),
            To::Run(run) => format!("divisi approve {0} && divisi resume {0}", run.id),
        };
        printer.note(&Line::of("run it: ").with(Style::Note, next));
        Ok(Exit::Success)
    }
}

/// Has the user's editor open a file, and waits for it.
fn open(path: &Path) -> Result<(), Failure> {
    let set = |name: &str| {
        env::var(name)
            .ok()
            .filter(|editor| !editor.trim().is_empty())
    };
    let told = |cause: String| {
        let told = Diagnostic::error("planning-editor", cause);
        Failure::told(
            told.hint("let `EDITOR` name your editor"),
            Exit::Environment,
        )
    };
    let editor = set("VISUAL").or_else(|| set("EDITOR"));
    let editor = editor.ok_or_else(|| told("no editor is set".to_owned()))?;
    // It may have arguments, as other programs take it.
    let status = Command::new("/bin/sh")
        .args(["-c", &format!("{editor} \"$@\""), "editor"])
        .arg(path)
        .status()
        .map_err(|error| told(format!("starting {editor}: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(told(format!("{editor} ended with {status}"))),
    }
}
