//! From an intent to a report: an agent plans, is told what is wrong, plans again; its plan is
//! approved, done side by side, integrated, and judged as a whole.

use divisi_core::run::{AttemptEnd, Failure, RunStatus};

use crate::model::Model;
use crate::plans::{GOOD, INTENT, PARTIAL};
use crate::script::writes;
use crate::stage::{endings, stands};
use crate::tool::{ACP, TOOLS, stage};

fn planned_and_done(tool: &str) {
    let plan = "divisi-plan.json";
    let made = |words: &[&str], path, text| writes(words, &[(path, text)], "It is written.");
    let model = Model::start(vec![
        made(&["TASK-limit"], "limit.txt", "ten"),
        made(&["TASK-docs"], "limits.md", "# Limits\n\nAt most ten."),
        made(&["Make a plan", "lint-uncovered"], plan, GOOD),
        made(&["Make a plan"], plan, PARTIAL),
    ]);
    let stage = stage(tool, &model);
    let args = ["run", INTENT, "--planner", "agent", "--agent", tool];
    stage.divisi(&args).expect(4);
    stage.divisi(&["approve", "1"]).expect(0);
    let ran = stage.divisi(&["resume", "1"]);
    let run = stage.only();
    let log = || {
        let planner = stage.divisi(&["logs", "run-1", "plan"]).stdout;
        format!("{}\n{planner}\n{:#?}", ran.stderr, model.seen())
    };
    assert_eq!(run.status(), RunStatus::AwaitingApproval, "{}", log());
    let [first, second] = endings(&run, "plan") else {
        panic!("two attempts planned: {}", log());
    };
    let told = match &first.end {
        AttemptEnd::Refused(Failure::Plan(faults)) => faults.join("\n"),
        other => panic!("the first plan is refused: {other:?}, {}", log()),
    };
    assert!(told.contains("divisi-plan.json:"), "{told}");
    assert_eq!(second.end, AttemptEnd::Expanded);
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("plan", "split"), ("limit", "done"), ("docs", "done")],
    );
    assert_eq!(stage.result("limit.txt").as_deref(), Some("ten\n"));
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("planned by an agent, as its first task")
        .says("2 of 2 criteria of the whole pass");
}

#[test]
fn claude_plans_an_intent_and_does_it() {
    planned_and_done(TOOLS[0]);
}

#[test]
fn codex_plans_an_intent_and_does_it() {
    planned_and_done(TOOLS[1]);
}

#[test]
fn claude_plans_an_intent_over_acp_and_does_it() {
    planned_and_done(ACP[0]);
}

#[test]
fn opencode_plans_an_intent_over_acp_and_does_it() {
    planned_and_done(ACP[1]);
}

#[test]
fn opencode_plans_an_intent_and_does_it() {
    planned_and_done(TOOLS[2]);
}
