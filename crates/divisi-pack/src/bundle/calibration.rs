//! What a point takes: a default, until the project's own history says.

use std::collections::BTreeMap;

use divisi_core::TaskSpec;
use serde::{Deserialize, Serialize};

use super::Bundle;
use crate::role::Role;

/// Tokens that a point takes unless calibrated.
pub const TOKENS_PER_POINT: u64 = 1_000;

/// Tokens that a point takes at most. What agents report has no other bound.
pub const TOKENS_PER_POINT_MAX: u64 = 1_000_000_000;

/// Milliseconds that a point takes unless calibrated.
pub const MS_PER_POINT: u64 = 60_000;

/// What a point takes, from the project's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// Unless a role has its own.
    pub rate: Rate,
    /// By role id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Rate>,
}

/// What a point takes of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens.
    pub tokens_per_point: u64,
    /// Milliseconds.
    pub ms_per_point: u64,
    /// Whether the tokens are what agents reported. Such a figure warns, and refuses nothing: an
    /// agent may report what it likes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_learned: bool,
}

/// What a role's finished task took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Took {
    /// The role's id.
    pub role: String,
    /// How hard it was taken to be.
    pub points: u64,
    /// How long all of its attempts worked, in milliseconds; `None` if nobody did.
    pub ms: Option<u64>,
    /// Tokens that all of its attempts reported; `None` if none did.
    pub tokens: Option<u64>,
    /// Whether it was only played: what a script reports counts until an agent reports.
    pub is_scripted: bool,
}

/// So much for so many points.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    points: u64,
    much: u64,
}

impl Sum {
    fn add(&mut self, points: u64, much: u64) {
        self.points = self.points.saturating_add(points);
        self.much = self.much.saturating_add(much);
    }

    /// For one point; what took nothing at all would be no estimate.
    fn per_point(self) -> Option<u64> {
        Some(self.much.checked_div(self.points)?.max(1))
    }
}

/// What tasks took together.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    ms: Sum,
    tokens: Sum,
    tokens_scripted: Sum,
}

impl Sums {
    fn add(&mut self, took: &Took) {
        if let Some(ms) = took.ms {
            self.ms.add(took.points, ms);
        }
        if let Some(tokens) = took.tokens {
            let sum = match took.is_scripted {
                true => &mut self.tokens_scripted,
                false => &mut self.tokens,
            };
            sum.add(took.points, tokens);
        }
    }

    /// What a point takes by these; what they do not tell is as in `unless`.
    fn rate(self, unless: Rate) -> Rate {
        let tokens = self.tokens.per_point();
        let tokens = tokens.or_else(|| self.tokens_scripted.per_point());
        let tokens = tokens.map(|tokens| tokens.min(TOKENS_PER_POINT_MAX));
        Rate {
            is_learned: tokens.is_some() || unless.is_learned,
            ms_per_point: self.ms.per_point().unwrap_or(unless.ms_per_point),
            tokens_per_point: tokens.unwrap_or(unless.tokens_per_point),
        }
    }
}

impl Default for Rate {
    fn default() -> Rate {
        Rate {
            tokens_per_point: TOKENS_PER_POINT,
            ms_per_point: MS_PER_POINT,
            is_learned: false,
        }
    }
}

impl Calibration {
    /// The rate of a role.
    #[must_use]
    pub fn rate(&self, role: Option<&Role>) -> Rate {
        let own = role.and_then(|role| self.roles.get(&role.id));
        own.copied().unwrap_or(self.rate)
    }

    /// What history says: of each role by its own tasks, of what those do not tell by all tasks,
    /// and without any tasks nothing.
    #[must_use]
    pub fn learned(unless: Rate, history: &[Took]) -> Calibration {
        let mut all = Sums::default();
        let mut of_roles: BTreeMap<&str, Sums> = BTreeMap::new();
        let told = history.iter().filter(|took| took.points > 0);
        for took in told {
            all.add(took);
            of_roles.entry(&took.role).or_default().add(took);
        }
        let rate = all.rate(unless);
        let of_roles = of_roles.into_iter();
        Calibration {
            roles: of_roles
                .map(|(role, sums)| (role.to_owned(), sums.rate(rate)))
                .collect(),
            rate,
        }
    }
}

impl Bundle {
    /// The role of a task that this bundle made, and the points that its estimate stands for.
    #[must_use]
    pub fn points(&self, task: &TaskSpec) -> Option<(&Role, u64)> {
        let named = (task.domain.clone(), task.function.clone());
        let mut roles = self.roles.values();
        let role = roles.find(|role| role.names_of_tasks() == named)?;
        let ms = task.estimate.duration_ms?;
        let points = ms.checked_div(self.calibration.rate(Some(role)).ms_per_point)?;
        Some((role, points))
    }
}
