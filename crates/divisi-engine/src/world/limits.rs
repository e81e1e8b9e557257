//! Usage limits: what an attempt met is told to the ledger before its run hears of it, and runs are
//! paused whose tasks would wait for longer than they may.
//!
//! The word comes from the supervisor, which repeats it until the attempt's end is durable. Both
//! aggregates hear it, the ledger first: so none of it can be lost between the two, and nothing is
//! leased in between.

use divisi_core::ids::{RunId, Time};
use divisi_core::journal::Journal;
use divisi_core::ledger::{self, Credential, LimitThen, Met, Wanted};
use divisi_core::run::{Command, Defined, PauseReason, Phase, Run, Said};

use super::{Answer, Step, World};

impl<J: Journal> World<J> {
    /// Tells the ledger that an attempt met a usage limit, and the attempt's run when that ends.
    pub(super) fn hear_of_limit(&mut self, step: &mut Step, command: &mut Command) {
        let Command::Ended {
            attempt,
            ended,
            said:
                Some(Said::UsageLimit {
                    cause,
                    wait_ms,
                    ends_at,
                }),
        } = command
        else {
            return;
        };
        let run = self.run(attempt.run);
        let Some((run, live)) = run.zip(self.live(*attempt)) else {
            return;
        };
        // Whoever was told to end says nothing of its own; what was heard is not heard again.
        let works = matches!(live.phase, Phase::Leased | Phase::Working);
        if !works || live.stopping.is_some() || ended.told {
            return;
        }
        // Who is known by configuration alone says it in words that are nobody's promise: they keep a
        // run waiting, and no longer than it waits.
        let believed_ms = match run.settings.defined.get(&live.agent) {
            Some(Defined::Program(_)) => run.settings.limit_wait_max_ms,
            Some(Defined::Model(_)) | None => u64::MAX,
        };
        let credential = live.means().credential;
        let met = Met {
            attempt: *attempt,
            leased_at: live.leased_at,
            credential: credential.clone(),
            cause: cause.clone(),
            wait_ms: wait_ms.map(|ms| ms.min(believed_ms)),
            delay_ms: run.settings.limit_delay_ms,
        };
        // A limit that is met cannot be refused.
        let _ = self.ledger_command(step, ledger::Command::Limit(Box::new(met)));
        let limit = self.ledger.limits.get(&credential);
        *ends_at = limit.map(|limit| limit.ends_at);
    }

    /// The ends of the limits of an agent, or of the credential of this name, are not waited for any
    /// longer.
    pub(super) fn lift(&mut self, step: &mut Step, name: String) -> Answer {
        let mut credentials = self.credentials.get(&name).cloned().unwrap_or_default();
        let defined = self
            .runs()
            .filter_map(|run| run.settings.defined.get(&name));
        credentials.extend(defined.map(|defined| defined.credential(&name)));
        match self.ledger_command(step, ledger::Command::Lift { name, credentials }) {
            Ok(()) => Answer::Accepted,
            Err(refusal) => Answer::NotPermitted(refusal),
        }
    }

    /// Pauses runs whose tasks would wait for longer than they may: at once, or when nothing else of
    /// theirs is under way.
    pub(super) fn pause_limited(&mut self, step: &mut Step) {
        let beyond: Vec<(RunId, Credential, Time)> = self
            .runs()
            .filter(|run| run.takes_leases() && self.leasing.takes(run.id))
            .filter(|run| run.settings.limit_then != LimitThen::Escalate || is_idle(run))
            .filter_map(|run| {
                let may = |run: &Run, wanted: Wanted<'_>| self.may(run, wanted, step.now);
                let (credential, until) = run.held_beyond(step.now, &may)?;
                Some((run.id, credential, until))
            })
            .collect();
        for (run, credential, until) in beyond {
            let reason = PauseReason::UsageLimit { credential, until };
            let stop = false;
            // A run that takes leases can be paused.
            let _ = self.decide(step, run, Command::Pause { reason, stop });
        }
    }
}

/// Whether nothing of a run goes on by itself.
fn is_idle(run: &Run) -> bool {
    run.slots() == 0 && run.owed().all(|effect| effect.waits_for_outside())
}
