//! Folders validated by hand: partial work, edits, waivers, programs.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::generate::{COMMAND, stories};
use crate::{err, out, output};

const FOLDER: &str = "iterations/refinement-iteration-01";

fn generated() -> tempfile::TempDir {
    let folder = stories();
    let done = output(folder.path(), COMMAND);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join(FOLDER).join("COMPLETION_CRITERIA.md");
    let text = fs::read_to_string(&path).expect("it is there");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("it can be written");
}

fn validate(folder: &Path, more: &[&str]) -> Output {
    output(folder, &[&["validate", FOLDER], more].concat())
}

#[track_caller]
fn ends(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{}",
        out(output),
        err(output)
    );
}

#[test]
fn partial_output_is_judged_and_what_is_not_there_yet_is_missing() {
    let folder = generated();
    let nothing = validate(folder.path(), &[]);
    ends(&nothing, 1);
    assert_eq!(
        out(&nothing),
        "\
missing       1 `stories/S1/requirements.md`, not empty
                stories/S1/requirements.md is missing
missing       2 `stories/S2/requirements.md`, not empty
                stories/S2/requirements.md is missing
missing       3 All user stories have requirements.md
                stories/S1/requirements.md is missing
                stories/S2/requirements.md is missing
unverified    4 Requirements follow SMART criteria
                it names no file, pattern, text or command that a check could look at
unverified    5 Acceptance criteria are testable
                it names no file, pattern, text or command that a check could look at
iterations/refinement-iteration-01 on the working tree: 3 missing, 2 unverified
"
    );
    write(folder.path(), "stories/S1/requirements.md", "# R\n");
    let one = out(&validate(folder.path(), &[]));
    assert!(one.starts_with("pass          1 `stories/S1"), "{one}");
    assert!(one.contains("1 pass, 2 missing, 2 unverified\n"), "{one}");
}

#[test]
fn a_size_that_is_edited_changes_the_verdict() {
    let folder = generated();
    for story in ["S1", "S2"] {
        write(
            folder.path(),
            &format!("stories/{story}/requirements.md"),
            "# Small\n",
        );
    }
    let before = validate(folder.path(), &[]);
    ends(&before, 9);
    assert!(
        out(&before).contains("3 pass, 2 unverified"),
        "{}",
        out(&before)
    );
    edit(
        folder.path(),
        "`stories/S2/requirements.md`, not empty",
        "`stories/S2/requirements.md`, at least 1 KB",
    );
    let after = validate(folder.path(), &[]);
    ends(&after, 1);
    assert!(
        out(&after).contains("stories/S2/requirements.md has 8 bytes, at least 1024 are expected"),
        "{}",
        out(&after)
    );
    assert_eq!(err(&after), "edited by hand: COMPLETION_CRITERIA.md\n");
    write(
        folder.path(),
        "stories/S2/requirements.md",
        &"x".repeat(1024),
    );
    ends(&validate(folder.path(), &[]), 9);
    edit(
        folder.path(),
        "- Requirements follow SMART criteria\n- Acceptance criteria are testable\n",
        "",
    );
    ends(&validate(folder.path(), &[]), 0);
}

#[test]
fn waivers_are_by_name_and_only_of_this_report() {
    let folder = generated();
    for story in ["S1", "S2"] {
        write(
            folder.path(),
            &format!("stories/{story}/requirements.md"),
            "# R\n",
        );
    }
    let waived = validate(
        folder.path(),
        &["--waive", "4", "--waive", "acceptance criteria"],
    );
    ends(&waived, 0);
    assert!(
        out(&waived).contains("waived        4 Requirements follow"),
        "{}",
        out(&waived)
    );
    ends(&validate(folder.path(), &[]), 9);
    for name in ["6", "0", "Nothing", "`stories/S"] {
        let done = validate(folder.path(), &["--waive", name]);
        ends(&done, 2);
        assert!(
            err(&done).contains("error[validate-waiver]"),
            "{name}: {}",
            err(&done)
        );
    }
}

#[test]
fn the_document_follows_its_schema() {
    let folder = generated();
    write(folder.path(), "stories/S1/requirements.md", "# R\n");
    edit(
        folder.path(),
        "## Validation commands\n\nNone.",
        "## Validation commands\n\n- `true`\n- `false`",
    );
    let schema: Value =
        serde_json::from_str(&out(&output(folder.path(), &["schema", "validation"])))
            .expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let done = validate(folder.path(), &["--json", "--yes", "--waive", "4"]);
    ends(&done, 1);
    let document: Value = serde_json::from_str(&out(&done)).expect("it is JSON");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(document["outcome"], "fail");
    assert_eq!(document["counts"]["waived"], 1);
    assert_eq!(document["edited"][0], "COMPLETION_CRITERIA.md");
    let program = &document["statements"][6]["criteria"][0]["program"];
    assert_eq!(program["command"], "false");
}

#[test]
fn programs_run_only_if_asked_in_a_copy_of_the_files() {
    let folder = generated();
    write(
        folder.path(),
        "tool.sh",
        "echo looking; test -e E01/S1.md && touch made\n",
    );
    edit(
        folder.path(),
        "## Validation commands\n\nNone.",
        "## Validation commands\n\n- `sh tool.sh`\n- `sh -c 'test -e made && exit 3'`",
    );
    let not = validate(folder.path(), &[]);
    assert!(
        out(&not).contains("unverified    6 `sh tool.sh`"),
        "{}",
        out(&not)
    );
    assert!(
        err(&not).contains("2 programs of the criteria not run; `--yes` runs them"),
        "{}",
        err(&not)
    );
    let done = validate(folder.path(), &["--yes"]);
    assert!(
        out(&done).contains("pass          6 `sh tool.sh`"),
        "{}",
        out(&done)
    );
    assert!(
        out(&done).contains("ended with exit status 3"),
        "{}",
        out(&done)
    );
    assert!(
        !folder.path().join("made").exists(),
        "the project is not written to"
    );
    assert!(
        !folder.path().join(".divisi").exists(),
        "nothing is made in it"
    );
}

#[test]
fn what_the_folder_holds_of_itself_is_not_out_of_scope() {
    let folder = generated();
    edit(
        folder.path(),
        "## Scope compliance\n\nNone.",
        "## Scope compliance\n\n- `stories/**`\n- `E01/**`",
    );
    let done = out(&validate(folder.path(), &[]));
    let line = done
        .lines()
        .find(|line| line.contains("changes only"))
        .expect("it is judged");
    // The workflow is new here, too.
    assert!(line.starts_with("fail"), "{done}");
    assert!(
        done.contains("workflows/user-story-refinement.yaml"),
        "{done}"
    );
    assert!(
        !done.contains("iterations/refinement-iteration-01/"),
        "{done}"
    );
    let ignored = "workflows\n";
    write(folder.path(), ".git/info/exclude", ignored);
    let done = out(&validate(folder.path(), &[]));
    assert!(done.contains("pass          6 changes only"), "{done}");
}

#[test]
fn what_is_neither_folder_nor_run_is_refused() {
    let folder = generated();
    for (of, code, told) in [
        ("none", 2, "file-unreadable"),
        ("iterations", 2, "folder-missing"),
        ("7", 7, "project-unknown"),
    ] {
        let done = output(folder.path(), &["validate", of]);
        ends(&done, code);
        assert!(err(&done).contains(told), "{of}: {}", err(&done));
    }
}
