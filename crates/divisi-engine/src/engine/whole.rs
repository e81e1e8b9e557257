//! The whole: what is integrated so far. It is judged after a merge that differs from what was
//! verified, and once more at the end.

use std::sync::Arc;

use divisi_core::criterion::Verdict;
use divisi_core::plan::WorkspaceKind;
use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Command, Ending, Run, Task, TaskStatus};
use divisi_core::{AttemptId, Commit, Criterion, RunId, TaskNo, TaskSpec, Tree};

use super::input::{Failed, Finished};
use super::judging::{Asked, Judging};
use super::preparation::Preparing;
use super::shell::Shell;
use crate::failpoint;
use crate::files::Files as _;
use divisi_core::diagnostic::chain;

/// What a run has integrated, and what is asked of it.
pub(super) struct Whole {
    run: RunId,
    criteria: Vec<Criterion>,
    tasks: Vec<Integrated>,
    pub(super) preparing: Preparing,
}

/// An integrated task, and by which attempt.
struct Integrated {
    attempt: AttemptId,
    spec: Arc<TaskSpec>,
    /// Paths of the files that it promised and made.
    artifacts: Vec<String>,
}

impl Whole {
    pub(super) fn of(run: &Run) -> Whole {
        let integrated = integrated(run).map(|(no, task, ending)| {
            let artifacts = ending.receipts.iter().flat_map(|receipt| match receipt {
                Receipt::Collected { artifacts, .. } => artifacts.as_slice(),
                _ => &[],
            });
            Integrated {
                attempt: run.attempt_id(no, ending.number),
                spec: Arc::clone(&task.spec),
                artifacts: artifacts.map(|artifact| artifact.path.clone()).collect(),
            }
        });
        Whole {
            run: run.id,
            criteria: run.criteria.clone(),
            tasks: integrated.collect(),
            preparing: Preparing::of(run),
        }
    }

    /// What held on the base of a merge and does not on its tree: the run's named criteria, and
    /// those of integrated tasks whose files the merge touches. What did not hold before is not
    /// the merge's fault: the run's criteria may speak of what is still to be made.
    pub(super) fn broken(&self, merged: &Judging<'_>) -> Result<Vec<Verdict>, Failed> {
        let pool = merged.shell.pool()?;
        let repo = pool.repo();
        let base = repo.tree_of(merged.base).map_err(|error| chain(&error))?;
        let files = repo
            .files(merged.tree, Some(&base))
            .map_err(|error| chain(&error))?;
        let changed = files
            .changed()
            .map_err(|error| format!("compare a merge with its base: {error}"))?
            .unwrap_or_default();
        let before = Judging {
            tree: &base,
            commit: merged.base,
            ..*merged
        };
        let touched = self
            .tasks
            .iter()
            .filter(|done| done.artifacts.iter().any(|path| changed.contains(path)))
            .map(|done| {
                let whose = format!("task {}", done.spec.id);
                (done.attempt, whose, done.spec.criteria.as_slice())
            });
        let named = (self.id(), "the run".to_owned(), self.criteria.as_slice());
        let mut broken = Vec::new();
        for (attempt, whose, criteria) in touched.chain([named]) {
            let failures = merged.failures(attempt, criteria)?;
            if failures.is_empty() {
                continue;
            }
            let known = before.failures(attempt, criteria)?;
            let is_new =
                |failure: &&Verdict| known.iter().all(|k| k.criterion != failure.criterion);
            broken.extend(failures.iter().filter(is_new).map(|failure| {
                let criterion = &criteria[usize::from(failure.criterion)];
                let evidence = &failure.evidence;
                let told = format!("it breaks what {whose} needs, {criterion}: {evidence}");
                Verdict::fail(Verdict::ON_THE_WHOLE, told)
            }));
        }
        Ok(broken)
    }

    /// Names the run as a whole where an attempt is named.
    fn id(&self) -> AttemptId {
        AttemptId {
            run: self.run,
            task: TaskNo(u32::MAX),
            number: 0,
        }
    }
}

/// Integrated tasks whose files are part of the whole.
fn integrated(run: &Run) -> impl Iterator<Item = (TaskNo, &Task, &Ending)> {
    run.tasks().iter().enumerate().filter_map(|(no, task)| {
        let is_part =
            task.status() == TaskStatus::Done && task.spec.workspace != WorkspaceKind::Shared;
        let mut endings = task.endings.iter().rev().filter(|_| is_part);
        let ending = endings.find(|ending| ending.end == AttemptEnd::Integrated)?;
        Some((TaskNo(no as u32), task, ending))
    })
}

/// What checking the whole at the end needs.
pub(super) struct Finally {
    whole: Whole,
    head: Option<Commit>,
    base: Option<Commit>,
    /// What receipts say of trees, by the task's criteria.
    known: Vec<(Tree, Arc<TaskSpec>, Vec<Verdict>)>,
}

impl Finally {
    pub(super) fn of(run: &Run) -> Finally {
        let known = integrated(run).flat_map(|(_, task, ending)| {
            let receipts = ending.receipts.iter();
            receipts.filter_map(|receipt| match receipt {
                Receipt::Verified {
                    tree: Some(tree),
                    verdicts,
                    ..
                } => Some((tree.clone(), Arc::clone(&task.spec), verdicts.clone())),
                _ => None,
            })
        });
        Finally {
            whole: Whole::of(run),
            head: run.integration.head.clone(),
            base: run.base.commit.clone(),
            known: known.collect(),
        }
    }

    pub(super) fn check(self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("final.check.before");
        let head = self.head.as_ref();
        let head = head.ok_or_else(|| "the run has no base commit".to_owned())?;
        let pool = shell.pool()?;
        let tree = pool.repo().tree_of(head).map_err(|error| chain(&error))?;
        let judging = Judging {
            shell,
            preparing: &self.whole.preparing,
            tree: &tree,
            commit: head,
            base: self.base.as_ref().unwrap_or(head),
        };
        for (judged, spec, verdicts) in self.known.iter().filter(|(judged, ..)| *judged == tree) {
            shell.keep_passed(judged, &spec.criteria, verdicts);
        }
        let mut tasks = Vec::new();
        for done in &self.whole.tasks {
            let failures = judging.failures(done.attempt, &done.spec.criteria)?;
            if !failures.is_empty() {
                tasks.push((done.attempt.task, failures));
            }
        }
        // Of the whole, what changed is what the run changed.
        let base = pool.repo().tree_of(judging.base);
        let base = base.map_err(|error| chain(&error))?;
        let files = pool.repo().files(&tree, Some(&base));
        let files = files.map_err(|error| chain(&error))?;
        let asked = Asked {
            attempt: self.whole.id(),
            criteria: &self.whole.criteria,
            numbers: None,
            exit: None,
            passed_before: &[],
        };
        let verdicts = judging.verdicts(&asked, &files)?;
        failpoint::hit("final.check.after");
        Ok(Finished::told(Command::FinalChecked {
            head: self.head,
            verdicts,
            tasks,
        }))
    }
}
