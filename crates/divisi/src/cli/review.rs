//! The command line of a review.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `divisi review`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Review {
    /// Only these files and folders
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// From where to look; may be repeated
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub(crate) perspective: Vec<Perspective>,
    /// Only what changed since the point where this revision was left, uncommitted changes included
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// Only this rule or tool; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Write the review here: a file for one perspective, a folder for several
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// The code is trusted: also use tools that execute it (build scripts, plugins)
    #[arg(long)]
    pub(crate) trusted: bool,
    /// Also use tools that ask other machines (lists of vulnerabilities)
    #[arg(long)]
    pub(crate) online: bool,
    /// End with code 1 if something was found that weighs at least so much
    #[arg(long, value_name = "WEIGHT")]
    pub(crate) fail_on: Option<Weight>,
    /// List the rules and tools instead
    #[arg(long)]
    pub(crate) rules: bool,
}

/// From where a review looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Perspective {
    /// From all of these.
    All,
    /// Whether it does what it should.
    Functional,
    /// Whether it can be abused.
    Security,
    /// Whether it works harder than it must.
    Performance,
    /// Whether a fault would be noticed.
    Test,
    /// Whether it is explained, and truly.
    Docs,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weight {
    /// Worth a look.
    Note,
    /// Probably wrong.
    Warning,
    /// Wrong.
    Error,
}
