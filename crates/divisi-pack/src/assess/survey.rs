//! From lists of paths and titles to facts of a repository. Who reads them off git is not our
//! business.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use globset::GlobBuilder;

use super::facts::{Count, Repository};
use crate::area::{self, Area};
use crate::request::{self, Request};

/// So many named paths are looked up; a request that names more means many files anyway.
pub const NAMED_MAX: usize = 20;

/// So many languages are told.
const LANGUAGES_MAX: usize = 8;

/// The most earlier changes that are called similar: more do not change a median much.
pub const SIMILAR_MAX: usize = 20;

/// A word is rare if at most one of so many titles has it, or [`RARE_TITLES`] of a short history.
const RARE_SHARE: usize = 25;
const RARE_TITLES: usize = 3;

/// Shorter words are seldom what a change is about.
const WORD_CHARS_MIN: usize = 4;

/// Words of any title.
const COMMON: &[&str] = &[
    "about",
    "after",
    "allow",
    "also",
    "before",
    "better",
    "bump",
    "change",
    "check",
    "clean",
    "code",
    "default",
    "does",
    "error",
    "feat",
    "file",
    "files",
    "from",
    "have",
    "improve",
    "into",
    "issue",
    "make",
    "merge",
    "minor",
    "more",
    "move",
    "only",
    "option",
    "please",
    "refactor",
    "release",
    "remove",
    "rename",
    "repository",
    "should",
    "some",
    "support",
    "test",
    "tests",
    "that",
    "them",
    "there",
    "this",
    "update",
    "updated",
    "version",
    "when",
    "with",
    "without",
    "work",
];

/// What a request and a list of tracked paths say of each other.
#[must_use]
pub fn of_paths(request: &Request, paths: &[&str]) -> Repository {
    let mut languages: BTreeMap<&str, u64> = BTreeMap::new();
    let mut areas: BTreeMap<Area, u64> = BTreeMap::new();
    // Lists are sorted: files of one folder follow each other.
    let mut last = ("", None);
    for path in paths {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if folder != last.0 {
            last = (folder, area::of_path(folder));
        }
        let area = area::of_name(last.1, name);
        *areas.entry(area).or_default() += 1;
        if let Some(language) = language(name) {
            *languages.entry(language).or_default() += 1;
        }
    }
    let mut languages = counts(languages);
    languages.truncate(LANGUAGES_MAX);
    let named = request.files.iter().take(NAMED_MAX).map(|file| Count {
        name: file.text.clone(),
        files: meant(&file.text, paths),
    });
    Repository {
        files: paths.len() as u64,
        languages,
        areas: counts(areas.into_iter().map(|(area, files)| (area.word(), files))),
        named: named.collect(),
        ..Repository::default()
    }
}

/// The counts, the largest first and equals by name.
fn counts<'a>(of: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<Count> {
    let named = of.into_iter().map(|(name, files)| Count {
        name: name.to_owned(),
        files,
    });
    let mut counts: Vec<Count> = named.collect();
    counts.sort_by(|a, b| (b.files, &a.name).cmp(&(a.files, &b.name)));
    counts
}

/// The language of a file, by the ending of its name.
fn language(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "c" | "h" => "C",
        "cs" => "C#",
        "cc" | "cpp" | "cxx" | "hh" | "hpp" => "C++",
        "css" | "less" | "scss" => "CSS",
        "go" => "Go",
        "html" | "htm" => "HTML",
        "java" => "Java",
        "cjs" | "js" | "jsx" | "mjs" => "JavaScript",
        "kt" | "kts" => "Kotlin",
        "md" | "mdx" => "Markdown",
        "php" => "PHP",
        "py" | "pyi" => "Python",
        "rb" => "Ruby",
        "rs" => "Rust",
        "scala" => "Scala",
        "bash" | "sh" | "zsh" => "Shell",
        "sql" => "SQL",
        "swift" => "Swift",
        "ts" | "tsx" => "TypeScript",
        "vue" => "Vue",
        "yaml" | "yml" => "YAML",
        _ => return None,
    })
}

/// How many of the paths a name in a request means: itself, what lies beneath it, what it matches,
/// or what ends with it.
fn meant(name: &str, paths: &[&str]) -> u64 {
    let bare = name.trim_start_matches("./").trim_end_matches('/');
    if bare.contains(['*', '?', '[', '{']) {
        let Ok(glob) = GlobBuilder::new(bare).literal_separator(true).build() else {
            return 0;
        };
        let matcher = glob.compile_matcher();
        return paths.iter().filter(|path| matcher.is_match(path)).count() as u64;
    }
    let is_meant = |path: &&&str| {
        path.strip_prefix(bare)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let direct = paths.iter().filter(is_meant).count() as u64;
    if direct > 0 {
        return direct;
    }
    let ends = |path: &&&str| {
        path.strip_suffix(bare)
            .is_some_and(|rest| rest.ends_with('/'))
    };
    paths.iter().filter(ends).count() as u64
}

/// An earlier change that shares rare words with a request, by its place in the list of titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Its place.
    pub at: usize,
    /// The words.
    pub words: Vec<String>,
}

