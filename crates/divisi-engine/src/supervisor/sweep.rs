//! Ends process trees, and proves that nothing of them is left.
//!
//! The supervisor is the sub-reaper of everything it starts: when a process ends, its children
//! become the supervisor's own. So once a job's own process is reaped, whatever is left of the
//! job is among the supervisor's children or beneath them, in whichever session it hides. If
//! there are no children but the own processes of other live jobs, nothing is left; that is the
//! ordinary case and costs one read, or none.
//!
//! An *orphan* — a child that is no job's own process — is given to its job by hard evidence
//! first: session and process group, the parentage seen earlier, the pipe it prints to. Then by
//! the mark in its environment, which an agent could have forged for its own children, but only
//! to have them ended later, with another job. One that hides all of it is given to the job that
//! just ended: a writer left behind is worse than a daemon that lost its name and is ended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use divisi_core::worker::{EndHow, Ended, FromWorker, Job, Observation};

use super::proc::{self, Stat};
use super::serve::Supervisor;

/// While TERM works, those who appear meanwhile are looked for this often.
const TERM_LOOK: Duration = Duration::from_millis(50);

/// After KILL the tree is looked at again after this, and then ever more rarely.
const KILL_LOOK: Duration = Duration::from_millis(2);

/// The rarest look after KILL.
const KILL_LOOK_MAX: Duration = Duration::from_millis(50);

/// A process that is just starting a program has no environment for a moment; one that still
/// shows none after this hides it.
pub(super) const HIDDEN_PATIENCE: Duration = Duration::from_millis(50);

/// Zombies reaped in one turn; a fork bomb must not hold up the others.
const REAPED_A_TURN: usize = 4_096;

/// To whom an orphan belongs.
enum Owner {
    Job(Job),
    /// It is dead and will be reaped.
    Nobody,
    /// It shows nothing.
    Hidden,
}

impl Supervisor {
    /// Reaps what has ended. Notes whether there are any children at all afterwards.
    pub(super) fn reap(&mut self, now: Instant) {
        self.childless = false;
        for _ in 0..REAPED_A_TURN {
            let mut status = 0;
            let options = libc::WNOHANG | libc::__WALL;
            // SAFETY: the status is a live number that the function writes.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, options) };
            match pid {
                0 => return,
                pid if pid > 0 => self.on_reaped(pid, status, now),
                _ => {
                    let error = std::io::Error::last_os_error();
                    if error.raw_os_error() == Some(libc::EINTR) {
                        continue;
                    }
                    self.childless = error.raw_os_error() == Some(libc::ECHILD);
                    return;
                }
            }
        }
    }

    fn on_reaped(&mut self, pid: i32, status: i32, now: Instant) {
        let Some(job) = self.roots.remove(&pid) else {
            self.orphans.remove(&pid);
            self.unsure.remove(&pid);
            return;
        };
        if let Some(live) = self.live.get_mut(&job) {
            let exit = if libc::WIFSIGNALED(status) {
                divisi_core::receipt::Exit::Signal(libc::WTERMSIG(status))
            } else {
                divisi_core::receipt::Exit::Status(libc::WEXITSTATUS(status))
            };
            live.exited = Some((exit, millis(now - live.started)));
            live.input = None;
            live.asking = None;
        }
    }

    /// Reports the jobs of which nothing is left, and goes on ending the others that are to end.
    pub(super) fn sweep(&mut self, now: Instant) {
        let due = |live: &super::job::Live| {
            live.exited.is_some() || live.ending.as_ref().is_some_and(|e| now >= e.act_at)
        };
        let concerned: Vec<Job> = self
            .live
            .values()
            .filter(|l| due(l))
            .map(|l| l.job)
            .collect();
        if concerned.is_empty() {
            return;
        }
        let exited = |job: &&Job| self.live.get(job).is_some_and(|live| live.exited.is_some());
        let just_ended = concerned.iter().find(exited).copied();
        let orphans = self.find_orphans(just_ended, now);
        for job in concerned {
            let tops = orphans.tops_of(job);
            let Some(live) = self.live.get(&job) else {
                continue;
            };
            let over = live.exited.is_some();
            if over && tops.is_empty() {
                // One among our children may be this job's; that shows in a moment.
                if !orphans.unclear {
                    self.finish(job, true);
                }
                continue;
            }
            if live
                .ending
                .as_ref()
                .is_none_or(|ending| now >= ending.act_at)
            {
                self.end_tree(job, &tops, now);
            }
        }
    }

