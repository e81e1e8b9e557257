//! A transcript in words: who said what, what was called and what came of it.

use divisi_agents::Claim;
use divisi_agents::adapter::{Closing, Decision, Entry, Tokens, printed_at};
use divisi_core::{RunId, TaskId};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::printer::{Failure, Line, Printer, Style};
use crate::words;

/// So much is shown of what was called or came back; `divisi logs` has it all.
const SHORT_CHARS_MAX: usize = 160;

/// Wide enough for each word that begins a line.
const WORD_WIDTH: usize = 10;

/// What an attempt prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The words of a program.
    Lines,
    /// The entries of a transcript; whatever else stands between them is shown as it is.
    Entries,
}

/// Whose words they are.
pub(super) struct Speaker {
    run: String,
    task: TaskId,
    attempt: u32,
    heard: Heard,
    /// What the model said last.
    said: String,
    /// What was told last to have been used.
    used: Option<Tokens>,
}

/// A line that is no entry, as `--json` prints it.
#[derive(Serialize)]
struct Printed<'a> {
    run: &'a str,
    task: &'a TaskId,
    attempt: u32,
    line: &'a str,
}

impl Speaker {
    pub(super) fn new(run: RunId, task: &TaskId, attempt: u32, heard: Heard) -> Speaker {
        Speaker {
            run: run.to_string(),
            task: task.clone(),
            attempt,
            heard,
            said: String::new(),
            used: None,
        }
    }

    /// Prints lines of the log.
    pub(super) fn say(&mut self, text: &str, printer: &Printer) -> Result<(), Failure> {
        for line in text.lines() {
            match printer.is_json() {
                true => printer.object(&self.object(line))?,
                false => printer.lines(&timed(line, self.lines(line)))?,
            }
        }
        Ok(())
    }

    /// An entry with whose it is, or the line.
    fn object(&self, line: &str) -> Value {
        let entry = match self.heard {
            Heard::Entries => serde_json::from_str::<Map<String, Value>>(line).ok(),
            Heard::Lines => None,
        };
        match entry.filter(|entry| entry.get("entry").is_some_and(Value::is_string)) {
            Some(mut entry) => {
                entry.insert("run".to_owned(), Value::from(self.run.as_str()));
                entry.insert("task".to_owned(), Value::from(self.task.as_str()));
                entry.insert("attempt".to_owned(), Value::from(self.attempt));
                Value::Object(entry)
            }
            None => serde_json::to_value(Printed {
                run: &self.run,
                task: &self.task,
                attempt: self.attempt,
                line,
            })
            .expect("a line is plain data"),
        }
    }

    fn lines(&mut self, line: &str) -> Vec<Line> {
        if self.heard == Heard::Lines {
            return vec![Line::of(line)];
        }
        if let Ok(entry) = serde_json::from_str::<Entry>(line) {
            return self.of_entry(entry);
        }
        match serde_json::from_str::<Closing>(line) {
            Ok(closing) => self.of_closing(&closing),
            Err(_) => vec![Line::of(line)],
        }
    }

