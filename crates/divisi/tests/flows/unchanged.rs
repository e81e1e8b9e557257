//! Nothing is done by a word alone: of work that changed nothing, what was shown and what was not.

use divisi_core::run::{RunStatus, TaskState};
use serde_json::{Value, json};

use crate::found::working;
use crate::reviewing::install;
use crate::stage::{Stage, stands, task, write};

/// `a` is checked by a program that passes whatever is done; the whole likewise.
fn plan(agent: &str) -> Value {
    json!({"task_title": "An option", "subtasks": [
        {"subtask_id": "a", "title": "Add an option", "agent": agent,
         "criteria": [{"command": ["test", "-e", "README.md"]}]},
    ], "criteria": [{"command": ["test", "-e", "README.md"]}]})
}

fn project() -> Stage {
    Stage::git(&[("README.md", "# A project\n")])
}

/// An agent that does this.
fn with_agent(work: &str) -> Stage {
    let stage = project();
    let path = working(&stage, work);
    stage.with_env("PATH", &path)
}

const OPEN: &str = "the original request is satisfied: open (1 of 1 criteria of the whole pass";

#[test]
fn an_agent_that_only_says_that_it_is_done_is_tried_again_and_then_a_person_decides() {
    let stage = with_agent("true");
    let ran = stage.run(&plan("claude"), &[]);
    ran.expect(3)
        .says("nothing was changed: its checks held before, and show nothing of it");
    let run = stage.only();
    assert_eq!(task(&run, "a").attempts(), 3);
    assert!(matches!(task(&run, "a").state, TaskState::Escalated(_)));
    let told = stage.path(".divisi/runs/run-1/handoffs/claude/to-claude-subtask-a@3.json");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(told.contains("say why in your last words"), "{told}");

    let told = stage.divisi(&["explain", "1", "a"]).expect(0);
    told.says("divisi approve run-1 a --note WHY");
    stage
        .divisi(&["approve", "1", "a", "--note", "it has one"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("a", "done")]);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    for said in [
        "a: it is done and changed no file",
        "told: it has one",
        OPEN,
    ] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
    // What stands on the branch is the base, which somebody else made.
    let diff = stage.divisi(&["diff", "1", "a"]).expect(0);
    let diff = diff.says("task a changed no file");
    assert_eq!(diff.stdout, "");
}

#[test]
fn who_does_it_when_told_so_is_done() {
    // Its first attempt leaves a word beside the project only.
    let stage = project();
    let seen = stage.beside("seen").display().to_string();
    let work = format!("if test -e {seen}; then echo new > option.md; else touch {seen}; fi");
    let path = working(&stage, &work);
    let stage = stage.with_env("PATH", &path);
    let beside = stage.beside("").display().to_string();
    stage
        .run(&plan("claude"), &["--allow-write", &beside])
        .expect(0);
    let run = stage.only();
    assert_eq!(task(&run, "a").attempts(), 2);
    assert_eq!(stage.result("option.md").as_deref(), Some("new\n"));
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(
        report.contains("the original request is satisfied: yes"),
        "{report}"
    );
    assert!(!report.contains("changed no file"), "{report}");
}

