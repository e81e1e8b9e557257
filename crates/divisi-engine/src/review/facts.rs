//! What is known about the whole repository: before it is read file by file, and after.
//!
//! A rule that depends on other files gives its places a [`Condition`]; when all files were read,
//! [`Heard::holds`] says whether it is met.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use regex::Regex;

use super::language::Language;
use super::matching::Condition;
use super::source::{Part, Source, View};
use super::structure::asserting_functions;
use crate::files::Files;

/// Manifests are small; a larger one is not looked at.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// More different words than this are not told apart, and nothing is said that depends on them.
const WORDS_MAX: usize = 4_000_000;

/// Names of files in which changes are announced.
const CHANGE_NOTES: &[&str] = &["changelog", "changes", "history", "news", "releases"];

/// What is known before the files are read.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// All files under version control.
    pub(crate) paths: BTreeSet<String>,
    /// All folders that hold one, without a separator at the end.
    pub(crate) folders: BTreeSet<String>,
    /// Files that the change removed.
    pub(crate) removed: BTreeSet<String>,
    /// Targets of the Makefile at the top, if there is one that can be read without executing it.
    pub(crate) make_targets: Option<BTreeSet<String>>,
    /// Scripts of the `package.json` at the top, if there is one.
    pub(crate) npm_scripts: Option<BTreeSet<String>>,
    /// Programs that this repository makes.
    pub(crate) programs: BTreeSet<String>,
    owes_change_note: bool,
    /// Paths by their last component.
    by_name: BTreeMap<String, Vec<String>>,
}

impl Facts {
    /// Of a repository with these files; `changed` are those that a change added, changed or
    /// removed, if a change is reviewed.
    pub(crate) fn of(
        files: &dyn Files,
        paths: BTreeSet<String>,
        removed: BTreeSet<String>,
        changed: Option<&BTreeSet<String>>,
    ) -> Facts {
        let mut folders = BTreeSet::new();
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in &paths {
            for (at, _) in path.match_indices('/') {
                folders.insert(path[..at].to_owned());
            }
            let name = path.rsplit('/').next().unwrap_or(path);
            by_name
                .entry(name.to_owned())
                .or_default()
                .push(path.clone());
        }
        let text = |path: &str| {
            let bytes = files.read(path, MANIFEST_BYTES_MAX).ok()?;
            paths
                .contains(path)
                .then(|| String::from_utf8_lossy(&bytes).into_owned())
        };
        let npm: Option<serde_json::Value> =
            text("package.json").and_then(|text| serde_json::from_str(&text).ok());
        let scripts = npm.as_ref().and_then(|npm| npm.get("scripts")?.as_object());
        let has_notes = paths.iter().any(|path| is_change_note(path));
        let noted = |changed: &BTreeSet<String>| changed.iter().any(|path| is_change_note(path));
        Facts {
            make_targets: text("Makefile").as_deref().and_then(make_targets),
            npm_scripts: scripts.map(|scripts| scripts.keys().cloned().collect()),
            programs: programs(&by_name, npm.as_ref(), &text),
            owes_change_note: has_notes && changed.is_some_and(|changed| !noted(changed)),
            paths,
            folders,
            removed,
            by_name,
        }
    }

    /// Whether a change of what others use must still be announced.
    pub(crate) fn owes_change_note(&self) -> bool {
        self.owes_change_note
    }

    /// Whether a file or folder stands at a path.
    pub(crate) fn has(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path) || self.folders.contains(path)
    }

    /// Whether some path ends with this one, component by component.
    pub(crate) fn has_ending(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ends = |whole: &String| {
            whole == path
                || whole
                    .strip_suffix(path)
                    .is_some_and(|rest| rest.ends_with('/'))
        };
        self.by_name
            .get(name)
            .is_some_and(|paths| paths.iter().any(ends))
    }
}

