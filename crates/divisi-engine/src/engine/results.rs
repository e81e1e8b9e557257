//! Effects after an attempt claims to be done: collect, check, integrate, check the whole.
//!
//! Each may be repeated freely: the same input gives the same commit, the same verdicts, the same
//! reference. They run on threads of their own and touch no state of a run.

use std::sync::Arc;

use divisi_core::plan::WorkspaceKind;
use divisi_core::receipt::{Exit, Receipt, Snapshot};
use divisi_core::run::{Command, Merged, Run};
use divisi_core::{AttemptId, Commit, RunId, TaskSpec, Time};

use super::input::{Failed, Finished};
use super::judging::{Asked, Judging};
use super::launch::{COLLECT_BYTES_MAX, Merging};
use super::preparation::{Preparing, failed};
use super::programs::InCheckout;
use super::shell::Shell;
use super::whole::Whole;
use crate::checks::evaluate;
use crate::failpoint;
use crate::repo::Merged as Merge;
use crate::workspace::{CollectError, CollectOptions, Refusal, Workspace};
use divisi_core::diagnostic::chain;

/// What collecting one attempt needs.
pub(super) struct Collecting {
    pub(super) attempt: AttemptId,
    pub(super) spec: Arc<TaskSpec>,
    pub(super) workspace: u32,
    pub(super) base: Option<Commit>,
    pub(super) at: Time,
    /// Late work of a given-up attempt: kept as it is, whatever was promised.
    pub(super) is_offer: bool,
    /// Such work that is now this attempt's.
    pub(super) adopts: Option<Snapshot>,
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
            adopts: live.adopts.clone(),
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
            adopts: None,
        })
    }

    /// The same as late work: kept as it is, whatever was promised.
    pub(super) fn into_offer(self) -> Collecting {
        Collecting {
            is_offer: true,
            ..self
        }
    }

    pub(super) fn collect(mut self, shell: &Shell) -> Result<Finished, Failed> {
        let Some(adopts) = self.adopts.take() else {
            return self.collect_workspace(shell);
        };
        // A workspace as it was left: what was promised is looked for in it as in any other.
        self.base = Some(adopts.commit.clone());
        let base = adopts.commit.clone();
        let workspace = self.workspace(shell, &base)?;
        let mut finished = self.collect_workspace(shell)?;
        if let Finished::Told(command) = &mut finished
            && let Command::Collected { snapshot, .. } = &mut **command
        {
            // The work is what differs from where its attempt began.
            *snapshot = Some(adopts);
        }
        // Nobody works in it. What stays is found by `gc`.
        let _ = shell.pool()?.release(&workspace);
        Ok(finished)
    }

    fn collect_workspace(&self, shell: &Shell) -> Result<Finished, Failed> {
        let attempt = self.attempt;
        let Some(base) = self
            .base
            .clone()
            .filter(|_| self.spec.workspace != WorkspaceKind::Shared)
        else {
            return Ok(match self.is_offer {
                true => Finished::told(Command::OfferCollected {
                    attempt,
                    snapshot: None,
                }),
                false => Finished::told(Command::Collected {
                    attempt,
                    snapshot: None,
                    artifacts: Vec::new(),
                }),
            });
        };
        let pool = shell.pool()?;
        let workspace = self.workspace(shell, &base)?;
        let (_, secrets) = shell.environment(self.attempt.run, &self.spec.env, &[]);
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
                Ok(Finished::told(Command::OfferCollected {
                    attempt,
                    snapshot: changed.then_some(collected.snapshot),
                }))
            }
            Ok(collected) => Ok(Finished::told(Command::Collected {
                attempt,
                snapshot: Some(collected.snapshot),
                artifacts: collected.artifacts,
            })),
            Err(CollectError::Fault(fault)) => Err(failed(fault)),
            Err(CollectError::Refused(refusals)) => {
                // A secret must not stay under `.divisi`, least of all where it was refused.
                pool.mask_secrets(&workspace, &secrets, COLLECT_BYTES_MAX)
                    .map_err(|error| chain(&error))?;
                if self.is_offer {
                    return Ok(Finished::told(Command::OfferCollected {
                        attempt,
                        snapshot: None,
                    }));
                }
                let named = |refusal: &Refusal| match refusal {
                    Refusal::Secret { place, .. } => {
                        let owner = shell.owner_of(&secrets[*place], &self.spec.env);
                        format!("{refusal}, {owner}")
                    }
                    _ => refusal.to_string(),
                };
                let causes: Vec<String> = refusals.iter().map(named).collect();
                Ok(Finished::told(Command::CollectRefused {
                    attempt,
                    cause: shell.masked(causes.join("; ")),
                }))
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
            let _ = pool.release(&workspace);
        }
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
    pub(super) preparing: Preparing,
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
            preparing: Preparing::of(run),
        })
    }

    pub(super) fn check(self, shell: &Shell) -> Result<Finished, Failed> {
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
                let judging = Judging {
                    shell,
                    preparing: &self.preparing,
                    tree: &snapshot.tree,
                    commit: &snapshot.commit,
                    base: &snapshot.base,
                };
                let asked = Asked {
                    attempt: self.attempt,
                    criteria,
                    numbers: None,
                    exit,
                    passed_before: &self.passed_before,
                };
                let verdicts = judging.verdicts(&asked, &files)?;
                shell.keep_verdicts(&snapshot.tree, criteria, &verdicts);
                verdicts
            }
            None => {
                let head = self.head.as_ref();
                let head = head.ok_or_else(|| "the run has no base commit".to_owned())?;
                let (path, _) = shell.shared(&self.preparing, self.attempt, head)?;
                let files = shell.shared_files(self.attempt.run, head, &path, criteria)?;
                let programs = InCheckout {
                    shell,
                    attempt: self.attempt,
                    numbers: None,
                    checkout: &path,
                };
                evaluate(criteria, exit, &files, &programs, &self.passed_before)
                    .map_err(|error| chain(&error))?
            }
        };
        failpoint::hit("check.after");
        Ok(Finished::told(Command::Checked {
            attempt: self.attempt,
            verdicts,
        }))
    }
}

