//! What a run stands on: any state that a user's folder may be in, none of which it changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::stage::{Ran, Stage, git, write};

/// Every file of a folder with its bytes, links with their targets; `.divisi` left out, and git's
/// objects, which are judged by what refers to them.
fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut worklist = vec![folder.to_owned()];
    while let Some(folder) = worklist.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                found.insert(path, target.into_os_string().into_encoded_bytes());
            } else if kind.is_file() {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            } else if entry.file_name() != ".divisi" {
                found.insert(path.clone(), Vec::new());
                if !path.ends_with(".git/objects") {
                    worklist.push(path);
                }
            }
        }
    }
    found
}

fn plan() -> Value {
    json!({"task_title": "some work", "subtasks": [
        {"subtask_id": "a", "script": "ls > seen; echo 1 > a.md", "deliverables": ["a.md", "seen"]},
        {"subtask_id": "b", "script": "cat a.md > b.md", "inputs": ["a"], "deliverables": ["b.md"],
         "criteria": [{"command": ["test", "-s", "b.md"]}]},
        {"subtask_id": "shared", "command": ["true"]},
    ]})
}

/// Runs the plan and looks at its results in every way; asserts that nothing of the user's changed.
fn runs_without_a_trace(stage: &Stage, args: &[&str]) -> Ran {
    let before = fingerprint(stage.project());
    let ran = stage.run(&plan(), args).expect(0);
    let views: [&[&str]; 8] = [
        &["status"],
        &["show", "1"],
        &["report", "1"],
        &["diff", "1"],
        &["merge", "1"],
        &["gc"],
        &["doctor"],
        &["resume", "1"],
    ];
    for view in views {
        stage.divisi(view);
    }
    assert_eq!(
        fingerprint(stage.project()),
        before,
        "the user's folder is as it was"
    );
    assert_eq!(stage.result("b.md").as_deref(), Some("1\n"));
    ran
}

