//! The *scripted* agent: a deterministic list of steps per attempt, played inside the engine.
//!
//! It exists for examples, tests, benchmarks and the simulator, where the agent's behavior must be
//! known beforehand; whatever it does is labelled as scripted wherever it shows. A plan names it
//! with `"agent": "scripted"`, and the task's `script` is JSON:
//!
//! ```json
//! {"attempts": [[{"print": "hm"}, {"exit": 1}],
//!               [{"write": {"path": "a.md", "text": "done"}}]]}
//! ```
//!
//! The last list repeats for later attempts. Steps that write do it beneath the workspace, never
//! through a link.

use std::path::Path;

use divisi_core::plan::Work;
use divisi_core::receipt::Exit;
use divisi_core::worker::Ended;
use serde::{Deserialize, Serialize};

use crate::agent::{
    Agent, Assignment, Claim, Description, InProcess, Kind, Launch, LaunchFault, Monitoring,
    Question,
};
use crate::beneath::{Fault, Place, delete, write};
use crate::handoff::Answer;

/// A script stands in a plan file beside everything else.
pub const SCRIPT_BYTES_MAX: usize = 1 << 20;

/// Steps of one attempt; a play holds up the engine while it lasts.
pub const STEPS_MAX: usize = 1_000;

/// What attempts do, by their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Each attempt's steps; the last list repeats. Never empty in a parsed script.
    pub attempts: Vec<Vec<Step>>,
}

/// One step of a script. [`Step::Exit`], [`Step::Signal`], [`Step::Limit`] and [`Step::Fail`] end
/// the attempt; so does [`Step::Ask`] until its question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Writes a file, with its folders, over whatever file stood there.
    Write {
        /// Beneath the workspace.
        path: String,
        /// Its whole content.
        text: String,
    },
    /// Appends to a file, or creates it.
    Append {
        /// Beneath the workspace.
        path: String,
        /// What is added.
        text: String,
    },
    /// Removes a file; that it is not there is no fault.
    Delete {
        /// Beneath the workspace.
        path: String,
    },
    /// Prints.
    Print(String),
    /// Takes so much virtual time, in milliseconds. Nothing waits.
    TakeMs(u64),
    /// Asks, unless the handoff has the answer, which is then printed.
    Ask(Question),
    /// Ends with this status.
    Exit(i32),
    /// Ends as if by this signal.
    Signal(i32),
    /// Ends at a usage limit.
    Limit {
        /// How long to wait, if told.
        #[serde(default)]
        wait_ms: Option<u64>,
    },
    /// Ends like one that is done, and says that it failed, and why.
    Fail(String),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// What about the text is no script, as a lower-case fragment with line and column.
    pub fn parse(text: &str) -> Result<Script, String> {
        if text.len() > SCRIPT_BYTES_MAX {
            let bytes = text.len();
            return Err(format!(
                "it has {bytes} bytes, at most {SCRIPT_BYTES_MAX} are read"
            ));
        }
        let script: Script = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
        if script.attempts.is_empty() {
            return Err("`attempts` is empty".into());
        }
        if let Some(at) = script.attempts.iter().position(|a| a.len() > STEPS_MAX) {
            let steps = script.attempts[at].len();
            return Err(format!(
                "attempt {} has {steps} steps, at most {STEPS_MAX} are played",
                at + 1
            ));
        }
        Ok(script)
    }

    /// The steps of an attempt, from 1.
    #[must_use]
    pub fn steps(&self, attempt: u32) -> &[Step] {
        let at = (attempt.max(1) as usize - 1).min(self.attempts.len().saturating_sub(1));
        self.attempts.get(at).map_or(&[], Vec::as_slice)
    }
}

/// What a play came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// How it ended; a script that says nothing ends with status 0.
    pub exit: Exit,
    /// What it claims: also questions and limits, which a status cannot say.
    pub claim: Claim,
    /// What it printed.
    pub printed: String,
    /// The virtual time it took, in milliseconds.
    pub took_ms: u64,
}

