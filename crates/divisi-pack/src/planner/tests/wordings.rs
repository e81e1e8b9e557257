//! Wordings that once lost a part, turned a file into another's, or did what was forbidden.

use divisi_core::Criterion;

use super::*;

fn tasks(text: &str) -> Vec<TaskSpec> {
    planned(text).plan.tasks
}

fn gone(text: &str) -> Vec<String> {
    let tasks = tasks(text);
    let criteria = tasks.iter().flat_map(|task| &task.criteria);
    let counts = criteria.filter_map(|criterion| match criterion {
        Criterion::Count { pattern, max, .. } if *max == Some(0) => Some(pattern.clone()),
        _ => None,
    });
    counts.collect()
}

#[test]
fn a_file_in_which_something_goes_stays() {
    for text in [
        "Strip the trailing blanks from src/main.rs",
        "Drop the license headers in web/index.ts, src/main.rs and src/api/mod.rs",
        "Delete src/old.rs from Cargo.toml",
        "Move the scanner from src/old.rs to src/main.rs",
        "Rename load in src/old.rs to fetch in src/main.rs",
        "Add an example to src/api/mod.rs and delete the one from src/main.rs",
        "Remove what src/old.rs exports",
    ] {
        assert_eq!(gone(text), [] as [&str; 0], "{text}");
    }
    assert_eq!(gone("Please remove the file src/old.rs"), ["src/old.rs"]);
    assert_eq!(
        gone("Delete src/old.rs and src/main.rs"),
        ["src/old.rs", "src/main.rs"]
    );
    assert_eq!(gone("Move src/old.rs to src/new.rs"), ["src/old.rs"]);
}

#[test]
fn what_is_not_wanted_is_no_task() {
    for (text, excluded) in [
        (
            "Add throttling, but docs and tests are not needed",
            "docs and tests are not needed",
        ),
        (
            "Add throttling; tests aren't required",
            "tests aren't required",
        ),
        (
            "Add throttling. Documentation not necessary.",
            "Documentation not necessary",
        ),
        ("Add throttling. Docs: no", "Docs: no"),
        (
            "Add throttling, you can ignore the documentation",
            "you can ignore the documentation",
        ),
        (
            "I don't want any docs, just implement throttling",
            "I don't want any docs",
        ),
        (
            "Add throttling, the README must stay untouched",
            "the README must stay untouched",
        ),
        (
            "Please avoid touching web/ while adding throttling",
            "avoid touching web/",
        ),
        (
            "Add throttling; tests are out of scope",
            "tests are out of scope",
        ),
        (
            "Do not under any circumstances edit web/. Add throttling.",
            "Do not under any circumstances edit web/",
        ),
        (
            "Add throttling to all files but web/index.ts",
            "but web/index.ts",
        ),
        (
            "Add throttling. Make sure that no file in web/ changes.",
            "Make sure that no file in web/ changes",
        ),
        (
            "Add throttling without new dependencies",
            "without new dependencies",
        ),
    ] {
        let request = request::read(text);
        let said: Vec<&str> = request
            .exclusions
            .iter()
            .map(|it| it.text.as_str())
            .collect();
        assert_eq!(said, [excluded], "{text}");
        let tasks = tasks(text);
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert_eq!(
            tasks[0].role().as_deref(),
            Some("development/implementation"),
            "{text}"
        );
        assert_eq!(tasks[0].scope, [] as [&str; 0], "{text}");
        assert!(
            tasks[0].description.contains(excluded),
            "{text}: {tasks:#?}"
        );
    }
}

#[test]
fn what_is_told_of_something_is_no_exclusion() {
    for text in [
        "Fix the page where tests are not required",
        "Fix the parser that does not read docs",
        "Make the scanner ignore tests",
        "Don't just fix the parser, also add a regression test",
    ] {
        assert_eq!(request::read(text).exclusions, [], "{text}");
    }
    check(
        "Don't just fix the parser, also add a regression test",
        &[
            "fix-parser development/implementation",
            "add-regression-test development/test < fix-parser",
        ],
    );
}

#[test]
fn only_is_a_bound_that_is_checked() {
    for text in [
        "Only touch files under src/api/. Add logging",
        "Only change src/api/: add logging",
        "Do not modify anything but src/api/; add logging",
        "Nothing except src/api/ may change. Add logging",
    ] {
        let planned = planned(text);
        let [task] = &planned.plan.tasks[..] else {
            panic!("{text}: {:#?}", planned.plan);
        };
        assert_eq!(task.scope, ["src/api/**"], "{text}");
        let bound = Criterion::Scope {
            patterns: vec!["src/api/**".to_owned()],
        };
        assert!(task.criteria.contains(&bound), "{text}: {task:#?}");
        assert!(task.title.to_lowercase().contains("add logging"), "{text}");
    }
}

