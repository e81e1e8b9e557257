//! The Ledger aggregate: budgets as accounts, and reservations made before anything is launched.
//!
//! Accounts nest: a day's and a run's are both charged by an attempt. An attempt is reserved
//! before it is leased, and settled or released when it has ended. A reservation whose usage is
//! never reported stays charged in full: nothing is spent that was not reserved.
//!
//! The ledger has a stream of its own. It meets runs only through commands, each of which may be
//! delayed, repeated or reordered: every command is idempotent by attempt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, RunId, Time};
use crate::journal::version_of;
use crate::run::Budget;

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

    fn fits(self, budget: &Budget) -> bool {
        budget.attempts.is_none_or(|max| self.attempts <= max)
            && budget.time_ms.is_none_or(|max| self.time_ms <= max)
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

/// The ledger. Changed only by [`Ledger::apply`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Accounts that bound something, by name.
    #[serde(with = "pairs")]
    pub accounts: BTreeMap<Account, Balance>,
    /// Reservations by attempt.
    #[serde(with = "pairs")]
    pub held: BTreeMap<AttemptId, Reservation>,
}

/// JSON objects have text keys; these maps have not.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K, V, S>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

/// An imperative ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bound an account. Repeating it with another budget changes the bound.
    Open {
        /// Which.
        account: Account,
        /// By what.
        budget: Budget,
    },
    /// Set something aside for an attempt that is about to be leased.
    Reserve {
        /// Which.
        attempt: AttemptId,
        /// How much.
        amount: Amount,
    },
    /// The attempt ended and used so much time; `None` if nobody knows.
    Settle {
        /// Which.
        attempt: AttemptId,
        /// Agents' time in milliseconds.
        used_ms: Option<u64>,
    },
    /// The attempt was not leased after all.
    Release {
        /// Which.
        attempt: AttemptId,
    },
}

/// A fact about the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An account is bounded.
    AccountOpened {
        /// Which.
        account: Account,
        /// By what.
        budget: Budget,
    },
    /// Something is set aside.
    Reserved {
        /// For which attempt.
        attempt: AttemptId,
        /// How much.
        amount: Amount,
        /// Where.
        accounts: Vec<Account>,
    },
    /// A reservation became use.
    Settled {
        /// Of which attempt.
        attempt: AttemptId,
        /// How much was used.
        used: Amount,
    },
    /// A reservation was given back.
    Released {
        /// Of which attempt.
        attempt: AttemptId,
    },
}

/// Names and versions of all ledger events.
pub const KINDS: &[(&str, u32)] = &[
    ("account_opened", 1),
    ("reserved", 1),
    ("settled", 1),
    ("released", 1),
];

impl Event {
    /// The version of its form, as in [`KINDS`].
    #[must_use]
    pub fn version(&self) -> u32 {
        version_of(KINDS, self.kind())
    }

    /// Its name, as in [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::AccountOpened { .. } => "account_opened",
            Event::Reserved { .. } => "reserved",
            Event::Settled { .. } => "settled",
            Event::Released { .. } => "released",
        }
    }
}

