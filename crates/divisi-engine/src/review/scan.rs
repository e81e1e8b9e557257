//! Reads the files, one after the other, and applies the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Changed;
use super::facts::{Facts, Heard};
use super::language::{self, Foreign, Language};
use super::matching::{self, Condition, Hit};
use super::rule::{Form, Rule};
use super::source::{Source, View};
use super::structure::{self, Structure};
use crate::files::{Entry, Files};

/// Nobody writes a larger file of code by hand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A lock file may be larger.
pub(crate) const LOCK_BYTES_MAX: u64 = 16 << 20;

/// Nobody reads a longer line.
const LINE_BYTES_MAX: usize = 20_000;

/// All files together; time and the words that are kept grow with it.
const TOTAL_BYTES_MAX: u64 = 512 << 20;

/// So much of a file says whether it is text.
const BINARY_BYTES: usize = 8_000;

/// More findings than this are only counted.
const FINDINGS_MAX: usize = 10_000;

/// Why a file was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Skipped {
    /// It is no text.
    Binary,
    /// It is larger than anything that people write.
    TooLarge,
    /// It has lines that nobody reads.
    LongLines,
    /// It came from elsewhere, or a program wrote it.
    Foreign(Foreign),
    /// It is a link.
    Link,
    /// It is no file: a submodule, a pipe.
    NoFile,
    /// It is under version control, and gone.
    Absent,
    /// It could not be read.
    Unreadable,
    /// All files together are too much.
    Budget,
}

/// A place that a rule found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Which rule, by its place among those that were applied.
    pub(crate) rule: usize,
    /// In which file.
    pub(crate) path: String,
    /// Where in it.
    pub(crate) hit: Hit,
    /// What stands there; empty if it must not be shown.
    pub(crate) excerpt: String,
}

/// What was found, and what was looked at.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// What was found.
    pub(crate) found: Vec<Found>,
    /// How many more were found.
    pub(crate) more: usize,
    /// Files and lines that were looked at, by language.
    pub(crate) seen: BTreeMap<Language, Seen>,
    /// Files that were not looked at.
    pub(crate) skipped: BTreeMap<Skipped, Vec<String>>,
}

/// How much of a language was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many files.
    pub(crate) files: usize,
    /// How many lines they have.
    pub(crate) lines: usize,
}

/// Applies rules to the files under review. Other files are read too, where a rule asks for the
/// whole repository. `is_ignored` answers which of many paths are kept out of version control.
pub(crate) fn scan(
    files: &dyn Files,
    facts: &Facts,
    reviewed: &BTreeMap<String, Changed>,
    rules: &[&Rule],
    is_ignored: impl FnOnce(&BTreeSet<String>) -> BTreeSet<String>,
) -> Scan {
    let mut scan = Scan::default();
    let mut heard = Heard::default();
    let hears = rules.iter().any(|rule| asks_for_others(rule));
    let mut bytes_left = TOTAL_BYTES_MAX;
    for path in &facts.paths {
        let changed = reviewed.get(path);
        if changed.is_none() && !hears {
            continue;
        }
        let text = match read(files, path, &mut bytes_left) {
            Ok(text) => text,
            Err(skipped) => {
                if changed.is_some() {
                    scan.skipped.entry(skipped).or_default().push(path.clone());
                }
                continue;
            }
        };
        let source = Source::new(path, text);
        if hears {
            heard.hear(&source);
        }
        if let Some(changed) = changed {
            scan.look(&source, changed, facts, rules);
        }
    }
    scan.settle(&heard, is_ignored);
    scan
}

/// Whether a rule depends on files beside the one it looks at.
fn asks_for_others(rule: &Rule) -> bool {
    matches!(
        rule.form,
        Form::Structure(
            Structure::UntestedFunction | Structure::TestWithoutAssertion | Structure::MissingFlag
        )
    )
}

