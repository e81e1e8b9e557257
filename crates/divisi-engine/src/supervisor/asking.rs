//! What a job asks leave for, on the socket that is its standard input, and what it is answered.
//!
//! A request is kept until it is answered, whoever is the engine meanwhile: one that joins is told
//! of all that wait. Nothing is judged here. Only the job's own process has the socket: it is
//! inherited by nothing that it starts, and nobody else can open it.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use divisi_core::permission::{ID_BYTES_MAX, PATHS_MAX, Request};
use divisi_core::worker::Answered;

/// A request names files and a command line. Whoever sends longer lines is not heard any more.
const LINE_BYTES_MAX: usize = 256 << 10;

/// While so many wait for an answer, no more are read.
const WAITING_MAX: usize = 32;

/// An answer is short; whoever does not read so many is not answered any more.
const OUTBOX_BYTES_MAX: usize = 256 << 10;

/// The supervisor's end of the socket.
pub(super) struct Asking {
    socket: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    waiting: Vec<Request>,
}

/// Nobody asks there any more, or not as one can be answered.
pub(super) struct Over;

/// New requests, and whether it goes on.
pub(super) type Asked = (Vec<Request>, Result<(), Over>);

impl Asking {
    /// Both ends of a new socket: ours, and the process's. Neither is inherited.
    pub(super) fn pair() -> io::Result<(Asking, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let asking = Asking {
            socket: ours,
            inbox: Vec::new(),
            outbox: Vec::new(),
            waiting: Vec::new(),
        };
        Ok((asking, theirs))
    }

    pub(super) fn fd(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// What to wait for.
    pub(super) fn events(&self) -> libc::c_short {
        let mut events = 0;
        if self.waiting.len() < WAITING_MAX {
            events |= libc::POLLIN;
        }
        if !self.outbox.is_empty() {
            events |= libc::POLLOUT;
        }
        events
    }

    /// What was asked and not answered, oldest first.
    pub(super) fn waiting(&self) -> &[Request] {
        &self.waiting
    }

    /// Takes what was asked, and sends what was answered. Returns the new requests.
    pub(super) fn go_on(&mut self) -> Asked {
        let sent = self.send();
        let known = self.waiting.len();
        let read = self.read();
        let new = self.waiting[known..].to_vec();
        (new, sent.and(read))
    }

    /// Passes an answer on, if it is waited for. Returns the requests that there is room for now.
    pub(super) fn answer(&mut self, answered: &Answered) -> Asked {
        let waits = |request: &Request| request.id == answered.id;
        let Some(at) = self.waiting.iter().position(waits) else {
            return (Vec::new(), Ok(()));
        };
        self.waiting.remove(at);
        serde_json::to_writer(&mut self.outbox, answered).expect("an answer is JSON");
        self.outbox.push(b'\n');
        self.go_on()
    }

    fn read(&mut self) -> Result<(), Over> {
        let mut chunk = [0; 16 << 10];
        // What was read before there was no more room may hold more than one.
        self.take_lines()?;
        while self.waiting.len() < WAITING_MAX {
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(Over),
                Ok(read) => self.inbox.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Over),
            }
            self.take_lines()?;
        }
        Ok(())
    }

    fn take_lines(&mut self) -> Result<(), Over> {
        while self.waiting.len() < WAITING_MAX
            && let Some(end) = self.inbox.iter().position(|byte| *byte == b'\n')
        {
            let request: Request = serde_json::from_slice(&self.inbox[..end]).map_err(|_| Over)?;
            self.inbox.drain(..=end);
            let known = self.waiting.iter().any(|it| it.id == request.id);
            let fits = request.id.len() <= ID_BYTES_MAX && request.paths.len() <= PATHS_MAX;
            if known || !fits {
                return Err(Over);
            }
            self.waiting.push(request);
        }
        match self.inbox.len() > LINE_BYTES_MAX {
            true => Err(Over),
            false => Ok(()),
        }
    }

    fn send(&mut self) -> Result<(), Over> {
        while !self.outbox.is_empty() {
            match self.socket.write(&self.outbox) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Over),
            }
        }
        match self.outbox.len() > OUTBOX_BYTES_MAX {
            true => Err(Over),
            false => Ok(()),
        }
    }
}
