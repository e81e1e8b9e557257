//! Workers shared among runs: who is next, what limits hold, and how good the schedule is.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::bench::{Bench, PRIORITIES, all, exited, handoff, plan, with};
use super::rng::Rng;
use crate::assign::{Capacity, Proposal, assign};
use crate::ids::{AttemptId, Epoch, RunId, TaskNo, Time};
use crate::ledger::{Choice, Credential, Means, Waiting, Wanted};
use crate::plan::{Plan, Priority};
use crate::run::{
    Accepted, Base, Command, Create, Finding, Rejection, Run, RunStatus, Settings, create,
};

fn workers(count: u32) -> Capacity {
    Capacity { workers: count }
}

fn run(id: u32, plan: Plan, settings: Settings) -> Run {
    let what = Create {
        plan: plan.into(),
        settings,
        base: Base::default(),
        approved: true,
        intent: None,
    };
    create(RunId(id), what, Time(0)).unwrap().0
}

/// Proposals as `run.task`.
fn proposed(runs: &[&Run], capacity: Capacity, now: u64) -> Vec<String> {
    let of = |proposal: Proposal| {
        let run = runs.iter().find(|run| run.id == proposal.run).unwrap();
        format!("{}.{}", run.id.0, run.task(proposal.task).unwrap().spec.id)
    };
    assign(runs, capacity, Time(now), &BTreeSet::new(), &Choice::freely)
        .into_iter()
        .map(of)
        .collect()
}

fn lease(run: &mut Run, task: &str) {
    let task = run.find(&super::bench::id_of(task)).unwrap();
    let epoch = Epoch(1);
    let leased = run.decide(
        Command::Lease {
            task,
            epoch,
            timeout_ms: None,
            with: None,
        },
        Time(0),
    );
    assert!(matches!(leased, Ok(Accepted::Events(_))), "{leased:?}");
}

#[test]
fn priority_then_longest_path_then_older_run_then_the_plans_order() {
    // given: run 1: a, b, c ── d     run 2: a critical one, and one as long as run 1's a
    let one = run(1, plan("a; b; c; d: c"), Settings::default());
    let urgent = with(plan("x; y"), "x", |task| task.priority = Priority::Critical);
    let two = run(2, urgent, Settings::default());
    let expected = ["2.x", "1.c", "1.a", "1.b", "2.y"];
    assert_eq!(proposed(&[&two, &one], workers(9), 0), expected);
    // when slots are few, the best get them
    assert_eq!(proposed(&[&two, &one], workers(2), 0), expected[..2]);
    assert_eq!(proposed(&[&two, &one], workers(0), 0), [""; 0]);
}

#[test]
fn live_attempts_of_all_runs_count_against_the_machine() {
    let mut one = run(1, plan("a; b"), Settings::default());
    let two = run(2, plan("x; y"), Settings::default());
    lease(&mut one, "a");
    assert_eq!(proposed(&[&one, &two], workers(2), 0), ["1.b"]);
    assert_eq!(proposed(&[&one, &two], workers(3), 0), ["1.b", "2.x"]);
    assert_eq!(proposed(&[&one, &two], workers(1), 0), [""; 0]);
}

#[test]
fn what_waits_for_something_else_takes_no_slot_from_the_next() {
    let run = run(1, plan("a; b; c"), Settings::default());
    let passed_over = BTreeSet::from([(run.id, run.find(&super::bench::id_of("a")).unwrap())]);
    let proposed = assign(&[&run], workers(1), Time(0), &passed_over, &Choice::freely);
    let second = run.find(&super::bench::id_of("b")).unwrap();
    assert_eq!(proposed.len(), 1);
    assert_eq!(proposed[0].task, second);
}

