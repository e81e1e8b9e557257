//! A review as a Markdown document. The same review is the same document, byte for byte.

use std::fmt::Write as _;

use super::language::REVIEW_MARK;
use super::words::{code, prose};
use super::{Finding, Review, short};

/// So many findings of one rule are listed; the rest is counted.
const SHOWN_MAX: usize = 50;

/// A path or a command is shown up to here.
const CODE_CHARS_MAX: usize = 400;

/// The review as Markdown.
#[must_use]
pub fn markdown(review: &Review) -> String {
    let mut out = String::new();
    write_to(&mut out, review).expect("a string takes everything");
    out
}

fn write_to(out: &mut String, review: &Review) -> std::fmt::Result {
    writeln!(out, "{REVIEW_MARK}\n\n# {}\n", review.perspective.title())?;
    let subject = match &review.base {
        Some(base) => format!("What changed since `{}`", short(base)),
        None => "All files under version control".to_owned(),
    };
    writeln!(
        out,
        "{subject}, reviewed by commands alone: {}.\n\n## Findings\n",
        review.summary()
    )?;
    if review.findings.is_empty() {
        writeln!(
            out,
            "None by the rules and tools below. That is not praise: see what was not reviewed.\n"
        )?;
    }
    let same =
        |a: &Finding, b: &Finding| (a.severity, &a.tool, &a.rule) == (b.severity, &b.tool, &b.rule);
    for group in review.findings.chunk_by(same) {
        write_group(out, group)?;
    }
    let unlisted = review.findings_count - review.findings.len();
    if unlisted > 0 {
        writeln!(out, "{unlisted} more findings are only counted.\n")?;
    }
    write_reviewed(out, review)?;
    writeln!(out, "## Not reviewed\n")?;
    for sentence in &review.not_reviewed {
        writeln!(out, "- {sentence}")?;
    }
    Ok(())
}

/// Findings of one rule.
fn write_group(out: &mut String, group: &[Finding]) -> std::fmt::Result {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let severity = first.severity.word();
    if first.why.is_empty() {
        let rule = code(&first.rule, CODE_CHARS_MAX);
        writeln!(
            out,
            "### {severity}: {} {rule}\n",
            code(&first.tool, CODE_CHARS_MAX)
        )?;
    } else {
        // What one place says beyond the rule stands with the place.
        let says = first.says.split(": ").next().unwrap_or_default();
        writeln!(
            out,
            "### {severity}: {says}\n\nRule `{}`. {}\n",
            first.rule, first.why
        )?;
    }
    for finding in group.iter().take(SHOWN_MAX) {
        let place = code(
            &format!("{}:{}", finding.file, finding.line),
            CODE_CHARS_MAX,
        );
        let what = match finding.why.is_empty() {
            true => format!(": {}", prose(&finding.says, CODE_CHARS_MAX)),
            false => match finding.says.split_once(": ") {
                Some((_, what)) => format!(" {}", code(what.trim_matches('`'), CODE_CHARS_MAX)),
                None => String::new(),
            },
        };
        writeln!(out, "- {place}{what}")?;
        if !finding.excerpt.is_empty() {
            writeln!(out, "  - there: {}", code(&finding.excerpt, CODE_CHARS_MAX))?;
        }
        writeln!(out, "  - again: {}", code(&finding.command, CODE_CHARS_MAX))?;
    }
    if group.len() > SHOWN_MAX {
        writeln!(out, "- and {} more", group.len() - SHOWN_MAX)?;
    }
    out.push('\n');
    Ok(())
}

fn write_reviewed(out: &mut String, review: &Review) -> std::fmt::Result {
    writeln!(out, "## Reviewed\n")?;
    if review.reviewed.files.is_empty() {
        writeln!(out, "- Files: none.")?;
    }
    for looked in &review.reviewed.files {
        writeln!(
            out,
            "- Files of {}: {}, with {} lines.",
            looked.language, looked.files, looked.lines
        )?;
    }
    let rules: Vec<String> = review
        .reviewed
        .rules
        .iter()
        .map(|rule| format!("`{rule}`"))
        .collect();
    writeln!(out, "- Rules: {}.", list(&rules))?;
    let tools: Vec<String> = review
        .reviewed
        .tools
        .iter()
        .map(|used| format!("`{}` by {}", used.tool, code(&used.command, CODE_CHARS_MAX)))
        .collect();
    writeln!(out, "- Tools: {}.\n", list(&tools))
}

fn list(items: &[String]) -> String {
    match items.is_empty() {
        true => "none".to_owned(),
        false => items.join(", "),
    }
}
