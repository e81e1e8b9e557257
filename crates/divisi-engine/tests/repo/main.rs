//! The private repository, workspaces and integration, with real git in temporary folders.

#![expect(
    clippy::unwrap_used,
    reason = "what a test's helpers cannot do is that test's failure"
)]

mod base;
mod collect;
mod crash;
mod deliver;
mod documentation;
mod hostile;
mod layers;
mod merge;
mod project;
mod provisions;
mod prune;
mod uncommitted;
mod working;
mod workspaces;
