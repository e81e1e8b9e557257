//! A number that a program printed, kept exactly so that comparing is the same everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// So many of a figure's parts make one.
const PARTS: i64 = 1_000_000;

/// Beyond so many parts, neighbors could not be told apart.
const REACH: f64 = (1u64 << 53) as f64;

/// The digits behind the point.
const DIGITS: usize = 6;

/// A number in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figure(pub i64);

impl Figure {
    /// The number that a text is, and nothing else beside blanks: `12`, `0.83`, `-1e-3`. What is
    /// finer than a millionth is rounded; `None` for no number, or one that is out of reach.
    #[must_use]
    pub fn read(text: &str) -> Option<Figure> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| b"0123456789+-.eE".contains(&byte)) {
            return None;
        }
        let number: f64 = text.parse().ok()?;
        let parts = (number * PARTS as f64).round();
        (parts.abs() <= REACH).then_some(Figure(parts as i64))
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
        ] {
            assert_eq!(read(text).as_deref(), Some(figure), "{text:?}");
        }
        for text in [
            "", " ", "12 ms", "12\n13", "NaN", "inf", "infinity", "1e300", "0x10", "1_000", "--1",
            "e", "٣",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn figures_are_ordered_as_numbers_are() {
        let mut all: Vec<Figure> = ["10", "9.5", "-3", "0.1"]
            .iter()
            .filter_map(|text| Figure::read(text))
            .collect();
        all.sort();
        let told: Vec<String> = all.iter().map(Figure::to_string).collect();
        assert_eq!(told, ["-3", "0.1", "9.5", "10"]);
    }
}
