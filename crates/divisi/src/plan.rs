//! Reads a plan file, or the folder of a stage, and tells all its faults at once.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use divisi_core::plan::Parts;
use divisi_core::{Diagnostic, Plan};
use divisi_pack::plan_file;

use crate::exit::Exit;
use crate::library;
use crate::printer::{Failure, Printer};

/// Larger files are not read: a plan of 100,000 tasks and two million edges has some 60 MB.
const PLAN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a plan file; `-` is standard input, and a folder is one that was generated. Faults and
/// warnings are told.
///
/// # Errors
/// The file cannot be read, or is no plan.
pub(crate) fn read(path: &Path, printer: &Printer) -> Result<Plan, Failure> {
    if path.is_dir() {
        return crate::folder::plan(path, printer);
    }
    let bytes = bytes(path)?;
    let read = plan_file::read(&path.to_string_lossy(), &bytes);
    if read.plan.is_none() && library::is_yaml(path) {
        let cause = format!("{} is no plan: plans are written in JSON", path.display());
        let told = Diagnostic::error("file-yaml", cause)
            .hint("write the plan as JSON, into a file that ends in `.json`")
            .hint("what a workflow would take is told by `divisi run WORKFLOW --dry-run`");
        return Err(Failure::told(told, Exit::Usage));
    }
    tell(&read.diagnostics, &bytes, printer);
    read.plan.ok_or(Failure::Reported(Exit::Usage))
}

/// Reads a file with the parts of a task that is split; `-` is standard input. Faults and warnings
/// are told.
///
/// # Errors
/// The file cannot be read, or holds no parts.
pub(crate) fn read_parts(path: &Path, printer: &Printer) -> Result<Parts, Failure> {
    let bytes = bytes(path)?;
    let read = plan_file::read_parts(&path.to_string_lossy(), &bytes);
    tell(&read.diagnostics, &bytes, printer);
    read.parts.ok_or(Failure::Reported(Exit::Usage))
}

fn tell(diagnostics: &[Diagnostic], bytes: &[u8], printer: &Printer) {
    let text = str::from_utf8(bytes).ok();
    for diagnostic in diagnostics {
        printer.diagnostic(diagnostic, text);
    }
}

/// The bytes of a file, or of standard input.
///
/// # Errors
/// They cannot be read, or are too many.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(PLAN_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(PLAN_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    let refused = |cause: String| {
        let told = Diagnostic::error("file-unreadable", cause)
            .hint("name a plan file, or `-` for standard input");
        Failure::told(told, Exit::Usage)
    };
    match read {
        Err(error) => Err(refused(format!("reading {}: {error}", path.display()))),
        Ok(read) if read as u64 > PLAN_BYTES_MAX => Err(refused(format!(
            "reading {}: it is larger than {} MiB",
            path.display(),
            PLAN_BYTES_MAX >> 20
        ))),
        Ok(_) => Ok(bytes),
    }
}
