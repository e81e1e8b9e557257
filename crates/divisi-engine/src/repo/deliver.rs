//! Merging a run's result into the user's project: the only writes to it.
//!
//! With git, commits are made in the private repository; then their objects are packed and added
//! to the user's, then index and files follow, then the branch moves. Without git, files are
//! written. Every path touched must hold what the merge starts from, or already what it ends in;
//! so a merge that was cut off is completed by merging again, and nothing of the user's is
//! overwritten. The user's hooks and filters do not run, and nothing is signed: they could have
//! come with the result itself.

use std::fs;
use std::io::Write;
use std::path::Path;

use divisi_core::{Commit, RunId, Time, Tree};

use super::base::{joined, split};
use super::copied::Copied;
use super::fault::Fault;
use super::folder::reversed;
use super::merge::MergedTree;
use super::objects::{Change, Item, Mode, Oid};
use super::refusal::{DeliverError, MergeRefusal};
use super::standing::named;
use super::store::{Identity, Repo};
use super::user::{Project, Settings, UserRepo, remove_if_there};

/// What is merged, and where to.
#[derive(Clone, Debug)]
pub struct MergeOptions<'a> {
    /// The run.
    pub run: RunId,
    /// The run's base.
    pub base: &'a Commit,
    /// The run's head.
    pub head: &'a Commit,
    /// Only this part of the run: from the first commit to the second. A task's change goes from
    /// the parent of its commit to its commit.
    pub task: Option<(&'a Commit, &'a Commit)>,
    /// One commit in the user's name instead of the run's own commits.
    pub squash: bool,
    /// Where to.
    pub target: Target,
    /// The message of a commit that has to be made.
    pub message: &'a str,
    /// When that commit is made.
    pub at: Time,
}

impl MergeOptions<'_> {
    /// What is merged: from, to.
    pub(crate) fn range(&self) -> (&Commit, &Commit) {
        self.task.unwrap_or((self.base, self.head))
    }
}

/// Where a result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The current branch with its files, or the folder.
    Current,
    /// A new branch that starts at HEAD; no file is touched.
    Branch(String),
}

/// What a merge did.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All of it was there already.
    Nothing,
    /// The current branch moved forward along the run's commits.
    FastForward {
        /// Where it is now.
        commit: Commit,
    },
    /// A commit was made on the current branch.
    Committed {
        /// The commit.
        commit: Commit,
    },
    /// A branch was made.
    Branch {
        /// Where it is.
        commit: Commit,
    },
    /// Files of a folder without git were written or removed.
    Folder {
        /// Which, sorted.
        paths: Vec<String>,
    },
}

impl Repo {
    /// Merges a run's result, or one task's part of it, into the user's project.
    ///
    /// The current branch moves forward if it still stands at the run's base; otherwise a merge
    /// commit in the user's name joins both. With `squash`, for a single task, and for a run that
    /// included uncommitted work, it is one commit with the change only.
    ///
    /// # Errors
    /// [`DeliverError::Refused`] if anything of the user's stands against it; nothing was
    /// changed then.
    pub fn merge_to_user(&self, options: &MergeOptions<'_>) -> Result<Delivery, DeliverError> {
        match &self.project {
            Project::Folder(root) => self.deliver_to_folder(root, options),
            Project::Git(user) => self.deliver_to_git(user, options),
        }
    }

    /// How two trees differ.
    pub(crate) fn changes(&self, from: &Tree, to: &Tree) -> Result<Vec<Change>, Fault> {
        let (from, to) = (self.oid(from.as_str())?, self.oid(to.as_str())?);
        let changes = self.objects.compare(Some(from), Some(to));
        changes.map_err(Fault::io("compare trees of", self.git_dir()))
    }

