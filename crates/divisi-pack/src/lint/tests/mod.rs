//! For each rule, a plan that it alone finds fault with.

mod asked;

use divisi_core::Diagnostic;
use divisi_core::ledger::Bound;
use divisi_core::plan::TaskKind;
use serde_json::{Value, json};

use super::*;
use crate::lint;

const FILES: &[&str] = &[
    "README.md",
    "docs/api.md",
    "src/api/mod.rs",
    "src/main.rs",
    "web/index.ts",
];

/// A plan without a fault: a decision, two parts that follow it, their tests, an audit.
fn sound() -> Value {
    json!({
        "task_title": "Add rate limiting to the API",
        "subtasks": [
            {
                "subtask_id": "decide", "kind": "research", "title": "Decide how limits are counted",
                "assigned_to": "development", "worker_type": "planner",
                "inputs": ["src/api/mod.rs"], "deliverables": ["design/limits.md"],
                "criteria": [{"section": "Decision", "in": "design/limits.md"}],
                "estimated_duration_minutes": "10-15", "estimated_tokens": 5000
            },
            {
                "subtask_id": "count", "title": "Count requests",
                "assigned_to": "development", "worker_type": "implementation",
                "inputs": ["decide"], "files_affected": ["src/limits/count.rs"],
                "criteria": [{"file": "src/limits/count.rs"}],
                "estimated_duration_minutes": 15, "estimated_tokens": 15000
            },
            {
                "subtask_id": "refuse", "title": "Refuse requests beyond the limit",
                "assigned_to": "development", "worker_type": "implementation",
                "inputs": ["decide"], "files_affected": ["src/api/**"],
                "criteria": [{"contains": "429", "in": "src/api/mod.rs"}],
                "estimated_duration_minutes": 20, "estimated_tokens": 20000
            },
            {
                "subtask_id": "tests", "title": "Add tests of rate limiting",
                "assigned_to": "development", "worker_type": "test",
                "dependencies": ["count", "refuse"], "deliverables": ["tests/limits.rs"],
                "criteria": [{"contains": "429", "in": "tests/limits.rs"}],
                "estimated_duration_minutes": 15, "estimated_tokens": 1000
            },
            {
                "subtask_id": "audit", "kind": "review", "title": "Audit the security of rate limiting",
                "assigned_to": "security", "worker_type": "audit",
                "dependencies": ["tests"], "deliverables": ["review/security.md"],
                "criteria": [{"section": "Findings", "in": "review/security.md"}],
                "estimated_duration_minutes": 10, "estimated_tokens": 1000
            }
        ],
        "criteria": [{"contains": "429", "in": "src/api/mod.rs"}]
    })
}

fn files() -> Vec<String> {
    FILES.iter().map(|path| (*path).to_owned()).collect()
}

/// What is found in a plan that is held against everything that can be given, but for a request.
fn found(plan: &Value, change: impl FnOnce(&mut Given<'_>)) -> Vec<Diagnostic> {
    found_of(None, plan, change)
}

fn found_of(
    request: Option<&Request>,
    plan: &Value,
    change: impl FnOnce(&mut Given<'_>),
) -> Vec<Diagnostic> {
    let (roles, files) = (Library::built_in(), files());
    let mut given = Given {
        request,
        roles: Some(&roles),
        files: Some(&files),
        budget: Budget {
            attempts: Some(20),
            time_ms: Some(120 * 60_000),
            tokens: Some(100_000),
            ..Budget::default()
        },
        author: Author::Rule,
        sizes: Sizes::USUAL,
    };
    change(&mut given);
    lint::read("plan.json", plan.to_string().as_bytes(), &given).diagnostics
}

fn codes_of(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|it| it.code.as_str()).collect()
}

/// Changes the sound plan and expects one finding, of this code.
#[track_caller]
fn only(code: &str, severity: Severity, mutate: impl FnOnce(&mut Value)) -> Diagnostic {
    let mut plan = sound();
    mutate(&mut plan);
    let mut found = found(&plan, |_| {});
    assert_eq!(codes_of(&found), [code], "{found:#?}");
    let one = found.remove(0);
    assert_eq!(one.severity, severity);
    assert!(
        one.place.as_ref().is_some_and(|place| place.line > 0),
        "{one:?}"
    );
    assert!(!one.hints.is_empty(), "{one:?}");
    one
}

fn task<'p>(plan: &'p mut Value, id: &str) -> &'p mut Value {
    let tasks = plan["subtasks"].as_array_mut().expect("a list");
    let found = tasks.iter_mut().find(|task| task["subtask_id"] == id);
    found.expect("the task is there")
}

