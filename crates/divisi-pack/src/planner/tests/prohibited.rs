//! Words that forbid changes: of files, and of all that is not asked for.

use super::*;
use crate::request;

/// The scopes of the whole, and what is told not to be checked.
fn held(text: &str) -> (Vec<String>, Vec<String>) {
    held_among(&files(), text)
}

/// The same in a project of these files.
fn held_among(files: &[String], text: &str) -> (Vec<String>, Vec<String>) {
    let request = request::read(text);
    let roles = Library::built_in();
    let tests = ["cargo", "test"].map(str::to_owned);
    let facts = Facts {
        tests: Some(&tests),
        ..facts(Some(files), &roles)
    };
    let plan = match by_rule(&request, &facts) {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => panic!("{text}: {:?}", declined.reasons),
    };
    let one = match as_one(&request, &facts) {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => panic!("{text}: {:?}", declined.reasons),
    };
    let scopes = |criteria: &[Criterion]| -> Vec<String> {
        let scopes = criteria
            .iter()
            .filter(|it| matches!(it, Criterion::Scope { .. }));
        scopes.map(ToString::to_string).collect()
    };
    let of_whole = scopes(&plan.criteria);
    assert_eq!(scopes(&one.criteria), of_whole, "{text}");
    assert_eq!(scopes(&one.tasks[0].criteria), of_whole, "{text}");
    let by = divisi_core::intent::Planner::Structure;
    let left_out = left_out(&by, &plan, &request, &facts);
    for task in &plan.tasks {
        let is_bound = !of_whole.is_empty();
        assert_eq!(
            !scopes(&task.criteria).is_empty(),
            is_bound,
            "{text}: {}",
            task.id
        );
    }
    (of_whole, left_out)
}

#[test]
fn files_that_must_not_change_are_checked_in_whatever_words() {
    for text in [
        "README.md shall not be changed",
        "README.md may not be modified",
        "README.md must not be touched in any way",
        "README.md is not to be edited",
        "README.md is off limits",
        "README.md has to stay as it is",
        "I don't want README.md to change",
        "I would like README.md to remain unchanged",
        "It is forbidden to change README.md",
        "It is not allowed to edit README.md",
        "Changes to README.md are forbidden",
        "No edits to README.md, please",
        "Make no changes to README.md",
        "Hands off README.md",
        "You must not modify README.md",
        "Leave README.md exactly as it is",
    ] {
        for request in [
            format!("Add sum to src/main.rs. {text}."),
            format!("{text}. Add sum to src/main.rs."),
            format!(
                "Add sum to src/main.rs, but {}",
                text.replacen("Make no", "make no", 1)
            ),
        ] {
            let spared = ["leaves README.md as it is".to_owned()];
            assert_eq!(held(&request), (spared.to_vec(), vec![]), "{request}");
        }
    }
    for text in [
        "Add sum to src/main.rs while preserving README.md",
        "Add sum to src/main.rs without modifying README.md",
        "Replace foo by bar in all code (but not in README.md)",
        "Rename foo to bar in all files, README.md excluded",
        "Füge in src/main.rs eine Funktion hinzu. README.md nicht ändern.",
        "Füge in src/main.rs eine Funktion hinzu. README.md soll so bleiben, wie es ist.",
    ] {
        let spared = ["leaves README.md as it is".to_owned()];
        assert_eq!(held(text), (spared.to_vec(), vec![]), "{text}");
    }
}

#[test]
fn several_names_are_one_subject_and_no_task() {
    for (text, spared) in [
        ("web/ and Cargo.toml must not change", "web/**, Cargo.toml"),
        (
            "README.md, Cargo.toml and web/ must stay untouched",
            "README.md, Cargo.toml, web/**",
        ),
        (
            "Cargo.toml and the Makefile should not be modified",
            "Cargo.toml, Makefile*",
        ),
        (
            "src/old.rs or README.md must not be changed",
            "src/old.rs, README.md",
        ),
        (
            "Neither README.md nor Cargo.toml may change",
            "README.md, Cargo.toml",
        ),
        ("Make no changes to web/ or Makefile", "web/**, Makefile*"),
        (
            "Keep README.md and Cargo.toml exactly as they are",
            "README.md, Cargo.toml",
        ),
    ] {
        for text in [
            format!("Add sum to src/main.rs. {text}."),
            format!("Add sum to src/main.rs, and {text}"),
        ] {
            let spared = format!("leaves {spared} as it is");
            assert_eq!(held(&text), (vec![spared], vec![]), "{text}");
            assert_eq!(planned(&text).plan.tasks.len(), 1, "{text}");
        }
    }
}

