//! Coding agents by their command lines that our own tests do not run: known by recorded streams, and
//! by a longer suite that is run by hand.

use super::product::{Asks, Counts, Home, Lent, Product, Resume, Speaks};
use super::{copilot, gemini, qwen};
use crate::agent::{Figures, Told};

pub(super) const GEMINI: Product = Product {
    name: "gemini",
    title: "Gemini CLI",
    program: "gemini",
    install: "npm install --global @google/gemini-cli",
    tried: "0.61.0",
    variables: &[
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "GEMINI_MODEL",
    ],
    keys_are_alternatives: true,
    // The folder is the attempt's own; without this it works in none that it was not asked about.
    settings: &[("GEMINI_CLI_TRUST_WORKSPACE", "true")],
    resets: &[],
    waits_silently: false,
    progress_ms: 15 * 60_000,
    tells_calls: false,
    home: Home {
        variables: &[("GEMINI_CLI_HOME", "gemini")],
        files: &[
            Lent {
                variable: "GEMINI_CLI_HOME",
                folder: "",
                file: ".gemini/settings.json",
                to: "gemini",
                is_login: false,
            },
            Lent {
                variable: "GEMINI_CLI_HOME",
                folder: "",
                file: ".gemini/oauth_creds.json",
                to: "gemini",
                is_login: true,
            },
        ],
    },
    asks: Asks::Never,
    reads: &[],
    guides: &[],
    counts: Counts::All,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |_| &["--output-format", "stream-json", "--approval-mode", "yolo"],
    speaks: Speaks::Stream(gemini::hear),
    resume: Resume::Asked,
    more: &[],
};

pub(super) const QWEN: Product = Product {
    name: "qwen",
    title: "Qwen Code",
    program: "qwen",
    install: "npm install --global @qwen-code/qwen-code",
    tried: "0.15.10",
    variables: &["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"],
    keys_are_alternatives: false,
    settings: &[],
    resets: &[],
    waits_silently: false,
    progress_ms: 15 * 60_000,
    tells_calls: false,
    home: Home {
        variables: &[("QWEN_HOME", "qwen")],
        files: &[
            Lent {
                variable: "QWEN_HOME",
                folder: ".qwen",
                file: "settings.json",
                to: "qwen",
                is_login: false,
            },
            Lent {
                variable: "QWEN_HOME",
                folder: ".qwen",
                file: "oauth_creds.json",
                to: "qwen",
                is_login: true,
            },
        ],
    },
    asks: Asks::Never,
    reads: &[],
    guides: &[],
    counts: Counts::All,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |_| &["--output-format", "stream-json", "--approval-mode", "yolo"],
    speaks: Speaks::Stream(qwen::hear),
    resume: Resume::Asked,
    more: &[],
};

pub(super) const COPILOT: Product = Product {
    name: "copilot",
    title: "Copilot CLI",
    program: "copilot",
    install: "npm install --global @github/copilot",
    tried: "1.0.102",
    variables: &[
        "COPILOT_PROVIDER_API_KEY",
        "COPILOT_GITHUB_TOKEN",
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "COPILOT_MODEL",
        "COPILOT_OFFLINE",
        "COPILOT_PROVIDER_BASE_URL",
        "COPILOT_PROVIDER_TYPE",
    ],
    keys_are_alternatives: true,
    settings: &[("COPILOT_AUTO_UPDATE", "false")],
    resets: &[],
    waits_silently: false,
    progress_ms: 15 * 60_000,
    tells_calls: false,
    home: Home {
        variables: &[
            ("COPILOT_CACHE_HOME", "copilot-cache"),
            ("COPILOT_HOME", "copilot"),
        ],
        files: &[Lent {
            variable: "COPILOT_HOME",
            folder: ".copilot",
            file: "config.json",
            to: "copilot",
            is_login: true,
        }],
    },
    asks: Asks::Never,
    reads: &[],
    guides: &[],
    counts: Counts::All,
    figures: Figures {
        tokens: Told::Never,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |_| {
        &[
            "--output-format",
            "json",
            "--allow-all-tools",
            "--no-auto-update",
            "--disable-builtin-mcps",
        ]
    },
    speaks: Speaks::Stream(copilot::hear),
    resume: Resume::Asked,
    more: &[],
};
