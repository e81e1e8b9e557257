//! The pool of folders: preparing them, handing them out, taking them back.
//!
//! A workspace is named by run, task and number (`run-1-t3-1`), not by attempt: an agent that
//! is resumed finds its files where they were. Preparing what is prepared changes nothing, so
//! that every step can be repeated after a crash. A folder is only ever reset when no agent has
//! seen it, when its last state is in a snapshot, or when its owner released it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_core::{Commit, RunId, TaskNo, Tree, WorkspaceKind};

use super::collect::CollectOptions;
use super::refusal::{CollectError, Refusal};
use super::slot::{self, Description, Phase, free_name, slot_dir};
use crate::repo::{Fault, POOL, Repo, remove_if_there};

/// How large the pool may be when nothing runs.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Folders that are kept for reuse.
    pub kept: usize,
}

impl Default for PoolOptions {
    fn default() -> PoolOptions {
        PoolOptions { kept: 8 }
    }
}

/// A folder in which an agent works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The run.
    pub run: RunId,
    /// The task; `None` where several tasks share it.
    pub task: Option<TaskNo>,
    /// From 1; a lost attempt's successor may get the next.
    pub number: u32,
    /// What kind it is.
    pub kind: WorkspaceKind,
    /// The commit it was prepared from, which is the base of its snapshots.
    pub base: Commit,
    /// Its absolute path. All that a confined agent may write is beneath it.
    pub path: PathBuf,
    /// Its folder's name, for people.
    pub name: String,
    pub(crate) slot: u32,
}

/// Why a workspace's content is no longer needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// What it holds is in a snapshot that is integrated, or that its plan was taken from.
    Integrated,
    /// Its owner discarded it, or it never held work.
    Discarded,
}

/// Where the work of a lost attempt goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The workspace.
    pub workspace: Workspace,
    /// What is in it.
    pub from: SuccessorFrom,
}

/// What a successor finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuccessorFrom {
    /// The same folder: nobody writes to it any more.
    Same,
    /// A copy of it as it was, in another folder.
    Snapshot(Commit),
    /// The base: what was there could not be taken.
    Base(Vec<Refusal>),
}

/// The folders under `.divisi/worktrees`.
#[derive(Debug)]
pub struct Pool {
    repo: Arc<Repo>,
    options: PoolOptions,
    state: Mutex<State>,
    /// Held while one is prepared, since several tasks ask for the same at once.
    shared: Mutex<HashMap<String, Workspace>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) slots: BTreeMap<u32, Description>,
}

/// The folder of a task's workspace beneath `.divisi`, whether it is there or not. For whoever only
/// wants to find one: opening a [`Pool`] takes it over from the engine.
#[must_use]
pub fn folder_of(divisi: &Path, run: RunId, task: TaskNo, number: u32) -> PathBuf {
    divisi.join("worktrees").join(name_of(run, task, number))
}

fn name_of(run: RunId, task: TaskNo, number: u32) -> String {
    format!("{run}-t{}-{number}", task.0)
}

/// A clean checkout for checks; its folder is reused when this is dropped.
#[derive(Debug)]
pub struct Checkout {
    pool: Arc<Pool>,
    slot: u32,
    path: PathBuf,
}

impl Checkout {
    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // What cannot be given back now is recognised at the next start.
        let _ = self.pool.give_back(self.slot);
    }
}

