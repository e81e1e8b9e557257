//! Words to the ledger: what runs ask of it, and what it answers.
//!
//! The two meet only through commands. What the ledger must hear is derived anew in every step from
//! both states, so that no word between them can be lost, and each may come late or twice.

use divisi_core::ids::{AttemptId, RunId};
use divisi_core::journal::{Entry, Fault, Journal, Stream};
use divisi_core::ledger::{self, Account, Amount, Ledger};
use divisi_core::receipt::Receipt;
use divisi_core::run::{
    self, AttemptEnd, Command, Failure, PauseReason, Rejection, Run, holds_slot,
};

use super::{Answer, Crossing, Delivery, Step, World};

impl<J: Journal> World<J> {
    /// Whoever permits more to a run that has ended is told so; the ledger would not mind.
    pub(super) fn permit(
        &mut self,
        step: &mut Step,
        account: Account,
        budget: run::Budget,
    ) -> Result<Answer, Fault> {
        if let Account::Run(id) = account {
            if !self.load_ended(id)? {
                return Ok(Answer::NoSuchRun(id));
            }
            if self.run(id).is_some_and(|run| run.ended.is_some()) {
                return Ok(Answer::Rejected(Rejection::RunEnded));
            }
        }
        let permit = ledger::Command::Permit { account, budget };
        Ok(match self.ledger_command(step, permit) {
            Ok(()) => Answer::Accepted,
            Err(refusal) => Answer::NotPermitted(refusal),
        })
    }

    pub(super) fn ledger_command(
        &mut self,
        step: &mut Step,
        command: ledger::Command,
    ) -> Result<(), ledger::Refusal> {
        let Some(event) = self.ledger.decide(command, step.now)? else {
            return Ok(());
        };
        self.ledger_seq += 1;
        step.ledger_dirty = true;
        step.batch.entries.push(Entry {
            stream: Stream::Ledger,
            seq: self.ledger_seq,
            kind: event.kind().to_owned(),
            version: event.version(),
            at: step.now,
            body: serde_json::to_string(&event).expect("events are plain data"),
        });
        Ok(())
    }

    /// Reservations of attempts that are over become use; those of attempts that never came are
    /// given back. Derived from both states, so that no word between them can be lost.
    pub(super) fn settle_ended(
        &mut self,
        step: &mut Step,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Result<(), Fault> {
        let held: Vec<AttemptId> = self.ledger.held.keys().copied().collect();
        for attempt in held {
            self.load_ended(attempt.run)?;
            let Some(command) = self
                .runs
                .get(&attempt.run)
                .and_then(|l| over(&l.run, attempt))
            else {
                continue;
            };
            for _ in 0..times(deliver(Crossing::Settle(attempt))) {
                // Neither settling nor releasing can be refused.
                let _ = self.ledger_command(step, command.clone());
            }
        }
        Ok(())
    }

    /// Opens the accounts of runs that bring a budget of their own. Derived from both states, so
    /// that a run is bounded before its first lease, whatever happened between.
    pub(super) fn open_accounts(
        &mut self,
        step: &mut Step,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) {
        let unopened: Vec<(RunId, run::Budget)> = self
            .runs
            .values()
            .map(|loaded| (loaded.run.id, loaded.run.settings.budget))
            .filter(|(run, _)| !self.has_account(*run))
            .collect();
        for (run, budget) in unopened {
            let account = Account::Run(run);
            for _ in 0..times(deliver(Crossing::Open(run))) {
                // Opening an account cannot be refused.
                let _ = self.ledger_command(step, ledger::Command::Open { account, budget });
            }
        }
    }

    /// Whether a run has the account that its own budget asks for, if it does.
    pub(super) fn has_account(&self, run: RunId) -> bool {
        let bounded = self
            .runs
            .get(&run)
            .is_some_and(|loaded| loaded.run.settings.budget.is_bounded());
        !bounded || self.ledger.accounts.contains_key(&Account::Run(run))
    }

    /// Reserves for an attempt; pauses its run if an account has nothing left.
    pub(super) fn reserve(
        &mut self,
        step: &mut Step,
        attempt: AttemptId,
        amount: Amount,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> bool {
        for _ in 0..times(deliver(Crossing::Reserve(attempt))) {
            let command = ledger::Command::Reserve { attempt, amount };
            let result = self.ledger_command(step, command);
            if let Err(ledger::Refusal::Exhausted(exhausted)) = result {
                let live = self
                    .runs
                    .get(&attempt.run)
                    .is_some_and(|loaded| loaded.run.slots() > 0);
                // While others hold reservations some of it may come back: wait for that first.
                if !live {
                    let reason = PauseReason::Budget(exhausted);
                    let _ = self.decide(
                        step,
                        attempt.run,
                        Command::Pause {
                            reason,
                            stop: false,
                        },
                    );
                }
                return false;
            }
        }
        self.ledger.held.contains_key(&attempt)
    }
}

fn times(delivery: Delivery) -> u32 {
    match delivery {
        Delivery::Later => 0,
        Delivery::Now => 1,
        Delivery::Twice => 2,
    }
}

/// Agents' time that an attempt has used, once its agent has ended; `None` if nobody knows.
fn used_ms(agent: &str, receipts: &[Receipt]) -> Option<u64> {
    receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted { .. } if !holds_slot(agent) => Some(0),
        Receipt::Submitted { wall_ms, .. } => Some(*wall_ms),
        _ => None,
    })
}

