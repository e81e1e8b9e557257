//! Checks: deterministic evaluation of criteria on a tree (F6, X2).
//!
//! One verdict a criterion, in order, with evidence that says what was expected and what came;
//! it goes into the next handoff and is the only thing an agent learns from a refusal. Cheap
//! criteria read files through [`crate::files::Files`]; command criteria run through
//! [`Programs`], which the engine implements with the supervisor. Nothing here starts a process,
//! writes a file or looks at anything outside the tree. Each check is bounded in time and memory
//! by the limits named beside it; a file beyond a limit fails its check. An error of ours, such
//! as a disk that cannot be read, is never a verdict: it is a [`CheckError`].

mod cites;
mod each;
mod evaluate;
mod evidence;
mod format;
mod markdown;
mod paths;
mod schema;
mod text;

pub use cites::{CITED_BYTES_MAX, CITED_FILE_BYTES_MAX, CITED_LINES_MAX, CITED_PLACES_MAX};
pub use each::{EACH_BYTES_MAX, EACH_FILES_MAX};
pub use evaluate::{CheckError, ProgramEnd, Programs, cheap, evaluate};
pub use evidence::printable;
pub(crate) use evidence::short;
pub use format::{DEPTH_MAX, JSON_BYTES_MAX, PARSED_BYTES_MAX};
pub use markdown::MARKDOWN_BYTES_MAX;
pub use paths::GLOB_BYTES_MAX;
pub use schema::{SCHEMA_BYTES_MAX, SCHEMA_REFERENCES_MAX, SCHEMA_STEPS_MAX};
pub use text::{HARD_BYTES_MAX, MATCHED_BYTES_MAX, PATTERN_PROGRAM_BYTES_MAX, SEARCHED_BYTES_MAX};

#[cfg(test)]
mod tests;
