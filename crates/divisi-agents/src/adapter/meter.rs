//! What a session used so far, and whether that is beyond what was reserved for it.
//!
//! The engine reserves before it launches, and tells the adapter in a variable of its environment
//! what of that is a bound. An adapter ends its session after the answer of the model that goes
//! beyond; an answer that may be under way by then is broken off.

use std::collections::BTreeMap;

use divisi_core::ledger::{Bound, Measure};
use divisi_core::run::{Budget, Price};
use serde::{Deserialize, Serialize};

use super::product::{Counts, Product};
use super::transcript::{Entry, Tokens};

/// The variable that holds a [`Reservation`].
pub const RESERVATION_VARIABLE: &str = "DIVISI_RESERVATION";

/// What a session may use, and what that costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reservation {
    /// What was reserved of that which is bounded.
    pub budget: Budget,
    /// What a million tokens cost, by the model's or the agent's name.
    pub prices: BTreeMap<String, Price>,
}

/// Counts what a session uses.
#[derive(Debug)]
pub struct Meter {
    agent: String,
    counts: Counts,
    reservation: Reservation,
    /// Which model answers, once it is said.
    model: Option<String>,
    /// The sum of what each answer used.
    answers: Option<Tokens>,
    /// What the tool says of all so far.
    told: Option<Tokens>,
}

impl Meter {
    pub(super) fn with(product: &'static Product, reservation: Reservation) -> Meter {
        Meter {
            counts: product.counts,
            ..Meter::of_answers(product.name, None, reservation)
        }
    }

    /// One that hears of each answer of a model what it used, by [`Entry::Used`].
    #[must_use]
    pub fn of_answers(agent: &str, model: Option<&str>, reservation: Reservation) -> Meter {
        Meter {
            agent: agent.to_owned(),
            counts: Counts::Step,
            reservation,
            model: model.map(str::to_owned),
            answers: None,
            told: None,
        }
    }

    /// Hears an entry. Whether an answer of the model is complete with it.
    pub fn hear(&mut self, entry: &Entry) -> bool {
        match entry {
            Entry::Read { model, usage } => {
                if model.is_some() {
                    self.model.clone_from(model);
                }
                self.add(*usage);
                false
            }
            Entry::Responded { usage } => {
                self.add(*usage);
                true
            }
            Entry::Used { usage } => {
                match self.counts {
                    Counts::Step => self.add(*usage),
                    Counts::All | Counts::Session => self.told = Some(*usage),
                }
                true
            }
            _ => false,
        }
    }

    fn add(&mut self, usage: Tokens) {
        self.answers = Some(self.answers.unwrap_or_default().plus(usage));
    }

    /// All that was used as far as it is known, with its price where one is: as the tool names it,
    /// otherwise by what is configured. `None` if nothing was said of it. A tool that knows no price
    /// may say that it is nothing: that is none, so that nobody takes it for a gift.
    #[must_use]
    pub fn usage(&self) -> Option<Tokens> {
        // At least each of them was used: a tool that breaks off may tell of nothing in the end.
        let told = [self.told, self.answers].into_iter().flatten();
        let mut usage = told.max_by_key(|usage| usage.tokens())?;
        let costs = [self.told, self.answers].into_iter().flatten();
        usage.cost_usd_micros = costs.filter_map(|usage| usage.cost_usd_micros).max();
        if usage.cost_usd_micros.unwrap_or(0) == 0 && usage.are_any() {
            let input = usage.input_tokens.saturating_add(usage.cache_write_tokens);
            let of = |price: &Price| price.of(input, usage.output_tokens, usage.cache_read_tokens);
            usage.cost_usd_micros = self.price().map(of);
        }
        Some(usage)
    }

    fn price(&self) -> Option<&Price> {
        Price::find(&self.reservation.prices, &self.agent, self.model.as_deref())
    }

    /// The part of the reservation that is used up.
    #[must_use]
    pub fn used_up(&self) -> Option<Bound> {
        let usage = self.usage()?;
        let beyond = |bound: &Bound| match bound.measure() {
            Measure::Tokens => usage.tokens() > bound.much(),
            Measure::UsdMicros => usage.cost_usd_micros.is_some_and(|it| it > bound.much()),
            // The engine's own to watch.
            Measure::Attempts | Measure::TimeMs => false,
        };
        self.reservation.budget.bounds().find(beyond)
    }

