//! Workflows: iterations, the roles that work in each, their targets and deliverables, and when an
//! iteration is complete. Authored as YAML, the same for every run.
//!
//! [`read`] turns bytes into a [`Workflow`] and finds every fault at once. It knows no role but the
//! workflow's own, opens no file and matches no pattern: [`crate::bundle`] puts a workflow together
//! with roles, templates and inputs, and expands its iterations into tasks.
//!
//! Beside the plain form, variants are taken that are in use: `phases` that hold iterations,
//! `inputs` with `pattern` and `filter` instead of `targets`, `allocation`, deliverables as objects,
//! `completion_criteria` by `files`, `content` and `commands`. An entry of `agents` may execute a
//! command, a script or a composition, as a task of a plan file does.

mod built_in;
mod criteria;
mod entry;
mod form;
mod read;
mod structure;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use divisi_core::diagnostic::Place;
use divisi_core::plan::{Priority, Work};
use divisi_core::{Criterion, Diagnostic, TaskKind, WorkspaceKind};
use serde::{Deserialize, Serialize};

pub use built_in::BUILT_IN;
pub(crate) use criteria::{names as criterion_names, path_mut as criterion_paths};
pub(crate) use entry::is_id;
pub use form::schema;
pub use read::read;
pub(crate) use structure::{Names, slug};
pub use write::write;

use crate::faults::shown;
use crate::{paths, role};

/// The most iterations of one workflow.
pub const ITERATIONS_MAX: usize = 1_000;

/// The most entries of one iteration's `agents`.
pub const ENTRIES_MAX: usize = 1_000;

/// The most inputs of one workflow.
pub const INPUTS_MAX: usize = 1_000;

/// The most phases of one workflow.
pub const PHASES_MAX: usize = 1_000;

/// The most patterns of one workflow; each is compiled, and held against each deliverable.
pub const PATTERNS_MAX: usize = 300;

/// The most deliverables of one workflow, before they are expanded.
pub const DELIVERABLES_MAX: usize = 10_000;

/// The most points of one target.
pub const POINTS_MAX: u64 = 1_000_000;

/// Iterations, authored once and run often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// Its name, under which it is run.
    pub name: String,
    /// Its version, as its author counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What a run has to be told, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Declared>,
    /// What all of its tasks are told.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    pub context: Context,
    /// In the order of the text.
    pub iterations: Vec<Iteration>,
    /// What the workflow itself says of roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<role::Patch>,
    /// Templates of prompts by role, as paths beneath the templates' root.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
    /// What the workflow says of who leads it; told, never executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<Lead>,
    /// Where it stands.
    pub place: Place,
}

/// An input that a run is given (`--set id=42`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Its name, used as `{name}`.
    pub name: String,
    /// What values it takes.
    pub kind: InputKind,
    /// What it is, for whoever has to give it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its value unless given; without one it has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The values it may have; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// What values an input takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One line of text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A path beneath the tree's root.
    Path,
    /// A revision; the value is the commit at which the run's base left it. Empty unless given.
    Fork,
}

/// What all tasks of an iteration are told: the contents of its `CONTEXT.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What is part of the work.
    #[serde(default)]
    pub scope: Vec<String>,
    /// Documents and examples to look at.
    #[serde(default)]
    pub references: Vec<String>,
    /// Standards and conventions to follow.
    #[serde(default)]
    pub standards: Vec<String>,
    /// What one has to know of the domain.
    #[serde(default)]
    pub knowledge: Vec<String>,
    /// What binds everybody.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// What is not part of the work.
    #[serde(default)]
    pub non_goals: Vec<String>,
}

impl Context {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Context::default()
    }

    /// This one followed by another.
    #[must_use]
    pub fn and(&self, other: &Context) -> Context {
        let both = |one: &[String], other: &[String]| [one, other].concat();
        Context {
            scope: both(&self.scope, &other.scope),
            references: both(&self.references, &other.references),
            standards: both(&self.standards, &other.standards),
            knowledge: both(&self.knowledge, &other.knowledge),
            constraints: both(&self.constraints, &other.constraints),
            non_goals: both(&self.non_goals, &other.non_goals),
        }
    }
}

/// Who leads, in the workflow's words (`orchestrator:`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its point of view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perspective: Option<String>,
    /// What it is good at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// How it decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decision_framework: Vec<String>,
}

/// A part of the work with a goal, an end and criteria of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iteration {
    /// Its id: the name as an id is written, unique in the workflow. The task that stands for the
    /// iteration has this id, and the ids of its tasks begin with it and a dot.
    pub id: String,
    /// Its name, as written.
    pub name: String,
    /// The phase that it is in, if there are phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What it is to reach.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// The ids of the iterations that must be complete before: those that it names, and those
    /// before it whose deliverables its patterns match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// Who does what.
    pub entries: Vec<Entry>,
    /// When it is complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Statement>,
    /// What its tasks are told beside the workflow's own context.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    pub context: Context,
    /// Where it stands.
    pub place: Place,
}

