//! Lessons: changes to a project's own texts, as diffs that somebody reviews.
//!
//! A lesson says where it comes from and what it would change. Here are its form, the edits that
//! make one, and what applying it gives; files are the caller's. An edit touches the lines that it
//! must, so that comments and layout of the text stay; the result is read back, and what would
//! change more than was meant is no edit at all.

mod edit;
mod notes;
#[cfg(test)]
mod tests;

use diffy::{DiffOptions, Patch};
use serde::{Deserialize, Serialize};

pub use edit::{bind_role, extend_template, put_setting};
pub use notes::{NOTE_BYTES_MAX, notes};

/// The form of a lesson's file.
pub const VERSION: u32 = 1;

/// The longest file of a lesson: its diff has a few lines of a text of at most this size.
pub const LESSON_BYTES_MAX: usize = 1 << 20;

/// Whether somebody has decided on a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its review.
    Proposed,
    /// It was applied.
    Approved,
    /// It is not wanted, and is not proposed again.
    Rejected,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Status::Proposed => "proposed",
            Status::Approved => "approved",
            Status::Rejected => "rejected",
        }
    }
}

/// A change to a text of the project, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// [`VERSION`].
    pub version: u32,
    /// Its name, the same for the same lesson: see [`id`].
    pub id: String,
    /// Whether it was decided on.
    pub status: Status,
    /// The run it was learned from.
    pub run: String,
    /// The rule that found it.
    pub rule: String,
    /// What was seen, in figures.
    pub seen: String,
    /// The file that it changes, beneath the project's folder.
    pub target: String,
    /// Where the text stood that the diff was made of.
    pub made_of: String,
    /// The change, as a unified diff.
    pub diff: String,
}

/// The name of a lesson: a digest of what makes it this one.
#[must_use]
pub fn id(rule: &str, target: &str, words: &str) -> String {
    let digest = blake3::hash(format!("{rule}\0{target}\0{words}").as_bytes());
    format!("lesson-{}", &digest.to_hex()[..8])
}

/// The unified diff of two texts of a file.
#[must_use]
pub fn diff(path: &str, before: &str, after: &str) -> String {
    let mut options = DiffOptions::new();
    options
        .set_original_filename(format!("a/{path}"))
        .set_modified_filename(format!("b/{path}"));
    options.create_patch(before, after).to_string()
}

/// What applying a lesson comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// The text has the change already.
    Already,
    /// The text with the change.
    Changed(String),
    /// The text is not what the diff was made of, and why.
    Stale(String),
}

/// Applies a diff to a text as it stands now.
pub fn apply(diff: &str, text: &str) -> Applied {
    let patch = match Patch::from_str(diff) {
        Ok(patch) => patch,
        Err(error) => return Applied::Stale(error.to_string()),
    };
    // Lines that were added at the end would be added once more.
    if !text.is_empty() && diffy::apply(text, &patch.reverse()).is_ok() {
        return Applied::Already;
    }
    // Without a line around them, added lines would fit anywhere.
    let is_of_nothing = patch.hunks().iter().all(|hunk| hunk.old_range().is_empty());
    if is_of_nothing && !text.is_empty() {
        return Applied::Stale("it was made of an empty file".to_owned());
    }
    match diffy::apply(text, &patch) {
        Ok(changed) => Applied::Changed(changed),
        Err(error) => Applied::Stale(error.to_string()),
    }
}
