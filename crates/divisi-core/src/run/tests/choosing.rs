//! Candidates: one of several solutions is taken, by what is recorded of them.

use super::bench::{Bench, candidates, commit, files, merged, plan, snapshot, with};
use super::explaining::told;
use crate::criterion::Verdict;
use crate::ids::TaskNo;
use crate::ledger::{Account, Bound, Exhausted, Wanted};
use crate::plan::{Fault, Plan, Want, Work};
use crate::run::{
    AttemptEnd, Command, Effect, Rejection, Run, RunStatus, Settings, StopReason, Subject,
    TaskState, TaskStatus,
};

/// `a` is solved so often; `b` waits for it, and `a` waits for `z`.
fn solved(many: usize, by_number: bool) -> Plan {
    let graph = with(plan("z; a: z; b: a"), "a", files);
    with(graph, "a", |task| candidates(task, many, by_number))
}

/// The same with `z` done: the candidates are ready.
fn ready(many: usize, by_number: bool) -> Bench {
    let settings = Settings {
        failures_max: 1,
        split_after: 0,
        ..Settings::default()
    };
    let mut bench = Bench::with(solved(many, by_number), settings);
    bench.runs("z");
    bench
}

/// A candidate passes its checks, and this follows when it is measured.
#[track_caller]
fn passes(bench: &mut Bench, id: &str, (lines, figure): (u64, Option<i64>), expected: &[&str]) {
    bench.verifies(id);
    assert!(bench.owed().contains(&format!("measure {id}.1")));
    assert!(bench.run.integration.queue.is_empty(), "nothing is merged");
    bench.does(bench.measured(id, lines, figure), expected);
}

/// A candidate fails as often as it may, and this follows its end.
#[track_caller]
fn fails(bench: &mut Bench, id: &str, expected: &[&str]) {
    bench.so(bench.lease(id));
    let given_up = [
        &format!("{id}.1 errored, then escalate: it cannot be started: no such program")[..],
        &format!("failed {id}"),
    ];
    let all: Vec<&str> = given_up
        .into_iter()
        .chain(expected.iter().copied())
        .collect();
    let command = Command::NotStarted {
        attempt: bench.attempt(id),
        cause: "no such program".to_owned(),
        permanent: true,
    };
    bench.does(command, &all);
}

/// What is integrated and its commit on the branch, until nothing is owed of it.
fn integrates(bench: &mut Bench) {
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("a"), 9)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(9) });
}

fn why(bench: &Bench) -> &str {
    let chosen = bench.task("a").chosen.as_ref().unwrap();
    &chosen.why
}

fn status(bench: &Bench, id: &str) -> TaskStatus {
    bench.task(id).status()
}

#[test]
fn candidates_stand_beside_the_plan_and_wait_for_what_their_task_waits_for() {
    // z -> a.1, a.2 -> a -> b
    let mut bench = Bench::new(solved(2, false));
    assert_eq!(bench.run.plan(), solved(2, false));
    assert_eq!(bench.run.tasks().len(), 5);
    for (id, expected) in [("a.1", TaskStatus::Waiting), ("a.2", TaskStatus::Waiting)] {
        assert_eq!(status(&bench, id), expected);
        let task = bench.task(id);
        assert_eq!(task.candidate_of, Some(bench.no("a")));
        assert_eq!(task.spec.criteria, bench.task("a").spec.criteria);
        assert_eq!(task.spec.candidates, None);
    }
    bench.runs("z");
    assert_eq!(status(&bench, "a.1"), TaskStatus::Ready);
    assert_eq!(status(&bench, "a"), TaskStatus::Waiting);
    assert!(told(&bench, "a").contains("a.1 is ready"));
    bench.refuses(bench.lease("a"), "task-not-now");
}

