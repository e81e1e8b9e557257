//! The agents that configuration defines, as they are listed.

use divisi_agents::adapter::program;
use divisi_core::Diagnostic;
use divisi_core::run::{AGENT_MODEL, Defined, DefinedModel, Provider, Speaks};
use serde::Serialize;
use serde_json::Value;

use super::{LABEL_WIDTH, Limits, found_style, limited, limits_of};
use crate::present::{definition, variables};
use crate::printer::{Line, Style};

/// One of them, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// As plans and settings name it.
    pub(super) name: String,
    driven: &'static str,
    pub(super) standing: &'static str,
    provider: Option<&'static str>,
    pub(super) model: Option<String>,
    address: Option<String>,
    /// The variable that holds its key, and whether that is set.
    key: Option<Key>,
    command: Option<Vec<String>>,
    program: Option<String>,
    limits: Vec<Value>,
}

/// A key, never its value.
#[derive(Debug, Serialize)]
struct Key {
    variable: String,
    is_set: bool,
}

impl Listed {
    /// As it stands on this machine.
    pub(super) fn of(name: &str, defined: &Defined, limits: &Limits) -> Listed {
        let limits = limits_of(&limits.of(name));
        let variables = variables();
        match defined {
            Defined::Model(model) => Listed {
                name: name.to_owned(),
                driven: "api",
                standing: standing(model),
                provider: Some(model.provider.word()),
                model: Some(model.model.clone()),
                address: Some(divisi_model::address(model)),
                key: model.key().map(|name| Key {
                    variable: name.to_owned(),
                    is_set: variables.get(name).is_some_and(|key| !key.is_empty()),
                }),
                command: None,
                program: None,
                limits,
            },
            Defined::Program(defined) => {
                let path = variables.get("PATH").map(std::ffi::OsStr::new);
                let found = program(&defined.command[0], path);
                Listed {
                    name: name.to_owned(),
                    driven: match defined.speaks {
                        Speaks::Acp => "acp",
                        Speaks::Text => "text",
                    },
                    standing: if found.is_some() {
                        "unverified"
                    } else {
                        "missing"
                    },
                    provider: None,
                    model: None,
                    address: None,
                    key: None,
                    command: Some(defined.command.clone()),
                    program: found.map(|path| path.display().to_string()),
                    limits,
                }
            }
        }
    }

    /// What it lacks before it can do anything.
    pub(super) fn lack(&self) -> Option<Diagnostic> {
        let missing = |cause: String| Diagnostic::error("agent-missing", cause);
        match (&self.key, &self.command, &self.program) {
            (Some(key), ..) if !key.is_set => Some(
                missing(format!(
                    "`{}` has no key: the variable {} is not set",
                    self.name, key.variable
                ))
                .hint(format!(
                    "set {}, or name another variable as its `key`",
                    key.variable
                )),
            ),
            (_, Some(command), None) => Some(
                missing(format!("the program of `{}` is not installed", self.name))
                    .hint(format!("no folder of `PATH` holds `{}`", command[0])),
            ),
            _ => None,
        }
    }

    /// What it is, in a few words.
    pub(super) fn title(&self) -> String {
        match (&self.model, self.provider, &self.command) {
            (Some(model), Some(provider), _) => format!("{model}, as {provider} is asked"),
            (_, _, Some(command)) => command.join(" "),
            _ => String::new(),
        }
    }

    /// The same for people.
    pub(super) fn lines(&self, limits: &Limits) -> Vec<Line> {
        let label =
            |label: &str| Line::styled(Style::Dim, format!("  {label}")).padded(LABEL_WIDTH);
        let head = Line::styled(Style::Bold, &self.name)
            .then(format!(": {}, ", self.title()))
            .with(found_style(self.standing), self.standing);
        let mut lines = vec![head];
        if let Some(command) = &self.command {
            lines.push(match &self.program {
                Some(program) => label("program").then(program),
                None => label("program").with(Style::Warn, format!("no `{}` on PATH", command[0])),
            });
        }
        let driven = match self.driven {
            "api" => "its API",
            "acp" => "ACP",
            _ => "plain text",
        };
        lines.push(label("driven by").then(driven));
        if let Some(address) = &self.address {
            lines.push(label("address").then(address));
            lines.push(match &self.key {
                None => label("credential").then("none is needed"),
                Some(key) if key.is_set => {
                    label("credential").then(format!("the variable {}", key.variable))
                }
                Some(key) => label("credential")
                    .with(Style::Warn, format!("none found: set {}", key.variable)),
            });
        }
        lines.extend(limited(&limits.of(&self.name)));
        lines
    }
}

/// Which forms of asking the tests are run with.
fn standing(model: &DefinedModel) -> &'static str {
    match model.provider {
        Provider::Anthropic
        | Provider::Openai
        | Provider::OpenaiResponses
        | Provider::Gemini
        | Provider::Openrouter => "tested",
        Provider::Ollama => "unverified",
    }
}

/// How one is defined, where none is.
pub(super) fn how() -> Vec<Line> {
    let head = Line::styled(Style::Bold, AGENT_MODEL)
        .then(": a model over its API, ")
        .with(Style::Dim, "not defined");
    let label = Line::styled(Style::Dim, "  define it").padded(LABEL_WIDTH);
    let how = format!("`{}` in `divisi.yaml`", definition(AGENT_MODEL));
    vec![head, label.with(Style::Note, how)]
}
