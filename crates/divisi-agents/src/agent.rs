//! The one trait that every agent implements, and what it takes and gives.
//!
//! Both methods that matter are pure. [`Agent::launch`] says *how* to start, as data, and starts
//! nothing: a launch can be logged, compared, and made again after a crash before the process was
//! started. [`Agent::interpret`] reads what is left of a process and says what the agent claims.
//! The exit status and the claim are hints for feedback and remedies; whether the task is done is
//! decided by checks alone.

use std::collections::BTreeMap;

use divisi_core::ids::AttemptId;
use divisi_core::ledger::Bound;
use divisi_core::plan::TaskSpec;
use divisi_core::receipt::Usage;
use divisi_core::run::{Budget, Defined};
use divisi_core::script::{Question, Script};
use divisi_core::worker::{Confinement, Ended, Limits, ProcessSpec};
use serde::{Deserialize, Serialize};

use crate::beneath::Fault;
use crate::handoff::{Answer, Handoff};
use crate::scripted::{Played, run_script};

/// What kind of executor an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A program that the plan names.
    Command,
    /// Somebody who submits by hand.
    Person,
    /// A deterministic list of steps, played inside the engine.
    Scripted,
    /// A process that speaks to a coding agent or a model.
    Adapter,
}

/// When to look at an agent, and when its silence becomes a suspicion (T6). `None` means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitoring {
    /// Between two looks, in milliseconds.
    pub look_ms: Option<u64>,
    /// Without a sign of life of its own, in milliseconds. Only agents that give one have this.
    pub heartbeat_ms: Option<u64>,
    /// Without progress — output, files, CPU time, child processes — in milliseconds.
    pub progress_ms: Option<u64>,
}

impl Monitoring {
    /// The defaults of a kind of agent. Look, heartbeat and progress are the source's; a plain
    /// program has no heartbeat, and nobody watches a person or a script.
    #[must_use]
    pub fn of(kind: Kind) -> Monitoring {
        let look_ms = Some(2 * 60_000);
        let progress_ms = Some(20 * 60_000);
        match kind {
            Kind::Adapter => Monitoring {
                look_ms,
                heartbeat_ms: Some(3 * 60_000),
                progress_ms,
            },
            Kind::Command => Monitoring {
                look_ms,
                heartbeat_ms: None,
                progress_ms,
            },
            Kind::Person | Kind::Scripted => Monitoring {
                look_ms: None,
                heartbeat_ms: None,
                progress_ms: None,
            },
        }
    }
}

/// What a text that an agent printed tells of its progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What its model said or did.
    pub entries: u64,
    /// Calls that began.
    pub called: u64,
    /// Calls that ended.
    pub returned: u64,
}

/// What an agent is: quirks as data. Only what a run must know of an agent when nothing but its
/// journal is there goes by name, in [`divisi_core::run`]: whether it holds a slot, and whether it
/// is scripted. The contract has both agree with the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// As plans name it; an id.
    pub name: String,
    /// What kind of executor.
    pub kind: Kind,
    /// When to look at it.
    pub monitoring: Monitoring,
    /// Names of the environment variables whose secrets it needs. Exactly these pass.
    pub credentials: Vec<String>,
    /// Files of the repository, and folders of skills, that it reads by itself and is not told.
    pub reads: Vec<String>,
    /// Names of files that ask something of it alone, as `AGENTS.md` does of all.
    pub guides: Vec<String>,
    /// How many of the last printed bytes [`Agent::interpret`] wants to see.
    pub tail_bytes: u64,
}

/// One attempt's assignment to an agent.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The task as planned.
    pub task: &'a TaskSpec,
    /// What the attempt is given.
    pub handoff: &'a Handoff,
    /// Absolute path of the file that holds the handoff; `None` if it [is bare](Handoff::is_bare)
    /// and none was written.
    pub handoff_path: Option<&'a str>,
    /// Absolute path of the folder it works in.
    pub workspace: &'a str,
    /// Its environment, as [`environment`](crate::environment()) made it.
    pub env: &'a BTreeMap<String, String>,
    /// Values that must not appear in its log.
    pub masked: &'a [String],
    /// What a scripted agent plays where the task itself has no script.
    pub script: Option<&'a Script>,
}

impl Assignment<'_> {
    /// The environment with what every agent is told: `DIVISI_TASK`, `DIVISI_ATTEMPT` (its
    /// number), and `DIVISI_HANDOFF` (a path) where there is one.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        env.insert("DIVISI_TASK".into(), self.task.id.to_string());
        env.insert("DIVISI_ATTEMPT".into(), self.attempt.number.to_string());
        match self.handoff_path {
            Some(path) => env.insert("DIVISI_HANDOFF".into(), path.to_owned()),
            None => env.remove("DIVISI_HANDOFF"),
        };
        env
    }
}

/// A process to be started by the supervisor. Where its log goes and how it is confined is not an
/// agent's business; see [`Process::into_spec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The absolute working folder.
    pub cwd: String,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// What is written to standard input, which is then closed.
    pub stdin: String,
    /// Values that must not appear in its log.
    pub masked: Vec<String>,
}

