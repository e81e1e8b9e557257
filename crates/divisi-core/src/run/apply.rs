//! Turns events into state. It cannot fail, holds no policy and reads no configuration.
//!
//! An event that does not fit the state is our own fault: [`Run::decide`] made it with the same
//! table. Then the process stops, and the journal, which is right, is replayed.

use std::collections::BTreeMap;

use super::attempt::{Attempt, AttemptEnd, Ending, Phase};
use super::event::{Event, PreparedCommit, Then};
use super::indexes::released;
use super::permissions::withdraw;
use super::state::{Final, Run};
use super::task::{Answer, Task, TaskState, Unheld};
use super::transition::{EventName, Next, StateName, names, next, receipt_name};
use crate::criterion::Outcome;
use crate::ids::{AttemptId, Commit, TaskNo, Time};
use crate::plan::TaskKind;
use crate::receipt::Receipt;

impl Run {
    /// Takes in an event. Its time is the stream's time from now on.
    pub fn apply(&mut self, at: Time, event: &Event) {
        if at > self.last_at && self.rests() {
            self.waited_ms += at.ms_since(self.last_at);
        }
        self.last_at = self.last_at.max(at);
        self.assert_table(event);
        match event {
            Event::RunCreated { .. } => unreachable!("a run is created once, by its first event"),
            Event::RunApproved => self.approved = true,
            Event::PlanReplaced { plan } => *self = self.with_plan(plan),
            Event::PlanRefused { reason, then, .. } => self.apply_plan_refused(reason, then),
            Event::RunPaused { reason } => self.paused = Some(reason.clone()),
            Event::RunResumed => self.paused = None,
            Event::CancelAsked => self.canceling = true,
            Event::RunEnded { status } => self.ended = Some((*status, at)),
            Event::FinalHeld { verdicts, tasks } => {
                self.finally = Final::Held {
                    verdicts: verdicts.clone(),
                    tasks: tasks.clone(),
                };
            }
            Event::FinalPassed { verdicts } => self.finally = Final::Passed(verdicts.clone()),
            Event::BatchNarrowed { batch } => self.integration.batch = *batch,
            Event::BatchPrepared { commits } => self.apply_prepared(commits),
            Event::BatchIntegrated { head, attempts } => self.apply_integrated(at, head, attempts),
            Event::ReviewOpened { review, of } => self.apply_review_opened(review, of),
            Event::ReviewClosed { task } => {
                self.change(*task, |task| task.state = TaskState::Done);
                self.done(*task);
            }
            Event::TaskSplit {
                task,
                planned,
                advice,
                ..
            } => {
                let planned = planned.as_ref().map(|planned| (planned, &advice[..]));
                self.apply_split(at, *task, planned, event);
            }
            Event::AttemptLeased { attempt, .. }
            | Event::AttemptStarted { attempt, .. }
            | Event::AttemptAdopted { attempt, .. }
            | Event::AttemptStopping { attempt, .. }
            | Event::AttemptSuspected { attempt, .. }
            | Event::AttemptCleared { attempt }
            | Event::ReviewAwaited { attempt, .. } => self.apply_attempt(at, *attempt, event),
            Event::PermissionAsked { attempt, .. } | Event::PermissionDecided { attempt, .. } => {
                self.apply_permission(at, *attempt, event);
            }
            Event::AttemptAdvanced { attempt, receipts } => {
                self.apply_advanced(at, *attempt, receipts)
            }
            Event::AttemptEnded {
                attempt,
                end,
                receipts,
                workspace_kept,
                then,
                advice,
            } => {
                self.apply_ended(at, *attempt, end, receipts, then);
                if let Some(ending) = self.tasks[attempt.task.index()].endings.last_mut() {
                    ending.workspace_kept = *workspace_kept;
                    ending.advice.clone_from(advice);
                }
            }
            Event::AttemptReturned { attempt, exit } => {
                let exit = exit.clone();
                self.change_ending(*attempt, |ending| {
                    (ending.returned, ending.late_exit) = (true, exit);
                });
            }
            Event::OfferKept { attempt, snapshot } => {
                let snapshot = snapshot.clone();
                self.change_ending(*attempt, |ending| {
                    (ending.returned, ending.offer) = (false, snapshot.or(ending.offer.take()));
                });
            }
            Event::OfferDiscarded { attempt } => {
                self.change_ending(*attempt, |ending| ending.discarded = true);
            }
            Event::OfferAdopted { attempt, from } => self.apply_adopted(at, *attempt, *from),
            Event::CandidateChosen { attempt, from, why } => {
                self.apply_chosen(at, *attempt, *from, why);
            }
            Event::CandidatesRefused { task, why } => self.apply_candidates_refused(*task, why),
            Event::ApprovalGiven { task, .. }
            | Event::TaskFailed { task, .. }
            | Event::TaskCanceled { task }
            | Event::TaskSkipped { task, .. }
            | Event::TaskRetried { task, .. }
            | Event::QuestionAnswered { task, .. } => self.apply_person(*task, event),
        }
        self.owe_run();
    }

