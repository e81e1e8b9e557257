//! Integration by plumbing: every step can be repeated and none touches a working tree.
//!
//! A snapshot is merged onto a run's head without a checkout. What git merges cleanly is still
//! checked: a path that only one side changed must come out as that side left it. Anything else
//! is a conflict, so that nothing is dropped silently.

use std::collections::HashMap;
use std::ffi::OsStr;

use divisi_core::receipt::Snapshot;
use divisi_core::{Commit, RunId, Time, Tree};

use super::base::split;
use super::fault::Fault;
use super::objects::{Change, Item};
use super::store::{Repo, head_ref};
use super::tree::lossy;

/// Conflicting paths that are named.
const CONFLICTS_NAMED_MAX: usize = 100;

/// A longer diff is cut off, and says so: it is read by a person or given to an agent.
const DIFF_BYTES_MAX: usize = 16 << 20;

/// What became of a merge.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// Both sides' changes are in this commit. No reference points to it yet.
    Clean {
        /// On top of what was merged onto; the snapshot itself if that stood on it.
        commit: Commit,
        /// Its tree.
        tree: Tree,
    },
    /// Both sides changed the same; nothing was made.
    Conflict {
        /// Where, sorted.
        paths: Vec<String>,
    },
}

/// A tree merged from two sides, before it is a commit.
pub(crate) enum MergedTree {
    Clean(Tree),
    Conflict(Vec<String>),
}

impl Repo {
    /// Merges what an attempt changed onto a commit. The same arguments make the same commit.
    ///
    /// If `onto` is the snapshot's base, the snapshot itself is the result. Otherwise it is a
    /// commit with the one parent `onto`: the run's history is a line of tasks.
    ///
    /// # Errors
    /// Git failed. A conflict is no error.
    pub fn merge(
        &self,
        onto: &Commit,
        snapshot: &Snapshot,
        message: &str,
        at: Time,
    ) -> Result<Merged, Fault> {
        self.hook("merge.before");
        let merged = self.merge_inner(onto, snapshot, message, at)?;
        self.hook("merge.after");
        Ok(merged)
    }

    fn merge_inner(
        &self,
        onto: &Commit,
        snapshot: &Snapshot,
        message: &str,
        at: Time,
    ) -> Result<Merged, Fault> {
        if *onto == snapshot.base {
            return Ok(Merged::Clean {
                commit: snapshot.commit.clone(),
                tree: snapshot.tree.clone(),
            });
        }
        match self.merge_commits(&snapshot.base, onto, &snapshot.commit)? {
            MergedTree::Conflict(paths) => Ok(Merged::Conflict { paths }),
            // Nothing was changed, or all of it stands there already: no commit without a change.
            MergedTree::Clean(tree) if tree == self.tree_of(onto)? => Ok(Merged::Clean {
                commit: onto.clone(),
                tree,
            }),
            MergedTree::Clean(tree) => {
                let commit = self.commit_tree(&tree, &[onto], message, at)?;
                Ok(Merged::Clean { commit, tree })
            }
        }
    }

    /// Brings the changes from `base` to `theirs` into `ours`.
    pub(crate) fn merge_commits(
        &self,
        base: &Commit,
        ours: &Commit,
        theirs: &Commit,
    ) -> Result<MergedTree, Fault> {
        let commits = (base, ours, theirs);
        let (base, ours, theirs) = (
            self.tree_of(base)?,
            self.tree_of(ours)?,
            self.tree_of(theirs)?,
        );
        if ours == base || ours == theirs {
            return Ok(MergedTree::Clean(theirs));
        }
        if theirs == base {
            return Ok(MergedTree::Clean(ours));
        }
        let done = self
            .durable_call("merge")?
            .args([
                "merge-tree",
                "--write-tree",
                "--no-messages",
                "--name-only",
                "-z",
            ])
            .arg(format!("--merge-base={}", commits.0))
            .args([commits.1.as_str(), commits.2.as_str()])
            .run()?;
        let mut conflict = false;
        let out = match done.status {
            1 => {
                conflict = true;
                done.out
            }
            _ => done.ok("merge")?,
        };
        let mut records = split(&out);
        let tree = String::from_utf8_lossy(records.next().unwrap_or_default()).into_owned();
        if conflict {
            let mut paths: Vec<String> = records.map(lossy).collect();
            paths.sort_unstable();
            paths.dedup();
            paths.truncate(CONFLICTS_NAMED_MAX);
            return Ok(MergedTree::Conflict(paths));
        }
        let tree = Tree::new(&tree).ok_or_else(|| Fault::odd("merge", &tree))?;
        let unaccounted = self.unaccounted(&base, &ours, &theirs, &tree)?;
        Ok(match unaccounted.is_empty() {
            true => MergedTree::Clean(tree),
            false => MergedTree::Conflict(unaccounted),
        })
    }

