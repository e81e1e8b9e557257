//! A private copy of the user's index, under which git may look at the user's files.

use std::path::PathBuf;

use divisi_core::Commit;

use super::fault::Fault;
use super::index;
use super::store::Repo;
use super::user::{UserRepo, remove_if_there};

/// A copy of the user's index, removed when it is dropped.
pub(crate) struct Copied {
    pub(crate) path: PathBuf,
}

impl Copied {
    /// Copies it, or makes one from `head` where there is none or it cannot stand alone.
    pub(crate) fn of(repo: &Repo, user: &UserRepo, head: &Commit) -> Result<Copied, Fault> {
        let split = user
            .ask(&repo.git, "ask for a split index")
            .args(["rev-parse", "--shared-index-path"])
            .text()?;
        if split.is_empty()
            && let Some(copied) = Copied::as_is(repo, user)?
        {
            return Ok(copied);
        }
        let copied = Copied {
            path: repo.temporary(),
        };
        let call = repo.call("read a tree")?.index(&copied.path);
        call.args(["read-tree", head.as_str()]).ok()?;
        Ok(copied)
    }

    /// Copies it; `None` if there is none.
    pub(crate) fn as_is(repo: &Repo, user: &UserRepo) -> Result<Option<Copied>, Fault> {
        let copied = Copied {
            path: repo.temporary(),
        };
        let from = user.git_dir.join("index");
        match index::copy(&from, &copied.path) {
            Ok(()) => Ok(Some(copied)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::io("copy", &from)(error)),
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // A copy that stays is only a file too many; the pool's start removes it.
        let _ = remove_if_there(&self.path);
        let _ = remove_if_there(&self.path.with_extension("lock"));
    }
}
