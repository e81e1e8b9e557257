//! What receipts say holds for a later life of the engine too.

use divisi_core::run::RunStatus;

use crate::outcome::{FIRST, assert_sound, finish};
use crate::stage::{Failpoint, Stage, texts};

/// A check that counts how often it runs.
const COUNTED: &str = r#"{"task_title": "Counted", "subtasks": [
  {"subtask_id": "made", "script": "echo made > made.md", "deliverables": ["made.md"],
   "criteria": [{"command": ["sh", "-c", "echo checking >> SIDE"]}]}
]}"#;

#[test]
fn a_check_that_a_receipt_vouches_for_is_not_run_again_after_a_crash() {
    let stage = Stage::new();
    let plan = stage.write_plan("counted.json", COUNTED);
    let args = stage.run_args(&plan);
    let at = "final.check.before";
    let ended = stage.start(&texts(&args), Some(Failpoint { at })).end();
    assert!(ended.was_killed(), "{ended:?}");
    assert_eq!(stage.counts(), ["checking"]);
    std::fs::remove_file(stage.died()).unwrap();
    finish(&stage, &plan);
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    // The result's tree is the one that was judged when the task was verified.
    assert_eq!(stage.counts(), ["checking"]);
    stage.assert_no_process_left();
}
