//! Receipts: machine-written evidence of the four completion steps (X1).
//!
//! *Submitted*: the agent says so. *Collected*: what it made is durable. *Verified*: the checks
//! passed on exactly that. *Integrated*: it is part of the run's result. Done means integrated.
//! A plan task makes tasks instead of files: its last step is *expanded*. That of one of several
//! candidates is *measured*.

use serde::{Deserialize, Serialize};

use crate::criterion::Verdict;
use crate::figure::Figure;
use crate::ids::{Commit, Digest, Time, Tree};
use crate::ledger::Bound;

/// How an agent's process ended. A hint, never a success by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// A signal ended it.
    Signal(i32),
    /// There was no process: a person, a script of the simulator, a composition.
    NoProcess,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "exit status {status}"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
            Exit::NoProcess => write!(f, "no process"),
        }
    }
}

/// What an attempt printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Digest of all that was printed, also of what the log's cap cut.
    pub digest: Digest,
    /// Bytes printed.
    pub bytes: u64,
    /// Whether the log holds less than was printed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub capped: bool,
}

/// What an agent says that it used. Like all that agents say it is a report, not a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens, read and written together.
    pub tokens: u64,
    /// What they cost, in millionths of a US dollar, where a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_micros: Option<u64>,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Usage) -> Usage {
        let costs = [self.usd_micros, other.usd_micros];
        Usage {
            tokens: self.tokens.saturating_add(other.tokens),
            usd_micros: costs.into_iter().flatten().reduce(u64::saturating_add),
        }
    }

    /// What these receipts report together; `None` if none reports anything.
    pub fn of<'r>(receipts: impl Iterator<Item = &'r Receipt>) -> Option<Usage> {
        receipts.filter_map(Receipt::usage).reduce(Usage::and)
    }
}

/// A file that a task promised and made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path in the tree.
    pub path: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Evidence of one completion step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Receipt {
    /// The agent ended. What it made is looked at, whatever it claims.
    Submitted {
        /// When.
        at: Time,
        /// What was executed, on one line and cut; empty without a process.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        command: String,
        /// How it ended.
        exit: Exit,
        /// What it printed; `None` if nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Output>,
        /// From the start of its process to its end.
        wall_ms: u64,
        /// Whether its process's writes were confined; `None` without a process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confined: Option<bool>,
        /// What its agent reported to have used; `None` if it reported nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// Why it failed, if its agent says that it did. Told, and never believed: checks decide.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimed_failure: Option<String>,
        /// Whether that is that the work is more than one task.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        too_large: bool,
        /// What was reserved for it, where it was ended since that was used up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used_up: Option<Bound>,
    },
    /// What it made is durable.
    Collected {
        /// When.
        at: Time,
        /// The snapshot; `None` in a shared workspace, which promises no files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<Snapshot>,
        /// The promised files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        artifacts: Vec<Artifact>,
    },
    /// The checks passed.
    Verified {
        /// When.
        at: Time,
        /// The tree they were judged on; `None` in a shared workspace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<Tree>,
        /// One verdict a criterion.
        verdicts: Vec<Verdict>,
    },
    /// It is part of the run's result.
    Integrated {
        /// When.
        at: Time,
        /// The commit on the run's branch; `None` where there was nothing to integrate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Commit>,
        /// That commit's tree; `None` without a commit, and in journals from before it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<Tree>,
    },
    /// The evidence of the review that it made holds.
    Reviewed {
        /// When.
        at: Time,
        /// Its verdicts, by the numbers of what it judged; none where nobody needed them any more.
        verdicts: Vec<Verdict>,
    },
    /// What it planned is part of the run's plan.
    Expanded {
        /// When.
        at: Time,
        /// The commit that it was read from, or whose files the rules were matched against; `None`
        /// in a run without files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Commit>,
        /// How many tasks took its task's place.
        tasks: u32,
    },
    /// What is compared of it is known; it is held back.
    Measured {
        /// When.
        at: Time,
        /// That.
        measured: Measured,
    },
}

/// What is compared of a candidate that passed its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Lines that it adds and removes.
    pub lines: u64,
    /// What the program printed by which its task is to be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// Why there is no such number though one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacking: Option<String>,
}

impl Receipt {
    /// Milliseconds that an agent's process took, where the receipt tells.
    pub(crate) fn wall_ms(&self) -> u64 {
        match self {
            Receipt::Submitted { wall_ms, .. } => *wall_ms,
            _ => 0,
        }
    }

    /// What an agent reported to have used, where the receipt tells.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Receipt::Submitted { usage, .. } => *usage,
            _ => None,
        }
    }

    /// Why it failed, where this is the receipt of an agent's end and the agent says that it did.
    #[must_use]
    pub fn claimed_failure(&self) -> Option<&str> {
        match self {
            Receipt::Submitted {
                claimed_failure, ..
            } => claimed_failure.as_deref(),
            _ => None,
        }
    }

    /// Why the work is more than one task, where this is the receipt of an agent's end and the agent
    /// says that it is.
    #[must_use]
    pub fn too_large(&self) -> Option<&str> {
        match self {
            Receipt::Submitted {
                too_large: true, ..
            } => self.claimed_failure(),
            _ => None,
        }
    }

    /// What was used up, where this is the receipt of an agent's end that was ended for that.
    pub(crate) fn used_up(&self) -> Option<Bound> {
        match self {
            Receipt::Submitted { used_up, .. } => *used_up,
            _ => None,
        }
    }
}

/// A commit of a workspace and what it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The snapshot.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
    /// The commit the attempt started from.
    pub base: Commit,
}

impl Snapshot {
    /// Whether its attempt changed no file.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.commit == self.base
    }
}