    /// An event that the table refuses is a fault of ours, never of the outside.
    fn assert_table(&self, event: &Event) {
        let mut state_of: BTreeMap<TaskNo, StateName> = BTreeMap::new();
        for (no, name) in names(event) {
            let state = *state_of
                .entry(no)
                .or_insert_with(|| self.tasks[no.index()].state_name());
            let name = self.as_it_waits(no, name);
            match next(state, name) {
                Next::To(to) => {
                    state_of.insert(no, to);
                }
                Next::Stays => {}
                Next::Refused => panic!("the table refuses {name:?} in {state:?}: task {}", no.0),
            }
        }
    }

    /// A retried task may have to wait, or for a person, which only the run knows.
    pub(super) fn as_it_waits(&self, no: TaskNo, name: EventName) -> EventName {
        let task = &self.tasks[no.index()];
        match name {
            EventName::Retried if task.unmet > 0 => EventName::RetriedWaiting,
            EventName::Retried if task.spec.kind == TaskKind::Approval => {
                EventName::RetriedApproval
            }
            name => name,
        }
    }

    fn apply_attempt(&mut self, at: Time, attempt: AttemptId, event: &Event) {
        let event = event.clone();
        self.change(attempt.task, |task| match event {
            Event::AttemptLeased {
                attempt,
                agent,
                epoch,
                workspace,
                timeout_ms,
                credential,
            } => {
                task.state = TaskState::Active(Box::new(Attempt {
                    number: attempt.number,
                    agent,
                    credential,
                    epoch,
                    leased_at: at,
                    workspace,
                    timeout_ms,
                    phase: Phase::Leased,
                    adopts: None,
                    base: None,
                    passed_before: Vec::new(),
                    confined: None,
                    left_out: Vec::new(),
                    stopping: None,
                    suspected: None,
                    permissions: Vec::new(),
                    asked: 0,
                    receipts: Vec::new(),
                }));
            }
            other => {
                if let Some(live) = task.live_mut() {
                    apply_live(live, other);
                }
            }
        });
    }

    fn apply_advanced(&mut self, at: Time, attempt: AttemptId, receipts: &[Receipt]) {
        let no = attempt.task;
        self.change(no, |task| {
            let Some(live) = task.live_mut() else { return };
            for receipt in receipts {
                take_receipt(live, receipt);
                match receipt_name(receipt) {
                    EventName::Submitted => {
                        withdraw(&mut live.permissions, at);
                        live.phase = Phase::Submitted;
                    }
                    EventName::Collected => live.phase = Phase::Collected,
                    EventName::Verified => live.phase = Phase::Verified,
                    name => {
                        let end = match name {
                            EventName::Reviewed => AttemptEnd::Reviewed,
                            EventName::Measured => AttemptEnd::Measured,
                            _ => AttemptEnd::Integrated,
                        };
                        finish(task, at, end);
                        task.state = TaskState::Done;
                        return;
                    }
                }
            }
        });
        let task = &self.tasks[no.index()];
        // What a plan task made is not merged: its tasks are made of it. Nor are verdicts.
        match task.state_name() {
            StateName::Done => self.done(no),
            StateName::Verified if task.is_merged() => {
                self.integration.queue.push_back(attempt);
            }
            _ => {}
        }
    }

    fn apply_ended(
        &mut self,
        at: Time,
        attempt: AttemptId,
        end: &AttemptEnd,
        receipts: &[Receipt],
        then: &Then,
    ) {
        if self.tasks[attempt.task.index()].state_name() == StateName::Verified {
            self.dequeue(attempt);
        }
        self.change(attempt.task, |task| {
            if let Some(live) = task.live_mut() {
                for receipt in receipts {
                    take_receipt(live, receipt);
                }
            }
            finish(task, at, end.clone());
            match end {
                _ if end.is_own_failure() => task.failures += 1,
                AttemptEnd::Lost(_) => task.losses += 1,
                AttemptEnd::Limited { .. } => task.limits += 1,
                AttemptEnd::UsedUp(_) => task.used_up += 1,
                AttemptEnd::Refused(_) => task.conflicts += 1,
                _ => {}
            }
            go_on(task, then);
        });
        self.meet_spent(attempt.task);
    }

