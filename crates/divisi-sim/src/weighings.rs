//! What reviews find: drawn once for an attempt, kept, and compared with what the journal says of it.
//!
//! A reviewer that is not mistaken finds what is true of the work; of the whole it finds mostly that it
//! holds. What one cites without its being there makes the verdict void.

use divisi_core::criterion::{Outcome, Verdict};
use divisi_core::ids::AttemptId;
use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Command, Effect, Event, Failure, Run, Subject};

use crate::breaks::{Break, Oracle};
use crate::coverage::Fault;
use crate::effects::Report;
use crate::repo::Quality;
use crate::sim::{Sim, Violation, violated};
use crate::truth::Truth;

/// What was found by looking up what a review cites.
pub(crate) type Found = Option<Vec<Verdict>>;

/// What weighing one review needs.
#[derive(Clone, Debug)]
pub(crate) struct Weighing {
    attempt: AttemptId,
    /// What it judges, with the verdicts that are open; `None` if nobody needs it any more.
    open: Option<(Subject, Vec<Verdict>)>,
}

impl Weighing {
    pub(crate) fn of(run: &Run, attempt: AttemptId) -> Option<Weighing> {
        let subject = run.task(attempt.task)?.reviews.clone()?;
        let open = run.under_review(&subject).map(|(_, verdicts)| {
            let open = { verdicts.iter() }.filter(|it| it.outcome == Outcome::Unverified);
            (subject.clone(), open.cloned().collect())
        });
        Some(Weighing { attempt, open })
    }
}

impl Sim {
    /// A review is read and what it cites is looked up.
    pub(crate) fn weigh(&mut self, token: u64, effect: Effect, weighing: &Weighing) {
        let attempt = weighing.attempt;
        let known = self.truth.weighed(attempt).cloned();
        let found = known.unwrap_or_else(|| {
            let found = self.draw_verdicts(weighing);
            self.truth.on_weighed(attempt, found.clone());
            found
        });
        let command = match found {
            Some(verdicts) => Command::Weighed { attempt, verdicts },
            None if self.broken == Some(Break::EvidenceIgnored) => Command::Weighed {
                attempt,
                verdicts: all(weighing, Outcome::Pass),
            },
            None => Command::WeighRefused {
                attempt,
                faults: vec!["the text does not stand there".to_owned()],
            },
        };
        self.report(token, Report::Done(effect, attempt.run, command));
    }

    fn draw_verdicts(&mut self, weighing: &Weighing) -> Found {
        let Some((subject, _)) = &weighing.open else {
            return Some(Vec::new());
        };
        if self.goes_wrong(200) {
            self.coverage.fault(Fault::ReviewVoid);
            return None;
        }
        let holds = match subject {
            Subject::Attempt(of) => {
                let live = self
                    .truth
                    .run(of.run)
                    .and_then(|run| run.task(of.task)?.live());
                let quality = match live.and_then(|live| live.snapshot()) {
                    Some(made) => self.repo.quality_in(&made.commit, self.truth.author(*of)),
                    None => self.truth.quality(*of),
                };
                quality == Quality::Right && !self.goes_wrong(200)
            }
            Subject::Whole(_) => {
                self.coverage.fault(Fault::WholeReviewed);
                !self.goes_wrong(200)
            }
        };
        if !holds {
            self.coverage.fault(Fault::ReviewRefuses);
        }
        Some(all(
            weighing,
            if holds { Outcome::Pass } else { Outcome::Fail },
        ))
    }
}

fn all(weighing: &Weighing, outcome: Outcome) -> Vec<Verdict> {
    let open = weighing.open.iter().flat_map(|(_, open)| open.clone());
    open.map(|verdict| Verdict { outcome, ..verdict }).collect()
}

/// What a review is said to have found is what it found.
///
/// # Errors
/// It is something else.
pub(crate) fn judge_review(
    truth: &Truth,
    attempt: AttemptId,
    receipts: &[Receipt],
) -> Result<(), Violation> {
    let Some(Receipt::Reviewed { verdicts, .. }) = receipts.last() else {
        return Ok(());
    };
    match truth.weighed(attempt) {
        Some(Some(found)) if found == verdicts => Ok(()),
        found => violated(
            Oracle::Review,
            format!("{attempt} is said to have found {verdicts:?}, it found {found:?}"),
        ),
    }
}

/// What must come next in the journal of a run, after an event that tells what a review found.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// What it judged is refused.
    Refused(AttemptId),
    /// It is verified.
    Verified(AttemptId),
    /// The whole passed.
    Passed,
    /// The whole is held.
    Held,
}

impl Due {
    /// What an event makes due, by the run before it.
    pub(crate) fn after(before: &Run, event: &Event) -> Option<Due> {
        let Event::AttemptAdvanced { attempt, receipts } = event else {
            return None;
        };
        let Some(Receipt::Reviewed { verdicts, .. }) = receipts.last() else {
            return None;
        };
        let subject = before.task(attempt.task)?.reviews.as_ref()?;
        before.under_review(subject)?;
        let fails = verdicts.iter().any(|it| it.outcome == Outcome::Fail);
        Some(match (subject, fails) {
            (Subject::Attempt(of), true) => Due::Refused(*of),
            (Subject::Attempt(of), false) => Due::Verified(*of),
            (Subject::Whole(_), true) => Due::Held,
            (Subject::Whole(_), false) => Due::Passed,
        })
    }

    /// What was due came.
    ///
    /// # Errors
    /// Something else did.
    pub(crate) fn judge(&self, event: &Event) -> Result<(), Violation> {
        let came = match (self, event) {
            (Due::Refused(of), Event::AttemptEnded { attempt, end, .. }) => {
                of == attempt && matches!(end, AttemptEnd::Refused(Failure::Checks(_)))
            }
            (Due::Verified(of), Event::AttemptAdvanced { attempt, receipts }) => {
                of == attempt && matches!(receipts.first(), Some(Receipt::Verified { .. }))
            }
            (Due::Passed, Event::FinalPassed { .. }) | (Due::Held, Event::FinalHeld { .. }) => true,
            _ => false,
        };
        match came {
            true => Ok(()),
            false => violated(
                Oracle::Review,
                format!("{self:?} was due, and then: {event:?}"),
            ),
        }
    }
}
