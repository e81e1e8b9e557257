//! Peak memory of a large run, and the time of commands that run nothing.

use serde_json::json;

use super::graph::Shape;
use super::measure::{self, wall_s};
use super::project::{Bench, run_arguments};
use super::report::Section;
use crate::Result;

/// Tasks of the run whose memory and status are measured.
const TASKS: usize = 10_000;

/// Engine and supervisor together.
const PEAK_LIMIT_MIB: f64 = 64.0;
const STATUS_LIMIT_MS: f64 = 50.0;
const VERSION_LIMIT_MS: f64 = 15.0;

/// A plan that is only simulated.
const SIMULATED_TASKS: usize = 100_000;
const SIMULATED_WORKERS: &str = "1000";
const SIMULATE_LIMIT_MS: f64 = 10_000.0;

/// How often a command that only reads is timed; it is short, so its noise is large.
const READS: usize = 21;

/// Memory of a layered run, then `status` in its folder, `--version` and `simulate`.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let tasks = if bench.quick { TASKS / 10 } else { TASKS };
    let folder = bench.folder()?;
    folder.write("plan.json", &Shape::Layered.graph(tasks).plan_of_true())?;
    let mut command = folder.command(&bench.divisi, &run_arguments("normal"))?;
    let (_, memory) =
        measure::run_with_memory(&mut command, &bench.divisi).map_err(|e| folder.with_log(&e))?;
    let mib = |kib: u64| kib as f64 / 1024.0;
    let (together_mib, peak_mib) = (mib(memory.together_kib), mib(memory.peak_kib));
    let read = |arguments: &[&str]| -> Result<f64> {
        folder.measure(&bench.divisi, arguments)?;
        let usages: Result<Vec<_>> = (0..READS)
            .map(|_| folder.measure(&bench.divisi, arguments))
            .collect();
        Ok(wall_s(&usages?) * 1e3)
    };
    let status_ms = read(&["status"])?;
    let version_ms = read(&["--version"])?;
    let simulated = bench.folder()?;
    let plan = (Shape::Layered.graph(SIMULATED_TASKS))
        .plan("Benchmark", |_| json!({ "estimated_seconds": 60 }));
    simulated.write("plan.json", &plan)?;
    let arguments = ["simulate", "plan.json", "-j", SIMULATED_WORKERS];
    let usages: Result<Vec<_>> = (0..bench.runs())
        .map(|_| simulated.measure(&bench.divisi, &arguments))
        .collect();
    let simulate_ms = wall_s(&usages?) * 1e3;
    let mut section = Section::default();
    let rows = [
        (
            format!("memory that they hold at one time at {tasks} tasks, MiB"),
            together_mib,
            PEAK_LIMIT_MIB,
        ),
        (
            format!(
                "sum of the peaks of {} processes at {tasks} tasks, MiB",
                memory.processes
            ),
            peak_mib,
            PEAK_LIMIT_MIB,
        ),
        (
            format!("`divisi status` at {tasks} tasks, ms"),
            status_ms,
            STATUS_LIMIT_MS,
        ),
        (
            "`divisi --version`, ms".to_owned(),
            version_ms,
            VERSION_LIMIT_MS,
        ),
        (
            format!(
                "`divisi simulate` of {SIMULATED_TASKS} tasks on {SIMULATED_WORKERS} workers, ms"
            ),
            simulate_ms,
            SIMULATE_LIMIT_MS,
        ),
    ]
    .map(|(what, value, limit)| {
        vec![
            what,
            section.limit(value, limit, format!("{value:.1}")),
            limit.to_string(),
        ]
    });
    let text = format!(
        "Memory is the most that all processes of the binary hold at one time, pages that they \
         share counted once (`Pss`), and the sum of their peaks (`VmHWM`), such pages counted for \
         each; times are medians of {READS} runs after one uncounted, of `simulate` of {}.",
        bench.runs()
    );
    section.paragraph(&text);
    section.table(&["what", "measured", "limit"], &rows);
    Ok(section)
}
