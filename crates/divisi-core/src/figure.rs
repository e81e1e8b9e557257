//! A number that a program printed, kept exactly so that comparing is the same everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// So many of a figure's parts make one.
const PARTS: i64 = 1_000_000;

/// The digits behind the point.
const DIGITS: usize = 6;

/// No number is written with more digits, or a larger exponent.
const WRITTEN_MAX: usize = 30;

/// A number in millionths: up to nine million millions on either side of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figure(pub i64);

impl Figure {
    /// The number that a text is, and nothing else beside blanks: `12`, `0.83`, `-1e-3`. What is
    /// finer than a millionth is rounded; `None` for no number, or one that is out of reach.
    #[must_use]
    pub fn read(text: &str) -> Option<Figure> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (text, 0_i32),
        };
        let (sign, unsigned) = match mantissa.strip_prefix('-') {
            Some(unsigned) => (-1, unsigned),
            None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, rest) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = [whole, rest].concat();
        let is_short =
            digits.len() <= WRITTEN_MAX && exponent.unsigned_abs() as usize <= WRITTEN_MAX;
        if digits.is_empty() || !is_short || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i128 = digits.parse().ok()?;
        let scale = exponent + DIGITS as i32 - rest.len() as i32;
        let power = 10_i128.checked_pow(scale.unsigned_abs());
        let parts = match power {
            Some(power) if scale >= 0 => number.checked_mul(power)?,
            Some(power) => (number + power / 2) / power,
            // Finer than anything that is told apart.
            None => 0,
        };
        i64::try_from(sign * parts).ok().map(Figure)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.0.unsigned_abs() / PARTS.unsigned_abs(),
            self.0.unsigned_abs() % PARTS.unsigned_abs(),
        );
        let rest = format!("{rest:0DIGITS$}");
        match rest.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            rest => write!(f, "{sign}{whole}.{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_number_and_nothing_else() {
        let read = |text: &str| Figure::read(text).map(|it| it.to_string());
        for (text, figure) in [
            ("12\n", "12"),
            (" 0.83 ", "0.83"),
            ("-1e-3", "-0.001"),
            ("1e3", "1000"),
            ("0.0000004", "0"),
            (".5", "0.5"),
            ("-0", "0"),
            ("0.0000005", "0.000001"),
            ("10000000000", "10000000000"),
            ("+9000000000000.5", "9000000000000.5"),
            ("-1.25E+2", "-125"),
        ] {
            assert_eq!(read(text).as_deref(), Some(figure), "{text:?}");
        }
        for text in [
            "",
            " ",
            "12 ms",
            "12\n13",
            "NaN",
            "inf",
            "infinity",
            "1e300",
            "0x10",
            "1_000",
            "--1",
            "e",
            "٣",
            ".",
            "1e",
            "1e2.5",
            "10000000000000",
            "1e31",
            "-",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn figures_are_ordered_as_numbers_are() {
        let mut all: Vec<Figure> = ["10", "9.5", "-3", "10000000000", "0.1", "9007199254.740993"]
            .iter()
            .filter_map(|text| Figure::read(text))
            .collect();
        all.sort();
        let told: Vec<String> = all.iter().map(Figure::to_string).collect();
        assert_eq!(
            told,
            ["-3", "0.1", "9.5", "10", "9007199254.740993", "10000000000"]
        );
    }
}
