//! Sessions as agents really held them, see `tests/streams`, and as none should.

mod process;

use std::fs;

use divisi_core::permission::{Decision, Deed, Request};
use divisi_core::receipt::Exit;
use serde_json::{Value, json};

use super::super::product::{Speaks, product};
use super::super::record::Record;
use super::super::session::Session;
use super::super::transcript::{Entry, Tokens};
use super::client::{Act, Client, Phase, introduced};
use super::quirks::Quirks;
use crate::agent::Claim;

/// What a session came to.
struct Held {
    client: Client,
    session: Session,
    entries: Vec<Entry>,
    sent: Vec<Value>,
    asked: Vec<Request>,
    unable: Option<String>,
}

impl Held {
    fn with(name: &str, wanted: Option<&str>) -> Held {
        let product = product(name).unwrap();
        let Speaks::Acp(quirks) = product.speaks else {
            panic!("{name} speaks ACP");
        };
        let record = wanted.map(|session| Record {
            agent: name.to_owned(),
            session: session.to_owned(),
            used: Tokens {
                input_tokens: 20_000,
                ..Tokens::default()
            },
        });
        Held {
            client: Client::new(
                quirks,
                "/project".to_owned(),
                "Do it.".to_owned(),
                wanted.map(str::to_owned),
            ),
            session: Session::with(product).resuming(record),
            entries: Vec::new(),
            sent: Vec::new(),
            asked: Vec::new(),
            unable: None,
        }
    }

    /// Plays a stream that was recorded, with this answer to whatever is asked.
    fn recorded(stream: &str, wanted: Option<&str>, decision: &Decision) -> Held {
        let at = stream.find("-acp").unwrap() + "-acp".len();
        let mut held = Held::with(&stream[..at], wanted);
        let path = format!(
            "{}/tests/streams/{stream}.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        for line in text.lines() {
            held.hear(line, decision);
        }
        held
    }

    fn hear(&mut self, line: &str, decision: &Decision) {
        let acts = self.client.hear(line);
        self.perform(acts, decision);
    }

    fn says(&mut self, message: &Value) {
        self.hear(&message.to_string(), &Decision::Allow);
    }

    fn perform(&mut self, acts: Vec<Act>, decision: &Decision) {
        for act in acts {
            match act {
                Act::Send(message) => self.sent.push(message),
                Act::Tell(mut entry) => {
                    self.session.take(&mut entry);
                    self.entries.push(entry);
                }
                Act::Decide(number, request) => {
                    self.asked.push(request);
                    let acts = self.client.decided(number, decision.clone());
                    self.perform(acts, decision);
                }
                Act::Unable(cause) => self.unable = Some(cause),
            }
        }
    }

    /// At work, as an agent of which nothing is known.
    fn working(quirks: Quirks) -> Held {
        let mut held = Held::with("claude-acp", None);
        held.client = Client::new(quirks, "/project".to_owned(), "Do it.".to_owned(), None);
        held.says(&json!({"id": 0, "result": {"protocolVersion": 1}}));
        held.says(&json!({"id": 1, "result": {"sessionId": "s"}}));
        assert_eq!(held.client.phase(), Phase::Working);
        held
    }

    fn claim(self) -> Claim {
        self.closing().0
    }

    fn closing(self) -> (Claim, Option<Tokens>) {
        let closing = self.session.close(&Exit::Status(0));
        (closing.claim, closing.usage)
    }

    fn said(&self) -> Vec<&str> {
        let said = self.entries.iter().filter_map(|entry| match entry {
            Entry::Said { text } => Some(text.as_str()),
            _ => None,
        });
        said.collect()
    }

    /// The option or the outcome that the agent was answered with.
    fn answers(&self) -> Vec<&str> {
        let answers = self.sent.iter().filter_map(|message| {
            let outcome = &message["result"]["outcome"];
            outcome["optionId"].as_str().or(outcome["outcome"].as_str())
        });
        answers.collect()
    }

    fn methods(&self) -> Vec<&str> {
        let sent = self.sent.iter();
        sent.filter_map(|message| message["method"].as_str())
            .collect()
    }
}

fn deny() -> Decision {
    Decision::Deny {
        reason: "not here".to_owned(),
    }
}

