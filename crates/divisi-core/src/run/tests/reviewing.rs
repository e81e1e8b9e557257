//! Reviews by agents: opened for what is held, judged once, closed when nobody needs them.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{Bench, commit, files, plain, plan, plans, snapshot, with};
use super::explaining::told;
use crate::assign::{Capacity, assign};
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ledger::{Access, Credential, Limit, LimitThen, Wanted};
use crate::plan::{Plan, TaskKind, WorkspaceKind};
use crate::run::explain::{Shared, explain_run};
use crate::run::{
    AttemptEnd, Command, Failure, Final, Finding, Rejection, Run, RunStatus, Settings, Subject,
    TaskStatus, Unreviewed, invariants,
};

fn words() -> Criterion {
    Criterion::Plain {
        text: "it can be understood".to_owned(),
    }
}

/// A run whose task `a` makes a file that a program judges, and words.
fn reviewed_by(reviewers: &[&str], graph: Plan) -> Bench {
    let reviewers = reviewers.iter().map(|&name| name.to_owned()).collect();
    let graph = with(graph, "a", |task| {
        files(task);
        task.agent = Some("coder".to_owned());
        task.description = "Say what it is for.".to_owned();
        task.criteria.push(words());
    });
    Bench::with(
        graph,
        Settings {
            reviewers,
            ..Settings::default()
        },
    )
}

fn open(at: u16) -> Verdict {
    Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(at)
    }
}

fn judged(at: u16, outcome: Outcome) -> Verdict {
    Verdict {
        outcome,
        evidence: "a.md:1: so".to_owned(),
        ..Verdict::pass(at)
    }
}

/// `a` is held: what its rules can tell holds.
fn holds(bench: &mut Bench, expected: &[&str]) {
    bench.runs("a");
    bench.so(bench.collected("a"));
    let attempt = bench.attempt("a");
    let verdicts = vec![Verdict::pass(0), open(1)];
    bench.does(Command::Checked { attempt, verdicts }, expected);
}

/// A review is done up to where its evidence is looked up.
fn reviews(bench: &mut Bench, id: &str) {
    bench.so(bench.lease(id));
    bench.so(bench.started(id));
    bench.so(bench.ended(id, 0));
    bench.so(bench.collected(id));
    bench.does(
        bench.checked(id, Verdict::pass(0)),
        &[&format!("{id}.{} verified", bench.task(id).attempts())],
    );
    assert!(bench.run.integration.queue.is_empty(), "nothing is merged");
}

const OPENED: [&str; 2] = ["review awaited a.1", "a-review1 opened for a.1"];