#[test]
fn every_task_is_told_its_part_and_the_whole_request_in_its_own_words() {
    let text = "The import fails for files of Excel, see #412.\n\
                Strip the BOM in src/main.rs, add tests.\nIt should stay streaming.";
    let tasks = tasks(text);
    assert_eq!(tasks.len(), 2, "{tasks:#?}");
    for (task, part) in tasks
        .iter()
        .zip(["Strip the BOM in src/main.rs", "add tests"])
    {
        let told = &task.description;
        assert!(
            told.contains(&format!("This task's part of the request: {part}")),
            "{told}"
        );
        assert!(
            told.contains("> The import fails for files of Excel, see #412."),
            "{told}"
        );
        assert!(told.contains("> It should stay streaming."), "{told}");
        assert!(told.contains("Also said: "), "{told}");
    }
    let long = format!(
        "Fix the parser {}",
        "so that it reads everything ".repeat(20)
    );
    let task = &super::planned(&long).plan.tasks[0];
    assert!(task.description.contains(long.trim()), "{task:#?}");
}

#[test]
fn a_clause_that_is_not_understood_keeps_the_request_whole() {
    for text in [
        "plz can u spruce the settings page up and also fix teh css on mobile",
        "Peruse stories/login.md and implement what it says",
        "Write a schema. Scratch that, write an importer and docs.",
        "Add throttling, the docs and tests pointless, and a benchmark not",
    ] {
        let tasks = tasks(text);
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert!(tasks[0].description.contains(text), "{text}: {tasks:#?}");
        assert_eq!(tasks[0].scope, [] as [&str; 0], "{text}");
    }
    let ids = |text: &str| -> Vec<String> {
        tasks(text).iter().map(|task| task.id.to_string()).collect()
    };
    assert_eq!(
        ids("Add paging to the list after you've reworked the query layer"),
        ["add-paging-list", "you-ve-reworked-query-layer"]
    );
    assert_eq!(
        // The tests and what has them pass are one task.
        ids("Write tests first, then the implementation of the pool, docs at the end").len(),
        2
    );
    assert_eq!(
        ids("Add a pool for everything except auth, and docs for auth").len(),
        2
    );
    assert_eq!(
        tasks("fix: users cannot log in")[0].title,
        "Fix: users cannot log in"
    );
}

#[test]
fn a_file_that_is_only_referred_to_bounds_nothing() {
    for text in [
        "Implement the login described in stories/login.md",
        "Translate README.md into Dutch",
        "Port web/index.ts from TypeScript to Rust",
        "Use src/api/mod.rs as an example and write a handler for orders",
        "Add checks in Rust for src/main.rs",
    ] {
        for task in tasks(text) {
            assert_eq!(task.scope, [] as [&str; 0], "{text}: {task:#?}");
            assert!(
                !task
                    .criteria
                    .iter()
                    .any(|it| matches!(it, Criterion::Scope { .. })),
                "{text}: {task:#?}"
            );
            assert_eq!(task.deliverables, [], "{text}");
        }
    }
    assert_eq!(
        tasks("Implement the login described in stories/login.md")[0]
            .role()
            .as_deref(),
        Some("development/implementation")
    );
}

#[test]
fn a_file_behind_a_but_may_be_spared() {
    for text in [
        "Speed up the scanner, but spare web/",
        "Sort the imports everywhere but mind src/main.rs",
    ] {
        let tasks = tasks(text);
        assert_eq!(tasks.len(), 1, "{text}");
        assert_eq!(tasks[0].scope, [] as [&str; 0], "{text}");
    }
    let tasks = tasks("Add the login w/ tests");
    assert_eq!(tasks.len(), 2, "{tasks:#?}");
    assert_eq!(tasks[0].scope, [] as [&str; 0]);
}

#[test]
fn what_is_fixed_comes_after_the_look_that_found_it() {
    check(
        "Inspect the security of src/main.rs and fix what you find",
        &[
            "inspect-security-src-main-rs security/audit",
            "fix-what-you-find development/implementation < inspect-security-src-main-rs",
        ],
    );
}

#[test]
fn nobody_deploys_what_only_follows() {
    for text in [
        "Before deploying, run the tests",
        "Before you release, add tests",
        "Add tests before we ship",
        "Once it is deployed, add tests",
    ] {
        let tasks = tasks(text);
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert_eq!(
            tasks[0].role().as_deref(),
            Some("development/test"),
            "{text}"
        );
        assert!(
            tasks[0].description.contains("Also said: "),
            "{text}: {tasks:#?}"
        );
    }
}

