//! Answers in the four forms, as events of a stream.

use std::path::Path;

use serde_json::{Value, json};

use super::read::Conversation;
use super::{Call, Turn};

/// In which form a model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Anthropic's Messages.
    Messages,
    /// OpenAI's Chat Completions.
    Completions,
    /// OpenAI's Responses.
    Responses,
    /// Google's `generateContent` and `streamGenerateContent`.
    Generate,
}

impl Api {
    pub(crate) fn of(path: &str) -> Option<Api> {
        let last = path.rsplit('/').next()?;
        // The model's name stands before.
        match last.rsplit(':').next()? {
            "messages" => Some(Api::Messages),
            "completions" => Some(Api::Completions),
            "responses" => Some(Api::Responses),
            "generateContent" | "streamGenerateContent" => Some(Api::Generate),
            _ => None,
        }
    }

    /// Whether a tool asks for whole answers in this form: one falls back to them after a stream that
    /// broke, one asks what it asks beside its work so.
    pub(crate) fn has_whole_answers(self) -> bool {
        matches!(self, Api::Messages | Api::Generate)
    }
}

/// What every answer says to have used.
const INPUT_TOKENS: u64 = 1_000;
const OUTPUT_TOKENS: u64 = 50;

/// Both together.
pub(crate) const TOKENS: u64 = INPUT_TOKENS + OUTPUT_TOKENS;

/// Names of functions that run a command, and of their argument.
const SHELLS: [&str; 6] = [
    "Bash",
    "bash",
    "exec_command",
    "shell_command",
    "run_shell_command",
    "run",
];
const COMMANDS: [&str; 2] = ["command", "cmd"];

/// Names of functions that write a file.
const WRITERS: [&str; 4] = ["Write", "write", "write_file", "create"];

/// The events of an answer, each with its blank line.
pub(crate) fn events(api: Api, conversation: &Conversation, turn: &Turn) -> Vec<String> {
    let call = turn.call.as_ref().map(|call| function(conversation, call));
    match api {
        Api::Messages => messages(conversation, &turn.say, call.as_ref()),
        Api::Completions => completions(conversation, &turn.say, call.as_ref()),
        Api::Responses => responses(conversation, &turn.say, call.as_ref()),
        Api::Generate => {
            let begun = json!({"candidates": [{
                "content": { "role": "model", "parts": [{ "text": "" }] }, "index": 0,
            }]});
            let answer = generated(conversation, &turn.say, call.as_ref());
            vec![format!("data: {begun}\n\n"), format!("data: {answer}\n\n")]
        }
    }
}

/// The same as one answer; see [`Api::has_whole_answers`].
pub(crate) fn whole(api: Api, conversation: &Conversation, turn: &Turn) -> Value {
    let call = turn.call.as_ref().map(|call| function(conversation, call));
    match api {
        Api::Generate => generated(conversation, &turn.say, call.as_ref()),
        _ => message(conversation, &turn.say, call.as_ref()),
    }
}

/// A call in terms of a function that is offered: a file is written by a command where no function
/// writes files. The arguments are a text of JSON, or of what is none.
fn function(conversation: &Conversation, call: &Call) -> (String, String) {
    match call {
        Call::Raw { name, arguments } => (name.clone(), arguments.clone()),
        call => {
            let (name, arguments) = meant(conversation, call);
            (name, arguments.to_string())
        }
    }
}

fn meant(conversation: &Conversation, call: &Call) -> (String, Value) {
    let offered = |names: &[&str]| {
        let is_offered = |name: &&&str| conversation.functions.contains_key(**name);
        names.iter().find(is_offered).map(|name| (*name).to_owned())
    };
    let shell = |command: &str| {
        let name = offered(&SHELLS).unwrap_or_else(|| "no-shell-is-offered".to_owned());
        let properties = &conversation.functions.get(&name).unwrap_or(&Value::Null)["properties"];
        let argument = COMMANDS.iter().find(|key| properties.get(**key).is_some());
        let mut arguments = json!({ "description": "as the script says" });
        arguments[*argument.unwrap_or(&"command")] = json!(command);
        (name, arguments)
    };
    match call {
        Call::Raw { name, arguments } => (name.clone(), json!(arguments)),
        Call::Shell(command) => shell(command),
        Call::Write { path, content } => match offered(&WRITERS) {
            Some(name) => {
                let properties = &conversation.functions[&name]["properties"];
                let named = |names: &[&'static str]| {
                    let mut names = names.iter().copied();
                    names.find(|name| properties.get(*name).is_some())
                };
                let mut arguments = json!({});
                let place = named(&["filePath", "file_path", "path"]).unwrap_or("file_path");
                // One takes no path that is not absolute.
                let folder = conversation.folder.as_deref().unwrap_or_default();
                arguments[place] = json!(Path::new(folder).join(path));
                arguments[named(&["text", "file_text"]).unwrap_or("content")] = json!(content);
                (name, arguments)
            }
            None => shell(&format!(
                "mkdir -p \"$(dirname '{path}')\" && cat > '{path}' <<'SCRIPTED'\n{content}SCRIPTED\n"
            )),
        },
    }
}