#[test]
fn what_no_rule_can_tell_is_judged_by_somebody_else() {
    let mut bench = reviewed_by(&["coder", "other"], plan("a; b: a"));
    holds(&mut bench, &OPENED);
    let review = bench.task("a-review1");
    assert_eq!(review.spec.kind, TaskKind::Review);
    assert_eq!(review.spec.role().as_deref(), Some("reviewer"));
    assert_eq!(review.reviews, Some(Subject::Attempt(bench.attempt("a"))));
    assert_eq!(
        (review.status(), bench.run.revision),
        (TaskStatus::Ready, 1)
    );
    assert_eq!(bench.run.status(), RunStatus::Running);
    assert_eq!(bench.run.plan().tasks.len(), 2, "it is no part of the plan");
    let text = told(&bench, "a");
    for said in [
        "a-review1 is ready",
        "$ divisi explain run-1 a-review1",
        "$ divisi approve run-1 a --note SEEN",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    bench.does(
        bench.lease("a-review1"),
        &["leased a-review1.1 by other in 1"],
    );
    bench.so(bench.started("a-review1"));
    bench.so(bench.ended("a-review1", 0));
    bench.so(bench.collected("a-review1"));
    bench.so(bench.checked("a-review1", Verdict::pass(0)));
    assert_eq!(bench.owed(), ["weigh a-review1.1"]);
    bench.does(
        bench.weighed("a-review1", vec![judged(1, Outcome::Pass)]),
        &["a-review1.1 reviewed", "a.1 verified"],
    );
    assert_eq!(bench.task("a-review1").status(), TaskStatus::Done);
    assert_eq!(bench.owed(), ["integrate"]);
    // a person approves nothing any more, and nothing is judged twice
    bench.refuses(bench.approve("a"), "task-not-now");
    bench.refuses(
        bench.weighed("a-review1", vec![judged(1, Outcome::Fail)]),
        "attempt-superseded",
    );
}

#[test]
fn where_nobody_else_is_the_author_judges_in_a_session_of_its_own() {
    let mut bench = reviewed_by(&["coder"], plan("a"));
    holds(&mut bench, &OPENED);
    assert_eq!(bench.task("a-review1").spec.agent.as_deref(), Some("coder"));
    let of = Subject::Attempt(bench.attempt("a"));
    assert!(bench.run.is_author(&of, "coder") && !bench.run.is_author(&of, "other"));
}

#[test]
fn whoever_worked_in_its_workspace_before_or_under_another_name_did_the_work_too() {
    let graph = with(plan("a"), "a", |task| {
        task.agents_else = vec!["claude".to_owned()];
        task.retries = Some(3);
    });
    let mut bench = reviewed_by(&["claude-acp", "coder-acp", "other"], graph);
    let fails = |bench: &mut Bench, end: &str| {
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        bench.so(bench.ended("a", 0));
        bench.so(bench.collected("a"));
        let (attempt, bad) = (bench.attempt("a"), Verdict::fail(0, "bad".to_owned()));
        let verdicts = vec![bad, open(1)];
        bench.does(Command::Checked { attempt, verdicts }, &[end]);
    };
    fails(&mut bench, "a.1 refused, then retry");
    // Somebody else goes on where the first one was.
    fails(&mut bench, "a.2 refused, then reassign to claude");
    holds(
        &mut bench,
        &["review awaited a.3", "a-review1 opened for a.3"],
    );
    assert_eq!(bench.task("a-review1").spec.agent.as_deref(), Some("other"));
    let of = Subject::Attempt(bench.attempt("a"));
    assert_eq!(bench.task("a").live().unwrap().workspace, 1);
    for author in ["coder", "coder-acp", "claude", "claude-acp"] {
        assert!(bench.run.is_author(&of, author), "{author}");
    }
    assert!(!bench.run.is_author(&of, "other"));
}

#[test]
fn a_review_judges_one_attempt_whose_authors_are_those_that_came_until_then() {
    let graph = with(plan("a"), "a", |task| {
        task.agents_else = vec!["claude".to_owned()];
        task.retries = Some(3);
    });
    let mut bench = reviewed_by(&["other"], graph);
    let mut of = Vec::new();
    for is_refused in [true, true, false] {
        bench.runs("a");
        bench.so(bench.collected("a"));
        let attempt = bench.attempt("a");
        of.push(Subject::Attempt(attempt));
        let verdicts = vec![Verdict::pass(0), open(1)];
        bench.so(Command::Checked { attempt, verdicts });
        if is_refused {
            bench.so(bench.reject("a"));
        }
    }
    // a.1 and a.2 are coder's; in their workspace claude made a.3 of them.
    let authors = |of: &Subject| bench.run.authors(of).into_iter().collect::<Vec<_>>();
    assert_eq!(authors(&of[0]), ["coder"]);
    assert_eq!(authors(&of[1]), ["coder"]);
    assert_eq!(authors(&of[2]), ["claude", "coder"]);
    let is_there = |of: &Subject| bench.run.reviewed_commits(of).is_some();
    assert_eq!([0, 1, 2].map(|at| is_there(&of[at])), [false, false, true]);
    let open = bench.run.review_of(bench.no("a")).unwrap();
    assert_eq!(open.reviews.as_ref(), Some(&of[2]));
}

#[test]
fn a_usage_limit_moves_a_review_to_another_reviewer_and_never_to_its_author() {
    for (reviewers, expected) in [
        (&["other"][..], None),
        (&["other", "third"], Some("third")),
        // Where the author alone is there, it judges itself, or nobody does.
        (&["coder"], None),
    ] {
        let usual = reviewed_by(reviewers, plan("a"));
        let settings = Settings {
            limit_then: LimitThen::OtherAgent,
            limit_wait_max_ms: 1_000,
            limit_agents: ["other", "third"]
                .map(|it| (it.to_owned(), "coder".to_owned()))
                .into(),
            ..usual.run.settings.clone()
        };
        let mut bench = Bench::with(usual.run.plan(), settings);
        holds(&mut bench, &OPENED);
        let limit = Limit {
            met_at: bench.now,
            ends_at: bench.now.plus_ms(9_000),
            said: true,
            times: 1,
            cause: "429".to_owned(),
            attempts: BTreeSet::new(),
        };
        let limited = Credential::Agent(reviewers[0].to_owned());
        let access = Access {
            limits: &BTreeMap::from([(limited, limit)]),
            credentials: &BTreeMap::new(),
            offset_ms: 0,
        };
        let may = |run: &Run, wanted: Wanted<'_>| access.choose(&run.settings, wanted, bench.now);
        let capacity = Capacity { workers: 9 };
        let proposed = assign(&[&bench.run], capacity, bench.now, &BTreeSet::new(), &may);
        let agents: Vec<&str> = proposed.iter().map(|it| it.with.agent.as_str()).collect();
        assert_eq!(agents, Vec::from_iter(expected), "{reviewers:?}");
        let is_beyond = bench.run.held_beyond(bench.now, &may).is_some();
        assert_eq!(is_beyond, expected.is_none(), "{reviewers:?}");
    }
}

#[test]
fn an_exit_status_that_nobody_saw_is_for_a_person_to_judge() {
    let graph = reviewed_by(&["other"], plan("a")).run.plan();
    let graph = with(graph, "a", |task| task.criteria[0] = Criterion::ExitStatus);
    let settings = Settings {
        reviewers: vec!["other".to_owned()],
        ..Settings::default()
    };
    let mut bench = Bench::with(graph, settings);
    bench.runs("a");
    bench.so(bench.collected("a"));
    let attempt = bench.attempt("a");
    let verdicts = vec![open(0), open(1)];
    bench.does(
        Command::Checked { attempt, verdicts },
        &["review awaited a.1"],
    );
    let why = Unreviewed::NotWords(Criterion::ExitStatus);
    assert_eq!(bench.run.unreviewed(Some(bench.no("a"))), Some(why.clone()));
    let text = told(&bench, "a");
    let said = format!("a person is to judge it: {}", why.words());
    assert!(text.contains(&said), "{said} is not in {text}");
    assert_eq!(bench.run.awaiting().count(), 1);
}

#[test]
fn where_those_that_were_to_judge_are_not_there_a_person_is_and_is_told_why() {
    let mut graph = plan("a");
    graph.criteria = vec![words()];
    let usual = reviewed_by(&[], graph);
    let settings = Settings {
        reviewers_missing: vec!["other".to_owned(), "third".to_owned()],
        ..usual.run.settings.clone()
    };
    let mut bench = Bench::with(usual.run.plan(), settings);
    holds(&mut bench, &["review awaited a.1"]);
    let said = "a person is to judge it: no agent that `review.agents` names was installed when the \
                run began: other, third";
    let text = told(&bench, "a");
    assert!(text.contains(said), "{said} is not in {text}");
    assert!(text.contains("$ divisi agents\n"), "{text}");
    bench.so(bench.approve("a"));
    let merged = vec![super::bench::merged(bench.attempt("a"), 9)];
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged,
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(9) });
    let command = Command::FinalChecked {
        head: Some(commit(9)),
        verdicts: vec![open(0)],
        tasks: Vec::new(),
    };
    bench.does(command, &["final held"]);
    let whole = explain_run(&bench.run, bench.now, &Shared::default());
    assert!(whole.causes.contains(&said.to_owned()), "{whole:?}");
    // Where nobody named any, nothing is said.
    let mut bench = usual;
    holds(&mut bench, &["review awaited a.1"]);
    let text = told(&bench, "a");
    assert!(!text.contains("a person is to judge it"), "{text}");
}

