//! A task of a run: its state, with the attempts at it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agents::{agent_of, asks_model, holds_slot};
use super::attempt::{Attempt, AttemptEnd, Ending, Phase};
use super::candidates::Chosen;
use super::links::Links;
use super::reviews::Subject;
use super::settings::Settings;
use super::transition::StateName;
use crate::ids::{TaskNo, Time};
use crate::ledger::{Amount, Wanted};
use crate::plan::{TaskKind, TaskSpec};
use crate::receipt::{Receipt, Usage};

/// What a task's owner told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question that it answers; `None` for what was told unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What was said.
    pub text: String,
}

impl Answer {
    pub(super) fn unasked(text: &str) -> Answer {
        Answer {
            question: None,
            text: text.to_owned(),
        }
    }
}

/// What of integrated work did not hold on the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheld {
    /// The criterion in words: the task's own, or one of the whole.
    pub criterion: String,
    /// What was seen.
    pub evidence: String,
}

/// A task's state; data lives in the variant that needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Something it depends on is not done.
    Waiting,
    /// It may be leased, not before this time.
    Ready {
        /// Zero unless a remedy asked for a delay.
        not_before: Time,
    },
    /// An attempt is live.
    Active(Box<Attempt>),
    /// A person's consent is awaited; only of approvals.
    Approval,
    /// Its agent asked something.
    Question(String),
    /// Policy has no remedy left; a person decides.
    Escalated(String),
    /// Integrated.
    Done,
    /// Given up.
    Failed(String),
    /// Canceled by its owner.
    Canceled,
    /// It can never start, because of the named task.
    Skipped(TaskNo),
    /// Replaced by other tasks; its dependents wait for the join over them.
    Split(Vec<TaskNo>),
}

/// A task's status as everyone sees it: the words of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Something it depends on is not done.
    Waiting,
    /// It may be leased.
    Ready,
    /// Its agent works.
    Running,
    /// What was made is collected and checked.
    Verifying,
    /// It is on its way into the run's result.
    Integrating,
    /// A person is needed.
    Blocked,
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

impl TaskStatus {
    /// All of them, in the order of a task's life.
    pub const ALL: [TaskStatus; 11] = [
        TaskStatus::Waiting,
        TaskStatus::Ready,
        TaskStatus::Running,
        TaskStatus::Verifying,
        TaskStatus::Integrating,
        TaskStatus::Blocked,
        TaskStatus::Done,
        TaskStatus::Failed,
        TaskStatus::Canceled,
        TaskStatus::Skipped,
        TaskStatus::Split,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TaskStatus::Waiting => "waiting",
            TaskStatus::Ready => "ready",
            TaskStatus::Running => "running",
            TaskStatus::Verifying => "verifying",
            TaskStatus::Integrating => "integrating",
            TaskStatus::Blocked => "blocked",
            TaskStatus::Done => "done",
            TaskStatus::Failed => "failed",
            TaskStatus::Canceled => "canceled",
            TaskStatus::Skipped => "skipped",
            TaskStatus::Split => "split",
        }
    }

    /// Whether nothing more happens to it by itself or by an agent.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            TaskStatus::Done
                | TaskStatus::Failed
                | TaskStatus::Canceled
                | TaskStatus::Skipped
                | TaskStatus::Split
        )
    }

    /// Whether its owner gave it up, and may think better of it.
    #[must_use]
    pub fn is_given_up(self) -> bool {
        matches!(self, TaskStatus::Failed | TaskStatus::Canceled)
    }

    /// Whether what waits for it can never start, unless a person has it tried again.
    pub(super) fn is_hopeless(self) -> bool {
        matches!(
            self,
            TaskStatus::Failed | TaskStatus::Canceled | TaskStatus::Skipped
        )
    }
}

impl std::fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// So often is doubled what is reserved; what is left of a budget bounds it long before.
const DOUBLED_MAX: u32 = 20;

