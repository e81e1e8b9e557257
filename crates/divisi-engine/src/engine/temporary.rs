//! Temporary folders of attempts: each process has one of its own, by its attempt's name.
//!
//! Making a folder, and a Landlock rule set for it, costs more than a small program. A rule set
//! stands for the folder itself, not for its name; so a folder that an attempt left empty is
//! renamed for the next one, and the supervisor's confined threads serve it again. What the folder
//! holds can only have come from its attempt, which makes a question in it that attempt's own.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Nobody but the user has business in them.
const MODE: u32 = 0o700;

/// Folders kept for reuse; as many as are usually given back at once.
const FREE_MAX: usize = 64;

/// The folder of all temporary folders.
pub(super) struct Temporary {
    folder: PathBuf,
    /// The last one given back is taken first: its confined thread is most likely still there.
    free: Mutex<Vec<PathBuf>>,
}

/// What became of a folder that was given back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GivenBack {
    /// It is reused, or is not there.
    Done,
    /// It holds something, or was changed: it is to be removed.
    Remove(PathBuf),
}

impl Temporary {
    pub(super) fn new(dir: &Path) -> Temporary {
        Temporary {
            folder: dir.join("tmp"),
            free: Mutex::new(Vec::new()),
        }
    }

    /// Where they all stand.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the one of this name stands.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A folder of this name, empty unless the same one was taken before.
    ///
    /// # Errors
    /// It can neither be renamed nor made.
    pub(super) fn take(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        let free = self.free().pop();
        if free.is_some_and(|free| std::fs::rename(free, &path).is_ok()) {
            return Ok(path);
        }
        std::fs::DirBuilder::new()
            .mode(MODE)
            .recursive(true)
            .create(&path)?;
        Ok(path)
    }

    /// Takes a folder back into which no process can write any more.
    pub(super) fn give_back(&self, name: &str) -> GivenBack {
        let path = self.path(name);
        let Ok(metadata) = std::fs::symlink_metadata(&path) else {
            return GivenBack::Done;
        };
        let is_empty = || std::fs::read_dir(&path).is_ok_and(|mut read| read.next().is_none());
        if !metadata.is_dir() || metadata.mode() & 0o7777 != MODE || !is_empty() {
            return GivenBack::Remove(path);
        }
        let mut free = self.free();
        if free.len() >= FREE_MAX {
            return GivenBack::Remove(path);
        }
        free.push(path);
        GivenBack::Done
    }

    /// Forgets the free ones, which are about to be removed.
    pub(super) fn forget_free(&self) {
        self.free().clear();
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<PathBuf>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn temporary() -> (tempfile::TempDir, Temporary) {
        let dir = tempfile::tempdir().unwrap();
        let temporary = Temporary::new(dir.path());
        (dir, temporary)
    }

    fn inode(path: &Path) -> u64 {
        std::fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn an_empty_folder_is_used_again_under_the_next_name() {
        let (_dir, temporary) = temporary();
        let first = temporary.take("a").unwrap();
        let folder = inode(&first);
        let beside = temporary.take("b").unwrap();
        assert_ne!(inode(&beside), folder);
        assert_eq!(temporary.give_back("a"), GivenBack::Done);
        let next = temporary.take("c").unwrap();
        assert_eq!(inode(&next), folder);
        assert!(!first.exists());
        assert_eq!(std::fs::read_dir(temporary.folder()).unwrap().count(), 2);
    }

    #[test]
    fn what_an_attempt_left_reaches_no_other() {
        let (_dir, temporary) = temporary();
        let full = temporary.take("full").unwrap();
        std::fs::write(full.join("question.txt"), "mine?").unwrap();
        assert_eq!(temporary.give_back("full"), GivenBack::Remove(full.clone()));
        let closed = temporary.take("closed").unwrap();
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o500)).unwrap();
        assert_eq!(temporary.give_back("closed"), GivenBack::Remove(closed));
        assert_eq!(temporary.give_back("never"), GivenBack::Done);
        let next = temporary.take("next").unwrap();
        assert_eq!(std::fs::read_dir(&next).unwrap().count(), 0);
        assert!(full.exists());
    }

    #[test]
    fn a_free_folder_that_somebody_removed_is_made_anew() {
        let (_dir, temporary) = temporary();
        let first = temporary.take("a").unwrap();
        assert_eq!(temporary.give_back("a"), GivenBack::Done);
        std::fs::remove_dir(first).unwrap();
        assert!(temporary.take("b").unwrap().is_dir());
    }
}
