//! What a run teaches reaches the next one, once somebody has approved it.

use std::fs;
use std::path::Path;

use divisi_core::RunId;
use serde_json::{Value, json};

use crate::stage::{Ran, Stage, write};

/// Work of a developer, whose agent is a script that keeps its handoff and forgets something at the
/// first two attempts. It notes something, too.
fn plan() -> Value {
    json!({"task_title": "A page", "subtasks": [{
        "subtask_id": "page",
        "description": "Write the page.",
        "assigned_to": "development",
        "script": "cp \"$DIVISI_HANDOFF\" handoff.json; printf '# Page\\n## Notes\\nThe tests are slow.\\n' > page.md; case \"$DIVISI_ATTEMPT\" in 1|2) ;; *) echo 'License: MIT' >> page.md ;; esac",
        "deliverables": ["page.md", "handoff.json"],
        "criteria": [{"contains": "License: MIT", "in": "page.md"}],
    }]})
}

const WORDS: &str = "Before you are done, see to this: page.md contains \"License: MIT\"";

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// What the handoff of a run's last attempt said of the role.
fn told(stage: &Stage, run: u32) -> String {
    let head = stage.load(RunId(run)).integration.head.unwrap();
    let output = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(stage.path(".divisi/repo.git"))
        .args(["cat-file", "blob", &format!("{head}:handoff.json")])
        .output()
        .unwrap();
    let handoff: Value = serde_json::from_slice(&output.stdout).unwrap();
    handoff["role"].as_str().unwrap_or_default().to_owned()
}

/// A run that was refused twice, and the lesson that its feedback proposes.
fn taught() -> (Stage, String) {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&plan(), &[]).expect(0);
    let feedback = document(&stage.divisi(&["feedback", "1", "--json"]).expect(0));
    let [pattern] = &feedback["patterns"].as_array().unwrap()[..] else {
        panic!("{feedback}");
    };
    assert_eq!(pattern["rule"], "criterion-refused");
    let figures = &feedback["stages"][0];
    assert_eq!(
        (&figures["retries"], &figures["failed"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(figures["tokens"], Value::Null);
    assert_eq!(
        figures["said"][0]["text"],
        "The tests are slow.\nLicense: MIT"
    );
    (stage, pattern["lesson"].as_str().unwrap().to_owned())
}

#[test]
fn a_lesson_that_was_approved_stands_in_the_next_runs_handoff() {
    let (stage, lesson) = taught();
    let before = told(&stage, 1);
    assert!(
        before.starts_with("You are the Development Master."),
        "{before}"
    );
    assert!(!before.contains(WORDS));
    let role = stage.path("roles/development.yaml");
    stage
        .divisi(&["lessons", "show", &lesson])
        .expect(0)
        .says("roles/development.yaml becomes a copy of built-in roles/development.yaml");
    assert!(!role.exists(), "proposing and showing change nothing");

    stage.divisi(&["lessons", "approve", &lesson]).expect(0);
    let roles = document(
        &stage
            .divisi(&["roles", "show", "development", "--json"])
            .expect(0),
    );
    assert_eq!(roles["layer"], "project");
    assert_eq!(roles["role"]["constraints"][1], WORDS);
    stage.run(&plan(), &[]).expect(0);
    let after = told(&stage, 2);
    assert!(after.contains(&format!("- {WORDS}\n")), "{after}");

    // The run's own roles are what they were when it was created: the journal has them.
    fs::remove_file(&role).unwrap();
    assert!(stage.load(RunId(2)).roles["development"].contains(WORDS));
    assert!(!stage.load(RunId(1)).roles["development"].contains(WORDS));
}

#[test]
fn nothing_is_decided_twice_and_what_was_killed_in_between_is_finished() {
    let (stage, lesson) = taught();
    let kept = stage.path(".divisi/lessons").join(format!("{lesson}.json"));
    let proposed = fs::read_to_string(&kept).unwrap();
    let approve = || stage.divisi(&["lessons", "approve", &lesson]);
    approve().expect(0);
    let text = fs::read_to_string(stage.path("roles/development.yaml")).unwrap();
    approve().expect(6).says("was approved before");
    stage
        .divisi(&["lessons", "reject", &lesson])
        .expect(6)
        .says("undo its change");

    // As if it had been killed after the role was written.
    fs::write(&kept, proposed).unwrap();
    approve().expect(0);
    let again = fs::read_to_string(stage.path("roles/development.yaml")).unwrap();
    assert_eq!(again, text);
    let feedback = document(&stage.divisi(&["feedback", "1", "--json"]).expect(0));
    assert_eq!(
        feedback["patterns"][0]["lesson"],
        Value::Null,
        "it is taught"
    );
    stage
        .divisi(&["lessons"])
        .expect(0)
        .says(&format!("{lesson}  approved"));
}

#[test]
fn a_rejected_lesson_is_not_proposed_again() {
    let (stage, lesson) = taught();
    stage.divisi(&["lessons", "reject", &lesson]).expect(0);
    stage
        .divisi(&["feedback", "1"])
        .expect(0)
        .says(&format!("{lesson}  rejected"));
    stage
        .divisi(&["lessons", "reject", &lesson])
        .expect(6)
        .says("was rejected before");
    stage
        .divisi(&["lessons", "show", "lesson-00000000"])
        .expect(7)
        .says("lesson-unknown");
    stage.divisi(&["lessons", "approve", "../divisi"]).expect(7);
}

#[test]
fn a_diff_of_another_text_is_refused_and_nothing_is_changed() {
    let (stage, lesson) = taught();
    let ours = "agent_role:\n  id: development\n  constraints: [Ours]\n";
    write(stage.path("roles/development.yaml"), ours);
    let kept = stage.path(".divisi/lessons").join(format!("{lesson}.json"));
    let before = fs::read_to_string(&kept).unwrap();
    let refused = stage.divisi(&["lessons", "approve", &lesson]).expect(6);
    let refused = refused.says("made of built-in roles/development.yaml");
    refused.says("does not apply to roles/development.yaml as it is now");
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    assert_eq!(text(&stage.path("roles/development.yaml")), ours);
    assert_eq!(text(&kept), before);

    // Of a text that can be edited, feedback makes it anew.
    let ours = "agent_role:\n  id: development\n  constraints:\n    - Ours\n";
    write(stage.path("roles/development.yaml"), ours);
    stage.divisi(&["feedback", "1"]).expect(0);
    stage.divisi(&["lessons", "approve", &lesson]).expect(0);
    let quoted = serde_json::to_string(WORDS).unwrap();
    let after = text(&stage.path("roles/development.yaml"));
    assert_eq!(after, format!("{ours}    - {quoted}\n"));
}

#[test]
fn a_link_in_the_place_of_a_role_is_not_written_through() {
    let (stage, lesson) = taught();
    let elsewhere = stage.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, stage.path("roles")).unwrap();
    stage
        .divisi(&["lessons", "approve", &lesson])
        .expect(8)
        .says("lesson-io");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}
