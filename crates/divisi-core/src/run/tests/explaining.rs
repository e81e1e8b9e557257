//! "Why is nothing happening?" always has an answer.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{Bench, all, exited, files, handoff, id_of, plain, plan, with};
use crate::assign::WORKERS_MAX;
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ids::{Digest, RunId, TaskNo, Time};
use crate::ledger::{Account, Amount, Balance, Bound, Credential, Exhausted, Limit, QuietHours};
use crate::plan::{Input, Plan, Stage, TaskKind};
use crate::preparation::Setup;
use crate::receipt::Output;
use crate::run::explain::{Explanation, Shared, explain, explain_run};
use crate::run::{Budget, Command, Finding, PauseReason, Rejection, Run, RunStatus, Settings};

/// Every task and the run have a cause, and what is not over has a command.
pub(super) fn everything_is_explained(run: &Run, now: Time) {
    for no in (0..run.tasks().len() as u32).map(TaskNo) {
        let told = explain(run, no, now, &Shared::default()).unwrap();
        assert!(!told.causes.is_empty(), "{told:?}");
        assert!(!told.causes.iter().any(String::is_empty), "{told:?}");
        let task = run.task(no).unwrap();
        if !task.status().is_terminal() {
            assert!(!told.commands.is_empty(), "{told:?}");
        }
    }
    let told = explain_run(run, now, &Shared::default());
    assert!(!told.causes.is_empty(), "{told:?}");
    if matches!(
        run.status(),
        RunStatus::Blocked | RunStatus::AwaitingApproval
    ) {
        assert!(!told.commands.is_empty(), "{told:?}");
    }
}

/// The explanation as a person would read it.
pub(super) fn told(bench: &Bench, id: &str) -> String {
    let told = explain(&bench.run, bench.no(id), bench.now, &Shared::default()).unwrap();
    text(&told)
}

pub(super) fn told_run(bench: &Bench) -> String {
    text(&explain_run(&bench.run, bench.now, &Shared::default()))
}

fn text(told: &Explanation) -> String {
    let lines = told.causes.iter().cloned();
    let commands = told.commands.iter().map(|command| format!("$ {command}"));
    let head = format!("{} is {}", told.subject, told.status);
    let all: Vec<String> = std::iter::once(head).chain(lines).chain(commands).collect();
    all.join("\n")
}

#[test]
fn a_waiting_task_names_what_is_really_in_the_way() {
    // a ── b ── c, and a has failed three times
    let mut bench = Bench::new(plan("a; b: a; c: b"));
    bench.escalates("a");
    assert_eq!(
        told(&bench, "c"),
        "c is waiting\nb is waiting\n$ divisi explain run-1 a"
    );
    assert_eq!(
        told(&bench, "a"),
        "a is blocked\n\
         it failed 3 times; the last time checks refused it: the command ended with exit status \
         1, expected 0\n\
         $ divisi show run-1 a\n\
         $ divisi retry run-1 a --note HINT\n\
         $ divisi reject run-1 a --reason WHY"
    );
}

#[test]
fn a_ready_task_says_what_it_lacks() {
    let settings = Settings {
        workers_max: 1,
        ..Settings::default()
    };
    let mut bench = Bench::with(plan("a; b"), settings);
    assert_eq!(
        told(&bench, "a"),
        "a is ready\na worker will take it next\n$ divisi cancel run-1 a"
    );
    bench.so(bench.lease("a"));
    assert_eq!(
        told(&bench, "b"),
        "b is ready\nthe limit of 1 workers is reached\na is running\n$ divisi explain run-1 a"
    );
    bench.so(Command::Pause {
        reason: PauseReason::Owner,
        stop: false,
    });
    assert_eq!(
        told(&bench, "b"),
        "b is ready\nthe run is paused: asked by its owner\n$ divisi resume run-1"
    );
}

