//! The pipes to an agent: lines in, lines out, each from a thread of its own, so that neither a
//! silent agent nor one that reads nothing holds up the one that decides.

use std::io::{self, Write as _};
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use divisi_core::permission::Decision;
use serde_json::Value;

use super::super::pipes::{Pipes, Printed};

/// What is told to the one who decides. Lines are long: few wait.
const EVENTS_MAX: usize = 4;

/// Messages that wait until the agent reads them.
const UNREAD_MAX: usize = 1_024;

/// What happens.
pub(super) enum Event {
    /// The agent printed something.
    Printed(Printed),
    /// It prints nothing more.
    Closed,
    /// Somebody decided what it asked for leave.
    Decided(u64, Decision),
    /// The session is to end.
    Stop,
}

/// The way by which all of that comes.
pub(super) fn events() -> (SyncSender<Event>, Receiver<Event>) {
    sync_channel(EVENTS_MAX)
}

/// Listens to an agent until it prints nothing more, or nobody hears.
pub(super) fn listen(mut pipes: Pipes, to: SyncSender<Event>) -> io::Result<()> {
    let listening = move || {
        loop {
            let event = match pipes.next() {
                Ok(Some(printed)) => Event::Printed(printed),
                Ok(None) | Err(_) => Event::Closed,
            };
            let is_last = matches!(event, Event::Closed);
            if to.send(event).is_err() || is_last {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("listen".to_owned());
    thread.spawn(listening).map(drop)
}

/// The agent's input. Closed with the value, once all is written.
pub(super) struct Mouth(SyncSender<Vec<u8>>);

impl Mouth {
    pub(super) fn open(mut stdin: ChildStdin) -> io::Result<Mouth> {
        let (mouth, words) = sync_channel::<Vec<u8>>(UNREAD_MAX);
        let speaking = move || {
            for line in words {
                // Whoever went away is told nothing; that it did shows in what it prints.
                if stdin.write_all(&line).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("speak".to_owned());
        thread.spawn(speaking)?;
        Ok(Mouth(mouth))
    }

    /// Says something, as soon as it is read. `false` if too much waits already.
    pub(super) fn say(&self, message: &Value) -> bool {
        let mut line = message.to_string().into_bytes();
        line.push(b'\n');
        !matches!(self.0.try_send(line), Err(TrySendError::Full(_)))
    }
}
