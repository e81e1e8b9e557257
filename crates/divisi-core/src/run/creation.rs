//! A run as its first event makes it: tasks, links and stages of the plan as it was accepted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::event::Event;
use super::links::{Links, Node};
use super::settings::Settings;
use super::state::{Base, Counts, Final, Integration, Run};
use super::task::{Task, TaskState};
use crate::ids::{RunId, TaskNo, Time};
use crate::plan::{Plan, TaskSpec, WorkspaceKind};

impl Run {
    /// A run from its first event, which must be [`Event::RunCreated`] with a sound plan.
    #[must_use]
    pub fn from_created(id: RunId, at: Time, event: &Event) -> Option<Run> {
        let Event::RunCreated {
            plan,
            settings,
            base,
            approved,
            intent,
        } = event
        else {
            return None;
        };
        let graph = plan.graph().ok()?;
        let mut run = Run::empty(id, at, plan, settings, base, *approved);
        run.intent = intent.as_deref().map(|intent| Arc::new(intent.clone()));
        for spec in &plan.tasks {
            run.add_task(spec.clone());
        }
        for (task, dependencies) in graph.dependencies.iter().enumerate() {
            for &on in dependencies {
                run.connect(Node::Task(TaskNo(on)), Node::Task(TaskNo(task as u32)));
            }
        }
        if settings.barriers || !plan.stages.is_empty() {
            let names: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
            run.link_barriers(0, &graph.stage, &names);
        }
        run.add_candidates(0);
        let number = |task: &crate::ids::TaskId| run.index.get(task).copied();
        run.stages = plan
            .stages
            .iter()
            .map(|stage| {
                (
                    stage.name.clone(),
                    stage.tasks.iter().filter_map(number).collect(),
                )
            })
            .collect();
        run.derive();
        let roots: Vec<TaskNo> = run
            .numbers()
            .filter(|no| run.tasks[no.index()].unmet == 0)
            .collect();
        for no in roots {
            run.release(no);
        }
        run.changed.clear();
        Some(run)
    }

    fn empty(
        id: RunId,
        at: Time,
        plan: &Plan,
        settings: &Settings,
        base: &Base,
        approved: bool,
    ) -> Run {
        Run {
            id,
            title: plan.title.clone(),
            settings: settings.clone(),
            base: base.clone(),
            intent: None,
            criteria: plan.criteria.clone(),
            preparation: Arc::new(plan.preparation.clone()),
            roles: Arc::new(plan.roles.clone()),
            stages: Vec::new(),
            revision: 1,
            created_at: at,
            last_at: at,
            waited_ms: 0,
            approved,
            paused: None,
            canceling: false,
            ended: None,
            integration: Integration {
                head: base.commit.clone(),
                batch: settings.batch_max.max(1),
                ..Integration::default()
            },
            finally: Final::Open,
            permissions_asked: 0,
            rules: Vec::new(),
            criteria_accepted: plan.criteria.clone(),
            tasks: Vec::with_capacity(plan.tasks.len()),
            index: HashMap::with_capacity(plan.tasks.len()),
            joins: Vec::new(),
            counts: Counts::default(),
            classes: Vec::new(),
            class_index: BTreeMap::new(),
            delayed: BTreeSet::new(),
            owed: BTreeSet::new(),
            slots: 0,
            live: BTreeSet::new(),
            asking: BTreeSet::new(),
            open_reviews: BTreeSet::new(),
            awaiting: BTreeSet::new(),
            to_choose: BTreeSet::new(),
            candidates: Vec::new(),
            has_files: false,
            estimate_ms_mean: estimate_ms_mean(&plan.tasks),
            changed: BTreeSet::new(),
        }
    }

    /// Adds a task that stands in the plan as it was accepted.
    pub(super) fn add_task(&mut self, spec: TaskSpec) -> TaskNo {
        let no = TaskNo(self.tasks.len() as u32);
        self.index.insert(spec.id.clone(), no);
        self.has_files |= spec.workspace != WorkspaceKind::Shared;
        self.tasks.push(Task {
            spec: Arc::new(spec),
            state: TaskState::Waiting,
            endings: Vec::new(),
            failures: 0,
            losses: 0,
            limits: 0,
            used_up: 0,
            conflicts: 0,
            reassigned: None,
            answers: Vec::new(),
            unheld: Vec::new(),
            replaces: None,
            reviews: None,
            candidate_of: None,
            names_agent: false,
            chosen: None,
            depth: 0,
            nesting: 0,
            stage_context: None,
            rank_ms: 0,
            links: Links::default(),
            unmet: 0,
            class: 0,
        });
        no
    }
}

/// Partial estimates do not make estimated tasks look longer than all others.
fn estimate_ms_mean(tasks: &[TaskSpec]) -> u64 {
    let estimates = tasks.iter().filter_map(|task| task.estimate.duration_ms);
    let (sum, count) = estimates.fold((0u128, 0u128), |(sum, count), ms| {
        (sum + u128::from(ms), count + 1)
    });
    match count {
        0 => 60_000,
        _ => u64::try_from(sum / count).unwrap_or(u64::MAX),
    }
}
