//! Writing beneath a folder whose content is not trusted.
//!
//! An agent may have put links, FIFOs or devices where a file is to be written. Folders are opened
//! one by one without following links, and only regular files are written.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use divisi_core::path::{PathFault, beneath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Why a file beneath a folder could not be written or removed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The path does not stay beneath the folder. Will repeat.
    #[error("write {path:?}: the path {fault}")]
    Path {
        /// The path.
        path: String,
        /// What about it.
        fault: PathFault,
    },
    /// The file system refused, or something else than a file stands there.
    #[error("write {path:?}")]
    Io {
        /// The path.
        path: String,
        /// What the system reported.
        source: io::Error,
    },
}

/// Where in a file the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// They are its whole content.
    Whole,
    /// At its end.
    End,
}

/// Writes a file beneath `root`, with the folders on its way. Neither atomic nor durable: for
/// workspaces, whose content counts only once it is collected.
///
/// # Errors
/// The path does not stay beneath the root, leads through a link, or cannot be written.
pub fn write(root: &Path, path: &str, bytes: &[u8], place: Place) -> Result<(), Fault> {
    let components = components(path)?;
    let (name, folders) = components.split_last().expect("a path has a component");
    let wrote = || -> io::Result<()> {
        let folder = open_folders(root, folders, Absent::Create)?;
        // NONBLOCK keeps a FIFO from waiting for a reader; it is then refused as no file.
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, *name, flags, Mode::from_raw_mode(0o644))?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        if kind != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        if place == Place::Whole {
            rustix::fs::ftruncate(&file, 0)?;
        }
        std::fs::File::from(file).write_all(bytes)
    };
    wrote().map_err(|source| io_fault(path, source))
}

/// Removes a file beneath `root`; that it is not there is no fault.
///
/// # Errors
/// As [`write()`].
pub fn delete(root: &Path, path: &str) -> Result<(), Fault> {
    let components = components(path)?;
    let (name, folders) = components.split_last().expect("a path has a component");
    let deleted = || -> io::Result<()> {
        let folder = open_folders(root, folders, Absent::Fail)?;
        Ok(rustix::fs::unlinkat(&folder, *name, AtFlags::empty())?)
    };
    match deleted() {
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| io_fault(path, source)),
    }
}

/// Opens a regular file beneath `root` for reading.
///
/// # Errors
/// The path does not stay beneath the root, leads through a link, or names no regular file.
pub fn open(root: &Path, path: &str) -> Result<std::fs::File, Fault> {
    let components = components(path)?;
    let (name, folders) = components.split_last().expect("a path has a component");
    let opened = || -> io::Result<std::fs::File> {
        let folder = open_folders(root, folders, Absent::Fail)?;
        // NONBLOCK keeps a FIFO from waiting for a writer; it is then refused as no file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, *name, flags, Mode::empty())?;
        match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(std::fs::File::from(file)),
            FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
            _ => Err(io::Error::other("it is not a regular file")),
        }
    };
    opened().map_err(|source| io_fault(path, source))
}

/// Opens a folder beneath `root`, or `root` itself for `.` and nothing.
///
/// # Errors
/// As [`open()`], for a folder.
pub fn folder(root: &Path, path: &str) -> Result<OwnedFd, Fault> {
    let components = match components(path) {
        Err(Fault::Path {
            fault: PathFault::Empty,
            ..
        }) => Vec::new(),
        other => other?,
    };
    open_folders(root, &components, Absent::Fail).map_err(|source| io_fault(path, source))
}

fn components(path: &str) -> Result<Vec<&str>, Fault> {
    beneath(path).map_err(|fault| Fault::Path {
        path: path.to_owned(),
        fault,
    })
}

fn io_fault(path: &str, source: io::Error) -> Fault {
    Fault::Io {
        path: path.to_owned(),
        source,
    }
}

/// What is done about a folder that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Create,
    Fail,
}

fn open_folders(root: &Path, folders: &[&str], absent: Absent) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(root, flags, Mode::empty())?;
    for folder in folders {
        if absent == Absent::Create {
            match rustix::fs::mkdirat(&at, *folder, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        at = rustix::fs::openat(&at, *folder, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(at)
}
