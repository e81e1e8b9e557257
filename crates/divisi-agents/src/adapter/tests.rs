//! Recorded streams of real tools, read into one transcript; see `tests/streams`.

mod channel;
mod others;
mod process;

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use divisi_core::permission::Decision;
use divisi_core::receipt::Exit;

use super::acp::Patience;
use super::product::Writes;
use super::{Closing, Entry, Session, Stop, product};
use crate::agent::Claim;

/// What a recorded stream comes to, and what happened in it.
fn heard(stream: &str, exit: i32) -> (Closing, Vec<Entry>) {
    let (name, _) = stream.split_once('-').unwrap();
    let path = format!(
        "{}/tests/streams/{stream}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut session = Session::with(product(name).unwrap());
    let entries = text.lines().flat_map(|line| session.hear(line)).collect();
    (session.close(&Exit::Status(exit)), entries)
}

/// The functions that were called, each with whether it came out.
fn calls(entries: &[Entry]) -> Vec<(String, bool)> {
    let called = entries.iter().filter_map(|entry| match entry {
        Entry::Called { function, .. } => Some(function.clone()),
        _ => None,
    });
    let returned = entries.iter().filter_map(|entry| match entry {
        Entry::Returned { succeeded, .. } => Some(*succeeded),
        _ => None,
    });
    called.zip(returned).collect()
}

#[test]
fn what_an_agent_says_of_its_use_is_known_by_its_name() {
    use super::acp::Usage;
    use super::product::Speaks;
    use crate::agent::Told;
    use divisi_core::run::{Reports, Settings, reports};

    for product in &super::PRODUCTS {
        let expected = match (product.figures.tokens, &product.speaks) {
            (Told::Never, _) => Reports::Nothing,
            (_, Speaks::Acp(quirks)) if quirks.usage == Usage::LastStep => Reports::Part,
            (Told::AtEnd | Told::EachAnswer, _) => Reports::All,
        };
        let name = product.name;
        assert_eq!(reports(name, &Settings::default()), expected, "{name}");
    }
}

#[test]
fn who_is_refused_before_its_model_answered_used_nothing() {
    for (stream, used) in [
        ("codex-limited-waiting", Some(0)),
        ("codex-unauthorized", Some(0)),
        ("opencode-limited-given-up", Some(0)),
        ("opencode-unauthorized", Some(0)),
        // What a server that broke down had done by then, nobody knows.
        ("codex-error", None),
        ("opencode-error", None),
        // It never says anything.
        ("copilot-limited", None),
    ] {
        let (closing, _) = heard(stream, 1);
        let usage = closing.usage.map(super::Tokens::tokens);
        assert_eq!(usage, used, "{stream}: {closing:?}");
    }
}

#[test]
fn a_turn_that_wrote_a_file_is_claimed_done_with_its_usage() {
    let cases = [
        ("claude-write", "Write", 2400, 200, Some(13_800)),
        ("codex-write", "command_execution", 2200, 200, None),
        ("opencode-write", "write", 2200, 200, None),
    ];
    for (stream, function, input, cached, cost) in cases {
        let (closing, entries) = heard(stream, 0);
        assert_eq!(closing.claim, Claim::Done, "{stream}");
        assert_eq!(calls(&entries), [(function.to_owned(), true)], "{stream}");
        let usage = closing.usage.unwrap();
        let told = (
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.output_tokens,
        );
        assert_eq!(told, (input, cached, 68), "{stream}");
        assert_eq!(usage.cost_usd_micros, cost, "{stream}");
        assert_eq!(usage.tokens(), input + 68, "{stream}");
    }
}

#[test]
fn what_the_model_said_stands_in_the_transcript() {
    for name in ["claude", "codex", "opencode"] {
        let (_, entries) = heard(&format!("{name}-write"), 0);
        let said: Vec<&str> = (entries.iter())
            .filter_map(|entry| match entry {
                Entry::Said { text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(
            said,
            ["I will write the file.", "WROTE hello.txt"],
            "{name}"
        );
    }
}

#[test]
fn an_error_for_ever_is_a_failure_and_a_refused_login_one_that_repeats_exactly() {
    let demand = "high demand, which may cause temporary errors";
    let cases = [
        ("unauthorized", ["401", "401", "invalid api key"]),
        ("error", ["500", demand, "scripted error 500"]),
    ];
    for (what, words) in cases {
        for (name, words) in ["claude", "codex", "opencode"].into_iter().zip(words) {
            let (closing, _) = heard(&format!("{name}-{what}"), 1);
            let is_told = match &closing.claim {
                Claim::Unable { cause } => what == "unauthorized" && cause.contains(words),
                Claim::Failed { cause } => what == "error" && cause.contains(words),
                _ => false,
            };
            assert!(is_told, "{name}, {what}: {:?}", closing.claim);
        }
    }
}

#[test]
fn a_usage_limit_is_no_failure_and_its_end_is_told_where_the_tool_tells_it() {
    for (name, status, words, expected) in [
        ("claude-limited", 1, "429", Some(1_000)),
        ("opencode-limited-given-up", 1, "slow down", Some(7_000)),
        // It tells nobody what the server said.
        ("codex-limited-waiting", 137, "429", None),
    ] {
        let claim = heard(name, status).0.claim;
        assert!(
            matches!(&claim, Claim::Limited { cause, wait_ms }
                if cause.contains(words) && *wait_ms == expected),
            "{name}: {claim:?}"
        );
    }
    // These went on after the second refusal.
    for name in ["codex", "opencode"] {
        assert_eq!(heard(&format!("{name}-limited"), 0).0.claim, Claim::Done);
    }
}

#[test]
fn one_that_would_wait_without_a_word_is_given_up() {
    let told = |name: &str, line: &str| {
        let mut session = Session::with(product(name).unwrap());
        session.hear(line);
        session.is_given_up()
    };
    let waits = r#"{"type":"error","message":"Reconnecting... 1/5 (last status: 429 Too Many)"}"#;
    let errs = r#"{"type":"error","message":"Reconnecting... 1/5 (last status: 500 Internal)"}"#;
    assert!(told("codex", waits));
    assert!(!told("codex", errs));
    let tries =
        r#"{"type":"system","subtype":"api_retry","retry_delay_ms":7000,"error_status":429}"#;
    assert!(!told("claude", tries), "it says what it does, and ends");
}

#[test]
fn the_end_of_a_limit_that_is_told_in_words_counts() {
    let limited = |name: &str, line: &str| {
        let mut session = Session::with(product(name).unwrap());
        session.hear(line);
        session.close(&Exit::Status(1)).claim
    };
    let words = r#"{"type":"turn.failed","error":{"message":"You've hit your usage limit. Try again in 2 hours 3 minutes."}}"#;
    assert!(
        matches!(limited("codex", words), Claim::Limited { wait_ms: Some(ms), .. } if ms == 7_380_000)
    );
    let day = 24 * 60 * 60_000;
    let line =
        r#"{"type":"result","is_error":true,"result":"You've hit your limit · resets 3pm (UTC)"}"#;
    assert!(
        matches!(limited("claude", line), Claim::Limited { wait_ms: Some(ms), .. } if ms <= day)
    );
    let line =
        r#"{"type":"result","is_error":true,"result":"Claude AI usage limit reached|1000000001"}"#;
    assert!(matches!(
        limited("claude", line),
        Claim::Limited {
            wait_ms: Some(0),
            ..
        }
    ));
}

#[test]
fn a_denied_write_is_told_though_the_turn_calls_itself_a_success() {
    let (closing, entries) = heard("claude-write-denied", 0);
    // That it was denied something is no failure by itself: checks decide.
    assert_eq!(closing.claim, Claim::Done);
    let [denied] = &closing.denied[..] else {
        panic!("{closing:?}");
    };
    assert!(
        denied.starts_with("Write") && denied.contains("hello.txt"),
        "{denied}"
    );
    assert_eq!(calls(&entries), [("Write".to_owned(), false)]);
}

/// opencode ends at once, and with status 0, where a rule of its own denies something.
#[test]
fn what_was_denied_is_told_though_the_tool_ended_without_a_word() {
    let mut session = Session::with(product("opencode").unwrap());
    session.hear(r#"{"type":"step_start","sessionID":"s","part":{}}"#);
    session.hear(
        r#"{"type":"tool_use","part":{"tool":"write","state":{"status":"error","input":{"filePath":"/srv/a.md"},"error":"The user rejected permission to use this specific tool call."}}}"#,
    );
    let closing = session.close(&Exit::Status(0));
    let gave_up = matches!(&closing.claim, Claim::Failed { cause }
        if cause.contains("without a word"));
    assert!(gave_up, "{closing:?}");
    let [denied] = &closing.denied[..] else {
        panic!("{closing:?}");
    };
    assert!(denied.contains("/srv/a.md"), "{denied}");
}

/// Codex's own sandbox, which is all that there is where writes are not confined.
#[test]
fn what_the_walls_of_the_tool_refused_is_told_though_the_turn_calls_itself_a_success() {
    let (closing, entries) = heard("codex-sandbox-denied", 0);
    let [denied] = &closing.denied[..] else {
        panic!("{closing:?}");
    };
    assert!(denied.contains("echo hi > /srv/outside.md"), "{denied}");
    assert_eq!(closing.claim, Claim::Done);
    assert_eq!(calls(&entries), [("command_execution".to_owned(), false)]);
}

#[test]
fn broken_answers_of_the_model_are_survived_where_the_tool_survives_them() {
    for name in ["claude", "codex", "opencode"] {
        for what in ["cut", "malformed"] {
            let (closing, _) = heard(&format!("{name}-{what}"), 0);
            assert_eq!(closing.claim, Claim::Done, "{name}, {what}");
        }
    }
}

#[test]
fn an_exit_status_of_zero_alone_claims_nothing() {
    for name in ["claude", "codex", "opencode"] {
        let session = Session::with(product(name).unwrap());
        let closing = session.close(&Exit::Status(0));
        assert!(matches!(closing.claim, Claim::Failed { .. }), "{name}");
    }
}

#[test]
fn a_stream_that_stops_in_the_middle_claims_nothing() {
    for name in ["claude", "codex", "opencode"] {
        let path = format!(
            "{}/tests/streams/{name}-write.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = fs::read_to_string(path).unwrap();
        let mut session = Session::with(product(name).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[..lines.len() - 1] {
            session.hear(line);
        }
        let closing = session.close(&Exit::Signal(9));
        let Claim::Failed { cause } = closing.claim else {
            panic!("{name}: {:?}", closing.claim);
        };
        assert!(cause.contains("signal 9"), "{name}: {cause}");
    }
}

#[test]
fn what_is_no_json_is_noted_and_never_more() {
    let mut session = Session::with(product("claude").unwrap());
    for line in [
        "",
        "   ",
        "warning: something",
        "[]",
        "null",
        "{\"type\":7}",
        "{}",
    ] {
        for entry in session.hear(line) {
            assert!(matches!(entry, Entry::Noted { .. }), "{line}: {entry:?}");
        }
    }
}

#[test]
fn the_closing_is_found_after_what_others_print_and_is_bounded() {
    let (closing, _) = heard("claude-write", 0);
    let log = format!(
        "{{\"entry\":\"said\",\"text\":\"x\"}}\n{}\nlate words\n",
        closing.to_line()
    );
    assert_eq!(Closing::last_in(&log), Some(closing));
    assert_eq!(
        Closing::last_in("nothing\n{\"entry\":\"said\",\"text\":\"x\"}\n"),
        None
    );
    let long = format!(
        "{{\"entry\":\"closed\",\"claim\":{{\"failed\":{{\"cause\":\"{}\"}}}}}}",
        "x".repeat(100_000)
    );
    let Some(Closing {
        claim: Claim::Failed { cause },
        ..
    }) = Closing::last_in(&long)
    else {
        panic!("it is a closing");
    };
    assert_eq!(cause.len(), crate::agent::CLAIM_BYTES_MAX);
}

#[test]
fn many_long_denials_leave_the_closing_short_enough_to_be_read() {
    let denial =
        serde_json::json!({"tool_name": "Write", "tool_input": {"content": "\"".repeat(9_000)}});
    let line = serde_json::json!({
        "type": "result", "is_error": false, "result": "done",
        "permission_denials": vec![denial; 50],
    });
    let mut session = Session::with(product("claude").unwrap());
    session.hear(&line.to_string());
    let line = session.close(&Exit::Status(0)).to_line();
    assert!(line.len() < 20_000, "{} bytes", line.len());
}

#[test]
fn what_was_answered_is_remembered_within_bounds() {
    let denied = Decision::Deny {
        reason: "a rule".to_owned(),
    };
    let mut session = Session::with(product("claude").unwrap());
    for n in 0..2_000 {
        session.answered(format!("allowed-{n}"), "Write a", &Decision::Allow);
        session.answered("long".repeat(1_000), "Write a", &denied);
    }
    assert_eq!(session.known_again(), 0);
    for n in 0..2_000 {
        session.answered(format!("denied-{n}"), "Write a", &denied);
    }
    assert_eq!(session.known_again(), 1_000);
    // The run has it already that a rule denied something; what nobody was asked about it has not.
    let reason = "too much is asked at once".to_owned();
    session.answered("unasked".to_owned(), "Write b", &Decision::Deny { reason });
    let closing = session.close(&Exit::Status(0));
    assert_eq!(closing.denied, ["Write b: too much is asked at once"]);
}

#[test]
fn words_that_only_sound_like_a_limit_or_a_denial_are_none() {
    let mut session = Session::with(product("codex").unwrap());
    let failed =
        r#"{"type":"turn.failed","error":{"message":"request 4291 failed: disk quota is low"}}"#;
    session.hear(failed);
    let claim = session.close(&Exit::Status(1)).claim;
    assert!(matches!(claim, Claim::Failed { .. }), "{claim:?}");
    for words in [
        "context limit reached",
        "output token limit reached",
        "write a.md: Disk quota exceeded (os error 122)",
        "the test of the rate limit failed",
    ] {
        let failed = serde_json::json!({"type": "turn.failed", "error": {"message": words}});
        let result = serde_json::json!({"type": "result", "is_error": true, "result": words});
        for (name, line) in [("codex", failed), ("claude", result)] {
            let mut session = Session::with(product(name).unwrap());
            session.hear(&line.to_string());
            let claim = session.close(&Exit::Status(1)).claim;
            assert!(matches!(claim, Claim::Failed { .. }), "{name}: {claim:?}");
        }
    }
    // Of what came out, nothing was denied, whatever it prints; and files have permissions, too.
    let prints = |output: &str, exit_code: i32| {
        serde_json::json!({"type": "item.completed", "item": {"type": "command_execution",
            "command": "cat log", "aggregated_output": output, "exit_code": exit_code}})
    };
    let read_only = "sh: 1: cannot create /srv/a: Read-only file system\n";
    let of_opencode = r#"{"type":"tool_use","part":{"tool":"read","state":{"status":"error","input":{},"error":"EACCES: permission denied"}}}"#;
    for (name, line) in [
        ("codex", prints(read_only, 0).to_string()),
        (
            "codex",
            prints("cat: log: Permission denied\n", 1).to_string(),
        ),
        (
            "codex",
            prints("no Read-only file system here\n", 1).to_string(),
        ),
        ("opencode", of_opencode.to_owned()),
    ] {
        let entries = Session::with(product(name).unwrap()).hear(&line);
        let is_denied = { entries.iter() }.any(|entry| matches!(entry, Entry::Denied { .. }));
        assert!(!is_denied, "{line}: {entries:?}");
    }
}

/// Nothing of what Codex prints of it says so, and its model calls it a success: only checks know.
#[test]
fn codex_may_say_nothing_of_a_write_that_was_denied() {
    let (closing, entries) = heard("codex-write-denied", 0);
    assert_eq!(closing.claim, Claim::Done);
    assert_eq!(closing.denied, [] as [&str; 0]);
    assert_eq!(calls(&entries), []);
}

/// Only a session that is confined met the walls.
#[test]
fn what_the_kernel_refused_to_a_command_is_what_was_denied() {
    let line = serde_json::json!({"type": "item.completed", "item": {"type": "command_execution",
        "command": "echo a > /srv/a.md", "exit_code": 1,
        "aggregated_output": "/bin/bash: line 1: /srv/a.md: Permission denied\n"}});
    let closing = |writes: Writes| {
        let session = Session::with(product("codex").unwrap());
        let mut session = session.working_in(Path::new("/home/me/space"), writes);
        session.hear(&line.to_string());
        session.close(&Exit::Status(0))
    };
    let refused = ["/bin/bash: line 1: /srv/a.md: Permission denied"];
    assert_eq!(closing(Writes::Confined).denied, refused);
    assert_eq!(closing(Writes::Free).denied, [] as [&str; 0]);
}
