//! Commits, counted in the write-ahead log that SQLite leaves beside a database.
//!
//! The log is a header of 32 bytes, then frames: a header of 24 bytes and a page each. A frame that
//! ends a transaction bears the database's size; a frame whose salts differ from the header's is
//! left over from before the log was begun anew. See <https://sqlite.org/fileformat2.html#walformat>.

use std::fs;
use std::path::Path;

use crate::Result;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// How many transactions a log holds.
///
/// # Errors
/// If there is no log, or it is none.
pub(super) fn commits(log: &Path) -> Result<usize> {
    let place = |what: String| format!("{}: {what}", log.display());
    let bytes = fs::read(log).map_err(|e| place(e.to_string()))?;
    Ok(count(&bytes).ok_or_else(|| place("no write-ahead log".to_owned()))?)
}

fn count(log: &[u8]) -> Option<usize> {
    let (header, frames) = log.split_at_checked(HEADER_BYTES)?;
    // Written in the byte order of the checksums, of which there are two.
    if !matches!(number(header, 0)?, 0x377f_0682 | 0x377f_0683) {
        return None;
    }
    let page = number(header, 8)? as usize;
    let salts = header.get(16..24)?;
    let ends = frames
        .chunks_exact(FRAME_HEADER_BYTES + page)
        .take_while(|frame| frame.get(8..16) == Some(salts))
        .filter(|frame| number(frame, 4) != Some(0));
    Some(ends.count())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_counted_not_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE some (a);")
            .unwrap();
        let large = "x".repeat(100_000);
        for _ in 0..3 {
            connection
                .execute("INSERT INTO some VALUES (?1)", [&large])
                .unwrap();
        }
        assert_eq!(commits(&folder.path().join("some.db-wal")).unwrap(), 4);
    }

    #[test]
    fn what_is_no_log_is_an_error() {
        assert_eq!(count(b""), None);
        assert_eq!(count(&[7; 100]), None);
        assert!(commits(Path::new("/nowhere/some.db-wal")).is_err());
    }
}
