//! `divisi completions`: a script that completes the command line, generated from its definition.

use clap::CommandFactory as _;

use crate::cli::{Cli, Completions};
use crate::exit::Exit;
use crate::printer::{Outcome, Printer};

/// Prints the script.
pub(crate) fn run(args: &Completions, printer: &Printer) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "divisi", &mut script);
    printer.script(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
