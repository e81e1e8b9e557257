//! Measuring a candidate that passed its checks: what it changes, and what the program prints by
//! which its task is to be chosen.
//!
//! Numbers are data for the core, which compares them. That a program prints none is no failure of the
//! candidate: those that were measured are preferred.

use divisi_core::figure::Figure;
use divisi_core::plan::Preference;
use divisi_core::receipt::{Exit, Measured, Snapshot};
use divisi_core::run::{Command, Run};
use divisi_core::{AttemptId, shell};

use super::input::{Failed, Finished};
use super::judging::Judging;
use super::preparation::Preparing;
use super::programs::Program;
use super::shell::Shell;
use crate::checks::ProgramEnd;
use crate::failpoint;
use divisi_core::criterion::truncate;
use divisi_core::diagnostic::chain;

/// Of what a program said instead of a number, so many bytes are told.
const SAID_BYTES_MAX: usize = 200;

/// What measuring one candidate needs.
pub(super) struct Measuring {
    attempt: AttemptId,
    /// `None` where it made no files.
    snapshot: Option<Snapshot>,
    prefer: Option<Preference>,
    /// The number of its log, after those of its checks.
    log: u16,
    preparing: Preparing,
}

impl Measuring {
    pub(super) fn of(run: &Run, attempt: AttemptId) -> Option<Measuring> {
        let task = run.task(attempt.task)?;
        let of = run.task(run.candidate_of(attempt.task)?)?;
        Some(Measuring {
            attempt,
            snapshot: task.live()?.snapshot().cloned(),
            prefer: { of.spec.candidates.as_ref() }.and_then(|it| it.prefer.clone()),
            log: task.spec.criteria.len() as u16,
            preparing: Preparing::of(run),
        })
    }

    /// Counts and runs. An error is a reason of ours, worth another try.
    pub(super) fn measure(self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("measure.before");
        let mut measured = Measured::default();
        if let Some(snapshot) = &self.snapshot {
            let pool = shell.pool()?;
            let lines = pool.repo().lines_changed(&snapshot.base, &snapshot.commit);
            measured.lines = lines.map_err(|it| chain(&it))?;
        }
        if let Some(prefer) = &self.prefer {
            match self.figure(shell, prefer)? {
                Ok(figure) => measured.figure = Some(figure),
                Err(cause) => measured.lacking = Some(shell.masked(cause)),
            }
        }
        failpoint::hit("measure.after");
        Ok(Finished::told(Command::Measured {
            attempt: self.attempt,
            measured,
        }))
    }

    /// The number that the program prints in a clean checkout of the candidate; or why there is none.
    fn figure(&self, shell: &Shell, prefer: &Preference) -> Result<Result<Figure, String>, Failed> {
        let Some(snapshot) = &self.snapshot else {
            return Ok(Err("there are no files to be measured".to_owned()));
        };
        let judging = Judging {
            shell,
            preparing: &self.preparing,
            tree: &snapshot.tree,
            commit: &snapshot.commit,
            base: &snapshot.base,
        };
        let checkout = match judging.checkout(self.attempt)? {
            Err(cause) => return Ok(Err(format!("its checkout cannot be prepared: {cause}"))),
            Ok(checkout) => checkout,
        };
        let program = Program {
            shell,
            attempt: self.attempt,
            folder: checkout.path(),
            log: &shell.check_log(self.attempt, self.log),
        };
        let end = program.run(&prefer.argv, prefer.timeout_ms);
        let line = shell::line(&prefer.argv);
        match end {
            ProgramEnd::NotStarted {
                cause,
                permanent: false,
            } => Err(Failed::Ours(format!("run `{line}`: {cause}"))),
            ProgramEnd::NotStarted { cause, .. } => {
                Ok(Err(format!("`{line}` did not start: {cause}")))
            }
            ProgramEnd::TimedOut { .. } => Ok(Err(format!(
                "`{line}` was ended after {} ms",
                prefer.timeout_ms
            ))),
            ProgramEnd::Ended {
                exit: Exit::Status(0),
                tail,
                ..
            } => Ok(Figure::read(&tail).ok_or_else(|| {
                let mut said = tail.trim().to_owned();
                truncate(&mut said, SAID_BYTES_MAX);
                format!("`{line}` printed no single number: {said:?}")
            })),
            ProgramEnd::Ended { exit, .. } => Ok(Err(format!("`{line}` ended with {exit}"))),
        }
    }
}
