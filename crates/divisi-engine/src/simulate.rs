//! Plays a plan through the real core under a virtual clock, with its estimated durations.
//!
//! Every task becomes a command that ends successfully after its estimate. What people do, or bring
//! from outside, takes its time beside the workers: none of it holds a slot. A task that plans others
//! takes its estimate, too, and nothing takes its place: what it would plan is not known. What is
//! measured is the schedule alone: the same `decide`, `apply` and `assign` as in a real run decide
//! who starts when.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use divisi_core::assign::{Capacity, assign};
use divisi_core::criterion::Criterion;
use divisi_core::ids::{AttemptId, Epoch, RunId, Time};
use divisi_core::ledger::Choice;
use divisi_core::plan::{Fault, Plan, TaskKind, TaskSpec, Work, WorkspaceKind};
use divisi_core::receipt::Exit;
use divisi_core::run::{self, AGENT_PERSON, Base, Command, Create, Run, RunStatus, Settings};
use divisi_core::worker::Ended;
use serde::Serialize;

/// Duration of a task without an estimate in a plan where none has one, in milliseconds.
const DURATION_DEFAULT_MS: u64 = 60_000;

/// A simulated schedule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// Tasks played.
    pub tasks: usize,
    /// Tasks without an estimate, in the plan's order.
    pub without_estimate: Vec<String>,
    /// What each of them was played with: the mean of the others' estimates, or a minute where none
    /// has one. In milliseconds.
    pub assumed_ms: u64,
    /// Tasks that plan others: they take their estimate, and what they would plan is not known.
    pub tasks_that_plan: usize,
    /// Workers side by side.
    pub workers: u32,
    /// From the first start to the last end, in milliseconds.
    pub makespan_ms: u64,
    /// The longest path through the dependencies, in milliseconds: no number of workers is faster.
    pub critical_path_ms: u64,
    /// The tasks on one longest path, in order.
    pub critical_path: Vec<String>,
    /// The sum of the durations of what workers do, in milliseconds: what one worker takes.
    pub total_work_ms: u64,
    /// The part of the workers' time that is work, from 0 to 1.
    pub utilization: f64,
    /// The larger of the critical path and an equal share of the work: no schedule is shorter.
    pub lower_bound_ms: u64,
    /// What barriers between stages cost.
    pub barriers: Barriers,
}

/// The same plan with barriers between its stages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Barriers {
    /// Stages: the authored ones, or the levels of the DAG.
    pub stages: usize,
    /// The makespan with barriers, in milliseconds.
    pub makespan_ms: u64,
    /// How much longer that is than without, in milliseconds.
    pub cost_ms: i64,
    /// Whether the schedule above was itself played with them.
    pub in_force: bool,
}

/// Plays a plan.
///
/// # Errors
/// The plan's structural faults.
pub fn simulate(plan: &Plan, workers: u32, barriers: bool) -> Result<Schedule, Vec<Fault>> {
    let graph = plan.graph()?;
    let estimates: Vec<u64> = plan
        .tasks
        .iter()
        .filter_map(|task| task.estimate.duration_ms)
        .collect();
    let mean = match estimates.len() {
        0 => DURATION_DEFAULT_MS,
        count => sum(estimates.iter()) / count as u64,
    };
    let durations: Vec<u64> = plan
        .tasks
        .iter()
        .map(|task| task.estimate.duration_ms.unwrap_or(mean))
        .collect();
    let played = Plan {
        tasks: plan
            .tasks
            .iter()
            .zip(&durations)
            .map(|(task, ms)| as_command(task, *ms))
            .collect(),
        criteria: Vec::new(),
        ..plan.clone()
    };
    let free = Plan {
        stages: Vec::new(),
        ..played.clone()
    };
    let with = play(&played, &durations, workers, true)?;
    let in_force = barriers || !plan.stages.is_empty();
    let makespan_ms = match in_force {
        true => with,
        false => play(&free, &durations, workers, false)?,
    };
    let without = match in_force {
        true => play(&free, &durations, workers, false)?,
        false => makespan_ms,
    };
    let (critical_path_ms, critical_path) =
        longest_path(plan, &graph.order, &graph.dependencies, &durations);
    let of_workers = plan.tasks.iter().zip(&durations);
    let of_workers = of_workers.filter(|(task, _)| is_for_worker(task));
    let total_work_ms = sum(of_workers.map(|(_, ms)| ms));
    let offered = makespan_ms as f64 * f64::from(workers);
    Ok(Schedule {
        tasks: plan.tasks.len(),
        without_estimate: plan
            .tasks
            .iter()
            .filter(|task| task.estimate.duration_ms.is_none())
            .map(|task| task.id.to_string())
            .collect(),
        assumed_ms: mean,
        tasks_that_plan: plan
            .tasks
            .iter()
            .filter(|task| task.kind == TaskKind::Plan)
            .count(),
        workers,
        makespan_ms,
        critical_path_ms,
        critical_path,
        total_work_ms,
        utilization: if offered > 0.0 {
            total_work_ms as f64 / offered
        } else {
            0.0
        },
        lower_bound_ms: critical_path_ms.max(total_work_ms.div_ceil(u64::from(workers.max(1)))),
        barriers: Barriers {
            stages: graph
                .stage
                .iter()
                .max()
                .map_or(0, |last| *last as usize + 1),
            makespan_ms: with,
            cost_ms: i64::try_from(i128::from(with) - i128::from(without)).unwrap_or(i64::MAX),
            in_force,
        },
    })
}

