//! What stands in the user's files where a merge wants to write.
//!
//! A path may be written if it holds what the merge starts from, or already what it ends in.
//! That makes a merge that was cut off repeatable without a journal: each path is in one of the
//! two states, and the contents of both are in the private repository.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::objects::{Change, Item, Mode, Oid};
use super::store::Repo;
use super::tree::lossy;
use super::user::Settings;

/// What stands at a path of the user's.
enum Stands {
    Nothing,
    File {
        executable: bool,
    },
    Link(Vec<u8>),
    /// A folder that has something in it.
    Folder,
    /// Nothing, but something stands in place of a parent folder: so many bytes of the path name
    /// it.
    Under(usize),
    /// A FIFO, a device.
    Other,
}

pub(crate) fn join(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

/// Where a new version of a file may be written before it takes the file's place: another name in
/// the same folder.
pub(crate) fn beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().as_bytes();
    let mut temporary = b".divisi-".to_vec();
    temporary.extend_from_slice(&name[..name.len().min(200)]);
    place.with_file_name(OsStr::from_bytes(&temporary))
}

fn stands(root: &Path, path: &[u8]) -> io::Result<Stands> {
    for at in memchr::memchr_iter(b'/', path) {
        match join(root, &path[..at]).symlink_metadata() {
            Ok(parent) if parent.is_dir() => {}
            Ok(_) => return Ok(Stands::Under(at)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stands::Nothing),
            Err(error) => return Err(error),
        }
    }
    let place = join(root, path);
    let found = match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stands::Nothing),
        found => found?,
    };
    Ok(if found.is_symlink() {
        Stands::Link(fs::read_link(&place)?.into_os_string().into_vec())
    } else if found.is_file() {
        Stands::File {
            executable: found.permissions().mode() & 0o100 != 0,
        }
    } else if found.is_dir() {
        // An empty folder is nothing to git either.
        match fs::read_dir(&place)?.next() {
            None => Stands::Nothing,
            Some(_) => Stands::Folder,
        }
    } else {
        Stands::Other
    })
}

impl Repo {
    /// The paths at which something stands that is neither the old nor the new version.
    pub(crate) fn blocked(
        &self,
        root: &Path,
        settings: &Settings,
        changes: &[Change],
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let look = |change: &Change| {
            stands(root, &change.path).map_err(Fault::io("look at", &join(root, &change.path)))
        };
        let standing = changes
            .iter()
            .map(look)
            .collect::<Result<Vec<Stands>, Fault>>()?;
        let files = changes
            .iter()
            .zip(&standing)
            .filter(|(_, s)| matches!(s, Stands::File { .. }));
        let hashes = self.hashes(root, settings, files.map(|(change, _)| change))?;
        let bits = settings
            .files
            .iter()
            .all(|(key, value)| key != "core.filemode" || value == "true");
        let touched: HashSet<&[u8]> = changes.iter().map(|c| c.path.as_slice()).collect();
        let mut blocked = Vec::new();
        for (change, standing) in changes.iter().zip(&standing) {
            let mut fits = false;
            for version in [change.old, change.new] {
                fits |= match (standing, version) {
                    (Stands::Nothing, None) => true,
                    // What stands there goes, or is the new version already: it is judged itself.
                    (Stands::Under(at), None) => touched.contains(&change.path[..*at]),
                    (Stands::Folder, None) => holds_only(root, &change.path, &touched)
                        .map_err(Fault::io("look into", &join(root, &change.path)))?,
                    // The folder of a submodule that was never filled.
                    (Stands::Nothing, Some(item)) => item.mode == Mode::Gitlink,
                    (Stands::File { executable }, Some(item)) => {
                        let mode = item.mode
                            == if *executable {
                                Mode::Executable
                            } else {
                                Mode::File
                            };
                        hashes.get(&change.path) == Some(&item.oid)
                            && item.mode.is_file()
                            && (mode || !bits)
                    }
                    (Stands::Link(target), Some(item)) => {
                        item.mode == Mode::Link && self.is_target(item, target)?
                    }
                    _ => false,
                };
            }
            if !fits {
                blocked.push(change.path.clone());
            }
        }
        Ok(blocked)
    }

    fn is_target(&self, item: Item, target: &[u8]) -> Result<bool, Fault> {
        let read = self.objects.blob(item.oid, 64 << 10);
        let (bytes, _) = read.map_err(Fault::io("read objects of", self.git_dir()))?;
        Ok(bytes == target)
    }

    /// The hashes that git would give the files now.
    fn hashes<'c>(
        &self,
        root: &Path,
        settings: &Settings,
        changes: impl Iterator<Item = &'c Change>,
    ) -> Result<HashMap<Vec<u8>, Oid>, Fault> {
        // One line a path: a name with a line end is never equal to anything, and blocks.
        let paths: Vec<&Vec<u8>> = changes
            .map(|change| &change.path)
            .filter(|path| !path.contains(&b'\n') && !path.starts_with(b"\""))
            .collect();
        if paths.is_empty() {
            return Ok(HashMap::new());
        }
        let mut list = Vec::new();
        for path in &paths {
            list.extend_from_slice(path);
            list.push(b'\n');
        }
        let text = self
            .files_call("hash files", root, settings)?
            .args(["hash-object", "--stdin-paths"])
            .stdin(list)
            .text()?;
        let hashes = text.lines().map(Oid::parse);
        let pairs = paths.into_iter().cloned().zip(hashes);
        Ok(pairs.filter_map(|(path, oid)| Some((path, oid?))).collect())
    }

    /// Removes the files that a change takes away, and the folders that this empties.
    pub(crate) fn remove_files(&self, root: &Path, changes: &[Change]) -> Result<(), Fault> {
        for change in changes.iter().filter(|change| change.new.is_none()) {
            let place = join(root, &change.path);
            match stands(root, &change.path).map_err(Fault::io("look at", &place))? {
                Stands::File { .. } | Stands::Link(_) => {}
                Stands::Nothing | Stands::Folder | Stands::Under(_) | Stands::Other => continue,
            }
            fs::remove_file(&place).map_err(Fault::io("remove", &place))?;
            let mut parent = place.parent();
            while let Some(folder) = parent.filter(|folder| *folder != root) {
                // Not empty, most often.
                if fs::remove_dir(folder).is_err() {
                    break;
                }
                parent = folder.parent();
            }
        }
        Ok(())
    }
}

/// Whether a folder holds nothing but files at these paths.
fn holds_only(root: &Path, folder: &[u8], paths: &HashSet<&[u8]>) -> io::Result<bool> {
    let mut waiting = vec![folder.to_vec()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(join(root, &folder))? {
            let entry = entry?;
            let mut path = folder.clone();
            path.push(b'/');
            path.extend_from_slice(entry.file_name().as_bytes());
            if entry.file_type()?.is_dir() {
                waiting.push(path);
            } else if !paths.contains(path.as_slice()) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Removes a folder that has no file in it.
pub(crate) fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// For people, bounded.
pub(crate) fn named(paths: &[Vec<u8>]) -> Vec<String> {
    /// A person reads no more.
    const NAMED_MAX: usize = 100;
    paths
        .iter()
        .take(NAMED_MAX)
        .map(|path| lossy(path))
        .collect()
}
