//! Agents that do not want to end, that hide their children, and that signal others.

use divisi_core::run::{AttemptEnd, Event, RunStatus, StopReason};
use serde_json::{Value, json};

use crate::stage::{FIRST, Stage, endings, pids, stands, task, until, with_argument};

/// A duration for `sleep` that stands in no other process's arguments.
pub(crate) fn unique_sleep() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    format!("100000.{}{count:03}", std::process::id())
}

/// From TERM to KILL, and what the issue allows beyond it.
const GRACE_MS: u64 = 5_000;
const BEYOND_MS: u64 = 2_000;

/// Other tests keep the machine busy meanwhile.
const BUSY_MS: u64 = 10_000;

/// ```text
/// first    next     (one slot, the first has priority)
/// ```
fn one_slot(first: Value) -> Value {
    let mut first = first;
    first["subtask_id"] = json!("first");
    first["priority"] = json!("critical");
    first["retries"] = json!(0);
    let next =
        json!({"subtask_id": "next", "script": "echo x > next.md", "deliverables": ["next.md"]});
    json!({"task_title": "one slot", "subtasks": [first, next]})
}

/// Asserts that the first task's attempt was ended in time, that nothing is left of it, and that
/// its slot was free for the next.
fn was_ended(stage: &Stage, reason: &StopReason, sleep: &str) {
    let run = stage.only();
    let [ending] = endings(&run, "first") else {
        panic!("one attempt: {:?}", endings(&run, "first"));
    };
    assert_eq!(ending.end, AttemptEnd::Stopped(reason.clone()));
    let events = stage.timed_events();
    let stopping = events
        .iter()
        .find(|(_, event)| matches!(event, Event::AttemptStopping { .. }));
    let took = ending.ended_at.0 - stopping.expect("it was told to end").0.0;
    let most = GRACE_MS + BEYOND_MS + BUSY_MS;
    assert!(took < most, "it took {took} ms to end");
    assert_eq!(with_argument(sleep), [] as [i32; 0]);
    assert_eq!(stage.jobs(), [] as [i32; 0]);
    assert_eq!(endings(&run, "next").len(), 1);
    assert_eq!(endings(&run, "next")[0].end, AttemptEnd::Integrated);
}

#[test]
fn one_that_ignores_term_is_ended_at_its_time_box() {
    let stage = Stage::git(&[("a", "1\n")]);
    let sleep = unique_sleep();
    let script = format!("trap '' TERM INT HUP; while :; do sleep {sleep} || :; done");
    let plan = one_slot(json!({"script": script, "timeout_minutes": 0.01}));
    stage.run(&plan, &["-j", "1"]).expect(3);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[("first", "blocked"), ("next", "done")],
    );
    was_ended(&stage, &StopReason::Overdue, &sleep);
}

#[test]
fn one_that_forked_twice_into_another_session_is_ended_with_its_daemons() {
    let stage = Stage::git(&[("a", "1\n")]);
    let sleep = unique_sleep();
    // The grandchild has another session, no mark in its environment, and ignores TERM.
    let script = format!(
        "(env -i PATH=\"$PATH\" setsid sh -c \"trap '' TERM; sleep {sleep} & wait\" &) ; \
         (setsid sh -c 'trap \"\" TERM; while :; do sleep {sleep} || :; done' &) ; \
         sleep {sleep}"
    );
    let plan = one_slot(json!({"script": script}));
    let running = stage.start_plan(&plan, &["-j", "1"]);
    until("three sleep", || with_argument(&sleep).len() == 3);
    stage.divisi(&["cancel", "1", "first"]).expect(0);
    running.wait().expect(5);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Canceled,
        &[("first", "canceled"), ("next", "done")],
    );
    was_ended(&stage, &StopReason::Canceled, &sleep);
}

#[test]
fn what_one_that_ended_by_itself_left_in_another_session_is_swept() {
    let stage = Stage::git(&[("a", "1\n")]);
    let sleep = unique_sleep();
    let script = format!(
        "(env -i PATH=\"$PATH\" setsid sh -c \"trap '' TERM; sleep {sleep} & wait\" &); \
         while ! grep -qsF {sleep} /proc/[0-9]*/cmdline; do sleep 0.01; done; echo x > a.md"
    );
    let plan = json!({"task_title": "a daemon is left", "subtasks": [
        {"subtask_id": "first", "script": script, "deliverables": ["a.md"]},
        {"subtask_id": "next", "command": ["true"], "dependencies": ["first"]},
    ]});
    stage.run(&plan, &["-j", "1"]).expect(0);
    assert_eq!(with_argument(&sleep), [] as [i32; 0]);
    assert_eq!(stage.jobs(), [] as [i32; 0]);
    assert_eq!(task(&stage.only(), "first").attempts(), 1);
}

