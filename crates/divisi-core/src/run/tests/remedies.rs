//! What follows a failure (T7): each kind has a bound of its own.

use super::bench::{Bench, all, commit, exited, files, handoff, plan, snapshot, with};
use crate::criterion::Verdict;
use crate::ids::Epoch;
use crate::ledger::{Bound, LimitThen};
use crate::plan::{TaskSpec, Work};
use crate::receipt::{Receipt, Snapshot};
use crate::run::{
    AttemptEnd, Budget, Command, Ending, Failure, Finding, PauseReason, Price, Said, Settings,
    StopReason, end_words,
};

const REFUSED: &str = "escalate: it failed 3 times; the last time checks refused it: \
                       the command ended with exit status 1, expected 0";

#[test]
fn exactly_three_attempts_then_a_person() {
    // given: a ── b, and c beside them
    let mut bench = Bench::new(plan("a; b: a; c"));
    // when: a fails every time
    for number in 1..=2 {
        bench.does(
            bench.lease("a"),
            &[&format!("leased a.{number} by command in 1")],
        );
        bench.does(
            bench.ended("a", 1),
            &[&format!("a.{number} refused, then retry")],
        );
    }
    bench.does(bench.lease("a"), &["leased a.3 by command in 1"]);
    bench.does(
        bench.ended("a", 1),
        &[&format!("a.3 refused, then {REFUSED}")],
    );
    // then: a is a person's, b never starts, c goes on
    bench.refuses(bench.lease("a"), "task-not-now");
    bench.refuses(bench.lease("b"), "task-not-now");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
}

#[test]
fn the_next_attempt_is_told_why_the_last_was_refused() {
    let mut bench = Bench::new(with(plan("a"), "a", files));
    bench.runs("a");
    bench.so(bench.collected("a"));
    let verdict = Verdict::fail(0, "a.md has 0 bytes");
    bench.does(
        bench.checked("a", verdict.clone()),
        &["a.1 refused, then retry"],
    );
    let ending = bench.task("a").ending(1).unwrap();
    assert_eq!(
        ending.end,
        AttemptEnd::Refused(Failure::Checks(vec![verdict]))
    );
    assert!(
        ending.workspace_kept,
        "the next one goes on with what is there"
    );
    // a half collected attempt is a failure too
    bench.runs("a");
    let attempt = bench.attempt("a");
    let cause = "a.md is a link".to_owned();
    bench.does(
        Command::CollectRefused { attempt, cause },
        &["a.2 not collected, then retry"],
    );
    assert_eq!(bench.task("a").failures, 2);
}

#[test]
fn verdicts_that_are_missing_are_no_success() {
    let mut bench = Bench::new(with(plan("a"), "a", files));
    bench.runs("a");
    bench.so(bench.collected("a"));
    let attempt = bench.attempt("a");
    bench.does(
        Command::Checked {
            attempt,
            verdicts: Vec::new(),
        },
        &["a.1 refused, then retry"],
    );
}

#[test]
fn a_task_may_say_how_often_it_is_retried() {
    for (retries, attempts) in [(0, 1), (1, 2), (4, 5)] {
        let mut bench = Bench::new(with(plan("a"), "a", |task| task.retries = Some(retries)));
        for _ in 1..attempts {
            bench.so(bench.lease("a"));
            bench.does(
                bench.ended("a", 1),
                &[&format!(
                    "a.{} refused, then retry",
                    bench.task("a").attempts()
                )],
            );
        }
        bench.so(bench.lease("a"));
        bench.so(bench.ended("a", 1));
        bench.refuses(bench.lease("a"), "task-not-now");
        assert_eq!(bench.task("a").attempts(), attempts);
    }
}

