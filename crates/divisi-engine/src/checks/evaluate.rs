//! From criteria to verdicts: which check evaluates what, and what its end means.

use std::io;

use divisi_core::criterion::{Cost, Criterion, Format, Outcome, Program, Verdict};
use divisi_core::path::beneath;
use divisi_core::receipt::{Exit, Output};
use divisi_core::shell;

use super::evidence::{short, tail};
use super::{cites, each, format, markdown, paths, schema, text};
use crate::files::{Entry, Files};

/// Why a criterion could not be evaluated, though nothing is wrong with what was made. Worth
/// trying again once the cause is gone; never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The tree could not be read.
    #[error("read {path} for a check")]
    Read {
        /// What was read; empty for the tree's list of files.
        path: String,
        /// What the storage reported.
        source: io::Error,
    },
    /// A check's program could not be started for a reason that may pass.
    #[error("start `{argv}` for a check: {cause}")]
    Program {
        /// The command line.
        argv: String,
        /// A lower-case fragment.
        cause: String,
    },
    /// A check's own thread could not be started.
    #[error("start a thread for a check")]
    Thread {
        /// What the system reported.
        source: io::Error,
    },
}

/// How a check's program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramEnd {
    /// By itself.
    Ended {
        /// How.
        exit: Exit,
        /// The last bytes it printed; invalid UTF-8 replaced.
        tail: String,
        /// All that it printed, by digest; `None` if nothing.
        output: Option<Output>,
    },
    /// It was ended because its time was over.
    TimedOut {
        /// The last bytes it printed.
        tail: String,
    },
    /// It did not start.
    NotStarted {
        /// Why, as a lower-case fragment.
        cause: String,
        /// Whether trying again exactly so will fail again (no such program): then the check
        /// fails, otherwise it is an error of ours.
        permanent: bool,
    },
}

/// Runs the programs of command criteria, each in a clean checkout of the tree.
pub trait Programs {
    /// Runs one to its end, or ends it and its descendants after `timeout_ms`. `criterion` is its
    /// place among the task's criteria and may name a log.
    fn run(&self, criterion: u16, argv: &[String], timeout_ms: u64) -> ProgramEnd;
}

/// Why a check did not pass.
pub(super) enum Stop {
    /// The criterion does not hold; with what was seen.
    Fails(String),
    /// No rule can tell; with why.
    Unverified(String),
    /// It could not be evaluated.
    Error(CheckError),
}

impl From<CheckError> for Stop {
    fn from(error: CheckError) -> Stop {
        Stop::Error(error)
    }
}

/// What a check says: nothing where the criterion holds.
pub(super) type Checked = Result<(), Stop>;

/// A failing check, as an error to return.
pub(super) fn fails<T>(evidence: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fails(evidence.into()))
}

/// Evaluates the criteria that only read files, before the work or for a first look. Others have
/// no verdict here.
///
/// A criterion that passes before the work goes into `passed_before` of [`evaluate`].
///
/// # Errors
/// The tree could not be read.
pub fn cheap(criteria: &[Criterion], files: &dyn Files) -> Result<Vec<Verdict>, CheckError> {
    numbered(criteria)
        .filter(|(_, criterion)| criterion.cost() == Cost::Cheap)
        .map(|(no, criterion)| verdict(no, check_files(criterion, files)))
        .collect()
}

/// Evaluates all criteria: one verdict each, in order.
///
/// `exit` is how the agent ended and which statuses are good; `None` where there was no agent.
/// `passed_before` are the criteria that passed on the tree before the work: if they pass again,
/// that proves nothing about the work (X2). A scope is never marked so: it holds before any work
/// by its nature, and still forbids something.
///
/// # Errors
/// The tree could not be read, or a program not started for a reason that may pass.
pub fn evaluate(
    criteria: &[Criterion],
    exit: Option<(&Exit, &[i32])>,
    files: &dyn Files,
    programs: &dyn Programs,
    passed_before: &[u16],
) -> Result<Vec<Verdict>, CheckError> {
    numbered(criteria)
        .map(|(no, criterion)| {
            let mut program = None;
            let checked = match criterion {
                Criterion::ExitStatus => check_exit(exit),
                Criterion::Command { argv, timeout_ms } => {
                    let end = programs.run(no, argv, *timeout_ms);
                    program = receipt(&end, argv);
                    check_program(&end, argv, *timeout_ms)
                }
                Criterion::Plain { .. } => {
                    Err(Stop::Unverified("no rule understands these words".into()))
                }
                _ => check_files(criterion, files),
            };
            let mut verdict = verdict(no, checked)?;
            verdict.program = program;
            verdict.proves_nothing = verdict.outcome == Outcome::Pass
                && criterion.cost() == Cost::Cheap
                && !matches!(criterion, Criterion::Scope { .. })
                && passed_before.contains(&no);
            Ok(verdict)
        })
        .collect()
}

/// The criteria with their places. Places are 16 bits wide; a plan has no more criteria a task.
fn numbered(criteria: &[Criterion]) -> impl Iterator<Item = (u16, &Criterion)> {
    (0..=u16::MAX).zip(criteria)
}

fn verdict(no: u16, checked: Checked) -> Result<Verdict, CheckError> {
    match checked {
        Ok(()) => Ok(Verdict::pass(no)),
        Err(Stop::Fails(evidence)) => Ok(Verdict::fail(no, evidence)),
        Err(Stop::Unverified(evidence)) => Ok(Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::fail(no, evidence)
        }),
        Err(Stop::Error(error)) => Err(error),
    }
}