    fn deliver_to_git(
        &self,
        user: &UserRepo,
        options: &MergeOptions<'_>,
    ) -> Result<Delivery, DeliverError> {
        if let Some(what) = in_progress(user) {
            return Err(MergeRefusal::InProgress { what }.into());
        }
        let settings = user.settings(&self.git)?;
        let onto = user.resolve(&self.git, "HEAD")?;
        let onto = onto.as_deref().and_then(Commit::new);
        if let Some(onto) = &onto {
            self.import(user, onto)?;
        }
        let Some(result) = self.result(&settings, onto.as_ref(), options)? else {
            return Ok(Delivery::Nothing);
        };
        if let Target::Branch(name) = &options.target {
            return self.make_branch(user, &settings, name, onto.as_ref(), &result);
        }
        let checkout = |what| Err(MergeRefusal::Checkout { what }.into());
        if settings.sparse {
            return checkout("sparse");
        }
        let shared = user.ask(&self.git, "ask for a split index");
        if !shared
            .args(["rev-parse", "--shared-index-path"])
            .text()?
            .is_empty()
        {
            return checkout("one with a split index");
        }
        let from = match &onto {
            Some(onto) => self.tree_of(onto)?,
            None => self.empty_tree(),
        };
        let changes = self.changes(&from, &self.tree_of(&result)?)?;
        self.refuse_blocked(user, &settings, onto.as_ref(), &changes)?;
        self.send_objects(user, onto.as_ref(), &result)?;
        self.hook("deliver.write.before");
        self.write_checkout(user, &settings, &changes)?;
        self.hook("deliver.write.after");
        let moved = self.move_head(user, &settings, onto.as_ref(), &result, options.run)?;
        if !moved {
            let back: Vec<Change> = changes.iter().map(reversed).collect();
            self.write_checkout(user, &settings, &back)?;
            return Err(MergeRefusal::HeadMoved.into());
        }
        self.hook("deliver.ref.after");
        Ok(match result == *options.head {
            true => Delivery::FastForward { commit: result },
            false => Delivery::Committed { commit: result },
        })
    }

    /// The commit that the user's branch is to be at; `None` if it has everything already.
    fn result(
        &self,
        settings: &Settings,
        onto: Option<&Commit>,
        options: &MergeOptions<'_>,
    ) -> Result<Option<Commit>, DeliverError> {
        let (from, to) = options.range();
        let who = identity(settings);
        let commit = |tree: &Tree, parents: &[&Commit]| {
            self.commit_tree_as(&who, tree, parents, options.message, options.at)
                .map(Some)
        };
        let Some(onto) = onto else {
            // No branch to stand on yet: the result is the first commit.
            return Ok(commit(&self.tree_of(to)?, &[])?);
        };
        let whole = options.task.is_none() && !options.squash;
        if whole && onto == options.base {
            return Ok((onto != to).then(|| to.clone()));
        }
        let tree = match self.merge_commits(from, onto, to)? {
            MergedTree::Conflict(paths) => return Err(MergeRefusal::Conflict { paths }.into()),
            MergedTree::Clean(tree) => tree,
        };
        if tree == self.tree_of(onto)? {
            return Ok(None);
        }
        let parents = [onto, to];
        let joins = whole && self.is_ancestor(options.base, onto)?;
        Ok(commit(&tree, if joins { &parents } else { &parents[..1] })?)
    }

    fn is_ancestor(&self, one: &Commit, of: &Commit) -> Result<bool, Fault> {
        let done = self
            .call("compare histories")?
            .args(["merge-base", "--is-ancestor", one.as_str(), of.as_str()])
            .run()?;
        Ok(done.status == 0)
    }

    fn make_branch(
        &self,
        user: &UserRepo,
        settings: &Settings,
        name: &str,
        onto: Option<&Commit>,
        result: &Commit,
    ) -> Result<Delivery, DeliverError> {
        let reference = format!("refs/heads/{name}");
        let done = user
            .ask(&self.git, "check a branch's name")
            .args(["check-ref-format", "--branch", name])
            .run()?;
        if done.status != 0 || name.starts_with('-') || done.out.trim_ascii() != name.as_bytes() {
            return Err(MergeRefusal::BranchName {
                name: name.to_owned(),
            }
            .into());
        }
        match user.resolve(&self.git, &reference)? {
            Some(there) if there == result.as_str() => {}
            Some(_) => {
                return Err(MergeRefusal::BranchExists {
                    name: name.to_owned(),
                }
                .into());
            }
            None => {
                self.send_objects(user, onto, result)?;
                self.update_user_ref(user, settings, &reference, None, result, "divisi: branch")?;
            }
        }
        Ok(Delivery::Branch {
            commit: result.clone(),
        })
    }

