//! Programs of command criteria and of setups, run by the supervisor like agents, each in a clean
//! checkout.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use divisi_core::worker::{EndHow, Ended, FromWorker, Job, ProcessSpec, ToWorker};
use divisi_core::{AttemptId, Epoch};

use super::shell::Shell;
use crate::checks::{ProgramEnd, Programs};
use crate::failpoint;

/// What is kept of a program's output as evidence, in bytes.
pub(crate) const TAIL_BYTES: u64 = 3_000;

enum Heard {
    Ended(Ended),
    NotStarted { cause: String, permanent: bool },
    Gone,
    Interrupted(EndHow),
}

/// Programs of one epoch are numbered below this.
const PARTS_BITS: u32 = 24;

/// Threads that wait for a program's end, by its job.
#[derive(Default)]
pub(super) struct Checks {
    waiting: Mutex<HashMap<Job, SyncSender<Heard>>>,
    /// The number of the last program, and above it the epoch: the supervisor may still hold a
    /// program of an earlier epoch, which must not be taken for one of this.
    parts: AtomicU32,
    interrupted: AtomicBool,
}

impl Checks {
    fn wait(&self, attempt: AttemptId) -> (Job, std::sync::mpsc::Receiver<Heard>) {
        let part = self.parts.fetch_add(1, Ordering::SeqCst) + 1;
        let job = Job { attempt, part };
        // One end, and before it an interruption of each kind.
        let (sender, receiver) = sync_channel(3);
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(job, sender);
        (job, receiver)
    }

    /// Programs are numbered anew, unlike those of the epochs before.
    pub(super) fn begin_epoch(&self, epoch: Epoch) {
        let epoch = (epoch.0 as u32) << PARTS_BITS;
        self.parts.store(epoch, Ordering::SeqCst);
    }

    /// Ends all programs; their checks come to nothing and are repeated by whoever resumes.
    pub(super) fn interrupt(&self, how: EndHow) {
        self.interrupted.store(true, Ordering::SeqCst);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in waiting.values() {
            // A thread that has as much to hear already ends its program in any case.
            let _ = sender.try_send(Heard::Interrupted(how));
        }
    }

    /// Ends the programs of one attempt, whose check or start is not owed any more.
    pub(super) fn interrupt_of(&self, attempt: AttemptId) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, sender) in waiting.iter().filter(|(job, _)| job.attempt == attempt) {
            let _ = sender.try_send(Heard::Interrupted(EndHow::Graceful));
        }
    }

    fn tell(&self, job: Job, heard: Heard) {
        let waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&job);
        if let Some(sender) = waiting {
            // The thread may have given up meanwhile.
            let _ = sender.try_send(heard);
        }
    }

    /// Takes words about checks; gives back every other.
    pub(super) fn hear(&self, word: FromWorker) -> Option<FromWorker> {
        match word {
            FromWorker::Ended { job, ended } if !job.is_agent() => {
                self.tell(job, Heard::Ended(ended))
            }
            FromWorker::NotStarted {
                job,
                cause,
                permanent,
            } if !job.is_agent() => {
                self.tell(job, Heard::NotStarted { cause, permanent });
            }
            FromWorker::Unknown { job } if !job.is_agent() => self.tell(job, Heard::Gone),
            FromWorker::Started { job, .. } if !job.is_agent() => {}
            other => return Some(other),
        }
        None
    }

    /// The supervisor is gone, and with it every program.
    pub(super) fn on_gone(&self) {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for sender in waiting.into_values() {
            let _ = sender.try_send(Heard::Gone);
        }
    }
}

/// Programs of one attempt's criteria (or a run's), run in one checkout.
pub(super) struct InCheckout<'a> {
    pub(super) shell: &'a Shell,
    pub(super) attempt: AttemptId,
    /// The numbers of the criteria that are judged, if they are some of the attempt's only: each
    /// has a log of its own.
    pub(super) numbers: Option<&'a [usize]>,
    pub(super) checkout: &'a Path,
}

impl Programs for InCheckout<'_> {
    fn run(&self, criterion: u16, argv: &[String], timeout_ms: u64) -> ProgramEnd {
        let number = self.numbers.and_then(|all| all.get(usize::from(criterion)));
        let number = number.map_or(criterion, |number| *number as u16);
        let log = self.shell.check_log(self.attempt, number);
        let program = Program {
            shell: self.shell,
            attempt: self.attempt,
            folder: self.checkout,
            log: &log,
        };
        program.run(argv, timeout_ms)
    }
}

/// Stands in for programs whose checkout cannot be prepared because of what is to be checked.
pub(super) struct Unprepared(pub(super) String);

