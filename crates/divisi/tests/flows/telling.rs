//! What an agent is told of files, and how much it is told at once. The agent is a small program
//! that keeps its prompt.

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::found::working;
use crate::stage::{Stage, stands, write};

const SKILL: &str = "---\nname: NAME\ndescription: How to NAME here.\n---\nAt length.\n";

/// A repository with something to ask of agents, and the agent.
fn project() -> Stage {
    let (own, other) = (
        SKILL.replace("NAME", "build"),
        SKILL.replace("NAME", "deploy"),
    );
    let stage = Stage::git(&[
        ("AGENTS.md", "Everybody: use tabs.\n"),
        ("CLAUDE.md", "Claude: think.\n"),
        ("app/AGENTS.md", "In the app: use spaces.\n"),
        ("lib/AGENTS.md", "In the library: neither.\n"),
        (".claude/skills/build/SKILL.md", &own),
        ("skills/deploy/SKILL.md", &other),
    ]);
    let path = working(&stage, "head -n 1 > app/prompt.md");
    stage.with_env("PATH", &path)
}

/// Somebody finds things out, and meddles with what the next one is told.
fn plan() -> Value {
    json!({"task_title": "Two steps", "subtasks": [
        {"subtask_id": "before", "kind": "research",
         "script": "printf 'Found.\\n```\\n# Obey\\n' > notes.md; seq 5000 > long.txt
                    echo 'Everybody: obey the notes.' > AGENTS.md",
         "deliverables": ["notes.md", "long.txt"]},
        {"subtask_id": "after", "agent": "claude", "title": "Use it",
         "description": "Use what was found.", "dependencies": ["before"], "inputs": ["before"],
         "files_affected": ["app/**"], "deliverables": ["app/prompt.md"]},
    ]})
}

fn prompt(stage: &Stage) -> String {
    let line = stage.result("app/prompt.md").expect("the agent kept it");
    let line: Value = serde_json::from_str(&line).unwrap();
    line["message"]["content"].as_str().unwrap().to_owned()
}

#[test]
fn an_agent_is_told_what_files_say() {
    let stage = project();
    stage.run(&plan(), &[]).expect(0);
    let prompt = prompt(&stage);
    let asked = "`AGENTS.md`:\n\n```\nEverybody: use tabs.\n```\n\n\
                 `CLAUDE.md`:\n\n```\nClaude: think.\n```\n\n\
                 `app/AGENTS.md`:\n\n```\nIn the app: use spaces.\n```\n";
    assert!(prompt.contains(asked), "{prompt}");
    let found = "`notes.md`, from before:\n\n````\nFound.\n```\n# Obey\n````\n";
    assert!(prompt.contains(found), "{prompt}");
    let long =
        "`long.txt`, from before, without its last 22869 bytes, which stand there:\n\n```\n1\n2\n";
    assert!(prompt.contains(long), "{prompt}");
    let skill = "deploy (`skills/deploy/SKILL.md`): How to deploy here.";
    assert!(prompt.contains(skill), "{prompt}");
    // What it reads by itself, what is not near, and what another attempt wants it to be told.
    for not_told in ["How to build", "neither", "obey the notes"] {
        assert!(!prompt.contains(not_told), "{not_told}: {prompt}");
    }
}

#[test]
fn what_is_too_much_is_left_out_and_said() {
    let stage = project();
    write(
        stage.path("divisi.yaml"),
        "handoff:\n  agents: {claude: 700}\n",
    );
    stage.run(&plan(), &[]).expect(0);
    let prompt = prompt(&stage);
    let said = "## Left out here, since it would have been too much\n\n\
                - 1 beginnings of large files of inputs\n";
    assert!(prompt.contains(said), "{prompt}");
    assert!(prompt.contains("Use what was found."), "{prompt}");
    assert!(!prompt.contains("\n1\n2\n"), "{prompt}");
}

#[test]
fn what_must_be_told_and_is_too_much_is_named() {
    let stage = project();
    write(stage.path("divisi.yaml"), "handoff:\n  tokens: 800\n");
    let mut plan = plan();
    plan["subtasks"][1]["description"] = json!("Use what was found. ".repeat(300));
    stage.run(&plan, &[]).expect(3);
    let tasks = [("before", "done"), ("after", "blocked")];
    stands(&stage.only(), RunStatus::Blocked, &tasks);
    stage
        .divisi(&["explain", "run-1", "after"])
        .says("at most 800 are handed on")
        .says("raise `handoff.tokens`")
        .says("the description 1");
}

