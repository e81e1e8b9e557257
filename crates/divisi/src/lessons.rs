//! Lessons of a project: kept in `.divisi/lessons`, one file each, and applied to its own texts.
//!
//! Whoever changes something holds the folder's lock. A file is replaced whole or not at all. A
//! lesson is approved after its target was written: killed in between, it is approved by the next
//! try, which finds the change there.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use divisi_core::Diagnostic;
use divisi_pack::TEXT_BYTES_MAX;
use divisi_pack::lesson::{self, Applied, LESSON_BYTES_MAX, Lesson, Status};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::library::files::{beneath, put};
use crate::printer::Failure;
use crate::project::{CONFIG, Project};

/// More lessons than anybody reviews.
const LESSONS_MAX: usize = 10_000;

/// Where they are kept, beneath the project's folder.
const FOLDER: &str = ".divisi/lessons";

/// A lesson as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(flatten)]
    pub(crate) lesson: Lesson,
    /// The text that the project gets as its own before the diff is applied, where it has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<String>,
}

impl Kept {
    /// Whether it comes from this run and waits for its review.
    pub(crate) fn is_proposed_by(&self, run: &str) -> bool {
        self.lesson.status == Status::Proposed && self.lesson.run == run
    }
}

/// The lessons of a project, open for changes while this lives.
pub(crate) struct Lessons {
    root: PathBuf,
    _lock: File,
}

/// All lessons in the order of their names.
///
/// # Errors
/// One cannot be read.
pub(crate) fn list(project: &Project) -> Result<Vec<Kept>, Failure> {
    let folder = project.folder().join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| cannot("listing", FOLDER, &error))?,
    };
    let mut ids = Vec::new();
    for entry in entries.take(LESSONS_MAX) {
        let entry = entry.map_err(|error| cannot("listing", FOLDER, &error))?;
        let name = entry.file_name();
        ids.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .map(str::to_owned),
        );
    }
    ids.retain(|id| is_id(id));
    ids.sort_unstable();
    ids.iter()
        .filter_map(|id| find(project, id).transpose())
        .collect()
}

/// The lesson of this name.
///
/// # Errors
/// There is none, or it cannot be read.
pub(crate) fn get(project: &Project, id: &str) -> Result<Kept, Failure> {
    let found = match is_id(id) {
        true => find(project, id)?,
        false => None,
    };
    found.ok_or_else(|| {
        let told = Diagnostic::error("lesson-unknown", format!("there is no lesson `{id}`"));
        let ids: Vec<String> = list(project)
            .map(|all| all.into_iter().map(|kept| kept.lesson.id).collect())
            .unwrap_or_default();
        let told = match divisi_pack::nearest(id, ids.iter().map(String::as_str)) {
            Some(meant) => told.hint(format!("did you mean `{meant}`?")),
            None => told,
        };
        Failure::told(
            told.hint("`divisi lessons list` lists them"),
            Exit::NotFound,
        )
    })
}

fn find(project: &Project, id: &str) -> Result<Option<Kept>, Failure> {
    let path = format!("{FOLDER}/{id}.json");
    let read = beneath(project.folder(), &path, LESSON_BYTES_MAX as u64 + 1);
    let Some(bytes) = read.map_err(|error| cannot("reading", &path, &error))? else {
        return Ok(None);
    };
    let kept: Kept = serde_json::from_slice(&bytes)
        .map_err(|error| cannot("reading", &path, &io::Error::other(error)))?;
    if kept.lesson.version != lesson::VERSION || kept.lesson.id != id {
        let error = io::Error::other("it is of another version, or of another lesson");
        return Err(cannot("reading", &path, &error));
    }
    Ok(Some(kept))
}

