//! What differs between two plans, task by task and field by field, in the words of plan files.

use std::collections::BTreeMap;

use divisi_core::Plan;
use serde::Serialize;
use serde_json::{Map, Value};

use super::write::to_value;

/// The field that names a task.
const ID: &str = "subtask_id";

/// All that differs between two plans.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Differences {
    /// Fields of the plan itself.
    pub plan: Vec<FieldChange>,
    /// Tasks that only the second plan has, as they stand there, in its order.
    pub added: Vec<Value>,
    /// Tasks that only the first plan has, as they stand there, in its order.
    pub removed: Vec<Value>,
    /// Tasks of both that differ, in the order of the first plan.
    pub changed: Vec<TaskChange>,
}

/// A task that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskChange {
    /// Its id.
    pub id: String,
    /// What differs, field by field.
    pub fields: Vec<FieldChange>,
}

/// A field that differs. What is not said is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field, as a plan file names it.
    pub field: String,
    /// What the first plan says.
    pub before: Option<Value>,
    /// What the second one says.
    pub after: Option<Value>,
}

impl Differences {
    /// Whether both plans say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Differences::default()
    }
}

/// What differs from the first plan to the second. Tasks are the same if their ids are: one that
/// was renamed is removed and added. The order in which tasks stand says nothing.
#[must_use]
pub fn compare(before: &Plan, after: &Plan) -> Differences {
    let (before, before_tasks) = parted(to_value(before));
    let (after, after_tasks) = parted(to_value(after));
    let by_id = |tasks: &[Map<String, Value>]| -> BTreeMap<String, Map<String, Value>> {
        tasks.iter().map(|task| (id(task), task.clone())).collect()
    };
    let (old, new) = (by_id(&before_tasks), by_id(&after_tasks));
    let only = |tasks: &[Map<String, Value>], other: &BTreeMap<String, _>| {
        let tasks = tasks.iter().filter(|task| !other.contains_key(&id(task)));
        tasks.cloned().map(Value::Object).collect()
    };
    let changed = before_tasks.iter().filter_map(|task| {
        let id = id(task);
        let fields = fields(task, new.get(&id)?);
        (!fields.is_empty()).then_some(TaskChange { id, fields })
    });
    Differences {
        plan: fields(&before, &after),
        added: only(&after_tasks, &old),
        removed: only(&before_tasks, &new),
        changed: changed.collect(),
    }
}

/// The plan without its tasks, and its tasks.
fn parted(plan: Value) -> (Map<String, Value>, Vec<Map<String, Value>>) {
    let Value::Object(mut plan) = plan else {
        unreachable!("a plan is written as an object");
    };
    let tasks = match plan.remove("subtasks") {
        Some(Value::Array(tasks)) => tasks,
        _ => Vec::new(),
    };
    let tasks = tasks.into_iter().filter_map(|task| match task {
        Value::Object(task) => Some(task),
        _ => None,
    });
    (plan, tasks.collect())
}

fn id(task: &Map<String, Value>) -> String {
    let id = task.get(ID).and_then(Value::as_str);
    id.unwrap_or_default().to_owned()
}

fn fields(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let added = after.keys().filter(|key| !before.contains_key(*key));
    let keys = before.keys().chain(added);
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(|key| FieldChange {
            field: key.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan_file::read;

    fn plan(value: &Value) -> Plan {
        read("plan.json", value.to_string().as_bytes())
            .plan
            .expect("it is a plan")
    }

    #[test]
    fn tasks_are_added_removed_and_changed_field_by_field() {
        let before = json!({"task_title": "t", "subtasks": [
            {"subtask_id": "a", "deliverables": ["a.md"]},
            {"subtask_id": "b", "title": "B", "dependencies": ["a"], "deliverables": ["b.md"]},
            {"subtask_id": "c", "deliverables": ["c.md"]},
        ]});
        let after = json!({"task_title": "u", "subtasks": [
            {"subtask_id": "d", "deliverables": ["d.md"]},
            {"subtask_id": "b", "title": "B", "dependencies": ["c"], "deliverables": ["b.md"],
             "priority": "high"},
            {"subtask_id": "c", "deliverables": ["c.md"]},
        ]});
        let found = compare(&plan(&before), &plan(&after));
        assert_eq!(
            serde_json::to_value(&found).expect("plain data"),
            json!({
                "plan": [{"field": "task_title", "before": "t", "after": "u"}],
                "added": [{"subtask_id": "d", "deliverables": ["d.md"]}],
                "removed": [{"subtask_id": "a", "deliverables": ["a.md"]}],
                "changed": [{"id": "b", "fields": [
                    {"field": "dependencies", "before": ["a"], "after": ["c"]},
                    {"field": "priority", "before": null, "after": "high"},
                ]}],
            })
        );
    }

    #[test]
    fn what_is_written_otherwise_and_means_the_same_does_not_differ() {
        let one = json!({"task_title": "t", "subtasks": [
            {"subtask_id": "a", "kind": "work", "deliverables": ["a.md"], "dependencies": []},
            {"subtask_id": "b", "deliverables": ["b.md"], "estimated_seconds": 60},
        ]});
        let two = json!({"task_title": "t", "subtasks": [
            {"subtask_id": "b", "deliverables": [{"path": "b.md"}], "estimated_duration_minutes": 1},
            {"subtask_id": "a", "deliverables": ["a.md"], "criteria": [{"file": "a.md"}]},
        ]});
        assert!(compare(&plan(&one), &plan(&two)).is_empty());
    }
}
