//! What people may ask, and what must not follow from it.

use super::bench::{Bench, approval, commit, exited, handoff, merged, plain, plan, tree, with};
use super::explaining::told_run;
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ids::{Epoch, Time};
use crate::plan::{Input, Plan, TaskKind, TaskSpec};
use crate::receipt::{Exit, Receipt};
use crate::run::{
    Base, Command, Create, Event, Final, Merged, PauseReason, Rejection, RunStatus, Settings,
    TaskStatus,
};
use crate::worker::Ended;

#[test]
fn an_approval_that_is_retried_asks_a_person_again() {
    // given: ok ── a, and the consent refused, while another task keeps the run open
    let mut bench = Bench::new(with(plan("ok; a: ok; b"), "ok", approval));
    bench.does(bench.reject("ok"), &["failed ok", "skipped a because ok"]);
    // when: it is retried
    bench.does(bench.retry("ok"), &["retried ok", "retried a"]);
    // then: nobody can lease what only a person may decide
    bench.refuses(bench.lease("ok"), "task-not-now");
    bench.does(bench.approve("ok"), &["approval given ok"]);
    bench.does(bench.lease("a"), &["leased a.1 by command in 1"]);
}

#[test]
fn a_canceled_approval_is_no_consent_either() {
    let mut bench = Bench::new(with(plan("ok; b"), "ok", approval));
    bench.does(bench.cancel("ok"), &["canceled ok"]);
    bench.does(bench.retry("ok"), &["retried ok"]);
    bench.refuses(bench.lease("ok"), "task-not-now");
}

#[test]
fn a_task_behind_a_canceled_one_is_not_retried_before_it() {
    // given: a ── b, both canceled, while c keeps the run open
    let mut bench = Bench::new(plan("a; b: a; c"));
    bench.does(bench.cancel("b"), &["canceled b"]);
    bench.does(bench.cancel("a"), &["canceled a"]);
    // when b is retried alone, it would wait for ever: a is not coming
    bench.refuses(bench.retry("b"), "task-not-now");
    bench.does(bench.retry("a"), &["retried a"]);
    bench.does(bench.retry("b"), &["retried b"]);
}

#[test]
fn nothing_is_retried_while_the_run_is_canceled() {
    // given: a works and is being ended, b is canceled already
    let mut bench = Bench::new(plan("a; b"));
    bench.so(bench.lease("a"));
    bench.does(
        Command::Cancel { task: None },
        &["cancel asked", "stopping a.1: canceled", "canceled b"],
    );
    // when b is retried, it could never be leased, and the run would never end
    bench.refuses(bench.retry("b"), "task-not-now");
    bench.does(
        bench.ended("a", 143),
        &["a.1 stopped as canceled, then cancel", "ended canceled"],
    );
}

#[test]
fn a_run_that_is_canceled_before_its_approval_ends() {
    let mut bench = Bench::created(Create {
        plan: plan("a").into(),
        settings: Settings::default(),
        base: Base::default(),
        approved: false,
        intent: None,
    });
    bench.does(
        Command::Cancel { task: None },
        &["cancel asked", "canceled a", "ended canceled"],
    );
}

#[test]
fn a_task_can_be_canceled_while_it_is_being_stopped() {
    // given: a is interrupted, its agent has not ended yet
    let mut bench = Bench::new(plan("a; b"));
    bench.so(bench.lease("a"));
    bench.does(
        Command::Pause {
            reason: PauseReason::Interrupted,
            stop: true,
        },
        &["paused: interrupted", "stopping a.1: interrupted"],
    );
    // when it is canceled, then the interruption does not bring it back
    bench.does(bench.cancel("a"), &["stopping a.1: canceled"]);
    bench.does(bench.cancel("a"), &[]);
    bench.does(
        bench.ended("a", 143),
        &["a.1 stopped as canceled, then cancel"],
    );
}

#[test]
fn a_canceled_task_stays_canceled_when_its_attempt_is_lost() {
    // given: a is being ended because it was canceled, then the engine dies
    let mut bench = Bench::new(plan("a; b"));
    bench.so(bench.lease("a"));
    bench.does(bench.cancel("a"), &["stopping a.1: canceled"]);
    // when a new life of the engine finds nobody holding it
    let joined = Command::Joined {
        epoch: Epoch(2),
        holds: Vec::new(),
    };
    bench.does(joined, &["a.1 lost, then cancel"]);
    assert_eq!(bench.owed(), [""; 0]);
}

