//! Deliberately broken variants: what a defect in the core or in the loop would do, as a wrapper
//! at the boundary, so that the core carries no code for it.
//!
//! Each names the oracle that must catch it. If one is not caught, the simulator proves nothing
//! about that property.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Words about an attempt are taken as words about its successor.
    FencingSkipped,
    /// What was integrated is merged again with the next batch.
    DoubleIntegration,
    /// Reservations of attempts that ended are never settled.
    ReleaseForgotten,
    /// A lease of an earlier epoch is started, not adopted.
    EarlierEpochStarted,
    /// An attempt whose start is durable is launched, whatever has become of it meanwhile.
    LaunchUnchecked,
    /// The memory goes on with events that the journal lacks.
    NotJournalled,
    /// Rows are not written with the events that changed them.
    RowNotWritten,
    /// A client is answered before the step is durable.
    AnswerBeforeDurable,
    /// A lease is started before it is durable.
    EffectBeforeAppend,
    /// An attempt that nobody holds counts as one that ended well.
    LostTreatedAsDone,
    /// Failing checks count as passing.
    VerdictIgnored,
    /// The machine's slots are not counted.
    LimitIgnored,
    /// Outcomes of commands are not stored.
    CommandNotStored,
    /// Late work of a lost attempt is dropped.
    SupersededDropped,
    /// The branch is reported as moved before it is.
    HeadNotMoved,
    /// Work is reported as collected before it is durable.
    BytesAfterEvent,
    /// An attempt is reported as stopped though its processes live.
    StopNotAwaited,
    /// What agents say to have used is not counted.
    UsageDropped,
    /// Who permits more is told that it is accepted, and it is not.
    PermissionDropped,
    /// What was planned takes its task's place twice.
    ExpandedTwice,
    /// What a superseded attempt planned is taken as its successor's.
    SupersededExpanded,
    /// A part of a task that failed has to meet less than it should.
    CriterionForgotten,
    /// What a review cites is not looked up.
    EvidenceIgnored,
    /// How long an agent is told to wait at a usage limit is not heard.
    WaitUnheard,
    /// What its owner says of how much may await a person is not heard.
    AwaitingUnheard,
    /// What is measured of a candidate is not what is told of it.
    MeasureMadeUp,
    /// Candidates are given up though their budgets permit more.
    GivenUpEarly,
}

impl Break {
    /// All of them.
    pub const ALL: [Break; 27] = [
        Break::FencingSkipped,
        Break::DoubleIntegration,
        Break::ReleaseForgotten,
        Break::EarlierEpochStarted,
        Break::LaunchUnchecked,
        Break::NotJournalled,
        Break::RowNotWritten,
        Break::AnswerBeforeDurable,
        Break::EffectBeforeAppend,
        Break::LostTreatedAsDone,
        Break::VerdictIgnored,
        Break::LimitIgnored,
        Break::CommandNotStored,
        Break::SupersededDropped,
        Break::HeadNotMoved,
        Break::BytesAfterEvent,
        Break::StopNotAwaited,
        Break::UsageDropped,
        Break::PermissionDropped,
        Break::ExpandedTwice,
        Break::SupersededExpanded,
        Break::CriterionForgotten,
        Break::EvidenceIgnored,
        Break::WaitUnheard,
        Break::AwaitingUnheard,
        Break::MeasureMadeUp,
        Break::GivenUpEarly,
    ];

    /// The oracles of which one must catch it.
    #[must_use]
    pub fn caught_by(self) -> &'static [Oracle] {
        match self {
            // A late word that is taken for another attempt's is taken from its own, too.
            Break::FencingSkipped => &[Oracle::Evidence, Oracle::NothingLost],
            Break::LostTreatedAsDone => &[Oracle::Evidence],
            Break::DoubleIntegration => &[Oracle::Tree],
            Break::ReleaseForgotten => &[Oracle::Budget, Oracle::Liveness],
            Break::EarlierEpochStarted => &[Oracle::AtMostOnce],
            // It begins in the epoch after its own, or when it is told to have ended.
            Break::LaunchUnchecked => &[Oracle::AtMostOnce, Oracle::Evidence],
            Break::NotJournalled => &[Oracle::Replay],
            // A step that fails loads them, too, and what it then goes on with is judged as such.
            Break::RowNotWritten => &[Oracle::Rows, Oracle::Replay, Oracle::Invariants],
            Break::AnswerBeforeDurable => &[Oracle::Answers],
            Break::EffectBeforeAppend => &[Oracle::AtMostOnce, Oracle::Evidence],
            Break::VerdictIgnored => &[Oracle::Evidence],
            Break::LimitIgnored => &[Oracle::Slots],
            Break::CommandNotStored => &[Oracle::Answers],
            Break::SupersededDropped => &[Oracle::NothingLost],
            Break::HeadNotMoved => &[Oracle::Branch],
            Break::BytesAfterEvent => &[Oracle::Bytes],
            Break::UsageDropped => &[Oracle::Budget],
            Break::PermissionDropped => &[Oracle::Budget],
            Break::StopNotAwaited => &[Oracle::Slots, Oracle::Writers, Oracle::Evidence],
            // An engine that loads such a journal stops by itself.
            Break::ExpandedTwice => &[Oracle::Expansion, Oracle::Panic],
            Break::SupersededExpanded => &[Oracle::Expansion],
            Break::CriterionForgotten => &[Oracle::Division],
            Break::EvidenceIgnored => &[Oracle::Review],
            Break::WaitUnheard => &[Oracle::Limits],
            Break::AwaitingUnheard => &[Oracle::Awaiting],
            Break::MeasureMadeUp | Break::GivenUpEarly => &[Oracle::Candidates],
        }
    }
}

/// What is watched, independently of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// `invariants::check` and the ledger's own.
    Invariants,
    /// The state in memory is what the journal's events give.
    Replay,
    /// What rows give is what events give.
    Rows,
    /// No attempt's process is started twice, none without a durable lease of this epoch.
    AtMostOnce,
    /// A step of completion is journalled only if it happened.
    Evidence,
    /// What an event names is durable.
    Bytes,
    /// The branch stands where the journal says.
    Branch,
    /// The tree holds each task's work once, and no other.
    Tree,
    /// No more processes than slots.
    Slots,
    /// No more awaits a person's judgment than its owner permits.
    Awaiting,
    /// One writer in a workspace.
    Writers,
    /// Nothing is used that was not reserved; nothing stays reserved.
    Budget,
    /// Nothing is started with a credential whose usage limit lasts, nor in quiet hours; and a limit
    /// costs no task an attempt.
    Limits,
    /// A command has one effect; what was answered is durable.
    Answers,
    /// Finished work is integrated, refused with reasons, or offered.
    NothingLost,
    /// What an attempt planned, and no other, takes its task's place, once; nothing sound is
    /// refused.
    Expansion,
    /// What failed and can be divided is; its parts are together all of it.
    Division,
    /// A review finds what its evidence shows, and that is done.
    Review,
    /// Of several solutions the best that passed is taken, and no other; one whose own budget is used up
    /// is given up, and holds nobody up.
    Candidates,
    /// Waiting is explained.
    Explained,
    /// It ends once faults stop and people answer.
    Liveness,
    /// The code under test panicked.
    Panic,
}
