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

/// Asks; an empty line means yes, the end of the input no.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn asks(question: &str) -> Result<bool, Failure> {
    Ok(answer_to(question)? == Some(true))
}

/// Asks; an empty line means yes, and at the end of the input nobody answered.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn answer_to(question: &str) -> Result<Option<bool>, Failure> {
    let answer = read(&format!("{question} [Y/n] "))?;
    let is_yes = matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes");
    Ok((!answer.is_empty()).then_some(is_yes))
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
