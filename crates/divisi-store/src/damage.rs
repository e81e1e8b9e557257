//! Damage that SQLite would not notice before it is too late.
//!
//! SQLite refuses a database that is shorter than its own header says, but only while the WAL is
//! empty: with a WAL, a short file is what a crash within a checkpoint leaves, and its missing pages
//! stand in the WAL. A file that lost pages which do not would be read as zeros, and the next
//! checkpoint would make that permanent. So the writer, before it changes anything, asks whether
//! each page beyond the file's end stands in the WAL. Torn tails and flipped bits of the WAL itself
//! are SQLite's own business: its checksums cut the WAL after the last whole commit.

use std::collections::HashSet;
use std::io::{BufReader, Read};
use std::path::Path;

use divisi_core::journal::Fault;
use rusqlite::Connection;

use crate::fault::{from_io, from_sqlite};
use crate::files::{length, open_regular};

const WAL_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Refuses a database that lost pages. Changes nothing.
pub(crate) fn check(conn: &Connection, database: &Path, wal: &Path) -> Result<(), Fault> {
    let read = |name| {
        conn.pragma_query_value(None, name, |row| row.get::<_, u32>(0))
            .map_err(|error| from_sqlite("reading the journal", database, &error))
    };
    let page_bytes = read("page_size")?;
    let pages = read("page_count")?;
    let bytes = length(database).map_err(|error| from_io("reading", database, &error))?;
    let whole = u32::try_from(bytes / u64::from(page_bytes)).unwrap_or(u32::MAX);
    if whole >= pages {
        return Ok(());
    }
    let held = pages_in_wal(wal, page_bytes)?;
    match (whole + 1..=pages).find(|page| !held.contains(page)) {
        None => Ok(()),
        Some(page) => Err(Fault::Unreadable(format!(
            "{} was cut short: page {page} of {pages} is missing; restore a copy of it",
            database.display()
        ))),
    }
}

/// The numbers of the pages in the WAL's current generation. Their checksums were verified when
/// SQLite read the WAL; frames behind its last commit are of no consequence here.
fn pages_in_wal(wal: &Path, page_bytes: u32) -> Result<HashSet<u32>, Fault> {
    let fault = |error| from_io("reading", wal, &error);
    let mut pages = HashSet::new();
    if length(wal).map_err(fault)? < WAL_HEADER_BYTES as u64 {
        return Ok(pages);
    }
    let mut reader = BufReader::new(open_regular(wal).map_err(fault)?);
    let mut header = [0; WAL_HEADER_BYTES];
    reader.read_exact(&mut header).map_err(fault)?;
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes as usize];
    // A torn last frame ends the list like the end of the file does.
    while reader.read_exact(&mut frame).is_ok() {
        if frame[8..16] != header[16..24] {
            break;
        }
        let number = frame[..4].try_into().expect("four bytes are four bytes");
        pages.insert(u32::from_be_bytes(number));
    }
    Ok(pages)
}
