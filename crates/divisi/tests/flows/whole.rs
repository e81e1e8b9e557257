//! From tasks that pass alone to a whole that holds.

use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::{AttemptEnd, Event, Failure, Final, RunStatus};
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
    stage.run(&plan, &[]).expect(9).says("divisi approve run-1");
    stage.divisi(&["approve", "1", "--note", "it is"]).expect(0);
    stage.divisi(&["resume", "1"]);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
}

#[test]
fn a_person_who_finds_that_the_whole_does_not_hold_says_so_and_has_it_mended() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = held();
    plan["subtasks"][0]["script"] = json!("echo ${DIVISI_JOB##*.} > a.md");
    plan["criteria"] = json!(["it is nice"]);
    stage
        .run(&plan, &[])
        .expect(9)
        .says("divisi retry run-1 TASK --note HINT")
        .says("divisi reject run-1 --reason WHY");
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("4. the original request is satisfied: open");
    let merge = || stage.divisi(&["merge", "1"]).expect(4);
    merge().says("on the whole, `it is nice` is not judged");
    stage
        .divisi(&["reject", "run-1"])
        .expect(2)
        .says("error[reject-reason]: nothing says why the whole of run-1 is refused");
    stage
        .divisi(&["reject", "run-1", "--reason", "not nice"])
        .expect(0)
        .says("accepted; it waits for people:\n  → divisi retry run-1 TASK --note HINT\n");
    stage
        .divisi(&["explain", "1"])
        .expect(0)
        .says("this does not hold: it is nice; a person refused it: not nice")
        .says("divisi retry run-1 TASK --note HINT")
        .says("divisi approve run-1 --waive --note WHY");
    stage.divisi(&["resume", "1"]).expect(3);
    merge().says("on the whole, `it is nice` does not hold: a person refused it: not nice");
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("4. the original request is satisfied: **no**");
    stage
        .divisi(&["reject", "run-1", "--reason", "not nice"])
        .expect(6)
        .says("error[whole-fails]");
    stage
        .divisi(&["retry", "1", "a", "--note", "nicer"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(9);
    stage.divisi(&["approve", "1", "--note", "nice"]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    assert_eq!(stage.result("a.md").as_deref(), Some("2\n"));
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

#[test]
fn receipts_name_the_command_the_tree_and_the_programs_that_judged_it() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "evidence", "subtasks": [
        {"subtask_id": "a", "script": "echo done > a.md", "deliverables": ["a.md"],
         "criteria": [{"command": ["sh", "-c", "echo seen; test -e a.md"]}]},
        {"subtask_id": "bare", "command": ["true"]},
    ]});
    stage.run(&plan, &["-j", "1"]).expect(0);
    let run = stage.only();
    let receipts = &endings(&run, "a")[0].receipts;
    let Receipt::Submitted { command, .. } = &receipts[0] else {
        panic!("{receipts:?}");
    };
    assert_eq!(command, "/bin/sh -eu -c 'echo done > a.md' script");
    let Receipt::Collected {
        snapshot: Some(snapshot),
        ..
    } = &receipts[1]
    else {
        panic!("{receipts:?}");
    };
    let Receipt::Verified { tree, verdicts, .. } = &receipts[2] else {
        panic!("{receipts:?}");
    };
    assert_eq!(tree.as_ref(), Some(&snapshot.tree));
    let programs: Vec<_> = verdicts.iter().filter_map(|v| v.program.as_ref()).collect();
    let [program] = programs[..] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(program.command, "sh -c 'echo seen; test -e a.md'");
    assert_eq!(program.exit, Exit::Status(0));
    assert_eq!(program.output.as_ref().unwrap().bytes, 5);
    let Receipt::Submitted { command, .. } = &endings(&run, "bare")[0].receipts[0] else {
        panic!("{run:?}");
    };
    assert_eq!(command, "true");
    // What a receipt says of the final tree is not asked again: the program ran once.
    let logs = std::fs::read_dir(stage.path(".divisi/runs/run-1/logs")).unwrap();
    let checks = logs.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("check-")
    });
    assert_eq!(checks.count(), 1);
}

