//! The program `divisi`: reads the command line, does what it says, and ends with a code.
//!
//! One file per command in [`commands`], one printer in [`printer`], one table of exit codes in
//! [`exit`]. Nothing is decided here that the core could decide.

mod cli;
mod commands;
mod exit;
mod happened;
mod loaded;
mod plan;
mod printer;
mod project;
mod report;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use printer::{Failure, Outcome, Printer};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    match dispatch(&cli, &printer) {
        Ok(exit) => exit.into(),
        Err(Failure::Closed) => exit::Exit::Success.into(),
        Err(Failure::Told(diagnostic, exit)) => {
            printer.diagnostic(&diagnostic, None);
            exit.into()
        }
    }
}

fn dispatch(cli: &Cli, printer: &Printer) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Status(args) => commands::status::run(args, global, printer),
        Command::Show(args) => commands::show::run(args, global, printer),
        Command::Logs(args) => commands::logs::run(args, global, printer),
        Command::Watch(args) => commands::watch::run(args, global, printer),
        Command::Explain(args) => commands::explain::run(args, global, printer),
        Command::Report(args) => commands::report::run(args, global, printer),
        Command::Simulate(args) => commands::simulate::run(args, printer),
        Command::Schema(args) => commands::schema::run(args, printer),
        Command::Completions(args) => commands::completions::run(args, printer),
        // Commands that need the engine are dispatched to `commands::{run, act, merge, gc}`.
        other => Err(Failure::told(
            divisi_core::Diagnostic::error("command-absent", format!("{other:?} is not wired")),
            exit::Exit::Internal,
        )),
    }
}
