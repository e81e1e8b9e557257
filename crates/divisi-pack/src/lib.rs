//! Reads and writes text: bytes become a value and diagnostics that point at the character.
//!
//! Whatever is read here is hostile until it was parsed: size, depth and work are bounded by
//! named limits, and no fault hides another. This crate touches no file and runs nothing; the
//! caller brings the bytes and shows the diagnostics.
//!
//! - [`plan_file`] reads and writes plan files and serves their JSON Schema.
//! - [`words`] understands criteria in plain words, or says why it does not.
//! - [`folder`] writes the folder of a stage and reads back what people made of it.
//! - [`render()`] shows a diagnostic on a terminal, with the source line and a caret.
//! - [`CODES`] lists every code that this crate emits; each has a page in `docs/errors`.

mod codes;
#[cfg(test)]
mod dice;
mod faults;
mod fields;
pub mod folder;
mod json;
mod nearest;
mod paths;
pub mod plan_file;
mod render;
pub mod words;

pub use codes::CODES;
pub use nearest::nearest;
pub use render::{printable, render};
