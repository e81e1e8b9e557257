//! What of a plan is a parameter, and texts with its name in the places of its value.
//!
//! A file that tasks are given and that no task makes is one. Its value is looked for to the letter,
//! as a whole path; and so are the paths that tasks promise or are checked for, if one of their
//! components has the file's name: `out/S1.md` beside `stories/S1.md` becomes `out/{story_id}.md`.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::plan::Input;
use divisi_core::{Criterion, Plan};

use super::{Origin, Parameter};
use crate::pattern;
use crate::workflow::criterion_paths;

/// More files than one gives with a command.
const TARGETS_MAX: usize = 8;

/// A shorter goal would be found in words that do not mean it.
const GOAL_CHARS_MIN: usize = 8;

/// A part of a path that was found: as it stands, or a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Name(String),
}

/// The parameters of a plan, and where their values stand.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) list: Vec<Parameter>,
    /// Paths to the letter with what they are made of, the longest first.
    pub(super) paths: Vec<(String, Vec<Piece>)>,
    goal: Option<String>,
}

impl Parameters {
    /// Those of a plan. `files` are in the tree that it began with.
    pub(super) fn of(plan: &Plan, files: &BTreeSet<&str>) -> Parameters {
        let mut parameters = Parameters::default();
        let text = serde_json::to_string(plan).unwrap_or_default();
        let is_free = |name: &str| !text.contains(&format!("{{{name}"));
        let made: BTreeSet<&str> = { plan.tasks.iter() }
            .flat_map(|task| &task.deliverables)
            .map(|made| &*made.path)
            .collect();
        let targets: BTreeSet<&str> = { plan.tasks.iter() }
            .flat_map(|task| &task.inputs)
            .filter_map(|input| match input {
                Input::Path(path) => Some(&**path),
                Input::Task(_) => None,
            })
            .filter(|path| files.contains(path) && pattern::is_literal(path))
            .collect();
        let mut found: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
        for path in targets.into_iter().take(TARGETS_MAX) {
            let name = parameters.name(path, is_free);
            found.insert(path.to_owned(), vec![Piece::Name(name.clone())]);
            parameters.list.push(Parameter {
                name,
                value: path.to_owned(),
                of: Origin::Target,
            });
        }
        let checked = plan.tasks.iter().flat_map(|task| task.criteria.clone());
        let checked = checked
            .chain(plan.criteria.iter().cloned())
            .flat_map(paths_of);
        let others: BTreeSet<String> = { made.into_iter() }
            .map(str::to_owned)
            .chain(checked)
            .collect();
        for path in others {
            if let Some(pieces) = parameters.named_after(&path) {
                found.entry(path).or_insert(pieces);
            }
        }
        parameters.paths = found.into_iter().collect();
        let longest = |(path, _): &(String, Vec<Piece>)| std::cmp::Reverse(path.len());
        parameters.paths.sort_by_key(longest);
        parameters.take_goal(plan, is_free("goal"));
        parameters
    }

    fn take_goal(&mut self, plan: &Plan, is_free: bool) {
        let goal = plan.title.as_str();
        let says = |text: &str| text.contains(goal);
        let is_said = { plan.tasks.iter() }.any(|it| says(&it.title) || says(&it.description));
        let is_taken = self.list.iter().any(|it| it.name == "goal");
        if is_said && is_free && !is_taken && goal.chars().count() >= GOAL_CHARS_MIN {
            self.goal = Some(goal.to_owned());
            self.list.push(Parameter {
                name: "goal".to_owned(),
                value: goal.to_owned(),
                of: Origin::Goal,
            });
        }
    }

