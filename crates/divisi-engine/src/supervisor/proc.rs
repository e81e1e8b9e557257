//! What the kernel says about processes, read from `/proc`, and signals to verified ones.
//!
//! A process id alone is a number that may have been given anew. So a process is only signaled
//! if it is an unreaped child of ours (its id cannot be given anew), or through a pidfd whose
//! process was found to have the expected start time after the pidfd was opened.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use divisi_core::worker::Job;

/// Names the job in the environment of its processes.
pub(super) const JOB_MARK: &str = "DIVISI_JOB";
/// Names the folder in the environment of its agents' processes.
pub(super) const DIR_MARK: &str = "DIVISI_DIR";

/// An environment may be megabytes long; the marks are looked for in so much of it.
const ENVIRON_BYTES_MAX: u64 = 1 << 20;

/// No tree is walked beyond so many processes: the kernel's default `pid_max`.
const TREE_MAX: usize = 32_768;

/// What is read from `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Nothing of it runs any more. A first thread that ended while others run is none.
    pub(super) zombie: bool,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// User and system time in clock ticks.
    pub(super) cpu_ticks: u64,
    /// In clock ticks since boot.
    pub(super) start_time: u64,
}

/// Looks at one process; `None` if it is gone.
pub(super) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in parentheses is the process's own choice and may hold parentheses and spaces, so
/// the fields are counted from the last closing one.
fn fields(text: &[u8]) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    let name_end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(name_end + 1..)?).ok()?;
    Some(rest.split_ascii_whitespace())
}

/// In one letter, whether a process or thread runs, sleeps, or what else it does.
fn state(text: &[u8]) -> Option<&str> {
    fields(text)?.next()
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    let mut fields = fields(text)?;
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let user: u64 = fields.nth(7)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let threads: u32 = fields.nth(4)?.parse().ok()?;
    let start_time = fields.nth(1)?.parse().ok()?;
    Some(Stat {
        zombie: matches!(state, "Z" | "X") && threads <= 1,
        parent,
        group,
        session,
        cpu_ticks: user.saturating_add(system),
        start_time,
    })
}

/// The children of this process that its first thread holds, where orphans arrive.
///
/// The list is exact: only this thread removes from it, by reaping.
pub(super) fn own_children() -> Vec<i32> {
    let pid = std::process::id();
    read_pids(&format!("/proc/self/task/{pid}/children"))
}

/// The children of a process, whichever of its threads made them.
fn children(pid: i32) -> Vec<i32> {
    let lists = threads(pid).into_iter();
    lists
        .flat_map(|thread| read_pids(&format!("{thread}/children")))
        .collect()
}

/// Whether a process waits for something that happens elsewhere: all of its threads sleep, and none
/// runs, is ready to run, or waits for a disk. One that is gone does not.
pub(super) fn sleeps(pid: i32) -> bool {
    let threads = threads(pid);
    let sleeps = |thread: &String| {
        let stat = fs::read(format!("{thread}/stat"));
        stat.is_ok_and(|stat| state(&stat) == Some("S"))
    };
    !threads.is_empty() && threads.iter().all(sleeps)
}

/// The folders of a process's threads.
fn threads(pid: i32) -> Vec<String> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let thread = |entry: fs::DirEntry| Some(format!("{folder}/{}", entry.file_name().to_str()?));
    entries.filter_map(thread).collect()
}

fn read_pids(path: &str) -> Vec<i32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// The processes beneath and including `root` that live, with what was read about each.
pub(super) fn tree(root: i32) -> BTreeMap<i32, Stat> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![root];
    while let Some(pid) = ahead.pop() {
        if found.len() >= TREE_MAX || found.contains_key(&pid) {
            continue;
        }
        let Some(stat) = stat(pid) else { continue };
        // A zombie may still have threads with children, so it is looked beneath.
        ahead.extend(children(pid));
        found.insert(pid, stat);
    }
    found.retain(|_, stat| !stat.zombie);
    found
}

/// All process ids there are.
pub(super) fn all_pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.flatten().filter_map(pid).collect()
}

/// The marks in a process's environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) dir: Option<String>,
    pub(super) job: Option<Job>,
}

/// Reads the marks of a process; none if it is gone or may not be read.
pub(super) fn marks(pid: i32) -> Marks {
    let mut environ = Vec::new();
    if let Ok(file) = fs::File::open(format!("/proc/{pid}/environ")) {
        // What could be read before a failure is still evidence.
        let _ = file.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ);
    }
    let value = |name: &str| {
        environ.split(|byte| *byte == 0).find_map(|entry| {
            let rest = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            std::str::from_utf8(rest).ok()
        })
    };
    Marks {
        dir: value(DIR_MARK).map(str::to_owned),
        job: value(JOB_MARK).and_then(Job::parse),
    }
}

