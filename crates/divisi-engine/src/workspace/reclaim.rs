//! Clean-up of workspaces: only what is proven integrated or explicitly discarded.

use divisi_core::{Commit, RunId, TaskNo};

use super::pool::Pool;
use super::slot::Phase;
use super::walk;
use crate::repo::Fault;

/// What the owner of a workspace knows about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is part of its run's result or plan, or of a snapshot that is.
    Integrated,
    /// A person or policy gave it up.
    Discarded,
    /// Neither is known.
    None,
}

/// What becomes of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GcAction {
    /// Removed, or to be removed in a dry run.
    Remove,
    /// Kept: it may hold work that stands nowhere else.
    Keep,
}

/// A folder under `.divisi/worktrees`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcItem {
    /// The folder's name.
    pub name: String,
    /// The run, as far as it is known.
    pub run: Option<RunId>,
    /// The task, as far as it is known.
    pub task: Option<TaskNo>,
    /// The last snapshot of it.
    pub snapshot: Option<Commit>,
    /// Apparent size of its files.
    pub bytes: u64,
    /// What becomes of it.
    pub action: GcAction,
    /// Why, as a lower-case fragment.
    pub why: &'static str,
}

impl Pool {
    /// Lists all folders and, unless `dry_run`, removes those that are proven safe.
    ///
    /// `proof` is asked for every workspace with what is known of it; a folder that nothing is
    /// known of is listed and kept.
    ///
    /// # Errors
    /// The file system refuses; some may be removed.
    pub fn gc(
        &self,
        dry_run: bool,
        proof: &dyn Fn(&GcItem) -> Proof,
    ) -> Result<Vec<GcItem>, Fault> {
        let mut items = Vec::new();
        let worktrees = self.folder("");
        let entries = std::fs::read_dir(&worktrees).map_err(Fault::io("read", &worktrees))?;
        let slots = self.state().slots.clone();
        for entry in entries {
            let entry = entry.map_err(Fault::io("read", &worktrees))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name
                .strip_prefix("free-")
                .and_then(|slot| slot.parse().ok());
            let slot = slots.iter().find(|(slot, described)| {
                described.name == name || Some(**slot) == number && described.phase == Phase::Free
            });
            let mut item = GcItem {
                bytes: size(&entry.path()),
                run: slot.and_then(|(_, d)| d.run),
                task: slot.and_then(|(_, d)| d.task),
                snapshot: slot.and_then(|(_, d)| d.snapshot.clone()),
                action: GcAction::Keep,
                why: "nothing is known of it",
                name,
            };
            if let Some((_, described)) = slot {
                (item.action, item.why) = match (described.phase, described.kind) {
                    (Phase::Free, _) => (GcAction::Remove, "kept for reuse only"),
                    (_, None) => (GcAction::Keep, "a check uses it"),
                    _ => match proof(&item) {
                        Proof::Integrated => (GcAction::Remove, "integrated"),
                        Proof::Discarded => (GcAction::Remove, "discarded"),
                        Proof::None => (GcAction::Keep, "may hold work that stands nowhere else"),
                    },
                };
            }
            if let (Some((slot, _)), GcAction::Remove, false) = (slot, &item.action, dry_run) {
                self.forget_shared(&item.name);
                self.give_back(*slot)?;
                self.remove_free(*slot)?;
            }
            items.push(item);
        }
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }
}

/// Apparent size of what is in a folder, as far as it can be looked at.
fn size(folder: &std::path::Path) -> u64 {
    let mut bytes: u64 = 0;
    if let Ok(root) = walk::open_root(folder) {
        // What cannot be read is not counted; the number is for a person.
        let _ = walk::walk(&root, &mut |met| {
            bytes = bytes.saturating_add(met.bytes);
            walk::Next::Into
        });
    }
    bytes
}
