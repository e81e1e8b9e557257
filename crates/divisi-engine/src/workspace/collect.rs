//! Takes a snapshot of a workspace: what an attempt made, as a commit that outlives it.
//!
//! The order is: look at everything unopened ([`super::survey`]), refuse; search changed files
//! for secrets, refuse; only then let git read. Bytes are durable when [`Pool::collect`] returns,
//! so that an event may name them. Collecting an unchanged workspace again yields the same
//! commit.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use divisi_core::receipt::{Artifact, Snapshot};
use divisi_core::{Digest, Time, Tree, WorkspaceKind};

use super::pool::{Pool, Workspace};
use super::refusal::{CollectError, Refusal};
use super::secrets::{Secrets, open_file, parent};
use super::survey::{self, REFUSALS_MAX, Scope, Standing, Survey, survey};
use super::walk;
use crate::repo::Fault;
use crate::repo::git::Call;
use crate::repo::index;
use crate::repo::objects::{Change, Walked};

/// What to collect, and what to look out for.
#[derive(Clone, Debug)]
pub struct CollectOptions<'a> {
    /// The snapshot's message; its first line says which task.
    pub message: &'a str,
    /// When; part of the snapshot, in seconds.
    pub at: Time,
    /// Promised paths: files, or folders with all that is in them.
    pub deliverables: &'a [String],
    /// Limit for all changed files together, by apparent size.
    pub bytes_max: u64,
    /// Values that must stand in no file.
    pub secrets: &'a [String],
}

/// What an attempt made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// The commit, its tree and its base. With nothing changed it is the base itself.
    pub snapshot: Snapshot,
    /// The promised files that exist, sorted by path.
    pub artifacts: Vec<Artifact>,
    /// Paths that differ from the base, sorted.
    pub changed: Vec<String>,
}

impl Pool {
    /// Takes a snapshot of a workspace whose writers have ended.
    ///
    /// From a scratch workspace only the deliverables are taken, on top of the base's tree.
    ///
    /// # Errors
    /// [`CollectError::Refused`] with all that cannot be taken; the workspace stays as it is.
    pub fn collect(
        &self,
        workspace: &Workspace,
        options: &CollectOptions<'_>,
    ) -> Result<Collected, CollectError> {
        self.repo().hook("collect.before");
        let root = self.open_root(workspace)?;
        let mut refused = Vec::new();
        let mut wanted = Vec::new();
        for path in options.deliverables {
            match survey::deliverable_path(path) {
                Ok(path) => match survey::deliverable(&root, &path, options.bytes_max) {
                    Ok(standing) => wanted.push((path, standing)),
                    Err(refusal) => refused.push(refusal),
                },
                Err(refusal) => refused.push(refusal),
            }
        }
        refuse(refused)?;
        let take = Take {
            pool: self,
            workspace,
            root: &root,
            wanted: &wanted,
            options,
        };
        let tree = match workspace.kind {
            WorkspaceKind::Worktree => take.worktree()?,
            WorkspaceKind::Scratch => take.scratch()?,
            WorkspaceKind::Shared => self.repo().tree_of(&workspace.base)?,
        };
        let collected = take.commit(tree)?;
        self.note_collected(workspace, &collected.snapshot.commit)?;
        self.repo().hook("collect.after");
        Ok(collected)
    }
}

fn refuse(mut refused: Vec<Refusal>) -> Result<(), CollectError> {
    refused.truncate(REFUSALS_MAX);
    match refused.is_empty() {
        true => Ok(()),
        false => Err(CollectError::Refused(refused)),
    }
}

/// One collection under way.
struct Take<'a> {
    pool: &'a Pool,
    workspace: &'a Workspace,
    root: &'a OwnedFd,
    wanted: &'a [(Vec<u8>, Standing)],
    options: &'a CollectOptions<'a>,
}

