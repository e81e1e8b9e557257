//! Judges each new event of the journal by what the models know, and counts the table's pairs.

use std::collections::BTreeMap;

use divisi_core::ids::{AttemptId, Commit, TaskNo};
use divisi_core::ledger::Account;
use divisi_core::plan::TaskKind;
use divisi_core::receipt::Receipt;
use divisi_core::run::transition::{EventName, Next, StateName, names, next};
use divisi_core::run::{AttemptEnd, Event, PauseReason, Run, StopReason, TaskState, Then};

use crate::awaiting::{frees, judge_lease};
use crate::breaks::Oracle;
use crate::candidates::{judge_chosen, judge_given_up, judge_measured, judge_paused};
use crate::coverage::{Coverage, Fault};
use crate::divisions::judge_escalation;
use crate::effects::{is_process, truly_holds};
use crate::expansions::{judge_expansion, judge_refused_plan, judge_replaced, judge_taken_back};
use crate::repo::{Repo, tree_name};
use crate::sim::{Violation, violated};
use crate::supervisor::Supervisor;
use crate::truth::Truth;
use crate::weighings::judge_review;

/// What an event is judged by.
pub(crate) struct Witness<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) supervisor: &'a Supervisor,
    pub(crate) coverage: &'a mut Coverage,
}

