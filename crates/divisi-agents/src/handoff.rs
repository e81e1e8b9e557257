//! Handoffs: exactly what an attempt is given (T8), in the source's form and with more.
//!
//! The first eight members are the source's, named as there. The rest says what the source left
//! to the reader: what to make, from what, within which bounds, when it is done, and why earlier
//! attempts were refused. A handoff is data for an agent; nothing in it is ever executed or
//! rendered as a template.

use divisi_core::criterion::{Criterion, Outcome, Verdict, truncate};
use divisi_core::ids::{TaskId, Time};
use divisi_core::plan::Priority;
use divisi_core::receipt::{Artifact, Exit};
use serde::{Deserialize, Serialize};

/// A handoff's JSON. An agent reads it whole, and most have to pay for every word.
pub const HANDOFF_BYTES_MAX: usize = 256 << 10;

/// Paths that are told of what stands in the folder already.
const ALREADY_MAX: usize = 100;

/// Names kept in each list of the context when a handoff is too big.
const CONTEXT_NAMES_MAX: usize = 20;

/// Evidence kept of each verdict when a handoff is too big, in bytes.
const EVIDENCE_BYTES_KEPT: usize = 500;

/// Files named of each input when a handoff is too big.
const INPUT_FILES_KEPT: usize = 100;

/// What is kept of the stage context when a handoff is too big, in bytes: its beginning.
const STAGE_CONTEXT_BYTES_KEPT: usize = 8 << 10;

/// What an attempt is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Names it: see [`handoff_id`].
    pub handoff_id: String,
    /// Who hands off; `orchestrator` in the source.
    pub from: String,
    /// The role's domain, or the agent's name where no role is given.
    pub to: String,
    /// The task.
    pub subtask_id: TaskId,
    /// The run.
    pub parent_orchestration: String,
    /// The task's priority.
    pub priority: Priority,
    /// What goes on around it.
    #[serde(default)]
    pub context: Context,
    /// When, in RFC 3339: see [`created_at`].
    pub created_at: String,
    /// The task in one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The rest of what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who does it: what its role sees, answers for and is bound by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// What all tasks of its stage are told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stage_context: String,
    /// What its dependencies made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Given>,
    /// Paths of the files it must make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// When it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// What it may change; empty means anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The attempt's number, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub attempt: u32,
    /// Why earlier attempts were refused, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<Feedback>,
    /// What earlier attempts left in the folder: paths that differ from what it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub already: Vec<String>,
    /// Answers to questions of earlier attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// What was left out because it would have been too big.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

fn one() -> u32 {
    1
}

fn is_one(n: &u32) -> bool {
    *n == 1
}

/// What goes on around a task, each entry a task's id with a remark in parentheses if need be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The intent, in a sentence.
    #[serde(default)]
    pub orchestration_context: String,
    /// What is done.
    #[serde(default)]
    pub dependencies_completed: Vec<String>,
    /// What waits for it.
    #[serde(default)]
    pub next_subtasks: Vec<String>,
    /// What runs beside it.
    #[serde(default)]
    pub related_subtasks: Vec<String>,
}

/// What one dependency made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// By which task.
    pub task: TaskId,
    /// The files; they stand in the workspace at their paths.
    pub artifacts: Vec<Artifact>,
}

/// The refusal of an earlier attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Which attempt.
    pub attempt: u32,
    /// Why, in one line.
    pub reason: String,
    /// How its agent ended, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Why it failed, if its agent said that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_failure: Option<String>,
    /// What was not met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
}

/// A criterion that an earlier attempt did not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The criterion, in words.
    pub criterion: String,
    /// What was seen.
    pub evidence: String,
}

