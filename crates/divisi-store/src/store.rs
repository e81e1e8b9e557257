//! The journal as its one writer has it.
//!
//! A [`Store`] appends batches, each in one transaction, and loads what was appended. It keeps no
//! copy of anything but the last seq of the streams it wrote to, and forgets even that after a
//! failure, since then only the file knows. That no second engine writes is the engine's own lock's
//! concern; here another writer is merely a fault.
//!
//! After a failed append nothing of its batch is there and the store can be used at once. The one
//! exception is nobody's to undo: when the disk itself fails *while syncing* a commit, and power is
//! lost or the connection must be opened anew before the next commit, the whole batch may turn out
//! to be there. The engine is safe from it, since it loads its state anew after every failure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use divisi_core::journal::{
    AccountRow, Batch, Entry, Fault, Journal, LedgerRow, RunRow, Stream, TaskRow,
};
use divisi_core::{CommandId, Epoch, RunId, Time};
use rusqlite::{Connection, TransactionBehavior};

use crate::artifacts::ArtifactFiles;
use crate::checkpoint::{Checkpointed, Checkpointer, passive};
use crate::connection::{
    Durability, Tables, database, open_writer, set_durability, tables, trust, wal,
};
use crate::fault::{from_io, from_migration, from_sqlite};
use crate::files::length;
use crate::reads::{Extent, Reads};
use crate::reserve::Reserve;
use crate::schema;
use crate::upcast::{Versions, stream_name};
use crate::writes::{check_sizes, write, write_epoch};
use crate::{create, damage};

/// Called with a point's name where a crash test may end the process:
/// `journal.append.before`, `journal.append.after_commit`, `artifact.write.before`,
/// `artifact.rename.before`, `artifact.rename.after`.
pub type Hook = fn(&'static str);

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a commit survives.
    pub durability: Durability,
    /// Which events and rows this code reads.
    pub versions: Versions,
    /// Where crash tests end the process; `None` outside of them.
    pub hook: Option<Hook>,
}

/// The journal, opened for writing.
pub struct Store {
    conn: Connection,
    path: PathBuf,
    options: Options,
    vault: ArtifactFiles,
    reserve: Reserve,
    tails: HashMap<Stream, u64>,
}

impl Store {
    /// Opens the journal in a `.divisi` folder for writing; makes both if they are not there.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] if the journal is damaged, not ours, or of a newer Divisi: it was left
    /// as it is. [`Fault::Unavailable`] if it cannot be written, [`Fault::Full`] if there is no room
    /// to make it.
    pub fn open(divisi_dir: &Path, options: Options) -> Result<Store, Fault> {
        if let Some((kind, version)) = options.versions.gaps().first() {
            return Err(Fault::Other(format!(
                "no upcaster reads events of kind `{kind}` version {version}"
            )));
        }
        create::folder(divisi_dir)?;
        let folder = divisi_dir
            .canonicalize()
            .map_err(|error| from_io("opening the folder", divisi_dir, &error))?;
        let path = database(&folder);
        if std::fs::symlink_metadata(&path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound)
        {
            create::journal(&folder)?;
        }
        let mut conn = open_checked(&folder, options.durability)?;
        settle_rows(&mut conn, &path, &options.versions)?;
        let vault = ArtifactFiles::new(&folder, options.hook);
        let reserve = Reserve::new(&folder);
        // Best effort: on a full or read-only disk the journal opens without them.
        vault.clear_partial();
        let _ = reserve.restore();
        Ok(Store {
            conn,
            path,
            options,
            vault,
            reserve,
            tails: HashMap::new(),
        })
    }

