//! Measures what a task costs in worktree mode: prepare, collect, merge, move the head.
//!
//! `cargo run --release -p divisi-engine --example repo_bench [FILES [TASKS]]`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divisi_core::{Commit, RunId, TaskNo, Time};
use divisi_engine::repo::{BaseOptions, Merged, Repo};
use divisi_engine::workspace::{CollectOptions, Pool, PoolOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let files: usize = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let tasks: u32 = arguments.next().map_or(Ok(50), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    make_repository(folder.path(), files)?;
    let repo = Arc::new(Repo::open(&folder.path().join(".divisi"), folder.path())?);
    let pool = Pool::open(repo, PoolOptions::default())?;
    let base = pool.repo().base(&BaseOptions::default())?.commit;

    println!("{files} files, {tasks} tasks, milliseconds a task: median and 95th percentile");
    let chain = measure(&pool, RunId(1), tasks, &base, Merging::Onto)?;
    print("a chain: each on the head, merged without a merge", chain);
    let fan = measure(&pool, RunId(2), tasks, &base, Merging::Beside)?;
    print("a fan: all on the base, merged by merge-tree", fan);
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Merging {
    Onto,
    Beside,
}

/// Prepare, collect, merge, move.
type Steps = [Duration; 4];

fn measure(
    pool: &Pool,
    run: RunId,
    tasks: u32,
    base: &Commit,
    merging: Merging,
) -> Result<Vec<Steps>, Box<dyn Error>> {
    let mut head: Option<Commit> = None;
    let mut measured = Vec::new();
    for task in 0..=tasks {
        let onto = head.as_ref().unwrap_or(base).clone();
        let from = if merging == Merging::Onto {
            &onto
        } else {
            base
        };
        let mut steps = Steps::default();
        let start = Instant::now();
        let workspace = pool.worktree(run, TaskNo(task), 1, from)?;
        steps[0] = start.elapsed();
        let result = workspace.path.join(format!("result-{task}.md"));
        std::fs::write(result, format!("the result of task {task}\n"))?;
        let deliverables = [format!("result-{task}.md")];
        let at = Time(1_700_000_000_000 + u64::from(task) * 1_000);
        let options = CollectOptions {
            message: "a task\n",
            at,
            deliverables: &deliverables,
            bytes_max: 64 << 20,
            secrets: &[],
        };
        let start = Instant::now();
        let collected = pool.collect(&workspace, &options)?;
        steps[1] = start.elapsed();
        let start = Instant::now();
        let merged = pool
            .repo()
            .merge(&onto, &collected.snapshot, "a task\n", at)?;
        steps[2] = start.elapsed();
        let Merged::Clean { commit, .. } = merged else {
            return Err("tasks that share no file conflict".into());
        };
        let start = Instant::now();
        pool.repo().update_ref(run, head.as_ref(), &commit)?;
        steps[3] = start.elapsed();
        head = Some(commit);
        pool.release(&workspace)?;
        // The first one makes the folder; the others find it.
        if task > 0 {
            measured.push(steps);
        }
    }
    Ok(measured)
}

fn print(title: &str, measured: Vec<Steps>) {
    println!("\n{title}");
    let column = |pick: &dyn Fn(&Steps) -> Duration| {
        let mut all: Vec<f64> = measured
            .iter()
            .map(|s| pick(s).as_secs_f64() * 1e3)
            .collect();
        all.sort_by(f64::total_cmp);
        (all[all.len() / 2], all[all.len() * 95 / 100])
    };
    for (at, name) in ["prepare", "collect", "merge", "update ref"]
        .iter()
        .enumerate()
    {
        let (median, late) = column(&|steps: &Steps| steps[at]);
        println!("  {name:<12}{median:8.2}{late:8.2}");
    }
    let (median, late) = column(&|steps: &Steps| steps.iter().sum());
    println!("  {:<12}{median:8.2}{late:8.2}", "together");
}

fn make_repository(folder: &Path, files: usize) -> Result<(), Box<dyn Error>> {
    for file in 0..files {
        let path = folder.join(format!("dir-{}/file-{file}.txt", file % 20));
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, format!("file {file}\n").repeat(300))?;
    }
    let who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["commit", "-q", "-m", "files"],
    ] {
        let status = std::process::Command::new("git")
            .args(who)
            .args(arguments)
            .current_dir(folder)
            .status()?;
        if !status.success() {
            return Err(format!("git {arguments:?} failed").into());
        }
    }
    Ok(())
}
