//! What a plan file leaves unsaid: criteria and workspaces that follow from the rest.
//!
//! Reader and writer share these rules, so that the writer can tell what need not be written.

use std::collections::HashSet;

use divisi_core::criterion::Cost;
use divisi_core::plan::{Deliverable, Work};
use divisi_core::{Criterion, TaskKind, WorkspaceKind};

/// Stands where neither the plan nor its deliverables say when a task is done: a person decides.
pub(crate) const UNSTATED: &str = "the result is what was asked for";

/// What the rules for criteria look at.
#[derive(Clone, Copy)]
pub(crate) struct Promise<'p> {
    pub(crate) kind: TaskKind,
    pub(crate) work: &'p Work,
    pub(crate) deliverables: &'p [Deliverable],
    /// Whether the plan names exit statuses, and thus makes one of them a criterion.
    pub(crate) ok_exit_given: bool,
}

impl Promise<'_> {
    /// All criteria of the task: the listed ones, those in plain words, one for each deliverable
    /// that no `file` criterion names, then the exit status where it is asked for or where nothing
    /// else could find the command wrong.
    pub(crate) fn criteria(self, listed: &[Criterion], plain: &[Criterion]) -> Vec<Criterion> {
        if self.kind == TaskKind::Approval {
            return Vec::new();
        }
        let mut criteria: Vec<Criterion> = listed.iter().chain(plain).cloned().collect();
        let mut sized: HashSet<String> = criteria
            .iter()
            .filter_map(|criterion| match criterion {
                Criterion::File { path, .. } => Some(path.clone()),
                _ => None,
            })
            .collect();
        for Deliverable { path } in self.deliverables {
            if sized.insert(path.clone()) {
                criteria.push(Criterion::File {
                    path: path.clone(),
                    min_bytes: 1,
                });
            }
        }
        let falsifiable = criteria.iter().any(Criterion::is_falsifiable);
        if self.ok_exit_given || (is_program(self.work) && !falsifiable) {
            criteria.push(Criterion::ExitStatus);
        }
        if criteria.is_empty() {
            criteria.push(Criterion::Plain {
                text: UNSTATED.to_owned(),
            });
        }
        criteria
    }

    /// Where the task works unless its plan says: in a worktree of its own if files are to come
    /// out of it, in a shared checkout if it is a command that promises none.
    pub(crate) fn workspace(self, criteria: &[Criterion]) -> WorkspaceKind {
        let reads_files = criteria.iter().any(|c| c.cost() == Cost::Cheap);
        let shared = match self.kind {
            TaskKind::Approval => true,
            TaskKind::Compose | TaskKind::External => false,
            TaskKind::Work | TaskKind::Research | TaskKind::Plan | TaskKind::Review => {
                is_program(self.work) && self.deliverables.is_empty() && !reads_files
            }
        };
        match shared {
            true => WorkspaceKind::Shared,
            false => WorkspaceKind::Worktree,
        }
    }
}

/// Whether a program of the plan's own runs, and thus an exit status means what the plan says.
pub(crate) fn is_program(work: &Work) -> bool {
    matches!(work, Work::Command(_) | Work::Script(_))
}
