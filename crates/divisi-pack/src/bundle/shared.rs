//! The first half of an expansion: which targets there are, who is given which of them, and what is
//! promised for them.

use std::collections::{BTreeMap, HashSet};

use divisi_core::plan::Work;
use divisi_core::run::AGENT_PERSON;

use super::targets::{self, Matched, Target, Values};
use super::told::Told;
use super::{Bundle, Rate};
use crate::allocation::{self, Risk, share};
use crate::codes;
use crate::faults::shown;
use crate::plan_file::TOKENS_MAX;
use crate::role::Role;
use crate::workflow::{Entry, Iteration, Strategy};
use crate::{paths, placeholder};

/// An entry with its targets, shared among agents.
pub(super) struct Shared<'e> {
    pub(super) entry: &'e Entry,
    pub(super) role: Option<&'e Role>,
    pub(super) matched: Matched,
    pub(super) agents: Vec<Given>,
}

/// What one agent is given.
pub(super) struct Given {
    /// Positions of its targets.
    pub(super) positions: Vec<usize>,
    pub(super) made: Vec<Made>,
    pub(super) points: u64,
    pub(super) tokens: u64,
}

/// A file that is promised.
pub(super) struct Made {
    pub(super) path: String,
    /// Which of the entry's deliverables it is.
    pub(super) promised: usize,
    /// The position of the target that it is for.
    pub(super) target: Option<usize>,
}

impl<'e> Shared<'e> {
    pub(super) fn of(
        bundle: &'e Bundle,
        iteration: &Iteration,
        entry: &'e Entry,
        paths: &[&str],
        told: &mut Told,
    ) -> Shared<'e> {
        let matched = targets::of(bundle, iteration, entry, paths, told);
        let role = bundle.role(entry.role.as_deref());
        let rate = bundle.calibration.rate(role);
        let count = matched.targets.len();
        let budget = Budget::of(entry, role, rate);
        let most = budget.most(count, told);
        let by = |at: usize| match &entry.allocation.strategy {
            Strategy::By(name) => {
                let values = Values {
                    bundle,
                    target: matched.targets.get(at),
                };
                values.get(name).unwrap_or_default()
            }
            _ => String::new(),
        };
        if count == 0 && !entry.targets.is_empty() {
            return Shared {
                entry,
                role,
                matched,
                agents: Vec::new(),
            };
        }
        let shares = share(&entry.allocation.strategy, count, most, by);
        let agents: Vec<Given> = shares
            .into_iter()
            .map(|positions| {
                let many = positions.len().max(1) as u64;
                let points = budget.points.saturating_mul(many);
                let tokens = points.saturating_mul(rate.tokens_per_point);
                Given {
                    made: made(bundle, entry, &matched.targets, &positions, told),
                    // More stands in no plan.
                    tokens: match budget.counts {
                        true => tokens.min(TOKENS_MAX),
                        false => 0,
                    },
                    points,
                    positions,
                }
            })
            .collect();
        budget.warn(&agents, told);
        Shared {
            entry,
            role,
            matched,
            agents,
        }
    }
}

/// Whether tokens are used at all: only where an agent is given a handoff that is no person.
pub(super) fn uses_tokens(entry: &Entry) -> bool {
    entry.work == Work::Handoff && entry.settings.agent.as_deref() != Some(AGENT_PERSON)
}

/// What an entry's points mean for its role's budget.
struct Budget<'e> {
    entry: &'e Entry,
    role: Option<&'e Role>,
    points: u64,
    tokens_each: u64,
    /// Whether that is what agents reported.
    is_learned: bool,
    /// Whether tokens are used at all.
    counts: bool,
}

