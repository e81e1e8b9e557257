//! Has models do tasks over their APIs, so that a key or a local server alone suffices.
//!
//! `divisi adapter model` is an adapter process like those of coding agents: it reads the handoff,
//! prints the transcript, and closes with what is claimed. What a coding agent brings along is here:
//! `functions` that a model may call within its workspace, and the loop that has it call them
//! (`turns`) until it has nothing more to call, or a bound is met.
//!
//! The provider's library is fenced in `asking`: nothing else knows it, no other crate has an
//! asynchronous runtime, and nothing decides anything there. Which errors are tried again, and what
//! the others mean, is in `trouble`.

mod asking;
mod functions;
mod messages;
mod session;
mod trouble;
mod turns;

pub use asking::address;
pub use session::converse;
