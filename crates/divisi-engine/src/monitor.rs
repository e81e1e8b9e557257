//! Watches live attempts (T6): alive, heard of, getting on, within their time box.
//!
//! All of it is observation on a monotonic clock and lives only in memory; only findings become
//! commands. Nothing healthy is ended on one missed signal: a suspicion is followed by a second
//! look after a delay, and only then by a finding. When many attempts are suspected at once, the
//! watcher itself is the likelier culprit, and nothing is ended (the breaker), except a session that
//! was seen to wait for its model: all of its processes sleep, as on no machine that is too busy. After a start, a
//! sleep of the machine or a jump of a clock every attempt gets a fresh grace.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::ids::AttemptId;
use divisi_core::run::Finding;
use divisi_core::worker::Observation;

/// How patient the watcher is with an attempt, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often it is looked at.
    pub look_ms: u64,
    /// Without any sign of life for so long it is suspected.
    pub heartbeat_ms: u64,
    /// Without progress for so long it is suspected.
    pub progress_ms: u64,
    /// From a suspicion to the second look.
    pub second_look_ms: u64,
    /// Its time box.
    pub timeout_ms: u64,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            look_ms: 120_000,
            heartbeat_ms: 180_000,
            progress_ms: 20 * 60_000,
            second_look_ms: 30_000,
            timeout_ms: 30 * 60_000,
        }
    }
}

/// So many suspicions at once mean that the watcher is the problem.
pub const BREAKER_SUSPICIONS: usize = 5;

/// Of the time between two looks, so many hundredths of CPU time are progress. A process that idles in
/// a poll loop uses less; a compiler that prints nothing uses far more.
const PROGRESS_CPU_PERCENT: u64 = 5;

/// What a session with a model tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// How much its model said and did so far.
    pub entries: u64,
    /// Whether something that it called for is under way.
    pub calling: bool,
}

#[derive(Clone, Debug)]
struct Watched {
    patience: Patience,
    seen_at: u64,
    progress_at: u64,
    last: Observation,
    looked_at: u64,
    stream: Option<Stream>,
    files: u64,
    /// Age that the attempt already had when it was first seen on this clock.
    started_at: u64,
    suspected: Option<(u64, Suspicion)>,
    /// Since when each look found all of its processes asleep.
    asleep_since: Option<u64>,
    /// It was found past its time box.
    overdue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suspicion {
    Silent,
    Idle,
}

/// The watcher. Times are milliseconds on a monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    watched: BTreeMap<AttemptId, Watched>,
}

impl Monitor {
    /// Begins to watch an attempt, or keeps watching it.
    pub fn watch(&mut self, attempt: AttemptId, patience: Patience, now: u64) {
        self.watched.entry(attempt).or_insert(Watched {
            patience,
            seen_at: now,
            progress_at: now,
            last: Observation::default(),
            looked_at: now,
            stream: None,
            files: 0,
            started_at: now,
            suspected: None,
            asleep_since: None,
            overdue: false,
        });
    }

    /// Watches only these any longer.
    pub fn retain(&mut self, live: impl Fn(AttemptId) -> bool) {
        self.watched.retain(|attempt, _| live(*attempt));
    }

