//! A task that keeps failing becomes smaller ones (T7), by rule and within bounds.

use super::bench::{Bench, commit, exited, id_of, plan, with};
use super::explaining::told;
use crate::criterion::{Criterion, Verdict};
use crate::ledger::Bound;
use crate::plan::{Deliverable, Input, Parts, TaskSpec, Work, WorkspaceKind};
use crate::receipt::Usage;
use crate::run::{Budget, Command, Settings, Sizes, TaskState};

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

fn plain() -> Criterion {
    Criterion::Plain {
        text: "reads well".to_owned(),
    }
}

/// An agent does what the title says.
fn work(criteria: Vec<Criterion>) -> impl FnOnce(&mut TaskSpec) {
    move |task| {
        task.work = Work::Handoff;
        task.agent = Some("coder".to_owned());
        task.workspace = WorkspaceKind::Worktree;
        task.criteria = criteria;
    }
}

/// Given: a task of which the first criterion fails, so often that nothing is left but `expected`.
#[track_caller]
fn fails(bench: &mut Bench, id: &str, expected: &[&str]) {
    let times = bench.run.settings.failures_max;
    for number in 1..=times {
        bench.so(bench.lease(id));
        bench.so(bench.started(id));
        bench.so(bench.ended(id, 0));
        bench.so(bench.collected(id));
        let attempt = bench.attempt(id);
        let many = bench.task(id).spec.criteria.len() as u16;
        let mut verdicts: Vec<Verdict> = (0..many).map(Verdict::pass).collect();
        verdicts[0] = Verdict::fail(0, "it has 0 bytes");
        let checked = Command::Checked { attempt, verdicts };
        match number == times {
            false => bench.does(checked, &[&format!("{id}.{number} refused, then retry")]),
            true => bench.does(checked, expected),
        }
    }
}

const REFUSED: &str = "it failed 3 times; the last time checks refused it: it has 0 bytes";

fn split(id: &str) -> [String; 2] {
    [
        format!("{id}.3 refused, then split: {REFUSED}"),
        format!("split {id} into {id}-part1 {id}-part2"),
    ]
}

#[track_caller]
fn splits(bench: &mut Bench, id: &str) {
    let [ended, split] = split(id);
    fails(bench, id, &[&ended, &split]);
}

/// A task's criteria, and the tasks before it.
fn brief(bench: &Bench, id: &str) -> (Vec<String>, Vec<String>) {
    let spec = &bench.task(id).spec;
    let criteria = spec.criteria.iter().map(ToString::to_string);
    let before = spec.dependencies.iter().map(ToString::to_string);
    (criteria.collect(), before.collect())
}

