//! Planning requests by rule in a large repository.

use std::fs;
use std::process::Command;

use super::measure::wall_s;
use super::project::{Bench, Folder};
use super::report::Section;
use crate::Result;

/// Files of the repository, so many in each folder.
const FILES: usize = 10_000;
const FILES_IN_FOLDER: usize = 100;

const LIMIT_MS: f64 = 100.0;

/// How often each request is planned; it is short, so its noise is large.
const RUNS: usize = 21;

/// What is asked for, by its kind.
const REQUESTS: [(&str, &str); 4] = [
    (
        "a sentence",
        "Add rate limiting to the API, with tests, a security audit and docs",
    ),
    (
        "a list",
        "1. Design the schema\n2. Write db/003.sql\n3. Update src/0/1.rs\n4. Add tests\n\nNo docs.",
    ),
    (
        "prose",
        "The nightly job fails silently when one station is down. We noticed it last week, since \
         nobody reads its log. Make it skip the broken station and log a warning. Write an \
         integration test that simulates a dead station. Do not touch the dashboards, and leave \
         the schema as it is. Once the tests pass, describe the warning in the handbook.",
    ),
    (
        "a review",
        "Review this repository: correctness, security, tests and documentation",
    ),
];

/// Has each request planned.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let files = if bench.quick { FILES / 10 } else { FILES };
    let folder = bench.folder()?;
    write_project(&folder, files)?;
    let mut rows = Vec::new();
    let mut section = Section::default();
    for (kind, request) in REQUESTS {
        let arguments = ["plan", request, "--json"];
        folder.measure(&bench.divisi, &arguments)?;
        let usages: Result<Vec<_>> = (0..RUNS)
            .map(|_| folder.measure(&bench.divisi, &arguments))
            .collect();
        let ms = wall_s(&usages?) * 1e3;
        rows.push(vec![
            format!("`divisi plan` of {kind}, ms"),
            section.limit(ms, LIMIT_MS, format!("{ms:.1}")),
            LIMIT_MS.to_string(),
        ]);
    }
    let text = format!(
        "The whole command in a repository of {files} files, whose list and manifests it looks at. \
         Medians of {RUNS} runs after one uncounted."
    );
    section.paragraph(&text);
    section.table(&["what", "measured", "limit"], &rows);
    Ok(section)
}

fn write_project(folder: &Folder, files: usize) -> Result<()> {
    folder.write("Cargo.toml", "[package]\nname = \"bench\"\n")?;
    for file in 0..files {
        let within = format!("src/{}", file / FILES_IN_FOLDER);
        if file % FILES_IN_FOLDER == 0 {
            fs::create_dir_all(folder.path().join(&within))?;
        }
        folder.write(&format!("{within}/{}.rs", file % FILES_IN_FOLDER), "")?;
    }
    for arguments in [&["init", "-q"][..], &["add", "--all"]] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(folder.path())
            .status()?;
        if !status.success() {
            return Err(format!("git {} failed", arguments.join(" ")).into());
        }
    }
    Ok(())
}
