//! Effects after an attempt claims to be done: collect, check, integrate, check the whole.
//!
//! Each may be repeated freely: the same input gives the same commit, the same verdicts, the same
//! reference. They run on the threads's threads and touch no state of a run.

use std::sync::Arc;

use divisi_core::criterion::{Cost, Outcome, Verdict};
use divisi_core::plan::WorkspaceKind;
use divisi_core::receipt::{Exit, Receipt, Snapshot};
use divisi_core::run::{AttemptEnd, Merged, Run, TaskStatus};
use divisi_core::{AttemptId, Commit, Criterion, RunId, TaskNo, TaskSpec, Time, Tree};

use super::input::Finished;
use super::launch::{COLLECT_BYTES_MAX, Merging};
use super::programs::InCheckout;
use super::shell::Shell;
use super::supervised::chain;
use crate::checks::evaluate;
use crate::failpoint;
use crate::files::{Files, FolderFiles};
use crate::repo::Merged as Merge;
use crate::workspace::{CollectError, CollectOptions, Released, Workspace};

/// What collecting one attempt needs.
pub(super) struct Collecting {
    pub(super) attempt: AttemptId,
    pub(super) spec: Arc<TaskSpec>,
    pub(super) workspace: u32,
    pub(super) base: Option<Commit>,
    pub(super) at: Time,
    /// Late work of a given-up attempt: kept as it is, whatever was promised.
    pub(super) is_offer: bool,
}

impl Collecting {
    /// The live attempt's.
    pub(super) fn of(run: &Run, attempt: AttemptId) -> Option<Collecting> {
        let task = run.task(attempt.task)?;
        let live = task.live()?;
        let at = live.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Submitted { at, .. } => Some(*at),
            _ => None,
        });
        Some(Collecting {
            attempt,
            spec: Arc::clone(&task.spec),
            workspace: live.workspace,
            base: live.base.clone(),
            at: at.unwrap_or(live.leased_at),
            is_offer: false,
        })
    }

    /// An attempt's that is over.
    pub(super) fn of_ended(run: &Run, attempt: AttemptId) -> Option<Collecting> {
        let task = run.task(attempt.task)?;
        let ending = task.ending(attempt.number)?;
        Some(Collecting {
            attempt,
            spec: Arc::clone(&task.spec),
            workspace: ending.workspace,
            base: ending.base.clone(),
            at: ending.ended_at,
            is_offer: false,
        })
    }

    /// The same as late work: kept as it is, whatever was promised.
    pub(super) fn into_offer(self) -> Collecting {
        Collecting {
            is_offer: true,
            ..self
        }
    }

    pub(super) fn collect(self, shell: &Shell) -> Result<Finished, String> {
        let attempt = self.attempt;
        let Some(base) = self
            .base
            .clone()
            .filter(|_| self.spec.workspace != WorkspaceKind::Shared)
        else {
            return Ok(match self.is_offer {
                true => Finished::OfferCollected {
                    attempt,
                    snapshot: None,
                },
                false => Finished::Collected {
                    attempt,
                    snapshot: None,
                    artifacts: Vec::new(),
                },
            });
        };
        let pool = shell.pool()?;
        let workspace = self.workspace(shell, &base)?;
        let (_, secrets) = shell.environment(&self.spec.env, &[]);
        let deliverables: Vec<String> = self
            .spec
            .deliverables
            .iter()
            .map(|deliverable| deliverable.path.clone())
            .collect();
        let options = CollectOptions {
            message: &format!("{}: {}", self.spec.id, self.spec.title),
            at: self.at,
            deliverables: if self.is_offer { &[] } else { &deliverables },
            bytes_max: COLLECT_BYTES_MAX,
            secrets: &secrets,
        };
        match pool.collect(&workspace, &options) {
            Ok(collected) if self.is_offer => {
                let changed = collected.snapshot.commit != base;
                Ok(Finished::OfferCollected {
                    attempt,
                    snapshot: changed.then_some(collected.snapshot),
                })
            }
            Ok(collected) => Ok(Finished::Collected {
                attempt,
                snapshot: Some(collected.snapshot),
                artifacts: collected.artifacts,
            }),
            Err(CollectError::Fault(fault)) => Err(chain(&fault)),
            Err(CollectError::Refused(refusals)) => {
                // A secret must not stay under `.divisi`, least of all where it was refused.
                pool.mask_secrets(&workspace, &secrets, COLLECT_BYTES_MAX)
                    .map_err(|error| chain(&error))?;
                if self.is_offer {
                    return Ok(Finished::OfferCollected {
                        attempt,
                        snapshot: None,
                    });
                }
                let causes: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                Ok(Finished::CollectRefused {
                    attempt,
                    cause: shell.masked(causes.join("; ")),
                })
            }
        }
    }

    /// Gives the workspace of an integrated attempt back. It may be left undone.
    pub(super) fn release(self, shell: &Shell) {
        let Some(base) = self
            .base
            .clone()
            .filter(|_| self.spec.workspace != WorkspaceKind::Shared)
        else {
            return;
        };
        if let (Ok(pool), Ok(workspace)) = (shell.pool(), self.workspace(shell, &base)) {
            // What stays is found by `gc`.
            let _ = pool.release(&workspace, Released::Integrated);
        }
        let name = format!(
            "{}.{}.{}",
            self.attempt.run, self.attempt.task.0, self.attempt.number
        );
        let _ = std::fs::remove_dir_all(shell.options.dir.join("tmp").join(name));
    }

    fn workspace(&self, shell: &Shell, base: &Commit) -> Result<Workspace, String> {
        let pool = shell.pool()?;
        let (run, task) = (self.attempt.run, self.attempt.task);
        match self.spec.workspace {
            WorkspaceKind::Scratch => pool.scratch(run, task, self.workspace, base),
            _ => pool.worktree(run, task, self.workspace, base),
        }
        .map_err(|error| chain(&error))
    }
}

