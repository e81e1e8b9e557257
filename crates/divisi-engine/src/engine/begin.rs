//! From what is owed to what is begun: launches, effects handed to other threads, abandoned ones.

use std::sync::Arc;
use std::time::Instant;

use divisi_agents::Claim;
use divisi_core::journal::Journal;
use divisi_core::receipt::Output;
use divisi_core::run::{Command, Effect, Event, PauseReason};
use divisi_core::worker::{EndHow, Ended, Job, ToWorker};
use divisi_core::{AttemptId, RunId};

use super::expansion::Expanding;
use super::input::{Finished, Input};
use super::launch::{self, Launched, Prepared, Starting};
use super::results::{Checking, Collecting, Finally, Integrating, move_head};
use super::threads::{Job as Work, Threads};
use super::{Engine, Interruption, wall_now};
use crate::monitor::Patience;
use crate::reconcile::Action;
use crate::workspace::folder_of;
use crate::world::{Ask, Directive};

/// Threads that carry effects out: git and checks wait for processes more than they compute.
const EFFECT_THREADS: usize = 4;

impl<J: Journal> Engine<J> {
    pub(super) fn launch(&mut self, prepared: Prepared) {
        let attempt = prepared.attempt;
        self.launch_now(attempt, prepared.launched);
    }

    fn launch_now(&mut self, attempt: AttemptId, launched: Launched) {
        match launched {
            Launched::Person => {}
            Launched::Instant => {
                self.local
                    .push_back(played(attempt, launch::instant(), None, None))
            }
            Launched::Process(spec) => {
                self.watch(attempt);
                self.outbox.push(ToWorker::Start {
                    job: Job::agent(attempt),
                    spec,
                });
            }
            Launched::InProcess(script, workspace) => {
                let input = match script.run(&workspace) {
                    Ok(done) => {
                        let (question, limited) = match done.claim {
                            Claim::Asks(question) => (Some(question.text), None),
                            Claim::Limited { cause, .. } => (None, Some(cause)),
                            Claim::Done | Claim::Failed { .. } => (None, None),
                        };
                        let output = (!done.printed.is_empty()).then(|| output(&done.printed));
                        let ended = Ended {
                            exit: done.exit,
                            output,
                            wall_ms: done.took_ms,
                            ..launch::instant()
                        };
                        played(attempt, ended, question, limited)
                    }
                    Err(fault) => {
                        let cause = super::supervised::chain(&fault);
                        let finished = Finished::NotStarted {
                            attempt,
                            cause,
                            permanent: false,
                        };
                        Input::Finished {
                            effect: Effect::Start(attempt),
                            result: Ok(finished),
                        }
                    }
                };
                self.local.push_back(input);
            }
        }
    }

    /// Whether a process outlives its attempt's time box though the attempt was given up. Until
    /// then it may finish: its work is kept as an offer.
    pub(super) fn is_overdue_stray(&self, attempt: AttemptId, age_ms: u64) -> bool {
        let run = self.world.run(attempt.run);
        let live = run.and_then(|run| run.task(attempt.task)?.live());
        let given_up = live.is_none_or(|live| live.number != attempt.number);
        given_up && run.is_none_or(|run| age_ms > launch::timeout_of(run, attempt))
    }

    pub(super) fn watch(&mut self, attempt: AttemptId) {
        let Some(run) = self.world.run(attempt.run) else {
            return;
        };
        let timeout_ms = launch::timeout_of(run, attempt);
        let live = run.task(attempt.task).and_then(|task| task.live());
        let agent = live.and_then(|live| self.shell.agent(&live.agent));
        let rules = agent.map(|agent| agent.description().monitoring);
        let ours = self.shell.options.patience;
        let patience = Patience {
            // An agent without a heartbeat of its own is heard of through the supervisor.
            heartbeat_ms: rules
                .and_then(|rules| rules.heartbeat_ms)
                .unwrap_or(ours.heartbeat_ms)
                .min(ours.heartbeat_ms),
            timeout_ms,
            ..ours
        };
        self.monitor.watch(attempt, patience, self.shell.now_ms());
    }

    /// A number that changes when files of an attempt's workspace do.
    pub(super) fn files_of(&self, attempt: AttemptId) -> u64 {
        let live = self
            .world
            .run(attempt.run)
            .and_then(|run| run.task(attempt.task)?.live());
        let workspace = live.map_or(1, |live| live.workspace);
        let dir = &self.shell.options.dir;
        super::freshness::of(&folder_of(dir, attempt.run, attempt.task, workspace))
    }

