//! What is judged on the whole, and the whole request as one task.

use divisi_core::plan::Work;
use divisi_core::{Criterion, Plan, TaskKind, TaskSpec, WorkspaceKind};

use super::making::{estimate, sum, tested, title};
use super::naming::{Ids, line};
use super::steps::{self, Kind, Step};
use super::{Facts, each, judged};
use crate::request::{Phrase, Request};
use crate::stated::{self, Stated};

/// When the whole is what was asked for: what the request states, the project's own tests where
/// something changes, the files that are to change, and those that were promised. Where no program can tell, somebody judges.
pub(super) fn criteria_of_intent(
    request: &Request,
    facts: &Facts<'_>,
    stated: &[Stated],
    tasks: &[TaskSpec],
    steps: &[Step<'_>],
) -> Vec<Criterion> {
    let mut criteria: Vec<Criterion> = stated.iter().flat_map(|it| it.criteria.clone()).collect();
    let changes = steps
        .iter()
        .any(|step| matches!(step.kind, Kind::Change | Kind::Test));
    let is_tested = changes || steps.iter().any(|step| !step.runs.is_empty());
    criteria.extend(tested(facts).filter(|_| is_tested));
    criteria.extend(listed(request, facts, stated));
    criteria.extend(steps.iter().flat_map(|step| each::of(request, step)));
    let is_judged = changes && criteria.is_empty();
    let of_tasks = tasks.iter().flat_map(|task| &task.criteria);
    criteria.extend(
        of_tasks
            .filter(|it| matches!(it, Criterion::Changed { .. }))
            .cloned(),
    );
    criteria.extend(lasting(tasks));
    for deliverable in tasks.iter().flat_map(|task| &task.deliverables) {
        criteria.push(Criterion::File {
            path: deliverable.path.clone(),
            min_bytes: 1,
        });
    }
    if is_judged || !criteria.iter().any(|it| !it.is_of_change()) {
        criteria.push(all_done(request));
    }
    let mut seen = Vec::new();
    criteria.retain(|criterion| {
        let is_new = !seen.contains(criterion);
        seen.push(criterion.clone());
        is_new
    });
    criteria
}

/// What tasks say of files that are there or gone, as far as no other one may say the contrary.
fn lasting(tasks: &[TaskSpec]) -> Vec<Criterion> {
    let mut lasting = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let others = || {
            let others = tasks.iter().enumerate();
            others.filter(|(other, _)| *other != at).map(|(_, it)| it)
        };
        let is_touched = |path: &str| {
            others().any(|it| {
                let promised = it.deliverables.iter().map(|it| &it.path);
                promised.chain(&it.scope).any(|its| its == path)
            })
        };
        let is_gone = |path: &str| {
            let mut all = others().flat_map(|it| &it.criteria);
            all.any(|it| matches!(it, Criterion::Count { pattern, max: Some(0), .. } if pattern == path))
        };
        let promises = |path: &str| task.deliverables.iter().any(|it| it.path == path);
        let lasts = |it: &&Criterion| match it {
            Criterion::Count { pattern, max, .. } => *max == Some(0) && !is_touched(pattern),
            Criterion::File { path, .. } => !is_gone(path) && !promises(path),
            _ => false,
        };
        lasting.extend(task.criteria.iter().filter(lasts).cloned());
    }
    lasting
}

/// What somebody judges of the whole where no program can tell.
pub(super) fn all_done(request: &Request) -> Criterion {
    judged(format!(
        "everything that was asked for is done: {}",
        title(request)
    ))
}

/// What such words begin with of a task.
const AS_ASKED: &str = "it is done as asked: ";

/// The same of a task.
pub(super) fn as_asked(title: &str) -> Criterion {
    judged(format!("{AS_ASKED}{title}"))
}

/// Of one task that somebody judges the same is judged as of the whole, and in the same words: who has
/// said it of the one is not asked about the other.
pub(super) fn judge_once(plan: &mut Plan, request: &Request) {
    let mut work = { plan.tasks.iter_mut() }.filter(|it| it.kind != TaskKind::Approval);
    let (Some(task), None) = (work.next(), work.next()) else {
        return;
    };
    let Some(at) = task.criteria.iter().position(|it| !it.is_falsifiable()) else {
        return;
    };
    if plan.criteria.contains(&all_done(request)) {
        let is_less = |it: &Criterion| match it {
            Criterion::Plain { text } => text.starts_with(AS_ASKED),
            _ => false,
        };
        task.criteria.retain(|it| !is_less(it));
    }
    let of_whole = plan.criteria.iter().filter(|it| !it.is_falsifiable());
    let lacking: Vec<Criterion> = { of_whole.filter(|it| !task.criteria.contains(it)) }
        .cloned()
        .collect();
    task.criteria.splice(at..at, lacking);
}

