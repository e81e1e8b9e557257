//! Speaks to agents: one trait, quirks as data, one contract suite.
//!
//! An [`Agent`] turns an [`Assignment`] — a [`Handoff`], the task, a workspace — into a
//! [`Launch`], and what is seen of its end into a [`Claim`]. It starts nothing itself: processes
//! belong to the supervisor, so that they survive the engine and can be swept, capped and
//! confined. An agent that is spoken to over a protocol, such as ACP, a command line tool's JSON
//! stream or a model's API, is therefore a command line too: an *adapter process* that holds the
//! conversation. Nothing here judges: success is the verdict of checks.
//!
//! - [`agent`] holds the trait and its types, [`command`], [`person`] and [`scripted`] implement
//!   it, [`contract`] says what every implementation keeps to.
//! - [`handoff`] is exactly what an attempt is given.
//! - [`beneath`] writes files where an agent may have put links.
//! - [`environment()`] decides which variables an agent's process sees.

pub mod adapter;
pub mod agent;
pub mod beneath;
pub mod command;
pub mod contract;
pub mod environment;
pub mod handoff;
pub mod local;
pub mod person;
pub mod scripted;

pub use agent::{
    Agent, Assignment, CLAIM_BYTES_MAX, Claim, Description, Figures, InProcess, Kind, Launch,
    LaunchFault, Monitoring, Process, Progress, Told,
};
pub use command::CommandAgent;
pub use environment::{Environment, environment, mask};
pub use handoff::{Answer, Feedback, Handoff};
pub use person::PersonAgent;
pub use scripted::{Played, ScriptedAgent, run_script};
