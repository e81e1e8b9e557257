//! The graph: edges, barriers, splits, ranks.

use super::bench::{Bench, files, handoff, id_of, parts, plan, with};
use crate::ids::TaskNo;
use crate::plan::{Input, Plan, Priority, Stage};
use crate::run::{Base, Command, Create, Run, Settings};

fn edges(run: &Run) -> usize {
    let tasks = run.tasks.iter().map(|task| task.links.waits.len());
    let joins = run.joins.iter().map(|join| join.links.waits.len());
    tasks.chain(joins).sum()
}

fn ids(bench: &Bench, numbers: &[TaskNo]) -> Vec<String> {
    let id = |no: &TaskNo| bench.run.task(*no).unwrap().spec.id.to_string();
    numbers.iter().map(id).collect()
}

fn staged(graph: &str, stages: &[&str]) -> Plan {
    let stage = |(at, tasks): (usize, &&str)| Stage {
        name: format!("stage_{}", at + 1),
        tasks: tasks.split_whitespace().map(id_of).collect(),
    };
    Plan {
        stages: stages.iter().enumerate().map(stage).collect(),
        ..plan(graph)
    }
}

#[test]
fn a_task_is_released_by_the_last_of_its_dependencies() {
    // a ─┬─ c
    // b ─┘
    let mut bench = Bench::new(plan("a; b; c: a b"));
    bench.runs("a");
    bench.refuses(bench.lease("c"), "task-not-now");
    bench.runs("b");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
    bench.does(
        bench.ended("c", 0),
        &[
            "c.1 submitted+collected+verified+integrated",
            "ended succeeded",
        ],
    );
}

#[test]
fn a_barrier_costs_the_sum_of_its_edges_not_their_product() {
    // given: two stages of 300 tasks each, without a single dependency
    let count = 300;
    let names: Vec<String> = (0..2 * count).map(|at| format!("t{at}")).collect();
    let (first, second) = names.split_at(count);
    let plan = staged(&names.join(";"), &[&first.join(" "), &second.join(" ")]);
    let bench = Bench::new(plan);
    // then: one edge a task, and one join between them
    assert_eq!(edges(&bench.run), 2 * count);
    assert_eq!(bench.run.joins.len(), 1);
    assert_eq!(bench.run.dependencies(TaskNo(count as u32)).len(), count);
}

#[test]
fn a_stage_waits_for_all_of_the_one_before() {
    // [a b] | [c d] | [e], where d alone depends on a
    let mut bench = Bench::new(staged("a; b; c; d: a; e", &["a b", "c d", "e"]));
    bench.runs("a");
    bench.refuses(bench.lease("d"), "task-not-now");
    bench.runs("b");
    bench.runs("d");
    bench.refuses(bench.lease("e"), "task-not-now");
    bench.runs("c");
    bench.does(bench.lease("e"), &["leased e.1 by command in 1"]);
}

#[test]
fn levels_are_stages_where_the_settings_ask_for_barriers() {
    // a ── c    with barriers, c waits for b too
    // b
    let settings = Settings {
        barriers: true,
        ..Settings::default()
    };
    let mut bench = Bench::with(plan("a; b; c: a"), settings);
    bench.runs("a");
    bench.refuses(bench.lease("c"), "task-not-now");
    bench.runs("b");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
}

#[test]
fn what_stands_behind_a_given_up_task_is_skipped_and_the_rest_goes_on() {
    // a ── b ── c
    // d ── e
    let mut bench = Bench::new(plan("a; b: a; c: b; d; e: d"));
    bench.escalates("a");
    bench.does(
        bench.reject("a"),
        &["failed a", "skipped b because a", "skipped c because a"],
    );
    bench.runs("d");
    // when a is tried again, all that was skipped for it waits again
    bench.does(bench.retry("a"), &["retried a", "retried b", "retried c"]);
    bench.runs("a");
    bench.runs("b");
    bench.runs("e");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
}