/// The earlier changes whose titles share rare words with a request: those that share most, the
/// later of equals, as they are listed.
#[must_use]
pub fn similar(request: &Request, titles: &[&str]) -> Vec<Shared> {
    let telling = words(&request.text).filter(|word| tells(word));
    let asked: BTreeSet<String> = telling.map(|word| stem(&word).to_owned()).collect();
    let mut with: HashMap<&str, Vec<usize>> = asked
        .iter()
        .map(|stem| (stem.as_str(), Vec::new()))
        .collect();
    for (at, title) in titles.iter().enumerate() {
        for word in words(title) {
            // Looked up before it is weighed: few words of a thousand titles are asked for.
            if let Some(places) = with.get_mut(stem(&word))
                && places.last() != Some(&at)
                && tells(&word)
            {
                places.push(at);
            }
        }
    }
    let rare_max = (titles.len() / RARE_SHARE).max(RARE_TITLES);
    let mut shared: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for stem in &asked {
        let places = &with[stem.as_str()];
        if places.len() <= rare_max {
            for at in places {
                shared.entry(*at).or_default().push(stem.clone());
            }
        }
    }
    let mut found: Vec<Shared> = shared
        .into_iter()
        .map(|(at, words)| Shared { at, words })
        .collect();
    found.sort_by_key(|shared| (std::cmp::Reverse(shared.words.len()), shared.at));
    // One shared word is chance where several share two.
    if found.iter().filter(|shared| shared.words.len() > 1).count() > 2 {
        found.retain(|shared| shared.words.len() > 1);
    }
    found.truncate(SIMILAR_MAX);
    found
}

/// The words of a text that are long enough to be what it is about.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() >= WORD_CHARS_MIN);
    words.map(str::to_lowercase)
}

/// Whether a word could be what a text is about: not one of any title, and no number.
fn tells(word: &str) -> bool {
    !COMMON.contains(&word)
        && !request::is_mere_verb(word)
        && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// A word without the ends that change.
fn stem(word: &str) -> &str {
    let mut stems = ["ing", "ed", "es", "s"]
        .iter()
        .filter_map(|end| word.strip_suffix(end));
    stems
        .find(|stem| stem.chars().count() >= WORD_CHARS_MIN)
        .unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_paths_are_counted() {
        let paths = ["src/a.rs", "src/b/c.rs", "docs/a.md", "x/src/d.rs"];
        for (name, files) in [
            ("src/a.rs", 1),
            ("src/", 2),
            ("src/**/*.rs", 2),
            ("*.rs", 0),
            ("d.rs", 1),
            ("e.rs", 0),
            ("b", 0),
        ] {
            assert_eq!(meant(name, &paths), files, "{name}");
        }
    }

    #[test]
    fn similar_changes_share_rare_words() {
        let titles = [
            "Add pagination to users",
            "Fix pagination of users",
            "Fix login",
            "Add search",
            "Docs",
            "Pagination of users: docs",
            "Update users",
        ];
        let found = similar(
            &request::read("Add pagination to the list of users"),
            &titles,
        );
        let places: Vec<usize> = found.iter().map(|shared| shared.at).collect();
        // `users` stands in too many titles to say anything.
        assert_eq!(places, [0, 1, 5]);
        assert_eq!(found[0].words, ["pagination"]);
        assert!(similar(&request::read("Fix the default"), &titles).is_empty());
    }

    #[test]
    fn areas_and_languages_go_by_path() {
        let request = request::read("");
        let paths = [
            "src/a.rs",
            "tests/b.rs",
            "docs/c.md",
            ".github/workflows/d.yml",
            "e.test.ts",
        ];
        let repository = of_paths(&request, &paths);
        let shown = |counts: &[Count]| -> Vec<String> {
            counts
                .iter()
                .map(|count| format!("{} {}", count.name, count.files))
                .collect()
        };
        assert_eq!(
            shown(&repository.areas),
            ["tests 2", "builds 1", "code 1", "documents 1"]
        );
        assert_eq!(
            shown(&repository.languages),
            ["Rust 2", "Markdown 1", "TypeScript 1", "YAML 1"]
        );
    }
}
