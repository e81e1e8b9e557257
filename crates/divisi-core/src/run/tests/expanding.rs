//! Plan tasks: what they planned takes their place, once, and only if it can be run.

use super::bench::{
    Bench, commit, expands, files, id_of, parts, plain, plan, plans, same, snapshot, with,
};
use super::explaining::told;
use crate::criterion::{Outcome, Verdict};
use crate::ids::TaskId;
use crate::plan::{Parts, Plan, Priority, STAGE_CONTEXT_BYTES_MAX, Stage};
use crate::receipt::Receipt;
use crate::run::{AttemptEnd, Command, Failure, RunStatus, Settings, invariants};

/// ```text
/// a ── p ── z     p is written by an agent
/// ```
fn planned() -> Bench {
    Bench::new(with(plan("a; p: a; z: p"), "p", plans))
}

/// The same with all of it but the expansion behind it.
fn verified() -> Bench {
    let mut bench = planned();
    bench.runs("a");
    bench.verifies("p");
    bench
}

fn ids(bench: &Bench, id: &str) -> Vec<String> {
    let on = bench.run.dependencies(bench.no(id));
    on.iter()
        .map(|no| bench.run.task(*no).unwrap().spec.id.to_string())
        .collect()
}

#[test]
fn what_was_planned_takes_the_tasks_place() {
    // a ── p ── z   becomes   a ─┬─ x ─┬─(join)── z
    //                            └─ y ─┘
    let mut bench = verified();
    assert_eq!(bench.owed(), ["expand p.1"]);
    assert!(bench.run.integration.queue.is_empty(), "nothing is merged");
    bench.does(
        bench.expanded("p", parts("x; y")),
        &["p.1 expanded into x y"],
    );
    assert_eq!(bench.owed(), [""; 0]);
    assert_eq!(bench.run.revision, 2);
    assert_eq!(ids(&bench, "x"), ["a"]);
    assert_eq!(ids(&bench, "z"), ["x", "y"]);
    bench.runs("x");
    bench.refuses(bench.lease("z"), "task-not-now");
    bench.runs("y");
    bench.runs("z");
    bench.so(Command::FinalChecked {
        head: Some(commit(0)),
        verdicts: Vec::new(),
        tasks: Vec::new(),
    });
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn the_attempt_that_planned_ends_with_a_receipt_for_each_step() {
    let mut bench = verified();
    bench.so(bench.expanded("p", parts("x; y; w")));
    let [ending] = &bench.task("p").endings[..] else {
        panic!("one attempt: {:?}", bench.task("p").endings);
    };
    assert_eq!(ending.end, AttemptEnd::Expanded);
    let [
        Receipt::Submitted { .. },
        Receipt::Collected { .. },
        Receipt::Verified { .. },
        Receipt::Expanded { from, tasks, .. },
    ] = &ending.receipts[..]
    else {
        panic!("four steps: {:?}", ending.receipts);
    };
    assert_eq!((from.as_ref(), *tasks), (Some(&commit(0)), 3));
}

#[test]
fn by_rule_nothing_is_collected_and_nothing_checked() {
    let mut bench = Bench::new(with(plan("p; z: p"), "p", expands));
    bench.does(bench.lease("p"), &["leased p.1 by expand in 1"]);
    assert_eq!(bench.owed(), ["start p.1"]);
    let mut ended = super::bench::exited(0);
    ended.exit = crate::receipt::Exit::NoProcess;
    let ended = Command::Ended {
        attempt: bench.attempt("p"),
        ended,
        said: None,
    };
    bench.does(ended, &["p.1 submitted+collected+verified"]);
    assert_eq!(bench.owed(), ["expand p.1"]);
    assert_eq!(bench.run.slots(), 0);
    bench.does(bench.expanded("p", parts("x")), &["p.1 expanded into x"]);
    bench.does(bench.lease("x"), &["leased x.1 by command in 1"]);
}

#[test]
fn an_expansion_happens_once_however_often_it_is_told() {
    let mut bench = verified();
    let told = bench.expanded("p", parts("x; y"));
    let other = bench.expanded("p", parts("v; w"));
    bench.so(told.clone());
    let after = bench.run.clone();
    bench.refuses(told, "attempt-superseded");
    bench.refuses(other, "attempt-superseded");
    same(&bench.run, &after).unwrap();
}

#[test]
fn a_late_word_of_an_attempt_that_is_over_expands_nothing() {
    // given: the first attempt passed its checks, and its plan was refused
    let mut bench = verified();
    let late = bench.expanded("p", parts("x; y"));
    bench.does(
        bench.expand_refused("p", "plan.json:1:1: it is empty"),
        &["p.1 planned badly, then retry"],
    );
    bench.refuses(late.clone(), "attempt-superseded");
    // and: while the second one stands at the same point
    bench.verifies("p");
    bench.refuses(late, "attempt-superseded");
    bench.does(bench.expanded("p", parts("v")), &["p.2 expanded into v"]);
}

#[test]
fn a_task_that_plans_nothing_is_never_expanded() {
    let mut bench = Bench::new(with(plan("a"), "a", files));
    bench.verifies("a");
    bench.refuses(bench.expanded("a", parts("x; y")), "attempt-superseded");
    bench.refuses(bench.expand_refused("a", "no"), "attempt-superseded");
}

#[test]
fn a_plan_that_cannot_be_run_is_a_failure_of_its_attempt() {
    for (graph, why) in [
        (
            "x; a",
            "part 2, a: the id is taken by another task of the run",
        ),
        ("x; x", "two tasks have the id x"),
        ("x: nowhere", "x depends on nowhere, which is none of them"),
        ("x: y; y: x", "a cycle through x, y"),
        ("x: a", "x depends on a, which is none of them"),
    ] {
        let mut bench = verified();
        bench.does(
            bench.expanded("p", parts(graph)),
            &["p.1 planned badly, then retry"],
        );
        let end = &bench.task("p").endings[0].end;
        let faults = vec![why.to_owned()];
        assert_eq!(*end, AttemptEnd::Refused(Failure::Plan(faults)));
        assert_eq!(bench.task("p").failures, 1);
    }
    let mut bench = verified();
    bench.does(
        bench.expanded("p", Parts::default()),
        &["p.1 planned badly, then retry"],
    );
}

#[test]
fn every_fault_is_told_at_once_and_bounded() {
    let mut bench = verified();
    let faults: Vec<String> = (0..100)
        .map(|at| format!("{at} {}", "x".repeat(5_000)))
        .collect();
    let attempt = bench.attempt("p");
    let advice = faults.clone();
    bench.so(Command::ExpandRefused {
        attempt,
        faults,
        advice,
    });
    assert_eq!(bench.task("p").endings[0].advice.len(), 21);
    let AttemptEnd::Refused(Failure::Plan(kept)) = &bench.task("p").endings[0].end else {
        panic!("refused");
    };
    assert_eq!(kept.len(), 21);
    assert_eq!(kept[20], "… and 80 more");
    assert!(kept.iter().all(|fault| fault.len() <= 1_000));
    assert!(kept[0].starts_with("0 xxx"));
}

#[test]
fn an_unusable_plan_is_asked_for_again_a_bounded_number_of_times() {
    let mut bench = planned();
    bench.runs("a");
    for _ in 0..2 {
        bench.verifies("p");
        bench.so(bench.expand_refused("p", "plan.json:1:1: it is empty"));
    }
    bench.verifies("p");
    bench.does(
        bench.expand_refused("p", "plan.json:1:1: it is empty"),
        &[
            "p.3 planned badly, then escalate: it failed 3 times; the last time what it planned \
           cannot be run: plan.json:1:1: it is empty",
        ],
    );
    // A person may have it tried again, or say the tasks.
    bench.does(bench.retry("p"), &["retried p"]);
    bench.verifies("p");
    bench.does(bench.expanded("p", parts("x")), &["p.4 expanded into x"]);
}

#[test]
fn rules_that_give_nothing_are_not_tried_again_by_themselves() {
    let mut bench = Bench::new(with(plan("p; z: p"), "p", expands));
    bench.runs("p");
    bench.does(
        bench.expand_refused("p", "stories/*.md matches nothing"),
        &[
            "p.1 planned badly, then escalate: what it planned cannot be run: stories/*.md matches \
         nothing",
        ],
    );
    assert_eq!(
        told(&bench, "p"),
        "p is blocked\nwhat it planned cannot be run: stories/*.md matches nothing\n\
         to split it, write PARTS: a file with at least two smaller tasks, in the form of a plan's \
         `subtasks`\n\
         $ divisi show run-1 p\n\
         $ divisi retry run-1 p --note HINT\n\
         $ divisi split run-1 p PARTS\n\
         $ divisi reject run-1 p --reason WHY"
    );
    // After an edit of the tree they give something.
    bench.does(bench.retry("p"), &["retried p"]);
    bench.runs("p");
    bench.does(bench.expanded("p", parts("x")), &["p.2 expanded into x"]);
}

#[test]
fn an_escalated_plan_can_be_said_by_hand() {
    let mut bench = Bench::new(with(plan("p; z: p"), "p", expands));
    bench.runs("p");
    bench.so(bench.expand_refused("p", "nothing matches"));
    bench.does(bench.split("p", "x; y"), &["split p into x y"]);
    assert_eq!((bench.task("x").depth, bench.task("x").nesting), (1, 0));
}

#[test]
fn it_can_be_canceled_before_it_is_expanded() {
    let mut bench = verified();
    let late = bench.expanded("p", parts("x; y"));
    bench.does(
        bench.cancel("p"),
        &[
            "p.1 stopped as canceled, then cancel",
            "skipped z because p",
            "ended failed",
        ],
    );
    bench.refuses(late, "run-ended");
}

#[test]
fn a_person_can_judge_a_plan_before_it_is_taken() {
    let mut bench = Bench::new(with(with(plan("p"), "p", plans), "p", plain));
    bench.runs("p");
    bench.so(bench.collected("p"));
    let open = Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(0)
    };
    bench.does(bench.checked("p", open), &["review awaited p.1"]);
    bench.does(bench.approve("p"), &["p.1 verified"]);
    assert_eq!(bench.owed(), ["expand p.1"]);
}

