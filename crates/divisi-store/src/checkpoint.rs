//! The move of the WAL into the database, off the engine's thread.
//!
//! A passive checkpoint waits for nobody: it moves what no reader needs and syncs the database. The
//! engine calls it from a thread of its own, say every few hundred commits, so that a commit itself
//! hardly ever pays for one. It decides nothing about when.

use std::path::{Path, PathBuf};

use divisi_core::journal::Fault;
use rusqlite::Connection;

use crate::connection::{Durability, open_writer, trust};
use crate::fault::from_sqlite;

/// How far a checkpoint came, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Checkpointed {
    /// Pages in the WAL.
    pub pages: u64,
    /// Of them, how many are in the database by now.
    pub moved: u64,
}

/// A connection that only checkpoints. It may be sent to a thread.
pub struct Checkpointer {
    conn: Connection,
    path: PathBuf,
}

impl Checkpointer {
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<Checkpointer, Fault> {
        let conn = open_writer(path, durability)?;
        trust(&conn).map_err(|error| from_sqlite("opening the journal", path, &error))?;
        Ok(Checkpointer {
            conn,
            path: path.to_owned(),
        })
    }

    /// Moves what it can without waiting for readers or the writer.
    ///
    /// # Errors
    /// The disk is full or failed. The journal is as good as before.
    pub fn checkpoint(&mut self) -> Result<Checkpointed, Fault> {
        passive(&self.conn, &self.path)
    }
}

/// A passive checkpoint on a connection.
pub(crate) fn passive(conn: &Connection, path: &Path) -> Result<Checkpointed, Fault> {
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok(Checkpointed {
            pages: count(row.get(1)?),
            moved: count(row.get(2)?),
        })
    })
    .map_err(|error| from_sqlite("moving the WAL into the journal", path, &error))
}
