//! Work of a snapshot that somebody else begins with, on a tree that went on meanwhile.

use std::collections::BTreeSet;

use divisi_core::Tree;
use divisi_core::receipt::Snapshot;

use super::checkout::bits;
use super::fault::Fault;
use super::objects::{Change, Item, Mode, Walked};
use super::store::Repo;
use super::tree::lossy;
use super::user::remove_if_there;

/// What a snapshot's changes are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The head's files.
    Head,
    /// An empty folder.
    Nothing,
}

impl Repo {
    /// The head's tree, or an empty one, with those changes of a snapshot in it that `takes` says. What
    /// the head has otherwise than the snapshot's base is not touched. `None` if nothing of the
    /// snapshot is left to take.
    ///
    /// # Errors
    /// A tree is not there, or git failed.
    pub fn carried(
        &self,
        snapshot: &Snapshot,
        head: &Tree,
        ground: Ground,
        takes: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Tree>, Fault> {
        let base = self.tree_of(&snapshot.base)?;
        let moved = self.changes(&base, head)?;
        let moved: BTreeSet<Vec<u8>> = moved.into_iter().map(|change| change.path).collect();
        let mut changes = self.changes(&base, &snapshot.tree)?;
        changes.retain(|it| takes(&lossy(&it.path)) && !touches(&moved, &it.path));
        if changes.is_empty() {
            return Ok(None);
        }
        let into = match ground {
            Ground::Head => head.clone(),
            Ground::Nothing => self.empty_tree(),
        };
        self.changed_tree(&into, &changes).map(Some)
    }

    /// A tree as somebody may judge it who must not be told by its author what to do: all that `steers`
    /// says stands as in `trusted`, and nothing stands at the path of `answer`. With the paths that
    /// differ from the tree for that.
    ///
    /// # Errors
    /// A tree is not there, or git failed.
    pub fn judged(
        &self,
        made: &Tree,
        trusted: &Tree,
        steers: &dyn Fn(&str) -> bool,
        answer: &str,
    ) -> Result<(Tree, Vec<String>), Fault> {
        let root = self.oid(made.as_str())?;
        let failed = || Fault::io("read a tree of", self.git_dir());
        let mut changes = self.changes(made, trusted)?;
        changes.retain(|it| steers(&lossy(&it.path)));
        for at in (0..changes.len()).rev() {
            let path = lossy(&changes[at].path);
            // Where the change put something else in the way of a folder, that is what is judged.
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
            let is_blocked = above.try_fold(false, |is, folder| {
                let parts: Vec<&str> = folder.split('/').collect();
                let there = self.objects.item(root, &parts).map_err(failed())?;
                let is_folder = matches!(
                    there,
                    Walked::Missing
                        | Walked::Item(Item {
                            mode: Mode::Tree,
                            ..
                        })
                );
                Ok::<bool, Fault>(is || !is_folder && !steers(folder))
            })?;
            if is_blocked {
                changes.remove(at);
            }
        }
        let differ = changes.iter().map(|it| lossy(&it.path)).collect();
        let there = self.objects.item(root, &[answer]).map_err(failed())?;
        if there != Walked::Missing {
            let beneath = format!("{answer}/");
            let mut all = self.changes(made, &self.empty_tree())?;
            all.retain(|it| {
                it.path == answer.as_bytes() || it.path.starts_with(beneath.as_bytes())
            });
            changes.extend(all);
        }
        match changes.is_empty() {
            true => Ok((made.clone(), differ)),
            false => Ok((self.changed_tree(made, &changes)?, differ)),
        }
    }

    /// A tree with these changes made in it.
    fn changed_tree(&self, into: &Tree, changes: &[Change]) -> Result<Tree, Fault> {
        let index = self.temporary();
        let tree = self
            .call("read a tree")?
            .index(&index)
            .args(["read-tree", into.as_str()])
            .ok()
            .and_then(|_| {
                self.call("put files into a tree")?
                    .index(&index)
                    .args(["update-index", "-z", "--index-info"])
                    .stdin(self.records(changes))
                    .ok()
            })
            .and_then(|_| self.write_tree(&index));
        remove_if_there(&index).map_err(Fault::io("remove", &index))?;
        tree
    }

    /// Changes as `update-index --index-info` reads them. Files that go make room for those that come.
    pub(crate) fn records(&self, changes: &[Change]) -> Vec<u8> {
        let mut records = Vec::new();
        let gone = changes.iter().filter(|change| change.new.is_none());
        let there = changes.iter().filter(|change| change.new.is_some());
        for change in gone.chain(there) {
            let record = match change.new {
                None => format!("0 {}\t", "0".repeat(self.oid_len * 2)),
                Some(item) => format!("{:o} {}\t", bits(item.mode), item.oid),
            };
            records.extend_from_slice(record.as_bytes());
            records.extend_from_slice(&change.path);
            records.push(0);
        }
        records
    }
}

/// Whether a path is one of these, lies beneath one, or has one beneath it.
fn touches(paths: &BTreeSet<Vec<u8>>, path: &[u8]) -> bool {
    let above = (0..path.len())
        .filter(|at| path[*at] == b'/')
        .any(|at| paths.contains(&path[..at]));
    let folder = [path, b"/"].concat();
    let next = paths.range(folder.clone()..).next();
    let beneath = next.is_some_and(|it| it.starts_with(&folder));
    above || beneath || paths.contains(path)
}