#[test]
fn a_turn_that_wrote_a_file_is_claimed_done_with_its_usage() {
    let cases = [
        ("claude-acp", "Write", "allow", 40_147, Some(201_810)),
        ("opencode-acp", "write", "once", 7_760, None),
        (
            "gemini-acp",
            "Writing to hello.txt",
            "proceed_once",
            23_213,
            None,
        ),
        (
            "copilot-acp",
            "Creating /project/hello.txt",
            "allow_once",
            20_463,
            None,
        ),
        (
            "qwen-acp",
            "Writing to hello.txt",
            "proceed_once",
            19_296 + 19_402,
            None,
        ),
    ];
    for (name, function, option, input, cost) in cases {
        let held = Held::recorded(&format!("{name}-write"), None, &Decision::Allow);
        assert_eq!(held.answers(), [option], "{name}");
        let [asked] = &held.asked[..] else {
            panic!("{name}: {:?}", held.asked);
        };
        assert_eq!(asked.deed, Deed::Edit, "{name}");
        assert_eq!(asked.paths, ["/project/hello.txt"], "{name}");
        let said = held.said().concat();
        assert!(said.starts_with("I will write the file."), "{name}: {said}");
        assert!(said.ends_with("WROTE hello.txt"), "{name}: {said}");
        let calls: Vec<&Entry> = (held.entries.iter())
            .filter(|entry| matches!(entry, Entry::Called { .. } | Entry::Returned { .. }))
            .collect();
        let is_one = matches!(
            &calls[..],
            [Entry::Called { function: called, .. }, Entry::Returned { succeeded: true, .. }]
                if called == function
        );
        assert!(is_one, "{name}: {calls:?}");
        let began = held
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Began { resumed: false, .. }));
        assert!(began, "{name}");
        let (claim, usage) = held.closing();
        assert_eq!(claim, Claim::Done, "{name}");
        let usage = usage.unwrap();
        assert_eq!(
            (usage.input_tokens, usage.cost_usd_micros),
            (input, cost),
            "{name}"
        );
    }
}

#[test]
fn what_is_asked_for_leave_is_a_command_or_paths() {
    let held = Held::recorded("claude-acp-denied", None, &deny());
    let [asked] = &held.asked[..] else {
        panic!("{:?}", held.asked);
    };
    assert_eq!(asked.deed, Deed::Execute);
    assert_eq!(asked.command.as_deref(), Some("echo hi > sh.txt"));
}

#[test]
fn a_denied_request_is_told_though_the_turn_calls_itself_a_success() {
    for name in ["claude-acp", "opencode-acp"] {
        let held = Held::recorded(&format!("{name}-denied"), None, &deny());
        assert_eq!(held.answers(), ["reject"], "{name}");
        let is_told = held.entries.iter().any(|entry| {
            matches!(entry, Entry::Answered { decision: Decision::Deny { reason }, .. }
                if reason == "not here")
        });
        assert!(is_told, "{name}: {:?}", held.entries);
        // Whether what was denied was needed, checks will show.
        assert_eq!(held.claim(), Claim::Done, "{name}");
    }
}

#[test]
fn errors_are_failures_wherever_they_are_told() {
    let cases = [
        ("claude-acp-error", "500"),
        ("opencode-acp-error", "scripted error 500"),
        // Told as the words of a turn that ended well.
        ("copilot-acp-error", "Error: Failed to get response"),
        // It tells no status of it.
        ("qwen-acp-unauthorized", "401 invalid api key"),
    ];
    for (stream, words) in cases {
        let claim = Held::recorded(stream, None, &Decision::Allow).claim();
        let is_told = matches!(&claim, Claim::Failed { cause } if cause.contains(words));
        assert!(is_told, "{stream}: {claim:?}");
    }
    let claim = Held::recorded("claude-acp-unauthorized", None, &Decision::Allow).claim();
    let is_told = matches!(&claim, Claim::Unable { cause } if cause.contains("401"));
    assert!(is_told, "{claim:?}");
    for stream in ["claude-acp-limited", "copilot-acp-limited"] {
        let claim = Held::recorded(stream, None, &Decision::Allow).claim();
        assert!(
            matches!(claim, Claim::Limited { .. }),
            "{stream}: {claim:?}"
        );
    }
}