#[test]
fn after_two_failures_another_agent_takes_over() {
    let mut bench = Bench::new(with(plan("a"), "a", |task| {
        task.agents_else = vec!["second".to_owned()];
        task.retries = Some(3);
    }));
    bench.runs_badly("a", "a.1 refused, then retry");
    bench.runs_badly("a", "a.2 refused, then reassign to second");
    bench.does(bench.lease("a"), &["leased a.3 by second in 1"]);
    // no third agent is named: the second one tries again
    bench.does(bench.ended("a", 1), &["a.3 refused, then retry"]);
    bench.does(bench.lease("a"), &["leased a.4 by second in 1"]);
}

#[test]
fn what_cannot_be_started_is_a_persons_at_once() {
    let mut bench = Bench::new(plan("a; b"));
    bench.so(bench.lease("a"));
    let not_started = |bench: &Bench, permanent| Command::NotStarted {
        attempt: bench.attempt("a"),
        cause: "no such program: agnet".to_owned(),
        permanent,
    };
    bench.does(not_started(&bench, false), &["a.1 errored, then retry"]);
    bench.so(bench.lease("a"));
    bench.does(
        not_started(&bench, true),
        &["a.2 errored, then escalate: it cannot be started: no such program: agnet"],
    );
}

#[test]
fn one_with_a_single_retry_leaves_it_to_another_agent() {
    let graph = with(plan("a"), "a", |task| {
        task.retries = Some(1);
        task.agents_else = vec!["person".to_owned()];
    });
    let mut bench = Bench::new(graph);
    bench.so(bench.lease("a"));
    bench.does(
        bench.ended("a", 1),
        &["a.1 refused, then reassign to person"],
    );
}

#[test]
fn losses_wait_longer_each_time_and_have_their_own_bound() {
    let mut bench = Bench::with(
        plan("a"),
        Settings {
            losses_max: 3,
            ..Settings::default()
        },
    );
    let lost = |bench: &Bench| Command::Find {
        attempt: bench.attempt("a"),
        finding: Finding::Lost("no process".to_owned()),
    };
    // given: time stands at 1000
    bench.so(bench.lease("a"));
    bench.does(lost(&bench), &["a.1 lost, then retry at 2000"]);
    // a lost one may still write: its successor gets another workspace, and not before its time
    bench.refuses(bench.lease("a"), "task-not-now");
    bench.now = bench.now.plus_ms(1_000);
    bench.does(bench.lease("a"), &["leased a.2 by command in 2"]);
    bench.does(lost(&bench), &["a.2 lost, then retry at 4000"]);
    bench.now = bench.now.plus_ms(2_000);
    bench.so(bench.lease("a"));
    bench.does(
        lost(&bench),
        &["a.3 lost, then escalate: it was lost 3 times, through no fault of its own"],
    );
    assert_eq!(bench.task("a").failures, 0);
}