impl<'e> Budget<'e> {
    fn of(entry: &'e Entry, role: Option<&'e Role>, rate: Rate) -> Budget<'e> {
        let points = u64::from(entry.points.unwrap_or(1));
        Budget {
            entry,
            role,
            points,
            tokens_each: points.saturating_mul(rate.tokens_per_point),
            is_learned: rate.is_learned,
            counts: uses_tokens(entry),
        }
    }

    fn budget(&self) -> Option<(&'e Role, u64)> {
        let role = self.role.filter(|_| self.counts)?;
        Some((role, role.budget_tokens?))
    }

    /// How many targets an agent is given at most: its threshold, and no more than its budget has
    /// room for.
    fn most(&self, count: usize, told: &mut Told) -> Option<u32> {
        let threshold = self.entry.allocation.max_per_agent;
        let threshold = threshold.or(self.role.and_then(|role| role.targets_max));
        let Some((role, budget)) = self.budget() else {
            return threshold;
        };
        let together = match self.entry.allocation.strategy {
            Strategy::Single => count.max(1) as u64,
            _ => 1,
        };
        let tokens = self.tokens_each.saturating_mul(together);
        if tokens > budget {
            let hints = ["split the work, give fewer points, or raise the role's `token_budget`"];
            let cause = || {
                let what = match (count, together) {
                    (0, _) => "its work",
                    (_, 1) => "one of its targets",
                    _ => "all of its targets",
                };
                let name = shown(&role.name);
                format!("{what} at once would take {name} {tokens} tokens of {budget}")
            };
            let (code, place) = (codes::WORKFLOW_BUDGET, &self.entry.place);
            match self.is_learned {
                true => told.warning(code, place, &hints, cause),
                false => told.error(code, place, &hints, cause),
            }
            return threshold;
        }
        if self.tokens_each == 0 || together > 1 {
            return threshold;
        }
        let fits = u32::try_from(budget / self.tokens_each).unwrap_or(u32::MAX);
        let most = threshold.map_or(fits, |threshold| threshold.min(fits));
        let agents = |most: Option<u32>| {
            count
                .div_ceil(most.map_or(count, |most| most as usize).max(1))
                .max(1)
        };
        if agents(Some(most)) > agents(threshold) {
            told.warning(codes::WORKFLOW_BUDGET, &self.entry.place, &[], || {
                format!(
                    "{count} targets are shared among {} agents instead of {}: {fits} are what the \
                     budget of {} has room for",
                    agents(Some(most)),
                    agents(threshold),
                    shown(&role.name)
                )
            });
        }
        Some(most)
    }

    fn warn(&self, agents: &[Given], told: &mut Told) {
        let Some((role, budget)) = self.budget() else {
            return;
        };
        let tokens = agents
            .iter()
            .map(|given| given.tokens)
            .max()
            .unwrap_or_default();
        if allocation::suggests_split(tokens, budget) && Risk::of(tokens, budget) != Risk::Over {
            let hints = ["split the work: set `allocation: {max_per_agent: …}` lower"];
            told.warning(codes::WORKFLOW_BUDGET, &self.entry.place, &hints, || {
                let percent = u128::from(tokens) * 100 / u128::from(budget);
                let name = shown(&role.name);
                format!("an agent of {name} is expected to take {percent} % of its budget")
            });
        }
    }
}

/// The files that one agent promises for its targets, each once.
fn made(
    bundle: &Bundle,
    entry: &Entry,
    targets: &[Target],
    positions: &[usize],
    told: &mut Told,
) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    let one = [None];
    let each: Vec<Option<usize>> = match positions {
        [] => one.to_vec(),
        positions => positions.iter().copied().map(Some).collect(),
    };
    for (number, promised) in entry.deliverables.iter().enumerate() {
        for &position in &each {
            let values = Values {
                bundle,
                target: position.and_then(|at| targets.get(at)),
            };
            let path = placeholder::fill(&promised.path, |name| values.get(name));
            let mut names = placeholder::names(&promised.path);
            let fault = match names.find(|name| values.get(name).is_none()) {
                Some(name) => Some(format!("has {{{name}}}, and nothing says what that is")),
                None => paths::fault(&path),
            };
            if let Some(fault) = fault {
                told.error(codes::PATH, &entry.place, &[], || {
                    let of = position.and_then(|at| targets.get(at));
                    let of = of.map(|target| format!(" of {}", shown(&target.path)));
                    let of = of.unwrap_or_default();
                    format!("the deliverable {}{of} {fault}", shown(&path))
                });
                continue;
            }
            made.push(Made {
                path,
                promised: number,
                target: position,
            });
        }
    }
    if matches!(
        entry.allocation.strategy,
        Strategy::Single | Strategy::By(_)
    ) {
        // One agent may speak of all of its targets in one file.
        let mut seen = HashSet::new();
        made.retain(|made| seen.insert(made.path.clone()));
    }
    made
}

/// Two targets, or two entries, that promise one file: neither could be told from the other.
pub(super) fn check_promised(entries: &[Shared<'_>], told: &mut Told) {
    let mut owners: BTreeMap<&str, (usize, Option<usize>)> = BTreeMap::new();
    for (number, shared) in entries.iter().enumerate() {
        for made in shared.agents.iter().flat_map(|given| &given.made) {
            let Some(&(other, target)) = owners.get(&*made.path) else {
                owners.insert(&made.path, (number, made.target));
                continue;
            };
            let name = |entry: usize, target: Option<usize>| {
                let shared = &entries[entry];
                match target.and_then(|at| shared.matched.targets.get(at)) {
                    Some(target) => shown(&target.path),
                    None => shown(&shared.entry.label),
                }
            };
            let hints = match other == number {
                true => [
                    "use a variable such as `{file_id}` in the path, or, for one file about all \
                     targets, `allocation: {strategy: single}`",
                ],
                false => ["give one of the two another path"],
            };
            told.error(
                codes::WORKFLOW_SAME_FILE,
                &shared.entry.place,
                &hints,
                || {
                    let (one, two) = (name(other, target), name(number, made.target));
                    format!("{one} and {two} both promise {}", shown(&made.path))
                },
            );
        }
    }
}
