//! A smoke run of the coding agents that are not tried with every change.
//!
//! `cargo xtask agents --all` installs them; then `cargo test -p divisi --test more_agents`. They are
//! no part of `cargo test`, nor of what runs with every change. Without the tools these tests fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::path::{Path, PathBuf};

use divisi_core::run::RunStatus;
use serde_json::json;

#[path = "../agents/model/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with other suites")]
mod model;
#[path = "../hostile/stage.rs"]
#[expect(dead_code, reason = "shared with other suites")]
mod stage;

use model::{Call, Model, Rule, Turn};
use stage::{Stage, task, write};

const KEY: &str = "scripted-key-6b20f81d";

/// Where `cargo xtask agents --all` puts the tools.
fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let bin = folder.join("more-agents/node_modules/.bin");
    assert!(
        bin.exists(),
        "{} is not there; install the coding agents with `cargo xtask agents --all`",
        bin.display()
    );
    bin.canonicalize().unwrap()
}

/// Two files are written by this agent, one by its function for files and one by its shell; its model
/// is asked in a form of OpenAI's or Google's.
fn smoke(agent: &str, set_up: fn(Stage, &str) -> Stage) {
    let turn = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    let written = Call::Write {
        path: "part.md".to_owned(),
        content: "# Part\n".to_owned(),
    };
    let model = Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![
            turn("I write it.", Some(written)),
            turn(
                "I go on.",
                Some(Call::Shell("printf '# End\\n' > end.md".to_owned())),
            ),
            turn("It is written.", None),
        ],
    }]);
    let stage = with_tools(set_up, &model);
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md and end.md.",
        "agent": agent,
        "deliverables": ["part.md", "end.md"],
        "criteria": [
            {"contains": "# Part", "in": "part.md"},
            {"contains": "# End", "in": "end.md"},
        ],
        "retries": 0,
        "timeout_minutes": 10,
    }]});
    let ran = stage.run(&plan, &[]);
    let log = stage.divisi(&["logs", "run-1", "part"]).stdout;
    let seen = model.seen();
    let asked: Vec<_> = { seen.iter() }.map(|s| (s.api, &s.results)).collect();
    let told = format!("{}\n{log}\n{asked:#?}", ran.stderr);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{told}");
    assert_eq!(task(&run, "part").attempts(), 1, "{told}");
    for (path, text) in [("part.md", "# Part\n"), ("end.md", "# End\n")] {
        assert_eq!(stage.result(path).as_deref(), Some(text), "{told}");
    }
    assert_eq!(stage.jobs(), [0; 0], "{told}");
    assert!(!log.contains(KEY), "{log}");
    let listed = stage.divisi(&["agents"]).expect(0).stdout;
    let named = format!("{agent}: ");
    let line = { listed.lines() }.find(|line| line.starts_with(&named));
    let is_unverified = line.is_some_and(|line| line.contains("unverified"));
    assert!(is_unverified, "{listed}");
}

/// It asks a question, and goes on with the answer in the session that it had.
fn goes_on(agent: &str, set_up: fn(Stage, &str) -> Stage) {
    let turn = |say: &str, call: Option<&str>| Turn {
        say: say.to_owned(),
        call: call.map(|command| Call::Shell(command.to_owned())),
        ..Turn::default()
    };
    let rule = |words: &[&str], turns: Vec<Turn>| Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns,
    };
    let asks = "echo part > part.md; echo 'Which end?' > \"$DIVISI_QUESTION\"";
    let model = Model::start(vec![
        rule(
            &["TASK-part", "questions were answered"],
            vec![
                turn("I go on.", Some("echo end > end.md")),
                turn("It is done.", None),
            ],
        ),
        rule(
            &["TASK-part"],
            vec![turn("I ask.", Some(asks)), turn("I wait.", None)],
        ),
    ]);
    let stage = with_tools(set_up, &model);
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md and end.md.",
        "agent": agent,
        "deliverables": ["part.md", "end.md"],
        "timeout_minutes": 10,
    }]});
    stage.run(&plan, &[]);
    let log = |attempt: &str| {
        let args = ["logs", "run-1", "part", "--attempt", attempt];
        stage.divisi(&args).stdout
    };
    assert_eq!(stage.only().status(), RunStatus::Blocked, "{}", log("1"));
    stage.divisi(&["answer", "run-1", "part", "The far one."]);
    stage.divisi(&["resume", "run-1"]);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log("2"));
    assert!(log("2").contains("\"resumed\":true"), "{}", log("2"));
    // The model is told what was said before, and the answer.
    let seen = model.seen();
    let told = seen.iter().find(|seen| seen.user.contains("The far one."));
    let told = told.unwrap_or_else(|| panic!("{seen:#?}"));
    assert!(told.sent.contains("I wait."), "{}", told.sent);
}

/// A repository in which an agent asks this model.
fn with_tools(set_up: fn(Stage, &str) -> Stage, model: &Model) -> Stage {
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", installed().display());
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &path);
    set_up(stage, &model.url())
}

