//! Hostile agents against the real binary, real git and real processes: one test for each attack,
//! with its expected outcome.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod claims;
mod confined;
mod deliverables;
mod disk;
mod impatient;
mod late;
mod limits;
mod monitoring;
mod nowhere;
mod output;
mod planted;
mod processes;
mod secrets;
mod stage;
mod yaml;
