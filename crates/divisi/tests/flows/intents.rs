//! `divisi run "INTENT"`: what somebody wants, in their words, becomes a plan and a run.

use divisi_core::intent::{Intent, Planner};
use divisi_core::plan::Work;
use divisi_core::run::{AttemptEnd, Failure, Run, RunStatus};
use serde_json::{Value, json};

use crate::feedback::satisfies;
use crate::found::{installed, working};
use crate::stage::{Stage, endings, git, stands, statuses, write};

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

pub(crate) fn with_agent() -> Stage {
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
    let reviews = run
        .tasks()
        .iter()
        .filter(|task| task.spec.work == Work::Handoff);
    let agents: Vec<&str> = reviews.map(|task| task.agent(&run.settings)).collect();
    assert_eq!(agents, ["claude"; 4]);
    // Which parts it has, the workflow says.
    stage.divisi(&["plan", "lint", "1"]).expect(0);
    stage
        .with_env(
            "EDITOR",
            "sed -i 's/estimated_tokens\": [0-9]*/estimated_tokens\": 9000/'",
        )
        .divisi(&["plan", "edit", "1"])
        .expect(0);
}

#[test]
fn what_was_meant_for_a_file_or_a_workflow_is_never_taken_for_an_intent() {
    let stage = without_agents();
    for (name, code, words) in [
        ("pln.json", 2, "what is wanted is said in several words"),
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
fn on_a_terminal_nothing_is_asked_of_whoever_says_yes() {
    let stage = with_agent().with_env("NO_COLOR", "1");
    let args = ["run", "Migrate the database, with docs", "--yes"];
    let (_, shown) = stage.on_a_terminal(&args, "");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(!shown.contains("run it?"), "{shown}");
    assert!(!shown.contains("answered:"), "{shown}");
    let run = stage.only();
    let settled = &intent(&run).settled[0];
    assert!(settled.is_assumed, "{settled:?}");
    assert!(shown.contains(&settled.answer), "{shown}");
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
    // What is a whole system is an agent's to plan, and without one it is declined.
    stage
        .divisi(&["run", "Build an entire platform"])
        .expect(4)
        .says("planned: by an agent");
    without_agents()
        .divisi(&["run", "Build an entire platform", "--yes"])
        .expect(6)
        .says("divisi run --one 'Build an entire platform'");
    // What is planned is not run without asking, and this says so before anything is begun.
    let dry = ["run", "Build an entire platform", "--dry-run"];
    stage
        .divisi(&dry)
        .expect(0)
        .says("what they plan is shown, and runs once it is approved");
    stage
        .divisi(&[&dry[..], &["--yes"]].concat())
        .expect(0)
        .says("and is run without asking again");
    // Nobody would copy a long one.
    let long = format!("Build an entire platform. {}", "It is large. ".repeat(200));
    without_agents()
        .divisi(&["run", &long, "--yes"])
        .expect(6)
        .says("divisi run --one REQUEST");
}

pub(crate) const LIMITS: &str = "Limit the requests of a client, with docs";

/// What an agent answers: a plan whose tasks are scripts, so that nobody else is needed.
pub(crate) const GOOD: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "limit", "title": "Limit the requests of a client", "assigned_to": "development",
   "worker_type": "implementation", "script": "echo limit > src/limit.py", "deliverables": ["src/limit.py"]},
  {"subtask_id": "docs", "title": "Document the limits of requests", "assigned_to": "documentation",
   "script": "echo '# Limits' > limits.md; cat src/limit.py >> limits.md", "dependencies": ["limit"],
   "deliverables": ["limits.md"], "criteria": [{"section": "Limits", "in": "limits.md"}]}
 ], "criteria": [{"contains": "limit", "in": "limits.md"}]}"#;

/// One part of the request is missing, and so is what the plan must have of its own.
const PARTIAL: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "limit", "title": "Limit the requests of a client", "assigned_to": "development",
   "worker_type": "implementation", "script": "echo limit > src/limit.py", "deliverables": ["src/limit.py"]}
 ]}"#;

