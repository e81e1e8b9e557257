//! Why what an agent made is not taken.

use divisi_core::Diagnostic;

use crate::repo::Fault;

/// Something in a workspace that cannot become part of a snapshot. Nothing of it was opened,
/// except files that were searched for secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A deliverable is a symbolic link.
    #[error("take {path}: a deliverable must be a file, it is a link")]
    DeliverableLink {
        /// The deliverable.
        path: String,
    },
    /// A link leads outside the workspace, or into a git directory.
    #[error("take {path}: it is a link to {target}, outside the workspace")]
    LinkOutside {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A FIFO, socket or device.
    #[error("take {path}: it is a {kind}, not a file")]
    Special {
        /// Where.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A file, or all changed files together, are larger than allowed.
    #[error("take {path}: {bytes} bytes, at most {max} together")]
    TooLarge {
        /// The largest file.
        path: String,
        /// Its apparent size, or of all changed files.
        bytes: u64,
        /// What is allowed.
        max: u64,
    },
    /// More entries than are looked at.
    #[error("take the workspace: it has more than {max} entries")]
    TooMany {
        /// How many are looked at.
        max: usize,
    },
    /// Folders are nested too deep.
    #[error("take {path}: folders are nested more than {max} deep")]
    TooDeep {
        /// The beginning of the path.
        path: String,
        /// How deep is allowed.
        max: usize,
    },
    /// A deliverable's path leads outside the workspace.
    #[error("take {path}: the path leads outside the workspace")]
    Outside {
        /// The path.
        path: String,
    },
    /// A git repository within the workspace.
    #[error("take {path}: it is a repository of its own")]
    Repository {
        /// The folder.
        path: String,
    },
    /// Files in the empty folder of a submodule.
    #[error("take {path}: it lies in a submodule, which is not part of the tree")]
    Submodule {
        /// The file.
        path: String,
    },
    /// A name that means something else on another system or in a terminal.
    #[error("take {path:?}: the name {why}")]
    Name {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two names that differ by letter case only.
    #[error("take {path}: its name differs from {other} by letter case only")]
    CaseCollision {
        /// The new one.
        path: String,
        /// The one that is there.
        other: String,
    },
    /// A file holds the value of a secret.
    #[error("take {path}: it holds the value of a secret")]
    Secret {
        /// The file.
        path: String,
        /// The place of the value among those that were looked for.
        place: usize,
    },
    /// Git cannot take the files, for example because of an attribute that the agent wrote.
    #[error("take the workspace: {cause}")]
    Git {
        /// What git said.
        cause: String,
    },
}

impl Refusal {
    /// The stable code, with a page in `docs/errors`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::DeliverableLink { .. } | Refusal::LinkOutside { .. } => "collect-link",
            Refusal::Special { .. } => "collect-special",
            Refusal::TooLarge { .. } | Refusal::TooMany { .. } | Refusal::TooDeep { .. } => {
                "collect-too-large"
            }
            Refusal::Outside { .. } => "collect-outside",
            Refusal::Repository { .. } => "collect-repository",
            Refusal::Submodule { .. } => "collect-submodule",
            Refusal::Name { .. } | Refusal::CaseCollision { .. } => "collect-name",
            Refusal::Secret { .. } => "collect-secret",
            Refusal::Git { .. } => "collect-git",
        }
    }

    /// For a person, and as feedback for the next attempt.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self {
            Refusal::DeliverableLink { .. } => diagnostic.hint("write the file itself"),
            Refusal::LinkOutside { .. } => {
                diagnostic.hint("copy the file, or link within the tree")
            }
            Refusal::Special { .. } => diagnostic.hint("remove it, or name it in .gitignore"),
            Refusal::TooLarge { .. } | Refusal::TooMany { .. } | Refusal::TooDeep { .. } => {
                diagnostic.hint("name what is not a result in .gitignore")
            }
            Refusal::Outside { .. } => {
                diagnostic.hint("name deliverables by their path in the workspace")
            }
            Refusal::Repository { .. } => {
                diagnostic.hint("remove its .git folder, or name it in .gitignore")
            }
            Refusal::Submodule { .. } => {
                diagnostic.hint("change submodules in their own repository")
            }
            Refusal::Name { .. } | Refusal::CaseCollision { .. } => diagnostic.hint("rename it"),
            Refusal::Secret { .. } => diagnostic.hint("leave the value out and refer to its name"),
            Refusal::Git { .. } => diagnostic.hint("look at .gitattributes in the workspace"),
        }
    }
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The agent's doing: all that was found, never empty.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<Refusal>),
    /// The machine's doing; collecting again may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