#[test]
fn the_lowest_number_is_taken_and_nothing_else_is_integrated() {
    let mut bench = ready(3, true);
    passes(&mut bench, "a.1", (3, Some(40)), &["a.1.1 measured"]);
    passes(&mut bench, "a.3", (90, Some(12)), &["a.3.1 measured"]);
    passes(
        &mut bench,
        "a.2",
        (1, None),
        &[
            "a.2.1 measured",
            "a.1 takes a.3.1",
            "a.1 submitted+collected",
            "a.1 verified",
        ],
    );
    assert_eq!(
        why(&bench),
        "a.3 was chosen of 3 candidates for the lowest `measure`: a.3 with 12 (90 lines), a.1 with \
         40 (3 lines), a.2 without one (1 line)"
    );
    // The attempt of the task has the very work of the candidate, and is verified already.
    let taken = bench.task("a.3").endings[0].clone();
    assert_eq!(taken.end, AttemptEnd::Measured);
    let live = bench.task("a").live().unwrap();
    assert_eq!(live.snapshot(), Some(&snapshot(1_000 + 50 + 1)));
    assert_eq!(live.agent, "coder");
    assert_eq!(bench.owed(), ["integrate"]);
    integrates(&mut bench);
    assert_eq!(status(&bench, "a"), TaskStatus::Done);
    assert_eq!(status(&bench, "b"), TaskStatus::Ready);
    // The work of all three can be looked at.
    let kept = bench.run.commits_kept();
    for candidate in ["a.1", "a.2", "a.3"] {
        let no = bench.no(candidate).0;
        assert!(
            kept.contains(&commit(1_001 + u64::from(no) * 10)),
            "{candidate}"
        );
    }
    assert!(told(&bench, "a").contains("a.3 was chosen of 3 candidates"));
    assert!(told(&bench, "a.3").contains("it is the candidate that was chosen for a"));
    assert!(told(&bench, "a.1").contains("it is a candidate for a, and a.3 was chosen"));
}

#[test]
fn the_highest_number_is_taken_where_that_is_wanted() {
    let settings = Settings::default();
    let graph = with(solved(2, true), "a", |task| {
        let candidates = task.candidates.as_mut().unwrap();
        candidates.prefer.as_mut().unwrap().want = Want::Highest;
    });
    let mut bench = Bench::with(graph, settings);
    bench.runs("z");
    passes(&mut bench, "a.1", (3, Some(-40)), &["a.1.1 measured"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 3, Some(-12)));
    let chosen = bench.task("a").chosen.clone().unwrap();
    assert_eq!(chosen.from, Some(bench.attempt("a.2")));
}

#[test]
fn without_a_number_the_fewest_changed_lines_are_taken_and_of_equals_the_first() {
    for (lines, taken) in [([5, 2, 2], "a.2"), ([1, 1, 1], "a.1"), ([9, 8, 7], "a.3")] {
        let mut bench = ready(3, false);
        // The order in which they end is none of their merits.
        for at in [2, 1, 0] {
            let id = format!("a.{}", at + 1);
            bench.verifies(&id);
            bench.so(bench.measured(&id, lines[at], None));
        }
        let chosen = bench.task("a").chosen.clone().unwrap();
        assert_eq!(chosen.from, Some(bench.attempt(taken)), "{lines:?}");
        assert!(why(&bench).contains("the fewest changed lines"));
    }
}

#[test]
fn equal_numbers_are_told_apart_by_changed_lines() {
    let mut bench = ready(2, true);
    passes(&mut bench, "a.1", (7, Some(1)), &["a.1.1 measured"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 6, Some(1)));
    assert!(why(&bench).starts_with("a.2 was chosen"), "{}", why(&bench));
}

#[test]
fn a_candidate_that_fails_holds_nobody_up() {
    let mut bench = ready(2, false);
    fails(&mut bench, "a.1", &[]);
    assert_eq!(status(&bench, "a"), TaskStatus::Waiting);
    passes(
        &mut bench,
        "a.2",
        (5, None),
        &[
            "a.2.1 measured",
            "a.1 takes a.2.1",
            "a.1 submitted+collected",
            "a.1 verified",
        ],
    );
    assert_eq!(
        why(&bench),
        "a.2 alone of 2 candidates passed its checks; not passed: a.1: it cannot be started: no such \
         program"
    );
    integrates(&mut bench);
    bench.runs("b");
    bench.so(Command::FinalChecked {
        head: Some(commit(9)),
        verdicts: Vec::new(),
        tasks: Vec::new(),
    });
    assert_eq!(bench.run.status(), RunStatus::Succeeded);
    bench.check_stored();
}

#[test]
fn where_none_passes_a_person_decides_and_its_own_agent_may_try() {
    let mut bench = ready(2, false);
    fails(&mut bench, "a.2", &[]);
    fails(&mut bench, "a.1", &["none passed for a"]);
    let TaskState::Escalated(reason) = &bench.task("a").state else {
        panic!("{:?}", bench.task("a").state);
    };
    for said in [
        "none of its 2 candidates passed: a.1: it cannot",
        "; a.2: it cannot",
    ] {
        assert!(reason.contains(said), "{reason}");
    }
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    bench.does(bench.retry("a"), &["retried a"]);
    bench.does(bench.lease("a"), &["leased a.1 by coder in 1"]);
    let mut given_up = ready(2, false);
    fails(&mut given_up, "a.2", &[]);
    fails(&mut given_up, "a.1", &["none passed for a"]);
    given_up.does(
        given_up.reject("a"),
        &["failed a", "skipped b because a", "ended failed"],
    );
    given_up.check_stored();
}

