//! What the lines of a stream amount to.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use divisi_core::criterion::truncate;
use divisi_core::diagnostic::chain;
use divisi_core::ledger::Bound;
use divisi_core::permission::Decision;
use divisi_core::receipt::Exit;
use serde_json::Value;

use super::closing::{Closing, DENIED_BYTES_MAX, DENIED_MAX};
use super::meter::{Meter, Reservation};
use super::permission::is_unrecorded;
use super::process::Fault;
use super::product::{Counts, Product, Speaks, Writes};
use super::record::Record;
use super::reset::{self, now};
use super::transcript::{Entry, Tokens};
use super::walls;
use crate::agent::{CLAIM_BYTES_MAX, Claim, Told};

/// Statuses with which a model's server says: not now.
const LIMITED: [u16; 2] = [429, 529];

/// That with which it says: not with this login.
const REFUSED: u16 = 401;

/// So many denied calls are known again. Of more, the tool is believed that it denied them itself.
const ANSWERED_MAX: usize = 1_000;

/// Names of calls are ids.
const CALL_BYTES_MAX: usize = 200;

/// A session as far as it was heard.
#[derive(Debug)]
pub struct Session {
    product: &'static Product,
    meter: Meter,
    /// The folder beyond which the kernel lets it write nothing, where it is confined.
    confined_to: Option<PathBuf>,
    /// What was reserved and is used up before the turn was over.
    used_up: Option<Bound>,
    /// What it was not allowed to do, as far as nobody else records it.
    denied: Vec<String>,
    /// Calls that were asked about and denied, which the tool may name again.
    denied_calls: BTreeSet<String>,
    broke: Option<(String, Option<u16>)>,
    /// For how long the model's server said that it refuses.
    wait_ms: Option<u64>,
    finished: bool,
    /// Whether its model said or did anything.
    is_answered: bool,
    /// Whether it did anything.
    has_called: bool,
    /// The session of an earlier attempt that is taken up.
    resumes: Option<Record>,
    /// The session that is held, with what it used so far.
    record: Option<Record>,
}

impl Session {
    /// One that begins.
    #[must_use]
    pub fn with(product: &'static Product) -> Session {
        Session::within(product, Reservation::default())
    }

    /// One that begins, and may use so much.
    #[must_use]
    pub fn within(product: &'static Product, reservation: Reservation) -> Session {
        Session {
            product,
            meter: Meter::with(product, reservation),
            confined_to: None,
            used_up: None,
            denied: Vec::new(),
            denied_calls: BTreeSet::new(),
            broke: None,
            wait_ms: None,
            finished: false,
            is_answered: false,
            has_called: false,
            resumes: None,
            record: None,
        }
    }

    /// The same, where it takes up another.
    #[must_use]
    pub(super) fn resuming(self, record: Option<Record>) -> Session {
        Session {
            resumes: record,
            ..self
        }
    }

    /// The same, where its tool works in this folder.
    #[must_use]
    pub(super) fn working_in(self, workspace: &Path, writes: Writes) -> Session {
        Session {
            confined_to: (writes == Writes::Confined).then(|| workspace.to_owned()),
            ..self
        }
    }

