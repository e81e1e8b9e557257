//! Weighing a review: its verdicts are read, and all evidence that they cite is looked up in what was
//! reviewed, never in what the reviewer left.
//!
//! What it finds is data for the core. A verdict of which any evidence does not hold is none.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::criterion::{Outcome, Verdict, truncate};
use divisi_core::receipt::{Exit, Snapshot};
use divisi_core::run::{Command, Run, Subject, VERDICT_FILE, citable};
use divisi_core::{AttemptId, Commit, Criterion};
use divisi_pack::verdict_file::{self, Evidence, Judgment, VERDICT_BYTES_MAX};

use super::input::{Failed, Finished};
use super::judging::{Asked, Judging};
use super::preparation::Preparing;
use super::shell::Shell;
use crate::failpoint;
use crate::files::{Entry, Files};
use divisi_core::diagnostic::chain;

/// A larger file is no evidence: it is read into memory.
const CITED_BYTES_MAX: u64 = 8 << 20;

/// Of a cited text, so much stands in the verdict.
const QUOTE_BYTES_MAX: usize = 200;

/// Of a reviewer's words, so much stands in the verdict.
const WHY_BYTES_MAX: usize = 1_000;

/// Of all that it cites, so much: with who judged, it is less than a verdict may hold.
const SHOWN_BYTES_MAX: usize = 2_500;

/// What weighing one review needs.
pub(super) struct Weighing {
    attempt: AttemptId,
    /// What the reviewer left.
    snapshot: Option<Snapshot>,
    /// `None` if nobody needs it any more.
    reviewed: Option<Reviewed>,
    /// Who judged, in words.
    by: String,
    preparing: Preparing,
}

/// What was reviewed.
struct Reviewed {
    commit: Commit,
    base: Commit,
    /// The numbers of what was to be judged.
    asked: BTreeSet<u16>,
    /// The commands that may be cited, as criteria.
    commands: Vec<Criterion>,
}

impl Reviewed {
    fn of(run: &Run, subject: &Subject) -> Option<Reviewed> {
        let (criteria, verdicts) = run.under_review(subject)?;
        let (commit, base) = run.reviewed_commits(subject)?;
        let open = { verdicts.iter() }.filter(|it| it.outcome == Outcome::Unverified);
        Some(Reviewed {
            commit: commit.clone(),
            base: base.clone(),
            asked: open.map(|it| it.criterion).collect(),
            commands: citable(run, criteria).cloned().collect(),
        })
    }
}

impl Weighing {
    pub(super) fn of(run: &Run, attempt: AttemptId) -> Option<Weighing> {
        let task = run.task(attempt.task)?;
        let (live, subject) = (task.live()?, task.reviews.as_ref()?);
        let by = match run.is_author(subject, &live.agent) {
            true => format!("{}, which did the work itself", live.agent),
            false => live.agent.clone(),
        };
        Some(Weighing {
            attempt,
            snapshot: live.snapshot().cloned(),
            reviewed: Reviewed::of(run, subject),
            by,
            preparing: Preparing::of(run),
        })
    }

    /// Reads and looks up. An error is a reason of ours, worth another try.
    pub(super) fn weigh(self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("weigh.before");
        let weighed = match &self.reviewed {
            None => Ok(Vec::new()),
            Some(reviewed) => self.verdicts(shell, reviewed)?,
        };
        failpoint::hit("weigh.after");
        let attempt = self.attempt;
        Ok(Finished::told(match weighed {
            Ok(verdicts) => Command::Weighed { attempt, verdicts },
            Err(faults) => Command::WeighRefused {
                attempt,
                faults: faults.into_iter().map(|it| shell.masked(it)).collect(),
            },
        }))
    }

