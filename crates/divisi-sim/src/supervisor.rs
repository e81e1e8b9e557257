//! A model of the supervisor: it holds agents' processes and outlives engines.
//!
//! It keeps the protocol's promises — one start per job and life, ends held until they are
//! forgotten, lower epochs refused — so that what goes wrong is the core's or the loop's doing.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::ids::{AttemptId, Epoch};
use divisi_core::receipt::Exit;
use divisi_core::run::Said;
use divisi_core::worker::Ended;

use crate::agents::Behavior;
use crate::books;
use crate::breaks::Oracle;
use crate::coverage::Fault;
use crate::permissions::Permissions;
use crate::repo::{Contribution, Quality, WorkspaceKey};
use crate::sim::{Happening, Sim, Violation, violated};

/// From the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say what you hold.
    Hello(Epoch),
    /// Start an attempt's agent in a workspace.
    Start(AttemptId, WorkspaceKey),
    /// End it.
    End(AttemptId),
    /// Its end is durable.
    Forget(AttemptId),
    /// Pass an answer on: whose, to which request, and whether it is allowed.
    Answer(AttemptId, u32, bool),
}

/// To the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// All that is held: live ones without an end; ended ones with it and what they asked.
    Joined(Epoch, Vec<(AttemptId, Option<Finished>)>),
    /// It was started.
    Started(AttemptId),
    /// It could not be started.
    NotStarted(AttemptId, bool),
    /// It ended.
    Ended(AttemptId, Finished),
    /// It is not held.
    Unknown(AttemptId),
    /// It asks leave for something, by number.
    Asks(AttemptId, u32),
}

/// An end and what the agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) ended: Ended,
    /// What it said, if that means anything but "done".
    pub(crate) said: Option<Said>,
}

/// A held process.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where it writes.
    pub(crate) workspace: WorkspaceKey,
    /// How it behaves.
    pub(crate) behavior: Behavior,
    /// When it started, in virtual milliseconds.
    pub(crate) started_ms: u64,
    /// It was told to end.
    pub(crate) told: bool,
    /// What it asked leave for.
    pub(crate) permissions: Permissions,
    /// How it ended, if it has.
    pub(crate) finished: Option<Finished>,
}

/// One life of the supervisor.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    /// Counts its lives.
    pub(crate) life: u32,
    /// Whether it runs.
    pub(crate) up: bool,
    /// The connection it listens to, if one is.
    pub(crate) connection: Option<u64>,
    /// The highest epoch it heard.
    pub(crate) epoch: Epoch,
    /// What it holds.
    pub(crate) jobs: BTreeMap<AttemptId, Job>,
    /// What could not be started, and whether it never can.
    pub(crate) failed: BTreeMap<AttemptId, bool>,
    /// What it ever held in this life.
    pub(crate) known: BTreeSet<AttemptId>,
}

impl Supervisor {
    /// A new life; returns the live jobs of the last one.
    pub(crate) fn restart(&mut self) -> Vec<(AttemptId, Job)> {
        let jobs = std::mem::take(&mut self.jobs);
        *self = Supervisor {
            life: self.life + 1,
            ..Supervisor::default()
        };
        jobs.into_iter()
            .filter(|(_, job)| job.finished.is_none())
            .collect()
    }

    /// Attempts whose processes live.
    pub(crate) fn live(&self) -> impl Iterator<Item = AttemptId> + '_ {
        let live = self.jobs.iter().filter(|(_, job)| job.finished.is_none());
        live.map(|(attempt, _)| *attempt)
    }

    /// What it says when an engine joins.
    #[must_use]
    pub(crate) fn joined(&self) -> Word {
        let holds = self.jobs.iter();
        let holds = holds.map(|(attempt, job)| (*attempt, job.finished.clone()));
        Word::Joined(self.epoch, holds.collect())
    }
}

