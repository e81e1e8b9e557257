//! What an agent reports while its turn lasts, read into the one transcript.
//!
//! Words come in pieces, and a call is told several times until it is complete. Both become one
//! entry: words when something else happens, a call when its input is known or it is over.

use std::collections::HashMap;

use divisi_core::criterion::truncate;
use divisi_core::permission::{Deed, Request};
use serde_json::Value;

use super::super::transcript::{Entry, Tokens, micros, shortened};

/// Words are told in entries of about this size, however long they go on.
const SAID_BYTES_MAX: usize = 4 << 10;

/// Calls that are open at once. Of more, only what is asked for leave is told.
const CALLS_MAX: usize = 256;

/// Names of calls are ids and file names.
const NAME_BYTES_MAX: usize = 200;

/// What was reported so far.
#[derive(Debug, Default)]
pub(super) struct Updates {
    said: String,
    /// The message that they belong to, where that is told.
    message: Option<String>,
    /// The last piece of words, as it came.
    pub(super) last: String,
    calls: HashMap<String, Call>,
    /// What single answers were said to have used, where that is told with them.
    pub(super) used: Option<Tokens>,
    /// What it says to have cost, in millionths of a US dollar.
    pub(super) cost_usd_micros: Option<u64>,
}

/// One call of a function.
#[derive(Debug)]
struct Call {
    function: String,
    input: Value,
    is_told: bool,
}

impl Updates {
    /// What an update says, oldest first.
    pub(super) fn hear(&mut self, update: &Value) -> Vec<Entry> {
        match update["sessionUpdate"].as_str() {
            Some("agent_message_chunk") => self.said(update),
            Some("tool_call" | "tool_call_update") => {
                let mut entries = self.flush();
                entries.extend(self.called(update));
                entries
            }
            Some("usage_update") => {
                let cost = &update["cost"];
                if cost["currency"] == "USD" {
                    self.cost_usd_micros = micros(cost["amount"].as_f64());
                }
                Vec::new()
            }
            // Thoughts, plans, lists of commands: nothing was done.
            _ => Vec::new(),
        }
    }

    fn said(&mut self, update: &Value) -> Vec<Entry> {
        let text = update["content"]["text"].as_str().unwrap_or_default();
        let message = update["messageId"].as_str().map(cut);
        let mut entries = match message == self.message {
            true => Vec::new(),
            false => self.flush(),
        };
        self.message = message;
        if let Some(used) = tokens(&update["_meta"]["usage"]) {
            self.used = Some(self.used.unwrap_or_default().plus(used));
        }
        self.said.push_str(text);
        self.last = shortened(text);
        if self.said.len() >= SAID_BYTES_MAX {
            entries.extend(self.flush());
        }
        entries
    }

    /// The words that are not told yet.
    pub(super) fn flush(&mut self) -> Vec<Entry> {
        let said = std::mem::take(&mut self.said);
        match said.is_empty() {
            true => Vec::new(),
            false => vec![Entry::said(&said)],
        }
    }

    fn called(&mut self, update: &Value) -> Vec<Entry> {
        let Some(id) = update["toolCallId"].as_str() else {
            return Vec::new();
        };
        let id = &cut(id);
        if !self.note(id, update) {
            return Vec::new();
        }
        let is_over = matches!(update["status"].as_str(), Some("completed" | "failed"));
        let mut entries = self.tell(id, is_over);
        if is_over {
            self.calls.remove(id);
            entries.push(Entry::Returned {
                succeeded: update["status"] == "completed",
                output: output_of(update),
            });
        }
        entries
    }

    /// Takes in what is new of a call. `false` if there are too many.
    fn note(&mut self, id: &str, update: &Value) -> bool {
        let is_room = self.calls.len() < CALLS_MAX;
        if !self.calls.contains_key(id) {
            if !is_room {
                return false;
            }
            let call = Call {
                function: name_of(update).unwrap_or_else(|| "something".to_owned()),
                input: Value::Null,
                is_told: false,
            };
            self.calls.insert(id.to_owned(), call);
        }
        if let Some(call) = self.calls.get_mut(id) {
            let input = &update["rawInput"];
            let is_empty =
                input.is_null() || input.as_object().is_some_and(serde_json::Map::is_empty);
            if !is_empty && !call.is_told {
                call.input = Value::String(shortened(&input.to_string()));
            }
        }
        true
    }

