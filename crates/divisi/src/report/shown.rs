//! Of which tasks anything showed that they did what was asked for (docs/design/shown.md).
//!
//! That the project's tests pass says that nothing broke; that a file stands where it may, that nothing
//! else was touched. Neither tells work from other work.

use divisi_core::plan::Work;
use divisi_core::run::{AGENT_PERSON, Final, Run, Task, TaskStatus};
use divisi_core::{Criterion, Outcome, TaskKind, Verdict};

use super::gather::last_verdicts;
use crate::words;

/// The tasks that are done, and of which nothing showed it. Only of requests: who writes a plan says
/// what shows its work.
pub(super) fn unshown(run: &Run) -> Vec<&Task> {
    let Some(intent) = &run.intent else {
        return Vec::new();
    };
    let tests = intent.tests.as_deref();
    let is_unshown = |task: &&Task| {
        let is_work = task.spec.kind == TaskKind::Work && task.spec.work == Work::Handoff;
        // A person who says that it is done has looked.
        let is_agents = words::who(run, task) != AGENT_PERSON && task.candidate_of.is_none();
        let is_done = task.status() == TaskStatus::Done;
        is_work && is_agents && is_done && !tells(&task.spec.criteria, last_verdicts(task), tests)
    };
    run.tasks().iter().filter(is_unshown).collect()
}

/// Whether somebody judged what no program can tell of the whole.
pub(super) fn is_judged(run: &Run) -> bool {
    let (Final::Passed(verdicts) | Final::Held { verdicts, .. }) = &run.finally else {
        return false;
    };
    let mut judged = passed(&run.criteria, verdicts);
    judged.any(|(criterion, _)| !criterion.is_falsifiable())
}

fn tells(criteria: &[Criterion], verdicts: &[Verdict], tests: Option<&[String]>) -> bool {
    passed(criteria, verdicts)
        .any(|(criterion, verdict)| criterion.tells_of_work(tests) && !verdict.proves_nothing)
}

/// What passed, by a check or somebody's word.
fn passed<'r>(
    criteria: &'r [Criterion],
    verdicts: &'r [Verdict],
) -> impl Iterator<Item = (&'r Criterion, &'r Verdict)> {
    let passed = verdicts
        .iter()
        .filter(|it| matches!(it.outcome, Outcome::Pass | Outcome::Waived));
    passed.filter_map(|it| Some((criteria.get(usize::from(it.criterion))?, it)))
}
