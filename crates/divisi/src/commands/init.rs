//! `divisi init`: the files that a project's own configuration begins with.
//!
//! What is there stays as it is, whatever it is. So doing it again mends what is missing and
//! changes nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use divisi_core::Diagnostic;
use divisi_pack::config;
use serde_json::json;

use crate::cli::Global;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::{CONFIG, Project};

/// What is typed next.
const NEXT: [&str; 2] = ["divisi config show --origin", "divisi workflow list"];

/// What became of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// It was made.
    Made,
    /// Something is there already, or in the place of its folder.
    Kept,
}

/// Makes what is missing.
pub(crate) fn run(global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    for (path, text) in files() {
        let became = make(project.folder(), path, &text).map_err(|error| {
            let told = Diagnostic::error("init-io", format!("making {path}: {error}"))
                .hint("check the folder's owner, its permissions and the room on its disk");
            Failure::told(told, Exit::Environment)
        })?;
        match became {
            Became::Made => made.push(path),
            Became::Kept => kept.push(path),
        }
    }
    if printer.is_json() {
        let document = json!({
            "project": project.folder(),
            "made": made,
            "kept": kept,
            "next": NEXT,
        });
        printer.document(&document)?;
        return Ok(Exit::Success);
    }
    let line =
        |style, word: &str, path: &str| Line::styled(style, word).padded(6).then(path.to_owned());
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(made.iter().map(|path| line(Style::Good, "made", path)));
    lines.extend(kept.iter().map(|path| line(Style::Dim, "kept", path)));
    printer.lines(&lines)?;
    for next in NEXT {
        printer.note(&Line::of("  → ").with(Style::Note, next));
    }
    Ok(Exit::Success)
}

fn files() -> [(&'static str, String); 4] {
    [
        (CONFIG, config::example()),
        (
            "workflows/README.md",
            include_str!("init/workflows.md").to_owned(),
        ),
        ("roles/README.md", include_str!("init/roles.md").to_owned()),
        (
            "templates/README.md",
            include_str!("init/templates.md").to_owned(),
        ),
    ]
}

/// Makes a file, unless something is in its place. A folder that is a link stays alone: what it
/// leads to is not of this project.
fn make(root: &Path, path: &str, text: &str) -> io::Result<Became> {
    let path = root.join(path);
    let folder = path.parent().unwrap_or(root);
    if folder != root {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !fs::symlink_metadata(folder)?.is_dir() {
            return Ok(Became::Kept);
        }
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Became::Kept),
        Err(error) => return Err(error),
    };
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a file would be kept by the next try.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(Became::Made)
}
