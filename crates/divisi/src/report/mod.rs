//! The report of a run: what was asked, what was done and by whom, what proves it, what does not.
//!
//! [`gather()`] computes the facts from the run alone, so the report can be written by the engine
//! when a run ends, and by `divisi report` at any time, and says the same. [`with_changed()`] adds the
//! changed files that only the repository knows. [`markdown()`] words them. Nothing is claimed that no receipt or verdict shows: what was not verified has a section
//! of its own.

mod answers;
mod changed;
mod compare;
mod expected;
mod gather;
mod markdown;
mod shown;

use divisi_core::run::{Answer, Base, RunStatus, TaskStatus};
use divisi_core::{Commit, Digest, Intent, Outcome, Time, Tree};
use serde::Serialize;

pub(crate) use changed::with_changed;
pub(crate) use compare::{compare, compared};
use expected::Expected;
pub(crate) use gather::gather;
pub(crate) use markdown::markdown;

/// The report of a run. Durations are in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The run, for example `run-3`.
    pub(crate) run: String,
    /// What was asked, in one line.
    pub(crate) title: String,
    /// What was asked, and how it became the plan; `None` where a plan or a workflow was run.
    pub(crate) intent: Option<Intent>,
    /// Where the run stands.
    pub(crate) status: RunStatus,
    /// When it was created.
    pub(crate) created_at: Time,
    /// When it ended, if it has.
    pub(crate) ended_at: Option<Time>,
    /// How often the plan was revised after it was accepted.
    pub(crate) revisions: u32,
    /// What it started from.
    pub(crate) base: Base,
    /// The commit that holds its result, if it has files.
    pub(crate) head: Option<String>,
    /// How it stands in words: one that is paused does not run, nor one that no engine works on.
    #[serde(skip)]
    pub(crate) standing: String,
    /// Whether it holds work of agents that only played a script.
    pub(crate) scripted: bool,
    /// The five questions that a finished run must answer with yes.
    pub(crate) answers: Vec<Answered>,
    /// Verdicts on the criteria of the whole.
    pub(crate) whole: Vec<Judged>,
    /// The tasks, in the plan's order.
    pub(crate) tasks: Vec<Done>,
    /// What else differs in the result; `None` where nobody looked, or there is no result.
    pub(crate) changed: Option<Changed>,
    /// Attempts and time.
    pub(crate) use_of_time: UseOfTime,
    /// What its tasks as they are now were expected to take together, if any had an estimate.
    pub(crate) expected: Option<Expected>,
    /// What was taken for granted.
    pub(crate) assumptions: Vec<String>,
    /// What there was to say about the plan that an agent made.
    pub(crate) advice: Vec<String>,
    /// What nobody and nothing verified.
    pub(crate) unverified: Vec<String>,
    /// Attempts whose writes were not confined, as `task` or `task, attempt 2`.
    pub(crate) unconfined: Vec<String>,
    /// What the plan would have copied into workspaces and was not, with the reasons.
    pub(crate) left_out: Vec<String>,
    /// Work that contradicted integrated work and was done anew.
    pub(crate) conflicts: Vec<String>,
    /// Attempts whose agents said themselves that they failed, with what they said.
    pub(crate) claimed_failures: Vec<String>,
    /// Attempts that were lost.
    pub(crate) losses: Vec<String>,
    /// Work of given-up attempts that is kept.
    pub(crate) offers: Vec<String>,
}

/// A question and its answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    /// The question, as a statement that should hold.
    pub(crate) statement: &'static str,
    /// Whether it holds; `None` if nobody can tell yet.
    pub(crate) holds: Option<bool>,
    /// What shows it.
    pub(crate) evidence: String,
}

/// A criterion with its verdict.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    /// The criterion in words.
    pub(crate) criterion: String,
    /// What was found; `None` if it was not evaluated.
    pub(crate) outcome: Option<Outcome>,
    /// Its check passed already before the work.
    pub(crate) proves_nothing: bool,
    /// What was seen.
    pub(crate) evidence: String,
}

/// A file that a task made.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    /// Where it stands in the result.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
}

/// Files that differ from the base and that no task promised.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    /// The first of them.
    pub(crate) files: Vec<String>,
    /// How many more there are.
    pub(crate) more: u64,
}

/// What became of a task.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    /// Its id.
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
    /// Its status.
    pub(crate) status: TaskStatus,
    /// Who did it, or would have.
    pub(crate) agent: String,
    /// Whether that agent only played a script.
    pub(crate) scripted: bool,
    /// Attempts so far.
    pub(crate) attempts: u32,
    /// Agents' time over all attempts.
    pub(crate) agent_ms: u64,
    /// The estimate, if there was one.
    pub(crate) estimate_ms: Option<u64>,
    /// Tokens that its agents reported over all attempts; `None` if none did.
    pub(crate) tokens: Option<u64>,
    /// Tokens as estimated, if they were.
    pub(crate) estimate_tokens: Option<u64>,
    /// What they cost over all attempts in millionths of a US dollar, by its agents' words or the
    /// configured prices; `None` if nobody said.
    pub(crate) usd_micros: Option<u64>,
    /// What its agents asked leave for and were denied.
    pub(crate) denied: Vec<String>,
    /// Why it is where it is, unless it is done.
    pub(crate) reason: Option<String>,
    /// Its criteria with the verdicts on its last judged attempt.
    pub(crate) verdicts: Vec<Judged>,
    /// What its owner told it, or said when consenting.
    pub(crate) told: Vec<Answer>,
    /// What it promised and made.
    pub(crate) artifacts: Vec<Made>,
    /// Where its work stands in the result; `None` if it made no files, or is not integrated.
    pub(crate) integrated: Option<Integrated>,
    /// Which of its candidates was chosen and why, or what became of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<String>,
    /// Those of its candidates that passed, whose work is kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<String>,
}

/// A task's commit in the result.
#[derive(Debug, Serialize)]
pub(crate) struct Integrated {
    /// The commit.
    pub(crate) commit: Commit,
    /// Its tree; `None` in journals from before it was told.
    pub(crate) tree: Option<Tree>,
}

/// Attempts and time of the whole run.
#[derive(Debug, Serialize)]
pub(crate) struct UseOfTime {
    /// From its creation to its end, or to its last event.
    pub(crate) wall_ms: u64,
    /// Of this, nothing went on without a person: before approval, while paused, while all that was
    /// open waited for people.
    pub(crate) waited_ms: u64,
    /// Agents' time over all attempts.
    pub(crate) agent_ms: u64,
    /// The estimates' sum, if any task had one.
    pub(crate) estimate_ms: Option<u64>,
    /// Agents' time of the tasks that had an estimate, to compare with it.
    pub(crate) estimated_agent_ms: u64,
    /// Tokens that agents reported over all attempts; `None` if none did.
    pub(crate) tokens: Option<u64>,
    /// Tasks whose agents reported none.
    pub(crate) tokens_unreported: u32,
    /// What they cost in millionths of a US dollar, as far as it was said; `None` if nobody said.
    pub(crate) usd_micros: Option<u64>,
    /// Attempts.
    pub(crate) attempts: u32,
    /// Of these, refused by checks or people, stopped as stalled or overdue, or not started.
    pub(crate) failed: u32,
    /// Of these, lost.
    pub(crate) lost: u32,
}

#[cfg(test)]
mod tests;
