//! Which files of an exclusion must stay as they are: `leave a.rs alone`, `nothing in web/ may change`.
//!
//! Only a file that is itself what is spoken of is: of `do not touch the parser in a.rs` the rest of
//! `a.rs` may change, and `do not test a.rs` says nothing of changes.

use super::super::token::Token;
use super::is_place;

/// Words by which something stays, one of which an exclusion must have.
const KEEPING: &[&str] = &[
    "alone",
    "alter",
    "altering",
    "apart",
    "as-is",
    "away",
    "but",
    "change",
    "changed",
    "changes",
    "changing",
    "clear",
    "commit",
    "committing",
    "edit",
    "edited",
    "editing",
    "edits",
    "except",
    "excepting",
    "excluding",
    "hands",
    "modified",
    "modify",
    "modifying",
    "off-limits",
    "out-of-scope",
    "rewrite",
    "rewriting",
    "scope",
    "touch",
    "touched",
    "touching",
    "unchanged",
    "untouched",
    "update",
    "updating",
];

/// Words that may stand before a file that is itself what is spoken of.
const BEFORE: &[&str] = &[
    "a",
    "all",
    "and",
    "any",
    "anything",
    "at",
    "avoid",
    "avoiding",
    "be",
    "both",
    "can",
    "cannot",
    "careful",
    "circumstances",
    "code",
    "content",
    "contents",
    "directory",
    "do",
    "don't",
    "dont",
    "either",
    "ensure",
    "ever",
    "every",
    "everything",
    "existing",
    "file",
    "files",
    "folder",
    "from",
    "i",
    "in",
    "inside",
    "it",
    "keep",
    "keeping",
    "leave",
    "leaving",
    "make",
    "may",
    "must",
    "mustn't",
    "my",
    "never",
    "no",
    "not",
    "nothing",
    "of",
    "off",
    "or",
    "our",
    "out",
    "please",
    "refrain",
    "root",
    "shall",
    "should",
    "shouldn't",
    "stay",
    "steer",
    "sure",
    "that",
    "the",
    "this",
    "to",
    "try",
    "take",
    "care",
    "order",
    "under",
    "we",
    "whole",
    "will",
    "within",
    "without",
    "you",
    "your",
];

/// Words that may stand behind it.
const BEHIND: &[&str] = &[
    "all",
    "alone",
    "and",
    "are",
    "as",
    "as-is",
    "at",
    "because",
    "by",
    "can",
    "completely",
    "directory",
    "either",
    "entirely",
    "file",
    "files",
    "folder",
    "for",
    "from",
    "in",
    "is",
    "itself",
    "may",
    "must",
    "nor",
    "off-limits",
    "or",
    "out",
    "please",
    "remain",
    "remains",
    "shall",
    "should",
    "since",
    "stay",
    "stays",
    "to",
    "unchanged",
    "under",
    "untouched",
    "when",
    "while",
    "will",
    "yet",
];

/// Files that are called by a usual name: `the README`.
const USUAL: &[(&str, &str)] = &[
    ("changelog", "CHANGELOG*"),
    ("dockerfile", "Dockerfile*"),
    ("gemfile", "Gemfile*"),
    ("jenkinsfile", "Jenkinsfile*"),
    ("justfile", "justfile*"),
    ("license", "LICENSE*"),
    ("makefile", "Makefile*"),
    ("procfile", "Procfile*"),
    ("rakefile", "Rakefile*"),
    ("readme", "README*"),
];

/// The pattern of the file that a word is the usual name of.
pub(in super::super) fn usual_file(token: &Token) -> Option<&'static str> {
    let usual = USUAL.iter().find(|(word, _)| token.is(word));
    usual.map(|(_, pattern)| *pattern)
}

/// The places of all files among some tokens.
pub(in super::super) fn files(tokens: &[Token]) -> Vec<usize> {
    let is_file = |at: &usize| is_file(&tokens[*at]);
    (0..tokens.len()).filter(is_file).collect()
}

/// Whether a token names a file or a folder.
pub(super) fn is_file(token: &Token) -> bool {
    is_place(token) || usual_file(token).is_some()
}

/// The places of files among an exclusion's tokens that must stay as they are.
pub(in super::super) fn kept(tokens: &[Token]) -> Vec<usize> {
    match is_keeping(tokens) {
        true => kept_in_section(tokens),
        false => Vec::new(),
    }
}

/// Whether something stays by these words.
pub(super) fn is_keeping(tokens: &[Token]) -> bool {
    let as_it_is = || {
        let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|it| it.is_any(words));
        (0..tokens.len()).any(|at| {
            let same = at + 1 + usize::from(is(at + 1, &["it", "they"]));
            is(at, &["as"]) && is(same, &["is", "are"])
        })
    };
    let mut pairs = tokens.windows(2);
    let is_kept_out = pairs.any(|it| it[0].is_any(&["keep", "stay"]) && it[1].is("out"));
    is_kept_out || tokens.iter().any(|token| token.is_any(KEEPING)) || as_it_is()
}

/// The same of what stands under `Do not touch` or its like, which is the verb of all of it.
pub(in super::super) fn kept_in_section(tokens: &[Token]) -> Vec<usize> {
    let may_precede = |token: &Token| {
        !token.is_word() || is_file(token) || token.is_any(BEFORE) || token.is_any(KEEPING)
    };
    let may_follow =
        |token: &Token| !token.is_word() || token.is_any(BEHIND) || token.is_any(KEEPING);
    let of_themselves = tokens.iter().take_while(|token| may_precede(token)).count();
    let is_kept = |at: &usize| is_file(&tokens[*at]) && tokens.get(at + 1).is_none_or(may_follow);
    (0..of_themselves).filter(is_kept).collect()
}
