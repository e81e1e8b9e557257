//! How the ledger is kept between lives: a row for each account, and one for what is reserved.
//!
//! These forms are stored. They are rows like those of runs, and rebuilt with them: whoever changes
//! a form raises [`crate::run::stored::VERSION`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Balance, Credential, Ledger, Limit, Reservation};
use crate::ids::AttemptId;
use crate::journal::{AccountRow, LedgerRow};
use crate::run::stored::Unreadable;

/// The ledger's own row. It holds pairs, since the keys of JSON objects are texts, and an attempt is none.
#[derive(Serialize)]
struct LedgerOut<'a> {
    held: Vec<(&'a AttemptId, &'a Reservation)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<(&'a Credential, &'a Limit)>,
}

#[derive(Deserialize)]
struct LedgerIn {
    held: Vec<(AttemptId, Reservation)>,
    #[serde(default)]
    limits: Vec<(Credential, Limit)>,
}

/// The ledger's own row, which includes all events up to `seq`.
#[must_use]
pub fn ledger_row(ledger: &Ledger, seq: u64) -> LedgerRow {
    let out = LedgerOut {
        held: ledger.held.iter().collect(),
        limits: ledger.limits.iter().collect(),
    };
    LedgerRow {
        seq,
        body: to_json(&out),
    }
}

/// The rows of these accounts; one that is not open has none.
#[must_use]
pub fn account_rows(
    ledger: &Ledger,
    accounts: impl IntoIterator<Item = Account>,
) -> Vec<AccountRow> {
    let row = |account| {
        let body = to_json(ledger.accounts.get(&account)?);
        Some(AccountRow { account, body })
    };
    accounts.into_iter().filter_map(row).collect()
}

/// The balance that an account's row tells.
///
/// # Errors
/// The row cannot be read.
pub fn balance(row: &AccountRow) -> Result<Balance, Unreadable> {
    serde_json::from_str(&row.body).map_err(|error| {
        Unreadable(format!(
            "the row of the account of {}: {error}",
            row.account
        ))
    })
}

/// The reservations that the ledger's own row tells.
///
/// # Errors
/// The row cannot be read.
pub fn held(row: &LedgerRow) -> Result<BTreeMap<AttemptId, Reservation>, Unreadable> {
    Ok(read(row)?.held.into_iter().collect())
}

fn read(row: &LedgerRow) -> Result<LedgerIn, Unreadable> {
    serde_json::from_str(&row.body)
        .map_err(|error| Unreadable(format!("the ledger's row: {error}")))
}

/// The ledger from its rows.
///
/// # Errors
/// A row cannot be read.
pub fn restore(row: &LedgerRow, accounts: &[AccountRow]) -> Result<Ledger, Unreadable> {
    let LedgerIn { held, limits } = read(row)?;
    let mut ledger = Ledger {
        held: held.into_iter().collect(),
        limits: limits.into_iter().collect(),
        ..Ledger::default()
    };
    for row in accounts {
        ledger.accounts.insert(row.account, balance(row)?);
    }
    Ok(ledger)
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the ledger is plain data")
}