impl Pool {
    /// Opens the pool of a project, and recognises what an earlier life of the engine left.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(repo: Arc<Repo>, options: PoolOptions) -> Result<Pool, Fault> {
        let pool = repo.divisi.join(POOL);
        let worktrees = repo.divisi.join("worktrees");
        remove_temporary_files(&pool)?;
        let mut slots = BTreeMap::new();
        for (slot, mut description) in slot::read_all(&pool, &worktrees)? {
            let folder = worktrees.join(&description.name);
            // A checkout holds nothing that is not in the repository.
            if description.phase != Phase::Free && description.kind.is_none() {
                let free = worktrees.join(free_name(slot));
                match fs::rename(&folder, &free) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Fault::io("give back", &folder)(error));
                    }
                    _ => description = Description::free(),
                }
            }
            slots.insert(slot, description);
        }
        Ok(Pool {
            repo,
            options,
            state: Mutex::new(State { slots }),
            shared: Mutex::default(),
        })
    }

    /// The private repository behind it.
    #[must_use]
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// A worktree of its own for a task, on `base`.
    ///
    /// If it is there already it is returned as it is, with all that earlier attempts left. On a
    /// new base it is reset, provided that its last state was collected.
    ///
    /// # Errors
    /// [`Fault::WorkspaceHeld`] if it holds work on another base that was never collected.
    pub fn worktree(
        &self,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
    ) -> Result<Workspace, Fault> {
        self.workspace(WorkspaceKind::Worktree, run, task, number, base, None)
    }

    /// An empty folder of its own for a task. `base` is the tree that its deliverables go into.
    ///
    /// # Errors
    /// As [`Pool::worktree`].
    pub fn scratch(
        &self,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
    ) -> Result<Workspace, Fault> {
        self.workspace(WorkspaceKind::Scratch, run, task, number, base, None)
    }

    /// The checkout of a commit that the tasks of a run share. Prepared once, then left alone.
    ///
    /// # Errors
    /// The file system or git failed.
    pub fn shared(&self, run: RunId, commit: &Commit) -> Result<Workspace, Fault> {
        let name = format!("{run}-shared-{}", commit.short());
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workspace) = shared.get(&name) {
            return Ok(workspace.clone());
        }
        let description = Description {
            name: name.clone(),
            phase: Phase::Preparing,
            kind: Some(WorkspaceKind::Shared),
            run: Some(run),
            task: None,
            number: 1,
            base: Some(commit.clone()),
            snapshot: None,
        };
        let slot = self.claim(description, None)?;
        let workspace = self.describe(slot, WorkspaceKind::Shared, run, None, 1, commit);
        shared.insert(name, workspace.clone());
        Ok(workspace)
    }

    fn workspace(
        &self,
        kind: WorkspaceKind,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
        content: Option<&Tree>,
    ) -> Result<Workspace, Fault> {
        let name = name_of(run, task, number);
        let description = Description {
            name,
            phase: Phase::Preparing,
            kind: Some(kind),
            run: Some(run),
            task: Some(task),
            number,
            base: Some(base.clone()),
            snapshot: None,
        };
        let slot = self.claim(description, content)?;
        Ok(self.describe(slot, kind, run, Some(task), number, base))
    }

    /// A clean checkout of a tree in which checks may run commands. If there is a commit with
    /// that tree, `head` says which git commands in there find at HEAD.
    ///
    /// # Errors
    /// The file system or git failed.
    pub fn checkout(
        self: &Arc<Pool>,
        tree: &Tree,
        head: Option<&Commit>,
    ) -> Result<Checkout, Fault> {
        self.repo.hook("checkout.before");
        let slot = self.reserve(|slot| Description {
            name: format!("check-{slot}"),
            phase: Phase::Preparing,
            ..Description::free()
        })?;
        let path = self.folder(&format!("check-{slot}"));
        // From here on the folder is given back whatever happens.
        let checkout = Checkout {
            pool: Arc::clone(self),
            slot,
            path,
        };
        self.fill(slot, &checkout.path, Some(tree))?;
        self.write_gitdir(slot, &checkout.path, head)?;
        Ok(checkout)
    }

    /// Where the work of a lost attempt goes on: in the same workspace if the sweep proved that
    /// no process of the attempt is left (`swept_empty`), otherwise in the next one, with a copy
    /// of what was there. The old one stays as it is until it is released.
    ///
    /// # Errors
    /// The file system or git failed. What cannot be copied is no error: see
    /// [`SuccessorFrom::Base`].
    pub fn successor(
        &self,
        lost: &Workspace,
        swept_empty: bool,
        options: &CollectOptions<'_>,
    ) -> Result<Successor, Fault> {
        let Some(task) = lost.task.filter(|_| !swept_empty) else {
            // Its next attempt may add to what was collected of it.
            let held = self.state().slots.get(&lost.slot).cloned();
            if let Some(held) =
                held.filter(|held| held.name == lost.name && held.phase == Phase::Collected)
            {
                let phase = Phase::Ready;
                self.describe_slot(lost.slot, Description { phase, ..held })?;
            }
            return Ok(Successor {
                workspace: lost.clone(),
                from: SuccessorFrom::Same,
            });
        };
        let number = lost.number + 1;
        let options = CollectOptions {
            deliverables: &[],
            ..options.clone()
        };
        let from = match self.collect(lost, &options) {
            Ok(collected) => SuccessorFrom::Snapshot(collected.snapshot.commit),
            Err(CollectError::Refused(refused)) => SuccessorFrom::Base(refused),
            Err(CollectError::Fault(fault)) => return Err(fault),
        };
        let content = match &from {
            SuccessorFrom::Snapshot(commit) => Some(self.repo.tree_of(commit)?),
            _ => None,
        };
        let (run, base) = (lost.run, &lost.base);
        let workspace = self.workspace(lost.kind, run, task, number, base, content.as_ref())?;
        Ok(Successor { workspace, from })
    }

    /// Gives a workspace back. Its content is lost: only its owner can say that it may be.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn release(&self, workspace: &Workspace, why: Released) -> Result<(), Fault> {
        // Both reasons end in the same; naming one is what the caller answers for.
        let (Released::Integrated | Released::Discarded) = why;
        self.forget_shared(&workspace.name);
        let owned = self
            .state()
            .slots
            .get(&workspace.slot)
            .is_some_and(|d| d.name == workspace.name);
        match owned {
            true => self.give_back(workspace.slot),
            // Released before.
            false => Ok(()),
        }
    }

    /// Gives a task's workspace back if it stands on another base than this one. Only for one in
    /// which nobody ever worked: what is there was made by preparing it, and is not kept.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn release_unused(
        &self,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
    ) -> Result<(), Fault> {
        let found = self.state().slots.iter().find_map(|(slot, d)| {
            let it = d.run == Some(run) && d.task == Some(task) && d.number == number;
            (it && d.base.as_ref() != Some(base)).then_some(*slot)
        });
        found.map_or(Ok(()), |slot| self.give_back(slot))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A description is replaced whole, so a panic elsewhere leaves none half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.repo.divisi.join("worktrees").join(name)
    }

    pub(crate) fn kept(&self) -> usize {
        self.options.kept
    }

    pub(crate) fn forget_shared(&self, name: &str) {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }

    pub(crate) fn slots_dir(&self) -> PathBuf {
        self.repo.divisi.join(POOL)
    }

    pub(crate) fn index(&self, workspace: &Workspace) -> PathBuf {
        self.index_of(workspace.slot)
    }

    pub(crate) fn index_of(&self, slot: u32) -> PathBuf {
        slot_dir(&self.slots_dir(), slot).join("index")
    }

    fn describe(
        &self,
        slot: u32,
        kind: WorkspaceKind,
        run: RunId,
        task: Option<TaskNo>,
        number: u32,
        base: &Commit,
    ) -> Workspace {
        let name = self
            .state()
            .slots
            .get(&slot)
            .map_or_else(String::new, |d| d.name.clone());
        let path = self.folder(&name);
        Workspace {
            run,
            task,
            number,
            kind,
            base: base.clone(),
            path,
            name,
            slot,
        }
    }

    pub(crate) fn note_collected(
        &self,
        workspace: &Workspace,
        snapshot: &Commit,
    ) -> Result<(), Fault> {
        let described = self.state().slots.get(&workspace.slot).cloned();
        match described {
            Some(found) if found.name == workspace.name => self.describe_slot(
                workspace.slot,
                Description {
                    phase: Phase::Collected,
                    snapshot: Some(snapshot.clone()),
                    ..found
                },
            ),
            _ => Err(Fault::WorkspaceGone {
                name: workspace.name.clone(),
            }),
        }
    }
}

/// Removes temporary files of processes that are no more.
fn remove_temporary_files(pool: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(pool).map_err(Fault::io("read", pool))? {
        let entry = entry.map_err(Fault::io("read", pool))?;
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("tmp-")) else {
            continue;
        };
        let pid = rest.split('-').next().and_then(|pid| pid.parse().ok());
        let alive = pid
            .and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
        if !alive {
            remove_if_there(&entry.path()).map_err(Fault::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}
