//! The engine's one loop.
//!
//! It owns all state. It waits on one queue of [`Input`]s, takes what waits (bounded), turns it
//! into directives, lets the world decide and append them in one step, and only then answers,
//! publishes, and closes the gap between what is owed and what is under way. Effects that take
//! time are carried out by a few threads or by the supervisor, and come back as inputs.
//!
//! It is an ordinary thread on an ordinary channel: every step waits for the disk anyway, and what
//! must not wait is not here.
//!
//! Where what stands:
//!
//! - what wakes it: `input`, through `inbox`;
//! - from inputs to what the world is told: `translate`, with `asked` for people and `heard` for the
//!   supervisor; `follow` for what comes after the answer;
//! - from what is owed to what is begun: `begin`, on `threads` or by `supervised`;
//! - the effects: `launch` (with `preparation`, `composing`), `fetch`, `results` (with `judging`,
//!   `programs`), `expansion`, `whole`; they share `shell`;
//! - when it rests: `rest`; what goes wrong: `trouble`, `room`.

mod asked;
mod begin;
mod composing;
mod expansion;
mod fetch;
mod follow;
mod freshness;
mod heard;
mod homes;
mod inbox;
mod input;
mod judging;
mod launch;
mod measuring;
mod permissions;
mod preparation;
mod programs;
mod rest;
mod results;
mod room;
mod shell;
mod stream;
mod supervised;
mod telling;
mod temporary;
mod threads;
mod translate;
mod trouble;
mod weighing;
mod whole;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divisi_core::assign::Capacity;
use divisi_core::journal::{Artifacts, Fault, Journal};
use divisi_core::run::{self, Budget, Effect, Event};
use divisi_core::worker::{EndHow, Limits, ToWorker};
use divisi_core::{AttemptId, RunId, Time};

pub use fetch::Seen;
use follow::{Follow, Told};
use inbox::Inbox;
#[cfg(test)]
pub(crate) use inbox::inbox;
pub use inbox::{Gone, Sender};
pub use input::{Failed, Finished, Input};
pub use launch::Prepared;
pub(crate) use programs::{TAIL_BYTES, tail};
pub(crate) use shell::OWN_NAME;
pub use shell::{Shell, credentials, log_path, run_folder};

use crate::failpoint;
use crate::monitor::{ClockWatch, Clocks, Monitor, Patience};
use crate::reconcile::Reconcile;
use crate::repo::Repo;
use crate::world::{Directive, World};
use supervised::Supervised;
use threads::Threads;

/// At most so many inputs are taken into one step: a transaction stays short, and an answer waits
/// for few others.
const STEP_INPUTS_MAX: usize = 256;

/// While the disk is full or the journal locked, it is tried again so often.
const RETRY: Duration = Duration::from_millis(500);

/// An effect of ours that failed so often pauses its run with the reason.
const EFFECT_FAILURES_MAX: u32 = 4;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The project's folder, absolute.
    pub project: PathBuf,
    /// Its `.divisi` folder.
    pub dir: PathBuf,
    /// Its private repository, where somebody has opened it before; opened when needed otherwise.
    pub repo: Option<Arc<Repo>>,
    /// This program, to be started as supervisor.
    pub program: PathBuf,
    /// The folder of the sockets.
    pub sockets: PathBuf,
    /// What all runs together may use.
    pub capacity: Capacity,
    /// What all runs together may use up in a day; opens that day's account.
    pub day: Budget,
    /// How patient the monitor is; time boxes are the tasks' own.
    pub patience: Patience,
    /// Limits of attempts' processes, as far as their run has none of its own.
    pub limits: Limits,
    /// How long agents live on when the engine is gone, in milliseconds.
    pub orphan_grace_ms: u64,
    /// The clock that goes on while the machine sleeps: [`boot_now`], or a test's own.
    pub boot_now: fn() -> u64,
}

/// When the loop ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// This run has ended, or cannot go on without a person.
    Rests(RunId),
    /// What was asked is answered; effects are left to whoever resumes.
    Answered,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// As [`Until`] said.
    Rested,
    /// It was interrupted; nothing runs any more.
    Interrupted,
}

/// What the loop tells whoever shows it.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Something happened, and is durable.
    Event(RunId, Time, Box<Event>),
    /// Something of ours went wrong and is tried again, or was worked around.
    Trouble(String),
}

/// Hears notices; called on the loop's thread, so it must be quick.
pub type Observer = Box<dyn FnMut(&[Notice], &dyn View) + Send>;

/// What an observer may look at while it is called.
pub trait View {
    /// A loaded run.
    fn run(&self, run: RunId) -> Option<&run::Run>;
}

impl<J: Journal> View for World<J> {
    fn run(&self, run: RunId) -> Option<&run::Run> {
        World::run(self, run)
    }
}

/// How often somebody interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interruption {
    No,
    Graceful,
    Forced,
}