fn named(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn typed(data: &Value) -> String {
    named(data["type"].as_str().unwrap_or_default(), data)
}

/// A whole answer of Anthropic's Messages.
fn message(conversation: &Conversation, say: &str, call: Option<&(String, String)>) -> Value {
    let mut content = vec![json!({ "type": "text", "text": say })];
    content.extend(call.map(|(name, arguments)| {
        let input: Value = serde_json::from_str(arguments).unwrap_or(json!(arguments));
        json!({ "type": "tool_use", "id": unique("toolu"), "name": name, "input": input })
    }));
    json!({
        "id": unique("msg"), "type": "message", "role": "assistant",
        "model": conversation.model, "content": content, "stop_sequence": null,
        "stop_reason": if call.is_some() { "tool_use" } else { "end_turn" },
        "usage": {
            "input_tokens": INPUT_TOKENS, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0, "output_tokens": OUTPUT_TOKENS,
        },
    })
}

fn messages(
    conversation: &Conversation,
    say: &str,
    call: Option<&(String, String)>,
) -> Vec<String> {
    let usage = json!({
        "input_tokens": INPUT_TOKENS, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": 1,
    });
    let mut events = vec![json!({ "type": "message_start", "message": {
        "id": unique("msg"), "type": "message", "role": "assistant",
        "model": conversation.model, "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": usage,
    }})];
    let text = json!({ "type": "text", "text": "" });
    let delta = json!({ "type": "text_delta", "text": say });
    events.extend(block(0, &text, &delta));
    if let Some((name, arguments)) = call {
        let id = unique("toolu");
        let start = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
        let delta = json!({ "type": "input_json_delta", "partial_json": arguments });
        events.extend(block(1, &start, &delta));
    }
    let reason = if call.is_some() {
        "tool_use"
    } else {
        "end_turn"
    };
    events.push(json!({
        "type": "message_delta",
        "delta": { "stop_reason": reason, "stop_sequence": null },
        "usage": { "output_tokens": OUTPUT_TOKENS },
    }));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(typed).collect()
}

fn block(index: u32, start: &Value, delta: &Value) -> [Value; 3] {
    [
        json!({ "type": "content_block_start", "index": index, "content_block": start }),
        json!({ "type": "content_block_delta", "index": index, "delta": delta }),
        json!({ "type": "content_block_stop", "index": index }),
    ]
}

fn completions(
    conversation: &Conversation,
    say: &str,
    call: Option<&(String, String)>,
) -> Vec<String> {
    let chunk = |choices: Value| {
        json!({
            "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1,
            "model": conversation.model, "choices": choices,
        })
    };
    let choice = |delta: Value, reason: Option<&str>| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": reason }]))
    };
    let mut chunks = vec![
        choice(json!({ "role": "assistant", "content": "" }), None),
        choice(json!({ "content": say }), None),
    ];
    if let Some((name, arguments)) = call {
        let call = json!([{
            "index": 0, "id": unique("call"), "type": "function",
            "function": { "name": name, "arguments": arguments },
        }]);
        chunks.push(choice(json!({ "tool_calls": call }), None));
    }
    let reason = if call.is_some() { "tool_calls" } else { "stop" };
    chunks.push(choice(json!({}), Some(reason)));
    let mut last = chunk(json!([]));
    last["usage"] = json!({
        "prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    });
    chunks.push(last);
    let data = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    data.chain(["data: [DONE]\n\n".to_owned()]).collect()
}

fn responses(
    conversation: &Conversation,
    say: &str,
    call: Option<&(String, String)>,
) -> Vec<String> {
    let response = |status: &str, output: &[Value], usage: Value| {
        json!({
            "id": "resp_scripted", "object": "response", "created_at": 1,
            "model": conversation.model, "status": status, "output": output, "usage": usage,
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        })
    };
    let mut items = vec![json!({
        "id": unique("msg"), "type": "message", "role": "assistant", "status": "completed",
        "content": [{ "type": "output_text", "text": say, "annotations": [] }],
    })];
    if let Some((name, arguments)) = call {
        items.push(json!({
            "id": unique("fc"), "type": "function_call", "status": "completed",
            "call_id": unique("call"), "name": name, "arguments": arguments,
        }));
    }
    let mut events = vec![json!({
        "type": "response.created", "response": response("in_progress", &[], Value::Null),
    })];
    for (index, item) in items.iter().enumerate() {
        let of = |kind: &str| json!({ "type": kind, "output_index": index, "item": item });
        events.push(of("response.output_item.added"));
        if index == 0 {
            events.push(json!({
                "type": "response.output_text.delta", "output_index": 0, "content_index": 0,
                "item_id": item["id"], "delta": say,
            }));
        }
        events.push(of("response.output_item.done"));
    }
    let usage = json!({
        "input_tokens": INPUT_TOKENS, "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": OUTPUT_TOKENS, "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    });
    let completed = response("completed", &items, usage);
    events.push(json!({ "type": "response.completed", "response": completed }));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events.iter().map(typed).collect()
}

/// A whole answer of Google's `generateContent`, which is also the last event of a stream.
fn generated(conversation: &Conversation, say: &str, call: Option<&(String, String)>) -> Value {
    let mut parts = vec![json!({ "text": say })];
    parts.extend(call.map(|(name, arguments)| {
        let arguments: Value = serde_json::from_str(arguments).unwrap_or(json!(arguments));
        json!({ "functionCall": { "name": name, "args": arguments } })
    }));
    json!({
        "candidates": [{
            "content": { "role": "model", "parts": parts }, "index": 0, "finishReason": "STOP",
        }],
        "modelVersion": conversation.model, "responseId": unique("response"),
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    })
}

/// Ids that no two calls of a conversation share.
fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}_{:08}", LAST.fetch_add(1, Ordering::Relaxed))
}