/// Plays an attempt's steps in a workspace. Deterministic: the same script, attempt, answers and
/// folder give the same result.
///
/// # Errors
/// A step that cannot be played ends the play; earlier steps have happened.
pub fn run_script(
    script: &Script,
    workspace: &Path,
    attempt: u32,
    answers: &[Answer],
) -> Result<Played, Fault> {
    let mut played = Played {
        exit: Exit::Status(0),
        claim: Claim::Done,
        printed: String::new(),
        took_ms: 0,
    };
    for step in script.steps(attempt) {
        match step {
            Step::Write { path, text } => write(workspace, path, text.as_bytes(), Place::Whole)?,
            Step::Append { path, text } => write(workspace, path, text.as_bytes(), Place::End)?,
            Step::Delete { path } => delete(workspace, path)?,
            Step::Print(text) => say(&mut played.printed, text),
            Step::TakeMs(ms) => played.took_ms = played.took_ms.saturating_add(*ms),
            Step::Ask(question) => {
                match answers.iter().find(|given| given.question == question.text) {
                    Some(given) => say(&mut played.printed, &given.answer),
                    None => {
                        played.exit = Exit::NoProcess;
                        played.claim = Claim::Asks(question.clone());
                        break;
                    }
                }
            }
            Step::Exit(status) => {
                played.exit = Exit::Status(*status);
                break;
            }
            Step::Signal(signal) => {
                played.exit = Exit::Signal(*signal);
                played.claim = Claim::Nothing;
                break;
            }
            Step::Limit { wait_ms } => {
                played.claim = Claim::Limited {
                    cause: "scripted usage limit".into(),
                    wait_ms: *wait_ms,
                };
                break;
            }
            Step::Fail(cause) => {
                played.claim = Claim::Failed {
                    cause: cause.clone(),
                };
                break;
            }
        }
    }
    Ok(played)
}

fn say(printed: &mut String, text: &str) {
    printed.push_str(text);
    printed.push('\n');
}

/// Plays what the task's `script` says.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptedAgent;

