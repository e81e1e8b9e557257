//! Which of the files that a request names are to be changed, as criteria of a task and of the whole.

use super::*;

const FILES: &[&str] = &[
    "Cargo.toml",
    "DESIGN.md",
    "README.md",
    "calc.js",
    "docs/usage.md",
    "src/a.ts",
    "src/api/mod.rs",
    "src/main.rs",
    "test/calc.test.js",
    "util.js",
];

/// What is to be changed, of all tasks together and of the whole.
fn changed(text: &str) -> (Vec<String>, Vec<String>) {
    let files: Vec<String> = FILES.iter().map(|it| (*it).to_owned()).collect();
    let roles = Library::built_in();
    let facts = facts(Some(&files), &roles);
    let plan = match by_rule(&request::read(text), &facts) {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => declined.proposal,
    };
    let of = |criteria: &[Criterion]| -> Vec<String> {
        let patterns = criteria.iter().filter_map(|it| match it {
            Criterion::Changed { pattern } => Some(pattern.clone()),
            _ => None,
        });
        patterns.collect()
    };
    let tasks = plan.tasks.iter().flat_map(|task| of(&task.criteria));
    (tasks.collect(), of(&plan.criteria))
}

#[test]
fn what_a_verb_of_changes_is_about_and_where_something_is_put_is_to_be_changed() {
    for (text, files) in [
        ("Add multiply to calc.js, with tests", &["calc.js"][..]),
        (
            "Add multiply to calc.js and document it in README.md",
            &["calc.js", "README.md"],
        ),
        (
            "Add error handling to calc.js and util.js",
            &["calc.js", "util.js"],
        ),
        (
            "Add a health endpoint to src/api/, don't touch README.md",
            &["src/api/**"],
        ),
        ("Refactor calc.js", &["calc.js"]),
        ("Rename load to fetch in src/main.rs", &["src/main.rs"]),
        ("Remove the prints from src/main.rs", &["src/main.rs"]),
        (
            "Move the parser from calc.js to util.js",
            &["calc.js", "util.js"],
        ),
        ("Fix the typo in README.md", &["README.md"]),
        ("Clean up the handlers in src/api/", &["src/api/**"]),
        ("Add a case to test/calc.test.js", &["test/calc.test.js"]),
        (
            "Update README.md so that it fits src/main.rs",
            &["README.md"],
        ),
    ] {
        let (tasks, whole) = changed(text);
        assert_eq!(tasks, files, "{text}");
        assert_eq!(whole, files, "{text}");
    }
}

#[test]
fn what_may_stay_as_it_is_is_not() {
    for text in [
        // Read, reviewed, tested, compared with, spared.
        "Review calc.js",
        "Write tests for calc.js",
        "Compare calc.js with util.js",
        "Make the importer behave like calc.js",
        "Fix the crash, and leave calc.js alone",
        "Add a summary of src/main.rs to NOTES.md",
        "Port calc.js to TypeScript",
        // Led to, put elsewhere, or the place of what is there.
        "Add a link to docs/usage.md",
        "Add Cargo.toml to the package",
        "Implement the interface in src/a.ts",
        "Implement the features in DESIGN.md",
        "Add an option to write to calc.js",
        "Handle the errors thrown in calc.js",
        // A bug may be mended elsewhere.
        "Fix the crash in src/main.rs",
        "Fix the failing test in test/calc.test.js",
        // Left open.
        "Update README.md if needed",
        "Either update calc.js or util.js",
        "Update calc.js or util.js",
        "Refactor the handlers where possible in calc.js",
        "Rename load to fetch in src/ and test/",
        // New, or nowhere.
        "Add multiply to math.js",
        "Write docs/multiply.md",
    ] {
        assert_eq!(changed(text), (Vec::new(), Vec::new()), "{text}");
    }
    let (tasks, _) = changed("Add the function used in calc.js to util.js");
    assert!(!tasks.contains(&"calc.js".to_owned()), "{tasks:?}");
    let (tasks, _) = changed("Implement the interface in src/a.ts in util.js");
    assert!(!tasks.contains(&"src/a.ts".to_owned()), "{tasks:?}");
}

/// That something was changed says not that it is right.
#[test]
fn it_takes_the_place_of_no_other_criterion() {
    let of = |text: &str| {
        let planned = match answer_with(text, |facts| facts.tests = None) {
            Answer::Planned(planned) => planned,
            Answer::Declined(declined) => panic!("{:?}", declined.reasons),
        };
        (checks(&planned.plan.tasks[0]), whole(&planned))
    };
    let (task, of_whole) = of("Add a banner to web/index.ts");
    assert_eq!(
        task,
        [
            "changes web/index.ts",
            "changes only web/index.ts",
            "everything that was asked for is done: Add a banner to web/index.ts"
        ]
    );
    assert_eq!(
        of_whole,
        [
            "changes web/index.ts",
            "everything that was asked for is done: Add a banner to web/index.ts"
        ]
    );
}

/// The whole request as one task is judged as the divided one is.
#[test]
fn one_task_has_one_for_each_file() {
    let (files, roles) = (files(), Library::built_in());
    let facts = facts(Some(&files), &roles);
    let text = "Add a banner to web/index.ts, then describe it in README.md";
    let Answer::Planned(planned) = as_one(&request::read(text), &facts) else {
        panic!("it is planned as one");
    };
    for all in [checks(&planned.plan.tasks[0]), whole(&planned)] {
        for one in ["changes web/index.ts", "changes README.md"] {
            assert!(all.contains(&one.to_owned()), "{all:?}");
        }
    }
}

#[test]
fn what_is_gone_and_what_is_there_is_judged_of_the_whole_too() {
    let whole = |text: &str| -> Vec<String> {
        let plan = planned(text).plan;
        plan.criteria.iter().map(ToString::to_string).collect()
    };
    let moved = whole("Move src/old.rs to src/new.rs and fix the imports");
    assert_eq!(
        moved,
        [
            "`cargo test` exits with 0",
            "no file matches src/old.rs",
            "src/new.rs is not empty"
        ]
    );
    // What comes again is not gone.
    let again = whole("1. Delete src/old.rs\n2. Write src/old.rs anew with docs");
    assert!(
        !again.contains(&"no file matches src/old.rs".to_owned()),
        "{again:?}"
    );
}

#[test]
fn a_file_that_nobody_names_may_be_made() {
    for text in [
        "Make src/main.rs read the name from a config file",
        "Replace src/old.rs by src/older.rs",
    ] {
        let Answer::Planned(planned) = answer_with(text, |facts| facts.tests = None) else {
            panic!("{text}");
        };
        let mut criteria = planned.plan.tasks[0].criteria.iter();
        assert!(
            !criteria.any(|it| matches!(it, Criterion::Scope { .. })),
            "{text}"
        );
    }
}
