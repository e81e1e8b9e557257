//! A request in one form for all wires.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Rule;
use super::wire::Api;

/// What was said so far, and what may be called.
pub(crate) struct Conversation {
    pub(crate) model: String,
    /// Whether the answer is to come as a stream.
    pub(crate) streams: bool,
    messages: Vec<Message>,
    /// The functions that are offered, each with the schema of its arguments.
    pub(crate) functions: BTreeMap<String, Value>,
    /// The folder that the agent says it works in, if it does.
    pub(crate) folder: Option<String>,
}

/// Before that folder.
const WORKS_IN: &str = "working in the directory: ";

struct Message {
    is_user: bool,
    text: String,
    has_calls: bool,
    /// What came of calls.
    results: Vec<String>,
}

impl Conversation {
    pub(crate) fn read(api: Api, path: &str, body: &Value) -> Conversation {
        let messages: Vec<Message> = match api {
            Api::Messages => list(&body["messages"]).map(message).collect(),
            Api::Completions => list(&body["messages"]).map(completions).collect(),
            Api::Responses => list(&body["input"]).map(item).collect(),
            Api::Generate => list(&body["contents"]).map(content).collect(),
        };
        let functions: BTreeMap<String, Value> = match api {
            Api::Messages => functions(list(&body["tools"]), "input_schema"),
            Api::Completions => functions(
                list(&body["tools"]).map(|tool| &tool["function"]),
                "parameters",
            ),
            Api::Responses => functions(list(&body["tools"]), "parameters"),
            Api::Generate => functions(
                list(&body["tools"]).flat_map(|tool| list(&tool["functionDeclarations"])),
                "parametersJsonSchema",
            ),
        };
        let folder = messages.iter().find_map(|message| {
            let (_, after) = message.text.split_once(WORKS_IN)?;
            after.lines().next().map(str::to_owned)
        });
        // One has both in the path, the others in the body.
        let named = path
            .rsplit('/')
            .next()
            .and_then(|last| last.split_once(':'));
        let (model, streams) = named.map_or_else(
            || (body["model"].as_str(), body["stream"] == true),
            |(model, verb)| (Some(model), verb.starts_with("stream")),
        );
        Conversation {
            model: model.unwrap_or("scripted").to_owned(),
            streams,
            messages,
            functions,
            folder,
        }
    }

    /// What users said, the last first, each with how often the model called since then.
    pub(crate) fn users(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut calls = 0;
        self.messages.iter().rev().filter_map(move |message| {
            calls += usize::from(message.has_calls);
            (message.is_user && !message.text.is_empty()).then_some((message.text.as_str(), calls))
        })
    }

    /// What came of calls, the last first.
    pub(crate) fn results(&self) -> Vec<String> {
        let results = self.messages.iter().flat_map(|message| &message.results);
        let mut results: Vec<String> = results.cloned().collect();
        results.reverse();
        results
    }

    /// The words that decided for a rule, or the last ones.
    pub(crate) fn deciding(&self, rule: Option<&Rule>) -> String {
        let holds = |text: &str| {
            rule.is_none_or(|rule| rule.words.iter().all(|words| text.contains(words)))
        };
        let mut users = self.users();
        let found = users.find(|(text, _)| holds(text));
        found.map_or_else(String::new, |(text, _)| text.to_owned())
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Those that are offered, with the schemas that stand under this key.
fn functions<'b>(
    offered: impl Iterator<Item = &'b Value>,
    schema: &str,
) -> BTreeMap<String, Value> {
    let named = |function: &Value| {
        Some((
            function["name"].as_str()?.to_owned(),
            function[schema].clone(),
        ))
    };
    offered.filter_map(named).collect()
}

/// A text, or the texts of a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        content => {
            let texts: Vec<&str> = list(content).filter_map(|p| p["text"].as_str()).collect();
            texts.join("\n")
        }
    }
}

fn message(message: &Value) -> Message {
    let blocks = |kind: &'static str| {
        let blocks = list(&message["content"]);
        blocks.filter(move |block| block["type"] == kind)
    };
    Message {
        is_user: message["role"] == "user",
        text: text(&message["content"]),
        has_calls: blocks("tool_use").next().is_some(),
        results: blocks("tool_result")
            .map(|it| text(&it["content"]))
            .collect(),
    }
}

fn completions(message: &Value) -> Message {
    let result = (message["role"] == "tool").then(|| text(&message["content"]));
    Message {
        is_user: message["role"] == "user",
        text: text(&message["content"]),
        has_calls: list(&message["tool_calls"]).next().is_some(),
        results: result.into_iter().collect(),
    }
}

fn item(item: &Value) -> Message {
    let kind = item["type"].as_str().unwrap_or_default();
    let result = kind
        .ends_with("_call_output")
        .then(|| text(&item["output"]));
    Message {
        is_user: item["role"] == "user",
        text: text(&item["content"]),
        has_calls: kind.ends_with("_call"),
        results: result.into_iter().collect(),
    }
}

fn content(content: &Value) -> Message {
    let parts = || list(&content["parts"]);
    Message {
        is_user: content["role"] == "user",
        text: text(&content["parts"]),
        has_calls: parts().any(|part| part.get("functionCall").is_some()),
        results: parts()
            .filter_map(|part| part.get("functionResponse"))
            // Whoever has a text to tell says it as `content`; the form is the asker's own.
            .map(|result| match &result["response"]["content"] {
                Value::String(text) => text.clone(),
                _ => result["response"].to_string(),
            })
            .collect(),
    }
}
