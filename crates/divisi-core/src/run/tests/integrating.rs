//! From verified attempts to one result: in batches, in order, by prepare and move.

use super::bench::{Bench, all, commit, files, merged, plan, tree};
use crate::criterion::Verdict;
use crate::ids::{AttemptId, Commit, Time, Tree};
use crate::receipt::Receipt;
use crate::run::{Accepted, Command, Event, PreparedCommit, Settings};

/// Given: tasks without edges between them, all verified, in this order.
fn verified(ids: &[&str]) -> Bench {
    let mut bench = Bench::with(
        all(plan(&ids.join(";")), files),
        Settings {
            workers_max: 16,
            ..Settings::default()
        },
    );
    for id in ids {
        bench.verifies(id);
    }
    bench
}

/// The batch merges onto the head but for what is said.
fn merge(bench: &Bench, ids: &[&str], conflict: Option<&str>, refused: Vec<Verdict>) -> Command {
    let attempts: Vec<AttemptId> = ids.iter().map(|id| bench.attempt(id)).collect();
    let numbered = attempts.into_iter().zip(500..);
    Command::BatchMerged {
        onto: head(bench),
        merged: numbered.map(|(attempt, n)| merged(attempt, n)).collect(),
        conflict: conflict.map(|id| (bench.attempt(id), vec!["README.md".to_owned()])),
        refused,
    }
}

fn head(bench: &Bench) -> Commit {
    bench.run.integration.head.clone().unwrap()
}

fn broken() -> Vec<Verdict> {
    vec![Verdict::fail(0, "it does not build")]
}

fn queue(bench: &Bench) -> Vec<String> {
    let ids = bench.run.integration.queue.iter();
    ids.map(|attempt| bench.run.task(attempt.task).unwrap().spec.id.to_string())
        .collect()
}

#[test]
fn a_batch_becomes_the_head_only_by_prepare_and_move() {
    let mut bench = verified(&["a", "b"]);
    assert_eq!(bench.owed(), ["integrate"]);
    // when the batch is merged, the head stands where it stood
    bench.does(
        merge(&bench, &["a", "b"], None, Vec::new()),
        &["prepared a.1 b.1"],
    );
    assert_eq!(head(&bench), commit(0));
    assert_eq!(bench.owed(), ["move head"]);
    // when another commit is named, nothing follows
    bench.refuses(
        Command::HeadMoved { head: commit(500) },
        "integration-other-head",
    );
    bench.does(
        Command::HeadMoved { head: commit(501) },
        &["integrated a.1 b.1"],
    );
    assert_eq!(head(&bench), commit(501));
    assert_eq!(bench.owed(), ["final check"]);
    // when it is said once more, nothing is integrated twice
    bench.refuses(
        Command::HeadMoved { head: commit(501) },
        "integration-other-head",
    );
}

/// The trees that the receipts of integration name, by task.
fn integrated_trees(bench: &Bench, ids: &[&str]) -> Vec<Option<Tree>> {
    let tree_of = |id: &&str| {
        let endings = &bench.task(id).endings;
        let receipts = &endings.last().unwrap().receipts;
        match receipts.last().unwrap() {
            Receipt::Integrated { tree, .. } => tree.clone(),
            other => panic!("{other:?}"),
        }
    };
    ids.iter().map(tree_of).collect()
}

#[test]
fn a_receipt_of_integration_names_the_tree_of_its_own_commit() {
    let mut bench = verified(&["a", "b"]);
    bench.so(merge(&bench, &["a", "b"], None, Vec::new()));
    bench.so(Command::HeadMoved { head: commit(501) });
    let trees = integrated_trees(&bench, &["a", "b"]);
    assert_eq!(trees, [Some(tree(500)), Some(tree(501))]);
}

