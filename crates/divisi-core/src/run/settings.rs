//! The numbers of a run: every one is a setting, and enters by an event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::agents::{AGENT_AUTO, AGENT_PERSON};
use super::defined::Defined;
use super::sizes::Sizes;
use crate::ids::Digest;
use crate::ledger::{Bound, LimitThen, Measure, QuietHours};
use crate::permission::Permissions;

/// What a run may use, journalled with its creation so that replay never reads configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How many of its attempts may hold a slot at once.
    pub workers_max: u32,
    /// The same by role (`domain/function`, or either alone).
    pub role_limits: BTreeMap<String, u32>,
    /// The same by agent.
    pub agent_limits: BTreeMap<String, u32>,
    /// The agent of tasks that name none and have nothing to execute.
    pub agent_default: String,
    /// The same by role (`domain/function`, or either alone), for tasks that are planned while the
    /// run goes on: those of its own plan name theirs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, String>,
    /// The agent that `auto` stands for, found when the run was created: whoever goes on with it has
    /// the same one do the work.
    #[serde(skip_serializing_if = "is_person")]
    pub agent_auto: String,
    /// The same by role (`domain/function`, or either alone), for roles that others are preferred
    /// for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents_auto: BTreeMap<String, String>,
    /// Failures of the agent's own after which a person is asked (T7).
    pub failures_max: u32,
    /// Failures of the agent's own after which another agent takes over, if the task names one.
    pub reassign_after: u32,
    /// Failures of the agent's own after which a task becomes smaller ones, where it can be divided
    /// by rule; at the latest in the place of a person being asked. 0 for never.
    pub split_after: u32,
    /// What counts as large, and what as too small to be split.
    #[serde(skip_serializing_if = "Sizes::are_usual")]
    pub sizes: Sizes,
    /// The agents that judge what no rule can, best first; a person does where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
    /// Those that were to judge and were not there when the run was created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reviewers_missing: Vec<String>,
    /// How many results that a person must judge there may be at once, those under way included; 0
    /// for any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub awaiting_max: u32,
    /// Losses after which a person is asked; a loss is never the agent's failure.
    pub losses_max: u32,
    /// Conflicts after which a person is asked; a conflict is never the agent's failure.
    pub conflicts_max: u32,
    /// How long a lost task waits before its next attempt, in milliseconds; doubled each time.
    pub loss_delay_ms: u64,
    /// Usage limits met by a task's attempts after which a person is asked; a limit is never the
    /// agent's failure.
    pub limits_max: u32,
    /// How long a credential that met a usage limit is not used where nobody says, in milliseconds;
    /// doubled each time.
    pub limit_delay_ms: u64,
    /// For how long the end of such a limit is waited for at the most, in milliseconds.
    pub limit_wait_max_ms: u64,
    /// What is done where it lasts longer.
    #[serde(skip_serializing_if = "is_usual")]
    pub limit_then: LimitThen,
    /// Who does the work of an agent that is limited, if others do.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limit_agents: BTreeMap<String, String>,
    /// Hours in which nothing is started, in the local time of who holds the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// How long an attempt of an agent may go without progress before it is suspected, in
    /// milliseconds, where that is not the agent's usual.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub progress_ms: BTreeMap<String, u64>,
    /// The time box of attempts whose task has none, in milliseconds.
    pub timeout_ms: u64,
    /// Whether stages run with barriers between them even if the plan has no stages of its own.
    pub barriers: bool,
    /// Whether a plan that an agent makes of the whole awaits its owner's approval.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub approves_plans: bool,
    /// How many verified attempts are integrated at once at the most.
    pub batch_max: u32,
    /// What the run may use up, if bounded.
    pub budget: Budget,
    /// Tokens that are reserved for an attempt whose task has neither a budget nor a larger estimate of
    /// its own, where tokens are bounded.
    pub attempt_tokens: u64,
    /// The same of money, in millionths of a US dollar.
    pub attempt_usd_micros: u64,
    /// Attempts at a task whose reservations were used up after which a person is asked; that is
    /// never the agent's failure.
    pub used_up_max: u32,
    /// What models cost, by the model's or the agent's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
    /// How much its agents are told at once.
    #[serde(skip_serializing_if = "Telling::is_usual")]
    pub handoffs: Telling,
    /// What its agents' processes may do.
    #[serde(skip_serializing_if = "Grants::are_usual")]
    pub grants: Grants,
    /// What they may do without asking.
    #[serde(skip_serializing_if = "Permissions::are_usual")]
    pub permissions: Permissions,
    /// The artifact that holds by which rules scripted agents do handoffs; the built-in ones unless
    /// told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Digest>,
    /// The agents that configuration defines, by the names by which tasks name them: whoever goes on
    /// with the run has the same ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub defined: BTreeMap<String, Defined>,
}

impl Settings {
    /// The agent that a name stands for in this run, for a task of this role if it has one.
    #[must_use]
    pub fn meant<'a>(&'a self, name: &'a str, role: Option<&str>) -> &'a str {
        if name != AGENT_AUTO {
            return name;
        }
        let of_role = role.and_then(|role| self.agents_auto.get(role));
        of_role.unwrap_or(&self.agent_auto)
    }

