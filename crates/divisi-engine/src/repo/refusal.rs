//! Why a run's result is not merged into the user's project.

use divisi_core::{Commit, Diagnostic, RunId};

use super::base::some;
use super::fault::Fault;
use super::store::head_ref;

/// Merging would lose or disturb something of the user's. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefusal {
    /// The user's files were changed where the result changes them too.
    #[error("merge: uncommitted changes would be lost: {}", some(.paths))]
    Dirty {
        /// Where, sorted.
        paths: Vec<String>,
    },
    /// The project went on meanwhile, and changed the same.
    #[error("merge: the project changed the same: {}", some(.paths))]
    Conflict {
        /// What the run stands on.
        base: Commit,
        /// Where, sorted.
        paths: Vec<String>,
    },
    /// The run stood on uncommitted work, and the project has not that work as the run took it in.
    #[error("merge: the result builds on uncommitted work that is not as the run took it in: {}", some(.paths))]
    Uncommitted {
        /// The run.
        run: RunId,
        /// Where, sorted.
        paths: Vec<String>,
    },
    /// A merge, rebase, cherry-pick or revert of the user's is not finished.
    #[error("merge: a {what} is not finished")]
    InProgress {
        /// What.
        what: &'static str,
    },
    /// There is such a branch already, at another commit.
    #[error("merge: branch {name} exists")]
    BranchExists {
        /// Its name.
        name: String,
    },
    /// Git does not take the name for a branch.
    #[error("merge: {name:?} is not a name for a branch")]
    BranchName {
        /// The name.
        name: String,
    },
    /// The project has no git, so it has no branches either.
    #[error("merge: a folder without git has no branches")]
    NoBranches,
    /// Only a part of the tree is checked out, or the index is split over several files.
    #[error("merge: the checkout is {what}")]
    Checkout {
        /// What it is.
        what: &'static str,
    },
    /// Somebody moved HEAD while the merge was under way; it was undone.
    #[error("merge: the current branch moved meanwhile")]
    HeadMoved,
}

impl MergeRefusal {
    /// The stable code, with a page in `docs/errors`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            MergeRefusal::Dirty { .. } => "merge-dirty",
            MergeRefusal::Conflict { .. } => "merge-conflict",
            MergeRefusal::Uncommitted { .. } => "merge-uncommitted",
            MergeRefusal::InProgress { .. } => "merge-in-progress",
            MergeRefusal::BranchExists { .. } => "merge-branch-exists",
            MergeRefusal::BranchName { .. } => "merge-branch-name",
            MergeRefusal::NoBranches => "merge-no-branches",
            MergeRefusal::Checkout { .. } => "merge-checkout",
            MergeRefusal::HeadMoved => "merge-head-moved",
        }
    }

    /// The paths that it is about, sorted; empty if it is about none.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        match self {
            MergeRefusal::Dirty { paths }
            | MergeRefusal::Conflict { paths, .. }
            | MergeRefusal::Uncommitted { paths, .. } => paths,
            MergeRefusal::InProgress { .. }
            | MergeRefusal::BranchExists { .. }
            | MergeRefusal::BranchName { .. }
            | MergeRefusal::NoBranches
            | MergeRefusal::Checkout { .. }
            | MergeRefusal::HeadMoved => &[],
        }
    }

    /// For a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self {
            MergeRefusal::Dirty { .. } => {
                diagnostic.hint("commit or stash them, then `divisi merge` again")
            }
            MergeRefusal::Conflict { base, .. } => diagnostic.hint(format!(
                "start a branch at the run's base and merge there: `git checkout -b NAME {}`",
                base.short()
            )),
            MergeRefusal::Uncommitted { run, .. } => diagnostic
                .hint(
                    "have these files as they were, or commit your version of them; then \
                     `divisi merge` again",
                )
                .hint(format!(
                    "or take the run's own branch, in which that work is a commit: \
                     `git fetch .divisi/repo.git {}:NAME`",
                    head_ref(*run)
                )),
            MergeRefusal::InProgress { .. } => diagnostic.hint("finish or abort it: `git status`"),
            MergeRefusal::BranchExists { .. } | MergeRefusal::BranchName { .. } => {
                diagnostic.hint("choose another name: `divisi merge --branch NAME`")
            }
            MergeRefusal::NoBranches => diagnostic.hint("merge into the folder: `divisi merge`"),
            MergeRefusal::Checkout { .. } => {
                diagnostic.hint("merge to a branch instead: `divisi merge --branch NAME`")
            }
            MergeRefusal::HeadMoved => diagnostic.hint("merge again: `divisi merge`"),
        }
    }
}

/// Why nothing was merged into the user's project.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// Something of the user's stands against it.
    #[error(transparent)]
    Refused(#[from] MergeRefusal),
    /// The machine's doing. Merging again completes or repeats what was begun.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl DeliverError {
    /// For a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            DeliverError::Refused(refusal) => refusal.diagnostic(),
            DeliverError::Fault(fault) => fault.diagnostic(),
        }
    }
}
