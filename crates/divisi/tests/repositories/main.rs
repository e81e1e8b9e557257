//! The first minute on other people's projects: the README's first command, by rule and programs
//! alone, in three languages.
//!
//! `cargo xtask repositories` fetches the projects; then `cargo test -p divisi --test
//! repositories`. They are not part of `cargo test`, which needs nothing from the network. Without
//! the projects these tests fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "../hostile/stage.rs"]
#[expect(dead_code, reason = "shared with other suites")]
mod stage;

use std::path::{Path, PathBuf};
use std::process::Command;

use divisi_core::run::RunStatus;

use crate::stage::{Stage, git, stands};

/// What the README's first command asks for.
const INTENT: &str = "Review this repository: correctness, security, tests and documentation";

const REVIEWS: [&str; 4] = [
    "reviews/functional-review.md",
    "reviews/security-review.md",
    "reviews/test-review.md",
    "reviews/docs-review.md",
];

/// A project as its registry has it, in one commit, on a `PATH` without coding agents.
fn stage(name: &str) -> Stage {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let from = target.join("repositories").join(name);
    assert!(
        from.exists(),
        "{} is not there; fetch it with `cargo xtask repositories`",
        from.display()
    );
    let stage = Stage::folder(&[]);
    let mut copy = Command::new("cp");
    copy.arg("-R").arg(from.join(".")).arg(stage.project());
    assert!(copy.status().unwrap().success());
    stage.become_repository();
    let path = std::env::var("PATH").unwrap();
    let agents = ["claude", "codex", "opencode", "gemini", "qwen", "copilot"];
    let without = |folder: &&str| !agents.iter().any(|it| Path::new(folder).join(it).exists());
    let path: Vec<&str> = path.split(':').filter(without).collect();
    stage.with_env("PATH", &path.join(":"))
}

/// The places that a review cites, each with the line that it says is there.
fn evidence(review: &str) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    let mut lines = review.lines().peekable();
    while let Some(line) = lines.next() {
        let place = line.strip_prefix("- `").and_then(|it| it.split('`').next());
        let place = place.and_then(|it| it.rsplit_once(':'));
        let there = lines
            .peek()
            .and_then(|it| it.trim_start().strip_prefix("- there: "))
            .map(|it| it.trim_matches('`').trim());
        if let (Some((path, number)), Some(there)) = (place, there) {
            found.push((path.to_owned(), number.parse().unwrap(), there.to_owned()));
        }
    }
    found
}

/// The first command ends well, says what was not looked at, cites what is there, and leaves the
/// checkout as it is until its result is taken over.
fn reviewed(name: &str, language: &str) {
    let stage = stage(name);
    let before = git(stage.project(), &["status", "--porcelain"]);
    stage
        .divisi(&["run", INTENT, "--yes"])
        .expect(0)
        .says("planned by rule, as the workflow code-review has it")
        .says("left out: no coding agent is there");
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[
            ("functional-review.developer", "done"),
            ("security-review.security_analyst", "done"),
            ("test-review.qa", "done"),
            ("documentation-review.tech_writer", "done"),
            ("report", "done"),
        ],
    );
    assert_eq!(git(stage.project(), &["status", "--porcelain"]), before);
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says(language)
        .says("what only reading and judgment find was not reviewed");
    let mut cited = 0;
    for review in REVIEWS {
        let text = stage.result(review).unwrap();
        let (_, left) = text.split_once("## Not reviewed").unwrap();
        assert!(left.contains("- "), "{review} says what is left: {text}");
        for (path, number, there) in evidence(&text) {
            let file = std::fs::read_to_string(stage.path(&path)).unwrap();
            let line = file.lines().nth(number - 1).unwrap_or_default();
            let there = there.trim_end_matches('…').trim_end();
            assert!(
                line.contains(there),
                "{review} cites {path}:{number}: expected {there:?}, it is {line:?}"
            );
            cited += 1;
        }
    }
    assert!(cited > 0, "no review of {name} cites a line");
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    for review in REVIEWS {
        assert!(stage.path(review).exists(), "{review} was taken over");
    }
}

#[test]
fn the_first_minute_on_a_project_in_rust() {
    reviewed("diffy", "mostly Rust");
}

#[test]
fn the_first_minute_on_a_project_in_python() {
    reviewed("itsdangerous", "mostly Python");
}

#[test]
fn the_first_minute_on_a_project_in_javascript() {
    reviewed("qs", "JavaScript");
}
