//! Who is logged in sets nothing: no key is in the environment, and the login stays as it was.

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::model::{Call, Model, Rule, Turn};
use crate::nowhere::is_nowhere;
use crate::stage::{Stage, write};
use crate::tool::{KEY, bare};

/// Where each has its login, beneath its user's home, and what stands in it.
fn login(tool: &str) -> (&'static str, Value) {
    match tool {
        "claude" => (
            ".claude/.credentials.json",
            json!({"claudeAiOauth": {"accessToken": KEY, "refreshToken": KEY,
                "expiresAt": 4_000_000_000_000_u64, "scopes": ["user:inference"]}}),
        ),
        "codex" => (".codex/auth.json", json!({ "OPENAI_API_KEY": KEY })),
        "opencode" => (
            ".local/share/opencode/auth.json",
            json!({"scripted": {"type": "api", "key": KEY}}),
        ),
        _ => unreachable!("all tools are named above"),
    }
}

/// A repository in which this tool knows whom to ask, and no key.
fn stage(tool: &str, url: &str) -> Stage {
    let stage = bare();
    match tool {
        "claude" => return stage.with_env("ANTHROPIC_BASE_URL", url),
        "codex" => write(
            stage.beside("home/.codex/config.toml"),
            &format!(
                "model = \"scripted\"\nmodel_provider = \"scripted\"\n\
                 check_for_update_on_startup = false\n[analytics]\nenabled = false\n\
                 [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"{url}/v1\"\n\
                 requires_openai_auth = true\nwire_api = \"responses\"\n"
            ),
        ),
        "opencode" => {
            let config = json!({
                "model": "scripted/scripted",
                "autoupdate": false,
                "permission": { "edit": "allow", "bash": "allow" },
                "provider": { "scripted": {
                    "npm": "@ai-sdk/openai-compatible",
                    "name": "scripted",
                    "options": { "baseURL": format!("{url}/v1") },
                    "models": { "scripted": { "name": "scripted" } },
                }},
            });
            let path = stage.beside("home/.config/opencode/opencode.json");
            write(path, &config.to_string());
        }
        _ => unreachable!("all tools are named above"),
    }
    stage
}

fn does_its_task_with_a_login_alone(tool: &str) {
    // It would change its login, too, if it could: the file is a link in its home.
    let (path, content) = login(tool);
    let spoils = format!("printf '# Part\\n' > part.md; echo spoiled > \"$HOME/{path}\"");
    let turn = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    let model = Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![
            turn("I write it.", Some(Call::Shell(spoils))),
            turn("It is written.", None),
        ],
    }]);
    let stage = stage(tool, &model.url());
    let file = stage.beside("home").join(path);
    write(&file, &content.to_string());
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": tool,
        "deliverables": ["part.md"],
        "retries": 0,
        "timeout_minutes": 3,
    }]});
    let ran = stage.run(&plan, &[]);
    let log = stage.divisi(&["logs", "run-1", "part"]).stdout;
    let seen = model.seen();
    let what = || format!("{tool}: {}\n{log}\n{seen:#?}", ran.stderr);
    assert_eq!(stage.only().status(), RunStatus::Succeeded, "{}", what());
    // It asked with what stands there.
    let keys = { seen.iter() }.map(|seen| seen.key.trim_start_matches("Bearer "));
    assert!(
        seen.len() >= 2 && { keys }.all(|key| key == KEY),
        "{}",
        what()
    );
    let after = std::fs::read_to_string(&file).unwrap();
    assert_eq!(after, content.to_string(), "{}", what());
    is_nowhere(&stage, KEY);
    assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
}

#[test]
fn claude_needs_its_login_alone_and_leaves_it_as_it_was() {
    does_its_task_with_a_login_alone("claude");
}

#[test]
fn codex_needs_its_login_alone_and_leaves_it_as_it_was() {
    does_its_task_with_a_login_alone("codex");
}

#[test]
fn opencode_needs_its_login_alone_and_leaves_it_as_it_was() {
    does_its_task_with_a_login_alone("opencode");
}
