//! Codex's stream: `codex exec --json`.

use serde_json::Value;

use super::transcript::{Entry, Tokens, shortened};

/// What a line says.
pub(super) fn hear(line: &Value) -> Vec<Entry> {
    let entry = match line["type"].as_str() {
        Some("thread.started") => match line["thread_id"].as_str() {
            Some(session) => Entry::began(session),
            None => Entry::noted(&line.to_string()),
        },
        Some("item.started") => return started(&line["item"]).into_iter().collect(),
        Some("item.completed") => return completed(&line["item"]),
        Some("error") => return retried(line),
        Some("turn.completed") => return finished(line),
        Some("turn.failed") => {
            let cause = shortened(
                line["error"]["message"]
                    .as_str()
                    .unwrap_or("the turn failed"),
            );
            Entry::Broke {
                status: status_in(&cause),
                cause,
            }
        }
        Some("turn.started" | "item.updated") => return Vec::new(),
        _ => Entry::noted(&line.to_string()),
    };
    vec![entry]
}

/// It tries again. At a usage limit it waits without a word for as long as it was told, having tried
/// several times before it says so.
fn retried(line: &Value) -> Vec<Entry> {
    let cause = shortened(line["message"].as_str().unwrap_or("unknown"));
    let is_limited = cause.contains("status: 429") || status_in(&cause) == Some(429);
    let broke = is_limited.then(|| Entry::Broke {
        cause: cause.clone(),
        status: Some(429),
    });
    [Some(Entry::Retried { cause }), broke]
        .into_iter()
        .flatten()
        .collect()
}

fn started(item: &Value) -> Option<Entry> {
    let input = match item["type"].as_str()? {
        "command_execution" => item["command"].as_str()?.to_owned(),
        "mcp_tool_call" | "file_change" | "web_search" => item.to_string(),
        _ => return None,
    };
    Some(Entry::Called {
        function: item["type"].as_str()?.to_owned(),
        input: shortened(&input),
    })
}

fn completed(item: &Value) -> Vec<Entry> {
    let text = || item["text"].as_str().unwrap_or_default();
    match item["type"].as_str() {
        Some("agent_message") => vec![Entry::said(text())],
        Some("command_execution") => executed(item),
        Some("file_change" | "mcp_tool_call") => {
            let outcome = Entry::Returned {
                succeeded: item["status"] == "completed",
                output: shortened(&item.to_string()),
            };
            // Changes of files are told only when they are made.
            let called = Entry::Called {
                function: item["type"].as_str().unwrap_or_default().to_owned(),
                input: shortened(&item["changes"].to_string()),
            };
            match item["type"] == "file_change" {
                true => vec![called, outcome],
                false => vec![outcome],
            }
        }
        Some("error") => vec![Entry::noted(item["message"].as_str().unwrap_or_default())],
        _ => Vec::new(),
    }
}

/// How the system refuses a write in its sandbox, in which all but the workspace is mounted to be read.
/// It tells of it in no other way.
const DENIAL: &str = ": Read-only file system";

fn executed(item: &Value) -> Vec<Entry> {
    let output = item["aggregated_output"].as_str().unwrap_or_default();
    let succeeded = item["exit_code"] == 0;
    let is_denied = !succeeded && output.lines().any(|line| line.ends_with(DENIAL));
    let denied = is_denied.then(|| Entry::Denied {
        what: shortened(item["command"].as_str().unwrap_or("a command")),
        call: None,
    });
    let returned = Entry::Returned {
        succeeded,
        output: shortened(output),
    };
    [returned].into_iter().chain(denied).collect()
}

fn finished(line: &Value) -> Vec<Entry> {
    let count = |key: &str| line["usage"][key].as_u64().unwrap_or(0);
    let cached = count("cached_input_tokens");
    vec![
        Entry::Used {
            usage: Tokens {
                // It counts what was cached among what was read.
                input_tokens: count("input_tokens").saturating_sub(cached),
                output_tokens: count("output_tokens"),
                cache_read_tokens: cached,
                cache_write_tokens: count("cache_write_input_tokens"),
                cost_usd_micros: None,
            },
        },
        Entry::Finished {
            text: String::new(),
        },
    ]
}

/// The status in words such as `unexpected status 401 Unauthorized: …`.
fn status_in(cause: &str) -> Option<u16> {
    let (_, rest) = cause.split_once("status ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
