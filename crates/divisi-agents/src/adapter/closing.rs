//! How a session closed: the last line that an adapter process prints.

use divisi_core::criterion::truncate;
use divisi_core::script::Question;
use serde::{Deserialize, Serialize};

use super::transcript::{Entry, Tokens};
use crate::agent::{CLAIM_BYTES_MAX, Claim};
use crate::environment::mask;

/// So many denials are told; a model may try again and again.
pub(super) const DENIED_MAX: usize = 20;

/// So much is told of each: what was denied may be a whole file.
pub(super) const DENIED_BYTES_MAX: usize = 200;

/// What is told of one session. Untrusted where it is read: anything in the workspace could
/// have printed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename = "closed")]
pub struct Closing {
    /// What the agent claims.
    pub claim: Claim,
    /// What it used, as far as it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Tokens>,
    /// What its tool did not let it do by rules of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
}

impl Closing {
    /// The line, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("a closing has only text keys")
    }

    /// The closing in the last bytes of a log: the last line that is one.
    #[must_use]
    pub fn last_in(tail: &str) -> Option<Closing> {
        let mut closing: Closing = tail
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str(line).ok())?;
        closing.bound();
        Some(closing)
    }

    /// What a session says in the last bytes of its log to have used: in its closing, or in all until
    /// somebody ended it.
    #[must_use]
    pub fn usage_in(tail: &str) -> Option<Tokens> {
        let mut lines = tail.lines().rev();
        lines.find_map(|line| match serde_json::from_str(line) {
            Ok(Entry::UsedSoFar { usage }) => Some(usage),
            _ => serde_json::from_str::<Closing>(line).ok()?.usage,
        })
    }

    /// The same without these values.
    #[must_use]
    pub(super) fn presentable(&self, masked: &[String]) -> Closing {
        let without = |text: &String| mask(text.clone(), masked);
        let claim = match &self.claim {
            Claim::Failed { cause } => Claim::Failed {
                cause: without(cause),
            },
            Claim::Unable { cause } => Claim::Unable {
                cause: without(cause),
            },
            Claim::TooLarge { cause } => Claim::TooLarge {
                cause: without(cause),
            },
            Claim::Limited { cause, wait_ms } => Claim::Limited {
                cause: without(cause),
                wait_ms: *wait_ms,
            },
            Claim::Asks(question) => Claim::Asks(Question {
                text: without(&question.text),
                default: question.default.as_ref().map(without),
            }),
            claim @ (Claim::Done | Claim::Nothing | Claim::UsedUp { .. }) => claim.clone(),
        };
        Closing {
            claim,
            usage: self.usage,
            denied: self.denied.iter().map(without).collect(),
        }
    }

    fn bound(&mut self) {
        self.denied.truncate(DENIED_MAX);
        for what in &mut self.denied {
            truncate(what, DENIED_BYTES_MAX);
        }
        match &mut self.claim {
            Claim::Done | Claim::Nothing | Claim::UsedUp { .. } => {}
            Claim::Failed { cause }
            | Claim::Unable { cause }
            | Claim::TooLarge { cause }
            | Claim::Limited { cause, .. } => {
                truncate(cause, CLAIM_BYTES_MAX);
            }
            Claim::Asks(question) => {
                truncate(&mut question.text, CLAIM_BYTES_MAX);
                if let Some(default) = &mut question.default {
                    truncate(default, CLAIM_BYTES_MAX);
                }
            }
        }
    }
}
