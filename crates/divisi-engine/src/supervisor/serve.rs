//! The supervisor's process: one thread, one `poll`, until nothing is held and nobody is there.
//!
//! A *turn* takes what the poll found ready — children that ended, words of the engine, output —
//! then settles young jobs, keeps time, sweeps, and at its end writes the notes and then the
//! words, each in one go. So a note is always written before the word that rests on it, and
//! everything that happened in one turn is one wake-up of the engine.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use divisi_core::Epoch;
use divisi_core::worker::{EndHow, Ended, FromWorker, Job};

use super::asking::{Asked, Asking};
use super::connection::Connection;
use super::error::ServeError;
use super::job::{Buffers, Live, YOUNG, later};
use super::notes::{Notes, Started};
use super::process::{self, Alarm};
use super::sweep::HIDDEN_PATIENCE;
use super::{confine, proc};
use crate::failpoint;

/// Where a supervisor serves.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The project's `.divisi` folder, absolute. Notes and lock lie in it.
    pub dir: PathBuf,
    /// The socket to listen on, absolute, in a folder of [`super::socket_folder`].
    pub socket: PathBuf,
}

/// Connections that have not yet said who they are.
const WAITING_MAX: usize = 8;

/// So long a connection may take to say who it is, and a new supervisor waits for its engine.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);

/// The whole life of the supervisor's process. To be called first thing in a process of its own:
/// it closes all descriptors but the standard ones, becomes a sub-reaper, and takes over signals.
/// Standard output is used to say when it is ready ([`super::Client::join`] listens there) and is
/// let go then.
///
/// # Errors
/// It could not begin to serve, or the system refused to let it wait.
pub fn serve(options: &ServeOptions) -> Result<(), ServeError> {
    let begun = process::begin(options).and_then(|ground| {
        let supervisor = Supervisor::new(options, &ground)?;
        process::say_ready();
        Ok((ground, supervisor))
    });
    match begun {
        Ok((ground, mut supervisor)) => {
            let lived = supervisor.live();
            // Under the lock, so that no successor's socket is meant.
            let _ = std::fs::remove_file(&options.socket);
            drop(ground);
            lived
        }
        Err(error) => {
            process::say_failed(&error);
            Err(error)
        }
    }
}

/// What a ready descriptor means.
#[derive(Clone, Copy)]
enum Source {
    Alarm,
    Listener,
    /// By descriptor: places shift when one of them is done with.
    Waiting(i32),
    Engine,
    Output(Job),
    Input(Job),
    Asking(Job),
}

/// Everything the supervisor knows.
pub(super) struct Supervisor {
    pub(super) mark: String,
    pub(super) boot_id: String,
    pub(super) confines: bool,
    pub(super) confiner: confine::Confiner,
    pub(super) null: File,
    alarm: Alarm,
    listener: UnixListener,
    pub(super) notes: Notes,
    /// Something must be in the notes before the words of this turn are sent.
    pub(super) must_note: bool,
    pub(super) live: BTreeMap<Job, Live>,
    /// Ended and not yet forgotten.
    pub(super) ended: BTreeMap<Job, Ended>,
    /// The live jobs' own processes, unreaped.
    pub(super) roots: HashMap<i32, Job>,
    /// Other unreaped children, by the job they were given to.
    pub(super) orphans: HashMap<i32, Job>,
    /// Start time and job of processes as last observed.
    pub(super) seen: HashMap<i32, (u64, Job)>,
    /// Children that show no origin, since when: one that is just starting a program shows none.
    pub(super) unsure: HashMap<i32, Instant>,
    /// The last reaping found that there are no children at all.
    pub(super) childless: bool,
    pub(super) buffers: Buffers,
    pub(super) engine: Option<Connection>,
    pub(super) waiting: Vec<Connection>,
    pub(super) epoch: Option<Epoch>,
    pub(super) orphan_grace: Duration,
    /// Since when there is no engine.
    pub(super) alone_since: Option<Instant>,
    /// No engine came within the grace: all that lives is being ended.
    pub(super) gives_up: bool,
}