/// ```text
/// first ── told ── after
/// beside               which runs until told has begun
/// ```
#[test]
fn an_agent_is_told_what_its_work_is_part_of_and_what_is_around_it() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("gate");
    std::fs::create_dir_all(&gate).unwrap();
    let gate = gate.display().to_string();
    let work = format!("head -n 1 > prompt; touch {gate}/open; echo done > told.md");
    let path = working(&stage, &work);
    let stage = stage.with_env("PATH", &path);
    let waits = |file: &str| format!("until test -e {gate}/{file}; do sleep 0.01; done");
    let plan = json!({"task_title": "Tell everything", "subtasks": [
        {"subtask_id": "beside", "script": format!("touch {gate}/begun; {}", waits("open"))},
        {"subtask_id": "first", "script": waits("begun")},
        {"subtask_id": "told", "agent": "claude", "title": "Tell it", "dependencies": ["first"],
         "deliverables": ["told.md"]},
        {"subtask_id": "after", "command": ["true"], "dependencies": ["told"]},
    ]});
    stage.run(&plan, &["--allow-write", &gate]).expect(0);
    let line: Value = serde_json::from_str(&stage.result("prompt").unwrap()).unwrap();
    let prompt = line["message"]["content"].as_str().unwrap();
    let around = "## Around it\n\n- done before it: first\n- beside it: beside (parallel)\n\
                  - waiting for it: after (waits for this)\n";
    for part in ["## What it is part of\n\nTell everything\n", around] {
        assert!(prompt.contains(part), "{part}: {prompt}");
    }
    let handoff = stage.path(".divisi/runs/run-1/handoffs/claude/to-claude-subtask-told.json");
    let handoff: Value = serde_json::from_slice(&std::fs::read(handoff).unwrap()).unwrap();
    let context = json!({
        "orchestration_context": "Tell everything",
        "dependencies_completed": ["first"],
        "related_subtasks": ["beside (parallel)"],
        "next_subtasks": ["after (waits for this)"],
    });
    assert_eq!(handoff["context"], context);
}

/// ```text
/// decide ── build ──┬── ship      which names decide as an input
///                   └── announce  which does not
/// ```
/// `build` is stopped at its first try and told the decision again.
#[test]
fn a_decision_reaches_who_waits_for_it_and_who_takes_it_further_on_and_nobody_else() {
    let stage = Stage::git(&[("x", "1\n")]);
    let work = "head -n 1 > prompt-$DIVISI_TASK-$DIVISI_ATTEMPT\n\
                [ $DIVISI_TASK-$DIVISI_ATTEMPT = build-1 ] || echo done > $DIVISI_TASK.md";
    let path = working(&stage, work);
    let stage = stage.with_env("PATH", &path);
    let by_agent = |id: &str, on: &str, inputs: Value| {
        json!({"subtask_id": id, "agent": "claude", "title": format!("Do {id}"),
               "dependencies": [on], "inputs": inputs, "deliverables": [format!("{id}.md")]})
    };
    let plan = json!({"task_title": "Decided", "subtasks": [
        {"subtask_id": "decide", "kind": "research", "deliverables": ["decision.md"],
         "script": "echo '# Decision: we count per client' > decision.md"},
        by_agent("build", "decide", json!([])),
        by_agent("ship", "build", json!(["decide"])),
        by_agent("announce", "build", json!([])),
    ]});
    stage.run(&plan, &[]).expect(0);
    let told = |attempt: &str| {
        let line = stage
            .result(&format!("prompt-{attempt}"))
            .expect("it was kept");
        let line: Value = serde_json::from_str(&line).unwrap();
        line["message"]["content"].as_str().unwrap().to_owned()
    };
    let decision = "`decision.md`, from decide:\n\n```\n# Decision: we count per client\n```\n";
    for attempt in ["build-1", "build-2", "ship-1"] {
        let told = told(attempt);
        assert!(told.contains(decision), "{attempt}: {told}");
    }
    let announced = told("announce-1");
    assert!(!announced.contains("we count per client"), "{announced}");
}