fn remove(value: &mut Value, key: &str) {
    value
        .as_object_mut()
        .expect("an object")
        .remove(key)
        .expect("it is there");
}

fn push(plan: &mut Value, task: Value) {
    plan["subtasks"].as_array_mut().expect("a list").push(task);
}

#[test]
fn a_sound_plan_has_no_finding() {
    assert_eq!(found(&sound(), |_| {}), []);
}

#[test]
fn each_task_of_an_agent_has_one_role_that_there_is() {
    only("lint-role-none", Severity::Error, |plan| {
        let tests = task(plan, "tests");
        remove(tests, "assigned_to");
        remove(tests, "worker_type");
    });
    let found = only("lint-role-unknown", Severity::Error, |plan| {
        task(plan, "audit")["worker_type"] = json!("audits");
    });
    assert!(found.hints[0].contains("`security/"), "{found:?}");
    // A name as `divisi roles` lists it is answered with what a plan writes for it.
    let found = only("lint-role-unknown", Severity::Error, |plan| {
        let audit = task(plan, "audit");
        remove(audit, "worker_type");
        audit["assigned_to"] = json!("architect");
    });
    assert_eq!(found.hints[0], "did you mean `development/planner`?");
}

#[test]
fn programs_people_and_compositions_need_no_role() {
    let mut plan = sound();
    for other in [
        json!({"subtask_id": "run", "command": ["true"], "estimated_duration_minutes": 45}),
        json!({"subtask_id": "ask", "agent": "person", "deliverables": ["a.md"]}),
        json!({"subtask_id": "all", "kind": "compose", "inputs": ["decide", "audit"],
               "template": {"output": "all.md"}}),
        json!({"subtask_id": "consent", "kind": "approval", "dependencies": ["all"]}),
    ] {
        push(&mut plan, other);
    }
    assert_eq!(found(&plan, |_| {}), []);
}

#[test]
fn each_task_has_a_criterion_that_a_program_can_find_violated() {
    only("plan-unfalsifiable", Severity::Warning, |plan| {
        task(plan, "count")["criteria"] = json!(["it counts"]);
    });
}