/// The text of a file.
fn read(files: &dyn Files, path: &str, bytes_left: &mut u64) -> Result<String, Skipped> {
    let bytes = match files.entry(path) {
        Ok(Entry::File { bytes, .. }) => bytes,
        Ok(Entry::Link) => return Err(Skipped::Link),
        Ok(Entry::Missing) => return Err(Skipped::Absent),
        Ok(Entry::Folder | Entry::Other) => return Err(Skipped::NoFile),
        Err(_) => return Err(Skipped::Unreadable),
    };
    if bytes > FILE_BYTES_MAX {
        return Err(Skipped::TooLarge);
    }
    *bytes_left = bytes_left.checked_sub(bytes).ok_or(Skipped::Budget)?;
    let bytes = files
        .read(path, FILE_BYTES_MAX)
        .map_err(|_| Skipped::Unreadable)?;
    if bytes[..bytes.len().min(BINARY_BYTES)].contains(&0) {
        return Err(Skipped::Binary);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if let Some(foreign) = language::foreign(path, &text) {
        return Err(Skipped::Foreign(foreign));
    }
    match text.lines().any(|line| line.len() > LINE_BYTES_MAX) {
        true => Err(Skipped::LongLines),
        false => Ok(text),
    }
}

impl Scan {
    fn look(&mut self, source: &Source, changed: &Changed, facts: &Facts, rules: &[&Rule]) {
        if !changed.is_nothing() {
            let seen = self.seen.entry(source.language).or_default();
            seen.files += 1;
            seen.lines += source.line_count();
        }
        for (number, rule) in rules.iter().enumerate() {
            if !rule.knows(source.language) {
                continue;
            }
            let hits = match &rule.form {
                Form::Pattern(pattern) => matching::hits(pattern, source),
                Form::Structure(structure) => structure::hits(*structure, source, facts),
            };
            for hit in hits {
                if !hit.regardless && !changed.touches(hit.first, hit.last) {
                    continue;
                }
                if self.found.len() >= FINDINGS_MAX {
                    self.more += 1;
                    continue;
                }
                let excerpt = match rule.hides {
                    true => String::new(),
                    false => source.line(View::Text, hit.line).to_owned(),
                };
                self.found.push(Found {
                    rule: number,
                    path: source.path.clone(),
                    hit,
                    excerpt,
                });
            }
        }
    }

    /// Drops what, now that all files were read, does not count.
    fn settle(
        &mut self,
        heard: &Heard,
        is_ignored: impl FnOnce(&BTreeSet<String>) -> BTreeSet<String>,
    ) {
        let asked: BTreeSet<String> = self
            .found
            .iter()
            .filter_map(|found| match &found.hit.condition {
                Condition::NotIgnored(path) => Some(path.clone()),
                _ => None,
            })
            .collect();
        let ignored = match asked.is_empty() {
            true => asked,
            false => is_ignored(&asked),
        };
        self.found.retain(|found| match &found.hit.condition {
            Condition::NotIgnored(path) => !ignored.contains(path),
            condition => heard.holds(condition),
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::review::change::of_patch;
    use crate::review::rule::{Example, rules};
    use std::io;

    /// Files in memory.
    struct Texts<'a>(BTreeMap<&'a str, &'a str>);

    impl Files for Texts<'_> {
        fn entry(&self, path: &str) -> io::Result<Entry> {
            Ok(match self.0.get(path) {
                Some(text) => Entry::File {
                    bytes: text.len() as u64,
                    executable: false,
                },
                None => Entry::Missing,
            })
        }

        fn read(&self, path: &str, _: u64) -> io::Result<Vec<u8>> {
            let text = self.0.get(path).copied().unwrap_or_default();
            Ok(text.as_bytes().to_vec())
        }

        fn list(&self) -> io::Result<Vec<String>> {
            Ok(self.0.keys().map(|path| (*path).to_owned()).collect())
        }

        fn changed(&self) -> io::Result<Option<Vec<String>>> {
            Ok(None)
        }
    }

    /// The lines of a text that are not in another, as a patch would say it.
    fn changed(before: &str, after: &str) -> Changed {
        let old: Vec<&str> = before.lines().collect();
        let mut patch = "+++ b/x\n".to_owned();
        for (line, number) in after.lines().zip(1..) {
            if !old.contains(&line) {
                patch.push_str(&format!("@@ -0,0 +{number} @@\n+{line}\n"));
            }
        }
        let (_, lines) = of_patch(patch.as_bytes()).remove(0);
        Changed::Lines(lines)
    }

    /// The lines that a rule finds in an example, as `path:line`.
    fn play(rule: &Rule, example: &Example) -> Vec<String> {
        let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
        let mut reviewed = BTreeMap::new();
        let mut touched = BTreeSet::new();
        let has_base = example.keys().any(|path| path.starts_with("base:"));
        for (path, text) in example
            .iter()
            .filter(|(path, _)| !path.starts_with("base:"))
        {
            texts.insert(path, text);
            let before = example.get(&format!("base:{path}"));
            let changed = match (has_base, before) {
                (false, _) => Changed::All,
                (true, before) => changed(before.map_or("", |before| before), text),
            };
            if before != Some(text) {
                touched.insert(path.clone());
            }
            reviewed.insert(path.clone(), changed);
        }
        let paths = texts.keys().map(|path| (*path).to_owned()).collect();
        let files = Texts(texts);
        let facts = Facts::of(&files, paths, BTreeSet::new(), has_base.then_some(&touched));
        let rules = [rule];
        let scan = scan(&files, &facts, &reviewed, &rules, |_| BTreeSet::new());
        scan.found
            .iter()
            .map(|found| format!("{}:{} {}", found.path, found.hit.line, found.hit.what))
            .collect()
    }

    /// Each rule finds each of its examples and spares each of the others.
    #[test]
    fn rules_find_what_they_should_and_nothing_else() {
        let mut faults = Vec::new();
        for rule in rules() {
            for example in &rule.finds {
                if play(rule, example).is_empty() {
                    faults.push(format!("{} finds nothing in {example:#?}", rule.id));
                }
            }
            for example in &rule.spares {
                let found = play(rule, example);
                if !found.is_empty() {
                    faults.push(format!("{} finds {found:?} in {example:#?}", rule.id));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
