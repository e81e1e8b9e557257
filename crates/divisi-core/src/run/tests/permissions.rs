//! What agents ask leave for: answered by the rules, by a person, by the deadline, or by nobody.

use super::bench::{Bench, brief, exited, handoff, plan, request, ruled, with};
use crate::criterion::{Criterion, Verdict};
use crate::ids::{Epoch, Time};
use crate::permission::{Decision, Deed, Permissions, Request, Ruling, Standing};
use crate::plan::{TaskSpec, WorkspaceKind};
use crate::run::explain::{Shared, explain, explain_run};
use crate::run::{Command, Settings};

/// `a` works, in the role of a developer; `b` keeps the run open. A person has a second to answer.
fn working() -> Bench {
    let plan = with(plan("a; b"), "a", |task| {
        task.domain = Some("web".to_owned());
        task.function = Some("developer".to_owned());
    });
    let mut bench = Bench::with(plan, asking());
    bench.so(bench.lease("a"));
    bench
}

fn asking() -> Settings {
    Settings {
        permissions: Permissions {
            deadline_ms: 1_000,
            ..Permissions::default()
        },
        ..Settings::default()
    }
}

fn asks(bench: &Bench, request: Request, ruling: Ruling) -> Command {
    Command::AskPermission {
        attempt: bench.attempt("a"),
        request,
        ruled: ruled(ruling),
    }
}

fn answer(no: u32, decision: Decision) -> Command {
    Command::DecidePermission {
        no,
        decision,
        always: false,
    }
}

fn deny() -> Decision {
    Decision::Deny {
        reason: "not that one".to_owned(),
    }
}

fn answered(bench: &Bench, id: &str) -> Option<Decision> {
    bench.run.answer_to(bench.attempt("a"), id).cloned()
}

#[test]
fn the_rules_answer_at_once_and_the_answer_is_recorded() {
    let mut bench = working();
    let allowed = asks(&bench, request("x"), Ruling::Allow);
    bench.does(allowed, &["a.1 1 allowed by policy"]);
    assert_eq!(answered(&bench, "x"), Some(Decision::Allow));
    let denied = asks(&bench, request("y"), Ruling::Deny);
    bench.does(denied, &["a.1 2 denied by policy"]);
    let reason = "a rule".to_owned();
    assert_eq!(answered(&bench, "y"), Some(Decision::Deny { reason }));
    assert_eq!(bench.run.expires_at(), None);
}

#[test]
fn a_person_answers_once_and_everything_later_is_refused_by_name() {
    let mut bench = working();
    let asked = asks(&bench, request("x"), Ruling::Ask);
    bench.does(asked, &["a.1 asks 1 until 2000"]);
    assert_eq!(answered(&bench, "x"), None);
    bench.refuses(answer(2, Decision::Allow), "permission-unknown");
    bench.does(answer(1, Decision::Allow), &["a.1 1 allowed by person"]);
    assert_eq!(answered(&bench, "x"), Some(Decision::Allow));
    bench.refuses(answer(1, Decision::Allow), "permission-decided");
    bench.refuses(answer(1, deny()), "permission-decided");
}

#[test]
fn what_nobody_answers_is_denied_at_its_deadline_and_no_sooner() {
    let mut bench = working();
    let asked = asks(&bench, request("x"), Ruling::Ask);
    bench.does(asked, &["a.1 asks 1 until 2000"]);
    assert_eq!(bench.run.expires_at(), Some(Time(2_000)));
    bench.now = Time(1_999);
    bench.does(Command::ExpirePermissions, &[]);
    let later = asks(&bench, request("y"), Ruling::Ask);
    bench.does(later, &["a.1 asks 2 until 2999"]);
    bench.now = Time(2_000);
    bench.does(Command::ExpirePermissions, &["a.1 1 denied by deadline"]);
    assert_eq!(bench.run.expires_at(), Some(Time(2_999)));
    bench.refuses(answer(1, Decision::Allow), "permission-decided");
}