/// A project with an agent that answers with these plans in turn, the last one again and again. It
/// keeps what it was handed.
pub(crate) fn planning(answers: &[&str]) -> (Stage, String) {
    let stage = project();
    let beside = stage.beside("answers").display().to_string();
    for (at, answer) in answers.iter().enumerate() {
        write(stage.beside("answers").join(at.to_string()), answer);
    }
    let last = answers.len() - 1;
    let work = format!(
        "cd_to={beside}\nn=$(cat $cd_to/n 2>/dev/null || echo 0)\nhead -n 1 > $cd_to/told-$n\n\
         [ $n -gt {last} ] && n={last}\ncp $cd_to/$n divisi-plan.json\n\
         echo $((n + 1)) > $cd_to/n"
    );
    let path = working(&stage, &work);
    (stage.with_env("PATH", &path), beside)
}

#[test]
fn an_agent_plans_its_faults_go_back_with_their_places_and_what_is_good_is_done() {
    let (stage, beside) = planning(&[PARTIAL, GOOD]);
    let agent = ["--planner", "agent", "--yes", "--allow-write", &beside];
    let args = [&["run", LIMITS][..], &agent].concat();
    stage
        .divisi(&args)
        .expect(0)
        .says("planned by an agent, as its first task")
        .says("plan planned 2 tasks");
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("plan", "split"), ("limit", "done"), ("docs", "done")],
    );
    assert_eq!(intent(&run).planner, Planner::Agent);
    let [first, second] = endings(&run, "plan") else {
        panic!("two attempts planned");
    };
    let AttemptEnd::Refused(Failure::Plan(faults)) = &first.end else {
        panic!("the first plan is refused: {:?}", first.end);
    };
    let says = |code: &str| faults.iter().any(|it| it.contains(code));
    assert!(
        says("lint-uncovered") && says("divisi-plan.json:"),
        "{faults:?}"
    );
    assert_eq!(second.end, AttemptEnd::Expanded);
    // The criteria of the whole are those that were planned.
    assert_eq!(run.criteria.len(), 1);
    assert_eq!(
        stage.result("limits.md").as_deref(),
        Some("# Limits\nlimit\n")
    );
    assert_eq!(
        stage.result("divisi-plan.json"),
        None,
        "a plan is no result"
    );
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("the plan was revised once");
}

#[test]
fn an_answer_that_cannot_be_used_ends_at_a_person_and_never_in_a_made_up_plan() {
    let (stage, beside) = planning(&["Sure! Here is the plan:", "{}", PARTIAL]);
    let agent = ["--planner", "agent", "--yes", "--allow-write", &beside];
    let args = [&["run", LIMITS][..], &agent].concat();
    stage
        .divisi(&args)
        .expect(3)
        .says("it failed 3 times; the last time what it planned cannot be run: ");
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("plan", "blocked")]);
    assert_eq!(run.tasks()[0].attempts(), 3);
    // That one task is not linted as if it were the plan.
    stage
        .divisi(&["plan", "lint", "1"])
        .expect(6)
        .says("what attempt 3 of plan planned was not taken")
        .says("fault   [lint-uncovered] divisi-plan.json:")
        .says(
            "error[planning-unmade]: run-1 has no plan yet, plan is to make it: it failed 3 times",
        )
        .says("divisi retry run-1 plan --note HINT");
}

