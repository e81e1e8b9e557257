//! Items that only say when, words that order to the front, and steps that only run the tests.

use super::*;

#[test]
fn an_item_behind_a_persons_word_is_a_task_behind_an_approval() {
    for item in [
        "Once I say so, release 0.2.0.",
        "When I have approved it, release 0.2.0.",
        "After my review, release 0.2.0.",
        "As soon as I confirm, release 0.2.0.",
        "After my approval release 0.2.0.",
    ] {
        for text in [
            format!("1. Add src/csv.rs with read and write.\n2. Add tests.\n3. {item}"),
            format!("1. Add src/csv.rs with read and write. 2. Add tests. 3. {item}"),
            format!("- Add src/csv.rs with read and write\n- Add tests\n- {item}"),
        ] {
            check(
                &text,
                &[
                    "add-src-csv-rs-read-write development/implementation",
                    "add-tests development/test < add-src-csv-rs-read-write",
                    "approval  < add-tests",
                    "release-0-2-0 cicd/deployment < add-tests approval",
                ],
            );
        }
    }
}

#[test]
fn what_waits_for_a_persons_word_may_stand_in_the_next_item() {
    for item in ["Wait for my approval", "Get my OK", "Ask me"] {
        check(
            &format!("1. Add src/csv.rs\n2. {item}\n3. Release it"),
            &[
                "add-src-csv-rs development/implementation",
                "approval  < add-src-csv-rs",
                "release cicd/deployment < add-src-csv-rs approval",
            ],
        );
    }
    check(
        "Add src/csv.rs. Wait for my approval, then delete src/old.rs.",
        &[
            "add-src-csv-rs development/implementation",
            "approval  < add-src-csv-rs",
            "delete-src-old-rs development/implementation < add-src-csv-rs approval",
        ],
    );
}

#[test]
fn an_item_behind_another_condition_comes_after_it() {
    check(
        "- Refactor src/main.rs\n- Once the refactoring is done, update README.md",
        &[
            "refactor-src-main-rs development/implementation",
            "update-readme-md development/documentation < refactor-src-main-rs",
        ],
    );
    check(
        "1. Add src/a.rs\n2. Before the release, update README.md\n3. Release it",
        &[
            "add-src-a-rs development/implementation",
            "update-readme-md development/documentation < add-src-a-rs",
            "release cicd/deployment < update-readme-md",
        ],
    );
}

#[test]
fn before_that_and_first_order_to_the_front() {
    for text in [
        "Delete src/old.rs. Before that, update README.md.",
        "Delete src/old.rs, but update README.md before that",
        "Delete src/old.rs; update README.md first",
        "Delete src/old.rs and update README.md beforehand",
        "Delete src/old.rs and first update README.md",
    ] {
        let planned = planned(text);
        let delete = &planned.plan.tasks[0];
        assert_eq!(
            outline(delete),
            "delete-src-old-rs development/implementation < update-readme-md",
            "{text}"
        );
        assert_eq!(planned.plan.tasks[1].title, "Update README.md", "{text}");
    }
    check(
        "Do not delete src/old.rs until I approve it; update README.md first",
        &[
            "approval  < update-readme-md",
            "delete-src-old-rs development/implementation < update-readme-md approval",
            "update-readme-md development/documentation",
        ],
    );
    // The test alone could not pass.
    let planned = planned("Fix the rounding bug in money() and add a regression test before that");
    let [task] = &planned.plan.tasks[..] else {
        panic!("one task: {:#?}", planned.plan.tasks);
    };
    assert_eq!(
        task.title,
        "Add a regression test; Fix the rounding bug in money()"
    );
}

#[test]
fn who_runs_the_tests_changes_nothing() {
    for text in [
        "Fix the bug in src/main.rs, run the tests",
        "Fix the bug in src/main.rs and run the test suite afterwards",
        "Fix the bug in src/main.rs, then run all tests, then commit",
        "1. Fix the bug in src/main.rs\n2. Run the tests",
        "Fix the bug in src/main.rs and make sure that all tests still pass",
        "Fix the bug in src/main.rs, then check that the tests pass",
    ] {
        let planned = planned(text);
        let [task] = &planned.plan.tasks[..] else {
            panic!("{text}: {:#?}", planned.plan.tasks);
        };
        assert_eq!(checks(task), ["`cargo test` exits with 0"], "{text}");
    }
    let planned = check(
        "Bump the version to 2.0 in README.md, then run the tests, then delete src/old.rs",
        &[
            "bump-version-2-0-readme-md development/documentation",
            "delete-src-old-rs development/implementation < bump-version-2-0-readme-md",
        ],
    );
    let bump = checks(&planned.plan.tasks[0]);
    assert!(
        bump.contains(&"`cargo test` exits with 0".to_owned()),
        "{bump:?}"
    );
    assert_eq!(planned.covers, [[0], [0], [1]]);
}

#[test]
fn where_nobody_knows_the_tests_or_nothing_comes_before_them_one_task_does_all() {
    for text in [
        "Run the tests and fix whatever fails",
        "Make sure the tests pass, then update README.md",
    ] {
        let planned = planned(text);
        assert_eq!(planned.plan.tasks.len(), 1, "{text}");
        assert_eq!(planned.plan.tasks[0].title, text, "{text}");
    }
    let text = "Bump the version to 2.0 in README.md, then run the tests";
    let Answer::Planned(planned) = answer_with(text, |facts| facts.tests = None) else {
        panic!("declined");
    };
    assert_eq!(planned.plan.tasks.len(), 1);
    assert_eq!(planned.plan.tasks[0].title, text);
}

#[test]
fn whoever_is_to_be_asked_before_anything_is_done_asks_for_no_more_work() {
    for text in [
        "Ask me before you delete anything. Delete src/old.rs.",
        "Ask me before you change any file. Delete src/old.rs.",
    ] {
        let tasks = planned(text).plan.tasks;
        let kinds: Vec<TaskKind> = tasks.iter().map(|task| task.kind).collect();
        assert_eq!(kinds, [TaskKind::Approval, TaskKind::Work], "{text}");
        assert_eq!(tasks[1].title, "Delete src/old.rs", "{text}");
        assert_eq!(tasks[1].dependencies, [tasks[0].id.clone()], "{text}");
    }
}
