//! Losses that follow each other.

use divisi_core::run::{AttemptEnd, Phase, Run, TaskState, TaskStatus};

use crate::outcome::{FIRST, assert_sound, finish, go_on, run_now};
use crate::stage::{Failpoint, Stage, until};

/// Its work is taken only if it is in the workspace that the run believes it works in.
const PLAN: &str = r#"{"task_title": "Lost twice", "subtasks": [
  {"subtask_id": "t", "deliverables": ["t.md"],
   "script": "echo begun >> SIDE; while ! test -e SIDE.go; do sleep 0.02; done; echo done > t.md"}
]}"#;

fn works(run: &Run) -> bool {
    matches!(&run.tasks()[0].state, TaskState::Active(live) if live.phase == Phase::Working)
}

#[test]
fn an_attempt_after_one_that_never_began_works_where_it_is_looked_for() {
    // given: the first attempt was at work when all died
    let stage = Stage::new();
    let plan = stage.write_plan("lost.json", PLAN);
    let process = go_on(&stage, &plan, None).unwrap();
    until("it works", || {
        !stage.counts().is_empty() && run_now(&stage, FIRST).is_some_and(|run| works(&run))
    });
    process.kill();
    stage.kill_supervisor();
    // and the second was only prepared when all died again
    let at = "start.after";
    let process = go_on(&stage, &plan, Some(Failpoint { at })).unwrap();
    assert!(process.end().was_killed());
    stage.kill_supervisor();
    // when
    std::fs::write(stage.path("side/counts.go"), "").unwrap();
    finish(&stage, &plan);
    // then: the third is the last, and what it made is what was asked for
    let run = assert_sound(&stage, FIRST);
    let task = &run.tasks()[0];
    assert_eq!(task.status(), TaskStatus::Done);
    let ends: Vec<&AttemptEnd> = task.endings.iter().map(|ending| &ending.end).collect();
    assert!(
        matches!(
            ends[..],
            [
                AttemptEnd::Lost(_),
                AttemptEnd::Lost(_),
                AttemptEnd::Integrated
            ]
        ),
        "{ends:?}"
    );
    stage.assert_no_process_left();
}
