//! Reads a whole plan: its tasks, its stages, and the records around them.

use std::collections::BTreeMap;

use divisi_core::plan::{Parts, Stage};
use divisi_core::{Plan, TaskSpec};
use jsonc_parser::ast::{Object, Value};

use super::STAGES_ADVISED_MAX;
use super::structure::{StageSpans, check_structure};
use super::task::{Reader, Spans};
use super::workspace;
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};

/// All keys of a plan.
pub(crate) const KEYS: &[&str] = &[
    "$schema",
    "orchestration_id",
    "parent_task_id",
    "task_title",
    "complexity",
    "created_at",
    "status",
    "subtasks",
    "execution_plan",
    "criteria",
    "workspace",
    "resource_estimate",
    "progress",
    "retry_count",
    "retry_reason",
    "retry_modifications",
    "orchestration_status",
    "blocking_subtask",
    "failure_reason",
    "escalation",
];

/// All keys of `resource_estimate`, in both of its shapes.
pub(crate) const ESTIMATE_KEYS: &[&str] = &[
    "total_subtasks",
    "duration_estimate",
    "token_estimate",
    "masters",
    "workers",
    "total_estimated_duration",
    "total_estimated_tokens",
    "masters_involved",
    "workers_to_spawn",
    "parallelization_possible",
    "bottlenecks",
];

/// All keys of `progress`.
pub(crate) const PROGRESS_KEYS: &[&str] = &[
    "current_stage",
    "completed_subtasks",
    "active_subtasks",
    "failed_subtasks",
    "zombie_subtasks",
];

const PARTS_KEYS: &[&str] = &["stage_context", "subtasks"];

/// The largest number in a record; they are shown, never used.
const RECORD_MAX: u64 = 1 << 53;

/// A plan and where it stands in its text.
pub(crate) struct Placed {
    pub(crate) plan: Plan,
    /// Where its list of tasks starts.
    pub(crate) at: usize,
    /// Where its tasks' names stand, one for each.
    pub(crate) tasks: Vec<Spans>,
}