impl Supervisor {
    fn new(options: &ServeOptions, ground: &process::Ground) -> Result<Supervisor, ServeError> {
        let (notes, ended) = process::recover(&options.dir, &ground.mark)?;
        Ok(Supervisor {
            mark: ground.mark.clone(),
            boot_id: proc::boot_id(),
            confines: confine::works(),
            confiner: confine::Confiner::default(),
            null: process::null()?,
            alarm: Alarm::set()?,
            listener: process::listen(&options.socket)?,
            notes,
            must_note: false,
            live: BTreeMap::new(),
            ended,
            roots: HashMap::new(),
            orphans: HashMap::new(),
            seen: HashMap::new(),
            unsure: HashMap::new(),
            childless: true,
            buffers: Buffers::new(),
            engine: None,
            waiting: Vec::new(),
            epoch: None,
            orphan_grace: Duration::ZERO,
            alone_since: Some(Instant::now()),
            gives_up: false,
        })
    }

    fn live(&mut self) -> Result<(), ServeError> {
        let mut fds = Vec::new();
        let mut sources = Vec::new();
        loop {
            self.interests(&mut fds, &mut sources);
            process::poll(&mut fds, self.sleep())?;
            let now = Instant::now();
            let mut children = false;
            for (fd, source) in fds.iter().zip(&sources) {
                if fd.revents != 0 {
                    children |= matches!(source, Source::Alarm);
                    self.on_ready(*source, now);
                }
            }
            self.waiting
                .retain(|waiting| now < waiting.since + HELLO_PATIENCE);
            if children || self.has_exited() {
                self.reap(now);
            }
            self.settle(now);
            self.keep_time(now);
            self.sweep(now);
            self.speak();
            if self.is_over() {
                return Ok(());
            }
        }
    }

    fn interests(&self, fds: &mut Vec<libc::pollfd>, sources: &mut Vec<Source>) {
        fds.clear();
        sources.clear();
        let mut add = |fd: i32, events: libc::c_short, source: Source| {
            fds.push(libc::pollfd {
                fd,
                events,
                revents: 0,
            });
            sources.push(source);
        };
        add(self.alarm.fd(), libc::POLLIN, Source::Alarm);
        if self.waiting.len() < WAITING_MAX {
            add(self.listener.as_raw_fd(), libc::POLLIN, Source::Listener);
        }
        for waiting in &self.waiting {
            add(waiting.fd(), libc::POLLIN, Source::Waiting(waiting.fd()));
        }
        if let Some(engine) = &self.engine {
            let mut events = 0;
            if engine.may_receive() {
                events |= libc::POLLIN;
            }
            if engine.wants_to_send() {
                events |= libc::POLLOUT;
            }
            add(engine.fd(), events, Source::Engine);
        }
        for live in self.live.values() {
            if let Some(output) = live.output.as_ref().filter(|_| live.settled) {
                add(output.as_raw_fd(), libc::POLLIN, Source::Output(live.job));
            }
            let asking = live.asking.as_ref().filter(|_| live.settled);
            // One that is waited for in nothing would wake us with its end alone, again and again.
            if let Some(asking) = asking.filter(|asking| asking.events() != 0) {
                add(asking.fd(), asking.events(), Source::Asking(live.job));
            }
            if let Some(input) = &live.input {
                add(
                    input.pipe.as_raw_fd(),
                    libc::POLLOUT,
                    Source::Input(live.job),
                );
            }
        }
    }

    /// Until when there is nothing to do unless something happens.
    fn sleep(&self) -> Option<Duration> {
        let mut wake: Option<Instant> = None;
        let mut at = |moment: Instant| wake = Some(wake.map_or(moment, |wake| wake.min(moment)));
        for live in self.live.values() {
            if !live.settled {
                at(live.started + YOUNG);
            }
            if let Some(ending) = &live.ending {
                at(ending.act_at);
            }
        }
        for waiting in &self.waiting {
            at(waiting.since + HELLO_PATIENCE);
        }
        for since in self.unsure.values() {
            at(*since + HIDDEN_PATIENCE);
        }
        if let Some(since) = self.alone_since
            && !self.gives_up
        {
            at(later(since, self.patience()));
        }
        wake.map(|wake| wake.saturating_duration_since(Instant::now()))
    }

    /// How long is waited for an engine.
    fn patience(&self) -> Duration {
        match self.epoch {
            None => HELLO_PATIENCE,
            Some(_) => self.orphan_grace,
        }
    }

