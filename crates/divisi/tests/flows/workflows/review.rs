//! `code-review`: five reviews by programs, without a model.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::run::RunStatus;

use super::defects::{FILES, planted};
use super::team::{latest, made};
use crate::stage::{Stage, git, write};

const PERSPECTIVES: [&str; 5] = ["docs", "functional", "performance", "security", "test"];

/// The same on every machine, whatever tools it has: git and a shell are on the path.
fn bare(files: &[(&str, &str)]) -> Stage {
    let stage = Stage::git(files);
    let folder = stage.beside("bin");
    std::fs::create_dir(&folder).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in ["git", "sh"] {
        let mut found = std::env::split_paths(&path).map(|at| at.join(program));
        let found = found.find(|at| at.is_file()).unwrap();
        std::os::unix::fs::symlink(found, folder.join(program)).unwrap();
    }
    let folder = folder.display().to_string();
    stage.with_env("PATH", &folder)
}

/// Runs it to its end; the reviews by perspective, and nothing else is made.
fn reviews(stage: &Stage, args: &[&str]) -> BTreeMap<String, String> {
    let all = ["run", "code-review", "--yes", "--durability", "normal"];
    stage.divisi(&[&all[..], args].concat()).expect(0);
    let run = latest(stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let made = made(stage, &run);
    let paths: Vec<String> = made.keys().cloned().collect();
    assert_eq!(
        paths,
        PERSPECTIVES.map(|of| format!("reviews/{of}-review.md"))
    );
    for text in made.values() {
        for heading in ["## Findings", "## Reviewed", "## Not reviewed"] {
            assert!(text.contains(heading), "{text}");
        }
    }
    made
}

/// All findings, as `path:line rule`.
fn found(reviews: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in reviews.values() {
        let mut rule = "";
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("Rule `") {
                rule = named.split('`').next().unwrap();
            } else if let Some(place) = line.strip_prefix("- `").filter(|_| !rule.is_empty()) {
                found.insert(format!("{} {rule}", place.split('`').next().unwrap()));
            } else if line.starts_with("## ") {
                rule = "";
            }
        }
    }
    found
}

#[test]
fn every_planted_defect_is_found_and_nothing_in_the_mended_twin() {
    let mut expected = BTreeSet::new();
    let defective: Vec<(&str, String)> = FILES
        .iter()
        .map(|(path, text, _)| (*path, planted(path, text, &mut expected)))
        .collect();
    let defective: Vec<(&str, &str)> = defective
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let stage = bare(&defective);
    let before = git(stage.project(), &["status", "--porcelain"]);
    let found_there = found(&reviews(&stage, &[]));
    let missed: Vec<&String> = expected.difference(&found_there).collect();
    let surplus: Vec<&String> = found_there.difference(&expected).collect();
    assert!(
        missed.is_empty() && surplus.is_empty(),
        "missed {missed:#?}, surplus {surplus:#?}"
    );
    assert_eq!(git(stage.project(), &["status", "--porcelain"]), before);
    let mended: Vec<(&str, &str)> = FILES.iter().map(|(path, _, text)| (*path, *text)).collect();
    let reviews = reviews(&bare(&mended), &[]);
    assert_eq!(found(&reviews), BTreeSet::new());
    for text in reviews.values() {
        assert!(text.contains("That is not praise"), "{text}");
    }
}

/// ```text
/// first ── on main
///    └──── second (topic)
/// ```
fn branched() -> Stage {
    let stage = bare(&[("app.py", "x = eval(y)\n")]);
    git(stage.project(), &["switch", "-q", "--create", "topic"]);
    write(stage.path("app.py"), "x = eval(y)\nz = eval(x)\n");
    git(stage.project(), &["commit", "-q", "--all", "-m", "second"]);
    git(stage.project(), &["switch", "-q", "main"]);
    write(stage.path("on_main.py"), "a = eval(b)\n");
    git(stage.project(), &["add", "--all"]);
    git(stage.project(), &["commit", "-q", "-m", "on main"]);
    git(stage.project(), &["switch", "-q", "topic"]);
    stage
}

#[test]
fn only_what_a_branch_changed_is_reviewed() {
    let stage = branched();
    let only = found(&reviews(&stage, &["--base", "main"]));
    assert_eq!(only, BTreeSet::from(["app.py:2 py-eval".to_owned()]));
    // The work started from the branch, and what it is compared with is a commit.
    let run = latest(&stage);
    let head = git(stage.project(), &["rev-parse", "topic"]);
    assert_eq!(run.base.commit.as_ref().unwrap().to_string(), head.trim());
    let left = git(stage.project(), &["merge-base", "main", "topic"]);
    stage
        .divisi(&["show", "1", "security-review.security_analyst"])
        .expect(0)
        .says(&format!("--base={}", left.trim()));
    // Without a base all of it is.
    let all = found(&reviews(&stage, &[]));
    let expected = ["app.py:1 py-eval", "app.py:2 py-eval"].map(str::to_owned);
    assert_eq!(all, BTreeSet::from(expected));
}

#[test]
fn a_base_that_cannot_be_compared_with_is_refused_before_anything_starts() {
    let stage = branched();
    stage
        .divisi(&["run", "code-review", "--base", "mian", "--yes"])
        .expect(2)
        .says("repo-no-revision");
    git(stage.project(), &["switch", "-q", "--orphan", "pages"]);
    write(stage.path("index"), "other\n");
    git(stage.project(), &["add", "--all"]);
    git(stage.project(), &["commit", "-q", "-m", "other"]);
    git(stage.project(), &["switch", "-q", "topic"]);
    stage
        .divisi(&["run", "code-review", "--set", "base=pages", "--yes"])
        .expect(2)
        .says("repo-unrelated");
    assert!(stage.try_view().is_none(), "nothing was run");
}