#[test]
fn a_persons_pause_outweighs_the_machines() {
    let mut bench = Bench::new(plan("a"));
    let pause = |reason| Command::Pause {
        reason,
        stop: false,
    };
    bench.does(pause(PauseReason::DiskFull), &["paused: the disk is full"]);
    // when its owner pauses it too, room on the disk alone does not let it go on
    bench.does(pause(PauseReason::Owner), &["paused: asked by its owner"]);
    bench.does(pause(PauseReason::DiskFull), &[]);
    bench.does(pause(PauseReason::Interrupted), &[]);
    bench.refuses(bench.lease("a"), "run-paused");
    bench.does(Command::Resume, &["resumed"]);
    bench.does(Command::Resume, &[]);
}

#[test]
fn consent_that_was_given_is_not_asked_again_at_the_end() {
    // given: ok ── a, both done, and the whole does not hold
    let graph = with(plan("ok; a: ok"), "ok", approval);
    let mut bench = Bench::new(with(graph, "a", super::bench::files));
    bench.so(bench.approve("ok"));
    bench.verifies("a");
    let (onto, merged) = (commit(0), vec![merged(bench.attempt("a"), 500)]);
    bench.so(Command::BatchMerged {
        onto,
        merged,
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(500) });
    let failing = (bench.no("a"), vec![Verdict::fail(0, "no")]);
    bench.so(Command::FinalChecked {
        head: Some(commit(500)),
        verdicts: Vec::new(),
        tasks: vec![failing],
    });
    // then: a can be redone, but what already passed its consent is not held back again
    bench.refuses(bench.retry("ok"), "task-not-now");
    bench.does(bench.retry("a"), &["retried a"]);
}

#[test]
fn what_a_person_judged_on_the_same_tree_is_not_asked_again_of_the_whole() {
    // given: a and the whole promise the same, and a person judged a's tree 1001
    let merged_with_tree = |tree_of_head: u64, expected: &[&str]| {
        let graph = with(plan("a"), "a", |task| {
            super::bench::files(task);
            plain(task);
        });
        let criteria = vec![graph.tasks[0].criteria[0].clone()];
        let mut bench = Bench::new(Plan { criteria, ..graph });
        bench.so(bench.lease("a"));
        bench.so(bench.ended("a", 0));
        bench.so(bench.collected("a"));
        let open = Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::pass(0)
        };
        bench.so(bench.checked("a", open.clone()));
        bench.so(bench.approve("a"));
        let merged = Merged {
            tree: tree(tree_of_head),
            ..merged(bench.attempt("a"), 500)
        };
        bench.so(Command::BatchMerged {
            onto: commit(0),
            merged: vec![merged],
            conflict: None,
            refused: Vec::new(),
        });
        bench.so(Command::HeadMoved { head: commit(500) });
        let found = Command::FinalChecked {
            head: Some(commit(500)),
            verdicts: vec![open],
            tasks: Vec::new(),
        };
        bench.does(found, expected);
        bench
    };
    let bench = merged_with_tree(1_001, &["final passed", "ended succeeded"]);
    // then: it is told whose word it is, about what and when
    let Final::Passed(verdicts) = &bench.run.finally else {
        panic!("it passed");
    };
    let at = bench.task("a").receipts().find_map(|it| match it {
        Receipt::Verified { at, .. } => Some(at.utc()),
        _ => None,
    });
    let said = format!(
        "a person judged it of task a at {}: seen",
        at.expect("it was verified")
    );
    assert_eq!(verdicts[0].evidence, said);
    // On another tree, it is another question.
    merged_with_tree(77, &["final held"]);
}

/// Where no tree tells, nothing but what was judged may have been done.
#[test]
fn what_was_judged_without_files_is_not_asked_again_where_it_is_all_there_is() {
    let ends = |graph: &str, expected: &[&str]| {
        let names: Vec<&str> = graph.split("; ").collect();
        let graph = with(plan(graph), "a", plain);
        let criteria = vec![graph.tasks[0].criteria[0].clone()];
        let mut bench = Bench::new(Plan { criteria, ..graph });
        for name in names {
            bench.so(bench.lease(name));
            bench.so(bench.ended(name, 0));
        }
        let open = Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::pass(0)
        };
        bench.so(bench.checked("a", open.clone()));
        bench.so(bench.approve("a"));
        let found = Command::FinalChecked {
            head: bench.run.integration.head.clone(),
            verdicts: vec![open],
            tasks: Vec::new(),
        };
        bench.does(found, expected);
    };
    ends("a", &["final passed", "ended succeeded"]);
    ends("a; b", &["final held"]);
}

