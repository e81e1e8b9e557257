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
        self.found_in(bytes).is_some()
    }

    /// The first of them that stands in a piece of memory.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<&[u8]> {
        let mut finders = self.finders.iter();
        let found = finders.find(|finder| finder.find(bytes).is_some());
        found.map(Finder::needle)
    }

    /// Whether one of them stands in what is read, wherever the reads end.
    pub(crate) fn stand_in_file(&self, file: impl Read) -> io::Result<bool> {
        Ok(self.found_in_file(file)?.is_some())
    }

    /// The first of them that stands in what is read.
    pub(crate) fn found_in_file(&self, mut file: impl Read) -> io::Result<Option<&[u8]>> {
        let mut buffer = Vec::with_capacity(CHUNK + self.longest);
        loop {
            let read = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
            if read == 0 {
                return Ok(None);
            }
            if let Some(found) = self.found_in(&buffer) {
                return Ok(Some(found));
            }
            let rest = buffer.len().saturating_sub(self.longest.saturating_sub(1));
            buffer.drain(..rest);
        }
    }

    /// Whether one of them stands in what was met: in its name, its bytes, its target.
    pub(crate) fn stand_in_met(&self, met: &walk::Met<'_>) -> io::Result<bool> {
        if self.is_empty() {
            return Ok(false);
        }
        let (folder, name) = met.at;
        let folder = folder.try_clone_to_owned()?;
        let inside = match met.kind {
            FileType::RegularFile => match open_file(&folder, name.to_bytes())? {
                Some(file) => self.stand_in_file(Written::of(file))?,
                None => false,
            },
            FileType::Symlink => self.stand_in_link(&folder, name.to_bytes()),
            _ => false,
        };
        Ok(inside || self.stand_in(name.to_bytes()))
    }

    /// The same bytes with every value made unreadable.
    pub(crate) fn masked(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for finder in &self.finders {
            let hits: Vec<usize> = finder.find_iter(&bytes).collect();
            for at in hits {
                bytes[at..at + finder.needle().len()].fill(b'*');
            }
        }
        bytes
    }

    /// Masks the values in all regular files beneath a folder, in their names and in the targets
    /// of links; returns where they stood. Of a file larger than `bytes_max` that holds one
    /// nothing is left: it is not held in memory. What `spares` is left as it is.
    pub(crate) fn mask_beneath(
        &self,
        root: &OwnedFd,
        bytes_max: u64,
        spares: &dyn Spares,
    ) -> io::Result<Vec<String>> {
        let mut met_all = Vec::new();
        let walked = walk::walk(root, &mut |met| {
            let named = self.stand_in(met.at.1.to_bytes());
            let read = match met.kind {
                FileType::RegularFile => met.bytes as usize >= SECRET_BYTES_MIN,
                FileType::Symlink => true,
                _ => false,
            };
            if named || (read && !spares.as_it_stands(met)) {
                met_all.push((met.path.to_vec(), met.kind, met.bytes));
            }
            Next::Into
        });
        if let Err(walk::Ended::Io(error)) = walked {
            return Err(error);
        }
        let mut masked = Vec::new();
        // What is in a folder comes before the folder, whose name may have to change.
        for (path, kind, bytes) in met_all.into_iter().rev() {
            let Some((folder, name)) = parent(root, &path)? else {
                continue;
            };
            let held = match kind {
                FileType::RegularFile => {
                    self.mask_file(&folder, &name, bytes, bytes_max, &|content| {
                        spares.content(&path, content)
                    })?
                }
                FileType::Symlink => self.drop_link(&folder, &name)?,
                _ => false,
            };
            let named = self.stand_in(&name);
            if named {
                let new = self.masked(name.clone());
                match rustix::fs::renameat(&folder, name.as_slice(), &folder, new.as_slice()) {
                    // A link that was removed has no name any more.
                    Ok(()) | Err(rustix::io::Errno::NOENT) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if held || named {
                masked.push(String::from_utf8_lossy(&self.masked(path)).into_owned());
            }
        }
        Ok(masked)
    }

    /// Masks one file, if it holds a value.
    fn mask_file(
        &self,
        folder: &OwnedFd,
        name: &[u8],
        bytes: u64,
        bytes_max: u64,
        spared: &dyn Fn(&[u8]) -> bool,
    ) -> io::Result<bool> {
        let Some(file) = open_file(folder, name)? else {
            return Ok(false);
        };
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if !self.stand_in_file(Written::of(file))? {
            return Ok(false);
        }
        let mut content = Vec::new();
        if bytes <= bytes_max {
            let file = open_file(folder, name)?;
            file.map_or(Ok(0), |file| file.take(bytes_max).read_to_end(&mut content))?;
            if spared(&content) {
                return Ok(false);
            }
        }
        // A new file instead of the old one: its bytes may have other names elsewhere.
        rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
        if bytes <= bytes_max {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let new = rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(mode))?;
            File::from(new).write_all(&self.masked(content))?;
        }
        Ok(true)
    }

    /// Whether a value stands in the target of a link.
    pub(crate) fn stand_in_link(&self, folder: &OwnedFd, name: &[u8]) -> bool {
        self.found_in_link(folder, name).is_some()
    }

    /// The first of them that stands in the target of a link.
    pub(crate) fn found_in_link(&self, folder: &OwnedFd, name: &[u8]) -> Option<&[u8]> {
        let target = rustix::fs::readlinkat(folder, name, Vec::new()).ok()?;
        self.found_in(target.as_bytes())
    }

    fn drop_link(&self, folder: &OwnedFd, name: &[u8]) -> io::Result<bool> {
        let held = self.stand_in_link(folder, name);
        if held {
            rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
        }
        Ok(held)
    }
}

