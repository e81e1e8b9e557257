//! Over ACP: what an agent asks leave for is answered, and it is told to stop.

use std::io::Read as _;
use std::process::{Command, Stdio};

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::model::{ALWAYS, Call, Fault, Model, Rule, Turn};
use crate::stage::{Stage, kill, stands, task, until, write};
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
        "deliverables": ["part.md"],
        "retries": 1,
    }]})
}

fn written(path: &str) -> Call {
    Call::Write {
        path: path.to_owned(),
        content: "# Part\n".to_owned(),
    }
}

/// What is outside of the workspace is denied, and told to the next attempt; what is within is
/// allowed. Each is asked for.
fn is_denied_and_granted(tool: &str) {
    let place = stage(tool, &Model::start(Vec::new()));
    let outside = place.beside("outside.md");
    let model = Model::start(vec![
        rule(&["TASK-part", "was refused"], written("part.md")),
        rule(&["TASK-part"], written(&outside.display().to_string())),
    ]);
    let stage = stage(tool, &model);
    // Nobody is there to be asked.
    let settings = "permissions:\n  deadline_seconds: 0\n";
    write(stage.path("divisi.yaml"), settings);
    let ran = stage.run(&plan(tool), &[]);
    let log = || {
        let logs = stage.divisi(&["logs", "run-1", "part"]).stdout;
        format!("{}\n{logs}\n{:#?}", ran.stderr, model.seen())
    };
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("part", "done")]);
    assert_eq!(task(&run, "part").attempts(), 2, "{}", log());
    assert!(!outside.exists(), "{}", log());
    let seen = model.seen();
    let told = seen.iter().find(|seen| seen.user.contains("was refused"));
    let told = told.unwrap_or_else(|| panic!("{}", log()));
    // One asks about the folder, the other about the file.
    assert!(told.user.contains("not allowed"), "{}", log());
    let part = stage.result("part.md");
    assert_eq!(part.as_deref(), Some("# Part\n"), "{}", log());
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

#[test]
fn a_run_that_is_canceled_leaves_no_process() {
    for tool in ACP {
        let model = hanging();
        let stage = stage(tool, &model);
        let running = stage.start_plan(&plan(tool), &[]);
        until("the model is asked", || !model.seen().is_empty());
        stage.divisi(&["cancel", "run-1"]).expect(0);
        running.wait();
        assert_eq!(stage.only().status(), RunStatus::Canceled, "{tool}");
        assert_eq!(stage.jobs(), [0; 0], "{tool}");
    }
}
