//! Criteria in plain words: a sentence becomes checks where a rule understands all of it.
//!
//! [`compile()`] reads one statement against a [`Context`], which says what the words may speak of.
//! The result is either checks with the name of the rule that understood, or *unverified* with the
//! reason. Nothing is ever half understood: a rule takes a sentence from its first word to its
//! last, so a condition, an exception, a negation or a hedge that no phrase has leaves the whole
//! sentence to a person. Where two rules read it differently, neither counts.
//!
//! [`say`] is the way back: a sentence, or a criterion in JSON, that is understood as exactly the
//! given criterion. [`reference`](reference()) lists the rules for people.
//!
//! A command is only taken from quotation marks. Whether whoever wrote the text may have commands
//! run is not decided here: the caller knows whose text it is.

pub(crate) mod argv;
mod context;
mod held;
mod phrase;
mod quantity;
mod reference;
mod rules;
mod say;
mod slot;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod why;

use std::fmt;
use std::sync::LazyLock;

use divisi_core::Criterion;

pub use context::{Context, Entity, Promise, Target};
pub(crate) use quantity::units;
pub use reference::reference;
pub use say::say;
pub(crate) use say::{code, duration as say_duration};
pub(crate) use token::{code_span, is_path};
pub use why::Why;

use phrase::{Node, Reading, Sentence};
use rules::{RULES, Rule};

use crate::render::is_unprintable;

/// The longest statement read, in bytes. A person's has some hundred; a criterion in JSON may hold
/// a long text.
pub const STATEMENT_BYTES_MAX: usize = 64 << 10;

/// The most tokens of a statement. No phrase has a tenth of it, lists apart.
pub const TOKENS_MAX: usize = 400;

/// The most criteria that one statement becomes: verdicts name theirs by a 16-bit number.
pub const COMPILED_MAX: usize = 50_000;

/// What became of a statement in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Compiled {
    /// Checks that say the same.
    Checks(Understood),
    /// No check says the same, for this reason: a person judges.
    Unverified(Why),
}

/// What a statement was understood as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// The name of the rule that understood it.
    pub rule: &'static str,
    /// The checks; the statement holds if all do.
    pub criteria: Vec<Criterion>,
}

/// So many criteria are shown of what was understood.
const SHOWN_MAX: usize = 5;

/// What is checked, in one line.
impl fmt::Display for Understood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, criterion) in self.criteria.iter().take(SHOWN_MAX).enumerate() {
            let before = if at == 0 { "" } else { "; " };
            write!(f, "{before}{criterion}")?;
        }
        match self.criteria.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Compiled {
    /// The criteria for a task: the checks, or the words as they are for a person.
    #[must_use]
    pub fn criteria(self, text: &str) -> Vec<Criterion> {
        match self {
            Compiled::Checks(understood) => understood.criteria,
            Compiled::Unverified(_) => vec![Criterion::Plain {
                text: text.to_owned(),
            }],
        }
    }
}

/// What stands before statements in lists, and says nothing.
const BULLETS: &[&str] = &[
    "- ", "* ", "• ", "✅ ", "✔ ", "✓ ", "☑ ", "☐ ", "[ ] ", "[x] ", "[X] ",
];

/// The phrases of all rules.
static PHRASES: LazyLock<Node> = LazyLock::new(|| Node::of(RULES));

/// Understands a statement, or says why not.
pub fn compile(text: &str, context: &Context) -> Compiled {
    understand(text, context).map_or_else(Compiled::Unverified, Compiled::Checks)
}

fn understand(text: &str, context: &Context) -> Result<Understood, Why> {
    let text = bare(text);
    if text.is_empty() {
        return Err(Why::Unreadable("is empty"));
    }
    if text.len() > STATEMENT_BYTES_MAX {
        return Err(Why::Unreadable("is too long"));
    }
    if text
        .chars()
        .any(|c| is_unprintable(c) && !c.is_ascii_whitespace())
    {
        return Err(Why::Unreadable("holds hidden characters"));
    }
    let Ok(tokens) = token::tokens(text) else {
        return Err(Why::Unreadable("has a quotation that does not end"));
    };
    if tokens.len() > TOKENS_MAX {
        return Err(Why::Unreadable("is too long"));
    }
    let is_broken = |token| slot::quoted(token).is_some_and(|text| text.contains(char::is_control));
    if tokens.iter().any(is_broken) {
        return Err(Why::Unreadable("has a line break or tab in a quotation"));
    }
    let mut understood: Option<Understood> = None;
    let mut fault = None;
    for Reading { rule, values } in Sentence::readings(&tokens, context, &PHRASES) {
        let built = values.and_then(|values| (rule.build)(&values, context));
        match (
            built.and_then(|criteria| bounded(rule, criteria)),
            &understood,
        ) {
            (Err(Why::NoRule), _) => {}
            (Err(why), _) => fault = fault.or(Some(why)),
            (Ok(next), Some(first)) if first.criteria != next.criteria => {
                return Err(Why::Ambiguous {
                    first: first.to_string(),
                    second: next.to_string(),
                });
            }
            (Ok(next), None) => understood = Some(next),
            (Ok(_), Some(_)) => {}
        }
    }
    understood.ok_or_else(|| fault.unwrap_or_else(|| why::diagnose(&tokens)))
}

/// The criteria of a reading, each once.
fn bounded(rule: &Rule, mut criteria: Vec<Criterion>) -> Result<Understood, Why> {
    if criteria.is_empty() {
        return Err(Why::NoTargets);
    }
    if criteria.len() > COMPILED_MAX {
        return Err(Why::Unreadable("means too many checks"));
    }
    let mut seen = std::collections::HashSet::new();
    criteria.retain(|criterion| seen.insert(format!("{criterion:?}")));
    Ok(Understood {
        rule: rule.name,
        criteria,
    })
}

/// The statement without what stands before it in a list, and without the full stop at its end.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    text = match text.strip_suffix('.') {
        Some(rest) if !rest.ends_with('.') => rest.trim_end(),
        _ => text,
    };
    while let Some(rest) = BULLETS.iter().find_map(|bullet| text.strip_prefix(bullet)) {
        text = rest.trim_start();
    }
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = digits
        .strip_prefix(". ")
        .or_else(|| digits.strip_prefix(") "));
    let numbered = number.filter(|_| (1..=3).contains(&(text.len() - digits.len())));
    numbered.map_or(text, str::trim_start)
}
