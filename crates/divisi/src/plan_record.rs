//! A run's plan with its progress, in the form in which orchestrators keep plans as files.
//!
//! The plan is the one that is in force: in the place of a task that was split, or that planned
//! others, stand those others, and what waited for it waits for them.

use std::collections::{BTreeMap, HashSet};

use divisi_agents::handoff::created_at;
use divisi_core::plan::Input;
use divisi_core::run::explain::{Shared, explain};
use divisi_core::run::{AttemptEnd, Ending, Run, RunStatus, Task, TaskState, TaskStatus};
use divisi_core::{Plan, TaskId, TaskNo, Time};
use divisi_pack::estimate::Estimate;
use divisi_pack::plan_file::{Progress, Record, ResourceEstimate, TaskRecord, write_with};

/// The file's text.
pub(crate) fn text(run: &Run, now: Time) -> String {
    let plan = in_force(run);
    let record = record(run, &plan, now);
    write_with(&plan, &record)
}

/// The plan without tasks that others replaced.
pub(crate) fn in_force(run: &Run) -> Plan {
    let mut plan = run.plan();
    let mut waits: BTreeMap<TaskId, Vec<TaskId>> = BTreeMap::new();
    for task in run.tasks() {
        if let TaskState::Split(parts) = &task.state {
            for part in parts {
                let of_part = waits.entry(id(run, *part)).or_default();
                of_part.extend(task.spec.dependencies.iter().cloned());
            }
        }
    }
    plan.tasks.retain(|task| !is_replaced(run, &task.id));
    for task in &mut plan.tasks {
        // A part waits for what the task waited for that it is a part of.
        let mut on = std::mem::take(&mut task.dependencies);
        on.extend(waits.get(&task.id).into_iter().flatten().cloned());
        task.dependencies = standing(run, &on);
        task.dependencies.retain(|on| *on != task.id);
        let inputs = std::mem::take(&mut task.inputs);
        task.inputs = inputs
            .into_iter()
            .flat_map(|input| match input {
                Input::Task(on) => {
                    let on = standing(run, &[on]);
                    on.into_iter().map(Input::Task).collect()
                }
                path => vec![path],
            })
            .collect();
    }
    for stage in &mut plan.stages {
        stage.tasks = standing(run, &stage.tasks);
    }
    plan.stages.retain(|stage| !stage.tasks.is_empty());
    plan
}

fn id(run: &Run, no: TaskNo) -> TaskId {
    run.tasks()[no.index()].spec.id.clone()
}

fn parts<'r>(run: &'r Run, id: &TaskId) -> Option<&'r [TaskNo]> {
    let task = run.task(run.find(id)?)?;
    match &task.state {
        TaskState::Split(parts) => Some(parts),
        _ => None,
    }
}

fn is_replaced(run: &Run, id: &TaskId) -> bool {
    parts(run, id).is_some()
}

/// The tasks that stand where these were, each once, in their order.
fn standing(run: &Run, ids: &[TaskId]) -> Vec<TaskId> {
    let mut found: Vec<TaskId> = Vec::with_capacity(ids.len());
    let mut seen: HashSet<TaskId> = HashSet::with_capacity(ids.len());
    let mut left: Vec<TaskId> = ids.iter().rev().cloned().collect();
    while let Some(next) = left.pop() {
        match parts(run, &next) {
            Some(parts) => left.extend(parts.iter().rev().map(|no| id(run, *no))),
            None if !seen.insert(next.clone()) => {}
            None => found.push(next),
        }
    }
    found
}

fn record(run: &Run, plan: &Plan, now: Time) -> Record {
    let made_at = created_at(run.created_at);
    let tasks = run.tasks().iter();
    // Reviews and candidates are no part of the plan.
    let stands = |task: &&Task| task.is_planned() && !matches!(task.state, TaskState::Split(_));
    let tasks = tasks.filter(stands);
    let mut record = Record {
        orchestration_id: Some(run.id.to_string()),
        created_at: Some(made_at.clone()),
        status: Some(run_word(run.status()).to_owned()),
        resource_estimate: Some(estimate(plan)),
        progress: Some(progress(run, plan)),
        subtasks: tasks.clone().map(|task| of_task(task, &made_at)).collect(),
        ..Record::default()
    };
    let blocked = tasks
        .clone()
        .find(|task| task.status() == TaskStatus::Blocked);
    if let Some(task) = blocked.filter(|_| run.status() == RunStatus::Blocked) {
        let task_id = &task.spec.id;
        let no = run.find(task_id);
        let told = no.and_then(|no| explain(run, no, now, &Shared::default()));
        record.orchestration_status = Some("blocked".to_owned());
        record.blocking_subtask = Some(task_id.to_string());
        record.failure_reason = told.map(|told| told.causes.join("; "));
        record.escalation = Some(format!(
            "a person decides: divisi explain {} {task_id}",
            run.id
        ));
    }
    record
}

