//! Agents that claim to be done and are not.

use divisi_core::run::{AttemptEnd, Failure, Phase, RunStatus, TaskState};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands, task};

/// The evidence of the failed verdicts of a refused attempt.
fn refused(end: &AttemptEnd) -> Vec<&str> {
    let AttemptEnd::Refused(Failure::Checks(verdicts)) = end else {
        panic!("not refused by checks: {end:?}");
    };
    let failed = verdicts
        .iter()
        .filter(|verdict| verdict.outcome == divisi_core::Outcome::Fail);
    failed.map(|verdict| verdict.evidence.as_str()).collect()
}

/// ```text
/// bad ── after ── later
/// good ── next
/// ```
fn beside(bad: Value) -> Value {
    json!({"task_title": "one claims to be done", "subtasks": [
        bad,
        {"subtask_id": "after", "command": ["true"], "dependencies": ["bad"]},
        {"subtask_id": "later", "command": ["true"], "dependencies": ["after"]},
        {"subtask_id": "good", "script": "echo right > good.md", "deliverables": ["good.md"]},
        {"subtask_id": "next", "command": ["true"], "dependencies": ["good"]},
    ]})
}

fn is_escalated_after_three(stage: &Stage, evidence: &str) {
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[
            ("bad", "blocked"),
            ("after", "waiting"),
            ("later", "waiting"),
            ("good", "done"),
            ("next", "done"),
        ],
    );
    let bad = endings(&run, "bad");
    assert_eq!(bad.len(), 3);
    for ending in bad {
        assert_eq!(refused(&ending.end), [evidence]);
    }
    let TaskState::Escalated(reason) = &task(&run, "bad").state else {
        panic!("a person decides");
    };
    assert!(reason.starts_with("it failed 3 times"), "{reason}");
    for never in ["after", "later"] {
        assert_eq!(task(&run, never).attempts(), 0, "{never} never started");
    }
    assert_eq!(stage.result("good.md").as_deref(), Some("right\n"));
}

#[test]
fn an_agent_that_did_nothing_is_refused_and_escalated_after_three() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = beside(json!({
        "subtask_id": "bad", "command": ["true"], "deliverables": ["bad.md"],
    }));
    stage.run(&plan, &[]).expect(3).says("divisi explain");
    is_escalated_after_three(&stage, "bad.md is missing");
    assert_eq!(stage.result("bad.md"), None);
}

#[test]
fn an_agent_that_left_half_a_file_is_refused_and_escalated_after_three() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = beside(json!({
        "subtask_id": "bad", "script": "printf '{\"a\": [1, 2' > bad.json",
        "criteria": [{"format": "json", "in": "bad.json"}],
    }));
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    let first = refused(&endings(&run, "bad")[0].end)[0].to_owned();
    assert!(first.contains("JSON"), "{first}");
    is_escalated_after_three(&stage, &first);
}