    /// Paths whose change is missing from a merge that git calls clean.
    ///
    /// A path that one side alone changed must be as that side left it. The exception is a
    /// rename: then the change of the old path stands at the new one, which only the side that
    /// renamed has added.
    fn unaccounted(
        &self,
        base: &Tree,
        ours: &Tree,
        theirs: &Tree,
        merged: &Tree,
    ) -> Result<Vec<String>, Fault> {
        let base = self.oid(base.as_str())?;
        let side = |tree: &Tree| -> Result<HashMap<Vec<u8>, Change>, Fault> {
            let changes = self
                .objects
                .compare(Some(base), Some(self.oid(tree.as_str())?));
            let changes = changes.map_err(Fault::io("compare trees of", self.git_dir()))?;
            Ok(changes
                .into_iter()
                .map(|change| (change.path.clone(), change))
                .collect())
        };
        let (ours, theirs, merged) = (side(ours)?, side(theirs)?, side(merged)?);
        let mut lost = Vec::new();
        for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
            let alone = one
                .values()
                .filter(|change| !other.contains_key(&change.path));
            for change in alone {
                let came: Option<Item> = match merged.get(&change.path) {
                    Some(merged) => merged.new,
                    None => change.old,
                };
                let renamed = change.old.is_none() && came.is_some();
                if came != change.new && !renamed {
                    lost.push(lossy(&change.path));
                }
            }
        }
        lost.sort_unstable();
        lost.truncate(CONFLICTS_NAMED_MAX);
        Ok(lost)
    }

    /// Moves a run's head, if it still stands where the caller believes. Moving it again changes
    /// nothing.
    ///
    /// # Errors
    /// [`Fault::RefMoved`] if it stands elsewhere.
    pub fn update_ref(&self, run: RunId, old: Option<&Commit>, new: &Commit) -> Result<(), Fault> {
        let reference = head_ref(run);
        self.hook("ref.update.before");
        let absent = "0".repeat(self.oid_len * 2);
        let done = self
            .durable_call("move a reference")?
            .args(["update-ref", "--no-deref", "--", &reference, new.as_str()])
            .arg(OsStr::new(old.map_or(absent.as_str(), Commit::as_str)))
            .run()?;
        if done.status != 0 {
            let found = self.ref_at(&reference)?;
            if found.as_ref() != Some(new) {
                if found.as_ref() != old {
                    return Err(Fault::RefMoved {
                        reference,
                        expected: old.cloned(),
                        found,
                    });
                }
                done.ok("move a reference")?;
            }
        }
        self.hook("ref.update.after");
        Ok(())
    }

    /// The difference between two commits as text, or as one line a file. It is cut off after
    /// some megabytes.
    ///
    /// # Errors
    /// Git failed, or a commit is not in the private repository.
    pub fn diff(
        &self,
        from: &Commit,
        to: &Commit,
        paths: &[&str],
        form: DiffForm,
    ) -> Result<Vec<u8>, Fault> {
        let form = match form {
            DiffForm::Patch => "--patch",
            DiffForm::Stat => "--stat=100",
        };
        let out = self.temporary();
        let file = std::fs::File::create(&out).map_err(Fault::io("write", &out))?;
        let result = self
            .call("compare commits")?
            .config("diff.ignoreSubmodules", "none")
            .args(["diff", "--no-ext-diff", "--no-textconv", "--no-color", form])
            .args([from.as_str(), to.as_str(), "--"])
            .args(paths)
            .out_file(file)
            .ok();
        let read = std::fs::File::open(&out).and_then(|file| {
            let mut bytes = Vec::new();
            let max = DIFF_BYTES_MAX as u64 + 1;
            std::io::Read::read_to_end(&mut std::io::Read::take(file, max), &mut bytes)?;
            Ok(bytes)
        });
        super::user::remove_if_there(&out).map_err(Fault::io("remove", &out))?;
        result?;
        let mut bytes = read.map_err(Fault::io("read", &out))?;
        if bytes.len() > DIFF_BYTES_MAX {
            bytes.truncate(DIFF_BYTES_MAX);
            bytes.extend_from_slice(b"\n... cut off here\n");
        }
        Ok(bytes)
    }
}

/// How a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffForm {
    /// Line by line.
    Patch,
    /// One line a file.
    Stat,
}
