//! How much may await a person's judgment at once (X10).
//!
//! People judge slower than agents work. Where a limit is set, work whose result a person must judge
//! counts from its lease until somebody judged it, and no more of it is begun while the limit is
//! reached. All else goes on.

use super::attempt::Phase;
use super::indexes::Class;
use super::state::Run;
use super::task::{Task, TaskState};
use crate::criterion::Criterion;
use crate::ids::TaskNo;
use crate::plan::{TaskKind, TaskSpec};

impl Run {
    /// Whether a person must judge what a task makes: it is to satisfy words that no rule understands,
    /// and no agent reviews it.
    #[must_use]
    pub fn is_for_person(&self, spec: &TaskSpec) -> bool {
        let in_words = { spec.criteria.iter() }.any(|it| matches!(it, Criterion::Plain { .. }));
        in_words && !self.is_for_reviewers(spec.kind)
    }

    fn is_for_reviewers(&self, kind: TaskKind) -> bool {
        !self.settings.reviewers.is_empty() && kind != TaskKind::Plan
    }

    /// Whether a task counts: a person judges what it makes, or what was reviewed to no end.
    pub(super) fn counts_as_awaiting(&self, no: TaskNo) -> bool {
        let task = &self.tasks[no.index()];
        match &task.state {
            TaskState::Active(live) => match live.phase {
                Phase::Leased | Phase::Working | Phase::Submitted | Phase::Collected => {
                    self.is_for_person(&task.spec)
                }
                Phase::Held { .. } => self.review_of(no).is_none(),
                Phase::Verified | Phase::Prepared { .. } => false,
            },
            TaskState::Escalated(_) | TaskState::Question(_) => task.reviews.is_some(),
            _ => false,
        }
    }

    /// The tasks that count, by number.
    pub fn awaiting(&self) -> impl Iterator<Item = &Task> {
        self.awaiting.iter().map(|no| &self.tasks[no.index()])
    }

    /// The limit, if there is one.
    pub(crate) fn awaiting_max(&self) -> Option<usize> {
        let max = self.settings.awaiting_max;
        (max > 0).then_some(max as usize)
    }

    /// The limit, in words.
    pub(super) fn awaiting_words(&self) -> String {
        match self.settings.awaiting_max {
            1 => "1 result that a person must judge".to_owned(),
            max => format!("{max} results that a person must judge"),
        }
    }

    /// How many count.
    pub(crate) fn awaiting_count(&self) -> usize {
        self.awaiting.len()
    }

    /// Whether tasks of a class wait until somebody judged what there is.
    pub(crate) fn holds_back(&self, class: &Class) -> bool {
        let is_full = |max| self.awaiting.len() >= max;
        class.for_person && self.awaiting_max().is_some_and(is_full)
    }

    /// Whether a task that is ready waits until somebody judged what there is.
    #[must_use]
    pub fn is_held_back(&self, task: &Task) -> bool {
        let is_ready = matches!(task.state, TaskState::Ready { .. });
        is_ready && self.holds_back(&self.classes[task.class as usize])
    }
}
