//! Compose tasks: one document or data file from the artifacts of others (G3, G4).
//!
//! [`compose`] is pure: bytes from a [`Request`]. With a template it fills that, without one it
//! puts the inputs one after the other. Only the template is rendered: artifacts, titles and
//! evidence are data, whatever they look like. A template sees its inputs and nothing else; it can
//! include no file and call nothing.
//!
//! Its steps, its nesting and its output are bounded here. What it holds in between is not: a
//! dozen assignments can double a text beyond any memory, and the template may stand in the tree,
//! where an agent wrote it. So the engine does not call [`compose`] with a template itself: it
//! starts [`work`] as the attempt's process, under the supervisor's limits of memory and time,
//! with the request on its standard input.

/// The exit status with which `divisi compose` refuses a request that it will refuse every time.
/// Any other end, a signal for instance, is an end like that of any program.
pub const REFUSED_STATUS: i32 = 1;

/// The exit status with which it says that the machine was in its way, a full disk for instance.
pub const HINDERED_STATUS: i32 = 8;

mod render;
mod request;

pub use divisi_pack::template::TEMPLATE_BYTES_MAX;
pub use render::{OUTPUT_BYTES_MAX, compose, concatenate};
pub use request::{
    Artifact, Facts, Fault, INPUTS_BYTES_MAX, Input, Request, Verdict, WORK_MEMORY_BYTES_MAX, work,
};

#[cfg(test)]
mod tests;
