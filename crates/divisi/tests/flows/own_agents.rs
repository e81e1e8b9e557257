//! An agent that nobody knew before, by its command line: a small program that speaks ACP.

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::stage::{Stage, stands, write};

/// It asks for leave, and writes what it is told to.
const AGENT: &str = r#"#!/bin/sh
test "$1" = acp || exit 1
read -r _; echo '{"id":0,"result":{"protocolVersion":1,"agentInfo":{"name":"toy","version":"0.1.2"}}}'
read -r _ || exit 0
echo '{"id":1,"result":{"sessionId":"s"}}'
read -r _
echo '{"id":7,"method":"session/request_permission","params":{"sessionId":"s","toolCall":{"toolCallId":"c","title":"Write a.md","kind":"edit","locations":[{"path":"a.md"}]},"options":[{"kind":"allow_once","optionId":"y"},{"kind":"reject_once","optionId":"n"}]}}'
read -r answer
case $answer in *'"optionId":"y"'*) echo here > a.md;; esac
echo '{"id":3,"result":{"stopReason":"end_turn"}}'
read -r _
"#;

fn stage() -> Stage {
    stage_with(AGENT)
}

/// A project beside which a program stands.
fn stage_with(program: &str) -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let (from, to) = (stage.beside("text"), stage.beside("toy"));
    write(&from, program);
    // Another process writes it: one that this process had open could not be executed meanwhile.
    let mut install = std::process::Command::new("install");
    install.args(["-m", "755"]).args([from, to]);
    assert!(install.status().unwrap().success());
    stage
}

fn described(stage: &Stage) -> String {
    let program = stage.beside("toy").display().to_string();
    json!({"agents": {"custom": {"toy": {"command": [program, "acp"], "speaks": "acp"}}}})
        .to_string()
}

fn plan() -> Value {
    json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": "custom.toy", "deliverables": ["a.md"],
        "criteria": [{"contains": "here", "in": "a.md"}],
    }]})
}

#[test]
fn it_does_a_task_over_acp() {
    let stage = stage();
    write(stage.path("divisi.yaml"), &described(&stage));
    let ran = stage.run(&plan(), &[]);
    let log = || {
        format!(
            "{}\n{}",
            ran.stderr,
            stage.divisi(&["logs", "run-1", "a"]).stdout
        )
    };
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    stands(&run, RunStatus::Succeeded, &[("a", "done")]);
    let log = stage.divisi(&["logs", "run-1", "a"]).stdout;
    let began: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(began["entry"], "began", "{log}");
    assert_eq!(began["session"], "s");
}

/// It asks by the way that its words name, and does its task once it is answered.
const TEXT_AGENT: &str = r#"#!/bin/sh
words=$(cat)
where=$(echo "$words" | tr ' ' '\n' | sed -n 's/^\(DIVISI_QUESTION\),*$/\1/p' | head -n 1)
case $words in
*'which color?: blue'*) echo blue > a.md ;;
*) test -n "$where" && eval "echo 'which color?' > \"\$$where\"" ;;
esac
echo "That is all."
"#;

#[test]
fn one_that_is_told_in_words_is_told_how_it_asks() {
    let stage = stage_with(TEXT_AGENT);
    let program = stage.beside("toy").display().to_string();
    let agents = json!({"agents": {"custom": {"toy": {"command": [program], "speaks": "text"}}}});
    write(stage.path("divisi.yaml"), &agents.to_string());
    let plan = json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": "custom.toy", "deliverables": ["a.md"],
        "criteria": [{"contains": "blue", "in": "a.md"}],
    }]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi answer run-1 a");
    stage
        .divisi(&["explain", "1", "a"])
        .expect(0)
        .says("which color?");
    stage.divisi(&["answer", "1", "a", "blue"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("a", "done")]);
}
