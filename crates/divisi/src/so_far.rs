//! What holds already of work that is still going on: partial files, judged early.
//!
//! The workspace of a live attempt is looked at as it stands. What is seen is shown and kept
//! nowhere: a file may be half written, and only what is collected counts.

use divisi_core::run::{Phase, Run, Task};
use divisi_core::{Criterion, Outcome, TaskNo, Verdict, WorkspaceKind};
use divisi_engine::checks;
use divisi_engine::files::{Entry, Files as _, FolderFiles};

use crate::project::Project;

/// The live attempt's workspace, if its agent works in one of its own.
fn workspace(project: &Project, run: &Run, no: TaskNo, task: &Task) -> Option<FolderFiles> {
    let live = task.live().filter(|live| live.phase == Phase::Working)?;
    let has_own = matches!(
        task.spec.workspace,
        WorkspaceKind::Worktree | WorkspaceKind::Scratch
    );
    let folder = has_own.then(|| project.workspace(run.id, no, live.workspace))?;
    // A workspace that is not there, or any more, has nothing yet.
    FolderFiles::open(&folder, None).ok()
}

/// How many of its promised files are there, and of how many; `None` if nothing can be told.
pub(crate) fn promised(
    project: &Project,
    run: &Run,
    no: TaskNo,
    task: &Task,
) -> Option<(usize, usize)> {
    let files = workspace(project, run, no, task)?;
    let promised = &task.spec.deliverables;
    let is_there = |path: &str| {
        let entry = files.entry(path);
        matches!(entry, Ok(Entry::File { bytes, .. }) if bytes > 0)
    };
    let there = promised.iter().filter(|it| is_there(&it.path)).count();
    (!promised.is_empty()).then_some((there, promised.len()))
}

/// The verdicts that files alone give by now, on the criteria that can be judged early.
pub(crate) fn verdicts(project: &Project, run: &Run, no: TaskNo, task: &Task) -> Vec<Verdict> {
    let Some(files) = workspace(project, run, no, task) else {
        return Vec::new();
    };
    let criteria = &task.spec.criteria;
    // What was changed is known once it is collected.
    let can_tell = |criterion: &Criterion| criterion.is_of_files();
    let early = (0u16..)
        .zip(criteria)
        .filter(|(_, criterion)| can_tell(criterion));
    let judged = early.filter_map(|(at, criterion)| {
        // Files that go away while they are read are told of at the next look.
        let found = checks::cheap(std::slice::from_ref(criterion), &files).ok()?;
        let verdict = found.into_iter().next()?;
        Some(Verdict {
            criterion: at,
            ..verdict
        })
    });
    judged.collect()
}

/// How many of these pass, in words; nothing where there are none.
pub(crate) fn words(verdicts: &[Verdict]) -> Option<String> {
    let pass = |verdict: &&Verdict| verdict.outcome == Outcome::Pass;
    let holds = verdicts.iter().filter(pass).count();
    let all = verdicts.len();
    (all > 0).then(|| format!("{holds} of {all} criteria on files hold by now"))
}
