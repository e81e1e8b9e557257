//! The streams of tools that are not run with every change.

use super::*;

#[test]
fn a_turn_that_wrote_a_file_is_claimed_done() {
    let cases = [
        ("gemini-write", "write_file", Some((2200, 200, 68))),
        ("qwen-write", "write_file", Some((2200, 200, 68))),
        ("copilot-write", "create", None),
    ];
    for (stream, function, used) in cases {
        let (closing, entries) = heard(stream, 0);
        assert_eq!(closing.claim, Claim::Done, "{stream}");
        assert_eq!(calls(&entries), [(function.to_owned(), true)], "{stream}");
        let usage = closing.usage.map(|usage| {
            let read = usage.cache_read_tokens;
            (usage.input_tokens, read, usage.output_tokens)
        });
        assert_eq!(usage, used, "{stream}");
        let said: Vec<&str> = (entries.iter())
            .filter_map(|entry| match entry {
                Entry::Said { text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let expected = ["I will write the file.", "WROTE hello.txt"];
        assert_eq!(said, expected, "{stream}");
        assert!(
            entries
                .iter()
                .any(|entry| matches!(entry, Entry::Began { .. })),
            "{stream}"
        );
    }
}

#[test]
fn a_refused_login_repeats_exactly_with_whatever_status_a_tool_ends() {
    for (stream, exit) in [
        ("gemini-unauthorized", 145),
        ("qwen-unauthorized", 0),
        ("copilot-unauthorized", 1),
    ] {
        let (closing, entries) = heard(stream, exit);
        let is_told = matches!(&closing.claim, Claim::Unable { cause } if cause.contains("401"));
        assert!(is_told, "{stream}: {:?}", closing.claim);
        let status = entries.iter().find_map(|entry| match entry {
            Entry::Broke { status, .. } => *status,
            _ => None,
        });
        assert_eq!(status, Some(401), "{stream}");
    }
}

#[test]
fn an_error_for_ever_is_no_success() {
    let (closing, _) = heard("copilot-error", 1);
    let is_told = matches!(&closing.claim, Claim::Failed { cause } if cause.contains("500"));
    assert!(is_told, "{:?}", closing.claim);
    // These try again until they are ended.
    for stream in ["gemini-error", "qwen-error"] {
        let (closing, _) = heard(stream, 143);
        let is_told = matches!(&closing.claim, Claim::Failed { cause } if cause.contains("143"));
        assert!(is_told, "{stream}: {:?}", closing.claim);
    }
}

#[test]
fn what_a_tool_survives_is_no_failure() {
    for name in ["gemini", "qwen", "copilot"] {
        for what in ["limited", "malformed", "cut"] {
            let (closing, _) = heard(&format!("{name}-{what}"), 0);
            assert_eq!(closing.claim, Claim::Done, "{name}, {what}");
        }
    }
}

#[test]
fn a_limit_that_is_called_a_success_is_a_limit() {
    let mut session = Session::with(product("qwen").unwrap());
    session.hear(
        r#"{"type":"result","subtype":"success","is_error":false,"result":"[API Error: 429 slow down]"}"#,
    );
    let claim = session.close(&Exit::Status(0)).claim;
    assert!(matches!(claim, Claim::Limited { .. }), "{claim:?}");
    let mut session = Session::with(product("gemini").unwrap());
    session.hear(
        r#"{"type":"result","status":"error","error":{"message":"[API Error: {\"error\":{\"code\":429,\"message\":\"slow down\"}}]"}}"#,
    );
    let claim = session.close(&Exit::Status(173)).claim;
    assert!(matches!(claim, Claim::Limited { .. }), "{claim:?}");
}