#[test]
fn what_an_agent_planned_awaits_approval_and_is_edited_and_compared_until_then() {
    let (stage, beside) = planning(&[GOOD]);
    let agent = ["--planner", "agent", "--allow-write", &beside];
    stage
        .divisi(&[&["run", LIMITS][..], &agent].concat())
        .expect(4);
    assert_eq!(stage.only().tasks()[0].attempts(), 0, "nobody consented");
    stage
        .divisi(&["plan", "diff", "1"])
        .expect(6)
        .says("error[planning-one]");
    stage.divisi(&["approve", "1"]).expect(0);
    stage
        .divisi(&["resume", "1"])
        .expect(4)
        .says("the plan that plan made is not approved")
        .says("divisi plan edit run-1");
    let run = stage.only();
    stands(
        &run,
        RunStatus::AwaitingApproval,
        &[("plan", "split"), ("limit", "ready"), ("docs", "waiting")],
    );
    stage
        .divisi(&["plan", "diff", "1"])
        .expect(0)
        .says("+ limit");
    // What has a fault is not taken, and not lost.
    let broken = stage.with_env("EDITOR", "sed -i s/assigned_to/assigned_two/");
    broken
        .divisi(&["plan", "edit", "1"])
        .expect(2)
        .says("error[planning-faulty]: run-1 stays as it was");
    assert_eq!(broken.only().revision, 2);
    // What was kept is mended, and taken by the command that the error names.
    let kept = broken.beside("kept.json").display().to_string();
    write(&kept, &GOOD.replace("assigned_to", "assigned_two"));
    broken
        .divisi(&["plan", "edit", "1", "--from", &kept])
        .expect(2)
        .says(&format!("divisi plan edit 1 --from {kept}"));
    let mended = GOOD.replace("echo limit >", "echo limit of five >");
    write(&kept, &mended);
    broken
        .divisi(&["plan", "edit", "1", "--from", &kept])
        .expect(0)
        .says("echo limit of five");
    assert_eq!(broken.only().revision, 3);
    assert!(std::path::Path::new(&kept).exists(), "it is its owner's");
    let stage = broken.with_env("EDITOR", "sed -i 's/limit of five/limit of ten/'");
    stage
        .divisi(&["plan", "edit", "1"])
        .expect(0)
        .says("echo limit of ten")
        .says("divisi approve run-1 && divisi resume run-1");
    assert_eq!(stage.only().revision, 4);
    stage
        .divisi(&["plan", "diff", "1"])
        .expect(0)
        .says("~ limit");
    // Each revision is listed, and each can be looked at.
    stage
        .divisi(&["show", "1"])
        .expect(0)
        .says("as the run was created")
        .says("planned: limit, docs")
        .says("its owner edited it")
        .says("→ divisi plan diff run-1@1 run-1");
    stage
        .divisi(&["plan", "diff", "run-1@2", "run-1@4"])
        .expect(0)
        .says("~ limit")
        .says("echo limit of ten");
    stage
        .divisi(&["plan", "diff", "1@1"])
        .expect(0)
        .says("+ limit");
    stage.divisi(&["plan", "lint", "run-1@3"]).expect(0);
    let copy = stage.beside("second.json").display().to_string();
    stage
        .divisi(&["plan", "edit", "run-1@3"])
        .expect(6)
        .says("error[planning-in-force]: revision 3 of run-1 is not the plan in force");
    let unchanged = stage.with_env("EDITOR", "true");
    unchanged
        .divisi(&["plan", "edit", "run-1@3", "--save", &copy])
        .expect(0);
    let stage = unchanged;
    assert!(
        std::fs::read_to_string(&copy)
            .unwrap()
            .contains("echo limit of five")
    );
    stage
        .divisi(&["plan", "diff", "run-1@9", "1"])
        .expect(7)
        .says("the plan of run-1 has no revision 9");
    stage
        .divisi(&["watch", "1", "--from-start", "--json"])
        .expect(4)
        .says("plan_replaced");
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(
        stage.result("limits.md").as_deref(),
        Some("# Limits\nlimit of ten\n")
    );
    stage
        .divisi(&["plan", "edit", "1"])
        .expect(6)
        .says("error[planning-in-force]");
}

