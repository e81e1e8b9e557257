//! Sentences that tell of work or files that they are not wanted: `tests are not needed`, `docs: no`,
//! `the README must stay untouched`.

use super::super::token::{Kind, Token};
use super::super::verbs::{Form, verb};
use super::{Excluded, names_something, segment_end};

const WANTED: &[&str] = &[
    "called",
    "desired",
    "expected",
    "necessary",
    "needed",
    "required",
    "requested",
    "wanted",
];

const NOT_WANTED: &[&str] = &[
    "needless",
    "off-limits",
    "out-of-scope",
    "superfluous",
    "unnecessary",
    "unneeded",
    "unwanted",
];

/// How something stays as it is.
const WHOLLY: &[&str] = &[
    "completely",
    "entirely",
    "exactly",
    "fully",
    "just",
    "precisely",
];

/// Before a subject, these say that the sentence tells of something else.
const RELATIVE: &[&str] = &["if", "that", "when", "where", "which", "who", "whose"];

/// The most words between `not` and what something is not.
const BETWEEN_MAX: usize = 2;

/// The exclusion whose predicate begins at this token; it looks back no further than `floor`.
pub(super) fn unwanted(tokens: &[Token], at: usize, floor: usize) -> Option<Excluded> {
    if let Some(to) = predicate(tokens, at) {
        let from = subject(tokens, at, floor).filter(|&from| names_something(&tokens[from..at]))?;
        return Some(Excluded::new(from, segment_end(tokens, to)));
    }
    let ends = tokens.get(at + 1).is_none_or(|next| !next.is_word());
    if !ends || !tokens[at].is_any(STAYS) {
        return None;
    }
    // `The existing signatures stay`; of tests and files more is known than that.
    let from = subject(tokens, at, floor)?;
    let said = &tokens[from..at];
    let is_there = said
        .iter()
        .any(|it| it.is_any(&["current", "existing", "present"]));
    (is_there && !names_something(said)).then(|| Excluded::new(from, at + 1))
}

/// Said of something that is there, these say that it is not to be touched.
const STAYS: &[&str] = &["remain", "remains", "stay", "stays"];

/// Where the words end that say so.
fn predicate(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |n: usize, words: &[&str]| tokens.get(n).is_some_and(|it| it.is_any(words));
    if is(at, &["not", "isn't", "aren't", "isnt", "arent"]) {
        let mut near = (at + 1..).take(BETWEEN_MAX + 1);
        return near.find(|&n| is(n, WANTED)).map(|n| n + 1);
    }
    if is(at, NOT_WANTED) {
        return Some(at + 1);
    }
    if is(at, &["out"]) && is(at + 1, &["of"]) && is(at + 2, &["scope"]) {
        return Some(at + 3);
    }
    let stays = ["stay", "stays", "remain", "remains", "left", "kept"];
    let untouched = ["alone", "as-is", "unchanged", "untouched"];
    let how = at + 1 + usize::from(is(at + 1, WHOLLY));
    if is(at, &stays) && is(how, &untouched) {
        return Some(how + 1);
    }
    let is_same = is(how, &["as"]) && is(how + 1, &["it", "they"]) && is(how + 2, &["is", "are"]);
    if is(at, &stays) && is_same {
        return Some(how + 3);
    }
    let can = is(at, &["can", "may"]) && is(at + 1, &["wait"]);
    if can {
        return Some(at + 2);
    }
    // `Docs: no`
    let ends = tokens.get(at + 1).is_none_or(|next| !next.is_word());
    let follows = at > 0 && tokens[at - 1].is_mark(':');
    (is(at, &["no", "none"]) && ends && follows).then_some(at + 1)
}

/// Where the subject begins.
fn subject(tokens: &[Token], at: usize, floor: usize) -> Option<usize> {
    let is_colon = at > floor && tokens[at - 1].is_mark(':');
    let end = at - usize::from(is_colon);
    let mut from = end;
    let ends = ["because", "but", "since", "so", "then", "while", "with"];
    while from > floor && tokens[from - 1].is_word() && !tokens[from - 1].is_any(&ends) {
        if tokens[from - 1].is_any(RELATIVE) {
            return None;
        }
        from -= 1;
    }
    let begins_with_verb = |from: usize| {
        from < end
            && tokens.get(from).is_some_and(|it| {
                let is_verb = verb(&it.lower).is_some_and(|(.., form)| form == Form::Base);
                let is_alone = !tokens[from + 1..end].iter().any(Token::is_word)
                    || tokens[from + 1].is_any(&["are", "is", "and", "or"]);
                it.kind == Kind::Word && is_verb && !is_alone
            })
    };
    // `Add search and docs are not needed`: the subject stands behind what is asked for.
    while begins_with_verb(from) || tokens[from..end].first().is_some_and(|it| it.is("and")) {
        let and = tokens[from..end].iter().position(|it| it.is("and"))?;
        from += and + 1;
    }
    // Of a list, the first ones too: `docs, tests and examples`.
    while from > floor + 1 && tokens[from - 1].is_mark(',') {
        let before = from - 1;
        let words = tokens[floor..before].iter().rev();
        let count = words.take_while(|it| it.is_word()).count();
        let begin = before - count;
        let is_item = count > 0 && count <= 2 && names_something(&tokens[begin..before]);
        if !is_item || begins_with_verb(begin) {
            break;
        }
        from = begin;
    }
    (from < end).then_some(from)
}