fn estimate(plan: &Plan) -> ResourceEstimate {
    let estimate = Estimate::of(plan, None);
    ResourceEstimate {
        total_subtasks: Some(estimate.tasks as u64),
        duration_estimate: Some(estimate.duration()),
        token_estimate: Some(estimate.tokens),
        workers: Some(estimate.workers as u64),
        masters: Some(estimate.domains),
        ..ResourceEstimate::default()
    }
}

fn progress(run: &Run, plan: &Plan) -> Progress {
    let of = |is: &dyn Fn(&Task) -> bool| {
        let tasks = run.tasks().iter().filter(|task| task.is_planned());
        let tasks = tasks.filter(|task| is(task));
        Some(tasks.map(|task| task.spec.id.to_string()).collect())
    };
    let is_active = |task: &Task| {
        matches!(
            task.status(),
            TaskStatus::Running | TaskStatus::Verifying | TaskStatus::Integrating
        )
    };
    Progress {
        current_stage: current_stage(run, plan),
        completed_subtasks: of(&|task| task.status() == TaskStatus::Done),
        active_subtasks: of(&is_active),
        failed_subtasks: of(&|task| task_word(task.status()) == "failed"),
        zombie_subtasks: of(&|task| task.live().is_some_and(|live| live.suspected.is_some())),
    }
}

/// The lowest stage with an unfinished task, from 1; the last one where all are finished. Without
/// authored stages they are the levels of the plan.
fn current_stage(run: &Run, plan: &Plan) -> Option<u64> {
    let graph = plan.graph().ok()?;
    let is_open = |id: &TaskId| {
        let task = run.find(id).and_then(|no| run.task(no));
        task.is_some_and(|task| !task.status().is_terminal())
    };
    let stages = || plan.tasks.iter().zip(&graph.stage);
    let open = stages()
        .filter(|(task, _)| is_open(&task.id))
        .map(|(_, stage)| *stage)
        .min();
    let last = stages().map(|(_, stage)| *stage).max();
    open.or(last).map(|stage| u64::from(stage) + 1)
}

fn of_task(task: &Task, made_at: &str) -> TaskRecord {
    let mut record = TaskRecord {
        subtask_id: task.spec.id.to_string(),
        status: Some(task_word(task.status()).to_owned()),
        created_at: Some(made_at.to_owned()),
        ..TaskRecord::default()
    };
    let retries = task.attempts().saturating_sub(1);
    if retries > 0 {
        // Of the attempt before the one that is live or integrated.
        let is_before = |ending: &&Ending| ending.end != AttemptEnd::Integrated;
        let before = task.endings.iter().rev().find(is_before);
        record.retry_count = Some(u64::from(retries));
        record.retry_reason = before.map(Ending::words);
        let told = task
            .answers
            .iter()
            .rev()
            .find(|told| told.question.is_none());
        let reassigned = task
            .reassigned
            .as_ref()
            .map(|agent| format!("reassigned to {agent}"));
        record.retry_modifications = reassigned.or(told.map(|told| told.text.clone()));
    }
    record
}

/// The word that such files have for a task's status.
fn task_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Waiting | TaskStatus::Ready => "pending",
        TaskStatus::Running | TaskStatus::Verifying | TaskStatus::Integrating => "in_progress",
        TaskStatus::Blocked => "blocked",
        TaskStatus::Done | TaskStatus::Split => "completed",
        TaskStatus::Failed | TaskStatus::Canceled | TaskStatus::Skipped => "failed",
    }
}

