//! What can be asked of a run, and why it may refuse.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::PauseReason;
use super::settings::Settings;
use super::state::Base;
use super::task::TaskStatus;
use crate::criterion::Verdict;
use crate::ids::{AttemptId, Commit, Epoch, TaskId, TaskNo, Time, Tree};
use crate::intent::Intent;
use crate::ledger::{Bound, Exhausted, Means};
use crate::permission::{Decision, Request, Ruled};
use crate::plan::{Parts, Plan};
use crate::receipt::{Artifact, Measured, Snapshot};
use crate::worker::Ended;

/// What the monitor found about a live attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Something seems wrong; nothing is done yet.
    Suspected(String),
    /// The suspicion was unfounded.
    Cleared,
    /// No progress for too long.
    Stalled(String),
    /// Past its time box.
    Overdue,
    /// No process, no heartbeat: nobody holds it.
    Lost(String),
}

/// What an agent can say as it ends that means anything but "done". Like all that agents say, it is
/// taken at its word only where that costs nothing but a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It needs an answer before it can go on.
    Question(String),
    /// It met a usage limit, which is not its failure.
    UsageLimit {
        /// Which.
        cause: String,
        /// How long to wait, if it knows.
        wait_ms: Option<u64>,
        /// When its credential may be used again, as the ledger knows.
        ends_at: Option<Time>,
    },
    /// It was ended since what was reserved for it is used up: this.
    UsedUp(Bound),
    /// It could not do it. That is recorded and told; what it made is looked at like any other work.
    Failure(String),
    /// It found the work to be more than one task, and says why. What it made is looked at like any
    /// other work: it may be done all the same.
    TooLarge(String),
    /// The machine was in its way, and may not be the next time. Only Divisi's own compositions say
    /// so.
    Hindrance(String),
}

/// One merged attempt of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Whose work.
    pub attempt: AttemptId,
    /// The commit on the run's branch.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
}

