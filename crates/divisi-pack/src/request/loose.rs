//! What is left of a request when its parts, goals and exclusions are taken out.
//!
//! Reading by rule knows some wordings. What it does not know must not vanish: it is kept here, with
//! whether it may be work. That is so if it begins with a verb or names a role's work or a file, and
//! is not a sentence that tells how things are.

use super::roles;
use super::sentence::is_preface;
use super::token::{Kind, Token};
use super::verbs::{Form, verb};
use super::{Loose, PARTS_MAX, Span};

/// Words that say nothing by themselves.
const EMPTY: &[&str] = &[
    "a",
    "afterwards",
    "all",
    "also",
    "an",
    "and",
    "anyway",
    "as",
    "at",
    "be",
    "both",
    "but",
    "by",
    "each",
    "end",
    "etc",
    "finally",
    "first",
    "for",
    "from",
    "hello",
    "hey",
    "hi",
    "if",
    "in",
    "is",
    "it",
    "just",
    "last",
    "maybe",
    "next",
    "now",
    "of",
    "ok",
    "okay",
    "on",
    "only",
    "or",
    "parallel",
    "plus",
    "please",
    "same",
    "so",
    "sure",
    "thanks",
    "that",
    "the",
    "then",
    "there",
    "this",
    "time",
    "to",
    "together",
    "too",
    "well",
    "with",
    "yet",
];

/// Words with which a sentence tells how things are.
const TELLING: &[&str] = &[
    "are", "aren't", "can", "can't", "cannot", "could", "did", "didn't", "do", "does", "doesn't",
    "don't", "fails", "had", "has", "have", "is", "isn't", "must", "needs", "shall", "should",
    "was", "were", "will", "would",
];

/// Words with which a clause says more of what stands before it.
const RELATIVE: &[&str] = &["which", "who", "whose"];

impl Loose {
    /// Whether it says when, why or how something is, so that nobody has to take it up: what is told.
    pub(crate) fn only_tells(&self) -> bool {
        let text = self.text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
        let first = words.clone().next().unwrap_or_default();
        let tells = |word: &str| TELLING.contains(&word) || RELATIVE.contains(&word);
        let is_of_rest = CONDITIONS.contains(&first) || words.any(tells);
        !self.may_be_work && (self.is_told || is_of_rest)
    }
}

/// What lies in no span that was read; `read` is sorted.
pub(super) fn loose(text: &str, tokens: &[Token], sentences: &[Span], read: &[Span]) -> Vec<Loose> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut next = 0;
    for &sentence in sentences {
        while tokens
            .get(at)
            .is_some_and(|it| it.span.start < sentence.start)
        {
            at += 1;
        }
        let from = at;
        while tokens.get(at).is_some_and(|it| it.span.end <= sentence.end) {
            at += 1;
        }
        while read.get(next).is_some_and(|it| it.end <= sentence.start) {
            next += 1;
        }
        let within = read[next..].iter().take_while(|it| it.start < sentence.end);
        let within: Vec<Span> = within.copied().collect();
        let is_whole = within.is_empty();
        let runs = runs(&tokens[from..at], &within);
        for run in runs {
            if found.len() < PARTS_MAX && run.iter().any(says_something) {
                let span = Span {
                    start: run[0].span.start,
                    end: run[run.len() - 1].span.end,
                };
                found.push(Loose {
                    span,
                    text: super::clauses::squeezed(&text[span.start..span.end]),
                    may_be_work: may_be_work(run, is_whole),
                    is_told: false,
                });
            }
        }
    }
    found
}

/// Stretches of tokens outside the spans, without marks at their edges.
fn runs<'t>(tokens: &'t [Token], read: &[Span]) -> Vec<&'t [Token]> {
    let is_read = |token: &Token| {
        let span = token.span;
        read.iter()
            .any(|it| it.start < span.end && span.start < it.end)
    };
    let stretches = tokens.split(|token| is_read(token));
    let trimmed = stretches.map(|stretch| {
        let from = stretch.iter().position(Token::is_word).unwrap_or(0);
        let to = stretch
            .iter()
            .rposition(Token::is_word)
            .map_or(0, |at| at + 1);
        &stretch[from..to.max(from)]
    });
    trimmed.filter(|run| !run.is_empty()).collect()
}

fn says_something(token: &Token) -> bool {
    token.is_word() && !token.is_any(EMPTY) && !is_preface(token)
}

fn may_be_work(run: &[Token], is_whole_sentence: bool) -> bool {
    let words = run.iter().filter(|token| token.is_word());
    let mut words = words.skip_while(|token| is_preface(token) || token.is_any(EMPTY));
    let first = words.next();
    if first.is_some_and(|it| it.is_any(CONDITIONS)) || run[0].is_any(CONDITIONS) {
        return false;
    }
    let begins = first.is_some_and(|token| {
        token.kind == Kind::Word && verb(&token.lower).is_some_and(|(.., form)| form == Form::Base)
    });
    let tells = is_whole_sentence && run.iter().any(|token| token.is_any(TELLING));
    let names = || {
        (0..run.len()).any(|at| run[at].kind == Kind::Path || roles::mention(&run[at..]).is_some())
    };
    let asks = run[0].is_any(&[
        "can", "could", "kindly", "let's", "lets", "please", "pls", "plz",
    ]);
    begins || !tells && (asks || names())
}

/// Words with which a clause says when or why, not what.
const CONDITIONS: &[&str] = &[
    "after", "as", "because", "before", "given", "if", "once", "since", "unless", "until", "when",
    "while",
];
