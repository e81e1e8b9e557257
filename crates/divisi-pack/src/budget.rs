//! Budgets as people write them: an object in files, a word on the command line.

use divisi_core::ledger::{Bound, Measure, TIME_USEFUL_MS_MIN};
use divisi_core::run::{Budget, Price};
use jsonc_parser::ast::Value;
use serde_json::json;

use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};

/// A hundred years, in minutes: as good as no bound.
const MINUTES_MAX: u64 = 52_560_000;

/// More tokens than all models together read in a year.
pub const TOKENS_MAX: u64 = 1_000_000_000_000_000;

/// More dollars than anybody has, and few enough that millionths of them can be added.
pub const USD_MAX: u64 = 1_000_000_000;

/// The most attempts.
const ATTEMPTS_MAX: u64 = u64::MAX >> 1;

/// The name of a measure in an object.
#[must_use]
pub const fn key(measure: Measure) -> &'static str {
    match measure {
        Measure::Attempts => "attempts",
        Measure::TimeMs => "minutes",
        Measure::Tokens => "tokens",
        Measure::UsdMicros => "usd",
    }
}

/// All names in the order of [`Measure::ALL`].
pub(crate) const KEYS: [&str; 4] = [
    key(Measure::ALL[0]),
    key(Measure::ALL[1]),
    key(Measure::ALL[2]),
    key(Measure::ALL[3]),
];

/// How a measure is written in objects: what one of it counts in what is kept, the least and the
/// most.
const fn scale(measure: Measure) -> (u64, f64, u64) {
    match measure {
        Measure::Attempts => (1, 1.0, ATTEMPTS_MAX),
        Measure::TimeMs => (60_000, TIME_USEFUL_MS_MIN as f64 / 60_000.0, MINUTES_MAX),
        Measure::Tokens => (1, 1.0, TOKENS_MAX),
        Measure::UsdMicros => (1_000_000, 0.001, USD_MAX),
    }
}

/// The bound of so much, in the unit that people write; the least and the most where it is outside.
fn bound(measure: Measure, number: f64) -> Result<Bound, (String, u64)> {
    let (each, least, most) = scale(measure);
    // What is no number is in no range.
    if !(least..=most as f64).contains(&number) {
        let least = format!("{least:.3}");
        let least = least.trim_end_matches('0').trim_end_matches('.');
        return Err((least.to_owned(), most));
    }
    let much = (number * each as f64).round() as u64;
    Ok(Bound::of(measure, much))
}

/// A bound as an object has it.
#[must_use]
pub fn json(bound: Bound) -> serde_json::Value {
    let (each, ..) = scale(bound.measure());
    match bound.much() % each {
        0 => json!(bound.much() / each),
        _ => json!(bound.much() as f64 / each as f64),
    }
}

/// What a measure takes in an object, as a JSON Schema.
#[must_use]
pub fn schema(measure: Measure) -> serde_json::Value {
    let (each, least, most) = scale(measure);
    let least = match each {
        1 => json!(least as u64),
        _ => json!((least * 1_000.0).ceil() / 1_000.0),
    };
    let kind = if each == 1 { "integer" } else { "number" };
    json!({"type": [kind, "null"], "minimum": least, "maximum": most})
}

/// A bound of an object; `None` after collecting what does not fit.
pub(crate) fn bound_of(
    measure: Measure,
    value: &Value<'_>,
    faults: &mut Faults<'_>,
) -> Option<Bound> {
    let key = key(measure);
    let (each, least, most) = scale(measure);
    if each == 1 {
        let much = fields::integer(value, key, (least as u64, most), faults)?;
        return Some(Bound::of(measure, much));
    }
    let Value::NumberLit(literal) = value else {
        mistyped(&format!("`{key}`"), "a number", value, faults);
        return None;
    };
    let number = literal.value.parse().unwrap_or(f64::NAN);
    bound(measure, number)
        .map_err(|(least, most)| {
            faults.error(codes::NUMBER, start(value), || {
                let given = shown(literal.value);
                format!("`{key}` is {given}, not a number from {least} to {most}")
            });
        })
        .ok()
}

/// A budget as an object has it.
pub(crate) fn budget_of(value: &Value<'_>, faults: &mut Faults<'_>) -> Budget {
    let Some(object) = fields::object(value, "`budget`", faults) else {
        return Budget::default();
    };
    let fields = Fields::open(object, "`budget`", &KEYS, faults);
    let mut budget = Budget::default();
    for measure in Measure::ALL {
        let value = fields.get(key(measure));
        let bound = value.and_then(|value| bound_of(measure, value, faults));
        budget = bound.map_or(budget, |bound| budget.with(bound));
    }
    budget
}

/// What `prices` has of one model or agent.
pub(crate) const PRICE_KEYS: [&str; 3] = ["input", "output", "cached"];

