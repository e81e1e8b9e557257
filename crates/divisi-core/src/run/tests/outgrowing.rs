//! Work that outgrows its task becomes a plan, whose tasks have to meet all that it had to (G1).

use super::bench::{Bench, commit, exited, id_of, parts, plan, snapshot, with};
use super::explaining::told;
use crate::criterion::{Criterion, Verdict};
use crate::ledger::Bound;
use crate::plan::{Deliverable, PLAN_PATH, Parts, Stage, TaskKind, TaskSpec, Work, WorkspaceKind};
use crate::receipt::{Receipt, Usage};
use crate::run::{
    AttemptEnd, Budget, Command, Failure, Finding, RunStatus, Said, Settings, TaskState,
};

fn file(path: &str) -> Criterion {
    Criterion::File {
        path: path.to_owned(),
        min_bytes: 1,
    }
}

fn program(name: &str) -> Criterion {
    Criterion::Command {
        argv: vec![name.to_owned()],
        timeout_ms: 1_000,
    }
}

fn makes(paths: &[&str]) -> Vec<Deliverable> {
    let path = |path: &&str| Deliverable {
        path: (*path).to_owned(),
    };
    paths.iter().map(path).collect()
}

/// An agent does what the title says, and makes two files that a program likes.
fn work(task: &mut TaskSpec) {
    task.work = Work::Handoff;
    task.agent = Some("coder".to_owned());
    task.workspace = WorkspaceKind::Worktree;
    task.deliverables = makes(&["1", "2"]);
    task.criteria = vec![file("1"), file("2"), program("like")];
}

/// `x ── a ── z`, of which `x` is done.
fn bench(change: impl FnOnce(&mut TaskSpec)) -> Bench {
    let task = |task: &mut TaskSpec| {
        work(task);
        change(task);
    };
    let mut bench = Bench::new(with(plan("x; a: x; z: a"), "a", task));
    bench.runs("x");
    bench
}

/// An attempt ends that says this, having used so much, and the first criterion fails.
fn end(bench: &mut Bench, id: &str, said: Option<Said>, tokens: u64) -> Command {
    bench.so(bench.lease(id));
    bench.so(bench.started(id));
    let mut ended = exited(0);
    ended.usage = Some(Usage {
        tokens,
        usd_micros: None,
    });
    let attempt = bench.attempt(id);
    bench.so(Command::Ended {
        attempt,
        ended,
        said,
    });
    bench.so(bench.collected(id));
    let many = bench.task(id).spec.criteria.len() as u16;
    let mut verdicts: Vec<Verdict> = (0..many).map(Verdict::pass).collect();
    verdicts[0] = Verdict::fail(0, "it has 0 bytes");
    Command::Checked { attempt, verdicts }
}

/// The same, and so many criteria pass.
fn passed(checked: Command, many: u16) -> Command {
    let Command::Checked { attempt, .. } = checked else {
        panic!("it is checked");
    };
    let verdicts = (0..many).map(Verdict::pass).collect();
    Command::Checked { attempt, verdicts }
}

fn too_large() -> Option<Said> {
    Some(Said::TooLarge("two files, and a program".to_owned()))
}

const SAID: &str = "its agent found it to be more than one task: two files, and a program";

#[track_caller]
fn becomes_a_plan(bench: &mut Bench, ended: Command, why: &str) {
    bench.does(
        ended,
        &[
            &format!("a.1 refused, then split: {why}"),
            "split a into a-plan",
        ],
    );
}

/// Tasks in words, of which each makes a file.
fn planned(graph: &str) -> Parts {
    let mut made = parts(graph);
    for (at, part) in made.tasks.iter_mut().enumerate() {
        part.work = Work::Handoff;
        part.deliverables = makes(&[&(at + 1).to_string()]);
    }
    made
}

fn criteria(bench: &Bench, id: &str) -> Vec<String> {
    let criteria = &bench.task(id).spec.criteria;
    criteria.iter().map(ToString::to_string).collect()
}

