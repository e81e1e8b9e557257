//! Who changes nothing and says that it is done has shown nothing.

use super::bench::{Bench, candidates, commit, files, merged, plan, with};
use super::explaining::told;
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ids::AttemptId;
use crate::plan::{Plan, TaskKind, TaskSpec, Work, WorkspaceKind};
use crate::receipt::{Snapshot, Usage};
use crate::run::{AGENT_PERSON, Command, Final, RunStatus, Settings, TaskStatus};

fn suite() -> Criterion {
    Criterion::Command {
        argv: vec!["suite".to_owned()],
        timeout_ms: 1_000,
    }
}

fn scope() -> Criterion {
    Criterion::Scope {
        patterns: vec!["src/**".to_owned()],
    }
}

/// `a` is done by an agent in words, and this must hold.
fn work(criteria: Vec<Criterion>) -> Plan {
    with(plan("a"), "a", in_words(criteria))
}

fn in_words(criteria: Vec<Criterion>) -> impl Fn(&mut TaskSpec) {
    move |task| {
        task.work = Work::Handoff;
        task.agent = Some("coder".to_owned());
        task.workspace = WorkspaceKind::Worktree;
        task.criteria = criteria.clone();
    }
}

/// What was collected is what it started from.
fn unchanged(bench: &Bench, id: &str) -> Command {
    Command::Collected {
        attempt: bench.attempt(id),
        snapshot: Some(Snapshot {
            commit: commit(0),
            ..super::bench::snapshot(0)
        }),
        artifacts: Vec::new(),
    }
}

/// An attempt changes nothing and is collected; all checks pass.
fn says_done(bench: &mut Bench, id: &str) -> Command {
    bench.so(bench.lease(id));
    bench.so(bench.started(id));
    match bench.task(id).agent(&bench.run.settings) {
        AGENT_PERSON => bench.so(Command::Submit { task: bench.no(id) }),
        _ => bench.so(bench.ended(id, 0)),
    }
    bench.so(unchanged(bench, id));
    passes(bench, bench.attempt(id))
}

fn passes(bench: &Bench, attempt: AttemptId) -> Command {
    let many = bench.run.tasks()[attempt.task.index()].spec.criteria.len() as u16;
    Command::Checked {
        attempt,
        verdicts: (0..many).map(Verdict::pass).collect(),
    }
}

const REFUSED: &str =
    "checks refused it: nothing was changed: its checks held before, and show nothing of it";

#[test]
fn who_changed_nothing_is_tried_again_and_then_a_person_decides() {
    // given: a, whose checks hold whatever it does, and could be halved
    let mut bench = Bench::new(work(vec![suite(), suite(), scope()]));

    // when it changes nothing, it is refused, as often as it may fail, and is not split
    for number in 1..=3 {
        let checked = says_done(&mut bench, "a");
        let then = match number {
            3 => format!("a.3 refused, then escalate: it failed 3 times; the last time {REFUSED}"),
            _ => format!("a.{number} refused, then retry"),
        };
        bench.does(checked, &[&then]);
    }
    let told = told(&bench, "a");
    assert!(
        told.contains("$ divisi approve run-1 a --note WHY"),
        "{told}"
    );

    // when its owner finds that this is right, it is checked once more and integrated
    bench.does(
        bench.approve("a"),
        &["retried a", "a.4 adopts 3", "a.4 submitted"],
    );
    bench.so(unchanged(&bench, "a"));
    let checked = passes(&bench, bench.attempt("a"));
    bench.does(checked, &["a.4 verified"]);
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("a"), 0)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(0) });
    assert_eq!(bench.task("a").status(), TaskStatus::Done);
}

fn changed(pattern: &str) -> Criterion {
    Criterion::Changed {
        pattern: pattern.to_owned(),
    }
}

