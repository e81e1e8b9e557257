//! Numbers with what they count, and words that say how many without a number.

use serde::Serialize;

use super::Span;
use super::token::{Kind, Token};

/// How many of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quantity {
    /// Where it stands.
    pub span: Span,
    /// How many.
    pub amount: Amount,
    /// Of what.
    pub unit: Unit,
    /// The word for it, in lower case; empty at the end of a text.
    pub of: String,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A number.
    Exact(u64),
    /// `several`, `many`, `dozens`.
    Many,
    /// `all`, `every`, `each`, `entire`, `whole`.
    All,
}

/// What is counted, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Time to work; the amount is in minutes.
    Minutes,
    /// Tokens of a model.
    Tokens,
    /// Files.
    Files,
    /// Lines of text.
    Lines,
    /// The number of a line, an issue or a version: it says where, not how many.
    Place,
    /// Anything else.
    Things,
}

const NUMBERS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

const MANY: &[&str] = &[
    "dozens",
    "hundreds",
    "many",
    "multiple",
    "several",
    "thousands",
    "various",
];

const ALL: &[&str] = &[
    "all",
    "each",
    "entire",
    "every",
    "everything",
    "everywhere",
    "whole",
];

/// What stands before a number that says where something is.
const PLACES: &[&str] = &[
    "line", "lines", "issue", "pr", "version", "page", "section", "step", "port",
];

/// The quantities of a request.
pub(super) fn quantities(tokens: &[Token]) -> Vec<Quantity> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).filter(|next| next.is_word());
        let of = next.map_or("", |next| next.lower.as_str());
        let of = of.trim_start_matches('-');
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let is_place = before.is_some_and(|before| before.is_any(PLACES));
        let (amount, glued) = match token.kind {
            Kind::Number => match number(&token.lower) {
                Some(found) => found,
                None => continue,
            },
            Kind::Word => match word(&token.lower) {
                Some(amount) => (amount, ""),
                None => continue,
            },
            _ => continue,
        };
        let of = if glued.is_empty() { of } else { glued };
        let (amount, unit) = match amount {
            Amount::Exact(_) if is_place => (amount, Unit::Place),
            Amount::Exact(count) => of_unit(count, of),
            _ if is_files(of) => (amount, Unit::Files),
            _ => (amount, Unit::Things),
        };
        found.push(Quantity {
            span: token.span,
            amount,
            unit,
            of: of.to_owned(),
        });
    }
    found
}

fn word(word: &str) -> Option<Amount> {
    if MANY.contains(&word) {
        return Some(Amount::Many);
    }
    if ALL.contains(&word) {
        return Some(Amount::All);
    }
    let at = NUMBERS.iter().position(|number| *number == word)?;
    // `one` is a pronoun as often.
    (at != 1).then_some(Amount::Exact(at as u64))
}

/// The number that a token begins with, and what is glued to it: `30min`, `20k`, `5,000`.
fn number(text: &str) -> Option<(Amount, &str)> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let rest = &text[digits.len()..];
    let plain: String = digits.chars().filter(|c| *c != ',').collect();
    let count: u64 = plain.parse().ok()?;
    let (count, rest) = match rest.strip_prefix('k') {
        Some(rest) => (count.saturating_mul(1_000), rest),
        None => (count, rest),
    };
    Some((Amount::Exact(count), rest.trim_start_matches(['+', '-'])))
}

fn of_unit(count: u64, of: &str) -> (Amount, Unit) {
    let minutes = match of {
        "m" | "min" | "mins" | "minute" | "minutes" => 1,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60,
        "d" | "day" | "days" => 8 * 60,
        "week" | "weeks" => 5 * 8 * 60,
        "month" | "months" => 20 * 8 * 60,
        "line" | "lines" | "loc" | "sloc" => return (Amount::Exact(count), Unit::Lines),
        "tokens" | "token" => return (Amount::Exact(count), Unit::Tokens),
        _ if is_files(of) => return (Amount::Exact(count), Unit::Files),
        _ => return (Amount::Exact(count), Unit::Things),
    };
    (Amount::Exact(count.saturating_mul(minutes)), Unit::Minutes)
}

fn is_files(word: &str) -> bool {
    matches!(
        word,
        "file"
            | "files"
            | "module"
            | "modules"
            | "repos"
            | "repositories"
            | "packages"
            | "crates"
            | "services"
            | "components"
            | "pages"
            | "screens"
            | "call"
            | "callers"
            | "usages"
    )
}
