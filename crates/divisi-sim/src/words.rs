//! What the engine hears from the supervisor, and what its monitor finds.
//!
//! Words become inputs of the loop. Late ones are not sorted out here: recognizing them is the
//! core's task, and what is simulated.

use std::collections::BTreeMap;

use divisi_core::ids::{AttemptId, Epoch, RunId};
use divisi_core::receipt::Exit;
use divisi_core::run::{Command, Finding, Phase, Said, holds_slot};
use divisi_core::worker::Ended;
use divisi_engine::world::Ask;

use crate::breaks::Break;
use crate::coverage::Fault;
use crate::engine::Source;
use crate::sim::{Happening, Sim, Violation};
use crate::supervisor::{Finished, Order, Word};

/// How long a process may go on whose attempt was given up: more than any time box here.
const LEFTOVER_MS: u64 = 120_000;

impl Sim {
    /// A word of the supervisor becomes inputs.
    pub(crate) fn hear(&mut self, connection: u64, word: Word) -> Result<(), Violation> {
        if self.engine.as_ref().and_then(|engine| engine.connection) != Some(connection) {
            return Ok(());
        }
        match word {
            Word::Joined(epoch, holds) => self.hear_joined(epoch, holds),
            // That it is to be started is durable already, as far as it is worth recording.
            Word::Started(_) => {}
            Word::NotStarted(attempt, permanent) => {
                let command = Command::NotStarted {
                    attempt,
                    cause: "no such program".to_owned(),
                    permanent,
                };
                self.give(Ask::Run(attempt.run, command), Source::Own);
            }
            Word::Asks(attempt, id) => self.hear_asked(attempt, id),
            Word::Ended(attempt, finished) => self.hear_ended(attempt, finished),
            Word::Unknown(attempt) => {
                let command = Command::NotStarted {
                    attempt,
                    cause: "nobody holds it".to_owned(),
                    permanent: false,
                };
                if self.live_phase(attempt).is_some_and(|stopping| stopping) {
                    self.give(Ask::Run(attempt.run, command), Source::Own);
                }
            }
        }
        Ok(())
    }

    /// Whether a live attempt is being stopped; `None` if it is not live with a worker.
    fn live_phase(&self, attempt: AttemptId) -> Option<bool> {
        let run = self.engine.as_ref()?.world.run(attempt.run)?;
        let live = run.task(attempt.task)?.live()?;
        let works = matches!(live.phase, Phase::Leased | Phase::Working);
        (works && live.number == attempt.number).then(|| live.stopping.is_some())
    }

    fn hear_ended(&mut self, attempt: AttemptId, finished: Finished) {
        let mut attempt_said = attempt;
        if self.live_phase(attempt).is_none() {
            self.coverage.fault(Fault::WordLate);
            match self.broken {
                Some(Break::SupersededDropped) => {
                    self.order(Order::Forget(attempt));
                    return;
                }
                Some(Break::FencingSkipped) => {
                    let run = self.engine.as_ref().and_then(|e| e.world.run(attempt.run));
                    let live = run.and_then(|run| run.task(attempt.task)?.live());
                    attempt_said.number = live.map_or(attempt.number, |live| live.number);
                }
                _ => {}
            }
        }
        let mut said = finished.said;
        if let (Some(Break::WaitUnheard), Some(Said::UsageLimit { wait_ms, .. })) =
            (self.broken, &mut said)
        {
            *wait_ms = Some(0);
        }
        let command = Command::Ended {
            attempt: attempt_said,
            ended: finished.ended,
            said,
        };
        self.give(Ask::Run(attempt.run, command), Source::End(attempt));
    }

