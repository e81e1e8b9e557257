//! Asking a person who sits at a terminal. Elsewhere nothing ever waits for an answer.

use std::io::{IsTerminal as _, Write as _};

use crate::printer::Failure;

/// Whether somebody sees a question, which is printed to standard error, and can answer it.
pub(crate) fn can_be_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks; an empty line means yes, the end of the input no.
///
/// # Errors
/// The answer cannot be read.
pub(crate) fn asks(question: &str) -> Result<bool, Failure> {
    eprint!("{question} [Y/n] ");
    // A prompt that cannot be shown is answered by nobody.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|_| Failure::Closed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") && !answer.is_empty())
}