fn is_change_note(path: &str) -> bool {
    let lower = path.to_lowercase();
    let first = lower.split(['/', '.']).next().unwrap_or_default();
    if matches!(first, "changelog" | "changes") {
        return true;
    }
    let name = lower.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let is_text = !name.contains('.')
        || name.ends_with(".md")
        || name.ends_with(".rst")
        || name.ends_with(".txt");
    is_text && CHANGE_NOTES.contains(&stem)
}

static MAKE_TARGET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^([A-Za-z0-9_./-]+(?:[ \t]+[A-Za-z0-9_./-]+)*)[ \t]*::?(?:[^=]|$)")
        .expect("the pattern is well-formed")
});

/// The targets of a Makefile; none if it computes or includes some.
fn make_targets(text: &str) -> Option<BTreeSet<String>> {
    let is_open = text.lines().any(|line| {
        let start = line.trim_start_matches('-');
        start.starts_with("include ")
            || start.starts_with("$(eval")
            || (!line.starts_with(['\t', '#', ' ']) && line.contains('%') && line.contains(':'))
    });
    if is_open {
        return None;
    }
    let names = MAKE_TARGET
        .captures_iter(text)
        .flat_map(|found| {
            let names: Vec<String> = found[1].split_whitespace().map(str::to_owned).collect();
            names
        })
        .collect();
    Some(names)
}

/// The names of programs that manifests declare.
fn programs(
    by_name: &BTreeMap<String, Vec<String>>,
    npm: Option<&serde_json::Value>,
    text: &dyn Fn(&str) -> Option<String>,
) -> BTreeSet<String> {
    let mut programs = BTreeSet::new();
    let at = |name: &str| by_name.get(name).cloned().unwrap_or_default();
    for path in at("Cargo.toml") {
        let folder = path.trim_end_matches("Cargo.toml");
        let Some(manifest) = text(&path).and_then(|text| text.parse::<toml::Table>().ok()) else {
            continue;
        };
        let name_of = |value: &toml::Value| Some(value.get("name")?.as_str()?.to_owned());
        if let Some(bins) = manifest.get("bin").and_then(toml::Value::as_array) {
            programs.extend(bins.iter().filter_map(name_of));
        } else if at("main.rs").contains(&format!("{folder}src/main.rs")) {
            programs.extend(manifest.get("package").and_then(name_of));
        }
    }
    for path in at("pyproject.toml") {
        let manifest = text(&path).and_then(|text| text.parse::<toml::Table>().ok());
        let scripts = manifest
            .as_ref()
            .and_then(|manifest| manifest.get("project")?.get("scripts")?.as_table());
        programs.extend(
            scripts
                .into_iter()
                .flat_map(|scripts| scripts.keys().cloned()),
        );
    }
    match npm.and_then(|npm| npm.get("bin")) {
        Some(serde_json::Value::Object(bins)) => programs.extend(bins.keys().cloned()),
        Some(serde_json::Value::String(_)) => {
            let name = npm.and_then(|npm| npm.get("name")?.as_str());
            programs.extend(name.map(str::to_owned));
        }
        _ => {}
    }
    programs
}

/// What was heard while the files were read.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    in_tests: Words,
    in_code: Words,
    asserting: BTreeSet<String>,
}

/// A set of words, kept by their hashes: only whether one was heard is asked.
#[derive(Debug, Default)]
struct Words {
    hashes: HashSet<u64>,
    overflowed: bool,
}

impl Words {
    fn add(&mut self, word: &str) {
        if self.hashes.len() >= WORDS_MAX {
            self.overflowed = true;
            return;
        }
        self.hashes.insert(hash(word));
    }

    /// Whether a word was heard, or may have been.
    fn may_have(&self, word: &str) -> bool {
        self.overflowed || self.hashes.contains(&hash(word))
    }
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// The words of a text. A name with hyphens is a word, and so are its parts.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$' && c != '-')
        .map(|word| word.trim_matches('-'))
        .filter(|word| !word.is_empty())
        .flat_map(|word| {
            let parts = word.contains('-').then(|| word.split('-'));
            std::iter::once(word).chain(parts.into_iter().flatten())
        })
}

