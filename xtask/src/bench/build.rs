//! A cold release build: what a user waits for after a clone.

use std::path::Path;

use super::project::Bench;
use super::report::Section;
use crate::Result;

const LIMIT_S: f64 = 180.0;

/// Builds the binary into an empty target folder; the registry's sources are already there.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let folder = bench.folder()?;
    let manifest = bench.root.join("Cargo.toml");
    let arguments = [
        "build",
        "--release",
        "--locked",
        "--offline",
        "--package",
        "divisi",
        "--jobs",
        "2",
        "--target-dir",
        "target",
        "--manifest-path",
    ];
    let mut arguments: Vec<&str> = arguments.to_vec();
    let manifest = manifest.to_string_lossy();
    arguments.push(&manifest);
    let usage = folder.measure(Path::new("cargo"), &arguments)?;
    let (wall_s, cpu_s) = (usage.wall.as_secs_f64(), usage.cpu.as_secs_f64());
    let mut section = Section::default();
    let row = vec![
        "`cargo build --release --package divisi --jobs 2`".to_owned(),
        section.limit(wall_s, LIMIT_S, format!("{wall_s:.0}")),
        LIMIT_S.to_string(),
        format!("{cpu_s:.0}"),
    ];
    section.table(&["command", "wall, s", "limit", "CPU, s"], &[row]);
    Ok(section)
}
