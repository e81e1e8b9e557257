use super::*;

const SOURCE: &str = include_str!("../../tests/data/handoff.json");

fn handoff(name: &str, text: &str) -> Handoff {
    let read = read(name, text.as_bytes());
    assert_eq!(read.diagnostics, []);
    read.handoff.unwrap()
}

fn causes(text: &str) -> Vec<String> {
    let read = read("h.json", text.as_bytes());
    assert_eq!(read.handoff, None);
    read.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn the_described_form_is_read_whole() {
    let handoff = handoff("to-development-subtask-auth-002.json", SOURCE);
    assert_eq!(handoff.id, "to-development-subtask-auth-002");
    assert_eq!(
        (&*handoff.from, &*handoff.to),
        ("orchestrator", "development")
    );
    assert_eq!(handoff.task.as_deref(), Some("auth-002-backend"));
    assert_eq!(handoff.run.as_deref(), Some("orch-task-1762342920"));
    assert_eq!(handoff.priority, Some(Priority::High));
    let context = &handoff.context;
    assert_eq!(context.dependencies_completed, ["auth-001-design"]);
    assert_eq!(context.next_subtasks, ["auth-004-tests (waits for this)"]);
    assert_eq!(context.related_subtasks, ["auth-003-frontend (parallel)"]);
    assert!(!handoff.is_processed);
}

#[test]
fn the_variant_with_masters_is_read_and_keeps_what_is_not_known() {
    let text = r#"{"status": "pending", "handoff_id": "h-1", "from_master": "coordinator",
  "to_master": "security", "task_data": {"id": "task-7", "repository": "a/b", "cve": [1, 2.50]},
  "created_at": "2025-11-05T18:05:00Z", "sla_hours": 4}"#;
    let handoff = handoff("h-1.json.processed", text);
    assert_eq!((&*handoff.from, &*handoff.to), ("coordinator", "security"));
    assert_eq!(handoff.task.as_deref(), Some("task-7"));
    let data = r#"{"id": "task-7", "repository": "a/b", "cve": [1, 2.50]}"#;
    assert_eq!(handoff.task_data.as_deref(), Some(data));
    assert_eq!(handoff.others, ["status", "sla_hours"]);
    assert!(handoff.is_processed);
    // Order, numbers and white space are as they were.
    assert_eq!(handoff.text(), text);
    let data = r#"{"handoff_id": "h", "from": "a", "to": "b", "task_data": "free words"}"#;
    assert_eq!(self::handoff("h", data).task, None);
}

#[test]
fn all_faults_are_told_with_their_places() {
    assert_eq!(
        causes(
            r#"{"handoff_id": 7, "from": "a", "from_master": "b", "priority": "hihg",
 "context": {"next_subtasks": "x", "related_subtasks": [1]}, "from": "c"}"#
        ),
        [
            "[text-missing] h.json:1:1: the handoff lacks the key `to`",
            "[text-type] h.json:1:16: `handoff_id` is a number, not a string",
            "[text-conflict] h.json:1:32: both `from` and `from_master` are given",
            "[text-unknown-word] h.json:1:64: `priority` is `hihg`, not one of low, medium, high, \
             critical",
            "[text-type] h.json:2:31: `next_subtasks` is a string, not a list",
            "[text-type] h.json:2:57: `related_subtasks` is a number, not a string",
            "[text-duplicate-key] h.json:2:62: the key `from` stands twice in one object",
        ]
    );
    assert_eq!(
        causes(&" ".repeat(TEXT_BYTES_MAX + 1)),
        ["[text-too-large] h.json: the text has 262145 bytes, more than 262144"]
    );
    assert_eq!(
        causes("[]"),
        ["[text-type] h.json:1:1: the handoff is a list, not an object"]
    );
}

#[test]
fn every_prefix_and_every_broken_byte_is_survived() {
    for end in 0..SOURCE.len() {
        let read = read("h.json", &SOURCE.as_bytes()[..end]);
        let whole = SOURCE[end..].trim().is_empty();
        assert_eq!(read.handoff.is_some(), whole, "{end}");
        let mut bytes = SOURCE.as_bytes().to_vec();
        bytes[end] = 0xff;
        assert!(super::read("h.json", &bytes).handoff.is_none(), "{end}");
    }
}
