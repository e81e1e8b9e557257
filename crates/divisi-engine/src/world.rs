//! All aggregates in memory, and the step that changes them.
//!
//! A step takes a bounded number of directives, decides and applies each, lets `assign` propose
//! leases, and appends all new events with the rows they changed in one transaction. Only when
//! that is durable do answers and effects leave. If it fails, the memory is dropped and rebuilt:
//! nothing continues on facts the journal lacks.
//!
//! The world knows no thread, process or clock; the real engine and the simulator run the same.

mod budgets;
mod limits;
mod loading;

use std::collections::{BTreeMap, BTreeSet};

use budgets::Reserved;
use divisi_core::assign::{Capacity, assign};
use divisi_core::ids::{AttemptId, CommandId, Epoch, RunId, TaskNo, Time};
use divisi_core::journal::{Batch, CommandRow, Entry, Fault, Journal, Stream};
use divisi_core::ledger::{self, Access, Account, Choice, Credential, Exhausted, Ledger, Wanted};
use divisi_core::plan;
use divisi_core::run::{
    self, Accepted, Attempt, Command, Create, Effect, Event, Rejection, Run, stored,
};
use divisi_core::{Diagnostic, TaskId};
pub use loading::load;

/// Something asked of the world.
#[derive(Clone, Debug)]
pub struct Directive {
    /// Makes it idempotent, if it comes from outside.
    pub id: Option<CommandId>,
    /// What.
    pub ask: Ask,
}

impl Directive {
    /// One of the engine's own, which is repeated if need be without anybody asking for the same.
    #[must_use]
    pub fn of_run(run: RunId, command: Command) -> Directive {
        Directive {
            id: None,
            ask: Ask::Run(run, command),
        }
    }
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A new run.
    Create(Box<Create>),
    /// Something of one run.
    Run(RunId, Command),
    /// More or less is permitted on an account; what the budget leaves open stays as it is.
    Budget(Account, run::Budget),
    /// The ends of the usage limits of an agent, or of a credential by its name, are not waited for
    /// any longer.
    Lift(String),
}

/// The answer to a directive.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A run was created.
    Created(RunId),
    /// It was accepted.
    Accepted,
    /// It was refused.
    Rejected(Rejection),
    /// No such run is loaded.
    NoSuchRun(RunId),
    /// The plan is not sound.
    BadPlan(Vec<plan::Fault>),
    /// The ledger refused it.
    NotPermitted(ledger::Refusal),
    /// The same command was handled before, with this outcome.
    Repeated(String),
}

/// What a step did.
#[derive(Debug, Default)]
pub struct Stepped {
    /// One answer a directive, in order.
    pub answers: Vec<Answer>,
    /// What happened, in order.
    pub events: Vec<(RunId, Time, Event)>,
}

/// A word between aggregates; the simulator delays and repeats these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Run to ledger: this account is to be opened before it is charged.
    Open(Account),
    /// Run to ledger: reserve before a lease.
    Reserve(AttemptId),
    /// Ledger to run: the reservation is held, lease.
    Lease(AttemptId),
    /// Run to ledger: the attempt is over.
    Settle(AttemptId),
}

/// Whether a word between aggregates arrives in this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It does.
    Now,
    /// It does, twice.
    Twice,
    /// Not yet; it is derived anew in a later step.
    Later,
}

/// Which runs are gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leasing {
    /// Every one.
    All,
    /// These; the others wait until somebody resumes them.
    These(BTreeSet<RunId>),
}

impl Leasing {
    /// Whether a run is gone on with.
    #[must_use]
    pub fn takes(&self, run: RunId) -> bool {
        match self {
            Leasing::All => true,
            Leasing::These(runs) => runs.contains(&run),
        }
    }
}

/// A run in memory.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its state.
    pub run: Run,
    /// The seq of its last event.
    pub seq: u64,
}

/// All that is loaded.
#[derive(Debug)]
pub struct World<J> {
    /// What remembers.
    pub journal: J,
    /// Shared by all runs.
    pub capacity: Capacity,
    /// Which runs' ready tasks are leased. None while nobody would carry the leases out.
    pub leasing: Leasing,
    /// What all runs together may use in a day. Opens that day's account; afterwards the account is
    /// the truth about it.
    pub day: run::Budget,
    /// What each agent can log in with here, in the order in which it looks.
    pub credentials: BTreeMap<String, Vec<Credential>>,
    /// Added to UTC for the time of the day, in milliseconds.
    pub offset_ms: i64,
    epoch: Epoch,
    runs: BTreeMap<RunId, Loaded>,
    /// Stays loaded when it has ended.
    kept: Option<RunId>,
    run_last: u32,
    ledger: Ledger,
    ledger_seq: u64,
    last_at: Time,
    /// Runs that had no row and were replayed from all their events.
    rebuilt: Vec<RunId>,
}