    /// Refuses if anything stands in the way, in files or in the index.
    fn refuse_blocked(
        &self,
        user: &UserRepo,
        settings: &Settings,
        onto: Option<&Commit>,
        changes: &[Change],
    ) -> Result<(), DeliverError> {
        let index = match onto {
            Some(onto) => Some(Copied::of(self, user, onto)?),
            None => Copied::as_is(self, user)?,
        };
        let mut blocked = self.blocked(&user.root, settings, changes)?;
        if let Some(index) = &index {
            if !blocked.is_empty() {
                // What a filter wrote (LFS) has other bytes than its version, and is unchanged.
                let modified = self.loose_files(&user.root, settings, &index.path)?;
                let is_modified = |path: &Vec<u8>| modified.contains(path);
                let tracked = changes.iter().filter(|change| change.old.is_some());
                let tracked: Vec<&Vec<u8>> = tracked.map(|change| &change.path).collect();
                blocked.retain(|path| !tracked.contains(&path) || is_modified(path));
            }
            blocked.extend(self.blocked_in_index(&index.path, changes)?);
        }
        blocked.sort_unstable();
        blocked.dedup();
        match blocked.is_empty() {
            true => Ok(()),
            false => Err(MergeRefusal::Dirty {
                paths: named(&blocked),
            }
            .into()),
        }
    }

    /// Paths that are staged as something else than the old or the new version.
    fn blocked_in_index(&self, index: &Path, changes: &[Change]) -> Result<Vec<Vec<u8>>, Fault> {
        let call = self.call("read the index")?.index(index);
        let out = call.args(["ls-files", "--stage", "-z"]).ok()?;
        let mut staged = std::collections::HashMap::new();
        for record in split(&out) {
            let entry = parse_staged(record);
            let (path, item) = entry.ok_or_else(|| Fault::odd("read the index", "an odd entry"))?;
            staged.insert(path, item);
        }
        let fits = |change: &Change| match staged.get(&change.path) {
            None => change.old.is_none() || change.new.is_none(),
            // In conflict.
            Some(None) => false,
            Some(item) => *item == change.old || *item == change.new,
        };
        let blocked = changes.iter().filter(|change| !fits(change));
        Ok(blocked.map(|change| change.path.clone()).collect())
    }