/// A plan; what is missing is empty in it, which matters only where nothing refuses it.
pub(crate) fn plan(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Plan> {
    placed(value, faults).map(|placed| placed.plan)
}

/// The same with its places.
pub(crate) fn placed(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Placed> {
    let object = fields::object(value, "the plan", faults)?;
    let fields = Fields::open(object, "the plan", KEYS, faults);
    fields.required("task_title", faults);
    let title = fields.line("task_title", faults).unwrap_or_default();
    let subtasks = match fields.required("subtasks", faults) {
        Some(_) => fields.list("subtasks", faults),
        None => None,
    };
    let mut reader = Reader::new(subtasks.unwrap_or_default());
    let criteria = reader.plan_criteria(&fields, faults);
    let (tasks, spans) = tasks(&mut reader, subtasks.unwrap_or_default(), faults);
    let (stages, stage_spans) = stages(&fields, &reader, faults);
    let preparation = workspace::preparation(&fields, &tasks, faults);
    check_records(&fields, faults);
    let plan = Plan {
        title,
        tasks,
        stages,
        criteria,
        preparation,
        roles: BTreeMap::new(),
    };
    let at = fields.get("subtasks").map_or(fields.at, start);
    // If all of a list's elements are faulty, it is not empty for that.
    if subtasks.is_some_and(|list| list.is_empty() || !plan.tasks.is_empty()) {
        check_structure(&plan, at, &spans, &stage_spans, faults);
    }
    let tasks = spans;
    Some(Placed { plan, at, tasks })
}

/// The parts of a task: a list of subtasks, an object that holds one, or a whole plan.
pub(crate) fn parts(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Parts> {
    let mut stage_context = String::new();
    let subtasks = match value {
        Value::Array(array) => &array.elements[..],
        Value::Object(object) if is_plan(object) => return parts_of_plan(value, faults),
        Value::Object(object) => {
            let fields = Fields::open(object, "the list of parts", PARTS_KEYS, faults);
            let context = fields.string("stage_context", faults);
            stage_context = context.unwrap_or_default().to_owned();
            fields.required("subtasks", faults)?;
            fields.list("subtasks", faults)?
        }
        _ => {
            fields::mistyped("the text", "a list of subtasks", value, faults);
            return None;
        }
    };
    let mut reader = Reader::new(subtasks);
    let (tasks, spans) = tasks(&mut reader, subtasks, faults);
    let plan = Plan {
        tasks,
        ..Plan::default()
    };
    check_structure(&plan, start(value), &spans, &StageSpans::default(), faults);
    Some(Parts {
        tasks: plan.tasks,
        stage_context,
        ..Parts::default()
    })
}

/// Whether an object is meant to be a plan, by the key that every plan has.
pub(crate) fn is_plan(object: &Object<'_>) -> bool {
    let mut keys = object.properties.iter().map(|p| p.name.as_str());
    keys.any(|key| key == "task_title")
}

/// What a plan says of its whole, which has no place in another plan, and where to say it instead.
const OF_THE_WHOLE: &[(&str, &str)] = &[
    (
        "criteria",
        "give them to a task of kind `review` that depends on the others",
    ),
    (
        "workspace",
        "what workspaces need is said by the plan that was run",
    ),
];

/// A plan's tasks as parts.
fn parts_of_plan(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Parts> {
    let plan = plan(value, faults)?;
    let Value::Object(object) = value else {
        return None;
    };
    for (key, instead) in OF_THE_WHOLE {
        let of_whole = match *key {
            "criteria" => !plan.criteria.is_empty(),
            _ => !plan.preparation.is_empty(),
        };
        let mut given = object.properties.iter();
        if let Some(property) = given.find(|it| of_whole && it.name.as_str() == *key) {
            faults
                .error(codes::CONFLICT, property.range.start, || {
                    format!("a plan that takes a task's place has `{key}` of its own")
                })
                .hint(*instead);
        }
    }
    Some(Parts {
        tasks: plan.tasks,
        stages: plan.stages,
        ..Parts::default()
    })
}

fn tasks(
    reader: &mut Reader<'_>,
    subtasks: &[Value<'_>],
    faults: &mut Faults<'_>,
) -> (Vec<TaskSpec>, Vec<Spans>) {
    let positions = subtasks.iter().enumerate();
    positions
        .filter_map(|(position, value)| reader.subtask(value, position, faults))
        .unzip()
}

/// The authored stages in the order of their numbers, or of the text if they have none.
fn stages(
    fields: &Fields<'_, '_>,
    reader: &Reader<'_>,
    faults: &mut Faults<'_>,
) -> (Vec<Stage>, StageSpans) {
    let none = (Vec::new(), StageSpans::default());
    let Some(value) = fields.get("execution_plan") else {
        return none;
    };
    let Some(object) = fields::object(value, "`execution_plan`", faults) else {
        return none;
    };
    let mut authored = Vec::new();
    for (name, at, value) in fields::pairs(object, faults) {
        let Value::Array(array) = value else {
            let what = format!("the stage {}", shown(name));
            fields::mistyped(&what, "a list of ids", value, faults);
            continue;
        };
        if array.elements.is_empty() {
            faults.error(codes::STAGE_EMPTY, at, || {
                format!("the stage {} has no task", shown(name))
            });
        }
        let mut stage = Stage {
            name: name.to_owned(),
            tasks: Vec::with_capacity(array.elements.len()),
        };
        let mut spans = Vec::with_capacity(array.elements.len());
        for element in &array.elements {
            if let Some(id) = reader.task_id(element, "execution_plan", faults) {
                stage.tasks.push(id);
                spans.push(start(element) as u32);
            }
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            faults.error(codes::TEXT, at, || {
                format!("{} is no name for a stage", shown(name))
            });
        }
        authored.push((number(name), at, stage, spans));
    }
    order_stages(&mut authored, start(value), faults);
    let mut stages = Vec::with_capacity(authored.len());
    let mut spans = StageSpans::default();
    for (_, _, stage, tasks) in authored {
        stages.push(stage);
        spans.tasks.push(tasks);
    }
    if stages.len() > STAGES_ADVISED_MAX {
        let count = stages.len();
        faults
            .warning(codes::STAGES_MANY, start(value), || {
                format!("{count} stages, more than the advised {STAGES_ADVISED_MAX}")
            })
            .hint("break the request down, or leave the order to the dependencies");
    }
    (stages, spans)
}

/// The number in a stage's name `stage_N`.
pub(crate) fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("stage_")?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

type Authored = (Option<u32>, usize, Stage, Vec<u32>);

fn order_stages(authored: &mut [Authored], at: usize, faults: &mut Faults<'_>) {
    let numbered = authored
        .iter()
        .filter(|(number, ..)| number.is_some())
        .count();
    if numbered == 0 {
        return;
    }
    if numbered < authored.len() {
        let other = authored.iter().find(|(number, ..)| number.is_none());
        let (at, name) = other.map_or((at, ""), |(_, at, stage, _)| (*at, &*stage.name));
        faults
            .error(codes::STAGE_NAMES, at, || {
                format!("the stage {} has no number, but others have", shown(name))
            })
            .hint("name all stages `stage_1`, `stage_2`, …, or none of them");
        return;
    }
    authored.sort_by_key(|(number, ..)| *number);
    for pair in authored.windows(2) {
        let [(first, _, before, _), (second, at, stage, _)] = pair else {
            unreachable!("windows of two have two");
        };
        if first == second {
            faults.error(codes::STAGE_NAMES, *at, || {
                let (one, other) = (shown(&before.name), shown(&stage.name));
                format!("the stages {one} and {other} have one number")
            });
        }
    }
}

/// Fields that record progress: a plan does not hold them, but they must be what they claim.
fn check_records(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) {
    for key in [
        "$schema",
        "orchestration_id",
        "parent_task_id",
        "complexity",
        "created_at",
        "status",
        "retry_reason",
        "retry_modifications",
        "orchestration_status",
        "blocking_subtask",
        "failure_reason",
        "escalation",
    ] {
        fields.string(key, faults);
    }
    fields.integer("retry_count", (0, u64::from(u32::MAX)), faults);
    if let Some(value) = fields.get("resource_estimate") {
        check_estimate(value, faults);
    }
    if let Some(value) = fields.get("progress") {
        check_progress(value, faults);
    }
}

fn check_estimate(value: &Value<'_>, faults: &mut Faults<'_>) {
    let Some(object) = fields::object(value, "`resource_estimate`", faults) else {
        return;
    };
    let fields = Fields::open(object, "the estimate", ESTIMATE_KEYS, faults);
    for key in [
        "total_subtasks",
        "token_estimate",
        "workers",
        "total_estimated_tokens",
        "workers_to_spawn",
    ] {
        fields.integer(key, (0, RECORD_MAX), faults);
    }
    for key in ["duration_estimate", "total_estimated_duration"] {
        fields.string(key, faults);
    }
    for key in ["masters", "masters_involved", "bottlenecks"] {
        check_strings(&fields, key, faults);
    }
    let parallel = fields.get("parallelization_possible");
    if let Some(value) = parallel
        && !matches!(value, Value::BooleanLit(_))
    {
        let what = "`parallelization_possible`";
        fields::mistyped(what, "true or false", value, faults);
    }
}

fn check_progress(value: &Value<'_>, faults: &mut Faults<'_>) {
    let Some(object) = fields::object(value, "`progress`", faults) else {
        return;
    };
    let fields = Fields::open(object, "the progress", PROGRESS_KEYS, faults);
    fields.integer("current_stage", (0, RECORD_MAX), faults);
    for key in &PROGRESS_KEYS[1..] {
        check_strings(&fields, key, faults);
    }
}

fn check_strings(fields: &Fields<'_, '_>, key: &'static str, faults: &mut Faults<'_>) {
    for value in fields.list(key, faults).unwrap_or_default() {
        fields::string(value, key, faults);
    }
}
