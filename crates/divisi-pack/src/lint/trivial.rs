//! Plans that are not worth being plans: their tasks are together no more than one may be.
//!
//! Each task has a handoff, a workspace and checks of its own, and what is split is put together and
//! judged again. That pays where tasks differ in who does them, or wait for somebody else, or are
//! large. Where neither is so, one task does the same for less.

use std::fmt;

use divisi_core::criterion::of_scope;
use divisi_core::plan::{Deliverable, Estimate, Input};
use divisi_core::run::{Budget, Sizes};
use divisi_core::{Criterion, Plan, TaskId, TaskKind, TaskSpec};

use super::{Linter, is_agents, tasks};
use crate::codes;
use crate::faults::Faults;

pub(super) fn check(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let sizes = &linter.given.sizes;
    if let Some(why) = why(linter.plan, sizes) {
        faults
            .warning(codes::LINT_TRIVIAL, linter.at, || why)
            .hint("make one task of them: the same is done with one handoff, and judged once");
        return;
    }
    let agents = linter.plan.tasks.iter().filter(|task| is_agents(task));
    let most = together(linter.plan).and_then(|it| it.duration_max_ms);
    if agents.count() > 1
        && let Some(ms) = most.filter(|ms| *ms < sizes.split_ms_min)
    {
        let (minutes, least) = (ms.div_ceil(60_000), sizes.split_ms_min.div_ceil(60_000));
        faults
            .warning(codes::LINT_TRIVIAL, linter.at, || {
                format!(
                    "all its tasks are expected to take {minutes} minutes together, and what takes \
                     less than {least} is better not split"
                )
            })
            .hint("make one task of them, unless the request is about the work of several domains");
    }
}

/// A plan whose tasks were joined into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The plan with that one task, which says what it was joined of, and why.
    pub plan: Plan,
    /// The tasks that there were.
    pub of: Vec<TaskId>,
    why: String,
}

/// Which tasks were joined, and why.
impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of: Vec<&str> = self.of.iter().map(TaskId::as_str).collect();
        let why = &self.why;
        write!(f, "{} were joined into one task: {why}", of.join(", "))
    }
}

/// The plan as one task, if its tasks are together no more than that.
#[must_use]
pub fn joined(plan: &Plan, sizes: &Sizes) -> Option<Joined> {
    let why = why(plan, sizes)?;
    let [first, rest @ ..] = &plan.tasks[..] else {
        return None;
    };
    let mut one = first.clone();
    one.title.clone_from(&plan.title);
    one.description = described(plan, &why);
    one.dependencies.clear();
    for task in rest {
        add(&mut one.inputs, &task.inputs);
        add(&mut one.deliverables, &task.deliverables);
        add(&mut one.criteria, &task.criteria);
        one.priority = one.priority.max(task.priority);
    }
    // What one of them makes stands in the workspace of all; what one may change, all may.
    let is_inner = |input: &Input| matches!(input, Input::Task(_)) || makes(plan, input);
    one.inputs.retain(|input| !is_inner(input));
    let open = plan.tasks.iter().any(|task| task.scope.is_empty());
    one.scope.clear();
    for task in plan.tasks.iter().filter(|_| !open) {
        add(&mut one.scope, &task.scope);
    }
    one.criteria = scopes_joined(plan, one.criteria);
    one.estimate = together(plan)?;
    Some(Joined {
        plan: Plan {
            tasks: vec![one],
            ..plan.clone()
        },
        of: plan.tasks.iter().map(|task| task.id.clone()).collect(),
        why,
    })
}

/// Why the plan is not worth being one, if it is not.
fn why(plan: &Plan, sizes: &Sizes) -> Option<String> {
    let [first, rest @ ..] = &plan.tasks[..] else {
        return None;
    };
    let is_alike = |task: &TaskSpec| alike(first, task);
    if rest.is_empty() || !plan.stages.is_empty() || !plan.tasks.iter().all(is_alike) {
        return None;
    }
    let estimate = together(plan)?;
    let most_ms = estimate.duration_max_ms.or(estimate.duration_ms)?;
    let tokens = estimate.tokens?;
    let files = tasks::files(plan.tasks.iter());
    let fits = most_ms <= sizes.task_advised_ms
        && tokens <= sizes.task_tokens_max
        && files <= sizes.task_files_max;
    let role = first.role()?;
    fits.then(|| {
        format!(
            "its {} tasks are all for the role {role}, nobody else comes between them, and together \
             they are no more than one: {} minutes at the most, {tokens} tokens",
            plan.tasks.len(),
            most_ms.div_ceil(60_000)
        )
    })
}