    /// The children that are no job's own process, each with its job.
    fn find_orphans(&mut self, just_ended: Option<Job>, now: Instant) -> Orphans {
        let mut found = Orphans::default();
        if self.childless {
            return found;
        }
        for pid in proc::own_children() {
            if self.roots.contains_key(&pid) {
                continue;
            }
            if let Some(job) = self.orphans.get(&pid) {
                found.tops.push((pid, *job));
                continue;
            }
            let job = match self.owner(pid) {
                Owner::Job(job) => job,
                Owner::Nobody => {
                    found.unclear = true;
                    continue;
                }
                Owner::Hidden => {
                    let Some(job) = just_ended else { continue };
                    let since = *self.unsure.entry(pid).or_insert(now);
                    if now < since + HIDDEN_PATIENCE {
                        found.unclear = true;
                        continue;
                    }
                    job
                }
            };
            self.unsure.remove(&pid);
            self.orphans.insert(pid, job);
            found.tops.push((pid, job));
        }
        found
    }

    fn owner(&self, pid: i32) -> Owner {
        let Some(stat) = proc::stat(pid).filter(|stat| !stat.zombie) else {
            return Owner::Nobody;
        };
        let mut live = self.live.values();
        if let Some(live) = live.find(|live| live.pid == stat.session || live.pid == stat.group) {
            return Owner::Job(live.job);
        }
        if let Some((start_time, job)) = self.seen.get(&pid)
            && *start_time == stat.start_time
            && self.live.contains_key(job)
        {
            return Owner::Job(*job);
        }
        let prints_to_pipe_of = |live: &&super::job::Live| {
            live.pipe_inode()
                .is_some_and(|inode| proc::writes_to(pid, inode))
        };
        if let Some(live) = self.live.values().find(prints_to_pipe_of) {
            return Owner::Job(live.job);
        }
        let marks = proc::marks(pid);
        match marks.job {
            Some(job) if marks.dir.as_ref() == Some(&self.mark) && self.live.contains_key(&job) => {
                Owner::Job(job)
            }
            _ => Owner::Hidden,
        }
    }

    /// One look at a job that is to end: TERM to those who did not get it, or KILL to all.
    fn end_tree(&mut self, job: Job, tops: &[i32], now: Instant) {
        let Some(live) = self.live.get_mut(&job) else {
            return;
        };
        live.begin_ending(EndHow::Graceful, now);
        let mut left: BTreeMap<i32, Stat> = BTreeMap::new();
        let own = live.exited.is_none().then_some(live.pid);
        let direct: Vec<i32> = own.into_iter().chain(tops.iter().copied()).collect();
        for pid in &direct {
            left.extend(proc::tree(*pid));
        }
        if live.exited.is_some() {
            live.swept.extend(left.keys());
        }
        let Some(ending) = live.ending.as_mut() else {
            return;
        };
        let signal = if now < ending.kill_at {
            left.retain(|pid, _| ending.termed.insert(*pid));
            ending.act_at = ending.kill_at.min(now + TERM_LOOK);
            libc::SIGTERM
        } else {
            ending.act_at = now + (KILL_LOOK * (1 << ending.kills.min(5))).min(KILL_LOOK_MAX);
            ending.kills = ending.kills.saturating_add(1);
            // A group is signaled at one stroke, so that its members cannot fork on meanwhile.
            for pid in &direct {
                if let Some(stat) = left.get(pid).filter(|stat| stat.group > 1) {
                    proc::signal_group(stat.group, libc::SIGKILL);
                }
            }
            libc::SIGKILL
        };
        for (pid, stat) in &left {
            signal_one(*pid, stat, &direct, signal);
            if signal == libc::SIGTERM {
                // A stopped process takes no notice of TERM until it goes on.
                signal_one(*pid, stat, &direct, libc::SIGCONT);
            }
        }
        let given_up = now >= ending.give_up_at && live.exited.is_some();
        if given_up {
            self.finish(job, false);
        }
    }

