//! The targets of an entry: paths that its patterns match, and what they bind.

use std::collections::{BTreeMap, HashSet};

use minijinja::{Environment, UndefinedBehavior, Value};

use super::Bundle;
use super::told::Told;
use crate::codes;
use crate::faults::shown;
use crate::pattern::{self, Bound, Pattern};
use crate::template::FUEL;
use crate::workflow::{Entry, Iteration, Targets, is_id};

/// A file that an agent works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: String,
    bound: Bound,
}

impl Target {
    /// Whether a variable's value comes of this target.
    pub(super) fn binds(&self, name: &str) -> bool {
        self.bound.named.contains_key(name) || (is_id(name) && self.bound.last.is_some())
    }
}

/// Values of variables: what a target binds, then the inputs.
#[derive(Clone, Copy)]
pub(super) struct Values<'v> {
    pub(super) bundle: &'v Bundle,
    pub(super) target: Option<&'v Target>,
}

impl Values<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let bound = self.target.map(|target| &target.bound);
        let named = bound.and_then(|bound| bound.named.get(name)).cloned();
        let input = || self.bundle.inputs.get(name).map(ToString::to_string);
        let last = || bound.filter(|_| is_id(name))?.last.clone();
        named.or_else(input).or_else(last)
    }

    /// Everything that a filter may speak of.
    fn all(&self) -> BTreeMap<String, Value> {
        let inputs = self.bundle.inputs.iter();
        let mut all: BTreeMap<String, Value> = inputs
            .map(|(name, value)| (name.clone(), Value::from(value.to_string())))
            .collect();
        if let Some(target) = self.target {
            let name = target.path.rsplit('/').next().unwrap_or_default();
            all.insert("path".into(), Value::from(&*target.path));
            all.insert("name".into(), Value::from(name));
            let id = self.get("id").unwrap_or_default();
            all.insert("id".into(), Value::from(id));
            for (name, value) in &target.bound.named {
                all.insert(name.clone(), Value::from(value.as_str()));
            }
        }
        all
    }
}

/// What an entry's patterns found.
#[derive(Default)]
pub(super) struct Matched {
    pub(super) targets: Vec<Target>,
    /// Filters that no path answers: the agent is told.
    pub(super) conditions: Vec<String>,
}

/// The targets of an entry in the order of their paths.
pub(super) fn of(
    bundle: &Bundle,
    iteration: &Iteration,
    entry: &Entry,
    paths: &[&str],
    told: &mut Told,
) -> Matched {
    let mut matched = Matched::default();
    let replaced: Vec<Targets> = bundle
        .targets
        .iter()
        .map(|pattern| Targets {
            pattern: pattern.clone(),
            filter: None,
        })
        .collect();
    let is_replaced = iteration.dependencies.is_empty() && !replaced.is_empty();
    let patterns = match is_replaced && !entry.targets.is_empty() {
        true => &replaced,
        false => &entry.targets,
    };
    let mut seen: HashSet<String> = HashSet::new();
    for targets in patterns {
        let Some(found) = matching(bundle, entry, targets, paths, told) else {
            continue;
        };
        if found.is_empty() && patterns.len() > 1 {
            told.warning(codes::WORKFLOW_NO_MATCH, &entry.place, &[], || {
                format!("the pattern {} matches no file", shown(&targets.pattern))
            });
        }
        let mut filter = Filter::new(bundle, targets.filter.as_deref());
        for target in found {
            if filter.keeps(&target) && seen.insert(target.path.clone()) {
                matched.targets.push(target);
            }
        }
        filter.finish(entry, &mut matched.conditions, told);
    }
    if matched.targets.is_empty() && !patterns.is_empty() {
        let looked = format!(
            "{} paths were looked at; `*` stays within a folder, `**` does not",
            paths.len()
        );
        told.error(codes::WORKFLOW_NO_MATCH, &entry.place, &[&looked], || {
            let named: Vec<String> = patterns.iter().map(|it| shown(&it.pattern)).collect();
            format!(
                "no file matches {}, the targets of {} in {}",
                named.join(" or "),
                shown(&entry.label),
                shown(&iteration.name)
            )
        });
    }
    matched
        .targets
        .sort_by(|one, other| one.path.cmp(&other.path));
    matched
}

