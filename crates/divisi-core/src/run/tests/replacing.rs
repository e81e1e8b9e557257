//! Plans that nobody approved yet, and what takes their place.

use super::bench::{Bench, commit, files, id_of, parts, plan, plans, with};
use crate::criterion::Criterion;
use crate::plan::{Parts, Plan};
use crate::run::{AttemptEnd, Base, Command, Create, Failure, RunStatus, Settings};

fn approve() -> Command {
    Command::Approve {
        task: None,
        note: String::new(),
        waive: false,
    }
}

fn replace(plan: Plan) -> Command {
    Command::Replace { plan: plan.into() }
}

fn criterion(path: &str) -> Criterion {
    Criterion::File {
        path: path.to_owned(),
        min_bytes: 1,
    }
}

/// A run of which nobody approved the plan.
fn unapproved(graph: &str) -> Bench {
    Bench::created(Create {
        plan: plan(graph).into(),
        settings: Settings::default(),
        base: Base {
            commit: Some(commit(0)),
            ..Base::default()
        },
        approved: false,
        intent: None,
    })
}

/// A run whose only task plans the whole, which then awaits approval; the plan is made.
fn planned(graph: &str) -> Bench {
    let settings = Settings {
        approves_plans: true,
        ..Settings::default()
    };
    let mut bench = Bench::with(with(plan("p"), "p", plans), settings);
    bench.verifies("p");
    let made = Parts {
        criteria: vec![criterion("whole")],
        ..parts(graph)
    };
    let ids: Vec<&str> = made.tasks.iter().map(|task| task.id.as_str()).collect();
    let told = format!("p.1 expanded into {}", ids.join(" "));
    bench.does(bench.expanded("p", made.clone()), &[&told]);
    bench
}

fn statuses(bench: &Bench) -> Vec<(String, &'static str)> {
    let tasks = bench.run.tasks().iter();
    tasks
        .map(|task| (task.spec.id.to_string(), task.status().word()))
        .collect()
}

#[test]
fn what_an_agent_planned_awaits_approval_where_that_is_asked_for() {
    // p   becomes   p ─ x ── y, and nothing of it begins
    let mut bench = planned("x; y: x");
    assert_eq!(bench.run.status(), RunStatus::AwaitingApproval);
    assert_eq!(bench.run.revision, 2);
    assert_eq!(bench.run.planner(), Some(bench.no("p")));
    assert_eq!(bench.run.criteria, [criterion("whole")]);
    bench.refuses(bench.lease("x"), "run-not-approved");
    bench.does(approve(), &["approved"]);
    assert_eq!(bench.run.status(), RunStatus::Running);
    bench.runs("x");
    bench.runs("y");
    assert_eq!(bench.owed(), ["final check"]);
}

#[test]
fn elsewhere_a_plan_task_neither_awaits_approval_nor_speaks_for_the_whole() {
    let settings = Settings {
        approves_plans: true,
        ..Settings::default()
    };
    let mut bench = Bench::with(with(plan("a; p: a"), "p", plans), settings);
    bench.runs("a");
    bench.verifies("p");
    let whole = Parts {
        criteria: vec![criterion("whole")],
        ..parts("x; y")
    };
    bench.does(
        bench.expanded("p", whole),
        &["p.1 planned badly, then retry"],
    );
    bench.verifies("p");
    bench.so(bench.expanded("p", parts("x; y")));
    assert_eq!(bench.run.status(), RunStatus::Running);
    assert_eq!(bench.run.planner(), None);
}