/// What integrating a batch needs.
pub(super) struct Integrating {
    pub(super) onto: Commit,
    pub(super) batch: Vec<Merging>,
    /// What held before the batch.
    whole: Whole,
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
            whole: Whole::of(run),
        })
    }

    /// Merges one after the other; where the result differs from what was verified, the checks of
    /// all merged tasks are judged on it, and then what held before.
    pub(super) fn merge(self, shell: &Shell) -> Result<Finished, Failed> {
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
            let judging = Judging {
                shell,
                preparing: &self.whole.preparing,
                tree: &last.tree,
                commit: &last.commit,
                base: &self.onto,
            };
            for one in &self.batch[..merged.len()] {
                refused.extend(judging.failures(one.attempt, &one.criteria)?);
            }
            if refused.is_empty() {
                refused = self.whole.broken(&judging)?;
            }
        }
        Ok(Finished::told(Command::BatchMerged {
            onto: self.onto,
            merged,
            conflict,
            refused,
        }))
    }
}

/// Moves the run's branch; repeating it changes nothing.
///
/// The journal is the truth: a branch that stands elsewhere, because a loss of power took the last
/// steps and not the reference, is moved from there.
pub(super) fn move_head(shell: &Shell, run: RunId, to: &Commit) -> Result<Finished, Failed> {
    let pool = shell.pool()?;
    let repo = pool.repo();
    let present = repo.head(run).map_err(|error| chain(&error))?;
    if present.as_ref() != Some(to) {
        repo.update_ref(run, present.as_ref(), to)
            .map_err(|error| chain(&error))?;
    }
    Ok(Finished::told(Command::HeadMoved { head: to.clone() }))
}
