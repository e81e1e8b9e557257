//! Tasks that take a task's place: the parts of a split task, and what a plan task planned.
//!
//! There is one road from a task to several. A person splits a task that has no live attempt; policy
//! divides one that keeps failing ([`super::division`]); a plan task's own attempt, once its checks
//! passed, names the tasks that are to stand in its place. All are looked at by the same rules and
//! become the same event. Parts that do not fit refuse the
//! command of a person, and the attempt of a plan task: an answer that cannot be used is a failure
//! like any other, with its reasons in the next handoff.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::apply::finish;
use super::attempt::{AttemptEnd, Failure, Phase, snapshot_of};
use super::command::Rejection;
use super::decide::Draft;
use super::division;
use super::event::Event;
use super::outgrown;
use super::promises;
use super::remedy;
use super::settings::Budget;
use super::spending;
use super::state::Run;
use super::task::{Task, TaskState};
use super::transition::StateName;
use crate::criterion::{Criterion, truncate};
use crate::ids::{AttemptId, Commit, TaskNo, Time};
use crate::ledger::{Amount, Bound};
use crate::plan::{
    Parts, Plan, STAGE_CONTEXT_BYTES_MAX, Stage, TASKS_MAX, TaskKind, TaskSpec, Work,
    WorkspaceKind, count,
};
use crate::receipt::{Receipt, Snapshot};

/// Plan tasks nest at most so deep: one that plans others that plan is enough for any workflow, and
/// a plan that plans itself must end.
pub const PLAN_NESTING_MAX: u32 = 2;

/// So many faults of a plan, or of a review, are kept, and so much advice about a plan; whoever mends
/// these sees the rest the next time.
const FAULTS_MAX: usize = 20;

/// The words of one of these, in bytes.
const FAULT_BYTES_MAX: usize = 1_000;

/// So many of the findings in what an agent wrote as are kept, cut.
pub(super) fn bounded(mut findings: Vec<String>) -> Vec<String> {
    let more = findings.len().saturating_sub(FAULTS_MAX);
    findings.truncate(FAULTS_MAX);
    for finding in &mut findings {
        truncate(finding, FAULT_BYTES_MAX);
    }
    if more > 0 {
        findings.push(format!("… and {more} more"));
    }
    findings
}