#[test]
fn plans_nest_twice_and_no_further() {
    let nested = |graph: &str, id: &str| {
        let plan = with(plan(graph), id, plans);
        Parts {
            tasks: plan.tasks,
            ..Parts::default()
        }
    };
    let mut bench = Bench::new(with(plan("p"), "p", plans));
    bench.verifies("p");
    bench.so(bench.expanded("p", nested("q; r", "q")));
    bench.verifies("q");
    bench.does(
        bench.expanded("q", nested("s; t", "s")),
        &["q.1 planned badly, then retry"],
    );
    let end = &bench.task("q").endings[0].end;
    let why = "part 1, s: it plans, but stands 2 plans deep already".to_owned();
    assert_eq!(*end, AttemptEnd::Refused(Failure::Plan(vec![why])));
    bench.verifies("q");
    bench.so(bench.expanded("q", parts("s; t")));
    // Expansions are no splits: what was planned can be split as often as anything else.
    bench.so(bench.split("s", "s1; s2"));
    bench.so(bench.split("s1", "s11; s12"));
    bench.refuses(bench.split("s11", "x; y"), "split-bad-parts");
}

#[test]
fn what_was_planned_has_a_role_of_its_own() {
    let mut bench = Bench::new(with(with(plan("p"), "p", plans), "p", |task| {
        task.domain = Some("coordination".to_owned());
        task.function = Some("planner".to_owned());
        task.agent = Some("second".to_owned());
        task.priority = Priority::High;
    }));
    bench.verifies("p");
    bench.so(bench.expanded("p", parts("x")));
    let part = &bench.task("x").spec;
    assert_eq!((part.role(), part.agent.as_deref()), (None, None));
    assert_eq!(part.priority, Priority::High);
}

