//! Over ACP: what an agent asks leave for is answered, and it is told to stop.

use std::io::Read as _;
use std::process::{Command, Stdio};

use divisi_core::permission::{Decider, Deed, Permission, Standing};
use divisi_core::run::{Ending, Event, RunStatus};
use serde_json::{Value, json};

use crate::model::{ALWAYS, Call, Fault, Model, Rule, Turn};
use crate::stage::{Stage, endings, kill, stands, until, write};
use crate::tool::{ACP, stage};

fn turn(say: &str, call: Option<Call>) -> Turn {
    Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    }
}

fn rule(words: &[&str], call: Call) -> Rule {
    Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns: vec![turn("I do it.", Some(call)), turn("It is done.", None)],
    }
}

fn plan(tool: &str) -> Value {
    json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": tool,
        "deliverables": ["part.md", "asked.md"],
        "retries": 2,
    }]})
}

fn written(path: &str) -> Call {
    Call::Write {
        path: path.to_owned(),
        content: "# Part\n".to_owned(),
    }
}

/// An attempt's request with these words, whether it was allowed, and who decided.
fn decided<'r>(ending: &'r Ending, words: &str) -> (&'r Permission, bool, &'r Decider) {
    let about = |it: &&Permission| {
        let paths = it.request.paths.iter();
        paths
            .chain([&it.request.title])
            .any(|it| it.contains(words))
    };
    let found = ending.permissions.iter().find(about);
    let permission = found.unwrap_or_else(|| panic!("{words}: {:#?}", ending.permissions));
    match &permission.standing {
        Standing::Decided { decision, by, .. } => (permission, decision.allows(), by),
        other => panic!("{words}: {other:?}"),
    }
}

/// Waits until a person is asked something else than before, and answers it.
fn answers(stage: &Stage, before: Option<u32>, how: &[&str]) -> u32 {
    stage.until_event("something is asked", |event| {
        matches!(event, Event::PermissionAsked { .. })
    });
    let asked = || stage.only().asking().map(|(_, no)| no).next();
    until("a person is asked", || {
        asked().is_some_and(|no| Some(no) != before)
    });
    let no = asked().unwrap();
    let number = no.to_string();
    let mut args = vec!["permissions", how[0], "run-1", number.as_str()];
    args.extend(&how[1..]);
    stage.divisi(&args).expect(0);
    no
}

/// The first attempt wants what is outside: the rules deny it. The second wants a file about which a
/// person is asked: she denies it. The third is granted one by the rules and the other by her. Some end
/// their turn with the first denial. Each is asked for, in the record, and told to the next attempt.
fn is_denied_and_granted(tool: &str) {
    let place = stage(tool, &Model::start(Vec::new()));
    let outside = place.beside("outside.md");
    let mut third = rule(&["TASK-part", "not yet"], written("part.md"));
    let more = turn("I go on.", Some(written("asked.md")));
    third.turns.insert(1, more);
    let model = Model::start(vec![
        third,
        rule(&["TASK-part", "was refused"], written("asked.md")),
        rule(&["TASK-part"], written(&outside.display().to_string())),
    ]);
    let stage = stage(tool, &model);
    let asks = json!({"deed": "edit", "path": "asked.md", "then": "ask"});
    // One asks about the folder around it, which is no edit yet, the other about the file.
    let denies = json!({"deed": "other", "then": "deny"});
    let settings = json!({"permissions": {"rules": [asks, denies]}});
    write(stage.path("divisi.yaml"), &settings.to_string());
    let running = stage.start_plan(&plan(tool), &[]);
    let first = answers(&stage, None, &["deny", "--reason", "not yet"]);
    answers(&stage, Some(first), &["allow"]);
    let ran = running.wait();
    let log = || {
        let logs = stage.divisi(&["logs", "run-1", "part"]).stdout;
        format!("{}\n{logs}\n{:#?}", ran.stderr, model.seen())
    };
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("part", "done")]);
    assert!(!outside.exists(), "{}", log());
    let [beyond, asked, done] = endings(&run, "part") else {
        panic!("{}", log());
    };
    let is_by_rule = |by: &Decider| matches!(by, Decider::Policy { .. });
    let around = outside.parent().unwrap().display().to_string();
    let (denied, is_allowed, by) = decided(beyond, &around);
    assert!(!is_allowed && is_by_rule(by), "{denied:?}");
    let (denied, is_allowed, by) = decided(asked, "asked.md");
    assert!(!is_allowed && *by == Decider::Person, "{denied:?}");
    let (granted, is_allowed, by) = decided(done, "part.md");
    assert_eq!(granted.request.deed, Deed::Edit, "{granted:?}");
    assert!(is_allowed && is_by_rule(by), "{granted:?}");
    let (granted, is_allowed, by) = decided(done, "asked.md");
    assert!(is_allowed && *by == Decider::Person, "{granted:?}");
    for path in ["part.md", "asked.md"] {
        let text = stage.result(path);
        assert_eq!(text.as_deref(), Some("# Part\n"), "{path}: {}", log());
    }
    let seen = model.seen();
    for words in [around.as_str(), "not yet"] {
        let is_told = |user: &str| user.contains("not allowed") && user.contains(words);
        let told = { seen.iter() }.any(|seen| is_told(&seen.user));
        assert!(told, "{words}: {}", log());
    }
}

