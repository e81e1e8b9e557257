//! Masking secrets in what agents leave in their workspaces.
//!
//! Work that holds a secret is refused when it is collected; but not everything is collected:
//! attempts are canceled and lost, files are ignored, shared folders are never taken. Nothing of
//! that may keep a secret beneath `.divisi`. What the project itself holds is its owner's and is
//! left alone, or the next snapshot would take the mask for a change.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use divisi_core::{RunId, TaskNo};

use super::pool::{Pool, Workspace};
use super::secrets::{Nothing, Secrets, Spares};
use super::slot::{Phase, free_name};
use super::{survey, walk};
use crate::repo::{Fault, index};

impl Pool {
    /// Masks values of secrets in all that an agent left in a workspace, so that they stand
    /// nowhere under `.divisi` once its attempt has ended; returns where they stood. Files above
    /// `bytes_max` that hold one are removed. What the project itself holds is left alone.
    ///
    /// # Errors
    /// The file system refused; some may be masked.
    pub fn mask_secrets(
        &self,
        workspace: &Workspace,
        secrets: &[String],
        bytes_max: u64,
    ) -> Result<Vec<String>, Fault> {
        let root = self.open_root(workspace)?;
        self.mask_slot(workspace.slot, &root, &workspace.path, secrets, bytes_max)
    }

    /// The same in every folder of the pool, whoever had it, except where `is_busy` says that
    /// somebody still works on the task (`None` where several tasks share the folder).
    ///
    /// # Errors
    /// The file system refused; some may be masked.
    pub fn mask_left_secrets(
        &self,
        secrets: &[String],
        bytes_max: u64,
        is_busy: &dyn Fn(RunId, Option<TaskNo>) -> bool,
    ) -> Result<Vec<String>, Fault> {
        let mut masked = Vec::new();
        let slots = self.state().slots.clone();
        for (slot, description) in slots {
            if description
                .run
                .is_some_and(|run| is_busy(run, description.task))
            {
                continue;
            }
            let name = match description.phase {
                Phase::Free => free_name(slot),
                _ => description.name,
            };
            let folder = self.folder(&name);
            // Renamed or removed meanwhile: whoever did that has a clean folder in mind.
            let Ok(root) = walk::open_root(&folder) else {
                continue;
            };
            masked.extend(self.mask_slot(slot, &root, &folder, secrets, bytes_max)?);
        }
        Ok(masked)
    }

    fn mask_slot(
        &self,
        slot: u32,
        root: &OwnedFd,
        folder: &Path,
        secrets: &[String],
        bytes_max: u64,
    ) -> Result<Vec<String>, Fault> {
        let secrets = Secrets::new(secrets);
        if secrets.is_empty() {
            return Ok(Vec::new());
        }
        // Without an index everything is looked at, and nothing is known to be the project's.
        let tracked = index::read(&self.index_of(slot), self.repo().oid_len).unwrap_or_default();
        let tracked = tracked
            .into_iter()
            .map(|entry| (entry.path.clone(), entry))
            .collect();
        let known = Known {
            pool: self,
            tracked,
        };
        secrets
            .mask_beneath(root, bytes_max, &known)
            .map_err(Fault::io("mask secrets in", folder))
    }
}

/// Masks values of secrets in a folder that is no workspace: nothing in it is the project's.
///
/// # Errors
/// The file system refused; some may be masked.
pub(crate) fn mask_folder(folder: &Path, secrets: &[String], bytes_max: u64) -> io::Result<()> {
    let secrets = Secrets::new(secrets);
    if secrets.is_empty() {
        return Ok(());
    }
    let root = walk::open_root(folder)?;
    secrets.mask_beneath(&root, bytes_max, &Nothing).map(drop)
}

/// Files that stand in a workspace as they were checked out or collected: those that the project
/// holds anyway, and those that were searched when they were taken.
struct Known<'a> {
    pool: &'a Pool,
    tracked: HashMap<Vec<u8>, index::Entry>,
}

impl Spares for Known<'_> {
    fn as_it_stands(&self, met: &walk::Met<'_>) -> bool {
        let entry = self.tracked.get(met.path);
        entry.is_some_and(|entry| survey::looks_the_same(&entry.stat, met))
    }

    fn content(&self, path: &[u8], content: &[u8]) -> bool {
        let Some(entry) = self.tracked.get(path) else {
            return false;
        };
        let bytes = content.len() as u64;
        let blob = self.pool.repo().objects.blob(entry.item.oid, bytes);
        blob.is_ok_and(|(blob, size)| size == bytes && blob == content)
    }
}
