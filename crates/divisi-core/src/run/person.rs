//! What people ask of a run's tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::agents::holds_slot;
use super::attempt::{AttemptEnd, Failure, Phase};
use super::command::Rejection;
use super::decide::Draft;
use super::event::Event;
use super::links::Node;
use super::offer;
use super::remedy;
use super::state::{Final, Run};
use super::task::{TaskState, TaskStatus};
use super::transition::StateName;
use crate::criterion::{Outcome, Verdict};
use crate::ids::TaskNo;
use crate::plan::TaskKind;
use crate::receipt::{Exit, Receipt};

impl Draft<'_> {
    pub(super) fn retry(&mut self, no: TaskNo, note: String) -> Result<(), Rejection> {
        let task = self.known(no)?;
        if let Some(of) = task.candidate_of {
            let of = &self.run.tasks()[of.index()];
            let hint = match of.state_name() {
                StateName::Escalated | StateName::Failed | StateName::Canceled => {
                    "retry the task that it is a candidate of"
                }
                _ => "the task that it is a candidate of chooses among the others",
            };
            return self.not_now(no, "retried", hint);
        }
        match task.state_name() {
            StateName::Escalated | StateName::Failed | StateName::Canceled => {}
            // Its dependents are done: consent can no longer hold anything back.
            StateName::Done if task.spec.kind == TaskKind::Approval => {
                return self.not_now(no, "retried", "an approval that was given stands");
            }
            StateName::Done if task.reviews.is_some() => {
                return self.not_now(no, "retried", "what it judged is reviewed anew when it is");
            }
            StateName::Done if matches!(self.run.finally, Final::Held { .. }) => {}
            StateName::Done if self.run.awaits_consent_to(no) => {}
            StateName::Done => {
                let hint = "what depends on it has gone on, or nobody is asked about it";
                return self.not_now(no, "retried", hint);
            }
            StateName::Skipped => {
                return self.not_now(no, "retried", "retry the task that it waits for");
            }
            _ => return self.not_now(no, "retried", "`divisi explain` says what it waits for"),
        }
        if self.run.canceling {
            return self.not_now(no, "retried", "the run is being canceled");
        }
        let hopeless = |on: &TaskNo| self.run.tasks()[on.index()].is_hopeless();
        if self.run.dependencies(no).iter().any(hopeless) {
            return self.not_now(no, "retried", "retry the task that it waits for");
        }
        let gates = self.run.gates_behind(no);
        self.push(Event::TaskRetried { task: no, note });
        self.revive_dependents(no);
        // Who was asked about it is asked anew when it is done again.
        for gate in gates {
            self.push(Event::TaskRetried {
                task: gate,
                note: String::new(),
            });
        }
        Ok(())
    }

    /// Tasks that were skipped because of this one wait again, if nothing else they wait for is
    /// given up.
    fn revive_dependents(&mut self, root: TaskNo) {
        let mut revival = Revival::default();
        let mut worklist = self.run.links(Node::Task(root)).feeds.clone();
        while let Some(node) = worklist.pop() {
            if !revival.revives(self.run, node) {
                continue;
            }
            worklist.extend_from_slice(&self.run.links(node).feeds);
            if let Node::Task(task) = node {
                let note = String::new();
                self.push(Event::TaskRetried { task, note });
            }
        }
    }

    pub(super) fn submit(&mut self, no: TaskNo) -> Result<(), Rejection> {
        let task = self.known(no)?;
        let hint = "only work that a person or something outside does can be submitted";
        let Some(live) = task.live() else {
            return self.not_now(no, "submitted", hint);
        };
        if !live.awaits_submission() {
            let hint = match holds_slot(&live.agent) {
                true => hint,
                false => "it was submitted already",
            };
            return self.not_now(no, "submitted", hint);
        }
        let attempt = self.run.attempt_id(no, live.number);
        let wall_ms = self.at.ms_since(live.leased_at);
        let exit = Exit::NoProcess;
        let receipt = Receipt::Submitted {
            at: self.at,
            command: String::new(),
            exit: exit.clone(),
            output: None,
            wall_ms,
            confined: None,
            claimed_failure: None,
            too_large: false,
            used_up: None,
            usage: None,
        };
        self.submitted(attempt, receipt, &exit, true);
        Ok(())
    }

    pub(super) fn approve(
        &mut self,
        task: Option<TaskNo>,
        note: &str,
        waive: bool,
    ) -> Result<(), Rejection> {
        let Some(no) = task else {
            return self.approve_whole(note, waive);
        };
        let task = self.known(no)?;
        match &task.state {
            TaskState::Approval => {
                self.push(Event::ApprovalGiven {
                    task: no,
                    note: note.to_owned(),
                });
                Ok(())
            }
            TaskState::Active(live) => {
                let Phase::Held { verdicts } = &live.phase else {
                    return self.not_now(no, "approved", "nothing about it awaits a person yet");
                };
                let verdicts = judged(verdicts, note, waive);
                let attempt = self.run.attempt_id(no, live.number);
                self.verified(attempt, verdicts);
                Ok(())
            }
            TaskState::Escalated(_) if task.is_refused_for_no_change() => {
                self.take_unchanged(no, note)
            }
            TaskState::Escalated(_) => self.not_now(
                no,
                "approved",
                "`divisi retry` tries it again, `divisi reject` gives it up",
            ),
            _ => self.not_now(no, "approved", "`divisi explain` says what it waits for"),
        }
    }

    /// The owner finds that nothing had to be changed. The attempt that found it, too, is checked once
    /// more, as a new one, and integrated like any other.
    fn take_unchanged(&mut self, no: TaskNo, note: &str) -> Result<(), Rejection> {
        let task = self.known(no)?;
        let Some(last) = task.endings.last().cloned() else {
            return self.not_now(no, "approved", "nothing was made of it yet");
        };
        if task.unmet > 0 {
            return self.not_now(no, "approved", "what it waits for is not done");
        }
        let attempt = self.run.attempt_id(no, task.attempts() + 1);
        self.retry(no, note.to_owned())?;
        self.push(Event::OfferAdopted {
            attempt,
            from: last.number,
        });
        let exit = last.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Submitted { exit, .. } => Some(exit.clone()),
            _ => None,
        });
        let exit = exit.unwrap_or(Exit::NoProcess);
        let receipt = offer::submitted(self.at, exit.clone(), &last.agent);
        self.submitted(attempt, receipt, &exit, true);
        Ok(())
    }

    /// The owner judges the whole: plain-word criteria pass, failed ones can only be waived.
    fn approve_whole(&mut self, note: &str, waive: bool) -> Result<(), Rejection> {
        if !self.run.approved {
            return self.approve_plan();
        }
        let Final::Held { verdicts, tasks } = &self.run.finally else {
            return Err(Rejection::WholeNotHeld);
        };
        let failed = verdicts
            .iter()
            .any(|verdict| verdict.outcome == Outcome::Fail);
        if (failed || !tasks.is_empty()) && !waive {
            return Err(Rejection::WholeFails);
        }
        let verdicts = judged(verdicts, note, waive);
        self.push(Event::FinalPassed { verdicts });
        Ok(())
    }

    /// The owner finds that what no rule can tell does not hold on the whole. Which task is to do it
    /// again, nobody but the owner knows.
    pub(super) fn refuse_whole(&mut self, reason: &str) -> Result<(), Rejection> {
        let Final::Held { verdicts, tasks } = &self.run.finally else {
            return self.refuse_whole_plan(reason.to_owned());
        };
        let (mut verdicts, tasks) = (verdicts.clone(), tasks.clone());
        let open = |it: &&mut Verdict| it.outcome == Outcome::Unverified;
        let mut refused = false;
        for verdict in verdicts.iter_mut().filter(open) {
            let end = AttemptEnd::Refused(Failure::Person(reason.to_owned()));
            *verdict = Verdict::fail(verdict.criterion, remedy::words(&end));
            refused = true;
        }
        if !refused {
            return Err(Rejection::WholeFails);
        }
        self.push(Event::FinalHeld { verdicts, tasks });
        Ok(())
    }

    fn approve_plan(&mut self) -> Result<(), Rejection> {
        self.push(Event::RunApproved);
        Ok(())
    }

    pub(super) fn reject(&mut self, no: TaskNo, reason: &str) -> Result<(), Rejection> {
        let task = self.known(no)?;
        match &task.state {
            TaskState::Escalated(_) | TaskState::Question(_) if task.reviews.is_some() => {
                self.push(Event::ReviewClosed { task: no });
                Ok(())
            }
            TaskState::Approval | TaskState::Escalated(_) | TaskState::Question(_) => {
                self.push(Event::TaskFailed {
                    task: no,
                    reason: reason.to_owned(),
                });
                Ok(())
            }
            // Also whoever was to do it may find that they cannot.
            TaskState::Active(live)
                if matches!(live.phase, Phase::Held { .. }) || live.awaits_submission() =>
            {
                let attempt = self.run.attempt_id(no, live.number);
                let end = AttemptEnd::Refused(Failure::Person(reason.to_owned()));
                self.end(attempt, end, Vec::new(), true);
                Ok(())
            }
            _ => self.not_now(no, "rejected", "`divisi explain` says what it waits for"),
        }
    }

    pub(super) fn answer(&mut self, no: TaskNo, text: String) -> Result<(), Rejection> {
        if !matches!(self.known(no)?.state, TaskState::Question(_)) {
            return self.not_now(no, "answered", "it has asked nothing");
        }
        self.push(Event::QuestionAnswered {
            task: no,
            answer: text,
        });
        Ok(())
    }
}