#[test]
fn a_used_up_reservation_is_no_failure_and_the_next_one_is_larger() {
    // given: an agent that asks a model, and no word of how much it will take
    let asks = all(plan("a"), |task| {
        task.agent = Some("claude".to_owned());
        task.work = Work::Handoff;
    });
    let mut bench = Bench::with(asks, Settings::default());
    let of = |bench: &Bench, change: &dyn Fn(&mut TaskSpec)| {
        let mut task = bench.task("a").clone();
        change(std::sync::Arc::make_mut(&mut task.spec));
        let amount = task.amount(&bench.run.settings);
        (amount.tokens, amount.usd_micros)
    };
    let amount = |bench: &Bench| of(bench, &|_| ());
    let used_up = |bench: &mut Bench, many, told: &str| {
        bench.so(bench.lease("a"));
        let command = Command::Ended {
            attempt: bench.attempt("a"),
            ended: exited(0),
            said: Some(Said::UsedUp(Bound::Tokens(many))),
        };
        bench.does(command, &[told]);
    };
    assert_eq!(amount(&bench), (500_000, 2_000_000));
    used_up(&mut bench, 500_000, "a.1 used up, then retry");
    assert_eq!(amount(&bench), (1_000_000, 4_000_000));
    used_up(&mut bench, 1_000_000, "a.2 used up, then retry");
    let reason = "what was reserved for it was used up 3 times, the last time 2000000 tokens; \
                  a `budget` of the task, or `budget.attempt` in the configuration, reserves more";
    let told = format!("a.3 used up, then escalate: {reason}");
    used_up(&mut bench, 2_000_000, &told);
    let task = bench.task("a");
    assert_eq!((task.failures, task.limits, task.used_up), (0, 0, 3));
    // when a person has it tried again, it goes on with more
    bench.so(Command::Retry {
        task: bench.no("a"),
        note: String::new(),
    });
    assert_eq!(amount(&bench), (4_000_000, 16_000_000));
    // then: what its author said of it counts where it is more
    bench.run.settings.prices.insert(
        "claude".to_owned(),
        Price {
            input: 3_000_000,
            output: 15_000_000,
            cached: 300_000,
        },
    );
    let small = |spec: &mut TaskSpec| spec.estimate.tokens = Some(15_000);
    assert_eq!(of(&bench, &small), (8 * 500_000, 8 * 2_000_000));
    let estimated = |spec: &mut TaskSpec| spec.estimate.tokens = Some(2_000_000);
    assert_eq!(of(&bench, &estimated), (8 * 3_000_000, 8 * 45_000_000));
    // and who does it in its agent's place has a price of its own
    let other = Price {
        input: 1_000_000,
        output: 2_000_000,
        cached: 0,
    };
    bench.run.settings.prices.insert("codex".to_owned(), other);
    let mut task = bench.task("a").clone();
    estimated(std::sync::Arc::make_mut(&mut task.spec));
    let amount = task.amount_by("codex", &bench.run.settings);
    assert_eq!(amount.usd_micros, 8 * 6_000_000);
    let own = |spec: &mut TaskSpec| {
        estimated(spec);
        let tokens = Budget::default().with(Bound::Tokens(70_000));
        spec.budget = tokens.with(Bound::UsdMicros(50_000));
    };
    assert_eq!(of(&bench, &own), (8 * 70_000, 8 * 50_000));
    // nothing is reserved for programs and people
    for agent in ["command", "person"] {
        let by = |spec: &mut TaskSpec| {
            own(spec);
            spec.agent = Some(agent.to_owned());
        };
        assert_eq!(of(&bench, &by), (0, 0));
    }
}

#[test]
fn usage_limits_are_no_failures_and_have_their_own_bound() {
    let settings = |limit_then| Settings {
        limits_max: 3,
        limit_wait_max_ms: 5_000,
        limit_then,
        ..Settings::default()
    };
    let limited = |bench: &mut Bench, ends_at: u64, told: &str| {
        bench.so(bench.lease("a"));
        let said = Said::UsageLimit {
            cause: "429".to_owned(),
            wait_ms: None,
            ends_at: Some(crate::ids::Time(ends_at)),
        };
        bench.does(self::said(bench, "a", 1, said), &[told]);
    };
    // given: time stands at 1000; the ledger holds its agent back, not the task
    let mut bench = Bench::with(plan("a"), settings(LimitThen::Pause));
    limited(&mut bench, 6_000, "a.1 limited, then retry");
    limited(&mut bench, 9_000, "a.2 limited, then retry");
    limited(
        &mut bench,
        2_000,
        "a.3 limited, then escalate: it met a usage limit 3 times",
    );
    let task = bench.task("a");
    assert_eq!((task.failures, task.losses, task.limits), (0, 0, 3));
    // what it printed and how it ended stands in its receipt, as after any end
    let endings = &task.endings;
    assert!(endings.iter().all(|ending| !ending.receipts.is_empty()));
    assert_eq!(
        endings[0].words(),
        "it met a usage limit: 429 (until 1970-01-01 00:00:06 UTC)"
    );
    // a person decides about what would wait for too long, if that is wanted
    let mut bench = Bench::with(plan("a"), settings(LimitThen::Escalate));
    limited(&mut bench, 6_000, "a.1 limited, then retry");
    limited(
        &mut bench,
        6_001,
        "a.2 limited, then escalate: it met a usage limit that ends at 1970-01-01 00:00:06 UTC",
    );
}

