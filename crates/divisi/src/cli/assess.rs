//! The command line of an assessment.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// `divisi assess`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["request", "csv"]))]
pub(crate) struct Assess {
    /// What is wanted, in your words; `-` reads it from stdin
    pub(crate) request: Option<String>,
    /// Assess every row of this table instead (columns `id`, `title`, `body`; `-` reads stdin), by
    /// words alone, and print `id,approach,complex,multi_domain,score`
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}
