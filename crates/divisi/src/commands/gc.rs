//! `divisi gc`: what can be cleaned up, and with `--yes`, its removal.
//!
//! Nothing is removed that is not proven integrated, explicitly discarded, or was never promised.

use std::sync::Arc;

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Ending, Run, TaskStatus};
use divisi_engine::repo::{Prune, Pruned, Repo};
use divisi_engine::workspace::{GcAction, GcItem, Pool, PoolOptions, Proof};
use serde_json::{Value, json};

use crate::changed::told;
use crate::cli;
use crate::exit::Exit;
use crate::hold::{Holder, Holding, reach};
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::project::Project;
use crate::words::{plural, size};

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
    let repo = Repo::open(&project.divisi(), project.folder()).map_err(|fault| told(&fault))?;
    let repo = Arc::new(repo);
    let pool = Pool::open(Arc::clone(&repo), PoolOptions { kept: 0 }).map_err(|f| told(&f))?;
    let items = pool
        .gc(!args.yes, &|item| proof(item, &runs))
        .map_err(|fault| told(&fault))?;
    let prune = if args.yes { Prune::Now } else { Prune::DryRun };
    let mut needed = pool.needed(&items);
    let of_runs = runs.iter().flat_map(Run::commits_kept);
    needed.commits.extend(of_runs.cloned());
    let objects = repo.prune(&needed, prune).map_err(|fault| told(&fault))?;
    drop(held);
    if printer.is_json() {
        printer.document(&document(args, &items, objects))?;
        return Ok(Exit::Success);
    }
    printer.lines(&lines(args, &items, objects))?;
    let can_be = items.iter().any(|item| item.action == GcAction::Remove)
        || objects.is_some_and(|objects| objects.objects + objects.packs > 0);
    if !args.yes && can_be {
        printer.note(&Line::of("nothing was removed; to do it: divisi gc --yes"));
    }
    Ok(Exit::Success)
}

fn lines(args: &cli::Gc, items: &[GcItem], objects: Option<Pruned>) -> Vec<Line> {
    let verb = |action: &GcAction| match (action, args.yes) {
        (GcAction::Remove, true) => "removed",
        (GcAction::Remove, false) => "can be removed",
        (GcAction::Keep, _) => "kept",
    };
    let of_item = |item: &GcItem| {
        let size = size(item.bytes);
        Line::of(format!(
            "{}: {} ({size}), {}",
            verb(&item.action),
            item.name,
            item.why
        ))
    };
    let mut lines: Vec<Line> = items.iter().map(of_item).collect();
    let Some(objects) = objects else {
        lines.push(Line::of(
            "kept: objects in repo.git, another command uses them",
        ));
        return lines;
    };
    let removed = verb(&GcAction::Remove);
    let repacks = objects.packs > 0;
    if objects.objects > 0 || repacks && args.yes {
        let many = plural(objects.objects, "object");
        let freed = size(objects.bytes);
        lines.push(Line::of(format!(
            "{removed}: {many} in repo.git ({freed}), no run needs them"
        )));
    }
    if repacks {
        let anew = if args.yes {
            "packed anew"
        } else {
            "can be packed anew"
        };
        let (packs, size) = (plural(objects.packs, "pack"), size(objects.pack_bytes));
        lines.push(Line::of(format!(
            "{anew}: {packs} in repo.git ({size}), the project has them no longer"
        )));
    }
    lines
}

fn document(args: &cli::Gc, items: &[GcItem], objects: Option<Pruned>) -> Value {
    let of_item = |item: &GcItem| {
        let removed = item.action == GcAction::Remove;
        json!({"name": item.name, "bytes": item.bytes, "removed": removed, "why": item.why})
    };
    let of_objects = |pruned: Pruned| {
        json!({
            "objects": pruned.objects,
            "bytes": pruned.bytes,
            "packs": pruned.packs,
            "pack_bytes": pruned.pack_bytes,
        })
    };
    json!({
        "dry_run": !args.yes,
        "items": items.iter().map(of_item).collect::<Vec<Value>>(),
        "repository": objects.map(of_objects),
    })
}

/// What is known of the work in a folder.
fn proof(item: &GcItem, runs: &[Run]) -> Proof {
    let Some(run) = runs.iter().find(|run| Some(run.id) == item.run) else {
        return Proof::None;
    };
    let Some(no) = item.task else {
        // A shared checkout is no task's own: nothing is ever collected from it.
        return match run.ended {
            Some(_) => Proof::Unpromised,
            None => Proof::None,
        };
    };
    let Some(task) = run.task(no) else {
        return Proof::None;
    };
    let is_collected = |ending: &Ending| {
        ending.receipts.iter().any(|receipt| match receipt {
            Receipt::Collected {
                snapshot: Some(snapshot),
                ..
            } => item.snapshot.as_ref() == Some(&snapshot.commit),
            _ => false,
        })
    };
    match task.status() {
        TaskStatus::Done | TaskStatus::Split => {
            let mut endings = task.endings.iter().rev();
            let is_taken = |ending: &&Ending| {
                matches!(ending.end, AttemptEnd::Integrated | AttemptEnd::Expanded)
            };
            match endings.find(is_taken).is_some_and(is_collected) {
                true => Proof::Integrated,
                false => Proof::None,
            }
        }
        // Its owner gave it up. While the run is open it may be tried again, and goes on with what
        // was never collected.
        TaskStatus::Canceled | TaskStatus::Failed
            if run.ended.is_some() || task.endings.iter().any(is_collected) =>
        {
            Proof::Discarded
        }
        _ => Proof::None,
    }
}
