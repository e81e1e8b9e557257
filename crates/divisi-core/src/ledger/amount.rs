//! What is counted, how much of it, and what of it may be taken.

use serde::{Deserialize, Serialize};

use super::TaskRef;
use crate::run::Budget;

/// Less time than this is not worth starting anything in: reserving it would only use it up.
pub const TIME_USEFUL_MS_MIN: u64 = 1_000;

/// Fewer tokens than this are less than a model reads before it says anything.
pub const TOKENS_USEFUL_MIN: u64 = 1_000;

/// Less money than this buys no answer of any model that is asked for money: a tenth of a cent.
pub const USD_USEFUL_MICROS_MIN: u64 = 1_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Attempts.
    Attempts,
    /// Agents' time in milliseconds.
    TimeMs,
    /// Tokens that models read and wrote.
    Tokens,
    /// Money, in millionths of a US dollar.
    UsdMicros,
}

impl Measure {
    /// All of them, in the order in which they are told.
    pub const ALL: [Measure; 4] = [
        Measure::Attempts,
        Measure::TimeMs,
        Measure::Tokens,
        Measure::UsdMicros,
    ];

    /// Less than this is not granted in the place of more. An attempt is whole, or it is none.
    pub(crate) fn useful_min(self) -> Option<u64> {
        match self {
            Measure::Attempts => None,
            Measure::TimeMs => Some(TIME_USEFUL_MS_MIN),
            Measure::Tokens => Some(TOKENS_USEFUL_MIN),
            Measure::UsdMicros => Some(USD_USEFUL_MICROS_MIN),
        }
    }

    /// A value of the flag that bounds it, with a name for the number.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        match self {
            Measure::Attempts => "N-attempts",
            Measure::TimeMs => "Nmin",
            Measure::Tokens => "N-tokens",
            Measure::UsdMicros => "N-usd",
        }
    }
}

/// What an attempt takes: itself, and so much of everything else that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Attempts.
    pub attempts: u64,
    /// Agents' time in milliseconds.
    pub time_ms: u64,
    /// Tokens.
    #[serde(default)]
    pub tokens: u64,
    /// Money, in millionths of a US dollar.
    #[serde(default)]
    pub usd_micros: u64,
}

impl Amount {
    /// How much of one measure.
    #[must_use]
    pub fn of(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Attempts => self.attempts,
            Measure::TimeMs => self.time_ms,
            Measure::Tokens => self.tokens,
            Measure::UsdMicros => self.usd_micros,
        }
    }

    /// The same with so much of one measure.
    #[must_use]
    pub fn with(mut self, measure: Measure, much: u64) -> Amount {
        let place = match measure {
            Measure::Attempts => &mut self.attempts,
            Measure::TimeMs => &mut self.time_ms,
            Measure::Tokens => &mut self.tokens,
            Measure::UsdMicros => &mut self.usd_micros,
        };
        *place = much;
        self
    }

    fn both(self, other: Amount, of: fn(u64, u64) -> u64) -> Amount {
        let one = |sum: Amount, measure| sum.with(measure, of(self.of(measure), other.of(measure)));
        Measure::ALL.into_iter().fold(Amount::default(), one)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Amount) -> Amount {
        self.both(other, u64::saturating_add)
    }

    /// What is left of it without the other.
    #[must_use]
    pub fn minus(self, other: Amount) -> Amount {
        self.both(other, u64::saturating_sub)
    }

    /// The first bound of a budget that this is beyond, with what this has of it.
    pub(super) fn beyond(self, budget: &Budget) -> Option<(Bound, Bound)> {
        budget.bounds().find_map(|bound| {
            let taken = self.of(bound.measure());
            (taken > bound.much()).then(|| (bound, Bound::of(bound.measure(), taken)))
        })
    }
}

