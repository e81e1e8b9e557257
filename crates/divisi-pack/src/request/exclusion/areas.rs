//! What an exclusion keeps by what it is there for: `do not touch the docs`, `existing tests stay as they
//! are`. Which files of the project those are, whoever knows the project says.
//!
//! All of an area is kept only by a clause that says nothing else: of `do not change the docs build` or
//! `do not touch the tests of the parser` nobody knows which files are meant.

use super::super::KeptArea;
use super::super::token::Token;
use super::kept::{is_file, is_keeping};
use super::prohibited::is_known;
use crate::area::Area;

/// What an area's files are called, all of them.
const CALLED: &[(&[&str], Area)] = &[
    (&["ci", "config"], Area::Builds),
    (&["ci", "configuration"], Area::Builds),
    (&["ci", "files"], Area::Builds),
    (&["ci", "pipeline"], Area::Builds),
    (&["ci", "setup"], Area::Builds),
    (&["ci", "workflow"], Area::Builds),
    (&["ci", "workflows"], Area::Builds),
    (&["ci"], Area::Builds),
    (&["doc"], Area::Documents),
    (&["docs"], Area::Documents),
    (&["documentation"], Area::Documents),
    (&["specs"], Area::Tests),
    (&["test", "cases"], Area::Tests),
    (&["test", "code"], Area::Tests),
    (&["test", "directory"], Area::Tests),
    (&["test", "files"], Area::Tests),
    (&["test", "folder"], Area::Tests),
    (&["test", "suite"], Area::Tests),
    (&["tests"], Area::Tests),
];

/// Words that may stand in such a clause, beside those of clauses that only forbid.
const BESIDE: &[&str] = &[
    "alone", "avoid", "away", "from", "not", "nor", "out", "refrain", "steer", "try", "update",
    "updating",
];

/// The area that is called here, and by how many tokens.
pub(super) fn called(tokens: &[Token]) -> Option<(usize, Area)> {
    let is_here = |words: &[&str]| {
        words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, it)| it.is(word))
    };
    let found = CALLED.iter().find(|(words, _)| is_here(words));
    found.map(|(words, area)| (words.len(), *area))
}

/// The areas that an exclusion keeps, each once. `is_told_apart` says that a heading forbids changes of all
/// that stands in these tokens.
pub(in super::super) fn areas(tokens: &[Token], is_told_apart: bool) -> Vec<KeptArea> {
    let mut kept: Vec<KeptArea> = Vec::new();
    let mut at = 0;
    let mut is_existing = false;
    while let Some(token) = tokens.get(at) {
        if let Some((length, area)) = called(&tokens[at..]) {
            let found = KeptArea { area, is_existing };
            if !kept.iter().any(|it| it.area == area) {
                kept.push(found);
            }
            at += length;
            is_existing = false;
            continue;
        }
        let is_joint = token.is_any(&["and", "or", "&"]);
        let may_stand = !token.is_word()
            || is_joint
            || is_file(token)
            || is_known(token)
            || token.is_any(BESIDE);
        if !may_stand {
            return Vec::new();
        }
        is_existing |= token.is("existing");
        at += 1;
    }
    match is_told_apart || is_keeping(tokens) {
        true => kept,
        false => Vec::new(),
    }
}
