//! The project's tests are no criterion of a step after which they must fail.

use super::*;

const PASSES: &str = "`cargo test` exits with 0";

/// For each task its id, and whether the project's tests judge it.
fn judged_by_tests(text: &str) -> Vec<(String, bool)> {
    let planned = planned(text);
    assert!(whole(&planned).contains(&PASSES.to_owned()), "{text}");
    let tasks = planned.plan.tasks.iter();
    let judged = tasks.map(|it| (it.id.to_string(), checks(it).contains(&PASSES.to_owned())));
    judged.collect()
}

#[track_caller]
fn check_judged(text: &str, expected: &[(&str, bool)]) {
    let judged = judged_by_tests(text);
    let judged: Vec<(&str, bool)> = judged.iter().map(|(id, is)| (id.as_str(), *is)).collect();
    assert_eq!(judged, expected, "{text}");
}

#[test]
fn who_moves_a_file_is_not_held_to_tests_that_need_its_callers() {
    for (text, expected) in [
        (
            "First move src/old.rs to src/core/old.rs, then fix all imports",
            [
                ("move-src-old-rs-src-core-old-rs", false),
                ("fix-imports", true),
            ],
        ),
        (
            "Delete src/old.rs, then update everything that imports it",
            [
                ("delete-src-old-rs", false),
                ("update-everything-that-imports", true),
            ],
        ),
        (
            "1. Rename src/old.rs to src/new.rs\n2. Adjust the callers",
            [
                ("rename-src-old-rs-src-new-rs", false),
                ("adjust-callers", true),
            ],
        ),
        (
            "Move src/old.rs to src/core/old.rs. After that make the tests pass again.",
            [
                ("move-src-old-rs-src-core-old-rs", false),
                ("make-tests-pass-again", true),
            ],
        ),
    ] {
        check_judged(text, &expected);
    }
    // Each can be checked by itself.
    let planned = planned("First move src/old.rs to src/core/old.rs, then fix all imports");
    assert_eq!(
        checks(&planned.plan.tasks[0]),
        ["no file matches src/old.rs", "src/core/old.rs is not empty"]
    );
}

#[test]
fn what_nothing_checks_before_the_tests_pass_is_one_task_with_what_has_them_pass() {
    for text in [
        "Change the separator in src/main.rs to a dash, then update the tests",
        "Change the error messages of src/main.rs and update the tests accordingly",
        "Remove the flag --old from src/main.rs, then make the tests pass again",
        "Switch src/api/mod.rs to async. Then fix the broken build.",
        "Add tests for unicode to src/main.rs before changing src/main.rs to support unicode",
        "Write the tests for the pool first, then implement the pool",
        "Rename load to fetch in src/old.rs, then update all callers in src/main.rs, then fix its tests",
        "Rename load to fetch in src/old.rs and src/main.rs, then update the callers in web/index.ts and src/api/mod.rs",
    ] {
        let planned = planned(text);
        let [task] = &planned.plan.tasks[..] else {
            panic!("{text}: {:#?}", planned.plan.tasks);
        };
        assert!(matches!(planned.pattern, Pattern::Inseparable(_)), "{text}");
        // What is to be changed says not that it is right.
        let checks = checks(task).into_iter();
        let checks: Vec<String> = checks.filter(|it| !it.starts_with("changes ")).collect();
        assert_eq!(checks, [PASSES], "{text}");
        assert_eq!(task.role().as_deref(), Some("development/implementation"));
        assert!(task.description.contains(text), "{text}: {task:#?}");
        assert!(planned.covers.iter().all(|it| *it == [0]), "{text}");
    }
    // What comes after is a task all the same, and waits for it.
    let planned = check(
        "Change the separator in src/main.rs to a dash, then update the tests, then document it in README.md",
        &[
            "change-separator-src-main-rs-dash development/implementation",
            "document-readme-md development/documentation < change-separator-src-main-rs-dash",
        ],
    );
    assert_eq!(planned.covers, [[0], [0], [1]]);
    assert_eq!(
        planned.plan.tasks[0].title,
        "Change the separator in src/main.rs to a dash; Update the tests"
    );
}

#[test]
fn tests_of_another_thing_and_of_what_stays_are_no_reason() {
    check_judged(
        "Fix the pager in src/api/mod.rs. Update the tests of the scanner.",
        &[
            ("fix-pager-src-api-mod-rs", true),
            ("update-tests-scanner", true),
        ],
    );
    check_judged(
        "Cover src/api/mod.rs with tests first, then refactor it",
        &[
            ("cover-src-api-mod-rs-tests-first", true),
            ("refactor", true),
        ],
    );
    check_judged(
        "Add an option for the separator to slug, with tests",
        &[("add-option-separator-slug", true), ("tests", true)],
    );
    check_judged(
        "1. Add tests for the parser\n2. Add a CSV export",
        &[("add-tests-parser", true), ("add-csv-export", true)],
    );
    check_judged(
        "Write tests/pool.rs with tests for the pool, then implement the pool",
        &[
            ("write-tests-pool-rs-tests-pool", false),
            ("implement-pool", true),
        ],
    );
}

/// What else is to be judged by the tests waits until they can pass.
#[test]
fn what_the_tests_judge_waits_for_them_to_pass() {
    let planned = check(
        "1. Move src/old.rs to src/core/old.rs\n2. Update the imports in src/main.rs\n3. Add a CSV export",
        &[
            "move-src-old-rs-src-core-old-rs development/implementation",
            "update-imports-src-main-rs development/implementation < move-src-old-rs-src-core-old-rs",
            "add-csv-export development/implementation < update-imports-src-main-rs",
        ],
    );
    let judged = planned
        .plan
        .tasks
        .iter()
        .map(|it| checks(it).contains(&PASSES.to_owned()));
    assert_eq!(judged.collect::<Vec<_>>(), [false, true, true]);
    check(
        "Move src/old.rs to src/core/old.rs, then fix the imports of it in src/main.rs. Add a banner to web/index.ts.",
        &[
            "move-src-old-rs-src-core-old-rs development/implementation",
            "fix-imports-src-main-rs development/implementation < move-src-old-rs-src-core-old-rs",
            "add-banner-web-index-ts development/implementation < fix-imports-src-main-rs",
        ],
    );
}

/// Without a command that tests the project nothing of it must fail.
#[test]
fn where_no_tests_are_steps_are_apart_as_they_are_told() {
    let answer = answer_with(
        "Change the error messages of src/main.rs and update the tests accordingly",
        |facts| facts.tests = None,
    );
    let Answer::Planned(planned) = answer else {
        panic!("planned");
    };
    assert_eq!(planned.plan.tasks.len(), 2);
}
