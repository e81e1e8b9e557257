//! Requests that want an answer and no change.

use super::*;

/// The one task, with what it makes.
#[track_caller]
fn answered(text: &str) -> (Planned, String) {
    let planned = planned(text);
    let [task] = &planned.plan.tasks[..] else {
        panic!("{text}: {:#?}", planned.plan.tasks);
    };
    assert_eq!(task.kind, TaskKind::Research, "{text}");
    assert_eq!(
        task.role().as_deref(),
        Some("development/planner"),
        "{text}"
    );
    let [made] = &task.deliverables[..] else {
        panic!("{text}: {:?}", task.deliverables);
    };
    let path = made.path.clone();
    (planned, path)
}

/// The request is answered in this file, and nothing else changes.
#[track_caller]
fn check_answer(text: &str, path: &str) {
    let (planned, made) = answered(text);
    assert_eq!(made, path, "{text}");
    let is_there = files().contains(&made);
    let changed = is_there.then(|| format!("changes {made}"));
    let expected: Vec<String> = { [format!("{made} is not empty")].into_iter() }
        .chain(changed)
        .chain([format!("changes only {made}")])
        .collect();
    assert_eq!(checks(&planned.plan.tasks[0]), expected, "{text}");
    let scope = format!("changes only {made}");
    assert!(
        whole(&planned).contains(&scope),
        "{text}: {:?}",
        whole(&planned)
    );
    let Answer::Planned(one) = super::as_one(&request::read(text), &facts_of(&files())) else {
        panic!("{text}: declined");
    };
    let task = &one.plan.tasks[0];
    assert_eq!(task.kind, TaskKind::Research, "{text}");
    assert_eq!(task.deliverables[0].path, path, "{text}");
    assert!(checks(task).contains(&scope), "{text}: {:?}", checks(task));
}

fn facts_of(files: &[String]) -> Facts<'_> {
    static ROLES: std::sync::LazyLock<Library> = std::sync::LazyLock::new(Library::built_in);
    facts(Some(files), &ROLES)
}

#[test]
fn a_question_is_answered_in_a_file_and_nothing_else_changes() {
    for (text, file) in [
        (
            "Don't change anything, just tell me what src/main.rs does",
            "research/just-tell-me-what-src-main-rs-does.md",
        ),
        (
            "What does src/main.rs do?",
            "research/what-does-src-main-rs-do.md",
        ),
        (
            "Which functions in src/main.rs are unused?",
            "research/which-functions-src-main-rs-are-unused.md",
        ),
        (
            "Is src/old.rs still used? Just answer, don't modify anything.",
            "research/is-src-old-rs-still-used-just-answer.md",
        ),
        (
            "Explain how the parser in src/main.rs works",
            "research/explain-how-parser-src-main-rs-works.md",
        ),
        (
            "Can you explain how the parser handles quotes?",
            "research/can-you-explain-how-parser-handles.md",
        ),
        (
            "Tell me how src/main.rs computes the total. Do not change any files.",
            "research/tell-me-how-src-main-rs-computes-total.md",
        ),
        (
            "I want to know what src/api/mod.rs exports. Leave everything as it is.",
            "research/i-want-know-what-src-api-mod-rs-exports.md",
        ),
        (
            "Explain why the tests are slow and what could be done. Don't change any code.",
            "research/explain-why-tests-are-slow-what-could-be.md",
        ),
        (
            "Would it be better to use clap in src/main.rs? Give me your recommendation, change nothing.",
            "research/would-be-better-use-clap-src-main-rs.md",
        ),
    ] {
        check_answer(text, file);
    }
}

#[test]
fn the_named_file_holds_the_answer() {
    for (text, file) in [
        (
            "Should we use a trait in src/main.rs? Investigate and give a recommendation in docs/decision.md",
            "docs/decision.md",
        ),
        (
            "Should the parser be split into two files? Recommend one option in docs/split.md, no code changes.",
            "docs/split.md",
        ),
        (
            "Why is src/main.rs so slow? Investigate and report in slow.md. Don't touch the code.",
            "slow.md",
        ),
        (
            "How does the cart round prices? Write the answer into notes/rounding.md.",
            "notes/rounding.md",
        ),
        (
            "Find out where the version is set and write the answer to answers/version.md. Nothing may change.",
            "answers/version.md",
        ),
        (
            "Is the web part still in use? Record your conclusion in README.md, change nothing else.",
            "README.md",
        ),
    ] {
        check_answer(text, file);
    }
}

