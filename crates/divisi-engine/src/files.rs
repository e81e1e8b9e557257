//! Reading what an attempt left behind, as if it were hostile, because it may be.
//!
//! [`Files`] is the one view that checks and collection have of a tree, whether it is a folder
//! ([`FolderFiles`]) or a tree in the private repository. Both answer alike: paths are relative
//! and resolved beneath the root without following a link at any component, nothing is opened
//! that is not a regular file, and what lies in a `.git` does not exist. Nothing here writes.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use divisi_core::path::{PATH_BYTES_MAX, beneath};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// A tree with more entries than this is not listed: the list is held in memory, and an agent can
/// make millions of files in seconds.
pub const LIST_ENTRIES_MAX: usize = 200_000;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A regular file.
    File {
        /// Its size.
        bytes: u64,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link, at the path itself or on the way to it.
    Link,
    /// A folder.
    Folder,
    /// Anything else: a FIFO, a socket, a device, a submodule.
    Other,
}

/// A tree that is read without trusting it. Paths are relative, their separator is `/`.
pub trait Files {
    /// What stands at the path. Nothing is opened.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if [`beneath`] refuses the path, otherwise what the
    /// storage reported. That nothing is there is no error.
    fn entry(&self, path: &str) -> io::Result<Entry>;

    /// The first `bytes_max` bytes of a regular file, or all if it has fewer.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] as above or if no regular file stands there, otherwise
    /// what the storage reported.
    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>>;

    /// All regular files, sorted. Bytes of a name that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// [`io::ErrorKind::QuotaExceeded`] if there are more than [`LIST_ENTRIES_MAX`] entries,
    /// otherwise what the storage reported.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The paths that the attempt added, changed or removed, sorted, whatever stands there; `None`
    /// where it is not known what there was before.
    ///
    /// # Errors
    /// What the storage reported.
    fn changed(&self) -> io::Result<Option<Vec<String>>>;
}

fn components(path: &str) -> io::Result<Vec<&str>> {
    beneath(path).map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault.to_string()))
}

/// A folder as [`Files`]. Holds the folder open, so that it stays the same one.
#[derive(Debug)]
pub struct FolderFiles {
    root: OwnedFd,
    changed: Option<Vec<String>>,
}

/// Where the walk along a path ended.
enum Walk {
    /// In this folder, with one component left.
    Parent(OwnedFd),
    /// Before that, at something that is no folder.
    Ended(Entry),
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl FolderFiles {
    /// Opens a folder; `changed` is what [`Files::changed`] will say.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn open(root: &Path, mut changed: Option<Vec<String>>) -> io::Result<FolderFiles> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty())?;
        if let Some(changed) = &mut changed {
            changed.sort_unstable();
            changed.dedup();
        }
        Ok(FolderFiles { root, changed })
    }

    /// Walks all but the last component, opening folders only, never through a link.
    fn walk(&self, folders: &[&str]) -> io::Result<Walk> {
        let mut at = self.root.try_clone()?;
        for folder in folders {
            match rustix::fs::openat(&at, *folder, FOLDER, Mode::empty()) {
                Ok(next) => at = next,
                Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(Walk::Ended(Entry::Missing)),
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                    let link = matches!(stat(&at, folder)?, Entry::Link);
                    let ended = if link { Entry::Link } else { Entry::Missing };
                    return Ok(Walk::Ended(ended));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Walk::Parent(at))
    }
}

fn stat(folder: &OwnedFd, name: &str) -> io::Result<Entry> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(entry_of(&stat)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(Entry::Missing),
        Err(error) => Err(error.into()),
    }
}

fn entry_of(stat: &rustix::fs::Stat) -> Entry {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Entry::File {
            bytes: u64::try_from(stat.st_size).unwrap_or(0),
            executable: Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR),
        },
        FileType::Symlink => Entry::Link,
        FileType::Directory => Entry::Folder,
        _ => Entry::Other,
    }
}

fn no_file(path: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{path} is not a regular file"),
    )
}

