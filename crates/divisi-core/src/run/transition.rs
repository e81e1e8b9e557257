//! The transition table: which event moves a task from which state to which.
//!
//! One match serves deciding and replay. Every pair that is not listed is refused.

use super::event::{Event, Then};
use super::task::TaskStatus;
use crate::ids::TaskNo;
use crate::receipt::Receipt;

/// A task's state by name; an active task's is its attempt's phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Something it depends on is not done.
    Waiting,
    /// It may be leased.
    Ready,
    /// A worker has the right to an attempt.
    Leased,
    /// Its agent is known to have begun.
    Working,
    /// Its agent claims to be done.
    Submitted,
    /// What it made is durable.
    Collected,
    /// A person must judge what no rule can.
    Held,
    /// The checks passed.
    Verified,
    /// Its commit on the run's branch is made.
    Prepared,
    /// A person's consent is awaited.
    Approval,
    /// Its agent asked something.
    Question,
    /// Policy has no remedy left.
    Escalated,
    /// Integrated.
    Done,
    /// Given up.
    Failed,
    /// Canceled.
    Canceled,
    /// It can never start.
    Skipped,
    /// Replaced by other tasks.
    Split,
}

impl StateName {
    /// All of them.
    pub const ALL: [StateName; 17] = [
        StateName::Waiting,
        StateName::Ready,
        StateName::Leased,
        StateName::Working,
        StateName::Submitted,
        StateName::Collected,
        StateName::Held,
        StateName::Verified,
        StateName::Prepared,
        StateName::Approval,
        StateName::Question,
        StateName::Escalated,
        StateName::Done,
        StateName::Failed,
        StateName::Canceled,
        StateName::Skipped,
        StateName::Split,
    ];

    /// The status that everyone sees.
    #[must_use]
    pub fn status(self) -> TaskStatus {
        match self {
            StateName::Waiting => TaskStatus::Waiting,
            StateName::Ready => TaskStatus::Ready,
            StateName::Leased | StateName::Working => TaskStatus::Running,
            StateName::Submitted | StateName::Collected => TaskStatus::Verifying,
            StateName::Verified | StateName::Prepared => TaskStatus::Integrating,
            StateName::Held | StateName::Approval | StateName::Question | StateName::Escalated => {
                TaskStatus::Blocked
            }
            StateName::Done => TaskStatus::Done,
            StateName::Failed => TaskStatus::Failed,
            StateName::Canceled => TaskStatus::Canceled,
            StateName::Skipped => TaskStatus::Skipped,
            StateName::Split => TaskStatus::Split,
        }
    }
}

/// What happens to one task, by name. An event that completes several steps is several of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// The last of its dependencies is done; follows from another task's event.
    Released,
    /// The same for an approval.
    ReleasedApproval,
    /// `attempt_leased`
    Leased,
    /// `attempt_started`
    Started,
    /// `attempt_adopted`
    Adopted,
    /// `attempt_stopping`
    Stopping,
    /// `attempt_suspected`
    Suspected,
    /// `attempt_cleared`
    Cleared,
    /// `permission_asked`
    PermissionAsked,
    /// `permission_decided`
    PermissionDecided,
    /// `attempt_advanced` with a receipt of submission
    Submitted,
    /// `attempt_advanced` with a receipt of collection
    Collected,
    /// `review_awaited`
    ReviewAwaited,
    /// `attempt_advanced` with a receipt of verification
    Verified,
    /// `batch_prepared`
    Prepared,
    /// `attempt_advanced` with a receipt of integration: nothing was to be merged
    IntegratedInPlace,
    /// `batch_integrated`
    Integrated,
    /// `attempt_ended`, then another try
    EndedRetry,
    /// `attempt_ended`, then a person decides
    EndedEscalate,
    /// `attempt_ended`, then the owner answers
    EndedAsk,
    /// `attempt_ended`, canceled
    EndedCancel,
    /// `approval_given`
    ApprovalGiven,
    /// `task_failed`
    Failed,
    /// `task_canceled`
    Canceled,
    /// `task_skipped`
    Skipped,
    /// `task_retried`, with nothing left to wait for
    Retried,
    /// `task_retried`, while it has to wait
    RetriedWaiting,
    /// `task_retried`, of an approval: a person is asked anew
    RetriedApproval,
    /// `question_answered`
    Answered,
    /// `task_split`
    Split,
    /// `task_split`, by what its own attempt planned
    Expanded,
    /// `plan_refused`, then it plans anew
    PlanRefusedRetry,
    /// `plan_refused`, then a person decides
    PlanRefusedEscalate,
    /// `attempt_returned`, `offer_kept` or `offer_discarded`: about an earlier attempt
    Offer,
    /// `offer_adopted`
    OfferAdopted,
    /// `attempt_advanced` with a receipt of a review
    Reviewed,
    /// `review_closed`
    ReviewClosed,
    /// `attempt_advanced` with a receipt of a measurement
    Measured,
    /// `candidate_chosen`
    CandidateChosen,
    /// `candidates_refused`
    CandidatesRefused,
}

