//! Another plan in the place of one that nobody approved yet.
//!
//! Until its owner approves it, a plan has begun nothing: its tasks had no attempt, and whatever was
//! said about them was said about that plan. So the tasks are replaced whole, with their numbers,
//! and nothing has to be stopped. The one task that may have had attempts is the one that planned
//! the others: it stays, with all its attempts, and the new tasks stand in its place.
//!
//! Its owner may also refuse what a task planned. Then the attempt that planned it failed after all,
//! like one whose plan cannot be run, and policy says what becomes of the task.

use std::sync::Arc;

use super::apply::go_on;
use super::attempt::{AttemptEnd, Failure};
use super::command::Rejection;
use super::decide::Draft;
use super::event::{Event, Then};
use super::remedy;
use super::state::Run;
use super::task::{Task, TaskState};
use crate::ids::TaskNo;
use crate::plan::{Plan, TASKS_MAX, TaskKind, TaskSpec, WorkspaceKind, count};

impl Draft<'_> {
    pub(super) fn replace(&mut self, plan: Arc<Plan>) -> Result<(), Rejection> {
        let kept = usize::from(self.run.planner().is_some());
        if self.run.is_in_force(kept) {
            return Err(Rejection::PlanInForce);
        }
        let faults = self.faults_of(&plan, kept);
        if !faults.is_empty() {
            let cause = faults.join("; ");
            return Err(Rejection::BadPlan { cause });
        }
        self.push(Event::PlanReplaced { plan });
        Ok(())
    }

    /// What a task planned is not what its owner wants.
    pub(super) fn refuse_whole_plan(&mut self, reason: String) -> Result<(), Rejection> {
        let Some(task) = self.run.planner() else {
            return Err(match self.run.approved {
                true => Rejection::PlanInForce,
                false => Rejection::NobodyPlanned,
            });
        };
        if self.run.is_in_force(1) {
            return Err(Rejection::PlanInForce);
        }
        let end = AttemptEnd::Refused(Failure::Person(reason.clone()));
        let then = remedy::choose(self.run, task, &end, &[], self.at).then;
        self.push(Event::PlanRefused { task, reason, then });
        Ok(())
    }

    fn faults_of(&self, plan: &Plan, kept: usize) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(found) = plan.graph() {
            faults.extend(found.iter().map(|fault| plan.words(fault)));
        }
        let all = kept + count(&plan.tasks);
        if all > TASKS_MAX {
            faults.push(format!(
                "the run would have {all} tasks, at most {TASKS_MAX} can be run"
            ));
        }
        let has_base = self.run.integration.head.is_some();
        for spec in &plan.tasks {
            if self.run.tasks()[..kept]
                .iter()
                .any(|task| task.spec.id == spec.id)
            {
                faults.push(format!(
                    "{}: the id is that of the task that planned it",
                    spec.id
                ));
            }
            if !has_base && spec.workspace != WorkspaceKind::Shared {
                faults.push(format!(
                    "{}: it makes files, but the run has no base for them",
                    spec.id
                ));
            }
        }
        faults
    }
}

impl Run {
    /// Whether something of its plan may have begun, but for the first so many tasks.
    fn is_in_force(&self, kept: usize) -> bool {
        self.approved || self.tasks[kept..].iter().any(|task| task.attempts() > 0)
    }

    /// Whether a task speaks for the whole when it plans others: the accepted plan has no other.
    #[must_use]
    pub fn plans_whole(&self, no: TaskNo) -> bool {
        let is_first = no == TaskNo(0) && self.tasks.len() == 1;
        is_first && self.tasks[0].spec.kind == TaskKind::Plan
    }

    /// The task that planned all others of the run, if one did.
    #[must_use]
    pub fn planner(&self) -> Option<TaskNo> {
        let first = self.tasks.first()?;
        let TaskState::Split(parts) = &first.state else {
            return None;
        };
        let part = self.task(*parts.first()?)?;
        let is_whole = first.spec.kind == TaskKind::Plan && parts[0] == TaskNo(1);
        (is_whole && part.nesting > first.nesting).then_some(TaskNo(0))
    }

