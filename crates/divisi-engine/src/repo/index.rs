//! Reading git's index file: what was tracked when it was written, and what it looked like.
//!
//! Divisi keeps one private index for each workspace. Its paths tell what does not belong into a
//! folder that is to be reused, its stat data which files need not be looked at.
//! Only versions 2 and 3 are read: Divisi's own calls write no other.

use std::collections::HashSet;
use std::path::Path;

use super::fault::Fault;
use super::objects::{Item, Mode, Oid};

/// One tracked path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) item: Item,
    /// As `lstat` told, cut to 32 bits as git does.
    pub(crate) stat: Stat,
}

/// What tells that a file is still the one that was tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) ctime: (u32, u32),
    pub(crate) mtime: (u32, u32),
    pub(crate) inode: u32,
    pub(crate) bytes: u32,
}

/// All folders that tracked paths lie in.
pub(crate) fn folders(tracked: &[Entry]) -> HashSet<&[u8]> {
    let mut folders: HashSet<&[u8]> = HashSet::new();
    for entry in tracked {
        for at in memchr::memrchr_iter(b'/', &entry.path) {
            // What is above a known folder is known.
            if !folders.insert(&entry.path[..at]) {
                break;
            }
        }
    }
    folders
}

/// Copies an index with its time, by which git tells files that were changed just after it was
/// written and look unchanged.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let modified = from.metadata()?.modified()?;
    std::fs::copy(from, to)?;
    std::fs::File::options()
        .write(true)
        .open(to)?
        .set_modified(modified)
}

/// Reads an index file; one that is not there has no entries.
pub(crate) fn read(path: &Path, oid_len: usize) -> Result<Vec<Entry>, Fault> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Fault::io("read", path)(error)),
    };
    parse(&bytes, oid_len).ok_or_else(|| Fault::Git {
        operation: format!("read the index {}", path.display()),
        cause: "it is damaged".into(),
    })
}

fn parse(bytes: &[u8], oid_len: usize) -> Option<Vec<Entry>> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" || !matches!(word(4)?, 2 | 3) {
        return None;
    }
    let count = word(8)? as usize;
    // An entry has at least 62 bytes, so a lie about the count reserves no more than that allows.
    let mut entries = Vec::with_capacity(count.min(bytes.len() / 62));
    let mut at = 12;
    for _ in 0..count {
        let oid = Oid::from_raw(bytes.get(at + 40..at + 40 + oid_len)?)?;
        let flags_at = at + 40 + oid_len;
        let flags = u16::from_be_bytes(bytes.get(flags_at..flags_at + 2)?.try_into().ok()?);
        let extended = flags & 0x4000 != 0;
        let name_at = flags_at + if extended { 4 } else { 2 };
        let name_len = memchr::memchr(0, bytes.get(name_at..)?)?;
        entries.push(Entry {
            path: bytes[name_at..name_at + name_len].to_vec(),
            item: Item {
                mode: Mode::from_bits(word(at + 24)?),
                oid,
            },
            stat: Stat {
                ctime: (word(at)?, word(at + 4)?),
                mtime: (word(at + 8)?, word(at + 12)?),
                inode: word(at + 20)?,
                bytes: word(at + 36)?,
            },
        });
        // Padded with one to eight NULs to a multiple of eight bytes.
        at += (name_at - at + name_len + 8) / 8 * 8;
    }
    Some(entries)
}
