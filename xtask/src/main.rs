//! Project commands: `cargo xtask tidy`, `bench`, `agents` and `repositories`.
//!
//! *Tidy* holds the rules that neither the compiler nor clippy knows: layering, absences,
//! vocabulary, documents in step with the code. *Bench* measures the built binary from outside and
//! writes the figures into `docs/benchmarks.md`. *Agents* and *repositories* install what tests with
//! real coding agents and with other people's projects need. None is part of the product: nothing here is imported by a crate that ships, and
//! nothing of ours is imported here.

mod agents;
mod bench;
mod repositories;
mod tidy;
mod vocabulary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The error of everything that only a developer sees: its text is all that matters.
pub(crate) type Error = Box<dyn std::error::Error>;

/// A result with [`Error`].
pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Parser)]
#[command(about = "Project commands of Divisi")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the rules that the compiler does not: layering, absences, vocabulary, documents
    Tidy {
        /// Also list what is merely worth knowing: long functions
        #[arg(short, long)]
        verbose: bool,
    },
    /// Measure the release build and write the figures into docs/benchmarks.md
    Bench(bench::Options),
    /// Install the coding agents that the tests run for real, from npm, under target/agents
    Agents {
        /// Also those that are tried by hand, under target/more-agents
        #[arg(long)]
        all: bool,
    },
    /// Fetch the projects on which tests try the first minute, under target/repositories
    Repositories,
    /// The program that the benchmark compares with: spawn, then commit one row, for each step
    #[command(hide = true)]
    Bare(bench::bare::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Tidy { verbose } => tidy::run(&root(), verbose),
        Task::Agents { all } => agents::run(&root(), all).map(|()| ExitCode::SUCCESS),
        Task::Repositories => repositories::run(&root()).map(|()| ExitCode::SUCCESS),
        Task::Bench(options) => bench::run(&root(), &options),
        Task::Bare(options) => bench::bare::run(&options).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// The workspace's root folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .expect("xtask is a folder of the workspace")
        .to_owned()
}
