//! The engine: it acts on what the core decides.
//!
//! One loop owns all state. Everything that can wake it is a variant of one closed enum; a step
//! is decided, made durable, and only then answered and acted upon.

pub mod checks;
pub mod compose;
pub mod control;
pub mod engine;
pub mod facts;
pub mod failpoint;
pub mod files;
mod guides;
mod handoff;
pub mod memory;
pub mod monitor;
mod permission;
pub mod reconcile;
pub mod repo;
pub mod review;
mod scratch;
pub mod simulate;
pub mod supervisor;
pub mod validation;
pub mod workspace;
pub mod world;