#[test]
fn what_an_agent_planned_is_refused_outright_and_planned_anew_with_the_reason() {
    let other = GOOD.replace("echo limit >", "echo limit of ten >");
    let (stage, beside) = planning(&[GOOD, &other]);
    let agent = ["--planner", "agent", "--allow-write", &beside];
    stage
        .divisi(&[&["run", LIMITS][..], &agent].concat())
        .expect(4);
    stage
        .divisi(&["reject", "1"])
        .expect(6)
        .says("error[planning-by-nobody]");
    stage.divisi(&["approve", "1"]).expect(0);
    stage
        .divisi(&["resume", "1"])
        .expect(4)
        .says("divisi reject run-1 --reason WHY");
    // Without a reason the same would be planned, and no reason could follow.
    stage
        .divisi(&["reject", "1"])
        .expect(2)
        .says("error[planning-reason]")
        .says("divisi reject run-1 --reason WHY");
    let reason = "ten requests, not any number";
    stage
        .divisi(&["reject", "1", "--reason", reason])
        .expect(0)
        .says("divisi resume run-1");
    let run = stage.only();
    stands(&run, RunStatus::Running, &[("plan", "ready")]);
    let end = &endings(&run, "plan")[0].end;
    assert_eq!(
        *end,
        AttemptEnd::Refused(Failure::Person(reason.to_owned()))
    );
    stage.divisi(&["resume", "1"]).expect(4);
    let told = |attempt: &str| {
        let path = stage.beside("answers").join(format!("told-{attempt}"));
        std::fs::read_to_string(path).expect("the agent kept what it was told")
    };
    assert!(!told("0").contains(reason));
    let again = told("1");
    assert!(again.contains(reason), "{again}");
    // Compared is the plan that was rejected, not that there was to be another.
    let compared = stage.divisi(&["plan", "diff", "1"]).expect(0).stdout;
    assert!(
        compared.starts_with("~ limit\n") && compared.contains("echo limit of ten"),
        "{compared}"
    );
    stage
        .divisi(&["watch", "1", "--from-start"])
        .expect(4)
        .says(&format!(
            "the plan is refused: {reason}; it is planned anew"
        ));
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(
        stage.result("limits.md").as_deref(),
        Some("# Limits\nlimit of ten\n")
    );
    stage
        .divisi(&["reject", "1", "--reason", "late"])
        .expect(6)
        .says("run-ended");
}

