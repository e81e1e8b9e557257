//! Reviews by commands: what can be found in a working tree without a model and without a person.
//!
//! A review looks from one [`Perspective`]. It applies [`rules`] of our own, which are data, and
//! runs [`tools`] of others that are installed. Each finding has its place and the command that
//! shows it again. What was not looked at, and what no command can judge, is said beside the
//! findings, never passed over: a review without findings is not praise.
//!
//! The order of work: `subject` asks git what is under version control and what changed; `scan`
//! reads the files one by one, makes each a `source` (its views without comments or strings by
//! `lexer`, its loops, functions and tests by `blocks`), and applies the rules: patterns by
//! `matching`, everything else by `structure`. What depends on other files is settled at the end
//! by `facts`. `tool` runs programs, `looking` puts it all together, `document` writes it down.
//!
//! Everything in a file is hostile. Files, lines, matches, findings and excerpts are bounded;
//! patterns take linear time; no link is followed; nothing of the repository is executed unless
//! that was asked for; what is shown is made harmless in `words`. The same tree gives the same
//! review, byte for byte, on a machine with the same tools.
//!
//! It knows no run and no task: `divisi review` does the same in a terminal as in a workspace.

mod blocks;
mod change;
mod document;
mod facts;
mod language;
mod lexer;
mod looking;
mod markdown;
mod matching;
mod output;
mod perspective;
mod rule;
mod scan;
mod source;
mod structure;
mod subject;
mod tool;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use divisi_core::Diagnostic;
use serde::Serialize;

use crate::files::FolderFiles;
use crate::repo;
use crate::scratch::Scratch;
use facts::Facts;
use looking::Looking;
use subject::Subject;

pub use document::markdown;
pub use perspective::Perspective;
pub use rule::{Example, Rule, Severity, rules};
pub use tool::{Tool, tools};

/// What to review, and how.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// A folder in the working tree.
    pub folder: &'a Path,
    /// From where to look.
    pub perspectives: Vec<Perspective>,
    /// Review only what changed since the point where this revision was left.
    pub base: Option<String>,
    /// Only these rules and tools; all, if empty.
    pub only: Vec<String>,
    /// Only these files and folders, as they are named from the folder; all, if empty.
    pub paths: Vec<PathBuf>,
    /// Whether code of what is reviewed may be executed.
    pub trusted: bool,
    /// Whether other machines may be asked.
    pub online: bool,
    /// The variables of this process: where programs are, and what of them programs get.
    pub variables: BTreeMap<String, String>,
}

/// What was found from one perspective.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// From where was looked.
    pub perspective: Perspective,
    /// The commit that was compared with, if only a change was reviewed.
    pub base: Option<String>,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// How many findings there are; more than are listed, if they are too many.
    pub findings_count: usize,
    /// What was looked at.
    pub reviewed: Reviewed,
    /// What was not looked at, and what no command can judge, in sentences.
    pub not_reviewed: Vec<String>,
}

impl Review {
    /// How many findings of which weight, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        let number = |count: usize, word: &str| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        if self.findings_count == 0 {
            return "no findings".to_owned();
        }
        let count = |severity: Severity| {
            let of = |finding: &&Finding| finding.severity == severity;
            self.findings.iter().filter(of).count()
        };
        let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .filter(|&severity| count(severity) > 0)
            .map(|severity| number(count(severity), severity.word()))
            .collect();
        let total = number(self.findings_count, "finding");
        format!("{total} ({})", parts.join(", "))
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, from the top of the working tree.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// How much it weighs.
    pub severity: Severity,
    /// Who found it: `divisi`, or the program's name.
    pub tool: String,
    /// The rule's name.
    pub rule: String,
    /// What is the matter.
    pub says: String,
    /// Why it matters and what to do; empty where the tool does not say.
    pub why: String,
    /// What stands there, shortened; empty where it must not be shown.
    pub excerpt: String,
    /// The command that shows it again.
    pub command: String,
}

/// What was looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reviewed {
    /// Files and lines by language.
    pub files: Vec<Looked>,
    /// The rules that were applied.
    pub rules: Vec<String>,
    /// The programs that ran.
    pub tools: Vec<Used>,
}

/// How much of a language was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Looked {
    /// The language.
    pub language: String,
    /// How many files.
    pub files: usize,
    /// How many lines they have.
    pub lines: usize,
}