#[test]
fn a_limit_is_told_with_those_that_hold_its_places() {
    // a has left its worker to be collected, b works; c waits for b alone
    let settings = Settings {
        workers_max: 1,
        ..Settings::default()
    };
    let mut bench = Bench::with(all(plan("a; b; c"), files), settings);
    bench.runs("a");
    bench.so(bench.lease("b"));
    assert!(bench.task("a").live().is_some(), "a is not done");
    assert_eq!(
        told(&bench, "c"),
        "c is ready\nthe limit of 1 workers is reached\nb is running\n$ divisi explain run-1 b"
    );
}

#[test]
fn a_lost_task_says_when_it_is_tried_again() {
    let mut bench = Bench::new(plan("a"));
    bench.so(bench.lease("a"));
    bench.so(Command::Find {
        attempt: bench.attempt("a"),
        finding: Finding::Lost("gone".to_owned()),
    });
    assert_eq!(
        told(&bench, "a"),
        "a is ready\nits next attempt is due in 1 s; the last time it was lost: gone\n$ divisi cancel run-1 a"
    );
}

#[test]
fn what_a_person_must_judge_is_shown_with_the_commands() {
    let mut bench = Bench::new(with(all(plan("a"), files), "a", plain));
    bench.runs("a");
    bench.so(bench.collected("a"));
    let mut open = Verdict::pass(0);
    open.outcome = Outcome::Unverified;
    bench.so(bench.checked("a", open));
    assert_eq!(
        told(&bench, "a"),
        "a is blocked\n\
         no rule can tell whether this holds: reads well\n\
         $ divisi diff run-1 a\n\
         $ divisi approve run-1 a --note SEEN\n\
         $ divisi reject run-1 a --reason WHY"
    );
}

#[test]
fn a_persons_task_and_a_run_that_waits_for_it() {
    let mut bench = Bench::new(with(plan("a; b: a"), "a", handoff));
    bench.so(bench.lease("a"));
    assert_eq!(
        bench.run.status(),
        RunStatus::Running,
        "its workspace is being prepared"
    );
    bench.so(bench.started("a"));
    bench.now = bench.now.plus_ms(90_000);
    assert_eq!(
        told(&bench, "a"),
        "a is running\na person does it; it has waited for 90 s\n$ divisi submit run-1 a [FILE…]\n\
         $ divisi reject run-1 a --reason WHY"
    );
    assert_eq!(
        text(&explain_run(&bench.run, bench.now, &Shared::default())),
        "run-1 is blocked\na: a person does it; it has waited for 90 s\n\
         $ divisi submit run-1 a [FILE…]\n\
         $ divisi reject run-1 a --reason WHY"
    );
    bench.does(
        Command::Submit {
            task: bench.no("a"),
        },
        &["a.1 submitted+collected+verified+integrated"],
    );
}

#[test]
fn a_task_whose_workspace_is_being_prepared_does_not_seem_to_work() {
    let mut made = with(plan("a"), "a", files);
    made.preparation.setup = vec![Setup::Script("make deps".to_owned())];
    let mut bench = Bench::new(made);
    bench.so(bench.lease("a"));
    bench.now = bench.now.plus_ms(3_000);
    let commands = "$ divisi logs run-1 a\n$ divisi cancel run-1 a";
    assert_eq!(
        told(&bench, "a"),
        format!(
            "a is running\nattempt 1 by command has waited for its workspace for 3 s\n{commands}"
        )
    );
    let started = Command::Started {
        attempt: bench.attempt("a"),
        base: None,
        passed_before: Vec::new(),
        confined: None,
        left_out: Vec::new(),
    };
    bench.so(started);
    assert_eq!(
        told(&bench, "a"),
        format!("a is running\nattempt 1 by command has worked for 3 s\n{commands}")
    );
}

#[test]
fn a_barrier_is_named() {
    // [a] | [b]
    let stage = |name: &str, id: &str| Stage {
        name: name.to_owned(),
        tasks: vec![id_of(id)],
    };
    let bench = Bench::new(Plan {
        stages: vec![stage("design", "a"), stage("build", "b")],
        ..plan("a; b")
    });
    assert_eq!(
        told(&bench, "b"),
        "b is waiting\na barrier: design is not complete\na is ready\n\
         $ divisi explain run-1 a"
    );
}

