//! Words to the ledger: what runs ask of it, and what it answers.
//!
//! The two meet only through commands. What the ledger must hear is derived anew in every step from
//! both states, so that no word between them can be lost, and each may come late or twice.

use divisi_core::ids::{AttemptId, RunId};
use divisi_core::journal::{Entry, Fault, Journal, Stream};
use divisi_core::ledger::{self, Account, Amount, Exhausted, Ledger, Measure};
use divisi_core::run::{self, AttemptEnd, Command, Failure, PauseReason, Rejection, Run, spending};

use super::{Answer, Crossing, Delivery, Step, World};

impl<J: Journal> World<J> {
    /// Whoever permits more to a run that has ended is told so; the ledger would not mind.
    pub(super) fn permit(
        &mut self,
        step: &mut Step,
        account: Account,
        budget: run::Budget,
    ) -> Result<Answer, Fault> {
        if let Account::Run(id) | Account::Task(id, _) = account {
            if !self.load_ended(id)? {
                return Ok(Answer::NoSuchRun(id));
            }
            if self.run(id).is_some_and(|run| run.ended.is_some()) {
                return Ok(Answer::Rejected(Rejection::RunEnded));
            }
        }
        self.open_first(step, account);
        let permit = ledger::Command::Permit { account, budget };
        Ok(match self.ledger_command(step, permit) {
            Ok(()) => Answer::Accepted,
            Err(refusal) => Answer::NotPermitted(refusal),
        })
    }

    pub(super) fn ledger_command(
        &mut self,
        step: &mut Step,
        command: ledger::Command,
    ) -> Result<(), ledger::Refusal> {
        let Some(event) = self.ledger.decide(command, step.now)? else {
            return Ok(());
        };
        self.ledger_seq += 1;
        step.ledger_dirty = true;
        step.batch.entries.push(Entry {
            stream: Stream::Ledger,
            seq: self.ledger_seq,
            kind: event.kind().to_owned(),
            version: event.version(),
            at: step.now,
            body: serde_json::to_string(&event).expect("events are plain data"),
        });
        Ok(())
    }

