//! What the linter warns of in a plan that an agent made reaches whoever consents, and the agent.

use serde_json::{Value, json};

use crate::intents::{GOOD, LIMITS, planning, with_agent};
use crate::stage::Stage;

/// One task is long, and one is nobody's wish.
fn advised() -> Value {
    json!({"task_title": "Limits", "subtasks": [
        {"subtask_id": "limit", "title": "Limit the requests of a client",
         "assigned_to": "development", "worker_type": "implementation",
         "deliverables": ["src/limit.py"], "criteria": [{"file": "src/limit.py"}],
         "estimated_duration_minutes": 25, "estimated_tokens": 9_000},
        {"subtask_id": "docs", "title": "Document the limits of requests",
         "assigned_to": "documentation", "dependencies": ["limit"], "deliverables": ["limits.md"],
         "criteria": [{"section": "Limits", "in": "limits.md"}],
         "estimated_duration_minutes": 10, "estimated_tokens": 3_000},
        {"subtask_id": "audit", "title": "Audit the security of the limits", "kind": "review",
         "assigned_to": "security", "dependencies": ["docs"], "deliverables": ["audit.md"],
         "criteria": [{"section": "Findings", "in": "audit.md"}],
         "estimated_duration_minutes": 10, "estimated_tokens": 3_000},
    ], "criteria": [{"file": "limits.md"}]})
}

fn told(stage: &Stage, attempt: u32) -> String {
    let path = stage.beside("answers").join(format!("told-{attempt}"));
    std::fs::read_to_string(path).expect("the agent kept what it was told")
}

const LONG: &str = "[lint-task-long] divisi-plan.json:";

#[test]
fn advice_is_told_beside_faults_at_consent_and_beside_a_refusal() {
    let plan = advised();
    let mut faulty = plan.clone();
    faulty["criteria"] = json!([]);
    let (stage, beside) = planning(&[&faulty.to_string(), &plan.to_string(), GOOD]);
    let agent = ["--planner", "agent", "--allow-write", &beside];
    stage
        .divisi(&[&["run", LIMITS][..], &agent].concat())
        .expect(4);
    stage
        .divisi(&["plan", "lint", "1"])
        .expect(6)
        .says("error[planning-unmade]")
        .says("divisi approve run-1");
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    // The first plan was refused for its fault, and the advice about it was told below.
    let again = told(&stage, 1);
    let at = |words: &str| {
        again
            .find(words)
            .unwrap_or_else(|| panic!("{words}: {again}"))
    };
    assert!(
        at("[lint-intent]") < at("advice, not a reason to refuse it"),
        "{again}"
    );
    assert!(
        at("advice, not a reason to refuse it") < at(LONG),
        "{again}"
    );
    assert!(told(&stage, 0).contains("Its JSON Schema:"));
    // The second one stands, with its advice.
    stage
        .divisi(&["show", "1"])
        .expect(0)
        .says("advised     [lint-");
    stage
        .divisi(&["show", "1", "plan"])
        .expect(0)
        .says("fault       [lint-intent]")
        .says(&format!("  advised     {LONG}"));
    stage
        .divisi(&["explain", "1"])
        .expect(0)
        .says(&format!("advised: {LONG}"));
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("## Advised about the plan");
    let shown = stage.divisi(&["show", "1", "--json"]).expect(0);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("it is JSON");
    let codes: Vec<&str> = { shown["advice"].as_array().expect("a list").iter() }
        .filter_map(|it| it.as_str()?.split(['[', ']']).nth(1))
        .collect();
    assert_eq!(codes, ["lint-task-long", "lint-unasked"]);
    // It is held against what the run is for, as when it was read.
    stage
        .divisi(&["plan", "lint", "1"])
        .expect(0)
        .says("no fault, 2 warnings")
        .says("warning[lint-unasked]");
    stage
        .divisi(&["reject", "1", "--reason", "no audit"])
        .expect(0);
    stage
        .divisi(&["plan", "lint", "1"])
        .expect(6)
        .says("fault   a person refused it: no audit")
        .says(&format!("advice  {LONG}"));
    stage.divisi(&["resume", "1"]).expect(4);
    let again = told(&stage, 2);
    assert!(
        again.contains("no audit") && again.contains("[lint-unasked]"),
        "{again}"
    );
}

#[test]
fn what_agents_answer_here_satisfies_the_schema_that_they_are_told() {
    let (stage, _) = planning(&[GOOD]);
    let printed = stage.divisi(&["schema", "planned"]).expect(0);
    let schema: Value = serde_json::from_str(&printed.stdout).expect("it is JSON");
    let schema = jsonschema::validator_for(&schema).expect("it is a schema");
    let good: Value = serde_json::from_str(GOOD).expect("it is JSON");
    for plan in [good, advised()] {
        let faults: Vec<_> = schema.iter_errors(&plan).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn on_a_terminal_advice_stands_before_the_question() {
    let (stage, beside) = planning(&[&advised().to_string()]);
    let stage = stage.with_env("NO_COLOR", "1");
    let agent = ["--planner", "agent", "--allow-write", &beside];
    let args = [&["run", LIMITS][..], &agent].concat();
    let (_, shown) = stage.on_a_terminal(&args, "y\nn\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let asked: Vec<&str> = shown.split("run it?").collect();
    let [first, second, _] = &asked[..] else {
        panic!("asked twice: {shown}");
    };
    let advice = format!("advised: {LONG}");
    assert!(
        !first.contains(&advice) && second.contains(&advice),
        "{shown}"
    );
    assert!(shown.contains(", 2 warnings"), "{shown}");
}

#[test]
fn which_trivial_tasks_were_joined_is_said() {
    let page = |id: &str| {
        json!({"subtask_id": id, "title": format!("Document the {id}"),
               "assigned_to": "documentation", "deliverables": [format!("docs/{id}.md")],
               "criteria": [{"file": format!("docs/{id}.md")}],
               "estimated_duration_minutes": 8, "estimated_tokens": 3_000})
    };
    let plan = json!({"task_title": "Pages", "subtasks": [page("limits"), page("errors")],
                      "criteria": [{"file": "docs/limits.md"}]});
    let words =
        "1. Document the limits in docs/limits.md\n2. Document the errors in docs/errors.md";
    let (stage, beside) = planning(&[&plan.to_string()]);
    let agent = ["--planner", "agent", "--allow-write", &beside];
    stage
        .divisi(&[&["run", words][..], &agent].concat())
        .expect(4);
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    assert_eq!(stage.only().tasks().len(), 2, "the one that plans, and one");
    let joined = "[lint-trivial] limits, errors were joined into one task: its 2 tasks are all for";
    for command in ["show", "explain"] {
        stage.divisi(&[command, "1"]).expect(0).says(joined);
    }
    // So it is where rules planned them.
    let stage = with_agent();
    let why = "the 2 tasks that its words say (document-limits-docs-limits-md, \
               document-errors-docs-errors-md) are too small to be apart";
    stage.divisi(&["run", words, "--planner", "rule"]).expect(4);
    for command in ["show", "explain"] {
        stage.divisi(&[command, "1"]).expect(0).says(why);
    }
}
