//! What people do in a run: consent, work, judge, answer, help, and give up.
//!
//! Nearly all of it without a terminal: what a person is needed for is an exit code and a printed command.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Event, Failure, RunStatus, TaskState, TaskStatus};
use divisi_core::{Outcome, Verdict};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, stands, task, write};

/// The verdicts with which a task's last attempt was verified.
fn verdicts(stage: &Stage, name: &str) -> Vec<Verdict> {
    let run = stage.only();
    let receipts = &endings(&run, name).last().expect("it was tried").receipts;
    let found = receipts.iter().find_map(|receipt| match receipt {
        Receipt::Verified { verdicts, .. } => Some(verdicts.clone()),
        _ => None,
    });
    found.expect("it was verified")
}

#[test]
fn a_person_is_told_what_the_task_is() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "a call", "subtasks": [
        {"subtask_id": "a", "agent": "person", "title": "Call Bob",
         "description": "Say that it is Tuesday.", "criteria": ["Bob knows."]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let told = stage.divisi(&["explain", "1", "a"]).expect(0);
    told.says("it is to be done: Call Bob")
        .says("in full: Say that it is Tuesday.");
}

fn with_approval() -> Value {
    json!({"task_title": "an approval", "subtasks": [
        {"subtask_id": "a", "command": ["true"]},
        {"subtask_id": "gate", "kind": "approval", "title": "is it good?", "dependencies": ["a"]},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["gate"]},
        {"subtask_id": "beside", "command": ["true"]},
    ]})
}

#[test]
fn an_approval_holds_back_what_depends_on_it_until_it_is_given() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage
        .run(&with_approval(), &[])
        .expect(4)
        .says("divisi approve run-1 gate");
    let waiting = [
        ("a", "done"),
        ("gate", "blocked"),
        ("b", "waiting"),
        ("beside", "done"),
    ];
    stands(&stage.only(), RunStatus::Blocked, &waiting);
    stage
        .divisi(&["approve", "1", "gate", "--note", "it is"])
        .expect(0);
    stage.divisi(&["resume"]).expect(0);
    let done = [
        ("a", "done"),
        ("gate", "done"),
        ("b", "done"),
        ("beside", "done"),
    ];
    stands(&stage.only(), RunStatus::Succeeded, &done);
    stage.divisi(&["report", "1"]).expect(0).says("it is");
}

#[test]
fn a_task_is_refused_with_a_reason_which_is_asked_for_on_a_terminal() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("NO_COLOR", "1");
    stage.run(&with_approval(), &[]).expect(4);
    for reason in [&[][..], &["--reason", " "]] {
        let args = [&["reject", "1", "gate"], reason].concat();
        stage
            .divisi(&args)
            .expect(2)
            .says("error[reject-reason]: nothing says why task gate of run-1 is refused")
            .says("divisi reject run-1 gate --reason WHY");
    }
    stage
        .divisi(&["reject", "1", "gat"])
        .expect(7)
        .says("did you mean `gate`?");
    assert_eq!(task(&stage.only(), "gate").status(), TaskStatus::Blocked);
    let (code, shown) = stage.on_a_terminal(&["reject", "1", "gate"], "\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 2, "{shown}");
    let (code, shown) = stage.on_a_terminal(&["reject", "1", "gate"], "not this week\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("is refused; why?"), "{shown}");
    stage
        .divisi(&["report", "1"])
        .expect(0)
        .says("not this week");
}

#[test]
fn changed_files_that_no_task_promised_stand_in_the_report() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "More than that", "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md; echo 2 > x; mkdir d; echo d > d/e.txt",
         "deliverables": ["a.md"]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout.clone();
    let (_, others) = report
        .split_once("## Other changed files\n")
        .expect("they are told");
    let others = others.split("##").next().unwrap().trim();
    assert_eq!(others, "- `d/e.txt`\n- `x`");
    let kept = std::fs::read_to_string(stage.path(".divisi/runs/run-1/report.md")).unwrap();
    assert!(kept.contains("- `d/e.txt`"), "{kept}");
    let json = stage
        .divisi(&["report", "1", "--json"])
        .expect(0)
        .stdout
        .clone();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["changed"],
        json!({"files": ["d/e.txt", "x"], "more": 0})
    );
}

