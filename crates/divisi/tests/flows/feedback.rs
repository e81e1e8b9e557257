//! Feedback comes by itself when an iteration has ended, and each rule's lesson reaches the next run.

use std::fs;
use std::path::PathBuf;

use divisi_core::RunId;
use divisi_core::run::{Event, RunStatus};
use serde_json::{Value, json};

use crate::found::working;
use crate::stage::{Ran, Stage, write};

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

fn kept(stage: &Stage) -> PathBuf {
    stage.path(".divisi/runs/run-1/feedback.json")
}

fn read(stage: &Stage) -> Value {
    serde_json::from_slice(&fs::read(kept(stage)).unwrap()).unwrap()
}

fn feedback(stage: &Stage, run: &str) -> Value {
    document(&stage.divisi(&["feedback", run, "--json"]).expect(0))
}

/// The first iteration is refused twice by a section; the second goes on until the feedback on the
/// first is there.
const WORKFLOW: &str = r###"
workflow:
  name: pages
  iterations:
    - name: draft
      agents:
        - role: developer
          command: [sh, -c, 'printf "# Page\n## Notes\nSlow.\n" > page.md; case "$DIVISI_ATTEMPT" in 1|2) ;; *) printf "## Risks\nNone.\n" >> page.md ;; esac']
          deliverables: [page.md]
          criteria: [{section: Risks, in: page.md}]
    - name: look
      dependencies: [draft]
      agents:
        - role: developer
          name: wait
          timeout_minutes: 2
          command: [sh, -c, 'run="${DIVISI_HANDOFF%/handoffs/*}"; until test -e "$run/feedback.json" || test "$run" = "${run%run-1}"; do sleep 0.05; done; rm -f page.md; cp "${run%/*}/run-1/feedback.json" seen.json']
          deliverables: [seen.json]
        - role: developer
          name: read
          agent: person
          dependencies: [wait]
          deliverables: [read.md]
"###;

fn pages() -> Stage {
    let stage = Stage::git(&[("workflows/pages.yaml", WORKFLOW)]);
    let run = ["run", "pages", "--yes", "--durability", "normal"];
    let ran = stage.divisi(&run).expect(4);
    ran.says("1 lesson to review: divisi lessons");
    stage
}

#[test]
fn feedback_of_a_stage_is_kept_when_it_ends_while_the_run_goes_on() {
    let stage = pages();
    let seen: Value = serde_json::from_str(&stage.result("seen.json").unwrap()).unwrap();
    let first = &seen["stages"][0];
    assert_eq!(
        (&first["stage"], &first["retries"]),
        (&json!("draft"), &json!(2))
    );
    assert!(first["ended_at"].is_number(), "{first}");
    assert_eq!(first["refusals"][0]["times"], 2);
    assert_eq!(first["said"][0]["text"], "Slow.");
    assert_eq!(seen["stages"][1]["ended_at"], Value::Null);
    assert_eq!(seen["patterns"][0]["rule"], "section-missing");

    // The document is gone from the result since, and what it said is still told.
    let told = feedback(&stage, "1");
    assert_eq!(told["stages"][0], *first);
    assert_eq!(told["stages"][1]["stage"], "look");
    let lesson = &told["patterns"][0]["lesson"];
    assert_eq!(*lesson, seen["patterns"][0]["lesson"]);
    let listed = document(&stage.divisi(&["lessons", "list", "--json"]).expect(0));
    assert_eq!(listed["lessons"][0]["id"], *lesson);
    assert_eq!(listed["lessons"][0]["status"], "proposed");
    assert!(!stage.path("templates").exists(), "nothing takes effect");
    stage
        .divisi(&["feedback", "1"])
        .expect(0)
        .says("look, which goes on");
}