/// A price as an object has it: dollars for a million tokens.
pub(crate) fn price_of(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Price> {
    let object = fields::object(value, "the price", faults)?;
    let fields = Fields::open(object, "the price", &PRICE_KEYS, faults);
    let mut dollars = |key: &'static str| {
        let number = fields.number(key, (0.0, 1_000_000.0), faults)?;
        Some((number * 1_000_000.0).round() as u64)
    };
    let (input, output, cached) = (dollars("input"), dollars("output"), dollars("cached"));
    for key in ["input", "output"] {
        fields.required(key, faults);
    }
    let input = input?;
    Some(Price {
        input,
        output: output?,
        // What is not said costs as much as if there were no cache.
        cached: cached.unwrap_or(input),
    })
}

/// A price as an object has it.
pub(crate) fn price_json(price: &Price) -> serde_json::Value {
    let dollars = |micros: u64| match micros % 1_000_000 {
        0 => json!(micros / 1_000_000),
        _ => json!(micros as f64 / 1_000_000.0),
    };
    json!({
        "input": dollars(price.input),
        "output": dollars(price.output),
        "cached": dollars(price.cached),
    })
}

/// Words for so many of something, the one that is shown first.
const UNITS: [(&[&str], Measure, f64); 5] = [
    (&["tokens", "token"], Measure::Tokens, 1.0),
    (&["usd"], Measure::UsdMicros, 1.0),
    (&["min", "minutes", "minute"], Measure::TimeMs, 1.0),
    (&["h", "hours", "hour"], Measure::TimeMs, 60.0),
    (&["attempts", "attempt"], Measure::Attempts, 1.0),
];

/// Reads a bound as it is typed: `2M-tokens`, `$20`, `90min`, `40-attempts`.
///
/// # Errors
/// What about it is none.
pub fn parse(text: &str) -> Result<Bound, String> {
    let form = || "a budget is written `2M-tokens`, `$20`, `90min` or `40-attempts`".to_owned();
    let (number, unit) = match text.strip_prefix('$') {
        Some(number) => (number, "usd"),
        None => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
            text.split_at(end.ok_or_else(|| of_what(text, form()))?)
        }
    };
    let (times, unit) = match unit.as_bytes() {
        [b'k', b'-', ..] => (1e3, &unit[1..]),
        [b'M', b'-', ..] => (1e6, &unit[1..]),
        _ => (1.0, unit),
    };
    let unit = unit.strip_prefix('-').unwrap_or(unit);
    let known = UNITS.iter().find(|(words, ..)| words.contains(&unit));
    let (_, measure, each) = known.ok_or_else(form)?;
    let number: f64 = number.replace('_', "").parse().map_err(|_| form())?;
    let number = number * times * each;
    let is_whole = number.fract() == 0.0;
    if matches!(measure, Measure::Attempts | Measure::Tokens) && !is_whole {
        return Err(format!("{text} is no whole number of {}", key(*measure)));
    }
    bound(*measure, number).map_err(|(least, most)| {
        let unit = key(*measure);
        format!("a budget of {unit} is from {least} to {most}")
    })
}

/// What is wrong with a number that says nothing of what, or with no number at all.
fn of_what(text: &str, form: String) -> String {
    match text.replace('_', "").parse::<f64>() {
        Err(_) => form,
        Ok(_) => format!(
            "{form}; did you mean `${text}`, `{text}-tokens`, `{text}min` or \
             `{text}-attempts`?"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_typed_as_one_says_it() {
        for (text, expected) in [
            ("2M-tokens", Bound::Tokens(2_000_000)),
            ("1.5M-tokens", Bound::Tokens(1_500_000)),
            ("300k-tokens", Bound::Tokens(300_000)),
            ("2_000-tokens", Bound::Tokens(2_000)),
            ("7tokens", Bound::Tokens(7)),
            ("$20", Bound::UsdMicros(20_000_000)),
            ("$0.05", Bound::UsdMicros(50_000)),
            ("20-usd", Bound::UsdMicros(20_000_000)),
            ("90min", Bound::TimeMs(5_400_000)),
            ("0.5-min", Bound::TimeMs(30_000)),
            ("2h", Bound::TimeMs(7_200_000)),
            ("40-attempts", Bound::Attempts(40)),
            ("1-attempt", Bound::Attempts(1)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_bound_is_refused_with_how_one_is_written() {
        for text in [
            "",
            "20",
            "$",
            "tokens",
            "many-tokens",
            "20€",
            "2G-tokens",
            "-1-tokens",
            "1e3-tokens",
            "2Mtokens",
            "nan-usd",
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains("`2M-tokens`"), "{text}: {told}");
        }
        let told = parse("5").unwrap_err();
        assert!(
            told.ends_with("did you mean `$5`, `5-tokens`, `5min` or `5-attempts`?"),
            "{told}"
        );
        assert!(!parse("").unwrap_err().contains("did you mean"));
        for (text, told) in [
            (
                "1.5-attempts",
                "1.5-attempts is no whole number of attempts",
            ),
            (
                "0-tokens",
                "a budget of tokens is from 1 to 1000000000000000",
            ),
            ("$0", "a budget of usd is from 0.001 to 1000000000"),
            ("0.01min", "a budget of minutes is from 0.017 to 52560000"),
        ] {
            assert_eq!(parse(text).unwrap_err(), told);
        }
    }
}
