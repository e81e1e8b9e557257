//! Which credentials were refused until when, as the agents know it, and what was started with them.
//! Agents share them: what one was refused counts for all.

use std::collections::BTreeMap;

use divisi_core::ids::{AttemptId, Time};
use divisi_core::ledger::{Credential, Means};
use divisi_core::run::{AttemptEnd, Event, Run, holds_slot};

use crate::agents::Behavior;
use crate::breaks::Oracle;
use crate::plans;
use crate::sim::{Violation, violated};

/// Limits that were met, from when until when, and when somebody lifted those of a credential.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    met: BTreeMap<Credential, Vec<Met>>,
    lifted: BTreeMap<Credential, Vec<Time>>,
}

/// A limit as one attempt met it.
#[derive(Clone, Debug)]
struct Met {
    /// Whose attempt that was.
    agent: String,
    leased_at: Time,
    from: Time,
    until: Time,
    /// Whether the agent was told until when.
    said: bool,
}

impl Met {
    /// Whether the other one may be the same limit, which ends as it was known to: it was met by an
    /// attempt that had begun before. How long this one lasts may be longer than it says here, where
    /// it was met in a row. Of one moment, the first may be either.
    fn covers(&self, other: &Met) -> bool {
        let earlier = other.leased_at <= self.from && self.from < other.from;
        earlier || (self.from == other.from && self.until < other.until)
    }
}

impl Limits {
    pub(crate) fn lift(&mut self, credentials: &[Credential], at: Time) {
        for credential in credentials {
            self.lifted.entry(credential.clone()).or_default().push(at);
        }
    }

    /// Whether an agent begins with a credential whose limit others met, and not it.
    pub(crate) fn waited_for_others(&self, means: &Means) -> bool {
        let met = self.met.get(&means.credential);
        met.is_some_and(|met| met.iter().all(|met| met.agent != means.agent))
    }

    /// Takes in what an event tells of limits: that one was met, or that something was begun.
    ///
    /// # Errors
    /// It was begun with what is limited, or in quiet hours.
    pub(crate) fn follow(
        &mut self,
        before: &Run,
        at: Time,
        event: &Event,
        behavior: &dyn Fn(AttemptId) -> Option<Behavior>,
    ) -> Result<(), Violation> {
        match event {
            Event::AttemptLeased {
                attempt,
                agent,
                credential,
                ..
            } if holds_slot(agent) => {
                let quiet = before.settings.quiet_hours;
                if quiet.is_some_and(|hours| hours.end(at, 0).is_some()) {
                    let what = format!("{attempt} is begun in quiet hours");
                    return violated(Oracle::Limits, what);
                }
                let known = plans::credentials();
                let own = known.get(agent).map_or(&[][..], Vec::as_slice);
                let key = match credential {
                    Some(credential) if own.contains(credential) => credential,
                    None if own.is_empty() => return Ok(()),
                    other => {
                        let what = format!("{attempt} is begun with {other:?}, not {agent}'s");
                        return violated(Oracle::Limits, what);
                    }
                };
                let met = self.met.get(key).map_or(&[][..], Vec::as_slice);
                let lifted = self.lifted.get(key).map_or(&[][..], Vec::as_slice);
                let is_same = |it: &Met| !it.said && met.iter().any(|other| other.covers(it));
                // What was met in the same moment may have been met after that.
                let mut lasts = met.iter().filter(|it| {
                    let is_lifted = { lifted.iter() }.any(|lift| it.from <= *lift && *lift <= at);
                    it.from < at && at < it.until && !is_lifted && !is_same(it)
                });
                match lasts.next() {
                    None => Ok(()),
                    Some(Met { from, until, .. }) => violated(
                        Oracle::Limits,
                        format!(
                            "{attempt} is begun with {key}, limited from {from:?} to {until:?}"
                        ),
                    ),
                }
            }
            Event::AttemptEnded {
                attempt,
                end: AttemptEnd::Limited { .. },
                ..
            } => {
                let live = before.task(attempt.task).and_then(|task| task.live());
                let Some(Behavior::Limited { wait_ms }) = behavior(*attempt) else {
                    return Ok(());
                };
                // What is not said is waited for at least once.
                let waits_ms = wait_ms.unwrap_or(before.settings.limit_delay_ms);
                if let Some(live) = live {
                    let Means { agent, credential } = live.means();
                    let met = Met {
                        agent,
                        leased_at: live.leased_at,
                        from: at,
                        until: at.plus_ms(waits_ms),
                        said: wait_ms.is_some(),
                    };
                    self.met.entry(credential).or_default().push(met);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
