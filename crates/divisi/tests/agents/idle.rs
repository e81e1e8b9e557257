//! While nothing is to be done, no model is asked: not by a run that waits for an approval, is paused,
//! is blocked, waits for a usage limit to end, or has ended, though its engine works on.
//!
//! Nothing is waited for: the test itself asks the model after something of Divisi's has passed
//! through the engine, and looks at what the model's log has before that.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use divisi_core::run::{AttemptEnd, Event, RunStatus};
use serde_json::json;

use crate::model::{ALWAYS, Call, Fault, Model, Rule, Turn};
use crate::stage::{Running, Stage, stands, until, write};
use crate::tool::{TOOLS, stage};

/// A program works as long as this file is not there.
const GO: &str = "go";

fn rule(id: &str, fault: Option<(Fault, u32)>) -> Rule {
    let call = Call::Write {
        path: format!("{id}.md"),
        content: "# Part\n".to_owned(),
    };
    let turn = |call: Option<Call>, fault: Option<(Fault, u32)>| Turn {
        say: "I work.".to_owned(),
        call,
        fault,
        ..Turn::default()
    };
    Rule {
        words: vec![format!("TASK-{id}")],
        turns: vec![turn(Some(call), fault), turn(None, None)],
    }
}

/// An agent's work, an approval, and work that meets a usage limit; beside them a program that keeps
/// the engine at work.
fn plan(tool: &str, go: &str) -> serde_json::Value {
    let part = |id: &str, after: &[&str]| {
        json!({"subtask_id": id, "description": format!("TASK-{id}: write {id}.md."),
            "agent": tool, "deliverables": [format!("{id}.md")], "dependencies": after})
    };
    json!({"task_title": "Idle", "subtasks": [
        {"subtask_id": "beside", "script": format!("until test -e '{go}'; do sleep 0.02; done")},
        part("first", &[]),
        {"subtask_id": "gate", "kind": "approval", "title": "Go on?", "dependencies": ["first"]},
        part("second", &["gate"]),
    ]})
}

/// What the model was asked so far, and asks it something itself to be sure that it is all.
struct Log<'m> {
    model: &'m Model,
    asked: usize,
}

impl Log<'_> {
    /// Asserts that since the last look nobody asked but the test.
    fn is_quiet(&mut self, what: &str) {
        let words = format!("SENTINEL while it {what}");
        ask(self.model, &words);
        let seen = self.model.seen();
        let new: Vec<&str> = { seen[self.asked..].iter() }
            .map(|seen| seen.user.as_str())
            .collect();
        assert_eq!(new, [words.as_str()], "asked while it {what}");
        self.asked = seen.len();
    }

    /// Takes note of what a live attempt asked: its task's words stand in each of its requests.
    fn is_of(&mut self, task: &str) {
        let seen = self.model.seen();
        let new = &seen[self.asked..];
        assert!(!new.is_empty(), "{task} asked nothing");
        for asked in new {
            assert!(asked.sent.contains(task), "not of {task}: {}", asked.sent);
        }
        self.asked = seen.len();
    }
}

/// Asks the model something, and waits for its answer.
fn ask(model: &Model, words: &str) {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": words}]}).to_string();
    let url = model.url();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Nothing more."), "{answer}");
}

/// Has the engine take commands, and looks at the run in every way.
fn passes_through(stage: &Stage) {
    for args in [
        &["status", "run-1"][..],
        &["explain", "run-1"],
        &["show", "run-1"],
        &["report", "run-1"],
        &["status"],
    ] {
        stage.divisi(args).expect(0);
    }
}

fn no_model_is_asked_while_idle(tool: &str) {
    let limited = (Fault::Status(429, Some(1)), ALWAYS);
    let model = Model::start(vec![
        rule("first", None),
        rule("second", Some(limited)),
        rule("third", None),
    ]);
    let stage = stage(tool, &model);
    write(
        stage.path("divisi.yaml"),
        "limits:\n  delay_seconds: 86400\n",
    );
    let go = stage.beside(GO);
    let engine = stage.start_plan(&plan(tool, &go.display().to_string()), &["-j", "2"]);
    let mut log = Log {
        model: &model,
        asked: 0,
    };

    stage.until_event("the first part is integrated", |event| {
        matches!(event, Event::BatchIntegrated { .. })
    });
    until("the approval is awaited", || {
        stage
            .divisi(&["status", "run-1"])
            .stdout
            .contains("divisi approve run-1 gate")
    });
    log.is_of("TASK-first");
    passes_through(&stage);
    log.is_quiet("waits for an approval");

    let blocked = blocks(&stage, &mut log, tool);

    stage.divisi(&["pause", "run-1"]).expect(0);
    stage.divisi(&["approve", "run-1", "gate"]).expect(0);
    passes_through(&stage);
    log.is_quiet("is paused with work that is ready");

    // It goes with the run from there on.
    let beside = stage.start(&["resume", "run-1"]);
    stage.until_event("the second part meets a limit", |event| {
        matches!(
            event,
            Event::AttemptEnded {
                end: AttemptEnd::Limited { .. },
                ..
            }
        )
    });
    log.is_of("TASK-second");
    passes_through(&stage);
    log.is_quiet("waits for a usage limit to end");

    stage.divisi(&["cancel", "run-1", "second"]).expect(0);
    write(&go, "");
    engine.wait();
    beside.wait();
    blocked.wait();
    let tasks = [
        ("beside", "done"),
        ("first", "done"),
        ("gate", "done"),
        ("second", "canceled"),
    ];
    stands(&stage.only(), RunStatus::Canceled, &tasks);
    passes_through(&stage);
    stage.divisi(&["feedback", "run-1"]);
    stage.divisi(&["merge", "run-1", "--yes"]);
    log.is_quiet("has ended");
}

/// A second run, whose only task is refused and is for a person: it is quiet while the engine of
/// the first one works on.
fn blocks(stage: &Stage, log: &mut Log<'_>, tool: &str) -> Running {
    let plan = json!({"task_title": "Blocked", "subtasks": [{
        "subtask_id": "third", "description": "TASK-third: write third.md.", "agent": tool,
        "deliverables": ["another.md"], "retries": 0,
    }]});
    let run = stage.start_plan(&plan, &[]);
    until("the third part is for a person", || {
        let status = stage.divisi(&["status", "run-2"]).stdout;
        status.contains("divisi retry run-2 third")
    });
    log.is_of("TASK-third");
    stage.divisi(&["explain", "run-2", "third"]).expect(0);
    log.is_quiet("is blocked");
    run
}

#[test]
fn claude_asks_nothing_while_idle() {
    no_model_is_asked_while_idle(TOOLS[0]);
}

#[test]
fn codex_asks_nothing_while_idle() {
    no_model_is_asked_while_idle(TOOLS[1]);
}

#[test]
fn opencode_asks_nothing_while_idle() {
    no_model_is_asked_while_idle(TOOLS[2]);
}

#[test]
fn a_model_over_its_api_is_asked_nothing_while_idle() {
    no_model_is_asked_while_idle("model");
}
