//! How targets are shared among agents, and how much of a budget that takes.
//!
//! An agent is given at most as many targets as its role's threshold says, so the number of agents
//! is the number of targets divided by it, rounded up. Points feed tokens: the points of what an
//! agent is given, times the tokens that a point takes, are held against the role's budget.

use divisi_core::TaskId;
use serde::{Deserialize, Serialize};

use crate::workflow::Strategy;

/// Below this share of the budget, in percent, the risk is low.
pub const LOW_PERCENT: u64 = 70;
/// Below this share of the budget, in percent, the risk is medium.
pub const MEDIUM_PERCENT: u64 = 85;
/// Above this share of the budget, in percent, a split is suggested.
pub const SPLIT_PERCENT: u64 = 90;

/// How likely it is that an agent does not get by with its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Below 70 % of the budget.
    Low,
    /// Below 85 %.
    Medium,
    /// Up to 100 %.
    High,
    /// Above: it is not started so, unless only agents' reports say how much a point takes.
    Over,
}

impl Risk {
    /// The risk of so many tokens within a budget.
    #[must_use]
    pub fn of(tokens: u64, budget_tokens: u64) -> Risk {
        let share = u128::from(tokens) * 100;
        let below = |percent: u64| share < u128::from(budget_tokens) * u128::from(percent);
        match () {
            () if below(LOW_PERCENT) => Risk::Low,
            () if below(MEDIUM_PERCENT) => Risk::Medium,
            () if tokens <= budget_tokens => Risk::High,
            () => Risk::Over,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Over => "over",
        }
    }
}

/// Whether so many tokens are so close to a budget that a split is suggested.
#[must_use]
pub fn suggests_split(tokens: u64, budget_tokens: u64) -> bool {
    u128::from(tokens) * 100 > u128::from(budget_tokens) * u128::from(SPLIT_PERCENT)
}

/// What one agent is given: the figures of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The task.
    pub task: TaskId,
    /// The label of its entry.
    pub entry: String,
    /// The role's id, if an agent does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which agent of its entry, from 1.
    pub number: usize,
    /// How many agents the entry has.
    pub agents: usize,
    /// Paths of its targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Paths that it promises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// Points of all of its targets.
    pub points: u64,
    /// Tokens that it is expected to take; none where no agent works.
    pub tokens: u64,
    /// The role's budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// The risk, where there is a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

/// Shares so many targets among agents of which none is given more than `most`: the positions for
/// each agent. `group` says what `by_…` goes by. Without targets there is one agent with none.
pub(crate) fn share(
    strategy: &Strategy,
    count: usize,
    most: Option<u32>,
    group: impl Fn(usize) -> String,
) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..count).collect();
    match strategy {
        Strategy::Single => vec![all],
        Strategy::Even => evenly(&all, most),
        Strategy::RoundRobin => {
            let agents = agents(count, most);
            let dealt = |agent: usize| all.iter().copied().skip(agent).step_by(agents).collect();
            (0..agents).map(dealt).collect()
        }
        Strategy::By(_) => {
            let mut groups = std::collections::BTreeMap::<String, Vec<usize>>::new();
            for at in all {
                groups.entry(group(at)).or_default().push(at);
            }
            let shared = groups.values().flat_map(|group| evenly(group, most));
            shared.collect()
        }
    }
}

/// ⌈targets / threshold⌉, and one where there are none.
fn agents(count: usize, most: Option<u32>) -> usize {
    let most = most.map_or(count, |most| most as usize).max(1);
    count.div_ceil(most).max(1)
}

/// Neighbors together; no agent has two more than another.
fn evenly(targets: &[usize], most: Option<u32>) -> Vec<Vec<usize>> {
    let agents = agents(targets.len(), most);
    let (each, more) = (targets.len() / agents, targets.len() % agents);
    let mut from = 0;
    let mut shares = Vec::with_capacity(agents);
    for agent in 0..agents {
        let to = from + each + usize::from(agent < more);
        shares.push(targets[from..to].to_vec());
        from = to;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(strategy: &Strategy, count: usize, most: u32) -> Vec<usize> {
        let group = |at: usize| (at % 3).to_string();
        let shares = share(strategy, count, Some(most), group);
        let mut all: Vec<usize> = shares.concat();
        all.sort_unstable();
        assert_eq!(all, (0..count).collect::<Vec<_>>(), "each target once");
        shares.iter().map(Vec::len).collect()
    }

    #[test]
    fn agents_are_targets_by_threshold_rounded_up() {
        for (count, most, expected) in [
            (1, 10, vec![1]),
            (10, 10, vec![10]),
            (11, 10, vec![6, 5]),
            (3, 1, vec![1, 1, 1]),
            (23, 5, vec![5, 5, 5, 4, 4]),
            (0, 5, vec![0]),
        ] {
            assert_eq!(
                sizes(&Strategy::Even, count, most),
                expected,
                "{count} by {most}"
            );
            assert_eq!(
                sizes(&Strategy::RoundRobin, count, most),
                expected,
                "{count} by {most}"
            );
        }
        assert_eq!(sizes(&Strategy::Single, 23, 5), [23]);
        assert_eq!(sizes(&Strategy::By("x".into()), 10, 3), [2, 2, 3, 3]);
        let none = share(&Strategy::Even, 7, None, |_| String::new());
        assert_eq!(none, [[0, 1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn neighbors_stay_together_or_are_dealt_in_turn() {
        let positions = |strategy: Strategy| share(&strategy, 5, Some(2), |_| String::new());
        assert_eq!(positions(Strategy::Even), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(
            positions(Strategy::RoundRobin),
            [vec![0, 3], vec![1, 4], vec![2]]
        );
    }

    #[test]
    fn risk_follows_the_share_of_the_budget() {
        for (tokens, risk, splits) in [
            (0, Risk::Low, false),
            (69_999, Risk::Low, false),
            (70_000, Risk::Medium, false),
            (84_999, Risk::Medium, false),
            (85_000, Risk::High, false),
            (90_000, Risk::High, false),
            (90_001, Risk::High, true),
            (100_000, Risk::High, true),
            (100_001, Risk::Over, true),
            (u64::MAX, Risk::Over, true),
        ] {
            assert_eq!(Risk::of(tokens, 100_000), risk, "{tokens}");
            assert_eq!(suggests_split(tokens, 100_000), splits, "{tokens}");
        }
    }
}
