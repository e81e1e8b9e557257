//! A task that fails and becomes smaller ones, by rule or by a plan, killed around every step of it.

use divisi_core::run::{Event, RunStatus, TaskStatus};

use crate::outcome::{FIRST, assert_sound, events, finish, run_now, view};
use crate::stage::{Failpoint, Stage, git, side_by_side, texts};

/// Two pages, of which one is never made by whoever is to make both.
const PLAN: &str = r#"{"task_title": "Two pages", "subtasks": [
  {"subtask_id": "whole", "title": "Write two pages", "agent": "scripted", "retries": 1,
   "deliverables": ["a.md", "b.md"], "budget": {"attempts": 9},
   "criteria": [{"contains": "first", "in": "a.md"}, {"contains": "second", "in": "b.md"}]},
  {"subtask_id": "after", "script": "cat a.md b.md > all", "deliverables": ["all"],
   "dependencies": ["whole"]}
]}"#;

/// Of the whole, the first page is made; its first part makes nothing.
const RULES: &str = r#"
rules:
  - task: whole
    attempts: [[{make: {path: a.md, text: "the first page\n"}}, {write: {path: b.md, text: "half\n"}}]]
  - task: whole-part1
    attempts: [[{print: "it stands already"}]]
  - task: whole-part2
    attempts: [[{make: {path: b.md, text: "the second page\n"}}]]
"#;

/// The plan with agents that do as these rules say, killed at a place and then done.
fn killed(rules: &str, at: &str) -> Stage {
    let stage = Stage::new();
    let plan = stage.write_plan("plan.json", PLAN);
    let rules = stage.write_plan("rules.yaml", rules);
    let mut args = stage.run_args(&plan);
    args.extend([
        "--rehearsal".to_owned(),
        rules.to_string_lossy().into_owned(),
    ]);
    stage.start(&texts(&args), Some(Failpoint { at })).end();
    if run_now(&stage, FIRST).is_none() {
        stage.start(&texts(&args), None).end().assert_code(0);
    }
    finish(&stage, &plan);
    stage
}

#[test]
fn killed_around_a_split_it_happens_once_and_nothing_made_is_lost() {
    let mut places = Vec::new();
    for name in ["start", "workspace.prepare", "check"] {
        for side in ["before", "after"] {
            places.extend((1..=4).map(|at| format!("{name}.{side}:{at}")));
        }
    }
    for at in 1..=16 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = killed(RULES, at);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        let statuses = run
            .tasks()
            .iter()
            .map(|task| (task.spec.id.as_str(), task.status()));
        let (split, done) = (TaskStatus::Split, TaskStatus::Done);
        assert_eq!(
            statuses.collect::<Vec<_>>(),
            [
                ("whole", split),
                ("after", done),
                ("whole-part1", done),
                ("whole-part2", done)
            ],
            "{at}"
        );
        let all = events(&view(&stage).expect("there is a journal"), FIRST);
        let splits = all
            .iter()
            .filter(|(_, event)| matches!(event, Event::TaskSplit { .. }));
        assert_eq!(splits.count(), 1, "{at}");
        let repo = stage.divisi().join("repo.git");
        let result = git(&repo, &["show", "refs/divisi/run-1/head:all"]);
        assert_eq!(result, "the first page\nthe second page\n", "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}

/// Of the whole, the first page is made; who does it finds that the second is another task.
const OUTGROWN: &str = r#"
rules:
  - task: whole
    attempts: [[{make: {path: a.md, text: "the first page\n"}}, {too_large: "a page each"}]]
  - task: whole-plan
    attempts:
      - - write:
            path: divisi-plan.json
            text: |
              {"task_title": "Two pages", "subtasks": [
                {"subtask_id": "one", "title": "Write the first page", "deliverables": ["a.md"]},
                {"subtask_id": "two", "title": "Write the second page", "deliverables": ["b.md"]}
              ]}
  - task: one
    attempts: [[{print: "it stands already"}]]
  - task: two
    attempts: [[{make: {path: b.md, text: "the second page\n"}}]]
"#;

#[test]
fn killed_around_work_that_outgrows_its_task_it_is_planned_once_and_done() {
    let mut places: Vec<String> = ["expand.before", "expand.after"].map(str::to_owned).into();
    for at in 3..=16 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = killed(OUTGROWN, at);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        let all = events(&view(&stage).expect("there is a journal"), FIRST);
        let splits: Vec<(u32, usize)> = { all.iter() }
            .filter_map(|(_, event)| match event {
                Event::TaskSplit { task, parts, .. } => Some((task.0, parts.len())),
                _ => None,
            })
            .collect();
        assert_eq!(splits, [(0, 1), (2, 2)], "{at}");
        let repo = stage.divisi().join("repo.git");
        let result = git(&repo, &["show", "refs/divisi/run-1/head:all"]);
        assert_eq!(result, "the first page\nthe second page\n", "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
