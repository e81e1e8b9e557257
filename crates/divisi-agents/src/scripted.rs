//! The *scripted* agent: a deterministic list of steps per attempt, played inside the engine.
//!
//! It exists for examples, tests, benchmarks and the simulator, where the agent's behavior must be
//! known beforehand, and for rehearsals of a workflow, where nothing may be spent; whatever it does is
//! labelled as scripted wherever it shows. A plan names it with `"agent": "scripted"`, and the task's
//! `script` is JSON:
//!
//! ```json
//! {"attempts": [[{"print": "hm"}, {"exit": 1}],
//!               [{"write": {"path": "a.md", "text": "done"}}]]}
//! ```
//!
//! The last list repeats for later attempts. A task that is a handoff has no script of its own: what
//! is played for it comes with its assignment, from the rules of a rehearsal. Steps that write do it
//! beneath the workspace, never through a link.

use std::path::Path;

use divisi_core::ledger::{Bound, Measure};
use divisi_core::plan::Work;
use divisi_core::receipt::{Exit, Usage};
use divisi_core::run::Budget;
use divisi_core::script::{Script, Step};
use divisi_core::worker::Ended;

use crate::agent::{
    Agent, Assignment, Claim, Description, Figures, InProcess, Kind, Launch, LaunchFault,
    Monitoring, Told,
};
use crate::beneath::{Fault, Place, delete, write};
use crate::handoff::Answer;

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
    /// What it reported to have used.
    pub usage: Option<Usage>,
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
    reserved: &Budget,
) -> Result<Played, Fault> {
    let mut played = Played {
        exit: Exit::Status(0),
        claim: Claim::Done,
        printed: String::new(),
        took_ms: 0,
        usage: None,
    };
    let mut steps = script.steps(attempt).iter();
    while let Some(step) = steps.next() {
        match step {
            Step::Write { path, text } => write(workspace, path, text.as_bytes(), Place::Whole)?,
            Step::Append { path, text } => write(workspace, path, text.as_bytes(), Place::End)?,
            Step::Delete { path } => delete(workspace, path)?,
            Step::Print(text) => say(&mut played.printed, text),
            Step::TakeMs(ms) => played.took_ms = played.took_ms.saturating_add(*ms),
            Step::Usage(more) => {
                let usage = played.usage.unwrap_or_default().and(*more);
                played.usage = Some(usage);
                if let Some(bound) = used_up(usage, reserved)
                    && steps.len() > 0
                {
                    played.exit = Exit::NoProcess;
                    played.claim = Claim::UsedUp { bound };
                    break;
                }
            }
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
            Step::TooLarge(cause) => {
                played.claim = Claim::TooLarge {
                    cause: cause.clone(),
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

/// What of a reservation is used up.
fn used_up(usage: Usage, reserved: &Budget) -> Option<Bound> {
    let beyond = |bound: &Bound| match bound.measure() {
        Measure::Tokens => usage.tokens > bound.much(),
        Measure::UsdMicros => usage.usd_micros.is_some_and(|micros| micros > bound.much()),
        Measure::Attempts | Measure::TimeMs => false,
    };
    reserved.bounds().find(beyond)
}

fn say(printed: &mut String, text: &str) {
    printed.push_str(text);
    printed.push('\n');
}

/// Plays what the task's `script` says, or for a handoff what its assignment brings.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptedAgent;

impl Agent for ScriptedAgent {
    fn description(&self) -> Description {
        Description {
            name: "scripted".into(),
            kind: Kind::Scripted,
            monitoring: Monitoring::of(Kind::Scripted),
            credentials: Vec::new(),
            reads: Vec::new(),
            guides: Vec::new(),
            tail_bytes: 0,
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            tokens: Told::EachAnswer,
            ..Figures::default()
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        let task = assignment.task.id.to_string();
        let script = match (&assignment.task.work, assignment.script) {
            (Work::Script(text), _) => {
                Script::parse(text).map_err(|cause| LaunchFault::Script { task, cause })?
            }
            (Work::Handoff, Some(script)) => script.clone(),
            (work, _) => {
                let cause = match work {
                    Work::Handoff => "no rule of the rehearsal is for it",
                    _ => "the task has no `script`",
                };
                return Err(LaunchFault::Unsuited {
                    task,
                    agent: "scripted".into(),
                    cause: cause.into(),
                });
            }
        };
        Ok(Launch::InProcess(Box::new(InProcess {
            script,
            attempt: assignment.attempt.number,
            answers: assignment.handoff.answers.clone(),
            reserved: Budget::default(),
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

    use divisi_core::script::Question;
    use rustix::fs::{FileType, Mode};

    use super::*;

    fn play(folder: &Path, text: &str, attempt: u32) -> Result<Played, Fault> {
        run_script(
            &Script::parse(text).unwrap(),
            folder,
            attempt,
            &[],
            &Budget::default(),
        )
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
            usage: None,
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
        let answered = run_script(&script, folder.path(), 1, &answers, &Budget::default()).unwrap();
        assert_eq!(
            (answered.exit, answered.printed.as_str()),
            (Exit::Status(2), "b\n")
        );
    }

    #[test]
    fn a_play_ends_at_the_step_that_uses_its_reservation_up_unless_it_is_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"attempts": [[{"usage": {"tokens": 60}}, {"print": "half"},
            {"usage": {"tokens": 60}}, {"print": "never"}],
            [{"print": "all"}, {"usage": {"tokens": 120}}]]}"#;
        let script = Script::parse(text).unwrap();
        let reserved = Budget::default().with(Bound::Tokens(100));
        let play = |attempt| run_script(&script, folder.path(), attempt, &[], &reserved).unwrap();
        let ended = play(1);
        let bound = Bound::Tokens(100);
        assert_eq!(ended.claim, Claim::UsedUp { bound });
        assert_eq!(ended.printed, "half\n");
        assert_eq!(ended.usage.unwrap().tokens, 120);
        let done = play(2);
        assert_eq!((done.claim, done.printed.as_str()), (Claim::Done, "all\n"));
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
    fn what_is_used_adds_up_to_the_end_of_the_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"attempts": [[{"usage": {"tokens": 5}}, {"usage": {"tokens": 7}},
            {"exit": 1}, {"usage": {"tokens": 100}}], []]}"#;
        let used = |attempt| play(folder.path(), text, attempt).unwrap().usage;
        assert_eq!(
            used(1),
            Some(Usage {
                tokens: 12,
                usd_micros: None
            })
        );
        assert_eq!(used(2), None);
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
}