    /// Whether anything is watched.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.watched.is_empty()
    }

    /// How long until the next look is due, at the most.
    #[must_use]
    pub fn look_in_ms(&self) -> Option<u64> {
        let soonest = |watched: &Watched| match watched.suspected {
            Some(_) => watched
                .patience
                .second_look_ms
                .min(watched.patience.look_ms),
            None => watched.patience.look_ms,
        };
        self.watched
            .values()
            .map(|w| soonest(w).min(w.patience.timeout_ms / 4).max(10))
            .min()
    }

    /// How long until the first time box is over that was not found so yet. A look is due then,
    /// however long ago the last one was: what was reserved is not to be overrun.
    #[must_use]
    pub fn overdue_in_ms(&self, now: u64) -> Option<u64> {
        let open = self.watched.values().filter(|watched| !watched.overdue);
        open.map(|watched| watched.overdue_at().saturating_sub(now))
            .min()
    }

    /// Takes in what the supervisor sees of an attempt; `files` is any number that changes when
    /// files of its workspace do. Where there is a `stream`, that is its progress: what a tool prints
    /// and does while its model says nothing may be a clock that ticks. While something runs that the
    /// model called for, that counts as it does for any program.
    pub fn observe(
        &mut self,
        attempt: AttemptId,
        seen: &Observation,
        files: u64,
        stream: Option<Stream>,
        now: u64,
    ) {
        let Some(watched) = self.watched.get_mut(&attempt) else {
            return;
        };
        if !seen.alive {
            return;
        }
        watched.seen_at = now;
        watched.started_at = watched.started_at.min(now.saturating_sub(seen.age_ms));
        let last = &watched.last;
        let cpu_ms = seen.cpu_ms.saturating_sub(last.cpu_ms);
        let passed_ms = now.saturating_sub(watched.looked_at).max(1);
        let works = seen.processes != last.processes
            || cpu_ms.saturating_mul(100) >= passed_ms.saturating_mul(PROGRESS_CPU_PERCENT)
            || files != watched.files;
        let progressed = match stream {
            None => works || seen.output_bytes != last.output_bytes,
            Some(stream) => {
                let before = watched.stream.map(|before| before.entries);
                before != Some(stream.entries) || (stream.calling && works)
            }
        };
        if progressed {
            watched.progress_at = now;
        }
        watched.asleep_since = match seen.asleep {
            true => watched.asleep_since.or(Some(now)),
            false => None,
        };
        watched.last = seen.clone();
        watched.looked_at = now;
        watched.stream = stream;
        watched.files = files;
    }

    /// It waits for somebody else: that it does not get on says nothing.
    pub fn excuse(&mut self, attempt: AttemptId, now: u64) {
        if let Some(watched) = self.watched.get_mut(&attempt) {
            watched.progress_at = now;
        }
    }

    /// Everything gets a fresh grace: after a sleep, or a jump of a clock. The next look clears what
    /// was suspected.
    pub fn fresh_grace(&mut self, now: u64) {
        for watched in self.watched.values_mut() {
            watched.seen_at = now;
            watched.progress_at = now;
        }
    }

    /// A look at everything: what is found, oldest attempts first.
    pub fn look(&mut self, now: u64) -> Vec<(AttemptId, Finding)> {
        let mut findings = Vec::new();
        for (attempt, watched) in &mut self.watched {
            if let Some(finding) = watched.suspect(now) {
                findings.push((*attempt, finding));
            }
        }
        let in_doubt: BTreeSet<AttemptId> = { self.watched.iter() }
            .filter(|(_, watched)| watched.suspected.is_some() && !watched.waits_for_model(now))
            .map(|(attempt, _)| *attempt)
            .collect();
        let breaker = in_doubt.len() >= BREAKER_SUSPICIONS;
        if breaker {
            // Whoever reads of the suspicion reads why nothing follows from it.
            for (attempt, finding) in &mut findings {
                if let Finding::Suspected(evidence) = finding
                    && in_doubt.contains(attempt)
                {
                    *evidence = format!(
                        "{evidence}; {} attempts are suspected at once, so the watcher is in doubt \
                         and none is ended before its time box",
                        in_doubt.len()
                    );
                }
            }
        }
        for (attempt, watched) in &mut self.watched {
            if now >= watched.overdue_at() {
                watched.overdue = true;
                findings.push((*attempt, Finding::Overdue));
            } else if let Some(finding) = watched.second_look(now)
                && !(breaker && in_doubt.contains(attempt))
            {
                findings.push((*attempt, finding));
            }
        }
        findings
    }
}

impl Watched {
    /// The first moment past its time box.
    fn overdue_at(&self) -> u64 {
        self.started_at
            .saturating_add(self.patience.timeout_ms)
            .saturating_add(1)
    }

    /// Updates the suspicion; a finding if it arose or went.
    fn suspect(&mut self, now: u64) -> Option<Finding> {
        let silent = now.saturating_sub(self.seen_at) > self.patience.heartbeat_ms;
        let idle = now.saturating_sub(self.progress_at) > self.patience.progress_ms;
        let suspicion = match (silent, idle) {
            (true, _) => Some(Suspicion::Silent),
            (false, true) => Some(Suspicion::Idle),
            (false, false) => None,
        };
        match (self.suspected, suspicion) {
            (None, Some(suspicion)) => {
                self.suspected = Some((now, suspicion));
                Some(Finding::Suspected(self.evidence(suspicion, now)))
            }
            (Some(_), None) => {
                self.suspected = None;
                Some(Finding::Cleared)
            }
            (Some((since, before)), Some(suspicion)) if before != suspicion => {
                self.suspected = Some((since, suspicion));
                None
            }
            _ => None,
        }
    }

