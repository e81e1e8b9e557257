//! What every implementation of [`Agent`] keeps to, as one function for its tests.
//!
//! An adapter is a recorded transcript plus this suite; none is merged without both. The caller
//! brings a task that the agent can do and one that it cannot, and a [`Runner`] that starts
//! processes. Violations come back as sentences, all of them at once, so that the suite itself can
//! be tested on agents that are broken on purpose.

use std::collections::BTreeMap;
use std::path::Path;

use divisi_core::ids::{AttemptId, RunId, TaskId, TaskNo, Time};
use divisi_core::plan::TaskSpec;
use divisi_core::receipt::Exit;
use divisi_core::run::{holds_slot, is_scripted};
use divisi_core::script::Script;
use divisi_core::worker::Ended;

use crate::agent::{Agent, Assignment, CLAIM_BYTES_MAX, Claim, Description, Kind, Launch, Process};
use crate::handoff::{Context, Handoff, created_at, handoff_id};

/// The file that a case's `possible` task leaves in its workspace, not empty.
pub const MADE: &str = "made.txt";

/// Starts processes for the suite: the supervisor, or plain ones in a unit test.
pub trait Runner {
    /// Runs a process to its end; returns how it ended and the last bytes it printed.
    fn run(&self, process: &Process) -> (Ended, String);
}

/// What an agent is tried with.
#[derive(Clone, Debug)]
pub struct Case {
    /// A task that it can do, which leaves [`MADE`].
    pub possible: TaskSpec,
    /// A task that it must refuse to launch.
    pub impossible: TaskSpec,
    /// What is brought to it to play, if it plays.
    pub script: Option<Script>,
}

/// A variable of the assignment that must reach a process, and a secret that must stay masked.
const GIVEN: (&str, &str) = ("GIVEN", "given");
const SECRET: &str = "contract-secret-value";

/// Tries an agent in an empty folder. Empty if it keeps to everything.
#[must_use]
pub fn violations(
    agent: &dyn Agent,
    case: &Case,
    workspace: &Path,
    runner: &dyn Runner,
) -> Vec<String> {
    let mut seen = Violations(Vec::new());
    let description = agent.description();
    describes(agent, &description, &mut seen);
    interprets(agent, &description, &mut seen);
    refuses(agent, case, workspace, &mut seen);
    does(agent, &description, case, workspace, runner, &mut seen);
    seen.0
}

/// What was found so far.
struct Violations(Vec<String>);

impl Violations {
    fn expect(&mut self, holds: bool, violation: impl Into<String>) {
        if !holds {
            self.0.push(violation.into());
        }
    }
}

fn describes(agent: &dyn Agent, description: &Description, seen: &mut Violations) {
    seen.expect(
        agent.description() == *description,
        "its description changes from call to call",
    );
    seen.expect(
        TaskId::new(description.name.as_str()).is_ok(),
        "its name is not an id",
    );
    seen.expect(
        is_scripted(&description.name) == (description.kind == Kind::Scripted),
        "a scripted agent is labelled so, and no other is",
    );
    seen.expect(
        holds_slot(&description.name) != (description.kind == Kind::Person),
        "every agent holds a slot except a person",
    );
    let monitoring = description.monitoring;
    let times = [
        monitoring.look_ms,
        monitoring.heartbeat_ms,
        monitoring.progress_ms,
    ];
    seen.expect(
        !times.contains(&Some(0)),
        "a time of its monitoring is zero",
    );
    seen.expect(
        monitoring.look_ms.is_some()
            || (monitoring.heartbeat_ms.is_none() && monitoring.progress_ms.is_none()),
        "its monitoring expects signs that nobody looks at",
    );
}

/// Any end and any text must be interpreted, to a claim of bounded size; nothing that a signal
/// ended claims to be done, unless the agent has no process at all.
fn interprets(agent: &dyn Agent, description: &Description, seen: &mut Violations) {
    let exits = (-1..=256)
        .map(Exit::Status)
        .chain((1..65).map(Exit::Signal))
        .chain([
            Exit::NoProcess,
            Exit::Status(i32::MIN),
            Exit::Signal(i32::MAX),
        ]);
    let huge = "\u{1b}[2J{\"done\":".repeat(100_000);
    for exit in exits {
        for tail in ["", "\0\u{1b}]0;x\u{7}", "{\"claim\":", "done", &huge] {
            let claim = agent.interpret(&ended(exit.clone()), tail);
            seen.expect(
                size(&claim) <= CLAIM_BYTES_MAX,
                format!("its claim after {exit} has more than {CLAIM_BYTES_MAX} bytes"),
            );
            let killed = matches!(exit, Exit::Signal(_)) && description.kind != Kind::Person;
            seen.expect(
                !(killed && claim == Claim::Done),
                format!("it claims to be done after {exit}"),
            );
        }
    }
}

fn size(claim: &Claim) -> usize {
    match claim {
        Claim::Done | Claim::Nothing | Claim::UsedUp { .. } => 0,
        Claim::Failed { cause }
        | Claim::Unable { cause }
        | Claim::TooLarge { cause }
        | Claim::Limited { cause, .. } => cause.len(),
        Claim::Asks(question) => {
            question.text.len() + question.default.as_ref().map_or(0, String::len)
        }
    }
}

