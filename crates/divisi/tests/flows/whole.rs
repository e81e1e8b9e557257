//! From tasks that pass alone to a whole that holds.

use divisi_core::run::{AttemptEnd, Failure, Final, RunStatus};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, git, stands};

#[test]
fn a_conflict_is_redone_on_the_new_base() {
    let stage = Stage::git(&[("list", "one\n")]);
    // Both append to the same file; the second to arrive finds the first's line on its new base.
    let gate = stage.beside("both").display().to_string();
    let append = |id: &str, wait: &str| {
        let script = format!("{wait} cp list told-{id}; echo {id} >> list");
        json!({"subtask_id": id, "script": script, "criteria": [{"contains": format!("{id}\n"), "in": "list"}]})
    };
    let wait =
        format!("test ${{DIVISI_JOB##*.}} != 1 || until test -e {gate}; do sleep 0.01; done;");
    let opens = json!({"subtask_id": "opens", "command": ["true"], "dependencies": ["first"]});
    let plan = json!({"task_title": "they conflict", "subtasks": [
        append("first", ""), append("second", &wait), opens,
    ]});
    let running = stage.start_plan(&plan, &["-j", "2"]);
    stage.until_event("the first is integrated", |event| {
        matches!(event, divisi_core::run::Event::BatchIntegrated { .. })
    });
    std::fs::write(stage.beside("both"), "").unwrap();
    running.wait().expect(0);
    let run = stage.only();
    let ends = endings(&run, "second");
    assert_eq!(ends.len(), 2);
    let AttemptEnd::Refused(Failure::Conflict(paths)) = &ends[0].end else {
        panic!("no conflict: {:?}", ends[0].end);
    };
    assert_eq!(paths, &["list"]);
    assert_eq!(ends[1].workspace, 2, "it starts from the new head");
    assert_eq!(run.tasks()[1].failures, 0, "a conflict is nobody's failure");
    assert_eq!(
        stage.result("list").as_deref(),
        Some("one\nfirst\nsecond\n")
    );
    assert_eq!(stage.result("told-second").as_deref(), Some("one\nfirst\n"));
}

#[test]
fn work_that_holds_alone_but_not_together_is_refused_by_its_own_checks() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("go").display().to_string();
    let plan = json!({"task_title": "not together", "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "b", "script": format!("test ${{DIVISI_JOB##*.}} != 1 || until test -e {gate}; do sleep 0.01; done; echo b > b.md"),
         "deliverables": ["b.md"], "retries": 0,
         "criteria": [{"command": ["sh", "-c", "test ! -e a.md"]}]},
    ]});
    let running = stage.start_plan(&plan, &["-j", "2"]);
    stage.until_event("the first is integrated", |event| {
        matches!(event, divisi_core::run::Event::BatchIntegrated { .. })
    });
    std::fs::write(stage.beside("go"), "").unwrap();
    running.wait().expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "done"), ("b", "blocked")]);
    let end = &endings(&run, "b")[0].end;
    assert!(
        matches!(end, AttemptEnd::Refused(Failure::Integration(_))),
        "{end:?}"
    );
    assert_eq!(stage.result("b.md"), None);
}

fn held() -> Value {
    json!({"task_title": "the whole fails", "subtasks": [
        {"subtask_id": "a", "script": "echo 1 > a.md", "deliverables": ["a.md"]},
    ], "criteria": [{"contains": "2", "in": "a.md"}]})
}

#[test]
fn a_whole_that_fails_its_checks_is_blocked_and_waived_only_by_name() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage
        .run(&held(), &[])
        .expect(3)
        .says("divisi approve run-1");
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "done")]);
    assert!(matches!(&run.finally, Final::Held { verdicts, .. } if verdicts.len() == 1));
    stage.divisi(&["approve", "1"]).expect(6).says("--waive");
    stage
        .divisi(&["approve", "1", "--waive", "--note", "later"])
        .expect(0);
    stage.divisi(&["resume", "1"]);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    stage.divisi(&["report", "1"]).expect(0).says("waived");
}

#[test]
fn a_whole_that_fails_is_mended_by_trying_a_task_again() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = held();
    plan["subtasks"][0]["script"] = json!("echo ${DIVISI_JOB##*.} > a.md");
    stage.run(&plan, &[]).expect(3);
    stage.divisi(&["retry", "1", "a"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("a.md").as_deref(), Some("2\n"));
}

#[test]
fn a_whole_in_plain_words_is_judged_by_a_person() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = held();
    plan["criteria"] = json!(["it is what was asked for"]);
    stage.run(&plan, &[]).expect(4).says("divisi approve run-1");
    stage.divisi(&["approve", "1", "--note", "it is"]).expect(0);
    stage.divisi(&["resume", "1"]);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
}

#[test]
fn one_tasks_result_can_be_merged_alone_and_the_whole_as_one_commit() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "two", "subtasks": [
        {"subtask_id": "a", "script": "echo 1 > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "b", "script": "echo 2 > b.md", "deliverables": ["b.md"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    stage.divisi(&["diff", "1", "a"]).expect(0).says("+1");
    stage
        .divisi(&["merge", "1", "--yes", "--task", "a"])
        .expect(0);
    assert!(stage.path("a.md").exists() && !stage.path("b.md").exists());
    let args = ["merge", "1", "--yes", "--squash", "--branch", "result"];
    stage.divisi(&args).expect(0);
    let files = git(stage.project(), &["ls-tree", "--name-only", "result"]);
    assert_eq!(files.lines().collect::<Vec<_>>(), ["a.md", "b.md", "x"]);
    assert!(
        !stage.path("b.md").exists(),
        "the checked-out branch is not touched"
    );
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert!(stage.path("b.md").exists());
}
