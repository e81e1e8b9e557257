//! `divisi gc`: what can be cleaned up, and with `--yes`, its removal.
//!
//! Nothing is removed that is not proven integrated, explicitly discarded, or was never promised.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use divisi_core::Digest;
use divisi_core::plan::Work;
use divisi_core::receipt::Receipt;
use divisi_core::run::{Attempt, AttemptEnd, Ending, Run, Task, TaskStatus};
use divisi_core::{RunId, TaskNo};
use divisi_engine::failpoint;
use divisi_engine::repo::{Prune, Pruned, Repo};
use divisi_engine::workspace::{GcAction, GcItem, Pool, PoolOptions, Proof, folder_of};
use divisi_store::{ArtifactFiles, GiveBack, GivenBack};
use serde_json::{Value, json};

use crate::changed::told;
use crate::cli;
use crate::exit::Exit;
use crate::hold::{Holder, Holding, reach};
use crate::printer::{Failure, Line, Outcome, Printer, Style};
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
    let artifacts = give_back(args, project, &runs)?;
    drop(held);
    let found = Found {
        items,
        objects,
        artifacts,
    };
    if printer.is_json() {
        printer.document(&document(args, &found))?;
        return Ok(Exit::Success);
    }
    let lines = lines(args, &found, &runs);
    printer.lines(&lines)?;
    if lines.is_empty() {
        printer.note(&Line::of("nothing is left to clean up"));
    }
    if !args.yes && found.can_go() {
        printer.note(&Line::of("nothing was removed; to do it: divisi gc --yes"));
    }
    Ok(Exit::Success)
}

/// What there is to be cleaned up, or was.
struct Found {
    items: Vec<GcItem>,
    /// `None` where another command uses them.
    objects: Option<Pruned>,
    artifacts: GivenBack,
}

impl Found {
    fn can_go(&self) -> bool {
        let of_objects = |objects: &Pruned| objects.objects + objects.packs > 0;
        let mut items = self.items.iter();
        items.any(|item| item.action == GcAction::Remove)
            || self.objects.as_ref().is_some_and(of_objects)
            || self.artifacts.artifacts > 0
    }
}

/// Rehearsals are read to play the tasks of their run, and by nobody once it has ended. Bundles are
/// read later, too: a run is saved as a workflow by its bundle, and what its tasks took is told by it.
fn give_back(args: &cli::Gc, project: &Project, runs: &[Run]) -> Result<GivenBack, Failure> {
    let unfinished = runs.iter().filter(|run| run.ended.is_none());
    let rehearsals = unfinished.flat_map(|run| &run.settings.rehearsal);
    let tasks = runs.iter().flat_map(|run| run.tasks());
    let bundle = |task: &Task| match &task.spec.work {
        Work::Expand(expansion) => Some(expansion.bundle.clone()),
        _ => None,
    };
    let needed = tasks.filter_map(bundle).chain(rehearsals.cloned());
    let needed: BTreeSet<Digest> = needed.collect();
    let how = if args.yes {
        GiveBack::Now
    } else {
        GiveBack::DryRun
    };
    let artifacts = ArtifactFiles::with_hook(&project.divisi(), failpoint::hit);
    let given = artifacts.give_back(&needed, how);
    given.map_err(|fault| Failure::told(divisi_store::diagnostic(&fault), Exit::Environment))
}

