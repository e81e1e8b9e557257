use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{BUILT_IN, criteria, entry, read, schema};
use super::{LEAD, SOURCE, meaning::VARIANT};

fn keys(schema: &Value) -> BTreeSet<String> {
    assert_eq!(schema["additionalProperties"], json!(false), "{schema}");
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    let schema = schema();
    let of = |name: &str| keys(&schema["$defs"][name]);
    assert_eq!(keys(&schema), set(read::FILE_KEYS));
    assert_eq!(of("Workflow"), set(read::KEYS));
    assert_eq!(of("Phase"), set(read::PHASE_KEYS));
    assert_eq!(of("Iteration"), set(read::ITERATION_KEYS));
    assert_eq!(of("ContextObject"), set(read::CONTEXT_KEYS));
    assert_eq!(of("InputObject"), set(read::INPUT_KEYS));
    assert_eq!(of("Orchestrator"), set(read::LEAD_KEYS));
    assert_eq!(of("Entry"), set(entry::KEYS));
    assert_eq!(of("Allocation"), set(entry::ALLOCATION_KEYS));
    assert_eq!(of("TargetObject"), set(entry::TARGET_KEYS));
    assert_eq!(of("PromisedFileObject"), set(entry::DELIVERABLE_KEYS));
    assert_eq!(of("CompletionObject"), set(criteria::KEYS));
}

#[test]
fn reader_and_schema_know_the_same_words() {
    let schema = schema();
    let words = |name: &str| -> BTreeSet<String> {
        let forms = schema["$defs"][name]["oneOf"].as_array().unwrap();
        let word = |form: &Value| form["const"].as_str().unwrap().to_owned();
        forms.iter().map(word).collect()
    };
    let kinds: Vec<&str> = entry::KINDS.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("EntryKind"), set(&kinds));
    let inputs: Vec<&str> = read::INPUT_KINDS.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("InputType"), set(&inputs));
}

#[test]
fn what_is_read_satisfies_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let both = format!("{SOURCE}\n{LEAD}");
    let texts = BUILT_IN.iter().map(|(_, _, text)| *text);
    for text in texts.chain([&*both, VARIANT]) {
        let value: Value = serde_saphyr::from_str(text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{text}");
    }
    let misspelt = json!({"workflow": {"name": "w", "iteration": []}});
    assert!(!validator.is_valid(&misspelt));
}
