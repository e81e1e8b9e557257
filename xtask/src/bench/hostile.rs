//! How long Divisi takes to end agents that do not want to, and to refuse what must not be opened.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::project::{Bench, Folder};
use super::report::Section;
use crate::Result;

/// From TERM to KILL, as every agent is granted unless a plan says otherwise.
const GRACE_S: f64 = 5.0;
/// What ending may take beyond that.
const BEYOND_S: f64 = 2.0;
/// What refusing a deliverable may take, with the whole run around it.
const REFUSAL_S: f64 = 1.0;

/// Somebody waits so long for an agent to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Agents that stay: each says `begun` in its workspace once all of it is there.
const STAYING: [(&str, &str); 3] = [
    (
        "ignores TERM",
        "trap '' TERM INT HUP; echo > begun; while :; do sleep 600 || :; done",
    ),
    (
        "forks twice into a session of its own, and ignores TERM",
        "(trap '' TERM INT HUP; setsid sh -c 'echo > begun; while :; do sleep 600 || :; done' &) ; \
         while :; do sleep 600; done",
    ),
    (
        "500 children that ignore TERM",
        "trap '' TERM INT HUP; for i in $(seq 500); do sleep 600 & done; echo > begun; wait",
    ),
];

/// What agents hand in as `x`.
const TRAPS: [(&str, &str); 4] = [
    ("a link to /etc/passwd", "ln -s /etc/passwd x"),
    ("a FIFO", "mkfifo x"),
    ("a sparse file of 1 TiB", "truncate -s 1T x"),
    (
        "a folder that leads out of the workspace",
        "ln -s ../../.. d; echo > x",
    ),
];

/// The agents that stay, each canceled, and the traps, each in a run of its own.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    for (what, script) in STAYING {
        let value = canceled_s(bench, script)?;
        let limit = GRACE_S + BEYOND_S;
        let shown = section.limit(value, limit, format!("{value:.2}"));
        rows.push(vec![what.to_owned(), shown, limit.to_string()]);
    }
    for (what, script) in TRAPS {
        let value = refused_s(bench, script)?;
        let shown = section.limit(value, REFUSAL_S, format!("{value:.2}"));
        rows.push(vec![what.to_owned(), shown, REFUSAL_S.to_string()]);
    }
    section.paragraph(&format!(
        "Agents that stay are canceled: from `divisi cancel` until the run has ended and no process \
         of theirs is left, {GRACE_S} s of which are theirs to end by themselves. Traps are handed \
         in as deliverables: the whole run, from its start to its end."
    ));
    section.table(&["agent", "seconds", "limit"], &rows);
    Ok(section)
}

fn folder(bench: &Bench, script: &str) -> Result<Folder> {
    let folder = bench.folder()?;
    let task = json!({"subtask_id": "t", "script": script, "deliverables": ["x"], "retries": 0});
    let plan = json!({"task_title": "A hostile agent", "subtasks": [task]});
    folder.write("plan.json", &plan.to_string())?;
    Ok(folder)
}

fn canceled_s(bench: &Bench, script: &str) -> Result<f64> {
    let folder = folder(bench, script)?;
    let mut run = folder
        .command(&bench.divisi, &["run", "plan.json", "--yes"])?
        .spawn()?;
    let begun = folder.path().join(".divisi/worktrees/run-1-t0-1/begun");
    let waits = Instant::now();
    while !begun.exists() {
        if waits.elapsed() > PATIENCE || run.try_wait()?.is_some() {
            let _ = run.kill();
            return Err(folder.with_log(&"the agent did not begin".into()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Instant::now();
    let cancel = folder
        .command(&bench.divisi, &["cancel", "run-1"])?
        .status()?;
    if !cancel.success() {
        return Err(folder.with_log(&"it could not be canceled".into()));
    }
    run.wait()?;
    while left(folder.path())? > 0 {
        if asked.elapsed() > PATIENCE {
            return Err(format!("processes are left of {script:?}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(asked.elapsed().as_secs_f64())
}

fn refused_s(bench: &Bench, script: &str) -> Result<f64> {
    let folder = folder(bench, script)?;
    let begun = Instant::now();
    let status = folder
        .command(&bench.divisi, &["run", "plan.json", "--yes"])?
        .status()?;
    let took = begun.elapsed().as_secs_f64();
    // The task is left to a person.
    match status.code() {
        Some(3) => Ok(took),
        other => Err(folder.with_log(&format!("it ended with {other:?}, not with 3").into())),
    }
}

/// How many processes work in the folder or beneath it.
fn left(folder: &Path) -> Result<usize> {
    let folder = folder.canonicalize()?;
    let mut many = 0;
    for entry in std::fs::read_dir("/proc")? {
        let cwd = std::fs::read_link(entry?.path().join("cwd"));
        many += usize::from(cwd.is_ok_and(|cwd| cwd.starts_with(&folder)));
    }
    Ok(many)
}
