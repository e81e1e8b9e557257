//! Usage limits: until when a credential is not used, and what is used in its place.
//!
//! A model's server refuses a credential, not a task. So all tasks of all runs that would log in
//! with it wait, and the ledger, which owns what runs share, knows until when. Which credentials an
//! agent has on this machine is no fact of the journal: whoever leases says it, and the lease
//! records which one is used.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Event, Ledger};
use crate::ids::{AttemptId, Time};
use crate::run::{Run, Settings, holds_slot};

/// No limit is believed for longer: what says so is mistaken, or somebody's trick.
pub const LIMIT_MS_MAX: u64 = 31 * 24 * 60 * 60_000;

/// Doubling stops there: a minute has become most of a day.
const DOUBLINGS_MAX: u32 = 10;

/// What an agent logs in with. All agents that use one share its limits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The variable of the environment that holds a key, by its name.
    Variable(String),
    /// The login that a tool keeps, by the tool's name.
    Login(String),
    /// Whatever an agent of this name uses: nobody knows which it is, or it depends on its model.
    Agent(String),
}

impl Credential {
    /// What names it to `divisi agents resume`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Credential::Variable(name) | Credential::Login(name) | Credential::Agent(name) => name,
        }
    }
}

impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credential::Variable(name) | Credential::Agent(name) => f.write_str(name),
            Credential::Login(tool) => write!(f, "the login of {tool}"),
        }
    }
}

/// Who does something, and what that agent logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Means {
    /// The agent.
    pub agent: String,
    /// Its credential.
    pub credential: Credential,
}

impl Means {
    /// An agent of whose credential nothing is known.
    #[must_use]
    pub fn unknown(agent: &str) -> Means {
        Means {
            agent: agent.to_owned(),
            credential: Credential::Agent(agent.to_owned()),
        }
    }
}

/// Until when a credential is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// When it was met.
    pub met_at: Time,
    /// When it ends.
    pub ends_at: Time,
    /// Whether somebody said so. Otherwise it is a guess, longer each time.
    pub said: bool,
    /// How often in a row it was met.
    pub times: u32,
    /// What the agent was told.
    pub cause: String,
    /// The attempts that met it.
    pub attempts: BTreeSet<AttemptId>,
}

/// That an attempt met a usage limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Which attempt.
    pub attempt: AttemptId,
    /// When it was leased.
    pub leased_at: Time,
    /// What it logged in with.
    pub credential: Credential,
    /// What it was told.
    pub cause: String,
    /// How long it was told to wait, in milliseconds, if it was.
    pub wait_ms: Option<u64>,
    /// How long is waited the first time if not.
    pub delay_ms: u64,
}

/// What is done instead of waiting for longer than a run permits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitThen {
    /// The run starts nothing new.
    #[default]
    Pause,
    /// A person decides about the task that met it; the run does what else there is, and pauses.
    Escalate,
    /// The agent's next credential is used.
    OtherCredential,
    /// The agent that is named in its place does the work.
    OtherAgent,
}

/// Hours of the day in which nothing is started, in minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// The first minute of them.
    pub from: u16,
    /// The first minute after them. They pass midnight if it is not later.
    pub to: u16,
}

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: u16 = 24 * 60;

impl QuietHours {
    /// Reads `22:00-07:30`.
    #[must_use]
    pub fn parse(text: &str) -> Option<QuietHours> {
        let (from, to) = text.split_once('-')?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let two = |text: &str, most: u16| {
                let digits =
                    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                digits
                    .then(|| text.parse().ok())?
                    .filter(|number: &u16| *number <= most)
            };
            let minute = two(hour, 24)? * 60 + two(minute, 59)?;
            (minute <= DAY_MINUTES).then_some(minute % DAY_MINUTES)
        };
        let (from, to) = (minute(from)?, minute(to)?);
        // All day would be for ever.
        (from != to).then_some(QuietHours { from, to })
    }

    /// When they end, if it is one of them; `offset_ms` is added to UTC for the time of the day.
    #[must_use]
    pub fn end(self, now: Time, offset_ms: i64) -> Option<Time> {
        let local = i64::try_from(now.0).ok()?.checked_add(offset_ms)?;
        let of_day = local.rem_euclid(i64::from(DAY_MINUTES) * MINUTE_MS);
        let minute = (of_day / MINUTE_MS) as u16;
        let since = (minute + DAY_MINUTES - self.from) % DAY_MINUTES;
        let lasts = (self.to + DAY_MINUTES - self.from) % DAY_MINUTES;
        let left = (since < lasts).then(|| i64::from(lasts - since) * MINUTE_MS)?;
        Some(now.plus_ms((left - of_day % MINUTE_MS) as u64))
    }
}