fn ended(exit: Exit) -> Ended {
    Ended {
        wall_ms: 1,
        ..Ended::of(exit)
    }
}

fn refuses(agent: &dyn Agent, case: &Case, workspace: &Path, seen: &mut Violations) {
    let task = &case.impossible;
    let script = case.script.as_ref();
    let fault = with_assignment(task, script, workspace, |assignment| {
        agent.launch(assignment)
    });
    match fault {
        Ok(_) => seen.expect(false, "it launches a task that it cannot do"),
        Err(fault) => seen.expect(
            fault.to_string().contains(task.id.as_str()),
            "its refusal does not name the task",
        ),
    }
}

fn does(
    agent: &dyn Agent,
    description: &Description,
    case: &Case,
    workspace: &Path,
    runner: &dyn Runner,
    seen: &mut Violations,
) {
    let script = case.script.as_ref();
    let (first, second) = with_assignment(&case.possible, script, workspace, |assignment| {
        (agent.launch(assignment), agent.launch(assignment))
    });
    seen.expect(first == second, "two launches of one assignment differ");
    let untouched = std::fs::read_dir(workspace).is_ok_and(|mut entries| entries.next().is_none());
    seen.expect(untouched, "a launch alone changes the workspace");
    let claim = match first {
        Err(fault) => {
            seen.expect(false, format!("it refuses a task that it can do: {fault}"));
            return;
        }
        Ok(Launch::Person) => {
            seen.expect(
                description.kind == Kind::Person,
                "it waits for a person and is none",
            );
            return;
        }
        Ok(Launch::InProcess(play)) => match play.run(workspace) {
            Ok(played) => played.claim,
            Err(fault) => {
                seen.expect(false, format!("its play fails: {fault}"));
                return;
            }
        },
        Ok(Launch::Process(process)) => {
            is_clean(&process, workspace, seen);
            if Path::new(&process.cwd) != workspace {
                return;
            }
            let (ended, tail) = runner.run(&process);
            agent.interpret(&ended, &tail)
        }
    };
    seen.expect(
        claim == Claim::Done,
        format!("it claims {claim:?} of work it did"),
    );
    let made = std::fs::metadata(workspace.join(MADE)).map_or(0, |file| file.len());
    seen.expect(made > 0, format!("it leaves no {MADE}"));
}

fn is_clean(process: &Process, workspace: &Path, seen: &mut Violations) {
    seen.expect(!process.argv.is_empty(), "its command line is empty");
    seen.expect(
        Path::new(&process.cwd) == workspace,
        "it does not work in its workspace",
    );
    let texts = || process.argv.iter().chain([&process.stdin]);
    seen.expect(
        !texts().any(|text| text.contains(SECRET)),
        "a secret stands on its command line or standard input",
    );
    seen.expect(
        !process.argv.iter().any(|part| part.contains('\0')),
        "its command line holds a NUL",
    );
    seen.expect(
        process.masked.iter().any(|value| value == SECRET),
        "it forgets a value that must be masked",
    );
    seen.expect(
        process
            .env
            .get(GIVEN.0)
            .is_some_and(|value| value == GIVEN.1),
        "it drops a variable of the assignment",
    );
    seen.expect(
        process.env.contains_key("DIVISI_TASK"),
        "it does not tell its process the task",
    );
    let added = process
        .env
        .keys()
        .find(|name| !matches!(name.as_str(), "PATH" | "GIVEN") && !name.starts_with("DIVISI_"));
    seen.expect(
        added.is_none(),
        format!("it adds the variable {added:?}, which nobody allowed"),
    );
}

/// Makes an assignment of the task and lends it.
fn with_assignment<T>(
    task: &TaskSpec,
    script: Option<&Script>,
    workspace: &Path,
    with: impl FnOnce(&Assignment<'_>) -> T,
) -> T {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
    let env: BTreeMap<String, String> = [("PATH", path.as_str()), GIVEN]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let handoff = Handoff {
        handoff_id: handoff_id("contract", &task.id),
        from: "orchestrator".into(),
        to: "contract".into(),
        subtask_id: task.id.clone(),
        parent_orchestration: "run-1".into(),
        priority: task.priority,
        context: Context::default(),
        created_at: created_at(Time(0)),
        title: task.title.clone(),
        description: task.description.clone(),
        role: String::new(),
        stage_context: String::new(),
        inputs: Vec::new(),
        takes: Vec::new(),
        guides: Vec::new(),
        skills: Vec::new(),
        deliverables: vec![MADE.into()],
        criteria: task.criteria.clone(),
        scope: Vec::new(),
        attempt: 1,
        feedback: Vec::new(),
        already: Vec::new(),
        answers: Vec::new(),
        left_out: Vec::new(),
    };
    with(&Assignment {
        attempt: AttemptId {
            run: RunId(1),
            task: TaskNo(0),
            number: 1,
        },
        task,
        handoff: &handoff,
        // Where the engine would have written it; only a started adapter reads it.
        handoff_path: Some("/contract/handoff.json"),
        workspace: &workspace.to_string_lossy(),
        env: &env,
        masked: &[SECRET.to_owned()],
        script,
    })
}