/// An attempt at `a` asks this, nobody answers, and it fails.
fn fails_unanswered(bench: &mut Bench, asked: Request, expected: &[&str]) {
    bench.so(asks(bench, asked, Ruling::Ask));
    bench.now = bench.now.plus_ms(1_000);
    bench.so(Command::ExpirePermissions);
    bench.does(bench.ended("a", 1), expected);
}

#[test]
fn who_is_denied_the_same_again_for_want_of_an_answer_is_not_tried_a_third_time() {
    let other = || Request {
        title: "Write docs/b.md".to_owned(),
        ..request("z")
    };
    let mut bench = working();
    fails_unanswered(&mut bench, request("x"), &["a.1 refused, then retry"]);
    let commands = |bench: &Bench| {
        let told = explain(&bench.run, bench.no("a"), bench.now, &Shared::default());
        told.unwrap().commands
    };
    assert_eq!(commands(&bench)[0], "divisi permissions list run-1");
    // Something else may be granted.
    bench.so(bench.lease("a"));
    fails_unanswered(&mut bench, other(), &["a.2 refused, then retry"]);
    bench.so(bench.lease("a"));
    fails_unanswered(
        &mut bench,
        other(),
        &[
            "a.3 refused, then escalate: it was denied the same as the attempt before, since nobody \
           answered in time: edit: Write docs/b.md",
        ],
    );
    assert_eq!(commands(&bench)[0], "divisi permissions list run-1");
    // Whoever has it tried again answers this time.
    bench.so(bench.retry("a"));
    bench.so(bench.lease("a"));
    fails_unanswered(&mut bench, other(), &["a.4 refused, then retry"]);
}

/// What the plan provides for failures comes before a person.
#[test]
fn another_agent_and_smaller_tasks_come_before_a_person() {
    let of_files = |task: &mut TaskSpec| {
        handoff(task);
        task.agent = Some("coder".to_owned());
        task.criteria = ["x.md", "y.md"]
            .map(|path| Criterion::File {
                path: path.to_owned(),
                min_bytes: 1,
            })
            .to_vec();
    };
    let again = |agents_else: &[&str]| {
        let plan = with(with(plan("a"), "a", of_files), "a", |task| {
            task.agents_else = agents_else.iter().map(|&it| it.to_owned()).collect();
            task.workspace = WorkspaceKind::Worktree;
        });
        let mut bench = Bench::with(
            plan,
            Settings {
                reassign_after: 9,
                failures_max: 9,
                split_after: 9,
                ..asking()
            },
        );
        let mut ends = Vec::new();
        for _ in 0..2 {
            bench.so(bench.lease("a"));
            bench.so(bench.started("a"));
            bench.so(asks(&bench, request("x"), Ruling::Ask));
            bench.now = bench.now.plus_ms(1_000);
            bench.so(Command::ExpirePermissions);
            bench.so(bench.ended("a", 0));
            bench.so(bench.collected("a"));
            let checked = Command::Checked {
                attempt: bench.attempt("a"),
                verdicts: vec![Verdict::fail(0, "it is missing"), Verdict::pass(1)],
            };
            let events = bench.decide(checked).unwrap();
            ends.extend(events.iter().map(|event| brief(&bench.run, event)));
        }
        ends
    };
    let refused = "checks refused it: it is missing";
    assert_eq!(again(&["other"])[1], "a.2 refused, then reassign to other");
    let ends = again(&[]);
    assert!(
        ends[1].starts_with("a.2 refused, then split: it failed 2 times"),
        "{ends:?}"
    );
    assert!(ends[1].ends_with(refused), "{ends:?}");
    assert_eq!(ends[2], "split a into a-part1 a-part2");
}

