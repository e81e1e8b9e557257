//! Walks over folders that somebody hostile may have filled.
//!
//! Every step is relative to an open folder and never through a link; nothing but folders is
//! opened. What stands outside the folder cannot be reached, whatever is renamed meanwhile.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Each level keeps a folder open.
pub(crate) const DEPTH_MAX: usize = 128;

pub(crate) const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What was met, as `lstat` tells.
#[derive(Debug)]
pub(crate) struct Met<'a> {
    /// The open folder it was met in, and its name there.
    pub(crate) at: (std::os::fd::BorrowedFd<'a>, &'a CStr),
    /// Relative to the root, with `/`.
    pub(crate) path: &'a [u8],
    pub(crate) kind: FileType,
    pub(crate) bytes: u64,
    pub(crate) mtime: (u32, u32),
    pub(crate) ctime: (u32, u32),
    pub(crate) inode: u32,
}

/// What to do with a folder that was met.
#[must_use]
pub(crate) enum Next {
    /// Look into it, if it is a folder.
    Into,
    /// Go past it.
    Past,
    /// End the walk.
    Stop,
}

/// Why a walk ended before its end.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was told to.
    Stopped,
    /// Folders are nested deeper than [`DEPTH_MAX`]; here.
    TooDeep(Vec<u8>),
    /// The file system refused.
    Io(io::Error),
}

impl From<Errno> for Ended {
    fn from(error: Errno) -> Ended {
        Ended::Io(error.into())
    }
}

/// Opens the folder where a walk starts; it must be one itself, not a link to one.
pub(crate) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, FOLDER, Mode::empty())?)
}

/// Visits all beneath a folder, parents before what is in them.
pub(crate) fn walk(root: impl AsFd, visit: &mut dyn FnMut(&Met<'_>) -> Next) -> Result<(), Ended> {
    visit_folder(root.as_fd(), &mut Vec::new(), 0, visit)
}

fn visit_folder(
    folder: std::os::fd::BorrowedFd<'_>,
    path: &mut Vec<u8>,
    depth: usize,
    visit: &mut dyn FnMut(&Met<'_>) -> Next,
) -> Result<(), Ended> {
    if depth > DEPTH_MAX {
        return Err(Ended::TooDeep(path.clone()));
    }
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Removed meanwhile.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let before = path.len();
        if before > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        let kind = FileType::from_raw_mode(stat.st_mode);
        // Cut to 32 bits as git's index does: they are only compared with it.
        let met = Met {
            at: (folder, name),
            path,
            kind,
            bytes: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime as u32, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime as u32, stat.st_ctime_nsec as u32),
            inode: stat.st_ino as u32,
        };
        match visit(&met) {
            Next::Stop => return Err(Ended::Stopped),
            Next::Into if kind == FileType::Directory => {
                match rustix::fs::openat(folder, name, FOLDER, Mode::empty()) {
                    Ok(inner) => visit_folder(inner.as_fd(), path, depth + 1, visit)?,
                    // Removed or exchanged meanwhile: then it is not a folder to look into.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Next::Into | Next::Past => {}
        }
        path.truncate(before);
    }
    Ok(())
}

/// Removes all beneath a folder for which `keeps` says no. A kept folder is looked into, and
/// something that is not a folder is kept only as it is.
pub(crate) fn clean(root: impl AsFd, keeps: &dyn Fn(&[u8], FileType) -> bool) -> io::Result<()> {
    clean_folder(root.as_fd(), &mut Vec::new(), keeps)
}

fn clean_folder(
    folder: std::os::fd::BorrowedFd<'_>,
    path: &mut Vec<u8>,
    keeps: &dyn Fn(&[u8], FileType) -> bool,
) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => continue,
            stat => stat?,
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let before = path.len();
        if before > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        if !keeps(path, kind) {
            remove(folder, name, kind)?;
        } else if kind == FileType::Directory {
            let inner = open_forced(folder, name)?;
            clean_folder(inner.as_fd(), path, keeps)?;
        }
        path.truncate(before);
    }
    Ok(())
}

/// Opens a folder, also one whose owner took the right to from itself.
fn open_forced(folder: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    match rustix::fs::openat(&folder, name, FOLDER, Mode::empty()) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(&folder, name, Mode::RWXU, AtFlags::empty())?;
            Ok(rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?)
        }
        opened => Ok(opened?),
    }
}

