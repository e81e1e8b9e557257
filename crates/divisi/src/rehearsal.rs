//! The rules by which scripted agents do what they are handed: read when a run is created, and kept
//! beside it, so that whoever goes on with it later plays the same.

use std::io;
use std::path::Path;

use divisi_core::journal::Artifacts as _;
use divisi_core::{Diagnostic, Digest};
use divisi_engine::failpoint;
use divisi_pack::TEXT_BYTES_MAX;
use divisi_pack::rehearsal::{self, Rehearsal};
use divisi_pack::role::{Library as Roles, Role};
use divisi_store::ArtifactFiles;

use crate::config::{Configuration, Source};
use crate::exit::Exit;
use crate::library::files::{beneath, resolved};
use crate::printer::{Failure, Printer};
use crate::project::Project;

/// The setting that names the file.
pub(crate) const KEY: &str = "run.rehearsal";

/// Reads the rules that the configuration names; `None` if it names none. `of_workflow` finds the
/// roles of the workflow that is run.
///
/// # Errors
/// The file cannot be read, or has faults; all of them were told.
pub(crate) fn read<'r>(
    (project, configuration): (&Project, &Configuration),
    of_workflow: impl Fn(&str) -> Option<&'r Role>,
    roles: &'r Roles,
    printer: &Printer,
) -> Result<Option<Rehearsal>, Failure> {
    let Some(path) = &configuration.config.rehearsal else {
        return Ok(None);
    };
    let bytes = bytes(project, configuration.source(KEY), path).map_err(|error| {
        let told = Diagnostic::error("file-unreadable", format!("reading {path}: {error}"));
        let hint = format!("`{KEY}`, or `--rehearsal`, names a file of rules");
        Failure::told(told.hint(hint), Exit::Usage)
    })?;
    let read = rehearsal::read(path, &bytes);
    let text = str::from_utf8(&bytes).ok();
    for diagnostic in &read.diagnostics {
        printer.diagnostic(diagnostic, text);
    }
    let mut rehearsal = read.rehearsal.ok_or(Failure::Reported(Exit::Usage))?;
    let known: Vec<&str> = roles.iter().map(|role| &*role.id).collect();
    let find = |name: &str| of_workflow(name).or_else(|| roles.get(name));
    for diagnostic in rehearsal.resolve(find, &known) {
        printer.diagnostic(&diagnostic, text);
    }
    Ok(Some(rehearsal))
}

/// The file's bytes; one more than is read of a larger one, so that its reader refuses it. What the
/// project's own file names is beneath the project, and no link.
fn bytes(project: &Project, source: Source, path: &str) -> io::Result<Vec<u8>> {
    let most = TEXT_BYTES_MAX as u64 + 1;
    match source {
        Source::Flag | Source::Environment => resolved(Path::new(path), most),
        Source::User => resolved(&project.folder().join(path), most),
        Source::Project | Source::Default => {
            let found = beneath(project.folder(), path, most)?;
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        }
    }
}

/// Keeps the rules, which is done before the run that names them is created.
///
/// # Errors
/// They cannot be stored.
pub(crate) fn keep(project: &Project, rehearsal: &Rehearsal) -> Result<Digest, Failure> {
    let artifacts = ArtifactFiles::with_hook(&project.divisi(), failpoint::hit);
    let kept = artifacts.put(&rehearsal.to_json());
    kept.map_err(|fault| Failure::told(divisi_store::diagnostic(&fault), Exit::Environment))
}
