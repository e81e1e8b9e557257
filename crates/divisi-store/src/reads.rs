//! Every query of the store, for its writer and its views alike.
//!
//! A view reads in pages, bounded in rows and bytes, since it may belong to a small process that
//! shows a large run; the writer reads a whole stream, since it loads it.

use std::path::Path;

use divisi_core::journal::{AccountRow, Entry, Fault, LedgerRow, RunRow, Stream, TaskRow};
use divisi_core::ledger::Account;
use divisi_core::{CommandId, Epoch, RunId, Time};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params_from_iter};

use crate::connection::other_writer;
use crate::fault::from_sqlite;
use crate::schema::{account_code, account_of, stream_code, stream_of, task_key, task_of};
use crate::upcast::Versions;
use crate::view::Numbered;

/// Rows in a page at most: more than any screen shows, few enough to answer at once.
pub const PAGE_ROWS_MAX: u32 = 10_000;

/// Bytes of bodies after which a page ends, in bytes; it holds at least one row. A reader's memory
/// stays small however large the bodies are.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A connection with what is needed to read from it.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) path: &'a Path,
    pub(crate) versions: &'a Versions,
}

/// Where a list of rows ends.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// With the last row.
    Whole,
    /// With so many rows, or earlier.
    Page(u32),
}

impl Extent {
    fn rows(self) -> i64 {
        match self {
            Extent::Whole => -1,
            Extent::Page(rows) => i64::from(rows.min(PAGE_ROWS_MAX)),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Extent::Whole => usize::MAX,
            Extent::Page(_) => PAGE_BYTES_MAX,
        }
    }
}