impl EventName {
    /// All of them.
    pub const ALL: [EventName; 40] = [
        EventName::Released,
        EventName::ReleasedApproval,
        EventName::Leased,
        EventName::Started,
        EventName::Adopted,
        EventName::Stopping,
        EventName::Suspected,
        EventName::Cleared,
        EventName::PermissionAsked,
        EventName::PermissionDecided,
        EventName::Submitted,
        EventName::Collected,
        EventName::ReviewAwaited,
        EventName::Verified,
        EventName::Prepared,
        EventName::IntegratedInPlace,
        EventName::Integrated,
        EventName::EndedRetry,
        EventName::EndedEscalate,
        EventName::EndedAsk,
        EventName::EndedCancel,
        EventName::ApprovalGiven,
        EventName::Failed,
        EventName::Canceled,
        EventName::Skipped,
        EventName::Retried,
        EventName::RetriedWaiting,
        EventName::RetriedApproval,
        EventName::Answered,
        EventName::Split,
        EventName::Expanded,
        EventName::PlanRefusedRetry,
        EventName::PlanRefusedEscalate,
        EventName::Offer,
        EventName::OfferAdopted,
        EventName::Reviewed,
        EventName::ReviewClosed,
        EventName::Measured,
        EventName::CandidateChosen,
        EventName::CandidatesRefused,
    ];
}

/// What the table says of a pair.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The task is in this state afterwards.
    To(StateName),
    /// The task keeps its state; its data may change.
    Stays,
    /// The pair cannot occur.
    Refused,
}

/// The table.
pub fn next(state: StateName, event: EventName) -> Next {
    use EventName as E;
    use StateName as S;
    match (state, event) {
        (S::Waiting, E::Released) => Next::To(S::Ready),
        (S::Waiting, E::ReleasedApproval) => Next::To(S::Approval),
        (S::Ready, E::Leased | E::OfferAdopted) => Next::To(S::Leased),

        // The agent works. A start without facts worth recording leaves no event.
        (S::Leased, E::Started) => Next::To(S::Working),
        (S::Leased | S::Working, E::Adopted | E::Stopping | E::Suspected | E::Cleared) => {
            Next::Stays
        }
        (S::Leased | S::Working, E::PermissionAsked | E::PermissionDecided) => Next::Stays,

        // The four completion steps (X1).
        (S::Leased | S::Working, E::Submitted) => Next::To(S::Submitted),
        (S::Submitted, E::Collected) => Next::To(S::Collected),
        (S::Collected, E::ReviewAwaited) => Next::To(S::Held),
        (S::Collected | S::Held, E::Verified) => Next::To(S::Verified),
        (S::Verified, E::IntegratedInPlace) => Next::To(S::Done),
        (S::Verified, E::Prepared) => Next::To(S::Prepared),
        (S::Prepared, E::Integrated) => Next::To(S::Done),
        // The last one of a plan task, which makes tasks instead of files.
        (S::Verified, E::Expanded) => Next::To(S::Split),
        // Until its owner approves it, a plan of the whole can be refused.
        (S::Split, E::PlanRefusedRetry) => Next::To(S::Ready),
        (S::Split, E::PlanRefusedEscalate) => Next::To(S::Escalated),

        // That of a review, which makes verdicts; or nobody needs it any more.
        (S::Verified, E::Reviewed) => Next::To(S::Done),
        (S::Ready | S::Question | S::Escalated, E::ReviewClosed) => Next::To(S::Done),

        // That of a candidate, which is held back; and what comes of all of them together.
        (S::Verified, E::Measured) => Next::To(S::Done),
        (S::Ready, E::CandidateChosen) => Next::To(S::Leased),
        (S::Ready, E::CandidatesRefused) => Next::To(S::Escalated),
        // Nor does one hold up the others whose own budget is used up.
        (S::Ready, E::Failed) => Next::To(S::Failed),

        // An attempt may end at every step before its commit is prepared.
        (
            S::Leased | S::Working | S::Submitted | S::Collected | S::Held | S::Verified,
            E::EndedRetry,
        ) => Next::To(S::Ready),
        (
            S::Leased | S::Working | S::Submitted | S::Collected | S::Held | S::Verified,
            E::EndedEscalate,
        ) => Next::To(S::Escalated),
        (S::Leased | S::Working, E::EndedAsk) => Next::To(S::Question),
        (
            S::Leased | S::Working | S::Submitted | S::Collected | S::Held | S::Verified,
            E::EndedCancel,
        ) => Next::To(S::Canceled),

        // People.
        (S::Approval, E::ApprovalGiven) => Next::To(S::Done),
        (S::Approval | S::Question | S::Escalated, E::Failed) => Next::To(S::Failed),
        (S::Question, E::Answered) => Next::To(S::Ready),
        (S::Waiting | S::Ready | S::Approval | S::Question | S::Escalated, E::Canceled) => {
            Next::To(S::Canceled)
        }
        (S::Escalated | S::Failed | S::Canceled | S::Done, E::Retried) => Next::To(S::Ready),
        (S::Failed | S::Canceled, E::RetriedApproval) => Next::To(S::Approval),
        // What was skipped waits at least for the task whose retry revives it, and an approval for
        // what is done again before it.
        (S::Canceled | S::Skipped | S::Approval, E::RetriedWaiting) => Next::To(S::Waiting),

        // The plan changes round it.
        (S::Waiting, E::Skipped) => Next::To(S::Skipped),
        (S::Waiting | S::Ready | S::Escalated, E::Split) => Next::To(S::Split),

        // Words of earlier attempts change nothing about the task. Three states have had none.
        (S::Waiting | S::Approval | S::Skipped, E::Offer) => Next::Refused,
        (_, E::Offer) => Next::Stays,

        _ => Next::Refused,
    }
}

