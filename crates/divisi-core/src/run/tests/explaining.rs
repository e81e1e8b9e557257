//! "Why is nothing happening?" always has an answer.

use crate::ids::{TaskNo, Time};
use crate::run::explain::{explain, explain_run};
use crate::run::{Run, RunStatus, TaskStatus};

/// Every task and the run have a cause; where a person can act, a command.
pub(super) fn everything_is_explained(run: &Run, now: Time) {
    for no in (0..run.tasks().len() as u32).map(TaskNo) {
        let told = explain(run, no, now).unwrap();
        assert!(!told.causes.is_empty(), "{told:?}");
        assert!(!told.causes.iter().any(String::is_empty), "{told:?}");
        let task = run.task(no).unwrap();
        if task.status() == TaskStatus::Blocked {
            assert!(!told.commands.is_empty(), "{told:?}");
        }
    }
    let told = explain_run(run, now);
    assert!(!told.causes.is_empty(), "{told:?}");
    if matches!(
        run.status(),
        RunStatus::Blocked | RunStatus::AwaitingApproval
    ) {
        assert!(!told.commands.is_empty(), "{told:?}");
    }
}