/// Half as much again: an estimate is the middle of what may come.
fn with_headroom(tokens: u64) -> u64 {
    tokens.saturating_add(tokens / 2)
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// As the plan has it.
    pub spec: Arc<TaskSpec>,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts that are over, oldest first.
    pub endings: Vec<Ending>,
    /// Failures of the agents' own since a person last intervened.
    pub failures: u32,
    /// Losses since a person last intervened.
    pub losses: u32,
    /// Usage limits met since a person last intervened.
    pub limits: u32,
    /// Attempts so far whose reservations were used up: each is a reason to reserve more for the next.
    pub used_up: u32,
    /// Conflicts since a person last intervened.
    pub conflicts: u32,
    /// The agent it was reassigned to.
    pub reassigned: Option<String>,
    /// What its owner answered or told it, oldest first.
    pub answers: Vec<Answer>,
    /// What did not hold on the whole when it was to be done again, until it is.
    pub unheld: Vec<Unheld>,
    /// The task in whose place it stands, with others.
    pub replaces: Option<TaskNo>,
    /// What it judges, if it is a review that was opened for that.
    pub reviews: Option<Subject>,
    /// The task that it is one of several solutions of, if it is.
    pub candidate_of: Option<TaskNo>,
    /// Whether it is compared with others by who made it: a candidate whose agent the plan names.
    pub names_agent: bool,
    /// What came of its own candidates, once all have ended.
    pub chosen: Option<Chosen>,
    /// How deep in splits it stands: 0 in the plan as it was accepted.
    pub depth: u32,
    /// How many plan tasks stand above it, each planned by the one before.
    pub nesting: u32,
    /// What its handoff shares with those of the tasks that were planned with it.
    pub stage_context: Option<Arc<str>>,
    /// Milliseconds of the longest path from its start to the run's end. Derived.
    pub rank_ms: u64,
    pub(super) links: Links,
    pub(super) unmet: u32,
    pub(crate) class: u32,
}

impl Task {
    /// The live attempt, if one is.
    #[must_use]
    pub fn live(&self) -> Option<&Attempt> {
        match &self.state {
            TaskState::Active(attempt) => Some(attempt),
            _ => None,
        }
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Attempt> {
        match &mut self.state {
            TaskState::Active(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// The ending of an attempt, by its number.
    #[must_use]
    pub fn ending(&self, number: u32) -> Option<&Ending> {
        self.endings.iter().find(|ending| ending.number == number)
    }

    /// Whether its last attempt was refused for want of a change, and for that alone.
    #[must_use]
    pub fn is_refused_for_no_change(&self) -> bool {
        let last = self.endings.last().filter(|_| self.live().is_none());
        last.is_some_and(|last| last.end.is_for_no_change(&self.spec.criteria))
    }

    /// Whether the attempt of this number is an earlier one's that changed nothing of what was to be
    /// changed, and that the owner takes as it is.
    #[must_use]
    pub fn takes_unchanged(&self, number: u32) -> bool {
        let criteria = &self.spec.criteria;
        let mut refused = self.endings.iter();
        refused.any(|it| it.adopted_as == Some(number) && it.end.is_for_no_change(criteria))
    }

    /// Whether it is a review that was closed before it gave a verdict: somebody else judged, or
    /// nobody needs to any more.
    #[must_use]
    pub fn gave_no_verdict(&self) -> bool {
        let gave_one = |it: &Ending| it.end == AttemptEnd::Reviewed;
        let is_closed = self.reviews.is_some() && matches!(self.state, TaskState::Done);
        is_closed && !self.endings.iter().any(gave_one)
    }

    /// Receipts of all attempts, oldest first.
    pub fn receipts(&self) -> impl DoubleEndedIterator<Item = &Receipt> {
        let ended = self.endings.iter().flat_map(|ending| &ending.receipts);
        ended.chain(self.live().into_iter().flat_map(|live| &live.receipts))
    }

    /// What its agents reported to have used, over all attempts; `None` if none did. One whose work was
    /// taken from another attempt was paid for there.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        let is_taken = |number: u32| self.endings.iter().any(|it| it.adopted_as == Some(number));
        let ended = self.endings.iter().filter(|it| !is_taken(it.number));
        let live = self.live().filter(|it| !is_taken(it.number));
        let ended = ended.flat_map(|it| &it.receipts);
        Usage::of(ended.chain(live.into_iter().flat_map(|it| &it.receipts)))
    }

    /// Milliseconds that agents worked on it, over all attempts. The time that something waited for
    /// a person is nobody's work.
    #[must_use]
    pub fn agent_ms(&self) -> u64 {
        let ended = self.endings.iter();
        let ended = ended.map(|ending| (&ending.agent, &ending.receipts));
        let live = self.live().map(|live| (&live.agent, &live.receipts));
        let all = ended.chain(live).filter(|(agent, _)| holds_slot(agent));
        let worked = all.flat_map(|(_, receipts)| receipts).map(Receipt::wall_ms);
        worked.fold(0, u64::saturating_add)
    }

    /// Attempts so far, the live one included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let ended = self.endings.last().map_or(0, |ending| ending.number);
        self.live().map_or(ended, |live| live.number)
    }

    /// Its state's name in the transition table.
    #[must_use]
    pub fn state_name(&self) -> StateName {
        match &self.state {
            TaskState::Waiting => StateName::Waiting,
            TaskState::Ready { .. } => StateName::Ready,
            TaskState::Active(attempt) => match attempt.phase {
                Phase::Leased => StateName::Leased,
                Phase::Working => StateName::Working,
                Phase::Submitted => StateName::Submitted,
                Phase::Collected => StateName::Collected,
                Phase::Held { .. } => StateName::Held,
                Phase::Verified => StateName::Verified,
                Phase::Prepared { .. } => StateName::Prepared,
            },
            TaskState::Approval => StateName::Approval,
            TaskState::Question(_) => StateName::Question,
            TaskState::Escalated(_) => StateName::Escalated,
            TaskState::Done => StateName::Done,
            TaskState::Failed(_) => StateName::Failed,
            TaskState::Canceled => StateName::Canceled,
            TaskState::Skipped(_) => StateName::Skipped,
            TaskState::Split(_) => StateName::Split,
        }
    }

    /// Its status in the words everyone sees.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        self.state_name().status()
    }

    /// Whether what it makes becomes part of the result: of a plan task tasks are made, of a review
    /// verdicts, and of candidates one is taken by the task that they are for.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.spec.kind != TaskKind::Plan && self.reviews.is_none() && self.candidate_of.is_none()
    }

