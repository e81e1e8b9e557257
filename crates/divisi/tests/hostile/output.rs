//! Agents that print: too much, and what a terminal would obey.

use divisi_core::receipt::Receipt;
use serde_json::json;

use crate::processes::supervisor;
use crate::stage::{Stage, endings, task};

/// What the engine and the supervisor may use at the most.
const MEMORY_BYTES_MAX: u64 = 100 << 20;

/// A log keeps so much.
const LOG_BYTES_MAX: u64 = 8 << 20;

/// Peak of a process's resident memory in bytes; `None` once it is gone.
fn peak_memory(pid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

#[test]
fn a_gigabyte_of_output_is_capped_and_takes_no_memory() {
    const BYTES: u64 = 1 << 30;
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": "it prints", "subtasks": [
        {"subtask_id": "loud", "script": format!("yes 'a line of it' | head -c {BYTES}")},
    ]});
    let running = stage.start_plan(&plan, &[]);
    let (engine, supervisor) = (running.pid(), supervisor(&stage));
    let (mut engine_peak, mut supervisor_peak) = (0, 0);
    // What has ended has no memory, also while nobody has asked how it ended.
    while let Some(peak) = peak_memory(engine) {
        engine_peak = peak;
        supervisor_peak = peak_memory(supervisor).unwrap_or(supervisor_peak);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.wait().expect(0);
    for (who, peak) in [("engine", engine_peak), ("supervisor", supervisor_peak)] {
        assert!(
            peak > 0 && peak < MEMORY_BYTES_MAX,
            "the {who} took {peak} bytes"
        );
    }
    let run = stage.only();
    let output = endings(&run, "loud")[0]
        .receipts
        .iter()
        .find_map(|receipt| match receipt {
            Receipt::Submitted { output, .. } => output.clone(),
            _ => None,
        });
    let output = output.expect("it printed");
    assert_eq!((output.bytes, output.capped), (BYTES, true));
    let log = stage.path(".divisi/runs/run-1/logs/loud.1.log");
    let kept = std::fs::metadata(log).unwrap().len();
    assert!(
        kept > 0 && kept <= LOG_BYTES_MAX + 4_096,
        "{kept} bytes are kept"
    );
}

/// What a terminal would obey: a title, a beep, a question that the terminal would type the answer
/// to, eight-bit controls, and a line that hides itself.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[6n\u{9b}31m\u{8}\rhidden\u{202e}";

/// None of it may arrive. (Divisi's own sequences begin with `ESC [`.)
const NEVER: [&str; 6] = [
    "\u{1b}]",
    "\u{7}",
    "\u{1b}[6n",
    "\u{9b}",
    "\u{8}",
    "\u{202e}",
];

/// Asserts that nothing hostile arrived on a terminal.
fn is_harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for never in NEVER {
        assert!(!text.contains(never), "{what} shows {never:?}:\n{text:?}");
    }
    assert!(
        !bytes.contains(&0x9b) || std::str::from_utf8(bytes).is_ok(),
        "{what}: a raw C1"
    );
}

#[test]
fn nothing_that_an_agent_writes_reaches_a_terminal_raw() {
    let stage = Stage::git(&[("a", "1\n")]);
    let question = "cat hostile > \"$DIVISI_QUESTION\"";
    let plan = json!({"task_title": "it prints escapes", "subtasks": [
        {"subtask_id": "printer", "script": "cat hostile; cat hostile >&2"},
        {"subtask_id": "checked", "script": "echo x > x.md", "deliverables": ["x.md"], "retries": 0,
         "criteria": [{"command": ["sh", "-c", "cat hostile; exit 1"]}]},
        {"subtask_id": "asker", "script": question, "deliverables": ["y.md"]},
        {"subtask_id": "namer", "script": "touch \"$(cat hostile)\"", "deliverables": ["z.md"], "retries": 0},
    ]});
    crate::stage::write(stage.path("hostile"), HOSTILE);
    crate::stage::git(stage.project(), &["add", "--all"]);
    crate::stage::git(stage.project(), &["commit", "-q", "-m", "hostile"]);
    let path = stage.plan(&plan);
    let (code, bytes) = stage.on_a_terminal(&["run", &path, "--yes"], "");
    is_harmless("run", &bytes);
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    assert_eq!(code, 3, "{shown}");
    assert!(
        shown.contains("checked") && shown.contains("asker"),
        "{shown:?}"
    );
    let run = stage.only();
    assert_eq!(task(&run, "asker").status().word(), "blocked");
    let printed = std::fs::read_to_string(stage.path(".divisi/runs/run-1/logs/printer.1.log"));
    assert!(
        printed.unwrap().contains('\u{7}'),
        "the log keeps what was printed"
    );
    for args in SHOWING {
        let (_, bytes) = stage.on_a_terminal(args, "");
        is_harmless(&args.join(" "), &bytes);
    }
}

/// Commands that show what agents and people wrote.
const SHOWING: &[&[&str]] = &[
    &["status"],
    &["status", "1"],
    &["show", "1"],
    &["show", "1", "printer"],
    &["show", "1", "checked"],
    &["show", "1", "asker"],
    &["show", "1", "namer"],
    &["logs", "1", "printer"],
    &["logs", "1", "checked"],
    &["explain", "1"],
    &["explain", "1", "asker"],
    &["explain", "1", HOSTILE],
    &["report", "1"],
    &["watch", "1", "--from-start"],
    &["diff", "1", "checked"],
    &["merge", "1"],
    &["gc"],
    &["resume", "1"],
    &["retry", "1", HOSTILE],
    &["answer", "1", HOSTILE, "x"],
    &["approve", "1", HOSTILE],
    &["run", HOSTILE],
];

#[test]
fn a_hostile_plan_reaches_no_terminal_raw_either() {
    let stage = Stage::git(&[("a", "1\n")]);
    let plan = json!({"task_title": HOSTILE, "subtasks": [
        {"subtask_id": "a", "title": HOSTILE, "command": ["true"], HOSTILE: 1},
        {"subtask_id": HOSTILE, "command": ["true"], "dependencies": [HOSTILE]},
    ]});
    let path = stage.plan(&plan);
    let (code, bytes) = stage.on_a_terminal(&["run", &path, "--yes"], "");
    is_harmless("run", &bytes);
    assert_eq!(code, 2, "{}", String::from_utf8_lossy(&bytes));
}
