//! Everything that can wake the engine, in one closed enum.

use std::sync::mpsc::SyncSender;

use divisi_core::AttemptId;
use divisi_core::run::{Command, Effect};
use divisi_core::worker::FromWorker;

use super::fetch::Seen;
use super::launch::Prepared;
use crate::control::{Request, Response};

/// What can wake the engine.
pub enum Input {
    /// Somebody asks: a command line, in this process or through the control socket.
    Asked {
        /// What.
        request: Request,
        /// Where the answer goes, once it is durable.
        reply: SyncSender<Response>,
    },
    /// The supervisor says something.
    Word(FromWorker),
    /// The supervisor is gone.
    SupervisorGone,
    /// An effect came out.
    Finished {
        /// Which.
        effect: Effect,
        /// How.
        result: Result<Finished, Failed>,
    },
    /// A key press or a signal: the first time end gracefully, the second time at once.
    Interrupted,
}

/// Why an effect did not come out.
#[derive(Debug)]
pub enum Failed {
    /// A reason of ours, in words; worth another try.
    Ours(String),
    /// What every workspace of the run needs cannot be had, in words: only a person can change
    /// that.
    Setup(String),
}

impl From<String> for Failed {
    fn from(cause: String) -> Failed {
        Failed::Ours(cause)
    }
}

/// What an effect that came out produced.
#[derive(Debug)]
pub enum Finished {
    /// What its run is told.
    Told(Box<Command>),
    /// A workspace and what is to be launched in it, once that is durable.
    Prepared(Box<Prepared>),
    /// Files from outside are not there yet, or not whole.
    Awaited {
        /// Whose.
        attempt: AttemptId,
        /// What was seen, path by path.
        look: Vec<Seen>,
    },
}

impl Finished {
    pub(super) fn told(command: Command) -> Finished {
        Finished::Told(Box::new(command))
    }
}