impl Take<'_> {
    fn index(&self) -> PathBuf {
        self.pool.index(self.workspace)
    }

    /// A call that acts on the workspace's files and its private index.
    fn call(&self, operation: &str) -> Result<Call, Fault> {
        let Workspace { slot, path, .. } = self.workspace;
        self.pool.call_in(*slot, path, operation)
    }

    /// Deliverables that exist.
    fn standing(&self) -> Vec<&Vec<u8>> {
        let standing = self
            .wanted
            .iter()
            .filter(|(_, s)| *s == Standing::FileOrFolder);
        standing.map(|(path, _)| path).collect()
    }

    fn worktree(&self) -> Result<Tree, CollectError> {
        let path = self.index();
        let oid_len = self.pool.repo().oid_len;
        let tracked = match index::read(&path, oid_len) {
            Ok(tracked) if !tracked.is_empty() => tracked,
            // Lost with the machine's power; it only saves work.
            _ => {
                self.rebuild_index(&path)?;
                index::read(&path, oid_len)?
            }
        };
        let found = survey(self.root, &tracked, Scope::All, self.options.bytes_max)?;
        self.judge(&found)?;
        self.add(
            self.call("take the files")?
                .args(["add", "--all", "--", "."]),
        )?;
        let left_out = self.left_out(&index::read(&path, oid_len)?);
        if !left_out.is_empty() {
            self.add_forced(&left_out)?;
        }
        Ok(self.pool.repo().write_tree(&path)?)
    }

    fn scratch(&self) -> Result<Tree, CollectError> {
        let path = self.index();
        let wanted: Vec<Vec<u8>> = self.wanted.iter().map(|(path, _)| path.clone()).collect();
        let scope = Scope::Deliverables(&wanted);
        let found = survey(self.root, &[], scope, self.options.bytes_max)?;
        refuse(
            found
                .refused
                .into_iter()
                .chain(found.suspects.into_iter().map(|s| s.1))
                .collect(),
        )?;
        self.limit(&found.candidates)?;
        self.search(found.candidates.iter().map(|(path, _)| path))?;
        self.rebuild_index(&path)?;
        let standing = self.standing();
        if !standing.is_empty() {
            self.add_forced(&standing)?;
        }
        Ok(self.pool.repo().write_tree(&path)?)
    }

    /// Makes the index that of the base, without looking at any file.
    fn rebuild_index(&self, path: &Path) -> Result<(), Fault> {
        crate::repo::remove_if_there(path).map_err(Fault::io("remove", path))?;
        let call = self
            .pool
            .repo()
            .call("read the base")?
            .fleeting()
            .index(path);
        call.args(["read-tree", self.workspace.base.as_str()])
            .ok()?;
        Ok(())
    }

    /// Refuses what the survey found, except what is ignored.
    fn judge(&self, found: &Survey) -> Result<(), CollectError> {
        refuse(found.refused.clone())?;
        let mut refused = Vec::new();
        if !found.suspects.is_empty() {
            let ignored = self.ignored(found)?;
            let counted = found
                .suspects
                .iter()
                .filter(|(path, _)| !ignored.contains(path));
            refused.extend(counted.map(|(_, refusal)| refusal.clone()));
        }
        refuse(refused)?;
        let too_much = found.bytes() > self.options.bytes_max;
        let search = !self.options.secrets.is_empty() && !found.candidates.is_empty();
        if !too_much && !search {
            return Ok(());
        }
        let sizes: HashMap<&[u8], u64> = found
            .candidates
            .iter()
            .map(|(path, bytes)| (path.as_slice(), *bytes))
            .collect();
        let taken = self.taken()?;
        let sized = taken
            .iter()
            .filter_map(|path| Some((path.clone(), *sizes.get(path.as_slice())?)));
        self.limit(&sized.collect::<Vec<_>>())?;
        self.search(taken.iter())
    }

    fn ignored(&self, found: &Survey) -> Result<BTreeSet<Vec<u8>>, Fault> {
        let mut paths = Vec::new();
        for (path, _) in &found.suspects {
            // A name may begin like pathspec magic, which this command cannot be told to ignore.
            paths.extend_from_slice(b"./");
            paths.extend_from_slice(path);
            paths.push(0);
        }
        let call = self
            .call("ask what is ignored")?
            .env("GIT_LITERAL_PATHSPECS", "0");
        let done = call
            .args(["check-ignore", "-z", "--stdin"])
            .stdin(paths)
            .run()?;
        let out = match done.status {
            1 => Vec::new(),
            _ => done.ok("ask what is ignored")?,
        };
        let paths = crate::repo::split(&out).filter_map(|path| path.strip_prefix(b"./"));
        Ok(paths.map(<[u8]>::to_vec).collect())
    }

    /// The files that git would take: changed or new, and not ignored.
    fn taken(&self) -> Result<Vec<Vec<u8>>, CollectError> {
        let call = self.call("list changed files")?;
        let call = call.args([
            "ls-files",
            "--modified",
            "--others",
            "--exclude-standard",
            "-z",
        ]);
        let mut paths: Vec<Vec<u8>> = crate::repo::split(&call.ok()?)
            .map(<[u8]>::to_vec)
            .collect();
        paths.extend(self.standing().into_iter().cloned());
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    fn limit(&self, files: &[(Vec<u8>, u64)]) -> Result<(), CollectError> {
        let bytes = files
            .iter()
            .fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let max = self.options.bytes_max;
        let largest = files.iter().max_by_key(|(_, bytes)| *bytes);
        match largest {
            Some((path, _)) if bytes > max => {
                let path = String::from_utf8_lossy(path).into_owned();
                refuse(vec![Refusal::TooLarge { path, bytes, max }])
            }
            _ => Ok(()),
        }
    }

    /// Refuses files that hold a secret, in their bytes or in their name.
    fn search<'p>(&self, paths: impl Iterator<Item = &'p Vec<u8>>) -> Result<(), CollectError> {
        let secrets = Secrets::new(self.options.secrets);
        if secrets.is_empty() {
            return Ok(());
        }
        let mut refused = Vec::new();
        for path in paths {
            let read = || Fault::io("search for secrets", &self.workspace.path);
            let held = match parent(self.root, path).map_err(read())? {
                None => None,
                Some((folder, name)) => match open_file(&folder, &name).map_err(read())? {
                    Some(file) => secrets.found_in_file(file).map_err(read())?,
                    // Git takes the target of a link as it takes a file's bytes.
                    None => secrets.found_in_link(&folder, &name),
                },
            };
            let (path, found) = match secrets.found_in(path) {
                Some(found) => ("a file".to_owned(), Some(found)),
                None => (String::from_utf8_lossy(path).into_owned(), held),
            };
            let place = found.and_then(|found| {
                let mut all = self.options.secrets.iter();
                all.position(|value| value.as_bytes() == found)
            });
            refused.extend(place.map(|place| Refusal::Secret { path, place }));
        }
        refuse(refused)
    }

    fn add(&self, call: Call) -> Result<(), CollectError> {
        let done = call.run()?;
        let cause = done.err.clone();
        match done.ok("take the files") {
            Ok(_) => Ok(()),
            Err(Fault::Git { .. }) => refuse(vec![Refusal::Git { cause }]),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Deliverables that exist but are ignored: they were promised all the same.
    fn left_out(&self, tracked: &[index::Entry]) -> Vec<&Vec<u8>> {
        let is_tracked = |path: &[u8]| {
            let at = tracked.partition_point(|entry| entry.path.as_slice() < path);
            let after = tracked[at..]
                .iter()
                .take_while(|entry| entry.path.starts_with(path));
            after
                .map(|entry| entry.path.get(path.len()))
                .any(|next| matches!(next, None | Some(b'/')))
        };
        self.standing()
            .into_iter()
            .filter(|path| !is_tracked(path))
            .collect()
    }

    fn add_forced(&self, paths: &[&Vec<u8>]) -> Result<(), CollectError> {
        let list = crate::repo::joined(paths);
        let call = self.call("take the deliverables")?;
        let call = call.args(["add", "--force", "--no-all"]);
        self.add(
            call.args(["--pathspec-from-file=-", "--pathspec-file-nul"])
                .stdin(list),
        )
    }

    fn commit(&self, tree: Tree) -> Result<Collected, CollectError> {
        let repo = self.pool.repo();
        let base = &self.workspace.base;
        let read = || Fault::io("read a tree of", repo.git_dir());
        let base_tree = repo.oid(repo.tree_of(base)?.as_str())?;
        let root = repo.oid(tree.as_str())?;
        let changes = repo
            .objects
            .compare(Some(base_tree), Some(root))
            .map_err(read())?;
        self.refuse_names(&changes)?;
        let text = |change: &Change| String::from_utf8_lossy(&change.path).into_owned();
        let commit = match changes.is_empty() {
            true => base.clone(),
            false => repo.commit_tree(&tree, &[base], self.options.message, self.options.at)?,
        };
        Ok(Collected {
            artifacts: self.artifacts(root)?,
            changed: changes.iter().map(text).collect(),
            snapshot: Snapshot {
                commit,
                tree,
                base: base.clone(),
            },
        })
    }

    fn refuse_names(&self, changes: &[Change]) -> Result<(), CollectError> {
        let added: Vec<&[u8]> = changes
            .iter()
            .filter(|change| change.old.is_none())
            .map(|change| change.path.as_slice())
            .collect();
        if added.is_empty() {
            return Ok(());
        }
        let tracked = index::read(&self.index(), self.pool.repo().oid_len)?;
        let all: Vec<&[u8]> = tracked.iter().map(|entry| entry.path.as_slice()).collect();
        refuse(survey::names(&added, &all))
    }

    fn artifacts(&self, root: crate::repo::objects::Oid) -> Result<Vec<Artifact>, Fault> {
        let objects = &self.pool.repo().objects;
        let read = || Fault::io("read a tree of", self.pool.repo().git_dir());
        let mut files = Vec::new();
        for (path, _) in self.wanted {
            let text = String::from_utf8_lossy(path).into_owned();
            let parts: Vec<&str> = text.split('/').collect();
            let Walked::Item(item) = objects.item(root, &parts).map_err(read())? else {
                continue;
            };
            if item.mode.is_file() {
                files.push((text, item.oid));
            } else if item.mode == crate::repo::objects::Mode::Tree {
                let inner = objects.list(item.oid).map_err(read())?;
                let inner = inner.into_iter().filter(|(_, item)| item.mode.is_file());
                files.extend(inner.map(|(path, item)| {
                    (
                        format!("{text}/{}", String::from_utf8_lossy(&path)),
                        item.oid,
                    )
                }));
            }
        }
        files.sort_unstable();
        files.dedup();
        let mut artifacts = Vec::with_capacity(files.len());
        for (path, oid) in files {
            let mut hasher = blake3::Hasher::new();
            let bytes = objects.copy_blob(oid, &mut hasher).map_err(read())?;
            let digest = Digest::new(hasher.finalize().to_hex().as_str());
            let digest = digest.expect("a BLAKE3 hash has 64 hexadecimal digits");
            artifacts.push(Artifact {
                path,
                digest,
                bytes,
            });
        }
        Ok(artifacts)
    }
}

impl Pool {
    /// The workspace's folder, which must still be one.
    pub(crate) fn open_root(&self, workspace: &Workspace) -> Result<OwnedFd, Fault> {
        walk::open_root(&workspace.path).map_err(|error| match error.raw_os_error() {
            // Gone, or replaced by a link or a file.
            Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP) => Fault::WorkspaceGone {
                name: workspace.name.clone(),
            },
            _ => Fault::io("open", &workspace.path)(error),
        })
    }
}
