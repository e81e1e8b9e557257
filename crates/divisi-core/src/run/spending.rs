//! What attempts used, as far as their receipts tell.

use super::agents::{asks_model, holds_slot, is_process, keeps_usage_back};
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

/// What an attempt has used, once its agent has ended; `None` if no receipt tells of that.
#[must_use]
pub fn reported(settings: &Settings, agent: &str, receipts: &[Receipt]) -> Option<Spent> {
    let submitted = receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted {
            exit,
            wall_ms,
            usage,
            ..
        } => Some((exit, *wall_ms, *usage)),
        _ => None,
    });
    let (exit, wall_ms, usage) = submitted?;
    if *exit == Exit::NoProcess && is_process(agent) {
        // It ended with its machine: nobody saw how, and its log may lack the last it said.
        return Some(unknown(agent));
    }
    let time_ms = if holds_slot(agent) { wall_ms } else { 0 };
    // Who says nothing of it is settled by time and attempts alone, and counted.
    let used = usage.unwrap_or_default();
    let priced = || Some(settings.prices.get(agent)?.at_most(used.tokens));
    let usd_micros = match usage {
        Some(_) => used.usd_micros.or_else(priced),
        None => Some(0),
    };
    Some(Spent {
        time_ms: Some(time_ms),
        tokens: Some(used.tokens),
        usd_micros,
        unreported: receipts.iter().any(|it| keeps_usage_back(agent, it)),
        limited: false,
    })
}

/// What an attempt used that ended so.
#[must_use]
pub fn spent(settings: &Settings, agent: &str, end: &AttemptEnd, receipts: &[Receipt]) -> Spent {
    let heard = reported(settings, agent, receipts);
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
    let spent = spent(settings, agent, end, receipts);
    Amount {
        attempts: u64::from(!spent.limited),
        time_ms: spent.time_ms.unwrap_or(reserved.time_ms),
        tokens: spent.tokens.unwrap_or(reserved.tokens),
        usd_micros: spent.usd_micros.unwrap_or(reserved.usd_micros),
    }
}
