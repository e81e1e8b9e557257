//! A limit on what awaits a person: what would add to it waits, all else goes on.

use std::collections::BTreeSet;

use super::bench::{Bench, all, files, plain, plan, plans, with};
use super::explaining::told;
use crate::assign::{Capacity, assign};
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ledger::{Account, Amount, Balance, Bound, Choice};
use crate::plan::Plan;
use crate::run::explain::{Shared, explain_run};
use crate::run::{Budget, Command, Finding, RunStatus, Settings, TaskStatus, Unreviewed};

fn at_most(awaiting_max: u32, graph: Plan) -> Bench {
    let settings = Settings {
        awaiting_max,
        ..Settings::default()
    };
    Bench::with(graph, settings)
}

/// The tasks that would be begun now.
fn next(bench: &Bench) -> Vec<String> {
    let capacity = Capacity { workers: 9 };
    let none = BTreeSet::new();
    let proposed = assign(&[&bench.run], capacity, bench.now, &none, &Choice::freely);
    let id = |no| bench.run.task(no).unwrap().spec.id.to_string();
    proposed.into_iter().map(|it| id(it.task)).collect()
}

/// What was begun is held for a person.
fn holds(bench: &mut Bench, id: &str) {
    bench.so(bench.started(id));
    bench.so(bench.ended(id, 0));
    let open = Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(0)
    };
    bench.so(bench.checked(id, open));
    assert_eq!(bench.task(id).status(), TaskStatus::Blocked);
}

#[test]
fn what_a_person_must_judge_is_begun_only_up_to_the_limit_and_all_else_goes_on() {
    // given: a, b, c are for a person, d is not; one of those may be there at once
    let mut bench = at_most(1, all(plan("a; b; c"), plain));
    assert_eq!(next(&bench), ["a"]);
    bench = at_most(
        2,
        with(all(plan("a; b; c; d"), plain), "d", |task| {
            task.criteria = vec![Criterion::ExitStatus];
        }),
    );
    // then: proposals of one round count
    assert_eq!(next(&bench), ["a", "b", "d"]);
    // and: what is under way counts, as does what is held
    bench.so(bench.lease("a"));
    assert_eq!(next(&bench), ["b", "d"]);
    bench.so(bench.lease("b"));
    assert_eq!(next(&bench), ["d"]);
    holds(&mut bench, "a");
    assert_eq!(next(&bench), ["d"]);
    bench.refuses(bench.lease("c"), "limit-reached");
    // when somebody judged one of them, another one is begun
    bench.so(bench.approve("a"));
    assert_eq!(next(&bench), ["c", "d"]);
}

#[test]
fn a_run_in_which_all_that_is_ready_is_held_back_waits_for_people() {
    let mut bench = at_most(1, all(plan("a; b"), plain));
    bench.so(bench.lease("a"));
    assert!(!bench.run.waits_for_people(), "a works");
    holds(&mut bench, "a");
    assert!(bench.run.waits_for_people());
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    let said = "it waits until a person judged others: the limit of 1 result that a person must \
                judge is reached (`review.awaiting_max`)";
    assert_eq!(
        told(&bench, "b"),
        format!(
            "b is ready\n{said}\na is blocked\n\
             $ divisi approve run-1 a --note SEEN\n$ divisi reject run-1 a --reason WHY"
        )
    );
    let whole = explain_run(&bench.run, bench.now, &Shared::default());
    assert!(whole.causes.contains(&format!("b: {said}")), "{whole:?}");
    assert!(
        whole
            .commands
            .contains(&"divisi explain run-1 b".to_owned())
    );
    // when it is refused, it is tried again first: there is room for one
    bench.so(bench.reject("a"));
    assert_eq!(bench.run.status(), RunStatus::Running);
    assert_eq!(next(&bench).len(), 1);
}

#[test]
fn that_the_limit_is_reached_is_said_once_of_a_run_whatever_else_its_tasks_lack() {
    let mut bench = at_most(1, all(plan("a; b; c; d"), plain));
    bench.so(bench.lease("a"));
    holds(&mut bench, "a");
    let used_up = Balance {
        budget: Budget::default().with(Bound::Attempts(1)),
        used: Amount {
            attempts: 1,
            ..Amount::default()
        },
        ..Balance::default()
    };
    let shared = Shared {
        accounts: [(Account::Run(bench.run.id), used_up)].into(),
        ..Shared::default()
    };
    let whole = explain_run(&bench.run, bench.now, &shared);
    let said = |it: &&String| it.contains("`review.awaiting_max`");
    assert_eq!(whole.causes.iter().filter(said).count(), 1, "{whole:?}");
}

#[test]
fn a_delayed_task_that_is_held_back_does_not_keep_a_run_going() {
    // a is lost, and due again later; meanwhile b is held
    let mut bench = at_most(1, all(plan("a; b"), plain));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    let attempt = bench.attempt("a");
    bench.so(Command::Find {
        attempt,
        finding: Finding::Lost("nobody holds it".to_owned()),
    });
    bench.so(bench.lease("b"));
    holds(&mut bench, "b");
    assert!(bench.run.delayed_until(bench.now).is_some());
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    bench.so(bench.approve("b"));
    assert_eq!(bench.run.status(), RunStatus::Running);
}

#[test]
fn what_agents_review_is_not_held_back_and_counts_once_their_review_came_to_nothing() {
    let settings = Settings {
        awaiting_max: 1,
        reviewers: vec!["other".to_owned()],
        failures_max: 1,
        ..Settings::default()
    };
    let graph = with(plan("a; b; c"), "a", |task| {
        files(task);
        task.criteria.push(Criterion::Plain {
            text: "it can be understood".to_owned(),
        });
    });
    // Who wants to see a plan before it is taken is a person.
    let graph = with(with(graph, "b", plans), "b", plain);
    let mut bench = Bench::with(graph, settings);
    assert_eq!(next(&bench), ["a", "b", "c"]);
    bench.runs("a");
    bench.so(bench.collected("a"));
    let open = Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(1)
    };
    let attempt = bench.attempt("a");
    let verdicts = vec![Verdict::pass(0), open];
    bench.so(Command::Checked { attempt, verdicts });
    assert_eq!(bench.run.awaiting().count(), 0, "an agent is to judge");
    bench.so(bench.lease("a-review1"));
    bench.so(bench.started("a-review1"));
    bench.so(bench.ended("a-review1", 0));
    bench.so(bench.collected("a-review1"));
    bench.so(bench.checked("a-review1", Verdict::pass(0)));
    bench.so(bench.weigh_refused("a-review1", "it does not stand there"));
    assert_eq!(bench.task("a-review1").status(), TaskStatus::Blocked);
    assert_eq!(bench.run.reviewer(Some(bench.no("a"))), None);
    assert_eq!(next(&bench), ["c"]);
    // Once its review is closed, what it judged still awaits somebody: once.
    let mut closed = bench.clone();
    closed.does(closed.reject("a-review1"), &["closed a-review1"]);
    assert_eq!(closed.run.awaiting().count(), 1);
    closed.check_stored();
    assert_eq!(next(&closed), ["c"]);
    let why = closed.run.unreviewed(Some(closed.no("a")));
    assert_eq!(why, Some(Unreviewed::Over("a-review1".to_owned())));
    for mut bench in [bench, closed] {
        bench.so(bench.approve("a"));
        assert_eq!(next(&bench), ["b", "c"]);
    }
}
