//! From inputs to what the world is told.

use divisi_core::AttemptId;
use divisi_core::RunId;
use divisi_core::journal::Journal;
use divisi_core::run::{Command, Effect, PauseReason, Run, holds_slot};
use divisi_core::worker::{Confinement, EndHow, Job, ToWorker};

use super::fetch::{Seen, never_taken};
use super::follow::{Follow, Told};
use super::input::{Finished, Input};
use super::launch::{Launched, Prepared};
use super::{Engine, Interruption, wall_now};
use crate::reconcile::{Action, Outcome};

impl<J: Journal> Engine<J> {
    pub(super) fn translate(&mut self, input: Input, told: &mut Told) {
        if let Input::Finished {
            effect: Effect::Fetch(attempt),
            ..
        } = &input
        {
            self.fetching.remove(attempt);
        }
        match input {
            Input::Asked { request, reply } => self.asked(request, reply, told),
            Input::Word(word) => self.word(word, told),
            Input::SupervisorGone => {
                self.supervised.on_gone();
                for action in self.reconcile.on_gone() {
                    if let Action::Abandon(effect) = action {
                        self.abandon(effect);
                    }
                }
                self.epoch_due = true;
                self.trouble("the supervisor is gone; the attempts it held are lost".to_owned());
            }
            Input::Finished { effect, result } => {
                if let Effect::Start(attempt) = effect {
                    self.preparing.remove(&attempt);
                }
                match result {
                    Ok(finished) => {
                        self.lacking_room.remove(&effect);
                        self.finished(effect, finished, told);
                    }
                    // It was abandoned meanwhile; how it fails is nobody's business any more.
                    Err(_) if !self.reconcile.is_under_way(effect) => {}
                    Err(failed) => {
                        if let Some(command) = self.effect_failed(effect, failed) {
                            told.tell(effect.run(), command, Follow::Nothing);
                        }
                    }
                }
            }
            Input::Interrupted => self.interrupted(told),
        }
    }

    fn finished(&mut self, effect: Effect, finished: Finished, told: &mut Told) {
        let (command, follow) = match finished {
            Finished::Awaited { attempt, look } => return self.awaited(effect, attempt, look),
            Finished::Prepared(prepared) => self.prepared(prepared),
            Finished::Told(command) => (*command, Follow::Outcome(effect)),
        };
        told.tell(effect.run(), command, follow);
    }

    /// Files from outside are not there yet, or not whole: they are looked for again.
    fn awaited(&mut self, effect: Effect, attempt: AttemptId, look: Vec<Seen>) {
        self.reconcile
            .on_outcome(effect, Outcome::NotYet, wall_now());
        if self.looks.get(&attempt) != Some(&look) {
            let run = self.world.run(attempt.run);
            let task = run.and_then(|run| run.task(attempt.task));
            let odd = task.map_or_else(Vec::new, |task| never_taken(&task.spec, &look));
            let told = odd
                .into_iter()
                .map(|(path, what)| format!("{path} is {what}; only a file is taken"));
            let told: Vec<String> = told.collect();
            told.into_iter().for_each(|cause| self.trouble(cause));
            self.looks.insert(attempt, look);
        }
    }

    /// An attempt that can be launched is begun first: what its workspace is made of is durable
    /// before anything runs in it.
    fn prepared(&mut self, prepared: Box<Prepared>) -> (Command, Follow) {
        let attempt = prepared.attempt;
        let confines = match &prepared.launched {
            Launched::Process(spec) => Some(matches!(spec.confinement, Confinement::Writes(_))),
            _ => None,
        };
        let command = Command::Started {
            attempt,
            base: prepared.base.clone(),
            passed_before: prepared.passed_before.clone(),
            confined: confines.map(|confines| confines && self.confines),
            left_out: prepared.left_out.clone(),
        };
        self.launching.insert(attempt, prepared);
        (command, Follow::Launch(attempt))
    }

    fn interrupted(&mut self, told: &mut Told) {
        match self.interruption {
            Interruption::No => {
                self.interruption = Interruption::Graceful;
                self.shell.checks.interrupt(EndHow::Graceful);
                // The others go on with the processes that follow them: one of those takes over,
                // and adopts their agents.
                let driven = self.driven;
                self.attended.retain(|run| Some(*run) == driven);
                self.attend();
                let attended = self.world.runs().filter(|run| self.attends(run));
                let runs: Vec<RunId> = attended.map(|run| run.id).collect();
                for run in runs {
                    let pause = Command::Pause {
                        reason: PauseReason::Interrupted,
                        stop: true,
                    };
                    told.tell(run, pause, Follow::Nothing);
                }
            }
            Interruption::Graceful | Interruption::Forced => {
                self.interruption = Interruption::Forced;
                self.shell.checks.interrupt(EndHow::Force);
                let attended = self.world.runs().filter(|run| self.attends(run));
                let runs: Vec<RunId> = attended.map(|run| run.id).collect();
                for run in runs {
                    self.force(run);
                }
            }
        }
    }

    /// Ends all agents of a run at once.
    pub(super) fn force(&mut self, id: RunId) {
        let how = EndHow::Force;
        let jobs = self.world.run(id).map(working).unwrap_or_default();
        self.outbox
            .extend(jobs.into_iter().map(|job| ToWorker::End { job, how }));
    }
}

/// The jobs of a run's agents. People and what comes from outside are no agents.
pub(super) fn working(run: &Run) -> Vec<Job> {
    let jobs = run.live().filter_map(|(no, task)| {
        let live = task.live().filter(|live| holds_slot(&live.agent))?;
        Some(Job::agent(run.attempt_id(no, live.number)))
    });
    jobs.collect()
}
