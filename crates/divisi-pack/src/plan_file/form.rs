//! The file form of a plan: what is written, and what the JSON Schema describes.
//!
//! These types are separate from the core's on purpose: the core's may change with the journal,
//! this form is a promise to authors and editors. Comments on fields become descriptions in the
//! schema. The reader does not use these types, since it must find every fault with its place;
//! a test holds its keys and those of the schema together.

use std::collections::BTreeMap;

use divisi_core::ledger::{Bound, Measure};
use divisi_core::run::Budget;
use schemars::JsonSchema;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::record::whole;

/// The JSON Schema of plan files.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(PlanForm).to_value()
}

/// A plan: a directed acyclic graph of tasks that Divisi runs, verifies and integrates.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Divisi plan")]
pub(crate) struct PlanForm {
    /// The schema that this file follows, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<String>,
    /// The id that another orchestrator gave this plan; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orchestration_id: Option<String>,
    /// The task that this plan carries out; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_task_id: Option<String>,
    /// The intent, in one line.
    #[schemars(length(min = 1))]
    pub(crate) task_title: String,
    /// How complex the intent was judged to be; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complexity: Option<String>,
    /// When the plan was made; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
    /// How far the plan has come; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// The tasks.
    #[schemars(length(min = 1))]
    pub(crate) subtasks: Vec<SubtaskForm>,
    /// Stages, run one after the other: `stage_1`, `stage_2`, … in the order of their numbers, or
    /// other names in the order of the file. Without it, tasks run as their dependencies allow.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "serialize_stages"
    )]
    #[schemars(with = "Option<BTreeMap<String, Vec<String>>>")]
    pub(crate) execution_plan: Vec<(String, Vec<String>)>,
    /// When the intent is fulfilled, checked on the integrated whole at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) criteria: Option<Vec<CriterionForm>>,
    /// What workspaces need besides the files of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace: Option<PreparationForm>,
    /// What the whole is expected to take; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_estimate: Option<ResourceEstimate>,
    /// How far the plan has come; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Progress>,
    /// How often the plan was retried; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_count: Option<u64>,
    /// Why it was retried; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_reason: Option<String>,
    /// What was changed for the retry; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_modifications: Option<String>,
    /// The orchestration's status, such as `blocked`; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orchestration_status: Option<String>,
    /// The task that blocks the plan; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocking_subtask: Option<String>,
    /// Why the plan failed; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason: Option<String>,
    /// Who was told about it; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) escalation: Option<String>,
}