/// The command of an attempt whose agent ends so and says that.
fn said(bench: &Bench, id: &str, status: i32, said: Said) -> Command {
    Command::Ended {
        attempt: bench.attempt(id),
        ended: exited(status),
        said: Some(said),
    }
}

/// What the agents of a task's ended attempts claimed, one by one.
fn claimed(bench: &Bench, id: &str) -> Vec<Option<String>> {
    let claim = |ending: &Ending| {
        let mut claims = ending.receipts.iter().filter_map(Receipt::claimed_failure);
        claims.next().map(str::to_owned)
    };
    bench.task(id).endings.iter().map(claim).collect()
}

#[test]
fn an_agent_that_says_it_failed_is_recorded_and_not_believed() {
    let mut bench = Bench::new(plan("a; b"));
    let says = || Said::Failure("it does not compile".to_owned());
    // given: what it made passes its checks
    bench.so(bench.lease("a"));
    let command = said(&bench, "a", 0, says());
    bench.does(command, &["a.1 submitted+collected+verified+integrated"]);
    // given: what it made does not
    bench.so(bench.lease("b"));
    let command = said(&bench, "b", 1, says());
    bench.does(command, &["b.1 refused, then retry"]);
    let claim = || Some("it does not compile".to_owned());
    assert_eq!(claimed(&bench, "a"), [claim()]);
    assert_eq!(claimed(&bench, "b"), [claim()]);
    // given: its owner ends it meanwhile
    bench.so(bench.lease("b"));
    bench.so(bench.cancel("b"));
    let command = said(&bench, "b", 1, says());
    bench.so(command);
    assert_eq!(claimed(&bench, "b"), [claim(), claim()]);
}

#[test]
fn one_that_says_it_failed_and_changed_nothing_is_refused_whatever_passes() {
    let mut bench = Bench::new(with(plan("a"), "a", files));
    let says = || Said::Failure("401 unauthorized".to_owned());
    let collected = |bench: &Bench, at: u64| Command::Collected {
        attempt: bench.attempt("a"),
        snapshot: Some(Snapshot {
            commit: commit(at),
            ..snapshot(at)
        }),
        artifacts: Vec::new(),
    };
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.so(said(&bench, "a", 0, says()));
    bench.so(collected(&bench, 0));
    bench.does(
        bench.checked("a", Verdict::pass(0)),
        &["a.1 not collected, then retry"],
    );
    assert_eq!(
        bench.task("a").endings[0].words(),
        "it failed: 401 unauthorized; what it made could not be taken: there is nothing: no file \
         was changed"
    );
    // What it did make is judged.
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.so(said(&bench, "a", 0, says()));
    bench.so(collected(&bench, 7));
    bench.does(bench.checked("a", Verdict::pass(0)), &["a.2 verified"]);
}

#[test]
fn what_an_agent_failed_with_and_was_denied_stands_before_what_checks_saw() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    let failure = format!("401 unauthorized: {}\nmore", "x".repeat(400));
    let mut ended = exited(1);
    ended.denied = vec!["Write x.md".to_owned(), "Write y.md".to_owned()];
    let attempt = bench.attempt("a");
    bench.so(Command::Ended {
        attempt,
        ended,
        said: Some(Said::Failure(failure)),
    });
    let words = bench.task("a").endings[0].words();
    let (failed, rest) = words.split_once("; ").unwrap();
    assert!(
        failed.starts_with("it failed: 401 unauthorized: xxx"),
        "{failed}"
    );
    assert!(failed.len() < 320 && !failed.contains("more"), "{failed}");
    let (denied, checks) = rest.split_once("; ").unwrap();
    assert_eq!(denied, "it was denied Write y.md (and 1 more)");
    assert!(checks.starts_with("checks refused it"), "{checks}");
    // The process's status says less than its agent does.
    assert!(!words.contains("its process"), "{words}");
}