#[test]
fn what_its_agent_finds_to_be_more_is_planned_and_its_parts_meet_what_it_had_to() {
    let mut bench = bench(|task| task.env = [("K".to_owned(), "v".to_owned())].into());
    let ended = end(&mut bench, "a", too_large(), 5);
    becomes_a_plan(&mut bench, ended, SAID);
    // x ── a ── z   becomes   x ── a-plan ── z
    let spec = &bench.task("a-plan").spec;
    assert_eq!((spec.kind, &spec.work), (TaskKind::Plan, &Work::Handoff));
    assert_eq!(spec.agent.as_deref(), Some("coder"));
    assert_eq!(spec.deliverables, makes(&[PLAN_PATH]));
    for said in [SAID, "- the file 2 is made", "- `like` exits with 0"] {
        let told = &spec.description;
        assert!(told.contains(said), "{said:?} is not in {told}");
    }
    assert_eq!(bench.run.outgrew(bench.no("a-plan")), Some(bench.no("a")));
    // It begins with what was made.
    let beginning = bench.run.beginning(bench.no("a-plan")).unwrap();
    assert_eq!(beginning.snapshot, snapshot(1_011));
    bench.verifies("a-plan");
    bench.does(
        bench.expanded("a-plan", planned("p; q")),
        &["a-plan.1 expanded into p q"],
    );
    // x ─┬─ p ─┬─(join)── z   but the program is asked of q, which waits for p
    //    └─ q ─┘
    let exit = Criterion::ExitStatus.to_string();
    assert_eq!(criteria(&bench, "p"), [exit.as_str(), "1 is not empty"]);
    let of_last = [exit.as_str(), "2 is not empty", "`like` exits with 0"];
    assert_eq!(criteria(&bench, "q"), of_last);
    let (p, q) = (bench.task("p"), bench.task("q"));
    assert_eq!(q.spec.dependencies, [id_of("p")]);
    assert_eq!(p.spec.agent.as_deref(), Some("coder"));
    assert_eq!(p.spec.env["K"], "v");
    assert_eq!((p.depth, p.nesting), (1, 1));
    let beginning = |id: &str| bench.run.beginning(bench.no(id)).unwrap();
    let has = |id: &str| ["1", "2", "3"].map(|path| beginning(id).has(path));
    assert_eq!(
        (has("p"), has("q")),
        ([true, false, true], [false, true, false])
    );
    assert!(told(&bench, "a-plan").contains("its part p"));
    bench.refuses(bench.lease("z"), "task-not-now");
}

#[test]
fn what_speaks_of_no_single_file_is_held_to_the_last_stage() {
    let mut bench = bench(|task| task.retries = Some(1));
    let ended = end(&mut bench, "a", too_large(), 5);
    becomes_a_plan(&mut bench, ended, SAID);
    bench.verifies("a-plan");
    let stage = |name: &str, tasks: &[&str]| Stage {
        name: name.to_owned(),
        tasks: tasks.iter().map(|it| id_of(it)).collect(),
    };
    // The one that is written last comes first, and asks to be tried without end.
    let made = |stages: &[Stage]| {
        let mut made = planned("p; r; q");
        made.tasks[2].retries = Some(99);
        made.stages = stages.to_vec();
        made
    };
    let [first, second] = [stage("first", &["q"]), stage("second", &["p", "r"])];
    // q ──║── p, r   becomes   q ──║── p ──║── r
    let expanded = bench.expanded("a-plan", made(&[first, second]));
    bench.does(expanded, &["a-plan.1 expanded into p r q"]);
    let program = "`like` exits with 0".to_owned();
    let asked = ["p", "q", "r"].map(|id| criteria(&bench, id).contains(&program));
    assert_eq!(asked, [false, false, true]);
    let waits = |id: &str| {
        let on = bench.run.dependencies(bench.no(id)).into_iter();
        let mut on: Vec<&str> = on
            .map(|no| bench.run.tasks()[no.index()].spec.id.as_str())
            .collect();
        on.sort_unstable();
        on
    };
    assert_eq!((waits("p"), waits("r")), (vec!["q", "x"], vec!["p", "x"]));
    assert_eq!(bench.task("q").spec.retries, Some(1));
}

#[test]
fn of_parts_that_are_together_less_than_is_split_it_is_said() {
    let advised = |minutes: [Option<u64>; 2]| {
        let mut bench = bench(|task| task.retries = Some(1));
        let ended = end(&mut bench, "a", too_large(), 5);
        becomes_a_plan(&mut bench, ended, SAID);
        bench.verifies("a-plan");
        let mut made = planned("p; q");
        for (part, minutes) in made.tasks.iter_mut().zip(minutes) {
            part.estimate.duration_ms = minutes.map(|it| it * 60_000);
        }
        bench.so(bench.expanded("a-plan", made));
        bench.task("a-plan").endings[0].advice.clone()
    };
    let small = "its parts are together expected to take 14 minutes, and what takes less than 15 is \
               done whole";
    assert_eq!(advised([Some(10), Some(4)]), [small]);
    assert!(advised([Some(10), Some(5)]).is_empty());
    assert!(advised([Some(10), None]).is_empty());
}

