//! A merge that is worked out and not done: what it goes onto, how, and what would change.
//!
//! Everything is computed in the private repository, from the user's project as it stands now:
//! nothing is written to it. [`Repo::merge_to_user`] carries out what was worked out here, so what
//! a preview shows is what merging does, or the same refusal.

use std::collections::HashMap;

use divisi_core::{Commit, RunId, Tree};

use super::base::split;
use super::deliver::{MergeOptions, Target, identity, in_progress};
use super::fault::Fault;
use super::merge::MergedTree;
use super::objects::{Change, Mode};
use super::prune::InUse;
use super::refusal::{DeliverError, MergeRefusal};
use super::standing::named;
use super::store::Repo;
use super::tree::lossy;
use super::user::{Project, Settings, UserRepo};

/// A merge that is worked out. Nothing of it was done.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What it goes onto.
    pub onto: Onto,
    /// The new branch that would be made there, if one was asked for.
    pub branch: Option<String>,
    /// How.
    pub way: Way,
    /// Files that would change, sorted by path; also of a new branch as against what it goes onto.
    pub files: Vec<FileChange>,
    /// Nothing names the commit that it would end in: its objects are kept meanwhile.
    pub in_use: InUse,
    pub(crate) run: RunId,
    pub(crate) steps: Steps,
}

/// What a merge goes onto.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onto {
    /// A branch, checked out; without a commit in a new repository.
    Branch(String, Option<Commit>),
    /// A commit that no branch is checked out at.
    Detached(Commit),
    /// A folder without git.
    Folder,
}

/// How a merge comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All of it is there already.
    Nothing,
    /// The branch takes the run's own commits.
    FastForward,
    /// A commit joins the branch and the run.
    MergeCommit,
    /// One commit with the change.
    OneCommit,
    /// Files are written or removed beside the user's uncommitted work; nothing is committed.
    Uncommitted,
    /// Files of a folder without git are written or removed.
    Files,
}

/// A file that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// How.
    pub kind: ChangeKind,
    /// Lines added and removed; `None` of a file that is not text.
    pub lines: Option<(u64, u64)>,
}

/// How a file would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Its content, or what it is, changes.
    Changed,
}

/// What carrying it out takes.
#[derive(Clone, Debug)]
pub(crate) enum Steps {
    Nothing,
    /// The checkout and its branch go from one commit to another.
    Checkout {
        onto: Option<Commit>,
        result: Commit,
        changes: Vec<Change>,
    },
    /// A branch is made.
    Branch {
        name: String,
        onto: Option<Commit>,
        result: Commit,
    },
    /// Files are written that hold uncommitted work.
    Uncommitted {
        tree: Tree,
        changes: Vec<Change>,
    },
    /// Files of a folder without git are written.
    Folder {
        changes: Vec<Change>,
    },
}

/// The commit that a merge would end in.
pub(crate) enum Joined {
    /// The one that is there has everything.
    Nothing,
    Made(Commit, Way),
    Conflict(Vec<String>),
}

impl Repo {
    /// Works out a merge into the user's project as it stands now, and changes nothing.
    ///
    /// # Errors
    /// As [`Repo::merge_to_user`]: what stands against it stands against a preview too.
    pub fn preview(&self, options: &MergeOptions<'_>) -> Result<Preview, DeliverError> {
        let in_use = self.in_use()?;
        match &self.project {
            Project::Folder(_) => self.preview_folder(options, in_use),
            Project::Git(user) => self.preview_git(user, options, in_use),
        }
    }

    fn preview_git(
        &self,
        user: &UserRepo,
        options: &MergeOptions<'_>,
        in_use: InUse,
    ) -> Result<Preview, DeliverError> {
        if let Some(what) = in_progress(user) {
            return Err(MergeRefusal::InProgress { what }.into());
        }
        if let Target::Branch(name) = &options.target {
            self.refuse_branch_name(user, name)?;
        }
        let settings = user.settings(&self.git)?;
        let commit = user.resolve(&self.git, "HEAD")?;
        let commit = commit.as_deref().and_then(Commit::new);
        if let Some(commit) = &commit {
            self.import(user, commit)?;
        }
        let from = match &commit {
            Some(commit) => self.tree_of(commit)?,
            None => self.empty_tree(),
        };
        let mut preview = Preview {
            onto: self.onto(user, commit.clone())?,
            branch: None,
            way: Way::Nothing,
            files: Vec::new(),
            run: options.run,
            steps: Steps::Nothing,
            in_use,
        };
        let joined = self.join(&settings, commit.as_ref(), options)?;
        let changes = match &joined {
            Joined::Made(result, _) => self.changes(&from, &self.tree_of(result)?)?,
            Joined::Nothing | Joined::Conflict(_) => Vec::new(),
        };
        if options.target == Target::Current
            && let Some(on) = self.on_uncommitted(&from, options)?
        {
            let apart = !matches!(joined, Joined::Conflict(_))
                && self.stands_apart(user, &settings, commit.as_ref(), &on, &changes)?;
            if !apart
                && let Some(uncommitted) =
                    self.preview_uncommitted(user, &settings, &on, &joined, options, &preview)?
            {
                self.refuse_checkout(user, &settings)?;
                return Ok(uncommitted);
            }
        }
        let (result, way) = match joined {
            Joined::Nothing => return Ok(preview),
            Joined::Conflict(paths) => return Err(options.conflict(paths).into()),
            Joined::Made(result, way) => (result, way),
        };
        preview.way = way;
        preview.files = self.file_changes(&from, &self.tree_of(&result)?, &changes)?;
        if let Target::Branch(name) = &options.target {
            self.refuse_branch(user, name, &result)?;
            preview.branch = Some(name.clone());
            preview.steps = Steps::Branch {
                name: name.clone(),
                onto: commit,
                result,
            };
            return Ok(preview);
        }
        self.refuse_checkout(user, &settings)?;
        self.refuse_blocked(user, &settings, commit.as_ref(), &changes)?;
        preview.steps = Steps::Checkout {
            onto: commit,
            result,
            changes,
        };
        Ok(preview)
    }