    /// What there is to say about the plan that a task made of the whole, if that plan is there.
    #[must_use]
    pub fn advice(&self) -> &[String] {
        let planner = self.planner().map(|no| &self.tasks[no.index()]);
        let last = planner.and_then(|task| task.endings.last());
        last.map_or(&[], |ending| &ending.advice)
    }

    /// The same run, had it been created with this plan, or had its first task planned this one.
    pub(super) fn with_plan(&self, plan: &Arc<Plan>) -> Run {
        let Some(planner) = self.planner().map(|no| &self.tasks[no.index()]) else {
            return self.begun_anew(Arc::clone(plan));
        };
        let mut run = self.begun_anew(planning(planner, (**plan).clone()));
        run.criteria_accepted.clone_from(&self.criteria_accepted);
        run.stand_in_for(planner, plan, self.tasks[1].stage_context.as_deref());
        run.revision = self.revision + 1;
        run.changed = run.numbers().collect();
        run
    }

    /// The same run without what its first task planned.
    pub(super) fn without_planned(&self) -> Run {
        let planner = &self.tasks[0];
        let plan = Plan {
            title: self.title.clone(),
            criteria: self.criteria_accepted.clone(),
            preparation: (*self.preparation).clone(),
            roles: (*self.roles).clone(),
            ..Plan::default()
        };
        let mut run = self.begun_anew(planning(planner, plan));
        run.change(TaskNo(0), |task| take_past(task, planner));
        run
    }

    pub(super) fn apply_plan_refused(&mut self, reason: &str, then: &Then) {
        *self = self.without_planned();
        self.change(TaskNo(0), |task| {
            if let Some(last) = task.endings.last_mut() {
                last.end = AttemptEnd::Refused(Failure::Person(reason.to_owned()));
            }
            task.failures += 1;
            go_on(task, then);
        });
        // That it plans was approved before it first did.
        self.approved = true;
    }

    /// The same run as if it were created with this plan: its next revision.
    fn begun_anew(&self, plan: Arc<Plan>) -> Run {
        let created = Event::RunCreated {
            plan,
            settings: Box::new(self.settings.clone()),
            base: self.base.clone(),
            approved: false,
            intent: None,
        };
        let fresh = Run::from_created(self.id, self.created_at, &created);
        let mut run = fresh.expect("a plan that was decided on is sound");
        run.intent.clone_from(&self.intent);
        run.last_at = self.last_at;
        run.waited_ms = self.waited_ms;
        run.paused.clone_from(&self.paused);
        run.canceling = self.canceling;
        run.integration = self.integration.clone();
        run.permissions_asked = self.permissions_asked;
        run.rules.clone_from(&self.rules);
        run.revision = self.revision + 1;
        run.changed = run.numbers().collect();
        run
    }

    /// Puts the plan's tasks in the place of the first one, which is that planner with its past.
    fn stand_in_for(&mut self, planner: &Task, plan: &Plan, stage_context: Option<&str>) {
        take_past(&mut self.tasks[0], planner);
        // That was about the plan that is gone.
        if let Some(last) = self.tasks[0].endings.last_mut() {
            last.advice = Vec::new();
        }
        let context = stage_context.unwrap_or_default();
        let parts = self.place(TaskNo(0), (&plan.tasks, &plan.stages), context, true);
        self.derive();
        for part in parts {
            if self.tasks[part.index()].unmet == 0 {
                self.release(part);
            }
        }
    }
}

/// A plan with no other task than this one.
fn planning(planner: &Task, plan: Plan) -> Arc<Plan> {
    let spec: &TaskSpec = &planner.spec;
    Arc::new(Plan {
        tasks: vec![spec.clone()],
        stages: Vec::new(),
        ..plan
    })
}

/// All that an earlier form of the same task went through.
fn take_past(task: &mut Task, planner: &Task) {
    task.endings.clone_from(&planner.endings);
    task.failures = planner.failures;
    task.losses = planner.losses;
    task.limits = planner.limits;
    task.used_up = planner.used_up;
    task.conflicts = planner.conflicts;
    task.reassigned.clone_from(&planner.reassigned);
    task.answers.clone_from(&planner.answers);
}
