//! The way from an adapter to the run's rules and its owner: the socket that is standard input.
//!
//! A request is one line of JSON, its answer another; the supervisor passes both on. The socket is
//! this process's alone: the tool that it starts has a standard input of its own. When the other end
//! is gone, nobody answers any more, and everything is denied.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_core::permission::{PATHS_MAX, TITLE_BYTES_MAX};
use divisi_core::worker::Answered;

use super::permission::{Broker, NOBODY, TOO_LONG};
use super::{Decision, Request};
use crate::environment::mask;

/// A line that is longer is no answer.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// A longer request, as it is sent, is denied here: nobody would read it. The supervisor takes twice
/// as much.
const REQUEST_BYTES_MAX: usize = 128 << 10;

/// What is waited for, and how many requests there were.
#[derive(Default)]
struct Waiting {
    last: u64,
    /// By id. `None` once the other end is gone.
    answers: Option<HashMap<String, Sender<Decision>>>,
}

/// Passes requests on and waits for their answers.
pub struct Channel {
    socket: UnixStream,
    waiting: Arc<Mutex<Waiting>>,
    masked: Vec<String>,
}

impl Channel {
    /// The channel of this process; `masked` are values that no request may hold. `None` if its
    /// standard input is none: it was started by hand.
    #[must_use]
    pub fn here(masked: &[String]) -> Option<Channel> {
        let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
        let socket = UnixStream::from(stdin);
        socket.peer_addr().ok()?;
        Channel::over(socket, masked).ok()
    }

    /// A channel over this socket.
    ///
    /// # Errors
    /// There is no thread to hear the answers.
    pub fn over(socket: UnixStream, masked: &[String]) -> io::Result<Channel> {
        let waiting = Arc::new(Mutex::new(Waiting {
            last: 0,
            answers: Some(HashMap::new()),
        }));
        let (heard, waits) = (socket.try_clone()?, Arc::clone(&waiting));
        let thread = std::thread::Builder::new().name("answers".to_owned());
        thread.spawn(move || {
            // Whatever ends it, nobody is answered any more: those who wait see their senders gone.
            let _ = hear(heard, &waits);
            lock(&waits).answers = None;
        })?;
        Ok(Channel {
            socket,
            waiting,
            masked: masked.to_vec(),
        })
    }

    /// Sends a request; its answer comes where it is returned.
    fn ask(&self, request: Request) -> io::Result<Option<std::sync::mpsc::Receiver<Decision>>> {
        let (sender, answer) = channel();
        let mut waiting = lock(&self.waiting);
        waiting.last += 1;
        let id = waiting.last.to_string();
        let Some(answers) = &mut waiting.answers else {
            return Ok(None);
        };
        answers.insert(id.clone(), sender);
        let mut line = serde_json::to_vec(&Request { id, ..request })?;
        line.push(b'\n');
        // Within the lock, so that lines do not mix.
        (&self.socket).write_all(&line)?;
        Ok(Some(answer))
    }

    /// The request without secrets. What rules look at is not cut: of a command, that is not what it
    /// is called.
    fn presentable(&self, request: &Request) -> Request {
        let masked = |text: &String| mask(text.clone(), &self.masked);
        let mut title = masked(&request.title);
        if request.command.is_some() {
            divisi_core::criterion::truncate(&mut title, TITLE_BYTES_MAX);
        }
        Request {
            title,
            paths: request.paths.iter().map(masked).collect(),
            command: request.command.as_ref().map(masked),
            ..request.clone()
        }
    }
}

impl Broker for Channel {
    fn decide(&self, request: &Request) -> Decision {
        let request = self.presentable(request);
        let bytes = serde_json::to_vec(&request).map_or(usize::MAX, |line| line.len());
        if request.paths.len() > PATHS_MAX || bytes > REQUEST_BYTES_MAX {
            return denied(TOO_LONG);
        }
        let answer = match self.ask(request) {
            Ok(Some(answer)) => answer.recv().ok(),
            Ok(None) | Err(_) => None,
        };
        answer.unwrap_or_else(|| denied(NOBODY))
    }
}

/// Denies everything: of an adapter that was started by hand.
pub struct Nobody;

impl Broker for Nobody {
    fn decide(&self, _: &Request) -> Decision {
        denied(NOBODY)
    }
}

fn denied(reason: &str) -> Decision {
    Decision::Deny {
        reason: reason.to_owned(),
    }
}

/// Hears answers until there are no more.
fn hear(socket: UnixStream, waiting: &Mutex<Waiting>) -> io::Result<()> {
    let mut reader = BufReader::new(socket);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let answered: Answered = serde_json::from_slice(&line)?;
        let sender = (lock(waiting).answers.as_mut()).and_then(|it| it.remove(&answered.id));
        if let Some(sender) = sender {
            // Whoever asked may have given up.
            let _ = sender.send(answered.decision);
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
