//! Steps that only run the project's tests: `then run the tests, then commit`. Nothing is changed by that,
//! so it is no task of its own, which nobody could fulfill: it is a criterion of what stands before it.

use super::Facts;
use super::steps::{Kind, Step};
use crate::request::Part;

/// What is done to tests that are there.
const RUNNING: &[&str] = &[
    "check", "ensure", "execute", "make", "rerun", "run", "verify",
];

/// What is run.
const TESTS: &[&str] = &["suite", "test", "tests"];

/// Words that say no more of it.
const SMALL: &[&str] = &[
    "afterwards",
    "again",
    "all",
    "and",
    "are",
    "cargo",
    "check",
    "commit",
    "entire",
    "everything",
    "existing",
    "finally",
    "full",
    "green",
    "if",
    "is",
    "it",
    "make",
    "npm",
    "once",
    "our",
    "pass",
    "passes",
    "project",
    "pytest",
    "s",
    "see",
    "still",
    "sure",
    "that",
    "the",
    "them",
    "then",
    "they",
    "to",
    "unit",
    "whether",
    "whole",
    "your",
];

/// Whether a part says to run the tests, and nothing else.
pub(super) fn is_run(part: &Part) -> bool {
    let text = part.text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty());
    let mut first = words.clone();
    let (first, second) = (first.next().unwrap_or_default(), first.next());
    // Who makes the tests pass has something to change.
    let runs = RUNNING.contains(&first) && (first != "make" || second == Some("sure"));
    let has_tests = words.clone().any(|it| TESTS.contains(&it));
    let known = [RUNNING, TESTS, SMALL];
    runs && has_tests
        && part.files.is_empty()
        && words.all(|it| known.iter().any(|known| known.contains(&it)))
}

/// The steps without those, each of which is given to the nearest one before it that changes something.
/// `None` where one has none before it, or where nobody knows how the tests are run: then one task does
/// all of it.
pub(super) fn folded<'r>(steps: Vec<Step<'r>>, facts: &Facts<'_>) -> Option<Vec<Step<'r>>> {
    let mut kept: Vec<Step<'r>> = Vec::with_capacity(steps.len());
    let is_alone = steps.len() == 1;
    for step in steps {
        if is_alone || !is_run(step.of) {
            kept.push(step);
            continue;
        }
        facts.tests?;
        let changes =
            |it: &&mut Step<'_>| matches!(it.kind, Kind::Change | Kind::Test | Kind::Document);
        let before = kept.iter_mut().rev().find(changes)?;
        before.runs.push(step.part);
    }
    Some(kept)
}