    fn verdicts(
        &self,
        shell: &Shell,
        reviewed: &Reviewed,
    ) -> Result<Result<Vec<Verdict>, Vec<String>>, Failed> {
        let text = match self.text(shell)? {
            Ok(text) => text,
            Err(cause) => return Ok(Err(vec![cause])),
        };
        let judged = match verdict_file::read(&text, &reviewed.asked) {
            Ok(judged) => judged,
            Err(faults) => {
                let placed = |fault: &String| format!("{VERDICT_FILE}: {fault}");
                return Ok(Err(faults.iter().map(placed).collect()));
            }
        };
        let pool = shell.pool()?;
        let repo = pool.repo();
        let tree = repo.tree_of(&reviewed.commit).map_err(|it| chain(&it))?;
        let files = repo.files(&tree, None).map_err(|it| chain(&it))?;
        let judging = Judging {
            shell,
            preparing: &self.preparing,
            tree: &tree,
            commit: &reviewed.commit,
            base: &reviewed.base,
        };
        let (mut verdicts, mut faults) = (Vec::new(), Vec::new());
        let mut ends = Ends::default();
        for one in &judged {
            for piece in &one.evidence {
                let held = match piece {
                    Evidence::File { file, line, text } => stands(&files, file, *line, text)?,
                    Evidence::Command { argv, exit } => {
                        let run = || self.run(&judging, &files, reviewed, argv);
                        ends.compare(argv, *exit, run)?
                    }
                };
                if let Err(cause) = held {
                    let no = one.criterion;
                    faults.push(format!("the verdict on criterion {no} is void: {cause}"));
                }
            }
            verdicts.push(self.verdict(shell, one));
        }
        Ok(match faults.is_empty() {
            true => Ok(verdicts),
            false => Err(faults),
        })
    }

    /// What the reviewer wrote; what stood there before it is somebody else's.
    fn text(&self, shell: &Shell) -> Result<Result<String, String>, Failed> {
        let Some(snapshot) = &self.snapshot else {
            return Ok(Err(format!("there is no {VERDICT_FILE}")));
        };
        let pool = shell.pool()?;
        let repo = pool.repo();
        let files = repo.files(&snapshot.tree, None);
        let files = files.map_err(|it| chain(&it))?;
        let read = small(&files, VERDICT_FILE, VERDICT_BYTES_MAX)?;
        let before = repo.tree_of(&snapshot.base).map_err(|it| chain(&it))?;
        let before = repo.files(&before, None).map_err(|it| chain(&it))?;
        if read.is_ok() && read == small(&before, VERDICT_FILE, VERDICT_BYTES_MAX)? {
            return Ok(Err(format!(
                "{VERDICT_FILE} is the one that was there before the review"
            )));
        }
        Ok(read.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| format!("{VERDICT_FILE} is no text"))
        }))
    }

    /// Runs a command that the plan names, in a clean checkout of what was reviewed.
    fn run(
        &self,
        judging: &Judging<'_>,
        files: &dyn Files,
        reviewed: &Reviewed,
        argv: &[String],
    ) -> Result<Ended, Failed> {
        let line = divisi_core::shell::line(argv);
        let is_it =
            |it: &Criterion| matches!(it, Criterion::Command { argv: own, .. } if own == argv);
        let Some(at) = reviewed.commands.iter().position(is_it) else {
            return Ok(Err(format!("`{line}` is no command that it may cite")));
        };
        let asked = Asked {
            attempt: self.attempt,
            criteria: &reviewed.commands[at..=at],
            // Each has a log of its own.
            numbers: Some(&[at]),
            exit: None,
            passed_before: &[],
        };
        let mut verdicts = judging.verdicts(&asked, files)?;
        Ok(match verdicts.pop() {
            Some(verdict) => match verdict.program {
                Some(program) => Ok(program.exit),
                // It could not be started, or its time was over.
                None => Err(verdict.evidence),
            },
            None => Err(format!("`{line}` was not run")),
        })
    }

    fn verdict(&self, shell: &Shell, judged: &Judgment) -> Verdict {
        let shown: Vec<String> = judged.evidence.iter().map(shown).collect();
        let why = shell.masked(judged.why.trim().to_owned());
        let evidence = told(why, shell.masked(shown.join("; ")), &self.by);
        let outcome = match judged.holds {
            true => Outcome::Pass,
            false => Outcome::Fail,
        };
        Verdict {
            outcome,
            evidence,
            ..Verdict::pass(judged.criterion)
        }
    }
}