/// The request names a file, and the tests of the project pass whatever is made.
#[test]
fn who_changes_something_else_than_was_asked_for_is_told_so_and_tried_again() {
    let stage = Stage::git(&[
        ("calc.js", "exports.add = (a, b) => a + b;\n"),
        ("package.json", r#"{"scripts": {"test": "true"}}"#),
    ]);
    let seen = stage.beside("seen").display().to_string();
    let work = format!(
        "if test -e {seen}; then echo '// multiply' >> calc.js; else echo junk > junk.txt; touch {seen}; fi"
    );
    let path = working(&stage, &work);
    let stage = stage.with_env("PATH", &path);
    let beside = stage.beside("").display().to_string();
    let change = json!({"changed": "calc.js"});
    let plan = json!({"task_title": "Multiply", "subtasks": [
        {"subtask_id": "a", "title": "Add multiply to calc.js", "agent": "claude",
         "criteria": [change, {"command": ["true"]}]},
    ], "criteria": [change]});
    stage.run(&plan, &["--allow-write", &beside]).expect(0);
    let run = stage.only();
    assert_eq!(task(&run, "a").attempts(), 2);
    let told = stage.path(".divisi/runs/run-1/handoffs/claude/to-claude-subtask-a@2.json");
    let told = std::fs::read_to_string(told).unwrap();
    let why = "no file that matches calc.js was changed; changed was junk.txt";
    assert!(told.contains(why), "{told}");
    assert!(told.contains("changes calc.js"), "{told}");
    let made = stage.result("calc.js").unwrap();
    assert!(made.ends_with("// multiply\n"), "{made}");
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(report.contains("changes calc.js"), "{report}");
}

/// What one task makes another takes back: on the whole it was not done.
#[test]
fn what_is_to_be_changed_is_changed_on_the_whole() {
    let stage = project();
    let back = "echo '# A project' > README.md";
    let plan = json!({"task_title": "A", "subtasks": [
        {"subtask_id": "a", "script": "echo more >> README.md", "workspace": "worktree",
         "criteria": [{"changed": "*.md"}]},
        {"subtask_id": "b", "script": back, "workspace": "worktree", "dependencies": ["a"],
         "criteria": [{"changed": "README.md"}]},
    ], "criteria": [{"changed": "README.md"}]});
    stage.run(&plan, &[]).expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "done"), ("b", "done")]);
    let told = stage.divisi(&["explain", "1"]).expect(0);
    told.says("no file that matches README.md was changed; nothing was");
    assert_eq!(task(&run, "a").attempts(), 1);
    assert_eq!(task(&run, "b").attempts(), 1);
    stage
        .divisi(&["approve", "1", "--waive", "--note", "as it was"])
        .expect(0);
    stage.divisi(&["resume", "1"]);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
}

#[test]
fn what_is_to_be_changed_is_changed_in_a_shared_workspace_and_by_a_person() {
    let stage = project();
    let of = |id: &str, script: &str| {
        json!({"subtask_id": id, "script": script, "workspace": "shared", "retries": 0,
               "criteria": [{"changed": "README.md"}]})
    };
    let plan = |first: Value| json!({"task_title": "A", "subtasks": [first]});
    stage
        .run(&plan(of("a", "echo more > other.md")), &[])
        .expect(3)
        .says("no file that matches README.md was changed; changed was other.md");
    stage.run(&plan(of("a", "rm README.md")), &[]).expect(0);
    let person =
        json!({"subtask_id": "a", "agent": "person", "criteria": [{"changed": "README.md"}]});
    stage.run(&plan(person), &[]).expect(4);
    stage.divisi(&["submit", "3", "a"]).expect(0);
    stage.divisi(&["resume", "3"]);
    let told = stage.divisi(&["explain", "3", "a"]).expect(0);
    told.says("no file that matches README.md was changed; nothing was");
}

