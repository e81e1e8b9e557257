//! Reviews of real repositories: planted defects and their mended twins, changes, hostile files,
//! and tools that are there, missing, or misbehave.

#![expect(
    clippy::unwrap_used,
    reason = "what a test's helpers cannot do is that test's failure"
)]

mod changes;
mod defects;
mod hostile;
mod planted;
mod stage;
mod tools;