impl Draft<'_> {
    pub(super) fn split(
        &mut self,
        no: TaskNo,
        parts: Parts,
        reason: String,
    ) -> Result<(), Rejection> {
        let task = self.splittable(no)?;
        let bad = |cause: String| Err(Rejection::BadParts { cause });
        let depth_max = self.run.settings.sizes.split_depth_max;
        if task.depth >= depth_max {
            let id = &task.spec.id;
            return bad(format!("{id} already stands {depth_max} splits deep"));
        }
        if parts.tasks.len() < 2 {
            return bad("a split needs at least two parts".to_owned());
        }
        // What a part has no bound of its own for is shared out, and each candidate would have it.
        let multiplies = |it: &TaskSpec| {
            let mut bounds = task.spec.budget.bounds();
            let has_own = |of: Bound| it.budget.bounds().any(|own| own.measure() == of.measure());
            it.candidates.is_some() && bounds.any(|bound| !has_own(bound))
        };
        if parts.tasks.iter().any(multiplies) {
            return bad(
                "a part with `candidates`, of which each may use up as much as the other, \
                 needs a `budget` of its own where its task has one"
                    .to_owned(),
            );
        }
        let used = spending::used(&self.run.settings, task);
        let mut parts = match self.run.fitting(no, parts, task.nesting) {
            Ok(parts) => parts,
            Err(faults) => return bad(faults.join("; ")),
        };
        if let Err(bound) = share_out(task.spec.budget, used, &mut parts.tasks) {
            return bad(format!(
                "its budget of {bound} leaves too little for parts that name no `budget` of their \
                 own"
            ));
        }
        // What was to be planned promised a plan, and here is one.
        if task.spec.kind != TaskKind::Plan
            && let Err(lost) = promises::keep(&task.spec, &mut parts, self.run.has_base())
        {
            return bad(format!(
                "none of the parts that come last can keep what {} promises: {}; add one that does \
                 the rest of its work, or cancel the task if nobody wants that any more",
                task.spec.id,
                lost.join("; ")
            ));
        }
        self.take_place(no, parts, reason, None, Vec::new());
        Ok(())
    }

    /// A task that may be split as it stands.
    pub(super) fn splittable(&self, no: TaskNo) -> Result<&Task, Rejection> {
        let task = self.known(no)?;
        if task.reviews.is_some() {
            return self.not_now(
                no,
                "split",
                "judge what it reviews: `divisi approve`, `reject`",
            );
        }
        if !matches!(
            task.state_name(),
            StateName::Waiting | StateName::Ready | StateName::Escalated
        ) {
            return self.not_now(no, "split", before_split(task));
        }
        if task.candidate_of.is_some() || task.awaits_candidates() {
            let hint = "it is solved several times: cancel it, then retry and split it";
            return self.not_now(no, "split", hint);
        }
        Ok(task)
    }

    /// What a plan task's attempt planned was read.
    pub(super) fn on_expanded(
        &mut self,
        attempt: AttemptId,
        from: Option<Commit>,
        (parts, mut advice): (Parts, Vec<String>),
    ) -> Result<(), Rejection> {
        let nesting = self.verified_plan(attempt)?;
        let no = attempt.task;
        let outgrown = self.run.outgrew(no);
        let parts = match outgrown {
            None => Ok(parts),
            Some(outgrown) => {
                let used = remedy::used_with(self.run, no, &AttemptEnd::Expanded, &[]);
                outgrown::held(self.run, (outgrown, no), parts, used)
            }
        };
        match parts.and_then(|parts| self.run.fitting(no, parts, nesting + 1)) {
            Ok(parts) => {
                let receipt = Receipt::Expanded {
                    at: self.at,
                    from,
                    tasks: parts.tasks.len() as u32,
                };
                let reason = match &self.run.tasks()[no.index()].spec.work {
                    Work::Expand(expansion) => format!("by the rules of {}", expansion.stage),
                    _ => "as it was planned".to_owned(),
                };
                let planned = Some((attempt, receipt));
                if let Some(small) =
                    outgrown.and_then(|_| division::below_floor(self.run, &parts.tasks))
                {
                    advice.push(format!("its parts are together {small}"));
                }
                self.take_place(no, parts, reason, planned, bounded(advice));
            }
            Err(faults) => self.refuse_plan(attempt, faults, advice),
        }
        Ok(())
    }

    /// What it planned cannot be read.
    pub(super) fn on_expand_refused(
        &mut self,
        attempt: AttemptId,
        faults: Vec<String>,
        advice: Vec<String>,
    ) -> Result<(), Rejection> {
        self.verified_plan(attempt)?;
        self.refuse_plan(attempt, faults, advice);
        Ok(())
    }

    /// How many plan tasks stand above the one whose live attempt has passed its checks.
    fn verified_plan(&self, attempt: AttemptId) -> Result<u32, Rejection> {
        let verified = self.live(attempt)?.phase == Phase::Verified;
        let task = self.known(attempt.task)?;
        match verified && task.spec.kind == TaskKind::Plan {
            true => Ok(task.nesting),
            false => Self::superseded(attempt),
        }
    }

    fn refuse_plan(&mut self, attempt: AttemptId, faults: Vec<String>, advice: Vec<String>) {
        let end = AttemptEnd::Refused(Failure::Plan(bounded(faults)));
        self.end_with(attempt, end, Vec::new(), true, bounded(advice));
    }

    pub(super) fn take_place(
        &mut self,
        task: TaskNo,
        parts: Parts,
        reason: String,
        planned: Option<(AttemptId, Receipt)>,
        advice: Vec<String>,
    ) {
        self.push(Event::TaskSplit {
            task,
            parts: parts.tasks,
            stages: parts.stages,
            stage_context: parts.stage_context,
            criteria: parts.criteria,
            reason,
            planned,
            advice,
        });
    }
}

