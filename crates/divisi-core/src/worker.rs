//! The worker protocol: what the engine and whoever holds agents' processes tell each other.
//!
//! One JSON object a line in both directions. Every word names its job: an attempt's agent, or a
//! program that checks what the attempt made. The holder — the supervisor — is the only owner of
//! processes; the engine only knows what it is told, and asks anew after every start with
//! [`FromWorker::Joined`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, Epoch};
use crate::permission::{Decision, Request};
use crate::receipt::{Exit, Output, Usage};

/// Version of this protocol; both sides say it and refuse another.
pub const PROTOCOL: u32 = 2;

/// A process tree that the supervisor owns, by whose attempt it is and which part it plays.
///
/// Agents are started at most once. Checks may be repeated freely, each time under a part that
/// was not used before in this epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Whose.
    pub attempt: AttemptId,
    /// 0 is the agent itself; checks count from 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
}

impl Job {
    /// The attempt's agent.
    #[must_use]
    pub fn agent(attempt: AttemptId) -> Job {
        Job { attempt, part: 0 }
    }

    /// Whether it is the attempt's agent, not a check.
    #[must_use]
    pub fn is_agent(self) -> bool {
        self.part == 0
    }

    /// Reads what [`Job`] prints: `run/task.number`, with `+part` for a check.
    #[must_use]
    pub fn parse(text: &str) -> Option<Job> {
        let (attempt, part) = match text.split_once('+') {
            None => (text, 0),
            Some((attempt, part)) => (attempt, part.parse().ok()?),
        };
        Some(Job {
            attempt: AttemptId::parse(attempt)?,
            part,
        })
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.attempt)?;
        if self.part > 0 {
            write!(f, "+{}", self.part)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// How a process is confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// Writes only beneath these absolute paths, where the platform can do it.
    Writes(Vec<String>),
    /// Not confined, because the owner said so.
    None,
}

/// Limits of one job's processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The log keeps so many bytes; the rest is counted and digested.
    pub log_bytes_max: u64,
    /// From TERM to KILL, in milliseconds.
    pub grace_ms: u64,
    /// Address space of each process in bytes, if limited (`RLIMIT_AS`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
    /// CPU time of each process in seconds, if limited (`RLIMIT_CPU`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s_max: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            log_bytes_max: 8 << 20,
            grace_ms: 5_000,
            memory_bytes_max: None,
            cpu_s_max: None,
        }
    }
}

/// Everything needed to start a job's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessSpec {
    /// Program and arguments; the program is looked up on the `PATH` of `env`.
    pub argv: Vec<String>,
    /// The absolute working folder.
    pub cwd: String,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// What is written to standard input, which is then closed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdin: String,
    /// Whether standard input is a socket instead, on which the process asks leave for what it is
    /// about to do and is answered: one [`Request`] or [`Answered`] a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// Absolute path of the log, created at the first byte.
    pub log: String,
    /// Values that are masked in the log: secrets that this process was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<String>,
    /// How it is confined.
    pub confinement: Confinement,
    /// Its limits.
    #[serde(default)]
    pub limits: Limits,
}

/// How a job's processes are to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndHow {
    /// TERM, then KILL after the attempt's grace.
    Graceful,
    /// KILL at once.
    Force,
}

/// From the engine to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum ToWorker {
    /// The first word of every connection. The answer is [`FromWorker::Joined`].
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The engine's epoch; the supervisor refuses a lower one than it has seen.
        epoch: Epoch,
        /// How long agents may live on when the engine is gone, in milliseconds.
        orphan_grace_ms: u64,
    },
    /// Start a job. Starting one that is or was held changes nothing and is answered with
    /// its present state.
    Start {
        /// Which.
        job: Job,
        /// How.
        spec: Box<ProcessSpec>,
    },
    /// End a job's processes. For one that is not held the answer is
    /// [`FromWorker::Unknown`].
    End {
        /// Which.
        job: Job,
        /// How.
        how: EndHow,
    },
    /// The engine has durably recorded the job's end: its result may be forgotten.
    Forget {
        /// Which.
        job: Job,
    },
    /// Pass an answer on. For a request that does not wait, or a job that is not held, it means
    /// nothing.
    Answer {
        /// Whose.
        job: Job,
        /// The answer.
        answered: Answered,
    },
    /// Ask for an [`FromWorker::Observed`] of every held job.
    Observe,
}

