//! Turns commands into events, or refuses them.
//!
//! Deciding works on a draft: a copy-free cursor over the run that collects events and applies
//! each at once, so that later parts of one decision see the effect of earlier ones. The shell
//! appends the events; if it cannot, it drops the state and loads it anew.

use super::apply::end_status;
use super::command::{Accepted, Command, Create, Finding, Rejection, Said};
use super::event::{Event, PauseReason};
use super::links::Seen;
use super::remedy;
use super::state::{
    Attempt, AttemptEnd, Ending, Failure, Final, Phase, Run, StopReason, TaskState, TaskStatus,
    holds_slot,
};
use super::transition::StateName;
use crate::criterion::{Cost, Outcome, Verdict};
use crate::ids::{AttemptId, Epoch, RunId, TaskNo, Time};
use crate::plan::{Fault, TaskKind, WorkspaceKind};
use crate::receipt::{Artifact, Exit, Receipt, Snapshot};
use crate::worker::Ended;

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
    fn command(&mut self, command: Command) -> Result<(), Rejection> {
        // Offers are about the past and are taken even when the run has ended.
        if let Command::OfferCollected { attempt, snapshot } = command {
            return self.on_offer_collected(attempt, snapshot);
        }
        if self.run.ended.is_some() {
            return match command {
                Command::Ended { attempt, .. } => self.on_late(attempt),
                // Nothing is live any more, but what comes back late may be among the held.
                Command::Joined { epoch, holds } => {
                    self.on_joined(epoch, &holds);
                    Ok(())
                }
                _ => Err(Rejection::RunEnded),
            };
        }
        match command {
            Command::Pause { reason, stop } => self.pause(reason, stop),
            Command::Resume => self.resume(),
            Command::Cancel { task: None } => self.cancel_run(),
            Command::Cancel { task: Some(task) } => self.cancel_task(task),
            Command::Retry { task, note } => self.retry(task, note),
            Command::Submit { task } => self.submit(task),
            Command::Approve { task, note, waive } => self.approve(task, &note, waive),
            Command::Reject { task, reason } => self.reject(task, &reason),
            Command::Answer { task, text } => self.answer(task, text),
            Command::Split {
                task,
                parts,
                reason,
            } => self.split(task, parts, reason),
            Command::Lease {
                task,
                epoch,
                timeout_ms,
            } => self.lease(task, epoch, timeout_ms),
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
            Command::Ended {
                attempt,
                ended,
                said,
            } => self.on_ended(attempt, &ended, said),
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
            } => self.on_expanded(attempt, from, parts),
            Command::ExpandRefused { attempt, faults } => self.on_expand_refused(attempt, faults),
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
            Command::Find { attempt, finding } => self.find(attempt, finding),
            Command::Joined { epoch, holds } => {
                self.on_joined(epoch, &holds);
                Ok(())
            }
            Command::OfferCollected { .. } => unreachable!("handled above"),
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

    fn lease(
        &mut self,
        task: TaskNo,
        epoch: Epoch,
        reserved_ms: Option<u64>,
    ) -> Result<(), Rejection> {
        if !self.run.approved {
            return Err(Rejection::NotApproved);
        }
        if self.run.paused.is_some() || self.run.canceling {
            return Err(Rejection::Paused);
        }
        let known = self.known(task)?;
        match &known.state {
            TaskState::Ready { not_before } if *not_before <= self.at => {}
            _ => return self.not_now(task, "leased", ""),
        }
        let agent = known.agent(&self.run.settings).to_owned();
        if holds_slot(&agent)
            && let Some(limit) = self.run.limit_reached(&agent, known.spec.role().as_deref())
        {
            return Err(Rejection::LimitReached { limit });
        }
        let workspace = match known.endings.last() {
            None => 1,
            Some(last) => last.workspace + u32::from(!last.workspace_kept),
        };
        let own_ms = known.timeout_ms(&self.run.settings);
        // Who holds no slot takes no agents' time, and has no time box.
        let shorter = |ms: &u64| *ms < own_ms && holds_slot(&agent);
        let timeout_ms = reserved_ms.filter(shorter);
        let attempt = self.run.attempt_id(task, known.attempts() + 1);
        self.push(Event::AttemptLeased {
            attempt,
            agent,
            epoch,
            workspace,
            timeout_ms,
        });
        Ok(())
    }

    /// `started` becomes an event once, whoever says it again.
    fn on_started(&mut self, attempt: AttemptId, started: Event) -> Result<(), Rejection> {
        match self.live(attempt)?.phase {
            Phase::Leased => {}
            Phase::Working => return Ok(()),
            _ => return Self::superseded(attempt),
        }
        self.push(started);
        Ok(())
    }

    /// What every workspace of the run needs cannot be had: nothing more is started until a person
    /// has seen to it.
    fn on_not_prepared(&mut self, attempt: AttemptId, cause: String) -> Result<(), Rejection> {
        let live = self.live(attempt)?;
        if live.phase != Phase::Leased {
            return Self::superseded(attempt);
        }
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => {
                self.pause(PauseReason::Fault(cause.clone()), false)?;
                AttemptEnd::Errored(Failure::Preparation(cause))
            }
        };
        // No agent has seen its workspace.
        self.end(attempt, end, Vec::new(), true);
        Ok(())
    }

    fn on_not_started(
        &mut self,
        attempt: AttemptId,
        cause: String,
        permanent: bool,
    ) -> Result<(), Rejection> {
        let live = self.live(attempt)?;
        if !matches!(live.phase, Phase::Leased | Phase::Working) {
            return Self::superseded(attempt);
        }
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => AttemptEnd::Errored(Failure::Start { cause, permanent }),
        };
        self.end(attempt, end, Vec::new(), true);
        Ok(())
    }

    fn on_not_composed(
        &mut self,
        attempt: AttemptId,
        cause: String,
        ended: Option<&Ended>,
    ) -> Result<(), Rejection> {
        let live = self.live(attempt)?;
        if !matches!(live.phase, Phase::Leased | Phase::Working) {
            return Self::superseded(attempt);
        }
        let end = match live.stopping.clone() {
            Some(reason) => AttemptEnd::Stopped(reason),
            None => AttemptEnd::Refused(Failure::Composition(cause)),
        };
        let receipts = ended.map(|ended| self.submission(ended));
        let swept = ended.is_none_or(|ended| ended.empty);
        self.end(attempt, end, receipts.into_iter().collect(), swept);
        Ok(())
    }

    /// The receipt of a process's end.
    fn submission(&self, ended: &Ended) -> Receipt {
        Receipt::Submitted {
            at: self.at,
            command: ended.command.clone(),
            exit: ended.exit.clone(),
            output: ended.output.clone(),
            wall_ms: ended.wall_ms,
            confined: ended.confined,
        }
    }

    /// An attempt ends without integration: policy says what becomes of its task.
    pub(super) fn end(
        &mut self,
        attempt: AttemptId,
        end: AttemptEnd,
        receipts: Vec<Receipt>,
        swept: bool,
    ) {
        let then = remedy::choose(self.run, attempt.task, &end, self.at);
        let workspace_kept = swept && remedy::reuses_workspace(&end);
        self.push(Event::AttemptEnded {
            attempt,
            end,
            receipts,
            workspace_kept,
            then,
        });
    }

    /// The ended attempt that a word from outside names, if this run had it.
    fn ending(&self, attempt: AttemptId) -> Option<&Ending> {
        let task = self.run.task(attempt.task)?;
        let ending = task.ending(attempt.number)?;
        (attempt.run == self.run.id).then_some(ending)
    }

    fn on_late(&mut self, attempt: AttemptId) -> Result<(), Rejection> {
        match self.ending(attempt) {
            Some(ending) if matches!(ending.end, AttemptEnd::Lost(_)) => {
                if !ending.returned && ending.offer.is_none() {
                    self.push(Event::AttemptReturned { attempt });
                }
                Ok(())
            }
            _ => Self::superseded(attempt),
        }
    }

    fn on_ended(
        &mut self,
        attempt: AttemptId,
        ended: &Ended,
        said: Option<Said>,
    ) -> Result<(), Rejection> {
        let Ok(live) = self.live(attempt) else {
            return self.on_late(attempt);
        };
        if !matches!(live.phase, Phase::Leased | Phase::Working) {
            return Self::superseded(attempt);
        }
        let receipt = self.submission(ended);
        if let Some(reason) = live.stopping.clone() {
            self.end(
                attempt,
                AttemptEnd::Stopped(reason),
                vec![receipt],
                ended.empty,
            );
            return Ok(());
        }
        if ended.told {
            // Somebody else's order, for instance a supervisor whose engine was gone too long.
            let cause = "its supervisor ended it".to_owned();
            self.end(attempt, AttemptEnd::Lost(cause), vec![receipt], ended.empty);
            return Ok(());
        }
        if let Some(said) = said {
            let end = match said {
                Said::Question(question) => AttemptEnd::Asked(question),
                Said::UsageLimit { cause, wait_ms } => AttemptEnd::Limited { cause, wait_ms },
            };
            self.end(attempt, end, vec![receipt], ended.empty);
            return Ok(());
        }
        self.submitted(attempt, receipt, &ended.exit, ended.empty);
        Ok(())
    }

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

    fn on_collected(
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

    fn on_collect_refused(&mut self, attempt: AttemptId, cause: String) -> Result<(), Rejection> {
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

    fn on_checked(&mut self, attempt: AttemptId, verdicts: Vec<Verdict>) -> Result<(), Rejection> {
        if self.live(attempt)?.phase != Phase::Collected {
            return Self::superseded(attempt);
        }
        let any = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
        let expected = self.run.tasks()[attempt.task.index()].spec.criteria.len();
        if any(Outcome::Fail) || verdicts.len() != expected {
            self.end(
                attempt,
                AttemptEnd::Refused(Failure::Checks(verdicts)),
                Vec::new(),
                true,
            );
        } else if any(Outcome::Unverified) {
            self.push(Event::ReviewAwaited { attempt, verdicts });
        } else {
            self.verified(attempt, verdicts);
        }
        Ok(())
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
        if snapshot.is_none() && task.spec.kind != TaskKind::Plan {
            receipts.push(Receipt::Integrated {
                at: self.at,
                commit: None,
                tree: None,
            });
        }
        self.push(Event::AttemptAdvanced { attempt, receipts });
    }

    fn on_final_checked(
        &mut self,
        head: Option<crate::ids::Commit>,
        verdicts: Vec<Verdict>,
        tasks: Vec<(TaskNo, Vec<Verdict>)>,
    ) -> Result<(), Rejection> {
        if !self.run.final_check_is_due() || head != self.run.integration.head {
            return Err(Rejection::OtherHead);
        }
        if tasks.iter().any(|(no, _)| self.run.task(*no).is_none()) {
            return Err(Rejection::NoSuchTask);
        }
        let passed = verdicts
            .iter()
            .all(|v| matches!(v.outcome, Outcome::Pass | Outcome::Waived));
        let complete = verdicts.len() == self.run.criteria.len();
        if passed && complete && tasks.is_empty() {
            self.push(Event::FinalPassed { verdicts });
        } else {
            self.push(Event::FinalHeld { verdicts, tasks });
        }
        Ok(())
    }

    fn find(&mut self, attempt: AttemptId, finding: Finding) -> Result<(), Rejection> {
        let live = self.live(attempt)?;
        if !matches!(live.phase, Phase::Leased | Phase::Working) {
            return Self::superseded(attempt);
        }
        let (suspected, stopping) = (live.suspected.is_some(), live.stopping.is_some());
        let shortened = live.timeout_ms;
        match finding {
            Finding::Suspected(evidence) if !suspected => {
                self.push(Event::AttemptSuspected { attempt, evidence });
            }
            Finding::Cleared if suspected => self.push(Event::AttemptCleared { attempt }),
            Finding::Stalled(evidence) if !stopping => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: StopReason::Stalled(evidence),
                });
            }
            Finding::Overdue if !stopping => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: shortened.map_or(StopReason::Overdue, StopReason::OverBudget),
                });
            }
            Finding::Lost(cause) => self.end(attempt, AttemptEnd::Lost(cause), Vec::new(), false),
            Finding::Suspected(_) | Finding::Cleared | Finding::Stalled(_) | Finding::Overdue => {}
        }
        Ok(())
    }

    /// Leases of earlier epochs are adopted if the supervisor holds them, otherwise they are lost.
    fn on_joined(&mut self, epoch: Epoch, holds: &[AttemptId]) {
        let leased: Vec<(AttemptId, String)> = self
            .run
            .tasks()
            .iter()
            .enumerate()
            .filter_map(|(no, task)| {
                let live = task.live()?;
                let early =
                    matches!(live.phase, Phase::Leased | Phase::Working) && live.epoch < epoch;
                early.then(|| {
                    (
                        self.run.attempt_id(TaskNo(no as u32), live.number),
                        live.agent.clone(),
                    )
                })
            })
            .collect();
        for (attempt, agent) in leased {
            // A person's attempt, or an input from outside, lives in no process.
            if holds.contains(&attempt) || !holds_slot(&agent) {
                self.push(Event::AttemptAdopted { attempt, epoch });
            } else {
                // Gone from the supervisor's hands is not swept: if the supervisor itself had
                // died, a process of it may still write. Its successor works elsewhere.
                let cause = "its process was gone when the engine came back".to_owned();
                self.end(attempt, AttemptEnd::Lost(cause), Vec::new(), false);
            }
        }
    }

    fn on_offer_collected(
        &mut self,
        attempt: AttemptId,
        snapshot: Option<Snapshot>,
    ) -> Result<(), Rejection> {
        match self.ending(attempt) {
            Some(ending) if ending.returned => {
                self.push(Event::OfferKept { attempt, snapshot });
                Ok(())
            }
            _ => Self::superseded(attempt),
        }
    }

    fn pause(&mut self, reason: PauseReason, stop: bool) -> Result<(), Rejection> {
        // A person's pause is not taken back when the disk has room again.
        let by_person =
            |reason: &PauseReason| matches!(reason, PauseReason::Owner | PauseReason::Interrupted);
        let stronger = |present: &PauseReason| by_person(&reason) && !by_person(present);
        if self.run.paused.as_ref().is_none_or(stronger) {
            self.push(Event::RunPaused { reason });
        }
        if stop {
            self.stop_all(&StopReason::Interrupted);
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Rejection> {
        if self.run.paused.is_some() {
            self.push(Event::RunResumed);
        }
        Ok(())
    }

    /// Asks every working agent to end. People are not asked.
    fn stop_all(&mut self, reason: &StopReason) {
        let working: Vec<AttemptId> = self
            .run
            .tasks()
            .iter()
            .enumerate()
            .filter_map(|(no, task)| {
                let live = task.live()?;
                let works = matches!(live.phase, Phase::Leased | Phase::Working);
                let spared = live.stopping.is_some() || !holds_slot(&live.agent);
                (works && !spared).then(|| self.run.attempt_id(TaskNo(no as u32), live.number))
            })
            .collect();
        for attempt in working {
            self.push(Event::AttemptStopping {
                attempt,
                reason: reason.clone(),
            });
        }
    }

    fn cancel_run(&mut self) -> Result<(), Rejection> {
        if !self.run.canceling {
            self.push(Event::CancelAsked);
        }
        let open: Vec<TaskNo> = (0..self.run.tasks().len() as u32)
            .map(TaskNo)
            .filter(|no| !self.run.tasks()[no.index()].status().is_terminal())
            .collect();
        for task in open {
            self.cancel_one(task);
        }
        Ok(())
    }

    fn cancel_task(&mut self, task: TaskNo) -> Result<(), Rejection> {
        if self.known(task)?.status().is_terminal() {
            return self.not_now(task, "canceled", "");
        }
        self.cancel_one(task);
        Ok(())
    }

    fn cancel_one(&mut self, no: TaskNo) {
        let task = &self.run.tasks()[no.index()];
        let Some(live) = task.live() else {
            self.push(Event::TaskCanceled { task: no });
            return;
        };
        let attempt = self.run.attempt_id(no, live.number);
        let canceled = AttemptEnd::Stopped(StopReason::Canceled);
        match &live.phase {
            Phase::Leased | Phase::Working if !holds_slot(&live.agent) => {
                self.end(attempt, canceled, Vec::new(), true);
            }
            // Also an attempt that is being stopped for another reason: only that one is retried.
            Phase::Leased | Phase::Working if live.stopping != Some(StopReason::Canceled) => {
                self.push(Event::AttemptStopping {
                    attempt,
                    reason: StopReason::Canceled,
                });
            }
            Phase::Leased | Phase::Working => {}
            Phase::Submitted | Phase::Collected | Phase::Held { .. } | Phase::Verified => {
                self.end(attempt, canceled, Vec::new(), true);
            }
            // Its commit is about to be part of the branch: it is integrated, not canceled.
            Phase::Prepared { .. } => {}
        }
    }

    /// What follows from the decision for the rest of the run: tasks that can never start, and
    /// the run's end.
    fn settle(&mut self) {
        self.skip_hopeless();
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
        let status = end_status(self.run.counts(), self.run.canceling);
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
        let touched: Vec<TaskNo> = self.events.iter().filter_map(given_up_by).collect();
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
            then: super::Then::Cancel,
            ..
        } => Some(attempt.task),
        _ => None,
    }
}
