//! Coding agents that what runs with every change does not run: known by recorded streams and
//! conversations, and by a longer suite that is run by hand. Each by its command line, and the same
//! program over ACP.

use super::acp::{Quirks, Usage, Verb};
use super::product::{Asks, Counts, Given, Home, Lent, Product, Resume, Speaks, UNKNOWN};
use super::{copilot, gemini, qwen};
use crate::agent::{Figures, Told};

/// What all of them share.
const OTHER: Product = Product {
    limits: &[
        "429 too many requests",
        "exceeded your current quota",
        "last error: 429",
        "quota exceeded for",
        "status: 429",
    ],
    progress_ms: 15 * 60_000,
    asks: Asks::Never,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::Never,
    },
    resume: Resume::Last("--resume"),
    ..UNKNOWN
};

pub(super) const GEMINI: Product = Product {
    name: "gemini",
    login: "gemini",
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
        given: &[],
    },
    arguments: |_| &["--output-format", "stream-json", "--approval-mode", "yolo"],
    speaks: Speaks::Stream(gemini::hear),
    ..OTHER
};

pub(super) const GEMINI_ACP: Product = Product {
    name: "gemini-acp",
    title: "Gemini CLI over ACP",
    asks: Asks::OnStream,
    resume: Resume::Asked,
    arguments: |_| &["--acp"],
    speaks: Speaks::Acp(Quirks {
        usage: Usage::Quota,
        resume: Verb::Load,
        ends_on_close: false,
        ends_on_term: false,
        error_words: &[],
    }),
    ..GEMINI
};

pub(super) const QWEN: Product = Product {
    name: "qwen",
    login: "qwen",
    title: "Qwen Code",
    program: "qwen",
    install: "npm install --global @qwen-code/qwen-code",
    tried: "0.15.10",
    variables: &["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"],
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
        // It runs commands on a terminal that it makes, and gives up where it may make none, which is
        // so wherever writes are confined. These are its weakest settings: its user's count more.
        given: &[Given {
            variable: "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
            file: "qwen-defaults.json",
            text: r#"{"tools":{"shell":{"enableInteractiveShell":false}}}"#,
        }],
    },
    arguments: |_| &["--output-format", "stream-json", "--approval-mode", "yolo"],
    speaks: Speaks::Stream(qwen::hear),
    ..OTHER
};

pub(super) const QWEN_ACP: Product = Product {
    name: "qwen-acp",
    title: "Qwen Code over ACP",
    asks: Asks::OnStream,
    resume: Resume::Asked,
    figures: Figures {
        tokens: Told::EachAnswer,
        ..OTHER.figures
    },
    arguments: |_| &["--acp"],
    // It advertises a method to take up a session and does not know it.
    speaks: Speaks::Acp(Quirks {
        usage: Usage::Steps,
        resume: Verb::None,
        ends_on_close: true,
        ends_on_term: true,
        error_words: &[],
    }),
    ..QWEN
};

pub(super) const COPILOT: Product = Product {
    name: "copilot",
    login: "copilot",
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
        given: &[],
    },
    figures: Figures {
        tokens: Told::Never,
        ..OTHER.figures
    },
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
    ..OTHER
};

pub(super) const COPILOT_ACP: Product = Product {
    name: "copilot-acp",
    title: "Copilot CLI over ACP",
    counts: Counts::Session,
    asks: Asks::OnStream,
    resume: Resume::Asked,
    figures: OTHER.figures,
    arguments: |_| &["--acp"],
    speaks: Speaks::Acp(Quirks {
        usage: Usage::Session,
        resume: Verb::Load,
        ends_on_close: true,
        ends_on_term: true,
        error_words: &["Error: "],
    }),
    ..COPILOT
};