fn seen(stage: &Stage) -> Vec<String> {
    stage
        .result("seen")
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn merged(stage: &Stage) {
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert_eq!(std::fs::read_to_string(stage.path("b.md")).unwrap(), "1\n");
}

#[test]
fn a_repository_stays_as_it_was_until_the_merge() {
    let stage = Stage::git(&[("x", "1\n")]);
    git(stage.project(), &["config", "core.fsmonitor", "false"]);
    write(stage.path(".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    write(stage.path("staged"), "1\n");
    git(stage.project(), &["add", "staged"]);
    git(stage.project(), &["status"]);
    let status = |stage: &Stage| {
        git(
            stage.project(),
            &["--no-optional-locks", "status", "--porcelain"],
        )
    };
    let before = status(&stage);
    let ran = runs_without_a_trace(&stage, &[]);
    assert_eq!(status(&stage), before);
    assert!(
        ran.stderr.contains("not on uncommitted staged"),
        "{}",
        ran.stderr
    );
    assert_eq!(seen(&stage), ["seen", "x"]);
}

#[test]
fn a_run_starts_from_any_revision() {
    let stage = Stage::git(&[("x", "1\n")]);
    git(stage.project(), &["tag", "old"]);
    write(stage.path("y"), "1\n");
    git(stage.project(), &["add", "y"]);
    git(stage.project(), &["commit", "-q", "-m", "second"]);
    runs_without_a_trace(&stage, &["--base", "old"]);
    assert_eq!(seen(&stage), ["seen", "x"]);
    stage
        .run(&plan(), &["--base", "nowhere"])
        .expect(2)
        .says("find revision `nowhere`: the repository has no such one");
}

#[test]
fn uncommitted_work_is_taken_in_when_that_is_asked_for() {
    let stage = Stage::git(&[("x", "1\n"), ("gone", "1\n"), (".gitignore", "ignored\n")]);
    write(stage.path("x"), "2\n");
    write(stage.path("new"), "1\n");
    write(stage.path("ignored"), "1\n");
    std::fs::remove_file(stage.path("gone")).unwrap();
    runs_without_a_trace(&stage, &["--include-dirty"]);
    assert_eq!(seen(&stage), ["new", "seen", "x"]);
    assert_eq!(stage.result("x").as_deref(), Some("2\n"));
}

#[test]
fn a_detached_head_will_do() {
    let stage = Stage::git(&[("x", "1\n")]);
    git(stage.project(), &["checkout", "-q", "--detach"]);
    runs_without_a_trace(&stage, &[]);
    merged(&stage);
}

#[test]
fn a_repository_without_a_commit_will_do() {
    let stage = Stage::folder(&[("x", "1\n")]);
    git(stage.project(), &["init", "-q"]);
    runs_without_a_trace(&stage, &[]);
}

#[test]
fn a_folder_without_git_will_do() {
    let stage = Stage::folder(&[("x", "1\n"), ("d/y", "1\n")]);
    runs_without_a_trace(&stage, &[]);
    assert_eq!(seen(&stage), ["d", "seen", "x"]);
    merged(&stage);
    assert!(!stage.path(".git").exists());
}

#[test]
fn an_empty_folder_will_do() {
    let stage = Stage::folder(&[]);
    runs_without_a_trace(&stage, &[]);
    merged(&stage);
}

#[test]
fn a_folder_within_a_repository_is_a_project_of_its_own_when_it_is_named() {
    let stage = Stage::git(&[("x", "1\n"), ("sub/y", "1\n")]);
    let before = fingerprint(&stage.path(".git"));
    let path = stage.plan(&plan());
    let sub = stage.path("sub").display().to_string();
    stage
        .divisi(&["--project", &sub, "run", &path, "--yes"])
        .expect(0);
    assert_eq!(fingerprint(&stage.path(".git")), before);
    assert!(stage.path("sub/.divisi").exists() && !stage.path(".divisi").exists());
    stage
        .divisi(&["--project", &sub, "merge", "1", "--yes"])
        .expect(0);
    let found = ["b.md", "sub/b.md"].map(|path| stage.path(path).exists());
    assert!(
        found.contains(&true),
        "the result is somewhere in the project"
    );
}

#[test]
fn from_a_folder_within_the_project_is_found() {
    let stage = Stage::git(&[("x", "1\n"), ("sub/y", "1\n")]);
    let path = stage.plan(&plan());
    let mut command = stage.command(&["run", &path, "--yes"]);
    let output = command.current_dir(stage.path("sub")).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stage.path(".divisi").exists());
}

#[test]
fn submodules_and_pointers_to_large_files_are_left_as_they_are() {
    let other = Stage::git(&[("inner", "1\n")]);
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
        oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let stage = Stage::git(&[
        ("x", "1\n"),
        ("large.bin", pointer),
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
    ]);
    let from = other.project().display().to_string();
    git(
        stage.project(),
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            &from,
            "module",
        ],
    );
    git(stage.project(), &["commit", "-q", "-m", "a submodule"]);
    runs_without_a_trace(&stage, &[]);
    assert_eq!(stage.result("large.bin").as_deref(), Some(pointer));
    let head = stage.only().integration.head.unwrap();
    let entry = git(
        &stage.path(".divisi/repo.git"),
        &["ls-tree", head.as_str(), "module"],
    );
    assert!(entry.starts_with("160000 commit "), "{entry}");
    merged(&stage);
    assert!(stage.path("module/inner").exists());
}

#[test]
fn a_bad_plan_starts_nothing_and_names_every_fault() {
    let stage = Stage::git(&[("x", "1\n")]);
    let before = fingerprint(stage.project());
    let plan = json!({"task_title": "bad", "subtasks": [
        {"subtask_id": "a", "comand": ["true"], "dependencies": ["b"]},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["a", "c"]},
    ]});
    let ran = stage.run(&plan, &[]).expect(2);
    for code in ["text-unknown-key", "plan-cycle", "plan-unknown-id"] {
        assert!(ran.stderr.contains(code), "{}", ran.stderr);
    }
    assert!(ran.stderr.contains("command"), "the nearest known name");
    assert_eq!(fingerprint(stage.project()), before);
    assert!(!stage.path(".divisi").exists());
}
