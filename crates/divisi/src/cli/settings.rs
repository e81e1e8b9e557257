//! The command line of what looks at configuration.

use clap::{Args, Subcommand};

/// `divisi config`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Config {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What is done with configuration.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting as a file would say it
    Show {
        /// Say of each where it comes from
        #[arg(long)]
        origin: bool,
    },
}
