//! Taking a result over: what would happen is shown, somebody consents, and exactly that is done.

use serde_json::{Value, json};

use crate::stage::{Stage, git, write};

/// One task that changes `a`, removes `b` and adds `new.md`.
fn plan() -> Value {
    json!({"task_title": "some work", "subtasks": [
        {"subtask_id": "work", "script": "sed -i 's/3/three/' a; rm b; printf '1\\n2\\n' > new.md",
         "deliverables": ["new.md"]},
    ]})
}

const FILES: &[(&str, &str)] = &[("a", "1\n2\n3\n4\n5\n"), ("b", "b\n"), ("c", "c\n")];

/// A repository in which the plan was run.
fn run() -> Stage {
    let stage = Stage::git(FILES);
    stage.run(&plan(), &[]).expect(0);
    stage
}

fn head(stage: &Stage) -> String {
    git(stage.project(), &["rev-parse", "HEAD"])
}

/// Commits everything in the project as the user.
fn commit(stage: &Stage) {
    git(stage.project(), &["commit", "-q", "-a", "-m", "own"]);
}

#[test]
fn without_a_terminal_a_merge_is_shown_and_the_command_that_does_it() {
    let stage = run();
    write(stage.path("c"), "went on\n");
    commit(&stage);
    let before = head(&stage);
    let shown = stage.divisi(&["merge", "1"]).expect(4);
    assert_eq!(head(&stage), before);
    let expected = format!(
        "run-1 onto main at {}: a merge commit joins both\n\
         \x20 changed  a  +1 -1\n\
         \x20 removed  b  +0 -1\n\
         \x20 added    new.md  +2 -0\n\
         3 files, 3 lines added, 2 lines removed\n",
        &before[..12]
    );
    assert_eq!(shown.stdout, expected);
    let command = "nothing was merged; to do it: divisi merge run-1 --yes";
    assert!(shown.stderr.contains(command), "{}", shown.stderr);

    let document = stage
        .divisi(&["merge", "1", "--json", "--squash"])
        .expect(4);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document["onto"]["branch"], "main");
    assert_eq!(document["way"], "one_commit");
    assert_eq!(
        document["files"][2],
        json!({"path": "new.md", "change": "added", "added": 2, "removed": 0})
    );
    assert_eq!(document["merged"], false);
    assert_eq!(document["command"], "divisi merge run-1 --yes --squash");

    let done = stage.divisi(&["merge", "1", "--json", "--yes"]).expect(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&done["merged"], &done["way"]),
        (&json!(true), &json!("merge_commit"))
    );
    assert_eq!(
        done["commit"].as_str().map(|c| format!("{c}\n")),
        Some(head(&stage))
    );
    stage
        .divisi(&["merge", "1"])
        .expect(0)
        .says("all of it was there already");
}

#[test]
fn on_a_terminal_somebody_is_asked_and_the_answer_counts() {
    for (typed, code, is_merged) in [("n\n", 4, false), ("", 4, false), ("y\n", 0, true)] {
        let stage = run();
        let (ended, bytes) = stage.on_a_terminal(&["merge", "1"], typed);
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(ended, code, "{typed:?}: {shown}");
        assert!(shown.contains("changed"), "{shown}");
        let asked = shown.find("merge it? [Y/n]").expect("it asks");
        assert!(
            shown.find("new.md").unwrap() < asked,
            "what it asks is shown before"
        );
        assert_eq!(stage.path("new.md").exists(), is_merged, "{typed:?}");
    }
}

#[test]
fn what_stands_against_a_merge_is_named_path_by_path_before_anything_is_asked() {
    let stage = run();
    let mine = FILES[0].1.replace('3', "trois");
    write(stage.path("a"), &mine);
    let told = stage.divisi(&["merge", "1"]).expect(6);
    assert_eq!(told.stdout, "a\n");
    assert!(
        told.stderr.contains("error[merge-dirty]"),
        "{}",
        told.stderr
    );
    commit(&stage);
    for more in [&[][..], &["--yes"], &["--branch", "result"]] {
        let args: Vec<&str> = ["merge", "1"].iter().chain(more).copied().collect();
        let told = stage.divisi(&args).expect(6);
        assert_eq!(told.stdout, "a\n", "{args:?}");
        assert!(
            told.stderr.contains("error[merge-conflict]"),
            "{}",
            told.stderr
        );
    }
    let told = stage.divisi(&["merge", "1", "--json"]).expect(6);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told, json!({"refused": "merge-conflict", "paths": ["a"]}));
    assert_eq!(std::fs::read_to_string(stage.path("a")).unwrap(), mine);
}

#[test]
fn a_run_on_uncommitted_work_is_merged_back_into_it() {
    let stage = Stage::git(FILES);
    write(stage.path("a"), &format!("zero\n{}", FILES[0].1));
    write(stage.path("c"), "mine\n");
    stage.run(&plan(), &["--include-dirty"]).expect(0);
    let before = head(&stage);
    let shown = stage.divisi(&["merge", "1"]).expect(4);
    let words = "files change beside your uncommitted work, and nothing is committed";
    assert!(shown.stdout.contains(words), "{}", shown.stdout);
    stage
        .divisi(&["merge", "1", "--yes"])
        .expect(0)
        .says("wrote 3 files beside your uncommitted work; nothing was committed");
    assert_eq!(head(&stage), before);
    let read = |name: &str| std::fs::read_to_string(stage.path(name)).unwrap();
    assert_eq!(read("a"), "zero\n1\n2\nthree\n4\n5\n");
    assert_eq!(
        (read("c"), read("new.md")),
        ("mine\n".to_owned(), "1\n2\n".to_owned())
    );
    let status = git(stage.project(), &["status", "--porcelain"]);
    assert_eq!(status, " M a\n D b\n M c\n?? new.md\n");
    stage
        .divisi(&["merge", "1", "--yes"])
        .expect(0)
        .says("all of it was there already");
}
