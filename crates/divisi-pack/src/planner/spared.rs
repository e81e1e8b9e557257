//! What a request wants left as it is, and beyond what it wants nothing changed, as criteria: of
//! each task that somebody does, so that a change is refused where it is made, and of the whole.

use std::collections::BTreeSet;

use divisi_core::criterion::of_scope;
use divisi_core::plan::Work;
use divisi_core::{Criterion, Plan, TaskKind, TaskSpec};

use super::Facts;
use super::making::pattern_of;
use super::steps;
use crate::area::Area;
use crate::paths;
use crate::request::{Change, Exclusion, KeptArea, Part, Request, Verb, restraint};

/// So many files that are there are named one by one, so that others may be added.
const EXISTING_MAX: usize = 40;

/// Bounds each task, and the whole, to the files that the plan names, where the request wants nothing else
/// changed, or only looks and holds something back: `list the bugs, do not fix them`. A task that names
/// none could be bounded to nothing, so nothing is bounded then.
pub(super) fn hold_all_else(plan: &mut Plan, request: &Request, facts: &Facts<'_>) {
    let looks = |task: &TaskSpec| matches!(task.kind, TaskKind::Research | TaskKind::Review);
    // What is held back by name is spared by name.
    let mut exclusions = request.exclusions.iter();
    let only_looks = exclusions.any(|it| !it.keeps()) && plan.tasks.iter().all(looks);
    let mut bounds = request.bounds.iter();
    let is_asked = request.is_question || only_looks || bounds.any(|it| it.files.is_empty());
    if !is_asked || is_bounded(plan) {
        return;
    }
    // What one task does is in any file that the request names.
    let mut work = { plan.tasks.iter() }.filter(|it| it.work == Work::Handoff);
    let is_alone = work.next().is_some() && work.next().is_none() && !request.is_question;
    let all_named = { request.files.iter() }.map(|file| pattern_of(&file.text, facts));
    let all_named: Vec<String> = all_named.filter(|it| is_alone && is_pattern(it)).collect();
    let own = |task: &TaskSpec| -> Vec<String> {
        let promised = task.deliverables.iter().map(|it| &it.path);
        let own = promised.chain(&task.scope).cloned();
        let mut own: Vec<String> = own.collect();
        if !own.is_empty() && !looks(task) {
            let others = all_named.iter().filter(|it| !own.contains(it));
            let others: Vec<String> = others.cloned().collect();
            own.extend(others);
        }
        own
    };
    let named: Vec<Vec<String>> = plan.tasks.iter().map(own).collect();
    let is_named =
        |(task, own): (&TaskSpec, &Vec<String>)| task.work == Work::Nothing || !own.is_empty();
    if !plan.tasks.iter().zip(&named).all(is_named) {
        return;
    }
    let mut all = Vec::new();
    for (task, own) in plan.tasks.iter_mut().zip(named) {
        if task.work == Work::Handoff {
            add(&mut task.criteria, &[], &own, &[]);
        }
        all.extend(own);
    }
    all.sort();
    all.dedup();
    add(&mut plan.criteria, &[], &all, &[]);
}

/// Whether the whole is bounded to some files.
pub(super) fn is_bounded(plan: &Plan) -> bool {
    let mut criteria = plan.criteria.iter();
    criteria.any(|it| match it {
        Criterion::Scope { patterns } => !of_scope(patterns).0.is_empty(),
        _ => false,
    })
}

/// Adds them to a plan.
pub(super) fn hold(plan: &mut Plan, request: &Request, facts: &Facts<'_>) {
    let spared = request.kept().into_iter();
    let spared = spared.map(|path| in_its_folder(path, facts));
    let areas = request.exclusions.iter().flat_map(|it| &it.areas);
    let areas = areas.flat_map(|area| of_area(*area, request, facts).0);
    let mut spared: Vec<String> = { spared.chain(areas) }
        .filter(|pattern| is_pattern(pattern))
        .map(|pattern| format!("!{pattern}"))
        .collect();
    let mut seen = BTreeSet::new();
    spared.retain(|pattern| seen.insert(pattern.clone()));
    let within = bounds(request, facts);
    let mut promised = Vec::new();
    for task in plan.tasks.iter_mut() {
        let own: Vec<String> = task.deliverables.iter().map(|it| it.path.clone()).collect();
        if task.work == Work::Handoff {
            add(&mut task.criteria, &spared, &within, &own);
        }
        promised.extend(own);
    }
    add(&mut plan.criteria, &spared, &within, &promised);
}

