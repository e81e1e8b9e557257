//! What happened to the ledger: the journal's words.
//!
//! These are stored. A change of their form needs a new version in [`KINDS`] and an upcaster.

use serde::{Deserialize, Serialize};

use super::{Account, Amount, Credential, Limit, TaskRef};
use crate::ids::AttemptId;
use crate::journal::version_of;
use crate::run::Budget;

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
        /// The task that the account's run does, if it does one of another run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<TaskRef>,
    },
    /// Its owner permits more or less.
    BudgetChanged {
        /// On which account.
        account: Account,
        /// All that is permitted from now on.
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
        /// Its agent asks a model, and did not say all that it used of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unreported: bool,
    },
    /// A reservation was given back.
    Released {
        /// Of which attempt.
        attempt: AttemptId,
    },
    /// A model's server refuses a credential for now.
    CredentialLimited {
        /// Which.
        credential: Credential,
        /// All that is known of it from now on.
        limit: Limit,
    },
    /// Its owner does not wait for the end of limits any longer.
    LimitLifted {
        /// Of which credentials.
        credentials: Vec<Credential>,
    },
}

/// Names and versions of all ledger events.
pub const KINDS: &[(&str, u32)] = &[
    ("account_opened", 1),
    ("budget_changed", 1),
    ("reserved", 1),
    ("settled", 1),
    ("released", 1),
    ("credential_limited", 2),
    ("limit_lifted", 2),
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
            Event::BudgetChanged { .. } => "budget_changed",
            Event::Reserved { .. } => "reserved",
            Event::Settled { .. } => "settled",
            Event::Released { .. } => "released",
            Event::CredentialLimited { .. } => "credential_limited",
            Event::LimitLifted { .. } => "limit_lifted",
        }
    }
}
