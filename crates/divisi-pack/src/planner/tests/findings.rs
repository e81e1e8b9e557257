//! Where somebody who judges or looks for something says what was found.

use super::*;

/// The one task, which reviews.
#[track_caller]
fn reviewed(text: &str, path: &str) -> Vec<String> {
    let planned = planned(text);
    let [task] = &planned.plan.tasks[..] else {
        panic!("{text}: {:#?}", planned.plan.tasks);
    };
    assert_eq!(task.kind, TaskKind::Review, "{text}");
    let made: Vec<&str> = task
        .deliverables
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    assert_eq!(made, [path], "{text}");
    assert_eq!(task.scope, [""; 0], "{text}");
    checks(task)
}

#[test]
fn the_named_file_is_what_a_review_makes() {
    for (text, path) in [
        (
            "Review src/main.rs and write the findings to audit.md",
            "audit.md",
        ),
        (
            "Review src/main.rs for bugs and write the findings to audit.md",
            "audit.md",
        ),
        (
            "Write your findings about src/main.rs into audit.md",
            "audit.md",
        ),
        (
            "Check src/main.rs for bugs and write a report to report.md",
            "report.md",
        ),
        (
            "Write a review of src/main.rs to docs/review.md",
            "docs/review.md",
        ),
        (
            "Look over src/main.rs, note your findings in findings.md",
            "findings.md",
        ),
        (
            "Please review src/main.rs. The findings go into audit.md.",
            "audit.md",
        ),
        (
            "Review src/main.rs for race conditions and save your notes as races.md",
            "races.md",
        ),
        (
            "Audit Cargo.toml for old dependencies; list the findings in deps.md",
            "deps.md",
        ),
        (
            "Inspect src/main.rs and src/old.rs and put the results in r.md",
            "r.md",
        ),
        // It is there, and is to be another one afterwards.
        (
            "Review src/main.rs and write the findings to README.md",
            "README.md",
        ),
    ] {
        let checks = reviewed(text, path);
        assert!(
            checks.contains(&format!("{path} has a section \"Findings\"")),
            "{text}"
        );
        let is_there = files().iter().any(|file| file == path);
        assert_eq!(
            checks.contains(&format!("changes {path}")),
            is_there,
            "{text}"
        );
    }
}

#[test]
fn change_nothing_else_bounds_a_review_to_its_file() {
    for text in [
        "Review src/main.rs for bugs and write the findings to audit.md, but change nothing else",
        "Review src/main.rs and write the findings to audit.md, change nothing else",
        "Review src/main.rs and record what you find in audit.md. Do not change anything else.",
        "Check src/main.rs for bugs and write a report to audit.md, leaving everything else untouched",
        "Look over src/main.rs, note your findings in audit.md and change no other file",
        "Please review src/main.rs. The findings go into audit.md. Nothing else may change.",
        "Write your findings about src/main.rs into audit.md and touch nothing else",
    ] {
        let checks = reviewed(text, "audit.md");
        assert!(
            checks.contains(&"changes only audit.md".to_owned()),
            "{text}: {checks:?}"
        );
    }
}

#[test]
fn what_was_found_may_still_be_mended() {
    check(
        "Review src/main.rs and fix what you find",
        &[
            "review-src-main-rs development/implementation",
            "fix-what-you-find development/implementation < review-src-main-rs",
        ],
    );
}

#[test]
fn what_is_translated_or_divided_is_made() {
    for (text, made) in [
        (
            "Translate README.md to French as README.fr.md",
            &["README.fr.md"][..],
        ),
        (
            "Split src/main.rs into src/a.rs and src/b.rs",
            &["src/a.rs", "src/b.rs"],
        ),
        ("Convert README.md to docs/readme.rst", &["docs/readme.rst"]),
    ] {
        let planned = planned(text);
        let paths = planned.plan.tasks[0].deliverables.iter();
        let paths: Vec<&str> = paths.map(|it| it.path.as_str()).collect();
        assert_eq!(paths, made, "{text}");
    }
}
