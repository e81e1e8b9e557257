//! What the plan must be as a whole: a number of tasks and stages that somebody can follow, criteria
//! of the intent's own, and an estimate within the budget.

use divisi_core::plan::Work;

use super::{Author, Linter, TASKS_ADVISED_MAX, TASKS_ADVISED_MIN, is_agents};
use crate::codes;
use crate::estimate::{Estimate, times};
use crate::faults::Faults;
use crate::plan_file::STAGES_ADVISED_MAX;

pub(super) fn check(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    count(linter, faults);
    depth(linter, faults);
    intent(linter, faults);
    budget(linter, faults);
}

fn count(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let tasks = linter
        .plan
        .tasks
        .iter()
        .filter(|task| is_agents(task))
        .count();
    if tasks > TASKS_ADVISED_MAX {
        faults
            .warning(codes::LINT_TASKS_MANY, linter.at, || {
                format!("{tasks} tasks for agents, more than the advised {TASKS_ADVISED_MAX}")
            })
            .hint("break the request down into several runs");
    } else if tasks > 1 && linter.plan.tasks.len() < TASKS_ADVISED_MIN {
        faults
            .warning(codes::LINT_TASKS_FEW, linter.at, || {
                format!("{tasks} tasks: what is split must be put together and judged again")
            })
            .hint("make one task of them if the result can be judged in one piece");
    }
}

/// Of stages that the author wrote, reading already says so.
fn depth(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let deepest = linter.graph.stage.iter().max();
    let stages = deepest.map_or(0, |deepest| *deepest as usize + 1);
    if stages <= STAGES_ADVISED_MAX {
        return;
    }
    let cause = || format!("{stages} stages one after the other, more than {STAGES_ADVISED_MAX}");
    let told = match linter.given.author {
        Author::Planner => faults.error(codes::LINT_STAGES, linter.at, cause),
        Author::Person if !linter.plan.stages.is_empty() => return,
        Author::Person => faults.warning(codes::LINT_STAGES, linter.at, cause),
    };
    told.hint("break the request down: each of several runs is judged before the next one begins");
}

fn intent(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    if linter.plan.criteria.is_empty() {
        faults
            .error(codes::LINT_INTENT, linter.at, || {
                "nothing says when the whole is what was asked for".to_owned()
            })
            .hint("write the plan's own `criteria`: they are checked on the integrated whole");
    }
}

fn budget(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let budget = &linter.given.budget;
    let plan = linter.plan;
    let attempts = plan.tasks.iter().filter(|task| task.work != Work::Nothing);
    let attempts = attempts.map(times).sum::<usize>() as u64;
    let taken = plan.tasks.iter().filter_map(|task| {
        let once = task.estimate.duration_ms?;
        Some(once.saturating_mul(times(task) as u64))
    });
    let time_ms = taken.fold(0, u64::saturating_add);
    let tokens = Estimate::of(plan, None).tokens;
    let minutes = |ms: u64| format!("{} minutes", ms.div_ceil(60_000));
    let exceeded =
        [
            budget.attempts.filter(|max| attempts > *max).map(|max| {
                format!("it takes at least {attempts} attempts, and the budget is {max}")
            }),
            budget.time_ms.filter(|max| time_ms > *max).map(|max| {
                format!(
                    "it is expected to take {} of agents' time, and the budget is {}",
                    minutes(time_ms),
                    minutes(max)
                )
            }),
            budget.tokens.filter(|max| tokens > *max).map(|max| {
                format!("it is expected to take {tokens} tokens, and the budget is {max}")
            }),
        ];
    for cause in exceeded.into_iter().flatten() {
        faults
            .error(codes::LINT_BUDGET, linter.at, || cause)
            .hint("permit more, or ask for less");
    }
}
