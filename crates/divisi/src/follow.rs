//! A run as the database has it: as it is now, or followed from event to event.
//!
//! Whoever follows a run reads the journal, not the engine, so it sees exactly what is durable, and
//! sees it beside any engine or none. The run is loaded once; from then on each event is applied to
//! it, as the engine does, so that a look costs what has changed and not what there is.

use std::time::Duration;

use divisi_core::journal::{Entry, Stream};
use divisi_core::run::{Effect, Event, PauseReason, Run, RunStatus};
use divisi_core::{RunId, Time};
use divisi_store::View;

use crate::hold;
use crate::loaded;
use crate::printer::Failure;
use crate::project::Project;

/// How often whoever follows looks at the journal. One query by key each time.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// So many looks without anything new, then it is asked whether anybody works on the run.
const ASK_EVERY: u32 = 10;

/// A run that nobody works on is asked about so often: an engine may be about to take over.
const UNATTENDED_MAX: u32 = 2;

/// Rows or events taken at once.
const PAGE: u32 = 1_000;

/// A run as it is now.
pub(crate) fn run(project: &Project, id: RunId) -> Result<Run, Failure> {
    let view = project.view()?;
    project.row(&view, Some(id))?;
    Ok(loaded::load(&view, id)?)
}

/// All runs as they are now, oldest first.
pub(crate) fn all(project: &Project) -> Result<Vec<Run>, Failure> {
    let view = project.view()?;
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let rows = view.runs(runs.last().map(|run| run.id), PAGE)?;
        if rows.is_empty() {
            return Ok(runs);
        }
        for row in rows {
            runs.push(loaded::load(&view, row.run)?);
        }
    }
}

/// An event of a run that is followed.
pub(crate) struct News<'a> {
    /// The run once it has happened; of what happened before the run was loaded, the run as loaded.
    pub(crate) run: &'a Run,
    /// As it stands in the journal.
    pub(crate) entry: &'a Entry,
    /// When.
    pub(crate) at: Time,
    /// What.
    pub(crate) event: &'a Event,
}

/// Follows a run.
pub(crate) struct Follower {
    view: View,
    run: Run,
    /// The last event that the run includes.
    applied: u64,
    /// The last event that was told.
    told: u64,
}

impl Follower {
    /// Loads a run. Its events are told after this one, or, without one, from now on.
    ///
    /// # Errors
    /// It is not there, or the journal cannot be read.
    pub(crate) fn of(
        project: &Project,
        id: RunId,
        after: Option<u64>,
    ) -> Result<Follower, Failure> {
        let view = project.view()?;
        project.row(&view, Some(id))?;
        let (run, applied) = loaded::load_with_seq(&view, id)?;
        Ok(Follower {
            view,
            run,
            applied,
            told: after.unwrap_or(applied),
        })
    }

    /// The run as of the last look.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// The same, of one who looks no more.
    pub(crate) fn into_run(self) -> Run {
        self.run
    }

    /// The journal that is read.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// Tells every event that is durable by now and was not told yet, each once and in order.
    /// Whether there was one.
    ///
    /// # Errors
    /// The journal cannot be read, or what `tell` returns.
    pub(crate) fn look(
        &mut self,
        tell: &mut dyn FnMut(News<'_>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let before = self.told;
        loop {
            let entries = self
                .view
                .events(Stream::Run(self.run.id), self.told, PAGE)?;
            if entries.is_empty() {
                return Ok(self.told > before);
            }
            for entry in &entries {
                let (at, event) = loaded::event(entry)?;
                if entry.seq > self.applied {
                    self.run.apply(at, &event);
                    self.run.take_changed();
                    self.applied = entry.seq;
                }
                self.told = entry.seq;
                tell(News {
                    run: &self.run,
                    entry,
                    at,
                    event: &event,
                })?;
            }
        }
    }

    /// Whether nothing about the run goes on by itself, as far as its state tells.
    pub(crate) fn rests(&self) -> bool {
        rests(&self.run)
    }
}

fn rests(run: &Run) -> bool {
    if run.ended.is_some() {
        return true;
    }
    if let Some(PauseReason::Fault(_)) = run.paused {
        // What failed stays owed until somebody resumes. An attempt that could not be started holds
        // its lease, but does not work.
        let starts = |effect: &Effect| matches!(effect, Effect::Start(_));
        return run.slots() as usize <= run.owed().filter(starts).count();
    }
    let works = run.slots() > 0 || run.owed().any(|effect| !effect.waits_for_outside());
    !works && (run.paused.is_some() || run.status() != RunStatus::Running)
}

/// Notices that a run that should go on is worked on by nobody any more.
#[derive(Debug, Default)]
pub(crate) struct Vigil {
    quiet: u32,
    unattended: u32,
}

impl Vigil {
    /// Something happened to the run.
    pub(crate) fn on_news(&mut self) {
        *self = Vigil::default();
    }

