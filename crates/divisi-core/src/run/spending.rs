//! What attempts used, as far as their receipts tell.

use super::agents::{Unsaid, asks_model, holds_slot, is_process, unsaid};
use super::attempt::{AttemptEnd, Ending, Failure};
use super::settings::Settings;
use super::task::Task;
use crate::ledger::{Amount, Spent};
use crate::receipt::{Exit, Receipt};

/// What an attempt used that had no agent.
const NOTHING: Spent = Spent {
    time_ms: Some(0),
    tokens: Some(0),
    usd_micros: Some(0),
    unreported: false,
    limited: false,
};

/// What is held for an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// So much.
    pub amount: Amount,
    /// Whether money is bounded that it is charged to.
    pub bounds_money: bool,
}

/// What an attempt has used of what is held for it, once its agent has ended; `None` if no receipt
/// tells of that. What its agent did not say, though it says it mostly, stays charged.
#[must_use]
pub fn reported(
    settings: &Settings,
    agent: &str,
    receipts: &[Receipt],
    held: &Held,
) -> Option<Spent> {
    let submitted = receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted {
            exit,
            wall_ms,
            usage,
            ..
        } => Some((receipt, exit, *wall_ms, *usage)),
        _ => None,
    });
    let (receipt, exit, wall_ms, usage) = submitted?;
    if *exit == Exit::NoProcess && is_process(agent) {
        // It ended with its machine: nobody saw how, and its log may lack the last it said.
        return Some(unknown(agent));
    }
    let unsaid = unsaid(agent, settings, receipt);
    let used = usage.unwrap_or_default();
    let priced = || Some(settings.price(agent)?.at_most(used.tokens));
    let cost = match usage {
        Some(_) => used.usd_micros.or_else(priced),
        None => Some(0),
    };
    let (tokens, usd_micros) = match unsaid {
        // Who never says anything of it is settled by time and attempts alone, and counted.
        None | Some(Unsaid::Ever) => (Some(used.tokens), cost),
        Some(Unsaid::ThisTime) => (None, None),
        Some(Unsaid::Rest) => (
            Some(used.tokens.max(held.amount.tokens)),
            Some(cost.unwrap_or(0).max(held.amount.usd_micros)),
        ),
    };
    Some(Spent {
        time_ms: Some(if holds_slot(agent) { wall_ms } else { 0 }),
        tokens,
        usd_micros,
        unreported: unsaid.is_some() || (held.bounds_money && usd_micros.is_none()),
        limited: false,
    })
}

/// What an attempt used that ended so.
#[must_use]
pub fn spent(
    settings: &Settings,
    agent: &str,
    end: &AttemptEnd,
    receipts: &[Receipt],
    held: &Held,
) -> Spent {
    let heard = reported(settings, agent, receipts, held);
    let spent = heard.unwrap_or_else(|| match never_began(end) {
        true => NOTHING,
        false => unknown(agent),
    });
    let limited = matches!(end, AttemptEnd::Limited { .. });
    Spent { limited, ..spent }
}

/// What is known of an attempt that nobody heard the end of.
fn unknown(agent: &str) -> Spent {
    let asks = asks_model(agent);
    Spent {
        tokens: (!asks).then_some(0),
        usd_micros: (!asks).then_some(0),
        unreported: asks,
        limited: false,
        ..Spent::default()
    }
}

/// Whether an attempt that left no receipt of its agent's end had no agent: it could not be
/// started, or was stopped before.
fn never_began(end: &AttemptEnd) -> bool {
    matches!(
        end,
        AttemptEnd::Errored(Failure::Start { .. })
            | AttemptEnd::Refused(Failure::Composition(_))
            | AttemptEnd::Stopped(_)
    )
}

/// What all attempts at a task that are over used together; of one that nobody heard of, what is
/// reserved for such an attempt.
pub(super) fn used(settings: &Settings, task: &Task) -> Amount {
    let adopted: Vec<u32> = { task.endings.iter() }
        .filter_map(|ending| ending.adopted_as)
        .collect();
    let costs = |ending: &&Ending| {
        let prepared = !matches!(ending.end, AttemptEnd::Errored(Failure::Preparation(_)));
        prepared && !adopted.contains(&ending.number)
    };
    let of = |it: &Ending| cost(settings, task, &it.agent, &it.end, &it.receipts);
    let all = task.endings.iter().filter(costs);
    all.map(of).fold(Amount::default(), Amount::plus)
}

/// What one attempt at a task cost.
pub(super) fn cost(
    settings: &Settings,
    task: &Task,
    agent: &str,
    end: &AttemptEnd,
    receipts: &[Receipt],
) -> Amount {
    let reserved = task.amount(settings);
    let held = Held {
        amount: reserved,
        bounds_money: false,
    };
    let spent = spent(settings, agent, end, receipts, &held);
    Amount {
        attempts: u64::from(!spent.limited),
        time_ms: spent.time_ms.unwrap_or(reserved.time_ms),
        tokens: spent.tokens.unwrap_or(reserved.tokens),
        usd_micros: spent.usd_micros.unwrap_or(reserved.usd_micros),
    }
}
