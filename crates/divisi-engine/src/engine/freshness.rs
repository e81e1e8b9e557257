//! Whether files of a workspace change, as evidence of progress.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// So many entries are looked at; an agent that only touches others is seen by its other signs.
const ENTRIES_MAX: usize = 5_000;

/// A number that changes when files beneath a folder are written, made or removed. Links are not
/// followed, nothing is opened but folders.
pub(super) fn of(folder: &Path) -> u64 {
    let mut sum = 0u64;
    let mut seen = 0;
    let mut worklist = vec![folder.to_owned()];
    while let Some(folder) = worklist.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > ENTRIES_MAX {
                return sum;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let changed = metadata.mtime() as u64 ^ (metadata.mtime_nsec() as u64).rotate_left(20);
            sum = sum.wrapping_add(changed ^ metadata.size().rotate_left(40) ^ metadata.ino());
            if metadata.is_dir() {
                worklist.push(entry.path());
            }
        }
    }
    sum
}
