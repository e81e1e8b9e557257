//! What would be several workflows, which do not run yet: a plan of the parts that the request names,
//! or one task, and the report says which.

use divisi_core::run::{Run, RunStatus};

use crate::found::working;
use crate::stage::{Stage, stands};

/// A project in which an agent is that makes a file of each task, which a person judges.
fn with_worker() -> Stage {
    let stage = Stage::git(&[("src/main.py", "print(1)\n")]);
    let path = working(&stage, "mkdir -p src\ndate +%s%N > src/$$.py");
    let stage = stage.with_env("PATH", &path);
    stage.with_env("DIVISI_REVIEW_AGENTS", "person")
}

/// Carries a request out whose tasks somebody has to look at, and then the whole, unless that is the only
/// task's work, which was looked at.
fn done(stage: &Stage, request: &str, tasks: &[&str]) -> Run {
    stage
        .divisi(&["run", request, "--planner", "rule", "--yes"])
        .expect(9);
    let is_whole = tasks.len() == 1;
    for task in tasks {
        stage
            .divisi(&["approve", "1", task, "--note", "looked at"])
            .expect(0);
        let code = if is_whole { 0 } else { 9 };
        stage.divisi(&["resume", "1"]).expect(code);
    }
    if !is_whole {
        stage
            .divisi(&["approve", "1", "--note", "looked at"])
            .expect(0);
    }
    let run = stage.only();
    let tasks = tasks.iter().map(|task| (*task, "done"));
    let tasks: Vec<(&str, &str)> = tasks.collect();
    stands(&run, RunStatus::Succeeded, &tasks);
    run
}

#[test]
fn a_pack_whose_halves_are_named_is_executed_as_a_plan_and_the_report_says_so() {
    let stage = with_worker();
    let run = done(
        &stage,
        "Create a chatbot and a nightly job that exports its questions",
        &["chatbot", "nightly-job-that-exports-questions"],
    );
    let kept = &run.intent.as_deref().expect("it was asked for").assessment;
    assert_eq!((&*kept.approach, &*kept.executed_as), ("pack", "plan"));
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("assessed as **pack**")
        .says("executed as: plan")
        .says("do not run yet");
}

#[test]
fn a_pack_whose_halves_nothing_tells_apart_is_executed_as_one_task_and_the_report_says_so() {
    const PACK: &str = "Build high-volume intake flows that are isolated from the admin tooling";
    let stage = with_worker();
    stage
        .divisi(&["assess", PACK])
        .expect(0)
        .says("executed as: direct")
        .says("unless an agent plans it");
    let task = "build-high-volume-intake-flows-that-are";
    let run = done(&stage, PACK, &[task]);
    let kept = &run.intent.as_deref().expect("it was asked for").assessment;
    assert_eq!((&*kept.approach, &*kept.executed_as), ("pack", "direct"));
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("assessed as **pack**")
        .says("executed as: direct")
        .says("It is one task all the same");
}
