//! The command line of what agents ask leave for.

use clap::{Args, Subcommand};
use divisi_core::RunId;

use super::run_id;

/// `divisi permissions`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Permissions {
    /// What to do; without it, what waits for an answer is listed.
    #[command(subcommand)]
    pub(crate) command: Option<PermissionsCommand>,
}

/// What is done with requests.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PermissionsCommand {
    /// List what waits for an answer; of one run, also what was answered
    List(Listed),
    /// Let an agent do what it asks leave for
    Allow(Answered),
    /// Do not let it
    Deny(Denied),
}

/// Whose requests are listed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Listed {
    /// The run, for example `run-3` or `3`; all runs if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
}

/// A request, and whether the answer is one for all like it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Answered {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// The request's number
    #[arg(value_name = "REQUEST")]
    pub(crate) request: u32,
    /// Answer all like it so, in this run: the same deed by the same role to the same file or command
    #[arg(long)]
    pub(crate) always: bool,
}

/// The same, with a reason.
#[derive(Clone, Debug, Args)]
pub(crate) struct Denied {
    /// Which.
    #[command(flatten)]
    pub(crate) answered: Answered,
    /// Why; the agent is told
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "the owner does not allow it"
    )]
    pub(crate) reason: String,
}
