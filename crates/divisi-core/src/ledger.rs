//! The Ledger aggregate: budgets as accounts, and reservations made before anything is launched.
//!
//! Accounts nest: a day's and a run's are both charged by an attempt. An attempt is reserved
//! before it is leased, and settled or released when it has ended. A reservation whose usage is
//! never reported stays charged in full: nothing is spent that was not reserved.
//!
//! What an account permits is first what its run was created with, and from then on what its owner
//! says: the account is the only truth about it.
//!
//! It also knows which credentials a model's server refuses for now; see [`limit`].
//!
//! The ledger has a stream of its own. It meets runs only through commands, each of which may be
//! delayed, repeated or reordered: every command is idempotent, by attempt or by account.

mod command;
mod event;
pub mod limit;
pub mod stored;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, RunId, Time};
use crate::run::Budget;
pub use command::{Command, Exhausted, Refusal};
pub use event::{Event, KINDS};
pub use limit::{Access, Choice, Credential, Limit, LimitThen, Met, QuietHours, Waiting};

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// A day, counted from the Unix epoch in UTC.
    Day(u64),
    /// A run.
    Run(RunId),
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
        }
    }
}

/// Less time than this is not worth starting anything in: reserving it would only use it up.
pub const TIME_USEFUL_MS_MIN: u64 = 1_000;

/// What an attempt takes: itself, and so much time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Attempts.
    pub attempts: u64,
    /// Agents' time in milliseconds.
    pub time_ms: u64,
}

impl Amount {
    fn plus(self, other: Amount) -> Amount {
        Amount {
            attempts: self.attempts.saturating_add(other.attempts),
            time_ms: self.time_ms.saturating_add(other.time_ms),
        }
    }

    fn minus(self, other: Amount) -> Amount {
        Amount {
            attempts: self.attempts.saturating_sub(other.attempts),
            time_ms: self.time_ms.saturating_sub(other.time_ms),
        }
    }

    /// The first bound of a budget that this is beyond.
    fn beyond(self, budget: &Budget) -> Option<Bound> {
        let attempts = budget.attempts.filter(|max| self.attempts > *max);
        let time_ms = budget.time_ms.filter(|max| self.time_ms > *max);
        attempts.map(Bound::Attempts).or(time_ms.map(Bound::TimeMs))
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

/// An account's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What is permitted.
    pub budget: Budget,
    /// What was used.
    pub used: Amount,
    /// What is reserved for attempts under way.
    pub held: Amount,
}

impl Balance {
    /// What is used, and what is reserved beside it.
    #[must_use]
    pub fn taken(&self) -> Amount {
        self.used.plus(self.held)
    }

    /// What of an amount can be reserved: all of it, or all the time that is left. Less than all
    /// is given only where nothing else is reserved, since of that some may come back unused.
    ///
    /// # Errors
    /// The bound that leaves too little.
    pub fn grant(&self, asked: Amount) -> Result<Amount, Bound> {
        let attempts = self.taken().attempts.saturating_add(asked.attempts);
        if let Some(max) = self.budget.attempts.filter(|max| attempts > *max) {
            return Err(Bound::Attempts(max));
        }
        let Some(max) = self.budget.time_ms else {
            return Ok(asked);
        };
        let left_ms = max.saturating_sub(self.taken().time_ms);
        if asked.time_ms <= left_ms {
            return Ok(asked);
        }
        if self.held.time_ms > 0 || left_ms < TIME_USEFUL_MS_MIN {
            return Err(Bound::TimeMs(max));
        }
        Ok(Amount {
            time_ms: left_ms,
            ..asked
        })
    }
}

/// One bound of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// So many attempts.
    Attempts(u64),
    /// So many milliseconds of agents' time.
    TimeMs(u64),
}

