//! Ctrl-C and SIGTERM: once ends gracefully, twice at once; the run can always be resumed.

use divisi_core::run::{PauseReason, RunStatus};

use crate::outcome::{FIRST, assert_sound, finish, run_now};
use crate::stage::{Process, Stage, signal, texts, until};

/// What the exit code of an interrupted run is.
const INTERRUPTED: i32 = 130;

/// A task that works until the file `SIDE.go` is there, and another that waits for it.
const SLOW: &str = r#"{"task_title": "Slow", "subtasks": [
  {"subtask_id": "slow", "script": "echo slow $DIVISI_JOB >> SIDE; echo x > slow.md; test -e SIDE.go || sleep 600",
   "deliverables": ["slow.md"]},
  {"subtask_id": "after", "script": "echo after > after.md", "deliverables": ["after.md"], "dependencies": ["slow"]}
]}"#;

/// The same, by an agent that does not want to end.
const STUBBORN: &str = r#"{"task_title": "Stubborn", "subtasks": [
  {"subtask_id": "slow", "deliverables": ["slow.md"],
   "script": "trap '' TERM INT; echo slow $DIVISI_JOB >> SIDE; echo x > slow.md; test -e SIDE.go && exit 0; while :; do sleep 600; done"}
]}"#;

/// Work that is done at once, and a check that takes long.
const CHECKED: &str = r#"{"task_title": "Checked", "subtasks": [
  {"subtask_id": "slow", "script": "echo made $DIVISI_JOB > slow.md", "deliverables": ["slow.md"],
   "criteria": [{"command": ["sh", "-c", "echo checking >> SIDE; test -e SIDE.go || sleep 600"], "timeout_minutes": 20}]}
]}"#;

fn go(stage: &Stage) {
    std::fs::write(stage.path("side/counts.go"), "").unwrap();
}

/// Starts a run and waits until its first task counts itself.
fn begin(stage: &Stage, plan: &std::path::Path) -> Process {
    let args = stage.run_args(plan);
    let process = stage.start(&texts(&args), None);
    until("the first task begins", || !stage.counts().is_empty());
    process
}

/// After an interruption: nothing runs, nothing is claimed, and it goes on to the end.
fn assert_resumable(stage: &Stage, plan: &std::path::Path) {
    stage.assert_no_process_left();
    let run = run_now(stage, FIRST).expect("it is there");
    assert_eq!(run.ended, None);
    assert_ne!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.paused, Some(PauseReason::Interrupted));
    assert_eq!(run.slots(), 0);
    go(stage);
    finish(stage, plan);
    let run = assert_sound(stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    stage.assert_no_process_left();
    stage.assert_untouched();
}

#[test]
fn one_interruption_ends_agents_gracefully_and_leaves_a_run_to_resume() {
    for kind in [libc::SIGINT, libc::SIGTERM] {
        let stage = Stage::new();
        let plan = stage.write_plan("slow.json", SLOW);
        let process = begin(&stage, &plan);
        signal(process.pid(), kind);
        let ended = process.end();
        ended.assert_code(INTERRUPTED);
        assert!(!ended.output.contains("succeeded"), "{}", ended.output);
        assert_resumable(&stage, &plan);
    }
}

#[test]
fn a_second_interruption_ends_agents_at_once() {
    for kind in [libc::SIGINT, libc::SIGTERM] {
        let stage = Stage::new();
        let plan = stage.write_plan("stubborn.json", STUBBORN);
        let process = begin(&stage, &plan);
        signal(process.pid(), kind);
        until("it says that it ends its agents", || {
            process.output().contains("ending agents")
        });
        signal(process.pid(), kind);
        process.end().assert_code(INTERRUPTED);
        assert_resumable(&stage, &plan);
    }
}

#[test]
fn a_second_interruption_of_a_process_that_watches_ends_agents_at_once() {
    let stage = Stage::new();
    let text = STUBBORN.replace("while :;", "touch SIDE.told; while :;");
    let plan = stage.write_plan("stubborn.json", &text);
    let holder = begin(&stage, &plan);
    let args = stage.resume_args(FIRST.0);
    let watching = stage.start(&texts(&args), None);
    until("it watches", || {
        watching.output().contains("another process works on run-1")
    });
    signal(watching.pid(), libc::SIGINT);
    until("it says that it ends its agents", || {
        watching.output().contains("ending agents")
    });
    signal(watching.pid(), libc::SIGINT);
    watching.end().assert_code(INTERRUPTED);
    holder.end();
    assert_resumable(&stage, &plan);
}

#[test]
fn an_interruption_ends_checks_which_are_repeated_on_resume() {
    let stage = Stage::new();
    let plan = stage.write_plan("checked.json", CHECKED);
    let process = begin(&stage, &plan);
    signal(process.pid(), libc::SIGINT);
    process.end().assert_code(INTERRUPTED);
    assert_resumable(&stage, &plan);
    let run = run_now(&stage, FIRST).unwrap();
    assert_eq!(run.tasks()[0].attempts(), 1, "its work was not done again");
    assert!(stage.counts().len() >= 2, "its check was");
}
