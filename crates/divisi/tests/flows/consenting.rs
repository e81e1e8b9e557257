//! What a run asks before it begins, on a terminal and without one.

use divisi_core::run::RunStatus;
use serde_json::json;

use crate::stage::{Stage, stands, task};

#[test]
fn a_plan_that_nobody_approved_waits_and_says_how() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan =
        json!({"task_title": "unapproved", "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    let path = stage.plan(&plan);
    stage
        .divisi(&["run", &path])
        .expect(4)
        .says("divisi approve run-1");
    stands(
        &stage.only(),
        RunStatus::AwaitingApproval,
        &[("a", "ready")],
    );
    assert_eq!(
        task(&stage.only(), "a").attempts(),
        0,
        "nothing was started"
    );
    stage
        .divisi(&["approve", "1"])
        .expect(0)
        .says("divisi resume run-1");
    stage.divisi(&["resume", "1"]).expect(0);
    stands(&stage.only(), RunStatus::Succeeded, &[("a", "done")]);
}

#[test]
fn who_says_no_to_a_run_is_not_reminded_of_it() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("NO_COLOR", "1");
    let plan = json!({"task_title": "Unwanted", "subtasks": [
        {"subtask_id": "a", "command": ["true"]},
    ]});
    let path = stage.plan(&plan);
    let (code, shown) = stage.on_a_terminal(&["run", &path], "n\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 5, "{shown}");
    assert!(shown.contains("you said no, so it is canceled"), "{shown}");
    let unwanted = stage.only();
    stands(&unwanted, RunStatus::Canceled, &[("a", "canceled")]);
    assert_eq!(task(&unwanted, "a").attempts(), 0);
    let later = stage.run(&plan, &[]).expect(0);
    assert!(!later.stderr.contains("unfinished"), "{}", later.stderr);
    // Who was asked and did not answer may yet.
    let (code, _) = stage.on_a_terminal(&["run", &path, "--quiet"], "");
    assert_ne!(code, 5);
}

#[test]
fn without_a_terminal_nothing_waits_for_input() {
    let plan = json!({"task_title": "everything that people do", "subtasks": [
        {"subtask_id": "gate", "kind": "approval"},
        {"subtask_id": "work", "agent": "person", "deliverables": ["w.md"]},
        {"subtask_id": "words", "script": "echo x > x.md", "deliverables": ["x.md"], "criteria": ["it is good"]},
        {"subtask_id": "asks", "script": "echo why > \"$DIVISI_QUESTION\"", "deliverables": ["y.md"]},
        {"subtask_id": "outside", "kind": "external", "inputs": [{"path": "z"}], "deliverables": ["z"]},
    ]});
    let commands = [
        "divisi approve run-1 gate",
        "divisi submit run-1 work",
        "divisi approve run-1 words",
        "divisi answer run-1 asks",
        "divisi submit run-1 outside",
    ];
    for stdin in ["</dev/null", "<&-", "| "] {
        let stage = Stage::git(&[("x", "1\n")]);
        let path = stage.plan(&plan);
        // A pipe that nobody writes to and nobody closes is no terminal either.
        let (program, shell) = (env!("CARGO_BIN_EXE_divisi"), stage.beside("run"));
        let fifo = shell.join("pipe").display().to_string();
        let script = match stdin {
            "| " => format!("mkfifo {fifo}; exec 9<>{fifo}; exec {program} run {path} --yes <&9"),
            closed => format!("exec {program} run {path} --yes {closed}"),
        };
        let mut command = stage.command(&[]);
        let environment: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.map(std::ffi::OsStr::to_owned)))
            .collect();
        command = std::process::Command::new("sh");
        command
            .args(["-c", &script])
            .current_dir(stage.project())
            .env_clear();
        for (name, value) in environment {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{stdin}: {told}");
        for expected in commands {
            assert!(
                told.contains(expected),
                "{stdin}: {expected} is not in {told}"
            );
        }
    }
}

#[test]
fn a_plan_is_run_on_a_terminal_only_after_what_it_would_run_was_shown() {
    let plan = json!({"task_title": "asked first", "subtasks": [
        {"subtask_id": "made", "script": ": sesame-street; echo 1 > made.md", "deliverables": ["made.md"],
         "criteria": [{"command": ["test", "-s", "made.md"]}]},
        {"subtask_id": "sign", "agent": "person", "deliverables": ["s.md"]},
    ]});
    for (typed, quiet, code, is_started) in [
        ("n\n", false, 5, false),
        ("", true, 4, false),
        ("y\n", true, 4, true),
    ] {
        let stage = Stage::git(&[("x", "1\n")]).with_env("MY_TOKEN", "sesame-street");
        std::fs::write(stage.path("x"), "2\n").unwrap();
        let path = stage.plan(&plan);
        let mut args = vec!["run", path.as_str()];
        if quiet {
            args.push("--quiet");
        }
        let (ended, bytes) = stage.on_a_terminal(&args, typed);
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(ended, code, "{typed:?}: {shown}");
        let asked = shown.find("run it? [Y/n]").expect("it asks");
        // Whoever is quiet is told of it where it is asked for.
        let warned = shown.find("warning[base-uncommitted]");
        assert_eq!(warned.is_some_and(|at| at < asked), !quiet, "{shown}");
        let created = shown.contains(" created; its plan is ");
        assert_eq!(created, !quiet && !is_started, "{shown}");
        for expected in [
            "on main (",
            ", without what is not committed",
            "| ",
            ": [masked]; echo 1 > made.md",
            "test -s made.md",
            "sign",
            "person",
        ] {
            let at = shown.find(expected);
            assert!(
                at.is_some_and(|at| at < asked),
                "{expected:?} is not in {shown}"
            );
        }
        assert!(!shown.contains("sesame-street"), "{shown}");
        let made = task(&stage.only(), "made").attempts();
        assert_eq!(made > 0, is_started, "{typed:?}");
    }
}

#[test]
fn without_a_terminal_what_waits_for_consent_is_shown_too() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "asked later", "subtasks": [
        {"subtask_id": "a", "command": ["sh", "-c", "echo 1"]},
    ]});
    let path = stage.plan(&plan);
    stage
        .divisi(&["run", &path])
        .expect(4)
        .says("a  command: sh -c 'echo 1'");
    assert_eq!(task(&stage.only(), "a").attempts(), 0);
}