/// What checking one attempt needs.
pub(super) struct Checking {
    pub(super) attempt: AttemptId,
    pub(super) spec: Arc<TaskSpec>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) head: Option<Commit>,
    pub(super) exit: Exit,
    pub(super) passed_before: Vec<u16>,
}

impl Checking {
    pub(super) fn of(run: &Run, attempt: AttemptId) -> Option<Checking> {
        let task = run.task(attempt.task)?;
        let live = task.live()?;
        let exit = live.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Submitted { exit, .. } => Some(exit.clone()),
            _ => None,
        });
        Some(Checking {
            attempt,
            spec: Arc::clone(&task.spec),
            snapshot: live.snapshot().cloned(),
            head: run.integration.head.clone(),
            exit: exit.unwrap_or(Exit::NoProcess),
            passed_before: live.passed_before.clone(),
        })
    }

    pub(super) fn check(self, shell: &Shell) -> Result<Finished, String> {
        failpoint::hit("check.before");
        let exit = Some((&self.exit, self.spec.ok_exit.as_slice()));
        let criteria = &self.spec.criteria;
        let verdicts = match &self.snapshot {
            Some(snapshot) => {
                let pool = shell.pool()?;
                let repo = pool.repo();
                let base = repo
                    .tree_of(&snapshot.base)
                    .map_err(|error| chain(&error))?;
                let files = repo
                    .files(&snapshot.tree, Some(&base))
                    .map_err(|error| chain(&error))?;
                let verdicts = on_tree(
                    shell,
                    self.attempt,
                    criteria,
                    exit,
                    &files,
                    &snapshot.tree,
                    Some(&snapshot.commit),
                    &self.passed_before,
                )?;
                shell.keep_verdicts(&snapshot.tree, criteria, &verdicts);
                verdicts
            }
            None => {
                let head = self.head.as_ref().ok_or("the run has no base commit")?;
                let path = shell.shared(self.attempt.run, head)?;
                let files =
                    FolderFiles::open(&path, Vec::new()).map_err(|error| error.to_string())?;
                let programs = InCheckout {
                    shell,
                    attempt: self.attempt,
                    checkout: &path,
                };
                evaluate(criteria, exit, &files, &programs, &self.passed_before)
                    .map_err(|error| chain(&error))?
            }
        };
        failpoint::hit("check.after");
        Ok(Finished::Checked {
            attempt: self.attempt,
            verdicts,
        })
    }
}