impl Reads<'_> {
    fn fault(&self, operation: &str, error: &rusqlite::Error) -> Fault {
        from_sqlite(operation, self.path, error)
    }

    /// Rows until the extent's end, each with the bytes that it holds.
    fn list<T>(
        &self,
        operation: &str,
        sql: &str,
        params: impl Params,
        extent: Extent,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(T, usize)>,
    ) -> Result<Vec<T>, Fault> {
        let fault = |error| self.fault(operation, &error);
        let mut statement = self.conn.prepare_cached(sql).map_err(fault)?;
        let mut rows = statement.query(params).map_err(fault)?;
        let mut list = Vec::new();
        let mut bytes = 0_usize;
        while let Some(row) = rows.next().map_err(fault)? {
            let (item, size) = read(row).map_err(fault)?;
            list.push(item);
            bytes = bytes.saturating_add(size);
            if bytes > extent.bytes() {
                break;
            }
        }
        Ok(list)
    }

    fn one<T>(
        &self,
        operation: &str,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Fault> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, read).optional())
            .map_err(|error| self.fault(operation, &error))
    }

    pub(crate) fn events(
        &self,
        stream: Stream,
        after: u64,
        extent: Extent,
    ) -> Result<Vec<Entry>, Fault> {
        let raw = self.list(
            "reading events",
            "SELECT id, stream, seq, kind, version, at, body FROM events
             WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            (stream_code(stream), clamped(after), extent.rows()),
            extent,
            Raw::read,
        )?;
        raw.into_iter()
            .map(|raw| Ok(self.lifted(raw)?.entry))
            .collect()
    }

    /// Events of these kinds, as they were written. Older forms of a kind may have another name,
    /// so the names that lead to it are asked for too.
    pub(crate) fn events_of(&self, stream: Stream, kinds: &[&str]) -> Result<Vec<Entry>, Fault> {
        let names = self.versions.names_of(kinds);
        let marks = vec!["?"; names.len()].join(", ");
        let params: Vec<Value> = std::iter::once(Value::Integer(stream_code(stream)))
            .chain(names.iter().map(|name| Value::Text((*name).to_owned())))
            .collect();
        let raw = self.list(
            "reading events",
            &format!(
                "SELECT id, stream, seq, kind, version, at, body FROM events
                 WHERE stream = ? AND kind IN ({marks}) ORDER BY seq"
            ),
            params_from_iter(params),
            Extent::Whole,
            Raw::read,
        )?;
        let mut entries = Vec::with_capacity(raw.len());
        for raw in raw {
            let entry = self.lifted(raw)?.entry;
            if kinds.contains(&entry.kind.as_str()) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    pub(crate) fn all_events(&self, after: u64, extent: Extent) -> Result<Vec<Numbered>, Fault> {
        let raw = self.list(
            "reading events",
            "SELECT id, stream, seq, kind, version, at, body FROM events
             WHERE id > ?1 ORDER BY id LIMIT ?2",
            (clamped(after), extent.rows()),
            extent,
            Raw::read,
        )?;
        raw.into_iter().map(|raw| self.lifted(raw)).collect()
    }

    fn lifted(&self, raw: Raw) -> Result<Numbered, Fault> {
        let entry = Entry {
            stream: stream_of(raw.stream)?,
            seq: raw.seq,
            kind: raw.kind,
            version: raw.version,
            at: Time(raw.at),
            body: raw.body,
        };
        match self.versions.lift(entry) {
            Ok(entry) => Ok(Numbered { id: raw.id, entry }),
            Err(Fault::Unreadable(cause)) => {
                Err(Fault::Unreadable(match other_writer(self.conn) {
                    Some(version) => format!("{cause}; Divisi {version} wrote here too"),
                    None => cause,
                }))
            }
            Err(other) => Err(other),
        }
    }

    /// The seq of a stream's last event, zero if it has none.
    pub(crate) fn last_seq(&self, stream: Stream) -> Result<u64, Fault> {
        let last = self.one(
            "reading the last event",
            "SELECT max(seq) FROM events WHERE stream = ?1",
            [stream_code(stream)],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(last.flatten().map_or(0, i64::unsigned_abs))
    }

    /// The number of the last event of all streams, zero if there is none.
    pub(crate) fn last_id(&self) -> Result<u64, Fault> {
        let last = self.one(
            "reading the last event",
            "SELECT max(id) FROM events",
            [],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(last.flatten().map_or(0, i64::unsigned_abs))
    }

    /// All streams that have events, each with the seq of its last. One index seek a stream.
    pub(crate) fn streams(&self) -> Result<Vec<(Stream, u64)>, Fault> {
        let codes = self.list(
            "listing streams",
            "WITH RECURSIVE s(stream) AS (
                 SELECT min(stream) FROM events
                 UNION ALL
                 SELECT (SELECT min(e.stream) FROM events e WHERE e.stream > s.stream)
                 FROM s WHERE s.stream IS NOT NULL
             )
             SELECT stream, (SELECT max(seq) FROM events e WHERE e.stream = s.stream)
             FROM s WHERE stream IS NOT NULL",
            [],
            Extent::Whole,
            |row| Ok(((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?), 0)),
        )?;
        codes
            .into_iter()
            .map(|(code, last)| Ok((stream_of(code)?, u64::from(last))))
            .collect()
    }

    pub(crate) fn runs(&self, after: Option<RunId>, extent: Extent) -> Result<Vec<RunRow>, Fault> {
        self.list(
            "reading runs",
            "SELECT run, title, status, seq, body FROM runs WHERE run > ?1 ORDER BY run LIMIT ?2",
            (after.map_or(-1, |run| i64::from(run.0)), extent.rows()),
            extent,
            sized_run,
        )
    }

    pub(crate) fn run(&self, run: RunId) -> Result<Option<RunRow>, Fault> {
        self.one(
            "reading a run",
            "SELECT run, title, status, seq, body FROM runs WHERE run = ?1",
            [run.0],
            |row| Ok(sized_run(row)?.0),
        )
    }

    pub(crate) fn latest_run(&self) -> Result<Option<RunRow>, Fault> {
        self.one(
            "reading the latest run",
            "SELECT run, title, status, seq, body FROM runs ORDER BY run DESC LIMIT 1",
            [],
            |row| Ok(sized_run(row)?.0),
        )
    }

    pub(crate) fn tasks(
        &self,
        run: RunId,
        after: Option<u32>,
        extent: Extent,
    ) -> Result<Vec<TaskRow>, Fault> {
        let first = match after {
            None => task_key(run, 0)?,
            Some(no) => task_key(run, no)? + 1,
        };
        let raw = self.list(
            "reading tasks",
            "SELECT key, id, status, attempts, body FROM tasks
             WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3",
            (first, task_key(run, u32::MAX)?, extent.rows()),
            extent,
            RawTask::read,
        )?;
        raw.into_iter().map(RawTask::row).collect()
    }

    pub(crate) fn task(&self, run: RunId, no: u32) -> Result<Option<TaskRow>, Fault> {
        self.one(
            "reading a task",
            "SELECT key, id, status, attempts, body FROM tasks WHERE key = ?1",
            [task_key(run, no)?],
            |row| Ok(RawTask::read(row)?.0),
        )?
        .map(RawTask::row)
        .transpose()
    }

    /// How many tasks of a run have each status; tasks without a row are not counted.
    pub(crate) fn task_counts(&self, run: RunId) -> Result<Vec<(String, u64)>, Fault> {
        self.list(
            "counting tasks",
            "SELECT status, count(*) FROM tasks WHERE key BETWEEN ?1 AND ?2
             GROUP BY status ORDER BY status",
            (task_key(run, 0)?, task_key(run, u32::MAX)?),
            Extent::Whole,
            |row| Ok(((row.get(0)?, u64::from(row.get::<_, u32>(1)?)), 0)),
        )
    }

    pub(crate) fn accounts(&self) -> Result<Vec<AccountRow>, Fault> {
        let raw: Vec<(i64, String)> = self.list(
            "reading accounts",
            "SELECT account, body FROM accounts ORDER BY account",
            [],
            Extent::Whole,
            |row| Ok(((row.get(0)?, row.get(1)?), 0)),
        )?;
        let row = |(code, body)| {
            let account = account_of(code)?;
            Ok(AccountRow { account, body })
        };
        raw.into_iter().map(row).collect()
    }

    pub(crate) fn account(&self, account: Account) -> Result<Option<AccountRow>, Fault> {
        self.one(
            "reading an account",
            "SELECT body FROM accounts WHERE account = ?1",
            [account_code(account)?],
            |row| {
                let body = row.get(0)?;
                Ok(AccountRow { account, body })
            },
        )
    }

    pub(crate) fn ledger(&self) -> Result<Option<LedgerRow>, Fault> {
        self.one(
            "reading the ledger",
            "SELECT seq, body FROM ledger WHERE one = 1",
            [],
            |row| {
                let (seq, body) = (unsigned(row, 0)?, row.get(1)?);
                Ok(LedgerRow { seq, body })
            },
        )
    }

    pub(crate) fn command(&self, id: &CommandId) -> Result<Option<String>, Fault> {
        self.one(
            "reading a command's outcome",
            "SELECT outcome FROM commands WHERE id = ?1",
            [id.as_str()],
            |row| row.get(0),
        )
    }

    pub(crate) fn epoch(&self) -> Result<Epoch, Fault> {
        let epoch = self.one(
            "reading the epoch",
            "SELECT max(epoch) FROM epochs",
            [],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(Epoch(epoch.flatten().map_or(0, i64::unsigned_abs)))
    }

    /// The version of the rows; `None` in a journal that never had any.
    pub(crate) fn projection(&self) -> Result<Option<u32>, Fault> {
        let text = self.one(
            "reading the version of the rows",
            "SELECT value FROM meta WHERE key = 'projection_version'",
            [],
            |row| row.get::<_, String>(0),
        )?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Faults that SQLite finds in the file's structure, none if it is sound. Reads it whole.
    pub(crate) fn faults(&self) -> Result<Vec<String>, Fault> {
        /// Enough to show how bad it is.
        const FAULTS_MAX: u32 = 20;
        let mut found = self.list(
            "checking the journal",
            &format!("PRAGMA quick_check({FAULTS_MAX})"),
            [],
            Extent::Whole,
            |row| Ok((row.get::<_, String>(0)?, 0)),
        )?;
        found.retain(|line| line != "ok");
        Ok(found)
    }
}

/// An event as its row holds it.
struct Raw {
    id: u64,
    stream: i64,
    seq: u64,
    kind: String,
    version: u32,
    at: u64,
    body: String,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<(Raw, usize)> {
        let raw = Raw {
            id: unsigned(row, 0)?,
            stream: row.get(1)?,
            seq: unsigned(row, 2)?,
            kind: row.get(3)?,
            version: row.get(4)?,
            at: unsigned(row, 5)?,
            body: row.get(6)?,
        };
        let size = raw.body.len();
        Ok((raw, size))
    }
}

/// A task as its row holds it.
struct RawTask {
    key: i64,
    id: String,
    status: String,
    attempts: u32,
    body: String,
}

impl RawTask {
    fn read(row: &Row<'_>) -> rusqlite::Result<(RawTask, usize)> {
        let raw = RawTask {
            key: row.get(0)?,
            id: row.get(1)?,
            status: row.get(2)?,
            attempts: row.get(3)?,
            body: row.get(4)?,
        };
        let size = raw.body.len();
        Ok((raw, size))
    }

    fn row(self) -> Result<TaskRow, Fault> {
        let (run, no) = task_of(self.key)?;
        Ok(TaskRow {
            run,
            no,
            id: self.id,
            status: self.status,
            attempts: self.attempts,
            body: self.body,
        })
    }
}

fn sized_run(row: &Row<'_>) -> rusqlite::Result<(RunRow, usize)> {
    let run = RunRow {
        run: RunId(row.get(0)?),
        title: row.get(1)?,
        status: row.get(2)?,
        seq: unsigned(row, 3)?,
        body: row.get(4)?,
    };
    let size = run.body.len();
    Ok((run, size))
}

/// A column that never goes below zero.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A bound for a comparison: beyond SQLite's integers nothing is stored anyway.
fn clamped(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
