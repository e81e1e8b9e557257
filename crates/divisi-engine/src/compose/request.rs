//! What is to be composed, as it is handed to the composing process, and that process's whole
//! work.

use std::io::{self, Read};
use std::path::Path;

use divisi_agents::beneath;
use divisi_core::criterion::{self, Criterion, Outcome};
use serde::{Deserialize, Serialize};

use super::render::compose;

/// Text of all artifacts together; a composition is read by people or by one program.
pub const INPUTS_BYTES_MAX: usize = 16 << 20;

/// Memory limit for the process that does [`work`]: several times what inputs and output need.
pub const WORK_MEMORY_BYTES_MAX: u64 = 1 << 30;

/// A request as it is read from standard input; JSON may escape every byte.
const REQUEST_BYTES_MAX: u64 = 8 * INPUTS_BYTES_MAX as u64;

/// What is to be composed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The template; without one the inputs are put one after the other.
    pub template: Option<String>,
    /// Where the result goes, relative to the workspace. `.json` makes it data.
    pub output: String,
    /// In the order of the task's `inputs`.
    pub inputs: Vec<Input>,
    /// What is known of the run.
    pub run: Facts,
}

/// What is known of the run; times are handed in, so that the same request gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// For example `run-7`.
    pub id: String,
    /// The plan's title.
    pub title: String,
    /// The day, as it shall be shown.
    pub date: String,
}

/// One input task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The task's id; for files of the tree, their path.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state as a word, for example `done`.
    pub status: String,
    /// What it made.
    pub artifacts: Vec<Artifact>,
    /// What its checks found.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
}

/// One file that an input task made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path in the tree.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its content; `None` where it is not UTF-8.
    pub text: Option<String>,
}

impl Artifact {
    /// An artifact from its bytes.
    #[must_use]
    pub fn new(path: &str, bytes: Vec<u8>) -> Artifact {
        Artifact {
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            text: String::from_utf8(bytes).ok(),
        }
    }
}

/// What one check of an input task found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The criterion, in words.
    pub criterion: String,
    /// What was found.
    pub outcome: Outcome,
    /// What was seen.
    pub evidence: String,
}

impl Verdict {
    /// Verdicts with their criteria in words; one whose criterion is not there is left out.
    #[must_use]
    pub fn of(criteria: &[Criterion], verdicts: &[criterion::Verdict]) -> Vec<Verdict> {
        let named = |verdict: &criterion::Verdict| {
            Some(Verdict {
                criterion: criteria.get(usize::from(verdict.criterion))?.to_string(),
                outcome: verdict.outcome,
                evidence: verdict.evidence.clone(),
            })
        };
        verdicts.iter().filter_map(named).collect()
    }
}

/// Why nothing was composed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The template cannot be parsed or filled. Will repeat.
    #[error("fill the template{}: {cause}", line_of(*line))]
    Template {
        /// The template's line, from 1, if known.
        line: Option<usize>,
        /// Why, as a lower-case fragment.
        cause: String,
    },
    /// Something is larger than its limit. Will repeat.
    #[error("compose: {what} has more than {bytes_max} bytes")]
    TooBig {
        /// The inputs, the template or the output.
        what: &'static str,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// The request on standard input cannot be read: the two processes are not of one version.
    #[error("read what is to be composed")]
    Request {
        /// What the reader reported.
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("write what was composed")]
    Write {
        /// Which path, and why.
        source: beneath::Fault,
    },
}

impl Fault {
    /// Whether the machine was in the way, so that another try may succeed.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            Fault::Template { .. } | Fault::TooBig { .. } => false,
            Fault::Request { .. } => true,
            // What stands in the way of the output was put there by the tree.
            Fault::Write { source } => match source {
                beneath::Fault::Path { .. } => false,
                beneath::Fault::Io { source, .. } => !matches!(
                    source.raw_os_error(),
                    None | Some(
                        libc::EISDIR
                            | libc::ENOTDIR
                            | libc::ELOOP
                            | libc::ENAMETOOLONG
                            | libc::ENXIO
                    )
                ),
            },
        }
    }
}

fn line_of(line: Option<usize>) -> String {
    line.map(|line| format!(" in line {line}"))
        .unwrap_or_default()
}

/// The whole work of the composing process: reads a [`Request`] as JSON, composes, and writes the
/// output beneath `workspace`. Returns how many bytes it wrote.
///
/// # Errors
/// Nothing was written, or not all.
pub fn work(request: impl Read, workspace: &Path) -> Result<usize, Fault> {
    let request: Request =
        serde_json::from_reader(request.take(REQUEST_BYTES_MAX)).map_err(|fault| {
            Fault::Request {
                source: fault.into(),
            }
        })?;
    let bytes = compose(&request)?;
    beneath::write(workspace, &request.output, &bytes, beneath::Place::Whole)
        .map_err(|source| Fault::Write { source })?;
    Ok(bytes.len())
}
