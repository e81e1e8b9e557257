//! How a run is kept between lives: rows for what changes, events for what does not.
//!
//! These forms are stored. They are rebuilt from events whenever their version changes, so they
//! need no upcasters: raise [`VERSION`] instead.

use serde::{Deserialize, Serialize};

use super::attempt::Ending;
use super::candidates::Chosen;
use super::event::{Event, PauseReason};
use super::state::{Counts, Final, Integration, Run, RunStatus};
use super::task::{Answer, TaskState, Unheld};
use crate::ids::{RunId, TaskNo, Time};
use crate::journal::{RunRow, TaskRow};
use crate::permission::Rule;

/// The version of the rows' forms.
pub const VERSION: u32 = 8;

#[derive(Serialize)]
struct TaskOut<'a> {
    state: &'a TaskState,
    #[serde(skip_serializing_if = "<[Ending]>::is_empty")]
    endings: &'a [Ending],
    #[serde(skip_serializing_if = "is_zero")]
    failures: u32,
    #[serde(skip_serializing_if = "is_zero")]
    losses: u32,
    #[serde(skip_serializing_if = "is_zero")]
    limits: u32,
    #[serde(skip_serializing_if = "is_zero")]
    used_up: u32,
    #[serde(skip_serializing_if = "is_zero")]
    conflicts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reassigned: &'a Option<String>,
    #[serde(skip_serializing_if = "<[Answer]>::is_empty")]
    answers: &'a [Answer],
    #[serde(skip_serializing_if = "<[Unheld]>::is_empty")]
    unheld: &'a [Unheld],
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: &'a Option<Chosen>,
}

fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}

#[derive(Deserialize)]
struct TaskIn {
    state: TaskState,
    #[serde(default)]
    endings: Vec<Ending>,
    #[serde(default)]
    failures: u32,
    #[serde(default)]
    losses: u32,
    #[serde(default)]
    limits: u32,
    #[serde(default)]
    used_up: u32,
    #[serde(default)]
    conflicts: u32,
    #[serde(default)]
    reassigned: Option<String>,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    unheld: Vec<Unheld>,
    #[serde(default)]
    chosen: Option<Chosen>,
}

#[derive(Serialize, Deserialize)]
struct RunBody {
    status: RunStatus,
    approved: bool,
    paused: Option<PauseReason>,
    canceling: bool,
    ended: Option<(RunStatus, Time)>,
    integration: Integration,
    finally: Final,
    last_at: Time,
    #[serde(default, skip_serializing_if = "is_zero")]
    waited_ms: u64,
    created_at: Time,
    counts: Counts,
    #[serde(default, skip_serializing_if = "is_zero")]
    permissions_asked: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
    /// How many requests wait for a person.
    #[serde(default, skip_serializing_if = "is_zero")]
    asking: u32,
    /// Whether an effect is owed; rows from before it was told are looked into.
    #[serde(default = "always")]
    owes: bool,
}

fn always() -> bool {
    true
}

/// What a run's row tells by itself, without its plan and its tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its status.
    pub status: RunStatus,
    /// When it was created.
    pub created_at: Time,
    /// The time of its last event.
    pub last_at: Time,
    /// Why nothing new is started, if so.
    pub paused: Option<PauseReason>,
    /// How it ended and when.
    pub ended: Option<(RunStatus, Time)>,
    /// How many tasks stand in each status.
    pub counts: Counts,
    /// The checks on the whole.
    pub finally: Final,
    /// How many requests of its agents wait for a person.
    pub asking: u32,
    /// Whether an effect is owed, also after its end.
    pub owes: bool,
}

/// Reads what a run's row tells by itself: enough for a list of runs, at no cost per task.
///
/// # Errors
/// The row cannot be read.
pub fn summary(row: &RunRow) -> Result<Summary, Unreadable> {
    let body: RunBody =
        serde_json::from_str(&row.body).map_err(|e| Unreadable(format!("{}: {e}", row.run)))?;
    Ok(Summary {
        status: body.status,
        created_at: body.created_at,
        last_at: body.last_at,
        paused: body.paused,
        ended: body.ended,
        counts: body.counts,
        finally: body.finally,
        asking: body.asking,
        owes: body.owes,
    })
}

/// The row of a task.
#[must_use]
pub fn task_row(run: &Run, no: TaskNo) -> TaskRow {
    let task = &run.tasks[no.index()];
    let out = TaskOut {
        state: &task.state,
        endings: &task.endings,
        failures: task.failures,
        losses: task.losses,
        limits: task.limits,
        used_up: task.used_up,
        conflicts: task.conflicts,
        reassigned: &task.reassigned,
        answers: &task.answers,
        unheld: &task.unheld,
        chosen: &task.chosen,
    };
    TaskRow {
        run: run.id,
        no: no.0,
        id: task.spec.id.to_string(),
        status: task.status().word().to_owned(),
        attempts: task.attempts(),
        body: to_json(&out),
    }
}