    fn on_ready(&mut self, source: Source, now: Instant) {
        match source {
            Source::Alarm => self.alarm.hush(),
            Source::Listener => {
                if let Ok((stream, _)) = self.listener.accept() {
                    self.waiting.extend(Connection::accept(stream, now));
                }
            }
            Source::Waiting(fd) => self.on_greeting(fd, now),
            Source::Engine => self.on_engine(now),
            Source::Output(job) => {
                if let Some(live) = self.live.get_mut(&job) {
                    live.listen(&mut self.buffers);
                }
            }
            Source::Asking(job) => self.on_asking(job, Asking::go_on),
            Source::Input(job) => {
                if let Some(live) = self.live.get_mut(&job) {
                    live.feed();
                }
            }
        }
    }

    /// A job asks something, or takes its answers.
    pub(super) fn on_asking(&mut self, job: Job, go_on: impl FnOnce(&mut Asking) -> Asked) {
        let Some(live) = self.live.get_mut(&job) else {
            return;
        };
        let Some(asking) = &mut live.asking else {
            return;
        };
        let (requests, over) = go_on(asking);
        let cwd = live.cwd.clone();
        if over.is_err() {
            live.asking = None;
        }
        for request in requests {
            let cwd = cwd.clone();
            self.say(&FromWorker::Asks { job, cwd, request });
        }
    }

    fn has_exited(&self) -> bool {
        self.live.values().any(|live| live.exited.is_some())
    }

    /// Reports what has ended while others are being started, so that the engine goes on with the
    /// one while this process is busy with the other. Starting takes the longest of all words.
    pub(super) fn report_ended(&mut self) {
        let now = Instant::now();
        self.reap(now);
        if self.has_exited() {
            self.sweep(now);
            self.speak();
        }
    }

    /// Notes and announces the jobs that are no longer young. One that has exited is reported as a
    /// whole.
    fn settle(&mut self, now: Instant) {
        let young = |live: &&mut Live| {
            !live.settled && live.exited.is_none() && now >= live.started + YOUNG
        };
        let mut words = Vec::new();
        for live in self.live.values_mut().filter(young) {
            live.settled = true;
            live.start_time = proc::stat(live.pid).map(|stat| stat.start_time);
            self.must_note = true;
            if let Some(started) = to_note(live, &self.boot_id) {
                self.notes.started(started);
            }
            words.push(FromWorker::Started {
                job: live.job,
                pid: live.pid.cast_unsigned(),
                confined: live.confined,
            });
        }
        for word in words {
            self.say(&word);
        }
    }

    fn keep_time(&mut self, now: Instant) {
        let alone = self
            .alone_since
            .is_some_and(|since| now >= later(since, self.patience()));
        if alone && !self.gives_up {
            self.gives_up = true;
            self.end_all(EndHow::Graceful, now);
        }
    }

    /// Queues a word; without an engine nobody hears it.
    pub(super) fn say(&mut self, word: &FromWorker) {
        if let Some(engine) = &mut self.engine {
            engine.say(word);
        }
    }

    /// The notes first, then the words that rest on them.
    fn speak(&mut self) {
        if std::mem::take(&mut self.must_note) || self.engine.is_none() {
            // A full disk: the mark in the environment finds the jobs, and what is unwritten is
            // tried again.
            let _ = self.notes.flush();
            if self.notes.wants_compaction() {
                let _ = self.rewrite_notes();
            }
        }
        if let Some(engine) = &mut self.engine
            && engine.wants_to_send()
        {
            failpoint::hit("supervisor.words.send.before");
            let heard = engine.send();
            failpoint::hit("supervisor.words.send.after");
            if !heard {
                self.drop_engine(None, Instant::now());
            }
        }
    }

    fn rewrite_notes(&mut self) -> std::io::Result<()> {
        let boot_id = &self.boot_id;
        let live = self.live.values().filter_map(|live| to_note(live, boot_id));
        self.notes.compact(live, self.ended.iter())
    }

    /// Nothing lives, and no engine is there or expected. What was not forgotten stays in the notes.
    fn is_over(&mut self) -> bool {
        let expected = self.epoch.is_none() && !self.gives_up;
        let idle = self.live.is_empty() && self.engine.is_none() && self.waiting.is_empty();
        let over = idle && !expected;
        if over {
            let _ = self.rewrite_notes();
        }
        over
    }
}

fn to_note(live: &Live, boot_id: &str) -> Option<Started> {
    Some(Started {
        job: live.job,
        pid: live.pid,
        start_time: live.start_time?,
        boot_id: boot_id.to_owned(),
    })
}
