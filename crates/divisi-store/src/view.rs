//! The journal as everybody but its writer has it: reading while the engine writes.
//!
//! A [`View`] never changes the journal, never makes one, and never blocks the engine; of its own it
//! leaves at most the two files beside the database through which SQLite coordinates. Each call
//! sees the latest commits; [`View::consistently`] makes several calls see the same. Lists come in
//! pages: ask again after the last item until a page is empty.
//!
//! A folder that cannot be written is read all the same if that is sound: without a WAL, the
//! database is whole by itself, and it is read as immutable. Should a writer appear meanwhile, the
//! reading says so rather than returning half of its work.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use divisi_core::journal::{AccountRow, Entry, Fault, LedgerRow, RunRow, Stream, TaskRow};
use divisi_core::ledger::Account;
use divisi_core::{CommandId, Epoch, RunId};
use rusqlite::{Connection, ErrorCode};

use crate::artifacts::ArtifactFiles;
use crate::connection::{Tables, database, open_immutable, open_reader, tables, wal};
use crate::damage;
use crate::fault::{from_io, from_sqlite};
use crate::files::length;
use crate::reads::{Extent, Reads};
use crate::store::Store;
use crate::upcast::Versions;

/// An event with its place among the events of all streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Grows with every event appended, whatever its stream.
    pub id: u64,
    /// The event, in today's form.
    pub entry: Entry,
}

/// Why there is no view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// There is no journal here; nothing was created.
    NotThere(PathBuf),
    /// There is one, and it cannot be read.
    Fault(Fault),
}

impl std::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotOpened::NotThere(path) => write!(f, "there is no journal at {}", path.display()),
            NotOpened::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for NotOpened {}

impl From<Fault> for NotOpened {
    fn from(fault: Fault) -> NotOpened {
        NotOpened::Fault(fault)
    }
}

/// How the file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Beside a writer.
    Shared,
    /// As a file that nobody writes.
    Immutable,
}

/// The journal, opened for reading.
pub struct View {
    conn: Connection,
    path: PathBuf,
    access: Access,
    versions: Versions,
    vault: ArtifactFiles,
}

impl Store {
    /// Opens the journal in a `.divisi` folder for reading, also while another process writes.
    ///
    /// # Errors
    /// [`NotOpened::NotThere`] if there is none; [`Fault::Unavailable`] if it cannot be read now,
    /// with the reason; [`Fault::Unreadable`] if it is damaged, not ours, or of a newer Divisi.
    pub fn open_read_only(divisi_dir: &Path, versions: Versions) -> Result<View, NotOpened> {
        let (view, tables) = View::connect(divisi_dir, versions)?;
        if tables == Tables::Older {
            return Err(NotOpened::Fault(Fault::Unavailable(format!(
                "{} was written by an older Divisi; `divisi resume` brings it up to date",
                view.path.display()
            ))));
        }
        Ok(view)
    }

    /// Whether a view can read all of a journal: its tables and rows are those of this code.
    /// Otherwise opening it for writing once brings the tables up to date, and drops rows that
    /// whoever loads it writes anew.
    ///
    /// # Errors
    /// As [`Store::open_read_only`], but for tables of an older Divisi.
    pub fn is_current(divisi_dir: &Path, versions: Versions) -> Result<bool, NotOpened> {
        let (view, tables) = View::connect(divisi_dir, versions)?;
        let rows = view.guarded(|reads| reads.projection())?;
        Ok(tables == Tables::Current
            && rows.is_none_or(|found| found == view.versions.projection()))
    }
}

