//! What happened to a run: the journal's words.
//!
//! These are stored. A change of their form needs a new version in [`KINDS`] and an upcaster.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attempt::AttemptEnd;
use super::reviews::Subject;
use super::settings::Settings;
use super::state::{Base, RunStatus};
use crate::criterion::{Criterion, Verdict};
use crate::ids::{AttemptId, Commit, Epoch, RunId, TaskNo, Time, Tree};
use crate::intent::Intent;
use crate::journal::version_of;
use crate::ledger::{Credential, Exhausted};
use crate::permission::{Decider, Decision, Request, Rule};
use crate::plan::{Plan, Stage, TaskSpec};
use crate::receipt::{Exit, Receipt, Snapshot};

/// Why a run starts nothing new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Its owner asked.
    Owner,
    /// It was interrupted from the keyboard, or by a signal.
    Interrupted,
    /// The disk has no room left.
    DiskFull,
    /// A budget's account has not enough left.
    Budget(Exhausted),
    /// A usage limit lasts longer than it is waited for.
    UsageLimit {
        /// What is limited.
        credential: Credential,
        /// Until when.
        until: Time,
    },
    /// A step of ours keeps failing, for instance git's.
    Fault(String),
}

impl PauseReason {
    /// The reason in words, after "paused: ".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            PauseReason::Owner => "asked by its owner".to_owned(),
            PauseReason::Interrupted => "interrupted".to_owned(),
            PauseReason::DiskFull => "the disk is full".to_owned(),
            PauseReason::Budget(exhausted) => exhausted.to_string(),
            PauseReason::UsageLimit { credential, until } => {
                format!(
                    "{credential} met a usage limit that ends at {}",
                    until.utc()
                )
            }
            PauseReason::Fault(cause) => cause.clone(),
        }
    }

    /// The commands of which one makes a run go on that is paused so.
    #[must_use]
    pub fn commands(&self, run: RunId) -> Vec<String> {
        let resume = format!("divisi resume {run}");
        match self {
            PauseReason::Budget(exhausted) => exhausted.commands(run),
            PauseReason::UsageLimit { credential, .. } => {
                let lift = format!("divisi agents resume {}", credential.name());
                vec![format!("{lift} && {resume}")]
            }
            _ => vec![resume],
        }
    }
}

/// What becomes of a task when an attempt has ended otherwise than by integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Another attempt, not before a time.
    Retry {
        /// Zero for at once.
        not_before: Time,
    },
    /// Another attempt by another agent.
    Reassign {
        /// Who.
        agent: String,
    },
    /// Smaller tasks take its place; the event that follows names them.
    Split(String),
    /// A person decides.
    Escalate(String),
    /// The owner answers first.
    Ask(String),
    /// Nothing: it was canceled.
    Cancel,
}

/// A commit that is made for a run's branch, before the branch takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCommit {
    /// Whose work.
    pub attempt: AttemptId,
    /// The commit.
    pub commit: Commit,
    /// Its tree; version 1 of the event did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
}