#[test]
fn what_ends_at_its_time_box_or_takes_much_more_than_expected_is_planned() {
    let mut late = bench(|_| {});
    late.so(late.lease("a"));
    late.so(late.started("a"));
    let attempt = late.attempt("a");
    let finding = Finding::Overdue;
    late.so(Command::Find { attempt, finding });
    late.does(late.ended("a", 0), &["a.1 submitted"]);
    let why = "it was not done within its time box";
    let told = format!("a.1 stopped as overdue, then split: {why}");
    is_checked_first(late, 1, &told);
    let mut long = bench(|task| task.estimate.tokens = Some(1_000));
    let ended = end(&mut long, "a", None, 2_001);
    let why = "it was not done with 2001 tokens, where 1000 tokens were expected";
    becomes_a_plan(&mut long, ended, why);
    // twice as much is not much more
    let mut less = bench(|task| task.estimate.tokens = Some(1_000));
    let ended = end(&mut less, "a", None, 2_000);
    less.does(ended, &["a.1 refused, then retry"]);
}

#[test]
fn what_is_used_up_as_often_as_it_may_be_is_planned() {
    let mut bench = bench(|_| {});
    let used_up = |bench: &mut Bench| {
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        Command::Ended {
            attempt: bench.attempt("a"),
            ended: exited(0),
            said: Some(Said::UsedUp(Bound::Tokens(9))),
        }
    };
    let times = bench.run.settings.used_up_max;
    for at in 1..times {
        let ended = used_up(&mut bench);
        bench.does(ended, &[&format!("a.{at} used up, then retry")]);
    }
    let ended = used_up(&mut bench);
    bench.does(ended, &[&format!("a.{times} submitted")]);
    let told = format!(
        "a.{times} used up, then split: what was reserved for it was used up {times} times, the last \
         time 9 tokens"
    );
    is_checked_first(bench, times, &told);
}

/// What an attempt made that is to become a plan is collected; if it holds, it is done, and
/// otherwise the plan and its parts begin with it.
#[track_caller]
fn is_checked_first(mut bench: Bench, number: u32, told: &str) {
    let mut refused = bench.clone();
    let attempt = refused.attempt("a");
    let cause = "1 is a link".to_owned();
    let command = Command::CollectRefused { attempt, cause };
    refused.does(command, &[&format!("a.{number} not collected, then retry")]);

    let mut idle = bench.clone();
    bench.so(bench.collected("a"));
    let mut holds = bench.clone();
    let checked = |fails| {
        let mut verdicts: Vec<Verdict> = (0..3).map(Verdict::pass).collect();
        if fails {
            verdicts[1] = Verdict::fail(1, "it has 0 bytes");
        }
        Command::Checked { attempt, verdicts }
    };
    holds.does(checked(false), &[&format!("a.{number} verified")]);
    // What holds where nothing was changed has held before.
    idle.so(Command::Collected {
        attempt,
        snapshot: Some(snapshot(0)),
        artifacts: Vec::new(),
    });
    idle.does(checked(false), &[told, "split a into a-plan"]);

    bench.does(checked(true), &[told, "split a into a-plan"]);
    let begins_with_it = |bench: &Bench, id: &str| {
        let made = bench.run.beginning(bench.no(id)).map(|it| it.snapshot);
        let ending = bench.task("a").endings.last().unwrap();
        let collected = ending.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Collected { snapshot, .. } => snapshot.clone(),
            _ => None,
        });
        assert!(collected.is_some(), "{ending:?}");
        assert_eq!(made, collected, "{id}");
    };
    begins_with_it(&bench, "a-plan");
    bench.verifies("a-plan");
    bench.so(bench.expanded("a-plan", planned("p; q")));
    for part in ["p", "q"] {
        begins_with_it(&bench, part);
    }
}

#[test]
fn what_can_only_be_checked_in_one_piece_is_one_unless_its_agent_says_otherwise() {
    let one = |task: &mut TaskSpec| {
        task.deliverables = makes(&["1"]);
        task.criteria = vec![file("1")];
        task.estimate.tokens = Some(10);
    };
    let mut long = bench(one);
    let ended = end(&mut long, "a", None, 9_000);
    long.does(ended, &["a.1 refused, then retry"]);
    let mut said = bench(one);
    let ended = end(&mut said, "a", too_large(), 5);
    becomes_a_plan(&mut said, ended, SAID);
}

