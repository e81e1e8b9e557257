//! The folder of a stage on disk: read as it stands, written whole.
//!
//! Reading follows no link beneath the folder. Writing makes the new folder beside its place and
//! renames it, so that whoever looks finds the whole of it or nothing; what it replaces is kept if
//! anybody worked on it. Nothing waits for the disk: a folder can be generated again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use divisi_core::{Diagnostic, Plan};
use divisi_engine::files::{Files as _, FolderFiles};
use divisi_pack::folder::manifest;
use divisi_pack::folder::stage::{self, Stage};

use crate::exit::Exit;
use crate::printer::{Failure, Printer};

/// Reads the folder of a stage; faults and warnings are told with their lines.
///
/// # Errors
/// The folder cannot be opened, or what it holds cannot be used.
pub(crate) fn read(path: &Path, printer: &Printer) -> Result<Stage, Failure> {
    let files = open(path).map_err(|error| unreadable(path, &error))?;
    let name = path.to_string_lossy();
    let read = stage::read(&name, |file| bytes(&files, file));
    tell(&files, &name, &read.diagnostics, printer);
    read.stage.ok_or(Failure::Reported(Exit::Usage))
}

/// The plan of a folder as it stands; faults and warnings are told with their lines.
///
/// # Errors
/// As [`read`], or what was edited makes no plan.
pub(crate) fn plan(path: &Path, printer: &Printer) -> Result<Plan, Failure> {
    let planned = read(path, printer)?.plan();
    let files = open(path).map_err(|error| unreadable(path, &error))?;
    tell(
        &files,
        &path.to_string_lossy(),
        &planned.diagnostics,
        printer,
    );
    planned.plan.ok_or(Failure::Reported(Exit::Usage))
}

fn tell(files: &FolderFiles, name: &str, diagnostics: &[Diagnostic], printer: &Printer) {
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let source = diagnostic.place.as_ref().map(|place| &*place.source);
        let folder = name.trim_end_matches('/');
        let file = source.and_then(|source| source.strip_prefix(folder)?.strip_prefix('/'));
        let text = file.and_then(|file| {
            let read = || String::from_utf8(bytes(files, file)?).ok();
            texts.entry(file).or_insert_with(read).as_deref()
        });
        printer.diagnostic(diagnostic, text);
    }
}

fn open(path: &Path) -> io::Result<FolderFiles> {
    FolderFiles::open(path, None)
}

/// One byte more than is taken, so that whoever reads sees that it is too much.
fn bytes(files: &FolderFiles, path: &str) -> Option<Vec<u8>> {
    files.read(path, stage::FILE_BYTES_MAX as u64 + 1).ok()
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let cause = format!("reading {}: {error}", path.display());
    let told = Diagnostic::error("file-unreadable", cause)
        .hint("name a folder that `divisi generate` wrote");
    Failure::told(told, Exit::Usage)
}

/// What stands where a folder is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing, or an empty folder.
    Nothing,
    /// Folders that were generated, with the files that somebody edited, added or deleted.
    Generated {
        /// Their paths within it.
        edited: Vec<String>,
    },
    /// Something else.
    Other,
}

/// Looks at the place of a folder: one stage, or a folder of several.
///
/// # Errors
/// It cannot be looked at.
pub(crate) fn standing(path: &Path) -> io::Result<Standing> {
    let files = match open(path) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Standing::Other),
        Err(error) => return Err(error),
    };
    let mut there: BTreeSet<String> = files.list()?.into_iter().collect();
    if there.is_empty() {
        let is_empty = fs::read_dir(path)?.next().is_none();
        return Ok(if is_empty {
            Standing::Nothing
        } else {
            Standing::Other
        });
    }
    let ending = format!("/{}", manifest::NAME);
    let of_stage = |file: &String| {
        let within = file
            .strip_suffix(&ending)
            .filter(|stage| !stage.contains('/'));
        within
            .map(|stage| format!("{stage}/"))
            .or((file == manifest::NAME).then(String::new))
    };
    let stages: Vec<String> = there.iter().filter_map(of_stage).collect();
    let mut edited = Vec::new();
    for within in &stages {
        let read = stage::read(within, |file| bytes(&files, &format!("{within}{file}")));
        there.remove(&format!("{within}{}", manifest::NAME));
        let Some(stage) = read.stage else {
            edited.push(format!("{within}{}", manifest::NAME));
            continue;
        };
        for file in stage.manifest.files.keys() {
            there.remove(&format!("{within}{file}"));
        }
        edited.extend(stage.edited.iter().map(|file| format!("{within}{file}")));
    }
    if stages.is_empty() {
        return Ok(Standing::Other);
    }
    edited.extend(there);
    edited.sort_unstable();
    Ok(Standing::Generated { edited })
}

