//! Beyond which files nothing may change: `only touch src/`, `nothing but a.rs may change`.

use super::super::token::Token;
use super::{Excluded, NEGATING, Says, fillers, is_place, segment_end};

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

/// The same as things.
const CHANGES: &[&str] = &["change", "changes", "edit", "edits", "modifications"];

/// Words after which the files stand that may change.
const SAVING: &[&str] = &["besides", "beyond", "but", "except", "outside"];

/// Words by which all of something stays.
const STAYING: &[&str] = &["alone", "as-is", "off-limits", "unchanged", "untouched"];

/// So far such a sentence names its files.
const REACH: usize = 12;

pub(super) fn bound(tokens: &[Token], at: usize) -> Option<Excluded> {
    let begins = at == 0
        || !tokens[at - 1].is_word()
        || tokens[at - 1].is_any(LEADS)
        || tokens[at].is("without");
    if !begins {
        return None;
    }
    let named = only(tokens, at)
        .or_else(|| saved(tokens, at))
        .or_else(|| all_but(tokens, at))?;
    let end = segment_end(tokens, named);
    let names = tokens[named.min(end)..end].iter().any(is_place);
    names.then_some(Excluded {
        from: at,
        to: files_end(tokens, end),
        says: Says::Bounds,
    })
}

const LEADS: &[&str] = &[
    "and", "but", "make", "please", "so", "then", "we", "with", "you",
];

/// Where the files stand of `only change …`, `stay in …`, `limit changes to …`.
fn only(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |n: usize, words: &[&str]| tokens.get(at + n).is_some_and(|it| it.is_any(words));
    let is_path = |n: usize| tokens.get(at + n).is_some_and(is_place);
    let of_changes = 1 + usize::from(is(1, &["all", "any", "the", "your"]));
    match () {
        () if is(0, &["only"]) && is(1, CHANGING) => Some(at + 2),
        () if is(0, CHANGING) && is(1, &["only"]) => Some(at + 2),
        // `touch a.rs only`
        () if is(0, CHANGING) && is_path(1) && is(2, &["only"]) => Some(at + 1),
        // `only a.rs may change`
        () if is(0, &["only"]) && is_path(1) && is(2, &["can", "may", "shall", "should"]) => {
            Some(at + 1)
        }
        () if is(0, &["stay", "remain"]) && is(1, &["in", "inside", "within"]) => Some(at + 2),
        () if is(0, &["confine", "limit", "restrict"])
            && (is(of_changes, CHANGES) || is(1, &["yourself"]))
            && is(of_changes + 1, &["to"]) =>
        {
            Some(at + of_changes + 2)
        }
        () if is(0, &["keep"])
            && is(of_changes, CHANGES)
            && is(of_changes + 1, &["in", "inside", "to", "within"]) =>
        {
            Some(at + of_changes + 2)
        }
        () => None,
    }
}

/// Where the files stand of `do not change anything but …`, `no changes outside …`, `touch nothing
/// except …`, `nothing outside … may change`.
fn saved(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |n: usize, words: &[&str]| tokens.get(n).is_some_and(|it| it.is_any(words));
    let (negated, is_none) = match () {
        () if is(at, &["nothing"]) => (at + 1, true),
        () if is(at, CHANGING) && is(at + 1, &["nothing"]) => (at + 2, true),
        () if is(at, &["no", "without"]) && is(at + 1, CHANGES) => (at + 2, true),
        () if is(at, &["without"]) => (at + 1, false),
        () if is(at, NEGATING) => (at + 1 + fillers(tokens, at + 1), false),
        () if is(at, &["do"]) && is(at + 1, &["not"]) => (at + 2 + fillers(tokens, at + 2), false),
        () => return None,
    };
    if !is_none && !is(negated, CHANGING) {
        return None;
    }
    let stretch = stretch(tokens, negated);
    let all = ["any", "anything", "files", "code"];
    let (length, saving) = saving(&stretch)?;
    let of_all = is_none || stretch[..saving].iter().any(|it| it.is_any(&all));
    of_all.then_some(negated + saving + length)
}

/// Where the files stand of `leave everything except … alone`, `everything but … must stay untouched`.
fn all_but(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |n: usize, words: &[&str]| tokens.get(n).is_some_and(|it| it.is_any(words));
    let all = at + usize::from(is(at, &["keep", "leave"]));
    if !is(all, &["all", "everything"]) {
        return None;
    }
    let stretch = stretch(tokens, all);
    let (length, saving) = saving(&stretch)?;
    let mut behind = stretch[saving..].windows(3);
    let stays = stretch[saving..].iter().any(|it| it.is_any(STAYING))
        || behind.any(|it| it[0].is("as") && it[1].is("it") && it[2].is("is"));
    stays.then_some(all + saving + length)
}

/// The words of one clause, as far as such a sentence reaches.
fn stretch(tokens: &[Token], from: usize) -> Vec<&Token> {
    let stretch = tokens.get(from..).unwrap_or_default();
    let stretch = stretch.iter().take(REACH).take_while(|it| it.is_word());
    stretch.collect()
}

/// How many words say that what follows is saved, and where they stand.
fn saving(stretch: &[&Token]) -> Option<(usize, usize)> {
    let one = stretch.iter().position(|it| it.is_any(SAVING));
    let pair = |first: &str, second: &str| {
        let mut pairs = stretch.windows(2);
        pairs.position(|pair| pair[0].is(first) && pair[1].is(second))
    };
    let two = || pair("other", "than").or_else(|| pair("apart", "from"));
    one.map(|at| (1, at)).or_else(|| two().map(|at| (2, at)))
}

/// Where a list of files ends that goes on with `and` and commas.
fn files_end(tokens: &[Token], mut end: usize) -> usize {
    loop {
        let mut next = end;
        let joins = |it: &Token| it.is_mark(',') || it.is_any(&["and", "or", "&"]);
        while tokens.get(next).is_some_and(joins) {
            next += 1;
        }
        let is_file = tokens.get(next).is_some_and(is_place);
        let is_alone = tokens
            .get(next + 1)
            .is_none_or(|it| !it.is_word() || joins(it));
        if next == end || !is_file || !is_alone {
            return end;
        }
        end = next + 1;
    }
}
