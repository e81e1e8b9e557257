//! What the engine owes, carried out on the models.
//!
//! An effect is begun, takes place some time later, and is heard of later still: the engine may
//! die in between, and then it took place without anybody knowing.

use divisi_core::criterion::{Criterion, Outcome as Found, Verdict};
use divisi_core::ids::{AttemptId, Commit, RunId, TaskNo};
use divisi_core::receipt::{Exit, Snapshot};
use divisi_core::run::{
    AGENT_COMPOSE, AGENT_EXPAND, AGENT_EXTERNAL, AGENT_PERSON, Command, Effect, Merged,
};
use divisi_core::worker::Ended;
use divisi_engine::reconcile::Outcome;
use divisi_engine::world::Ask;

use crate::agents::Behavior;
use crate::breaks::{Break, Oracle};
use crate::candidates::owners;
use crate::coverage::Fault;
use crate::engine::Source;
use crate::needs::{What, what};
use crate::repo::{Contribution, Quality, WorkspaceKey};
use crate::sim::{Happening, RECONNECT_MS_MAX, Sim, Violation, violated};
use crate::supervisor::Order;

/// Whether an agent of this name is a process of the supervisor's.
pub(crate) fn is_process(agent: &str) -> bool {
    !matches!(
        agent,
        AGENT_PERSON | AGENT_EXTERNAL | AGENT_COMPOSE | AGENT_EXPAND
    )
}

/// An effect under way, with what was read from the state when it was begun.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    effect: Effect,
    what: What,
}

/// What is heard of an effect.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// It took place.
    Done(Effect, RunId, Command),
    /// A process can be started in its workspace, once it is durable what that is made of.
    Prepared(AttemptId, WorkspaceKey, Commit),
    /// It failed for a reason of ours.
    Failed(Effect),
    /// What it waits for is not there yet.
    NotYet(Effect),
}

impl Sim {
    pub(crate) fn begin_effect(&mut self, effect: Effect) {
        let Some(engine) = &self.engine else { return };
        let life = engine.life;
        let Some(run) = engine.world.run(effect.run()) else {
            return;
        };
        if let Effect::Stop(attempt) = effect {
            let agent = run.task(attempt.task).and_then(|task| task.live());
            let process = agent.is_some_and(|live| is_process(&live.agent));
            self.begin_stop(attempt, process);
            return;
        }
        if matches!(effect, Effect::Start(attempt) if engine.adopted.contains(&attempt)) {
            return;
        }
        let Some(what) = what(run, effect) else {
            return;
        };
        let token = self.token();
        if let Some(engine) = &mut self.engine {
            engine.pending.insert(effect, token);
        }
        // A setup takes its time.
        let slow = matches!(effect, Effect::Start(_)) && self.goes_wrong(400);
        let delay = self
            .rng
            .within(0, if slow { RECONNECT_MS_MAX } else { 400 });
        let task = Box::new(Task { effect, what });
        self.after(delay, Happening::Effect(life, token, task));
    }

    /// An effect takes place.
    pub(crate) fn carry_out(&mut self, life: u32, token: u64, task: Task) -> Result<(), Violation> {
        let Some(engine) = self.engine.as_ref().filter(|engine| engine.life == life) else {
            return Ok(());
        };
        let abandoned = engine.pending.get(&task.effect) != Some(&token);
        // A process's workspace is prepared to its end, though nobody waits for it any more.
        let ends_with_that = match &task.what {
            What::Prepare { agent, .. } => !is_process(agent),
            What::Fetch { .. } => true,
            _ => false,
        };
        if abandoned && ends_with_that {
            return Ok(());
        }
        if self.goes_wrong(30) {
            self.coverage.fault(Fault::EffectFails);
            self.report(token, Report::Failed(task.effect));
            return Ok(());
        }
        let effect = task.effect;
        match task.what {
            What::Prepare {
                attempt,
                key,
                head,
                agent,
            } => {
                let base = self.repo.workspace(key, &head).base.clone();
                match self.goes_wrong(10) {
                    true => self.not_prepared(token, attempt),
                    false if !is_process(&agent) => {
                        self.begin_by_ourselves(token, (attempt, key), base, &agent);
                    }
                    // A start without facts worth recording leaves no event.
                    false if !abandoned && self.rng.chance(500) => {
                        self.order(Order::Start(attempt, key));
                    }
                    false => self.report(token, Report::Prepared(attempt, key, base)),
                }
            }
            What::Fetch { attempt, key } => self.fetch(token, attempt, key),
            What::Collect {
                attempt,
                key,
                files,
                adopts,
            } => {
                let mut command = self.collect(attempt, key, files);
                if let (Command::Collected { snapshot, .. }, Some(adopts)) = (&mut command, adopts)
                {
                    *snapshot = Some(adopts);
                }
                self.report(token, Report::Done(effect, attempt.run, command));
            }
            What::Check {
                attempt,
                criteria,
                ok_exit,
                snapshot,
            } => {
                let verdicts = self.check(attempt, &criteria, &ok_exit, snapshot.as_ref());
                let command = Command::Checked { attempt, verdicts };
                self.report(token, Report::Done(effect, attempt.run, command));
            }
            What::Weigh(weighing) => self.weigh(token, effect, &weighing),
            What::Measure(measuring) => self.measure(token, effect, measuring),
            What::Expand(expanding) => self.expand(token, effect, &expanding),
            What::Offer { attempt, key } => {
                let snapshot = Some(self.repo.snapshot(key, attempt, true));
                let command = Command::OfferCollected { attempt, snapshot };
                self.report(token, Report::Done(effect, attempt.run, command));
            }
            What::Merge { run, onto, batch } => self.merge(token, run, onto, &batch)?,
            What::Move { run, old, new } => self.move_head(token, run, &old, new),
            What::Final {
                run,
                head,
                criteria,
                tasks,
            } => self.check_whole(token, run, head, &criteria, &tasks),
        }
        Ok(())
    }