#[test]
fn stages_of_a_plan_stand_between_those_around_it() {
    // a ── p ── z, and p is [x y] | [w]
    let mut bench = verified();
    let stage = |name: &str, tasks: &[&str]| Stage {
        name: name.to_owned(),
        tasks: tasks.iter().map(|id| id_of(id)).collect(),
    };
    let staged = Parts {
        stages: vec![stage("draft", &["x", "y"]), stage("review", &["w"])],
        ..parts("x; y; w")
    };
    bench.does(bench.expanded("p", staged), &["p.1 expanded into x y w"]);
    bench.runs("x");
    bench.refuses(bench.lease("w"), "task-not-now");
    assert_eq!(
        told(&bench, "w"),
        "w is waiting\na barrier: draft is not complete\ny is ready\n$ divisi explain run-1 y"
    );
    bench.runs("y");
    bench.runs("w");
    bench.does(bench.lease("z"), &["leased z.1 by command in 1"]);
}

#[test]
fn a_part_that_stands_in_no_stage_is_refused() {
    let mut bench = verified();
    let staged = Parts {
        stages: vec![Stage {
            name: "draft".to_owned(),
            tasks: vec![id_of("x")],
        }],
        ..parts("x; y")
    };
    bench.so(bench.expanded("p", staged));
    let end = &bench.task("p").endings[0].end;
    let why = "y stands in no stage".to_owned();
    assert_eq!(*end, AttemptEnd::Refused(Failure::Plan(vec![why])));
}

