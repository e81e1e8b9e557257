//! The coding agents that are known, and how they differ, as data.

use divisi_core::run::{DefinedProgram, Settings};
use divisi_core::secret::looks_secret;
use divisi_core::shell;
use serde_json::Value;

use super::acp::{Quirks, Usage, Verb};
use super::others::{COPILOT, COPILOT_ACP, GEMINI, GEMINI_ACP, QWEN, QWEN_ACP};
use super::reset::{COMMON, Reset};
use super::transcript::Entry;
use super::{claude, codex, opencode};
use crate::agent::{Figures, Told};

/// A command line tool that holds a session.
#[derive(Clone, Debug)]
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
    /// Variables that pass to it if they are set: keys, those first that it takes first, and where
    /// they are good for.
    pub variables: &'static [&'static str],
    /// Whether it takes another key where one of them is not there. Otherwise each is good for other
    /// models.
    pub keys_are_alternatives: bool,
    /// By which name its login is known: of adapters of one tool it is the same.
    pub login: &'static str,
    /// Variables that it is always given: no telemetry, no update while it works.
    pub settings: &'static [(&'static str, &'static str)],
    /// With which words, in lower case, it tells a usage limit where it names no status. They are whole
    /// phrases: a context or a disk has limits and quotas, too.
    pub(super) limits: &'static [&'static str],
    /// In which words it tells when a usage limit ends.
    pub(super) resets: &'static [Reset],
    /// Whether it waits without a word for as long as a model's server tells it to: then it is ended
    /// when it says that it meets a limit.
    pub(super) waits_silently: bool,
    /// How long it may go without progress before it is suspected, in milliseconds. Longer than a model
    /// was seen to think without a word; none of the tools ends a request that is never answered in
    /// less than that, if ever.
    pub progress_ms: u64,
    /// Whether it tells of a call when it begins. Of one that tells of it afterwards, all that it prints
    /// and does is progress: a long call looks like a model that thinks.
    pub tells_calls: bool,
    /// Its folder of configuration and sessions, which each attempt has for itself.
    pub home: Home,
    /// How it asks leave for what its own rules leave open.
    pub asks: Asks,
    /// Files at the root of a repository, and folders of skills in it, that it reads by itself.
    pub reads: &'static [&'static str],
    /// Names of files that ask something of it alone, which it is kept from reading by itself.
    pub guides: &'static [&'static str],
    /// What its figures count.
    pub(super) counts: Counts,
    /// When it says something of what it uses.
    pub figures: Figures,
    /// The flag with which it holds a bound of money by itself: it ends after the answer that goes
    /// beyond. For tools that name a price, and only at their end.
    pub(super) money_flag: Option<&'static str>,
    /// Its arguments. The prompt is none of them: an argument has less room than a prompt may need,
    /// and everybody on the machine can read it. All of them read it from their standard input.
    pub(super) arguments: fn(Writes) -> &'static [&'static str],
    /// In which words it speaks.
    pub(super) speaks: Speaks,
    /// How its arguments take up a session of its own.
    pub(super) resume: Resume,
    /// Arguments after those: all of them, where configuration defines it.
    pub(super) more: &'static [&'static str],
}

/// In which words a tool speaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Speaks {
    /// In lines of JSON; this says what one means.
    Stream(fn(&Value) -> Vec<Entry>),
    /// The Agent Client Protocol.
    Acp(Quirks),
}

/// How a tool's arguments take up a session.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resume {
    /// This and the session's name stand after them.
    Last(&'static str),
    /// This and the session's name stand before the last of them.
    BeforeLast(&'static str),
    /// Not by arguments: it is asked to.
    Asked,
}

/// How a coding agent is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driven {
    /// By its own command line, which prints JSON.
    CommandLine,
    /// By the Agent Client Protocol.
    Acp,
}

/// Where a tool keeps what it knows.
#[derive(Clone, Debug)]
pub struct Home {
    /// The variables that name the folder to it, each with the folder below the private one.
    pub variables: &'static [(&'static str, &'static str)],
    /// What of the user's own it may read.
    pub files: &'static [Lent],
    /// Files that it is given.
    pub(super) given: &'static [Given],
}

/// A file that a tool is given, for what it takes from no variable and no argument.
#[derive(Debug)]
pub(super) struct Given {
    /// The variable that names the file to it.
    pub(super) variable: &'static str,
    /// The file, below the private folder.
    pub(super) file: &'static str,
    /// What stands in it.
    pub(super) text: &'static str,
}

