use std::fmt::Write as _;

use super::super::{read, read_parts};
use super::plan;
use crate::faults::DIAGNOSTICS_MAX;

const TASKS: usize = 100_000;
const EDGES_EACH: usize = 20;

fn large(edges_each: usize, dependency: impl Fn(usize, usize) -> usize) -> String {
    let mut text = String::from("{\"task_title\": \"t\", \"subtasks\": [\n");
    for task in 0..TASKS {
        let comma = if task == 0 { "" } else { ",\n" };
        write!(
            text,
            "{comma}{{\"subtask_id\": \"t{task}\", \"command\": [\"true\"], \"dependencies\": ["
        )
        .unwrap();
        for edge in 0..edges_each.min(task) {
            let comma = if edge == 0 { "" } else { "," };
            write!(text, "{comma}\"t{}\"", dependency(task, edge)).unwrap();
        }
        text.push_str("]}");
    }
    text.push_str("]}");
    text
}

#[test]
fn a_hundred_thousand_tasks_with_two_million_edges_are_read() {
    let plan = plan(&large(EDGES_EACH, |task, edge| task - 1 - edge));
    assert_eq!(plan.tasks.len(), TASKS);
    let edges: usize = plan.tasks.iter().map(|task| task.dependencies.len()).sum();
    assert_eq!(edges, TASKS * EDGES_EACH - 210);
}

#[test]
fn hundreds_of_thousands_of_faults_are_counted_and_the_first_ones_shown() {
    let read = read("p", large(3, |_, edge| TASKS + edge).as_bytes());
    assert_eq!(read.plan, None);
    assert_eq!(read.diagnostics.len(), DIAGNOSTICS_MAX + 1);
    assert!(
        read.diagnostics[..100]
            .iter()
            .all(|d| d.code == "plan-unknown-id")
    );
    let hidden = TASKS * 3 - 6 - DIAGNOSTICS_MAX;
    let last = read.diagnostics.last().unwrap();
    assert_eq!(
        last.to_string(),
        format!("[text-more] {hidden} more errors")
    );
}

#[test]
fn a_cycle_through_every_task_names_only_its_beginning() {
    let text = large(1, |task, _| match task {
        1 => TASKS - 1,
        _ => task - 1,
    });
    let read = read("p", text.as_bytes());
    assert_eq!(
        read.diagnostics[0].to_string(),
        "[plan-cycle] p:3:60: tasks wait for each other: \
         t1 → t99999 → t99998 → t99997 → t99996 → t99995 → t99994 → t99993 → (99991 more) → t1"
    );
}

#[test]
fn a_plan_beyond_all_measure_is_refused_by_its_count() {
    let subtasks: Vec<String> = (0..=divisi_core::plan::TASKS_MAX)
        .map(|n| format!("{{\"subtask_id\":\"t{n}\",\"command\":[\"true\"]}}"))
        .collect();
    let read = read_parts("p", format!("[{}]", subtasks.join(",")).as_bytes());
    assert_eq!(
        read.diagnostics[0].to_string(),
        "[text-too-large] p:1:1: there are 200001 tasks, at most 200000 can be run"
    );
}

#[test]
fn warnings_do_not_crowd_out_errors() {
    let subtasks: Vec<String> = (0..500)
        .map(|n| format!("{{\"subtask_id\": \"a{n}\"}}"))
        .collect();
    let text = format!("[{}, {{\"subtask_id\": 7}}]", subtasks.join(","));
    let parts = read_parts("p", text.as_bytes());
    assert_eq!(parts.parts, None);
    let of = |code: &str| parts.diagnostics.iter().filter(|d| d.code == code).count();
    assert_eq!(of("plan-unfalsifiable"), DIAGNOSTICS_MAX);
    assert_eq!(of("text-type"), 1);
    assert_eq!(of("text-more"), 1);
}

#[test]
fn one_giant_name_is_not_repeated_in_full() {
    let name = "x".repeat(1_000_000);
    let text = format!(
        "{{\"task_title\": \"t\", \"{name}\": 1, \"subtasks\": [{{\"subtask_id\": \"{name}\"}}]}}"
    );
    let read = read("p", text.as_bytes());
    assert!(read.diagnostics.iter().all(|d| d.cause.len() < 300));
    let codes: Vec<&str> = read.diagnostics.iter().map(|d| &*d.code).collect();
    assert_eq!(codes, ["text-unknown-key", "text-id"]);
}