    fn of_entry(&mut self, entry: Entry) -> Vec<Line> {
        let one = |word: &str, style: Style, text: &str| vec![said(word, style, text)];
        match entry {
            Entry::Began {
                session,
                resumed: false,
            } => one("began", Style::Dim, &session),
            Entry::Began { session, .. } => one("resumed", Style::Dim, &session),
            Entry::Said { text } => {
                let lines = several("said", Style::Plain, &text);
                self.said = text;
                lines
            }
            Entry::Called { function, input } => {
                let input = words::cut(&input, SHORT_CHARS_MAX);
                let line = head("called").with(Style::Note, function);
                vec![line.then(format!(" {input}"))]
            }
            Entry::Returned { succeeded, output } => {
                let output = words::cut(&output, SHORT_CHARS_MAX);
                match succeeded {
                    true => one("returned", Style::Dim, &output),
                    false => vec![head("returned").with(Style::Bad, "failed ").then(output)],
                }
            }
            Entry::Asked { what } => one("asked", Style::Warn, &what),
            Entry::Answered { what, decision } => {
                let (style, why) = match &decision {
                    Decision::Allow => (Style::Dim, String::new()),
                    Decision::Deny { reason } => (Style::Warn, format!(": {reason}")),
                };
                one(decision.word(), style, &format!("{what}{why}"))
            }
            Entry::Denied { what, .. } => one("denied", Style::Warn, &what),
            Entry::Retried { cause } => one("retried", Style::Warn, &cause),
            Entry::Limited { wait_ms } => {
                let told = format!("for {}", words::span(wait_ms));
                one("limited", Style::Warn, &told)
            }
            Entry::Used { usage } => {
                self.used = Some(usage);
                one("used", Style::Dim, &used(usage))
            }
            Entry::Bounded => one("ended", Style::Warn, "at its bound of money"),
            // What comes of these stands in the closing.
            Entry::Read { .. } | Entry::Responded { .. } | Entry::UsedSoFar { .. } => Vec::new(),
            Entry::Broke { cause, status } => {
                let status = status.map_or_else(String::new, |status| format!("{status}: "));
                one("broke", Style::Bad, &format!("{status}{cause}"))
            }
            // Most tools give the last words once more.
            Entry::Finished { text } if text == self.said => one("finished", Style::Plain, ""),
            Entry::Finished { text } => several("finished", Style::Plain, &text),
            Entry::Noted { text } => several("noted", Style::Dim, &text),
        }
    }

    /// Some tools tell what was used by one step only, and here is the sum.
    fn of_closing(&self, closing: &Closing) -> Vec<Line> {
        let mut lines = of_claim(&closing.claim);
        let sum = closing.usage.filter(|usage| self.used != Some(*usage));
        lines.extend(sum.map(|usage| said("used", Style::Dim, &format!("in all {}", used(usage)))));
        lines
    }
}

/// The lines of an entry after the time at which it was printed, if that is told.
fn timed(line: &str, lines: Vec<Line>) -> Vec<Line> {
    let Some(at) = printed_at(line) else {
        return lines;
    };
    let time = words::time_of_day(at);
    let width = time.chars().count();
    let labels = std::iter::once(time).chain(std::iter::repeat(String::new()));
    let timed = lines.into_iter().zip(labels);
    let timed = timed.map(|(line, time)| Line::styled(Style::Dim, time).padded(width).join(line));
    timed.collect()
}

fn head(word: &str) -> Line {
    Line::styled(Style::Dim, format!("  {word}")).padded(WORD_WIDTH + 2)
}

fn said(word: &str, style: Style, text: &str) -> Line {
    head(word).with(style, text)
}

/// A text of several lines, beneath each other.
fn several(word: &str, style: Style, text: &str) -> Vec<Line> {
    let mut lines = text.trim_end().lines();
    let first = said(word, style, lines.next().unwrap_or_default());
    let rest = lines.map(|line| said("", style, line));
    std::iter::once(first).chain(rest).collect()
}

fn used(usage: Tokens) -> String {
    let cached = match usage.cache_read_tokens {
        0 => String::new(),
        cached => format!(", {cached} from a cache"),
    };
    let cost = usage.cost_usd_micros.map_or_else(String::new, |micros| {
        format!(", ${}.{:06}", micros / 1_000_000, micros % 1_000_000)
    });
    let read = usage.input_tokens.saturating_add(usage.cache_write_tokens);
    format!(
        "{read} tokens read{cached}, {} written{cost}",
        usage.output_tokens
    )
}

fn of_claim(claim: &Claim) -> Vec<Line> {
    let (style, claim) = match claim {
        Claim::Done => (Style::Plain, "it is done".to_owned()),
        Claim::Nothing => (Style::Plain, "nothing".to_owned()),
        Claim::Failed { cause } => (Style::Bad, format!("it failed: {cause}")),
        Claim::Unable { cause } => (Style::Bad, format!("it could not begin: {cause}")),
        Claim::Limited { cause, .. } => (Style::Warn, format!("a usage limit: {cause}")),
        Claim::TooLarge { cause } => (Style::Warn, format!("it is more than one task: {cause}")),
        Claim::UsedUp { bound } => (
            Style::Warn,
            format!("its reservation of {bound} is used up"),
        ),
        Claim::Asks(question) => (Style::Warn, format!("it asks: {}", question.text)),
    };
    several("claims", style, &claim)
}

#[cfg(test)]
mod tests;
