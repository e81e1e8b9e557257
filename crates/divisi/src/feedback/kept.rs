//! Feedback as it is kept with its run: a file that can be made anew.
//!
//! What a stage came to is kept once it has ended, and read from what was integrated by then: later
//! stages may change the documents that its notes stand in. Whether something is owed is told from the run's state and the file alone, so
//! that it is done again after a crash, and once.

use std::collections::BTreeSet;

use divisi_core::run::Run;
use divisi_engine::failpoint;
use divisi_engine::files::Files as _;
use divisi_engine::repo::Repo;
use divisi_pack::lesson::notes;
use serde::{Deserialize, Serialize};

use super::{Document, Feedback, Figures, Notes, documents, figures, gather, stages, teaching};
use crate::changed::told;
use crate::lessons::Kept;
use crate::library::files::{beneath, put};
use crate::printer::{Failure, Printer};
use crate::project::Project;

/// The form of the file.
const VERSION: u32 = 1;

/// A document is read up to so many bytes; notes beyond it are not found.
const DOCUMENT_BYTES_MAX: u64 = 256 << 10;

/// A larger file is not what we wrote; it is made anew.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The feedback as it is written.
#[derive(Serialize)]
struct Written<'f> {
    version: u32,
    #[serde(flatten)]
    feedback: &'f Feedback,
}

/// What of it is read again.
#[derive(Default, Deserialize)]
struct Read {
    version: u32,
    stages: Vec<Figures>,
}

/// Keeps the feedback of every stage that has ended and proposes what it teaches, if that was not
/// done yet. Says what is new.
///
/// # Errors
/// The result, the roles or the configuration cannot be read, or something cannot be written.
pub(crate) fn catch_up(
    project: &Project,
    run: &Run,
    printer: &Printer,
) -> Result<Vec<Kept>, Failure> {
    if super::ends(run).is_empty() {
        return Ok(Vec::new());
    }
    let kept = read(project, run);
    let stages = gather(run, &Notes::new()).stages;
    let mut ended = stages.iter().filter(|figures| figures.ended_at.is_some());
    if ended.all(|figures| kept.iter().any(|its| is_same(its, figures))) {
        return Ok(Vec::new());
    }
    Ok(up_to_date(project, run, printer)?.1)
}

/// The feedback of a run: of stages that have ended what is kept, which is done first where it is
/// owed, and of others what they came to so far. Lessons are proposed.
///
/// # Errors
/// As [`catch_up`].
pub(crate) fn up_to_date(
    project: &Project,
    run: &Run,
    printer: &Printer,
) -> Result<(Feedback, Vec<Kept>), Failure> {
    let kept = read(project, run);
    let bare = gather(run, &Notes::new()).stages.into_iter();
    let others = bare.filter(|figures| !kept.iter().any(|its| is_same(its, figures)));
    let others: BTreeSet<String> = others.map(|figures| figures.stage).collect();
    let mut feedback = gather(run, &read_notes(project, run, &others)?);
    let mut is_owed = false;
    for figures in &mut feedback.stages {
        match kept.iter().find(|its| is_same(its, figures)) {
            Some(its) => *figures = its.clone(),
            None => is_owed |= figures.ended_at.is_some(),
        }
    }
    let lessons = teaching::teach(project, &mut feedback, printer)?;
    if is_owed {
        write(project, run, &feedback)?;
    }
    Ok((feedback, lessons))
}

/// Whether figures are of one stage, which ended once: one that goes on again is another.
fn is_same(one: &Figures, other: &Figures) -> bool {
    one.stage == other.stage && one.ended_at.is_some() && one.ended_at == other.ended_at
}

fn path(run: &Run) -> String {
    format!(".divisi/runs/{}/feedback.json", run.id)
}

/// The stages that are kept. What cannot be read is made anew.
fn read(project: &Project, run: &Run) -> Vec<Figures> {
    let bytes = beneath(project.folder(), &path(run), FILE_BYTES_MAX + 1);
    let bytes = bytes.ok().flatten().unwrap_or_default();
    let read: Read = serde_json::from_slice(&bytes).unwrap_or_default();
    match read.version {
        VERSION => read.stages,
        _ => Vec::new(),
    }
}

fn write(project: &Project, run: &Run, feedback: &Feedback) -> Result<(), Failure> {
    let written = Written {
        version: VERSION,
        feedback,
    };
    let text = serde_json::to_string_pretty(&written).expect("feedback is plain data") + "\n";
    put(project.folder(), &path(run), text.as_bytes()).map_err(|error| {
        let cause = format!("writing {}: {error}", path(run));
        let told = divisi_core::Diagnostic::error("feedback-io", cause)
            .hint("check the folder's owner, its permissions and the room on its disk");
        Failure::told(told, crate::exit::Exit::Environment)
    })
}

/// The notes in the documents of these stages. A document that cannot be read has none.
fn read_notes(project: &Project, run: &Run, of: &BTreeSet<String>) -> Result<Notes, Failure> {
    let mut named = documents(run, &stages(run));
    named.retain(|document| of.contains(&figures::name(run, document.stage)));
    if named.is_empty() {
        return Ok(Notes::new());
    }
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let mut found = Notes::new();
    for Document { path, commit, .. } in named {
        let tree = repo.tree_of(&commit).map_err(|fault| told(&fault))?;
        let files = repo.files(&tree, None).map_err(|fault| told(&fault))?;
        if let Ok(bytes) = files.read(&path, DOCUMENT_BYTES_MAX) {
            let notes = notes(&path, &String::from_utf8_lossy(&bytes));
            found.insert((commit, path), notes);
        }
    }
    Ok(found)
}
