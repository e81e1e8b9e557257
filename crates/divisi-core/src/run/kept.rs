//! Commits that somebody may still come back to. All others of a run were integrated, which makes
//! them part of its head, or given up.

use std::collections::BTreeSet;

use super::attempt::{AttemptEnd, Ending, Phase, snapshot_of};
use super::state::Run;
use super::task::{Task, TaskStatus};
use crate::ids::Commit;
use crate::receipt::Receipt;

impl Run {
    /// The commits that must be kept: what the run stands on and where it stands, work that is under
    /// way, work that came late and is offered, what was integrated, and the attempts at tasks that
    /// may yet be tried again, judged, or looked at before that.
    #[must_use]
    pub fn commits_kept(&self) -> BTreeSet<&Commit> {
        let own = [&self.base.commit, &self.integration.head];
        let mut kept: BTreeSet<&Commit> = own.into_iter().flatten().collect();
        let of_tasks = self.tasks().iter();
        kept.extend(of_tasks.flat_map(|task| kept_of(task, self.ended.is_some())));
        kept
    }
}

fn kept_of(task: &Task, has_ended: bool) -> BTreeSet<&Commit> {
    let mut kept = BTreeSet::new();
    if let Some(live) = task.live() {
        kept.extend(&live.base);
        let made = [live.snapshot(), live.adopts.as_ref()];
        kept.extend(made.into_iter().flatten().map(|snapshot| &snapshot.commit));
        if let Phase::Prepared { commit, .. } = &live.phase {
            kept.insert(commit);
        }
    }
    let given_up = is_over(task.status(), has_ended);
    for ending in &task.endings {
        // Adopted and integrated, it is a part of the head.
        let is_taken = |number: u32| {
            let ending = task.ending(number);
            ending.is_some_and(|ending| ending.end == AttemptEnd::Integrated)
        };
        let offer = ending
            .offered()
            .filter(|_| !ending.adopted_as.is_some_and(is_taken));
        kept.extend(offer.map(|offer| &offer.commit));
        match ending.end {
            AttemptEnd::Integrated => kept.extend(integrated(ending)),
            // Whether or not it was taken: whoever wonders looks at all of them.
            AttemptEnd::Measured => {
                kept.extend(&ending.base);
                kept.extend(snapshot_of(&ending.receipts).map(|snapshot| &snapshot.commit));
            }
            _ if given_up => {}
            _ => {
                kept.extend(&ending.base);
                kept.extend(snapshot_of(&ending.receipts).map(|snapshot| &snapshot.commit));
            }
        }
    }
    kept
}

/// Whether nobody comes back to the attempts that were not integrated: another one was, or the task
/// was given up and its run has ended, so that it cannot be tried again. A task that was skipped or
/// split is neither.
fn is_over(status: TaskStatus, has_ended: bool) -> bool {
    match status {
        TaskStatus::Done => true,
        TaskStatus::Failed | TaskStatus::Canceled => has_ended,
        _ => false,
    }
}

fn integrated(ending: &Ending) -> Option<&Commit> {
    ending.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Integrated { commit, .. } => commit.as_ref(),
        _ => None,
    })
}
