//! The files of a layer: listed and read within bounds, since a repository may hold anything.
//!
//! In the project no link is followed, at any component. A user's own folder may consist of links:
//! programs that manage such files make them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use divisi_core::Diagnostic;
use divisi_engine::files::{Entry, Files as _, FolderFiles};

/// A folder with more entries is not read: these files are written by hand.
const ENTRIES_MAX: usize = 10_000;

/// Folders within the folder of templates are looked into so deep.
const DEPTH_MAX: usize = 8;

/// What is wrong with a folder or a file of a layer.
pub(super) fn unreadable(path: &str, cause: &str) -> Diagnostic {
    Diagnostic::error("library-unreadable", format!("reading {path}: {cause}"))
        .hint("let it be a regular file that you may read, or move it away")
}

/// Whether links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// They are faults.
    Refused,
    /// They are what they lead to.
    Followed,
}

/// Where the files of one kind stand in a layer.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// The layer's root.
    pub(super) root: PathBuf,
    /// The folder beneath it, such as `roles`.
    pub(super) name: &'static str,
    /// What a path begins with when it is shown: nothing in the project.
    pub(super) shown: String,
    /// Whether links are followed.
    pub(super) links: Links,
}

impl Folder {
    /// A path beneath the folder as it is shown.
    pub(super) fn path_of(&self, relative: &str) -> String {
        format!("{}{}/{relative}", self.shown, self.name)
    }

    /// The paths beneath the folder that end in one of these, sorted; what is wrong is collected.
    /// `deep` says whether folders are looked into.
    pub(super) fn list(
        &self,
        endings: &[&str],
        deep: bool,
        faults: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let root = self.root.join(self.name);
        let is_link = fs::symlink_metadata(&root).is_ok_and(|met| met.is_symlink());
        if is_link && self.links == Links::Refused {
            faults.push(unreadable(
                &format!("{}{}", self.shown, self.name),
                "it is a link",
            ));
            return found;
        }
        let mut walk = Walk {
            folder: self,
            endings,
            entries: 0,
            found: &mut found,
        };
        let depth = if deep { DEPTH_MAX } else { 0 };
        if let Err((path, error)) = walk.look(&root, "", depth) {
            faults.push(unreadable(&path, &error.to_string()));
        }
        found.sort_unstable();
        found
    }

    /// The bytes of a file beneath the folder; one more than `bytes_max` of a larger one, so that
    /// its reader refuses it.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or is a link where those are refused.
    pub(super) fn read(
        &self,
        relative: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Box<Diagnostic>> {
        let most = bytes_max as u64 + 1;
        let read = match self.links {
            Links::Refused => FolderFiles::open(&self.root, None)
                .and_then(|files| files.read(&format!("{}/{relative}", self.name), most)),
            Links::Followed => resolved(&self.root.join(self.name).join(relative), most),
        };
        read.map_err(|error| Box::new(unreadable(&self.path_of(relative), &error.to_string())))
    }
}

/// Reads a regular file beneath a project's folder, if it is there. No link is followed.
pub(crate) fn beneath(root: &Path, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let files = FolderFiles::open(root, None)?;
    match files.entry(path)? {
        Entry::Missing => Ok(None),
        _ => files.read(path, bytes_max).map(Some),
    }
}

/// Replaces a file beneath the project's folder whole; it is durable when this returns. No link is
/// followed.
pub(crate) fn put(root: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let to = root.join(path);
    let no_file = || io::Error::from(io::ErrorKind::InvalidInput);
    let (folder, name) = (to.parent(), to.file_name().and_then(|name| name.to_str()));
    let (folder, name) = (folder.ok_or_else(no_file)?, name.ok_or_else(no_file)?);
    let before = FolderFiles::open(root, None)?.entry(path)?;
    if !matches!(before, Entry::Missing | Entry::File { .. }) {
        return Err(io::Error::other(
            "it is, or stands beneath, no regular file or folder",
        ));
    }
    fs::create_dir_all(folder)?;
    // Another process, or thread, may write the same file: each moves its own there.
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let fresh = folder.join(format!(".{name}.{}-{number}.new", std::process::id()));
    let moved = write_like(&to, &fresh, bytes).and_then(|()| fs::rename(&fresh, &to));
    if moved.is_err() {
        // The first error is the one that is told.
        let _ = fs::remove_file(&fresh);
    }
    moved?;
    File::open(folder)?.sync_all()?;
    // The folder itself may be new.
    match folder.parent() {
        Some(above) => File::open(above)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a new file, with the permissions of one that may be there.
fn write_like(before: &Path, fresh: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(fresh)?;
    if let Ok(met) = fs::symlink_metadata(before) {
        file.set_permissions(met.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads the regular file that a path leads to.
pub(crate) fn resolved(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let path = path.canonicalize()?;
    let no_file = || io::Error::from(io::ErrorKind::InvalidInput);
    let folder = path.parent().ok_or_else(no_file)?;
    let name = path.file_name().and_then(|name| name.to_str());
    FolderFiles::open(folder, None)?.read(name.ok_or_else(no_file)?, bytes_max)
}

struct Walk<'w> {
    folder: &'w Folder,
    endings: &'w [&'w str],
    entries: usize,
    found: &'w mut Vec<String>,
}

impl Walk<'_> {
    fn look(&mut self, at: &Path, before: &str, depth: usize) -> Result<(), (String, io::Error)> {
        let shown = |error: io::Error| {
            let path = self.folder.path_of(before);
            (path.trim_end_matches('/').to_owned(), error)
        };
        let entries = match fs::read_dir(at) {
            Ok(entries) => entries,
            // A layer need not have everything.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(shown(error)),
        };
        for entry in entries {
            let entry = entry.map_err(&shown)?;
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                let many = format!("it has more than {ENTRIES_MAX} entries");
                return Err(shown(io::Error::other(many)));
            }
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{before}{name}");
            let kind = entry.file_type().map_err(&shown)?;
            let is_folder = match (kind.is_symlink(), self.folder.links) {
                (true, Links::Followed) => entry.path().is_dir(),
                _ => kind.is_dir(),
            };
            if is_folder {
                if depth > 0 {
                    self.look(&entry.path(), &format!("{path}/"), depth - 1)?;
                }
            } else if self.endings.iter().any(|ending| name.ends_with(ending)) {
                self.found.push(path);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_several_write_at_once_is_one_of_theirs_whole() {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<String> = ["a", "b", "c", "d"].map(|text| text.repeat(100_000)).into();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..10 {
                        put(folder.path(), "in/file", text.as_bytes()).unwrap();
                        let read = fs::read_to_string(folder.path().join("in/file")).unwrap();
                        assert!(texts.contains(&read), "{} bytes are nobody's", read.len());
                    }
                });
            }
        });
        let left = fs::read_dir(folder.path().join("in")).unwrap().count();
        assert_eq!(left, 1, "nothing is left beside it");
    }
}
