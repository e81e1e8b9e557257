//! One statement about every file that matches a pattern.
//!
//! A pattern that matches nothing fails: of no file nothing was shown, and a misspelt folder must
//! not look like a clean one.

use divisi_core::criterion::Holds;

use super::evaluate::{Checked, Stop, check_files, fails, size};
use super::evidence::short;
use super::paths::matching;
use crate::files::Files;

/// So many files are looked at for one criterion; more are a pattern that was not meant.
pub const EACH_FILES_MAX: usize = 20_000;

/// So many bytes are read for one criterion: some seconds from a slow disk.
pub const EACH_BYTES_MAX: u64 = 256 << 20;

/// Files whose own evidence is given; the rest is counted.
const SHOWN_MAX: usize = 5;

/// Evidence of one file is cut to this.
const SHOWN_CHARS_MAX: usize = 500;

pub(super) fn check(files: &dyn Files, pattern: &str, holds: &Holds) -> Checked {
    let found = matching(files, pattern)?;
    let pattern = short(pattern, 200);
    if found.is_empty() {
        return fails(format!(
            "no file matches {pattern}; at least one is expected"
        ));
    }
    if found.len() > EACH_FILES_MAX {
        return fails(format!(
            "{} files match {pattern}; this check looks at no more than {EACH_FILES_MAX}",
            found.len()
        ));
    }
    let mut bytes: u64 = 0;
    for path in &found {
        bytes = bytes.saturating_add(size(files, path)?);
    }
    if bytes > EACH_BYTES_MAX {
        return fails(format!(
            "the files that match {pattern} have {bytes} bytes together; this check reads no more \
             than {EACH_BYTES_MAX}"
        ));
    }
    let mut failing = 0;
    let mut shown: Vec<String> = Vec::new();
    for path in &found {
        match check_files(&holds.of(path), files) {
            Ok(()) => {}
            Err(Stop::Fails(evidence)) => {
                failing += 1;
                if shown.len() < SHOWN_MAX {
                    shown.push(short(&evidence, SHOWN_CHARS_MAX));
                }
            }
            Err(other) => return Err(other),
        }
    }
    if failing == 0 {
        return Ok(());
    }
    if failing > shown.len() {
        shown.push(format!("and {} more", failing - shown.len()));
    }
    fails(format!(
        "{failing} of {} files that match {pattern} fail: {}",
        found.len(),
        shown.join("; ")
    ))
}
