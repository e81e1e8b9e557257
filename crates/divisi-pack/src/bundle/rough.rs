//! An iteration whose targets are not known: what its entries would execute, whatever they find.

use divisi_core::plan::Work;
use divisi_core::{Criterion, TaskId, TaskKind, TaskSpec};

use super::Bundle;
use super::targets::Values;
use crate::placeholder;
use crate::words::{self, Context};
use crate::workflow::{Entry, Iteration, Statement};

/// One task for each entry of an iteration, and one for its criteria, with the programs that they
/// name. For whoever has to consent to what cannot be foreseen; nothing of it is run.
#[must_use]
pub fn rough(bundle: &Bundle, iteration: &str) -> Vec<TaskSpec> {
    let Some(iteration) = bundle.workflow.iteration(iteration) else {
        return Vec::new();
    };
    let entries = iteration.entries.iter();
    let mut tasks: Vec<TaskSpec> = entries
        .map(|entry| of_entry(bundle, iteration, entry))
        .collect();
    let criteria = programs(bundle, &iteration.criteria);
    if !criteria.is_empty() {
        let task = named(iteration, "review");
        tasks.push(TaskSpec {
            title: format!("Review: {}", iteration.name),
            kind: TaskKind::Review,
            work: Work::Nothing,
            criteria,
            ..task
        });
    }
    tasks
}

fn named(iteration: &Iteration, label: &str) -> TaskSpec {
    let id = TaskId::new(format!("{}.{label}", iteration.id));
    TaskSpec::command(id.expect("short slugs with a dot between are an id"), &[])
}

fn of_entry(bundle: &Bundle, iteration: &Iteration, entry: &Entry) -> TaskSpec {
    let role = bundle.role(entry.role.as_deref());
    let given = role.and_then(|role| bundle.agents.get(&role.id));
    TaskSpec {
        title: entry
            .title
            .clone()
            .unwrap_or_else(|| iteration.goal.clone()),
        kind: entry.kind,
        work: entry.work.clone(),
        agent: given.or(entry.settings.agent.as_ref()).cloned(),
        agents_else: entry.settings.agents_else.clone(),
        env: entry.settings.env.clone(),
        criteria: programs(bundle, &entry.criteria),
        ..named(iteration, &entry.label)
    }
}

/// The programs among statements.
fn programs(bundle: &Bundle, statements: &[Statement]) -> Vec<Criterion> {
    let values = Values {
        bundle,
        target: None,
    };
    let of = |statement: &Statement| match statement {
        Statement::Check(check) => vec![check.clone()],
        Statement::Words(text) => {
            let text = placeholder::fill(text, |name| values.get(name));
            words::compile(&text, &Context::default()).criteria(&text)
        }
    };
    let is_program = |criterion: &Criterion| matches!(criterion, Criterion::Command { .. });
    let all = statements.iter().flat_map(of);
    all.filter(is_program).collect()
}
