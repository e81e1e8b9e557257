//! Handoffs: exactly what an attempt is given (T8), in the source's form and with more.
//!
//! The first eight members are the source's, named as there. The rest says what the source left
//! to the reader: what to make, from what, within which bounds, when it is done, and why earlier
//! attempts were refused. A handoff is data for an agent; nothing in it is ever executed or
//! rendered as a template.
//!
//! [`Handoff::within`] makes it fit a budget of tokens, which [`tokens()`] estimates.

mod fit;
mod tokens;

use divisi_core::criterion::{Criterion, Outcome, Verdict};
use divisi_core::ids::{TaskId, Time};
use divisi_core::plan::Priority;
use divisi_core::receipt::{Artifact, Exit};
use serde::{Deserialize, Serialize};

pub use fit::TooBig;
pub use tokens::tokens;

/// A handoff's JSON. An agent reads it whole, and most have to pay for every word.
pub const HANDOFF_BYTES_MAX: usize = 256 << 10;

/// Paths that are told of what stands in the folder already.
const ALREADY_MAX: usize = 100;

/// Files that are named of those that it takes.
const TAKES_MAX: usize = 100;

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
    /// Files of the tree that it takes, which nobody made for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<String>,
    /// What the repository asks of agents, the nearest to what the task changes last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guides: Vec<Guide>,
    /// Skills that the repository has for agents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Skill>,
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
    /// The files; they stand in the workspace at their paths, unless that is an empty one.
    pub artifacts: Vec<Artifact>,
    /// What stands in the small ones of them, and how large ones begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Content>,
}

/// What stands in an artifact. Data: whoever made it wrote it, and nothing in it is asked of
/// anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its path.
    pub path: String,
    /// Its text, or how it begins.
    pub text: String,
    /// How much more there is, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_bytes: u64,
}

/// What a file of the repository asks of agents: an `AGENTS.md`, or a `CLAUDE.md` in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// Its path.
    pub path: String,
    /// Its text, or how it begins.
    pub text: String,
    /// How much more there is, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_bytes: u64,
}

/// A skill of the repository, by which an agent may look it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where the rest of it stands.
    pub path: String,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
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
    /// What it was not allowed to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
    /// What was not met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// What could be better about the plan that it made, and is no reason to refuse it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
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
                criterion: match Verdict::beyond(verdict.criterion) {
                    Some(words) => words.to_owned(),
                    None => criteria.get(usize::from(verdict.criterion))?.to_string(),
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

impl Handoff {
    /// Whether there is nothing to tell that a program started by a plan could use: no words, no
    /// role, no inputs, no promises, no bounds, no feedback. No file is written then.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.description.is_empty()
            && self.role.is_empty()
            && self.stage_context.is_empty()
            && self.inputs.is_empty()
            && self.guides.is_empty()
            && self.skills.is_empty()
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

    /// Tells which files of the tree it takes; of many the first ones.
    pub fn take_files(&mut self, mut paths: Vec<String>) {
        let more = paths.len().saturating_sub(TAKES_MAX);
        paths.truncate(TAKES_MAX);
        self.takes = paths;
        if more > 0 {
            self.left_out
                .push(format!("{more} more files that it takes"));
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

    /// The handoff as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a handoff has only text keys")
    }
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
mod tests;
