//! The binary: one file a command, one printer, one table of exit codes.

mod cli;
mod commands;
mod exit;
mod follow;
mod hold;
mod loaded;
mod printer;
mod progress;
mod project;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;
use divisi_engine::control::Action;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::printer::{Failure, Outcome, Printer};
use crate::project::Project;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    match dispatch(&cli, &printer) {
        Ok(exit) => exit.into(),
        Err(Failure::Told(d, exit)) => {
            printer.diagnostic(&d, None);
            exit.into()
        }
        Err(Failure::Reported(exit)) => exit.into(),
        Err(Failure::Closed) => Exit::Success.into(),
    }
}

fn dispatch(cli: &Cli, printer: &Printer) -> Outcome {
    if let Command::Supervisor(args) = &cli.command {
        let options = divisi_engine::supervisor::ServeOptions {
            dir: args.dir.clone(),
            socket: args.socket.clone(),
        };
        return match divisi_engine::supervisor::serve(&options) {
            Ok(()) => Ok(Exit::Success),
            Err(e) => Err(Failure::told(e.diagnostic(), Exit::Environment)),
        };
    }
    if let Command::Compose = &cli.command {
        let cwd = std::env::current_dir().expect("cwd");
        return match divisi_engine::compose::work(std::io::stdin().lock(), &cwd) {
            Ok(_) => Ok(Exit::Success),
            Err(e) => Err(Failure::told(
                divisi_core::Diagnostic::error("compose-failed", e.to_string()),
                Exit::Failed,
            )),
        };
    }
    let project = Project::find(&cli.global)?;
    let latest = |run: Option<divisi_core::RunId>| -> Result<divisi_core::RunId, Failure> {
        let view = project.view()?;
        Ok(project.row(&view, run)?.run)
    };
    match &cli.command {
        Command::Run(a) => commands::run::run(a, &project, printer),
        Command::Resume(a) => commands::run::resume(a, latest(a.run)?, &project, printer),
        Command::Gc(a) => commands::gc::gc(a, &project, printer),
        Command::Pause(a) => commands::act::act(&project, latest(a.run)?, Action::Pause, printer),
        Command::Cancel(a) => commands::act::act(
            &project,
            latest(a.run)?,
            Action::Cancel {
                task: a.task.clone(),
            },
            printer,
        ),
        Command::Retry(a) => commands::act::act(
            &project,
            a.of.run,
            Action::Retry {
                task: a.of.task.clone(),
                note: a.note.clone(),
            },
            printer,
        ),
        Command::Submit(a) => commands::act::submit(a, &project, printer),
        Command::Split(a) => commands::act::split(a, &project, printer),
        Command::Approve(a) => commands::act::act(
            &project,
            latest(a.run)?,
            Action::Approve {
                task: a.task.clone(),
                note: a.note.clone(),
                waive: a.waive,
            },
            printer,
        ),
        Command::Reject(a) => commands::act::act(
            &project,
            a.of.run,
            Action::Reject {
                task: a.of.task.clone(),
                reason: a.reason.clone(),
            },
            printer,
        ),
        Command::Answer(a) => commands::act::act(
            &project,
            a.of.run,
            Action::Answer {
                task: a.of.task.clone(),
                text: a.text.join(" "),
            },
            printer,
        ),
        _ => Ok(Exit::Usage),
    }
}
