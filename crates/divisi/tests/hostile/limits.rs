//! Agents that eat memory or CPU.

use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::{Ending, RunStatus};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands};

fn eating(script: &str) -> Value {
    json!({"task_title": "it eats", "subtasks": [
        {"subtask_id": "eater", "script": script, "retries": 0},
        {"subtask_id": "beside", "script": "echo x > b.md", "deliverables": ["b.md"]},
        {"subtask_id": "after", "command": ["true"], "dependencies": ["beside"]},
    ]})
}

fn exit(ending: &Ending) -> &Exit {
    let submitted = ending.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted { exit, .. } => Some(exit),
        _ => None,
    });
    submitted.expect("it ended")
}

const TASKS: [(&str, &str); 3] = [("eater", "blocked"), ("beside", "done"), ("after", "done")];

#[test]
fn one_that_eats_memory_dies_alone() {
    let stage = Stage::git(&[("a", "1\n")]);
    // It doubles a variable until it may not; without a limit it would take 4 GiB.
    let script =
        "x=0123456789abcdef; i=0; while [ $i -lt 28 ]; do x=\"$x$x\"; i=$((i+1)); done; echo whole";
    stage.run(&eating(script), &["--memory", "256"]).expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &TASKS);
    assert_ne!(exit(&endings(&run, "eater")[0]), &Exit::Status(0));
    let log = std::fs::read_to_string(stage.path(".divisi/runs/run-1/logs/eater.1.log"));
    assert!(!log.unwrap_or_default().contains("whole"));
}

#[test]
fn one_that_eats_cpu_dies_alone() {
    let stage = Stage::git(&[("a", "1\n")]);
    stage
        .run(&eating("while :; do :; done"), &["--cpu-seconds", "1"])
        .expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &TASKS);
    let ended = exit(&endings(&run, "eater")[0]);
    let by_limit = [Exit::Signal(libc::SIGXCPU), Exit::Signal(libc::SIGKILL)];
    assert!(by_limit.contains(ended), "{ended}");
}

#[test]
fn agents_are_the_first_to_go_when_the_machine_has_no_memory_left() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "it tells", "subtasks": [
        {"subtask_id": "a", "script": "cat /proc/self/oom_score_adj > told.txt",
         "deliverables": ["told.txt"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let own: i32 = own.trim().parse().unwrap();
    let told: i32 = stage.result("told.txt").unwrap().trim().parse().unwrap();
    assert!(
        told > own.min(299),
        "an agent has {told}, this process {own}"
    );
}
