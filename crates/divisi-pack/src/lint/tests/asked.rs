//! Plans beside the request that they answer.

use super::*;
use crate::request;

const REQUEST: &str = "Add rate limiting to the API, with tests, a security audit and docs. \
    Do not touch the web client in web/ and do not deploy.";

/// The sound plan with a guide, which the request asks for, too.
fn answering() -> Value {
    let mut plan = sound();
    push(&mut plan, guide());
    plan
}

fn guide() -> Value {
    json!({
        "subtask_id": "guide", "title": "Write a guide to rate limiting",
        "assigned_to": "development", "worker_type": "documentation",
        "inputs": ["audit"], "deliverables": ["docs/limits.md"], "estimated_duration_minutes": 10,
        "estimated_tokens": 1000
    })
}

fn found_of(request: &str, plan: &Value) -> Vec<Diagnostic> {
    super::found_of(Some(&request::read(request)), plan, |_| {})
}

/// Changes the plan that answers the request and expects one finding, of this code.
#[track_caller]
fn only_of(request: &str, code: &str, mutate: impl FnOnce(&mut Value)) -> Diagnostic {
    let mut plan = answering();
    mutate(&mut plan);
    let mut found = found_of(request, &plan);
    assert_eq!(codes_of(&found), [code], "{found:#?}");
    let one = found.remove(0);
    assert!(!one.hints.is_empty(), "{one:?}");
    one
}

#[test]
fn a_plan_that_answers_has_no_finding() {
    assert_eq!(found_of(REQUEST, &answering()), []);
}

#[test]
fn a_person_is_asked_where_the_request_says_so() {
    let request = "Ask me before you merge. Add rate limiting to the API, with tests, a security \
                   audit and docs.";
    let without = found_of(request, &answering());
    let (approval, others): (Vec<_>, Vec<_>) =
        { without.into_iter() }.partition(|found| found.code == "lint-approval");
    assert_eq!(approval.len(), 1);
    assert!(approval[0].cause.contains("Ask me"), "{approval:?}");
    let mut plan = answering();
    let tasks = plan["subtasks"].as_array_mut().expect("a list");
    tasks
        .push(json!({"subtask_id": "ask", "title": "Ask me before you merge", "kind": "approval"}));
    let with = found_of(request, &plan);
    assert!(codes_of(&with).len() <= others.len(), "{with:#?}");
    assert!(!codes_of(&with).contains(&"lint-approval"), "{with:#?}");
}

#[test]
fn every_part_of_the_request_has_a_task() {
    let found = only_of(REQUEST, "lint-uncovered", |plan| {
        let tasks = plan["subtasks"].as_array_mut().expect("a list");
        tasks.retain(|task| task["subtask_id"] != "guide");
    });
    assert_eq!(found.cause, "no task does `docs`");
    only_of(
        "Add rate limiting to the API, with tests, a security audit, docs and add a CSV export",
        "lint-uncovered",
        |_| {},
    );
}

/// What the reader takes for no part may ask for something all the same. Rules tell each task what
/// only tells something; of other plans nobody knows.
#[test]
fn every_clause_is_spoken_of_somewhere() {
    let request = format!("{REQUEST} Dashboards for grafana would be splendid.");
    let found = |plan: &Value| {
        let by_agent = |given: &mut Given<'_>| given.author = Author::Agent;
        super::found_of(Some(&request::read(&request)), plan, by_agent)
    };
    let [warning] = &found(&answering())[..] else {
        panic!("{:#?}", found(&answering()));
    };
    assert_eq!(warning.code, "lint-uncovered");
    assert_eq!(warning.severity, Severity::Warning);
    assert!(warning.cause.contains("grafana"), "{warning:?}");
    assert_eq!(found_of(&request, &answering()), []);
    let mut plan = answering();
    plan["subtasks"][0]["description"] = json!("With dashboards for grafana.");
    assert_eq!(found(&plan), []);
    // What is neither told nor done, a plan by rule does not do either.
    let request = format!("{REQUEST} Set up CI: zyx, unit tests, build the container.");
    let found = only_of(&request, "lint-uncovered", |plan| {
        plan["subtasks"][0]["description"] = json!("Set up CI, unit tests, build the container.");
    });
    assert!(found.cause.contains("zyx"), "{found:?}");
}

#[test]
fn who_quotes_the_request_does_not_do_all_of_it() {
    only_of(REQUEST, "lint-uncovered", |plan| {
        task(plan, "guide")["assigned_to"] = json!("development");
        task(plan, "guide")["worker_type"] = json!("test");
        task(plan, "guide")["title"] = json!("More");
        task(plan, "guide")["deliverables"] = json!(["more.md"]);
        task(plan, "guide")["subtask_id"] = json!("more");
        task(plan, "tests")["description"] = json!(format!("A part of: {REQUEST}"));
    });
}