impl<J: Journal> World<J> {
    /// Loads every run that has not ended, and begins an epoch.
    ///
    /// # Errors
    /// The journal cannot be read or written.
    pub fn open(mut journal: J, capacity: Capacity, now: Time) -> Result<World<J>, Fault> {
        let epoch = journal.begin_epoch(now)?;
        let mut world = World {
            journal,
            capacity,
            leasing: Leasing::All,
            day: run::Budget::default(),
            credentials: BTreeMap::new(),
            offset_ms: 0,
            epoch,
            runs: BTreeMap::new(),
            kept: None,
            run_last: 0,
            ledger: Ledger::default(),
            ledger_seq: 0,
            last_at: now,
            rebuilt: Vec::new(),
        };
        world.reload()?;
        world.write_rebuilt()?;
        Ok(world)
    }

    /// Begins a new epoch: every lease made before is to be adopted, or is lost.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn begin_epoch(&mut self, now: Time) -> Result<Epoch, Fault> {
        self.epoch = self.journal.begin_epoch(now)?;
        Ok(self.epoch)
    }

    /// The present epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A loaded run.
    #[must_use]
    pub fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run).map(|loaded| &loaded.run)
    }

    /// The attempt of this name, if it is live.
    #[must_use]
    pub fn live(&self, attempt: AttemptId) -> Option<&Attempt> {
        let live = self.run(attempt.run)?.task(attempt.task)?.live()?;
        (live.number == attempt.number).then_some(live)
    }

    /// All loaded runs, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().map(|loaded| &loaded.run)
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What was answered to this command before, if it was. A journal that cannot be read now
    /// has answered nothing.
    #[must_use]
    pub fn outcome(&self, id: Option<&CommandId>) -> Option<String> {
        self.journal.command(id?).ok().flatten()
    }

    /// All that is owed now over all runs.
    pub fn owed(&self) -> impl Iterator<Item = Effect> + '_ {
        self.runs.values().flat_map(|loaded| loaded.run.owed())
    }

    /// When something is due by the clock alone: the first task that is delayed, or whose agent may
    /// not begin, beyond the latest step, and the first request that nobody has answered by then. A
    /// task whose time has come and that still waits, waits for a slot, not for the clock.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        let may = |run: &Run, wanted: Wanted<'_>| self.may(run, wanted, self.last_at);
        let mut dues: Vec<Time> = self.runs().filter_map(Run::expires_at).collect();
        for run in self.runs().filter(|run| run.takes_leases()) {
            dues.extend(run.delayed_until(self.last_at));
            dues.extend(run.held_until(self.last_at, &may));
        }
        dues.into_iter().min()
    }

    /// Whether an agent may begin something for a run, and with which credential.
    fn may(&self, run: &Run, wanted: Wanted<'_>, now: Time) -> Choice {
        let access = Access {
            limits: &self.ledger.limits,
            credentials: &self.credentials,
            offset_ms: self.offset_ms,
        };
        access.choose(&run.settings, wanted, now)
    }

    /// One step, with all words between aggregates arriving at once.
    ///
    /// # Errors
    /// Nothing was appended; the memory has been rebuilt, the directives may be given again.
    pub fn step(&mut self, directives: Vec<Directive>, now: Time) -> Result<Stepped, Fault> {
        self.step_with(directives, now, &mut |_| Delivery::Now)
    }

    /// One step; `deliver` says what becomes of each word between aggregates.
    ///
    /// # Errors
    /// As [`World::step`].
    pub fn step_with(
        &mut self,
        directives: Vec<Directive>,
        now: Time,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Result<Stepped, Fault> {
        let now = now.max(self.last_at);
        self.last_at = now;
        let mut step = Step {
            now,
            batch: Batch::default(),
            stepped: Stepped::default(),
            dirty: BTreeSet::new(),
            ledger_dirty: false,
        };
        let result = self.fill(&mut step, directives, deliver);
        let result = result.and_then(|()| match step.batch.is_empty() {
            true => Ok(()),
            false => self.journal.append(&step.batch),
        });
        if let Err(fault) = result {
            self.reload()?;
            return Err(fault);
        }
        self.unload_ended();
        Ok(step.stepped)
    }

    fn fill(
        &mut self,
        step: &mut Step,
        directives: Vec<Directive>,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Result<(), Fault> {
        for directive in directives {
            let answer = self.direct(step, directive)?;
            step.stepped.answers.push(answer);
        }
        self.expire(step);
        self.settle_ended(step, deliver)?;
        self.lease_ready(step, deliver);
        for run in &step.dirty {
            let Some(loaded) = self.runs.get_mut(run) else {
                continue;
            };
            for no in loaded.run.take_changed() {
                step.batch.tasks.push(stored::task_row(&loaded.run, no));
            }
            step.batch
                .runs
                .push(stored::run_row(&loaded.run, loaded.seq));
        }
        if step.ledger_dirty {
            let changed = self.ledger.take_changed();
            step.batch.accounts = ledger::stored::account_rows(&self.ledger, changed);
            step.batch.ledger = Some(ledger::stored::ledger_row(&self.ledger, self.ledger_seq));
        }
        Ok(())
    }

    fn direct(&mut self, step: &mut Step, directive: Directive) -> Result<Answer, Fault> {
        if let Some(id) = &directive.id {
            let in_this_step = step.batch.commands.iter().find(|row| row.id == *id);
            let outcome = match in_this_step {
                Some(row) => Some(row.outcome.clone()),
                None => self.journal.command(id)?,
            };
            if let Some(outcome) = outcome {
                return Ok(Answer::Repeated(outcome));
            }
        }
        let answer = match directive.ask {
            Ask::Create(create) => self.create(step, *create),
            Ask::Run(run, command) => self.command(step, run, command)?,
            Ask::Budget(account, budget) => self.permit(step, account, budget)?,
            Ask::Lift(name) => self.lift(step, name),
        };
        if let Some(id) = directive.id
            && !matches!(
                answer,
                Answer::Rejected(_)
                    | Answer::NoSuchRun(_)
                    | Answer::BadPlan(_)
                    | Answer::NotPermitted(_)
            )
        {
            let outcome = match &answer {
                Answer::Created(run) => run.to_string(),
                _ => "accepted".to_owned(),
            };
            step.batch.commands.push(CommandRow { id, outcome });
        }
        Ok(answer)
    }

    fn create(&mut self, step: &mut Step, create: Create) -> Answer {
        let id = RunId(self.run_last + 1);
        match run::create(id, create, step.now) {
            Err(faults) => Answer::BadPlan(faults),
            Ok((run, event)) => {
                self.run_last += 1;
                self.runs.insert(id, Loaded { run, seq: 0 });
                self.record(step, id, vec![event]);
                Answer::Created(id)
            }
        }
    }

    fn command(
        &mut self,
        step: &mut Step,
        id: RunId,
        mut command: Command,
    ) -> Result<Answer, Fault> {
        // An ended run is loaded to refuse by name, or to take in late work.
        if !self.load_ended(id)? {
            return Ok(Answer::NoSuchRun(id));
        }
        self.hear_of_limit(step, &mut command);
        Ok(match self.decide(step, id, command) {
            Ok(()) => Answer::Accepted,
            Err(rejection) => Answer::Rejected(rejection),
        })
    }

    fn decide(&mut self, step: &mut Step, id: RunId, command: Command) -> Result<(), Rejection> {
        let Some(loaded) = self.runs.get_mut(&id) else {
            return Err(Rejection::RunEnded);
        };
        match loaded.run.decide(command, step.now)? {
            Accepted::Nothing => {}
            Accepted::Events(events) => self.record(step, id, events),
        }
        Ok(())
    }

    /// Denies what nobody answered in time.
    fn expire(&mut self, step: &mut Step) {
        let due = |run: &&Run| run.expires_at().is_some_and(|at| at <= step.now);
        let due: Vec<RunId> = self.runs().filter(due).map(|run| run.id).collect();
        for run in due {
            let expired = self.decide(step, run, Command::ExpirePermissions);
            debug_assert!(expired.is_ok(), "only a live run has what expires");
        }
    }

    /// Adds events that are already applied to the batch.
    fn record(&mut self, step: &mut Step, id: RunId, events: Vec<Event>) {
        let Some(loaded) = self.runs.get_mut(&id) else {
            return;
        };
        let at = loaded.run.last_at;
        for event in events {
            if matches!(
                event,
                Event::PlanReplaced { .. } | Event::PlanRefused { .. }
            ) {
                step.batch.cut.push((id, loaded.run.tasks().len() as u32));
            }
            loaded.seq += 1;
            step.batch.entries.push(Entry {
                stream: Stream::Run(id),
                seq: loaded.seq,
                kind: event.kind().to_owned(),
                version: event.version(),
                at,
                body: serde_json::to_string(&event).expect("events are plain data"),
            });
            step.stepped.events.push((id, at, event));
        }
        step.dirty.insert(id);
    }

    fn lease_ready(&mut self, step: &mut Step, deliver: &mut dyn FnMut(Crossing) -> Delivery) {
        self.open_runs(step, deliver);
        let mut exhausted = self.lease_all(step, deliver);
        if !exhausted.is_empty() && self.release_unleased(step) {
            exhausted = self.lease_all(step, deliver);
        }
        for (run, exhausted) in exhausted {
            self.pause_exhausted(step, run, exhausted);
        }
        self.pause_limited(step);
    }

    /// Leases what can be; by run, an account that has too little left for more.
    fn lease_all(
        &mut self,
        step: &mut Step,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> BTreeMap<RunId, Exhausted> {
        // Tasks that wait for their own budgets take no slot from others.
        let mut passed_over = BTreeSet::new();
        let mut exhausted = BTreeMap::new();
        loop {
            let before = passed_over.len();
            self.lease_some(step, &mut passed_over, &mut exhausted, deliver);
            if passed_over.len() == before {
                return exhausted;
            }
        }
    }

    /// Leases what is proposed and can be reserved for. What cannot is told by run, for the first
    /// account that has too little left.
    fn lease_some(
        &mut self,
        step: &mut Step,
        passed_over: &mut BTreeSet<(RunId, TaskNo)>,
        exhausted: &mut BTreeMap<RunId, Exhausted>,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) {
        let runs: Vec<&Run> = self
            .runs()
            .filter(|run| self.leasing.takes(run.id))
            .collect();
        let may = |run: &Run, wanted: Wanted<'_>| self.may(run, wanted, step.now);
        let proposals = assign(&runs, self.capacity, step.now, passed_over, &may);
        for proposal in proposals {
            let Some(loaded) = self.runs.get(&proposal.run) else {
                continue;
            };
            let Some(task) = loaded.run.task(proposal.task) else {
                continue;
            };
            let attempt = loaded.run.attempt_id(proposal.task, task.attempts() + 1);
            let timeout_ms = match self.reserve(step, attempt, &proposal.with.agent, deliver) {
                Reserved::Unbounded => None,
                Reserved::Held(_) if deliver(Crossing::Lease(attempt)) == Delivery::Later => {
                    continue;
                }
                Reserved::Held(amount) => Some(amount.time_ms),
                Reserved::Later => continue,
                Reserved::Refused(refused) => {
                    if matches!(refused.account, Account::Task(..)) {
                        passed_over.insert((proposal.run, proposal.task));
                    }
                    if !self.holds_up_itself_alone(attempt, &refused) {
                        exhausted.entry(proposal.run).or_insert(refused);
                    } else if self.is_settled(refused.account) {
                        self.give_up(step, attempt, refused);
                    }
                    continue;
                }
            };
            let command = Command::Lease {
                task: proposal.task,
                epoch: self.epoch,
                timeout_ms,
                with: Some(proposal.with),
            };
            if self.decide(step, proposal.run, command).is_err() {
                // The reservation, if any, is given back by the next step's comparison.
                continue;
            }
        }
    }

    fn unload_ended(&mut self) {
        let held: BTreeSet<RunId> = self.ledger.held.keys().map(|attempt| attempt.run).collect();
        self.runs.retain(|id, loaded| {
            let works = loaded.run.ended.is_none() || loaded.run.owed().next().is_some();
            works || held.contains(id) || self.kept == Some(*id)
        });
    }

    /// Keeps a run in memory when it has ended, for whoever [takes](World::take) it then.
    pub fn keep(&mut self, run: RunId) {
        self.kept = Some(run);
    }

    /// A run as it stands, if it is loaded; the world knows it from the journal alone afterwards.
    pub fn take(&mut self, run: RunId) -> Option<Run> {
        self.kept = self.kept.filter(|kept| *kept != run);
        self.runs.remove(&run).map(|loaded| loaded.run)
    }
}

/// A step under way.
struct Step {
    now: Time,
    batch: Batch,
    stepped: Stepped,
    dirty: BTreeSet<RunId>,
    ledger_dirty: bool,
}

/// The number of a task of a run by what a person typed: its name.
///
/// # Errors
/// The run has no such task; the nearest name is told.
pub fn find_task(run: &Run, text: &str) -> Result<TaskNo, Diagnostic> {
    let found = TaskId::new(text).ok().and_then(|id| run.find(&id));
    found.ok_or_else(|| {
        let told = Diagnostic::error("task-unknown", format!("{} has no task {text:?}", run.id));
        let ids = run.tasks().iter().map(|task| task.spec.id.as_str());
        let told = match divisi_pack::nearest(text, ids) {
            Some(near) => told.hint(format!("did you mean `{near}`?")),
            None => told,
        };
        told.hint(format!("`divisi status {}` lists its tasks", run.id))
    })
}
