//! Connections to the journal, and the settings that every one of them gets.
//!
//! The writer's settings are chosen for bounded memory and few waits: everything temporary in
//! memory, a small page cache (the operating system caches the file anyway), no memory map, and an
//! automatic checkpoint so late that a [`crate::Checkpointer`] normally forestalls it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_core::journal::Fault;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::fault::from_sqlite;
use crate::schema;

/// How long a connection waits for another process's lock, in milliseconds, before it says so.
/// Long enough for another process to recover a WAL after a crash; short enough for a person.
pub const BUSY_MS_MAX: u64 = 2_000;

/// Pages of the WAL at which a commit moves them into the database itself, if nobody did before.
/// This bounds the WAL at about 32 MiB plus one batch, and what a start after a crash must read.
const WAL_PAGES_MAX: i64 = 16_384;

/// Bytes to which a WAL is cut that a long reader had let grow.
const WAL_BYTES_KEPT: i64 = 32 * 1024 * 1024;

/// The page cache of a connection in KiB. The whole engine has 64 MiB at 10,000 tasks.
const CACHE_KIB: i64 = 4_096;

/// Statements kept prepared; the store has fewer than these.
const STATEMENTS_MAX: usize = 48;

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power: every commit is synced to the disk.
    #[default]
    Full,
    /// A crash of any process. A loss of power may take the last commits, never a part of one.
    Normal,
}

impl Durability {
    fn synchronous(self) -> &'static str {
        match self {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        }
    }
}

/// The database's file in a `.divisi` folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("divisi.db")
}

/// The file of the database's WAL.
pub(crate) fn wal(folder: &Path) -> PathBuf {
    folder.join("divisi.db-wal")
}

/// Opens an existing database for writing. Links are not followed, nothing is created, and until
/// it is trusted nothing is changed, not even by closing it.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(path, flags)
        .map_err(|error| from_sqlite("opening the journal", path, &error))?;
    let read_only = conn
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| settle(&conn, durability))
        .and_then(|()| conn.is_readonly("main"))
        .map_err(|error| from_sqlite("opening the journal", path, &error))?;
    if read_only {
        return Err(Fault::Unavailable(format!(
            "opening the journal in {}: the file is read-only",
            path.display()
        )));
    }
    Ok(conn)
}

/// Settings that touch no file.
fn settle(conn: &Connection, durability: Durability) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    set_durability(conn, durability)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "trusted_schema", false)
}

/// Lets a connection move the WAL into a database that was found sound: when it grows, and when
/// the last connection is closed.
pub(crate) fn trust(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES_MAX)?;
    conn.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)
}

/// Sets what the commits from now on survive.
pub(crate) fn set_durability(conn: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let full = durability == Durability::Full;
    conn.pragma_update(None, "synchronous", durability.synchronous())?;
    // Where a plain sync only reaches the drive's cache, as on macOS.
    conn.pragma_update(None, "fullfsync", full)?;
    conn.pragma_update(None, "checkpoint_fullfsync", full)
}

/// Opens an existing database for reading only.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    settle_reader(Connection::open_with_flags(path, flags)?)
}

/// Opens an existing database that nobody writes, without any lock or file beside it.
pub(crate) fn open_immutable(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", escaped(path));
    settle_reader(Connection::open_with_flags(uri, flags)?)
}

fn settle_reader(conn: Connection) -> rusqlite::Result<Connection> {
    settle(&conn, Durability::Normal)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// A path as it stands in a URI.
fn escaped(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;

    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02x}").expect("a string takes all that is written to it");
        }
    }
    text
}

/// Whether the tables are ours and which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Today's.
    Current,
    /// Of an older Divisi; a writer migrates them.
    Older,
}

/// Reads the marks of a database without changing anything.
pub(crate) fn tables(conn: &Connection, path: &Path) -> Result<Tables, Fault> {
    let fault = |error| from_sqlite("reading the journal", path, &error);
    let read = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let id = read("application_id").map_err(fault)?;
    if id != schema::APPLICATION_ID {
        return Err(Fault::Unreadable(format!(
            "{} is not a journal of Divisi; move it out of the way",
            path.display()
        )));
    }
    match read("user_version").map_err(fault)? {
        schema::VERSION => Ok(Tables::Current),
        older if older < schema::VERSION => Ok(Tables::Older),
        newer => Err(Fault::Unreadable(format!(
            "{} has tables of version {newer}, this Divisi ({}) knows version {}; {}",
            path.display(),
            env!("CARGO_PKG_VERSION"),
            schema::VERSION,
            needed(conn)
        ))),
    }
}

/// Which Divisi a newer journal needs, as far as it can be read.
fn needed(conn: &Connection) -> String {
    // A table of a newer Divisi may look different: then the sentence is less exact, not absent.
    other_writer(conn).map_or_else(
        || "a newer Divisi is needed".to_owned(),
        |version| format!("Divisi {version} or newer is needed"),
    )
}

/// The version of the Divisi that began the latest epoch and was not this one.
pub(crate) fn other_writer(conn: &Connection) -> Option<String> {
    conn.query_row(
        "SELECT divisi FROM epochs WHERE divisi <> ?1 ORDER BY epoch DESC LIMIT 1",
        [env!("CARGO_PKG_VERSION")],
        |row| row.get(0),
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_uri_keeps_its_meaning() {
        assert_eq!(
            escaped(Path::new("/a b/c?d#e%/f.db")),
            "/a%20b/c%3fd%23e%25/f.db"
        );
    }
}
