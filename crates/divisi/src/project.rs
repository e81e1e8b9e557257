//! The project's folder: where it is, what lies in its `.divisi`, and how the journal is read.
//!
//! It writes nothing and starts nothing. Whoever holds the engine makes `.divisi`; commands that
//! only look say that there is none.

use std::env;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use divisi_core::journal::RunRow;
use divisi_core::{Diagnostic, RunId, TaskId, TaskNo, ledger, run};
use divisi_engine::engine;
use divisi_engine::workspace::folder_of;
use divisi_store::{NotOpened, Store, Upcasters, Versions, View};

use crate::cli::Global;
use crate::exit::Exit;
use crate::printer::Failure;

/// The folder that Divisi keeps in a project.
const DIVISI: &str = ".divisi";

/// The project's own configuration.
pub(crate) const CONFIG: &str = "divisi.yaml";

/// Which events and rows this program reads: all kinds of all aggregates, in today's versions.
pub(crate) fn versions() -> Versions {
    const COUNT: usize = run::KINDS.len() + ledger::KINDS.len();
    const KINDS: [(&str, u32); COUNT] = {
        let mut kinds = [("", 0); COUNT];
        let mut at = 0;
        while at < COUNT {
            kinds[at] = if at < run::KINDS.len() {
                run::KINDS[at]
            } else {
                ledger::KINDS[at - run::KINDS.len()]
            };
            at += 1;
        }
        kinds
    };
    Versions::new(&KINDS, Upcasters::current(), run::stored::VERSION)
}

/// A project's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    /// The folder that the flags name; otherwise the nearest one upwards that holds `.divisi`,
    /// `divisi.yaml` or `.git`; otherwise the working folder.
    ///
    /// # Errors
    /// The folder is not there, or is none.
    pub(crate) fn find(global: &Global) -> Result<Project, Failure> {
        let named = global.project.clone();
        let start = match &named {
            Some(folder) => folder.clone(),
            None => env::current_dir().map_err(|error| unusable(Path::new("."), &error))?,
        };
        let start = start
            .canonicalize()
            .map_err(|error| unusable(&start, &error))?;
        if !start.is_dir() {
            return Err(unusable(&start, &std::io::ErrorKind::NotADirectory.into()));
        }
        let folder = match named {
            Some(_) => start,
            None => upwards(&start).unwrap_or(&start).to_owned(),
        };
        Ok(Project { folder })
    }

    /// The folder, absolute.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its `.divisi` folder; it may not be there yet.
    pub(crate) fn divisi(&self) -> PathBuf {
        self.folder.join(DIVISI)
    }

    /// What is kept for people of a run.
    pub(crate) fn run_folder(&self, run: RunId) -> PathBuf {
        engine::run_folder(&self.divisi(), run)
    }

    /// What an attempt printed, as far as it is kept. It is there from the first byte on.
    pub(crate) fn log(&self, run: RunId, task: &TaskId, number: u32) -> PathBuf {
        engine::log_path(&self.divisi(), run, task, number)
    }

    /// The folder that a task's attempts work in, by the workspace's number.
    pub(crate) fn workspace(&self, run: RunId, task: TaskNo, number: u32) -> PathBuf {
        folder_of(&self.divisi(), run, task, number)
    }

    /// Whether a process holds this project's engine.
    pub(crate) fn is_held(&self) -> bool {
        is_locked(&self.divisi().join("engine.lock"))
    }

    /// Opens the journal for reading.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub(crate) fn view(&self) -> Result<View, Failure> {
        Store::open_read_only(&self.divisi(), versions()).map_err(|error| self.not_opened(error))
    }

    /// The same, if anything was ever run.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn view_if_any(&self) -> Result<Option<View>, Failure> {
        match Store::open_read_only(&self.divisi(), versions()) {
            Err(NotOpened::NotThere(_)) => Ok(None),
            opened => opened.map(Some).map_err(|error| self.not_opened(error)),
        }
    }

    /// Whether the journal is as this program writes it, so that all of it can be read.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub(crate) fn is_current(&self) -> Result<bool, Failure> {
        Store::is_current(&self.divisi(), versions()).map_err(|error| self.not_opened(error))
    }

    fn not_opened(&self, error: NotOpened) -> Failure {
        match error {
            NotOpened::NotThere(_) => Failure::told(
                Diagnostic::error(
                    "project-unknown",
                    format!("nothing was ever run in {}", self.folder.display()),
                )
                .hint("run a plan with `divisi run PLAN`")
                .hint("name another folder with `--project DIR`"),
                Exit::NotFound,
            ),
            NotOpened::Fault(fault) => fault.into(),
        }
    }

    /// The row of a run, or of the latest one.
    ///
    /// # Errors
    /// There is none, or the journal cannot be read.
    pub(crate) fn row(&self, view: &View, run: Option<RunId>) -> Result<RunRow, Failure> {
        let row = match run {
            Some(run) => view.run(run)?,
            None => view.latest_run()?,
        };
        row.ok_or_else(|| {
            let cause = match run {
                Some(run) => format!("there is no {run} in {}", self.folder.display()),
                None => format!("there is no run in {}", self.folder.display()),
            };
            Failure::told(
                Diagnostic::error("run-unknown", cause).hint("`divisi status` lists the runs"),
                Exit::NotFound,
            )
        })
    }
}

