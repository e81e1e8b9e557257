//! Identities and times: newtypes, so that no bare string or number is mistaken for another.
//!
//! Ids that come from outside are validated where they are made; the rest of the system relies on
//! it: a [`TaskId`] can be a file name, part of a reference name and a shell word.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, as the shell measured them and a command carried them.
///
/// Within a stream times never go back: the shell hands in `max(now, last)`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// The moment for people, to the second: `2026-11-26 15:04:05 UTC`. What is printed on a terminal
    /// has the local time; this is for words that are kept.
    #[must_use]
    pub fn utc(self) -> String {
        let seconds = self.0 / 1_000;
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        // Eras of 400 years, which begin on the first of March of the year 0: then a leap day is the
        // last of its year, and months follow a line.
        let from_march = days + 719_468;
        let (era, of_era) = (from_march / 146_097, from_march % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, later) = match month {
            0..=9 => (month + 3, 0),
            _ => (month - 9, 1),
        };
        let year = year + era * 400 + later;
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }

    /// Milliseconds from `earlier` to this moment; zero if it lies before.
    #[must_use]
    pub fn ms_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Why a string is not an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdFault {
    /// Nothing there.
    Empty,
    /// Longer than [`ID_BYTES_MAX`].
    TooLong,
    /// Holds a character outside `A-Z a-z 0-9 . _ -`.
    Character(char),
    /// Starts with a character that paths, options or git references give a meaning: `.` or `-`.
    Start(char),
    /// Has `..`, or ends in `.` or `.lock`, which git refuses in references.
    Reference,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdFault::Empty => write!(f, "an id is empty"),
            IdFault::TooLong => write!(f, "an id is longer than {ID_BYTES_MAX} bytes"),
            IdFault::Character(c) => {
                write!(
                    f,
                    "an id holds {c:?}; letters, digits, `.`, `_` and `-` are allowed"
                )
            }
            IdFault::Start(c) => write!(f, "an id starts with {c:?}"),
            IdFault::Reference => write!(f, "an id holds `..` or ends in `.` or `.lock`"),
        }
    }
}

/// An id becomes a file name with a suffix; file systems stop at 255 bytes.
pub const ID_BYTES_MAX: usize = 100;

fn check_id(text: &str) -> Result<(), IdFault> {
    let Some(first) = text.chars().next() else {
        return Err(IdFault::Empty);
    };
    if text.len() > ID_BYTES_MAX {
        return Err(IdFault::TooLong);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(IdFault::Character(c));
    }
    if matches!(first, '.' | '-') {
        return Err(IdFault::Start(first));
    }
    if text.contains("..") || text.ends_with('.') || text.ends_with(".lock") {
        return Err(IdFault::Reference);
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a string that is an id.
            ///
            /// # Errors
            /// What about the string does not fit.
            pub fn new(text: impl Into<String>) -> Result<Self, IdFault> {
                let text = text.into();
                check_id(&text)?;
                Ok($name(text.into()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                $name::new(text).map_err(|fault| fault.to_string())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A task's name in its plan, as the plan's author wrote it; unique within a run.
    TaskId
}
text_id! {
    /// Makes a command idempotent: the same id is answered with the stored outcome.
    CommandId
}

/// A run's number within a project folder, printed `run-7`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u32);

impl RunId {
    /// Reads `run-7`, or `7`.
    #[must_use]
    pub fn parse(text: &str) -> Option<RunId> {
        text.strip_prefix("run-")
            .unwrap_or(text)
            .parse()
            .ok()
            .map(RunId)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run-{}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run-{}", self.0)
    }
}

/// A task's number within its run: its place in the plan, never reused by later revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskNo(pub u32);

impl TaskNo {
    /// The number as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One numbered try at one task of one run. Every word from outside names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The run.
    pub run: RunId,
    /// The task within the run.
    pub task: TaskNo,
    /// 1 for the first try.
    pub number: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.run.0, self.task.0, self.number)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl AttemptId {
    /// Reads what [`AttemptId`] prints: `run/task.number`.
    #[must_use]
    pub fn parse(text: &str) -> Option<AttemptId> {
        let (run, rest) = text.split_once('/')?;
        let (task, number) = rest.split_once('.')?;
        Some(AttemptId {
            run: RunId(run.parse().ok()?),
            task: TaskNo(task.parse().ok()?),
            number: number.parse().ok()?,
        })
    }
}

/// Counts the engine's lives over a project folder. A lease belongs to the epoch that made it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

macro_rules! hash_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the hexadecimal text of a hash; `None` if it is not one.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                let fits = matches!(text.len(), 40 | 64) && text.bytes().all(hex);
                fits.then(|| $name(text.into()))
            }

            /// The hexadecimal text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first twelve digits, for people.
            #[must_use]
            pub fn short(&self) -> &str {
                &self.0[..12]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hash_text! {
    /// A commit in the private repository.
    Commit
}
hash_text! {
    /// A tree in the private repository.
    Tree
}
hash_text! {
    /// A BLAKE3 digest, in hexadecimal.
    Digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_ids_are_refused_by_name() {
        let fault = |text: &str| TaskId::new(text).unwrap_err();
        assert_eq!(fault(""), IdFault::Empty);
        assert_eq!(fault(&"a".repeat(101)), IdFault::TooLong);
        assert_eq!(fault("../../etc/passwd"), IdFault::Character('/'));
        assert_eq!(fault("a b"), IdFault::Character(' '));
        assert_eq!(fault("a\0"), IdFault::Character('\0'));
        assert_eq!(fault("--upload-pack"), IdFault::Start('-'));
        assert_eq!(fault(".git"), IdFault::Start('.'));
        assert_eq!(fault("a..b"), IdFault::Reference);
        assert_eq!(fault("a.lock"), IdFault::Reference);
        assert!(TaskId::new("auth-001-design").is_ok());
    }

    #[test]
    fn an_attempt_id_survives_its_text() {
        let id = AttemptId {
            run: RunId(3),
            task: TaskNo(17),
            number: 2,
        };
        assert_eq!(AttemptId::parse(&id.to_string()), Some(id));
        assert_eq!(AttemptId::parse("3/17"), None);
    }
}
