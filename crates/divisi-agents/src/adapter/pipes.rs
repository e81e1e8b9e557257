//! What a tool prints on its two pipes, line by line, until it has ended.
//!
//! A tool has ended when its process has, not when its pipes are closed: what it started may hold
//! them open for ever. Nobody promised its lines to be short, or its last one to have an end.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ChildStderr, ChildStdout};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags};

use super::transcript::Entry;
use crate::environment::mask;

/// A line of a tool's stream holds one message, with the files in it. What is longer is left out.
const LINE_BYTES_MAX: usize = 16 << 20;

/// As large as a pipe is by default.
const CHUNK_BYTES: usize = 64 << 10;

/// What a tool printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// A line on its standard output, without its end.
    Line(Vec<u8>),
    /// A line on its standard error.
    Beside(Vec<u8>),
    /// A line that was too long; it was skipped.
    TooLong,
}

impl Printed {
    /// What is told of it where it is no line of the tool's stream.
    pub(super) fn told(self, masked: &[String]) -> Option<Entry> {
        let text = match self {
            Printed::Line(text) | Printed::Beside(text) => {
                mask(String::from_utf8_lossy(&text).into_owned(), masked)
            }
            Printed::TooLong => "a line that is too long was left out".to_owned(),
        };
        let text = text.trim_end();
        (!text.is_empty()).then(|| Entry::noted(text))
    }
}

/// A process by a name that nobody else can get: readable when it has ended. Nothing where the
/// system has none.
pub(super) fn handle(child: &Child) -> Option<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok())
}

/// The pipes of a tool.
pub(super) struct Pipes {
    process: Option<OwnedFd>,
    has_ended: bool,
    output: Pipe<ChildStdout>,
    errors: Pipe<ChildStderr>,
}

impl Pipes {
    /// Those of a child that was started with pipes.
    ///
    /// # Errors
    /// They cannot be made ready.
    pub(super) fn of(child: &mut Child) -> io::Result<Pipes> {
        Ok(Pipes {
            process: handle(child),
            has_ended: false,
            output: Pipe::of(child.stdout.take())?,
            errors: Pipe::of(child.stderr.take())?,
        })
    }

    /// The next line; nothing once the tool has ended and all that it printed was told.
    ///
    /// # Errors
    /// A pipe cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Printed>> {
        loop {
            let held = self.output.take(Printed::Line);
            let held = held.or_else(|| self.errors.take(Printed::Beside));
            if held.is_some() || (self.output.is_over() && self.errors.is_over()) {
                return Ok(held);
            }
            self.wait()?;
            self.output.read()?;
            self.errors.read()?;
        }
    }

    /// Waits until something happens. Of a tool that has ended nothing more is waited for than
    /// what it printed before.
    fn wait(&mut self) -> io::Result<()> {
        if self.has_ended {
            return Ok(());
        }
        let pipes = [self.output.fd(), self.errors.fd()];
        let process = self.process.as_ref().map(AsFd::as_fd);
        let all = [process, pipes[0], pipes[1]].into_iter().flatten();
        let mut fds: Vec<PollFd<'_>> = all
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        match rustix::event::poll(&mut fds, None::<&Timespec>) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if process.is_some() && fds[0].revents().contains(PollFlags::IN) {
            self.has_ended = true;
            self.output.end()?;
            self.errors.end()?;
        }
        Ok(())
    }
}

/// One pipe, with what was read of it and not told.
struct Pipe<R> {
    /// Nothing once there is no more to be read.
    pipe: Option<R>,
    /// How much more is to be read, once that is known.
    left: Option<u64>,
    held: Vec<u8>,
    /// How much of that was told.
    told: usize,
    /// How much was looked at for the end of a line.
    looked: usize,
    /// Whether the rest of a line is skipped.
    skips: bool,
}

