//! Wordings of which an audit showed that their plans were wrong: the order was turned round, a part
//! was in no task, somebody had the work of others, a title had another clause's verb.

use divisi_core::{Criterion, TaskKind};

use super::*;

fn titles(text: &str) -> Vec<String> {
    let tasks = planned(text).plan.tasks;
    tasks.into_iter().map(|task| task.title).collect()
}

#[test]
fn a_look_with_a_verb_of_its_own_keeps_its_place_before_what_follows_it() {
    check(
        "Audit dependencies for known vulnerabilities, upgrade the affected ones, and note everything \
         in SECURITY.md",
        &[
            "audit-dependencies-known-vulnerabilities security/audit",
            "upgrade-affected-ones development/implementation < \
             audit-dependencies-known-vulnerabilities",
            "note-everything-security-md development/documentation < upgrade-affected-ones",
        ],
    );
    check(
        "Check our licenses, replace the GPL ones, and write down the result in LICENSES.md",
        &[
            "check-licenses development/implementation",
            "replace-gpl-ones development/implementation < check-licenses",
            "write-down-result-licenses-md development/documentation < replace-gpl-ones",
        ],
    );
    check(
        "Profile the parser, speed it up, and record the numbers in docs/perf.md",
        &[
            "profile-parser development/implementation",
            "speed-up development/implementation < profile-parser",
            "record-numbers-docs-perf-md development/documentation < speed-up",
        ],
    );
    check(
        "Benchmark both allocators, switch to the faster one, and note the figures in bench/README.md",
        &[
            "benchmark-both-allocators development/performance",
            "switch-faster-one development/implementation < benchmark-both-allocators",
            "note-figures-bench-readme-md development/documentation < switch-faster-one",
        ],
    );
    check(
        "- audit the session handling\n- upgrade the affected crates",
        &[
            "audit-session-handling security/audit",
            "upgrade-affected-crates development/implementation < audit-session-handling",
        ],
    );
    // What hangs on a change is a look at it.
    check(
        "Add a login, with tests and a security audit",
        &[
            "add-login development/implementation",
            "tests development/test < add-login",
            "security-audit security/audit < tests",
        ],
    );
}

#[test]
fn what_nothing_takes_up_is_divided_from_nothing() {
    for text in [
        "Set up CI on GitLab: lint, unit tests, build the container. Also write how to run it locally.",
        "Write a Terraform module for the new VPC and have security look it over before it is documented",
    ] {
        let tasks = planned(text).plan.tasks;
        assert_eq!(tasks.len(), 1, "{text}: {tasks:#?}");
        assert!(doubtful(&request::read(text)).is_some(), "{text}");
        let told = format!("{}\n{}", tasks[0].title, tasks[0].description);
        assert!(told.contains(text.trim_end_matches('.')), "{text}: {told}");
    }
}

/// What the linter finds in no task of a divided plan would be lost: it is told to whoever divides.
#[test]
fn no_divided_plan_leaves_a_clause_out() {
    let texts = { apart::texts().into_iter() }
        .chain(fifty::texts_of_all())
        .chain(forty::texts())
        .chain(thirty::texts())
        .chain(crate::assess::texts_of_the_sources());
    let mut divided = 0;
    for text in texts {
        let Answer::Planned(planned) = answer(text) else {
            continue;
        };
        if planned.plan.tasks.len() < 2 || matches!(planned.pattern, Pattern::Workflow(_)) {
            continue;
        }
        divided += 1;
        let mut advice = planned.advice.iter();
        let left = advice.find(|it| it.code == codes::LINT_UNCOVERED);
        assert_eq!(left, None, "{text}");
    }
    assert!(divided > 80, "{divided}");
}

#[test]
fn a_label_of_a_section_is_no_work() {
    for text in [
        "Background: we had an outage. Add retries to the fetcher and write tests.",
        "Context: the fetcher is flaky.\nNote: see the wiki.\nAdd retries to the fetcher and write tests.",
    ] {
        let planned = check(
            text,
            &[
                "add-retries-fetcher development/implementation",
                "write-tests development/test < add-retries-fetcher",
            ],
        );
        assert_eq!(planned.advice, [], "{text}");
        // An agent's plan is not asked to speak of one, either.
        let files = files();
        let request = request::read(text);
        let found = lint::plan(
            "plan",
            &planned.plan,
            &lint::Given {
                request: Some(&request),
                files: Some(&files),
                author: lint::Author::Agent,
                ..lint::Given::default()
            },
        );
        let mut causes = found.diagnostics.iter().map(|it| it.cause.as_str());
        assert!(
            !causes.any(|it| it.contains("ackground:") || it.contains("Note:")),
            "{text}"
        );
    }
}

