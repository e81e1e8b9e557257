//! Exit codes: the one table, for every command.
//!
//! A script that calls Divisi can tell from the code alone who must do something next. The page
//! `docs/reference/exit-codes.md` holds the same table; a test keeps the two in step.

use divisi_core::run::{Final, PauseReason, Phase, Run, RunStatus, Task, TaskState, TaskStatus};
use divisi_core::{Outcome, TaskNo};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It was done; of a run: it succeeded.
    Success,
    /// The run failed: a task was given up. Of a review: something was found that must not be. Of a
    /// validation: something fails or is missing. Of a plan that is linted: it has a fault. Of a test
    /// of an agent: it did not do its task.
    Failed,
    /// The command line, the plan, a workflow or the configuration is wrong; nothing was started.
    Usage,
    /// The run is blocked: no remedy is left, a person must decide.
    Blocked,
    /// Only people can go on: their consent is awaited, an approval, work, an answer, or `resume`.
    Waiting,
    /// The run was canceled.
    Canceled,
    /// What was asked cannot be done now; nothing was changed.
    Refused,
    /// There is no such project, run, task, attempt, workflow, role or agent.
    NotFound,
    /// The machine is in the way: the journal cannot be used, the disk is full, git is missing.
    Environment,
    /// Nothing is awaited but a person's verdict on what no rule can tell.
    Judgment,
    /// A fault in Divisi itself.
    Internal,
    /// It was interrupted; the run can be resumed.
    Interrupted,
}

impl Exit {
    /// All of them, by code.
    pub(crate) const ALL: [Exit; 12] = [
        Exit::Success,
        Exit::Failed,
        Exit::Usage,
        Exit::Blocked,
        Exit::Waiting,
        Exit::Canceled,
        Exit::Refused,
        Exit::NotFound,
        Exit::Environment,
        Exit::Judgment,
        Exit::Internal,
        Exit::Interrupted,
    ];

    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Blocked => 3,
            Exit::Waiting => 4,
            Exit::Canceled => 5,
            Exit::Refused => 6,
            Exit::NotFound => 7,
            Exit::Environment => 8,
            Exit::Judgment => 9,
            Exit::Internal => 70,
            Exit::Interrupted => 130,
        }
    }

    /// What it means, and what to do.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Success => "done; of a run: it succeeded",
            Exit::Failed => {
                "the run failed: a task was given up; of a review: something was found that must not \
                 be; of a validation: something fails or is missing; of a plan that is linted: it \
                 has a fault; of a test of an agent: it did not do its task"
            }
            Exit::Usage => {
                "the command line, the plan, a workflow or the configuration is wrong; nothing was \
                 started"
            }
            Exit::Blocked => "the run is blocked and a person must decide: `divisi explain`",
            Exit::Waiting => {
                "only people can go on (consent, approval, work, answer, resume): `divisi explain`"
            }
            Exit::Canceled => "the run was canceled, or a task of it was",
            Exit::Refused => "what was asked cannot be done now; nothing was changed",
            Exit::NotFound => {
                "there is no such project, run, task, attempt, workflow, role or agent"
            }
            Exit::Environment => "the machine is in the way (journal, disk, git): `divisi doctor`",
            Exit::Judgment => {
                "nothing is awaited but a review: a person must judge what no rule can tell: \
                 `divisi explain`"
            }
            Exit::Internal => "a fault in Divisi itself",
            Exit::Interrupted => "interrupted; the run can be resumed: `divisi resume`",
        }
    }

    /// The code that says how a task ended; of one that has not, where its run stands.
    pub(crate) fn of_task(run: &Run, no: TaskNo) -> Exit {
        match run.tasks()[no.index()].status() {
            // Its parts go on in its place.
            TaskStatus::Done | TaskStatus::Split => Exit::Success,
            TaskStatus::Failed => Exit::Failed,
            TaskStatus::Canceled | TaskStatus::Skipped => Exit::Canceled,
            TaskStatus::Waiting
            | TaskStatus::Ready
            | TaskStatus::Running
            | TaskStatus::Verifying
            | TaskStatus::Integrating
            | TaskStatus::Blocked => Exit::of_run(run),
        }
    }

    /// The code that says where a run stands once nobody works on it any more.
    pub(crate) fn of_run(run: &Run) -> Exit {
        match run.status() {
            RunStatus::Succeeded => Exit::Success,
            RunStatus::Failed => Exit::Failed,
            RunStatus::Canceled => Exit::Canceled,
            RunStatus::AwaitingApproval => Exit::Waiting,
            RunStatus::Blocked | RunStatus::Running => match &run.paused {
                Some(PauseReason::Owner) => Exit::Waiting,
                Some(PauseReason::DiskFull) => Exit::Environment,
                Some(
                    PauseReason::Budget(_) | PauseReason::Fault(_) | PauseReason::UsageLimit { .. },
                ) => Exit::Blocked,
                Some(PauseReason::Interrupted) => Exit::Interrupted,
                None if run.status() == RunStatus::Running => Exit::Interrupted,
                None if needs_decision(run) => Exit::Blocked,
                None if needs_verdicts_alone(run) => Exit::Judgment,
                None => Exit::Waiting,
            },
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit.code())
    }
}

/// Whether something failed for good, as opposed to work that people were always to do.
fn needs_decision(run: &Run) -> bool {
    let escalated = run.counts().of(TaskStatus::Blocked) > 0
        && run
            .tasks()
            .iter()
            .any(|task| matches!(task.state, TaskState::Escalated(_)));
    let held = match &run.finally {
        Final::Held { verdicts, tasks } => {
            !tasks.is_empty() || verdicts.iter().any(|v| v.outcome == Outcome::Fail)
        }
        Final::Open | Final::Passed(_) => false,
    };
    escalated || held
}

/// Whether people have nothing to do but to judge what was made. Nobody works on it any more.
fn needs_verdicts_alone(run: &Run) -> bool {
    let is_judged = |task: &Task| {
        task.live()
            .is_some_and(|live| matches!(live.phase, Phase::Held { .. }))
    };
    let is_theirs = |task: &Task| {
        let is_asked = task.status() == TaskStatus::Blocked && !is_judged(task);
        let live = task.live();
        is_asked || live.is_some_and(|it| it.awaits_submission() || it.asks().next().is_some())
    };
    let whole = matches!(run.finally, Final::Held { .. });
    (whole || run.tasks().iter().any(is_judged)) && !run.tasks().iter().any(is_theirs)
}

/// The table at the end of `divisi --help`.
pub(crate) fn help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for exit in Exit::ALL {
        text.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_the_same_table() {
        let page = include_str!("../../../docs/reference/exit-codes.md");
        let rows: Vec<String> = page
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| code"))
            .map(str::to_owned)
            .collect();
        let expected: Vec<String> = Exit::ALL
            .iter()
            .map(|exit| format!("| {} | {} |", exit.code(), exit.meaning()))
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_composition_says_who_is_to_blame() {
        let code = |exit: Exit| i32::from(exit.code());
        assert_eq!(code(Exit::Failed), divisi_engine::compose::REFUSED_STATUS);
        assert_eq!(
            code(Exit::Environment),
            divisi_engine::compose::HINDERED_STATUS
        );
    }

    #[test]
    fn no_two_ends_share_a_code() {
        let codes: std::collections::BTreeSet<u8> =
            Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
