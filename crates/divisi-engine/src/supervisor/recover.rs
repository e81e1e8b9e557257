//! Ends what a killed supervisor left behind, before anything new is begun.
//!
//! When a supervisor is killed its agents live on as somebody else's children. Whoever comes
//! next finds them by the notes (process id, start time, boot) and by the folder's mark in the
//! environment, walks down from each, and kills until a look finds nothing. Only a process whose
//! identity was verified is signaled. One that had left its parents, its session and its
//! environment before the supervisor was killed is beyond any proof and is not looked for.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use divisi_core::receipt::Exit;
use divisi_core::worker::{Ended, Job};

use super::error::ServeError;
use super::notes::{Started, Told};
use super::proc::{self, Stat};

/// KILL needs no grace; who is not gone by then hangs in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one look waits for those it killed.
const WAIT_MS: i32 = 100;

/// Kills all that is left of earlier jobs of this folder.
///
/// # Errors
/// Some of it does not go away.
pub(super) fn end_leftovers(told: &Told, mark: &str) -> Result<(), ServeError> {
    let boot_id = proc::boot_id();
    let spared = proc::own_line();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = leftovers(told, mark, &boot_id, &spared);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let pids = left.into_keys().collect();
            return Err(ServeError::Unrecovered { pids });
        }
        let dying: Vec<OwnedFd> = left
            .iter()
            .filter_map(|(pid, stat)| proc::signal_verified(*pid, stat.start_time, libc::SIGKILL))
            .collect();
        wait_for_all(&dying);
    }
}

/// The jobs that ended with the machine: they were started before it was, so nothing of them can be
/// left, whatever it hid.
pub(super) fn ended_with_machine(told: &Told) -> Vec<(Job, Ended)> {
    let boot_id = proc::boot_id();
    let gone = told.live.values().filter(|noted| noted.boot_id != boot_id);
    let ended = |noted: &Started| {
        let ended = Ended {
            told: true,
            ..Ended::of(Exit::NoProcess)
        };
        (noted.job, ended)
    };
    gone.map(ended).collect()
}

fn leftovers(told: &Told, mark: &str, boot_id: &str, spared: &[i32]) -> BTreeMap<i32, Stat> {
    let mut left = BTreeMap::new();
    let noted = told.live.values().filter(|noted| noted.boot_id == boot_id);
    let noted = noted.filter(|noted| !spared.contains(&noted.pid));
    for noted in noted {
        let same = proc::stat(noted.pid).is_some_and(|stat| stat.start_time == noted.start_time);
        if same {
            left.extend(proc::tree(noted.pid));
        }
    }
    for pid in proc::all_pids() {
        let known = left.contains_key(&pid) || spared.contains(&pid);
        if !known && proc::marks(pid).dir.as_deref() == Some(mark) {
            left.extend(proc::tree(pid));
        }
    }
    left
}

fn wait_for_all(dying: &[OwnedFd]) {
    for fd in dying {
        let mut fds = [libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        }];
        // SAFETY: the array is live and has one element.
        unsafe { libc::poll(fds.as_mut_ptr(), 1, WAIT_MS) };
    }
}

#[cfg(test)]
mod tests {
    use divisi_core::{AttemptId, RunId, TaskNo};

    use super::*;

    #[test]
    fn what_was_started_before_the_machine_has_ended_for_certain() {
        let job = |number: u32| {
            Job::agent(AttemptId {
                run: RunId(1),
                task: TaskNo(0),
                number,
            })
        };
        let noted = |number: u32, boot_id: String| Started {
            job: job(number),
            pid: 1,
            start_time: 0,
            boot_id,
        };
        let before = noted(1, "another".to_owned());
        let now = noted(2, proc::boot_id());
        let told = Told {
            live: [before, now].map(|noted| (noted.job, noted)).into(),
            ..Told::default()
        };
        let [(gone, ended)] = &ended_with_machine(&told)[..] else {
            panic!("one of them has");
        };
        assert_eq!(*gone, job(1));
        assert!(ended.empty && ended.told);
    }
}