/// Smaller pieces of the same work have its role and agent, as far as they are work in words: a
/// program is run. What was planned has its own. Both are at least as urgent.
fn hand_down(from: &TaskSpec, parts: &mut [TaskSpec]) {
    for part in parts {
        if from.kind != TaskKind::Plan {
            part.domain = part.domain.take().or_else(|| from.domain.clone());
            part.function = part.function.take().or_else(|| from.function.clone());
            let inherits = part.agent.is_none() && part.work == Work::Handoff;
            if inherits {
                part.agent.clone_from(&from.agent);
            }
        }
        part.priority = part.priority.max(from.priority);
    }
}

/// Gives parts that name no budget of their own what is left of their task's, divided evenly.
pub(super) fn share_out(budget: Budget, used: Amount, parts: &mut [TaskSpec]) -> Result<(), Bound> {
    let open = |bound: &Bound| {
        let is_open = |part: &TaskSpec| part.budget.of(bound.measure()).is_none();
        parts.iter().any(is_open)
    };
    let bounds = budget.bounds().filter(open);
    let budget = bounds.fold(Budget::default(), Budget::with);
    let shares = division::shares(budget, used, parts.len() as u64)?;
    for (part, share) in parts.iter_mut().zip(shares) {
        part.budget = part.budget.or(share);
    }
    Ok(())
}

impl Run {
    /// Whether tasks can have files.
    fn has_base(&self) -> bool {
        self.integration.head.is_some()
    }