impl std::fmt::Display for QuietHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let QuietHours { from, to } = self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            to / 60,
            to % 60
        )
    }
}

/// What is known of credentials at one moment: which are limited, and which there are.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Limits by credential; those that are over count no more.
    pub limits: &'a BTreeMap<Credential, Limit>,
    /// What each agent can log in with on this machine, in the order in which it looks. Of one that
    /// is not listed, and that configuration does not define, nothing is known.
    pub credentials: &'a BTreeMap<String, Vec<Credential>>,
    /// Added to UTC for the time of the day.
    pub offset_ms: i64,
}

/// Who is to do something, and who may during its usage limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The agent.
    pub agent: &'a str,
    /// The only ones that may take its place, the best first, where that is not as the run is set.
    pub instead: Option<&'a [String]>,
}

impl<'a> Wanted<'a> {
    /// An agent in whose place others may do it as the run is set.
    #[must_use]
    pub fn agent(agent: &'a str) -> Wanted<'a> {
        Wanted {
            agent,
            instead: None,
        }
    }
}

/// Whether and how an agent may begin something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It may.
    Begin {
        /// Who does it, with what.
        with: Means,
    },
    /// Not before this time.
    Wait {
        /// What for.
        on: Waiting,
        /// Until when.
        until: Time,
    },
    /// Its limit lasts longer than the run waits, and nothing else is to be used.
    Beyond {
        /// What is limited.
        credential: Credential,
        /// Until when.
        until: Time,
    },
}

impl Choice {
    /// Any agent may begin anything, where nobody counts limits.
    #[must_use]
    pub fn freely(_: &Run, wanted: Wanted<'_>) -> Choice {
        Choice::Begin {
            with: Means::unknown(wanted.agent),
        }
    }
}

/// What is waited for before something is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The end of a usage limit.
    Limit(Credential),
    /// The end of the hours in which nothing is started.
    QuietHours,
}