#[test]
fn who_changed_something_else_is_tried_again_and_its_owner_may_find_it_right() {
    // given: a, which is to change a file, as the whole is; its other check passes anyhow
    let calc = || changed("calc.js");
    let graph = Plan {
        criteria: vec![calc()],
        ..work(vec![suite(), calc()])
    };
    let mut bench = Bench::new(graph);
    let why = "no file that matches calc.js was changed; changed was junk.txt";

    // when it changes another one, it is refused, as often as it may fail, and is not split
    for number in 1..=3 {
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        bench.so(bench.ended("a", 0));
        bench.so(bench.collected("a"));
        let verdicts = vec![Verdict::pass(0), Verdict::fail(1, why)];
        let attempt = bench.attempt("a");
        let last = format!("checks refused it: {why}");
        let then = match number {
            3 => format!("a.3 refused, then escalate: it failed 3 times; the last time {last}"),
            _ => format!("a.{number} refused, then retry"),
        };
        bench.does(Command::Checked { attempt, verdicts }, &[&then]);
    }
    let told = told(&bench, "a");
    assert!(
        told.contains("$ divisi approve run-1 a --note WHY"),
        "{told}"
    );

    // when its owner finds that this is right, it is so, of the whole, too
    bench.so(bench.approve("a"));
    bench.so(bench.collected("a"));
    let attempt = bench.attempt("a");
    let verdicts = vec![Verdict::pass(0), Verdict::fail(1, why)];
    bench.does(Command::Checked { attempt, verdicts }, &["a.4 verified"]);
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("a"), 1)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(1) });
    let found = Command::FinalChecked {
        head: Some(commit(1)),
        verdicts: vec![Verdict::fail(0, why)],
        tasks: Vec::new(),
    };
    bench.so(found);
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn what_else_failed_beside_a_missing_change_is_no_matter_of_a_word() {
    let mut bench = Bench::new(work(vec![suite(), changed("calc.js")]));
    for _ in 0..3 {
        says_done(&mut bench, "a");
        let attempt = bench.attempt("a");
        let failed = ["2 tests failed", "nothing was"];
        let verdicts = (0..).zip(failed).map(|(at, why)| Verdict::fail(at, why));
        let verdicts = verdicts.collect();
        bench.so(Command::Checked { attempt, verdicts });
    }
    bench.refuses(bench.approve("a"), "task-not-now");
}

#[test]
fn what_else_failed_is_no_matter_of_a_word() {
    let mut bench = Bench::new(work(vec![suite()]));
    for _ in 0..3 {
        says_done(&mut bench, "a");
        let checked = bench.checked("a", Verdict::fail(0, "2 tests failed"));
        bench.so(checked);
    }
    bench.refuses(bench.approve("a"), "task-not-now");
    let told = told(&bench, "a");
    assert!(!told.contains("approve"), "{told}");
}

#[test]
fn what_says_what_the_files_are_to_be_may_hold_already() {
    let mut bench = Bench::new(work(vec![suite()]));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.so(bench.ended("a", 0));
    bench.so(bench.collected("a"));
    let checked = passes(&bench, bench.attempt("a"));
    bench.does(checked, &["a.1 verified"]);

    let mut bench = Bench::new(with(work(Vec::new()), "a", files));
    let checked = says_done(&mut bench, "a");
    bench.does(checked, &["a.1 verified"]);
}

#[test]
fn a_person_and_who_only_finds_something_out_may_change_nothing() {
    let by_person = with(work(vec![suite()]), "a", |task| {
        task.agent = Some(AGENT_PERSON.to_owned());
    });
    let research = with(work(vec![suite()]), "a", |task| {
        task.kind = TaskKind::Research;
    });
    let program = with(work(vec![suite()]), "a", |task| {
        task.work = Work::Command(vec!["lint".to_owned()]);
        task.agent = None;
    });
    for plan in [by_person, research, program] {
        let mut bench = Bench::new(plan);
        let checked = says_done(&mut bench, "a");
        bench.does(checked, &["a.1 verified"]);
    }
}

