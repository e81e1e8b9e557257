//! A workflow as the plan that a run starts with: one task for each iteration, which expands it.

use divisi_core::plan::{Expansion, Work};
use divisi_core::{Digest, Plan, TaskId, TaskKind, TaskSpec};

use super::Bundle;
use crate::workflow::Iteration;

/// The plan of a bundle that is kept under this digest. Each iteration is a task that waits for
/// those of the iterations before it; when it starts, its own tasks take its place.
#[must_use]
pub fn plan(bundle: &Bundle, digest: &Digest) -> Plan {
    let iterations = &bundle.workflow.iterations;
    Plan {
        title: bundle.workflow.name.clone(),
        tasks: iterations.iter().map(|it| expands(it, digest)).collect(),
        ..Plan::default()
    }
}

fn expands(iteration: &Iteration, digest: &Digest) -> TaskSpec {
    let id = |text: &str| TaskId::new(text).expect("an iteration's id is a slug, and so a task's");
    TaskSpec {
        title: iteration.name.clone(),
        description: iteration.goal.clone(),
        kind: TaskKind::Plan,
        work: Work::Expand(Expansion {
            bundle: digest.clone(),
            stage: iteration.id.clone(),
        }),
        dependencies: iteration.dependencies.iter().map(|on| id(on)).collect(),
        criteria: Vec::new(),
        ..TaskSpec::command(id(&iteration.id), &[])
    }
}
