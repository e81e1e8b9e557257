//! What happens in a session, in one form for all tools.

use divisi_core::Time;
use divisi_core::criterion::truncate;
use divisi_core::permission::Decision;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::environment::mask;

/// Longer texts of one entry are cut: a transcript is for people, the workspace holds the work.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// One thing that happened. Printed as a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The session has a name, by which it can be taken up again.
    Began {
        /// The tool's own name for it.
        session: String,
        /// Whether it is one of an earlier attempt, taken up.
        #[serde(default)]
        resumed: bool,
    },
    /// The model said something.
    Said {
        /// Its words.
        text: String,
    },
    /// The model wants something done.
    Called {
        /// The tool's name for the function.
        function: String,
        /// What it was given, shortened.
        input: String,
    },
    /// What was wanted has been done, or has failed.
    Returned {
        /// Whether it came out.
        succeeded: bool,
        /// What came of it, shortened.
        output: String,
    },
    /// The tool asks leave for something.
    Asked {
        /// What, in a line.
        what: String,
    },
    /// It was answered.
    Answered {
        /// What it had asked for.
        what: String,
        /// With what.
        decision: Decision,
    },
    /// The tool did not let the model do something.
    Denied {
        /// What, in a line.
        what: String,
        /// The tool's name for the call, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<String>,
    },
    /// A request to the model failed and is made again.
    Retried {
        /// Why.
        cause: String,
    },
    /// The model begins an answer: what it read for it.
    Read {
        /// Which model, where it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// How much.
        usage: Tokens,
    },
    /// An answer of the model that is not its last is complete: what was written of it.
    Responded {
        /// How much.
        usage: Tokens,
    },
    /// The model's server says for how long it refuses.
    Limited {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// What was used so far, or by one step: that differs by tool.
    Used {
        /// How much.
        usage: Tokens,
    },
    /// All that was used so far, of all steps.
    UsedSoFar {
        /// How much.
        usage: Tokens,
    },
    /// The tool ended its turn at the bound of money that it was given.
    Bounded,
    /// The session cannot go on.
    Broke {
        /// Why, as the tool puts it.
        cause: String,
        /// The status of the model's server, where it is known.
        status: Option<u16>,
    },
    /// The tool says that its turn is over, and with which words.
    Finished {
        /// Its last words.
        text: String,
    },
    /// Something that belongs to none of these.
    Noted {
        /// It.
        text: String,
    },
}

/// The field of a line that says when it was printed, in milliseconds since 1970.
const AT: &str = "at";

/// When a line of a transcript was printed, if it says so.
#[must_use]
pub fn printed_at(line: &str) -> Option<Time> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(line).ok()?;
    fields.get(AT)?.as_u64().map(Time)
}

impl Entry {
    /// The entry as a line that is printed now.
    pub(super) fn line_at(&self, now: Time) -> String {
        let line = serde_json::to_string(self).expect("an entry has only text keys");
        let open = line.strip_suffix('}').expect("an entry is an object");
        format!("{open},\"{AT}\":{}}}", now.0)
    }

    /// The entry without these values, in the length of a transcript. Masked before it is cut, which
    /// could leave half of one.
    pub(super) fn presentable(mut self, masked: &[String]) -> Entry {
        let texts = match &mut self {
            Entry::Began { session: text, .. }
            | Entry::Said { text }
            | Entry::Finished { text }
            | Entry::Noted { text }
            | Entry::Asked { what: text }
            | Entry::Answered { what: text, .. }
            | Entry::Denied { what: text, .. }
            | Entry::Retried { cause: text }
            | Entry::Broke { cause: text, .. }
            | Entry::Returned { output: text, .. } => [Some(text), None],
            Entry::Called { function, input } => [Some(function), Some(input)],
            Entry::Limited { .. }
            | Entry::Read { .. }
            | Entry::Responded { .. }
            | Entry::Used { .. }
            | Entry::UsedSoFar { .. }
            | Entry::Bounded => [None, None],
        };
        for text in texts.into_iter().flatten() {
            *text = mask(std::mem::take(text), masked);
            truncate(text, TEXT_BYTES_MAX);
        }
        self
    }

    /// A session's name. Whether it is taken up, its tool does not say.
    pub(super) fn began(session: &str) -> Entry {
        Entry::Began {
            session: session.to_owned(),
            resumed: false,
        }
    }

    /// Words of the model.
    pub(super) fn said(text: &str) -> Entry {
        let text = shortened(text);
        Entry::Said { text }
    }

    /// Whether the tool says that its turn is over, however.
    pub(super) fn is_the_end(&self) -> bool {
        matches!(self, Entry::Finished { .. } | Entry::Broke { .. })
    }

    /// Something else, as it stands.
    pub(super) fn noted(text: &str) -> Entry {
        let text = shortened(text);
        Entry::Noted { text }
    }
}

/// A text, cut where it is too long for a transcript.
pub(super) fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    truncate(&mut text, TEXT_BYTES_MAX);
    text
}

/// What a session used of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Tokens read that were not in a cache.
    pub input_tokens: u64,
    /// Tokens written, thoughts among them.
    pub output_tokens: u64,
    /// Tokens read from a cache.
    #[serde(default)]
    pub cache_read_tokens: u64,
    /// Tokens written to a cache.
    #[serde(default)]
    pub cache_write_tokens: u64,
    /// The price that the tool names, in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd_micros: Option<u64>,
}

impl Tokens {
    /// All that were new to the model, read and written. What it read from a cache is told again at
    /// every call of a session: its sum says how often was called, not how much there was.
    #[must_use]
    pub fn tokens(self) -> u64 {
        let read = self.input_tokens.saturating_add(self.cache_write_tokens);
        read.saturating_add(self.output_tokens)
    }

    /// Whether there is anything that may cost something.
    pub(super) fn are_any(self) -> bool {
        self.tokens() > 0 || self.cache_read_tokens > 0
    }

    /// What is left of it without these, where both count from the same beginning.
    #[must_use]
    pub(super) fn minus(self, earlier: Tokens) -> Tokens {
        let cost = self
            .cost_usd_micros
            .map(|micros| micros.saturating_sub(earlier.cost_usd_micros.unwrap_or(0)));
        Tokens {
            input_tokens: self.input_tokens.saturating_sub(earlier.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(earlier.output_tokens),
            cache_read_tokens: (self.cache_read_tokens).saturating_sub(earlier.cache_read_tokens),
            cache_write_tokens: (self.cache_write_tokens)
                .saturating_sub(earlier.cache_write_tokens),
            cost_usd_micros: cost,
        }
    }

    /// Both together; what is too much to count stays at the most there is.
    #[must_use]
    pub fn plus(self, other: Tokens) -> Tokens {
        let cost = match (self.cost_usd_micros, other.cost_usd_micros) {
            (None, None) => None,
            (one, two) => Some(one.unwrap_or(0).saturating_add(two.unwrap_or(0))),
        };
        Tokens {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_tokens: (self.cache_read_tokens).saturating_add(other.cache_read_tokens),
            cache_write_tokens: (self.cache_write_tokens).saturating_add(other.cache_write_tokens),
            cost_usd_micros: cost,
        }
    }
}

/// A price in US dollars, as JSON has it, in millionths. Nothing for what is no price.
pub(super) fn micros(usd: Option<f64>) -> Option<u64> {
    let micros = usd? * 1e6;
    (micros.is_finite() && (0.0..1e15).contains(&micros)).then(|| micros.round() as u64)
}