    /// The job is over: notes its result and reports it.
    fn finish(&mut self, job: Job, empty: bool) {
        let Some(mut live) = self.live.remove(&job) else {
            return;
        };
        let Some((exit, wall_ms)) = live.exited.take() else {
            self.live.insert(job, live);
            return;
        };
        if !live.settled {
            self.say(&FromWorker::Started {
                job,
                pid: live.pid.cast_unsigned(),
                confined: live.confined,
            });
        }
        let ended = Ended {
            exit,
            wall_ms,
            swept: u32::try_from(live.swept.len()).unwrap_or(u32::MAX),
            empty,
            told: live.told,
            command: std::mem::take(&mut live.command),
            confined: Some(live.confined),
            usage: None,
            denied: Vec::new(),
            output: live.finish_output(&mut self.buffers),
        };
        self.notes.ended(job, &ended);
        self.must_note = true;
        let word = FromWorker::Ended {
            job,
            ended: ended.clone(),
        };
        self.say(&word);
        self.ended.insert(job, ended);
    }

    /// Looks at every live job, and remembers whose child is whose: an orphan may hide it later.
    pub(super) fn observe(&mut self, now: Instant) -> Vec<(Job, Observation)> {
        self.childless = false;
        let orphans = self.find_orphans(None, now);
        let ticks_per_s = proc::ticks_per_s();
        self.seen.clear();
        let mut observations = Vec::with_capacity(self.live.len());
        for live in self.live.values() {
            let alive = live.exited.is_none();
            let mut processes: BTreeMap<i32, Stat> = BTreeMap::new();
            for pid in alive
                .then_some(live.pid)
                .into_iter()
                .chain(orphans.tops_of(live.job))
            {
                processes.extend(proc::tree(pid));
            }
            let ticks: u64 = processes.values().map(|stat| stat.cpu_ticks).sum();
            observations.push((
                live.job,
                Observation {
                    alive,
                    processes: u32::try_from(processes.len()).unwrap_or(u32::MAX),
                    cpu_ms: ticks.saturating_mul(1_000) / ticks_per_s,
                    output_bytes: live.output_bytes(),
                    age_ms: millis(now - live.started),
                    asleep: !processes.is_empty() && processes.keys().all(|pid| proc::sleeps(*pid)),
                },
            ));
            let seen = processes
                .iter()
                .map(|(pid, stat)| (*pid, (stat.start_time, live.job)));
            self.seen.extend(seen);
        }
        observations
    }
}

/// An unreaped child's id is its own; anyone else's is verified first.
fn signal_one(pid: i32, stat: &Stat, direct: &[i32], signal: i32) {
    if direct.contains(&pid) {
        proc::signal_child(pid, signal);
    } else {
        // Gone already is as good as signaled.
        let _ = proc::signal_verified(pid, stat.start_time, signal);
    }
}

/// Children that are no job's own process.
#[derive(Default)]
struct Orphans {
    tops: Vec<(i32, Job)>,
    /// There was one that is dead and not yet reaped, or has not yet shown whose it is.
    unclear: bool,
}

impl Orphans {
    fn tops_of(&self, job: Job) -> Vec<i32> {
        let of = self.tops.iter().filter(|(_, owner)| *owner == job);
        of.map(|(pid, _)| *pid).collect()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
