//! Values of secrets in files: finding them before a snapshot, masking them after an attempt.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use memchr::memmem::Finder;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::walk::{self, Next};

/// Shorter values stand in innocent files by chance.
const SECRET_BYTES_MIN: usize = 6;

/// Read at once.
const CHUNK: usize = 256 << 10;

/// Values that must stand in no file.
pub(crate) struct Secrets<'a> {
    finders: Vec<Finder<'a>>,
    longest: usize,
}

impl<'a> Secrets<'a> {
    pub(crate) fn new(values: &'a [String]) -> Secrets<'a> {
        let values = values.iter().map(String::as_bytes);
        let values: Vec<&[u8]> = values
            .filter(|value| value.len() >= SECRET_BYTES_MIN)
            .collect();
        Secrets {
            longest: values.iter().map(|value| value.len()).max().unwrap_or(0),
            finders: values.into_iter().map(Finder::new).collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.finders.is_empty()
    }

    /// Whether one of them stands in a piece of memory.
    pub(crate) fn stand_in(&self, bytes: &[u8]) -> bool {
        self.finders
            .iter()
            .any(|finder| finder.find(bytes).is_some())
    }

    /// Whether one of them stands in what is read, wherever the reads end.
    pub(crate) fn stand_in_file(&self, mut file: impl Read) -> io::Result<bool> {
        let mut buffer = Vec::with_capacity(CHUNK + self.longest);
        loop {
            let read = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
            if read == 0 {
                return Ok(false);
            }
            if self.stand_in(&buffer) {
                return Ok(true);
            }
            let rest = buffer.len().saturating_sub(self.longest.saturating_sub(1));
            buffer.drain(..rest);
        }
    }

    /// The same bytes with every value made unreadable.
    fn masked(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for finder in &self.finders {
            let hits: Vec<usize> = finder.find_iter(&bytes).collect();
            for at in hits {
                bytes[at..at + finder.needle().len()].fill(b'*');
            }
        }
        bytes
    }

    /// Masks the values in all regular files beneath a folder; returns which. A file larger than
    /// `bytes_max` that holds one is removed instead: it is not held in memory.
    pub(crate) fn mask_beneath(&self, root: &OwnedFd, bytes_max: u64) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let walked = walk::walk(root, &mut |met| {
            if met.kind == FileType::RegularFile && met.bytes as usize >= SECRET_BYTES_MIN {
                files.push((met.path.to_vec(), met.bytes));
            }
            Next::Into
        });
        if let Err(walk::Ended::Io(error)) = walked {
            return Err(error);
        }
        let mut masked = Vec::new();
        for (path, bytes) in files {
            let Some((folder, name)) = parent(root, &path)? else {
                continue;
            };
            let Some(mut file) = open_file(&folder, &name)? else {
                continue;
            };
            if !self.stand_in_file(&mut file)? {
                continue;
            }
            masked.push(String::from_utf8_lossy(&path).into_owned());
            let mode = file.metadata()?.permissions().mode() & 0o777;
            let mut content = Vec::new();
            if bytes <= bytes_max {
                let file = open_file(&folder, &name)?;
                file.map_or(Ok(0), |file| file.take(bytes_max).read_to_end(&mut content))?;
            }
            // A new file instead of the old one: its bytes may have other names elsewhere.
            rustix::fs::unlinkat(&folder, name.as_slice(), AtFlags::empty())?;
            if bytes <= bytes_max {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                let mode = Mode::from_raw_mode(mode);
                let new = rustix::fs::openat(&folder, name.as_slice(), flags, mode)?;
                File::from(new).write_all(&self.masked(content))?;
            }
        }
        Ok(masked)
    }
}

/// The open folder in which a path's last component stands; `None` if a link is on the way.
pub(crate) fn parent(root: &OwnedFd, path: &[u8]) -> io::Result<Option<(OwnedFd, Vec<u8>)>> {
    let mut parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let last = parts.pop().unwrap_or_default().to_vec();
    let mut folder = root.as_fd().try_clone_to_owned()?;
    for part in parts {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&folder, part, flags, Mode::empty()) {
            Ok(next) => folder = next,
            Err(_) => return Ok(None),
        }
    }
    Ok(Some((folder, last)))
}

/// Opens a regular file; `None` if it is none. Never waits, whatever stands there.
pub(crate) fn open_file(folder: &OwnedFd, name: &[u8]) -> io::Result<Option<File>> {
    let regular =
        |stat: &rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if regular(&stat) => {}
        _ => return Ok(None),
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    Ok(regular(&rustix::fs::fstat(&file)?).then(|| File::from(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn a_value_is_found_wherever_reads_end() {
        let values = ["hunter2hunter2".to_owned(), "abc".to_owned()];
        let secrets = Secrets::new(&values);
        let mut text = vec![b'x'; CHUNK - 7];
        text.extend_from_slice(b"hunter2hunter2");
        assert!(secrets.stand_in_file(text.as_slice()).unwrap());
        assert!(secrets.stand_in_file(Slow(b"say hunter2hunter2!")).unwrap());
        assert!(!secrets.stand_in_file(Slow(b"hunter2 hunter2 abc")).unwrap());
    }

    #[test]
    fn masking_reaches_neither_links_nor_other_names_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let precious = outside.path().join("precious");
        std::fs::write(&precious, "key=sk-123456").unwrap();
        std::fs::hard_link(&precious, folder.path().join("same")).unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join("link")).unwrap();
        std::fs::write(folder.path().join("big"), "sk-123456".repeat(10)).unwrap();
        let values = ["sk-123456".to_owned()];
        let root = walk::open_root(folder.path()).unwrap();
        let mut masked = Secrets::new(&values).mask_beneath(&root, 50).unwrap();
        masked.sort();
        assert_eq!(masked, ["big", "same"]);
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(folder.path().join("same")), "key=*********");
        assert_eq!(read(precious), "key=sk-123456");
        assert!(!folder.path().join("big").exists());
    }
}
