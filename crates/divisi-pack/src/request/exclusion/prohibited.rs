//! Clauses that only say that files must stay as they are, and those by which all must that is not asked
//! for: `README.md and the tests shall not be changed`, `nothing else may change`.
//!
//! Such a clause is known by having no word that says anything else: files, small words, one of changing
//! that is denied, or one of staying. `The parser in a.rs must not change` is none, since it speaks of
//! what lies in the file. So the order of its words does not matter, and a wording that is not known is
//! left to whoever reads the rest.

use super::super::token::{Kind, Token};
use super::super::verbs::{Form, verb};
use super::kept::is_file;
use super::{Excluded, Says, areas};

/// What is done to files as such.
const CHANGING: &[&str] = &[
    "affect",
    "affected",
    "affecting",
    "alter",
    "altered",
    "altering",
    "change",
    "changed",
    "changes",
    "changing",
    "edit",
    "edited",
    "editing",
    "edits",
    "modification",
    "modifications",
    "modified",
    "modify",
    "modifying",
    "overwrite",
    "overwritten",
    "rewrite",
    "rewritten",
    "touch",
    "touched",
    "touching",
];

const DENYING: &[&str] = &[
    "can't",
    "cannot",
    "disallowed",
    "don't",
    "dont",
    "forbidden",
    "mustn't",
    "neither",
    "never",
    "no",
    "nobody",
    "nor",
    "not",
    "prohibited",
    "shouldn't",
    "without",
    "won't",
];

/// How something is that stays as it is.
const STAYING: &[&str] = &[
    "alone",
    "as-is",
    "intact",
    "off-limits",
    "preserve",
    "preserved",
    "preserving",
    "unchanged",
    "unmodified",
    "untouched",
];

/// The same in several words.
const STAYING_AS: &[&[&str]] = &[
    &["as", "is"],
    &["as", "it", "is"],
    &["as", "it", "was"],
    &["as", "they", "are"],
    &["as", "they", "were"],
    &["hands", "off"],
    &["off", "limits"],
    &["remain", "the", "same"],
    &["remains", "the", "same"],
    &["stay", "the", "same"],
    &["stays", "the", "same"],
];

/// Behind files alone: `everywhere, README.md excluded`.
const LEFT_OUT: &[&str] = &["excepted", "excluded"];

/// Words that say nothing of what is meant.
const SMALL: &[&str] = &[
    "a",
    "all",
    "allowed",
    "also",
    "any",
    "are",
    "as",
    "at",
    "be",
    "can",
    "case",
    "circumstances",
    "code",
    "content",
    "contents",
    "directory",
    "do",
    "either",
    "entirely",
    "ever",
    "exactly",
    "existing",
    "file",
    "files",
    "folder",
    "for",
    "hands",
    "has",
    "have",
    "i",
    "i'd",
    "in",
    "is",
    "it",
    "itself",
    "just",
    "keep",
    "keeping",
    "leave",
    "leaving",
    "left",
    "like",
    "limits",
    "make",
    "may",
    "must",
    "my",
    "need",
    "needs",
    "off",
    "only",
    "our",
    "please",
    "precisely",
    "remain",
    "remains",
    "same",
    "shall",
    "should",
    "stay",
    "stays",
    "supposed",
    "that",
    "the",
    "these",
    "they",
    "this",
    "those",
    "to",
    "under",
    "want",
    "was",
    "way",
    "we",
    "were",
    "while",
    "whole",
    "will",
    "would",
    "you",
    "your",
];

/// What all else is called that must not change, by itself.
const NOTHING: &[&[&str]] = &[
    &["nothing", "else"],
    &["nothing", "besides", "that"],
    &["nothing", "besides", "this"],
    &["nothing", "beyond", "that"],
    &["nothing", "beyond", "this"],
    &["nothing", "more"],
    &["nothing"],
];

/// The same where it is said to stay, or denied that it changes.
const ALL: &[&[&str]] = &[
    &["anything", "besides", "that"],
    &["anything", "besides", "this"],
    &["anything", "beyond", "that"],
    &["anything", "beyond", "this"],
    &["anything", "else"],
    &["anything", "other", "than", "that"],
    &["everything", "besides", "that"],
    &["everything", "else"],
    &["anything"],
    &["everything"],
    &["all", "other", "code"],
    &["all", "other", "files"],
    &["all", "the", "other", "files"],
    &["all", "the", "rest"],
    &["any", "changes"],
    &["any", "code"],
    &["any", "file"],
    &["any", "files"],
    &["any", "of", "the", "code"],
    &["any", "of", "the", "files"],
    &["any", "of", "the", "other", "files"],
    &["any", "other", "code"],
    &["any", "other", "file"],
    &["any", "other", "files"],
    &["code", "changes"],
    &["existing", "files"],
    &["other", "code"],
    &["other", "file"],
    &["other", "files"],
    &["the", "other", "files"],
    &["the", "rest"],
];

