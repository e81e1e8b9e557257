//! The engine's loop as the simulator plays it: inputs, the step, and death at any point of it.
//!
//! The world, its step and the reconciler are the real ones. What is modeled here is the thin
//! part between: an inbox, a connection to the supervisor, answers, and beginning of effects. It
//! is one loop, and longer than most files because it is only understood when read as a whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use divisi_core::assign::Capacity;
use divisi_core::ids::{AttemptId, Epoch};
use divisi_core::ledger::Refusal;
use divisi_core::run::{Budget, Command, Effect, Event, Phase};
use divisi_engine::reconcile::{Action, Outcome, Reconcile};
use divisi_engine::world::{Answer, Ask, Crossing, Delivery, Directive, World};

use crate::breaks::{Break, Oracle};
use crate::coverage::Fault;
use crate::effects::is_process;
use crate::journal::{Disk, FaultyJournal, Strike};
use crate::plans;
use crate::repo::WorkspaceKey;
use crate::rng::Rng;
use crate::sim::{Happening, Sim, Violation, violated};
use crate::supervisor::Order;

/// Where an input came from, and so what is done when it is durable.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A person's request, by number.
    Person(u64),
    /// An effect of ours, with the token of its beginning.
    Effect(Effect, u64),
    /// A workspace is prepared: the process may be started in it.
    Launch(AttemptId, WorkspaceKey),
    /// The supervisor: the end of an attempt may be forgotten.
    End(AttemptId),
    /// An agent asks leave for something, by number.
    Asked(AttemptId, u32),
    /// The last word of joining: reconciling goes on.
    Joined(Epoch),
    /// Something else of ours.
    Own,
}

#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) directive: Directive,
    pub(crate) source: Source,
}

/// One life of the engine.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) life: u32,
    pub(crate) world: World<FaultyJournal>,
    pub(crate) reconcile: Reconcile,
    pub(crate) inbox: VecDeque<Input>,
    pub(crate) connection: Option<u64>,
    /// Effects under way, by the token of their latest beginning.
    pub(crate) pending: BTreeMap<Effect, u64>,
    /// Attempts that the supervisor held when it was joined: they are not started again.
    pub(crate) adopted: BTreeSet<AttemptId>,
    /// Effects that took place and were not heard of yet.
    pub(crate) unheard: u64,
    /// Orders that were given while nobody was connected.
    unsaid: Vec<Order>,
    tokens: u64,
    /// The earliest step that is planned.
    wakes_ms: Option<u64>,
}

impl Engine {
    /// The supervisor cannot be reached any more.
    pub(crate) fn lose_connection(&mut self) {
        self.connection = None;
        for action in self.reconcile.on_gone() {
            if let Action::Abandon(effect) = action {
                self.pending.remove(&effect);
            }
        }
    }
}

/// Where in a step the engine dies, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    BeforeAnswers,
    BeforeReconcile,
    AmidEffects,
}

/// What carries the words between aggregates.
struct Post<'a> {
    rng: &'a mut Rng,
    calm: bool,
    broken: Option<Break>,
    later: u32,
    twice: u32,
}

impl Post<'_> {
    fn deliver(&mut self, crossing: Crossing) -> Delivery {
        let forgets = self.broken == Some(Break::ReleaseForgotten);
        if forgets && matches!(crossing, Crossing::Settle(_)) {
            return Delivery::Later;
        }
        if self.calm {
            return Delivery::Now;
        }
        match self.rng.below(100) {
            0..=7 => {
                self.later += 1;
                Delivery::Later
            }
            8..=15 => {
                self.twice += 1;
                Delivery::Twice
            }
            _ => Delivery::Now,
        }
    }
}