/// The row of a run, which includes all events up to `seq`.
#[must_use]
pub fn run_row(run: &Run, seq: u64) -> RunRow {
    let body = RunBody {
        status: run.status(),
        approved: run.approved,
        paused: run.paused.clone(),
        canceling: run.canceling,
        ended: run.ended,
        integration: run.integration.clone(),
        finally: run.finally.clone(),
        last_at: run.last_at,
        waited_ms: run.waited_ms,
        created_at: run.created_at,
        counts: run.counts.clone(),
        permissions_asked: run.permissions_asked,
        rules: run.rules.clone(),
        asking: run.asking.len() as u32,
        owes: run.owed().next().is_some(),
    };
    RunRow {
        run: run.id,
        title: run.title.clone(),
        status: run.status().word().to_owned(),
        seq,
        body: to_json(&body),
    }
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("rows are plain data")
}

/// Why a run cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A run replayed from all its events, in order.
///
/// # Errors
/// The events do not begin with the run's creation.
pub fn replay(id: RunId, events: &[(Time, Event)]) -> Result<Run, Unreadable> {
    let mut events = events.iter();
    let created = events
        .next()
        .and_then(|(at, event)| Run::from_created(id, *at, event));
    let mut run =
        created.ok_or_else(|| Unreadable(format!("{id} does not begin with its creation")))?;
    for (at, event) in events {
        run.apply(*at, event);
    }
    run.take_changed();
    Ok(run)
}

/// A run from the events of its structure ([`super::KINDS_OF_STRUCTURE`]) and its rows.
///
/// # Errors
/// A row cannot be read, or names a task that is not there.
pub fn restore(
    id: RunId,
    structure: &[(Time, Event)],
    row: &RunRow,
    rows: &[TaskRow],
) -> Result<Run, Unreadable> {
    let mut run = Restoration::begin(id, structure)?;
    run.fill(rows)?;
    run.finish(row)
}

/// A run that is being restored page by page, so that its rows need not be in memory together.
#[derive(Debug)]
pub struct Restoration(Run);

impl Restoration {
    /// Begins with the events of the structure.
    ///
    /// # Errors
    /// They do not begin with the run's creation.
    pub fn begin(id: RunId, structure: &[(Time, Event)]) -> Result<Restoration, Unreadable> {
        let mut structure = structure.iter();
        let created = structure
            .next()
            .and_then(|(at, event)| Run::from_created(id, *at, event));
        let mut run =
            created.ok_or_else(|| Unreadable(format!("{id} does not begin with its creation")))?;
        for (_, event) in structure {
            run.restore_structure(event);
        }
        Ok(Restoration(run))
    }

    /// Takes some of the rows, in any order; each row once.
    ///
    /// # Errors
    /// A row cannot be read, or names a task that is not there.
    pub fn fill(&mut self, rows: &[TaskRow]) -> Result<(), Unreadable> {
        let Restoration(run) = self;
        for row in rows {
            let id = run.id;
            let fault = |cause: String| Unreadable(format!("{id}, task {}: {cause}", row.no));
            let stored: TaskIn =
                serde_json::from_str(&row.body).map_err(|e| fault(e.to_string()))?;
            let task = run
                .tasks
                .get_mut(row.no as usize)
                .ok_or_else(|| fault("no such task".to_owned()))?;
            task.state = stored.state;
            // Reading leaves room for four, and nearly every task has one.
            task.endings = stored.endings;
            task.endings.shrink_to_fit();
            task.failures = stored.failures;
            task.losses = stored.losses;
            task.limits = stored.limits;
            task.used_up = stored.used_up;
            task.conflicts = stored.conflicts;
            task.reassigned = stored.reassigned;
            task.answers = stored.answers;
            task.unheld = stored.unheld;
            task.chosen = stored.chosen;
        }
        Ok(())
    }

    /// The run, once all rows of its tasks are taken.
    ///
    /// # Errors
    /// The run's row cannot be read.
    pub fn finish(self, row: &RunRow) -> Result<Run, Unreadable> {
        let Restoration(mut run) = self;
        let body: RunBody =
            serde_json::from_str(&row.body).map_err(|e| Unreadable(format!("{}: {e}", run.id)))?;
        run.approved = body.approved;
        run.paused = body.paused;
        run.canceling = body.canceling;
        run.ended = body.ended;
        run.integration = body.integration;
        run.finally = body.finally;
        run.last_at = body.last_at;
        run.waited_ms = body.waited_ms;
        run.permissions_asked = body.permissions_asked;
        run.rules = body.rules;
        run.settle_released();
        run.take_changed();
        Ok(run)
    }
}
