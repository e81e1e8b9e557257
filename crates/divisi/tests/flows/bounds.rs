//! What a run may use, and in what order: budgets, limits, barriers, time boxes, retries.

use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::{AttemptEnd, Event, PauseReason, RunStatus, StopReason};
use divisi_core::{AttemptId, Time};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands, task, write};

#[test]
fn a_budget_of_attempts_pauses_the_run_when_it_is_used_up() {
    let stage = Stage::git(&[("x", "1\n")]);
    let chain =
        |id: &str, on: &[&str]| json!({"subtask_id": id, "command": ["true"], "dependencies": on});
    let plan = json!({"task_title": "a budget", "subtasks": [
        chain("a", &[]), chain("b", &["a"]), chain("c", &["b"]),
    ]});
    stage
        .run(&plan, &["--budget", "2-attempts"])
        .expect(3)
        .says("divisi resume run-1 --budget N-attempts");
    let run = stage.only();
    assert!(
        matches!(run.paused, Some(PauseReason::Budget(_))),
        "{:?}",
        run.paused
    );
    assert_eq!(task(&run, "c").attempts(), 0);
    stands(
        &run,
        RunStatus::Running,
        &[("a", "done"), ("b", "done"), ("c", "ready")],
    );
    stage.divisi(&["resume", "1"]).expect(3);
    assert_eq!(
        task(&stage.only(), "c").attempts(),
        0,
        "resuming adds nothing to the budget"
    );
    for args in [
        vec!["status", "1"],
        vec!["explain", "1"],
        vec!["explain", "1", "c"],
        vec!["show", "1"],
    ] {
        stage
            .divisi(&args)
            .expect(0)
            .says("divisi resume run-1 --budget N-attempts");
    }
    stage
        .divisi(&["resume", "1", "--budget", "1-attempts"])
        .expect(6)
        .says("budget-taken");
    stage
        .divisi(&["resume", "1", "--budget", "3-attempts"])
        .expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("a", "done"), ("b", "done"), ("c", "done")],
    );
    stage
        .divisi(&["show", "1"])
        .expect(0)
        .says("3 attempts, 3 used or reserved");
    stage
        .divisi(&["resume", "1", "--budget", "9-attempts"])
        .expect(6)
        .says("run-ended");
}

#[test]
fn a_time_budget_below_a_time_box_starts_an_attempt_and_ends_it_at_what_is_left() {
    let stage = Stage::git(&[("x", "1\n")]);
    let go = stage.beside("go").display().to_string();
    let slow = format!("test -e {go} || sleep 100000");
    let plan = json!({"task_title": "a little time", "subtasks": [
        {"subtask_id": "slow", "script": slow, "retries": 0},
    ]});
    // It may take thirty minutes, and all attempts together a bit more than a second.
    stage
        .run(&plan, &["--budget", "0.02min"])
        .expect(3)
        .says("divisi resume run-1 --budget Nmin");
    let run = stage.only();
    stands(&run, RunStatus::Running, &[("slow", "ready")]);
    let ends: Vec<&AttemptEnd> = endings(&run, "slow").iter().map(|one| &one.end).collect();
    assert_eq!(ends, [&AttemptEnd::Stopped(StopReason::OverBudget(1_200))]);
    assert_eq!(task(&run, "slow").failures, 0, "it is not its failure");
    stage
        .divisi(&["show", "1", "slow"])
        .expect(0)
        .says("past what its budget left for it: 1.200 s");
    // With more time, and what it waited for, it is done.
    write(&go, "");
    stage
        .divisi(&["resume", "1", "--budget", "90min"])
        .expect(0);
    let leases: Vec<Option<u64>> = stage
        .timed_events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            Event::AttemptLeased { timeout_ms, .. } => Some(timeout_ms),
            _ => None,
        })
        .collect();
    assert_eq!(leases, [Some(1_200), None], "then its own box holds");
}

#[test]
fn a_run_without_a_budget_is_not_bounded_afterwards() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "no budget", "subtasks": [
        {"subtask_id": "a", "command": ["false"], "retries": 0},
    ]});
    stage.run(&plan, &[]).expect(3);
    stage
        .divisi(&["resume", "1", "--budget", "9-attempts"])
        .expect(6)
        .says("budget-none");
}

