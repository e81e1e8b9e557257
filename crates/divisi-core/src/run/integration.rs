//! From verified attempts to one result, in batches that are bisected when they fail.

use super::attempt::{AttemptEnd, Failure, Phase};
use super::command::{Merged, Rejection};
use super::decide::Draft;
use super::event::{Event, PreparedCommit};
use super::state::Run;
use crate::criterion::Verdict;
use crate::ids::{AttemptId, Commit};
use crate::receipt::Receipt;

impl Run {
    /// The attempts that are integrated next, and the head they are merged onto.
    #[must_use]
    pub fn batch(&self) -> (Vec<AttemptId>, Option<&Commit>) {
        let many = self.integration.batch.max(1) as usize;
        (
            self.integration.queue.iter().copied().take(many).collect(),
            self.integration.head.as_ref(),
        )
    }

    /// Where the run's branch is about to stand, once a batch is prepared.
    #[must_use]
    pub fn prepared_head(&self) -> Option<&Commit> {
        let last = self.integration.prepared.last()?;
        match &self.task(last.task)?.live()?.phase {
            Phase::Prepared { commit, .. } => Some(commit),
            _ => None,
        }
    }
}

impl Draft<'_> {
    pub(super) fn on_batch_merged(
        &mut self,
        onto: &Commit,
        merged: &[Merged],
        conflict: Option<(AttemptId, Vec<String>)>,
        refused: Vec<Verdict>,
    ) -> Result<(), Rejection> {
        let integration = &self.run.integration;
        let front = integration.queue.iter().take(merged.len());
        let fits = front.eq(merged.iter().map(|one| &one.attempt));
        if integration.head.as_ref() != Some(onto) || !integration.prepared.is_empty() || !fits {
            return Err(Rejection::OtherHead);
        }
        if !refused.is_empty() {
            match merged {
                [] => return Err(Rejection::OtherHead),
                [one] => {
                    let end = AttemptEnd::Refused(Failure::Integration(refused));
                    self.end(one.attempt, end, Vec::new(), true);
                }
                many => self.push(Event::BatchNarrowed {
                    batch: many.len() as u32 / 2,
                }),
            }
            return Ok(());
        }
        if !merged.is_empty() {
            let commits = merged
                .iter()
                .map(|one| PreparedCommit {
                    attempt: one.attempt,
                    commit: one.commit.clone(),
                    tree: Some(one.tree.clone()),
                })
                .collect();
            self.push(Event::BatchPrepared { commits });
        }
        // A conflict with what was merged before it in this batch is met again once that stands:
        // only then does the next attempt find the head that it conflicts with.
        if let Some((attempt, paths)) = conflict
            && merged.is_empty()
            && self
                .live(attempt)
                .is_ok_and(|live| live.phase == Phase::Verified)
        {
            let end = AttemptEnd::Refused(Failure::Conflict(paths));
            self.end(attempt, end, Vec::new(), true);
        }
        Ok(())
    }

    pub(super) fn on_head_moved(&mut self, head: Commit) -> Result<(), Rejection> {
        if self.run.prepared_head() != Some(&head) {
            return Err(Rejection::OtherHead);
        }
        let prepared = self.run.integration.prepared.clone();
        let receipt = |attempt: &AttemptId| {
            let live = self.run.task(attempt.task)?.live()?;
            let Phase::Prepared { commit, tree } = &live.phase else {
                return None;
            };
            let receipt = Receipt::Integrated {
                at: self.at,
                commit: Some(commit.clone()),
                tree: tree.clone(),
            };
            Some((*attempt, receipt))
        };
        let attempts = prepared.iter().filter_map(receipt).collect();
        self.push(Event::BatchIntegrated { head, attempts });
        Ok(())
    }
}
