//! What stands in sections, behind labels and beside a list: it is kept, or nothing is bounded or
//! divided by it.

use super::*;

/// The criteria of the tasks and of the whole, where no command tests the project.
fn untested(text: &str) -> Vec<String> {
    let Answer::Planned(planned) = answer_with(text, |facts| facts.tests = None) else {
        panic!("{text}: declined");
    };
    let mut all = whole(&planned);
    all.extend(planned.plan.tasks.iter().flat_map(checks));
    all
}

#[test]
fn what_a_section_excludes_is_spared_as_in_a_sentence() {
    let spared = |files: &str| format!("leaves {files} as it is");
    for (text, files) in [
        ("Add login. Do not touch docs/x.md", &["docs/x.md"][..]),
        (
            "Add login.\n\nDo not touch:\n- docs/x.md\n- tests/",
            &["docs/x.md", "tests/**"],
        ),
        ("Add login.\n\nOut of scope:\n- docs/x.md", &["docs/x.md"]),
        (
            "Add login.\n\n## Out of scope\n\ndocs/x.md and tests/",
            &["docs/x.md", "tests/**"],
        ),
        ("Add login.\n\nExcluded: the README", &["README*"]),
        ("Add login.\n\nNon-goals: `docs/x.md`", &["docs/x.md"]),
    ] {
        let planned = planned(text);
        let task = checks(&planned.plan.tasks[0]).join("; ");
        let whole = whole(&planned).join("; ");
        for file in files {
            assert!(task.contains(file), "{text}: {file} of {task}");
            assert!(whole.contains(file), "{text}: {file} of {whole}");
        }
        if let [file] = files {
            assert!(task.contains(&spared(file)), "{text}: {task}");
        }
    }
}

#[test]
fn what_a_section_only_speaks_of_may_change() {
    for text in [
        "Fix the crash in src/main.rs.\n\nOut of scope:\n- tests for src/main.rs",
        "Fix the crash in src/main.rs.\n\nOut of scope:\n- the parser in src/main.rs",
        "Fix the crash in src/main.rs.\n\nDo not touch:\n- src/main.rs's comments",
    ] {
        let kept = request::read(text).kept().join(" ");
        assert_eq!(kept, "", "{text}");
    }
}

#[test]
fn what_is_said_beside_the_work_is_not_forbidden_by_its_file() {
    for text in [
        "Fix src/main.rs.\nNote: also add tests and write docs/x.md",
        "Fix the bug in src/main.rs.\n\n## Acceptance criteria\n- tests/test_a.py has a test for \
         it\n- docs/x.md describes it",
        "Fix the bug in src/main.rs. Note that docs/x.md must be updated, too",
        "Fix the bug in src/main.rs.\n\n## Notes\n- also update docs/x.md",
        "Fix the bug in src/main.rs.\n\n## Expected behavior\n- add a test in tests/test_a.py",
        "Fix the bug in src/main.rs.\n\n## Acceptance criteria\n- There is a test for it",
        "Fix the bug in src/main.rs.\n\n## Rules\n- Document it in the guide",
    ] {
        let criteria = untested(text);
        let bounds = criteria.iter().find(|it| it.starts_with("changes only"));
        assert_eq!(bounds, None, "{text}");
    }
}

#[test]
fn what_tells_no_more_work_leaves_the_bound() {
    for text in [
        "Fix the bug in src/main.rs",
        "Fix the bug in src/main.rs.\n\n## Notes\n- It crashes since March\n- src/main.rs is old",
        "Fix the bug in src/main.rs. It crashes when the list is empty.",
    ] {
        let criteria = untested(text);
        let bound = "changes only src/main.rs".to_owned();
        assert!(criteria.contains(&bound), "{text}: {criteria:?}");
    }
}

#[test]
fn a_command_in_a_section_leaves_the_request_one_task() {
    let text = "Add login and write a guide.\n\n## Notes\n- also deploy it to staging";
    let planned = planned(text);
    assert_eq!(planned.plan.tasks.len(), 1, "{:#?}", planned.plan.tasks);
    assert_eq!(planned.plan.tasks[0].description, text);
}

#[test]
fn what_is_left_to_a_place_or_for_somebody_is_asked_for() {
    for text in [
        "Fix the parser in src/main.rs and leave a link to the issue in README.md",
        "Update README.md: leave a note to the users about the new port",
        "Leave a note to the users in docs/x.md",
        "Leave a note to the team in docs/x.md",
    ] {
        let request = request::read(text);
        assert_eq!(request.exclusions, [], "{text}");
        let planned = planned(text);
        assert_eq!(planned.plan.tasks.len(), 1, "{text}: {:#?}", planned.plan);
        let criteria = untested(text);
        let bounds = criteria.iter().find(|it| it.starts_with("changes only"));
        assert!(
            bounds.is_none_or(|it| it.contains("README.md") || it.contains("docs/x.md")),
            "{text}: {bounds:?}"
        );
    }
}

#[test]
fn what_is_left_to_a_side_is_not_excluded() {
    let text = "Leave the header to the left, move the footer to the right";
    assert_eq!(request::read(text).exclusions, []);
    let planned = planned(text);
    let tasks = planned.plan.tasks.iter().map(|task| task.title.as_str());
    assert_eq!(tasks.collect::<Vec<_>>(), [text]);
}

#[test]
fn what_is_left_to_others_is_excluded() {
    for text in [
        "Add paging; leave the docs to the other team",
        "Add paging and leave the docs to our tech writing team",
        "Add paging, leaving the docs to others",
        "Add paging; leave the docs to me",
        "Add paging; leave the docs to the maintainers",
    ] {
        let planned = planned(text);
        assert_eq!(planned.plan.tasks.len(), 1, "{text}");
        assert_eq!(request::read(text).exclusions.len(), 1, "{text}");
    }
}

#[test]
fn an_order_by_numbers_that_is_not_understood_divides_nothing() {
    let list = "1. Add the login\n2. Build the logout\n3. Write the docs\n\n";
    for said in [
        "Begin with 2.",
        "2 can wait until 3 is done",
        "Do 3 first please, 1 is urgent though",
        "Don't do 2 yet",
        "Skip 2",
        "Item 2 is urgent",
        "Leave #2 for later",
    ] {
        let text = format!("{list}{said}");
        let planned = planned(&text);
        assert_eq!(planned.plan.tasks.len(), 1, "{text}: {:#?}", planned.plan);
        assert_eq!(planned.plan.tasks[0].description, text);
    }
}

#[test]
fn an_order_by_numbers_with_marks_is_kept() {
    let planned =
        planned("1. Add the login\n2. Build the logout\n3. Write the docs\n\nDo #3 first");
    let tasks: Vec<String> = planned.plan.tasks.iter().map(outline).collect();
    assert!(!tasks[2].contains('<'), "{tasks:?}");
    assert!(
        tasks[0].ends_with("< write-docs") || tasks[0].ends_with("< docs"),
        "{tasks:?}"
    );
}

#[test]
fn work_to_be_skipped_is_no_task() {
    for text in [
        "Add the catalog, the cart; skip billing",
        "Add the catalog and build the cart; skip billing",
    ] {
        let planned = planned(text);
        let skips = planned
            .plan
            .tasks
            .iter()
            .find(|it| it.title == "Skip billing");
        assert_eq!(skips, None, "{text}");
    }
}