fn serialize_stages<S: Serializer>(
    stages: &[(String, Vec<String>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(stages.len()))?;
    for (name, tasks) in stages {
        map.serialize_entry(name, tasks)?;
    }
    map.end()
}

/// A task of the plan.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Subtask")]
pub(crate) struct SubtaskForm {
    /// The task's name, unique in the plan.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"), length(max = 100))]
    pub(crate) subtask_id: String,
    /// The task that this plan carries out; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_task_id: Option<String>,
    /// What is to be done, in one line; the id unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// What is to be done, at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// What the task is for; `work` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<KindForm>,
    /// The domain of the role that does it, such as `development`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assigned_to: Option<String>,
    /// The function of the role that does it, such as `planner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker_type: Option<String>,
    /// The agent that does it, by name, or `auto` for the one that is found when the run is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
    /// Agents to which it may be reassigned after failures, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agents_else: Option<Vec<String>>,
    /// The task is solved several times, side by side, and the best solution that passes its checks
    /// is integrated: how often, or one entry for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) candidates: Option<CandidatesForm>,
    /// How candidates that pass are compared: by changed lines, the fewest first, unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefer: Option<PreferenceForm>,
    /// A program and its arguments, run without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<String>>,
    /// A script for `/bin/sh -eu`, instead of a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
    /// For `compose`: a document or data file made from artifacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<TemplateForm>,
    /// Tasks that must be done before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dependencies: Option<Vec<String>>,
    /// What the task takes: tasks by their id, or paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inputs: Option<Vec<InputForm>>,
    /// Files that the task promises; each is checked to be there and not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliverables: Option<Vec<DeliverableForm>>,
    /// Patterns of the files that the task may change: advice to the agent, not a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) files_affected: Option<Vec<String>>,
    /// When the task is done, in plain words: a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success_criteria: Option<WordsForm>,
    /// When the task is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) criteria: Option<Vec<CriterionForm>>,
    /// Where the task works: `worktree` unless it is a command that promises no files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace: Option<WorkspaceForm>,
    /// Variables added to the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<BTreeMap<String, String>>,
    /// How long an attempt may take, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub(crate) timeout_minutes: Option<NumberForm>,
    /// How many failures are retried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub(crate) retries: Option<u32>,
    /// Exit statuses that count as success; `[0]` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(range(min = 0, max = 255)))]
    pub(crate) ok_exit: Option<Vec<i32>>,
    /// Orders tasks that are ready; `medium` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<PriorityForm>,
    /// How long the work is expected to take, in minutes: a number, or a range such as `10-15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimated_duration_minutes: Option<MinutesForm>,
    /// The same in seconds, instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000_000_u64))]
    pub(crate) estimated_seconds: Option<NumberForm>,
    /// How many tokens the work is expected to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000_000_u64))]
    pub(crate) estimated_tokens: Option<u64>,
    /// What all attempts at the task may use up together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<BudgetForm>,
    /// How far the task has come; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// When the task was made; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
    /// How often the task was retried; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_count: Option<u64>,
    /// Why it was retried; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_reason: Option<String>,
    /// What was changed for the retry; a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_modifications: Option<String>,
}

/// How often a task is solved, and by whom.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Candidates")]
pub(crate) enum CandidatesForm {
    /// So often, by the task's own agent.
    Number(#[schemars(range(min = 2, max = 5))] u64),
    /// Once for each entry.
    List(#[schemars(length(min = 2, max = 5))] Vec<CandidateForm>),
}

/// One of several solutions.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Candidate")]
pub(crate) struct CandidateForm {
    /// The agent that makes it; the task's own unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
}

/// A program that prints one number about a solution.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Preference")]
pub(crate) struct PreferenceForm {
    /// The program and its arguments, run without a shell in a checkout of the solution. It prints
    /// one number and exits with 0.
    #[schemars(length(min = 1))]
    pub(crate) command: Vec<String>,
    /// Which number is the best.
    pub(crate) want: WantForm,
    /// How long it may take, in minutes; 10 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub(crate) timeout_minutes: Option<NumberForm>,
}

/// Which of several numbers is the best.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Want")]
pub(crate) enum WantForm {
    /// The smallest.
    Lowest,
    /// The largest.
    Highest,
}

/// Bounds; what is left out is bounded by the run's budget alone.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetForm {
    /// At most so many attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    attempts: Option<u64>,
    /// At most so many minutes of agents' time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 52_560_000))]
    minutes: Option<NumberForm>,
    /// At most so many tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_u64))]
    tokens: Option<u64>,
    /// At most so much money, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    usd: Option<NumberForm>,
}

impl BudgetForm {
    /// The form of a budget; `None` of one that bounds nothing.
    pub(crate) fn of(budget: &Budget) -> Option<BudgetForm> {
        let number = |measure| {
            let much = budget.of(measure)?;
            let number = crate::budget::json(Bound::of(measure, much));
            number.as_f64().map(NumberForm)
        };
        budget.is_bounded().then(|| BudgetForm {
            attempts: budget.attempts,
            minutes: number(Measure::TimeMs),
            tokens: budget.tokens,
            usd: number(Measure::UsdMicros),
        })
    }
}

/// Minutes, or a range of them.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Minutes")]
pub(crate) enum MinutesForm {
    /// So many.
    Number(#[schemars(range(min = 0, max = 525_600_000))] NumberForm),
    /// From so many to so many.
    Range(
        #[schemars(regex(
            pattern = r"^\s*\d+(\.\d+)?\s*([-–]\s*\d+(\.\d+)?)?\s*(min(utes)?)?\s*$"
        ))]
        String,
    ),
}

