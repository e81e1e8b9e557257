//! The steps from a claim to be done to what the checks say of it (X1): submitted, collected,
//! verified, and the checks on the whole. [`super::integration`] goes on from there.

use super::agents::holds_slot;
use super::attempt::{Attempt, AttemptEnd, Failure, Phase};
use super::command::Rejection;
use super::decide::Draft;
use super::event::Event;
use super::person;
use super::reviews::Subject;
use super::state::Run;
use super::task::Task;
use crate::criterion::{Cost, Criterion, EVIDENCE_BYTES_MAX, Outcome, Verdict, truncate};
use crate::ids::{AttemptId, Commit, TaskNo};
use crate::plan::{TaskKind, Work, WorkspaceKind};
use crate::receipt::{Artifact, Exit, Receipt, Snapshot};

/// What is said of work that changed nothing: the first line to whoever asks, all to its next agent.
const NOTHING_CHANGED: &str = "nothing was changed: its checks held before, and show nothing of it\n\
    Do what the task says. If nothing has to be changed for that, say why in your last words: a \
    person will read them and decide.";

/// What shows what no rule can tell, where the owner found that nothing had to be changed.
const TAKEN_AS_IT_IS: &str = "its owner took it as it is";

impl Draft<'_> {
    /// An attempt claims to be done. Where nothing but the exit status is to be judged, all that
    /// follows is known at once and costs one event.
    pub(super) fn submitted(
        &mut self,
        attempt: AttemptId,
        receipt: Receipt,
        exit: &Exit,
        swept: bool,
    ) {
        let spec = &self.run.tasks()[attempt.task.index()].spec;
        if spec.workspace != WorkspaceKind::Shared {
            self.push(Event::AttemptAdvanced {
                attempt,
                receipts: vec![receipt],
            });
            return;
        }
        let collected = Receipt::Collected {
            at: self.at,
            snapshot: None,
            artifacts: Vec::new(),
        };
        if spec
            .criteria
            .iter()
            .any(|criterion| criterion.cost() != Cost::Known)
        {
            self.push(Event::AttemptAdvanced {
                attempt,
                receipts: vec![receipt, collected],
            });
            return;
        }
        let passed = matches!(exit, Exit::Status(status) if spec.ok_exit.contains(status))
            || (*exit == Exit::NoProcess && spec.criteria.is_empty());
        if passed {
            let verdicts = (0..spec.criteria.len())
                .map(|at| Verdict::pass(at as u16))
                .collect();
            let verified = Receipt::Verified {
                at: self.at,
                tree: None,
                verdicts,
            };
            let mut receipts = vec![receipt, collected, verified];
            if spec.kind != TaskKind::Plan {
                receipts.push(Receipt::Integrated {
                    at: self.at,
                    commit: None,
                    tree: None,
                });
            }
            self.push(Event::AttemptAdvanced { attempt, receipts });
            return;
        }
        let expected = spec
            .ok_exit
            .iter()
            .map(i32::to_string)
            .collect::<Vec<_>>()
            .join(" or ");
        let verdict = Verdict::fail(
            0,
            format!("the command ended with {exit}, expected {expected}"),
        );
        let end = AttemptEnd::Refused(Failure::Checks(vec![verdict]));
        self.end(attempt, end, vec![receipt, collected], swept);
    }

    pub(super) fn on_collected(
        &mut self,
        attempt: AttemptId,
        snapshot: Option<Snapshot>,
        artifacts: Vec<Artifact>,
    ) -> Result<(), Rejection> {
        if self.live(attempt)?.phase != Phase::Submitted {
            return Self::superseded(attempt);
        }
        let receipt = Receipt::Collected {
            at: self.at,
            snapshot,
            artifacts,
        };
        self.push(Event::AttemptAdvanced {
            attempt,
            receipts: vec![receipt],
        });
        Ok(())
    }

    pub(super) fn on_collect_refused(
        &mut self,
        attempt: AttemptId,
        cause: String,
    ) -> Result<(), Rejection> {
        if self.live(attempt)?.phase != Phase::Submitted {
            return Self::superseded(attempt);
        }
        self.end(
            attempt,
            AttemptEnd::Refused(Failure::Collection(cause)),
            Vec::new(),
            true,
        );
        Ok(())
    }

    pub(super) fn on_checked(
        &mut self,
        attempt: AttemptId,
        verdicts: Vec<Verdict>,
    ) -> Result<(), Rejection> {
        if self.live(attempt)?.phase != Phase::Collected {
            return Self::superseded(attempt);
        }
        let verdicts = self.as_owner_found(attempt, verdicts)?;
        let any = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
        let expected = self.run.tasks()[attempt.task.index()].spec.criteria.len();
        let refused = match any(Outcome::Fail) || verdicts.len() != expected {
            true => Some(Failure::Checks(verdicts.clone())),
            false => self.gave_up(attempt)?.map(Failure::Collection),
        };
        if let Some(failure) = refused {
            let broken_off = self.live(attempt)?.broken_off();
            let end = broken_off.unwrap_or(AttemptEnd::Refused(failure));
            self.end(attempt, end, Vec::new(), true);
        } else if self.shows_nothing(attempt, any(Outcome::Unverified))? {
            let mut verdicts = verdicts;
            verdicts.push(Verdict {
                criterion: Verdict::OF_CHANGE,
                ..Verdict::fail(0, NOTHING_CHANGED)
            });
            let end = AttemptEnd::Refused(Failure::Checks(verdicts));
            self.end(attempt, end, Vec::new(), true);
        } else if any(Outcome::Unverified) {
            self.push(Event::ReviewAwaited { attempt, verdicts });
            self.open_review(Subject::Attempt(attempt));
        } else {
            self.verified(attempt, verdicts);
        }
        Ok(())
    }

    /// Where its owner has found that nothing had to be changed, what was to be changed is let pass, and
    /// what no rule can tell was judged with it.
    fn as_owner_found(
        &self,
        attempt: AttemptId,
        mut verdicts: Vec<Verdict>,
    ) -> Result<Vec<Verdict>, Rejection> {
        let task = self.known(attempt.task)?;
        if task.takes_unchanged(self.live(attempt)?.number) {
            let criteria = &task.spec.criteria;
            let wanting = { verdicts.iter_mut() }.filter(|it| it.wants_change(criteria));
            wanting.for_each(|it| it.outcome = Outcome::Waived);
            return Ok(person::judged(&verdicts, TAKEN_AS_IT_IS, false));
        }
        Ok(verdicts)
    }

    /// Whether an agent that was to change something changed nothing, and none of its task's criteria
    /// says what the files are to be: then all of them held before it began. Whatever else there is
    /// to go by is a person's word, that of who did it or of who took it as it is. Words that are still
    /// to be judged may be about something beside the files, unless the task is told which files it
    /// changes.
    fn shows_nothing(&self, attempt: AttemptId, has_open: bool) -> Result<bool, Rejection> {
        let task = self.known(attempt.task)?;
        let live = self.live(attempt)?;
        let is_agents = task.spec.kind == TaskKind::Work
            && task.spec.work == Work::Handoff
            && holds_slot(&live.agent);
        let criteria = &task.spec.criteria;
        let is_told = criteria.iter().any(Criterion::is_of_files);
        let is_beside = has_open && !criteria.iter().any(Criterion::names_changes);
        let is_first = live.adopts.is_none();
        Ok(is_agents && !is_told && !is_beside && is_first && live.changed_nothing())
    }

    /// Where an agent says that it failed, or was ended before it was done, and changed nothing, there
    /// is nothing that checks could be about: what holds now has held before. What it did make is
    /// judged, whatever it says.
    fn gave_up(&self, attempt: AttemptId) -> Result<Option<String>, Rejection> {
        let live = self.live(attempt)?;
        let says_so = |it: &Receipt| it.claimed_failure().is_some();
        let is_undone = live.receipts.iter().any(says_so) || live.broken_off().is_some();
        let gave_up = live.changed_nothing() && is_undone;
        Ok(gave_up.then(|| "there is nothing: no file was changed".to_owned()))
    }

    /// The checks passed, or a person let them pass.
    pub(super) fn verified(&mut self, attempt: AttemptId, verdicts: Vec<Verdict>) {
        let task = &self.run.tasks()[attempt.task.index()];
        let snapshot = task.live().and_then(Attempt::snapshot);
        let mut receipts = vec![Receipt::Verified {
            at: self.at,
            tree: snapshot.map(|snapshot| snapshot.tree.clone()),
            verdicts,
        }];
        if snapshot.is_none() && task.is_merged() {
            receipts.push(Receipt::Integrated {
                at: self.at,
                commit: None,
                tree: None,
            });
        }
        self.push(Event::AttemptAdvanced { attempt, receipts });
    }

    pub(super) fn on_final_checked(
        &mut self,
        head: Option<Commit>,
        verdicts: Vec<Verdict>,
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    ) -> Result<(), Rejection> {
        if !self.run.final_check_is_due() || head != self.run.integration.head {
            return Err(Rejection::OtherHead);
        }
        if tasks.iter().any(|(no, _)| self.run.task(*no).is_none()) {
            return Err(Rejection::NoSuchTask);
        }
        let mut verdicts = verdicts;
        for verdict in &mut verdicts {
            let is_owners = verdict.wants_change(&self.run.criteria);
            if is_owners && self.run.found_unneeded(verdict.criterion) {
                verdict.outcome = Outcome::Waived;
            }
            if verdict.outcome == Outcome::Unverified
                && let Some(judged) = self.run.judged(head.as_ref(), verdict.criterion)
            {
                *verdict = judged;
            }
        }
        let passed = verdicts
            .iter()
            .all(|v| matches!(v.outcome, Outcome::Pass | Outcome::Waived));
        let complete = verdicts.len() == self.run.criteria.len();
        if passed && complete && tasks.is_empty() {
            self.push(Event::FinalPassed { verdicts });
        } else {
            let failed = verdicts.iter().any(|it| it.outcome == Outcome::Fail) || !complete;
            let holds_else = !failed && tasks.is_empty();
            self.push(Event::FinalHeld { verdicts, tasks });
            if let Some(head) = head.filter(|_| holds_else) {
                self.open_review(Subject::Whole(head));
            }
        }
        Ok(())
    }
}