impl Programs for Unprepared {
    fn run(&self, _: u16, _: &[String], _: u64) -> ProgramEnd {
        ProgramEnd::NotStarted {
            cause: format!("its checkout cannot be prepared: {}", self.0),
            permanent: true,
        }
    }
}

/// A program that the supervisor runs beside agents, for an attempt, in a folder to which alone it
/// may write.
pub(super) struct Program<'a> {
    pub(super) shell: &'a Shell,
    pub(super) attempt: AttemptId,
    pub(super) folder: &'a Path,
    pub(super) log: &'a Path,
}

impl Program<'_> {
    /// Runs it to its end, or ends it and its descendants after `timeout_ms`.
    pub(super) fn run(&self, argv: &[String], timeout_ms: u64) -> ProgramEnd {
        let failed = |cause: &str| ProgramEnd::NotStarted {
            cause: cause.to_owned(),
            permanent: false,
        };
        let Some(client) = self.shell.supervisor() else {
            return failed("the supervisor is not joined");
        };
        let (job, heard) = self.shell.checks.wait(self.attempt);
        if self.shell.checks.interrupted.load(Ordering::SeqCst) {
            return failed("interrupted");
        }
        let cwd = self.folder.to_string_lossy().into_owned();
        let tmp = match self.shell.temporary.take(&format!("check-{}", job.part)) {
            Ok(tmp) => tmp,
            Err(error) => return failed(&format!("make a temporary folder: {error}")),
        };
        let tmp_text = tmp.to_string_lossy().into_owned();
        let (mut env, masked) =
            self.shell
                .environment(self.attempt.run, &std::collections::BTreeMap::new(), &[]);
        env.insert("TMPDIR".to_owned(), tmp_text.clone());
        let writes = vec![cwd.clone(), tmp_text];
        let spec = ProcessSpec {
            argv: self.shell.resolved(argv.to_vec()),
            cwd,
            env,
            stdin: String::new(),
            asks: false,
            log: self.log.to_string_lossy().into_owned(),
            masked,
            confinement: self.shell.confinement(self.attempt.run, writes),
            limits: self.shell.limits(self.attempt.run),
        };
        // What the same program printed before would be taken for what it prints now.
        let _ = std::fs::remove_file(self.log);
        failpoint::hit("program.start.before");
        if client
            .send(&ToWorker::Start {
                job,
                spec: Box::new(spec),
            })
            .is_err()
        {
            return failed("the supervisor is gone");
        }
        failpoint::hit("program.start.after");
        let (mut timed_out, mut interrupted) = (false, false);
        let grace =
            Duration::from_millis(self.shell.options.limits.grace_ms) + Duration::from_secs(10);
        let mut wait = Duration::from_millis(timeout_ms);
        let end = loop {
            match heard.recv_timeout(wait) {
                Ok(Heard::Ended(ended)) => break ended,
                Ok(Heard::Interrupted(how)) => {
                    if client.send(&ToWorker::End { job, how }).is_err() {
                        return failed("the supervisor is gone");
                    }
                    (interrupted, wait) = (true, grace);
                }
                Ok(Heard::NotStarted { cause, permanent }) => {
                    let _ = client.send(&ToWorker::Forget { job });
                    return ProgramEnd::NotStarted { cause, permanent };
                }
                Ok(Heard::Gone) | Err(RecvTimeoutError::Disconnected) => {
                    return failed("the supervisor is gone");
                }
                Err(RecvTimeoutError::Timeout) => {
                    let how = if timed_out {
                        EndHow::Force
                    } else {
                        EndHow::Graceful
                    };
                    if client.send(&ToWorker::End { job, how }).is_err() {
                        return failed("the supervisor is gone");
                    }
                    (timed_out, wait) = (true, grace);
                }
            }
        };
        let _ = client.send(&ToWorker::Forget { job });
        // A leftover is removed when the engine ends.
        let _ = crate::workspace::walk::remove_all(&tmp);
        if interrupted {
            return failed("interrupted");
        }
        let tail = tail(self.log, TAIL_BYTES);
        if timed_out {
            return ProgramEnd::TimedOut { tail };
        }
        ProgramEnd::Ended {
            exit: end.exit,
            tail,
            output: end.output,
        }
    }
}

/// The last bytes of a log; empty if nothing was printed.
pub(crate) fn tail(log: &Path, bytes_max: u64) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes_max)))?;
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_of_a_log_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(tail(&log, 4), "");
        std::fs::write(&log, "first last").unwrap();
        assert_eq!(tail(&log, 4), "last");
        assert_eq!(tail(&log, 100), "first last");
    }
}
