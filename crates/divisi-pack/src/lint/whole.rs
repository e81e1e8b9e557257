//! What the plan must be as a whole: a number of tasks and stages that somebody can follow, criteria
//! of the intent's own, and an estimate within the budget.

use divisi_core::plan::Work;
use divisi_core::{Criterion, TaskSpec};

use super::meet::Paths;
use super::{Author, Linter, is_agents};
use crate::codes;
use crate::estimate::{Estimate, times};
use crate::faults::{Faults, shown};

/// So many criteria of the whole are held against the project's files; plans have some.
const CRITERIA_COMPARED_MAX: usize = 20;

/// So many criteria or tasks are named in one finding.
const SAID_MAX: usize = 5;

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
        .count() as u64;
    let sizes = &linter.given.sizes;
    if tasks > sizes.tasks_max {
        faults
            .warning(codes::LINT_TASKS_MANY, linter.at, || {
                format!(
                    "{tasks} tasks for agents, more than the advised {}",
                    sizes.tasks_max
                )
            })
            .hint("break the request down into several runs");
    } else if tasks > 1 && (linter.plan.tasks.len() as u64) < sizes.tasks_min {
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
    let stages = deepest.map_or(0, |deepest| u64::from(*deepest) + 1);
    let most = linter.given.sizes.stages_max;
    if stages <= most {
        return;
    }
    let cause = || format!("{stages} stages one after the other, more than {most}");
    let told = match linter.given.author {
        Author::Rule | Author::Agent => faults.error(codes::LINT_STAGES, linter.at, cause),
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
    proves_nothing(linter, faults);
}

/// Criteria of the whole of which each holds before anything is done: files of the project that are
/// there. What stands in them and what programs say is not known here, and what bounds the work or is
/// left to a person is another matter.
fn proves_nothing(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let Some(files) = linter.given.files else {
        return;
    };
    let is_there = |path: &str| files.binary_search_by(|it| it.as_str().cmp(path)).is_ok();
    let matching = |pattern: &str| {
        let pattern = Paths::of(pattern);
        let files = files.iter().filter(|it| pattern.may_meet(&Paths::of(it)));
        files.count() as u64
    };
    let holds = |criterion: &&Criterion| match criterion {
        Criterion::File { path, min_bytes } => *min_bytes <= 1 && is_there(path),
        Criterion::Count { pattern, min, max } => {
            let many = matching(pattern);
            many >= *min && max.is_none_or(|max| many <= max)
        }
        _ => false,
    };
    let bounds = |it: &&Criterion| matches!(it, Criterion::Scope { .. } | Criterion::ExitStatus);
    let all = linter.plan.criteria.iter().take(CRITERIA_COMPARED_MAX);
    let all: Vec<&Criterion> = all.filter(|it| !bounds(it)).collect();
    if all.is_empty() || !all.iter().all(holds) {
        return;
    }
    let said: Vec<String> = all
        .iter()
        .take(SAID_MAX)
        .map(|it| shown(&it.to_string()))
        .collect();
    faults
        .warning(codes::LINT_PROVES_NOTHING, linter.at, || {
            format!(
                "all that the whole is held against is so before the work begins: {}",
                said.join(", ")
            )
        })
        .hint("add to the plan's own `criteria` what is not so yet, or what somebody is to judge");
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
    let unknown = |of: fn(&TaskSpec) -> bool| {
        let tasks = plan
            .tasks
            .iter()
            .filter(|task| is_agents(task) && !of(task));
        let ids: Vec<String> = tasks.map(|task| shown(task.id.as_str())).collect();
        let more = ids.len().saturating_sub(SAID_MAX);
        let more = (more > 0).then(|| format!(" and {more} more"));
        let said = ids
            .iter()
            .take(SAID_MAX)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        (!ids.is_empty()).then(|| said + &more.unwrap_or_default())
    };
    let of_time = budget
        .time_ms
        .and_then(|_| unknown(|it| it.estimate.duration_ms.is_some()));
    let of_tokens = budget
        .tokens
        .and_then(|_| unknown(|it| it.estimate.tokens.is_some()));
    for (what, ids) in [("time", of_time), ("tokens", of_tokens)] {
        let Some(ids) = ids else { continue };
        faults
            .warning(codes::LINT_BUDGET, linter.at, || {
                format!("the budget bounds {what}, and nothing says how much these take: {ids}")
            })
            .hint("write `estimated_duration_minutes` and `estimated_tokens` of each task");
    }
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
