//! The JSON Schema of the plan that an agent is asked for.
//!
//! It is cut from the schema of plan files, so that the two cannot say different things: what only
//! other orchestrators record, and what whoever plans has no say in, is left out, and nothing may be
//! `null` for which leaving it out does as well.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::plan_file;

/// What is to be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All that a run does.
    Whole,
    /// The parts of a task that turned out to be more than one.
    Parts,
}

/// What workspaces need, the project's configuration says; and no editor opens it.
const NEVER_OF_PLAN: [&str; 2] = ["$schema", "workspace"];

/// The parts are held to what their task had to meet.
const NEVER_OF_PARTS: [&str; 1] = ["criteria"];

/// Parts are done in words by their task's own agent, in its environment, with what is left of its
/// budget.
const NEVER_OF_PART: [&str; 13] = [
    "command",
    "script",
    "template",
    "agent",
    "agents_else",
    "candidates",
    "prefer",
    "env",
    "ok_exit",
    "timeout_minutes",
    "retries",
    "workspace",
    "budget",
];

/// The kinds of work that parts may be.
const KINDS_OF_PART: [&str; 2] = ["work", "research"];

/// How the form says of a key that nothing is done with it.
const RECORD: &str = "a record.";

/// The schema.
#[must_use]
pub fn schema(of: Asked) -> Value {
    let mut schema = plan_file::schema();
    cut(&mut schema);
    let parts = of == Asked::Parts;
    let never = |parts_too: &'static [&'static str]| if parts { parts_too } else { &[] };
    drop_keys(&mut schema, &NEVER_OF_PLAN);
    drop_keys(&mut schema, never(&NEVER_OF_PARTS));
    let defs = &mut schema["$defs"];
    drop_keys(&mut defs["Subtask"], never(&NEVER_OF_PART));
    if parts && let Some(kinds) = defs["Kind"]["oneOf"].as_array_mut() {
        kinds.retain(|it| {
            it["const"]
                .as_str()
                .is_some_and(|it| KINDS_OF_PART.contains(&it))
        });
    }
    prune(&mut schema);
    schema
}

fn drop_keys(schema: &mut Value, keys: &[&str]) {
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// Takes out of a schema, and of all that it is made of, records, `null` and the widths of numbers.
fn cut(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("format");
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|_, property| !is_record(property));
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    for named in ["properties", "$defs"] {
        let schemas = object.get_mut(named).and_then(Value::as_object_mut);
        schemas.into_iter().flat_map(Map::values_mut).for_each(cut);
    }
    for one in ["items", "additionalProperties"] {
        object.get_mut(one).into_iter().for_each(cut);
    }
    for several in ["anyOf", "oneOf"] {
        let schemas = object.get_mut(several).and_then(Value::as_array_mut);
        schemas.into_iter().flatten().for_each(cut);
    }
    if let Some(Value::Array(forms)) = object.get_mut("anyOf") {
        forms.retain(|it| it["type"] != "null");
        if let [Value::Object(one)] = &forms[..] {
            let one = one.clone();
            object.remove("anyOf");
            object.extend(one);
        }
    }
}

fn is_record(property: &Value) -> bool {
    let told = property["description"].as_str();
    told.is_some_and(|told| told.ends_with(RECORD))
}

/// Takes out definitions that nothing refers to any more.
fn prune(schema: &mut Value) {
    let mut kept = BTreeSet::new();
    loop {
        let mut named = BTreeSet::new();
        references(schema, &mut named);
        if named == kept {
            return;
        }
        kept = named;
        if let Some(defs) = schema["$defs"].as_object_mut() {
            defs.retain(|name, _| kept.contains(name));
        }
    }
}