    /// Parts with what the task hands down to them, or all reasons why they cannot stand in its
    /// place. `nesting` says how many plan tasks would stand above them.
    pub(super) fn fitting(
        &self,
        no: TaskNo,
        parts: Parts,
        nesting: u32,
    ) -> Result<Parts, Vec<String>> {
        let mut faults = Vec::new();
        let all = self.tasks().len() + count(&parts.tasks);
        if all > TASKS_MAX {
            faults.push(format!(
                "the run would have {all} tasks, at most {TASKS_MAX} can be run"
            ));
        }
        if parts.stage_context.len() > STAGE_CONTEXT_BYTES_MAX {
            faults.push(format!(
                "the stage context has {} bytes, at most {STAGE_CONTEXT_BYTES_MAX} are handed on",
                parts.stage_context.len()
            ));
        }
        if !parts.criteria.is_empty() && !self.plans_whole(no) {
            faults.push("what takes one task's place has no criteria of the whole".to_owned());
        }
        let has_base = self.has_base();
        for (at, part) in parts.tasks.iter().enumerate() {
            let mut fault = |cause: &str| {
                faults.push(format!("part {}, {}: {cause}", at + 1, part.id));
            };
            if self.find(&part.id).is_some() {
                fault("the id is taken by another task of the run");
            }
            if !has_base && part.workspace != WorkspaceKind::Shared {
                fault("it makes files, but the run has no base for them");
            }
            if part.kind == TaskKind::Plan && nesting >= PLAN_NESTING_MAX {
                fault(&format!(
                    "it plans, but stands {PLAN_NESTING_MAX} plans deep already"
                ));
            }
        }
        let (stage_context, criteria) = (parts.stage_context, parts.criteria);
        let plan = Plan {
            tasks: parts.tasks,
            stages: parts.stages,
            ..Plan::default()
        };
        if let Err(found) = plan.graph() {
            faults.extend(found.iter().map(|fault| plan.words(fault)));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut parts = Parts {
            tasks: plan.tasks,
            stages: plan.stages,
            stage_context,
            criteria,
        };
        hand_down(&self.tasks()[no.index()].spec, &mut parts.tasks);
        Ok(parts)
    }

    pub(super) fn apply_split(
        &mut self,
        at: Time,
        split: TaskNo,
        planned: Option<(&(AttemptId, Receipt), &[String])>,
        event: &Event,
    ) {
        self.change(split, |task| {
            if let Some(((_, receipt), advice)) = planned {
                if let Some(live) = task.live_mut() {
                    live.receipts.push(receipt.clone());
                }
                finish(task, at, AttemptEnd::Expanded);
                if let Some(ending) = task.endings.last_mut() {
                    ending.advice = advice.to_vec();
                }
            }
            // Its parts are named once they are there.
            task.state = TaskState::Split(Vec::new());
        });
        let awaits = self.settings.approves_plans && planned.is_some() && self.plans_whole(split);
        let (first_task, first_join) = (self.tasks.len(), self.joins.len());
        let parts = self.restore_split(event);
        match planned {
            // A plan may have thousands of tasks that plan: each costs what it brings.
            Some(_) => self.derive_parts(split, first_task, first_join),
            None => self.derive(),
        }
        for &part in &parts {
            if self.tasks[part.index()].unmet == 0 {
                self.release(part);
            }
        }
        self.changed.insert(split);
        self.changed.extend(parts);
        if awaits {
            self.approved = false;
        }
    }

    /// What an event of the structure does to the graph, without the indexes.
    pub(super) fn restore_structure(&mut self, event: &Event) {
        match event {
            Event::PlanReplaced { plan } => *self = self.with_plan(plan),
            Event::PlanRefused { .. } => *self = self.without_planned(),
            Event::ReviewOpened { review, of } => {
                self.add_review(review, of);
            }
            other => {
                self.restore_split(other);
            }
        }
    }

    /// The graph's part of a split, without the indexes and without the attempt that planned it.
    /// Other events have none.
    pub(super) fn restore_split(&mut self, event: &Event) -> Vec<TaskNo> {
        let Event::TaskSplit {
            task: split,
            parts: specs,
            stages,
            stage_context,
            criteria,
            planned,
            ..
        } = event
        else {
            return Vec::new();
        };
        self.criteria.extend_from_slice(criteria);
        self.revision += 1;
        self.place(*split, (specs, stages), stage_context, planned.is_some())
    }

    /// Puts tasks in the place of one. All that are new, their candidates among them.
    pub(super) fn place(
        &mut self,
        split: TaskNo,
        (specs, stages): (&[TaskSpec], &[Stage]),
        stage_context: &str,
        planned: bool,
    ) -> Vec<TaskNo> {
        let first = self.tasks.len() as u32;
        let parts = self.add_parts(split, specs, stage_context, planned);
        let mut inner = BTreeSet::new();
        for (&part, spec) in parts.iter().zip(specs) {
            for dependency in spec.needs() {
                // Parts depend on each other alone, and have the numbers from the first one on.
                match self.index.get(dependency) {
                    Some(&on) if on.0 >= first => inner.insert((on, part)),
                    _ => false,
                };
            }
        }
        self.link_split(split, &parts, &inner);
        if !stages.is_empty() {
            let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
            self.link_barriers(first, &stage_of(specs, stages), &names);
        }
        self.add_candidates(first as usize);
        for (_, tasks) in &mut self.stages {
            if tasks.contains(&split) {
                tasks.extend_from_slice(&parts);
            }
        }
        self.tasks[split.index()].state = TaskState::Split(parts);
        (first..self.tasks.len() as u32).map(TaskNo).collect()
    }

    fn add_parts(
        &mut self,
        split: TaskNo,
        specs: &[TaskSpec],
        stage_context: &str,
        planned: bool,
    ) -> Vec<TaskNo> {
        let from = &self.tasks[split.index()];
        let depth = from.depth + u32::from(!planned);
        let nesting = from.nesting + u32::from(planned);
        let context = match stage_context {
            "" => from.stage_context.clone(),
            own => Some(Arc::from(own)),
        };
        let add = |spec: &TaskSpec| {
            let no = self.add_task(spec.clone());
            let part = &mut self.tasks[no.index()];
            part.replaces = Some(split);
            part.depth = depth;
            part.nesting = nesting;
            part.stage_context.clone_from(&context);
            no
        };
        specs.iter().map(add).collect()
    }
}

/// What the parts of a task that failed begin with: the work of it that was collected last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// That work.
    pub snapshot: Snapshot,
    /// Files that this part promises or is judged by.
    own: BTreeSet<String>,
    /// Those of the parts beside it.
    others: BTreeSet<String>,
    is_first: bool,
}