#[test]
fn what_somebody_is_to_have_done_is_his_work() {
    check(
        "Build user authentication, have it audited by security, and write the docs",
        &[
            "build-user-authentication development/implementation",
            "have-audited-by-security security/audit < build-user-authentication",
            "write-docs development/documentation < have-audited-by-security",
        ],
    );
    check(
        "Add a health endpoint and have it reviewed by security and documented",
        &[
            "add-health-endpoint development/implementation",
            "have-reviewed-by-security security/audit < add-health-endpoint",
            "documented development/documentation < have-reviewed-by-security",
        ],
    );
    // Tests that are adapted mend what was changed, so that one task does both.
    let planned = check(
        "Restructure the API layer, adapt its tests, then ship it",
        &[
            "restructure-api-layer development/implementation",
            "ship cicd/deployment < restructure-api-layer",
        ],
    );
    assert_eq!(
        planned.plan.tasks[0].title,
        "Restructure the API layer; Adapt its tests"
    );
    assert_eq!(planned.covers, [vec![0], vec![0], vec![1]]);
}

#[test]
fn the_work_of_several_is_nobodys_of_them() {
    check(
        "Prepare release 3: changelog, migration guide, smoke tests. Do not bump the dependencies.",
        &[
            "changelog-migration-guide development/documentation < smoke-tests",
            "smoke-tests development/test",
        ],
    );
    let tasks = planned("Version 3 - changelog - migration guide - smoke tests")
        .plan
        .tasks;
    let [task] = &tasks[..] else {
        panic!("{tasks:#?}");
    };
    assert_eq!(task.role().as_deref(), Some("development/implementation"));
}

#[test]
fn a_title_has_no_verb_of_another_clause() {
    assert_eq!(
        titles("Localization: extract strings, translate to Spanish, test right-to-left layouts"),
        [
            "Extract strings",
            "Translate to Spanish",
            "Test right-to-left layouts"
        ]
    );
    let all = titles("Add an endpoint and have it reviewed by security and documented");
    assert_eq!(all[2], "Document it");
    let all =
        titles("Audit the login, upgrade the affected ones, and note everything in SECURITY.md");
    assert_eq!(all[2], "Note everything in SECURITY.md");
    // What is one more object has the verb of its clause.
    assert_eq!(
        titles("Remove the SOAP endpoint, test fixtures and its docs")[0],
        "Remove the SOAP endpoint; Remove test fixtures"
    );
}

#[test]
fn a_mark_between_words_is_one_of_them() {
    assert_eq!(titles("Rename - to _ in keys"), ["Rename - to _ in keys"]);
    assert_eq!(
        titles("- rename - to _ in keys\n- add tests"),
        ["Rename - to _ in keys", "Add tests"]
    );
}

#[test]
fn a_rename_is_development_whatever_the_names_mean() {
    check(
        "Rename the state design -> draft in src/states.ts",
        &["rename-state-design-draft-src-states-ts development/implementation"],
    );
    check(
        "Rename docs/old.md to docs/new.md",
        &["rename-docs-old-md-docs-new-md development/documentation"],
    );
}

/// Who asks for one of them learns nothing by hearing that no rule plans it.
#[test]
fn no_example_of_the_sources_is_declined_but_for_its_size_or_its_workflow() {
    for text in crate::assess::texts_of_the_sources() {
        if let Answer::Declined(declined) = answer(text) {
            let mut reasons = declined.reasons.iter();
            let is_true = |it: &Reason| matches!(it, Reason::Whole(_) | Reason::Workflow { .. });
            assert!(reasons.all(is_true), "{text}: {:?}", declined.reasons);
        }
    }
}

#[test]
fn the_halves_of_a_pack_are_tasks_in_the_words_of_the_request() {
    for (text, halves) in [
        (
            "Create a chatbot for customers and a nightly job that exports their questions",
            [
                "A chatbot for customers",
                "A nightly job that exports their questions",
            ],
        ),
        (
            "Set up drafting with sign-off and fully automatic publishing",
            ["Drafting with sign-off", "Fully automatic publishing"],
        ),
        (
            "Create a finance assistant and a marketing assistant, strictly separated",
            [
                "A finance assistant",
                "A marketing assistant, strictly separated",
            ],
        ),
    ] {
        let planned = planned(text);
        assert_eq!(planned.pattern, Pattern::Structure, "{text}");
        let tasks = &planned.plan.tasks;
        assert_eq!(tasks.len(), 2, "{text}: {tasks:#?}");
        for (task, half) in tasks.iter().zip(halves) {
            assert!(task.title.starts_with(half), "{text}: {}", task.title);
            assert!(task.description.contains(text), "{text}: {task:#?}");
        }
        assert_eq!(tasks[1].dependencies, [tasks[0].id.clone()], "{text}");
    }
    for text in [
        "Build high-volume intake flows that are isolated from the admin tooling",
        "Make two bots, one for finance and one for marketing, that never share data",
        "Build a content process: drafting needs human approval loops, publishing is automated",
    ] {
        assert_eq!(planned(text).plan.tasks.len(), 1, "{text}");
    }
}

