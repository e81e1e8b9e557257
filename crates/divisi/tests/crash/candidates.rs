//! Candidates, killed around every step of them and of what chooses one.

use divisi_core::run::{AttemptEnd, Event, RunStatus, TaskStatus};

use crate::outcome::{FIRST, assert_sound, events, integrations, killed_and_finished, view};
use crate::stage::{Stage, side_by_side};

/// A page by two agents, of which the shorter is taken, and one that needs it.
const PLAN: &str = r#"{"task_title": "A page", "subtasks": [
  {"subtask_id": "page", "title": "Write a page",
   "candidates": [{"agent": "custom.long"}, {"agent": "custom.short"}],
   "prefer": {"command": ["sh", "-c", "wc -c < page.md"], "want": "lowest"},
   "deliverables": ["page.md"]},
  {"subtask_id": "after", "script": "cp page.md copy.md", "deliverables": ["copy.md"],
   "dependencies": ["page"]}
]}"#;

#[test]
fn killed_around_candidates_the_same_one_is_taken_once() {
    let mut places: Vec<String> = ["measure.before", "measure.after", "measure.before:2"]
        .map(str::to_owned)
        .into();
    for at in 1..=16 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = Stage::new();
        let plan = stage.write_plan("page.json", PLAN);
        let agent = |name: &str, text: &str| {
            let script = format!("cat > told.txt\nrm told.txt\necho {text} > page.md\n");
            let path = stage.write_plan(name, &script);
            format!(
                "{name}: {{command: [sh, {}], speaks: text}}",
                path.display()
            )
        };
        let settings = format!(
            "agents: {{custom: {{{}, {}}}}}\n",
            agent("long", "'a page that says much'"),
            agent("short", "brief")
        );
        stage.settings_of_the_user(&settings);
        killed_and_finished(&stage, &plan, at, "measure");
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        for task in run.tasks() {
            assert_eq!(task.status(), TaskStatus::Done, "{at}: {}", task.spec.id);
            let last = task.endings.last().map(|it| &it.end);
            let expected = match task.candidate_of {
                Some(_) => AttemptEnd::Measured,
                None => AttemptEnd::Integrated,
            };
            assert_eq!(last, Some(&expected), "{at}: {}", task.spec.id);
        }
        // Chosen once, by the same figures, and only that is in the result.
        let all = events(&view(&stage).expect("there is a journal"), FIRST);
        let chosen = all.iter().filter_map(|(_, event)| match event {
            Event::CandidateChosen { why, .. } => Some(why.as_str()),
            _ => None,
        });
        let chosen: Vec<&str> = chosen.collect();
        assert_eq!(
            chosen,
            [
                "page.2 was chosen of 2 candidates for the lowest `sh -c 'wc -c < page.md'`: page.2 with 6 \
              (1 line), page.1 with 22 (1 line)"
            ],
            "{at}"
        );
        assert_eq!(integrations(&stage, FIRST).len(), 2, "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