pub(super) fn check_files(criterion: &Criterion, files: &dyn Files) -> Checked {
    match criterion {
        Criterion::File { path, min_bytes } => check_size(files, path, *min_bytes),
        Criterion::Contains { text, path } => text::contains(files, path, text),
        Criterion::Lacks { text, path } => text::lacks(files, path, text),
        Criterion::Matches { pattern, path } => text::matches(files, path, pattern),
        Criterion::Section { heading, path } => markdown::section(files, path, heading),
        Criterion::Format {
            format: Format::Markdown,
            path,
        } => markdown::format(files, path),
        Criterion::Format { format, path } => format::check(files, path, *format),
        Criterion::Schema { schema, path } => schema::check(files, path, schema),
        Criterion::Scope { patterns } => paths::scope(files, patterns),
        Criterion::Changed { pattern } => paths::changed(files, pattern),
        Criterion::Count { pattern, min, max } => paths::count(files, pattern, *min, *max),
        Criterion::Each { pattern, holds } => each::check(files, pattern, holds),
        Criterion::Cites { path } => cites::check(files, path),
        Criterion::ExitStatus | Criterion::Command { .. } | Criterion::Plain { .. } => Err(
            Stop::Unverified("files alone cannot tell whether it holds".into()),
        ),
    }
}

fn check_exit(exit: Option<(&Exit, &[i32])>) -> Checked {
    match exit {
        None | Some((Exit::NoProcess, _)) => Err(Stop::Unverified(
            "no process ran, so there is no exit status".into(),
        )),
        Some((Exit::Status(status), ok)) if ok.contains(status) => Ok(()),
        Some((exit, ok)) => {
            let ok: Vec<String> = ok.iter().map(ToString::to_string).collect();
            fails(format!("{exit}; expected {}", ok.join(" or ")))
        }
    }
}

/// Evidence of a program that ran to its end.
fn receipt(end: &ProgramEnd, argv: &[String]) -> Option<Box<Program>> {
    let ProgramEnd::Ended { exit, output, .. } = end else {
        return None;
    };
    Some(Box::new(Program {
        command: short(&shell::line(argv), 200),
        exit: exit.clone(),
        output: output.clone(),
    }))
}

fn check_program(end: &ProgramEnd, argv: &[String], timeout_ms: u64) -> Checked {
    let line = || short(&shell::line(argv), 200);
    let after = |what: String, printed: &str| match tail(printed) {
        printed if printed.is_empty() => format!("{what}; it printed nothing"),
        printed => format!("{what}; it printed:\n{printed}"),
    };
    match end {
        ProgramEnd::Ended {
            exit: Exit::Status(0),
            ..
        } => Ok(()),
        ProgramEnd::Ended { exit, tail, .. } => fails(after(
            format!("`{}` ended with {exit}, expected exit status 0", line()),
            tail,
        )),
        ProgramEnd::TimedOut { tail } => fails(after(
            format!("`{}` was ended after {timeout_ms} ms", line()),
            tail,
        )),
        ProgramEnd::NotStarted {
            cause,
            permanent: true,
        } => fails(format!("`{}` did not start: {}", line(), short(cause, 500))),
        ProgramEnd::NotStarted {
            cause,
            permanent: false,
        } => Err(Stop::Error(CheckError::Program {
            argv: line(),
            cause: cause.clone(),
        })),
    }
}

fn check_size(files: &dyn Files, path: &str, min_bytes: u64) -> Checked {
    let bytes = size(files, path)?;
    if bytes < min_bytes {
        let path = short(path, 200);
        return fails(format!(
            "{path} has {bytes} bytes, at least {min_bytes} are expected"
        ));
    }
    Ok(())
}

/// The size of the regular file at the path.
pub(super) fn size(files: &dyn Files, path: &str) -> Result<u64, Stop> {
    let shown = short(path, 200);
    if let Err(fault) = beneath(path) {
        return fails(format!("the path {shown} {fault}"));
    }
    match files.entry(path).map_err(|source| cannot(path, source))? {
        Entry::File { bytes, .. } => Ok(bytes),
        Entry::Missing => fails(format!("{shown} is missing")),
        Entry::Link => fails(format!(
            "{shown} is a symbolic link or leads through one; a regular file is expected"
        )),
        Entry::Folder => fails(format!("{shown} is a folder; a regular file is expected")),
        Entry::Other => fails(format!(
            "{shown} is neither file nor folder; a regular file is expected"
        )),
    }
}

/// All bytes of the regular file at the path, which may have at most `bytes_max`.
pub(super) fn content(files: &dyn Files, path: &str, bytes_max: u64) -> Result<Vec<u8>, Stop> {
    let bytes = size(files, path)?;
    if bytes > bytes_max {
        return fails(format!(
            "{} has {bytes} bytes; this check reads files of at most {bytes_max}",
            short(path, 200)
        ));
    }
    files
        .read(path, bytes_max)
        .map_err(|source| cannot(path, source))
}

/// The same as text.
pub(super) fn utf8(files: &dyn Files, path: &str, bytes_max: u64) -> Result<String, Stop> {
    String::from_utf8(content(files, path, bytes_max)?).or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        fails(format!(
            "{} is not UTF-8: invalid at byte {at}",
            short(path, 200)
        ))
    })
}

/// What an I/O error means: a file that its maker made unreadable fails its check, everything
/// else is our trouble.
pub(super) fn cannot(path: &str, source: io::Error) -> Stop {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            Stop::Fails(format!("{} cannot be read: {source}", short(path, 200)))
        }
        io::ErrorKind::QuotaExceeded => Stop::Fails(source.to_string()),
        _ => Stop::Error(CheckError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
