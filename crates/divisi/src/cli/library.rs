//! The command line of what looks at workflows and roles.

use clap::{Args, Subcommand};

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