impl Unmet {
    /// The criteria that failed, with what was seen.
    #[must_use]
    pub fn of(criteria: &[Criterion], verdicts: &[Verdict]) -> Vec<Unmet> {
        let failed = verdicts.iter().filter(|v| v.outcome == Outcome::Fail);
        let unmet = failed.filter_map(|verdict| {
            Some(Unmet {
                criterion: match verdict.criterion {
                    Verdict::ON_THE_WHOLE => "what is integrated already still holds".into(),
                    at => criteria.get(usize::from(at))?.to_string(),
                },
                evidence: verdict.evidence.clone(),
            })
        });
        unmet.collect()
    }
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question, to the letter.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// A handoff is too big though everything that may be dropped was dropped. Will repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a handoff: it has {bytes} bytes, at most {HANDOFF_BYTES_MAX} are handed on")]
pub struct TooBig {
    /// Its size in bytes.
    pub bytes: usize,
}

impl Handoff {
    /// Whether there is nothing to tell that a program started by a plan could use: no words, no
    /// role, no inputs, no promises, no bounds, no feedback. No file is written then.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.description.is_empty()
            && self.role.is_empty()
            && self.stage_context.is_empty()
            && self.inputs.is_empty()
            && self.deliverables.is_empty()
            && self.scope.is_empty()
            && self.feedback.is_empty()
            && self.answers.is_empty()
    }

    /// Tells what earlier attempts left in the folder; of many paths the first ones.
    pub fn stands_already(&mut self, mut paths: Vec<String>) {
        let more = paths.len().saturating_sub(ALREADY_MAX);
        paths.truncate(ALREADY_MAX);
        self.already = paths;
        if more > 0 {
            let text = format!("{more} more paths that earlier attempts changed");
            self.left_out.push(text);
        }
    }

    /// Where it stands among the handoffs of its run: in a folder for whom it is, under its name;
    /// later attempts have their number after it. No two attempts of a run share a path, since
    /// ids of tasks are unique and hold no `@`.
    #[must_use]
    pub fn path(&self) -> String {
        let number = match self.attempt {
            0 | 1 => String::new(),
            number => format!("@{number}"),
        };
        let name = handoff_id(&self.to, &self.subtask_id);
        format!("{}/{name}{number}.json", plain(&self.to))
    }

    /// The handoff as JSON of at most [`HANDOFF_BYTES_MAX`] bytes. Beyond that the neighbors'
    /// names are cut first, then those of many files of one input, then older feedback, then
    /// evidence, then the stage context; never what to do and when it is done. What was left out is
    /// said in it.
    ///
    /// # Errors
    /// Even so it is too big.
    pub fn to_json(&self) -> Result<String, TooBig> {
        let whole = json(self);
        if whole.len() <= HANDOFF_BYTES_MAX {
            return Ok(whole);
        }
        let mut less = self.clone();
        for shorten in [
            shorten_context,
            shorten_inputs,
            shorten_feedback,
            shorten_evidence,
            shorten_stage_context,
        ] {
            let left_out = shorten(&mut less);
            less.left_out.extend(left_out);
            let text = json(&less);
            if text.len() <= HANDOFF_BYTES_MAX {
                return Ok(text);
            }
        }
        let bytes = json(&less).len();
        Err(TooBig { bytes })
    }
}

fn json(handoff: &Handoff) -> String {
    serde_json::to_string_pretty(handoff).expect("a handoff has only text keys")
}

/// Each of these says what it left out, if anything.
fn shorten_context(handoff: &mut Handoff) -> Option<String> {
    let context = &mut handoff.context;
    let mut all = 0;
    for names in [
        &mut context.dependencies_completed,
        &mut context.next_subtasks,
        &mut context.related_subtasks,
    ] {
        let more = names.len().saturating_sub(CONTEXT_NAMES_MAX);
        if more > 0 {
            names.truncate(CONTEXT_NAMES_MAX);
            names.push(format!("(and {more} more)"));
            all += more;
        }
    }
    (all > 0).then(|| format!("{all} names of tasks around this one"))
}

/// The files stand in the workspace, whether they are named or not.
fn shorten_inputs(handoff: &mut Handoff) -> Option<String> {
    let mut more = 0;
    for input in &mut handoff.inputs {
        more += input.artifacts.len().saturating_sub(INPUT_FILES_KEPT);
        input.artifacts.truncate(INPUT_FILES_KEPT);
    }
    (more > 0).then(|| format!("{more} more files of inputs; they stand in the workspace"))
}

