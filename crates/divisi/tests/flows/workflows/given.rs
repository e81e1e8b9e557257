//! What a workflow is given on the command line, and what is said before anything of it runs.

use divisi_core::run::RunStatus;

use super::team::latest;
use crate::stage::{Stage, write};

/// A project's own workflow that runs programs: one to work, one to check.
const OWN: &str = r#"
workflow:
  name: pages
  inputs:
    id: integer
    level: {choices: [low, high], default: low}
  iterations:
    - name: write
      agents:
        - role: developer
          deliverables: ["pages/{id}.md"]
          command: [sh, -c, 'mkdir -p pages && echo "$0" > "$1"', "{level}", "{deliverables}"]
    - name: proof
      dependencies: [write]
      agents:
        - role: qa
          targets: ["pages/*.md"]
          deliverables: ["proofs/{page_id}.txt"]
          command: [sh, -c, 'mkdir -p proofs && cp "$0" "$1"', "{targets}", "{deliverables}"]
      completion_criteria:
        - {command: [test, -d, proofs]}
"#;

fn project() -> Stage {
    let stage = Stage::git(&[("README.md", "# Pages\n")]);
    write(stage.path("workflows/pages.yaml"), OWN);
    stage
}

#[test]
fn all_that_is_wrong_with_what_is_given_is_told_at_once() {
    let stage = project();
    stage
        .divisi(&[
            "run",
            "pages",
            "--yes",
            "--set",
            "level=medium",
            "--set",
            "leven=high",
            "--agent",
            "develper=persn",
        ])
        .expect(2)
        .says("the input `id` has no value")
        .says("give it with `--set id=…`")
        .says("the input `level` is `medium`, not one of low, high")
        .says("the workflow has no input `leven`")
        .says("did you mean `level`?")
        .says("the workflow has no role `develper`")
        .says("did you mean `developer`?")
        .says("there is no agent `persn`")
        .says("did you mean `person`?");
    stage
        .divisi(&["run", "pages", "--yes", "--set", "id=four"])
        .expect(2)
        .says("the input `id` is `four`, not a whole number");
    assert!(stage.try_view().is_none(), "nothing was run");
}

#[test]
fn inputs_and_agents_reach_the_tasks() {
    let stage = project();
    let args = [
        "run",
        "pages",
        "--yes",
        "--set",
        "id=7",
        "--set",
        "level=high",
    ];
    stage
        .divisi(&[&args[..], &["--limit", "expand=1"]].concat())
        .expect(0);
    assert_eq!(latest(&stage).settings.agent_limits["expand"], 1);
    assert_eq!(latest(&stage).status(), RunStatus::Succeeded);
    assert_eq!(stage.result("pages/7.md").as_deref(), Some("high\n"));
    assert_eq!(stage.result("proofs/7.txt").as_deref(), Some("high\n"));
    // A role is found by its alias, and its agent is asked instead of the usual one.
    let args = [
        "run",
        "task-execution",
        "--yes",
        "--agent",
        "tester=scripted",
    ];
    let ran = stage.divisi(&args);
    let run = latest(&stage);
    let of = |name: &str| crate::stage::task(&run, name).spec.agent.clone();
    assert_eq!(
        of("execution.qa").as_deref(),
        Some("scripted"),
        "{}",
        ran.stderr
    );
    assert_eq!(of("execution.developer"), None);
}

#[test]
fn a_bare_word_is_the_workflow_and_a_path_is_what_lies_there() {
    let stage = project();
    std::fs::create_dir(stage.path("pages")).unwrap();
    let dry = |what: &str| stage.divisi(&["run", what, "--set", "id=7", "--dry-run"]);
    dry("pages")
        .expect(0)
        .says("pages is the workflow; the folder of that name is ./pages")
        .says("workflows/pages.yaml");
    let dry = |what: &str| stage.divisi(&["run", what, "--dry-run"]);
    for path in ["./pages", "pages/"] {
        dry(path).expect(2).says("error[folder-missing]");
    }
    // What no workflow is called is the file or the folder.
    std::fs::create_dir(stage.path("other")).unwrap();
    dry("other").expect(2).says("error[folder-missing]");
    dry("none").expect(7).says("error[library-unknown]");
}

#[test]
fn programs_of_a_workflow_are_shown_before_they_run() {
    let stage = project();
    let args = ["run", "pages", "--set", "id=7"];
    // Nobody can be asked: what would run is said, and nothing does.
    stage
        .divisi(&args)
        .expect(4)
        .says("project workflow: workflows/pages.yaml")
        .says(r#"mkdir -p pages && echo "$0" > "$1"' low pages/7.md"#)
        .says(r#"mkdir -p proofs && cp "$0" "$1"' pages/7.md proofs/7.txt"#)
        .says("check: test -d proofs");
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::AwaitingApproval);
    // At a terminal somebody is asked; who says no has run nothing.
    let (code, bytes) = stage.on_a_terminal(&args, "n\n");
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("test -d proofs"), "{text}");
    assert!(text.contains("run it? [Y/n]"), "{text}");
    assert_eq!(latest(&stage).status(), RunStatus::Canceled);
    assert!(
        latest(&stage)
            .tasks()
            .iter()
            .all(|task| task.attempts() == 0)
    );
}

#[test]
fn targets_may_be_narrowed_and_must_match() {
    let stage = Stage::git(&[("stories/A.md", "a\n"), ("stories/B.md", "b\n")]);
    let all = ["run", "user-story-refinement", "--yes"];
    stage
        .divisi(&[&all[..], &["--targets", "other/*.md"]].concat())
        .expect(2)
        .says("no file matches `other/*.md`");
    assert!(stage.try_view().is_none(), "nothing was run");
    stage
        .divisi(&[&all[..], &["--targets", "stories/B.md"]].concat())
        .expect(4);
    let run = latest(&stage);
    let first = crate::stage::task(&run, "requirements-analysis.product_analyst.1");
    let promised: Vec<&str> = first.spec.deliverables.iter().map(|it| &*it.path).collect();
    assert_eq!(promised, ["stories/B/requirements.md"]);
}

#[test]
fn a_plan_file_has_no_inputs_and_a_missing_workflow_is_named() {
    let stage = project();
    let plan = stage.plan(&serde_json::json!({"task_title": "t", "subtasks": [
        {"subtask_id": "a", "command": ["true"]}]}));
    stage
        .divisi(&["run", &plan, "--yes", "--set", "id=1"])
        .expect(2)
        .says("run-plan-file");
    stage
        .divisi(&["run", "pagse", "--yes"])
        .expect(7)
        .says("did you mean `pages`?");
    stage
        .divisi(&["run", "./workflows/pages.yaml", "--yes", "--set", "id=1"])
        .expect(0);
}
