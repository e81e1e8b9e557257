//! Plan tasks: an agent writes a plan, and its tasks take the plan task's place.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Event, Failure, Run, RunStatus};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands, task, write};

/// A scripted agent that writes these plans, one an attempt; the last one again and again.
fn planner(id: &str, plans: &[&str]) -> Value {
    let attempts: Vec<Value> = plans
        .iter()
        .map(|text| json!([{"write": {"path": "plan.json", "text": text}}]))
        .collect();
    json!({"subtask_id": id, "kind": "plan", "agent": "scripted", "deliverables": ["plan.json"],
           "script": json!({"attempts": attempts}).to_string()})
}

/// ```text
/// before ── plan ── after
/// ```
fn around(mut plan: Value) -> Value {
    plan["dependencies"] = json!(["before"]);
    json!({"task_title": "planned on the way", "subtasks": [
        {"subtask_id": "before", "script": "echo one > before.md", "deliverables": ["before.md"]},
        plan,
        {"subtask_id": "after", "script": "cat *.md > all", "deliverables": ["all"], "dependencies": ["plan"]},
    ]})
}

const SOUND: &str = r#"[
  {"subtask_id": "x", "script": "echo $(cat before.md) two > x.md", "deliverables": ["x.md"]},
  {"subtask_id": "y", "script": "echo $(cat x.md) three > y.md", "deliverables": ["y.md"], "inputs": ["x"]}
]"#;

fn faults<'a>(run: &'a Run, name: &str, attempt: usize) -> &'a [String] {
    match &endings(run, name)[attempt].end {
        AttemptEnd::Refused(Failure::Plan(faults)) => faults,
        other => panic!("attempt {attempt} ended {other:?}"),
    }
}

