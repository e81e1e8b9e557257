//! What was said so far, and what of it is told again.

use std::fmt;

use divisi_agents::adapter::Tokens;
use serde_json::Value;

/// A token is at least about so many bytes of text.
pub(crate) const BYTES_A_TOKEN: usize = 4;

/// Beyond the bound, results are left out until this part of it is used: leaving out a little at
/// every turn would change what providers keep in their caches every time.
const KEPT_PART: (usize, usize) = (3, 4);

/// So many of the last rounds are kept whole, whatever they hold.
const ROUNDS_KEPT: usize = 2;

/// What a model was told and answered. The system's words and the functions are said beside it.
#[derive(Debug)]
pub(crate) struct Messages {
    /// What is to be done.
    pub(crate) prompt: String,
    /// What came of it so far.
    pub(crate) rounds: Vec<Round>,
}

/// An answer, and what it was told then.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) answer: Answer,
    pub(crate) told: Told,
}

/// What is told after an answer.
#[derive(Debug)]
pub(crate) enum Told {
    /// What came of its calls, in their order.
    Results(Vec<Result>),
    /// Words, since it called nothing.
    Words(String),
}

/// What came of one call.
#[derive(Debug)]
pub(crate) struct Result {
    pub(crate) call: Call,
    pub(crate) output: String,
    /// Whether the output was left out, of so many bytes.
    left_out: bool,
}

/// What a model wants done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// The provider's own name for it.
    pub(crate) id: String,
    /// The function's name.
    pub(crate) function: String,
    /// Its arguments; a text where they are no JSON.
    pub(crate) arguments: Value,
}

/// One answer of a model.
pub(crate) struct Answer {
    /// What it said.
    pub(crate) text: String,
    /// What it wants done.
    pub(crate) calls: Vec<Call>,
    /// What it used.
    pub(crate) usage: Option<Tokens>,
    /// Whether it was cut off since it became too long.
    pub(crate) is_cut_off: bool,
    /// The same in the provider's own form, which holds what only the provider can read.
    pub(crate) own: genai::chat::MessageContent,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.text, self.calls)
    }
}

impl Result {
    pub(crate) fn of(call: Call, output: String) -> Result {
        Result {
            call,
            output,
            left_out: false,
        }
    }
}

impl Messages {
    pub(crate) fn begin(prompt: String) -> Messages {
        Messages {
            prompt,
            rounds: Vec::new(),
        }
    }

    /// About how many tokens are told.
    pub(crate) fn tokens(&self) -> usize {
        let rounds = self.rounds.iter().map(Round::bytes).sum::<usize>();
        (self.prompt.len() + rounds) / BYTES_A_TOKEN
    }

    /// Leaves out the oldest results until no more than so many tokens are told. The same results
    /// are left out of the same session, always. Returns of how many.
    ///
    /// # Errors
    /// It is too long even so.
    pub(crate) fn fit(&mut self, most: usize) -> std::result::Result<usize, TooLong> {
        if self.tokens() <= most {
            return Ok(0);
        }
        let target = most / KEPT_PART.1 * KEPT_PART.0;
        let last = self.rounds.len().saturating_sub(ROUNDS_KEPT);
        let (mut tokens, mut left_out) = (self.tokens(), 0);
        for round in &mut self.rounds[..last] {
            let Told::Results(results) = &mut round.told else {
                continue;
            };
            for result in results.iter_mut().filter(|result| !result.left_out) {
                if tokens <= target {
                    return Ok(left_out);
                }
                let note = format!(
                    "[{} bytes were left out, since the session became too long; call again \
                     for what is still needed]",
                    result.output.len()
                );
                if note.len() < result.output.len() {
                    tokens -= (result.output.len() - note.len()) / BYTES_A_TOKEN;
                    result.output = note;
                    left_out += 1;
                }
                result.left_out = true;
            }
        }
        match self.tokens() <= most {
            true => Ok(left_out),
            false => Err(TooLong),
        }
    }
}

/// There is more than may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Round {
    fn bytes(&self) -> usize {
        let calls = self.answer.calls.iter();
        let calls: usize = calls.map(|call| call.arguments.to_string().len()).sum();
        let told = match &self.told {
            Told::Words(words) => words.len(),
            Told::Results(results) => results.iter().map(|result| result.output.len()).sum(),
        };
        self.answer.text.len() + calls + told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bytes: usize) -> Round {
        let call = Call {
            id: "1".to_owned(),
            function: "read".to_owned(),
            arguments: Value::Null,
        };
        Round {
            answer: Answer {
                text: String::new(),
                calls: vec![call.clone()],
                usage: None,
                is_cut_off: false,
                own: genai::chat::MessageContent::default(),
            },
            told: Told::Results(vec![Result::of(call, "x".repeat(bytes))]),
        }
    }

    fn outputs(messages: &Messages) -> Vec<usize> {
        let told = messages.rounds.iter().map(|round| &round.told);
        let bytes = told.map(|told| match told {
            Told::Results(results) => results[0].output.len(),
            Told::Words(_) => 0,
        });
        bytes.collect()
    }

    #[test]
    fn the_oldest_results_are_left_out_and_the_last_rounds_stay() {
        let make = || {
            let mut made = Messages::begin("do it".to_owned());
            made.rounds
                .extend([40_000, 10, 40_000, 40_000, 40_000].map(round));
            made
        };
        let mut all = make();
        assert_eq!(all.fit(100_000), Ok(0));
        assert_eq!(outputs(&all), [40_000, 10, 40_000, 40_000, 40_000]);

        let mut some = make();
        assert_eq!(some.fit(35_000), Ok(2));
        let [first, second, third, fourth, fifth] = outputs(&some)[..] else {
            panic!("five rounds");
        };
        assert!(first < 200 && third < 200, "{first}, {third}");
        assert_eq!((second, fourth, fifth), (10, 40_000, 40_000));
        // What was left out is not left out again, and the same comes of the same.
        let before = outputs(&some);
        assert_eq!(some.fit(35_000), Ok(0));
        assert_eq!(outputs(&some), before);
        let mut again = make();
        assert_eq!(again.fit(35_000), Ok(2));
        assert_eq!(outputs(&again), before);

        assert_eq!(make().fit(10_000), Err(TooLong));
    }
}
