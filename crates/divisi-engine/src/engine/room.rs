//! Room on the disk, and what is left on it: full disks pause runs until there is room again, and
//! what agents left behind keeps no secret.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use divisi_agents::local::offset_ms;
use divisi_core::journal::{Fault, Journal};
use divisi_core::run::{Command, Effect, Event, PauseReason, Run};
use divisi_core::worker::{EndHow, FromWorker, Job, ToWorker};
use divisi_core::{AttemptId, RunId, TaskNo, Time};

use super::homes::{HomeState, home_name};
use super::translate::working;
use super::{Engine, Input, Notice, RETRY, launch, wall_now};
use crate::world::{Directive, Stepped};

/// A journal that stays locked by somebody else for so long is given up.
const UNAVAILABLE_TRIES_MAX: u32 = 20;

/// So long a supervisor takes at most to sweep what did not end within its grace.
const SWEEP: Duration = Duration::from_secs(2);

/// Agents that were told to end while nothing could be recorded.
struct Ending {
    jobs: Vec<Job>,
    until: Instant,
}

impl<J: Journal> Engine<J> {
    /// Makes a step durable. On a full disk everything pauses with that reason until there is
    /// room; the directives wait and are then given again.
    pub(super) fn append(&mut self, directives: Vec<Directive>) -> Result<Stepped, Fault> {
        let mut tries = 0;
        if self
            .world
            .runs()
            .any(|run| run.settings.quiet_hours.is_some())
        {
            self.world.offset_ms = offset_ms(wall_now());
        }
        loop {
            let fault = match self.world.step(directives.clone(), wall_now()) {
                Ok(mut stepped) => {
                    if self.full {
                        self.full = false;
                        stepped.events.extend(self.resume_after_full()?);
                    }
                    return Ok(stepped);
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::Full(cause) => {
                    if !self.full {
                        self.full = true;
                        self.pause_for_full(&cause);
                    }
                    self.wait_for_room(&cause)?;
                }
                Fault::Unavailable(_) if tries < UNAVAILABLE_TRIES_MAX => {
                    tries += 1;
                    std::thread::sleep(RETRY);
                }
                other => return Err(other),
            }
        }
    }

    /// Waits until there is room for the reserve again, so that a next time can be recorded too.
    /// Everything else that is asked waits as well. Whoever interrupts is kept waiting only until
    /// the agents have ended; that it was so is told by their supervisor to whoever resumes.
    fn wait_for_room(&mut self, cause: &str) -> Result<(), Fault> {
        let mut ending: Option<Ending> = None;
        loop {
            self.hear(RETRY);
            while let Some(input) = self.inputs.next() {
                if matches!(input, Input::Interrupted) {
                    let how = match ending {
                        None => EndHow::Graceful,
                        Some(_) => EndHow::Force,
                    };
                    ending = Some(self.end_unrecorded(how));
                }
                self.local.push_back(input);
            }
            if self.world.journal.restore_reserve().is_ok() {
                return Ok(());
            }
            if ending.as_ref().is_some_and(|ending| self.has_come(ending)) {
                return Err(Fault::Full(cause.to_owned()));
            }
        }
    }

    /// Tells the agents of the run that this process drives to end, though nothing of it can be
    /// recorded.
    fn end_unrecorded(&mut self, how: EndHow) -> Ending {
        let run = self.driven.and_then(|run| self.world.run(run));
        let jobs: Vec<Job> = run.map(working).unwrap_or_default();
        let orders = jobs.iter().map(|&job| ToWorker::End { job, how });
        self.outbox.extend(orders);
        self.flush();
        let grace = match how {
            EndHow::Graceful => Duration::from_millis(self.shell.options.limits.grace_ms),
            EndHow::Force => Duration::ZERO,
        };
        Ending {
            jobs,
            until: Instant::now() + grace + SWEEP,
        }
    }

    /// Whether all that was told to end has ended, as far as will be known.
    fn has_come(&self, ending: &Ending) -> bool {
        let is_over = |job: &Job| {
            self.local.iter().any(|input| match input {
                Input::Word(
                    FromWorker::Ended { job: over, .. }
                    | FromWorker::NotStarted { job: over, .. }
                    | FromWorker::Unknown { job: over },
                ) => over == job,
                Input::SupervisorGone => true,
                _ => false,
            })
        };
        Instant::now() >= ending.until || ending.jobs.iter().all(is_over)
    }

    fn pause_for_full(&mut self, cause: &str) {
        self.troubles.push(Notice::Trouble(format!(
            "the disk is full ({cause}); runs pause until there is room"
        )));
        (self.observer)(&std::mem::take(&mut self.troubles), &self.world);
        // The reserve makes room for this one record; without it the pause is known only here.
        if self.world.journal.release_reserve().is_ok() {
            let pauses = self
                .world
                .runs()
                .filter(|run| run.paused.is_none())
                .map(|run| Directive::of_run(run.id, pause_for_room()))
                .collect();
            // If even this does not fit, it is tried with the next record.
            let _ = self.world.step(pauses, wall_now());
        }
    }

    fn resume_after_full(&mut self) -> Result<Vec<(RunId, Time, Event)>, Fault> {
        let waiting = self.world.runs().filter(|run| waits_for_room(run));
        let resumes = waiting.map(|run| resume(run.id)).collect();
        Ok(self.world.step(resumes, wall_now())?.events)
    }

    /// Resumes runs whose effects lacked room and have come out since, or are owed no more.
    pub(super) fn have_room(&mut self) -> Vec<Directive> {
        let world = &self.world;
        let is_owed = |effect: &Effect| {
            let run = world.run(effect.run());
            run.is_some_and(|run| run.owed().any(|owed| owed == *effect))
        };
        self.lacking_room.retain(is_owed);
        let lacking = |run: RunId| self.lacking_room.iter().any(|effect| effect.run() == run);
        let waiting = world.runs().filter(|run| waits_for_room(run));
        let attended = waiting.filter(|run| self.attended.contains(&run.id));
        let having = attended.filter(|run| !lacking(run.id));
        having.map(|run| resume(run.id)).collect()
    }

    /// What agents left beside their work must keep no secret. Other runs may still go on.
    pub(super) fn clean_up(&mut self) {
        let mut live = BTreeSet::new();
        for run in self.world.runs() {
            let attempts = run
                .live()
                .filter_map(|(no, task)| Some((no, task.live()?.number)));
            live.extend(attempts.map(|(task, number)| AttemptId {
                run: run.id,
                task,
                number,
            }));
        }
        let homes: BTreeMap<String, HomeState> = self.world.runs().flat_map(homes_of).collect();
        let folders: BTreeSet<String> = live.iter().map(|live| launch::tmp_name(*live)).collect();
        let checking = !self.reconcile.is_idle();
        let is_live =
            |name: &str| folders.contains(name) || (checking && name.starts_with("check-"));
        let is_busy = |run: RunId, task: Option<TaskNo>| {
            let mut of_run = live.iter().filter(|live| live.run == run);
            of_run.any(|live| task.is_none_or(|task| live.task == task))
        };
        let faults = self.shell.clean_up(&is_live, &is_busy, &|name| {
            homes.get(name).copied().unwrap_or(HomeState::Free)
        });
        for cause in &faults {
            self.trouble(format!("clean up after agents: {cause}"));
        }
        if !faults.is_empty() {
            (self.observer)(&std::mem::take(&mut self.troubles), &self.world);
        }
    }
}

/// The private folders of a run's tasks that somebody needs.
fn homes_of(run: &Run) -> impl Iterator<Item = (String, HomeState)> {
    run.tasks().iter().enumerate().filter_map(|(at, task)| {
        let name = |workspace: u32| home_name(run.id, TaskNo(at as u32), workspace);
        if let Some(live) = task.live() {
            return Some((name(live.workspace), HomeState::Used));
        }
        let last = task.endings.last()?;
        let is_kept = run.ended.is_none() && last.leaves_session();
        is_kept.then(|| (name(last.workspace), HomeState::Kept))
    })
}

/// What the C library says of a disk without room, and the private repository in its place.
pub(super) fn lacks_room(cause: &str) -> bool {
    const TEXTS: [&str; 3] = [
        "No space left on device",
        "Disk quota exceeded",
        "the disk is full",
    ];
    TEXTS.iter().any(|text| cause.contains(text))
}

pub(super) fn pause_for_room() -> Command {
    Command::Pause {
        reason: PauseReason::DiskFull,
        stop: false,
    }
}

fn resume(run: RunId) -> Directive {
    Directive::of_run(run, Command::Resume)
}

pub(super) fn waits_for_room(run: &Run) -> bool {
    run.paused == Some(PauseReason::DiskFull)
}