#[test]
fn a_run_waits_for_people_though_they_work_and_judge_at_once() {
    // given: a is held for a judgment, b is a person's
    let graph = with(with(plan("a; b"), "a", plain), "b", handoff);
    let mut bench = Bench::new(graph);
    bench.so(bench.lease("b"));
    bench.so(bench.started("b"));
    assert_eq!(bench.run.status(), RunStatus::Running, "a can be leased");
    bench.so(bench.lease("a"));
    bench.so(bench.ended("a", 0));
    let open = Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(0)
    };
    bench.so(bench.checked("a", open));
    // then: nothing goes on by itself
    assert_eq!(bench.owed(), [""; 0]);
    assert!(bench.run.waits_for_people());
    assert_eq!(bench.run.status(), RunStatus::Blocked);
}

/// So long it waited for people until now, when a second passes before the next event.
fn waited(bench: &mut Bench) -> u64 {
    bench.now = Time(bench.now.0 + 1_000);
    let event = Event::BatchNarrowed { batch: 1 };
    bench.run.apply(bench.now, &event);
    bench.run.waited_ms
}

#[test]
fn time_is_of_people_only_where_a_person_is_waited_for() {
    let pause = |reason| Command::Pause {
        reason,
        stop: false,
    };
    // The disk gets room by itself; an owner has to resume.
    let mut bench = Bench::new(plan("a"));
    assert_eq!(waited(&mut bench), 0, "a can be leased");
    bench.so(pause(PauseReason::DiskFull));
    assert_eq!(waited(&mut bench), 0);
    bench.so(pause(PauseReason::Owner));
    assert_eq!(waited(&mut bench), 1_000);
    // A file from outside comes, or does not; a person beside it is asked.
    let external = |task: &mut TaskSpec| {
        handoff(task);
        task.kind = TaskKind::External;
        task.inputs = vec![Input::Path("data/in.csv".to_owned())];
    };
    let mut bench = Bench::new(with(with(plan("a; b"), "a", external), "b", handoff));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.so(bench.lease("b"));
    bench.so(bench.started("b"));
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    assert_eq!(waited(&mut bench), 1_000, "b is a person's");
    let mut bench = Bench::new(with(plan("a"), "a", external));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    assert_eq!(waited(&mut bench), 0, "nobody is asked");
}

#[test]
fn files_from_outside_are_owed_until_they_are_there_or_somebody_submits() {
    let external = |task: &mut TaskSpec| {
        handoff(task);
        task.kind = TaskKind::External;
        task.inputs = vec![Input::Path("data/in.csv".to_owned())];
    };
    let working = || {
        let mut bench = Bench::new(with(plan("a"), "a", external));
        bench.so(bench.lease("a"));
        assert_eq!(bench.owed(), ["start a.1"]);
        bench.so(bench.started("a"));
        assert_eq!(bench.owed(), ["fetch a.1"]);
        bench
    };
    // They are there: what was awaited is submitted like any other work.
    let mut bench = working();
    assert_eq!(
        bench.run.status(),
        RunStatus::Blocked,
        "only the outside can move it"
    );
    let ended = Ended {
        exit: Exit::NoProcess,
        ..exited(0)
    };
    bench.so(Command::Ended {
        attempt: bench.attempt("a"),
        ended,
        said: None,
    });
    assert_eq!(bench.task("a").status(), TaskStatus::Done);
    assert_eq!(bench.owed(), [""; 0]);
    // Somebody was faster: a late word of the shell changes nothing.
    let mut bench = working();
    bench.so(Command::Submit {
        task: bench.no("a"),
    });
    assert_eq!(bench.owed(), [""; 0]);
    let attempt = bench.attempt("a");
    bench.refuses(
        Command::Ended {
            attempt,
            ended: exited(0),
            said: None,
        },
        "attempt-superseded",
    );
    // Another life of the engine looks again.
    let mut bench = working();
    bench.so(Command::Joined {
        epoch: Epoch(2),
        holds: Vec::new(),
    });
    assert_eq!(bench.owed(), ["fetch a.1"]);
    // Where no file is named, only a person can say that it is there.
    let unnamed = |task: &mut TaskSpec| {
        external(task);
        task.inputs.clear();
    };
    let mut bench = Bench::new(with(plan("a"), "a", unnamed));
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    assert_eq!(bench.owed(), [""; 0]);
}