#[test]
fn a_polite_command_is_work_and_no_question() {
    for text in [
        "Could you rename shout to yell in src/main.rs?",
        "Can you fix the bug in src/main.rs?",
        "Can we add a flag to src/main.rs?",
        "Why does the total not include tax? Please fix it in src/main.rs.",
        "What about adding a flag to src/main.rs?",
        "Explain in README.md how the parser works",
        "Fix the parser and tell me what you changed",
        "Find out why src/main.rs is slow and fix it",
    ] {
        assert!(!request::read(text).is_question, "{text}");
    }
    let planned = planned("Fix the parser in src/main.rs. Should we use a trait there?");
    let [task] = &planned.plan.tasks[..] else {
        panic!("a question is no task: {:#?}", planned.plan.tasks);
    };
    assert!(task.description.contains("Should we use a trait there"));
}

#[test]
fn a_question_beside_work_is_no_work() {
    for text in [
        "Should we use a trait in src/main.rs? Then implement it and add tests.",
        "Should we drop src/old.rs? Update README.md in any case.",
    ] {
        let answer = answer(text);
        let plan = match answer {
            Answer::Planned(planned) => planned.plan,
            Answer::Declined(declined) => declined.proposal,
        };
        let [task] = &plan.tasks[..] else {
            panic!("{text}: {:#?}", plan.tasks);
        };
        assert!(
            task.description.contains(text.trim_end_matches('.')),
            "{text}"
        );
    }
}

#[test]
fn who_only_runs_the_tests_says_what_came_of_it() {
    let (planned, path) = {
        let planned = planned("Run the tests");
        let path = planned.plan.tasks[0].deliverables[0].path.clone();
        (planned, path)
    };
    assert_eq!(path, "research/run-tests.md");
    assert_eq!(
        checks(&planned.plan.tasks[0]),
        ["research/run-tests.md is not empty"]
    );
}

#[test]
fn whether_something_can_be_done_is_a_question_where_what_it_means_is_to_be_told() {
    for (text, file) in [
        (
            "Can we drop Ruby 3.0? Check what our gems still require and tell me what would break.",
            "research/can-we-drop-ruby-3-0-check-what-gems.md",
        ),
        (
            "Could I delete src/old.rs? Tell me if anything uses it.",
            "research/could-i-delete-src-old-rs-tell-me-if.md",
        ),
    ] {
        check_answer(text, file);
    }
    // Asked alone it is a way to ask for it; beside something else nobody knows.
    for (text, count) in [
        ("Can we add a dark mode to the settings, with tests?", 2),
        ("Could we add a dark mode? Tell me when it is done.", 1),
        ("The login test fails. Tell me when it is fixed.", 1),
        ("The login page is blank. Let me know once it works.", 1),
        (
            "Could we use the new API? Look at what our plugins need and tell me.",
            1,
        ),
    ] {
        let tasks = planned(text).plan.tasks;
        assert_eq!(tasks.len(), count, "{text}: {tasks:#?}");
        let changes = |task: &TaskSpec| task.kind == TaskKind::Work;
        assert!(tasks.iter().any(changes), "{text}: {tasks:#?}");
    }
}

#[test]
fn items_that_say_what_is_to_be_told_are_no_tasks() {
    for text in [
        "Handbook for new maintainers, please cover\n* how to cut a release\n* how we label issues",
        "Write a handbook for new maintainers:\n- how to cut a release\n- who to ask for access",
    ] {
        let tasks = planned(text).plan.tasks;
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert!(tasks[0].description.contains("how to cut a release"));
    }
    let tasks = planned("- write up for the wiki how to add an emitter\n- add a flag `--x`")
        .plan
        .tasks;
    let writer = tasks.iter().find(|task| task.title.starts_with("Write up"));
    let function = writer.and_then(|task| task.function.as_deref());
    assert_eq!(function, Some("documentation"), "{tasks:#?}");
}
