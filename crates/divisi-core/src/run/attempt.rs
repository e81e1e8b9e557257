//! One try at a task: where it stands while it is live, and how it ended.

use serde::{Deserialize, Serialize};

use super::agents::{
    AGENT_EXTERNAL, AGENT_MODEL, AGENT_PERSON, asks_model, holds_slot, is_scripted,
};
use super::remedy;
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ids::{Commit, Epoch, RunId, Time, Tree};
use crate::ledger::{Bound, Credential, Means};
use crate::permission::Permission;
use crate::receipt::{Exit, Receipt, Snapshot};

/// Where a live attempt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A worker has the right to it.
    Leased,
    /// Its agent is known to have begun, with facts worth recording.
    Working,
    /// Its agent ended and claims to be done.
    Submitted,
    /// What it made is durable; checks are owed.
    Collected,
    /// Checks passed, but plain words are left that a person must judge.
    Held {
        /// All verdicts so far.
        verdicts: Vec<Verdict>,
    },
    /// The checks passed; it waits to be integrated.
    Verified,
    /// Its commit on the run's branch is made; the branch is to be moved.
    Prepared {
        /// That commit.
        commit: Commit,
        /// Its tree, as far as it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<Tree>,
    },
}

/// Why an attempt's processes are ended before they end by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It made no progress.
    Stalled(String),
    /// It is past its time box.
    Overdue,
    /// It is past the milliseconds that its budget left for it; it costs the task nothing.
    OverBudget(u64),
    /// Its owner canceled the task or the run.
    Canceled,
    /// The run was interrupted; it costs the task nothing.
    Interrupted,
}

/// A live attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Who does it.
    pub agent: String,
    /// What its agent logs in with, where more is known than the agent's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    /// The engine's life in which the lease was made or adopted.
    pub epoch: Epoch,
    /// When it was leased.
    pub leased_at: Time,
    /// Which of the task's workspaces it works in, from 1.
    pub workspace: u32,
    /// Its time box in milliseconds, where its budget left less than the task's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Where it stands.
    pub phase: Phase,
    /// The kept work of an earlier attempt, where that is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopts: Option<Snapshot>,
    /// The commit its workspace was made from, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Commit>,
    /// Criteria that already passed before the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_before: Vec<u16>,
    /// Whether its process's writes are confined; `None` until known, or without a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<bool>,
    /// What was to be copied into its workspace and was not, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Why it is being ended, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping: Option<StopReason>,
    /// Evidence that something is wrong with it, if it is suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected: Option<String>,
    /// What its agent asked leave for, oldest first; of many, those that were allowed by policy are
    /// left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// How often it asked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// Evidence of the steps it has completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

impl Attempt {
    /// Who does it, and what that agent logs in with.
    #[must_use]
    pub fn means(&self) -> Means {
        match &self.credential {
            None => Means::unknown(&self.agent),
            Some(credential) => Means {
                agent: self.agent.clone(),
                credential: credential.clone(),
            },
        }
    }

