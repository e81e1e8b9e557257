//! The supervisor: a small second process of the same binary that owns every agent's process.
//!
//! It exists so that agents outlive the engine, and so that nothing of an agent outlives its
//! attempt. It is the sub-reaper of everything it starts, so that a descendant that leaves its
//! parents falls to it, and it notes what it holds, so that its successor can end what a killed
//! one left. It decides nothing: it starts, observes and ends what it is told, and reports.
//!
//! - [`serve`] is the process's whole life, one thread and one `poll`. A throw-away thread is
//!   used only to start a confined process.
//! - [`Client`] is the engine's end: it finds or starts the supervisor and exchanges the words of
//!   [`divisi_core::worker`] with it, one JSON object a line, over a socket of this user.
//!
//! What it promises:
//! - a job is started at most once, until its result is forgotten;
//! - a note is written before the word that rests on it;
//! - [`Ended`](divisi_core::worker::FromWorker::Ended) comes after the sweep, within the job's
//!   grace and two seconds once it was told to end, with a proof whether anything is left;
//! - output is masked, digested and capped, and takes little memory however much it is;
//! - a process is signaled only if it is an unreaped child or was verified by its start time.
//!
//! What it deliberately does not do: judge results, restart anything, read configuration, know
//! of tasks. It does not defend itself against a process of the same user that is not confined
//! and sends it KILL: then its successor cleans up, and the attempts are lost.
//!
//! Files, from the outside in: `client`, `connection`, `serve` (the loop), `words`
//! (what the engine says), `process` (what makes
//! a process a supervisor), `job` (one live job), `asking` (what it asks leave for), `sweep` (ends trees), `recover`, `notes`,
//! `log` and `mask` (output), `spawn` and `confine` (starting), `proc` (looking and signaling),
//! `paths`, `error`.

mod agents;
mod asking;
mod client;
mod confine;
mod connection;
mod error;
mod job;
mod log;
mod mask;
mod notes;
mod paths;
mod proc;
mod process;
mod recover;
mod serve;
mod spawn;
mod sweep;
mod words;

pub use agents::is_agent;
pub use client::{Client, Gone, JoinOptions, Joined, Words};
pub(crate) use connection::peer;
pub use error::{JoinError, ServeError, SocketError};
pub(crate) use log::grows_to as log_grows_to;
pub use paths::{prepare_socket_folder, socket_folder};
pub use serve::{ServeOptions, serve};
