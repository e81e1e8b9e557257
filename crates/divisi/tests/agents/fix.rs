//! A real defect in a real program: an agent does nothing, then half, then all of it. Only what the
//! program's own test accepts is integrated, and the user's checkout is not touched before `merge`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use divisi_core::run::{AttemptEnd, RunStatus};
use serde_json::json;

use crate::model::{Call, Model, Rule, Turn};
use crate::stage::{Stage, endings, git, task, write};
use crate::tool::{TOOLS, stage};

const PROGRAM: &str = "#include <stdio.h>\n#include <stdlib.h>\n\n\
    static int is_leap(int year) {\n    return year % 4 == 0;\n}\n\n\
    int main(int argc, char **argv) {\n    int year = argc > 1 ? atoi(argv[1]) : 0;\n    \
    puts(is_leap(year) ? \"leap\" : \"common\");\n    return 0;\n}\n";

const TEST: &str = "set -eu
build=$(mktemp -d)
trap 'rm -r \"$build\"' EXIT
cc -o \"$build/leap\" leap.c
check() {
    got=$(\"$build/leap\" \"$1\")
    test \"$got\" = \"$2\" || { echo \"$1 is $2, not $got\"; exit 1; }
}
check 2024 leap
check 2023 common
check 1900 common
check 2000 leap
";

/// The line with the defect, half and wholly mended.
const HALF: &str = "year % 4 == 0 \\&\\& year % 100 != 0";
const RIGHT: &str = "(year % 4 == 0 \\&\\& year % 100 != 0) || year % 400 == 0";

/// Puts this in the place of the condition.
fn mends(words: &[&str], condition: &str) -> Rule {
    let command = format!("sed -i 's/return year % 4.*;/return {condition};/' leap.c");
    Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns: vec![
            turn("I mend it.", Some(Call::Shell(command))),
            turn("It is mended.", None),
        ],
    }
}

fn turn(say: &str, call: Option<Call>) -> Turn {
    Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    }
}

/// What is in a file, its mode, and when it changed, in seconds and nanoseconds.
type Standing = (Vec<u8>, u32, (i64, i64));

/// Everything of the user's: where it stands, what is in it, its mode, and when it changed. Git
/// touches objects of a repository that it borrows from, so of those the time does not count.
fn snapshot(root: &Path) -> BTreeMap<String, Standing> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_ours = path == root.join(".divisi");
            let meta = path.symlink_metadata().unwrap();
            let bytes = match meta.is_file() {
                true => std::fs::read(&path).unwrap(),
                false => Vec::new(),
            };
            if meta.is_dir() && !is_ours {
                folders.push(path.clone());
            }
            if !is_ours {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let is_object = name.starts_with(".git/objects/") && meta.is_file();
                let at = match is_object {
                    true => (0, 0),
                    false => (meta.mtime(), meta.mtime_nsec()),
                };
                let changed = (bytes, meta.mode(), at);
                all.insert(name, changed);
            }
        }
    }
    all
}

/// Whether the test passes in the user's checkout.
fn passes(stage: &Stage) -> bool {
    let ran = Command::new("sh")
        .arg("test.sh")
        .current_dir(stage.project())
        .output();
    ran.unwrap().status.success()
}

fn only_the_right_patch_is_integrated(tool: &str) {
    let model = Model::start(vec![
        mends(&["TASK-leap", "Attempt 2 was refused"], RIGHT),
        mends(&["TASK-leap", "Attempt 1 was refused"], HALF),
        Rule {
            words: vec!["TASK-leap".to_owned()],
            turns: vec![turn("It is mended.", None)],
        },
    ]);
    let stage = stage(tool, &model);
    write(stage.path("leap.c"), PROGRAM);
    write(stage.path("test.sh"), TEST);
    git(stage.project(), &["add", "--all"]);
    git(
        stage.project(),
        &["commit", "-q", "-m", "leap years, not quite"],
    );
    assert!(!passes(&stage));
    let before = snapshot(stage.project());
    let plan = json!({"task_title": "Leap years", "subtasks": [{
        "subtask_id": "leap",
        "description": "TASK-leap: 1900 was no leap year, 2000 was one. Mend leap.c.",
        "agent": tool,
        "deliverables": ["leap.c"],
        "criteria": [{"command": ["sh", "test.sh"]}],
    }]});
    let ran = stage.run(&plan, &[]);
    let log = || format!("{}\n{:#?}", ran.stderr, model.seen());
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{tool}: {}", log());
    assert_eq!(task(&run, "leap").attempts(), 3, "{tool}: {}", log());
    let ends: Vec<bool> = { endings(&run, "leap").iter() }
        .map(|ending| ending.end == AttemptEnd::Integrated)
        .collect();
    assert_eq!(ends, [false, false, true], "{tool}: {}", log());
    // Each retry was told what was seen.
    for seen in ["1900 is common, not leap", "2000 is leap, not common"] {
        let was_told = model.seen().iter().any(|asked| asked.user.contains(seen));
        assert!(was_told, "{tool}, {seen}: {}", log());
    }
    let after = snapshot(stage.project());
    let differ = { before.iter() }.filter(|(name, was)| after.get(*name) != Some(was));
    let differ: Vec<&String> = differ.map(|(name, _)| name).collect();
    assert_eq!(differ, [""; 0], "{tool} changed the user's checkout");
    let new = after.keys().filter(|name| !before.contains_key(*name));
    assert_eq!(new.count(), 0, "{tool} added to the user's checkout");
    stage.divisi(&["merge", "run-1", "--yes"]).expect(0);
    assert!(passes(&stage), "{tool}: {}", log());
    assert_eq!(
        git(stage.project(), &["status", "--porcelain"]),
        "",
        "{tool}"
    );
}

#[test]
fn claude_mends_a_program_at_the_third_try() {
    only_the_right_patch_is_integrated(TOOLS[0]);
}

#[test]
fn codex_mends_a_program_at_the_third_try() {
    only_the_right_patch_is_integrated(TOOLS[1]);
}

#[test]
fn opencode_mends_a_program_at_the_third_try() {
    only_the_right_patch_is_integrated(TOOLS[2]);
}