/// A number that is written without a fraction where it is whole.
pub(crate) struct NumberForm(pub(crate) f64);

impl Serialize for NumberForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.fract() == 0.0 && (0.0..1e15).contains(&self.0) {
            true => serializer.serialize_u64(self.0 as u64),
            false => serializer.serialize_f64(self.0),
        }
    }
}

impl JsonSchema for NumberForm {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

/// What a task is for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Kind")]
pub(crate) enum KindForm {
    /// Makes or changes something.
    Work,
    /// Finds something out; its artifact informs its dependents.
    Research,
    /// Puts artifacts of other tasks together.
    Compose,
    /// Writes a plan, its only deliverable; the tasks in it take its place.
    Plan,
    /// Judges what others made.
    Review,
    /// Brings in something from outside, already made.
    External,
    /// A person's consent before dependents may start.
    Approval,
}

/// Where a task works.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Workspace")]
pub(crate) enum WorkspaceForm {
    /// A worktree of its own; what it changes is collected and integrated.
    Worktree,
    /// A checkout that several tasks share; nothing is collected.
    Shared,
    /// An empty folder of its own; deliverables are collected.
    Scratch,
}

/// Orders tasks that are ready.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Priority")]
pub(crate) enum PriorityForm {
    /// After the others.
    Low,
    /// Unless told.
    Medium,
    /// Before the others.
    High,
    /// Before all others.
    Critical,
}

/// What workspaces, and the checkouts in which checks run, need besides the files of the tree.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Preparation")]
pub(crate) struct PreparationForm {
    /// Patterns of files and folders that git does not track, copied from your own folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub(crate) copy: Option<Vec<String>>,
    /// Programs that are run after that. The files they make, which git must ignore, are kept, and
    /// are put into every workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub(crate) setup: Option<Vec<SetupForm>>,
    /// Patterns of the tracked files that `setup` reads: it is run anew when one of them changes.
    /// Unless told, any file of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub(crate) inputs: Option<Vec<String>>,
    /// How long each program of `setup` may take, in minutes; as long as an attempt unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub(crate) timeout_minutes: Option<NumberForm>,
}

/// A program that prepares a workspace.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Setup")]
pub(crate) enum SetupForm {
    /// A script for `/bin/sh -eu`.
    Script(String),
    /// A program and its arguments, run without a shell.
    Command(#[schemars(length(min = 1))] Vec<String>),
}

/// A document or data file made from artifacts; without `text` and `path` its inputs one after
/// the other.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Template")]
pub(crate) struct TemplateForm {
    /// The template itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// A file in the tree that holds the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Where the file that is made goes; it is a deliverable.
    pub(crate) output: String,
}

/// What a task takes: the id of a task, or a path.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(rename = "Input")]
pub(crate) enum InputForm {
    /// The id of a task if there is one of this name, otherwise a path.
    Text(String),
    /// A task, whose deliverables are taken.
    Task {
        /// Its id.
        task: String,
    },
    /// Files, even where a task has the same name.
    Path {
        /// Their path in the tree; for an external task, relative to the project.
        path: String,
    },
}

/// A file that a task promises.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(rename = "Deliverable")]
pub(crate) enum DeliverableForm {
    /// Its path in the tree.
    Text(String),
    /// The same at length.
    #[expect(
        dead_code,
        reason = "read and described, but the short form is written"
    )]
    Path {
        /// Its path in the tree.
        path: String,
    },
}

/// Plain words.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Words")]
pub(crate) enum WordsForm {
    /// One statement.
    One(String),
    /// Several statements.
    Several(Vec<String>),
}