impl Run {
    /// Whether a person is asked for consent to what comes after this done task, and nothing else that
    /// depends on it was begun.
    #[must_use]
    pub fn awaits_consent_to(&self, no: TaskNo) -> bool {
        let task = &self.tasks()[no.index()];
        let waits = |on: &TaskNo| {
            let state = &self.tasks()[on.index()].state;
            matches!(state, TaskState::Waiting | TaskState::Approval)
        };
        let is_work = task.spec.kind != TaskKind::Approval
            && task.reviews.is_none()
            && task.candidate_of.is_none();
        is_work
            && task.status() == TaskStatus::Done
            && self.dependents(no).iter().all(waits)
            && !self.gates_behind(no).is_empty()
    }

    /// The approvals right behind a task at which a person is asked.
    fn gates_behind(&self, no: TaskNo) -> Vec<TaskNo> {
        let asks = |on: &TaskNo| matches!(self.tasks()[on.index()].state, TaskState::Approval);
        self.dependents(no).into_iter().filter(asks).collect()
    }
}

/// A walk from a retried task to all that was skipped because of it.
///
/// A node is looked at again whenever something it waits for is revived. How far it was found free
/// of what is given up is kept, so that all looks together cost its edges once.
#[derive(Default)]
struct Revival {
    free: BTreeMap<Node, usize>,
    /// Joins that were found hopeless, or free.
    hopeless: BTreeMap<Node, bool>,
    /// Joins that were passed.
    passed: BTreeSet<Node>,
}