    /// spending::Helds of attempts that are over become use; those of attempts that never came are
    /// given back. Derived from both states, so that no word between them can be lost.
    pub(super) fn settle_ended(
        &mut self,
        step: &mut Step,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Result<(), Fault> {
        let all = self.ledger.held.iter().map(|(attempt, held)| {
            let held = spending::Held {
                amount: held.amount,
                bounds_money: self.ledger.reserved(*attempt).usd_micros.is_some(),
            };
            (*attempt, held)
        });
        let all: Vec<(AttemptId, spending::Held)> = all.collect();
        for (attempt, held) in all {
            self.load_ended(attempt.run)?;
            let Some(command) = self
                .runs
                .get(&attempt.run)
                .and_then(|l| over(&l.run, attempt, &held))
            else {
                continue;
            };
            for _ in 0..times(deliver(Crossing::Settle(attempt))) {
                // Neither settling nor releasing can be refused.
                let _ = self.ledger_command(step, command.clone());
            }
        }
        Ok(())
    }

    /// What an account is opened with: a day's by what is configured, a run's and a task's by their
    /// own budgets. Nothing where that bounds nothing.
    fn opened_with(&self, account: Account) -> Option<run::Budget> {
        let budget = match account {
            Account::Day(_) => self.day,
            Account::Run(run) => self.run(run)?.settings.budget,
            Account::Task(run, task) => self.run(run)?.task(task)?.spec.budget,
        };
        budget.is_bounded().then_some(budget)
    }

    /// Opens an account that somebody names before it was charged.
    fn open_first(&mut self, step: &mut Step, account: Account) {
        let _ = self.open_account(step, account, &mut |_| Delivery::Now);
    }

    /// Opens an account that nobody has opened yet, if anything bounds it. Derived from both states,
    /// so that it is there before the first lease that it bounds, whatever happened between.
    fn open_account(
        &mut self,
        step: &mut Step,
        account: Account,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Opened {
        let wanted = self.opened_with(account);
        let Some(budget) = wanted.filter(|_| !self.ledger.accounts.contains_key(&account)) else {
            return Opened::Enough;
        };
        let open = ledger::Command::Open {
            account,
            budget,
            parent: None,
        };
        for _ in 0..times(deliver(Crossing::Open(account))) {
            // Opening an account that is nobody's child cannot be refused.
            let _ = self.ledger_command(step, open.clone());
        }
        match self.ledger.accounts.contains_key(&account) {
            true => Opened::Enough,
            false => Opened::Later,
        }
    }

    /// Opens the accounts of runs that bring a budget of their own.
    pub(super) fn open_runs(
        &mut self,
        step: &mut Step,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) {
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        for run in runs {
            // A run whose account is not there yet leases nothing.
            let _ = self.open_account(step, Account::Run(run), deliver);
        }
    }

    /// Whether all accounts are open that bound an attempt; opens its day's and its task's.
    fn open_for(
        &mut self,
        step: &mut Step,
        attempt: AttemptId,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> bool {
        let of_run = Account::Run(attempt.run);
        let is_run_open =
            self.ledger.accounts.contains_key(&of_run) || self.opened_with(of_run).is_none();
        let others = [
            Account::day(step.now),
            Account::Task(attempt.run, attempt.task),
        ];
        let is_open = |account| self.open_account(step, account, deliver) == Opened::Enough;
        others.map(is_open) == [true, true] && is_run_open
    }

    /// Reserves for an attempt, where anything bounds it.
    pub(super) fn reserve(
        &mut self,
        step: &mut Step,
        attempt: AttemptId,
        agent: &str,
        deliver: &mut dyn FnMut(Crossing) -> Delivery,
    ) -> Reserved {
        if !self.open_for(step, attempt, deliver) {
            return Reserved::Later;
        }
        if !self.ledger.bounds(attempt, step.now) {
            return Reserved::Unbounded;
        }
        let task = self.run(attempt.run).and_then(|run| {
            let task = run.task(attempt.task)?;
            let amount = task.amount_by(agent, &run.settings);
            Some((amount, task.spec.id.clone()))
        });
        let Some((amount, id)) = task else {
            return Reserved::Later;
        };
        let command = ledger::Command::Reserve { attempt, amount };
        let is_held = self.ledger.held.contains_key(&attempt);
        let deliveries = match is_held {
            true => 0,
            false => times(deliver(Crossing::Reserve(attempt))),
        };
        for _ in 0..deliveries {
            let result = self.ledger_command(step, command.clone());
            if let Err(ledger::Refusal::Exhausted(exhausted)) = result {
                let is_own = matches!(exhausted.account, Account::Task(..));
                return Reserved::Refused(Exhausted {
                    task: is_own.then_some(id),
                    ..exhausted
                });
            }
        }
        match self.ledger.held.get(&attempt) {
            Some(held) => Reserved::Held(held.amount),
            None => Reserved::Later,
        }
    }

    /// Gives back what is reserved for attempts that were not leased since, for instance because their
    /// credential met a usage limit meanwhile: others may need it, and wait for it in vain. Whether there
    /// was any.
    pub(super) fn release_unleased(&mut self, step: &mut Step) -> bool {
        let is_leased = |attempt: &AttemptId| {
            let task = self.run(attempt.run).and_then(|run| run.task(attempt.task));
            task.is_none_or(|task| task.attempts() >= attempt.number)
        };
        let held = self.ledger.held.keys();
        let unleased: Vec<AttemptId> = held.filter(|it| !is_leased(it)).copied().collect();
        for attempt in &unleased {
            // Releasing cannot be refused.
            let release = ledger::Command::Release { attempt: *attempt };
            let _ = self.ledger_command(step, release);
        }
        !unleased.is_empty()
    }

    /// Whether what is used up is one candidate's own: its task chooses among the others.
    pub(super) fn holds_up_itself_alone(&self, attempt: AttemptId, used_up: &Exhausted) -> bool {
        let run = self.run(attempt.run);
        let is_candidate = run.is_some_and(|it| it.candidate_of(attempt.task).is_some());
        is_candidate && used_up.account == Account::Task(attempt.run, attempt.task)
    }

    /// Whether nothing that is reserved on an account can come back.
    pub(super) fn is_settled(&self, account: Account) -> bool {
        let balance = self.ledger.accounts.get(&account);
        balance.is_none_or(|balance| balance.held == Amount::default())
    }

    /// Gives up a candidate whose own account leaves too little for another attempt at it.
    pub(super) fn give_up(&mut self, step: &mut Step, attempt: AttemptId, exhausted: Exhausted) {
        let task = attempt.task;
        let given_up = self.decide(step, attempt.run, Command::GiveUp { task, exhausted });
        debug_assert!(given_up.is_ok(), "what is proposed is ready");
    }

    /// Pauses a run of which nothing goes on, since an account has too little left for what is
    /// ready. While others hold reservations some of it may come back: that is waited for first; and
    /// where one task's account is used up, the others of its run go on.
    pub(super) fn pause_exhausted(&mut self, step: &mut Step, run: RunId, exhausted: Exhausted) {
        let goes_on = self.run(run).is_some_and(|run| {
            let is_tasks = matches!(exhausted.account, Account::Task(..));
            run.slots() > 0 || (is_tasks && run.delayed_until(step.now).is_some())
        });
        // Another run may give back some of what it holds of the same account; but no attempt.
        let balance = self.ledger.accounts.get(&exhausted.account);
        let held = balance.zip(exhausted.bound).map(|(balance, bound)| {
            let measure = bound.measure();
            (measure != Measure::Attempts) && balance.held.of(measure) > 0
        });
        let goes_on = goes_on || held == Some(true);
        if goes_on {
            return;
        }
        let pause = Command::Pause {
            reason: PauseReason::Budget(exhausted),
            stop: false,
        };
        // A run that is paused already stays so.
        let _ = self.decide(step, run, pause);
    }
}

/// What became of an account that is to be opened.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// It is open, or nothing bounds it.
    Enough,
    /// The word is late.
    Later,
}

/// What became of a reservation.
pub(super) enum Reserved {
    /// Nothing bounds the attempt.
    Unbounded,
    /// So much is held.
    Held(Amount),
    /// A word between the aggregates is late.
    Later,
    /// An account has too little left.
    Refused(Exhausted),
}

fn times(delivery: Delivery) -> u32 {
    match delivery {
        Delivery::Later => 0,
        Delivery::Now => 1,
        Delivery::Twice => 2,
    }
}

/// What the ledger should be told about an attempt, if its agent has ended or it never came.
fn over(run: &Run, attempt: AttemptId, held: &spending::Held) -> Option<ledger::Command> {
    let Some(task) = run.task(attempt.task) else {
        return Some(ledger::Command::Release { attempt });
    };
    if let Some(ending) = task.ending(attempt.number) {
        if let AttemptEnd::Errored(Failure::Preparation(_)) = ending.end {
            // No agent ever came of it.
            return Some(ledger::Command::Release { attempt });
        }
        let (agent, receipts) = (&ending.agent, &ending.receipts);
        let spent = spending::spent(&run.settings, agent, &ending.end, receipts, held);
        return Some(ledger::Command::Settle { attempt, spent });
    }
    if let Some(live) = task.live().filter(|live| live.number == attempt.number) {
        if live.adopts.is_some() {
            // It was reserved for somebody who would have worked.
            return Some(ledger::Command::Release { attempt });
        }
        // Its checks and its integration take no agent's time, however long they last.
        let spent = spending::reported(&run.settings, &live.agent, &live.receipts, held);
        return spent.map(|spent| ledger::Command::Settle { attempt, spent });
    }
    let coming = attempt.number == task.attempts() + 1
        && run.ended.is_none()
        && matches!(task.state, run::TaskState::Ready { .. });
    (!coming).then_some(ledger::Command::Release { attempt })
}

/// The ledger from its rows, or from all its events where it has none.
pub(super) fn load_ledger<J: Journal>(journal: &J) -> Result<(u64, Ledger), Fault> {
    let (mut seq, mut ledger) = match journal.ledger()? {
        None => (0, Ledger::default()),
        Some(row) => {
            let ledger = ledger::stored::restore(&row, &journal.accounts()?)
                .map_err(|fault| Fault::Unreadable(fault.to_string()))?;
            (row.seq, ledger)
        }
    };
    for entry in journal.events(Stream::Ledger, seq)? {
        let event = serde_json::from_str(&entry.body)
            .map_err(|error| Fault::Unreadable(format!("ledger event {}: {error}", entry.seq)))?;
        ledger.apply(&event);
        seq = entry.seq;
    }
    Ok((seq, ledger))
}