#[test]
fn on_a_terminal_the_plan_that_an_agent_made_is_shown_and_asked_about() {
    let (stage, beside) = planning(&[GOOD]);
    let stage = stage.with_env("NO_COLOR", "1");
    let agent = ["--planner", "agent", "--allow-write", &beside];
    let args = [&["run", LIMITS][..], &agent].concat();
    let (code, shown) = stage.on_a_terminal(&args, "y\ny\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown.matches("run it?").count(), 2, "{shown}");
    assert!(
        shown.contains("shown, and runs once it is approved"),
        "{shown}"
    );
    assert!(shown.contains("echo limit > src/limit.py"), "{shown}");
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
}

#[test]
fn on_a_terminal_a_plan_that_was_made_anew_is_shown_and_asked_about_too() {
    let other = GOOD.replace("echo limit >", "echo limit of ten >");
    let (stage, beside) = planning(&[GOOD, &other]);
    let stage = stage.with_env("NO_COLOR", "1");
    let agent = ["--planner", "agent", "--allow-write", &beside];
    let args = [&["run", LIMITS][..], &agent].concat();
    let (code, shown) = stage.on_a_terminal(&args, "y\nn\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 4, "{shown}");
    let (_, after) = shown.rsplit_once("run it?").expect("it asks");
    for command in ["approve run-1", "reject run-1 --reason WHY", "cancel run-1"] {
        assert!(after.contains(&format!("→ divisi {command}")), "{shown}");
    }
    stage
        .divisi(&["reject", "1", "--reason", "ten requests"])
        .expect(0);
    let (code, shown) = stage.on_a_terminal(&["resume", "1"], "n\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 4, "{shown}");
    assert!(
        shown.contains("echo limit of ten > src/limit.py"),
        "{shown}"
    );
    assert!(shown.contains("run it?"), "{shown}");
    let (code, shown) = stage.on_a_terminal(&["approve", "1"], "");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("echo limit of ten > src/limit.py"),
        "{shown}"
    );
    stage.divisi(&["resume", "1"]).expect(0);
}

/// A question is answered on a terminal, and what the agent plans is no more than one task.
#[test]
fn an_answer_is_planned_with_and_a_trivial_plan_of_an_agent_is_one_task() {
    const TRIVIAL: &str = r#"{"task_title": "The database on Postgres", "subtasks": [
      {"subtask_id": "schema", "title": "Migrate the database to Postgres", "assigned_to": "development",
       "worker_type": "implementation", "deliverables": ["db.sql"],
       "estimated_duration_minutes": 5, "estimated_tokens": 4000},
      {"subtask_id": "docs", "title": "Docs of the database", "assigned_to": "development",
       "worker_type": "implementation", "dependencies": ["schema"], "deliverables": ["db.md"],
       "estimated_duration_minutes": 5, "estimated_tokens": 4000}
     ], "criteria": [{"contains": "Postgres", "in": "db.sql"}]}"#;
    let stage = project();
    let beside = stage.beside("answers").display().to_string();
    write(stage.beside("answers").join("plan"), TRIVIAL);
    let path = working(
        &stage,
        &format!(
            "if [ -e {beside}/told-plan ]; then head -n 1 > {beside}/told-work\n\
             echo Postgres > db.sql; echo '# Postgres' > db.md\n\
             else head -n 1 > {beside}/told-plan; cp {beside}/plan divisi-plan.json; fi"
        ),
    );
    let stage = stage.with_env("PATH", &path).with_env("NO_COLOR", "1");
    let agent = ["--planner", "agent", "--allow-write", &beside];
    let args = [&["run", "Migrate the database, with docs"][..], &agent].concat();
    let (code, shown) = stage.on_a_terminal(&args, "Postgres\ny\ny\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("To what?"), "{shown}");
    let run = stage.only();
    let [question] = &intent(&run).settled[..] else {
        panic!("one question: {:?}", intent(&run).settled);
    };
    assert_eq!(
        (question.answer.as_str(), question.is_assumed),
        ("Postgres", false)
    );
    stands(
        &run,
        RunStatus::Succeeded,
        &[("plan", "split"), ("schema", "done")],
    );
    let told = |whom: &str| {
        let path = stage.beside("answers").join(whom);
        std::fs::read_to_string(path).expect("the agent kept what it was told")
    };
    assert!(told("told-plan").contains("To what? Postgres"));
    let work = told("told-work");
    assert!(work.contains("Docs of the database"), "{work}");
    assert_eq!(stage.result("db.md").as_deref(), Some("# Postgres\n"));
    stage
        .divisi(&["explain", "1"])
        .expect(0)
        .says("schema, docs were joined into one task");
}

/// An agent is asked where the words do not say the parts, so its tasks have other words. What no
/// program could find not done goes back.
#[test]
fn an_agents_plan_has_words_of_its_own_and_tasks_that_can_be_found_not_done() {
    const HONEST: &str = r#"{"task_title": "Books", "subtasks": [
      {"subtask_id": "ledger", "title": "Keep a ledger", "assigned_to": "development",
       "worker_type": "implementation", "script": "echo ledger > ledger.py", "deliverables": ["ledger.py"]},
      {"subtask_id": "manual", "title": "Say how it is used", "assigned_to": "documentation",
       "dependencies": ["ledger"], "script": "echo '# Use' > manual.md", "deliverables": ["manual.md"]}
     ], "criteria": [{"file": "README.md"}]}"#;
    let vague = HONEST.replace(
        r#""script": "echo ledger > ledger.py", "deliverables": ["ledger.py"]"#,
        r#""criteria": ["it keeps a ledger"]"#,
    );
    let (stage, beside) = planning(&[&vague, HONEST]);
    let request = "Build an entire accounting platform";
    let agent = ["--planner", "agent", "--allow-write", &beside];
    stage
        .divisi(&[&["run", request][..], &agent].concat())
        .expect(4);
    stage.divisi(&["approve", "1"]).expect(0);
    stage
        .divisi(&["resume", "1"])
        .expect(4)
        .says("the plan that plan made is not approved");
    let run = stage.only();
    let [first, _] = endings(&run, "plan") else {
        panic!("two attempts planned");
    };
    let AttemptEnd::Refused(Failure::Plan(faults)) = &first.end else {
        panic!("the first plan is refused: {:?}", first.end);
    };
    let [fault] = &faults[..] else {
        panic!("one fault: {faults:?}");
    };
    assert!(
        fault.contains("plan-unfalsifiable") && fault.contains("divisi-plan.json:"),
        "{fault}"
    );
    // Whoever approves reads what no rule can tell, and that nothing proves the whole.
    stage
        .divisi(&["explain", "1"])
        .expect(0)
        .says("no task says that it does `Build an entire accounting platform`")
        .says("all that the whole is held against is so before the work begins");
}

