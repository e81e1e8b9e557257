//! Parts that are one piece of work although the text says two: a test that fails, and what mends it.
//!
//! The test alone could not be checked: the tests of whoever writes it do not pass before the other is
//! done.

use super::clauses::squeezed;
use super::roles::Standing;
use super::verbs::{Aim, Change};
use super::{Part, Request, Shape, Span};

/// Words of a test that is to fail at first.
const FAILING: &[&str] = &[
    "demonstrates",
    "exposes",
    "failing",
    "fails",
    "reproduce",
    "reproduces",
    "reproducing",
    "reproduction",
];

/// Joins them.
pub(super) fn join(request: &mut Request) {
    let mut at = 0;
    while at + 1 < request.parts.len() {
        let (first, second) = (&request.parts[at], &request.parts[at + 1]);
        let forth = is_failing_test(first) && mends(second);
        let back = is_failing_test(second) && mends(first) && first.after.contains(&(at + 1));
        let mut approvals = request.approvals.iter();
        let waits = approvals.any(|it| it.before == at + 1 && it.of == Some(at));
        match (forth || back) && !waits {
            true => merge(request, at, if forth { at + 1 } else { at }),
            false => at += 1,
        }
    }
    if request.parts.len() == 1 {
        request.order_words.clear();
    }
}

fn is_failing_test(part: &Part) -> bool {
    let writes = part
        .verb
        .as_ref()
        .is_none_or(|it| matches!(it.change, Change::Add | Change::Test));
    let is_test = part.mentions.iter().any(|it| it.role == "qa");
    let text = part.text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    writes && is_test && words.any(|word| FAILING.contains(&word))
}

/// Whether a part changes what a test may be of.
fn mends(part: &Part) -> bool {
    let verb = part.verb.as_ref();
    let alters = verb.is_some_and(|it| it.change.aim() == Aim::Alteration);
    alters && !matches!(part.role, "qa" | "tech_writer")
}

/// Makes one part of two that follow each other; the work of `chief` says whose it is.
fn merge(request: &mut Request, at: usize, chief: usize) {
    let second = request.parts.remove(at + 1);
    let first = &mut request.parts[at];
    let span = Span {
        start: first.span.start.min(second.span.start),
        end: first.span.end.max(second.span.end),
    };
    let is_prose = [first.shape, second.shape] == [Shape::Clause; 2];
    let said = request.text.get(span.start..span.end).filter(|_| is_prose);
    first.text = match said {
        Some(said) => squeezed(said),
        None => format!("{}, then {}", first.text, second.text),
    };
    first.span = span;
    let is_second = chief > at;
    let own = first.mentions.len();
    first.mentions.extend(second.mentions);
    let of_test = match is_second {
        true => 0..own,
        false => own..first.mentions.len(),
    };
    for mention in &mut first.mentions[of_test] {
        mention.standing = Standing::Aside;
    }
    first.files.extend(second.files);
    first.after.extend(second.after);
    if is_second {
        first.verb = second.verb;
        first.role = second.role;
        first.domain = second.domain;
    }
    for part in &mut request.parts {
        for on in &mut part.after {
            *on -= usize::from(*on > at);
        }
        part.after.sort_unstable();
        part.after.dedup();
    }
    request.parts[at].after.retain(|on| *on != at);
    for approval in &mut request.approvals {
        let places = [Some(&mut approval.before), approval.of.as_mut()];
        for place in places.into_iter().flatten() {
            *place -= usize::from(*place > at);
        }
    }
}
