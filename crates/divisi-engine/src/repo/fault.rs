//! Why the private repository could not do what it was asked.
//!
//! [`Fault`] is for things that are wrong with the machine, the project or the repository; what
//! an agent made is refused with [`crate::workspace::Refusal`], and a merge into the user's
//! repository with [`crate::repo::MergeRefusal`]. Each has a stable code with a page in
//! `docs/errors`.

use std::io;
use std::path::{Path, PathBuf};

use divisi_core::{Commit, Diagnostic};

/// Why an operation on the private repository failed. Nothing of it was done, or doing it again
/// completes it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The machine has no git.
    #[error("find the git command")]
    NoGit,
    /// Its git lacks what is needed.
    #[error("use {version}: 2.41 or newer is needed")]
    GitTooOld {
        /// What it says of itself.
        version: String,
    },
    /// The project lies in the private folder of another.
    #[error("open {} as a project: it lies inside a .divisi folder", .0.display())]
    InsideDivisi(PathBuf),
    /// The project is a bare repository, or lies in a git directory: there are no files.
    #[error("open {} as a project: it is a git directory without files", .0.display())]
    Bare(PathBuf),
    /// The project's repository exists, but git cannot read it.
    #[error("read the repository at {}: {cause}", path.display())]
    Unreadable {
        /// The project.
        path: PathBuf,
        /// What git said.
        cause: String,
    },
    /// There is no such revision in the user's repository.
    #[error("find revision `{rev}`: the repository has no such one")]
    NoRevision {
        /// As it was given.
        rev: String,
    },
    /// A revision has no history in common with what the run stands on.
    #[error("find where {} left `{rev}`: they have no commit in common", base.short())]
    Unrelated {
        /// As it was given.
        rev: String,
        /// What the run stands on.
        base: Commit,
    },
    /// Uncommitted work was to be included, but it stands on another commit than the base.
    #[error("include uncommitted work on `{rev}`: it belongs to HEAD")]
    DirtyElsewhere {
        /// The base that was asked for.
        rev: String,
    },
    /// Objects of a commit are missing in the user's repository.
    #[error("read all files of commit {}: objects are missing", commit.short())]
    Incomplete {
        /// The commit.
        commit: Commit,
    },
    /// There is more uncommitted work, or more in a folder without git, than is taken in.
    #[error("take in {what}: {found}, at most {max}")]
    TooMuch {
        /// What was to be taken in.
        what: &'static str,
        /// How much there is.
        found: String,
        /// How much is taken.
        max: String,
    },
    /// A reference of the private repository is not where the caller believed it to be.
    #[error(
        "move {reference} from {}: it stands at {}",
        or_nothing(expected),
        or_nothing(found)
    )]
    RefMoved {
        /// The reference.
        reference: String,
        /// Where the caller believed it.
        expected: Option<Commit>,
        /// Where it is.
        found: Option<Commit>,
    },
    /// A workspace of that name holds work on another base that was never collected.
    #[error("prepare workspace {name}: it holds work that was never collected")]
    WorkspaceHeld {
        /// The workspace.
        name: String,
    },
    /// The folder of a workspace is gone or was exchanged.
    #[error("use workspace {name}: its folder is gone")]
    WorkspaceGone {
        /// The workspace.
        name: String,
    },
    /// The disk is full. Worth repeating when there is room.
    #[error("{operation}: the disk is full")]
    Full {
        /// What was to be done.
        operation: String,
    },
    /// The file system refused.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was to be done.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Git failed in a way that has no name of its own.
    #[error("{operation}: {cause}")]
    Git {
        /// What was to be done.
        operation: String,
        /// What git said.
        cause: String,
    },
}

fn or_nothing(commit: &Option<Commit>) -> &str {
    commit.as_ref().map_or("nothing", Commit::short)
}

impl Fault {
    /// A refusal by the file system.
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full {
                operation: format!("{operation} {}", path.display()),
            },
            _ => Fault::Io {
                operation,
                path,
                source,
            },
        }
    }

    /// Git answered something it never does.
    pub(crate) fn odd(operation: &str, answer: &str) -> Fault {
        Fault::Git {
            operation: operation.to_owned(),
            cause: format!("git answered {answer:?}"),
        }
    }

    /// The stable code, with a page in `docs/errors`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Fault::NoGit => "repo-no-git",
            Fault::GitTooOld { .. } => "repo-git-too-old",
            Fault::InsideDivisi(_) => "repo-inside-divisi",
            Fault::Bare(_) => "repo-bare",
            Fault::Unreadable { .. } => "repo-unreadable",
            Fault::NoRevision { .. } => "repo-no-revision",
            Fault::Unrelated { .. } => "repo-unrelated",
            Fault::DirtyElsewhere { .. } => "repo-dirty-elsewhere",
            Fault::Incomplete { .. } => "repo-incomplete",
            Fault::TooMuch { .. } => "repo-too-much",
            Fault::RefMoved { .. } => "repo-ref-moved",
            Fault::WorkspaceHeld { .. } => "repo-workspace-held",
            Fault::WorkspaceGone { .. } => "repo-workspace-gone",
            Fault::Full { .. } => "repo-full",
            Fault::Io { .. } => "repo-io",
            Fault::Git { .. } => "repo-git",
        }
    }

    /// Whether doing exactly the same again can succeed once the machine is better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Fault::Full { .. } | Fault::Io { .. } | Fault::Git { .. }
        )
    }

    /// For a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let mut cause = self.to_string();
        if let Fault::Io { source, .. } = self {
            cause = format!("{cause}: {source}");
        }
        let diagnostic = Diagnostic::error(self.code(), cause);
        match self {
            Fault::NoGit | Fault::GitTooOld { .. } => {
                diagnostic.hint("install git 2.41 or newer, then see `divisi doctor`")
            }
            Fault::InsideDivisi(_) => diagnostic.hint("change to the project's own folder"),
            Fault::Bare(_) => {
                diagnostic.hint("run in a checkout: `git clone PATH work && cd work`")
            }
            Fault::Unreadable { .. } => diagnostic.hint("see what `git status` says there"),
            Fault::NoRevision { .. } => diagnostic.hint("list what exists: `git log --oneline`"),
            Fault::Unrelated { .. } => {
                diagnostic.hint("fetch the whole history: `git fetch --unshallow`")
            }
            Fault::DirtyElsewhere { .. } => {
                diagnostic.hint("leave out `--base`, or `--include-dirty`")
            }
            Fault::Incomplete { .. } => {
                diagnostic.hint("fetch what is missing: `git fetch --refetch --no-filter`")
            }
            Fault::TooMuch { .. } => {
                diagnostic.hint("name what is not part of the project in .gitignore")
            }
            Fault::WorkspaceHeld { .. } => {
                diagnostic.hint("see what it holds and what may go: `divisi gc --dry-run`")
            }
            Fault::Full { .. } => {
                diagnostic.hint("make room, then `divisi resume`; see `divisi gc`")
            }
            Fault::RefMoved { .. }
            | Fault::WorkspaceGone { .. }
            | Fault::Io { .. }
            | Fault::Git { .. } => diagnostic,
        }
    }
}
