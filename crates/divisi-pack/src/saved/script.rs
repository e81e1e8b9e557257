//! Scripts with variables of the environment in the places of values.
//!
//! A shell reads the text, so nothing is ever written into it: a path becomes `"${INPUT_STORY}"`,
//! and the entry's `env` says what that is. Where it cannot be told how the shell would read the
//! place, the text is left as it stands.

use std::collections::BTreeSet;

use super::parameters::{Parameters, Piece};

/// Words of scripts that run a quoted text as a program, where a value would be read as code.
const READS_CODE: &[&str] = &["awk", "sed", "xargs", "source"];

/// Words of scripts after which a shell reads once more what quotes had kept together: no place is
/// safe there.
const READS_AGAIN: &[&str] = &["eval", "ssh", "trap", "watch", "parallel"];

/// Programs that read an argument as code, with the flags that say which.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "ash"];

/// A script and the inputs that its environment must have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) names: BTreeSet<String>,
    /// Whether a value was left as it stands.
    pub(super) is_literal: bool,
}

/// The variable of an input.
pub(super) fn variable(name: &str) -> String {
    format!("INPUT_{}", name.to_ascii_uppercase())
}

/// Which argument of a command is a script for a shell.
pub(super) fn shell_script(argv: &[String]) -> Option<usize> {
    let program = argv.first()?.rsplit('/').next()?;
    let flags = argv.get(1)?;
    let is_shell = SHELLS.contains(&program);
    (is_shell && flags.starts_with('-') && flags.ends_with('c') && argv.len() > 2).then_some(2)
}

/// Whether an argument may be code for its program.
pub(super) fn follows_code_flag(argv: &[String], at: usize) -> bool {
    at > 1 && is_code_flag(&argv[at - 1])
}

fn is_code_flag(word: &str) -> bool {
    matches!(word, "-c" | "-e" | "--eval" | "--command" | "-Command")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
    Comment,
}

/// A script with variables in the places of the parameters' values.
pub(super) fn put(text: &str, parameters: &Parameters) -> Script {
    let mut script = Script {
        text: String::with_capacity(text.len()),
        names: BTreeSet::new(),
        is_literal: false,
    };
    let says = |list: &[&str]| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| list.contains(&word))
    };
    let reads_code = says(READS_CODE) || [" -c", " -e"].iter().any(|flag| text.contains(flag));
    // Where quotes mean something else than what is told apart here.
    let mut is_lost = text.contains("<<") || text.contains('`') || says(READS_AGAIN);
    let (mut quote, mut at) = (Quote::None, 0);
    while let Some(c) = text[at..].chars().next() {
        if let Some((length, pieces)) = parameters.path_at(text, at) {
            let is_plain = { text[at..at + length].chars() }
                .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c));
            let is_safe = match quote {
                Quote::None => !follows_flag(&text[..at]),
                Quote::Single | Quote::Double => !reads_code,
                Quote::Comment => false,
            };
            if is_plain && is_safe && !is_lost {
                script.put(pieces, quote);
            } else {
                script.text.push_str(&text[at..at + length]);
                script.is_literal |= quote != Quote::Comment;
            }
            at += length;
            continue;
        }
        is_lost |= quote == Quote::Double && text[at..].starts_with("$(");
        // Some shells end it at another quote than others.
        is_lost |= quote == Quote::None && text[at..].starts_with("$'");
        let before = text[..at].chars().next_back();
        match (quote, c) {
            (Quote::None | Quote::Double, '\\') => {
                script.text.push(c);
                at += 1;
                if let Some(escaped) = text[at..].chars().next() {
                    script.text.push(escaped);
                    at += escaped.len_utf8();
                }
                continue;
            }
            (Quote::None, '\'') => quote = Quote::Single,
            (Quote::None, '"') => quote = Quote::Double,
            (Quote::None, '#') if before.is_none_or(char::is_whitespace) => quote = Quote::Comment,
            (Quote::Single, '\'') | (Quote::Double, '"') | (Quote::Comment, '\n') => {
                quote = Quote::None;
            }
            _ => {}
        }
        script.text.push(c);
        at += c.len_utf8();
    }
    script
}

/// Whether a flag that makes code of what follows stands before it.
fn follows_flag(before: &str) -> bool {
    let word = before.split_whitespace().next_back();
    before.ends_with(char::is_whitespace) && word.is_some_and(is_code_flag)
}

impl Script {
    fn put(&mut self, pieces: &[Piece], quote: Quote) {
        for piece in pieces {
            let name = match piece {
                Piece::Text(text) => {
                    self.text.push_str(text);
                    continue;
                }
                Piece::Name(name) => name,
            };
            let variable = format!("${{{}}}", variable(name));
            match quote {
                Quote::Double => self.text.push_str(&variable),
                Quote::Single => self.text.extend(["'\"", &variable, "\"'"]),
                Quote::None | Quote::Comment => self.text.extend(["\"", &variable, "\""]),
            }
            self.names.insert(name.clone());
        }
    }
}
