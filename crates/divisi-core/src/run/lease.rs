//! From the lease of an attempt to the end of its process, or of its lease.
//!
//! All words about it name it, and are heard only while it is at the point that they are about. One
//! that comes after it was given up changes nothing, and its finished work is kept as an offer.

use super::agents::holds_slot;
use super::attempt::{Attempt, AttemptEnd, Ending, Failure, Phase, StopReason};
use super::command::{Finding, Rejection, Said};
use super::decide::Draft;
use super::event::{Event, PauseReason};
use super::remedy;
use super::task::{Task, TaskState};
use crate::ids::{AttemptId, Epoch, TaskNo};
use crate::ledger::{Credential, Means};
use crate::plan::WorkspaceKind;
use crate::receipt::{Receipt, Snapshot};
use crate::worker::Ended;

impl Draft<'_> {
    pub(super) fn lease(
        &mut self,
        task: TaskNo,
        epoch: Epoch,
        reserved_ms: Option<u64>,
        with: Option<Means>,
    ) -> Result<(), Rejection> {
        if !self.run.approved {
            return Err(Rejection::NotApproved);
        }
        if self.run.paused.is_some() || self.run.canceling {
            return Err(Rejection::Paused);
        }
        let known = self.known(task)?;
        match &known.state {
            TaskState::Ready { not_before } if *not_before <= self.at => {}
            _ => return self.not_now(task, "leased", ""),
        }
        let (agent, credential) = match with {
            Some(Means { agent, credential }) => {
                // The lease names the agent anyway.
                let says_more = credential != Credential::Agent(agent.clone());
                (agent, says_more.then_some(credential))
            }
            None => (known.agent(&self.run.settings).to_owned(), None),
        };
        if self.run.is_held_back(known) {
            let limit = self.run.awaiting_words();
            return Err(Rejection::LimitReached { limit });
        }
        if holds_slot(&agent)
            && let Some(limit) = self.run.limit_reached(&agent, known.spec.role().as_deref())
        {
            return Err(Rejection::LimitReached { limit });
        }
        let workspace = match known.endings.last() {
            None => 1,
            Some(last) => last.workspace + u32::from(!last.workspace_kept),
        };
        let own_ms = known.timeout_ms(&self.run.settings);
        // Who holds no slot takes no agents' time, and has no time box.
        let shorter = |ms: &u64| *ms < own_ms && holds_slot(&agent);
        let timeout_ms = reserved_ms.filter(shorter);
        let attempt = self.run.attempt_id(task, known.attempts() + 1);
        self.push(Event::AttemptLeased {
            attempt,
            agent,
            epoch,
            workspace,
            timeout_ms,
            credential,
        });
        Ok(())
    }

    /// `started` becomes an event once, whoever says it again.
    pub(super) fn on_started(
        &mut self,
        attempt: AttemptId,
        started: Event,
    ) -> Result<(), Rejection> {
        match self.live(attempt)?.phase {
            Phase::Leased => {}
            Phase::Working => return Ok(()),
            _ => return Self::superseded(attempt),
        }
        self.push(started);
        Ok(())
    }

    /// What every workspace of the run needs cannot be had: nothing more is started until a person
    /// has seen to it.
    pub(super) fn on_not_prepared(
        &mut self,
        attempt: AttemptId,
        cause: String,
    ) -> Result<(), Rejection> {
        let live = self.live(attempt)?;
        if live.phase != Phase::Leased {
            return Self::superseded(attempt);
        }
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => {
                self.pause(PauseReason::Fault(cause.clone()), false)?;
                AttemptEnd::Errored(Failure::Preparation(cause))
            }
        };
        // No agent has seen its workspace.
        self.end(attempt, end, Vec::new(), true);
        Ok(())
    }

    /// A live attempt whose agent works, or is yet to begin. What it ended with is known otherwise.
    pub(super) fn at_work(&self, attempt: AttemptId) -> Result<&Attempt, Rejection> {
        let live = self.live(attempt)?;
        match live.phase {
            Phase::Leased | Phase::Working => Ok(live),
            _ => Self::superseded(attempt),
        }
    }

    pub(super) fn on_not_started(
        &mut self,
        attempt: AttemptId,
        cause: String,
        permanent: bool,
    ) -> Result<(), Rejection> {
        let live = self.at_work(attempt)?;
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => AttemptEnd::Errored(Failure::Start { cause, permanent }),
        };
        self.end(attempt, end, Vec::new(), true);
        Ok(())
    }

    pub(super) fn on_not_composed(
        &mut self,
        attempt: AttemptId,
        cause: String,
        ended: Option<&Ended>,
    ) -> Result<(), Rejection> {
        let live = self.at_work(attempt)?;
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => AttemptEnd::Refused(Failure::Composition(cause)),
        };
        let receipts = ended.map(|ended| self.submission(ended, None));
        let swept = ended.is_none_or(|ended| ended.empty);
        self.end(attempt, end, receipts.into_iter().collect(), swept);
        Ok(())
    }

    /// The receipt of a process's end.
    fn submission(&self, ended: &Ended, said: Option<&Said>) -> Receipt {
        Receipt::Submitted {
            at: self.at,
            command: ended.command.clone(),
            exit: ended.exit.clone(),
            output: ended.output.clone(),
            wall_ms: ended.wall_ms,
            confined: ended.confined,
            usage: ended.usage,
            claimed_failure: match said {
                Some(Said::Failure(cause) | Said::TooLarge(cause)) => Some(cause.clone()),
                _ => None,
            },
            too_large: matches!(said, Some(Said::TooLarge(_))),
            used_up: match said {
                Some(Said::UsedUp(bound)) => Some(*bound),
                _ => None,
            },
        }
    }

    pub(super) fn on_ended(
        &mut self,
        attempt: AttemptId,
        ended: &Ended,
        said: Option<Said>,
    ) -> Result<(), Rejection> {
        let Ok(live) = self.live(attempt) else {
            return self.on_late(attempt, ended);
        };
        if !matches!(live.phase, Phase::Leased | Phase::Working) {
            return Self::superseded(attempt);
        }
        let stopping = live.stopping.clone();
        self.note_denied(attempt, &ended.denied);
        let receipt = self.submission(ended, said.as_ref());
        if let Some(reason) = stopping {
            self.break_off(attempt, AttemptEnd::Stopped(reason), receipt, ended.empty);
            return Ok(());
        }
        if ended.told {
            // Somebody else's order, for instance a supervisor whose engine was gone too long.
            let cause = "its supervisor ended it".to_owned();
            self.end(attempt, AttemptEnd::Lost(cause), vec![receipt], ended.empty);
            return Ok(());
        }
        let end = match said {
            None | Some(Said::Failure(_) | Said::TooLarge(_)) => {
                self.submitted(attempt, receipt, &ended.exit, ended.empty);
                return Ok(());
            }
            Some(Said::Question(question)) => AttemptEnd::Asked(question),
            Some(Said::UsedUp(bound)) => AttemptEnd::UsedUp(bound),
            Some(Said::UsageLimit {
                cause,
                wait_ms,
                ends_at,
            }) => AttemptEnd::Limited {
                cause,
                wait_ms,
                ends_at,
            },
            Some(Said::Hindrance(cause)) => AttemptEnd::Lost(cause),
        };
        self.break_off(attempt, end, receipt, ended.empty);
        Ok(())
    }

    /// Its agent is gone and was not done. A next attempt finds what it made in its workspace; who
    /// takes the task's place does not. So that is collected first, and checked: it may hold, and
    /// otherwise they begin with it.
    fn break_off(&mut self, attempt: AttemptId, end: AttemptEnd, receipt: Receipt, swept: bool) {
        let receipts = vec![receipt];
        let remedy = remedy::choose(self.run, attempt.task, &end, &receipts, self.at);
        let spec = &self.run.tasks()[attempt.task.index()].spec;
        // In a shared workspace everybody finds it.
        if remedy.parts.is_some() && spec.workspace != WorkspaceKind::Shared {
            self.push(Event::AttemptAdvanced { attempt, receipts });
        } else {
            self.end(attempt, end, receipts, swept);
        }
    }

    fn on_late(&mut self, attempt: AttemptId, ended: &Ended) -> Result<(), Rejection> {
        match self.ending(attempt) {
            Some(ending) if matches!(ending.end, AttemptEnd::Lost(_)) => {
                if !ending.returned && ending.offer.is_none() {
                    let exit = Some(ended.exit.clone());
                    self.push(Event::AttemptReturned { attempt, exit });
                }
                Ok(())
            }
            _ => Self::superseded(attempt),
        }
    }

    pub(super) fn find(&mut self, attempt: AttemptId, finding: Finding) -> Result<(), Rejection> {
        let live = self.at_work(attempt)?;
        let (suspected, stopping) = (live.suspected.is_some(), live.stopping.is_some());
        let shortened = live.timeout_ms;
        match finding {
            Finding::Suspected(evidence) if !suspected => {
                self.push(Event::AttemptSuspected { attempt, evidence });
            }
            Finding::Cleared if suspected => self.push(Event::AttemptCleared { attempt }),
            Finding::Stalled(evidence) if !stopping => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: StopReason::Stalled(evidence),
                });
            }
            Finding::Overdue if !stopping => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: shortened.map_or(StopReason::Overdue, StopReason::OverBudget),
                });
            }
            Finding::Lost(cause) => self.end(attempt, AttemptEnd::Lost(cause), Vec::new(), false),
            Finding::Suspected(_) | Finding::Cleared | Finding::Stalled(_) | Finding::Overdue => {}
        }
        Ok(())
    }

    /// Leases of earlier epochs are adopted if the supervisor holds them, otherwise they are lost.
    pub(super) fn on_joined(&mut self, epoch: Epoch, holds: &[AttemptId]) {
        let early = |(no, task): (TaskNo, &Task)| {
            let live = task.live()?;
            let works = matches!(live.phase, Phase::Leased | Phase::Working);
            let attempt = self.run.attempt_id(no, live.number);
            (works && live.epoch < epoch).then(|| (attempt, live.agent.clone()))
        };
        let leased: Vec<(AttemptId, String)> = self.run.live().filter_map(early).collect();
        for (attempt, agent) in leased {
            // A person's attempt, or an input from outside, lives in no process.
            if holds.contains(&attempt) || !holds_slot(&agent) {
                self.push(Event::AttemptAdopted { attempt, epoch });
            } else {
                // Gone from the supervisor's hands is not swept: if the supervisor itself had
                // died, a process of it may still write. Its successor works elsewhere.
                let cause = "its process was gone when the engine came back".to_owned();
                self.end(attempt, AttemptEnd::Lost(cause), Vec::new(), false);
            }
        }
    }

    pub(super) fn on_offer_collected(
        &mut self,
        attempt: AttemptId,
        snapshot: Option<Snapshot>,
    ) -> Result<(), Rejection> {
        match self.ending(attempt) {
            Some(ending) if ending.returned => {
                self.push(Event::OfferKept { attempt, snapshot });
                Ok(())
            }
            _ => Self::superseded(attempt),
        }
    }

    /// The ended attempt that a word from outside names, if this run had it.
    pub(super) fn ending(&self, attempt: AttemptId) -> Option<&Ending> {
        let task = self.run.task(attempt.task)?;
        let ending = task.ending(attempt.number)?;
        (attempt.run == self.run.id).then_some(ending)
    }
}
