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
}

struct Message {
    is_user: bool,
    text: String,
    has_calls: bool,
    /// What came of calls.
    results: Vec<String>,
}

impl Conversation {
    pub(crate) fn read(api: Api, body: &Value) -> Conversation {
        let messages = match api {
            Api::Messages => list(&body["messages"]).map(message).collect(),
            Api::Completions => list(&body["messages"]).map(completions).collect(),
            Api::Responses => list(&body["input"]).map(item).collect(),
        };
        let functions = list(&body["tools"]).filter_map(|tool| {
            let function = if api == Api::Completions {
                &tool["function"]
            } else {
                tool
            };
            let schema = match api {
                Api::Messages => &function["input_schema"],
                _ => &function["parameters"],
            };
            Some((function["name"].as_str()?.to_owned(), schema.clone()))
        });
        Conversation {
            model: body["model"].as_str().unwrap_or("scripted").to_owned(),
            streams: body["stream"] == true,
            messages,
            functions: functions.collect(),
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