#[test]
fn a_skipped_task_names_who_is_to_blame() {
    let mut bench = Bench::new(plan("a; b: a; c"));
    bench.so(bench.cancel("a"));
    assert_eq!(
        told(&bench, "b"),
        "b is skipped\nit depends on a, which is canceled\n$ divisi retry run-1 a"
    );
}

#[test]
fn a_ready_task_that_its_budget_holds_back_says_so() {
    let mut bench = Bench::new(plan("a; b"));
    let settings = Settings {
        timeout_ms: 60_000,
        ..Settings::default()
    };
    bench.run.settings = settings;
    let balance = |attempts, time_ms| Balance {
        budget: Budget {
            attempts: Some(attempts),
            time_ms: Some(100_000),
            ..Budget::default()
        },
        held: Amount {
            attempts: 1,
            time_ms,
            ..Amount::default()
        },
        ..Balance::default()
    };
    let told = |balance: &Balance| {
        let shared = Shared {
            accounts: BTreeMap::from([(Account::Run(RunId(1)), *balance)]),
            others: Vec::new(),
            ..Shared::default()
        };
        let told = explain(&bench.run, bench.no("b"), bench.now, &shared);
        text(&told.unwrap())
    };
    assert_eq!(
        told(&balance(9, 40_000)),
        "b is ready\na worker will take it next\n$ divisi cancel run-1 b"
    );
    assert_eq!(
        told(&balance(9, 60_000)),
        "b is ready\n\
         the budget of 100 s of agents' time is used, or reserved by attempts under way\n\
         $ divisi resume run-1 --budget Nmin"
    );
    assert_eq!(
        told(&balance(1, 40_000)),
        "b is ready\n\
         the budget of 1 attempt is used, or reserved by attempts under way\n\
         $ divisi resume run-1 --budget N-attempts"
    );
    let beside = |slots| Shared {
        accounts: BTreeMap::new(),
        others: vec![(RunId(7), slots)],
        ..Shared::default()
    };
    let told =
        |shared: &Shared| text(&explain(&bench.run, bench.no("b"), bench.now, shared).unwrap());
    let held = bench.run.slots();
    assert_eq!(
        told(&beside(WORKERS_MAX - held)),
        format!(
            "b is ready\n\
             all 256 workers of this project are taken, some of them by other runs\n\
             run-7 has {} of them\n\
             $ divisi pause run-7",
            WORKERS_MAX - held
        )
    );
    assert!(told(&beside(WORKERS_MAX - held - 1)).contains("a worker will take it next"));
}

#[test]
fn a_usage_limit_is_named_with_its_end_and_the_command_that_ends_the_wait() {
    let credential = Credential::Variable("KEY".to_owned());
    let limit = |said| Limit {
        met_at: Time(0),
        ends_at: Time(61_500),
        said,
        times: 1,
        cause: "try again later".to_owned(),
        attempts: BTreeSet::new(),
    };
    let shared = |said| Shared {
        limits: [(credential.clone(), limit(said))].into(),
        credentials: [("command".to_owned(), vec![credential.clone()])].into(),
        ..Shared::default()
    };
    let told = |settings: Settings, shared: &Shared| {
        let bench = Bench::with(plan("a"), settings);
        text(&explain(&bench.run, bench.no("a"), bench.now, shared).unwrap())
    };
    let expected = "a is ready\n\
        KEY met a usage limit and is not used before 1970-01-01 00:01:01 UTC, in 61 s\n\
        it was told: try again later";
    let command = "$ divisi agents resume KEY";
    assert_eq!(
        told(Settings::default(), &shared(true)),
        format!("{expected}\n{command}")
    );
    // Nothing else is done by waiting longer than permitted: the run is about to pause.
    let short = Settings {
        limit_wait_max_ms: 0,
        ..Settings::default()
    };
    assert_eq!(
        told(short, &shared(false)),
        format!("{expected}; for how long is a guess\n{command}")
    );
    let quiet = Settings {
        quiet_hours: QuietHours::parse("00:00-06:00"),
        ..Settings::default()
    };
    assert_eq!(
        told(quiet, &Shared::default()),
        "a is ready\n\
         nothing is started in the quiet hours 00:00-06:00; they end at 1970-01-01 06:00:00 UTC\n\
         $ divisi cancel run-1 a"
    );
}