    /// What was reserved of money, if that is bounded.
    pub(super) fn money(&self) -> Option<Bound> {
        self.reservation.budget.usd_micros.map(Bound::UsdMicros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Session, product};
    use crate::agent::Claim;
    use divisi_core::receipt::Exit;

    fn lines(stream: &str) -> Vec<String> {
        let path = format!(
            "{}/tests/streams/{stream}.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn within(name: &str, budget: Budget, price: Option<(&str, Price)>) -> Session {
        let prices = price.map(|(of, price)| (of.to_owned(), price));
        let reservation = Reservation {
            budget,
            prices: prices.into_iter().collect(),
        };
        Session::within(product(name).unwrap(), reservation)
    }

    /// Hears a recorded stream until the session is to be ended. How many answers of the model that
    /// took, and the session.
    fn heard(stream: &str, mut session: Session) -> (usize, Session) {
        let mut answers = 0;
        for line in lines(stream) {
            for entry in session.hear(&line) {
                answers += usize::from(matches!(entry, Entry::UsedSoFar { .. }));
            }
            if session.is_used_up() {
                break;
            }
        }
        (answers, session)
    }

    fn tokens(many: u64) -> Budget {
        Budget::default().with(Bound::Tokens(many))
    }

    #[test]
    fn a_session_is_ended_after_the_answer_that_goes_beyond_and_not_before() {
        // Three answers that call something, with 1055, 2060 and 3070 tokens, and a last one.
        for (reserved, answers) in [(1_054, 1), (1_055, 2), (3_114, 2), (3_115, 3)] {
            let session = within("claude", tokens(reserved), None);
            let (heard, session) = heard("claude-parts", session);
            assert!(session.is_used_up(), "{reserved}");
            assert_eq!(heard, answers, "{reserved}");
            let closing = session.close(&Exit::Signal(9));
            let bound = Bound::Tokens(reserved);
            assert_eq!(closing.claim, Claim::UsedUp { bound });
        }
        // The last answer of all goes beyond, too; but with it the work is done.
        let (_, session) = heard("claude-parts", within("claude", tokens(6_185), None));
        assert!(!session.is_used_up());
        let closing = session.close(&Exit::Status(0));
        assert_eq!(closing.claim, Claim::Done);
        // What the tool says of all counts more than the sum of what was heard.
        let usage = closing.usage.unwrap();
        assert_eq!(usage.tokens(), 25_302 + 192 + 5);
        assert_eq!(usage.cost_usd_micros, Some(131_356));
    }

    #[test]
    fn steps_are_counted_where_a_tool_tells_steps() {
        let all = lines("opencode-write").len();
        let (answers, session) = heard("opencode-write", within("opencode", tokens(1_000), None));
        assert!(all > 3 && answers == 1 && session.is_used_up());
        // Who tells only at the end cannot be ended before.
        let (_, session) = heard("codex-write", within("codex", tokens(1_000), None));
        assert!(!session.is_used_up());
        let closing = session.close(&Exit::Status(0));
        assert_eq!(closing.claim, Claim::Done);
        assert!(closing.usage.unwrap().tokens() > 1_000);
    }

    #[test]
    fn money_is_counted_by_what_is_configured_where_the_tool_names_no_price() {
        let price = Price {
            input: 3_000_000,
            output: 15_000_000,
            cached: 300_000,
        };
        let money = Budget::default().with(Bound::UsdMicros(5_000));
        // By the model's name, which the tool says, and by the agent's.
        for name in ["claude-opus-4-8", "claude"] {
            let session = within("claude", money, Some((name, price)));
            let (answers, session) = heard("claude-parts", session);
            // 1005 read, 10 of a cache and 50 written make 3768 millionths; the next makes 10674.
            assert_eq!(answers, 2, "{name}");
            let usage = session.close(&Exit::Signal(9)).usage.unwrap();
            assert_eq!(usage.cost_usd_micros, Some(10_674), "{name}");
        }
        let (_, session) = heard(
            "codex-write",
            within("codex", money, Some(("codex", price))),
        );
        let usage = session.close(&Exit::Status(0)).usage.unwrap();
        assert_eq!(usage.cost_usd_micros, Some(7_680));
    }

    #[test]
    fn a_price_of_nothing_is_none_unless_somebody_configured_it() {
        let money = Budget::default().with(Bound::UsdMicros(1_000));
        // What the recorded stream names is 0: the tool does not know the model.
        let (_, session) = heard("opencode-write", within("opencode", money, None));
        let usage = session.close(&Exit::Status(0)).usage.unwrap();
        assert_eq!((usage.tokens(), usage.cost_usd_micros), (2_268, None));
        let price = |of: u64| Price {
            input: of,
            output: of,
            cached: of,
        };
        let at = |of: u64| within("opencode", money, Some(("opencode", price(of))));
        let (answers, session) = heard("opencode-write", at(2_000_000));
        assert!(session.is_used_up() && answers == 1);
        let (_, session) = heard("opencode-write", at(0));
        let usage = session.close(&Exit::Status(0)).usage.unwrap();
        assert_eq!(usage.cost_usd_micros, Some(0));
        // Where a turn breaks off, its end may tell of nothing; the answers before it were heard.
        let broke = r#"{"type":"result","subtype":"error_during_execution","is_error":true,
            "session_id":"s","total_cost_usd":0,"modelUsage":{}}"#;
        let (_, mut session) = heard("claude-parts", within("claude", tokens(1_054), None));
        session.hear(&broke.replace('\n', ""));
        let usage = session.close(&Exit::Status(1)).usage.unwrap();
        assert_eq!((usage.tokens(), usage.cost_usd_micros), (1_055, None));
        // Who used nothing paid nothing.
        let nothing = r#"{"type":"result","subtype":"success","is_error":false,"result":"",
            "session_id":"s","total_cost_usd":0,"modelUsage":{}}"#;
        let mut session = within("claude", money, None);
        session.hear(&nothing.replace('\n', ""));
        let usage = session.close(&Exit::Status(0)).usage.unwrap();
        assert_eq!(usage.cost_usd_micros, Some(0));
    }

    #[test]
    fn a_tool_that_holds_its_bound_of_money_by_itself_is_heard() {
        let line = r#"{"type":"result","subtype":"error_max_budget_usd","is_error":true,
            "total_cost_usd":0.03454625,"modelUsage":{"m":{"inputTokens":6000,"outputTokens":180}}}"#;
        let bound = Bound::UsdMicros(20_000);
        let mut session = within("claude", Budget::default().with(bound), None);
        session.hear(&line.replace('\n', ""));
        let closing = session.close(&Exit::Status(1));
        assert_eq!(closing.claim, Claim::UsedUp { bound });
        assert_eq!(closing.usage.unwrap().cost_usd_micros, Some(34_546));
        // Where nothing was reserved, nothing was used up.
        let mut session = within("claude", Budget::default(), None);
        session.hear(&line.replace('\n', ""));
        let claim = session.close(&Exit::Status(1)).claim;
        assert!(matches!(claim, Claim::Failed { .. }), "{claim:?}");
    }
}
