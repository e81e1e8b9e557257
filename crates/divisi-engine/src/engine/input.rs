//! Everything that can wake the engine, in one closed enum.

use std::sync::mpsc::SyncSender;

use divisi_core::plan::Parts;
use divisi_core::receipt::{Artifact, Snapshot};
use divisi_core::run::{Effect, Merged, Said};
use divisi_core::worker::{Ended, FromWorker};
use divisi_core::{AttemptId, Commit, TaskNo, Verdict};

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
    /// A workspace and what is to be launched in it.
    Prepared(Box<Prepared>),
    /// Files from outside are not there yet, or not whole.
    Awaited {
        /// Whose.
        attempt: AttemptId,
        /// What was seen, path by path.
        look: Vec<Seen>,
    },
    /// The attempt cannot be started, now or ever.
    NotStarted {
        /// Which.
        attempt: AttemptId,
        /// Why.
        cause: String,
        /// Whether trying again exactly so will fail again.
        permanent: bool,
    },
    /// A composition cannot be begun, for a reason of the plan's.
    NotComposed {
        /// Which.
        attempt: AttemptId,
        /// Why, and what to change.
        cause: String,
    },
    /// An agent inside this process is done.
    Played {
        /// Which.
        attempt: AttemptId,
        /// How it ended.
        ended: Ended,
        /// What it said, if that means anything but "done".
        said: Option<Said>,
    },
    /// Work is durable.
    Collected {
        /// Whose.
        attempt: AttemptId,
        /// The snapshot.
        snapshot: Option<Snapshot>,
        /// The promised files.
        artifacts: Vec<Artifact>,
    },
    /// Work cannot be taken.
    CollectRefused {
        /// Whose.
        attempt: AttemptId,
        /// Why.
        cause: String,
    },
    /// Work was checked.
    Checked {
        /// Whose.
        attempt: AttemptId,
        /// One verdict a criterion.
        verdicts: Vec<Verdict>,
    },
    /// What an attempt planned was read.
    Expanded {
        /// Whose.
        attempt: AttemptId,
        /// The commit that it was read from, or matched against.
        from: Option<Commit>,
        /// What it planned.
        parts: Box<Parts>,
    },
    /// What an attempt planned cannot be read.
    ExpandRefused {
        /// Whose.
        attempt: AttemptId,
        /// Every fault with its place.
        faults: Vec<String>,
    },
    /// Late work is durable, or there was none.
    OfferCollected {
        /// Whose.
        attempt: AttemptId,
        /// The work.
        snapshot: Option<Snapshot>,
    },
    /// A batch was merged.
    BatchMerged {
        /// Onto which head.
        onto: Commit,
        /// What merged.
        merged: Vec<Merged>,
        /// What did not.
        conflict: Option<(AttemptId, Vec<String>)>,
        /// What failed on the merged whole.
        refused: Vec<Verdict>,
    },
    /// The run's branch stands here.
    HeadMoved(Commit),
    /// The whole was checked.
    FinalChecked {
        /// At which head.
        head: Option<Commit>,
        /// Verdicts on the intent's criteria.
        verdicts: Vec<Verdict>,
        /// Tasks whose own checks fail.
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    },
}