#[test]
fn claude_is_denied_what_is_outside_and_granted_what_is_within() {
    is_denied_and_granted(ACP[0]);
}

#[test]
fn opencode_is_denied_what_is_outside_and_granted_what_is_within() {
    is_denied_and_granted(ACP[1]);
}

/// A model that never answers.
fn hanging() -> Model {
    Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![Turn {
            fault: Some((Fault::Hang, ALWAYS)),
            ..Turn::default()
        }],
    }])
}

/// The adapter alone is told to end; it is the one who tells the agent.
fn is_canceled(tool: &str) {
    let model = hanging();
    let stage = stage(tool, &model);
    let mut child = adapter(&stage, tool);
    until("the model is asked", || !model.seen().is_empty());
    kill(i32::try_from(child.id()).unwrap(), libc::SIGTERM);
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child.wait().unwrap();
    let closing: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(closing["entry"], "closed", "{out}");
    assert_eq!(
        closing["claim"]["failed"]["cause"], "it was canceled",
        "{out}"
    );
    let home = stage.beside("agent").display().to_string();
    until("no process is left", || with_environment(&home).is_empty());
}

/// The adapter of a tool as the supervisor would start it.
fn adapter(stage: &Stage, tool: &str) -> std::process::Child {
    let handoff = json!({
        "handoff_id": "to-x-subtask-part", "from": "orchestrator", "to": "x",
        "subtask_id": "part", "parent_orchestration": "run-1", "priority": "medium",
        "created_at": "now", "title": "Part", "description": "TASK-part: write part.md.",
    });
    write(stage.beside("handoff.json"), &handoff.to_string());
    for folder in ["agent", "tmp"] {
        std::fs::create_dir(stage.beside(folder)).unwrap();
    }
    let mut command: Command = stage.command(&["adapter", tool]);
    command
        .env("DIVISI_HANDOFF", stage.beside("handoff.json"))
        .env("DIVISI_AGENT_HOME", stage.beside("agent"))
        .env("TMPDIR", stage.beside("tmp"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Live processes that were given this folder.
fn with_environment(folder: &str) -> Vec<i32> {
    let mark = format!("DIVISI_AGENT_HOME={folder}");
    let has = |pid: &i32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes())
    };
    crate::stage::pids().filter(has).collect()
}

#[test]
fn claude_is_told_to_stop() {
    is_canceled(ACP[0]);
}

#[test]
fn opencode_is_told_to_stop() {
    is_canceled(ACP[1]);
}