impl Product {
    /// One that configuration defines, and that speaks ACP; none where no program is named. It lives
    /// as long as this process, like all others: an adapter makes one.
    pub(super) fn defined(name: &str, defined: &DefinedProgram) -> Option<&'static Product> {
        fn leaked(text: &str) -> &'static str {
            Box::leak(text.to_owned().into_boxed_str())
        }
        let (program, more) = defined.command.split_first()?;
        let more: Vec<&'static str> = more.iter().map(|argument| leaked(argument)).collect();
        Some(Box::leak(Box::new(Product {
            name: leaked(name),
            title: leaked(name),
            program: leaked(program),
            install: "whatever installs it; its command stands under `agents.custom`",
            tried: "",
            more: Box::leak(more.into_boxed_slice()),
            ..UNKNOWN
        })))
    }

    /// How it is driven, in a word.
    #[must_use]
    pub fn driven(&self) -> Driven {
        match self.speaks {
            Speaks::Stream(_) => Driven::CommandLine,
            Speaks::Acp(_) => Driven::Acp,
        }
    }

    /// How it is started, for people: without what is only of this attempt.
    #[must_use]
    pub fn command_line(&self, confined: Option<bool>) -> String {
        let writes = match confined {
            Some(true) => Writes::Confined,
            Some(false) | None => Writes::Free,
        };
        let mut line = vec![self.program.to_owned()];
        line.extend(self.arguments_for(writes, None));
        shell::line(&line)
    }

    /// All its arguments, where a session is taken up with the session's name.
    pub(super) fn arguments_for(&self, writes: Writes, session: Option<&str>) -> Vec<String> {
        let known = (self.arguments)(writes).iter().chain(self.more);
        let mut arguments: Vec<String> = known.map(|&argument| argument.to_owned()).collect();
        let (at, word) = match self.resume {
            Resume::Last(word) => (arguments.len(), word),
            Resume::BeforeLast(word) => (arguments.len().saturating_sub(1), word),
            Resume::Asked => return arguments,
        };
        if let Some(session) = session {
            arguments.splice(at..at, [word.to_owned(), session.to_owned()]);
        }
        arguments
    }

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

/// How a tool asks leave while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// It cannot: what its own rules do not allow, it denies.
    Never,
    /// By lines of its stream, and waits for the answer on its standard input.
    OnStream,
}

/// What a tool's figures of usage count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// One step: all of them make the sum.
    Step,
    /// All so far: the last one is the sum.
    All,
    /// The same, and what earlier attempts used in a session that is taken up.
    Session,
}

/// Whether writes outside the workspace are prevented already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// They are: a sandbox within that one cannot be set up, and need not be.
    Confined,
    /// They are not, or nobody knows.
    Free,
}

/// All that are known, by name.
pub static PRODUCTS: [Product; 11] = [
    CLAUDE,
    CODEX,
    OPENCODE,
    GEMINI,
    QWEN,
    COPILOT,
    CLAUDE_ACP,
    OPENCODE_ACP,
    GEMINI_ACP,
    COPILOT_ACP,
    QWEN_ACP,
];

/// One of which nothing was measured: it speaks ACP, and is told nothing but what to do.
pub(super) const UNKNOWN: Product = Product {
    name: "",
    title: "",
    program: "",
    install: "",
    tried: "",
    variables: &[],
    keys_are_alternatives: false,
    login: "",
    settings: &[],
    limits: &["429 too many requests", "status: 429"],
    resets: &COMMON,
    waits_silently: false,
    progress_ms: 20 * 60_000,
    tells_calls: false,
    home: Home {
        variables: &[],
        files: &[],
        given: &[],
    },
    asks: Asks::OnStream,
    reads: &[],
    guides: &[],
    counts: Counts::All,
    figures: Figures {
        tokens: Told::Never,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |_| &[],
    speaks: Speaks::Acp(Quirks::UNKNOWN),
    resume: Resume::Asked,
    more: &[],
};

/// The one of this name.
#[must_use]
pub fn product(name: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.name == name)
}

/// Whether it can be counted what an agent of this name costs: its tool names a price whatever model
/// it asks, or one is configured.
#[must_use]
pub fn is_priced(agent: &str, settings: &Settings) -> bool {
    let names = product(agent).is_some_and(|product| product.figures.money != Told::Never);
    names || settings.price(agent).is_some()
}

