//! Running a program and asking the kernel what it took: wall time, processor time, peak memory.
//!
//! This process is made a sub-reaper, so that a supervisor that outlives its engine is waited for
//! and its processor time counted too. Medians, not means: one stray second must not count.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// What a program and all its descendants took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From its start until it was waited for; descendants that outlive it do not count.
    pub(crate) wall: Duration,
    /// User and system time of it and of all descendants.
    pub(crate) cpu: Duration,
}

/// Descendants that outlive the program longer than this are an error, not a cost.
const STRAGGLERS_MAX: Duration = Duration::from_secs(20);

/// How often memory is looked at. A process between `vfork` and `exec` shows its parent's memory;
/// it is never seen at two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs the program to its end.
///
/// # Errors
/// If it cannot be started, does not exit with 0, or leaves descendants that do not end.
pub(crate) fn run(command: &mut Command) -> Result<Usage> {
    become_subreaper()?;
    let started = Instant::now();
    let child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let pid = i32::try_from(child.id())?;
    let (_, status, mut cpu) = wait(pid, 0)?;
    let wall = started.elapsed();
    while let Some(more) = reap_one(command)? {
        cpu += more;
    }
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
        return Ok(Usage { wall, cpu });
    }
    Err(format!("{command:?} ended with wait status {status:#x}").into())
}

/// Runs the program and also sums up the peak memory of every process whose executable is `program`
/// (engine and supervisor are one binary).
///
/// # Errors
/// As [`run`].
pub(crate) fn run_with_memory(command: &mut Command, program: &Path) -> Result<(Usage, Memory)> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(program, &ended));
        let usage = run(command);
        ended.store(true, Ordering::Relaxed);
        let memory = watcher.join().map_err(|_| "the memory watcher panicked")?;
        Ok((usage?, memory))
    })
}

/// Peak memory of a program's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// How many processes were counted.
    pub(crate) processes: usize,
    /// Sum of their peaks in KiB. Pages that they share, such as the program's code, are counted
    /// for each, and peaks need not coincide: an upper bound.
    pub(crate) peak_kib: u64,
    /// The most that they held at one time in KiB, shared pages counted once: the sum of their
    /// proportional sets.
    pub(crate) together_kib: u64,
}

/// The middle of the values, or the mean of the two middle ones; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The geometric mean; 0 of none.
pub(crate) fn geometric_mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let logarithms: f64 = values.iter().map(|value| value.ln()).sum();
    (logarithms / values.len() as f64).exp()
}

/// Two programs measured in turn.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// What the first one took, run by run.
    pub(crate) a: Vec<Usage>,
    /// What the second one took.
    pub(crate) b: Vec<Usage>,
}

impl Pairs {
    /// Runs both in turn: once uncounted, then `runs` times.
    ///
    /// # Errors
    /// The first error of a run.
    pub(crate) fn measure(
        runs: usize,
        mut a: impl FnMut() -> Result<Usage>,
        mut b: impl FnMut() -> Result<Usage>,
    ) -> Result<Pairs> {
        a()?;
        b()?;
        let mut pairs = Pairs::default();
        for _ in 0..runs {
            pairs.a.push(a()?);
            pairs.b.push(b()?);
        }
        Ok(pairs)
    }

    /// The median of the pairs' ratios of wall time.
    pub(crate) fn wall_ratio(&self) -> f64 {
        self.ratio(|usage| usage.wall)
    }

    /// The median of the pairs' ratios of processor time.
    pub(crate) fn cpu_ratio(&self) -> f64 {
        self.ratio(|usage| usage.cpu)
    }

    fn ratio(&self, of: impl Fn(&Usage) -> Duration) -> f64 {
        let ratio = |(a, b): (&Usage, &Usage)| of(a).as_secs_f64() / of(b).as_secs_f64();
        let ratios: Vec<f64> = self.a.iter().zip(&self.b).map(ratio).collect();
        median(&ratios)
    }
}

/// The median wall time in seconds.
pub(crate) fn wall_s(usages: &[Usage]) -> f64 {
    let values: Vec<f64> = usages.iter().map(|u| u.wall.as_secs_f64()).collect();
    median(&values)
}

/// The median processor time in seconds.
pub(crate) fn cpu_s(usages: &[Usage]) -> f64 {
    let values: Vec<f64> = usages.iter().map(|u| u.cpu.as_secs_f64()).collect();
    median(&values)
}

fn become_subreaper() -> Result<()> {
    // SAFETY: the call takes numbers only and changes an attribute of this process.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    if done == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error().into())
}

