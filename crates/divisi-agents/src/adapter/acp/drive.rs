//! Holds a session with a process.

use std::io::{self, Write};
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use divisi_core::permission::Request;
use divisi_core::receipt::Exit;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;

use super::super::closing::Closing;
use super::super::permission::Broker;
use super::super::pipes::{Pipes, Printed, handle};
use super::super::process::{Surroundings, exit_of, keep, print};
use super::super::session::Session;
use super::super::transcript::Entry;
use super::client::{Act, Client, Phase};
use super::quirks::Quirks;
use super::wire::{Event, Mouth, events, listen};
use crate::agent::Claim;
use crate::environment::mask_decoded;

/// How long an agent may take with what is not its work.
#[derive(Clone, Copy, Debug)]
pub(in crate::adapter) struct Patience {
    /// To introduce itself. Some unpack themselves before; a machine that works on many tasks is
    /// slow.
    pub(in crate::adapter) initialize: Duration,
    /// To make a session, or to take one up and tell all of it again.
    pub(in crate::adapter) open: Duration,
    /// To stop. The supervisor's own patience is five seconds, for all that follows too.
    pub(in crate::adapter) cancel: Duration,
    /// To end its process, after each of the ways by which it is asked to.
    pub(in crate::adapter) end: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            initialize: Duration::from_secs(90),
            open: Duration::from_secs(180),
            cancel: Duration::from_secs(2),
            end: Duration::from_millis(800),
        }
    }
}

/// What a session needs beside itself.
pub(in crate::adapter) struct Drive<'d> {
    /// The agent, with pipes.
    pub(in crate::adapter) child: Child,
    pub(in crate::adapter) quirks: Quirks,
    pub(in crate::adapter) here: &'d Surroundings,
    /// Who decides what it asks for leave.
    pub(in crate::adapter) broker: &'d Arc<dyn Broker>,
    /// Told of everything that happens, before it is printed.
    pub(in crate::adapter) session: Session,
}

/// Holds it to its end, and ends the agent.
pub(in crate::adapter) fn drive(
    mut drive: Drive<'_>,
    mut client: Client,
    out: &mut dyn Write,
) -> Closing {
    let held = drive.hold(&mut client, out);
    let status = end(&mut drive.child, drive.quirks, drive.here.patience.end);
    match held {
        Ok(End::Answered) => drive.session.close(&Exit::Status(0)),
        Ok(End::Gone) => drive.session.end(status),
        Ok(End::Unable(cause)) => Closing {
            claim: Claim::Unable { cause },
            usage: None,
            denied: Vec::new(),
        },
        Err(error) => drive.session.end(Err(error)),
    }
}

/// How a session came to its end.
enum End {
    /// The agent said how its turn ended, or was not heard any longer.
    Answered,
    /// It went away in the middle.
    Gone,
    /// There was none.
    Unable(String),
}

