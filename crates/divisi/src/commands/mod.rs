//! One file a command.

pub(crate) mod act;
pub(crate) mod gc;
pub(crate) mod run;
