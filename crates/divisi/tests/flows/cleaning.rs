//! Cleaning up: what can go is said, what is needed stays, and runs go on as if nothing had happened.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::stage::{Stage, endings, git, task};

/// Makes what was made in the private repository older than anything that is spared for its youth.
fn age(stage: &Stage) {
    let long_ago = SystemTime::now() - Duration::from_secs(7 * 24 * 3600);
    let mut worklist = vec![stage.path(".divisi/repo.git/objects")];
    while let Some(folder) = worklist.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => worklist.push(path),
                false => std::fs::File::open(path)
                    .unwrap()
                    .set_modified(long_ago)
                    .unwrap(),
            }
        }
    }
}

fn document(stage: &Stage, args: &[&str]) -> Value {
    serde_json::from_str(&stage.divisi(args).expect(0).stdout).unwrap()
}

/// Three tasks side by side, of which one makes half of what it promised the first time.
fn plan() -> Value {
    let flaky =
        "if test \"${DIVISI_JOB##*.}\" = 1; then echo half > c.md; else echo whole > c.md; fi";
    json!({"task_title": "some work", "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "b", "script": "echo b > b.md", "deliverables": ["b.md"]},
        {"subtask_id": "c", "script": flaky, "deliverables": ["c.md"],
         "criteria": [{"contains": "whole", "in": "c.md"}]},
    ]})
}

#[test]
fn what_a_run_that_has_ended_left_over_goes_and_its_result_can_be_merged() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&plan(), &[]).expect(0);
    let nothing = document(&stage, &["gc", "--json"]);
    assert_eq!(
        nothing["repository"]["objects"], 0,
        "young objects stay: {nothing}"
    );
    age(&stage);
    let told = document(&stage, &["gc", "--json"]);
    let objects = told["repository"]["objects"].as_u64().unwrap();
    // At least the refused commit with its tree and its file.
    assert!(objects >= 3, "{told}");
    assert_eq!(
        (&told["dry_run"], &told["repository"]["packs"]),
        (&json!(true), &json!(0))
    );
    stage
        .divisi(&["gc"])
        .expect(0)
        .says(&format!("can be removed: {objects} objects in repo.git"));
    let bytes = &told["repository"]["bytes"];
    let removed = document(&stage, &["gc", "--yes", "--json"]);
    assert_eq!(removed["repository"]["objects"], objects);
    assert_eq!(&removed["repository"]["bytes"], bytes);
    let again = document(&stage, &["gc", "--json"]);
    assert_eq!(again["repository"]["objects"], 0, "{again}");

    git(
        &stage.path(".divisi/repo.git"),
        &["fsck", "--strict", "--no-dangling"],
    );
    for view in [
        &["show", "1", "c"][..],
        &["diff", "1"],
        &["diff", "1", "c"],
        &["report", "1"],
    ] {
        stage.divisi(view).expect(0);
    }
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert_eq!(
        std::fs::read_to_string(stage.path("c.md")).unwrap(),
        "whole\n"
    );
    stage.run(&plan(), &["--include-dirty"]).expect(0);
}