#[test]
fn a_composition_that_was_hindered_is_lost_with_its_receipt() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    let command = said(&bench, "a", 2, Said::Hindrance("no space".to_owned()));
    bench.does(command, &["a.1 lost, then retry at 2000"]);
    let ending = &bench.task("a").endings[0];
    assert_eq!(ending.end, AttemptEnd::Lost("no space".to_owned()));
    assert_eq!(ending.receipts.len(), 1, "what its process took is known");
    assert!(
        ending.workspace_kept,
        "nothing is left that could write in it"
    );
    assert_eq!(claimed(&bench, "a"), [None]);
}

#[test]
fn a_workspace_that_cannot_be_prepared_pauses_the_run_and_costs_the_task_nothing() {
    let mut bench = Bench::new(plan("a; b"));
    let not_prepared = |bench: &Bench, task: &str| Command::NotPrepared {
        attempt: bench.attempt(task),
        cause: "the setup fails".to_owned(),
    };
    for number in 1..=6 {
        bench.so(bench.lease("a"));
        bench.so(bench.lease("b"));
        bench.does(
            not_prepared(&bench, "a"),
            &[
                "paused: the setup fails",
                &format!("a.{number} errored, then retry"),
            ],
        );
        // the other needed the same: the run is paused already
        bench.does(
            not_prepared(&bench, "b"),
            &[&format!("b.{number} errored, then retry")],
        );
        bench.refuses(bench.lease("a"), "run-paused");
        bench.does(Command::Resume, &["resumed"]);
    }
    let task = bench.task("a");
    assert_eq!((task.failures, task.losses), (0, 0));
    assert!(task.endings.iter().all(|ending| ending.workspace == 1));
    // a pause by its owner stays theirs
    bench.so(bench.lease("a"));
    let pause = Command::Pause {
        reason: PauseReason::Owner,
        stop: false,
    };
    bench.so(pause);
    bench.does(not_prepared(&bench, "a"), &["a.7 errored, then retry"]);
    assert_eq!(bench.run.paused, Some(PauseReason::Owner));
}

#[test]
fn a_workspace_that_is_not_prepared_after_its_attempt_was_stopped_ends_it_so() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    bench.so(bench.cancel("a"));
    let not_prepared = Command::NotPrepared {
        attempt: bench.attempt("a"),
        cause: "interrupted".to_owned(),
    };
    bench.does(
        not_prepared.clone(),
        &["a.1 stopped as canceled, then cancel", "ended canceled"],
    );
    bench.refuses(not_prepared, "run-ended");
}

#[test]
fn interruptions_cost_a_task_nothing() {
    let mut bench = Bench::new(plan("a"));
    for number in 1..=6 {
        bench.so(bench.lease("a"));
        let pause = Command::Pause {
            reason: PauseReason::Interrupted,
            stop: true,
        };
        bench.so(pause);
        bench.does(
            bench.ended("a", 143),
            &[&format!("a.{number} stopped as interrupted, then retry")],
        );
        bench.does(Command::Resume, &["resumed"]);
    }
    let task = bench.task("a");
    assert_eq!((task.failures, task.losses, task.conflicts), (0, 0, 0));
    bench.runs("a");
}