/// Waits for a child: its pid (0 if none has ended, with `WNOHANG`), status, and processor time.
fn wait(pid: i32, options: i32) -> io::Result<(i32, i32, Duration)> {
    let mut status = 0;
    // SAFETY: all bytes zero is a value of this struct of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live values of the types that the call writes.
        let ended = unsafe { libc::wait4(pid, &raw mut status, options, &raw mut usage) };
        if ended >= 0 {
            let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
            return Ok((ended, status, cpu));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Waits for one more descendant that became ours; `None` if there is none left.
fn reap_one(command: &Command) -> Result<Option<Duration>> {
    let deadline = Instant::now() + STRAGGLERS_MAX;
    loop {
        match wait(-1, libc::WNOHANG) {
            Ok((0, ..)) if Instant::now() > deadline => {
                return Err(format!("{command:?} left processes that do not end").into());
            }
            Ok((0, ..)) => thread::sleep(Duration::from_millis(1)),
            Ok((_, _, cpu)) => return Ok(Some(cpu)),
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

fn watch(program: &Path, ended: &AtomicBool) -> Memory {
    // By pid and start time, since pids come again: how often seen, and the peak. The last figure
    // counts: it only grows, but for a process that has yet to become another program it is its
    // parent's.
    let mut seen: HashMap<(i32, u64), (u32, u64)> = HashMap::new();
    let mut together_kib = 0;
    while !ended.load(Ordering::Relaxed) {
        let mut now_kib = 0;
        for (process, held) in processes_of(program) {
            let entry = seen.entry(process).or_default();
            entry.0 += 1;
            entry.1 = held.peak_kib;
            // Seen once, it may yet become another program, and what it holds is its parent's.
            if entry.0 >= 2 {
                now_kib += held.share_kib;
            }
        }
        together_kib = together_kib.max(now_kib);
        thread::sleep(LOOK_EVERY);
    }
    let peaks = || seen.values().filter(|(looks, _)| *looks >= 2);
    Memory {
        processes: peaks().count(),
        peak_kib: peaks().map(|(_, peak)| peak).sum(),
        together_kib,
    }
}

/// What one process holds.
struct Held {
    /// At its peak.
    peak_kib: u64,
    /// Now, of shared pages its share.
    share_kib: u64,
}

/// Processes whose executable is `program`, with their memory. One that ends meanwhile is left
/// out.
fn processes_of(program: &Path) -> Vec<((i32, u64), Held)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_entry = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path();
        if fs::read_link(folder.join("exe")).ok()? != program {
            return None;
        }
        let start = start_time(&fs::read_to_string(folder.join("stat")).ok()?)?;
        let held = Held {
            peak_kib: kib(&fs::read_to_string(folder.join("status")).ok()?, "VmHWM:")?,
            share_kib: kib(
                &fs::read_to_string(folder.join("smaps_rollup")).ok()?,
                "Pss:",
            )?,
        };
        Some(((pid, start), held))
    };
    entries.filter_map(of_entry).collect()
}

/// Field 22 of `/proc/<pid>/stat`; the name before it may hold anything but ends at the last `)`.
fn start_time(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// A figure of one of the kernel's files on a process.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
        assert!((geometric_mean(&[1.0, 4.0, 2.0]) - 2.0).abs() < 1e-9);
        assert_eq!(geometric_mean(&[]), 0.0);
    }

    #[test]
    fn ratios_are_those_of_pairs() {
        let usage = |ms| Usage {
            wall: Duration::from_millis(ms),
            cpu: Duration::from_millis(2 * ms),
        };
        // The machine slows down tenfold for the last pair; the ratio stays.
        let pairs = Pairs {
            a: vec![usage(20), usage(22), usage(200)],
            b: vec![usage(10), usage(11), usage(100)],
        };
        assert_eq!((pairs.wall_ratio(), pairs.cpu_ratio()), (2.0, 2.0));
        assert_eq!(wall_s(&pairs.a), 0.022);
    }

    #[test]
    fn both_run_in_turn_after_a_warm_up() {
        let order = std::cell::RefCell::new(String::new());
        let step = |name| {
            order.borrow_mut().push(name);
            Ok(Usage {
                wall: Duration::ZERO,
                cpu: Duration::ZERO,
            })
        };
        let pairs = Pairs::measure(2, || step('a'), || step('b')).unwrap();
        assert_eq!(order.into_inner(), "ababab");
        assert_eq!((pairs.a.len(), pairs.b.len()), (2, 2));
    }

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        assert_eq!(start_time(stat), Some(4242));
        assert_eq!(
            kib("Name:\ta\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n", "VmHWM:"),
            Some(1234)
        );
        assert_eq!(
            kib("Rss:   5 kB\nPss:    4 kB\nPss_Dirty:  3 kB\n", "Pss:"),
            Some(4)
        );
        assert_eq!(kib("Name:\ta\n", "VmHWM:"), None);
    }
}