#[test]
fn candidates_and_their_task_are_skipped_with_what_they_wait_for() {
    let mut bench = Bench::new(solved(2, false));
    bench.escalates("z");
    bench.does(
        bench.reject("z"),
        &[
            "failed z",
            "skipped a.2 because z",
            "skipped a because z",
            "skipped b because z",
            "skipped a.1 because z",
            "ended failed",
        ],
    );
}

#[test]
fn a_retried_dependency_revives_candidates_and_their_task() {
    // `o` keeps the run open.
    let graph = with(plan("z; a: z; b: a; o"), "a", files);
    let graph = with(graph, "a", |task| candidates(task, 2, false));
    let mut bench = Bench::new(graph);
    bench.so(bench.cancel("a.1"));
    bench.so(bench.cancel("z"));
    assert_eq!(status(&bench, "a.2"), TaskStatus::Skipped);
    assert_eq!(status(&bench, "a"), TaskStatus::Skipped);
    bench.so(bench.retry("z"));
    let waits = ["a", "a.2", "b"].map(|id| status(&bench, id));
    assert_eq!(waits, [TaskStatus::Waiting; 3]);
    assert_eq!(status(&bench, "a.1"), TaskStatus::Canceled);
    bench.runs("z");
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 1, None));
    assert_eq!(status(&bench, "a"), TaskStatus::Integrating);
    bench.check_stored();
}

#[test]
fn canceling_a_task_cancels_its_candidates_and_what_passed_is_not_lost() {
    let mut bench = ready(2, false);
    passes(&mut bench, "a.1", (1, None), &["a.1.1 measured"]);
    bench.so(bench.lease("a.2"));
    bench.does(
        bench.cancel("a"),
        &[
            "canceled a",
            "stopping a.2.1: canceled",
            "skipped b because a",
        ],
    );
    let mut told = super::bench::exited(143);
    told.told = true;
    bench.so(Command::Ended {
        attempt: bench.attempt("a.2"),
        ended: told,
        said: None,
    });
    assert_eq!(bench.run.status(), RunStatus::Failed, "b was never done");
    // The same while something keeps the run open.
    let graph = with(plan("a; o"), "a", files);
    let mut bench = Bench::new(with(graph, "a", |task| candidates(task, 2, false)));
    passes(&mut bench, "a.1", (1, None), &["a.1.1 measured"]);
    bench.does(bench.cancel("a"), &["canceled a", "canceled a.2"]);
    bench.does(
        bench.retry("a"),
        &[
            "retried a",
            "a.1 takes a.1.1",
            "a.1 submitted+collected",
            "a.1 verified",
        ],
    );
}

#[test]
fn what_was_chosen_and_conflicts_goes_back_to_whoever_made_it() {
    let graph = with(solved(2, false), "a", |task| {
        let candidates = task.candidates.as_mut().unwrap();
        candidates.of[1].agent = Some("other".to_owned());
    });
    let mut bench = Bench::new(graph);
    bench.runs("z");
    passes(&mut bench, "a.1", (9, None), &["a.1.1 measured"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 1, None));
    bench.does(
        Command::BatchMerged {
            onto: commit(0),
            merged: Vec::new(),
            conflict: Some((bench.attempt("a"), vec!["a.md".to_owned()])),
            refused: Vec::new(),
        },
        &["a.1 conflicts, then retry"],
    );
    bench.does(bench.lease("a"), &["leased a.2 by other in 2"]);
    // What is told of it is true now: the work of the candidate is not in the result.
    let chosen = bench.task("a").chosen_words().unwrap();
    assert!(
        chosen.ends_with(
            "; but it conflicted with integrated work in a.md; attempt 2 by other came after that"
        ),
        "{chosen}"
    );
    assert!(told(&bench, "a.2").contains(
        "it is the candidate that was chosen for a first, and what was done since is not its work"
    ));
    assert!(told(&bench, "a.1").contains("it is a candidate for a, and a.2 was chosen first"));
    bench.check_stored();
}

