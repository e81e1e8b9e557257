//! An intent that an agent plans, killed around the plan, and around another one in its place.

use divisi_core::run::{Event, RunStatus};

use crate::outcome::{FIRST, assert_sound, events, finish, view};
use crate::stage::{Failpoint, Stage, git, side_by_side};

/// The exit code of a run that waits for people.
const WAITING: i32 = 4;

const INTENT: &str = "Add limits on the requests of a client, with docs";

/// What plays the agent: it answers with a plan whose tasks need nobody else.
const RULES: &str = r#"
rules:
  - attempts:
      - - write:
            path: divisi-plan.json
            text: |
              {"task_title": "Limits", "subtasks": [
                {"subtask_id": "limit", "title": "Add limits on the requests of a client",
                 "assigned_to": "development", "worker_type": "implementation",
                 "script": "echo one > limit.md", "deliverables": ["limit.md"]},
                {"subtask_id": "docs", "title": "Document the limits of requests",
                 "assigned_to": "documentation", "dependencies": ["limit"],
                 "script": "cat limit.md > docs.md", "deliverables": ["docs.md"]}
              ], "criteria": [{"file": "docs.md"}]}
"#;

/// Which tasks took whose place, and how often another plan did.
fn revisions(stage: &Stage) -> (Vec<(u32, usize)>, usize) {
    let view = view(stage).expect("there is a journal");
    let (mut expanded, mut replaced) = (Vec::new(), 0);
    for (_, event) in events(&view, FIRST) {
        match event {
            Event::TaskSplit { task, parts, .. } => expanded.push((task.0, parts.len())),
            Event::PlanReplaced { .. } => replaced += 1,
            _ => {}
        }
    }
    (expanded, replaced)
}

#[test]
fn killed_around_a_plan_by_agent_it_is_made_once_and_replaced_once() {
    let mut places: Vec<String> = ["expand.before", "expand.after"].map(str::to_owned).into();
    for at in 1..=8 {
        places.push(format!("journal.append.before:{at}"));
        places.push(format!("journal.append.after_commit:{at}"));
    }
    side_by_side(&places, |at| {
        let stage = Stage::new();
        let rules = stage.write_plan("rules.yaml", RULES);
        let rules = rules.to_string_lossy();
        let by_agent = ["--planner", "agent", "--agent", "scripted", "--rehearsal"];
        let args = [&["run", INTENT][..], &by_agent, &[&rules]].concat();
        stage.start(&args, None).end().assert_code(WAITING);
        let approve = ["approve", "run-1"];
        stage.start(&approve, None).end().assert_code(0);

        let resume = ["resume", "run-1"];
        stage.start(&resume, Some(Failpoint { at })).end();
        if at.starts_with("expand") {
            assert!(stage.died().exists(), "{at} is passed");
        }
        stage.start(&resume, None).end().assert_code(WAITING);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::AwaitingApproval, "{at}");
        assert_eq!(revisions(&stage), (vec![(0, 2)], 0), "{at}");

        // Somebody edits it: killed right before that is durable, and once more right after.
        for at in ["journal.append.before", "journal.append.after_commit"] {
            if stage.died().exists() {
                std::fs::remove_file(stage.died()).unwrap();
            }
            let edit = ["plan", "edit", "run-1"];
            let ended = stage.start(&edit, Some(Failpoint { at })).end();
            assert!(ended.was_killed(), "{at}: {ended:?}");
        }
        let run = assert_sound(&stage, FIRST);
        assert_eq!((run.revision, run.approved), (3, false), "{at}");
        assert_eq!(revisions(&stage), (vec![(0, 2)], 1), "{at}");

        stage.start(&approve, None).end().assert_code(0);
        finish(&stage, &stage.plan());
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        let repo = stage.divisi().join("repo.git");
        let made = git(&repo, &["show", "refs/divisi/run-1/head:docs.md"]);
        assert_eq!(made, "two\n", "{at}");
        stage.assert_no_process_left();
        stage.assert_untouched();
    });
}
