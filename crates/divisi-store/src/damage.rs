//! Damage that SQLite would not notice before it is too late.
//!
//! SQLite refuses a database that is shorter than its own header says, but only while the WAL is
//! empty: with a WAL, a short file is what a crash within a checkpoint leaves, and its missing pages
//! stand in the WAL. A file that lost pages which do not would be read as zeros, and the next
//! checkpoint would make that permanent. So before anything is changed, each page beyond the
//! file's end is looked for in the WAL. Torn tails and flipped bits of the WAL itself
//! are SQLite's own business: its checksums cut the WAL after the last whole commit.

use std::collections::HashSet;
use std::os::unix::fs::FileExt;
use std::path::Path;

use divisi_core::journal::Fault;
use rusqlite::Connection;

use crate::fault::{from_io, from_sqlite};
use crate::files::{length, open_regular};

const WAL_HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

/// Refuses a database that lost pages. Changes nothing.
pub(crate) fn check(conn: &Connection, database: &Path, wal: &Path) -> Result<(), Fault> {
    let read = |name| {
        conn.pragma_query_value(None, name, |row| row.get::<_, u32>(0))
            .map_err(|error| from_sqlite("reading the journal", database, &error))
    };
    let page_bytes = u64::from(read("page_size")?);
    let pages = read("page_count")?;
    let whole_pages = || {
        let bytes = length(database).map_err(|error| from_io("reading", database, &error))?;
        Ok(u32::try_from(bytes / page_bytes).unwrap_or(u32::MAX))
    };
    let whole: u32 = whole_pages()?;
    if whole >= pages {
        return Ok(());
    }
    let held = pages_in_wal(wal, page_bytes)?;
    let Some(page) = (whole + 1..=pages).find(|page| !held.contains(page)) else {
        return Ok(());
    };
    // An engine beside this reader may have moved the page from one file to the other meanwhile.
    if whole_pages()? >= pages {
        return Ok(());
    }
    Err(Fault::Unreadable(format!(
        "{} was cut short: page {page} of {pages} is missing; restore a copy of it",
        database.display()
    )))
}

/// The numbers of the pages in the WAL's current generation. Their checksums were verified when
/// SQLite read the WAL; frames behind its last commit are of no consequence here.
fn pages_in_wal(wal: &Path, page_bytes: u64) -> Result<HashSet<u32>, Fault> {
    let fault = |error| from_io("reading", wal, &error);
    let mut pages = HashSet::new();
    let bytes = length(wal).map_err(fault)?;
    if bytes < WAL_HEADER_BYTES {
        return Ok(pages);
    }
    let file = open_regular(wal).map_err(fault)?;
    let mut header = [0; WAL_HEADER_BYTES as usize];
    file.read_exact_at(&mut header, 0).map_err(fault)?;
    let mut place = WAL_HEADER_BYTES;
    let mut frame = [0; FRAME_HEADER_BYTES as usize];
    while place + FRAME_HEADER_BYTES + page_bytes <= bytes {
        file.read_exact_at(&mut frame, place).map_err(fault)?;
        // The salt of an earlier generation: from here on the WAL was not yet overwritten.
        if frame[8..16] != header[16..24] {
            break;
        }
        let number = frame[..4].try_into().expect("four bytes are four bytes");
        pages.insert(u32::from_be_bytes(number));
        place += FRAME_HEADER_BYTES + page_bytes;
    }
    Ok(pages)
}