#[test]
fn a_task_behind_two_given_up_ones_waits_for_both_retries() {
    // a ─┬─ c ── d
    // b ─┘
    let mut bench = Bench::new(plan("a; b; c: a b; d: c; e"));
    bench.so(bench.cancel("a"));
    bench.so(bench.cancel("b"));
    bench.does(bench.retry("a"), &["retried a"]);
    bench.does(bench.retry("b"), &["retried b", "retried c", "retried d"]);
}

#[test]
fn the_parts_of_a_split_task_stand_in_its_place() {
    // a ── b ── c   becomes   a ─┬─ x ─┬─(join)── c
    //                            └─ y ─┘
    let mut bench = Bench::new(plan("a; b: a; c: b"));
    let whole = bench.run.task(bench.no("a")).unwrap().rank_ms;
    bench.does(bench.split("b", "x; y: x"), &["split b into x y"]);
    assert_eq!(bench.run.revision, 2);
    let (a, c, y) = (bench.no("a"), bench.no("c"), bench.no("y"));
    assert_eq!(ids(&bench, &bench.run.dependencies(c)), ["x", "y"]);
    assert_eq!(ids(&bench, &bench.run.dependencies(y)), ["a", "x"]);
    // b itself no longer waits for anything that matters, nor does anything wait for b
    assert_eq!(bench.run.dependents(bench.no("b")), []);
    // the longest path is one task longer now
    assert_eq!(bench.run.task(a).unwrap().rank_ms, whole / 3 * 4);
    bench.runs("a");
    bench.runs("x");
    bench.refuses(bench.lease("c"), "task-not-now");
    bench.runs("y");
    bench.runs("c");
    assert_eq!(bench.run.status(), crate::run::RunStatus::Succeeded);
}

#[test]
fn a_part_may_take_what_another_part_makes() {
    // given: y takes x as an input and names no dependency
    let mut bench = Bench::new(plan("a"));
    let mut parts = parts("x; y");
    parts.tasks[1].inputs.push(Input::Task(id_of("x")));
    let task = bench.no("a");
    bench.so(Command::Split {
        task,
        parts,
        reason: String::new(),
    });
    // then: it waits for it, as it would in a plan
    bench.refuses(bench.lease("y"), "task-not-now");
    bench.runs("x");
    bench.does(bench.lease("y"), &["leased y.1 by command in 1"]);
}

#[test]
fn parts_that_wait_for_many_cost_the_sum_of_their_edges() {
    // given: a task behind 300 others
    let count = 300;
    let before: Vec<String> = (0..count).map(|at| format!("t{at}")).collect();
    let graph = format!(
        "{}; whole: {}; z: whole",
        before.join("; "),
        before.join(" ")
    );
    let mut bench = Bench::new(plan(&graph));
    // when: 300 parts take its place
    let names: Vec<String> = (0..count).map(|at| format!("p{at}")).collect();
    bench.so(bench.split("whole", &names.join("; ")));
    // then: they wait for a join over what it waited for; 300 edges to the old task are left
    assert!(edges(&bench.run) <= 4 * count + 2, "{}", edges(&bench.run));
    let p0 = bench.no("p0");
    assert_eq!(bench.run.dependencies(p0).len(), count);
    for name in &before {
        bench.refuses(bench.lease("p7"), "task-not-now");
        bench.runs(name);
    }
    bench.does(bench.lease("p7"), &["leased p7.1 by command in 1"]);
    bench.check_stored();
}

#[test]
fn parts_may_be_split_once_more_and_no_further() {
    let mut bench = Bench::new(plan("a; b: a"));
    bench.does(bench.split("a", "a1; a2"), &["split a into a1 a2"]);
    bench.does(bench.split("a1", "a11; a12"), &["split a1 into a11 a12"]);
    bench.refuses(bench.split("a11", "x; y"), "split-bad-parts");
    let b = bench.no("b");
    assert_eq!(
        ids(&bench, &bench.run.dependencies(b)),
        ["a2", "a11", "a12"]
    );
    bench.runs("a2");
    bench.runs("a11");
    bench.refuses(bench.lease("b"), "task-not-now");
    bench.runs("a12");
    bench.does(bench.lease("b"), &["leased b.1 by command in 1"]);
}

