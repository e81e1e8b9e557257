//! Candidates: a task that is solved several times, side by side, of which the best is taken.

use serde::{Deserialize, Serialize};

use super::{TaskKind, TaskSpec, Work, WorkspaceKind};
use crate::ids::TaskId;

/// One solution has nothing to be compared with.
pub const CANDIDATES_MIN: usize = 2;

/// Each costs as much as the task: more of them are a matter of the words, not of luck.
pub const CANDIDATES_MAX: usize = 5;

/// How a task is solved several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// One for each solution, in the order in which equals are preferred.
    pub of: Vec<Candidate>,
    /// How those are compared that pass their checks; by changed lines unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefer: Option<Preference>,
}

/// One of several solutions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who does it; the task's own agent unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// A program that prints one number about a solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// The program and its arguments, run in a checkout of the solution.
    pub argv: Vec<String>,
    /// How long it may take.
    pub timeout_ms: u64,
    /// Which number is the best.
    pub want: Want,
}

/// Which of several numbers is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// The smallest.
    Lowest,
    /// The largest.
    Highest,
}

impl Want {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Want::Lowest => "lowest",
            Want::Highest => "highest",
        }
    }
}

impl TaskSpec {
    /// Why the task cannot be solved several times as it says, if it cannot.
    #[must_use]
    pub fn lacks_candidates(&self) -> Option<&'static str> {
        let candidates = self.candidates.as_ref()?;
        let many = candidates.of.len();
        if !(CANDIDATES_MIN..=CANDIDATES_MAX).contains(&many) {
            return Some("a task has two to five candidates");
        }
        if !matches!(self.kind, TaskKind::Work | TaskKind::Research) || self.work != Work::Handoff {
            return Some("only work that somebody does in words has candidates");
        }
        (self.workspace == WorkspaceKind::Shared)
            .then_some("nothing of a shared workspace could be held back")
    }

    /// Its candidates as tasks with these names: the same words, held to the same.
    pub fn candidates_as<'s>(&'s self, ids: &'s [TaskId]) -> impl Iterator<Item = TaskSpec> + 's {
        let all = self.candidates.iter().flat_map(|it| &it.of);
        all.zip(ids).map(|(candidate, id)| TaskSpec {
            id: id.clone(),
            agent: candidate.agent.clone().or_else(|| self.agent.clone()),
            // Who is named is the one who is compared.
            agents_else: match candidate.agent {
                Some(_) => Vec::new(),
                None => self.agents_else.clone(),
            },
            candidates: None,
            ..self.clone()
        })
    }
}

/// How many tasks these are in a run, with their candidates.
#[must_use]
pub fn count(tasks: &[TaskSpec]) -> usize {
    let candidates = tasks.iter().filter_map(|task| task.candidates.as_ref());
    tasks.len() + candidates.map(|it| it.of.len()).sum::<usize>()
}
