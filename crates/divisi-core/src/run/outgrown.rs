//! Work that outgrows its task becomes a plan (G1).
//!
//! That a task is more than one shows while it is done: its agent says so, or an attempt takes much
//! more than was expected and is not done. Then the whole is not tried again. A task that plans takes
//! its place, and what that one plans takes its place in turn, by the road of [`super::parts`]. All
//! that the task had to meet and to make is held to its parts, and they are done by its agent, in
//! words: nothing is run that the run's owner did not see.

use super::attempt::{AttemptEnd, Failure, StopReason};
use super::division::{self, SPLIT_WHY_BYTES_MAX};
use super::parts::share_out;
use super::promises;
use super::settings::Budget;
use super::spending;
use super::state::Run;
use super::task::TaskState;
use crate::criterion::{Criterion, truncate};
use crate::ids::{TaskId, TaskNo};
use crate::ledger::{Amount, Bound};
use crate::plan::{
    Deliverable, Estimate, Input, PLAN_PATH, Parts, TaskKind, TaskSpec, Work, WorkspaceKind,
};
use crate::receipt::Receipt;

/// So many times what was expected is much more: half of all estimates are too low, and few by as
/// much as this.
const MUCH_MORE: u64 = 2;

/// What is left of a budget must do for as many attempts as planning and the fewest parts take.
const ATTEMPTS_LEAST: u64 = 3;

/// So often a plan that cannot be used may be written again.
const RETRIES: u32 = 2;

impl Run {
    /// The task in whose place a task plans, if that one outgrew itself: nothing else took its place.
    #[must_use]
    pub fn outgrew(&self, no: TaskNo) -> Option<TaskNo> {
        let task = self.task(no)?;
        let on = task.replaces?;
        let from = &self.tasks[on.index()];
        let alone = matches!(&from.state, TaskState::Split(parts) if parts[..] == [no]);
        let plans = task.spec.kind == TaskKind::Plan && from.spec.kind != TaskKind::Plan;
        (alone && plans).then_some(on)
    }
}

/// How an attempt that ends so shows that its task is more than one, if it does.
pub(super) fn shows(
    run: &Run,
    no: TaskNo,
    end: &AttemptEnd,
    receipts: &[Receipt],
) -> Option<String> {
    let task = &run.tasks[no.index()];
    let live = task.live()?;
    let all: Vec<Receipt> = live.receipts.iter().chain(receipts).cloned().collect();
    if let Some(why) = all.iter().find_map(Receipt::too_large) {
        let mut why = why.to_owned();
        truncate(&mut why, SPLIT_WHY_BYTES_MAX);
        return Some(format!(
            "its agent found it to be more than one task: {why}"
        ));
    }
    // What can only be checked in one piece is one, however long it takes.
    if !division::has_parts(&task.spec) {
        return None;
    }
    if let AttemptEnd::Stopped(StopReason::Overdue) = end {
        return Some("it was not done within its time box".to_owned());
    }
    let AttemptEnd::Refused(Failure::Checks(_)) = end else {
        return None;
    };
    let used = spending::cost(&run.settings, task, &live.agent, end, &all);
    let estimate = &task.spec.estimate;
    let beyond = |used: u64, expected: Option<u64>, bound: fn(u64) -> Bound| {
        let expected = expected.filter(|it| used > it.saturating_mul(MUCH_MORE))?;
        let (used, expected) = (bound(used), bound(expected));
        Some(format!(
            "it was not done with {used}, where {expected} were expected"
        ))
    };
    let time = estimate.duration_max_ms.or(estimate.duration_ms);
    beyond(used.tokens, estimate.tokens, Bound::Tokens)
        .or_else(|| beyond(used.time_ms, time, Bound::TimeMs))
}

/// The task that plans in the place of one whose attempts used so much; `None` where it cannot.
pub(super) fn planned(run: &Run, no: TaskNo, used: Amount, why: &str) -> Option<Parts> {
    let task = &run.tasks[no.index()];
    let spec = &task.spec;
    let wanted = run.settings.split_after > 0 && division::is_work(run, task);
    if !wanted || task.depth >= run.settings.sizes.split_depth_max {
        return None;
    }
    division::shares(spec.budget, used, ATTEMPTS_LEAST).ok()?;
    let [budget] = division::shares(spec.budget, used, 1).ok()?[..] else {
        return None;
    };
    let stem = division::stem(&spec.id);
    let named = |no: u32| match no {
        1 => TaskId::new(format!("{stem}-plan")).ok(),
        no => TaskId::new(format!("{stem}-plan{no}")).ok(),
    };
    let id = { (1..).filter_map(named) }.find(|id| run.find(id).is_none())?;
    let plan = TaskSpec {
        id,
        title: format!("Plan: {}", spec.title),
        description: told(spec, why),
        kind: TaskKind::Plan,
        inputs: paths(spec),
        deliverables: vec![Deliverable {
            path: PLAN_PATH.to_owned(),
        }],
        scope: Vec::new(),
        criteria: vec![Criterion::File {
            path: PLAN_PATH.to_owned(),
            min_bytes: 1,
        }],
        dependencies: Vec::new(),
        workspace: WorkspaceKind::Worktree,
        retries: Some(RETRIES),
        ok_exit: vec![0],
        estimate: Estimate::default(),
        budget,
        candidates: None,
        ..TaskSpec::clone(spec)
    };
    let parts = Parts {
        tasks: vec![plan],
        ..Parts::default()
    };
    run.fitting(no, parts, task.nesting).ok()
}

