//! What Divisi remembers about a pooled folder, in a file that can be lost.
//!
//! A slot's folder bears its workspace's name while it is used and `free-N` when it is not.
//! Renaming the folder is the one moment that decides which; the description follows before or
//! after it, so that a crash between the two can be told from either.

use std::fs;
use std::path::{Path, PathBuf};

use divisi_core::{Commit, RunId, TaskNo, WorkspaceKind};
use serde::{Deserialize, Serialize};

use crate::repo::Fault;

/// How far a slot's folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// No agent has seen it yet.
    Preparing,
    /// An agent may have worked in it.
    Ready,
    /// What stood in it is in a snapshot.
    Collected,
    /// Nobody needs what is in it.
    Free,
}

/// Whose a slot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The folder's name while it is used.
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// `None` for checkouts of checks.
    pub(crate) kind: Option<WorkspaceKind>,
    pub(crate) run: Option<RunId>,
    pub(crate) task: Option<TaskNo>,
    pub(crate) number: u32,
    pub(crate) base: Option<Commit>,
    /// The last snapshot.
    pub(crate) snapshot: Option<Commit>,
}

impl Description {
    /// Of a folder that nobody uses.
    pub(crate) fn free() -> Description {
        Description {
            name: String::new(),
            phase: Phase::Free,
            kind: None,
            run: None,
            task: None,
            number: 0,
            base: None,
            snapshot: None,
        }
    }
}

/// The folder's name while nobody uses it.
pub(crate) fn free_name(slot: u32) -> String {
    format!("free-{slot}")
}

/// The place of a slot's description and index.
pub(crate) fn slot_dir(pool: &Path, slot: u32) -> PathBuf {
    pool.join(format!("slot-{slot}"))
}

/// Writes a description, whole or not at all.
pub(crate) fn write(pool: &Path, slot: u32, description: &Description) -> Result<(), Fault> {
    let folder = slot_dir(pool, slot);
    let path = folder.join("slot.json");
    let temporary = folder.join("slot.json.new");
    let text = serde_json::to_vec(description).expect("a description is plain data");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&temporary, text))
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(Fault::io("write", &path))
}

/// Reads all descriptions, and says of each what its folder proves. Damaged ones are left out:
/// their folders then belong to nobody, and are left alone.
pub(crate) fn read_all(pool: &Path, worktrees: &Path) -> Result<Vec<(u32, Description)>, Fault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(pool).map_err(Fault::io("read", pool))? {
        let entry = entry.map_err(Fault::io("read", pool))?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("slot-")?.parse().ok());
        let Some(slot) = number else { continue };
        let text = fs::read(entry.path().join("slot.json")).unwrap_or_default();
        let Ok(mut description) = serde_json::from_slice::<Description>(&text) else {
            continue;
        };
        // Given back, or claimed but not yet renamed: nothing of value either way.
        if worktrees.join(free_name(slot)).symlink_metadata().is_ok() {
            description = Description::free();
        }
        found.push((slot, description));
    }
    found.sort_unstable_by_key(|(slot, _)| *slot);
    Ok(found)
}