#[test]
fn limits_of_run_role_and_agent_hold() {
    let roles = all(plan("a; b; c; d"), |task| {
        task.domain = Some("web".to_owned());
        task.function = Some(
            if task.id.as_str() < "c" {
                "dev"
            } else {
                "test"
            }
            .to_owned(),
        );
    });
    let limited = |by: &str, max: u32| Settings {
        role_limits: [(by.to_owned(), max)].into(),
        ..Settings::default()
    };
    let of = |settings| proposed(&[&run(1, roles.clone(), settings)], workers(9), 0);
    assert_eq!(of(Settings::default()), ["1.a", "1.b", "1.c", "1.d"]);
    assert_eq!(
        of(Settings {
            workers_max: 3,
            ..Settings::default()
        })
        .len(),
        3
    );
    assert_eq!(of(limited("web", 2)), ["1.a", "1.b"]);
    assert_eq!(of(limited("dev", 1)), ["1.a", "1.c", "1.d"]);
    assert_eq!(of(limited("web/test", 1)), ["1.a", "1.b", "1.c"]);
    assert_eq!(of(limited("elsewhere", 0)).len(), 4);
    let agents = Settings {
        agent_limits: [("command".to_owned(), 2)].into(),
        ..Settings::default()
    };
    assert_eq!(of(agents), ["1.a", "1.b"]);
    // the machine's own limit holds over all runs
    let (one, two) = (
        run(1, plan("a; b"), Settings::default()),
        run(2, plan("x; y"), Settings::default()),
    );
    assert_eq!(
        proposed(&[&one, &two], workers(3), 0),
        ["1.a", "1.b", "2.x"]
    );
}

#[test]
fn what_is_over_a_limit_is_refused_by_the_run_itself() {
    let mut bench = Bench::with(
        plan("a; b"),
        Settings {
            workers_max: 1,
            ..Settings::default()
        },
    );
    bench.so(bench.lease("a"));
    bench.refuses(bench.lease("b"), "limit-reached");
}

#[test]
fn people_take_no_slot() {
    let one = run(
        1,
        with(plan("a; b"), "b", handoff),
        Settings {
            workers_max: 1,
            ..Settings::default()
        },
    );
    assert_eq!(proposed(&[&one], workers(1), 0), ["1.a", "1.b"]);
    assert_eq!(proposed(&[&one], workers(0), 0), ["1.b"]);
}

#[test]
fn nothing_is_proposed_of_runs_that_take_no_leases() {
    let what = |approved| Create {
        plan: plan("a").into(),
        settings: Settings::default(),
        base: Base::default(),
        approved,
        intent: None,
    };
    let asleep = create(RunId(1), what(false), Time(0)).unwrap().0;
    assert_eq!(proposed(&[&asleep], workers(1), 0), [""; 0]);
    let mut paused = create(RunId(2), what(true), Time(0)).unwrap().0;
    let reason = crate::run::PauseReason::Owner;
    let pause = Command::Pause {
        reason,
        stop: false,
    };
    assert!(paused.decide(pause, Time(0)).is_ok());
    assert_eq!(proposed(&[&paused], workers(1), 0), [""; 0]);
}

#[test]
fn a_delayed_task_is_proposed_when_its_time_has_come() {
    let mut one = run(1, plan("a; b"), Settings::default());
    lease(&mut one, "a");
    let attempt = AttemptId {
        run: one.id,
        task: crate::ids::TaskNo(0),
        number: 1,
    };
    let finding = Finding::Lost("gone".to_owned());
    assert!(
        one.decide(Command::Find { attempt, finding }, Time(10))
            .is_ok()
    );
    assert_eq!(one.delayed_until(Time(1_009)), Some(Time(1_010)));
    assert_eq!(
        one.delayed_until(Time(1_010)),
        None,
        "the clock has come; it waits for a slot"
    );
    assert_eq!(proposed(&[&one], workers(9), 1_009), ["1.b"]);
    assert_eq!(proposed(&[&one], workers(9), 1_010), ["1.a", "1.b"]);
    assert_eq!(proposed(&[&one], workers(1), 1_010), ["1.a"]);
}

#[test]
fn no_limit_is_ever_exceeded_and_no_slot_left_idle() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut runs: Vec<Run> = (1..4).map(|id| random_run(&mut rng, id)).collect();
        let capacity = Capacity {
            workers: 1 + rng.below(6) as u32,
        };
        for _ in 0..3 {
            let proposals = assign(
                &runs.iter().collect::<Vec<_>>(),
                capacity,
                Time(0),
                &BTreeSet::new(),
                &Choice::freely,
            );
            for proposal in proposals {
                let run = runs.iter_mut().find(|run| run.id == proposal.run).unwrap();
                let command = Command::Lease {
                    task: proposal.task,
                    epoch: Epoch(1),
                    timeout_ms: None,
                    with: None,
                };
                // The run holds its own limits; it would refuse what breaks them.
                assert!(run.decide(command, Time(0)).is_ok(), "seed {seed}");
            }
            let slots: u32 = runs.iter().map(Run::slots).sum();
            assert!(slots <= capacity.workers, "seed {seed}");
            // what was proposed is all that could be: a second look finds nothing
            let more = assign(
                &runs.iter().collect::<Vec<_>>(),
                capacity,
                Time(0),
                &BTreeSet::new(),
                &Choice::freely,
            );
            assert_eq!(more, [], "seed {seed}");
            finish_one(&mut runs, &mut rng);
        }
    }
}