/// Evaluates criteria on a tree; programs run in a clean checkout of it, made if one is needed.
#[expect(
    clippy::too_many_arguments,
    reason = "all of them describe one evaluation; none is optional"
)]
fn on_tree(
    shell: &Shell,
    attempt: AttemptId,
    criteria: &[Criterion],
    exit: Option<(&Exit, &[i32])>,
    files: &dyn Files,
    tree: &Tree,
    commit: Option<&Commit>,
    passed_before: &[u16],
) -> Result<Vec<Verdict>, String> {
    let needs_checkout = criteria
        .iter()
        .any(|criterion| criterion.cost() == Cost::Program);
    let checkout = match needs_checkout {
        false => None,
        true => Some(
            shell
                .pool()?
                .checkout(tree, commit)
                .map_err(|error| chain(&error))?,
        ),
    };
    let path = checkout
        .as_ref()
        .map_or(std::path::Path::new("/nonexistent"), |checkout| {
            checkout.path()
        });
    let programs = InCheckout {
        shell,
        attempt,
        checkout: path,
    };
    evaluate(criteria, exit, files, &programs, passed_before).map_err(|error| chain(&error))
}

/// Whether a criterion of a task can be judged again on a tree that holds more than its own work.
fn holds_on_the_whole(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::ExitStatus | Criterion::Plain { .. } | Criterion::Scope { .. } => false,
        Criterion::File { .. }
        | Criterion::Contains { .. }
        | Criterion::Lacks { .. }
        | Criterion::Matches { .. }
        | Criterion::Section { .. }
        | Criterion::Format { .. }
        | Criterion::Schema { .. }
        | Criterion::Command { .. }
        | Criterion::Count { .. }
        | Criterion::Each { .. } => true,
    }
}

/// Judges a task's criteria on a tree beyond its own; only failures are returned.
fn failures_on(
    shell: &Shell,
    attempt: AttemptId,
    criteria: &[Criterion],
    tree: &Tree,
    commit: &Commit,
) -> Result<Vec<Verdict>, String> {
    let mut failures = Vec::new();
    let mut open = Vec::new();
    for (at, criterion) in criteria
        .iter()
        .enumerate()
        .filter(|(_, c)| holds_on_the_whole(c))
    {
        match shell.known_verdict(tree, criterion) {
            Some(verdict) if verdict.outcome == Outcome::Pass => {}
            Some(verdict) => failures.push(Verdict {
                criterion: at as u16,
                ..verdict
            }),
            None => open.push(at),
        }
    }
    if open.is_empty() {
        return Ok(failures);
    }
    let pool = shell.pool()?;
    let files = pool
        .repo()
        .files(tree, None)
        .map_err(|error| chain(&error))?;
    let asked: Vec<Criterion> = open.iter().map(|at| criteria[*at].clone()).collect();
    let verdicts = on_tree(
        shell,
        attempt,
        &asked,
        None,
        &files,
        tree,
        Some(commit),
        &[],
    )?;
    shell.keep_verdicts(tree, &asked, &verdicts);
    let renumbered = verdicts.into_iter().zip(open).map(|(verdict, at)| Verdict {
        criterion: at as u16,
        ..verdict
    });
    failures.extend(renumbered.filter(|verdict| verdict.outcome == Outcome::Fail));
    Ok(failures)
}

/// What integrating a batch needs.
pub(super) struct Integrating {
    pub(super) onto: Commit,
    pub(super) batch: Vec<Merging>,
}

impl Integrating {
    pub(super) fn of(run: &Run) -> Option<Integrating> {
        let (batch, head) = run.batch();
        let merging = |attempt: &AttemptId| {
            let task = run.task(attempt.task)?;
            let live = task.live()?;
            let at = live.receipts.iter().find_map(|receipt| match receipt {
                Receipt::Verified { at, .. } => Some(*at),
                _ => None,
            });
            Some(Merging {
                attempt: *attempt,
                id: task.spec.id.clone(),
                title: task.spec.title.clone(),
                snapshot: live.snapshot()?.clone(),
                criteria: task.spec.criteria.clone(),
                at: at?,
            })
        };
        Some(Integrating {
            onto: head?.clone(),
            batch: batch.iter().filter_map(merging).collect(),
        })
    }

