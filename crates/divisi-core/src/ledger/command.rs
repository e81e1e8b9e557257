//! What can be asked of the ledger, and why it may refuse.

use serde::{Deserialize, Serialize};

use super::{Account, Amount, Bound, Met};
use crate::ids::AttemptId;
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
        /// How much; the event may say less time, see [`super::Balance::grant`].
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
    /// An attempt met a usage limit: its credential is not used until that ends.
    Limit(Box<Met>),
    /// Do not wait for the end of an agent's usage limits any longer.
    Lift {
        /// Whose.
        agent: String,
    },
}

/// An account has not enough left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// Which.
    pub account: Account,
    /// The bound that is reached; `None` where it was recorded before bounds were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

impl std::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the budget of {} is used up", self.account)?;
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
    /// No credential of this agent is limited.
    NotLimited(String),
}

impl Refusal {
    /// Its code; `docs/errors` has a page for each.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Exhausted(_) => "budget-used-up",
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
            Refusal::NotOpen(account) => write!(f, "{account} was started without a budget"),
            Refusal::Taken {
                account,
                bound,
                taken,
            } => write!(
                f,
                "{account} cannot be bounded by {bound}: {taken} are used or reserved"
            ),
            Refusal::NotLimited(agent) => write!(f, "no usage limit of {agent} is waited for"),
        }
    }
}

impl std::error::Error for Refusal {}
