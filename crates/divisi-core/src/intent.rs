//! What a run is for, as it was asked, and how its plan came of it. It is recorded once, told, and
//! decides nothing: nobody reads it to find out what comes next.

use serde::{Deserialize, Serialize};

/// A request that became a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The text as somebody typed it.
    pub text: String,
    /// The text with the answers to questions in it, where that is another one: what was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understood: Option<String>,
    /// How it was decided to handle it.
    pub assessment: Assessed,
    /// What the text left open, and what was settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// Who planned it.
    pub planner: Planner,
    /// What is known to be left out, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The command by which the project tests itself, where one is known. That it passes says that
    /// nothing broke, not that anything was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<String>>,
}

impl Intent {
    /// The text that the plan answers.
    #[must_use]
    pub fn request(&self) -> &str {
        self.understood.as_deref().unwrap_or(&self.text)
    }

    /// What nobody said and was taken for granted, in sentences.
    pub fn assumptions(&self) -> impl Iterator<Item = String> {
        let assumed = self.settled.iter().filter(|it| it.is_assumed);
        assumed.map(|it| format!("{} {}", it.asks, it.answer))
    }
}

/// An assessment as it is kept, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// The approach that the rules decided on.
    pub approach: String,
    /// What is done as long as that approach does not run.
    pub executed_as: String,
    /// How sure it is.
    pub certainty: String,
    /// The reasons, in sentences.
    pub reasons: Vec<String>,
    /// The rules that fired.
    pub rules: Vec<Fired>,
    /// The facts, in sentences.
    pub facts: Vec<String>,
    /// Which workflows are meant, where several are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern_selection: Option<PatternSelection>,
}

/// The decision for several workflows, in the form that other programs know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSelection {
    /// Whether several workflows are meant.
    pub is_multi_workflow: bool,
    /// Why, if they are.
    pub decomposition_reason: Option<String>,
    /// The name of the pack.
    pub pack_name: String,
    /// The workflows.
    pub workflows: Vec<SelectedWorkflow>,
}

/// A workflow of the selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedWorkflow {
    /// Its name: `BillingWorkflow`.
    pub name: String,
    /// How it stands to the others.
    pub role: WorkflowRole,
    /// What it is for.
    pub description: String,
    /// The pattern's number in the catalog.
    pub pattern_id: u32,
    /// The pattern's name.
    pub pattern_name: String,
}

/// How a workflow stands to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowRole {
    /// The one that others build on.
    Primary,
    /// One that needs another first.
    Dependent,
    /// One that stands alone.
    Independent,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Its name.
    pub rule: String,
    /// Which approach it points to.
    pub points: String,
    /// The words or facts that made it fire.
    pub because: Vec<String>,
}

/// A question that was answered, or whose default was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Which ambiguity it was about.
    pub name: String,
    /// What was asked.
    pub asks: String,
    /// What counts.
    pub answer: String,
    /// Whether nobody said so.
    pub is_assumed: bool,
}

/// Who made a plan of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planner {
    /// Nobody divided it.
    One,
    /// Rules, by the text's own parts.
    Structure,
    /// Rules, by a workflow of the catalog.
    Workflow(String),
    /// An agent, as the run's first task.
    Agent,
}

/// After "planned".
impl std::fmt::Display for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Planner::One => write!(f, "as one task"),
            Planner::Structure => write!(f, "by rule, as its own words divide it"),
            Planner::Workflow(name) => write!(f, "by rule, as the workflow {name} has it"),
            Planner::Agent => write!(f, "by an agent, as its first task"),
        }
    }
}