/// When each task was leased and when it ended, from the events.
fn spans(stage: &Stage) -> Vec<(AttemptId, Time, Time)> {
    let run = stage.only();
    let mut spans = Vec::new();
    for (no, task) in run.tasks().iter().enumerate() {
        for ending in &task.endings {
            let no = divisi_core::TaskNo(u32::try_from(no).unwrap());
            spans.push((
                run.attempt_id(no, ending.number),
                ending.leased_at,
                ending.ended_at,
            ));
        }
    }
    spans
}

/// The most attempts that were live at one moment, by the order of events.
fn most_at_once(stage: &Stage, counts: impl Fn(&str) -> bool) -> usize {
    let run = stage.only();
    let counted = |attempt: &AttemptId| counts(run.task(attempt.task).unwrap().spec.id.as_str());
    let (mut live, mut most) = (0usize, 0);
    for (_, event) in stage.timed_events() {
        match &event {
            Event::AttemptLeased { attempt, .. } if counted(attempt) => live += 1,
            Event::AttemptAdvanced { attempt, receipts } if counted(attempt) => {
                let ended = receipts
                    .iter()
                    .any(|r| matches!(r, Receipt::Submitted { .. }));
                live -= usize::from(ended);
            }
            _ => {}
        }
        most = most.max(live);
    }
    most
}

fn many(role: Option<&str>) -> Value {
    let names = ["a", "b", "c", "d", "e", "f"];
    let one = |id: &&str| {
        let mut task = json!({"subtask_id": id, "script": "sleep 0.05"});
        if let Some(role) = role {
            task["assigned_to"] = json!(role);
        }
        task
    };
    json!({"task_title": "many", "subtasks": names.iter().map(one).collect::<Vec<_>>()})
}

#[test]
fn no_more_run_at_once_than_slots_and_limits_allow() {
    for (role, args, expected) in [
        (None, vec!["-j", "6"], 6),
        (None, vec!["-j", "2"], 2),
        (None, vec!["-j", "6", "--limit", "command=3"], 3),
        (
            Some("security"),
            vec!["-j", "6", "--limit", "security=1"],
            1,
        ),
    ] {
        let stage = Stage::git(&[("x", "1\n")]);
        stage.run(&many(role), &args).expect(0);
        assert_eq!(most_at_once(&stage, |_| true), expected, "{args:?}");
        assert_eq!(spans(&stage).len(), 6);
    }
}

/// ```text
/// a ── b        (a slow sibling of `a` keeps the first stage open)
/// slow
/// ```
fn uneven(stage: &Stage) -> Value {
    std::fs::create_dir_all(stage.beside("gate")).unwrap();
    let gate = stage.beside("gate/open").display().to_string();
    let slow = format!("until test -e {gate}; do sleep 0.01; done");
    json!({"task_title": "uneven", "subtasks": [
        {"subtask_id": "slow", "script": slow},
        {"subtask_id": "a", "command": ["true"]},
        {"subtask_id": "b", "command": ["touch", gate], "dependencies": ["a"]},
    ]})
}

/// Without barriers `b` opens the gate that `slow` waits for. With them `b` comes after it, so the
/// gate has to stand open.
fn open_gate(stage: &Stage) {
    std::fs::write(stage.beside("gate/open"), "").unwrap();
}

#[test]
fn with_barriers_a_stage_starts_when_the_one_before_is_complete() {
    let order = |args: &[&str]| {
        let stage = Stage::git(&[("x", "1\n")]);
        let plan = uneven(&stage);
        if args.contains(&"--barriers") {
            open_gate(&stage);
        }
        let gate = stage.beside("gate").display().to_string();
        let args = [args, &["--allow-write", &gate]].concat();
        stage.run(&plan, &args).expect(0);
        let run = stage.only();
        let (slow, b) = (&endings(&run, "slow")[0], &endings(&run, "b")[0]);
        slow.ended_at <= b.leased_at
    };
    assert!(order(&["--barriers"]));
    assert!(
        !order(&[]),
        "without barriers nothing waits for a sibling's sibling"
    );
}

#[test]
fn stages_of_the_plan_are_barriers() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = uneven(&stage);
    plan["execution_plan"] = json!({"stage_1": ["slow", "a"], "stage_2": ["b"]});
    open_gate(&stage);
    let gate = stage.beside("gate").display().to_string();
    stage.run(&plan, &["--allow-write", &gate]).expect(0);
    let run = stage.only();
    assert!(endings(&run, "slow")[0].ended_at <= endings(&run, "b")[0].leased_at);
}