/// What `divisi plan` says of `divisi run` is what that does.
#[test]
fn what_a_plan_foretells_of_a_run_is_what_the_run_does() {
    for request in [
        "Add to src/parser.py:\n- multiplication\n- subtraction",
        "Add rate limiting to the API, with tests, a security audit and docs",
        "Fix a typo in README.md",
        REVIEW,
        "Migrate the database, with docs",
        "Build an entire platform",
    ] {
        for stage in [without_agents(), with_agent()] {
            let plan = stage.divisi(&["plan", request, "--json"]);
            let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
            stage.divisi(&["run", request]);
            let run = stage.try_view().and_then(|view| view.runs(None, 1).ok());
            let planner = match run.is_some_and(|runs| !runs.is_empty()) {
                true => serde_json::to_value(&intent(&stage.only()).planner).unwrap(),
                false => Value::Null,
            };
            assert_eq!(plan["run"]["planner"], planner, "{request}: {plan}");
        }
    }
    let stage = without_agents();
    stage
        .divisi(&["plan", "Fix a typo in README.md"])
        .expect(0)
        .says("`divisi run` would do it as one task (direct, ");
    // What cannot be planned is said with a command that can be copied.
    stage
        .divisi(&["plan", "Build an entire platform"])
        .expect(6)
        .says("divisi plan --one --save plan.json 'Build an entire platform'");
}

#[test]
fn a_plan_is_replaced_before_a_run_begins_at_all() {
    let stage = without_agents().with_env("EDITOR", "sed -i s/old/new/");
    let plan = stage.plan(&json!({"task_title": "One", "subtasks": [
        {"subtask_id": "a", "script": "echo old > a.md", "deliverables": ["a.md"]},
    ], "criteria": [{"file": "a.md"}]}));
    stage.divisi(&["run", &plan]).expect(4);
    stage.divisi(&["plan", "edit", "1"]).expect(0);
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("a.md").as_deref(), Some("new\n"));
}

/// What the sources' own requests look like that say their work by no verb of a rule: a report of
/// what is wrong, and a verb that is rare. They are work for whoever is there.
#[test]
fn what_no_rule_has_a_verb_for_is_one_task_or_an_agents() {
    const UNKNOWN: &[&str] = &[
        "Quick fix: the date is off by one",
        "Change how invoices are rounded. It must be right.",
        "Reticulate the splines of the second menu",
        "Kindly see to the flaky clock in the header",
    ];
    for request in UNKNOWN {
        let stage = without_agents();
        stage.divisi(&["run", request]).expect(4);
        let run = stage.only();
        assert_eq!(run.tasks().len(), 1, "{request}");
        assert_eq!(intent(&run).planner, Planner::One, "{request}");
    }
    // Where there is one that plans, and it pays, it plans.
    let stage = with_agent();
    let request =
        "Reticulate the splines of the whole platform; it must be right, a mistake is dear";
    stage.divisi(&["run", request]).expect(4);
    assert_eq!(intent(&stage.only()).planner, Planner::Agent);
    // What only forbids is no work.
    let stage = without_agents();
    stage
        .divisi(&["run", "Do not touch any of the docs", "--yes"])
        .expect(6)
        .says("error[planning-declined]");
}

/// What would be made in several passes is executed as a plan, and the report says so.
#[test]
fn passes_are_executed_as_a_plan_and_the_report_says_so() {
    const PASSES: &str = "Build me a SaaS with auth, billing and admin";
    let stage = project();
    let path = working(&stage, "mkdir -p src\ndate +%s%N > src/$$.py");
    let stage = stage.with_env("PATH", &path);
    let stage = stage.with_env("DIVISI_REVIEW_AGENTS", "person");
    stage
        .divisi(&["run", PASSES, "--planner", "rule", "--yes"])
        .expect(9);
    let names = ["auth", "billing", "admin"];
    for name in names {
        stage
            .divisi(&["approve", "1", name, "--note", "looked at"])
            .expect(0);
        stage.divisi(&["resume", "1"]).expect(9);
    }
    stage
        .divisi(&["approve", "1", "--note", "looked at"])
        .expect(0);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &names.map(|name| (name, "done")),
    );
    let kept = &intent(&run).assessment;
    assert_eq!(
        (&*kept.approach, &*kept.executed_as),
        ("multi_pass", "plan")
    );
    let selection = kept.pattern_selection.as_ref().expect("several are meant");
    let selected = selection.workflows.iter().map(|it| it.name.as_str());
    let selected: Vec<&str> = selected.collect();
    assert_eq!(
        selected,
        ["AuthWorkflow", "BillingWorkflow", "AdminWorkflow"]
    );
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("assessed as **multi\\_pass**")
        .says("executed as: plan")
        .says("does not run yet")
        .says("AuthWorkflow");
}

