//! Tasks of what a plan task's attempt planned: the plan that its agent wrote is read, or rules are
//! matched against the files that are integrated by then.
//!
//! Either way the outcome is data for the core, which decides whether it can be run. What cannot be
//! read refuses the attempt with every fault and its place; nothing is guessed in its stead.

use std::collections::BTreeSet;
use std::sync::Arc;

use divisi_core::diagnostic::{Severity, chain};
use divisi_core::plan::{Expansion, Parts, Plan, Work};
use divisi_core::receipt::Snapshot;
use divisi_core::run::{Budget, Command, Run, Settings, Sizes};
use divisi_core::{AttemptId, Commit, Diagnostic, Digest, Intent, TaskNo};
use divisi_pack::bundle::{self, Bundle};
use divisi_pack::plan_file::{self, ReadParts};
use divisi_pack::role::Library;
use divisi_pack::{lint, request};

use super::input::{Failed, Finished};
use super::shell::Shell;
use crate::failpoint;
use crate::files::{Entry, Files};

/// A longer plan is not read: this has room for thousands of tasks, and is read into memory.
const PLAN_BYTES_MAX: u64 = 8 << 20;

/// What expanding one attempt needs.
pub(super) struct Expanding {
    attempt: AttemptId,
    source: Source,
}

/// Where the tasks come from.
enum Source {
    /// A plan that stands at a path of what was collected.
    Written {
        snapshot: Option<Snapshot>,
        path: Option<String>,
        whole: Option<Box<Whole>>,
    },
    /// Rules, matched against the files of the run's head.
    Rules {
        expansion: Expansion,
        head: Option<Commit>,
    },
}

/// What a plan of the whole is held against.
struct Whole {
    intent: Arc<Intent>,
    /// The roles that the run knows, as tasks name them.
    roles: Vec<String>,
    budget: Budget,
    sizes: Sizes,
}

impl Whole {
    /// Of a task that plans an intent.
    fn of(run: &Run, task: TaskNo) -> Option<Whole> {
        let intent = run.intent.clone().filter(|_| run.plans_whole(task))?;
        Some(Whole {
            intent,
            roles: run.roles.keys().cloned().collect(),
            budget: run.settings.budget,
            sizes: run.settings.sizes,
        })
    }

    /// Reads and lints it.
    fn read(&self, path: &str, bytes: &[u8], files: &[String]) -> ReadParts {
        let request = request::read(self.intent.request());
        let roles = Library::named(self.roles.iter().map(String::as_str));
        let given = lint::Given {
            request: Some(&request),
            roles: Some(&roles),
            files: Some(files),
            budget: self.budget,
            author: lint::Author::Agent,
            sizes: self.sizes,
        };
        lint::read_whole(path, bytes, &given)
    }
}

impl Expanding {
    pub(super) fn of(run: &Run, attempt: AttemptId) -> Option<Expanding> {
        let task = run.task(attempt.task)?;
        let source = match &task.spec.work {
            Work::Expand(expansion) => Source::Rules {
                expansion: expansion.clone(),
                head: run.integration.head.clone(),
            },
            _ => Source::Written {
                snapshot: task.live()?.snapshot().cloned(),
                path: task.spec.deliverables.first().map(|it| it.path.clone()),
                whole: Whole::of(run, attempt.task).map(Box::new),
            },
        };
        Some(Expanding { attempt, source })
    }

    /// Reads what was planned. An error is a reason of ours, worth another try.
    pub(super) fn expand(self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("expand.before");
        let (from, read) = match self.source {
            Source::Written {
                snapshot,
                path,
                whole,
            } => {
                let from = snapshot.as_ref().map(|snapshot| snapshot.commit.clone());
                let read = written(shell, snapshot.as_ref(), path.as_deref(), whole.as_deref())?;
                (from, read)
            }
            Source::Rules { expansion, head } => {
                let read = by_rules(shell, &expansion, head.as_ref())?;
                (head, read)
            }
        };
        failpoint::hit("expand.after");
        let attempt = self.attempt;
        let masked = |words: Vec<String>| -> Vec<String> {
            words.into_iter().map(|it| shell.masked(it)).collect()
        };
        let advice = masked(read.advice);
        Ok(Finished::told(match read.parts {
            Ok(parts) => Command::Expanded {
                attempt,
                from,
                parts,
                advice,
            },
            Err(faults) => Command::ExpandRefused {
                attempt,
                faults: masked(faults),
                advice,
            },
        }))
    }
}

impl Shell {
    /// Bytes come before the event that names them: every bundle that a plan names is there, and
    /// the rehearsal that its settings name.
    pub(super) fn has_artifacts(&self, plan: &Plan, settings: &Settings) -> Result<(), Diagnostic> {
        let named = plan.tasks.iter().filter_map(|task| match &task.work {
            Work::Expand(expansion) => Some(&expansion.bundle),
            _ => None,
        });
        let bundles: BTreeSet<&Digest> = named.collect();
        let bundles = bundles.into_iter().map(|digest| ("bundle", digest));
        let rehearsal = settings.rehearsal.iter().map(|it| ("rehearsal", it));
        for (what, digest) in bundles.chain(rehearsal) {
            let cause = match self.artifacts.get(digest) {
                Ok(Some(_)) => continue,
                Ok(None) => format!("the run names the {what} {digest}, which is not there"),
                Err(fault) => format!("the {what} {digest} cannot be read: {fault}"),
            };
            return Err(Diagnostic::error("bundle-missing", cause).hint(format!(
                "start the run anew with `divisi run`, which makes its {what}"
            )));
        }
        Ok(())
    }
}

