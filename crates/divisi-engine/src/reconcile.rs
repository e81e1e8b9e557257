//! Compares what is owed with what is under way and closes the gap.
//!
//! A plain struct, so that the simulator runs it too. It remembers only what this life of the
//! engine has begun; after a start it knows nothing, and everything owed is begun anew — except
//! that an attempt leased in an earlier epoch is never started, only adopted or found lost.

use std::collections::BTreeMap;

use divisi_core::ids::{Epoch, RunId, Time};
use divisi_core::run::{Attempt, Effect, Run};

/// What the shell should do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Carry the effect out and report.
    Begin(Effect),
    /// It is not owed any more: stop working on it if that can be done.
    Abandon(Effect),
}

/// How an effect that was begun came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was reported to the core.
    Reported,
    /// It failed for a reason of ours; it is begun again after a delay.
    Failed,
    /// What it waits for is not there yet; it looks again after [`LOOK_MS`].
    NotYet,
}

/// How often files from outside are looked for: soon enough for people, and rare enough that
/// thousands of awaited files cost nothing that anybody notices.
pub const LOOK_MS: u64 = 2_000;

/// Delay before a failed effect is begun again: one second, doubled, at most a minute.
fn delay_ms(failures: u32) -> u64 {
    1_000u64
        .saturating_mul(1 << failures.saturating_sub(1).min(6))
        .min(60_000)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    UnderWay,
    /// Begun again at this time, after so many failures.
    Delayed(Time, u32),
}

/// What this life of the engine has begun.
#[derive(Clone, Debug, Default)]
pub struct Reconcile {
    begun: BTreeMap<Effect, Progress>,
    failures: BTreeMap<Effect, u32>,
    /// Whether the supervisor has said what it holds in this epoch.
    joined: bool,
}

impl Reconcile {
    /// The supervisor has said what it holds: attempts of this epoch may be started.
    pub fn on_joined(&mut self) {
        self.joined = true;
    }

    /// The supervisor is gone, or a new epoch began: starts wait until it is joined again.
    ///
    /// What was begun of them is to be abandoned: a start whose workspace is still being prepared
    /// must not reach the next supervisor, which would do it a second time.
    #[must_use]
    pub fn on_gone(&mut self) -> Vec<Action> {
        self.joined = false;
        let gone = |effect: &Effect| matches!(effect, Effect::Start(_) | Effect::Stop(_));
        let under_way = |(effect, progress): (&Effect, &Progress)| {
            (gone(effect) && *progress == Progress::UnderWay).then_some(Action::Abandon(*effect))
        };
        let abandoned = self.begun.iter().filter_map(under_way).collect();
        self.begun.retain(|effect, _| !gone(effect));
        abandoned
    }