/// Where somebody judges it, they are told.
#[test]
fn whoever_judges_is_told_that_nothing_was_changed() {
    let reads_well = Criterion::Plain {
        text: "reads well".to_owned(),
    };
    let mut bench = Bench::new(work(vec![reads_well]));
    says_done(&mut bench, "a");
    let open = Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(0)
    };
    bench.does(bench.checked("a", open), &["review awaited a.1"]);
    let told = told(&bench, "a");
    let words = "attempt 1 by coder changed no file: all is as it was before";
    assert!(told.contains(words), "{told}");
}

/// Words may be about something beside the files, unless those are named that are to change. Who says
/// of such work that it is right as it is has said all that there is to say.
#[test]
fn where_it_is_told_what_changes_it_is_tried_again_though_words_are_judged_and_judged_once() {
    // given: a, which may change src/, and of which somebody judges the same as of the whole
    let done = || Criterion::Plain {
        text: "it is done".to_owned(),
    };
    let graph = Plan {
        criteria: vec![done()],
        ..work(vec![scope(), done()])
    };
    let mut bench = Bench::new(graph);
    let open = |criterion| Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(criterion)
    };
    let judged = |bench: &Bench| Command::Checked {
        attempt: bench.attempt("a"),
        verdicts: vec![Verdict::pass(0), open(1)],
    };

    // when it changes nothing, it is refused, as often as it may fail; nobody is asked before
    for number in 1..=3 {
        says_done(&mut bench, "a");
        let then = match number {
            3 => format!("a.3 refused, then escalate: it failed 3 times; the last time {REFUSED}"),
            _ => format!("a.{number} refused, then retry"),
        };
        bench.does(judged(&bench), &[&then]);
    }
    let told = told(&bench, "a");
    let asked = "whoever approves it says that this holds: it is done";
    assert!(told.contains(asked), "{told}");

    // when its owner finds that this is right, nobody is asked again, neither of it nor of the whole
    bench.does(
        bench.approve("a"),
        &["retried a", "a.4 adopts 3", "a.4 submitted"],
    );
    bench.so(unchanged(&bench, "a"));
    bench.does(judged(&bench), &["a.4 verified"]);
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("a"), 0)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(0) });
    let found = Command::FinalChecked {
        head: Some(commit(0)),
        verdicts: vec![open(0)],
        tasks: Vec::new(),
    };
    bench.does(found, &["final passed", "ended succeeded"]);
    let Final::Passed(verdicts) = &bench.run.finally else {
        panic!("it passed");
    };
    let said = &verdicts[0].evidence;
    assert!(
        said.starts_with("a person judged it of task a at "),
        "{said}"
    );
    assert!(said.ends_with(": its owner took it as it is"), "{said}");
}

/// What is taken over was used by another attempt, and nobody reported of this one.
#[test]
fn what_nobody_reported_is_not_reported_as_none() {
    let mut bench = Bench::new(with(work(vec![suite()]), "a", |task| {
        task.agent = Some("claude".to_owned());
    }));
    for _ in 0..3 {
        let checked = says_done(&mut bench, "a");
        bench.so(checked);
    }
    bench.so(bench.approve("a"));
    assert_eq!(bench.task("a").usage(), None);
    let adopted = bench.task("a").live().expect("it is checked again");
    // To the ledger, it cost nothing.
    assert_eq!(Usage::of(adopted.receipts.iter()), Some(Usage::default()));
}

/// The one with the fewest changed lines would be taken.
#[test]
fn a_candidate_that_changed_nothing_is_none() {
    let settings = Settings {
        failures_max: 1,
        ..Settings::default()
    };
    let graph = with(work(vec![suite()]), "a", |task| candidates(task, 2, false));
    let mut bench = Bench::with(graph, settings);
    let checked = says_done(&mut bench, "a.1");
    let ended = format!("a.1.1 refused, then escalate: it failed once; the last time {REFUSED}");
    bench.does(checked, &[&ended, "failed a.1"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 12, None));
    assert!(
        bench
            .task("a")
            .taken()
            .is_some_and(|it| it.task == bench.no("a.2"))
    );
}