#[test]
fn a_session_is_taken_up_and_a_new_one_begins_where_it_cannot_be() {
    for (name, session) in [
        ("claude-acp", "0c9cf409-4a87-4761-b4bd-f1dec3187609"),
        ("opencode-acp", "ses_de998c1d1ffetd77w9o97nUbLX"),
    ] {
        let held = Held::recorded(&format!("{name}-resumed"), Some(session), &Decision::Allow);
        assert_eq!(
            held.methods(),
            ["session/resume", "session/prompt"],
            "{name}"
        );
        assert_eq!(held.sent[0]["params"]["sessionId"], session, "{name}");
        assert_eq!(
            held.entries[0],
            Entry::Began {
                session: session.to_owned(),
                resumed: true
            },
            "{name}"
        );
        assert_eq!(held.claim(), Claim::Done, "{name}");
        let stream = format!("{name}-not-resumed");
        let mut held = Held::recorded(&stream, Some("gone"), &Decision::Allow);
        assert_eq!(held.methods(), ["session/resume", "session/new"], "{name}");
        held.says(&json!({"id": 1, "result": {"sessionId": "new"}}));
        let began = Entry::Began {
            session: "new".to_owned(),
            resumed: false,
        };
        assert_eq!(held.entries.last(), Some(&began), "{name}");
        assert_eq!(held.client.phase(), Phase::Working, "{name}");
    }
}

#[test]
fn each_is_asked_by_the_verb_that_it_knows() {
    let both = json!({"loadSession": true, "sessionCapabilities": {"resume": {}}});
    for (name, capabilities, method) in [
        ("copilot-acp", &both, "session/load"),
        ("gemini-acp", &both, "session/load"),
        ("claude-acp", &both, "session/resume"),
        // It advertises what it does not know.
        ("qwen-acp", &both, "session/new"),
        ("claude-acp", &json!({}), "session/new"),
    ] {
        let mut held = Held::with(name, Some("s"));
        held.says(&json!({"id": 0, "result": {
            "protocolVersion": 1, "agentCapabilities": capabilities,
        }}));
        assert_eq!(held.methods(), [method], "{name}");
    }
}

#[test]
fn what_is_told_again_while_a_session_is_loaded_did_not_happen_now() {
    let mut held = Held::with("copilot-acp", Some("s"));
    let said = json!({"method": "session/update", "params": {"sessionId": "s", "update": {
        "sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "long ago"},
    }}});
    held.says(&json!({"id": 0, "result": {
        "protocolVersion": 1, "agentCapabilities": {"loadSession": true},
    }}));
    held.says(&said);
    held.says(&json!({"id": 2, "result": {}}));
    held.says(&json!({"id": 3, "result": {
        "stopReason": "end_turn", "usage": {"inputTokens": 20_500, "outputTokens": 9},
    }}));
    assert!(held.said().is_empty());
    // It counts from the beginning of the session.
    let (claim, usage) = held.closing();
    assert_eq!(claim, Claim::Done);
    assert_eq!(usage.unwrap().input_tokens, 500);
}

#[test]
fn a_cancel_is_understood_however_it_is_answered() {
    for answer in [
        json!({"id": 3, "result": {"stopReason": "cancelled"}}),
        json!({"id": 3, "error": {"code": -32_603, "message": "Request was aborted"}}),
    ] {
        let mut held = Held::working(Quirks::UNKNOWN);
        let acts = held.client.cancel();
        held.perform(acts, &Decision::Allow);
        assert_eq!(held.methods().last(), Some(&"session/cancel"));
        held.says(&answer);
        assert_eq!(held.client.phase(), Phase::Over);
        let claim = held.claim();
        let is_told = matches!(&claim, Claim::Failed { cause } if cause == "it was canceled");
        assert!(is_told, "{claim:?}");
    }
    let canceled = Held::recorded("claude-acp-canceled", None, &Decision::Allow).claim();
    assert!(matches!(canceled, Claim::Failed { .. }), "{canceled:?}");
}

#[test]
fn whoever_waits_for_leave_when_all_is_canceled_gets_none() {
    let mut held = Held::working(Quirks::UNKNOWN);
    let line = permission(7, &json!([{"kind": "allow_once", "optionId": "yes"}]));
    // Nobody decides yet.
    let acts = held.client.hear(&line.to_string());
    let Some(Act::Decide(number, _)) = acts.last() else {
        panic!("{acts:?}");
    };
    let acts = held.client.cancel();
    held.perform(acts, &Decision::Allow);
    assert_eq!(held.answers(), ["cancelled"]);
    let late = held.client.decided(*number, Decision::Allow);
    assert_eq!(late, []);
}

