//! A graph of the shape of a workflow's trace, run for real and killed three times on the way.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use divisi_core::run::{RunStatus, TaskStatus};

use crate::outcome::{FIRST, assert_sound, finish, go_on, integrations, view};
use crate::random::Dice;
use crate::stage::{Stage, until};

/// Tasks of each level: wide and narrow ones take turns, as in traces of real workflows.
const WIDTHS: [u64; 12] = [1, 24, 2, 48, 6, 1, 40, 40, 12, 30, 5, 1];

/// A plan of these levels; each task waits for up to three of the level before, and sleeps a little.
fn plan() -> (String, usize) {
    let mut dice = Dice(42);
    let mut tasks = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for (level, width) in WIDTHS.into_iter().enumerate() {
        let names: Vec<String> = (0..width).map(|at| format!("t{level}-{at}")).collect();
        for name in &names {
            let many = (above.len() as u64).min(1 + dice.roll(3));
            let waits: BTreeSet<&String> = (0..many)
                .map(|_| &above[dice.roll(above.len() as u64) as usize])
                .collect();
            let ms = 10 + dice.roll(60);
            let waits = serde_json::to_string(&waits).unwrap();
            let mut task = String::new();
            write!(
                task,
                r#"{{"subtask_id": "{name}", "workspace": "shared", "dependencies": {waits},
                "script": "echo {name} $DIVISI_JOB >> SIDE; sleep 0.0{ms}", "estimated_seconds": 0.0{ms}}}"#
            )
            .unwrap();
            tasks.push(task);
        }
        above = names;
    }
    let text = format!(
        r#"{{"task_title": "A trace", "subtasks": [{}]}}"#,
        tasks.join(",\n")
    );
    (text, tasks.len())
}

/// How many tasks are done.
fn done(stage: &Stage) -> u64 {
    let Some(view) = view(stage) else { return 0 };
    let counts = view.task_counts(FIRST).unwrap_or_default();
    let of_done = counts.iter().find(|(status, _)| status == "done");
    of_done.map_or(0, |(_, count)| *count)
}

#[test]
fn a_graph_of_two_hundred_tasks_killed_three_times_ends_once() {
    let stage = Stage::new();
    let (text, many) = plan();
    assert!(many > 200, "{many}");
    let plan = stage.write_plan("trace.json", &text);
    for (kill, at) in [40, 90, 150].into_iter().enumerate() {
        let process = go_on(&stage, &plan, None).expect("it has not ended");
        until("progress", || done(&stage) >= at);
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
