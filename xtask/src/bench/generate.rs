//! Generating and validating the folder of a large stage.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::wall_s;
use super::project::{Bench, Folder};
use super::report::Section;
use crate::Result;

/// Targets of the stage.
const STORIES: usize = 1_000;

/// What is promised for each of them.
const FILES: [&str; 5] = [
    "requirements",
    "technical-design",
    "test-plan",
    "security-review",
    "estimation",
];

const GENERATE_LIMIT_S: f64 = 2.0;
const VALIDATE_LIMIT_S: f64 = 5.0;

/// The folder that is written.
const OUTPUT: &str = "iterations/one";

/// Generates a folder anew each time, then validates it with all promised files there.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let stories = if bench.quick { STORIES / 10 } else { STORIES };
    let folder = bench.folder()?;
    write_project(&folder, stories)?;
    let output = folder.path().join(OUTPUT);
    let generate = ["generate", "--workflow", "refinement", "--output", OUTPUT];
    let mut generated = Vec::new();
    // The first run is not counted: it warms the cache of files up.
    for turn in 0..=bench.runs() {
        if output.exists() {
            fs::remove_dir_all(&output)?;
        }
        let usage = folder.measure(&bench.divisi, &generate)?;
        if turn > 0 {
            generated.push(usage);
        }
    }
    write_deliverables(folder.path(), stories)?;
    let validate = ["validate", OUTPUT];
    folder.measure(&bench.divisi, &validate)?;
    let validated: Result<Vec<_>> = (0..bench.runs())
        .map(|_| folder.measure(&bench.divisi, &validate))
        .collect();
    let mut section = Section::default();
    section.paragraph(&format!(
        "{stories} targets with {} deliverables each, shared among agents of five, in a repository \
         with a file for each target; `validate` finds all {} files there and looks for a heading \
         in one of five. Medians of {} runs after one uncounted.",
        FILES.len(),
        stories * FILES.len(),
        bench.runs()
    ));
    let rows = [
        ("`divisi generate`, s", wall_s(&generated), GENERATE_LIMIT_S),
        (
            "`divisi validate`, s",
            wall_s(&validated?),
            VALIDATE_LIMIT_S,
        ),
    ]
    .map(|(what, value, limit)| {
        vec![
            what.to_owned(),
            section.limit(value, limit, format!("{value:.2}")),
            format!("{limit:.0}"),
        ]
    });
    section.table(&["what", "measured", "limit"], &rows);
    Ok(section)
}

fn write_project(folder: &Folder, stories: usize) -> Result<()> {
    let root = folder.path();
    fs::create_dir(root.join("workflows"))?;
    fs::create_dir(root.join("stories"))?;
    let files = FILES.map(|file| format!("stories/{{story_id}}/{file}.md"));
    let workflow = format!(
        "workflow:\n  name: refinement\n  iterations:\n    - name: all\n      agents:\n        \
         - role: developer\n          targets: [\"stories/*.md\"]\n          deliverables: {files:?}\n      \
         completion_criteria:\n        - All user stories have estimation.md\n        \
         - {{section: Scope, in: \"stories/{{story_id}}/requirements.md\"}}\n"
    );
    folder.write("workflows/refinement.yaml", &workflow)?;
    for story in 0..stories {
        folder.write(&format!("stories/S{story:04}.md"), "# A story\n")?;
    }
    for arguments in [&["init", "-q"][..], &["add", "--all"]] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .status()?;
        if !status.success() {
            return Err(format!("git {} failed", arguments.join(" ")).into());
        }
    }
    Ok(())
}

fn write_deliverables(root: &Path, stories: usize) -> Result<()> {
    for story in 0..stories {
        let folder = root.join(format!("stories/S{story:04}"));
        fs::create_dir(&folder)?;
        for file in FILES {
            let text = format!("# {file}\n\n## Scope\n\n{}\n", "All of it. ".repeat(200));
            fs::write(folder.join(format!("{file}.md")), text)?;
        }
    }
    Ok(())
}
