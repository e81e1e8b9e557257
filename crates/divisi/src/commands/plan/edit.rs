//! `divisi plan edit`: a plan in an editor, taken only if it has no fault.
//!
//! What is edited is a copy. It takes the plan's place once it parses and lints without a fault;
//! otherwise it is kept, so that nothing that somebody wrote is lost.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use divisi_core::{Diagnostic, Plan, shell};
use divisi_pack::plan_file::{compare, read, write};
use divisi_pack::request;

use super::diff;
use super::given::Gathered;
use super::kept::{Named, cannot, of_run, replace, save_text};
use super::lint::Found;
use crate::cli::Global;
use crate::cli::plan::Edit;
use crate::exit::Exit;
use crate::plan;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;

/// Edits it.
pub(super) fn run(args: &Edit, global: &Global, printer: &Printer) -> Outcome {
    let edited = Edited::begin(args, global, printer)?;
    let gathered = Gathered::look(&Project::find(global)?, printer)?;
    let request = args.request.as_deref().map(request::read);
    let copy = edited.copy()?;
    open(&copy)?;
    let text = fs::read_to_string(&copy).map_err(|error| cannot("reading", &copy, &error))?;
    if text == edited.text && !edited.is_new {
        forget(&copy);
        printer.note(&Line::of("nothing was changed"));
        return Ok(Exit::Success);
    }
    let name = edited.to.to_string_lossy();
    let found = Found::of_file(&name, text.as_bytes(), &gathered.given(request.as_ref()));
    found.tell(printer);
    let after = read(&name, text.as_bytes()).plan;
    let Some(after) = after.filter(|_| !found.is_faulty()) else {
        let kept = copy.to_string_lossy().into_owned();
        let told = Diagnostic::error("planning-faulty", format!("{name} stays as it was"))
            .hint(format!("what you wrote is kept in {kept}"))
            .hint(format!(
                "go on with it: `divisi plan edit {}`",
                shell::word(&kept)
            ));
        return Err(Failure::told(told, Exit::Usage));
    };
    match edited.is_new {
        true => save_text(&edited.to, &text)?,
        false => replace(&edited.to, &text)?,
    }
    forget(&copy);
    edited.told(&after, printer)
}

/// A plan that is edited.
struct Edited {
    text: String,
    /// The plan as it was, if it was one.
    before: Option<Plan>,
    /// Where it goes.
    to: PathBuf,
    /// Nothing stands there yet.
    is_new: bool,
}

impl Edited {
    fn begin(args: &Edit, global: &Global, printer: &Printer) -> Result<Edited, Failure> {
        match Named::of(&args.plan) {
            Named::File(path) => {
                let bytes = plan::bytes(&path)?;
                let text = String::from_utf8(bytes).map_err(|_| {
                    let cause = format!("{} is not in UTF-8", path.display());
                    Failure::told(Diagnostic::error("file-unreadable", cause), Exit::Usage)
                })?;
                Ok(Edited {
                    before: read("plan", text.as_bytes()).plan,
                    is_new: args.save.is_some(),
                    to: args.save.clone().unwrap_or(path),
                    text,
                })
            }
            Named::Run(run) => {
                let Some(to) = args.save.clone() else {
                    let cause = format!("the plan of {run} is not replaced while it is in force");
                    let told = Diagnostic::error("planning-in-force", cause)
                        .hint(format!(
                            "edit a copy: `divisi plan edit {run} --save plan.json`"
                        ))
                        .hint(format!(
                            "then `divisi cancel {run}` and `divisi run plan.json`"
                        ));
                    return Err(Failure::told(told, Exit::Refused));
                };
                let plan = of_run(run, global)?;
                printer.note(&Line::of(format!("{run} keeps its plan; this is a copy")));
                Ok(Edited {
                    text: write(&plan),
                    before: Some(plan),
                    is_new: true,
                    to,
                })
            }
        }
    }

    /// A copy to edit, in a folder of its own.
    fn copy(&self) -> Result<PathBuf, Failure> {
        if self.is_new && self.to.exists() {
            // Better told before than after somebody has edited for an hour.
            save_text(&self.to, "")?;
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
        made().map_err(|error| cannot("copying", &self.to, &error))
    }

    fn told(&self, after: &Plan, printer: &Printer) -> Outcome {
        let differences = self.before.as_ref().map(|before| compare(before, after));
        if let Some(differences) = &differences {
            match printer.is_json() {
                true => printer.document(differences)?,
                false => printer.lines(&diff::lines(differences))?,
            }
        }
        let path = shell::word(&self.to.to_string_lossy());
        printer.note(&Line::of("run it: ").with(Style::Note, format!("divisi run {path}")));
        Ok(Exit::Success)
    }
}

/// Removes the copy with its folder.
fn forget(copy: &Path) {
    if let Some(folder) = copy.parent() {
        // What is left in a temporary folder harms nobody.
        let _ = fs::remove_dir_all(folder);
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
