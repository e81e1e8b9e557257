//! What the engine says, and what is done about it.
//!
//! A connection becomes the engine's by its first word, if its epoch is above all that were
//! here. Every word may come twice: it is answered with the state as it is.

use std::time::{Duration, Instant};

use divisi_core::Epoch;
use divisi_core::worker::{EndHow, FromWorker, Held, Job, PROTOCOL, ProcessSpec, ToWorker};

use super::confine::AT_ONCE_MAX;
use super::connection::{Connection, Received};
use super::job::{Ground, Starting};
use super::serve::Supervisor;
use crate::failpoint;

/// Each live job takes up to two descriptors, and a process usually has 1,024.
const LIVE_MAX: usize = 448;

/// Results that no engine forgets are memory.
const ENDED_MAX: usize = 100_000;

impl Supervisor {
    /// The first words of a connection: it becomes the engine's, or it is refused.
    pub(super) fn on_greeting(&mut self, fd: i32, now: Instant) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.fd() == fd) else {
            return;
        };
        let (mut words, garbage) = match self.waiting[at].receive() {
            Received::Words(words) if words.is_empty() => return,
            Received::Words(words) => (words.into_iter(), None),
            Received::Closed(words) => (words.into_iter(), None),
            Received::Garbage(words, cause) => (words.into_iter(), Some(cause)),
        };
        let cause = match words.next() {
            Some(ToWorker::Hello {
                protocol,
                epoch,
                orphan_grace_ms,
            }) => {
                if protocol != PROTOCOL {
                    format!("protocol {protocol} is spoken; this supervisor speaks {PROTOCOL}")
                } else if self.epoch.is_some_and(|seen| epoch <= seen) {
                    let seen = self.epoch.unwrap_or_default().0;
                    format!("epoch {} is not above {seen}, which was here", epoch.0)
                } else {
                    let connection = self.waiting.remove(at);
                    self.join(connection, epoch, orphan_grace_ms, now);
                    self.on_words(words.collect(), now);
                    if let Some(cause) = garbage {
                        self.drop_engine(Some(cause), now);
                    }
                    return;
                }
            }
            Some(_) => "the first word must be hello".to_owned(),
            None => garbage.unwrap_or_else(|| "nothing was said".to_owned()),
        };
        let mut connection = self.waiting.remove(at);
        refuse(&mut connection, cause);
    }

    /// Takes a new engine on in the place of the old.
    fn join(&mut self, connection: Connection, epoch: Epoch, grace_ms: u64, now: Instant) {
        if self.engine.is_some() {
            self.drop_engine(Some(format!("epoch {} took over", epoch.0)), now);
        }
        self.epoch = Some(epoch);
        self.orphan_grace = Duration::from_millis(grace_ms);
        self.alone_since = None;
        // What is being ended goes on ending; the supervisor goes on serving.
        self.gives_up = false;
        self.engine = Some(connection);
        let observations = self.observe(now);
        let live = observations.into_iter().map(|(job, observation)| {
            let live = self.live.get(&job);
            let asking = live.and_then(|live| Some((live, live.asking.as_ref()?)));
            let (cwd, asks) = asking.map_or_else(Default::default, |(live, asking)| {
                (live.cwd.clone(), asking.waiting().to_vec())
            });
            let held = Held::Live {
                observation,
                cwd,
                asks,
            };
            (job, held)
        });
        let ended = self.ended.iter().map(|(job, ended)| {
            let ended = ended.clone();
            (*job, Held::Ended { ended })
        });
        let holds = live.chain(ended).collect();
        self.say(&FromWorker::Joined {
            protocol: PROTOCOL,
            epoch,
            holds,
            confines: self.confines,
        });
    }

    pub(super) fn on_engine(&mut self, now: Instant) {
        let Some(engine) = self.engine.as_mut() else {
            return;
        };
        if !engine.may_receive() {
            return;
        }
        match engine.receive() {
            Received::Words(words) => self.on_words(words, now),
            Received::Closed(words) => {
                self.on_words(words, now);
                self.drop_engine(None, now);
            }
            Received::Garbage(words, cause) => {
                self.on_words(words, now);
                self.drop_engine(Some(cause), now);
            }
        }
    }

    pub(super) fn drop_engine(&mut self, cause: Option<String>, now: Instant) {
        let Some(mut engine) = self.engine.take() else {
            return;
        };
        if let Some(cause) = cause {
            refuse(&mut engine, cause);
        }
        self.alone_since = Some(now);
    }

    fn on_words(&mut self, words: Vec<ToWorker>, now: Instant) {
        let mut starts: Vec<(Job, ProcessSpec)> = Vec::new();
        for word in words {
            if !matches!(word, ToWorker::Start { .. } | ToWorker::Forget { .. }) {
                // Whatever is asked next may be about them.
                self.on_starts(std::mem::take(&mut starts));
            }
            match word {
                ToWorker::Hello { .. } => {
                    self.drop_engine(Some("hello was said before".to_owned()), now);
                    return;
                }
                ToWorker::Start { job, spec } => starts.push((job, *spec)),
                ToWorker::End { job, how } => self.on_end(job, how, now),
                ToWorker::Forget { job } => {
                    if self.ended.remove(&job).is_some() {
                        self.notes.forgotten(job);
                    } else if !self.live.contains_key(&job) {
                        self.say(&FromWorker::Unknown { job });
                    }
                }
                ToWorker::Answer { job, answered } => {
                    self.on_asking(job, |asking| asking.answer(&answered));
                }
                ToWorker::Observe => {
                    let observations = self.observe(now);
                    self.say(&FromWorker::Observed { observations });
                }
            }
        }
        self.on_starts(starts);
    }

    /// Starts jobs a few at a time, and reports in between what has ended, so that the engine goes
    /// on with the one while this process is busy with the other.
    fn on_starts(&mut self, starts: Vec<(Job, ProcessSpec)>) {
        let mut starts = starts.into_iter().peekable();
        while starts.peek().is_some() {
            let at_once: Vec<_> = starts.by_ref().take(AT_ONCE_MAX).collect();
            self.start_at_once(at_once);
            self.report_ended();
        }
    }

    fn start_at_once(&mut self, starts: Vec<(Job, ProcessSpec)>) {
        let mut starting = Vec::with_capacity(starts.len());
        for (job, spec) in starts {
            let is_repeated = starting.iter().any(|(other, _)| *other == job);
            if !is_repeated && self.is_to_start(job, starting.len()) {
                starting.push((job, spec));
            }
        }
        let ground = Ground {
            mark: &self.mark,
            null: &self.null,
            confines: self.confines,
            confiner: &self.confiner,
        };
        failpoint::hit("supervisor.spawn.before");
        let mut ready = Vec::with_capacity(starting.len());
        let mut results = Vec::new();
        for (job, spec) in starting {
            match Starting::of(&ground, job, spec) {
                Ok(starting) => ready.push(starting),
                Err(failed) => results.push((job, Err(failed))),
            }
        }
        results.extend(Starting::launch_all(&ground, ready));
        failpoint::hit("supervisor.spawn.after");
        for (job, result) in results {
            match result {
                Ok(live) => {
                    self.roots.insert(live.pid, job);
                    self.live.insert(job, live);
                }
                Err(failed) => self.say(&FromWorker::NotStarted {
                    job,
                    cause: failed.cause,
                    permanent: failed.permanent,
                }),
            }
        }
    }

    /// Whether a job is to be started beside `others`; if it is here already or cannot be, that
    /// is said.
    fn is_to_start(&mut self, job: Job, others: usize) -> bool {
        if let Some(ended) = self.ended.get(&job) {
            let ended = ended.clone();
            self.say(&FromWorker::Ended { job, ended });
            return false;
        }
        if let Some(live) = self.live.get(&job) {
            // A young one is announced when it is settled.
            if live.settled {
                let (pid, confined) = (live.pid.cast_unsigned(), live.confined);
                self.say(&FromWorker::Started { job, pid, confined });
            }
            return false;
        }
        let cause = if self.live.len() + others >= LIVE_MAX {
            format!("start a job: {LIVE_MAX} are running")
        } else if self.ended.len() >= ENDED_MAX {
            format!("start a job: {ENDED_MAX} results wait to be forgotten")
        } else {
            return true;
        };
        let permanent = false;
        self.say(&FromWorker::NotStarted {
            job,
            cause,
            permanent,
        });
        false
    }

    fn on_end(&mut self, job: Job, how: EndHow, now: Instant) {
        if let Some(live) = self.live.get_mut(&job) {
            live.told |= live.exited.is_none();
            live.begin_ending(how, now);
        } else if let Some(ended) = self.ended.get(&job) {
            let ended = ended.clone();
            self.say(&FromWorker::Ended { job, ended });
        } else {
            self.say(&FromWorker::Unknown { job });
        }
    }

    pub(super) fn end_all(&mut self, how: EndHow, now: Instant) {
        for live in self.live.values_mut() {
            live.told |= live.exited.is_none();
            live.begin_ending(how, now);
        }
    }
}

/// The last word to a connection that is not wanted.
fn refuse(connection: &mut Connection, cause: String) {
    connection.say(&FromWorker::Refused { cause });
    // It may be gone, or not read; it is dropped in any case.
    let _ = connection.send();
}
