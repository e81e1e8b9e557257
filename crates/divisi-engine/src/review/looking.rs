//! One look at a working tree from each perspective: rules, tools, and what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use divisi_core::shell;

use super::change::Changed;
use super::facts::Facts;
use super::language::{Foreign, Language};
use super::rule::Rule;
use super::scan::{self, Scan, Skipped};
use super::subject::Subject;
use super::tool::{self, Ground, Outcome, Tool};
use super::words::{self, bounded};
use super::{Chosen, Finding, Looked, Request, Review, Reviewed, Used, short};
use crate::files::{Files, FolderFiles};

/// What is shown of a line.
const EXCERPT_CHARS_MAX: usize = 120;

/// What is shown of a program's words.
const MESSAGE_CHARS_MAX: usize = 300;

/// Files that are named where some were not looked at.
const NAMED_MAX: usize = 5;

/// The tool whose rules are our own.
const OWN: &str = "divisi";

/// One look at a working tree, for all perspectives.
pub(super) struct Looking<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) subject: &'a Subject,
    pub(super) files: &'a FolderFiles,
    pub(super) facts: &'a Facts,
    pub(super) reviewed: &'a BTreeMap<String, Changed>,
    pub(super) temp: &'a Path,
}

impl Looking<'_> {
    /// The review from one of them.
    pub(super) fn review(&self, chosen: &Chosen) -> Review {
        let scan = scan::scan(
            self.files,
            self.facts,
            self.reviewed,
            &chosen.rules,
            |paths| self.subject.ignored(paths),
        );
        let mut review = Review {
            perspective: chosen.perspective,
            base: self
                .subject
                .change
                .as_ref()
                .map(|change| change.base.clone()),
            findings: scan
                .found
                .iter()
                .map(|found| of_rule(chosen.rules[found.rule], found))
                .collect(),
            findings_count: 0,
            reviewed: Reviewed {
                files: looked(&scan),
                rules: chosen.rules.iter().map(|rule| rule.id.clone()).collect(),
                tools: Vec::new(),
            },
            not_reviewed: Vec::new(),
        };
        self.run_tools(chosen, &scan, &mut review);
        review.not_reviewed.extend(self.left_out(chosen, &scan));
        if self.request.only.is_empty() {
            let beyond = chosen.perspective.beyond_commands();
            review
                .not_reviewed
                .extend(beyond.iter().map(|text| (*text).to_owned()));
        }
        review.findings.sort_by_cached_key(|finding| {
            let Finding {
                tool, rule, file, ..
            } = finding.clone();
            let severity = std::cmp::Reverse(finding.severity);
            (severity, tool != OWN, tool, rule, file, finding.line)
        });
        // Tools may build one file several times, and say the same each time.
        review.findings.dedup();
        review.findings_count = review.findings.len() + scan.more;
        review
    }

    fn run_tools(&self, chosen: &Chosen, scan: &Scan, review: &mut Review) {
        let skipped: BTreeSet<&String> = scan.skipped.values().flatten().collect();
        let reviewed: BTreeSet<String> = self
            .reviewed
            .iter()
            .filter(|(path, changed)| !changed.is_nothing() && !skipped.contains(path))
            .map(|(path, _)| path.clone())
            .chain(self.manifests())
            .collect();
        let variables = &self.request.variables;
        let path = variables.get("PATH").map_or("", String::as_str);
        let path: Vec<PathBuf> = std::env::split_paths(path).collect();
        let environment = divisi_agents::environment::environment(variables, &[], &BTreeMap::new());
        let ground = Ground {
            root: &self.subject.root,
            temp: self.temp,
            reviewed: &reviewed,
            tracked: &self.subject.tracked,
            trusted: self.request.trusted,
            online: self.request.online,
            path: &path,
            env: &environment.vars,
        };
        for tool in &chosen.tools {
            match tool.run(&ground) {
                Outcome::NothingToDo => {}
                Outcome::NotRun(why) => review.not_reviewed.push(format!(
                    "What `{}` looks for ({}): {why}.",
                    tool.id, tool.sees
                )),
                Outcome::Ran {
                    command,
                    said,
                    left,
                } => {
                    review.reviewed.tools.push(Used {
                        tool: tool.id.clone(),
                        command,
                    });
                    review
                        .findings
                        .extend(said.into_iter().filter_map(|said| self.of_tool(tool, said)));
                    if let Some(left) = left {
                        review.not_reviewed.push(format!(
                            "What `{}` looks for ({}) in {left}: there are too many.",
                            tool.id, tool.sees
                        ));
                    }
                }
            }
        }
    }

    /// Lock files are written by programs, but what they name is what vulnerabilities are in.
    fn manifests(&self) -> impl Iterator<Item = String> {
        self.reviewed
            .iter()
            .filter(|(path, changed)| {
                matches!(path.as_str(), "Cargo.lock" | "package-lock.json") && !changed.is_nothing()
            })
            .map(|(path, _)| path.clone())
    }

    fn of_tool(&self, tool: &Tool, said: tool::Said) -> Option<Finding> {
        let place = said.place;
        let changed = self.reviewed.get(&place.file)?;
        let text = Files::read(self.files, &place.file, scan::LOCK_BYTES_MAX).ok()?;
        let text = String::from_utf8_lossy(&text);
        let line = match &place.search {
            Some(search) => text
                .lines()
                .zip(1..)
                .find_map(|(line, number)| line.contains(search.as_str()).then_some(number))
                .unwrap_or(1),
            None => place.line.max(1),
        };
        if !changed.touches(line, line) {
            return None;
        }
        let excerpt = text.lines().nth(line as usize - 1).unwrap_or_default();
        Some(Finding {
            file: place.file,
            line,
            severity: said.severity,
            tool: tool.id.clone(),
            rule: bounded(&place.rule, MESSAGE_CHARS_MAX),
            says: bounded(&place.message, MESSAGE_CHARS_MAX),
            why: String::new(),
            excerpt: bounded(excerpt, EXCERPT_CHARS_MAX),
            command: said.command,
        })
    }

    /// What was not looked at, in sentences.
    fn left_out(&self, chosen: &Chosen, scan: &Scan) -> Vec<String> {
        let mut sentences = Vec::new();
        for (skipped, files) in &scan.skipped {
            sentences.push(format!("{}: {}.", skipped.words(), named(files)));
        }
        for (language, seen) in &scan.seen {
            let knows = |rule: &&&Rule| rule.languages.contains(language);
            if chosen.rules.iter().any(|rule| knows(&rule)) {
                continue;
            }
            let lookers = match chosen.rules.iter().any(|rule| rule.languages.is_empty()) {
                true => "only rules for every text looked there",
                false => "no rule here knows that language",
            };
            let (files, language) = (files_of(seen.files), language.name());
            sentences.push(format!("{files} of {language}: {lookers}."));
        }
        let subject = self.subject;
        if subject.untracked > 0 {
            sentences.push(format!(
                "{} not under version control.",
                files_of(subject.untracked)
            ));
        }
        if subject.unnamed > 0 {
            sentences.push(format!(
                "{} whose names are not UTF-8.",
                files_of(subject.unnamed)
            ));
        }
        if let Some(change) = &subject.change {
            sentences.push(format!(
                "What did not change since `{}`.",
                short(&change.base)
            ));
            if !change.unclear.is_empty() {
                let files: Vec<String> = change.unclear.iter().cloned().collect();
                sentences.push(format!(
                    "Files whose change is too large to be looked at line by line: {}.",
                    named(&files)
                ));
            }
        }
        sentences
    }
}

