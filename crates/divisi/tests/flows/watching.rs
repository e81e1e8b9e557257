//! Somebody in another terminal sees what an agent says and does, while it does.

use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, channel};

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::found::working;
use crate::stage::{PATIENCE, Stage, stands, task, until, write};

const KEY: &str = "key-of-nobody-7d1f";

/// What Claude Code prints when its model speaks.
fn says(text: &str) -> String {
    let line =
        json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}});
    format!("printf '%s\\n' '{line}'")
}

/// A project whose agent does this.
fn project(work: &str) -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = working(&stage, work);
    stage
        .with_env("PATH", &path)
        .with_env("ANTHROPIC_API_KEY", KEY)
}

/// An agent writes `a.md`; it is refused until `right` stands in it.
fn plan() -> Value {
    json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": "claude", "deliverables": ["a.md"],
        "criteria": [{"contains": "right", "in": "a.md"}],
    }]})
}

/// Says who it is, and does better the second time.
fn learning() -> String {
    format!(
        "{}; {}; case $DIVISI_ATTEMPT in 1) echo wrong > a.md;; *) echo right > a.md;; esac",
        says("I write it."),
        r#"printf '{"type":"assistant","message":{"content":[{"type":"text","text":"key %s"}]}}\n' "$ANTHROPIC_API_KEY""#
    )
}

#[test]
fn a_transcript_is_told_from_attempt_to_attempt() {
    let stage = project(&learning());
    stage.run(&plan(), &[]).expect(0);
    let told = stage
        .divisi(&["watch", "run-1", "a", "--from-start"])
        .expect(0);
    let in_order = [
        "a started by claude",
        "  said      I write it.",
        "  claims    it is done",
        "a ended with exit status 0",
        "it is tried again",
        "a, attempt 2, started by claude",
        "  said      I write it.",
        "a, attempt 2, passed its checks",
        "a done",
    ];
    let mut rest = told.stdout.as_str();
    for words in in_order {
        let at = rest.find(words);
        let at = at.unwrap_or_else(|| panic!("{words:?} is not in its place:\n{}", told.stdout));
        rest = &rest[at + words.len()..];
    }
    assert!(told.stderr.contains("a is done"), "{}", told.stderr);
    assert!(!told.stdout.contains(KEY), "{}", told.stdout);
    // What the agent said and what happened stand in the order of their times.
    let times: Vec<&str> = { told.stdout.lines() }
        .filter_map(|line| line.get(..8).filter(|time| time.matches(':').count() == 2))
        .collect();
    assert!(times.len() > in_order.len(), "{}", told.stdout);
    let is_past_midnight = times.first() > times.last();
    assert!(times.is_sorted() || is_past_midnight, "{}", told.stdout);
    // Without that, only the latest attempt is.
    let latest = stage.divisi(&["watch", "run-1", "a"]).expect(0).stdout;
    assert!(latest.starts_with("a, attempt 2, by claude\n"), "{latest}");
    assert_eq!(latest.matches("I write it.").count(), 1, "{latest}");
}

#[test]
fn json_has_the_entries_with_whose_they_are() {
    let stage = project(&learning());
    stage.run(&plan(), &[]).expect(0);
    let told = stage
        .divisi(&["watch", "run-1", "a", "--from-start", "--json"])
        .expect(0);
    let entries: Vec<Value> = told
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_of = |entry: &&Value, attempt: u32| {
        entry["run"] == "run-1" && entry["task"] == "a" && entry["attempt"] == attempt
    };
    for attempt in [1, 2] {
        let of = entries.iter().filter(|entry| is_of(entry, attempt));
        let kinds: Vec<&str> = of.filter_map(|entry| entry["entry"].as_str()).collect();
        assert_eq!(kinds.first(), Some(&"said"), "{entries:#?}");
        assert_eq!(kinds.last(), Some(&"closed"), "{entries:#?}");
    }
    assert!(!told.stdout.contains(KEY), "{}", told.stdout);
}

/// The lines that a process prints, as they come.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let all = BufReader::new(stdout).lines().map_while(Result::ok);
        // Whoever failed reads no more.
        let _ = all.map(|line| sender.send(line)).find(Result::is_err);
    });
    lines
}

