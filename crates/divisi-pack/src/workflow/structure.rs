//! How the parts of a workflow hang together: ids, what waits for what, and what takes what.

use std::collections::{BTreeSet, HashMap, HashSet};

use divisi_core::plan::Fault;
use divisi_core::{Plan, TaskId, TaskKind, TaskSpec};

use super::read::{IterationSpans, Spans};
use super::{DELIVERABLES_MAX, Entry, Iteration, Workflow};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::pattern::Pattern;
use crate::placeholder;
use crate::role::canonical;

/// An id of an iteration or a label of an entry has at most so many characters: together with a
/// number they make the id of a task.
const SLUG_CHARS_MAX: usize = 40;

/// A name as an id is written: small letters, digits, `_` and `-`.
pub(crate) fn slug(name: &str, otherwise: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if slug.len() >= SLUG_CHARS_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() || (c == '_' && !slug.is_empty()) {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches(['-', '_']).len());
    if slug.is_empty() {
        otherwise.clone_into(&mut slug);
    }
    slug
}

/// Names that are given once.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// The name, or with a number behind it if it is taken.
    pub(crate) fn unique(&mut self, name: String) -> String {
        let mut unique = name.clone();
        let mut number = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{name}-{number}");
            number += 1;
        }
        unique
    }
}

/// Resolves what iterations and entries name, once all of them are known.
pub(crate) fn link(workflow: &mut Workflow, spans: &Spans, faults: &mut Faults<'_>) {
    let iterations = &mut workflow.iterations;
    check_names(iterations, &spans.iterations, faults);
    for (iteration, spans) in iterations.iter_mut().zip(&spans.iterations) {
        link_entries(&mut iteration.entries, &spans.entries, faults);
    }
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (at, it) in iterations.iter().enumerate() {
        by_name.entry(&it.id).or_insert(at);
    }
    for (at, it) in iterations.iter().enumerate().rev() {
        by_name.insert(&it.name, at);
    }
    let mut dependencies: Vec<BTreeSet<usize>> = spans
        .iterations
        .iter()
        .map(|spans| named_dependencies(iterations, &by_name, spans, faults))
        .collect();
    phase_dependencies(spans, &mut dependencies, faults);
    implied_dependencies(iterations, &mut dependencies, faults);
    let ids: Vec<&str> = iterations.iter().map(|it| &*it.id).collect();
    if let Some(cycle) = cycle(&ids, &dependencies) {
        let names: Vec<String> = cycle
            .iter()
            .map(|&at| shown(&iterations[at].name))
            .collect();
        faults
            .error(codes::WORKFLOW_CYCLE, spans.iterations[cycle[0]].at, || {
                format!("iterations wait for each other: {}", round(&names))
            })
            .hint("an iteration also waits for one before it whose deliverables it targets");
        return;
    }
    let ids: Vec<String> = iterations.iter().map(|it| it.id.clone()).collect();
    for (iteration, on) in iterations.iter_mut().zip(dependencies) {
        iteration.dependencies = on.into_iter().map(|at| ids[at].clone()).collect();
    }
}

fn round(names: &[String]) -> String {
    let closed = names.iter().chain(names.first()).map(String::as_str);
    closed.collect::<Vec<_>>().join(" → ")
}

fn check_names(iterations: &[Iteration], spans: &[IterationSpans], faults: &mut Faults<'_>) {
    let mut seen: HashSet<&str> = HashSet::new();
    for (iteration, spans) in iterations.iter().zip(spans) {
        if !iteration.name.is_empty() && !seen.insert(&iteration.name) {
            let first = iterations.iter().find(|it| it.name == iteration.name);
            let line = first.map_or(0, |first| first.place.line);
            faults
                .error(codes::WORKFLOW_DUPLICATE, spans.at, || {
                    format!("two iterations have the name {}", shown(&iteration.name))
                })
                .hint(format!("the first one stands in line {line}"));
        }
    }
}

fn named_dependencies(
    iterations: &[Iteration],
    by_name: &HashMap<&str, usize>,
    spans: &IterationSpans,
    faults: &mut Faults<'_>,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (name, at) in &spans.dependencies {
        match by_name.get(&**name) {
            Some(&on) => _ = found.insert(on),
            None => {
                let meant = faults.nearest(name, iterations.iter().map(|it| &*it.name));
                faults
                    .error(codes::WORKFLOW_UNKNOWN, *at, || {
                        format!("no iteration has the name {}", shown(name))
                    })
                    .meant(meant);
            }
        }
    }
    found
}

/// A phase that depends on another: its iterations wait for all of the other's.
fn phase_dependencies(
    spans: &Spans,
    dependencies: &mut [BTreeSet<usize>],
    faults: &mut Faults<'_>,
) {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); spans.phases.len()];
    for (at, spans) in spans.iterations.iter().enumerate() {
        if let Some(phase) = spans.phase {
            members[phase].push(at);
        }
    }
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (number, phase) in spans.phases.iter().enumerate() {
        for name in &phase.names {
            by_name.entry(name).or_insert(number);
        }
    }
    for (number, phase) in spans.phases.iter().enumerate() {
        let mut before: BTreeSet<usize> = BTreeSet::new();
        for (name, at) in &phase.dependencies {
            match by_name.get(&**name) {
                Some(&on) if on == number => {
                    faults.error(codes::WORKFLOW_CYCLE, phase.at, || {
                        format!("the phase {} waits for itself", shown(name))
                    });
                }
                Some(&on) => _ = before.insert(on),
                None => {
                    let known = spans.phases.iter().flat_map(|phase| &phase.names);
                    let meant = faults.nearest(name, known.map(String::as_str));
                    faults
                        .error(codes::WORKFLOW_UNKNOWN, *at, || {
                            format!("no phase has the name {}", shown(name))
                        })
                        .meant(meant);
                }
            }
        }
        for on in before {
            for &at in &members[number] {
                dependencies[at].extend(&members[on]);
            }
        }
    }
}

