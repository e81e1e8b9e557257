//! A model server on loopback that answers from a script: no model, no network.
//!
//! It speaks Anthropic's Messages, OpenAI's Chat Completions, OpenAI's Responses and Google's
//! `generateContent`, streaming, and the first and the last as whole answers too. A [`Rule`] answers the conversations whose last words of a user hold all its words. Which turn is
//! due is read off the conversation itself (how often the model called since then), so repeats,
//! restarts and conversations that are taken up again stay right; only faults are counted.

mod http;
mod read;
mod wire;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::http::Request;
use self::read::Conversation;
pub(crate) use self::wire::{Api, TOKENS};

/// What is answered to whom.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// All of these stand in the last words of a user that hold any rule's.
    pub(crate) words: Vec<String>,
    /// The answers, one after the other; after the last, plain words.
    pub(crate) turns: Vec<Turn>,
}

/// One answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    /// What the model says.
    pub(crate) say: String,
    /// What it wants done; the turn is its last where there is nothing.
    pub(crate) call: Option<Call>,
    /// What goes wrong instead, so many times.
    pub(crate) fault: Option<(Fault, u32)>,
    /// It is answered once somebody asked in such words, too.
    pub(crate) after: Option<String>,
}

/// Whoever is waited for comes sooner, or never.
const AFTER_MAX: Duration = Duration::from_secs(90);

/// A function of an agent, by what it does: each agent names it otherwise.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// Writes a file.
    Write { path: String, content: String },
    /// Runs a command in a shell.
    Shell(String),
    /// Calls a function as it is named here, with arguments that need not be JSON.
    Raw { name: String, arguments: String },
}

/// What goes wrong at the model's side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// This status, with the seconds of `retry-after` if any.
    Status(u16, Option<u32>),
    /// No answer at all, for as long as the other side waits.
    Hang,
    /// A stream that ends in the middle.
    Cut,
    /// An answer that is no JSON.
    Malformed,
}

/// For ever.
pub(crate) const ALWAYS: u32 = u32::MAX;

/// A request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// In which form it was asked.
    pub(crate) api: Api,
    /// The last words of a user that decided.
    pub(crate) user: String,
    /// All that users said, the last first.
    pub(crate) users: Vec<String>,
    /// What was told of the calls since then, the last first.
    pub(crate) results: Vec<String>,
    /// Whether a fault was played.
    pub(crate) is_fault: bool,
    /// What it was asked with: a key or a token, as the header has it.
    pub(crate) key: String,
    /// When.
    pub(crate) at: Instant,
    /// All that was sent.
    pub(crate) sent: String,
}

/// A running server; ends with the value.
pub(crate) struct Model {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    rules: Vec<Rule>,
    faults: Mutex<HashMap<(usize, usize), u32>>,
    seen: Mutex<Vec<Seen>>,
    came: Condvar,
    ends: Mutex<bool>,
}

impl Model {
    /// Starts one on a port of the system's choice.
    pub(crate) fn start(rules: Vec<Rule>) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            rules,
            faults: Mutex::default(),
            seen: Mutex::default(),
            came: Condvar::new(),
            ends: Mutex::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *lock(&shared.ends) {
                    return;
                }
                let state = Arc::clone(&shared);
                // Whoever went away is not answered.
                std::thread::spawn(move || stream.map(|stream| state.serve(stream)));
            }
        });
        Model { address, state }
    }

    /// Its address as a URL, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was asked of it so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        *lock(&self.state.ends) = true;
        // Wakes the listener, which then sees that it ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let request = http::read(&stream)?;
        let Some((api, conversation)) = asked(&request) else {
            return http::answer(
                &stream,
                404,
                None,
                "{\"error\":{\"message\":\"no such path\"}}",
            );
        };
        let due = self.due(&conversation);
        // Who only wants a title offers no functions.
        let faulty = due.filter(|_| !conversation.functions.is_empty());
        let fault = faulty.and_then(|due| self.fault(due));
        lock(&self.seen).push(Seen {
            api,
            results: conversation.results(),
            user: conversation.deciding(due.map(|(rule, _)| &self.rules[rule])),
            users: conversation
                .users()
                .map(|(text, _)| text.to_owned())
                .collect(),
            is_fault: fault.is_some(),
            key: request.key.clone(),
            at: Instant::now(),
            sent: String::from_utf8_lossy(&request.body).into_owned(),
        });
        self.came.notify_all();
        let turn = due.and_then(|(rule, turn)| self.rules[rule].turns.get(turn).cloned());
        let after = faulty
            .and(turn.as_ref())
            .and_then(|turn| turn.after.as_deref());
        if let Some(words) = after {
            self.wait_for(words);
        }
        let turn = turn.unwrap_or(Turn {
            say: "Nothing more.".to_owned(),
            ..Turn::default()
        });
        match fault {
            None if !conversation.streams && api.has_whole_answers() => {
                let answer = wire::whole(api, &conversation, &turn);
                http::answer(&stream, 200, None, &answer.to_string())
            }
            None => http::stream(&stream, &wire::events(api, &conversation, &turn)),
            Some(Fault::Status(status, retry_after)) => {
                let error = json!({"type": "error", "error": {
                    "type": if status == 429 { "rate_limit_error" } else { "api_error" },
                    "message": format!("status {status}, as the script says"),
                }});
                http::answer(&stream, status, retry_after, &error.to_string())
            }
            Some(Fault::Hang) => http::wait_for_end(&stream),
            Some(Fault::Malformed) => http::stream(&stream, &["data: {no json\n\n".to_owned()]),
            Some(Fault::Cut) => {
                let events = wire::events(api, &conversation, &turn);
                http::cut(&stream, &events[..events.len().div_ceil(2)])
            }
        }
    }

    /// Waits until somebody asked in these words.
    fn wait_for(&self, words: &str) {
        let asked = |seen: &Seen| seen.users.iter().any(|said| said.contains(words));
        let lacks = |seen: &mut Vec<Seen>| !seen.iter().any(asked);
        let waited = self
            .came
            .wait_timeout_while(lock(&self.seen), AFTER_MAX, lacks);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The rule and the turn.
    fn due(&self, conversation: &Conversation) -> Option<(usize, usize)> {
        conversation.users().find_map(|(text, calls)| {
            let holds = |rule: &Rule| rule.words.iter().all(|words| text.contains(words));
            let rule = self.rules.iter().position(holds)?;
            Some((rule, calls))
        })
    }

    fn fault(&self, (rule, turn): (usize, usize)) -> Option<Fault> {
        let (fault, times) = self.rules[rule].turns.get(turn)?.fault?;
        let mut faults = lock(&self.faults);
        let played = faults.entry((rule, turn)).or_default();
        (*played < times).then(|| {
            *played += 1;
            fault
        })
    }
}

/// In which words something was asked, and what.
fn asked(request: &Request) -> Option<(Api, Conversation)> {
    let api = Api::of(&request.path)?;
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    Some((api, Conversation::read(api, &request.path, &body)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