/// What other tasks made, those in its place are given as the task was; files of the tree they name.
fn paths(spec: &TaskSpec) -> Vec<Input> {
    let is_path = |input: &&Input| matches!(input, Input::Path(_));
    spec.inputs.iter().filter(is_path).cloned().collect()
}

/// What whoever plans is told of the task. How a plan is written is added when it is handed out.
fn told(spec: &TaskSpec, why: &str) -> String {
    let what = match spec.description.as_str() {
        "" => &spec.title,
        description => description,
    };
    let quoted: Vec<String> = what.lines().map(|line| format!("> {line}\n")).collect();
    let criteria = spec.criteria.iter().filter(|it| !division::bounds_all(it));
    let criteria = criteria.map(|it| format!("- {it}\n"));
    let files = spec.deliverables.iter();
    let files = files.map(|it| format!("- the file {} is made\n", it.path));
    let held: Vec<String> = files.chain(criteria).collect();
    format!(
        "Task {} was begun, and is more than one: {why}. Plan the rest of it as smaller tasks. Change \
         nothing and do none of the work: look at what is there, and write the plan as one JSON \
         document, without anything around it, to `{PLAN_PATH}`.\n\nThe task, {}:\n\n{}\n\
         All of it together is done when this holds, which is checked with your tasks whatever their \
         own criteria say:\n{}",
        spec.id,
        spec.title,
        quoted.concat(),
        held.concat()
    )
}

/// What was planned in the place of a task that outgrew itself, with all that this one had to meet.
pub(super) fn held(
    run: &Run,
    (outgrown, plan): (TaskNo, TaskNo),
    mut parts: Parts,
    used: Amount,
) -> Result<Parts, Vec<String>> {
    let spec = &run.tasks[outgrown.index()].spec;
    let faults = faults(spec, &parts);
    if !faults.is_empty() {
        return Err(faults);
    }
    for part in &mut parts.tasks {
        part.agent.clone_from(&spec.agent);
        part.agents_else.clone_from(&spec.agents_else);
        part.env.clone_from(&spec.env);
        part.timeout_ms = spec.timeout_ms;
        part.retries = spec.retries;
        part.workspace = spec.workspace;
        // What its parts find out informs those that it was done for.
        if spec.kind == TaskKind::Research {
            part.kind = TaskKind::Research;
        }
        part.domain = part.domain.take().or_else(|| spec.domain.clone());
        part.function = part.function.take().or_else(|| spec.function.clone());
        if part.scope.is_empty() {
            part.scope.clone_from(&spec.scope);
        }
        for input in paths(spec) {
            if !part.inputs.contains(&input) {
                part.inputs.push(input);
            }
        }
    }
    promises::hold(&spec.criteria, &mut parts);
    let task = &run.tasks[plan.index()];
    let before = spending::used(&run.settings, task);
    let budget = permitted(task.spec.budget, before, used, parts.tasks.len() as u64);
    let shared = share_out(budget, used, &mut parts.tasks);
    shared.map_err(|bound| vec![format!("its budget of {bound} leaves too little for them")])?;
    Ok(parts)
}

/// What its parts may share. Where all of a budget was used up `before` the last attempt, a person has
/// permitted more since, and how much, the ledger alone knows: then it is what the plan permitted once
/// more, and at least what is of use to each. Otherwise that person could retry for ever in vain.
fn permitted(budget: Budget, before: Amount, used: Amount, many: u64) -> Budget {
    let permitted = |bound: Bound| {
        let measure = bound.measure();
        if before.of(measure) < bound.much() {
            return bound;
        }
        let useful = measure.useful_min().unwrap_or(1).max(1);
        let again = bound.much().max(useful.saturating_mul(many));
        Bound::of(measure, used.of(measure).saturating_add(again))
    };
    let bounds = budget.bounds().map(permitted);
    bounds.fold(Budget::default(), Budget::with)
}

fn faults(spec: &TaskSpec, parts: &Parts) -> Vec<String> {
    let mut faults = Vec::new();
    if parts.tasks.len() < 2 {
        faults.push("one task is what it was: at least two take its place".to_owned());
    }
    for (at, part) in parts.tasks.iter().enumerate() {
        let mut fault = |cause: &str| {
            faults.push(format!("part {}, {}: {cause}", at + 1, part.id));
        };
        let is_work = matches!(part.kind, TaskKind::Work | TaskKind::Research);
        if part.work != Work::Handoff || !is_work {
            fault("it is not work in words, which is all that may take this task's place");
        }
        for criterion in &part.criteria {
            let runs = matches!(criterion, Criterion::Command { .. });
            if runs && !spec.criteria.contains(criterion) {
                fault(&format!(
                    "it is checked by a program that the task was not: {criterion}"
                ));
            }
        }
        if part.budget.is_bounded() {
            fault("it has a `budget`: what is left of the task's is shared out");
        }
        if part.candidates.is_some() {
            fault("it has `candidates`: what is done several times, its owner says");
        }
    }
    for file in &spec.deliverables {
        if !{ parts.tasks.iter() }.any(|part| part.deliverables.contains(file)) {
            faults.push(format!("no part has {} among its deliverables", file.path));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_permitted_beyond_the_plan_is_shared_out_too() {
        let budget = Budget::default().with(Bound::Tokens(10_000));
        let tokens = |tokens| Amount {
            tokens,
            ..Amount::default()
        };
        // Overshot by its last attempt, it is used up.
        assert_eq!(permitted(budget, tokens(8_000), tokens(12_000), 2), budget);
        // An attempt began although nothing was left: somebody had permitted more.
        let more = Budget::default().with(Bound::Tokens(30_000));
        assert_eq!(permitted(budget, tokens(12_000), tokens(20_000), 2), more);
    }
}