impl Heard {
    /// Takes up what a source says.
    pub(crate) fn hear(&mut self, source: &Source) {
        if source.language.is_program() {
            match source.part(0) {
                Part::Test => {
                    for word in words(source.view(View::Live)) {
                        self.in_tests.add(word);
                    }
                }
                Part::Example => {}
                Part::Code => {
                    for word in words(source.view(View::Live)) {
                        self.in_code.add(word);
                    }
                }
            }
            self.hear_inner_tests(source);
            self.asserting.extend(asserting_functions(source));
        }
    }

    /// Tests that stand among code, and examples in comments that are executed as tests.
    fn hear_inner_tests(&mut self, source: &Source) {
        for block in &source.blocks {
            if block.is_test() {
                for word in words(&source.view(View::Live)[block.open..block.close]) {
                    self.in_tests.add(word);
                }
            }
        }
        let mut is_example = false;
        let marks: &[&str] = match source.language {
            Language::Rust => &["///", "//!"],
            Language::Python => &[">>>"],
            _ => return,
        };
        for line in source.view(View::Text).lines() {
            let line = line.trim_start();
            let Some(rest) = marks.iter().find_map(|mark| line.strip_prefix(mark)) else {
                is_example = false;
                continue;
            };
            if rest.trim_start().starts_with("```") {
                is_example = !is_example;
            } else if is_example || source.language == Language::Python {
                for word in words(rest) {
                    self.in_tests.add(word);
                }
            }
        }
    }

    /// Whether what a place depends on is so. Paths that are ignored are asked elsewhere.
    pub(crate) fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Always | Condition::NotIgnored(_) => true,
            Condition::NoTestNames(name) => !self.in_tests.may_have(name),
            Condition::NothingCalledAsserts(calls) => {
                !calls.iter().any(|call| self.asserting.contains(call))
            }
            Condition::NoCodeKnows(flag) => {
                let plain = flag.strip_prefix("no-").unwrap_or(flag);
                ![flag, plain]
                    .iter()
                    .flat_map(|flag| [(*flag).to_owned(), flag.replace('-', "_"), camel(flag)])
                    .any(|form| self.in_code.may_have(&form))
            }
        }
    }
}

/// `dry-run` → `dryRun`.
fn camel(flag: &str) -> String {
    let mut parts = flag.split('-');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_notes_are_known_by_name() {
        for path in ["CHANGELOG.md", "a/CHANGES.rst", "changelog.d/x.md", "NEWS"] {
            assert!(is_change_note(path), "{path}");
        }
        for path in ["src/changes.rs", "docs/news/today.html", "changes_test.py"] {
            assert!(!is_change_note(path), "{path}");
        }
    }

    #[test]
    fn targets_are_read_unless_some_are_computed() {
        let targets =
            make_targets("A = 1\nB := 2\nall test: a.o\n\tcc\n.PHONY: all\n").unwrap_or_default();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        assert_eq!(targets, [".PHONY", "all", "test"]);
        assert_eq!(make_targets("include a.mk\nall:\n"), None);
        assert_eq!(make_targets("%.o: %.c\n\tcc\n"), None);
    }

    #[test]
    fn a_flag_is_known_in_any_of_its_spellings() {
        let mut heard = Heard::default();
        heard.hear(&Source::new(
            "src/a.rs",
            "struct A { dry_run: u8, color: u8 }".to_owned(),
        ));
        let unknown = |flag: &str| heard.holds(&Condition::NoCodeKnows(flag.to_owned()));
        assert!(!unknown("dry-run"));
        assert!(!unknown("no-color"));
        assert!(unknown("verbose"));
        assert_eq!(camel("dry-run-all"), "dryRunAll");
    }
}
