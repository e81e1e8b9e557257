//! Literal text and patterns in files: `contains`, `lacks`, `matches`. Files are bytes here; they
//! need not be UTF-8.

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchError};

use super::evaluate::{Checked, content, fails};
use super::evidence::{short, shown};
use crate::files::Files;

/// Files searched for literal text: what fits into the engine's memory beside everything else.
pub const SEARCHED_BYTES_MAX: u64 = 16 << 20;

/// Files searched with a pattern.
pub const MATCHED_BYTES_MAX: u64 = 4 << 20;

/// A pattern may compile to so many bytes: enough for Unicode classes a few times over, too little
/// for nested repetitions.
pub const PATTERN_PROGRAM_BYTES_MAX: usize = 1 << 20;

/// Files searched with a pattern that the fast engine gave up on. The slow one takes up to the
/// pattern's states for each byte.
pub const HARD_BYTES_MAX: usize = 32 << 10;

/// Cache of the lazy automaton.
const CACHE_BYTES_MAX: usize = 1 << 20;

/// So often the cache may overflow before a search that gains nothing from it is given up.
const CACHE_CLEARS: usize = 3;

/// A cached state is worth its making if it serves so many bytes.
const BYTES_PER_STATE: usize = 10;

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
        .dfa_size_limit(CACHE_BYTES_MAX)
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
    let (path, size) = (short(path, 200), bytes.len());
    match search(&regex, &bytes) {
        Found::Match => Ok(()),
        Found::Nothing => fails(format!(
            "nothing in {path} ({size} bytes) matches /{}/",
            short(pattern, 200)
        )),
        Found::TooHard => fails(format!(
            "/{}/ takes too long on {path} ({size} bytes); such a pattern is tried on at most \
             {HARD_BYTES_MAX}",
            short(pattern, 200)
        )),
    }
}

/// What a bounded search came to.
#[must_use]
enum Found {
    Match,
    Nothing,
    TooHard,
}

/// Searches with the lazy automaton, whose time is linear in the bytes alone because it gives up
/// where it would not be. Small files are then searched all the same.
fn search(regex: &Regex, bytes: &[u8]) -> Found {
    match lazily(regex.as_str(), bytes) {
        Some(Ok(true)) => Found::Match,
        Some(Ok(false)) => Found::Nothing,
        None | Some(Err(_)) if bytes.len() > HARD_BYTES_MAX => Found::TooHard,
        None | Some(Err(_)) if regex.is_match(bytes) => Found::Match,
        None | Some(Err(_)) => Found::Nothing,
    }
}

/// `None` where the automaton cannot be built for this pattern; an error where it gave up.
fn lazily(pattern: &str, bytes: &[u8]) -> Option<Result<bool, MatchError>> {
    let config = DFA::config()
        .cache_capacity(CACHE_BYTES_MAX)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(CACHE_CLEARS))
        .minimum_bytes_per_state(Some(BYTES_PER_STATE))
        .unicode_word_boundary(true);
    let dfa = DFA::builder()
        .configure(config)
        .syntax(syntax::Config::new().multi_line(true).utf8(false))
        .thompson(thompson::Config::new().nfa_size_limit(Some(PATTERN_PROGRAM_BYTES_MAX)))
        .build(pattern)
        .ok()?;
    let mut cache = dfa.create_cache();
    let found = dfa.try_search_fwd(&mut cache, &Input::new(bytes).earliest(true));
    Some(found.map(|found| found.is_some()))
}