impl Drive<'_> {
    fn hold(&mut self, client: &mut Client, out: &mut dyn Write) -> io::Result<End> {
        let (sender, receiver) = events();
        let pipes = Pipes::of(&mut self.child)?;
        let Some(stdin) = self.child.stdin.take() else {
            return Ok(End::Gone);
        };
        let mouth = Mouth::open(stdin)?;
        listen(pipes, sender.clone())?;
        let stopping = sender.clone();
        self.here.stop.then(move || {
            // Whoever is not heard any more has ended already.
            let stopping = stopping.clone();
            thread::spawn(move || stopping.send(Event::Stop));
        });
        mouth.say(&Client::begin());
        let patience = self.here.patience;
        let mut limit = Limit::of(client.phase(), patience);
        loop {
            let acts = match limit.next(&receiver) {
                Some(Event::Printed(Printed::Line(line))) => {
                    let line = String::from_utf8_lossy(&line);
                    client.hear(&mask_decoded(&line, &self.here.masked))
                }
                Some(Event::Printed(beside)) => {
                    let entry = beside.told(&self.here.masked);
                    entry.into_iter().map(Act::Tell).collect()
                }
                Some(Event::Closed) => {
                    let acts = client.gone();
                    self.perform(acts, &mouth, &sender, out)?;
                    return Ok(End::Gone);
                }
                Some(Event::Decided(number, decision)) => client.decided(number, decision),
                Some(Event::Stop) => client.cancel(),
                None => client.overdue(limit.seconds()),
            };
            if let Some(end) = self.perform(acts, &mouth, &sender, out)? {
                return Ok(end);
            }
            if client.phase() == Phase::Over {
                return Ok(End::Answered);
            }
            if limit.phase != client.phase() {
                // The same phase has the same limit, however much is said in it.
                limit = Limit::of(client.phase(), patience);
            }
        }
    }

    /// Does what was decided. Says how it ended, if it did with that.
    fn perform(
        &mut self,
        acts: Vec<Act>,
        mouth: &Mouth,
        sender: &SyncSender<Event>,
        out: &mut dyn Write,
    ) -> io::Result<Option<End>> {
        for act in acts {
            match act {
                Act::Tell(mut entry) => {
                    let is_answered = self.session.take(&mut entry);
                    keep(&entry, &self.session, &self.here.home);
                    print(entry, &self.here.masked, out)?;
                    if let Some(so_far) = is_answered.then(|| self.session.so_far()).flatten() {
                        print(so_far, &self.here.masked, out)?;
                    }
                }
                Act::Send(message) => {
                    if !mouth.say(&message) {
                        let cause = "it does not read what it is told".to_owned();
                        let mut entry = Entry::Broke {
                            cause,
                            status: None,
                        };
                        self.session.take(&mut entry);
                        print(entry, &self.here.masked, out)?;
                        return Ok(Some(End::Answered));
                    }
                }
                Act::Decide(number, request) => self.ask(number, request, sender)?,
                Act::Unable(cause) => return Ok(Some(End::Unable(cause))),
            }
        }
        // After all that came with the answer which went beyond: it may be the last.
        Ok(self.session.is_used_up().then_some(End::Answered))
    }

    /// Has it decided, without waiting: a person may take a while.
    fn ask(&self, number: u64, request: Request, sender: &SyncSender<Event>) -> io::Result<()> {
        let broker = Arc::clone(self.broker);
        let sender = sender.clone();
        let asking = move || {
            let decision = broker.decide(&request);
            // The session may be over by now.
            let _ = sender.send(Event::Decided(number, decision));
        };
        let thread = thread::Builder::new().name("ask".to_owned());
        thread.spawn(asking).map(drop)
    }
}

/// How long what is awaited may take.
struct Limit {
    phase: Phase,
    patience: Option<Duration>,
    until: Option<Instant>,
}

impl Limit {
    fn of(phase: Phase, patience: Patience) -> Limit {
        let patience = match phase {
            Phase::Initializing => Some(patience.initialize),
            Phase::Opening => Some(patience.open),
            Phase::Canceling => Some(patience.cancel),
            // The task's time box counts, and the monitor's patience.
            Phase::Working | Phase::Over => None,
        };
        Limit {
            phase,
            patience,
            until: patience.map(|patience| Instant::now() + patience),
        }
    }

    fn seconds(&self) -> u64 {
        self.patience.map_or(0, |patience| patience.as_secs())
    }

    /// What happens next; nothing if it takes too long.
    fn next(&self, receiver: &Receiver<Event>) -> Option<Event> {
        match self.until {
            None => receiver.recv().ok(),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                receiver.recv_timeout(left).ok()
            }
        }
    }
}

/// Ends an agent whose input is closed, by the ways that it is known to take.
fn end(child: &mut Child, quirks: Quirks, patience: Duration) -> io::Result<Exit> {
    let Some(handle) = handle(child) else {
        child.kill()?;
        return child.wait().map(exit_of);
    };
    let has_ended = || {
        let mut fds = [PollFd::new(&handle, PollFlags::IN)];
        let patience = Timespec {
            tv_sec: patience.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        matches!(rustix::event::poll(&mut fds, Some(&patience)), Ok(1..))
    };
    if quirks.ends_on_close && has_ended() {
        return child.wait().map(exit_of);
    }
    if quirks.ends_on_term {
        // It may be gone just now, which is what is wanted.
        let _ = rustix::process::pidfd_send_signal(&handle, Signal::TERM);
        if has_ended() {
            return child.wait().map(exit_of);
        }
    }
    child.kill()?;
    child.wait().map(exit_of)
}