    /// Whether it has a name: the tool has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.record.is_some()
    }

    /// What is to be kept for whoever takes it up.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Hears one line of the tool's output, and says what happened. What is no JSON is noted.
    pub fn hear(&mut self, line: &str) -> Vec<Entry> {
        let line = line.trim();
        if line.is_empty() {
            return Vec::new();
        }
        let mut entries = match (serde_json::from_str::<Value>(line), &self.product.speaks) {
            (Ok(value), Speaks::Stream(hear)) if value.is_object() => hear(&value),
            _ => vec![Entry::noted(line)],
        };
        let mut is_answered = false;
        for entry in &mut entries {
            is_answered |= self.take(entry);
        }
        let so_far = is_answered.then(|| self.so_far()).flatten();
        entries.into_iter().chain(so_far).collect()
    }

    /// The tool asked about one of its calls, and was answered. What may not be done is told once,
    /// whoever tells it again.
    pub fn answered(&mut self, call: String, what: &str, decision: &Decision) {
        if let Decision::Deny { reason } = decision {
            self.denied_here(what, reason);
            if self.denied_calls.len() < ANSWERED_MAX && call.len() <= CALL_BYTES_MAX {
                self.denied_calls.insert(call);
            }
        }
    }

    /// What was denied before whoever records it was asked.
    fn denied_here(&mut self, what: &str, reason: &str) {
        if is_unrecorded(reason) {
            push(&mut self.denied, &format!("{what}: {reason}"));
        }
    }

    /// How many denied calls are known again.
    #[cfg(test)]
    pub(super) fn known_again(&self) -> usize {
        self.denied_calls.len()
    }

    /// Whether it is to be ended: what was reserved for it is used up, and its turn is not over.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.used_up.is_some() && !self.finished
    }

    /// All that was used so far, for whoever is ended from outside: it has no other chance to say it.
    pub(super) fn so_far(&self) -> Option<Entry> {
        self.meter.usage().map(|usage| Entry::UsedSoFar { usage })
    }

    /// Takes in what happened, and adds what only a session knows. Whether an answer of the model is
    /// complete with it.
    pub(super) fn take(&mut self, entry: &mut Entry) -> bool {
        let of_this_attempt = match entry {
            Entry::Used { usage } if self.product.counts == Counts::Session => Some(Entry::Used {
                usage: self.since(*usage),
            }),
            _ => None,
        };
        let is_answered = self.meter.hear(of_this_attempt.as_ref().unwrap_or(entry));
        if is_answered {
            self.used_up = self.used_up.or_else(|| self.meter.used_up());
        }
        match entry {
            Entry::Began { session, resumed } => self.began(session, resumed),
            // The tool holds its bound by itself.
            Entry::Bounded => self.used_up = self.used_up.or_else(|| self.meter.money()),
            Entry::Denied { what, call } => {
                let is_answered = |call: &String| self.denied_calls.contains(call);
                if !call.as_ref().is_some_and(is_answered) {
                    push(&mut self.denied, what);
                }
            }
            Entry::Answered {
                what,
                decision: Decision::Deny { reason },
            } => self.denied_here(what, reason),
            Entry::Returned {
                succeeded: false,
                output,
            } => {
                let folder = self.confined_to.as_deref();
                if let Some(what) = folder.and_then(|folder| walls::refused(output, folder)) {
                    push(&mut self.denied, what);
                }
            }
            Entry::Broke { cause, status } => self.broke = Some((cause.clone(), *status)),
            Entry::Limited { wait_ms } => self.wait_ms = Some(*wait_ms),
            Entry::Finished { .. } => self.finished = true,
            // It went on after all.
            Entry::Said { .. } => (self.broke, self.is_answered) = (None, true),
            // What it says may be no model's words but that it was refused.
            Entry::Called { .. } => {
                (self.broke, self.wait_ms) = (None, None);
                (self.is_answered, self.has_called) = (true, true);
            }
            _ => {}
        }
        is_answered
    }

    /// Whether it is to be ended: it met a usage limit, and would wait for its end.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        let broke = self.broke.as_ref();
        self.product.waits_silently
            && broke.is_some_and(|(cause, status)| self.is_limit(cause, *status))
    }

    fn began(&mut self, session: &str, resumed: &mut bool) {
        let is_told = self
            .record
            .as_ref()
            .is_some_and(|known| known.session == session);
        let earlier = self
            .resumes
            .as_ref()
            .filter(|earlier| earlier.session == session);
        *resumed = earlier.is_some();
        if !is_told {
            self.record = Some(Record {
                agent: self.product.name.to_owned(),
                session: session.to_owned(),
                used: earlier.map_or_else(Tokens::default, |earlier| earlier.used),
            });
        }
    }

    /// What was used by this attempt, of what the session used from its beginning.
    fn since(&mut self, used: Tokens) -> Tokens {
        let held = self.record.as_ref().map(|record| &record.session);
        let earlier = self
            .resumes
            .as_ref()
            .filter(|earlier| Some(&earlier.session) == held);
        let before = earlier.map_or_else(Tokens::default, |earlier| earlier.used);
        if let Some(record) = &mut self.record {
            record.used = used;
        }
        used.minus(before)
    }

    /// What it came to, now that the tool has ended.
    #[must_use]
    pub fn close(self, exit: &Exit) -> Closing {
        let claim = self.claim(exit);
        let usage = self.meter.usage().or_else(|| self.nothing());
        Closing {
            claim,
            usage,
            denied: self.denied,
        }
    }

    /// The same, or where nobody could hear it to its end: it may have done anything by then.
    pub(super) fn end(self, exit: io::Result<Exit>) -> Closing {
        match exit {
            Ok(exit) => self.close(&exit),
            Err(error) => Closing {
                claim: failed(&chain(&Fault::Stream(error))),
                usage: self.meter.usage(),
                denied: self.denied,
            },
        }
    }

    /// What was used by who was refused before its model answered anything: nothing, though the tool
    /// does not say so. It would else be charged as it was reserved.
    fn nothing(&self) -> Option<Tokens> {
        let (cause, status) = self.broke.as_ref()?;
        let is_refused = self.is_limit(cause, *status)
            || status.is_some_and(|status| (400..500).contains(&status));
        let says = self.product.figures.tokens != Told::Never;
        (says && is_refused && !self.is_answered).then(|| Tokens {
            cost_usd_micros: Some(0),
            ..Tokens::default()
        })
    }

    /// Whether what the tool was refused with is a usage limit.
    fn is_limit(&self, cause: &str, status: Option<u16>) -> bool {
        match status {
            Some(status) => LIMITED.contains(&status),
            None => says(cause, self.product.limits),
        }
    }

    /// What it means that the tool's requests are refused.
    fn refusal(&self, cause: &str, status: Option<u16>) -> Claim {
        match self.is_limit(cause, status) {
            true => Claim::Limited {
                cause: bounded(cause),
                // What is told in words is about the limit itself; a header may be about a try.
                wait_ms: reset::wait_ms(cause, self.product.resets, now()).or(self.wait_ms),
            },
            // Whoever logged in once may again; a login that was never taken is refused the next time.
            // What was said may be the refusal itself, and what used something did begin.
            false if status == Some(REFUSED) && !self.has_called => Claim::Unable {
                cause: bounded(&format!("its login was refused: {cause}")),
            },
            false => failed(cause),
        }
    }

    fn claim(&self, exit: &Exit) -> Claim {
        if let Some(bound) = self.used_up.filter(|_| !self.finished) {
            return Claim::UsedUp { bound };
        }
        if let Some((cause, status)) = &self.broke {
            return self.refusal(cause, *status);
        }
        match exit {
            // Whether what it was denied was needed, checks will show.
            Exit::Status(0) if self.finished => Claim::Done,
            Exit::Status(0) => failed("it ended without a word of how it went"),
            Exit::Status(status) => failed(&format!("it ended with status {status}")),
            Exit::Signal(signal) => failed(&format!("it was ended by signal {signal}")),
            Exit::NoProcess => failed("it was never started"),
        }
    }
}

fn push(denied: &mut Vec<String>, what: &str) {
    if denied.len() < DENIED_MAX {
        let mut what = what.to_owned();
        truncate(&mut what, DENIED_BYTES_MAX);
        denied.push(what);
    }
}

/// Whether one of these words, which are in lower case, stands in a text.
pub(super) fn says(text: &str, words: &[&str]) -> bool {
    let lower = text.to_lowercase();
    words.iter().any(|words| lower.contains(words))
}

fn failed(cause: &str) -> Claim {
    Claim::Failed {
        cause: bounded(cause),
    }
}

pub(super) fn bounded(cause: &str) -> String {
    let mut cause = cause.to_owned();
    truncate(&mut cause, CLAIM_BYTES_MAX);
    cause
}
