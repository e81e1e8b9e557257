//! Patterns over paths: `count` and `each` over what is there, `scope` over what was changed. A `*`
//! never crosses a `/`; `**` does.

use globset::{GlobBuilder, GlobMatcher};

use super::evaluate::{Checked, Stop, cannot, fails};
use super::evidence::{names, short, shown};
use crate::files::Files;

/// Longer patterns are refused before they are compiled.
pub const GLOB_BYTES_MAX: usize = 1_024;

fn glob(pattern: &str) -> Result<GlobMatcher, Stop> {
    let shown_pattern = short(pattern, 200);
    if pattern.len() > GLOB_BYTES_MAX {
        return fails(format!(
            "the pattern {shown_pattern} has {} bytes, at most {GLOB_BYTES_MAX} are expected",
            pattern.len()
        ));
    }
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    match GlobBuilder::new(pattern).literal_separator(true).build() {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(fault) => fails(format!(
            "{shown_pattern} is not a pattern: {}",
            shown(fault.kind(), 200)
        )),
    }
}

/// The files that match the pattern, in order.
pub(super) fn matching(files: &dyn Files, pattern: &str) -> Result<Vec<String>, Stop> {
    let glob = glob(pattern)?;
    let mut found = files.list().map_err(|source| cannot("", source))?;
    found.retain(|path| glob.is_match(path));
    Ok(found)
}

pub(super) fn count(files: &dyn Files, pattern: &str, min: u64, max: Option<u64>) -> Checked {
    let found = matching(files, pattern)?;
    let count = found.len() as u64;
    if count >= min && max.is_none_or(|max| count <= max) {
        return Ok(());
    }
    let expected = match max {
        None => format!("at least {min} are expected"),
        Some(max) if max == min => format!("exactly {min} are expected"),
        Some(max) => format!("{min} to {max} are expected"),
    };
    let listed = match found.is_empty() {
        true => String::new(),
        false => format!(" ({})", names(found.iter().map(String::as_str))),
    };
    let pattern = short(pattern, 200);
    fails(format!("{count} files match {pattern}{listed}; {expected}"))
}

pub(super) fn scope(files: &dyn Files, patterns: &[String]) -> Checked {
    let globs = patterns
        .iter()
        .map(|pattern| glob(pattern))
        .collect::<Result<Vec<GlobMatcher>, Stop>>()?;
    let changed = files.changed().map_err(|source| cannot("", source))?;
    let outside: Vec<&str> = changed
        .iter()
        .map(String::as_str)
        .filter(|path| !globs.iter().any(|glob| glob.is_match(path)))
        .collect();
    if outside.is_empty() {
        return Ok(());
    }
    fails(format!(
        "changed outside the scope ({}): {}",
        names(patterns.iter().map(String::as_str)),
        names(outside.into_iter())
    ))
}
