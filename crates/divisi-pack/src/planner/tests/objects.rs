//! What a clause is of beside its first object: lists behind a colon, the next file, what each file has.

use super::*;

#[track_caller]
fn one(text: &str) -> Planned {
    let planned = planned(text);
    assert_eq!(
        planned.plan.tasks.len(),
        1,
        "{text}: {:#?}",
        planned.plan.tasks
    );
    planned
}

#[test]
fn a_list_that_only_says_of_what_is_no_list_of_tasks() {
    for (text, changed) in [
        (
            "Add an entry to README.md for each of these: checked division, a sub function, and \
             README examples",
            Some("README.md"),
        ),
        (
            "Add a section to README.md for each of these topics: installation, tests, and deployment",
            Some("README.md"),
        ),
        (
            "Add a section to README.md about each of the following:\n- installation\n- tests\n\
             - a security audit",
            Some("README.md"),
        ),
        (
            "Mention the following in README.md: tests, docs, the security audit",
            None,
        ),
        (
            "Write a paragraph in README.md about each of the following: security, performance \
             and testing",
            None,
        ),
        (
            "List these in README.md: the new parser, the test suite, and a docs rewrite",
            None,
        ),
    ] {
        let planned = one(text);
        let task = &planned.plan.tasks[0];
        assert_eq!(task.deliverables, [], "{text}");
        assert_eq!(task.scope, ["README.md"], "{text}");
        assert_ne!(task.kind, TaskKind::Review, "{text}");
        let changes = format!("changes {}", changed.unwrap_or("README.md"));
        let is_changed = checks(task).contains(&changes);
        assert!(
            is_changed || changed.is_none(),
            "{text}: {:?}",
            checks(task)
        );
    }
    one("Add tests for each of these: the parser, the formatter, and README examples");
}

#[test]
fn a_list_of_things_to_do_is_one_of_tasks() {
    check(
        "Do the following: add tests, update docs, run an audit",
        &[
            "add-tests development/test",
            "update-docs development/documentation < run-audit",
            "run-audit security/audit < add-tests",
        ],
    );
}

#[test]
fn what_each_of_several_files_has_is_checked_in_each() {
    for text in [
        "Write docs/a.md and docs/b.md, each with a section \"Limits\"",
        "Write docs/a.md and docs/b.md, both with a section \"Limits\"",
        "Write docs/a.md and docs/b.md, each containing a section \"Limits\"",
        "Write docs/a.md and docs/b.md, both having a section \"Limits\"",
        "Write docs/a.md and docs/b.md. Each must have a section \"Limits\".",
        "Write docs/a.md and docs/b.md. Both should have a section \"Limits\".",
    ] {
        let planned = one(text);
        for file in ["docs/a.md", "docs/b.md"] {
            let has = format!("{file} has a section \"Limits\"");
            assert!(
                whole(&planned).contains(&has),
                "{text}: {:?}",
                whole(&planned)
            );
        }
    }
    let planned = one("Write docs/a.md with a section \"Limits\"");
    assert!(whole(&planned).contains(&"docs/a.md has a section \"Limits\"".to_owned()));
}

#[test]
fn the_next_file_comes_after_those_before_it() {
    let planned = check(
        "Write docs/a.md, docs/b.md and docs/c.md, each with a section \"Example\", and then an index \
         docs/README.md that links to them",
        &[
            "write-docs-a-md-docs-b-md-docs-c-md-each development/documentation",
            "index-docs-readme-md-that-links development/documentation < \
             write-docs-a-md-docs-b-md-docs-c-md-each",
        ],
    );
    let [files, index] = &planned.plan.tasks[..] else {
        panic!("two tasks");
    };
    assert_eq!(
        index.title,
        "Write an index docs/README.md that links to them"
    );
    assert_eq!(index.deliverables[0].path, "docs/README.md");
    assert!(checks(files).contains(&"docs/c.md has a section \"Example\"".to_owned()));
    check(
        "Create src/a.rs and src/b.rs, and then a test tests/ab.rs that uses both",
        &[
            "create-src-a-rs-src-b-rs development/implementation",
            "test-tests-ab-rs-that-uses-both development/test < create-src-a-rs-src-b-rs",
        ],
    );
}

#[test]
fn shares_of_many_files_are_told_apart_by_their_titles() {
    let names: Vec<String> = (0..7)
        .map(|at| format!("docs/a-rather-long-name-{at}.md"))
        .collect();
    let planned = planned(&format!("Write {}", names.join(", ")));
    let mut titles: Vec<&str> = planned
        .plan
        .tasks
        .iter()
        .map(|it| it.title.as_str())
        .collect();
    let count = titles.len();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!((titles.len(), count), (3, 3), "{titles:?}");
}

#[test]
fn a_piece_of_a_document_is_written_with_it() {
    let planned = one(
        "Document src/main.rs in README.md (section \"greet\"), add an example with the text \"hello \
         Ann\", and keep README.md under 100 lines",
    );
    let task = &planned.plan.tasks[0];
    assert_eq!(
        outline(task).split(' ').nth(1),
        Some("development/documentation")
    );
    assert!(task.title.contains("(section \"greet\")"), "{}", task.title);
}

#[test]
fn a_title_is_not_cut_within_parentheses() {
    let long = "a very long remark that goes on and on, so that it is cut somewhere in its middle";
    let planned = planned(&format!(
        "Rename the function shout to yell in src/main.rs ({long})"
    ));
    let title = &planned.plan.tasks[0].title;
    assert_eq!(title, "Rename the function shout to yell in src/main.rs…");
}

#[test]
fn what_a_sentence_goes_on_to_state_of_a_file_is_checked() {
    let planned =
        planned("README.md must contain a section \"Usage\" and must not contain \"TODO\"");
    assert_eq!(
        whole(&planned),
        [
            "README.md has a section \"Usage\"",
            "README.md lacks \"TODO\"",
            "`cargo test` exits with 0",
        ]
    );
}

#[test]
fn nothing_new_is_wanted_beside() {
    let request = request::read("Upgrade the project to TypeScript. No new dependencies.");
    let excluded: Vec<&str> = request
        .exclusions
        .iter()
        .map(|it| it.text.as_str())
        .collect();
    assert_eq!(excluded, ["No new dependencies"]);
    let told = request::read("No new messages are shown after login. Fix that in src/main.rs.");
    assert_eq!(told.exclusions, []);
}

#[test]
fn a_document_with_a_form_of_its_own_is_promised_nowhere() {
    for text in [
        "Add a man page. Skip the tests, they are slow.",
        "Write a man page for the greet command",
        "Add a wiki page on deployment",
    ] {
        let planned = one(text);
        assert_eq!(planned.plan.tasks[0].deliverables, [], "{text}");
    }
}
