//! Turns commands into events, or refuses them.
//!
//! Deciding works on a draft: a copy-free cursor over the run that collects events and applies
//! each at once, so that later parts of one decision see the effect of earlier ones. The shell
//! appends the events; if it cannot, it drops the state and loads it anew.

use super::attempt::{Attempt, AttemptEnd};
use super::command::{Accepted, Command, Create, Rejection};
use super::event::{Event, Then};
use super::links::Seen;
use super::remedy::{self, Remedy};
use super::state::{Final, Run, RunStatus};
use super::task::TaskStatus;
use super::transition::StateName;
use crate::ids::{AttemptId, RunId, TaskNo, Time};
use crate::plan::Fault;
use crate::receipt::Receipt;

/// A decision under way: events so far, already applied.
pub(super) struct Draft<'a> {
    pub(super) run: &'a mut Run,
    pub(super) at: Time,
    events: Vec<Event>,
}

impl Draft<'_> {
    /// Records and applies an event.
    pub(super) fn push(&mut self, event: Event) {
        self.run.apply(self.at, &event);
        self.events.push(event);
    }
}

/// Decides the creation of a run.
///
/// # Errors
/// All structural faults of the plan. Plan files are linted before, with places; this is the last
/// line.
pub fn create(id: RunId, create: Create, now: Time) -> Result<(Run, Event), Vec<Fault>> {
    create.plan.graph()?;
    let event = Event::RunCreated {
        plan: create.plan,
        settings: Box::new(create.settings),
        base: create.base,
        approved: create.approved,
        intent: create.intent,
    };
    let run = Run::from_created(id, now, &event).ok_or_else(|| vec![Fault::Empty])?;
    Ok((run, event))
}

impl Run {
    /// Decides a command and applies what it decided.
    ///
    /// The events are already part of the state when this returns; the shell makes them durable
    /// before anybody hears of them, and rebuilds the run from the journal if it cannot.
    ///
    /// # Errors
    /// A typed refusal; then nothing changed.
    pub fn decide(&mut self, command: Command, now: Time) -> Result<Accepted, Rejection> {
        let at = now.max(self.last_at);
        let mut draft = Draft {
            run: self,
            at,
            events: Vec::new(),
        };
        draft.command(command)?;
        draft.settle();
        match draft.events {
            events if events.is_empty() => Ok(Accepted::Nothing),
            events => Ok(Accepted::Events(events)),
        }
    }
}