    /// Takes an attempt out of the queue. It mostly stands at the front.
    fn dequeue(&mut self, attempt: AttemptId) {
        let queue = &mut self.integration.queue;
        if let Some(at) = queue.iter().position(|queued| *queued == attempt) {
            queue.remove(at);
        }
    }

    fn apply_prepared(&mut self, commits: &[PreparedCommit]) {
        for one in commits {
            self.dequeue(one.attempt);
            self.integration.prepared.push(one.attempt);
            self.change(one.attempt.task, |task| {
                if let Some(live) = task.live_mut() {
                    live.phase = Phase::Prepared {
                        commit: one.commit.clone(),
                        tree: one.tree.clone(),
                    };
                }
            });
        }
    }

    fn apply_integrated(&mut self, at: Time, head: &Commit, attempts: &[(AttemptId, Receipt)]) {
        self.integration.head = Some(head.clone());
        self.integration.prepared.clear();
        self.integration.batch = self.settings.batch_max.max(1);
        for (attempt, receipt) in attempts {
            self.change(attempt.task, |task| {
                if let Some(live) = task.live_mut() {
                    live.receipts.push(receipt.clone());
                }
                finish(task, at, AttemptEnd::Integrated);
                task.state = TaskState::Done;
            });
            self.done(attempt.task);
        }
    }

    /// What changes about an attempt that is over.
    fn change_ending(&mut self, attempt: AttemptId, change: impl FnOnce(&mut Ending)) {
        let endings = &mut self.tasks[attempt.task.index()].endings;
        if let Some(ending) = { endings.iter_mut() }.find(|it| it.number == attempt.number) {
            change(ending);
        }
        self.changed.insert(attempt.task);
        self.owe_offers(attempt.task);
    }

    /// A new attempt that nobody works on: its work is there.
    fn apply_adopted(&mut self, at: Time, attempt: AttemptId, from: u32) {
        self.change(attempt.task, |task| {
            let workspace = task.endings.last().map_or(1, |last| last.workspace + 1);
            let made = task.endings.iter_mut().find(|ending| ending.number == from);
            let Some(made) = made else { return };
            made.adopted_as = Some(attempt.number);
            // What changed nothing is taken as it was refused.
            let work = made.offer.as_ref().or(made.snapshot()).cloned();
            let taken = made.taken_as(attempt.number, workspace, at, work);
            task.state = TaskState::Active(Box::new(taken));
        });
    }

    fn apply_person(&mut self, no: TaskNo, event: &Event) {
        let was_done = matches!(self.tasks[no.index()].state, TaskState::Done);
        let waits = self.tasks[no.index()].unmet > 0;
        let unheld = self.unheld(no);
        if was_done && matches!(event, Event::TaskRetried { .. }) {
            // What was expanded since may have made the paths behind it longer.
            self.rank();
        }
        self.change(no, |task| match event {
            Event::ApprovalGiven { note, .. } => {
                if !note.is_empty() {
                    task.answers.push(Answer::unasked(note));
                }
                task.state = TaskState::Done;
            }
            Event::TaskFailed { reason, .. } => task.state = TaskState::Failed(reason.clone()),
            Event::TaskCanceled { .. } => task.state = TaskState::Canceled,
            Event::TaskSkipped { because, .. } => task.state = TaskState::Skipped(*because),
            Event::TaskRetried { note, .. } => {
                if was_done {
                    task.unheld = unheld;
                }
                task.failures = 0;
                task.losses = 0;
                task.limits = 0;
                task.conflicts = 0;
                if !note.is_empty() {
                    task.answers.push(Answer::unasked(note));
                }
                task.state = match waits {
                    true => TaskState::Waiting,
                    false => released(&task.spec),
                };
            }
            Event::QuestionAnswered { answer, .. } => {
                let question = match &task.state {
                    TaskState::Question(question) => Some(question.clone()),
                    _ => None,
                };
                task.answers.push(Answer {
                    question,
                    text: answer.clone(),
                });
                task.state = TaskState::Ready {
                    not_before: Time(0),
                };
            }
            _ => {}
        });
        match event {
            Event::ApprovalGiven { .. } => self.done(no),
            Event::TaskFailed { .. } | Event::TaskCanceled { .. } => self.meet_spent(no),
            Event::TaskRetried { .. } if was_done => {
                // Redone work is checked with the whole again. What its dependents made stands:
                // they are not held back a second time.
                self.finally = Final::Open;
                debug_assert!(!matches!(self.tasks[no.index()].state, TaskState::Done));
                self.count_unmet();
            }
            // A review of the whole judges what was found of it.
            Event::TaskRetried { .. } if self.tasks[no.index()].reviews.is_some() => {}
            Event::TaskRetried { .. } => self.finally = Final::Open,
            _ => {}
        }
    }
}

