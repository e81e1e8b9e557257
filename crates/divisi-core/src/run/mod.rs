//! The Run aggregate: one plan from its creation to its end.
//!
//! A run owns its plan's revisions, its tasks, their attempts, the verdicts on them and their
//! integration. It owns neither budgets (the [`crate::ledger`] does) nor processes (the
//! supervisor does) nor any clock. It is used through five functions:
//!
//! - [`Run::decide`] turns a command into events, or refuses it.
//! - [`Run::apply`] turns an event into state. It cannot fail and holds no policy.
//! - [`Run::owed`] lists the effects that should be under way; the shell closes the gap.
//! - [`explain::explain`] says why a task is not further, and which command changes that.
//! - [`invariants::check`] says what a sane run is.
//!
//! The states of a task and the events that move it stand in one table, [`transition`]. It is
//! consulted when an event is decided and when it is applied, so that live writing and replay
//! cannot differ.
//!
//! Where what stands:
//!
//! - what a run is: `state`, `task`, `attempt`, `agents`, `defined`, `settings`, `links`;
//! - what can be asked and what happened: `command`, `event`;
//! - deciding: `decide` names who decides what: `lease`, `completion`, `integration`, `parts`, `reviews`,
//!   `candidates`, `permissions`, `person`, `offer` and `halt`, with `remedy` for what policy does after a failure,
//!   `division` for how it makes one task several, and `spending` for what attempts used;
//! - applying: `creation` for the first event, `apply` for all others; `indexes` and `owed` keep what
//!   follows from the state;
//! - telling: `explain`, `unreviewed`, `kept`, `stored`, `invariants`.

mod agents;
mod apply;
mod attempt;
mod awaiting;
mod candidates;
mod command;
mod completion;
mod creation;
mod decide;
mod defined;
mod division;
mod event;
pub mod explain;
mod halt;
mod indexes;
mod integration;
pub mod invariants;
mod kept;
mod lease;
mod links;
mod offer;
mod outgrown;
mod owed;
mod parts;
mod permissions;
mod person;
mod promises;
mod remedy;
mod replace;
mod reviews;
mod settings;
mod sizes;
pub mod spending;
mod state;
pub mod stored;
mod task;
#[cfg(test)]
mod tests;
pub mod transition;
mod unreviewed;

pub use agents::{
    AGENT_AUTO, AGENT_COMMAND, AGENT_COMPOSE, AGENT_EXPAND, AGENT_EXTERNAL, AGENT_MODEL,
    AGENT_PERSON, AGENT_SCRIPTED, AGENTS, AGENTS_INSTALLABLE, AGENTS_PREFERRED, Reports, Unsaid,
    agent_of, asks_model, holds_slot, is_process, is_scripted, name_of, reports, unsaid,
};
pub use attempt::{Attempt, AttemptEnd, Ending, Failure, Phase, StopReason};
pub use candidates::Chosen;
pub use command::{Accepted, Command, Create, Finding, Merged, Rejection, Said};
pub use decide::create;
pub use defined::{
    DEFINED_PREFIX, Defined, DefinedModel, DefinedProgram, ModelBounds, Provider, Speaks,
    is_definable, is_given_name,
};
pub use event::{Event, KINDS, KINDS_OF_STRUCTURE, PauseReason, PreparedCommit, Then};
pub(crate) use indexes::{Class, ready_key};
pub use owed::Effect;
pub use parts::{Beginning, PLAN_NESTING_MAX};
pub use remedy::words as end_words;
pub use reviews::{Subject, VERDICT_FILE, citable};
pub use settings::{Budget, Grants, Price, Settings, Telling};
pub use sizes::Sizes;
pub use state::{Base, Counts, Final, Integration, Run, RunStatus};
pub use task::{Answer, Task, TaskState, TaskStatus, Unheld};
pub use unreviewed::Unreviewed;