#[test]
fn what_was_chosen_is_told_as_such_until_its_task_is_done_again() {
    let mut bench = ready(2, false);
    passes(&mut bench, "a.1", (9, None), &["a.1.1 measured"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 1, None));
    integrates(&mut bench);
    bench.runs("b");
    assert!(told(&bench, "a.2").ends_with("it is the candidate that was chosen for a"));
    bench.so(Command::FinalChecked {
        head: Some(commit(9)),
        verdicts: Vec::new(),
        tasks: vec![(bench.no("a"), vec![Verdict::fail(0, "it is empty")])],
    });
    bench.so(bench.retry("a"));
    assert_eq!(
        bench.task("a").stands_on(),
        Some(bench.attempt("a.2")),
        "it stands there still"
    );
    let why = &bench.task("a").unheld[0];
    assert_eq!(why.evidence, "it is empty");
    bench.verifies("a");
    bench.so(Command::BatchMerged {
        onto: commit(9),
        merged: vec![merged(bench.attempt("a"), 10)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(10) });
    assert_eq!(bench.task("a").unheld, []);
    assert_eq!(bench.task("a").stands_on(), None);
    let chosen = bench.task("a").chosen_words().unwrap();
    assert!(
        chosen.ends_with("; attempt 2 by coder came after that"),
        "{chosen}"
    );
    assert!(told(&bench, "a.2").contains("what was done since is not its work"));
}

#[test]
fn a_candidate_whose_own_budget_is_used_up_is_given_up_and_the_others_decide() {
    let used_up = |bench: &Bench, id: &str| {
        let task = bench.no(id);
        let exhausted = Exhausted {
            account: Account::Task(bench.run.id, task),
            bound: Some(Bound::Attempts(1)),
            task: Some(bench.task(id).spec.id.clone()),
        };
        Command::GiveUp { task, exhausted }
    };
    let mut bench = ready(2, false);
    bench.does(used_up(&bench, "a.1"), &["failed a.1"]);
    let spent = told(&bench, "a.1");
    assert!(
        spent.contains("it was given up: the budget of task a.1 of run-1 is used up: 1 attempt"),
        "{spent}"
    );
    passes(
        &mut bench,
        "a.2",
        (5, None),
        &[
            "a.2.1 measured",
            "a.1 takes a.2.1",
            "a.1 submitted+collected",
            "a.1 verified",
        ],
    );
    bench.check_stored();
    // Where none is left, a person decides.
    let mut bench = ready(2, false);
    bench.does(used_up(&bench, "a.2"), &["failed a.2"]);
    bench.does(used_up(&bench, "a.1"), &["failed a.1", "none passed for a"]);
    assert_eq!(status(&bench, "a"), TaskStatus::Blocked);
    // Nothing else is given up so: neither another task, nor what is at work or over.
    let mut bench = ready(2, false);
    bench.so(bench.lease("a.1"));
    for id in ["a.1", "a", "b", "z"] {
        bench.refuses(used_up(&bench, id), "task-not-now");
    }
}

#[test]
fn the_cause_of_a_candidate_that_was_given_up_is_told_once() {
    let mut bench = ready(2, false);
    fails(&mut bench, "a.1", &[]);
    let spent = told(&bench, "a.1");
    assert_eq!(spent.matches("no such program").count(), 1, "{spent}");
}

#[test]
fn a_candidate_whose_agent_is_named_waits_for_it_and_another_may_be_moved() {
    let graph = with(solved(2, false), "a", |task| {
        task.agents_else = vec!["spare".to_owned()];
        task.candidates.as_mut().unwrap().of[0].agent = Some("other".to_owned());
    });
    let bench = Bench::new(graph);
    let wanted = |id: &str| bench.task(id).wanted(&bench.run.settings);
    // Two of them would be by one agent, and be told to be by two.
    assert_eq!(wanted("a.1").agent, "other");
    assert_eq!(wanted("a.1").instead, Some(&[][..]));
    assert_eq!(wanted("a.2"), Wanted::agent("coder"));
    assert_eq!(wanted("a"), Wanted::agent("coder"));
}

#[test]
fn only_whose_work_is_integrated_is_an_author_of_the_whole() {
    let graph = with(solved(2, false), "a", |task| {
        let candidates = task.candidates.as_mut().unwrap();
        candidates.of[0].agent = Some("loser".to_owned());
        candidates.of[1].agent = Some("winner".to_owned());
    });
    let mut bench = Bench::new(graph);
    bench.runs("z");
    passes(&mut bench, "a.1", (9, None), &["a.1.1 measured"]);
    bench.verifies("a.2");
    bench.so(bench.measured("a.2", 1, None));
    integrates(&mut bench);
    let whole = Subject::Whole(commit(9));
    let authors: Vec<&str> = bench.run.authors(&whole).into_iter().collect();
    assert_eq!(authors, ["command", "winner"]);
    assert!(!bench.run.is_author(&whole, "loser"));
}

#[test]
fn whoever_began_the_work_that_was_chosen_is_an_author_of_it() {
    let graph = with(solved(2, false), "a", |task| {
        task.agents_else = vec!["second".to_owned()];
    });
    let settings = Settings {
        failures_max: 3,
        reassign_after: 1,
        split_after: 0,
        ..Settings::default()
    };
    let mut bench = Bench::with(graph, settings);
    bench.runs("z");
    // The second goes on in the folder of the first.
    bench.runs("a.1");
    bench.so(bench.collected("a.1"));
    bench.so(bench.checked("a.1", Verdict::fail(0, "it is empty")));
    for (id, lines) in [("a.1", 1), ("a.2", 9)] {
        bench.verifies(id);
        bench.so(bench.measured(id, lines, None));
    }
    integrates(&mut bench);
    let authors = bench.run.authors(&Subject::Whole(commit(9)));
    assert!(
        authors.contains("second") && authors.contains("coder"),
        "{authors:?}"
    );
}

#[test]
fn what_can_be_done_about_a_candidate_follows_from_its_task() {
    let hint = |bench: &mut Bench, command: Command| match bench.decide(command) {
        Err(Rejection::NotNow { hint, .. }) => hint,
        other => panic!("{other:?}"),
    };
    let mut bench = ready(2, false);
    bench.so(bench.cancel("a.1"));
    let retry = bench.retry("a.1");
    assert!(hint(&mut bench, retry.clone()).contains("chooses among the others"));
    fails(&mut bench, "a.2", &["none passed for a"]);
    assert!(hint(&mut bench, retry).contains("retry the task"));
    // What is canceled has no attempt that could be canceled first.
    let mut open = Bench::new(plan("a; o"));
    open.so(open.cancel("a"));
    let split = open.split("a", "x; y");
    assert!(hint(&mut open, split).contains("divisi retry"));
}

#[test]
fn what_makes_no_sense_of_candidates_is_refused_with_a_reason() {
    let mut bench = ready(2, false);
    let refused = |bench: &mut Bench, command: Command| match bench.decide(command) {
        Err(Rejection::NotNow { hint, .. }) => hint,
        other => panic!("{other:?}"),
    };
    let split = bench.split("a.1", "x; y");
    assert!(refused(&mut bench, split).contains("solved several times"));
    let split = bench.split("a", "x; y");
    assert!(refused(&mut bench, split).contains("solved several times"));
    fails(&mut bench, "a.1", &[]);
    let retry = bench.retry("a.1");
    assert!(refused(&mut bench, retry).contains("chooses among the others"));
    // A word about something else, and one that comes twice, change nothing.
    bench.verifies("a.2");
    let early = bench.measured("z", 1, None);
    bench.refuses(early, "attempt-superseded");
    let measured = bench.measured("a.2", 1, None);
    bench.so(measured.clone());
    bench.refuses(measured, "attempt-superseded");
}

#[test]
fn a_candidate_is_not_divided_when_it_keeps_failing() {
    let graph = with(solved(2, false), "a", |task| {
        let path = |path: &str| crate::plan::Deliverable {
            path: path.to_owned(),
        };
        task.deliverables = vec![path("one.md"), path("two.md")];
    });
    let settings = Settings {
        split_after: 1,
        failures_max: 2,
        ..Settings::default()
    };
    let mut bench = Bench::with(graph, settings);
    bench.runs("z");
    for _ in 0..2 {
        bench.runs("a.1");
        bench.so(bench.collected("a.1"));
        bench.so(bench.checked("a.1", Verdict::fail(0, "it is empty")));
    }
    assert_eq!(status(&bench, "a.1"), TaskStatus::Failed);
}

#[test]
fn parts_and_what_is_planned_may_have_candidates() {
    let mut bench = Bench::new(plan("a; b: a"));
    let mut parts = super::bench::parts("x; y");
    files(&mut parts.tasks[0]);
    candidates(&mut parts.tasks[0], 2, false);
    bench.does(
        Command::Split {
            task: bench.no("a"),
            parts,
            reason: "too large".to_owned(),
        },
        &["split a into x y"],
    );
    assert_eq!(status(&bench, "x"), TaskStatus::Waiting);
    assert_eq!(status(&bench, "x.2"), TaskStatus::Ready);
    assert_eq!(bench.task("x.2").depth, 1);
    bench.runs("y");
    for id in ["x.1", "x.2"] {
        bench.verifies(id);
        bench.so(bench.measured(id, 1, None));
    }
    assert_eq!(status(&bench, "b"), TaskStatus::Waiting);
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("x"), 9)],
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(9) });
    assert_eq!(status(&bench, "b"), TaskStatus::Ready);
    bench.check_stored();
}