/// A fact about a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It exists.
    RunCreated {
        /// The plan as accepted.
        plan: Arc<Plan>,
        /// Its numbers.
        settings: Box<Settings>,
        /// What it stands on.
        base: Base,
        /// Whether the plan needs no further approval.
        approved: bool,
        /// What it is for, if a request became its plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<Box<Intent>>,
    },
    /// Its owner approved the plan.
    RunApproved,
    /// Another plan took the place of the one that awaited approval: a new revision.
    PlanReplaced {
        /// The plan. Where a task planned the one before, it stands in that task's place.
        plan: Arc<Plan>,
    },
    /// Its owner refused the plan that a task made, before it was approved: the tasks of it are gone,
    /// and the attempt that made it failed.
    PlanRefused {
        /// The task that made it.
        task: TaskNo,
        /// Why.
        reason: String,
        /// What becomes of that task.
        then: Then,
    },
    /// Nothing new is started.
    RunPaused {
        /// Why.
        reason: PauseReason,
    },
    /// It goes on.
    RunResumed,
    /// Its owner canceled it.
    CancelAsked,
    /// It ended.
    RunEnded {
        /// How: succeeded, failed or canceled.
        status: RunStatus,
    },
    /// The intent's criteria and all tasks' checks on the whole did not all pass.
    FinalHeld {
        /// Verdicts on the intent's criteria.
        verdicts: Vec<Verdict>,
        /// Tasks whose own checks fail on the whole.
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    },
    /// They passed, or a person let them pass.
    FinalPassed {
        /// Verdicts on the intent's criteria.
        verdicts: Vec<Verdict>,
    },
    /// An agent is to judge what no rule can: one more task, which is no part of the plan.
    ReviewOpened {
        /// Its task, with the next number.
        review: Box<TaskSpec>,
        /// What it judges.
        of: Subject,
    },
    /// Nobody needs that any more.
    ReviewClosed {
        /// Its task.
        task: TaskNo,
    },
    /// Other tasks took a task's place: a new revision of the plan.
    TaskSplit {
        /// The task.
        task: TaskNo,
        /// The parts; they get the next numbers in this order.
        parts: Vec<TaskSpec>,
        /// Stages of the parts, with barriers between them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stages: Vec<Stage>,
        /// What the handoffs of all parts share.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        stage_context: String,
        /// Criteria of the whole, of a task that planned all of it; they join those that there are.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        criteria: Vec<Criterion>,
        /// Why.
        reason: String,
        /// The attempt that planned them, with the evidence of its last step. Without one the task
        /// was split, by a person or after it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned: Option<(AttemptId, Receipt)>,
        /// What there is to say about a plan that can be run, for whoever approves it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        advice: Vec<String>,
    },

    /// A worker got the right to an attempt.
    AttemptLeased {
        /// Which.
        attempt: AttemptId,
        /// Who.
        agent: String,
        /// In which life of the engine.
        epoch: Epoch,
        /// In which of the task's workspaces.
        workspace: u32,
        /// Its time box, where its budget left less than the task's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
        /// What its agent logs in with, where more is known than the agent's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credential: Option<Credential>,
    },
    /// Its agent began, with facts worth recording.
    AttemptStarted {
        /// Which.
        attempt: AttemptId,
        /// The commit its workspace was made from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Commit>,
        /// Criteria that already pass before the work.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed_before: Vec<u16>,
        /// Whether its process's writes are confined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confined: Option<bool>,
        /// What was to be copied into its workspace and was not, with the reasons.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
    },
    /// A later life of the engine found it still held by the supervisor.
    AttemptAdopted {
        /// Which.
        attempt: AttemptId,
        /// The life that adopted it.
        epoch: Epoch,
    },
    /// It completed one or several steps in a row.
    AttemptAdvanced {
        /// Which.
        attempt: AttemptId,
        /// Evidence of each step, in order.
        receipts: Vec<Receipt>,
    },
    /// Its processes are to be ended.
    AttemptStopping {
        /// Which.
        attempt: AttemptId,
        /// Why.
        reason: super::StopReason,
    },
    /// Something seems wrong with it.
    AttemptSuspected {
        /// Which.
        attempt: AttemptId,
        /// What was seen, or not seen.
        evidence: String,
    },
    /// The suspicion was unfounded.
    AttemptCleared {
        /// Which.
        attempt: AttemptId,
    },
    /// Its agent asked leave for something, and a person is to answer.
    PermissionAsked {
        /// Which.
        attempt: AttemptId,
        /// The request's number within the run.
        no: u32,
        /// What it wants to do.
        request: Request,
        /// Until when a person is waited for.
        deadline_at: Time,
    },
    /// A request was answered, or needed no person's answer.
    PermissionDecided {
        /// Which.
        attempt: AttemptId,
        /// The request's number within the run.
        no: u32,
        /// What was wanted, where no person had been asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Request>,
        /// The answer.
        decision: Decision,
        /// Who gave it.
        by: Decider,
        /// Rules that the run has from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<Rule>,
    },
    /// Checks passed as far as rules can tell; a person must judge the rest.
    ReviewAwaited {
        /// Which.
        attempt: AttemptId,
        /// All verdicts.
        verdicts: Vec<Verdict>,
    },
    /// It ended without being integrated.
    AttemptEnded {
        /// Which.
        attempt: AttemptId,
        /// How.
        end: AttemptEnd,
        /// Evidence of steps completed in the same moment.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        receipts: Vec<Receipt>,
        /// Whether its workspace may be used again.
        workspace_kept: bool,
        /// What becomes of the task.
        then: Then,
        /// What else there is to say about a plan that it made, beside its faults.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        advice: Vec<String>,
    },
    /// Commits of a batch on the run's branch are made; the branch is about to take them.
    BatchPrepared {
        /// The attempts and their commits, in order.
        commits: Vec<PreparedCommit>,
    },
    /// The branch took them.
    BatchIntegrated {
        /// The branch's new head.
        head: Commit,
        /// The attempts with their receipts, in order.
        attempts: Vec<(AttemptId, Receipt)>,
    },
    /// A batch did not hold together: a smaller one is tried.
    BatchNarrowed {
        /// How many are tried together next.
        batch: u32,
    },
    /// An attempt that was given up came back.
    AttemptReturned {
        /// Which.
        attempt: AttemptId,
        /// How its process ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<Exit>,
    },
    /// Its finished work is kept, and offered.
    OfferKept {
        /// Which.
        attempt: AttemptId,
        /// The work; `None` if there was nothing to keep.
        snapshot: Option<Snapshot>,
    },
    /// What was kept is a new attempt's work from now on.
    OfferAdopted {
        /// The new one.
        attempt: AttemptId,
        /// The number of the one that made it.
        from: u32,
    },
    /// All candidates of a task have ended, and one of them is a new attempt's work from now on.
    CandidateChosen {
        /// The new one.
        attempt: AttemptId,
        /// The candidate's, which passed its checks.
        from: AttemptId,
        /// Why that one: the figures of all.
        why: String,
    },
    /// All candidates of a task have ended, and none passed.
    CandidatesRefused {
        /// The task.
        task: TaskNo,
        /// What became of each.
        why: String,
    },
    /// Its owner gives up what it left: its work that is kept, and its workspace.
    OfferDiscarded {
        /// Which.
        attempt: AttemptId,
    },

    /// A person consented.
    ApprovalGiven {
        /// The approval task.
        task: TaskNo,
        /// What the person said.
        note: String,
    },
    /// A task was given up: by a person, or, a candidate, since it has no try left.
    TaskFailed {
        /// The task.
        task: TaskNo,
        /// Why.
        reason: String,
    },
    /// Its owner canceled it.
    TaskCanceled {
        /// The task.
        task: TaskNo,
    },
    /// It can never start.
    TaskSkipped {
        /// The task.
        task: TaskNo,
        /// The task that is to blame.
        because: TaskNo,
    },
    /// A person asked for another try; its counts begin anew.
    TaskRetried {
        /// The task.
        task: TaskNo,
        /// What the person wants the agent to know.
        note: String,
    },
    /// Its owner answered.
    QuestionAnswered {
        /// The task.
        task: TaskNo,
        /// The answer.
        answer: String,
    },
}

