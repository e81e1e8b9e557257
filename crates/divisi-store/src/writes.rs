//! Every statement by which the store's writer appends: a batch in one transaction, and an epoch.

use std::path::Path;

use divisi_core::journal::{Batch, CommandRow, Entry, Fault, RunRow, TaskRow};
use divisi_core::{Epoch, RunId, Time};
use rusqlite::{Connection, DropBehavior, TransactionBehavior};

use crate::fault::from_sqlite;
use crate::schema::{account_code, stream_code, task_key};

/// Bytes of one event's, row's or outcome's body at most. The largest is the plan of a run with
/// 100,000 tasks, some 50 MB; what is larger is not ours.
pub const ENTRY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Refuses a batch of which a body is not ours.
pub(crate) fn check_sizes(batch: &Batch) -> Result<(), Fault> {
    let entries = batch.entries.iter().map(|entry| entry.body.len());
    let tasks = batch.tasks.iter().map(|row| row.body.len());
    let runs = batch.runs.iter().map(|row| row.body.len());
    let accounts = batch.accounts.iter().map(|row| row.body.len());
    let ledger = batch.ledger.iter().map(|row| row.body.len());
    let commands = batch.commands.iter().map(|row| row.outcome.len());
    let sizes = entries
        .chain(tasks)
        .chain(runs)
        .chain(accounts)
        .chain(ledger)
        .chain(commands);
    match sizes.max() {
        Some(size) if size > ENTRY_BYTES_MAX => Err(Fault::Other(format!(
            "appending a body of {size} bytes: at most {ENTRY_BYTES_MAX} are kept"
        ))),
        _ => Ok(()),
    }
}

/// Writes a batch in one transaction; on a fault the transaction may still be open.
pub(crate) fn write(conn: &Connection, path: &Path, batch: &Batch) -> Result<(), Fault> {
    let fault = |error| from_sqlite("appending", path, &error);
    let run = |sql| {
        conn.prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map_err(fault)
    };
    run("BEGIN IMMEDIATE")?;
    write_entries(conn, path, &batch.entries)?;
    cut_tasks(conn, path, &batch.cut)?;
    write_tasks(conn, path, &batch.tasks)?;
    write_runs(conn, path, &batch.runs)?;
    write_ledger(conn, path, batch)?;
    write_outcomes(conn, path, &batch.commands)?;
    run("COMMIT")?;
    Ok(())
}

fn write_entries(conn: &Connection, path: &Path, entries: &[Entry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let fault = |error| from_sqlite("appending events", path, &error);
    let mut statement = conn
        .prepare_cached(
            "INSERT INTO events(stream, seq, kind, version, at, body)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .map_err(fault)?;
    for entry in entries {
        statement
            .execute((
                stream_code(entry.stream),
                signed(entry.seq)?,
                &entry.kind,
                entry.version,
                signed(entry.at.0)?,
                &entry.body,
            ))
            .map_err(fault)?;
    }
    Ok(())
}

/// Tasks of a plan that was replaced, beyond those of the new one.
fn cut_tasks(conn: &Connection, path: &Path, cut: &[(RunId, u32)]) -> Result<(), Fault> {
    for (run, from) in cut {
        let (first, last) = (task_key(*run, *from)?, task_key(*run, u32::MAX)?);
        conn.prepare_cached("DELETE FROM tasks WHERE key BETWEEN ?1 AND ?2")
            .and_then(|mut statement| statement.execute((first, last)))
            .map_err(|error| from_sqlite("removing tasks of a replaced plan", path, &error))?;
    }
    Ok(())
}

fn write_tasks(conn: &Connection, path: &Path, tasks: &[TaskRow]) -> Result<(), Fault> {
    if tasks.is_empty() {
        return Ok(());
    }
    let fault = |error| from_sqlite("writing tasks", path, &error);
    let mut statement = conn
        .prepare_cached(
            "INSERT INTO tasks(key, id, status, attempts, body) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(key) DO UPDATE SET id = excluded.id, status = excluded.status,
                 attempts = excluded.attempts, body = excluded.body",
        )
        .map_err(fault)?;
    for task in tasks {
        let key = task_key(task.run, task.no)?;
        statement
            .execute((key, &task.id, &task.status, task.attempts, &task.body))
            .map_err(fault)?;
    }
    Ok(())
}

fn write_runs(conn: &Connection, path: &Path, runs: &[RunRow]) -> Result<(), Fault> {
    let fault = |error| from_sqlite("writing runs", path, &error);
    for run in runs {
        let seq = signed(run.seq)?;
        conn.prepare_cached(
            "INSERT INTO runs(run, title, status, seq, body) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(run) DO UPDATE SET title = excluded.title, status = excluded.status,
                 seq = excluded.seq, body = excluded.body",
        )
        .and_then(|mut statement| {
            statement.execute((run.run.0, &run.title, &run.status, seq, &run.body))
        })
        .map_err(fault)?;
    }
    Ok(())
}

fn write_ledger(conn: &Connection, path: &Path, batch: &Batch) -> Result<(), Fault> {
    let fault = |error| from_sqlite("writing the ledger", path, &error);
    for row in &batch.accounts {
        let code = account_code(row.account)?;
        conn.prepare_cached(
            "INSERT INTO accounts(account, body) VALUES(?1, ?2)
             ON CONFLICT(account) DO UPDATE SET body = excluded.body",
        )
        .and_then(|mut statement| statement.execute((code, &row.body)))
        .map_err(fault)?;
    }
    if let Some(row) = &batch.ledger {
        let seq = signed(row.seq)?;
        conn.prepare_cached(
            "INSERT INTO ledger(one, seq, body) VALUES(1, ?1, ?2)
             ON CONFLICT(one) DO UPDATE SET seq = excluded.seq, body = excluded.body",
        )
        .and_then(|mut statement| statement.execute((seq, &row.body)))
        .map_err(fault)?;
    }
    Ok(())
}

fn write_outcomes(conn: &Connection, path: &Path, commands: &[CommandRow]) -> Result<(), Fault> {
    for command in commands {
        // Not replaced: the first outcome of a command is its only one.
        conn.prepare_cached("INSERT INTO commands(id, outcome) VALUES(?1, ?2)")
            .and_then(|mut statement| statement.execute((command.id.as_str(), &command.outcome)))
            .map_err(|error| {
                let operation = format!("storing the outcome of command {}", command.id);
                from_sqlite(&operation, path, &error)
            })?;
    }
    Ok(())
}

/// Begins the next epoch.
pub(crate) fn write_epoch(conn: &mut Connection, now: Time) -> rusqlite::Result<Epoch> {
    let mut transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.set_drop_behavior(DropBehavior::Rollback);
    let epoch: i64 = transaction.query_row(
        "INSERT INTO epochs(epoch, at, divisi)
         VALUES((SELECT coalesce(max(epoch), 0) + 1 FROM epochs), ?1, ?2) RETURNING epoch",
        (now.0.cast_signed(), env!("CARGO_PKG_VERSION")),
        |row| row.get(0),
    )?;
    transaction.commit()?;
    Ok(Epoch(epoch.unsigned_abs()))
}

/// A number as SQLite keeps it.
fn signed(value: u64) -> Result<i64, Fault> {
    i64::try_from(value)
        .map_err(|_| Fault::Other(format!("appending the number {value}: it is out of range")))
}
