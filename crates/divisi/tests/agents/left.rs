//! What a tool's shell started is ended with the tool, wherever it hid.

use std::sync::atomic::{AtomicU32, Ordering};

use divisi_core::run::{AttemptEnd, RunStatus, StopReason};
use serde_json::json;

use crate::model::{Call, Model, Rule, Turn};
use crate::stage::{endings, until, with_argument};
use crate::tool::{ACP, TOOLS, stage};

/// Printed by a shell that started all that it was to start.
pub(crate) const LIVES: &str = "All of it lives.";

/// A duration for `sleep` that stands in no other process's arguments.
pub(crate) fn unique_sleep() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    format!("100000.{}{count:03}", std::process::id())
}

/// Three are started: one beside the shell, one in a session of its own, and one in another that has
/// nothing of the environment either. They hold nothing open.
fn command(sleep: &str) -> String {
    let quiet = format!("sleep {sleep} >/dev/null 2>&1 </dev/null &");
    format!(
        "env -i PATH=\"$PATH\" setsid {quiet} first=$!\nsetsid {quiet} second=$!\n{quiet} \
         kill -0 $first && kill -0 $second && kill -0 $! && echo '{LIVES}'"
    )
}

/// A turn in which they are started.
pub(crate) fn starts(sleep: &str) -> Turn {
    Turn {
        say: "I start something.".to_owned(),
        call: Some(Call::Shell(command(sleep))),
        ..Turn::default()
    }
}

#[test]
fn what_a_tool_started_is_ended_when_its_run_is_canceled() {
    for tool in TOOLS.into_iter().chain(ACP) {
        let sleep = unique_sleep();
        let mut begun = starts(&sleep);
        // The call goes on, too.
        begun.call = Some(Call::Shell(format!("{}\nsleep {sleep}", command(&sleep))));
        let model = Model::start(vec![Rule {
            words: vec!["TASK-part".to_owned()],
            turns: vec![begun],
        }]);
        let stage = stage(tool, &model);
        let plan = json!({"task_title": "One part", "subtasks": [{
            "subtask_id": "part", "description": "TASK-part: start it.", "agent": tool,
        }]});
        let running = stage.start_plan(&plan, &[]);
        until("four sleep", || with_argument(&sleep).len() == 4);
        stage.divisi(&["cancel", "run-1"]).expect(0);
        running.wait();
        assert_eq!(with_argument(&sleep), [0; 0], "{tool}: it is left");
        assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
        let run = stage.only();
        assert_eq!(run.status(), RunStatus::Canceled, "{tool}");
        let [ending] = endings(&run, "part") else {
            panic!("{tool}: {:?}", endings(&run, "part"));
        };
        assert_eq!(
            ending.end,
            AttemptEnd::Stopped(StopReason::Canceled),
            "{tool}"
        );
    }
}
