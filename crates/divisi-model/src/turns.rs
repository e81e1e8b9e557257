//! The loop: ask, do what is called for, tell what came of it, until nothing more is called for.

use std::io;
use std::time::Duration;

use divisi_agents::Claim;
use divisi_agents::adapter::{Closing, Entry, Meter, Tokens, is_unrecorded};
use divisi_core::criterion::truncate;
use divisi_core::run::ModelBounds;

use super::functions::Outcome;
use super::messages::{Answer, BYTES_A_TOKEN, Call, Messages, Result as CallResult, Round, Told};
use super::trouble::{Kind, Trouble};

/// After so many answers in a row whose every call is faulty, there is no hope.
const FAULTY_MAX: u32 = 5;

/// More calls of one answer are not done.
const CALLS_MAX: usize = 64;

/// So many denials are told, and so much of each.
const DENIED_MAX: usize = 20;
const DENIED_BYTES_MAX: usize = 200;

/// What is told to a model whose answer was cut off and called nothing.
const CUT_OFF: &str = "Your answer was cut off since it was too long. Go on in smaller steps.";

/// What was used where no answer came.
const NOTHING: Tokens = Tokens {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    cost_usd_micros: Some(0),
};

/// What the loop works with.
pub(crate) struct Loop<'l> {
    /// Asks once.
    pub(crate) ask: &'l mut dyn FnMut(&Messages) -> Result<Answer, Trouble>,
    /// Does what is called for.
    pub(crate) call: &'l mut dyn FnMut(&Call) -> Outcome,
    /// Waits.
    pub(crate) wait: &'l mut dyn FnMut(Duration),
    /// Takes what happens.
    pub(crate) tell: &'l mut dyn FnMut(Entry) -> io::Result<()>,
    /// How it is bounded.
    pub(crate) bounds: ModelBounds,
    /// What it used so far, and what was reserved for it.
    pub(crate) meter: Meter,
    /// The variable that holds the key.
    pub(crate) key: Option<&'l str>,
}

/// What was heard so far.
#[derive(Default)]
struct Heard {
    /// What was denied, as far as nobody else records it.
    denied: Vec<String>,
    faulty: u32,
}

