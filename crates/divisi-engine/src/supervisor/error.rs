//! Why a supervisor could not serve, or an engine could not join one.

use std::io;
use std::path::PathBuf;

use divisi_core::Diagnostic;

/// Why the supervisor process ended before it could serve, or could no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder or the socket's path is not absolute, or the folder is not there.
    #[error("serve in {path}: an existing folder with an absolute path is needed")]
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// Another supervisor holds the folder.
    #[error("serve in {dir}: another supervisor holds it")]
    Held {
        /// Which.
        dir: PathBuf,
    },
    /// Processes of an earlier supervisor are left and could not be ended.
    #[error("end the processes that an earlier supervisor left: {pids:?} are still alive")]
    Unrecovered {
        /// Which.
        pids: Vec<i32>,
    },
    /// The folder of the socket is not private to this user.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The system refused something.
    #[error("{doing}")]
    System {
        /// What was tried, with the object's name.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

/// Why a folder for sockets is not used.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// It belongs to somebody else, others may enter it, or it is no folder.
    #[error("use {path} for sockets: it must be a folder of mode 0700 that belongs to this user")]
    NotPrivate {
        /// Which.
        path: PathBuf,
    },
    /// It could not be made or looked at.
    #[error("prepare {path} for sockets")]
    Prepare {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why an engine has no supervisor.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The supervisor's process could not be started.
    #[error("start the supervisor {program}")]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// Why it was not.
        source: io::Error,
    },
    /// It was started, and ended or kept silent.
    #[error("wait for the supervisor: {cause}")]
    Silent {
        /// What it said, or how long it was waited for.
        cause: String,
    },
    /// A supervisor serves, and does not want this engine.
    #[error("join the supervisor: {cause}")]
    Refused {
        /// What it said.
        cause: String,
    },
    /// Another user's process listens on the socket.
    #[error("join the supervisor at {socket}: it belongs to another user")]
    Foreign {
        /// Which.
        socket: PathBuf,
    },
    /// The folder of the socket is not private to this user.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

impl JoinError {
    /// The same for a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let cause = with_source(self);
        match self {
            JoinError::Refused { .. } => Diagnostic::error("supervisor-refused", cause)
                .hint("see which engine holds the folder: divisi status"),
            JoinError::Foreign { .. } | JoinError::Socket(SocketError::NotPrivate { .. }) => {
                Diagnostic::error("supervisor-socket", cause)
                    .hint("remove the folder named, or set XDG_RUNTIME_DIR to a private folder")
            }
            JoinError::Spawn { .. } | JoinError::Silent { .. } | JoinError::Socket(_) => {
                Diagnostic::error("supervisor-unavailable", cause)
                    .hint("look into .divisi/supervisor.log, then: divisi doctor")
            }
        }
    }
}

impl ServeError {
    /// The same for a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let cause = with_source(self);
        match self {
            ServeError::Held { .. } => Diagnostic::error("supervisor-held", cause)
                .hint("it is there already; nothing needs to be done"),
            ServeError::Unrecovered { pids } => {
                let list: Vec<String> = pids.iter().map(ToString::to_string).collect();
                Diagnostic::error("supervisor-leftovers", cause).hint(format!(
                    "see what they do: ps -o pid,stat,args -p {}",
                    list.join(",")
                ))
            }
            ServeError::Socket(SocketError::NotPrivate { .. }) => {
                Diagnostic::error("supervisor-socket", cause)
                    .hint("remove the folder named, or set XDG_RUNTIME_DIR to a private folder")
            }
            ServeError::Folder { .. } | ServeError::Socket(_) | ServeError::System { .. } => {
                Diagnostic::error("supervisor-unavailable", cause).hint("divisi doctor")
            }
        }
    }
}

/// The error and its causes in one line: a diagnostic has no chain.
fn with_source(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// Names what was tried when the system refuses it.
pub(super) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let doing = doing.into();
    move |source| ServeError::System { doing, source }
}