#[test]
fn what_holds_is_done_whatever_its_agent_says_of_it() {
    let mut bench = bench(|_| {});
    let ended = end(&mut bench, "a", too_large(), 5);
    bench.does(passed(ended, 3), &["a.1 verified"]);
}

#[test]
fn a_plan_that_does_less_or_other_than_was_consented_to_goes_back_with_every_fault() {
    let mut bench = bench(|_| {});
    let ended = end(&mut bench, "a", too_large(), 5);
    becomes_a_plan(&mut bench, ended, SAID);
    bench.verifies("a-plan");
    let mut made = planned("p; q; r");
    made.tasks[0].work = Work::Script("rm -r x".to_owned());
    made.tasks[1].criteria = vec![program("other")];
    made.tasks[1].deliverables.clear();
    made.tasks[2].budget = Budget::default().with(Bound::Attempts(9));
    made.tasks[2].candidates = Some(crate::plan::Candidates {
        of: vec![crate::plan::Candidate::default(); 2],
        prefer: None,
    });
    bench.does(
        bench.expanded("a-plan", made),
        &["a-plan.1 planned badly, then retry"],
    );
    let AttemptEnd::Refused(Failure::Plan(faults)) = &bench.task("a-plan").endings[0].end else {
        panic!("{:?}", bench.task("a-plan").endings);
    };
    let begins = [
        "part 1, p: it is not work in words",
        "part 2, q: it is checked by a program",
        "part 3, r: it has a `budget`",
        "part 3, r: it has `candidates`",
        "no part has 2 among its deliverables",
    ];
    assert_eq!(faults.len(), begins.len(), "{faults:?}");
    for (fault, begin) in faults.iter().zip(begins) {
        assert!(fault.starts_with(begin), "{fault}");
    }
    bench.verifies("a-plan");
    bench.does(
        bench.expanded("a-plan", planned("p")),
        &["a-plan.2 planned badly, then retry"],
    );
}

#[test]
fn planning_and_its_tasks_have_what_is_left_of_the_budget() {
    let budget = Budget::default()
        .with(Bound::Attempts(6))
        .with(Bound::Tokens(100_000));
    let mut bounded = bench(|task| task.budget = budget);
    let ended = end(&mut bounded, "a", too_large(), 10_000);
    becomes_a_plan(&mut bounded, ended, SAID);
    let left = |attempts, tokens| {
        Budget::default()
            .with(Bound::Attempts(attempts))
            .with(Bound::Tokens(tokens))
    };
    assert_eq!(bounded.task("a-plan").spec.budget, left(5, 90_000));
    let ended = end(&mut bounded, "a-plan", None, 30_000);
    bounded.so(passed(ended, 1));
    bounded.so(bounded.expanded("a-plan", planned("p; q")));
    let shares = ["p", "q"].map(|id| bounded.task(id).spec.budget);
    assert_eq!(shares, [left(2, 30_000), left(2, 30_000)]);
    // too little for a plan of two
    let few = Budget::default().with(Bound::Attempts(3));
    let mut few = bench(|task| task.budget = few);
    let ended = end(&mut few, "a", too_large(), 5);
    few.does(ended, &["a.1 refused, then retry"]);
}

#[test]
fn it_goes_two_deep_and_not_where_a_person_is_to_decide() {
    let mut bench = bench(|task| task.retries = Some(0));
    let ended = end(&mut bench, "a", too_large(), 5);
    becomes_a_plan(&mut bench, ended, SAID);
    bench.verifies("a-plan");
    bench.so(bench.expanded("a-plan", planned("p; q")));
    let ended = end(&mut bench, "p", too_large(), 5);
    bench.so(ended);
    assert_eq!(bench.task("p-plan").depth, 2);
    bench.verifies("p-plan");
    let mut made = planned("s; t");
    made.tasks[1].deliverables = made.tasks[0].deliverables.clone();
    bench.so(bench.expanded("p-plan", made));
    let ended = end(&mut bench, "s", too_large(), 5);
    bench.so(ended);
    assert!(!matches!(bench.task("s").state, TaskState::Split(_)));

    let settings = Settings {
        split_after: 0,
        ..Settings::default()
    };
    let mut asks = Bench::with(with(plan("a"), "a", work), settings);
    let ended = end(&mut asks, "a", too_large(), 5);
    asks.does(ended, &["a.1 refused, then retry"]);
    assert_eq!(asks.run.status(), RunStatus::Running);
    assert_eq!(asks.run.base.commit, Some(commit(0)));
}