#[test]
fn a_reviewer_is_told_what_was_asked_and_nothing_that_its_author_says() {
    let mut bench = reviewed_by(&["other"], plan("a"));
    bench.so(bench.lease("a"));
    let mut ended = super::bench::exited(0);
    ended.command = "claims in a command line".to_owned();
    let attempt = bench.attempt("a");
    bench.so(Command::Ended {
        attempt,
        ended,
        said: Some(crate::run::Said::Failure("claims of failure".to_owned())),
    });
    bench.so(bench.collected("a"));
    let verdicts = vec![Verdict::pass(0), open(1)];
    bench.so(Command::Checked { attempt, verdicts });
    let told = &bench.task("a-review1").spec.description;
    for said in [
        "Say what it is for.",
        "- 1: it can be understood",
        "divisi-verdict.json",
        "\"criterion\": 1,",
    ] {
        assert!(told.contains(said), "{said} is not in {told}");
    }
    assert!(
        !told.contains("claims") && !told.contains("is not empty"),
        "{told}"
    );
}

#[test]
fn what_does_not_hold_is_refused_with_what_was_seen() {
    let mut bench = reviewed_by(&["other"], plan("a; b: a"));
    holds(&mut bench, &OPENED);
    reviews(&mut bench, "a-review1");
    bench.does(
        bench.weighed("a-review1", vec![judged(1, Outcome::Fail)]),
        &["a-review1.1 reviewed", "a.1 refused, then retry"],
    );
    let AttemptEnd::Refused(Failure::Checks(verdicts)) = &bench.task("a").endings[0].end else {
        panic!("{:?}", bench.task("a").endings);
    };
    assert_eq!(verdicts[1], judged(1, Outcome::Fail));
    // the next attempt has a review of its own
    holds(
        &mut bench,
        &["review awaited a.2", "a-review2 opened for a.2"],
    );
}