impl Bound {
    /// The flag of `divisi run` and `divisi resume` that sets it, with a name for its value.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Bound::Attempts(_) => "--attempts N",
            Bound::TimeMs(_) => "--agent-time MIN",
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bound::Attempts(1) => write!(f, "1 attempt"),
            Bound::Attempts(many) => write!(f, "{many} attempts"),
            Bound::TimeMs(ms) if ms % 60_000 == 0 => {
                write!(f, "{} min of agents' time", ms / 60_000)
            }
            Bound::TimeMs(ms) if ms % 1_000 == 0 => write!(f, "{} s of agents' time", ms / 1_000),
            Bound::TimeMs(ms) => write!(f, "{}.{:03} s of agents' time", ms / 1_000, ms % 1_000),
        }
    }
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
    /// Whether attempts of this run are bounded by any account.
    #[must_use]
    pub fn bounds(&self, run: RunId, at: Time) -> bool {
        self.accounts_of(run, at).next().is_some()
    }

    fn accounts_of(&self, run: RunId, at: Time) -> impl Iterator<Item = Account> + '_ {
        [Account::day(at), Account::Run(run)]
            .into_iter()
            .filter(|account| self.accounts.contains_key(account))
    }

    /// Decides a command and applies what it decided.
    ///
    /// # Errors
    /// A typed refusal; then nothing changed.
    pub fn decide(&mut self, command: Command, now: Time) -> Result<Option<Event>, Refusal> {
        let event = match command {
            Command::Open { account, budget } => {
                let known = self.accounts.contains_key(&account);
                (!known).then_some(Event::AccountOpened { account, budget })
            }
            Command::Permit { account, budget } => self.permit(account, budget)?,
            Command::Reserve { attempt, .. } if self.held.contains_key(&attempt) => None,
            Command::Reserve { attempt, amount } => Some(self.reserve(attempt, amount, now)?),
            Command::Settle { attempt, used_ms } => self.held.get(&attempt).map(|reservation| {
                let time_ms = used_ms.unwrap_or(reservation.amount.time_ms);
                let used = Amount {
                    attempts: reservation.amount.attempts,
                    time_ms,
                };
                Event::Settled { attempt, used }
            }),
            Command::Release { attempt } => self
                .held
                .contains_key(&attempt)
                .then_some(Event::Released { attempt }),
            Command::Limit(met) => self.limited(*met, now),
            Command::Lift { agent } => {
                let limited = |(credential, _): (&Credential, &Limit)| credential.agent == agent;
                if !self.limited_at(now).any(limited) {
                    return Err(Refusal::NotLimited(agent));
                }
                Some(Event::LimitLifted { agent })
            }
        };
        if let Some(event) = &event {
            self.apply(event);
        }
        Ok(event)
    }

    fn permit(&self, account: Account, asked: Budget) -> Result<Option<Event>, Refusal> {
        let Some(balance) = self.accounts.get(&account) else {
            return Err(Refusal::NotOpen(account));
        };
        let taken = balance.taken();
        if let Some(bound) = taken.beyond(&asked) {
            let taken = match bound {
                Bound::Attempts(_) => Bound::Attempts(taken.attempts),
                Bound::TimeMs(_) => Bound::TimeMs(taken.time_ms),
            };
            return Err(Refusal::Taken {
                account,
                bound,
                taken,
            });
        }
        let budget = Budget {
            attempts: asked.attempts.or(balance.budget.attempts),
            time_ms: asked.time_ms.or(balance.budget.time_ms),
        };
        let changed = budget != balance.budget;
        Ok(changed.then_some(Event::BudgetChanged { account, budget }))
    }

    fn reserve(&self, attempt: AttemptId, amount: Amount, now: Time) -> Result<Event, Refusal> {
        let accounts: Vec<Account> = self.accounts_of(attempt.run, now).collect();
        let mut amount = amount;
        for account in &accounts {
            amount = self.accounts[account].grant(amount).map_err(|bound| {
                Refusal::Exhausted(Exhausted {
                    account: *account,
                    bound: Some(bound),
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
            Event::AccountOpened { account, budget } | Event::BudgetChanged { account, budget } => {
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
            Event::Settled { attempt, used } => self.give_back(*attempt, *used),
            Event::Released { attempt } => self.give_back(*attempt, Amount::default()),
            Event::CredentialLimited { credential, limit } => {
                self.limits.insert(credential.clone(), limit.clone());
            }
            Event::LimitLifted { agent } => {
                self.limits
                    .retain(|credential, _| credential.agent != *agent);
            }
        }
    }

    fn give_back(&mut self, attempt: AttemptId, used: Amount) {
        let Some(reservation) = self.held.remove(&attempt) else {
            return;
        };
        for account in &reservation.accounts {
            if let Some(balance) = self.accounts.get_mut(account) {
                balance.held = balance.held.minus(reservation.amount);
                balance.used = balance.used.plus(used);
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
mod tests;