/// The ledger refuses: an account has not enough left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Which.
    pub account: Account,
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
    /// An account has not enough left; then nothing changed.
    pub fn decide(&mut self, command: Command, now: Time) -> Result<Option<Event>, Exhausted> {
        let event = match command {
            Command::Open { account, budget } => {
                let known = self.accounts.get(&account).map(|balance| balance.budget);
                (known != Some(budget)).then_some(Event::AccountOpened { account, budget })
            }
            Command::Reserve { attempt, .. } if self.held.contains_key(&attempt) => None,
            Command::Reserve { attempt, amount } => {
                let accounts: Vec<Account> = self.accounts_of(attempt.run, now).collect();
                let lacks = |account: &&Account| {
                    let balance = &self.accounts[*account];
                    !balance
                        .used
                        .plus(balance.held)
                        .plus(amount)
                        .fits(&balance.budget)
                };
                if let Some(account) = accounts.iter().find(lacks) {
                    return Err(Exhausted { account: *account });
                }
                Some(Event::Reserved {
                    attempt,
                    amount,
                    accounts,
                })
            }
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
        };
        if let Some(event) = &event {
            self.apply(event);
        }
        Ok(event)
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::AccountOpened { account, budget } => {
                self.accounts.entry(*account).or_default().budget = *budget;
            }
            Event::Reserved {
                attempt,
                amount,
                accounts,
            } => {
                for account in accounts {
                    let balance = self.accounts.entry(*account).or_default();
                    balance.held = balance.held.plus(*amount);
                }
                let reservation = Reservation {
                    amount: *amount,
                    accounts: accounts.clone(),
                };
                self.held.insert(*attempt, reservation);
            }
            Event::Settled { attempt, used } => self.give_back(*attempt, *used),
            Event::Released { attempt } => self.give_back(*attempt, Amount::default()),
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
mod tests {
    use super::*;
    use crate::ids::TaskNo;

    fn attempt(task: u32) -> AttemptId {
        AttemptId {
            run: RunId(1),
            task: TaskNo(task),
            number: 1,
        }
    }

    fn open(attempts: u64) -> Ledger {
        let mut ledger = Ledger::default();
        let budget = Budget {
            attempts: Some(attempts),
            time_ms: None,
        };
        let account = Account::Run(RunId(1));
        assert!(
            ledger
                .decide(Command::Open { account, budget }, Time(0))
                .unwrap()
                .is_some()
        );
        ledger
    }

    const ONE: Amount = Amount {
        attempts: 1,
        time_ms: 60_000,
    };

    #[test]
    fn nothing_is_reserved_beyond_the_budget() {
        let mut ledger = open(2);
        let reserve = |task| Command::Reserve {
            attempt: attempt(task),
            amount: ONE,
        };
        assert!(ledger.decide(reserve(1), Time(0)).unwrap().is_some());
        assert!(ledger.decide(reserve(2), Time(0)).unwrap().is_some());
        let account = Account::Run(RunId(1));
        assert_eq!(
            ledger.decide(reserve(3), Time(0)),
            Err(Exhausted { account })
        );
        assert!(
            ledger
                .decide(
                    Command::Release {
                        attempt: attempt(2)
                    },
                    Time(0)
                )
                .unwrap()
                .is_some()
        );
        assert!(ledger.decide(reserve(3), Time(0)).unwrap().is_some());
        ledger.check().unwrap();
    }

    #[test]
    fn every_command_may_be_repeated() {
        let mut ledger = open(2);
        let reserve = Command::Reserve {
            attempt: attempt(1),
            amount: ONE,
        };
        assert!(ledger.decide(reserve.clone(), Time(0)).unwrap().is_some());
        assert_eq!(ledger.decide(reserve, Time(0)).unwrap(), None);
        let settle = Command::Settle {
            attempt: attempt(1),
            used_ms: Some(1_000),
        };
        assert!(ledger.decide(settle.clone(), Time(0)).unwrap().is_some());
        assert_eq!(ledger.decide(settle, Time(0)).unwrap(), None);
        let used = ledger.accounts[&Account::Run(RunId(1))].used;
        assert_eq!(
            used,
            Amount {
                attempts: 1,
                time_ms: 1_000
            }
        );
    }

    #[test]
    fn unreported_use_stays_charged_in_full() {
        let mut ledger = open(2);
        assert!(
            ledger
                .decide(
                    Command::Reserve {
                        attempt: attempt(1),
                        amount: ONE
                    },
                    Time(0)
                )
                .is_ok()
        );
        assert!(
            ledger
                .decide(
                    Command::Settle {
                        attempt: attempt(1),
                        used_ms: None
                    },
                    Time(0)
                )
                .is_ok()
        );
        assert_eq!(ledger.accounts[&Account::Run(RunId(1))].used, ONE);
    }

    #[test]
    fn it_survives_its_stored_form() {
        let mut ledger = open(2);
        assert!(
            ledger
                .decide(
                    Command::Reserve {
                        attempt: attempt(1),
                        amount: ONE
                    },
                    Time(0)
                )
                .is_ok()
        );
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }
}