/// What must stay, by the criteria of the whole and of each task.
fn spared(text: &str) -> Vec<String> {
    let plan = planned(text).plan;
    let of = |criteria: &[Criterion]| -> Vec<String> {
        let patterns = criteria.iter().filter_map(|it| match it {
            Criterion::Scope { patterns } => Some(patterns.clone()),
            _ => None,
        });
        patterns.flatten().collect()
    };
    let whole = of(&plan.criteria);
    for task in &plan.tasks {
        assert_eq!(of(&task.criteria), whole, "{text}");
    }
    whole
}

#[test]
fn a_file_that_must_stay_is_spared_in_german_and_french_too() {
    for text in [
        "Füge eine Funktion in src/main.rs hinzu. README.md darf nicht geändert werden.",
        "Füge in src/main.rs eine Funktion hinzu, ändere aber README.md nicht",
        "Ändere src/main.rs, ohne README.md zu ändern",
        "Ajoute une fonction dans src/main.rs sans modifier README.md",
        "Ajoute une fonction dans src/main.rs, ne touche pas à README.md",
    ] {
        assert_eq!(spared(text), ["!README.md"], "{text}");
        let request = request::read(text);
        let named: Vec<&str> = request.files.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(named, ["src/main.rs"], "{text}");
    }
    // Who forbids and asks for nothing is not understood.
    assert_eq!(
        request::read("Bitte README.md und a.rs nicht ändern").exclusions,
        []
    );
}

#[test]
fn an_approval_is_of_what_comes_last_before_it() {
    check(
        "Write docs/design.md, and before that sketch it in notes.md, then after my approval \
         implement it in calc.js",
        &[
            "write-docs-design-md development/documentation < sketch-notes-md",
            "sketch-notes-md development/planner",
            "approval  < write-docs-design-md",
            "implement-calc-js development/implementation < write-docs-design-md approval",
        ],
    );
    let planned = check(
        "Draft an RFC in docs/rfc.md, after I have signed it off, write the code in src/x.js",
        &[
            "draft-rfc-docs-rfc-md development/planner",
            "approval  < draft-rfc-docs-rfc-md",
            "write-code-src-x-js development/implementation < approval draft-rfc-docs-rfc-md",
        ],
    );
    assert_eq!(planned.plan.tasks[1].kind, TaskKind::Approval);
    // Said last, it is of what stands before it.
    let tasks = super::planned("Build the cache, and deploy it, after my approval")
        .plan
        .tasks;
    assert_eq!(tasks[1].kind, TaskKind::Approval, "{tasks:#?}");
    assert!(tasks[2].dependencies.contains(&tasks[1].id), "{tasks:#?}");
}

#[test]
fn no_file_is_made_up_where_one_is_named() {
    let plan = planned("Document the functions excluding div in docs/usage.md").plan;
    let [task] = &plan.tasks[..] else {
        panic!("{plan:#?}");
    };
    assert_eq!(task.deliverables, []);
    assert!(task.description.contains("docs/usage.md"), "{task:#?}");
}

#[test]
fn items_that_only_say_how_it_is_to_be_are_criteria_of_the_whole() {
    for text in [
        "Add a cache to src/main.rs:\n- all tests pass\n- p95 below 200 ms",
        "Add a cache to src/main.rs.\n\nAcceptance criteria:\n- all tests pass\n- p95 below 200 ms",
    ] {
        let planned = check(text, &["add-cache-src-main-rs development/implementation"]);
        assert_eq!(
            whole(&planned),
            [
                "`cargo test` exits with 0",
                "p95 below 200 ms",
                "changes src/main.rs"
            ],
            "{text}"
        );
        let task = &planned.plan.tasks[0];
        assert!(
            task.description.contains("p95 below 200 ms"),
            "{text}: {task:#?}"
        );
    }
    // Among work, they are none.
    let planned = check(
        "- add a cache to src/main.rs\n- write a guide\n- p95 below 200 ms",
        &[
            "add-cache-src-main-rs development/implementation",
            "write-guide development/documentation < add-cache-src-main-rs",
        ],
    );
    assert!(whole(&planned).contains(&"p95 below 200 ms".to_owned()));
    // What asks for something is work.
    let items = request::read("- make all tests pass\n- lower p95 below 200 ms\n- check the build");
    assert_eq!(items.criteria, []);
}