#[test]
fn a_batch_that_an_older_version_prepared_is_integrated_without_its_tree() {
    let mut bench = verified(&["a"]);
    let attempt = bench.attempt("a");
    let prepared = Event::BatchPrepared {
        commits: vec![PreparedCommit {
            attempt,
            commit: commit(500),
            tree: None,
        }],
    };
    bench.run.apply(Time(0), &prepared);
    let head = commit(500);
    let Ok(Accepted::Events(events)) = bench.run.decide(Command::HeadMoved { head }, Time(0))
    else {
        panic!("the head is where it was to move");
    };
    let receipt = |event: &Event| match event {
        Event::BatchIntegrated { attempts, .. } => Some(attempts[0].1.clone()),
        _ => None,
    };
    let Some(Receipt::Integrated { commit, tree, .. }) = events.iter().find_map(receipt) else {
        panic!("{events:?}");
    };
    assert_eq!((commit, tree), (Some(super::bench::commit(500)), None));
}

#[test]
fn an_answer_about_another_head_or_order_changes_nothing() {
    let mut bench = verified(&["a", "b"]);
    let swapped = merge(&bench, &["b", "a"], None, Vec::new());
    bench.refuses(swapped, "integration-other-head");
    let Command::BatchMerged { merged, .. } = merge(&bench, &["a"], None, Vec::new()) else {
        unreachable!("it merges");
    };
    let elsewhere = Command::BatchMerged {
        onto: commit(77),
        merged,
        conflict: None,
        refused: Vec::new(),
    };
    bench.refuses(elsewhere, "integration-other-head");
    // a repeated answer, when the first one was already heard
    let first = merge(&bench, &["a"], None, Vec::new());
    bench.does(first.clone(), &["prepared a.1"]);
    bench.refuses(first, "integration-other-head");
}

#[test]
fn a_conflict_goes_back_to_its_owner_on_the_new_head() {
    // given: a merges, b contradicts it, c stands behind them
    let mut bench = verified(&["a", "b", "c"]);
    bench.does(
        merge(&bench, &["a"], Some("b"), Vec::new()),
        &["prepared a.1"],
    );
    bench.does(
        Command::HeadMoved { head: commit(500) },
        &["integrated a.1"],
    );
    // when: b is tried again on the head that a now is, and still contradicts it
    assert_eq!(queue(&bench), ["b", "c"]);
    bench.does(
        merge(&bench, &[], Some("b"), Vec::new()),
        &["b.1 conflicts, then retry"],
    );
    assert_eq!(queue(&bench), ["c"]);
    // then: it is no failure of b's, and its next attempt starts from the new head
    assert_eq!(bench.task("b").failures, 0);
    bench.does(bench.lease("b"), &["leased b.2 by command in 2"]);
}

#[test]
fn conflicts_have_a_bound_of_their_own() {
    let mut bench = Bench::with(
        all(plan("a"), files),
        Settings {
            conflicts_max: 2,
            ..Settings::default()
        },
    );
    bench.verifies("a");
    bench.does(
        merge(&bench, &[], Some("a"), Vec::new()),
        &["a.1 conflicts, then retry"],
    );
    bench.verifies("a");
    let escalates = "a.2 conflicts, then escalate: it conflicted 2 times with integrated work in \
                     README.md";
    bench.does(merge(&bench, &[], Some("a"), Vec::new()), &[escalates]);
}