    /// The call, once: when its input is known, or when there will be no other moment.
    fn tell(&mut self, id: &str, is_last: bool) -> Vec<Entry> {
        let Some(call) = self.calls.get_mut(id) else {
            return Vec::new();
        };
        if call.is_told || (call.input.is_null() && !is_last) {
            return Vec::new();
        }
        call.is_told = true;
        vec![Entry::Called {
            function: call.function.clone(),
            input: call.input.as_str().unwrap_or_default().to_owned(),
        }]
    }

    /// What is asked for leave, with what is to be told before.
    pub(super) fn asked(&mut self, params: &Value) -> (Vec<Entry>, Request) {
        let call = &params["toolCall"];
        let mut entries = self.flush();
        let id = &cut(call["toolCallId"].as_str().unwrap_or_default());
        if self.note(id, call) {
            entries.extend(self.tell(id, true));
        }
        (entries, request(id, call))
    }
}

/// Figures of usage, in the protocol's words.
pub(super) fn tokens(usage: &Value) -> Option<Tokens> {
    let count = |key: &str| usage[key].as_u64().unwrap_or(0);
    usage.is_object().then(|| Tokens {
        input_tokens: count("inputTokens"),
        output_tokens: count("outputTokens").saturating_add(count("thoughtTokens")),
        cache_read_tokens: count("cachedReadTokens"),
        cache_write_tokens: count("cachedWriteTokens"),
        cost_usd_micros: None,
    })
}

/// What an agent asks leave for, whole: whoever looks at it says what is too much to be looked at.
fn request(id: &str, call: &Value) -> Request {
    let deed = match call["kind"].as_str() {
        Some("read" | "search") => Deed::Read,
        Some("edit" | "move") => Deed::Edit,
        Some("delete") => Deed::Delete,
        Some("execute") => Deed::Execute,
        Some("fetch") => Deed::Fetch,
        _ => Deed::Other,
    };
    let of = |list: &Value| -> Vec<String> {
        let paths = list.as_array().into_iter().flatten();
        let paths = paths.filter_map(|one| one["path"].as_str());
        paths.map(str::to_owned).collect()
    };
    let mut paths = of(&call["locations"]);
    paths.extend(of(&call["content"]));
    paths.sort_unstable();
    paths.dedup();
    let command = call["rawInput"]["command"].as_str().map(str::to_owned);
    let title = call["title"]
        .as_str()
        .map_or_else(|| name_of(call), |title| Some(title.to_owned()));
    Request {
        id: id.to_owned(),
        deed,
        title: title.unwrap_or_else(|| "something".to_owned()),
        paths,
        command,
    }
}

/// The function's name; some agents say it apart, of the others the title is all there is.
fn name_of(call: &Value) -> Option<String> {
    let meta = &call["_meta"];
    let name = meta["claudeCode"]["toolName"].as_str();
    let name = name.or(meta["toolName"].as_str());
    let name = name.or(call["title"].as_str()).or(call["kind"].as_str());
    name.map(cut)
}

/// What came of a call.
fn output_of(update: &Value) -> String {
    let texts: Vec<&str> = (update["content"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|one| one["content"]["text"].as_str())
        .collect();
    match (texts.is_empty(), &update["rawOutput"]) {
        (false, _) => shortened(&texts.join("\n")),
        (true, Value::String(text)) => shortened(text),
        (true, Value::Null) => String::new(),
        (true, other) => shortened(&other.to_string()),
    }
}

fn cut(text: &str) -> String {
    let mut text = text.to_owned();
    truncate(&mut text, NAME_BYTES_MAX);
    text
}
