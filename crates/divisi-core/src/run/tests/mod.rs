//! Tests of the run aggregate, through its boundary: commands in, events out.
//!
//! Every test reads *given* a graph, *when* a command, *then* these events and no others:
//! [`bench::Bench::does`] compares the whole list. After every command the bench itself checks
//! what must always hold: the invariants, that a refusal changed nothing, that each event survives
//! its stored form, and (at the end) that replay and restoring give the same run.

mod awaiting;
mod bench;
mod choosing;
mod dividing;
mod expanding;
mod explaining;
mod graphs;
mod integrating;
mod keeping;
mod offers;
mod outgrowing;
mod people;
mod permissions;
mod remedies;
mod replacing;
mod reviewing;
mod rng;
mod sharing;
mod size;
mod table;
mod unchanged;
mod walk;