impl Loop<'_> {
    /// Holds a session to its end. The model is asked nothing after it said that it is done.
    ///
    /// # Errors
    /// What happens cannot be told.
    pub(crate) fn hold(&mut self, prompt: String) -> io::Result<Closing> {
        let mut messages = Messages::begin(prompt);
        let mut heard = Heard::default();
        let claim = self.claim(&mut messages, &mut heard)?;
        Ok(Closing {
            claim: bounded(claim),
            // No answer came, so none is to be paid for.
            usage: self.meter.usage().or(Some(NOTHING)),
            denied: heard.denied,
        })
    }

    fn claim(&mut self, messages: &mut Messages, heard: &mut Heard) -> io::Result<Claim> {
        for _ in 0..self.bounds.answers {
            match messages.fit(self.bounds.context_tokens as usize) {
                Ok(0) => {}
                Ok(many) => {
                    let text = format!("{many} older results were left out of the session");
                    (self.tell)(Entry::Noted { text })?;
                }
                Err(_) => {
                    let cause = format!(
                        "the session has more than {} tokens, even without older results",
                        self.bounds.context_tokens
                    );
                    return self.broke(cause, None);
                }
            }
            let answer = match self.answer(messages)? {
                Ok(answer) => answer,
                Err(trouble) => {
                    let status = match trouble.kind {
                        Kind::Status(status, _) => Some(status),
                        _ => None,
                    };
                    let cause = trouble.said(self.key);
                    (self.tell)(Entry::Broke { cause, status })?;
                    return Ok(trouble.claim(self.key));
                }
            };
            if let Some(claim) = self.take(answer, messages, heard)? {
                return Ok(claim);
            }
        }
        let cause = format!(
            "it had {} answers and did not come to an end",
            self.bounds.answers
        );
        self.broke(cause, None)
    }

    fn broke(&mut self, cause: String, status: Option<u16>) -> io::Result<Claim> {
        (self.tell)(Entry::Broke {
            cause: cause.clone(),
            status,
        })?;
        Ok(Claim::Failed { cause })
    }

    /// Asks until there is an answer, or no use in asking.
    fn answer(&mut self, messages: &Messages) -> io::Result<Result<Answer, Trouble>> {
        let mut made = 0;
        loop {
            let trouble = match (self.ask)(messages) {
                Ok(answer) => return Ok(Ok(answer)),
                Err(trouble) => trouble,
            };
            made += 1;
            if matches!(trouble.kind, Kind::Broken | Kind::Silent) {
                // What was asked was read, for all that is known, and is paid for.
                self.measure(estimate(messages, 0))?;
            }
            let Some(wait) = trouble.wait(made) else {
                return Ok(Err(trouble));
            };
            let cause = trouble.said(self.key);
            (self.tell)(Entry::Retried { cause })?;
            (self.wait)(wait);
        }
    }

    /// Takes an answer in. Returns what is claimed if it was the last.
    fn take(
        &mut self,
        answer: Answer,
        messages: &mut Messages,
        heard: &mut Heard,
    ) -> io::Result<Option<Claim>> {
        let written = answer.text.len() + answer.calls.iter().map(bytes).sum::<usize>();
        let usage = answer.usage;
        self.measure(usage.unwrap_or_else(|| estimate(messages, written)))?;
        if !answer.text.is_empty() {
            let text = answer.text.clone();
            (self.tell)(Entry::Said { text })?;
        }
        if answer.calls.is_empty() && !answer.is_cut_off {
            let text = answer.text;
            (self.tell)(Entry::Finished { text })?;
            // Whether what was denied was needed, checks will show.
            return Ok(Some(Claim::Done));
        }
        if let Some(bound) = self.meter.used_up() {
            return Ok(Some(Claim::UsedUp { bound }));
        }
        let told = match answer.calls.is_empty() {
            true => {
                heard.faulty += 1;
                Told::Words(CUT_OFF.to_owned())
            }
            false => self.results(&answer, heard)?,
        };
        if heard.faulty >= FAULTY_MAX {
            let last = match &told {
                Told::Words(_) => "its answers are too long",
                Told::Results(results) => results.last().map_or("", |last| &last.output),
            };
            let cause =
                format!("{FAULTY_MAX} answers in a row could not be used; the last: {last}");
            return self.broke(cause, None).map(Some);
        }
        messages.rounds.push(Round { answer, told });
        Ok(None)
    }

    /// Counts what was used.
    fn measure(&mut self, usage: Tokens) -> io::Result<()> {
        let used = Entry::Used { usage };
        self.meter.hear(&used);
        (self.tell)(used)?;
        // Who is ended from outside has no other chance to say it.
        match self.meter.usage() {
            Some(usage) => (self.tell)(Entry::UsedSoFar { usage }),
            None => Ok(()),
        }
    }

    fn results(&mut self, answer: &Answer, heard: &mut Heard) -> io::Result<Told> {
        let mut results = Vec::with_capacity(answer.calls.len());
        let mut is_faulty = true;
        for (at, call) in answer.calls.iter().enumerate() {
            (self.tell)(Entry::Called {
                function: call.function.clone(),
                input: call.arguments.to_string(),
            })?;
            let outcome = match at < CALLS_MAX {
                true => (self.call)(call),
                false => Outcome::Faulty(format!("more than {CALLS_MAX} calls in one answer")),
            };
            is_faulty &= matches!(outcome, Outcome::Faulty(_));
            let (succeeded, output) = match outcome {
                Outcome::Done(output) => (true, output),
                Outcome::Failed(output) => (false, output),
                Outcome::Faulty(output) if answer.is_cut_off => {
                    (false, format!("{output}\n{CUT_OFF}"))
                }
                Outcome::Faulty(output) => (false, output),
                Outcome::Denied { mut what, reason } => {
                    truncate(&mut what, DENIED_BYTES_MAX);
                    let output = format!("it is not allowed: {reason}");
                    if is_unrecorded(&reason) && heard.denied.len() < DENIED_MAX {
                        heard.denied.push(format!("{what}: {reason}"));
                    }
                    (self.tell)(Entry::Denied { what, call: None })?;
                    (false, output)
                }
            };
            (self.tell)(Entry::Returned {
                succeeded,
                output: output.clone(),
            })?;
            results.push(CallResult::of(call.clone(), output));
        }
        heard.faulty = match is_faulty {
            true => heard.faulty + 1,
            false => 0,
        };
        Ok(Told::Results(results))
    }
}

/// What a request used whose answer came to nothing, or that nobody measured, with so many bytes
/// written.
fn estimate(messages: &Messages, written: usize) -> Tokens {
    Tokens {
        input_tokens: messages.tokens() as u64,
        output_tokens: written.div_ceil(BYTES_A_TOKEN) as u64,
        ..Tokens::default()
    }
}

fn bytes(call: &Call) -> usize {
    call.arguments.to_string().len()
}

fn bounded(mut claim: Claim) -> Claim {
    if let Claim::Failed { cause } | Claim::Limited { cause, .. } = &mut claim {
        truncate(cause, divisi_agents::CLAIM_BYTES_MAX);
    }
    claim
}

#[cfg(test)]
mod tests;