#[test]
fn what_says_what_the_files_are_to_be_may_hold_already_and_the_report_says_so() {
    let stage = with_agent("true");
    let plan = json!({"task_title": "A", "subtasks": [
        {"subtask_id": "a", "title": "Name the project", "agent": "claude",
         "criteria": [{"contains": "# A project", "in": "README.md"}]},
        {"subtask_id": "b", "script": "echo b > b.md", "deliverables": ["b.md"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(
        report.contains("a: it is done and changed no file"),
        "{report}"
    );
    assert!(
        !report.contains("b: it is done and changed no file"),
        "{report}"
    );
}

#[test]
fn a_person_may_change_nothing_and_whoever_judges_sees_that() {
    let stage = project();
    let mut plan = plan("person");
    plan["subtasks"][0]["criteria"] = json!(["It is easy to use."]);
    stage.run(&plan, &[]).expect(4);
    stage.divisi(&["submit", "1", "a"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(9);
    stage
        .divisi(&["explain", "1", "a"])
        .expect(0)
        .says("attempt 1 by person changed no file: all is as it was before");
    let diff = stage.divisi(&["diff", "1", "a"]).expect(0);
    diff.says("task a changed no file");
    stage
        .divisi(&["approve", "1", "a", "--note", "tried it"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    for said in ["a: it is done and changed no file", OPEN] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
}

/// A request of one task in a project without tests, with an agent that does this and says nothing of
/// what it uses. A person judges.
fn fixing(work: &str) -> Stage {
    let stage = Stage::git(&[("src/calc.py", "2 - 1\n"), ("docs/a.md", "# Docs\n")]);
    let program = install(&stage, "author", &format!("#!/bin/sh\n{work}\n"));
    let config = json!({
        "run": {"agent": "custom.author"},
        "agents": {"custom": {"author": {"command": [program], "speaks": "text"}}},
        "review": {"agents": ["person"]},
    });
    write(stage.path("divisi.yaml"), &config.to_string());
    stage
}

const FIX: &str = "Fix src/calc.py. Do not touch docs/.";

const FIXED: &str = "fix-src-calc-py";

#[test]
fn what_a_person_judges_of_one_task_is_not_asked_again_of_the_whole() {
    let stage = fixing("echo '2 + 1' > src/calc.py");
    stage.divisi(&["run", FIX, "--yes"]).expect(9);
    stage
        .divisi(&["approve", "1", FIXED, "--note", "it adds now"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    let (_, whole) = report.split_once("## The whole\n").expect("it is judged");
    let said = format!("> a person judged it of task {FIXED} at ");
    assert!(whole.contains(&said), "{report}");
    for said in [
        "the original request is satisfied: yes",
        ": it adds now",
        "not counted, since no agent reported them",
    ] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
}

#[test]
fn who_changes_nothing_of_what_a_person_judges_is_tried_again_before_the_person_is_asked_once() {
    let stage = fixing("true");
    stage
        .divisi(&["run", FIX, "--yes"])
        .expect(3)
        .says("nothing was changed: its checks held before, and show nothing of it")
        .says("whoever approves it says that this holds: everything that was asked for is done");
    assert_eq!(task(&stage.only(), FIXED).attempts(), 3);
    stage
        .divisi(&["approve", "1", FIXED, "--note", "it subtracts on purpose"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[(FIXED, "done")]);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    for said in [
        "the original request is satisfied: yes",
        "that fix-src-calc-py had nothing to change is its owner's word",
        "told: it subtracts on purpose",
        "it is done and changed no file",
        "not counted, since no agent reported them",
    ] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
}

/// A change that the whole wants, too, and that its owner found unneeded, is not lacking.
#[test]
fn a_request_whose_change_its_owner_finds_unneeded_is_not_unsatisfied() {
    let stage = fixing("true");
    stage
        .divisi(&["run", "Add multiply to src/calc.py", "--yes"])
        .expect(3);
    let of = "add-multiply-src-calc-py";
    stage
        .divisi(&["approve", "1", of, "--note", "it is there"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    let said = "the original request is satisfied: yes (1 of 2 criteria of the whole pass, 1 waived; \
                that add-multiply-src-calc-py had nothing to change is its owner's word)";
    assert!(report.contains(said), "{report}");
}

/// A reviewer that says nothing that could be used is not who judged.
#[test]
fn a_review_without_a_verdict_is_closed_and_not_done() {
    let stage = project();
    let program = |name, text| json!({"command": [install(&stage, name, text)], "speaks": "text"});
    let config = json!({
        "agents": {"custom": {
            "author": program("author", "#!/bin/sh\necho easy > use.md\n"),
            "judge": program("judge", "#!/bin/sh\necho fine\n"),
        }},
        "review": {"agents": ["custom.judge"]},
    });
    write(stage.path("divisi.yaml"), &config.to_string());
    let mut plan = plan("custom.author");
    plan["subtasks"][0]["criteria"] = json!(["It is easy to use."]);
    stage.run(&plan, &[]).expect(3);
    stage
        .divisi(&["approve", "1", "a", "--note", "tried it"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    for said in [
        "all tasks completed: yes (1 of 1 done; 1 review closed without a verdict)",
        "| `a-review1` | closed |",
        "it was closed without a verdict of its own",
    ] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
    stage
        .divisi(&["explain", "1", "a-review1"])
        .expect(0)
        .says("it was closed without a verdict of its own");
}