fn lines(args: &cli::Gc, found: &Found, runs: &[Run]) -> Vec<Line> {
    let verb = |action: &GcAction| match (action, args.yes) {
        (GcAction::Remove, true) => "removed",
        (GcAction::Remove, false) => "can be removed",
        (GcAction::Keep, _) => "kept",
    };
    let of_item = |item: &GcItem| {
        let size = size(item.bytes);
        let line = Line::of(format!(
            "{}: {} ({size}), {}",
            verb(&item.action),
            item.name,
            item.why
        ));
        let kept = item.action == GcAction::Keep;
        match kept.then(|| discarding(item, runs)).flatten() {
            Some(command) => line.with(Style::Dim, "  → ").with(Style::Note, command),
            None => line,
        }
    };
    let removed = verb(&GcAction::Remove);
    let mut lines: Vec<Line> = found.items.iter().map(of_item).collect();
    if found.artifacts.artifacts > 0 {
        let many = plural(found.artifacts.artifacts, "file");
        let freed = size(found.artifacts.bytes);
        lines.push(Line::of(format!(
            "{removed}: {many} of workflows and rehearsals ({freed}), no run needs them"
        )));
    }
    let Some(objects) = found.objects else {
        lines.push(Line::of(
            "kept: objects in repo.git, another command uses them",
        ));
        return lines;
    };
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

fn document(args: &cli::Gc, found: &Found) -> Value {
    let of_item = |item: &GcItem| {
        let removable = item.action == GcAction::Remove;
        json!({
            "name": item.name,
            "bytes": item.bytes,
            "removable": removable,
            "removed": removable && args.yes,
            "why": item.why,
        })
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
        "items": found.items.iter().map(of_item).collect::<Vec<Value>>(),
        "repository": found.objects.map(of_objects),
        "bundles": {"bundles": found.artifacts.artifacts, "bytes": found.artifacts.bytes},
    })
}

/// The last attempt that worked in a folder, if it is over.
fn last_in<'t>(item: &GcItem, run: RunId, no: TaskNo, task: &'t Task) -> Option<&'t Ending> {
    let mut endings = task.endings.iter().rev();
    endings.find(|ending| is_of(item, run, no, ending.workspace))
}

/// Whether a folder is that of a task's workspace of this number.
fn is_of(item: &GcItem, run: RunId, no: TaskNo, workspace: u32) -> bool {
    let folder = folder_of(Path::new(""), run, no, workspace);
    folder.file_name().and_then(|name| name.to_str()) == Some(&item.name)
}

/// Whether somebody works in a folder, or whoever tries the task next will.
fn is_in_use(item: &GcItem, run: RunId, no: TaskNo, task: &Task) -> bool {
    let works = |live: &Attempt| is_of(item, run, no, live.workspace);
    let is_next = |last: &Ending| last.workspace_kept && is_of(item, run, no, last.workspace);
    task.live().is_some_and(works)
        || (!task.status().is_terminal() && task.endings.last().is_some_and(is_next))
}

/// The command that gives up what is kept in a folder, where nobody needs it any more.
fn discarding(item: &GcItem, runs: &[Run]) -> Option<String> {
    let run = runs.iter().find(|run| Some(run.id) == item.run)?;
    let (no, task) = item.task.and_then(|no| Some((no, run.task(no)?)))?;
    let last = last_in(item, run.id, no, task).filter(|_| !is_in_use(item, run.id, no, task))?;
    let is_taken = matches!(last.end, AttemptEnd::Integrated | AttemptEnd::Expanded);
    let command = format!("divisi discard {} {}@{}", run.id, task.spec.id, last.number);
    (!is_taken).then_some(command)
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
    if last_in(item, run.id, no, task).is_some_and(|last| last.discarded)
        && !is_in_use(item, run.id, no, task)
    {
        return Proof::Discarded;
    }
    let is_collected = |ending: &Ending| {
        ending.receipts.iter().any(|receipt| match receipt {
            Receipt::Collected {
                snapshot: Some(snapshot),
                ..
            } => item.snapshot.as_ref() == Some(&snapshot.commit),
            _ => false,
        })
    };
    // Nothing more is chosen of candidates, and `divisi diff` shows what each was.
    let is_chosen_from = |of: TaskNo| {
        let of = run.task(of);
        of.is_some_and(|of| matches!(of.status(), TaskStatus::Done))
    };
    let is_measured = |ending: &Ending| ending.end == AttemptEnd::Measured;
    if task.candidate_of.is_some_and(is_chosen_from)
        && task
            .endings
            .last()
            .is_some_and(|it| is_measured(it) && is_collected(it))
    {
        return Proof::Recorded;
    }
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