#[test]
fn nothing_is_done_that_is_excluded() {
    let found = only_of(REQUEST, "lint-forbidden", |plan| {
        task(plan, "tests")["files_affected"] = json!(["web/**/*.ts"]);
    });
    assert_eq!(
        found.cause,
        "`tests` may change `web/**/*.ts`, and the request says `Do not touch the web client in web/ and do not deploy`"
    );
    only_of(REQUEST, "lint-forbidden", |plan| {
        push(
            plan,
            json!({
                "subtask_id": "ship", "title": "Ship it", "assigned_to": "cicd",
                "worker_type": "deployment", "dependencies": ["guide"], "criteria": [{"command": ["true"]}]
            }),
        );
        // It is not asked for either, which is said only once.
        let tasks = plan["subtasks"].as_array_mut().expect("a list");
        tasks.last_mut().expect("some")["agent"] = json!("person");
    });
}

#[test]
fn work_that_is_excluded_is_excluded_with_its_files() {
    const WITHOUT: &str =
        "Add rate limiting to the API, with tests and a security audit, but no docs";
    let mut plan = sound();
    task(&mut plan, "tests")["files_affected"] = json!(["docs/limits.md"]);
    assert_eq!(codes_of(&found_of(WITHOUT, &plan)), ["lint-forbidden"]);
    let excluded = found_of(WITHOUT, &answering());
    assert!(
        codes_of(&excluded).contains(&"lint-forbidden"),
        "{excluded:#?}"
    );
    assert_eq!(found_of(WITHOUT, &sound()), []);
}

#[test]
fn nothing_changes_beyond_what_the_request_is_about_only() {
    const ONLY: &str = "Add rate limiting to the API, with tests, a security audit and docs. \
        Only touch src/ and limits.md.";
    let scoped = |scope: &str, plan: &mut Value| {
        task(plan, "tests")["files_affected"] = json!([scope]);
    };
    for within in ["src/limits.rs", "src/**", "limits.md", "**/*.rs"] {
        let mut plan = answering();
        scoped(within, &mut plan);
        let found = found_of(ONLY, &plan);
        assert!(!codes_of(&found).contains(&"lint-forbidden"), "{found:#?}");
    }
    for beyond in ["web/index.ts", "tests/**", "docs/other.md"] {
        let found = only_of(ONLY, "lint-forbidden", |plan| scoped(beyond, plan));
        assert_eq!(
            found.cause,
            format!(
                "`tests` may change `{beyond}`, and the request says `Only touch src/ and limits.md`"
            )
        );
    }
}

#[test]
fn what_must_not_be_done_is_known_by_its_words() {
    const KEEP: &str = "Add rate limiting to the API, with tests, a security audit and docs. \
        Do not rename the handlers.";
    only_of(KEEP, "lint-forbidden", |plan| {
        task(plan, "refuse")["title"] = json!("Rename the handlers that refuse");
    });
    assert_eq!(found_of(KEEP, &answering()), []);
}

#[test]
fn work_that_nobody_asked_for_is_told() {
    only_of(REQUEST, "lint-unasked", |plan| {
        push(
            plan,
            json!({
                "subtask_id": "scan", "title": "Profile it", "kind": "review",
                "assigned_to": "development", "worker_type": "performance", "dependencies": ["guide"],
                "deliverables": ["review/performance.md"], "estimated_duration_minutes": 10,
                "estimated_tokens": 1000
            }),
        );
    });
}

#[test]
fn where_something_is_to_change_a_task_changes_it() {
    only_of(REQUEST, "lint-no-change", |plan| {
        for id in ["count", "refuse"] {
            let task = task(plan, id);
            task["kind"] = json!("research");
            remove(task, "files_affected");
            task["deliverables"] = json!([format!("design/api-{id}.md")]);
            remove(task, "criteria");
        }
    });
}

#[test]
fn what_the_request_states_is_a_criterion_of_the_plan() {
    const STATED: &str = "Add rate limiting to the API, with tests, a security audit and docs. \
        Make sure that docs/limits.md contains \"429\".";
    only_of(STATED, "lint-uncovered", |_| {});
    let mut plan = answering();
    let criteria = plan["criteria"].as_array_mut().expect("a list");
    criteria.push(json!({"contains": "429", "in": "docs/limits.md"}));
    assert_eq!(found_of(STATED, &plan), []);
}

fn by_agent(request: &str, plan: &Value) -> Vec<Diagnostic> {
    super::found_of(Some(&request::read(request)), plan, |given| {
        given.author = Author::Agent;
    })
}