#[test]
fn candidates_of_a_part_do_not_multiply_what_is_left_of_a_budget() {
    let bounded = crate::run::Budget::default().with(crate::ledger::Bound::Attempts(4));
    let mut bench = Bench::new(with(plan("a; b"), "a", |task| task.budget = bounded));
    let split = |bench: &Bench, own: crate::run::Budget| {
        let mut parts = super::bench::parts("x; y");
        files(&mut parts.tasks[0]);
        candidates(&mut parts.tasks[0], 2, false);
        parts.tasks[0].budget = own;
        Command::Split {
            task: bench.no("a"),
            parts,
            reason: String::new(),
        }
    };
    let refused = split(&bench, crate::run::Budget::default());
    bench.refuses(refused, "split-bad-parts");
    // A bound of another measure leaves that of the task to each.
    let other = crate::run::Budget::default().with(crate::ledger::Bound::Tokens(2));
    let refused = split(&bench, other);
    bench.refuses(refused, "split-bad-parts");
    let own = crate::run::Budget::default().with(crate::ledger::Bound::Attempts(2));
    let accepted = split(&bench, own);
    bench.does(accepted, &["split a into x y"]);
}

#[test]
fn names_that_are_taken_are_passed_over() {
    let graph = with(plan("a; a.1; a.3"), "a", files);
    let bench = Bench::new(with(graph, "a", |task| candidates(task, 2, false)));
    let names: Vec<String> = bench
        .run
        .candidates(bench.no("a"))
        .map(|no| bench.run.task(no).unwrap().spec.id.to_string())
        .collect();
    assert_eq!(names, ["a.2", "a.4"]);
}