    /// Whether the plan names it: reviews and candidates are opened beside its tasks.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.reviews.is_none() && self.candidate_of.is_none()
    }

    /// Whether it is a candidate that its task does not wait for any more, though nothing of it can
    /// be taken.
    #[must_use]
    pub fn is_spent_candidate(&self) -> bool {
        let spent = matches!(self.state, TaskState::Failed(_) | TaskState::Canceled);
        self.candidate_of.is_some() && spent
    }

    /// Whether nothing that waits for it can start, unless a person has it tried again.
    pub(super) fn is_hopeless(&self) -> bool {
        self.status().is_hopeless() && !self.is_spent_candidate()
    }

    /// Whether all its candidates have ended and nothing was chosen yet.
    pub(super) fn is_to_choose(&self) -> bool {
        let is_ready = matches!(self.state, TaskState::Ready { .. });
        is_ready && self.awaits_candidates()
    }

    /// Whether its candidates come first.
    pub(super) fn awaits_candidates(&self) -> bool {
        self.spec.candidates.is_some() && self.chosen.is_none()
    }

    /// How long an attempt may take, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self, settings: &Settings) -> u64 {
        self.spec.timeout_ms.unwrap_or(settings.timeout_ms)
    }

    /// What its next attempt takes of a budget: its time box, if an agent works on it; and of tokens
    /// and money, if that one asks a model, the task's own budget, else what is usual, or its estimate
    /// with headroom if that is more: an estimate is of the work, and an agent is told more than that
    /// with each answer. Twice as much after each attempt that this was too little for, whose budget
    /// may have been raised since. People, and inputs from outside, take no agents' time.
    #[must_use]
    pub fn amount(&self, settings: &Settings) -> Amount {
        self.amount_by(self.agent(settings), settings)
    }

    /// The same where another agent makes it.
    #[must_use]
    pub fn amount_by(&self, agent: &str, settings: &Settings) -> Amount {
        let time_ms = match holds_slot(agent) {
            true => self.timeout_ms(settings),
            false => 0,
        };
        let mut amount = Amount {
            attempts: 1,
            time_ms,
            ..Amount::default()
        };
        if !asks_model(agent) {
            return amount;
        }
        let more = |much: u64| much.saturating_mul(1 << self.used_up.min(DOUBLED_MAX));
        let estimated = self.spec.estimate.tokens.map(with_headroom);
        let budget = &self.spec.budget;
        let usual = || more(settings.attempt_tokens.max(estimated.unwrap_or(0)));
        amount.tokens = budget.tokens.map_or_else(usual, more);
        let priced = || Some(settings.price(agent)?.at_most(estimated?));
        let usual = || more(settings.attempt_usd_micros.max(priced().unwrap_or(0)));
        amount.usd_micros = budget.usd_micros.map_or_else(usual, more);
        amount
    }

    /// How long the live attempt may take, in milliseconds: less where its budget left less.
    #[must_use]
    pub fn live_timeout_ms(&self, settings: &Settings) -> u64 {
        let shortened = self.live().and_then(|live| live.timeout_ms);
        shortened.unwrap_or_else(|| self.timeout_ms(settings))
    }

    /// Who does it next.
    #[must_use]
    pub fn agent<'a>(&'a self, settings: &'a Settings) -> &'a str {
        match &self.reassigned {
            Some(agent) => agent,
            None => agent_of(&self.spec, settings),
        }
    }

    /// The same, with who may do its next attempt during that agent's usage limits. Who is to judge
    /// was chosen with care for who did the work; and of candidates by several agents two would be by
    /// the same.
    #[must_use]
    pub fn wanted<'a>(&'a self, settings: &'a Settings) -> Wanted<'a> {
        let chosen_with_care = self.reviews.is_some() || self.names_agent;
        Wanted {
            agent: self.agent(settings),
            instead: chosen_with_care.then_some(&self.spec.agents_else[..]),
        }
    }
}
