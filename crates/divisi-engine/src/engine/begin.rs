//! From what is owed to what is begun: launches, effects handed to other threads, abandoned ones.

use std::sync::Arc;
use std::time::Instant;

use divisi_agents::{CLAIM_BYTES_MAX, Claim, Monitoring};
use divisi_core::criterion::truncate;
use divisi_core::journal::Journal;
use divisi_core::receipt::{Output, Receipt};
use divisi_core::run::{AttemptEnd, Command, Effect, Event, PauseReason, Said};
use divisi_core::worker::{EndHow, Ended, Job, ToWorker};
use divisi_core::{AttemptId, RunId, TaskNo};

use super::expansion::Expanding;
use super::fetch::Fetching;
use super::homes::home_name;
use super::input::{Failed, Finished, Input};
use super::launch::{self, Launched, Prepared, Starting, Unlaunched};
use super::measuring::Measuring;
use super::results::{Checking, Collecting, Integrating, move_head};
use super::temporary::GivenBack;
use super::threads::{Job as Work, Threads};
use super::weighing::Weighing;
use super::whole::Finally;
use super::{Engine, Interruption, wall_now};
use crate::monitor::Patience;
use crate::reconcile::Action;
use crate::workspace::folder_of;
use crate::world::Directive;

/// Nobody is looked at more often than that.
const LOOK_MS_MIN: u64 = 100;

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
            Launched::Instant => self
                .local
                .push_back(played(attempt, launch::instant(), None)),
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
                        let output = (!done.printed.is_empty()).then(|| output(&done.printed));
                        let ended = Ended {
                            exit: done.exit,
                            output,
                            wall_ms: done.took_ms,
                            usage: done.usage,
                            ..launch::instant()
                        };
                        played(attempt, ended, said(done.claim))
                    }
                    Err(fault) => {
                        let cause = divisi_core::diagnostic::chain(&fault);
                        let command = Command::NotStarted {
                            attempt,
                            cause,
                            permanent: false,
                        };
                        started(attempt, command)
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
        self.world.live(attempt).is_none()
            && run.is_none_or(|run| age_ms > launch::timeout_of(run, attempt))
    }

    pub(super) fn watch(&mut self, attempt: AttemptId) {
        let Some(run) = self.world.run(attempt.run) else {
            return;
        };
        let timeout_ms = launch::timeout_of(run, attempt);
        let live = self.world.live(attempt);
        let agent = live.and_then(|live| self.shell.agent(attempt.run, &live.agent));
        let rules = agent.map(|agent| agent.description().monitoring);
        let ours = Patience {
            timeout_ms,
            ..self.shell.options.patience
        };
        let patience = rules.map_or(ours, |rules| patience(rules, ours));
        let said = live.and_then(|live| run.settings.progress_ms.get(&live.agent));
        let patience = said.map_or(patience, |ms| hurried(*ms, patience));
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
        let is_live = |attempt: AttemptId| self.world.live(attempt).is_some();
        self.monitor.retain(is_live);
        self.looks.retain(|attempt, _| is_live(*attempt));
        self.heard.retain(|attempt, _| is_live(*attempt));
    }

    /// The supervisor is joined when there is something to start, to stop, or to be adopted, or what
    /// may run a program.
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
            Ok(joined) => {
                self.local.extend(joined);
                self.joining_failed = super::JoiningFailed::default();
            }
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
        let pause = |run: RunId| {
            let reason = reason.clone();
            Directive::of_run(
                run,
                Command::Pause {
                    reason,
                    stop: false,
                },
            )
        };
        // Nobody misses it for the others.
        let attended = self.world.runs().filter(|run| self.attends(run));
        let runs: Vec<RunId> = attended.map(|run| run.id).collect();
        self.found.extend(runs.into_iter().map(pause));
    }

    fn needs_supervisor(&self) -> bool {
        let starts = |effect: Effect| {
            matches!(
                effect,
                Effect::Start(_)
                    | Effect::Stop(_)
                    | Effect::Check(_)
                    | Effect::Weigh(_)
                    | Effect::Measure(_)
                    | Effect::Integrate(_)
                    | Effect::FinalCheck(_)
            )
        };
        self.world.owed().any(starts) || self.world.runs().any(|run| run.slots() > 0)
    }

    fn begin(&mut self, effect: Effect) {
        match effect {
            Effect::Start(attempt) => self.begin_start(attempt),
            Effect::Fetch(attempt) => {
                let before = self.looks.get(&attempt).cloned();
                let fetching = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Fetching::of(run, attempt, before));
                self.fetching.extend(fetching.as_ref().map(|_| attempt));
                self.hand_over(effect, fetching, Fetching::fetch);
            }
            Effect::Stop(attempt) => {
                self.outbox.push(ToWorker::End {
                    job: Job::agent(attempt),
                    how: EndHow::Graceful,
                });
            }
            // Somebody submitted while files were being taken: only one may write at a time.
            Effect::Collect(attempt) if self.fetching.contains(&attempt) => {
                self.reconcile.put_off(effect);
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
            Effect::Weigh(attempt) => {
                let weighing = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Weighing::of(run, attempt));
                self.hand_over(effect, weighing, Weighing::weigh);
            }
            Effect::Measure(attempt) => {
                let measuring = self
                    .world
                    .run(attempt.run)
                    .and_then(|run| Measuring::of(run, attempt));
                self.hand_over(effect, measuring, Measuring::measure);
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
        // Adopted: it was started by an earlier life, which had no facts to record with that. What
        // its workspace would need now is nothing to it.
        if self.strays.contains(&attempt) {
            return;
        }
        let now = wall_now();
        let reserved = self.world.ledger().reserved(attempt);
        let starting = self
            .world
            .run(attempt.run)
            .and_then(|run| Starting::of(run, attempt, reserved, day(now), now));
        let Some(starting) = starting else { return };
        if starting.needs_nothing() {
            return self.launch_now(attempt, Launched::Instant);
        }
        // One of the same task that was abandoned may still be at work in the same folder.
        let same_task = |other: &AttemptId| (other.run, other.task) == (attempt.run, attempt.task);
        if self.preparing.iter().any(same_task) {
            return self.reconcile.put_off(Effect::Start(attempt));
        }
        let head = starting.head.clone();
        let ready = head.and_then(|head| self.shell.shared_if_ready(attempt.run, &head));
        match ready {
            Some(workspace) if starting.is_bare() => {
                match starting.launch_bare(&self.shell, &workspace) {
                    Ok(launched) => self.launch_now(attempt, launched),
                    Err(unlaunched) => self.local.push_back(Input::Finished {
                        effect: Effect::Start(attempt),
                        result: match unlaunched {
                            Unlaunched::Never(cause) => Ok(starting.not_started(cause)),
                            Unlaunched::NotNow(cause) => Err(cause.into()),
                        },
                    }),
                }
            }
            _ => {
                self.preparing.insert(attempt);
                self.hand_over(Effect::Start(attempt), Some(starting), Starting::prepare);
            }
        }
    }

    /// Hands an effect to another thread.
    fn hand_over<T: Send + 'static>(
        &mut self,
        effect: Effect,
        what: Option<T>,
        work: impl FnOnce(T, &super::Shell) -> Result<Finished, Failed> + Send + 'static,
    ) {
        let Some(what) = what else { return };
        let shell = Arc::clone(&self.shell);
        let work = Box::new(move || work(what, &shell));
        if let Err(error) = self.execute(Work::Effect(effect, work)) {
            let result = Err(Failed::Ours(format!("start a thread: {error}")));
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

    /// Gives workspaces back whose work is part of the result, or of the plan, or was a verdict.
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
                Event::AttemptAdvanced { attempt, receipts }
                    if matches!(receipts.last(), Some(Receipt::Reviewed { .. })) =>
                {
                    vec![*attempt]
                }
                _ => continue,
            };
            for attempt in self.with_candidates(attempts) {
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

    /// These attempts, with those that were compared for their tasks: once one is integrated, nothing is
    /// chosen any more, and what the others made is kept as commits.
    fn with_candidates(&self, attempts: Vec<AttemptId>) -> Vec<AttemptId> {
        let compared = |attempt: &AttemptId| {
            let run = self.world.run(attempt.run)?;
            let measured = move |no: TaskNo| {
                let last = run.task(no)?.endings.last()?;
                (last.end == AttemptEnd::Measured).then(|| run.attempt_id(no, last.number))
            };
            Some(run.candidates(attempt.task).filter_map(measured))
        };
        let compared: Vec<AttemptId> = attempts.iter().filter_map(compared).flatten().collect();
        attempts.into_iter().chain(compared).collect()
    }

    /// Takes the temporary folders of ended attempts back; no process of theirs is left.
    pub(super) fn take_temporary_back(&mut self) {
        for attempt in std::mem::take(&mut self.returned) {
            self.take_home_back(attempt);
            let given = self.shell.temporary.give_back(&launch::tmp_name(attempt));
            if let GivenBack::Remove(folder) = given {
                let chore = move || {
                    // What stays is removed with everything else when the engine ends.
                    let _ = crate::workspace::walk::remove_all(&folder);
                };
                let _ = self.execute(Work::Chore(Box::new(chore)));
            }
        }
    }

    /// The same with the private folder of a coding agent, unless a next attempt takes it up, or has
    /// it already.
    fn take_home_back(&mut self, attempt: AttemptId) {
        let run = self.world.run(attempt.run);
        let Some(task) = run.and_then(|run| run.task(attempt.task)) else {
            return;
        };
        let ended = task
            .endings
            .last()
            .filter(|last| last.number == attempt.number);
        let Some(ended) = ended.filter(|_| task.live().is_none()) else {
            return;
        };
        if ended.leaves_session() {
            return;
        }
        let name = home_name(attempt.run, attempt.task, ended.workspace);
        // What stays is removed with everything else when the engine ends.
        if let Ok(Some(folder)) = self.shell.homes.put_aside(&name) {
            let chore = move || {
                let _ = crate::workspace::walk::remove_all(&folder);
            };
            let _ = self.execute(Work::Chore(Box::new(chore)));
        }
    }

    pub(super) fn abandon(&mut self, effect: Effect) {
        if let Effect::Start(attempt)
        | Effect::Check(attempt)
        | Effect::Measure(attempt)
        | Effect::Weigh(attempt) = effect
        {
            self.launching.remove(&attempt);
            // A program that nobody waits for any more is not left to its time box.
            self.shell.checks.interrupt_of(attempt);
        }
    }
}

/// How patient the monitor is with an attempt of an agent with these rules.
fn patience(rules: Monitoring, ours: Patience) -> Patience {
    const NEVER: u64 = u64::MAX;
    Patience {
        // Looking is what finds an attempt overdue, too; so there is always a look.
        look_ms: rules
            .look_ms
            .map_or(ours.look_ms, |ms| ms.min(ours.look_ms)),
        // An agent without a heartbeat of its own is heard of through the supervisor: what is
        // silent then is not the agent, and the engine's own patience counts.
        heartbeat_ms: rules.heartbeat_ms.unwrap_or(ours.heartbeat_ms),
        progress_ms: rules
            .progress_ms
            .map_or(NEVER, |ms| ms.min(ours.progress_ms)),
        ..ours
    }
}

/// The same where the run says how long an attempt may go without progress: it is looked at often
/// enough to notice.
fn hurried(progress_ms: u64, patience: Patience) -> Patience {
    Patience {
        progress_ms,
        look_ms: patience.look_ms.min((progress_ms / 4).max(LOOK_MS_MIN)),
        second_look_ms: patience.second_look_ms.min(progress_ms / 2),
        ..patience
    }
}

/// What an agent's claim means to the run.
pub(super) fn said(claim: Claim) -> Option<Said> {
    match claim {
        Claim::Done | Claim::Nothing => None,
        Claim::Failed { mut cause } | Claim::Unable { mut cause } => {
            truncate(&mut cause, CLAIM_BYTES_MAX);
            Some(Said::Failure(cause))
        }
        Claim::TooLarge { mut cause } => {
            truncate(&mut cause, CLAIM_BYTES_MAX);
            Some(Said::TooLarge(cause))
        }
        Claim::Asks(question) => Some(Said::Question(question.text)),
        Claim::UsedUp { bound } => Some(Said::UsedUp(bound)),
        Claim::Limited { cause, wait_ms } => Some(Said::UsageLimit {
            cause,
            wait_ms,
            // The ledger says.
            ends_at: None,
        }),
    }
}

fn played(attempt: AttemptId, ended: Ended, said: Option<Said>) -> Input {
    let command = Command::Ended {
        attempt,
        ended,
        said,
    };
    started(attempt, command)
}

/// What came of a start without a process.
fn started(attempt: AttemptId, command: Command) -> Input {
    Input::Finished {
        effect: Effect::Start(attempt),
        result: Ok(Finished::told(command)),
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

#[cfg(test)]
mod tests {
    use divisi_agents::Kind;

    use super::*;

    #[test]
    fn an_agents_own_rules_say_when_its_silence_is_suspicious() {
        let ours = Patience::default();
        let adapter = patience(Monitoring::of(Kind::Adapter), ours);
        assert_eq!(adapter, ours, "the defaults are the same");
        let rules = Monitoring {
            look_ms: Some(7),
            heartbeat_ms: Some(ours.heartbeat_ms * 2),
            progress_ms: None,
        };
        let expected = Patience {
            look_ms: 7,
            heartbeat_ms: ours.heartbeat_ms * 2,
            progress_ms: u64::MAX,
            ..ours
        };
        assert_eq!(patience(rules, ours), expected);
        // A plain program is heard of through the supervisor.
        let command = patience(Monitoring::of(Kind::Command), ours);
        assert_eq!(command.heartbeat_ms, ours.heartbeat_ms);
        // An engine that looks sooner finds sooner.
        let impatient = Patience {
            progress_ms: 5,
            ..ours
        };
        let command = patience(Monitoring::of(Kind::Command), impatient);
        assert_eq!(command.progress_ms, 5);
    }
}
