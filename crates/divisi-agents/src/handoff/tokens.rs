//! How many tokens a text is, roughly, and always the same.
//!
//! Every model cuts text in its own way, and no table of one is ours to ship. So a text is
//! estimated from its characters alone, each by its class, which is quick, needs no data, and is
//! additive: the estimate of a whole is that of its parts.
//!
//! Compared with three public vocabularies (OpenAI's `o200k_base` and `cl100k_base`, Anthropic's
//! of 2023), it is from 8 % below to 31 % above for English prose, code, tables and JSON, up to 18 %
//! below for paths, hexadecimal digits and other languages in Latin letters, and up to three and a
//! half times too much for other scripts. A budget is kept roughly, and rather too well.

/// What a character counts, in hundredths of a token.
fn hundredths(c: char) -> u64 {
    match c {
        'a'..='z' => 25,
        'A'..='Z' => 40,
        '0'..='9' => 70,
        ' ' => 10,
        '\u{0}'..='\u{1f}' => 50,
        '\u{21}'..='\u{7f}' => 70,
        '\u{80}'..='\u{7ff}' => 80,
        '\u{800}'..='\u{ffff}' => 120,
        _ => 300,
    }
}

/// The estimate of a text.
#[must_use]
pub fn tokens(text: &str) -> u64 {
    let all: u64 = text.chars().map(hundredths).sum();
    all.div_ceil(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `cl100k_base` makes of texts of each class, counted once.
    #[test]
    fn texts_are_estimated_near_what_a_model_counts() {
        for (text, counted, least, most) in [
            ("", 0, 1.0, 1.0),
            (
                "The core decides, the shell acts; nothing else moves a run.\n",
                14,
                0.9,
                1.4,
            ),
            (
                "fn main() {\n    println!(\"{}\", values.len());\n}\n",
                11,
                0.9,
                1.7,
            ),
            ("{\"path\": \"a/b.md\", \"bytes\": 1200}\n", 15, 0.9, 1.4),
            ("9e3779b97f4a7c15f39cc0605cedc835", 20, 0.8, 1.2),
            ("这个任务依赖于另一个任务", 12, 0.9, 2.0),
        ] {
            let estimate = tokens(text) as f64;
            let (least, most) = (least * f64::from(counted), most * f64::from(counted));
            assert!(
                (least.floor()..=most.ceil()).contains(&estimate),
                "{text:?}: {estimate}, not {least} to {most}"
            );
        }
    }

    #[test]
    fn the_estimate_of_a_whole_is_that_of_its_parts() {
        let (one, other) = ("Größe 12\n", "🚀 { }");
        let both = format!("{one}{other}");
        let apart = tokens(one) + tokens(other);
        assert!((apart - 1..=apart).contains(&tokens(&both)));
    }
}