const CLAUDE: Product = Product {
    name: "claude",
    title: "Claude Code",
    program: "claude",
    install: "npm install --global @anthropic-ai/claude-code",
    tried: "2.1.197",
    variables: &[
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
    ],
    keys_are_alternatives: true,
    login: "claude",
    settings: &[
        // It would read those of all folders above the workspace too, and so the user's own as it
        // is now; it is told what the run stands on.
        ("CLAUDE_CODE_DISABLE_CLAUDE_MDS", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "3"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("DISABLE_TELEMETRY", "1"),
        ("MCP_CONNECTION_NONBLOCKING", "0"),
    ],
    limits: &[
        "hit your limit",
        "request rejected (429)",
        "usage limit reached",
    ],
    // Seen in its program; a subscription's limits cannot be met in a test.
    resets: &[
        Reset::Epoch("limit reached|"),
        Reset::At("resets at "),
        Reset::At("resets "),
    ],
    waits_silently: false,
    progress_ms: 10 * 60_000,
    tells_calls: true,
    home: Home {
        variables: &[("CLAUDE_CONFIG_DIR", "claude")],
        files: &[Lent {
            variable: "CLAUDE_CONFIG_DIR",
            folder: ".claude",
            file: ".credentials.json",
            to: "claude",
            is_login: true,
        }],
        given: &[],
    },
    reads: &[".claude/skills"],
    guides: &["CLAUDE.md"],
    counts: Counts::All,
    figures: Figures {
        tokens: Told::EachAnswer,
        money: Told::AtEnd,
    },
    money_flag: Some("--max-budget-usd"),
    asks: Asks::OnStream,
    // What changes something or reaches out is asked, whatever the repository's own settings allow;
    // a question for a terminal would be one for nobody.
    arguments: |_| {
        &[
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--input-format",
            "stream-json",
            // Only parts of messages say what was written.
            "--include-partial-messages",
            "--permission-mode",
            "default",
            "--permission-prompt-tool",
            "stdio",
            "--settings",
            r#"{"permissions":{"ask":["Bash","Edit","NotebookEdit","WebFetch","WebSearch","Write"]}}"#,
            "--disallowedTools",
            "AskUserQuestion,EnterPlanMode",
        ]
    },
    speaks: Speaks::Stream(claude::hear),
    resume: Resume::Last("--resume"),
    more: &[],
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
    keys_are_alternatives: true,
    login: "codex",
    settings: &[],
    limits: &[
        "429 too many requests",
        "exceeded your current quota",
        "hit your usage limit",
        "rate limit reached for",
        "status: 429",
    ],
    resets: &[Reset::In("try again in "), Reset::At("try again at ")],
    waits_silently: true,
    progress_ms: 15 * 60_000,
    tells_calls: true,
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
        given: &[],
    },
    reads: &["AGENTS.md", ".agents/skills"],
    guides: &[],
    counts: Counts::Session,
    asks: Asks::Never,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |writes| match writes {
        Writes::Confined => &[
            "exec",
            "--json",
            "--sandbox",
            "danger-full-access",
            "--skip-git-repo-check",
            "-",
        ],
        Writes::Free => &[
            "exec",
            "--json",
            "--sandbox",
            "workspace-write",
            "--skip-git-repo-check",
            "-",
        ],
    },
    speaks: Speaks::Stream(codex::hear),
    resume: Resume::BeforeLast("resume"),
    more: &[],
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
    keys_are_alternatives: false,
    login: "opencode",
    settings: &[("OPENCODE_DISABLE_AUTOUPDATE", "1")],
    limits: &[
        "429 too many requests",
        "exceeded your current quota",
        "rate limit exceeded",
    ],
    resets: &[Reset::In("try again in "), Reset::In("retry after ")],
    waits_silently: false,
    progress_ms: 10 * 60_000,
    tells_calls: false,
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
        given: &[],
    },
    reads: &["AGENTS.md", ".agents/skills", ".claude/skills"],
    guides: &[],
    counts: Counts::Step,
    asks: Asks::Never,
    // Of models that it does not know it says that they cost nothing: its price cannot be relied on.
    figures: Figures {
        tokens: Told::EachAnswer,
        money: Told::Never,
    },
    money_flag: None,
    arguments: |_| &["run", "--format", "json"],
    speaks: Speaks::Stream(opencode::hear),
    resume: Resume::Last("--session"),
    more: &[],
};

// Over ACP, each after what was measured with it. The bridge brings a Claude Code of its own.
const CLAUDE_ACP: Product = Product {
    name: "claude-acp",
    title: "Claude Code over ACP",
    program: "claude-agent-acp",
    install: "npm install --global @agentclientprotocol/claude-agent-acp",
    tried: "0.49.0",
    variables: &[
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        // Without it, it makes no session for root. Whoever sets it says that root may.
        "IS_SANDBOX",
    ],
    speaks: Speaks::Acp(Quirks {
        usage: Usage::Turn,
        resume: Verb::Resume,
        ends_on_close: true,
        ends_on_term: true,
        error_words: &[],
    }),
    asks: Asks::OnStream,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::AtEnd,
    },
    money_flag: None,
    arguments: |_| &[],
    resume: Resume::Asked,
    ..CLAUDE
};

const OPENCODE_ACP: Product = Product {
    name: "opencode-acp",
    title: "opencode over ACP",
    speaks: Speaks::Acp(Quirks {
        usage: Usage::LastStep,
        resume: Verb::Resume,
        ends_on_close: true,
        ends_on_term: true,
        error_words: &[],
    }),
    counts: Counts::All,
    asks: Asks::OnStream,
    figures: Figures {
        tokens: Told::AtEnd,
        money: Told::Never,
    },
    arguments: |_| &["acp"],
    resume: Resume::Asked,
    ..OPENCODE
};