    /// Begins what is owed and not under way.
    pub(super) fn begin_owed(&mut self) {
        self.join_if_needed();
        let epoch = self.world.epoch();
        let attended: Vec<RunId> = self
            .world
            .runs()
            .filter(|run| self.attends(run))
            .map(|run| run.id)
            .collect();
        let runs = attended.iter().filter_map(|run| self.world.run(*run));
        let actions = self.reconcile.reconcile(runs, epoch, wall_now());
        for action in actions {
            match action {
                // Whoever resumes goes on with it; now only what works is ended.
                Action::Begin(effect)
                    if self.interruption != Interruption::No
                        && !matches!(effect, Effect::Stop(_)) =>
                {
                    self.reconcile.put_off(effect);
                }
                Action::Begin(effect) => self.begin(effect),
                Action::Abandon(effect) => self.abandon(effect),
            }
        }
        let live = |attempt: AttemptId| {
            let task = self
                .world
                .run(attempt.run)
                .and_then(|run| run.task(attempt.task));
            task.and_then(|task| task.live())
                .is_some_and(|live| live.number == attempt.number)
        };
        self.monitor.retain(live);
    }

    /// The supervisor is joined when there is something to start, to stop, or to be adopted.
    fn join_if_needed(&mut self) {
        if self.supervised.is_joined() || !self.needs_supervisor() {
            self.joining_failed = super::JoiningFailed::default();
            return;
        }
        let again_at = self.joining_failed.again_at;
        if again_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        if self.epoch_due {
            if let Err(fault) = self.world.begin_epoch(wall_now()) {
                self.trouble(format!("begin an epoch: {fault}"));
                return;
            }
            self.epoch_due = false;
        }
        let epoch = self.world.epoch();
        self.shell.checks.begin_epoch(epoch);
        match self.supervised.join(epoch) {
            Ok(()) => self.joining_failed = super::JoiningFailed::default(),
            Err(cause) => self.joining_failed(&cause),
        }
    }

    /// It is tried again, and after some times given up until somebody resumes.
    pub(super) fn joining_failed(&mut self, cause: &str) {
        self.joining_failed.times += 1;
        self.joining_failed.again_at = Some(Instant::now() + super::RETRY);
        self.trouble(format!("join the supervisor: {cause}"));
        if !self
            .joining_failed
            .times
            .is_multiple_of(super::EFFECT_FAILURES_MAX)
        {
            return;
        }
        let reason = PauseReason::Fault(format!("the supervisor cannot be joined: {cause}"));
        let pause = |run: RunId| Directive {
            id: None,
            ask: Ask::Run(
                run,
                Command::Pause {
                    reason: reason.clone(),
                    stop: false,
                },
            ),
        };
        let runs: Vec<RunId> = self.world.runs().map(|run| run.id).collect();
        self.found.extend(runs.into_iter().map(pause));
    }

    fn needs_supervisor(&self) -> bool {
        let starts = |effect: Effect| {
            matches!(
                effect,
                Effect::Start(_)
                    | Effect::Stop(_)
                    | Effect::Check(_)
                    | Effect::Integrate(_)
                    | Effect::FinalCheck(_)
            )
        };
        self.world.owed().any(starts) || self.world.runs().any(|run| run.slots() > 0)
    }

