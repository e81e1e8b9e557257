//! Criteria: statements about artifacts, and the verdicts that checks give on them.

use serde::{Deserialize, Serialize};

use crate::receipt::{Exit, Output};
use crate::shell;

/// A statement that must hold before a task is done. Paths are relative to the tree's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The command's exit status is one of the task's `ok_exit`. The only criterion of a command
    /// that has no other.
    ExitStatus,
    /// A regular file stands at `path` and has at least `min_bytes` bytes.
    File {
        /// The file.
        path: String,
        /// Smallest size in bytes; 1 unless told.
        min_bytes: u64,
    },
    /// The text stands in the file, to the letter.
    Contains {
        /// The text.
        text: String,
        /// The file.
        path: String,
    },
    /// The text does not stand in the file. The file must exist.
    Lacks {
        /// The text.
        text: String,
        /// The file.
        path: String,
    },
    /// The regular expression matches somewhere in the file (multi-line mode).
    Matches {
        /// The expression, in the `regex` crate's syntax.
        pattern: String,
        /// The file.
        path: String,
    },
    /// The Markdown file has a heading of this text, at any level, with something beneath it.
    Section {
        /// The heading's text, without `#`.
        heading: String,
        /// The file.
        path: String,
    },
    /// The file parses.
    Format {
        /// As what.
        format: Format,
        /// The file.
        path: String,
    },
    /// The JSON (or YAML) file satisfies the JSON Schema that stands in another file.
    Schema {
        /// The schema's path.
        schema: String,
        /// The file.
        path: String,
    },
    /// The command exits with 0 in a clean checkout of the tree.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// How long it may take, in milliseconds.
        timeout_ms: u64,
    },
    /// Nothing outside these patterns was changed.
    Scope {
        /// Patterns with literal separators. What one after `!` matches must stay as it is, whatever
        /// the others say; where all are such, everything else may change.
        patterns: Vec<String>,
    },
    /// At least one file that matches the pattern was added, changed or removed: it differs from
    /// what the attempt started from or, of the whole, from what the run did.
    Changed {
        /// A pattern with literal separators.
        pattern: String,
    },
    /// So many files match the pattern.
    Count {
        /// A pattern with literal separators.
        pattern: String,
        /// At least so many.
        min: u64,
        /// At most so many, if bounded.
        max: Option<u64>,
    },
    /// At least one file matches the pattern, and each that does satisfies the same.
    Each {
        /// A pattern with literal separators.
        pattern: String,
        /// What each file must satisfy.
        holds: Holds,
    },
    /// The Markdown file cites places of the tree, and each of them is there with what it is said to
    /// hold.
    Cites {
        /// The file.
        path: String,
    },
    /// Plain words that no rule understands: a person decides.
    Plain {
        /// The words.
        text: String,
    },
}

/// The patterns of a [`Criterion::Scope`] within which something may change, everywhere if there are
/// none, and those of what must stay.
#[must_use]
pub fn of_scope(patterns: &[String]) -> (Vec<&str>, Vec<&str>) {
    let (mut within, mut spared) = (Vec::new(), Vec::new());
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) => spared.push(pattern),
            None => within.push(pattern.as_str()),
        }
    }
    (within, spared)
}

/// What each file of a [`Criterion::Each`] must satisfy. Only what is linear in the file's size:
/// there may be thousands of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// As [`Criterion::File`].
    Size {
        /// Smallest size in bytes.
        min_bytes: u64,
    },
    /// As [`Criterion::Contains`].
    Contains {
        /// The text.
        text: String,
    },
    /// As [`Criterion::Lacks`].
    Lacks {
        /// The text.
        text: String,
    },
    /// As [`Criterion::Section`].
    Section {
        /// The heading's text, without `#`.
        heading: String,
    },
    /// As [`Criterion::Format`].
    Format {
        /// As what.
        format: Format,
    },
}

impl Holds {
    /// The criterion that says it of one file.
    #[must_use]
    pub fn of(&self, path: &str) -> Criterion {
        let path = path.to_owned();
        match self.clone() {
            Holds::Size { min_bytes } => Criterion::File { path, min_bytes },
            Holds::Contains { text } => Criterion::Contains { text, path },
            Holds::Lacks { text } => Criterion::Lacks { text, path },
            Holds::Section { heading } => Criterion::Section { heading, path },
            Holds::Format { format } => Criterion::Format { format, path },
        }
    }
}

/// A file format that a check can parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, one value.
    Json,
    /// YAML, one document.
    Yaml,
    /// TOML.
    Toml,
    /// Markdown: text in UTF-8 with at least one heading and no unclosed code fence.
    Markdown,
}

/// How costly the evaluation of a criterion is, and thus when it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// From the exit status alone, which the core already has.
    Known,
    /// Reads a few files; also run before the work, to see whether it can fail at all.
    Cheap,
    /// Runs a program.
    Program,
    /// A person's judgment.
    Person,
}

