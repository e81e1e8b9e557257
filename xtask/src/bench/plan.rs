//! Planning requests by rule in a large repository.

use super::large::{COMMITS, write_repository};
use super::measure::wall_s;
use super::project::Bench;
use super::report::Section;
use crate::Result;

const LIMIT_MS: f64 = 100.0;

/// A run assesses first, for which there are fifty milliseconds more.
const RUN_LIMIT_MS: f64 = 150.0;

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
        "1. Design the schema\n2. Write db/003.sql\n3. Update part1/file1.rs\n4. Add tests\n\nNo docs.",
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
    let folder = bench.folder()?;
    let files = write_repository(bench, &folder)?;
    let mut rows = Vec::new();
    let mut section = Section::default();
    let mut measure = |what: &str, arguments: &[&str], limit: f64| -> Result<()> {
        folder.measure(&bench.divisi, arguments)?;
        let usages: Result<Vec<_>> = (0..RUNS)
            .map(|_| folder.measure(&bench.divisi, arguments))
            .collect();
        let ms = wall_s(&usages?) * 1e3;
        rows.push(vec![
            format!("{what}, ms"),
            section.limit(ms, limit, format!("{ms:.1}")),
            limit.to_string(),
        ]);
        Ok(())
    };
    for (kind, request) in REQUESTS {
        let what = format!("`divisi plan` of {kind}");
        measure(&what, &["plan", request, "--json"], LIMIT_MS)?;
    }
    for (kind, request) in REQUESTS {
        let what = format!("`divisi run --dry-run` of {kind}");
        measure(&what, &["run", request, "--dry-run"], RUN_LIMIT_MS)?;
    }
    let text = format!(
        "The whole command in a repository of {files} files and {COMMITS} commits; it looks at the \
         list of files, the manifests, and `run` at earlier changes, too. Medians of {RUNS} runs \
         after one uncounted."
    );
    section.paragraph(&text);
    section.table(&["what", "measured", "limit"], &rows);
    Ok(section)
}
