//! Copilot CLI's stream: `--output-format json`. It says nothing of what it used.

use serde_json::Value;

use super::transcript::{Entry, shortened};

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    let data = &line["data"];
    match line["type"].as_str() {
        Some("assistant.message") => (data["content"].as_str())
            .filter(|text| !text.is_empty())
            .map(Entry::said)
            .into_iter()
            .collect(),
        Some("tool.execution_start") => vec![Entry::Called {
            function: data["toolName"].as_str().unwrap_or("something").to_owned(),
            input: shortened(&data["arguments"].to_string()),
        }],
        Some("tool.execution_complete") => vec![Entry::Returned {
            succeeded: data["success"] == true,
            output: shortened(text_of(data)),
        }],
        Some("model.call_failure") => vec![Entry::Retried {
            cause: format!("the request failed with status {}", data["statusCode"]),
        }],
        Some("session.error") => vec![Entry::Broke {
            cause: shortened(data["message"].as_str().unwrap_or("it broke off")),
            status: (data["statusCode"].as_u64()).and_then(|status| status.try_into().ok()),
        }],
        Some("result") => result(line),
        // Parts of what is said whole later, and what it knows of itself.
        Some(kind) if is_known(kind) || line["ephemeral"] == true => Vec::new(),
        _ => vec![Entry::noted(&line.to_string())],
    }
}

fn is_known(kind: &str) -> bool {
    let prefixes = ["session.", "user.", "assistant.", "model."];
    prefixes.iter().any(|prefix| kind.starts_with(prefix))
}

fn text_of(data: &Value) -> &str {
    let text = data["result"]["content"].as_str();
    text.or_else(|| data["error"]["message"].as_str())
        .unwrap_or_default()
}

/// The last line. What went wrong was said before it.
fn result(line: &Value) -> Vec<Entry> {
    let session = line["sessionId"].as_str().map(Entry::began);
    let end = (line["exitCode"] == 0).then(|| Entry::Finished {
        text: String::new(),
    });
    session.into_iter().chain(end).collect()
}
