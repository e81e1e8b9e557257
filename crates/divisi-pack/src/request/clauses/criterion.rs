//! Items of a list that only say how the result is to be: `- all tests pass`, `- p95 below 200 ms`.

use super::super::sentence::Sentence;
use super::super::token::{Kind, Token};
use super::super::verbs::{Form, is_also_noun, verb};

/// More words say more than a criterion.
const WORDS_MAX: usize = 12;

/// With one of these a criterion ends that says that something holds.
const HOLDING: &[&str] = &[
    "clean", "compile", "compiles", "green", "pass", "passes", "passing", "succeed", "succeeds",
];

/// What such a criterion is of.
const JUDGED: &[&str] = &[
    "build", "builds", "check", "checks", "ci", "clippy", "lint", "linter", "lints", "pipeline",
    "suite", "test", "tests",
];

/// Behind these a number is a bound.
const BOUNDING: &[&[&str]] = &[
    &["above"],
    &["at", "least"],
    &["at", "most"],
    &["below"],
    &["fewer", "than"],
    &["less", "than"],
    &["more", "than"],
    &["over"],
    &["under"],
    &["up", "to"],
];

/// Marks of comparison that do the same.
const COMPARING: &[&str] = &["<", "<=", ">", ">=", "≤", "≥"];

/// Whether an item only says how the result is to be, and asks for nothing.
pub(super) fn is_criterion(tokens: &[Token], sentence: Sentence) -> bool {
    let own = &tokens[sentence.from..sentence.to];
    let words: Vec<&Token> = own.iter().filter(|it| it.is_word()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return false;
    };
    let asks = verb(&first.lower).is_some_and(|(base, _, form)| {
        let is_noun = words
            .get(1)
            .is_some_and(|it| it.is_any(&["time", "times", "is", "are"]));
        form == Form::Base && !(is_also_noun(base) && is_noun)
    });
    let is_one = words.len() <= WORDS_MAX && !own.iter().any(|it| it.kind == Kind::Path);
    let holds = last.is_any(HOLDING) && words.iter().any(|it| it.is_any(JUDGED));
    is_one && !asks && (holds || is_bounded(own))
}

/// Whether a number bounds something.
fn is_bounded(tokens: &[Token]) -> bool {
    let is_number = |at: usize| {
        let token = tokens.get(at);
        token.is_some_and(|it| it.lower.starts_with(|c: char| c.is_ascii_digit()))
    };
    (1..tokens.len()).any(|at| {
        let begins = |phrase: &&&[&str]| {
            let rest = &tokens[at..];
            phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(word, it)| it.is(word))
        };
        let bounds = BOUNDING.iter().find(begins);
        let compares = COMPARING.contains(&tokens[at].lower.as_str());
        bounds.is_some_and(|phrase| is_number(at + phrase.len())) || compares && is_number(at + 1)
    })
}
