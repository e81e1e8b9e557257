//! What is measured of candidates: drawn once for an attempt, kept, and compared with what the journal
//! says of it, and with what is chosen by it.

use std::collections::BTreeMap;

use divisi_core::figure::Figure;
use divisi_core::ids::{AttemptId, TaskNo};
use divisi_core::ledger::{Account, Amount, Exhausted};
use divisi_core::plan::Want;
use divisi_core::receipt::{Measured, Receipt};
use divisi_core::run::{AttemptEnd, Command, Effect, Run, TaskState, TaskStatus};
use divisi_engine::world::Ask;

use crate::breaks::{Break, Oracle};
use crate::coverage::{Coverage, Fault};
use crate::effects::Report;
use crate::engine::Source;
use crate::sim::{Sim, Violation, violated};
use crate::truth::Truth;

/// What measuring one candidate needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measuring {
    attempt: AttemptId,
    /// Whether a program is to print a number of it.
    compares: bool,
}

impl Measuring {
    pub(crate) fn of(run: &Run, attempt: AttemptId) -> Option<Measuring> {
        let of = run.task(run.candidate_of(attempt.task)?)?;
        let prefer = { of.spec.candidates.as_ref() }.and_then(|it| it.prefer.as_ref());
        Some(Measuring {
            attempt,
            compares: prefer.is_some(),
        })
    }
}

impl Sim {
    /// A candidate is measured. Few numbers, so that equals are met.
    pub(crate) fn measure(&mut self, token: u64, effect: Effect, measuring: Measuring) {
        let attempt = measuring.attempt;
        let known = self.truth.measured(attempt).cloned();
        let mut measured = known.unwrap_or_else(|| {
            let prints = measuring.compares && !self.rng.chance(200);
            let measured = Measured {
                lines: self.rng.below(4),
                figure: prints.then(|| Figure(self.rng.below(3) as i64)),
                lacking: (measuring.compares && !prints).then(|| "it printed nothing".to_owned()),
            };
            self.truth.on_measured(attempt, measured.clone());
            measured
        });
        if self.broken == Some(Break::MeasureMadeUp) {
            measured.lines = 0;
        }
        if self.broken == Some(Break::GivenUpEarly) {
            self.give_up_others(attempt);
        }
        let command = Command::Measured { attempt, measured };
        self.report(token, Report::Done(effect, attempt.run, command));
    }
}

impl Sim {
    /// A broken engine gives up the candidates that nobody has begun when one of them has passed.
    fn give_up_others(&mut self, attempt: AttemptId) {
        let world = self.engine.as_ref().map(|engine| &engine.world);
        let Some(run) = world.and_then(|world| world.run(attempt.run)) else {
            return;
        };
        let of = run.candidate_of(attempt.task);
        let is_ready =
            |no: &TaskNo| matches!(run.tasks()[no.index()].state, TaskState::Ready { .. });
        let others = of.into_iter().flat_map(|of| run.candidates(of));
        let others: Vec<TaskNo> = others.filter(is_ready).collect();
        for task in others {
            let exhausted = Exhausted {
                account: Account::Task(attempt.run, task),
                bound: None,
                task: None,
            };
            let command = Command::GiveUp { task, exhausted };
            self.give(Ask::Run(attempt.run, command), Source::Own);
        }
    }
}

/// No run is paused for what one candidate may use up: the others go on without it.
///
/// # Errors
/// It is.
pub(crate) fn judge_paused(before: &Run, exhausted: &Exhausted) -> Result<(), Violation> {
    let task = match exhausted.account {
        Account::Task(run, no) if run == before.id => before.task(no),
        _ => None,
    };
    match task.filter(|task| task.candidate_of.is_some()) {
        None => Ok(()),
        Some(task) => violated(
            Oracle::Candidates,
            format!("{} is paused for candidate {}", before.id, task.spec.id),
        ),
    }
}

/// What is given up while it could be begun is a candidate whose own account permits no more, and gets
/// nothing back.
///
/// # Errors
/// It is not.
pub(crate) fn judge_given_up(
    truth: &Truth,
    before: &Run,
    no: TaskNo,
    coverage: &mut Coverage,
) -> Result<(), Violation> {
    let task = &before.tasks()[no.index()];
    if !matches!(task.state, TaskState::Ready { .. }) {
        return Ok(());
    }
    coverage.fault(Fault::CandidateUsedUp);
    let amount = task.amount(&before.settings);
    let balance = truth.ledger().accounts.get(&Account::Task(before.id, no));
    let is_used_up = balance
        .is_some_and(|balance| balance.held == Amount::default() && balance.grant(amount).is_err());
    match task.candidate_of.is_some() && is_used_up {
        true => Ok(()),
        false => violated(
            Oracle::Candidates,
            format!("{} is given up with {balance:?}", task.spec.id),
        ),
    }
}