impl Criterion {
    /// How costly the evaluation is.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match self {
            Criterion::ExitStatus => Cost::Known,
            Criterion::File { .. }
            | Criterion::Contains { .. }
            | Criterion::Lacks { .. }
            | Criterion::Matches { .. }
            | Criterion::Section { .. }
            | Criterion::Format { .. }
            | Criterion::Schema { .. }
            | Criterion::Scope { .. }
            | Criterion::Changed { .. }
            | Criterion::Count { .. }
            | Criterion::Each { .. }
            | Criterion::Cites { .. } => Cost::Cheap,
            Criterion::Command { .. } => Cost::Program,
            Criterion::Plain { .. } => Cost::Person,
        }
    }

    /// The file that it speaks of, if it is a single one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Criterion::File { path, .. }
            | Criterion::Contains { path, .. }
            | Criterion::Lacks { path, .. }
            | Criterion::Matches { path, .. }
            | Criterion::Section { path, .. }
            | Criterion::Format { path, .. }
            | Criterion::Schema { path, .. }
            | Criterion::Cites { path } => Some(path),
            Criterion::ExitStatus
            | Criterion::Command { .. }
            | Criterion::Scope { .. }
            | Criterion::Changed { .. }
            | Criterion::Count { .. }
            | Criterion::Each { .. }
            | Criterion::Plain { .. } => None,
        }
    }

    /// Whether it says what the files are to be. A program tells whether something works, and mostly
    /// did before.
    #[must_use]
    pub fn is_of_files(&self) -> bool {
        self.cost() == Cost::Cheap && !self.is_of_change()
    }

    /// Whether it says what is to be changed, or what is not: only of files and what they were before
    /// can this be told.
    #[must_use]
    pub fn is_of_change(&self) -> bool {
        matches!(self, Criterion::Scope { .. } | Criterion::Changed { .. })
    }

    /// Whether it names files in which work is to change something: what was asked for is in files,
    /// then, and not beside them.
    #[must_use]
    pub fn names_changes(&self) -> bool {
        match self {
            Criterion::Scope { patterns } => !of_scope(patterns).0.is_empty(),
            _ => self.is_of_change(),
        }
    }

    /// Whether work that was asked for fulfills it, and other work need not. That the project's own
    /// tests pass, which this command runs, says only that nothing broke; that a file was changed, or
    /// nothing else was, says nothing of how.
    #[must_use]
    pub fn tells_of_work(&self, tests: Option<&[String]>) -> bool {
        match self {
            Criterion::Command { argv, .. } => Some(argv.as_slice()) != tests,
            _ => self.is_of_files() || !self.is_falsifiable(),
        }
    }

    /// Whether a program can find it violated. Plain words cannot be.
    #[must_use]
    pub fn is_falsifiable(&self) -> bool {
        self.cost() != Cost::Person
    }
}

/// The criterion in one line, for people.
impl std::fmt::Display for Criterion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Criterion::ExitStatus => write!(f, "exit status"),
            Criterion::File { path, min_bytes: 0 } => write!(f, "{path} is there"),
            Criterion::File { path, min_bytes: 1 } => write!(f, "{path} is not empty"),
            Criterion::File { path, min_bytes } => {
                write!(f, "{path} has at least {min_bytes} bytes")
            }
            Criterion::Contains { text, path } => write!(f, "{path} contains {text:?}"),
            Criterion::Lacks { text, path } => write!(f, "{path} lacks {text:?}"),
            Criterion::Matches { pattern, path } => write!(f, "{path} matches /{pattern}/"),
            Criterion::Section { heading, path } => write!(f, "{path} has a section {heading:?}"),
            Criterion::Format { format, path } => {
                write!(f, "{path} is {}", format!("{format:?}").to_lowercase())
            }
            Criterion::Schema { schema, path } => write!(f, "{path} satisfies {schema}"),
            Criterion::Command { argv, .. } => write!(f, "`{}` exits with 0", shell::line(argv)),
            Criterion::Scope { patterns } => {
                let (within, spared) = of_scope(patterns);
                match (within.is_empty(), spared.is_empty()) {
                    (true, _) => write!(f, "leaves {} as it is", spared.join(", ")),
                    (false, true) => write!(f, "changes only {}", within.join(", ")),
                    (false, false) => write!(
                        f,
                        "changes only {}, and leaves {} as it is",
                        within.join(", "),
                        spared.join(", ")
                    ),
                }
            }
            Criterion::Changed { pattern } if pattern.contains(['*', '?', '[', '{']) => {
                write!(f, "changes a file of {pattern}")
            }
            Criterion::Changed { pattern } => write!(f, "changes {pattern}"),
            Criterion::Count {
                pattern,
                min,
                max: None,
            } => {
                write!(f, "at least {min} files match {pattern}")
            }
            Criterion::Count {
                pattern,
                min,
                max: Some(max),
            } => match (min, max) {
                (0, 0) => write!(f, "no file matches {pattern}"),
                (0, _) => write!(f, "at most {max} files match {pattern}"),
                _ if min == max => write!(f, "exactly {min} files match {pattern}"),
                _ => write!(f, "{min} to {max} files match {pattern}"),
            },
            Criterion::Each { pattern, holds } => {
                write!(f, "{}", holds.of(&format!("each of {pattern}")))
            }
            Criterion::Cites { path } => write!(f, "{path} cites places, each of which is there"),
            Criterion::Plain { text } => write!(f, "{text}"),
        }
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// No rule can tell; a person must.
    Unverified,
    /// The owner let it pass by name; the report shows it.
    Waived,
}