fn random_run(rng: &mut Rng, id: u32) -> Run {
    let mut plan = plan("a; b; c; d; e; f");
    for task in &mut plan.tasks {
        task.priority = PRIORITIES[rng.below(4)];
        task.domain = rng.once_in(2).then(|| "web".to_owned());
        task.agent = rng.once_in(3).then(|| "second".to_owned());
        task.estimate.duration_ms = Some(rng.below(50) as u64);
    }
    let settings = Settings {
        workers_max: 1 + rng.below(4) as u32,
        role_limits: [("web".to_owned(), 1 + rng.below(3) as u32)].into(),
        agent_limits: [("second".to_owned(), 1 + rng.below(2) as u32)].into(),
        ..Settings::default()
    };
    run(id, plan, settings)
}

fn finish_one(runs: &mut [Run], rng: &mut Rng) {
    let at = rng.below(runs.len());
    let run = &mut runs[at];
    let live = run.tasks().iter().position(|task| task.live().is_some());
    if let Some(at) = live {
        let attempt = run.attempt_id(crate::ids::TaskNo(at as u32), 1);
        let ended = Command::Ended {
            attempt,
            ended: exited(0),
            said: None,
        };
        assert!(run.decide(ended, Time(0)).is_ok());
    }
}

/// Plays a plan through the core with its estimates on so many workers; gives the makespan.
fn makespan(plan: &Plan, count: u32) -> u64 {
    let settings = Settings {
        workers_max: u32::MAX,
        ..Settings::default()
    };
    let mut run = run(1, plan.clone(), settings);
    let mut now = Time(0);
    let mut ends: BinaryHeap<Reverse<(Time, AttemptId)>> = BinaryHeap::new();
    loop {
        for proposal in assign(
            &[&run],
            workers(count),
            now,
            &BTreeSet::new(),
            &Choice::freely,
        ) {
            let command = Command::Lease {
                task: proposal.task,
                epoch: Epoch(1),
                timeout_ms: None,
                with: None,
            };
            assert!(run.decide(command, now).is_ok());
            let estimate = &run.task(proposal.task).unwrap().spec.estimate;
            let end = now.plus_ms(estimate.duration_ms.unwrap());
            ends.push(Reverse((end, run.attempt_id(proposal.task, 1))));
        }
        assert!(ends.len() as u64 <= u64::from(count));
        let Some(Reverse((end, attempt))) = ends.pop() else {
            break;
        };
        now = end;
        let ended = Command::Ended {
            attempt,
            ended: exited(0),
            said: None,
        };
        assert!(run.decide(ended, now).is_ok());
    }
    assert_eq!(run.status(), RunStatus::Succeeded);
    now.0
}

/// The longest path, computed without the core.
fn critical_path(plan: &Plan) -> u64 {
    let graph = plan.graph().unwrap();
    let mut ends = vec![0; plan.tasks.len()];
    for &task in &graph.order {
        let task = task as usize;
        let start = graph.dependencies[task]
            .iter()
            .map(|on| ends[*on as usize])
            .max();
        ends[task] = start.unwrap_or(0) + plan.tasks[task].estimate.duration_ms.unwrap();
    }
    ends.into_iter().max().unwrap()
}