#[test]
fn feedback_comes_by_itself_beside_another_processs_engine() {
    // The second iteration also makes the first one's document anew, with another note.
    let again = "echo \"## Notes\" > page.md; echo Fast. >> page.md";
    let workflow = WORKFLOW
        .replace("run-1", "run-2")
        .replace("rm -f page.md", again)
        .replace("[seen.json]", "[seen.json, page.md]");
    let stage = Stage::git(&[("workflows/pages.yaml", &workflow)]);
    let gate = stage.beside("go").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.01; done");
    let holds = json!({"task_title": "holds the engine", "subtasks": [
        {"subtask_id": "wait", "script": wait}]});
    let running = stage.start_plan(&holds, &[]);
    stage.until_event("it holds the engine", |event| {
        matches!(event, Event::AttemptStarted { .. })
    });
    let run = ["run", "pages", "--yes", "--durability", "normal"];
    stage.divisi(&run).expect(4);
    // The second iteration waited for the feedback on the first.
    let shown = stage.divisi(&["diff", "2"]).expect(0);
    shown.says("seen.json");
    fs::remove_file(stage.path(".divisi/runs/run-2/feedback.json")).unwrap();
    let told = feedback(&stage, "2");
    let said = |stage: usize| told["stages"][stage]["said"][0]["text"].clone();
    assert_eq!((said(0), said(1)), (json!("Slow."), json!("Fast.")));
    write(stage.beside("go"), "");
    running.wait().expect(0);
}

#[test]
fn feedback_that_was_lost_is_made_anew_and_decisions_stay() {
    let stage = pages();
    let before = read(&stage);
    let lesson = before["patterns"][0]["lesson"].as_str().unwrap().to_owned();
    stage.divisi(&["lessons", "reject", &lesson]).expect(0);
    for lost in [None, Some("{"), Some("{\"version\": 2, \"stages\": []}")] {
        match lost {
            None => fs::remove_file(kept(&stage)).unwrap(),
            Some(text) => fs::write(kept(&stage), text).unwrap(),
        }
        stage.divisi(&["resume", "1"]).expect(4);
        let after = read(&stage);
        // Its document is not in the result any more: it is read as it was when the stage ended.
        assert_eq!(after["stages"][0]["said"][0]["text"], "Slow.");
        assert_eq!(after["stages"][0], before["stages"][0]);
    }
    let bytes = fs::read(kept(&stage)).unwrap();
    stage.divisi(&["resume", "1"]).expect(4);
    stage.divisi(&["feedback", "1"]).expect(0);
    assert_eq!(fs::read(kept(&stage)).unwrap(), bytes, "what is kept stays");
    let listed = document(&stage.divisi(&["lessons", "--json"]).expect(0));
    assert_eq!(listed["lessons"].as_array().unwrap().len(), 1);
    assert_eq!(listed["lessons"][0]["status"], "rejected");
}

