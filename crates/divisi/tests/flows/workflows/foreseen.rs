//! What a run is expected to do and take: before it, beside what it took, and after it was learned
//! from.

use divisi_core::receipt::Receipt;
use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use super::team::{latest, play};
use crate::stage::{Stage, write};

fn stories() -> Stage {
    Stage::git(&[("stories/S1.md", "One.\n"), ("stories/S2.md", "Two.\n")])
}

fn foreseen(stage: &Stage, args: &[&str]) -> Value {
    let all = [&["run"], args, &["--dry-run", "--json"]].concat();
    let ran = stage.divisi(&all).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_dry_run_starts_nothing_and_says_who_is_given_what() {
    let stage = stories();
    let args = ["run", "user-story-refinement", "--dry-run"];
    let ran = stage.divisi(&args).expect(0);
    let ran = ran
        .says("user-story-refinement: 5 iterations, 10 tasks foreseen")
        .says("on main (")
        .says("technical-design, after requirements-analysis")
        .says("2 targets: stories/S1/requirements.md, stories/S2/requirements.md")
        .says("10 points, 10000 of 50000 tokens (20 %), risk low")
        .says("estimate: 26-39 minutes, 32000 tokens on 4 workers, at most 2 at once")
        .says("a point takes 1000 tokens and 1 min; this project's history says nothing");
    assert!(
        !ran.stdout.contains("You are the Developer"),
        "{}",
        ran.stdout
    );
    stage
        .divisi(&[&args[..], &["--prompts"]].concat())
        .expect(0)
        .says("You are the Developer.")
        .says("# Context of `technical-design`");
    assert!(stage.try_view().is_none(), "nothing was run");
}

#[test]
fn the_document_has_tasks_figures_and_both_forms_of_the_estimate() {
    let stage = stories();
    let document = foreseen(&stage, &["user-story-refinement", "--prompts"]);
    let request = &document["estimate"];
    assert_eq!(request["total_subtasks"], 10);
    assert_eq!(request["total_estimated_duration"], "26-39 minutes");
    assert_eq!(request["total_estimated_tokens"], 32_000);
    assert_eq!(request["parallelization_possible"], true);
    let plan = &document["resource_estimate"];
    assert_eq!(
        (&plan["duration_estimate"], &plan["token_estimate"]),
        (&json!("26-39 minutes"), &json!(32_000))
    );
    let first = &document["iterations"][0]["tasks"][0];
    assert_eq!(first["share"]["risk"], "low");
    assert_eq!(first["share"]["points"], 6);
    assert!(first["prompt"].as_str().unwrap().contains("stories/S2.md"));
}

/// Three stories in the roles' words: 69 %, 84 % and 95 % of a budget, and one beyond.
#[test]
fn the_nearer_to_a_budget_the_higher_the_risk() {
    let workflow = |points: u32| {
        format!(
            "workflow: {{name: w, iterations: [{{name: i, agents: [{{role: writer, \
             targets: ['stories/*.md'], deliverables: ['out/{{story_id}}.md'], \
             complexity_per_target: {points}}}]}}]}}\n\
             agent_roles: {{writer: {{perspective: P, token_budget: 100000}}}}\n"
        )
    };
    let stage = stories();
    for (points, risk, splits) in [
        (34, "low", false),
        (42, "medium", false),
        (47, "high", true),
    ] {
        write(stage.path("workflows/w.yaml"), &workflow(points));
        let document = foreseen(&stage, &["w"]);
        let share = &document["iterations"][0]["tasks"][0]["share"];
        assert_eq!(
            (&share["risk"], &share["suggests_split"]),
            (&json!(risk), &json!(splits))
        );
    }
    // Two stories are too much for one agent, one is not.
    write(stage.path("workflows/w.yaml"), &workflow(51));
    let document = foreseen(&stage, &["w"]);
    let tasks = document["iterations"][0]["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 3, "two agents and a review");
    write(stage.path("workflows/w.yaml"), &workflow(101));
    stage
        .divisi(&["run", "w", "--dry-run"])
        .expect(2)
        .says("workflow-budget");
}

#[test]
fn what_cannot_be_foreseen_is_said_to_be_unknown() {
    let stage = stories();
    let workflow = "workflow: {name: w, iterations: [\
        {name: find, agents: [{name: look, command: ['true'], deliverables: ['list.txt']}]}, \
        {name: mend, dependencies: [find], agents: [{role: developer, \
         targets: ['faults/*.md'], deliverables: ['mended/{fault_id}.md']}]}]}\n";
    write(stage.path("workflows/w.yaml"), workflow);
    stage
        .divisi(&["run", "w", "--dry-run"])
        .expect(0)
        .says("not known yet")
        .says("no file matches `faults/*.md`")
        .says("estimate: unknown, since not all iterations can be foreseen");
    let document = foreseen(&stage, &["w"]);
    assert_eq!(document["iterations"][1]["foreseen"], false);
    assert_eq!(document["estimate"], Value::Null);
}

#[test]
fn a_plan_files_estimate_is_printed_without_running_it() {
    let stage = Stage::git(&[("x", "1\n")]);
    let task = |id: &str, range: &str, on: &[&str]| {
        json!({"subtask_id": id, "title": id, "command": ["false"], "dependencies": on,
               "estimated_duration_minutes": range, "estimated_tokens": 5_000})
    };
    // The described example: design, two implementations, tests, audit, documentation.
    let plan = stage.plan(&json!({"task_title": "Add authentication", "subtasks": [
        task("design", "10-15", &[]),
        task("backend", "20-30", &["design"]),
        task("frontend", "20-30", &["design"]),
        task("tests", "15-20", &["backend", "frontend"]),
        task("audit", "10-15", &["tests"]),
        task("documentation", "10", &["audit"]),
    ]}));
    stage
        .divisi(&["run", &plan, "--dry-run"])
        .expect(0)
        .says("estimate: 65-90 minutes, 30000 tokens");
    let document = foreseen(&stage, &[&plan]);
    assert_eq!(
        document["estimate"]["total_estimated_duration"],
        "65-90 minutes"
    );
    assert!(stage.try_view().is_none(), "nothing was run");
}

#[test]
fn a_second_run_expects_what_the_first_one_took() {
    let stage = stories();
    let workflow = "workflow: {name: w, iterations: [{name: i, agents: [{role: developer, \
        targets: ['stories/*.md'], deliverables: ['out/{story_id}.md'], \
        complexity_per_target: 5}]}]}\n";
    write(stage.path("workflows/w.yaml"), workflow);
    let before = foreseen(&stage, &["w"]);
    assert_eq!(
        before["estimate"]["total_estimated_duration"],
        "10-15 minutes"
    );
    play(&stage, &["w"]).ran.expect(0);
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let ran = stage.divisi(&["report", "1", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    // Beside what it took stands what was expected, in both forms.
    assert_eq!(report["expected"]["duration"], "10-15 minutes");
    assert_eq!(
        report["expected"]["estimate"]["total_estimated_tokens"],
        10_000
    );
    assert_eq!(
        report["expected"]["resource_estimate"]["token_estimate"],
        10_000
    );
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("expected from start to end 10-15 minutes on 4 workers, took ")
        .says("10000 tokens expected");
    // The team are people: the report counts their time as nobody's work, and yet it is what is
    // to be expected of them.
    let receipts = crate::stage::endings(&run, "i.developer.1")
        .iter()
        .flat_map(|ending| &ending.receipts);
    let took = receipts.map(|receipt| match receipt {
        Receipt::Submitted { wall_ms, .. } => *wall_ms,
        _ => 0,
    });
    let took_ms: u64 = took.sum();
    let after = foreseen(&stage, &["w"]);
    let rate = &after["calibration"]["roles"]["developer"]["ms_per_point"];
    assert_eq!(rate.as_u64(), Some((took_ms / 10).max(1)));
    let expected = &after["iterations"][0]["tasks"][0]["estimate"]["duration_ms"];
    assert_eq!(expected.as_u64(), Some((took_ms / 10).max(1) * 10));
    // The run itself is given it, not only the forecast.
    stage.divisi(&["run", "w", "--yes"]).expect(4);
    let second = latest(&stage);
    let task = crate::stage::task(&second, "i.developer.1");
    assert_eq!(task.spec.estimate.duration_ms, expected.as_u64());
}
