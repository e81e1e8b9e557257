//! The file form of workflows, as the JSON Schema describes it to editors.
//!
//! The reader does not use these types, since it must find every fault with its place; a test holds
//! its keys and those of the schema together.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::plan_file::form::{
    CriterionForm, NumberForm, PriorityForm, TemplateForm, WorkspaceForm,
};
use crate::role::form::{RoleForm, TextForm, TextsForm};

/// The JSON Schema of workflow files.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(WorkflowFileForm).to_value()
}

/// A workflow file: iterations, and what they need of roles and templates.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(title = "Divisi workflow", deny_unknown_fields)]
struct WorkflowFileForm {
    /// The workflow.
    workflow: WorkflowForm,
    /// Roles by their ids, over those of the library.
    agent_roles: Option<BTreeMap<String, RoleForm>>,
    /// Templates of prompts by role, beneath the templates' folder.
    templates: Option<BTreeMap<String, String>>,
    /// Who leads, in words.
    #[schemars(rename = "orchestrator")]
    lead: Option<LeadForm>,
}

/// Iterations, authored once and run often.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Workflow", deny_unknown_fields)]
struct WorkflowForm {
    /// The name under which it is run.
    name: String,
    /// Its version, as its author counts.
    version: Option<TextForm>,
    /// What it is for.
    description: Option<TextForm>,
    /// What a run has to be told, by name: `id: integer`, or an object. Used as `{id}`.
    inputs: Option<BTreeMap<String, DeclaredForm>>,
    /// What all of its tasks are told.
    context: Option<ContextForm>,
    /// The iterations; `phases` may hold them instead.
    #[schemars(length(min = 1))]
    iterations: Option<Vec<IterationForm>>,
    /// Phases that hold the iterations.
    #[schemars(length(min = 1))]
    phases: Option<Vec<PhaseForm>>,
}

/// An input that a run is given.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Input", untagged)]
enum DeclaredForm {
    /// Its type.
    Kind(InputKindForm),
    /// The same at length.
    Long(InputForm),
    /// A text that has to be given.
    Nothing(()),
}