/// What is said to have been measured was.
///
/// # Errors
/// It is something else.
pub(crate) fn judge_measured(
    truth: &Truth,
    attempt: AttemptId,
    receipts: &[Receipt],
) -> Result<(), Violation> {
    let Some(Receipt::Measured { measured, .. }) = receipts.last() else {
        return Ok(());
    };
    match truth.measured(attempt) {
        Some(found) if found == measured => Ok(()),
        found => violated(
            Oracle::Candidates,
            format!("{attempt} is said to be {measured:?}, it is {found:?}"),
        ),
    }
}

/// What is chosen is a candidate that passed, once all have ended, and none is better.
///
/// # Errors
/// It is not so.
pub(crate) fn judge_chosen(
    truth: &Truth,
    before: &Run,
    (no, from): (TaskNo, Option<AttemptId>),
    coverage: &mut Coverage,
) -> Result<(), Violation> {
    let id = &before.tasks()[no.index()].spec.id;
    let wrong = |what: String| violated(Oracle::Candidates, format!("{id}: {what}"));
    let all: Vec<TaskNo> = (0..before.tasks().len() as u32)
        .map(TaskNo)
        .filter(|it| before.tasks()[it.index()].candidate_of == Some(no))
        .collect();
    let mut passed = Vec::new();
    for candidate in all {
        let task = &before.tasks()[candidate.index()];
        match task.status() {
            TaskStatus::Done => {
                passed.push(before.attempt_id(candidate, task.attempts()));
            }
            status if status.is_terminal() => coverage.fault(Fault::CandidateGivenUp),
            status => return wrong(format!("it chose while {} is {status}", task.spec.id)),
        }
    }
    let Some(from) = from else {
        return match passed.is_empty() {
            true => Ok(()),
            false => wrong(format!("none was taken of {passed:?}")),
        };
    };
    if !passed.contains(&from) {
        return wrong(format!("{from} was taken, and did not pass"));
    }
    let candidates = before.tasks()[no.index()].spec.candidates.as_ref();
    let want = candidates
        .and_then(|it| it.prefer.as_ref())
        .map(|it| it.want);
    let better = passed.iter().find(|it| is_better(truth, want, **it, from));
    match better {
        Some(better) => wrong(format!("{from} was taken, and {better} is better")),
        None => Ok(()),
    }
}

fn is_better(truth: &Truth, want: Option<Want>, one: AttemptId, other: AttemptId) -> bool {
    let (Some(a), Some(b)) = (truth.measured(one), truth.measured(other)) else {
        return false;
    };
    let by_lines = match a.lines == b.lines {
        true => one.task < other.task,
        false => a.lines < b.lines,
    };
    match (want, a.figure, b.figure) {
        (None, ..) | (Some(_), None, None) => by_lines,
        (Some(_), Some(_), None) => true,
        (Some(_), None, Some(_)) => false,
        (Some(_), Some(a), Some(b)) if a == b => by_lines,
        (Some(Want::Lowest), Some(a), Some(b)) => a < b,
        (Some(Want::Highest), Some(a), Some(b)) => a > b,
    }
}

/// Whose work that of each candidate becomes, if it is taken.
pub(crate) fn owners(run: &Run) -> BTreeMap<TaskNo, TaskNo> {
    let all = (0..run.tasks().len() as u32).map(TaskNo);
    all.filter_map(|no| Some((no, run.candidate_of(no)?)))
        .collect()
}

/// Of several solutions at most one stands in the tree, and none where their task was given up.
///
/// # Errors
/// More do.
pub(crate) fn judge_integrated(run: &Run, found: &[AttemptId]) -> Result<(), Violation> {
    for (no, task) in run.tasks().iter().enumerate() {
        let of = Some(TaskNo(no as u32));
        let own = |it: &&AttemptId| run.candidate_of(it.task) == of;
        let taken = found.iter().filter(own).count();
        let integrated = task
            .endings
            .iter()
            .any(|it| it.end == AttemptEnd::Integrated);
        if taken > usize::from(integrated) {
            return violated(
                Oracle::Candidates,
                format!(
                    "{}: {taken} of its candidates stand in the tree",
                    task.spec.id
                ),
            );
        }
    }
    Ok(())
}