/// The files beyond which the request wants nothing to change, as patterns.
pub(super) fn bounds(request: &Request, facts: &Facts<'_>) -> Vec<String> {
    let bounds = request.bounds.iter().flat_map(|it| &it.files);
    let bounds = bounds.map(|file| pattern_of(&file.text, facts));
    bounds.filter(|pattern| is_pattern(pattern)).collect()
}

/// The sentences that hold something back of which no check was made.
pub(super) fn unread<'r>(plan: &Plan, request: &'r Request, facts: &Facts<'_>) -> Vec<&'r str> {
    let is_held = |it: &Exclusion| {
        let areas = || !it.areas.is_empty();
        let is_held = |area: &KeptArea| of_area(*area, request, facts).1;
        !it.kept.is_empty() || areas() && it.areas.iter().all(is_held)
    };
    restraint::unread(request, is_bounded(plan), is_held)
}

/// The patterns of an area's files that must stay as they are, and whether they are all that is meant. They
/// are not where there are too many to be told apart from new ones, where the same request wants some of them
/// changed or more of them, and where no file there shows which ones are meant.
fn of_area(kept: KeptArea, request: &Request, facts: &Facts<'_>) -> (Vec<String>, bool) {
    let role = match kept.area {
        Area::Tests => "qa",
        Area::Documents => "tech_writer",
        Area::Builds => "devops",
        Area::Code => return (Vec::new(), false),
    };
    let files = facts.files.unwrap_or_default();
    let mut own = files.iter().filter(|it| kept.area.pattern_of(it).is_some());
    let changes = |part: &Part| {
        let of_part = part.files.iter();
        let is_its = part.role == role;
        let changed = of_part.filter(|file| is_its || steps::must_change(request, part, file));
        changed
            .map(|file| file.text.clone())
            .collect::<Vec<String>>()
    };
    let changed: Vec<String> = request.parts.iter().flat_map(changes).collect();
    if kept.is_existing {
        let own: Vec<String> = own.take(EXISTING_MAX + 1).cloned().collect();
        if own.len() > EXISTING_MAX {
            return (Vec::new(), false);
        }
        let spared = own.iter().filter(|it| !changed.contains(it));
        let spared: Vec<String> = spared.cloned().collect();
        let is_all = !own.is_empty() && spared.len() == own.len();
        return (spared, is_all);
    }
    let adds = |part: &Part| {
        let adds =
            |verb: &Verb| matches!(verb.change, Change::Add | Change::Document | Change::Test);
        part.role == role && part.files.is_empty() && part.verb.as_ref().is_none_or(adds)
    };
    if own.next().is_none() || request.parts.iter().any(adds) {
        return (Vec::new(), false);
    }
    let mut patterns = kept.area.patterns(files);
    let all = patterns.len();
    for file in &changed {
        if let Some(own) = kept.area.pattern_of(file) {
            patterns.retain(|it| *it != own && it.strip_prefix("**/") != Some(own.as_str()));
        }
    }
    let is_all = patterns.len() == all;
    (patterns, is_all)
}

/// A path as a pattern; of a mere name that is not at the root, wherever files of that name lie.
fn in_its_folder(path: &str, facts: &Facts<'_>) -> String {
    let files = facts.files.unwrap_or_default();
    let ending = format!("/{path}");
    let is_deeper = !path.contains('/') && files.iter().any(|file| file.ends_with(&ending));
    match is_deeper && !files.iter().any(|file| file == path) {
        true => format!("**/{path}"),
        false => pattern_of(path, facts),
    }
}

/// Not all that looks like a path can be one of this tree.
fn is_pattern(pattern: &str) -> bool {
    paths::fault(pattern).is_none() && paths::pattern_fault(pattern).is_none()
}

/// What is promised may be made, wherever it lies.
fn add(criteria: &mut Vec<Criterion>, spared: &[String], within: &[String], promised: &[String]) {
    let mut within = within.to_vec();
    if !within.is_empty() {
        let others = promised.iter().filter(|path| !within.contains(path));
        let others: Vec<String> = others.cloned().collect();
        within.extend(others);
    }
    let scopes = [within, spared.to_vec()].into_iter();
    for patterns in scopes.filter(|patterns| !patterns.is_empty()) {
        let scope = Criterion::Scope { patterns };
        if !criteria.contains(&scope) {
            criteria.push(scope);
        }
    }
}
