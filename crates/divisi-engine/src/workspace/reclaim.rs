//! Clean-up of workspaces: only what is proven integrated, explicitly discarded, or was never promised.

use divisi_core::{Commit, RunId, TaskNo};

use super::layers::{PREPARED, size};
use super::pool::Pool;
use super::slot::Phase;
use crate::repo::{Fault, Needed};

/// What the owner of a workspace knows about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is part of its run's result or plan, or of a snapshot that is.
    Integrated,
    /// All of it is in a commit that is kept.
    Recorded,
    /// A person or policy gave it up.
    Discarded,
    /// Whoever worked in it promised no files, and nobody works in it any more.
    Unpromised,
    /// None of these is known.
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

/// A folder under `.divisi/worktrees`, or what a setup left.
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
    /// Lists all folders and what setups left, and, unless `dry_run`, removes those that are proven safe.
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
                        Proof::Recorded => (GcAction::Remove, "kept as a commit"),
                        Proof::Discarded => (GcAction::Remove, "discarded"),
                        Proof::Unpromised => (GcAction::Remove, "nothing in it was promised"),
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
        for layer in self.all_layers()? {
            items.push(GcItem {
                name: format!("{PREPARED}/{}", layer.key.short()),
                run: None,
                task: None,
                snapshot: None,
                bytes: size(&layer.path),
                action: GcAction::Remove,
                why: "made again when it is needed",
            });
            if !dry_run {
                self.drop_layer(&layer.path)?;
            }
        }
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }
}

impl Pool {
    /// What the folders that stay need of the repository: what they were made from, their last
    /// snapshots, and what stands in their indexes.
    #[must_use]
    pub fn needed(&self, items: &[GcItem]) -> Needed {
        let mut needed = Needed::default();
        let state = self.state();
        let stay = items.iter().filter(|item| item.action == GcAction::Keep);
        for item in stay {
            let slots = state.slots.iter();
            for (slot, described) in slots.filter(|(_, described)| described.name == item.name) {
                needed.commits.extend(described.base.iter().cloned());
                needed.commits.extend(described.snapshot.iter().cloned());
                needed.indexes.push(self.index_of(*slot));
            }
        }
        needed
    }
}
