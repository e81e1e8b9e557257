//! One connection of an engine: lines in, lines out, never waiting.
//!
//! What comes in is bounded by a line's length, what goes out by a buffer; a peer that sends
//! garbage or does not read is told so once and dropped. Only processes of this user may
//! connect, and none that lies beneath the supervisor: an agent is not its own engine.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use divisi_core::worker::{FromWorker, ToWorker};

use super::proc;

/// A handoff travels in the standard input of a [`ToWorker::Start`]; no sane one is longer.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;

/// While so much waits for the engine to read it, nothing more is taken from it.
const OUTBOX_BYTES_SLOW: usize = 1 << 20;

/// An engine that lets so much pile up does not read at all.
const OUTBOX_BYTES_MAX: usize = 64 << 20;

/// Read at a time, so that one busy engine does not starve the rest of a turn.
const READ_BYTES: usize = 256 << 10;

pub(super) struct Connection {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// Where the search for the next end of a line goes on.
    searched: usize,
    outbox: Vec<u8>,
    sent: usize,
    /// Since when it is there.
    pub(super) since: Instant,
}

/// What a connection gave.
pub(super) enum Received {
    /// These words, and it goes on.
    Words(Vec<ToWorker>),
    /// These words, and it is over.
    Closed(Vec<ToWorker>),
    /// These words, and then something that is none, for this reason.
    Garbage(Vec<ToWorker>, String),
}

impl Connection {
    /// Takes a stream on; `None` if its peer may not speak to us.
    pub(super) fn accept(stream: UnixStream, now: Instant) -> Option<Connection> {
        let (uid, pid) = peer(&stream).ok()?;
        // SAFETY: geteuid takes nothing and cannot fail.
        let own = unsafe { libc::geteuid() };
        if uid != own || proc::is_beneath_us(pid) {
            return None;
        }
        stream.set_nonblocking(true).ok()?;
        Some(Connection {
            stream,
            inbox: Vec::new(),
            searched: 0,
            outbox: Vec::new(),
            sent: 0,
            since: now,
        })
    }

    pub(super) fn fd(&self) -> i32 {
        self.stream.as_raw_fd()
    }

    pub(super) fn wants_to_send(&self) -> bool {
        self.sent < self.outbox.len()
    }

    pub(super) fn may_receive(&self) -> bool {
        self.outbox.len() - self.sent < OUTBOX_BYTES_SLOW
    }

    /// Queues a word.
    pub(super) fn say(&mut self, word: &FromWorker) {
        serde_json::to_writer(&mut self.outbox, word).expect("a word is JSON");
        self.outbox.push(b'\n');
    }

    /// Sends what is queued, as far as it goes. False if the peer is gone or does not read.
    #[must_use]
    pub(super) fn send(&mut self) -> bool {
        while self.sent < self.outbox.len() {
            match self.stream.write(&self.outbox[self.sent..]) {
                Ok(0) => return false,
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        if self.sent == self.outbox.len() {
            self.outbox.clear();
            self.sent = 0;
        }
        self.outbox.len() - self.sent < OUTBOX_BYTES_MAX
    }

    /// Takes what has arrived.
    pub(super) fn receive(&mut self) -> Received {
        let mut closed = false;
        let mut chunk = [0; 16 << 10];
        let mut taken = 0;
        while taken < READ_BYTES {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    closed = true;
                    break;
                }
                Ok(read) => {
                    self.inbox.extend_from_slice(&chunk[..read]);
                    taken += read;
                    if read < chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    closed = true;
                    break;
                }
            }
        }
        self.words(closed)
    }

    fn words(&mut self, closed: bool) -> Received {
        let mut words = Vec::new();
        let mut from = 0;
        while let Some(length) = self.inbox[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + length;
            match serde_json::from_slice(&self.inbox[from..end]) {
                Ok(word) => words.push(word),
                Err(error) => {
                    return Received::Garbage(words, format!("a line is no word: {error}"));
                }
            }
            from = end + 1;
            self.searched = from;
        }
        self.inbox.drain(..from);
        self.searched = self.inbox.len();
        if self.inbox.len() > LINE_BYTES_MAX {
            let cause = format!("a line is longer than {LINE_BYTES_MAX} bytes");
            return Received::Garbage(words, cause);
        }
        if closed {
            // A torn last line is what a dying engine leaves.
            return Received::Closed(words);
        }
        Received::Words(words)
    }
}

/// User and process at the other end, as the kernel noted them when it connected.
pub(crate) fn peer(stream: &UnixStream) -> io::Result<(u32, i32)> {
    let mut found = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>())
        .expect("the size of three numbers fits");
    // SAFETY: pointer and size are those of a live value of the type the option gives.
    let code = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut size,
        )
    };
    if code == 0 {
        Ok((found.uid, found.pid))
    } else {
        Err(io::Error::last_os_error())
    }
}