#[test]
fn areas_that_must_not_change_are_checked_by_the_files_that_are_there() {
    for (text, spared) in [
        ("The tests must not be modified", "tests/**"),
        ("Do not touch the test suite", "tests/**"),
        ("Don't change any tests", "tests/**"),
        ("Leave the docs alone", "README*, docs/**"),
        ("Do not update the documentation", "README*, docs/**"),
        (
            "Keep docs and tests as they are",
            "README*, docs/**, tests/**",
        ),
        (
            "Neither the docs nor the tests may be touched",
            "README*, docs/**, tests/**",
        ),
        ("Stay away from the CI", ".github/**"),
        (
            "Do not touch src/old.rs or the docs",
            "src/old.rs, README*, docs/**",
        ),
    ] {
        for text in [
            format!("Add sum to src/main.rs. {text}."),
            format!("Add sum to src/main.rs.\n\n- {text}"),
        ] {
            let spared = format!("leaves {spared} as it is");
            let found = held_among(&with_areas(), &text);
            assert_eq!(found, (vec![spared], vec![]), "{text}");
        }
    }
    for (text, spared) in [
        (
            "Fix src/main.rs until its failing tests pass, without touching the tests",
            "tests/**",
        ),
        (
            "Fix the failing tests without changing the tests",
            "tests/**",
        ),
        (
            "Add sum to src/main.rs.\n\nDo not touch:\n- the docs\n- src/old.rs",
            "src/old.rs, README*, docs/**",
        ),
        (
            "Fix src/main.rs\nDon't:\n- change tests/\n- edit web/index.ts",
            "tests/**, web/index.ts",
        ),
        ("Fix src/main.rs. Stay out of web/.", "web/**"),
        ("Fix src/main.rs. Existing tests must stay.", "tests/api.rs"),
        (
            "Fix src/main.rs. Do not modify existing tests, do not touch CI config.",
            "tests/api.rs, .github/**",
        ),
        (
            "Fix src/main.rs. The test suite and web/ must not be changed.",
            "web/**, tests/**",
        ),
    ] {
        let spared = format!("leaves {spared} as it is");
        let found = held_among(&with_areas(), text);
        assert_eq!(found, (vec![spared], vec![]), "{text}");
    }
}

/// A project with something of each area.
fn with_areas() -> Vec<String> {
    let own = [
        ".github/workflows/ci.yml",
        "Makefile",
        "docs/a.md",
        "tests/api.rs",
    ];
    let mut all: Vec<String> = own.map(str::to_owned).into_iter().chain(files()).collect();
    all.sort();
    all
}

#[test]
fn what_of_an_area_is_wanted_may_change_and_that_the_rest_is_not_checked_is_told() {
    for (text, expected) in [
        // What is named is wanted.
        (
            "Update README.md. Do not touch the docs.",
            &["leaves docs/** as it is"][..],
        ),
        (
            "Add a test for div to tests/api.rs. Do not change the existing tests.",
            &[],
        ),
        (
            "Fix src/main.rs. Do not touch the tests unless they are wrong.",
            &[],
        ),
    ] {
        let (scopes, told) = held_among(&with_areas(), text);
        assert_eq!(
            (&scopes[..], told.len()),
            (
                &expected
                    .iter()
                    .map(|it| (*it).to_owned())
                    .collect::<Vec<String>>()[..],
                1
            ),
            "{text}"
        );
    }
    // Nobody knows which files they are.
    let (scopes, told) = held("Fix src/main.rs. Do not touch the tests.");
    assert_eq!((scopes.len(), told.len()), (0, 1), "{scopes:?}");
}

#[test]
fn what_holds_files_back_and_is_not_read_is_told() {
    for text in [
        "Fix src/main.rs. Keep the existing tests.",
        "Fix src/main.rs. Tests are read-only.",
        "Fix src/main.rs -- no test changes",
        "Fix the parser, leave the public API alone",
        "Fix the typo. You may only edit web/index.ts",
        "Rename add to sum in src/main.rs and src/old.rs. Only touch these two files.",
    ] {
        let (_, told) = held_among(&with_areas(), text);
        assert_eq!(told.len(), 1, "{text}");
    }
}

#[test]
fn one_task_that_changes_nothing_else_may_change_all_that_it_names() {
    let text = "Write a failing test for div in tests/api.rs, then fix it in src/main.rs. Leave \
                everything else as it is.";
    let (scopes, told) = held_among(&with_areas(), text);
    assert_eq!(scopes, ["changes only src/main.rs, tests/api.rs"]);
    assert_eq!(told, [""; 0]);
}

#[test]
fn tests_that_are_there_stay_and_others_may_be_added() {
    let text = "Add sum to src/main.rs with tests. Existing tests must stay untouched.";
    let with_tests = |count: usize| -> Vec<String> {
        let tests = (0..count).map(|at| format!("tests/{at:02}.rs"));
        tests.chain(files()).collect()
    };
    let (scopes, told) = held_among(&with_tests(2), text);
    assert_eq!(scopes, ["leaves tests/00.rs, tests/01.rs as it is"]);
    assert_eq!(told, [""; 0]);
    let (scopes, told) = held_among(&with_tests(41), text);
    assert_eq!((scopes.len(), told.len()), (0, 1), "{scopes:?}");
}