#[test]
fn documents_that_are_there_are_changed_and_none_is_invented() {
    for text in [
        "Update the docs",
        "Remove the old names from the documentation",
    ] {
        let task = &tasks(text)[0];
        assert_eq!(task.deliverables, [], "{text}");
        assert_eq!(task.scope, ["README*"], "{text}");
    }
}

#[test]
fn a_request_that_is_longer_than_is_read_is_never_cut_silently() {
    let text = format!("{}Do not delete the sentinel.", "Fix it. ".repeat(9_000));
    let (files, roles) = (files(), Library::built_in());
    let facts = facts(Some(&files), &roles);
    let request = request::read(&text);
    for answer in [by_rule(&request, &facts), as_one(&request, &facts)] {
        let Answer::Declined(declined) = answer else {
            panic!("planned");
        };
        assert!(declined.reasons.contains(&Reason::TooLong));
    }
}

/// So a run of one task and a run of many are told apart by what they cost, and not by what they
/// were judged by.
#[test]
fn one_task_makes_and_is_judged_by_what_the_divided_request_is() {
    let (files, roles) = (files(), Library::built_in());
    let facts = facts(Some(&files), &roles);
    let words = "Add a login to the API, write tests for it, and describe it in docs/login.md";
    let request = request::read(words);
    let plan = |answer: Answer| match answer {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => panic!("{declined:?}"),
    };
    let (divided, one) = (
        plan(by_rule(&request, &facts)),
        plan(as_one(&request, &facts)),
    );
    assert!(
        divided.tasks.len() > 1 && one.tasks.len() == 1,
        "{divided:?}"
    );
    assert_eq!(one.criteria, divided.criteria);
    assert_eq!(one.tasks[0].criteria, divided.criteria);
    let made = |plan: &Plan| -> Vec<String> {
        let all = plan.tasks.iter().flat_map(|task| &task.deliverables);
        all.map(|it| it.path.clone()).collect()
    };
    assert_eq!(made(&one), made(&divided));
    assert_eq!(made(&one), ["docs/login.md"]);
}

#[test]
fn the_whole_has_the_role_and_the_estimate_of_its_parts() {
    let request = request::read("Write the user guide");
    let library = Library::built_in();
    let facts = facts(None, &library);
    let Answer::Planned(planned) = as_one(&request, &facts) else {
        panic!("declined");
    };
    let task = &planned.plan.tasks[0];
    assert_eq!(task.role().as_deref(), Some("development/documentation"));
    assert_eq!(task.estimate.tokens, Some(7_000));
}

/// The patterns of a scope among criteria that name what must stay.
fn spared(criteria: &[Criterion]) -> Vec<String> {
    let patterns = criteria.iter().filter_map(|it| match it {
        Criterion::Scope { patterns } => Some(patterns),
        _ => None,
    });
    let spared = patterns.flatten().filter_map(|it| it.strip_prefix('!'));
    spared.map(str::to_owned).collect()
}

#[test]
fn what_must_stay_is_a_criterion_of_each_task_and_of_the_whole() {
    for (text, expected) in [
        (
            "Add throttling, and don't touch README.md",
            &["README.md"][..],
        ),
        ("Leave web/ alone. Add throttling with tests.", &["web/**"]),
        (
            "Add throttling; leave Cargo.toml, README.md and web/ untouched",
            &["Cargo.toml", "README.md", "web/**"],
        ),
        (
            "Add throttling. Make sure that no file in web/ changes.",
            &["web/**"],
        ),
        (
            "Add throttling to all files but web/index.ts",
            &["web/index.ts"],
        ),
        (
            "Add throttling, but stay away from src/api",
            &["src/api/**"],
        ),
        ("web/ must stay untouched. Add throttling.", &["web/**"]),
        (
            "Add throttling. Don't edit the README or the changelog.",
            &["README*", "CHANGELOG*"],
        ),
        (
            "Add throttling and try not to change src/api/mod.rs",
            &["src/api/mod.rs"],
        ),
    ] {
        let plan = planned(text).plan;
        for criteria in plan
            .tasks
            .iter()
            .map(|it| &it.criteria)
            .chain([&plan.criteria])
        {
            assert_eq!(spared(criteria), expected, "{text}");
        }
    }
}

