//! Claiming a folder, making it hold exactly what it should, and giving it back.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use divisi_core::{Commit, Tree, WorkspaceKind};
use rustix::fs::FileType;

use super::gitdir::{self, Head};
use super::pool::Pool;
use super::provision::Given;
use super::slot::{self, Description, Phase, free_name, slot_dir};
use super::walk;
use crate::repo::git::Call;
use crate::repo::{Fault, index, remove_if_there};

/// Which folder a new name is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// One that nobody uses, if there is one.
    Any,
    /// One that nobody ever had.
    New,
}

impl Pool {
    /// The slot that bears this name, prepared, and what of the provision was left out. `content`
    /// replaces the base's files.
    pub(crate) fn claim(
        &self,
        wanted: Description,
        content: Option<&Tree>,
        given: Given<'_>,
    ) -> Result<(u32, Vec<String>), Fault> {
        self.repo().hook("workspace.prepare.before");
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
                        // From now on it may hold more than its snapshot.
                        if found.phase == Phase::Collected {
                            let phase = Phase::Ready;
                            self.describe_slot(slot, Description { phase, ..found })?;
                        }
                        self.repo().hook("workspace.prepare.after");
                        return Ok((slot, Vec::new()));
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
            None => self.reserve(Folder::Any, |_| wanted.clone())?,
        };
        let path = self.folder(&wanted.name);
        let base = wanted.base.clone().expect("a workspace has a base");
        let left_out = match wanted.kind {
            Some(WorkspaceKind::Scratch) => {
                self.fill(slot, &path, content)?;
                self.write_gitdir(slot, &path, None)?;
                Vec::new()
            }
            _ => {
                let tree = match content {
                    Some(tree) => tree.clone(),
                    None => self.repo().tree_of(&base)?,
                };
                self.fill(slot, &path, Some(&tree))?;
                let left_out = self.lay(slot, &path, given)?;
                self.write_gitdir(slot, &path, Some(&base))?;
                left_out
            }
        };
        self.describe_slot(
            slot,
            Description {
                phase: Phase::Ready,
                ..wanted
            },
        )?;
        self.repo().hook("workspace.prepare.after");
        Ok((slot, left_out))
    }

    /// Takes a free slot or makes one, and gives its folder the new name.
    pub(crate) fn reserve(
        &self,
        folder: Folder,
        describe: impl Fn(u32) -> Description,
    ) -> Result<u32, Fault> {
        let mut state = self.state();
        let mut slots = state.slots.iter();
        let free = match folder {
            Folder::Any => slots.find(|(_, d)| d.phase == Phase::Free),
            Folder::New => None,
        };
        let free = free.map(|(slot, _)| *slot);
        let slot = free.unwrap_or_else(|| state.slots.keys().last().map_or(0, |last| last + 1));
        let description = describe(slot);
        self.repo().hook("workspace.slot.before");
        slot::write(&self.slots_dir(), slot, &description)?;
        self.repo().hook("workspace.slot.after");
        let (from, to) = (
            self.folder(&free_name(slot)),
            self.folder(&description.name),
        );
        if to.symlink_metadata().is_ok() {
            // A folder of that name which no description claims: somebody's work, left alone.
            let aside = self.folder(&format!("{}-left-{slot}-{}", description.name, nonce()));
            fs::rename(&to, &aside).map_err(Fault::io("put aside", &to))?;
        }
        self.repo().hook("workspace.rename.before");
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                remove_if_there(&self.index_of(slot)).map_err(Fault::io("remove", &from))?;
                fs::create_dir(&to).map_err(Fault::io("make", &to))?;
            }
            renamed => renamed.map_err(Fault::io("take", &from))?,
        }
        self.repo().hook("workspace.rename.after");
        state.slots.insert(slot, description);
        Ok(slot)
    }

    pub(crate) fn describe_slot(&self, slot: u32, description: Description) -> Result<(), Fault> {
        slot::write(&self.slots_dir(), slot, &description)?;
        self.state().slots.insert(slot, description);
        Ok(())
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
        match free < self.kept() {
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
    pub(crate) fn fill(&self, slot: u32, path: &Path, tree: Option<&Tree>) -> Result<(), Fault> {
        let index = self.index_of(slot);
        let remove = || remove_if_there(&index).map_err(Fault::io("remove", &index));
        self.forget_excludes(slot)?;
        remove_if_there(&index.with_extension("lock")).map_err(Fault::io("remove", &index))?;
        let Some(tree) = tree else {
            remove()?;
            return self.clean(path, &[]);
        };
        let tracked = index::read(&index, self.repo().oid_len).unwrap_or_default();
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

    pub(crate) fn read_tree(&self, index: &Path, path: &Path, tree: &Tree) -> Result<(), Fault> {
        let call = self.repo().call("check out a tree")?.fleeting();
        let call = call.work_tree(path).index(index);
        call.args(["read-tree", "--reset", "-u", tree.as_str()])
            .ok()?;
        Ok(())
    }

    /// Removes what an index does not name, also repositories within and what git would ignore.
    pub(crate) fn clean(&self, path: &Path, tracked: &[index::Entry]) -> Result<(), Fault> {
        let files: HashSet<&[u8]> = tracked.iter().map(|entry| entry.path.as_slice()).collect();
        let folders = index::folders(tracked);
        let keeps = |path: &[u8], kind: FileType| match kind {
            FileType::Directory => folders.contains(path),
            _ => files.contains(path),
        };
        let root = walk::open_root(path).map_err(Fault::io("open", path))?;
        walk::clean(&root, &keeps).map_err(Fault::io("clean", path))
    }

    pub(crate) fn write_gitdir(
        &self,
        slot: u32,
        path: &Path,
        head: Option<&Commit>,
    ) -> Result<(), Fault> {
        let index = self.index_of(slot);
        let head = head.map_or(Head::Unborn, |commit| Head::At(commit, &index));
        let objects = self.repo().git_dir.join("objects");
        let excludes = self.excludes_of(slot);
        gitdir::write(path, &objects, self.repo().oid_len == 32, head)
            .and_then(|()| match excludes.exists() {
                true => fs::copy(&excludes, path.join(".git/info/exclude")).map(drop),
                false => Ok(()),
            })
            .map_err(Fault::io("make a git directory in", path))
    }

    /// A call that acts on a folder's files by its private index, and by what git ignores there.
    pub(crate) fn call_in(&self, slot: u32, path: &Path, operation: &str) -> Result<Call, Fault> {
        let call = self.repo().durable_call(operation)?;
        let call = call.work_tree(path).index(&self.index_of(slot));
        let excludes = self.excludes_of(slot);
        Ok(match excludes.exists() {
            true => call.config("core.excludesFile", &excludes.to_string_lossy()),
            false => call,
        })
    }
}

/// Names something that only has to be unlike everything before.
fn nonce() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_nanos())
}
