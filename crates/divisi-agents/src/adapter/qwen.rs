//! Qwen Code's stream: `--output-format stream-json`. It is Claude Code's, but for the last line.

use serde_json::Value;

use super::claude;
use super::transcript::{Entry, Tokens, shortened};

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    match line["type"].as_str() {
        Some("result") => result(line),
        _ => claude::hear(line),
    }
}

/// The last line. It calls a refused key a success: what the server said is its result then.
fn result(line: &Value) -> Vec<Entry> {
    let usage = &line["usage"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let read = count(&usage["cache_read_input_tokens"]);
    let used = Entry::Used {
        usage: Tokens {
            // Its count has those from the cache in it.
            input_tokens: count(&usage["input_tokens"]).saturating_sub(read),
            output_tokens: count(&usage["output_tokens"]),
            cache_read_tokens: read,
            ..Tokens::default()
        },
    };
    let text = line["result"].as_str().unwrap_or_default();
    let text = match text.is_empty() {
        true => line["error"]["message"].as_str().unwrap_or_default(),
        false => text,
    };
    let refused = text.strip_prefix("[API Error: ");
    let end = match (refused, line["is_error"] == true) {
        (None, false) => Entry::Finished {
            text: shortened(text),
        },
        (refused, _) => {
            let status = refused.and_then(|words| words.split(' ').next());
            Entry::Broke {
                cause: shortened(text),
                status: status.and_then(|status| status.parse().ok()),
            }
        }
    };
    vec![used, end]
}