impl Sim {
    /// The supervisor gets an order.
    pub(crate) fn obey(&mut self, connection: u64, order: Order) -> Result<(), Violation> {
        if let Order::Hello(epoch) = order {
            if self.supervisor.up && epoch >= self.supervisor.epoch {
                self.supervisor.epoch = epoch;
                self.supervisor.connection = Some(connection);
                let word = self.supervisor.joined();
                self.say(word);
                self.tell_asked();
            }
            return Ok(());
        }
        if self.supervisor.connection != Some(connection) {
            return Ok(());
        }
        match order {
            Order::Hello(_) => {}
            Order::Start(attempt, workspace) => self.start_agent(attempt, workspace)?,
            Order::End(attempt) => self.tell_to_end(attempt),
            Order::Answer(attempt, id, allowed) => self.take_answer(attempt, id, allowed)?,
            Order::Forget(attempt) => {
                let ended = |job: &Job| job.finished.is_some();
                if self.supervisor.jobs.get(&attempt).is_some_and(ended) {
                    self.supervisor.jobs.remove(&attempt);
                    self.truth.on_forgotten(attempt);
                }
            }
        }
        Ok(())
    }

    fn start_agent(
        &mut self,
        attempt: AttemptId,
        workspace: WorkspaceKey,
    ) -> Result<(), Violation> {
        if let Some(job) = self.supervisor.jobs.get(&attempt) {
            let word = match &job.finished {
                None => Word::Started(attempt),
                Some(finished) => Word::Ended(attempt, finished.clone()),
            };
            self.say(word);
            return Ok(());
        }
        if let Some(permanent) = self.supervisor.failed.get(&attempt) {
            self.say(Word::NotStarted(attempt, *permanent));
            return Ok(());
        }
        if self.supervisor.known.contains(&attempt) {
            return Ok(());
        }
        let behavior = Behavior::draw(&mut self.rng, self.calm);
        if let Some(fault) = behavior.fault() {
            self.coverage.fault(fault);
        }
        if matches!(behavior, Behavior::NotStarted | Behavior::NeverStarts) {
            let permanent = behavior == Behavior::NeverStarts;
            self.supervisor.failed.insert(attempt, permanent);
            self.say(Word::NotStarted(attempt, permanent));
            return Ok(());
        }
        self.truth.on_started(attempt, self.supervisor.epoch)?;
        let others = self.supervisor.jobs.iter();
        let mut writers = others.filter(|(_, job)| job.finished.is_none());
        if let Some((other, _)) = writers.find(|(_, job)| job.workspace == workspace) {
            return violated(
                Oracle::Writers,
                format!("{attempt} starts where {other} still writes"),
            );
        }
        if let Some((other, _)) = self.orphans.iter().find(|(_, at)| at.0 == workspace) {
            return violated(
                Oracle::Writers,
                format!("{attempt} starts where the orphan {other} still writes"),
            );
        }
        self.supervisor.known.insert(attempt);
        let job = Job {
            workspace,
            behavior,
            started_ms: self.clock.now_ms(),
            told: false,
            permissions: Permissions::default(),
            finished: None,
        };
        self.supervisor.jobs.insert(attempt, job);
        self.truth.check_slots(&self.supervisor, self.capacity)?;
        self.say(Word::Started(attempt));
        if let Some(works_ms) = behavior.works_ms(&mut self.rng) {
            let life = self.supervisor.life;
            self.after(works_ms, Happening::AgentEnds(life, attempt));
        }
        self.plan_to_ask(attempt);
        Ok(())
    }

    fn tell_to_end(&mut self, attempt: AttemptId) {
        let Some(job) = self.supervisor.jobs.get_mut(&attempt) else {
            self.say(Word::Unknown(attempt));
            return;
        };
        if let Some(finished) = job.finished.clone() {
            self.say(Word::Ended(attempt, finished));
            return;
        }
        job.told = true;
        let grace_ms = match job.behavior {
            Behavior::IgnoresStop => 5_000,
            _ => self.rng.within(1, 1_000),
        };
        let life = self.supervisor.life;
        self.after(grace_ms, Happening::AgentKilled(life, attempt));
    }

