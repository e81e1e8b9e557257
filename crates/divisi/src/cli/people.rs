//! The command line of what people say to a run: consent, answers, and what is to be done again.

use std::path::PathBuf;

use clap::Args;
use divisi_core::RunId;

use super::{OneTask, run_id};

/// `divisi cancel`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Cancel {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// Only this task, and what cannot go on without it
    pub(crate) task: Option<String>,
}

/// `divisi retry`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Retry {
    /// The task.
    #[command(flatten)]
    pub(crate) of: OneTask,
    /// What its agent should know this time
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
}

/// `divisi adopt`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Adopt {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// The task, and with `@N` which attempt's work; the last that came late unless told
    #[arg(value_name = "TASK[@N]", value_parser = task_attempt)]
    pub(crate) of: (String, Option<u32>),
}

/// `divisi discard`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Discard {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// The task, and the number of the attempt
    #[arg(value_name = "TASK@N", value_parser = one_attempt)]
    pub(crate) of: (String, u32),
}

/// `task` or `task@2`.
fn task_attempt(text: &str) -> Result<(String, Option<u32>), String> {
    match text.split_once('@') {
        None => Ok((text.to_owned(), None)),
        Some((task, number)) => match number.parse() {
            Ok(number) if number > 0 => Ok((task.to_owned(), Some(number))),
            _ => Err(format!(
                "{number:?} is no number of an attempt, which count from 1"
            )),
        },
    }
}

fn one_attempt(text: &str) -> Result<(String, u32), String> {
    let (task, number) = task_attempt(text)?;
    let number = number.ok_or("say which attempt: `TASK@N`")?;
    Ok((task, number))
}

/// `divisi submit`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Submit {
    /// The task.
    #[command(flatten)]
    pub(crate) of: OneTask,
    /// Files to take over into the task's workspace before
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// `divisi approve`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Approve {
    /// The run, for example `run-3` or `3`; the latest if left out
    #[arg(value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// A task of it; without one, the plan or the integrated whole
    pub(crate) task: Option<String>,
    /// What you saw; it stands in the report
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
    /// Let it pass although it does not hold; the report says so
    #[arg(long)]
    pub(crate) waive: bool,
}

/// `divisi reject`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reject {
    /// The run, for example `run-3` or `3`
    #[arg(value_parser = run_id)]
    pub(crate) run: RunId,
    /// A task of it; without one, the plan that an agent made and that awaits approval, or the
    /// integrated whole
    pub(crate) task: Option<String>,
    /// Why; it goes into the next handoff, or into the report. Nothing is refused without it: on a
    /// terminal it is asked for
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

/// `divisi answer`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Answer {
    /// The task.
    #[command(flatten)]
    pub(crate) of: OneTask,
    /// The answer
    #[arg(required = true, num_args = 1.., value_name = "TEXT")]
    pub(crate) text: Vec<String>,
}

/// `divisi split`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Split {
    /// The task.
    #[command(flatten)]
    pub(crate) of: OneTask,
    /// A file with the parts, in the form of a plan's tasks; without it, what can be checked of the
    /// task is halved, as where it keeps failing
    #[arg(value_name = "PARTS")]
    pub(crate) parts: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}