/// An imperative ask.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start nothing new. With `stop`, agents are ended gracefully too.
    Pause {
        /// Why.
        reason: PauseReason,
        /// Whether live agents are ended.
        stop: bool,
    },
    /// Go on.
    Resume,
    /// Cancel the run, or one task.
    Cancel {
        /// The task; `None` for the run.
        task: Option<TaskNo>,
    },
    /// Try a task again; its counts begin anew.
    Retry {
        /// The task.
        task: TaskNo,
        /// What the agent should know.
        note: String,
    },
    /// A person's work stands in its workspace.
    Submit {
        /// The task.
        task: TaskNo,
    },
    /// Consent: to the plan, to an approval task, or to the plain-word criteria of a held attempt.
    Approve {
        /// The task; `None` for the run: its plan, and once that is approved its final criteria.
        task: Option<TaskNo>,
        /// What was seen.
        note: String,
        /// The criteria are waived, not found to hold; the report shows it.
        waive: bool,
    },
    /// Refuse: the plan that an agent made, what it came to as a whole, an approval, a held attempt,
    /// work that a person was to do; or give up an escalated task.
    Reject {
        /// The task; `None` for the run: its plan, and once that is approved its final criteria.
        task: Option<TaskNo>,
        /// Why.
        reason: String,
    },
    /// Answer an agent's question.
    Answer {
        /// The task.
        task: TaskNo,
        /// The answer.
        text: String,
    },
    /// Take the kept work of an attempt that was given up as a new attempt's.
    Adopt {
        /// The task.
        task: TaskNo,
        /// The number of the attempt; the last one whose work is kept unless told.
        number: Option<u32>,
    },
    /// Give up what an attempt left that was given up: its kept work, and its workspace.
    Discard {
        /// The task.
        task: TaskNo,
        /// The number of the attempt.
        number: u32,
    },
    /// Put another plan in the place of the one that awaits approval.
    Replace {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// Replace a task by smaller ones.
    Split {
        /// The task.
        task: TaskNo,
        /// The parts.
        parts: Parts,
        /// Why.
        reason: String,
    },
    /// Replace a task by two that each have a half of what can be checked of it.
    Divide {
        /// The task.
        task: TaskNo,
        /// Why.
        reason: String,
    },

    /// Give an attempt at a ready task to a worker.
    Lease {
        /// The task.
        task: TaskNo,
        /// The engine's life.
        epoch: Epoch,
        /// The time that was reserved for it, if that is bounded.
        timeout_ms: Option<u64>,
        /// Who does it, with which credential; the task's own agent unless told.
        with: Option<Means>,
    },
    /// Give up a ready candidate: its own account has too little left for another attempt, and gets
    /// nothing back.
    GiveUp {
        /// The task.
        task: TaskNo,
        /// What is used up.
        exhausted: Exhausted,
    },
    /// The agent began.
    Started {
        /// Which.
        attempt: AttemptId,
        /// What its workspace was made from.
        base: Option<Commit>,
        /// Cheap criteria that already pass.
        passed_before: Vec<u16>,
        /// Whether its writes are confined.
        confined: Option<bool>,
        /// What was to be copied into its workspace and was not, with the reasons.
        left_out: Vec<String>,
    },
    /// Its workspace cannot be prepared, which is no fault of the agent's: the run pauses, and
    /// the attempt costs its task nothing.
    NotPrepared {
        /// Which.
        attempt: AttemptId,
        /// Why.
        cause: String,
    },
    /// The agent could not be started.
    NotStarted {
        /// Which.
        attempt: AttemptId,
        /// Why.
        cause: String,
        /// Trying again exactly so will fail again.
        permanent: bool,
    },
    /// Nothing was composed, for a reason of the plan's: trying again exactly so would fail again.
    NotComposed {
        /// Which.
        attempt: AttemptId,
        /// Why, and what to change.
        cause: String,
        /// How its process ended, if there was one.
        ended: Option<Ended>,
    },
    /// The agent's process tree ended.
    Ended {
        /// Which.
        attempt: AttemptId,
        /// How.
        ended: Ended,
        /// What it said as it ended, if that means anything but "done".
        said: Option<Said>,
    },
    /// What the attempt made is durable.
    Collected {
        /// Which.
        attempt: AttemptId,
        /// The snapshot.
        snapshot: Option<Snapshot>,
        /// The promised files.
        artifacts: Vec<Artifact>,
    },
    /// What the attempt made cannot be taken.
    CollectRefused {
        /// Which.
        attempt: AttemptId,
        /// Why, for the next handoff.
        cause: String,
    },
    /// All checks have been evaluated.
    Checked {
        /// Which.
        attempt: AttemptId,
        /// One verdict a criterion.
        verdicts: Vec<Verdict>,
    },
    /// What the attempt planned was read.
    Expanded {
        /// Which.
        attempt: AttemptId,
        /// The commit that it was read from, or matched against.
        from: Option<Commit>,
        /// What it planned.
        parts: Parts,
        /// What there is to say about it all the same.
        advice: Vec<String>,
    },
    /// What the attempt planned cannot be read.
    ExpandRefused {
        /// Which.
        attempt: AttemptId,
        /// Every fault with its place, for the next handoff.
        faults: Vec<String>,
        /// What else there is to say about it.
        advice: Vec<String>,
    },
    /// All evidence that a review cites holds.
    Weighed {
        /// Which.
        attempt: AttemptId,
        /// Its verdicts, by the numbers of what it judges.
        verdicts: Vec<Verdict>,
    },
    /// A review cannot be read, or cites what does not hold.
    WeighRefused {
        /// Which.
        attempt: AttemptId,
        /// Every fault, for the next handoff.
        faults: Vec<String>,
    },
    /// What is compared of a candidate is known.
    Measured {
        /// Which.
        attempt: AttemptId,
        /// That.
        measured: Measured,
    },
    /// A batch was merged onto the head and, where trees differ from verified ones, checked.
    BatchMerged {
        /// The head it was merged onto.
        onto: Commit,
        /// The attempts that merged, in order from the front of the queue.
        merged: Vec<Merged>,
        /// The attempt after them that does not merge, and the paths in conflict.
        conflict: Option<(AttemptId, Vec<String>)>,
        /// What failed on the merged whole; empty if all held.
        refused: Vec<Verdict>,
    },
    /// The run's branch stands at this commit.
    HeadMoved {
        /// Where.
        head: Commit,
    },
    /// The whole was checked.
    FinalChecked {
        /// The head that was checked.
        head: Option<Commit>,
        /// Verdicts on the intent's criteria.
        verdicts: Vec<Verdict>,
        /// Tasks whose own checks fail on the whole.
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    },
    /// The agent asks leave for something.
    AskPermission {
        /// Which.
        attempt: AttemptId,
        /// What it wants to do.
        request: Request,
        /// What the rules say of it.
        ruled: Ruled,
    },
    /// A person answers a request.
    DecidePermission {
        /// Its number within the run.
        no: u32,
        /// The answer.
        decision: Decision,
        /// Whether requests like it are to be answered so from now on.
        always: bool,
    },
    /// Requests that nobody answered in time are denied.
    ExpirePermissions,
    /// The monitor found something.
    Find {
        /// About which attempt.
        attempt: AttemptId,
        /// What.
        finding: Finding,
    },
    /// The supervisor is joined in a new epoch and holds these attempts of the run.
    Joined {
        /// The epoch.
        epoch: Epoch,
        /// What it holds: processes that live, and ends that nobody heard of yet.
        holds: Vec<AttemptId>,
    },
    /// Work of a given-up attempt was made durable.
    OfferCollected {
        /// Which.
        attempt: AttemptId,
        /// The work; `None` if there was nothing.
        snapshot: Option<Snapshot>,
    },
}