/// Whether standard output or error of a process is the pipe with this inode.
pub(super) fn writes_to(pid: i32, pipe_inode: u64) -> bool {
    let pipe = format!("pipe:[{pipe_inode}]");
    [1, 2].iter().any(|fd| {
        fs::read_link(format!("/proc/{pid}/fd/{fd}"))
            .is_ok_and(|to| to.as_os_str() == pipe.as_str())
    })
}

/// Whether `pid` is this process or lies beneath it.
pub(super) fn is_beneath_us(pid: i32) -> bool {
    let own = std::process::id();
    let mut at = pid;
    // The chain of parents is as long as the tree is deep; the bound is the tree's.
    for _ in 0..TREE_MAX {
        if at == own.cast_signed() {
            return true;
        }
        match stat(at) {
            Some(stat) if stat.parent > 0 => at = stat.parent,
            _ => return false,
        }
    }
    true
}

/// The ids of this process and those above it.
pub(super) fn own_line() -> Vec<i32> {
    let mut line = vec![std::process::id().cast_signed()];
    while let Some(stat) = line.last().and_then(|pid| stat(*pid)) {
        if stat.parent <= 0 || line.len() >= TREE_MAX {
            break;
        }
        line.push(stat.parent);
    }
    line
}

/// Distinguishes one start of the machine from another, since process ids begin anew with each.
pub(super) fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Clock ticks a second, in which the kernel counts CPU time here.
pub(super) fn ticks_per_s() -> u64 {
    // SAFETY: sysconf takes a number and touches no memory.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|n| *n > 0).unwrap_or(100)
}

/// Signals an unreaped child of ours.
pub(super) fn signal_child(pid: i32, signal: i32) {
    debug_assert!(pid > 1, "no process of a job has such an id");
    // SAFETY: kill takes two numbers and touches no memory.
    unsafe { libc::kill(pid, signal) };
}

/// Signals a process group of which an unreaped child of ours is a member, so that its id
/// cannot have been given anew.
pub(super) fn signal_group(group: i32, signal: i32) {
    debug_assert!(group > 1, "no process of a job is in such a group");
    // SAFETY: kill takes two numbers and touches no memory.
    unsafe { libc::kill(-group, signal) };
}

/// Signals the process that has this id and this start time; nothing if it is gone. Gives the
/// pidfd, which becomes readable when the process ends.
pub(super) fn signal_verified(pid: i32, start_time: u64, signal: i32) -> Option<OwnedFd> {
    // SAFETY: pidfd_open takes two numbers; what it gives is a new descriptor or negative.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the descriptor is new and owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let found = stat(pid)?;
    if found.start_time != start_time || found.zombie {
        return None;
    }
    // SAFETY: a null pointer for the information is allowed; the rest are numbers.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        );
    }
    Some(fd)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A system that is this slow is taken for broken.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_name_that_looks_like_fields_misleads_nobody() {
        let line = b"42 (a) R 1 (b)) S 7 8 9 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 1 0 777 9 9";
        let expected = Stat {
            zombie: false,
            parent: 7,
            group: 8,
            session: 9,
            cpu_ticks: 110,
            start_time: 777,
        };
        assert_eq!(parse_stat(line), Some(expected));
        let headless = b"42 (a) Z 7 8 9 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 2 0 777 9 9";
        assert_eq!(parse_stat(headless), Some(expected), "a thread still runs");
        assert_eq!(parse_stat(b"42 (a"), None);
        assert_eq!(parse_stat(b"42 (a) S 7"), None);
        assert_eq!(state(line), Some("S"));
    }

    #[test]
    fn one_sleeps_whose_threads_all_do() {
        // This thread runs, whatever the others do.
        assert!(!sleeps(std::process::id().cast_signed()));
        let mut waiting = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = waiting.id().cast_signed();
        let until = Instant::now() + PATIENCE;
        while !sleeps(pid) && Instant::now() < until {
            std::thread::yield_now();
        }
        let slept = sleeps(pid);
        waiting.kill().unwrap();
        waiting.wait().unwrap();
        assert!(slept, "it waits for what it is told");
        assert!(!sleeps(pid), "it is gone");
    }

    #[test]
    fn this_process_is_found_as_it_is() {
        let own = std::process::id().cast_signed();
        let found = stat(own).unwrap();
        assert!(!found.zombie);
        assert!(tree(own).contains_key(&own));
        assert!(is_beneath_us(own));
        assert!(!is_beneath_us(found.parent));
        assert!(own_line().contains(&found.parent));
        assert!(all_pids().contains(&own));
    }

    #[test]
    fn a_process_with_another_start_time_is_not_signaled() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id().cast_signed();
        let start_time = stat(pid).unwrap().start_time;
        assert!(signal_verified(pid, start_time + 1, libc::SIGKILL).is_none());
        assert_eq!(child.try_wait().unwrap(), None);
        assert!(signal_verified(pid, start_time, libc::SIGKILL).is_some());
        child.wait().unwrap();
    }
}
