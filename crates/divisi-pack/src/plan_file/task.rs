//! Reads one subtask into a task, and notes where its names stand for faults found later.

use std::collections::HashMap;

use divisi_core::plan::{Deliverable, Input, Priority, Work};
use divisi_core::run::AGENT_PERSON;
use divisi_core::{Criterion, TaskId, TaskKind, TaskSpec, WorkspaceKind};
use jsonc_parser::ast::Value;

use super::candidates::candidates;
use super::compile::Promise;
use super::values::{
    agent, agents_else, conflict, deliverables, env, estimate, ok_exit, patterns, work,
};
use super::{CRITERIA_MAX, RETRIES_MAX, criteria};
use crate::budget;
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};

/// All keys of a subtask.
pub(crate) const KEYS: &[&str] = &[
    "subtask_id",
    "parent_task_id",
    "title",
    "description",
    "kind",
    "assigned_to",
    "worker_type",
    "agent",
    "agents_else",
    "candidates",
    "prefer",
    "command",
    "script",
    "template",
    "dependencies",
    "inputs",
    "deliverables",
    "files_affected",
    "success_criteria",
    "criteria",
    "workspace",
    "env",
    "timeout_minutes",
    "retries",
    "ok_exit",
    "priority",
    "estimated_duration_minutes",
    "estimated_seconds",
    "estimated_tokens",
    "budget",
    "status",
    "created_at",
    "retry_count",
    "retry_reason",
    "retry_modifications",
];

pub(crate) const TEMPLATE_KEYS: &[&str] = &["text", "path", "output"];
pub(crate) const DELIVERABLE_KEYS: &[&str] = &["path"];
pub(crate) const INPUT_KEYS: &[&str] = &["task", "path"];

pub(crate) const KINDS: &[(&str, TaskKind)] = &[
    ("work", TaskKind::Work),
    ("research", TaskKind::Research),
    ("compose", TaskKind::Compose),
    ("plan", TaskKind::Plan),
    ("review", TaskKind::Review),
    ("external", TaskKind::External),
    ("approval", TaskKind::Approval),
];

pub(crate) const WORKSPACES: &[(&str, WorkspaceKind)] = &[
    ("worktree", WorkspaceKind::Worktree),
    ("shared", WorkspaceKind::Shared),
    ("scratch", WorkspaceKind::Scratch),
];

pub(crate) const PRIORITIES: &[(&str, Priority)] = &[
    ("low", Priority::Low),
    ("medium", Priority::Medium),
    ("high", Priority::High),
    ("critical", Priority::Critical),
];

/// Where a task's names stand, as byte offsets.
pub(crate) struct Spans {
    /// Its id.
    pub(crate) id: usize,
    /// Whether the id is the author's; otherwise it was missing or unusable, and made up.
    pub(crate) named: bool,
    /// Its dependencies, one for each that the task has.
    pub(crate) dependencies: Vec<u32>,
    /// Its inputs, one for each that the task has.
    pub(crate) inputs: Vec<u32>,
}

/// Reads subtasks against the names of all of them.
pub(crate) struct Reader<'v> {
    names: HashMap<&'v str, TaskId>,
    /// The names in the order of the text, so that suggestions do not vary.
    in_order: Vec<&'v str>,
    criteria: criteria::Reader,
}