#[test]
fn to_stall_and_to_be_overdue_are_failures_of_its_own() {
    let mut bench = Bench::new(plan("a"));
    let finds = |bench: &Bench, finding| Command::Find {
        attempt: bench.attempt("a"),
        finding,
    };
    bench.so(bench.lease("a"));
    let suspected = Finding::Suspected("no output".to_owned());
    bench.does(finds(&bench, suspected.clone()), &["suspected a.1"]);
    bench.does(finds(&bench, suspected), &[]);
    bench.does(finds(&bench, Finding::Cleared), &["cleared a.1"]);
    let stalled = Finding::Stalled("no output for 10 min".to_owned());
    bench.does(finds(&bench, stalled.clone()), &["stopping a.1: stalled"]);
    bench.does(finds(&bench, stalled), &[]);
    assert_eq!(bench.owed(), ["stop a.1"]);
    bench.does(bench.ended("a", 0), &["a.1 stopped as stalled, then retry"]);
    bench.so(bench.lease("a"));
    bench.does(finds(&bench, Finding::Overdue), &["stopping a.2: overdue"]);
    bench.does(
        bench.ended("a", 143),
        &["a.2 stopped as overdue, then retry"],
    );
    assert_eq!(bench.task("a").failures, 2);
    let end = &bench.task("a").ending(2).unwrap().end;
    assert_eq!(end, &AttemptEnd::Stopped(StopReason::Overdue));
}

#[test]
fn a_persons_retry_counts_anew_and_is_heard() {
    let mut bench = Bench::new(plan("a"));
    bench.escalates("a");
    let (task, note) = (bench.no("a"), "look at the header".to_owned());
    bench.does(
        Command::Retry {
            task,
            note: note.clone(),
        },
        &["retried a"],
    );
    assert_eq!(bench.task("a").failures, 0);
    let told: Vec<&str> = bench
        .task("a")
        .answers
        .iter()
        .map(|told| told.text.as_str())
        .collect();
    assert_eq!(told, [note]);
    assert_eq!(
        bench.task("a").endings.len(),
        3,
        "what was tried stays known"
    );
    bench.runs_badly("a", "a.4 refused, then retry");
    bench.runs_badly("a", "a.5 refused, then retry");
    bench.runs_badly("a", &format!("a.6 refused, then {REFUSED}"));
}

#[test]
fn the_late_work_of_a_lost_attempt_is_kept_as_an_offer() {
    // given: a.1 was lost, a.2 works in another workspace
    let mut bench = Bench::new(all(plan("a"), files));
    bench.so(bench.lease("a"));
    let old = bench.attempt("a");
    bench.so(Command::Find {
        attempt: old,
        finding: Finding::Lost("silent".to_owned()),
    });
    bench.now = bench.now.plus_ms(1_000);
    bench.so(bench.lease("a"));
    // when: a.1 ends after all
    let late = Command::Ended {
        attempt: old,
        ended: exited(0),
        said: None,
    };
    bench.does(late.clone(), &["returned a.1"]);
    bench.does(late.clone(), &[]);
    assert_eq!(bench.owed(), ["start a.2", "keep offer a.1"]);
    // then: its work is kept, and a.2 goes on undisturbed
    let snapshot = Some(super::bench::snapshot(5));
    let kept = Command::OfferCollected {
        attempt: old,
        snapshot,
    };
    bench.does(kept.clone(), &["offer kept a.1"]);
    bench.refuses(kept, "attempt-superseded");
    bench.does(late, &[]);
    assert_eq!(bench.owed(), ["start a.2"]);
    bench.does(bench.ended("a", 0), &["a.2 submitted"]);
}

#[test]
fn late_work_is_kept_when_the_supervisor_tells_of_it_after_the_run_has_ended() {
    // given: a.1 was lost, and the run was canceled and has ended
    let mut bench = Bench::new(all(plan("a"), files));
    bench.so(bench.lease("a"));
    let old = bench.attempt("a");
    bench.so(Command::Find {
        attempt: old,
        finding: Finding::Lost("silent".to_owned()),
    });
    bench.so(Command::Cancel { task: None });
    assert!(bench.run.ended.is_some());
    // when: a new life of the engine hears that a.1 ended
    bench.does(
        Command::Joined {
            epoch: crate::ids::Epoch(2),
            holds: vec![old],
        },
        &[],
    );
    let ended = Command::Ended {
        attempt: old,
        ended: exited(0),
        said: None,
    };
    bench.does(ended, &["returned a.1"]);
    // then
    assert_eq!(bench.owed(), ["keep offer a.1"]);
}

