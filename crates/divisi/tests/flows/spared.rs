//! What a request wants left as it is: it is told to whoever does the work, and it is checked.

use divisi_core::run::{AttemptEnd, Failure, RunStatus};
use serde_json::{Value, json};

use crate::found::working;
use crate::stage::{Stage, endings, stands};

fn project() -> Stage {
    Stage::git(&[
        ("README.md", "# A project\n"),
        ("src/api/mod.py", "def api():\n    pass\n"),
        ("src/parser.py", "def parse(text):\n    return text\n"),
    ])
}

/// A project with an agent that does this and says that it is done.
fn with_agent(work: &str) -> Stage {
    let stage = project();
    let path = working(&stage, work);
    stage.with_env("PATH", &path)
}

#[test]
fn an_agent_that_changes_what_must_stay_is_refused_and_the_file_is_named() {
    for (request, work, evidence) in [
        (
            "Add a health check to src/parser.py, don't touch README.md",
            "echo 'x = 1' >> src/parser.py; echo more >> README.md",
            "changed what must stay as it is (README.md): README.md",
        ),
        (
            "Add a health check to the parser and leave src/api alone",
            "echo 'x = 1' >> src/parser.py; echo 'y = 1' >> src/api/mod.py",
            "changed what must stay as it is (src/api/**): src/api/mod.py",
        ),
        (
            "Add a health check, no changes outside src/api/",
            "echo 'x = 1' >> src/parser.py; echo 'y = 1' >> src/api/mod.py",
            "changed outside the scope (src/api/**): src/parser.py",
        ),
    ] {
        let stage = with_agent(work);
        stage.divisi(&["run", request, "--one", "--yes"]).expect(3);
        let run = stage.only();
        let of = run.tasks()[0].spec.id.as_str();
        let AttemptEnd::Refused(Failure::Checks(verdicts)) = &endings(&run, of)[0].end else {
            panic!("{request}: {:?}", endings(&run, of)[0].end);
        };
        assert!(
            verdicts.iter().any(|it| it.evidence == evidence),
            "{request}: {verdicts:?}"
        );
        stage.divisi(&["show", "1", of]).expect(0).says(evidence);
        assert_eq!(
            stage.result("README.md").as_deref(),
            Some("# A project\n"),
            "{request}"
        );
    }
}

/// What stood there before the run is no change of it.
#[test]
fn a_whole_that_leaves_what_it_must_and_changes_only_what_it_may_is_done() {
    let stage = project();
    let plan = json!({"task_title": "Health", "criteria": [
        {"scope": ["src/**", "!README.md"]}, {"contains": "ok", "in": "src/health.py"},
    ], "subtasks": [
        {"subtask_id": "health", "script": "echo ok > src/health.py; echo 'x = 1' >> src/parser.py",
         "deliverables": ["src/health.py"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("health", "done")]);
}

/// A plan whose one task changes a file that the request spares, and says nothing of it.
const CARELESS: &str = r#"{"task_title": "Health", "subtasks": [
  {"subtask_id": "health", "title": "Add a health check", "assigned_to": "development",
   "worker_type": "implementation", "deliverables": ["src/health.py"],
   "script": "echo ok > src/health.py; echo more >> README.md"}
 ], "criteria": [{"contains": "ok", "in": "src/health.py"}]}"#;

#[test]
fn whatever_an_agent_plans_the_whole_must_leave_what_the_request_spares() {
    let stage = with_agent(&format!(
        "cat > divisi-plan.json <<'PLAN'\n{CARELESS}\nPLAN"
    ));
    let request = "Add a health check and leave README.md alone";
    stage
        .divisi(&["run", request, "--planner", "agent", "--yes"])
        .expect(3)
        .says("changed what must stay as it is (README.md): README.md");
    let run = stage.only();
    assert_ne!(run.status(), RunStatus::Succeeded);
    let whole: Vec<String> = run.criteria.iter().map(ToString::to_string).collect();
    assert_eq!(
        whole,
        ["leaves README.md as it is", "src/health.py contains \"ok\""]
    );
}

#[test]
fn a_plan_file_may_spare_files_and_what_changes_them_is_refused() {
    let stage = project();
    let plan = json!({"task_title": "One", "subtasks": [
        {"subtask_id": "a", "script": "echo more >> README.md", "retries": 0,
         "criteria": [{"scope": ["!README.md"]}]},
        {"subtask_id": "b", "script": "echo 'x = 1' >> src/parser.py",
         "criteria": [{"scope": ["src/**", "!src/api/**"]}]},
    ], "criteria": [{"scope": ["!src/api/**"]}]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "blocked"), ("b", "done")]);
}

#[test]
fn what_an_agent_finds_too_large_is_told_though_its_checks_pass() {
    let work = "echo here > a.md; echo 'a page each' > $DIVISI_TOO_LARGE";
    let stage = with_agent(work);
    let plan: Value = json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": "claude", "deliverables": ["a.md"],
        "criteria": [{"contains": "here", "in": "a.md"}],
    }]});
    stage.run(&plan, &[]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("a", "done")]);
    stage
        .divisi(&["show", "1", "a"])
        .expect(0)
        .says("it says that it is more than one task:\n      a page each");
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("a: it is more than one task: a page each")
        .says("its agent found it to be more than one task; what it made passed its checks");
}
