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
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", installed().display());
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &path);
    let stage = set_up(stage, &model.url());
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
    assert!(listed.contains(&format!("{agent}: ")), "{listed}");
}

#[test]
fn gemini_writes_two_files() {
    smoke("gemini", |stage, url| {
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
    });
}

#[test]
fn qwen_writes_two_files() {
    smoke("qwen", |stage, url| {
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
    });
}

#[test]
fn copilot_writes_two_files() {
    smoke("copilot", |stage, url| {
        stage
            .with_env("COPILOT_PROVIDER_API_KEY", KEY)
            .with_env("COPILOT_PROVIDER_BASE_URL", &format!("{url}/v1"))
            .with_env("COPILOT_PROVIDER_TYPE", "openai")
            .with_env("COPILOT_MODEL", "scripted")
            .with_env("COPILOT_OFFLINE", "true")
    });
}
