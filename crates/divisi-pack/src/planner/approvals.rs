//! A person's word between tasks: `once I approve the design, build it`.

use divisi_core::plan::Work;
use divisi_core::{TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::naming::{Ids, capital, line};
use crate::request::Request;

/// Puts a task for each approval before the tasks that wait for it. `covers` has the tasks of each part
/// by their places, and has them afterwards, too.
pub(super) fn put(
    request: &Request,
    mut tasks: Vec<TaskSpec>,
    covers: &mut [Vec<usize>],
    ids: &mut Ids,
) -> Vec<TaskSpec> {
    for approval in &request.approvals {
        let waiting = covers[approval.before].clone();
        let Some(&at) = waiting.iter().min() else {
            continue;
        };
        let mut of = approval.of.map(|of| covers[of].clone()).unwrap_or_default();
        // One task may do both.
        of.retain(|task| !waiting.contains(task));
        let named = of.first().map(|&of| tasks[of].title.clone());
        let title = match named {
            Some(title) => format!("Approve: {title}"),
            None => capital(&approval.text),
        };
        let mut dependencies: Vec<TaskId> = of.iter().map(|&of| tasks[of].id.clone()).collect();
        if of.is_empty() {
            // Whoever says `go` sees what is done until then.
            dependencies.clone_from(&tasks[at].dependencies);
        }
        let task = TaskSpec {
            title: line(&title),
            description: format!("The request waits for it: {}", approval.text),
            kind: TaskKind::Approval,
            work: Work::Nothing,
            criteria: Vec::new(),
            dependencies,
            workspace: WorkspaceKind::Shared,
            ..TaskSpec::command(ids.of("approval"), &[])
        };
        for &waits in &waiting {
            tasks[waits].dependencies.push(task.id.clone());
        }
        tasks.insert(at, task);
        for place in covers.iter_mut().flatten() {
            *place += usize::from(*place >= at);
        }
    }
    tasks
}