impl Draft<'_> {
    /// Who decides what. Longer than a function should be, and nothing but the list: to learn what
    /// can happen to a run, read it.
    fn command(&mut self, command: Command) -> Result<(), Rejection> {
        match command {
            // What comes back late, and offers, are about the past: these are heard even when the
            // run has ended.
            Command::OfferCollected { attempt, snapshot } => {
                self.on_offer_collected(attempt, snapshot)
            }
            Command::Joined { epoch, holds } => {
                self.on_joined(epoch, &holds);
                Ok(())
            }
            Command::Ended {
                attempt,
                ended,
                said,
            } => self.on_ended(attempt, &ended, said),
            Command::Discard { task, number } => self.discard(task, number),
            _ if self.run.ended.is_some() => Err(Rejection::RunEnded),

            Command::Pause { reason, stop } => self.pause(reason, stop),
            Command::Resume => self.resume(),
            Command::Cancel { task: None } => self.cancel_run(),
            Command::Cancel { task: Some(task) } => self.cancel_task(task),
            Command::Retry { task, note } => self.retry(task, note),
            Command::Submit { task } => self.submit(task),
            Command::Approve { task, note, waive } => self.approve(task, &note, waive),
            Command::Reject { task: None, reason } => self.refuse_whole(&reason),
            Command::Reject {
                task: Some(task),
                reason,
            } => self.reject(task, &reason),
            Command::Answer { task, text } => self.answer(task, text),
            Command::Adopt { task, number } => self.adopt(task, number),
            Command::Replace { plan } => self.replace(plan),
            Command::Split {
                task,
                parts,
                reason,
            } => self.split(task, parts, reason),
            Command::Divide { task, reason } => self.divide(task, reason),
            Command::Lease {
                task,
                epoch,
                timeout_ms,
                with,
            } => self.lease(task, epoch, timeout_ms, with),
            Command::GiveUp { task, exhausted } => self.give_up(task, &exhausted),
            Command::Started {
                attempt,
                base,
                passed_before,
                confined,
                left_out,
            } => {
                let started = Event::AttemptStarted {
                    attempt,
                    base,
                    passed_before,
                    confined,
                    left_out,
                };
                self.on_started(attempt, started)
            }
            Command::NotPrepared { attempt, cause } => self.on_not_prepared(attempt, cause),
            Command::NotStarted {
                attempt,
                cause,
                permanent,
            } => self.on_not_started(attempt, cause, permanent),
            Command::NotComposed {
                attempt,
                cause,
                ended,
            } => self.on_not_composed(attempt, cause, ended.as_ref()),
            Command::Collected {
                attempt,
                snapshot,
                artifacts,
            } => self.on_collected(attempt, snapshot, artifacts),
            Command::CollectRefused { attempt, cause } => self.on_collect_refused(attempt, cause),
            Command::Checked { attempt, verdicts } => self.on_checked(attempt, verdicts),
            Command::Expanded {
                attempt,
                from,
                parts,
                advice,
            } => self.on_expanded(attempt, from, (parts, advice)),
            Command::ExpandRefused {
                attempt,
                faults,
                advice,
            } => self.on_expand_refused(attempt, faults, advice),
            Command::Weighed { attempt, verdicts } => self.on_weighed(attempt, verdicts),
            Command::Measured { attempt, measured } => self.on_measured(attempt, measured),
            Command::WeighRefused { attempt, faults } => self.on_weigh_refused(attempt, faults),
            Command::BatchMerged {
                onto,
                merged,
                conflict,
                refused,
            } => self.on_batch_merged(&onto, &merged, conflict, refused),
            Command::HeadMoved { head } => self.on_head_moved(head),
            Command::FinalChecked {
                head,
                verdicts,
                tasks,
            } => self.on_final_checked(head, verdicts, tasks),
            Command::AskPermission {
                attempt,
                request,
                ruled,
            } => self.ask_permission(attempt, request, ruled),
            Command::DecidePermission {
                no,
                decision,
                always,
            } => self.decide_permission(no, decision, always),
            Command::ExpirePermissions => {
                self.expire_permissions();
                Ok(())
            }
            Command::Find { attempt, finding } => self.find(attempt, finding),
        }
    }

    /// A task by number, or the refusal.
    pub(super) fn known(&self, task: TaskNo) -> Result<&super::Task, Rejection> {
        self.run.task(task).ok_or(Rejection::NoSuchTask)
    }

    /// The live attempt that a word from outside names, or the refusal.
    pub(super) fn live(&self, attempt: AttemptId) -> Result<&Attempt, Rejection> {
        let live = self.run.task(attempt.task).and_then(|task| task.live());
        match live {
            Some(live) if live.number == attempt.number && attempt.run == self.run.id => Ok(live),
            _ => Err(Rejection::Superseded {
                attempt: attempt.to_string(),
            }),
        }
    }

    pub(super) fn superseded<T>(attempt: AttemptId) -> Result<T, Rejection> {
        Err(Rejection::Superseded {
            attempt: attempt.to_string(),
        })
    }

    pub(super) fn not_now<T>(&self, task: TaskNo, asked: &str, hint: &str) -> Result<T, Rejection> {
        let task = self.known(task)?;
        Err(Rejection::NotNow {
            task: task.spec.id.clone(),
            status: task.status(),
            asked: asked.to_owned(),
            hint: hint.to_owned(),
        })
    }

    /// An attempt ends without integration: policy says what becomes of its task.
    pub(super) fn end(
        &mut self,
        attempt: AttemptId,
        end: AttemptEnd,
        receipts: Vec<Receipt>,
        swept: bool,
    ) {
        self.end_with(attempt, end, receipts, swept, Vec::new());
    }

    /// The same, with what there is to say about the plan that the attempt made.
    pub(super) fn end_with(
        &mut self,
        attempt: AttemptId,
        end: AttemptEnd,
        receipts: Vec<Receipt>,
        swept: bool,
        advice: Vec<String>,
    ) {
        let Remedy { then, parts } =
            remedy::choose(self.run, attempt.task, &end, &receipts, self.at);
        let why = match &then {
            Then::Split(why) => why.clone(),
            _ => String::new(),
        };
        let workspace_kept = swept && remedy::reuses_workspace(&end);
        self.push(Event::AttemptEnded {
            attempt,
            end,
            receipts,
            workspace_kept,
            then,
            advice,
        });
        if let Some(parts) = parts {
            self.take_place(attempt.task, parts, why, None, Vec::new());
        }
        self.give_up_candidate(attempt.task);
    }

    /// What follows from the decision for the rest of the run: what is chosen, tasks that can never
    /// start, and the run's end.
    fn settle(&mut self) {
        self.choose();
        self.skip_hopeless();
        self.close_reviews();
        let begun = self.run.approved || self.run.canceling;
        if self.run.ended.is_some() || !begun {
            return;
        }
        let open = self.run.tasks().len() as u32
            - [
                TaskStatus::Done,
                TaskStatus::Failed,
                TaskStatus::Canceled,
                TaskStatus::Skipped,
                TaskStatus::Split,
            ]
            .iter()
            .map(|status| self.run.counts().of(*status))
            .sum::<u32>();
        if open > 0 {
            return;
        }
        let status = end_status(self.run);
        let succeeds = status == super::RunStatus::Succeeded;
        let checked = matches!(self.run.finally, Final::Passed(_)) || !self.run.needs_final_check();
        if !succeeds || checked {
            self.push(Event::RunEnded { status });
        }
    }

    /// Tasks behind one that was given up or canceled are skipped, in one pass.
    fn skip_hopeless(&mut self) {
        let given_up = [TaskStatus::Failed, TaskStatus::Canceled];
        if given_up
            .iter()
            .all(|status| self.run.counts().of(*status) == 0)
        {
            return;
        }
        let holds_up = |no: &TaskNo| self.run.tasks()[no.index()].is_hopeless();
        let touched = self.events.iter().filter_map(given_up_by);
        let touched: Vec<TaskNo> = touched.filter(holds_up).collect();
        // What stands behind a join that was passed is skipped already, whoever is to blame.
        let mut seen = Seen::new();
        for root in touched {
            let mut worklist = self.run.dependents_unseen(root, &mut seen);
            while let Some(no) = worklist.pop() {
                if self.run.tasks()[no.index()].state_name() == StateName::Waiting {
                    self.push(Event::TaskSkipped {
                        task: no,
                        because: root,
                    });
                    worklist.extend(self.run.dependents_unseen(no, &mut seen));
                }
            }
        }
    }
}

/// The task that an event gave up for good, if it did.
fn given_up_by(event: &Event) -> Option<TaskNo> {
    match event {
        Event::TaskFailed { task, .. } | Event::TaskCanceled { task } => Some(*task),
        Event::AttemptEnded {
            attempt,
            then: Then::Cancel,
            ..
        } => Some(attempt.task),
        _ => None,
    }
}

/// How a run ends of which every task has ended.
#[must_use]
fn end_status(run: &Run) -> RunStatus {
    if run.canceling {
        return RunStatus::Canceled;
    }
    // Of a candidate that was given up, its task tells what came of it.
    let (failed, canceled) = run.spent_candidates();
    let counts = run.counts();
    let given_up = counts.of(TaskStatus::Failed) - failed + counts.of(TaskStatus::Skipped);
    match (given_up, counts.of(TaskStatus::Canceled) - canceled) {
        (0, 0) => RunStatus::Succeeded,
        (0, _) => RunStatus::Canceled,
        (_, _) => RunStatus::Failed,
    }
}
