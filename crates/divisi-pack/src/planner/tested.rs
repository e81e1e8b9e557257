//! By which command a project tests itself, as its manifests say.

use serde_json::Value;

use crate::area;

/// A file that says how a project is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its path in the tree.
    pub path: &'static str,
    command: &'static [&'static str],
    says: Says,
}

/// Whether the file's being there is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Being,
    /// As `package.json` does: only with a script `test`.
    Script,
    /// Only if this stands in it.
    Word(&'static str),
}

/// What `npm init` writes where there are no tests.
const NO_TEST: &str = "no test specified";

const MANIFESTS: &[Manifest] = &[
    manifest("Cargo.toml", &["cargo", "test"], Says::Being),
    manifest("go.mod", &["go", "test", "./..."], Says::Being),
    manifest("package.json", &["npm", "test"], Says::Script),
    manifest("pytest.ini", &["python3", "-m", "pytest"], Says::Being),
    manifest(
        "pyproject.toml",
        &["python3", "-m", "pytest"],
        Says::Word("[tool.pytest"),
    ),
    manifest(
        "setup.cfg",
        &["python3", "-m", "pytest"],
        Says::Word("[tool:pytest]"),
    ),
    manifest("mix.exs", &["mix", "test"], Says::Being),
    manifest("pom.xml", &["mvn", "-q", "test"], Says::Being),
    manifest("gradlew", &["./gradlew", "test"], Says::Being),
    manifest("Makefile", &["make", "test"], Says::Word("\ntest:")),
];

const fn manifest(path: &'static str, command: &'static [&'static str], says: Says) -> Manifest {
    Manifest {
        path,
        command,
        says,
    }
}

/// Whether a file is one of the tests, or a manifest whose text is what this command runs.
#[must_use]
pub fn says_how_to_test(path: &str, command: &[String]) -> bool {
    let runs_text = |manifest: &&Manifest| {
        let is_it = manifest.path == path && manifest.says != Says::Being;
        is_it && manifest.command.iter().eq(command.iter())
    };
    MANIFESTS.iter().any(|it| runs_text(&it)) || area::is_test(path)
}

/// The files that may say it, in the order in which they count.
pub fn manifests() -> impl Iterator<Item = Manifest> {
    MANIFESTS.iter().copied()
}

/// The command by which a project tests itself. `read` gives the text of a manifest that is there.
pub fn tested_by(read: impl Fn(&str) -> Option<String>) -> Option<Vec<String>> {
    let said = manifests()
        .find(|manifest| read(manifest.path).is_some_and(|text| manifest.says(&text)))?;
    Some(said.command.iter().map(|word| (*word).to_owned()).collect())
}

impl Manifest {
    fn says(&self, text: &str) -> bool {
        match self.says {
            Says::Being => true,
            Says::Word(word) => format!("\n{text}").contains(word),
            Says::Script => {
                let manifest: Option<Value> = serde_json::from_str(text).ok();
                let script = manifest
                    .as_ref()
                    .and_then(|it| it["scripts"]["test"].as_str());
                script.is_some_and(|script| !script.contains(NO_TEST))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tested_by;

    fn command(path: &str, text: &str) -> Option<String> {
        let read = |asked: &str| (asked == path).then(|| text.to_owned());
        tested_by(read).map(|argv| argv.join(" "))
    }

    #[test]
    fn a_manifest_says_how_a_project_is_tested() {
        for (path, text, expected) in [
            ("Cargo.toml", "[package]", Some("cargo test")),
            (
                "package.json",
                r#"{"scripts": {"test": "vitest"}}"#,
                Some("npm test"),
            ),
            ("package.json", r#"{"scripts": {"build": "tsc"}}"#, None),
            (
                "package.json",
                r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#,
                None,
            ),
            ("package.json", "no JSON", None),
            ("pyproject.toml", "[project]", None),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]",
                Some("python3 -m pytest"),
            ),
            ("Makefile", "test:\n\ttrue\n", Some("make test")),
            ("Makefile", "all:\n\ttrue\n", None),
            ("README.md", "", None),
        ] {
            assert_eq!(command(path, text).as_deref(), expected, "{path}: {text}");
        }
    }
}
