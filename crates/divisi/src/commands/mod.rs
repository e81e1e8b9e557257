//! One file per command.
//!
//! Commands that only look read the journal themselves, so they answer the same whether an engine
//! runs or not. Those that act ask the engine.

pub(crate) mod act;
pub(crate) mod adapter;
pub(crate) mod agents;
pub(crate) mod assess;
pub(crate) mod budget;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod feedback;
mod flags;
pub(crate) mod gc;
pub(crate) mod generate;
pub(crate) mod init;
pub(crate) mod lessons;
pub(crate) mod logs;
pub(crate) mod merge;
pub(crate) mod permissions;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod validate;
pub(crate) mod watch;
pub(crate) mod workflow;