fn permission(id: u64, options: &Value) -> Value {
    json!({"id": id, "method": "session/request_permission", "params": {
        "sessionId": "s", "options": options,
        "toolCall": {"toolCallId": format!("call-{id}"), "title": "Write", "kind": "edit"},
    }})
}

#[test]
fn what_is_asked_for_leave_reaches_whoever_decides_uncut() {
    let paths: Vec<String> = (0..70)
        .map(|n| format!("{}/{n}", "p".repeat(9_000)))
        .collect();
    let command = format!("{}; git push", "x".repeat(20_000));
    let call = json!({
        "toolCallId": "c", "kind": "edit", "title": command, "rawInput": {"command": command},
        "locations": paths.iter().map(|path| json!({"path": path})).collect::<Vec<_>>(),
    });
    let asking = json!({"id": 7, "method": "session/request_permission",
        "params": {"sessionId": "s", "options": [], "toolCall": call}});
    let mut held = Held::working(Quirks::UNKNOWN);
    held.hear(&asking.to_string(), &deny());
    let [asked] = &held.asked[..] else {
        panic!("{:?}", held.asked);
    };
    assert_eq!(asked.paths.len(), paths.len());
    assert!(paths.iter().all(|path| asked.paths.contains(path)));
    assert_eq!(asked.command.as_ref(), Some(&command));
    assert_eq!(asked.title, command);
}

#[test]
fn options_are_chosen_by_kind_and_nothing_is_allowed_for_ever() {
    let misleading = json!([
        {"kind": "allow_always", "optionId": "allow_once"},
        {"kind": "reject_once", "optionId": "allow"},
        {"kind": "allow_once", "optionId": "reject"},
    ]);
    let for_ever = json!([
        {"kind": "allow_always", "optionId": "always"},
        {"kind": "reject_always", "optionId": "never"},
    ]);
    for (options, decision, answer) in [
        (&misleading, Decision::Allow, "reject"),
        (&misleading, deny(), "allow"),
        (&for_ever, Decision::Allow, "never"),
        (&json!([]), Decision::Allow, "cancelled"),
        (&json!("nonsense"), deny(), "cancelled"),
    ] {
        let mut held = Held::working(Quirks::UNKNOWN);
        held.hear(&permission(7, options).to_string(), &decision);
        assert_eq!(held.answers(), [answer], "{options}");
    }
}

#[test]
fn a_flood_of_requests_is_denied_beyond_a_bound() {
    let mut held = Held::working(Quirks::UNKNOWN);
    let options =
        json!([{"kind": "allow_once", "optionId": "y"}, {"kind": "reject_once", "optionId": "n"}]);
    let mut waiting = 0;
    for id in 0..100 {
        for act in held.client.hear(&permission(id, &options).to_string()) {
            match act {
                Act::Decide(..) => waiting += 1,
                act => held.perform(vec![act], &Decision::Allow),
            }
        }
    }
    assert_eq!(waiting, 16);
    assert_eq!(held.answers(), vec!["n"; 84]);
}

#[test]
fn what_is_not_offered_is_refused_and_told() {
    let mut held = Held::working(Quirks::UNKNOWN);
    held.says(&json!({"id": 9, "method": "fs/write_text_file", "params": {
        "sessionId": "s", "path": "/etc/passwd", "content": "x",
    }}));
    let sent = held.sent.last().unwrap();
    assert_eq!(
        (&sent["id"], &sent["error"]["code"]),
        (&json!(9), &json!(-32_601))
    );
    let noted = held.entries.last();
    assert!(matches!(noted, Some(Entry::Noted { text }) if text.contains("fs/write_text_file")));
}

