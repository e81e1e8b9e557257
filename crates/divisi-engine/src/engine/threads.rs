//! A few threads that carry out effects which take time: git, files, checks.
//!
//! The loop never waits for them; they report through its one queue of inputs. Their own queue holds
//! at most one effect of each live task and a few of each run: none is begun twice before it ended.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use divisi_core::run::Effect;

use super::inbox::Sender as Inputs;
use super::input::{Failed, Finished, Input};

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
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts so many threads that report to `inputs`.
    pub(super) fn start(many: usize, inputs: &Inputs) -> std::io::Result<Threads> {
        let (jobs, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut started = Vec::with_capacity(many);
        for at in 0..many {
            let (receiver, inputs) = (Arc::clone(&receiver), inputs.clone());
            let thread = std::thread::Builder::new()
                .name(format!("effects-{at}"))
                .spawn(move || work(&receiver, &inputs))?;
            started.push(thread);
        }
        Ok(Threads {
            jobs: Some(jobs),
            handles: started,
        })
    }

    /// Hands a piece of work over.
    pub(super) fn begin(&self, job: Job) {
        let jobs = self
            .jobs
            .as_ref()
            .expect("the queue is open until the threads are dropped");
        jobs.send(job)
            .expect("the threads listen until the queue is closed");
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, inputs: &Inputs) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let (effect, work) = match job {
            Job::Effect(effect, work) => (effect, work),
            Job::Chore(chore) => {
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