impl<'v> Reader<'v> {
    /// Takes note of all ids, so that references share them and inputs can name tasks.
    pub(crate) fn new<'t: 'v>(subtasks: &'v [Value<'t>]) -> Reader<'v> {
        let mut names = HashMap::with_capacity(subtasks.len());
        let mut in_order = Vec::with_capacity(subtasks.len());
        for subtask in subtasks {
            let Value::Object(object) = subtask else {
                continue;
            };
            let id = object
                .properties
                .iter()
                .find(|p| p.name.as_str() == "subtask_id");
            if let Some(Value::StringLit(literal)) = id.map(|property| &property.value)
                && let Ok(id) = TaskId::new(&*literal.value)
            {
                names.entry(&*literal.value).or_insert(id);
                in_order.push(&*literal.value);
            }
        }
        Reader {
            names,
            in_order,
            criteria: criteria::Reader::new(),
        }
    }

    /// The criteria of the whole plan.
    pub(crate) fn plan_criteria(
        &mut self,
        fields: &Fields<'_, '_>,
        faults: &mut Faults<'_>,
    ) -> Vec<Criterion> {
        let criteria = self.criteria.list(fields, "criteria", faults);
        check_count(fields.at, criteria.len(), faults);
        criteria
    }

    /// The task that a text names, sharing its id with the task itself; an id that no task has is
    /// taken, too, and found missing later. `None` after collecting that it is no id.
    pub(crate) fn task_id(
        &self,
        value: &Value<'_>,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Option<TaskId> {
        let text = fields::string(value, key, faults)?;
        if let Some(id) = self.names.get(text) {
            return Some(id.clone());
        }
        checked_id(text, start(value), faults)
    }

    /// One subtask; `None` only if it is no object.
    pub(crate) fn subtask(
        &mut self,
        value: &Value<'_>,
        position: usize,
        faults: &mut Faults<'_>,
    ) -> Option<(TaskSpec, Spans)> {
        let object = fields::object(value, "the subtask", faults)?;
        let errors_before = faults.errors();
        let fields = Fields::open(object, "the subtask", KEYS, faults);
        let (id, mut spans) = self.identity(&fields, position, faults);
        let kind = fields.word("kind", KINDS, faults).unwrap_or_default();
        let (work, output) = work(&fields, kind, faults);
        let dependencies = self.dependencies(&fields, &mut spans, faults);
        let inputs = self.inputs(&fields, kind, &mut spans, faults);
        let mut deliverables = deliverables(&fields, faults);
        if let Some(path) = output
            && !deliverables
                .iter()
                .any(|deliverable| deliverable.path == path)
        {
            deliverables.push(Deliverable { path });
        }
        let ok_exit = ok_exit(&fields, &work, faults);
        let promise = Promise {
            kind,
            work: &work,
            deliverables: &deliverables,
            ok_exit_given: ok_exit.is_some(),
        };
        let criteria = self.task_criteria(&fields, promise, faults);
        let workspace = workspace(&fields, promise, &criteria, faults);
        let candidates = candidates(&fields, (kind, &work, workspace), faults);
        check_kind(&fields, kind, &dependencies, faults);
        let agent = agent(&fields, faults);
        check_person(&fields, agent.as_deref(), &work, faults);
        check_records(&fields, faults);
        let task = TaskSpec {
            title: fields
                .line("title", faults)
                .unwrap_or_else(|| id.to_string()),
            description: fields
                .string("description", faults)
                .unwrap_or_default()
                .to_owned(),
            domain: fields.line("assigned_to", faults),
            function: fields.line("worker_type", faults),
            agent,
            agents_else: agents_else(&fields, faults),
            scope: patterns(&fields, "files_affected", faults),
            env: env(&fields, faults),
            timeout_ms: criteria::timeout_ms(&fields, faults),
            retries: fields
                .integer("retries", (0, RETRIES_MAX), faults)
                .map(|retries| retries as u32),
            ok_exit: ok_exit.unwrap_or_else(|| vec![0]),
            priority: fields
                .word("priority", PRIORITIES, faults)
                .unwrap_or_default(),
            estimate: estimate(&fields, faults),
            budget: fields
                .get("budget")
                .map(|value| budget::budget_of(value, faults))
                .unwrap_or_default(),
            id,
            kind,
            work,
            dependencies,
            inputs,
            deliverables,
            criteria,
            workspace,
            candidates,
        };
        // What is refused anyway may have lost its checks to a fault.
        if faults.errors() == errors_before {
            warn_if_unfalsifiable(&task, &spans, faults);
        }
        Some((task, spans))
    }

    fn identity(
        &self,
        fields: &Fields<'_, '_>,
        position: usize,
        faults: &mut Faults<'_>,
    ) -> (TaskId, Spans) {
        let value = fields.required("subtask_id", faults);
        let given = value.and_then(|value| self.task_id(value, "subtask_id", faults));
        let spans = Spans {
            id: value.map_or(fields.at, start),
            named: given.is_some(),
            dependencies: Vec::new(),
            inputs: Vec::new(),
        };
        // Without an id of its own the task is still read, for the faults in the rest of it.
        let id = given.unwrap_or_else(|| {
            TaskId::new(format!("unnamed-{position}")).expect("letters and digits are an id")
        });
        (id, spans)
    }

    fn dependencies(
        &self,
        fields: &Fields<'_, '_>,
        spans: &mut Spans,
        faults: &mut Faults<'_>,
    ) -> Vec<TaskId> {
        let list = fields.list("dependencies", faults).unwrap_or_default();
        let mut dependencies = Vec::with_capacity(list.len());
        spans.dependencies.reserve_exact(list.len());
        for value in list {
            if let Some(id) = self.task_id(value, "dependencies", faults) {
                dependencies.push(id);
                spans.dependencies.push(start(value) as u32);
            }
        }
        dependencies
    }

    fn inputs(
        &self,
        fields: &Fields<'_, '_>,
        kind: TaskKind,
        spans: &mut Spans,
        faults: &mut Faults<'_>,
    ) -> Vec<Input> {
        let mut inputs = Vec::new();
        for value in fields.list("inputs", faults).unwrap_or_default() {
            if let Some(input) = self.input(value, kind, faults) {
                inputs.push(input);
                spans.inputs.push(start(value) as u32);
            }
        }
        inputs
    }

    fn input(&self, value: &Value<'_>, kind: TaskKind, faults: &mut Faults<'_>) -> Option<Input> {
        let object = match value {
            Value::StringLit(literal) => {
                let named = self.names.get(&*literal.value);
                if let Some(id) = named.filter(|_| kind != TaskKind::External) {
                    return Some(Input::Task(id.clone()));
                }
                if kind != TaskKind::External && !literal.value.contains(['/', '.']) {
                    let meant = faults.nearest(&literal.value, self.in_order.iter().copied());
                    if meant.is_some() {
                        faults
                            .warning(codes::INPUT, start(value), || {
                                let name = shown(&literal.value);
                                format!("the input {name} names no task and is taken as a path")
                            })
                            .meant(meant);
                    }
                }
                return criteria::path_of(value, "inputs", faults).map(Input::Path);
            }
            Value::Object(object) => object,
            _ => {
                mistyped("an input", "a string or an object", value, faults);
                return None;
            }
        };
        let fields = Fields::open(object, "the input", INPUT_KEYS, faults);
        match (fields.get("task"), fields.get("path")) {
            (Some(task), None) => self.task_id(task, "task", faults).map(Input::Task),
            (Some(_), Some(_)) => {
                conflict(fields.at, "an input has both `task` and `path`", faults);
                None
            }
            (None, _) => criteria::path(&fields, "path", faults).map(Input::Path),
        }
    }

    fn task_criteria(
        &mut self,
        fields: &Fields<'_, '_>,
        promise: Promise<'_>,
        faults: &mut Faults<'_>,
    ) -> Vec<Criterion> {
        let listed = self.criteria.list(fields, "criteria", faults);
        let plain: Vec<Criterion> = match fields.get("success_criteria") {
            None => Vec::new(),
            Some(Value::Array(array)) => {
                let words = array.elements.iter();
                words
                    .filter_map(|value| criteria::plain(value, "success_criteria", faults))
                    .collect()
            }
            Some(value) => criteria::plain(value, "success_criteria", faults)
                .into_iter()
                .collect(),
        };
        let criteria = promise.criteria(&listed, &plain);
        check_count(fields.at, criteria.len(), faults);
        criteria
    }
}

