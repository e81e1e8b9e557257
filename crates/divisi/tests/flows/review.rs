//! Reviews by commands: as a command of its own, and as tasks of a run.

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::stage::{Stage, git, write};

const PERSPECTIVES: [&str; 5] = ["functional", "security", "performance", "test", "docs"];

const OLD: &str = "x = eval(y)\n";

/// A branch that adds one defect to a file that has one already.
fn branched() -> Stage {
    let stage = Stage::git(&[("app.py", OLD)]);
    git(stage.project(), &["switch", "-q", "--create", "topic"]);
    write(stage.path("app.py"), &format!("{OLD}z = eval(x)\n"));
    git(stage.project(), &["commit", "-q", "--all", "-m", "second"]);
    stage
}

fn places(document: &Value) -> Vec<String> {
    let reviews = document["reviews"].as_array().unwrap();
    let findings = reviews
        .iter()
        .flat_map(|r| r["findings"].as_array().unwrap());
    findings
        .map(|f| format!("{}:{} {}", f["file"], f["line"], f["rule"]).replace('"', ""))
        .collect()
}

#[test]
fn a_review_needs_no_run_and_its_document_keeps_to_its_schema() {
    let stage = branched();
    let ran = stage
        .divisi(&["review", "--json", "--base", "main"])
        .expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(places(&document), ["app.py:2 py-eval"]);
    let schema = stage.divisi(&["schema", "review"]).expect(0);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&document)
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    stage
        .divisi(&["review", "--perspective", "security"])
        .expect(0)
        .says("# Security review")
        .says("`divisi review --only py-eval app.py`")
        .says("## Not reviewed");
    assert!(!stage.path(".divisi").exists());
}

#[test]
fn only_who_asks_for_it_is_failed_by_a_finding() {
    let stage = branched();
    let security = ["review", "--perspective", "security", "--fail-on"];
    let with = |least: &'static str| stage.divisi(&[&security[..], &[least]].concat());
    with("error").expect(1);
    with("note").expect(1);
    let tests = ["review", "--perspective", "test", "--fail-on", "note"];
    stage.divisi(&tests).expect(0);
    stage
        .divisi(&["review", "--only", "py-evil"])
        .expect(2)
        .says("did you mean `py-eval`?");
    stage.divisi(&["review", "nowhere.py"]).expect(7);
    stage.divisi(&["review", "--base", "mian"]).expect(7);
    Stage::folder(&[])
        .divisi(&["review"])
        .expect(7)
        .says("review-no-repository");
}

#[test]
fn reviews_are_written_to_a_file_or_a_folder() {
    let stage = branched();
    stage
        .divisi(&["review", "--output", "reviews"])
        .expect(0)
        .says("security: 2 findings (2 errors), reviews/security-review.md");
    for perspective in PERSPECTIVES {
        assert!(
            stage
                .path(&format!("reviews/{perspective}-review.md"))
                .is_file()
        );
    }
    let one = ["review", "--perspective", "docs", "--output", "docs.md"];
    stage.divisi(&one).expect(0);
    let text = std::fs::read_to_string(stage.path("docs.md")).unwrap();
    assert!(text.contains("# Documentation review"), "{text}");
}

#[test]
fn the_rules_are_listed() {
    let stage = Stage::folder(&[]);
    stage
        .divisi(&["review", "--rules"])
        .expect(0)
        .says("py-eval")
        .says("Security review")
        .says("shellcheck");
    let ran = stage.divisi(&["review", "--rules", "--json"]).expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rules = document["rules"].as_array().unwrap();
    assert!(rules.len() > 60 && !document["tools"].as_array().unwrap().is_empty());
    assert!(
        rules
            .iter()
            .all(|rule| !rule["finds"].as_array().unwrap().is_empty())
    );
}

/// Five tasks side by side, none of whose shells could find the program on its path, and a
/// criterion that is a review itself.
#[test]
fn five_perspectives_are_tasks_of_a_run_by_the_program_that_runs_it() {
    let stage = branched();
    let base = git(stage.project(), &["rev-parse", "main"]);
    let output = |perspective: &str| format!("reviews/{perspective}-review.md");
    let tasks: Vec<Value> = PERSPECTIVES
        .iter()
        .map(|perspective| {
            let path = output(perspective);
            json!({
                "subtask_id": perspective, "kind": "review", "deliverables": [path],
                "command": ["divisi", "review", "--perspective", perspective,
                            "--base", base.trim(), "--output", path],
                "criteria": [
                    {"section": "Findings", "in": path},
                    {"section": "Not reviewed", "in": path},
                    {"command": ["divisi", "review", "--only", "rust-unwrap", "--fail-on", "note"]},
                    {"scope": ["reviews/**"]},
                ],
            })
        })
        .collect();
    let plan = json!({"task_title": "review", "subtasks": tasks});
    stage.run(&plan, &["-j", "2"]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    let security = stage.result(&output("security")).unwrap();
    assert!(security.contains("`app.py:2`"), "{security}");
    assert!(
        !security.contains("`app.py:1`"),
        "only the change: {security}"
    );
    for perspective in PERSPECTIVES {
        let text = stage.result(&output(perspective)).unwrap();
        assert!(text.contains("## Not reviewed"), "{text}");
    }
    assert!(
        !stage.path("reviews").exists(),
        "nothing is written before the merge"
    );
}
