//! What must hold of the whole: after every step, and when everything has come to an end.

use std::collections::BTreeMap;

use divisi_core::ids::TaskNo;
use divisi_core::ledger::{Account, Amount, Balance, Bound};
use divisi_core::run::{
    AttemptEnd, Budget, Ending, Failure, Run, RunStatus, Task, explain, invariants,
};
use divisi_core::{AttemptId, TaskKind};
use divisi_engine::world::{Answer, Ask};

use crate::breaks::Oracle;
use crate::candidates::judge_integrated;
use crate::engine::{Input, Source};
use crate::sim::{Sim, Violation, violated};
use crate::truth::same;

impl Sim {
    /// After every step: the memory is sane, and is what the journal tells.
    pub(crate) fn judge_world(&mut self) -> Result<(), Violation> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        let now = self.now();
        for run in engine.world.runs() {
            if let Err(what) = invariants::check(run) {
                return violated(Oracle::Invariants, format!("{}: {what}", run.id));
            }
            let Some(told) = self.truth.run(run.id) else {
                return violated(Oracle::Replay, format!("the journal knows no {}", run.id));
            };
            if let Err(what) = same(told, run) {
                return violated(
                    Oracle::Replay,
                    format!("{}: memory differs from the journal: {what}", run.id),
                );
            }
            explained(run, &self.truth.ledger().accounts, now)?;
        }
        for told in self.truth.open_runs() {
            if engine.world.run(told.id).is_none() {
                return violated(Oracle::Replay, format!("{} is not loaded", told.id));
            }
        }
        if engine.world.ledger() != self.truth.ledger() {
            return violated(Oracle::Replay, "the ledger differs from the journal");
        }
        self.judge_budgets()?;
        self.truth.check_slots(&self.supervisor, self.capacity)?;
        if self.rng.chance(30) {
            self.truth.check_loaded(&self.journal)?;
        }
        Ok(())
    }

    fn judge_budgets(&self) -> Result<(), Violation> {
        let ledger = self.truth.ledger();
        if let Err(what) = ledger.check() {
            return violated(Oracle::Invariants, what);
        }
        let mut held: BTreeMap<Account, Amount> = BTreeMap::new();
        for reservation in ledger.held.values() {
            for account in &reservation.accounts {
                let sum = held.entry(*account).or_default();
                *sum = sum.plus(reservation.amount);
            }
        }
        for (account, balance) in &ledger.accounts {
            let held = held.get(account).copied().unwrap_or_default();
            let taken = balance.used.plus(held);
            let may = self.truth.overdrawn(*account);
            let is_beyond = |bound: &Bound| {
                let measure = bound.measure();
                taken.of(measure) > bound.much().saturating_add(may.of(measure))
            };
            if let Some(bound) = balance.budget.bounds().find(is_beyond) {
                return violated(
                    Oracle::Budget,
                    format!("{account}: {taken:?} of {bound}, and {may:?} beyond it"),
                );
            }
        }
        // What was leased was reserved: the run's own count says so, not the ledger's.
        for run in self.truth.runs() {
            // An attempt without a workspace cost nothing: no agent came of it. Nor did one that met a
            // usage limit.
            let free = |ending: &&Ending| {
                let end = &ending.end;
                matches!(
                    end,
                    AttemptEnd::Errored(Failure::Preparation(_)) | AttemptEnd::Limited { .. }
                )
            };
            let cost = |task: &Task| {
                let free = task.endings.iter().filter(free).count() as u64;
                u64::from(task.attempts()) - free
            };
            let leased: u64 = run.tasks().iter().map(cost).sum();
            // Nobody worked for what was taken of others.
            let leased = leased - self.truth.adopted_in(run.id);
            let max = match ledger.accounts.get(&Account::Run(run.id)) {
                Some(balance) => balance.budget.attempts,
                None if run.settings.budget.is_bounded() => Some(0),
                None => None,
            };
            if let Some(max) = max.filter(|max| leased > *max) {
                return violated(
                    Oracle::Budget,
                    format!("{}: {leased} attempts were leased of {max}", run.id),
                );
            }
        }
        Ok(())
    }

    /// What people were told they permitted in this step, the journal's accounts permit.
    pub(crate) fn judge_permitted(
        &self,
        inputs: &[Input],
        answers: &[Answer],
    ) -> Result<(), Violation> {
        let mut told: BTreeMap<Account, Budget> = BTreeMap::new();
        for (input, answer) in inputs.iter().zip(answers) {
            let Source::Person(number) = input.source else {
                continue;
            };
            if let (Some(Ask::Budget(account, asked)), Answer::Accepted) =
                (self.people.asked(number), answer)
            {
                let budget = told.entry(*account).or_default();
                *budget = asked.or(*budget);
            }
        }
        for (account, told) in told {
            let balance = self.truth.ledger().accounts.get(&account);
            let has = balance.map(|balance| balance.budget).unwrap_or_default();
            if has != told.or(has) {
                return violated(
                    Oracle::Budget,
                    format!("{account}: {told:?} was permitted, it has {has:?}"),
                );
            }
        }
        Ok(())
    }

    /// Whether everything has come to an end.
    pub(crate) fn is_over(&self) -> bool {
        let Some(engine) = &self.engine else {
            return false;
        };
        engine.inbox.is_empty()
            && self.truth.open_runs().next().is_none()
            && engine.world.owed().next().is_none()
            && engine.world.ledger().held.is_empty()
            && self.supervisor.jobs.is_empty()
            && self.orphans.is_empty()
            && self.people.are_answered()
    }

    /// Why it has not, in words.
    pub(crate) fn what_hangs(&self) -> String {
        let Some(engine) = &self.engine else {
            return "no engine lives".to_owned();
        };
        let now = self.now();
        let mut out = Vec::new();
        for run in self.truth.open_runs() {
            let told = explain::explain_run(run, now, &explain::Shared::default());
            out.push(format!("{} is {}: {:?}", run.id, told.status, told.causes));
        }
        let owed: Vec<String> = engine
            .world
            .owed()
            .map(|effect| format!("{effect:?}"))
            .collect();
        out.push(format!("owed {owed:?}"));
        out.push(format!("inbox {}", engine.inbox.len()));
        out.push(format!("held {:?}", engine.world.ledger().held.keys()));
        out.push(format!("jobs {:?}", self.supervisor.jobs.keys()));
        out.push(format!("pending {:?}", engine.pending));
        out.push(format!("joined {}", engine.reconcile.is_joined()));
        out.push(format!("answered {}", self.people.are_answered()));
        format!("it does not end: {}", out.join("; "))
    }

    /// When everything has come to an end.
    pub(crate) fn judge_end(&mut self) -> Result<(), Violation> {
        self.people.check(&self.journal)?;
        self.truth.check_loaded(&self.journal)?;
        let runs = self.truth.runs().count() as u64;
        if runs > self.people.creates() {
            return violated(
                Oracle::Answers,
                format!(
                    "{runs} runs were made of {} requests",
                    self.people.creates()
                ),
            );
        }
        for run in self.truth.runs() {
            if let Err(what) = invariants::check(run) {
                return violated(Oracle::Invariants, format!("{}: {what}", run.id));
            }
            self.judge_tree(run)?;
        }
        for attempt in self.truth.noted() {
            self.judge_noted(attempt)?;
        }
        let ledger = self.truth.ledger();
        if let Some((attempt, _)) = ledger.held.iter().next() {
            return violated(Oracle::Budget, format!("{attempt} is still reserved for"));
        }
        Ok(())
    }

    /// The tree holds exactly the work of the tasks whose files were integrated, each once.
    fn judge_tree(&self, run: &Run) -> Result<(), Violation> {
        let Some(head) = &run.integration.head else {
            return Ok(());
        };
        let Some(content) = self.repo.content(head) else {
            return violated(Oracle::Bytes, format!("{}: the head is not there", run.id));
        };
        let mut expected: Vec<AttemptId> = Vec::new();
        for (no, task) in run.tasks().iter().enumerate() {
            let files = |receipt: &divisi_core::receipt::Receipt| {
                matches!(
                    receipt,
                    divisi_core::receipt::Receipt::Integrated {
                        commit: Some(_),
                        ..
                    }
                )
            };
            let mut integrated = task
                .endings
                .iter()
                .filter(|ending| ending.end == AttemptEnd::Integrated);
            // Redone work stands in the place of what it replaces.
            let last = integrated.rfind(|ending| ending.receipts.iter().any(files));
            if let Some(last) = last {
                let attempt = run.attempt_id(TaskNo(no as u32), last.number);
                expected.push(self.truth.author(attempt));
            }
        }
        let mut found: Vec<AttemptId> = content.iter().map(|made| made.attempt).collect();
        found.sort_unstable();
        // What was taken of a candidate stands where the candidate does.
        expected.sort_unstable();
        judge_integrated(run, &found)?;
        if found != expected {
            return violated(
                Oracle::Tree,
                format!(
                    "{}: the tree holds {found:?}, expected {expected:?}",
                    run.id
                ),
            );
        }
        if let Some((RunStatus::Succeeded, _)) = run.ended {
            let undone = run.tasks().iter().find(|task| {
                let approval = task.spec.kind == TaskKind::Approval;
                let beside = !task.is_planned();
                let split = task.status() == divisi_core::run::TaskStatus::Split;
                let integrated =
                    |ending: &divisi_core::run::Ending| ending.end == AttemptEnd::Integrated;
                !approval && !split && !beside && !task.endings.iter().any(integrated)
            });
            if let Some(task) = undone {
                return violated(
                    Oracle::Tree,
                    format!("{} succeeded without {}", run.id, task.spec.id),
                );
            }
        }
        Ok(())
    }

    /// A finished process's work is integrated, refused with reasons, or kept as an offer.
    fn judge_noted(&self, attempt: AttemptId) -> Result<(), Violation> {
        let task = self
            .truth
            .run(attempt.run)
            .and_then(|run| run.task(attempt.task));
        let Some(ending) = task.and_then(|task| task.ending(attempt.number)) else {
            return violated(
                Oracle::NothingLost,
                format!("{attempt} finished, and the journal knows no end of it"),
            );
        };
        if matches!(ending.end, AttemptEnd::Lost(_))
            && ending.offer.is_none()
            && !ending
                .receipts
                .iter()
                .any(|receipt| matches!(receipt, divisi_core::receipt::Receipt::Submitted { .. }))
        {
            return violated(
                Oracle::NothingLost,
                format!("{attempt} finished after it was given up, and is not offered: {ending:?}"),
            );
        }
        Ok(())
    }
}

/// Whoever waits can learn for what.
fn explained(
    run: &Run,
    accounts: &BTreeMap<Account, Balance>,
    now: divisi_core::Time,
) -> Result<(), Violation> {
    let shared = explain::Shared {
        accounts: accounts.clone(),
        ..explain::Shared::default()
    };
    let waits = run.ended.is_none() && run.owed().next().is_none();
    if waits
        && explain::explain_run(run, now, &explain::Shared::default())
            .causes
            .is_empty()
    {
        return violated(
            Oracle::Explained,
            format!("{} is {} without a cause", run.id, run.status()),
        );
    }
    for (no, task) in run.tasks().iter().enumerate() {
        let told = explain::explain(run, TaskNo(no as u32), now, &shared);
        if told.is_none_or(|told| told.causes.is_empty()) {
            return violated(
                Oracle::Explained,
                format!("{} is {} without a cause", task.spec.id, task.status()),
            );
        }
    }
    Ok(())
}