#[test]
fn a_run_is_what_it_is_where_no_feedback_can_be_kept() {
    let stage = Stage::git(&[("x", "1\n")]);
    fs::create_dir_all(kept(&stage)).unwrap();
    let plan =
        json!({"task_title": "Works", "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    let ran = stage.run(&plan, &[]).expect(0);
    ran.says("no feedback was kept");
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    stage
        .divisi(&["feedback", "1"])
        .expect(8)
        .says("feedback-io");
    fs::remove_dir(kept(&stage)).unwrap();
    stage.divisi(&["feedback", "1"]).expect(0);
    assert!(read(&stage)["stages"][0]["ended_at"].is_number());
}

fn approve(stage: &Stage, rule: &str) -> Value {
    let told = feedback(stage, "1");
    let found = { told["patterns"].as_array().unwrap().iter() }.find(|it| it["rule"] == rule);
    let found = found.unwrap_or_else(|| panic!("{rule} is not in {told:#}"));
    let lesson = found["lesson"].as_str().unwrap();
    stage.divisi(&["lessons", "approve", lesson]).expect(0);
    found.clone()
}

#[test]
fn a_section_that_was_missing_stands_in_the_next_runs_prompts() {
    let stage = pages();
    let prompt = |run: u32| {
        let run = stage.load(RunId(run));
        let task = { run.tasks().iter() }.find(|it| it.spec.id.as_str() == "look.read");
        task.unwrap().spec.description.clone()
    };
    let words = "page.md has a section \"Risks\"";
    let before = prompt(1);
    approve(&stage, "section-missing");
    let text = fs::read_to_string(stage.path("templates/developer.md.j2")).unwrap();
    assert!(text.contains("Risks"), "{text}");
    let args = ["run", "pages", "--yes", "--durability", "normal"];
    stage.divisi(&args).expect(4);
    let after = prompt(2);
    assert!(
        after.contains("Risks") && !before.contains("Risks"),
        "{words}: {after}"
    );
}

/// A script of a role that is past the usual time box at its first two attempts.
fn slow() -> Value {
    json!({"task_title": "Slow", "subtasks": [{
        "subtask_id": "a", "assigned_to": "documentation",
        "script": "case \"$DIVISI_ATTEMPT\" in 1|2) sleep 600 ;; esac",
    }]})
}

#[test]
fn a_time_box_that_was_too_short_is_twice_as_long_in_the_next_run() {
    let stage = Stage::git(&[("divisi.yaml", "run:\n  timeout_minutes: 0.01\n")]);
    stage.run(&slow(), &[]).expect(0);
    assert_eq!(stage.load(RunId(1)).settings.timeout_ms, 600);
    let found = approve(&stage, "role-overdue");
    assert_eq!(found["role"], "documentation");
    let text = fs::read_to_string(stage.path("divisi.yaml")).unwrap();
    assert!(text.contains("timeout_minutes: 0.1"), "{text}");
    let quick =
        json!({"task_title": "Quick", "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    stage.run(&quick, &[]).expect(0);
    assert_eq!(stage.load(RunId(2)).settings.timeout_ms, 6_000);
}

#[test]
fn estimates_that_a_plan_made_are_its_authors_to_change() {
    let stage = Stage::git(&[("x", "1\n")]);
    let task = |id: &str| json!({"subtask_id": id, "assigned_to": "documentation", "command": ["sleep", "0.2"], "estimated_seconds": 0.05});
    let plan = json!({"task_title": "Guessed", "subtasks": [task("a"), task("b"), task("c")]});
    stage.run(&plan, &[]).expect(0);
    let told = feedback(&stage, "1");
    let [found] = &told["patterns"].as_array().unwrap()[..] else {
        panic!("{told:#}");
    };
    assert_eq!(
        (&found["rule"], &found["lesson"]),
        (&json!("estimate-off"), &Value::Null)
    );
    let advice = found["advice"].as_str().unwrap();
    assert!(
        advice.contains("times as much in the next plan"),
        "{advice}"
    );
    stage.divisi(&["lessons"]).expect(0).says("no lesson yet");
}

#[test]
fn the_run_of_a_generated_folder_teaches_its_roles() {
    let workflow = r#"
workflow:
  name: pages
  iterations:
    - name: draft
      agents:
        - role: developer
          command: [sh, -c, 'case "$DIVISI_ATTEMPT" in 1|2) echo no ;; *) echo License ;; esac > page.md']
          deliverables: [page.md]
      completion_criteria: [{contains: License, in: page.md}]
"#;
    let stage = Stage::git(&[("workflows/pages.yaml", workflow)]);
    let generate = ["generate", "--workflow", "pages", "--output", "one"];
    stage.divisi(&generate).expect(0);
    let run = ["run", "one", "--yes", "--durability", "normal"];
    stage.divisi(&run).expect(0).says("1 lesson to review");
    let kept = read(&stage);
    assert_eq!(kept["stages"][0]["stage"], "pages: draft");
    assert_eq!(
        kept["stages"][0]["refusals"][0]["roles"],
        json!({"development/implementation": 2})
    );
    approve(&stage, "criterion-refused");
    let generate = ["generate", "--workflow", "pages", "--output", "two"];
    stage.divisi(&generate).expect(0);
    let roles = stage.divisi(&["roles", "show", "developer"]).expect(0);
    roles.says("Before you are done, see to this: page.md contains \"License\"");
}

/// Stands in for a coding agent: it makes the files that it is told to make.
const AGENT: &str = r#"head -n 1 | sed 's/\\n/\n/g' | sed -n '/^## Make these files/,/^## It is done/s/^- `\(.*\)`$/\1/p' | while read -r file; do
    echo made > "$file"
done"#;

#[test]
fn points_that_took_less_than_expected_are_expected_to_take_less() {
    let agent = |name: &str| {
        format!(
            "        - {{role: developer, name: {name}, agent: claude, targets: [x], \
             complexity_per_target: 5, deliverables: ['{name}.md']}}\n"
        )
    };
    let agents: String = ["a", "b", "c"].map(agent).concat();
    let workflow = format!(
        "workflow:\n  name: quick\n  iterations:\n    - name: make\n      agents:\n{agents}"
    );
    let stage = Stage::git(&[("workflows/quick.yaml", &workflow), ("x", "1\n")]);
    let path = working(&stage, AGENT);
    let stage = stage.with_env("PATH", &path);
    let run = ["run", "quick", "--yes", "--durability", "normal"];
    stage.divisi(&run).expect(0);
    let expected = |run: u32| {
        let run = stage.load(RunId(run));
        let estimates = run.tasks().iter().map(|it| it.spec.estimate.duration_ms);
        estimates.flatten().max().expect("tasks have estimates")
    };
    let found = approve(&stage, "estimate-off");
    let seen = found["seen"].as_str().unwrap();
    assert!(seen.contains("times the estimate"), "{found:#}");
    stage.divisi(&run).expect(0);
    let (before, after) = (expected(1), expected(2));
    assert!(after < before, "{after} and {before} ms");
}

/// What a command prints satisfies the schema that Divisi serves for it.
pub(crate) fn satisfies(stage: &Stage, of: &str, args: &[&str]) -> Value {
    let schema = document(&stage.divisi(&["schema", of]).expect(0));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let printed = document(&stage.divisi(&[args, &["--json"]].concat()).expect(0));
    let faults: Vec<String> = { validator.iter_errors(&printed) }
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert_eq!(faults, [""; 0], "{of}: {printed:#}");
    // It is as narrow as what is printed: something else, or more, is not taken.
    let mut more = printed.clone();
    more["surprise"] = json!(1);
    assert!(!validator.is_valid(&more) && !validator.is_valid(&json!({})));
    printed
}

#[test]
fn feedback_lessons_and_reports_keep_to_their_schemas() {
    let stage = pages();
    let told = satisfies(&stage, "feedback", &["feedback", "1"]);
    assert!(!told["patterns"].as_array().unwrap().is_empty());
    satisfies(&stage, "lessons", &["lessons", "list"]);
    let lesson = told["patterns"][0]["lesson"].as_str().unwrap();
    satisfies(&stage, "lessons", &["lessons", "show", lesson]);
    let report = satisfies(&stage, "report", &["report", "1"]);
    assert_eq!(report["ended_at"], Value::Null);
    satisfies(&stage, "lessons", &["lessons", "approve", lesson]);

    // A run that ended, with estimates, files, a waived criterion and answers of a person.
    let plan = json!({"task_title": "All", "subtasks": [
        {"subtask_id": "ask", "kind": "approval"},
        {"subtask_id": "a", "script": "echo 1 > a.md", "deliverables": ["a.md"], "estimated_seconds": 1,
         "success_criteria": "it reads well", "dependencies": ["ask"]}],
      "criteria": [{"file": "a.md"}]});
    stage.run(&plan, &[]).expect(4);
    stage
        .divisi(&["approve", "2", "ask", "--note", "go on"])
        .expect(0);
    stage.divisi(&["resume", "2"]).expect(9);
    stage.divisi(&["approve", "2", "a", "--waive"]).expect(0);
    stage.divisi(&["resume", "2"]).expect(0);
    let report = satisfies(&stage, "report", &["report", "2"]);
    assert_eq!(report["status"], "succeeded");
    assert!(report["expected"]["duration"].is_string(), "{report:#}");
    assert_eq!(
        report["tasks"][1]["verdicts"][0]["outcome"], "waived",
        "{report:#}"
    );
    satisfies(&stage, "feedback", &["feedback", "2"]);

    let fails = json!({"task_title": "Fails", "subtasks": [{"subtask_id": "a", "command": ["false"], "retries": 0}]});
    stage.run(&fails, &[]).expect(3);
    satisfies(&stage, "report", &["report", "3"]);
}
