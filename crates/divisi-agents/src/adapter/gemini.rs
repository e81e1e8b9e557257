//! Gemini CLI's stream: `--output-format stream-json`.

use serde_json::Value;

use super::transcript::{Entry, Tokens, shortened};

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    match line["type"].as_str() {
        Some("init") => (line["session_id"].as_str())
            .map(Entry::began)
            .into_iter()
            .collect(),
        Some("message") if line["role"] == "assistant" => {
            vec![Entry::said(line["content"].as_str().unwrap_or_default())]
        }
        Some("message") => Vec::new(),
        Some("tool_use") => vec![Entry::Called {
            function: line["tool_name"].as_str().unwrap_or("something").to_owned(),
            input: shortened(&line["parameters"].to_string()),
        }],
        Some("tool_result") => vec![Entry::Returned {
            succeeded: line["status"] == "success",
            output: shortened(text_of(line)),
        }],
        Some("error") => vec![Entry::Retried {
            cause: shortened(line["message"].as_str().unwrap_or("an error")),
        }],
        Some("result") => result(line),
        _ => vec![Entry::noted(&line.to_string())],
    }
}

fn text_of(line: &Value) -> &str {
    let text = line["output"].as_str();
    text.or_else(|| line["error"]["message"].as_str())
        .unwrap_or_default()
}

/// The last line. There is none where it was ended while it tried again.
fn result(line: &Value) -> Vec<Entry> {
    let stats = &line["stats"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let used = Entry::Used {
        usage: Tokens {
            // Its `input_tokens` has those from the cache in it.
            input_tokens: count(&stats["input"]),
            output_tokens: count(&stats["output_tokens"]),
            cache_read_tokens: count(&stats["cached"]),
            ..Tokens::default()
        },
    };
    let end = match line["status"].as_str() {
        Some("success") => Entry::Finished {
            text: String::new(),
        },
        _ => {
            let cause = line["error"]["message"].as_str().unwrap_or("it broke off");
            Entry::Broke {
                cause: shortened(cause),
                status: status_in(cause),
            }
        }
    };
    vec![used, end]
}

/// The status of the model's server, which stands in the server's own words.
fn status_in(cause: &str) -> Option<u16> {
    let words = cause.strip_prefix("[API Error: ")?.strip_suffix(']')?;
    let words: Value = serde_json::from_str(words).ok()?;
    words["error"]["code"].as_u64()?.try_into().ok()
}
