//! The making of a new journal, in one step.
//!
//! The database is built whole under another name and then renamed. A file `divisi.db` is therefore
//! never empty or half made, and one that is was damaged.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use divisi_core::journal::Fault;
use rusqlite::{Connection, OpenFlags};

use crate::connection::{Durability, database, set_durability, wal};
use crate::fault::{from_io, from_migration, from_sqlite};
use crate::files::{create_folder, length, remove_if_there, sync_folder};
use crate::schema;

/// Where a database is built. One name suffices: only the engine creates.
const BUILT: &str = "divisi.db.new";

/// Bytes of a page. A step changes a handful of rows in as many pages, and each is written whole:
/// measured, half of SQLite's default halves the WAL and with it the stalls of checkpoints, while
/// the usual body still fits a page.
const PAGE_BYTES: i64 = 2_048;

/// Makes the folder with its `.gitignore`, so that it leaves no trace in the user's repository.
pub(crate) fn folder(folder: &Path) -> Result<(), Fault> {
    let fault = |error| from_io("creating the folder", folder, &error);
    if !create_folder(folder).map_err(fault)? {
        return Ok(());
    }
    let ignore = folder.join(".gitignore");
    fs::File::create_new(&ignore)
        .and_then(|mut file| {
            file.write_all(b"*\n")?;
            file.sync_all()
        })
        .and_then(|()| sync_folder(folder))
        .map_err(|error| from_io("creating", &ignore, &error))
}

/// Makes an empty journal in a folder that has none.
pub(crate) fn journal(folder: &Path) -> Result<(), Fault> {
    if length(&wal(folder)).map_err(|error| from_io("reading", &wal(folder), &error))? > 0 {
        return Err(Fault::Unreadable(format!(
            "{} is gone, but its WAL {} is there; restore the database beside it",
            database(folder).display(),
            wal(folder).display()
        )));
    }
    let built = folder.join(BUILT);
    clear(folder).map_err(|error| from_io("removing", &built, &error))?;
    let done = build(&built).and_then(|()| {
        fs::rename(&built, database(folder))
            .and_then(|()| sync_folder(folder))
            .map_err(|error| from_io("creating", &database(folder), &error))
    });
    if done.is_err() {
        // The fault that is told is the first one; leftovers are cleared by the next attempt.
        let _ = clear(folder);
    }
    done
}

/// Removes what an interrupted build left.
fn clear(folder: &Path) -> io::Result<()> {
    ["", "-wal", "-shm", "-journal"]
        .iter()
        .try_for_each(|suffix| remove_if_there(&folder.join(format!("{BUILT}{suffix}"))))
}

fn build(built: &Path) -> Result<(), Fault> {
    let fault = |error| from_sqlite("creating the journal", built, &error);
    // Created here, not by SQLite, for its permissions: for its owner only. The WAL inherits them.
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(built)
        .map_err(|error| from_io("creating", built, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut conn = Connection::open_with_flags(built, flags).map_err(fault)?;
    set_durability(&conn, Durability::Full).map_err(fault)?;
    conn.pragma_update(None, "page_size", PAGE_BYTES)
        .map_err(fault)?;
    schema::migrations()
        .to_latest(&mut conn)
        .map_err(|error| from_migration(built, &error))?;
    conn.pragma_update(None, "journal_mode", "WAL")
        .map_err(fault)?;
    conn.close().map_err(|(_, error)| fault(error))
}
