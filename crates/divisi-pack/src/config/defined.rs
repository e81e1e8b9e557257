//! Agents that configuration defines: how they are written, and their schema.

use divisi_core::run::{
    DEFINED_PREFIX, Defined, DefinedModel, DefinedProgram, ModelBounds, Provider, Speaks,
    is_given_name,
};
use jsonc_parser::ast::Value as Node;
use serde_json::{Value as Json, json};

use super::LIST_MAX;
use super::read::variable;
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};

/// Longer addresses are none that anybody typed.
const URL_BYTES_MAX: usize = 1_000;

const MODEL_KEYS: &[&str] = &[
    "provider",
    "model",
    "url",
    "key",
    "answers",
    "answer_tokens",
    "context_tokens",
    "silence_seconds",
];

/// The bounds of a model's bounds.
const ANSWERS: (u64, u64) = (1, 10_000);
const ANSWER_TOKENS: (u64, u64) = (100, 1_000_000);
const CONTEXT_TOKENS: (u64, u64) = (1_000, 10_000_000);
const SILENCE_SECONDS: (u64, u64) = (1, 86_400);

const ENTRY_KEYS: &[&str] = &["model", "command", "speaks", "variables"];

const PROVIDERS: &[(&str, Provider)] = &[
    ("anthropic", Provider::Anthropic),
    ("openai", Provider::Openai),
    ("openai-responses", Provider::OpenaiResponses),
    ("gemini", Provider::Gemini),
    ("ollama", Provider::Ollama),
    ("openrouter", Provider::Openrouter),
];

const SPEAKS: &[(&str, Speaks)] = &[("acp", Speaks::Acp), ("text", Speaks::Text)];

/// A model, and where it answers.
pub(super) fn model(value: &Node<'_>, key: &str, faults: &mut Faults<'_>) -> Option<DefinedModel> {
    let object = fields::object(value, &format!("`{key}`"), faults)?;
    let fields = Fields::open(object, "the model", MODEL_KEYS, faults);
    fields.required("provider", faults);
    fields.required("model", faults);
    let provider = fields.word("provider", PROVIDERS, faults);
    let model = fields.line("model", faults);
    let url = fields.get("url").map(|value| url(value, faults));
    let key = fields
        .get("key")
        .map(|value| variable(value, "key", faults));
    let bounds = bounds(&fields, faults);
    // What is given and does not fit was collected.
    Some(DefinedModel {
        provider: provider?,
        model: model?,
        url: or_unread(url)?,
        key: or_unread(key)?,
        bounds,
    })
}

fn bounds(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> ModelBounds {
    let usual = ModelBounds::default();
    let mut given = |key, bounds, usual: u32| {
        let read = fields.integer(key, bounds, faults);
        read.and_then(|number| number.try_into().ok())
            .unwrap_or(usual)
    };
    ModelBounds {
        answers: given("answers", ANSWERS, usual.answers),
        answer_tokens: given("answer_tokens", ANSWER_TOKENS, usual.answer_tokens),
        context_tokens: given("context_tokens", CONTEXT_TOKENS, usual.context_tokens),
        silence_seconds: given("silence_seconds", SILENCE_SECONDS, usual.silence_seconds),
    }
}

/// Nothing where it was given and could not be read.
#[expect(clippy::option_option, reason = "not given and not readable differ")]
fn or_unread(read: Option<Option<String>>) -> Option<Option<String>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(some) => Some(some),
    }
}

/// An address. With an account in it, it would be a secret that is journaled.
fn url(value: &Node<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let text = fields::line(value, "url", faults)?;
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .and_then(|rest| rest.split(['/', '?', '#']).next());
    let fits = text.len() <= URL_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['?', '#'])
        && host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    if !fits {
        faults
            .error(codes::TEXT, start(value), || {
                format!("`url` is {}, not the address of a server", shown(&text))
            })
            .hint("it begins with `https://` or `http://` and has no account, no `?` and no `#`")
            .hint("a key is told by the name of its variable: `key`");
        return None;
    }
    Some(text)
}

/// An agent of this name.
pub(super) fn entry(
    name: &str,
    at: usize,
    value: &Node<'_>,
    faults: &mut Faults<'_>,
) -> Option<Defined> {
    if !is_given_name(name) {
        faults
            .error(codes::ID, at, || {
                format!("{} is no name for an agent", shown(name))
            })
            .hint("lower-case letters, digits and hyphens, and a letter first");
        return None;
    }
    let object = fields::object(value, &format!("`{name}`"), faults)?;
    let fields = Fields::open(object, "the agent", ENTRY_KEYS, faults);
    match (fields.get("model"), fields.get("command")) {
        (Some(_), Some(command)) => {
            faults.error(codes::CONFLICT, start(command), || {
                format!("{} has both a `model` and a `command`", shown(name))
            });
            None
        }
        (Some(value), None) => {
            for key in ["speaks", "variables"] {
                if let Some(value) = fields.get(key) {
                    faults.error(codes::CONFLICT, start(value), || {
                        format!("`{key}` is about a `command`, and a `model` is given")
                    });
                }
            }
            model(value, "model", faults).map(Defined::Model)
        }
        (None, _) => program(&fields, faults).map(Defined::Program),
    }
}

