//! A model of the supervisor: it holds agents' processes and outlives engines.
//!
//! It keeps the protocol's promises — one start per job and life, ends held until they are
//! forgotten, lower epochs refused — so that what goes wrong is the core's or the loop's doing.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::ids::{AttemptId, Epoch};
use divisi_core::run::Said;
use divisi_core::worker::Ended;

use crate::agents::Behavior;
use crate::repo::WorkspaceKey;

/// From the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say what you hold.
    Hello(Epoch),
    /// Start an attempt's agent in a workspace.
    Start(AttemptId, WorkspaceKey),
    /// End it.
    End(AttemptId),
    /// Its end is durable.
    Forget(AttemptId),
}

/// To the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// All that is held: live ones without an end; ended ones with it and what they asked.
    Joined(Epoch, Vec<(AttemptId, Option<Finished>)>),
    /// It was started.
    Started(AttemptId),
    /// It could not be started.
    NotStarted(AttemptId, bool),
    /// It ended.
    Ended(AttemptId, Finished),
    /// It is not held.
    Unknown(AttemptId),
}

/// An end and what the agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) ended: Ended,
    /// What it said, if that means anything but "done".
    pub(crate) said: Option<Said>,
}

/// A held process.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where it writes.
    pub(crate) workspace: WorkspaceKey,
    /// How it behaves.
    pub(crate) behavior: Behavior,
    /// When it started, in virtual milliseconds.
    pub(crate) started_ms: u64,
    /// It was told to end.
    pub(crate) told: bool,
    /// How it ended, if it has.
    pub(crate) finished: Option<Finished>,
}

/// One life of the supervisor.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    /// Counts its lives.
    pub(crate) life: u32,
    /// Whether it runs.
    pub(crate) up: bool,
    /// The connection it listens to, if one is.
    pub(crate) connection: Option<u64>,
    /// The highest epoch it heard.
    pub(crate) epoch: Epoch,
    /// What it holds.
    pub(crate) jobs: BTreeMap<AttemptId, Job>,
    /// What could not be started, and whether it never can.
    pub(crate) failed: BTreeMap<AttemptId, bool>,
    /// What it ever held in this life.
    pub(crate) known: BTreeSet<AttemptId>,
}

impl Supervisor {
    /// A new life; returns the live jobs of the last one.
    pub(crate) fn restart(&mut self) -> Vec<(AttemptId, Job)> {
        let jobs = std::mem::take(&mut self.jobs);
        *self = Supervisor {
            life: self.life + 1,
            ..Supervisor::default()
        };
        jobs.into_iter()
            .filter(|(_, job)| job.finished.is_none())
            .collect()
    }

    /// Attempts whose processes live.
    pub(crate) fn live(&self) -> impl Iterator<Item = AttemptId> + '_ {
        let live = self.jobs.iter().filter(|(_, job)| job.finished.is_none());
        live.map(|(attempt, _)| *attempt)
    }

    /// What it says when an engine joins.
    #[must_use]
    pub(crate) fn joined(&self) -> Word {
        let holds = self.jobs.iter();
        let holds = holds.map(|(attempt, job)| (*attempt, job.finished.clone()));
        Word::Joined(self.epoch, holds.collect())
    }
}
