//! The order that a request says, as edges between its parts.

use super::Part;
use super::token::Token;

/// Of two parts one is said to come before the other.
///
/// An edge that would close a circle is left out: what was said first counts.
pub(super) fn add(parts: &mut [Part], before: usize, then: usize) {
    if before == then || reaches(parts, before, then) {
        return;
    }
    let after = &mut parts[then].after;
    if let Err(at) = after.binary_search(&before) {
        after.insert(at, before);
    }
}

/// Whether `from` already comes after `to`.
pub(super) fn reaches(parts: &[Part], from: usize, to: usize) -> bool {
    let mut seen = vec![false; parts.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(&parts[at].after);
        }
    }
    false
}

/// What stands for parts that were said before.
const SAID: &[&str] = &["all", "both", "everything", "these", "they", "those", "two"];

/// Words that say of them that they are done.
const DONE: &[&str] = &[
    "are",
    "been",
    "complete",
    "completed",
    "done",
    "finished",
    "have",
    "in",
    "is",
    "merged",
    "of",
    "place",
    "ready",
    "that",
    "the",
    "them",
];

/// Whether words up to a mark say no more than that what was said is done: `both are finished`.
pub(super) fn is_done(tokens: &[Token]) -> bool {
    let mut clause = tokens.iter().take_while(|it| it.is_word()).peekable();
    let begins = clause
        .peek()
        .is_some_and(|it| it.is_any(SAID) || it.is("the"));
    let is_said = tokens.iter().take(2).any(|it| it.is_any(SAID));
    begins && is_said && clause.all(|it| it.is_any(SAID) || it.is_any(DONE))
}

/// The parts before one that are meant by such words: of both, the two nearest.
pub(super) fn all_before(tokens: &[Token], part: usize) -> std::ops::Range<usize> {
    match tokens.iter().any(|it| it.is_any(&["both", "two"])) {
        true => part.saturating_sub(2)..part,
        false => 0..part,
    }
}

/// Words that say nothing of what is meant.
const EMPTY: &[&str] = &[
    "and", "are", "been", "code", "done", "from", "green", "have", "into", "merged", "pass",
    "passes", "ready", "that", "their", "them", "there", "these", "they", "this", "those", "with",
    "work", "works",
];

/// The stem of a word, roughly: enough to know `migrating` and `migration` as one.
fn stem(word: &str) -> &str {
    let end = word.char_indices().nth(6).map_or(word.len(), |(at, _)| at);
    word[..end].trim_end_matches('s')
}

/// The part that these words speak of: the one that shares most of them, the earlier of equals.
pub(super) fn meant(parts: &[Part], words: &[&str], but: usize) -> Option<usize> {
    let says: Vec<&str> = words
        .iter()
        .filter(|word| word.chars().count() > 3 && !EMPTY.contains(word))
        .map(|word| stem(word))
        .collect();
    let shared = |part: &Part| {
        let text = part.text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        let mut own: Vec<&str> = words.map(stem).collect();
        own.sort_unstable();
        own.dedup();
        says.iter().filter(|word| own.contains(*word)).count()
    };
    let scored = parts
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != but)
        .map(|(at, part)| (shared(part), at));
    let best = scored.max_by_key(|(shared, at)| (*shared, usize::MAX - at))?;
    (best.0 > 0).then_some(best.1)
}
