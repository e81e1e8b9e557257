//! One iteration as tasks: targets are matched, shared among agents, and each agent's share becomes
//! a task with its prompt, its deliverables and its criteria.

use std::collections::BTreeMap;

use divisi_core::plan::Work;
use divisi_core::{Criterion, Diagnostic, Plan, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::criteria::{self, Subject};
use super::making::Making;
use super::prompt::{Prompts, Standing};
use super::shared::{Shared, check_promised};
use super::told::Told;
use super::{Bundle, Expanded, Expansion, TASKS_MAX};
use crate::codes;
use crate::estimate::Estimate;
use crate::faults::shown;
use crate::plan_file::CRITERIA_MAX;
use crate::workflow::Iteration;

/// Expands an iteration, by id or name, against the paths of the tree.
///
/// Patterns that match nothing, two targets that promise one file, and work beyond a budget are
/// errors; nothing is left out silently.
#[must_use]
pub fn expand<S: AsRef<str>>(bundle: &Bundle, iteration: &str, paths: &[S]) -> Expanded {
    let Some(iteration) = bundle.workflow.iteration(iteration) else {
        return Expanded {
            expansion: None,
            diagnostics: vec![unknown(bundle, iteration)],
        };
    };
    let mut told = Told::default();
    let entries = shared(bundle, iteration, paths, &mut told);
    let expansion = match told.refuses() {
        true => None,
        false => {
            let standing = Standing::InHandoffs;
            Some(tasks(bundle, iteration, &entries, standing, &mut told))
        }
    };
    Expanded {
        expansion: expansion.filter(|_| !told.refuses()),
        diagnostics: told.finish(),
    }
}

/// That there is no such iteration.
pub(super) fn unknown(bundle: &Bundle, iteration: &str) -> Diagnostic {
    let cause = format!(
        "the workflow {} has no iteration {}",
        shown(&bundle.workflow.name),
        shown(iteration)
    );
    Diagnostic::error(codes::WORKFLOW_UNKNOWN, cause)
}

/// The iteration's entries with their targets, shared among agents.
pub(super) fn shared<'b, S: AsRef<str>>(
    bundle: &'b Bundle,
    iteration: &'b Iteration,
    paths: &[S],
    told: &mut Told,
) -> Vec<Shared<'b>> {
    let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
    let entries: Vec<Shared<'b>> = iteration
        .entries
        .iter()
        .map(|entry| Shared::of(bundle, iteration, entry, &paths, told))
        .collect();
    check_promised(&entries, told);
    entries
}

pub(super) fn tasks(
    bundle: &Bundle,
    iteration: &Iteration,
    entries: &[Shared<'_>],
    standing: Standing,
    told: &mut Told,
) -> Expansion {
    let count: usize = entries.iter().map(|shared| shared.agents.len()).sum();
    let ids: BTreeMap<&str, Vec<TaskId>> = entries
        .iter()
        .map(|shared| (&*shared.entry.label, ids(iteration, shared)))
        .collect();
    let mut prompts = Prompts::new(bundle, iteration, standing, told);
    let all = Subject::of(bundle, entries);
    let complete = criteria::compile(&iteration.criteria, &all);
    let mut by_file: BTreeMap<&str, Vec<&Criterion>> = BTreeMap::new();
    for criterion in &complete {
        // That a promised file is there and not empty stands at its task anyway.
        if matches!(
            criterion,
            Criterion::File {
                min_bytes: 0 | 1,
                ..
            }
        ) {
            continue;
        }
        if let Some(file) = criterion.file() {
            by_file.entry(file).or_default().push(criterion);
        }
    }
    let mut expansion = Expansion {
        iteration: iteration.id.clone(),
        tasks: Vec::with_capacity(count + 1),
        shares: Vec::with_capacity(count),
        estimate: Estimate::default(),
        context: prompts.context().to_owned(),
    };
    if count > TASKS_MAX {
        told.error(codes::TOO_LARGE, &iteration.place, &[], || {
            format!("{count} tasks, more than {TASKS_MAX}")
        });
        return expansion;
    }
    for shared in entries {
        for (agent, given) in shared.agents.iter().enumerate() {
            let own = Subject::of_one(bundle, shared, given);
            let mut criteria = criteria::compile(&shared.entry.criteria, &own);
            for made in &given.made {
                for &criterion in by_file.get(&*made.path).into_iter().flatten() {
                    if !criteria.contains(criterion) {
                        criteria.push(criterion.clone());
                    }
                }
            }
            let work = Making {
                bundle,
                iteration,
                shared,
                agent,
                ids: &ids,
            };
            let (task, share) = work.task(&criteria, &mut prompts, told);
            expansion.tasks.push(task);
            expansion.shares.push(share);
            if prompts.are_too_long(&shared.entry.place, told) {
                return expansion;
            }
        }
    }
    if complete.len() > usize::from(u16::MAX) {
        told.error(codes::TOO_LARGE, &iteration.place, &[], || {
            format!("{} criteria, more than {}", complete.len(), u16::MAX)
        });
    }
    let ends = Ends {
        id: &iteration.id,
        name: &iteration.name,
        goal: &iteration.goal,
    };
    let review = ends.review(&expansion.tasks, complete);
    expansion.tasks.extend(review);
    expansion.estimate = Estimate::of(
        &Plan {
            tasks: expansion.tasks.clone(),
            ..Plan::default()
        },
        None,
    );
    expansion
}

fn ids(iteration: &Iteration, shared: &Shared<'_>) -> Vec<TaskId> {
    let stem = format!("{}.{}", iteration.id, shared.entry.label);
    let id = |text: String| TaskId::new(text).expect("short slugs with dots between are an id");
    match shared.entry.targets.is_empty() {
        true => vec![id(stem)],
        false => (1..=shared.agents.len())
            .map(|number| id(format!("{stem}.{number}")))
            .collect(),
    }
}

/// An iteration as the task that ends it names it.
pub(crate) struct Ends<'i> {
    pub(crate) id: &'i str,
    pub(crate) name: &'i str,
    pub(crate) goal: &'i str,
}

impl Ends<'_> {
    /// The task that ends the iteration: it changes nothing and carries the criteria.
    pub(crate) fn review(&self, tasks: &[TaskSpec], criteria: Vec<Criterion>) -> Option<TaskSpec> {
        let mut criteria = criteria;
        if criteria.is_empty() {
            let promised = tasks.iter().flat_map(|task| &task.deliverables);
            criteria = promised
                .take(CRITERIA_MAX)
                .map(|made| Criterion::File {
                    path: made.path.clone(),
                    min_bytes: 1,
                })
                .collect();
        }
        if criteria.is_empty() {
            return None;
        }
        let id = TaskId::new(format!("{}.review", self.id)).ok()?;
        Some(TaskSpec {
            title: format!("Review: {}", self.name),
            description: match self.goal {
                "" => String::new(),
                goal => format!("Whether this was reached: {goal}"),
            },
            kind: TaskKind::Review,
            work: Work::Nothing,
            dependencies: tasks.iter().map(|task| task.id.clone()).collect(),
            criteria,
            workspace: WorkspaceKind::Worktree,
            ..TaskSpec::command(id, &[])
        })
    }
}