impl Sim {
    pub(crate) fn open_engine(&mut self) -> Result<(), Violation> {
        if self.engine.is_some() {
            return Ok(());
        }
        self.journal.disk(Disk::revive);
        self.truth.follow(
            &self.journal,
            &self.repo,
            &self.supervisor,
            &mut self.coverage,
        )?;
        let journal = self.journal.clone();
        let unloadable = |fault: divisi_core::journal::Fault| Violation {
            oracle: Oracle::Rows,
            what: format!("the journal cannot be loaded: {fault}"),
        };
        let capacity = match self.broken {
            Some(Break::LimitIgnored) => Capacity { workers: 1_000 },
            _ => self.capacity,
        };
        let now = self.now();
        let mut world = World::open(journal, capacity, now).map_err(unloadable)?;
        world.day = self.day;
        world.credentials = plans::credentials();
        for run in world.runs() {
            if let Some(head) = &run.integration.head {
                self.repo.settle_branch(run.id, head, run.prepared_head());
            }
        }
        self.lives += 1;
        self.engine = Some(Engine {
            life: self.lives,
            world,
            reconcile: Reconcile::default(),
            inbox: VecDeque::new(),
            connection: None,
            pending: BTreeMap::new(),
            adopted: BTreeSet::new(),
            unheard: 0,
            unsaid: Vec::new(),
            tokens: 0,
            wakes_ms: None,
        });
        self.truth.check_loaded(&self.journal)?;
        self.after(1, Happening::Watch(self.lives));
        self.hello();
        self.wake(self.lives, 1);
        Ok(())
    }

    /// Reconnects to the supervisor: a new epoch.
    pub(crate) fn connect(&mut self, life: u32) -> Result<(), Violation> {
        let now = self.now();
        let Some(engine) = self.engine.as_mut().filter(|engine| engine.life == life) else {
            return Ok(());
        };
        if engine.connection.is_some() {
            return Ok(());
        }
        let begun = engine.world.begin_epoch(now);
        if begun.is_err() {
            return violated(Oracle::Rows, "an epoch cannot begin");
        }
        self.hello();
        Ok(())
    }

