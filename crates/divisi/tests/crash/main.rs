//! The real binary, killed at every place and at any time, comes to the same end.
//!
//! Each test has a project of its own with a plan that uses what there is: worktrees, a shared
//! workspace, a composition, a task that fails first, two tasks that conflict, checks that run
//! programs, effects outside the workspace. Whatever is killed on the way, `divisi resume` brings it
//! to the end at which an undisturbed run arrives (`outcome.rs` says what that means).
//!
//! Nothing here depends on how fast the machine is. Where a test must wait for another process it
//! looks again until a deadline that only a defect reaches.

#![expect(
    clippy::unwrap_used,
    reason = "what a test prepares either works or is the failure it reports"
)]

#[path = "../flows/bundled.rs"]
mod bundled;
mod candidates;
mod failpoints;
mod graph;
mod halves;
mod holders;
mod losses;
mod names;
mod outcome;
mod people;
mod planned;
mod random;
mod receipts;
mod reviews;
mod rules;
mod signals;
mod stage;
