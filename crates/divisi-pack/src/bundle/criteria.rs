//! From what an author said to criteria that are checked.
//!
//! [`from_words`] is the one place where words become checks.

use std::collections::{BTreeMap, HashSet};

use divisi_core::Criterion;

use super::Bundle;
use super::shared::{Given, Shared};
use super::targets::{Target, Values};
use crate::placeholder;
use crate::words::{self, Context, Entity, Promise};
use crate::workflow::{Statement, criterion_names, criterion_paths, is_id};

/// What statements may speak of: what some agents are given, and what they promise.
pub(super) struct Subject<'s> {
    pub(super) bundle: &'s Bundle,
    pub(super) agents: Vec<(&'s Shared<'s>, &'s Given)>,
}

impl<'s> Subject<'s> {
    /// All targets, for checks that hold for each of them.
    fn targets(&self) -> impl Iterator<Item = &'s Target> {
        let agents = self.agents.iter();
        agents.flat_map(|(shared, given)| {
            let positions = given.positions.iter();
            positions.map(|&at| &shared.matched.targets[at])
        })
    }

    /// What words may speak of: kinds of targets by the variable that stands for them, with what is
    /// promised for each, and what is promised once.
    fn context(&self) -> Context {
        let mut context = Context::default();
        let mut kinds: BTreeMap<&str, BTreeMap<String, Vec<Promise>>> = BTreeMap::new();
        for (shared, given) in &self.agents {
            for made in &given.made {
                let template = &*shared.entry.deliverables[made.promised].path;
                let values = Values {
                    bundle: self.bundle,
                    target: made.target.and_then(|at| shared.matched.targets.get(at)),
                };
                let promise = Promise {
                    path: made.path.clone(),
                    template: template.to_owned(),
                    names: Vec::new(),
                };
                match variable(template, &values) {
                    Some((name, value)) => {
                        kinds
                            .entry(name)
                            .or_default()
                            .entry(value)
                            .or_default()
                            .push(promise);
                    }
                    None => context.promises.push(promise),
                }
            }
        }
        for (variable, targets) in kinds {
            let targets = targets.into_iter();
            let targets = targets.map(|(name, promises)| words::Target { name, promises });
            context
                .entities
                .push(Entity::of_variable(variable, targets.collect()));
        }
        context
    }
}

/// The variable of a path that tells its target from others: one that ends in `_id`, or the last.
fn variable<'t>(template: &'t str, values: &Values<'_>) -> Option<(&'t str, String)> {
    let of_target = |name: &&str| {
        let is_input = values.bundle.inputs.contains_key(*name);
        !is_input && values.target.is_some_and(|target| target.binds(name))
    };
    let names: Vec<&str> = placeholder::names(template).filter(of_target).collect();
    let name = names.iter().rfind(|name| is_id(name)).or(names.last())?;
    Some((*name, values.get(name)?))
}

/// The criteria that a text means; one that no rule understands waits for a reviewer.
fn from_words(text: &str, context: &Context) -> Vec<Criterion> {
    words::compile(text, context).criteria(text)
}

/// All criteria that statements mean, each once.
pub(super) fn compile(statements: &[Statement], subject: &Subject<'_>) -> Vec<Criterion> {
    let context = subject.context();
    let mut criteria: Vec<Criterion> = Vec::new();
    for statement in statements {
        let found = match statement {
            Statement::Words(text) => {
                let values = Values {
                    bundle: subject.bundle,
                    target: None,
                };
                let text = placeholder::fill(text, |name| values.get(name));
                from_words(&text, &context)
            }
            Statement::Check(check) => filled(check, subject),
        };
        criteria.extend(found);
    }
    let mut seen: HashSet<String> = HashSet::with_capacity(criteria.len());
    criteria.retain(|criterion| seen.insert(format!("{criterion:?}")));
    criteria
}

/// A check whose path has variables: one for each target.
fn filled(check: &Criterion, subject: &Subject<'_>) -> Vec<Criterion> {
    let fill = |target: Option<&Target>| {
        let values = Values {
            bundle: subject.bundle,
            target,
        };
        let mut check = check.clone();
        for path in criterion_paths(&mut check) {
            *path = placeholder::fill(path, |name| values.get(name));
        }
        check
    };
    let of_inputs = |name: &String| subject.bundle.inputs.contains_key(name);
    if criterion_names(check).iter().all(of_inputs) {
        return vec![fill(None)];
    }
    subject.targets().map(|target| fill(Some(target))).collect()
}

/// The file that a criterion speaks of, if it is a single one.
pub(super) fn file(criterion: &Criterion) -> Option<&str> {
    match criterion {
        Criterion::File { path, .. }
        | Criterion::Contains { path, .. }
        | Criterion::Lacks { path, .. }
        | Criterion::Matches { path, .. }
        | Criterion::Section { path, .. }
        | Criterion::Format { path, .. }
        | Criterion::Schema { path, .. } => Some(path),
        Criterion::ExitStatus
        | Criterion::Command { .. }
        | Criterion::Scope { .. }
        | Criterion::Count { .. }
        | Criterion::Each { .. }
        | Criterion::Plain { .. } => None,
    }
}