/// What values an input takes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "InputType", rename_all = "snake_case")]
enum InputKindForm {
    /// One line of text.
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

/// An input at length.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "InputObject", deny_unknown_fields)]
struct InputForm {
    /// What values it takes; `string` unless told.
    r#type: Option<InputKindForm>,
    /// What it is, for whoever has to give it.
    description: Option<TextForm>,
    /// Its value unless given; without one it has to be given.
    default: Option<TextForm>,
    /// The values it may have.
    choices: Option<TextsForm>,
}

/// What tasks are told: an object, or words.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Context", untagged)]
enum ContextForm {
    /// By what it speaks of.
    Long(ContextObjectForm),
    /// What one has to know.
    Words(TextsForm),
}

/// What tasks are told.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "ContextObject", deny_unknown_fields)]
struct ContextObjectForm {
    /// What is part of the work.
    scope: Option<TextsForm>,
    /// Documents and examples to look at.
    references: Option<TextsForm>,
    /// Standards and conventions to follow.
    standards: Option<TextsForm>,
    /// What one has to know of the domain.
    knowledge: Option<TextsForm>,
    /// What binds everybody.
    constraints: Option<TextsForm>,
    /// What is not part of the work.
    non_goals: Option<TextsForm>,
}

/// Iterations under one heading.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Phase", deny_unknown_fields)]
struct PhaseForm {
    /// Its id.
    phase: Option<TextForm>,
    /// Its name.
    name: Option<TextForm>,
    /// What it is to reach; an iteration's own goal counts more.
    goal: Option<TextForm>,
    /// Phases that must be complete before, by id or name.
    dependencies: Option<Vec<TextForm>>,
    /// Its iterations.
    #[schemars(length(min = 1))]
    iterations: Vec<IterationForm>,
}

/// A part of the work with a goal, an end and criteria of its own.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Iteration", deny_unknown_fields)]
struct IterationForm {
    /// Its name, unique in the workflow.
    #[schemars(length(min = 1))]
    name: String,
    /// What it is to reach.
    goal: Option<TextForm>,
    /// Iterations that must be complete before. It also waits for those before it whose
    /// deliverables its targets match.
    dependencies: Option<Vec<TextForm>>,
    /// Who does what, side by side.
    #[schemars(length(min = 1))]
    agents: Vec<EntryForm>,
    /// When it is complete.
    completion_criteria: Option<CompletionForm>,
    /// What its tasks are told.
    context: Option<ContextForm>,
}

/// A role and its share of the work.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Entry", deny_unknown_fields)]
struct EntryForm {
    /// The role, by id or alias. Needed where an agent does the work.
    role: Option<String>,
    /// A label, unique in the iteration; the role unless told.
    name: Option<String>,
    /// The title of its tasks, in one line.
    title: Option<String>,
    /// What is to be done, in words.
    description: Option<TextForm>,
    /// Patterns of the files that it works on.
    targets: Option<Vec<TargetForm>>,
    /// The same under another name, and entries whose deliverables it takes.
    inputs: Option<Vec<TargetForm>>,
    /// Files that it promises for each target, with variables such as `{story_id}`.
    deliverables: Option<Vec<DeliverableForm>>,
    /// How hard each target is, in points; 1 unless told.
    #[schemars(range(max = 1_000_000))]
    complexity_per_target: Option<u32>,
    /// How targets are shared among agents.
    allocation: Option<AllocationForm>,
    /// When its tasks are done, beside having made their deliverables.
    criteria: Option<StatementsForm>,
    /// What its tasks are for; `work` unless told.
    kind: Option<EntryKindForm>,
    /// A program and its arguments, run without a shell. `{targets}` and `{deliverables}` stand for
    /// all of them, each as an argument.
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
    /// A script for `/bin/sh -eu`, instead of a command. Its targets are `"$@"`.
    script: Option<String>,
    /// For `compose`: a document or data file made from what other entries made.
    template: Option<TemplateForm>,
    /// The agent that does it, by name, or `auto` for the one that is found when the run is created.
    agent: Option<String>,
    /// Agents to which it may be reassigned after failures.
    agents_else: Option<Vec<String>>,
    /// Entries of the same iteration that must be done before.
    dependencies: Option<Vec<TextForm>>,
    /// Patterns of the files that it may change: advice, not a check.
    files_affected: Option<Vec<String>>,
    /// Where its tasks work.
    workspace: Option<WorkspaceForm>,
    /// Variables added to the environment.
    env: Option<BTreeMap<String, String>>,
    /// How long an attempt may take, in minutes.
    #[schemars(range(min = 0, max = 525_600))]
    timeout_minutes: Option<NumberForm>,
    /// How many failures are retried.
    #[schemars(range(max = 100))]
    retries: Option<u32>,
    /// Exit statuses that count as success.
    #[schemars(length(min = 1), inner(range(min = 0, max = 255)))]
    ok_exit: Option<Vec<i32>>,
    /// Orders tasks that are ready.
    priority: Option<PriorityForm>,
}

/// What the tasks of an entry are for.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "EntryKind", rename_all = "snake_case")]
enum EntryKindForm {
    /// Makes or changes something.
    Work,
    /// Finds something out.
    Research,
    /// Puts artifacts of other entries together.
    Compose,
    /// Judges what others made.
    Review,
    /// A person's consent.
    Approval,
}

/// A pattern of files, or an entry of the same iteration.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Target", untagged)]
enum TargetForm {
    /// A pattern.
    Text(String),
    /// A pattern, or an entry whose deliverables are taken.
    Long(TargetObjectForm),
}

/// A pattern with a filter, or an entry.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "TargetObject", deny_unknown_fields)]
struct TargetObjectForm {
    /// A pattern of paths.
    pattern: Option<String>,
    /// An expression over `path`, `name`, `id` and the pattern's variables. What it says beyond
    /// them is told to the agent.
    filter: Option<TextForm>,
    /// The name of an entry of the same iteration, whose deliverables are taken.
    task: Option<TextForm>,
}

/// A file that is promised.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "PromisedFile", untagged)]
enum DeliverableForm {
    /// Its path, with variables.
    Text(String),
    /// The same at length.
    Long(DeliverableObjectForm),
}

/// A file that is promised, at length.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "PromisedFileObject", deny_unknown_fields)]
struct DeliverableObjectForm {
    /// Its path, with variables.
    path: String,
    /// A file that shows what it should look like.
    template: Option<TextForm>,
    /// What it is, in words.
    description: Option<TextForm>,
}

/// How targets are shared among agents.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Allocation", deny_unknown_fields)]
struct AllocationForm {
    /// `even` unless told; `round_robin`, `single`, or `by_NAME` for targets that a variable binds
    /// alike.
    #[schemars(regex(pattern = r"^(even|round_robin|single|by_.+)$"))]
    strategy: Option<String>,
    /// The variable of `by_criterion`.
    criterion: Option<String>,
    /// At most so many for one agent; the role's `complexity_threshold` unless told.
    #[schemars(range(min = 1, max = 100_000))]
    max_per_agent: Option<u32>,
    /// The same as `complexity_per_target`.
    #[schemars(range(max = 1_000_000))]
    complexity_per_item: Option<u32>,
}

/// When an iteration is complete: statements, or lists of them by what they speak of.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "CompletionCriteria", untagged)]
enum CompletionForm {
    /// Statements.
    List(StatementsForm),
    /// By what they speak of.
    Long(CompletionObjectForm),
}

/// Statements by what they speak of.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "CompletionObject", deny_unknown_fields)]
struct CompletionObjectForm {
    /// Of files: paths, patterns, or words.
    files: Option<StatementsForm>,
    /// Of what stands in them.
    content: Option<StatementsForm>,
    /// Commands that have to exit with 0, for `/bin/sh -eu` or as lists of arguments.
    commands: Option<CommandsForm>,
}

/// One statement, or several.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Statements", untagged)]
enum StatementsForm {
    /// Several.
    Several(Vec<StatementForm>),
    /// One.
    One(StatementForm),
}

/// When something is done.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Statement", untagged)]
enum StatementForm {
    /// A check.
    Check(CriterionForm),
    /// Words.
    Words(crate::role::form::PairForm),
}

/// One command, or several.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Commands", untagged)]
enum CommandsForm {
    /// Several.
    Several(Vec<CommandForm>),
    /// One.
    One(String),
}

/// A command that has to exit with 0.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "CheckCommand", untagged)]
enum CommandForm {
    /// For `/bin/sh -eu`.
    Text(String),
    /// A program and its arguments.
    Argv(Vec<String>),
    /// As a criterion.
    Check(CriterionForm),
}

/// Who leads, in words; told, never executed.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Orchestrator", deny_unknown_fields)]
struct LeadForm {
    /// Its name.
    role: Option<TextForm>,
    /// Its point of view.
    perspective: Option<TextForm>,
    /// What it is good at.
    capabilities: Option<TextsForm>,
    /// How it decides.
    decision_framework: Option<TextsForm>,
}
