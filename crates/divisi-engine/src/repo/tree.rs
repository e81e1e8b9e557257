//! A tree of the private repository as checks see it: read-only, and nothing is executed.

use std::io;

use divisi_core::Tree;

use super::fault::Fault;
use super::objects::{Mode, Oid, Walked};
use super::store::Repo;

/// A tree with more entries than this is not listed: the list is held in memory.
const LIST_ENTRIES_MAX: usize = 200_000;

/// Longer paths stand in no tree that a file system could hold.
const PATH_BYTES_MAX: usize = 4_096;

/// What stands at a path of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A regular file.
    File {
        /// Its size.
        bytes: u64,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symbolic link, at the path itself or on the way to it.
    Link,
    /// A folder.
    Folder,
    /// A submodule.
    Other,
}

/// A tree and the one it is compared with. Paths are relative, their separator is `/`.
#[derive(Debug)]
pub struct TreeFiles<'a> {
    repo: &'a Repo,
    root: Oid,
    base: Option<Oid>,
}

impl Repo {
    /// The files of a tree. `base` is what [`TreeFiles::changed`] compares with; without one
    /// everything counts as changed.
    ///
    /// # Errors
    /// A hash is not one of this repository.
    pub fn files(&self, tree: &Tree, base: Option<&Tree>) -> Result<TreeFiles<'_>, Fault> {
        let base = base.map(|tree| self.oid(tree.as_str())).transpose()?;
        Ok(TreeFiles {
            repo: self,
            root: self.oid(tree.as_str())?,
            base,
        })
    }
}

fn components(path: &str) -> io::Result<Vec<&str>> {
    let refuse = |cause: &str| {
        let cause = format!("path {path:?} {cause}");
        Err(io::Error::new(io::ErrorKind::InvalidInput, cause))
    };
    if path.len() > PATH_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path is too long",
        ));
    }
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    if path.contains('\0') {
        return refuse("holds a NUL");
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return refuse("leads outside the tree");
    }
    if parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return refuse("leads into a .git folder");
    }
    if parts.is_empty() {
        return refuse("names no file");
    }
    Ok(parts)
}

impl TreeFiles<'_> {
    fn walk(&self, path: &str) -> io::Result<Walked> {
        self.repo.objects.item(self.root, &components(path)?)
    }

    /// What stands at the path.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a path that leads elsewhere, otherwise what git said.
    pub fn entry(&self, path: &str) -> io::Result<Entry> {
        let item = match self.walk(path)? {
            Walked::Missing => return Ok(Entry::Missing),
            Walked::Link => return Ok(Entry::Link),
            Walked::Item(item) => item,
        };
        Ok(match item.mode {
            Mode::Tree => Entry::Folder,
            Mode::Link => Entry::Link,
            Mode::Gitlink => Entry::Other,
            Mode::File | Mode::Executable => {
                let info = self.repo.objects.info(item.oid)?;
                let (_, bytes) = info.ok_or(io::ErrorKind::InvalidData)?;
                Entry::File {
                    bytes,
                    executable: item.mode == Mode::Executable,
                }
            }
        })
    }

    /// The first `bytes_max` bytes of a regular file, or all if it has fewer.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] as above or if no regular file stands there, otherwise
    /// what git said.
    pub fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        match self.walk(path)? {
            Walked::Item(item) if item.mode.is_file() => {
                Ok(self.repo.objects.blob(item.oid, bytes_max)?.0)
            }
            _ => {
                let cause = format!("{path} is not a regular file");
                Err(io::Error::new(io::ErrorKind::InvalidInput, cause))
            }
        }
    }

    /// All regular files, sorted. Bytes of a name that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// [`io::ErrorKind::QuotaExceeded`] if there are too many, otherwise what git said.
    pub fn list(&self) -> io::Result<Vec<String>> {
        let items = self.repo.objects.list(self.root).map_err(quota)?;
        if items.len() > LIST_ENTRIES_MAX {
            let cause = format!("the tree has more than {LIST_ENTRIES_MAX} entries");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, cause));
        }
        let files = items.into_iter().filter(|(_, item)| item.mode.is_file());
        Ok(files.map(|(path, _)| lossy(&path)).collect())
    }

    /// The paths that differ from the base, sorted, whatever stands there.
    ///
    /// # Errors
    /// As [`TreeFiles::list`].
    pub fn changed(&self) -> io::Result<Vec<String>> {
        let changes = self.repo.objects.compare(self.base, Some(self.root))?;
        Ok(changes
            .into_iter()
            .map(|change| lossy(&change.path))
            .collect())
    }
}

/// Too many entries are a limit of this view, whatever the reader calls it.
fn quota(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::FileTooLarge => io::Error::new(io::ErrorKind::QuotaExceeded, error),
        _ => error,
    }
}

/// A path for people and for patterns.
pub(crate) fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
