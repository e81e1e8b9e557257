//! Why words stay unverified, and what would make them checkable.

use std::fmt;

use super::token::Token;
use crate::faults::shown;

/// Why no check says what the words say. A person judges then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The text cannot be read as a sentence: empty, too long, hidden characters, a quotation
    /// that does not end.
    Unreadable(&'static str),
    /// There is more than one statement, or a question.
    Sentences,
    /// They speak of the run, which no file shows.
    Run,
    /// They name no file, pattern, text or command that a check could look at.
    Judgment,
    /// A word limits the statement, and no rule understands how.
    Limited(String),
    /// No rule understands the whole sentence.
    NoRule,
    /// Nothing of that name is promised.
    Unknown {
        /// The name.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// There is no target, so the statement says nothing.
    NoTargets,
    /// A path or pattern that is not taken, with the reason.
    Path {
        /// The path or pattern.
        path: String,
        /// A fragment after its name.
        fault: String,
    },
    /// A quoted command that cannot be run as it stands, with the reason.
    Command {
        /// The command.
        command: String,
        /// A fragment after its name.
        fault: String,
    },
    /// The check for such a statement would not say the same; with the reason.
    Unfit(&'static str),
    /// A criterion in JSON that is none, with what is wrong.
    Json(String),
    /// Two rules understand the sentence differently.
    Ambiguous {
        /// What one of them understands.
        first: String,
        /// What the other understands.
        second: String,
    },
}

/// A lower-case fragment, with what to do where there is something.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Unreadable(what) => write!(f, "the text {what}"),
            Why::Sentences => write!(f, "it is not one statement; write one criterion for each"),
            Why::Run => write!(
                f,
                "it speaks of the run, not of files; the report answers it"
            ),
            Why::Judgment => write!(
                f,
                "it names no file, pattern, text or command that a check could look at"
            ),
            Why::Limited(word) => write!(
                f,
                "no rule understands how {} limits the statement",
                shown(word)
            ),
            Why::NoRule => write!(f, "no rule understands the whole sentence"),
            Why::Unknown {
                name,
                nearest: None,
            } => {
                write!(f, "nothing called {} is promised", shown(name))
            }
            Why::Unknown {
                name,
                nearest: Some(nearest),
            } => write!(
                f,
                "nothing called {} is promised; did you mean {}?",
                shown(name),
                shown(nearest)
            ),
            Why::NoTargets => write!(f, "there is no target of which it could hold"),
            Why::Path { path, fault } => write!(f, "{} {fault}", shown(path)),
            Why::Command { command, fault } => write!(f, "the command {} {fault}", shown(command)),
            Why::Unfit(reason) => write!(f, "{reason}"),
            Why::Json(fault) => write!(f, "it is not a criterion in JSON: {fault}"),
            Why::Ambiguous { first, second } => {
                write!(f, "it may mean \"{first}\" or \"{second}\"")
            }
        }
    }
}

/// Words by which a sentence speaks of the run.
const RUN: &[&str] = &[
    "orchestration",
    "stage",
    "stages",
    "subtask",
    "subtasks",
    "worker",
    "workers",
    "zombie",
    "zombies",
];

/// Words that limit what is said.
const LIMITS: &[&str] = &[
    "about",
    "almost",
    "any",
    "applicable",
    "appropriate",
    "approximately",
    "around",
    "but",
    "can",
    "could",
    "e.g",
    "either",
    "else",
    "etc",
    "except",
    "excluding",
    "few",
    "generally",
    "i.e",
    "ideally",
    "if",
    "many",
    "may",
    "maybe",
    "might",
    "most",
    "mostly",
    "nearly",
    "necessary",
    "needed",
    "neither",
    "never",
    "no",
    "none",
    "nor",
    "not",
    "only",
    "optional",
    "optionally",
    "or",
    "otherwise",
    "possible",
    "preferably",
    "relevant",
    "roughly",
    "several",
    "should",
    "some",
    "such",
    "though",
    "typically",
    "unless",
    "until",
    "usually",
    "when",
    "whenever",
    "where",
    "wherever",
    "without",
];

/// What keeps a sentence from being understood that no rule takes.
pub(super) fn diagnose(tokens: &[Token]) -> Why {
    let has = |words: &[&str]| {
        let word = |token: &Token| match token {
            Token::Word { lower, .. } => words.contains(&lower.as_str()).then(|| lower.clone()),
            Token::Other(raw) => words.contains(&raw.as_str()).then(|| raw.clone()),
            _ => None,
        };
        tokens.iter().find_map(word)
    };
    // A full stop before another mark belongs to an abbreviation.
    let breaks = |at: usize| match (&tokens[at], tokens.get(at + 1)) {
        (Token::Mark('.'), next) => !matches!(next, Some(Token::Mark(_))),
        (token, _) => matches!(token, Token::Mark(';' | '!' | '?')),
    };
    if (0..tokens.len()).any(breaks) {
        return Why::Sentences;
    }
    if !tokens.iter().any(Token::is_concrete) {
        return match has(RUN) {
            Some(_) => Why::Run,
            None => Why::Judgment,
        };
    }
    has(LIMITS).map_or(Why::NoRule, Why::Limited)
}