#[test]
fn what_an_agent_plans_for_agents_a_program_can_find_not_done() {
    let by_agent = |plan: &Value| found(plan, |given| given.author = Author::Agent);
    for criteria in [
        json!(["it counts"]),
        json!([]),
        json!(["it counts", "it is fast"]),
    ] {
        let mut plan = sound();
        task(&mut plan, "count")["criteria"] = criteria.clone();
        let found = by_agent(&plan);
        assert_eq!(codes_of(&found), ["plan-unfalsifiable"], "{criteria}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].place.is_some() && !found[0].hints.is_empty());
        // A person is there to look, and an approval is nothing else.
        task(&mut plan, "count")["agent"] = json!("person");
        assert_eq!(by_agent(&plan)[0].severity, Severity::Warning, "{criteria}");
    }
    assert_eq!(by_agent(&sound()), []);
}

#[test]
fn what_is_found_out_stands_in_a_file() {
    only("lint-result-none", Severity::Error, |plan| {
        let audit = task(plan, "audit");
        remove(audit, "deliverables");
        audit["criteria"] = json!([{"lacks": "unsafe", "in": "src/main.rs"}]);
    });
    let found = only("lint-result-none", Severity::Error, |plan| {
        let audit = task(plan, "audit");
        remove(audit, "deliverables");
        audit["kind"] = json!("compose");
        audit["criteria"] = json!([{"lacks": "unsafe", "in": "src/main.rs"}]);
    });
    assert!(found.cause.contains("nobody gets what it puts together"));
}

#[test]
fn inputs_are_there_or_made_before() {
    let found = only("lint-input-absent", Severity::Error, |plan| {
        task(plan, "decide")["inputs"] = json!(["src/api/mud.rs"]);
    });
    assert_eq!(found.hints, ["did you mean `src/api/mod.rs`?"]);
    only("lint-input-early", Severity::Error, |plan| {
        task(plan, "decide")["inputs"] = json!(["tests/limits.rs"]);
    });
    only("lint-input-nothing", Severity::Warning, |plan| {
        task(plan, "tests")["inputs"] = json!(["count"]);
    });
    for input in [
        "src/api",
        "design/limits.md",
        "src/limits/count.rs",
        "src/api/x.rs",
    ] {
        let mut plan = sound();
        task(&mut plan, "audit")["inputs"] = json!([input]);
        assert_eq!(super::tests::found(&plan, |_| {}), [], "{input}");
    }
}

#[test]
fn without_the_files_nothing_is_said_of_what_is_there() {
    let mut plan = sound();
    task(&mut plan, "decide")["inputs"] = json!(["src/api/mud.rs"]);
    assert_eq!(found(&plan, |given| given.files = None), []);
}

#[test]
fn tasks_are_small() {
    only("lint-task-long", Severity::Warning, |plan| {
        task(plan, "tests")["estimated_duration_minutes"] = json!("15-21");
    });
    only("lint-task-large", Severity::Error, |plan| {
        task(plan, "tests")["estimated_duration_minutes"] = json!(31);
    });
    only("lint-task-large", Severity::Error, |plan| {
        task(plan, "tests")["estimated_tokens"] = json!(20_001);
    });
    only("lint-change-outside", Severity::Error, |plan| {
        task(plan, "tests")["files_affected"] = json!(["tests/limits.rs"]);
        task(plan, "tests")["criteria"] = json!([{"changed": "src/api/count.rs"}]);
    });
    only("lint-change-outside", Severity::Error, |plan| {
        let bounds = json!({"scope": ["tests/a.rs", "!tests/limits.rs"]});
        task(plan, "tests")["criteria"] = json!([bounds, {"changed": "tests/limits.rs"}]);
    });
    only("lint-task-files", Severity::Error, |plan| {
        task(plan, "tests")["files_affected"] = json!(["tests/a.rs", "tests/b.rs", "tests/c.rs"]);
    });
    let mut plan = sound();
    task(&mut plan, "tests")["files_affected"] =
        json!(["tests/a.rs", "tests/limits.rs", "tests/c/**"]);
    assert_eq!(found(&plan, |_| {}), []);
}

#[test]
fn tasks_that_run_at_once_leave_each_other_alone() {
    let found = only("lint-overlap", Severity::Warning, |plan| {
        task(plan, "count")["files_affected"] = json!(["src/api/count.rs"]);
        task(plan, "count")["criteria"] = json!([{"file": "src/api/count.rs"}]);
    });
    assert_eq!(
        found.cause,
        "`count` and `refuse` may run at once, and both may change `src/api/count.rs` and `src/api/**`"
    );
    assert!(
        found.hints[0].contains("let `refuse` wait: add `count`"),
        "{found:?}"
    );
    only("lint-overlap", Severity::Warning, |plan| {
        task(plan, "refuse")["files_affected"] = json!(["src/limits/count.rs"]);
    });
    only("plan-same-file", Severity::Warning, |plan| {
        task(plan, "count")["deliverables"] = json!(["src/limits/count.rs"]);
        task(plan, "refuse")["deliverables"] = json!(["src/limits/count.rs"]);
        remove(task(plan, "count"), "files_affected");
    });
}

#[test]
fn the_proposed_edge_ends_the_overlap() {
    let mut plan = sound();
    task(&mut plan, "refuse")["files_affected"] = json!(["src/limits/count.rs"]);
    task(&mut plan, "refuse")["dependencies"] = json!(["count"]);
    assert_eq!(found(&plan, |_| {}), []);
}

#[test]
fn parts_that_meet_have_a_contract() {
    only("lint-seam", Severity::Warning, |plan| {
        task(plan, "refuse")["inputs"] = json!(["src/main.rs"]);
    });
    let mut plan = sound();
    task(&mut plan, "refuse")["inputs"] = json!(["docs/api.md"]);
    task(&mut plan, "count")["inputs"] = json!(["docs/api.md"]);
    assert_eq!(found(&plan, |_| {}), []);
}

#[test]
fn a_request_becomes_few_tasks_and_stages() {
    only("lint-tasks-many", Severity::Warning, |plan| {
        for at in 0..6 {
            push(
                plan,
                json!({
                    "subtask_id": format!("more-{at}"), "assigned_to": "development",
                    "worker_type": "test", "deliverables": [format!("tests/{at}.rs")],
                    "estimated_duration_minutes": 1, "estimated_tokens": 1
                }),
            );
        }
    });
    only("lint-tasks-few", Severity::Warning, |plan| {
        plan["subtasks"].as_array_mut().expect("a list").truncate(2);
    });
    only("lint-stages", Severity::Error, |plan| {
        let mut before = "audit".to_owned();
        for at in 0..7 {
            let id = format!("check-{at}");
            push(
                plan,
                json!({"subtask_id": id, "command": ["true"], "dependencies": [before]}),
            );
            before = id;
        }
    });
}

#[test]
fn a_person_may_write_many_stages() {
    let mut plan = sound();
    let mut before = "audit".to_owned();
    for at in 0..7 {
        let id = format!("check-{at}");
        push(
            &mut plan,
            json!({"subtask_id": id, "command": ["true"], "dependencies": [before]}),
        );
        before = id;
    }
    let found = found(&plan, |given| given.author = Author::Person);
    assert_eq!(codes_of(&found), ["lint-stages"]);
    assert_eq!(found[0].severity, Severity::Warning);
}

/// Each figure is a setting: by another one, the sound plan is none.
#[test]
fn another_figure_gives_another_finding() {
    const MINUTE: u64 = 60_000;
    let mut plan = sound();
    task(&mut plan, "tests")["files_affected"] = json!(["tests/a.rs", "tests/limits.rs"]);
    assert_eq!(found(&plan, |_| {}), []);
    let usual = Sizes::USUAL;
    for (sizes, code) in [
        (
            Sizes {
                task_advised_ms: 19 * MINUTE,
                ..usual
            },
            "lint-task-long",
        ),
        (
            Sizes {
                task_ms_max: 19 * MINUTE,
                ..usual
            },
            "lint-task-large",
        ),
        (
            Sizes {
                task_tokens_max: 19_999,
                ..usual
            },
            "lint-task-large",
        ),
        (
            Sizes {
                task_files_max: 1,
                ..usual
            },
            "lint-task-files",
        ),
        (
            Sizes {
                tasks_min: 6,
                ..usual
            },
            "lint-tasks-few",
        ),
        (
            Sizes {
                tasks_max: 4,
                ..usual
            },
            "lint-tasks-many",
        ),
        (
            Sizes {
                stages_max: 3,
                ..usual
            },
            "lint-stages",
        ),
        (
            Sizes {
                split_ms_min: 200 * MINUTE,
                ..usual
            },
            "lint-trivial",
        ),
    ] {
        let found = found(&plan, |given| given.sizes = sizes);
        assert_eq!(codes_of(&found), [code], "{sizes:?}");
    }
    // What is more than one task by a smaller figure is not joined.
    let sizes = Sizes {
        task_files_max: 2,
        ..usual
    };
    let whole = plan_of(&trivial());
    assert!(lint::joined(&whole, &usual).is_some() && lint::joined(&whole, &sizes).is_none());
}

/// Three documents of one writer, who needs a quarter of an hour for all of them.
fn trivial() -> Value {
    let document = |id: &str| {
        json!({
            "subtask_id": id, "title": format!("Document {id}"),
            "assigned_to": "development", "worker_type": "documentation",
            "deliverables": [format!("docs/{id}.md")],
            "criteria": [{"file": format!("docs/{id}.md")}],
            "estimated_duration_minutes": 5, "estimated_tokens": 3000
        })
    };
    json!({
        "task_title": "Document the API",
        "subtasks": [document("limits"), document("errors"), document("pages")],
        "criteria": [{"file": "docs/limits.md"}]
    })
}

fn plan_of(plan: &Value) -> divisi_core::Plan {
    let read = plan_file::read("plan.json", plan.to_string().as_bytes());
    read.plan.expect("it is sound")
}

#[test]
fn a_plan_is_worth_being_one() {
    let found = found(&trivial(), |_| {});
    assert_eq!(codes_of(&found), ["lint-trivial"], "{found:#?}");
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(
        found[0]
            .cause
            .contains("15 minutes at the most, 9000 tokens"),
        "{found:?}"
    );
}

/// What is changed about a plan.
type Change = fn(&mut Value);

#[test]
fn tasks_of_others_or_judged_between_or_large_or_unknown_stay_apart() {
    let apart: [(&str, Change); 9] = [
        ("another role", |plan| {
            task(plan, "errors")["worker_type"] = json!("test")
        }),
        ("another agent", |plan| {
            task(plan, "errors")["agent"] = json!("codex")
        }),
        ("a person", |plan| {
            task(plan, "errors")["agent"] = json!("person")
        }),
        ("a review", |plan| {
            task(plan, "errors")["kind"] = json!("review")
        }),
        ("a judgment", |plan| {
            task(plan, "errors")["criteria"] = json!([{"file": "docs/errors.md"}, "it reads well"]);
        }),
        ("a consent", |plan| {
            push(
                plan,
                json!({"subtask_id": "ok", "kind": "approval", "dependencies": ["limits"]}),
            );
        }),
        ("too long", |plan| {
            task(plan, "errors")["estimated_duration_minutes"] = json!(11)
        }),
        ("too many tokens", |plan| {
            task(plan, "errors")["estimated_tokens"] = json!(14_001)
        }),
        ("no estimate", |plan| {
            remove(task(plan, "errors"), "estimated_tokens")
        }),
    ];
    for (what, mutate) in apart {
        let mut plan = trivial();
        mutate(&mut plan);
        assert_eq!(lint::joined(&plan_of(&plan), &Sizes::USUAL), None, "{what}");
    }
    let mut files = trivial();
    task(&mut files, "pages")["files_affected"] = json!(["README.md"]);
    assert_eq!(lint::joined(&plan_of(&files), &Sizes::USUAL), None);
}

#[test]
fn a_joined_plan_has_one_task_with_all_that_its_tasks_had() {
    let mut plan = trivial();
    task(&mut plan, "errors")["inputs"] = json!(["limits", "src/main.rs"]);
    task(&mut plan, "pages")["dependencies"] = json!(["errors"]);
    for id in ["limits", "errors", "pages"] {
        let scope = json!({"scope": [format!("docs/{id}.md")]});
        let criteria = task(&mut plan, id)["criteria"].as_array_mut();
        criteria.expect("a list").push(scope);
    }
    let whole = plan_of(&plan);
    let joined = lint::joined(&whole, &Sizes::USUAL).expect("it is trivial");
    let joined_words = joined.to_string();
    let names = "limits, errors, pages were joined into one task: its 3 tasks are all for the role";
    assert!(joined_words.starts_with(names), "{joined_words}");
    let joined = joined.plan;
    let [one] = &joined.tasks[..] else {
        panic!("one task: {:?}", joined.tasks);
    };
    assert_eq!(
        (joined.criteria, one.title.as_str()),
        (whole.criteria, "Document the API")
    );
    let paths: Vec<&str> = one.deliverables.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["docs/limits.md", "docs/errors.md", "docs/pages.md"]);
    assert_eq!(one.dependencies, []);
    let inputs = [divisi_core::plan::Input::Path("src/main.rs".to_owned())];
    assert_eq!(one.inputs, inputs);
    let criteria: Vec<String> = one.criteria.iter().map(ToString::to_string).collect();
    let scope = "changes only docs/limits.md, docs/errors.md, docs/pages.md";
    assert_eq!(criteria.len(), 4);
    assert_eq!(criteria[3], scope);
    assert_eq!(one.estimate.tokens, Some(9_000));
    for said in [
        "planned as several tasks and joined: its 3 tasks",
        "2. Document errors",
    ] {
        assert!(one.description.contains(said), "{}", one.description);
    }
    // What an agent planned is joined as it is read, and that is said. What is advised beside it is
    // about the task that there is.
    let read = lint::read_whole("p", plan.to_string().as_bytes(), &Given::default());
    assert_eq!(read.parts.map(|parts| parts.tasks.len()), Some(1));
    let found: Vec<(&str, &str)> = { read.diagnostics.iter() }
        .map(|it| (it.code.as_str(), it.cause.as_str()))
        .collect();
    assert_eq!(found, [("lint-trivial", joined_words.as_str())]);
}