/// The paths that one pattern matches; `None` after telling that it does not parse.
fn matching(
    bundle: &Bundle,
    entry: &Entry,
    targets: &Targets,
    paths: &[&str],
    told: &mut Told,
) -> Option<Vec<Target>> {
    let values = Values {
        bundle,
        target: None,
    };
    match Pattern::new(&targets.pattern, |name| values.get(name)) {
        Ok(pattern) => {
            let bind = |&path: &&str| {
                let mut bound = pattern.bind(path)?;
                // Of a file that was given as such (`--targets stories/S1.md`) it is its name.
                let whole = || Some(pattern::stem(path).to_owned());
                bound.last = bound.last.or_else(whole);
                Some(Target {
                    bound,
                    path: path.to_owned(),
                })
            };
            Some(paths.iter().filter_map(bind).collect())
        }
        Err(fault) => {
            told.error(codes::PATTERN, &entry.place, &[], || {
                format!("the pattern {} {fault}", shown(&targets.pattern))
            });
            None
        }
    }
}

/// An expression that decides which targets stay.
struct Filter<'f> {
    bundle: &'f Bundle,
    text: &'f str,
    environment: Environment<'f>,
    state: State,
}

enum State {
    /// There is none.
    None,
    /// It decides.
    Decides,
    /// It speaks of what no path tells.
    Told(String),
    /// It cannot be evaluated.
    Fails(String),
}

impl<'f> Filter<'f> {
    fn new(bundle: &'f Bundle, text: Option<&'f str>) -> Filter<'f> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        for (name, test) in [("endingwith", true), ("startingwith", false)] {
            environment.add_test(name, move |text: String, part: String| match test {
                true => text.ends_with(&part),
                false => text.starts_with(&part),
            });
        }
        Filter {
            bundle,
            text: text.unwrap_or_default(),
            environment,
            state: match text {
                Some(_) => State::Decides,
                None => State::None,
            },
        }
    }

    fn keeps(&mut self, target: &Target) -> bool {
        if !matches!(self.state, State::Decides) {
            return true;
        }
        let values = Values {
            bundle: self.bundle,
            target: Some(target),
        };
        match self.evaluate(&values.all()) {
            Ok(keeps) => keeps,
            Err(state) => {
                self.state = state;
                true
            }
        }
    }

    fn evaluate(&self, all: &BTreeMap<String, Value>) -> Result<bool, State> {
        let expression = self
            .environment
            .compile_expression(self.text)
            .map_err(|_| State::Told("it is no expression".to_owned()))?;
        let mut unknown: Vec<String> = expression
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| !all.contains_key(name))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            return Err(State::Told(format!("no path tells {}", shown(name))));
        }
        expression
            .eval(Value::from(all.clone()))
            .map(|value| value.is_true())
            .map_err(|error| State::Fails(error.to_string()))
    }

    fn finish(self, entry: &Entry, conditions: &mut Vec<String>, told: &mut Told) {
        match self.state {
            State::None | State::Decides => {}
            State::Told(why) => {
                let hints = ["a filter knows `path`, `name`, `id`, inputs and variables"];
                told.warning(codes::WORKFLOW_FILTER, &entry.place, &hints, || {
                    let filter = shown(self.text);
                    format!(
                        "the filter {filter} leaves out no target, since {why}; the agent is told"
                    )
                });
                conditions.push(self.text.to_owned());
            }
            State::Fails(why) => told.error(codes::WORKFLOW_FILTER, &entry.place, &[], || {
                format!("the filter {} fails: {}", shown(self.text), shown(&why))
            }),
        }
    }
}
