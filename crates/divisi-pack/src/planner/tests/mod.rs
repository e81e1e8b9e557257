//! Requests and the plans that rules make of them.

mod answers;
mod apart;
mod audited;
mod changed;
mod fifty;
mod findings;
mod forty;
mod kinds;
mod objects;
mod prohibited;
mod readings;
mod sections;
mod shown;
mod suite;
mod thirty;
mod timed;
mod told;
mod wordings;

use divisi_core::plan::Input;
use divisi_core::{TaskKind, TaskSpec};

use super::*;
use crate::request;

const FILES: &[&str] = &[
    "Cargo.toml",
    "README.md",
    "src/api/mod.rs",
    "src/main.rs",
    "src/old.rs",
    "stories/login.md",
    "web/index.ts",
];

fn files() -> Vec<String> {
    FILES.iter().map(|path| (*path).to_owned()).collect()
}

/// What is known of a project with these files. No command tests it, so a task is bounded by its files.
fn facts<'f>(files: Option<&'f [String]>, roles: &'f Library) -> Facts<'f> {
    Facts {
        files,
        roles,
        tests: None,
        reviewers: Reviewers::Agents,
        has_judges: false,
        budget: Budget::default(),
        sizes: divisi_core::run::Sizes::USUAL,
    }
}

fn answer_with(text: &str, change: impl FnOnce(&mut Facts<'_>)) -> Answer {
    let (files, roles) = (files(), Library::built_in());
    let tests = ["cargo", "test"].map(str::to_owned);
    let mut facts = Facts {
        tests: Some(&tests),
        ..facts(Some(&files), &roles)
    };
    change(&mut facts);
    by_rule(&request::read(text), &facts)
}

fn answer(text: &str) -> Answer {
    answer_with(text, |_| {})
}

#[track_caller]
fn planned(text: &str) -> Planned {
    match answer(text) {
        Answer::Planned(planned) => *planned,
        Answer::Declined(declined) => panic!("{text}: {:?}", declined.reasons),
    }
}

#[track_caller]
fn reasons(text: &str) -> Vec<String> {
    match answer(text) {
        Answer::Planned(planned) => panic!("{text}: {:#?}", planned.plan),
        Answer::Declined(declined) => {
            assert_eq!(declined.proposal.tasks.len(), 1);
            assert_eq!(
                declined.proposal.tasks[0].work,
                divisi_core::plan::Work::Handoff
            );
            declined.reasons.iter().map(ToString::to_string).collect()
        }
    }
}

/// A task in one line: its id, its role, and what it waits for.
fn outline(task: &TaskSpec) -> String {
    let inputs = task.inputs.iter().filter_map(|input| match input {
        Input::Task(id) => Some(id.as_str()),
        Input::Path(_) => None,
    });
    let waits = task.dependencies.iter().map(divisi_core::TaskId::as_str);
    let waits: Vec<&str> = waits.chain(inputs).collect();
    let role = task.role().unwrap_or_default();
    format!("{} {role} < {}", task.id, waits.join(" "))
        .trim_end_matches(['<', ' '])
        .to_owned()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) -> Planned {
    let planned = planned(text);
    let tasks: Vec<String> = planned.plan.tasks.iter().map(outline).collect();
    assert_eq!(tasks, expected, "{text}");
    planned
}

fn checks(task: &TaskSpec) -> Vec<String> {
    task.criteria.iter().map(ToString::to_string).collect()
}

fn whole(planned: &Planned) -> Vec<String> {
    planned
        .plan
        .criteria
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn prose_is_divided_by_the_domains_that_it_names() {
    let planned = check(
        "Add rate limiting to the API, with tests, a security audit and docs",
        &[
            "add-rate-limiting-api development/implementation",
            "tests development/test < add-rate-limiting-api",
            "security-audit security/audit < tests",
            "docs development/documentation < security-audit",
        ],
    );
    let [add, tests, audit, docs] = &planned.plan.tasks[..] else {
        panic!("four tasks");
    };
    assert_eq!(checks(add), ["`cargo test` exits with 0"]);
    assert_eq!(tests.title, "Tests: Add rate limiting to the API");
    assert_eq!(audit.kind, TaskKind::Review);
    assert_eq!(
        checks(audit),
        [
            "review/security-audit.md has at least 200 bytes",
            "review/security-audit.md has a section \"Findings\"",
            "review/security-audit.md has a section \"Reviewed\"",
            "review/security-audit.md has a section \"Not reviewed\"",
        ]
    );
    assert_eq!(docs.deliverables[0].path, "docs/rate-limiting-api.md");
    assert_eq!(
        whole(&planned),
        [
            "`cargo test` exits with 0",
            "review/security-audit.md is not empty",
            "docs/rate-limiting-api.md is not empty",
        ]
    );
    assert_eq!(planned.covers, [[0], [1], [2], [3]]);
    assert_eq!(planned.pattern, Pattern::Structure);
    assert_eq!(planned.advice, []);
}

#[test]
fn what_is_together_no_more_than_one_task_is_joined() {
    let planned = planned(
        "1. Document the limits in docs/limits.md\n2. Document the errors in docs/errors.md",
    );
    let [one] = &planned.plan.tasks[..] else {
        panic!("one task: {:?}", planned.plan.tasks);
    };
    let Pattern::Joined(of) = &planned.pattern else {
        panic!("joined: {:?}", planned.pattern);
    };
    let of: Vec<&str> = of.iter().map(divisi_core::TaskId::as_str).collect();
    let ids = [
        "document-limits-docs-limits-md",
        "document-errors-docs-errors-md",
    ];
    assert_eq!(of, ids);
    assert_eq!(planned.covers, [[0], [0]]);
    let paths: Vec<&str> = one.deliverables.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["docs/limits.md", "docs/errors.md"]);
    // One more, and it is not.
    check(
        "1. Document the limits in docs/limits.md\n2. Document the errors in docs/errors.md\n\
         3. Add tests",
        &[
            "document-limits-docs-limits-md development/documentation",
            "document-errors-docs-errors-md development/documentation < document-limits-docs-limits-md",
            "add-tests development/test < document-errors-docs-errors-md",
        ],
    );
}

#[test]
fn arrows_are_steps_of_the_goal() {
    let planned = check(
        "Build new feature: design → implement → test → audit → document",
        &[
            "design development/planner",
            "implement development/implementation < design",
            "test development/test < implement",
            "audit security/audit < test",
            "document development/documentation < audit",
        ],
    );
    assert_eq!(planned.plan.title, "Build new feature");
    assert_eq!(planned.plan.tasks[1].title, "Implement: Build new feature");
    assert_eq!(
        planned.plan.tasks[4].deliverables[0].path,
        "docs/new-feature.md"
    );
}

#[test]
fn numbered_items_follow_each_other_and_bullets_their_kinds_of_work() {
    let planned = check(
        "1. Design the schema\n2. Write the migration in db/003.sql\n3. Update src/main.rs\n4. Add tests",
        &[
            "design-schema development/planner",
            "write-migration-db-003-sql development/implementation < design-schema",
            "update-src-main-rs development/implementation < write-migration-db-003-sql",
            "add-tests development/test < update-src-main-rs",
        ],
    );
    assert_eq!(planned.plan.title, "Design the schema, and 3 more");
    assert_eq!(planned.plan.tasks[1].deliverables[0].path, "db/003.sql");
    assert_eq!(planned.plan.tasks[2].scope, ["src/main.rs"]);
    check(
        "Please do the following:\n- add a test\n- add a `--json` flag\n- document it in README.md",
        &[
            "add-test development/test < add-json-flag",
            "add-json-flag development/implementation",
            "document-readme-md development/documentation < add-test",
        ],
    );
}

#[test]
fn what_is_said_about_order_counts_more() {
    check(
        "Add tests before refactoring the scheduler",
        &[
            "add-tests development/test",
            "refactoring-scheduler development/implementation < add-tests",
        ],
    );
    check(
        "First investigate which cache library fits, then implement caching in src/cache.rs. \
         Afterwards write tests. Finally update the README.",
        &[
            "investigate-which-cache-library-fits development/planner",
            "implement-caching-src-cache-rs development/implementation < investigate-which-cache-library-fits",
            "write-tests development/test < implement-caching-src-cache-rs",
            "update-readme development/documentation < write-tests",
        ],
    );
}

#[test]
fn changes_of_named_files_go_side_by_side_and_others_follow() {
    check(
        "- Fix the parser in src/parse.rs\n- Fix the printer in src/print.rs\n- Fix the rest",
        &[
            "fix-parser-src-parse-rs development/implementation",
            "fix-printer-src-print-rs development/implementation",
            "fix-rest development/implementation < fix-parser-src-parse-rs fix-printer-src-print-rs",
        ],
    );
}

#[test]
fn what_is_excluded_is_told_and_not_planned() {
    let planned = check(
        "Fix the login bug and add a regression test; do not touch the docs",
        &[
            "fix-login-bug development/implementation",
            "add-regression-test development/test < fix-login-bug",
        ],
    );
    for task in &planned.plan.tasks {
        assert!(
            task.description.contains("\"do not touch the docs\""),
            "{task:?}"
        );
    }
    check(
        "Add dark mode to the settings page without tests",
        &["add-dark-mode-settings-page development/implementation"],
    );
}

#[test]
fn files_say_what_is_made_changed_and_gone() {
    let task = |text: &str| planned(text).plan.tasks.remove(0);
    let added = task("Write a parser in src/parse.rs");
    assert_eq!(added.deliverables[0].path, "src/parse.rs");
    let fixed = task("Fix the bug in src/main.rs");
    assert_eq!(
        (fixed.scope, fixed.deliverables),
        (vec!["src/main.rs".to_owned()], vec![])
    );
    let folder = task("Clean up the handlers in src/api/");
    assert_eq!(folder.scope, ["src/api/**"]);
    assert_eq!(
        checks(&task("Delete src/old.rs"))[0],
        "no file matches src/old.rs"
    );
    assert_eq!(
        checks(&task("Rename src/old.rs to src/new.rs"))[..2],
        ["no file matches src/old.rs", "src/new.rs is not empty"]
    );
}

#[test]
fn more_files_than_one_task_may_change_become_several_tasks() {
    let planned = planned("Update a.py, b.py, c.py, d.py and e.py to the new logger");
    let scopes: Vec<&[String]> = planned
        .plan
        .tasks
        .iter()
        .map(|task| &task.scope[..])
        .collect();
    assert_eq!(
        scopes,
        [&["a.py", "b.py", "c.py"][..], &["d.py", "e.py"][..]]
    );
    assert_eq!(planned.covers, [[0, 1]]);
}

#[test]
fn what_a_request_states_becomes_a_criterion() {
    let planned = check(
        "Add an endpoint GET /health. Make sure that `cargo clippy` passes. README.md contains a section \"Health\".",
        &["add-endpoint-get-health development/implementation"],
    );
    let expected = [
        "`cargo clippy` exits with 0",
        "README.md has a section \"Health\"",
        "`cargo test` exits with 0",
    ];
    assert_eq!(whole(&planned), expected);
    // A statement is no part; a sentence that asks for a check is one that has no task.
    assert_eq!(planned.covers, [vec![0], vec![]]);
}

#[test]
fn where_no_program_can_tell_somebody_judges() {
    let answer = answer_with("Add dark mode", |facts| facts.tests = None);
    let Answer::Planned(planned) = answer else {
        panic!("planned");
    };
    let task = &planned.plan.tasks[0];
    // It is one task: who has judged it has judged the whole, and is not asked in other words.
    let done = ["everything that was asked for is done: Add dark mode"];
    assert_eq!(checks(task), done);
    assert_eq!(whole(&planned), done);
    assert_eq!(planned.advice[0].code, "plan-unfalsifiable");
}

#[test]
fn a_review_of_the_whole_is_the_catalogs() {
    const REVIEW: &str = "Review this repository: correctness, security, tests and documentation";
    let planned = check(
        REVIEW,
        &[
            "functional-review.developer development/implementation",
            "security-review.security_analyst security/audit",
            "test-review.qa development/test",
            "documentation-review.tech_writer development/documentation",
            "report  < functional-review.developer security-review.security_analyst test-review.qa documentation-review.tech_writer",
        ],
    );
    assert_eq!(planned.pattern, Pattern::Workflow("code-review".to_owned()));
    assert_eq!(planned.covers, [[0], [1], [2], [3]]);
    assert_eq!(planned.advice, []);
    assert!(
        planned.plan.tasks[..4]
            .iter()
            .all(|task| task.work == divisi_core::plan::Work::Handoff)
    );
    // Each is told what its report is held against.
    let audit = &planned.plan.tasks[1];
    let path = "reviews/security-review.md".to_owned();
    for criterion in [
        Criterion::Cites { path: path.clone() },
        Criterion::Scope {
            patterns: vec![path],
        },
    ] {
        assert!(audit.criteria.contains(&criterion), "{:?}", audit.criteria);
    }
    for words in [REVIEW, "`reviews/security-review.md`", "there: `"] {
        assert!(audit.description.contains(words), "{}", audit.description);
    }
    let Answer::Planned(programs) =
        answer_with(REVIEW, |facts| facts.reviewers = Reviewers::Programs)
    else {
        panic!("planned");
    };
    let divisi_core::plan::Work::Command(argv) = &programs.plan.tasks[0].work else {
        panic!("a command");
    };
    assert_eq!(
        argv[..4],
        ["divisi", "review", "--perspective", "functional"]
    );
}

#[test]
fn a_review_leaves_out_what_is_excluded() {
    let ids = |text: &str| -> Vec<String> {
        planned(text)
            .plan
            .tasks
            .iter()
            .map(|task| task.id.to_string())
            .collect()
    };
    assert_eq!(ids("Review this repository").len(), 6);
    let without = ids("Review the pull request, but not the documentation");
    assert_eq!(without.len(), 5);
    assert!(
        !without.contains(&"documentation-review.tech_writer".to_owned()),
        "{without:?}"
    );
    assert_eq!(ids("Scan repository for security vulnerabilities").len(), 1);
}

#[test]
fn incidents_and_user_stories_are_the_catalogs() {
    let planned = planned("Respond to incident 42: the API has been down since noon");
    assert_eq!(
        planned.pattern,
        Pattern::Workflow("incident-response".to_owned())
    );
    assert_eq!(
        planned.plan.tasks[0].deliverables[0].path,
        "incidents/42/triage.md"
    );
    assert_eq!(planned.advice, []);
    let planned = super::tests::planned("Refine the user stories");
    assert_eq!(
        planned.pattern,
        Pattern::Workflow("user-story-refinement".to_owned())
    );
    assert_eq!(
        planned.plan.tasks[0].deliverables[0].path,
        "stories/login/requirements.md"
    );
}

#[test]
fn what_cannot_be_planned_is_declined_with_the_reason() {
    for (text, expected) in [
        ("", "nothing is asked for"),
        ("hello", "no word says what is to be done in `hello`"),
        (
            "Build a complete multi-vendor e-commerce marketplace",
            "`marketplace` is a whole system",
        ),
        ("Build me a SaaS company", "is a whole system"),
        (
            "Fix src/main.rs but do not touch src/",
            "it asks for `Fix src/main.rs` and says",
        ),
    ] {
        let reasons = reasons(text);
        assert!(reasons[0].contains(expected), "{text}: {reasons:?}");
    }
    let many: Vec<String> = (1..=12)
        .map(|at| format!("{at}. Fix the module {at}"))
        .collect();
    let reasons = reasons(&many.join("\n"));
    assert_eq!(reasons, ["12 stages one after the other, more than 10"]);
}

#[test]
fn one_request_has_one_plan() {
    for text in [
        "Add rate limiting to the API, with tests, a security audit and docs",
        "hello",
    ] {
        assert_eq!(answer(text), answer(text));
    }
}

#[test]
fn hostile_requests_end() {
    let long = "Fix a.rs, ".repeat(20_000);
    let list: String = (0..2_000).map(|at| format!("- fix it {at}\n")).collect();
    let files: Vec<String> = (0..2_000).map(|at| format!("src/{at}.rs")).collect();
    let files = format!("Update {}", files.join(", "));
    let arrows = vec!["do"; 3_000].join(" -> ");
    for text in [
        long.as_str(),
        &list,
        &files,
        &arrows,
        "\u{0}\u{202e}",
        "-> -> ->",
        "- \n- \n",
    ] {
        let Answer::Declined(declined) = answer(text) else {
            panic!("planned");
        };
        let proposed = crate::plan_file::write(&declined.proposal);
        let read = crate::plan_file::read("plan.json", proposed.as_bytes());
        assert!(read.plan.is_some(), "{:#?}", read.diagnostics);
    }
}

/// Every plan can be written to a file, read back, and has no fault there.
#[test]
fn plans_survive_the_file() {
    for text in [
        "Add rate limiting to the API, with tests, a security audit and docs",
        "Review this repository: correctness, security, tests and documentation",
        "Respond to incident 42: the API has been down since noon",
    ] {
        let plan = planned(text).plan;
        let text = crate::plan_file::write(&plan);
        let read = crate::plan_file::read("plan.json", text.as_bytes());
        assert!(
            read.plan.as_ref() == Some(&plan),
            "{text}\n{:#?}",
            read.diagnostics
        );
    }
}
#[test]
fn what_hangs_on_a_clause_is_called_after_it() {
    let titles = |text: &str| -> Vec<String> {
        let Answer::Planned(planned) = answer_with(text, |facts| facts.tests = None) else {
            panic!("{text}");
        };
        let tasks = planned.plan.tasks.into_iter();
        tasks.map(|task| task.title).collect()
    };
    assert_eq!(
        titles("Fix the parser, with tests and docs"),
        [
            "Fix the parser",
            "Tests: Fix the parser",
            "Docs: Fix the parser"
        ]
    );
    assert_eq!(
        titles("Replace the logger by `tracing`; also update the README and the tests"),
        [
            "Replace the logger by `tracing`",
            "Update the README",
            "Update the tests"
        ]
    );
}

#[test]
fn documents_and_reviews_are_known_by_their_nouns() {
    let task = |text: &str| planned(text).plan.tasks.remove(0);
    let runbook = task("Write a runbook for failover");
    assert_eq!(runbook.role().as_deref(), Some("cicd/operations"));
    assert_eq!(
        runbook.deliverables[0].path,
        "docs/write-runbook-failover.md"
    );
    let notes = planned("implement -> release notes").plan.tasks.remove(1);
    assert_eq!(notes.role().as_deref(), Some("development/documentation"));
    for text in [
        "Do a full code review of the current branch",
        "Run a security audit of the login",
    ] {
        assert_eq!(task(text).kind, TaskKind::Review, "{text}");
    }
    assert_eq!(
        task("Fix what the security audit found").kind,
        TaskKind::Work
    );
}

#[test]
fn nothing_is_left_out_silently() {
    let text = "Describe how sessions expire; then shorten the timeout";
    let planned = planned(text);
    let [task] = &planned.plan.tasks[..] else {
        panic!("one task: {:#?}", planned.plan);
    };
    assert_eq!(
        (task.title.as_str(), task.description.as_str()),
        (text, text)
    );
}

#[test]
fn what_is_no_path_of_the_tree_is_no_scope() {
    let task = planned("Fix the loader in /etc/app.conf and ../x/y.rs")
        .plan
        .tasks
        .remove(0);
    assert_eq!(task.scope, [] as [&str; 0]);
}

/// One list says which workflow answers a request: where the assessment names it, it plans.
#[test]
fn what_the_assessment_calls_a_workflow_is_planned_by_it() {
    let mut named = 0;
    for text in crate::assess::texts_of_the_sources() {
        let request = request::read(text);
        let repository = crate::assess::Repository::default();
        let assessment =
            crate::assess::assess(&request, &repository, &divisi_core::run::Sizes::USUAL);
        let rule = { assessment.rules.iter() }.find(|it| it.rule == "known-workflow");
        let said = rule.map(|it| it.because.concat());
        let is_of = |reason: &Reason| match reason {
            Reason::Workflow { name, .. } => Some(name.clone()),
            _ => None,
        };
        let planned = match answer(text) {
            Answer::Planned(planned) => match planned.pattern {
                Pattern::Workflow(name) if planned.plan.tasks.len() > 1 => Some(name),
                _ => None,
            },
            Answer::Declined(declined) => declined.reasons.iter().find_map(is_of),
        };
        named += usize::from(said.is_some());
        assert_eq!(said, planned, "{text}");
    }
    assert!(named > 10, "{named}");
}

/// What would be made in several passes is a plan of the components that the request lists.
#[test]
fn a_whole_system_is_planned_by_the_components_that_it_lists() {
    for (request, names) in [
        (
            "Create an entire platform with auth, billing, admin, analytics",
            &["auth", "billing", "admin", "analytics"][..],
        ),
        (
            "Build me a SaaS with auth, billing and admin",
            &["auth", "billing", "admin"],
        ),
    ] {
        let Answer::Planned(planned) = answer(request) else {
            panic!("{request} is declined");
        };
        let ids: Vec<&str> = planned
            .plan
            .tasks
            .iter()
            .map(|task| task.id.as_str())
            .collect();
        assert_eq!(ids, names, "{request}");
        for (at, task) in planned.plan.tasks.iter().enumerate() {
            assert!(
                task.description.contains(&format!("> {request}")),
                "{task:?}"
            );
            let before: Vec<&str> = task.dependencies.iter().map(|it| it.as_str()).collect();
            assert_eq!(before, names[..at].last().copied().as_slice(), "{request}");
        }
        assert_eq!(
            planned.covers.concat().iter().max(),
            Some(&(names.len() - 1))
        );
    }
    // What is excluded, left open, or no component, is not cut out of a list.
    for request in [
        "Build an entire e-commerce platform with a catalog, a cart, and the checkout, but not the cart",
        "Generate an entire accounting platform with ledger, invoices and payroll. Leave payroll to the other team.",
        "Build an entire shop platform with catalog, cart, checkout, a recommendation engine that learns from orders, payments, invoices",
        "Build an entire admin platform including auth, billing, reporting, etc.",
    ] {
        let is_divided = match answer(request) {
            Answer::Planned(planned) => planned.plan.tasks.len() > 1,
            Answer::Declined(_) => false,
        };
        assert!(!is_divided, "{request}");
    }
    // Where nothing is listed, nothing is made up.
    let Answer::Declined(declined) = answer("Build an entire platform") else {
        panic!("nobody knows its parts");
    };
    assert!(
        matches!(declined.reasons[..], [Reason::Whole(_)]),
        "{declined:?}"
    );
}

/// Tasks that are joined have the request as their title, also what it forbids.
#[test]
fn a_title_that_forbids_something_is_no_deed() {
    let one = planned(
        "Please write a migration guide. Never edit the public API and the legacy exporter. \
         Update the changelog.",
    );
    let [task] = &one.plan.tasks[..] else {
        panic!("{:?}", one.plan.tasks);
    };
    assert!(task.title.contains("Never edit"), "{}", task.title);
}

/// What only speaks of reviews, incidents or stories is no work for a workflow of them.
#[test]
fn what_speaks_of_incidents_reviews_and_stories_is_not_always_the_catalogs() {
    for request in [
        "Fix the crash in the incident response form",
        "Build an incident response dashboard",
        "Remove the incident response page",
        "Resolve the incident response page crash",
        "Document our outage response process in docs/outage.md",
        "Refactor the incident module so that the response is typed",
        "Return a JSON response when an incident is created",
        "Add retry to the uploader. Respond with 503 during an outage",
        "Fix src/a.py and respond to the open incident",
        "Build a complete code review tool",
        "Fix the full page reload in the code review screen",
        "Add a full-text search to the code review page with full history",
        "Perform a full code review and fix what you find",
        "Refine the layout of the stories page",
        "Rename detail to summary in the stories list",
        "Add detail view for stories",
        "Elaborate the error texts for stories without a title",
    ] {
        let pattern = match answer(request) {
            Answer::Planned(planned) => Some(planned.pattern),
            Answer::Declined(_) => None,
        };
        let is_catalogs = matches!(pattern, Some(Pattern::Workflow(_)));
        assert!(!is_catalogs, "{request}: {pattern:?}");
        let read = request::read(request);
        let assessment =
            crate::assess::assess_text(&read.text, &crate::assess::Repository::default());
        let mut rules = assessment.rules.iter();
        assert!(rules.all(|it| it.rule != "known-workflow"), "{request}");
    }
}