    /// A look showed nothing new. Whether it is in vain to look on.
    pub(crate) fn is_in_vain(&mut self, project: &Project, run: RunId) -> bool {
        self.quiet += 1;
        if self.quiet.is_multiple_of(ASK_EVERY) {
            let is_attended = hold::is_attended(project, run);
            self.unattended = if is_attended { 0 } else { self.unattended + 1 };
        }
        self.unattended > UNATTENDED_MAX
    }
}

#[cfg(test)]
mod tests {
    use divisi_core::run::{Command, stored};

    use super::*;
    use crate::cli::Global;
    use crate::given::{Given, plan, task};

    fn project(given: &Given) -> Project {
        let global = Global {
            project: Some(given.folder().to_owned()),
            ..Global::default()
        };
        Project::find(&global).unwrap()
    }

    /// The seqs that a look tells.
    fn told(follower: &mut Follower) -> Vec<u64> {
        let mut told = Vec::new();
        let mut tell = |news: News<'_>| {
            told.push(news.entry.seq);
            Ok(())
        };
        follower.look(&mut tell).unwrap();
        told
    }

    /// All that the rows of a run hold, and what it owes.
    fn kept(run: &Run) -> (divisi_core::journal::RunRow, Vec<Effect>) {
        (stored::run_row(run, 0), run.owed().collect())
    }

    #[test]
    fn each_event_is_told_once_and_the_run_is_what_loading_gives() {
        let mut given = Given::run_of(plan("Ship it", vec![task("a", &[]), task("b", &["a"])]));
        let project = project(&given);
        let mut from_now = Follower::of(&project, given.run().id, None).unwrap();
        let mut from_start = Follower::of(&project, given.run().id, Some(0)).unwrap();
        assert_eq!(told(&mut from_now), [0; 0]);
        let first = told(&mut from_start);
        assert_eq!(first, (1..=first.len() as u64).collect::<Vec<u64>>());
        given.ends("a", 0);
        let next = told(&mut from_start);
        assert_eq!(next.first(), Some(&(first.len() as u64 + 1)));
        assert_eq!(told(&mut from_now), next);
        assert_eq!(told(&mut from_start), [0; 0]);
        for follower in [&from_now, &from_start] {
            assert_eq!(kept(follower.run()), kept(&given.run()));
        }
    }

    #[test]
    fn a_run_rests_when_nothing_of_it_works_or_is_owed() {
        let mut given = Given::run_of(plan("Ship it", vec![task("a", &[])]));
        let id = given.run().id;
        assert!(!rests(&given.run()), "it works");
        let fault = |cause: &str| Command::Pause {
            reason: PauseReason::Fault(cause.to_owned()),
            stop: false,
        };
        given.ask(fault("nothing can be started"));
        // Its only attempt was leased and never started.
        assert!(rests(&given.run()));
        given.ask(Command::Resume);
        assert!(!rests(&given.run()));
        given.ask(Command::Pause {
            reason: PauseReason::Owner,
            stop: false,
        });
        assert!(!rests(&given.run()), "what runs goes on");
        given.ends("a", 0);
        let mut follower = Follower::of(&project(&given), id, None).unwrap();
        assert_eq!(told(&mut follower), [0; 0]);
        assert!(follower.rests(), "{:?}", follower.run().paused);
    }
}