    fn preview_folder(
        &self,
        options: &MergeOptions<'_>,
        in_use: InUse,
    ) -> Result<Preview, DeliverError> {
        if let Target::Branch(_) = options.target {
            return Err(MergeRefusal::NoBranches.into());
        }
        let (from, to) = options.range();
        let (from, to) = (self.tree_of(from)?, self.tree_of(to)?);
        let mut changes = self.changes(&from, &to)?;
        // Nobody can check a submodule out of a folder without git.
        changes.retain(|change| {
            let mut items = [change.old, change.new].into_iter().flatten();
            items.all(|item| item.mode != Mode::Gitlink)
        });
        let root = self.project.root();
        let left: Vec<Change> = changes.iter().map(arrived).collect();
        let way = match self.blocked(root, &Settings::default(), &left)?.is_empty() {
            true => Way::Nothing,
            false => Way::Files,
        };
        if way == Way::Files {
            self.refuse_blocked_folder(root, &changes)?;
        }
        let mut preview = Preview {
            onto: Onto::Folder,
            branch: None,
            way,
            files: Vec::new(),
            run: options.run,
            steps: Steps::Nothing,
            in_use,
        };
        if way == Way::Files {
            preview.files = self.file_changes(&from, &to, &changes)?;
            preview.steps = Steps::Folder { changes };
        }
        Ok(preview)
    }

    pub(crate) fn onto(&self, user: &UserRepo, commit: Option<Commit>) -> Result<Onto, Fault> {
        let done = user
            .ask(&self.git, "read the current branch")
            .args(["symbolic-ref", "--quiet", "--short", "HEAD"])
            .run()?;
        let branch = String::from_utf8_lossy(&done.out).trim().to_owned();
        Ok(match (done.status, commit) {
            (0, commit) => Onto::Branch(branch, commit),
            (_, Some(commit)) => Onto::Detached(commit),
            (_, None) => return Err(Fault::odd("read the current branch", &branch)),
        })
    }

    /// The commit that the user's branch is to be at.
    fn join(
        &self,
        settings: &Settings,
        onto: Option<&Commit>,
        options: &MergeOptions<'_>,
    ) -> Result<Joined, Fault> {
        let (from, to) = options.range();
        let who = identity(settings);
        let commit = |tree: &Tree, parents: &[&Commit], way| {
            let made = self.commit_tree_as(&who, tree, parents, options.message, options.at);
            Ok(Joined::Made(made?, way))
        };
        let Some(onto) = onto else {
            // No branch to stand on yet: the result is the first commit.
            let Some(under) = self.parent(options.base)?.filter(|_| options.included) else {
                return commit(&self.tree_of(to)?, &[], Way::OneCommit);
            };
            return match self.merge_commits(from, &under, to)? {
                MergedTree::Conflict(paths) => Ok(Joined::Conflict(paths)),
                MergedTree::Clean(tree) if tree == self.tree_of(&under)? => Ok(Joined::Nothing),
                MergedTree::Clean(tree) => commit(&tree, &[], Way::OneCommit),
            };
        };
        let whole = options.task.is_none() && !options.squash;
        if whole && onto == options.base {
            return Ok(match onto == to {
                true => Joined::Nothing,
                false => Joined::Made(to.clone(), Way::FastForward),
            });
        }
        let tree = match self.merge_commits(from, onto, to)? {
            MergedTree::Conflict(paths) => return Ok(Joined::Conflict(paths)),
            MergedTree::Clean(tree) => tree,
        };
        if tree == self.tree_of(onto)? {
            return Ok(Joined::Nothing);
        }
        match whole && self.is_ancestor(options.base, onto)? {
            true => commit(&tree, &[onto, to], Way::MergeCommit),
            false => commit(&tree, &[onto], Way::OneCommit),
        }
    }

    fn is_ancestor(&self, one: &Commit, of: &Commit) -> Result<bool, Fault> {
        let done = self
            .call("compare histories")?
            .args(["merge-base", "--is-ancestor", one.as_str(), of.as_str()])
            .run()?;
        Ok(done.status == 0)
    }

