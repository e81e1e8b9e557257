//! Of which tasks anything showed that they did what was asked for (docs/design/shown.md).
//!
//! That the project's tests pass says that nothing broke; that a file stands where it may, that nothing
//! else was touched; that it is not empty, that something was written. None tells work from other work.

use std::collections::BTreeSet;

use divisi_core::plan::Work;
use divisi_core::run::{AGENT_PERSON, Final, Run, Task, TaskStatus};
use divisi_core::{Criterion, Holds, Outcome, TaskKind, Verdict};

use super::gather::last_verdicts;
use crate::words;

/// A task that is done, and of which nothing showed it.
pub(super) struct Unshown<'r> {
    pub(super) task: &'r Task,
    /// Files that it wrote; nothing looked at what they say.
    pub(super) written: BTreeSet<&'r str>,
}

/// The tasks that are done, and of which nothing showed it. Only of requests: who writes a plan says
/// what shows its work.
pub(super) fn unshown(run: &Run) -> Vec<Unshown<'_>> {
    let Some(intent) = &run.intent else {
        return Vec::new();
    };
    let tests = intent.tests.as_deref();
    let is_unshown = |task: &&Task| {
        let makes = [TaskKind::Work, TaskKind::Research, TaskKind::Compose];
        let is_work = makes.contains(&task.spec.kind) && task.spec.work == Work::Handoff;
        // A person who says that it is done has looked.
        let is_agents = words::who(run, task) != AGENT_PERSON && task.candidate_of.is_none();
        let is_done = task.status() == TaskStatus::Done;
        is_work && is_agents && is_done && !tells(task, tests)
    };
    let tasks = run.tasks().iter().filter(is_unshown);
    let unshown = tasks.map(|task| Unshown {
        task,
        written: proven(task).filter_map(written).collect(),
    });
    unshown.collect()
}

/// Whether somebody judged what no program can tell of the whole.
pub(super) fn is_judged(run: &Run) -> bool {
    let (Final::Passed(verdicts) | Final::Held { verdicts, .. }) = &run.finally else {
        return false;
    };
    let mut judged = passed(&run.criteria, verdicts);
    judged.any(|(criterion, _)| !criterion.is_falsifiable())
}

fn tells(task: &Task, tests: Option<&[String]>) -> bool {
    proven(task).any(|criterion| criterion.tells_of_work(tests) && written(criterion).is_none())
}

/// The files of which a criterion says that something stands in them, and not what. Where they are only
/// to be there, or are not, nothing more is to be said of them.
fn written(criterion: &Criterion) -> Option<&str> {
    match criterion {
        Criterion::File { path, min_bytes } => (*min_bytes > 0).then_some(path),
        Criterion::Count { pattern, max, .. } => (*max != Some(0)).then_some(pattern),
        Criterion::Each {
            pattern,
            holds: Holds::Size { .. },
        } => Some(pattern),
        _ => None,
    }
}

/// The criteria of a task that hold since its work was done.
fn proven(task: &Task) -> impl Iterator<Item = &Criterion> {
    let passed = passed(&task.spec.criteria, last_verdicts(task));
    let since = passed.filter(|(_, verdict)| !verdict.proves_nothing);
    since.map(|(criterion, _)| criterion)
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