#[test]
fn another_version_of_the_protocol_is_named() {
    for (answer, words) in [
        (
            json!({"id": 0, "result": {"protocolVersion": 2}}),
            "version 2",
        ),
        (json!({"id": 0, "result": {}}), "names no version"),
        (json!({"id": 0, "error": {"message": "go away"}}), "go away"),
    ] {
        let mut held = Held::with("claude-acp", None);
        held.says(&answer);
        let unable = held.unable.unwrap();
        assert!(unable.contains(words), "{unable}");
        assert!(held.sent.is_empty());
        let said = introduced(&answer.to_string()).unwrap();
        assert!(said.is_err_and(|cause| cause.contains(words)));
    }
    assert_eq!(introduced("{\"id\":0,\"method\":\"x\"}"), None);
}

#[test]
fn who_is_not_logged_in_is_told_at_once() {
    let mut held = Held::with("claude-acp", None);
    held.says(&json!({"id": 0, "result": {"protocolVersion": 1}}));
    held.says(&json!({"id": 1, "error": {"code": -32_000, "message": "Authentication required"}}));
    let unable = held.unable.unwrap();
    assert!(unable.contains("not logged in"), "{unable}");
}

#[test]
fn what_takes_too_long_is_over() {
    let mut held = Held::with("claude-acp", None);
    let acts = held.client.overdue(90);
    held.perform(acts, &Decision::Allow);
    assert!(held.unable.unwrap().contains("within 90 s"));
    let mut held = Held::with("claude-acp", None);
    held.says(&json!({"id": 0, "result": {"protocolVersion": 1}}));
    let acts = held.client.overdue(180);
    held.perform(acts, &Decision::Allow);
    let claim = held.claim();
    assert!(
        matches!(&claim, Claim::Failed { cause } if cause.contains("180 s")),
        "{claim:?}"
    );
}

#[test]
fn garbage_is_noted_up_to_a_bound_and_changes_nothing() {
    let mut held = Held::working(Quirks::UNKNOWN);
    let before = held.entries.len();
    for line in [
        "",
        "  ",
        "[]",
        "null",
        "7",
        "{no json",
        "{}",
        "{\"id\":3.5}",
    ] {
        held.hear(line, &Decision::Allow);
    }
    // Answers to what was never asked, updates of strangers.
    held.says(&json!({"id": 99, "result": {"stopReason": "end_turn"}}));
    held.says(
        &json!({"method": "session/update", "params": {"sessionId": "other", "update": {
            "sessionUpdate": "agent_message_chunk", "content": {"text": "not ours"},
        }}}),
    );
    assert_eq!(held.client.phase(), Phase::Working);
    for _ in 0..1_000 {
        held.hear("garbage", &Decision::Allow);
    }
    assert_eq!(held.entries.len() - before, 100);
}

#[test]
fn words_come_whole_and_calls_once() {
    let mut held = Held::working(Quirks::UNKNOWN);
    let update = |update: Value| json!({"method": "session/update", "params": {"sessionId": "s", "update": update}});
    let word = |message: &str, text: &str| {
        update(
            json!({"sessionUpdate": "agent_message_chunk", "messageId": message, "content": {"type": "text", "text": text}}),
        )
    };
    let call = |status: &str, input: Value| {
        update(
            json!({"sessionUpdate": "tool_call_update", "toolCallId": "c", "title": "Bash", "status": status, "rawInput": input}),
        )
    };
    for message in [
        word("1", "I "),
        word("1", "go."),
        word("2", "Now."),
        call("pending", json!({})),
        call("in_progress", json!({"command": "ls"})),
        call("in_progress", json!({"command": "ls -l"})),
        call("failed", json!({"command": "ls"})),
        word("2", &"x".repeat(9_000)),
        json!({"id": 3, "result": {"stopReason": "max_tokens"}}),
    ] {
        held.says(&message);
    }
    assert_eq!(held.said()[..2], ["I go.", "Now."]);
    assert!(held.said().iter().all(|said| said.len() <= 8 << 10));
    let calls: Vec<&Entry> = (held.entries.iter())
        .filter(|entry| matches!(entry, Entry::Called { .. } | Entry::Returned { .. }))
        .collect();
    let [
        Entry::Called { input, .. },
        Entry::Returned {
            succeeded: false, ..
        },
    ] = calls[..]
    else {
        panic!("{calls:?}");
    };
    assert_eq!(input, "{\"command\":\"ls\"}");
    let claim = held.claim();
    assert!(
        matches!(&claim, Claim::Failed { cause } if cause.contains("max_tokens")),
        "{claim:?}"
    );
}
