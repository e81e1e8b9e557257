//! Effects that did not come out: tried again, and after some times a matter for a person.

use divisi_core::journal::Journal;
use divisi_core::run::{Command, Effect, PauseReason};

use super::input::Failed;
use super::room::{lacks_room, pause_for_room};
use super::{EFFECT_FAILURES_MAX, Engine, Interruption, Notice, wall_now};
use crate::reconcile::Outcome;

impl<J: Journal> Engine<J> {
    /// What the run is told of an effect that did not come out, if anything.
    pub(super) fn effect_failed(&mut self, effect: Effect, failed: Failed) -> Option<Command> {
        let failures = self
            .reconcile
            .on_outcome(effect, Outcome::Failed, wall_now());
        if self.interruption != Interruption::No {
            // It was cut off; whoever resumes repeats it.
            return None;
        }
        let run = self.world.run(effect.run());
        let is_paused = run.is_none_or(|run| run.paused.is_some());
        let cause = match (failed, effect) {
            (Failed::Ours(cause), _) => cause,
            (Failed::Setup(cause), Effect::Start(attempt)) => {
                return Some(Command::NotPrepared { attempt, cause });
            }
            (Failed::Setup(cause), _) => return (!is_paused).then(|| pause_for(cause)),
        };
        self.trouble(format!("{}: {cause}", words(effect)));
        if lacks_room(&cause) {
            self.lacking_room.insert(effect);
            return (!is_paused).then(pause_for_room);
        }
        let cause = format!("{} keeps failing: {cause}", words(effect));
        (failures >= EFFECT_FAILURES_MAX).then(|| pause_for(cause))
    }

    pub(super) fn trouble(&mut self, cause: String) {
        self.troubles.push(Notice::Trouble(cause));
    }
}

fn pause_for(cause: String) -> Command {
    Command::Pause {
        reason: PauseReason::Fault(cause),
        stop: false,
    }
}

/// Effects in words, for people.
fn words(effect: Effect) -> String {
    match effect {
        Effect::Start(attempt) => format!("start attempt {attempt}"),
        Effect::Fetch(attempt) => format!("fetch files for attempt {attempt}"),
        Effect::Stop(attempt) => format!("stop attempt {attempt}"),
        Effect::Collect(attempt) => format!("collect attempt {attempt}"),
        Effect::Check(attempt) => format!("check attempt {attempt}"),
        Effect::Weigh(attempt) => format!("look up what attempt {attempt} cites"),
        Effect::Measure(attempt) => format!("measure what attempt {attempt} made"),
        Effect::Expand(attempt) => format!("expand what attempt {attempt} planned"),
        Effect::KeepOffer(attempt) => format!("keep the work of attempt {attempt}"),
        Effect::Integrate(run) => format!("integrate into {run}"),
        Effect::MoveHead(run) => format!("move the branch of {run}"),
        Effect::FinalCheck(run) => format!("check the whole of {run}"),
    }
}