impl Process {
    /// The same with what the engine decides.
    #[must_use]
    pub fn into_spec(self, log: String, confinement: Confinement, limits: Limits) -> ProcessSpec {
        ProcessSpec {
            argv: self.argv,
            cwd: self.cwd,
            env: self.env,
            stdin: self.stdin,
            asks: false,
            log,
            masked: self.masked,
            confinement,
            limits,
        }
    }
}

/// A script to be played inside the engine: no process, no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InProcess {
    /// What is played.
    pub script: Script,
    /// Which attempt's steps, from 1.
    pub attempt: u32,
    /// Answers to questions that earlier plays asked.
    pub answers: Vec<Answer>,
    /// What was reserved of that which is bounded.
    pub reserved: Budget,
}

impl InProcess {
    /// Plays it in a workspace.
    ///
    /// # Errors
    /// As [`run_script`].
    pub fn run(&self, workspace: &std::path::Path) -> Result<Played, Fault> {
        run_script(
            &self.script,
            workspace,
            self.attempt,
            &self.answers,
            &self.reserved,
        )
    }
}

/// How an assignment is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// By a process under the supervisor.
    Process(Box<Process>),
    /// Inside the engine.
    InProcess(Box<InProcess>),
    /// By somebody who will call `divisi submit`.
    Person,
}

/// Why an assignment cannot be launched. Each repeats exactly if tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchFault {
    /// The agent does not do this sort of work.
    #[error("assign {task} to {agent}: {cause}")]
    Unsuited {
        /// The task's id.
        task: String,
        /// The agent's name.
        agent: String,
        /// What it would need, as a lower-case fragment.
        cause: String,
    },
    /// The task's command line or script cannot be passed to a process.
    #[error("build the command line of {task}: {cause}")]
    CommandLine {
        /// The task's id.
        task: String,
        /// What about it, as a lower-case fragment.
        cause: String,
    },
    /// The task's script of a scripted agent cannot be read.
    #[error("read the script of {task}: {cause}")]
    Script {
        /// The task's id.
        task: String,
        /// What about it, as a lower-case fragment.
        cause: String,
    },
}

/// What an agent says of its own work. Untrusted, and never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// It believes to be done: collect and check.
    Done,
    /// It says nothing: how its process ended is all there is. It is collected and checked, too.
    Nothing,
    /// It could not do it, and says so.
    Failed {
        /// Why, at most [`CLAIM_BYTES_MAX`] bytes.
        cause: String,
    },
    /// It could not even begin, for a reason that will repeat exactly.
    Unable {
        /// Why, at most [`CLAIM_BYTES_MAX`] bytes.
        cause: String,
    },
    /// It met a usage limit, which is not its failure.
    Limited {
        /// Which.
        cause: String,
        /// How long to wait, if it knows.
        wait_ms: Option<u64>,
    },
    /// It was ended since what was reserved for it is used up.
    UsedUp {
        /// What was reserved.
        bound: Bound,
    },
    /// It found the work to be more than one task.
    TooLarge {
        /// Why, at most [`CLAIM_BYTES_MAX`] bytes.
        cause: String,
    },
    /// It needs an answer.
    Asks(Question),
}

/// When a tool says something of what it uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It does not.
    #[default]
    Never,
    /// At its end: what was reserved cannot end it before.
    AtEnd,
    /// After each answer of its model.
    EachAnswer,
}

/// What a tool says of what it uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Of tokens.
    pub tokens: Told,
    /// Of money: the price that it names by itself.
    pub money: Told,
}

impl Figures {
    /// Those of an agent that configuration defines: Divisi asks its model itself, or hears nothing.
    #[must_use]
    pub fn of_defined(defined: &Defined) -> Figures {
        match defined {
            Defined::Model(_) => Figures {
                tokens: Told::EachAnswer,
                money: Told::Never,
            },
            Defined::Program(_) => Figures::default(),
        }
    }
}

/// A claim is journalled and shown.
pub const CLAIM_BYTES_MAX: usize = 4_000;

/// An executor of tasks. See the module's text; [`crate::contract`] holds what each implementation
/// keeps to.
pub trait Agent: Send + Sync {
    /// What it is. The same at every call.
    fn description(&self) -> Description;

    /// How the assignment is to be executed. Pure: the same assignment gives the same launch, and
    /// nothing has happened afterwards.
    ///
    /// # Errors
    /// Why it cannot be; trying again changes nothing.
    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault>;

    /// What it says of what it uses. Nothing, unless told.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// What the agent claims, from how its process ended and the last
    /// [`Description::tail_bytes`] that it printed. Total: any end and any text, in short time.
    fn interpret(&self, ended: &Ended, tail: &str) -> Claim;

    /// What of the whole lines that it printed is progress; `None` where every byte is.
    fn progress(&self, _printed: &str) -> Option<Progress> {
        None
    }

    /// What it says to have used of a model, read from the same bytes. As untrusted as its claim;
    /// `None` where nothing is said of it.
    fn usage(&self, _tail: &str) -> Option<Usage> {
        None
    }

    /// What its tool did not let it do by rules of its own, read from the same bytes; bounded.
    fn denied(&self, _tail: &str) -> Vec<String> {
        Vec::new()
    }
}