    /// The latest epoch; 0 before the first.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn epoch(&self) -> Result<Epoch, Fault> {
        self.reads().epoch()
    }

    /// The artifacts beside this journal.
    #[must_use]
    pub fn artifacts(&self) -> ArtifactFiles {
        self.vault.clone()
    }

    /// A connection for another thread, that moves the WAL into the database.
    ///
    /// # Errors
    /// The journal cannot be opened once more.
    pub fn checkpointer(&self) -> Result<Checkpointer, Fault> {
        Checkpointer::open(&self.path, self.options.durability)
    }

    /// Moves the WAL into the database on this thread, as far as no reader needs it.
    ///
    /// # Errors
    /// The disk is full or failed. The journal is as good as before.
    pub fn checkpoint(&mut self) -> Result<Checkpointed, Fault> {
        passive(&self.conn, &self.path)
    }

    /// Whether the reserve is held.
    #[must_use]
    pub fn has_reserve(&self) -> bool {
        self.reserve.is_there()
    }

    fn reads(&self) -> Reads<'_> {
        Reads {
            conn: &self.conn,
            path: &self.path,
            versions: &self.options.versions,
        }
    }

    fn at(&self, point: &'static str) {
        if let Some(hook) = self.options.hook {
            hook(point);
        }
    }

    /// The streams' last seqs once the batch is there.
    fn next_tails(&self, entries: &[Entry]) -> Result<Vec<(Stream, u64)>, Fault> {
        // A batch touches a stream or two; a list beats a map.
        let mut tails: Vec<(Stream, u64)> = Vec::new();
        for entry in entries {
            let place = match tails.iter().position(|(stream, _)| *stream == entry.stream) {
                Some(place) => place,
                None => {
                    let last = match self.tails.get(&entry.stream) {
                        Some(last) => *last,
                        None => self.reads().last_seq(entry.stream)?,
                    };
                    tails.push((entry.stream, last));
                    tails.len() - 1
                }
            };
            let last = &mut tails[place].1;
            if entry.seq != *last + 1 {
                return Err(Fault::Other(format!(
                    "appending event {} of {}: its last event is {last}",
                    entry.seq,
                    stream_name(entry.stream)
                )));
            }
            *last = entry.seq;
        }
        Ok(tails)
    }

    /// Leaves a transaction that failed. A connection that cannot is replaced.
    fn leave(&mut self) {
        self.tails.clear();
        if self.conn.is_autocommit() || self.conn.execute_batch("ROLLBACK").is_ok() {
            return;
        }
        if let Ok(fresh) = open_checked(folder_of(&self.path), self.options.durability) {
            self.conn = fresh;
        }
        // Otherwise the next append fails on this connection, and comes here again.
    }
}

impl Journal for Store {
    fn release_reserve(&mut self) -> Result<(), Fault> {
        self.reserve.release()
    }

    /// [`Fault::Full`] while there is no room for it; nothing is held then.
    fn restore_reserve(&mut self) -> Result<(), Fault> {
        self.reserve.restore()
    }

    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        if batch.is_empty() {
            return Ok(());
        }
        check_sizes(batch)?;
        let tails = self.next_tails(&batch.entries)?;
        self.at("journal.append.before");
        if let Err(fault) = write(&self.conn, &self.path, batch) {
            self.leave();
            return Err(fault);
        }
        self.tails.extend(tails);
        self.at("journal.append.after_commit");
        Ok(())
    }

    fn begin_epoch(&mut self, now: Time) -> Result<Epoch, Fault> {
        let fault = |error| from_sqlite("beginning an epoch", &self.path, &error);
        // Two lives must never share a number, so this commit is synced whatever the others are;
        // with it all commits before it are.
        set_durability(&self.conn, Durability::Full).map_err(fault)?;
        self.at("journal.epoch.before");
        let begun = write_epoch(&mut self.conn, now);
        self.at("journal.epoch.after_commit");
        let restored = set_durability(&self.conn, self.options.durability);
        let fault = |error| from_sqlite("beginning an epoch", &self.path, &error);
        match begun {
            Ok(epoch) => {
                restored.map_err(fault)?;
                Ok(epoch)
            }
            Err(error) => {
                let fault = fault(error);
                self.leave();
                Err(fault)
            }
        }
    }

    fn events(&self, stream: Stream, after: u64) -> Result<Vec<Entry>, Fault> {
        self.reads().events(stream, after, Extent::Whole)
    }

    fn events_of(&self, stream: Stream, kinds: &[&str]) -> Result<Vec<Entry>, Fault> {
        self.reads().events_of(stream, kinds)
    }

    fn streams(&self) -> Result<Vec<(Stream, u64)>, Fault> {
        self.reads().streams()
    }

    fn runs(&self) -> Result<Vec<RunRow>, Fault> {
        self.reads().runs(None, Extent::Whole)
    }

    fn run(&self, run: RunId) -> Result<Option<RunRow>, Fault> {
        self.reads().run(run)
    }

    fn tasks(&self, run: RunId) -> Result<Vec<TaskRow>, Fault> {
        self.reads().tasks(run, None, Extent::Whole)
    }

    fn accounts(&self) -> Result<Vec<AccountRow>, Fault> {
        self.reads().accounts()
    }

    fn ledger(&self) -> Result<Option<LedgerRow>, Fault> {
        self.reads().ledger()
    }

    fn command(&self, id: &CommandId) -> Result<Option<String>, Fault> {
        self.reads().command(id)
    }
}

