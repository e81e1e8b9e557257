//! Feedback: what a run shows to those who plan the next one.
//!
//! [`gather()`] computes it from the run's state, and from notes in documents that the caller read;
//! it touches nothing itself. Whenever a stage has ended, its feedback is owed: [`Keeper`] sees
//! that while a run is worked on, [`catch_up`] whenever a command looks at a run again. Both keep what
//! is not kept yet and propose lessons; nothing waits for them, and nothing takes effect.
//!
//! Figures are told stage by stage: an iteration of a workflow, or
//! what an agent planned, is a stage, and what stands under no plan task is one more. [`patterns`]
//! are found by named rules over the whole run; what they teach becomes a lesson elsewhere.

mod figures;
mod keeper;
mod kept;
mod patterns;
mod teaching;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Run, TaskState};
use divisi_core::{Commit, TaskKind, TaskNo, Time};
use serde::{Deserialize, Serialize};

pub(crate) use keeper::{Bell, Keeper};
pub(crate) use kept::{catch_up, up_to_date};
pub(crate) use patterns::{Change, Pattern};

/// So many documents of a stage are looked into for notes.
const DOCUMENTS_MAX: usize = 200;

/// The feedback of a run. Durations are in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Feedback {
    /// The run, for example `run-3`.
    pub(crate) run: String,
    /// What was asked, in one line.
    pub(crate) title: String,
    /// What each stage came to.
    pub(crate) stages: Vec<Figures>,
    /// What the rules found.
    pub(crate) patterns: Vec<Pattern>,
}

/// What a stage came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The plan task whose tasks these are; of the rest, the run's title.
    pub(crate) stage: String,
    /// When the last of it ended; `None` while it goes on.
    pub(crate) ended_at: Option<Time>,
    /// Tasks, the plan task included.
    pub(crate) tasks: u32,
    /// Attempts at them.
    pub(crate) attempts: u32,
    /// Of these, beyond the first at each task.
    pub(crate) retries: u32,
    /// Of these, failures of the agents' own.
    pub(crate) failed: u32,
    /// Of those, past their time box.
    pub(crate) overdue: u32,
    /// Attempts that were lost.
    pub(crate) lost: u32,
    /// Attempts that contradicted what was integrated meanwhile.
    pub(crate) conflicts: u32,
    /// Attempts that met a usage limit.
    pub(crate) usage_limits: u32,
    /// Which criterion refused how often; the most frequent first.
    pub(crate) refusals: Vec<Refusal>,
    /// Questions that agents asked.
    pub(crate) questions: u32,
    /// How long people had a task or a question, as far as it is over.
    pub(crate) people_ms: u64,
    /// Tasks that a person must do something about now.
    pub(crate) left_to_people: Vec<String>,
    /// Agents' time over all attempts.
    pub(crate) agent_ms: u64,
    /// The estimates' sum, if any task had one.
    pub(crate) estimate_ms: Option<u64>,
    /// Agents' time of the tasks that had an estimate, to compare with it.
    pub(crate) estimated_agent_ms: u64,
    /// Tokens that were used; `None` where no agent told.
    pub(crate) tokens: Option<u64>,
    /// The estimates' sum of tokens, if any task had one.
    pub(crate) estimate_tokens: Option<u64>,
    /// What agents and people wrote, each cut.
    pub(crate) said: Vec<Said>,
}

/// A criterion that refused attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// The criterion in words.
    pub(crate) criterion: String,
    /// How often.
    pub(crate) times: u32,
    /// At which tasks.
    pub(crate) tasks: BTreeSet<String>,
    /// How often each role; tasks without one are not counted.
    pub(crate) roles: BTreeMap<String, u32>,
}

/// Something that was written: data, whatever stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// At which task.
    pub(crate) task: String,
    /// As what: `question`, `answer`, `refusal`, or the path of a document.
    pub(crate) place: String,
    /// What.
    pub(crate) text: String,
}

/// Notes that stand in documents, by commit and path: see [`documents`].
pub(crate) type Notes = BTreeMap<(Commit, String), Vec<String>>;

/// Computes the feedback.
pub(crate) fn gather(run: &Run, notes: &Notes) -> Feedback {
    Feedback {
        run: run.id.to_string(),
        title: run.title.clone(),
        stages: figures::of(run, &stages(run), notes),
        patterns: patterns::of(run),
    }
}

/// When each stage of a run ended; those that go on are left out.
fn ends(run: &Run) -> BTreeMap<Option<TaskNo>, Time> {
    let ends = figures::ends(run, &stages(run)).into_iter();
    ends.filter_map(|(stage, end)| Some((stage, end?)))
        .collect()
}

/// A document that notes may stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// The stage that made it.
    stage: Option<TaskNo>,
    path: String,
    /// The task of the stage that made it last.
    maker: TaskNo,
    /// Where that was integrated. What later stages do to the document is not in it, so that it says
    /// the same whenever it is read.
    commit: Commit,
}

/// The documents of each stage that notes may stand in: Markdown that was made and integrated.
/// `stages` says the stage of each task.
pub(crate) fn documents(run: &Run, stages: &[Option<TaskNo>]) -> Vec<Document> {
    let mut made: BTreeMap<(Option<TaskNo>, &str), (Time, TaskNo, &Commit)> = BTreeMap::new();
    for (no, (task, stage)) in run.tasks().iter().zip(stages).enumerate() {
        let ended = task.endings.iter().rev();
        let integrated = { ended }.find(|ending| ending.end == AttemptEnd::Integrated);
        let receipts = || integrated.into_iter().flat_map(|ending| &ending.receipts);
        let commit = receipts().find_map(|receipt| match receipt {
            Receipt::Integrated { at, commit, .. } => Some((*at, commit.as_ref()?)),
            _ => None,
        });
        let Some((at, commit)) = commit else {
            continue;
        };
        let collected = receipts().filter_map(|receipt| match receipt {
            Receipt::Collected { artifacts, .. } => Some(artifacts),
            _ => None,
        });
        let documents = collected.flatten().filter(|it| it.path.ends_with(".md"));
        for document in documents {
            let this = (at, TaskNo(no as u32), commit);
            let last = made.entry((*stage, &*document.path)).or_insert(this);
            *last = (*last).max(this);
        }
    }
    let mut counts: BTreeMap<Option<TaskNo>, usize> = BTreeMap::new();
    let made = made.into_iter().filter(|((stage, _), _)| {
        let count = counts.entry(*stage).or_default();
        *count += 1;
        *count <= DOCUMENTS_MAX
    });
    made.map(|((stage, path), (_, maker, commit))| Document {
        stage,
        path: path.to_owned(),
        maker,
        commit: commit.clone(),
    })
    .collect()
}

/// The plan task above each task, itself included; the outermost where plans are nested. Candidates
/// stand where their task does.
fn stages(run: &Run) -> Vec<Option<TaskNo>> {
    let mut of: Vec<Option<TaskNo>> = vec![None; run.tasks().len()];
    // What takes a task's place has a greater number.
    for (no, task) in run.tasks().iter().enumerate() {
        if let Some(solved) = task.candidate_of {
            of[no] = of[solved.index()];
        } else if of[no].is_none() && task.spec.kind == TaskKind::Plan {
            of[no] = Some(TaskNo(no as u32));
        }
        if let TaskState::Split(parts) = &task.state {
            for part in parts {
                of[part.index()] = of[no];
            }
        }
    }
    of
}
