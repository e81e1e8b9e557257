//! What is left of a run in files, for people: its report, and its plan with how far each task came.

use divisi_core::run::Run;
use divisi_engine::engine::wall_now;

use crate::plan_record;
use crate::project::Project;
use crate::report::{self, Report};

/// The plan of a larger run is not left as a file: it takes as much memory and time as the run's end
/// does without it, and nobody reads it. `divisi report --plan` prints it.
const PLAN_KEPT_TASKS_MAX: usize = 1_000;

/// Leaves the report, and the plan with its progress, where people look for them. They can be made
/// anew from the journal at any time, so a disk that refuses them is no reason to fail.
pub(crate) fn keep(project: &Project, run: &Run, report: &Report) {
    let folder = project.run_folder(run.id);
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    let kept = std::fs::create_dir_all(&folder)
        .and_then(|()| write("report.md", report::markdown(report)));
    if run.tasks().len() <= PLAN_KEPT_TASKS_MAX {
        let _ = kept.and_then(|()| write("plan.json", plan_record::text(run, wall_now())));
    }
}