#[test]
fn a_run_that_is_paused_at_a_usage_limit_says_until_when_and_how_to_go_on() {
    let mut bench = Bench::new(plan("a"));
    bench.so(Command::Pause {
        reason: PauseReason::UsageLimit {
            credential: Credential::Login("claude".to_owned()),
            until: Time(1_764_169_445_000),
        },
        stop: false,
    });
    assert_eq!(
        text(&explain_run(&bench.run, bench.now, &Shared::default())),
        "run-1 is paused\n\
         it is paused: the login of claude met a usage limit that ends at 2025-11-26 15:04:05 UTC\n\
         $ divisi agents resume claude && divisi resume run-1"
    );
}

#[test]
fn a_used_up_budget_names_the_bound_and_the_command_that_raises_it() {
    let told = |account, bound| {
        let mut bench = Bench::new(plan("a; b: a"));
        let reason = PauseReason::Budget(Exhausted {
            account,
            bound,
            task: None,
        });
        let pause = Command::Pause {
            reason,
            stop: false,
        };
        assert!(bench.decide(pause).is_ok());
        let whole = text(&explain_run(&bench.run, bench.now, &Shared::default()));
        let task = self::told(&bench, "a");
        let commands = |told: &str| -> Vec<String> {
            let commands = told.lines().filter(|line| line.starts_with('$'));
            commands.map(str::to_owned).collect()
        };
        assert_eq!(commands(&task), commands(&whole));
        whole
    };
    let account = Account::Run(RunId(1));
    assert_eq!(
        told(account, Some(Bound::Attempts(2))),
        "run-1 is paused\nit is paused: the budget of run-1 is used up: 2 attempts\n\
         $ divisi resume run-1 --budget N-attempts"
    );
    assert_eq!(
        told(account, Some(Bound::TimeMs(90_000))),
        "run-1 is paused\n\
         it is paused: the budget of run-1 is used up: 90 s of agents' time\n\
         $ divisi resume run-1 --budget Nmin"
    );
    assert_eq!(
        told(account, None),
        "run-1 is paused\nit is paused: the budget of run-1 is used up\n\
         $ divisi resume run-1 --budget N-attempts\n$ divisi resume run-1 --budget Nmin"
    );
    assert_eq!(
        told(Account::Day(20_000), Some(Bound::Attempts(2))),
        "run-1 is paused\nit is paused: the budget of the day is used up: 2 attempts\n\
         $ divisi resume run-1 --day-budget N-attempts\n$ divisi resume run-1"
    );
}

#[test]
fn an_awaited_file_is_named() {
    let mut bench = Bench::new(with(plan("a"), "a", |task| {
        handoff(task);
        task.kind = TaskKind::External;
        task.inputs = vec![
            Input::Path("data/in.csv".to_owned()),
            Input::Path("more.csv".to_owned()),
        ];
    }));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.now = bench.now.plus_ms(7_000);
    let expected = "it awaits data/in.csv, more.csv from outside, and takes it once it is there \
                    and whole; it has waited for 7 s\n\
                    $ divisi submit run-1 a [FILE…]\n\
                    $ divisi reject run-1 a --reason WHY\n\
                    $ divisi resume run-1";
    assert_eq!(told(&bench, "a"), format!("a is running\n{expected}"));
    assert_eq!(
        text(&explain_run(&bench.run, bench.now, &Shared::default())),
        format!("run-1 is blocked\na: {expected}")
    );
}

