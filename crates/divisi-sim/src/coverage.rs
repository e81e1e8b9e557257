//! How often each fault and each (state, event) pair of the transition table occurred.
//!
//! A simulator that never reaches a pair proves nothing about it: the counts are printed, and a
//! minimum of each is asserted over all seeds.

use std::collections::BTreeMap;
use std::fmt::Write;

use divisi_core::run::transition::{EventName, Next, StateName, next};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What went wrong on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];
        }
    };
}

faults! {
    /// The engine dies before it appends.
    KillBeforeAppend,
    /// The engine dies when its append is durable and it does not know.
    KillAfterAppend,
    /// The engine dies before it answers.
    KillBeforeAnswers,
    /// The engine dies after it answered, before it acts.
    KillBeforeReconcile,
    /// The engine dies when it has begun some effects.
    KillAmidEffects,
    /// The engine dies between steps.
    KillAnytime,
    /// The power fails: engine, supervisor and agents are gone.
    PowerLoss,
    /// The power loss took batches that were not synchronised.
    TornTail,
    /// An append finds the disk full.
    AppendFull,
    /// An append fails.
    AppendFails,
    /// An append is written and reports a failure.
    AppendAmbiguous,
    /// Rows are of another version and are dropped.
    RowsDropped,
    /// The supervisor dies.
    SupervisorKilled,
    /// It leaves agents that go on writing.
    Orphans,
    /// Engine and supervisor lose their connection.
    ConnectionLost,
    /// A plan that awaits approval is replaced.
    PlanReplaced,
    /// A plan that an agent made of the whole awaits approval.
    PlanAwaits,
    /// Its owner refuses it.
    PlanRefused,
    /// An agent asks leave for something.
    PermissionAsked,
    /// The next engine is told what was not answered.
    PermissionToldAgain,
    /// A word arrives twice.
    WordTwice,
    /// A word arrives late, after words that were said later.
    WordDelayed,
    /// A word about an attempt that is over arrives.
    WordLate,
    /// A word between aggregates does not arrive in its step.
    CrossingLater,
    /// A word between aggregates arrives twice.
    CrossingTwice,
    /// An effect fails for a reason of ours.
    EffectFails,
    /// A workspace cannot be prepared.
    NotPrepared,
    /// An attempt whose start is durable is not launched: it is to be stopped, or its epoch is over.
    NotLaunched,
    /// An effect happened, and the engine died before it heard.
    EffectUnheard,
    /// An effect that is not owed any more reports.
    EffectLate,
    /// Files from outside are not there yet.
    ExternalLate,
    /// A client repeats a command.
    CommandRepeated,
    /// A command does not fit the state.
    CommandStale,
    /// A budget is used up, and its run pauses.
    BudgetUsedUp,
    /// A budget is changed by its owner.
    BudgetChanged,
    /// Its owner would permit less than is taken already.
    PermittedTooLittle,
    /// An attempt gets less than its task's time box, since its budget leaves no more.
    BoxShortened,
    /// It is ended there.
    OverBudget,
    /// An agent uses more than was reserved for it.
    Overshot,
    /// An agent does not say what it used.
    UsageUnsaid,
    /// An agent is ended since its reservation is used up.
    UsedUp,
    /// One task's budget is used up, and its run pauses for that.
    TaskUsedUp,
    /// The day's budget is used up.
    DayUsedUp,
    /// An agent claims success and made nothing.
    AgentLies,
    /// An agent claims success with half of it.
    AgentHalf,
    /// An agent exits with a failure.
    AgentFails,
    /// An agent finds its work to be more than one task.
    AgentOutgrown,
    /// A signal ends an agent.
    AgentDies,
    /// An agent does not end.
    AgentHangs,
    /// An agent asks.
    AgentAsks,
    /// An agent meets a usage limit.
    AgentLimited,
    /// A second attempt meets the usage limit that the first one met.
    LimitMetAgain,
    /// A task waited for the end of a usage limit that another agent met.
    LimitShared,
    /// A task is done with another credential, since the usual one is limited.
    OtherCredential,
    /// A task is done by another agent, since its own is limited.
    OtherAgent,
    /// A usage limit lasts for longer than it is waited for, and its run pauses.
    PausedAtLimit,
    /// Somebody does not wait for a usage limit to end.
    LimitLifted,
    /// An agent is slow.
    AgentSlow,
    /// An agent does not end when told.
    AgentIgnoresStop,
    /// What an agent made must not be collected.
    BadDeliverable,
    /// A composition lacks its template or an input.
    NotComposed,
    /// An agent cannot be started, this time.
    NotStarted,
    /// An agent cannot be started at all.
    NeverStarts,
    /// The watcher gives up an attempt that lives.
    FalseLoss,
    /// The watcher suspects an attempt without reason.
    FalseSuspicion,
    /// The watcher takes a slow attempt for stalled.
    FalseStall,
    /// An attempt is past its time box.
    Overdue,
    /// Work contradicts what was integrated meanwhile.
    Conflict,
    /// Work holds alone, but not together.
    IntegrationRefused,
    /// The whole does not hold.
    FinalRefused,
    /// What an attempt planned cannot be read.
    PlanUnreadable,
    /// It can be read, but not run.
    PlanUnsound,
    /// It is read again, and told a second time.
    ExpandedAgain,
    /// A task that plans takes the place of one that outgrew itself.
    Outgrown,
    /// What it planned takes its place.
    OutgrownPlanned,
    /// A task that failed is split.
    SplitOnFailure,
    /// One of its parts is split again.
    SplitAgain,
    /// A review cites what is not there.
    ReviewVoid,
    /// A review finds that something does not hold.
    ReviewRefuses,
    /// Something was not begun until a person judged others.
    HeldBack,
    /// The whole is reviewed.
    WholeReviewed,
    /// Late work is taken as a new attempt's.
    OfferAdopted,
    /// Late work is given up.
    OfferDiscarded,
    /// A candidate had ended without passing when its task chose.
    CandidateGivenUp,
    /// A candidate is given up since its own budget is used up.
    CandidateUsedUp,
}

