//! A tree of the private repository as checks see it: read-only, and nothing is executed.

use std::io;

use divisi_core::Tree;
use divisi_core::path::beneath;

use super::fault::Fault;
use super::objects::{Mode, Oid, Walked};
use super::store::Repo;
use crate::files::{Entry, Files, LIST_ENTRIES_MAX, too_many};

/// A tree and the one it is compared with. Paths are relative, their separator is `/`.
#[derive(Debug)]
pub struct TreeFiles<'a> {
    repo: &'a Repo,
    root: Oid,
    base: Option<Oid>,
}

impl Repo {
    /// The files of a tree. `base` is what [`Files::changed`] compares with.
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
    beneath(path).map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault.to_string()))
}

impl TreeFiles<'_> {
    fn walk(&self, path: &str) -> io::Result<Walked> {
        self.repo.objects.item(self.root, &components(path)?)
    }
}

impl Files for TreeFiles<'_> {
    fn entry(&self, path: &str) -> io::Result<Entry> {
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

    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
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

    fn list(&self) -> io::Result<Vec<String>> {
        let items = self.repo.objects.list(self.root).map_err(quota)?;
        if items.len() > LIST_ENTRIES_MAX {
            return Err(too_many());
        }
        let files = items.into_iter().filter(|(_, item)| item.mode.is_file());
        Ok(files.map(|(path, _)| lossy(&path)).collect())
    }

    fn changed(&self) -> io::Result<Option<Vec<String>>> {
        let Some(base) = self.base else {
            return Ok(None);
        };
        let changes = self.repo.objects.compare(Some(base), Some(self.root))?;
        let paths = changes.into_iter().map(|change| lossy(&change.path));
        Ok(Some(paths.collect()))
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