/// Whether two tasks are done by the same agent in the same way, and judged by no person between.
fn alike(one: &TaskSpec, other: &TaskSpec) -> bool {
    let how = |task: &TaskSpec| {
        (
            task.kind,
            task.role(),
            task.agent.clone(),
            task.agents_else.clone(),
            task.workspace,
            task.env.clone(),
            (task.timeout_ms, task.retries),
        )
    };
    let is_work = matches!(other.kind, TaskKind::Work | TaskKind::Research);
    let is_judged = |criterion: &Criterion| matches!(criterion, Criterion::Plain { .. });
    is_agents(other)
        && is_work
        && other.candidates.is_none()
        && other.budget == Budget::default()
        && !other.criteria.iter().any(is_judged)
        && how(one) == how(other)
}

/// What all tasks are expected to take; `None` if one of them does not say.
fn together(plan: &Plan) -> Option<Estimate> {
    let mut sum = Estimate {
        duration_ms: Some(0),
        duration_max_ms: Some(0),
        tokens: Some(0),
    };
    for task in &plan.tasks {
        let least = task.estimate.duration_ms?;
        let most = task.estimate.duration_max_ms.unwrap_or(least);
        let add = |sum: &mut Option<u64>, more: u64| {
            *sum = sum.map(|sum| sum.saturating_add(more));
        };
        add(&mut sum.duration_ms, least);
        add(&mut sum.duration_max_ms, most);
        add(&mut sum.tokens, task.estimate.tokens?);
    }
    Some(sum)
}

fn described(plan: &Plan, why: &str) -> String {
    let mut text = format!("This was planned as several tasks and joined: {why}.\n");
    for (at, task) in plan.tasks.iter().enumerate() {
        text.push_str(&format!("\n{}. {}\n", at + 1, task.title));
        for line in task.description.lines() {
            text.push_str(&format!("   {line}\n"));
        }
    }
    text
}

fn add<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

fn makes(plan: &Plan, input: &Input) -> bool {
    let Input::Path(path) = input else {
        return false;
    };
    let is_it = |it: &Deliverable| it.path == *path;
    plan.tasks
        .iter()
        .any(|task| task.deliverables.iter().any(is_it))
}

/// One may change what any of them may, if each of them is bounded, and must leave what all must.
fn scopes_joined(plan: &Plan, criteria: Vec<Criterion>) -> Vec<Criterion> {
    let of = |criteria: &[Criterion]| {
        let (mut within, mut spared) = (Vec::new(), Vec::new());
        for criterion in criteria {
            if let Criterion::Scope { patterns } = criterion {
                let (open, shut) = of_scope(patterns);
                within.extend(open.into_iter().map(str::to_owned));
                spared.extend(shut.into_iter().map(|pattern| format!("!{pattern}")));
            }
        }
        (within, spared)
    };
    let (mut within, mut spared) = (Vec::new(), Vec::new());
    for (number, task) in plan.tasks.iter().enumerate() {
        let (open, shut) = of(&task.criteria);
        match number {
            0 => spared = shut,
            _ => spared.retain(|pattern| shut.contains(pattern)),
        }
        add(&mut within, &open);
    }
    if plan
        .tasks
        .iter()
        .any(|task| of(&task.criteria).0.is_empty())
    {
        within.clear();
    }
    let is_scope = |it: &Criterion| matches!(it, Criterion::Scope { .. });
    let others = criteria.into_iter().filter(|it| !is_scope(it));
    let scopes = [within, spared].into_iter();
    let scopes = scopes.filter(|patterns| !patterns.is_empty());
    let scopes = scopes.map(|patterns| Criterion::Scope { patterns });
    others.chain(scopes).collect()
}
