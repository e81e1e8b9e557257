//! What a file is written in, and what kind of file it is, from its path and its first lines.

use serde::{Deserialize, Serialize};

/// What a file is written in, as far as rules tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Go.
    Go,
    /// The shells that read POSIX.
    Shell,
    /// SQL.
    Sql,
    /// Markdown.
    Markdown,
    /// YAML, TOML, JSON, INI, `.env`, properties.
    Config,
    /// Dockerfiles.
    Docker,
    /// Any other text: only rules for every text look at it.
    Other,
}

/// Why a file is not looked at although it is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Foreign {
    /// It came from somewhere else.
    Vendored,
    /// A program wrote it.
    Generated,
    /// A review of this kind, written before.
    Review,
}

/// Folders with other people's code, wherever they stand.
const VENDORED: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "site-packages",
    "bower_components",
];

/// Files that programs write and people do not read.
const GENERATED_NAMES: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "go.sum",
];

/// Endings of such files.
const GENERATED_ENDINGS: &[&str] = &[
    ".min.js", ".min.css", ".map", ".snap", ".pb.go", "_pb2.py", "_pb2.pyi",
];

/// How far into a file its generator says so.
const HEAD_BYTES: usize = 600;

/// The first line of every review, by which it is known again.
pub(crate) const REVIEW_MARK: &str = "<!-- Written by `divisi review`. -->";

/// The last component of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Language {
    /// Of a file with this path and text.
    pub(crate) fn of(path: &str, text: &str) -> Language {
        let name = name_of(path);
        if name == "Dockerfile" || name == "Containerfile" || name.starts_with("Dockerfile.") {
            return Language::Docker;
        }
        if name == ".env" || name.starts_with(".env.") {
            return Language::Config;
        }
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("rs") => Language::Rust,
            Some("py" | "pyi") => Language::Python,
            Some("js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx") => {
                Language::JavaScript
            }
            Some("go") => Language::Go,
            Some("sh" | "bash") => Language::Shell,
            Some("sql") => Language::Sql,
            Some("md" | "markdown") => Language::Markdown,
            Some("yaml" | "yml" | "toml" | "json" | "ini" | "cfg" | "conf" | "properties") => {
                Language::Config
            }
            _ => Language::of_script(text),
        }
    }

    /// Of a file whose name says nothing, from the interpreter it names.
    fn of_script(text: &str) -> Language {
        let Some(first) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else {
            return Language::Other;
        };
        let mut words = first
            .split([' ', '/'])
            .filter(|word| !word.starts_with('-'));
        match words.next_back() {
            Some("sh" | "bash" | "dash" | "ksh") => Language::Shell,
            Some(word) if word.starts_with("python") => Language::Python,
            Some("node") => Language::JavaScript,
            _ => Language::Other,
        }
    }

    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::JavaScript => "JavaScript and TypeScript",
            Language::Go => "Go",
            Language::Shell => "shell",
            Language::Sql => "SQL",
            Language::Markdown => "Markdown",
            Language::Config => "configuration",
            Language::Docker => "Dockerfiles",
            Language::Other => "other text",
        }
    }

    /// Whether it is a language that programs are written in.
    pub(crate) fn is_program(self) -> bool {
        matches!(
            self,
            Language::Rust
                | Language::Python
                | Language::JavaScript
                | Language::Go
                | Language::Shell
        )
    }
}

/// Whether a file holds tests, or what only tests use, by the conventions of its language.
pub(crate) fn is_test_path(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    if folders.any(|folder| {
        matches!(
            folder,
            "tests" | "test" | "__tests__" | "spec" | "testdata" | "fixtures" | "benches"
        )
    }) {
        return true;
    }
    let name = name_of(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem == "tests"
        || stem == "conftest"
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with(".test")
        || stem.ends_with(".spec")
}

/// Whether nobody here wrote the file.
pub(crate) fn foreign(path: &str, text: &str) -> Option<Foreign> {
    if path.split('/').any(|part| VENDORED.contains(&part)) {
        return Some(Foreign::Vendored);
    }
    let name = name_of(path);
    let is_script = Language::of(path, "") == Language::JavaScript;
    if is_script && path.split('/').any(|part| part == "dist") {
        return Some(Foreign::Generated);
    }
    if GENERATED_NAMES.contains(&name) || GENERATED_ENDINGS.iter().any(|end| name.ends_with(end)) {
        return Some(Foreign::Generated);
    }
    if name.ends_with("-review.md") && text.starts_with(REVIEW_MARK) {
        return Some(Foreign::Review);
    }
    let head = text.len().min(HEAD_BYTES);
    let head = &text[..text.floor_char_boundary(head)];
    let says_so = |line: &str| {
        let is_comment = ["//", "#", "/*", "*", "--", "<!--"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark));
        is_comment && (line.contains("@generated") || line.contains("DO NOT EDIT"))
    };
    head.lines().any(says_so).then_some(Foreign::Generated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_name_or_interpreter() {
        for (path, text, expected) in [
            ("a/b.rs", "", Language::Rust),
            ("a.tsx", "", Language::JavaScript),
            (".env.local", "", Language::Config),
            ("deploy/Dockerfile", "", Language::Docker),
            ("bin/run", "#!/usr/bin/env bash\n", Language::Shell),
            ("bin/run", "#!/bin/sh -eu\n", Language::Shell),
            ("bin/run", "#!/usr/bin/python3.11\n", Language::Python),
            ("bin/run", "#!/usr/bin/env node\n", Language::JavaScript),
            ("LICENSE", "Permission is granted", Language::Other),
        ] {
            assert_eq!(Language::of(path, text), expected, "{path}");
        }
    }

    #[test]
    fn tests_are_known_by_their_place() {
        for path in [
            "crates/a/tests/all/x.rs",
            "src/parse/tests.rs",
            "test_a.py",
            "web/a.test.ts",
            "pkg/a_test.go",
        ] {
            assert!(is_test_path(path), "{path}");
        }
        for path in [
            "src/attest.rs",
            "src/contest/x.py",
            "testing.md",
            "a/latest.js",
        ] {
            assert!(!is_test_path(path), "{path}");
        }
    }

    #[test]
    fn what_nobody_here_wrote_is_told_apart() {
        for (path, text, expected) in [
            ("vendor/a/b.go", "", Some(Foreign::Vendored)),
            ("Cargo.lock", "", Some(Foreign::Generated)),
            ("web/dist/app.js", "", Some(Foreign::Generated)),
            ("crates/dist/src/lib.rs", "", None),
            (
                "a.go",
                "// Code generated by protoc. DO NOT EDIT.\n",
                Some(Foreign::Generated),
            ),
            ("a.go", "const s = \"DO NOT EDIT\"\n", None),
            (
                "reviews/docs-review.md",
                "<!-- Written by `divisi review`. -->\n",
                Some(Foreign::Review),
            ),
            ("reviews/docs-review.md", "# Mine\n", None),
        ] {
            assert_eq!(foreign(path, text), expected, "{path}");
        }
    }
}
