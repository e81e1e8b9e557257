//! From what an author said to criteria that are checked.
//!
//! [`from_words`] is the one place where words become checks.

use std::collections::HashSet;

use divisi_core::Criterion;

use super::Bundle;
use super::shared::{Given, Shared};
use super::targets::{Target, Values};
use crate::placeholder;
use crate::workflow::{Statement, criterion_names, criterion_paths};

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
}

/// The criteria that a text means. No rule understands words so far, so each waits for a reviewer.
fn from_words(text: &str, _subject: &Subject<'_>) -> Vec<Criterion> {
    vec![Criterion::Plain {
        text: text.to_owned(),
    }]
}

/// All criteria that statements mean, each once.
pub(super) fn compile(statements: &[Statement], subject: &Subject<'_>) -> Vec<Criterion> {
    let mut criteria: Vec<Criterion> = Vec::new();
    for statement in statements {
        let found = match statement {
            Statement::Words(text) => {
                let values = Values {
                    bundle: subject.bundle,
                    target: None,
                };
                let text = placeholder::fill(text, |name| values.get(name));
                from_words(&text, subject)
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
        | Criterion::Plain { .. } => None,
    }
}
