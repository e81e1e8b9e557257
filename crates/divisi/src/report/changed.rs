//! The files of a result that no task promised: what agents changed besides, or what was asked for in
//! words alone.

use std::collections::BTreeSet;

use divisi_core::Time;
use divisi_core::run::Run;
use divisi_engine::failpoint;
use divisi_engine::repo::Repo;

use super::{Changed, Report, gather};
use crate::changed::whole;
use crate::project::Project;

/// So many files are named; `divisi diff` shows all.
const FILES_MAX: usize = 50;

/// The report of a run, with the files that differ in its result. Where the repository cannot be read,
/// whatever needs it tells that; the report is what it is without them.
pub(crate) fn with_changed(project: &Project, run: &Run, now: Time) -> Report {
    let mut report = gather(run, now);
    report.changed = paths(project, run).map(|paths| beside(&report, paths));
    report
}

fn paths(project: &Project, run: &Run) -> Option<Vec<String>> {
    let range = whole(run).ok()?;
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit).ok()?;
    repo.paths_changed(&range.from, &range.to).ok()
}

/// Those of the paths that stand not among the artifacts.
fn beside(report: &Report, mut paths: Vec<String>) -> Changed {
    let made = report.tasks.iter().flat_map(|task| &task.artifacts);
    let made: BTreeSet<&str> = made.map(|made| made.path.as_str()).collect();
    paths.retain(|path| !made.contains(path.as_str()));
    let more = paths.len().saturating_sub(FILES_MAX);
    paths.truncate(FILES_MAX);
    Changed {
        files: paths,
        more: more as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, plan, task};

    #[test]
    fn so_many_files_are_named_and_the_others_counted() {
        let given = Given::run_of(plan("Pages", vec![task("a", &[])]));
        let report = gather(&given.run(), given.now());
        let paths = (0..60).map(|no| format!("src/{no}.rs")).collect();
        let changed = beside(&report, paths);
        assert_eq!((changed.files.len(), changed.more), (50, 10));
    }
}