    fn begin(&mut self, effect: Effect) {
        match effect {
            Effect::Start(attempt) => self.begin_start(attempt),
            Effect::Stop(attempt) => {
                self.outbox.push(ToWorker::End {
                    job: Job::agent(attempt),
                    how: EndHow::Graceful,
                });
            }
            Effect::Collect(attempt) => {
                let collecting = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Collecting::of(run, attempt));
                self.hand_over(effect, collecting, Collecting::collect);
            }
            Effect::KeepOffer(attempt) => {
                let collecting = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Collecting::of_ended(run, attempt).map(Collecting::into_offer));
                self.hand_over(effect, collecting, Collecting::collect);
            }
            Effect::Check(attempt) => {
                let checking = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Checking::of(run, attempt));
                self.hand_over(effect, checking, Checking::check);
            }
            Effect::Expand(attempt) => {
                let expanding = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Expanding::of(run, attempt));
                self.hand_over(effect, expanding, Expanding::expand);
            }
            Effect::Integrate(run) => {
                let integrating = self.world.run(run).and_then(Integrating::of);
                self.hand_over(effect, integrating, Integrating::merge);
            }
            Effect::MoveHead(id) => {
                let to = self
                    .world
                    .run(id)
                    .and_then(|run| run.prepared_head().cloned());
                self.hand_over(effect, to, move |to, shell| move_head(shell, id, &to));
            }
            Effect::FinalCheck(run) => {
                let finally = self.world.run(run).map(Finally::of);
                self.hand_over(effect, finally, Finally::check);
            }
        }
    }

    fn begin_start(&mut self, attempt: AttemptId) {
        let now = wall_now();
        let starting = self
            .world
            .run(attempt.run)
            .and_then(|run| Starting::of(run, attempt, day(now), now));
        let Some(starting) = starting else { return };
        if starting.needs_nothing() {
            return self.launch_now(attempt, Launched::Instant);
        }
        let head = starting.head.clone();
        let ready = head.and_then(|head| self.shell.shared_if_ready(attempt.run, &head));
        match ready {
            Some(workspace) if starting.is_bare() => {
                match starting.launch_bare(&self.shell, &workspace) {
                    Ok(launched) => self.launch_now(attempt, launched),
                    Err(finished) => self.local.push_back(Input::Finished {
                        effect: Effect::Start(attempt),
                        result: Ok(finished),
                    }),
                }
            }
            _ => self.hand_over(Effect::Start(attempt), Some(starting), Starting::prepare),
        }
    }

    /// Hands an effect to another thread.
    fn hand_over<T: Send + 'static>(
        &mut self,
        effect: Effect,
        what: Option<T>,
        work: impl FnOnce(T, &super::Shell) -> Result<Finished, String> + Send + 'static,
    ) {
        let Some(what) = what else { return };
        let shell = Arc::clone(&self.shell);
        let work = Box::new(move || work(what, &shell));
        if let Err(error) = self.execute(Work::Effect(effect, work)) {
            let result = Err(format!("start a thread: {error}"));
            self.local.push_back(Input::Finished { effect, result });
        }
    }

    fn execute(&mut self, work: Work) -> std::io::Result<()> {
        let threads = match self.threads.take() {
            Some(threads) => threads,
            None => Threads::start(EFFECT_THREADS, &self.sender)?,
        };
        threads.begin(work);
        self.threads = Some(threads);
        Ok(())
    }

    /// Gives workspaces back whose work is part of the result, or of the plan.
    pub(super) fn release_integrated(&mut self, events: &[(RunId, divisi_core::Time, Event)]) {
        for (_, _, event) in events {
            let attempts: Vec<AttemptId> = match event {
                Event::BatchIntegrated { attempts, .. } => {
                    attempts.iter().map(|(attempt, _)| *attempt).collect()
                }
                Event::TaskSplit {
                    planned: Some((attempt, _)),
                    ..
                } => vec![*attempt],
                _ => continue,
            };
            for attempt in attempts {
                let run = self.world.run(attempt.run);
                let Some(releasing) = run.and_then(|run| Collecting::of_ended(run, attempt)) else {
                    continue;
                };
                let shell = Arc::clone(&self.shell);
                // A workspace that is not given back now is found by `gc`.
                let _ = self.execute(Work::Chore(Box::new(move || releasing.release(&shell))));
            }
        }
    }

    pub(super) fn abandon(&mut self, effect: Effect) {
        if let Effect::Start(attempt) = effect {
            self.launching.remove(&attempt);
        }
    }
}

fn played(
    attempt: AttemptId,
    ended: Ended,
    question: Option<String>,
    limited: Option<String>,
) -> Input {
    let finished = Finished::Played {
        attempt,
        ended,
        question,
        limited,
    };
    Input::Finished {
        effect: Effect::Start(attempt),
        result: Ok(finished),
    }
}

fn output(printed: &str) -> Output {
    let digest = blake3::hash(printed.as_bytes()).to_hex();
    let digest = divisi_core::Digest::new(digest.as_str())
        .expect("a BLAKE3 digest is 64 hexadecimal digits");
    Output {
        digest,
        bytes: printed.len() as u64,
        capped: false,
    }
}

/// The day of a moment in UTC, for compositions.
fn day(at: divisi_core::Time) -> String {
    divisi_agents::handoff::created_at(at)
        .chars()
        .take(10)
        .collect()
}