#[test]
fn a_task_whose_process_broke_off_says_so_beside_what_is_missing() {
    let once = |task: &mut crate::plan::TaskSpec| {
        files(task);
        task.retries = Some(0);
    };
    let mut bench = Bench::new(with(plan("a"), "a", once));
    bench.so(bench.lease("a"));
    let mut ended = exited(7);
    ended.output = Some(Output {
        digest: Digest::new(&"a".repeat(64)).unwrap(),
        bytes: 5,
        capped: false,
    });
    let attempt = bench.attempt("a");
    bench.so(Command::Ended {
        attempt,
        ended,
        said: None,
    });
    bench.so(bench.collected("a"));
    bench.so(bench.checked("a", Verdict::fail(0, "a.md is missing")));
    let why = "its process ended with exit status 7; checks refused it: a.md is missing";
    assert_eq!(
        told(&bench, "a"),
        format!(
            "a is blocked\nit failed once; the last time {why}\n$ divisi show run-1 a\n\
             $ divisi logs run-1 a\n$ divisi retry run-1 a --note HINT\n\
             $ divisi reject run-1 a --reason WHY"
        )
    );
    bench.so(Command::Reject {
        task: Some(bench.no("a")),
        reason: String::new(),
    });
    assert_eq!(
        text(&explain_run(&bench.run, bench.now, &Shared::default())),
        format!(
            "run-1 is failed\na: it was given up\na: the last time {why}\n$ divisi report run-1"
        )
    );
}

#[test]
fn what_fails_on_the_whole_is_said_with_what_was_seen() {
    let mut made = plan("a");
    made.criteria = vec![
        Criterion::Command {
            argv: ["sh", "-c", "echo bad; exit 4"].map(str::to_owned).to_vec(),
            timeout_ms: 1_000,
        },
        Criterion::Plain {
            text: "reads well".to_owned(),
        },
    ];
    let mut bench = Bench::new(made);
    bench.runs("a");
    let seen = "`sh` ended with exit status 4; it printed:\nmuch\nbad";
    let mut open = Verdict::pass(1);
    open.outcome = Outcome::Unverified;
    bench.so(Command::FinalChecked {
        head: bench.run.integration.head.clone(),
        verdicts: vec![Verdict::fail(0, seen), open],
        tasks: Vec::new(),
    });
    assert_eq!(
        text(&explain_run(&bench.run, bench.now, &Shared::default())),
        "run-1 is blocked\n\
         on the whole, this does not hold: `sh -c 'echo bad; exit 4'` exits with 0; \
         `sh` ended with exit status 4; it printed: bad\n\
         on the whole, no rule can tell whether this holds: reads well\n\
         $ divisi retry run-1 TASK --note HINT\n\
         $ divisi approve run-1 --waive --note WHY\n\
         $ divisi reject run-1 --reason WHY"
    );
}

#[test]
fn what_is_checked_holds_no_place_that_another_waits_for() {
    let settings = Settings {
        workers_max: 1,
        ..Settings::default()
    };
    let mut bench = Bench::with(with(plan("a; b; c"), "a", files), settings);
    bench.runs("a");
    bench.so(bench.lease("b"));
    assert_eq!(
        told(&bench, "c"),
        "c is ready\nthe limit of 1 workers is reached\nb is running\n$ divisi explain run-1 b"
    );
}

#[test]
fn what_was_submitted_is_not_submitted_again() {
    let once = |task: &mut crate::plan::TaskSpec| {
        files(task);
        handoff(task);
    };
    let mut bench = Bench::new(with(plan("a"), "a", once));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    let submit = Command::Submit {
        task: bench.no("a"),
    };
    bench.so(submit.clone());
    let Err(Rejection::NotNow { hint, .. }) = bench.decide(submit) else {
        panic!("it was accepted twice");
    };
    assert_eq!(hint, "it was submitted already");
}