#[test]
fn a_batch_that_does_not_hold_is_bisected_to_the_culprit() {
    // given: eight verified attempts, of which the fourth breaks the build
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut bench = verified(&ids);
    let (batch, _) = bench.run.batch();
    assert_eq!(batch.len(), 8);
    // when: ever smaller batches are tried
    bench.does(merge(&bench, &ids, None, broken()), &["narrowed to 4"]);
    bench.does(merge(&bench, &ids[..4], None, broken()), &["narrowed to 2"]);
    bench.does(
        merge(&bench, &ids[..2], None, Vec::new()),
        &["prepared a.1 b.1"],
    );
    bench.does(
        Command::HeadMoved { head: commit(501) },
        &["integrated a.1 b.1"],
    );
    // a batch that held restores the size
    assert_eq!(bench.run.batch().0.len(), 6);
    bench.does(merge(&bench, &ids[2..], None, broken()), &["narrowed to 3"]);
    bench.does(
        merge(&bench, &ids[2..5], None, broken()),
        &["narrowed to 1"],
    );
    bench.does(merge(&bench, &["c"], None, Vec::new()), &["prepared c.1"]);
    bench.does(
        Command::HeadMoved { head: commit(500) },
        &["integrated c.1"],
    );
    bench.does(merge(&bench, &ids[3..], None, broken()), &["narrowed to 2"]);
    bench.does(
        merge(&bench, &["d", "e"], None, broken()),
        &["narrowed to 1"],
    );
    // then: exactly it is refused, with what failed, and starts anew from the head
    bench.does(
        merge(&bench, &["d"], None, broken()),
        &["d.1 refused on the whole, then retry"],
    );
    assert_eq!(bench.task("d").failures, 1);
    assert_eq!(queue(&bench), ["e", "f", "g", "h"]);
    bench.does(bench.lease("d"), &["leased d.2 by command in 2"]);
}

#[test]
fn a_canceled_attempt_leaves_the_queue_and_a_prepared_one_does_not() {
    let mut bench = verified(&["a", "b", "c"]);
    let late = merge(&bench, &["a", "b"], None, Vec::new());
    bench.does(bench.cancel("b"), &["b.1 stopped as canceled, then cancel"]);
    bench.refuses(late, "integration-other-head");
    bench.does(merge(&bench, &["a"], None, Vec::new()), &["prepared a.1"]);
    bench.does(bench.cancel("a"), &[]);
    bench.does(
        Command::HeadMoved { head: commit(500) },
        &["integrated a.1"],
    );
}

#[test]
fn the_whole_is_checked_before_the_run_succeeds() {
    let mut bench = verified(&["a"]);
    bench.so(merge(&bench, &["a"], None, Vec::new()));
    bench.so(Command::HeadMoved { head: commit(500) });
    let finds = |bench: &Bench, head, tasks| Command::FinalChecked {
        head: Some(head),
        verdicts: Vec::new(),
        tasks: match tasks {
            true => vec![(bench.no("a"), broken())],
            false => Vec::new(),
        },
    };
    bench.refuses(finds(&bench, commit(0), false), "integration-other-head");
    bench.does(finds(&bench, commit(500), true), &["final held"]);
    // when a is tried again, the whole is checked again
    bench.does(bench.retry("a"), &["retried a"]);
    bench.verifies("a");
    bench.so(merge(&bench, &["a"], None, Vec::new()));
    bench.so(Command::HeadMoved { head: commit(500) });
    assert_eq!(bench.owed(), ["final check"]);
    bench.does(
        finds(&bench, commit(500), false),
        &["final passed", "ended succeeded"],
    );
}

#[test]
fn a_whole_that_awaits_nobody_is_not_approved() {
    let mut bench = verified(&["a"]);
    let approve = Command::Approve {
        task: None,
        note: "fine".to_owned(),
        waive: false,
    };
    bench.refuses(approve, "whole-not-held");
}

#[test]
fn a_failed_whole_passes_only_by_a_waiver() {
    let mut bench = verified(&["a"]);
    bench.so(merge(&bench, &["a"], None, Vec::new()));
    bench.so(Command::HeadMoved { head: commit(500) });
    bench.so(Command::FinalChecked {
        head: Some(commit(500)),
        verdicts: Vec::new(),
        tasks: vec![(bench.no("a"), broken())],
    });
    let approve = |waive| Command::Approve {
        task: None,
        note: "known".to_owned(),
        waive,
    };
    bench.refuses(approve(false), "whole-fails");
    bench.does(approve(true), &["final passed", "ended succeeded"]);
}
