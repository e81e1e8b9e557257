//! What the supervisor says, and what the monitor finds in it.

use std::path::PathBuf;

use divisi_agents::{Claim, Told as Figure};
use divisi_core::journal::Journal;
use divisi_core::ledger::Bound;
use divisi_core::receipt::Usage;
use divisi_core::run::{AGENT_COMPOSE, Command, Finding, Said};
use divisi_core::worker::{EndHow, Ended, FromWorker, Held, Job, ToWorker};
use divisi_core::{AttemptId, RunId};

use super::follow::{Follow, Told};
use super::{Engine, composing, launch, programs};
use crate::world::Directive;

/// No log that the supervisor keeps is longer.
const LOG_BYTES_MAX: u64 = 8 << 20;

impl<J: Journal> Engine<J> {
    pub(super) fn word(&mut self, word: FromWorker, told: &mut Told) {
        match word {
            FromWorker::Joined {
                holds, confines, ..
            } => {
                self.confines = confines;
                self.joined(holds, told);
            }
            FromWorker::Started { .. } | FromWorker::Refused { .. } => {}
            FromWorker::NotStarted {
                job,
                cause,
                permanent,
            } => {
                let attempt = job.attempt;
                let command = Command::NotStarted {
                    attempt,
                    cause,
                    permanent,
                };
                told.tell(attempt.run, command, Follow::ForgetGone(job));
            }
            FromWorker::Ended { job, ended } => {
                self.strays.remove(&job.attempt);
                let follow = forget(job, &ended);
                let command = self.ended(job.attempt, ended);
                told.tell(job.attempt.run, command, follow);
            }
            FromWorker::Asks { job, cwd, request } => self.asks(job, &cwd, request, told),
            FromWorker::Observed { observations } => {
                let now = self.shell.now_ms();
                for (job, seen) in observations {
                    if !job.is_agent() {
                        continue;
                    }
                    let files = self.files_of(job.attempt);
                    let stream = self.stream_of(job.attempt, &seen);
                    self.monitor.observe(job.attempt, &seen, files, stream, now);
                    if self.is_overdue_stray(job.attempt, seen.age_ms) {
                        self.outbox.push(ToWorker::End {
                            job,
                            how: EndHow::Graceful,
                        });
                    }
                }
            }
            FromWorker::Unknown { job } => {
                // It was to be ended and is held by nobody: so it has ended, if it ever began.
                // There is no end that a receipt could tell of.
                let attempt = job.attempt;
                let live = self.world.live(attempt);
                if live.is_some_and(|live| live.stopping.is_some()) {
                    let command = Command::NotStarted {
                        attempt,
                        cause: "nobody holds it".to_owned(),
                        permanent: false,
                    };
                    told.tell(attempt.run, command, Follow::Nothing);
                }
            }
        }
    }

    fn joined(&mut self, holds: Vec<(Job, Held)>, told: &mut Told) {
        let epoch = self.world.epoch();
        let runs: Vec<RunId> = self.world.runs().map(|run| run.id).collect();
        for run in &runs {
            let of_run = holds
                .iter()
                .filter(|(job, _)| job.attempt.run == *run && job.is_agent());
            // One that ended meanwhile is adopted, and its end told after that with all it claims.
            let held = of_run.map(|(job, _)| job.attempt);
            let command = Command::Joined {
                epoch,
                holds: held.collect(),
            };
            told.tell(*run, command, Follow::Nothing);
        }
        for (job, held) in holds {
            match held {
                // Checks are repeated; nobody waits for those of an earlier epoch.
                Held::Live { .. } if !job.is_agent() => {
                    self.outbox.push(ToWorker::End {
                        job,
                        how: EndHow::Force,
                    });
                    self.outbox.push(ToWorker::Forget { job });
                }
                Held::Live { cwd, asks, .. } => {
                    self.watch(job.attempt);
                    self.strays.insert(job.attempt);
                    for request in asks {
                        self.asks(job, &cwd, request, told);
                    }
                }
                Held::Ended { .. } if !job.is_agent() => self.outbox.push(ToWorker::Forget { job }),
                Held::Ended { ended } => {
                    let follow = forget(job, &ended);
                    let command = self.ended(job.attempt, ended);
                    told.tell(job.attempt.run, command, follow);
                }
            }
        }
        self.joining = true;
    }