fn warn_if_unfalsifiable(task: &TaskSpec, spans: &Spans, faults: &mut Faults<'_>) {
    let falsifiable = task.criteria.iter().any(Criterion::is_falsifiable);
    if falsifiable || task.kind == TaskKind::Approval {
        return;
    }
    faults
        .warning(codes::UNFALSIFIABLE, spans.id, || {
            let id = shown(task.id.as_str());
            format!("no program can find {id} not done; it will wait for a person")
        })
        .hint("promise `deliverables`, or add to `criteria` what a program can check");
}

fn checked_id(text: &str, at: usize, faults: &mut Faults<'_>) -> Option<TaskId> {
    match TaskId::new(text) {
        Ok(id) => Some(id),
        Err(fault) => {
            faults
                .error(codes::ID, at, || {
                    format!("{} is no id: {fault}", shown(text))
                })
                .hint("an id becomes a file name and part of a reference in git");
            None
        }
    }
}

fn check_count(at: usize, count: usize, faults: &mut Faults<'_>) {
    if count > CRITERIA_MAX {
        faults
            .error(codes::TOO_LARGE, at, || {
                format!("{count} criteria, more than {CRITERIA_MAX}")
            })
            .hint("every deliverable is a criterion; count files by a pattern instead");
    }
}

fn workspace(
    fields: &Fields<'_, '_>,
    promise: Promise<'_>,
    criteria: &[Criterion],
    faults: &mut Faults<'_>,
) -> WorkspaceKind {
    let promises = !promise.deliverables.is_empty();
    given_workspace(fields, promises, faults).unwrap_or_else(|| promise.workspace(criteria))
}