#[test]
fn schedules_keep_the_bounds_of_list_scheduling() {
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let count = 1 + rng.below(40);
        let density = 2 + rng.below(12);
        let names: Vec<String> = (0..count)
            .map(|at| {
                let on: Vec<String> = (0..at)
                    .filter(|_| rng.once_in(density))
                    .map(|on| format!("t{on}"))
                    .collect();
                format!("t{at}: {}", on.join(" "))
            })
            .collect();
        let mut plan = plan(&names.join(";"));
        for task in &mut plan.tasks {
            task.estimate.duration_ms = Some(1 + rng.below(100) as u64);
        }
        let path = critical_path(&plan);
        let work: u64 = plan
            .tasks
            .iter()
            .filter_map(|task| task.estimate.duration_ms)
            .sum();
        assert_eq!(
            makespan(&plan, 1),
            work,
            "seed {seed}: one worker takes the sum"
        );
        assert_eq!(
            makespan(&plan, u32::MAX),
            path,
            "seed {seed}: the critical path"
        );
        for k in [2, 3, 8] {
            let time = makespan(&plan, k);
            let k = u64::from(k);
            // Graham: CP + (W - CP) / k, without the division
            assert!(time >= path && time * k >= work, "seed {seed}, {k} workers");
            assert!(
                time * k <= path * k + (work - path),
                "seed {seed}, {k} workers: {time}"
            );
        }
    }
}

/// Proposals with who does them, where some agents may not begin.
fn with_whom(run: &Run, may: &dyn Fn(&Run, Wanted<'_>) -> Choice) -> Vec<String> {
    let of = |proposal: Proposal| {
        let task = &run.task(proposal.task).unwrap().spec.id;
        let Means { agent, credential } = proposal.with;
        format!("{task} by {agent} with {credential}")
    };
    let proposals = assign(
        &[run],
        Capacity { workers: 9 },
        Time(0),
        &BTreeSet::new(),
        may,
    );
    proposals.into_iter().map(of).collect()
}

#[test]
fn an_agent_that_may_not_begin_is_waited_for_and_others_go_on() {
    let plan = with(plan("a; b; c; d"), "c", |task| {
        task.agent = Some("scripted".to_owned())
    });
    let mut settings = Settings::default();
    settings.agent_limits.insert("scripted".to_owned(), 2);
    let run = run(1, plan, settings);
    let until = Time(7_000);
    let wait = |agent: &str| Choice::Wait {
        on: Waiting::Limit(Credential::Agent(agent.to_owned())),
        until,
    };
    let held = |run: &Run, wanted: Wanted<'_>| match wanted.agent {
        "command" => wait(wanted.agent),
        _ => Choice::freely(run, wanted),
    };
    assert_eq!(with_whom(&run, &held), ["c by scripted with scripted"]);
    assert_eq!(run.held_until(Time(0), &held), Some(until));
    assert_eq!(run.held_until(until, &held), None, "it is over");
    assert_eq!(run.held_until(Time(0), &Choice::freely), None);
    // Another one in its place counts as itself.
    let instead = |_: &Run, _: Wanted<'_>| Choice::Begin {
        with: Means {
            agent: "scripted".to_owned(),
            credential: Credential::Variable("KEY".to_owned()),
        },
    };
    assert_eq!(
        with_whom(&run, &instead),
        ["a by scripted with KEY", "b by scripted with KEY"]
    );
}

#[test]
fn who_does_a_task_in_anothers_place_counts_as_itself_and_only_this_time() {
    let settings = Settings {
        agent_limits: [("codex".to_owned(), 1)].into(),
        ..Settings::default()
    };
    let mut run = run(1, plan("a; b"), settings);
    let lease = |run: &mut Run, task: u32, agent: &str| {
        let command = Command::Lease {
            task: TaskNo(task),
            epoch: Epoch(1),
            timeout_ms: None,
            with: Some(Means {
                agent: agent.to_owned(),
                credential: Credential::Variable("KEY".to_owned()),
            }),
        };
        run.decide(command, Time(0))
    };
    assert!(lease(&mut run, 0, "codex").is_ok());
    let live = run.tasks()[0].live().unwrap();
    assert_eq!(
        (live.agent.as_str(), &live.means().credential),
        ("codex", &Credential::Variable("KEY".to_owned()))
    );
    assert!(matches!(
        lease(&mut run, 1, "codex"),
        Err(Rejection::LimitReached { limit }) if limit == "1 attempts by agent codex"
    ));
    let lost = Command::Find {
        attempt: run.attempt_id(TaskNo(0), 1),
        finding: Finding::Lost("gone".to_owned()),
    };
    assert!(run.decide(lost, Time(0)).is_ok());
    assert_eq!(run.tasks()[0].agent(&run.settings), "command");
    crate::run::invariants::check(&run).unwrap();
}