    fn hear_joined(&mut self, epoch: Epoch, holds: Vec<(AttemptId, Option<Finished>)>) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        let live = holds.iter().filter(|(_, finished)| finished.is_none());
        engine.adopted.extend(live.map(|(attempt, _)| *attempt));
        let mut runs: BTreeMap<RunId, Vec<AttemptId>> = engine
            .world
            .runs()
            .map(|run| (run.id, Vec::new()))
            .collect();
        let mut ends = Vec::new();
        for (attempt, finished) in holds {
            runs.entry(attempt.run).or_default().push(attempt);
            // It is adopted first, and its end told after that with all it claims.
            ends.extend(finished.map(|finished| (attempt, finished)));
        }
        if self.broken == Some(Break::LostTreatedAsDone) {
            self.treat_lost_as_done(&runs);
        }
        for (run, holds) in runs {
            self.give(Ask::Run(run, Command::Joined { epoch, holds }), Source::Own);
        }
        for (attempt, finished) in ends {
            self.hear_ended(attempt, finished);
        }
        let nothing = Ask::Run(
            RunId(0),
            Command::Joined {
                epoch,
                holds: Vec::new(),
            },
        );
        self.give(nothing, Source::Joined(epoch));
    }

    fn treat_lost_as_done(&mut self, holds: &BTreeMap<RunId, Vec<AttemptId>>) {
        let Some(engine) = &self.engine else { return };
        let mut lost = Vec::new();
        for run in engine.world.runs() {
            for (no, task) in run.tasks().iter().enumerate() {
                let Some(live) = task.live() else { continue };
                let attempt = run.attempt_id(divisi_core::TaskNo(no as u32), live.number);
                let held = holds[&run.id].contains(&attempt);
                if !held && matches!(live.phase, Phase::Leased | Phase::Working) {
                    lost.push(attempt);
                }
            }
        }
        for attempt in lost {
            let ended = Ended {
                wall_ms: 1,
                ..Ended::of(Exit::Status(0))
            };
            let command = Command::Ended {
                attempt,
                ended,
                said: None,
            };
            self.give(Ask::Run(attempt.run, command), Source::Own);
        }
    }

    /// The monitor looks at every attempt that a worker has.
    pub(crate) fn watch(&mut self, life: u32) {
        let now = self.now();
        let Some(engine) = self.engine.as_ref().filter(|engine| engine.life == life) else {
            return;
        };
        let mut seen = Vec::new();
        for run in engine.world.runs() {
            for (no, task) in run.tasks().iter().enumerate() {
                let Some(live) = task.live() else { continue };
                let works = matches!(live.phase, Phase::Leased | Phase::Working);
                if works && holds_slot(&live.agent) && live.stopping.is_none() {
                    let overdue =
                        now.ms_since(live.leased_at) > task.live_timeout_ms(&run.settings);
                    let attempt = run.attempt_id(divisi_core::TaskNo(no as u32), live.number);
                    seen.push((attempt, overdue, live.suspected.is_some()));
                }
            }
        }
        for (attempt, overdue, suspected) in seen {
            let (finding, fault) = match self.rng.below(1_000) {
                _ if overdue => (Finding::Overdue, Fault::Overdue),
                _ if self.calm => continue,
                0..=29 => (
                    Finding::Suspected("no output".to_owned()),
                    Fault::FalseSuspicion,
                ),
                30..=59 => (Finding::Lost("no heartbeat".to_owned()), Fault::FalseLoss),
                60..=69 => (
                    Finding::Stalled("no progress".to_owned()),
                    Fault::FalseStall,
                ),
                70..=500 if suspected => (Finding::Cleared, Fault::FalseSuspicion),
                _ => continue,
            };
            self.coverage.fault(fault);
            let command = Command::Find { attempt, finding };
            self.give(Ask::Run(attempt.run, command), Source::Own);
        }
        self.end_leftovers();
        let delay = self.rng.within(1_000, 5_000);
        self.after(delay, Happening::Watch(life));
    }

    /// A process whose attempt was given up may still finish, and its work is kept. But nobody
    /// waits for it: past the time box it is ended, or a hanging one would stay for ever.
    fn end_leftovers(&mut self) {
        let now_ms = self.clock.now_ms();
        let old = self.supervisor.jobs.iter().filter(|(_, job)| {
            job.finished.is_none() && !job.told && now_ms - job.started_ms > LEFTOVER_MS
        });
        let over: Vec<AttemptId> = old
            .map(|(attempt, _)| *attempt)
            .filter(|attempt| self.live_phase(*attempt).is_none())
            .collect();
        for attempt in over {
            self.order(Order::End(attempt));
        }
    }

    /// Stops: at the supervisor, or at once where there is no process.
    pub(crate) fn begin_stop(&mut self, attempt: AttemptId, process: bool) {
        if process && self.broken != Some(Break::StopNotAwaited) {
            self.order(Order::End(attempt));
            return;
        }
        let command = Command::NotStarted {
            attempt,
            cause: "it was ended".to_owned(),
            permanent: false,
        };
        self.give(Ask::Run(attempt.run, command), Source::Own);
    }
}
