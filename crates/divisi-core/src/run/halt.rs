//! What starts nothing new, and what ends what is under way: pausing and canceling.

use super::agents::holds_slot;
use super::attempt::{AttemptEnd, Phase, StopReason};
use super::command::Rejection;
use super::decide::Draft;
use super::event::{Event, PauseReason};
use super::task::Task;
use crate::ids::{AttemptId, TaskNo};

impl Draft<'_> {
    pub(super) fn pause(&mut self, reason: PauseReason, stop: bool) -> Result<(), Rejection> {
        // A person's pause is not taken back when the disk has room again.
        let by_person =
            |reason: &PauseReason| matches!(reason, PauseReason::Owner | PauseReason::Interrupted);
        let stronger = |present: &PauseReason| by_person(&reason) && !by_person(present);
        if self.run.paused.as_ref().is_none_or(stronger) {
            self.push(Event::RunPaused { reason });
        }
        if stop {
            self.stop_all(&StopReason::Interrupted);
        }
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Result<(), Rejection> {
        if self.run.paused.is_some() {
            self.push(Event::RunResumed);
        }
        Ok(())
    }

    /// Asks every working agent to end. People are not asked.
    fn stop_all(&mut self, reason: &StopReason) {
        let working = |(no, task): (TaskNo, &Task)| {
            let live = task.live()?;
            let works = matches!(live.phase, Phase::Leased | Phase::Working);
            let spared = live.stopping.is_some() || !holds_slot(&live.agent);
            (works && !spared).then(|| self.run.attempt_id(no, live.number))
        };
        let working: Vec<AttemptId> = self.run.live().filter_map(working).collect();
        for attempt in working {
            self.push(Event::AttemptStopping {
                attempt,
                reason: reason.clone(),
            });
        }
    }

    pub(super) fn cancel_run(&mut self) -> Result<(), Rejection> {
        if !self.run.canceling {
            self.push(Event::CancelAsked);
        }
        let open: Vec<TaskNo> = (0..self.run.tasks().len() as u32)
            .map(TaskNo)
            .filter(|no| !self.run.tasks()[no.index()].status().is_terminal())
            .collect();
        for task in open {
            self.cancel_one(task);
        }
        Ok(())
    }

    pub(super) fn cancel_task(&mut self, task: TaskNo) -> Result<(), Rejection> {
        if self.known(task)?.status().is_terminal() {
            return self.not_now(task, "canceled", "");
        }
        if self.run.tasks()[task.index()].reviews.is_some() {
            let hint = "judge what it reviews: `divisi approve`, `divisi reject`";
            return self.not_now(task, "canceled", hint);
        }
        self.cancel_one(task);
        let open = |no: &TaskNo| !self.run.tasks()[no.index()].status().is_terminal();
        for candidate in self.run.candidates(task).filter(open).collect::<Vec<_>>() {
            self.cancel_one(candidate);
        }
        Ok(())
    }

    fn cancel_one(&mut self, no: TaskNo) {
        let task = &self.run.tasks()[no.index()];
        let Some(live) = task.live() else {
            self.push(Event::TaskCanceled { task: no });
            return;
        };
        let attempt = self.run.attempt_id(no, live.number);
        let canceled = AttemptEnd::Stopped(StopReason::Canceled);
        match &live.phase {
            Phase::Leased | Phase::Working if !holds_slot(&live.agent) => {
                self.end(attempt, canceled, Vec::new(), true);
            }
            // Also an attempt that is being stopped for another reason: only that one is retried.
            Phase::Leased | Phase::Working if live.stopping != Some(StopReason::Canceled) => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: StopReason::Canceled,
                });
            }
            Phase::Leased | Phase::Working => {}
            Phase::Submitted | Phase::Collected | Phase::Held { .. } | Phase::Verified => {
                self.end(attempt, canceled, Vec::new(), true);
            }
            // Its commit is about to be part of the branch: it is integrated, not canceled.
            Phase::Prepared { .. } => {}
        }
    }
}