/// Whether a process holds a lock on a file. The lock goes with its process, so a file that was
/// left behind says nothing.
pub(crate) fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn unusable(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::told(
        Diagnostic::error(
            "project-folder",
            format!("opening the project's folder {}: {error}", folder.display()),
        )
        .hint("name a folder that is there with `--project DIR`"),
        Exit::NotFound,
    )
}

/// The nearest folder from here upwards that holds a project. A `.divisi` counts before a `.git`
/// further up, and a bare name is enough: in a linked worktree `.git` is a file.
fn upwards(start: &Path) -> Option<&Path> {
    start.ancestors().find(|folder| {
        [DIVISI, CONFIG, ".git"]
            .iter()
            .any(|name| folder.join(name).exists())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_project_upwards_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let deep = root.join("repo/crates/a");
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir(root.join("repo/.git")).unwrap();
        assert_eq!(upwards(&deep), Some(root.join("repo").as_path()));
        fs::create_dir(deep.join(".divisi")).unwrap();
        assert_eq!(upwards(&deep), Some(deep.as_path()));
        let configured = deep.join("b");
        fs::create_dir_all(configured.join("c")).unwrap();
        fs::write(configured.join(CONFIG), "").unwrap();
        assert_eq!(upwards(&configured.join("c")), Some(configured.as_path()));
    }

    #[test]
    fn a_named_folder_is_taken_as_it_is_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        let find = |name: &str| {
            Project::find(&Global {
                project: Some(folder.path().join(name)),
                ..Global::default()
            })
        };
        let found = find("a").unwrap();
        assert!(found.folder().ends_with("a"));
        assert!(!found.divisi().exists(), "finding makes nothing");
        for (name, expected) in [("none", "project-folder"), (".git/none", "project-folder")] {
            let Err(Failure::Told(told, Exit::NotFound)) = find(name) else {
                panic!("{name} is no folder");
            };
            assert_eq!(told.code, expected);
        }
        let Err(Failure::Told(told, _)) = found.view() else {
            panic!("there is no journal");
        };
        assert_eq!(told.code, "project-unknown");
    }

    #[test]
    fn a_lock_counts_only_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.lock");
        assert!(!is_locked(&path));
        let lock = File::create(&path).unwrap();
        assert!(!is_locked(&path));
        lock.lock().unwrap();
        assert!(is_locked(&path));
        drop(lock);
        assert!(!is_locked(&path));
    }

    #[test]
    fn all_kinds_can_be_read() {
        assert!(versions().gaps().is_empty());
    }
}
