//! What agents do, by script: each attempt's behavior is drawn once.

use divisi_core::receipt::Exit;

use crate::coverage::Fault;
use crate::repo::Quality;
use crate::rng::Rng;

/// How an attempt's agent goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Does what was asked.
    Succeeds,
    /// The same, slowly.
    Slow,
    /// Claims success and made nothing.
    Lies,
    /// Claims success with half of it.
    Half,
    /// Exits with a failure.
    Fails,
    /// Finds the work to be more than one task, having done half of it.
    TooLarge,
    /// A signal ends it.
    Dies,
    /// Does not end by itself.
    Hangs,
    /// Asks its owner and ends.
    Asks,
    /// Meets a usage limit and says so.
    Limited {
        /// How long it says to wait.
        wait_ms: Option<u64>,
    },
    /// Uses what was reserved for it up, and is ended there; does half of it until then.
    UsesUp,
    /// Makes something that must not be collected.
    BadDeliverable,
    /// Cannot be started, this time.
    NotStarted,
    /// Cannot be started at all.
    NeverStarts,
    /// Works until told to end, and then longer than it should.
    IgnoresStop,
}

impl Behavior {
    /// Draws one. Nothing goes wrong any more once it is `calm`.
    #[must_use]
    pub(crate) fn draw(rng: &mut Rng, calm: bool) -> Behavior {
        if calm {
            return Behavior::Succeeds;
        }
        match rng.below(100) {
            0..=42 => Behavior::Succeeds,
            43..=48 => Behavior::UsesUp,
            49..=54 => Behavior::Slow,
            55..=61 => Behavior::Lies,
            62..=67 => Behavior::Half,
            68..=69 => Behavior::TooLarge,
            70..=75 => Behavior::Fails,
            76..=78 => Behavior::Dies,
            79..=82 => Behavior::Hangs,
            83..=85 => Behavior::Asks,
            86..=87 => Behavior::Limited { wait_ms: None },
            88..=89 => Behavior::Limited {
                wait_ms: Some(rng.pick(&[0, 3_000, u64::MAX])),
            },
            90..=92 => Behavior::BadDeliverable,
            93..=95 => Behavior::NotStarted,
            96 => Behavior::NeverStarts,
            _ => Behavior::IgnoresStop,
        }
    }

    /// What it counts as.
    #[must_use]
    pub(crate) fn fault(self) -> Option<Fault> {
        Some(match self {
            Behavior::Succeeds | Behavior::UsesUp => return None,
            Behavior::Slow => Fault::AgentSlow,
            Behavior::Lies => Fault::AgentLies,
            Behavior::Half => Fault::AgentHalf,
            Behavior::Fails => Fault::AgentFails,
            Behavior::TooLarge => Fault::AgentOutgrown,
            Behavior::Dies => Fault::AgentDies,
            Behavior::Hangs => Fault::AgentHangs,
            Behavior::Asks => Fault::AgentAsks,
            Behavior::Limited { .. } => Fault::AgentLimited,
            Behavior::BadDeliverable => Fault::BadDeliverable,
            Behavior::NotStarted => Fault::NotStarted,
            Behavior::NeverStarts => Fault::NeverStarts,
            Behavior::IgnoresStop => Fault::AgentIgnoresStop,
        })
    }

    /// How long it works, in milliseconds; `None` if it does not end by itself.
    #[must_use]
    pub(crate) fn works_ms(self, rng: &mut Rng) -> Option<u64> {
        match self {
            Behavior::Hangs | Behavior::IgnoresStop => None,
            Behavior::Slow => Some(rng.within(15_000, 80_000)),
            Behavior::Fails | Behavior::Asks | Behavior::Limited { .. } | Behavior::Dies => {
                Some(rng.within(5, 8_000))
            }
            _ => Some(rng.within(5, 15_000)),
        }
    }

    /// Whether it would ask its model again, and so meet a limit that others have met.
    #[must_use]
    pub(crate) fn asks_on(self) -> bool {
        matches!(
            self,
            Behavior::Succeeds | Behavior::Slow | Behavior::Lies | Behavior::Half | Behavior::Fails
        )
    }

    /// What it makes, if it ends by itself.
    #[must_use]
    pub(crate) fn makes(self) -> Quality {
        match self {
            Behavior::Succeeds | Behavior::Slow | Behavior::BadDeliverable => Quality::Right,
            Behavior::Half | Behavior::Dies | Behavior::UsesUp | Behavior::TooLarge => {
                Quality::Half
            }
            _ => Quality::Nothing,
        }
    }

    /// How its process ends by itself.
    #[must_use]
    pub(crate) fn exit(self) -> Exit {
        match self {
            Behavior::Fails => Exit::Status(1),
            Behavior::Dies => Exit::Signal(11),
            _ => Exit::Status(0),
        }
    }
}
