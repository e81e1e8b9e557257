//! What files are there for, by their paths: tests, documents, builds, or code.

use std::collections::BTreeSet;

use serde::Serialize;

/// One of four things that a file is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// It tests others.
    Tests,
    /// People read it.
    Documents,
    /// It says how the others are built, tested and delivered.
    Builds,
    /// All else.
    Code,
}

impl Area {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Area::Tests => "tests",
            Area::Documents => "documents",
            Area::Builds => "builds",
            Area::Code => "code",
        }
    }

    /// The patterns that match its files among these, without what only their names or endings tell: not each
    /// text is a document of the project, and a Makefile is more than what builds run. Where no folder is of it, the usual one.
    pub(crate) fn patterns(self, files: &[String]) -> Vec<String> {
        let found = files.iter().filter_map(|path| self.pattern_of(path));
        let mut found: BTreeSet<String> = found.collect();
        if !found.iter().any(|it| it.ends_with("/**")) {
            found.insert(self.usual().to_owned());
        }
        let is_wider = |pattern: &String| found.contains(&format!("**/{pattern}"));
        { found.iter() }
            .filter(|it| !is_wider(it))
            .cloned()
            .collect()
    }

    /// The pattern by which a file is of this area, if it is.
    pub(crate) fn pattern_of(self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut parts = folder.split('/');
        if let Some(at) = parts.position(|part| of_folder(part) == Some(self)) {
            let part = folder.split('/').nth(at)?;
            return Some(match at {
                0 => format!("{part}/**"),
                _ => format!("**/{part}/**"),
            });
        }
        match self {
            Area::Tests => TEST_NAMES
                .iter()
                .find(|it| it.is_of(name))
                .map(|it| it.pattern.to_owned()),
            Area::Documents => path.starts_with("README").then(|| "README*".to_owned()),
            Area::Builds => [".gitlab-ci.yml", ".travis.yml"]
                .contains(&path)
                .then(|| path.to_owned()),
            Area::Code => None,
        }
    }

    fn usual(self) -> &'static str {
        match self {
            Area::Tests => "tests/**",
            Area::Documents => "docs/**",
            Area::Builds => ".github/**",
            Area::Code => "src/**",
        }
    }
}

/// A way to name a file of tests.
struct TestName {
    pattern: &'static str,
    starts: &'static str,
    ends: &'static str,
    /// Between two points of the name.
    middle: &'static str,
}

const TEST_NAMES: [TestName; 4] = [
    TestName {
        pattern: "**/test_*",
        starts: "test_",
        ends: "",
        middle: "",
    },
    TestName {
        pattern: "**/*_test.*",
        starts: "",
        ends: "_test",
        middle: "",
    },
    TestName {
        pattern: "**/*.test.*",
        starts: "",
        ends: "",
        middle: "test",
    },
    TestName {
        pattern: "**/*.spec.*",
        starts: "",
        ends: "",
        middle: "spec",
    },
];

impl TestName {
    fn is_of(&self, name: &str) -> bool {
        let (before, _) = name.rsplit_once('.').unwrap_or((name, ""));
        let mut parts = before.split('.');
        let stem = parts.next().unwrap_or_default();
        let is_named = stem.starts_with(self.starts) && stem.ends_with(self.ends);
        is_named && (self.middle.is_empty() || parts.any(|part| part == self.middle))
    }
}

/// Files of builds, by name.
const BUILDS: [&str; 4] = ["Dockerfile", "Makefile", ".gitlab-ci.yml", ".travis.yml"];

/// Whether a file is there to test others, by its path.
#[must_use]
pub(crate) fn is_test(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    of_name(of_path(folder), name) == Area::Tests
}

/// What a folder is there for, if its path says so; tests stand before all else.
pub(crate) fn of_path(folder: &str) -> Option<Area> {
    folder.split('/').filter_map(of_folder).min()
}

fn of_folder(name: &str) -> Option<Area> {
    match name {
        "tests" | "test" | "__tests__" | "spec" | "e2e" => Some(Area::Tests),
        "docs" | "doc" => Some(Area::Documents),
        ".github" | ".gitlab" | ".circleci" | "ci" | ".ci" => Some(Area::Builds),
        _ => None,
    }
}

/// What a file is there for, by what its folder is and its name.
pub(crate) fn of_name(folder: Option<Area>, name: &str) -> Area {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let of_name = if TEST_NAMES.iter().any(|it| it.is_of(name)) {
        Area::Tests
    } else if matches!(ending, "md" | "rst" | "adoc" | "mdx") {
        Area::Documents
    } else if BUILDS.contains(&name) {
        Area::Builds
    } else {
        Area::Code
    };
    folder.map_or(of_name, |folder| folder.min(of_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_have_the_patterns_of_their_files() {
        let files = [
            ".github/workflows/ci.yml",
            "Makefile",
            "README.md",
            "docs/guide.md",
            "notes.md",
            "packages/a/tests/x.py",
            "src/calc.py",
            "src/calc_test.go",
            "tests/test_calc.py",
            "web/cart.test.js",
        ];
        let files: Vec<String> = files.into_iter().map(str::to_owned).collect();
        let patterns = |area: Area| area.patterns(&files).join(" ");
        assert_eq!(patterns(Area::Tests), "**/*.test.* **/*_test.* **/tests/**");
        assert_eq!(patterns(Area::Documents), "README* docs/**");
        assert_eq!(patterns(Area::Builds), ".github/**");
        assert_eq!(Area::Tests.patterns(&[]), ["tests/**"]);
        for path in &files {
            assert_eq!(
                is_test(path),
                Area::Tests.pattern_of(path).is_some(),
                "{path}"
            );
        }
    }
}
