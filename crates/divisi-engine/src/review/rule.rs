//! Rules as data: what each looks for, why, and examples that show it.
//!
//! One file a perspective in `data/`. A rule is either a *pattern*, with conditions on where it
//! counts, or the name of a *structure*: something that takes more than a pattern to see.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use globset::{Glob, GlobSet, GlobSetBuilder};
use regex::Regex;
use serde::Deserialize;

use super::language::Language;
use super::perspective::Perspective;
use super::source::View;
use super::structure::Structure;

/// How much a finding weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Note,
    /// Probably wrong.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Files of an example by their path. A path after `base:` is the file as it was before the change.
pub type Example = BTreeMap<String, String>;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub perspective: Perspective,
    /// How much a finding weighs.
    pub severity: Severity,
    /// What is the matter, as a fragment.
    pub says: String,
    /// Why it matters and what to do, in sentences.
    pub why: String,
    /// What it finds.
    pub finds: Vec<Example>,
    /// What looks alike and is spared.
    pub spares: Vec<Example>,
    /// Which languages it knows; all, if empty.
    pub(crate) languages: Vec<Language>,
    /// Whether what it finds must not be shown.
    pub(crate) hides: bool,
    /// How it looks.
    pub(crate) form: Form,
}

/// How a rule looks.
#[derive(Debug)]
pub(crate) enum Form {
    /// For a pattern.
    Pattern(Box<Pattern>),
    /// By a function.
    Structure(Structure),
}

/// A pattern and where it counts.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// What is searched.
    pub(crate) view: View,
    /// What for.
    pub(crate) regex: Regex,
    /// What the lines of a match must hold too.
    pub(crate) needs: Option<Regex>,
    /// What on the lines of a match excuses it.
    pub(crate) unless: Option<Regex>,
    /// What in the neighborhood excuses it.
    pub(crate) unless_near: Option<Near>,
    /// What anywhere in the file excuses it.
    pub(crate) unless_file: Option<Regex>,
    /// What the file must hold.
    pub(crate) only_file: Option<Regex>,
    /// What the header of the loop must look like.
    pub(crate) only_loop: Option<Regex>,
    /// In which part of the code.
    pub(crate) part: Where,
    /// Within what.
    pub(crate) inside: Option<Inside>,
    /// Whether the lines of a match must, or must not, name what the loop binds.
    pub(crate) loop_variable: Option<Use>,
    /// Whether the groups `left` and `right` must be the same text.
    pub(crate) equal: bool,
    /// Which files; all, if none.
    pub(crate) paths: Option<GlobSet>,
}

/// Lines around a match.
#[derive(Debug)]
pub(crate) struct Near {
    /// What excuses.
    pub(crate) regex: Regex,
    /// In so many lines above.
    pub(crate) above: u32,
    /// In so many lines below.
    pub(crate) below: u32,
}

/// In which part of the code a pattern counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Where {
    /// Everywhere.
    #[default]
    Anywhere,
    /// In what ships.
    Code,
    /// In tests.
    Tests,
}

/// Within what a pattern counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Inside {
    /// What is repeated.
    Loop,
    /// What an asynchronous function executes itself.
    Async,
}

/// Whether something is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Use {
    /// It is.
    Used,
    /// It is not.
    Unused,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    #[serde(default)]
    languages: Vec<Language>,
    severity: Severity,
    says: String,
    why: String,
    #[serde(default = "code")]
    look: View,
    pattern: Option<String>,
    structure: Option<Structure>,
    needs: Option<String>,
    unless: Option<String>,
    unless_near: Option<WrittenNear>,
    unless_file: Option<String>,
    only_file: Option<String>,
    only_loop: Option<String>,
    #[serde(default, rename = "where")]
    part: Where,
    inside: Option<Inside>,
    loop_variable: Option<Use>,
    #[serde(default)]
    equal: bool,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    hides: bool,
    finds: Vec<Example>,
    spares: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNear {
    pattern: String,
    above: u32,
    below: u32,
}

fn code() -> View {
    View::Code
}