#[test]
fn who_cannot_do_their_task_says_so_and_is_not_asked_again() {
    // given: a is a person's
    let by_hand = |task: &mut TaskSpec| {
        handoff(task);
        task.agent = Some("person".to_owned());
    };
    let mut bench = Bench::new(with(plan("a; b: a"), "a", by_hand));
    bench.so(bench.lease("a"));
    // when: they give it up, then: somebody decides, and it can be split, retried or given up
    bench.does(
        bench.reject("a"),
        &["a.1 refused, then escalate: whoever was to do it could not: no"],
    );
    bench.does(bench.retry("a"), &["retried a"]);
    bench.so(bench.lease("a"));
    bench.so(bench.started("a"));
    bench.so(bench.reject("a"));
    bench.does(
        bench.reject("a"),
        &["failed a", "skipped b because a", "ended failed"],
    );

    // given: somebody else may do it
    let mut bench = Bench::new(with(plan("a"), "a", |task: &mut TaskSpec| {
        by_hand(task);
        task.agents_else = vec!["coder".to_owned()];
    }));
    bench.so(bench.lease("a"));
    // Until they give it up it cannot be split, and it is said how to; then it can. Whoever does it next
    // is not told that a result was refused.
    let Err(Rejection::NotNow { hint, .. }) = bench.decide(bench.split("a", "x; y")) else {
        panic!("a person is at it");
    };
    assert!(
        hint.starts_with("`divisi reject RUN TASK --reason WHY`"),
        "{hint}"
    );
    bench.does(bench.reject("a"), &["a.1 refused, then reassign to coder"]);
    let told = bench.task("a").endings[0].end_words();
    assert_eq!(told, "whoever was to do it could not: no");
    let mut split = bench.clone();
    split.so(split.split("a", "x; y"));
    // What an agent works on is stopped otherwise.
    bench.so(bench.lease("a"));
    bench.refuses(bench.reject("a"), "task-not-now");
}

#[test]
fn an_owner_who_finds_that_the_whole_does_not_hold_says_so() {
    let mut plan = plan("a; b: a");
    plan.criteria = vec![Criterion::Plain {
        text: "reads well".to_owned(),
    }];
    let mut bench = Bench::new(plan);
    let refuse = || Command::Reject {
        task: None,
        reason: "it is dull".to_owned(),
    };
    bench.refuses(refuse(), "planning-in-force");
    bench.runs("a");
    bench.runs("b");
    let mut open = Verdict::pass(0);
    open.outcome = Outcome::Unverified;
    let checked = |bench: &Bench| Command::FinalChecked {
        head: bench.run.integration.head.clone(),
        verdicts: vec![open.clone()],
        tasks: Vec::new(),
    };
    bench.so(checked(&bench));
    assert!(told_run(&bench).contains("$ divisi reject run-1 --reason WHY"));
    // when: it is refused, then: it fails, with the words, and can be mended or waived
    bench.so(refuse());
    assert_eq!(
        told_run(&bench),
        "run-1 is blocked\n\
         on the whole, this does not hold: reads well; a person refused it: it is dull\n\
         $ divisi retry run-1 TASK --note HINT\n\
         $ divisi approve run-1 --waive --note WHY"
    );
    bench.refuses(refuse(), "whole-fails");
    bench.does(bench.retry("b"), &["retried b"]);
    let [unheld] = &bench.task("b").unheld[..] else {
        panic!("it is told what does not hold");
    };
    assert_eq!(unheld.evidence, "a person refused it: it is dull");
    // What was said is about that head: the next one is judged anew.
    bench.runs("b");
    bench.so(checked(&bench));
    let approve = Command::Approve {
        task: None,
        note: "better".to_owned(),
        waive: false,
    };
    bench.so(approve);
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
}

#[test]
fn what_stands_before_an_approval_is_done_again_and_asked_about_anew() {
    // design ── ok ── build, which also waits for design itself
    let mut bench = Bench::new(with(
        plan("design; ok: design; build: ok design; o"),
        "ok",
        approval,
    ));
    bench.refuses(bench.retry("design"), "task-not-now");
    bench.runs("design");
    assert!(told_run(&bench).contains("$ divisi retry run-1 design --note HINT"));
    bench.does(bench.retry("design"), &["retried design", "retried ok"]);
    // Nobody consents to what is not there.
    bench.refuses(bench.approve("ok"), "task-not-now");
    bench.refuses(bench.lease("build"), "task-not-now");
    bench.check_stored();
    bench.runs("design");
    assert_eq!(bench.task("ok").status(), TaskStatus::Blocked);
    bench.does(bench.approve("ok"), &["approval given ok"]);
    // What was consented to stands.
    bench.refuses(bench.retry("design"), "task-not-now");
    bench.runs("build");

    // Nor is it redone where something else went on from it.
    let mut bench = Bench::new(with(
        plan("design; ok: design; beside: design"),
        "ok",
        approval,
    ));
    bench.runs("design");
    bench.refuses(bench.retry("design"), "task-not-now");
    assert!(!told_run(&bench).contains("retry"));
}
