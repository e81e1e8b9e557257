//! Graphs of `/bin/true`: beside `make -j` with durability *normal*, beside the bare program with
//! durability *full*.

use std::path::Path;

use super::graph::{Graph, Shape};
use super::machine;
use super::measure::{Pairs, Usage, cpu_s, wall_s};
use super::project::{Bench, SLOTS, run_arguments};
use super::report::Section;
use crate::Result;

/// Divisi's wall time may be so many times that of make. A chain leaves nothing to do meanwhile.
fn limit(shape: Shape) -> f64 {
    match shape {
        Shape::Chain => 1.5,
        Shape::Fan | Shape::Layered => 1.3,
    }
}

/// Divisi's wall time may be so many times that of the bare program.
const BARE_LIMIT: f64 = 1.5;

/// How many tasks the graphs of the durable comparison have: each waits for the disk.
const DURABLE_TASKS: usize = 1_000;

const HEAD: [&str; 9] = [
    "graph",
    "tasks",
    "divisi, s",
    "other, s",
    "ratio",
    "limit",
    "divisi CPU, s",
    "other CPU, s",
    "CPU ratio",
];

/// Durability *normal* beside make.
pub(super) fn normal(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    for &tasks in bench.sizes() {
        for shape in Shape::ALL {
            let graph = shape.graph(tasks);
            let (plan, makefile) = (graph.plan_of_true(), graph.makefile());
            let pairs = Pairs::measure(
                bench.runs(),
                || divisi(bench, &plan, "normal"),
                || make(bench, &makefile),
            )?;
            rows.push(row(&mut section, shape, &graph, &pairs, limit(shape)));
        }
    }
    let text = format!(
        "Medians of {} runs after one uncounted, in turn; the other is `make -s -j{SLOTS}`.",
        bench.runs()
    );
    section.paragraph(&text);
    section.table(&HEAD, &rows);
    Ok(section)
}

/// Durability *full* beside the bare program, which takes one step after the other.
pub(super) fn full(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    let disk = bench.folder()?;
    let sync_before_ms = machine::fsync_p50_ms(disk.path())?;
    for shape in Shape::ALL {
        let graph = shape.graph(DURABLE_TASKS);
        let plan = graph.plan_of_true();
        let pairs = Pairs::measure(
            bench.runs(),
            || divisi(bench, &plan, "full"),
            || bare(bench),
        )?;
        rows.push(row(&mut section, shape, &graph, &pairs, BARE_LIMIT));
    }
    let text = format!(
        "Medians of {} runs after one uncounted, in turn; the other spawns `/bin/true` and commits \
         one row of SQLite (WAL, `synchronous=FULL`) for each step, one step after the other. The disk's \
         fsync p50 was {sync_before_ms:.2} ms before and {:.2} ms after.",
        bench.runs(),
        machine::fsync_p50_ms(disk.path())?
    );
    section.paragraph(&text);
    section.table(&HEAD, &rows);
    Ok(section)
}

fn row(
    section: &mut Section,
    shape: Shape,
    graph: &Graph,
    pairs: &Pairs,
    limit: f64,
) -> Vec<String> {
    let ratio = pairs.wall_ratio();
    vec![
        shape.name().to_owned(),
        graph.tasks().to_string(),
        format!("{:.2}", wall_s(&pairs.a)),
        format!("{:.2}", wall_s(&pairs.b)),
        section.limit(ratio, limit, format!("{ratio:.2}")),
        format!("{limit}"),
        format!("{:.2}", cpu_s(&pairs.a)),
        format!("{:.2}", cpu_s(&pairs.b)),
        format!("{:.2}", pairs.cpu_ratio()),
    ]
}

fn divisi(bench: &Bench, plan: &str, durability: &'static str) -> Result<Usage> {
    let folder = bench.folder()?;
    folder.write("plan.json", plan)?;
    folder.measure(&bench.divisi, &run_arguments(durability))
}

fn make(bench: &Bench, makefile: &str) -> Result<Usage> {
    let folder = bench.folder()?;
    folder.write("Makefile", makefile)?;
    let jobs = format!("-j{SLOTS}");
    folder.measure(Path::new("make"), &["-s", &jobs, "-f", "Makefile", "all"])
}

fn bare(bench: &Bench) -> Result<Usage> {
    let folder = bench.folder()?;
    let steps = DURABLE_TASKS.to_string();
    folder.measure(
        &bench.xtask,
        &["bare", "--steps", &steps, "--database", "steps.db"],
    )
}