#[test]
fn retries_exits_and_variables_are_the_tasks_own() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("AMBIENT", "no");
    let plan = json!({"task_title": "own", "subtasks": [
        {"subtask_id": "once", "command": ["false"], "retries": 0},
        {"subtask_id": "five", "command": ["false"], "retries": 4},
        {"subtask_id": "three-is-good", "script": "exit 3", "ok_exit": [0, 3]},
        {"subtask_id": "three-is-bad", "script": "exit 3", "retries": 0},
        {"subtask_id": "told", "script": "test \"$COLOR\" = blue; test -z \"${AMBIENT-}\"", "env": {"COLOR": "blue"}},
    ]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[
            ("once", "blocked"),
            ("five", "blocked"),
            ("three-is-good", "done"),
            ("three-is-bad", "blocked"),
            ("told", "done"),
        ],
    );
    assert_eq!(
        (endings(&run, "once").len(), endings(&run, "five").len()),
        (1, 5)
    );
    let exit = endings(&run, "three-is-bad")[0]
        .receipts
        .iter()
        .find_map(|receipt| match receipt {
            Receipt::Submitted { exit, .. } => Some(exit.clone()),
            _ => None,
        });
    assert_eq!(exit, Some(Exit::Status(3)));
}

#[test]
fn past_its_time_box_an_attempt_is_overdue() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "slow", "subtasks": [
        {"subtask_id": "slow", "script": "sleep 100000", "timeout_minutes": 0.005, "retries": 1},
    ]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    let ends: Vec<&AttemptEnd> = endings(&run, "slow")
        .iter()
        .map(|ending| &ending.end)
        .collect();
    assert_eq!(ends, [&AttemptEnd::Stopped(StopReason::Overdue); 2]);
    stage
        .divisi(&["show", "1", "slow"])
        .expect(0)
        .says("time box");
}

#[test]
fn a_check_past_its_time_box_fails_and_is_ended() {
    let stage = Stage::git(&[("x", "1\n")]);
    // No other run of this test has the same one.
    let long = format!("100000.{}", std::process::id());
    let plan = json!({"task_title": "slow check", "subtasks": [
        {"subtask_id": "a", "script": "echo x > a.md", "deliverables": ["a.md"], "retries": 0,
         "criteria": [{"command": ["sleep", long], "timeout_minutes": 0.005}]},
    ]});
    stage.run(&plan, &[]).expect(3);
    assert_eq!(crate::stage::with_argument(&long), [] as [i32; 0]);
    assert_eq!(stage.jobs(), [] as [i32; 0]);
}

