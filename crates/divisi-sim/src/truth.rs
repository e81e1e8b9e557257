//! What really happened, as the models know it, and the journal's story beside it.
//!
//! [`Truth`] follows the journal event by event into runs of its own. Each event is judged by what
//! the models know: a step of completion must have happened, a commit must be durable, the branch
//! must stand where an event says. The transition table's coverage is counted on the way.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::assign::Capacity;
use divisi_core::ids::{AttemptId, CommandId, Epoch, RunId, TaskNo, Time};
use divisi_core::journal::Stream;
use divisi_core::ledger::{self, Account, Amount, Ledger, Means};
use divisi_core::receipt::{Exit, Measured, Receipt};
use divisi_core::run::{Event, Run, asks_model, stored};
use divisi_core::worker::Ended;
use divisi_engine::world;

use crate::agents::Behavior;
use crate::books::{Books, Settled};
use crate::breaks::Oracle;
use crate::coverage::{Coverage, Fault};
use crate::divisions::{divides, judge_division, judge_next};
use crate::expansions::Planned;
use crate::journal::FaultyJournal;
use crate::limits::Limits;
use crate::repo::{Quality, Repo};
use crate::sim::{Violation, violated};
use crate::supervisor::Supervisor;
use crate::weighings::{Due, Found};
use crate::witness::Witness;

/// Judges an event by the run before it and the story after it.
type Judge<'a> = dyn FnMut(&Truth, Option<&Run>, &Event) -> Result<(), Violation> + 'a;

/// How an attempt ended, in truth.
#[derive(Clone, Debug)]
struct End {
    ended: Option<Ended>,
    quality: Quality,
    behavior: Behavior,
}

/// What the models know, and the journal's story.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    runs: BTreeMap<RunId, (Run, u64)>,
    ledger: (Ledger, u64),
    /// The epoch in which each attempt was leased.
    leases: BTreeMap<AttemptId, Epoch>,
    /// Processes that were started.
    started: BTreeSet<AttemptId>,
    ends: BTreeMap<AttemptId, End>,
    /// Finished processes whose end the engine has taken note of.
    noted: BTreeSet<AttemptId>,
    /// Commands whose outcome survived the last power loss.
    survived: BTreeSet<CommandId>,
    /// What attempts planned, each time it was read.
    plans: BTreeMap<AttemptId, Vec<Planned>>,
    /// What was settled beyond what was reserved.
    books: Books,
    /// Tasks whose place was taken by what they planned.
    expanded: BTreeSet<(RunId, TaskNo)>,
    /// What was found by looking up what reviews cite.
    weighed: BTreeMap<AttemptId, Found>,
    /// What was measured of candidates.
    measured: BTreeMap<AttemptId, Measured>,
    /// What a review makes due in a run's next event.
    due: BTreeMap<RunId, Due>,
    /// Tasks that are said to be split, whose parts come next.
    divided: BTreeMap<RunId, TaskNo>,
    limits: Limits,
    /// How much may await a person, where that is not what the journal says.
    pub(crate) awaiting_max: Option<u32>,
    /// Attempts that took the work of others, with those.
    authors: BTreeMap<AttemptId, AttemptId>,
}