#[test]
fn what_an_agent_planned_is_done_in_the_plans_place() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = around(planner("plan", &[SOUND]));
    stage.run(&plan, &[]).expect(0).says("plan planned 2 tasks");
    let run = stage.only();
    let tasks = [
        ("before", "done"),
        ("plan", "split"),
        ("after", "done"),
        ("x", "done"),
        ("y", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    let [ending] = endings(&run, "plan") else {
        panic!("one attempt planned");
    };
    assert_eq!(ending.end, AttemptEnd::Expanded);
    let [
        Receipt::Submitted { .. },
        Receipt::Collected {
            snapshot: Some(snapshot),
            artifacts,
            ..
        },
        Receipt::Verified { .. },
        Receipt::Expanded { from, tasks, .. },
    ] = &ending.receipts[..]
    else {
        panic!("four steps: {:?}", ending.receipts);
    };
    assert_eq!((from.as_ref(), *tasks), (Some(&snapshot.commit), 2));
    assert_eq!(artifacts[0].path, "plan.json");
    assert_eq!(
        stage.result("all").as_deref(),
        Some("one\none two\none two three\n")
    );
    assert_eq!(stage.result("plan.json"), None, "a plan is no result");
    for (args, words) in [
        (&["show", "1", "plan"][..], "expanded    into 2 tasks, from"),
        (&["explain", "1", "plan"], "2 tasks that it planned stand"),
        (&["watch", "1", "--from-start"], "plan makes place for x, y"),
        (&["status", "1"], "4 of 4 done"),
        (&["report", "1"], "all tasks completed: yes (4 of 4 done)"),
        (&["report", "1"], "the plan was revised once: 4 tasks now\n"),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
}

#[test]
fn a_plan_that_cannot_be_run_is_asked_for_again_with_every_fault_and_its_place() {
    let stage = Stage::git(&[("x", "1\n")]);
    let broken = r#"[{"subtask_id": "x", "command": ["true"], "dependncies": []},
                     {"subtask_id": "y", "command": ["true"], "dependencies": ["nobody"]}]"#;
    let taken = r#"[{"subtask_id": "before", "command": ["true"]}]"#;
    let plan = around(planner("plan", &[broken, taken, SOUND]));
    stage.run(&plan, &[]).expect(0);
    let run = stage.only();
    let [first, second] = faults(&run, "plan", 0) else {
        panic!("two faults: {:?}", faults(&run, "plan", 0));
    };
    assert!(first.contains("plan.json:1:43: "), "{first}");
    assert!(first.contains("did you mean `dependencies`?"), "{first}");
    assert!(second.contains("plan.json:2:80: "), "{second}");
    assert_eq!(
        faults(&run, "plan", 1),
        ["part 1, before: the id is taken by another task of the run"]
    );
    assert_eq!(endings(&run, "plan")[2].end, AttemptEnd::Expanded);
    assert_eq!(run.status(), RunStatus::Succeeded);
    // The next attempt was told so.
    let told = stage.path(".divisi/runs/run-1/handoffs/scripted/to-scripted-subtask-plan@2.json");
    let told: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    let unmet = told["feedback"][0]["unmet"].as_array().unwrap();
    assert_eq!(unmet.len(), 2);
    assert_eq!(unmet[0]["evidence"], json!(first));
    stage
        .divisi(&["show", "1", "plan"])
        .expect(0)
        .says("plan.json:1:43");
}

#[test]
fn an_unusable_plan_ends_at_a_person_and_never_in_a_made_up_plan() {
    let stage = Stage::git(&[("x", "1\n")]);
    let answers = ["Sure! Here is the plan:\n```json\n[]\n```", "[]", "{}"];
    let plan = around(planner("plan", &answers));
    stage
        .run(&plan, &[])
        .expect(3)
        .says("divisi retry run-1 plan");
    let run = stage.only();
    let tasks = [
        ("before", "done"),
        ("plan", "blocked"),
        ("after", "waiting"),
    ];
    stands(&run, RunStatus::Blocked, &tasks);
    assert_eq!(task(&run, "plan").attempts(), 3);
    stage
        .divisi(&["explain", "1", "plan"])
        .expect(0)
        .says("it failed 3 times; the last time what it planned cannot be run: ");
    // Its owner says what is to be done.
    let parts = stage.beside("parts.json");
    write(
        &parts,
        r#"[{"subtask_id": "by-hand", "command": ["true"]}, {"subtask_id": "too", "command": ["true"]}]"#,
    );
    let parts = parts.display().to_string();
    stage.divisi(&["split", "1", "plan", &parts]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
}

#[test]
fn a_program_plans_from_what_is_integrated_by_then() {
    // Files that were not there when the run was started each get a task.
    let stage = Stage::git(&[("x", "1\n")]);
    let script = r#"sep='['; for f in docs/*.md; do n=$(basename $f .md)
printf '%s{"subtask_id": "check-%s", "command": ["grep", "-q", "of %s", "%s"]}' "$sep" $n $n $f; sep=','
done > plan.json; echo ']' >> plan.json"#;
    let make = "mkdir docs; for n in $(seq 1 300); do echo \"page of p$n\" > docs/p$n.md; done";
    let plan = json!({"task_title": "one for each page", "subtasks": [
        {"subtask_id": "make", "script": make, "criteria": [{"count": "docs/*.md", "min": 300}]},
        {"subtask_id": "plan", "kind": "plan", "script": script, "deliverables": ["plan.json"], "dependencies": ["make"]},
        {"subtask_id": "end", "command": ["true"], "dependencies": ["plan"]},
    ]});
    stage.run(&plan, &["-j", "8"]).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.tasks().len(), 303);
    let checks = run.tasks().iter().filter(|task| {
        task.spec.id.as_str().starts_with("check-") && task.status().word() == "done"
    });
    assert_eq!(checks.count(), 300);
    stage
        .divisi(&["watch", "1", "--from-start"])
        .expect(0)
        .says("and 292 more");
}

#[test]
fn a_persons_plan_is_submitted_and_a_judged_one_approved() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = around(
        json!({"subtask_id": "plan", "kind": "plan", "agent": "person",
        "deliverables": ["plans/mine.json"], "success_criteria": "it covers everything"}),
    );
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi submit run-1 plan");
    let file = stage.beside("mine.json");
    write(&file, SOUND);
    let file = file.display().to_string();
    stage.divisi(&["submit", "1", "plan", &file]).expect(0);
    stage
        .divisi(&["resume", "1"])
        .expect(9)
        .says("divisi approve run-1 plan");
    assert_eq!(stage.only().tasks().len(), 3, "nothing is expanded yet");
    stage
        .divisi(&["approve", "1", "plan", "--note", "it does"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(task(&run, "plan").status().word(), "split");
}

#[test]
fn all_planned_tasks_are_told_the_stage_context_and_it_is_kept_once() {
    let stage = Stage::git(&[("x", "1\n")]);
    let context = "All of this is about one shop. Its currency is the euro.";
    let keep = |id: &str| {
        let script = format!("cp \"$DIVISI_HANDOFF\" told-{id}.json");
        json!({"subtask_id": id, "script": script, "deliverables": [format!("told-{id}.json")]})
    };
    let text = json!({"stage_context": context, "subtasks": [keep("x"), keep("y")]}).to_string();
    stage.run(&around(planner("plan", &[&text])), &[]).expect(0);
    for id in ["x", "y"] {
        let told = stage.result(&format!("told-{id}.json")).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["stage_context"], json!(context), "{id}");
    }
    stage.divisi(&["show", "1", "x"]).expect(0).says(context);
    let events = stage.timed_events();
    let holding = events
        .iter()
        .filter(|(_, event)| serde_json::to_string(event).unwrap().contains(context));
    assert_eq!(holding.count(), 1 + 1, "in the script, and once for all");
}

#[test]
fn plans_of_plans_are_bounded() {
    let stage = Stage::git(&[("x", "1\n")]);
    let leaf = r#"[{"subtask_id": "leaf", "command": ["true"]}]"#;
    let third = json!([planner("third", &[leaf])]).to_string();
    let second = json!([planner("second", &[&third, leaf])]).to_string();
    stage
        .run(&around(planner("plan", &[&second])), &[])
        .expect(0);
    let run = stage.only();
    assert_eq!(
        faults(&run, "second", 0),
        ["part 1, third: it plans, but stands 2 plans deep already"]
    );
    assert_eq!(task(&run, "leaf").status().word(), "done");
}

#[test]
fn a_whole_plan_file_keeps_its_stages() {
    let stage = Stage::git(&[("x", "1\n")]);
    let staged = json!({"task_title": "in two steps", "subtasks": [
        {"subtask_id": "second", "command": ["true"]},
        {"subtask_id": "first", "command": ["true"]},
    ], "execution_plan": {"stage_1": ["first"], "stage_2": ["second"]}})
    .to_string();
    stage
        .run(&around(planner("plan", &[&staged])), &[])
        .expect(0);
    let run = stage.only();
    let [first, second] = ["first", "second"].map(|name| &endings(&run, name)[0]);
    assert!(first.ended_at <= second.leased_at, "{first:?} {second:?}");
}

#[test]
fn a_canceled_plan_makes_no_tasks() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("go").display().to_string();
    let script = format!(
        "until test -e {gate}; do sleep 0.01; done; echo '{}' > plan.json",
        r#"[{"subtask_id": "x", "command": ["true"]}]"#
    );
    let running = stage.start_plan(
        &around(json!({"subtask_id": "plan", "kind": "plan", "script": script, "deliverables": ["plan.json"]})),
        &[],
    );
    stage.until_event(
        "it plans",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.task.0 == 1),
    );
    stage.divisi(&["cancel", "1", "plan"]).expect(0);
    let ran = running.wait();
    assert!([1, 2, 5].contains(&ran.code), "{ran:?}");
    let tasks = [
        ("before", "done"),
        ("plan", "canceled"),
        ("after", "skipped"),
    ];
    stands(&stage.only(), RunStatus::Failed, &tasks);
}