#[test]
fn files_are_halved_and_the_halves_stand_side_by_side() {
    // given: x ── a ── z, where a makes three files and may change only what is beneath src
    let scope = Criterion::Scope {
        patterns: vec!["src/**".to_owned()],
    };
    let criteria = vec![file("src/1"), file("src/2"), file("src/3"), scope];
    let mut bench = Bench::new(with(plan("x; a: x; z: a"), "a", work(criteria)));
    bench.runs("x");
    // when: it fails as often as it may
    splits(&mut bench, "a");
    // then: x ─┬─ a-part1 ─┬─(join)── z
    //          └─ a-part2 ─┘
    let [one, two] = ["a-part1", "a-part2"];
    assert_eq!(
        brief(&bench, one),
        (
            vec![
                "src/1 is not empty".to_owned(),
                "src/2 is not empty".to_owned(),
                "changes only src/**".to_owned()
            ],
            vec![]
        )
    );
    assert_eq!(
        brief(&bench, two).0,
        ["src/3 is not empty", "changes only src/**"]
    );
    let on = bench.run.dependencies(bench.no("z"));
    assert_eq!(on, [bench.no(one), bench.no(two)]);
    assert_eq!(bench.run.dependencies(bench.no(two)), [bench.no("x")]);
    // it is told what it is a part of, and only what was seen of its own
    let text = &bench.task(one).spec.description;
    for said in [
        REFUSED,
        "part 1 of 2 of task a",
        "- src/2\n",
        "- src/1 is not empty: it has 0 bytes",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    let text = &bench.task(two).spec.description;
    assert!(!text.contains("- src/1 is not empty"), "{text}");
    assert_eq!(bench.task(two).spec.agent.as_deref(), Some("coder"));
    assert_eq!(bench.task(two).replaces, Some(bench.no("a")));
    bench.refuses(bench.lease("z"), "task-not-now");
}

/// Who goes on with what the first half made need not change it again.
#[test]
fn what_is_to_be_changed_is_the_halfs_that_is_to_change_it() {
    let changed = |pattern: &str| Criterion::Changed {
        pattern: pattern.to_owned(),
    };
    let criteria = vec![
        file("a/1"),
        changed("b/2"),
        changed("b/*"),
        changed("lib.js"),
        file("b/2"),
        program("make"),
    ];
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    splits(&mut bench, "a");
    assert_eq!(
        brief(&bench, "a-part1").0,
        ["a/1 is not empty", "changes lib.js"]
    );
    assert_eq!(
        brief(&bench, "a-part2").0,
        [
            "b/2 is not empty",
            "`make` exits with 0",
            "changes b/2",
            "changes a file of b/*"
        ]
    );
}

/// Parts that somebody names have it where they name the file.
#[test]
fn what_is_to_be_changed_is_the_parts_that_names_it() {
    let changed = |pattern: &str| Criterion::Changed {
        pattern: pattern.to_owned(),
    };
    let named = |id: &str, scope: &str| {
        let mut part = plan(id).tasks.remove(0);
        work(vec![program("make")])(&mut part);
        part.scope = vec![scope.to_owned()];
        part
    };
    let criteria = vec![program("make"), changed("x.js"), changed("y.js")];
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    let parts = Parts {
        tasks: vec![named("one", "x.js"), named("two", "z.js")],
        ..Parts::default()
    };
    bench.so(Command::Split {
        task: bench.no("a"),
        parts,
        reason: String::new(),
    });
    assert!(brief(&bench, "one").0.contains(&"changes x.js".to_owned()));
    let all = [brief(&bench, "one").0, brief(&bench, "two").0].concat();
    assert!(!all.contains(&"changes y.js".to_owned()), "{all:?}");
}

#[test]
fn what_speaks_of_no_single_file_is_judged_when_all_is_there() {
    let criteria = vec![file("1"), program("make"), plain(), file("2")];
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    splits(&mut bench, "a");
    assert_eq!(
        brief(&bench, "a-part1"),
        (vec!["1 is not empty".to_owned()], vec![])
    );
    assert_eq!(
        brief(&bench, "a-part2"),
        (
            vec![
                "`make` exits with 0".to_owned(),
                "reads well".to_owned(),
                "2 is not empty".to_owned()
            ],
            vec!["a-part1".to_owned()]
        )
    );
}

#[test]
fn a_schema_and_what_satisfies_it_are_judged_together() {
    let schema = Criterion::Schema {
        schema: "b.json".to_owned(),
        path: "a.json".to_owned(),
    };
    let criteria = vec![file("a.json"), schema, file("b.json")];
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    splits(&mut bench, "a");
    let (criteria, before) = brief(&bench, "a-part2");
    assert_eq!(criteria, ["a.json satisfies b.json", "b.json is not empty"]);
    assert_eq!(before, ["a-part1"]);
}

#[test]
fn where_one_file_is_all_there_is_its_criteria_are_halved() {
    let section = |heading: &str| Criterion::Section {
        heading: heading.to_owned(),
        path: "a.md".to_owned(),
    };
    let criteria = vec![section("1"), section("2"), section("3"), plain()];
    let promises = |task: &mut TaskSpec| {
        work(criteria)(task);
        task.deliverables = vec![Deliverable {
            path: "a.md".to_owned(),
        }];
    };
    let mut bench = Bench::new(with(plan("a"), "a", promises));
    splits(&mut bench, "a");
    let (criteria, _) = brief(&bench, "a-part1");
    assert_eq!(
        criteria,
        ["a.md has a section \"1\"", "a.md has a section \"2\""]
    );
    let (criteria, before) = brief(&bench, "a-part2");
    assert_eq!(criteria, ["a.md has a section \"3\"", "reads well"]);
    assert_eq!(before, ["a-part1"]);
    assert!(bench.task("a-part1").spec.deliverables.is_empty());
    assert_eq!(bench.task("a-part2").spec.deliverables.len(), 1);
}

/// That a file is there is no half of the work on it.
#[test]
fn what_another_criterion_implies_is_no_part_of_its_own() {
    let section = |heading: &str| Criterion::Section {
        heading: heading.to_owned(),
        path: "a.md".to_owned(),
    };
    let given = |sections: &[&str]| {
        let sections = sections.iter().map(|heading| section(heading));
        work(sections.chain([file("a.md")]).collect())
    };
    let mut bench = Bench::new(with(plan("a"), "a", given(&["1"])));
    let why = "nothing of what it must do can be checked apart from the rest";
    let expected = format!("a.3 refused, then escalate: {REFUSED}; it was not split: {why}");
    fails(&mut bench, "a", &[&expected]);
    let mut bench = Bench::new(with(plan("a"), "a", given(&["1", "2"])));
    splits(&mut bench, "a");
    assert_eq!(brief(&bench, "a-part1").0, ["a.md has a section \"1\""]);
    assert_eq!(
        brief(&bench, "a-part2").0,
        ["a.md has a section \"2\"", "a.md is not empty"]
    );
}

#[test]
fn a_file_that_nothing_is_said_of_must_be_there() {
    let promises = |task: &mut TaskSpec| {
        work(vec![file("2")])(task);
        task.deliverables = ["1", "2"]
            .map(|path| Deliverable { path: path.into() })
            .into();
    };
    let mut bench = Bench::new(with(plan("a"), "a", promises));
    splits(&mut bench, "a");
    assert_eq!(brief(&bench, "a-part1").0, ["1 is not empty"]);
    assert_eq!(brief(&bench, "a-part2").0, ["2 is not empty"]);
}

#[test]
fn splits_nest_twice_and_then_a_person_decides() {
    let criteria = (0..8).map(|at| file(&at.to_string())).collect();
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    splits(&mut bench, "a");
    splits(&mut bench, "a-part1");
    let id = "a-part1-part1";
    assert_eq!(brief(&bench, id).0.len(), 2);
    let words = format!("{REFUSED}; it was not split: it stands 2 splits deep already");
    fails(
        &mut bench,
        id,
        &[&format!("{id}.3 refused, then escalate: {words}")],
    );
    // the branch beside it goes on
    bench.so(bench.lease("a-part2"));
    let told = told(&bench, id);
    assert!(
        told.contains(&format!("$ divisi retry run-1 {id} --note HINT")),
        "{told}"
    );
    assert!(
        told.contains("it is a part of a-part1, which is a part of a"),
        "{told}"
    );
    assert!(!told.contains("divisi split"), "{told}");
}

/// How deep and from what time on is the run's own setting.
#[test]
fn a_setting_says_how_deep_and_from_what_time_on() {
    let sizes = Sizes {
        split_depth_max: 1,
        split_ms_min: 10 * 60_000,
        ..Sizes::USUAL
    };
    let settings = Settings {
        sizes,
        ..Settings::default()
    };
    let lasting = |minutes: u64| {
        move |task: &mut TaskSpec| {
            work((0..4).map(|at| file(&at.to_string())).collect())(task);
            task.estimate.duration_ms = Some(minutes * 60_000);
        }
    };
    let mut bench = Bench::with(with(plan("a"), "a", lasting(14)), settings.clone());
    splits(&mut bench, "a");
    let refused = divide(&bench, "a-part1", "");
    bench.refuses(refused, "split-undivided");
    let mut short = Bench::with(with(plan("a"), "a", lasting(9)), settings.clone());
    let whole = format!(
        "a.3 refused, then escalate: {REFUSED}; it was not split: it is expected to take 9 minutes, \
         and what takes less than 10 is done whole"
    );
    fails(&mut short, "a", &[&whole]);
    // Only what is unusual is written, and what was written before there was a setting is usual.
    let written = serde_json::to_value(&settings).unwrap();
    assert_eq!(written["sizes"]["split_depth_max"], 1);
    let usual = serde_json::to_value(Settings::default()).unwrap();
    assert_eq!(usual.get("sizes"), None);
    assert_eq!(
        serde_json::from_value::<Settings>(usual).unwrap(),
        Settings::default()
    );
}

#[test]
fn what_cannot_be_halved_is_a_persons_at_once() {
    let mut bench = Bench::new(with(plan("a"), "a", work(vec![file("1"), plain()])));
    let why = "it was not split: nothing of what it must do can be checked apart from the rest";
    fails(
        &mut bench,
        "a",
        &[&format!("a.3 refused, then escalate: {REFUSED}; {why}")],
    );
    let told = told(&bench, "a");
    assert!(told.contains("$ divisi split run-1 a PARTS"), "{told}");
}

#[test]
fn what_is_left_of_its_budget_is_shared_out() {
    let budget = [
        Bound::Attempts(6),
        Bound::Tokens(100_000),
        Bound::TimeMs(600_000),
    ];
    let bounded = |budget: &[Bound]| budget.iter().copied().fold(Budget::default(), Budget::with);
    let used = |tokens| Usage {
        tokens,
        usd_micros: None,
    };
    let given = |budget: Budget| {
        let task = move |task: &mut TaskSpec| {
            work(vec![file("1"), file("2")])(task);
            task.budget = budget;
            task.retries = Some(0);
        };
        let mut bench = Bench::new(with(plan("a"), "a", task));
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        let mut ended = exited(0);
        (ended.usage, ended.wall_ms) = (Some(used(40_001)), 60_000);
        let attempt = bench.attempt("a");
        bench.so(Command::Ended {
            attempt,
            ended,
            said: None,
        });
        bench.so(bench.collected("a"));
        let verdicts = vec![Verdict::fail(0, ""), Verdict::pass(1)];
        bench.so(Command::Checked { attempt, verdicts });
        bench
    };
    let bench = given(bounded(&budget));
    let shares = ["a-part1", "a-part2"].map(|id| bench.task(id).spec.budget);
    let share = |attempts, tokens| {
        bounded(&[
            Bound::Attempts(attempts),
            Bound::Tokens(tokens),
            Bound::TimeMs(270_000),
        ])
    };
    assert_eq!(shares, [share(3, 30_000), share(2, 29_999)]);
    // too little for two
    let bench = given(bounded(&[Bound::Attempts(2)]));
    let TaskState::Escalated(why) = &bench.task("a").state else {
        panic!("{:?}", bench.task("a").state);
    };
    assert!(
        why.ends_with("it was not split: its budget of 2 attempts leaves too little for parts"),
        "{why}"
    );
}

#[test]
fn a_person_who_splits_shares_out_too_unless_the_parts_have_budgets() {
    let bounded = |task: &mut TaskSpec| task.budget = Budget::default().with(Bound::Attempts(5));
    let mut bench = Bench::new(with(plan("a"), "a", bounded));
    bench.so(bench.split("a", "b; c"));
    let shares = ["b", "c"].map(|id| bench.task(id).spec.budget.attempts);
    assert_eq!(shares, [Some(3), Some(2)]);
    let mut bench = Bench::new(with(plan("a"), "a", |task| {
        task.budget = Budget::default().with(Bound::Attempts(1));
    }));
    bench.refuses(bench.split("a", "b; c"), "split-bad-parts");
    let parts = super::bench::parts("b; c")
        .tasks
        .into_iter()
        .map(|mut part| {
            bounded(&mut part);
            part
        });
    let parts = crate::plan::Parts {
        tasks: parts.collect(),
        ..crate::plan::Parts::default()
    };
    let (task, reason) = (bench.no("a"), String::new());
    bench.does(
        Command::Split {
            task,
            parts,
            reason,
        },
        &["split a into b c"],
    );
    assert_eq!(bench.task("b").spec.budget.attempts, Some(5));
}

#[test]
fn parts_begin_with_what_was_collected_of_the_whole() {
    let criteria = (0..4).map(|at| file(&at.to_string())).collect();
    let mut bench = Bench::new(with(plan("a"), "a", work(criteria)));
    splits(&mut bench, "a");
    let last = bench.task("a").endings[2].receipts.clone();
    let begins = |bench: &Bench, id: &str| bench.run.beginning(bench.no(id)).unwrap();
    let has = |bench: &Bench, id: &str| {
        let begins = begins(bench, id);
        ["0", "1", "2", "3", "notes"].map(|path| begins.has(path))
    };
    assert_eq!(has(&bench, "a-part1"), [true, true, false, false, true]);
    assert_eq!(has(&bench, "a-part2"), [false, false, true, true, false]);
    let snapshot = begins(&bench, "a-part1").snapshot;
    assert!(
        last.iter()
            .any(|it| format!("{it:?}").contains(snapshot.commit.as_str()))
    );
    assert!(bench.run.commits_kept().contains(&snapshot.commit));
    // of a part that came to nothing itself, its parts begin with the same
    let cause = "a link".to_owned();
    for _ in 0..3 {
        bench.so(bench.lease("a-part1"));
        bench.so(bench.started("a-part1"));
        bench.so(bench.ended("a-part1", 0));
        let attempt = bench.attempt("a-part1");
        let cause = cause.clone();
        bench.so(Command::CollectRefused { attempt, cause });
    }
    assert_eq!(begins(&bench, "a-part1-part2").snapshot, snapshot);
    let [one, two] = ["a-part1-part1", "a-part1-part2"].map(|id| has(&bench, id));
    assert_eq!(one, [true, false, false, false, true]);
    assert_eq!(two, [false, true, false, false, false]);
}

fn divide(bench: &Bench, id: &str, reason: &str) -> Command {
    Command::Divide {
        task: bench.no(id),
        reason: reason.to_owned(),
    }
}

#[test]
fn a_person_who_names_no_parts_has_the_task_halved_as_if_it_kept_failing() {
    // a   becomes   a-part1, a-part2, whether it was begun or not
    let task = work(vec![file("1"), file("2")]);
    let mut bench = Bench::new(with(plan("a; b: a"), "a", task));
    bench.does(divide(&bench, "a", ""), &["split a into a-part1 a-part2"]);
    let [one, two] = ["a-part1", "a-part2"].map(|id| bench.task(id).spec.criteria.clone());
    assert_eq!((one, two), (vec![file("1")], vec![file("2")]));
    assert!(
        bench
            .task("a-part1")
            .spec
            .description
            .contains("before it was begun")
    );
    let of = |retries, budget| {
        let mut bench = Bench::new(with(plan("a"), "a", move |task: &mut TaskSpec| {
            work(vec![file("1"), file("2")])(task);
            task.retries = Some(retries);
            task.budget = budget;
        }));
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        bench.so(bench.ended("a", 0));
        bench.so(bench.collected("a"));
        let attempt = bench.attempt("a");
        let verdicts = vec![Verdict::fail(0, "it has 0 bytes"), Verdict::pass(1)];
        bench.so(Command::Checked { attempt, verdicts });
        bench
    };
    let attempts = |many| Budget::default().with(Bound::Attempts(many));
    // What was seen, and what is left of its budget, goes to the parts.
    let mut bench = of(1, attempts(4));
    bench.does(
        divide(&bench, "a", "two pages"),
        &["split a into a-part1 a-part2"],
    );
    let part = |id: &str| (*bench.task(id).spec).clone();
    let (one, two) = (part("a-part1"), part("a-part2"));
    assert!(one.description.contains("its owner split it: two pages"));
    assert!(one.description.contains("it has 0 bytes"));
    assert!(!two.description.contains("it has 0 bytes"));
    let shares = [one, two].map(|spec| spec.budget.attempts);
    assert_eq!(shares, [Some(2), Some(1)]);
    assert_eq!(bench.task("a-part2").depth, 1);
}

#[test]
fn what_no_rule_can_divide_says_why_and_stays() {
    let mut bench = Bench::new(with(plan("a"), "a", work(vec![file("1")])));
    bench.refuses(divide(&bench, "a", ""), "split-undivided");
    let mut program = Bench::new(plan("a"));
    program.refuses(divide(&program, "a", ""), "split-undivided");
    let mut live = Bench::new(with(plan("a"), "a", work(vec![file("1"), file("2")])));
    live.so(live.lease("a"));
    live.refuses(divide(&live, "a", ""), "task-not-now");
}

#[test]
fn what_is_expected_to_take_less_than_is_split_is_not_split_by_itself() {
    let given = |minutes: u64| {
        Bench::new(with(plan("a"), "a", move |task: &mut TaskSpec| {
            work(vec![file("1"), file("2")])(task);
            task.estimate.duration_ms = Some(60_000);
            task.estimate.duration_max_ms = Some(minutes * 60_000);
        }))
    };
    let why = "it was not split: it is expected to take 14 minutes, and what takes less than 15 is \
               done whole";
    let mut small = given(14);
    fails(
        &mut small,
        "a",
        &[&format!("a.3 refused, then escalate: {REFUSED}; {why}")],
    );
    // Its owner, who asks for it, has it split all the same.
    assert!(told(&small, "a").contains("$ divisi split run-1 a\n"));
    small.does(divide(&small, "a", ""), &["split a into a-part1 a-part2"]);
    splits(&mut given(15), "a");
    // An attempt took as long as that: what was expected was wrong.
    let mut long = given(14);
    long.so(long.lease("a"));
    long.so(long.started("a"));
    long.now = long.now.plus_ms(Sizes::USUAL.split_ms_min);
    long.so(long.ended("a", 0));
    long.so(long.collected("a"));
    let attempt = long.attempt("a");
    let verdicts = vec![Verdict::fail(0, "it has 0 bytes"), Verdict::pass(1)];
    long.so(Command::Checked { attempt, verdicts });
    long.does(divide(&long, "a", ""), &["split a into a-part1 a-part2"]);
}

#[test]
fn a_setting_says_when_and_whether() {
    let given = |split_after| {
        let settings = Settings {
            split_after,
            ..Settings::default()
        };
        let task = work(vec![file("1"), file("2")]);
        Bench::with(with(plan("a"), "a", task), settings)
    };
    let mut never = given(0);
    fails(
        &mut never,
        "a",
        &[&format!("a.3 refused, then escalate: {REFUSED}")],
    );
    let mut soon = given(1);
    soon.so(soon.lease("a"));
    soon.so(soon.started("a"));
    let ended = soon.ended("a", 0);
    soon.so(ended);
    let attempt = soon.attempt("a");
    let cause = "a link".to_owned();
    let why = "it failed once; the last time what it made could not be taken: a link";
    soon.does(
        Command::CollectRefused { attempt, cause },
        &[
            &format!("a.1 not collected, then split: {why}"),
            "split a into a-part1 a-part2",
        ],
    );
    // after another agent has tried
    let task = |task: &mut TaskSpec| {
        work(vec![file("1"), file("2")])(task);
        task.agents_else = vec!["second".to_owned()];
    };
    let mut bench = Bench::new(with(plan("a"), "a", task));
    for then in ["retry", "reassign to second"] {
        let number = bench.task("a").attempts() + 1;
        bench.so(bench.lease("a"));
        bench.so(bench.started("a"));
        bench.so(bench.ended("a", 0));
        let attempt = bench.attempt("a");
        let cause = "a link".to_owned();
        let then = format!("a.{number} not collected, then {then}");
        bench.does(Command::CollectRefused { attempt, cause }, &[&then]);
    }
}

#[test]
fn what_could_not_be_started_and_what_a_program_does_is_not_divided() {
    let mut bench = Bench::new(with(plan("a"), "a", work(vec![file("1"), file("2")])));
    for number in 1..=3 {
        bench.so(bench.lease("a"));
        let attempt = bench.attempt("a");
        let then = match number {
            3 => "escalate: it failed 3 times; the last time it could not be started: no",
            _ => "retry",
        };
        let not_started = Command::NotStarted {
            attempt,
            cause: "no".to_owned(),
            permanent: false,
        };
        bench.does(not_started, &[&format!("a.{number} errored, then {then}")]);
    }
    let program = |task: &mut TaskSpec| {
        task.workspace = WorkspaceKind::Worktree;
        task.criteria = vec![file("1"), file("2")];
    };
    let mut bench = Bench::new(with(plan("a"), "a", program));
    fails(
        &mut bench,
        "a",
        &[&format!("a.3 refused, then escalate: {REFUSED}")],
    );
}

#[test]
fn names_are_free_and_short_enough() {
    let long = "a".repeat(100);
    let graph = format!("{long}; {}-part1", "a".repeat(90));
    let mut bench = Bench::new(with(plan(&graph), &long, work(vec![file("1"), file("2")])));
    let parts: Vec<String> = [2, 3]
        .map(|at| format!("{}-part{at}", "a".repeat(90)))
        .into();
    fails(
        &mut bench,
        &long,
        &[
            &format!("{long}.3 refused, then split: {REFUSED}"),
            &format!("split {long} into {}", parts.join(" ")),
        ],
    );
}

#[test]
fn files_from_outside_are_given_to_both() {
    let task = |task: &mut TaskSpec| {
        work(vec![file("1"), file("2")])(task);
        task.inputs = vec![Input::Path("data".to_owned()), Input::Task(id_of("x"))];
    };
    let mut bench = Bench::new(with(plan("x; a"), "a", task));
    bench.runs("x");
    splits(&mut bench, "a");
    let inputs = &bench.task("a-part2").spec.inputs;
    assert_eq!(inputs, &[Input::Path("data".to_owned())]);
    assert_eq!(bench.run.dependencies(bench.no("a-part2")), [bench.no("x")]);
    let wholes: Vec<_> = bench.run.replaced(bench.no("a-part2")).collect();
    assert_eq!(wholes, [bench.no("a")]);
    assert_eq!(bench.run.integration.head, Some(commit(0)));
}

/// Parts that a person wrote, with what each has beside its name.
fn by_hand(bench: &Bench, change: impl Fn(&mut TaskSpec)) -> Command {
    let mut parts = super::bench::parts("one; two; three: one");
    parts.tasks.iter_mut().for_each(change);
    Command::Split {
        task: bench.no("a"),
        parts,
        reason: String::new(),
    }
}

#[test]
fn what_no_part_written_by_hand_promises_stands_with_the_last_one() {
    let scope = Criterion::Scope {
        patterns: vec!["src/**".to_owned()],
    };
    let criteria = vec![file("must.md"), file("two.md"), plain(), scope.clone()];
    let promising = |task: &mut TaskSpec| {
        work(criteria)(task);
        for path in ["must.md", "two.md"] {
            task.deliverables.push(Deliverable {
                path: path.to_owned(),
            });
        }
    };
    let mut bench = Bench::new(with(plan("a"), "a", promising));
    let split = by_hand(&bench, |part| {
        if part.id == id_of("two") {
            work(vec![file("two.md")])(part);
            part.deliverables = vec![Deliverable {
                path: "two.md".to_owned(),
            }];
        }
    });
    bench.does(split, &["split a into one two three"]);
    let scope = scope.to_string();
    let is = |id| brief(&bench, id);
    assert_eq!(is("one").0, ["exit status", &scope]);
    assert_eq!(is("two").0, ["two.md is not empty", &scope]);
    let (criteria, before) = is("three");
    let kept = ["must.md is not empty", "reads well", &scope];
    assert_eq!(criteria, [&["exit status"][..], &kept].concat());
    assert_eq!(before, ["one", "two"]);
    let three = &bench.task("three").spec;
    assert_eq!(three.deliverables[0].path, "must.md");
    assert_eq!(three.workspace, WorkspaceKind::Worktree);
    // A program is run, whoever the task was for.
    assert_eq!(three.agent, None);
}

#[test]
fn parts_that_can_keep_nothing_are_refused_with_what_would_be_lost() {
    let mut bench = Bench::new(with(plan("a"), "a", work(vec![file("must.md")])));
    let consent = |part: &mut TaskSpec| {
        if part.id == id_of("three") {
            super::bench::approval(part);
        }
    };
    let split = by_hand(&bench, consent);
    bench.refuses(split.clone(), "split-bad-parts");
    let refused = bench.run.clone().decide(split, bench.now);
    let words = format!("{:?}", refused.err());
    assert!(words.contains("must.md is not empty"), "{words}");
}
