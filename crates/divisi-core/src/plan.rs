//! Plans: a DAG of tasks, as it was accepted. Reading and writing plan files is `divisi-pack`'s.

mod candidates;
mod graph;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::criterion::Criterion;
use crate::ids::{Digest, TaskId};
use crate::preparation::Preparation;
use crate::run::Budget;

pub use candidates::{
    CANDIDATES_MAX, CANDIDATES_MIN, Candidate, Candidates, Preference, Want, count,
};
pub use graph::{Fault, Graph, reversed};

/// The most tasks of one run, those that took others' places included: twice the largest run that
/// was measured. All of them are held in memory.
pub const TASKS_MAX: usize = 200_000;

/// The longest stage context, in bytes: every agent of the stage reads all of it.
pub const STAGE_CONTEXT_BYTES_MAX: usize = 64 << 10;

/// Where an agent writes a plan that nobody else named a file for. What a task that plans makes is not
/// merged.
pub const PLAN_PATH: &str = "divisi-plan.json";

/// What a task is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Makes or changes something.
    #[default]
    Work,
    /// Its artifact is information that informs its dependents.
    Research,
    /// Puts artifacts of other tasks together.
    Compose,
    /// Its artifact is a plan.
    Plan,
    /// Judges what others made.
    Review,
    /// Brings in something from outside, already made.
    External,
    /// A person's consent before dependents may start.
    Approval,
}

/// Where a task's agent works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceKind {
    /// A worktree of its own on the run's head; what it changes is collected and integrated.
    Worktree,
    /// A checkout of the run's head that several tasks share; nothing is collected.
    Shared,
    /// An empty folder of its own; deliverables are collected into the tree.
    Scratch,
}

/// Orders work among tasks that are ready.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After the others.
    Low,
    /// Unless told.
    #[default]
    Medium,
    /// Before the others.
    High,
    /// Before all others.
    Critical,
}

/// What is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A program and its arguments, without a shell.
    Command(Vec<String>),
    /// A script, given to `/bin/sh -eu`.
    Script(String),
    /// An agent does what title and description say.
    Handoff,
    /// Divisi itself fills a template with artifacts.
    Template(Template),
    /// Divisi itself makes the tasks of a stage, by the rules of a bundle; only of plan tasks.
    Expand(Expansion),
    /// Nothing is executed: an approval, an external input, an integration of inputs.
    Nothing,
}

/// How Divisi itself makes tasks: what is read was fixed when the run was created, and is matched
/// against the files that are integrated when the task's turn comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansion {
    /// The artifact that holds the rules.
    pub bundle: Digest,
    /// Which of its stages.
    pub stage: String,
}

/// A document or data file composed from artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The template's text, or `None` to concatenate the inputs.
    pub text: Option<String>,
    /// A path in the tree that holds the template instead.
    pub path: Option<String>,
    /// Where the composed file goes.
    pub output: String,
}

/// What a task takes from others or from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The deliverables of a task.
    Task(TaskId),
    /// Files in the tree; for an external task, a file outside it, relative to the project.
    Path(String),
}

/// A file that a task promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliverable {
    /// Its path in the tree.
    pub path: String,
}

/// What a task is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Milliseconds of work, if estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The upper end, where a range was estimated; never below `duration_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_max_ms: Option<u64>,
    /// Tokens, if estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// A node of a plan, as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Its name.
    pub id: TaskId,
    /// One line.
    pub title: String,
    /// The rest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: TaskKind,
    /// The role's domain (`assigned_to`), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The role's function (`worker_type`), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The agent by name, if the plan asks for one. `command` and `person` need no setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Agents to which the task may be reassigned, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents_else: Vec<String>,
    /// What is executed.
    pub work: Work,
    /// What must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<TaskId>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What it promises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<Deliverable>,
    /// What it may change (`files_affected`); empty means anything. Compiled to a
    /// [`Criterion::Scope`] only where the plan lists one: this is advice to the agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// When it is done. Never empty in an accepted plan, except for approvals and expansions.
    pub criteria: Vec<Criterion>,
    /// Where its agent works.
    pub workspace: WorkspaceKind,
    /// Added to the agent's environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Its time box, if bounded otherwise than by the run's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How many failures beyond the first are retried, if otherwise than by the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Exit statuses that count as success; `[0]` unless told.
    pub ok_exit: Vec<i32>,
    /// Orders work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// What it is expected to take.
    #[serde(default)]
    pub estimate: Estimate,
    /// What all attempts at it may use up together, if bounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub budget: Budget,
    /// How it is solved several times, of which one is taken, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Candidates>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl TaskSpec {
    /// A command in a shared workspace that is done when it exits with 0.
    #[must_use]
    pub fn command(id: TaskId, argv: &[&str]) -> TaskSpec {
        TaskSpec {
            title: id.to_string(),
            id,
            description: String::new(),
            kind: TaskKind::Work,
            domain: None,
            function: None,
            agent: None,
            agents_else: Vec::new(),
            work: Work::Command(argv.iter().map(|&s| s.to_owned()).collect()),
            dependencies: Vec::new(),
            inputs: Vec::new(),
            deliverables: Vec::new(),
            scope: Vec::new(),
            criteria: vec![Criterion::ExitStatus],
            workspace: WorkspaceKind::Shared,
            env: BTreeMap::new(),
            timeout_ms: None,
            retries: None,
            ok_exit: vec![0],
            priority: Priority::Medium,
            estimate: Estimate::default(),
            budget: Budget::default(),
            candidates: None,
        }
    }

    /// All tasks that it waits for by name: its dependencies, and tasks whose deliverables it takes.
    pub fn needs(&self) -> impl Iterator<Item = &TaskId> {
        let inputs = self.inputs.iter().filter_map(|input| match input {
            Input::Task(id) => Some(id),
            Input::Path(_) => None,
        });
        self.dependencies.iter().chain(inputs)
    }

    /// The files it takes that no task makes, as paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Path(path) => Some(path.as_str()),
            Input::Task(_) => None,
        })
    }

    /// The role's canonical pair `domain/function`, as limits name it; `None` without a role.
    #[must_use]
    pub fn role(&self) -> Option<String> {
        match (&self.domain, &self.function) {
            (None, None) => None,
            (Some(domain), None) => Some(domain.clone()),
            (None, Some(function)) => Some(function.clone()),
            (Some(domain), Some(function)) => Some(format!("{domain}/{function}")),
        }
    }
}

/// A stage that the plan's author wrote: a name and its tasks. Stages run one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// For people.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
}

/// Tasks that take the place of one: the parts of a split, or what a plan task planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The tasks. They may depend on each other only.
    pub tasks: Vec<TaskSpec>,
    /// Stages of theirs, run with barriers between them; empty if they have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// What the handoffs of all of them share.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stage_context: String,
    /// Criteria of the whole; only of what takes the place of a plan's only task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
}

/// A DAG of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The intent, in one line.
    pub title: String,
    /// The tasks; their order is their numbers.
    pub tasks: Vec<TaskSpec>,
    /// Authored stages, run with barriers between them; empty if the plan has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// The intent's own criteria, checked on the integrated whole at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// What checkouts of its tree need besides its files.
    #[serde(default, skip_serializing_if = "Preparation::is_empty")]
    pub preparation: Preparation,
    /// What roles tell those who work in them, by [`TaskSpec::role`]. Fixed when the run is created:
    /// editing a role changes the next run, not this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, String>,
}
