//! What a job prints: counted, digested, masked, and kept in a file that cannot grow beyond its
//! cap.
//!
//! The head of the output is written as it comes, so that it can be followed; of the rest the
//! last part is kept in a small ring and written at the end, after a line that says how much was
//! cut. The digest is over the masked stream: nothing that is stored derives from a secret. A
//! file that cannot be written never stops the job: its output is counted on.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use divisi_core::Digest;
use divisi_core::receipt::Output;

use super::mask::Masker;

/// The ring is memory, and hundreds of jobs may print at once.
const TAIL_BYTES_MAX: u64 = 512 << 10;

/// How long a log that keeps `bytes_max` bytes grows while its job lives. What is printed beyond that
/// is written when it has ended, as far as it is kept.
pub(crate) fn grows_to(bytes_max: u64) -> u64 {
    bytes_max - (bytes_max / 4).min(TAIL_BYTES_MAX)
}

/// A job's log.
pub(super) struct OutputLog {
    path: PathBuf,
    file: LogFile,
    head_left: u64,
    tail: Tail,
    /// Bytes printed, before masking.
    bytes: u64,
    hasher: Option<Box<blake3::Hasher>>,
    masker: Option<Masker>,
}

enum LogFile {
    /// Nothing was printed yet.
    Unopened,
    Open(File),
    /// It could not be opened or written.
    Broken,
}

impl OutputLog {
    /// A log that keeps `bytes_max` bytes in `path`, which is created at the first byte.
    pub(super) fn new(path: PathBuf, bytes_max: u64, masker: Option<Masker>) -> OutputLog {
        let head = grows_to(bytes_max);
        OutputLog {
            path,
            file: LogFile::Unopened,
            head_left: head,
            tail: Tail::new(usize::try_from(bytes_max - head).unwrap_or(0)),
            bytes: 0,
            hasher: None,
            masker,
        }
    }

    /// Bytes printed so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes what was printed. `scratch` is memory to work in.
    pub(super) fn take(&mut self, chunk: &[u8], scratch: &mut Vec<u8>) {
        self.bytes += chunk.len() as u64;
        match self.masker.as_mut() {
            None => self.store(chunk),
            Some(masker) => {
                scratch.clear();
                masker.feed(chunk, scratch);
                self.store(scratch);
            }
        }
    }

    /// Nothing more will be printed: writes what is left and says what was printed, if anything.
    pub(super) fn finish(mut self) -> Option<Output> {
        if let Some(mut masker) = self.masker.take() {
            let mut rest = Vec::new();
            masker.finish(&mut rest);
            self.store(&rest);
        }
        let hasher = self.hasher.take()?;
        let cut = self.tail.cut;
        if cut > 0 {
            self.write(format!("\n… {cut} bytes cut …\n").as_bytes());
        }
        let (older, newer) = self.tail.parts();
        let tail = [older, newer].concat();
        self.write(&tail);
        let digest =
            Digest::new(&hasher.finalize().to_hex()).expect("64 hexadecimal digits are a digest");
        Some(Output {
            digest,
            bytes: self.bytes,
            capped: cut > 0 || matches!(self.file, LogFile::Broken),
        })
    }

    fn store(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.hasher.get_or_insert_default().update(text);
        let head = usize::try_from(self.head_left)
            .unwrap_or(usize::MAX)
            .min(text.len());
        self.head_left -= head as u64;
        self.write(&text[..head]);
        self.tail.push(&text[head..]);
    }

    fn write(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if matches!(self.file, LogFile::Unopened) {
            self.file = create(&self.path).map_or(LogFile::Broken, LogFile::Open);
        }
        if let LogFile::Open(file) = &mut self.file
            && file.write_all(text).is_err()
        {
            self.file = LogFile::Broken;
        }
    }
}

/// The last bytes of a stream.
struct Tail {
    ring: Vec<u8>,
    max: usize,
    /// Where the next byte goes once the ring is full.
    at: usize,
    /// Bytes that fell out.
    cut: u64,
}

