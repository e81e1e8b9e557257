//! Beyond which files nothing may change: `only touch src/`, `nothing but a.rs may change`.

use super::super::token::{Kind, Token};
use super::{Excluded, NEGATING, fillers, segment_end};

/// What one does to files as such, whatever the change is.
const CHANGING: &[&str] = &[
    "alter",
    "change",
    "changing",
    "edit",
    "editing",
    "modify",
    "modifying",
    "touch",
    "touching",
];

/// Words after which the files stand that may change.
const SAVING: &[&str] = &["besides", "beyond", "but", "except", "outside"];

/// So far such a sentence names its files.
const REACH: usize = 12;

pub(super) fn bound(tokens: &[Token], at: usize) -> Option<Excluded> {
    let is = |n: usize, words: &[&str]| tokens.get(at + n).is_some_and(|it| it.is_any(words));
    let begins = at == 0 || !tokens[at - 1].is_word() || tokens[at - 1].is_any(LEADS);
    if !begins {
        return None;
    }
    let (named, from) = match () {
        () if is(0, &["only"]) && is(1, CHANGING) => (at + 2, at),
        () if is(0, CHANGING) && is(1, &["only"]) => (at + 2, at),
        () if is(0, &["stay", "remain"]) && is(1, &["in", "inside", "within"]) => (at + 2, at),
        () if is(0, &["confine", "limit", "restrict"])
            && is(1, &["changes", "yourself", "edits"])
            && is(2, &["to"]) =>
        {
            (at + 3, at)
        }
        () => (saved(tokens, at)?, at),
    };
    let end = segment_end(tokens, named);
    let names = tokens[named.min(end)..end]
        .iter()
        .any(|token| token.kind == Kind::Path);
    names.then_some(Excluded {
        from,
        to: files_end(tokens, end),
        is_bound: true,
    })
}

const LEADS: &[&str] = &["and", "but", "please", "so", "then", "we", "you"];

/// Where the files stand of `do not change anything but …`, `nothing outside … may change`.
fn saved(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |n: usize, words: &[&str]| tokens.get(n).is_some_and(|it| it.is_any(words));
    let negated = match () {
        () if is(at, &["nothing"]) => at + 1,
        () if is(at, NEGATING) => at + 1 + fillers(tokens, at + 1),
        () if is(at, &["do"]) && is(at + 1, &["not"]) => at + 2 + fillers(tokens, at + 2),
        () => return None,
    };
    let is_none = is(at, &["nothing"]);
    if !is_none && !is(negated, CHANGING) {
        return None;
    }
    let stretch = tokens.get(negated..).unwrap_or_default();
    let stretch = stretch.iter().take(REACH).take_while(|it| it.is_word());
    let stretch: Vec<&Token> = stretch.collect();
    let all = ["any", "anything", "files", "code"];
    let saving = stretch.iter().position(|it| it.is_any(SAVING));
    let other = || {
        let mut pairs = stretch.windows(2);
        pairs
            .position(|pair| pair[0].is("other") && pair[1].is("than"))
            .map(|at| at + 1)
    };
    let saving = saving.or_else(other)?;
    let of_all = is_none || stretch[..saving].iter().any(|it| it.is_any(&all));
    of_all.then_some(negated + saving + 1)
}

/// Where a list of files ends that goes on with `and` and commas.
fn files_end(tokens: &[Token], mut end: usize) -> usize {
    loop {
        let mut next = end;
        let joins = |it: &Token| it.is_mark(',') || it.is_any(&["and", "or", "&"]);
        while tokens.get(next).is_some_and(joins) {
            next += 1;
        }
        let is_file = tokens.get(next).is_some_and(|it| it.kind == Kind::Path);
        let is_alone = tokens
            .get(next + 1)
            .is_none_or(|it| !it.is_word() || joins(it));
        if next == end || !is_file || !is_alone {
            return end;
        }
        end = next + 1;
    }
}
