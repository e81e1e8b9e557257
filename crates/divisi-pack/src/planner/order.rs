//! Which steps wait for which: what the request says, then what follows from the kinds of work.

use super::steps::{Kind, Step};
use super::{Reason, suite};
use crate::lint::may_meet;
use crate::request::{Aim, Request, Shape};

/// For each step the steps that it waits for, by their index.
pub(super) type Order = Vec<Vec<usize>>;

/// The order of steps.
pub(super) fn of(request: &Request, steps: &[Step<'_>]) -> Result<Order, Vec<Reason>> {
    let mut order: Order = vec![Vec::new(); steps.len()];
    said(steps, &mut order);
    referring(steps, &mut order);
    looking(request, steps, &mut order);
    if (0..steps.len()).any(|step| reaches(&order, step, step)) {
        return Err(vec![Reason::Circle]);
    }
    numbered(steps, &mut order);
    if request.parts.len() > 1 {
        by_kind(steps, &mut order);
    }
    side_by_side(steps, &mut order);
    when_green(steps, &mut order);
    Ok(reduced(&order))
}

/// What the request says.
fn said(steps: &[Step<'_>], order: &mut Order) {
    for (at, step) in steps.iter().enumerate() {
        for (on, other) in steps.iter().enumerate() {
            let mut parts = other.runs.iter().chain([&other.part]);
            if other.part != step.part && parts.any(|part| step.of.after.contains(part)) {
                order[at].push(on);
            }
        }
    }
}

/// What takes up what was found comes after the finding: `review it and fix what you find`.
fn referring(steps: &[Step<'_>], order: &mut Order) {
    let refers = |step: &Step<'_>| {
        let text = step.of.text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| REFERRING.contains(&word))
    };
    for at in 0..steps.len() {
        if !matches!(steps[at].kind, Kind::Change | Kind::Test) || !refers(&steps[at]) {
            continue;
        }
        let mut before = (0..at).rev();
        let found = before.find(|&on| matches!(steps[on].kind, Kind::Review | Kind::Research));
        if let Some(on) = found {
            wait(order, at, on);
        }
    }
}

/// Words that take up what somebody found out.
const REFERRING: &[&str] = &[
    "accordingly",
    "comments",
    "find",
    "finding",
    "findings",
    "found",
    "issues",
    "it",
    "problems",
    "result",
    "results",
    "them",
    "these",
    "those",
    "whatever",
];

/// A look that has a verb of its own keeps its place before what the same sentence or list goes on to
/// change: `audit the licenses, replace the bad ones`. `With an audit` says no place.
fn looking(request: &Request, steps: &[Step<'_>], order: &mut Order) {
    let looks = |step: &Step<'_>| {
        let own = { step.of.verb.as_ref() }.filter(|verb| step.of.span.holds(verb.span));
        own.is_some_and(|verb| {
            let measures = verb.word == "benchmark";
            measures || matches!(verb.change.aim(), Aim::Judgment | Aim::Finding)
        })
    };
    let sentence = |step: &Step<'_>| {
        let mut sentences = request.sentences.iter();
        sentences.position(|it| it.holds(step.of.span))
    };
    let sentences: Vec<Option<usize>> = steps.iter().map(sentence).collect();
    let is_item = |step: &Step<'_>| step.of.shape == Shape::Item;
    for at in 0..steps.len() {
        if !matches!(steps[at].kind, Kind::Change | Kind::Test) {
            continue;
        }
        let goes_on = |on: &usize| {
            let both_items = is_item(&steps[*on]) && is_item(&steps[at]);
            let both_beside = steps[*on].of.is_beside && steps[at].of.is_beside;
            let is_near = both_items || sentences[*on] == sentences[at];
            looks(&steps[*on]) && is_near && !both_beside
        };
        if let Some(on) = (0..at).rev().find(goes_on) {
            wait(order, at, on);
        }
    }
}