/// The engine of one project folder.
pub struct Engine<J: Journal> {
    world: World<J>,
    reconcile: Reconcile,
    monitor: Monitor,
    clocks: ClockWatch,
    shell: Arc<Shell>,
    supervised: Supervised,
    threads: Option<Threads>,
    sender: Sender,
    inputs: Inbox,
    local: VecDeque<Input>,
    outbox: Vec<ToWorker>,
    observer: Observer,
    troubles: Vec<Notice>,
    interruption: Interruption,
    /// Prepared attempts whose start is being made durable.
    launching: BTreeMap<AttemptId, Box<Prepared>>,
    /// Runs that somebody started or resumed in this life.
    attended: BTreeSet<RunId>,
    /// The run that this process drives to rest; others are attended for other processes.
    driven: Option<RunId>,
    /// What is asked is answered and nothing more is done.
    passive: bool,
    /// A run is attended since the last step: the next one is due at once.
    again: bool,
    /// Attempts whose processes may outlive them: found by an earlier life, or given up.
    strays: BTreeSet<AttemptId>,
    /// Attempts whose workspaces a thread prepares, also after their start was abandoned.
    preparing: BTreeSet<AttemptId>,
    /// Attempts that ended, whose temporary folders are to be taken back.
    returned: Vec<AttemptId>,
    /// What the monitor found, to be decided in the next step.
    found: Vec<Directive>,
    looked_at: Instant,
    /// The supervisor said what it holds; runs hear it in this step.
    joining: bool,
    /// Whether this machine's supervisor can confine writes.
    confines: bool,
    /// The supervisor is gone: leases so far belong to an epoch that is over.
    epoch_due: bool,
    full: bool,
    /// Effects that found no room on the disk; their runs go on once these have come out.
    lacking_room: BTreeSet<Effect>,
    joining_failed: JoiningFailed,
    /// What sessions with models told so far.
    heard: BTreeMap<AttemptId, stream::Heard>,
    /// What was last seen of files from outside that are not taken yet.
    looks: BTreeMap<AttemptId, fetch::Look>,
    /// Attempts whose workspace somebody copies files into, even if they are not awaited any more.
    fetching: BTreeSet<AttemptId>,
}

/// How often in a row the supervisor could not be joined, and when it is tried again.
#[derive(Clone, Copy, Debug, Default)]
struct JoiningFailed {
    times: u32,
    again_at: Option<Instant>,
}

impl<J: Journal> Engine<J> {
    /// Loads everything and begins an epoch. Nothing is started yet. `artifacts` holds what plan
    /// tasks name by its digest.
    ///
    /// # Errors
    /// The journal cannot be read or written.
    pub fn open(
        journal: J,
        artifacts: Box<dyn Artifacts + Send + Sync>,
        options: Options,
        observer: Observer,
    ) -> Result<Engine<J>, Fault> {
        let mut world = World::open(journal, options.capacity, wall_now())?;
        world.day = options.day;
        let (sender, inputs) =
            inbox::inbox().map_err(|error| Fault::Other(format!("make a queue: {error}")))?;
        let shell = Arc::new(Shell::new(options, artifacts));
        world.credentials = shell.credentials();
        Ok(Engine {
            world,
            reconcile: Reconcile::default(),
            monitor: Monitor::default(),
            clocks: ClockWatch::default(),
            supervised: Supervised::new(Arc::clone(&shell)),
            shell,
            threads: None,
            sender,
            inputs,
            local: VecDeque::new(),
            outbox: Vec::new(),
            observer,
            troubles: Vec::new(),
            driven: None,
            interruption: Interruption::No,
            launching: BTreeMap::new(),
            attended: BTreeSet::new(),
            passive: true,
            again: false,
            strays: BTreeSet::new(),
            preparing: BTreeSet::new(),
            returned: Vec::new(),
            found: Vec::new(),
            looked_at: Instant::now(),
            joining: false,
            confines: false,
            epoch_due: false,
            full: false,
            lacking_room: BTreeSet::new(),
            joining_failed: JoiningFailed::default(),
            heard: BTreeMap::new(),
            looks: BTreeMap::new(),
            fetching: BTreeSet::new(),
        })
    }

    /// Where inputs go: for the control socket, for signals, for commands of this process.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The state, between calls of [`Engine::run`].
    #[must_use]
    pub fn world(&self) -> &World<J> {
        &self.world
    }

    /// The run that was driven, as it stands. Nothing is done for it any more in this life.
    pub fn take(&mut self, run: RunId) -> Option<run::Run> {
        self.world.take(run)
    }

    /// Runs until there is nothing left to do for `until`, or an interruption has come through.
    ///
    /// # Errors
    /// The journal failed for good. Agents live on under the supervisor for its grace.
    pub fn run(&mut self, until: Until) -> Result<Rest, Fault> {
        let rest = self.run_to_rest(until)?;
        if until != Until::Answered {
            self.clean_up();
        }
        Ok(rest)
    }

