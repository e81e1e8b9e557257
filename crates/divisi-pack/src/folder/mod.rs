//! The folder of one stage: what it shares, when it is complete, how it is executed.
//!
//! The folder is written for people, and people edit it: it is an input too. [`criteria`] writes
//! and reads `COMPLETION_CRITERIA.md`, whose every entry counts as it then stands. [`context`]
//! writes `CONTEXT.md`, which is read back as the text that all handoffs of the stage share.
//! [`readme`] writes `README.md`, which nothing reads back.
//!
//! Each document is filled from a template of its name (`CONTEXT.md.j2` and so on), which a project
//! may replace; its values are entries ready to stand in a list. Names and paths that come from
//! targets stand in code spans, in which no mark of theirs acts.
//!
//! [`manifest`] says what the documents leave out: who is given what, and the tasks. [`stage`] reads
//! the whole folder as it stands. Nothing here touches a file.

pub mod context;
pub mod criteria;
pub mod manifest;
mod markdown;
pub mod readme;
pub mod stage;

use minijinja::Value;

pub(crate) use markdown::one_line;

use crate::template::{Fault, Templates};

/// The largest document of a folder that is written, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 8 << 20;

/// The folder of the prompts, within the folder.
pub const PROMPTS: &str = "agent-prompts";

/// Fills the template of a document.
fn fill(templates: &Templates<'_>, document: &str, values: Value) -> Result<String, Fault> {
    let name = format!("{document}.j2");
    let bytes = templates.fill(&name, values, DOCUMENT_BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The templates that Divisi ships, for tests of the documents.
#[cfg(test)]
fn built_in() -> Templates<'static> {
    Templates::new(crate::template::BUILT_IN.iter().copied())
}
