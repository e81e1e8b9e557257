//! A run as the database has it now, for commands that follow or act on it.

use divisi_core::journal::Stream;
use divisi_core::run::{Event, Run};
use divisi_core::{RunId, Time};

use crate::loaded;
use crate::printer::Failure;
use crate::project::Project;

/// Events taken at one look.
const EVENTS_MAX: u32 = 1_000;

/// A run as it is now.
pub(crate) fn run(project: &Project, id: RunId) -> Result<Run, Failure> {
    let view = project.view()?;
    project.row(&view, Some(id))?;
    Ok(loaded::load(&view, id)?)
}

/// All runs as they are now, oldest first.
pub(crate) fn all(project: &Project) -> Result<Vec<Run>, Failure> {
    let view = project.view()?;
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let rows = view.runs(runs.last().map(|run| run.id), EVENTS_MAX)?;
        if rows.is_empty() {
            return Ok(runs);
        }
        for row in rows {
            runs.push(loaded::load(&view, row.run)?);
        }
    }
}

/// A run's events after a seq, with their seqs; at most a look's worth.
pub(crate) fn events_after(
    project: &Project,
    id: RunId,
    after: u64,
) -> Result<Vec<(u64, Time, Event)>, Failure> {
    let view = project.view()?;
    let entries = view.events(Stream::Run(id), after, EVENTS_MAX)?;
    let read = |entry: &divisi_core::journal::Entry| {
        let (at, event) = loaded::event(entry)?;
        Ok((entry.seq, at, event))
    };
    entries.iter().map(read).collect()
}