#[test]
fn a_verdict_without_evidence_is_none_and_after_some_a_person_judges() {
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    let why = "its verdict is none: it cites nothing";
    for then in [
        "retry",
        "retry",
        &format!("escalate: it failed 3 times; the last time {why}"),
    ] {
        reviews(&mut bench, "a-review1");
        let number = bench.task("a-review1").attempts();
        bench.does(
            bench.weigh_refused("a-review1", "it cites nothing"),
            &[&format!("a-review1.{number} reviewed badly, then {then}")],
        );
    }
    assert_eq!(bench.task("a").status(), TaskStatus::Blocked);
    assert_eq!(bench.run.status(), RunStatus::Blocked);
    let text = told(&bench, "a-review1");
    assert!(
        text.contains("$ divisi approve run-1 a --note SEEN"),
        "{text}"
    );
    assert!(
        text.contains("$ divisi reject run-1 a --reason WHY"),
        "{text}"
    );
    bench.does(bench.approve("a"), &["a.1 verified", "closed a-review1"]);
}

#[test]
fn a_person_may_be_quicker() {
    // before it begins
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    bench.does(bench.approve("a"), &["a.1 verified", "closed a-review1"]);
    bench.refuses(bench.retry("a-review1"), "task-not-now");
    // while it is at work
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    assert_eq!(bench.run.unreviewed(Some(bench.no("a"))), None);
    bench.so(bench.lease("a-review1"));
    bench.does(
        bench.reject("a"),
        &[
            "a.1 refused, then retry",
            "stopping a-review1.1: interrupted",
        ],
    );
    assert!(bench.owed().contains(&"stop a-review1.1".to_owned()));
    bench.does(
        bench.ended("a-review1", 143),
        &[
            "a-review1.1 stopped as interrupted, then retry",
            "closed a-review1",
        ],
    );
    // when its evidence is being looked up
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    reviews(&mut bench, "a-review1");
    bench.does(bench.approve("a"), &["a.1 verified"]);
    bench.does(
        bench.weighed("a-review1", Vec::new()),
        &["a-review1.1 reviewed"],
    );
}

#[test]
fn what_is_given_up_takes_its_review_with_it_and_the_run_ends_as_it_does() {
    let mut bench = reviewed_by(&["other"], plan("a; b"));
    holds(&mut bench, &OPENED);
    bench.does(
        bench.cancel("a"),
        &["a.1 stopped as canceled, then cancel", "closed a-review1"],
    );
    bench.so(bench.lease("b"));
    bench.does(
        bench.ended("b", 0),
        &[
            "b.1 submitted+collected+verified+integrated",
            "ended canceled",
        ],
    );
    // a review itself is neither canceled nor split
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    bench.refuses(bench.cancel("a-review1"), "task-not-now");
    bench.refuses(bench.split("a-review1", "x; y"), "task-not-now");
    let rejected = bench.decide(bench.reject("a-review1"));
    assert!(matches!(rejected, Err(Rejection::NotNow { .. })));
}

#[test]
fn a_lost_review_is_begun_again_and_an_escalated_one_may_be_tried_again() {
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    bench.so(bench.lease("a-review1"));
    let attempt = bench.attempt("a-review1");
    let finding = Finding::Lost("gone".to_owned());
    bench.does(
        Command::Find { attempt, finding },
        &["a-review1.1 lost, then retry at 2000"],
    );
    bench.now = bench.now.plus_ms(10_000);
    bench.so(bench.lease("a-review1"));
    let attempt = bench.attempt("a-review1");
    bench.so(Command::NotStarted {
        attempt,
        cause: "no such program".to_owned(),
        permanent: true,
    });
    bench.does(bench.retry("a-review1"), &["retried a-review1"]);
    bench.does(
        bench.lease("a-review1"),
        &["leased a-review1.3 by other in 2"],
    );
}