    /// Whether the supervisor is joined.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.joined
    }

    /// An effect that was begun has come out.
    pub fn on_outcome(&mut self, effect: Effect, outcome: Outcome, now: Time) -> u32 {
        match outcome {
            Outcome::Reported => {
                self.begun.remove(&effect);
                self.failures.remove(&effect);
                0
            }
            Outcome::NotYet => {
                self.failures.remove(&effect);
                let at = now.plus_ms(LOOK_MS);
                self.begun.insert(effect, Progress::Delayed(at, 0));
                0
            }
            Outcome::Failed => {
                let failures = self.failures.entry(effect).or_default();
                *failures += 1;
                let at = now.plus_ms(delay_ms(*failures));
                self.begun.insert(effect, Progress::Delayed(at, *failures));
                *failures
            }
        }
    }

    /// When an effect that failed, or looked in vain, is due again.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        let at = |progress: &Progress| match progress {
            Progress::Delayed(at, _) => Some(*at),
            Progress::UnderWay => None,
        };
        self.begun.values().filter_map(at).min()
    }

    /// Whether this effect is under way right now.
    #[must_use]
    pub fn is_under_way(&self, effect: Effect) -> bool {
        self.begun.get(&effect) == Some(&Progress::UnderWay)
    }

    /// Whether this effect failed, or looked in vain, and waits to be begun again.
    #[must_use]
    pub fn is_delayed(&self, effect: Effect) -> bool {
        matches!(self.begun.get(&effect), Some(Progress::Delayed(..)))
    }

    /// Whether nothing is under way. What waits to be begun again is not.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_under_way = |progress: &Progress| *progress == Progress::UnderWay;
        !self.begun.values().any(is_under_way)
    }

    /// What failed of a run is due again at once: somebody has seen to it.
    pub fn hurry(&mut self, run: RunId) {
        self.begun
            .retain(|effect, progress| effect.run() != run || *progress == Progress::UnderWay);
        self.failures.retain(|effect, _| effect.run() != run);
    }

    /// An effect is not begun after all; it stays owed.
    pub fn put_off(&mut self, effect: Effect) {
        self.begun.remove(&effect);
    }

    /// What to begin and what to abandon, given what is owed.
    pub fn reconcile<'a>(
        &mut self,
        runs: impl Iterator<Item = &'a Run>,
        epoch: Epoch,
        now: Time,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut owed = std::collections::BTreeSet::new();
        for run in runs {
            for effect in run.owed() {
                owed.insert(effect);
                if self.may_begin(run, effect, epoch, now) {
                    self.begun.insert(effect, Progress::UnderWay);
                    actions.push(Action::Begin(effect));
                }
            }
        }
        let over: Vec<Effect> = self
            .begun
            .keys()
            .copied()
            .filter(|effect| !owed.contains(effect))
            .collect();
        for effect in over {
            self.failures.remove(&effect);
            if self.begun.remove(&effect) == Some(Progress::UnderWay) {
                actions.push(Action::Abandon(effect));
            }
        }
        actions
    }

    /// Whether an attempt whose start is durable may be launched still.
    ///
    /// Its lease is of an earlier epoch, or the supervisor is gone: then it is about to be found
    /// lost, and must not come to life afterwards. It is to be stopped: then nobody waits for it.
    #[must_use]
    pub fn may_launch(&self, live: Option<&Attempt>, epoch: Epoch) -> bool {
        let waited_for = |live: &Attempt| live.epoch == epoch && live.stopping.is_none();
        self.joined && live.is_some_and(waited_for)
    }

    fn may_begin(&self, run: &Run, effect: Effect, epoch: Epoch, now: Time) -> bool {
        match self.begun.get(&effect) {
            Some(Progress::UnderWay) => return false,
            Some(Progress::Delayed(at, _)) if *at > now => return false,
            _ => {}
        }
        match effect {
            Effect::Start(attempt) => {
                let live = run.task(attempt.task).and_then(|task| task.live());
                self.may_launch(live, epoch)
            }
            Effect::Stop(_) => self.joined,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::plan::{Plan, TaskSpec};
    use divisi_core::run::{self, Base, Command, Create, Settings};
    use divisi_core::{RunId, TaskId, TaskNo};

    fn leased(epoch: u64) -> Run {
        let spec = TaskSpec::command(TaskId::new("a").unwrap(), &["true"]);
        let plan = Plan {
            title: "t".into(),
            tasks: vec![spec],
            ..Plan::default()
        };
        let create = Create {
            plan: plan.into(),
            settings: Settings::default(),
            base: Base::default(),
            approved: true,
            intent: None,
        };
        let (mut run, _) = run::create(RunId(1), create, Time(1)).unwrap();
        let lease = Command::Lease {
            task: TaskNo(0),
            epoch: Epoch(epoch),
            timeout_ms: None,
            with: None,
        };
        assert!(run.decide(lease, Time(2)).is_ok());
        run
    }

    #[test]
    fn a_lease_of_an_earlier_epoch_is_never_started() {
        let run = leased(1);
        let mut reconcile = Reconcile::default();
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(2), Time(3)),
            []
        );
        reconcile.on_joined();
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(2), Time(3)),
            []
        );
    }

    #[test]
    fn a_lease_is_started_once_and_only_after_the_supervisor_joined() {
        let run = leased(1);
        let start = Effect::Start(run.attempt_id(TaskNo(0), 1));
        let mut reconcile = Reconcile::default();
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(1), Time(3)),
            []
        );
        reconcile.on_joined();
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(1), Time(3)),
            [Action::Begin(start)]
        );
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(1), Time(4)),
            []
        );
    }

    #[test]
    fn a_start_under_way_is_abandoned_when_the_supervisor_is_gone() {
        let run = leased(1);
        let start = Effect::Start(run.attempt_id(TaskNo(0), 1));
        let mut reconcile = Reconcile::default();
        reconcile.on_joined();
        let _ = reconcile.reconcile([&run].into_iter(), Epoch(1), Time(3));
        assert_eq!(reconcile.on_gone(), [Action::Abandon(start)]);
        assert_eq!(reconcile.on_gone(), []);
    }

    #[test]
    fn an_attempt_is_launched_only_while_its_epoch_lasts_and_somebody_waits_for_it() {
        let mut run = leased(1);
        let mut reconcile = Reconcile::default();
        let may = |reconcile: &Reconcile, run: &Run, epoch| {
            reconcile.may_launch(run.tasks()[0].live(), Epoch(epoch))
        };
        assert!(!may(&reconcile, &run, 1), "nobody is joined");
        reconcile.on_joined();
        assert!(may(&reconcile, &run, 1));
        assert!(!may(&reconcile, &run, 2), "its epoch is over");
        assert!(!reconcile.may_launch(None, Epoch(1)), "it has ended");
        let _ = reconcile.on_gone();
        assert!(!may(&reconcile, &run, 1), "its supervisor is gone");
        reconcile.on_joined();
        let stop = Command::Cancel { task: None };
        assert!(run.decide(stop, Time(3)).is_ok());
        assert!(run.tasks()[0].live().is_some());
        assert!(!may(&reconcile, &run, 1), "it is to be stopped");
    }

    #[test]
    fn what_somebody_has_seen_to_is_begun_again_at_once() {
        let run = leased(1);
        let start = Effect::Start(run.attempt_id(TaskNo(0), 1));
        let mut reconcile = Reconcile::default();
        reconcile.on_joined();
        let begins = |reconcile: &mut Reconcile| {
            let actions = reconcile.reconcile([&run].into_iter(), Epoch(1), Time(1));
            actions == [Action::Begin(start)]
        };
        assert!(begins(&mut reconcile));
        reconcile.hurry(run.id);
        assert!(!begins(&mut reconcile), "it is under way");
        assert_eq!(reconcile.on_outcome(start, Outcome::Failed, Time(0)), 1);
        reconcile.hurry(RunId(2));
        assert!(!begins(&mut reconcile), "another run was meant");
        reconcile.hurry(run.id);
        assert!(begins(&mut reconcile));
        assert_eq!(reconcile.on_outcome(start, Outcome::Failed, Time(1)), 1);
    }

    #[test]
    fn a_failed_effect_is_begun_again_later_and_later() {
        let run = leased(1);
        let start = Effect::Start(run.attempt_id(TaskNo(0), 1));
        let mut reconcile = Reconcile::default();
        reconcile.on_joined();
        let _ = reconcile.reconcile([&run].into_iter(), Epoch(1), Time(0));
        assert_eq!(reconcile.on_outcome(start, Outcome::Failed, Time(0)), 1);
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(1), Time(999)),
            []
        );
        assert_eq!(
            reconcile.reconcile([&run].into_iter(), Epoch(1), Time(1_000)),
            [Action::Begin(start)]
        );
        assert_eq!(reconcile.on_outcome(start, Outcome::Failed, Time(1_000)), 2);
        assert_eq!(reconcile.due_at(), Some(Time(3_000)));
    }

    #[test]
    fn what_looks_in_vain_looks_again_at_the_same_interval_and_never_counts_as_failed() {
        let run = leased(1);
        let start = Effect::Start(run.attempt_id(TaskNo(0), 1));
        let mut reconcile = Reconcile::default();
        reconcile.on_joined();
        let mut now = Time(0);
        for _ in 0..20 {
            let begun = reconcile.reconcile([&run].into_iter(), Epoch(1), now);
            assert_eq!(begun, [Action::Begin(start)]);
            assert_eq!(reconcile.on_outcome(start, Outcome::NotYet, now), 0);
            assert_eq!(reconcile.due_at(), Some(now.plus_ms(LOOK_MS)));
            assert!(reconcile.is_idle(), "it does not hold anybody up");
            let early = now.plus_ms(LOOK_MS - 1);
            assert_eq!(reconcile.reconcile([&run].into_iter(), Epoch(1), early), []);
            now = now.plus_ms(LOOK_MS);
        }
    }
}