#[test]
fn what_takes_less_than_is_split_is_advised_to_be_one_also_for_several_roles() {
    let with = |minutes: u64| {
        let mut plan = trivial();
        task(&mut plan, "errors")["worker_type"] = json!("implementation");
        task(&mut plan, "pages")["estimated_duration_minutes"] = json!(minutes);
        let found = found(&plan, |_| {});
        codes_of(&found).join(" ")
    };
    assert_eq!(with(4), "lint-trivial");
    assert_eq!(with(5), "");
}

#[test]
fn of_two_trivial_tasks_that_were_joined_nobody_says_that_they_are_few() {
    let mut plan = trivial();
    plan["subtasks"].as_array_mut().expect("a list").pop();
    let codes = |read: Vec<divisi_core::Diagnostic>| -> Vec<String> {
        read.into_iter().map(|it| it.code).collect()
    };
    let text = plan.to_string();
    let found = lint::read("p", text.as_bytes(), &Given::default());
    assert_eq!(codes(found.diagnostics), ["lint-tasks-few", "lint-trivial"]);
    let read = lint::read_whole("p", text.as_bytes(), &Given::default());
    assert_eq!(codes(read.diagnostics), ["lint-trivial"]);
}

#[test]
fn the_intent_has_criteria_of_its_own() {
    only("lint-intent", Severity::Error, |plan| {
        remove(plan, "criteria")
    });
}

