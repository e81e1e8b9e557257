//! How workspaces are prepared, as a plan says; doing it is the engine's.

use serde::{Deserialize, Serialize};

/// What the plan's tree needs besides its own files before anybody works or checks in a checkout
/// of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// Patterns of files that git does not track, copied from the user's own folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copy: Vec<String>,
    /// Programs that are run after that, in this order. What they make is kept for reuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Setup>,
    /// Patterns of the tracked files that these programs read; `None` for the whole tree. When
    /// one of them changes, they are run anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<String>>,
    /// The time box of each program, if bounded otherwise than by the run's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

impl Preparation {
    /// Whether a checkout serves as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.copy.is_empty() && self.setup.is_empty()
    }
}

/// A program that prepares a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setup {
    /// A program and its arguments, without a shell.
    Command(Vec<String>),
    /// A script, given to `/bin/sh -eu`.
    Script(String),
}

impl Setup {
    /// Program and arguments.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        match self {
            Setup::Command(argv) => argv.clone(),
            Setup::Script(script) => script_argv(script),
        }
    }
}

impl std::fmt::Display for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Setup::Command(argv) => f.write_str(&crate::shell::line(argv)),
            Setup::Script(script) => f.write_str(script.lines().next().unwrap_or_default()),
        }
    }
}

/// How a script of the plan is executed, wherever it stands.
#[must_use]
pub fn script_argv(script: &str) -> Vec<String> {
    ["/bin/sh", "-eu", "-c", script, "script"]
        .map(str::to_owned)
        .to_vec()
}