impl Witness<'_> {
    pub(crate) fn judge(
        &mut self,
        truth: &Truth,
        before: Option<&Run>,
        event: &Event,
    ) -> Result<(), Violation> {
        let Some(before) = before else { return Ok(()) };
        let Some(after) = truth.run(before.id) else {
            return Ok(());
        };
        self.count(before, after, event);
        if frees(before, event, after) {
            self.coverage.fault(Fault::HeldBack);
        }
        match event {
            Event::RunPaused {
                reason: PauseReason::Budget(exhausted),
            } => {
                judge_paused(before, exhausted)?;
                self.coverage.fault(match exhausted.account {
                    Account::Day(_) => Fault::DayUsedUp,
                    Account::Run(_) => Fault::BudgetUsedUp,
                    Account::Task(..) => Fault::TaskUsedUp,
                });
                Ok(())
            }
            Event::OfferAdopted { .. } => {
                self.coverage.fault(Fault::OfferAdopted);
                Ok(())
            }
            Event::CandidateChosen { attempt, from, .. } => {
                judge_chosen(truth, before, (attempt.task, Some(*from)), self.coverage)
            }
            Event::TaskFailed { task, .. } => judge_given_up(truth, before, *task, self.coverage),
            Event::CandidatesRefused { task, .. } => {
                judge_chosen(truth, before, (*task, None), self.coverage)
            }
            Event::OfferDiscarded { .. } => {
                self.coverage.fault(Fault::OfferDiscarded);
                Ok(())
            }
            Event::RunPaused {
                reason: PauseReason::UsageLimit { .. },
            } => {
                self.coverage.fault(Fault::PausedAtLimit);
                Ok(())
            }
            Event::AttemptLeased {
                attempt,
                agent,
                timeout_ms,
                credential,
                ..
            } => {
                let max = truth.awaiting_max.unwrap_or(before.settings.awaiting_max);
                judge_lease(before, max, *attempt)?;
                if timeout_ms.is_some() {
                    self.coverage.fault(Fault::BoxShortened);
                }
                if credential.as_ref().is_some_and(|it| it.name() == "SECOND") {
                    self.coverage.fault(Fault::OtherCredential);
                }
                let live = after.tasks()[attempt.task.index()].live();
                if live.is_some_and(|live| truth.waited_for_others(&live.means())) {
                    self.coverage.fault(Fault::LimitShared);
                }
                let task = &before.tasks()[attempt.task.index()];
                if task.agent(&before.settings) == agent {
                    return Ok(());
                }
                self.coverage.fault(Fault::OtherAgent);
                // Two of several would be by one agent.
                match task.names_agent {
                    false => Ok(()),
                    true => violated(
                        Oracle::Candidates,
                        format!("{attempt} is by {agent}, and the plan names another"),
                    ),
                }
            }
            Event::AttemptEnded {
                attempt,
                end: AttemptEnd::Limited { .. },
                ..
            } => {
                let counts = |run: &Run| {
                    let task = &run.tasks()[attempt.task.index()];
                    (task.failures, task.losses, task.conflicts)
                };
                match counts(before) == counts(after) {
                    true => Ok(()),
                    false => violated(
                        Oracle::Limits,
                        format!("{attempt} met a usage limit, and it counts as something else"),
                    ),
                }
            }
            Event::AttemptStopping {
                reason: StopReason::OverBudget(_),
                ..
            } => {
                self.coverage.fault(Fault::OverBudget);
                Ok(())
            }
            Event::AttemptStarted { attempt, .. } => {
                let agent = before.task(attempt.task).and_then(|task| task.live());
                let process = agent.is_some_and(|live| is_process(&live.agent));
                // What its workspace is made of is durable before anything runs in it.
                if process && truth.was_started(*attempt) {
                    return violated(
                        Oracle::Evidence,
                        format!("{attempt} was started before that was durable"),
                    );
                }
                Ok(())
            }
            Event::AttemptAdvanced { attempt, receipts } => {
                judge_review(truth, *attempt, receipts)?;
                judge_measured(truth, *attempt, receipts)?;
                self.judge_receipts(truth, before, *attempt, receipts)
            }
            Event::AttemptEnded {
                attempt,
                end,
                receipts,
                then,
                ..
            } => {
                judge_refused_plan(truth, before, *attempt, end)?;
                judge_escalation(before, *attempt, end, then)?;
                if matches!(then, Then::Split(_)) {
                    let depth = before.tasks()[attempt.task.index()].depth;
                    self.coverage.fault(match depth {
                        0 => Fault::SplitOnFailure,
                        _ => Fault::SplitAgain,
                    });
                }
                if matches!(end, AttemptEnd::UsedUp(_)) {
                    self.coverage.fault(Fault::UsedUp);
                }
                let lives = self.supervisor.live().any(|live| live == *attempt);
                if lives && !matches!(end, AttemptEnd::Lost(_)) {
                    return violated(
                        Oracle::Evidence,
                        format!("{attempt} ended ({end:?}) though its process lives"),
                    );
                }
                self.judge_receipts(truth, before, *attempt, receipts)
            }
            Event::TaskSplit {
                parts,
                planned: Some((attempt, _)),
                ..
            } => {
                if before.settings.approves_plans && before.plans_whole(attempt.task) {
                    self.coverage.fault(Fault::PlanAwaits);
                    if after.approved {
                        let what = format!("{}: nobody approved what was planned", before.id);
                        return violated(Oracle::Expansion, what);
                    }
                }
                if before.outgrew(attempt.task).is_some() {
                    self.coverage.fault(Fault::OutgrownPlanned);
                }
                judge_expansion(truth, before, *attempt, parts)
            }
            Event::TaskSplit {
                parts,
                planned: None,
                ..
            } => {
                if let [plan] = &parts[..]
                    && plan.kind == TaskKind::Plan
                {
                    self.coverage.fault(Fault::Outgrown);
                }
                Ok(())
            }
            Event::PlanReplaced { plan } => {
                self.coverage.fault(Fault::PlanReplaced);
                judge_replaced(before, after, plan)
            }
            Event::PlanRefused { task, .. } => {
                self.coverage.fault(Fault::PlanRefused);
                judge_taken_back(before, after, *task)
            }
            Event::OfferKept {
                snapshot: Some(snapshot),
                ..
            } => self.durable(&snapshot.commit),
            Event::BatchPrepared { commits } => {
                commits.iter().try_for_each(|one| self.durable(&one.commit))
            }
            Event::BatchIntegrated { head, attempts } => {
                for (attempt, receipt) in attempts {
                    self.judge_integrated(*attempt, receipt)?;
                }
                if self.repo.branch(before.id) != Some(head) {
                    return violated(
                        Oracle::Branch,
                        format!(
                            "the branch stands at {:?}, not {head}",
                            self.repo.branch(before.id)
                        ),
                    );
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn durable(&self, commit: &Commit) -> Result<(), Violation> {
        match self.repo.content(commit) {
            Some(_) => Ok(()),
            None => violated(
                Oracle::Bytes,
                format!("commit {commit} is named and not there"),
            ),
        }
    }

    /// A receipt of integration names the tree of its commit.
    fn judge_integrated(&self, attempt: AttemptId, receipt: &Receipt) -> Result<(), Violation> {
        let Receipt::Integrated { commit, tree, .. } = receipt else {
            return violated(Oracle::Evidence, format!("{attempt} has no receipt"));
        };
        if commit.as_ref().map(tree_name) == *tree {
            return Ok(());
        }
        violated(
            Oracle::Evidence,
            format!("{attempt} is integrated as {commit:?} with the tree {tree:?}"),
        )
    }

    fn judge_receipts(
        &self,
        truth: &Truth,
        before: &Run,
        attempt: AttemptId,
        receipts: &[Receipt],
    ) -> Result<(), Violation> {
        let Some(task) = before.task(attempt.task) else {
            return Ok(());
        };
        let Some(live) = task.live() else {
            return Ok(());
        };
        for receipt in receipts {
            match receipt {
                Receipt::Submitted { exit, .. } if is_process(&live.agent) => {
                    let ended = truth.exit(attempt);
                    if ended.as_ref() != Some(exit) {
                        return violated(
                            Oracle::Evidence,
                            format!("{attempt} is said to have ended with {exit}: {ended:?}"),
                        );
                    }
                }
                Receipt::Collected {
                    snapshot: Some(snapshot),
                    ..
                } => self.durable(&snapshot.commit)?,
                Receipt::Verified { .. } => {
                    let snapshot = live.snapshot();
                    let quality = match snapshot {
                        Some(snapshot) => {
                            let author = truth.author(attempt);
                            self.repo.quality_in(&snapshot.commit, author)
                        }
                        None => truth.quality(attempt),
                    };
                    let exit = truth.exit(attempt);
                    for criterion in &task.spec.criteria {
                        let holds =
                            truly_holds(criterion, quality, exit.as_ref(), &task.spec.ok_exit);
                        if holds == Some(false) {
                            return violated(
                                Oracle::Evidence,
                                format!("{attempt} is verified though not so: {criterion}"),
                            );
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Counts the pairs of the table that an event consists of, and releases that follow.
    fn count(&mut self, before: &Run, after: &Run, event: &Event) {
        let mut states: BTreeMap<TaskNo, StateName> = BTreeMap::new();
        for (no, name) in names(event) {
            let state = states
                .entry(no)
                .or_insert_with(|| before.tasks()[no.index()].state_name());
            let name = match (name, &after.tasks()[no.index()].state) {
                (EventName::Retried, TaskState::Waiting) => EventName::RetriedWaiting,
                (EventName::Retried, TaskState::Approval) => EventName::RetriedApproval,
                (name, _) => name,
            };
            self.coverage.pair(*state, name);
            if let Next::To(to) = next(*state, name) {
                *state = to;
            }
        }
        for (was, is) in before.tasks().iter().zip(after.tasks()) {
            if !matches!(was.state, TaskState::Waiting) {
                continue;
            }
            match is.state {
                TaskState::Ready { .. } => {
                    self.coverage.pair(StateName::Waiting, EventName::Released)
                }
                TaskState::Approval => self
                    .coverage
                    .pair(StateName::Waiting, EventName::ReleasedApproval),
                _ => {}
            }
        }
    }
}
