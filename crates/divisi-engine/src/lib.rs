//! Acts on what the core decides: checks what was made.

pub mod checks;
pub mod files;