/// Writes files by their paths as one folder in place of what stands there. What somebody worked on
/// is kept beside it: the path is returned.
///
/// # Errors
/// Nothing was changed, or what stood there is put back.
pub(crate) fn write(
    path: &Path,
    files: &BTreeMap<String, String>,
    standing: &Standing,
) -> io::Result<Option<PathBuf>> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)?;
    let fresh = beside(path, &format!("new-{}", std::process::id()));
    let wrote = fill(&fresh, files).and_then(|()| exchange(path, &fresh, standing));
    if wrote.is_err() {
        // What is left of it is a folder whose name says that it is none.
        let _ = fs::remove_dir_all(&fresh);
    }
    wrote
}

fn fill(fresh: &Path, files: &BTreeMap<String, String>) -> io::Result<()> {
    fs::create_dir(fresh)?;
    for (file, text) in files {
        let file = fresh.join(file);
        fs::create_dir_all(file.parent().unwrap_or(fresh))?;
        fs::write(&file, text)?;
    }
    Ok(())
}

fn exchange(path: &Path, fresh: &Path, standing: &Standing) -> io::Result<Option<PathBuf>> {
    let Standing::Generated { edited } = standing else {
        // An empty folder gives way; anything else that came meanwhile does not.
        fs::rename(fresh, path)?;
        return Ok(None);
    };
    let mut numbers = 1..;
    let before = loop {
        let before = match numbers.next() {
            Some(1) | None => beside(path, "before"),
            Some(number) => beside(path, &format!("before-{number}")),
        };
        if before.symlink_metadata().is_err() {
            break before;
        }
    };
    fs::rename(path, &before)?;
    if let Err(error) = fs::rename(fresh, path) {
        fs::rename(&before, path)?;
        return Err(error);
    }
    if edited.is_empty() {
        fs::remove_dir_all(&before)?;
        return Ok(None);
    }
    Ok(Some(before))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    // Without a separator at its end.
    let path: PathBuf = path.components().collect();
    let mut name = path.into_os_string();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        texts.iter().map(owned).collect()
    }

    #[test]
    fn what_somebody_worked_on_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let one = files(&[("x/y", "1")]);
        assert_eq!(write(&path, &one, &Standing::Nothing).unwrap(), None);
        let edited = vec!["x/y".to_owned()];
        let standing = Standing::Generated { edited };
        for (text, kept) in [("2", "b.before"), ("3", "b.before-2")] {
            let before = write(&path, &files(&[("x/y", text)]), &standing).unwrap();
            assert_eq!(before, Some(root.path().join("a").join(kept)));
            assert_eq!(fs::read_to_string(path.join("x/y")).unwrap(), text);
        }
        assert_eq!(
            fs::read_to_string(root.path().join("a/b.before/x/y")).unwrap(),
            "1"
        );
        let untouched = Standing::Generated { edited: Vec::new() };
        assert_eq!(write(&path, &one, &untouched).unwrap(), None);
        let names = fs::read_dir(root.path().join("a")).unwrap().count();
        assert_eq!(names, 3, "nothing else is left");
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_what_stood_there() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("b");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine"), "1").unwrap();
        write(&path, &files(&[("x", "1")]), &Standing::Nothing).unwrap_err();
        let clash = files(&[("x", "1"), ("x/y", "2")]);
        write(&path, &clash, &Standing::Generated { edited: Vec::new() }).unwrap_err();
        let names: Vec<_> = fs::read_dir(root.path()).unwrap().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(fs::read_to_string(path.join("mine")).unwrap(), "1");
    }

    #[test]
    fn only_what_was_generated_is_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        assert_eq!(standing(&at("none")).unwrap(), Standing::Nothing);
        fs::create_dir_all(at("empty")).unwrap();
        assert_eq!(standing(&at("empty")).unwrap(), Standing::Nothing);
        fs::write(at("file"), "").unwrap();
        assert_eq!(standing(&at("file")).unwrap(), Standing::Other);
        fs::create_dir_all(at("other/empty")).unwrap();
        assert_eq!(standing(&at("other")).unwrap(), Standing::Other);
        fs::write(at("other/notes.md"), "").unwrap();
        assert_eq!(standing(&at("other")).unwrap(), Standing::Other);
    }
}
