//! The command line of coding agents.

use clap::{Args, Subcommand};

/// `divisi agents`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Agents {
    /// What to do; without it, all that are known are listed.
    #[command(subcommand)]
    pub(crate) command: Option<AgentsCommand>,
}

/// What is done with agents.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AgentsCommand {
    /// List the coding agents that are known, and how each stands on this machine
    List,
    /// Have an agent do one small task in a folder of its own, of which nothing stays; it asks its
    /// model, which may cost something
    Test(Tested),
    /// Wait no longer for the end of an agent's usage limits: tasks begin with it again
    Resume(Resumed),
}

/// An agent that is not waited for any longer.
#[derive(Clone, Debug, Args)]
pub(crate) struct Resumed {
    /// The agent, as `divisi agents` names it, or the variable that holds the key
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// An agent that is tried.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tested {
    /// The agent, as `divisi agents` names it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// `divisi adapter`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Adapter {
    /// With which one
    #[arg(value_name = "AGENT")]
    pub(crate) agent: String,
    /// What it is, where configuration defines it
    #[arg(long, value_name = "JSON")]
    pub(crate) defined: Option<String>,
}
