//! The folder of one stage: what it shares, when it is complete, how it is executed.
//!
//! The folder is written for people, and people edit it: it is an input too. [`criteria`] writes
//! and reads `COMPLETION_CRITERIA.md`, whose every entry counts as it then stands. [`context`]
//! writes `CONTEXT.md`, which is read back as the text that all handoffs of the stage share.
//! [`readme`] writes `README.md`, which nothing reads back.
//!
//! Names and paths that come from targets stand in code spans, in which no mark of theirs acts.
//! Nothing here touches a file.

pub mod context;
pub mod criteria;
mod markdown;
pub mod readme;
