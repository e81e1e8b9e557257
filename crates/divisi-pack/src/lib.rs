//! Reads and writes text: bytes become a value and diagnostics that point at the character.
//!
//! Whatever is read here is hostile until it was parsed: size, depth and work are bounded by
//! named limits, and no fault hides another. This crate touches no file and runs nothing; the
//! caller brings the bytes and shows the diagnostics.
//!
//! - [`plan_file`] reads and writes plan files and serves their JSON Schema.
//! - [`role`] reads roles and puts the project's, the user's and the built-in ones together.
//! - [`workflow`] reads workflows and serves their JSON Schema.
//! - [`area`] says what files are there for, by their paths.
//! - [`assess`](mod@assess) says how a request is to be handled, and by which rules.
//! - [`bundle`] puts workflows together with roles, templates and inputs, and expands them to tasks.
//! - [`budget`] reads budgets as people write them.
//! - [`allocation`] says what one agent is given, and at what risk.
//! - [`estimate`] says what a plan is expected to take, in the forms that plans hold.
//! - [`config`] reads configuration, and is the one definition of every setting.
//! - [`rehearsal`] reads by which rules scripted agents do handoffs, and makes scripts of them.
//! - [`request`] says what is in a request that somebody types.
//! - [`template`] fills templates within bounds.
//! - [`words`] understands criteria in plain words, or says why it does not.
//! - [`folder`] writes the folder of a stage and reads back what people made of it.
//! - [`handoff`] reads handoffs that others wrote, and loses nothing of them.
//! - [`saved`] makes a workflow of what a run did.
//! - [`lint`] says what is wrong with a plan before anything is spent on it.
//! - [`skill`] reads what a skill of a repository says of itself.
//! - [`lesson`] is the form of lessons, and makes and applies their diffs.
//! - [`planner`] makes plans of requests by rule.
//! - [`render()`] shows a diagnostic on a terminal, with the source line and a caret.
//! - [`CODES`] lists every code that this crate emits; each has a page in `docs/errors`.

pub mod allocation;
pub mod area;
pub mod assess;
pub mod budget;
pub mod bundle;
mod codes;
pub mod config;
#[cfg(test)]
mod dice;
pub mod estimate;
mod faults;
mod fields;
pub mod folder;
pub mod handoff;
mod json;
pub mod lesson;
pub mod lint;
#[cfg(test)]
mod mutations;
mod nearest;
mod paths;
mod pattern;
mod placeholder;
pub mod plan_file;
pub mod planner;
pub mod rehearsal;
mod render;
pub mod request;
pub mod role;
pub mod saved;
pub mod skill;
mod stated;
pub mod template;
mod text;
pub mod verdict_file;
pub mod words;
pub mod workflow;
mod yaml;

pub use codes::CODES;
pub use nearest::nearest;
pub use render::{printable, render};
pub use yaml::TEXT_BYTES_MAX;
