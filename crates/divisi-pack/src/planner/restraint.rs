//! What a request holds back in words of which no rule made more (docs/design/shown.md): for a person's
//! word the whole plan waits.

use divisi_core::plan::Work;
use divisi_core::{TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::Planned;
use super::naming::{capital, line};
use crate::request::{Request, restraint};

/// The task's id, and the one it has where that is taken.
const ID: &str = "approval";
const OTHER_ID: &str = "approval-of-the-whole";

/// Has the plan wait for a person's word that the request asks for, where no task of it does.
pub(super) fn hold(planned: &mut Planned, request: &Request) {
    let mut tasks = planned.plan.tasks.iter();
    let asked = restraint::word_asked(request);
    let Some(text) = asked.filter(|_| !tasks.any(|it| it.kind == TaskKind::Approval)) else {
        return;
    };
    let mut tasks = planned.plan.tasks.iter();
    let id = match tasks.any(|task| task.id.as_str() == ID) {
        true => OTHER_ID,
        false => ID,
    };
    let id = TaskId::new(id).expect("a word is an id");
    let task = TaskSpec {
        title: line(&capital(text)),
        description: format!(
            "The request asks for your word, and no rule tells for what exactly, so all of it \
             waits: {text}"
        ),
        kind: TaskKind::Approval,
        work: Work::Nothing,
        criteria: Vec::new(),
        workspace: WorkspaceKind::Shared,
        ..TaskSpec::command(id, &[])
    };
    for first in planned.plan.tasks.iter_mut() {
        if first.dependencies.is_empty() {
            first.dependencies.push(task.id.clone());
        }
    }
    planned.plan.tasks.insert(0, task);
    for place in planned.covers.iter_mut().flatten() {
        *place += 1;
    }
}
