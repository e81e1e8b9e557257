//! From what SQLite and the file system say to a [`Fault`], and from there to words for a person.
//!
//! The one place that knows which of SQLite's codes means what. Causes are fragments that name the
//! operation and the file; what to do is added by [`diagnostic`], at the edge.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use divisi_core::diagnostic::Diagnostic;
use divisi_core::journal::Fault;
use rusqlite::{Error, ErrorCode};

/// The fault that a person should read when `operation` on `path` failed in SQLite.
pub(crate) fn from_sqlite(operation: &str, path: &Path, error: &Error) -> Fault {
    let cause = format!("{operation} in {}: {error}", path.display());
    let Some(code) = error.sqlite_error_code() else {
        return match error {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Fault::Unreadable(cause),
            _ => Fault::Other(cause),
        };
    };
    match code {
        ErrorCode::DiskFull => Fault::Full(cause),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::Unavailable(format!(
            "{operation} in {}: another process holds it for writing",
            path.display()
        )),
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            Fault::Unavailable(cause)
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Fault::Unreadable(format!(
            "{cause}; keep the file, and restore a copy of it from before the damage"
        )),
        ErrorCode::SystemIoFailure if is_full(path) => Fault::Full(cause),
        _ => Fault::Other(cause),
    }
}

/// The fault when `operation` on `path` failed in a migration.
pub(crate) fn from_migration(path: &Path, error: &rusqlite_migration::Error) -> Fault {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => {
            from_sqlite("migrating the journal", path, err)
        }
        other => Fault::Other(format!(
            "migrating the journal in {}: {other}",
            path.display()
        )),
    }
}

/// The fault when `operation` on the file `path` failed.
pub(crate) fn from_io(operation: &str, path: &Path, error: &io::Error) -> Fault {
    let cause = format!("{operation} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full(cause),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Fault::Unavailable(cause)
        }
        _ => Fault::Other(cause),
    }
}

/// Whether the file system of `path` takes no more bytes.
///
/// SQLite reports a full disk as such where it writes pages, but as a bare input-output error
/// where it grows the WAL's index or where a quota ends. Asking the file system itself settles it.
fn is_full(path: &Path) -> bool {
    let Some(folder) = path.parent() else {
        return false;
    };
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    let written = fs::File::create_new(&probe).and_then(|mut file| {
        file.write_all(&[0x5a; 32 * 1024])?;
        file.sync_all()
    });
    // What is left if this fails is small and means nothing.
    let _ = fs::remove_file(&probe);
    written.is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

/// A fault as it is told to a person: its code, its cause, and what to do.
#[must_use]
pub fn diagnostic(fault: &Fault) -> Diagnostic {
    match fault {
        Fault::Full(cause) => Diagnostic::error("journal-full", cause)
            .hint("free some space on the disk that holds `.divisi`, then run `divisi resume`")
            .hint("run `divisi gc` to see what Divisi itself can give back"),
        Fault::Unavailable(cause) => Diagnostic::error("journal-unavailable", cause)
            .hint("run `divisi doctor` to see who holds the journal and whether it can be written"),
        Fault::Unreadable(cause) => Diagnostic::error("journal-unreadable", cause)
            .hint("copy the folder `.divisi` aside before anything else")
            .hint("run `divisi doctor` to see what can still be read"),
        Fault::Other(cause) => Diagnostic::error("journal-failed", cause)
            .hint("nothing was written; run `divisi resume` to go on from what the journal holds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_code_with_a_page() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for fault in [
            Fault::Full("x".into()),
            Fault::Unavailable("x".into()),
            Fault::Unreadable("x".into()),
            Fault::Other("x".into()),
        ] {
            let told = diagnostic(&fault);
            assert_eq!(told.cause, "x");
            assert!(!told.hints.is_empty());
            let page = pages.join(format!("{}.md", told.code));
            let text = fs::read_to_string(&page).expect("every code has a page");
            for heading in ["## Cause", "## Fix", "## Example"] {
                assert!(text.contains(heading), "{} lacks {heading}", page.display());
            }
        }
    }

    #[test]
    fn a_disk_with_room_is_not_taken_for_full() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_full(&folder.path().join("divisi.db")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