#[test]
fn what_stands_before_an_approval_is_looked_at_and_done_again() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "a design first", "subtasks": [
        {"subtask_id": "design", "script": "echo ${DIVISI_JOB##*.} > design.md",
         "deliverables": ["design.md"]},
        {"subtask_id": "gate", "kind": "approval", "dependencies": ["design"]},
        {"subtask_id": "build", "script": "cp design.md built.md", "deliverables": ["built.md"],
         "dependencies": ["gate"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("refusing it is for good: the run fails, and build is skipped")
        .says("divisi diff run-1 design")
        .says("divisi retry run-1 design --note HINT");
    stage
        .divisi(&["diff", "run-1", "design"])
        .expect(0)
        .says("design.md");
    stage
        .divisi(&["retry", "run-1", "design", "--note", "shorter"])
        .expect(0);
    let again = [
        ("design", "ready"),
        ("gate", "waiting"),
        ("build", "waiting"),
    ];
    stands(&stage.only(), RunStatus::Running, &again);
    stage.divisi(&["approve", "1", "gate"]).expect(6);
    stage.divisi(&["resume", "1"]).expect(4);
    stage.divisi(&["approve", "1", "gate"]).expect(0);
    stage.divisi(&["retry", "1", "design"]).expect(6);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("built.md").as_deref(), Some("2\n"));
    // What the first one made held no less before the second: it is no less shown by its checks.
    let report = stage.divisi(&["report", "1"]).expect(0).stdout.clone();
    assert!(!report.contains("passed before the work too"), "{report}");
}

#[test]
fn who_cannot_do_their_task_says_so() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "by hand", "subtasks": [
        {"subtask_id": "w", "agent": "person", "deliverables": ["w.md"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi reject run-1 w --reason WHY");
    stage
        .divisi(&["reject", "run-1", "w", "--reason", "I cannot"])
        .expect(0);
    stands(&stage.only(), RunStatus::Blocked, &[("w", "blocked")]);
    stage
        .divisi(&["resume", "1"])
        .expect(3)
        .says("whoever was to do it could not: I cannot")
        .says("divisi retry run-1 w --note HINT")
        .says("divisi split run-1 w PARTS")
        .says("PARTS: a file with at least two smaller tasks");
    stage
        .divisi(&["retry", "1", "w", "--note", "with help"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    // Whoever does it next is told so, and not that a result was refused.
    let told = stage.path(".divisi/runs/run-1/handoffs/person/to-person-subtask-w@2.json");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(
        told.contains("whoever was to do it could not: I cannot"),
        "{told}"
    );
}

#[test]
fn what_a_person_wrote_in_the_workspace_is_not_overwritten_by_what_they_submit() {
    let stage = Stage::git(&[("w.md", "old\n")]);
    let plan = json!({"task_title": "by hand", "subtasks": [
        {"subtask_id": "w", "agent": "person", "deliverables": ["w.md"],
         "criteria": [{"contains": "right", "in": "w.md"}]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let file = stage.beside("w.md");
    let name = file.display().to_string();
    // What was there in the beginning is replaced, and what was submitted before.
    write(&file, "wrong\n");
    stage.divisi(&["submit", "1", "w", &name]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    write(&file, "still wrong\n");
    stage.divisi(&["submit", "1", "w", &name]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    let explained = stage.divisi(&["explain", "1", "w"]).expect(0).stdout;
    let (_, at) = explained
        .split_once("its workspace is ")
        .expect("it is told");
    let there = std::path::Path::new(at.lines().next().unwrap()).join("w.md");
    write(&there, "right, by hand\n");
    write(&file, "right\n");
    stage
        .divisi(&["submit", "1", "w", &name])
        .expect(6)
        .says("w.md was changed in the workspace and differs from the file that is given");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "right, by hand\n");
    // A pipe holds nothing back, and is waited for by nobody.
    std::fs::remove_file(&there).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&there).status();
    assert!(made.unwrap().success());
    stage
        .divisi(&["submit", "1", "w", &name])
        .expect(6)
        .says("cannot write w.md");
    std::fs::remove_file(&there).unwrap();
    write(&there, "right, by hand\n");
    stage.divisi(&["submit", "1", "w"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("w.md").as_deref(), Some("right, by hand\n"));
}

#[test]
fn an_approval_that_is_refused_fails_the_run() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&with_approval(), &[]).expect(4);
    stage
        .divisi(&["reject", "1", "gate", "--reason", "it is not"])
        .expect(0);
    stage.divisi(&["resume", "1"]);
    let tasks = [
        ("a", "done"),
        ("gate", "failed"),
        ("b", "skipped"),
        ("beside", "done"),
    ];
    stands(&stage.only(), RunStatus::Failed, &tasks);
    stage.divisi(&["watch", "1", "--from-start"]).expect(1);
}

#[test]
fn a_persons_work_is_submitted_with_its_files_and_checked_like_any_other() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "by hand", "subtasks": [
        {"subtask_id": "write", "agent": "person", "title": "write it", "deliverables": ["doc/text.md"],
         "criteria": [{"contains": "right", "in": "doc/text.md"}]},
        {"subtask_id": "use", "script": "cat doc/text.md > used", "inputs": ["write"], "deliverables": ["used"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi submit run-1 write");
    let file = stage.beside("text.md");
    let name = file.display().to_string();
    write(&file, "wrong\n");
    stage.divisi(&["submit", "1", "write", &name]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    let run = stage.only();
    let [refused] = endings(&run, "write") else {
        panic!("one attempt was refused");
    };
    assert!(matches!(
        refused.end,
        AttemptEnd::Refused(Failure::Checks(_))
    ));
    write(&file, "right\n");
    stage.divisi(&["submit", "1", "write", &name]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("write", "done"), ("use", "done")],
    );
    assert_eq!(stage.result("used").as_deref(), Some("right\n"));
}

fn in_plain_words() -> Value {
    // Each attempt leaves a copy of what it was told.
    let script = "echo words > a.md; cp \"$DIVISI_HANDOFF\" told-${DIVISI_JOB##*.}.json";
    json!({"task_title": "plain words", "subtasks": [
        {"subtask_id": "a", "script": script, "deliverables": ["a.md"], "criteria": ["it reads well"]},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]},
    ]})
}

#[test]
fn plain_words_are_judged_by_a_person() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage
        .run(&in_plain_words(), &[])
        .expect(9)
        .says("divisi approve run-1 a");
    stands(
        &stage.only(),
        RunStatus::Blocked,
        &[("a", "blocked"), ("b", "waiting")],
    );
    stage
        .divisi(&["approve", "1", "a", "--note", "it does"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let judged = &verdicts(&stage, "a")[0];
    assert_eq!(
        (judged.outcome, judged.evidence.as_str()),
        (Outcome::Pass, "it does")
    );
}

#[test]
fn what_a_person_refused_is_tried_again_with_the_reason() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&in_plain_words(), &[]).expect(9);
    stage
        .divisi(&["reject", "1", "a", "--reason", "too dry"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(9);
    let run = stage.only();
    let refused = AttemptEnd::Refused(Failure::Person("too dry".into()));
    assert_eq!(endings(&run, "a")[0].end, refused);
    stage
        .divisi(&["approve", "1", "a", "--waive", "--note", "good enough"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let waived = &verdicts(&stage, "a")[0];
    assert_eq!(
        (waived.outcome, waived.evidence.as_str()),
        (Outcome::Waived, "good enough")
    );
    let told: Value = serde_json::from_str(&stage.result("told-2.json").unwrap()).unwrap();
    let reason = told["feedback"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("too dry"), "{reason}");
    stage.divisi(&["report", "1"]).expect(0).says("waived");
}

#[test]
fn a_question_is_answered_in_the_next_handoff() {
    let stage = Stage::git(&[("x", "1\n")]);
    // It fails once before it asks: what it was told then is no answer.
    let script = "if test ${DIVISI_JOB##*.} = 1; then exit 1
                  elif grep -q '\"answer\": \"blue\"' \"$DIVISI_HANDOFF\"
                  then echo blue > a.md; cp \"$DIVISI_HANDOFF\" told.json
                  else echo 'which color?' > \"$DIVISI_QUESTION\"; fi";
    let plan = json!({"task_title": "it asks", "subtasks": [
        {"subtask_id": "a", "script": script, "deliverables": ["a.md"], "retries": 0},
        {"subtask_id": "beside", "command": ["true"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    let note = ["retry", "1", "a", "--note", "mind the light"];
    stage.divisi(&note).expect(0);
    stage
        .divisi(&["resume", "1"])
        .expect(4)
        .says("divisi answer run-1 a");
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[("a", "blocked"), ("beside", "done")],
    );
    assert_eq!(
        task(&run, "a").state,
        TaskState::Question("which color?".into())
    );
    stage
        .divisi(&["answer", "1", "a", " "])
        .expect(2)
        .says("error[answer-empty]");
    stage
        .divisi(&["explain", "1", "a"])
        .expect(0)
        .says("which color?");
    stage.divisi(&["answer", "1", "a", "blue"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let told: Value = serde_json::from_str(&stage.result("told.json").unwrap()).unwrap();
    assert_eq!(
        told["answers"],
        json!([
            {"question": "", "answer": "mind the light"},
            {"question": "which color?", "answer": "blue"},
        ])
    );
    let run = stage.only();
    let ends: Vec<&AttemptEnd> = endings(&run, "a")
        .iter()
        .map(|ending| &ending.end)
        .collect();
    let asked = AttemptEnd::Asked("which color?".into());
    assert_eq!(ends[1..], [&asked, &AttemptEnd::Integrated]);
}

fn too_big() -> Value {
    json!({"task_title": "too big", "subtasks": [
        {"subtask_id": "big", "command": ["false"], "deliverables": ["one.md", "two.md"], "retries": 0},
        {"subtask_id": "after", "script": "cat one.md two.md > all.md", "deliverables": ["all.md"],
         "dependencies": ["big"]},
    ]})
}

#[test]
fn an_escalated_task_is_split_and_its_dependents_wait_for_the_parts() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage
        .run(&too_big(), &[])
        .expect(3)
        .says("divisi explain run-1 big");
    let parts = json!([
        {"subtask_id": "one", "script": "echo 1 > one.md", "deliverables": ["one.md"]},
        {"subtask_id": "two", "script": "echo 2 > two.md", "deliverables": ["two.md"], "dependencies": ["one"]},
    ]);
    let file = stage.beside("parts.json");
    write(&file, &parts.to_string());
    let name = file.display().to_string();
    stage
        .divisi(&["split", "1", "big", &name, "--reason", "too big"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let tasks = [
        ("big", "split"),
        ("after", "done"),
        ("one", "done"),
        ("two", "done"),
    ];
    stands(&stage.only(), RunStatus::Succeeded, &tasks);
    assert_eq!(stage.only().revision, 2);
    assert_eq!(stage.result("all.md").as_deref(), Some("1\n2\n"));
}

#[test]
fn parts_that_make_no_plan_are_refused_and_change_nothing() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&too_big(), &[]).expect(3);
    let before = stage.timed_events().len();
    for (parts, code) in [
        (json!([{"subtask_id": "one", "command": ["true"]}]), 6),
        (
            json!([{"subtask_id": "after", "command": ["true"]}, {"subtask_id": "b", "command": ["true"]}]),
            6,
        ),
        (
            json!([{"subtask_id": "a", "command": ["true"], "dependencies": ["b"]},
                {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]}]),
            2,
        ),
    ] {
        let file = stage.beside("parts.json");
        write(&file, &parts.to_string());
        stage
            .divisi(&["split", "1", "big", &file.display().to_string()])
            .expect(code);
    }
    assert_eq!(stage.timed_events().len(), before);
}

#[test]
fn an_escalated_task_is_tried_again_with_a_note_or_given_up() {
    let stage = Stage::git(&[("x", "1\n")]);
    let script = "if grep -qs 'use the door' \"$DIVISI_HANDOFF\"; then echo in > a.md; fi";
    let plan = json!({"task_title": "a hint helps", "subtasks": [
        {"subtask_id": "a", "script": script, "deliverables": ["a.md"]},
        {"subtask_id": "b", "command": ["false"], "retries": 1},
        {"subtask_id": "after", "command": ["true"], "dependencies": ["a"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    assert_eq!(
        (
            endings(&stage.only(), "a").len(),
            endings(&stage.only(), "b").len()
        ),
        (3, 2)
    );
    stage
        .divisi(&["retry", "1", "a", "--note", "use the door"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(3);
    assert_eq!(endings(&stage.only(), "a").len(), 4);
    stage
        .divisi(&["reject", "1", "b", "--reason", "not needed"])
        .expect(0);
    stage.divisi(&["resume", "1"]);
    let tasks = [("a", "done"), ("b", "failed"), ("after", "done")];
    stands(&stage.only(), RunStatus::Failed, &tasks);
    stage.divisi(&["retry", "1", "a"]).expect(6);
    stage.divisi(&["retry", "1", "nobody"]);
    stage.divisi(&["retry", "9", "a"]).expect(7);
}

#[test]
fn what_was_never_collected_is_cleaned_up_only_when_it_cannot_be_tried_again() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "given up", "subtasks": [
        {"subtask_id": "a", "script": "echo work > notes; ln -s /etc/passwd a.md",
         "deliverables": ["a.md"], "retries": 0},
        {"subtask_id": "open", "agent": "person", "deliverables": ["b.md"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    let notes = stage.path(".divisi/worktrees/run-1-t0-1/notes");
    assert!(notes.exists());
    stage
        .divisi(&["reject", "1", "a", "--reason", "no"])
        .expect(0);
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert!(notes.exists(), "it could be tried again");
    stage.divisi(&["cancel", "1"]).expect(0);
    stage.divisi(&["resume", "1"]);
    assert!(stage.only().ended.is_some());
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert!(!notes.exists(), "nobody will go on with it");
}

#[test]
fn what_an_agent_works_on_is_not_submitted_by_a_person() {
    let stage = Stage::git(&[("x", "1\n")]);
    let script = "while ! test -e go; do sleep 0.02; done; echo agent > out.txt";
    let plan = json!({"task_title": "an agent's", "subtasks": [
        {"subtask_id": "a", "script": script, "deliverables": ["out.txt"]},
    ]});
    let given = stage.beside("out.txt");
    write(&given, "person\n");
    let running = stage.start_plan(&plan, &[]);
    let workspace = stage.path(".divisi/worktrees/run-1-t0-1");
    stage.until_event("it works", |event| {
        matches!(event, Event::AttemptStarted { .. })
    });
    stage
        .divisi(&["submit", "run-1", "a", given.to_str().unwrap()])
        .expect(6)
        .says("task a is not done by a person");
    assert!(!workspace.join("out.txt").exists(), "nothing was changed");
    write(workspace.join("go"), "");
    running.wait().expect(0);
    assert_eq!(stage.result("out.txt").unwrap(), "agent\n");
}

#[test]
fn files_of_one_name_go_to_the_folders_they_are_promised_in() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "stories", "subtasks": [
        {"subtask_id": "a", "title": "yours", "deliverables": ["S1/r.md", "S2/r.md"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let file = |name: &str| {
        let path = stage.beside(name);
        write(&path, name);
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (file("S1/r.md"), file("S2/r.md"));
    let (loose, other) = (file("r.md"), file("other.md"));
    let workspace = stage.path(".divisi/worktrees/run-1-t0-1");
    for (files, cause) in [
        (vec![&loose], "may be S1/r.md or S2/r.md"),
        (vec![&one, &other], "is none of the files that are promised"),
        (vec![&one, &one], "two of the files are S1/r.md"),
    ] {
        let args: Vec<&str> = ["submit", "run-1", "a"]
            .into_iter()
            .chain(files.iter().map(|file| file.as_str()))
            .collect();
        stage.divisi(&args).expect(6).says(cause);
        assert!(
            !workspace.join("S1").exists(),
            "nothing was changed: {cause}"
        );
    }
    stage
        .divisi(&["submit", "run-1", "a", &two, &one])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("S1/r.md").unwrap(), "S1/r.md");
    assert_eq!(stage.result("S2/r.md").unwrap(), "S2/r.md");
}

/// What is half made is judged before it is submitted, and nothing of that is kept.
#[test]
fn partial_work_is_judged_while_it_goes_on() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = stage.plan(&json!({"task_title": "t", "subtasks": [
        {"subtask_id": "a", "agent": "person", "deliverables": ["a.md", "b.md"],
         "criteria": [{"section": "Risks", "in": "a.md"}, "It reads well."]}]}));
    stage.divisi(&["run", &plan, "--yes"]).expect(4);
    let all = |args: &[&str], text: &str| stage.divisi(args).expect(0).says(text);
    all(&["status", "1"], "0 of 2 files made");
    all(&["show", "1", "a"], "0 of 3 criteria on files hold by now");
    let folder = stage.path(".divisi/worktrees/run-1-t0-1");
    write(folder.join("a.md"), "# A\n\n## Risks\n\nNone.\n");
    // What leads elsewhere is no file of the task's.
    std::os::unix::fs::symlink(stage.path("x"), folder.join("b.md")).unwrap();
    all(&["status", "1"], "1 of 2 files made");
    all(&["show", "1", "a"], "2 of 3 criteria on files hold by now").says("not yet: b.md");
    let ran = stage.divisi(&["show", "1", "a", "--json"]).expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcomes: Vec<&Value> = document["so_far"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| &verdict["outcome"])
        .collect();
    assert_eq!(outcomes.iter().filter(|it| **it == "pass").count(), 2);
    assert_eq!(outcomes.len(), 3);
    let ran = stage.divisi(&["status", "1", "--json"]).expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (
            &document["tasks"][0]["made"],
            &document["tasks"][0]["promised"]
        ),
        (&json!(1), &json!(2))
    );
    // Nothing of it was journaled.
    let run = stage.only();
    assert!(task(&run, "a").receipts().next().is_none());
}

#[test]
fn what_was_judged_of_the_only_task_is_not_asked_again_of_the_whole() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "one task", "criteria": ["It reads well."], "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md", "deliverables": ["a.md"],
         "criteria": ["It reads well."]},
    ]});
    stage.run(&plan, &[]).expect(9);
    stage
        .divisi(&["approve", "1", "a", "--note", "it does"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("a", "done")]);
    stage.divisi(&["report", "1"]).expect(0).says("it does");
}