/// What is wrong with a rule as it is written.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the rules are no YAML of the expected form: {0}")]
    Form(String),
    #[error("the rule {0} has neither a pattern nor a structure, or both")]
    Neither(String),
    #[error("a pattern of the rule {id} is malformed: {cause}")]
    Pattern { id: String, cause: String },
}

/// All rules, by perspective and in the order of their files.
pub fn rules() -> &'static [Rule] {
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let of = |perspective: Perspective| {
            read(perspective, perspective.rules_text())
                .expect("the rules of this program are well-formed")
        };
        Perspective::ALL.into_iter().flat_map(of).collect()
    });
    &RULES
}

fn read(perspective: Perspective, text: &str) -> Result<Vec<Rule>, Fault> {
    let written: Vec<Written> =
        serde_saphyr::from_str(text).map_err(|error| Fault::Form(error.to_string()))?;
    written
        .into_iter()
        .map(|rule| rule.into_rule(perspective))
        .collect()
}

impl Written {
    fn into_rule(mut self, perspective: Perspective) -> Result<Rule, Fault> {
        let form = match (self.pattern.take(), self.structure) {
            (Some(pattern), None) => Form::Pattern(Box::new(self.to_pattern(&pattern)?)),
            (None, Some(structure)) => Form::Structure(structure),
            _ => return Err(Fault::Neither(self.id)),
        };
        Ok(Rule {
            id: self.id,
            perspective,
            severity: self.severity,
            says: self.says,
            why: self.why,
            finds: self.finds,
            spares: self.spares,
            languages: self.languages,
            hides: self.hides,
            form,
        })
    }

    fn to_pattern(&self, pattern: &str) -> Result<Pattern, Fault> {
        let malformed = |cause: String| Fault::Pattern {
            id: self.id.clone(),
            cause,
        };
        let regex = |text: &str| Regex::new(text).map_err(|error| malformed(error.to_string()));
        let optional = |text: &Option<String>| text.as_deref().map(regex).transpose();
        let near = |near: &WrittenNear| {
            Ok(Near {
                regex: regex(&near.pattern)?,
                above: near.above,
                below: near.below,
            })
        };
        let mut globs = GlobSetBuilder::new();
        for path in &self.paths {
            globs.add(Glob::new(path).map_err(|error| malformed(error.to_string()))?);
        }
        let globs = globs
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Pattern {
            view: self.look,
            regex: regex(pattern)?,
            needs: optional(&self.needs)?,
            unless: optional(&self.unless)?,
            unless_near: self.unless_near.as_ref().map(near).transpose()?,
            unless_file: optional(&self.unless_file)?,
            only_file: optional(&self.only_file)?,
            only_loop: optional(&self.only_loop)?,
            part: self.part,
            inside: self.inside,
            loop_variable: self.loop_variable,
            equal: self.equal,
            paths: (!globs.is_empty()).then_some(globs),
        })
    }
}

impl Rule {
    /// Whether it knows a language.
    pub(crate) fn knows(&self, language: Language) -> bool {
        self.languages.is_empty() || self.languages.contains(&language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_rule_has_examples_of_both_kinds() {
        let mut ids = std::collections::BTreeSet::new();
        for rule in rules() {
            assert!(ids.insert(rule.id.clone()), "{} twice", rule.id);
            assert!(!rule.finds.is_empty(), "{} finds nothing", rule.id);
            assert!(!rule.spares.is_empty(), "{} spares nothing", rule.id);
            assert!(!rule.says.ends_with('.'), "{}", rule.id);
            assert!(rule.why.ends_with('.'), "{}", rule.id);
        }
    }

    #[test]
    fn a_malformed_rule_is_refused() {
        let check = |text: &str, expected: &str| {
            let fault = read(Perspective::Security, text).expect_err("it is malformed");
            assert!(fault.to_string().contains(expected), "{fault}");
        };
        let rule = "- {id: a, severity: note, says: b, why: C., finds: [], spares: []";
        check("{", "no YAML");
        check(&format!("{rule}}}"), "neither");
        check(&format!("{rule}, pattern: '('}}"), "malformed");
        check(&format!("{rule}, pattern: a, paths: ['[']}}"), "malformed");
        check(&format!("{rule}, pattern: a, wehre: code}}"), "wehre");
    }
}