#[test]
fn a_successor_of_what_nobody_holds_works_in_a_workspace_of_its_own() {
    // given: a.1 was leased in epoch 1, and its supervisor died
    let mut bench = Bench::new(all(plan("a"), files));
    bench.so(bench.lease("a"));
    // when: the next supervisor joins and holds nothing; nobody swept what a.1 may have left
    bench.so(Command::Joined {
        epoch: crate::ids::Epoch(2),
        holds: Vec::new(),
    });
    bench.now = bench.now.plus_ms(1_000);
    bench.so(bench.lease("a"));
    // then
    let live = bench.task("a").live();
    assert_eq!(live.map(|live| live.workspace), Some(2));
}

#[test]
fn a_word_about_another_run_changes_nothing() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    let mut attempt = bench.attempt("a");
    bench.so(Command::Find {
        attempt,
        finding: Finding::Lost("silent".to_owned()),
    });
    attempt.run.0 += 1;
    let late = Command::Ended {
        attempt,
        ended: exited(0),
        said: None,
    };
    bench.refuses(late, "attempt-superseded");
    let offer = Command::OfferCollected {
        attempt,
        snapshot: None,
    };
    bench.refuses(offer, "attempt-superseded");
}

#[test]
fn a_new_life_of_the_engine_adopts_what_is_held_and_gives_up_the_rest() {
    // given: three agents leased in epoch 1, one of which a person is
    let mut bench = Bench::with(
        with(plan("a; b; c; d"), "d", super::bench::handoff),
        Settings::default(),
    );
    for id in ["a", "b", "c", "d"] {
        bench.so(bench.lease(id));
    }
    let joined = Command::Joined {
        epoch: Epoch(2),
        holds: vec![bench.attempt("a"), bench.attempt("c")],
    };
    bench.does(
        joined.clone(),
        &[
            "adopted a.1",
            "b.1 lost, then retry at 2000",
            "adopted c.1",
            "adopted d.1",
        ],
    );
    // when the same is said again, nothing more follows
    bench.does(joined, &[]);
}

#[test]
fn what_the_life_before_suspected_is_forgotten_by_whoever_adopts() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    let suspects = |bench: &Bench| Command::Find {
        attempt: bench.attempt("a"),
        finding: Finding::Suspected("no output".to_owned()),
    };
    bench.does(suspects(&bench), &["suspected a.1"]);
    let joined = Command::Joined {
        epoch: Epoch(2),
        holds: vec![bench.attempt("a")],
    };
    bench.does(joined, &["adopted a.1"]);
    assert_eq!(bench.task("a").live().unwrap().suspected, None);
    // It may be suspected anew.
    bench.does(suspects(&bench), &["suspected a.1"]);
}

#[test]
fn an_attempt_with_less_time_than_its_box_is_ended_there_and_it_costs_the_task_nothing() {
    let mut bench = Bench::new(with(plan("a; b"), "a", |task| task.retries = Some(0)));
    let lease = |bench: &Bench, id: &str, timeout_ms| Command::Lease {
        task: bench.no(id),
        epoch: Epoch(1),
        timeout_ms,
        with: None,
    };
    let command = lease(&bench, "a", Some(5_000));
    bench.does(command, &["leased a.1 by command in 1 for 5000 ms"]);
    assert_eq!(bench.task("a").live_timeout_ms(&bench.run.settings), 5_000);
    // All that was asked for, or more: the task's own box holds.
    let own_ms = bench.run.settings.timeout_ms;
    let command = lease(&bench, "b", Some(own_ms));
    bench.does(command, &["leased b.1 by command in 1"]);
    assert_eq!(bench.task("b").live_timeout_ms(&bench.run.settings), own_ms);

    let find = |bench: &Bench, id: &str| Command::Find {
        attempt: bench.attempt(id),
        finding: Finding::Overdue,
    };
    let command = find(&bench, "a");
    bench.does(command, &["stopping a.1: overdue"]);
    let command = find(&bench, "b");
    bench.does(command, &["stopping b.1: overdue"]);
    let ended = |bench: &Bench, id: &str| Command::Ended {
        attempt: bench.attempt(id),
        ended: exited(143),
        said: None,
    };
    let command = ended(&bench, "a");
    bench.does(command, &["a.1 stopped as over its budget, then retry"]);
    assert_eq!(bench.task("a").failures, 0);
    assert_eq!(
        end_words(&bench.task("a").endings[0].end),
        "it was past what its budget left for it: 5 s of agents' time"
    );
    let command = ended(&bench, "b");
    bench.does(command, &["b.1 stopped as overdue, then retry"]);
    assert_eq!(bench.task("b").failures, 1);
}

