//! The Ledger aggregate: budgets as accounts, and reservations made before anything is launched.
//!
//! Accounts nest: an attempt is charged to its task's, its run's and its day's, and where its run
//! does a task of another one, to that task's and that run's, too. It is reserved on all of them
//! before it is leased, and settled or released when it has ended. What nobody can know the use of
//! stays charged in full: of an attempt that was lost, or whose agent did not say all that it used of
//! a model. Only one that never says anything is settled by time and attempts alone. Both are counted
//! as unreported.
//!
//! What was used may be more than was reserved: an agent is ended after the answer of its model that
//! goes beyond. So an account is overdrawn by one answer for each attempt under way at the most.
//!
//! What an account permits is first what it was opened with, and from then on what its owner says:
//! the account is the only truth about it.
//!
//! It also knows which credentials a model's server refuses for now; see [`limit`].
//!
//! The ledger has a stream of its own. It meets runs only through commands, each of which may be
//! delayed, repeated or reordered: every command is idempotent, by attempt or by account.

mod amount;
mod command;
mod event;
pub mod limit;
pub mod stored;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, RunId, TaskNo, Time};
use crate::run::Budget;
pub use amount::{
    Amount, Balance, Bound, Measure, TIME_USEFUL_MS_MIN, TOKENS_USEFUL_MIN, USD_USEFUL_MICROS_MIN,
    decimal,
};
pub use command::{Command, Exhausted, Refusal, Spent};
pub use event::{Event, KINDS};
pub use limit::{
    Access, Choice, Credential, Limit, LimitThen, Means, Met, QuietHours, Waiting, Wanted,
};

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// A day, counted from the Unix epoch in UTC.
    Day(u64),
    /// A run.
    Run(RunId),
    /// A task of a run.
    Task(RunId, TaskNo),
}

/// A task of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskRef {
    /// The run.
    pub run: RunId,
    /// The task.
    pub task: TaskNo,
}

impl Account {
    /// The day that a moment lies in.
    #[must_use]
    pub fn day(at: Time) -> Account {
        Account::Day(at.0 / (24 * 60 * 60 * 1000))
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Account::Day(_) => write!(f, "the day"),
            Account::Run(run) => write!(f, "{run}"),
            Account::Task(run, task) => write!(f, "task {} of {run}", task.0),
        }
    }
}

/// A reservation that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// What was reserved.
    pub amount: Amount,
    /// Where.
    pub accounts: Vec<Account>,
}

/// The ledger. Changed only by [`Ledger::apply`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Accounts that bound something, by name.
    pub accounts: BTreeMap<Account, Balance>,
    /// Reservations by attempt.
    pub held: BTreeMap<AttemptId, Reservation>,
    /// Usage limits by credential, the last one of each.
    pub limits: BTreeMap<Credential, Limit>,
    /// Accounts whose rows are no longer what they were.
    changed: BTreeSet<Account>,
}

impl Ledger {
    /// Whether this attempt is bounded by any account.
    #[must_use]
    pub fn bounds(&self, attempt: AttemptId, at: Time) -> bool {
        !self.accounts_of(attempt, at).is_empty()
    }

    /// What of a held reservation is a bound, since an account that it is charged to bounds it.
    #[must_use]
    pub fn reserved(&self, attempt: AttemptId) -> Budget {
        let Some(held) = self.held.get(&attempt) else {
            return Budget::default();
        };
        let balances = held.accounts.iter().filter_map(|it| self.accounts.get(it));
        let bounds = balances.flat_map(|balance| balance.budget.bounds());
        let measures = bounds.map(Bound::measure);
        measures.fold(Budget::default(), |reserved, measure| {
            reserved.with(Bound::of(measure, held.amount.of(measure)))
        })
    }

    /// The accounts that an attempt is charged to, those of its own run first.
    fn accounts_of(&self, attempt: AttemptId, at: Time) -> Vec<Account> {
        let mut all = vec![Account::day(at)];
        let mut of = TaskRef {
            run: attempt.run,
            task: attempt.task,
        };
        loop {
            all.extend([Account::Run(of.run), Account::Task(of.run, of.task)]);
            // A run that does a task is younger than the task's own: this ends.
            let balance = self.accounts.get(&Account::Run(of.run));
            match balance.and_then(|balance| balance.parent) {
                Some(parent) => of = parent,
                None => break,
            }
        }
        all.retain(|account| self.accounts.contains_key(account));
        all
    }