    /// Adds the objects of a commit to the user's repository.
    fn send_objects(
        &self,
        user: &UserRepo,
        onto: Option<&Commit>,
        result: &Commit,
    ) -> Result<(), Fault> {
        let path = self.temporary();
        let send = || -> Result<(), Fault> {
            let open = Fault::io("write", &path);
            let file = fs::File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path);
            let mut file = file.map_err(open)?;
            let mut revisions = format!("{result}\n");
            if let Some(onto) = onto {
                revisions.push_str(&format!("^{onto}\n"));
            }
            self.call("pack the result")?
                .args(["pack-objects", "--quiet", "--revs", "--stdout"])
                .stdin(revisions.into_bytes())
                .out_file(file.try_clone().map_err(Fault::io("write", &path))?)
                .ok()?;
            std::io::Seek::rewind(&mut file).map_err(Fault::io("read", &path))?;
            user.ask(&self.git, "add the result to the repository")
                .durable("fsync")
                .args(["index-pack", "--stdin"])
                .stdin_file(file)
                .ok()?;
            Ok(())
        };
        let sent = send();
        remove_if_there(&path).map_err(Fault::io("remove", &path))?;
        sent
    }

    /// Makes index and files hold the new versions. Index first: at every moment each path is in
    /// its old or its new version in both.
    fn write_checkout(
        &self,
        user: &UserRepo,
        settings: &Settings,
        changes: &[Change],
    ) -> Result<(), Fault> {
        let index = user.git_dir.join("index");
        let mut records = Vec::new();
        let gone = changes.iter().filter(|change| change.new.is_none());
        let there = changes.iter().filter(|change| change.new.is_some());
        for change in gone.chain(there) {
            let record = match change.new {
                None => format!("0 {}\t", "0".repeat(self.oid_len * 2)),
                Some(item) => format!("{:o} {}\t", bits(item.mode), item.oid),
            };
            records
                .write_all(record.as_bytes())
                .expect("memory takes any bytes");
            records.extend_from_slice(&change.path);
            records.push(0);
        }
        self.files_call("update the index", &user.root, settings)?
            .config("core.untrackedCache", "keep")
            .index(&index)
            .args(["update-index", "-z", "--index-info"])
            .stdin(records)
            .ok()?;
        self.remove_files(&user.root, changes)?;
        let files = |change: &&Change| change.new.is_some_and(|item| item.mode != Mode::Gitlink);
        let paths: Vec<&Vec<u8>> = changes
            .iter()
            .filter(files)
            .map(|change| &change.path)
            .collect();
        if !paths.is_empty() {
            self.files_call("write files", &user.root, settings)?
                .config("core.untrackedCache", "keep")
                .index(&index)
                .args(["checkout-index", "--force", "--index", "-z", "--stdin"])
                .stdin(joined(&paths))
                .ok()?;
        }
        Ok(())
    }

    /// Moves HEAD with the branch it names; `false` if it stands elsewhere by now.
    fn move_head(
        &self,
        user: &UserRepo,
        settings: &Settings,
        onto: Option<&Commit>,
        result: &Commit,
        run: RunId,
    ) -> Result<bool, Fault> {
        let why = format!("divisi: merge {run}");
        let moved = self.update_user_ref(user, settings, "HEAD", onto, result, &why);
        match moved {
            Ok(()) => Ok(true),
            Err(fault) => {
                let now = user.resolve(&self.git, "HEAD")?;
                match now.as_deref() == onto.map(Commit::as_str) {
                    true => Err(fault),
                    false => Ok(now.as_deref() == Some(result.as_str())),
                }
            }
        }
    }

    fn update_user_ref(
        &self,
        user: &UserRepo,
        settings: &Settings,
        reference: &str,
        old: Option<&Commit>,
        new: &Commit,
        why: &str,
    ) -> Result<(), Fault> {
        let who = identity(settings);
        let absent = "0".repeat(self.oid_len * 2);
        user.ask(&self.git, "move the branch")
            .durable("fsync")
            .config("core.logAllRefUpdates", "true")
            .env("GIT_COMMITTER_NAME", who.name)
            .env("GIT_COMMITTER_EMAIL", who.email)
            .args(["update-ref", "-m", why, "--", reference, new.as_str()])
            .arg(old.map_or(absent.as_str(), Commit::as_str))
            .ok()?;
        Ok(())
    }
}

fn identity(settings: &Settings) -> Identity<'_> {
    Identity {
        name: settings.name.as_deref().unwrap_or("Divisi"),
        email: settings.email.as_deref().unwrap_or("divisi@localhost"),
    }
}

fn in_progress(user: &UserRepo) -> Option<&'static str> {
    let marks = [
        ("MERGE_HEAD", "merge"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
    ];
    let found = marks
        .iter()
        .find(|(name, _)| user.git_dir.join(name).exists());
    found.map(|(_, what)| *what)
}

fn bits(mode: Mode) -> u32 {
    match mode {
        Mode::File => 0o100_644,
        Mode::Executable => 0o100_755,
        Mode::Link => 0o120_000,
        Mode::Gitlink => 0o160_000,
        Mode::Tree => 0o040_000,
    }
}

/// Reads `mode hash stage TAB path`; the item is `None` for a path in conflict.
fn parse_staged(record: &[u8]) -> Option<(Vec<u8>, Option<Item>)> {
    let tab = memchr::memchr(b'\t', record)?;
    let head = std::str::from_utf8(&record[..tab]).ok()?;
    let mut words = head.split(' ');
    let mode = Mode::from_bits(u32::from_str_radix(words.next()?, 8).ok()?);
    let oid = Oid::parse(words.next()?)?;
    let item = (words.next()? == "0").then_some(Item { mode, oid });
    Some((record[tab + 1..].to_vec(), item))
}
