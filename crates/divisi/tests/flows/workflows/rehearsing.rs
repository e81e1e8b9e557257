//! Rehearsals: what scripted agents do with what they are handed, and where it shows.

use divisi_core::receipt::Usage;
use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use super::team::{latest, made};
use crate::stage::{Stage, task, write};

const WORKFLOW: &str = "workflow: {name: w, iterations: [{name: i, agents: [{role: developer, \
    targets: ['stories/*.md'], deliverables: ['out/{story_id}.md'], complexity_per_target: 5}]}]}\n";

fn stage(rules: &str) -> Stage {
    let stage = Stage::git(&[("stories/S1.md", "One.\n"), ("stories/S2.md", "Two.\n")]);
    write(stage.path("workflows/w.yaml"), WORKFLOW);
    write(stage.path("rehearsal.yaml"), rules);
    stage
}

fn document(stage: &Stage, args: &[&str]) -> Value {
    let ran = stage.divisi(args).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The first attempt makes one file of two, which checks find; the second is told so and makes both.
#[test]
fn a_rehearsal_fails_as_its_rules_say_and_is_labelled_wherever_it_shows() {
    let stage = stage(
        "rules:\n  - role: Developer\n    attempts:\n      - - make: {path: out/S1.md, text: half}\n        \
         - usage: {tokens: 3000}\n      - - make: {text: \"{path} of {title}\"}\n        \
         - take_ms: 120000\n        - usage: {tokens: 4000}\n",
    );
    let args = ["run", "w", "--agent", "scripted", "--rehearsal"];
    let path = stage.path("rehearsal.yaml").display().to_string();
    stage
        .divisi(&[&args[..], &[&path, "--yes"]].concat())
        .expect(0)
        .says("scripted");
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let made = made(&stage, &run);
    assert_eq!(made["out/S1.md"], "out/S1.md of Developer: i");
    assert_eq!(made["out/S2.md"], "out/S2.md of Developer: i");
    let of = task(&run, "i.developer.1");
    assert_eq!(of.attempts(), 2);
    assert_eq!(
        Usage::of(of.receipts()).map(|usage| usage.tokens),
        Some(7_000)
    );
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("- **scripted**: part of this work was played from a script; no real agent did it")
        .says("scripted (no real agent)")
        .says("| agent's time | expected | tokens | expected tokens |")
        .says("| 7000 | 10000 |")
        .says("- 7000 tokens used, as agents reported; 10000 tokens expected; what they cost nobody said");
    stage
        .divisi(&["show", "1", "i.developer.1"])
        .expect(0)
        .says("by scripted (no real agent)")
        .says("3000 tokens reported")
        .says("4000 tokens reported");
    let report = document(&stage, &["report", "1", "--json"]);
    let told = &report["tasks"].as_array().unwrap();
    let told = told.iter().find(|it| it["id"] == "i.developer.1").unwrap();
    assert_eq!(
        (&told["tokens"], &told["estimate_tokens"]),
        (&json!(7_000), &json!(10_000))
    );
}

#[test]
fn a_second_run_expects_the_tokens_that_the_first_one_reported() {
    let stage = stage("rules: [{attempts: [[{make: {}, usage: {tokens: 1}}]]}]");
    // A move is one key: nothing runs by rules with faults.
    let args = ["run", "w", "--agent", "scripted", "--yes", "--rehearsal"];
    let path = stage.path("rehearsal.yaml").display().to_string();
    let all = [&args[..], &[path.as_str()]].concat();
    stage.divisi(&all).expect(2).says("a move has 2 keys");
    assert!(stage.try_view().is_none(), "nothing was run");
    write(
        stage.path("rehearsal.yaml"),
        "rules: [{attempts: [[{make: {}}, {usage: {tokens: 25000}}]]}]",
    );
    let dry = ["run", "w", "--dry-run", "--json"];
    let before = document(&stage, &dry);
    assert_eq!(before["estimate"]["total_estimated_tokens"], 10_000);
    stage.divisi(&all).expect(0);
    let after = document(&stage, &dry);
    assert_eq!(
        after["calibration"]["roles"]["developer"]["tokens_per_point"],
        2_500
    );
    assert_eq!(after["estimate"]["total_estimated_tokens"], 25_000);
    // A script takes no time: that is still as it was configured.
    assert_eq!(
        after["estimate"]["total_estimated_duration"],
        before["estimate"]["total_estimated_duration"]
    );
    stage
        .divisi(&["run", "w", "--dry-run"])
        .expect(0)
        .says("by this project's history developer 2500 tokens and 1 min");
    // The second run itself is given the estimate, and its report stands beside it.
    stage.divisi(&all).expect(0);
    stage
        .divisi(&["report", "2"])
        .expect(0)
        .says("- 25000 tokens used, as agents reported; 25000 tokens expected");
}

/// Without rules of its own, whatever is promised is made; a project says so for everybody.
#[test]
fn a_plan_is_rehearsed_in_every_kind_of_workspace() {
    let stage = Stage::git(&[("x", "1\n")]);
    write(
        stage.path("divisi.yaml"),
        "run: {agent: scripted, rehearsal: rules/all.yaml}\n",
    );
    write(
        stage.path("rules/all.yaml"),
        "rules:\n  - {task: told, attempts: [[{print: seen}, {usage: {tokens: 9}}]]}\n  - {}\n",
    );
    let of = |id: &str, kind: &str| {
        json!({"subtask_id": id, "title": id, "workspace": kind, "deliverables": [format!("{id}.md")],
               "criteria": [{"section": "Result", "in": format!("{id}.md")}]})
    };
    let plan = stage.plan(&json!({"task_title": "t", "subtasks": [
        of("tree", "worktree"), of("empty", "scratch"),
        {"subtask_id": "told", "description": "Look.", "workspace": "shared",
         "criteria": [{"file": "x"}]}]}));
    stage
        .divisi(&["run", &plan])
        .expect(4)
        .says("divisi.yaml:1 run.agent: \"scripted\"")
        .says("divisi.yaml:1 run.rehearsal: \"rules/all.yaml\"");
    // What a run is played by was fixed when it was created.
    write(stage.path("rules/all.yaml"), "no rules any more");
    stage.divisi(&["gc", "--yes"]).expect(0);
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let made = made(&stage, &run);
    for id in ["tree", "empty"] {
        let text = format!(
            "# {id}.md\n\nPlayed from a script for {id}: no agent made this.\n\n\
             ## Result\n\nResult of {id}.md.\n"
        );
        assert_eq!(made[&format!("{id}.md")], text);
    }
    let told = task(&run, "told");
    assert_eq!(
        Usage::of(told.receipts()).map(|usage| usage.tokens),
        Some(9)
    );
}

#[test]
fn a_task_that_no_rule_is_for_goes_to_a_person_with_the_reason() {
    let stage = stage("rules: [{role: qa}, {role: devloper}]");
    let path = stage.path("rehearsal.yaml").display().to_string();
    let args = [
        "run",
        "w",
        "--agent",
        "scripted",
        "--yes",
        "--rehearsal",
        &path,
    ];
    stage
        .divisi(&args)
        .expect(3)
        .says("there is no role `devloper`")
        .says("did you mean `developer`?");
    stage
        .divisi(&["explain", "1", "i.developer.1"])
        .expect(0)
        .says("no rule of the rehearsal is for it");
    stage
        .divisi(&["run", "w", "--yes", "--rehearsal", "none.yaml"])
        .expect(2)
        .says("file-unreadable");
}

/// A task that an agent planned has the agent that its role was given.
#[test]
fn agents_of_roles_do_tasks_that_are_planned_later() {
    let planned = json!([{"subtask_id": "later", "title": "Later", "assigned_to": "development",
        "worker_type": "implementation", "deliverables": ["later.md"]}]);
    let stage = Stage::git(&[("x", "1\n"), ("planned.json", &planned.to_string())]);
    let plan = stage.plan(&json!({"task_title": "t", "subtasks": [
        {"subtask_id": "p", "kind": "plan", "command": ["cp", "planned.json", "plan.json"],
         "deliverables": ["plan.json"]}]}));
    write(
        stage.path("divisi.yaml"),
        "run: {agents: {developer: scripted}}\n",
    );
    stage.divisi(&["run", &plan, "--yes"]).expect(0);
    let run = latest(&stage);
    assert_eq!(task(&run, "later").endings[0].agent, "scripted");
    // The command line says it, too, and counts more.
    let args = ["run", &plan, "--agent", "implementer=person", "--yes"];
    stage.divisi(&args).expect(4);
    let run = latest(&stage);
    assert_eq!(task(&run, "later").live().unwrap().agent, "person");
    stage
        .divisi(&["run", &plan, "--agent", "developer=persn", "--yes"])
        .expect(2)
        .says("there is no agent `persn`")
        .says("did you mean `person`?");
    // Without a role it is the agent of all that name none.
    std::fs::remove_file(stage.path("divisi.yaml")).unwrap();
    stage
        .divisi(&["run", &plan, "--agent", "scripted", "--yes"])
        .expect(0);
    let run = latest(&stage);
    assert_eq!(task(&run, "later").endings[0].agent, "scripted");
}
