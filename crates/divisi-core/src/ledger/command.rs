//! What can be asked of the ledger, and why it may refuse.

use serde::{Deserialize, Serialize};

use super::{Account, Amount, Bound, Credential, Measure, Met, TaskRef};
use crate::ids::{AttemptId, RunId, TaskId};
use crate::run::Budget;

/// An imperative ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bound an account from now on. One that is open already stays as it is, so that a late word
    /// of a run's creation does not take back what its owner said since.
    Open {
        /// Which.
        account: Account,
        /// By what.
        budget: Budget,
        /// The task of another run that the account's run does: what it takes is charged to that
        /// task and that run, too.
        parent: Option<TaskRef>,
    },
    /// Permit more or less on an open account. It says how much in all, not how much more, so that
    /// repeating it changes nothing.
    Permit {
        /// Which.
        account: Account,
        /// How much; what is `None` stays as it is.
        budget: Budget,
    },
    /// Set something aside for an attempt that is about to be leased.
    Reserve {
        /// Which.
        attempt: AttemptId,
        /// How much; the event may say less, see [`super::Balance::grant`].
        amount: Amount,
    },
    /// The attempt ended and used so much.
    Settle {
        /// Which.
        attempt: AttemptId,
        /// What it used.
        spent: Spent,
    },
    /// The attempt was not leased after all.
    Release {
        /// Which.
        attempt: AttemptId,
    },
    /// An attempt met a usage limit: its credential is not used until that ends.
    Limit(Box<Met>),
    /// Do not wait for the end of usage limits any longer.
    Lift {
        /// Whose: an agent, or a credential by its name.
        name: String,
        /// What the agent of that name can log in with.
        credentials: Vec<Credential>,
    },
}

/// What an attempt used beside itself. What nobody can know stays charged as it was reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Agents' time in milliseconds.
    pub time_ms: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub usd_micros: Option<u64>,
    /// Its agent asks a model, and did not say all that it used of it.
    pub unreported: bool,
    /// It met a usage limit, which costs no attempt.
    pub limited: bool,
}

/// An account has not enough left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// Which.
    pub account: Account,
    /// The bound that is reached; `None` where it was recorded before bounds were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// The task's id, where the account is a task's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

impl Exhausted {
    /// The commands of which one makes a run go on that waits for this account.
    #[must_use]
    pub fn commands(&self, waiting: RunId) -> Vec<String> {
        let raise = |flag: &str, run: RunId, of: &str| -> Vec<String> {
            let flags = match self.bound {
                Some(bound) => vec![bound.measure()],
                None => vec![Measure::Attempts, Measure::TimeMs],
            };
            let command = |measure: Measure| {
                let value = measure.placeholder();
                format!("divisi resume {run}{of} {flag} {value}")
            };
            flags.into_iter().map(command).collect()
        };
        match (self.account, &self.task) {
            // With another day comes another account.
            (Account::Day(_), _) => {
                let mut commands = raise("--day-budget", waiting, "");
                commands.push(format!("divisi resume {waiting}"));
                commands
            }
            (Account::Run(run), _) => raise("--budget", run, ""),
            (Account::Task(run, _), Some(task)) => {
                raise("--budget", run, &format!(" --task {task}"))
            }
            (Account::Task(run, _), None) => vec![format!("divisi budget {run}")],
        }
    }
}

impl std::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.account, &self.task) {
            (Account::Task(run, _), Some(task)) => {
                write!(f, "the budget of task {task} of {run} is used up")?;
            }
            (account, _) => write!(f, "the budget of {account} is used up")?,
        }
        match self.bound {
            Some(bound) => write!(f, ": {bound}"),
            None => Ok(()),
        }
    }
}

/// Why the ledger refuses a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An account has not enough left.
    Exhausted(Exhausted),
    /// No run is done by itself, or by one that came after it; and only a run does a task.
    Parent(Account),
    /// The account was never opened, so nothing that was used is counted on it.
    NotOpen(Account),
    /// More is used or reserved already than would be permitted.
    Taken {
        /// On which account.
        account: Account,
        /// What would be permitted.
        bound: Bound,
        /// What is used or reserved.
        taken: Bound,
    },
    /// No credential of this name, or of an agent of this name, is limited.
    NotLimited(String),
}

impl Refusal {
    /// Its code; `docs/errors` has a page for each.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Exhausted(_) => "budget-used-up",
            Refusal::Parent(_) => "budget-parent",
            Refusal::NotOpen(_) => "budget-none",
            Refusal::Taken { .. } => "budget-taken",
            Refusal::NotLimited(_) => "agent-not-limited",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Exhausted(exhausted) => exhausted.fmt(f),
            Refusal::Parent(account) => {
                write!(f, "{account} cannot be charged to the task that is named")
            }
            Refusal::NotOpen(account @ Account::Run(_)) => {
                write!(f, "{account} was started without a budget")
            }
            Refusal::NotOpen(account) => write!(f, "{account} has no budget"),
            Refusal::Taken {
                account,
                bound,
                taken,
            } => write!(
                f,
                "{account} cannot be bounded by {bound}: {taken} are used or reserved"
            ),
            Refusal::NotLimited(name) => write!(f, "no usage limit of {name} is waited for"),
        }
    }
}

impl std::error::Error for Refusal {}