/// Removes one entry with all that is in it, however deep: what lies deep is moved up first.
fn remove(folder: std::os::fd::BorrowedFd<'_>, name: &CStr, kind: FileType) -> io::Result<()> {
    if kind != FileType::Directory {
        return match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::ACCESS) => {
                rustix::fs::fchmod(folder, Mode::RWXU)?;
                Ok(rustix::fs::unlinkat(folder, name, AtFlags::empty())?)
            }
            removed => Ok(removed?),
        };
    }
    let mut deep = vec![name.to_owned()];
    while let Some(name) = deep.pop() {
        remove_folder(
            &Top {
                folder,
                inode: stat_inode(folder, &name)?,
            },
            folder,
            &name,
            0,
            &mut deep,
        )?;
    }
    Ok(())
}

/// Where folders go that lie too deep to be removed where they are.
struct Top<'a> {
    folder: std::os::fd::BorrowedFd<'a>,
    /// Makes their names there unlike any other.
    inode: u64,
}

fn stat_inode(folder: impl AsFd, name: &CStr) -> io::Result<u64> {
    Ok(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_ino)
}

fn remove_folder(
    top: &Top<'_>,
    parent: std::os::fd::BorrowedFd<'_>,
    name: &CStr,
    depth: usize,
    deep: &mut Vec<std::ffi::CString>,
) -> io::Result<()> {
    // Somebody else may be removing the same.
    let inner = match open_forced(parent, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        inner => inner?,
    };
    // Without write permission nothing could be removed from it.
    rustix::fs::fchmod(&inner, Mode::RWXU)?;
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        let child = entry.file_name();
        if matches!(child.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match rustix::fs::statat(&inner, child, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => continue,
            stat => stat?,
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            match rustix::fs::unlinkat(&inner, child, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        } else if depth < DEPTH_MAX {
            remove_folder(top, inner.as_fd(), child, depth + 1, deep)?;
        } else {
            // Each level above is held open; going on here would run out of descriptors.
            let flat = format!(".divisi-deep-{}-{}", top.inode, stat.st_ino);
            rustix::fs::renameat(&inner, child, top.folder, flat.as_str())?;
            deep.push(std::ffi::CString::new(flat).expect("a number has no NUL"));
        }
    }
    drop(inner);
    match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}

/// Removes a folder with all that is in it, wherever its links lead.
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let parent = match open_root(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        parent => parent?,
    };
    let name = std::ffi::CString::new(std::os::unix::ffi::OsStrExt::as_bytes(name))?;
    let stat = match rustix::fs::statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        stat => stat?,
    };
    remove(parent.as_fd(), &name, FileType::from_raw_mode(stat.st_mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_walk_never_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("precious"), "x").unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), "x").unwrap();
        symlink(outside.path(), folder.path().join("out")).unwrap();
        symlink(".", folder.path().join("a/again")).unwrap();
        let root = open_root(folder.path()).unwrap();
        let mut met = Vec::new();
        walk(&root, &mut |m| {
            met.push(String::from_utf8_lossy(m.path).into_owned());
            Next::Into
        })
        .unwrap();
        met.sort();
        assert_eq!(met, ["a", "a/again", "a/b", "out"]);

        clean(&root, &|_, _| false).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(outside.path().join("precious").exists());
        symlink(outside.path(), folder.path().join("out")).unwrap();
        assert!(open_root(&folder.path().join("out")).is_err());
        remove_all(&folder.path().join("out")).unwrap();
        assert!(outside.path().join("precious").exists());
    }

    #[test]
    fn folders_nested_beyond_any_path_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut at = open_root(folder.path()).unwrap();
        for _ in 0..1_000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "d", FOLDER, Mode::empty()).unwrap();
        }
        drop(at);
        let root = open_root(folder.path()).unwrap();
        let ended = walk(&root, &mut |_| Next::Into).unwrap_err();
        assert!(matches!(ended, Ended::TooDeep(_)));
        clean(&root, &|_, _| false).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_kept_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/keep", "a/go", "b/go", "c"] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let root = open_root(folder.path()).unwrap();
        clean(&root, &|path, _| [&b"a"[..], b"a/keep"].contains(&path)).unwrap();
        let mut left = Vec::new();
        walk(&root, &mut |m| {
            left.push(m.path.to_vec());
            Next::Into
        })
        .unwrap();
        assert_eq!(left, [&b"a"[..], b"a/keep"]);
    }

    #[test]
    fn what_two_remove_at_once_is_gone_for_both() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        for no in 0..300 {
            let inner = gone.join(format!("{}/{}", no % 7, no % 5));
            std::fs::create_dir_all(&inner).unwrap();
            std::fs::write(inner.join(no.to_string()), "x").unwrap();
        }
        std::thread::scope(|scope| {
            let other = scope.spawn(|| remove_all(&gone));
            remove_all(&gone).unwrap();
            other.join().unwrap().unwrap();
        });
        assert!(!gone.exists());
    }
}