/// What creates a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The plan; large, so every hand it goes through shares it.
    pub plan: Arc<Plan>,
    /// Its numbers.
    pub settings: Settings,
    /// What it stands on.
    pub base: Base,
    /// Whether its owner already approved it.
    pub approved: bool,
    /// What it is for, if a request became its plan.
    pub intent: Option<Box<Intent>>,
}

/// A command was accepted; its events say what followed.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// These happened.
    Events(Vec<super::Event>),
    /// Everything was so already.
    Nothing,
}

/// Why a command was refused: data for the caller, words for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rejection", rename_all = "snake_case")]
pub enum Rejection {
    /// The run has ended.
    RunEnded,
    /// The run has not been approved.
    NotApproved,
    /// The run is paused.
    Paused,
    /// No task has this number.
    NoSuchTask,
    /// The word is about an attempt that is not live, or not at this point.
    Superseded {
        /// Which.
        attempt: String,
    },
    /// The task is not in a state in which this can be asked.
    NotNow {
        /// The task.
        task: TaskId,
        /// Its status.
        status: TaskStatus,
        /// What was asked, as a verb.
        asked: String,
        /// What could be asked instead.
        hint: String,
    },
    /// No work of the attempt is kept.
    NoOffer {
        /// The task.
        task: TaskId,
        /// The number of the attempt, if one was named.
        number: Option<u32>,
    },
    /// A limit of the run, a role or an agent is reached.
    LimitReached {
        /// Which.
        limit: String,
    },
    /// The parts do not make a plan.
    BadParts {
        /// Why.
        cause: String,
    },
    /// No rule can divide the task.
    Undivided {
        /// The task.
        task: TaskId,
        /// Why.
        cause: String,
    },
    /// The plan is not one.
    BadPlan {
        /// Why.
        cause: String,
    },
    /// The plan is approved: it is not replaced any more.
    PlanInForce,
    /// No task of the run made its plan, so that nobody could plan anew.
    NobodyPlanned,
    /// The run has had no request of this number.
    NoSuchPermission {
        /// Which.
        no: u32,
    },
    /// The request was answered already.
    PermissionDecided {
        /// Which.
        no: u32,
        /// What became of it, in words.
        how: String,
    },
    /// Nobody waits for the answer any more: the attempt has ended.
    PermissionWithdrawn {
        /// Which.
        no: u32,
    },
    /// It cannot be told what would be like the request: it was cut, or names no file.
    NothingAlike {
        /// Which.
        no: u32,
    },
    /// The answer is about another head than the present one.
    OtherHead,
    /// The whole does not await its owner's judgment.
    WholeNotHeld,
    /// Checks fail on the whole; it can only be waived.
    WholeFails,
}