/// The verdict on one criterion of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which of the task's criteria, from 0.
    pub criterion: u16,
    /// What was found.
    pub outcome: Outcome,
    /// What was seen, in at most [`EVIDENCE_BYTES_MAX`] bytes; it goes into the next handoff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// The check already passed before the work was done, so its passing proves nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proves_nothing: bool,
    /// The program that judged it; `None` if none ran to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Box<Program>>,
}

/// A check's program that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its command, on one line and cut.
    pub command: String,
    /// How it ended.
    pub exit: Exit,
    /// What it printed; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

/// Evidence is journalled and handed on; a failing test suite prints more than anyone reads.
pub const EVIDENCE_BYTES_MAX: usize = 4_000;

impl Verdict {
    /// The place of a criterion that is not the task's own: the evidence names it. No task has so
    /// many.
    pub const ON_THE_WHOLE: u16 = u16::MAX;

    /// The place of what holds of all work that is to change something: that it did.
    pub const OF_CHANGE: u16 = u16::MAX - 1;

    /// What the places say that are none of a task's own criteria.
    #[must_use]
    pub fn beyond(criterion: u16) -> Option<&'static str> {
        match criterion {
            Verdict::ON_THE_WHOLE => Some("what is integrated already still holds"),
            Verdict::OF_CHANGE => Some("something is changed"),
            _ => None,
        }
    }

    /// Whether it says that nothing was changed, or nothing of what one of these criteria wants.
    #[must_use]
    pub fn wants_change(&self, criteria: &[Criterion]) -> bool {
        let criterion = criteria.get(usize::from(self.criterion));
        let is_its = matches!(criterion, Some(Criterion::Changed { .. }));
        self.outcome == Outcome::Fail && (is_its || self.criterion == Verdict::OF_CHANGE)
    }

    /// A passing verdict without evidence.
    #[must_use]
    pub fn pass(criterion: u16) -> Verdict {
        Verdict {
            criterion,
            outcome: Outcome::Pass,
            evidence: String::new(),
            proves_nothing: false,
            program: None,
        }
    }

    /// A failing verdict with what was seen, cut to [`EVIDENCE_BYTES_MAX`].
    #[must_use]
    pub fn fail(criterion: u16, evidence: impl Into<String>) -> Verdict {
        let mut evidence = evidence.into();
        truncate(&mut evidence, EVIDENCE_BYTES_MAX);
        Verdict {
            criterion,
            outcome: Outcome::Fail,
            evidence,
            proves_nothing: false,
            program: None,
        }
    }
}

/// What a text that was cut ends with.
pub(crate) const CUT: &str = " … (cut)";

/// Cuts a text to at most `bytes_max` bytes at a character's border and says so.
pub fn truncate(text: &mut String, bytes_max: usize) {
    if text.len() <= bytes_max {
        return;
    }
    let mut end = bytes_max.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str(CUT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_of_criteria_on_each_file_is_fixed() {
        let holds = [
            (Holds::Size { min_bytes: 1 }, r#"{"size":{"min_bytes":1}}"#),
            (
                Holds::Contains { text: "a".into() },
                r#"{"contains":{"text":"a"}}"#,
            ),
            (
                Holds::Lacks { text: "a".into() },
                r#"{"lacks":{"text":"a"}}"#,
            ),
            (
                Holds::Section {
                    heading: "a".into(),
                },
                r#"{"section":{"heading":"a"}}"#,
            ),
            (
                Holds::Format {
                    format: Format::Json,
                },
                r#"{"format":{"format":"json"}}"#,
            ),
        ];
        for (holds, stored) in holds {
            let stored = format!(r#"{{"each":{{"pattern":"src/**","holds":{stored}}}}}"#);
            let criterion = Criterion::Each {
                pattern: "src/**".into(),
                holds,
            };
            assert_eq!(serde_json::to_string(&criterion).unwrap(), stored);
            assert_eq!(
                serde_json::from_str::<Criterion>(&stored).unwrap(),
                criterion
            );
        }
    }

    #[test]
    fn criteria_read_as_sentences() {
        let file = |min_bytes| Criterion::File {
            path: "a.md".into(),
            min_bytes,
        };
        let changed = |pattern: &str| Criterion::Changed {
            pattern: pattern.into(),
        };
        let each = Criterion::Each {
            pattern: "src/**".into(),
            holds: Holds::Lacks {
                text: "TODO".into(),
            },
        };
        for (criterion, words) in [
            (file(0), "a.md is there"),
            (file(1), "a.md is not empty"),
            (file(2), "a.md has at least 2 bytes"),
            (each, r#"each of src/** lacks "TODO""#),
            (changed("calc.js"), "changes calc.js"),
            (changed("src/**"), "changes a file of src/**"),
        ] {
            assert_eq!(criterion.to_string(), words);
        }
    }
}
