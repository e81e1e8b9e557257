//! From what an author said to criteria that are checked.
//!
//! [`from_words`] is the one place where words become checks.

use std::collections::HashSet;

use divisi_core::Criterion;

use super::Bundle;
use super::shared::{Given, Shared};
use super::targets::{Target, Values};
use crate::folder::manifest::{self, Of, Output};
use crate::placeholder;
use crate::words::{self, Context};
use crate::workflow::{Statement, criterion_names, criterion_paths, is_id};

/// What statements may speak of: what some agents are given, and what they promise.
pub(super) struct Subject<'s> {
    pub(super) bundle: &'s Bundle,
    pub(super) agents: Vec<(&'s Shared<'s>, &'s Given)>,
}

impl<'s> Subject<'s> {
    /// All agents of some entries.
    pub(super) fn of(bundle: &'s Bundle, entries: &'s [Shared<'s>]) -> Subject<'s> {
        let agents = entries
            .iter()
            .flat_map(|shared| shared.agents.iter().map(move |given| (shared, given)));
        Subject {
            bundle,
            agents: agents.collect(),
        }
    }

    /// One agent.
    pub(super) fn of_one(
        bundle: &'s Bundle,
        shared: &'s Shared<'s>,
        given: &'s Given,
    ) -> Subject<'s> {
        Subject {
            bundle,
            agents: vec![(shared, given)],
        }
    }

    /// All targets, for checks that hold for each of them.
    fn targets(&self) -> impl Iterator<Item = &'s Target> {
        let agents = self.agents.iter();
        agents.flat_map(|(shared, given)| {
            let positions = given.positions.iter();
            positions.map(|&at| &shared.matched.targets[at])
        })
    }

    /// What words may speak of.
    pub(super) fn context(&self) -> Context {
        let agents = self.agents.iter();
        let outputs = agents.flat_map(|(shared, given)| outputs(self.bundle, shared, given));
        manifest::context(outputs)
    }
}

/// What one agent promises, with the target that each file is for.
pub(super) fn outputs(
    bundle: &Bundle,
    shared: &Shared<'_>,
    given: &Given,
) -> impl Iterator<Item = Output> {
    given.made.iter().map(move |made| {
        let template = &*shared.entry.deliverables[made.promised].path;
        let values = Values {
            bundle,
            target: made.target.and_then(|at| shared.matched.targets.get(at)),
        };
        let of = variable(template, &values);
        Output {
            path: made.path.clone(),
            template: template.to_owned(),
            of: of.map(|(variable, value)| Of {
                variable: variable.to_owned(),
                value,
            }),
        }
    })
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

/// A statement's words with the values of inputs; `None` for a check.
pub(super) fn said(statement: &Statement, bundle: &Bundle) -> Option<String> {
    let Statement::Words(text) = statement else {
        return None;
    };
    let values = Values {
        bundle,
        target: None,
    };
    Some(placeholder::fill(text, |name| values.get(name)))
}

/// All criteria that statements mean, each once.
pub(super) fn compile(statements: &[Statement], subject: &Subject<'_>) -> Vec<Criterion> {
    let context = subject.context();
    let mut criteria: Vec<Criterion> = Vec::new();
    for statement in statements {
        let found = match (said(statement, subject.bundle), statement) {
            (Some(text), _) => from_words(&text, &context),
            (None, Statement::Check(check)) => filled(check, subject),
            (None, Statement::Words(_)) => Vec::new(),
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
