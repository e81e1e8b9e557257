//! Scripted in-process agents: no process is started, so what is measured is the engine and its
//! journal alone.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::graph::Shape;
use super::measure::{cpu_s, wall_s};
use super::project::{Bench, run_arguments};
use super::report::Section;
use super::wal;
use crate::Result;

/// A scripted agent that ends its only attempt well.
const SCRIPT: &str = r#"{"attempts":[[{"exit":0}]]}"#;

/// Wall time for each task, in milliseconds, at [`LIMITED_TASKS`] tasks.
const LIMIT_MS: f64 = 0.1;
const LIMITED_TASKS: usize = 10_000;

/// Ten times the tasks may cost each task so many times as much: linear, with room for noise.
const GROWTH_LIMIT: f64 = 1.25;

/// Rows for each task, over all tables.
const ROWS_LIMIT: f64 = 3.5;

/// A chain whose commits are counted: too short for a checkpoint, which would begin the log anew.
const CHAIN_TASKS: usize = 200;

/// One commit holds a task's end and its successor's lease; the run itself takes a few.
const COMMITS_LIMIT: f64 = 1.1;

/// Layered graphs of scripted agents.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    let mut first_ms = None;
    let sizes: &[usize] = if bench.quick {
        &[1_000, 10_000]
    } else {
        &[10_000, 100_000]
    };
    for &tasks in sizes {
        let plan = scripted_plan(Shape::Layered, tasks);
        let mut usages = Vec::new();
        let mut counted = Vec::new();
        for _ in 0..bench.runs() {
            let folder = bench.folder()?;
            folder.write("plan.json", &plan)?;
            usages.push(folder.measure(&bench.divisi, &run_arguments("normal"))?);
            counted = rows_by_table(&folder.path().join(".divisi/divisi.db"))?;
        }
        let per_task_ms = wall_s(&usages) * 1e3 / tasks as f64;
        let growth = per_task_ms / *first_ms.get_or_insert(per_task_ms);
        let all: u64 = counted.iter().map(|(_, count)| count).sum();
        let rows_per_task = all as f64 / tasks as f64;
        let limit_ms = if tasks == LIMITED_TASKS {
            LIMIT_MS
        } else {
            f64::INFINITY
        };
        rows.push(vec![
            tasks.to_string(),
            format!("{:.2}", wall_s(&usages)),
            format!("{:.2}", cpu_s(&usages)),
            section.limit(per_task_ms, limit_ms, format!("{per_task_ms:.3}")),
            section.limit(growth, GROWTH_LIMIT, format!("{growth:.2}")),
            section.limit(rows_per_task, ROWS_LIMIT, format!("{rows_per_task:.2}")),
            by_table(&counted, tasks),
        ]);
    }
    let text = format!(
        "Layered graphs, durability normal, medians of {} runs. Limits: {LIMIT_MS} ms a task at \
         {LIMITED_TASKS} tasks, growth {GROWTH_LIMIT}, {ROWS_LIMIT} rows a task.",
        bench.runs()
    );
    section.paragraph(&text);
    let head = [
        "tasks",
        "wall, s",
        "CPU, s",
        "ms a task",
        "growth",
        "rows a task",
        "by table",
    ];
    section.table(&head, &rows);
    commits(bench, &mut section)?;
    Ok(section)
}

/// What a chain costs in commits, since there every one of them is waited for.
fn commits(bench: &Bench, section: &mut Section) -> Result<()> {
    let folder = bench.folder()?;
    folder.write("plan.json", &scripted_plan(Shape::Chain, CHAIN_TASKS))?;
    folder.measure(&bench.divisi, &run_arguments("normal"))?;
    let commits = wal::commits(&folder.path().join(".divisi/divisi.db-wal"))?;
    let per_task = commits as f64 / CHAIN_TASKS as f64;
    let shown = section.limit(per_task, COMMITS_LIMIT, format!("{per_task:.2}"));
    let text = format!(
        "A chain of {CHAIN_TASKS} takes {shown} commits a task, counted in the write-ahead log: \
         a task's end and its successor's lease are one."
    );
    section.paragraph(&text);
    Ok(())
}

fn scripted_plan(shape: Shape, tasks: usize) -> String {
    shape.graph(tasks).plan(
        "Benchmark",
        |_| json!({ "agent": "scripted", "script": SCRIPT, "workspace": "shared" }),
    )
}

/// How many rows each table of a database has.
fn rows_by_table(database: &Path) -> Result<Vec<(String, u64)>> {
    let place = |e: rusqlite::Error| format!("{}: {e}", database.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).map_err(place)?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(tables)?;
    let names: Vec<String> = statement
        .query_map((), |row| row.get(0))?
        .collect::<std::result::Result<_, _>>()?;
    let count = |name: String| {
        let query = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let count: u32 = connection.query_row(&query, (), |row| row.get(0))?;
        Ok((name, u64::from(count)))
    };
    names.into_iter().map(count).collect()
}

/// Tables that hold a row for at least every hundredth task.
fn by_table(counted: &[(String, u64)], tasks: usize) -> String {
    let shown: Vec<String> = counted
        .iter()
        .map(|(name, count)| (name, *count as f64 / tasks as f64))
        .filter(|(_, share)| *share >= 0.01)
        .map(|(name, share)| format!("{name} {share:.2}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("divisi.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE events (a); CREATE TABLE \"od\"\"d\" (a);
                 INSERT INTO events VALUES (1), (2), (3);",
            )
            .unwrap();
        let counted = rows_by_table(&path).unwrap();
        assert_eq!(counted, [("events".to_owned(), 3), ("od\"d".to_owned(), 0)]);
        assert_eq!(by_table(&counted, 2), "events 1.50");
    }

    #[test]
    fn a_missing_database_is_an_error_and_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("divisi.db");
        assert!(rows_by_table(&path).is_err());
        assert!(!path.exists());
    }
}
