//! A graph of the shape of a workflow's trace, run for real and killed three times on the way.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::run::{RunStatus, TaskStatus};
use serde_json::{Value, json};

use crate::outcome::{FIRST, assert_sound, finish, go_on, integrations, view};
use crate::random::Dice;
use crate::stage::{Stage, until};

/// Tasks of each level: wide and narrow ones take turns, as in traces of real workflows.
const WIDTHS: [u64; 12] = [1, 24, 2, 48, 6, 1, 40, 40, 12, 30, 5, 1];

/// The longest task of a trace sleeps so long, and the others in proportion.
const LONGEST_MS: f64 = 300.0;

/// A task of a graph: its name, what it waits for, and for how long it sleeps.
struct Sleeps {
    name: String,
    waits: BTreeSet<String>,
    ms: u64,
}

/// A graph of levels; each task waits for up to three of the level before, and sleeps a little.
fn generated() -> Vec<Sleeps> {
    let mut dice = Dice(42);
    let mut tasks = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for (level, width) in WIDTHS.into_iter().enumerate() {
        let names: Vec<String> = (0..width).map(|at| format!("t{level}-{at}")).collect();
        for name in &names {
            let many = (above.len() as u64).min(1 + dice.roll(3));
            let waits = (0..many)
                .map(|_| above[dice.roll(above.len() as u64) as usize].clone())
                .collect();
            tasks.push(Sleeps {
                name: name.clone(),
                waits,
                ms: 10 + dice.roll(60),
            });
        }
        above = names;
    }
    tasks
}

/// The graph of a workflow's trace in WfFormat 1.5. Its ids may hold what a task's id may not.
fn traced(path: &str) -> Vec<Sleeps> {
    let text = std::fs::read_to_string(path).expect("the trace is there");
    let trace: Value = serde_json::from_str(&text).expect("the trace is JSON");
    let list = |part: &str| {
        let tasks = &trace["workflow"][part]["tasks"];
        tasks.as_array().expect("it has tasks").clone()
    };
    let id = |task: &Value| task["id"].as_str().expect("a task has an id").to_owned();
    let took = |task: &Value| task["runtimeInSeconds"].as_f64().unwrap_or(0.0);
    let execution = list("execution");
    let longest = execution.iter().map(took).fold(f64::MIN_POSITIVE, f64::max);
    let took: BTreeMap<String, f64> = execution.iter().map(|it| (id(it), took(it))).collect();
    let tasks = list("specification");
    let numbers: BTreeMap<String, usize> = tasks.iter().map(id).zip(0..).collect();
    let mut waits = vec![BTreeSet::new(); tasks.len()];
    for (no, task) in tasks.iter().enumerate() {
        let of = |key: &str| {
            let ids = task[key].as_array().cloned().unwrap_or_default();
            let known = |id: Value| numbers.get(id.as_str()?).copied();
            ids.into_iter().filter_map(known).collect::<Vec<usize>>()
        };
        waits[no].extend(of("parents").iter().map(|on| format!("t{on}")));
        for child in of("children") {
            waits[child].insert(format!("t{no}"));
        }
    }
    let sleeps = |(no, (task, waits)): (usize, (&Value, BTreeSet<String>))| Sleeps {
        name: format!("t{no}"),
        waits,
        ms: (took.get(&id(task)).unwrap_or(&0.0) / longest * LONGEST_MS) as u64,
    };
    tasks.iter().zip(waits).enumerate().map(sleeps).collect()
}

/// The plan of a graph.
fn plan(tasks: &[Sleeps]) -> String {
    let subtasks = tasks.iter().map(|task| {
        let Sleeps { name, waits, ms } = task;
        json!({
            "subtask_id": name, "workspace": "shared", "dependencies": waits,
            "script": format!("echo {name} $DIVISI_JOB >> SIDE; sleep 0.{ms:03}"),
            "estimated_seconds": *ms as f64 / 1000.0,
        })
    });
    let subtasks: Vec<Value> = subtasks.collect();
    json!({"task_title": "A trace", "subtasks": subtasks}).to_string()
}

/// How many tasks are done.
fn done(stage: &Stage) -> u64 {
    let Some(view) = view(stage) else { return 0 };
    let counts = view.task_counts(FIRST).unwrap_or_default();
    let of_done = counts.iter().find(|(status, _)| status == "done");
    of_done.map_or(0, |(_, count)| *count)
}

/// `DIVISI_CRASH_TRACE=FILE` plays the trace in a file instead of the generated graph.
#[test]
fn a_graph_of_two_hundred_tasks_killed_three_times_ends_once() {
    let stage = Stage::new();
    let (tasks, least) = match std::env::var("DIVISI_CRASH_TRACE") {
        Ok(path) => (traced(&path), 5),
        Err(_) => (generated(), 200),
    };
    let many = tasks.len();
    assert!(many > least, "{many}");
    let plan = stage.write_plan("trace.json", &plan(&tasks));
    for (kill, fifths) in [1, 2, 3].into_iter().enumerate() {
        let process = go_on(&stage, &plan, None).expect("it has not ended");
        until("progress", || done(&stage) >= many as u64 * fifths / 5);
        match kill {
            // Its attempts live on and are adopted.
            0 => drop(process.kill()),
            1 => {
                process.kill();
                stage.kill_supervisor();
            }
            // The engine finds what was lost, and goes on.
            _ => {
                stage.kill_supervisor();
                process.end().assert_code(0);
            }
        }
    }
    finish(&stage, &plan);
    stage.assert_no_process_left();
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.tasks().len(), many);
    let every = |task: &divisi_core::run::Task| task.status() == TaskStatus::Done;
    assert!(run.tasks().iter().all(every));
    let integrated = integrations(&stage, FIRST);
    assert_eq!(integrated.len(), many);
    let counts = stage.counts();
    let once: BTreeSet<&String> = counts.iter().collect();
    assert_eq!(once.len(), counts.len(), "an attempt was started twice");
    for (no, attempt) in integrated {
        let id = &run.tasks()[no as usize].spec.id;
        let line = format!("{id} 1/{no}.{}", attempt.number);
        assert!(once.contains(&line), "{line}");
    }
    stage.assert_untouched();
}