/// The workspace that is asked for, if one is.
pub(crate) fn given_workspace(
    fields: &Fields<'_, '_>,
    promises_files: bool,
    faults: &mut Faults<'_>,
) -> Option<WorkspaceKind> {
    let given = fields.word("workspace", WORKSPACES, faults)?;
    if given == WorkspaceKind::Shared && promises_files {
        faults
            .error(codes::CONFLICT, fields.at, || {
                "deliverables are promised, but nothing is collected from a shared workspace"
                    .to_owned()
            })
            .hint("set `workspace` to `worktree` or `scratch`, or leave it out");
    }
    Some(given)
}

/// A person decides about an approval: it takes none of these keys.
pub(crate) fn check_approval(
    fields: &Fields<'_, '_>,
    keys: &[&'static str],
    faults: &mut Faults<'_>,
) {
    for &key in keys {
        if let Some(value) = fields.get(key) {
            let cause = format!("an approval takes no `{key}`: a person decides");
            conflict(start(value), &cause, faults);
        }
    }
}

/// What a person does stands in words: nobody would run the program, and the run would wait for it.
fn check_person(
    fields: &Fields<'_, '_>,
    agent: Option<&str>,
    work: &Work,
    faults: &mut Faults<'_>,
) {
    let program = match work {
        Work::Command(_) => "command",
        Work::Script(_) => "script",
        _ => return,
    };
    if agent == Some(AGENT_PERSON) {
        faults
            .error(codes::CONFLICT, fields.at, || {
                format!("a person does no `{program}`: nobody would run it")
            })
            .hint("leave `agent` out to have it run, or say in `description` what the person does");
    }
}

/// What a kind forbids and what it needs.
fn check_kind(
    fields: &Fields<'_, '_>,
    kind: TaskKind,
    dependencies: &[TaskId],
    faults: &mut Faults<'_>,
) {
    if kind == TaskKind::Approval {
        let keys = ["criteria", "success_criteria", "deliverables", "inputs"];
        check_approval(fields, &keys, faults);
    }
    if kind == TaskKind::External {
        needs(fields, "inputs", faults);
        needs(fields, "deliverables", faults);
    }
    if kind == TaskKind::Plan {
        needs(fields, "deliverables", faults);
        let promised = fields.list("deliverables", faults).unwrap_or_default();
        if let Some(second) = promised.get(1) {
            let cause = "a task of kind `plan` promises one file, its plan";
            conflict(start(second), cause, faults);
        }
    }
    let executes = |key| fields.get(key).is_some();
    if kind == TaskKind::Compose
        && !["command", "script", "template"].into_iter().any(executes)
        && dependencies.is_empty()
    {
        needs(fields, "inputs", faults);
    }
}

/// Collects that a list is not given or empty.
fn needs(fields: &Fields<'_, '_>, key: &'static str, faults: &mut Faults<'_>) {
    match fields.get(key) {
        None => {
            fields.required(key, faults);
        }
        Some(Value::Array(array)) if array.elements.is_empty() => {
            faults.error(codes::MISSING, array.range.start, || {
                format!("`{key}` is empty")
            });
        }
        Some(_) => {}
    }
}

/// Fields that record progress: a plan does not hold them, but they must be what they claim.
fn check_records(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) {
    for key in [
        "parent_task_id",
        "status",
        "created_at",
        "retry_reason",
        "retry_modifications",
    ] {
        fields.string(key, faults);
    }
    fields.integer("retry_count", (0, u64::from(u32::MAX)), faults);
}
