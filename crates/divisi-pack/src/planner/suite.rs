//! After which steps the project's own tests need not pass yet.
//!
//! They judge what is changed, unless a later step of the same request changes what they need: it
//! adjusts the tests that an earlier one breaks, mends what uses what was moved, or makes that of
//! which the tests were written first. Between the two the tests must fail; they are a criterion of
//! the later step, and of the whole.

use std::collections::BTreeSet;

use super::order::{Order, reaches};
use super::steps::{Kind, Step};
use crate::lint::words;
use crate::request::{Aim, Change};

/// Words for what uses a thing: who changes that after the thing mends what the thing's change broke.
const USES: &[&str] = &[
    "call site",
    "call sites",
    "caller",
    "callers",
    "callsites",
    "consumers",
    "dependents",
    "import",
    "importers",
    "imports",
    "reference",
    "references",
    "usage",
    "usages",
    "users of",
    "uses",
];

/// Words for what fails where that is to be fixed.
const BROKEN: &[&str] = &[
    "breakage", "breaks", "broke", "broken", "build", "compile", "compiles", "fallout",
];

/// Words with which a step is to have the tests pass.
const PASSING: &[&str] = &["green", "pass", "passes", "passing"];

/// Words of tests, and of how they follow, that say nothing of what they are of.
const OF_TESTS: &str = "accordingly again assertions case cases code correct existing expectations \
    expected failing fixtures green integration match old pass passing regression snapshot \
    snapshots spec specs src suite test tests unit";

/// Verbs of a change after which everything does what it did.
const KEEPING: &[&str] = &[
    "clean", "execute", "format", "optimize", "polish", "run", "speed",
];

/// Pairs of steps: after the first one the tests may fail, until the second one is done.
pub(super) fn pairs(steps: &[Step<'_>], order: &Order) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (first, step) in steps.iter().enumerate() {
        let breaks = matches!(step.kind, Kind::Change | Kind::Test);
        for (second, later) in steps.iter().enumerate().filter(|_| breaks) {
            if later.part != step.part
                && reaches(order, second, first)
                && mends(step, later)
                && (is_said_after(steps, second, first)
                    || is_related(step, later)
                    || is_of_users(step, later))
            {
                pairs.push((first, second));
            }
        }
    }
    pairs
}

/// For each step the last one until which the tests may fail.
pub(super) fn red(steps: &[Step<'_>], order: &Order) -> Vec<Option<usize>> {
    let pairs = pairs(steps, order);
    let until = |at: usize| {
        let sees = |(breaks, mends): &&(usize, usize)| {
            (at == *breaks || reaches(order, at, *breaks)) && reaches(order, *mends, at)
        };
        let mends = pairs.iter().filter(sees).map(|(_, mends)| *mends);
        mends.reduce(|one, other| match reaches(order, other, one) {
            true => other,
            false => one,
        })
    };
    (0..steps.len()).map(until).collect()
}

/// Whether the later step changes what the tests need after the earlier one.
fn mends(step: &Step<'_>, later: &Step<'_>) -> bool {
    let change = later.of.verb.as_ref().map(|it| it.change);
    let keeps = later
        .of
        .verb
        .as_ref()
        .is_some_and(|it| KEEPING.contains(&it.word));
    let alters = change.is_some_and(|it| it.aim() == Aim::Alteration && it != Change::Add);
    let says = |said: &[&str]| is_said(&later.of.text, said);
    match (step.kind, later.kind) {
        // Tests that were written first pass when that is made of which they are.
        (Kind::Test, Kind::Change) => {
            let makes = |it| matches!(it, Change::Add | Change::Fix | Change::Update);
            !keeps && change.is_none_or(makes)
        }
        // Tests that are there are adjusted to what is another now.
        (Kind::Change, Kind::Test) => alters && !keeps || says(PASSING),
        (Kind::Change, Kind::Change) => {
            alters && !keeps && change != Some(Change::Remove) && says(USES)
                || change == Some(Change::Fix) && says(BROKEN)
                || says(PASSING) && says(&["suite", "test", "tests"])
        }
        _ => false,
    }
}

/// Whether a text has one of these words, or of these phrases.
fn is_said(text: &str, said: &[&str]) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = { text.split(|c: char| !c.is_alphanumeric()) }
        .filter(|word| !word.is_empty())
        .collect();
    let text = format!(" {} ", words.join(" "));
    said.iter().any(|it| text.contains(&format!(" {it} ")))
}

/// Whether the request itself puts the one after the other.
fn is_said_after(steps: &[Step<'_>], second: usize, first: usize) -> bool {
    let mut met = BTreeSet::new();
    let mut open = vec![steps[second].part];
    while let Some(part) = open.pop() {
        if part == steps[first].part {
            return true;
        }
        if met.insert(part) {
            let of = steps.iter().filter(|step| step.part == part);
            open.extend(of.flat_map(|step| step.of.after.iter().copied()));
        }
    }
    false
}

/// Whether the later one is of what uses a thing, and the earlier one takes a thing away from there.
fn is_of_users(step: &Step<'_>, later: &Step<'_>) -> bool {
    let change = step.of.verb.as_ref().map(|it| it.change);
    let takes = |it| matches!(it, Change::Move | Change::Remove | Change::Rename);
    change.is_some_and(takes) && is_said(&later.of.text, USES)
}

/// Whether both are of one thing: one of them names none of its own, or both name the same.
fn is_related(step: &Step<'_>, later: &Step<'_>) -> bool {
    let own = |step: &Step<'_>| {
        let mut own = words(&step.of.text);
        let verb = step.of.verb.as_ref().map_or("", |it| it.word);
        for word in words(OF_TESTS).into_iter().chain(words(verb)) {
            own.remove(&word);
        }
        own
    };
    let (mut later, step) = (own(later), own(step));
    for word in words(&[USES, BROKEN].concat().join(" ")) {
        later.remove(&word);
    }
    later.is_empty() || step.is_empty() || !later.is_disjoint(&step)
}