#[test]
fn people_have_no_time_box_that_a_budget_could_shorten() {
    let mut bench = Bench::new(with(plan("a"), "a", handoff));
    let command = Command::Lease {
        task: bench.no("a"),
        epoch: Epoch(1),
        timeout_ms: Some(0),
        with: None,
    };
    bench.does(command, &["leased a.1 by person in 1"]);
    assert_eq!(bench.task("a").amount(&bench.run.settings).time_ms, 0);
}

#[test]
fn a_composition_that_cannot_succeed_is_a_persons_at_once() {
    // given: a ── c, and b beside them
    let mut bench = Bench::new(plan("a; b; c: a"));
    bench.so(bench.lease("a"));
    let cause = "the template t.md is not in the run's tree; commit it before the run";
    let escalated = format!("a.1 refused, then escalate: nothing was composed: {cause}");
    let command = Command::NotComposed {
        attempt: bench.attempt("a"),
        cause: cause.to_owned(),
        ended: Some(exited(1)),
    };
    bench.does(command, &[&escalated]);
    let ending = &bench.task("a").endings[0];
    assert_eq!(ending.receipts.len(), 1, "what its process took is known");
    assert!(ending.workspace_kept);
    assert_eq!(
        end_words(&ending.end),
        format!("nothing was composed: {cause}")
    );
    // then: everything else goes on
    assert_eq!(bench.run.paused, None);
    bench.does(bench.lease("b"), &["leased b.1 by command in 1"]);
}

#[test]
fn a_composition_that_is_being_stopped_is_stopped() {
    let mut bench = Bench::new(plan("a; b"));
    bench.so(bench.lease("a"));
    bench.so(bench.cancel("a"));
    let command = Command::NotComposed {
        attempt: bench.attempt("a"),
        cause: "no template".to_owned(),
        ended: None,
    };
    bench.does(command, &["a.1 stopped as canceled, then cancel"]);
}

#[test]
fn a_start_that_will_fail_exactly_so_is_for_another_agent_or_a_person() {
    let refused = |bench: &Bench| Command::NotStarted {
        attempt: bench.attempt("a"),
        cause: "its login was refused".to_owned(),
        permanent: true,
    };
    let graph = with(plan("a"), "a", |task| {
        handoff(task);
        task.agent = Some("claude".to_owned());
        task.agents_else = vec!["codex".to_owned()];
    });
    let mut bench = Bench::new(graph);
    bench.so(bench.lease("a"));
    bench.does(refused(&bench), &["a.1 errored, then reassign to codex"]);
    bench.does(bench.lease("a"), &["leased a.2 by codex in 1"]);
    bench.does(
        refused(&bench),
        &["a.2 errored, then escalate: it cannot be started: its login was refused"],
    );
    // What is typed first checks that.
    let told = super::explaining::told(&bench, "a");
    let first = told.lines().find(|line| line.starts_with("$ "));
    assert_eq!(first, Some("$ divisi agents test codex"), "{told}");
}
