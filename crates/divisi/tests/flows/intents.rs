//! `divisi run "INTENT"`: what somebody wants, in their words, becomes a plan and a run.

use divisi_core::intent::{Intent, Planner};
use divisi_core::plan::Work;
use divisi_core::run::{Run, RunStatus};
use serde_json::{Value, json};

use crate::feedback::satisfies;
use crate::found::installed;
use crate::stage::{Stage, statuses};

const REVIEW: &str = "Review this repository: correctness, security, tests and documentation";

fn project() -> Stage {
    Stage::git(&[
        ("README.md", "# A project\n"),
        ("src/parser.py", "def parse(text):\n    return eval(text)\n"),
        ("tests/test_parser.py", "def test_nothing():\n    pass\n"),
    ])
}

/// One on whose `PATH` no coding agent is.
fn without_agents() -> Stage {
    let stage = project();
    let path = installed(&stage, &[]);
    stage.with_env("PATH", &path)
}

fn with_agent() -> Stage {
    let stage = project();
    let path = installed(&stage, &["claude"]);
    stage.with_env("PATH", &path)
}

fn intent(run: &Run) -> &Intent {
    run.intent.as_deref().expect("it was made of an intent")
}

#[test]
fn a_review_is_done_by_programs_where_no_agent_is_and_says_what_was_not_reviewed() {
    let stage = without_agents();
    stage
        .divisi(&["run", REVIEW, "--yes"])
        .expect(0)
        .says("planned by rule, as the workflow code-review has it")
        .says("left out: no coding agent is there");
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(intent(&run).text, REVIEW);
    assert_eq!(
        intent(&run).planner,
        Planner::Workflow("code-review".to_owned())
    );
    assert!(
        intent(&run)
            .assessment
            .facts
            .iter()
            .any(|it| it.contains("3 files"))
    );
    let report = stage.result("reviews/report.md").expect("it was made");
    // The programs did look: this is the one line that a rule finds.
    assert!(report.contains("src/parser.py"), "{report}");
    for (args, words) in [
        (&["report", "1"][..], "## How it was planned"),
        (
            &["report", "1"],
            "what only reading and judgment find was not reviewed",
        ),
        (&["show", "1"], "as the workflow code-review has it"),
        (
            &["explain", "1"],
            "planned by rule, as the workflow code-review has it",
        ),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
    let report = stage.divisi(&["report", "1", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["intent"]["text"], REVIEW);
}

#[test]
fn with_an_agent_installed_the_review_is_its() {
    let stage = with_agent();
    stage.divisi(&["run", REVIEW]).expect(4);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::AwaitingApproval);
    assert!(intent(&run).left_out.is_empty());
    let reviews = run
        .tasks()
        .iter()
        .filter(|task| task.spec.work == Work::Handoff);
    let agents: Vec<&str> = reviews.map(|task| task.agent(&run.settings)).collect();
    assert_eq!(agents, ["claude"; 4]);
}

#[test]
fn what_was_meant_for_a_file_or_a_workflow_is_never_taken_for_an_intent() {
    let stage = without_agents();
    for (name, code, words) in [
        ("pln.json", 2, "pln.json"),
        ("my plan.json", 2, "my plan.json"),
        ("./my plan", 2, "./my plan"),
        ("code-reviw", 7, "did you mean `code-review`?"),
    ] {
        stage
            .divisi(&["run", name, "--yes"])
            .expect(code)
            .says(words);
    }
    // Several words that ask for nothing.
    for name in ["code reviw", "Code review"] {
        stage
            .divisi(&["run", name, "--yes"])
            .expect(2)
            .says("divisi run code-review");
    }
    stage
        .divisi(&["run", "my typo", "--yes"])
        .expect(6)
        .says("error[planning-declined]")
        .says("a workflow by one word");
    stage
        .divisi(&["run", "pln.json", "--one"])
        .expect(2)
        .says("error[run-intent]");
    stage
        .divisi(&["run", REVIEW, "--set", "base=main"])
        .expect(2)
        .says("error[run-plan-file]");
    assert!(
        stage
            .try_view()
            .is_none_or(|view| view.runs(None, 1).unwrap().is_empty())
    );
}

#[test]
fn without_a_terminal_the_defaults_of_open_questions_are_assumed_and_listed() {
    let stage = with_agent();
    stage
        .divisi(&["run", "Migrate the database, with docs"])
        .expect(4)
        .says("assumed: To what? a research task compares what there is and decides");
    let run = stage.only();
    let of = intent(&run);
    assert_eq!(
        of.request(),
        "research what to migrate the database, then Migrate the database, with docs"
    );
    assert_eq!(of.text, "Migrate the database, with docs");
    let [question] = &of.settled[..] else {
        panic!("one question: {:?}", of.settled);
    };
    assert!(question.is_assumed);
    // The default promises research, and the plan has it; whoever does a task is told.
    assert!(run.tasks().len() >= 3, "{:?}", statuses(&run));
    for task in run.tasks() {
        let told = &task.spec.description;
        assert!(told.contains("Settled: To what? a research task"), "{told}");
    }
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("To what? a research task compares what there is and decides");
}

#[test]
fn on_a_terminal_a_question_is_asked_and_its_answer_changes_the_plan() {
    let stage = with_agent().with_env("NO_COLOR", "1");
    let args = ["run", "Migrate the database, with docs"];
    let (_, shown) = stage.on_a_terminal(&args, "Postgres\nn\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains("To what? (Migrate the database)"), "{shown}");
    assert!(shown.contains("answered: To what? Postgres"), "{shown}");
    assert!(shown.contains("run it?"), "{shown}");
    let run = stage.only();
    assert_eq!(
        intent(&run).request(),
        "Migrate the database to Postgres, with docs"
    );
    assert!(!intent(&run).settled[0].is_assumed);
    assert!(!run.approved);
    assert_eq!(run.tasks().len(), 2, "{:?}", statuses(&run));
}

#[test]
fn what_does_not_pay_to_split_is_one_task_and_so_is_what_is_not_to_be_split() {
    let stage = with_agent();
    stage
        .divisi(&["run", "Fix the typo in README.md"])
        .expect(4)
        .says("planned: as one task");
    let run = stage.only();
    assert_eq!(run.tasks().len(), 1);
    assert_eq!(intent(&run).assessment.approach, "direct");
    stage
        .divisi(&["run", "--one", REVIEW, "--dry-run"])
        .expect(0)
        .says("1 task");
    stage
        .divisi(&["run", "Build an entire platform", "--yes"])
        .expect(6)
        .says("divisi run --one 'Build an entire platform'");
}

/// Whether splitting paid is read off two runs of one request from one commit.
#[test]
fn a_direct_and_a_split_run_are_put_side_by_side() {
    let stage = project();
    let plan = |tasks: &[&str]| {
        let tasks: Vec<Value> = { tasks.iter() }
            .map(|id| json!({"subtask_id": id, "script": "true"}))
            .collect();
        json!({"task_title": "Ship it", "subtasks": tasks})
    };
    stage.run(&plan(&["all"]), &[]).expect(0);
    stage.run(&plan(&["a", "b"]), &[]).expect(0);
    let told = satisfies(
        &stage,
        "comparison",
        &["report", "--compare", "run-2", "run-1"],
    );
    assert_eq!(told["direct"]["run"], "run-1");
    assert_eq!(told["split"]["run"], "run-2");
    assert_eq!(told["split"]["tasks"].as_array().unwrap().len(), 2);
    stage
        .divisi(&["report", "--compare", "1", "2"])
        .expect(0)
        .says("| | direct: run-1 | split: run-2 | split/direct |");
    stage.run(&plan(&["c", "d"]), &[]).expect(0);
    stage
        .divisi(&["report", "--compare", "2", "3"])
        .expect(6)
        .says("compare-refused")
        .says("both were split");
}
