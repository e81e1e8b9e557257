//! Prints what one step's append costs: two events, two task rows and one run row in a transaction.
//!
//! ```text
//! cargo run --release -p divisi-store --example append_bench [folder]
//! ```
//!
//! The run has 10,000 tasks and each append changes two of them, far apart. `engine` appends while
//! a second thread checkpoints, as the engine does; `alone` leaves checkpoints to the commits.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use divisi_core::journal::{Batch, Entry, Journal, RunRow, Stream, TaskRow};
use divisi_core::{RunId, Time};
use divisi_store::{Durability, Options, Store, Upcasters, Versions};

const KINDS: &[(&str, u32)] = &[("attempt_leased", 1), ("attempt_collected", 1)];
const TASKS: u32 = 10_000;
const CHECKPOINT_EVERY: u64 = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join(format!("append-bench-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder)?;
    println!("in {}, µs per append:", folder.display());
    let cases = [
        ("engine", Durability::Normal, 30_000),
        ("alone", Durability::Normal, 30_000),
        ("engine", Durability::Full, 1_000),
    ];
    for (number, (name, durability, appends)) in cases.into_iter().enumerate() {
        let dir = folder.join(number.to_string());
        let costs = measure(&dir, durability, appends, name == "engine")?;
        if number == 0 {
            println!("{}", status(&dir)?);
        }
        std::fs::remove_dir_all(&dir)?;
        println!("{name} {durability:?} x{appends}: {costs}");
    }
    Ok(())
}

fn measure(
    dir: &Path,
    durability: Durability,
    appends: u64,
    beside: bool,
) -> Result<String, Box<dyn Error>> {
    let options = Options {
        durability,
        versions: Versions::new(KINDS, Upcasters::current(), 1),
        hook: None,
    };
    let mut store = Store::open(dir, options)?;
    let mut checkpointer = store.checkpointer()?;
    // A backlog of one: a checkpoint that is due while one runs is the same checkpoint.
    let (due, dues) = mpsc::sync_channel::<()>(1);
    let thread = std::thread::spawn(move || {
        dues.iter()
            .try_for_each(|()| checkpointer.checkpoint().map(|_| ()))
    });
    let mut costs = Vec::new();
    let start = Instant::now();
    for step in 0..appends {
        let batch = batch(step);
        let before = Instant::now();
        store.append(&batch)?;
        costs.push(before.elapsed().as_nanos() / 100);
        if beside && step % CHECKPOINT_EVERY == 0 {
            // Full means that one is due already.
            let _ = due.try_send(());
        }
    }
    let whole = start.elapsed();
    drop(due);
    thread
        .join()
        .map_err(|_| "the checkpoint thread panicked")??;
    costs.sort_unstable();
    let at = |share: usize| costs[(costs.len() - 1) * share / 1000] as f64 / 10.0;
    let mean = costs.iter().sum::<u128>() as f64 / costs.len() as f64 / 10.0;
    Ok(format!(
        "mean {mean:.1}, p50 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1}; {:.2} s in all",
        at(500),
        at(990),
        at(999),
        at(1000),
        whole.as_secs_f64(),
    ))
}

/// What a status costs that counts the tasks of the run, from opening on.
fn status(dir: &Path) -> Result<String, Box<dyn Error>> {
    let start = Instant::now();
    let view = Store::open_read_only(dir, Versions::new(KINDS, Upcasters::current(), 1))?;
    let run = view.latest_run()?.ok_or("the run is missing")?;
    let counted: u64 = view.task_counts(run.run)?.iter().map(|(_, n)| n).sum();
    let cost = start.elapsed();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM"));
    Ok(format!(
        "opening a view and counting {counted} tasks: {:.1} ms; so far {}",
        cost.as_secs_f64() * 1000.0,
        peak.unwrap_or("no memory figure here"),
    ))
}

fn batch(step: u64) -> Batch {
    let run = RunId(1);
    let entry = |seq, kind: &str| Entry {
        stream: Stream::Run(run),
        seq,
        kind: kind.to_owned(),
        version: 1,
        at: Time(1_700_000_000_000 + step),
        body: format!(
            r#"{{"task":{step},"number":1,"epoch":3,"worker":"w1","left":"{:0100}"}}"#,
            seq
        ),
    };
    let task = |no: u32| TaskRow {
        run,
        no,
        id: format!("task-{no:05}"),
        status: "running".to_owned(),
        attempts: 1,
        body: format!(r#"{{"status":"running","since":{step},"attempt":"{no:0250}"}}"#),
    };
    let first = (step % u64::from(TASKS)) as u32;
    Batch {
        entries: vec![
            entry(step * 2 + 1, "attempt_collected"),
            entry(step * 2 + 2, "attempt_leased"),
        ],
        tasks: vec![task(first), task((first + TASKS / 3) % TASKS)],
        runs: vec![RunRow {
            run,
            title: "bench".to_owned(),
            status: "running".to_owned(),
            seq: step * 2 + 2,
            body: format!(r#"{{"counts":"{step:0200}"}}"#),
        }],
        ..Batch::default()
    }
}