#[test]
fn what_forbids_all_else_bounds_a_plan_that_names_its_files() {
    for text in [
        "Nothing else may change",
        "Change nothing else",
        "Touch nothing besides that",
        "Leave everything else as it is",
        "Leave all other files untouched",
        "Don't change any other file",
        "Do not modify other files",
        "Do not change anything else",
        "No other files",
        "Change only this file",
        "Only this file may change",
        "All other files must stay the same",
        "The rest of the repository must remain unchanged",
    ] {
        for request in [
            format!("Create docs/x.md. {text}."),
            format!("Create docs/x.md; {text}"),
            format!("Create docs/x.md, {}", text.to_lowercase()),
        ] {
            let bound = ["changes only docs/x.md".to_owned()];
            assert_eq!(held(&request), (bound.to_vec(), vec![]), "{request}");
        }
    }
    for (text, files) in [
        (
            "Add sum to src/main.rs without changing anything else",
            "src/main.rs",
        ),
        (
            "Fix the typo in README.md and touch nothing else",
            "README.md",
        ),
        (
            "Add sum to src/main.rs with tests in tests/sum.rs and change nothing besides that",
            "src/main.rs, tests/sum.rs",
        ),
    ] {
        let bound = format!("changes only {files}");
        let (scopes, told) = held(text);
        assert_eq!((scopes, told), (vec![bound], vec![]), "{text}");
    }
}

#[test]
fn what_cannot_be_bounded_is_told_not_to_be_checked() {
    for text in [
        "Improve the performance of the parser without changing anything else",
        "Add sum to src/main.rs with tests. Nothing else may change.",
        "Fix the parser. The behavior of src/main.rs must not change.",
        "Fix the parser. The tests of the lexer must not be modified.",
        "Fix the parser. Do not touch the docs build.",
        "Add tests for the parser. Do not change the test files.",
    ] {
        let (scopes, told) = held(text);
        assert_eq!((scopes.len(), told.len()), (0, 1), "{text}: {told:?}");
    }
}

#[test]
fn what_only_looks_like_a_prohibition_is_none() {
    for text in [
        "README.md is not changed when I save it. Fix that in src/main.rs.",
        "Add sum to src/main.rs. You should not need to change README.md.",
        "Print the total in src/main.rs and nothing else",
        "Sort the list in src/main.rs; Cargo.toml must be the same as README.md",
        "Change everything else in src/main.rs",
    ] {
        let request = request::read(text);
        assert_eq!(request.kept(), [""; 0], "{text}");
        assert_eq!(request.bounds, [], "{text}");
    }
}

#[test]
fn a_report_that_nothing_changes_forbids_nothing() {
    for text in [
        "I press save but nothing changes. Fix src/main.rs.",
        "Fix src/main.rs: the color is set, and nothing changes.",
    ] {
        let request = request::read(text);
        assert_eq!(
            (request.bounds.len(), request.exclusions.len()),
            (0, 0),
            "{text}"
        );
    }
    let request = request::read("Fix src/main.rs. Nothing else may change.");
    assert_eq!(request.bounds.len(), 1);
}

#[test]
fn who_looks_and_holds_something_back_is_bounded_to_what_it_makes() {
    for (text, file) in [
        (
            "List the bugs in src/main.rs, do not fix them",
            "research/list-bugs-src-main-rs.md",
        ),
        (
            "Review src/main.rs but do not modify it",
            "review/review-src-main-rs.md",
        ),
        (
            "Audit src/main.rs and don't fix anything",
            "review/audit-src-main-rs.md",
        ),
        (
            "Explain how add works in src/main.rs, but do not write any file",
            "research/explain-how-add-works-src-main-rs.md",
        ),
        (
            "Explain how add works in src/main.rs, but do not change the code",
            "research/explain-how-add-works-src-main-rs.md",
        ),
        (
            "Explain src/main.rs. Change nothing.",
            "research/explain-src-main-rs.md",
        ),
        (
            "Describe how add works, but write no file",
            "research/describe-how-add-works.md",
        ),
        (
            "Write no files, just explain what src/main.rs does",
            "research/just-explain-what-src-main-rs-does.md",
        ),
    ] {
        let plan = planned(text).plan;
        let [task] = &plan.tasks[..] else {
            panic!("{text}: {:#?}", plan.tasks);
        };
        let bound = Criterion::Scope {
            patterns: vec![file.to_owned()],
        };
        assert_eq!(task.deliverables[0].path, file, "{text}");
        assert!(
            task.criteria.contains(&bound),
            "{text}: {:?}",
            task.criteria
        );
        assert!(
            plan.criteria.contains(&bound),
            "{text}: {:?}",
            plan.criteria
        );
    }
    // Whoever is to write a document writes it.
    for text in [
        "Explain in README.md how it works, but do not touch src/main.rs",
        "Explain the architecture in docs/arch.md",
    ] {
        let tasks = planned(text).plan.tasks;
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert_eq!(tasks[0].kind, TaskKind::Work, "{text}");
    }
}

#[test]
fn a_verb_of_nothing_is_no_task() {
    for (text, title) in [
        ("Create src/a.rs, but write no tests", "Create src/a.rs"),
        (
            "Add a flag to src/main.rs. Change no other code.",
            "Add a flag to src/main.rs",
        ),
        (
            "Describe the API in docs/api.md and add no examples",
            "Describe the API in docs/api.md",
        ),
    ] {
        let tasks = planned(text).plan.tasks;
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert_eq!(tasks[0].title, title, "{text}");
    }
}
