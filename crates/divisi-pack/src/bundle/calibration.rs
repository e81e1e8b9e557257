//! What a point takes: a default, until the project's own history says.

use std::collections::BTreeMap;

use divisi_core::TaskSpec;
use serde::{Deserialize, Serialize};

use super::Bundle;
use crate::role::Role;

/// Tokens that a point takes unless calibrated.
pub const TOKENS_PER_POINT: u64 = 1_000;

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
}

/// What a role's finished task took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Took {
    /// The role's id.
    pub role: String,
    /// How hard it was taken to be.
    pub points: u64,
    /// How long all of its attempts worked, in milliseconds.
    pub ms: u64,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate {
            tokens_per_point: TOKENS_PER_POINT,
            ms_per_point: MS_PER_POINT,
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

    /// What history says: of each role by its own tasks, of roles without any by all tasks, and
    /// without any tasks nothing.
    #[must_use]
    pub fn learned(unless: Rate, history: &[Took]) -> Calibration {
        let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for took in history {
            let sum = sums.entry(&took.role).or_default();
            sum.0 = sum.0.saturating_add(took.points);
            sum.1 = sum.1.saturating_add(took.ms);
        }
        let rate = |(points, ms): (u64, u64)| {
            // Work that took no time at all would be no estimate.
            let ms_per_point = ms.checked_div(points)?.max(1);
            Some(Rate {
                ms_per_point,
                ..unless
            })
        };
        let all = sums.values().fold((0u64, 0u64), |all, sum| {
            (all.0.saturating_add(sum.0), all.1.saturating_add(sum.1))
        });
        let of_roles = sums
            .iter()
            .filter_map(|(role, sum)| Some(((*role).to_owned(), rate(*sum)?)));
        Calibration {
            roles: of_roles.collect(),
            rate: rate(all).unwrap_or(unless),
        }
    }
}

impl Bundle {
    /// The role of a task that this bundle made, and the points that its estimate stands for.
    #[must_use]
    pub fn points(&self, task: &TaskSpec) -> Option<(&Role, u64)> {
        let role = self.roles.values().find(|role| {
            let function = role.function.as_deref();
            let function = match role.domain {
                Some(_) => function,
                None => Some(function.unwrap_or(&role.id)),
            };
            role.domain == task.domain && function == task.function.as_deref()
        })?;
        let ms = task.estimate.duration_ms?;
        let points = ms.checked_div(self.calibration.rate(Some(role)).ms_per_point)?;
        Some((role, points))
    }
}
