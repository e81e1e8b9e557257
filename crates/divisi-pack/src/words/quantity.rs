//! Numbers in sentences: sizes, amounts, durations.
//!
//! A number that people write in more than one sense is none: "1.000" may be a thousand.

use super::slot::{Candidate, Value};
use super::token::Token;
use super::why::Why;
use crate::plan_file::{COUNT_MAX, FILE_BYTES_MAX, TIMEOUT_MINUTES_MAX};

/// A whole number in digits or, up to twelve, as a word.
pub(super) fn number(token: &Token) -> Option<u64> {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    match token {
        Token::Word { lower, .. } => {
            let at = WORDS.iter().position(|word| word == lower)?;
            Some(at as u64)
        }
        Token::Number(text) => whole(text),
        _ => None,
    }
}

/// Digits, with commas only between groups of three.
fn whole(text: &str) -> Option<u64> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let grouped = text.contains(',');
    if grouped && (first.len() > 3 || groups.any(|group| group.len() != 3)) {
        return None;
    }
    text.replace(',', "").parse().ok()
}

/// The sizes of a unit. A kilobyte has 1024 bytes, so that "at least" is never too little.
const UNITS: &[(&str, u64)] = &[
    ("byte", 1),
    ("bytes", 1),
    ("B", 1),
    ("KB", 1 << 10),
    ("kB", 1 << 10),
    ("kb", 1 << 10),
    ("KiB", 1 << 10),
    ("kilobytes", 1 << 10),
    ("MB", 1 << 20),
    ("mb", 1 << 20),
    ("MiB", 1 << 20),
    ("megabytes", 1 << 20),
    ("GB", 1 << 30),
    ("gb", 1 << 30),
    ("GiB", 1 << 30),
];

/// The names of all units, for suggestions.
pub(crate) fn units() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, _)| *name)
}

pub(super) fn bytes(tokens: &[Token]) -> Option<Candidate> {
    let [Token::Number(text), Token::Word { raw, .. }, ..] = tokens else {
        return None;
    };
    let (_, unit) = UNITS.iter().find(|(name, _)| name == raw)?;
    let size = match text.split_once('.') {
        None => whole(text)?.checked_mul(*unit),
        Some((whole_part, decimals)) => fraction(whole_part, decimals, *unit),
    };
    let size = size.filter(|size| *size <= FILE_BYTES_MAX);
    let size = size.map(Value::Bytes);
    Some((
        size.ok_or(Why::Unfit("the size is too large or not clear")),
        2,
    ))
}

/// A size such as 1.5 KB, rounded up. Three decimals may be meant as thousands, and of bytes
/// there are no parts.
fn fraction(whole_part: &str, decimals: &str, unit: u64) -> Option<u64> {
    if !(1..=2).contains(&decimals.len()) || unit == 1 || decimals.contains('.') {
        return None;
    }
    let tens = 10_u64.pow(decimals.len() as u32);
    let whole_part: u64 = whole_part.parse().ok()?;
    let parts = whole_part
        .checked_mul(tens)?
        .checked_add(decimals.parse().ok()?)?;
    Some(parts.checked_mul(unit)?.div_ceil(tens))
}

/// How the words before a number bound it: the words, and what they make of it.
type Bound = (
    &'static [&'static str],
    fn(u64) -> Option<(u64, Option<u64>)>,
);

const BOUNDS: &[Bound] = &[
    (&["at", "least"], |n| Some((n, None))),
    (&["no", "fewer", "than"], |n| Some((n, None))),
    (&["no", "less", "than"], |n| Some((n, None))),
    (&["more", "than"], |n| Some((n + 1, None))),
    (&["at", "most"], |n| Some((0, Some(n)))),
    (&["no", "more", "than"], |n| Some((0, Some(n)))),
    (&["fewer", "than"], |n| Some((0, Some(n.checked_sub(1)?)))),
    (&["less", "than"], |n| Some((0, Some(n.checked_sub(1)?)))),
    (&["exactly"], |n| Some((n, Some(n)))),
];

pub(super) fn amount(tokens: &[Token]) -> Option<Candidate> {
    let begins = |words: &[&str]| {
        let fits = words
            .iter()
            .zip(tokens)
            .filter(|(word, token)| token.is(word));
        fits.count() == words.len()
    };
    let bounded = BOUNDS.iter().find(|(words, _)| begins(words));
    let ((min, max), taken) = if let Some((words, bound)) = bounded {
        let n = number(tokens.get(words.len())?)?;
        let least = n.min(COUNT_MAX + 1);
        (bound(least)?, words.len() + 1)
    } else if begins(&["between"]) && tokens.get(2)?.is("and") {
        ((number(&tokens[1])?, Some(number(tokens.get(3)?)?)), 4)
    } else if begins(&["no"]) {
        ((0, Some(0)), 1)
    } else {
        return None;
    };
    let fits = min <= COUNT_MAX && max.is_none_or(|max| (min..=COUNT_MAX).contains(&max));
    let amount = match fits {
        true => Ok(Value::Amount { min, max }),
        false => Err(Why::Unfit("the number is out of range")),
    };
    Some((amount, taken))
}

pub(super) fn duration(tokens: &[Token]) -> Option<Candidate> {
    let [Token::Number(text), Token::Word { lower, .. }, ..] = tokens else {
        return None;
    };
    let unit = match lower.as_str() {
        "millisecond" | "milliseconds" => 1,
        "second" | "seconds" => 1_000,
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        _ => return None,
    };
    let ms = whole(text)?.checked_mul(unit);
    let ms = ms.filter(|ms| (1..=TIMEOUT_MINUTES_MAX * 60_000).contains(ms));
    Some((
        ms.map(Value::Duration)
            .ok_or(Why::Unfit("the duration is out of range")),
        2,
    ))
}