fn gemini(stage: Stage, url: &str) -> Stage {
    let settings = json!({
        "security": { "auth": { "selectedType": "gemini-api-key" } },
        "privacy": { "usageStatisticsEnabled": false },
        "general": { "enableAutoUpdate": false },
    });
    write(
        stage.beside("home/.gemini/settings.json"),
        &settings.to_string(),
    );
    stage
        .with_env("GEMINI_API_KEY", KEY)
        .with_env("GOOGLE_GEMINI_BASE_URL", url)
        .with_env("GEMINI_MODEL", "gemini-2.5-pro")
}

#[test]
fn gemini_writes_two_files() {
    smoke("gemini", gemini);
}

#[test]
fn gemini_goes_on_with_the_answer() {
    goes_on("gemini", gemini);
}

fn qwen(stage: Stage, url: &str) -> Stage {
    let settings = json!({
        "security": { "auth": { "selectedType": "openai" } },
        "privacy": { "usageStatisticsEnabled": false },
        "general": { "disableAutoUpdate": true },
    });
    write(
        stage.beside("home/.qwen/settings.json"),
        &settings.to_string(),
    );
    stage
        .with_env("OPENAI_API_KEY", KEY)
        .with_env("OPENAI_BASE_URL", &format!("{url}/v1"))
        .with_env("OPENAI_MODEL", "scripted")
}

#[test]
fn qwen_writes_two_files() {
    smoke("qwen", qwen);
}

#[test]
fn qwen_goes_on_with_the_answer() {
    goes_on("qwen", qwen);
}

fn copilot(stage: Stage, url: &str) -> Stage {
    stage
        .with_env("COPILOT_PROVIDER_API_KEY", KEY)
        .with_env("COPILOT_PROVIDER_BASE_URL", &format!("{url}/v1"))
        .with_env("COPILOT_PROVIDER_TYPE", "openai")
        .with_env("COPILOT_MODEL", "scripted")
        .with_env("COPILOT_OFFLINE", "true")
}

#[test]
fn copilot_writes_two_files() {
    smoke("copilot", copilot);
}

#[test]
fn copilot_goes_on_with_the_answer() {
    goes_on("copilot", copilot);
}

#[test]
fn over_acp_they_write_two_files() {
    smoke("qwen-acp", qwen);
    smoke("copilot-acp", copilot);
}

/// A program of `agents.custom` that speaks text writes a file; its model calls for nothing but
/// programs, or for nothing at all. What it keeps for itself stands in no result.
fn custom(name: &str, turns: Vec<Turn>, variables: &str, arguments: &str) {
    let model = Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns,
    }]);
    let program = installed().join(format!("../../python/{name}/bin/{name}"));
    assert!(program.exists(), "{} is not there", program.display());
    let command = format!("{variables} exec '{}' {arguments}", program.display());
    let stage = Stage::git(&[("README.md", "# A project\n")])
        .with_env("OPENAI_API_KEY", KEY)
        .with_env("OPENAI_API_BASE", &format!("{}/v1", model.url()));
    let settings = json!({"agents": {"custom": {name: {
        "command": ["sh", "-c", command, "{prompt}"],
        "speaks": "text",
        "variables": ["OPENAI_API_KEY", "OPENAI_API_BASE"],
    }}}});
    write(
        stage.beside("home/.config/divisi/config.yaml"),
        &settings.to_string(),
    );
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": format!("custom.{name}"),
        "deliverables": ["part.md"],
        "criteria": [{"contains": "# Part", "in": "part.md"}, {"scope": ["part.md"]}],
        "retries": 0,
        "timeout_minutes": 10,
    }]});
    let ran = stage.run(&plan, &[]);
    let log = stage.divisi(&["logs", "run-1", "part"]).stdout;
    let told = format!("{}\n{log}", ran.stderr);
    assert_eq!(stage.only().status(), RunStatus::Succeeded, "{told}");
    assert_eq!(
        stage.result("part.md").as_deref(),
        Some("# Part\n"),
        "{told}"
    );
    assert_eq!(stage.jobs(), [0; 0], "{told}");
    assert!(!log.contains(KEY), "{log}");
}

#[test]
fn aider_writes_a_file() {
    let said = "I write it.\n\npart.md\n```\n# Part\n```\n";
    let turns = vec![Turn {
        say: said.to_owned(),
        ..Turn::default()
    }];
    let command = "--model openai/scripted --yes-always --no-stream --no-pretty \
        --analytics-disable --no-check-update --no-show-release-notes --no-show-model-warnings \
        --no-auto-commits --no-gitignore --edit-format whole --map-tokens 0 \
        --chat-history-file \"$TMPDIR/chat.md\" --input-history-file \"$TMPDIR/input\" \
        --message \"$0\"";
    custom("aider", turns, "", command);
}

#[test]
fn mini_swe_agent_writes_a_file() {
    let turn = |command: &str| Turn {
        say: "I go on.".to_owned(),
        call: Some(Call::Shell(command.to_owned())),
        ..Turn::default()
    };
    let turns = vec![
        turn("printf '# Part\\n' > part.md"),
        turn("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"),
    ];
    let command = "-m openai/scripted -y --exit-immediately -o \"$TMPDIR/mini.json\" -t \"$0\"";
    let variables = "MSWEA_CONFIGURED=true MSWEA_COST_TRACKING=ignore_errors \
        MSWEA_GLOBAL_CONFIG_DIR=\"$TMPDIR/mini\"";
    custom("mini", turns, variables, command);
}