fn references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|it| it.strip_prefix("#/$defs/"));
            named.extend(name.map(str::to_owned));
            object.values().for_each(|it| references(it, named));
        }
        Value::Array(list) => list.iter().for_each(|it| references(it, named)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lint::{self, Given};

    /// It stands in each handoff that asks for a plan; more would be told at the cost of the rest.
    const SCHEMA_BYTES_MAX: usize = 15 << 10;

    fn valid(of: Asked, plan: &Value) -> bool {
        let schema = jsonschema::validator_for(&schema(of)).expect("it is a schema");
        schema.is_valid(plan)
    }

    fn plan() -> Value {
        json!({
            "task_title": "Limits",
            "subtasks": [
                {"subtask_id": "a", "title": "A", "description": "Do a.", "kind": "work",
                 "assigned_to": "development", "worker_type": "implementation",
                 "files_affected": ["src/**"], "deliverables": ["a.md"],
                 "criteria": [{"file": "a.md"}, {"format": "markdown", "in": "a.md"}, "it is good"],
                 "estimated_duration_minutes": "10-15", "estimated_tokens": 5_000},
                {"subtask_id": "b", "command": ["make"], "dependencies": ["a"], "inputs": ["a"]},
            ],
            "criteria": [{"command": ["make", "check"]}],
        })
    }

    #[test]
    fn it_is_short_and_whole() {
        for of in [Asked::Whole, Asked::Parts] {
            let schema = schema(of);
            let text = schema.to_string();
            assert!(text.len() < SCHEMA_BYTES_MAX, "{of:?}: {}", text.len());
            assert!(
                !text.contains(RECORD) && !text.contains("\"null\""),
                "{text}"
            );
            let mut named = BTreeSet::new();
            references(&schema, &mut named);
            // How the keys of an object are ordered hangs on what else is built.
            let defined = schema["$defs"].as_object().expect("it defines").keys();
            assert_eq!(defined.cloned().collect::<BTreeSet<_>>(), named);
        }
    }

    #[test]
    fn what_is_refused_by_its_shape_is_refused_by_both() {
        type Mutate = fn(&mut Value);
        let mutations: [(&str, bool, Mutate); 14] = [
            ("nothing", true, |_| {}),
            ("no title", false, |plan| plan["task_title"] = json!("")),
            ("no tasks", false, |plan| plan["subtasks"] = json!([])),
            ("another key", false, |plan| plan["tasks"] = json!([])),
            ("workspaces", false, |plan| {
                plan["workspace"] = json!({"copy": [".env"]})
            }),
            ("no id", false, |plan| {
                plan["subtasks"][0]["subtask_id"] = json!("")
            }),
            ("a key of a task", false, |plan| {
                plan["subtasks"][0]["role"] = json!("x")
            }),
            ("a kind", false, |plan| {
                plan["subtasks"][0]["kind"] = json!("tests")
            }),
            ("an estimate", false, |plan| {
                plan["subtasks"][0]["estimated_tokens"] = json!("many");
            }),
            ("a range", false, |plan| {
                plan["subtasks"][0]["estimated_duration_minutes"] = json!("soon");
            }),
            ("a criterion", false, |plan| {
                plan["subtasks"][0]["criteria"] = json!([{"contains": "x"}]);
            }),
            ("a format", false, |plan| {
                plan["subtasks"][0]["criteria"][1]["format"] = json!("pdf");
            }),
            ("a command", false, |plan| {
                plan["subtasks"][1]["command"] = json!([])
            }),
            ("candidates", true, |plan| {
                plan["subtasks"][0]["candidates"] = json!(2)
            }),
        ];
        for (what, is_good, mutate) in mutations {
            let mut plan = plan();
            mutate(&mut plan);
            assert_eq!(valid(Asked::Whole, &plan), is_good, "{what}");
            let read = lint::read_whole("p", plan.to_string().as_bytes(), &Given::default());
            let mut found = read
                .diagnostics
                .iter()
                .filter(|it| !it.code.starts_with("lint-"));
            let refused = found.any(|it| it.severity == divisi_core::diagnostic::Severity::Error);
            assert_eq!(refused, !is_good, "{what}: {:#?}", read.diagnostics);
        }
    }

    #[test]
    fn plans_of_the_documents_satisfy_it() {
        for text in [
            include_str!("../../../../examples/hello.json"),
            include_str!("../../../../examples/barriers.json"),
            include_str!("../../../../examples/composition-in-levels.json"),
            include_str!("../../../../examples/a-task-for-each-page.json"),
            include_str!("../../../../examples/release.json"),
            include_str!("../../../../examples/review-this-repository.json"),
        ] {
            let plan = serde_json::from_str(text).expect("it is JSON");
            assert!(valid(Asked::Whole, &plan), "{text}");
        }
    }

    #[test]
    fn of_parts_it_has_what_parts_may_say() {
        let part = json!({"subtask_id": "a", "title": "A", "deliverables": ["a.md"]});
        let of = |key: &str, value: Value| {
            let mut part = part.clone();
            part[key] = value;
            json!({"task_title": "A", "subtasks": [part]})
        };
        assert!(valid(Asked::Parts, &of("kind", json!("research"))));
        for (key, value) in [
            ("kind", json!("approval")),
            ("script", json!("true")),
            ("budget", json!({"tokens": 1_000})),
            ("agent", json!("claude")),
        ] {
            let plan = of(key, value);
            assert!(valid(Asked::Whole, &plan), "{key}");
            assert!(!valid(Asked::Parts, &plan), "{key}");
        }
        assert!(
            !valid(Asked::Parts, &plan()),
            "parts have no criteria of a whole"
        );
    }
}