    /// What the tokens cost that an agent of this name uses, where somebody configured it.
    #[must_use]
    pub fn price(&self, agent: &str) -> Option<&Price> {
        let model = match self.defined.get(agent) {
            Some(Defined::Model(defined)) => Some(defined.model.as_str()),
            Some(Defined::Program(_)) | None => None,
        };
        Price::find(&self.prices, agent, model)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_usual(then: &LimitThen) -> bool {
    *then == LimitThen::default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_person(agent: &str) -> bool {
    agent == AGENT_PERSON
}

/// What the processes of a run's agents may do beyond the usual, and how they are bounded. Said
/// once, when the run is started: whoever goes on with it later grants the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// Absolute paths that they may write to beside their workspaces.
    pub writes: Vec<String>,
    /// Names of environment variables that they get beside the usual ones.
    pub passes: Vec<String>,
    /// Whether their writes are not confined.
    pub unconfined: bool,
    /// Address space of each process in bytes, if limited.
    pub memory_bytes_max: Option<u64>,
    /// CPU time of each process in seconds, if limited.
    pub cpu_s_max: Option<u64>,
}

impl Grants {
    fn are_usual(&self) -> bool {
        *self == Grants::default()
    }
}

/// How much agents are told at once, in tokens as they are estimated for handoffs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Telling {
    /// A handoff of an agent that a model does the work for.
    pub tokens_max: u64,
    /// The same by agent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, u64>,
}

impl Telling {
    /// What a handoff may have where nothing else is said: a quarter of what the smallest models
    /// that do such work read at once.
    pub const TOKENS_MAX: u64 = 32_000;

    fn is_usual(&self) -> bool {
        *self == Telling::default()
    }
}

impl Default for Telling {
    fn default() -> Telling {
        Telling {
            tokens_max: Telling::TOKENS_MAX,
            agents: BTreeMap::new(),
        }
    }
}

/// Bounds on what a run may use up; the ledger holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Attempts over all tasks.
    pub attempts: Option<u64>,
    /// Agents' time over all attempts, in milliseconds.
    pub time_ms: Option<u64>,
    /// Tokens over all attempts.
    pub tokens: Option<u64>,
    /// Money over all attempts, in millionths of a US dollar.
    pub usd_micros: Option<u64>,
}

impl Budget {
    /// Whether anything is bounded.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.bounds().next().is_some()
    }

    /// How much of one measure, if that is bounded.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Attempts => self.attempts,
            Measure::TimeMs => self.time_ms,
            Measure::Tokens => self.tokens,
            Measure::UsdMicros => self.usd_micros,
        }
    }

    /// All that is bounded.
    pub fn bounds(&self) -> impl Iterator<Item = Bound> + use<> {
        let budget = *self;
        let bound = move |measure| Some(Bound::of(measure, budget.of(measure)?));
        Measure::ALL.into_iter().filter_map(bound)
    }

    /// The same with one bound more, or another one.
    #[must_use]
    pub fn with(mut self, bound: Bound) -> Budget {
        let place = match bound.measure() {
            Measure::Attempts => &mut self.attempts,
            Measure::TimeMs => &mut self.time_ms,
            Measure::Tokens => &mut self.tokens,
            Measure::UsdMicros => &mut self.usd_micros,
        };
        *place = Some(bound.much());
        self
    }

    /// The same, and what it leaves open as another one has it.
    #[must_use]
    pub fn or(self, other: Budget) -> Budget {
        self.bounds().fold(other, Budget::with)
    }
}

/// What a million tokens cost, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Read, and not in a cache.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from a cache.
    pub cached: u64,
}

impl Price {
    /// The price of a model that an agent asks: by the model's name where it is known, otherwise by
    /// the agent's.
    #[must_use]
    pub fn find<'p>(
        prices: &'p BTreeMap<String, Price>,
        agent: &str,
        model: Option<&str>,
    ) -> Option<&'p Price> {
        let of_model = model.and_then(|model| prices.get(model));
        of_model.or_else(|| prices.get(agent))
    }

    /// What so many tokens cost, in millionths of a US dollar, rounded up: read, written, and read
    /// from a cache.
    #[must_use]
    pub fn of(&self, input: u64, output: u64, cached: u64) -> u64 {
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let sum = part(input, self.input) + part(output, self.output) + part(cached, self.cached);
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// What so many tokens cost at the most, whatever they are.
    #[must_use]
    pub fn at_most(&self, tokens: u64) -> u64 {
        match self.output >= self.input {
            true => self.of(0, tokens, 0),
            false => self.of(tokens, 0, 0),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            workers_max: 4,
            role_limits: BTreeMap::new(),
            agent_limits: BTreeMap::new(),
            agent_default: AGENT_PERSON.to_owned(),
            agent_auto: AGENT_PERSON.to_owned(),
            agents_auto: BTreeMap::new(),
            agents: BTreeMap::new(),
            failures_max: 3,
            reassign_after: 2,
            split_after: 3,
            sizes: Sizes::USUAL,
            reviewers: Vec::new(),
            reviewers_missing: Vec::new(),
            awaiting_max: 0,
            losses_max: 5,
            conflicts_max: 5,
            loss_delay_ms: 1_000,
            limits_max: 20,
            limit_delay_ms: 60_000,
            limit_wait_max_ms: 24 * 60 * 60_000,
            limit_then: LimitThen::default(),
            limit_agents: BTreeMap::new(),
            quiet_hours: None,
            progress_ms: BTreeMap::new(),
            timeout_ms: 30 * 60_000,
            barriers: false,
            approves_plans: false,
            batch_max: 8,
            budget: Budget::default(),
            attempt_tokens: 500_000,
            attempt_usd_micros: 2_000_000,
            used_up_max: 3,
            prices: BTreeMap::new(),
            handoffs: Telling::default(),
            grants: Grants::default(),
            permissions: Permissions::default(),
            rehearsal: None,
            defined: BTreeMap::new(),
        }
    }
}