/// An account's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What is permitted.
    pub budget: Budget,
    /// What was used.
    pub used: Amount,
    /// What is reserved for attempts under way.
    pub held: Amount,
    /// Attempts whose agents ask a model and did not say all that they used of it. They are charged as
    /// was reserved for them, or by time and attempts alone where their agents never say anything.
    #[serde(default)]
    pub unreported: u64,
    /// The task whose accounts are charged, too, where this is the account of a run that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskRef>,
}

impl Balance {
    /// What is used, and what is reserved beside it.
    #[must_use]
    pub fn taken(&self) -> Amount {
        self.used.plus(self.held)
    }

    /// What is left of a measure that is bounded.
    #[must_use]
    pub fn left(&self, measure: Measure) -> Option<u64> {
        let permitted = self.budget.of(measure)?;
        Some(permitted.saturating_sub(self.taken().of(measure)))
    }

    /// What of an amount can be reserved: all of it, or what is left. Less than all is given only
    /// where nothing else is reserved, since of that some may come back unused.
    ///
    /// # Errors
    /// The bound that leaves too little.
    pub fn grant(&self, asked: Amount) -> Result<Amount, Bound> {
        let mut granted = asked;
        for bound in self.budget.bounds() {
            let measure = bound.measure();
            let left = bound.much().saturating_sub(self.taken().of(measure));
            if asked.of(measure) <= left {
                continue;
            }
            let is_useful = measure.useful_min().is_some_and(|least| left >= least);
            if self.held.of(measure) > 0 || !is_useful {
                return Err(bound);
            }
            granted = granted.with(measure, left);
        }
        Ok(granted)
    }
}

/// One bound of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// So many attempts.
    Attempts(u64),
    /// So many milliseconds of agents' time.
    TimeMs(u64),
    /// So many tokens.
    Tokens(u64),
    /// So many millionths of a US dollar.
    UsdMicros(u64),
}

impl Bound {
    /// A bound of so much.
    #[must_use]
    pub fn of(measure: Measure, much: u64) -> Bound {
        match measure {
            Measure::Attempts => Bound::Attempts(much),
            Measure::TimeMs => Bound::TimeMs(much),
            Measure::Tokens => Bound::Tokens(much),
            Measure::UsdMicros => Bound::UsdMicros(much),
        }
    }

    /// What it bounds.
    #[must_use]
    pub fn measure(self) -> Measure {
        match self {
            Bound::Attempts(_) => Measure::Attempts,
            Bound::TimeMs(_) => Measure::TimeMs,
            Bound::Tokens(_) => Measure::Tokens,
            Bound::UsdMicros(_) => Measure::UsdMicros,
        }
    }

    /// How much.
    #[must_use]
    pub fn much(self) -> u64 {
        let (Bound::Attempts(much)
        | Bound::TimeMs(much)
        | Bound::Tokens(much)
        | Bound::UsdMicros(much)) = self;
        much
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bound::Attempts(1) => write!(f, "1 attempt"),
            Bound::Attempts(many) => write!(f, "{many} attempts"),
            Bound::TimeMs(ms) if ms % 60_000 == 0 => {
                write!(f, "{} min of agents' time", ms / 60_000)
            }
            Bound::TimeMs(ms) if ms % 1_000 == 0 => write!(f, "{} s of agents' time", ms / 1_000),
            Bound::TimeMs(ms) => write!(f, "{}.{:03} s of agents' time", ms / 1_000, ms % 1_000),
            Bound::Tokens(1) => write!(f, "1 token"),
            Bound::Tokens(many) => write!(f, "{many} tokens"),
            Bound::UsdMicros(micros) => write!(f, "${}", decimal(*micros)),
        }
    }
}

/// Millionths of a dollar in dollars: with cents, and with as many more digits as it takes.
#[must_use]
pub fn decimal(usd_micros: u64) -> String {
    let text = format!("{}.{:06}", usd_micros / 1_000_000, usd_micros % 1_000_000);
    let cents = text.len() - 4;
    let more = text[cents..].trim_end_matches('0').len();
    text[..cents + more].to_owned()
}