impl View {
    fn connect(divisi_dir: &Path, versions: Versions) -> Result<(View, Tables), NotOpened> {
        let path = database(divisi_dir);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.len() == 0 => {
                return Err(NotOpened::Fault(Fault::Unreadable(format!(
                    "{} is empty; restore a copy of it",
                    path.display()
                ))));
            }
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(NotOpened::NotThere(path));
            }
            Err(error) => return Err(from_io("opening the journal", &path, &error).into()),
        }
        let folder = divisi_dir
            .canonicalize()
            .map_err(|error| from_io("opening the folder", divisi_dir, &error))?;
        let path = database(&folder);
        let (conn, access) = connect(&folder, &path)?;
        let tables = tables(&conn, &path)?;
        damage::check(&conn, &path, &wal(&folder))?;
        let view = View {
            conn,
            access,
            versions,
            vault: ArtifactFiles::new(&folder, None),
            path,
        };
        Ok((view, tables))
    }

    /// Makes all readings within `read` see the same moment. Keep it short: until it ends, the
    /// WAL cannot be reused.
    ///
    /// # Errors
    /// What `read` returns, or that the moment cannot be held.
    pub fn consistently<T>(
        &self,
        read: impl FnOnce(&View) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let transaction = self
            .conn
            .unchecked_transaction()
            .map_err(|error| from_sqlite("reading the journal", &self.path, &error))?;
        let result = read(self);
        // It wrote nothing, so leaving it cannot lose anything.
        drop(transaction);
        result
    }

    /// Rows of runs after a run, or from the first, oldest first; at most `limit`.
    ///
    /// # Errors
    /// The rows cannot be read, or are of another version of the code.
    pub fn runs(&self, after: Option<RunId>, limit: u32) -> Result<Vec<RunRow>, Fault> {
        self.rows(|reads| reads.runs(after, Extent::Page(limit)))
    }

    /// A run's row.
    ///
    /// # Errors
    /// The row cannot be read, or is of another version of the code.
    pub fn run(&self, run: RunId) -> Result<Option<RunRow>, Fault> {
        self.rows(|reads| reads.run(run))
    }

    /// The row of the run that was made last.
    ///
    /// # Errors
    /// The row cannot be read, or is of another version of the code.
    pub fn latest_run(&self) -> Result<Option<RunRow>, Fault> {
        self.rows(|reads| reads.latest_run())
    }

    /// Rows of a run's changed tasks after a number, or from the first; at most `limit`.
    ///
    /// # Errors
    /// The rows cannot be read, or are of another version of the code.
    pub fn tasks(&self, run: RunId, after: Option<u32>, limit: u32) -> Result<Vec<TaskRow>, Fault> {
        self.rows(|reads| reads.tasks(run, after, Extent::Page(limit)))
    }

    /// A task's row; `None` if it is as the plan made it.
    ///
    /// # Errors
    /// The row cannot be read, or is of another version of the code.
    pub fn task(&self, run: RunId, no: u32) -> Result<Option<TaskRow>, Fault> {
        self.rows(|reads| reads.task(run, no))
    }

    /// How many of a run's changed tasks have each status.
    ///
    /// # Errors
    /// The rows cannot be read, or are of another version of the code.
    pub fn task_counts(&self, run: RunId) -> Result<Vec<(String, u64)>, Fault> {
        self.rows(|reads| reads.task_counts(run))
    }

    /// An account's row; `None` if it was never opened.
    ///
    /// # Errors
    /// The row cannot be read, or is of another version of the code.
    pub fn account(&self, account: Account) -> Result<Option<AccountRow>, Fault> {
        self.rows(|reads| reads.account(account))
    }

    /// The rows of all accounts, days first, then runs, then tasks.
    ///
    /// # Errors
    /// They cannot be read, or are of another version of the code.
    pub fn accounts(&self) -> Result<Vec<AccountRow>, Fault> {
        self.rows(|reads| reads.accounts())
    }

    /// The ledger's own row: what is reserved.
    ///
    /// # Errors
    /// The row cannot be read, or is of another version of the code.
    pub fn ledger(&self) -> Result<Option<LedgerRow>, Fault> {
        self.rows(|reads| reads.ledger())
    }

    /// Events of a stream after a seq, in today's forms; at most `limit`.
    ///
    /// # Errors
    /// They cannot be read, or are of a newer Divisi.
    pub fn events(&self, stream: Stream, after: u64, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.guarded(|reads| reads.events(stream, after, Extent::Page(limit)))
    }

    /// All events of a stream of these kinds, in today's forms: what makes a run's structure.
    ///
    /// # Errors
    /// They cannot be read, or are of a newer Divisi.
    pub fn events_of(&self, stream: Stream, kinds: &[&str]) -> Result<Vec<Entry>, Fault> {
        self.guarded(|reads| reads.events_of(stream, kinds))
    }

    /// Events of all streams after a number, in the order in which they were appended.
    ///
    /// # Errors
    /// They cannot be read, or are of a newer Divisi.
    pub fn all_events(&self, after_id: u64, limit: u32) -> Result<Vec<Numbered>, Fault> {
        self.guarded(|reads| reads.all_events(after_id, Extent::Page(limit)))
    }

    /// The number of the last event of all streams; 0 if there is none. To follow from now on,
    /// read [`View::all_events`] after it.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn last_id(&self) -> Result<u64, Fault> {
        self.guarded(|reads| reads.last_id())
    }

    /// All streams that have events, with the seq of their last.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn streams(&self) -> Result<Vec<(Stream, u64)>, Fault> {
        self.guarded(|reads| reads.streams())
    }

    /// The stored outcome of a command, if it was ever handled.
    ///
    /// # Errors
    /// The row cannot be read.
    pub fn command(&self, id: &CommandId) -> Result<Option<String>, Fault> {
        self.guarded(|reads| reads.command(id))
    }

    /// The latest epoch; 0 before the first.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn epoch(&self) -> Result<Epoch, Fault> {
        self.guarded(|reads| reads.epoch())
    }

    /// Faults in the file's structure, none if it is sound; for `divisi doctor`. Reads all of it.
    ///
    /// # Errors
    /// It is too damaged even to look.
    pub fn faults(&self) -> Result<Vec<String>, Fault> {
        self.guarded(|reads| reads.faults())
    }

    /// The artifacts beside this journal.
    #[must_use]
    pub fn artifacts(&self) -> ArtifactFiles {
        self.vault.clone()
    }

    /// Reads rows, which only their own version of the code understands.
    fn rows<T>(&self, read: impl FnOnce(&Reads<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.guarded(|reads| match reads.projection()? {
            Some(found) if found != self.versions.projection() => Err(Fault::Unreadable(format!(
                "{} holds rows of version {found}, this Divisi ({}) reads version {}; \
                 `divisi resume` rebuilds them",
                self.path.display(),
                env!("CARGO_PKG_VERSION"),
                self.versions.projection()
            ))),
            _ => read(reads),
        })
    }

    /// Reads, and refuses the result if the file may have changed under an immutable reading.
    fn guarded<T>(&self, read: impl FnOnce(&Reads<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let result = read(&Reads {
            conn: &self.conn,
            path: &self.path,
            versions: &self.versions,
        });
        let folder = self.path.parent().expect("the database lies in a folder");
        if self.access == Access::Immutable && !is_whole(folder)? {
            return Err(Fault::Unavailable(format!(
                "reading {}: an engine began to write it; read again",
                self.path.display()
            )));
        }
        result
    }
}

/// Whether the database is whole without its WAL.
fn is_whole(folder: &Path) -> Result<bool, Fault> {
    let wal = wal(folder);
    let length = length(&wal).map_err(|error| from_io("reading", &wal, &error))?;
    Ok(length == 0)
}

fn connect(folder: &Path, path: &Path) -> Result<(Connection, Access), Fault> {
    let fault = |error| from_sqlite("opening the journal", path, &error);
    let shared = open_reader(path).and_then(|conn| {
        // Only a first reading shows whether the files beside the database can be used.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(conn)
    });
    match shared {
        Ok(conn) => Ok((conn, Access::Shared)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                if is_whole(folder)? {
                    let conn = open_immutable(path).map_err(fault)?;
                    return Ok((conn, Access::Immutable));
                }
                Err(Fault::Unavailable(format!(
                    "opening {}: its WAL holds commits, and reading them needs a folder that \
                     can be written; copy {} to one, or run as its owner",
                    path.display(),
                    folder.display()
                )))
            }
            _ => Err(fault(error)),
        },
    }
}
