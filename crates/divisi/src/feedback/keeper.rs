//! Keeps feedback while a run is worked on, beside the engine.
//!
//! The engine's thread only counts stages that have ended and rings; what is to be done is found by
//! a thread of its own from what is in the database. It may come late, be killed or fail: what it
//! leaves undone is owed still.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use divisi_core::run::{Event, Run};
use divisi_core::{RunId, TaskKind};
use divisi_engine::engine::Notice;

use super::catch_up;
use crate::follow;
use crate::printer::Printer;
use crate::project::Project;

/// Larger runs get their feedback when they rest: it takes a look at all of their tasks.
const TASKS_MAX: usize = 10_000;

/// The thread that keeps feedback.
pub(crate) struct Keeper {
    rings: Option<SyncSender<RunId>>,
    thread: Option<JoinHandle<()>>,
}

/// What rings it.
pub(crate) struct Bell {
    rings: Option<SyncSender<RunId>>,
    /// How many stages of the run had ended.
    ended: usize,
}

impl Keeper {
    /// Starts it. Where no thread can be had, feedback is kept when the run rests.
    pub(crate) fn start(project: &Project) -> Keeper {
        // One ring is as good as several: all that is owed is done at once.
        let (rings, hears) = sync_channel(1);
        let project = project.clone();
        let thread = std::thread::Builder::new().name("feedback".to_owned());
        Keeper {
            rings: Some(rings),
            thread: thread.spawn(move || keep(&project, &hears)).ok(),
        }
    }

    /// Something that rings it.
    pub(crate) fn bell(&self) -> Bell {
        Bell {
            rings: self.rings.clone(),
            ended: 0,
        }
    }

    /// Lets it finish what it began. Its bells are gone by then.
    pub(crate) fn finish(&mut self) {
        self.rings = None;
        if let Some(thread) = self.thread.take() {
            // What it did not do is owed still.
            let _ = thread.join();
        }
    }
}

fn keep(project: &Project, hears: &Receiver<RunId>) {
    while let Ok(id) = hears.recv() {
        if let Ok(run) = follow::run(project, id) {
            // Whoever looks at the run next is told of a fault.
            let _ = catch_up(project, &run, &Printer::silent());
        }
    }
}

impl Bell {
    /// Hears what happened to a run, and rings if a stage ended. It is quick, and waits for nobody.
    pub(crate) fn hear(&mut self, run: &Run, notices: &[Notice]) {
        let ends = |notice: &Notice| match notice {
            Notice::Event(id, _, event) => *id == run.id && may_end(event),
            Notice::Trouble(_) => false,
        };
        if run.tasks().len() > TASKS_MAX || !notices.iter().any(ends) {
            return;
        }
        if !run.tasks().iter().any(|it| it.spec.kind == TaskKind::Plan) {
            return;
        }
        let ended = super::ended(run);
        if ended > self.ended {
            // If it was rung and has not heard, it will find this stage, too.
            let _ = self.rings.as_ref().map(|rings| rings.try_send(run.id));
        }
        self.ended = ended;
    }
}

/// Whether an event may be the last of a stage.
fn may_end(event: &Event) -> bool {
    matches!(
        event,
        Event::AttemptEnded { .. }
            | Event::BatchIntegrated { .. }
            | Event::ApprovalGiven { .. }
            | Event::TaskFailed { .. }
            | Event::TaskCanceled { .. }
            | Event::TaskSkipped { .. }
    )
}