#[test]
fn five_hundred_children_are_ended_to_the_last() {
    let stage = Stage::git(&[("a", "1\n")]);
    let sleep = unique_sleep();
    let script = format!(
        "trap '' TERM; i=0; while [ $i -lt 500 ]; do sleep {sleep} & i=$((i+1)); done; wait"
    );
    let plan = one_slot(json!({"script": script}));
    let running = stage.start_plan(&plan, &["-j", "1"]);
    until("five hundred sleep", || with_argument(&sleep).len() == 500);
    stage.divisi(&["cancel", "1", "first"]).expect(0);
    running.wait().expect(5);
    was_ended(&stage, &StopReason::Canceled, &sleep);
}

#[test]
fn one_that_signals_its_parents_group_and_its_siblings_hurts_only_itself() {
    let stage = Stage::git(&[("a", "1\n")]);
    let sleep = unique_sleep();
    // Its parent is the supervisor; the engine is found by its arguments.
    let script = "
        for pid in $(ls /proc | grep -E '^[0-9]+$'); do
            case $(tr '\\0' ' ' < /proc/$pid/cmdline 2>/dev/null) in
                *\"$PROJECT\"*) [ $pid = $$ ] || kill -KILL $pid || : ;;
            esac
        done
        kill -KILL $PPID || :
        kill -KILL -$PPID || :
        kill -TERM 0
        sleep 100000";
    let plan = json!({"task_title": "it signals", "subtasks": [
        {"subtask_id": "sibling", "script": format!("until test -e {0}; do sleep 0.01; done; sleep 0.3; : {sleep}; echo x > s.md", stage.beside("go").display()), "deliverables": ["s.md"]},
        {"subtask_id": "bad", "script": script, "retries": 0,
         "env": {"PROJECT": stage.project().display().to_string()}},
    ]});
    let running = stage.start_plan(&plan, &["-j", "2"]);
    let supervisor = supervisor(&stage);
    let ended = |event: &Event| matches!(event, Event::AttemptEnded { .. });
    stage.until_event("the attacker has ended", ended);
    let is_alive = std::fs::read(format!("/proc/{supervisor}/cmdline"));
    assert!(
        is_alive.is_ok_and(|line| !line.is_empty()),
        "the supervisor lives"
    );
    std::fs::write(stage.beside("go"), "").unwrap();
    running.wait().expect(3);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[("sibling", "done"), ("bad", "blocked")],
    );
    assert_eq!(task(&run, "sibling").attempts(), 1);
    assert_eq!(endings(&run, "bad").len(), 1);
}

#[test]
fn forged_notes_marks_and_heartbeats_change_nothing() {
    let stage = Stage::git(&[("a", "1\n")]);
    let divisi = stage.path(".divisi").display().to_string();
    // As root of its own folder only: everything of Divisi's is out of reach under confinement.
    let script = "
        note='{\"note\":\"ended\",\"job\":\"1/0.1\",\"ended\":{\"exit\":{\"status\":0},\"wall_ms\":1,\"swept\":0,\"empty\":true,\"told\":false}}'
        for file in supervisor.notes divisi.db divisi.db-wal engine.lock runs/run-1/logs/sibling.1.log runs/run-1/heartbeat; do
            (echo \"$note\" >> \"$DIR/$file\") 2>/dev/null && echo \"$file\" >> written || :
        done
        echo $$ > pid; echo 1 > supervisor.pid; echo now > heartbeat
        DIVISI_JOB=1/0.1 sh -c 'echo I am the other'
        touch written
        echo done > forged.md";
    let plan = json!({"task_title": "it forges", "subtasks": [
        {"subtask_id": "sibling", "script": format!("until test -e {}; do sleep 0.01; done; echo x > s.md", stage.beside("go").display()), "deliverables": ["s.md"]},
        {"subtask_id": "forger", "script": script, "deliverables": ["forged.md"], "env": {"DIR": divisi}},
    ]});
    let running = stage.start_plan(&plan, &["-j", "2"]);
    stage.until_event("the forger is integrated", |event| {
        matches!(event, Event::BatchIntegrated { .. })
    });
    let run = stage.load(FIRST);
    assert_eq!(task(&run, "sibling").status().word(), "running");
    std::fs::write(stage.beside("go"), "").unwrap();
    running.wait().expect(0);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("sibling", "done"), ("forger", "done")],
    );
    assert_eq!(task(&run, "sibling").attempts(), 1);
    if endings(&run, "forger")[0].confined == Some(true) {
        assert_eq!(stage.result("written").as_deref(), Some(""));
    }
}

/// The supervisor of a stage's project, once there is one.
pub(crate) fn supervisor(stage: &Stage) -> i32 {
    let folder = stage.path(".divisi").display().to_string();
    let is_supervisor = |pid: &i32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        words.get(1) == Some(&b"supervisor".as_slice()) && words.contains(&folder.as_bytes())
    };
    let mut found = None;
    until("there is a supervisor", || {
        found = pids().find(is_supervisor);
        found.is_some()
    });
    found.expect("it was waited for")
}
