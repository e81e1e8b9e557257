//! What attempts left that were given up: adopted as a new attempt's work, or given up for good.

use super::agents::asks_model;
use super::attempt::{AttemptEnd, Ending};
use super::command::Rejection;
use super::decide::Draft;
use super::event::Event;
use super::transition::StateName;
use crate::ids::{TaskNo, Time};
use crate::receipt::{Exit, Receipt, Usage};

/// What stands for the submission of work that was taken from another attempt: its agent worked, and
/// was paid for, there.
pub(super) fn submitted(at: Time, exit: Exit, agent: &str) -> Receipt {
    Receipt::Submitted {
        at,
        command: String::new(),
        exit,
        output: None,
        wall_ms: 0,
        confined: None,
        claimed_failure: None,
        too_large: false,
        used_up: None,
        usage: asks_model(agent).then(Usage::default),
    }
}

impl Draft<'_> {
    /// Kept work becomes a new attempt's, which is submitted at once: it is collected, checked and
    /// integrated like any other, and costs nobody's time.
    pub(super) fn adopt(&mut self, no: TaskNo, number: Option<u32>) -> Result<(), Rejection> {
        let task = self.known(no)?;
        let state = task.state_name();
        let hint = match state {
            StateName::Ready | StateName::Escalated | StateName::Failed | StateName::Canceled
                if !self.run.canceling =>
            {
                None
            }
            StateName::Ready | StateName::Escalated | StateName::Failed | StateName::Canceled => {
                Some("the run is being canceled")
            }
            StateName::Done | StateName::Split => Some("another attempt's work took its place"),
            StateName::Leased | StateName::Working => {
                Some("`divisi cancel RUN TASK` ends the attempt that is at work; adopt it then")
            }
            _ => Some("`divisi explain` says what it waits for"),
        };
        if let Some(hint) = hint {
            return self.not_now(no, "adopted", hint);
        }
        let open = |ending: &&Ending| ending.offered().is_some();
        let mut offers = task.endings.iter().rev().filter(open);
        let offer = offers.find(|ending| number.is_none_or(|number| number == ending.number));
        let Some(offer) = offer else {
            let task = task.spec.id.clone();
            return Err(Rejection::NoOffer { task, number });
        };
        let (from, exit) = (offer.number, offer.late_exit.clone());
        let agent = offer.agent.clone();
        let attempt = self.run.attempt_id(no, task.attempts() + 1);
        if state != StateName::Ready {
            if task.unmet > 0 {
                return self.not_now(no, "adopted", "what it waits for is not done");
            }
            self.retry(no, String::new())?;
        }
        self.push(Event::OfferAdopted { attempt, from });
        let exit = exit.unwrap_or(Exit::NoProcess);
        let receipt = submitted(self.at, exit.clone(), &agent);
        self.submitted(attempt, receipt, &exit, true);
        Ok(())
    }

    /// Nobody wants what an attempt left. Also of a run that has ended: its folders are still there.
    pub(super) fn discard(&mut self, no: TaskNo, number: u32) -> Result<(), Rejection> {
        let task = self.known(no)?;
        let attempt = self.run.attempt_id(no, number);
        let given_up =
            |ending: &&Ending| !matches!(ending.end, AttemptEnd::Integrated | AttemptEnd::Expanded);
        let Some(ending) = task.ending(number).filter(given_up) else {
            let (task, number) = (task.spec.id.clone(), Some(number));
            return Err(Rejection::NoOffer { task, number });
        };
        let names_none = matches!(
            task.state_name(),
            StateName::Waiting | StateName::Approval | StateName::Skipped
        );
        if names_none {
            return self.not_now(no, "discarded", "`divisi explain` says what it waits for");
        }
        if !ending.discarded {
            self.push(Event::OfferDiscarded { attempt });
        }
        Ok(())
    }
}
