//! What plan tasks plan: drawn when it is read, kept, and compared with what takes their place.
//!
//! An agent's plan stands in its snapshot: whenever it is read again, it says the same. Rules are
//! matched against files that may have changed meanwhile, and may give something else each time.

use std::sync::Arc;

use divisi_core::ids::{AttemptId, Commit};
use divisi_core::plan::{Parts, Plan, TaskSpec, Work};
use divisi_core::run::{AttemptEnd, Command, Effect, Failure, PLAN_NESTING_MAX, Run, Task};
use divisi_core::{TaskId, TaskNo};

use crate::breaks::{Break, Oracle};
use crate::coverage::Fault;
use crate::divisions;
use crate::effects::Report;
use crate::plans;
use crate::sim::{Sim, Violation, violated};
use crate::truth::Truth;

/// What an attempt planned.
#[derive(Clone, Debug)]
pub(crate) enum Planned {
    /// It can be run.
    Sound(Parts),
    /// It can be read, but not run.
    Unsound(Parts),
    /// It cannot be read.
    Unreadable,
}

/// What expanding one attempt needs.
#[derive(Clone, Debug)]
pub(crate) struct Expanding {
    attempt: AttemptId,
    head: Option<Commit>,
    by_rules: bool,
    nests: bool,
    /// An id that another task of the run has.
    taken: TaskId,
    /// In whose place it plans, if that task outgrew itself.
    outgrown: Option<Arc<TaskSpec>>,
}

impl Expanding {
    pub(crate) fn of(run: &Run, attempt: AttemptId) -> Option<Expanding> {
        let task = run.task(attempt.task)?;
        Some(Expanding {
            attempt,
            head: run.integration.head.clone(),
            by_rules: matches!(task.spec.work, Work::Expand(_)),
            nests: task.nesting + 1 < PLAN_NESTING_MAX,
            taken: task.spec.id.clone(),
            outgrown: { run.outgrew(attempt.task) }
                .map(|no| Arc::clone(&run.tasks()[no.index()].spec)),
        })
    }
}

impl Sim {
    /// An attempt's plan is read, and told, perhaps twice.
    pub(crate) fn expand(&mut self, token: u64, effect: Effect, expanding: &Expanding) {
        let attempt = expanding.attempt;
        let planned = match self.planned_before(expanding) {
            Some(planned) => planned,
            None => {
                let planned = self.draw_plan(expanding);
                self.truth.on_planned(attempt, planned.clone());
                planned
            }
        };
        let command = match planned {
            Planned::Sound(parts) | Planned::Unsound(parts) => Command::Expanded {
                attempt,
                from: expanding.head.clone(),
                parts,
                advice: Vec::new(),
            },
            Planned::Unreadable => Command::ExpandRefused {
                attempt,
                faults: vec!["plan.json:1:1: it is no plan".to_owned()],
                advice: Vec::new(),
            },
        };
        if self.goes_wrong(100) {
            self.coverage.fault(Fault::ExpandedAgain);
            let again = Report::Done(effect, attempt.run, command.clone());
            self.report(token, again);
        }
        self.report(token, Report::Done(effect, attempt.run, command));
    }

    /// What is known of an attempt's plan without reading it.
    fn planned_before(&self, expanding: &Expanding) -> Option<Planned> {
        let of = |number: u32| {
            let attempt = AttemptId {
                number,
                ..expanding.attempt
            };
            self.truth.plans(attempt).first()
        };
        let number = expanding.attempt.number;
        let numbers = match self.broken {
            // A broken engine knows plans by their task.
            Some(Break::SupersededExpanded) => 1..=number,
            _ => number..=number,
        };
        let rereads = expanding.by_rules && self.broken != Some(Break::SupersededExpanded);
        numbers.filter(|_| !rereads).find_map(of).cloned()
    }