/// Prohibitions that are whole by themselves.
const BARE: &[&[&str]] = &[
    &["create", "no", "file"],
    &["create", "no", "files"],
    &["no", "changes"],
    &["no", "code", "changes"],
    &["no", "other", "files"],
    &["write", "no", "code"],
    &["write", "no", "file"],
    &["write", "no", "files"],
    &["write", "nothing"],
];

/// What `the rest` may be said to be of.
const OF_ALL: &[&[&str]] = &[
    &["of", "it"],
    &["of", "the", "code"],
    &["of", "the", "codebase"],
    &["of", "the", "files"],
    &["of", "the", "project"],
    &["of", "the", "repo"],
    &["of", "the", "repository"],
    &["in", "the", "project"],
    &["in", "the", "repo"],
    &["in", "the", "repository"],
];

/// Behind `only`, what was named.
const NAMED: &[&[&str]] = &[&["that"], &["these"], &["this"], &["those"]];

/// What begins another clause.
const JOINING: &[&str] = &[
    "and", "because", "but", "plus", "since", "so", "then", "while", "with",
];

/// Of more words nobody would say it.
const WORDS_MAX: usize = 40;

/// The clause of such that begins at this token.
pub(super) fn prohibited(tokens: &[Token], at: usize) -> Option<Excluded> {
    let begins = at == 0
        || !tokens[at - 1].is_word()
        || tokens[at - 1].is_any(JOINING)
        || tokens[at].is_any(&["without", "while"]);
    if !begins || !tokens[at].is_word() {
        return None;
    }
    let to = end(tokens, at);
    let clause = &tokens[at..to];
    let says = says(clause)?;
    // Behind `anything` no more objects stand.
    let is_all = says == Says::Bounds && tokens.get(to).is_some_and(|it| !it.is_word());
    (is_all || ends(tokens, to)).then_some(Excluded { from: at, to, says })
}

/// Whether a word may stand in such a clause, whatever it is of.
pub(super) fn is_known(token: &Token) -> bool {
    let known = [DENYING, STAYING, SMALL, CHANGING, LEFT_OUT];
    known.iter().any(|words| token.is_any(words))
}

/// Where the run of words ends that say nothing else.
fn end(tokens: &[Token], from: usize) -> usize {
    let mut at = from;
    while at < tokens.len().min(from + WORDS_MAX) {
        let rest = &tokens[at..];
        let phrases = [NOTHING, ALL, OF_ALL, BARE].into_iter().flatten();
        let phrase = phrases
            .filter(|it| begins_with(rest, it))
            .map(|it| it.len());
        let area = areas::called(rest).map(|(length, _)| length);
        let length = match phrase.max().or(area) {
            Some(length) => length,
            None if rest[0].kind == Kind::Line || is_file(&rest[0]) => 1,
            None if is_known(&rest[0]) => 1,
            None => match joint(tokens, from, at) {
                0 => break,
                length => length,
            },
        };
        at += length;
    }
    let lines = tokens[from..at].iter().rev();
    at - lines.take_while(|it| it.kind == Kind::Line).count()
}

/// How many tokens join one file to the next of a list here.
fn joint(tokens: &[Token], from: usize, at: usize) -> usize {
    let joins = |it: &&Token| it.is_mark(',') || it.is_any(&["and", "or", "nor", "&"]);
    let length = tokens[at..].iter().take_while(joins).count();
    let leads = ["in", "my", "our", "the", "to", "your"];
    let mut behind = (at + length..tokens.len()).skip_while(|&at| tokens[at].is_any(&leads));
    let is_place = |at: usize| is_file(&tokens[at]) || areas::called(&tokens[at..]).is_some();
    // `The test suite and a.rs`: an area may have two words.
    let is_behind = |back: usize| {
        let begin = at.checked_sub(back).filter(|&begin| begin >= from);
        let called = begin.and_then(|begin| areas::called(&tokens[begin..at]));
        called.is_some_and(|(length, _)| length == back)
    };
    let is_before = at > from && is_file(&tokens[at - 1]) || is_behind(1) || is_behind(2);
    let is_listed = is_before && behind.next().is_some_and(is_place);
    if is_listed { length } else { 0 }
}