/// Names and versions of all run events. An old version is lifted by an upcaster in the store.
pub const KINDS: &[(&str, u32)] = &[
    ("run_created", 2),
    ("run_approved", 1),
    ("plan_replaced", 2),
    ("plan_refused", 1),
    ("run_paused", 3),
    ("run_resumed", 1),
    ("cancel_asked", 1),
    ("run_ended", 1),
    ("final_held", 1),
    ("final_passed", 1),
    ("review_opened", 1),
    ("review_closed", 1),
    ("task_split", 3),
    ("attempt_leased", 2),
    ("attempt_started", 1),
    ("attempt_adopted", 1),
    ("attempt_advanced", 1),
    ("attempt_stopping", 1),
    ("attempt_suspected", 1),
    ("attempt_cleared", 1),
    ("permission_asked", 1),
    ("permission_decided", 1),
    ("review_awaited", 1),
    ("attempt_ended", 1),
    ("batch_prepared", 2),
    ("batch_integrated", 1),
    ("batch_narrowed", 1),
    ("attempt_returned", 1),
    ("offer_kept", 1),
    ("offer_adopted", 1),
    ("offer_discarded", 1),
    ("candidate_chosen", 1),
    ("candidates_refused", 1),
    ("approval_given", 1),
    ("task_failed", 2),
    ("task_canceled", 1),
    ("task_skipped", 1),
    ("task_retried", 1),
    ("question_answered", 1),
];