#[test]
fn work_that_a_person_may_still_decide_about_stays_until_it_is_given_up() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = plan();
    plan["subtasks"][2]["script"] = json!("echo ${DIVISI_JOB##*.} > c.md; test -e x.md || exit 0");
    stage.run(&plan, &[]).expect(3);
    age(&stage);
    stage.divisi(&["gc", "--yes"]).expect(0);
    stage.divisi(&["diff", "1", "c"]).expect(0).says("+3");
    // It is tried again in the workspace that was kept, and integrated with the others.
    stage.divisi(&["retry", "1", "c"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(3);
    assert_eq!(endings(&stage.only(), "c").len(), 6);
    stage
        .divisi(&["reject", "1", "c", "--reason", "no use"])
        .expect(0);
    assert_eq!(task(&stage.only(), "c").status().word(), "failed");
    age(&stage);
    stage
        .divisi(&["gc", "--yes"])
        .expect(0)
        .says("objects in repo.git");
    stage
        .divisi(&["diff", "1", "c"])
        .expect(6)
        .says("was given up and cleaned up");
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert!(stage.path("a.md").exists());
}

#[test]
fn a_run_that_was_interrupted_goes_on_after_everything_else_was_cleaned_up() {
    let stage = Stage::folder(&[("x", "1\n")]);
    let plan = json!({"task_title": "two steps", "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "b", "agent": "person", "deliverables": ["b.md"], "dependencies": ["a"]},
        {"subtask_id": "c", "script": "cat a.md b.md > c.md", "deliverables": ["c.md"], "dependencies": ["b"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    age(&stage);
    stage.divisi(&["gc", "--yes"]).expect(0);
    let made = stage.beside("b.md");
    std::fs::write(&made, "b\n").unwrap();
    stage
        .divisi(&["submit", "1", "b", &made.display().to_string()])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("c.md").as_deref(), Some("a\nb\n"));
}

#[test]
fn a_shared_checkout_goes_when_its_run_has_ended() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "looks", "subtasks": [
        {"subtask_id": "look", "command": ["sh", "-c", "cat x > seen"], "workspace": "shared"},
        {"subtask_id": "say", "agent": "person", "deliverables": ["said.md"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let shared = || -> Vec<(bool, Value)> {
        let told = document(&stage, &["gc", "--json"]);
        let items = told["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["name"].as_str().unwrap().starts_with("run-1-shared-"))
            .inspect(|item| assert_eq!(item["removed"], false, "{item}"))
            .map(|item| (item["removable"] == true, item["why"].clone()))
            .collect()
    };
    // A task that is tried again would work in it.
    let kept = json!("may hold work that stands nowhere else");
    assert_eq!(shared(), [(false, kept)]);
    stage.divisi(&["cancel", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(6).says("run-ended");
    assert_eq!(shared(), [(true, json!("nothing in it was promised"))]);
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert_eq!(shared(), []);
}

#[test]
fn a_run_goes_on_without_what_is_kept_of_it_for_people() {
    let stage = Stage::git(&[("x", "1\n")]);
    let script = "echo told; test ${DIVISI_JOB##*.} != 1 && echo a > a.md";
    let plan = json!({"task_title": "for people", "subtasks": [
        {"subtask_id": "a", "script": script, "deliverables": ["a.md"], "retries": 0},
        {"subtask_id": "b", "script": "cat a.md > b.md", "deliverables": ["b.md"], "dependencies": ["a"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    let kept = stage.path(".divisi/runs");
    // All that is shown but where a log lies, and how it ends.
    let shown = || -> Vec<String> {
        let views = [&["report", "1"][..], &["show", "1"], &["show", "1", "a"]];
        let texts = views.map(|view| stage.divisi(view).expect(0).stdout);
        let lines = texts.iter().flat_map(|text| text.lines());
        let of_log = |line: &str| line.contains("/.divisi/runs/") || line.contains("last line");
        let lines = lines.filter(|line| !of_log(line));
        lines.map(str::to_owned).collect()
    };
    let before = shown();
    std::fs::remove_dir_all(&kept).unwrap();
    assert_eq!(shown(), before, "no fact is lost");
    stage.divisi(&["retry", "1", "a"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("b.md").as_deref(), Some("a\n"));
    assert!(kept.join("run-1/report.md").exists(), "it is kept again");
    stage.divisi(&["logs", "1", "a"]).expect(0).says("told");
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert!(stage.path("b.md").exists());
}

/// Each topic becomes a page, unless there is a file that forbids it.
const WORKFLOW: &str = r#"
workflow:
  name: pages
  iterations:
    - name: draft
      agents:
        - name: write
          targets: ['topics/*.md']
          deliverables: ['pages/{file_id}.md']
          command: [sh, -c, 'test ! -e halt && mkdir -p pages && cp "$0" "$1"', '{targets}', '{deliverables}']
          allocation: {max_per_agent: 1}
"#;

/// What is kept under its digest: the rules of workflows and rehearsals.
fn kept(stage: &Stage) -> Vec<PathBuf> {
    let all = std::fs::read_dir(stage.path(".divisi/artifacts")).unwrap();
    let folders = all.map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    files.map(|entry| entry.unwrap().path()).collect()
}

/// Makes what is kept older than what is spared for its youth.
fn age_kept(stage: &Stage) {
    let long_ago = SystemTime::now() - Duration::from_secs(7 * 24 * 3600);
    for path in kept(stage) {
        let file = std::fs::File::open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
}

#[test]
fn rules_go_when_no_run_needs_them() {
    let stage = Stage::git(&[("topics/a.md", "a\n"), ("halt", "\n")]);
    let workflow = stage.beside("pages.yaml");
    crate::stage::write(&workflow, WORKFLOW);
    let rehearsal = stage.beside("rehearsal.yaml");
    crate::stage::write(&rehearsal, "rules: [{}]\n");
    let (workflow, rehearsal) = (
        workflow.display().to_string(),
        rehearsal.display().to_string(),
    );
    let run = ["run", &workflow, "--yes", "--durability", "normal"];
    let rehearsed = [&run[..], &["--rehearsal", &rehearsal]].concat();
    stage.divisi(&rehearsed).expect(3);
    assert_eq!(kept(&stage).len(), 2, "the workflow's and the rehearsal's");
    let counted = |args: &[&str]| document(&stage, args)["bundles"]["bundles"].clone();
    age_kept(&stage);
    assert_eq!(
        counted(&["gc", "--yes", "--json"]),
        0,
        "its run may need them"
    );
    stage.divisi(&["cancel", "1"]).expect(0);
    // Whoever runs it again has put them there again.
    stage.divisi(&rehearsed).expect(3);
    stage.divisi(&["cancel", "2"]).expect(0);
    assert_eq!(counted(&["gc", "--json"]), 0, "they are young");
    age_kept(&stage);
    let told = stage.divisi(&["gc"]).expect(0);
    told.says("can be removed: 1 file of workflows and rehearsals")
        .says("divisi gc --yes");
    assert_eq!(counted(&["gc", "--yes", "--json"]), 1);
    assert_eq!(kept(&stage).len(), 1, "the workflow's may be read again");
    assert_eq!(counted(&["gc", "--json"]), 0);
    for view in [&["report", "1"][..], &["show", "1", "draft"]] {
        stage.divisi(view).expect(0);
    }
    stage.divisi(&rehearsed).expect(3);
}

#[test]
fn a_run_that_has_ended_is_saved_and_learned_from_after_a_cleaning() {
    let workflow = r#"
workflow:
  name: pages
  iterations:
    - name: draft
      agents:
        - {role: developer, complexity_per_target: 5, deliverables: [page.md]}
"#;
    let rehearsal = "rules: [{attempts: [[make: {}, usage: {tokens: 35000}]]}]\n";
    let stage = Stage::git(&[
        ("workflows/pages.yaml", workflow),
        ("rehearsal.yaml", rehearsal),
    ]);
    let run = ["run", "pages", "--agent", "scripted", "--yes"];
    let run = [&run[..], &["--rehearsal", "rehearsal.yaml"]].concat();
    stage.divisi(&run).expect(0);
    let foreseen = || {
        stage
            .divisi(&["run", "pages", "--dry-run"])
            .expect(0)
            .stdout
    };
    let before = foreseen();
    assert!(
        before.contains("35,000") || before.contains("35000"),
        "{before}"
    );
    age_kept(&stage);
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert_eq!(foreseen(), before, "what a point took is still known");
    stage
        .divisi(&["workflow", "save", "1", "--name", "again"])
        .expect(0);
    assert!(stage.path("workflows/again.yaml").exists());
}
