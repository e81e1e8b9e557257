//! Iterations that expand by rule, killed around every step of it.

use std::fs;

use divisi_core::run::{Event, Run, RunStatus, Task, TaskStatus};
use divisi_engine::failpoint::NAMES;

use crate::bundled::{create, expands};
use crate::failpoints::is_of_workflow;
use crate::outcome::{FIRST, assert_sound, events, finish, go_on, run_now, versions, view};
use crate::stage::{Failpoint, Stage, side_by_side, texts};

/// Every Markdown file is counted, and then every count.
const WORKFLOW: &str = r#"
workflow:
  name: counts
  iterations:
    - name: one
      agents:
        - name: count
          targets: ['docs/*.md']
          deliverables: ['counts/{file_id}.txt']
          command: [sh, -c, 'mkdir -p counts; wc -c < "$0" > "$1"', '{targets}', '{deliverables}']
          allocation: {max_per_agent: 1}
    - name: two
      dependencies: [one]
      agents:
        - name: add
          targets: ['counts/*.txt']
          deliverables: ['sums/{file_id}.txt']
          command: [sh, -c, 'mkdir -p sums; cp "$0" "$1"', '{targets}', '{deliverables}']
          allocation: {max_per_agent: 1}
"#;

/// What took which task's place.
fn expansions(stage: &Stage) -> Vec<(u32, usize)> {
    let view = view(stage).expect("there is a journal");
    let expanded = |event: Event| match event {
        Event::TaskSplit {
            task,
            parts,
            planned: Some(_),
            ..
        } => Some((task.0, parts.len())),
        _ => None,
    };
    let all = events(&view, FIRST).into_iter();
    all.filter_map(|(_, event)| expanded(event)).collect()
}

/// Every task is done, or others have taken its place.
fn all_are_done(run: &Run) -> bool {
    let is_done = |task: &Task| matches!(task.status(), TaskStatus::Done | TaskStatus::Split);
    run.tasks().iter().all(is_done)
}

#[test]
fn killed_around_an_expansion_by_rule_it_happens_once() {
    let mut places: Vec<String> = ["expand.before", "expand.after"]
        .into_iter()
        .flat_map(|name| [name.to_owned(), format!("{name}:2")])
        .collect();
    for at in 1..=8 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = Stage::new();
        create(&stage.project, versions(), WORKFLOW, |digest| {
            vec![
                expands(digest, "one", &[]),
                expands(digest, "two", &["one"]),
            ]
        });
        let unused = stage.plan();
        let process = go_on(&stage, &unused, Some(Failpoint { at })).expect("it has not ended");
        process.end();
        if at.starts_with("expand") {
            assert!(stage.died().exists(), "{at} is passed");
        }
        finish(&stage, &unused);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded);
        // One page, and a review of it; then one count, and a review of it.
        assert_eq!(expansions(&stage), [(0, 2), (1, 2)], "{at}");
        assert!(all_are_done(&run));
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}

/// How many files there are in a folder of artifacts, below it and all.
fn files_in(folder: &std::path::Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let count = |path: std::path::PathBuf| match path.is_dir() {
        true => files_in(&path),
        false => 1,
    };
    entries.map(|entry| count(entry.path())).sum()
}

#[test]
fn killed_while_its_bundle_is_stored_a_workflow_is_run_anew() {
    let places: Vec<&str> = NAMES
        .iter()
        .copied()
        .filter(|name| is_of_workflow(name))
        .collect();
    assert!(!places.is_empty());
    side_by_side(&places, |at| {
        let stage = Stage::new();
        let workflow = stage.write_plan("counts.yaml", WORKFLOW);
        let args = stage.run_args(&workflow);
        let ended = stage.start(&texts(&args), Some(Failpoint { at })).end();
        assert!(ended.was_killed(), "{at}: {ended:?}");
        assert!(run_now(&stage, FIRST).is_none(), "{at}: none is created");
        let artifacts = stage.divisi().join("artifacts");
        let is_whole = *at == "artifact.rename.after";
        let left = usize::from(*at != "artifact.write.before");
        assert_eq!(files_in(&artifacts), left, "{at}");
        assert_eq!(
            files_in(&artifacts.join(".partial")),
            left - usize::from(is_whole),
            "{at}: what has its name is whole"
        );

        stage.start(&texts(&args), None).end().assert_code(0);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded);
        assert!(all_are_done(&run));
        assert_eq!(files_in(&artifacts), 1, "{at}: the bundle, and no leftover");
        let runs = view(&stage).unwrap().runs(None, 10).unwrap();
        assert_eq!(runs.len(), 1, "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
