//! Agents that hand in what must not be opened.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Failure};
use serde_json::json;

use crate::nowhere::is_nowhere;
use crate::stage::{Stage, endings};

/// Opening a FIFO takes for ever and reading 1 TiB takes an hour; a second is what the issue
/// allows, and the rest is for a machine that runs all other tests meanwhile.
const REFUSAL_MS_MAX: u64 = 1_000 + 9_000;

/// Runs an agent that makes its deliverable so, and asserts that it is refused with this cause.
fn is_refused(script: &str, deliverable: &str, cause: &str) {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "a trap", "subtasks": [
        {"subtask_id": "trap", "script": script, "deliverables": [deliverable], "retries": 0},
        {"subtask_id": "beside", "script": "echo x > b.md", "deliverables": ["b.md"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    let [ending] = endings(&run, "trap") else {
        panic!("one attempt");
    };
    let AttemptEnd::Refused(Failure::Collection(found)) = &ending.end else {
        panic!("not refused: {:?}", ending.end);
    };
    assert!(found.contains(cause), "{found:?} says {cause:?}");
    let claimed = ending.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted { at, .. } => Some(*at),
        _ => None,
    });
    let took = ending.ended_at.0 - claimed.expect("it claimed to be done").0;
    assert!(took < REFUSAL_MS_MAX, "it took {took} ms");
    // The first line of a file that every machine has.
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    is_nowhere(&stage, passwd.lines().next().unwrap());
    assert_eq!(endings(&run, "beside")[0].end, AttemptEnd::Integrated);
}

#[test]
fn a_link_to_a_file_outside_is_refused() {
    is_refused(
        "ln -s /etc/passwd x",
        "x",
        "a deliverable must be a file, it is a link",
    );
}

#[test]
fn a_link_beside_the_deliverable_is_refused() {
    is_refused(
        "echo x > x; ln -s /etc/passwd y",
        "x",
        "it is a link to /etc/passwd, outside",
    );
}

#[test]
fn a_folder_that_is_a_link_is_refused() {
    is_refused("ln -s /etc d", "d/passwd", "link");
}

#[test]
fn a_fifo_is_refused() {
    is_refused("mkfifo x", "x", "it is a FIFO, not a file");
}

#[test]
fn a_socket_or_a_device_is_refused() {
    // Who may not make a device makes a second FIFO; both are special files.
    is_refused("mknod x c 1 5 2>/dev/null || mkfifo x", "x", ", not a file");
}

#[test]
fn a_sparse_giant_is_refused() {
    is_refused("truncate -s 1T x", "x", "1099511627776 bytes");
}

#[test]
fn a_repository_within_the_workspace_is_refused() {
    is_refused(
        "mkdir r; git -C r init -q; echo x > r/x",
        "r/x",
        "it is a repository of its own",
    );
}

#[test]
fn a_path_that_leads_outside_is_no_plan() {
    for path in ["../../x", "/etc/passwd", "a/../../x", ".git/config", "a\0b"] {
        let stage = Stage::git(&[("a", "1\n")]);
        let plan = json!({"task_title": "outside", "subtasks": [
            {"subtask_id": "a", "command": ["true"], "deliverables": [path]},
        ]});
        stage.run(&plan, &[]).expect(2).says("text-path");
        assert!(stage.try_view().is_none(), "nothing was started");
    }
}