impl Rejection {
    /// Its code; `docs/errors` has a page for each.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::RunEnded => "run-ended",
            Rejection::NotApproved => "run-not-approved",
            Rejection::Paused => "run-paused",
            Rejection::NoSuchTask => "task-unknown",
            Rejection::Superseded { .. } => "attempt-superseded",
            Rejection::NotNow { .. } => "task-not-now",
            Rejection::NoOffer { .. } => "offer-none",
            Rejection::LimitReached { .. } => "limit-reached",
            Rejection::BadParts { .. } => "split-bad-parts",
            Rejection::Undivided { .. } => "split-undivided",
            Rejection::BadPlan { .. } => "run-bad-plan",
            Rejection::PlanInForce => "planning-in-force",
            Rejection::NobodyPlanned => "planning-by-nobody",
            Rejection::NoSuchPermission { .. } => "permission-unknown",
            Rejection::PermissionDecided { .. } => "permission-decided",
            Rejection::PermissionWithdrawn { .. } => "permission-withdrawn",
            Rejection::NothingAlike { .. } => "permission-once",
            Rejection::OtherHead => "integration-other-head",
            Rejection::WholeNotHeld => "whole-not-held",
            Rejection::WholeFails => "whole-fails",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rejection::RunEnded => write!(f, "the run has ended"),
            Rejection::NotApproved => write!(f, "the run's plan is not approved"),
            Rejection::Paused => write!(f, "the run is paused"),
            Rejection::NoSuchTask => write!(f, "the run has no such task"),
            Rejection::Superseded { attempt } => {
                write!(
                    f,
                    "attempt {attempt} is not live at this point; the word changes nothing"
                )
            }
            Rejection::NotNow {
                task,
                status,
                asked,
                ..
            } => {
                write!(f, "task {task} is {status}; it cannot be {asked} now")
            }
            Rejection::NoOffer { task, number } => match number {
                Some(number) => write!(
                    f,
                    "attempt {number} of task {task} left no work that is kept"
                ),
                None => write!(f, "no attempt of task {task} left work that is kept"),
            },
            Rejection::LimitReached { limit } => write!(f, "the limit of {limit} is reached"),
            Rejection::BadParts { cause } => write!(f, "the parts do not make a plan: {cause}"),
            Rejection::Undivided { task, cause } => {
                write!(f, "no rule can divide {task}: {cause}")
            }
            Rejection::BadPlan { cause } => write!(f, "the plan is not sound: {cause}"),
            Rejection::PlanInForce => {
                write!(f, "the plan is approved and not replaced any more")
            }
            Rejection::NobodyPlanned => {
                write!(f, "no agent made the plan, so that none can plan anew")
            }
            Rejection::NoSuchPermission { no } => write!(f, "the run has no request {no}"),
            Rejection::PermissionDecided { no, how } => {
                write!(f, "request {no} was answered already: {how}")
            }
            Rejection::PermissionWithdrawn { no } => write!(
                f,
                "request {no} is not waited for any more: its attempt has ended"
            ),
            Rejection::NothingAlike { no } => write!(
                f,
                "request {no} can only be answered this once: it is too long to be kept, or names no file"
            ),
            Rejection::OtherHead => write!(f, "the run's branch has moved meanwhile"),
            Rejection::WholeNotHeld => {
                write!(f, "the run as a whole does not await a judgment now")
            }
            Rejection::WholeFails => write!(f, "checks fail on the whole"),
        }
    }
}

impl std::error::Error for Rejection {}