impl Agent for ScriptedAgent {
    fn description(&self) -> Description {
        Description {
            name: "scripted".into(),
            kind: Kind::Scripted,
            monitoring: Monitoring::of(Kind::Scripted),
            credentials: Vec::new(),
            tail_bytes: 0,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        let task = assignment.task.id.to_string();
        let Work::Script(text) = &assignment.task.work else {
            return Err(LaunchFault::Unsuited {
                task,
                agent: "scripted".into(),
                cause: "the task has no `script`".into(),
            });
        };
        let script = Script::parse(text).map_err(|cause| LaunchFault::Script { task, cause })?;
        Ok(Launch::InProcess(Box::new(InProcess {
            script,
            attempt: assignment.attempt.number,
            answers: assignment.handoff.answers.clone(),
        })))
    }

    /// For a process that ended, which a script has not: see [`Played::claim`].
    fn interpret(&self, ended: &Ended, _tail: &str) -> Claim {
        match ended.exit {
            Exit::Signal(_) => Claim::Nothing,
            Exit::Status(_) | Exit::NoProcess => Claim::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{FileType, Mode};

    use super::*;

    fn play(folder: &Path, text: &str, attempt: u32) -> Result<Played, Fault> {
        run_script(&Script::parse(text).unwrap(), folder, attempt, &[])
    }

    #[test]
    fn each_attempt_has_its_steps_and_the_last_repeats() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"attempts": [
            [{"print": "hm"}, {"exit": 3}, {"print": "never"}],
            [{"write": {"path": "d/e/a.md", "text": "one"}},
             {"append": {"path": "d/e/a.md", "text": " two"}}, {"take_ms": 5}, {"take_ms": 6}],
            [{"delete": {"path": "d/e/a.md"}}, {"delete": {"path": "d/none/a.md"}}]]}"#;
        let first = play(folder.path(), text, 1).unwrap();
        let expected = Played {
            exit: Exit::Status(3),
            claim: Claim::Done,
            printed: "hm\n".into(),
            took_ms: 0,
        };
        assert_eq!(first, expected);
        assert_eq!(play(folder.path(), text, 2).unwrap().took_ms, 11);
        let made = folder.path().join("d/e/a.md");
        assert_eq!(std::fs::read_to_string(&made).unwrap(), "one two");
        for attempt in [3, 4, u32::MAX] {
            play(folder.path(), text, attempt).unwrap();
            assert!(!made.exists());
        }
    }

    #[test]
    fn a_question_ends_the_attempt_until_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"attempts": [[{"ask": {"text": "which?", "default": "a"}}, {"exit": 2}]]}"#;
        let asked = play(folder.path(), text, 1).unwrap();
        let question = Question {
            text: "which?".into(),
            default: Some("a".into()),
        };
        assert_eq!(
            (asked.exit, asked.claim),
            (Exit::NoProcess, Claim::Asks(question))
        );
        let answers = [Answer {
            question: "which?".into(),
            answer: "b".into(),
        }];
        let script = Script::parse(text).unwrap();
        let answered = run_script(&script, folder.path(), 1, &answers).unwrap();
        assert_eq!(
            (answered.exit, answered.printed.as_str()),
            (Exit::Status(2), "b\n")
        );
    }

    #[test]
    fn limits_signals_and_failures_are_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let claim = |step: &str| {
            let text = format!(r#"{{"attempts": [[{step}]]}}"#);
            play(folder.path(), &text, 1).unwrap().claim
        };
        let limited = Claim::Limited {
            cause: "scripted usage limit".into(),
            wait_ms: Some(7),
        };
        assert_eq!(claim(r#"{"limit": {"wait_ms": 7}}"#), limited);
        assert_eq!(claim(r#"{"signal": 9}"#), Claim::Nothing);
        let failed = Claim::Failed {
            cause: "no idea".into(),
        };
        assert_eq!(claim(r#"{"fail": "no idea"}, {"exit": 3}"#), failed);
    }

    #[test]
    fn nothing_is_written_outside_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("work");
        std::fs::create_dir(&root).unwrap();
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "kept").unwrap();
        symlink(&outside, root.join("way")).unwrap();
        symlink(outside.join("kept"), root.join("link")).unwrap();
        let fifo = root.join("fifo");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, mode, 0).unwrap();
        for path in [
            "../outside/new",
            "/tmp/divisi-new",
            "way/new",
            "link",
            "fifo",
            ".git/config",
        ] {
            for step in ["write", "append"] {
                let text = format!(
                    r#"{{"attempts": [[{{"{step}": {{"path": "{path}", "text": "x"}}}}]]}}"#
                );
                assert!(play(&root, &text, 1).is_err(), "{step} {path}");
            }
        }
        let text = r#"{"attempts": [[{"delete": {"path": "way/kept"}}]]}"#;
        assert!(play(&root, text, 1).is_err());
        let left: Vec<_> = std::fs::read_dir(&outside).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(
            std::fs::read_to_string(outside.join("kept")).unwrap(),
            "kept"
        );
    }

    #[test]
    fn what_is_no_script_is_refused_with_its_place() {
        let fault = |text: &str| Script::parse(text).unwrap_err();
        assert_eq!(fault(r#"{"attempts": []}"#), "`attempts` is empty");
        let unknown = fault(r#"{"attempts": [[{"fly": 1}]]}"#);
        assert!(unknown.starts_with("unknown variant `fly`") && unknown.contains("line 1 column "));
        assert!(fault("{\"attempts\": [[]], \"x\": 1}").starts_with("unknown field `x`"));
        let long = format!(
            r#"{{"attempts": [[{}{{"exit": 0}}]]}}"#,
            r#"{"exit": 0},"#.repeat(1000)
        );
        assert_eq!(
            fault(&long),
            "attempt 1 has 1001 steps, at most 1000 are played"
        );
        assert!(fault(&" ".repeat(2 << 20)).starts_with("it has 2097152 bytes"));
    }
}