#[test]
fn a_plan_is_replaced_until_it_is_approved() {
    // a ── b   becomes   b ── c ── d, becomes   e
    let mut bench = unapproved("a; b: a");
    let mut longer = plan("b; c: b; d: c");
    longer.criteria = vec![criterion("whole")];
    bench.does(replace(longer), &["replaced by b c d"]);
    assert_eq!(bench.run.revision, 2);
    assert_eq!(bench.run.criteria, [criterion("whole")]);
    assert_eq!(
        statuses(&bench),
        [
            ("b".to_owned(), "ready"),
            ("c".to_owned(), "waiting"),
            ("d".to_owned(), "waiting")
        ]
    );
    assert_eq!(bench.run.find(&id_of("a")), None);
    bench.does(replace(plan("e")), &["replaced by e"]);
    assert_eq!(bench.run.revision, 3);
    assert_eq!(statuses(&bench), [("e".to_owned(), "ready")]);
    bench.does(approve(), &["approved"]);
    bench.refuses(replace(plan("f")), "planning-in-force");
    bench.runs("e");
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn what_an_agent_planned_is_replaced_and_its_attempts_stay() {
    // p ─ x ── y   becomes   p ─ y ─┬─ z
    //                               └─ u
    let mut bench = planned("x; y: x");
    bench.does(replace(plan("y; z: y; u: y")), &["replaced by y z u"]);
    assert_eq!(
        statuses(&bench),
        [
            ("p".to_owned(), "split"),
            ("y".to_owned(), "ready"),
            ("z".to_owned(), "waiting"),
            ("u".to_owned(), "waiting")
        ]
    );
    assert_eq!((bench.run.revision, bench.task("p").attempts()), (3, 1));
    assert_eq!(bench.task("z").nesting, 1);
    // Its own criteria are the whole's now: the one that the agent gave was edited out.
    assert_eq!(bench.run.criteria, []);
    bench.does(replace(plan("y")), &["replaced by y"]);
    bench.does(approve(), &["approved"]);
    bench.refuses(replace(plan("x")), "planning-in-force");
    bench.runs("y");
    assert_eq!(bench.owed(), ["final check"]);
}

/// The same plan with advice about it.
fn advised(bench: &Bench, graph: &str) -> Command {
    Command::Expanded {
        attempt: bench.attempt("p"),
        from: Some(commit(0)),
        parts: parts(graph),
        advice: vec!["x is long".to_owned()],
    }
}

#[test]
fn advice_about_a_plan_stands_beside_it_and_with_the_attempt_once_it_is_refused() {
    let settings = Settings {
        approves_plans: true,
        ..Settings::default()
    };
    let mut bench = Bench::with(with(plan("p"), "p", plans), settings);
    bench.verifies("p");
    // What cannot be run is refused for its faults, and the advice is kept beside them.
    bench.does(advised(&bench, "x: x"), &["p.1 planned badly, then retry"]);
    assert_eq!(bench.task("p").endings[0].advice, ["x is long"]);
    assert!(bench.run.advice().is_empty());
    bench.verifies("p");
    bench.does(advised(&bench, "x"), &["p.2 expanded into x"]);
    assert_eq!(bench.run.advice(), ["x is long"]);
    bench.does(refuse("no"), &["p's plan refused, then retry"]);
    assert!(bench.run.advice().is_empty());
    assert_eq!(bench.task("p").endings[1].advice, ["x is long"]);
    // Another plan in its place was advised nothing.
    bench.verifies("p");
    bench.does(advised(&bench, "x"), &["p.3 expanded into x"]);
    bench.does(replace(plan("y")), &["replaced by y"]);
    assert!(bench.run.advice().is_empty());
}

fn refuse(reason: &str) -> Command {
    Command::Reject {
        task: None,
        reason: reason.to_owned(),
    }
}

#[test]
fn a_plan_that_its_owner_refuses_is_made_anew_and_the_refusal_is_the_planners_failure() {
    // p ─ x ── y   becomes   p   becomes   p ─ z
    let mut bench = planned("x; y: x");
    bench.does(replace(plan("u")), &["replaced by u"]);
    bench.does(refuse("one is enough"), &["p's plan refused, then retry"]);
    assert_eq!(statuses(&bench), [("p".to_owned(), "ready")]);
    assert_eq!(bench.run.status(), RunStatus::Running);
    assert_eq!((bench.run.revision, bench.run.planner()), (4, None));
    assert_eq!(bench.run.criteria, []);
    let told = AttemptEnd::Refused(Failure::Person("one is enough".to_owned()));
    assert_eq!(bench.task("p").endings[0].end, told);
    assert_eq!(bench.task("p").failures, 1);
    bench.verifies("p");
    bench.so(bench.expanded("p", parts("z")));
    assert_eq!(bench.run.status(), RunStatus::AwaitingApproval);
    bench.does(approve(), &["approved"]);
    bench.refuses(refuse("late"), "planning-in-force");
    bench.runs("z");
    assert_eq!(bench.owed(), ["final check"]);
}

#[test]
fn plans_are_refused_no_more_often_than_anything_fails_and_a_person_may_go_on() {
    let mut bench = planned("x");
    for _ in 0..2 {
        bench.does(refuse("no"), &["p's plan refused, then retry"]);
        bench.verifies("p");
        bench.so(bench.expanded("p", parts("x")));
    }
    let why = "it failed 3 times; the last time a person refused it: no";
    bench.does(
        refuse("no"),
        &[&format!("p's plan refused, then escalate: {why}")],
    );
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    bench.does(bench.retry("p"), &["retried p"]);
    bench.verifies("p");
    bench.so(bench.expanded("p", parts("x")));
    bench.does(refuse("no"), &["p's plan refused, then retry"]);
}

#[test]
fn a_plan_that_no_task_made_is_edited_and_not_refused() {
    let mut bench = unapproved("a; b: a");
    bench.refuses(refuse("no"), "planning-by-nobody");
    bench.does(approve(), &["approved"]);
    bench.refuses(refuse("no"), "planning-in-force");
}

#[test]
fn what_is_no_plan_for_the_run_replaces_nothing() {
    let mut bench = planned("x; y: x");
    bench.refuses(replace(plan("a: b; b: a")), "run-bad-plan");
    bench.refuses(replace(plan("p; q")), "run-bad-plan");
    let mut bench = Bench::created(Create {
        plan: plan("a").into(),
        settings: Settings::default(),
        base: Base::default(),
        approved: false,
        intent: None,
    });
    bench.refuses(replace(with(plan("a"), "a", files)), "run-bad-plan");
    // What somebody said about a plan goes with it.
    bench.does(bench.cancel("a"), &["canceled a"]);
    bench.does(replace(plan("a")), &["replaced by a"]);
    assert_eq!(statuses(&bench), [("a".to_owned(), "ready")]);
    bench.does(
        Command::Cancel { task: None },
        &["cancel asked", "canceled a", "ended canceled"],
    );
    bench.refuses(replace(plan("a")), "run-ended");
}