/// What is left as it is although it may hold a value: what the project's owner put there.
pub(crate) trait Spares {
    /// Whether an entry need not be read.
    fn as_it_stands(&self, met: &walk::Met<'_>) -> bool;
    /// Whether a file with this content is spared.
    fn content(&self, path: &[u8], content: &[u8]) -> bool;
}

/// Spares nothing.
pub(crate) struct Nothing;

impl Spares for Nothing {
    fn as_it_stands(&self, _: &walk::Met<'_>) -> bool {
        false
    }

    fn content(&self, _: &[u8], _: &[u8]) -> bool {
        false
    }
}

/// What was written of a file; its holes, which may be terabytes, are passed over. Where one was,
/// the reader gives a single zero, so that nothing grows together over it.
struct Written {
    file: File,
    /// Bytes left until the next hole.
    left: u64,
    at: u64,
    gives_zero: bool,
}

impl Written {
    fn of(file: File) -> Written {
        Written {
            file,
            left: 0,
            at: 0,
            gives_zero: false,
        }
    }

    /// Goes to what is written next; says whether there is any.
    fn next(&mut self) -> io::Result<bool> {
        use rustix::fs::SeekFrom::{Data, Hole, Start};
        let begin = match rustix::fs::seek(&self.file, Data(self.at)) {
            Ok(begin) => begin,
            Err(rustix::io::Errno::NXIO) => return Ok(false),
            // The file system knows no holes: all of it is written.
            Err(_) => {
                self.left = u64::MAX;
                return Ok(true);
            }
        };
        let end = rustix::fs::seek(&self.file, Hole(begin))?;
        rustix::fs::seek(&self.file, Start(begin))?;
        self.gives_zero = begin > self.at;
        (self.at, self.left) = (end, end - begin);
        Ok(end > begin)
    }
}

impl Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.next()? {
            return Ok(0);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        if std::mem::take(&mut self.gives_zero) {
            buffer[0] = 0;
            return Ok(1);
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        // A file that became shorter meanwhile has ended.
        self.left = if read == 0 {
            0
        } else {
            self.left - read as u64
        };
        Ok(read)
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
    fn a_giant_is_searched_only_where_it_was_written() {
        use std::os::unix::fs::FileExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("giant");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let values = ["hunter2hunter2".to_owned()];
        let secrets = Secrets::new(&values);
        let search = || {
            let root = walk::open_root(folder.path()).unwrap();
            secrets.mask_beneath(&root, 1 << 20, &Nothing).unwrap()
        };
        assert_eq!(search(), [""; 0]);
        file.write_at(b"say hunter2hunter2", (1 << 39) + 7).unwrap();
        assert_eq!(search(), ["giant"]);
        assert!(!path.exists());
    }

    #[test]
    fn values_in_names_and_in_targets_of_links_do_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("d-sk-123456/e")).unwrap();
        std::fs::write(at("d-sk-123456/e/f-sk-123456"), "x").unwrap();
        std::os::unix::fs::symlink("sk-123456", at("link")).unwrap();
        let values = ["sk-123456".to_owned()];
        let root = walk::open_root(folder.path()).unwrap();
        let masked = Secrets::new(&values).mask_beneath(&root, 50, &Nothing);
        assert_eq!(masked.unwrap().len(), 3);
        assert!(at("d-*********/e/f-*********").exists());
        assert!(at("link").symlink_metadata().is_err());
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
        let mut masked = Secrets::new(&values)
            .mask_beneath(&root, 50, &Nothing)
            .unwrap();
        masked.sort();
        assert_eq!(masked, ["big", "same"]);
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(folder.path().join("same")), "key=*********");
        assert_eq!(read(precious), "key=sk-123456");
        assert!(!folder.path().join("big").exists());
    }
}