#[test]
fn the_estimate_is_within_the_budget() {
    for (budget, words) in [
        (
            Budget {
                attempts: Some(4),
                ..Budget::default()
            },
            "5 attempts",
        ),
        (
            Budget {
                time_ms: Some(60 * 60_000),
                ..Budget::default()
            },
            "70 minutes",
        ),
        (
            Budget {
                tokens: Some(41_999),
                ..Budget::default()
            },
            "42000 tokens",
        ),
    ] {
        let found = found(&sound(), |given| given.budget = budget);
        assert_eq!(codes_of(&found), ["lint-budget"], "{budget:?}");
        assert!(found[0].cause.contains(words), "{found:?}");
        assert_eq!(found[0].severity, Severity::Error);
    }
}

#[test]
fn where_a_budget_bounds_it_each_task_says_what_it_takes() {
    for (key, what) in [
        ("estimated_tokens", "tokens"),
        ("estimated_duration_minutes", "time"),
    ] {
        let mut plan = sound();
        remove(task(&mut plan, "audit"), key);
        let told = found(&plan, |_| {});
        assert_eq!(codes_of(&told), ["lint-budget"], "{key}");
        assert_eq!(told[0].severity, Severity::Warning);
        let cause =
            format!("the budget bounds {what}, and nothing says how much these take: `audit`");
        assert_eq!(told[0].cause, cause);
        // What nothing bounds need not be known.
        let free = found(&plan, |given| given.budget = Budget::default());
        assert_eq!(codes_of(&free), [""; 0], "{key}");
    }
}