/// An iteration waits for one before it if it targets what that one promises: its targets are not
/// there earlier.
fn implied_dependencies(
    iterations: &[Iteration],
    dependencies: &mut [BTreeSet<usize>],
    faults: &mut Faults<'_>,
) {
    let entries = iterations.iter().flat_map(|it| &it.entries);
    let promised: usize = entries.map(|entry| entry.deliverables.len()).sum();
    if promised > DELIVERABLES_MAX {
        faults.error(codes::TOO_LARGE, 0, || {
            format!("the workflow has {promised} deliverables, more than {DELIVERABLES_MAX}")
        });
        return;
    }
    let sample = |path: &str| placeholder::fill(path, |_| Some("x".to_owned()));
    let samples: Vec<Vec<String>> = iterations
        .iter()
        .map(|it| {
            let promised = it.entries.iter().flat_map(|entry| &entry.deliverables);
            promised.map(|promised| sample(&promised.path)).collect()
        })
        .collect();
    for (at, iteration) in iterations.iter().enumerate() {
        let targets = iteration.entries.iter().flat_map(|entry| &entry.targets);
        let patterns: Vec<Pattern> = targets
            .filter_map(|targets| Pattern::new(&targets.pattern, |_| None).ok())
            .collect();
        for before in 0..at {
            let is_promised = samples[before]
                .iter()
                .any(|path| patterns.iter().any(|pattern| pattern.matches(path)));
            if is_promised && !dependencies[before].contains(&at) {
                dependencies[at].insert(before);
            }
        }
    }
}

/// The first cycle, if there is one.
fn cycle(ids: &[&str], dependencies: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let id = |at: usize| TaskId::new(ids[at]).expect("a slug is an id");
    let task = |at: usize| TaskSpec {
        dependencies: dependencies[at].iter().map(|&on| id(on)).collect(),
        ..TaskSpec::command(id(at), &[])
    };
    let plan = Plan {
        tasks: (0..ids.len()).map(task).collect(),
        ..Plan::default()
    };
    let faults = plan.graph().err()?;
    faults.into_iter().find_map(|fault| match fault {
        Fault::Cycle(cycle) => Some(cycle),
        _ => None,
    })
}

fn link_entries(entries: &mut [Entry], spans: &[super::entry::Spans], faults: &mut Faults<'_>) {
    let mut by_label: HashMap<String, usize> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        by_label.entry(canonical(&entry.label)).or_insert(at);
    }
    let mut edges: Vec<BTreeSet<usize>> = Vec::with_capacity(entries.len());
    for at in 0..entries.len() {
        let mut takes = named_entries(entries, &by_label, &spans[at].takes, faults);
        let waits = named_entries(entries, &by_label, &spans[at].dependencies, faults);
        let composes = entries[at].kind == TaskKind::Compose && spans[at].takes.is_empty();
        if composes && entries[at].targets.is_empty() {
            let gives =
                |entry: &Entry| !matches!(entry.kind, TaskKind::Compose | TaskKind::Approval);
            takes = (0..entries.len())
                .filter(|&at| gives(&entries[at]))
                .collect();
        }
        let labels = |of: &[usize]| of.iter().map(|&on| entries[on].label.clone()).collect();
        let (take_labels, wait_labels) = (labels(&takes), labels(&waits));
        entries[at].takes = take_labels;
        entries[at].dependencies = wait_labels;
        edges.push(takes.into_iter().chain(waits).collect());
    }
    let labels: Vec<&str> = entries.iter().map(|entry| &*entry.label).collect();
    if let Some(cycle) = cycle(&labels, &edges) {
        let names: Vec<String> = cycle.iter().map(|&at| shown(labels[at])).collect();
        faults.error(codes::WORKFLOW_CYCLE, spans[cycle[0]].at, || {
            format!("entries of `agents` wait for each other: {}", round(&names))
        });
    }
}

fn named_entries(
    entries: &[Entry],
    by_label: &HashMap<String, usize>,
    names: &[(String, usize)],
    faults: &mut Faults<'_>,
) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen: HashSet<usize> = HashSet::new();
    for (name, at) in names {
        match by_label.get(&canonical(name)) {
            // In the order of the text, each once.
            Some(&on) => found.extend(Some(on).filter(|on| seen.insert(*on))),
            None => {
                let meant = faults.nearest(name, entries.iter().map(|entry| &*entry.label));
                faults
                    .error(codes::WORKFLOW_UNKNOWN, *at, || {
                        format!("no entry of `agents` has the name {}", shown(name))
                    })
                    .meant(meant);
            }
        }
    }
    found
}