fn is_id(id: &str) -> bool {
    let digest = id.strip_prefix("lesson-").unwrap_or_default();
    digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Lessons {
    /// Opens the lessons for changes; waits for whoever changes them.
    ///
    /// # Errors
    /// The folder cannot be made or locked.
    pub(crate) fn open(project: &Project) -> Result<Lessons, Failure> {
        let folder = project.folder().join(FOLDER);
        let lock = fs::create_dir_all(&folder)
            .and_then(|()| File::create(folder.join("lock")))
            .and_then(|file| file.lock().map(|()| file));
        Ok(Lessons {
            root: project.folder().to_owned(),
            _lock: lock.map_err(|error| cannot("locking", FOLDER, &error))?,
        })
    }

    /// Keeps a lesson. One that nobody has decided on yet is renewed; one that was decided on stays.
    /// Says what is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn propose(&self, project: &Project, kept: Kept) -> Result<Kept, Failure> {
        match find(project, &kept.lesson.id)? {
            Some(before) if before.lesson.status != Status::Proposed || before == kept => {
                Ok(before)
            }
            _ => self.keep(kept),
        }
    }

    /// Applies a lesson to the project's own text.
    ///
    /// # Errors
    /// It was applied before, the text is not what it was made of, or something cannot be written;
    /// nothing was changed then.
    pub(crate) fn approve(&self, mut kept: Kept) -> Result<Kept, Failure> {
        let lesson = &kept.lesson;
        if lesson.status == Status::Approved {
            return Err(decided(lesson, "its change stands in the file"));
        }
        let target = lesson.target.as_str();
        if let Some(text) = self.changed(&kept)? {
            put(&self.root, target, text.as_bytes())
                .map_err(|error| cannot("writing", target, &error))?;
        }
        kept.lesson.status = Status::Approved;
        self.keep(kept)
    }

    /// The target's text with the lesson; none if it has it already.
    fn changed(&self, kept: &Kept) -> Result<Option<String>, Failure> {
        let target = kept.lesson.target.as_str();
        if !is_target(target) {
            let error = io::Error::other("it is no role, template or configuration of the project");
            return Err(cannot("writing", target, &error));
        }
        let read = beneath(&self.root, target, TEXT_BYTES_MAX as u64 + 1);
        let bytes = read.map_err(|error| cannot("reading", target, &error))?;
        let (text, stands) = match (bytes, &kept.copy) {
            (Some(bytes), _) => {
                let text = String::from_utf8(bytes);
                let text =
                    text.map_err(|error| cannot("reading", target, &io::Error::other(error)));
                (text?, "as it is now")
            }
            (None, Some(copy)) => (copy.clone(), "which is not there yet"),
            (None, None) => (String::new(), "which is not there"),
        };
        match lesson::apply(&kept.lesson.diff, &text) {
            Applied::Already => Ok(None),
            Applied::Changed(text) => Ok(Some(text)),
            Applied::Stale(cause) => Err(stale(&kept.lesson, stands, &cause)),
        }
    }

    /// Says that a lesson is not wanted.
    ///
    /// # Errors
    /// It was decided on before, or cannot be written.
    pub(crate) fn reject(&self, mut kept: Kept) -> Result<Kept, Failure> {
        match kept.lesson.status {
            Status::Proposed => {
                kept.lesson.status = Status::Rejected;
                self.keep(kept)
            }
            Status::Approved => Err(decided(&kept.lesson, "undo its change in the file itself")),
            Status::Rejected => Err(decided(&kept.lesson, "it is not proposed again")),
        }
    }

    fn keep(&self, kept: Kept) -> Result<Kept, Failure> {
        let path = format!("{FOLDER}/{}.json", kept.lesson.id);
        let text = serde_json::to_string_pretty(&kept).expect("a lesson is plain data") + "\n";
        put(&self.root, &path, text.as_bytes())
            .map_err(|error| cannot("writing", &path, &error))?;
        Ok(kept)
    }
}

/// Whether lessons may change such a file.
fn is_target(path: &str) -> bool {
    let is_plain = divisi_core::path::beneath(path).is_ok();
    let of = |folder: &str, endings: &[&str]| {
        path.starts_with(folder) && endings.iter().any(|ending| path.ends_with(ending))
    };
    let is_role = of("roles/", &[".yaml", ".yml"]);
    is_plain && (path == CONFIG || is_role || of("templates/", &[".j2"]))
}

fn cannot(doing: &str, path: &str, error: &io::Error) -> Failure {
    let told = Diagnostic::error("lesson-io", format!("{doing} {path}: {error}"))
        .hint("let it be a regular file that you may read and write, or move it away");
    Failure::told(told, Exit::Environment)
}

fn decided(lesson: &Lesson, hint: &str) -> Failure {
    let cause = format!("{} was {} before", lesson.id, lesson.status.word());
    Failure::told(
        Diagnostic::error("lesson-decided", cause).hint(hint),
        Exit::Refused,
    )
}

/// Both sides are named: what the diff was made of, and what stands there.
fn stale(lesson: &Lesson, stands: &str, cause: &str) -> Failure {
    let told = Diagnostic::error(
        "lesson-stale",
        format!(
            "the diff of {} was made of {}, and does not apply to {} {stands}: {cause}",
            lesson.id, lesson.made_of, lesson.target
        ),
    );
    let told = told
        .hint(format!(
            "`divisi feedback {}` makes it anew of what stands there",
            lesson.run
        ))
        .hint(format!(
            "`divisi lessons show {}` shows it; make the change by hand",
            lesson.id
        ));
    Failure::told(told, Exit::Refused)
}
