//! Tasks that change files: each in a worktree of its own, collected, checked and integrated.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::graph::Graph;
use super::measure::{cpu_s, wall_s};
use super::project::{Bench, Folder, run_arguments};
use super::report::Section;
use crate::Result;

/// A repository, and what is done in it.
struct Case {
    files: usize,
    /// Independent tasks, each of which writes one file.
    tasks: usize,
    /// How long a task may take, in milliseconds of wall time.
    limit_ms: Option<f64>,
}

/// Fewer tasks where each of them is a folder of thousands of files on the disk.
const CASES: [Case; 2] = [
    Case {
        files: 200,
        tasks: 100,
        limit_ms: Some(60.0),
    },
    Case {
        files: 5_000,
        tasks: 25,
        limit_ms: None,
    },
];

/// A table of what a task costs, by the repository's size.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    // Each run has a project of its own, and nothing is removed before the last has ended: for a
    // minute ext4 searches past the inode of every file that was just removed, which costs a
    // thousand times what is measured here.
    let mut folders = Vec::new();
    for case in CASES {
        let mut usages = Vec::new();
        for counted in 0..=bench.runs() {
            let folder = bench.folder()?;
            make_repository(&folder, case.files)?;
            folder.write("plan.json", &plan(case.tasks))?;
            let usage = folder.measure(&bench.divisi, &run_arguments("normal"))?;
            if counted > 0 {
                usages.push(usage);
            }
            folders.push(folder);
        }
        let per_task_ms = wall_s(&usages) * 1e3 / case.tasks as f64;
        let cpu_per_task_ms = cpu_s(&usages) * 1e3 / case.tasks as f64;
        let limit = case.limit_ms.unwrap_or(f64::INFINITY);
        rows.push(vec![
            case.files.to_string(),
            case.tasks.to_string(),
            format!("{:.2}", wall_s(&usages)),
            section.limit(per_task_ms, limit, format!("{per_task_ms:.1}")),
            (case.limit_ms).map_or("reported".to_owned(), |limit| limit.to_string()),
            format!("{cpu_per_task_ms:.1}"),
        ]);
    }
    let text = format!(
        "Independent tasks that write one file each, 8 at a time, durability normal, medians of {} \
         runs after one uncounted, each in a new project: making the private repository and every \
         worktree is part of it.",
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

fn plan(tasks: usize) -> String {
    let independent = Graph {
        dependencies: vec![Vec::new(); tasks],
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

/// A repository of one commit with so many small files, fifty to a folder.
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
        let plan: serde_json::Value = serde_json::from_str(&plan(10)).unwrap();
        let tasks = plan["subtasks"].as_array().unwrap();
        assert_eq!(tasks.len(), 10);
        assert_eq!(tasks[7]["deliverables"], json!(["out/t7.txt"]));
        assert_eq!(tasks[7]["script"], "mkdir -p out && echo 7 > out/t7.txt");
        assert_eq!(tasks[7]["dependencies"], json!([]));
    }
}