    /// Merges one after the other; where the result differs from what was verified, the checks of
    /// all merged tasks are judged on it.
    pub(super) fn merge(self, shell: &Shell) -> Result<Finished, String> {
        let pool = shell.pool()?;
        let mut head = self.onto.clone();
        let (mut merged, mut conflict, mut differs) = (Vec::new(), None, false);
        for one in &self.batch {
            let message = format!("{}: {}", one.id, one.title);
            match pool
                .repo()
                .merge(&head, &one.snapshot, &message, one.at)
                .map_err(|error| chain(&error))?
            {
                Merge::Clean { commit, tree } => {
                    differs |= tree != one.snapshot.tree;
                    head = commit.clone();
                    merged.push(Merged {
                        attempt: one.attempt,
                        commit,
                        tree,
                    });
                }
                Merge::Conflict { paths } => {
                    conflict = Some((one.attempt, paths));
                    break;
                }
            }
        }
        let mut refused = Vec::new();
        if differs && let Some(last) = merged.last() {
            for one in &self.batch[..merged.len()] {
                refused.extend(failures_on(
                    shell,
                    one.attempt,
                    &one.criteria,
                    &last.tree,
                    &last.commit,
                )?);
            }
        }
        Ok(Finished::BatchMerged {
            onto: self.onto,
            merged,
            conflict,
            refused,
        })
    }
}

/// Moves the run's branch; repeating it changes nothing.
///
/// The journal is the truth: a branch that stands elsewhere, because a loss of power took the last
/// steps and not the reference, is moved from there.
pub(super) fn move_head(shell: &Shell, run: RunId, to: &Commit) -> Result<Finished, String> {
    let pool = shell.pool()?;
    let repo = pool.repo();
    let present = repo.head(run).map_err(|error| chain(&error))?;
    if present.as_ref() != Some(to) {
        repo.update_ref(run, present.as_ref(), to)
            .map_err(|error| chain(&error))?;
    }
    Ok(Finished::HeadMoved(to.clone()))
}

/// What checking the whole needs.
pub(super) struct Finally {
    pub(super) run: RunId,
    pub(super) head: Option<Commit>,
    pub(super) criteria: Vec<Criterion>,
    pub(super) tasks: Vec<(TaskNo, u32, Arc<TaskSpec>)>,
}

impl Finally {
    pub(super) fn of(run: &Run) -> Finally {
        let done = run.tasks().iter().enumerate().filter(|(_, task)| {
            task.status() == TaskStatus::Done && task.spec.workspace != WorkspaceKind::Shared
        });
        let integrated = |(no, task): (usize, &divisi_core::run::Task)| {
            let ending = task
                .endings
                .iter()
                .rev()
                .find(|ending| ending.end == AttemptEnd::Integrated)?;
            Some((TaskNo(no as u32), ending.number, Arc::clone(&task.spec)))
        };
        Finally {
            run: run.id,
            head: run.integration.head.clone(),
            criteria: run.criteria.clone(),
            tasks: done.filter_map(integrated).collect(),
        }
    }

    pub(super) fn check(self, shell: &Shell) -> Result<Finished, String> {
        failpoint::hit("final.check.before");
        let head = self.head.as_ref().ok_or("the run has no base commit")?;
        let pool = shell.pool()?;
        let tree = pool.repo().tree_of(head).map_err(|error| chain(&error))?;
        let mut tasks = Vec::new();
        for (task, number, spec) in &self.tasks {
            let attempt = AttemptId {
                run: self.run,
                task: *task,
                number: *number,
            };
            let failures = failures_on(shell, attempt, &spec.criteria, &tree, head)?;
            if !failures.is_empty() {
                tasks.push((*task, failures));
            }
        }
        let files = pool
            .repo()
            .files(&tree, None)
            .map_err(|error| chain(&error))?;
        let whole = AttemptId {
            run: self.run,
            task: TaskNo(u32::MAX),
            number: 0,
        };
        let verdicts = on_tree(
            shell,
            whole,
            &self.criteria,
            None,
            &files,
            &tree,
            Some(head),
            &[],
        )?;
        failpoint::hit("final.check.after");
        Ok(Finished::FinalChecked {
            head: self.head,
            verdicts,
            tasks,
        })
    }
}