/// What was planned, as it was read.
struct Planned {
    /// Parts, or what is wrong with them; whoever planned them can mend it.
    parts: Result<Parts, Vec<String>>,
    /// What there is to say about them that is no fault.
    advice: Vec<String>,
}

impl Planned {
    fn of(parts: Option<Parts>, diagnostics: &[Diagnostic]) -> Planned {
        Planned {
            parts: parts.ok_or_else(|| words(diagnostics, Severity::Error)),
            advice: words(diagnostics, Severity::Warning),
        }
    }
}

fn refused(cause: String) -> Planned {
    Planned {
        parts: Err(vec![cause]),
        advice: Vec::new(),
    }
}

/// Reads the plan that an agent wrote, from what was collected of it.
fn written(
    shell: &Shell,
    snapshot: Option<&Snapshot>,
    path: Option<&str>,
    whole: Option<&Whole>,
) -> Result<Planned, String> {
    let (Some(snapshot), Some(path)) = (snapshot, path) else {
        return Ok(refused(
            "the task promises no file that could hold a plan".to_owned(),
        ));
    };
    let pool = shell.pool()?;
    let files = pool
        .repo()
        .files(&snapshot.tree, None)
        .map_err(|error| chain(&error))?;
    let io = |error: std::io::Error| format!("read {path}: {error}");
    match files.entry(path).map_err(io)? {
        Entry::File { bytes, .. } if bytes > PLAN_BYTES_MAX => {
            return Ok(refused(format!(
                "{path} has {bytes} bytes, at most {PLAN_BYTES_MAX} are read as a plan"
            )));
        }
        Entry::File { .. } => {}
        Entry::Missing | Entry::Link | Entry::Folder | Entry::Other => {
            return Ok(refused(format!("{path} is no file")));
        }
    }
    let bytes = files.read(path, PLAN_BYTES_MAX).map_err(io)?;
    let read = match whole {
        None => plan_file::read_parts(path, &bytes),
        Some(whole) => {
            let mut paths = match files.list() {
                Ok(paths) => paths,
                // Too many to be judged by: nothing is said of inputs then.
                Err(error) if error.kind() == std::io::ErrorKind::QuotaExceeded => Vec::new(),
                Err(error) => return Err(io(error)),
            };
            // What plans is no part of the project.
            paths.retain(|it| it != path);
            whole.read(path, &bytes, &paths)
        }
    };
    Ok(Planned::of(read.parts, &read.diagnostics))
}

/// Matches a stage of a bundle against the files of a commit.
fn by_rules(
    shell: &Shell,
    expansion: &Expansion,
    head: Option<&Commit>,
) -> Result<Planned, String> {
    let stored = shell.artifacts.get(&expansion.bundle);
    let Some(bytes) = stored.map_err(|fault| format!("read the bundle: {fault}"))? else {
        return Ok(refused(format!(
            "the bundle {} is not there any more",
            expansion.bundle.short()
        )));
    };
    let paths = match head {
        None => Vec::new(),
        Some(head) => {
            let pool = shell.pool()?;
            let repo = pool.repo();
            let tree = repo.tree_of(head).map_err(|error| chain(&error))?;
            let files = repo.files(&tree, None).map_err(|error| chain(&error))?;
            match files.list() {
                Ok(paths) => paths,
                Err(error) if error.kind() == std::io::ErrorKind::QuotaExceeded => {
                    return Ok(refused(format!("list the files of the run: {error}")));
                }
                Err(error) => return Err(format!("list the files of {head}: {error}")),
            }
        }
    };
    let (parts, diagnostics) = rules(&bytes, &expansion.stage, &paths);
    Ok(Planned::of(parts, &diagnostics))
}

/// Faults, or advice, as the next handoff has them: code, place, cause and what helps.
fn words(diagnostics: &[Diagnostic], severity: Severity) -> Vec<String> {
    let of = diagnostics.iter().filter(|it| it.severity == severity);
    let word = |diagnostic: &Diagnostic| {
        let mut text = divisi_pack::printable(&diagnostic.to_string());
        for hint in &diagnostic.hints {
            text.push_str("; ");
            text.push_str(&divisi_pack::printable(hint));
        }
        text
    };
    of.map(word).collect()
}

/// The tasks of a stage, given the rules and the run's files, sorted.
fn rules(bundle: &[u8], stage: &str, paths: &[String]) -> (Option<Parts>, Vec<Diagnostic>) {
    let bundle = match Bundle::from_json(bundle) {
        Ok(bundle) => bundle,
        Err(cause) => return (None, vec![Diagnostic::error("bundle-unreadable", cause)]),
    };
    let expanded = bundle::expand(&bundle, stage, paths);
    let parts = expanded.expansion.map(|made| Parts {
        tasks: made.tasks,
        stage_context: made.context,
        ..Parts::default()
    });
    (parts, expanded.diagnostics)
}
