//! What a run, or a task of it, changed: the commits between which the change lies.

use divisi_core::receipt::{Receipt, Snapshot};
use divisi_core::run::{AttemptEnd, Ending, Run};
use divisi_core::{Commit, Diagnostic};
use divisi_engine::repo::Repo;

use crate::exit::Exit;
use crate::printer::Failure;

/// A fault of the repository, as a failure of the command.
pub(crate) fn told(fault: &divisi_engine::repo::Fault) -> Failure {
    Failure::told(fault.diagnostic(), Exit::Environment)
}

/// The commits between which a run's, or a task's, change lies.
pub(crate) struct Range {
    /// From here.
    pub(crate) from: Commit,
    /// To here.
    pub(crate) to: Commit,
}

impl Range {
    fn of(snapshot: &Snapshot) -> Range {
        Range {
            from: snapshot.base.clone(),
            to: snapshot.commit.clone(),
        }
    }
}

/// What a run changed as a whole.
///
/// # Errors
/// It has no files.
pub(crate) fn whole(run: &Run) -> Result<Range, Failure> {
    match (&run.base.commit, &run.integration.head) {
        (Some(from), Some(to)) => Ok(Range {
            from: from.clone(),
            to: to.clone(),
        }),
        _ => {
            let diagnostic = Diagnostic::error("result-empty", format!("{} has no files", run.id));
            Err(Failure::told(diagnostic, Exit::Refused))
        }
    }
}

/// What one task changed: as integrated, or, before that, as it was collected for review.
///
/// # Errors
/// There is no such task, or it has made no files.
pub(crate) fn of_task(run: &Run, repo: &Repo, name: &str) -> Result<Range, Failure> {
    let no = crate::loaded::task(run, name)?;
    let task = &run.tasks()[no.index()];
    let integrated = task
        .endings
        .iter()
        .rev()
        .find(|ending| ending.end == AttemptEnd::Integrated);
    // Where nothing was changed, the commit on the branch is another one's work, or the base.
    let unchanged = integrated
        .and_then(Ending::snapshot)
        .filter(|it| it.is_unchanged());
    if let Some(snapshot) = unchanged {
        return Ok(Range::of(snapshot));
    }
    let commit = integrated
        .into_iter()
        .flat_map(|ending| &ending.receipts)
        .find_map(|receipt| match receipt {
            Receipt::Integrated { commit, .. } => commit.clone(),
            _ => None,
        });
    if let Some(commit) = commit {
        let parent = repo.parent(&commit).map_err(|fault| told(&fault))?;
        return Ok(Range {
            from: parent.unwrap_or_else(|| commit.clone()),
            to: commit,
        });
    }
    let live = task.live().and_then(|live| live.snapshot());
    let ended = task
        .endings
        .iter()
        .rev()
        .flat_map(|ending| &ending.receipts)
        .find_map(|receipt| match receipt {
            Receipt::Collected { snapshot, .. } => snapshot.as_ref(),
            _ => None,
        });
    let empty = |cause: String| {
        let diagnostic = Diagnostic::error("result-empty", cause).hint(format!(
            "`divisi explain {} {name}` says where it stands",
            run.id
        ));
        Failure::told(diagnostic, Exit::Refused)
    };
    match live.or(ended) {
        None => Err(empty(format!("task {name} has made no files"))),
        Some(snapshot) if !repo.has(&snapshot.commit).map_err(|fault| told(&fault))? => Err(empty(
            format!("what task {name} made was given up and cleaned up"),
        )),
        Some(snapshot) => Ok(Range::of(snapshot)),
    }
}
