//! opencode's stream: `opencode run --format json`.

use serde_json::Value;

use super::transcript::{Entry, Tokens, micros, shortened};

/// How it says that a rule of its configuration, or nobody there to ask, forbade something. Files
/// have permissions, too.
const DENIALS: [&str; 2] = ["specified a rule which prevents", "rejected permission"];

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    let part = &line["part"];
    match line["type"].as_str() {
        Some("step_start") => (line["sessionID"].as_str())
            .map(Entry::began)
            .into_iter()
            .collect(),
        Some("text") => vec![Entry::said(part["text"].as_str().unwrap_or_default())],
        Some("tool_use") => called(part),
        Some("step_finish") => finished(part),
        Some("error") => {
            let error = &line["error"];
            limited(error).into_iter().chain([broke(error)]).collect()
        }
        _ => vec![Entry::noted(&line.to_string())],
    }
}

fn called(part: &Value) -> Vec<Entry> {
    let state = &part["state"];
    let function = part["tool"].as_str().unwrap_or("something").to_owned();
    let output = state["output"].as_str().or(state["error"].as_str());
    let output = shortened(output.unwrap_or_default());
    let mut entries = vec![
        Entry::Called {
            input: shortened(&state["input"].to_string()),
            function: function.clone(),
        },
        Entry::Returned {
            succeeded: state["status"] == "completed",
            output: output.clone(),
        },
    ];
    if state["status"] == "error" && DENIALS.iter().any(|words| output.contains(words)) {
        entries.push(Entry::Denied {
            what: shortened(&format!("{function} {}", state["input"])),
            call: None,
        });
    }
    entries
}

/// A step's end; a turn is over unless the step ended to call a function.
fn finished(part: &Value) -> Vec<Entry> {
    let tokens = &part["tokens"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let used = Entry::Used {
        usage: Tokens {
            input_tokens: count(&tokens["input"]),
            output_tokens: count(&tokens["output"]).saturating_add(count(&tokens["reasoning"])),
            cache_read_tokens: count(&tokens["cache"]["read"]),
            cache_write_tokens: count(&tokens["cache"]["write"]),
            cost_usd_micros: micros(part["cost"].as_f64()),
        },
    };
    let end = match part["reason"].as_str() {
        Some("tool-calls") => return vec![used],
        Some("stop") => Entry::Finished {
            text: String::new(),
        },
        other => Entry::Broke {
            cause: format!("the turn ended with {}", other.unwrap_or("no reason")),
            status: None,
        },
    };
    vec![used, end]
}

/// It passes on what the model's server said in its header.
fn limited(error: &Value) -> Option<Entry> {
    let headers = &error["data"]["responseHeaders"];
    let number = |name: &str| headers[name].as_str()?.trim().parse::<f64>().ok();
    let seconds = || number("retry-after").map(|seconds| seconds * 1e3);
    let ms = number("retry-after-ms").or_else(seconds)?;
    (ms >= 0.0).then_some(Entry::Limited {
        // More than an integer holds is more than anybody waits.
        wait_ms: ms as u64,
    })
}

fn broke(error: &Value) -> Entry {
    let data = &error["data"];
    let message = data["message"].as_str().or(error["name"].as_str());
    Entry::Broke {
        cause: shortened(message.unwrap_or("it broke off")),
        status: (data["statusCode"].as_u64()).and_then(|status| status.try_into().ok()),
    }
}
