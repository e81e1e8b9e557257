//! The coding agents that are known, and how they differ, as data.

use serde_json::Value;

use super::transcript::Entry;
use super::{claude, codex, opencode};
use crate::environment::looks_secret;

/// A command line tool that holds a conversation.
#[derive(Debug)]
pub struct Product {
    /// As plans and settings name it.
    pub name: &'static str,
    /// As its makers name it.
    pub title: &'static str,
    /// What is started, from `PATH`.
    pub program: &'static str,
    /// How it is installed, as a command.
    pub install: &'static str,
    /// The version that the recorded streams are from.
    pub tried: &'static str,
    /// Variables that pass to it if they are set: keys, and where they are good for.
    pub variables: &'static [&'static str],
    /// Variables that it is always given: no telemetry, no update while it works.
    pub settings: &'static [(&'static str, &'static str)],
    /// Its folder of configuration and sessions, which each attempt has for itself.
    pub home: Home,
    /// What its figures count.
    pub(super) scope: Scope,
    /// Its arguments.
    pub(super) arguments: fn(&Asked<'_>) -> Vec<String>,
    /// What a line of its output says.
    pub(super) hear: fn(&Value) -> Vec<Entry>,
}

/// Where a tool keeps what it knows.
#[derive(Debug)]
pub struct Home {
    /// The variables that name the folder to it, each with the folder below the private one.
    pub variables: &'static [(&'static str, &'static str)],
    /// What of the user's own it may read.
    pub files: &'static [Lent],
}

impl Product {
    /// The variables that hold a key.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        let variables = self.variables.iter().copied();
        variables.filter(|name| looks_secret(name))
    }
}

/// A file of the user's that a tool may read: its login, or which model it is to ask.
#[derive(Debug)]
pub struct Lent {
    /// The variable that names the user's folder, where one does.
    pub variable: &'static str,
    /// The folder without it, below the user's home.
    pub folder: &'static str,
    /// The file in that folder.
    pub file: &'static str,
    /// The folder in the private home.
    pub to: &'static str,
    /// Whether it is what a login leaves.
    pub is_login: bool,
}

/// What a tool's figures of usage count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// One step: all of them make the sum.
    Step,
    /// All so far: the last one is the sum.
    Conversation,
}

/// What a tool is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The prompt.
    pub(super) prompt: &'a str,
    /// The conversation that goes on, if one does.
    pub(super) session: Option<&'a str>,
    /// Whether writes outside the workspace are prevented already. A sandbox within that one cannot
    /// be set up, and need not be.
    pub(super) is_confined: bool,
    /// Which model, in the tool's own words; its own choice otherwise.
    pub(super) model: Option<&'a str>,
}

/// All that are known, by name.
pub static PRODUCTS: [Product; 3] = [CLAUDE, CODEX, OPENCODE];

/// The one of this name.
#[must_use]
pub fn product(name: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.name == name)
}

const CLAUDE: Product = Product {
    name: "claude",
    title: "Claude Code",
    program: "claude",
    install: "npm install --global @anthropic-ai/claude-code",
    tried: "2.1.197",
    variables: &[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
    ],
    settings: &[
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "3"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("DISABLE_TELEMETRY", "1"),
        ("MCP_CONNECTION_NONBLOCKING", "0"),
    ],
    home: Home {
        variables: &[("CLAUDE_CONFIG_DIR", "claude")],
        files: &[Lent {
            variable: "CLAUDE_CONFIG_DIR",
            folder: ".claude",
            file: ".credentials.json",
            to: "claude",
            is_login: true,
        }],
    },
    scope: Scope::Conversation,
    arguments: |asked| {
        let mut arguments = words(&["-p", asked.prompt]);
        arguments.extend(words(&["--output-format", "stream-json", "--verbose"]));
        // Edits are accepted and programs may be run: the workspace is the attempt's own, and
        // writes elsewhere are prevented from outside.
        arguments.extend(words(&["--permission-mode", "acceptEdits"]));
        arguments.extend(words(&["--allowedTools", "Bash"]));
        arguments.extend(option("--model", asked.model));
        arguments.extend(option("--resume", asked.session));
        arguments
    },
    hear: claude::hear,
};

const CODEX: Product = Product {
    name: "codex",
    title: "Codex",
    program: "codex",
    install: "npm install --global @openai/codex",
    tried: "0.169.0",
    variables: &[
        "CODEX_API_KEY",
        "CODEX_HOME",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
    ],
    settings: &[],
    home: Home {
        variables: &[("CODEX_HOME", "codex")],
        files: &[
            Lent {
                variable: "CODEX_HOME",
                folder: ".codex",
                file: "auth.json",
                to: "codex",
                is_login: true,
            },
            Lent {
                variable: "CODEX_HOME",
                folder: ".codex",
                file: "config.toml",
                to: "codex",
                is_login: false,
            },
        ],
    },
    // A conversation that was taken up again counts from its beginning.
    scope: Scope::Conversation,
    arguments: |asked| {
        let sandbox = match asked.is_confined {
            true => "danger-full-access",
            false => "workspace-write",
        };
        let mut arguments = words(&["exec", "--json", "--sandbox", sandbox]);
        arguments.push("--skip-git-repo-check".to_owned());
        arguments.extend(option("--model", asked.model));
        if let Some(session) = asked.session {
            arguments.extend(words(&["resume", session]));
        }
        arguments.push(asked.prompt.to_owned());
        arguments
    },
    hear: codex::hear,
};

const OPENCODE: Product = Product {
    name: "opencode",
    title: "opencode",
    program: "opencode",
    install: "npm install --global opencode-ai",
    tried: "1.18.33",
    variables: &[
        "ANTHROPIC_API_KEY",
        "GEMINI_API_KEY",
        "OPENAI_API_KEY",
        "OPENCODE_CONFIG",
        "OPENROUTER_API_KEY",
    ],
    settings: &[("OPENCODE_DISABLE_AUTOUPDATE", "1")],
    home: Home {
        variables: &[
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("npm_config_cache", "cache/npm"),
        ],
        files: &[
            Lent {
                variable: "XDG_DATA_HOME",
                folder: ".local/share",
                file: "opencode/auth.json",
                to: "data",
                is_login: true,
            },
            Lent {
                variable: "XDG_CONFIG_HOME",
                folder: ".config",
                file: "opencode/opencode.json",
                to: "config",
                is_login: false,
            },
        ],
    },
    scope: Scope::Step,
    arguments: |asked| {
        let mut arguments = words(&["run", "--format", "json"]);
        arguments.extend(option("--model", asked.model));
        arguments.extend(option("--session", asked.session));
        arguments.push(asked.prompt.to_owned());
        arguments
    },
    hear: opencode::hear,
};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn option(name: &str, value: Option<&str>) -> Vec<String> {
    value.map_or_else(Vec::new, |value| words(&[name, value]))
}
