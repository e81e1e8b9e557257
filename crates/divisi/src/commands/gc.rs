//! `divisi gc`: what can be cleaned up, and with `--yes`, its removal.
//!
//! Nothing is removed that is not proven integrated or explicitly discarded.

use std::sync::Arc;

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Ending, Run, TaskStatus};
use divisi_engine::repo::Repo;
use divisi_engine::workspace::{GcAction, GcItem, Pool, PoolOptions, Proof};

use crate::cli;
use crate::exit::Exit;
use crate::hold::{Holder, Holding, reach};
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::project::Project;

/// `divisi gc`.
pub(crate) fn gc(args: &cli::Gc, project: &Project, printer: &Printer) -> Outcome {
    let holding = Holding::of(project);
    let silent = || -> divisi_engine::engine::Observer { Box::new(|_, _| {}) };
    let holder = reach(&holding, silent).map_err(|told| Failure::told(told, Exit::Environment))?;
    let Holder::Us(held) = holder else {
        let diagnostic =
            divisi_core::Diagnostic::error("gc-busy", "an engine works in this project")
                .hint("wait for it, or `divisi pause` its runs; then clean up");
        return Err(Failure::told(diagnostic, Exit::Refused));
    };
    let runs = crate::follow::all(project)?;
    let told =
        |fault: divisi_engine::repo::Fault| Failure::told(fault.diagnostic(), Exit::Environment);
    let repo = Repo::open(&project.divisi(), project.folder()).map_err(told)?;
    let pool = Pool::open(Arc::new(repo), PoolOptions { kept: 0 }).map_err(told)?;
    let items = pool
        .gc(!args.yes, &|item| proof(item, &runs))
        .map_err(told)?;
    drop(held);
    if printer.is_json() {
        let rows: Vec<_> = items
            .iter()
            .map(|item| {
                let removed = item.action == GcAction::Remove;
                serde_json::json!({"name": item.name, "bytes": item.bytes, "removed": removed, "why": item.why})
            })
            .collect();
        printer.document(&serde_json::json!({"dry_run": !args.yes, "items": rows}))?;
        return Ok(Exit::Success);
    }
    for item in &items {
        let verb = match (&item.action, args.yes) {
            (GcAction::Remove, true) => "removed",
            (GcAction::Remove, false) => "can be removed",
            (GcAction::Keep, _) => "kept",
        };
        printer.line(&Line::of(format!(
            "{verb}: {} ({} bytes), {}",
            item.name, item.bytes, item.why
        )))?;
    }
    if !args.yes && items.iter().any(|item| item.action == GcAction::Remove) {
        printer.note(&Line::of("nothing was removed; to do it: divisi gc --yes"));
    }
    Ok(Exit::Success)
}

/// What is known of the work in a folder.
fn proof(item: &GcItem, runs: &[Run]) -> Proof {
    let run = runs.iter().find(|run| Some(run.id) == item.run);
    let Some((run, no)) = run.zip(item.task) else {
        return Proof::None;
    };
    let Some(task) = run.task(no) else {
        return Proof::None;
    };
    match task.status() {
        TaskStatus::Canceled | TaskStatus::Failed => return Proof::Discarded,
        TaskStatus::Done | TaskStatus::Split => {}
        _ => return Proof::None,
    }
    let is_taken =
        |ending: &&Ending| matches!(ending.end, AttemptEnd::Integrated | AttemptEnd::Expanded);
    let integrated = task.endings.iter().rev().find(is_taken);
    let collected = integrated
        .into_iter()
        .flat_map(|ending| &ending.receipts)
        .any(|receipt| match receipt {
            Receipt::Collected {
                snapshot: Some(snapshot),
                ..
            } => item.snapshot.as_ref() == Some(&snapshot.commit),
            _ => false,
        });
    if collected {
        Proof::Integrated
    } else {
        Proof::None
    }
}
