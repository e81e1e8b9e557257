//! The client's side of one session over ACP, without any process: what is heard goes in, what is to be
//! done comes out.
//!
//! The agent is a stranger's program. It may answer what was never asked, ask what it was told that
//! we cannot do, and repeat itself for ever; none of that may make more work here than it does
//! there, and nothing that it says is waited for without a [`Phase`] that has a limit.

use divisi_core::permission::{Decision, Request};
use serde_json::{Value, json};

use super::super::permission::{FOR_EVER, TOO_MUCH};
use super::super::transcript::{Entry, Tokens, shortened};
use super::quirks::{Quirks, Usage, Verb};
use super::updates::{Updates, tokens};

/// The version of the protocol that is spoken.
pub(super) const PROTOCOL_VERSION: u64 = 1;

/// Messages of one session. An agent that streams word by word needs some ten thousand.
const MESSAGES_MAX: u64 = 1_000_000;

/// Lines that are no messages. Of more, the rest is not told.
const NOTED_MAX: u32 = 100;

/// Requests for leave that wait for an answer at once.
const ASKED_MAX: usize = 16;

/// JSON-RPC: the method is not there.
const METHOD_NOT_FOUND: i64 = -32_601;

/// ACP: somebody has to log in first.
const AUTH_REQUIRED: i64 = -32_000;

const INITIALIZE: u64 = 0;
const OPEN: u64 = 1;
const REOPEN: u64 = 2;
const PROMPT: u64 = 3;

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody knows yet whether there is an agent at all.
    Initializing,
    /// It makes a session, or takes one up.
    Opening,
    /// It works.
    Working,
    /// It was told to stop.
    Canceling,
    /// Nothing more is expected of it.
    Over,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// This goes to the agent.
    Send(Value),
    /// This happened.
    Tell(Entry),
    /// Somebody is to decide; the answer goes to [`Client::decided`] with this number.
    Decide(u64, Request),
    /// It cannot be spoken to, for a reason that will repeat.
    Unable(String),
}

/// What an agent said of itself at the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The version of the protocol that it speaks.
    pub protocol: u64,
    /// Its own version, if it says it.
    pub version: Option<String>,
    /// Whether it says that it can take up a session.
    pub resumes: bool,
}

/// The client's side of one session.
#[derive(Debug)]
pub(in crate::adapter) struct Client {
    quirks: Quirks,
    cwd: String,
    prompt: String,
    /// The session that is to be taken up.
    wanted: Option<String>,
    session: Option<String>,
    phase: Phase,
    updates: Updates,
    last_said: String,
    /// Requests for leave: our number, the agent's id, and which option means what.
    asked: Vec<Asked>,
    asked_so_far: u64,
    messages: u64,
    noted: u32,
}

#[derive(Debug)]
struct Asked {
    number: u64,
    id: Value,
    options: Value,
    /// It, in a line.
    what: String,
}

