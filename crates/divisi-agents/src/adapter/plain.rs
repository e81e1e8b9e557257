//! A session with a program that is told what to do in words, and prints words.
//!
//! Nothing of what it prints is understood but the words for a usage limit: whether it did its task
//! is for the checks to say, as ever.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use divisi_core::receipt::Exit;
use divisi_core::run::DefinedProgram;

use super::closing::Closing;
use super::detection::program;
use super::process::{Fault, Surroundings, exit_of, print, read_handoff, say, told};
use super::prompt::prompt;
use super::session::{bounded, says};
use super::transcript::Entry;
use crate::agent::Claim;
use crate::command::ARGUMENT_BYTES_MAX;
use crate::environment::mask;

/// Stands for the prompt among a program's arguments. Without it, the program reads the prompt from
/// its standard input.
const PROMPT: &str = "{prompt}";

/// Longer lines are taken in parts.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// So many of the last lines are told where it failed.
const LINES_TOLD: usize = 5;

/// How programs tell the status with which a model's server says: not now. Other words for that are
/// also those of a task, or of a test that failed.
const LIMITS: [&str; 5] = [
    "429 too many requests",
    "error code: 429",
    "http 429",
    "status 429",
    "status: 429",
];

/// Holds the session that the environment describes, and prints it. Its last line is the closing,
/// which is also returned.
///
/// # Errors
/// There was none. A closing that says so was printed if anything could be.
pub fn converse(defined: &DefinedProgram, out: &mut dyn Write) -> Result<Closing, Fault> {
    let held = Surroundings::here().and_then(|here| converse_in(defined, &here, out));
    told(held, out)
}

/// The same in surroundings that are given.
pub(super) fn converse_in(
    defined: &DefinedProgram,
    here: &Surroundings,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    let words = prompt(&read_handoff(&here.handoff)?);
    let (name, arguments) = defined.command.split_first().ok_or(Fault::Command)?;
    let path = here.variables.get("PATH").map(OsStr::new);
    let not_started = |source| Fault::Program {
        program: name.clone(),
        source,
    };
    let found = program(name, path).ok_or_else(|| not_started(io::ErrorKind::NotFound.into()))?;
    let is_argument = arguments.iter().any(|argument| argument.contains(PROMPT));
    let arguments = arguments.iter().map(|it| it.replace(PROMPT, &words));
    let arguments: Vec<String> = arguments.collect();
    if arguments.iter().any(|it| it.len() > ARGUMENT_BYTES_MAX) {
        return Err(Fault::Prompt);
    }
    let mut child = Command::new(found)
        .args(arguments)
        .stdin(if is_argument {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(not_started)?;
    if let Some(stdin) = child.stdin.take() {
        say(stdin, words).map_err(Fault::Stream)?;
    }
    let mut last = VecDeque::new();
    if let Some(stdout) = child.stdout.take() {
        hear(BufReader::new(stdout), &mut last, &here.masked, out).map_err(Fault::Stream)?;
    }
    let status = child.wait().map_err(Fault::Stream)?;
    let closing = Closing {
        claim: claim(&exit_of(status), last),
        usage: None,
        // What it may not do, it says to its user only.
        denied: Vec::new(),
    };
    writeln!(out, "{}", closing.to_line())
        .and_then(|()| out.flush())
        .map_err(Fault::Stream)?;
    Ok(closing)
}

/// Reads lines until there are no more, and prints them. Keeps the last ones.
fn hear(
    mut stream: impl BufRead,
    last: &mut VecDeque<String>,
    masked: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut stream)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let text = mask(String::from_utf8_lossy(&line).into_owned(), masked);
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        print(&Entry::said(text), out)?;
        if last.len() == LINES_TOLD {
            last.pop_front();
        }
        last.push_back(text.to_owned());
    }
}

/// What is claimed of how it ended: it says nothing of it itself.
fn claim(exit: &Exit, last: VecDeque<String>) -> Claim {
    let how = match exit {
        Exit::Status(0) => return Claim::Done,
        Exit::Status(status) => format!("it ended with status {status}"),
        Exit::Signal(signal) => format!("it was ended by signal {signal}"),
        Exit::NoProcess => "it was never started".to_owned(),
    };
    let cause = match last.is_empty() {
        true => how,
        false => format!("{how}: {}", Vec::from(last).join("\n")),
    };
    let cause = bounded(&cause);
    match says(&cause, &LIMITS) {
        true => Claim::Limited {
            cause,
            wait_ms: None,
        },
        false => Claim::Failed { cause },
    }
}