/// Two tasks that start side by side; the second ends when the first is integrated.
fn second_breaks(stage: &Stage, first: Value, second: Value, criteria: Value) {
    let plan = json!({"task_title": "one breaks", "subtasks": [first, second],
                      "criteria": criteria});
    let running = stage.start_plan(&plan, &["-j", "2"]);
    stage.until_event("the first is integrated", |event| {
        matches!(event, divisi_core::run::Event::BatchIntegrated { .. })
    });
    std::fs::write(stage.beside("go"), "").unwrap();
    running.wait().expect(3);
}

fn refusal(stage: &Stage, task: &str) -> String {
    let run = stage.only();
    let AttemptEnd::Refused(Failure::Integration(verdicts)) = &endings(&run, task)[0].end else {
        panic!("not refused: {run:?}");
    };
    verdicts[0].evidence.clone()
}

#[test]
fn work_that_breaks_what_is_integrated_or_what_the_run_needs_is_refused_at_once() {
    let wait = |stage: &Stage| {
        let gate = stage.beside("go").display().to_string();
        format!("until test -e {gate}; do sleep 0.01; done;")
    };
    // A task whose promised file another one changes afterwards.
    let stage = Stage::git(&[("both", "1\n\n\n\n\n\n2\n"), ("x", "1\n")]);
    let first = json!({"subtask_id": "first", "script": "sed -i s/1/one/ both",
        "deliverables": ["both"], "criteria": [{"lacks": "two", "in": "both"}]});
    let script = format!("{} sed -i s/2/two/ both; echo b > b.md", wait(&stage));
    let second = json!({"subtask_id": "second", "script": script, "deliverables": ["b.md"],
        "retries": 0});
    second_breaks(&stage, first, second, json!([]));
    let told = refusal(&stage, "second");
    assert!(told.contains("it breaks what task first needs"), "{told}");

    // A criterion of the run that held until then; another one does not hold yet, which is no fault.
    let stage = Stage::git(&[("x", "1\n")]);
    let first = json!({"subtask_id": "first", "script": "echo a > a.md", "deliverables": ["a.md"]});
    let script = format!("{} echo b > b.md; echo 2 > x", wait(&stage));
    let second = json!({"subtask_id": "second", "script": script, "deliverables": ["b.md"],
        "retries": 0});
    let criteria = json!([{"contains": "1", "in": "x"}, {"file": "later.md"}]);
    second_breaks(&stage, first, second, criteria);
    let told = refusal(&stage, "second");
    assert!(
        told.contains("it breaks what the run needs, x contains \"1\""),
        "{told}"
    );
}

#[test]
fn a_check_that_passed_before_the_work_proves_nothing() {
    let stage = Stage::git(&[("x", "1\n")]);
    let criteria = json!([{"file": "x"}, {"file": "y"}]);
    let plan = json!({"task_title": "there already", "subtasks": [
        {"subtask_id": "own", "script": "echo 2 > y", "criteria": criteria},
        {"subtask_id": "shared", "script": "true", "workspace": "shared", "dependencies": ["own"],
         "criteria": [{"file": "y"}]},
        {"subtask_id": "anew", "script": "echo 3 > z", "criteria": [{"file": "z"}]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let started = |event| match event {
        Event::AttemptStarted {
            attempt,
            passed_before,
            ..
        } if !passed_before.is_empty() => Some((attempt.task.0, passed_before)),
        _ => None,
    };
    let events = stage.timed_events().into_iter();
    let passed: Vec<(u32, Vec<u16>)> = events.filter_map(|(_, event)| started(event)).collect();
    assert_eq!(passed, [(0, vec![0]), (1, vec![0])]);
    let nothing = "pass, proves nothing  x is not empty";
    let own = stage.divisi(&["show", "1", "own"]).expect(0).says(nothing);
    assert_eq!(own.stdout.matches("proves nothing").count(), 1);
    let shared = stage.divisi(&["show", "1", "shared"]).expect(0);
    shared.says("pass, proves nothing  y is not empty");
    let report = stage.divisi(&["report", "1"]).expect(0);
    let unverified = report
        .stdout
        .split_once("## What was not verified")
        .unwrap()
        .1;
    let proves = "is not empty (its check passed before the work too, so it proves nothing)";
    for told in [
        format!("- own: x {proves}"),
        format!("- shared: y {proves}"),
    ] {
        assert!(unverified.contains(&told), "{told}: {unverified}");
    }
    assert!(!unverified.contains("own: y"), "{unverified}");
    assert!(!unverified.contains("anew"), "{unverified}");
}
