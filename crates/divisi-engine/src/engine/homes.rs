//! Private folders of coding agents: where a tool keeps its sessions and what else it knows.
//!
//! Each belongs to a workspace of a task, not to an attempt, under a name that stays the same: a
//! tool finds its session again where it left it. It lives only as long as a next attempt may take
//! that session up. One is put aside by a new name before it is removed, by the loop or by whoever
//! gives it out anew: none is removed beneath whom it was given to meanwhile.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use divisi_agents::adapter::{PRODUCTS, take_logins};
use divisi_core::{RunId, TaskNo};

use super::launch::COLLECT_BYTES_MAX;
use crate::workspace::{mask_folder, walk};

/// Nobody but the user has business in them.
const MODE: u32 = 0o700;

/// Marks one that nobody will take up.
const ASIDE: &str = ".gone";

/// The folder of all of them.
pub(super) struct Homes {
    folder: PathBuf,
}

/// What a folder is called: by the workspace that it belongs to.
pub(super) fn home_name(run: RunId, task: TaskNo, workspace: u32) -> String {
    format!("{run}.{}.{workspace}", task.0)
}

impl Homes {
    pub(super) fn new(dir: &Path) -> Homes {
        Homes {
            folder: dir.join("homes"),
        }
    }

    /// The folder of a workspace, with what stands in it, if it is to be taken up.
    ///
    /// # Errors
    /// It cannot be made, or what stood in it not removed.
    pub(super) fn take(&self, name: &str, is_taken_up: bool) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        if !is_taken_up && let Some(aside) = self.put_aside(name)? {
            walk::remove_all(&aside)?;
        }
        std::fs::DirBuilder::new()
            .mode(MODE)
            .recursive(true)
            .create(&path)?;
        Ok(path)
    }

    /// Takes a folder away from whoever comes next, if there is one; it is to be removed.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub(super) fn put_aside(&self, name: &str) -> io::Result<Option<PathBuf>> {
        let aside = self.folder.join(format!("{name}{ASIDE}"));
        // One that was put aside before and not removed would be in the way.
        walk::remove_all(&aside)?;
        match std::fs::rename(self.folder.join(name), &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes all that nobody will take up, and logins and secrets from the others, unless somebody
    /// works with them. Returns what could not be cleaned, in words.
    #[must_use]
    pub(super) fn clean_up(
        &self,
        secrets: &[String],
        state_of: &dyn Fn(&str) -> HomeState,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten();
        for entry in entries.flatten() {
            let path = entry.path();
            let is_left = match entry.file_name().to_str().map(state_of) {
                Some(HomeState::Used) => true,
                // What cannot be cleaned is kept for nobody.
                Some(HomeState::Kept) => {
                    PRODUCTS.iter().all(|it| take_logins(it, &path).is_ok())
                        && mask_folder(&path, secrets, COLLECT_BYTES_MAX).is_ok()
                }
                Some(HomeState::Free) | None => false,
            };
            if !is_left && let Err(error) = walk::remove_all(&path) {
                faults.push(format!("remove {}: {error}", path.display()));
            }
        }
        faults
    }
}

/// Whether anybody needs a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HomeState {
    /// An attempt works with it.
    Used,
    /// A next attempt will take it up.
    Kept,
    /// Nobody does.
    Free,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes() -> (tempfile::TempDir, Homes) {
        let dir = tempfile::tempdir().unwrap();
        let homes = Homes::new(dir.path());
        (dir, homes)
    }

    #[test]
    fn what_stands_in_it_is_there_for_whoever_takes_it_up_alone() {
        let (_dir, homes) = homes();
        let path = homes.take("run-1.0.1", false).unwrap();
        std::fs::write(path.join("session.json"), "{}").unwrap();
        assert_eq!(homes.take("run-1.0.1", true).unwrap(), path);
        assert!(path.join("session.json").exists());
        assert_eq!(homes.take("run-1.0.1", false).unwrap(), path);
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
        assert_eq!(homes.put_aside("run-2.0.1").unwrap(), None);
    }

    #[test]
    fn logins_and_secrets_leave_it_and_what_nobody_takes_up_is_removed() {
        let (dir, homes) = homes();
        let [used, kept, free] = ["used", "kept", "free"].map(|name| {
            let path = homes.take(name, false).unwrap();
            std::fs::create_dir(path.join("claude")).unwrap();
            std::fs::write(path.join("claude/.credentials.json"), "a login").unwrap();
            std::fs::write(path.join("claude/said.jsonl"), "it is a-secret-key\n").unwrap();
            path
        });
        // A link to where the user's own login is.
        let outside = dir.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join(".credentials.json"), "a login").unwrap();
        let misled = homes.take("misled", false).unwrap();
        std::os::unix::fs::symlink(&outside, misled.join("claude")).unwrap();
        let state_of = |name: &str| match name {
            "used" => HomeState::Used,
            "kept" | "misled" => HomeState::Kept,
            _ => HomeState::Free,
        };
        let faults = homes.clean_up(&["a-secret-key".to_owned()], &state_of);
        assert_eq!(faults, [""; 0]);
        assert!(!free.exists());
        assert!(!misled.exists());
        assert!(outside.join(".credentials.json").exists());
        assert!(used.join("claude/.credentials.json").exists());
        assert!(!kept.join("claude/.credentials.json").exists());
        let said = std::fs::read_to_string(kept.join("claude/said.jsonl")).unwrap();
        assert_eq!(said, "it is ************\n");
    }
}