fn program(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<DefinedProgram> {
    fields.required("command", faults)?;
    fields.required("speaks", faults);
    let speaks = fields.word("speaks", SPEAKS, faults);
    let list = fields.list("command", faults)?;
    if list.is_empty() || list.len() > LIST_MAX {
        faults.error(codes::COMMAND, fields.at, || {
            format!("`command` has {} elements, not 1 to {LIST_MAX}", list.len())
        });
        return None;
    }
    let texts = list
        .iter()
        .map(|value| fields::line(value, "command", faults));
    let command: Vec<Option<String>> = texts.collect();
    let names = fields.list("variables", faults).unwrap_or_default();
    if names.len() > LIST_MAX {
        faults.error(codes::TOO_LARGE, fields.at, || {
            format!("`variables` has more than {LIST_MAX} elements")
        });
    }
    let names = { names.iter() }.filter_map(|value| variable(value, "variables", faults));
    let variables = names.collect();
    Some(DefinedProgram {
        command: command.into_iter().collect::<Option<Vec<String>>>()?,
        speaks: speaks?,
        variables,
    })
}

/// A model as a file says it.
pub(super) fn model_json(model: &DefinedModel) -> Json {
    let mut json = json!({ "provider": model.provider.word(), "model": model.model });
    let more = [("url", &model.url), ("key", &model.key)];
    for (key, value) in more {
        if let Some(value) = value {
            json[key] = json!(value);
        }
    }
    let (bounds, usual) = (model.bounds, ModelBounds::default());
    let bounds = [
        ("answers", bounds.answers, usual.answers),
        ("answer_tokens", bounds.answer_tokens, usual.answer_tokens),
        (
            "context_tokens",
            bounds.context_tokens,
            usual.context_tokens,
        ),
        (
            "silence_seconds",
            bounds.silence_seconds,
            usual.silence_seconds,
        ),
    ];
    for (key, value, usual) in bounds {
        if value != usual {
            json[key] = json!(value);
        }
    }
    json
}

/// An agent as a file says it.
pub(super) fn json(defined: &Defined) -> Json {
    match defined {
        Defined::Model(model) => json!({ "model": model_json(model) }),
        Defined::Program(program) => {
            let mut json = json!({ "command": program.command, "speaks": program.speaks.word() });
            if !program.variables.is_empty() {
                json["variables"] = json!(program.variables);
            }
            json
        }
    }
}

/// The schema of a model.
pub(super) fn model_schema() -> Json {
    let words = |words: Vec<&str>| json!({ "enum": words });
    let number = |(least, most): (u64, u64)| json!({ "type": ["integer", "null"], "minimum": least, "maximum": most });
    json!({
        "type": "object",
        "required": ["provider", "model"],
        "additionalProperties": false,
        "properties": {
            "provider": words(PROVIDERS.iter().map(|(word, _)| *word).collect()),
            "model": { "type": "string", "minLength": 1 },
            "url": {
                "type": ["string", "null"],
                "pattern": "^https?://[^/?#@\\s]+(/[^?#\\s]*)?$",
                "maxLength": URL_BYTES_MAX,
            },
            "key": { "type": ["string", "null"], "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
            "answers": number(ANSWERS),
            "answer_tokens": number(ANSWER_TOKENS),
            "context_tokens": number(CONTEXT_TOKENS),
            "silence_seconds": number(SILENCE_SECONDS),
        },
    })
}

/// The schema of agents by name.
pub(super) fn schema() -> Json {
    let line = json!({ "type": "string", "minLength": 1 });
    json!({
        "type": ["object", "null"],
        "propertyNames": { "pattern": "^[a-z][a-z0-9-]*$" },
        "additionalProperties": { "anyOf": [
            {
                "type": "object",
                "required": ["model"],
                "additionalProperties": false,
                "properties": { "model": model_schema() },
            },
            {
                "type": "object",
                "required": ["command", "speaks"],
                "additionalProperties": false,
                "properties": {
                    "command": {
                        "type": "array", "minItems": 1, "maxItems": LIST_MAX, "items": line,
                    },
                    "speaks": { "enum": SPEAKS.iter().map(|(word, _)| *word).collect::<Vec<_>>() },
                    "variables": {
                        "type": ["array", "null"], "maxItems": LIST_MAX,
                        "items": { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
                    },
                },
            },
        ]},
    })
}

/// The pattern of names of agents that configuration names, as plans name them.
pub(super) fn name_pattern() -> String {
    format!("^{}[a-z][a-z0-9-]*$", DEFINED_PREFIX.replace('.', "\\."))
}
