//! Folders of stages as a person generates them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::library::given;
use crate::{err, out, output, printed};

/// The form as its description gives it, word for word.
const SOURCE: &str = include_str!("../../../divisi-pack/tests/data/user-story-refinement.yaml");

pub(crate) fn stories() -> tempfile::TempDir {
    let folder = given(&[
        ("workflows/user-story-refinement.yaml", SOURCE),
        ("E01/S1.md", "# One\n"),
        ("E01/S2.md", "# Two\n"),
    ]);
    let git = |args: &[&str]| {
        let git = std::process::Command::new("git")
            .args(args)
            .current_dir(folder.path())
            .output();
        assert!(git.expect("git runs").status.success(), "{args:?}");
    };
    fs::remove_dir(folder.path().join(".git")).expect("it is empty");
    git(&["init", "-q"]);
    folder
}

/// The command line that the description of the framework gives.
pub(crate) const COMMAND: &[&str] = &[
    "generate",
    "--workflow",
    "user-story-refinement",
    "--config",
    "workflows/user-story-refinement.yaml",
    "--targets",
    "E01/*.md",
    "--output",
    "iterations/refinement-iteration-01/",
];

fn text(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join("iterations/refinement-iteration-01").join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_described_command_writes_the_stage_whose_targets_are_known() {
    let folder = stories();
    let done = output(folder.path(), COMMAND);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert_eq!(
        out(&done),
        "iterations/refinement-iteration-01: requirements-analysis, 1 agent, 2 deliverables, \
         6000 tokens, 6-9 minutes, risk low\n"
    );
    assert_eq!(
        err(&done),
        "technical-design waits: stories/S1/requirements.md and 1 more of requirements-analysis \
         are not there yet\n"
    );
    assert!(
        text(folder.path(), "README.md")
            .contains("divisi run iterations/refinement-iteration-01\n")
    );
    let prompt = text(
        folder.path(),
        "agent-prompts/product-analyst-agent-prompt.md",
    );
    assert!(
        prompt.contains("1. `E01/S1.md`\n2. `E01/S2.md`\n"),
        "{prompt}"
    );
    let names = fs::read_dir(folder.path().join("iterations"))
        .expect("it is there")
        .count();
    assert_eq!(names, 1, "nothing is left beside it");
}

#[test]
fn each_known_stage_has_a_folder_and_each_run_gives_the_same_bytes() {
    let folder = stories();
    for story in ["S1", "S2"] {
        let story = folder.path().join("stories").join(story);
        fs::create_dir_all(&story).expect("it can be made");
        fs::write(story.join("requirements.md"), "# R\n").expect("it can be written");
    }
    let mut all = Vec::new();
    for place in ["a", "b"] {
        let args = [
            "generate",
            "--workflow",
            "user-story-refinement",
            "--targets",
            "E01/*.md",
        ];
        let done: Value = serde_json::from_str(&printed(
            folder.path(),
            &[&args[..], &["--output", place, "--json"]].concat(),
        ))
        .expect("it is JSON");
        let folders = done["folders"].as_array().expect("there are some");
        let names: Vec<&str> = folders
            .iter()
            .filter_map(|it| it["folder"].as_str())
            .collect();
        assert_eq!(
            names,
            [
                format!("{place}/requirements-analysis"),
                format!("{place}/technical-design")
            ]
        );
        let agent = &folders[1]["agents"][0];
        assert_eq!(agent["targets"][0], "stories/S1/requirements.md");
        assert_eq!(agent["estimated_tokens"], 10_000);
        let mut files = Vec::new();
        for path in names {
            for file in [
                "CONTEXT.md",
                "COMPLETION_CRITERIA.md",
                "README.md",
                "manifest.json",
            ] {
                let text =
                    fs::read_to_string(folder.path().join(path).join(file)).expect("it is there");
                files.push(text.replace(&format!("{place}/"), ""));
            }
        }
        all.push(files);
    }
    // The guide names the folder, so that file and its digest differ where the folders' names do.
    for (one, other) in all[0].iter().zip(&all[1]) {
        let without_digest = |text: &String| {
            let lines = text.lines().filter(|line| !line.contains("README.md"));
            lines.map(str::to_owned).collect::<Vec<String>>()
        };
        assert_eq!(without_digest(one), without_digest(other));
    }
}

#[test]
fn a_folder_that_is_there_is_replaced_only_if_asked_and_edits_are_kept() {
    let folder = stories();
    output(folder.path(), COMMAND);
    let again = output(folder.path(), COMMAND);
    assert_eq!(again.status.code(), Some(6));
    assert!(
        err(&again).contains("error[generate-exists]"),
        "{}",
        err(&again)
    );
    assert!(err(&again).contains("nobody edited it"), "{}", err(&again));

    let criteria = folder
        .path()
        .join("iterations/refinement-iteration-01/COMPLETION_CRITERIA.md");
    let before = fs::read_to_string(&criteria).expect("it is there");
    fs::write(&criteria, before.replace("not empty", "at least 1 KB")).expect("it can be written");
    let again = output(folder.path(), COMMAND);
    assert!(
        err(&again).contains("COMPLETION_CRITERIA.md was edited by hand"),
        "{}",
        err(&again)
    );
    let forced = output(folder.path(), &[COMMAND, &["--force"]].concat());
    assert_eq!(forced.status.code(), Some(0), "{}", err(&forced));
    assert!(
        err(&forced).contains("refinement-iteration-01.before"),
        "{}",
        err(&forced)
    );
    assert_eq!(fs::read_to_string(&criteria).expect("it is there"), before);
    let kept = folder
        .path()
        .join("iterations/refinement-iteration-01.before/COMPLETION_CRITERIA.md");
    assert!(
        fs::read_to_string(kept)
            .expect("it is kept")
            .contains("at least 1 KB")
    );

    let mine = output(
        folder.path(),
        &[&COMMAND[..7], &["--output", "E01", "--force"]].concat(),
    );
    assert_eq!(mine.status.code(), Some(6), "{}", err(&mine));
    assert!(folder.path().join("E01/S1.md").exists());
}

#[test]
fn what_cannot_be_generated_writes_nothing() {
    let folder = stories();
    for (more, code, told) in [
        (&["--targets", "none/*.md"][..], 2, "workflow-no-match"),
        (&["--iteration", "technical-design"], 2, "generate-early"),
        (&["--iteration", "nothing"], 2, "workflow-unknown"),
        (&["--set", "id=1"], 2, "workflow-input"),
        (&["--config", "none.yaml"], 2, "file-unreadable"),
    ] {
        let args = [
            "generate",
            "--workflow",
            "user-story-refinement",
            "--output",
            "out",
        ];
        let done = output(folder.path(), &[&args[..], more].concat());
        assert_eq!(done.status.code(), Some(code), "{more:?}: {}", err(&done));
        assert!(err(&done).contains(told), "{more:?}: {}", err(&done));
        assert!(!folder.path().join("out").exists(), "{more:?}");
    }
}