#[test]
fn a_request_that_is_told_again_is_the_same_and_another_of_its_id_is_denied() {
    let mut bench = working();
    let asked = asks(&bench, request("x"), Ruling::Ask);
    bench.so(asked.clone());
    // The engine was away, and the supervisor tells again what was not answered.
    bench.does(asked.clone(), &[]);
    bench.so(answer(1, deny()));
    bench.does(asked, &[]);
    assert_eq!(answered(&bench, "x"), Some(deny()));
    // What was answered is not an answer to something else.
    let mut other = request("x");
    other.paths = vec!["secrets.env".to_owned()];
    let other = asks(&bench, other, Ruling::Allow);
    bench.does(other, &["a.1 2 denied by policy"]);
    assert!(answered(&bench, "x").is_some_and(|it| !it.allows()));
}

#[test]
fn an_attempt_that_ends_takes_its_requests_with_it() {
    let mut bench = working();
    bench.so(asks(&bench, request("x"), Ruling::Ask));
    let asked_late = asks(&bench, request("y"), Ruling::Allow);
    let ended = bench.ended("a", 1);
    bench.does(ended, &["a.1 refused, then retry"]);
    assert_eq!(bench.run.expires_at(), None);
    bench.refuses(answer(1, Decision::Allow), "permission-withdrawn");
    bench.refuses(asked_late, "attempt-superseded");
    let (_, kept) = bench.run.permission(1).unwrap();
    assert!(matches!(kept.standing, Standing::Withdrawn { .. }));
}

#[test]
fn an_attempt_that_is_lost_or_adopted_keeps_its_word() {
    // when the next life of the engine adopts it, its request still waits
    let mut bench = working();
    bench.so(asks(&bench, request("x"), Ruling::Ask));
    let attempt = bench.attempt("a");
    let joined = |epoch, holds| Command::Joined { epoch, holds };
    bench.does(joined(Epoch(2), vec![attempt]), &["adopted a.1"]);
    bench.does(answer(1, Decision::Allow), &["a.1 1 allowed by person"]);
    // when nobody holds it, nobody takes an answer
    bench.so(asks(&bench, request("y"), Ruling::Ask));
    bench.so(joined(Epoch(3), Vec::new()));
    bench.refuses(answer(2, deny()), "permission-withdrawn");
}