/// All durations together. What a plan file takes adds up for more tasks than anybody has; beyond
/// that it stays at the most that can be said.
fn sum<'d>(durations: impl Iterator<Item = &'d u64>) -> u64 {
    let add = |sum: u64, ms: &u64| sum.saturating_add(*ms);
    durations.fold(0, add)
}

/// Whether a worker's slot is taken up by it. An approval is nobody's attempt; what names no agent
/// may be an agent's, whichever is found when it is run.
fn is_for_worker(task: &TaskSpec) -> bool {
    let is_brought = matches!(task.kind, TaskKind::Approval | TaskKind::External);
    !is_brought && task.agent.as_deref().is_none_or(run::holds_slot)
}

/// The task as a command with nothing to check but its end.
fn as_command(task: &TaskSpec, duration_ms: u64) -> TaskSpec {
    let mut played = TaskSpec {
        kind: TaskKind::Work,
        work: Work::Command(vec!["simulated".to_owned()]),
        workspace: WorkspaceKind::Shared,
        criteria: vec![Criterion::ExitStatus],
        agent: (!is_for_worker(task)).then(|| AGENT_PERSON.to_owned()),
        ok_exit: vec![0],
        candidates: None,
        ..task.clone()
    };
    played.estimate.duration_ms = Some(duration_ms);
    played
}

/// The makespan of a plan of commands.
fn play(plan: &Plan, durations: &[u64], workers: u32, barriers: bool) -> Result<u64, Vec<Fault>> {
    let settings = Settings {
        workers_max: workers,
        barriers,
        ..Settings::default()
    };
    let create = Create {
        plan: plan.clone().into(),
        settings,
        base: Base::default(),
        approved: true,
        intent: None,
    };
    let (mut run, _) = run::create(RunId(1), create, Time(0))?;
    let capacity = Capacity { workers };
    let mut ends: BinaryHeap<Reverse<(u64, AttemptId)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        for proposal in assign(
            &[&run],
            capacity,
            Time(now),
            &BTreeSet::new(),
            &Choice::freely,
        ) {
            let attempt = run.attempt_id(proposal.task, 1);
            command(
                &mut run,
                Command::Lease {
                    task: proposal.task,
                    epoch: Epoch(1),
                    timeout_ms: None,
                    with: None,
                },
                now,
            );
            let end = durations[proposal.task.index()].saturating_add(now);
            ends.push(Reverse((end, attempt)));
        }
        let Some(Reverse((end, _))) = ends.peek() else {
            break;
        };
        now = *end;
        while let Some(Reverse((end, attempt))) = ends.peek().copied() {
            if end > now {
                break;
            }
            ends.pop();
            let wall_ms = durations[attempt.task.index()];
            let ended = Ended {
                wall_ms,
                ..Ended::of(Exit::Status(0))
            };
            command(
                &mut run,
                Command::Ended {
                    attempt,
                    ended,
                    said: None,
                },
                now,
            );
        }
    }
    debug_assert_eq!(run.status(), RunStatus::Succeeded);
    Ok(now)
}

