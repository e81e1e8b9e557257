//! A session with a program that is told what to do in words, and prints words.
//!
//! Nothing of what it prints is understood but the words for a usage limit, and for when that ends:
//! whether it did its task is for the checks to say, as ever.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use divisi_core::diagnostic::chain;
use divisi_core::receipt::Exit;
use divisi_core::run::DefinedProgram;

use super::closing::Closing;
use super::detection::program;
use super::meter::RESERVATION_VARIABLE;
use super::pipes::{Pipes, Printed};
use super::process::{Fault, Surroundings, exit_of, print, print_closing, read_handoff, say, told};
use super::prompt::prompt;
use super::reset::{self, COMMON};
use super::session::{bounded, says};
use super::transcript::Entry;
use crate::agent::Claim;
use crate::command::ARGUMENT_BYTES_MAX;
use crate::environment::mask;

/// Stands for the prompt among a program's arguments. Without it, the program reads the prompt from
/// its standard input.
const PROMPT: &str = "{prompt}";

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
        .env_remove(RESERVATION_VARIABLE)
        .stdin(if is_argument {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_started)?;
    let mut last = VecDeque::new();
    let heard = hear(&mut child, words, &mut last, &here.masked, out);
    if heard.is_err() {
        // That it has ended by itself meanwhile is no fault.
        let _ = child.kill();
    }
    let status = child.wait();
    let closing = Closing {
        claim: match heard.and_then(|()| status.map(exit_of)) {
            Ok(exit) => claim(&exit, last),
            // It may have done anything by then.
            Err(error) => Claim::Failed {
                cause: chain(&Fault::Stream(error)),
            },
        },
        usage: None,
        // What it may not do, it says to its user only.
        denied: Vec::new(),
    };
    print_closing(&closing, &here.masked, out).map_err(Fault::Stream)?;
    Ok(closing)
}

/// Tells a program what to do, hears lines until there are no more, and prints them. Keeps the last
/// ones.
fn hear(
    child: &mut Child,
    words: String,
    last: &mut VecDeque<String>,
    masked: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut pipes = Pipes::of(child)?;
    if let Some(stdin) = child.stdin.take() {
        say(stdin, words)?;
    }
    while let Some(printed) = pipes.next()? {
        let Printed::Line(line) = printed else {
            if let Some(entry) = printed.told(masked) {
                // What it complains of beside mostly says why it failed.
                if let Entry::Noted { text } = &entry {
                    keep(last, text);
                }
                print(entry, masked, out)?;
            }
            continue;
        };
        let text = mask(String::from_utf8_lossy(&line).into_owned(), masked);
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        print(Entry::said(text), masked, out)?;
        keep(last, text);
    }
    Ok(())
}

fn keep(last: &mut VecDeque<String>, line: &str) {
    if last.len() == LINES_TOLD {
        last.pop_front();
    }
    last.push_back(bounded(line));
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
        false => format!("{how}:\n{}", Vec::from(last).join("\n")),
    };
    let cause = bounded(&cause);
    match says(&cause, &LIMITS) {
        true => Claim::Limited {
            wait_ms: reset::wait_ms(&cause, &COMMON, reset::now()),
            cause,
        },
        false => Claim::Failed { cause },
    }
}
