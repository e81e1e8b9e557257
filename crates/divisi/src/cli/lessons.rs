//! The command line of lessons.

use clap::{Args, Subcommand};

/// `divisi lessons`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lessons {
    /// What to do; without it, all lessons are listed.
    #[command(subcommand)]
    pub(crate) command: Option<LessonsCommand>,
}

/// What is done with lessons.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LessonsCommand {
    /// List all lessons, and whether somebody has decided on them
    List,
    /// Print where a lesson comes from, and its diff
    Show(Lesson),
    /// Apply a lesson's diff to the project's own file
    Approve(Lesson),
    /// Say that a lesson is not wanted; it is not proposed again
    Reject(Lesson),
}

/// A lesson.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lesson {
    /// The lesson, as `divisi lessons list` names it
    #[arg(value_name = "LESSON")]
    pub(crate) id: String,
}
