//! One simulated life of a project folder: what exists, and what happens next.
//!
//! [`Sim`] owns everything: the disk and the repository that survive, the engine that may die at
//! any point, the supervisor, the people, the clock. The engine's loop stands in
//! [`crate::engine`], its effects in [`crate::effects`], what agents do in
//! [`crate::supervisor`], people in [`crate::people`], and what is
//! watched in [`crate::truth`]. Real are the core, the world with its step, and the reconciler.

use std::collections::BTreeMap;

use divisi_core::assign::Capacity;
use divisi_core::ids::{AttemptId, Time};
use divisi_core::run::Budget;

use crate::agents::Behavior;
use crate::awaiting::UNHEARD_MAX;
use crate::breaks::{Break, Oracle};
use crate::clock::Clock;
use crate::coverage::{Coverage, Fault};
use crate::effects::{Report, Task};
use crate::engine::Engine;
use crate::journal::{Disk, FaultyJournal};
use crate::people::People;
use crate::plans;
use crate::repo::{Repo, WorkspaceKey};
use crate::rng::Rng;
use crate::supervisor::{Order, Supervisor, Word};
use crate::truth::Truth;

/// Faults stop at about this virtual time; then everything must come to an end.
const CALM_MS: u64 = 240_000;
/// So many events after faults stopped, a run that has not ended never will.
const EVENTS_MAX: u64 = 60_000;
/// Until an engine that lost its supervisor is joined again: a slow workspace takes as long, and some
/// are ready before that.
pub(crate) const RECONNECT_MS_MAX: u64 = 5_000;

/// Something that must not happen did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What noticed it.
    pub oracle: Oracle,
    /// In words.
    pub what: String,
}

/// A violation, as a result.
pub(crate) fn violated<T>(oracle: Oracle, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation {
        oracle,
        what: what.into(),
    })
}

/// Everything that can happen.
#[derive(Debug)]
pub(crate) enum Happening {
    EngineOpens,
    EngineConnects(u32),
    EngineSteps(u32),
    EngineDies,
    PowerFails,
    RowsDrop,
    SupervisorDies,
    ConnectionBreaks,
    Order(u64, Order),
    Word(u64, Word),
    AgentEnds(u32, AttemptId),
    AgentAsks(u32, AttemptId),
    AgentKilled(u32, AttemptId),
    OrphanEnds(AttemptId),
    /// An engine's effect takes place.
    Effect(u32, u64, Box<Task>),
    /// And is heard of.
    Heard(u32, u64, Box<Report>),
    Request(u64),
    People,
    Watch(u32),
    Calm,
}

/// A simulated project folder.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) rng: Rng,
    pub(crate) clock: Clock<Happening>,
    pub(crate) journal: FaultyJournal,
    pub(crate) repo: Repo,
    pub(crate) capacity: Capacity,
    /// What all runs may use up in a day.
    pub(crate) day: Budget,
    pub(crate) engine: Option<Engine>,
    pub(crate) lives: u32,
    pub(crate) connections: u64,
    pub(crate) supervisor: Supervisor,
    /// Processes that outlived their supervisor, and where they write.
    pub(crate) orphans: BTreeMap<AttemptId, (WorkspaceKey, Behavior)>,
    /// Orders on one connection arrive in order: not before this time.
    pub(crate) orders_at: u64,
    pub(crate) people: People,
    pub(crate) truth: Truth,
    pub(crate) coverage: Coverage,
    pub(crate) broken: Option<Break>,
    pub(crate) calm: bool,
}

impl Sim {
    /// A folder in which the seed decides everything that happens.
    #[must_use]
    pub(crate) fn new(seed: u64, broken: Option<Break>) -> Sim {
        let mut rng = Rng::new(seed);
        let capacity = plans::capacity(&mut rng);
        let day = plans::day(&mut rng);
        let mut sim = Sim {
            clock: Clock::new(1_000_000),
            journal: FaultyJournal::new(broken),
            repo: Repo::new(rng.next()),
            capacity,
            day,
            engine: None,
            lives: 0,
            connections: 0,
            supervisor: Supervisor::default(),
            orphans: BTreeMap::new(),
            orders_at: 0,
            people: People::default(),
            truth: Truth::default(),
            coverage: Coverage::default(),
            broken,
            calm: false,
            rng,
        };
        sim.supervisor.up = true;
        sim.begin();
        sim
    }

    fn begin(&mut self) {
        self.after(0, Happening::EngineOpens);
        self.after(1, Happening::People);
        self.after(CALM_MS, Happening::Calm);
        let runs = 1 + u64::from(self.rng.chance(350));
        for _ in 0..runs {
            let base = self.rng.next();
            let base = self.repo.base(base);
            let mut create = plans::create(&mut self.rng, base);
            if self.broken == Some(Break::AwaitingUnheard) {
                create.settings.awaiting_max = 0;
                self.truth.awaiting_max = Some(UNHEARD_MAX);
            }
            self.ask_create(create);
        }
        // Each kind of accident happens in some seeds at some times.
        let accidents = self.rng.below(7);
        for _ in 0..accidents {
            let at = self.rng.below(CALM_MS * 2 / 3);
            let what = match self.rng.below(10) {
                0..=3 => Happening::EngineDies,
                4 | 5 => Happening::PowerFails,
                6 => Happening::RowsDrop,
                7 | 8 => Happening::SupervisorDies,
                _ => Happening::ConnectionBreaks,
            };
            self.after(at, what);
        }
    }

