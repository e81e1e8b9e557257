//! The tables, and the one number that says which they are.
//!
//! Streams and keys are integers, since they stand in every index: the ledger's stream is -1, a
//! run's its number; a task's key is `run << 32 | no`; an account's code is its run's number, or a
//! day counted down from -1. Tables with a body are ordinary ones (their
//! rows sit in leaves up to a page long); a step then changes as few pages as can be, and the cost
//! of a commit is its pages. Events are never deleted, so `events.id` grows forever and
//! without a second counter.
//!
//! A change to the tables is a new migration at the end of the list, never an edit of an old one.
//! Rows need none: a migration drops those that the new tables hold otherwise, and whoever loads
//! replays their stream.

use divisi_core::journal::{Fault, Stream};
use divisi_core::ledger::Account;
use divisi_core::{RunId, TaskNo};
use rusqlite_migration::{M, Migrations};

/// Marks the file as ours: `DIVI`.
pub(crate) const APPLICATION_ID: i64 = 0x4449_5649;

/// How many migrations there are: the `user_version` of a current journal.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

const MIGRATIONS: &[M<'static>] = &[M::up(FIRST), M::up(ACCOUNTS)];

const FIRST: &str = "
    PRAGMA application_id = 1145656905;
    CREATE TABLE events(
        id      INTEGER PRIMARY KEY,
        stream  INTEGER NOT NULL,
        seq     INTEGER NOT NULL CHECK(seq > 0),
        kind    TEXT NOT NULL,
        version INTEGER NOT NULL,
        at      INTEGER NOT NULL,
        body    TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_stream ON events(stream, seq);
    CREATE TABLE tasks(
        key      INTEGER PRIMARY KEY,
        id       TEXT NOT NULL,
        status   TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        body     TEXT NOT NULL
    ) STRICT;
    CREATE TABLE runs(
        run    INTEGER PRIMARY KEY,
        title  TEXT NOT NULL,
        status TEXT NOT NULL,
        seq    INTEGER NOT NULL,
        body   TEXT NOT NULL
    ) STRICT;
    CREATE TABLE ledger(
        one  INTEGER PRIMARY KEY CHECK(one = 1),
        seq  INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE commands(
        id      TEXT PRIMARY KEY,
        outcome TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE epochs(
        epoch  INTEGER PRIMARY KEY,
        at     INTEGER NOT NULL,
        divisi TEXT NOT NULL
    ) STRICT;
    CREATE TABLE meta(
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

/// Until then the ledger's one row held all accounts.
const ACCOUNTS: &str = "
    CREATE TABLE accounts(
        account INTEGER PRIMARY KEY,
        body    TEXT NOT NULL
    ) STRICT;
    DELETE FROM ledger;
    ";

/// All migrations, oldest first.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::from_slice(MIGRATIONS)
}

const LEDGER_CODE: i64 = -1;

/// A stream as it stands in the tables.
pub(crate) fn stream_code(stream: Stream) -> i64 {
    match stream {
        Stream::Ledger => LEDGER_CODE,
        Stream::Run(run) => i64::from(run.0),
    }
}

/// The stream of a code from the tables.
pub(crate) fn stream_of(code: i64) -> Result<Stream, Fault> {
    if code == LEDGER_CODE {
        return Ok(Stream::Ledger);
    }
    u32::try_from(code)
        .map(|run| Stream::Run(RunId(run)))
        .map_err(|_| Fault::Unreadable(format!("the journal names a stream {code}, which is none")))
}

/// An account as it stands in the tables.
pub(crate) fn account_code(account: Account) -> Result<i64, Fault> {
    match account {
        Account::Run(run) => Ok(i64::from(run.0)),
        // Runs count from 1, so a task's key lies beyond all runs' numbers.
        Account::Task(run, no) if run.0 > 0 => task_key(run, no.0),
        Account::Task(run, _) => Err(Fault::Other(format!("{run} has no tasks with accounts"))),
        Account::Day(day) => i64::try_from(day).map(|day| -1 - day).map_err(|_| {
            Fault::Other(format!(
                "the account of day {day} has no room in the journal"
            ))
        }),
    }
}

/// The account of a code from the tables.
pub(crate) fn account_of(code: i64) -> Result<Account, Fault> {
    if code < 0 {
        return Ok(Account::Day((-1 - code).unsigned_abs()));
    }
    if let Ok(run) = u32::try_from(code) {
        return Ok(Account::Run(RunId(run)));
    }
    task_of(code).map(|(run, no)| Account::Task(run, TaskNo(no)))
}

/// A run beyond this number has no room in a task's key.
const RUN_MAX: u32 = i32::MAX as u32;

/// A task's key.
pub(crate) fn task_key(run: RunId, no: u32) -> Result<i64, Fault> {
    if run.0 > RUN_MAX {
        return Err(Fault::Other(format!(
            "{run} has no room in the journal, which ends at run-{RUN_MAX}"
        )));
    }
    Ok((i64::from(run.0) << 32) | i64::from(no))
}

/// The run and number of a task's key.
pub(crate) fn task_of(key: i64) -> Result<(RunId, u32), Fault> {
    let run = u32::try_from(key >> 32)
        .map_err(|_| Fault::Unreadable(format!("the journal names a task {key}, which is none")))?;
    let no = u32::try_from(key & 0xffff_ffff).expect("the lower half has 32 bits");
    Ok((RunId(run), no))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_apply_and_mark_the_file() {
        let mut conn = rusqlite::Connection::open_in_memory().unwrap();
        migrations().to_latest(&mut conn).unwrap();
        let read = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        assert_eq!(read("user_version").unwrap(), VERSION);
        assert_eq!(read("application_id").unwrap(), APPLICATION_ID);
    }

    #[test]
    fn keys_and_streams_survive_their_codes() {
        for (run, no) in [(0, 0), (1, 7), (RUN_MAX, u32::MAX)] {
            let key = task_key(RunId(run), no).unwrap();
            assert_eq!(task_of(key).unwrap(), (RunId(run), no));
        }
        assert!(task_key(RunId(RUN_MAX + 1), 0).is_err());
        assert!(task_of(-1).is_err());
        for stream in [Stream::Ledger, Stream::Run(RunId(0)), Stream::Run(RunId(9))] {
            assert_eq!(stream_of(stream_code(stream)).unwrap(), stream);
        }
        assert!(stream_of(-2).is_err());
        let days = [0, 20_000, i64::MAX as u64].map(Account::Day);
        let runs = [0, 1, u32::MAX].map(|run| Account::Run(RunId(run)));
        for account in days.into_iter().chain(runs) {
            let code = account_code(account).unwrap();
            assert_eq!(account_of(code).unwrap(), account);
        }
        assert!(account_code(Account::Day(u64::MAX)).is_err());
        for (run, no) in [(1, 0), (1, u32::MAX), (RUN_MAX, 7)] {
            let account = Account::Task(RunId(run), TaskNo(no));
            let code = account_code(account).unwrap();
            assert_eq!(account_of(code).unwrap(), account);
        }
        assert!(account_code(Account::Task(RunId(0), TaskNo(1))).is_err());
    }
}