    /// A name after the folder that the file stands in: `stories/S1.md` is a `story`.
    fn name(&self, path: &str, is_free: impl Fn(&str) -> bool) -> String {
        let folder = path.rsplit('/').nth(1).unwrap_or_default();
        let mut name = crate::role::canonical(folder);
        name.retain(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(stem) = name.strip_suffix("ies") {
            name = format!("{stem}y");
        } else if let Some(stem) = name.strip_suffix('s').filter(|it| !it.ends_with('s')) {
            name = stem.to_owned();
        }
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            "target".clone_into(&mut name);
        }
        // `{targets}` and `{deliverables}` are what a command's arguments call their files.
        let taken = |name: &str| {
            matches!(name, "targets" | "deliverables")
                || !is_free(name)
                || self.list.iter().any(|it| it.name == name)
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or(name)
    }

    /// A path of which a component has the name of a target's file, in pieces.
    fn named_after(&self, path: &str) -> Option<Vec<Piece>> {
        let targets = self.list.iter().filter(|it| it.of == Origin::Target);
        let mut stems: Vec<(&str, &str)> = targets
            .map(|it| (pattern::stem(&it.value), &*it.name))
            .collect();
        stems.sort_by_key(|(stem, _)| std::cmp::Reverse(stem.len()));
        let (mut pieces, mut text) = (Vec::new(), String::new());
        let mut at = 0;
        while at < path.len() {
            let rest = &path[at..];
            let is_bound = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            let found = stems.iter().find(|(stem, _)| {
                rest.starts_with(stem)
                    && is_bound(path[..at].chars().next_back())
                    && is_bound(rest[stem.len()..].chars().next())
            });
            match found {
                Some((stem, name)) => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Name(format!("{name}_id")));
                    at += stem.len();
                }
                None => {
                    let c = rest.chars().next()?;
                    text.push(c);
                    at += c.len_utf8();
                }
            }
        }
        if pieces.is_empty() {
            return None;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Some(pieces)
    }

    /// The path that stands at a place of a text as a whole, with its length.
    pub(super) fn path_at(&self, text: &str, at: usize) -> Option<(usize, &[Piece])> {
        let found = self.paths.iter().find(|(path, _)| {
            text[at..].starts_with(&**path) && is_whole(text, at, at + path.len())
        });
        found.map(|(path, pieces)| (path.len(), &**pieces))
    }

    /// Whether a text names one of the paths.
    pub(super) fn are_in(&self, text: &str) -> bool {
        text.char_indices()
            .any(|(at, _)| self.path_at(text, at).is_some())
    }

    /// A text with names in the places of values.
    pub(super) fn put(&self, text: &str) -> String {
        let (mut put, mut at) = (String::with_capacity(text.len()), 0);
        while let Some(c) = text[at..].chars().next() {
            let Some((length, pieces)) = self.path_at(text, at) else {
                put.push(c);
                at += c.len_utf8();
                continue;
            };
            for piece in pieces {
                match piece {
                    Piece::Text(text) => put.push_str(text),
                    Piece::Name(name) => put.extend(["{", name, "}"]),
                }
            }
            at += length;
        }
        put
    }

    /// The same of words that may speak of the goal.
    pub(super) fn put_words(&self, text: &str) -> String {
        match &self.goal {
            Some(goal) => {
                let parts: Vec<String> = text.split(&**goal).map(|part| self.put(part)).collect();
                parts.join("{goal}")
            }
            None => self.put(text),
        }
    }

    /// A check with names in the places of values.
    pub(super) fn put_check(&self, check: &Criterion) -> Criterion {
        let mut check = check.clone();
        for path in criterion_paths(&mut check) {
            *path = self.put(path);
        }
        check
    }
}

fn paths_of(mut check: Criterion) -> Vec<String> {
    criterion_paths(&mut check)
        .into_iter()
        .map(std::mem::take)
        .collect()
}

/// Whether a path ends where it is found: `out/S1.md` is not in `x/out/S1.md` or `out/S1.md5`.
fn is_whole(text: &str, from: usize, to: usize) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    let before = text[..from].strip_suffix("./").unwrap_or(&text[..from]);
    let mut after = text[to..].chars();
    let ends = match after.next() {
        // The end of a sentence.
        Some('.') => after.next().is_none_or(|c| !c.is_alphanumeric()),
        Some(c) => !is_part(c),
        None => true,
    };
    ends && before
        .chars()
        .next_back()
        .is_none_or(|c| !is_part(c) && c != '.')
}