    /// How an attempt's process ended, with what its agent claims.
    fn ended(&self, attempt: AttemptId, mut ended: Ended) -> Command {
        let live = self.world.live(attempt);
        let composed = live.is_some_and(|live| live.agent == AGENT_COMPOSE);
        if composed && let Some(failed) = composing::Failed::of(&ended) {
            let log = self.log_of(attempt);
            let told = log.map(|log| programs::tail(&log, programs::TAIL_BYTES));
            return failed.command(attempt, ended, &told.unwrap_or_default());
        }
        let agent = live.and_then(|live| self.shell.agent(attempt.run, &live.agent));
        let claim = agent.map_or(Claim::Done, |agent| {
            let printed = match agent.description().tail_bytes {
                0 => String::new(),
                bytes => {
                    let log = self.log_of(attempt);
                    log.map(|log| programs::tail(&log, bytes))
                        .unwrap_or_default()
                }
            };
            ended.usage = agent.usage(&printed).or(ended.usage);
            if ended.usage.is_none() && agent.figures().tokens == Figure::EachAnswer {
                // Whoever was ended from outside said it last before whatever its calls printed.
                let log = self.log_of(attempt);
                let whole = log.map(|log| programs::tail(&log, LOG_BYTES_MAX));
                ended.usage = whole.and_then(|whole| agent.usage(&whole));
            }
            let denied = agent.denied(&printed).into_iter();
            ended.denied = denied.map(|what| self.shell.masked(what)).collect();
            believed(agent.interpret(&ended, &printed), &ended)
        });
        if let Claim::Unable { cause } = claim {
            return Command::NotStarted {
                attempt,
                cause: self.shell.masked(cause),
                permanent: true,
            };
        }
        // Any program can ask by its question file, whatever its adapter understands of it, and say
        // by another one that the work is more than one task.
        let asked = || {
            let asked = launch::question(&self.shell, attempt).map(Said::Question);
            asked.or_else(|| launch::too_large(&self.shell, attempt).map(Said::TooLarge))
        };
        let said = super::begin::said(claim).map(|said| self.masked(said));
        let said = said.map(|said| self.reserved(attempt, said));
        let said = match said {
            said @ (None | Some(Said::Failure(_))) => asked().or(said),
            said => said,
        };
        Command::Ended {
            attempt,
            ended,
            said,
        }
    }

    /// What an agent said without secrets: its log was masked as bytes, and what it said was decoded
    /// from it since.
    fn masked(&self, said: Said) -> Said {
        match said {
            Said::Question(text) => Said::Question(self.shell.masked(text)),
            Said::UsageLimit {
                cause,
                wait_ms,
                ends_at,
            } => Said::UsageLimit {
                cause: self.shell.masked(cause),
                wait_ms,
                ends_at,
            },
            Said::Failure(text) => Said::Failure(self.shell.masked(text)),
            Said::TooLarge(text) => Said::TooLarge(self.shell.masked(text)),
            Said::Hindrance(text) => Said::Hindrance(self.shell.masked(text)),
            Said::UsedUp(bound) => Said::UsedUp(bound),
        }
    }

    /// What an agent said, with the size of its reservation as the ledger has it. One that says that
    /// something is used up of which nothing was reserved just failed.
    fn reserved(&self, attempt: AttemptId, said: Said) -> Said {
        let Said::UsedUp(bound) = said else {
            return said;
        };
        let measure = bound.measure();
        match self.world.ledger().reserved(attempt).of(measure) {
            Some(much) => Said::UsedUp(Bound::of(measure, much)),
            None => Said::Failure(format!(
                "it says that a reservation of {bound} was used up, and it had none"
            )),
        }
    }

    pub(super) fn log_of(&self, attempt: AttemptId) -> Option<PathBuf> {
        let task = self.world.run(attempt.run)?.task(attempt.task)?;
        let dir = &self.shell.options.dir;
        Some(super::log_path(
            dir,
            attempt.run,
            &task.spec.id,
            attempt.number,
        ))
    }

    /// What the monitor found becomes an input like any other.
    pub(super) fn find(&mut self, attempt: AttemptId, finding: Finding) {
        if matches!(finding, Finding::Lost(_)) {
            self.strays.insert(attempt);
        }
        let command = Command::Find { attempt, finding };
        self.found.push(Directive::of_run(attempt.run, command));
    }
}

/// A claim as far as it can be true: what used something, or left a process behind, did begin.
fn believed(claim: Claim, ended: &Ended) -> Claim {
    let used = |usage: Usage| usage.tokens > 0 || usage.usd_micros.is_some_and(|it| it > 0);
    match claim {
        Claim::Unable { cause } if ended.usage.is_some_and(used) || !ended.empty => {
            Claim::Failed { cause }
        }
        claim => claim,
    }
}

/// The supervisor may forget a job whose end is durable.
fn forget(job: Job, ended: &Ended) -> Follow {
    match ended.empty {
        true => Follow::ForgetGone(job),
        false => Follow::Forget(job),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_used_something_or_left_a_process_behind_did_begin() {
        let cause = || "no such session".to_owned();
        let never = launch::instant();
        let used = Ended {
            usage: Some(Usage {
                tokens: 1,
                usd_micros: None,
            }),
            ..never.clone()
        };
        let refused = Ended {
            usage: Some(Usage::default()),
            ..never.clone()
        };
        let left = Ended {
            empty: false,
            ..never.clone()
        };
        let ends = [
            (&never, false),
            (&refused, false),
            (&used, true),
            (&left, true),
        ];
        for (ended, begun) in ends {
            let claim = believed(Claim::Unable { cause: cause() }, ended);
            let expected = match begun {
                true => Claim::Failed { cause: cause() },
                false => Claim::Unable { cause: cause() },
            };
            assert_eq!(claim, expected);
            assert_eq!(believed(Claim::Done, ended), Claim::Done);
        }
    }
}