#[test]
fn it_is_told_while_it_happens_and_the_name_alone_will_do() {
    let spare = Stage::folder(&[]);
    let go = spare.beside("go");
    let waits = format!("until test -e '{}'; do sleep 0.02; done", go.display());
    let stage = project(&format!("{}; {waits}; echo right > a.md", says("I begin.")));
    let running = stage.start_plan(&plan(), &[]);
    until("the attempt is under way", || {
        stage.try_view().is_some()
            && stage
                .divisi(&["status", "run-1"])
                .stdout
                .contains("running")
    });
    let mut watching = stage.command(&["watch", "a"]).spawn().unwrap();
    let lines = lines_of(watching.stdout.take().unwrap());
    let is_begun = |line: &String| line.ends_with("I begin.");
    let begun = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok()).find(is_begun);
    assert!(begun.is_some(), "it is told before the attempt has ended");
    write(&go, "");
    let rest: Vec<String> = lines.iter().collect();
    assert!(
        rest.last().unwrap().contains("a done, integrated as"),
        "{rest:?}"
    );
    assert_eq!(watching.wait().unwrap().code(), Some(0));
    running.wait().expect(0);
}

#[test]
fn a_task_that_several_runs_have_is_named_with_its_run() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let plan = json!({"task_title": "By hand", "subtasks": [
        {"subtask_id": "a", "agent": "person", "title": "Do it"},
    ]});
    stage
        .divisi(&["watch", "a"])
        .expect(7)
        .says("nothing was ever run");
    stage.run(&plan, &[]).expect(4);
    stage
        .divisi(&["watch", "a"])
        .expect(4)
        .says("divisi explain run-1 a");
    stage.run(&plan, &[]).expect(4);
    stage
        .divisi(&["watch", "a"])
        .expect(7)
        .says("error[task-several]")
        .says("`divisi watch run-2 a`");
    stage.divisi(&["watch", "run-2", "a"]).expect(4);
    stage
        .divisi(&["watch", "b"])
        .expect(7)
        .says("error[task-unknown]");
    stage
        .divisi(&["watch", "a", "b"])
        .expect(7)
        .says("error[run-unknown]");
    stage.divisi(&["cancel", "run-1"]).expect(0);
    stage
        .divisi(&["watch", "run-1", "a"])
        .expect(5)
        .says("a is canceled");
    stage.divisi(&["watch", "a"]).expect(4);
}

#[test]
fn what_a_program_prints_is_shown_as_it_is_and_the_code_says_how_the_task_ended() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let plan = json!({"task_title": "Programs", "subtasks": [
        {"subtask_id": "good", "script": "echo 'as {\"entry\": 1} is'; printf unended"},
        {"subtask_id": "bad", "script": "echo no; exit 3", "retries": 0},
        {"subtask_id": "after", "command": ["true"], "dependencies": ["bad"]},
    ]});
    stage.run(&plan, &[]).expect(3);
    let good = stage.divisi(&["watch", "1", "good"]).expect(0).stdout;
    assert_eq!(
        good,
        "good, attempt 1, by command\nas {\"entry\": 1} is\nunended\n"
    );
    let told = stage.divisi(&["watch", "1", "bad"]).expect(3);
    assert!(told.stdout.ends_with("\nno\n"), "{}", told.stdout);
    let told = stage.divisi(&["watch", "1", "after"]).expect(3);
    assert_eq!(told.stdout, "");
    assert!(
        told.stderr.contains("it has had no attempt yet"),
        "{}",
        told.stderr
    );
    stage
        .divisi(&["reject", "1", "bad", "--reason", "given up"])
        .expect(0);
    let tasks = [("good", "done"), ("bad", "failed"), ("after", "skipped")];
    stands(&stage.only(), RunStatus::Failed, &tasks);
    assert_eq!(task(&stage.only(), "bad").attempts(), 1);
    stage.divisi(&["watch", "1", "bad"]).expect(1);
    stage.divisi(&["watch", "1", "after"]).expect(5);
}