/// The word that such files have for a run's status.
fn run_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::AwaitingApproval => "planning",
        RunStatus::Running => "in_progress",
        RunStatus::Blocked => "blocked",
        RunStatus::Succeeded => "completed",
        RunStatus::Failed | RunStatus::Canceled => "failed",
    }
}

#[cfg(test)]
mod tests {
    use divisi_core::plan::{Input, Parts};
    use divisi_core::run::Command;
    use divisi_pack::plan_file;
    use serde_json::{Value, json};

    use super::*;
    use crate::given::{Given, id, plan, task};
    use crate::scenes;

    fn document(given: &Given) -> Value {
        let text = text(&given.run(), given.now());
        let read = plan_file::read("plan.json", text.as_bytes());
        assert!(read.plan.is_some(), "{text}\n{:#?}", read.diagnostics);
        serde_json::from_str(&text).unwrap()
    }

    fn tasks<'d>(document: &'d Value, key: &str) -> Vec<(&'d str, &'d Value)> {
        let tasks = document["subtasks"].as_array().unwrap().iter();
        tasks
            .map(|task| (task["subtask_id"].as_str().unwrap(), &task[key]))
            .collect()
    }

    #[test]
    fn a_run_tells_its_progress_in_the_words_of_plan_files() {
        let document = document(&scenes::busy());
        assert_eq!(document["orchestration_id"], "run-1");
        assert_eq!(document["created_at"], "2023-11-14T22:13:20Z");
        assert_eq!(document["status"], "in_progress");
        assert_eq!(
            tasks(&document, "status"),
            [
                ("build", &json!("blocked")),
                ("deploy", &json!("pending")),
                ("lint", &json!("completed")),
                ("consent", &json!("blocked")),
                ("draft", &json!("blocked")),
                ("scan", &json!("in_progress")),
                ("paint", &json!("in_progress")),
            ]
        );
        assert_eq!(
            document["progress"],
            json!({
                "current_stage": 1,
                "completed_subtasks": ["lint"],
                "active_subtasks": ["scan", "paint"],
                "failed_subtasks": [],
                "zombie_subtasks": ["scan"],
            })
        );
        let build = &document["subtasks"][0];
        assert_eq!(build["retry_count"], 2);
        let reason = build["retry_reason"].as_str().unwrap();
        assert!(reason.contains("exit status 3"), "{reason}");
        assert_eq!(document["resource_estimate"]["total_subtasks"], 7);
    }

    #[test]
    fn a_blocked_run_names_what_blocks_it_and_who_is_asked() {
        let mut given = Given::run_of(plan(
            "Ship it",
            vec![task("build", &[]), task("ship", &["build"])],
        ));
        given.ends("build", 3).ends("build", 3).ends("build", 3);
        let document = document(&given);
        assert_eq!(document["orchestration_status"], "blocked");
        assert_eq!(document["blocking_subtask"], "build");
        assert_eq!(
            document["escalation"],
            "a person decides: divisi explain run-1 build"
        );
        let reason = document["failure_reason"].as_str().unwrap();
        assert!(reason.contains("3"), "{reason}");
    }

    #[test]
    fn parts_stand_where_their_task_stood() {
        let mut ship = task("ship", &["build"]);
        ship.inputs = vec![Input::Task(id("build"))];
        let all = vec![task("design", &[]), task("build", &["design"]), ship];
        let mut given = Given::run_of(plan("Ship it", all));
        given
            .ends("design", 0)
            .ends("build", 3)
            .ends("build", 3)
            .ends("build", 3);
        let run = given.run();
        let build = run.find(&id("build")).unwrap();
        given.ask(Command::Split {
            task: build,
            parts: Parts {
                tasks: vec![task("backend", &[]), task("frontend", &["backend"])],
                ..Parts::default()
            },
            reason: "too much at once".to_owned(),
        });
        let document = document(&given);
        assert_eq!(
            tasks(&document, "dependencies"),
            [
                ("design", &json!([])),
                ("ship", &json!(["backend", "frontend"])),
                ("backend", &json!(["design"])),
                ("frontend", &json!(["backend", "design"])),
            ]
        );
        assert_eq!(
            document["subtasks"][1]["inputs"],
            json!(["backend", "frontend"])
        );
        assert_eq!(document["progress"]["current_stage"], 2);
    }
}
