//! The pool of folders: preparing them, handing them out, taking them back.
//!
//! A workspace is named by run, task and number (`run-1-t3-1`), not by attempt: an agent that
//! is resumed finds its files where they were. Preparing what is prepared changes nothing, so
//! that every step can be repeated after a crash. A folder is only ever reset when no agent has
//! seen it, when its last state is in a snapshot, or when its owner released it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use divisi_core::{Commit, RunId, TaskNo, Tree, WorkspaceKind};

use super::collect::CollectOptions;
use super::layers::PREPARED;
use super::provision::Given;
use super::refusal::{CollectError, Refusal};
use super::slot::{self, Description, Phase, free_name, slot_dir};
use super::walk;
use crate::repo::{Fault, POOL, Repo};

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

/// Where the work of a lost attempt goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The workspace.
    pub workspace: Workspace,
    /// What is in it.
    pub from: SuccessorFrom,
    /// What of what it was given was left out.
    pub left_out: Vec<String>,
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
    /// Read while a layer is copied from, written while one goes.
    pub(crate) layers: RwLock<()>,
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

fn shared_name_of(run: RunId, commit: &Commit) -> String {
    format!("{run}-shared-{}", commit.short())
}

impl Pool {
    /// Opens the pool of a project, and recognizes what an earlier life of the engine left.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(repo: Arc<Repo>, options: PoolOptions) -> Result<Pool, Fault> {
        let pool = repo.divisi.join(POOL);
        let worktrees = repo.divisi.join("worktrees");
        remove_temporary_files(&pool)?;
        remove_temporary_files(&repo.divisi.join(PREPARED))?;
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
            layers: RwLock::default(),
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
        let given = Given::NOTHING;
        self.worktree_with(run, task, number, base, given)
            .map(|(workspace, _)| workspace)
    }

    /// The same with what it is given beside its tree, if it is not there already; also says what
    /// of that was left out.
    ///
    /// # Errors
    /// As [`Pool::worktree`], or more is given than a workspace may have.
    pub fn worktree_with(
        &self,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
        given: Given<'_>,
    ) -> Result<(Workspace, Vec<String>), Fault> {
        let kind = WorkspaceKind::Worktree;
        self.workspace(kind, run, task, number, base, None, given)
    }

    /// Whether a task's workspace is there, on this base, as it was left.
    #[must_use]
    pub fn is_prepared(&self, run: RunId, task: TaskNo, number: u32, base: &Commit) -> bool {
        self.stands(&name_of(run, task, number), base)
    }

    /// The same of a shared checkout.
    #[must_use]
    pub fn is_shared_prepared(&self, run: RunId, commit: &Commit) -> bool {
        self.stands(&shared_name_of(run, commit), commit)
    }

    fn stands(&self, name: &str, base: &Commit) -> bool {
        let described = self.state().slots.values().any(|described| {
            let ready = matches!(described.phase, Phase::Ready | Phase::Collected);
            described.name == name && ready && described.base.as_ref() == Some(base)
        });
        described && self.folder(name).is_dir()
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
        let (kind, given) = (WorkspaceKind::Scratch, Given::NOTHING);
        self.workspace(kind, run, task, number, base, None, given)
            .map(|(workspace, _)| workspace)
    }

    /// The checkout of a commit that the tasks of a run share. Prepared once, then left alone.
    ///
    /// # Errors
    /// The file system or git failed.
    pub fn shared(&self, run: RunId, commit: &Commit) -> Result<Workspace, Fault> {
        self.shared_with(run, commit, Given::NOTHING)
            .map(|(workspace, _)| workspace)
    }

    /// The same with what it is given beside its tree; also says what of that was left out.
    ///
    /// # Errors
    /// As [`Pool::shared`], or more is given than a workspace may have.
    pub fn shared_with(
        &self,
        run: RunId,
        commit: &Commit,
        given: Given<'_>,
    ) -> Result<(Workspace, Vec<String>), Fault> {
        let name = shared_name_of(run, commit);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workspace) = shared.get(&name) {
            return Ok((workspace.clone(), Vec::new()));
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
        let (slot, left_out) = self.claim(description, None, given)?;
        let workspace = self.describe(slot, WorkspaceKind::Shared, run, None, 1, commit);
        shared.insert(name, workspace.clone());
        Ok((workspace, left_out))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all of them name one workspace; none is optional"
    )]
    fn workspace(
        &self,
        kind: WorkspaceKind,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
        content: Option<&Tree>,
        given: Given<'_>,
    ) -> Result<(Workspace, Vec<String>), Fault> {
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
        let (slot, left_out) = self.claim(description, content, given)?;
        let workspace = self.describe(slot, kind, run, Some(task), number, base);
        Ok((workspace, left_out))
    }

    /// A workspace of this kind for a task, with files in it that somebody else began with, and what
    /// it is given beside them; also says what of that was left out. If it is there already it is
    /// returned as it is.
    ///
    /// # Errors
    /// As [`Pool::worktree_with`].
    #[expect(
        clippy::too_many_arguments,
        reason = "all of them name one workspace and what is in it; none is optional"
    )]
    pub fn begun(
        &self,
        kind: WorkspaceKind,
        run: RunId,
        task: TaskNo,
        number: u32,
        base: &Commit,
        content: &Tree,
        given: Given<'_>,
    ) -> Result<(Workspace, Vec<String>), Fault> {
        self.workspace(kind, run, task, number, base, Some(content), given)
    }

    /// Where the work of a lost attempt goes on: in the same workspace if `number` is its own,
    /// because the sweep proved that no process of the attempt is left; otherwise in the one with
    /// that number, with a copy of what was there and with what is given beside it. The old one
    /// stays as it is until it is released.
    ///
    /// # Errors
    /// The file system or git failed. What cannot be copied is no error: see
    /// [`SuccessorFrom::Base`].
    pub fn successor(
        &self,
        lost: &Workspace,
        number: u32,
        options: &CollectOptions<'_>,
        given: Given<'_>,
    ) -> Result<Successor, Fault> {
        let Some(task) = lost.task.filter(|_| number != lost.number) else {
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
                left_out: Vec::new(),
            });
        };
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
        let (kind, content) = (lost.kind, content.as_ref());
        let (workspace, left_out) =
            self.workspace(kind, run, task, number, base, content, given)?;
        Ok(Successor {
            workspace,
            from,
            left_out,
        })
    }

    /// Gives a workspace back. Its content is lost: what it holds is in a snapshot that is
    /// integrated, or that its plan was taken from, or its owner discarded it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn release(&self, workspace: &Workspace) -> Result<(), Fault> {
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

/// Removes temporary files and folders of processes that are no more.
fn remove_temporary_files(pool: &Path) -> Result<(), Fault> {
    let entries = match fs::read_dir(pool) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Fault::io("read", pool))?,
    };
    for entry in entries {
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
            walk::remove_all(&entry.path()).map_err(Fault::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}
