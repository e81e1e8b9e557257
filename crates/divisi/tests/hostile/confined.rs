//! Agents that write outside their workspace.

use divisi_core::run::{AttemptEnd, RunStatus, TaskState};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands, task};

/// Tries to write to each place, and makes its deliverable only if none could be written.
fn escape(places: &[String]) -> Value {
    let tries: String = places
        .iter()
        .map(|place| format!("(echo escaped > {place}) 2>/dev/null && echo {place} >> out || :\n"))
        .collect();
    let script = format!("{tries}test -e out || echo caught > caught.md");
    json!({"task_title": "it escapes", "subtasks": [
        {"subtask_id": "escape", "script": script, "deliverables": ["caught.md"], "retries": 0},
    ]})
}

fn places(stage: &Stage) -> Vec<String> {
    let text = |path: std::path::PathBuf| path.display().to_string();
    vec![
        text(stage.path("in-the-project")),
        text(stage.path(".git/hooks/post-commit")),
        text(stage.path(".divisi/in-the-folder")),
        text(stage.path(".divisi/repo.git/hooks/reference-transaction")),
        text(stage.path(".divisi/worktrees/escaped")),
        text(stage.beside("beside")),
        text(stage.beside("home/.gitconfig")),
        "../escaped".to_owned(),
    ]
}

#[test]
fn writes_outside_the_workspace_are_prevented_or_reported() {
    let stage = Stage::git(&[("a", "1\n")]);
    let places = places(&stage);
    let ran = stage.run(&escape(&places), &[]);
    let run = stage.only();
    let ending = &endings(&run, "escape")[0];
    match ending.confined.expect("it is known of a process") {
        true => {
            ran.expect(0);
            assert_eq!(ending.end, AttemptEnd::Integrated);
            for place in places {
                assert!(!stage.path(&place).exists(), "{place} was written");
            }
        }
        // This machine cannot; then it is said, and the attempt is as good as its checks.
        false => assert_eq!(ran.code, 3),
    }
}

#[test]
fn a_write_outside_makes_the_attempt_fail_if_it_depends_on_it() {
    let stage = Stage::git(&[("a", "1\n")]);
    let outside = stage.beside("outside").display().to_string();
    let plan = json!({"task_title": "it escapes", "subtasks": [
        {"subtask_id": "escape", "script": format!("echo x > {outside}; echo x > a.md"),
         "deliverables": ["a.md"], "retries": 0},
        {"subtask_id": "bare", "script": format!("echo x > {outside}"), "retries": 0},
        {"subtask_id": "beside", "script": "echo x > b.md", "deliverables": ["b.md"]},
    ]});
    let ran = stage.run(&plan, &[]);
    let run = stage.only();
    if endings(&run, "escape")[0].confined == Some(true) {
        ran.expect(3);
        let tasks = [
            ("escape", "blocked"),
            ("bare", "blocked"),
            ("beside", "done"),
        ];
        stands(&run, RunStatus::Blocked, &tasks);
        assert!(!stage.beside("outside").exists());
    }
}

#[test]
fn what_is_allowed_by_name_can_be_written() {
    let stage = Stage::git(&[("a", "1\n")]);
    let folder = stage.beside("allowed");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let plan = json!({"task_title": "it may", "subtasks": [
        {"subtask_id": "may", "script": format!("echo x > {folder}/x; echo x > a.md"), "deliverables": ["a.md"]},
    ]});
    stage.run(&plan, &["--allow-write", &folder]).expect(0);
    assert!(stage.beside("allowed/x").exists());
}

#[test]
fn an_agent_that_is_not_confined_is_reported_so() {
    let stage = Stage::git(&[("a", "1\n")]);
    let outside = stage.beside("outside");
    let script = format!("echo x > {}; echo x > a.md", outside.display());
    let plan = json!({"task_title": "it may", "subtasks": [
        {"subtask_id": "may", "script": script, "deliverables": ["a.md"]},
    ]});
    stage.run(&plan, &["--unconfined"]).expect(0);
    let run = stage.only();
    assert_eq!(task(&run, "may").endings[0].confined, Some(false));
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("writes were not confined\n\n- may");
    assert!(outside.exists());
}

#[test]
fn every_process_of_a_shared_checkout_has_an_empty_folder_and_a_place_for_a_question() {
    let stage = Stage::git(&[("a", "1\n")]);
    let script = r#"test -z "$(ls -A "$TMPDIR")"; echo x > "$TMPDIR/$DIVISI_TASK""#;
    let first = r#"test -z "$(ls -A "$TMPDIR")"; mktemp -u > /dev/null"#;
    let plan = json!({"task_title": "they share a checkout", "subtasks": [
        {"subtask_id": "first", "script": first, "retries": 0},
        {"subtask_id": "second", "script": script, "retries": 0, "dependencies": ["first"]},
        {"subtask_id": "third", "script": script, "retries": 0, "dependencies": ["second"]},
        {"subtask_id": "asks", "script": "echo why > \"$DIVISI_QUESTION\"", "retries": 0,
         "dependencies": ["third"]},
        {"subtask_id": "last", "script": script, "retries": 0, "dependencies": ["third"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let run = stage.only();
    let tasks = [
        ("first", "done"),
        ("second", "done"),
        ("third", "done"),
        ("asks", "blocked"),
        ("last", "done"),
    ];
    stands(&run, RunStatus::Blocked, &tasks);
    assert_eq!(
        task(&run, "asks").state,
        TaskState::Question("why".to_owned())
    );
    let left = std::fs::read_dir(stage.path(".divisi/tmp")).unwrap();
    assert_eq!(left.count(), 0, "temporary folders are left");
}

#[test]
fn no_attempt_asks_in_the_name_of_another() {
    let stage = Stage::git(&[("a", "1\n")]);
    let victim = r#"echo "$DIVISI_QUESTION" > there.tmp; mv there.tmp there
                    until test -e tried; do sleep 0.02; done"#;
    let forger = r#"until test -e there; do sleep 0.02; done
                    echo 'may I?' > "$(cat there)" || :
                    echo 'may I?' > "$(dirname "$(cat there)").forged" || :
                    touch tried"#;
    let plan = json!({"task_title": "one forges", "subtasks": [
        {"subtask_id": "prepared", "command": ["true"]},
        {"subtask_id": "victim", "script": victim, "dependencies": ["prepared"]},
        {"subtask_id": "forger", "script": forger, "dependencies": ["prepared"]},
    ]});
    let ran = stage.run(&plan, &[]);
    let run = stage.only();
    if endings(&run, "prepared")[0].confined == Some(true) {
        ran.expect(0);
        assert_eq!(endings(&run, "victim")[0].end, AttemptEnd::Integrated);
    }
}

#[test]
fn a_shared_command_that_is_not_confined_is_reported_so() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "they may", "subtasks": [
        {"subtask_id": "first", "command": ["true"]},
        {"subtask_id": "second", "command": ["true"], "dependencies": ["first"]},
    ]});
    stage.run(&plan, &["--unconfined"]).expect(0);
    let run = stage.only();
    for task in ["first", "second"] {
        assert_eq!(endings(&run, task)[0].confined, Some(false), "{task}");
    }
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("writes were not confined\n\n- first\n- second");
}