impl Truth {
    /// The journal's run.
    #[must_use]
    pub(crate) fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run).map(|(run, _)| run)
    }

    /// Whether an agent begins with a credential whose limit only others met.
    pub(crate) fn waited_for_others(&self, means: &Means) -> bool {
        self.limits.waited_for_others(means)
    }

    /// All runs of the journal.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().map(|(run, _)| run)
    }

    /// Runs that have not ended.
    pub(crate) fn open_runs(&self) -> impl Iterator<Item = &Run> {
        self.runs().filter(|run| run.ended.is_none())
    }

    /// The journal's ledger.
    #[must_use]
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger.0
    }

    /// Whether a command's outcome survived the last power loss.
    #[must_use]
    pub(crate) fn knows(&self, id: &CommandId) -> bool {
        self.survived.contains(id)
    }

    /// How good an attempt's work is.
    #[must_use]
    pub(crate) fn quality(&self, attempt: AttemptId) -> Quality {
        self.ends
            .get(&self.author(attempt))
            .map_or(Quality::Nothing, |end| end.quality)
    }

    /// Whether an attempt's process was ever started.
    pub(crate) fn was_started(&self, attempt: AttemptId) -> bool {
        self.started.contains(&attempt)
    }

    /// How an attempt's process ended.
    #[must_use]
    pub(crate) fn exit(&self, attempt: AttemptId) -> Option<Exit> {
        self.ends
            .get(&self.author(attempt))?
            .ended
            .as_ref()
            .map(|ended| ended.exit.clone())
    }

    /// How an attempt's agent behaved.
    #[must_use]
    pub(crate) fn behavior(&self, attempt: AttemptId) -> Option<Behavior> {
        { self.ends.get(&self.author(attempt)) }.map(|end| end.behavior)
    }

    /// Whose work an attempt's is: that of another one, if it took that.
    #[must_use]
    pub(crate) fn author(&self, attempt: AttemptId) -> AttemptId {
        self.authors.get(&attempt).copied().unwrap_or(attempt)
    }

    /// How many attempts of a run took the work of others.
    #[must_use]
    pub(crate) fn adopted_in(&self, run: RunId) -> u64 {
        let adopted = self.authors.keys().filter(|attempt| attempt.run == run);
        adopted.count() as u64
    }

    /// What an attempt planned, each time it was read.
    pub(crate) fn plans(&self, attempt: AttemptId) -> &[Planned] {
        self.plans.get(&attempt).map_or(&[], Vec::as_slice)
    }

    /// An attempt's plan was read.
    pub(crate) fn on_planned(&mut self, attempt: AttemptId, planned: Planned) {
        self.plans.entry(attempt).or_default().push(planned);
    }

    /// What a review was found to show.
    pub(crate) fn weighed(&self, attempt: AttemptId) -> Option<&Found> {
        self.weighed.get(&attempt)
    }

    /// What a review cites was looked up.
    pub(crate) fn on_weighed(&mut self, attempt: AttemptId, found: Found) {
        self.weighed.insert(attempt, found);
    }

    /// What was measured of a candidate's attempt.
    pub(crate) fn measured(&self, attempt: AttemptId) -> Option<&Measured> {
        self.measured.get(&attempt)
    }

    /// A candidate was measured.
    pub(crate) fn on_measured(&mut self, attempt: AttemptId, measured: Measured) {
        self.measured.insert(attempt, measured);
    }

    /// Finished attempts whose end the engine has taken note of.
    pub(crate) fn noted(&self) -> impl Iterator<Item = AttemptId> + '_ {
        self.noted.iter().copied()
    }

    /// A process is started in an epoch: once, and only under a durable lease of that epoch.
    ///
    /// # Errors
    /// It was started before, or nobody journalled a lease, or the lease is of another epoch.
    pub(crate) fn on_started(&mut self, attempt: AttemptId, epoch: Epoch) -> Result<(), Violation> {
        if !self.started.insert(attempt) {
            return violated(Oracle::AtMostOnce, format!("{attempt} is started twice"));
        }
        match self.leases.get(&attempt) {
            None => violated(
                Oracle::AtMostOnce,
                format!("{attempt} is started without a durable lease"),
            ),
            Some(leased) if *leased != epoch => violated(
                Oracle::AtMostOnce,
                format!("{attempt} of epoch {leased:?} is started in {epoch:?}"),
            ),
            Some(_) => Ok(()),
        }
    }

    /// An agent ended.
    pub(crate) fn on_ended(
        &mut self,
        attempt: AttemptId,
        ended: &Ended,
        quality: Quality,
        behavior: Behavior,
    ) {
        let end = End {
            ended: Some(ended.clone()),
            quality,
            behavior,
        };
        self.ends.insert(attempt, end);
    }

    /// A person did it.
    pub(crate) fn on_by_hand(&mut self, attempt: AttemptId, quality: Quality) {
        let end = End {
            ended: None,
            quality,
            behavior: Behavior::Succeeds,
        };
        self.ends.insert(attempt, end);
    }

    /// The engine has taken note of an end.
    pub(crate) fn on_forgotten(&mut self, attempt: AttemptId) {
        self.noted.insert(attempt);
    }

    /// A power loss tore the journal's tail away: its story is told again from the start.
    ///
    /// # Errors
    /// What is left cannot be replayed.
    pub(crate) fn forget_torn(&mut self, journal: &FaultyJournal) -> Result<(), Violation> {
        self.runs.clear();
        self.leases.clear();
        self.expanded.clear();
        self.limits = Limits::default();
        self.authors.clear();
        self.ledger = (Ledger::default(), 0);
        self.survived = journal.disk(|disk| disk.commands().cloned().collect());
        for (at, stream, seq, body) in told_again(journal) {
            match stream {
                Stream::Ledger => _ = self.follow_ledger(seq, at, &body)?,
                Stream::Run(run) => self.follow_run(run, seq, at, &body, &mut |_, _, _| Ok(()))?,
            }
        }
        // Numbers that were leased in what is gone are given again; their processes died too.
        let runs = &self.runs;
        let leased = |attempt: &AttemptId| {
            let task = runs
                .get(&attempt.run)
                .and_then(|(run, _)| run.task(attempt.task));
            task.is_some_and(|task| task.attempts() >= attempt.number)
        };
        self.started.retain(leased);
        // What was noted may be torn away, and the supervisor that would tell it again is gone.
        self.noted.clear();
        self.ends.retain(|attempt, _| leased(attempt));
        self.plans.retain(|attempt, _| leased(attempt));
        Ok(())
    }

    /// Reads on in the journal and judges each new event.
    ///
    /// # Errors
    /// The first event that tells what did not happen.
    pub(crate) fn follow(
        &mut self,
        journal: &FaultyJournal,
        repo: &Repo,
        supervisor: &Supervisor,
        coverage: &mut Coverage,
    ) -> Result<(), Violation> {
        for stream in streams(journal) {
            let seen = match stream {
                Stream::Ledger => self.ledger.1,
                Stream::Run(run) => self.runs.get(&run).map_or(0, |(_, seq)| *seq),
            };
            for (seq, at, body) in read_after(journal, stream, seen) {
                coverage.events += 1;
                match stream {
                    Stream::Ledger => match self.follow_ledger(seq, at, &body)? {
                        ledger::Event::BudgetChanged { .. } => {
                            coverage.fault(Fault::BudgetChanged);
                        }
                        ledger::Event::LimitLifted { .. } => coverage.fault(Fault::LimitLifted),
                        ledger::Event::CredentialLimited { limit, .. }
                            if limit.attempts.len() > 1 =>
                        {
                            coverage.fault(Fault::LimitMetAgain);
                        }
                        _ => {}
                    },
                    Stream::Run(run) => {
                        let mut witness = Witness {
                            repo,
                            supervisor,
                            coverage: &mut *coverage,
                        };
                        self.follow_run(run, seq, at, &body, &mut |truth, before, event| {
                            witness.judge(truth, before, event)
                        })?;
                    }
                }
            }
        }
        // The run may tell of the end after the ledger, in the same step.
        let settled = self.books.take_settled();
        settled
            .iter()
            .try_for_each(|it| self.judge_settled(it, coverage))
    }

    /// What the ledger settled is what the agent said, as far as the run heard of it.
    fn judge_settled(&self, settled: &Settled, coverage: &mut Coverage) -> Result<(), Violation> {
        let attempt = settled.attempt;
        let task = self.run(attempt.run).and_then(|run| run.task(attempt.task));
        let ending = task.and_then(|task| task.ending(attempt.number));
        let live = task.and_then(|task| task.live());
        let (agent, receipts) = match (ending, live) {
            (Some(ending), _) => (&ending.agent, &ending.receipts),
            (None, Some(live)) => (&live.agent, &live.receipts),
            (None, None) => return Ok(()),
        };
        let is_heard = receipts
            .iter()
            .any(|it| matches!(it, Receipt::Submitted { .. }));
        let end = self.ends.get(&attempt).and_then(|end| end.ended.as_ref());
        let said = end.filter(|_| is_heard && asks_model(agent));
        let Some(said) = said else {
            return Ok(());
        };
        settled.judge(said.usage, coverage)
    }

    /// How much an account may be overdrawn by what was settled so far.
    pub(crate) fn overdrawn(&self, account: Account) -> Amount {
        self.books.overdrawn(account)
    }

    fn follow_ledger(
        &mut self,
        seq: u64,
        at: Time,
        body: &str,
    ) -> Result<ledger::Event, Violation> {
        let Ok(event) = serde_json::from_str::<ledger::Event>(body) else {
            return violated(Oracle::Replay, format!("ledger event {seq} is unreadable"));
        };
        self.books.judge(&self.ledger.0, &event)?;
        if let ledger::Event::LimitLifted { credentials } = &event {
            self.limits.lift(credentials, at);
        }
        self.ledger.0.apply(&event);
        self.ledger.0.take_changed();
        self.ledger.1 = seq;
        Ok(event)
    }

    fn follow_run(
        &mut self,
        id: RunId,
        seq: u64,
        at: Time,
        body: &str,
        judge: &mut Judge<'_>,
    ) -> Result<(), Violation> {
        let Ok(event) = serde_json::from_str::<Event>(body) else {
            return violated(Oracle::Replay, format!("{id}: event {seq} is unreadable"));
        };
        if let Event::TaskSplit {
            task,
            planned: Some(_),
            ..
        } = &event
            && !self.expanded.insert((id, *task))
        {
            return violated(
                Oracle::Expansion,
                format!("{id}: task {} is expanded twice", task.0),
            );
        }
        if let Event::PlanRefused { task, .. } = &event {
            // It plans anew.
            self.expanded.remove(&(id, *task));
        }
        if let Some(owed) = self.divided.remove(&id) {
            judge_next(owed, &event)?;
            if let (Some((before, _)), Event::TaskSplit { parts, .. }) =
                (self.runs.get(&id), &event)
            {
                judge_division(before, owed, parts)?;
            }
        }
        if let Some(due) = self.due.remove(&id) {
            due.judge(&event)?;
        }
        let before = self.runs.get(&id).map(|(run, _)| run);
        if let Some(due) = before.and_then(|before| Due::after(before, &event)) {
            self.due.insert(id, due);
        }
        if let Some(task) = divides(&event) {
            self.divided.insert(id, task);
        }
        if let Event::AttemptLeased { attempt, epoch, .. } = &event {
            self.leases.insert(*attempt, *epoch);
        }
        if let Event::OfferAdopted { attempt, from } = &event {
            let made = AttemptId {
                number: *from,
                ..*attempt
            };
            self.authors.insert(*attempt, made);
        }
        if let Event::CandidateChosen { attempt, from, .. } = &event {
            self.authors.insert(*attempt, self.author(*from));
        }
        let before = self.runs.get(&id).map(|(run, _)| run.clone());
        if let Some(before) = &before {
            let behavior = |attempt| self.ends.get(&attempt).map(|end| end.behavior);
            self.limits.follow(before, at, &event, &behavior)?;
        }
        let run = match before.clone() {
            None => match Run::from_created(id, at, &event) {
                Some(run) => run,
                None => return violated(Oracle::Replay, format!("{id} begins with {event:?}")),
            },
            Some(mut run) => {
                run.apply(at, &event);
                run.take_changed();
                run
            }
        };
        self.runs.insert(id, (run, seq));
        judge(self, before.as_ref(), &event)
    }

    /// After a load: rows must give what events give.
    ///
    /// # Errors
    /// The run that differs.
    pub(crate) fn check_loaded(&self, journal: &FaultyJournal) -> Result<(), Violation> {
        use divisi_core::journal::Journal;
        let Ok(rows) = journal.runs() else {
            return Ok(());
        };
        for row in rows {
            let loaded = world::load(journal, &row).map_err(|fault| Violation {
                oracle: Oracle::Rows,
                what: format!("{} cannot be loaded: {fault}", row.run),
            })?;
            let told = self.run(row.run);
            let same = told.map(|told| same(told, &loaded.run));
            if let Some(Err(what)) = same {
                return violated(
                    Oracle::Rows,
                    format!("{}: rows differ from events: {what}", row.run),
                );
            }
        }
        Ok(())
    }

    /// No more processes than slots, by every limit.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(crate) fn check_slots(
        &self,
        supervisor: &Supervisor,
        capacity: Capacity,
    ) -> Result<(), Violation> {
        let mut total = 0;
        let mut by_run: BTreeMap<RunId, u32> = BTreeMap::new();
        let mut by_agent: BTreeMap<(RunId, String), u32> = BTreeMap::new();
        for attempt in supervisor.live() {
            // The process of a lost attempt holds no slot: nobody waits for it.
            let live = self
                .run(attempt.run)
                .and_then(|run| run.task(attempt.task)?.live());
            let Some(live) = live.filter(|live| live.number == attempt.number) else {
                continue;
            };
            total += 1;
            *by_run.entry(attempt.run).or_default() += 1;
            *by_agent
                .entry((attempt.run, live.agent.clone()))
                .or_default() += 1;
        }
        if total > capacity.workers {
            return violated(
                Oracle::Slots,
                format!("{total} processes live in {} slots", capacity.workers),
            );
        }
        for (run, count) in by_run {
            let max = self.run(run).map_or(0, |run| run.settings.workers_max);
            if count > max {
                return violated(Oracle::Slots, format!("{run}: {count} processes of {max}"));
            }
        }
        for ((run, agent), count) in by_agent {
            let known = self.run(run);
            let max = known.and_then(|run| run.settings.agent_limits.get(&agent));
            if max.is_some_and(|max| count > *max) {
                let what = format!("{run}, {agent}: {count} processes");
                return violated(Oracle::Slots, what);
            }
        }
        Ok(())
    }
}

