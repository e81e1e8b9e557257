//! The core of Divisi: it decides, and does nothing else.
//!
//! Given a state, a command and a time, the core returns events or a typed refusal. It knows no
//! clock, file, network, process, thread or random number: time and ids arrive in commands. That
//! is why it can be replayed after a crash, run a million times in a simulator, and tested in
//! milliseconds. Everything else acts on what is decided here.
//!
//! - [`plan`] says what is to be done, [`criterion`] when it is done.
//! - [`intent`] says what for, and how a plan came of it.
//! - [`run`] is the aggregate that carries a plan from creation to its end.
//! - [`ledger`] is the aggregate that owns budgets.
//! - [`assign`] is the one pure function that shares workers among all runs.
//! - [`permission`] holds what agents ask leave for, and the rules by which they get it.
//! - [`path`] proves that a path from outside stays beneath its root.
//! - [`script`] holds what scripted agents play.
//! - [`figure`] holds a number that a program printed.
//! - [`secret`] says which names are those of secrets.
//! - [`shell`] words commands as one types them.
//! - [`worker`] holds the types of the protocol between engine and supervisor.
//! - [`journal`] holds the traits that the shell implements.

pub mod assign;
pub mod criterion;
pub mod diagnostic;
pub mod figure;
pub mod ids;
pub mod intent;
pub mod journal;
pub mod ledger;
pub mod path;
pub mod permission;
pub mod plan;
pub mod preparation;
pub mod receipt;
pub mod run;
pub mod script;
pub mod secret;
pub mod shell;
pub mod worker;

pub use criterion::{Criterion, Format, Holds, Outcome, Verdict};
pub use diagnostic::Diagnostic;
pub use ids::{AttemptId, CommandId, Commit, Digest, Epoch, RunId, TaskId, TaskNo, Time, Tree};
pub use intent::Intent;
pub use plan::{Plan, TaskKind, TaskSpec, WorkspaceKind};
pub use preparation::Preparation;
