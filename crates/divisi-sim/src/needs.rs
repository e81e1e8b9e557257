//! What an effect needs of the state, read once when it is begun: what changes afterwards does not
//! change what is under way.

use divisi_core::criterion::Criterion;
use divisi_core::ids::{AttemptId, Commit, RunId, TaskNo};
use divisi_core::receipt::Snapshot;
use divisi_core::run::{Effect, Run, TaskStatus};
use divisi_core::{TaskId, WorkspaceKind};

use crate::candidates::Measuring;
use crate::expansions::Expanding;
use crate::repo::WorkspaceKey;
use crate::rng::hash;
use crate::weighings::Weighing;

/// What was read, by the kind of effect.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Prepare {
        attempt: AttemptId,
        key: WorkspaceKey,
        head: Commit,
        agent: String,
    },
    Fetch {
        attempt: AttemptId,
        key: WorkspaceKey,
    },
    Collect {
        attempt: AttemptId,
        key: WorkspaceKey,
        files: bool,
        adopts: Option<Snapshot>,
    },
    Check {
        attempt: AttemptId,
        criteria: Vec<Criterion>,
        ok_exit: Vec<i32>,
        snapshot: Option<Commit>,
    },
    Expand(Expanding),
    /// Look up what a review cites.
    Weigh(Weighing),
    /// Find out what is compared of a candidate.
    Measure(Measuring),
    Offer {
        attempt: AttemptId,
        key: WorkspaceKey,
    },
    Merge {
        run: RunId,
        onto: Commit,
        batch: Vec<(AttemptId, Snapshot)>,
    },
    Move {
        run: RunId,
        old: Commit,
        new: Commit,
    },
    Final {
        run: RunId,
        head: Option<Commit>,
        criteria: Vec<Criterion>,
        tasks: Vec<TaskNo>,
    },
}

/// Reads from the state what an effect needs.
pub(crate) fn what(run: &Run, effect: Effect) -> Option<What> {
    let head = || run.integration.head.clone();
    Some(match effect {
        Effect::Stop(_) => return None,
        Effect::Start(attempt) => What::Prepare {
            attempt,
            key: workspace_of(run, attempt)?,
            head: head()?,
            agent: run.task(attempt.task)?.live()?.agent.clone(),
        },
        Effect::Fetch(attempt) => What::Fetch {
            attempt,
            key: workspace_of(run, attempt)?,
        },
        Effect::Collect(attempt) => {
            let spec = &run.task(attempt.task)?.spec;
            What::Collect {
                attempt,
                key: workspace_of(run, attempt)?,
                files: spec.workspace == WorkspaceKind::Worktree || scratch_has_files(&spec.id),
                adopts: run.task(attempt.task)?.live()?.adopts.clone(),
            }
        }
        Effect::Check(attempt) => {
            let task = run.task(attempt.task)?;
            let snapshot = task.live()?.snapshot();
            What::Check {
                attempt,
                criteria: task.spec.criteria.clone(),
                ok_exit: task.spec.ok_exit.clone(),
                snapshot: snapshot.map(|snapshot| snapshot.commit.clone()),
            }
        }
        Effect::Weigh(attempt) => What::Weigh(Weighing::of(run, attempt)?),
        Effect::Measure(attempt) => What::Measure(Measuring::of(run, attempt)?),
        Effect::Expand(attempt) => What::Expand(Expanding::of(run, attempt)?),
        Effect::KeepOffer(attempt) => What::Offer {
            attempt,
            key: workspace_of(run, attempt)?,
        },
        Effect::Integrate(id) => {
            let (batch, onto) = run.batch();
            let snapshot = |attempt: AttemptId| {
                let live = run.task(attempt.task)?.live()?;
                Some((attempt, live.snapshot()?.clone()))
            };
            What::Merge {
                run: id,
                onto: onto?.clone(),
                batch: batch.into_iter().filter_map(snapshot).collect(),
            }
        }
        Effect::MoveHead(id) => What::Move {
            run: id,
            old: head()?,
            new: run.prepared_head()?.clone(),
        },
        Effect::FinalCheck(id) => What::Final {
            run: id,
            head: head(),
            criteria: run.criteria.clone(),
            tasks: integrated(run),
        },
    })
}

/// Tasks that are done by an attempt, and could be redone.
fn integrated(run: &Run) -> Vec<TaskNo> {
    let tasks = run.tasks().iter().enumerate();
    let done = tasks.filter(|(_, task)| !task.endings.is_empty());
    let done = done.filter(|(_, task)| task.candidate_of.is_none());
    let done = done.filter(|(_, task)| task.status() == TaskStatus::Done);
    done.map(|(no, _)| TaskNo(no as u32)).collect()
}

/// Half of the tasks with a scratch folder promise files, by name.
fn scratch_has_files(id: &TaskId) -> bool {
    id.as_str()
        .bytes()
        .fold(0, |sum, byte| hash(&[sum, u64::from(byte)]))
        % 2
        == 0
}

/// The name of the workspace that an attempt has.
fn workspace_of(run: &Run, attempt: AttemptId) -> Option<WorkspaceKey> {
    let task = run.task(attempt.task)?;
    let live = task.live().filter(|live| live.number == attempt.number);
    let number = match live {
        Some(live) => live.workspace,
        None => task.ending(attempt.number)?.workspace,
    };
    Some((run.id, attempt.task, number))
}