#[test]
fn the_whole_is_held_against_something_that_is_not_so_yet() {
    for criteria in [
        json!([{"file": "README.md"}]),
        json!([{"file": "README.md"}, {"file": "src/main.rs"}]),
        json!([{"count": "src/**/*.rs", "min": 2}]),
        json!([{"scope": ["src/**", "tests/**", "review/**", "design/**"]}, {"file": "docs/api.md"}]),
    ] {
        only("lint-proves-nothing", Severity::Warning, |plan| {
            plan["criteria"] = criteria.clone();
        });
    }
    for criteria in [
        json!([{"file": "README.md"}, {"file": "tests/limits.rs"}]),
        json!([{"file": "README.md"}, "the limits are right"]),
        json!([{"file": "README.md"}, {"command": ["true"]}]),
        json!([{"count": "src/**/*.rs", "min": 3}]),
        json!([{"file": "README.md", "min_bytes": 9000}]),
    ] {
        let mut plan = sound();
        plan["criteria"] = criteria.clone();
        assert_eq!(codes_of(&found(&plan, |_| {})), [""; 0], "{criteria}");
    }
}

#[test]
fn candidates_count_as_often_as_a_task_is_solved() {
    let mut plan = sound();
    plan["subtasks"][1]["candidates"] = json!(3);
    for (budget, words) in [
        (Budget::default().with(Bound::Attempts(6)), "7 attempts"),
        (
            Budget::default().with(Bound::TimeMs(99 * 60_000)),
            "100 minutes",
        ),
        (
            Budget::default().with(Bound::Tokens(71_999)),
            "72000 tokens",
        ),
    ] {
        let found = found(&plan, |given| given.budget = budget);
        assert_eq!(codes_of(&found), ["lint-budget"], "{budget:?}");
        assert!(found[0].cause.contains(words), "{found:?}");
    }
    // That they change the same files is what they are for.
    assert_eq!(codes_of(&found(&plan, |_| {})), [""; 0]);
}

