//! A run is canceled, paused, interrupted, and found again.

use divisi_core::run::{Event, RunStatus};
use serde_json::json;

use crate::stage::{Stage, stands, task, until, with_argument, write};

#[test]
fn a_run_is_canceled_whole() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("never").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.01; done");
    let plan = json!({"task_title": "canceled", "subtasks": [
        {"subtask_id": "a", "command": ["true"]},
        {"subtask_id": "b", "script": wait, "dependencies": ["a"]},
        {"subtask_id": "c", "command": ["true"], "dependencies": ["b"]},
    ]});
    let running = stage.start_plan(&plan, &[]);
    until("it waits", || with_argument(&wait).len() == 1);
    stage.divisi(&["cancel", "1"]).expect(0);
    running.wait().expect(5);
    let tasks = [("a", "done"), ("b", "canceled"), ("c", "canceled")];
    stands(&stage.only(), RunStatus::Canceled, &tasks);
    assert_eq!(with_argument(&wait), [] as [i32; 0]);
    stage.divisi(&["resume", "1"]).expect(6);
}

#[test]
fn the_files_of_a_run_say_how_it_ended_though_no_run_command_saw_its_end() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "nobody is there", "subtasks": [
        {"subtask_id": "a", "agent": "person", "deliverables": ["a.md"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let file = |name: &str| std::fs::read_to_string(stage.path(".divisi/runs/run-1").join(name));
    assert!(file("report.md").unwrap().contains("not ended"));
    let ran = stage.divisi(&["cancel", "1"]).expect(0);
    assert!(
        ran.stderr.contains("the run is over: canceled"),
        "{}",
        ran.stderr
    );
    let report = file("report.md").unwrap();
    assert!(
        !report.contains("not ended") && report.contains("canceled"),
        "{report}"
    );
    let plan: serde_json::Value = serde_json::from_str(&file("plan.json").unwrap()).unwrap();
    // The source has no word for canceled.
    assert_eq!(plan["status"], "failed");
}

#[test]
fn a_paused_run_starts_nothing_new_and_is_resumed() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("go").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.01; done");
    let plan = json!({"task_title": "paused", "subtasks": [
        {"subtask_id": "a", "script": wait},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]},
    ]});
    let running = stage.start_plan(&plan, &[]);
    until("it waits", || with_argument(&wait).len() == 1);
    stage.divisi(&["pause", "1"]).expect(0);
    write(stage.beside("go"), "");
    running.wait().expect(4).says("divisi resume run-1");
    let run = stage.only();
    assert_eq!(task(&run, "a").status().word(), "done", "what ran went on");
    assert_eq!(task(&run, "b").attempts(), 0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("a", "done"), ("b", "done")],
    );
}

#[test]
fn an_interrupted_run_ends_its_agents_and_can_be_resumed() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("go").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.01; done");
    let plan = json!({"task_title": "interrupted", "subtasks": [
        {"subtask_id": "a", "script": wait},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]},
    ]});
    let running = stage.start_plan(&plan, &[]);
    until("it waits", || with_argument(&wait).len() == 1);
    crate::stage::kill(running.pid(), libc::SIGINT);
    running.wait().expect(130).says("divisi resume run-1");
    assert_eq!(with_argument(&wait), [] as [i32; 0]);
    assert!(stage.only().ended.is_none(), "it is not shown as ended");
    write(stage.beside("go"), "");
    stage.divisi(&["resume", "1"]).expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("a", "done"), ("b", "done")],
    );
    assert_eq!(
        task(&stage.only(), "a").failures,
        0,
        "it costs the task nothing"
    );
    let ended = |event: &Event| matches!(event, Event::RunEnded { .. });
    assert_eq!(
        stage
            .timed_events()
            .iter()
            .filter(|(_, event)| ended(event))
            .count(),
        1
    );
}

#[test]
fn another_run_and_the_list_of_runs_offer_what_is_unfinished() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = |title: &str| json!({"task_title": title, "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    let first = stage.plan(&plan("first"));
    stage.divisi(&["run", &first]).expect(4);
    let second = stage.run(&plan("second"), &[]).expect(0);
    let offer = "unfinished: run-1 first, awaiting approval  → divisi approve run-1\n";
    assert_eq!(second.stderr.matches(offer).count(), 1, "{}", second.stderr);
    assert!(
        !second.stderr.contains("unfinished: run-2"),
        "{}",
        second.stderr
    );
    let listed = stage.divisi(&["status"]).expect(0).stdout;
    assert!(
        listed.contains("first  → divisi approve run-1\n"),
        "{listed}"
    );
    assert!(
        listed.contains("second\n"),
        "what has ended needs no command: {listed}"
    );
    // What is done with is not offered any more.
    stage.divisi(&["cancel", "1"]).expect(0);
    let third = stage.run(&plan("third"), &[]).expect(0);
    assert!(!third.stderr.contains("unfinished"), "{}", third.stderr);
}