impl<R: Read + AsFd> Pipe<R> {
    fn of(pipe: Option<R>) -> io::Result<Pipe<R>> {
        if let Some(pipe) = &pipe {
            let flags = rustix::fs::fcntl_getfl(pipe)?;
            rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?;
        }
        Ok(Pipe {
            pipe,
            left: None,
            held: Vec::new(),
            told: 0,
            looked: 0,
            skips: false,
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Whether nothing of it is left to be told.
    fn is_over(&self) -> bool {
        self.pipe.is_none() && self.held.len() == self.told
    }

    /// Whoever wrote to it has ended: what is in it now is all that there is of that.
    fn end(&mut self) -> io::Result<()> {
        if let Some(pipe) = &self.pipe {
            self.left = Some(rustix::io::ioctl_fionread(pipe)?);
        }
        Ok(())
    }

    /// Reads what is there, up to a chunk.
    fn read(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let room = self.left.map_or(CHUNK_BYTES, |left| {
            usize::try_from(left)
                .unwrap_or(CHUNK_BYTES)
                .min(CHUNK_BYTES)
        });
        self.held.drain(..self.told);
        self.looked -= self.told;
        self.told = 0;
        let before = self.held.len();
        self.held.resize(before + room, 0);
        let read = pipe.read(&mut self.held[before..]);
        self.held.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.pipe = None,
            Ok(read) => self.left = self.left.map(|left| left.saturating_sub(read as u64)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What was there once it had ended was read by somebody else.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.left.is_some() => {
                self.pipe = None;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The next line that is held; the last may have no end.
    fn take(&mut self, as_line: fn(Vec<u8>) -> Printed) -> Option<Printed> {
        loop {
            let end = self.held[self.looked..]
                .iter()
                .position(|byte| *byte == b'\n');
            let is_last = self.pipe.is_none() && !self.is_over();
            let (end, after) = match end {
                Some(at) => (self.looked + at, self.looked + at + 1),
                None if is_last => (self.held.len(), self.held.len()),
                None => {
                    self.looked = self.held.len();
                    if self.looked - self.told <= LINE_BYTES_MAX {
                        return None;
                    }
                    // Its rest is no line of its own.
                    self.told = self.looked;
                    let is_told = std::mem::replace(&mut self.skips, true);
                    return (!is_told).then_some(Printed::TooLong);
                }
            };
            let line = self.held[self.told..end].to_vec();
            (self.told, self.looked) = (after, after);
            let is_rest = std::mem::replace(&mut self.skips, false);
            match is_rest {
                true => {}
                false if line.len() > LINE_BYTES_MAX => return Some(Printed::TooLong),
                false => return Some(as_line(line)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn told(script: &str) -> Vec<Printed> {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipes = Pipes::of(&mut child).unwrap();
        let mut all = Vec::new();
        while let Some(printed) = pipes.next().unwrap() {
            all.push(printed);
        }
        child.wait().unwrap();
        all
    }

    fn line(text: &str) -> Printed {
        Printed::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_come_whole_and_the_last_needs_no_end() {
        assert_eq!(told("printf 'a\n\nb'"), [line("a"), line(""), line("b")]);
        assert_eq!(told("exec >&- 2>&-"), []);
        let many = told("seq 1 100000");
        assert_eq!(many.len(), 100_000);
        assert_eq!(many[99_999], line("100000"));
    }

    #[test]
    fn what_is_printed_beside_is_told_apart_in_lines_of_its_own() {
        let all = told("printf 'limited' >&2; echo a; printf ' again' >&2");
        assert_eq!(all.len(), 2);
        assert!(all.contains(&line("a")), "{all:?}");
        assert!(all.contains(&Printed::Beside(b"limited again".to_vec())));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_to_its_end() {
        let most = LINE_BYTES_MAX;
        let long = |bytes: usize| format!("head -c {bytes} /dev/zero | tr '\\0' x");
        let all = told(&format!("echo a; {}; echo; echo b", long(most + 1)));
        assert_eq!(all, [line("a"), Printed::TooLong, line("b")]);
        // Also where it has no end.
        let all = told(&long(3 * most));
        assert_eq!(all, [Printed::TooLong]);
        let all = told(&format!("{}; echo; echo b", long(most)));
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn whoever_inherited_a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let held = folder.path().join("held");
        let at = held.display();
        // It opens the fifo for both, so that it holds the pipes until it is told.
        let script = format!("mkfifo {at}; (exec 3<>{at}; read -r _ <&3) & echo a; printf b");
        assert_eq!(told(&script), [line("a"), line("b")]);
        std::fs::write(held, "\n").unwrap();
    }
}
