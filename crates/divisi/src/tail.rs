//! A log as it grows.
//!
//! The log belongs to an agent: it is opened as a regular file only, and what stands in it is made
//! printable by whoever prints it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use divisi_core::Diagnostic;

use crate::exit::Exit;
use crate::printer::Failure;

/// A longer line is told in pieces: a log can be one line without an end.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What is done with lines, of which a text holds one or more.
pub(crate) type Say<'a> = dyn FnMut(&str) -> Result<(), Failure> + 'a;

/// A file that grows, read line by line.
pub(crate) struct Tail {
    path: PathBuf,
    at: u64,
    rest: Vec<u8>,
}

impl Tail {
    /// The file at this path, from its beginning. It need not be there yet.
    pub(crate) fn of(path: PathBuf) -> Tail {
        Tail {
            path,
            at: 0,
            rest: Vec::new(),
        }
    }

    /// Whether there was nothing at all.
    pub(crate) fn is_absent(&self) -> bool {
        self.at == 0
    }

    /// Tells the complete lines that are new. Whether there was anything new.
    ///
    /// # Errors
    /// The file cannot be read, or what `say` returns.
    pub(crate) fn take(&mut self, say: &mut Say<'_>) -> Result<bool, Failure> {
        let path = self.path.clone();
        let unreadable = |error: io::Error| {
            let cause = format!("reading the log {}: {error}", path.display());
            let told = Diagnostic::error("file-unreadable", cause)
                .hint("run `divisi doctor` to see what is wrong with the folder");
            Failure::told(told, Exit::Environment)
        };
        let mut file = match open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(error)),
        };
        file.seek(SeekFrom::Start(self.at)).map_err(unreadable)?;
        let (mut chunk, before) = (vec![0; LINE_BYTES_MAX], self.at);
        loop {
            let read = file.read(&mut chunk).map_err(unreadable)?;
            if read == 0 {
                return Ok(self.at > before);
            }
            self.at += read as u64;
            self.rest.extend_from_slice(&chunk[..read]);
            self.say_lines(say)?;
        }
    }

    fn say_lines(&mut self, say: &mut Say<'_>) -> Result<(), Failure> {
        let complete = match self.rest.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if self.rest.len() >= LINE_BYTES_MAX => self.rest.len(),
            None => return Ok(()),
        };
        let text = String::from_utf8_lossy(&self.rest[..complete]).into_owned();
        self.rest.drain(..complete);
        say(&text)
    }

    /// Tells what stands after the last line break, if anything does.
    ///
    /// # Errors
    /// What `say` returns.
    pub(crate) fn finish(&mut self, say: &mut Say<'_>) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(&self.rest).into_owned();
        self.rest.clear();
        if text.is_empty() { Ok(()) } else { say(&text) }
    }
}

/// Opens a log: a regular file, never what a link leads to.
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn taken(tail: &mut Tail) -> Vec<String> {
        let mut all = Vec::new();
        let mut say = |text: &str| {
            all.push(text.to_owned());
            Ok(())
        };
        assert!(tail.take(&mut say).is_ok());
        all
    }

    #[test]
    fn lines_are_told_once_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut tail = Tail::of(path.clone());
        assert_eq!(taken(&mut tail), [""; 0]);
        assert!(tail.is_absent());
        let mut log = File::create(&path).unwrap();
        log.write_all(b"one\ntwo\nthr").unwrap();
        assert_eq!(taken(&mut tail), ["one\ntwo\n"]);
        log.write_all(b"ee").unwrap();
        assert_eq!(taken(&mut tail), [""; 0]);
        let mut rest = String::new();
        let mut say = |text: &str| {
            rest.push_str(text);
            Ok(())
        };
        assert!(tail.finish(&mut say).is_ok());
        assert_eq!(rest, "three");
    }
}