/// Events that make the graph. Loading replays these and takes the rest from rows.
pub const KINDS_OF_STRUCTURE: &[&str] = &[
    "run_created",
    "task_split",
    "plan_replaced",
    "plan_refused",
    "review_opened",
];

impl Event {
    /// The version of its form, as in [`KINDS`].
    #[must_use]
    pub fn version(&self) -> u32 {
        version_of(KINDS, self.kind())
    }
    /// The answer to a request that a person had been asked about: whose it is, its number, the answer.
    #[must_use]
    pub fn decided_later(&self) -> Option<(AttemptId, u32, &Decision)> {
        match self {
            Event::PermissionDecided {
                attempt,
                no,
                request: None,
                decision,
                ..
            } => Some((*attempt, *no, decision)),
            _ => None,
        }
    }

    /// Its name, as in [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::RunCreated { .. } => "run_created",
            Event::RunApproved => "run_approved",
            Event::PlanReplaced { .. } => "plan_replaced",
            Event::PlanRefused { .. } => "plan_refused",
            Event::RunPaused { .. } => "run_paused",
            Event::RunResumed => "run_resumed",
            Event::CancelAsked => "cancel_asked",
            Event::RunEnded { .. } => "run_ended",
            Event::FinalHeld { .. } => "final_held",
            Event::FinalPassed { .. } => "final_passed",
            Event::ReviewOpened { .. } => "review_opened",
            Event::ReviewClosed { .. } => "review_closed",
            Event::TaskSplit { .. } => "task_split",
            Event::AttemptLeased { .. } => "attempt_leased",
            Event::AttemptStarted { .. } => "attempt_started",
            Event::AttemptAdopted { .. } => "attempt_adopted",
            Event::AttemptAdvanced { .. } => "attempt_advanced",
            Event::AttemptStopping { .. } => "attempt_stopping",
            Event::AttemptSuspected { .. } => "attempt_suspected",
            Event::AttemptCleared { .. } => "attempt_cleared",
            Event::PermissionAsked { .. } => "permission_asked",
            Event::PermissionDecided { .. } => "permission_decided",
            Event::ReviewAwaited { .. } => "review_awaited",
            Event::AttemptEnded { .. } => "attempt_ended",
            Event::BatchPrepared { .. } => "batch_prepared",
            Event::BatchIntegrated { .. } => "batch_integrated",
            Event::BatchNarrowed { .. } => "batch_narrowed",
            Event::AttemptReturned { .. } => "attempt_returned",
            Event::OfferKept { .. } => "offer_kept",
            Event::OfferAdopted { .. } => "offer_adopted",
            Event::OfferDiscarded { .. } => "offer_discarded",
            Event::CandidateChosen { .. } => "candidate_chosen",
            Event::CandidatesRefused { .. } => "candidates_refused",
            Event::ApprovalGiven { .. } => "approval_given",
            Event::TaskFailed { .. } => "task_failed",
            Event::TaskCanceled { .. } => "task_canceled",
            Event::TaskSkipped { .. } => "task_skipped",
            Event::TaskRetried { .. } => "task_retried",
            Event::QuestionAnswered { .. } => "question_answered",
        }
    }
}