impl Run {
    /// What does not hold on the whole as it is held: of a task's own criteria, and of all.
    fn unheld(&self, no: TaskNo) -> Vec<Unheld> {
        let Final::Held { verdicts, tasks } = &self.finally else {
            return Vec::new();
        };
        let own = tasks.iter().filter(|(of, _)| *of == no);
        let own = own.flat_map(|(_, verdicts)| verdicts);
        let spec = &self.tasks[no.index()].spec;
        let own = own.map(|verdict| (verdict, &spec.criteria));
        let all = own.chain(verdicts.iter().map(|verdict| (verdict, &self.criteria)));
        all.filter(|(verdict, _)| verdict.outcome == Outcome::Fail)
            .map(|(verdict, criteria)| Unheld {
                criterion: { criteria.get(usize::from(verdict.criterion)) }
                    .map_or_else(String::new, ToString::to_string),
                evidence: verdict.evidence.clone(),
            })
            .collect()
    }
}

fn apply_live(live: &mut Attempt, event: Event) {
    match event {
        Event::AttemptStarted {
            base,
            passed_before,
            confined,
            left_out,
            ..
        } => {
            live.phase = Phase::Working;
            live.base = base;
            live.passed_before = passed_before;
            live.confined = confined;
            live.left_out = left_out;
        }
        Event::AttemptAdopted { epoch, .. } => {
            live.epoch = epoch;
            // Whoever suspected it is gone, and whoever adopts it has seen it alive.
            live.suspected = None;
        }
        Event::AttemptStopping { reason, .. } => live.stopping = Some(reason),
        Event::AttemptSuspected { evidence, .. } => live.suspected = Some(evidence),
        Event::AttemptCleared { .. } => live.suspected = None,
        Event::ReviewAwaited { verdicts, .. } => live.phase = Phase::Held { verdicts },
        _ => {}
    }
}

/// What the supervisor said when it ended counts more than what was expected at its start.
fn take_receipt(live: &mut Attempt, receipt: &Receipt) {
    if let Receipt::Submitted {
        confined: Some(confined),
        ..
    } = receipt
    {
        live.confined = Some(*confined);
    }
    live.receipts.push(receipt.clone());
}

/// What becomes of a task after an attempt that was not integrated.
pub(super) fn go_on(task: &mut Task, then: &Then) {
    let now = TaskState::Ready {
        not_before: Time(0),
    };
    task.state = match then {
        Then::Retry { not_before } => TaskState::Ready {
            not_before: *not_before,
        },
        Then::Reassign { agent } => {
            task.reassigned = Some(agent.clone());
            now
        }
        Then::Split(_) => now,
        Then::Escalate(reason) => TaskState::Escalated(reason.clone()),
        Then::Ask(question) => TaskState::Question(question.clone()),
        Then::Cancel => TaskState::Canceled,
    };
}

/// Moves the live attempt to the endings.
pub(super) fn finish(task: &mut Task, at: Time, end: AttemptEnd) {
    let state = std::mem::replace(&mut task.state, TaskState::Waiting);
    let TaskState::Active(mut live) = state else {
        task.state = state;
        return;
    };
    withdraw(&mut live.permissions, at);
    if end == AttemptEnd::Integrated {
        task.unheld.clear();
    }
    // Most tasks have one ending, and a run has many tasks: room for four would be mostly waste.
    task.endings.reserve_exact(1);
    task.endings.push(Ending {
        number: live.number,
        agent: live.agent,
        leased_at: live.leased_at,
        ended_at: at,
        workspace: live.workspace,
        // Integrated work is part of the head: whatever follows starts from there.
        workspace_kept: end != AttemptEnd::Integrated,
        end,
        advice: Vec::new(),
        base: live.base,
        confined: live.confined,
        left_out: live.left_out,
        permissions: live.permissions,
        receipts: live.receipts,
        held: match live.phase {
            Phase::Held { verdicts } => verdicts,
            _ => Vec::new(),
        },
        returned: false,
        late_exit: None,
        offer: None,
        adopted_as: None,
        discarded: false,
    });
}
