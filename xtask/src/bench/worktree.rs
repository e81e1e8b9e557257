//! Tasks that change files: each in a worktree of its own, collected, checked and integrated.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::graph::Graph;
use super::measure::{cpu_s, wall_s};
use super::project::{Bench, Folder, run_arguments};
use super::report::Section;
use crate::Result;

/// Independent tasks, each of which writes one file.
const TASKS: usize = 100;

/// Files in the repository, and how long a task may take in milliseconds of wall time.
const REPOSITORIES: [(usize, Option<f64>); 2] = [(200, Some(60.0)), (5_000, None)];

/// A table of what a task costs, by the repository's size.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    for (files, limit_ms) in REPOSITORIES {
        let folder = bench.folder()?;
        make_repository(&folder, files)?;
        folder.write("plan.json", &plan())?;
        let mut usages = Vec::new();
        for counted in 0..=bench.runs() {
            let usage = folder.measure(&bench.divisi, &run_arguments("normal"))?;
            if counted > 0 {
                usages.push(usage);
            }
            fs::remove_dir_all(folder.path().join(".divisi"))?;
        }
        let per_task_ms = wall_s(&usages) * 1e3 / TASKS as f64;
        let cpu_per_task_ms = cpu_s(&usages) * 1e3 / TASKS as f64;
        let limit = limit_ms.unwrap_or(f64::INFINITY);
        rows.push(vec![
            files.to_string(),
            TASKS.to_string(),
            format!("{:.2}", wall_s(&usages)),
            section.limit(per_task_ms, limit, format!("{per_task_ms:.1}")),
            limit_ms.map_or("reported".to_owned(), |limit| limit.to_string()),
            format!("{cpu_per_task_ms:.1}"),
        ]);
    }
    let text = format!(
        "Independent tasks that write one file each, 8 at a time, durability normal, medians of {} \
         runs after one uncounted; the run's own start (private repository) is part of it.",
        bench.runs()
    );
    section.paragraph(&text);
    let head = [
        "files",
        "tasks",
        "wall, s",
        "ms a task",
        "limit",
        "CPU ms a task",
    ];
    section.table(&head, &rows);
    Ok(section)
}

fn plan() -> String {
    let independent = Graph {
        dependencies: vec![Vec::new(); TASKS],
    };
    independent.plan("Benchmark", |task| {
        let path = format!("out/t{task}.txt");
        json!({
            "script": format!("mkdir -p out && echo {task} > {path}"),
            "deliverables": [path],
            "workspace": "worktree",
        })
    })
}

/// A repository of one commit with so many small files, fifty to a folder. What a run leaves in it
/// is ignored by it, so that every run finds it clean.
fn make_repository(folder: &Folder, files: usize) -> Result<()> {
    for file in 0..files {
        let inside = folder.path().join(format!("src/part{}", file / 50));
        fs::create_dir_all(&inside)?;
        let text = format!("file {file}\n").repeat(40);
        fs::write(inside.join(format!("file{file}.txt")), text)?;
    }
    folder.write(".gitignore", ".divisi\nbench.log\nplan.json\n")?;
    let identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--no-gpg-sign", "--message", "files"],
    ] {
        let status = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(folder.path())
            .status()?;
        if !status.success() {
            return Err(format!("git {} failed", arguments[0]).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_writes_what_it_promises() {
        let plan: serde_json::Value = serde_json::from_str(&plan()).unwrap();
        let tasks = plan["subtasks"].as_array().unwrap();
        assert_eq!(tasks.len(), TASKS);
        assert_eq!(tasks[7]["deliverables"], json!(["out/t7.txt"]));
        assert_eq!(tasks[7]["script"], "mkdir -p out && echo 7 > out/t7.txt");
        assert_eq!(tasks[7]["dependencies"], json!([]));
    }
}
