//! Folders that are thrown away.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of this user that is removed at the end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one among the machine's temporary files; its name says what it is for.
    ///
    /// # Errors
    /// It cannot be made, or somebody made one of its name.
    pub(crate) fn new(purpose: &str) -> io::Result<Scratch> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("divisi-{purpose}-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Not `create_dir_all`: what somebody else put there is not used.
        std::fs::create_dir(&path)?;
        Ok(Scratch(path))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover is in the folder for leftovers.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