#[test]
fn an_answer_for_always_is_a_rule_of_the_run_that_counts_first() {
    let mut bench = working();
    bench.so(asks(&bench, request("x"), Ruling::Ask));
    let always = |no, decision| Command::DecidePermission {
        no,
        decision,
        always: true,
    };
    bench.does(
        always(1, Decision::Allow),
        &[
            "a.1 1 allowed by person; role: web/developer, deed: edit, path: \"docs/a.md\", \
           then: allow",
        ],
    );
    // Of a command the words count, and a path that looks like a pattern is none.
    let mut command = request("y");
    command.deed = Deed::Execute;
    command.command = Some("make test".to_owned());
    bench.so(asks(&bench, command, Ruling::Ask));
    bench.does(
        always(2, deny()),
        &[
            "a.1 2 denied by person; role: web/developer, deed: execute, command: \"make test\", \
           then: deny",
        ],
    );
    let mut odd = request("z");
    odd.paths = vec!["[a]*.md".to_owned()];
    bench.so(asks(&bench, odd, Ruling::Ask));
    bench.so(always(3, Decision::Allow));
    let rules: Vec<String> = bench
        .run
        .permission_rules()
        .map(|it| it.to_string())
        .collect();
    assert!(rules[0].contains(r#"path: "\\[a\\]\\*.md""#), "{rules:?}");
    assert!(rules[1].contains("make test"), "the newest counts first");
    bench.check_stored();
}

#[test]
fn more_than_can_be_looked_at_is_denied_and_more_than_is_kept_is_left_out() {
    let mut bench = working();
    for no in 1..=16 {
        let asked = asks(&bench, request(&format!("w{no}")), Ruling::Ask);
        bench.does(asked, &[&format!("a.1 asks {no} until 2000")]);
    }
    let one_more = asks(&bench, request("w17"), Ruling::Ask);
    bench.does(one_more, &["a.1 17 denied by policy"]);
    // What was allowed by policy is forgotten first; what waits never is.
    for no in 18..=100 {
        bench.so(asks(&bench, request(&format!("p{no}")), Ruling::Allow));
    }
    let live = bench.task("a").live().unwrap();
    assert_eq!(live.permissions.len(), 32);
    assert_eq!(live.asks().count(), 16);
    assert_eq!(live.asked, 100);
    assert_eq!(answered(&bench, "p100"), Some(Decision::Allow));
    assert!(answered(&bench, "w17").is_some_and(|it| !it.allows()));
    bench.check_stored();
}

#[test]
fn what_its_own_tool_denied_stands_beside_the_rest() {
    let mut bench = working();
    let mut ended = exited(0);
    ended.denied = vec!["Write ../x".to_owned(); 30];
    let ended = Command::Ended {
        attempt: bench.attempt("a"),
        ended,
        said: None,
    };
    let events = bench.decide(ended).unwrap();
    // So many of them, and then its end.
    assert_eq!(events.len(), 21, "{events:?}");
    let ending = &bench.task("a").endings[0];
    assert_eq!(ending.permissions.len(), 20);
    assert!(ending.permissions.iter().all(|it| it.is_denied()));
    assert_eq!(ending.permissions[0].request.title, "Write ../x");
    bench.check_stored();
}

#[test]
fn what_is_kept_of_a_request_is_bounded_and_in_lines() {
    let mut bench = working();
    let long = Request {
        id: "i".repeat(1_000),
        title: "two\nlines ".repeat(1_000),
        paths: vec!["p\n".repeat(1_000); 50],
        command: Some("c".repeat(100_000)),
        ..request("")
    };
    bench.so(asks(&bench, long, Ruling::Ask));
    let (_, kept) = bench.run.permission(1).unwrap();
    let size = serde_json::to_string(kept).unwrap().len();
    assert!(size < 8_000, "{size}");
    assert!(!kept.request.title.contains('\n'));
    assert_eq!(kept.request.paths.len(), 9);
    assert_eq!(kept.request.paths[8], "… and 42 more");
}

#[test]
fn a_task_that_waits_for_leave_says_so_with_the_commands_that_answer() {
    let mut bench = working();
    bench.so(asks(&bench, request("x"), Ruling::Ask));
    let commands = [
        "divisi permissions allow run-1 1",
        "divisi permissions deny run-1 1",
    ];
    let one = explain(&bench.run, bench.no("a"), bench.now, &Shared::default()).unwrap();
    let run = explain_run(&bench.run, bench.now, &Shared::default());
    for told in [one, run] {
        let cause = "it asks leave to edit: Write docs/a.md (request 1, denied in 1 s)";
        assert!(told.causes.iter().any(|it| it.ends_with(cause)), "{told:?}");
        for command in commands {
            assert!(told.commands.iter().any(|it| it == command), "{told:?}");
        }
    }
}

#[test]
fn what_was_cut_or_names_no_file_is_answered_once_alone() {
    let no_file = Request {
        paths: Vec::new(),
        ..request("a")
    };
    let many = Request {
        paths: (0..9).map(|no| format!("docs/{no}.md")).collect(),
        ..request("b")
    };
    let odd = Request {
        paths: vec!["docs/a\nb".to_owned()],
        ..request("c")
    };
    let long = Request {
        deed: Deed::Execute,
        paths: Vec::new(),
        command: Some("x".repeat(3_000)),
        ..request("d")
    };
    let mut bench = working();
    for (request, no) in [no_file, many, odd, long].into_iter().zip(1..) {
        bench.so(asks(&bench, request, Ruling::Ask));
        let always = Command::DecidePermission {
            no,
            decision: Decision::Allow,
            always: true,
        };
        bench.refuses(always, "permission-once");
        bench.so(answer(no, Decision::Allow));
    }
    assert_eq!(bench.run.permission_rules().count(), 0);
}
