//! Which commits of a run may not be cleaned up.

use super::bench::{Bench, all, commit, files, merged, plan, snapshot};
use crate::criterion::Verdict;
use crate::ids::Commit;
use crate::run::{Command, Finding};

fn given(ids: &str) -> Bench {
    Bench::new(all(plan(ids), files))
}

/// What the latest attempt at a task was collected as.
fn collected(bench: &Bench, id: &str) -> Commit {
    match bench.collected(id) {
        Command::Collected {
            snapshot: Some(snapshot),
            ..
        } => snapshot.commit,
        other => panic!("{other:?}"),
    }
}

/// Has an attempt at a task refused by its checks; gives what it was collected as.
fn refused(bench: &mut Bench, id: &str) -> Commit {
    bench.runs(id);
    bench.so(bench.collected(id));
    bench.so(bench.checked(id, Verdict::fail(0, "no")));
    collected(bench, id)
}

/// Has an attempt at a task verified and prepared as this commit.
fn prepared(bench: &mut Bench, id: &str, n: u64) {
    bench.verifies(id);
    let attempt = bench.attempt(id);
    bench.so(Command::BatchMerged {
        onto: bench.run.integration.head.clone().unwrap(),
        merged: vec![merged(attempt, n)],
        conflict: None,
        refused: Vec::new(),
    });
}

fn integrated(bench: &mut Bench, id: &str, n: u64) {
    prepared(bench, id, n);
    bench.so(Command::HeadMoved { head: commit(n) });
}

/// Exactly these are kept.
#[track_caller]
fn keeps(bench: &Bench, expected: &[&Commit]) {
    let kept: Vec<&Commit> = bench.run.commits_kept().into_iter().collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(kept, expected);
}

#[test]
fn what_a_run_stands_on_and_all_that_it_integrated_is_kept() {
    let mut bench = given("a; b");
    let base = commit(0);
    keeps(&bench, &[&base]);
    prepared(&mut bench, "a", 500);
    keeps(&bench, &[&base, &collected(&bench, "a"), &commit(500)]);
    bench.so(Command::HeadMoved { head: commit(500) });
    integrated(&mut bench, "b", 501);
    keeps(&bench, &[&base, &commit(500), &commit(501)]);
}

#[test]
fn refused_work_is_kept_until_its_task_is_done() {
    let mut bench = given("a");
    let base = commit(0);
    let first = refused(&mut bench, "a");
    keeps(&bench, &[&base, &first]);
    let second = refused(&mut bench, "a");
    keeps(&bench, &[&base, &first, &second]);
    prepared(&mut bench, "a", 500);
    let third = collected(&bench, "a");
    keeps(&bench, &[&base, &first, &second, &third, &commit(500)]);
    bench.so(Command::HeadMoved { head: commit(500) });
    keeps(&bench, &[&base, &commit(500)]);
}

#[test]
fn work_of_a_task_that_was_given_up_is_kept_until_it_cannot_be_tried_again() {
    for gives_up in [Bench::cancel, Bench::reject] {
        let mut bench = given("a; open");
        let base = commit(0);
        let all: Vec<Commit> = (0..3).map(|_| refused(&mut bench, "a")).collect();
        keeps(&bench, &[&base, &all[0], &all[1], &all[2]]);
        bench.so(gives_up(&bench, "a"));
        keeps(&bench, &[&base, &all[0], &all[1], &all[2]]);
        bench.so(bench.cancel("open"));
        assert!(bench.run.ended.is_some());
        keeps(&bench, &[&base]);
    }
}

#[test]
fn work_of_a_task_that_was_split_is_kept_since_nobody_gave_it_up() {
    let mut bench = given("a");
    let first = refused(&mut bench, "a");
    bench.so(bench.split("a", "x; y"));
    keeps(&bench, &[&commit(0), &first]);
}

#[test]
fn late_work_is_kept_whatever_becomes_of_its_task() {
    let mut bench = given("a");
    bench.so(bench.lease("a"));
    let lost = bench.attempt("a");
    bench.so(Command::Find {
        attempt: lost,
        finding: Finding::Lost("silent".to_owned()),
    });
    bench.so(Command::Ended {
        attempt: lost,
        ended: super::bench::exited(0),
        said: None,
    });
    bench.so(Command::OfferCollected {
        attempt: lost,
        snapshot: Some(snapshot(7)),
    });
    bench.so(bench.cancel("a"));
    keeps(&bench, &[&commit(0), &commit(7)]);
}
