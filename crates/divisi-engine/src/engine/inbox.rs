//! The engine's one queue of inputs, and the bell that wakes it.
//!
//! The loop waits in one `poll` for its queue and for the supervisor's socket. What the supervisor
//! says is read by the loop itself: a thread between the two would wake up twice for every task.
//!
//! The queue has no limit of its own, for whoever gives inputs has one: a control connection waits
//! for the answer before it asks again, and there are few of them; an effect is begun once until
//! its result is taken, so there is at most one of each live task, and a few of each run.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::input::Input;

/// Gives inputs to an engine, from any thread.
#[derive(Clone)]
pub struct Sender {
    queue: mpsc::Sender<Input>,
    bell: Arc<File>,
}

/// The engine has ended and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give the engine an input: it has ended")]
pub struct Gone;

impl Sender {
    /// Puts an input into the engine's queue.
    ///
    /// # Errors
    /// The engine has ended.
    pub fn send(&self, input: Input) -> Result<(), Gone> {
        self.queue.send(input).map_err(|_| Gone)?;
        // A bell that cannot be rung any more has been rung very often and not been heard yet.
        let _ = (&*self.bell).write(&1_u64.to_ne_bytes());
        Ok(())
    }
}

/// The engine's end of the queue.
pub(crate) struct Inbox {
    queue: Receiver<Input>,
    bell: Arc<File>,
}

/// Makes a queue.
///
/// # Errors
/// The process has no descriptor left.
pub(crate) fn inbox() -> io::Result<(Sender, Inbox)> {
    // SAFETY: the call takes numbers and gives a new descriptor or a negative number.
    let bell = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if bell < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and owned by nobody else.
    let bell = Arc::new(File::from(unsafe { OwnedFd::from_raw_fd(bell) }));
    let (sender, queue) = mpsc::channel();
    let sender = Sender {
        queue: sender,
        bell: Arc::clone(&bell),
    };
    Ok((sender, Inbox { queue, bell }))
}

impl Inbox {
    /// The next input that waits.
    pub(crate) fn next(&self) -> Option<Input> {
        self.queue.try_recv().ok()
    }

    /// Waits until there is an input, something to be heard on `socket`, or nothing for so long.
    /// Whether something is to be heard.
    pub(crate) fn wait(&self, socket: Option<BorrowedFd<'_>>, patience: Duration) -> bool {
        let mut fds = vec![PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN)];
        fds.extend(socket.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN)));
        let patience = Timespec::try_from(patience).expect("the patience of a loop is short");
        // Woken too early or too late, the loop looks around and waits again.
        let _ = poll(&mut fds, Some(&patience));
        let ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (rung, heard) = (ready(0), ready(1));
        if rung {
            let mut count = [0; 8];
            let _ = (&*self.bell).read(&mut count);
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_was_given_before_or_while_it_is_waited_for_ends_the_wait() {
        let (sender, inbox) = inbox().unwrap();
        let long = Duration::from_secs(3600);
        sender.send(Input::Interrupted).unwrap();
        assert!(!inbox.wait(None, long));
        assert!(matches!(inbox.next(), Some(Input::Interrupted)));
        assert!(inbox.next().is_none());
        let giver = std::thread::spawn(move || sender.send(Input::SupervisorGone).unwrap());
        while inbox.next().is_none() {
            inbox.wait(None, long);
        }
        giver.join().unwrap();
    }

    #[test]
    fn a_socket_is_heard_also_when_its_peer_is_gone() {
        let (_sender, inbox) = inbox().unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        assert!(!inbox.wait(Some(ours.as_fd()), Duration::ZERO));
        theirs.write_all(b"x").unwrap();
        assert!(inbox.wait(Some(ours.as_fd()), Duration::ZERO));
        drop(theirs);
        assert!(inbox.wait(Some(ours.as_fd()), Duration::ZERO));
    }

    #[test]
    fn an_engine_that_has_ended_is_gone() {
        let (sender, inbox) = inbox().unwrap();
        drop(inbox);
        assert_eq!(sender.send(Input::Interrupted), Err(Gone));
    }
}