/// What the items of a request's lists say of the result, as far as nothing else checks it.
fn listed(request: &Request, facts: &Facts<'_>, stated: &[Stated]) -> Vec<Criterion> {
    let is_checked = |it: &Phrase| {
        let text = it.text.to_lowercase();
        let are_tests = text.split(' ').any(|word| word == "tests") && text.ends_with("pass");
        let is_stated = stated.iter().any(|stated| stated.span.holds(it.span));
        is_stated || are_tests && facts.tests.is_some()
    };
    let open = request.criteria.iter().filter(|it| !is_checked(it));
    open.map(|it| judged(it.text.clone())).collect()
}

/// Gives what a request states of a file, and no task makes true, to the last task that may: what is
/// judged on the whole has to be somebody's work.
pub(super) fn owe(tasks: &mut [TaskSpec], stated: &[Stated]) {
    for criterion in stated.iter().flat_map(|it| &it.criteria) {
        let path = match criterion {
            Criterion::Contains { path, .. } | Criterion::Section { path, .. } => path.as_str(),
            _ => continue,
        };
        let is_named = |task: &TaskSpec| {
            let made = task.deliverables.iter().map(|it| &it.path);
            made.chain(&task.scope).any(|it| it == path)
        };
        let is_free = |task: &TaskSpec| {
            let mut criteria = task.criteria.iter();
            !criteria.any(|it| matches!(it, Criterion::Scope { .. }))
        };
        if tasks.iter().any(is_named) {
            continue;
        }
        let last = { tasks.iter_mut().rev() }.find(|task| is_free(task));
        if let Some(task) = last.filter(|task| task.work == Work::Handoff) {
            task.criteria.push(criterion.clone());
        }
    }
}

/// The whole request as one task: for the role that all its parts are for, otherwise for somebody
/// who develops.
pub(super) fn one(request: &Request, facts: &Facts<'_>) -> Plan {
    let id = Ids::default().of("task");
    let stated = stated::of(request);
    let steps = steps::of(request, &stated, &facts.sizes).unwrap_or_default();
    let is_stated = stated::is_all(request, &stated);
    let mut roles = steps.iter().map(|step| step.of.role);
    // Nobody's role is known of what may be work beside.
    let is_all = !request.loose.iter().any(|it| it.may_be_work);
    let first = roles.next().filter(|_| is_all);
    let role = first.filter(|first| *first != "developer" && roles.all(|role| role == *first));
    let role = role.and_then(|role| facts.roles.get(role));
    let (domain, function) = role
        .map(crate::role::Role::names_of_tasks)
        .unwrap_or_default();
    let estimate = sum(
        steps.iter().map(|step| estimate(request, step)),
        &facts.sizes,
    );
    let mut criteria: Vec<Criterion> = stated.iter().flat_map(|it| it.criteria.clone()).collect();
    criteria.extend(tested(facts));
    criteria.extend(listed(request, facts, &stated));
    if !is_stated {
        criteria.push(judged("the result is what was asked for".to_owned()));
    }
    let text = match request.text.is_empty() {
        true => "Nothing".to_owned(),
        false => request.text.clone(),
    };
    let task = TaskSpec {
        title: line(&text),
        description: text,
        domain: domain.or(Some("development".to_owned())),
        function,
        work: Work::Handoff,
        criteria: criteria.clone(),
        estimate,
        workspace: WorkspaceKind::Worktree,
        ..TaskSpec::command(id, &[])
    };
    Plan {
        title: title(request),
        tasks: vec![task],
        criteria,
        ..Plan::default()
    }
}

/// Has a plan of one task make what the tasks of another one make, and judges it by that one's criteria.
pub(super) fn judge_as(plan: &mut Plan, divided: Plan) {
    for task in &mut plan.tasks {
        task.criteria.clone_from(&divided.criteria);
        let made = divided.tasks.iter().flat_map(|task| &task.deliverables);
        task.deliverables = made.cloned().collect();
        if divided.tasks.iter().all(|it| it.kind == TaskKind::Research) {
            task.kind = TaskKind::Research;
        }
    }
    plan.criteria = divided.criteria;
}
