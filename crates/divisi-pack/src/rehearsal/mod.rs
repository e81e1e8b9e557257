//! Rehearsals: rules by which the *scripted* agent does handoffs, so that a workflow can be played
//! from its beginning to its end without an agent, a model or any cost.
//!
//! A rehearsal is a file of rules. The first rule that fits a task says what is played for it,
//! attempt by attempt: files are written, words printed, statuses returned, time and tokens are
//! said to have been used. [`Rehearsal::script`] makes a script of that for one task, which the
//! scripted agent plays as any other. The same task gives the same script.
//!
//! [`read`] reads a file with all of its faults. A rehearsal is kept as an artifact when a run is
//! created, so that replay reads no file; [`Rehearsal::to_json`] is what is kept.

mod form;
mod made;
mod read;
#[cfg(test)]
mod tests;

use divisi_core::diagnostic::Place;
use divisi_core::script::{Script, Step};
use divisi_core::{Diagnostic, TaskSpec};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::faults::shown;
use crate::nearest::nearest;
use crate::pattern::{self, Pattern};
use crate::role::{Role, canonical};

pub use form::schema;
pub use read::read;

/// The version of what a stored rehearsal looks like.
const FORMAT: u32 = 1;

/// The most rules of one rehearsal: each is looked at for each attempt.
pub const RULES_MAX: usize = 1_000;

/// The most attempts that one rule tells apart.
pub const ATTEMPTS_MAX: usize = 100;

/// Rules in the order in which they are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    format: u32,
    rules: Vec<Rule>,
}

/// What is played for the tasks that it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Glob>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Named>,
    /// At least one promised file matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deliverable: Option<Glob>,
    /// The moves of each attempt; the last list repeats. Never empty.
    attempts: Vec<Vec<Move>>,
    place: Place,
}

/// A role as a rule names it, and as tasks do once that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair: Option<(Option<String>, Option<String>)>,
}

/// One move of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Move {
    /// Makes files that the task promises.
    Make {
        /// Those that match; all unless told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<Glob>,
        /// Their text; one that has what the task's criteria ask for unless told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// What any script can do.
    Step(Step),
}

/// A pattern, which is stored as its text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Glob {
    text: String,
    pattern: Pattern,
}

impl Glob {
    fn new(text: &str) -> Result<Glob, String> {
        pattern::check(text)?;
        let pattern = Pattern::new(text, |_| None)?;
        let text = text.to_owned();
        Ok(Glob { text, pattern })
    }

    fn matches(&self, path: &str) -> bool {
        self.pattern.matches(path)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Glob) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl TryFrom<String> for Glob {
    type Error = String;

    fn try_from(text: String) -> Result<Glob, String> {
        Glob::new(&text).map_err(|fault| format!("the pattern {} {fault}", shown(&text)))
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> String {
        glob.text
    }
}

/// What was read from a file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The rehearsal; `None` exactly if an error is among the diagnostics.
    pub rehearsal: Option<Rehearsal>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Rehearsal {
    fn of(rules: Vec<Rule>) -> Rehearsal {
        let format = FORMAT;
        Rehearsal { format, rules }
    }

    /// The one rule that counts where there is no rehearsal: whatever is promised is made, with
    /// what the criteria ask of its text.
    #[must_use]
    pub fn built_in() -> Rehearsal {
        let make = Move::Make {
            path: None,
            text: None,
        };
        Rehearsal::of(vec![Rule {
            task: None,
            role: None,
            deliverable: None,
            attempts: vec![vec![make]],
            place: Place {
                source: "built-in rehearsal".to_owned(),
                line: 0,
                column: 0,
            },
        }])
    }

    /// Finds the roles that rules name, so that tasks of these roles are known by their domain and
    /// function. A role that is not found may be another workflow's: its rule stands, and fits
    /// tasks that name it so themselves. `known` are the names that may have been meant.
    pub fn resolve<'r>(
        &mut self,
        find: impl Fn(&str) -> Option<&'r Role>,
        known: &[&str],
    ) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for rule in &mut self.rules {
            let Some(named) = &mut rule.role else {
                continue;
            };
            if let Some(role) = find(&named.name) {
                named.pair = Some(role.names_of_tasks());
                continue;
            }
            let cause = format!("there is no role {}", shown(&named.name));
            let told = Diagnostic::warning(codes::WORKFLOW_ROLE, cause).at(rule.place.clone());
            let meant = nearest(&canonical(&named.name), known.iter().copied());
            diagnostics.push(match meant {
                Some(meant) => told.hint(format!("did you mean {}?", shown(meant))),
                None => told,
            });
        }
        diagnostics
    }

    /// What is played for a task, by the first rule that fits it; `None` if none does.
    #[must_use]
    pub fn script(&self, task: &TaskSpec) -> Option<Script> {
        let rule = self.rules.iter().find(|rule| rule.fits(task))?;
        let attempts = rule.attempts.iter();
        Some(Script {
            attempts: attempts.map(|moves| made::steps(moves, task)).collect(),
        })
    }

    /// The rehearsal as it is stored.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a rehearsal has only text keys")
    }

    /// A stored rehearsal.
    ///
    /// # Errors
    /// Why it cannot be read, as a fragment.
    pub fn from_json(bytes: &[u8]) -> Result<Rehearsal, String> {
        let rehearsal: Rehearsal = serde_json::from_slice(bytes)
            .map_err(|error| format!("the rehearsal does not parse: {error}"))?;
        if rehearsal.format != FORMAT {
            let format = rehearsal.format;
            return Err(format!("the rehearsal has format {format}, not {FORMAT}"));
        }
        Ok(rehearsal)
    }
}

impl Rule {
    fn fits(&self, task: &TaskSpec) -> bool {
        let mut promised = task.deliverables.iter();
        let is_task = |glob: &Glob| glob.matches(task.id.as_str());
        self.task.as_ref().is_none_or(is_task)
            && self.role.as_ref().is_none_or(|named| named.fits(task))
            && self
                .deliverable
                .as_ref()
                .is_none_or(|glob| promised.any(|it| glob.matches(&it.path)))
    }
}

impl Named {
    fn fits(&self, task: &TaskSpec) -> bool {
        if let Some((domain, function)) = &self.pair {
            return *domain == task.domain && *function == task.function;
        }
        let name = canonical(&self.name);
        let is_it = |text: &String| canonical(text) == name;
        task.role().as_ref().is_some_and(is_it)
            || task.domain.as_ref().is_some_and(is_it)
            || task.function.as_ref().is_some_and(is_it)
    }
}
