//! Which runs are gone on with, when there is nothing to do for them, and until when nothing is due.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use divisi_core::AttemptId;
use divisi_core::journal::Journal;
use divisi_core::run::{Effect, Run, RunStatus};

use super::room::waits_for_room;
use super::{EFFECT_FAILURES_MAX, Engine, Until, fetch, wall_now};
use crate::world::Leasing;

impl<J: Journal> Engine<J> {
    /// Tells the world which runs are gone on with: those that somebody started or resumed in this
    /// life. Others that never ended are left as they are; their owners did not ask for them.
    pub(super) fn attend(&mut self) {
        let runs = if self.passive {
            BTreeSet::new()
        } else {
            self.attended.clone()
        };
        self.world.leasing = Leasing::These(runs);
    }

    /// Whether a run is gone on with, or still has something to be ended.
    pub(super) fn attends(&self, run: &Run) -> bool {
        let stops = |effect| matches!(effect, Effect::Stop(_));
        self.attended.contains(&run.id) || run.owed().any(stops)
    }

    pub(super) fn nothing_works(&self) -> bool {
        (self.cannot_join()
            || self
                .world
                .runs()
                .all(|run| !self.attends(run) || run.slots() == 0))
            && self.local.is_empty()
            && self.reconcile.is_idle()
    }

    /// Whether it is given up for now to join the supervisor: then nothing works.
    pub(super) fn cannot_join(&self) -> bool {
        self.joining_failed.times >= EFFECT_FAILURES_MAX
    }

    pub(super) fn is_at_rest(&self, until: Until) -> bool {
        if !self.local.is_empty() || !self.found.is_empty() || self.full {
            return false;
        }
        let Until::Rests(id) = until else { return true };
        let Some(run) = self.world.run(id) else {
            return true;
        };
        // An attempt that could not be started holds its lease, but does not work.
        let unstarted = run
            .owed()
            .filter(|effect| {
                matches!(effect, Effect::Start(_)) && self.reconcile.is_delayed(*effect)
            })
            .count();
        let works = run.slots() as usize > unstarted && !self.cannot_join();
        let paused = run.paused.is_some() && !works && !waits_for_room(run);
        let owed = run.owed().any(|effect| match effect {
            Effect::Fetch(attempt) => self.is_fetching(attempt),
            effect => !paused || self.reconcile.is_under_way(effect),
        });
        !owed && (paused || run.status() != RunStatus::Running)
    }

    /// Whether files from outside are being taken, or are there and awaited to be whole. Those
    /// that are not there may never come.
    pub(super) fn is_fetching(&self, attempt: AttemptId) -> bool {
        let look = self.looks.get(&attempt);
        self.reconcile.is_under_way(Effect::Fetch(attempt))
            || look.is_some_and(|look| fetch::is_arriving(look))
    }

    /// How long nothing is due.
    pub(super) fn patience(&self) -> Duration {
        if !self.found.is_empty() {
            return Duration::ZERO;
        }
        let now = wall_now();
        let rejoin = self
            .joining_failed
            .again_at
            .map(|at| at.saturating_duration_since(Instant::now()).as_millis() as u64);
        let dues = [self.world.due_at(), self.reconcile.due_at()];
        let due = dues.iter().flatten().map(|at| at.ms_since(now)).min();
        let looked = self.looked_at.elapsed().as_millis() as u64;
        let look = self
            .monitor
            .look_in_ms()
            .map(|ms| ms.saturating_sub(looked));
        let overdue = self.monitor.overdue_in_ms(self.shell.now_ms());
        let wait = [due, look, overdue, rejoin].into_iter().flatten().min();
        match wait {
            // A moment later than due, so that it is due then.
            Some(ms) => Duration::from_millis(ms.saturating_add(1).min(60_000)),
            None => Duration::from_secs(60),
        }
    }
}