    /// Whether it was seen to wait for its model alone since it was suspected, or for as long as a
    /// second look takes: that is no trouble of the watcher's, however many do.
    fn waits_for_model(&self, now: u64) -> bool {
        let between_calls = matches!(self.stream, Some(Stream { calling: false, .. }));
        let sleeps = |since: u64| {
            let long = |asleep| now.saturating_sub(asleep) >= self.patience.second_look_ms;
            self.asleep_since
                .is_some_and(|asleep| asleep <= since || long(asleep))
        };
        match self.suspected {
            Some((since, Suspicion::Idle)) => between_calls && sleeps(since),
            _ => false,
        }
    }

    fn second_look(&self, now: u64) -> Option<Finding> {
        let (since, suspicion) = self.suspected?;
        if now.saturating_sub(since) < self.patience.second_look_ms {
            return None;
        }
        let evidence = self.evidence(suspicion, now);
        Some(match suspicion {
            Suspicion::Silent => Finding::Lost(evidence),
            Suspicion::Idle => Finding::Stalled(evidence),
        })
    }

    fn evidence(&self, suspicion: Suspicion, now: u64) -> String {
        match suspicion {
            Suspicion::Silent => {
                format!(
                    "no sign of life for {} s",
                    now.saturating_sub(self.seen_at) / 1000
                )
            }
            Suspicion::Idle => format!(
                "no {} for {} s ({} bytes printed, {} processes{})",
                match self.stream {
                    Some(Stream { calling: false, .. }) => "word of its model",
                    _ => "output, file, process or CPU time",
                },
                now.saturating_sub(self.progress_at) / 1000,
                self.last.output_bytes,
                self.last.processes,
                match self.last.asleep {
                    true => ", all asleep",
                    false => "",
                },
            ),
        }
    }
}

/// Notices sleep and jumps by comparing clocks that pass over them differently.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockWatch {
    last: Option<Clocks>,
}

/// Three clocks at one moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Stands still while the machine sleeps (`CLOCK_MONOTONIC`).
    pub monotonic: u64,
    /// Goes on while the machine sleeps (`CLOCK_BOOTTIME`).
    pub boot: u64,
    /// Can be set (`CLOCK_REALTIME`).
    pub wall: u64,
}

/// Clocks that differ by more than this since the last look did not do so by drift.
const JUMP_MS: u64 = 5_000;

