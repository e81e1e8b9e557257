//! The files that other orchestrators keep, as their descriptions show them, word for word: each is
//! read, and what was read is written again or looked through, so that nothing is lost.

use std::collections::BTreeSet;

use divisi_pack::{config, handoff, plan_file, role, workflow};
use serde_json::{Value, json};

/// What a text is, and so how it is read and compared.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A task of a plan.
    Task,
    /// What stands beside the tasks of a plan.
    OfPlan,
    /// The stages of a plan, in YAML.
    Stages,
    /// An estimate that stands in a plan.
    Estimate,
    /// A handoff.
    Handoff,
    /// A role file.
    Role,
    /// A workflow.
    Workflow,
    /// A block of a workflow and of the configuration.
    Lead,
}

macro_rules! texts {
    ($($kind:ident $name:literal,)*) => {
        &[$((Kind::$kind, $name, include_str!(concat!("../data/", $name)))),*]
    };
}

const TEXTS: &[(Kind, &str, &str)] = texts! {
    Task "subtask.json",
    Stages "execution-plan.yaml",
    Estimate "request-estimate.json",
    Task "retry.json",
    OfPlan "escalation.json",
    Handoff "handoff.json",
    Role "agent-role.yaml",
    Workflow "user-story-refinement.yaml",
    Lead "orchestrator.yaml",
};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn yaml_of(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("it is YAML")
}

/// A plan of these tasks, read and written with what it records.
fn again(plan: &Value) -> Value {
    let text = plan.to_string();
    let read = plan_file::read("plan.json", text.as_bytes());
    let plan = read
        .plan
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics));
    let record = plan_file::read_record("plan.json", text.as_bytes()).expect("it was read");
    json_of(&plan_file::write_with(&plan, &record))
}

/// Asserts that all that a value says stands in another, which may say more.
fn stands_in(value: &Value, other: &Value, name: &str) {
    match (value, other) {
        (Value::Object(one), Value::Object(two)) => {
            for (key, value) in one {
                let found = two.get(key);
                let found = found.unwrap_or_else(|| panic!("{name} lost `{key}`: {other:#}"));
                stands_in(value, found, name);
            }
        }
        (one, two) => assert_eq!(one, two, "{name}"),
    }
}

/// All texts and numbers of a value.
fn leaves(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|value| leaves(value, found)),
        Value::Array(array) => array.iter().for_each(|value| leaves(value, found)),
        Value::String(text) => _ = found.insert(text.clone()),
        Value::Number(number) => _ = found.insert(number.to_string()),
        Value::Bool(_) | Value::Null => {}
    }
}

/// Asserts that every text and number of a source is found in what was read from it.
fn nothing_is_lost(source: &Value, read: &Value, name: &str) {
    let (mut said, mut kept) = (BTreeSet::new(), BTreeSet::new());
    leaves(source, &mut said);
    leaves(read, &mut kept);
    assert!(said.len() > 5, "{name}: {said:?}");
    let lost: Vec<&String> = said.difference(&kept).collect();
    assert!(lost.is_empty(), "{name} lost {lost:?} in {read:#}");
}

#[test]
fn every_described_text_is_read_and_nothing_of_it_is_lost() {
    for (kind, name, text) in TEXTS {
        match kind {
            Kind::Task => {
                let task = json_of(text);
                let written = again(&json!({"task_title": "t", "subtasks": [task]}));
                stands_in(&task, &written["subtasks"][0], name);
            }
            Kind::OfPlan => {
                let mut plan = json_of(text);
                plan["task_title"] = json!("t");
                plan["subtasks"] = json!([{"subtask_id": "auth-002-backend"}]);
                stands_in(&json_of(text), &again(&plan), name);
            }
            Kind::Estimate => {
                let estimate = json_of(text);
                let plan = json!({"task_title": "t", "subtasks": [{"subtask_id": "a"}],
                    "resource_estimate": estimate});
                assert_eq!(again(&plan)["resource_estimate"], estimate, "{name}");
            }
            Kind::Stages => {
                let stages = yaml_of(text);
                // By the comments beside them.
                let mut plan = json!({"task_title": "t", "subtasks": [
                    {"subtask_id": "subtask-001"},
                    {"subtask_id": "subtask-002", "dependencies": ["subtask-001"]},
                    {"subtask_id": "subtask-003", "dependencies": ["subtask-001"]},
                    {"subtask_id": "subtask-004",
                     "dependencies": ["subtask-002", "subtask-003"]}]});
                plan["execution_plan"] = stages["execution_plan"].clone();
                stands_in(&stages, &again(&plan), name);
            }
            Kind::Handoff => {
                let read = handoff::read(name, text.as_bytes());
                assert_eq!(read.diagnostics, [], "{name}");
                let handoff = read.handoff.unwrap();
                assert_eq!(handoff.text(), *text);
                assert!(handoff.others.is_empty(), "{:?}", handoff.others);
                nothing_is_lost(&json_of(text), &shown(&handoff), name);
            }
            Kind::Role => {
                let read = role::read(name, text.as_bytes());
                assert_eq!(read.diagnostics, [], "{name}");
                let role = serde_json::to_value(&read.roles.unwrap()[0]).unwrap();
                // What binds it is told in words: `Token budget: <estimate>`.
                let mut source = yaml_of(text);
                source["agent_role"]["constraints"] = json!([]);
                nothing_is_lost(&source, &role, name);
                assert_eq!(role["constraints"].as_array().unwrap().len(), 3);
            }
            Kind::Workflow => {
                let read = workflow::read(name, text.as_bytes());
                assert_eq!(read.diagnostics, [], "{name}");
                let workflow = serde_json::to_value(read.workflow.unwrap()).unwrap();
                nothing_is_lost(&yaml_of(text), &workflow, name);
            }
            Kind::Lead => {
                let read = config::read(name, text.as_bytes());
                assert_eq!(read.diagnostics, [], "{name}");
                let values = read.values.unwrap();
                let said: Vec<Value> = values
                    .iter()
                    .map(|(_, given)| given.value.json(config::Kind::Texts))
                    .collect();
                nothing_is_lost(&yaml_of(text), &json!(said), name);
                let whole = format!(
                    "{}\n{text}",
                    include_str!("../data/user-story-refinement.yaml")
                );
                let read = workflow::read(name, whole.as_bytes());
                let workflow = serde_json::to_value(read.workflow.unwrap()).unwrap();
                nothing_is_lost(&yaml_of(text), &workflow, name);
            }
        }
    }
}

/// What a handoff says, as far as it was understood.
fn shown(handoff: &handoff::Handoff) -> Value {
    let context = &handoff.context;
    json!([
        handoff.id,
        handoff.from,
        handoff.to,
        handoff.task,
        handoff.run,
        handoff.priority,
        handoff.created_at,
        context.orchestration_context,
        context.dependencies_completed,
        context.next_subtasks,
        context.related_subtasks
    ])
}