#[test]
fn a_flaky_agent_is_told_why_and_its_third_attempt_is_integrated() {
    let stage = Stage::git(&[("a", "1\n")]);
    let script = "
        number=${DIVISI_JOB##*.}
        cp \"$DIVISI_HANDOFF\" handoff-$number.json
        case $number in
            1) ;;
            2) printf half > a.md ;;
            *) printf 'all of what was asked for' > a.md ;;
        esac";
    let plan = json!({"task_title": "flaky", "subtasks": [
        {"subtask_id": "flaky", "script": script, "deliverables": ["a.md"],
         "criteria": [{"file": "a.md", "min_bytes": 20}]},
        {"subtask_id": "after", "script": "cat a.md > b.md", "deliverables": ["b.md"],
         "dependencies": ["flaky"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("flaky", "done"), ("after", "done")],
    );
    let ends = endings(&run, "flaky");
    assert_eq!(ends.len(), 3);
    assert_eq!(refused(&ends[0].end), ["a.md is missing"]);
    assert_eq!(
        refused(&ends[1].end),
        ["a.md has 4 bytes, at least 20 are expected"]
    );
    assert_eq!(ends[2].end, AttemptEnd::Integrated);
    let text = stage.result("b.md");
    assert_eq!(text.as_deref(), Some("all of what was asked for"));

    let handoff = |number: u32| -> Value {
        let text = stage.result(&format!("handoff-{number}.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(handoff(1).get("feedback"), None);
    let unmet =
        |evidence: &str| json!([{"criterion": "a.md has at least 20 bytes", "evidence": evidence}]);
    let second = handoff(2);
    assert_eq!(second["attempt"], 2);
    let told: Vec<&Value> = second["feedback"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["attempt"], 1);
    assert_eq!(told[0]["unmet"], unmet("a.md is missing"));
    let third = handoff(3);
    let told: Vec<&Value> = third["feedback"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["attempt"], 2);
    assert_eq!(
        told[1]["unmet"],
        unmet("a.md has 4 bytes, at least 20 are expected")
    );
}

#[test]
fn that_a_signal_ended_a_program_is_told_once_and_is_no_word_of_its() {
    let plan = json!({"task_title": "it kills itself", "subtasks": [
        {"subtask_id": "killed", "script": "kill -KILL $$"},
    ]});
    let stage = Stage::git(&[("a", "1\n")]);
    stage.run(&plan, &[]).expect(3);
    let shown = stage.divisi(&["show", "1", "killed"]).expect(0);
    let told = shown.stdout.matches("signal 9").count();
    let attempts = endings(&stage.only(), "killed").len();
    assert_eq!(shown.stdout.matches("  submitted  ").count(), attempts);
    assert!(told >= attempts, "{}", shown.stdout);
    assert!(!shown.stdout.contains("says"), "{}", shown.stdout);
    let report = stage.divisi(&["report", "1", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["claimed_failures"], json!([]));
}

#[test]
fn an_agent_that_says_it_failed_is_heard_and_not_believed() {
    let script = json!({"attempts": [
        [{"fail": "there is no\ncompiler"}],
        [{"write": {"path": "a.md", "text": "all"}}, {"fail": "I am not sure"}],
    ]});
    let plan = json!({"task_title": "it doubts itself", "subtasks": [
        {"subtask_id": "modest", "agent": "scripted", "script": script.to_string(),
         "deliverables": ["a.md"]},
    ]});
    let stage = Stage::git(&[("a", "1\n")]);
    stage.run(&plan, &[]).expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("modest", "done")]);
    let [first, second] = endings(&run, "modest") else {
        panic!("two attempts: {:?}", endings(&run, "modest"));
    };
    // The checks decide, against it and for it.
    assert_eq!(refused(&first.end), ["a.md is missing"]);
    assert_eq!(second.end, AttemptEnd::Integrated);
    assert_eq!(stage.result("a.md").as_deref(), Some("all"));
    // What it said is told to its owner and to whoever tries next.
    let path = stage.path(".divisi/runs/run-1/handoffs/scripted/to-scripted-subtask-modest@2.json");
    let handoff: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let told = &handoff["feedback"][0];
    assert_eq!(told["claimed_failure"], "there is no\ncompiler");
    let shown = stage.divisi(&["show", "1", "modest"]).expect(0);
    shown
        .says("submitted   after ")
        .says("it says that it failed:\n      there is no\n      compiler\n")
        .says("it says that it failed:\n      I am not sure\n");
    let report = stage.divisi(&["report", "1", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(
        report["claimed_failures"],
        json!([
            "modest: there is no\ncompiler",
            "modest, attempt 2: I am not sure"
        ])
    );
}

#[test]
fn an_exit_status_is_only_a_hint() {
    // It fails as a program and does all that was asked; the other way round is refused.
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "hints", "subtasks": [
        {"subtask_id": "right", "script": "echo x > a.md; exit 9", "deliverables": ["a.md"]},
        {"subtask_id": "wrong", "script": "exit 0", "deliverables": ["b.md"], "retries": 0},
    ]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[("right", "done"), ("wrong", "blocked")],
    );
    assert!(
        !run.tasks()
            .iter()
            .any(|task| { task.live().is_some_and(|live| live.phase == Phase::Working) })
    );
    assert_eq!(endings(&run, "wrong").len(), 1);
}
