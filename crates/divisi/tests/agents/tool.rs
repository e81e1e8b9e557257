//! The tools under test, set up as their users would have them, with the scripted model.

use std::path::{Path, PathBuf};

use crate::model::Model;
use crate::stage::{Stage, write};

/// All that are tried.
pub(crate) const TOOLS: [&str; 3] = ["claude", "codex", "opencode"];

/// The same over ACP, as far as they speak it.
pub(crate) const ACP: [&str; 2] = ["claude-acp", "opencode-acp"];

/// Programs that belong to them.
const PROGRAMS: [&str; 4] = ["claude", "codex", "opencode", "claude-agent-acp"];

/// A key that nobody else has; it must stand nowhere.
pub(crate) const KEY: &str = "scripted-key-4f1d9a7c";

/// Where `cargo xtask agents` puts the tools.
fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let bin = folder.join("agents/node_modules/.bin");
    for program in PROGRAMS {
        let path = bin.join(program);
        assert!(
            path.exists(),
            "{} is not there; install the coding agents with `cargo xtask agents`",
            path.display()
        );
    }
    bin.canonicalize().unwrap()
}

/// A repository in which this tool asks this model.
pub(crate) fn stage(tool: &str, model: &Model) -> Stage {
    stage_of(&[tool], model)
}

/// A repository in which each of these tools asks this model.
pub(crate) fn stage_of(tools: &[&str], model: &Model) -> Stage {
    let set_up = |stage, tool: &&str| set_up(stage, tool, &model.url());
    tools.iter().fold(bare(), set_up)
}

/// A repository in which all tools are found, and none knows whom to ask.
pub(crate) fn bare() -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", installed().display());
    stage.with_env("PATH", &path)
}

fn set_up(stage: Stage, tool: &str, url: &str) -> Stage {
    match tool {
        "claude" => stage
            .with_env("ANTHROPIC_BASE_URL", url)
            .with_env("ANTHROPIC_API_KEY", KEY),
        "codex" => {
            let config = format!(
                "model = \"scripted\"\nmodel_provider = \"scripted\"\n\
                 check_for_update_on_startup = false\n[analytics]\nenabled = false\n\
                 [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"{url}/v1\"\n\
                 env_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n\
                 request_max_retries = 1\nstream_max_retries = 1\n"
            );
            write(stage.beside("home/.codex/config.toml"), &config);
            stage.with_env("OPENAI_API_KEY", KEY)
        }
        // It makes no session for root unless its user says that root may.
        "claude-acp" => stage
            .with_env("ANTHROPIC_BASE_URL", url)
            .with_env("ANTHROPIC_API_KEY", KEY)
            .with_env("IS_SANDBOX", "1"),
        "opencode" | "opencode-acp" => {
            // Over ACP it asks, and somebody answers.
            let leave = match tool {
                "opencode" => "allow",
                _ => "ask",
            };
            let config = serde_json::json!({
                "model": "scripted/scripted",
                "autoupdate": false,
                "permission": { "edit": leave, "bash": leave },
                "provider": { "scripted": {
                    "npm": "@ai-sdk/openai-compatible",
                    "name": "scripted",
                    "options": { "baseURL": format!("{url}/v1"), "apiKey": "{env:OPENAI_API_KEY}" },
                    "models": { "scripted": { "name": "scripted" } },
                }},
            });
            write(
                stage.beside("home/.config/opencode/opencode.json"),
                &config.to_string(),
            );
            stage.with_env("OPENAI_API_KEY", KEY)
        }
        // No tool: it is asked over its API.
        "model" => {
            let settings = serde_json::json!({
                "provider": "openai", "model": "scripted", "url": format!("{url}/v1"),
            });
            stage
                .with_env("OPENAI_API_KEY", KEY)
                .with_env("DIVISI_AGENTS_MODEL", &settings.to_string())
        }
        _ => unreachable!("all tools are named above"),
    }
}