    /// Decides a command and applies what it decided.
    ///
    /// # Errors
    /// A typed refusal; then nothing changed.
    pub fn decide(&mut self, command: Command, now: Time) -> Result<Option<Event>, Refusal> {
        let event = match command {
            Command::Open {
                account,
                budget,
                parent,
            } => self.open(account, budget, parent)?,
            Command::Permit { account, budget } => self.permit(account, budget)?,
            Command::Reserve { attempt, .. } if self.held.contains_key(&attempt) => None,
            Command::Reserve { attempt, amount } => Some(self.reserve(attempt, amount, now)?),
            Command::Settle { attempt, spent } => self.held.get(&attempt).map(|reservation| {
                let reserved = reservation.amount;
                let used = Amount {
                    attempts: match spent.limited {
                        true => 0,
                        false => reserved.attempts,
                    },
                    time_ms: spent.time_ms.unwrap_or(reserved.time_ms),
                    tokens: spent.tokens.unwrap_or(reserved.tokens),
                    usd_micros: spent.usd_micros.unwrap_or(reserved.usd_micros),
                };
                Event::Settled {
                    attempt,
                    used,
                    unreported: spent.unreported,
                }
            }),
            Command::Release { attempt } => self
                .held
                .contains_key(&attempt)
                .then_some(Event::Released { attempt }),
            Command::Limit(met) => self.limited(*met, now),
            Command::Lift { name, credentials } => {
                let is_meant = |it: &&Credential| it.name() == name || credentials.contains(it);
                let limited = self.limited_at(now).map(|(credential, _)| credential);
                let lifted: Vec<Credential> = limited.filter(is_meant).cloned().collect();
                if lifted.is_empty() {
                    return Err(Refusal::NotLimited(name));
                }
                Some(Event::LimitLifted {
                    credentials: lifted,
                })
            }
        };
        if let Some(event) = &event {
            self.apply(event);
        }
        Ok(event)
    }

    fn open(
        &self,
        account: Account,
        budget: Budget,
        parent: Option<TaskRef>,
    ) -> Result<Option<Event>, Refusal> {
        let is_fitting = match (account, parent) {
            (_, None) => true,
            (Account::Run(run), Some(parent)) => parent.run < run,
            (Account::Day(_) | Account::Task(..), Some(_)) => false,
        };
        if !is_fitting {
            return Err(Refusal::Parent(account));
        }
        let known = self.accounts.contains_key(&account);
        Ok((!known).then_some(Event::AccountOpened {
            account,
            budget,
            parent,
        }))
    }

    fn permit(&self, account: Account, asked: Budget) -> Result<Option<Event>, Refusal> {
        let Some(balance) = self.accounts.get(&account) else {
            return Err(Refusal::NotOpen(account));
        };
        if let Some((bound, taken)) = balance.taken().beyond(&asked) {
            return Err(Refusal::Taken {
                account,
                bound,
                taken,
            });
        }
        let budget = asked.or(balance.budget);
        let changed = budget != balance.budget;
        Ok(changed.then_some(Event::BudgetChanged { account, budget }))
    }

    fn reserve(&self, attempt: AttemptId, amount: Amount, now: Time) -> Result<Event, Refusal> {
        let accounts = self.accounts_of(attempt, now);
        let mut amount = amount;
        for account in &accounts {
            amount = self.accounts[account].grant(amount).map_err(|bound| {
                Refusal::Exhausted(Exhausted {
                    account: *account,
                    bound: Some(bound),
                    task: None,
                })
            })?;
        }
        Ok(Event::Reserved {
            attempt,
            amount,
            accounts,
        })
    }

    /// Takes the accounts that changed since the last time.
    pub fn take_changed(&mut self) -> BTreeSet<Account> {
        std::mem::take(&mut self.changed)
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::AccountOpened {
                account,
                budget,
                parent,
            } => {
                let balance = self.accounts.entry(*account).or_default();
                balance.budget = *budget;
                balance.parent = *parent;
                self.changed.insert(*account);
            }
            Event::BudgetChanged { account, budget } => {
                self.accounts.entry(*account).or_default().budget = *budget;
                self.changed.insert(*account);
            }
            Event::Reserved {
                attempt,
                amount,
                accounts,
            } => {
                for account in accounts {
                    let balance = self.accounts.entry(*account).or_default();
                    balance.held = balance.held.plus(*amount);
                    self.changed.insert(*account);
                }
                let reservation = Reservation {
                    amount: *amount,
                    accounts: accounts.clone(),
                };
                self.held.insert(*attempt, reservation);
            }
            Event::Settled {
                attempt,
                used,
                unreported,
            } => self.give_back(*attempt, *used, u64::from(*unreported)),
            Event::Released { attempt } => self.give_back(*attempt, Amount::default(), 0),
            Event::CredentialLimited { credential, limit } => {
                self.limits.insert(credential.clone(), limit.clone());
            }
            Event::LimitLifted { credentials } => {
                for credential in credentials {
                    self.limits.remove(credential);
                }
            }
        }
    }

    fn give_back(&mut self, attempt: AttemptId, used: Amount, unreported: u64) {
        let Some(reservation) = self.held.remove(&attempt) else {
            return;
        };
        for account in &reservation.accounts {
            if let Some(balance) = self.accounts.get_mut(account) {
                balance.held = balance.held.minus(reservation.amount);
                balance.used = balance.used.plus(used);
                balance.unreported += unreported;
                self.changed.insert(*account);
            }
        }
    }

    /// What a sane ledger is: what accounts hold is exactly the sum of their reservations.
    ///
    /// # Errors
    /// The account that does not add up.
    pub fn check(&self) -> Result<(), String> {
        let mut sums: BTreeMap<Account, Amount> = BTreeMap::new();
        for reservation in self.held.values() {
            for account in &reservation.accounts {
                let sum = sums.entry(*account).or_default();
                *sum = sum.plus(reservation.amount);
            }
        }
        for (account, balance) in &self.accounts {
            let sum = sums.get(account).copied().unwrap_or_default();
            if sum != balance.held {
                return Err(format!(
                    "{account} holds {:?}, its reservations are {sum:?}",
                    balance.held
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod proofs;
#[cfg(test)]
mod tests;