/// A program that ran.
#[derive(Clone, Debug, Serialize)]
pub struct Used {
    /// Its name here.
    pub tool: String,
    /// The command, with `{files}` for the files it was given.
    pub command: String,
}

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The folder is in no working tree of git.
    #[error("review {}: it is in no working tree of git", .0.display())]
    NoRepository(PathBuf),
    /// The base has no history in common with what is reviewed.
    #[error("compare with {base:?}: it has no commit in common with HEAD")]
    Unrelated {
        /// As it was given.
        base: String,
    },
    /// A name is of no rule and no tool of the perspectives.
    #[error("review by {id:?}: there is no rule and no tool of this name here")]
    UnknownRule {
        /// As it was given.
        id: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A path leads out of the working tree, or nothing under version control is there.
    #[error("review {}: nothing under version control is there", .0.display())]
    NoPath(PathBuf),
    /// A folder or file of the review itself could not be made.
    #[error("{operation} {}", .path.display())]
    Io {
        /// What was done.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// Git could not answer.
    #[error(transparent)]
    Repo(#[from] repo::Fault),
}

impl Fault {
    /// The stable code, with a page in `docs/errors`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Fault::NoRepository(_) => "review-no-repository",
            Fault::Unrelated { .. } => "review-unrelated-base",
            Fault::UnknownRule { .. } => "review-unknown-rule",
            Fault::NoPath(_) => "review-no-path",
            Fault::Io { .. } => "review-io",
            Fault::Repo(fault) => fault.code(),
        }
    }

    /// For a person.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = match self {
            Fault::Repo(fault) => return fault.diagnostic(),
            Fault::Io { source, .. } => Diagnostic::error(self.code(), format!("{self}: {source}")),
            _ => Diagnostic::error(self.code(), self.to_string()),
        };
        match self {
            Fault::NoRepository(_) => diagnostic.hint("make it one: `git init && git add .`"),
            Fault::Unrelated { .. } => {
                diagnostic.hint("fetch the whole history: `git fetch --unshallow`")
            }
            Fault::UnknownRule { nearest, .. } => match nearest {
                Some(nearest) => diagnostic.hint(format!("did you mean `{nearest}`?")),
                None => diagnostic.hint("list them: `divisi review --rules`"),
            },
            Fault::NoPath(_) => diagnostic.hint("list what is: `git ls-files`"),
            Fault::Io { .. } | Fault::Repo(_) => diagnostic,
        }
    }
}

/// Reviews a working tree from each of the perspectives.
///
/// # Errors
/// There is no working tree, base, rule or path of the name that was given.
pub fn review(request: &Request<'_>) -> Result<Vec<Review>, Fault> {
    let chosen: Vec<Chosen> = choose(request)?;
    let subject = Subject::open(request.folder, request.base.as_deref())?;
    let mut paths = Vec::new();
    for path in &request.paths {
        let missing = || Fault::NoPath(path.clone());
        let wanted = subject.path_at_top(path).ok_or_else(missing)?;
        if subject.reviewable(&wanted).next().is_none() {
            return Err(missing());
        }
        paths.push(wanted);
    }
    let files = FolderFiles::open(&subject.root, None).map_err(|source| Fault::Io {
        operation: "open",
        path: subject.root.clone(),
        source,
    })?;
    let temp = Scratch::new("review").map_err(|source| Fault::Io {
        operation: "make",
        path: std::env::temp_dir(),
        source,
    })?;
    let reviewed = subject.reviewed(&paths);
    let touched: Option<BTreeSet<String>> = subject.change.as_ref().map(|change| {
        let removed = change.removed.iter();
        change.touched.keys().chain(removed).cloned().collect()
    });
    let removed = subject.change.as_ref().map(|change| change.removed.clone());
    let facts = Facts::of(
        &files,
        subject.tracked.clone(),
        removed.unwrap_or_default(),
        touched.as_ref(),
    );
    let looking = Looking {
        request,
        subject: &subject,
        files: &files,
        facts: &facts,
        reviewed: &reviewed,
        temp: temp.path(),
    };
    Ok(chosen.iter().map(|chosen| looking.review(chosen)).collect())
}

/// The rules and tools of a perspective that were asked for.
struct Chosen {
    perspective: Perspective,
    rules: Vec<&'static Rule>,
    tools: Vec<Tool>,
}

fn choose(request: &Request<'_>) -> Result<Vec<Chosen>, Fault> {
    let mut all: Vec<Chosen> = Vec::new();
    for &perspective in &request.perspectives {
        let mut tools = tools();
        tools.retain(|tool| tool.perspective == perspective);
        all.push(Chosen {
            perspective,
            rules: rules()
                .iter()
                .filter(|rule| rule.perspective == perspective)
                .collect(),
            tools,
        });
    }
    let ids: BTreeSet<String> = all
        .iter()
        .flat_map(|chosen| {
            let rules = chosen.rules.iter().map(|rule| rule.id.clone());
            rules.chain(chosen.tools.iter().map(|tool| tool.id.clone()))
        })
        .collect();
    if let Some(unknown) = request.only.iter().find(|id| !ids.contains(*id)) {
        let nearest = divisi_pack::nearest(unknown, ids.iter().map(String::as_str));
        return Err(Fault::UnknownRule {
            id: unknown.clone(),
            nearest: nearest.map(str::to_owned),
        });
    }
    if !request.only.is_empty() {
        for chosen in &mut all {
            chosen.rules.retain(|rule| request.only.contains(&rule.id));
            chosen.tools.retain(|tool| request.only.contains(&tool.id));
        }
        all.retain(|chosen| !chosen.rules.is_empty() || !chosen.tools.is_empty());
    }
    Ok(all)
}

/// The beginning of a commit's name, as people write it.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