#[test]
fn a_plan_that_is_held_is_linted_as_it_is() {
    let text = sound().to_string();
    let mut plan = plan_file::read("plan.json", text.as_bytes())
        .plan
        .expect("sound");
    plan.tasks[1].domain = None;
    plan.tasks[1].function = None;
    plan.tasks[0].kind = TaskKind::Plan;
    let linted = lint::plan("run-1", &plan, &Given::default());
    assert_eq!(codes_of(&linted.diagnostics), ["lint-role-none"]);
    let place = linted.diagnostics[0].place.as_ref().expect("a place");
    let line = linted.text.lines().nth(place.line as usize - 1);
    assert_eq!(line.map(str::trim), Some("\"subtask_id\": \"count\","));
    assert!(linted.is_faulty());
}

#[test]
fn a_large_plan_is_linted_in_bounded_work() {
    let tasks: Vec<Value> = (0..20_000)
        .map(|at| {
            json!({
                "subtask_id": format!("t{at}"), "assigned_to": "development",
                "worker_type": "test", "inputs": [format!("absent/{at}")],
                "files_affected": [format!("src/{at}/**/*.rs"), format!("{{a,b,c}}/{at}*")]
            })
        })
        .collect();
    let found = found(&json!({"task_title": "t", "subtasks": tasks}), |_| {});
    assert!(codes_of(&found).contains(&"text-more"));
}

/// A rule without a plan that it alone catches is not tested.
#[test]
fn every_rule_has_a_plan_here_that_breaks_it() {
    let here = [include_str!("mod.rs"), include_str!("asked.rs")].concat();
    let codes = { crate::CODES.iter() }.map(|(code, _)| *code);
    let rules = codes.filter(|code| code.starts_with("lint-"));
    let untested: Vec<&str> = rules
        .filter(|code| !here.contains(&format!("\"{code}\"")))
        .collect();
    assert_eq!(
        untested, [""; 0],
        "each of these needs a plan in these tests"
    );
}
