//! What counts as large and what as small. The run has these figures from its creation, so that
//! whoever goes on with it judges its plans by the same ones.

use serde::{Deserialize, Serialize};

/// The figures by which requests, plans and tasks are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sizes {
    /// A request that means more files than this is no simple one.
    pub files_max: u64,
    /// One that states more work than this, in milliseconds, is no simple one.
    pub ms_max: u64,
    /// One that states more tokens than this is no simple one.
    pub tokens_max: u64,
    /// From so many lines on a change is no longer judged in one piece (G1). It is advice: what T1
    /// counts, which is files, time and tokens, decides where it says otherwise.
    pub lines_advised: u64,
    /// A change of fewer lines is not split (G1): it is judged at a glance, and its parts would cost
    /// more than they are.
    pub split_lines_min: u64,
    /// What takes less than this, in milliseconds, is done whole (G1): a quarter of an hour of work
    /// is judged at a glance, and each part would cost a handoff, a workspace and checks of its own.
    pub split_ms_min: u64,
    /// Splits nest at most so deep (G1): below that, smaller pieces cost more than they help.
    pub split_depth_max: u32,
    /// A task that is expected to take longer than this, in milliseconds, is warned of: its result
    /// is no longer judged at a glance.
    pub task_advised_ms: u64,
    /// A task that is expected to take longer than this, in milliseconds, is a fault. That is so
    /// much work (T2); as much time to review it (G1) would only be advised against, and where the
    /// two disagree the first decides. Lines, of which G1 speaks too, no task is estimated in.
    pub task_ms_max: u64,
    /// A task that is expected to take more tokens than this is a fault.
    pub task_tokens_max: u64,
    /// A task changes at most so many files.
    pub task_files_max: u64,
    /// A request that becomes fewer tasks of agents than this, but more than one, is split for
    /// little.
    pub tasks_min: u64,
    /// A request becomes at most so many tasks of agents.
    pub tasks_max: u64,
    /// A plan has at most so many stages one after the other: with more, the work is probably cut
    /// too finely.
    pub stages_max: u64,
}

impl Sizes {
    /// The usual figures.
    pub const USUAL: Sizes = Sizes {
        files_max: 3,
        ms_max: 30 * 60_000,
        tokens_max: 20_000,
        lines_advised: 500,
        split_lines_min: 100,
        split_ms_min: 15 * 60_000,
        split_depth_max: 2,
        task_advised_ms: 20 * 60_000,
        task_ms_max: 30 * 60_000,
        task_tokens_max: 20_000,
        task_files_max: 3,
        tasks_min: 3,
        tasks_max: 10,
        stages_max: 10,
    };

    pub(super) fn are_usual(&self) -> bool {
        *self == Sizes::USUAL
    }
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes::USUAL
    }
}
