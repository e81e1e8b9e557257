//! What a point took in this project, from its runs that have ended.
//!
//! Only what a role's own work took counts: programs take what they take, and a script that is
//! played takes no time. The tokens that it reports count until an agent reports some.

use std::collections::BTreeMap;

use divisi_core::journal::Artifacts as _;
use divisi_core::plan::Work;
use divisi_core::receipt::Receipt;
use divisi_core::run::{self, Run, Task, TaskStatus};
use divisi_core::{Digest, RunId};
use divisi_pack::bundle::{Bundle, Calibration, Took};
use divisi_store::View;

use crate::config::Configuration;
use crate::loaded;
use crate::printer::Failure;
use crate::project::Project;

/// So many of the latest runs are looked at: what took long years ago says little.
const RUNS_MAX: usize = 20;

/// Larger runs are left out: looking at history must not take longer than starting a run.
const TASKS_MAX: u64 = 10_000;

/// Runs of one look at the list.
const PAGE: u32 = 1_000;

/// What a point takes, as far as this project knows. A journal that cannot be read says nothing:
/// whoever opens it to write tells why.
pub(crate) fn calibration(project: &Project, configuration: &Configuration) -> Calibration {
    let unless = configuration.given().calibration.rate;
    let history = project.view().and_then(|view| history(&view));
    Calibration::learned(unless, &history.unwrap_or_default())
}

fn history(view: &View) -> Result<Vec<Took>, Failure> {
    let mut ids: Vec<RunId> = Vec::new();
    loop {
        let page = view.runs(ids.last().copied(), PAGE)?;
        if page.is_empty() {
            break;
        }
        ids.extend(page.into_iter().map(|row| row.run));
    }
    let mut history = Vec::new();
    for id in ids.into_iter().rev().take(RUNS_MAX) {
        let counts = view.task_counts(id)?;
        if counts.iter().map(|(_, many)| many).sum::<u64>() > TASKS_MAX {
            continue;
        }
        let run = loaded::load(view, id)?;
        if run.ended.is_some() {
            history.extend(took(view, &run));
        }
    }
    Ok(history)
}

/// What the tasks of a workflow's run took. A bundle that is not there any more says nothing.
fn took(view: &View, run: &Run) -> Vec<Took> {
    let mut bundles: BTreeMap<&Digest, Bundle> = BTreeMap::new();
    for task in run.tasks() {
        if let Work::Expand(expansion) = &task.spec.work
            && !bundles.contains_key(&expansion.bundle)
            && let Ok(Some(bytes)) = view.artifacts().get(&expansion.bundle)
            && let Ok(bundle) = Bundle::from_json(&bytes)
        {
            bundles.insert(&expansion.bundle, bundle);
        }
    }
    let done = run.tasks().iter().filter(|task| is_roles_own(task));
    let took = done.filter_map(|task| {
        let (role, points) = bundles.values().find_map(|it| it.points(&task.spec))?;
        Some(Took {
            role: role.id.clone(),
            points,
            ms: (!is_scripted(task)).then(|| worked_ms(task)),
            tokens: task.usage().map(|usage| usage.tokens),
            is_scripted: is_scripted(task),
        })
    });
    took.collect()
}

fn is_roles_own(task: &Task) -> bool {
    task.status() == TaskStatus::Done && task.spec.work == Work::Handoff
}

/// Whether any of it was only played.
fn is_scripted(task: &Task) -> bool {
    let mut agents = task.endings.iter().map(|ending| ending.agent.as_str());
    agents.any(run::is_scripted)
}

fn worked_ms(task: &Task) -> u64 {
    let receipts = task.endings.iter().flat_map(|ending| &ending.receipts);
    let worked = receipts.map(|receipt| match receipt {
        Receipt::Submitted { wall_ms, .. } => *wall_ms,
        _ => 0,
    });
    worked.sum()
}
