//! What agents say to have used, and what the ledger must make of it.

use std::collections::BTreeMap;

use divisi_core::ids::AttemptId;
use divisi_core::ledger::{self, Account, Amount, Bound, Ledger, Measure};
use divisi_core::receipt::Usage;
use divisi_core::run::Budget;

use crate::breaks::Oracle;
use crate::coverage::{Coverage, Fault};
use crate::rng::Rng;
use crate::sim::{Violation, violated};

/// From the end of a time box to the end of a process: a look of the monitor, an order on its way,
/// an engine that is dead meanwhile, a process that ignores to be told.
const ENDING_MS_MAX: u64 = 60_000;

/// The most that one answer of a model takes.
const ANSWER: Amount = Amount {
    attempts: 0,
    time_ms: ENDING_MS_MAX,
    tokens: 20_000,
    usd_micros: 200_000,
};

/// What an agent says at its end to have used of its reservation: within it, beyond it by a part of
/// an answer, or nothing at all.
pub(crate) fn usage(rng: &mut Rng, reserved: Amount, overshoots: bool) -> Option<Usage> {
    let mut of = |measure| match overshoots {
        true => reserved.of(measure) + rng.within(1, ANSWER.of(measure)),
        false => rng.within(0, reserved.of(measure)),
    };
    let (tokens, micros) = (of(Measure::Tokens), of(Measure::UsdMicros));
    let usd_micros = rng.chance(700).then_some(micros);
    (overshoots || rng.chance(800)).then_some(Usage { tokens, usd_micros })
}

/// Which of its bounds an agent says to be used up.
pub(crate) fn used_up(reserved: Budget) -> Option<Bound> {
    let counted = [Measure::Tokens, Measure::UsdMicros];
    let bound = |measure| Some(Bound::of(measure, reserved.of(measure)?));
    counted.into_iter().find_map(bound)
}

/// An attempt that was settled.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) attempt: AttemptId,
    reserved: Amount,
    used: Amount,
    unreported: bool,
    /// Whether money is bounded that it is charged to.
    bounds_money: bool,
}

impl Settled {
    /// What was said is what counts; what was not said is charged in full.
    pub(crate) fn judge(
        &self,
        said: Option<Usage>,
        coverage: &mut Coverage,
    ) -> Result<(), Violation> {
        let expected = match said {
            Some(usage) => (
                usage.tokens,
                usage.usd_micros.unwrap_or(self.reserved.usd_micros),
                self.bounds_money && usage.usd_micros.is_none(),
            ),
            None => (self.reserved.tokens, self.reserved.usd_micros, true),
        };
        let has = (self.used.tokens, self.used.usd_micros, self.unreported);
        if has != expected {
            let what = format!("{} is settled as {has:?}, not {expected:?}", self.attempt);
            return violated(Oracle::Budget, what);
        }
        coverage.fault(match said {
            None => Fault::UsageUnsaid,
            Some(_) if self.used.tokens > self.reserved.tokens => Fault::Overshot,
            Some(_) => return Ok(()),
        });
        Ok(())
    }
}

/// What was settled, and how far beyond what was reserved.
#[derive(Debug, Default)]
pub(crate) struct Books {
    overdrawn: BTreeMap<Account, Amount>,
    settled: Vec<Settled>,
}

impl Books {
    pub(crate) fn take_settled(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    /// How much an account may be overdrawn by what was settled so far.
    pub(crate) fn overdrawn(&self, account: Account) -> Amount {
        self.overdrawn.get(&account).copied().unwrap_or_default()
    }

    /// Nothing is reserved beyond a budget, and no attempt uses more than was reserved for it, but
    /// for one answer and what ending it takes.
    pub(crate) fn judge(
        &mut self,
        ledger: &Ledger,
        event: &ledger::Event,
    ) -> Result<(), Violation> {
        match event {
            ledger::Event::Reserved {
                attempt,
                amount,
                accounts,
            } => {
                for account in accounts {
                    let balance = &ledger.accounts[account];
                    let taken = balance.taken().plus(*amount);
                    let is_beyond = |bound: Bound| {
                        let asked = amount.of(bound.measure());
                        asked > 0 && taken.of(bound.measure()) > bound.much()
                    };
                    if balance.budget.bounds().any(is_beyond) {
                        let what = format!(
                            "{attempt}: {amount:?} is reserved on {account} with {balance:?}"
                        );
                        return violated(Oracle::Budget, what);
                    }
                }
            }
            ledger::Event::Settled {
                attempt,
                used,
                unreported,
            } => {
                let Some(held) = ledger.held.get(attempt) else {
                    return Ok(());
                };
                let beyond = used.minus(held.amount);
                if beyond.minus(ANSWER) != Amount::default() {
                    let what = format!("{attempt} used {used:?} of {:?}", held.amount);
                    return violated(Oracle::Budget, what);
                }
                for account in &held.accounts {
                    let so_far = self.overdrawn.entry(*account).or_default();
                    *so_far = so_far.plus(beyond);
                }
                self.settled.push(Settled {
                    attempt: *attempt,
                    reserved: held.amount,
                    used: *used,
                    unreported: *unreported,
                    bounds_money: ledger.reserved(*attempt).usd_micros.is_some(),
                });
            }
            _ => {}
        }
        Ok(())
    }
}
