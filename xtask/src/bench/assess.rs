//! Assessing a request in a large repository with a history.

use super::large::{COMMITS, FILES_OF_COMMIT, write_repository};
use super::measure::wall_s;
use super::project::Bench;
use super::report::Section;
use crate::Result;

const LIMIT_S: f64 = 0.05;

/// Assesses a request that names files and resembles earlier changes.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let folder = bench.folder()?;
    let files = write_repository(bench, &folder)?;
    let request = "Paginate topic7 in part7/, with tests, a security audit and docs";
    folder.measure(&bench.divisi, &["assess", request])?;
    let measured: Result<Vec<_>> = (0..bench.runs())
        .map(|_| folder.measure(&bench.divisi, &["assess", request]))
        .collect();
    let measured = wall_s(&measured?);
    let mut section = Section::default();
    section.paragraph(&format!(
        "A repository of {files} files and {COMMITS} commits that changed {FILES_OF_COMMIT} files \
         each; the request names a folder and resembles earlier changes. From the start of the \
         process to its end, the median of {} runs after one uncounted.",
        bench.runs()
    ));
    let row = vec![
        "`divisi assess`, s".to_owned(),
        section.limit(measured, LIMIT_S, format!("{measured:.3}")),
        format!("{LIMIT_S:.2}"),
    ];
    section.table(&["what", "measured", "limit"], &[row]);
    Ok(section)
}