#[test]
fn the_whole_is_judged_on_its_head_by_its_intents_words() {
    let mut graph = plan("a; b");
    graph.criteria = vec![words()];
    let mut bench = reviewed_by(&["coder", "other"], graph);
    let final_check = |n| Command::FinalChecked {
        head: Some(commit(n)),
        verdicts: vec![open(0)],
        tasks: Vec::new(),
    };
    bench.runs("b");
    holds(&mut bench, &OPENED);
    reviews(&mut bench, "a-review1");
    bench.so(bench.weighed("a-review1", vec![judged(1, Outcome::Pass)]));
    let merged = vec![super::bench::merged(bench.attempt("a"), 9)];
    bench.so(Command::BatchMerged {
        onto: commit(0),
        merged,
        conflict: None,
        refused: Vec::new(),
    });
    bench.so(Command::HeadMoved { head: commit(9) });
    bench.does(
        final_check(9),
        &["final held", "whole-review1 opened for the whole"],
    );
    let review = bench.task("whole-review1");
    assert_eq!(review.reviews, Some(Subject::Whole(commit(9))));
    assert_eq!(review.spec.agent.as_deref(), Some("other"));
    assert_eq!(bench.run.status(), RunStatus::Running);
    reviews(&mut bench, "whole-review1");
    let mut refused = bench.clone();
    refused.does(
        refused.weighed("whole-review1", vec![judged(0, Outcome::Fail)]),
        &["whole-review1.1 reviewed", "final held"],
    );
    assert_eq!(refused.run.status(), RunStatus::Blocked);
    assert!(matches!(refused.run.finally, Final::Held { .. }));
    let mut again = bench.clone();
    for _ in 0..3 {
        again.so(again.weigh_refused("whole-review1", "it cites nothing"));
        if again.task("whole-review1").status() != TaskStatus::Blocked {
            reviews(&mut again, "whole-review1");
        }
    }
    // Tried again, it judges the same: the whole is neither checked nor reviewed anew.
    assert_eq!(again.run.status(), RunStatus::Blocked);
    again.does(again.retry("whole-review1"), &["retried whole-review1"]);
    assert!(matches!(again.run.finally, Final::Held { .. }));
    assert_eq!(again.task("whole-review1").status(), TaskStatus::Ready);
    bench.does(
        bench.weighed("whole-review1", vec![judged(0, Outcome::Pass)]),
        &[
            "whole-review1.1 reviewed",
            "final passed",
            "ended succeeded",
        ],
    );
}

#[test]
fn without_reviewers_and_of_plans_a_person_judges() {
    let mut bench = reviewed_by(&[], plan("a"));
    holds(&mut bench, &["review awaited a.1"]);
    // who wants to see a plan before it is taken is a person
    let graph = with(plan("a"), "a", |task| {
        plans(task);
        plain(task);
    });
    let settings = Settings {
        reviewers: vec!["other".to_owned()],
        ..Settings::default()
    };
    let mut bench = Bench::with(graph, settings);
    bench.runs("a");
    bench.so(bench.collected("a"));
    bench.does(bench.checked("a", open(0)), &["review awaited a.1"]);
}

#[test]
fn what_promises_no_files_is_judged_on_the_head() {
    let mut bench = reviewed_by(&["other"], plan("a"));
    let mut graph = bench.run.plan();
    graph.tasks[0].workspace = WorkspaceKind::Shared;
    graph.tasks[0].criteria = vec![words()];
    bench = Bench::with(graph, bench.run.settings.clone());
    bench.runs("a");
    bench.does(bench.checked("a", open(0)), &OPENED);
    let of = Subject::Attempt(bench.attempt("a"));
    let head = commit(0);
    assert_eq!(bench.run.reviewed_commits(&of), Some((&head, &head)));
    reviews(&mut bench, "a-review1");
    bench.does(
        bench.weighed("a-review1", vec![judged(0, Outcome::Pass)]),
        &[
            "a-review1.1 reviewed",
            "a.1 verified+integrated",
            "ended succeeded",
        ],
    );
    invariants::check(&bench.run).unwrap();
}

#[test]
fn its_commit_is_kept_as_long_as_it_is_judged() {
    let mut bench = reviewed_by(&["other"], plan("a"));
    holds(&mut bench, &OPENED);
    let of = Subject::Attempt(bench.attempt("a"));
    let (made, from) = bench.run.reviewed_commits(&of).unwrap();
    assert_eq!((made, from), (&snapshot(1_001).commit, &commit(0)));
    assert!(bench.run.commits_kept().contains(made));
}