fn of_rule(rule: &Rule, found: &scan::Found) -> Finding {
    let says = match found.hit.what.as_str() {
        "" => rule.says.clone(),
        what => format!("{}: {}", rule.says, bounded(what, EXCERPT_CHARS_MAX)),
    };
    let path = found.path.as_str();
    let command = ["divisi", "review", "--only", &rule.id, "--", path];
    // A name that cannot be typed is left out: the command then shows more than this.
    let typed = match divisi_pack::printable(path) == path {
        true if path.starts_with('-') => &command[..],
        true => &[command[0], command[1], command[2], command[3], path][..],
        false => &command[..4],
    };
    Finding {
        file: found.path.clone(),
        line: found.hit.line,
        severity: rule.severity,
        tool: OWN.to_owned(),
        rule: rule.id.clone(),
        says,
        why: rule.why.clone(),
        excerpt: bounded(&found.excerpt, EXCERPT_CHARS_MAX),
        command: shell::line(typed),
    }
}

fn looked(scan: &Scan) -> Vec<Looked> {
    let of = |(language, seen): (&Language, &scan::Seen)| Looked {
        language: language.name().to_owned(),
        files: seen.files,
        lines: seen.lines,
    };
    scan.seen.iter().map(of).collect()
}

fn files_of(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

/// The first of many files, and how many more there are.
fn named(files: &[String]) -> String {
    let first: Vec<String> = files
        .iter()
        .take(NAMED_MAX)
        .map(|path| words::code(path, EXCERPT_CHARS_MAX))
        .collect();
    match files.len().saturating_sub(NAMED_MAX) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl Skipped {
    /// As people say it.
    fn words(self) -> &'static str {
        match self {
            Skipped::Binary => "Files that are no text",
            Skipped::TooLarge => "Files larger than a mebibyte",
            Skipped::LongLines => "Files with lines that nobody reads",
            Skipped::Foreign(Foreign::Vendored) => "Files that came from elsewhere",
            Skipped::Foreign(Foreign::Generated) => "Files that a program wrote",
            Skipped::Foreign(Foreign::Review) => "Reviews that were written before",
            Skipped::Link => "Links, which are not followed",
            Skipped::NoFile => "What is no file (submodules, pipes)",
            Skipped::Absent => "Files that are not there any more",
            Skipped::Unreadable => "Files that could not be read",
            Skipped::Budget => "Files beyond half a gibibyte in all",
        }
    }
}
