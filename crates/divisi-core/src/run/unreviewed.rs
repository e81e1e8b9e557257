//! Why a person judges what no rule can tell, though configuration names agents that judge.

use super::attempt::Phase;
use super::reviews::Subject;
use super::state::{Final, Run};
use crate::criterion::{Criterion, Outcome};
use crate::ids::TaskNo;
use crate::plan::{TASKS_MAX, TaskKind};

/// Why no agent judges something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreviewed {
    /// None of these is there.
    Missing(Vec<String>),
    /// Who wants to see a plan before it is taken is a person.
    Plan,
    /// A criterion is left that is no matter of words. Nobody could look at what it asks.
    NotWords(Criterion),
    /// The run has no files that somebody could look at.
    NoFiles,
    /// The run has as many tasks as one may have.
    Full,
    /// A review came to nothing: a person closed it, or it left something open.
    Over(String),
}

impl Unreviewed {
    /// Why, as it follows "a person is to judge it:".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Unreviewed::Missing(names) => format!(
                "no agent that `review.agents` names was installed when the run began: {}",
                names.join(", ")
            ),
            Unreviewed::Plan => {
                "a plan that is to be seen before it is taken is seen by a person".to_owned()
            }
            Unreviewed::NotWords(criterion) => {
                format!("what is open is no matter of words, which agents could judge: {criterion}")
            }
            Unreviewed::NoFiles => "the run has no files that an agent could look at".to_owned(),
            Unreviewed::Full => {
                format!("the run has {TASKS_MAX} tasks, and a review would be one more")
            }
            Unreviewed::Over(review) => format!("{review} is over and did not tell"),
        }
    }
}

impl Run {
    /// The agents that are to judge something that is held, the best first; or why a person is to.
    /// `None` if nobody is to judge it, or no agents judge in this run.
    pub(super) fn reviewable(&self, of: &Subject) -> Option<Result<Vec<String>, Unreviewed>> {
        let (criteria, verdicts) = self.under_review(of)?;
        let reviewers = self.reviewers(of);
        let missing = &self.settings.reviewers_missing;
        if reviewers.is_empty() && missing.is_empty() {
            return None;
        }
        let is_plan = match of {
            Subject::Attempt(of) => self.task(of.task)?.spec.kind == TaskKind::Plan,
            Subject::Whole(_) => false,
        };
        let open = verdicts
            .iter()
            .filter(|it| it.outcome == Outcome::Unverified);
        let mut open = open.filter_map(|it| criteria.get(usize::from(it.criterion)));
        let no_words = open.find(|it| !matches!(it, Criterion::Plain { .. }));
        Some(if is_plan {
            Err(Unreviewed::Plan)
        } else if let Some(criterion) = no_words {
            Err(Unreviewed::NotWords(criterion.clone()))
        } else if reviewers.is_empty() {
            Err(Unreviewed::Missing(missing.clone()))
        } else if self.reviewed_commits(of).is_none() {
            Err(Unreviewed::NoFiles)
        } else if self.tasks.len() >= TASKS_MAX {
            Err(Unreviewed::Full)
        } else {
            Ok(reviewers)
        })
    }

    /// Why no agent judges what a task's attempt made, or all that is integrated, where that is held
    /// and agents judge in this run.
    #[must_use]
    pub fn unreviewed(&self, of: Option<TaskNo>) -> Option<Unreviewed> {
        let subject = match of {
            Some(no) => {
                let live = self.task(no)?.live()?;
                let is_held = matches!(live.phase, Phase::Held { .. });
                is_held.then(|| Subject::Attempt(self.attempt_id(no, live.number)))?
            }
            None => {
                let Final::Held { verdicts, tasks } = &self.finally else {
                    return None;
                };
                // What does not hold is mended first, by whoever a person sends.
                let fails = verdicts.iter().any(|it| it.outcome == Outcome::Fail);
                if fails || !tasks.is_empty() {
                    return None;
                }
                match &self.integration.head {
                    Some(head) => Subject::Whole(head.clone()),
                    None => return self.has_reviewers().then_some(Unreviewed::NoFiles),
                }
            }
        };
        let of_it = |review: &&super::Task| review.reviews.as_ref() == Some(&subject);
        match self.tasks.iter().rfind(of_it) {
            Some(review) if !review.status().is_terminal() => None,
            Some(review) => Some(Unreviewed::Over(review.spec.id.to_string())),
            None => self.reviewable(&subject)?.err(),
        }
    }

    fn has_reviewers(&self) -> bool {
        !self.settings.reviewers.is_empty() || !self.settings.reviewers_missing.is_empty()
    }
}