    fn draw_plan(&mut self, expanding: &Expanding) -> Planned {
        let attempt = expanding.attempt;
        let prefix = format!("e{}-{}-", attempt.task.0, attempt.number);
        let mut parts = match &expanding.outgrown {
            Some(spec) => plans::smaller(&mut self.rng, &prefix, spec),
            None => plans::planned(&mut self.rng, &prefix, expanding.nests),
        };
        if self.goes_wrong(150) {
            self.coverage.fault(Fault::PlanUnreadable);
            return Planned::Unreadable;
        }
        if self.goes_wrong(200) {
            self.coverage.fault(Fault::PlanUnsound);
            plans::spoil(&mut self.rng, &mut parts, &expanding.taken);
            return Planned::Unsound(parts);
        }
        Planned::Sound(parts)
    }
}

/// What takes a task's place is what its attempt planned.
///
/// # Errors
/// It is not.
pub(crate) fn judge_expansion(
    truth: &Truth,
    before: &Run,
    attempt: AttemptId,
    parts: &[TaskSpec],
) -> Result<(), Violation> {
    let ids = |tasks: &[TaskSpec]| tasks.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
    let told = ids(parts);
    let is_told = |planned: &Planned| match planned {
        Planned::Sound(parts) => ids(&parts.tasks) == told,
        Planned::Unsound(_) | Planned::Unreadable => false,
    };
    match truth.plans(attempt).iter().any(is_told) {
        true => match before.outgrew(attempt.task) {
            Some(outgrown) => divisions::judge_held(before, (outgrown, attempt.task), parts),
            None => Ok(()),
        },
        false => violated(
            Oracle::Expansion,
            format!("{attempt} is expanded into {told:?}, which it never planned"),
        ),
    }
}

/// A plan that can be run is not refused.
///
/// # Errors
/// It is.
pub(crate) fn judge_refused_plan(
    truth: &Truth,
    before: &Run,
    attempt: AttemptId,
    end: &AttemptEnd,
) -> Result<(), Violation> {
    let AttemptEnd::Refused(Failure::Plan(faults)) = end else {
        return Ok(());
    };
    // What is left may be too little for the parts of what outgrew its task.
    let budget = &before.tasks()[attempt.task.index()].spec.budget;
    if before.outgrew(attempt.task).is_some() && budget.is_bounded() {
        return Ok(());
    }
    let is_sound = |planned: &Planned| matches!(planned, Planned::Sound(_));
    match truth.plans(attempt).iter().all(is_sound) {
        false => Ok(()),
        true => violated(
            Oracle::Expansion,
            format!("the sound plan of {attempt} is refused: {faults:?}"),
        ),
    }
}

/// Only a plan that nobody approved is replaced, and nothing that was begun goes with it.
pub(crate) fn judge_replaced(before: &Run, after: &Run, plan: &Plan) -> Result<(), Violation> {
    let attempts = |run: &Run| run.tasks().iter().map(Task::attempts).sum::<u32>();
    let kept = usize::from(before.planner().is_some());
    let stand = after.tasks()[kept..].iter().filter(|it| it.is_planned());
    let stand = stand.map(|task| &task.spec.id);
    let is_sound = !before.approved
        && !after.approved
        && attempts(before) == attempts(after)
        && after.revision == before.revision + 1
        && stand.eq(plan.tasks.iter().map(|task| &task.id));
    match is_sound {
        true => Ok(()),
        false => violated(
            Oracle::Expansion,
            format!(
                "{}: its plan was replaced though it was in force",
                before.id
            ),
        ),
    }
}

/// A plan that its owner refused is gone whole, and the task that made it is not done with.
pub(crate) fn judge_taken_back(
    before: &Run,
    after: &Run,
    planner: TaskNo,
) -> Result<(), Violation> {
    let of = |run: &Run| {
        run.task(planner)
            .map(|task| (task.attempts(), task.failures))
    };
    let counts = of(before).map(|(attempts, failures)| (attempts, failures + 1));
    let begun = before.tasks().iter().filter(|task| task.attempts() > 0);
    let is_sound = !before.approved
        && after.approved
        && after.tasks().len() == 1
        && begun.count() == 1
        && of(after) == counts
        && after.revision == before.revision + 1;
    match is_sound {
        true => Ok(()),
        false => violated(
            Oracle::Expansion,
            format!("{}: the plan that was refused is still there", before.id),
        ),
    }
}
