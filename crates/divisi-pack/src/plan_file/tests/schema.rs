use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::candidates::{CANDIDATE_KEYS, PREFERENCE_KEYS, WANTS};
use super::super::task::{DELIVERABLE_KEYS, INPUT_KEYS, TEMPLATE_KEYS};
use super::super::{
    ESTIMATE_MINUTES_MAX, TIMEOUT_MINUTES_MAX, criteria, schema, task, top, workspace,
};
use super::{one, plan_with_warnings};

fn keys(schema: &Value) -> BTreeSet<String> {
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

/// The key sets of the objects among a schema's alternatives.
fn alternatives(schema: &Value) -> BTreeSet<BTreeSet<String>> {
    let forms = schema["anyOf"].as_array().unwrap();
    let objects = forms.iter().filter(|form| form["type"] == "object");
    objects
        .map(|form| {
            assert_eq!(form["additionalProperties"], json!(false));
            keys(form)
        })
        .collect()
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    let schema = schema();
    let of = |name: &str| schema["$defs"][name].clone();
    assert_eq!(keys(&schema), set(top::KEYS));
    assert_eq!(keys(&of("Subtask")), set(task::KEYS));
    assert_eq!(keys(&of("Template")), set(TEMPLATE_KEYS));
    assert_eq!(keys(&of("Candidate")), set(CANDIDATE_KEYS));
    assert_eq!(keys(&of("Preference")), set(PREFERENCE_KEYS));
    assert_eq!(keys(&of("Preparation")), set(workspace::KEYS));
    assert_eq!(keys(&of("ResourceEstimate")), set(top::ESTIMATE_KEYS));
    assert_eq!(keys(&of("Progress")), set(top::PROGRESS_KEYS));
    for object in [
        "Subtask",
        "Template",
        "Candidate",
        "Preference",
        "Preparation",
        "ResourceEstimate",
        "Progress",
    ] {
        assert_eq!(of(object)["additionalProperties"], json!(false), "{object}");
    }
    assert_eq!(schema["additionalProperties"], json!(false));
    let forms = criteria::FORMS.iter().map(|(_, keys)| set(keys)).collect();
    assert_eq!(alternatives(&of("Criterion")), forms);
    let inputs = INPUT_KEYS.iter().map(|key| set(&[key])).collect();
    assert_eq!(alternatives(&of("Input")), inputs);
    let deliverables = [set(DELIVERABLE_KEYS)].into_iter().collect();
    assert_eq!(alternatives(&of("Deliverable")), deliverables);
}

#[test]
fn reader_and_schema_know_the_same_words() {
    let schema = schema();
    let words = |name: &str| -> BTreeSet<String> {
        let forms = schema["$defs"][name]["oneOf"].as_array().unwrap();
        let word = |form: &Value| form["const"].as_str().unwrap().to_owned();
        forms.iter().map(word).collect()
    };
    let of = |known: Vec<&str>| set(&known);
    assert_eq!(words("Kind"), of(task::KINDS.iter().map(|w| w.0).collect()));
    assert_eq!(words("Want"), of(WANTS.iter().map(|w| w.0).collect()));
    assert_eq!(
        words("Workspace"),
        of(task::WORKSPACES.iter().map(|w| w.0).collect())
    );
    assert_eq!(
        words("Priority"),
        of(task::PRIORITIES.iter().map(|w| w.0).collect())
    );
    assert_eq!(
        words("Format"),
        of(criteria::FORMATS.iter().map(|w| w.0).collect())
    );
}

#[test]
fn reader_and_schema_know_the_same_bounds() {
    let schema = schema();
    let most = |key: &str| schema["$defs"]["Subtask"]["properties"][key]["maximum"].as_f64();
    let estimate = ESTIMATE_MINUTES_MAX as f64;
    assert_eq!(most("timeout_minutes"), Some(TIMEOUT_MINUTES_MAX as f64));
    let minutes = schema["$defs"]["Minutes"]["anyOf"][0]["maximum"].as_f64();
    assert_eq!(minutes, Some(estimate));
    assert_eq!(most("estimated_seconds"), Some(estimate * 60.0));
}

#[test]
fn only_what_is_required_is_required() {
    let schema = schema();
    assert_eq!(schema["required"], json!(["task_title", "subtasks"]));
    assert_eq!(
        schema["$defs"]["Subtask"]["required"],
        json!(["subtask_id"])
    );
}

#[test]
fn what_is_read_and_what_is_written_satisfy_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let check = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{text}");
    };
    for text in [super::meaning::SOURCE, super::meaning::EVERYTHING] {
        check(text);
        check(&super::super::write(&plan_with_warnings(text)));
    }
    let misspelt: Value = serde_json::from_str(&one(r#""comand": ["true"]"#)).unwrap();
    assert!(!validator.is_valid(&misspelt));
}