    pub(crate) fn report(&mut self, token: u64, report: Report) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        engine.unheard += 1;
        let life = engine.life;
        let delay = match self.goes_wrong(50) {
            true => self.rng.within(500, 10_000),
            false => self.rng.within(0, 100),
        };
        self.after(delay, Happening::Heard(life, token, Box::new(report)));
    }

    pub(crate) fn hear_of(&mut self, life: u32, token: u64, report: Report) {
        let Some(engine) = self.engine.as_mut().filter(|engine| engine.life == life) else {
            return;
        };
        engine.unheard -= 1;
        match report {
            Report::Done(effect, run, command) => {
                self.give(Ask::Run(run, command), Source::Effect(effect, token));
            }
            Report::Prepared(attempt, key, base) => {
                let command = Command::Started {
                    attempt,
                    base: Some(base),
                    passed_before: Vec::new(),
                    confined: Some(true),
                    left_out: Vec::new(),
                };
                self.give(Ask::Run(attempt.run, command), Source::Launch(attempt, key));
            }
            Report::Failed(effect) => self.again(life, effect, token, Outcome::Failed),
            Report::NotYet(effect) => self.again(life, effect, token, Outcome::NotYet),
        }
    }

    /// An effect is to be begun again later.
    fn again(&mut self, life: u32, effect: Effect, token: u64, outcome: Outcome) {
        let now = self.now();
        let Some(engine) = &mut self.engine else {
            return;
        };
        if engine.pending.get(&effect) == Some(&token) {
            engine.pending.remove(&effect);
            engine.reconcile.on_outcome(effect, outcome, now);
            let due = engine.reconcile.due_at().unwrap_or(now);
            self.wake(life, due.ms_since(now).max(1));
        }
    }

    fn not_prepared(&mut self, token: u64, attempt: AttemptId) {
        self.coverage.fault(Fault::NotPrepared);
        let command = Command::NotPrepared {
            attempt,
            cause: "the setup failed".to_owned(),
        };
        let report = Report::Done(Effect::Start(attempt), attempt.run, command);
        self.report(token, report);
    }

    /// A workspace is prepared for a person, for files from outside, or for a composition.
    fn begin_by_ourselves(
        &mut self,
        token: u64,
        (attempt, key): (AttemptId, WorkspaceKey),
        base: Commit,
        agent: &str,
    ) {
        let effect = Effect::Start(attempt);
        if matches!(agent, AGENT_PERSON | AGENT_EXTERNAL) {
            if agent == AGENT_EXTERNAL || self.rng.chance(500) {
                let command = Command::Started {
                    attempt,
                    base: Some(base),
                    passed_before: Vec::new(),
                    confined: None,
                    left_out: Vec::new(),
                };
                self.report(token, Report::Done(effect, attempt.run, command));
            }
            return;
        }
        // Divisi composes by itself.
        if self.goes_wrong(60) {
            self.coverage.fault(Fault::NotComposed);
            let command = Command::NotComposed {
                attempt,
                cause: "the template is not there".to_owned(),
                ended: None,
            };
            self.report(token, Report::Done(effect, attempt.run, command));
            return;
        }
        self.bring(token, effect, attempt, key);
    }

    /// Looks for files from outside. Once it is calm, they are there.
    fn fetch(&mut self, token: u64, attempt: AttemptId, key: WorkspaceKey) {
        let effect = Effect::Fetch(attempt);
        if self.goes_wrong(600) {
            self.coverage.fault(Fault::ExternalLate);
            self.report(token, Report::NotYet(effect));
            return;
        }
        self.bring(token, effect, attempt, key);
    }

    /// Something is made without an agent.
    fn bring(&mut self, token: u64, effect: Effect, attempt: AttemptId, key: WorkspaceKey) {
        let quality = match self.goes_wrong(150) {
            true => Quality::Nothing,
            false => Quality::Right,
        };
        self.repo.write(key, Contribution { attempt, quality });
        let ended = Ended {
            wall_ms: 5,
            ..Ended::of(Exit::NoProcess)
        };
        self.truth
            .on_ended(attempt, &ended, quality, Behavior::Succeeds);
        let command = Command::Ended {
            attempt,
            ended,
            said: None,
        };
        self.report(token, Report::Done(effect, attempt.run, command));
    }

    fn collect(&mut self, attempt: AttemptId, key: WorkspaceKey, files: bool) -> Command {
        if self.truth.behavior(attempt) == Some(Behavior::BadDeliverable) {
            let cause = "out.md is a link".to_owned();
            return Command::CollectRefused { attempt, cause };
        }
        let store = self.broken != Some(Break::BytesAfterEvent);
        let snapshot = files.then(|| self.repo.snapshot(key, attempt, store));
        Command::Collected {
            attempt,
            snapshot,
            artifacts: Vec::new(),
        }
    }

    fn check(
        &self,
        attempt: AttemptId,
        criteria: &[Criterion],
        ok_exit: &[i32],
        snapshot: Option<&Commit>,
    ) -> Vec<Verdict> {
        let quality = match snapshot {
            Some(commit) => self.repo.quality_in(commit, self.truth.author(attempt)),
            None => self.truth.quality(attempt),
        };
        let exit = self.truth.exit(attempt);
        let verdict = |(at, criterion): (usize, &Criterion)| {
            let holds = truly_holds(criterion, quality, exit.as_ref(), ok_exit);
            match holds {
                _ if self.broken == Some(Break::VerdictIgnored) => Verdict::pass(at as u16),
                None => Verdict {
                    outcome: Found::Unverified,
                    ..Verdict::pass(at as u16)
                },
                Some(true) => Verdict::pass(at as u16),
                Some(false) => Verdict::fail(at as u16, "it does not hold"),
            }
        };
        criteria.iter().enumerate().map(verdict).collect()
    }

    fn merge(
        &mut self,
        token: u64,
        run: RunId,
        onto: Commit,
        batch: &[(AttemptId, Snapshot)],
    ) -> Result<(), Violation> {
        let owners = self.truth.run(run).map(owners).unwrap_or_default();
        let Some(merge) = self.repo.merge(&onto, batch, &owners) else {
            return violated(
                Oracle::Bytes,
                format!("a commit of {run} that is to be merged is not there"),
            );
        };
        if merge.conflict.is_some() {
            self.coverage.fault(Fault::Conflict);
        }
        if merge.refused {
            self.coverage.fault(Fault::IntegrationRefused);
        }
        if self.broken == Some(Break::DoubleIntegration)
            && let Some((_, head, _)) = merge.merged.last()
        {
            self.repo.merge_again(head);
        }
        let merged = merge.merged.into_iter();
        let merged = merged
            .map(|(attempt, commit, tree)| Merged {
                attempt,
                commit,
                tree,
            })
            .collect();
        let refused = match merge.refused {
            true => vec![Verdict::fail(0, "together they fail")],
            false => Vec::new(),
        };
        let command = Command::BatchMerged {
            onto,
            merged,
            conflict: merge
                .conflict
                .map(|attempt| (attempt, vec!["src/a.rs".to_owned()])),
            refused,
        };
        self.report(token, Report::Done(Effect::Integrate(run), run, command));
        Ok(())
    }

    fn move_head(&mut self, token: u64, run: RunId, old: &Commit, new: Commit) {
        let effect = Effect::MoveHead(run);
        let moved =
            self.broken == Some(Break::HeadNotMoved) || self.repo.update_ref(run, old, &new);
        let report = match moved {
            true => Report::Done(effect, run, Command::HeadMoved { head: new }),
            false => Report::Failed(effect),
        };
        self.report(token, report);
    }

    fn check_whole(
        &mut self,
        token: u64,
        run: RunId,
        head: Option<Commit>,
        criteria: &[Criterion],
        tasks: &[TaskNo],
    ) {
        let fails = self.goes_wrong(250);
        let verdict = |(at, criterion): (usize, &Criterion)| match criterion {
            Criterion::Plain { .. } => Verdict {
                outcome: Found::Unverified,
                ..Verdict::pass(at as u16)
            },
            _ if fails => Verdict::fail(at as u16, "it fails on the whole"),
            _ => Verdict::pass(at as u16),
        };
        let verdicts = criteria.iter().enumerate().map(verdict).collect();
        let mut failing = Vec::new();
        if !tasks.is_empty() && self.goes_wrong(200) {
            let task = self.rng.pick(tasks);
            failing.push((task, vec![Verdict::fail(0, "it fails on the whole")]));
        }
        if fails || !failing.is_empty() {
            self.coverage.fault(Fault::FinalRefused);
        }
        let command = Command::FinalChecked {
            head,
            verdicts,
            tasks: failing,
        };
        self.report(token, Report::Done(Effect::FinalCheck(run), run, command));
    }
}

/// Whether a criterion holds in truth; `None` if only a person can tell.
pub(crate) fn truly_holds(
    criterion: &Criterion,
    quality: Quality,
    exit: Option<&Exit>,
    ok_exit: &[i32],
) -> Option<bool> {
    match criterion {
        Criterion::Plain { .. } => None,
        Criterion::ExitStatus => Some(match exit {
            Some(Exit::Status(status)) => ok_exit.contains(status),
            Some(Exit::NoProcess) | None => quality == Quality::Right,
            Some(Exit::Signal(_)) => false,
        }),
        _ => Some(quality == Quality::Right),
    }
}