/// The pairs an event consists of, in order, task by task. Events of the run have none.
#[must_use]
pub fn names(event: &Event) -> Vec<(TaskNo, EventName)> {
    let one = |task: TaskNo, name: EventName| vec![(task, name)];
    match event {
        Event::RunCreated { .. }
        | Event::ReviewOpened { .. }
        | Event::RunApproved
        | Event::PlanReplaced { .. }
        | Event::RunPaused { .. }
        | Event::RunResumed
        | Event::CancelAsked
        | Event::RunEnded { .. }
        | Event::FinalHeld { .. }
        | Event::FinalPassed { .. }
        | Event::BatchNarrowed { .. } => Vec::new(),
        Event::ReviewClosed { task } => one(*task, EventName::ReviewClosed),
        Event::TaskSplit { task, planned, .. } => one(
            *task,
            match planned {
                None => EventName::Split,
                Some(_) => EventName::Expanded,
            },
        ),
        Event::PlanRefused { task, then, .. } => one(
            *task,
            match then {
                Then::Escalate(_) => EventName::PlanRefusedEscalate,
                _ => EventName::PlanRefusedRetry,
            },
        ),
        Event::AttemptLeased { attempt, .. } => one(attempt.task, EventName::Leased),
        Event::AttemptStarted { attempt, .. } => one(attempt.task, EventName::Started),
        Event::AttemptAdopted { attempt, .. } => one(attempt.task, EventName::Adopted),
        Event::AttemptAdvanced { attempt, receipts } => receipts
            .iter()
            .map(|receipt| (attempt.task, receipt_name(receipt)))
            .collect(),
        Event::AttemptStopping { attempt, .. } => one(attempt.task, EventName::Stopping),
        Event::AttemptSuspected { attempt, .. } => one(attempt.task, EventName::Suspected),
        Event::AttemptCleared { attempt } => one(attempt.task, EventName::Cleared),
        Event::PermissionAsked { attempt, .. } => one(attempt.task, EventName::PermissionAsked),
        Event::PermissionDecided { attempt, .. } => one(attempt.task, EventName::PermissionDecided),
        Event::ReviewAwaited { attempt, .. } => one(attempt.task, EventName::ReviewAwaited),
        Event::AttemptEnded { attempt, then, .. } => one(
            attempt.task,
            match then {
                // What is split is in nobody's hands until its parts are named.
                Then::Retry { .. } | Then::Reassign { .. } | Then::Split(_) => {
                    EventName::EndedRetry
                }
                Then::Escalate(_) => EventName::EndedEscalate,
                Then::Ask(_) => EventName::EndedAsk,
                Then::Cancel => EventName::EndedCancel,
            },
        ),
        Event::BatchPrepared { commits } => commits
            .iter()
            .map(|one| (one.attempt.task, EventName::Prepared))
            .collect(),
        Event::BatchIntegrated { attempts, .. } => attempts
            .iter()
            .map(|(attempt, _)| (attempt.task, EventName::Integrated))
            .collect(),
        Event::AttemptReturned { attempt, .. }
        | Event::OfferKept { attempt, .. }
        | Event::OfferDiscarded { attempt } => one(attempt.task, EventName::Offer),
        Event::OfferAdopted { attempt, .. } => one(attempt.task, EventName::OfferAdopted),
        Event::CandidateChosen { attempt, .. } => one(attempt.task, EventName::CandidateChosen),
        Event::CandidatesRefused { task, .. } => one(*task, EventName::CandidatesRefused),
        Event::ApprovalGiven { task, .. } => one(*task, EventName::ApprovalGiven),
        Event::TaskFailed { task, .. } => one(*task, EventName::Failed),
        Event::TaskCanceled { task } => one(*task, EventName::Canceled),
        Event::TaskSkipped { task, .. } => one(*task, EventName::Skipped),
        Event::TaskRetried { task, .. } => one(*task, EventName::Retried),
        Event::QuestionAnswered { task, .. } => one(*task, EventName::Answered),
    }
}

pub(super) fn receipt_name(receipt: &Receipt) -> EventName {
    match receipt {
        Receipt::Submitted { .. } => EventName::Submitted,
        Receipt::Collected { .. } => EventName::Collected,
        Receipt::Verified { .. } => EventName::Verified,
        Receipt::Integrated { .. } => EventName::IntegratedInPlace,
        Receipt::Expanded { .. } => EventName::Expanded,
        Receipt::Reviewed { .. } => EventName::Reviewed,
        Receipt::Measured { .. } => EventName::Measured,
    }
}
