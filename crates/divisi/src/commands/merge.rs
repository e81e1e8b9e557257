//! `divisi diff` and `divisi merge`: look at a result, and take it over.
//!
//! Merging is the only thing that writes to the user's repository. Without `--yes` it only says
//! what it would do.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Run};
use divisi_core::{Commit, Diagnostic, RunId, TaskNo};
use divisi_engine::engine::wall_now;
use divisi_engine::failpoint;
use divisi_engine::repo::{DeliverError, Delivery, DiffForm, MergeOptions, Repo, Target};

use crate::cli;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::project::Project;

fn told(fault: &divisi_engine::repo::Fault) -> Failure {
    Failure::told(fault.diagnostic(), Exit::Environment)
}

/// The commits between which a run's, or a task's, change lies.
struct Range {
    from: Commit,
    to: Commit,
}

fn whole(run: &Run) -> Result<Range, Failure> {
    match (&run.base.commit, &run.integration.head) {
        (Some(from), Some(to)) => Ok(Range {
            from: from.clone(),
            to: to.clone(),
        }),
        _ => {
            let diagnostic = Diagnostic::error("result-empty", format!("{} has no files", run.id));
            Err(Failure::told(diagnostic, Exit::Refused))
        }
    }
}

/// What one task changed: as integrated, or, before that, as it was collected for review.
fn of_task(run: &Run, repo: &Repo, name: &str) -> Result<Range, Failure> {
    let unknown = || {
        let diagnostic =
            Diagnostic::error("task-unknown", format!("{} has no task {name:?}", run.id))
                .hint(format!("`divisi status {}` lists its tasks", run.id));
        Failure::told(diagnostic, Exit::NotFound)
    };
    let no: TaskNo = divisi_engine::world::find_task(run, name).ok_or_else(unknown)?;
    let task = &run.tasks()[no.index()];
    let integrated = task
        .endings
        .iter()
        .rev()
        .find(|ending| ending.end == AttemptEnd::Integrated);
    let commit = integrated
        .into_iter()
        .flat_map(|ending| &ending.receipts)
        .find_map(|receipt| match receipt {
            Receipt::Integrated { commit, .. } => commit.clone(),
            _ => None,
        });
    if let Some(commit) = commit {
        let parent = repo.parent(&commit).map_err(|fault| told(&fault))?;
        return Ok(Range {
            from: parent.unwrap_or_else(|| commit.clone()),
            to: commit,
        });
    }
    let live = task.live().and_then(|live| live.snapshot());
    let ended = task
        .endings
        .iter()
        .rev()
        .flat_map(|ending| &ending.receipts)
        .find_map(|receipt| match receipt {
            Receipt::Collected { snapshot, .. } => snapshot.as_ref(),
            _ => None,
        });
    match live.or(ended) {
        Some(snapshot) => Ok(Range {
            from: snapshot.base.clone(),
            to: snapshot.commit.clone(),
        }),
        None => {
            let diagnostic =
                Diagnostic::error("result-empty", format!("task {name} has made no files")).hint(
                    format!("`divisi explain {} {name}` says where it stands", run.id),
                );
            Err(Failure::told(diagnostic, Exit::Refused))
        }
    }
}

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
    Ok(Exit::Success)
}

/// `divisi merge`.
pub(crate) fn merge(args: &cli::Merge, id: RunId, project: &Project, printer: &Printer) -> Outcome {
    let run = crate::follow::run(project, id)?;
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let all = whole(&run)?;
    let part = match &args.task {
        None => None,
        Some(task) => Some(of_task(&run, &repo, task)?),
    };
    let shown = part.as_ref().unwrap_or(&all);
    if shown.from == shown.to {
        printer.note(&Line::of(format!(
            "{id} changed no files; there is nothing to merge"
        )));
        return Ok(Exit::Success);
    }
    if !args.yes {
        let stat = repo
            .diff(&shown.from, &shown.to, &[], DiffForm::Stat)
            .map_err(|fault| told(&fault))?;
        printer.text(&String::from_utf8_lossy(&stat))?;
        let unfinished = if run.ended.is_none() {
            "; the run has not ended"
        } else {
            ""
        };
        let mut again = format!("divisi merge {id} --yes");
        if args.squash {
            again.push_str(" --squash");
        }
        for (flag, value) in [("--branch", &args.branch), ("--task", &args.task)] {
            if let Some(value) = value {
                again.push_str(&format!(" {flag} {value}"));
            }
        }
        printer.note(&Line::of(format!(
            "nothing was merged{unfinished}; to do it: {again}"
        )));
        return Ok(Exit::Success);
    }
    let target = args.branch.clone().map_or(Target::Current, Target::Branch);
    let message = match &args.task {
        None => format!("{}\n\nDivisi-Run: {id}", run.title),
        Some(task) => format!("{}: {task}\n\nDivisi-Run: {id}", run.title),
    };
    let options = MergeOptions {
        run: id,
        base: &all.from,
        head: &all.to,
        task: part.as_ref().map(|range| (&range.from, &range.to)),
        squash: args.squash,
        target,
        message: &message,
        at: wall_now(),
    };
    let delivery = repo.merge_to_user(&options).map_err(|error| match error {
        DeliverError::Refused(refusal) => Failure::told(refusal.diagnostic(), Exit::Refused),
        DeliverError::Fault(fault) => told(&fault),
    })?;
    let text = match &delivery {
        Delivery::Nothing => "all of it was there already".to_owned(),
        Delivery::FastForward { commit } => {
            format!("the current branch moved forward to {}", commit.short())
        }
        Delivery::Committed { commit } => {
            format!("committed {} on the current branch", commit.short())
        }
        Delivery::Branch { commit } => {
            format!(
                "made branch {} at {}",
                args.branch.as_deref().unwrap_or_default(),
                commit.short()
            )
        }
        Delivery::Folder { paths } => format!("wrote {} files", paths.len()),
    };
    printer.note(&Line::of(text));
    Ok(Exit::Success)
}
