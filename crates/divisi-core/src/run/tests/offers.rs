//! Late work: offered, adopted as a new attempt's, or given up.

use super::bench::{Bench, all, commit, exited, files, merged, plan, snapshot};
use crate::criterion::Verdict;
use crate::plan::Work;
use crate::receipt::{Exit, Receipt, Usage};
use crate::run::{AttemptEnd, Command, Finding, RunStatus, TaskStatus, unsaid};

/// A run whose task `a` lost its first attempt, whose work is kept as snapshot 7; `b` depends on it.
fn given() -> Bench {
    let mut bench = Bench::new(all(plan("a; b: a; o"), files));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    lose(&mut bench, 7);
    bench.now = bench.now.plus_ms(60_000);
    bench
}

/// The live attempt at `a` is lost, and comes back.
fn lose(bench: &mut Bench, n: u64) {
    let attempt = bench.attempt("a");
    let finding = Finding::Lost("silent".to_owned());
    bench.so(Command::Find { attempt, finding });
    bench.so(Command::Ended {
        attempt,
        ended: exited(3),
        said: None,
    });
    bench.so(Command::OfferCollected {
        attempt,
        snapshot: Some(snapshot(n)),
    });
}

fn adopt(bench: &Bench, number: Option<u32>) -> Command {
    let task = bench.no("a");
    Command::Adopt { task, number }
}

fn discard(bench: &Bench, number: u32) -> Command {
    let task = bench.no("a");
    Command::Discard { task, number }
}

fn collected(bench: &Bench) -> Command {
    Command::Collected {
        attempt: bench.attempt("a"),
        snapshot: bench.task("a").live().unwrap().adopts.clone(),
        artifacts: Vec::new(),
    }
}

#[test]
fn kept_work_is_adopted_as_an_attempt_of_its_own_and_goes_the_way_of_any_other() {
    let mut bench = given();
    bench.does(adopt(&bench, None), &["a.2 adopts 1", "a.2 submitted"]);
    assert_eq!(bench.owed(), ["collect a.2"]);
    assert_eq!(bench.run.slots(), 0, "nobody works on it");
    let receipts = &bench.task("a").live().unwrap().receipts;
    assert!(
        matches!(
            &receipts[..],
            [Receipt::Submitted {
                exit: Exit::Status(3),
                wall_ms: 0,
                ..
            }]
        ),
        "it ended as it did: {receipts:?}"
    );
    bench.does(collected(&bench), &["a.2 collected"]);
    bench.does(bench.checked("a", Verdict::pass(0)), &["a.2 verified"]);
    bench.does(
        Command::BatchMerged {
            onto: commit(0),
            merged: vec![merged(bench.attempt("a"), 9)],
            conflict: None,
            refused: Vec::new(),
        },
        &["prepared a.2"],
    );
    bench.does(Command::HeadMoved { head: commit(9) }, &["integrated a.2"]);
    assert_eq!(bench.task("a").endings[0].adopted_as, Some(2));
    assert_eq!(bench.task("b").status(), TaskStatus::Ready);
    bench.refuses(adopt(&bench, None), "task-not-now");
    // Part of the head, it is kept as that.
    assert!(!bench.run.commits_kept().contains(&commit(7)));
}

#[test]
fn adopted_work_used_nothing_and_is_not_flagged_for_keeping_it_back() {
    for (agent, used) in [("coder", Some(Usage::default())), ("command", None)] {
        let mut plan = all(plan("a; b: a; o"), files);
        for task in &mut plan.tasks {
            (task.agent, task.work) = (Some(agent.to_owned()), Work::Handoff);
        }
        let mut bench = Bench::new(plan);
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        lose(&mut bench, 7);
        bench.now = bench.now.plus_ms(60_000);
        bench.so(adopt(&bench, None));
        let receipt = &bench.task("a").live().unwrap().receipts[0];
        assert_eq!(receipt.usage(), used, "{agent}");
        assert_eq!(unsaid(agent, &bench.run.settings, receipt), None, "{agent}");
    }
}

#[test]
fn adopted_work_is_refused_like_any_other_and_may_be_adopted_again() {
    let mut bench = given();
    bench.so(adopt(&bench, Some(1)));
    assert!(bench.run.commits_kept().contains(&commit(7)));
    bench.so(collected(&bench));
    bench.does(
        bench.checked("a", Verdict::fail(0, "no")),
        &["a.2 refused, then retry"],
    );
    assert_eq!(bench.task("a").failures, 1);
    bench.does(adopt(&bench, Some(1)), &["a.3 adopts 1", "a.3 submitted"]);
}

#[test]
fn it_is_adopted_where_nobody_works_and_nothing_else_took_its_place() {
    // given up by its owner: what waits for it waits again
    let mut bench = given();
    bench.does(bench.cancel("a"), &["canceled a", "skipped b because a"]);
    bench.does(
        adopt(&bench, None),
        &["retried a", "retried b", "a.2 adopts 1", "a.2 submitted"],
    );
    // while another attempt is at work, its owner ends that first
    let mut bench = given();
    bench.so(bench.lease("a"));
    bench.refuses(adopt(&bench, None), "task-not-now");
    // there is nothing, or not of this one
    bench.refuses(
        Command::Adopt {
            task: bench.no("o"),
            number: None,
        },
        "offer-none",
    );
    let mut bench = given();
    bench.refuses(adopt(&bench, Some(2)), "offer-none");
    bench.so(Command::Cancel { task: None });
    assert_eq!(bench.run.status(), RunStatus::Canceled);
    bench.refuses(adopt(&bench, None), "run-ended");
}

#[test]
fn the_last_one_is_adopted_unless_another_is_named() {
    let mut bench = given();
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    lose(&mut bench, 8);
    let mut other = bench.clone();
    bench.so(adopt(&bench, None));
    other.so(adopt(&other, Some(1)));
    let adopts = |bench: &Bench| bench.task("a").live().unwrap().adopts.clone();
    assert_eq!(adopts(&bench), Some(snapshot(8)));
    assert_eq!(adopts(&other), Some(snapshot(7)));
}

#[test]
fn what_is_discarded_is_kept_no_longer_also_when_the_run_has_ended() {
    let mut bench = given();
    bench.does(discard(&bench, 1), &["discarded a.1"]);
    bench.does(discard(&bench, 1), &[]);
    assert!(!bench.run.commits_kept().contains(&commit(7)));
    bench.refuses(adopt(&bench, None), "offer-none");
    bench.refuses(discard(&bench, 2), "offer-none");
    let mut bench = given();
    bench.so(Command::Cancel { task: None });
    bench.does(discard(&bench, 1), &["discarded a.1"]);
    // What is integrated is nobody's to give up.
    let mut bench = given();
    bench.so(adopt(&bench, None));
    bench.so(collected(&bench));
    bench.so(bench.checked("a", Verdict::pass(0)));
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("a"), 9)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(9) });
    assert_eq!(bench.task("a").endings[1].end, AttemptEnd::Integrated);
    bench.refuses(discard(&bench, 2), "offer-none");
}
