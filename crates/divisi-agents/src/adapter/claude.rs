//! Claude Code's stream: `--output-format stream-json`.

use serde_json::Value;

use super::transcript::{Entry, Tokens, micros, shortened};

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    match line["type"].as_str() {
        Some("system") => system(line),
        Some("assistant") => blocks(line).filter_map(assistant).collect(),
        Some("user") => blocks(line).filter_map(result_of_call).collect(),
        Some("result") => result(line),
        Some("stream_event") => part(line).into_iter().collect(),
        _ => vec![Entry::noted(&line.to_string())],
    }
}

fn system(line: &Value) -> Vec<Entry> {
    match (line["subtype"].as_str(), line["session_id"].as_str()) {
        (Some("init"), Some(session)) => vec![Entry::began(session)],
        (Some("api_retry"), _) => {
            let cause = line["error"].as_str().unwrap_or("unknown");
            let cause = format!("{cause}, status {}", line["error_status"]);
            let mut entries = vec![Entry::Retried { cause }];
            // Its own delays are random; whole seconds are what the server said.
            let delay = line["retry_delay_ms"].as_f64();
            let said = delay.filter(|ms| *ms > 0.0 && ms % 1_000.0 == 0.0);
            if let Some(ms) = said.filter(|_| line["error_status"] == 429) {
                entries.push(Entry::Limited { wait_ms: ms as u64 });
            }
            entries
        }
        _ => Vec::new(),
    }
}

/// A part of an answer: what was read for it stands at its beginning, what was written at its end.
/// The lines of whole messages come between the two, and do not have the latter.
fn part(line: &Value) -> Option<Entry> {
    let event = &line["event"];
    // The sum of the whole turn follows its last answer; an agent that the agent has has none.
    let is_last =
        event["delta"]["stop_reason"] == "end_turn" && line["parent_tool_use_id"].is_null();
    let count = |usage: &Value, key: &str| usage[key].as_u64().unwrap_or(0);
    match event["type"].as_str()? {
        "message_start" => {
            let usage = &event["message"]["usage"];
            let usage = Tokens {
                input_tokens: count(usage, "input_tokens"),
                cache_read_tokens: count(usage, "cache_read_input_tokens"),
                cache_write_tokens: count(usage, "cache_creation_input_tokens"),
                ..Tokens::default()
            };
            let model = event["message"]["model"].as_str().map(str::to_owned);
            Some(Entry::Read { model, usage })
        }
        "message_delta" if !is_last => {
            let output_tokens = count(&event["usage"], "output_tokens");
            let usage = Tokens {
                output_tokens,
                ..Tokens::default()
            };
            Some(Entry::Responded { usage })
        }
        _ => None,
    }
}

fn blocks(line: &Value) -> impl Iterator<Item = &Value> {
    line["message"]["content"].as_array().into_iter().flatten()
}

fn assistant(block: &Value) -> Option<Entry> {
    match block["type"].as_str()? {
        "text" => Some(Entry::said(block["text"].as_str()?)),
        "tool_use" => Some(Entry::Called {
            function: block["name"].as_str()?.to_owned(),
            input: shortened(&block["input"].to_string()),
        }),
        _ => None,
    }
}

fn result_of_call(block: &Value) -> Option<Entry> {
    (block["type"] == "tool_result").then(|| Entry::Returned {
        succeeded: block["is_error"] != true,
        output: shortened(&text_of(&block["content"])),
    })
}

/// A text, or the texts of a list of blocks.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|b| b["text"].as_str()).collect();
            texts.join("\n")
        }
        other => other.to_string(),
    }
}

/// The last line. Its subtype says *success* even where the model never answered, so `is_error`
/// decides; and its `usage` is 0 after a call that did not stream, so `modelUsage` counts.
fn result(line: &Value) -> Vec<Entry> {
    let mut entries: Vec<Entry> = (line["permission_denials"].as_array())
        .into_iter()
        .flatten()
        .map(|denial| Entry::Denied {
            what: shortened(&format!(
                "{} {}",
                denial["tool_name"].as_str().unwrap_or("something"),
                denial["tool_input"]
            )),
            call: denial["tool_use_id"].as_str().map(str::to_owned),
        })
        .collect();
    entries.push(Entry::Used { usage: usage(line) });
    let text = shortened(line["result"].as_str().unwrap_or_default());
    entries.push(match line["is_error"] == true {
        true if line["subtype"] == "error_max_budget_usd" => Entry::Bounded,
        true => Entry::Broke {
            cause: match text.is_empty() {
                true => format!("the turn ended with {}", line["subtype"]),
                false => text,
            },
            status: (line["api_error_status"].as_u64()).and_then(|status| status.try_into().ok()),
        },
        false => Entry::Finished { text },
    });
    entries
}

fn usage(line: &Value) -> Tokens {
    let models = line["modelUsage"].as_object().into_iter().flatten();
    let used = |model: &Value| Tokens {
        input_tokens: model["inputTokens"].as_u64().unwrap_or(0),
        output_tokens: model["outputTokens"].as_u64().unwrap_or(0),
        cache_read_tokens: model["cacheReadInputTokens"].as_u64().unwrap_or(0),
        cache_write_tokens: model["cacheCreationInputTokens"].as_u64().unwrap_or(0),
        cost_usd_micros: None,
    };
    let all = models.fold(Tokens::default(), |sum, (_, model)| sum.plus(used(model)));
    Tokens {
        cost_usd_micros: micros(line["total_cost_usd"].as_f64()),
        ..all
    }
}
