//! `divisi diff`: what a run, or a task of it, changed.

use divisi_core::RunId;
use divisi_engine::failpoint;
use divisi_engine::repo::{DiffForm, Repo};

use crate::changed::{of_task, told, whole};
use crate::cli;
use crate::exit::Exit;
use crate::printer::{Line, Outcome, Printer};
use crate::project::Project;

/// `divisi diff`.
pub(crate) fn diff(args: &cli::Diff, id: RunId, project: &Project, printer: &Printer) -> Outcome {
    let run = crate::follow::run(project, id)?;
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let range = match &args.task {
        None => whole(&run)?,
        Some(task) => of_task(&run, &repo, task)?,
    };
    let form = if args.stat {
        DiffForm::Stat
    } else {
        DiffForm::Patch
    };
    let bytes = repo
        .diff(&range.from, &range.to, &[], form)
        .map_err(|fault| told(&fault))?;
    let text = String::from_utf8_lossy(&bytes);
    if printer.is_json() {
        printer.document(&serde_json::json!({
            "run": id.to_string(), "task": args.task, "from": range.from, "to": range.to, "diff": text,
        }))?;
    } else {
        printer.text(&text)?;
    }
    if text.is_empty() {
        let what = match &args.task {
            None => run.id.to_string(),
            Some(task) => format!("task {task}"),
        };
        printer.note(&Line::of(format!("{what} changed no file")));
    }
    Ok(Exit::Success)
}