fn shorten_feedback(handoff: &mut Handoff) -> Option<String> {
    let older = handoff.feedback.len().saturating_sub(1);
    let last = handoff.feedback.drain(..older).next_back()?;
    Some(format!(
        "why attempts up to number {} were refused",
        last.attempt
    ))
}

fn shorten_evidence(handoff: &mut Handoff) -> Option<String> {
    let mut many = 0;
    for feedback in &mut handoff.feedback {
        if let Some(claim) = &mut feedback.claimed_failure {
            truncate(claim, EVIDENCE_BYTES_KEPT);
        }
        for unmet in &mut feedback.unmet {
            many += usize::from(unmet.evidence.len() > EVIDENCE_BYTES_KEPT);
            truncate(&mut unmet.evidence, EVIDENCE_BYTES_KEPT);
        }
    }
    (many > 0).then(|| format!("the rest of what was seen of {many} criteria"))
}

fn shorten_stage_context(handoff: &mut Handoff) -> Option<String> {
    let context = &mut handoff.stage_context;
    let bytes = context.len();
    truncate(context, STAGE_CONTEXT_BYTES_KEPT);
    (context.len() < bytes).then(|| "the rest of the stage context".to_owned())
}

/// A handoff's name, with which that of its file begins: `to-{to}-subtask-{task}`.
#[must_use]
pub fn handoff_id(to: &str, task: &TaskId) -> String {
    format!("to-{}-subtask-{task}", plain(to))
}

/// A name as a part of a path.
fn plain(name: &str) -> String {
    let plain = |c: char| match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' => c,
        _ => '-',
    };
    match name {
        "" => "nobody".to_owned(),
        name => name.chars().take(60).map(plain).collect(),
    }
}

