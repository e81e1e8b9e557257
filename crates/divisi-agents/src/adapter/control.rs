//! How Claude Code asks leave: lines of its stream that it waits to be answered on its standard
//! input (`--input-format stream-json --permission-prompt-tool stdio`).
//!
//! The prompt is such a line too, and the input stays open until the turn is over. What the tool
//! may do without asking it does not ask: it reads in its folder, and nothing else.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_core::permission::{Decision, Deed, Request};
use serde_json::{Value, json};

use super::permission::{Broker, TOO_MUCH};
use super::transcript::{Entry, shortened};
use crate::environment::mask;

/// A tool asks a few things at once, for calls that it makes side by side. More are denied.
const AT_ONCE_MAX: usize = 16;

/// A request, and how the tool names it and the call that it is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) request: Request,
    /// The tool's name for it.
    id: String,
    /// The call that it is about, as the end of the session names it again.
    pub(super) call: String,
    /// What the tool wants back when it may.
    input: Value,
}

/// The request in a line of the stream; `None` if it is none.
pub(super) fn asked(line: &Value) -> Option<Asked> {
    let request = &line["request"];
    if line["type"] != "control_request" || request["subtype"] != "can_use_tool" {
        return None;
    }
    let name = request["tool_name"].as_str()?;
    let input = &request["input"];
    let text = |key: &str| input[key].as_str().map(str::to_owned);
    let paths = ["file_path", "notebook_path", "path"];
    let paths: Vec<String> = paths.into_iter().filter_map(text).collect();
    let deed = deed_of(name);
    let command = text("command").filter(|_| deed == Deed::Execute);
    let told = match deed {
        Deed::Fetch => text("url").or_else(|| text("query")),
        Deed::Execute => command.clone(),
        _ => paths.first().cloned(),
    };
    // Of a fetch the rules look at what is fetched.
    let title = match (deed, told) {
        (Deed::Fetch, Some(told)) => told,
        (_, Some(told)) => format!("{name} {told}"),
        (_, None) => format!("{name} {input}"),
    };
    Some(Asked {
        request: Request {
            id: String::new(),
            deed,
            title,
            paths,
            command,
        },
        id: line["request_id"].as_str()?.to_owned(),
        call: request["tool_use_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        input: input.clone(),
    })
}

fn deed_of(tool: &str) -> Deed {
    match tool {
        "Read" | "Glob" | "Grep" | "LS" | "NotebookRead" => Deed::Read,
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => Deed::Edit,
        "Bash" | "PowerShell" => Deed::Execute,
        "WebFetch" | "WebSearch" => Deed::Fetch,
        _ => Deed::Other,
    }
}

impl Asked {
    /// The line that answers it.
    fn answer(&self, decision: &Decision) -> Value {
        let response = match decision {
            Decision::Allow => json!({"behavior": "allow", "updatedInput": self.input}),
            Decision::Deny { reason } => json!({"behavior": "deny", "message": reason}),
        };
        json!({
            "type": "control_response",
            "response": {"subtype": "success", "request_id": self.id, "response": response},
        })
    }
}

/// The answer to a line that asks for something else than leave, or in a form that is not known;
/// `None` if it asks nothing. Whoever asked would wait for ever.
pub(super) fn refusal(line: &Value) -> Option<Value> {
    let id = line["request_id"].as_str()?;
    (line["type"] == "control_request").then(|| {
        json!({
            "type": "control_response",
            "response": {"subtype": "error", "request_id": id, "error": "this is not offered"},
        })
    })
}

/// The prompt as a line of the tool's input.
pub(super) fn prompted(prompt: &str) -> Value {
    json!({"type": "user", "message": {"role": "user", "content": prompt}})
}

/// Answers requests, each on a thread of its own, so that the stream is heard meanwhile. Nobody
/// waits for these threads: a tool that has ended takes no answer.
pub(super) struct Answers {
    broker: Arc<dyn Broker>,
    masked: Vec<String>,
    input: Arc<Mutex<Option<ChildStdin>>>,
    under_way: Arc<AtomicUsize>,
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
}

/// What was answered.
pub(super) struct Answer {
    /// The call that it was about.
    pub(super) call: String,
    /// What it would do.
    pub(super) what: String,
    /// Whether it may.
    pub(super) decision: Decision,
}

impl Answers {
    /// Answers on this input; `masked` must not stand in what is told of it.
    pub(super) fn new(broker: &Arc<dyn Broker>, input: ChildStdin, masked: &[String]) -> Answers {
        let (sender, answers) = channel();
        Answers {
            broker: Arc::clone(broker),
            masked: masked.to_vec(),
            input: Arc::new(Mutex::new(Some(input))),
            under_way: Arc::default(),
            sender,
            answers,
        }
    }

    /// Gives the tool its prompt. It may say something before it has read all.
    pub(super) fn prompt(&self, prompt: &str) -> io::Result<()> {
        let (input, line) = (Arc::clone(&self.input), prompted(prompt));
        // A tool that ends without having read it says why by itself.
        thread("prompt").spawn(move || drop(say(&input, &line)))?;
        Ok(())
    }

    /// Has a request answered.
    pub(super) fn begin(&self, asked: Asked) -> io::Result<Entry> {
        let what = mask(asked.request.words(), &self.masked);
        let entry = Entry::Asked {
            what: shortened(&what),
        };
        let (input, broker) = (Arc::clone(&self.input), Arc::clone(&self.broker));
        let (under_way, sender) = (Arc::clone(&self.under_way), self.sender.clone());
        let too_many = under_way.fetch_add(1, Ordering::SeqCst) >= AT_ONCE_MAX;
        let answer = move || {
            let decision = match too_many {
                true => Decision::Deny {
                    reason: TOO_MUCH.to_owned(),
                },
                false => broker.decide(&asked.request),
            };
            let told = Answer {
                call: asked.call.clone(),
                what,
                decision: decision.clone(),
            };
            // It is told of before the tool can do anything about it. Whoever asked, or hears of it,
            // may have ended.
            let _ = sender.send(told);
            let _ = say(&input, &asked.answer(&decision));
            under_way.fetch_sub(1, Ordering::SeqCst);
        };
        match too_many {
            true => answer(),
            false => _ = thread("answer").spawn(answer)?,
        }
        Ok(entry)
    }

    /// Refuses something that is not offered.
    pub(super) fn refuse(&self, refusal: Value) -> io::Result<()> {
        let input = Arc::clone(&self.input);
        // It may read nothing for a while, or have ended.
        thread("answer").spawn(move || drop(say(&input, &refusal)))?;
        Ok(())
    }

    /// What was answered since this was last called.
    pub(super) fn take(&self) -> impl Iterator<Item = Answer> + '_ {
        self.answers.try_iter()
    }

    /// The turn is over: nothing is said any more.
    pub(super) fn close(&self) {
        *lock(&self.input) = None;
    }
}

fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned())
}

fn say(input: &Mutex<Option<ChildStdin>>, line: &Value) -> io::Result<()> {
    match &mut *lock(input) {
        Some(input) => {
            input.write_all(format!("{line}\n").as_bytes())?;
            input.flush()
        }
        None => Ok(()),
    }
}

fn lock(input: &Mutex<Option<ChildStdin>>) -> MutexGuard<'_, Option<ChildStdin>> {
    input.lock().unwrap_or_else(PoisonError::into_inner)
}
