//! What the lines of a stream amount to.

use divisi_core::criterion::truncate;
use divisi_core::receipt::Exit;
use serde_json::Value;

use super::closing::Closing;
use super::product::{Counts, Product};
use super::reset::{self, now};
use super::transcript::{Entry, Tokens};
use crate::agent::{CLAIM_BYTES_MAX, Claim};

/// So many denials are told; a model may try again and again.
const DENIED_MAX: usize = 20;

/// So much is told of each: what was denied may be a whole file.
const DENIED_BYTES_MAX: usize = 200;

/// Statuses with which a model's server says: not now.
const LIMITED: [u16; 2] = [429, 529];

/// Words with which tools tell a usage limit where they name no status.
const LIMIT_WORDS: [&str; 8] = [
    "rate limit",
    "usage limit",
    "hit your limit",
    "limit reached",
    "quota exceeded",
    "exceeded your current quota",
    "status: 429",
    "429 too many requests",
];

/// A session as far as it was heard.
#[derive(Debug)]
pub struct Session {
    product: &'static Product,
    usage: Option<Tokens>,
    denied: Vec<String>,
    broke: Option<(String, Option<u16>)>,
    /// For how long the model's server said that it refuses.
    wait_ms: Option<u64>,
    finished: bool,
}

impl Session {
    /// One that begins.
    #[must_use]
    pub fn with(product: &'static Product) -> Session {
        Session {
            product,
            usage: None,
            denied: Vec::new(),
            broke: None,
            wait_ms: None,
            finished: false,
        }
    }

    /// Hears one line of the tool's output, and says what happened. What is no JSON is noted.
    pub fn hear(&mut self, line: &str) -> Vec<Entry> {
        let line = line.trim();
        if line.is_empty() {
            return Vec::new();
        }
        let entries = match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => (self.product.hear)(&value),
            _ => vec![Entry::noted(line)],
        };
        for entry in &entries {
            self.take(entry);
        }
        entries
    }

    fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Used { usage } => {
                self.usage = Some(match self.product.counts {
                    Counts::Step => self.usage.unwrap_or_default().plus(*usage),
                    Counts::All => *usage,
                });
            }
            Entry::Denied { what } if self.denied.len() < DENIED_MAX => {
                let mut what = what.clone();
                truncate(&mut what, DENIED_BYTES_MAX);
                self.denied.push(what);
            }
            Entry::Broke { cause, status } => self.broke = Some((cause.clone(), *status)),
            Entry::Limited { wait_ms } => self.wait_ms = Some(*wait_ms),
            Entry::Finished { .. } => self.finished = true,
            // It went on after all.
            Entry::Said { .. } => self.broke = None,
            // What it says may be no model's words but that it was refused.
            Entry::Called { .. } => (self.broke, self.wait_ms) = (None, None),
            _ => {}
        }
    }

    /// Whether it is to be ended: it met a usage limit, and would wait for its end.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        let broke = self.broke.as_ref();
        self.product.waits_silently && broke.is_some_and(|(cause, status)| is_limit(cause, *status))
    }

    /// What it came to, now that the tool has ended.
    #[must_use]
    pub fn close(self, exit: &Exit) -> Closing {
        let claim = self.claim(exit);
        Closing {
            claim,
            usage: self.usage,
        }
    }

    /// What it means that the tool's requests are refused.
    fn refusal(&self, cause: &str, status: Option<u16>) -> Claim {
        match is_limit(cause, status) {
            true => Claim::Limited {
                cause: bounded(cause),
                // What is told in words is about the limit itself; a header may be about a try.
                wait_ms: reset::wait_ms(cause, self.product.resets, now()).or(self.wait_ms),
            },
            false => failed(cause),
        }
    }

    fn claim(&self, exit: &Exit) -> Claim {
        if let Some((cause, status)) = &self.broke {
            return self.refusal(cause, *status);
        }
        match exit {
            Exit::Status(0) if self.finished && self.denied.is_empty() => Claim::Done,
            // Tools call that a success. Whether what was denied was needed, checks will show.
            Exit::Status(0) if self.finished => failed(&format!(
                "it was not allowed to do this: {}",
                self.denied.join("; ")
            )),
            Exit::Status(0) => failed("it ended without a word of how it went"),
            Exit::Status(status) => failed(&format!("it ended with status {status}")),
            Exit::Signal(signal) => failed(&format!("it was ended by signal {signal}")),
            Exit::NoProcess => failed("it was never started"),
        }
    }
}

/// Whether what a tool was refused with is a usage limit.
pub(super) fn is_limit(cause: &str, status: Option<u16>) -> bool {
    let lower = cause.to_lowercase();
    match status {
        Some(status) => LIMITED.contains(&status),
        None => LIMIT_WORDS.iter().any(|words| lower.contains(words)),
    }
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