impl Revival {
    fn revives(&mut self, run: &Run, node: Node) -> bool {
        let skipped = match node {
            Node::Task(no) => run.tasks()[no.index()].status() == TaskStatus::Skipped,
            Node::Join(_) => !self.passed.contains(&node),
        };
        if !skipped {
            return false;
        }
        let waits = &run.links(node).waits;
        let from = self.free.get(&node).copied().unwrap_or(0);
        let rest = waits[from..].iter();
        let free = rest.take_while(|on| !self.is_hopeless(run, **on)).count();
        self.free.insert(node, from + free);
        let revived = from + free == waits.len();
        if revived && matches!(node, Node::Join(_)) {
            self.passed.insert(node);
            self.hopeless.insert(node, false);
        }
        revived
    }

    fn is_hopeless(&mut self, run: &Run, node: Node) -> bool {
        match node {
            Node::Task(no) => run.tasks()[no.index()].is_hopeless(),
            Node::Join(_) => match self.hopeless.get(&node) {
                Some(known) => *known,
                None => {
                    // Joins nest no deeper than splits, and a barrier round them.
                    let waits = &run.links(node).waits;
                    let found = waits.iter().any(|on| self.is_hopeless(run, *on));
                    self.hopeless.insert(node, found);
                    found
                }
            },
        }
    }
}

/// Verdicts with what a person decided in the place of what no rule could tell.
pub(super) fn judged(verdicts: &[Verdict], note: &str, waive: bool) -> Vec<Verdict> {
    let judge = |verdict: &Verdict| {
        let mut verdict = verdict.clone();
        let open = verdict.outcome == Outcome::Unverified;
        if waive && (open || verdict.outcome == Outcome::Fail) {
            verdict.outcome = Outcome::Waived;
            verdict.evidence = note.to_owned();
        } else if open {
            verdict.outcome = Outcome::Pass;
            verdict.evidence = note.to_owned();
        }
        verdict
    };
    verdicts.iter().map(judge).collect()
}