    fn hello(&mut self) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        self.connections += 1;
        engine.connection = Some(self.connections);
        let epoch = engine.world.epoch();
        let unsaid = std::mem::take(&mut engine.unsaid);
        self.orders_at = 0;
        self.order(Order::Hello(epoch));
        unsaid.into_iter().for_each(|order| self.order(order));
    }

    /// Sends an order; orders of one connection arrive in order. Where there is none it is the next
    /// one that carries it: an engine that joins anew may do so between an answer and the orders
    /// that follow from it.
    pub(crate) fn order(&mut self, order: Order) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        let Some(connection) = engine.connection else {
            engine.unsaid.push(order);
            return;
        };
        let delay = match self.goes_wrong(30) {
            true => self.rng.within(100, 3_000),
            false => self.rng.within(0, 10),
        };
        let at = (self.clock.now_ms() + delay).max(self.orders_at + 1);
        self.orders_at = at;
        self.clock
            .at(at, Happening::Order(connection, order), &mut self.rng);
    }

    pub(crate) fn kill_engine(&mut self) {
        let Some(engine) = self.engine.take() else {
            return;
        };
        for _ in 0..engine.unheard {
            self.coverage.fault(Fault::EffectUnheard);
        }
        if self.rng.chance(600) {
            self.journal.disk(Disk::sync);
        }
        let delay = self.rng.within(1, 20_000);
        self.after(delay, Happening::EngineOpens);
    }

    pub(crate) fn wake(&mut self, life: u32, delay_ms: u64) {
        let at = self.clock.now_ms() + delay_ms;
        let Some(engine) = self.engine.as_mut().filter(|engine| engine.life == life) else {
            return;
        };
        if engine.wakes_ms.is_none_or(|wakes| wakes > at) {
            engine.wakes_ms = Some(at);
            self.clock
                .at(at, Happening::EngineSteps(life), &mut self.rng);
        }
    }

    pub(crate) fn give(&mut self, ask: Ask, source: Source) {
        let directive = Directive { id: None, ask };
        self.give_directive(directive, source);
    }

    pub(crate) fn give_directive(&mut self, mut directive: Directive, source: Source) {
        if let (Some(Break::PermissionDropped), Ask::Budget(_, budget)) =
            (self.broken, &mut directive.ask)
        {
            *budget = Budget::default();
        }
        if let (Some(Break::UsageDropped), Ask::Run(_, Command::Ended { ended, .. })) =
            (self.broken, &mut directive.ask)
        {
            ended.usage = None;
        }
        let Some(engine) = &mut self.engine else {
            return;
        };
        engine.inbox.push_back(Input { directive, source });
        let life = engine.life;
        let delay = self.rng.below(3);
        self.wake(life, delay);
    }

    pub(crate) fn token(&mut self) -> u64 {
        let Some(engine) = &mut self.engine else {
            return 0;
        };
        engine.tokens += 1;
        engine.tokens
    }

    /// Arms a fault for the step that follows, or says where in it the engine dies.
    fn draw_step_fault(&mut self) -> Option<Death> {
        if !self.goes_wrong(25) {
            return None;
        }
        let strike = match self.rng.below(8) {
            0 => Strike::Full,
            1 => Strike::Other,
            2 => Strike::Ambiguous,
            3 => Strike::DieBefore,
            4 => Strike::DieAfter,
            5 => return Some(Death::BeforeAnswers),
            6 => return Some(Death::BeforeReconcile),
            _ => return Some(Death::AmidEffects),
        };
        self.journal.disk(|disk| disk.arm(strike));
        None
    }

    /// One step of the engine's loop.
    pub(crate) fn step(&mut self, life: u32) -> Result<(), Violation> {
        let now = self.now();
        let many = self.rng.within(1, 8) as usize;
        let death = self.draw_step_fault();
        let armed = self.journal.disk(|disk| disk.armed());
        let Some(engine) = self.engine.as_mut().filter(|engine| engine.life == life) else {
            return Ok(());
        };
        engine.wakes_ms = None;
        let many = many.min(engine.inbox.len());
        let inputs: Vec<Input> = engine.inbox.drain(..many).collect();
        let directives = inputs.iter().map(|input| input.directive.clone()).collect();
        let mut post = Post {
            rng: &mut self.rng,
            calm: self.calm,
            broken: self.broken,
            later: 0,
            twice: 0,
        };
        let mut deliver = |crossing: Crossing| post.deliver(crossing);
        let result = engine.world.step_with(directives, now, &mut deliver);
        let (later, twice) = (post.later, post.twice);
        self.coverage.steps += 1;
        for _ in 0..later {
            self.coverage.fault(Fault::CrossingLater);
        }
        for _ in 0..twice {
            self.coverage.fault(Fault::CrossingTwice);
        }
        self.count_strike(armed);
        self.start_early();
        if self.journal.disk(|disk| disk.is_dead()) {
            self.kill_engine();
            return Ok(());
        }
        self.truth.follow(
            &self.journal,
            &self.repo,
            &self.supervisor,
            &mut self.coverage,
        )?;
        self.judge_world()?;
        let Ok(stepped) = result else {
            self.give_back(inputs);
            self.wake(life, 200);
            return Ok(());
        };
        if death == Some(Death::BeforeAnswers) {
            self.coverage.fault(Fault::KillBeforeAnswers);
            self.kill_engine();
            return Ok(());
        }
        self.judge_permitted(&inputs, &stepped.answers)?;
        self.pass_decisions_on(&stepped.events);
        for (input, answer) in inputs.into_iter().zip(stepped.answers) {
            self.answer(input.source, answer)?;
        }
        if death == Some(Death::BeforeReconcile) {
            self.coverage.fault(Fault::KillBeforeReconcile);
            self.kill_engine();
            return Ok(());
        }
        self.act(death == Some(Death::AmidEffects));
        if later > 0 {
            self.wake(life, 50);
        }
        self.plan_next_step(life);
        Ok(())
    }

    fn count_strike(&mut self, armed: Option<Strike>) {
        let struck = self.journal.disk(|disk| disk.armed()).is_none();
        let fault = match armed {
            Some(Strike::Full) => Fault::AppendFull,
            Some(Strike::Other) => Fault::AppendFails,
            Some(Strike::Ambiguous) => Fault::AppendAmbiguous,
            Some(Strike::DieBefore) => Fault::KillBeforeAppend,
            Some(Strike::DieAfter) => Fault::KillAfterAppend,
            None => return,
        };
        if struck {
            self.coverage.fault(fault);
        }
    }

    /// A broken engine starts what it is about to journal.
    fn start_early(&mut self) {
        let early = self.journal.disk(Disk::take_early);
        for entry in early {
            let event = serde_json::from_str(&entry.body);
            if let Ok(Event::AttemptLeased {
                attempt,
                agent,
                workspace,
                ..
            }) = event
                && is_process(&agent)
            {
                let key = (attempt.run, attempt.task, workspace);
                self.order(Order::Start(attempt, key));
            }
        }
    }

    /// The append failed: what was asked is asked again.
    fn give_back(&mut self, inputs: Vec<Input>) {
        for input in inputs.into_iter().rev() {
            if let (Some(Break::AnswerBeforeDurable), Source::Person(number)) =
                (self.broken, &input.source)
            {
                self.people.believe(*number);
                continue;
            }
            if let Some(engine) = &mut self.engine {
                engine.inbox.push_front(input);
            }
        }
    }

    fn plan_next_step(&mut self, life: u32) {
        let now = self.now();
        let Some(engine) = self.engine.as_ref().filter(|engine| engine.life == life) else {
            return;
        };
        let busy = !engine.inbox.is_empty();
        let due = [engine.reconcile.due_at(), engine.world.due_at()];
        let due = due.into_iter().flatten().min();
        if busy {
            self.wake(life, 1);
        }
        if let Some(due) = due {
            self.wake(life, due.ms_since(now).max(1));
        }
    }

    fn answer(&mut self, source: Source, answer: Answer) -> Result<(), Violation> {
        match source {
            Source::Person(number) => {
                match answer {
                    Answer::Rejected(_) => self.coverage.fault(Fault::CommandStale),
                    Answer::NotPermitted(Refusal::NotLimited(_)) => {}
                    Answer::NotPermitted(_) => self.coverage.fault(Fault::PermittedTooLittle),
                    _ => {}
                }
                self.people.on_answer(number, &answer, &self.journal)?;
            }
            Source::Effect(effect, token) => {
                let now = self.now();
                let Some(engine) = &mut self.engine else {
                    return Ok(());
                };
                if engine.pending.get(&effect) == Some(&token) {
                    engine.pending.remove(&effect);
                    engine.reconcile.on_outcome(effect, Outcome::Reported, now);
                } else {
                    self.coverage.fault(Fault::EffectLate);
                }
            }
            Source::Launch(attempt, key) => {
                if answer == Answer::Accepted && self.may_launch(attempt) {
                    self.order(Order::Start(attempt, key));
                }
            }
            Source::Asked(attempt, id) => self.answer_asked(attempt, id, &answer),
            Source::End(attempt) => self.order(Order::Forget(attempt)),
            Source::Joined(epoch) => {
                if let Some(engine) = &mut self.engine
                    && engine.world.epoch() == epoch
                    && engine.connection.is_some()
                {
                    engine.reconcile.on_joined();
                }
            }
            Source::Own => {}
        }
        Ok(())
    }

    fn may_launch(&mut self, attempt: AttemptId) -> bool {
        let Some(engine) = &self.engine else {
            return false;
        };
        let (live, epoch) = (engine.world.live(attempt), engine.world.epoch());
        let may = engine.reconcile.may_launch(live, epoch);
        if !may {
            self.coverage.fault(Fault::NotLaunched);
        }
        may || self.broken == Some(Break::LaunchUnchecked)
    }

    /// Reconciles and begins what is owed.
    fn act(&mut self, dies: bool) {
        let now = self.now();
        let Some(engine) = &mut self.engine else {
            return;
        };
        let epoch = engine.world.epoch();
        let actions = engine.reconcile.reconcile(engine.world.runs(), epoch, now);
        let deadly = dies.then(|| self.rng.below(actions.len() as u64 + 1) as usize);
        for (at, action) in actions.iter().enumerate() {
            if deadly == Some(at) {
                break;
            }
            match action {
                Action::Begin(effect) => self.begin_effect(*effect),
                Action::Abandon(effect) => {
                    if let Some(engine) = &mut self.engine {
                        engine.pending.remove(effect);
                    }
                }
            }
        }
        if dies {
            self.coverage.fault(Fault::KillAmidEffects);
            self.kill_engine();
            return;
        }
        if self.broken == Some(Break::EarlierEpochStarted) {
            self.start_earlier_epochs();
        }
    }

    fn start_earlier_epochs(&mut self) {
        let Some(engine) = &self.engine else { return };
        let mut earlier = Vec::new();
        for run in engine.world.runs() {
            for (no, task) in run.tasks().iter().enumerate() {
                if let Some(live) = task.live()
                    && live.phase == Phase::Leased
                    && live.epoch < engine.world.epoch()
                    && is_process(&live.agent)
                {
                    let no = divisi_core::TaskNo(no as u32);
                    let attempt = run.attempt_id(no, live.number);
                    earlier.push((attempt, (run.id, no, live.workspace)));
                }
            }
        }
        for (attempt, workspace) in earlier {
            self.order(Order::Start(attempt, workspace));
        }
    }
}
