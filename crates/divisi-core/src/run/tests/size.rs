//! A hundred thousand tasks: every step costs what changed, never what is there.
//!
//! These tests compare no times. A step that looks at all tasks makes them so slow that nobody
//! overlooks it: ten thousand million looks instead of a hundred thousand.

use std::collections::BTreeSet;

use super::bench::{Bench, all, commit, expands, files, id_of, merged, parts, plan, snapshot};
use crate::assign::{Capacity, assign};
use crate::criterion::Verdict;
use crate::ids::{Epoch, TaskNo};
use crate::ledger::Choice;
use crate::plan::{Plan, Stage};
use crate::run::explain::{Shared, explain, explain_run};
use crate::run::{Command, RunStatus, Settings, TaskStatus, invariants};

const TASKS: usize = 100_000;

fn chain(count: usize) -> Plan {
    let names = (1..count).map(|at| format!("; t{at}: t{}", at - 1));
    plan(&format!("t0{}", names.collect::<String>()))
}

fn fan_out(count: usize) -> Plan {
    let names = (1..count).map(|at| format!("; t{at}: t0"));
    plan(&format!("t0{}", names.collect::<String>()))
}

/// Stages of equal size, with a barrier between each two and no other edge.
fn stages(count: usize, each: usize) -> Plan {
    let names: Vec<String> = (0..count * each).map(|at| format!("t{at}")).collect();
    let stage = |(at, ids): (usize, &[String])| Stage {
        name: format!("stage_{}", at + 1),
        tasks: ids.iter().map(|id| id_of(id)).collect(),
    };
    Plan {
        stages: names.chunks(each).enumerate().map(stage).collect(),
        ..plan(&names.join(";"))
    }
}

/// Leases and ends whatever is ready until nothing is; gives the number of rounds.
fn drive(bench: &mut Bench) -> usize {
    let capacity = Capacity { workers: 1_000 };
    let mut rounds = 0;
    loop {
        let proposals = assign(
            &[&bench.run],
            capacity,
            bench.now,
            &BTreeSet::new(),
            &Choice::freely,
        );
        if proposals.is_empty() {
            return rounds;
        }
        rounds += 1;
        for proposal in proposals {
            let (task, epoch) = (proposal.task, Epoch(1));
            assert!(
                bench
                    .run
                    .decide(
                        Command::Lease {
                            task,
                            epoch,
                            timeout_ms: None,
                            with: None,
                        },
                        bench.now
                    )
                    .is_ok()
            );
            let ended = Command::Ended {
                attempt: bench.run.attempt_id(task, 1),
                ended: super::bench::exited(0),
                said: None,
            };
            assert!(bench.run.decide(ended, bench.now).is_ok());
        }
    }
}

/// Without journal and rows, which other tests look at.
fn say(bench: &mut Bench, command: Command) {
    assert!(bench.run.decide(command, bench.now).is_ok());
}

fn wide(plan: Plan) -> Bench {
    Bench::with(
        plan,
        Settings {
            workers_max: 1_000,
            ..Settings::default()
        },
    )
}

#[test]
fn a_chain_of_a_hundred_thousand_tasks() {
    let mut bench = wide(chain(TASKS));
    assert_eq!(drive(&mut bench), TASKS);
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn a_fan_out_of_a_hundred_thousand_tasks() {
    let mut bench = wide(fan_out(TASKS));
    assert_eq!(drive(&mut bench), 1 + (TASKS - 1).div_ceil(1_000));
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn barriers_between_stages_of_ten_thousand_tasks() {
    let mut bench = wide(stages(10, TASKS / 10));
    invariants::check(&bench.run).unwrap();
    // why does the last one wait?
    let last = TaskNo(TASKS as u32 - 1);
    assert_eq!(
        explain(&bench.run, last, bench.now, &Shared::default())
            .unwrap()
            .causes
            .len(),
        9
    );
    assert!(
        !explain_run(&bench.run, bench.now, &Shared::default())
            .causes
            .is_empty()
    );
    // when a task of the first stage is given up, all later stages are skipped, and come back
    bench.decide_unchecked(bench.cancel("t0")).unwrap();
    let skipped = |bench: &Bench| bench.run.counts().of(TaskStatus::Skipped) as usize;
    assert_eq!(skipped(&bench), TASKS / 10 * 9);
    bench.decide_unchecked(bench.retry("t0")).unwrap();
    assert_eq!(skipped(&bench), 0);
    assert_eq!(drive(&mut bench), 100);
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn a_hundred_thousand_tasks_are_canceled_at_once() {
    let mut bench = wide(stages(10, TASKS / 10));
    bench
        .decide_unchecked(Command::Cancel { task: None })
        .unwrap();
    assert_eq!(bench.run.status(), RunStatus::Canceled);
}

#[test]
fn ten_thousand_tasks_plan_others() {
    // p0 p1 … ── z
    let count = 10_000;
    let names: Vec<String> = (0..count).map(|at| format!("p{at}")).collect();
    let mut whole = plan(&format!("{}; z: {}", names.join(";"), names.join(" ")));
    whole.tasks[..count as usize].iter_mut().for_each(expands);
    let mut bench = wide(whole);
    for no in (0..count).map(TaskNo) {
        let attempt = bench.run.attempt_id(no, 1);
        for command in [
            Command::Lease {
                task: no,
                epoch: Epoch(1),
                timeout_ms: None,
                with: None,
            },
            Command::Ended {
                attempt,
                ended: super::bench::exited(0),
                said: None,
            },
            Command::Expanded {
                attempt,
                from: None,
                parts: parts(&format!("x{0}; y{0}: x{0}", no.0)),
                advice: Vec::new(),
            },
        ] {
            say(&mut bench, command);
        }
    }
    invariants::check(&bench.run).unwrap();
    drive(&mut bench);
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
    assert_eq!(bench.run.tasks().len(), 3 * count as usize + 1);
}

#[test]
fn tens_of_thousands_of_verified_attempts_are_integrated_in_order() {
    let count = 30_000;
    let names: Vec<String> = (0..count).map(|at| format!("t{at}")).collect();
    let mut bench = wide(all(plan(&names.join(";")), files));
    for no in (0..count).map(TaskNo) {
        let epoch = Epoch(1);
        say(
            &mut bench,
            Command::Lease {
                task: no,
                epoch,
                timeout_ms: None,
                with: None,
            },
        );
        let attempt = bench.run.attempt_id(no, 1);
        let ended = super::bench::exited(0);
        let snapshot = Some(snapshot(1));
        for command in [
            Command::Ended {
                attempt,
                ended,
                said: None,
            },
            Command::Collected {
                attempt,
                snapshot,
                artifacts: Vec::new(),
            },
            Command::Checked {
                attempt,
                verdicts: vec![Verdict::pass(0)],
            },
        ] {
            say(&mut bench, command);
        }
    }
    let mut batches = 0;
    while !bench.run.integration.queue.is_empty() {
        batches += 1;
        let (batch, onto) = bench.run.batch();
        let onto = onto.cloned().unwrap();
        let merged = batch
            .into_iter()
            .map(|attempt| merged(attempt, batches))
            .collect();
        let merge = Command::BatchMerged {
            onto,
            merged,
            conflict: None,
            refused: Vec::new(),
        };
        say(&mut bench, merge);
        let head = commit(batches);
        say(&mut bench, Command::HeadMoved { head });
    }
    assert_eq!(batches, u64::from(count) / 8);
    assert_eq!(bench.owed(), ["final check"]);
}