/// Whether the clause ends here, rather than going on with more that it forbids.
fn ends(tokens: &[Token], to: usize) -> bool {
    let lines = tokens[to..].iter();
    let to = to + lines.take_while(|it| it.kind == Kind::Line).count();
    let comma = usize::from(tokens.get(to).is_some_and(|it| it.is_mark(',')));
    let is_joint = |it: &Token| it.is_any(&["and", "nor", "or"]);
    let then = to + comma;
    let then = then + usize::from(tokens.get(then).is_some_and(is_joint));
    let (Some(next), Some(first)) = (tokens.get(to), tokens.get(then)) else {
        return true;
    };
    if then == to {
        let others = ["because", "but", "since", "so", "then", "while"];
        return !next.is_word() || next.is_any(&others);
    }
    let is_choice = tokens[then - 1].is_any(&["nor", "or"]);
    let asks = verb(&first.lower).is_some_and(|(.., form)| form == Form::Base);
    let mut clause = tokens[then..].iter().take_while(|it| it.is_word());
    let finite = ["are", "is", "may", "must", "shall", "should"];
    let is_other = first.is_any(&["but", "please", "so", "thanks", "then"]);
    !is_choice && (asks || is_other || clause.any(|it| it.is_any(&finite)))
}

fn begins_with(tokens: &[Token], phrase: &[&str]) -> bool {
    phrase.len() <= tokens.len() && phrase.iter().zip(tokens).all(|(word, it)| it.is(word))
}

/// What a clause of only such words forbids.
fn says(clause: &[Token]) -> Option<Says> {
    let find = |phrases: &[&[&str]]| {
        let mut places = 0..clause.len();
        places.any(|at| phrases.iter().any(|it| begins_with(&clause[at..], it)))
    };
    let has = |words: &[&str]| clause.iter().any(|it| it.is_any(words));
    let (changes, is_denied) = (has(CHANGING), has(DENYING));
    let words = clause.iter().rev().filter(|it| it.is_word());
    let is_left = { words.clone() }
        .next()
        .is_some_and(|it| it.is_any(&["remain", "stay"]));
    let must = words
        .clone()
        .any(|it| it.is_any(&["has", "have", "must", "shall", "should"]));
    let stays = has(STAYING) || find(STAYING_AS) || is_left && must;
    if is_report(clause) || is_allowed(clause, is_denied) {
        return None;
    }
    let forbids = match is_denied {
        true => changes && !stays,
        false => stays && !changes,
    };
    let is_only = has(&["only"]) && find(NAMED);
    let is_area = |at: &usize| areas::called(&clause[*at..]).is_some();
    let areas = (0..clause.len()).filter(is_area).count();
    let files = areas + clause.iter().filter(|it| is_file(it)).count();
    if files > 0 {
        let is_of_all = has(&["only"]) || find(NOTHING) || find(ALL);
        let is_left_out = has(LEFT_OUT) && clause.len() == files + 1;
        return (forbids && !is_of_all || is_left_out).then_some(Says::Spares);
    }
    let is_nothing = (find(NOTHING) || is_only) && changes && !is_denied && !stays;
    let words = clause.iter().filter(|it| !it.is("please")).count();
    let mut bare = BARE.iter().filter(|it| it.len() == words);
    let is_bare = bare.any(|it| find(&[it]));
    (is_nothing || find(ALL) && forbids || is_bare).then_some(Says::Bounds)
}

/// Whether a clause tells how it is: `README.md is not changed`.
fn is_report(clause: &[Token]) -> bool {
    const BEING: &[&str] = &["are", "has", "have", "is", "was", "were"];
    const DONE: &[&str] = &[
        "affected",
        "altered",
        "changed",
        "edited",
        "modified",
        "preserved",
        "touched",
        "unchanged",
        "unmodified",
        "untouched",
    ];
    let done = |at: usize| {
        let mut rest = clause[at + 1..].iter();
        let next = rest.find(|it| !it.is_any(DENYING));
        next.is_some_and(|it| it.is_any(DONE))
    };
    // `I press save, but nothing changes`, unless somebody is to make sure of it.
    let mut pairs = clause.windows(2);
    let is_finite = pairs.any(|pair| pair[0].is("nothing") && pair[1].is("changes"))
        && !clause.iter().any(|it| it.is_any(&["ensure", "sure"]));
    is_finite || (0..clause.len()).any(|at| clause[at].is_any(BEING) && done(at))
}

/// Whether a clause says only what need not be, or may stay.
fn is_allowed(clause: &[Token], is_denied: bool) -> bool {
    let words: &[&str] = match is_denied {
        true => &["has", "have", "need", "needs", "supposed"],
        false => &["can", "may"],
    };
    let is_nothing = NOTHING.iter().any(|it| {
        let mut places = 0..clause.len();
        places.any(|at| begins_with(&clause[at..], it))
    });
    let is_only = clause.iter().any(|it| it.is("only"));
    !is_nothing && !is_only && clause.iter().any(|it| it.is_any(words))
}