/// How a command ended that was cited; or why that is not known.
type Ended = Result<Exit, String>;

/// How the commands that a verdict cites ended: each is run once, however often it is cited.
#[derive(Default)]
struct Ends<'v>(BTreeMap<&'v [String], Ended>);

impl<'v> Ends<'v> {
    /// Whether a command ends so. `run` says how it ends.
    fn compare(
        &mut self,
        argv: &'v [String],
        exit: i32,
        run: impl FnOnce() -> Result<Ended, Failed>,
    ) -> Result<Result<(), String>, Failed> {
        let ended = match self.0.get(argv) {
            Some(known) => known.clone(),
            None => {
                let ended = run()?;
                self.0.insert(argv, ended.clone());
                ended
            }
        };
        let line = || divisi_core::shell::line(argv);
        Ok(match ended {
            Ok(Exit::Status(status)) if status == exit => Ok(()),
            Ok(other) => Err(format!("`{}` ended with {other}, not {exit}", line())),
            Err(cause) => Err(cause),
        })
    }
}

/// A verdict's grounds. However long a reviewer writes, what shows it and who judged stand there.
fn told(mut why: String, mut shown: String, by: &str) -> String {
    truncate(&mut why, WHY_BYTES_MAX);
    truncate(&mut shown, SHOWN_BYTES_MAX);
    format!("{why} ({shown}; judged by {by})")
}

/// A piece of evidence on one line.
fn shown(piece: &Evidence) -> String {
    match piece {
        Evidence::File { file, line, text } => {
            let mut text = text.lines().next().unwrap_or_default().trim().to_owned();
            truncate(&mut text, QUOTE_BYTES_MAX);
            format!("{file}:{line}: {text}")
        }
        Evidence::Command { argv, exit } => {
            format!("`{}` ends with {exit}", divisi_core::shell::line(argv))
        }
    }
}

/// A file that is not too large to be looked at; or why not.
fn small(files: &dyn Files, path: &str, bytes_max: u64) -> Result<Result<Vec<u8>, String>, Failed> {
    let ours = |error: std::io::Error| format!("read {path}: {error}");
    let entry = match files.entry(path) {
        // A path that leads out, or none at all, is the reviewer's fault.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            return Ok(Err(format!("{path:?} is no path in the tree")));
        }
        entry => entry.map_err(ours)?,
    };
    match entry {
        Entry::File { bytes, .. } if bytes > bytes_max => Ok(Err(format!(
            "{path} has {bytes} bytes, at most {bytes_max} are looked at"
        ))),
        Entry::File { .. } => Ok(Ok(files.read(path, bytes_max).map_err(ours)?)),
        Entry::Missing | Entry::Link | Entry::Folder | Entry::Other => {
            Ok(Err(format!("{path} is no file")))
        }
    }
}

/// Whether a text stands in a line of a file, or begins there and goes on in the next ones.
fn stands(
    files: &dyn Files,
    path: &str,
    line: u64,
    text: &str,
) -> Result<Result<(), String>, Failed> {
    let bytes = match small(files, path, CITED_BYTES_MAX)? {
        Ok(bytes) => bytes,
        Err(cause) => return Ok(Err(cause)),
    };
    let content = String::from_utf8_lossy(&bytes);
    let wanted: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    let first = usize::try_from(line - 1).unwrap_or(usize::MAX);
    let there: Vec<&str> = content.lines().skip(first).take(wanted.len()).collect();
    if there.is_empty() {
        let many = content.lines().count();
        return Ok(Err(format!("{path} has no line {line}, it has {many}")));
    }
    let joined = wanted.iter().map(|it| it.trim_end_matches('\r'));
    let joined: Vec<&str> = joined.collect();
    Ok(match there.join("\n").contains(&joined.join("\n")) {
        true => Ok(()),
        false => Err(format!("the text does not stand in {path}:{line}")),
    })
}

#[cfg(test)]
mod tests;
