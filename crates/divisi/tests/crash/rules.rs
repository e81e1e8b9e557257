//! Iterations that expand by rule, killed around every step of it.

use divisi_core::run::{Event, RunStatus, TaskStatus};

use crate::bundled::{create, expands};
use crate::outcome::{FIRST, assert_sound, events, finish, go_on, versions, view};
use crate::stage::{Failpoint, Stage, side_by_side};

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
        let done = |task: &divisi_core::run::Task| match task.status() {
            TaskStatus::Done => true,
            status => status == TaskStatus::Split,
        };
        assert!(run.tasks().iter().all(done));
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