    /// Plays to the end.
    ///
    /// # Errors
    /// The first violation, with the virtual time.
    pub(crate) fn play(mut self) -> Result<Coverage, Violation> {
        let mut events = 0u64;
        loop {
            events += 1;
            if events > EVENTS_MAX {
                return violated(Oracle::Liveness, self.what_hangs());
            }
            let Some(next) = self.clock.take_next() else {
                return violated(Oracle::Liveness, "nothing is to come");
            };
            let at = self.clock.now_ms();
            let happened = self.happen(next);
            happened.map_err(|violation| Violation {
                what: format!("at {at} ms: {}", violation.what),
                ..violation
            })?;
            if self.calm && self.is_over() {
                self.judge_end()?;
                return Ok(self.coverage);
            }
        }
    }

    /// The virtual time as commands carry it.
    pub(crate) fn now(&self) -> Time {
        Time(self.clock.now_ms())
    }

    pub(crate) fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.clock.after(delay_ms, happening, &mut self.rng);
    }

    /// Chance of a fault, in thousandths; none once it is calm.
    pub(crate) fn goes_wrong(&mut self, per_mille: u64) -> bool {
        !self.calm && self.rng.chance(per_mille)
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::EngineOpens => self.open_engine(),
            Happening::EngineConnects(life) => self.connect(life),
            Happening::EngineSteps(life) => self.step(life),
            Happening::EngineDies => {
                if self.engine.is_some() && !self.calm {
                    self.coverage.fault(Fault::KillAnytime);
                    self.kill_engine();
                }
                Ok(())
            }
            Happening::PowerFails => self.fail_power(),
            Happening::RowsDrop => {
                self.drop_rows();
                Ok(())
            }
            Happening::SupervisorDies => {
                self.kill_supervisor(true);
                Ok(())
            }
            Happening::ConnectionBreaks => {
                self.break_connection();
                Ok(())
            }
            Happening::Order(connection, order) => self.obey(connection, order),
            Happening::Word(connection, word) => self.hear(connection, word),
            Happening::AgentAsks(life, attempt) => {
                self.agent_asks(life, attempt);
                Ok(())
            }
            Happening::AgentEnds(life, attempt) => {
                self.end_agent(life, attempt, false);
                Ok(())
            }
            Happening::AgentKilled(life, attempt) => {
                self.end_agent(life, attempt, true);
                Ok(())
            }
            Happening::OrphanEnds(attempt) => {
                self.end_orphan(attempt);
                Ok(())
            }
            Happening::Effect(life, token, task) => self.carry_out(life, token, *task),
            Happening::Heard(life, token, report) => {
                self.hear_of(life, token, *report);
                Ok(())
            }
            Happening::Request(number) => {
                self.deliver_request(number);
                Ok(())
            }
            Happening::People => self.live_people(),
            Happening::Watch(life) => {
                self.watch(life);
                Ok(())
            }
            Happening::Calm => {
                self.calm = true;
                self.repo.calm();
                Ok(())
            }
        }
    }

    fn fail_power(&mut self) -> Result<(), Violation> {
        if self.calm {
            return Ok(());
        }
        self.coverage.fault(Fault::PowerLoss);
        self.kill_engine();
        self.kill_supervisor(false);
        self.orphans.clear();
        let most = self.rng.below(6);
        if self.journal.disk(|disk| disk.tear(most)) > 0 {
            self.coverage.fault(Fault::TornTail);
            self.truth.forget_torn(&self.journal)?;
            let truth = &self.truth;
            self.people.forget_torn(|id| truth.knows(id));
        }
        Ok(())
    }

    fn drop_rows(&mut self) {
        if self.calm {
            return;
        }
        // Another version of the code can only come with another engine.
        self.kill_engine();
        self.journal.disk(Disk::drop_rows);
        self.coverage.fault(Fault::RowsDropped);
    }

    fn kill_supervisor(&mut self, may_leave_orphans: bool) {
        if self.calm || !self.supervisor.up {
            return;
        }
        if may_leave_orphans {
            self.coverage.fault(Fault::SupervisorKilled);
        }
        let orphans = may_leave_orphans && self.rng.chance(400);
        let live = self.supervisor.restart();
        for (attempt, job) in live {
            if orphans {
                self.coverage.fault(Fault::Orphans);
                self.orphans.insert(attempt, (job.workspace, job.behavior));
                let delay = self.rng.within(1, 60_000);
                self.after(delay, Happening::OrphanEnds(attempt));
            }
        }
        self.supervisor.up = true;
        if let Some(engine) = &mut self.engine {
            engine.lose_connection();
            let life = engine.life;
            let delay = self.rng.within(1, RECONNECT_MS_MAX);
            self.after(delay, Happening::EngineConnects(life));
        }
    }

    fn break_connection(&mut self) {
        if self.calm {
            return;
        }
        if let Some(engine) = &mut self.engine {
            self.coverage.fault(Fault::ConnectionLost);
            engine.lose_connection();
            let life = engine.life;
            let delay = self.rng.within(1, RECONNECT_MS_MAX);
            self.after(delay, Happening::EngineConnects(life));
        }
    }
}
