//! Merging a run's result into the user's project: the only writes to it.
//!
//! With git, commits are made in the private repository; then their objects are packed and added
//! to the user's, then index and files follow, then the branch moves. Without git, files are
//! written. Every path touched must hold what the merge starts from, or already what it ends in;
//! so a merge that was cut off is completed by merging again, and nothing of the user's is
//! overwritten. The user's hooks and filters do not run, and nothing is signed: they could have
//! come with the result itself.

use divisi_core::{Commit, RunId, Time, Tree};

use super::fault::Fault;
use super::folder::reversed;
use super::objects::Change;
use super::preview::{Onto, Preview, Steps, Way};
use super::refusal::{DeliverError, MergeRefusal};
use super::store::{Identity, Repo};
use super::user::{Project, Settings, UserRepo};

/// What is merged, and where to.
#[derive(Clone, Debug)]
pub struct MergeOptions<'a> {
    /// The run.
    pub run: RunId,
    /// The run's base.
    pub base: &'a Commit,
    /// Whether that base holds uncommitted work of the user's on top of a commit.
    pub included: bool,
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

    /// The refusal for paths that project and result changed both.
    pub(crate) fn conflict(&self, paths: Vec<String>) -> MergeRefusal {
        match self.included {
            true => MergeRefusal::Uncommitted {
                run: self.run,
                paths,
            },
            false => MergeRefusal::Conflict {
                base: self.base.clone(),
                paths,
            },
        }
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
    /// Files that hold uncommitted work of the user's took in the run's changes; nothing was
    /// committed.
    Uncommitted {
        /// Which, sorted.
        paths: Vec<String>,
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
    /// included uncommitted work, it is one commit with the change only. Where such a run changed
    /// what still is uncommitted, files are written and nothing is committed.
    ///
    /// # Errors
    /// [`DeliverError::Refused`] if anything of the user's stands against it; nothing was
    /// changed then.
    pub fn merge_to_user(&self, options: &MergeOptions<'_>) -> Result<Delivery, DeliverError> {
        self.carry_out(&self.preview(options)?)
    }

    /// Does what was worked out. Whatever the user has changed since stands against it as it would
    /// have stood against the preview.
    ///
    /// # Errors
    /// As [`Repo::merge_to_user`].
    pub fn carry_out(&self, preview: &Preview) -> Result<Delivery, DeliverError> {
        match (&self.project, &preview.steps) {
            (
                Project::Git(user),
                Steps::Checkout {
                    onto,
                    result,
                    changes,
                },
            ) => {
                self.refuse_moved(user, &preview.onto)?;
                self.move_checkout(user, onto.as_ref(), result, changes, preview.run)?;
                Ok(match preview.way {
                    Way::FastForward => Delivery::FastForward {
                        commit: result.clone(),
                    },
                    _ => Delivery::Committed {
                        commit: result.clone(),
                    },
                })
            }
            (Project::Git(user), Steps::Branch { name, onto, result }) => {
                self.make_branch(user, name, onto.as_ref(), result)
            }
            (Project::Git(user), Steps::Uncommitted { tree, changes }) => {
                self.refuse_moved(user, &preview.onto)?;
                self.write_uncommitted(user, preview, tree, changes)
            }
            (Project::Folder(root), Steps::Folder { changes }) => {
                self.deliver_to_folder(root, changes)
            }
            _ => Ok(Delivery::Nothing),
        }
    }

    /// How two trees differ.
    pub(crate) fn changes(&self, from: &Tree, to: &Tree) -> Result<Vec<Change>, Fault> {
        let (from, to) = (self.oid(from.as_str())?, self.oid(to.as_str())?);
        let changes = self.objects.compare(Some(from), Some(to));
        changes.map_err(Fault::io("compare trees of", self.git_dir()))
    }

    /// Refuses if the checkout is not what a merge was worked out for.
    fn refuse_moved(&self, user: &UserRepo, onto: &Onto) -> Result<(), DeliverError> {
        if let Some(what) = in_progress(user) {
            return Err(MergeRefusal::InProgress { what }.into());
        }
        let commit = user.resolve(&self.git, "HEAD")?;
        let commit = commit.as_deref().and_then(Commit::new);
        match self.onto(user, commit)? == *onto {
            true => Ok(()),
            false => Err(MergeRefusal::HeadMoved.into()),
        }
    }

    /// Takes the checkout and its branch from one commit to another.
    fn move_checkout(
        &self,
        user: &UserRepo,
        onto: Option<&Commit>,
        result: &Commit,
        changes: &[Change],
        run: RunId,
    ) -> Result<(), DeliverError> {
        let settings = user.settings(&self.git)?;
        let staged = self.stage(&user.root, &settings, &self.tree_of(result)?, changes)?;
        self.refuse_blocked(user, &settings, onto, changes)?;
        self.send_objects(user, onto, result)?;
        self.hook("deliver.write.before");
        self.write_checkout(user, &settings, &staged, changes)?;
        self.hook("deliver.write.after");
        if !self.move_head(user, &settings, onto, result, run)? {
            let from = match onto {
                Some(onto) => self.tree_of(onto)?,
                None => self.empty_tree(),
            };
            let back: Vec<Change> = changes.iter().map(reversed).collect();
            let staged = self.stage(&user.root, &settings, &from, &back)?;
            self.write_checkout(user, &settings, &staged, &back)?;
            return Err(MergeRefusal::HeadMoved.into());
        }
        self.hook("deliver.ref.after");
        Ok(())
    }

    fn make_branch(
        &self,
        user: &UserRepo,
        name: &str,
        onto: Option<&Commit>,
        result: &Commit,
    ) -> Result<Delivery, DeliverError> {
        self.refuse_branch(user, name, result)?;
        let reference = format!("refs/heads/{name}");
        if user.resolve(&self.git, &reference)?.is_none() {
            let settings = user.settings(&self.git)?;
            self.send_objects(user, onto, result)?;
            self.update_user_ref(user, &settings, &reference, None, result, "divisi: branch")?;
        }
        Ok(Delivery::Branch {
            commit: result.clone(),
        })
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

pub(crate) fn identity(settings: &Settings) -> Identity<'_> {
    Identity {
        name: settings.name.as_deref().unwrap_or("Divisi"),
        email: settings.email.as_deref().unwrap_or("divisi@localhost"),
    }
}

pub(crate) fn in_progress(user: &UserRepo) -> Option<&'static str> {
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