/// An agent is asked where the words of a request do not say its parts: its tasks have others.
#[test]
fn what_is_only_described_is_for_whoever_approves_to_compare() {
    let plan = json!({
        "task_title": "Books", "criteria": [{"file": "docs/manual.md"}],
        "subtasks": [
            {"subtask_id": "ledger", "title": "Keep a ledger", "assigned_to": "development",
             "worker_type": "implementation", "deliverables": ["src/ledger.rs"],
             "estimated_duration_minutes": 15, "estimated_tokens": 9000},
            {"subtask_id": "invoice", "title": "Write invoices", "assigned_to": "development",
             "worker_type": "implementation", "dependencies": ["ledger"], "deliverables": ["src/invoice.rs"],
             "estimated_duration_minutes": 15, "estimated_tokens": 9000},
            {"subtask_id": "manual", "title": "Say how it is used", "assigned_to": "development",
             "worker_type": "documentation", "dependencies": ["invoice"], "deliverables": ["docs/manual.md"],
             "estimated_duration_minutes": 15, "estimated_tokens": 9000}
        ]
    });
    for request in [
        "Build an entire accounting platform",
        "Make our bookkeeping less painful",
        "Implement everything that a small bakery needs for its taxes",
    ] {
        let found = by_agent(request, &plan);
        let uncovered = found.iter().find(|it| it.code == "lint-uncovered");
        let uncovered = uncovered.expect("it is told");
        assert_eq!(uncovered.severity, Severity::Warning, "{found:#?}");
        assert!(
            found.iter().all(|it| it.severity == Severity::Warning),
            "{found:#?}"
        );
        // Rules have nothing but the request's words.
        let by_rule = found_of(request, &plan);
        let mut by_rule = by_rule.iter().filter(|it| it.code == "lint-uncovered");
        assert!(
            by_rule.any(|it| it.severity == Severity::Error),
            "{request}"
        );
    }
}

#[test]
fn what_a_request_names_to_the_letter_stands_in_a_task() {
    for (asked, missing) in [
        ("in src/limits/store.rs", "src/limits/store.rs"),
        ("in limits.de.toml", "limits.de.toml"),
        ("of 37 clients", "37"),
        ("by `retry_after`", "retry_after"),
        ("with the message \"slow down\"", "slow down"),
        ("in parseHeader()", "parseHeader"),
        ("behind --max-rate", "--max-rate"),
    ] {
        let request = REQUEST.replace("to the API", &format!("to the API {asked}"));
        let found = by_agent(&request, &answering());
        assert_eq!(codes_of(&found), ["lint-uncovered"], "{asked}: {found:#?}");
        assert_eq!(found[0].severity, Severity::Error, "{asked}: {found:#?}");
        assert!(
            found[0].cause.contains(&format!("names `{missing}`")),
            "{found:#?}"
        );
        let mut plan = answering();
        task(&mut plan, "count")["description"] = json!(format!("It counts {asked}."));
        assert_eq!(by_agent(&request, &plan), [], "{asked}");
    }
    // Other words for the same.
    for (asked, said) in [
        ("of 3 clients", "Of three clients."),
        ("within 50ms", "Within 50 ms."),
        ("in src/api/mod.rs", ""),
        ("in web/index.ts and src/limits/", ""),
    ] {
        let request = "Add rate limiting to the API, with tests, a security audit and docs";
        let request = request.replace("to the API", &format!("to the API {asked}"));
        let mut plan = answering();
        task(&mut plan, "count")["description"] = json!(said);
        if asked.contains("web/") {
            task(&mut plan, "count")["files_affected"] = json!(["web/**", "src/limits/count.rs"]);
        }
        assert_eq!(by_agent(&request, &plan), [], "{asked}");
    }
}

#[test]
fn somebodys_work_that_a_request_names_has_a_task() {
    let without = |id: &str| {
        let mut plan = answering();
        let tasks = plan["subtasks"].as_array_mut().expect("a list");
        tasks.retain(|task| task["subtask_id"] != id);
        for task in tasks {
            task["dependencies"] = json!([]);
            task["inputs"] = json!([]);
        }
        plan
    };
    for (id, part) in [("audit", "a security audit"), ("guide", "docs")] {
        let found = by_agent(REQUEST, &without(id));
        let uncovered = found.iter().find(|it| it.code == "lint-uncovered");
        let uncovered = uncovered.expect("it is a fault");
        assert_eq!(uncovered.severity, Severity::Error);
        assert_eq!(uncovered.cause, format!("no task does `{part}`"));
    }
}

/// That something is added says nothing of what; that it is done at once asks for nothing.
#[test]
fn verbs_and_words_of_order_are_no_work() {
    let found = by_agent("Add a REPL", &answering());
    let uncovered = found.iter().find(|it| it.code == "lint-uncovered");
    assert!(uncovered.is_some(), "{found:#?}");
    let request = format!("{REQUEST} All of it in parallel, and afterwards, finally.");
    assert_eq!(by_agent(&request, &answering()), []);
}
