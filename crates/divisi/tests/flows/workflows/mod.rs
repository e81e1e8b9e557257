//! Workflows from the command line to the result, by agents that do as they are told.

mod catalog;
#[path = "../../../../divisi-engine/tests/review/defects.rs"]
mod defects;
mod foreseen;
mod given;
mod rehearsing;
mod review;
mod team;