/// Whether an attempt that left no receipt of its agent's end had no agent: it could not be
/// started, or was stopped before.
fn never_began(end: &AttemptEnd) -> bool {
    matches!(
        end,
        AttemptEnd::Errored(Failure::Start { .. })
            | AttemptEnd::Refused(Failure::Composition(_))
            | AttemptEnd::Stopped(_)
    )
}

/// What the ledger should be told about an attempt, if its agent has ended or it never came.
fn over(run: &Run, attempt: AttemptId) -> Option<ledger::Command> {
    let Some(task) = run.task(attempt.task) else {
        return Some(ledger::Command::Release { attempt });
    };
    if let Some(ending) = task.ending(attempt.number) {
        if let AttemptEnd::Errored(Failure::Preparation(_)) = ending.end {
            // No agent ever came of it.
            return Some(ledger::Command::Release { attempt });
        }
        let used = used_ms(&ending.agent, &ending.receipts);
        let used_ms = used.or(never_began(&ending.end).then_some(0));
        return Some(ledger::Command::Settle { attempt, used_ms });
    }
    if let Some(live) = task.live().filter(|live| live.number == attempt.number) {
        if live.adopts.is_some() {
            // It was reserved for somebody who would have worked.
            return Some(ledger::Command::Release { attempt });
        }
        // Its checks and its integration take no agent's time, however long they last.
        let used = used_ms(&live.agent, &live.receipts);
        return used.map(|used| ledger::Command::Settle {
            attempt,
            used_ms: Some(used),
        });
    }
    let coming = attempt.number == task.attempts() + 1
        && run.ended.is_none()
        && matches!(task.state, run::TaskState::Ready { .. });
    (!coming).then_some(ledger::Command::Release { attempt })
}

/// The ledger from its rows, or from all its events where it has none.
pub(super) fn load_ledger<J: Journal>(journal: &J) -> Result<(u64, Ledger), Fault> {
    let (mut seq, mut ledger) = match journal.ledger()? {
        None => (0, Ledger::default()),
        Some(row) => {
            let ledger = ledger::stored::restore(&row, &journal.accounts()?)
                .map_err(|fault| Fault::Unreadable(fault.to_string()))?;
            (row.seq, ledger)
        }
    };
    for entry in journal.events(Stream::Ledger, seq)? {
        let event = serde_json::from_str(&entry.body)
            .map_err(|error| Fault::Unreadable(format!("ledger event {}: {error}", entry.seq)))?;
        ledger.apply(&event);
        seq = entry.seq;
    }
    Ok((seq, ledger))
}