/// Items with numbers follow each other, those that are said to go side by side aside.
fn numbered(steps: &[Step<'_>], order: &mut Order) {
    let listed: Vec<usize> = (0..steps.len())
        .filter(|&at| steps[at].of.shape == Shape::Numbered)
        .collect();
    for (place, &at) in listed.iter().enumerate() {
        let before = listed[..place].iter().rev();
        let mut before = before.skip_while(|&&on| {
            steps[on].part == steps[at].part || (steps[on].of.is_beside && steps[at].of.is_beside)
        });
        let Some(&first) = before.next() else {
            continue;
        };
        let part = steps[first].part;
        for &on in listed[..place].iter().filter(|&&on| steps[on].part == part) {
            wait(order, at, on);
        }
    }
}

/// Where nothing else is said, a step waits for the nearest kind of work that comes before its own.
fn by_kind(steps: &[Step<'_>], order: &mut Order) {
    for at in 0..steps.len() {
        let step = &steps[at];
        let is_told_apart = matches!(step.of.shape, Shape::Step | Shape::Numbered);
        if is_told_apart {
            continue;
        }
        let before = |on: &usize| {
            let other = &steps[*on];
            let both_beside = step.of.is_beside && other.of.is_beside;
            other.kind < step.kind && !both_beside && !reaches(order, *on, at)
        };
        let before: Vec<usize> = (0..steps.len()).filter(before).collect();
        let Some(nearest) = before.iter().map(|&on| steps[on].kind).max() else {
            continue;
        };
        // What follows on one of those stands between.
        let is_nearest = |on: &usize| steps[*on].kind == nearest;
        let nearest: Vec<usize> = before.iter().copied().filter(is_nearest).collect();
        let follows = |on: usize| nearest.iter().any(|&first| reaches(order, on, first));
        let between: Vec<usize> = before.iter().copied().filter(|&on| follows(on)).collect();
        for on in nearest.iter().chain(&between) {
            wait(order, at, *on);
        }
    }
}

/// Steps of one kind that may change the same files follow each other as they are told.
fn side_by_side(steps: &[Step<'_>], order: &mut Order) {
    for at in 0..steps.len() {
        // The nearest first: waiting for it may be waiting for the others.
        for on in (0..at).rev() {
            let (step, other) = (&steps[at], &steps[on]);
            let same = step.kind == other.kind && step.part != other.part;
            let both_beside = step.of.is_beside && other.of.is_beside;
            if same && changes(step.kind) && !both_beside && may_touch(step, other) {
                wait(order, at, on);
            }
        }
    }
}

/// What the project's tests judge waits for them to pass again, unless it comes before they may fail.
fn when_green(steps: &[Step<'_>], order: &mut Order) {
    for (breaks, mends) in suite::pairs(steps, order) {
        for (at, step) in steps.iter().enumerate() {
            let is_judged = matches!(step.kind, Kind::Change | Kind::Test);
            let is_apart = at != breaks && !reaches(order, breaks, at) && !step.of.is_beside;
            if is_judged && is_apart {
                wait(order, at, mends);
            }
        }
    }
}

fn changes(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Change | Kind::Test | Kind::Document | Kind::Deploy
    )
}

/// Whether two steps may change one file. Of what names no file nobody knows.
fn may_touch(one: &Step<'_>, other: &Step<'_>) -> bool {
    let mut files = one.files.iter();
    one.files.is_empty()
        || other.files.is_empty()
        || files.any(|file| other.files.iter().any(|it| may_meet(file, it)))
}

/// Adds that `at` waits for `on`, unless it does, or `on` waits for `at`.
fn wait(order: &mut Order, at: usize, on: usize) {
    if at != on && !reaches(order, at, on) && !reaches(order, on, at) {
        order[at].push(on);
    }
}

/// Whether `from` waits for `to`, through others, too.
pub(super) fn reaches(order: &Order, from: usize, to: usize) -> bool {
    let mut met = vec![false; order.len()];
    let mut open = order[from].clone();
    while let Some(step) = open.pop() {
        if step == to {
            return true;
        }
        if !std::mem::replace(&mut met[step], true) {
            open.extend(&order[step]);
        }
    }
    false
}

/// The same order without what follows from the rest.
fn reduced(order: &Order) -> Order {
    let needed = |at: usize, on: usize| {
        let mut others = order[at].iter().filter(|other| **other != on);
        !others.any(|&other| reaches(order, other, on))
    };
    (0..order.len())
        .map(|at| {
            let mut waits: Vec<usize> = order[at].clone();
            waits.retain(|&on| needed(at, on));
            waits.sort_unstable();
            waits.dedup();
            waits
        })
        .collect()
}
