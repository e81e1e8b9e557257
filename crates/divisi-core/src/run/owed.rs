//! What should be under way, as a set that follows from the state.
//!
//! The shell compares it with what is under way and closes the gap. Nothing is started by a
//! handler: what exists only in memory is lost at kill -9.

use super::agents::AGENT_EXTERNAL;
use super::attempt::{Phase, StopReason};
use super::state::{Final, Run};
use super::task::{Task, TaskState};
use crate::ids::{AttemptId, RunId, TaskNo};
use crate::plan::TaskKind;

/// An owed action. Starting an attempt happens at most once, in the epoch of its lease; all others
/// may be repeated freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Prepare its workspace and start its agent.
    Start(AttemptId),
    /// Take its files from outside, once they are there and whole.
    Fetch(AttemptId),
    /// End its processes gracefully.
    Stop(AttemptId),
    /// Make what it produced durable.
    Collect(AttemptId),
    /// Evaluate its criteria on exactly that.
    Check(AttemptId),
    /// Make tasks of what it planned.
    Expand(AttemptId),
    /// Look up the evidence of the review that it made.
    Weigh(AttemptId),
    /// Find out what is compared of the candidate that it made.
    Measure(AttemptId),
    /// Make durable what a given-up attempt finished after all.
    KeepOffer(AttemptId),
    /// Merge the batch of verified attempts onto the head, and check the result.
    Integrate(RunId),
    /// Move the run's branch to the prepared head.
    MoveHead(RunId),
    /// Evaluate everything once more on the integrated whole.
    FinalCheck(RunId),
}

impl Effect {
    /// The run it is about.
    #[must_use]
    pub fn run(self) -> RunId {
        match self {
            Effect::Start(attempt)
            | Effect::Fetch(attempt)
            | Effect::Stop(attempt)
            | Effect::Collect(attempt)
            | Effect::Check(attempt)
            | Effect::Expand(attempt)
            | Effect::Weigh(attempt)
            | Effect::Measure(attempt)
            | Effect::KeepOffer(attempt) => attempt.run,
            Effect::Integrate(run) | Effect::MoveHead(run) | Effect::FinalCheck(run) => run,
        }
    }

    /// Whether it waits for something outside, which may never come. A run that owes nothing else
    /// is at rest.
    #[must_use]
    pub fn waits_for_outside(self) -> bool {
        matches!(self, Effect::Fetch(_))
    }
}

impl Run {
    /// All that is owed now, in a stable order.
    pub fn owed(&self) -> impl Iterator<Item = Effect> + '_ {
        self.owed.iter().copied()
    }

    /// Brings the owed set up to date with one task.
    pub(super) fn owe_task(&mut self, no: TaskNo) {
        let task = &self.tasks[no.index()];
        let number = task.attempts();
        let attempt = self.attempt_id(no, number);
        let wanted = task_effects(task, attempt);
        let kinds = [
            Effect::Start,
            Effect::Fetch,
            Effect::Stop,
            Effect::Collect,
            Effect::Check,
            Effect::Expand,
            Effect::Weigh,
            Effect::Measure,
        ];
        for effect in kinds.map(|kind| kind(attempt)) {
            if wanted == Some(effect) {
                self.owed.insert(effect);
            } else {
                self.owed.remove(&effect);
            }
        }
    }

    /// Brings the owed set up to date with the offers of one task.
    pub(super) fn owe_offers(&mut self, no: TaskNo) {
        for at in 0..self.tasks[no.index()].endings.len() {
            let ending = &self.tasks[no.index()].endings[at];
            let effect = Effect::KeepOffer(self.attempt_id(no, ending.number));
            if ending.returned {
                self.owed.insert(effect);
            } else {
                self.owed.remove(&effect);
            }
        }
    }

    /// Brings the owed set up to date with integration and the checks on the whole.
    pub(super) fn owe_run(&mut self) {
        let prepared = !self.integration.prepared.is_empty();
        let queued = !self.integration.queue.is_empty();
        let live = self.ended.is_none();
        let wanted = [
            (Effect::Integrate(self.id), live && queued && !prepared),
            (Effect::MoveHead(self.id), live && prepared),
            (
                Effect::FinalCheck(self.id),
                live && self.final_check_is_due(),
            ),
        ];
        for (effect, wanted) in wanted {
            if wanted {
                self.owed.insert(effect);
            } else {
                self.owed.remove(&effect);
            }
        }
    }

    /// Whether every task is done (or split into done ones) and the whole is yet to be checked.
    pub(super) fn final_check_is_due(&self) -> bool {
        matches!(self.finally, Final::Open)
            && !self.canceling
            && self.needs_final_check()
            && self.is_fulfilled()
    }

    /// Whether the whole can differ from what was verified: it has files, or criteria of its own.
    pub(super) fn needs_final_check(&self) -> bool {
        !self.criteria.is_empty() || self.has_files
    }
}

/// What a task in this state needs done.
fn task_effects(task: &Task, attempt: AttemptId) -> Option<Effect> {
    let TaskState::Active(live) = &task.state else {
        return None;
    };
    match (&live.phase, &live.stopping) {
        (Phase::Leased, None) => Some(Effect::Start(attempt)),
        // An attempt that is to be stopped may or may not have been started: the supervisor knows.
        (Phase::Leased | Phase::Working, Some(_)) => Some(Effect::Stop(attempt)),
        (Phase::Working, None) if live.agent == AGENT_EXTERNAL => {
            // Without a path nobody can look for it: somebody submits it.
            let awaited = task.spec.paths().next();
            awaited.map(|_| Effect::Fetch(attempt))
        }
        (Phase::Working, None) => None,
        (Phase::Submitted, _) => Some(Effect::Collect(attempt)),
        (Phase::Collected, _) => Some(Effect::Check(attempt)),
        (Phase::Verified, _) if task.spec.kind == TaskKind::Plan => Some(Effect::Expand(attempt)),
        (Phase::Verified, _) if task.reviews.is_some() => Some(Effect::Weigh(attempt)),
        (Phase::Verified, _) if task.candidate_of.is_some() => Some(Effect::Measure(attempt)),
        (Phase::Held { .. } | Phase::Verified | Phase::Prepared { .. }, _) => None,
    }
}

impl StopReason {
    /// The reason in one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            StopReason::Stalled(_) => "stalled",
            StopReason::Overdue | StopReason::OverBudget(_) => "overdue",
            StopReason::Canceled => "canceled",
            StopReason::Interrupted => "interrupted",
        }
    }
}