#[test]
fn a_plan_task_of_a_stage_holds_the_next_one() {
    // [p b] | [c]
    let stage = |name: &str, tasks: &str| Stage {
        name: name.to_owned(),
        tasks: tasks.split_whitespace().map(id_of).collect(),
    };
    let staged = Plan {
        stages: vec![stage("one", "p b"), stage("two", "c")],
        ..with(plan("p; b; c"), "p", plans)
    };
    let mut bench = Bench::new(staged);
    bench.runs("b");
    bench.verifies("p");
    bench.so(bench.expanded("p", parts("x")));
    bench.refuses(bench.lease("c"), "task-not-now");
    bench.runs("x");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
    let of_first: Vec<TaskId> = bench.run.stages[0]
        .1
        .iter()
        .map(|no| bench.run.task(*no).unwrap().spec.id.clone())
        .collect();
    assert_eq!(of_first, ["p", "b", "x"].map(id_of));
}

#[test]
fn the_stage_context_is_shared_by_what_was_planned_and_its_parts() {
    let mut bench = verified();
    let told = Parts {
        stage_context: "All stories are about the same shop.".to_owned(),
        ..parts("x; y")
    };
    bench.so(bench.expanded("p", told));
    bench.so(bench.split("y", "y1; y2"));
    for id in ["x", "y", "y1"] {
        let context = bench.task(id).stage_context.as_deref();
        assert_eq!(
            context,
            Some("All stories are about the same shop."),
            "{id}"
        );
    }
    assert_eq!(bench.task("z").stage_context, None);
    bench.check_stored();
}

#[test]
fn a_stage_context_is_bounded() {
    let mut bench = verified();
    let long = Parts {
        stage_context: "x".repeat(STAGE_CONTEXT_BYTES_MAX + 1),
        ..parts("x; y")
    };
    bench.does(
        bench.expanded("p", long),
        &["p.1 planned badly, then retry"],
    );
}

#[test]
fn a_run_holds_only_so_many_tasks() {
    let mut bench = verified();
    let names: Vec<String> = (0..200_000).map(|at| format!("x{at}")).collect();
    let command = bench.expanded("p", parts(&names.join(";")));
    bench.so(command);
    let AttemptEnd::Refused(Failure::Plan(faults)) = &bench.task("p").endings[0].end else {
        panic!("refused");
    };
    assert_eq!(
        faults[0],
        "the run would have 200003 tasks, at most 200000 can be run"
    );
}

#[test]
fn thousands_of_tasks_take_a_place_at_the_cost_of_their_edges() {
    // 300 ── p ── 300
    let count = 300;
    let before: Vec<String> = (0..count).map(|at| format!("a{at}")).collect();
    let after: Vec<String> = (0..count).map(|at| format!("z{at}: p")).collect();
    let graph = format!(
        "{}; p: {}; {}",
        before.join(";"),
        before.join(" "),
        after.join(";")
    );
    let settings = Settings {
        workers_max: 1_000,
        ..Settings::default()
    };
    let mut bench = Bench::with(with(plan(&graph), "p", plans), settings);
    for name in &before {
        assert!(bench.run.decide(bench.lease(name), bench.now).is_ok());
        let ended = bench.ended(name, 0);
        assert!(bench.run.decide(ended, bench.now).is_ok());
    }
    for command in [
        bench.lease("p"),
        Command::Ended {
            attempt: bench.run.attempt_id(bench.no("p"), 1),
            ended: super::bench::exited(0),
            said: None,
        },
        Command::Collected {
            attempt: bench.run.attempt_id(bench.no("p"), 1),
            snapshot: Some(snapshot(7)),
            artifacts: Vec::new(),
        },
        Command::Checked {
            attempt: bench.run.attempt_id(bench.no("p"), 1),
            verdicts: vec![Verdict::pass(0)],
        },
    ] {
        assert!(bench.run.decide(command, bench.now).is_ok());
    }
    let many = 5_000;
    let names: Vec<String> = (0..many).map(|at| format!("x{at}")).collect();
    let command = bench.expanded("p", parts(&names.join(";")));
    assert!(bench.run.decide(command, bench.now).is_ok());
    let links = |run: &crate::run::Run| -> usize {
        let tasks = run.tasks.iter().map(|task| task.links.waits.len());
        let joins = run.joins.iter().map(|join| join.links.waits.len());
        tasks.chain(joins).sum()
    };
    assert!(
        links(&bench.run) <= 2 * many + 4 * count,
        "{}",
        links(&bench.run)
    );
    invariants::check(&bench.run).unwrap();
    assert_eq!(
        told(&bench, "p").lines().count(),
        10,
        "{}",
        told(&bench, "p")
    );
}

