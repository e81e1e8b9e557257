//! The command line of what writes and judges the folders of stages.

use std::path::PathBuf;

use clap::Args;

use super::OfWorkflow;

/// `divisi generate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Generate {
    /// The workflow: its name, or the path of its file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) workflow: String,
    /// The workflow's file, if it stands elsewhere than workflows do
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What the workflow is given.
    #[command(flatten)]
    pub(crate) of_workflow: OfWorkflow,
    /// The folder to write; with several iterations, each gets a folder in it
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Only this iteration; otherwise all whose targets are there by now
    #[arg(long = "iteration", value_name = "NAME")]
    pub(crate) stage: Option<String>,
    /// Replace a folder that was generated before
    #[arg(long)]
    pub(crate) force: bool,
}

/// `divisi validate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Validate {
    /// A folder that `divisi generate` wrote, or a run, for example `run-3` or `3`
    #[arg(value_name = "DIR|RUN")]
    pub(crate) of: String,
    /// Let a criterion pass that does not hold, by its number or its words; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) waive: Vec<String>,
    /// Run the programs that the criteria name, without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}
