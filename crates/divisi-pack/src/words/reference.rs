//! The rules as a table for people. The guide holds it; a test keeps the two in step.

use std::fmt::Write as _;

use super::rules::RULES;

/// What is understood, as Markdown: for each rule what it checks, an example, and its phrases.
/// `(a|b)` is one of several, `[a]` may be left out, `{…}` is what you fill in.
#[must_use]
pub fn reference() -> String {
    let mut out = String::new();
    for rule in RULES {
        let example = super::code(rule.example).unwrap_or_default();
        write!(
            out,
            "### {}\n\nChecks: {}. For example {example}.\n\n",
            rule.name, rule.checks
        )
        .expect("writing to a string cannot fail");
        out.push_str("```text\n");
        for phrase in rule.phrases {
            out.push_str(phrase);
            out.push('\n');
        }
        out.push_str("```\n\n");
    }
    out
}
