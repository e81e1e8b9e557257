//! Recorded streams of real tools, read into one transcript; see `tests/streams`.

use std::fs;

use divisi_core::receipt::Exit;

use super::{Closing, Conversation, Entry, product};
use crate::agent::Claim;

/// What a recorded stream comes to, and what happened in it.
fn heard(stream: &str, exit: i32) -> (Closing, Vec<Entry>) {
    let (name, _) = stream.split_once('-').unwrap();
    let path = format!(
        "{}/tests/streams/{stream}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut conversation = Conversation::with(product(name).unwrap());
    let entries = text
        .lines()
        .flat_map(|line| conversation.hear(line))
        .collect();
    (conversation.close(&Exit::Status(exit)), entries)
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
fn a_turn_that_wrote_a_file_is_claimed_done_with_its_usage() {
    let cases = [
        ("claude-write", "Write", 2400, 200, Some(13_800)),
        ("codex-write", "command_execution", 2200, 200, None),
        ("opencode-write", "write", 2200, 200, Some(0)),
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
        assert!(
            closing.session.is_some_and(|session| session.len() > 8),
            "{stream}"
        );
        assert!(closing.denied.is_empty(), "{stream}");
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
fn a_refused_key_and_an_error_for_ever_are_failures_not_limits() {
    for (what, words) in [("unauthorized", "401"), ("error", "")] {
        for name in ["claude", "codex", "opencode"] {
            let (closing, _) = heard(&format!("{name}-{what}"), 1);
            let Claim::Failed { cause } = &closing.claim else {
                panic!("{name}, {what}: {:?}", closing.claim);
            };
            let told = cause.contains(words) || cause.contains("invalid api key");
            assert!(told && !cause.is_empty(), "{name}, {what}: {cause}");
        }
    }
}

#[test]
fn a_usage_limit_is_no_failure() {
    let (closing, _) = heard("claude-limited", 1);
    assert!(
        matches!(&closing.claim, Claim::Limited { cause, .. } if cause.contains("429")),
        "{:?}",
        closing.claim
    );
    // The others went on after the second refusal.
    for name in ["codex", "opencode"] {
        assert_eq!(heard(&format!("{name}-limited"), 0).0.claim, Claim::Done);
    }
}

#[test]
fn a_denied_write_is_told_though_the_turn_calls_itself_a_success() {
    let (closing, entries) = heard("claude-write-denied", 0);
    assert!(
        matches!(&closing.claim, Claim::Failed { cause } if cause.contains("not allowed")),
        "{:?}",
        closing.claim
    );
    assert_eq!(calls(&entries), [("Write".to_owned(), false)]);
    let [denied] = closing.denied.as_slice() else {
        panic!("{:?}", closing.denied);
    };
    assert!(
        denied.starts_with("Write") && denied.contains("hello.txt"),
        "{denied}"
    );
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
        let conversation = Conversation::with(product(name).unwrap());
        let closing = conversation.close(&Exit::Status(0));
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
        let mut conversation = Conversation::with(product(name).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[..lines.len() - 1] {
            conversation.hear(line);
        }
        let closing = conversation.close(&Exit::Signal(9));
        let Claim::Failed { cause } = closing.claim else {
            panic!("{name}: {:?}", closing.claim);
        };
        assert!(cause.contains("signal 9"), "{name}: {cause}");
    }
}

#[test]
fn what_is_no_json_is_noted_and_never_more() {
    let mut conversation = Conversation::with(product("claude").unwrap());
    for line in [
        "",
        "   ",
        "warning: something",
        "[]",
        "null",
        "{\"type\":7}",
        "{}",
    ] {
        for entry in conversation.hear(line) {
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