#[test]
fn a_split_across_a_barrier_holds_the_next_stage() {
    // [a b] | [c]
    let mut bench = Bench::new(staged("a; b; c", &["a b", "c"]));
    bench.does(bench.split("a", "x; y"), &["split a into x y"]);
    assert_eq!(ids(&bench, &bench.run.stages[0].1), ["a", "b", "x", "y"]);
    bench.runs("b");
    bench.runs("x");
    bench.refuses(bench.lease("c"), "task-not-now");
    bench.runs("y");
    bench.does(bench.lease("c"), &["leased c.1 by command in 1"]);
}

#[test]
fn parts_inherit_role_agent_and_priority() {
    let mut bench = Bench::new(with(plan("a"), "a", |task| {
        task.domain = Some("web".to_owned());
        task.function = Some("developer".to_owned());
        task.agent = Some("second".to_owned());
        task.priority = Priority::High;
    }));
    let mut parts = parts("x; y");
    handoff(&mut parts.tasks[0]);
    bench.so(Command::Split {
        task: bench.no("a"),
        parts,
        reason: String::new(),
    });
    let part = &bench.task("x").spec;
    assert_eq!(part.role().as_deref(), Some("web/developer"));
    assert_eq!(part.agent.as_deref(), Some("second"));
    assert_eq!(part.priority, Priority::High);
    // A program is nobody's but the command's.
    assert_eq!(bench.task("y").spec.agent, None);
}

#[test]
fn parts_that_make_no_plan_are_refused() {
    let mut bench = Bench::new(plan("a; b"));
    for graph in ["x", "x; x", "x; b", "x: y; y: x", "x; y: nowhere"] {
        bench.refuses(bench.split("a", graph), "split-bad-parts");
    }
    // nor is a task split that is at work
    bench.so(bench.lease("a"));
    bench.refuses(bench.split("a", "x; y"), "task-not-now");
}

#[test]
fn a_run_without_a_base_takes_no_part_that_needs_files() {
    // given: a run of commands in the shared folder, with nothing to integrate onto
    let mut bench = Bench::created(Create {
        plan: plan("a").into(),
        settings: Settings::default(),
        base: Base::default(),
        approved: true,
        intent: None,
    });
    let mut parts = parts("x; y");
    parts.tasks.iter_mut().for_each(files);
    let task = bench.no("a");
    let reason = String::new();
    bench.refuses(
        Command::Split {
            task,
            parts,
            reason,
        },
        "split-bad-parts",
    );
}

#[test]
fn an_escalated_task_can_be_split() {
    let mut bench = Bench::new(plan("a; b: a"));
    bench.escalates("a");
    bench.does(bench.split("a", "x; y"), &["split a into x y"]);
    bench.runs("x");
    bench.runs("y");
    bench.does(bench.lease("b"), &["leased b.1 by command in 1"]);
}

#[test]
fn a_rank_is_the_longest_remaining_path() {
    // a(1) ─┬─ b(5) ─┬─ d(2)
    //       └─ c(3) ─┘
    let mut plan = plan("a; b: a; c: a; d: b c");
    for (task, ms) in plan.tasks.iter_mut().zip([1, 5, 3, 2]) {
        task.estimate.duration_ms = Some(ms);
    }
    let ranks =
        |bench: &Bench| -> Vec<u64> { bench.run.tasks().iter().map(|task| task.rank_ms).collect() };
    let mut bench = Bench::new(plan);
    assert_eq!(ranks(&bench), [8, 7, 5, 2]);
    // parts without estimates count with the mean of all others: (1 + 5 + 3 + 2) / 4 = 2
    bench.so(bench.split("b", "x; y: x"));
    assert_eq!(ranks(&bench), [7, 5, 5, 2, 6, 4]);
}

#[test]
fn estimates_beyond_all_measure_are_still_ranked() {
    let mut plan = plan("a; b: a; c");
    plan.tasks[0].estimate.duration_ms = Some(u64::MAX);
    plan.tasks[1].estimate.duration_ms = Some(u64::MAX);
    let bench = Bench::new(plan);
    assert_eq!(bench.task("a").rank_ms, u64::MAX);
}