impl Tail {
    fn new(max: usize) -> Tail {
        Tail {
            ring: Vec::new(),
            max,
            at: 0,
            cut: 0,
        }
    }

    fn push(&mut self, text: &[u8]) {
        let room = (self.max - self.ring.len()).min(text.len());
        let (fits, rest) = text.split_at(room);
        self.ring.extend_from_slice(fits);
        self.cut += rest.len() as u64;
        // Of a text longer than the ring only the end survives.
        let mut rest = &rest[rest.len().saturating_sub(self.max)..];
        while !rest.is_empty() {
            let step = (self.max - self.at).min(rest.len());
            self.ring[self.at..self.at + step].copy_from_slice(&rest[..step]);
            self.at = (self.at + step) % self.max;
            rest = &rest[step..];
        }
    }

    /// The bytes in their order, in two parts.
    fn parts(&self) -> (&[u8], &[u8]) {
        (&self.ring[self.at..], &self.ring[..self.at])
    }
}

/// Opens a fresh log for the user alone. One left there by an earlier try is emptied if it is a
/// plain file of ours with no other name; a link or anything else is left alone.
fn create(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let mut options = OpenOptions::new();
    options
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        opened => return opened,
    }
    let file = options.open(path)?;
    let found = file.metadata()?;
    // SAFETY: geteuid takes nothing and cannot fail.
    let uid = unsafe { libc::geteuid() };
    if !found.is_file() || found.uid() != uid || found.nlink() != 1 {
        return Err(io::Error::other("the log is not a plain file of this user"));
    }
    file.set_len(0)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn head_and_tail_are_kept_and_the_digest_covers_everything() {
        let dir = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..1000)
            .flat_map(|n| format!("{n:03} ").into_bytes())
            .collect();
        for size in [1, 7, 64, 4000] {
            let path = dir.path().join(format!("logs/{size}.log"));
            let mut log = OutputLog::new(path.clone(), 400, None);
            for chunk in text.chunks(size) {
                log.take(chunk, &mut Vec::new());
            }
            let grown = std::fs::metadata(&path).unwrap().len();
            let output = log.finish().unwrap();
            assert_eq!(
                output.digest.as_str(),
                blake3::hash(&text).to_hex().as_str()
            );
            assert_eq!((output.bytes, output.capped), (4000, true));
            let kept = std::fs::read_to_string(&path).unwrap();
            assert_eq!(grown, grows_to(400));
            let expected = [
                &text[..300],
                "\n… 3600 bytes cut …\n".as_bytes(),
                &text[3900..],
            ]
            .concat();
            assert_eq!(kept.as_bytes(), expected, "chunks of {size}");
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_fits_is_kept_whole_and_silence_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = OutputLog::new(path.clone(), 400, None);
        log.take(&[b'x'; 400], &mut Vec::new());
        assert!(!log.finish().unwrap().capped);
        assert_eq!(std::fs::read(&path).unwrap(), [b'x'; 400]);

        let quiet = dir.path().join("quiet.log");
        assert_eq!(OutputLog::new(quiet.clone(), 400, None).finish(), None);
        assert!(!quiet.exists());
    }

    #[test]
    fn nothing_is_written_through_a_link_or_into_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        symlink(&victim, dir.path().join("link.log")).unwrap();
        std::fs::hard_link(&victim, dir.path().join("hard.log")).unwrap();
        for name in ["link.log", "hard.log"] {
            let mut log = OutputLog::new(dir.path().join(name), 400, None);
            log.take(b"text", &mut Vec::new());
            let output = log.finish().unwrap();
            assert_eq!((output.bytes, output.capped), (4, true), "{name}");
        }
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_full_disk_stops_the_log_but_not_the_count() {
        let mut log = OutputLog::new(PathBuf::from("/dev/full"), 400, None);
        log.file = LogFile::Open(OpenOptions::new().write(true).open("/dev/full").unwrap());
        log.take(b"text", &mut Vec::new());
        log.take(b"more", &mut Vec::new());
        let output = log.finish().unwrap();
        assert_eq!((output.bytes, output.capped), (8, true));
    }
}
