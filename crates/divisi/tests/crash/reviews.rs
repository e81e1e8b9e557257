//! A review by an agent, killed around every step of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use divisi_core::run::{Event, RunStatus, TaskStatus};

use crate::outcome::{FIRST, assert_sound, events, killed_and_finished, view};
use crate::stage::{Stage, side_by_side};

/// A page whose words nobody can judge by rule.
const PLAN: &str = r#"{"task_title": "A page", "subtasks": [
  {"subtask_id": "page", "title": "Write a page", "script": "echo one > page.md",
   "deliverables": ["page.md"], "criteria": ["It says which."]}
]}"#;

/// It finds that it does.
const JUDGE: &str = r#"#!/bin/sh
cat > told.txt
echo '{"verdicts": [{"criterion": 0, "holds": true, "why": "It does.", "evidence": [{"file": "page.md", "line": 1, "text": "one"}]}]}' > divisi-verdict.json
"#;

#[test]
fn killed_around_a_review_what_it_judges_is_judged_once() {
    let mut places: Vec<String> = ["weigh.before", "weigh.after"].map(str::to_owned).into();
    for at in 1..=14 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = Stage::new();
        let plan = stage.write_plan("page.json", PLAN);
        let judge = stage.write_plan("judge", JUDGE);
        fs::set_permissions(&judge, fs::Permissions::from_mode(0o755)).unwrap();
        let settings = format!(
            "agents: {{custom: {{judge: {{command: [sh, {}], speaks: text}}}}}}\n\
             review: {{agents: [custom.judge]}}\n",
            judge.display()
        );
        stage.settings_of_the_user(&settings);
        killed_and_finished(&stage, &plan, at, "weigh");
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        let undone = run
            .tasks()
            .iter()
            .find(|task| task.status() != TaskStatus::Done);
        assert_eq!(undone.map(|task| task.spec.id.as_str()), None, "{at}");
        // One review for each attempt that was held: a lost one leaves none.
        let all = events(&view(&stage).expect("there is a journal"), FIRST);
        let count = |is: fn(&Event) -> bool| all.iter().filter(|(_, event)| is(event)).count();
        let opened = count(|event| matches!(event, Event::ReviewOpened { .. }));
        let held = count(|event| matches!(event, Event::ReviewAwaited { .. }));
        assert_eq!((opened, held), (1, 1), "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
