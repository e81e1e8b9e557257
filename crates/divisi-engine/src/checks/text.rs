//! Literal text and patterns in files: `contains`, `lacks`, `matches`. Files are bytes here; they
//! need not be UTF-8.

use memchr::memmem;
use regex::bytes::RegexBuilder;

use super::evaluate::{Checked, content, fails};
use super::evidence::{short, shown};
use crate::files::Files;

/// Files searched for literal text: what fits into the engine's memory beside everything else.
pub const SEARCHED_BYTES_MAX: u64 = 16 << 20;

/// Files searched with a pattern. Time is at worst this times the compiled pattern's states.
pub const MATCHED_BYTES_MAX: u64 = 4 << 20;

/// A pattern may compile to so many bytes: enough for a page of alternatives, too little for
/// nested repetitions to cost minutes.
pub const PATTERN_PROGRAM_BYTES_MAX: usize = 256 << 10;

/// Cache of the lazy automaton; a pattern that thrashes it falls back to a slower engine.
const PATTERN_CACHE_BYTES_MAX: usize = 2 << 20;

pub(super) fn contains(files: &dyn Files, path: &str, text: &str) -> Checked {
    let bytes = content(files, path, SEARCHED_BYTES_MAX)?;
    if memmem::find(&bytes, text.as_bytes()).is_some() {
        return Ok(());
    }
    fails(format!(
        "{} ({} bytes) does not contain \"{}\"",
        short(path, 200),
        bytes.len(),
        short(text, 200)
    ))
}

pub(super) fn lacks(files: &dyn Files, path: &str, text: &str) -> Checked {
    let bytes = content(files, path, SEARCHED_BYTES_MAX)?;
    let Some(at) = memmem::find(&bytes, text.as_bytes()) else {
        return Ok(());
    };
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
    fails(format!(
        "{} contains \"{}\" in line {line}",
        short(path, 200),
        short(text, 200)
    ))
}

pub(super) fn matches(files: &dyn Files, path: &str, pattern: &str) -> Checked {
    let built = RegexBuilder::new(pattern)
        .multi_line(true)
        .size_limit(PATTERN_PROGRAM_BYTES_MAX)
        .dfa_size_limit(PATTERN_CACHE_BYTES_MAX)
        .build();
    let regex = match built {
        Ok(regex) => regex,
        Err(fault) => {
            return fails(format!(
                "/{}/ is not a usable pattern: {}",
                short(pattern, 200),
                shown(&fault, 500)
            ));
        }
    };
    let bytes = content(files, path, MATCHED_BYTES_MAX)?;
    if regex.is_match(&bytes) {
        return Ok(());
    }
    fails(format!(
        "nothing in {} ({} bytes) matches /{}/",
        short(path, 200),
        bytes.len(),
        short(pattern, 200)
    ))
}