impl Beginning {
    /// Whether a part begins with this file of it: each with its own, the first one also with what is
    /// no part's.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.own.contains(path) || (self.is_first && !self.others.contains(path))
    }
}

/// What makes a task one that may be split.
fn before_split(task: &Task) -> &'static str {
    let given_up = "`divisi reject RUN TASK --reason WHY` gives this attempt up; split it then";
    match &task.state {
        _ if task.status().is_terminal() => "`divisi retry` has it done again",
        TaskState::Question(_) => "answer its agent first: `divisi answer RUN TASK TEXT`",
        TaskState::Approval => "`divisi approve` or `divisi reject` it",
        TaskState::Active(live) if live.awaits_submission() => given_up,
        TaskState::Active(live) if matches!(live.phase, Phase::Held { .. }) => given_up,
        _ => "it can be split before its attempt begins, and when it was given up",
    }
}

/// The files that a task promises or is judged by.
fn named_by(spec: &TaskSpec) -> impl Iterator<Item = &str> {
    let promised = spec.deliverables.iter().map(|it| it.path.as_str());
    promised.chain(spec.criteria.iter().filter_map(Criterion::file))
}

impl Run {
    /// What a task begins with that stands in the place of one that was split; `None` where nothing
    /// of that one is there.
    #[must_use]
    pub fn beginning(&self, no: TaskNo) -> Option<Beginning> {
        let part = &self.tasks[no.index()];
        let own: BTreeSet<String> = named_by(&part.spec).map(str::to_owned).collect();
        let (mut others, mut is_first) = (BTreeSet::new(), true);
        let mut at = self.candidate_of(no).unwrap_or(no);
        loop {
            let on = self.tasks[at.index()].replaces?;
            let split = &self.tasks[on.index()];
            let TaskState::Split(parts) = &split.state else {
                return None;
            };
            // What a plan task made is a plan; behind it may stand what is to be gone on with.
            let plans = split.spec.kind == TaskKind::Plan;
            if plans && self.outgrew(on).is_none() {
                return None;
            }
            is_first &= parts.first() == Some(&at);
            for beside in parts.iter().filter(|beside| **beside != at) {
                let spec = &self.tasks[beside.index()].spec;
                others.extend(named_by(spec).map(str::to_owned));
            }
            let mut made = { split.endings.iter().rev() }.map(|it| snapshot_of(&it.receipts));
            if let Some(snapshot) = made.find_map(|it| it.cloned()).filter(|_| !plans) {
                return Some(Beginning {
                    snapshot,
                    own,
                    others,
                    is_first,
                });
            }
            at = on;
        }
    }

    /// The tasks in whose place a task stands, the nearest first: each was split, or planned the one
    /// before.
    pub fn replaced(&self, no: TaskNo) -> impl Iterator<Item = TaskNo> + '_ {
        let above = |no: &TaskNo| self.tasks[no.index()].replaces;
        let no = self.candidate_of(no).unwrap_or(no);
        std::iter::successors(above(&no), above)
    }
}

/// Each part's stage, from 0; every part stands in exactly one.
pub(super) fn stage_of(specs: &[TaskSpec], stages: &[Stage]) -> Vec<u32> {
    let mut stage_of = HashMap::with_capacity(specs.len());
    for (at, stage) in stages.iter().enumerate() {
        stage_of.extend(stage.tasks.iter().map(|id| (id, at as u32)));
    }
    let of = |spec: &TaskSpec| stage_of.get(&spec.id).copied().unwrap_or(0);
    specs.iter().map(of).collect()
}