fn folder_of(database: &Path) -> &Path {
    database.parent().expect("the database lies in a folder")
}

/// Opens the database, and refuses it untouched if it cannot be relied upon.
fn open_checked(folder: &Path, durability: Durability) -> Result<Connection, Fault> {
    let path = database(folder);
    let fault = |error| from_sqlite("opening the journal", &path, &error);
    // An empty file is a valid database to SQLite, and to us one that lost everything.
    if length(&path).map_err(|error| from_io("reading", &path, &error))? == 0 {
        return Err(Fault::Unreadable(format!(
            "{} is empty; restore a copy of it",
            path.display()
        )));
    }
    let mut conn = open_writer(&path, durability)?;
    let found = tables(&conn, &path)?;
    damage::check(&conn, &path, &wal(folder))?;
    if found == Tables::Older {
        schema::migrations()
            .to_latest(&mut conn)
            .map_err(|error| from_migration(&path, &error))?;
    }
    trust(&conn).map_err(fault)?;
    Ok(conn)
}

/// Drops rows of another version of the code. Whoever loads finds streams without a row, now or in a
/// later life, and replays them.
fn settle_rows(conn: &mut Connection, path: &Path, versions: &Versions) -> Result<(), Fault> {
    let fault = |error| from_sqlite("dropping old rows", path, &error);
    let reads = Reads {
        conn,
        path,
        versions,
    };
    if reads.projection()? == Some(versions.projection()) {
        return Ok(());
    }
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fault)?;
    transaction
        .execute_batch(
            "DELETE FROM tasks; DELETE FROM runs; DELETE FROM accounts; DELETE FROM ledger;",
        )
        .and_then(|()| {
            transaction.execute(
                "INSERT INTO meta(key, value) VALUES('projection_version', ?1)
                 ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                [versions.projection().to_string()],
            )
        })
        .map_err(fault)?;
    transaction.commit().map_err(fault)
}

#[cfg(test)]
mod tests {
    use divisi_core::journal::RunRow;

    use super::*;
    use crate::upcast::Upcasters;

    fn options() -> Options {
        Options {
            durability: Durability::Normal,
            versions: Versions::new(&[("grown", 1)], Upcasters::current(), 1),
            hook: None,
        }
    }

    fn batch(seq: u64, bytes: usize) -> Batch {
        Batch {
            entries: vec![Entry {
                stream: Stream::Run(RunId(1)),
                seq,
                kind: "grown".to_owned(),
                version: 1,
                at: Time(seq),
                body: format!("\"{}\"", "x".repeat(bytes)),
            }],
            runs: vec![RunRow {
                run: RunId(1),
                title: String::new(),
                status: "running".to_owned(),
                seq,
                body: "{}".to_owned(),
            }],
            ..Batch::default()
        }
    }

    #[test]
    fn a_full_database_keeps_nothing_of_a_batch() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), options()).unwrap();
        store.append(&batch(1, 10)).unwrap();
        let pages: i64 = store
            .conn
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        let limit = |store: &Store, pages: i64| {
            store
                .conn
                .pragma_update(None, "max_page_count", pages)
                .unwrap();
        };
        limit(&store, pages);
        let fault = store.append(&batch(2, 100_000)).unwrap_err();
        assert!(matches!(fault, Fault::Full(_)), "{fault:?}");
        assert!(store.conn.is_autocommit());
        assert_eq!(store.events(Stream::Run(RunId(1)), 0).unwrap().len(), 1);
        assert_eq!(store.runs().unwrap()[0].seq, 1);
        limit(&store, pages + 1000);
        store.append(&batch(2, 100_000)).unwrap();
        assert_eq!(store.runs().unwrap()[0].seq, 2);
    }

    #[test]
    fn a_connection_that_cannot_leave_its_transaction_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), options()).unwrap();
        store.append(&batch(1, 10)).unwrap();
        // A transaction that a failed rollback would have left open.
        store.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        store.append(&batch(2, 10)).unwrap_err();
        assert!(store.conn.is_autocommit());
        store.append(&batch(2, 10)).unwrap();
        assert_eq!(store.runs().unwrap()[0].seq, 2);
    }

    #[test]
    fn an_epoch_is_synced_and_the_durability_is_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), options()).unwrap();
        store.begin_epoch(Time(1)).unwrap();
        let synchronous: i64 = store
            .conn
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        assert_eq!(synchronous, 1, "NORMAL");
    }
}
