//! Tidy: the rules of this repository that the compiler does not know, as a command and a test.
//!
//! A rule is a function from the [`Tree`] of texts (and the parsed [`Source`]s) to [`Finding`]s. It
//! reads no file itself, so that each rule is also tested on a small bad sample. What cannot be
//! avoided is excepted by `xtask/tidy.toml`, with a reason; an exception that excepts nothing is a
//! fault too, so the list only holds what is true.

mod absences;
mod docs;
mod exceptions;
mod layering;
mod size;
pub(crate) mod source;
mod tree;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::{Result, vocabulary};
use source::Source;
pub(crate) use tree::Tree;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Tidy fails.
    Fault,
    /// Printed; tidy passes.
    Warning,
    /// Printed with `--verbose`.
    Note,
}

/// One thing that a rule has to say about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the root.
    pub(crate) path: String,
    /// Line from 1; 0 where the whole file is meant.
    pub(crate) line: usize,
    /// The rule's name, as exceptions use it.
    pub(crate) rule: &'static str,
    /// How much it weighs.
    pub(crate) weight: Weight,
    /// What is wrong and what would be right.
    pub(crate) text: String,
}

impl Finding {
    /// A fault at a line.
    pub(crate) fn fault(rule: &'static str, path: &str, line: usize, text: String) -> Finding {
        Finding {
            path: path.to_owned(),
            line,
            rule,
            weight: Weight::Fault,
            text,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Fault => "fault",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        let Finding {
            path, line, rule, ..
        } = self;
        write!(f, "{path}:{line}: {weight}[{rule}]: {}", self.text)
    }
}

/// The form of every rule.
pub(crate) type Rule = fn(&Tree, &[Source]) -> Vec<Finding>;

const RULES: &[Rule] = &[
    layering::imports,
    layering::core,
    absences::in_code,
    absences::in_texts,
    vocabulary::in_code,
    vocabulary::in_prose,
    docs::error_pages,
    docs::front_page,
    docs::changelog,
    size::files,
    size::functions,
];

/// Checks the tree under `root` and prints what was found.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn run(root: &Path, verbose: bool) -> Result<ExitCode> {
    let findings = check(&Tree::read(root)?);
    let faults = findings
        .iter()
        .filter(|f| f.weight == Weight::Fault)
        .count();
    for finding in &findings {
        if verbose || finding.weight != Weight::Note {
            println!("{finding}");
        }
    }
    if faults > 0 {
        println!("tidy: {faults} faults");
        return Ok(ExitCode::FAILURE);
    }
    println!("tidy: no faults");
    Ok(ExitCode::SUCCESS)
}

/// Everything that the rules find, less the exceptions, ordered by place.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = source::all(tree, &mut findings);
    for rule in RULES {
        findings.extend(rule(tree, &sources));
    }
    let mut findings = exceptions::apply(tree, findings);
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    findings
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs one rule on a tree of `(path, text)` and renders what it found, a line each.
    pub(crate) fn found(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let mut findings = Vec::new();
        let sources = source::all(&tree, &mut findings);
        assert_eq!(findings, [], "the sample does not parse");
        rule(&tree, &sources)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_repository_is_tidy() {
        let tree = Tree::read(&crate::root()).unwrap();
        let faults: Vec<String> = check(&tree)
            .iter()
            .filter(|f| f.weight == Weight::Fault)
            .map(ToString::to_string)
            .collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn a_source_that_does_not_parse_is_a_fault() {
        let findings = check(&Tree::of(&[("crates/a/src/lib.rs", "fn f( {}\n")]));
        assert!(
            findings.iter().any(|f| f.rule == "syntax"),
            "no syntax fault in {findings:?}"
        );
    }
}
