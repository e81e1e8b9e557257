//! A generated folder, edited, run and validated.

use divisi_core::run::RunStatus;

use crate::stage::{Stage, git, statuses, write};

const WORKFLOW: &str = "\
workflow:
  name: notes
  iterations:
    - name: summaries
      goal: A summary of each note
      agents:
        - name: summarize
          targets: [\"notes/*.md\"]
          deliverables: [\"summaries/{note_id}.md\"]
          command: [sh, -c, 'for f in \"$@\"; do head -n 1 \"$f\" > \"summaries/${f##*/}\"; done', sh, \"{targets}\"]
          allocation: {max_per_agent: 1}
          retries: 0
      completion_criteria:
        - All notes have a summary
        - '`sh check.sh` passes'
";

fn generated() -> Stage {
    let stage = Stage::git(&[
        ("workflows/notes.yaml", WORKFLOW),
        ("notes/a.md", "# A note\n"),
        ("notes/b.md", "# Another, longer note\n"),
        ("summaries/.keep", ""),
        ("check.sh", "test -e summaries/a.md\n"),
    ]);
    stage
        .divisi(&[
            "generate",
            "--workflow",
            "notes",
            "--output",
            "iterations/one",
        ])
        .expect(0);
    stage
}

fn edit(stage: &Stage, from: &str, to: &str) {
    let path = stage.path("iterations/one/COMPLETION_CRITERIA.md");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    write(path, &text.replace(from, to));
}

#[test]
fn a_folder_is_run_as_it_stands_and_its_run_is_validated() {
    let stage = generated();
    edit(
        &stage,
        "- All notes have a summary",
        "- `summaries/a.md` contains \"A note\"",
    );
    let run = ["run", "iterations/one/", "--yes", "--durability", "normal"];
    stage.divisi(&run).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    let names: Vec<String> = statuses(&run).into_iter().map(|(id, _)| id).collect();
    assert_eq!(
        names,
        [
            "summaries.summarize.1",
            "summaries.summarize.2",
            "summaries.review"
        ]
    );
    assert_eq!(
        stage.result("summaries/a.md").as_deref(),
        Some("# A note\n")
    );

    // What is left of the run for people and other programs.
    let kept = std::fs::read_to_string(stage.path(".divisi/runs/run-1/plan.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["status"], "completed");
    assert_eq!(
        kept["progress"]["completed_subtasks"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let printed = stage.divisi(&["report", "1", "--plan"]).expect(0);
    let printed: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, kept);

    // The working tree has nothing of it before it is merged.
    stage
        .divisi(&["validate", "iterations/one"])
        .expect(1)
        .says("summaries/a.md is missing");
    stage
        .divisi(&["validate", "1"])
        .expect(0)
        .says("pass          1 summaries.summarize.1: summaries/a.md is not empty")
        .says("run-1 on what is integrated");
    let told = stage.divisi(&["validate", "1", "--json"]).expect(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let criteria: Vec<&str> = told["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["criteria"][0]["criterion"].as_str().unwrap())
        .collect();
    let distinct: std::collections::BTreeSet<&&str> = criteria.iter().collect();
    assert_eq!(criteria.len(), distinct.len(), "each once: {criteria:?}");
    let both = "a criterion of summaries.summarize.1, and of summaries.review";
    let by = |it: &serde_json::Value| it["understood"]["by"] == both;
    let statements = told["statements"].as_array().unwrap();
    assert!(statements.iter().any(by), "{told}");
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    stage
        .divisi(&["validate", "iterations/one", "--yes"])
        .expect(0);
}

#[test]
fn a_size_edited_in_the_folder_refuses_the_task_that_is_to_make_the_file() {
    let stage = generated();
    edit(
        &stage,
        "`summaries/b.md`, not empty",
        "`summaries/b.md`, at least 1 KB",
    );
    let run = ["run", "iterations/one", "--yes", "--durability", "normal"];
    stage
        .divisi(&run)
        .expect(3)
        .says("at least 1024 are expected");
    let run = stage.only();
    assert_eq!(
        statuses(&run)[1],
        ("summaries.summarize.2".to_owned(), "blocked")
    );
    stage
        .divisi(&["validate", "run-1"])
        .expect(1)
        .says("missing       2 summaries.summarize.2: summaries/b.md has at least 1024 bytes");
}

/// ```text
/// first ── on main
///    └──── second (topic)
/// ```
#[test]
fn a_revision_becomes_the_commit_where_the_work_left_it() {
    let workflow = "workflow: {name: w, inputs: {base: fork}, iterations: [{name: i, agents: [\
        {name: look, command: [git, diff, '{base}'], deliverables: [out.md]}]}]}\n";
    let stage = Stage::git(&[("workflows/w.yaml", workflow)]);
    let first = git(stage.project(), &["rev-parse", "HEAD"]);
    git(stage.project(), &["switch", "-q", "--create", "topic"]);
    git(
        stage.project(),
        &["commit", "-q", "--allow-empty", "-m", "second"],
    );
    git(stage.project(), &["switch", "-q", "main"]);
    git(
        stage.project(),
        &["commit", "-q", "--allow-empty", "-m", "on main"],
    );
    git(stage.project(), &["switch", "-q", "topic"]);
    let args = ["generate", "--workflow", "w", "--output", "one", "--set"];
    stage
        .divisi(&[&args[..], &["base=main"]].concat())
        .expect(0);
    let manifest = std::fs::read_to_string(stage.path("one/manifest.json")).unwrap();
    assert!(manifest.contains(first.trim()), "{manifest}");
    assert!(
        stage.try_view().is_none(),
        "only the working tree is looked at"
    );
    let args = [
        "generate",
        "--workflow",
        "w",
        "--output",
        "two",
        "--set",
        "base=mian",
    ];
    stage.divisi(&args).expect(2).says("repo-no-revision");
    assert!(!stage.path("two").exists());
}
