//! Strict JSON with offsets: no comments, no trailing commas, no other leniency.
//!
//! The parser recurses and has leniencies without a switch, so a scan over the bytes goes first:
//! it bounds depth and number of values, and refuses what the parser would let pass (control
//! characters in strings, white space that JSON does not know).

use jsonc_parser::ast::Value;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::codes;
use crate::faults::Faults;

/// The largest text read, in bytes. A plan of 100,000 tasks and two million edges with ids of
/// forty characters stays below it.
pub(crate) const TEXT_BYTES_MAX: usize = 128 << 20;

/// The deepest nesting read. A plan needs six levels; the parser recurses for each.
pub(crate) const DEPTH_MAX: usize = 64;

/// The most values read. Each costs about sixty bytes until the plan is made, so this bounds
/// memory at half a gigabyte where the text's size alone would not.
pub(crate) const VALUES_MAX: usize = 8_000_000;

/// The text's one value; `None` after collecting why it is not strict JSON.
pub(crate) fn parse<'t>(text: &'t str, faults: &mut Faults<'_>) -> Option<Value<'t>> {
    scan(text.as_bytes(), faults)?;
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(text, &CollectOptions::default(), &strict) {
        Ok(parsed) if parsed.value.is_some() => parsed.value,
        Ok(_) => {
            faults.error(codes::SYNTAX, 0, || "the text is empty".to_owned());
            None
        }
        Err(fault) => {
            let told = faults.error(codes::SYNTAX, fault.range().start, || {
                let message = fault.kind().to_string();
                let mut chars = message.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase());
                let message: String = first.into_iter().chain(chars).collect();
                message.trim_end_matches('.').to_owned()
            });
            if !text.trim_start().starts_with(['{', '[']) {
                told.hint("it is read as JSON, which begins with `{` or `[`");
            }
            None
        }
    }
}

/// Bounds what the parser will meet. Where the text is not JSON at all, the parser says so.
fn scan(bytes: &[u8], faults: &mut Faults<'_>) -> Option<()> {
    let (mut depth, mut values) = (0usize, 0usize);
    let mut in_string = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if in_string {
            match byte {
                b'"' => in_string = false,
                b'\\' => at += 1,
                0..0x20 => {
                    faults
                        .error(codes::SYNTAX, at, || {
                            format!("control character {byte:#04x} in a string")
                        })
                        .hint("write it as an escape, such as `\\n`; a quote may be missing");
                    return None;
                }
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                0x0b | 0x0c | 0x80.. => {
                    faults.error(codes::SYNTAX, at, || "unexpected character".to_owned());
                    return None;
                }
                _ => {}
            }
            values += usize::from(matches!(byte, b'{' | b'[' | b','));
        }
        if depth > DEPTH_MAX {
            faults.error(codes::TOO_DEEP, at, || {
                format!("nested deeper than {DEPTH_MAX} levels")
            });
            return None;
        }
        if values > VALUES_MAX {
            faults.error(codes::TOO_LARGE, at, || {
                format!("more than {VALUES_MAX} values")
            });
            return None;
        }
        at += 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(bytes: &[u8]) -> Vec<String> {
        let text = match crate::text::text("t", bytes, TEXT_BYTES_MAX) {
            Ok(text) => text,
            Err(diagnostic) => return vec![diagnostic.code],
        };
        let mut faults = Faults::new("t", text);
        let value = parse(text, &mut faults);
        let found = faults.finish();
        assert_eq!(value.is_none(), !found.is_empty());
        found.into_iter().map(|d| d.code).collect()
    }

    #[test]
    fn what_is_accepted_is_exactly_what_another_strict_parser_accepts() {
        let cases = [
            "{}",
            "[]",
            "null",
            "1",
            "\"\"",
            " [1, 2]\r\n\t",
            "[1 2]",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "// c\n{}",
            "{} /* c */",
            "[0x1]",
            "[+1]",
            "[.5]",
            "[5.]",
            "[01]",
            "[1e5]",
            "[1e+]",
            "[-]",
            "[-0]",
            "[1.5E-3]",
            "[NaN]",
            "[Infinity]",
            "[-Infinity]",
            "[tru]",
            "[true]",
            "[nulls]",
            "[\"a\nb\"]",
            "[\"\t\"]",
            "[\"\\x41\"]",
            "[\"\\u00e9\"]",
            "[\"\\ud83d\\ude00\"]",
            "[\"\\ud83d\"]",
            "[\"\\u12\"]",
            "[\"\\'\"]",
            "[\"\\/\"]",
            "[\"\\\n\"]",
            "[\"",
            "[",
            "{",
            "{\"a\"",
            "{\"a\":",
            "]",
            "[}",
            "{]",
            "[1]]",
            "{}{}",
            "",
            " ",
            "\u{a0}[]",
            "[\u{2028}]",
            "\u{0c}[]",
            "[\"\u{2028}\"]",
            "[\"\u{7f}\"]",
            "[1]\0",
            "\0",
            "[\"\\v\"]",
            "[1_000]",
            "[1,,2]",
            "{\"a\":}",
            "{:1}",
            "[\"\\",
            "[\"\\\"",
            "[truefalse]",
            "[true false]",
            "{\"a\":1,\"a\":2}",
        ];
        for case in cases {
            let strict = serde_json::from_str::<serde_json::Value>(case).is_ok();
            assert_eq!(codes_of(case.as_bytes()).is_empty(), strict, "{case:?}");
        }
    }

    #[test]
    fn hostile_texts_are_refused_by_name() {
        assert_eq!(codes_of(b"\xef\xbb\xbf{}"), [""; 0]);
        assert_eq!(codes_of(b"{\"a\": \"\xff\"}"), ["text-encoding"]);
        assert_eq!(codes_of(b"\xff\xfe{\0}\0"), ["text-encoding"]);
        let deep = "[".repeat(10_000_000);
        assert_eq!(codes_of(deep.as_bytes()), ["text-too-deep"]);
        let wide = format!("[{}0]", "0,".repeat(VALUES_MAX + 1));
        assert_eq!(codes_of(wide.as_bytes()), ["text-too-large"]);
        assert_eq!(
            codes_of(&vec![b' '; TEXT_BYTES_MAX + 1]),
            ["text-too-large"]
        );
    }
}