/// A moment as handoffs write it: RFC 3339, in UTC, whole seconds.
#[must_use]
pub fn created_at(at: Time) -> String {
    i64::try_from(at.0 / 1_000)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::Digest;

    const SOURCE: &str = r#"{
  "handoff_id": "to-development-subtask-auth-002",
  "from": "orchestrator",
  "to": "development",
  "subtask_id": "auth-002-backend",
  "parent_orchestration": "orch-task-1762342920",
  "priority": "high",
  "context": {
    "orchestration_context": "Part of larger auth system implementation",
    "dependencies_completed": [
      "auth-001-design"
    ],
    "next_subtasks": [
      "auth-004-tests (waits for this)"
    ],
    "related_subtasks": [
      "auth-003-frontend (parallel)"
    ]
  },
  "created_at": "2025-11-05T18:05:00Z"
}"#;

    fn source() -> Handoff {
        serde_json::from_str(SOURCE).unwrap()
    }

    #[test]
    fn the_sources_form_is_read_and_written_unchanged() {
        assert_eq!(source().to_json().unwrap(), SOURCE);
        assert_eq!(created_at(Time(1_762_365_900_123)), "2025-11-05T18:05:00Z");
    }

    #[test]
    fn only_what_tells_something_makes_a_file() {
        assert!(source().is_bare());
        let answer = Answer {
            question: "which?".into(),
            answer: "b".into(),
        };
        let told = Handoff {
            answers: vec![answer],
            ..source()
        };
        assert!(!told.is_bare());
    }

    #[test]
    fn what_failed_is_told_with_what_was_seen() {
        let criteria = [
            Criterion::ExitStatus,
            Criterion::File {
                path: "a.md".into(),
                min_bytes: 100,
            },
        ];
        let verdicts = [Verdict::pass(0), Verdict::fail(1, "a.md has 12 bytes")];
        let unmet = Unmet {
            criterion: "a.md has at least 100 bytes".into(),
            evidence: "a.md has 12 bytes".into(),
        };
        assert_eq!(Unmet::of(&criteria, &verdicts), [unmet]);
    }

    #[test]
    fn a_big_handoff_loses_names_before_feedback_and_never_its_words() {
        let names: Vec<String> = (0..40_000).map(|n| format!("task-{n}")).collect();
        let mut big = source();
        big.context.dependencies_completed = names;
        big.feedback = (1..4)
            .map(|attempt| Feedback {
                attempt,
                reason: "x".repeat(50_000),
                exit: None,
                claimed_failure: None,
                unmet: Vec::new(),
            })
            .collect();
        let fitted: Handoff = serde_json::from_str(&big.to_json().unwrap()).unwrap();
        let kept = &fitted.context.dependencies_completed;
        assert_eq!(kept.last().unwrap(), "(and 39980 more)");
        assert_eq!(fitted.feedback.len(), 3);
        big.feedback[2].reason = "x".repeat(200_000);
        let fitted: Handoff = serde_json::from_str(&big.to_json().unwrap()).unwrap();
        assert_eq!((fitted.feedback.len(), fitted.feedback[0].attempt), (1, 3));
        let said = [
            "39980 names of tasks around this one",
            "why attempts up to number 2 were refused",
        ];
        assert_eq!(fitted.left_out, said);
        big.description = "x".repeat(HANDOFF_BYTES_MAX);
        assert!(big.to_json().unwrap_err().bytes > HANDOFF_BYTES_MAX);
    }

    #[test]
    fn an_input_of_thousands_of_files_is_named_by_some_of_them() {
        let file = |n: usize| Artifact {
            path: format!("pages/{n}.md"),
            digest: Digest::new(&"d".repeat(64)).unwrap(),
            bytes: 7,
        };
        let mut big = source();
        big.inputs = vec![Given {
            task: TaskId::new("pages").unwrap(),
            artifacts: (0..5_000).map(file).collect(),
        }];
        let fitted: Handoff = serde_json::from_str(&big.to_json().unwrap()).unwrap();
        assert_eq!(fitted.inputs[0].artifacts.len(), INPUT_FILES_KEPT);
        let said = ["4900 more files of inputs; they stand in the workspace"];
        assert_eq!(fitted.left_out, said);
    }

    #[test]
    fn a_stage_context_is_cut_last_and_its_beginning_stays() {
        let mut big = source();
        big.stage_context = format!("All of one shop. {}", "x".repeat(60_000));
        let whole: Handoff = serde_json::from_str(&big.to_json().unwrap()).unwrap();
        assert_eq!(whole, big, "there is room for it");
        assert!(!big.is_bare());
        big.description = "x".repeat(HANDOFF_BYTES_MAX - 40_000);
        big.feedback = vec![Feedback {
            attempt: 1,
            reason: "no".into(),
            exit: None,
            claimed_failure: None,
            unmet: vec![Unmet {
                criterion: "it is short".into(),
                evidence: "y".repeat(2_000),
            }],
        }];
        let fitted: Handoff = serde_json::from_str(&big.to_json().unwrap()).unwrap();
        assert_eq!(fitted.description, big.description);
        assert!(fitted.stage_context.starts_with("All of one shop. xxx"));
        assert_eq!(fitted.stage_context.len(), STAGE_CONTEXT_BYTES_KEPT);
        let said = [
            "the rest of what was seen of 1 criteria",
            "the rest of the stage context",
        ];
        assert_eq!(fitted.left_out, said);
    }

    #[test]
    fn no_two_attempts_share_a_path() {
        let path = |to: &str, task: &str, attempt: u32| {
            let handoff = Handoff {
                to: to.to_owned(),
                subtask_id: TaskId::new(task).unwrap(),
                attempt,
                ..source()
            };
            handoff.path()
        };
        assert_eq!(
            path("development", "auth-002", 1),
            "development/to-development-subtask-auth-002.json"
        );
        let all = [
            path("a", "b", 1),
            path("a", "b", 2),
            path("a", "b.2", 1),
            path("a-subtask-b", "c", 1),
            path("a", "b-subtask-c", 1),
        ];
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
        assert_eq!(path("../..", "a", 1), "-----/to-------subtask-a.json");
        assert_eq!(path("", "a", 1), "nobody/to-nobody-subtask-a.json");
    }

    #[test]
    fn an_id_is_a_file_name() {
        let task = TaskId::new("auth-002").unwrap();
        assert_eq!(
            handoff_id("development", &task),
            "to-development-subtask-auth-002"
        );
        assert_eq!(handoff_id("../ü", &task), "to------subtask-auth-002");
    }
}