impl FolderFiles {
    /// What stands at the path, and when its content last changed, in nanoseconds since the Unix
    /// epoch. Nothing is opened.
    ///
    /// # Errors
    /// As [`Files::entry`].
    pub fn entry_changed(&self, path: &str) -> io::Result<(Entry, i128)> {
        let components = components(path)?;
        let (last, folders) = components.split_last().expect("a path has a component");
        let folder = match self.walk(folders)? {
            Walk::Parent(folder) => folder,
            Walk::Ended(entry) => return Ok((entry, 0)),
        };
        match rustix::fs::statat(&folder, *last, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let seconds = i128::from(stat.st_mtime);
                let changed = seconds * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
                Ok((entry_of(&stat), changed))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok((Entry::Missing, 0)),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps those of some paths at which a regular file stands. Of neighbors in a sorted list the
    /// folder is walked to once: most of the time goes there otherwise.
    pub(crate) fn keep_files(&self, paths: &mut Vec<String>) {
        let mut last: Option<(Vec<String>, Option<Walk>)> = None;
        paths.retain(|path| {
            let Ok(components) = components(path) else {
                return false;
            };
            let (name, folders) = components.split_last().expect("a path has a component");
            if last.as_ref().is_none_or(|(known, _)| known != folders) {
                let named = folders.iter().map(|&folder| folder.to_owned());
                last = Some((named.collect(), self.walk(folders).ok()));
            }
            match &last {
                Some((_, Some(Walk::Parent(at)))) => {
                    matches!(stat(at, name), Ok(Entry::File { .. }))
                }
                _ => false,
            }
        });
    }
}

impl Files for FolderFiles {
    fn entry(&self, path: &str) -> io::Result<Entry> {
        let components = components(path)?;
        let (last, folders) = components.split_last().expect("a path has a component");
        match self.walk(folders)? {
            Walk::Parent(folder) => stat(&folder, last),
            Walk::Ended(entry) => Ok(entry),
        }
    }

    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        let components = components(path)?;
        let (last, folders) = components.split_last().expect("a path has a component");
        let Walk::Parent(folder) = self.walk(folders)? else {
            return Err(no_file(path));
        };
        if !matches!(stat(&folder, last)?, Entry::File { .. }) {
            return Err(no_file(path));
        }
        // Looked at before and after: before, so that no FIFO or device is opened at all; after,
        // in case somebody exchanged it meanwhile, when NONBLOCK keeps the open from waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, *last, flags, Mode::empty())?;
        if !matches!(entry_of(&rustix::fs::fstat(&file)?), Entry::File { .. }) {
            return Err(no_file(path));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::from(file);
        io::Read::read_to_end(&mut io::Read::take(file, bytes_max), &mut bytes)?;
        Ok(bytes)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![String::new()];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            let parts: Vec<&str> = folder.split('/').filter(|c| !c.is_empty()).collect();
            let Walk::Parent(open) = self.walk(&parts)? else {
                continue;
            };
            for entry in Dir::read_from(&open)? {
                let entry = entry?;
                if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                    continue;
                }
                seen += 1;
                if seen > LIST_ENTRIES_MAX {
                    return Err(too_many());
                }
                let name = entry.file_name().to_string_lossy();
                let path = match folder.as_str() {
                    "" => name.into_owned(),
                    folder => format!("{folder}/{name}"),
                };
                let kind = kind_of(&open, entry.file_name(), entry.file_type())?;
                if path.len() > PATH_BYTES_MAX || name_is_git(entry.file_name()) {
                    continue;
                }
                match kind {
                    FileType::Directory => folders.push(path),
                    FileType::RegularFile => files.push(path),
                    _ => {}
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn changed(&self) -> io::Result<Option<Vec<String>>> {
        Ok(self.changed.clone())
    }
}

/// The error of a tree with more than [`LIST_ENTRIES_MAX`] entries.
#[must_use]
pub fn too_many() -> io::Error {
    io::Error::new(
        io::ErrorKind::QuotaExceeded,
        format!("the tree has more than {LIST_ENTRIES_MAX} entries"),
    )
}

fn name_is_git(name: &CStr) -> bool {
    name.to_bytes().eq_ignore_ascii_case(b".git")
}

/// Some file systems do not tell the type in the listing.
fn kind_of(folder: &OwnedFd, name: &CStr, told: FileType) -> io::Result<FileType> {
    if told != FileType::Unknown {
        return Ok(told);
    }
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn open(folder: &tempfile::TempDir) -> FolderFiles {
        FolderFiles::open(folder.path(), None).unwrap()
    }

    #[test]
    fn each_kind_of_entry_is_told_and_only_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("sub/.git")).unwrap();
        std::fs::write(root.join("sub/a"), "hello").unwrap();
        std::fs::write(root.join("sub/.git/config"), "x").unwrap();
        symlink("/etc/passwd", root.join("link")).unwrap();
        symlink("sub", root.join("way")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        let files = open(&folder);
        let file = Entry::File {
            bytes: 5,
            executable: false,
        };
        for (path, entry) in [
            ("sub/a", file),
            ("./sub//a", file),
            ("sub", Entry::Folder),
            ("link", Entry::Link),
            ("link/x", Entry::Link),
            ("way/a", Entry::Link),
            ("fifo", Entry::Other),
            ("nothing", Entry::Missing),
            ("nothing/a", Entry::Missing),
            ("sub/a/b", Entry::Missing),
        ] {
            assert_eq!(files.entry(path).unwrap(), entry, "{path}");
        }
        assert_eq!(files.entry(&"n".repeat(300)).unwrap(), Entry::Missing);
        let all = "./sub//a ../a fifo link link/x nothing nothing/a sub sub/ sub/.git/config sub/a \
                   sub/a/b sub/é way/a";
        let mut kept: Vec<String> = all.split_whitespace().map(str::to_owned).collect();
        files.keep_files(&mut kept);
        assert_eq!(kept, ["./sub//a", "sub/a"]);
        assert_eq!(files.read("sub/a", 3).unwrap(), b"hel");
        for path in [
            "link",
            "way/a",
            "fifo",
            "sub",
            "nothing",
            "../a",
            "sub/.git/config",
        ] {
            let error = files.read(path, 10).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path}");
        }
        assert_eq!(files.list().unwrap(), ["sub/a"]);
    }

    #[test]
    fn a_loop_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        symlink(".", folder.path().join("again")).unwrap();
        std::fs::write(folder.path().join("a"), "").unwrap();
        let files = open(&folder);
        assert_eq!(files.list().unwrap(), ["a"]);
        assert_eq!(files.entry("again/again/a").unwrap(), Entry::Link);
    }
}