/// One entry of `agents`: a role and its share of the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its label, unique in the iteration: its name, else its role, else what it executes.
    pub label: String,
    /// The role's name, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Files that it works on; an agent is given some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Targets>,
    /// Labels of entries whose deliverables it takes. A composition that names none takes those of
    /// all other entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<String>,
    /// Labels of entries that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// Files that it promises, with variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<Promised>,
    /// How hard each target is, in points; without targets, how hard the whole is. One unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
    /// How targets are shared among agents.
    #[serde(default)]
    pub allocation: Allocation,
    /// When its tasks are done, beside having made their deliverables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Statement>,
    /// One line; made from role and iteration unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is to be done, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What its tasks are for.
    #[serde(default)]
    pub kind: TaskKind,
    /// What is executed; a handoff to an agent unless told.
    pub work: Work,
    /// What else is as a plan file's task has it.
    #[serde(default)]
    pub settings: Settings,
    /// Where it stands.
    pub place: Place,
}

/// Fields of an entry that mean what they mean at a task of a plan file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The agent by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Agents to which it may be reassigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents_else: Vec<String>,
    /// What it may change (`files_affected`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// Where it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceKind>,
    /// Added to its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Its time box in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How many failures are retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Exit statuses that count as success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok_exit: Option<Vec<i32>>,
    /// Orders work.
    #[serde(default)]
    pub priority: Priority,
}

/// Files that an entry works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// A pattern of paths, with variables.
    pub pattern: String,
    /// An expression that a path must satisfy, over its names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

/// A file that an entry promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// Its path, with variables.
    pub path: String,
    /// A file that shows what it should look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How targets are shared among the agents of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// By which rule.
    #[serde(default)]
    pub strategy: Strategy,
    /// At most so many for one agent; the role's `complexity_threshold` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_agent: Option<u32>,
}

/// By which rule targets are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// As few agents as the threshold allows, neighbors together, as evenly as it goes.
    #[default]
    Even,
    /// As many agents, the targets dealt in turn.
    RoundRobin,
    /// All to one agent, whose deliverables may be about all of them.
    Single,
    /// Those together that a variable of their pattern binds alike (`by_service`).
    By(String),
}

/// When something is done, as its author said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// In words, which a rule may understand.
    Words(String),
    /// As a criterion; its path may hold variables.
    Check(Criterion),
}

/// What was read from a workflow file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The workflow; `None` exactly if an error is among the diagnostics.
    pub workflow: Option<Workflow>,
    /// What could be read of one with errors, to look for more of them; nothing is run by it.
    pub draft: Option<Workflow>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Workflow {
    /// Names that follow from inputs that are paths, each with its input: `{story_id}` is the name of
    /// the file that `story` is, without extension.
    pub(crate) fn file_names(&self) -> impl Iterator<Item = (String, &str)> {
        file_names(&self.inputs)
    }

    /// The iteration of this id or name.
    #[must_use]
    pub fn iteration(&self, name: &str) -> Option<&Iteration> {
        let by = |of: fn(&Iteration) -> &str| self.iterations.iter().find(|it| of(it) == name);
        by(|it| &it.id).or_else(|| by(|it| &it.name))
    }
}

/// See [`Workflow::file_names`]; an input of that name counts more.
fn file_names(inputs: &[Declared]) -> impl Iterator<Item = (String, &str)> {
    let paths = inputs.iter().filter(|it| it.kind == InputKind::Path);
    let named = paths.map(|it| (format!("{}_id", it.name), &*it.name));
    named.filter(|(name, _)| !inputs.iter().any(|it| it.name == *name))
}

/// The value of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputValue {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// One line of text, which may be a path.
    Text(String),
}

impl std::fmt::Display for InputValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InputValue::Boolean(flag) => write!(f, "{flag}"),
            InputValue::Integer(number) => write!(f, "{number}"),
            InputValue::Text(text) => f.write_str(text),
        }
    }
}

impl Declared {
    /// The value that a text means.
    ///
    /// # Errors
    /// Why it is none, as a fragment that fits after "is".
    pub fn value(&self, text: &str) -> Result<InputValue, String> {
        let value = match self.kind {
            InputKind::Boolean => match text {
                "true" => InputValue::Boolean(true),
                "false" => InputValue::Boolean(false),
                _ => return Err(format!("{}, not `true` or `false`", shown(text))),
            },
            InputKind::Integer => match text.parse() {
                Ok(number) => InputValue::Integer(number),
                Err(_) => return Err(format!("{}, not a whole number", shown(text))),
            },
            InputKind::String if text.trim().is_empty() => return Err("empty".to_owned()),
            InputKind::String | InputKind::Fork if text.contains(char::is_control) => {
                return Err(format!("{}, not one line of text", shown(text)));
            }
            InputKind::Path if paths::fault(text).is_some() => {
                let fault = paths::fault(text).unwrap_or_default();
                return Err(format!("{}, which {fault}", shown(text)));
            }
            InputKind::String | InputKind::Path | InputKind::Fork => {
                InputValue::Text(text.to_owned())
            }
        };
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == text) {
            let choices = self.choices.join(", ");
            return Err(format!("{}, not one of {choices}", shown(text)));
        }
        Ok(value)
    }
}