impl Access<'_> {
    /// Whether an agent may begin something for a run of these settings, or who may in its place.
    #[must_use]
    pub fn choose(&self, settings: &Settings, wanted: Wanted<'_>, now: Time) -> Choice {
        let agent = wanted.agent;
        if !holds_slot(agent) {
            return Choice::Begin {
                with: Means::unknown(agent),
            };
        }
        let quiet = settings.quiet_hours;
        if let Some(until) = quiet.and_then(|hours| hours.end(now, self.offset_ms)) {
            let on = Waiting::QuietHours;
            return Choice::Wait { on, until };
        }
        let usual = self.usual(settings, agent);
        let until = self.ends_at(&usual);
        if until <= now {
            return Choice::Begin { with: usual };
        }
        let waits = |until: Time| until.ms_since(now) <= settings.limit_wait_max_ms;
        if waits(until) {
            let on = Waiting::Limit(usual.credential);
            return Choice::Wait { on, until };
        }
        let others = self.others(settings, wanted);
        let free = others.iter().find(|other| self.ends_at(other) <= now);
        if let Some(free) = free {
            return Choice::Begin { with: free.clone() };
        }
        let soonest = others.into_iter().min_by_key(|other| self.ends_at(other));
        match soonest.map(|other| (self.ends_at(&other), other)) {
            Some((until, other)) if waits(until) => {
                let on = Waiting::Limit(other.credential);
                Choice::Wait { on, until }
            }
            _ => Choice::Beyond {
                credential: usual.credential,
                until,
            },
        }
    }

    /// What an agent can do something with, in the order in which it looks.
    fn all(&self, settings: &Settings, agent: &str) -> Vec<Means> {
        let defined = settings.defined.get(agent);
        let known = match defined.map(|defined| defined.credential(agent)) {
            Some(credential) => vec![credential],
            None => self.credentials.get(agent).cloned().unwrap_or_default(),
        };
        let with = |credential| Means {
            agent: agent.to_owned(),
            credential,
        };
        known.into_iter().map(with).collect()
    }

    fn usual(&self, settings: &Settings, agent: &str) -> Means {
        let first = self.all(settings, agent).into_iter().next();
        first.unwrap_or_else(|| Means::unknown(agent))
    }

    fn ends_at(&self, means: &Means) -> Time {
        self.limits
            .get(&means.credential)
            .map_or(Time(0), |limit| limit.ends_at)
    }

    /// What the run has be used in the place of an agent's usual credential, the best first.
    fn others(&self, settings: &Settings, wanted: Wanted<'_>) -> Vec<Means> {
        let agent = wanted.agent;
        match (settings.limit_then, wanted.instead) {
            (LimitThen::Pause | LimitThen::Escalate, _) => Vec::new(),
            (LimitThen::OtherCredential, _) => {
                let all = self.all(settings, agent).into_iter();
                all.skip(1).collect()
            }
            (LimitThen::OtherAgent, Some(instead)) => {
                let others = instead.iter().filter(|other| *other != agent);
                others.map(|other| self.usual(settings, other)).collect()
            }
            (LimitThen::OtherAgent, None) => {
                let (mut others, mut seen) = (Vec::new(), BTreeSet::from([agent]));
                let mut next = settings.limit_agents.get(agent);
                while let Some(other) = next.filter(|other| seen.insert(other)) {
                    others.push(self.usual(settings, other));
                    next = settings.limit_agents.get(other);
                }
                others
            }
        }
    }
}

impl Ledger {
    /// A limit was met. One that was met already, by an attempt that began before that was known, is
    /// the same; it may only turn out to last longer.
    pub(super) fn limited(&self, met: Met, now: Time) -> Option<Event> {
        let Met {
            attempt,
            leased_at,
            credential,
            cause,
            wait_ms,
            delay_ms,
        } = met;
        let last = self.limits.get(&credential);
        if last.is_some_and(|last| last.attempts.contains(&attempt)) {
            return None;
        }
        let bounded = |ms: u64| now.plus_ms(ms.min(LIMIT_MS_MAX));
        let same = last.filter(|last| leased_at <= last.met_at && now < last.ends_at);
        let limit = match same {
            Some(last) => {
                let mut limit = last.clone();
                if let Some(until) = wait_ms.map(bounded).filter(|until| *until > limit.ends_at) {
                    (limit.ends_at, limit.said, limit.cause) = (until, true, cause);
                }
                limit.attempts.insert(attempt);
                limit
            }
            None => {
                // Whoever is refused as soon as it is tried again is refused in a row.
                let lasted = |last: &Limit| last.ends_at.ms_since(last.met_at);
                let soon = |last: &&Limit| now <= last.ends_at.plus_ms(lasted(last).max(delay_ms));
                let times = last.filter(soon).map_or(0, |last| last.times);
                let guessed = delay_ms.saturating_mul(1 << times.min(DOUBLINGS_MAX));
                // Who was told a short wait, and is refused after it again, was told nothing.
                let said = wait_ms.filter(|ms| times == 0 || *ms >= delay_ms);
                Limit {
                    met_at: now,
                    ends_at: bounded(said.unwrap_or(guessed)),
                    said: said.is_some(),
                    times: times.saturating_add(1),
                    cause,
                    attempts: BTreeSet::from([attempt]),
                }
            }
        };
        Some(Event::CredentialLimited { credential, limit })
    }

    /// The credentials that are limited at a moment, with their limits.
    pub fn limited_at(&self, now: Time) -> impl Iterator<Item = (&Credential, &Limit)> {
        self.limits
            .iter()
            .filter(move |(_, limit)| limit.ends_at > now)
    }
}

#[cfg(test)]
mod tests;