/// A statement that must hold before a task is done. Paths are relative to the tree's root.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(rename = "Criterion")]
pub(crate) enum CriterionForm {
    /// Plain words that no program understands: a person decides.
    Plain(String),
    /// A file stands there.
    File {
        /// Its path.
        file: String,
        /// Its smallest size in bytes; 1 unless told.
        #[serde(skip_serializing_if = "Option::is_none")]
        min_bytes: Option<u64>,
    },
    /// The text stands in the file, to the letter.
    Contains {
        /// The text.
        contains: String,
        /// The file.
        r#in: String,
    },
    /// The regular expression matches somewhere in the file.
    Matches {
        /// The expression.
        matches: String,
        /// The file.
        r#in: String,
    },
    /// The text does not stand in the file.
    Lacks {
        /// The text.
        lacks: String,
        /// The file.
        r#in: String,
    },
    /// The Markdown file has a heading of this text with something beneath it.
    Section {
        /// The heading's text, without `#`.
        section: String,
        /// The file.
        r#in: String,
    },
    /// The file parses.
    Format {
        /// As what.
        format: FormatForm,
        /// The file.
        r#in: String,
    },
    /// The file satisfies a JSON Schema.
    Schema {
        /// The schema's file.
        schema: String,
        /// The file.
        r#in: String,
    },
    /// The command exits with 0 in a clean checkout.
    Command {
        /// Program and arguments.
        #[schemars(length(min = 1))]
        command: Vec<String>,
        /// How long it may take, in minutes; 10 unless told.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0, max = 525_600))]
        timeout_minutes: Option<NumberForm>,
    },
    /// Nothing outside these patterns was changed.
    Scope {
        /// Patterns of paths; what one after `!` matches must stay as it is. Where all have one,
        /// everything else may change.
        #[schemars(length(min = 1))]
        scope: Vec<String>,
    },
    /// At least one file that matches the pattern was added, changed or removed since the work began;
    /// of the whole, since the run did.
    Changed {
        /// The pattern.
        changed: String,
    },
    /// So many files match the pattern; `min` or `max` must be given.
    Count {
        /// The pattern.
        count: String,
        /// At least so many; 0 if only `max` is given.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        /// At most so many.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
    /// The same of several files.
    Each(EachForm),
    /// The Markdown file cites places of the tree: list items that begin with `path:line` as code, at
    /// least one. Each place is there, and where an item beneath it says `there:` with code, that
    /// stands in the line.
    Cites {
        /// The file.
        cites: String,
    },
}

/// At least one file matches the pattern, and each satisfies the one statement that is given.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline, extend("minProperties" = 2, "maxProperties" = 2))]
pub(crate) struct EachForm {
    /// The pattern.
    pub(crate) each: String,
    /// Each has at least so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_bytes: Option<u64>,
    /// The text stands in each, to the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contains: Option<String>,
    /// The text stands in none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lacks: Option<String>,
    /// Each has this heading with something beneath it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) section: Option<String>,
    /// Each parses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<FormatForm>,
}

/// A file format.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Format")]
pub(crate) enum FormatForm {
    /// JSON, one value.
    Json,
    /// YAML, one document.
    Yaml,
    /// TOML.
    Toml,
    /// Markdown with a heading and no unclosed code fence.
    Markdown,
}

/// What the whole is expected to take, as other orchestrators note it; a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResourceEstimate")]
pub struct ResourceEstimate {
    /// How many tasks.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub total_subtasks: Option<u64>,
    /// How long, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_estimate: Option<String>,
    /// How many tokens.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub token_estimate: Option<u64>,
    /// Which roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masters: Option<Vec<String>>,
    /// How many workers.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub workers: Option<u64>,
    /// How long, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_estimated_duration: Option<String>,
    /// How many tokens.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub total_estimated_tokens: Option<u64>,
    /// Which roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masters_involved: Option<Vec<String>>,
    /// How many workers.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub workers_to_spawn: Option<u64>,
    /// Whether tasks can run side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelization_possible: Option<bool>,
    /// What holds the rest up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottlenecks: Option<Vec<String>>,
}

/// How far the plan has come; a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Progress")]
pub struct Progress {
    /// The lowest stage with an unfinished task.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub current_stage: Option<u64>,
    /// Tasks that are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_subtasks: Option<Vec<String>>,
    /// Tasks that are running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_subtasks: Option<Vec<String>>,
    /// Tasks that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_subtasks: Option<Vec<String>>,
    /// Tasks that were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zombie_subtasks: Option<Vec<String>>,
}