#[test]
fn what_is_only_spoken_of_may_change_in_its_file() {
    for text in [
        "Fix the pager, but do not touch the scanner in src/main.rs",
        "Fix the pager, and don't change src/main.rs headers",
        "Fix the pager. Do not test src/main.rs.",
        "Add throttling without tests in web/",
        "Fix the pager, but don't break src/main.rs",
    ] {
        let plan = planned(text).plan;
        assert_eq!(spared(&plan.criteria), [] as [&str; 0], "{text}");
        assert!(
            plan.tasks.iter().all(|it| it.description.contains("src/main.rs")
                || it.description.contains("web/")),
            "{text}: {plan:#?}"
        );
    }
}

#[test]
fn a_change_of_what_must_stay_is_a_contradiction_and_reading_it_is_none() {
    for text in [
        "Fix the bug in src/main.rs, but leave src/main.rs alone",
        "Delete web/index.ts and don't touch web/",
        "Update README.md, but do not change README.md",
    ] {
        assert!(
            reasons(text)
                .iter()
                .any(|it| it.starts_with("it asks for ")),
            "{text}"
        );
    }
    for text in [
        "Do not touch README.md",
        "Make sure you don't break src/main.rs",
    ] {
        let reasons = reasons(text);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(
            reasons[0].starts_with("no word says what is to be done"),
            "{reasons:?}"
        );
    }
    assert_eq!(
        planned("Copy README.md to docs/intro.md, leaving README.md as is")
            .plan
            .tasks
            .len(),
        1
    );
    let planned =
        planned("Write down in NOTES.md what src/main.rs does, but leave src/main.rs alone");
    let [task] = &planned.plan.tasks[..] else {
        panic!("one task: {:#?}", planned.plan);
    };
    assert_eq!(task.deliverables[0].path, "NOTES.md");
    assert_eq!(spared(&task.criteria), ["src/main.rs"]);
}

#[test]
fn what_is_bounded_bounds_the_whole_but_for_what_is_promised() {
    let plan = planned("Describe the parser in docs/parser.md, and touch nothing except src/").plan;
    let bound = Criterion::Scope {
        patterns: vec!["src/**".to_owned(), "docs/parser.md".to_owned()],
    };
    assert!(plan.criteria.contains(&bound), "{plan:#?}");
    for text in [
        "Add logging and leave everything except src/api/ alone",
        "Add logging. Everything but src/api/ must stay as it is.",
        "Add logging, keep your changes within src/api/",
        "Add logging. Only src/api/ may change.",
        "Add logging without changing anything outside src/api/",
        "Add logging with no changes outside src/api/",
        "Add logging, no changes outside src/api",
    ] {
        let plan = planned(text).plan;
        let bound = Criterion::Scope {
            patterns: vec!["src/api/**".to_owned()],
        };
        assert!(plan.criteria.contains(&bound), "{text}: {plan:#?}");
        assert_eq!(spared(&plan.criteria), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_test_that_is_to_fail_is_one_task_with_what_mends_it() {
    for text in [
        "First write a failing test, then fix the bug in src/main.rs",
        "1. Write a test that reproduces the crash 2. Fix the crash in src/main.rs",
        "Fix the crash in src/main.rs, but first write a failing test",
    ] {
        let request = request::read(text);
        let planned = planned(text);
        let [task] = &planned.plan.tasks[..] else {
            panic!("{text}: {:#?}", planned.plan);
        };
        assert_eq!(request.order_words, [], "{text}");
        assert_eq!(
            task.role().as_deref(),
            Some("development/implementation"),
            "{text}"
        );
        assert!(
            checks(task).contains(&"`cargo test` exits with 0".to_owned()),
            "{text}"
        );
    }
    let passes = "`cargo test` exits with 0".to_owned();
    let planned = super::planned("Cover src/api/mod.rs with tests first, then refactor it");
    assert!(
        planned
            .plan
            .tasks
            .iter()
            .all(|it| checks(it).contains(&passes))
    );
}

#[test]
fn a_folder_that_is_deleted_is_gone_when_it_is_done() {
    for text in [
        "Delete web/",
        "Remove the folder web/",
        "delete the directory src/api/",
    ] {
        let task = &tasks(text)[0];
        let gone = Criterion::Count {
            pattern: match text.contains("web") {
                true => "web/**".to_owned(),
                false => "src/api/**".to_owned(),
            },
            min: 0,
            max: Some(0),
        };
        assert!(task.criteria.contains(&gone), "{text}: {task:#?}");
    }
}

#[test]
fn a_choice_is_nobodys_role_and_one_task() {
    for text in [
        "Either add tests or docs for the parser",
        "Add throttling, and either write docs or an example",
    ] {
        let tasks = tasks(text);
        let [task] = &tasks[..] else {
            panic!("{text}: {tasks:#?}");
        };
        assert_eq!(task.domain.as_deref(), Some("development"), "{text}");
        assert_eq!(task.deliverables, [], "{text}");
    }
}