    fn refuse_branch_name(&self, user: &UserRepo, name: &str) -> Result<(), DeliverError> {
        let name = name.to_owned();
        let done = user
            .ask(&self.git, "check a branch's name")
            .args(["check-ref-format", "--branch", &name])
            .run()?;
        if done.status != 0 || name.starts_with('-') || done.out.trim_ascii() != name.as_bytes() {
            return Err(MergeRefusal::BranchName { name }.into());
        }
        Ok(())
    }

    pub(crate) fn refuse_branch(
        &self,
        user: &UserRepo,
        name: &str,
        result: &Commit,
    ) -> Result<(), DeliverError> {
        self.refuse_branch_name(user, name)?;
        let name = name.to_owned();
        match user.resolve(&self.git, &format!("refs/heads/{name}"))? {
            Some(there) if there != result.as_str() => {
                Err(MergeRefusal::BranchExists { name }.into())
            }
            _ => Ok(()),
        }
    }

    /// Refuses a checkout that is not written to, whatever the merge.
    fn refuse_checkout(&self, user: &UserRepo, settings: &Settings) -> Result<(), DeliverError> {
        let checkout = |what| Err(MergeRefusal::Checkout { what }.into());
        if settings.sparse {
            return checkout("sparse");
        }
        let shared = user.ask(&self.git, "ask for a split index");
        let shared = shared.args(["rev-parse", "--shared-index-path"]).text()?;
        match shared.is_empty() {
            true => Ok(()),
            false => checkout("one with a split index"),
        }
    }

    pub(crate) fn refuse_blocked_folder(
        &self,
        root: &std::path::Path,
        changes: &[Change],
    ) -> Result<(), DeliverError> {
        let blocked = self.blocked(root, &Settings::default(), changes)?;
        match blocked.is_empty() {
            true => Ok(()),
            false => Err(MergeRefusal::Dirty {
                paths: named(&blocked),
            }
            .into()),
        }
    }

    /// How many lines are added and removed between two commits; a file that is not text counts as
    /// one.
    ///
    /// # Errors
    /// Git failed, or a commit is not in the private repository.
    pub(crate) fn lines_changed(&self, from: &Commit, to: &Commit) -> Result<u64, Fault> {
        let out = self
            .call("count changed lines")?
            .config("diff.ignoreSubmodules", "none")
            .args(["diff", "--numstat", "-z", "--no-renames"])
            .args(["--no-ext-diff", "--no-textconv"])
            .args([from.as_str(), to.as_str(), "--"])
            .ok()?;
        let lines = split(&out).map(|record| match counted(record) {
            Some((_, (added, removed))) => added.saturating_add(removed),
            None => 1,
        });
        Ok(lines.fold(0, u64::saturating_add))
    }

    /// The paths that differ between two commits, in git's order, and whether the first has them.
    ///
    /// # Errors
    /// Git failed, or a commit is not in the private repository.
    pub fn paths_changed(&self, from: &Commit, to: &Commit) -> Result<Vec<(String, bool)>, Fault> {
        let out = self
            .call("list changed files")?
            .config("diff.ignoreSubmodules", "none")
            .args(["diff", "--name-status", "-z", "--no-renames"])
            .args(["--no-ext-diff", "--no-textconv"])
            .args([from.as_str(), to.as_str(), "--"])
            .ok()?;
        // A letter and a path, in turn.
        let mut words = split(&out);
        let mut paths = Vec::new();
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            paths.push((lossy(path), status != b"A"));
        }
        Ok(paths)
    }

    /// Changes between two trees as they are shown.
    pub(crate) fn file_changes(
        &self,
        from: &Tree,
        to: &Tree,
        changes: &[Change],
    ) -> Result<Vec<FileChange>, Fault> {
        let out = self
            .call("count changed lines")?
            .config("diff.ignoreSubmodules", "none")
            .args(["diff", "--numstat", "-z", "--no-renames"])
            .args(["--no-ext-diff", "--no-textconv"])
            .args([from.as_str(), to.as_str(), "--"])
            .ok()?;
        let lines: HashMap<&[u8], (u64, u64)> = split(&out).filter_map(counted).collect();
        let shown = |change: &Change| FileChange {
            path: lossy(&change.path),
            kind: match (change.old, change.new) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            },
            lines: lines.get(change.path.as_slice()).copied(),
        };
        Ok(changes.iter().map(shown).collect())
    }
}

/// The change of a path that already holds its new version.
pub(crate) fn arrived(change: &Change) -> Change {
    Change {
        old: change.new,
        ..change.clone()
    }
}

/// Reads `added TAB removed TAB path`; both are `-` for a file that is not text.
fn counted(record: &[u8]) -> Option<(&[u8], (u64, u64))> {
    let mut words = record.splitn(3, |&byte| byte == b'\t');
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    let (added, removed) = (number()?, number()?);
    Some((words.next()?, (added, removed)))
}