impl Run {
    /// Whether the owner has found of a task that it need not make a change that the whole wants, too.
    #[must_use]
    pub fn found_unneeded(&self, criterion: u16) -> bool {
        let of_whole = self.criteria.get(usize::from(criterion));
        let of_task = |task: &Task| {
            let receipts = task.endings.last().map(|last| last.receipts.as_slice());
            let verdicts = receipts.unwrap_or_default().iter().flat_map(|it| match it {
                Receipt::Verified { verdicts, .. } => verdicts.as_slice(),
                _ => &[],
            });
            let mut waived = verdicts.filter(|it| it.outcome == Outcome::Waived);
            waived.any(|it| task.spec.criteria.get(usize::from(it.criterion)) == of_whole)
        };
        self.tasks.iter().any(of_task)
    }

    /// What somebody said of a criterion of the whole that is also a task's, where the whole is what
    /// that task made: nobody is asked twice.
    fn judged(&self, head: Option<&Commit>, criterion: u16) -> Option<Verdict> {
        let of_whole = self.criteria.get(usize::from(criterion))?;
        if of_whole.is_falsifiable() {
            // Nobody said it: a program told it of the task.
            return None;
        }
        let does_something =
            |it: &&Task| it.reviews.is_none() && it.spec.kind != TaskKind::Approval;
        // Of what has no tree, another task's work is not told.
        let is_alone = self.tasks.iter().filter(does_something).count() == 1;
        let of_task = |no: TaskNo| {
            let task = &self.tasks[no.index()];
            let last = task.endings.last()?;
            let whole = last.receipts.iter().find_map(|receipt| match receipt {
                Receipt::Integrated { commit, tree, .. } => {
                    (commit.is_none() || commit.as_ref() == head).then_some(tree)
                }
                _ => None,
            })?;
            let (at, verdicts) = last.receipts.iter().find_map(|receipt| match receipt {
                Receipt::Verified { at, tree, verdicts } if tree == whole => {
                    (tree.is_some() || is_alone).then_some((at, verdicts))
                }
                _ => None,
            })?;
            let same = |verdict: &&Verdict| {
                let its = task.spec.criteria.get(usize::from(verdict.criterion));
                let is_judged = matches!(verdict.outcome, Outcome::Pass | Outcome::Waived);
                its == Some(of_whole) && is_judged
            };
            let verdict = verdicts.iter().find(same)?;
            let (id, at, said) = (&task.spec.id, at.utc(), verdict.evidence.as_str());
            let said = match said {
                "" => String::new(),
                said => format!(": {said}"),
            };
            // An agent's verdict names the agent.
            let mut evidence = match self.is_of_review(self.attempt_id(no, last.number), verdict) {
                true => format!("judged of task {id} at {at}{said}"),
                false => format!("a person judged it of task {id} at {at}{said}"),
            };
            truncate(&mut evidence, EVIDENCE_BYTES_MAX);
            Some(Verdict {
                criterion,
                evidence,
                ..verdict.clone()
            })
        };
        self.numbers().find_map(of_task)
    }

    /// Whether a verdict on an attempt is that of an agent's review.
    fn is_of_review(&self, attempt: AttemptId, verdict: &Verdict) -> bool {
        let of = Subject::Attempt(attempt);
        let reviews = { self.tasks.iter() }.filter(|it| it.reviews.as_ref() == Some(&of));
        let mut receipts = reviews.flat_map(Task::receipts);
        receipts.any(|it| match it {
            Receipt::Reviewed { verdicts, .. } => verdicts.contains(verdict),
            _ => false,
        })
    }
}
