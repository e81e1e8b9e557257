//! The program `divisi`: reads the command line, does what it says, and ends with a code.
//!
//! One file per command in [`commands`], one printer in [`printer`], one table of exit codes in
//! [`exit`]. Nothing is decided here that the core could decide.

#[cfg(windows)]
compile_error!("Divisi does not run on Windows yet; build and use it in WSL 2");

mod authored;
mod changed;
mod cli;
mod commands;
mod config;
mod consent;
mod exit;
mod feedback;
mod folder;
mod follow;
#[cfg(test)]
#[path = "../tests/cli/given.rs"]
mod given;
mod happened;
mod history;
mod hold;
mod last_printed;
mod lessons;
mod library;
mod loaded;
mod outline;
mod plan;
mod plan_record;
mod present;
mod printer;
mod progress;
mod project;
mod projection;
mod rehearsal;
mod report;
#[cfg(test)]
mod scenes;
mod signals;
mod so_far;
mod tail;
mod trust;
mod unfinished;
mod words;

use std::process::ExitCode;

use clap::Parser as _;
use divisi_core::{Diagnostic, RunId};
use divisi_engine::control::Action;
use divisi_engine::supervisor::{self, ServeOptions};

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::printer::{Failure, Outcome, Printer};
use crate::project::Project;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    match dispatch(&cli, &printer) {
        Ok(exit) | Err(Failure::Reported(exit)) => exit.into(),
        Err(Failure::Closed) => Exit::Success.into(),
        Err(Failure::Told(diagnostic, exit)) => {
            printer.diagnostic(&diagnostic, None);
            exit.into()
        }
    }
}

/// Commands that only look, and those that Divisi starts itself.
fn dispatch(cli: &Cli, printer: &Printer) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Init => commands::init::run(global, printer),
        Command::Assess(args) => commands::assess::run(args, global, printer),
        Command::Status(args) => commands::status::run(args, global, printer),
        Command::Budget(args) => commands::budget::run(args, global, printer),
        Command::Show(args) => commands::show::run(args, global, printer),
        Command::Logs(args) => commands::logs::run(args, global, printer),
        Command::Watch(args) => commands::watch::run(args, global, printer),
        Command::Explain(args) => commands::explain::run(args, global, printer),
        Command::Report(args) => commands::report::run(args, global, printer),
        Command::Feedback(args) => commands::feedback::run(args, global, printer),
        Command::Lessons(args) => commands::lessons::run(args, global, printer),
        Command::Permissions(args) => commands::permissions::run(args, global, printer),
        Command::Plan(args) => commands::plan::run(args, global, printer),
        Command::Simulate(args) => commands::simulate::run(args, global, printer),
        Command::Review(args) => commands::review::run(args, global, printer),
        Command::Generate(args) => commands::generate::run(args, global, printer),
        Command::Validate(args) => commands::validate::run(args, global, printer),
        Command::Workflow(args) => commands::workflow::run(args, global, printer),
        Command::Roles(args) => commands::roles::run(args, global, printer),
        Command::Config(args) => commands::config::run(args, global, printer),
        Command::Schema(args) => commands::schema::run(args, printer),
        Command::Doctor => commands::doctor::run(global, printer),
        Command::Agents(args) => commands::agents::run(args, global, printer),
        Command::Completions(args) => commands::completions::run(args, printer),
        Command::Supervisor(args) => {
            let options = ServeOptions {
                dir: args.dir.clone(),
                socket: args.socket.clone(),
            };
            match supervisor::serve(&options) {
                Ok(()) => Ok(Exit::Success),
                Err(error) => Err(Failure::told(error.diagnostic(), Exit::Environment)),
            }
        }
        Command::Compose => compose(),
        Command::Adapter(args) => commands::adapter::run(args),
        other => act(other, &Project::find(global)?, printer),
    }
}

fn compose() -> Outcome {
    let failed =
        |cause: String, exit: Exit| Failure::told(Diagnostic::error("compose-failed", cause), exit);
    let folder = std::env::current_dir().map_err(|error| {
        let cause = format!("finding the working folder: {error}");
        failed(cause, Exit::Environment)
    })?;
    match divisi_engine::compose::work(std::io::stdin().lock(), &folder) {
        Ok(_) => Ok(Exit::Success),
        Err(error) => {
            let exit = match error.is_ours() {
                true => Exit::Environment,
                false => Exit::Failed,
            };
            Err(failed(divisi_core::diagnostic::chain(&error), exit))
        }
    }
}

/// Commands that ask the engine for something.
fn act(command: &Command, project: &Project, printer: &Printer) -> Outcome {
    let latest = |run: Option<RunId>| -> Result<RunId, Failure> {
        Ok(project.row(&project.view()?, run)?.run)
    };
    let (run, action) = match command {
        Command::Run(args) => return commands::run::run(args, project, printer),
        Command::Resume(args) => return commands::run::resume(args, project, printer),
        Command::Gc(args) => return commands::gc::gc(args, project, printer),
        Command::Submit(args) => return commands::act::submit(args, project, printer),
        Command::Split(args) => return commands::act::split(args, project, printer),
        Command::Pause(args) => (latest(args.run)?, Action::Pause),
        Command::Cancel(args) => {
            let task = args.task.clone();
            (latest(args.run)?, Action::Cancel { task })
        }
        Command::Retry(args) => {
            let (task, note) = (args.of.task.clone(), args.note.clone());
            (args.of.run, Action::Retry { task, note })
        }
        Command::Adopt(args) => {
            let (task, number) = args.of.clone();
            (args.run, Action::Adopt { task, number })
        }
        Command::Discard(args) => {
            let (task, number) = args.of.clone();
            (args.run, Action::Discard { task, number })
        }
        Command::Approve(args) => {
            return commands::act::approve(args, project, latest(args.run)?, printer);
        }
        Command::Reject(args) => return commands::act::reject(args, project, printer),
        Command::Answer(args) => return commands::act::answer(args, project, printer),
        Command::Diff(args) => {
            return commands::diff::diff(args, latest(args.run)?, project, printer);
        }
        Command::Merge(args) => {
            return commands::merge::merge(args, latest(args.run)?, project, printer);
        }
        Command::Init
        | Command::Assess(_)
        | Command::Status(_)
        | Command::Budget(_)
        | Command::Show(_)
        | Command::Logs(_)
        | Command::Watch(_)
        | Command::Explain(_)
        | Command::Report(_)
        | Command::Feedback(_)
        | Command::Lessons(_)
        | Command::Permissions(_)
        | Command::Plan(_)
        | Command::Simulate(_)
        | Command::Review(_)
        | Command::Generate(_)
        | Command::Validate(_)
        | Command::Workflow(_)
        | Command::Roles(_)
        | Command::Config(_)
        | Command::Schema(_)
        | Command::Doctor
        | Command::Agents(_)
        | Command::Completions(_)
        | Command::Supervisor(_)
        | Command::Compose
        | Command::Adapter(_) => unreachable!("dispatched before"),
    };
    commands::act::act(project, run, action, printer)
}
