//! What speaks for one task.

use super::super::signals::code_name;
use super::Case;
use super::plan::{coordination, is_outside, long_work, many_files, ms, said};
use crate::request::{Amount, Change, Unit};

pub(super) fn one_place(case: &Case<'_>) -> Option<Vec<String>> {
    let few = case
        .facts
        .files_named
        .is_some_and(|files| files <= case.sizes.files_max);
    let is_place = |quantity: &&crate::request::Quantity| quantity.unit == Unit::Place;
    let place = case.request.quantities.iter().find(is_place);
    if !few && place.is_none() || many_files(case).is_some() {
        return None;
    }
    let files = case.request.files.iter().map(|file| file.text.clone());
    let place = place.map(|place| case.request.text[place.span.start..place.span.end].to_owned());
    Some(files.chain(place).collect())
}

/// Words between the beginning of a clause and a figure that is of the request itself.
const OF_IT: &[&str] = &[
    "a",
    "about",
    "all",
    "and",
    "approximately",
    "around",
    "at",
    "be",
    "change",
    "effort",
    "estimate",
    "estimated",
    "expected",
    "in",
    "is",
    "it",
    "just",
    "less",
    "maybe",
    "most",
    "no",
    "not",
    "of",
    "only",
    "perhaps",
    "roughly",
    "should",
    "so",
    "some",
    "take",
    "takes",
    "than",
    "that",
    "the",
    "this",
    "to",
    "under",
    "up",
    "whole",
    "will",
    "work",
];

/// Whether a figure is of the request, as in `it takes 10 minutes` or `…, about 50 lines`, and not of
/// something that it speaks of, as in `the build takes 10 minutes`.
fn is_of_it(case: &Case<'_>, unit: Unit, amount: u64) -> bool {
    let mut quantities = case.request.quantities.iter();
    quantities.any(|it| {
        let before = case.request.text.get(..it.span.start).unwrap_or_default();
        let clause = before.rsplit([',', ';', '.', ':', '(', '\n']).next();
        let mut words = clause.unwrap_or_default().split_whitespace();
        it.unit == unit
            && it.amount == Amount::Exact(amount)
            && words.all(|word| OF_IT.contains(&word.to_lowercase().as_str()))
    })
}

/// What the request says of its size, unless it says files, minutes or tokens of a large one too:
/// where those figures and these disagree, those decide.
pub(super) fn too_small(case: &Case<'_>) -> Option<Vec<String>> {
    let facts = case.facts;
    let minutes = { facts.minutes_stated }
        .filter(|it| ms(*it) < case.sizes.split_ms_min && is_of_it(case, Unit::Minutes, *it));
    let lines = { facts.lines_stated }
        .filter(|it| *it < case.sizes.split_lines_min && is_of_it(case, Unit::Lines, *it));
    let minutes = minutes.map(|minutes| format!("{minutes} minutes"));
    let lines = lines.map(|lines| format!("{lines} lines"));
    let because: Vec<String> = minutes.into_iter().chain(lines).collect();
    let is_small = !because.is_empty() && long_work(case).is_none() && many_files(case).is_none();
    is_small.then_some(because)
}

/// What the request says of its length, where that is no more than a simple one's.
pub(super) fn short_work(case: &Case<'_>) -> Option<Vec<String>> {
    let facts = case.facts;
    let minutes = { facts.minutes_stated }.filter(|it| is_of_it(case, Unit::Minutes, *it));
    let tokens = { facts.tokens_stated }.filter(|it| is_of_it(case, Unit::Tokens, *it));
    let minutes = minutes.map(|minutes| format!("{minutes} minutes"));
    let tokens = tokens.map(|tokens| format!("{tokens} tokens"));
    let because: Vec<String> = minutes.into_iter().chain(tokens).collect();
    // What is smaller still has a rule that says more.
    let is_short = !because.is_empty() && long_work(case).is_none() && too_small(case).is_none();
    is_short.then_some(because)
}

pub(super) fn one_look(case: &Case<'_>) -> Option<Vec<String>> {
    let [part] = case.request.parts.as_slice() else {
        return None;
    };
    let verb = part.verb.as_ref()?;
    let looks = matches!(
        verb.change,
        Change::Review | Change::List | Change::Research
    );
    let looks = looks && coordination(case).is_none();
    looks.then(|| vec![verb.word.to_owned(), part.domain.word().to_owned()])
}

const TRIFLES: &[&str] = &[
    "badge",
    "broken link",
    "capitalization",
    "code comment",
    "copyright year",
    "dead link",
    "grammar",
    "indentation",
    "spelling",
    "trailing whitespace",
    "typo",
    "typos",
    "unused import",
    "unused imports",
    "unused variable",
    "version number",
    "whitespace",
    "wording",
];

pub(super) fn small_matter(case: &Case<'_>) -> Option<Vec<String>> {
    said(case.lower, TRIFLES).filter(|_| case.facts.parts < 3)
}

pub(super) fn one_domain(case: &Case<'_>) -> Option<Vec<String>> {
    let facts = case.facts;
    let is_one = facts.domains.len() == 1 && facts.parts < 3 && !facts.is_sequence;
    is_one.then(|| vec![facts.domains[0].word().to_owned()])
}

/// What says of no other system, team or vendor that it needs it.
pub(super) fn self_contained(case: &Case<'_>) -> Option<Vec<String>> {
    let is_within = one_domain(case).is_some() && is_outside(case).is_none();
    is_within.then(|| vec!["nothing outside is named".to_owned()])
}

/// One thing to do, with something that is named: a file, a name of the code, a quotation.
pub(super) fn clear_instruction(case: &Case<'_>) -> Option<Vec<String>> {
    let [part] = case.request.parts.as_slice() else {
        return None;
    };
    let verb = part.verb.as_ref()?;
    let file = part.files.first().map(|file| file.text.as_str());
    let named = file.or_else(|| code_name(&part.text));
    let named = named.or_else(|| quotation(&part.text))?;
    Some(vec![verb.word.to_owned(), named.to_owned()])
}

fn quotation(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(['"', '“'])?;
    // What ends a part is cut off it, a mark of quotation too.
    let quoted = rest
        .split_once(['"', '”'])
        .map_or(rest, |(quoted, _)| quoted);
    (!quoted.trim().is_empty()).then_some(quoted)
}