impl ClockWatch {
    /// Whether a sleep or a jump lies between the last look and this one.
    pub fn look(&mut self, now: Clocks) -> bool {
        let Some(last) = self.last.replace(now) else {
            return false;
        };
        let monotonic = now.monotonic.saturating_sub(last.monotonic);
        let differs = |before: u64, after: u64| match after.checked_sub(before) {
            Some(passed) => passed.abs_diff(monotonic) > JUMP_MS,
            None => true,
        };
        differs(last.boot, now.boot) || differs(last.wall, now.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::{RunId, TaskNo};

    fn attempt(task: u32) -> AttemptId {
        AttemptId {
            run: RunId(1),
            task: TaskNo(task),
            number: 1,
        }
    }

    fn patience() -> Patience {
        Patience {
            look_ms: 10,
            heartbeat_ms: 100,
            progress_ms: 1_000,
            second_look_ms: 50,
            timeout_ms: 100_000,
        }
    }

    fn alive(output_bytes: u64) -> Observation {
        Observation {
            alive: true,
            processes: 1,
            cpu_ms: 0,
            output_bytes,
            age_ms: 0,
            asleep: false,
        }
    }

    #[test]
    fn a_missed_heartbeat_is_suspected_then_looked_at_again_then_lost() {
        let mut monitor = Monitor::default();
        monitor.watch(attempt(1), patience(), 0);
        assert_eq!(monitor.look(100), []);
        let suspected = Finding::Suspected("no sign of life for 0 s".into());
        assert_eq!(monitor.look(101), [(attempt(1), suspected)]);
        assert_eq!(monitor.look(140), []);
        assert!(matches!(monitor.look(151)[..], [(_, Finding::Lost(_))]));
    }

    #[test]
    fn a_sign_of_life_clears_the_suspicion() {
        let mut monitor = Monitor::default();
        monitor.watch(attempt(1), patience(), 0);
        assert_eq!(monitor.look(150).len(), 1);
        monitor.observe(attempt(1), &alive(0), 0, None, 160);
        assert_eq!(monitor.look(161), [(attempt(1), Finding::Cleared)]);
    }

    #[test]
    fn an_idle_agent_stalls_though_it_lives() {
        let mut monitor = Monitor::default();
        monitor.watch(attempt(1), patience(), 0);
        for now in (0..=1_000).step_by(50) {
            monitor.observe(attempt(1), &alive(7), 0, None, now);
            assert_eq!(monitor.look(now), []);
        }
        monitor.observe(attempt(1), &alive(7), 0, None, 1_050);
        assert!(matches!(
            monitor.look(1_050)[..],
            [(_, Finding::Suspected(_))]
        ));
        monitor.observe(attempt(1), &alive(7), 0, None, 1_100);
        assert!(matches!(
            monitor.look(1_100)[..],
            [(_, Finding::Stalled(_))]
        ));
    }

    #[test]
    fn files_output_processes_and_cpu_time_are_progress() {
        let base = alive(0);
        let changes = [
            (
                Observation {
                    output_bytes: 1,
                    ..base.clone()
                },
                0,
            ),
            (
                Observation {
                    processes: 2,
                    ..base.clone()
                },
                0,
            ),
            (
                Observation {
                    cpu_ms: 50,
                    ..base.clone()
                },
                0,
            ),
            (base.clone(), 1),
        ];
        for (seen, files) in changes {
            let mut monitor = Monitor::default();
            monitor.watch(attempt(1), patience(), 0);
            monitor.observe(attempt(1), &base, 0, None, 0);
            monitor.observe(attempt(1), &seen, files, None, 900);
            monitor.observe(attempt(1), &seen, files, None, 1_500);
            assert_eq!(monitor.look(1_500), [], "{seen:?} {files}");
        }
    }

    #[test]
    fn of_a_session_only_what_its_model_says_and_what_its_calls_do_is_progress() {
        let ticks = |at: u64| Observation {
            output_bytes: at,
            processes: 1 + (at / 100 % 2) as u32,
            cpu_ms: at,
            ..alive(0)
        };
        let stream = |entries, calling| Some(Stream { entries, calling });
        let idle_after = |stream: &dyn Fn(u64) -> Option<Stream>| {
            let mut monitor = Monitor::default();
            monitor.watch(attempt(1), patience(), 0);
            for now in (0..=5_000).step_by(50) {
                monitor.observe(attempt(1), &ticks(now), now, stream(now), now);
                if !monitor.look(now).is_empty() {
                    return Some(now);
                }
            }
            None
        };
        assert_eq!(idle_after(&|_| None), None, "of a program, all is progress");
        // It said something at the start, and once more.
        assert_eq!(idle_after(&|_| stream(1, false)), Some(1_050));
        assert_eq!(idle_after(&|now| stream(now / 900, false)), None);
        assert_eq!(idle_after(&|_| stream(1, true)), None, "a call is at work");
        let mut monitor = Monitor::default();
        monitor.watch(attempt(1), patience(), 0);
        for now in [0, 1_050] {
            monitor.observe(attempt(1), &alive(7), 0, stream(1, true), now);
        }
        assert!(
            matches!(&monitor.look(1_050)[..], [(_, Finding::Suspected(evidence))]
                if evidence.starts_with("no output, file, process")),
            "a call that does nothing is none"
        );
    }

    #[test]
    fn a_process_that_only_idles_does_not_get_on_however_long_it_idles() {
        let mut monitor = Monitor::default();
        monitor.watch(attempt(1), patience(), 0);
        for now in (0..=1_050).step_by(50) {
            let seen = Observation {
                cpu_ms: now / 50,
                ..alive(7)
            };
            monitor.observe(attempt(1), &seen, 0, None, now);
        }
        assert_eq!(monitor.look(1_050).len(), 1);
    }

    #[test]
    fn the_breaker_stops_the_kills_but_not_the_time_box() {
        let mut monitor = Monitor::default();
        for task in 0..5 {
            monitor.watch(attempt(task), patience(), 0);
        }
        let suspected = monitor.look(200);
        assert_eq!(suspected.len(), 5);
        for (_, finding) in suspected {
            assert!(
                matches!(&finding, Finding::Suspected(evidence)
                    if evidence.contains("5 attempts are suspected at once")),
                "the breaker is told of: {finding:?}"
            );
        }
        assert_eq!(monitor.look(1_000), []);
        assert!(
            monitor
                .look(100_001)
                .iter()
                .all(|(_, finding)| *finding == Finding::Overdue)
        );
        monitor.observe(attempt(0), &alive(0), 0, None, 100_100);
        let findings = monitor.look(100_101);
        assert!(findings.contains(&(attempt(0), Finding::Cleared)));
    }

    #[test]
    fn sessions_that_are_seen_to_wait_for_their_models_are_ended_however_many_they_are() {
        let asleep = Observation {
            asleep: true,
            ..alive(7)
        };
        let stalls = |many: u32, seen: &dyn Fn(u32, u64) -> Observation, stream| {
            let mut monitor = Monitor::default();
            let mut stalled = BTreeSet::new();
            for task in 0..many {
                monitor.watch(attempt(task), patience(), 0);
            }
            for now in (0..=1_300).step_by(50) {
                for task in 0..many {
                    monitor.observe(attempt(task), &seen(task, now), 0, stream, now);
                }
                for (attempt, finding) in monitor.look(now) {
                    if let Finding::Stalled(evidence) = finding {
                        assert!(evidence.starts_with("no "), "{evidence}");
                        stalled.insert(attempt.task.0);
                    }
                }
            }
            stalled.len()
        };
        let waiting = Some(Stream {
            entries: 1,
            calling: false,
        });
        let calling = Some(Stream {
            entries: 1,
            calling: true,
        });
        let all = |_, _| asleep.clone();
        assert_eq!(stalls(8, &all, waiting), 8);
        // Of these the watcher cannot know what they wait for.
        assert_eq!(stalls(8, &all, calling), 0);
        assert_eq!(stalls(8, &all, None), 0);
        // What is ready to run and gets no processor shows that the machine is too busy.
        let busy = |_, _| alive(7);
        assert_eq!(stalls(8, &busy, waiting), 0);
        let wakes = |_, now| match now % 100 {
            0 => alive(7),
            _ => asleep.clone(),
        };
        assert_eq!(stalls(8, &wakes, waiting), 0, "at each look");
        // Those that are in doubt are counted alone.
        let some = |task, _| match task {
            0..4 => alive(7),
            _ => asleep.clone(),
        };
        assert_eq!(stalls(8, &some, waiting), 8);
        let more = |task, _| match task {
            0..5 => alive(7),
            _ => asleep.clone(),
        };
        assert_eq!(stalls(8, &more, waiting), 3);
    }

    #[test]
    fn a_look_is_due_when_a_time_box_is_over_and_once_for_each() {
        let mut monitor = Monitor::default();
        assert_eq!(monitor.overdue_in_ms(0), None);
        let boxed = |timeout_ms| Patience {
            look_ms: 120_000,
            timeout_ms,
            ..patience()
        };
        monitor.watch(attempt(1), boxed(5_000), 10_000);
        monitor.watch(attempt(2), boxed(9_000), 10_000);
        // It had been at work for a second when this clock saw it first.
        let seen = Observation {
            age_ms: 1_100,
            ..alive(0)
        };
        monitor.observe(attempt(1), &seen, 0, None, 10_100);
        monitor.observe(attempt(2), &alive(0), 0, None, 10_100);
        assert_eq!(monitor.overdue_in_ms(10_100), Some(3_901));
        let overdue = |monitor: &mut Monitor, now| -> Vec<AttemptId> {
            let found = monitor.look(now).into_iter();
            found
                .filter(|(_, finding)| *finding == Finding::Overdue)
                .map(|(attempt, _)| attempt)
                .collect()
        };
        assert_eq!(overdue(&mut monitor, 14_000), []);
        assert_eq!(overdue(&mut monitor, 14_001), [attempt(1)]);
        // While it is being ended, the other one's is the next.
        assert_eq!(monitor.overdue_in_ms(14_001), Some(5_000));
        assert_eq!(overdue(&mut monitor, 19_001), [attempt(1), attempt(2)]);
        assert_eq!(monitor.overdue_in_ms(19_001), None);
    }

    #[test]
    fn a_fresh_grace_takes_back_every_suspicion() {
        let mut monitor = Monitor::default();
        for task in 0..5 {
            monitor.watch(attempt(task), patience(), 0);
        }
        assert_eq!(monitor.look(150).len(), 5);
        monitor.fresh_grace(10_000);
        let cleared: Vec<(AttemptId, Finding)> = (0..5)
            .map(|task| (attempt(task), Finding::Cleared))
            .collect();
        assert_eq!(monitor.look(10_050), cleared);
        assert_eq!(monitor.look(10_100), []);
        assert_eq!(monitor.look(10_101).len(), 5, "and begins anew");
    }

    #[test]
    fn sleep_and_jumps_are_noticed_and_drift_is_not() {
        let at = |monotonic, boot, wall| Clocks {
            monotonic,
            boot,
            wall,
        };
        let mut watch = ClockWatch::default();
        assert!(!watch.look(at(0, 0, 1_000_000)));
        assert!(!watch.look(at(1_000, 1_001, 1_000_990)));
        assert!(watch.look(at(2_000, 60_000, 1_060_000)), "sleep");
        assert!(watch.look(at(3_000, 61_000, 9_000_000)), "forward jump");
        assert!(watch.look(at(4_000, 62_000, 1_000)), "backward jump");
        assert!(!watch.look(at(5_000, 63_000, 2_000)));
    }
}