impl Client {
    /// One about a task, in a folder.
    pub(in crate::adapter) fn new(
        quirks: Quirks,
        cwd: String,
        prompt: String,
        wanted: Option<String>,
    ) -> Client {
        Client {
            quirks,
            cwd,
            prompt,
            wanted,
            session: None,
            phase: Phase::Initializing,
            updates: Updates::default(),
            last_said: String::new(),
            asked: Vec::new(),
            asked_so_far: 0,
            messages: 0,
            noted: 0,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// The first words.
    pub(in crate::adapter) fn begin() -> Value {
        call(
            INITIALIZE,
            "initialize",
            json!({
                "protocolVersion": PROTOCOL_VERSION,
                // Files and terminals are the agent's own: what it does itself is confined by the
                // system, what we did for it would not be.
                "clientCapabilities": {
                    "fs": { "readTextFile": false, "writeTextFile": false },
                    "terminal": false,
                },
                "clientInfo": { "name": "divisi", "version": env!("CARGO_PKG_VERSION") },
            }),
        )
    }

    /// What a line of the agent means.
    pub(super) fn hear(&mut self, line: &str) -> Vec<Act> {
        let line = line.trim();
        if line.is_empty() || self.phase == Phase::Over {
            return Vec::new();
        }
        self.messages += 1;
        if self.messages > MESSAGES_MAX {
            return self.broke(format!("it sent more than {MESSAGES_MAX} messages"), None);
        }
        let Ok(message @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            return self.note(line);
        };
        match (message["method"].as_str(), message.get("id")) {
            (Some(method), Some(id)) => self.asked(method, id, &message["params"]),
            (Some("session/update"), None) => self.update(&message["params"]),
            (Some(_), None) => Vec::new(),
            (None, _) => self.answered(&message),
        }
    }

    /// Something that is no message.
    pub(super) fn note(&mut self, text: &str) -> Vec<Act> {
        self.noted += 1;
        match self.noted {
            1..NOTED_MAX => vec![Act::Tell(Entry::noted(text))],
            NOTED_MAX => vec![Act::Tell(Entry::noted(
                "more that is no message is left out",
            ))],
            _ => Vec::new(),
        }
    }

    fn update(&mut self, params: &Value) -> Vec<Act> {
        // What is told while a session is opened was said in an earlier life of it.
        let is_ours = params["sessionId"].as_str() == self.session.as_deref();
        if !is_ours || !matches!(self.phase, Phase::Working | Phase::Canceling) {
            return Vec::new();
        }
        let entries = self.updates.hear(&params["update"]);
        self.told(entries)
    }

    fn told(&mut self, entries: Vec<Entry>) -> Vec<Act> {
        for entry in &entries {
            match entry {
                Entry::Said { text } => self.last_said.clone_from(text),
                Entry::Called { .. } => self.last_said.clear(),
                _ => {}
            }
        }
        entries.into_iter().map(Act::Tell).collect()
    }

    /// The agent asks something of us.
    fn asked(&mut self, method: &str, id: &Value, params: &Value) -> Vec<Act> {
        if method != "session/request_permission" {
            // One agent asks for files to be written though it was told that we do not, and then
            // writes them itself.
            let error =
                json!({ "code": METHOD_NOT_FOUND, "message": format!("{method} is not offered") });
            let mut acts = self.note(&format!("it asked for {method}, which is not offered"));
            acts.push(Act::Send(answer(id, "error", error)));
            return acts;
        }
        let (entries, request) = self.updates.asked(params);
        let mut acts = self.told(entries);
        self.asked_so_far += 1;
        let asked = Asked {
            number: self.asked_so_far,
            id: id.clone(),
            options: params["options"].clone(),
            what: shortened(&request.title),
        };
        if self.phase != Phase::Working {
            acts.push(Act::Send(canceled(id)));
        } else if self.asked.len() >= ASKED_MAX {
            let reason = TOO_MUCH.to_owned();
            acts.extend(asked.acts(Decision::Deny { reason }));
        } else {
            acts.push(Act::Tell(Entry::Asked {
                what: asked.what.clone(),
            }));
            acts.push(Act::Decide(asked.number, request));
            self.asked.push(asked);
        }
        acts
    }

    /// Somebody has decided.
    pub(super) fn decided(&mut self, number: u64, decision: Decision) -> Vec<Act> {
        // It was canceled meanwhile.
        let Some(at) = self.asked.iter().position(|asked| asked.number == number) else {
            return Vec::new();
        };
        self.asked.swap_remove(at).acts(decision)
    }

    /// The agent answers one of our requests.
    fn answered(&mut self, message: &Value) -> Vec<Act> {
        let result = match message.get("error") {
            Some(error) => Err(error),
            None => Ok(&message["result"]),
        };
        match (self.phase, message["id"].as_u64()) {
            (Phase::Initializing, Some(INITIALIZE)) => self.initialized(result),
            (Phase::Opening, Some(id @ (OPEN | REOPEN))) => self.opened(id, result),
            (Phase::Working | Phase::Canceling, Some(PROMPT)) => self.turned(result),
            // To nothing that was asked, or too late.
            _ => Vec::new(),
        }
    }

    fn initialized(&mut self, result: Result<&Value, &Value>) -> Vec<Act> {
        let introduction = match introduction(result) {
            Ok(introduction) => introduction,
            Err(cause) => return self.unable(cause),
        };
        let verb = match result {
            Ok(result) => verb(self.quirks.resume, &result["agentCapabilities"]),
            Err(_) => None,
        };
        self.phase = Phase::Opening;
        match (self.wanted.clone(), verb) {
            (Some(session), Some(method)) if introduction.resumes => {
                let mut params = self.place();
                params["sessionId"] = session.into();
                vec![Act::Send(call(REOPEN, method, params))]
            }
            (Some(_), _) => {
                self.wanted = None;
                vec![
                    Act::Tell(Entry::noted(
                        "it cannot take up a session; a new one begins",
                    )),
                    Act::Send(call(OPEN, "session/new", self.place())),
                ]
            }
            (None, _) => vec![Act::Send(call(OPEN, "session/new", self.place()))],
        }
    }

    fn place(&self) -> Value {
        json!({ "cwd": self.cwd, "mcpServers": [] })
    }

    fn opened(&mut self, id: u64, result: Result<&Value, &Value>) -> Vec<Act> {
        let result = match (id, result) {
            (REOPEN, Err(error)) => {
                self.wanted = None;
                let text = format!(
                    "its session cannot be taken up, so a new one begins: {}",
                    message_of(error)
                );
                return vec![
                    Act::Tell(Entry::noted(&text)),
                    Act::Send(call(OPEN, "session/new", self.place())),
                ];
            }
            (_, Err(error)) if error["code"] == AUTH_REQUIRED => {
                return self.unable(format!("it is not logged in: {}", message_of(error)));
            }
            (_, Err(error)) => {
                let (cause, status) = failure(error);
                return self.broke(format!("it opened no session: {cause}"), status);
            }
            (_, Ok(result)) => result,
        };
        let session = match id {
            REOPEN => self.wanted.clone(),
            _ => result["sessionId"].as_str().map(str::to_owned),
        };
        let Some(session) = session else {
            return self.broke("it opened a session without a name".to_owned(), None);
        };
        self.phase = Phase::Working;
        self.session = Some(session.clone());
        let params = json!({
            "sessionId": session,
            "prompt": [{ "type": "text", "text": std::mem::take(&mut self.prompt) }],
        });
        vec![
            Act::Tell(Entry::Began {
                session,
                resumed: id == REOPEN,
            }),
            Act::Send(call(PROMPT, "session/prompt", params)),
        ]
    }

    /// The turn is over.
    fn turned(&mut self, result: Result<&Value, &Value>) -> Vec<Act> {
        let entries = self.updates.flush();
        let mut acts = self.told(entries);
        let was_canceled = self.phase == Phase::Canceling;
        let result = match result {
            Ok(result) => result,
            // Some say so by an error.
            Err(_) if was_canceled => {
                acts.extend(self.broke("it was canceled".to_owned(), None));
                return acts;
            }
            Err(error) => {
                let (cause, status) = failure(error);
                acts.extend(self.broke(cause, status));
                return acts;
            }
        };
        let used = self.used(result);
        if let Some(usage) = used {
            acts.push(Act::Tell(Entry::Used { usage }));
        }
        // Where the model answered, something was used.
        let is_error = |words: &&&str| used.is_none() && self.updates.last.starts_with(**words);
        let end = match result["stopReason"].as_str() {
            Some("end_turn") => match self.quirks.error_words.iter().find(is_error) {
                Some(_) => Err(self.updates.last.clone()),
                None => Ok(()),
            },
            Some("cancelled") => Err("it was canceled".to_owned()),
            other => Err(format!(
                "the turn ended with {}",
                other.unwrap_or("no reason")
            )),
        };
        match end {
            Err(cause) => acts.extend(self.broke(cause, None)),
            Ok(()) => {
                self.phase = Phase::Over;
                let text = self.last_said.clone();
                acts.push(Act::Tell(Entry::Finished { text }));
            }
        }
        acts
    }

    fn used(&self, result: &Value) -> Option<Tokens> {
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        let usage = &result["usage"];
        let quota = &result["_meta"]["quota"]["token_count"];
        let counted = match self.quirks.usage {
            Usage::Steps => self.updates.used,
            Usage::Quota => quota.is_object().then(|| Tokens {
                input_tokens: count(&quota["input_tokens"]),
                output_tokens: count(&quota["output_tokens"]),
                ..Tokens::default()
            }),
            Usage::Turn | Usage::LastStep | Usage::Session => tokens(usage),
        };
        counted.map(|tokens| Tokens {
            cost_usd_micros: self.updates.cost_usd_micros,
            ..tokens
        })
    }

    /// Asks the agent to stop. Whatever it still wants leave for is not given.
    pub(super) fn cancel(&mut self) -> Vec<Act> {
        let Some(session) = self
            .session
            .clone()
            .filter(|_| self.phase == Phase::Working)
        else {
            return match self.phase {
                Phase::Initializing | Phase::Opening => {
                    self.broke("it was canceled".to_owned(), None)
                }
                _ => Vec::new(),
            };
        };
        self.phase = Phase::Canceling;
        let waiting = std::mem::take(&mut self.asked);
        let mut acts: Vec<Act> = (waiting.iter())
            .map(|asked| Act::Send(canceled(&asked.id)))
            .collect();
        acts.push(Act::Send(json!({
            "jsonrpc": "2.0",
            "method": "session/cancel",
            "params": { "sessionId": session },
        })));
        acts
    }

    /// It did not do in time what its phase is for.
    pub(super) fn overdue(&mut self, seconds: u64) -> Vec<Act> {
        match self.phase {
            Phase::Initializing => self.unable(format!(
                "it did not answer `initialize` within {seconds} s; does it speak ACP?"
            )),
            Phase::Opening => self.broke(format!("it opened no session within {seconds} s"), None),
            Phase::Canceling => self.broke(
                format!("it was canceled, and did not end its turn within {seconds} s"),
                None,
            ),
            Phase::Working | Phase::Over => Vec::new(),
        }
    }

    /// Nothing more can be heard of it, or nothing told.
    pub(super) fn gone(&mut self) -> Vec<Act> {
        let entries = self.updates.flush();
        let acts = self.told(entries);
        self.phase = Phase::Over;
        acts
    }

    fn broke(&mut self, cause: String, status: Option<u16>) -> Vec<Act> {
        self.phase = Phase::Over;
        let cause = shortened(&cause);
        vec![Act::Tell(Entry::Broke { cause, status })]
    }

    fn unable(&mut self, cause: String) -> Vec<Act> {
        self.phase = Phase::Over;
        vec![Act::Unable(shortened(&cause))]
    }
}

impl Asked {
    /// Gives the agent its answer. Options are told apart by kind, since their names and ids are
    /// its own; nothing is allowed for longer than this once.
    fn acts(self, decision: Decision) -> Vec<Act> {
        let of_kind = |kind: &str| {
            let options = self.options.as_array().into_iter().flatten();
            let mut options = options.filter(|option| option["kind"] == kind);
            options.find_map(|option| option["optionId"].as_str())
        };
        let rejected = || of_kind("reject_once").or_else(|| of_kind("reject_always"));
        let (option, decision) = match decision {
            Decision::Allow => match of_kind("allow_once") {
                Some(option) => (Some(option), Decision::Allow),
                None => {
                    let reason = FOR_EVER.to_owned();
                    (rejected(), Decision::Deny { reason })
                }
            },
            denied => (rejected(), denied),
        };
        let what = self.what;
        let mut acts = vec![Act::Tell(Entry::Answered { what, decision })];
        acts.push(Act::Send(match option {
            Some(option) => answer(
                &self.id,
                "result",
                json!({ "outcome": { "outcome": "selected", "optionId": option } }),
            ),
            None => canceled(&self.id),
        }));
        acts
    }
}

/// What an agent says of itself in answer to `initialize`.
pub(super) fn introduction(result: Result<&Value, &Value>) -> Result<Introduction, String> {
    let result =
        result.map_err(|error| format!("it refused `initialize`: {}", message_of(error)))?;
    let Some(protocol) = result["protocolVersion"].as_u64() else {
        return Err("it names no version of the protocol".to_owned());
    };
    if protocol != PROTOCOL_VERSION {
        return Err(format!(
            "it speaks version {protocol} of the protocol, and Divisi version {PROTOCOL_VERSION}"
        ));
    }
    Ok(Introduction {
        protocol,
        version: result["agentInfo"]["version"].as_str().map(shortened),
        resumes: verb(Verb::Advertised, &result["agentCapabilities"]).is_some(),
    })
}

/// The answer to `initialize` in a line, if it is that.
pub(in crate::adapter) fn introduced(line: &str) -> Option<Result<Introduction, String>> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_answer = message["id"] == INITIALIZE && message.get("method").is_none();
    is_answer.then(|| {
        introduction(match message.get("error") {
            Some(error) => Err(error),
            None => Ok(&message["result"]),
        })
    })
}

/// The method by which a session is taken up, if it can be.
fn verb(quirk: Verb, capabilities: &Value) -> Option<&'static str> {
    let resumes = capabilities["sessionCapabilities"]["resume"].is_object();
    let loads = capabilities["loadSession"] == true;
    match quirk {
        Verb::Resume | Verb::Advertised if resumes => Some("session/resume"),
        Verb::Load | Verb::Advertised if loads => Some("session/load"),
        _ => None,
    }
}

fn call(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn answer(id: &Value, how: &str, what: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, how: what })
}

fn canceled(id: &Value) -> Value {
    answer(
        id,
        "result",
        json!({ "outcome": { "outcome": "cancelled" } }),
    )
}

fn message_of(error: &Value) -> String {
    match (error["message"].as_str(), error["data"]["details"].as_str()) {
        // The message is the protocol's own then.
        (Some(message), Some(details)) => shortened(&format!("{message}: {details}")),
        (Some(message), None) => shortened(message),
        (None, _) => shortened(&error.to_string()),
    }
}

/// Why a request failed, and the status of the model's server where the agent tells it or what it
/// amounts to.
fn failure(error: &Value) -> (String, Option<u16>) {
    let data = &error["data"];
    let kind = match data["errorKind"].as_str() {
        Some("rate_limit") => Some(429),
        Some("overloaded") => Some(529),
        Some("authentication_failed") => Some(401),
        _ => None,
    };
    let told = data["statusCode"].as_u64().or(data["status"].as_u64());
    let told = told.and_then(|status| status.try_into().ok());
    (message_of(error), kind.or(told))
}
