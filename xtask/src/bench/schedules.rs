//! Schedules: traces played by `divisi simulate`, against bounds that are computed here, not by it.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;

use super::measure::geometric_mean;
use super::project::{Bench, Folder};
use super::report::Section;
use super::traces::{self, Trace};
use crate::Result;

/// Workers over which the mean is taken.
const WORKERS: [u64; 5] = [2, 4, 8, 16, 64];

/// The most that `simulate` takes: as good as unlimited for every trace.
const UNLIMITED: u64 = 10_000;

/// Geometric mean of makespan over lower bound, over all traces and numbers of workers.
const LIMIT: f64 = 1.07;

/// What is used of `divisi simulate --json`.
#[derive(Debug, Deserialize)]
struct Simulated {
    makespan_ms: u64,
    critical_path_ms: u64,
    total_work_ms: u64,
}

/// Exact checks of the plans with stated schedules, and means over the other traces.
pub(super) fn section(bench: &Bench, paths: &[PathBuf]) -> Result<Section> {
    let mut section = Section::default();
    let mut all = Vec::new();
    for path in paths {
        all.extend(traces::read(path)?);
    }
    let (exact, open): (Vec<Trace>, Vec<Trace>) =
        all.into_iter().partition(|trace| trace.stated_ms.is_some());
    if !exact.is_empty() {
        exact_plans(bench, &exact, &mut section)?;
    }
    if !open.is_empty() {
        bounds(bench, &open, &mut section)?;
    }
    Ok(section)
}

/// With unlimited workers a run ends at the critical path, with one at the sum.
fn exact_plans(bench: &Bench, plans: &[Trace], section: &mut Section) -> Result<()> {
    let mut wrong = Vec::new();
    for trace in plans {
        let folder = prepare(bench, trace)?;
        let wide = simulate(bench, &folder, UNLIMITED, false)?;
        let narrow = simulate(bench, &folder, 1, false)?;
        if trace.stated_ms != Some((wide.makespan_ms, narrow.makespan_ms)) {
            wrong.push(format!(
                "{}: {:?} ms stated, {} and {} ms simulated",
                trace.name, trace.stated_ms, wide.makespan_ms, narrow.makespan_ms
            ));
        }
    }
    let exact = format!("{} of {}", plans.len() - wrong.len(), plans.len());
    let shown = section.limit(wrong.len() as f64, 0.0, exact);
    let text = format!(
        "Plans with exact schedules: {shown} end exactly at the critical path with unlimited \
         workers and at the sum with one."
    );
    section.paragraph(&text);
    for line in wrong.iter().take(10) {
        eprintln!("bench: {line}");
    }
    Ok(())
}

/// Makespan over lower bound, with and without barriers between levels.
fn bounds(bench: &Bench, traces: &[Trace], section: &mut Section) -> Result<()> {
    let mut rows = Vec::new();
    let (mut free, mut barred) = (Vec::new(), Vec::new());
    for trace in traces {
        let folder = prepare(bench, trace)?;
        let critical_ms = trace
            .critical_path_ms()
            .ok_or_else(|| format!("{} has a cycle", trace.name))?;
        let work_ms = trace.work_ms();
        let (from, from_barred) = (free.len(), barred.len());
        for workers in WORKERS {
            let simulated = simulate(bench, &folder, workers, false)?;
            agrees(trace, &simulated, critical_ms, work_ms)?;
            let upper = upper_bound_ms(critical_ms, work_ms, workers);
            if simulated.makespan_ms > upper {
                let text = format!(
                    "{} with {workers} workers ends at {} ms, above the bound of {upper} ms",
                    trace.name, simulated.makespan_ms
                );
                return Err(text.into());
            }
            let lower = lower_bound_ms(critical_ms, work_ms, workers);
            free.push(simulated.makespan_ms as f64 / lower as f64);
            let with_barriers = simulate(bench, &folder, workers, true)?;
            barred.push(with_barriers.makespan_ms as f64 / lower as f64);
        }
        let worst = free[from..].iter().copied().fold(0.0, f64::max);
        rows.push(vec![
            trace.name.clone(),
            trace.graph.tasks().to_string(),
            format!("{:.3}", geometric_mean(&free[from..])),
            format!("{worst:.3}"),
            format!("{:.3}", geometric_mean(&barred[from_barred..])),
        ]);
    }
    let mean = geometric_mean(&free);
    rows.push(vec![
        "all".to_owned(),
        String::new(),
        section.limit(mean, LIMIT, format!("{mean:.3}")),
        String::new(),
        format!("{:.3}", geometric_mean(&barred)),
    ]);
    let text = format!(
        "Makespan over the lower bound max(critical path, work / workers), geometric means over \
         {WORKERS:?} workers; the limit for all is {LIMIT}. No makespan is above critical path + \
         (work − critical path) / workers."
    );
    section.paragraph(&text);
    section.table(
        &["trace", "tasks", "mean", "worst", "mean with barriers"],
        &rows,
    );
    Ok(())
}