/// The answer to a request, as it goes to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The request's id.
    pub id: String,
    /// The answer.
    pub decision: Decision,
}

/// What a process tree looks like from outside: evidence of life and progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The agent's own process is alive.
    pub alive: bool,
    /// Live processes of the job, the agent's own included.
    pub processes: u32,
    /// CPU time used so far by the live processes, in milliseconds.
    pub cpu_ms: u64,
    /// Bytes printed so far.
    pub output_bytes: u64,
    /// Milliseconds since the process was started, on a monotonic clock.
    pub age_ms: u64,
    /// All of them sleep: none runs, is ready to run, or waits for a disk. On a machine that is too
    /// busy, some would.
    #[serde(default)]
    pub asleep: bool,
}

/// How a job's process tree ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How the agent's own process ended.
    pub exit: Exit,
    /// What was printed; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// From start to end on a monotonic clock.
    pub wall_ms: u64,
    /// Descendants that outlived the agent and were ended by the sweep.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub swept: u32,
    /// Whether the sweep proved that no process of the job is left.
    pub empty: bool,
    /// Whether it ended because it was told to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    /// What was executed, on one line and cut, secrets masked; empty without a process.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Whether the kernel confined its writes; `None` without a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<bool>,
    /// What its agent reported to have used. A supervisor does not read what agents print: this is
    /// filled in by whoever does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What its tool did not let its agent do, filled in by the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
}

impl Ended {
    /// One that ended so, at once, and left nothing; no more is known of it.
    #[must_use]
    pub fn of(exit: Exit) -> Ended {
        Ended {
            exit,
            output: None,
            wall_ms: 0,
            swept: 0,
            empty: true,
            told: false,
            command: String::new(),
            confined: None,
            usage: None,
            denied: Vec::new(),
        }
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// One job that the supervisor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Held {
    /// Its process lives.
    Live {
        /// Evidence of its life.
        observation: Observation,
        /// The folder that it works in, where it asks for leave.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        cwd: String,
        /// What it asked and was not answered.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        asks: Vec<Request>,
    },
    /// It ended, and the engine has not yet said [`ToWorker::Forget`].
    Ended {
        /// How.
        ended: Ended,
    },
}

/// From the supervisor to the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum FromWorker {
    /// Answer to [`ToWorker::Hello`]: all that is held. Agents missing here are lost.
    Joined {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The epoch that was said.
        epoch: Epoch,
        /// What is held.
        holds: Vec<(Job, Held)>,
        /// Whether writes can be confined on this machine.
        confines: bool,
    },
    /// A process was started.
    Started {
        /// Which.
        job: Job,
        /// Its process id, for people.
        pid: u32,
        /// Whether its writes are confined.
        confined: bool,
    },
    /// It could not be started.
    NotStarted {
        /// Which.
        job: Job,
        /// Why, as a lower-case fragment.
        cause: String,
        /// Whether trying again exactly so will fail again (no such program).
        permanent: bool,
    },
    /// It ended and its process tree is swept.
    Ended {
        /// Which.
        job: Job,
        /// How.
        ended: Ended,
    },
    /// It asks leave for something, and waits for [`ToWorker::Answer`].
    Asks {
        /// Which.
        job: Job,
        /// The folder that it works in: what paths are relative to.
        cwd: String,
        /// What it asks. Untrusted.
        request: Request,
    },
    /// Evidence of life, answer to [`ToWorker::Observe`].
    Observed {
        /// Of each live job.
        observations: Vec<(Job, Observation)>,
    },
    /// A job was named that is not held.
    Unknown {
        /// Which.
        job: Job,
    },
    /// The connection is refused; the supervisor closes it.
    Refused {
        /// Why, as a lower-case fragment.
        cause: String,
    },
}
