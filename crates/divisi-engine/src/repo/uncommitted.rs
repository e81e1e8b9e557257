//! Merging a run back that stood on uncommitted work.
//!
//! Such a run's base is a commit that the user's repository does not have: HEAD with the
//! uncommitted work on top. What the run changed is committed without that work where this can be
//! done: where every file that the run changed is in the checkout as HEAD has it. Otherwise the
//! files themselves are taken from what the run found to what it made, and nothing is committed:
//! index and HEAD stay, so that the user's work is uncommitted as before, with the run's beside it.
//! Files that hold neither are the user's since, and are left alone. See
//! `docs/design/uncommitted-work.md`.

use std::collections::{HashMap, HashSet};

use divisi_core::{Commit, Tree};

use super::deliver::{Delivery, MergeOptions};
use super::fault::Fault;
use super::objects::{Change, Item};
use super::preview::{Joined, Preview, Steps, Way, arrived};
use super::refusal::{DeliverError, MergeRefusal};
use super::standing::named;
use super::store::Repo;
use super::tree::lossy;
use super::user::{Settings, UserRepo};

/// What a run changed in files of which it had taken in uncommitted changes, and in others.
pub(crate) struct OnUncommitted {
    /// From what the run found to what it made.
    changes: Vec<Change>,
    /// The paths at which the run found uncommitted work.
    taken: HashSet<Vec<u8>>,
    /// What the user's branch has at those of these paths where it differs from what the run found.
    of_head: HashMap<Vec<u8>, Option<Item>>,
}

impl OnUncommitted {
    /// A path that holds what HEAD has there.
    fn as_in_head(&self, change: &Change) -> Change {
        let found = self.of_head.get(&change.path).copied();
        let item = found.unwrap_or(change.old);
        Change {
            path: change.path.clone(),
            old: item,
            new: item,
        }
    }
}

impl Repo {
    /// The part of a merge that touches uncommitted work which the run had taken in; `None` if there
    /// is none.
    pub(crate) fn on_uncommitted(
        &self,
        head: &Tree,
        options: &MergeOptions<'_>,
    ) -> Result<Option<OnUncommitted>, Fault> {
        let Some(under) = self.parent(options.base)?.filter(|_| options.included) else {
            return Ok(None);
        };
        let (from, to) = options.range();
        let (from, to) = (self.tree_of(from)?, self.tree_of(to)?);
        let changes = self.changes(&from, &to)?;
        let taken = self.changes(&self.tree_of(&under)?, &self.tree_of(options.base)?)?;
        let taken: HashSet<Vec<u8>> = taken.into_iter().map(|change| change.path).collect();
        if !changes.iter().any(|change| taken.contains(&change.path)) {
            return Ok(None);
        }
        let elsewhere = self.changes(head, &from)?;
        Ok(Some(OnUncommitted {
            changes,
            taken,
            of_head: elsewhere.into_iter().map(|it| (it.path, it.old)).collect(),
        }))
    }

    /// Whether all that the run changed is in the checkout as HEAD has it, or as it will be, so that
    /// the change can be committed by itself.
    pub(crate) fn stands_apart(
        &self,
        user: &UserRepo,
        settings: &Settings,
        onto: Option<&Commit>,
        on: &OnUncommitted,
        changes: &[Change],
    ) -> Result<bool, Fault> {
        let known: HashSet<&[u8]> = changes.iter().map(|it| it.path.as_slice()).collect();
        let others = on.changes.iter();
        let others = others.filter(|change| !known.contains(change.path.as_slice()));
        let mut watched = changes.to_vec();
        watched.extend(others.map(|change| on.as_in_head(change)));
        Ok(self
            .blocked_anywhere(user, settings, onto, &watched)?
            .is_empty())
    }

    /// Works out a merge into files that hold uncommitted work; `None` if some hold neither what the
    /// run found nor what it made, and nothing of them is uncommitted.
    ///
    /// # Errors
    /// The refusal if some hold something else that is uncommitted.
    pub(crate) fn preview_uncommitted(
        &self,
        user: &UserRepo,
        settings: &Settings,
        on: &OnUncommitted,
        joined: &Joined,
        options: &MergeOptions<'_>,
        preview: &Preview,
    ) -> Result<Option<Preview>, DeliverError> {
        let neither = self.elsewhere(user, settings, on.changes.iter().cloned())?;
        if !neither.is_empty() {
            let heads = neither.iter().map(|change| on.as_in_head(change));
            let uncommitted = self.elsewhere(user, settings, heads)?;
            if uncommitted.is_empty() || matches!(joined, Joined::Nothing) {
                return Ok(None);
            }
            let paths = uncommitted.into_iter().map(|change| change.path);
            let (taken, others): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
                paths.partition(|path| on.taken.contains(path));
            let refusal = match taken.is_empty() {
                true => MergeRefusal::Dirty {
                    paths: named(&others),
                },
                false => MergeRefusal::Uncommitted {
                    run: options.run,
                    paths: named(&taken),
                },
            };
            return Err(refusal.into());
        }
        let left = self.elsewhere(user, settings, on.changes.iter().map(arrived))?;
        let left: HashSet<Vec<u8>> = left.into_iter().map(|change| change.path).collect();
        let is_left = |change: &&Change| left.contains(&change.path);
        let changes: Vec<Change> = on.changes.iter().filter(is_left).cloned().collect();
        if changes.is_empty() {
            return Ok(Some(preview.clone()));
        }
        let (from, to) = options.range();
        let (from, tree) = (self.tree_of(from)?, self.tree_of(to)?);
        Ok(Some(Preview {
            way: Way::Uncommitted,
            files: self.file_changes(&from, &tree, &changes)?,
            steps: Steps::Uncommitted { tree, changes },
            ..preview.clone()
        }))
    }

    /// Those changes at whose paths neither version stands in the user's files.
    fn elsewhere(
        &self,
        user: &UserRepo,
        settings: &Settings,
        changes: impl Iterator<Item = Change>,
    ) -> Result<Vec<Change>, Fault> {
        let mut changes: Vec<Change> = changes.collect();
        let blocked = self.blocked(&user.root, settings, &changes)?;
        let blocked: HashSet<Vec<u8>> = blocked.into_iter().collect();
        changes.retain(|change| blocked.contains(&change.path));
        Ok(changes)
    }

    /// Takes files that hold uncommitted work from what the run found to what it made.
    pub(crate) fn write_uncommitted(
        &self,
        user: &UserRepo,
        preview: &Preview,
        tree: &Tree,
        changes: &[Change],
    ) -> Result<Delivery, DeliverError> {
        let settings = user.settings(&self.git)?;
        let staged = self.stage(&user.root, &settings, tree, changes)?;
        let changed = self.blocked(&user.root, &settings, changes)?;
        if !changed.is_empty() {
            let (run, paths) = (preview.run, named(&changed));
            return Err(MergeRefusal::Uncommitted { run, paths }.into());
        }
        self.hook("deliver.write.before");
        self.place(&user.root, &staged, changes)?;
        self.hook("deliver.write.after");
        let paths = changes.iter().map(|change| lossy(&change.path)).collect();
        Ok(Delivery::Uncommitted { paths })
    }
}