/// All streams, the ledger's first: what was lifted in a step counts for what is leased in it.
fn streams(journal: &FaultyJournal) -> Vec<Stream> {
    let mut streams: Vec<Stream> = journal.disk(|disk| disk.streams().collect());
    streams.sort_by_key(|stream| *stream != Stream::Ledger);
    streams
}

fn read_after(journal: &FaultyJournal, stream: Stream, seq: u64) -> Vec<(u64, Time, String)> {
    journal.disk(|disk| {
        let entries = disk.after(stream, seq).iter();
        entries
            .map(|entry| (entry.seq, entry.at, entry.body.clone()))
            .collect()
    })
}

/// All that is left of a journal, in the order in which it happened: what one run met (a usage limit,
/// say) is known before what another one began after it.
fn told_again(journal: &FaultyJournal) -> Vec<(Time, Stream, u64, String)> {
    let mut story: Vec<_> = streams(journal)
        .into_iter()
        .flat_map(|stream| {
            let entries = read_after(journal, stream, 0).into_iter();
            entries.map(move |(seq, at, body)| (at, stream, seq, body))
        })
        .collect();
    // Stable: of one moment, the streams tell in the order in which they are read on.
    story.sort_by_key(|(at, ..)| *at);
    story
}

/// Whether two runs are the same in everything that is stored or owed.
///
/// # Errors
/// What differs.
pub(crate) fn same(one: &Run, other: &Run) -> Result<(), String> {
    let (a, b) = (stored::run_row(one, 0), stored::run_row(other, 0));
    if a != b {
        return Err(format!("{} / {}", a.body, b.body));
    }
    if one.tasks().len() != other.tasks().len() {
        return Err("the number of tasks differs".to_owned());
    }
    for no in (0..one.tasks().len() as u32).map(TaskNo) {
        let (a, b) = (stored::task_row(one, no), stored::task_row(other, no));
        if a != b {
            return Err(format!("task {}: {} / {}", no.0, a.body, b.body));
        }
        if one.dependencies(no) != other.dependencies(no) {
            return Err(format!("task {}: dependencies differ", no.0));
        }
    }
    if !one.owed().eq(other.owed()) {
        return Err("what is owed differs".to_owned());
    }
    Ok(())
}