/// Counts over one or many runs.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    faults: BTreeMap<Fault, u64>,
    pairs: BTreeMap<(StateName, EventName), u64>,
    /// Steps of engines.
    pub steps: u64,
    /// Events journalled.
    pub events: u64,
}

impl Coverage {
    /// A fault occurred.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// A task met an event in a state.
    pub fn pair(&mut self, state: StateName, event: EventName) {
        *self.pairs.entry((state, event)).or_default() += 1;
    }

    /// How often a fault occurred.
    #[must_use]
    pub fn of_fault(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    /// How often a pair occurred.
    #[must_use]
    pub fn of_pair(&self, state: StateName, event: EventName) -> u64 {
        self.pairs.get(&(state, event)).copied().unwrap_or(0)
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Coverage) {
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (pair, count) in &other.pairs {
            *self.pairs.entry(*pair).or_default() += count;
        }
        self.steps += other.steps;
        self.events += other.events;
    }

    /// What occurred less often than it must, in words. Every pair that the table accepts must be
    /// reached: one that cannot be does not belong into the table.
    #[must_use]
    pub fn lacks(&self, faults_min: u64, pairs_min: u64) -> Vec<String> {
        let mut lacks = Vec::new();
        for &fault in Fault::ALL {
            let count = self.of_fault(fault);
            if count < faults_min {
                lacks.push(format!("fault {fault:?} occurred {count} times"));
            }
        }
        for (state, event) in accepted_pairs() {
            let count = self.of_pair(state, event);
            if count < pairs_min {
                lacks.push(format!("{state:?} with {event:?} occurred {count} times"));
            }
        }
        lacks
    }

    /// The counts as a table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = format!("{} steps, {} events\n\n", self.steps, self.events);
        for &fault in Fault::ALL {
            let _ = writeln!(out, "{:>10}  {fault:?}", self.of_fault(fault));
        }
        out.push('\n');
        for (state, event) in accepted_pairs() {
            let count = self.of_pair(state, event);
            let _ = writeln!(out, "{count:>10}  {state:?} + {event:?}");
        }
        out
    }
}

fn accepted_pairs() -> impl Iterator<Item = (StateName, EventName)> {
    let all = StateName::ALL
        .into_iter()
        .flat_map(|state| EventName::ALL.map(|event| (state, event)));
    all.filter(|(state, event)| next(*state, *event) != Next::Refused)
}
