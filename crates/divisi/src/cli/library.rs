//! The command line of what looks at workflows and roles.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use divisi_core::RunId;

/// `divisi workflow`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Workflow {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: WorkflowCommand,
}

/// What is done with workflows.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// List all workflows, where each stands, and what it hides
    List,
    /// Print a workflow as it is written
    Show {
        /// The workflow, or the path of its file
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Say everything that is wrong with a workflow, its roles and its templates
    Check {
        /// The workflow, or the path of its file
        #[arg(value_name = "NAME|FILE")]
        name: String,
    },
    /// Make a workflow of a run that succeeded
    Save(Save),
}

/// `divisi workflow save`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Save {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = super::run_id)]
    pub(crate) run: RunId,
    /// The workflow's name; made of the run's title if left out
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The file to write; `workflows/NAME.yaml` of the project if left out
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write over the file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// `divisi roles`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Roles {
    /// What to do; without it, all roles are listed.
    #[command(subcommand)]
    pub(crate) command: Option<RolesCommand>,
}

/// What is done with roles.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RolesCommand {
    /// Print everything about a role
    Show {
        /// The role, by id or alias
        #[arg(value_name = "ROLE")]
        role: String,
    },
}