    /// The snapshot it was collected as.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        snapshot_of(&self.receipts)
    }

    /// Whether it changed no file, as far as it was collected.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.snapshot().is_some_and(Snapshot::is_unchanged)
    }

    /// How it ends where what it made does not hold, if its agent was ended before it was done.
    pub(super) fn broken_off(&self) -> Option<AttemptEnd> {
        let used_up = || self.receipts.iter().find_map(Receipt::used_up);
        match &self.stopping {
            Some(reason) => Some(AttemptEnd::Stopped(reason.clone())),
            None => used_up().map(AttemptEnd::UsedUp),
        }
    }

    /// What its agent asks leave for and nobody has answered.
    pub fn asks(&self) -> impl Iterator<Item = &Permission> {
        let asks = |it: &&Permission| it.deadline_at().is_some();
        self.permissions.iter().filter(asks)
    }

    /// Whether it is for a person, or something outside, to say that its work is there.
    #[must_use]
    pub fn awaits_submission(&self) -> bool {
        matches!(self.agent.as_str(), AGENT_PERSON | AGENT_EXTERNAL)
            && matches!(self.phase, Phase::Leased | Phase::Working)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

pub(super) fn snapshot_of(receipts: &[Receipt]) -> Option<&Snapshot> {
    receipts.iter().find_map(|receipt| match receipt {
        Receipt::Collected { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    })
}

/// What went wrong with an attempt, as the policy and the next handoff need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Checks refused what it made.
    Checks(Vec<Verdict>),
    /// What it made could not be collected: a promised file is a link, too large, outside.
    Collection(String),
    /// It contradicts work that was integrated meanwhile, in these paths.
    Conflict(Vec<String>),
    /// It passed alone, but not together with what was integrated.
    Integration(Vec<Verdict>),
    /// It could not be started.
    Start {
        /// Why.
        cause: String,
        /// Trying again exactly so will fail again.
        permanent: bool,
    },
    /// A person refused it.
    Person(String),
    /// What it planned cannot be run: every fault with its place.
    Plan(Vec<String>),
    /// Its verdicts cannot be read, or their evidence does not hold.
    Review(Vec<String>),
    /// Nothing was composed: an input or the template is not what it must be.
    Composition(String),
    /// Its workspace could not be prepared.
    Preparation(String),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// Its work is part of the run's result.
    Integrated,
    /// What it planned is part of the run's plan.
    Expanded,
    /// What it found of another one's work was taken.
    Reviewed,
    /// Its work passed its checks and was measured; whether it is taken, its task chooses.
    Measured,
    /// Its work was refused.
    Refused(Failure),
    /// It could not be done at all.
    Errored(Failure),
    /// Nobody holds it any more.
    Lost(String),
    /// It was ended.
    Stopped(StopReason),
    /// It asked its owner something and ended.
    Asked(String),
    /// It was ended after the answer of its model that went beyond what was reserved for it: this.
    UsedUp(Bound),
    /// It met a usage limit.
    Limited {
        /// Which.
        cause: String,
        /// How long it said to wait.
        wait_ms: Option<u64>,
        /// Until when its credential is not used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_at: Option<Time>,
    },
}

impl AttemptEnd {
    /// Whether it was refused for want of a change, and for that alone: nothing was changed, or
    /// nothing of what these criteria say.
    #[must_use]
    pub fn is_for_no_change(&self, criteria: &[Criterion]) -> bool {
        let AttemptEnd::Refused(Failure::Checks(verdicts)) = self else {
            return false;
        };
        let mut failed = { verdicts.iter() }.filter(|it| it.outcome == Outcome::Fail);
        let is_whole = verdicts.len() >= criteria.len();
        is_whole && failed.clone().next().is_some() && failed.all(|it| it.wants_change(criteria))
    }

    /// Whether it counts as a failure of the agent's own (T7).
    #[must_use]
    pub fn is_own_failure(&self) -> bool {
        match self {
            AttemptEnd::Refused(Failure::Conflict(_))
            | AttemptEnd::Errored(Failure::Preparation(_)) => false,
            AttemptEnd::Refused(_) | AttemptEnd::Errored(_) => true,
            AttemptEnd::Stopped(StopReason::Stalled(_) | StopReason::Overdue) => true,
            AttemptEnd::Integrated
            | AttemptEnd::Expanded
            | AttemptEnd::Reviewed
            | AttemptEnd::Measured
            | AttemptEnd::Lost(_)
            | AttemptEnd::Stopped(
                StopReason::OverBudget(_) | StopReason::Canceled | StopReason::Interrupted,
            )
            | AttemptEnd::Asked(_)
            | AttemptEnd::UsedUp(_)
            | AttemptEnd::Limited { .. } => false,
        }
    }
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Its number.
    pub number: u32,
    /// Who did it.
    pub agent: String,
    /// When it was leased.
    pub leased_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// The workspace it had.
    pub workspace: u32,
    /// Whether a next attempt may go on in it: no writer is left, and its base still serves.
    pub workspace_kept: bool,
    /// How it ended.
    pub end: AttemptEnd,
    /// What there is to say about the plan that it made, beside its faults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// The commit its workspace was made from, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Commit>,
    /// Whether its process's writes were confined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<bool>,
    /// What was to be copied into its workspace and was not, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What its agent asked leave for, as far as it is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// Evidence of the steps it completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    /// What checks found of it, where it ended while the rest awaited somebody's judgment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Verdict>,
    /// It came back after it was given up, and its work is to be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    /// How its process ended after it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_exit: Option<Exit>,
    /// Work that it finished after it was given up: kept, and offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Snapshot>,
    /// The attempt whose work that became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_as: Option<u32>,
    /// Its owner gave up what it left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discarded: bool,
}

impl Ending {
    /// A new attempt that nobody works on: this one's work is there already, in `workspace`.
    pub(super) fn taken_as(
        &self,
        number: u32,
        workspace: u32,
        at: Time,
        work: Option<Snapshot>,
    ) -> Attempt {
        Attempt {
            number,
            agent: self.agent.clone(),
            credential: None,
            epoch: Epoch::default(),
            leased_at: at,
            workspace,
            timeout_ms: None,
            phase: Phase::Leased,
            adopts: work,
            base: None,
            passed_before: Vec::new(),
            confined: self.confined,
            left_out: Vec::new(),
            stopping: None,
            suspected: None,
            permissions: Vec::new(),
            asked: 0,
            receipts: Vec::new(),
        }
    }

    /// Whether a next attempt may take up the agent's own session: in the same workspace, after an
    /// end that is none of the agent's doing or that it waits to go on from. What was refused is
    /// begun anew: who was sure of it would be sure of it again.
    #[must_use]
    pub fn leaves_session(&self) -> bool {
        let goes_on = matches!(
            self.end,
            AttemptEnd::Lost(_)
                | AttemptEnd::Asked(_)
                | AttemptEnd::Limited { .. }
                | AttemptEnd::Stopped(StopReason::Interrupted)
        );
        self.workspace_kept && goes_on
    }

    /// The snapshot it was collected as.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        snapshot_of(&self.receipts)
    }

    /// Work of it that its owner may still adopt.
    #[must_use]
    pub fn offered(&self) -> Option<&Snapshot> {
        self.offer.as_ref().filter(|_| !self.discarded)
    }

    /// How it ended, in words that follow "the last time".
    #[must_use]
    pub fn end_words(&self) -> String {
        self.could_not().unwrap_or_else(|| remedy::words(&self.end))
    }

    /// What is said of it where a person gave it up before it was submitted.
    fn could_not(&self) -> Option<String> {
        let was_submitted = |it: &Receipt| matches!(it, Receipt::Submitted { .. });
        match &self.end {
            AttemptEnd::Refused(Failure::Person(reason))
                if !holds_slot(&self.agent) && !self.receipts.iter().any(was_submitted) =>
            {
                Some(remedy::could_not(reason))
            }
            _ => None,
        }
    }

    /// The same, after what led to it.
    #[must_use]
    pub fn words(&self) -> String {
        let told = || remedy::words_with(&self.end, self.receipts.iter(), &self.permissions);
        self.could_not().unwrap_or_else(told)
    }

    /// Whether something was denied to its agent since nobody answered in time.
    #[must_use]
    pub fn went_unanswered(&self) -> bool {
        self.permissions.iter().any(Permission::is_unanswered)
    }

    /// Whether its agent could not even begin, as it could not the next time.
    fn never_begins(&self) -> bool {
        matches!(
            self.end,
            AttemptEnd::Errored(Failure::Start {
                permanent: true,
                ..
            })
        )
    }

    /// Whether a reason says how it ended.
    #[must_use]
    pub fn is_told_in(&self, reason: &str) -> bool {
        match &self.end {
            AttemptEnd::Errored(Failure::Start { cause, .. }) => reason.contains(cause),
            _ => reason.contains(&self.words()),
        }
    }

    /// What to look at before its task is tried again, where that would end as it did.
    pub(super) fn look_first(&self, run: RunId) -> Option<String> {
        if self.went_unanswered() {
            return Some(format!("divisi permissions list {run}"));
        }
        let by_adapter = asks_model(&self.agent) && self.agent != AGENT_MODEL;
        (self.never_begins() && by_adapter).then(|| format!("divisi agents test {}", self.agent))
    }

    /// Whether it printed anything of which a log is kept.
    #[must_use]
    pub fn has_printed(&self) -> bool {
        let printed = |receipt: &Receipt| {
            matches!(
                receipt,
                Receipt::Submitted {
                    output: Some(_),
                    ..
                }
            )
        };
        // Of what a script says nothing is kept but its digest.
        !is_scripted(&self.agent) && self.receipts.iter().any(printed)
    }
}
