//! Patterns over paths: `count` and `each` over what is there, `scope` and `changed` over what was
//! changed. A `*` never crosses a `/`; `**` does.

use divisi_core::criterion::of_scope;
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
        Some(0) => "none is expected".to_owned(),
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

pub(super) fn changed(files: &dyn Files, pattern: &str) -> Checked {
    let glob = glob(pattern)?;
    let changed = files.changed().map_err(|source| cannot("", source))?;
    let Some(changed) = changed else {
        return Err(Stop::Unverified(NO_BASE.to_owned()));
    };
    if changed.iter().any(|path| glob.is_match(path)) {
        return Ok(());
    }
    let instead = match changed.is_empty() {
        true => "nothing was".to_owned(),
        false => format!("changed was {}", names(changed.iter().map(String::as_str))),
    };
    let pattern = short(pattern, 200);
    fails(format!(
        "no file that matches {pattern} was changed; {instead}"
    ))
}

/// Why nobody can tell what was changed.
const NO_BASE: &str = "what there was before is not known, so nobody can tell what was changed";

pub(super) fn scope(files: &dyn Files, patterns: &[String]) -> Checked {
    let (within, spared) = of_scope(patterns);
    let globs = |patterns: &[&str]| -> Result<Vec<GlobMatcher>, Stop> {
        patterns.iter().map(|pattern| glob(pattern)).collect()
    };
    let (open, shut) = (globs(&within)?, globs(&spared)?);
    let is_any = |globs: &[GlobMatcher], path: &str| globs.iter().any(|glob| glob.is_match(path));
    let changed = files.changed().map_err(|source| cannot("", source))?;
    // Where it is not known what there was before, nothing is held against who changed it.
    let changed = changed.unwrap_or_default();
    let changed = || changed.iter().map(String::as_str);
    let touched: Vec<&str> = changed().filter(|path| is_any(&shut, path)).collect();
    let is_outside = |path: &&str| !within.is_empty() && !is_any(&open, path);
    let outside: Vec<&str> = changed().filter(is_outside).collect();
    let told = |what: &str, of: Vec<&str>, found: Vec<&str>| {
        (!found.is_empty()).then(|| {
            let (of, found) = (names(of.into_iter()), names(found.into_iter()));
            format!("changed {what} ({of}): {found}")
        })
    };
    let faults = [
        told("outside the scope", within, outside),
        told("what must stay as it is", spared, touched),
    ];
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    match faults.is_empty() {
        true => Ok(()),
        false => fails(faults.join("; ")),
    }
}