#[test]
fn only_work_in_words_with_files_of_its_own_has_candidates() {
    let faults = |change: &dyn Fn(&mut crate::plan::TaskSpec)| {
        let graph = with(solved(2, false), "a", change);
        graph.graph().err().unwrap_or_default()
    };
    assert_eq!(faults(&|_| {}), []);
    for change in [
        &(|task: &mut crate::plan::TaskSpec| task.work = Work::Nothing)
            as &dyn Fn(&mut crate::plan::TaskSpec),
        &|task| task.workspace = crate::plan::WorkspaceKind::Shared,
        &|task| task.kind = crate::plan::TaskKind::Plan,
        &|task| candidates(task, 1, false),
        &|task| candidates(task, 6, false),
    ] {
        let found = faults(change);
        assert!(
            matches!(found[..], [Fault::Candidates { task: 1, .. }]),
            "{found:?}"
        );
    }
}

#[test]
fn a_paused_run_chooses_and_a_canceled_one_does_not() {
    let mut bench = ready(2, false);
    bench.verifies("a.1");
    bench.verifies("a.2");
    bench.so(Command::Pause {
        reason: crate::run::PauseReason::Owner,
        stop: false,
    });
    bench.so(bench.measured("a.1", 1, None));
    bench.so(bench.measured("a.2", 2, None));
    assert!(bench.task("a").chosen.is_some());
    let mut bench = ready(2, false);
    bench.verifies("a.1");
    bench.so(bench.lease("a.2"));
    bench.so(Command::Cancel { task: None });
    assert_eq!(status(&bench, "a"), TaskStatus::Canceled);
    assert_eq!(bench.run.status(), RunStatus::Running);
    let attempt = bench.attempt("a.2");
    let stop = bench.run.owed().any(|it| it == Effect::Stop(attempt));
    assert!(stop, "{:?}", bench.owed());
    let canceled = |run: &Run, no: TaskNo| {
        let ending = run.task(no).unwrap().endings.last().cloned();
        ending.map(|it| it.end)
    };
    assert_eq!(
        canceled(&bench.run, bench.no("a.1")),
        Some(AttemptEnd::Stopped(StopReason::Canceled))
    );
}