/// No schedule of the work by so many workers is shorter.
fn lower_bound_ms(critical_ms: u64, work_ms: u64, workers: u64) -> u64 {
    critical_ms.max(work_ms.div_ceil(workers)).max(1)
}

/// No schedule that leaves no worker idle while a task is ready is longer.
fn upper_bound_ms(critical_ms: u64, work_ms: u64, workers: u64) -> u64 {
    critical_ms + (work_ms - critical_ms) / workers
}

/// The simulator read the same plan as we did.
fn agrees(trace: &Trace, simulated: &Simulated, critical_ms: u64, work_ms: u64) -> Result<()> {
    if (simulated.critical_path_ms, simulated.total_work_ms) == (critical_ms, work_ms) {
        return Ok(());
    }
    let text = format!(
        "{}: critical path {critical_ms} ms and work {work_ms} ms are expected, not {simulated:?}",
        trace.name
    );
    Err(text.into())
}

fn prepare(bench: &Bench, trace: &Trace) -> Result<Folder> {
    let folder = bench.folder()?;
    folder.write("plan.json", &trace.plan())?;
    Ok(folder)
}

fn simulate(bench: &Bench, folder: &Folder, workers: u64, barriers: bool) -> Result<Simulated> {
    let workers = workers.to_string();
    let mut command = folder.command(
        &bench.divisi,
        &["simulate", "plan.json", "-j", &workers, "--json"],
    )?;
    if barriers {
        command.arg("--barriers");
    }
    let output = command.stdout(Stdio::piped()).output()?;
    if !output.status.success() {
        return Err(folder.with_log(&format!("{command:?}: {}", output.status).into()));
    }
    let simulated = serde_json::from_slice(&output.stdout);
    Ok(simulated.map_err(|e| format!("{command:?}: {e}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_enclose_every_schedule() {
        // Ten tasks of 10 ms beside a chain of 40 ms.
        assert_eq!(lower_bound_ms(40, 140, 2), 70);
        assert_eq!(lower_bound_ms(40, 140, 64), 40);
        assert_eq!(upper_bound_ms(40, 140, 2), 90);
        assert_eq!(upper_bound_ms(40, 140, 1), 140);
        assert_eq!(upper_bound_ms(40, 140, UNLIMITED), 40);
        assert_eq!(lower_bound_ms(0, 0, 2), 1);
    }

    #[test]
    fn the_simulators_answer_is_read_with_keys_that_are_not_used() {
        let answer = r#"{"makespan_ms": 90, "critical_path_ms": 40, "total_work_ms": 140,
            "utilization": 0.8, "workers": 2, "tasks": 14, "barriers": {"makespan_ms": 95}}"#;
        let simulated: Simulated = serde_json::from_str(answer).unwrap();
        assert_eq!(simulated.makespan_ms, 90);
        let trace = Trace {
            name: "t".into(),
            graph: super::super::graph::Graph {
                dependencies: Vec::new(),
            },
            duration_ms: Vec::new(),
            stated_ms: None,
        };
        assert!(agrees(&trace, &simulated, 40, 140).is_ok());
        assert!(agrees(&trace, &simulated, 41, 140).is_err());
    }
}
