//! The files of a result that no task promised: what agents changed besides, or what was asked for in
//! words alone.

use std::collections::BTreeSet;

use divisi_core::Time;
use divisi_core::run::Run;
use divisi_engine::failpoint;
use divisi_engine::repo::Repo;
use divisi_pack::planner::says_how_to_test;

use super::{Changed, Report, gather};
use crate::changed::whole;
use crate::project::Project;

/// So many changed tests are named.
const TESTS_MAX: usize = 5;

/// So many files are named; `divisi diff` shows all.
const FILES_MAX: usize = 50;

/// The report of a run, with the files that differ in its result. Where the repository cannot be read,
/// whatever needs it tells that; the report is what it is without them.
pub(crate) fn with_changed(project: &Project, run: &Run, now: Time) -> Report {
    let mut report = gather(run, now);
    let Some(paths) = paths(project, run) else {
        return report;
    };
    report.unverified.extend(tests(run, &paths));
    let paths = paths.into_iter().map(|(path, _)| path).collect();
    report.changed = Some(beside(&report, paths));
    report
}

/// What differs in the result, and whether it was there before.
fn paths(project: &Project, run: &Run) -> Option<Vec<(String, bool)>> {
    let range = whole(run).ok()?;
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit).ok()?;
    repo.paths_changed(&range.from, &range.to).ok()
}

/// That the tests which passed are not those that there were: whoever is held by them can weaken them.
fn tests(run: &Run, paths: &[(String, bool)]) -> Option<String> {
    let command = run.intent.as_ref()?.tests.as_ref()?;
    let of_tests = paths
        .iter()
        .filter(|(path, was_there)| *was_there && says_how_to_test(path, command))
        .map(|(path, _)| path.as_str());
    let of_tests: Vec<&str> = of_tests.collect();
    let first = of_tests.get(..TESTS_MAX).unwrap_or(&of_tests).join(", ");
    let more = match of_tests.len().saturating_sub(TESTS_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let command = divisi_core::shell::line(command);
    (!of_tests.is_empty()).then(|| {
        format!("`{command}` passes with tests that this run changed: {first}{more}; look at them")
    })
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