    fn run_to_rest(&mut self, until: Until) -> Result<Rest, Fault> {
        self.passive = until == Until::Answered;
        if let Until::Rests(run) = until {
            self.attended.insert(run);
            self.driven = Some(run);
            self.world.keep(run);
        }
        self.attend();
        if !self.passive {
            self.step(Vec::new())?;
            // A run that only people can move would be waited for in vain.
            if self.is_at_rest(until) {
                return Ok(Rest::Rested);
            }
        }
        loop {
            let inputs = self.take_inputs(until);
            self.step(inputs)?;
            self.look();
            if self.interruption != Interruption::No && self.nothing_works() {
                return Ok(Rest::Interrupted);
            }
            if self.is_at_rest(until) {
                return Ok(Rest::Rested);
            }
        }
    }

    /// Waits for inputs until something is due, and takes at most a step's worth.
    fn take_inputs(&mut self, until: Until) -> Vec<Input> {
        let again = std::mem::take(&mut self.again);
        let patience = if again {
            Duration::ZERO
        } else {
            self.patience()
        };
        let many = self.local.len().min(STEP_INPUTS_MAX);
        let mut inputs: Vec<Input> = self.local.drain(..many).collect();
        if until != Until::Answered {
            let patience = match inputs.is_empty() {
                true => patience,
                false => Duration::ZERO,
            };
            self.hear(patience);
            let many = self.local.len().min(STEP_INPUTS_MAX - inputs.len());
            inputs.extend(self.local.drain(..many));
        }
        while inputs.len() < STEP_INPUTS_MAX
            && let Some(input) = self.inputs.next()
        {
            inputs.push(input);
        }
        inputs
    }

    /// Waits until there is something to do, at most so long, and takes what the supervisor said.
    fn hear(&mut self, patience: Duration) {
        if self.inputs.wait(self.supervised.socket(), patience) {
            self.local.extend(self.supervised.hear());
        }
    }

    /// One step, from inputs to effects begun.
    fn step(&mut self, inputs: Vec<Input>) -> Result<(), Fault> {
        let mut told = Told::default();
        for input in inputs {
            self.translate(input, &mut told);
        }
        let having_room = self.have_room();
        for directive in std::mem::take(&mut self.found)
            .into_iter()
            .chain(having_room)
        {
            told.push(directive, Follow::Nothing);
        }
        let stepped = self.append(told.directives)?;
        for run in self.world.runs() {
            self.shell.grant(run.id, &run.settings);
        }
        if std::mem::take(&mut self.joining) {
            self.reconcile.on_joined();
        }
        let mut notices = std::mem::take(&mut self.troubles);
        failpoint::hit("answers.before");
        for (answer, follow) in stepped.answers.into_iter().zip(told.follows) {
            self.follow(follow, answer);
        }
        self.release_integrated(&stepped.events);
        self.pass_decisions_on(&stepped.events);
        notices.extend(
            stepped
                .events
                .into_iter()
                .map(|(run, at, event)| Notice::Event(run, at, Box::new(event))),
        );
        if !notices.is_empty() {
            (self.observer)(&notices, &self.world);
        }
        failpoint::hit("answers.after");
        if !self.passive {
            failpoint::hit("reconcile.before");
            self.begin_owed();
            failpoint::hit("reconcile.after");
        }
        self.flush();
        // While the next ones are being started.
        self.take_temporary_back();
        Ok(())
    }

    /// Looks at live attempts and clocks.
    fn look(&mut self) {
        let now = self.shell.now_ms();
        let clocks = Clocks {
            monotonic: now,
            boot: (self.shell.options.boot_now)(),
            wall: wall_now().0,
        };
        if self.clocks.look(clocks) {
            self.monitor.fresh_grace(now);
        }
        if self.monitor.is_idle() && self.strays.is_empty() {
            return;
        }
        let due = self
            .monitor
            .look_in_ms()
            .unwrap_or(self.shell.options.patience.look_ms);
        let is_overdue = self.monitor.overdue_in_ms(now) == Some(0);
        if (self.looked_at.elapsed().as_millis() as u64) < due && !is_overdue {
            return;
        }
        self.looked_at = Instant::now();
        self.outbox.push(ToWorker::Observe);
        for attempt in self.waiting_for_permission() {
            self.monitor.excuse(attempt, now);
        }
        for (attempt, finding) in self.monitor.look(now) {
            self.find(attempt, finding);
        }
        self.flush();
    }

    /// Sends what is to be said to the supervisor at one stroke.
    fn flush(&mut self) {
        let words = std::mem::take(&mut self.outbox);
        if !words.is_empty() {
            failpoint::hit("words.send.before");
            self.supervised.say(&words);
            failpoint::hit("words.send.after");
        }
    }
}

impl<J: Journal> Drop for Engine<J> {
    /// Nobody hears the supervisor any more: threads that wait for a program's end wait in vain.
    fn drop(&mut self) {
        self.shell.checks.interrupt(EndHow::Force);
        self.shell.checks.on_gone();
    }
}

/// The wall clock.
#[must_use]
pub fn wall_now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_millis() as u64))
}

/// The clock that goes on while the machine sleeps, in milliseconds.
#[must_use]
pub fn boot_now() -> u64 {
    let mut at = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `at` is a valid timespec that outlives the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut at) };
    if status == 0 {
        at.tv_sec as u64 * 1_000 + at.tv_nsec as u64 / 1_000_000
    } else {
        0
    }
}