    pub(crate) fn end_agent(&mut self, life: u32, attempt: AttemptId, killed: bool) {
        if self.supervisor.life != life {
            return;
        }
        if !killed && self.waits_for_leave(life, attempt) {
            return;
        }
        let now_ms = self.clock.now_ms();
        let Some(job) = self.supervisor.jobs.get_mut(&attempt) else {
            return;
        };
        if job.finished.is_some() {
            return;
        }
        let ledger = self.truth.ledger();
        let reserved = ledger.held.get(&attempt).map(|held| held.amount);
        let bound = books::used_up(ledger.reserved(attempt));
        let overshoots = !killed && job.behavior == Behavior::UsesUp && bound.is_some();
        let usage = books::usage(&mut self.rng, reserved.unwrap_or_default(), overshoots);
        let made = match killed {
            true => Quality::Half,
            false => job.behavior.makes(),
        };
        let said = match job.behavior {
            _ if killed => None,
            Behavior::Asks => Some(Said::Question("which color?".to_owned())),
            Behavior::Limited { wait_ms } => Some(Said::UsageLimit {
                cause: "429".to_owned(),
                wait_ms,
                ends_at: None,
            }),
            Behavior::UsesUp => bound.map(Said::UsedUp),
            Behavior::TooLarge => Some(Said::TooLarge("it is two".to_owned())),
            Behavior::Fails => Some(Said::Failure("it does not compile".to_owned())),
            _ => None,
        };
        let finished = Finished {
            ended: Ended {
                exit: match killed {
                    true => Exit::Signal(15),
                    false => job.behavior.exit(),
                },
                output: None,
                wall_ms: now_ms - job.started_ms,
                swept: 0,
                empty: true,
                told: job.told,
                command: String::new(),
                confined: Some(true),
                usage,
                denied: Vec::new(),
            },
            said,
        };
        job.finished = Some(finished.clone());
        let (workspace, behavior) = (job.workspace, job.behavior);
        if matches!(behavior, Behavior::Limited { .. }) {
            self.limit_others();
        }
        let contribution = Contribution {
            attempt,
            quality: made,
        };
        self.repo.write(workspace, contribution);
        self.truth
            .on_ended(attempt, &finished.ended, made, behavior);
        self.say(Word::Ended(attempt, finished));
    }

    /// Whoever works beside one that is refused may be refused, too: at its next request, which is
    /// soon.
    fn limit_others(&mut self) {
        let life = self.supervisor.life;
        let live: Vec<AttemptId> = self.supervisor.live().collect();
        for attempt in live {
            if !self.goes_wrong(700) {
                continue;
            }
            let wait_ms = self.rng.pick(&[None, Some(4_000)]);
            let until_refused_ms = self.rng.within(1, 500);
            if let Some(job) = self.supervisor.jobs.get_mut(&attempt)
                && job.behavior.asks_on()
            {
                job.behavior = Behavior::Limited { wait_ms };
                self.after(until_refused_ms, Happening::AgentEnds(life, attempt));
            }
        }
    }

    pub(crate) fn end_orphan(&mut self, attempt: AttemptId) {
        if let Some((workspace, behavior)) = self.orphans.remove(&attempt) {
            let quality = behavior.makes();
            self.repo
                .write(workspace, Contribution { attempt, quality });
        }
    }

    /// The supervisor says something to whoever is connected.
    pub(crate) fn say(&mut self, word: Word) {
        let Some(connection) = self.supervisor.connection else {
            return;
        };
        if self.goes_wrong(40) && !matches!(word, Word::Joined(..)) {
            self.coverage.fault(Fault::WordTwice);
            let delay = self.rng.within(1, 3_000);
            self.after(delay, Happening::Word(connection, word.clone()));
        }
        let delay = match self.goes_wrong(60) {
            true => {
                self.coverage.fault(Fault::WordDelayed);
                self.rng.within(500, 20_000)
            }
            false => self.rng.within(0, 20),
        };
        self.after(delay, Happening::Word(connection, word));
    }
}
