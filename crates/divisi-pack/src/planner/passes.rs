//! What would be several workflows, where the request says of which parts: a task for each of them, as
//! long as neither generation in passes nor packs run.
//!
//! The components that a whole system lists, and the halves that a pack keeps apart, are the request's
//! own words, and nothing is added to them. The first is what the others build on, and they follow
//! each other, since any of them may meet any other's files.

use divisi_core::plan::{Estimate, Work};
use divisi_core::{Plan, TaskSpec, WorkspaceKind};

use super::naming::{Ids, capital, line};
use super::{Facts, Pattern, Planned, REPEATED_BYTES_MAX, Reason, making, steps, whole};
use crate::assess::{halves, listed_whole as components};
use crate::request::Request;

/// What a list that is left open ends in.
const LEFT_OPEN: &[&str] = &["etc", "more", "others", "so on"];

/// The plan of a whole system, if nothing but its size is why there is no other.
pub(super) fn plan(request: &Request, facts: &Facts<'_>, reasons: &[Reason]) -> Option<Planned> {
    let is_whole = |reason: &Reason| matches!(reason, Reason::Whole(_));
    let names = components(request).filter(|_| reasons.iter().all(is_whole))?;
    if !is_clean(request, &names) {
        return None;
    }
    of_names(request, facts, &names)
}

/// The plan of a pack, by what it lists or keeps apart.
pub(super) fn of_pack(request: &Request, facts: &Facts<'_>) -> Option<Planned> {
    let names = halves(request, &facts.sizes)?;
    let listed = components(request).filter(|names| is_clean(request, names));
    of_names(request, facts, &listed.unwrap_or(names.to_vec()))
}

/// Whether each of some names is a component that is wanted.
fn is_clean(request: &Request, names: &[String]) -> bool {
    let is_clean = |name: &String| {
        let excluded = request.exclusions.iter().chain(&request.bounds);
        let mut said = excluded.map(|it| it.text.to_lowercase());
        let is_open = LEFT_OPEN.contains(&name.trim_end_matches('.'));
        let is_negated = name
            .split(' ')
            .any(|word| matches!(word, "but" | "not" | "no" | "without"));
        !is_open && !is_negated && !said.any(|it| it.contains(name.as_str()))
    };
    names.iter().all(is_clean)
}

fn of_names(request: &Request, facts: &Facts<'_>, names: &[String]) -> Option<Planned> {
    let is_all = request.parts.len() == 1 && steps::undivided(request).is_none();
    let repeated = names.len() * request.text.len();
    if !is_all || repeated > REPEATED_BYTES_MAX {
        return None;
    }
    let mut ids = Ids::default();
    let mut tasks: Vec<TaskSpec> = Vec::with_capacity(names.len());
    for name in names {
        let before = tasks.last().map(|task| task.id.clone());
        let task = TaskSpec {
            dependencies: before.into_iter().collect(),
            ..of(name, ids.of(name), request, facts)
        };
        tasks.push(task);
    }
    let all: Vec<usize> = (0..tasks.len()).collect();
    Some(Planned {
        covers: vec![all; request.parts.len()],
        plan: Plan {
            title: making::title(request),
            criteria: making::tested(facts)
                .into_iter()
                .chain([whole::all_done(request)])
                .collect(),
            tasks,
            ..Plan::default()
        },
        pattern: Pattern::Structure,
        advice: Vec::new(),
    })
}

fn of(name: &str, id: divisi_core::TaskId, request: &Request, facts: &Facts<'_>) -> TaskSpec {
    let title = line(&format!("{}: {}", capital(name), making::title(request)));
    let role = facts.roles.get("developer");
    let (domain, function) = role
        .map(crate::role::Role::names_of_tasks)
        .unwrap_or_default();
    let done = whole::as_asked(&title);
    TaskSpec {
        title,
        description: making::part_of(request, name),
        domain,
        function,
        work: Work::Handoff,
        criteria: making::tested(facts).into_iter().chain([done]).collect(),
        // As much as one task may be: a component of a system is not less.
        estimate: Estimate {
            duration_ms: Some(facts.sizes.task_advised_ms),
            duration_max_ms: Some(facts.sizes.task_ms_max),
            tokens: Some(facts.sizes.task_tokens_max),
        },
        workspace: WorkspaceKind::Worktree,
        ..TaskSpec::command(id, &[])
    }
}
