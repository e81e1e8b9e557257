//! Keeps feedback while a run is worked on, beside the engine.
//!
//! Whoever hears of the run's events, as its engine or beside another process's, rings when something
//! happened that may end a stage; whether one ended, and what is to be done, is found by a thread of
//! its own from what is in the database. It may come late, be killed or fail: what it leaves undone
//! is owed still.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use divisi_core::run::{Event, Run};
use divisi_core::{RunId, TaskKind, TaskNo, Time};

use super::catch_up;
use crate::follow::Follower;
use crate::printer::{Failure, Printer};
use crate::project::Project;

/// Larger runs get their feedback when they rest: it takes a look at all of their tasks.
const TASKS_MAX: usize = 10_000;

/// The thread that keeps feedback.
pub(crate) struct Keeper {
    rings: Option<SyncSender<RunId>>,
    thread: Option<JoinHandle<()>>,
}

/// What rings it for one run.
pub(crate) struct Bell {
    rings: Option<SyncSender<RunId>>,
    /// So many tasks were looked at.
    looked_at: usize,
    /// Whether one of them is a plan task: only those have stages that end before their run.
    has_plan: bool,
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

    /// Starts it again where it was let finish.
    pub(crate) fn go_on(&mut self, project: &Project) {
        if self.rings.is_none() {
            *self = Keeper::start(project);
        }
    }

    /// Something that rings it.
    pub(crate) fn bell(&self) -> Bell {
        Bell {
            rings: self.rings.clone(),
            looked_at: 0,
            has_plan: false,
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
    let mut watched: Option<Watched> = None;
    while let Ok(id) = hears.recv() {
        let before = watched.take().filter(|it| it.follower.run().id == id);
        let now = match before {
            Some(watched) => Ok(watched),
            None => Watched::of(project, id),
        };
        // Whoever looks at the run next is told of a fault.
        watched = now.and_then(|watched| watched.catch_up(project)).ok();
    }
}

/// A run, and which of its stages had ended when it was looked at.
struct Watched {
    follower: Follower,
    ends: BTreeMap<Option<TaskNo>, Time>,
}

impl Watched {
    fn of(project: &Project, id: RunId) -> Result<Watched, Failure> {
        Ok(Watched {
            follower: Follower::of(project, id, None)?,
            ends: BTreeMap::new(),
        })
    }

    fn catch_up(mut self, project: &Project) -> Result<Watched, Failure> {
        self.follower.look(&mut |_| Ok(()))?;
        let ends = super::ends(self.follower.run());
        if ends != self.ends {
            catch_up(project, self.follower.run(), &Printer::silent())?;
            self.ends = ends;
        }
        Ok(self)
    }
}

impl Bell {
    /// Hears what happened to the run, and rings if that may have ended a stage. It is quick, and
    /// waits for nobody.
    pub(crate) fn hear(&mut self, run: &Run, event: &Event) {
        if run.tasks().len() > TASKS_MAX || !may_end(event) || !self.has_stages(run) {
            return;
        }
        // If it was rung and has not heard, it will find this, too.
        let _ = self.rings.as_ref().map(|rings| rings.try_send(run.id));
    }

    /// Each task is looked at once: none goes, and new ones come after the others.
    fn has_stages(&mut self, run: &Run) -> bool {
        let new = run.tasks().iter().skip(self.looked_at);
        self.has_plan = self.has_plan || { new }.any(|it| it.spec.kind == TaskKind::Plan);
        self.looked_at = run.tasks().len();
        self.has_plan
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

#[cfg(test)]
mod tests {
    use divisi_core::{Commit, TaskSpec};

    use super::*;
    use crate::given::{Given, plan, task};

    /// Whether it rings at these, one after the other.
    fn rings(kind: TaskKind, events: &[&Event]) -> Vec<bool> {
        let (rings, hears) = sync_channel(1);
        let mut bell = Bell {
            rings: Some(rings),
            looked_at: 0,
            has_plan: false,
        };
        let spec = TaskSpec {
            kind,
            ..task("b", &[])
        };
        let run = Given::run_of(plan("Pages", vec![task("a", &[]), spec])).run();
        let heard = events.iter().map(|event| {
            bell.hear(&run, event);
            // Nobody hears the second, which is as good as the first.
            bell.hear(&run, event);
            assert_eq!(bell.looked_at == 2, bell.has_plan || kind != TaskKind::Plan);
            let heard = hears.try_recv() == Ok(run.id);
            assert!(hears.try_recv().is_err());
            heard
        });
        heard.collect()
    }

    #[test]
    fn it_rings_for_a_run_with_stages_when_one_may_have_ended() {
        let head = Commit::new(&"1".repeat(40)).unwrap();
        let attempts = Vec::new();
        let ends = Event::BatchIntegrated { head, attempts };
        let other = Event::RunResumed;
        assert_eq!(
            rings(TaskKind::Plan, &[&ends, &other, &ends]),
            [true, false, true]
        );
        assert_eq!(rings(TaskKind::Work, &[&ends, &other]), [false, false]);
    }
}
