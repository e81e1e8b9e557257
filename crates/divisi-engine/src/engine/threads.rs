//! A few threads that carry out effects which take time: git, files, checks.
//!
//! The loop never waits for them; they report through its one queue of inputs. Their own queue holds
//! at most one effect of each live task and a few of each run, since none is begun twice before it
//! ended, and beside them [`CHORES_MAX`] chores.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use divisi_core::run::Effect;

use super::inbox::Sender as Inputs;
use super::input::{Failed, Finished, Input};

/// Chores that wait at most; one more is left undone. Each attempt that is integrated makes two, and
/// a batch may be as large as a run: the queue takes those of hundreds at once, in memory that does
/// not count.
const CHORES_MAX: usize = 1_024;

/// A piece of work.
pub(super) enum Job {
    /// An owed effect; how it came out is reported.
    Effect(Effect, Box<dyn FnOnce() -> Result<Finished, Failed> + Send>),
    /// Something that nobody waits for, and that may be left undone.
    Chore(Box<dyn FnOnce() + Send>),
}

/// The threads.
pub(super) struct Threads {
    jobs: Option<Sender<Job>>,
    /// Chores in the queue.
    chores: Arc<AtomicUsize>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts so many threads that report to `inputs`.
    pub(super) fn start(many: usize, inputs: &Inputs) -> std::io::Result<Threads> {
        let (jobs, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let chores = Arc::<AtomicUsize>::default();
        let mut started = Vec::with_capacity(many);
        for at in 0..many {
            let (receiver, inputs) = (Arc::clone(&receiver), inputs.clone());
            let chores = Arc::clone(&chores);
            let thread = std::thread::Builder::new()
                .name(format!("effects-{at}"))
                .spawn(move || work(&receiver, &chores, &inputs))?;
            started.push(thread);
        }
        Ok(Threads {
            jobs: Some(jobs),
            chores,
            handles: started,
        })
    }

    /// Hands a piece of work over; a chore that finds too many waiting is left undone.
    pub(super) fn begin(&self, job: Job) {
        if matches!(job, Job::Chore(_)) {
            if self.chores.load(Ordering::SeqCst) >= CHORES_MAX {
                return;
            }
            self.chores.fetch_add(1, Ordering::SeqCst);
        }
        let jobs = self
            .jobs
            .as_ref()
            .expect("the queue is open until the threads are dropped");
        jobs.send(job)
            .expect("the threads listen until the queue is closed");
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, chores: &AtomicUsize, inputs: &Inputs) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let (effect, work) = match job {
            Job::Effect(effect, work) => (effect, work),
            Job::Chore(chore) => {
                chores.fetch_sub(1, Ordering::SeqCst);
                // What it leaves undone, `gc` finds.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(chore));
                continue;
            }
        };
        // A defect in one effect must not end the engine, and must not be swallowed either.
        let result = std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            Err(Failed::Ours(format!(
                "{effect:?} met a defect in divisi; its trace is above"
            )))
        });
        if inputs.send(Input::Finished { effect, result }).is_err() {
            return;
        }
    }
}

impl Drop for Threads {
    /// Waits for what is under way: an effect that is cut off would only be repeated.
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.handles.drain(..) {
            // A panic was already reported by the effect it happened in.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::inbox::inbox;

    #[test]
    fn so_many_chores_wait_and_no_more_and_those_are_done() {
        let (inputs, _queue) = inbox().unwrap();
        let threads = Threads::start(1, &inputs).unwrap();
        let (open, gate) = channel::<()>();
        let (begun, begins) = channel();
        threads.begin(Job::Chore(Box::new(move || {
            begun.send(()).unwrap();
            gate.recv().unwrap();
        })));
        begins.recv().unwrap();
        let (done, all) = channel();
        let chore = |number: usize| {
            let done = done.clone();
            Job::Chore(Box::new(move || done.send(number).unwrap()))
        };
        for number in 0..CHORES_MAX + 5 {
            threads.begin(chore(number));
        }
        open.send(()).unwrap();
        let numbers: Vec<usize> = all.iter().take(CHORES_MAX).collect();
        assert_eq!(numbers, (0..CHORES_MAX).collect::<Vec<_>>());
        threads.begin(chore(CHORES_MAX + 5));
        drop(threads);
        let later: Vec<usize> = all.try_iter().collect();
        assert_eq!(later, [CHORES_MAX + 5], "there is room again");
    }
}