fn command(run: &mut Run, command: Command, now: u64) {
    let accepted = run.decide(command, Time(now));
    debug_assert!(
        accepted.is_ok(),
        "a well-behaved schedule is never refused: {accepted:?}"
    );
    run.take_changed();
}

fn longest_path(
    plan: &Plan,
    order: &[u32],
    dependencies: &[Vec<u32>],
    durations: &[u64],
) -> (u64, Vec<String>) {
    let mut end = vec![0u64; durations.len()];
    let mut before = vec![None; durations.len()];
    for &task in order {
        let task = task as usize;
        let latest = dependencies[task]
            .iter()
            .max_by_key(|on| (end[**on as usize], Reverse(**on)));
        let start = latest.map_or(0, |on| end[*on as usize]);
        before[task] = latest.copied();
        end[task] = durations[task].saturating_add(start);
    }
    let last = (0..durations.len()).max_by_key(|task| (end[*task], Reverse(*task)));
    let mut path = Vec::new();
    let mut at = last;
    while let Some(task) = at {
        path.push(plan.tasks[task].id.to_string());
        at = before[task].map(|on| on as usize);
    }
    path.reverse();
    (last.map_or(0, |task| end[task]), path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::TaskId;

    /// A random DAG: each task depends on up to three of the twenty before it.
    fn random_plan(seed: u64, count: usize) -> Plan {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move |bound: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % bound
        };
        let id = |at: usize| TaskId::new(format!("t{at}")).unwrap();
        let mut tasks = Vec::new();
        for at in 0..count {
            let mut task = TaskSpec::command(id(at), &["true"]);
            for _ in 0..next(4) {
                if at > 0 {
                    task.dependencies
                        .push(id(at - 1 - next(at.min(20) as u64) as usize));
                }
            }
            task.estimate.duration_ms = Some(1 + next(10_000));
            tasks.push(task);
        }
        Plan {
            title: "random".into(),
            tasks,
            ..Plan::default()
        }
    }

    #[test]
    fn schedules_keep_their_exact_ends_and_bounds() {
        for seed in 1..=60 {
            let plan = random_plan(seed, 5 + seed as usize * 2);
            let alone = simulate(&plan, 1, false).unwrap();
            assert_eq!(
                alone.makespan_ms, alone.total_work_ms,
                "seed {seed}: one worker"
            );
            let unlimited = simulate(&plan, 10_000, false).unwrap();
            assert_eq!(
                unlimited.makespan_ms, unlimited.critical_path_ms,
                "seed {seed}: unlimited"
            );
            for workers in [2, 3, 4, 8, 16] {
                let schedule = simulate(&plan, workers, false).unwrap();
                let (path, work, k) = (
                    schedule.critical_path_ms,
                    schedule.total_work_ms,
                    u64::from(workers),
                );
                assert!(
                    schedule.makespan_ms * k <= path * k + (work - path),
                    "seed {seed}: {} > CP + (W - CP)/k with CP {path}, W {work}, k {k}",
                    schedule.makespan_ms
                );
                assert!(
                    schedule.makespan_ms >= schedule.lower_bound_ms,
                    "seed {seed}"
                );
            }
        }
    }

    #[test]
    fn barriers_are_reported_beside_the_schedule() {
        // a(1) ── c(9)      Without barriers 10, with: level one ends at 5, then 9.
        // b(5) ── d(1)
        let mut plan = Plan {
            title: "t".into(),
            ..Plan::default()
        };
        for (name, on, seconds) in [
            ("a", None, 1),
            ("b", None, 5),
            ("c", Some("a"), 9),
            ("d", Some("b"), 1),
        ] {
            let mut task = TaskSpec::command(TaskId::new(name).unwrap(), &["true"]);
            task.dependencies
                .extend(on.map(|on| TaskId::new(on).unwrap()));
            task.estimate.duration_ms = Some(seconds * 1_000);
            plan.tasks.push(task);
        }
        let schedule = simulate(&plan, 2, false).unwrap();
        assert_eq!(schedule.makespan_ms, 10_000);
        assert_eq!(schedule.barriers.makespan_ms, 14_000);
        assert_eq!(schedule.barriers.cost_ms, 4_000);
        assert_eq!(schedule.critical_path, ["a", "c"]);
        let staged = simulate(&plan, 2, true).unwrap();
        assert_eq!(staged.makespan_ms, 14_000);
        assert!(staged.barriers.in_force);
    }

    #[test]
    fn a_task_that_plans_takes_its_estimate_and_yields_nothing() {
        // p(3) ── z(2)
        let mut plan = random_plan(1, 2);
        plan.tasks[0].kind = TaskKind::Plan;
        plan.tasks[0].estimate.duration_ms = Some(3_000);
        plan.tasks[1].estimate.duration_ms = Some(2_000);
        plan.tasks[1].dependencies = vec![plan.tasks[0].id.clone()];
        let schedule = simulate(&plan, 4, false).unwrap();
        assert_eq!(schedule.makespan_ms, 5_000);
        assert_eq!((schedule.tasks, schedule.tasks_that_plan), (2, 1));
    }

    #[test]
    fn what_people_do_takes_no_worker() {
        // w(2) beside p(3), e(1) and, after p, an approval a(4): one worker is enough for all.
        let task = |name: &str, seconds: u64| {
            let mut task = TaskSpec::command(TaskId::new(name).unwrap(), &["true"]);
            task.estimate.duration_ms = Some(seconds * 1_000);
            task
        };
        let (mut p, mut e, mut a) = (task("p", 3), task("e", 1), task("a", 4));
        p.work = Work::Handoff;
        p.agent = Some(AGENT_PERSON.to_owned());
        e.work = Work::Nothing;
        e.kind = TaskKind::External;
        a.work = Work::Nothing;
        a.kind = TaskKind::Approval;
        a.dependencies = vec![p.id.clone()];
        let plan = Plan {
            title: "people".into(),
            tasks: vec![task("w", 2), p, e, a],
            ..Plan::default()
        };
        let schedule = simulate(&plan, 1, false).unwrap();
        assert_eq!(schedule.makespan_ms, 7_000);
        assert_eq!(schedule.lower_bound_ms, 7_000);
        assert_eq!(schedule.total_work_ms, 2_000);
        assert!(schedule.utilization < 0.3, "{}", schedule.utilization);
    }

    #[test]
    fn a_hundred_thousand_tasks_of_the_longest_estimate_add_up_exactly() {
        let longest_ms = divisi_pack::plan_file::ESTIMATE_MINUTES_MAX * 60_000;
        let mut plan = random_plan(3, 100_000);
        for task in &mut plan.tasks {
            task.estimate.duration_ms = Some(longest_ms);
        }
        let total_ms = longest_ms
            .checked_mul(100_000)
            .expect("it fits into 64 bits");
        let alone = simulate(&plan, 1, false).unwrap();
        assert_eq!(
            (alone.makespan_ms, alone.total_work_ms),
            (total_ms, total_ms)
        );
        assert_eq!(alone.barriers.makespan_ms, total_ms);
        let unlimited = simulate(&plan, 100_000, false).unwrap();
        assert_eq!(unlimited.makespan_ms, unlimited.critical_path_ms);
        assert_eq!(unlimited.critical_path_ms % longest_ms, 0);
    }

    #[test]
    fn durations_beyond_all_counting_are_played_without_a_fault() {
        let mut plan = random_plan(5, 40);
        for task in &mut plan.tasks {
            task.estimate.duration_ms = Some(u64::MAX - 7);
        }
        let schedule = simulate(&plan, 2, false).unwrap();
        assert_eq!(schedule.total_work_ms, u64::MAX);
        assert_eq!(schedule.makespan_ms, u64::MAX);
    }

    #[test]
    fn a_hundred_thousand_tasks_are_played_to_the_end() {
        let schedule = simulate(&random_plan(7, 100_000), 1_000, false).unwrap();
        assert_eq!(schedule.tasks, 100_000);
        assert!(schedule.makespan_ms >= schedule.lower_bound_ms);
    }
}
