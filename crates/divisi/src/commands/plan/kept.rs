//! Plans as files: where one is named, and how one is written.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use divisi_core::run::Run;
use divisi_core::{Diagnostic, Plan, RunId};
use divisi_pack::plan_file;

use crate::cli::Global;
use crate::exit::Exit;
use crate::loaded;
use crate::plan_record;
use crate::printer::{Failure, Printer};

/// Where a plan stands.
pub(super) enum Named {
    /// In a file, or in the folder of a stage.
    File(PathBuf),
    /// In a run.
    Run(RunId),
    /// In a run, by an earlier revision: `run-3@2`.
    Revision(RunId, u32),
}

impl Named {
    /// What a word on the command line names: a file that is there counts more than a run.
    pub(super) fn of(word: &Path) -> Named {
        let is_there = word == Path::new("-") || word.exists();
        let word_of_run = word.to_str().filter(|_| !is_there);
        let of_run = word_of_run.and_then(|word| match word.split_once('@') {
            Some((run, number)) => Some(Named::Revision(RunId::parse(run)?, number.parse().ok()?)),
            None => RunId::parse(word).map(Named::Run),
        });
        of_run.unwrap_or_else(|| Named::File(word.to_owned()))
    }

    /// The plan; faults and warnings of a file are told.
    ///
    /// # Errors
    /// There is no such run, or the file is no plan.
    pub(super) fn plan(&self, global: &Global, printer: &Printer) -> Result<Plan, Failure> {
        match self {
            Named::File(path) => crate::plan::read(path, printer),
            Named::Run(run) => of_run(*run, global),
            Named::Revision(run, number) => of_revision(*run, *number, global),
        }
    }
}

/// The plan of a run that is in force.
fn of_run(run: RunId, global: &Global) -> Result<Plan, Failure> {
    let (_, run) = loaded::open(global, Some(run))?;
    Ok(plan_record::in_force(&run))
}

/// The plan of a run by one of its revisions.
///
/// # Errors
/// As [`then`].
pub(super) fn of_revision(run: RunId, number: u32, global: &Global) -> Result<Plan, Failure> {
    Ok(plan_record::in_force(&then(run, number, global)?))
}

/// A run as its plan was by one of its revisions.
///
/// # Errors
/// There is no such run or revision.
pub(super) fn then(run: RunId, number: u32, global: &Global) -> Result<Run, Failure> {
    loaded::at_revision(global, run, number)?.ok_or_else(|| {
        let cause = format!("the plan of {run} has no revision {number}");
        let told = Diagnostic::error("planning-one", cause);
        Failure::told(
            told.hint(format!("`divisi show {run}` lists them")),
            Exit::NotFound,
        )
    })
}

/// Writes a plan to a file that is not there yet.
///
/// # Errors
/// The file is there, or cannot be written.
pub(super) fn save(path: &Path, plan: &Plan) -> Result<(), Failure> {
    save_text(path, &plan_file::write(plan))
}

/// Writes a text to a file that is not there yet.
///
/// # Errors
/// As [`save`].
pub(super) fn save_text(path: &Path, text: &str) -> Result<(), Failure> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let cause = format!("{} is there already", path.display());
            let told = Diagnostic::error("planning-exists", cause);
            Failure::told(told.hint("name another file, or remove it"), Exit::Refused)
        }
        _ => cannot("writing", path, &error),
    })
}

/// Replaces a file whole.
///
/// # Errors
/// It cannot be written.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let replaced = || -> io::Result<()> {
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize()?;
        let mut fresh = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(folder))?;
        fresh.write_all(text.as_bytes())?;
        fresh.as_file().sync_all()?;
        fresh
            .as_file()
            .set_permissions(fs::metadata(&path)?.permissions())?;
        fresh.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    replaced().map_err(|error| cannot("writing", path, &error))
}

/// What hinders, with the file.
pub(super) fn cannot(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let cause = format!("{doing} {}: {error}", path.display());
    Failure::told(Diagnostic::error("planning-io", cause), Exit::Environment)
}