/// One request on one commit, as one task and divided, by an agent that says what it used.
#[test]
fn an_intent_done_as_one_and_divided_is_compared_by_what_was_predicted_and_used() {
    const REQUEST: &str = "1. Create src/cap.py\n2. Add tests/test_cap.py\n3. Write docs/cap.md";
    let stage = project();
    // It makes the files that its handoff names, and no others.
    let work = "told=$(head -n 1)\nmkdir -p docs src tests\n\
                for f in src/cap.py tests/test_cap.py docs/cap.md; do\n\
                case \"$told\" in *\"- \\`$f\\`\"*) yes 'a cap of ten' | head -n 40 > $f;; esac\ndone";
    let path = working(&stage, work);
    let stage = stage.with_env("PATH", &path);
    let stage = stage.with_env("DIVISI_REVIEW_AGENTS", "person");
    // Whether all that was asked for is done, a person says at the end.
    stage.divisi(&["run", REQUEST, "--yes"]).expect(9);
    stage.divisi(&["approve", "1", "--note", "read"]).expect(0);
    // The other one waits for its owner first, too: neither is time that the work took.
    stage.divisi(&["run", REQUEST, "--one"]).expect(4);
    let early = &["report", "--compare", "1", "2"];
    stage.divisi(early).expect(6).says("run-2 has not ended");
    stage.divisi(&["approve", "2"]).expect(0);
    stage.divisi(&["resume", "2"]).expect(9);
    stage
        .divisi(&["approve", "2", "task", "--note", "read"])
        .expect(0);
    stage.divisi(&["resume", "2"]).expect(0);
    let told = satisfies(&stage, "comparison", early);
    assert_eq!(told["asked"], REQUEST);
    let side = |side: &str, field: &str| told[side][field].as_u64().unwrap();
    assert_eq!(
        (&told["direct"]["run"], &told["split"]["run"]),
        (&json!("run-2"), &json!("run-1"))
    );
    let worked = |of: &str| {
        let (wall, waited) = (side(of, "wall_ms"), side(of, "waited_ms"));
        assert!(waited > 0 && waited < wall, "{told}");
        (wall - waited) as f64
    };
    let tasks = |side: &str| -> Vec<(u64, u64, u64)> {
        let tasks = told[side]["tasks"].as_array().unwrap().iter();
        let of = |it: &Value, field: &str| it[field].as_u64().unwrap();
        tasks
            .map(|it| {
                (
                    of(it, "attempts"),
                    of(it, "estimate_tokens"),
                    of(it, "tokens"),
                )
            })
            .collect()
    };
    assert_eq!(tasks("direct").len(), 1, "{told}");
    let split = tasks("split");
    assert_eq!(split.len(), 3, "{told}");
    for (attempts, predicted, used) in [tasks("direct"), split].concat() {
        // What the agent told, see `DONE`.
        assert_eq!((attempts, used), (1, 1_230), "{told}");
        assert!(predicted > 0, "{told}");
    }
    assert_eq!(told["ratios"]["tokens"], 3.0);
    assert_eq!(told["ratios"]["usd"], 3.0);
    assert_eq!(told["ratios"]["wall"], worked("split") / worked("direct"));
    // On another commit the same request is another matter.
    write(stage.path("more.txt"), "more\n");
    git(stage.project(), &["add", "."]);
    git(stage.project(), &["commit", "--quiet", "--message", "More"]);
    stage.divisi(&["run", REQUEST, "--yes"]).expect(9);
    stage.divisi(&["approve", "3", "--note", "read"]).expect(0);
    stage
        .divisi(&["report", "--compare", "2", "3"])
        .expect(6)
        .says("they started from different states");
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
