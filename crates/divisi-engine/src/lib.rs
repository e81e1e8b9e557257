//! Acts on what the core decides: checks what was made, composes documents from it.

pub mod checks;
pub mod compose;
pub mod files;
