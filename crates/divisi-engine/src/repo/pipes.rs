//! Talking to a child through its pipes, with bounds on time and memory.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

/// What is kept of standard error: enough for a person, whatever git repeats.
const ERR_BYTES_MAX: usize = 16 << 10;

/// Longer than any call on a repository of reasonable size; a call that hangs (on a FIFO, on a
/// lock) must not hold a worker for good.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it did not end in time")
}

/// Waits until one of the pipes is ready.
fn poll(fds: &mut [PollFd<'_>], deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(timed_out());
    }
    let left = Timespec::try_from(left).expect("a timeout fits a timespec");
    match rustix::event::poll(fds, Some(&left)) {
        Ok(0) => Err(timed_out()),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Adds a pipe to those that are waited for; returns its place among them.
fn watch<'fd>(
    fds: &mut Vec<PollFd<'fd>>,
    pipe: Option<BorrowedFd<'fd>>,
    flags: PollFlags,
) -> Option<usize> {
    fds.push(PollFd::from_borrowed_fd(pipe?, flags));
    Some(fds.len() - 1)
}

/// Writes standard input and reads both outputs until they end.
pub(crate) fn exchange(
    child: &mut Child,
    mut input: &[u8],
    out_max: usize,
    deadline: Instant,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    if let Some(pipe) = &stdin {
        let flags = rustix::fs::fcntl_getfl(pipe)?;
        rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK)?;
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut chunk = vec![0; 64 << 10];
    loop {
        if input.is_empty() {
            stdin = None;
        }
        let mut fds = Vec::with_capacity(3);
        let at_in = watch(&mut fds, stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT);
        let at_out = watch(&mut fds, stdout.as_ref().map(AsFd::as_fd), PollFlags::IN);
        let at_err = watch(&mut fds, stderr.as_ref().map(AsFd::as_fd), PollFlags::IN);
        if fds.is_empty() {
            return Ok((out, err));
        }
        poll(&mut fds, deadline)?;
        let ready = |at: Option<usize>| at.is_some_and(|at| !fds[at].revents().is_empty());
        let (in_ready, out_ready, err_ready) = (ready(at_in), ready(at_out), ready(at_err));
        if in_ready && let Some(pipe) = &mut stdin {
            match pipe.write(input) {
                Ok(written) => input = &input[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It stopped reading: its exit status and its words tell why.
                Err(_) => input = &[],
            }
        }
        if out_ready && let Some(pipe) = &mut stdout {
            match pipe.read(&mut chunk)? {
                0 => stdout = None,
                read if out.len() + read > out_max => {
                    let cause = format!("it printed more than {out_max} bytes");
                    return Err(io::Error::new(io::ErrorKind::QuotaExceeded, cause));
                }
                read => out.extend_from_slice(&chunk[..read]),
            }
        }
        if err_ready && let Some(pipe) = &mut stderr {
            match pipe.read(&mut chunk)? {
                0 => stderr = None,
                read => {
                    let room = ERR_BYTES_MAX - err.len();
                    err.extend_from_slice(&chunk[..read.min(room)]);
                }
            }
        }
    }
}

/// Waits for the end of a process that has closed its outputs, which it does by ending.
pub(crate) fn wait(child: &mut Child, deadline: Instant) -> io::Result<std::process::ExitStatus> {
    for turn in 0u32.. {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            break;
        }
        // Between closing its pipes and being gone lie microseconds.
        match turn {
            0..50 => std::thread::yield_now(),
            _ => std::thread::sleep(Duration::from_micros(200)),
        }
    }
    Err(timed_out())
}

/// Ends a call and whatever it started.
pub(crate) fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may be gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// Reads from a pipe, but never waits longer than a call may take.
pub(crate) struct Timed<P>(pub(crate) P);

impl<P: Read + AsFd> Read for Timed<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let deadline = Instant::now() + TIMEOUT;
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], deadline)?;
        self.0.read(buffer)
    }
}
