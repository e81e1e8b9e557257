//! The pool of folders: preparing them, handing them out, taking them back.
//!
//! A workspace is named by run, task and number (`run-1-t3-1`), not by attempt: an agent that
//! is resumed finds its files where they were. Preparing what is prepared changes nothing, so
//! that every step can be repeated after a crash. A folder is only ever reset when no agent has
//! seen it, when its last state is in a snapshot, or when its owner released it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_core::{Commit, RunId, TaskNo, Tree, WorkspaceKind};
use rustix::fs::FileType;

use super::collect::CollectOptions;
use super::gitdir::{self, Head};
use super::refusal::{CollectError, Refusal};
use super::slot::{self, Description, Phase, free_name, slot_dir};
use super::walk;
use crate::repo::{Fault, POOL, Repo, index, remove_if_there};

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
    /// What it holds is in a snapshot that is integrated.
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
        let name = format!("{run}-t{}-{number}", task.0);
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

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A description is replaced whole, so a panic elsewhere leaves none half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.repo.divisi.join("worktrees").join(name)
    }

    pub(crate) fn forget_shared(&self, name: &str) {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }

    fn slots_dir(&self) -> PathBuf {
        self.repo.divisi.join(POOL)
    }

    pub(crate) fn index(&self, workspace: &Workspace) -> PathBuf {
        self.index_of(workspace.slot)
    }

    fn index_of(&self, slot: u32) -> PathBuf {
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

    /// The slot that bears this name, prepared. `content` replaces the base's files.
    fn claim(&self, wanted: Description, content: Option<&Tree>) -> Result<u32, Fault> {
        self.repo.hook("workspace.prepare.before");
        let existing = {
            let state = self.state();
            let mut slots = state.slots.iter();
            slots
                .find(|(_, d)| d.name == wanted.name)
                .map(|(slot, d)| (*slot, d.clone()))
        };
        let slot = match existing {
            Some((slot, found)) => {
                let path = self.folder(&found.name);
                let there = path.symlink_metadata().is_ok_and(|folder| folder.is_dir());
                let same = found.base == wanted.base && found.kind == wanted.kind;
                match found.phase {
                    Phase::Ready | Phase::Collected if same && there => {
                        self.repo.hook("workspace.prepare.after");
                        return Ok(slot);
                    }
                    Phase::Ready if there => {
                        return Err(Fault::WorkspaceHeld { name: found.name });
                    }
                    _ => {}
                }
                self.describe_slot(slot, wanted.clone())?;
                if !there {
                    fs::create_dir(&path).map_err(Fault::io("make", &path))?;
                }
                slot
            }
            None => self.reserve(|_| wanted.clone())?,
        };
        let path = self.folder(&wanted.name);
        let base = wanted.base.clone().expect("a workspace has a base");
        match wanted.kind {
            Some(WorkspaceKind::Scratch) => {
                self.fill(slot, &path, content)?;
                self.write_gitdir(slot, &path, None)?;
            }
            _ => {
                let tree = match content {
                    Some(tree) => tree.clone(),
                    None => self.repo.tree_of(&base)?,
                };
                self.fill(slot, &path, Some(&tree))?;
                self.write_gitdir(slot, &path, Some(&base))?;
            }
        }
        self.describe_slot(
            slot,
            Description {
                phase: Phase::Ready,
                ..wanted
            },
        )?;
        self.repo.hook("workspace.prepare.after");
        Ok(slot)
    }

    /// Takes a free slot or makes one, and gives its folder the new name.
    fn reserve(&self, describe: impl Fn(u32) -> Description) -> Result<u32, Fault> {
        let mut state = self.state();
        let free = state
            .slots
            .iter()
            .find(|(_, d)| d.phase == Phase::Free)
            .map(|(slot, _)| *slot);
        let slot = free.unwrap_or_else(|| state.slots.keys().last().map_or(0, |last| last + 1));
        let description = describe(slot);
        slot::write(&self.slots_dir(), slot, &description)?;
        let (from, to) = (
            self.folder(&free_name(slot)),
            self.folder(&description.name),
        );
        if to.symlink_metadata().is_ok() {
            // A folder of that name which no description claims: somebody's work, left alone.
            let aside = self.folder(&format!("{}-left-{slot}-{}", description.name, nonce()));
            fs::rename(&to, &aside).map_err(Fault::io("put aside", &to))?;
        }
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                remove_if_there(&self.index_of(slot)).map_err(Fault::io("remove", &from))?;
                fs::create_dir(&to).map_err(Fault::io("make", &to))?;
            }
            renamed => renamed.map_err(Fault::io("take", &from))?,
        }
        state.slots.insert(slot, description);
        Ok(slot)
    }

    fn describe_slot(&self, slot: u32, description: Description) -> Result<(), Fault> {
        slot::write(&self.slots_dir(), slot, &description)?;
        self.state().slots.insert(slot, description);
        Ok(())
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

    /// Renames a slot's folder to a free one, or removes it if enough are kept.
    pub(crate) fn give_back(&self, slot: u32) -> Result<(), Fault> {
        let mut state = self.state();
        let Some(found) = state.slots.get(&slot).cloned() else {
            return Ok(());
        };
        let free = state
            .slots
            .values()
            .filter(|d| d.phase == Phase::Free)
            .count();
        let (from, to) = (self.folder(&found.name), self.folder(&free_name(slot)));
        if found.phase != Phase::Free {
            match fs::rename(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                renamed => renamed.map_err(Fault::io("give back", &from))?,
            }
        }
        slot::write(&self.slots_dir(), slot, &Description::free())?;
        state.slots.insert(slot, Description::free());
        drop(state);
        match free < self.options.kept {
            true => Ok(()),
            false => self.remove_free(slot),
        }
    }

    /// Removes a free slot with its folder.
    pub(crate) fn remove_free(&self, slot: u32) -> Result<(), Fault> {
        let mut state = self.state();
        if state
            .slots
            .get(&slot)
            .is_none_or(|found| found.phase != Phase::Free)
        {
            return Ok(());
        }
        state.slots.remove(&slot);
        drop(state);
        let folder = self.folder(&free_name(slot));
        walk::remove_all(&folder).map_err(Fault::io("remove", &folder))?;
        let slot_dir = slot_dir(&self.slots_dir(), slot);
        walk::remove_all(&slot_dir).map_err(Fault::io("remove", &slot_dir))
    }

    /// Makes a folder hold exactly a tree, or nothing.
    fn fill(&self, slot: u32, path: &Path, tree: Option<&Tree>) -> Result<(), Fault> {
        let index = self.index_of(slot);
        let remove = || remove_if_there(&index).map_err(Fault::io("remove", &index));
        remove_if_there(&index.with_extension("lock")).map_err(Fault::io("remove", &index))?;
        let Some(tree) = tree else {
            remove()?;
            return self.clean(path, &[]);
        };
        let tracked = index::read(&index, self.repo.oid_len).unwrap_or_default();
        self.clean(path, &tracked)?;
        if tracked.is_empty() {
            remove()?;
        }
        if self.read_tree(&index, path, tree).is_ok() {
            return Ok(());
        }
        // Whatever confused git is gone after this: only the repository's own files remain.
        remove()?;
        self.clean(path, &[])?;
        self.read_tree(&index, path, tree)
    }

    fn read_tree(&self, index: &Path, path: &Path, tree: &Tree) -> Result<(), Fault> {
        let call = self.repo.call("check out a tree")?.fleeting();
        let call = call.work_tree(path).index(index);
        call.args(["read-tree", "--reset", "-u", tree.as_str()])
            .ok()?;
        Ok(())
    }

    /// Removes what an index does not name, also repositories within and what git would ignore.
    fn clean(&self, path: &Path, tracked: &[index::Entry]) -> Result<(), Fault> {
        let files: HashSet<&[u8]> = tracked.iter().map(|entry| entry.path.as_slice()).collect();
        let mut folders: HashSet<&[u8]> = HashSet::new();
        for file in &files {
            for at in memchr::memrchr_iter(b'/', file) {
                // What is above a known folder is known.
                if !folders.insert(&file[..at]) {
                    break;
                }
            }
        }
        let keeps = |path: &[u8], kind: FileType| match kind {
            FileType::Directory => folders.contains(path),
            _ => files.contains(path),
        };
        let root = walk::open_root(path).map_err(Fault::io("open", path))?;
        walk::clean(&root, &keeps).map_err(Fault::io("clean", path))
    }

    fn write_gitdir(&self, slot: u32, path: &Path, head: Option<&Commit>) -> Result<(), Fault> {
        let index = self.index_of(slot);
        let head = head.map_or(Head::Unborn, |commit| Head::At(commit, &index));
        let objects = self.repo.git_dir.join("objects");
        gitdir::write(path, &objects, self.repo.oid_len == 32, head)
            .map_err(Fault::io("make a git directory in", path))
    }
}

/// Names something that only has to be unlike everything before.
fn nonce() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_nanos())
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
