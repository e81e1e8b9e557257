//! The kernel's ordinary promises, end to end: the real binary, real git, real processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod advice;
mod bases;
mod bounds;
mod budgets;
mod bundled;
mod candidates;
mod cleaning;
mod composing;
mod composition;
mod configuration;
mod consenting;
mod expansions;
mod feedback;
mod first_minute;
mod found;
mod generating;
mod intents;
mod lessons;
mod limits;
mod merging;
#[path = "../agents/model/mod.rs"]
#[expect(dead_code, reason = "shared with other suites")]
mod model;
mod models;
mod own_agents;
mod packs;
mod people;
mod permissions;
#[path = "../agents/plans.rs"]
mod plans;
mod preparation;
mod review;
mod reviewing;
mod rules;
mod saving;
mod shown;
mod spared;
mod splitting;
#[path = "../hostile/stage.rs"]
mod stage;
mod stopping;
mod telling;
mod trust;
mod unchanged;
mod watching;
mod whole;
mod workflows;