#[test]
fn stages_inside_of_stages_are_ranked_as_if_they_had_always_been_there() {
    // p ── z, p is [x] | [q], and q is [v w] | [u]
    let mut bench = Bench::new(with(plan("p; z: p"), "p", plans));
    let stage = |name: &str, tasks: &[&str]| Stage {
        name: name.to_owned(),
        tasks: tasks.iter().map(|id| id_of(id)).collect(),
    };
    let mut outer = Parts {
        stages: vec![stage("one", &["x"]), stage("two", &["q"])],
        ..parts("x; q")
    };
    plans(&mut outer.tasks[1]);
    outer.tasks[0].estimate.duration_ms = Some(7_000);
    let mut inner = Parts {
        stages: vec![stage("three", &["v", "w"]), stage("four", &["u"])],
        ..parts("v; w; u")
    };
    inner.tasks[1].estimate.duration_ms = Some(90_000);
    bench.verifies("p");
    bench.so(bench.expanded("p", outer));
    bench.runs("x");
    bench.verifies("q");
    bench.so(bench.expanded("q", inner));
    let ranks = |run: &crate::run::Run| -> Vec<(String, u64, u32)> {
        let open = run.tasks().iter().filter(|task| task.endings.is_empty());
        let of = |task: &crate::run::Task| (task.spec.id.to_string(), task.rank_ms, task.unmet);
        open.map(of).collect()
    };
    let expected = [
        ("z", 60_000, 1),
        ("v", 180_000, 0),
        ("w", 210_000, 0),
        ("u", 120_000, 1),
    ]
    .map(|(id, rank, unmet)| (id.to_owned(), rank, unmet));
    assert_eq!(ranks(&bench.run), expected);
    let mut fresh = bench.run.clone();
    fresh.derive();
    assert_eq!(ranks(&fresh), expected);
}

#[test]
fn what_is_redone_is_ranked_by_what_was_planned_since() {
    // given: p, after a, became x, which takes far longer than p was estimated to; all are done
    let mut bench = verified();
    let mut long = parts("x");
    long.tasks[0].estimate.duration_ms = Some(9_000_000);
    bench.so(bench.expanded("p", long));
    bench.runs("x");
    bench.runs("z");
    let failing = (bench.no("a"), vec![Verdict::fail(0, "no")]);
    bench.so(Command::FinalChecked {
        head: Some(commit(0)),
        verdicts: Vec::new(),
        tasks: vec![failing],
    });
    // when
    bench.does(bench.retry("a"), &["retried a"]);
    // then
    let mut fresh = bench.run.clone();
    fresh.derive();
    let rank = |run: &crate::run::Run| run.task(bench.no("a")).map(|task| task.rank_ms);
    assert_eq!(rank(&bench.run), rank(&fresh));
    assert_eq!(rank(&bench.run), Some(60_000 + 9_000_000 + 60_000));
}

#[test]
fn it_is_explained_where_it_stands() {
    let mut bench = verified();
    assert_eq!(
        told(&bench, "p"),
        "p is integrating\ntasks are being made of what attempt 1 by command planned\n\
         $ divisi cancel run-1 p"
    );
    bench.so(bench.expanded("p", parts("x; y")));
    bench.runs("x");
    assert_eq!(
        told(&bench, "p"),
        "p is split\n2 tasks that it planned stand in its place\nits part y is ready\n\
         its part x is done"
    );
}