#[test]
fn another_agent_takes_over_after_two_failures() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "taken over", "subtasks": [
        {"subtask_id": "a", "script": "{\"attempts\": [[{\"exit\": 1}]]}", "agent": "scripted",
         "agents_else": ["person"], "deliverables": ["a.md"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi submit run-1 a");
    let run = stage.only();
    assert_eq!(endings(&run, "a").len(), 2);
    assert_eq!(task(&run, "a").live().unwrap().agent, "person");
    write(stage.beside("a.md"), "by hand\n");
    let file = stage.beside("a.md").display().to_string();
    stage.divisi(&["submit", "1", "a", &file]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stage.divisi(&["show", "1", "a"]).expect(0).says("scripted");
}

#[test]
fn a_usage_limit_is_no_failure_and_the_next_attempt_waits_as_long_as_it_says() {
    let stage = Stage::git(&[("x", "1\n")]);
    let script = json!({"attempts": [
        [{"limit": {"wait_ms": 1500}}],
        [{"write": {"path": "a.md", "text": "whole"}}],
    ]});
    let plan = json!({"task_title": "limited", "subtasks": [
        {"subtask_id": "a", "agent": "scripted", "script": script.to_string(), "retries": 0,
         "deliverables": ["a.md"]},
    ]});
    let ran = stage.run(&plan, &[]).expect(0);
    ran.says("usage limit: scripted usage limit (until ")
        .says("it is tried again in 1.5 s");
    let run = stage.only();
    let [limited, done] = endings(&run, "a") else {
        panic!("two attempts: {:?}", endings(&run, "a"));
    };
    let told = AttemptEnd::Limited {
        cause: "scripted usage limit".to_owned(),
        wait_ms: Some(1_500),
        ends_at: Some(limited.ended_at.plus_ms(1_500)),
    };
    assert_eq!(limited.end, told);
    assert_eq!(done.end, AttemptEnd::Integrated);
    let a = task(&run, "a");
    assert_eq!((a.failures, a.limits), (0, 1));
    assert!(done.leased_at.ms_since(limited.ended_at) >= 1_500);
    assert_eq!(stage.result("a.md").as_deref(), Some("whole"));
}

/// Tasks of the scripted agent, the first of which meets a usage limit for a day at its first try;
/// the second waits for a gate, too.
fn limited_plan(gate: &str) -> Value {
    let met = json!({"attempts": [
        [{"limit": {"wait_ms": 86_400_000}}],
        [{"write": {"path": "a.md", "text": "whole"}}],
    ]});
    let done = json!({"attempts": [[{"write": {"path": "b.md", "text": "whole"}}]]});
    json!({"task_title": "limited", "subtasks": [
        {"subtask_id": "a", "agent": "scripted", "script": met.to_string(), "deliverables": ["a.md"]},
        {"subtask_id": "b", "agent": "scripted", "script": done.to_string(), "deliverables": ["b.md"],
         "dependencies": ["c"]},
        {"subtask_id": "c", "script": format!("until test -e {gate}; do sleep 0.05; done")},
    ]})
}

#[test]
fn a_usage_limit_holds_all_tasks_of_its_agent_back_and_is_shown_and_ended_by_hand() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("gate");
    let running = stage.start_plan(&limited_plan(&gate.display().to_string()), &[]);
    stage.until_event(
        "a met a limit",
        |event| matches!(event, Event::AttemptEnded { attempt, .. } if attempt.task.0 == 0),
    );
    write(gate, "");
    stage.until_event(
        "c is done",
        |event| matches!(event, Event::AttemptAdvanced { attempt, .. } if attempt.task.0 == 2),
    );
    let limit = "scripted met a usage limit and is not used before ";
    for task in ["a", "b"] {
        let told = stage.divisi(&["explain", "run-1", task]).expect(0);
        told.says(&format!("{task} is ready"))
            .says(limit)
            .says("it was told: scripted usage limit")
            .says("divisi agents resume scripted");
    }
    stage.divisi(&["status", "run-1"]).expect(0).says(limit);
    stage.divisi(&["show", "run-1", "a"]).expect(0).says(limit);
    stage
        .divisi(&["agents", "resume", "claude"])
        .expect(6)
        .says("agent-not-limited");
    stage.divisi(&["agents", "resume", "scripted"]).expect(0);
    running.wait().expect(0);
    let run = stage.only();
    let done = [("a", "done"), ("b", "done"), ("c", "done")];
    stands(&run, RunStatus::Succeeded, &done);
    assert_eq!(endings(&run, "b").len(), 1, "it was not tried in vain");
    stage
        .divisi(&["agents", "resume", "nobody"])
        .expect(7)
        .says("agent-unknown");
}

#[test]
fn a_run_that_would_wait_for_too_long_pauses_and_says_how_to_go_on() {
    let stage = Stage::git(&[("x", "1\n")]);
    write(
        stage.path("divisi.yaml"),
        "limits:\n  wait_max_minutes: 60\n",
    );
    stage
        .run(&limited_plan("/"), &[])
        .expect(3)
        .says("divisi agents resume scripted && divisi resume run-1");
    let run = stage.only();
    assert!(matches!(run.paused, Some(PauseReason::UsageLimit { .. })));
    // Going on changes nothing while it lasts.
    stage.divisi(&["resume", "run-1"]).expect(3);
    assert_eq!(endings(&stage.only(), "a").len(), 1);
    stage.divisi(&["agents", "resume", "scripted"]).expect(0);
    stage.divisi(&["resume", "run-1"]).expect(0);
    assert_eq!(stage.result("b.md").as_deref(), Some("whole"));
}

#[test]
fn a_task_with_more_to_tell_than_can_be_told_is_a_persons_affair_at_once() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "endless", "subtasks": [
        {"subtask_id": "a", "command": ["true"], "description": "x".repeat(300_000), "deliverables": ["a"]},
        {"subtask_id": "b", "command": ["true"]},
    ]});
    stage.run(&plan, &[]).expect(3).says("are handed on");
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "blocked"), ("b", "done")]);
    assert_eq!(endings(&run, "a").len(), 1, "trying again changes nothing");
}
