//! Asking a person who sits at a terminal. Elsewhere nothing ever waits for an answer.

use std::io::{IsTerminal as _, Write as _};

use crate::printer::Failure;

/// Whether somebody sees a question, which is printed to standard error, and can answer it.
pub(crate) fn can_be_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for an answer in words; `None` for an empty line, or at the end of the input.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn asks_for_words(question: &str) -> Result<Option<String>, Failure> {
    let answer = read(&format!("{question} "))?;
    let answer = answer.trim();
    Ok((!answer.is_empty()).then(|| answer.to_owned()))
}

/// Asks; whatever is no yes, the end of the input among them, means no.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn asks(question: &str) -> Result<bool, Failure> {
    Ok(answer_to(question)? == Some(true))
}

/// Asks for `y` or `n`; an empty line means yes. At the end of the input nobody answered, and neither
/// did who twice says something else: a slip refuses nothing.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn answer_to(question: &str) -> Result<Option<bool>, Failure> {
    for asked in [question, "yes or no?"] {
        let line = read(&format!("{asked} [Y/n] "))?;
        if line.is_empty() {
            break;
        }
        if let Some(answer) = understood(&line) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// What a line says, if it is an answer.
fn understood(line: &str) -> Option<bool> {
    match line.trim().to_lowercase().as_str() {
        "" | "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// A line, after a prompt.
fn read(prompt: &str) -> Result<String, Failure> {
    eprint!("{prompt}");
    // A prompt that cannot be shown is answered by nobody.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|_| Failure::Closed)?;
    Ok(answer)
}
